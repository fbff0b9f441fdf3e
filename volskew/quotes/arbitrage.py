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
    accused = _in_verticals(x, low, high, unit, starts)
    dropped = np.zeros(len(order), dtype=bool)
    for start, stop in _sides_of(accused, starts):
        side = slice(start, stop)
        pairs = _VerticalPairs(x[side], low[side], high[side], unit[start], accused[side])
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
    hull = _hull_of_asks(x, high, starts)
    dropped = np.zeros(len(order), dtype=bool)
    for start, stop in _sides_of(low > hull + SLACK, starts):
        side = slice(start, stop)
        # without the slack: rounding must not keep a middle out
        triples = _ButterflyTriples(x[side], low[side], high[side], low[side] > hull[side])
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


def _sides_of(mask: BoolArray, starts: IntArray) -> list[tuple[int, int]]:
    """Where the sides begin and end that hold a line of the mask."""
    numbers = np.unique(np.searchsorted(starts, np.flatnonzero(mask), side="right")) - 1
    return list(zip(starts[numbers].tolist(), starts[numbers + 1].tolist(), strict=True))


def _in_input_order(dropped: BoolArray, order: IntArray) -> BoolArray:
    result = np.empty_like(dropped)
    result[order] = dropped
    return result


def _in_verticals(
    x: FloatArray, bid: FloatArray, ask: FloatArray, width: FloatArray, starts: IntArray
) -> BoolArray:
    """Lines that are a leg of some pair in violation."""
    n_lines = np.diff(starts)
    place = np.arange(n_lines.max(initial=0)) < n_lines[:, None]

    def table(values: FloatArray, filler: float) -> FloatArray:
        """A row for each side, filled up and with a column at either end that is in no violation."""
        rows = np.full(place.shape, filler)
        rows[place] = values
        return np.pad(rows, ((0, 0), (1, 1)), constant_values=filler)

    low, high = table(bid, -np.inf), table(ask, np.inf)
    lifted_low, lifted_high = table(bid + width * x, -np.inf), table(ask + width * x, np.inf)
    cheapest_before = np.minimum.accumulate(high, axis=1)[:, :-2] + SLACK
    dearest_after = np.maximum.accumulate(low[:, ::-1], axis=1)[:, ::-1][:, 2:]
    cheapest_after = np.minimum.accumulate(lifted_high[:, ::-1], axis=1)[:, ::-1][:, 2:] + SLACK
    dearest_before = np.maximum.accumulate(lifted_low, axis=1)[:, :-2]
    low, high, lifted_low, lifted_high = (item[:, 1:-1] for item in (low, high, lifted_low, lifted_high))
    not_falling = (low > cheapest_before) | (dearest_after > high + SLACK)
    too_steep = (lifted_low > cheapest_after) | (dearest_before > lifted_high + SLACK)
    return np.asarray((not_falling | too_steep)[place], dtype=np.bool_)


def _hull_of_asks(x: FloatArray, ask: FloatArray, starts: IntArray) -> FloatArray:
    """Lower convex hull of the points (x, ask) of each side, evaluated at every x.

    Points on or above the chord between their neighbours are no corners of the hull, so all of them may
    go at once; when none is left the chain is convex. Infinite nowhere: ends are always corners.
    """
    here = np.arange(len(x))
    is_corner = np.ones(len(x), dtype=bool)
    is_end = np.zeros(len(x), dtype=bool)
    is_end[starts[:-1]] = is_end[starts[1:] - 1] = True
    corners, cx, cy, fixed = here, x, ask, is_end
    while len(corners):
        dx, dy = np.diff(cx), np.diff(cy)
        goes = dy[:-1] * (cx[2:] - cx[:-2]) >= (cy[2:] - cy[:-2]) * dx[:-1]
        goes &= ~fixed[1:-1]
        if not goes.any():
            break
        is_corner[corners[1:-1][goes]] = False
        corners = np.flatnonzero(is_corner)
        cx, cy, fixed = x[corners], ask[corners], is_end[corners]
    place = np.cumsum(is_corner) - 1
    left = corners[place]
    right = corners[np.minimum(place + 1, max(len(corners) - 1, 0))]
    between = left != here
    run = np.where(between, x[right] - x[left], 1.0)
    share = np.where(between, (x - x[left]) / run, 0.0)
    return np.asarray((1 - share) * ask[left] + share * ask[right], dtype=np.float64)


class _Violations(Protocol):
    """The violations among the lines of one side that are still there."""

    lines: IntArray
    """Those that may take part in a violation, ascending."""
    counts: IntArray
    """How many violations each of them takes part in."""

    def remove(self, place: int) -> None:
        """Take the line at a place of `lines` away, and its violations with it."""


class _VerticalPairs:
    """Pairs of lines whose vertical spread is a sure gain; `accused` are the lines that may be in one."""

    def __init__(
        self, x: FloatArray, bid: FloatArray, ask: FloatArray, width: float, accused: BoolArray
    ) -> None:
        self.lines = np.flatnonzero(accused)
        x, bid, ask = x[accused], bid[accused], ask[accused]
        lower_first = x[:, None] < x[None, :]
        not_falling = bid[None, :] > ask[:, None] + SLACK
        too_steep = (bid + width * x)[:, None] > (ask + width * x)[None, :] + SLACK
        violation = lower_first & (not_falling | too_steep)
        self._violation = violation | violation.T
        self.counts = self._violation.sum(axis=1)

    def remove(self, place: int) -> None:
        self.counts -= self._violation[place]
        self.counts[place] = 0
        self._violation[place, :] = False
        self._violation[:, place] = False


class _ButterflyTriples:
    """Triples of lines whose butterfly is a sure gain; `accused` are the lines that may be the middle of one.

    With a row for each of these: ``below[j, i]`` for i < j is the slope from the ask of i up to the bid of j,
    ``above[j, k]`` for k > j the slope from the bid of j to the ask of k. The triple (i, j, k) is a violation
    where the first exceeds the second: the bid then lies above the chord of the asks.
    """

    def __init__(self, x: FloatArray, bid: FloatArray, ask: FloatArray, accused: BoolArray) -> None:
        n = len(x)
        self.lines = np.arange(n)
        self._middles = np.flatnonzero(accused)
        rows = np.arange(len(self._middles))
        run = x[None, :] - x[self._middles, None]
        run[rows, self._middles] = 1.0
        slope = (ask[None, :] - (bid - SLACK)[self._middles, None]) / run
        place = np.arange(n)[None, :] - self._middles[:, None]
        self._below = np.where(place < 0, slope, -np.inf)
        self._above = np.where(place > 0, slope, np.inf)
        self.counts = np.zeros(n, dtype=np.intp)
        for row in np.flatnonzero(self._below.max(axis=1) > self._above.min(axis=1)).tolist():
            self.counts += self._as_middle(row)

    def _as_middle(self, row: int) -> IntArray:
        """Violations with the line of a row in the middle, counted for each line in them."""
        below, above = self._below[row], self._above[row]
        as_left = np.searchsorted(np.sort(above), below, side="left")
        as_right = len(below) - np.searchsorted(np.sort(below), above, side="right")
        counts: IntArray = np.asarray(as_left + as_right, dtype=np.intp)
        counts[self._middles[row]] = as_left.sum()
        return counts

    def remove(self, place: int) -> None:
        own = np.flatnonzero(self._middles == place).tolist()
        for row in own:
            self.counts -= self._as_middle(row)
        as_left = self._above < self._below[:, place][:, None]
        as_right = self._below > self._above[:, place][:, None]
        for pairs in (as_left, as_right):
            self.counts -= pairs.sum(axis=0)
            self.counts[self._middles] -= pairs.sum(axis=1)
            self.counts[place] -= pairs.sum()
        self._below[own, :] = self._below[:, place] = -np.inf
        self._above[own, :] = self._above[:, place] = np.inf


def _drop_worst(
    x: FloatArray, bid: FloatArray, ask: FloatArray, width: float, violations: _Violations
) -> BoolArray:
    """Drop lines one by one, the one in most violations first, until there is no violation.

    Among equals goes the line without which the mids of the others are nearest to free of arbitrage, then
    smoothest, then the wider line, then the one at the larger x (farther out of the money).
    """
    dropped = np.zeros(len(x), dtype=bool)
    mid, wide = (bid + ask) / 2, np.round(ask - bid, 9)
    while most := violations.counts.max(initial=0):
        places = np.flatnonzero(violations.counts == most)
        if len(places) > 1:
            worst = violations.lines[places]
            # rounded, so that float noise does not decide between equals
            falls, roughness = np.round(_misfits(x, mid, np.flatnonzero(~dropped), worst, width), 9)
            places = places[np.lexsort((x[worst], wide[worst], -roughness, -falls))[-1:]]
        dropped[violations.lines[places[0]]] = True
        violations.remove(int(places[0]))
    return dropped


def _misfits(x: FloatArray, mid: FloatArray, kept: IntArray, without: IntArray, width: float) -> FloatArray:
    """How far the mids of the lines kept, less each of `without`, are from free of arbitrage, and how rough.

    The slopes between neighbours ought to rise from -width to 0: the sum of their falls is what they miss,
    the sum of their squared steps is how unevenly they get there.
    """
    others = np.arange(len(kept) - 1)
    left = kept[others + (others >= np.searchsorted(kept, without)[:, None])]
    slopes = np.full((len(without), len(kept)), -width)
    slopes[:, -1] = 0.0
    slopes[:, 1:-1] = np.diff(mid[left]) / np.diff(x[left])
    steps = np.diff(slopes)
    return np.stack([-np.minimum(steps, 0.0).sum(axis=1), np.square(steps).sum(axis=1)])
