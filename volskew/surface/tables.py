"""The smiles table: each expiry's counts, forward, vols, fit errors and gates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from volskew.quotes.lines import FloatArray
from volskew.surface.chain import Chain
from volskew.surface.delta import STANDARD_DELTAS, delta_label
from volskew.surface.gates import Failure
from volskew.surface.smiles import Smiles

__all__ = ["smiles_table"]

_MIDDLE = STANDARD_DELTAS.index(0.5)
_PASSED = "passed"


def smiles_table(
    smiles: Smiles,
    chain: Chain,
    *,
    forward: FloatArray,
    forward_error: FloatArray,
    failures: Sequence[Sequence[Sequence[Failure]]],
) -> pd.DataFrame:
    """One row a slice, sorted by expiry, root and settlement.

    Parameters
    ----------
    smiles : Smiles
    chain : Chain
    forward, forward_error : ndarray of float, per slice
        [$]
    failures : sequence
        For each standard delta and slice, the gates that it failed.

    Returns
    -------
    pandas.DataFrame
        ``symbol, snapshot_time, root, settlement, expiry, days, time_to_expiry, n_read, n_rejected,
        n_accepted (left to the smile), n_used (in the windows of the standard deltas), forward,
        forward_error, forward_error_bp, atm_vol (strike at the forward), vol_25c, vol_50, vol_25p, rmse
        [decimal vol] and rmse_half_spreads (of the 25-delta call fit), n_25c, n_50, n_25p, method
        (local, vendor or none), gates_25c, gates_50, gates_25p`` ("passed", or the codes failed).
    """
    quotes, fits = smiles.quotes, smiles.fits
    labels = [delta_label(delta) for delta in STANDARD_DELTAS]
    has_fit = np.isfinite(fits.vol).any(axis=0)
    method = np.where(has_fit, "vendor" if chain.by_vendor else "local", "none")
    columns: dict[str, object] = {
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
        "n_used": chain.counts(quotes["used_in_smile"].to_numpy(dtype=bool)),
        "forward": forward,
        "forward_error": forward_error,
        "forward_error_bp": forward_error / forward * 1e4,
        "atm_vol": _at_the_money(smiles, chain),
    }
    for index, name in enumerate(labels):
        columns[f"vol_{name}"] = fits.vol[index]
    columns["rmse"] = fits.rmse[0]
    columns["rmse_half_spreads"] = fits.rmse_half_spreads[0]
    for index, name in enumerate(labels):
        columns[f"n_{name}"] = fits.n_points[index]
    columns["method"] = pd.array(method, dtype="str")
    for index, name in enumerate(labels):
        words = [" ".join(str(item.code) for item in failed) or _PASSED for failed in failures[index]]
        columns[f"gates_{name}"] = pd.array(words, dtype="str")
    table = pd.DataFrame(columns)
    return table[table["expiry"].notna()].reset_index(drop=True)


def _at_the_money(smiles: Smiles, chain: Chain) -> FloatArray:
    """Vol of the middle fit at K = F, where delta = N(vol sqrt(T)/2)."""
    vol: FloatArray = smiles.fits.vol[_MIDDLE]
    for _ in range(20):  # delta moves by a few thousandths of a vol's move: settled after three rounds
        vol = smiles.fits.at(_MIDDLE, ndtr(vol * np.sqrt(chain.years) / 2))
    return vol
