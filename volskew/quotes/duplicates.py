"""Which of several lines of one contract is kept.

Lines of one contract that say the same are collapsed into one. Of lines that differ the latest is kept;
where no time tells them apart, none is kept if their mids are farther apart than both half-spreads (one of
them is wrong, and nobody can say which), else the narrower. Of more than two lines each is compared with the
narrowest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volskew.quotes.lines import SLACK, BoolArray, FloatArray, IntArray

__all__ = ["Duplicates", "find_duplicates", "shared_contracts"]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The verdict on every line: it loses to another, or others were collapsed into it."""

    loses: BoolArray
    collapsed_into: BoolArray


def find_duplicates(
    *,
    group: IntArray,
    strike: FloatArray,
    is_call: BoolArray,
    low: FloatArray,
    high: FloatArray,
    time: NDArray[np.int64],
    row: IntArray,
) -> Duplicates:
    """Judge lines that share (group, strike, is_call).

    Parameters
    ----------
    group : ndarray of int
        The slice of each line.
    strike, is_call : ndarray
        The rest of the contract.
    low, high : ndarray of float
        [$] Bid and ask; or, of lines without quotes, the vendor's vol in both.
    time : ndarray of int64
        The line's quote time, the smallest integer where it is missing.
    row : ndarray of int
        Rank of the line in its files, the last resort between lines that say the same; so the verdict does
        not depend on the order of the table.

    Returns
    -------
    Duplicates
        `loses` and `collapsed_into`, in the order of the input.

    Examples
    --------
    >>> found = find_duplicates(
    ...     group=np.zeros(3, dtype=np.intp), strike=np.array([100.0, 100.0, 105.0]),
    ...     is_call=np.full(3, True), low=np.array([1.0, 1.0, 0.5]), high=np.array([1.1, 1.1, 0.6]),
    ...     time=np.zeros(3, dtype=np.int64), row=np.arange(3))
    >>> found.loses, found.collapsed_into
    (array([False,  True, False]), array([ True, False, False]))
    """
    loses = np.zeros(len(strike), dtype=bool)
    collapsed = np.zeros(len(strike), dtype=bool)
    contract = _contracts(group, strike, is_call)
    shared = np.flatnonzero((np.bincount(contract) > 1)[contract])
    if not len(shared):
        return Duplicates(loses=loses, collapsed_into=collapsed)

    contract, low, high, time, row = contract[shared], low[shared], high[shared], time[shared], row[shared]
    unusable = (high <= 0) | (low > high + SLACK)
    half = np.abs(high - low) / 2
    # ~time sorts the latest first and, unlike -time, puts the smallest integer (no time) last
    best_first = np.lexsort((row, low, half, unusable, ~time, contract))
    ordered = contract[best_first]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    best = np.empty(len(shared), dtype=np.intp)
    best[best_first] = np.repeat(best_first[starts], np.diff(np.append(starts, len(ordered))))

    mid = (low + high) / 2
    says_the_same = (np.abs(low - low[best]) <= SLACK) & (np.abs(high - high[best]) <= SLACK)
    apart = np.abs(mid - mid[best]) > np.maximum(half, half[best]) + SLACK
    disputed = np.zeros(len(shared), dtype=bool)
    disputed[best[(time == time[best]) & apart]] = True

    is_best = best == np.arange(len(shared))
    loses[shared] = ~is_best | disputed
    twin = np.zeros(len(shared), dtype=bool)
    twin[best[says_the_same & ~is_best]] = True
    collapsed[shared] = twin & ~disputed
    return Duplicates(loses=loses, collapsed_into=collapsed)


def shared_contracts(group: IntArray, strike: FloatArray, is_call: BoolArray) -> BoolArray:
    """Lines whose contract is another line's too."""
    contract = _contracts(group, strike, is_call)
    return np.asarray((np.bincount(contract) > 1)[contract], dtype=np.bool_)


def _contracts(group: IntArray, strike: FloatArray, is_call: BoolArray) -> IntArray:
    """Number of the contract of each line."""
    order = np.lexsort((is_call, strike, group))
    same = np.ones(len(order), dtype=bool)
    for key in (group, strike, is_call):
        ordered = key[order]
        same[1:] &= ordered[1:] == ordered[:-1]
    number = np.empty(len(order), dtype=np.intp)
    number[order] = np.cumsum(~same)
    return number
