"""The forward at which a vendor's call and put vols agree.

A vendor turns quotes into vols at a forward of its own. Where that is too low, calls come out too high and
puts too low at every strike, and a 25-delta call vol is off by 0.016 points for each basis point. The prices
can be had back: Black's formula at the vendor's forward and vol. From call and put prices near the money
put-call parity gives ``F = K + C - P`` (undiscounted), and the vols of the same prices at that forward are
those that quotes would have given. No rate and no spot enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from volskew.pricing import black
from volskew.quotes.lines import BoolArray, FloatArray, IntArray, numeric
from volskew.surface.chain import Chain, runs
from volskew.surface.pairs import capped_weights, paired_rows
from volskew.surface.robust import weighted_median

__all__ = ["NO_PARITY", "VENDOR_FORWARD", "VendorParity", "vendor_errors", "vendor_parity"]

VENDOR_FORWARD = "VENDOR_FORWARD"
"""Flag: the vendor's own forward is more than ten basis points from that of call-put parity."""
NO_PARITY = "NO_PARITY"
"""Flag: too few pairs of call and put vols for a forward, so the vendor's forward was kept."""

_FLAGGED = 10e-4
_FEWEST_PAIRS = 3
_NEAR_PAIRS = 12
_WIDTH = 0.5
"""[standard deviations] Pairs farther from the forward hold an in-the-money leg that says little."""
_FARTHEST = 0.03
"""A vendor is not believed to be farther off than this; then the vols of a leg are wrong."""
_TRADED_ERROR, _UNTRADED_ERROR = 0.0025, 0.0075
"""[vol] Stand-ins for half-spreads where a vendor gives none: a line without volume weighs a ninth."""


@dataclass(frozen=True, slots=True)
class VendorParity:
    """By slice the forward [$], the pairs that gave it, and flags; and which lines served."""

    forward: FloatArray
    n_pairs: FloatArray
    has_parity: BoolArray
    flags: list[str]
    used: BoolArray


def vendor_errors(labelled: pd.DataFrame) -> FloatArray:
    """[vol] What a vendor's vol of each line may be wrong: more where it was not traded."""
    return np.where(numeric(labelled, "volume") > 0, _TRADED_ERROR, _UNTRADED_ERROR)


def vendor_parity(labelled: pd.DataFrame, chain: Chain, vendor_forward: FloatArray) -> VendorParity:
    """Parity forwards of a chain that has a vendor's vols only.

    Parameters
    ----------
    labelled : pandas.DataFrame
        Labelled quotes of one snapshot.
    chain : Chain
        Made of the same table.
    vendor_forward : ndarray of float, per slice
        [$] The forward that the vendor's vols belong to; NaN where unknown.

    Returns
    -------
    VendorParity
        The weighted median of ``K + C - P`` over the twelve pairs nearest the money and within half a
        standard deviation of it, each weighted by what its vols may be wrong. Slices with fewer than three
        pairs, or whose pairs are farther than 3 % off, keep the vendor's forward and are flagged NO_PARITY.
    """
    lines, n = chain.lines, chain.lines.n_slices
    vol, error = numeric(labelled, "vendor_vol"), vendor_errors(labelled)
    forward, n_pairs = vendor_forward.copy(), np.zeros(n)
    used = np.zeros(len(labelled), dtype=bool)
    put, call = _pairs(chain, vol)
    years = chain.years[lines.slice_id[call]]
    base, strike = vendor_forward[lines.slice_id[call]], lines.strike[call]
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(np.log(strike / base))
        near = distance <= _WIDTH * (vol[call] + vol[put]) / 2 * np.sqrt(years)
    put, call = put[near], call[near]
    years, base, strike, distance = years[near], base[near], strike[near], distance[near]
    market: dict[str, Any] = {"forward": base, "strike": strike, "time_to_expiry": years}
    implied = (
        strike
        + black.price(**market, vol=vol[call], is_call=True)
        - black.price(**market, vol=vol[put], is_call=False)
    )
    half = np.hypot(error[call], error[put]) * black.vega(**market, vol=(vol[call] + vol[put]) / 2)
    for number, here in runs(lines.slice_id[call]):
        nearest = here.start + np.argsort(distance[here], kind="stable")[:_NEAR_PAIRS]
        value = weighted_median(implied[nearest], capped_weights(half[nearest]))
        if len(nearest) >= _FEWEST_PAIRS and abs(value / vendor_forward[number] - 1) <= _FARTHEST:
            forward[number], n_pairs[number] = value, len(nearest)
            used[call[nearest]] = used[put[nearest]] = True
    with np.errstate(invalid="ignore"):
        off = np.abs(forward / vendor_forward - 1) > _FLAGGED
    known = np.isfinite(vendor_forward)
    has_parity = n_pairs > 0
    flags = [
        "" if not there else NO_PARITY if not paired else VENDOR_FORWARD if far else ""
        for there, paired, far in zip(known, has_parity, off, strict=True)
    ]
    return VendorParity(forward=forward, n_pairs=n_pairs, has_parity=has_parity, flags=flags, used=used)


def _pairs(chain: Chain, vol: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows of put and call of every strike where both are accepted and have a vol, by slice."""
    lines = chain.lines
    return paired_rows(chain.accepted & lines.has_right & (vol > 0) & (lines.strike > 0), lines)
