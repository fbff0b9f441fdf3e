"""The term structure around a tenor: which expiries stand there, what they say of it, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from volskew.loading import importing
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.smile.layout import EXPIRIES, SIDE, SIZES

__all__ = [
    "AFTER",
    "BEFORE",
    "EXACT",
    "Clock",
    "Series",
    "Term",
    "Windows",
    "find_windows",
    "in_reach",
    "log_evidence",
    "of_each_place",
    "process_weights",
    "serving",
]

EXACT = 2.0 / 24 / 365
"""[years] An expiry this near the tenor is the tenor: clock changes and settlement times differ by hours."""
_WIDEST_GAP = 3.0
"""Where the later of the two expiries around a tenor is more than so many times as far away as the earlier,
others say nothing of what lies between: a trend of near expiries would be drawn out over years."""
BEFORE, AFTER = SIDE - 1, SIDE
"""Rows of a window in which the two expiries around the tenor stand."""


class Term(NamedTuple):
    """What one place (a delta, a strike) reads at every expiry, or several places do.

    Attributes
    ----------
    vols, errors : ndarray of float, (expiries,) or (places, expiries)
        [vol] Reading and standard error of each expiry; an unknown error is NaN.
    passes : ndarray of bool, as these
        Expiries that passed their gates; others are looked over.
    """

    vols: FloatArray
    errors: FloatArray
    passes: BoolArray

    @classmethod
    def of_places(cls, terms: Sequence[Term]) -> Term:
        """What several places read, from what each does."""
        vols, errors, passes = zip(*terms, strict=True)
        return cls(np.stack(vols), np.stack(errors), np.stack(passes))

    def without(self, number: int) -> Term:
        """The same with one expiry looked over."""
        passes = self.passes.copy()
        passes[..., number] = False
        return self._replace(passes=passes)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock on which readings are interpolated.

    Attributes
    ----------
    expiries, tenors : ndarray of float
        [years] Time to each expiry and to each tenor on it; tenors of the shape of those by the calendar.
    """

    expiries: FloatArray
    tenors: FloatArray


@dataclass(frozen=True, slots=True)
class Windows:
    """The expiries around each tenor, from those that may be read; arrays of (8, tenors) or of tenors.

    Of several places the tenors stand place by place; `expiries` are positions in what all of them read, one
    place after another, `before` and `after` numbers of expiries.
    """

    expiries: IntArray
    present: BoolArray
    exact: BoolArray
    known: BoolArray
    before: IntArray
    after: IntArray

    def take(self, rows: IntArray) -> Windows:
        """Those of some tenors."""
        return Windows(*(getattr(self, name)[..., rows] for name in self.__slots__))


def find_windows(
    term: Term, years: FloatArray, clock: FloatArray, tenors: FloatArray, *, exact_alone: bool = True
) -> Windows:
    """The expiries around each tenor [years] among those that may be read.

    An expiry at the tenor stands alone, or, without `exact_alone`, is one of those around it. All places are
    read at the same tenors, or each at its own: (tenors,) or (places, tenors).
    """
    n = len(years)
    usable = np.atleast_2d(term.passes & np.isfinite(term.vols)) & (years > 0) & (clock > 0)
    row = np.repeat(np.arange(len(usable)), tenors.shape[-1])
    tenors = of_each_place(tenors, len(usable))
    if not n:
        none, no = np.full(len(tenors), -1, dtype=np.intp), np.zeros(len(tenors), dtype=bool)
        empty = np.zeros((EXPIRIES, len(tenors)), dtype=np.intp)
        return Windows(empty, empty > 0, no, no, none, none)
    order, counts = serving(usable, years, clock)
    count, last = counts[row], np.maximum(counts[row] - 1, 0)
    at = years[order][row]
    place = ((at < tenors[:, np.newaxis]) & (np.arange(n) < count[:, np.newaxis])).sum(axis=1)
    left, right = np.maximum(place - 1, 0), np.minimum(place, last)
    away = np.abs(at - tenors[:, np.newaxis])
    each = np.arange(len(tenors))
    near = np.where(away[each, right] <= away[each, left], right, left)
    exact = (away[each, near] <= EXACT) & (count > 0) & exact_alone
    low, high = np.where(exact, near, place - 1), np.where(exact, near, place)
    known = (low >= 0) & (high < count)
    rows = np.arange(EXPIRIES)[:, np.newaxis]
    places = np.where(rows < SIDE, low + rows - BEFORE, high + rows - AFTER)
    present = (places >= 0) & (places < count) & known & ~exact
    first, second = (order[row, np.clip(side, 0, last)] for side in (low, high))
    present &= in_reach(clock[first], clock[second])
    present[BEFORE] |= known & exact
    return Windows(
        expiries=order[row, np.clip(places, 0, last)] + n * row,
        present=present,
        exact=exact,
        known=known,
        before=np.where(low >= 0, first, -1),
        after=np.where(high < count, second, -1),
    )


def of_each_place(tenors: FloatArray, n_places: int) -> FloatArray:
    """What each tenor has, (tenors,) or (places, tenors), place by place."""
    return np.broadcast_to(tenors, (n_places, tenors.shape[-1])).ravel()


def in_reach(first: FloatArray, second: FloatArray) -> BoolArray:
    """Which expiries of windows serve, (8, windows), by the times of the two around the tenor."""
    rows = np.arange(EXPIRIES)[:, np.newaxis]
    with np.errstate(invalid="ignore"):
        is_far = second > _WIDEST_GAP * first
    return np.asarray(~is_far | (rows == BEFORE) | (rows == AFTER))


def serving(usable: BoolArray, years: FloatArray, clock: FloatArray) -> tuple[IntArray, IntArray]:
    """Expiries that serve each place, soonest first, and how many do; behind these stand the others."""
    by_time = np.argsort(years, kind="stable")
    serves = usable[:, by_time]
    is_new = np.append(True, ~(np.diff(clock[by_time]) <= 0))
    if not is_new.all():
        # of expiries of one instant the first serves
        seen = np.cumsum(serves, axis=1)
        earlier: IntArray = (seen - serves)[:, np.flatnonzero(is_new)[np.cumsum(is_new) - 1]]
        serves &= seen - earlier == 1
    return by_time[np.argsort(~serves, axis=1, kind="stable")], serves.sum(axis=1)


@dataclass(frozen=True, slots=True)
class Series:
    """Windows as the process takes them, a row each: times, vols and noises over the level."""

    times: FloatArray
    vols: FloatArray
    noises: FloatArray
    level: FloatArray

    @classmethod
    def of(cls, term: Term, windows: Windows, years: FloatArray, clock: FloatArray) -> Series:
        """Vols annualised on the clock; the level of a window is the mean of the two around the tenor."""
        chosen, there = windows.expiries, windows.present
        faster = np.sqrt(years[chosen] / clock[chosen])
        own = np.where(there, term.vols[chosen] * faster, np.nan)
        level = np.sqrt(own[BEFORE] * own[AFTER])
        noise = np.nan_to_num(term.errors)[chosen] * faster / level
        return cls(
            times=np.ascontiguousarray(np.where(there, clock[chosen], np.nan).T),
            vols=np.ascontiguousarray((own / level).T),
            noises=np.ascontiguousarray(noise.T),
            level=level,
        )


def log_evidence(terms: Sequence[Term], years: FloatArray, tenors: FloatArray, clock: Clock) -> FloatArray:
    """What the expiries around each tenor say of the process, from several places together.

    Parameters
    ----------
    terms : sequence of Term
        What the places read; each of one place, or each of several, of which those of one number go together.
    years : ndarray of float
        Time to each expiry [years].
    tenors : ndarray of float
        [years] (tenors,), or of several places (places, tenors).
    clock : Clock

    Returns
    -------
    ndarray of float, (tenors, 48) or (places x tenors, 48)
        Log-likelihood of each pair of sizes; 0 where nothing is said.
    """
    found: FloatArray | None = None
    with importing:
        from volskew.smile import term_kernels  # noqa: PLC0415
    for term in terms:
        windows = find_windows(term, years, clock.expiries, tenors, exact_alone=False)
        if found is None:
            found = np.zeros((len(windows.known), SIZES))
        rows = np.flatnonzero(windows.known)
        if rows.size:
            # windows count the expiries of all places one after another
            n_places = 1 if term.vols.ndim == 1 else len(term.vols)
            flat = Term(term.vols.ravel(), term.errors.ravel(), term.passes.ravel())
            repeated = (np.tile(times, n_places) for times in (years, clock.expiries))
            series = Series.of(flat, windows.take(rows), *repeated)
            part = np.empty((len(rows), SIZES))
            term_kernels.log_evidence(series.times, series.vols, series.noises, part)
            found[rows] += part
    return np.zeros((tenors.size, SIZES)) if found is None else found


def process_weights(
    times: FloatArray, noises: FloatArray, evidence: FloatArray, at: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weights of the expiries in the vol at each time, and the standard deviation of what lies between them.

    Parameters
    ----------
    times, noises : ndarray of float, (readings, 8)
        [years on the clock; of the level] NaN where there is no expiry.
    evidence : ndarray of float, (readings, 48)
    at : ndarray of float
        [years on the clock]

    Returns
    -------
    weights : ndarray of float, (readings, 8)
        They sum to 1; of vols that are annualised on the clock.
    deviation : ndarray of float
        Of the level.
    """
    weights, variances = np.empty(times.shape), np.empty(len(times))
    with importing:
        from volskew.smile import term_kernels  # noqa: PLC0415
    term_kernels.predict(
        np.ascontiguousarray(times), np.ascontiguousarray(noises), np.ascontiguousarray(evidence),
        np.ascontiguousarray(at), weights, variances,
    )  # fmt: skip
    return weights, np.sqrt(variances)
