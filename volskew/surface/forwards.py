"""Forwards from call-put pairs, expiry by expiry, and the rate that European index options imply.

Put-call parity of European options (undiscounted) is ``(C - P)/D = F - K`` at every strike, so each pair of
mids near the money gives ``F_i = K_i + (C_i - P_i)/D``. The forward is their weighted median, its error that
of a median. American pairs hold early-exercise premiums, the put's above all: about 10 basis points of the
forward at three months and 4 % rates, and more at higher strikes. `volskew.surface.early_exercise` takes them
out. Where that is not wanted (`Settings.pricer`) the trend over strikes is taken out by a robust line through
the pairs, so that the forward is the one at the money and its error holds noise and not the trend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from volskew.ledger import Code
from volskew.market.table import MarketRow
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Settings
from volskew.surface.box import box_rate
from volskew.surface.carry import Spot, present_value, residual_yield
from volskew.surface.chain import Chain
from volskew.surface.early_exercise import are_doubtful, without_early_exercise
from volskew.surface.pair_fit import PairFits, fit_pairs
from volskew.surface.pairs import Pairs, find_pairs
from volskew.surface.pricer import DIVIDENDS, DIVIDENDS_DOUBTED, IGNORED, YIELD, is_american
from volskew.surface.vendor import vendor_forwards
from volskew.surface.vendor_parity import vendor_parity

__all__ = ["Forwards", "box_rate", "find_forwards", "fit_forwards", "forwards_table", "read_forwards"]

PARITY = "parity:median"
"""How forwards of European pairs are called."""
AMERICAN = frozenset({f"parity:{YIELD}", f"parity:{DIVIDENDS}"})
"""Ways in which early exercise is taken out."""
PARITY_OF_VOLS = "vendor-parity"
_VENDOR_PARITY = {"vendor-delta": PARITY_OF_VOLS}
"""How forwards from a vendor's vols are called: those that began at the vendor's own deltas need no rate."""

SPOT_MISMATCH = "SPOT_MISMATCH"
"""Flag of a forward that no carry explains from the file's own spot: one of the two is in another unit."""
SPOT_IMPLIED = "SPOT_IMPLIED"
"""Flag of a forward made with the options' own spot, the file's being missing or of another moment."""
RESIDUAL_YIELD = "RESIDUAL_YIELD"
"""Flag of a forward that leaves a large yield beside the known dividends: these, rate or pairs are off."""
EXERCISE_IGNORED = "EXERCISE_IGNORED"
"""Flag of an American forward that early exercise could not be taken out of: its lines are European too."""
_SPOT_APART = 0.05
"""A stale or after-hours spot is this far off at the most (of the spot)."""
_CARRY_APART = 0.10
"""Rates, dividends and borrow together stay below this [a year]."""
_RESIDUAL, _RESIDUAL_ERRORS = 0.01, 4.0
"""[1/year] A residual yield above this, and above so many of its errors, is flagged."""
_RESIDUAL_SPOT = 5e-4
"""Of the spot: what it may be off and still be believed, which over a few days is a large yield."""


@dataclass(frozen=True, slots=True)
class Forwards:
    """Forwards as arrays: what the stages of a surface hand on.

    Attributes
    ----------
    forward, error, vendor : ndarray of float, per slice
        [$] NaN where there is none.
    n_pairs, rounds : ndarray of int, per slice
        Pairs (or lines) that served; rounds of taking early exercise out.
    method, flags : list of str, per slice
    used : ndarray of bool, per line
    spot : Spot
        Of the moment of the quotes.
    doubted : bool
        The known dividends are not those of this spot and these forwards, and were left aside.
    """

    forward: FloatArray
    error: FloatArray
    vendor: FloatArray
    n_pairs: IntArray
    rounds: IntArray
    method: list[str]
    flags: list[str]
    used: BoolArray
    spot: Spot
    doubted: bool = False

    @property
    def usable(self) -> FloatArray:
        """The forwards that there are, NaN for the others."""
        with np.errstate(invalid="ignore"):
            return np.where(self.forward > 0, self.forward, np.nan)


def fit_forwards(
    labelled: pd.DataFrame, *, market: MarketRow, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The forward of every slice, with its error.

    Parameters
    ----------
    labelled : pandas.DataFrame
        Quotes of one snapshot as `volskew.quotes.clean.label` returns them.
    market : MarketRow
        Discount curve, spot and dividends.
    settings : Settings
        Exercise overrides, pricer and its accuracy.

    Returns
    -------
    forwards : pandas.DataFrame
        One row a slice, sorted by expiry, root and settlement: ``symbol, snapshot_time, root, settlement,
        expiry, time_to_expiry`` [years], ``forward`` [$], ``forward_error`` [$, one standard error],
        ``discount_factor, spot`` [$, of the moment of the quotes], ``implied_yield`` [continuous, decimal:
        all dividends and borrow, by rate, spot and forward], ``dividends`` [$: present value of those known
        before expiry; NaN where nothing is known], ``implied_dividends`` [$: spot less discounted forward],
        ``residual_yield`` [continuous, decimal: what the known dividends leave unexplained], ``n_pairs,
        rounds, method, flags, vendor_forward`` [$].

        Where no forward exists it is NaN and `flags` holds NO_FORWARD. A forward that comes from a vendor's
        vols has no error; `vendor_forward` is the one that these vols belong to (NaN where there are
        quotes), and `flags` says where `forward` differs (VENDOR_FORWARD) or could not be found from them
        (NO_PARITY). Further flags: SPOT_MISMATCH where the forward is more than 5 % and 10 % a year away from
        the spot that the file states; SPOT_IMPLIED where the file's spot is missing or not of the moment of
        the quotes, so that the options' own is used; RESIDUAL_YIELD where known dividends leave more than 1 %
        a year unexplained, and more than errors of forward and spot can; DIVIDENDS_DOUBTED where they
        leave more than 1 % of the spot and 2 % a year unexplained, and without them it fits, so that they
        are left aside;
        EXERCISE_IGNORED where American pairs have no vols from which early exercise could be taken out.
    labelled : pandas.DataFrame
        A copy with `used_in_forward` set.

    Notes
    -----
    Pairs: both legs accepted, two-sided and without flag PARITY. The twelve nearest the money serve, weighted
    by ``1/(h_C^2 + h_P^2)`` (half-spreads, capped at five times the median weight). The error is
    ``1.2533 * sqrt((1.4826 MAD)^2 n/(n - p) + tick^2/12) / sqrt(n_eff)`` with ``p`` = 1, or 2 where a trend
    was taken out; with fewer than four pairs it is not below what their half-spreads give. Of American slices
    it is ``1/(1 - ratio)`` times that (see `volskew.surface.early_exercise`).
    """
    chain = Chain.of(labelled, market=market, settings=settings)
    found = find_forwards(labelled, chain, settings=settings)
    return forwards_table(labelled, chain, found), labelled.assign(used_in_forward=found.used)


def find_forwards(
    labelled: pd.DataFrame,
    chain: Chain,
    *,
    settings: Settings,
    before: Forwards | None = None,
    changed: BoolArray | None = None,
) -> Forwards:
    """Forwards of a chain as arrays; see `fit_forwards`.

    Parameters
    ----------
    labelled, chain, settings
        As there.
    before, changed : Forwards and ndarray of bool per slice, optional
        What was found before: only the slices that have changed since are found anew, at the spot as it was.
    """
    if chain.by_vendor:
        return _of_vendor(labelled, chain, settings=settings)
    n = chain.lines.n_slices
    wanted = np.ones(n, dtype=bool) if changed is None else changed
    american = is_american(chain, settings)
    forward, error = np.full(n, np.nan), np.full(n, np.nan)
    n_pairs, rounds = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    used = np.zeros(len(labelled), dtype=bool)
    method = [""] * n
    if before is not None:
        kept = ~wanted
        forward[kept], error[kept] = before.forward[kept], before.error[kept]
        n_pairs[kept], rounds[kept] = before.n_pairs[kept], before.rounds[kept]
        used = before.used & kept[chain.lines.slice_id]
        method = [name if same else "" for name, same in zip(before.method, kept, strict=True)]
    pairs = find_pairs(chain)
    pairs = pairs.take(wanted[pairs.slice_id])
    european = chain.lines.slice_european
    fits = fit_pairs(pairs, discount=chain.lines.slice_discount, tick=chain.tick, has_trend=~european)
    there = fits.n_pairs > 0
    forward[there], error[there], n_pairs[there] = fits.forward[there], fits.error[there], fits.n_pairs[there]
    used |= _legs(pairs, fits, len(labelled))
    for number in np.flatnonzero(there).tolist():
        method[number] = PARITY if european[number] else IGNORED
    spot = before.spot if before is not None else Spot(chain.spot, np.nan, is_implied=False)
    flags = [""] * n
    doubted = american.any() and (are_doubtful(chain, forward) if before is None else before.doubted)
    if doubted:
        chain = replace(chain, dividends=None)
        flags = [DIVIDENDS_DOUBTED if is_one else "" for is_one in american.tolist()]
    if american.any():
        of_american = pairs.take(american[pairs.slice_id])
        cleared = without_early_exercise(
            of_american,
            chain,
            forward=forward,
            error=error,
            spot=None if before is None else spot,
            settings=settings,
        )
        spot = cleared.spot
        fits = cleared.fits
        there = np.isfinite(fits.forward)
        used = np.where(there[chain.lines.slice_id], _legs(of_american, fits, len(labelled)), used)
        forward[there], error[there], n_pairs[there] = (
            fits.forward[there],
            fits.error[there],
            fits.n_pairs[there],
        )
        rounds[there] = cleared.rounds[there]
        for number in np.flatnonzero(there).tolist():
            method[number] = f"parity:{cleared.kinds[number]}"
        for number in np.flatnonzero(american).tolist():
            if method[number] == IGNORED:
                flags[number] = f"{flags[number]} {EXERCISE_IGNORED}".strip()
    return Forwards(
        forward=forward,
        error=error,
        vendor=np.full(n, np.nan),
        n_pairs=n_pairs,
        rounds=rounds,
        method=method,
        flags=flags,
        used=used,
        spot=spot,
        doubted=bool(doubted),
    )


def _legs(pairs: Pairs, fits: PairFits, n_lines: int) -> BoolArray:
    """The lines of the pairs that gave forwards."""
    legs = np.zeros(n_lines, dtype=bool)
    place = fits.near[fits.near >= 0]
    legs[pairs.call[place]] = legs[pairs.put[place]] = True
    return legs


def _of_vendor(labelled: pd.DataFrame, chain: Chain, *, settings: Settings) -> Forwards:
    """Forwards of a chain that has a vendor's vols and no quotes."""
    n = chain.lines.n_slices
    found = vendor_forwards(labelled, chain)
    forward, n_pairs, method, used = found.forward, found.n_lines, found.method, found.used
    flags = [""] * n
    if settings.vendor_forward == "parity":
        parity = vendor_parity(labelled, chain, forward)
        forward, flags = parity.forward, parity.flags
        n_pairs = np.where(parity.has_parity, parity.n_pairs, n_pairs).astype(np.int64)
        method = [
            _VENDOR_PARITY.get(name, f"{name}:{PARITY_OF_VOLS}") if mended else name
            for name, mended in zip(method, parity.has_parity, strict=True)
        ]
        used = used | parity.used
    return Forwards(
        forward=forward,
        error=np.full(n, np.nan),
        vendor=found.forward,
        n_pairs=n_pairs.astype(np.intp),
        rounds=np.zeros(n, dtype=np.intp),
        method=method,
        flags=flags,
        used=used,
        spot=Spot(chain.spot, np.nan, is_implied=False),
    )


def forwards_table(labelled: pd.DataFrame, chain: Chain, found: Forwards) -> pd.DataFrame:
    """The table that `fit_forwards` returns."""
    forward, years, spot = found.usable, chain.years, found.spot.price
    usable = np.isfinite(forward)
    rate, discount = chain.rate, chain.lines.slice_discount
    known = None if found.doubted else chain.dividends
    worth = np.full(len(years), np.nan) if known is None else present_value(known, rate=rate, years=years)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.where(usable & (years > 0), -np.log(discount * forward / spot) / years, np.nan)
        apart = usable & (np.abs(np.log(forward / chain.spot)) > _SPOT_APART + _CARRY_APART * years)
        residual = residual_yield(forward, spot=spot, rate=rate, years=years, dividends=known or ())
        doubt = (_RESIDUAL_ERRORS * found.error / forward + _RESIDUAL_SPOT) / years
        large = np.abs(residual) > np.maximum(_RESIDUAL, doubt)
    large &= np.full(len(years), known is not None)
    american = ~chain.lines.slice_european & ~chain.by_vendor
    marks = (
        (apart, SPOT_MISMATCH),
        (american & found.spot.is_implied, SPOT_IMPLIED),
        (large & american, RESIDUAL_YIELD),
    )
    flags = [
        " ".join([*flag.split(), *(name for mask, name in marks if mask[number])])
        if usable[number]
        else str(Code.NO_FORWARD)
        for number, flag in enumerate(found.flags)
    ]
    table = pd.DataFrame(
        {
            "symbol": str(labelled["symbol"].iloc[0]) if len(labelled) else "",
            "snapshot_time": labelled["snapshot_time"].iloc[0] if len(labelled) else pd.NaT,
            "root": pd.array(chain.roots, dtype="str"),
            "settlement": pd.array(chain.settlements, dtype="str"),
            "expiry": chain.expiries,
            "time_to_expiry": years,
            "forward": forward,
            "forward_error": np.where(usable, found.error, np.nan),
            "discount_factor": discount,
            "spot": spot,
            "implied_yield": implied,
            "dividends": np.where(usable, worth, np.nan),
            "implied_dividends": spot - discount * forward,
            "residual_yield": residual,
            "n_pairs": found.n_pairs,
            "rounds": found.rounds,
            "method": pd.array(found.method, dtype="str"),
            "flags": pd.array(flags, dtype="str"),
            "vendor_forward": found.vendor,
        }
    )
    return table.iloc[np.flatnonzero(chain.expiries.notna())].reset_index(drop=True)


def read_forwards(table: pd.DataFrame, chain: Chain) -> Forwards:
    """What `forwards_table` has written, by slice; NaN and empty for slices that the table lacks."""
    place = chain.places(table)

    def texts(column: str) -> list[str]:
        return list(np.append(table[column].to_numpy(dtype=object), "")[place])

    def numbers(column: str, missing: float = np.nan) -> FloatArray:
        return np.append(table[column].to_numpy(dtype=np.float64), missing)[place]

    flags = texts("flags")
    return Forwards(
        forward=numbers("forward"),
        error=numbers("forward_error"),
        vendor=numbers("vendor_forward"),
        n_pairs=numbers("n_pairs", 0).astype(np.intp),
        rounds=numbers("rounds", 0).astype(np.intp),
        method=texts("method"),
        flags=flags,
        used=np.zeros(len(chain.lines.strike), dtype=bool),
        spot=Spot(
            float(table["spot"].iloc[0]) if len(table) else np.nan,
            np.nan,
            is_implied=any(SPOT_IMPLIED in flag for flag in flags),
        ),
        doubted=any(DIVIDENDS_DOUBTED in flag for flag in flags),
    )
