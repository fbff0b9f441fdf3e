"""Constant maturity: the vol at a tenor from those of the expiries around it, at constant delta.

Vols are read on a clock on which variance accrues (`volskew.market.variance_time`), or the calendar, and by
one of two rules:

* ``gaussian_process``: the term structure is a smooth curve with what dated events add, and both are learned
  from the expiries around the tenor, up to four on either side (`volskew.smile.term_kernels`). The reading is
  linear in their vols; its error holds their noise and what may lie between them.
* ``linear``: the straight line in total variance between the two expiries around the tenor, as most
  vendors draw it.

The result is annualised by the calendar whichever clock is used. Nothing is extrapolated: an expiry that
passed its gates stands on either side of the tenor, or at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from volskew.ledger import Code
from volskew.loading import importing
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Bracket
from volskew.smile.layout import EXPIRIES, SIDE, SIZES

__all__ = [
    "EXACT",
    "LINEAR",
    "PROCESS",
    "WIDEST_GAP",
    "WIDE_BRACKET",
    "Clock",
    "TenorReading",
    "TenorReadings",
    "Term",
    "interpolate",
    "interpolate_all",
    "log_evidence",
    "process_weights",
]

WIDE_BRACKET = "WIDE_BRACKET"
"""Flag of a reading whose two expiries lie outside the preferred bracket."""

LINEAR, PROCESS = "linear", "gaussian_process"
"""Rules; see `Settings.tenor_interpolation`."""

EXACT = 2.0 / 24 / 365
"""[years] An expiry this near the tenor is the tenor: clock changes and settlement times differ by hours."""
WIDEST_GAP = 3.0
"""Where the later of the two expiries around a tenor is more than so many times as far away as the earlier,
others say nothing of what lies between: a trend of near expiries would be drawn out over years."""
_BEFORE, _AFTER = SIDE - 1, SIDE
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
        passes[number] = False
        return self._replace(passes=passes)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock on which readings are interpolated.

    Attributes
    ----------
    expiries, tenors : ndarray of float
        [years] Time to each expiry and to each tenor on it.
    """

    expiries: FloatArray
    tenors: FloatArray


@dataclass(frozen=True, slots=True)
class TenorReading:
    """A vol at a tenor, or the reason why there is none.

    Attributes
    ----------
    vol : float
        NaN where `code` says why.
    before, after : int or None
        Positions of the expiries used; equal where one expiry is the tenor.
    weight : float
        Share of `after` in total variance.
    is_wide : bool
        The bracket lies outside the preferred one.
    bracket_error : float
        [vol] What may lie between the expiries, one standard error: of the process its own; of the line in
        total variance its distance to the line in vol.
    code : Code or None
    """

    vol: float
    before: int | None
    after: int | None
    weight: float = 0.0
    is_wide: bool = False
    bracket_error: float = 0.0
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class TenorReadings:
    """Readings at several tenors, as arrays of one length; positions are -1 where there is no expiry.

    Attributes
    ----------
    vol, weight, bracket_error : ndarray of float
    before, after : ndarray of int
    is_wide, falls : ndarray of bool
        `falls`: total variance does not increase between the two.
    expiries : ndarray of int, (8, readings)
        The expiries that a reading is made of, by rising time; the two around the tenor are in the fourth and
        fifth row. An expiry at the tenor stands alone, in the fourth.
    shares : ndarray of float, (8, readings)
        dvol of the reading per dvol of each of these; 0 where there is none.
    """

    vol: FloatArray
    weight: FloatArray
    bracket_error: FloatArray
    before: IntArray
    after: IntArray
    is_wide: BoolArray
    falls: BoolArray
    expiries: IntArray
    shares: FloatArray

    def one(self, place: int) -> TenorReading:
        """A reading by itself."""
        before, after = int(self.before[place]), int(self.after[place])
        code = None
        if before < 0 or after < 0:
            code = Code.NO_EXPIRY_BEFORE if before < 0 else Code.NO_EXPIRY_AFTER
        elif self.falls[place]:
            code = Code.CAL_ARB
        return TenorReading(
            vol=float(self.vol[place]),
            before=None if before < 0 else before,
            after=None if after < 0 else after,
            weight=float(self.weight[place]),
            is_wide=bool(self.is_wide[place]),
            bracket_error=float(self.bracket_error[place]),
            code=code,
        )

    def total(self, errors: FloatArray) -> FloatArray:
        """Errors of the readings from those of the expiries, taken as independent [vol]."""
        parts = np.where(self.shares != 0, self.shares * errors[self.expiries], 0.0)
        return np.asarray(np.sqrt(_added(parts**2)))

    def moved(self, changes: FloatArray) -> FloatArray:
        """What the readings change by where the expiries' vols do [vol]."""
        parts = np.where(self.shares != 0, self.shares * changes[self.expiries], 0.0)
        return _added(parts)


def _added(parts: FloatArray) -> FloatArray:
    """The sum over the expiries in their order, for one reading as for many: numpy's own depends on that."""
    return np.asarray(np.cumsum(parts, axis=0)[-1])


@dataclass(frozen=True, slots=True)
class _Windows:
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


def _windows(
    term: Term, years: FloatArray, clock: FloatArray, tenors: FloatArray, *, exact_alone: bool = True
) -> _Windows:
    """`exact_alone`: an expiry at the tenor stands alone; else it is one of those around it."""
    n = len(years)
    usable = np.atleast_2d(term.passes & np.isfinite(term.vols)) & (years > 0) & (clock > 0)
    tenors, row = np.tile(tenors, len(usable)), np.repeat(np.arange(len(usable)), len(tenors))
    if not n:
        none, no = np.full(len(tenors), -1, dtype=np.intp), np.zeros(len(tenors), dtype=bool)
        empty = np.zeros((EXPIRIES, len(tenors)), dtype=np.intp)
        return _Windows(empty, empty > 0, no, no, none, none)
    order, counts = _serving(usable, years, clock)
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
    places = np.where(rows < SIDE, low + rows - _BEFORE, high + rows - _AFTER)
    present = (places >= 0) & (places < count) & known & ~exact
    first, second = (order[row, np.clip(side, 0, last)] for side in (low, high))
    with np.errstate(invalid="ignore"):
        is_far = clock[second] > WIDEST_GAP * clock[first]
    present &= ~is_far | (rows == _BEFORE) | (rows == _AFTER)
    present[_BEFORE] |= known & exact
    return _Windows(
        expiries=order[row, np.clip(places, 0, last)] + n * row,
        present=present,
        exact=exact,
        known=known,
        before=np.where(low >= 0, first, -1),
        after=np.where(high < count, second, -1),
    )


def _serving(usable: BoolArray, years: FloatArray, clock: FloatArray) -> tuple[IntArray, IntArray]:
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
class _Series:
    """Windows as the process takes them, a row each: times, vols and noises over the level."""

    times: FloatArray
    vols: FloatArray
    noises: FloatArray
    level: FloatArray

    @classmethod
    def of(cls, term: Term, windows: _Windows, years: FloatArray, clock: FloatArray) -> _Series:
        """Vols annualised on the clock; the level of a window is the mean of the two around the tenor."""
        chosen, there = windows.expiries, windows.present
        faster = np.sqrt(years[chosen] / clock[chosen])
        own = np.where(there, term.vols[chosen] * faster, np.nan)
        level = np.sqrt(own[_BEFORE] * own[_AFTER])
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
        What the places read.
    years : ndarray of float
        Time to each expiry [years].
    tenors : ndarray of float
        [years]
    clock : Clock

    Returns
    -------
    ndarray of float, (tenors, 48)
        Log-likelihood of each pair of sizes; 0 where nothing is said.
    """
    found = np.zeros((len(tenors), SIZES))
    with importing:
        from volskew.smile import term_kernels  # noqa: PLC0415
    for term in terms:
        windows = _windows(term, years, clock.expiries, tenors, exact_alone=False)
        rows = np.flatnonzero(windows.known)
        if rows.size:
            series = _Series.of(term, _take(windows, rows), years, clock.expiries)
            part = np.empty((len(rows), SIZES))
            term_kernels.log_evidence(series.times, series.vols, series.noises, part)
            found[rows] += part
    return found


def _take(windows: _Windows, rows: IntArray) -> _Windows:
    return _Windows(*(getattr(windows, name)[..., rows] for name in _Windows.__slots__))


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


def interpolate_all(
    term: Term,
    years: FloatArray,
    *,
    tenors: FloatArray,
    bracket: Bracket,
    clock: Clock | None = None,
    rule: str = PROCESS,
    evidence: FloatArray | None = None,
) -> TenorReadings:
    """Read vols at tenors from the expiries around them that pass.

    Parameters
    ----------
    term : Term
        What the place, or each of several, reads at every expiry, in any order. Readings stand place by
        place, tenors within; their `expiries` are positions in what all places read, one after another.
    years : ndarray of float
        Time to each expiry [years].
    tenors : ndarray of float
        [years]
    bracket : Bracket
        What is flagged as wide.
    clock : Clock, optional
        On which variance accrues; the calendar without it.
    rule : {"gaussian_process", "linear"}
    evidence : ndarray of float, (tenors, 48) or (readings, 48), optional
        What is known of the process; see `log_evidence`. Without it what the places say themselves, together.
    """
    clock = Clock(years, tenors) if clock is None else clock
    windows = _windows(term, years, clock.expiries, tenors)
    n_places = 1 if term.vols.ndim == 1 else len(term.vols)
    if rule == LINEAR:
        evidence = None
    elif evidence is None:
        alone = [term] if term.vols.ndim == 1 else [Term(*values) for values in zip(*term, strict=True)]
        evidence = log_evidence(alone, years, tenors, clock)
    # from here on all places one after another
    term = Term(term.vols.ravel(), term.errors.ravel(), term.passes.ravel())
    years, tenors = np.tile(years, n_places), np.tile(tenors, n_places)
    clock = Clock(np.tile(clock.expiries, n_places), np.tile(clock.tenors, n_places))
    if evidence is not None and len(evidence) != len(tenors):
        evidence = np.tile(evidence, (n_places, 1))
    chosen, exact, known = windows.expiries, windows.exact, windows.known
    n = len(tenors)
    vol, weight, beside = np.full(n, np.nan), np.zeros(n), np.zeros(n)
    shares, falls, is_wide = np.zeros((EXPIRIES, n)), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if len(years):
        i, j = chosen[_BEFORE], chosen[_AFTER]
        vol[exact] = term.vols[i[exact]]
        shares[_BEFORE, exact] = 1.0
        between = np.flatnonzero(known & ~exact)
        w = term.vols**2 * years
        falls[between] = w[j[between]] <= w[i[between]]
        is_wide[between] = (
            (years[i] < bracket.lowest * tenors - EXACT)
            | (years[j] > bracket.highest * tenors + EXACT)
            | (years[j] - years[i] > bracket.widest * tenors + EXACT)
        )[between]
        # a tenor within hours of an expiry that is out of the question may lie beyond the clock's own bracket
        ticks, at = clock.expiries, clock.tenors
        weight[between] = ((at - ticks[i])[between]) / ((ticks[j] - ticks[i])[between])
        read = between[~falls[between]]
        if read.size:
            if evidence is None:
                found = _along_the_line(term, years, tenors[read], weight[read], i[read], j[read])
            else:
                own = Clock(clock.expiries, clock.tenors[read])
                found = _by_the_process(term, _take(windows, read), years, tenors[read], own, evidence[read])
            vol[read], shares[:, read], beside[read] = found
    return TenorReadings(
        vol=vol,
        weight=weight,
        bracket_error=beside,
        before=windows.before,
        after=windows.after,
        is_wide=is_wide,
        falls=falls,
        expiries=chosen,
        shares=shares,
    )


def _along_the_line(
    term: Term, years: FloatArray, tenors: FloatArray, weight: FloatArray, i: IntArray, j: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Vols along the straight line in total variance, shares of the expiries, distance to the line in vol."""
    w = term.vols**2 * years
    vol = np.sqrt(((1 - weight) * w[i] + weight * w[j]) / tenors)
    shares = np.zeros((EXPIRIES, len(tenors)))
    # d vol/d w = 1/(2 vol T), d w_i/d vol_i = 2 vol_i T_i
    shares[_BEFORE] = (1 - weight) * term.vols[i] * years[i] / (vol * tenors)
    shares[_AFTER] = weight * term.vols[j] * years[j] / (vol * tenors)
    return vol, shares, np.abs(vol - ((1 - weight) * term.vols[i] + weight * term.vols[j]))


def _by_the_process(
    term: Term, windows: _Windows, years: FloatArray, tenors: FloatArray, clock: Clock, evidence: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means of the process, shares of the expiries, standard deviation of what lies between them."""
    series = _Series.of(term, windows, years, clock.expiries)
    weights, deviation = process_weights(series.times, series.noises, evidence, clock.tenors)
    slower = np.sqrt(clock.tenors / tenors)
    chosen = windows.expiries
    shares = weights.T * np.sqrt(years[chosen] / clock.expiries[chosen]) * slower
    shares = np.where(windows.present, shares, 0.0)
    vol = _added(np.where(windows.present, shares * term.vols[chosen], 0.0))
    return vol, shares, deviation * series.level * slower


def interpolate(
    years: FloatArray, vols: FloatArray, passes: BoolArray, *, tenor: float, bracket: Bracket
) -> TenorReading:
    """Read a vol at one tenor on the calendar, along the straight line; see `interpolate_all`.

    Returns
    -------
    TenorReading
        Code NO_EXPIRY_BEFORE or NO_EXPIRY_AFTER without an expiry on that side; CAL_ARB where total variance
        does not increase between the two.

    Examples
    --------
    >>> read = interpolate(np.array([77, 105]) / 365, np.array([0.20, 0.21]), np.array([True, True]),
    ...                    tenor=91 / 365, bracket=Bracket())
    >>> round(read.vol, 5), round(read.weight, 12)
    (0.20583, 0.5)
    """
    term = Term(vols, np.full(len(vols), np.nan), passes)
    return interpolate_all(
        term, years, tenors=np.array([tenor], dtype=np.float64), bracket=bracket, rule=LINEAR
    ).one(0)
