"""The smiles table: each expiry's counts, forward, vols, fit, checks and gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from volskew.quotes.lines import FloatArray
from volskew.smile.fitting import Curves
from volskew.surface.chain import Chain
from volskew.surface.delta import STANDARD_DELTAS, delta_label
from volskew.surface.expiries import Expiries
from volskew.surface.expiry_tables import PASSED
from volskew.surface.points import Point
from volskew.surface.reading import Slices
from volskew.surface.smiles import Smiles

__all__ = ["SmilesTable", "smiles_table"]

_STANDARD = tuple(Point("delta", delta) for delta in STANDARD_DELTAS)
_AT_THE_FORWARD = Point("log_moneyness", 0.0)
_PARAMETERS = ("a", "b", "rho", "m", "sigma")


def smiles_table(smiles: Smiles, chain: Chain, expiries: Expiries) -> pd.DataFrame:
    """One row a slice, sorted by expiry, root and settlement.

    Parameters
    ----------
    smiles : Smiles
    chain : Chain
    expiries : Expiries
        By which they are read.

    Returns
    -------
    pandas.DataFrame
        ``symbol, snapshot_time, root, settlement, expiry, days, time_to_expiry, n_read, n_rejected,
        n_accepted (left to the smile), n_used (that serve it), forward, forward_error, forward_error_bp,
        atm_vol (strike at the forward)``; for each of 25c, 50 and 25p ``vol_, error_ (one standard error),
        check_ (distance to the second smile)``; ``rmse [decimal vol], rmse_half_spreads, inside_spread (share
        of quotes whose bid and ask hold the smile), worst_half_spreads (largest residual between 0.10 and
        0.90 delta), noise (half-spreads)`` of the smile; ``svi_a, svi_b, svi_rho, svi_m, svi_sigma`` (total
        variance, without the discrepancy), ``discrepancy`` (its prior deviation, decimal vol), ``least_g,
        least_g_strike`` within the quotes, ``wing_left, wing_right`` (slopes of total variance); ``n_25c,
        n_50, n_25p`` (quotes around), ``method`` (svi, essvi, local or none), ``repaired`` (no, svi: a
        butterfly was removed; bumps: the discrepancy was lessened or left out for one), ``gates_25c,
        gates_50, gates_25p`` ("passed", or the codes failed).
    """
    quotes, slices = smiles.quotes, expiries.slices
    columns: dict[str, Any] = {
        "symbol": str(quotes["symbol"].iloc[0]),
        "snapshot_time": quotes["snapshot_time"].iloc[0],
        "root": pd.array(chain.roots, dtype="str"),
        "settlement": pd.array(chain.settlements, dtype="str"),
        "expiry": chain.expiries,
        "days": chain.years * 365,
        "time_to_expiry": chain.years,
        "n_read": chain.counts(np.ones(len(quotes), dtype=bool)),
        "n_rejected": chain.counts(quotes["exclusion"].notna().to_numpy(dtype=bool)),
        "n_accepted": smiles.n_accepted.astype(np.int64),
        "n_used": None,  # keeps its place
        "forward": slices.forward,
        "forward_error": slices.forward_error,
        "forward_error_bp": slices.forward_error / slices.forward * 1e4,
    }
    table = pd.DataFrame(columns | _as_read(smiles, expiries))
    return table[table["expiry"].notna()].reset_index(drop=True)


@dataclass(slots=True, eq=False)
class SmilesTable:
    """The smiles table of a surface; one of smiles that are read otherwise is made when it is asked for.

    Attributes
    ----------
    known : pandas.DataFrame
        A table of the same fit, read in this way or another.
    read_by : tuple of (Smiles, Expiries), optional
        How it is to be read; None where `known` is read so.
    """

    known: pd.DataFrame
    read_by: tuple[Smiles, Expiries] | None = None

    def __call__(self) -> pd.DataFrame:
        """The table."""
        if self.read_by is not None:
            _, expiries = self.read_by
            shown = np.array([pd.notna(expiry) for _, _, expiry in expiries.slices.keys], dtype=bool)
            columns = pd.DataFrame(_as_read(*self.read_by))[shown].reset_index(drop=True)
            named = {str(name): column for name, column in columns.items()}
            self.known, self.read_by = self.known.assign(**named), None
        return self.known


def _as_read(smiles: Smiles, expiries: Expiries) -> dict[str, Any]:
    """The columns that depend on which smile is read, and on what a delta is."""
    slices, settings, n = expiries.slices, expiries.settings, len(expiries.slices.years)
    *standard, at_the_forward = expiries.at_all([*_STANDARD, _AT_THE_FORWARD])
    labels = [delta_label(delta) for delta in STANDARD_DELTAS]
    used = smiles.quotes["used_in_smile"].to_numpy(dtype=bool)
    columns: dict[str, Any] = {
        "n_used": np.bincount(smiles.placed.slice_id[used], minlength=n).astype(np.intp),
        "atm_vol": at_the_forward.vol,
    }
    for name, smile in zip(labels, standard, strict=True):
        columns[f"vol_{name}"] = smile.vol
        columns[f"error_{name}"] = np.full(n, np.nan) if expiries.by_vendor else smile.error
        columns[f"check_{name}"] = smile.gap
    columns |= _fit_quality(smiles, slices) | _shape(smiles.curves, slices)
    for name, smile in zip(labels, standard, strict=True):
        columns[f"n_{name}"] = smile.n_points
    columns["method"] = pd.array(smiles.methods, dtype="str")
    columns["repaired"] = pd.array(_repairs(smiles.curves, slices), dtype="str")
    for name, smile in zip(labels, standard, strict=True):
        words = [
            " ".join(str(item.code) for item in smile.failures(number, slices, settings)) or PASSED
            for number in range(n)
        ]
        columns[f"gates_{name}"] = pd.array(words, dtype="str")
    return columns


def _fit_quality(smiles: Smiles, slices: Slices) -> dict[str, FloatArray]:
    """Residuals of each slice's smile."""
    nodes, curves, n = smiles.nodes, smiles.curves, len(slices.years)
    local_rmse, local_half = smiles.local.rmse[0], smiles.local.rmse_half_spreads[0]
    known = np.isfinite(curves.residual)
    group = nodes.slice_id[known]
    residual, error = curves.residual[known], nodes.error[known]
    count = np.bincount(group, minlength=n).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rmse = np.sqrt(np.bincount(group, (residual * error) ** 2, minlength=n) / count)
        half = np.sqrt(np.bincount(group, residual**2, minlength=n) / count)
        inside = np.bincount(group, np.abs(residual) <= 1.0, minlength=n) / count
    worst = np.full(n, np.nan)
    delta = smiles.deltas[known]
    near = (delta >= 0.10) & (delta <= 0.90)
    np.fmax.at(worst, group[near], np.abs(residual[near]))
    by_curve = slices.is_curve
    return {
        "rmse": np.where(by_curve, rmse, local_rmse),
        "rmse_half_spreads": np.where(by_curve, half, local_half),
        "inside_spread": np.where(by_curve, inside, np.nan),
        "worst_half_spreads": np.where(by_curve, worst, np.nan),
        "noise": np.where(by_curve, curves.noise, np.nan),
    }


def _shape(curves: Curves, slices: Slices) -> dict[str, FloatArray]:
    """Parameters, arbitrage and wings of each slice's curve; NaN where it is not read from one."""
    n = len(slices.years)
    shape = np.full((len(_PARAMETERS) + 2, n), np.nan)
    for number in np.flatnonzero(slices.is_curve).tolist():
        shape[:5, number] = curves.svi(number)
        shape[5:, number] = curves.wing_slopes(number)
    least, place = curves.least_butterfly
    by_curve = slices.is_curve
    named = dict(zip((f"svi_{name}" for name in _PARAMETERS), shape[:5], strict=True))
    return {
        **named,
        "discrepancy": np.where(by_curve, curves.discrepancy, np.nan),
        "least_g": np.where(by_curve, least, np.nan),
        "least_g_strike": np.where(by_curve, slices.forward * np.exp(place), np.nan),
        "wing_left": shape[5],
        "wing_right": shape[6],
    }


def _repairs(curves: Curves, slices: Slices) -> list[str]:
    """What was done against a butterfly."""
    words = []
    for repaired, lessened, is_curve in zip(
        curves.was_repaired, curves.was_lessened, slices.is_curve, strict=True
    ):
        done = [word for word, holds in (("svi", repaired), ("bumps", lessened)) if holds and is_curve]
        words.append("+".join(done) or "no")
    return words
