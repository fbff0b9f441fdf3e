"""Forwards where a chain has a vendor's vols and no quotes.

Last trades are of another moment than the close, so parity of lasts can be a per cent off on a day that
moved. The vendor's own deltas of calls that traded are not: inverted with the vendor's vol, ``F = K
exp(N^-1(delta) s - s^2/2)`` with ``s = vol sqrt(T)``, they give the forward that the vendor worked with,
which is the one that belongs to its vols. Deltas have two decimals, so an expiry's median is good to a
few basis points; one carry rate over all expiries is better, and reaches expiries without trades.

A vendor's forward may be off, and then its call and put vols of one strike differ: 36 basis points have been
seen, worth half a vol point at a 25-delta call. `volskew.surface.vendor_parity` mends that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from volskew.quotes.lines import BoolArray, FloatArray, IntArray, numeric
from volskew.surface.chain import Chain
from volskew.surface.pairs import paired_rows
from volskew.surface.robust import theil_sen_slope, weighted_median

__all__ = ["VendorForwards", "vendor_forwards"]

_DELTAS = (0.10, 0.55)
"""Calls out of the money and a little in: beyond, two decimals say too little or exercise matters."""
_SHORTEST, _LONGEST = 5 / 365, 420 / 365
_FEWEST_LINES = 3
_FEWEST_SLICES = 3
_LARGEST_CARRY = 0.25


@dataclass(frozen=True, slots=True)
class VendorForwards:
    """Forwards by slice [$], how many of the slice's own lines served, how they were made, the lines used."""

    forward: FloatArray
    n_lines: IntArray
    method: list[str]
    used: BoolArray


def vendor_forwards(labelled: pd.DataFrame, chain: Chain) -> VendorForwards:
    """Forwards of a chain without quotes; the first of three ways that has the data for it.

    1. ``vendor-delta``: the vendor's deltas of traded calls, inverted.
    2. ``parity-last``: parity of last trades, both legs traded in the session.
    3. ``spot-carry``: the file's spot at the discount curve's rate, no dividends.

    The first two give one forward an expiry; through their logarithms goes a robust line over time, from the
    spot where it is known and free where it is not. Without any of these the forwards are NaN.
    """
    for method, find in (("vendor-delta", _from_deltas), ("parity-last", _from_lasts)):
        rows, values, weights = find(labelled, chain)
        line = _carry(chain, rows, values, weights)
        if line is not None:
            level, rate, serving = line
            used = np.zeros(len(labelled), dtype=bool)
            used[rows[serving]] = True
            return VendorForwards(
                forward=np.exp(level + rate * chain.years),
                n_lines=np.bincount(chain.lines.slice_id[rows[serving]], minlength=chain.lines.n_slices),
                method=[method] * chain.lines.n_slices,
                used=used,
            )
    return VendorForwards(
        forward=chain.spot / chain.lines.slice_discount,
        n_lines=np.zeros(chain.lines.n_slices, dtype=np.intp),
        method=["spot-carry"] * chain.lines.n_slices,
        used=np.zeros(len(labelled), dtype=bool),
    )


def _from_deltas(labelled: pd.DataFrame, chain: Chain) -> tuple[IntArray, FloatArray, FloatArray]:
    """Rows of the lines that serve, the forward each implies, and their weights."""
    lines = chain.lines
    delta, vol = numeric(labelled, "vendor_delta"), numeric(labelled, "vendor_vol")
    traded = numeric(labelled, "volume") > 0
    low, high = _DELTAS
    rows = np.flatnonzero(
        chain.accepted & lines.is_call & traded & (vol > 0) & (delta >= low) & (delta <= high)
    )
    s = vol[rows] * np.sqrt(chain.years[lines.slice_id[rows]])
    z = ndtri(delta[rows])
    # the rounding of delta moves ln F by s / n(z)
    return rows, lines.strike[rows] * np.exp(z * s - s * s / 2), np.exp(-z * z) / (s * s)


def _from_lasts(labelled: pd.DataFrame, chain: Chain) -> tuple[IntArray, FloatArray, FloatArray]:
    lines = chain.lines
    last, volume = numeric(labelled, "last"), numeric(labelled, "volume")
    put, call = paired_rows(chain.accepted & (volume > 0) & (last > 0), lines)
    value = lines.strike[call] + (last[call] - last[put]) / lines.slice_discount[lines.slice_id[call]]
    # far in the money a last trade is old: weight by nearness as well as by volume
    nearness = np.minimum(last[call], last[put]) / np.maximum(last[call], last[put])
    return call, value, nearness**2 * np.sqrt(np.minimum(volume[call], volume[put]))


def _carry(
    chain: Chain, rows: IntArray, values: FloatArray, weights: FloatArray
) -> tuple[float, float, IntArray] | None:
    """``ln F(T) = level + rate T`` through the slices' medians, and which of `rows` served."""
    slice_id = chain.lines.slice_id[rows]
    times, logs, weight, serving = [], [], [], []
    for number in np.unique(slice_id):
        mine = np.flatnonzero(slice_id == number)
        years = float(chain.years[number])
        if len(mine) < _FEWEST_LINES or not _SHORTEST <= years <= _LONGEST:
            continue
        times.append(years)
        logs.append(np.log(weighted_median(values[mine], weights[mine])))
        weight.append(np.sqrt(weights[mine].sum()))
        serving.append(mine)
    if not times:
        return None
    t, y, w = np.array(times), np.array(logs), np.array(weight)
    if np.isfinite(chain.spot):
        level = float(np.log(chain.spot))
        rate = weighted_median((y - level) / t, w * t)
    elif len(t) >= _FEWEST_SLICES:
        rate = theil_sen_slope(t, y, w)
        level = weighted_median(y - rate * t, w)
    else:
        return None
    return (level, rate, np.concatenate(serving)) if abs(rate) <= _LARGEST_CARRY else None
