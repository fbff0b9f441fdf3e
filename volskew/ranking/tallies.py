"""What each day's windows hold, of several forms: counted over all days, and again where it was not known.

Most days have the past that is known today; `tally_windows` counts them all together. Days at whose end
something was still missing, or read otherwise, are counted again one by one by `correct_tallies`. Where
nothing came late there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volskew.ranking.forms import compare, is_ordered
from volskew.ranking.knowledge import Knowledge
from volskew.ranking.rolling import count_windows

__all__ = ["Tally", "correct_tallies", "tally_windows"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(slots=True)
class Tally:
    """Of one form and window, on each of n days: what its window holds. Corrected in place."""

    below: IntArray
    up_to: IntArray
    n_obs: IntArray
    first: IntArray
    n_unordered: IntArray


def tally_windows(
    known: Knowledge, *, forms: Sequence[str], lengths: Sequence[int | None]
) -> list[list[Tally]]:
    """Windows of all days over what was known last: right for every day that `Knowledge` does not mark."""
    a, b = known.newest
    has_both = ~(np.isnan(a) | np.isnan(b))
    tallies = []
    for form in forms:
        values = compare(form, a=a, b=b)
        is_bad = has_both & ~is_ordered(form, b=b, values=values)
        before = np.concatenate([[0], np.cumsum(is_bad, dtype=np.int64)])
        row = []
        for length in lengths:
            counts = count_windows(values, is_observed=has_both, window=length)
            n_unordered = before[1:] - before[np.maximum(counts.first, 0)]
            row.append(Tally(counts.below, counts.up_to, counts.n_obs, counts.first, n_unordered))
        tallies.append(row)
    return tallies


def correct_tallies(
    tallies: list[list[Tally]], *, known: Knowledge, forms: Sequence[str], lengths: Sequence[int | None]
) -> None:
    """Count again the days at whose end something was not yet known as it is now."""
    n = known.newest.shape[1]
    a, b = known.legs
    fresh_both = ~(np.isnan(a) | np.isnan(b))
    fresh_values = np.stack([compare(form, a=a, b=b) for form in forms])
    fresh_bad = np.stack(
        [
            fresh_both & ~is_ordered(form, b=b, values=values)
            for form, values in zip(forms, fresh_values, strict=True)
        ]
    )
    values = np.full((len(forms), n), np.nan)
    is_bad = np.zeros((len(forms), n), dtype=np.bool_)
    has_both = np.zeros(n, dtype=np.bool_)
    done = 0
    for day in np.flatnonzero(known.is_otherwise).tolist():
        until = int(np.searchsorted(known.start, day, side="right"))
        changed = known.row[done:until]  # a row that changed twice is there twice, and the last one stands
        values[:, changed] = fresh_values[:, done:until]
        is_bad[:, changed] = fresh_bad[:, done:until]
        has_both[changed] = fresh_both[done:until]
        done = until
        seen = np.flatnonzero(has_both[: day + 1])
        _count_day(tallies, day=day, seen=seen, values=values, is_bad=is_bad, lengths=lengths)


def _count_day(
    tallies: list[list[Tally]],
    *,
    day: int,
    seen: NDArray[np.intp],
    values: FloatArray,
    is_bad: NDArray[np.bool_],
    lengths: Sequence[int | None],
) -> None:
    """Count the windows that end with one day, whose observations are at `seen`."""
    has_own = bool(seen.size) and int(seen[-1]) == day
    begins = [0 if length is None else max(0, len(seen) - length) for length in lengths]
    for row, own_values, own_bad in zip(tallies, values, is_bad, strict=True):
        bad = own_bad[seen]
        if has_own:
            sample = own_values[seen]
            is_below, is_up_to = sample < sample[-1], sample <= sample[-1]
        for tally, begin in zip(row, begins, strict=True):
            tally.n_obs[day] = len(seen) - begin
            tally.first[day] = seen[begin] if seen.size else -1
            tally.n_unordered[day] = np.count_nonzero(bad[begin:])
            tally.below[day] = np.count_nonzero(is_below[begin:]) if has_own else 0
            tally.up_to[day] = np.count_nonzero(is_up_to[begin:]) if has_own else 0
