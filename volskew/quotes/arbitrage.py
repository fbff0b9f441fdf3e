"""Executable static arbitrage between the lines of one slice: vertical spreads and butterflies.

Only trades that can be done are tested, selling at the bid and buying at the ask. Mids break monotonicity
and convexity all the time by penny rounding alone, and prove nothing. Both tests hold for American prices
as well as European ones (Merton 1973): C and P are monotone and convex in the strike at every exercise
style; a call spread is worth at most K2 - K1, discounted where exercise is European.

Puts are read as calls on the strike axis turned round (x = -K), which turns every rule for calls into the
one for puts. Detection is one vectorised pass over the whole chain; only slices with a violation are looked
at line by line, to find the lines to drop: leave one out, the line whose removal clears most violations
first, until none is left.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np

from volskew.quotes.lines import SLACK, BoolArray, FloatArray, IntArray

__all__ = ["butterfly_offenders", "vertical_offenders"]


def vertical_offenders(
    *,
    strike: FloatArray,
    is_call: BoolArray,
    bid: FloatArray,
    ask: FloatArray,
    group: IntArray,
    width: FloatArray,
) -> BoolArray:
    """Lines to drop so that no vertical spread can be put on for a sure gain.

    A pair K1 < K2 of calls is in violation where ``bid(K2) > ask(K1)``, or where
    ``bid(K1) - ask(K2) > width * (K2 - K1)``; puts mirrored.

    Parameters
    ----------
    strike, bid, ask : ndarray of float
        [$] All finite, and no strike twice in one group and right.
    is_call : ndarray of bool
        Call or put.
    group : ndarray of int
        The slice of each line.
    width : ndarray of float
        What a spread of width 1 can be worth at most: 1 for American lines, the discount factor for
        European ones; equal within a group.

    Returns
    -------
    ndarray of bool
        True for the lines to drop, in the order of the input.

    Examples
    --------
    >>> vertical_offenders(
    ...     strike=np.array([90.0, 95.0, 100.0, 105.0]), is_call=np.full(4, True),
    ...     bid=np.array([11.0, 13.0, 3.0, 1.0]), ask=np.array([11.2, 13.2, 3.2, 1.2]),
    ...     group=np.zeros(4, dtype=np.intp), width=np.ones(4))
    array([False,  True, False, False])
    """
    order, x, starts = _sorted_sides(strike, is_call, group)
    low, high, unit = bid[order], ask[order], width[order]
    dropped = np.zeros(len(order), dtype=bool)
    for start, stop in pairwise(starts):
        side = slice(start, stop)
        if _has_vertical(x[side], low[side], high[side], unit[start]):
            pairs = _VerticalPairs(x[side], low[side], high[side], unit[start])
            dropped[side] = _drop_worst(x[side], low[side], high[side], unit[start], pairs)
    return _in_input_order(dropped, order)


def butterfly_offenders(
    *, strike: FloatArray, is_call: BoolArray, bid: FloatArray, ask: FloatArray, group: IntArray
) -> BoolArray:
    """Lines to drop so that no butterfly can be put on for a sure gain.

    Three lines K1 < K2 < K3 are in violation where ``w ask(K1) + (1 - w) ask(K3) < bid(K2)`` with
    ``w = (K3 - K2) / (K3 - K1)``. A line is the middle of some violation exactly where its bid lies above
    the lower convex hull of the asks, which is how violations are found.

    Parameters and return value are those of `vertical_offenders`.

    Examples
    --------
    >>> butterfly_offenders(
    ...     strike=np.array([90.0, 95.0, 100.0, 105.0]), is_call=np.full(4, True),
    ...     bid=np.array([11.0, 9.5, 3.0, 1.0]), ask=np.array([11.2, 9.7, 3.2, 1.2]),
    ...     group=np.zeros(4, dtype=np.intp))
    array([False,  True, False, False])
    """
    order, x, starts = _sorted_sides(strike, is_call, group)
    low, high = bid[order], ask[order]
    side_of = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    above = low > _hull_of_asks(x, high, side_of) + SLACK
    dropped = np.zeros(len(order), dtype=bool)
    for number in np.unique(side_of[above]):
        side = slice(starts[number], starts[number + 1])
        triples = _ButterflyTriples(x[side], low[side], high[side])
        dropped[side] = _drop_worst(x[side], low[side], high[side], 1.0, triples)
    return _in_input_order(dropped, order)


def _sorted_sides(
    strike: FloatArray, is_call: BoolArray, group: IntArray
) -> tuple[IntArray, FloatArray, IntArray]:
    """Order by (group, right, x), the x in that order, and where each (group, right) starts."""
    x = np.where(is_call, strike, -strike)
    side = 2 * group + is_call
    order = np.lexsort((x, side))
    side = side[order]
    starts = np.flatnonzero(np.concatenate(([True], side[1:] != side[:-1]))) if len(side) else side
    return order, x[order], np.append(starts, len(side))


def _in_input_order(dropped: BoolArray, order: IntArray) -> BoolArray:
    result = np.empty_like(dropped)
    result[order] = dropped
    return result


def _has_vertical(x: FloatArray, bid: FloatArray, ask: FloatArray, width: float) -> bool:
    if len(x) < 2:
        return False
    cheapest_before = np.minimum.accumulate(ask)[:-1]
    lifted_ask = ask + width * x
    cheapest_after = np.minimum.accumulate(lifted_ask[::-1])[::-1][1:]
    return bool(
        (bid[1:] > cheapest_before + SLACK).any()
        or (bid[:-1] + width * x[:-1] > cheapest_after + SLACK).any()
    )


def _hull_of_asks(x: FloatArray, ask: FloatArray, side: IntArray) -> FloatArray:
    """Lower convex hull of the points (x, ask) of each side, evaluated at every x.

    Points on or above the chord between their neighbours are no corners of the hull, so all of them may
    go at once; when none is left the chain is convex. Infinite nowhere: ends are always corners.
    """
    corners = np.arange(len(x))
    while len(corners) > 2:
        left, middle, right = corners[:-2], corners[1:-1], corners[2:]
        inside = side[left] == side[right]
        rise = (ask[middle] - ask[left]) * (x[right] - x[left])
        chord = (ask[right] - ask[left]) * (x[middle] - x[left])
        goes = inside & (rise >= chord)
        if not goes.any():
            break
        corners = np.delete(corners, np.flatnonzero(goes) + 1)
    here = np.arange(len(x))
    place = np.searchsorted(corners, here, side="right") - 1
    left = corners[place]
    right = corners[np.minimum(place + 1, max(len(corners) - 1, 0))]
    between = left != here
    run = np.where(between, x[right] - x[left], 1.0)
    share = np.where(between, (x - x[left]) / run, 0.0)
    return np.asarray((1 - share) * ask[left] + share * ask[right], dtype=np.float64)


class _Violations(Protocol):
    """The violations among the lines of one side that are still there."""

    counts: IntArray
    """How many violations each line takes part in."""

    def remove(self, line: int) -> None:
        """Take a line away, and its violations with it."""


class _VerticalPairs:
    """Pairs of lines whose vertical spread is a sure gain."""

    def __init__(self, x: FloatArray, bid: FloatArray, ask: FloatArray, width: float) -> None:
        lower_first = x[:, None] < x[None, :]
        not_falling = bid[None, :] > ask[:, None] + SLACK
        too_steep = (bid + width * x)[:, None] > (ask + width * x)[None, :] + SLACK
        violation = lower_first & (not_falling | too_steep)
        self._violation = violation | violation.T
        self.counts = self._violation.sum(axis=1)

    def remove(self, line: int) -> None:
        self.counts = self.counts - self._violation[line]
        self.counts[line] = 0
        self._violation[line, :] = False
        self._violation[:, line] = False


class _ButterflyTriples:
    """Triples of lines whose butterfly is a sure gain.

    ``below[j, i]`` for i < j is the slope from the ask of i up to the bid of j, ``above[j, k]`` for k > j
    the slope from the bid of j to the ask of k. The triple (i, j, k) is a violation where the first
    exceeds the second: the bid then lies above the chord of the asks.
    """

    def __init__(self, x: FloatArray, bid: FloatArray, ask: FloatArray) -> None:
        n = len(x)
        run = x[None, :] - x[:, None]
        np.fill_diagonal(run, 1.0)
        slope = (ask[None, :] - (bid - SLACK)[:, None]) / run
        after = np.arange(n)[None, :] > np.arange(n)[:, None]
        before = after.T
        self._below = np.where(before, slope, -np.inf)
        self._above = np.where(after, slope, np.inf)
        self.counts = np.zeros(n, dtype=np.intp)
        for middle in np.flatnonzero(self._below.max(axis=1) > self._above.min(axis=1)):
            self.counts += self._as_middle(int(middle))

    def _as_middle(self, line: int) -> IntArray:
        """Violations with `line` in the middle, counted for each line in them."""
        below, above = self._below[line], self._above[line]
        as_left = np.searchsorted(np.sort(above), below, side="left")
        as_right = len(below) - np.searchsorted(np.sort(below), above, side="right")
        counts: IntArray = np.asarray(as_left + as_right, dtype=np.intp)
        counts[line] = as_left.sum()
        return counts

    def remove(self, line: int) -> None:
        gone = self._as_middle(line)
        as_left = self._above < self._below[:, line][:, None]
        as_right = self._below > self._above[:, line][:, None]
        for pairs in (as_left, as_right):
            gone = gone + pairs.sum(axis=0) + pairs.sum(axis=1)
            gone[line] += pairs.sum()
        self.counts = self.counts - gone
        self._below[line, :] = self._below[:, line] = -np.inf
        self._above[line, :] = self._above[:, line] = np.inf


def _drop_worst(
    x: FloatArray, bid: FloatArray, ask: FloatArray, width: float, violations: _Violations
) -> BoolArray:
    """Drop lines one by one, the one in most violations first, until there is no violation.

    Among equals goes the line without which the mids of the others are nearest to free of arbitrage, then
    smoothest, then the wider line, then the one at the larger x (farther out of the money).
    """
    dropped = np.zeros(len(x), dtype=bool)
    mid = (bid + ask) / 2
    while violations.counts.any():
        worst = np.flatnonzero(violations.counts == violations.counts.max())
        if len(worst) > 1:
            kept = np.flatnonzero(~dropped)
            left = np.array([_misfit(x, mid, kept[kept != line], width) for line in worst])
            # rounded, so that float noise does not decide between equals
            falls, roughness = np.round(left, 9).T
            keys = (x[worst], np.round(ask - bid, 9)[worst], -roughness, -falls)
            worst = worst[np.lexsort(keys)[-1:]]
        dropped[worst[0]] = True
        violations.remove(int(worst[0]))
    return dropped


def _misfit(x: FloatArray, mid: FloatArray, kept: IntArray, width: float) -> tuple[float, float]:
    """How far the mids of the lines kept are from free of arbitrage, and how rough they are.

    The slopes between neighbours ought to rise from -width to 0: the sum of their falls is what they miss,
    the sum of their squared steps is how unevenly they get there.
    """
    slopes = np.diff(mid[kept]) / np.diff(x[kept])
    steps = np.diff(np.concatenate(([-width], slopes, [0.0])))
    return float(-np.minimum(steps, 0.0).sum()), float(np.square(steps).sum())
