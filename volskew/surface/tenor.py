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

from dataclasses import dataclass

import numpy as np

from volskew.ledger import Code
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Bracket
from volskew.smile.layout import EXPIRIES
from volskew.surface.term import (
    AFTER,
    BEFORE,
    EXACT,
    Clock,
    Series,
    Term,
    Windows,
    find_windows,
    log_evidence,
    of_each_place,
    process_weights,
)

__all__ = [
    "LINEAR",
    "PROCESS",
    "WIDE_BRACKET",
    "TenorReading",
    "TenorReadings",
    "interpolate",
    "interpolate_all",
]

WIDE_BRACKET = "WIDE_BRACKET"
"""Flag of a reading whose two expiries lie outside the preferred bracket."""

LINEAR, PROCESS = "linear", "gaussian_process"
"""Rules; see `Settings.tenor_interpolation`."""


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
        Place of the tenor between `before` and `after`, on the clock.
    is_wide : bool
        The bracket lies outside the preferred one.
    bracket_error : float
        [vol] What may lie between the expiries, one standard error; see `TenorReadings`.
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
    vol, weight : ndarray of float
    deviation : ndarray of float
        [vol] What may lie between the expiries: of the process its own standard deviation; of the line in
        total variance its distance from the line in vol, with its sign.
    by_clock : ndarray of float
        [vol] What the readings move by on the clock as it may be as well.
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
    deviation: FloatArray
    by_clock: FloatArray
    before: IntArray
    after: IntArray
    is_wide: BoolArray
    falls: BoolArray
    expiries: IntArray
    shares: FloatArray

    @property
    def bracket_error(self) -> FloatArray:
        """What may lie between the expiries, the clock included, one standard error [vol]."""
        return np.hypot(self.deviation, self.by_clock)

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

    def alone(self, place: int, *, offset: int = 0) -> TenorReadings:
        """One reading as the only one; `offset` are the expiries of the places before its own."""
        parts = {name: getattr(self, name)[..., place : place + 1] for name in self.__slots__}
        return TenorReadings(**{**parts, "expiries": parts["expiries"] - offset})

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
        [years] (tenors,) for all places, or those of each: (places, tenors).
    bracket : Bracket
        What is flagged as wide.
    clock : Clock, optional
        On which variance accrues; the calendar without it.
    rule : {"gaussian_process", "linear"}
    evidence : ndarray of float, (tenors, 48) or (readings, 48), optional
        What is known of the process; see `log_evidence`. Without it what the places say themselves, together.
    """
    clock = Clock(years, tenors) if clock is None else clock
    windows = find_windows(term, years, clock.expiries, tenors)
    n_places = 1 if term.vols.ndim == 1 else len(term.vols)
    if rule == LINEAR:
        evidence = None
    elif evidence is None:
        alone = [term] if term.vols.ndim == 1 else [Term(*values) for values in zip(*term, strict=True)]
        evidence = log_evidence(alone, years, tenors, clock)
    # from here on all places one after another
    term = Term(term.vols.ravel(), term.errors.ravel(), term.passes.ravel())
    years, tenors = np.tile(years, n_places), of_each_place(tenors, n_places)
    clock = Clock(np.tile(clock.expiries, n_places), of_each_place(clock.tenors, n_places))
    if evidence is not None and len(evidence) != len(tenors):
        evidence = np.tile(evidence, (n_places, 1))
    chosen, exact, known = windows.expiries, windows.exact, windows.known
    n = len(tenors)
    vol, weight, beside = np.full(n, np.nan), np.zeros(n), np.zeros(n)
    shares, falls, is_wide = np.zeros((EXPIRIES, n)), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if len(years):
        i, j = chosen[BEFORE], chosen[AFTER]
        vol[exact] = term.vols[i[exact]]
        shares[BEFORE, exact] = 1.0
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
                found = _by_the_process(term, windows.take(read), years, tenors[read], own, evidence[read])
            vol[read], shares[:, read], beside[read] = found
    return TenorReadings(
        vol=vol,
        weight=weight,
        deviation=beside,
        by_clock=np.zeros(n),
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
    """Vols along the straight line in total variance, shares of the expiries, distance from that in vol."""
    w = term.vols**2 * years
    vol = np.sqrt(((1 - weight) * w[i] + weight * w[j]) / tenors)
    shares = np.zeros((EXPIRIES, len(tenors)))
    # d vol/d w = 1/(2 vol T), d w_i/d vol_i = 2 vol_i T_i
    shares[BEFORE] = (1 - weight) * term.vols[i] * years[i] / (vol * tenors)
    shares[AFTER] = weight * term.vols[j] * years[j] / (vol * tenors)
    return vol, shares, vol - ((1 - weight) * term.vols[i] + weight * term.vols[j])


def _by_the_process(
    term: Term, windows: Windows, years: FloatArray, tenors: FloatArray, clock: Clock, evidence: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means of the process, shares of the expiries, standard deviation of what lies between them."""
    series = Series.of(term, windows, years, clock.expiries)
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
