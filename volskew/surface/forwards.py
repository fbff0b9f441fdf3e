"""Forwards from call-put pairs, expiry by expiry, and the rate that European index options imply.

Put-call parity of European options (undiscounted) is ``(C - P)/D = F - K`` at every strike, so each pair of
mids near the money gives ``F_i = K_i + (C_i - P_i)/D``. The forward is their weighted median, its error that
of a median. For American exercise the same is used as it stands, which leaves the early-exercise premium in:
about 10 basis points of the forward at three months and 4 % rates, too low, and more at higher strikes. That
trend over strikes is taken out by a robust line through the pairs, so that the forward is the one at the
money and its error holds noise and not the trend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from volskew.ledger import Code
from volskew.market.table import MarketRow
from volskew.quotes.lines import IntArray
from volskew.settings import Settings
from volskew.surface.box import box_rate
from volskew.surface.chain import Chain
from volskew.surface.pairs import Pairs, capped_weights, pairs_by_slice
from volskew.surface.robust import (
    MAD_TO_SIGMA,
    MEDIAN_ERROR,
    effective_size,
    theil_sen_slope,
    weighted_median,
)
from volskew.surface.vendor import vendor_forwards
from volskew.surface.vendor_parity import vendor_parity

__all__ = ["box_rate", "fit_forwards"]

_NEAR_PAIRS = 12
"""Pairs nearest the money that give the forward: enough for a median, too near for the trend to bend."""
_TREND_PAIRS = 6
"""Fewer pairs than this have no trend taken out."""
PARITY_OF_VOLS = "vendor-parity"
_VENDOR_PARITY = {"vendor-delta": PARITY_OF_VOLS}
"""How forwards from a vendor's vols are called: those that began at the vendor's own deltas need no rate."""
_FEW_PAIRS = 4
"""Below this the scatter says nothing of the error and the half-spreads are taken."""


SPOT_MISMATCH = "SPOT_MISMATCH"
"""Flag of a forward that no carry explains from the file's own spot: one of the two is in another unit."""
_SPOT_APART = 0.05
"""A stale or after-hours spot is this far off at the most (of the spot)."""
_CARRY_APART = 0.10
"""Rates, dividends and borrow together stay below this [a year]."""


def fit_forwards(
    labelled: pd.DataFrame, *, market: MarketRow, settings: Settings, chain: Chain | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The forward of every slice, with its error.

    Parameters
    ----------
    labelled : pandas.DataFrame
        Quotes of one snapshot as `volskew.quotes.clean.label` returns them.
    market : MarketRow
        Discount curve and spot.
    settings : Settings
        Exercise overrides.
    chain : Chain, optional
        The same table as arrays, where the caller has them already.

    Returns
    -------
    forwards : pandas.DataFrame
        One row a slice, sorted by expiry, root and settlement: ``symbol, snapshot_time, root, settlement,
        expiry, time_to_expiry [years], forward [$], forward_error [$, one standard error], discount_factor,
        implied_yield [continuous, decimal], n_pairs, method, flags, vendor_forward [$]``. Where no forward
        exists it is NaN and `flags` holds NO_FORWARD. A forward that comes from a vendor's vols has no error;
        `vendor_forward` is the one that these vols belong to (NaN where there are quotes), and `flags` says
        where `forward` differs (VENDOR_FORWARD) or could not be found from them (NO_PARITY). SPOT_MISMATCH
        is flagged where the forward is more than 5 % and 10 % a year away from the spot that the file states.
    labelled : pandas.DataFrame
        A copy with `used_in_forward` set.

    Notes
    -----
    Pairs: both legs accepted, two-sided and without flag PARITY. The twelve nearest the money serve, weighted
    by ``1/(h_C^2 + h_P^2)`` (half-spreads, capped at five times the median weight). The error is
    ``1.2533 * sqrt((1.4826 MAD)^2 n/(n - p) + tick^2/12) / sqrt(n_eff)`` with ``p`` = 1, or 2 where a trend
    was taken out; with fewer than four pairs it is not below what their half-spreads give.
    """
    chain = chain or Chain.of(labelled, market=market, settings=settings)
    n = chain.lines.n_slices
    used = np.zeros(len(labelled), dtype=bool)
    vendors, flags = np.full(n, np.nan), [""] * n
    if chain.by_vendor:
        found = vendor_forwards(labelled, chain)
        forward, n_pairs, method, used = found.forward, found.n_lines, found.method, found.used
        error = np.full(n, np.nan)
        vendors = forward
        if settings.vendor_forward == "parity":
            parity = vendor_parity(labelled, chain, forward)
            forward, flags = parity.forward, parity.flags
            n_pairs = np.where(parity.has_parity, parity.n_pairs, n_pairs).astype(np.int64)
            method = [
                _VENDOR_PARITY.get(name, f"{name}:{PARITY_OF_VOLS}") if mended else name
                for name, mended in zip(method, parity.has_parity, strict=True)
            ]
            used = used | parity.used
    else:
        forward, error, n_pairs = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=np.int64)
        for number, pairs in pairs_by_slice(labelled, chain):
            european = bool(chain.lines.slice_european[number])
            discount = float(chain.lines.slice_discount[number])
            fit = _fit(pairs, discount=discount, european=european, tick=float(chain.tick[number]))
            forward[number], error[number], n_pairs[number] = fit.forward, fit.error, len(fit.near)
            used[pairs.call[fit.near]] = used[pairs.put[fit.near]] = True
        method = ["parity:median" if count else "" for count in n_pairs.tolist()]
    usable = np.isfinite(forward) & (forward > 0)
    years = chain.years
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.where(
            usable & (years > 0), -np.log(chain.lines.slice_discount * forward / chain.spot) / years, np.nan
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = usable & (np.abs(np.log(forward / chain.spot)) > _SPOT_APART + _CARRY_APART * years)
    flags = [
        f"{flag} {SPOT_MISMATCH}".strip() if far else flag for flag, far in zip(flags, apart, strict=True)
    ]
    known = np.flatnonzero(chain.expiries.notna())
    table = pd.DataFrame(
        {
            "symbol": str(labelled["symbol"].iloc[0]) if len(labelled) else "",
            "snapshot_time": labelled["snapshot_time"].iloc[0] if len(labelled) else pd.NaT,
            "root": pd.array(chain.roots, dtype="str"),
            "settlement": pd.array(chain.settlements, dtype="str"),
            "expiry": chain.expiries,
            "time_to_expiry": years,
            "forward": np.where(usable, forward, np.nan),
            "forward_error": np.where(usable, error, np.nan),
            "discount_factor": chain.lines.slice_discount,
            "implied_yield": implied,
            "n_pairs": n_pairs,
            "method": pd.array(method, dtype="str"),
            "flags": pd.array(
                [flag if ok else str(Code.NO_FORWARD) for ok, flag in zip(usable, flags, strict=True)],
                dtype="str",
            ),
            "vendor_forward": vendors,
        }
    )
    return table.iloc[known].reset_index(drop=True), labelled.assign(used_in_forward=used)


@dataclass(frozen=True, slots=True)
class _Fit:
    forward: float
    error: float
    near: IntArray


def _fit(pairs: Pairs, *, discount: float, european: bool, tick: float) -> _Fit:
    implied = pairs.strike + pairs.difference / discount
    forward = weighted_median(implied, capped_weights(pairs.half))
    near = np.arange(len(implied))
    for _ in range(2):  # the second look centres on what the first found
        near = np.sort(np.argsort(np.abs(pairs.strike - forward), kind="stable")[:_NEAR_PAIRS])
        strike, values, weights = pairs.strike[near], implied[near], capped_weights(pairs.half[near])
        slope = 0.0
        if not european and len(near) >= _TREND_PAIRS:
            # d F_i / d K of American pairs is of the order of 1 - 1/D: beyond twice that it is noise
            bound = 2 * (1 - 1 / discount)
            slope = float(np.clip(theil_sen_slope(strike, values, weights), min(bound, 0.0), max(bound, 0.0)))
        # F = median of F_i - slope (K_i - F), solved for F
        forward = weighted_median(values - slope * strike, weights) / (1 - slope)
    scatter = weighted_median(np.abs(values - slope * (strike - forward) - forward), weights)
    # median and trend were fitted to the same few values; of four prices in whole ticks, halved, tick^2/12
    freedom = len(near) / max(len(near) - (1 if slope == 0.0 else 2), 1)
    noise = MAD_TO_SIGMA * scatter * np.sqrt(freedom)
    error = MEDIAN_ERROR * np.hypot(noise, tick / np.sqrt(12) / discount) / np.sqrt(effective_size(weights))
    if len(near) < _FEW_PAIRS:
        # a mid is off by about half-spread / sqrt(3), as if uniform between bid and ask
        error = max(error, float(np.median(pairs.half[near])) / discount / np.sqrt(3 * len(near)))
    return _Fit(forward=forward, error=float(error), near=near)
