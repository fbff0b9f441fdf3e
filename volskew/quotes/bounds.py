"""What put-call parity says before any vol is solved: forwards, the spot, floors, ceilings, broken pairs.

The file's underlying price is a label: it may be an after-hours print, or of another minute than the
quotes. So it is believed only as far as the options themselves confirm it. Each slice's forward is the
median of ``K + (C - P) / D`` over its pairs nearest the money; the median of ``D F`` over the nearest
expiries is an implied spot, low by the dividends paid until then, which is simultaneous with the quotes.
Bounds are then taken at the worse end of what spot, forward and rate may be, so that a line called wrong
is wrong whatever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from volskew.quotes.lines import SLACK, BoolArray, FloatArray, IntArray, Lines

__all__ = ["Parity", "above_ceiling", "below_floor", "breaks_parity", "read_parity"]

_NEAR_PAIRS: Final = 7
_MIN_PAIRS: Final = 3
_NEAR_SLICES: Final = 3
_SPOT_TOLERANCE: Final = 0.005
_DIVIDEND_MARGIN: Final = 0.03
"""[1 / year] Dividends and early exercise that may stand between D F and the spot, as a share of the spot."""


@dataclass(frozen=True, slots=True)
class Parity:
    """What the pairs of a chain say of forward and spot; NaN where there are too few pairs.

    Attributes
    ----------
    calls, puts : ndarray of int
        Positions of the two legs of every pair of accepted two-sided lines.
    forward : ndarray of float, per slice
        [$] Median over the seven pairs of smallest abs(C - P), at least three. American exercise is not
        removed here, which leaves it about 10 basis points low at three months; bounds allow for that.
    forward_low, forward_high : ndarray of float, per slice
        [$] The same with the pair sold at the bid and bought at the ask.
    forward_error : ndarray of float, per slice
        [$] 1.25 MAD / sqrt(n).
    spot_low, spot_high : float
        [$] What the spot can be. Where the file's spot agrees with the implied one within 0.5 % (plus 3 % a
        year until the expiries used, for dividends, and what the rate may be wrong) both lie in between;
        otherwise it is not simultaneous and the implied spot stands alone, with that margin on both sides.
    is_synchronous : bool
        Whether the file's spot agrees.
    """

    calls: IntArray
    puts: IntArray
    forward: FloatArray
    forward_low: FloatArray
    forward_high: FloatArray
    forward_error: FloatArray
    spot_low: float
    spot_high: float
    is_synchronous: bool


def read_parity(lines: Lines, accepted: BoolArray) -> Parity:
    """Pairs, forwards and the range of the spot from the accepted two-sided lines."""
    calls, puts = _pairs(lines, accepted)
    group = lines.slice_id[calls]
    discount = lines.slice_discount[group]
    mid = (lines.bid + lines.ask) / 2
    near = _nearest(np.abs(mid[calls] - mid[puts]), group)
    near_group = group[near]
    call, put, strike, unit = calls[near], puts[near], lines.strike[calls[near]], discount[near]
    implied = strike + (mid[call] - mid[put]) / unit
    count = np.bincount(near_group, minlength=lines.n_slices)
    enough = count >= _MIN_PAIRS

    def median(values: FloatArray) -> FloatArray:
        return np.where(enough, _medians(values, near_group, lines.n_slices), np.nan)

    forward = median(implied)
    forward_low = median(strike + (lines.bid[call] - lines.ask[put]) / unit)
    forward_high = median(strike + (lines.ask[call] - lines.bid[put]) / unit)
    low, high, is_synchronous = _spot_range(lines, forward, forward_low, forward_high)
    return Parity(
        calls=calls,
        puts=puts,
        forward=forward,
        forward_low=forward_low,
        forward_high=forward_high,
        forward_error=1.25 * median(np.abs(implied - forward[near_group])) / np.sqrt(np.maximum(count, 1)),
        spot_low=low,
        spot_high=high,
        is_synchronous=is_synchronous,
    )


def below_floor(lines: Lines, parity: Parity) -> BoolArray:
    """Lines whose ask lies below the least the option can be worth (BOUND_LO).

    ``max(0, S - K, D (F - K))`` for an American call, ``max(0, K - S)`` for an American put (its forward
    term is the smaller one but for dividends beyond the interest, and the forward is not known well enough
    before early exercise is removed), and the discounted forward terms alone for European lines. A term
    that cannot be known, for want of pairs, is left out.
    """
    group = lines.slice_id
    european = lines.slice_european[group]
    discount = lines.slice_discount_low[group]
    call_floor = discount * (parity.forward_low[group] - lines.strike)
    call_floor = np.where(european, call_floor, np.fmax(call_floor, parity.spot_low - lines.strike))
    put_floor = np.where(
        european, discount * (lines.strike - parity.forward_high[group]), lines.strike - parity.spot_high
    )
    floor = np.fmax(np.where(lines.is_call, call_floor, put_floor), 0.0)
    return np.asarray(lines.ask < floor - SLACK, dtype=np.bool_)


def above_ceiling(lines: Lines, parity: Parity) -> BoolArray:
    """Lines whose bid lies above the most the option can be worth (BOUND_HI).

    The spot for a call; the strike for a put, discounted where exercise is European.
    """
    group = lines.slice_id
    unit = np.where(lines.slice_european, lines.slice_discount_high, 1.0)[group]
    ceiling = np.where(lines.is_call, parity.spot_high, unit * lines.strike)
    return np.asarray(lines.bid > ceiling + SLACK, dtype=np.bool_)


def breaks_parity(lines: Lines, parity: Parity) -> BoolArray:
    """Both legs of the pairs that break put-call parity by more than their half-spreads together.

    American: ``S - PV(dividends) - K <= C - P <= S - K D``. The lower end is ``D F - K``: the options' own
    forward holds the dividends, which are not known at this stage, and being low where early exercise
    matters it errs on the side of keeping the pair. In the upper end S is not below D F, which it could only
    be if the rate were wrong, and then every pair of the slice would be called broken. European:
    ``C - P = D (F - K)``, within the forward's own error and what the rate may be wrong.
    """
    calls, puts = parity.calls, parity.puts
    group, strike = lines.slice_id[calls], lines.strike[calls]
    gap = (lines.bid[calls] + lines.ask[calls] - lines.bid[puts] - lines.ask[puts]) / 2
    allowed = (lines.ask[calls] - lines.bid[calls] + lines.ask[puts] - lines.bid[puts]) / 2 + SLACK

    discount, forward = lines.slice_discount[group], parity.forward[group]
    discount_low, discount_high = lines.slice_discount_low[group], lines.slice_discount_high[group]
    doubt = discount * parity.forward_error[group]
    doubt = doubt + (discount_high - discount_low) / 2 * np.abs(forward - strike)
    european = np.abs(gap - discount * (forward - strike)) > allowed + doubt
    spot_high = np.fmax(parity.spot_high, discount_high * parity.forward_high[group])
    american = (gap < discount_low * parity.forward_low[group] - strike - allowed) | (
        gap > spot_high - strike * discount_low + allowed
    )
    broken = np.where(lines.slice_european[group], european, american)
    result = np.zeros(len(lines.strike), dtype=bool)
    result[calls[broken]] = result[puts[broken]] = True
    return result


def _pairs(lines: Lines, accepted: BoolArray) -> tuple[IntArray, IntArray]:
    order = lines.ordered(accepted)
    first, second = order[:-1], order[1:]
    matched = (
        (lines.slice_id[first] == lines.slice_id[second])
        & (lines.strike[first] == lines.strike[second])
        & (lines.is_call[first] != lines.is_call[second])
    )
    return second[matched], first[matched]


def _nearest(distance: FloatArray, group: IntArray) -> IntArray:
    """Positions of the pairs of smallest distance in each group."""
    order = np.lexsort((distance, group))
    sorted_group = group[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_group, sorted_group, side="left")
    return order[rank < _NEAR_PAIRS]


def _medians(values: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """Median of the values of each group, NaN for an empty one."""
    ordered = values[np.lexsort((values, group))]
    count = np.bincount(group, minlength=n_groups)
    start = np.concatenate(([0], np.cumsum(count)))[:-1]
    result = np.full(n_groups, np.nan)
    some = count > 0
    lower = start[some] + (count[some] - 1) // 2
    upper = start[some] + count[some] // 2
    result[some] = (ordered[lower] + ordered[upper]) / 2
    return result


def _spot_range(
    lines: Lines, forward: FloatArray, forward_low: FloatArray, forward_high: FloatArray
) -> tuple[float, float, bool]:
    known = np.flatnonzero(np.isfinite(forward))
    if not len(known):
        return float("nan"), float("nan"), False
    near = known[np.argsort(lines.slice_years[known], kind="stable")[:_NEAR_SLICES]]
    discount, discount_high = lines.slice_discount[near], lines.slice_discount_high[near]
    years = float(lines.slice_years[near].max())
    margin = _SPOT_TOLERANCE + _DIVIDEND_MARGIN * years + float(np.log(discount_high / discount).max())
    implied = float(np.median(discount * forward[near]))
    if abs(lines.spot / implied - 1) <= margin:
        low = float(np.median(lines.slice_discount_low[near] * forward_low[near]))
        high = float(np.median(discount_high * forward_high[near]))
        return min(lines.spot, low), max(lines.spot, high), True
    return implied * (1 - margin), implied * (1 + margin), False
