"""The expiries of a surface: all of them read at a place, and what lies between them at any tenor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from volskew.market.calendar import LAST_DAY
from volskew.market.clock import EASTERN
from volskew.market.variance_time import variance_years, variance_years_after
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Settings
from volskew.smile.layout import SIZES
from volskew.surface.delta import STANDARD_DELTAS
from volskew.surface.points import Point
from volskew.surface.reading import AtPoint, Slices, read_points
from volskew.surface.tenor import LINEAR, TenorReadings, interpolate_all
from volskew.surface.term import Clock, Term, find_windows, log_evidence, of_each_place

__all__ = ["DAYS_A_YEAR", "Expiries", "Places"]

DAYS_A_YEAR = 365.0

_WEIGHT_ERROR = 0.05
"""What a weekend counts for is known so well: real roots are read best with 0.05 to 0.15."""
_ROUNDS = 4
"""A strike settles at once, or, where an expiry fails there, once others stand around the tenor."""
_EVIDENCE_SHARE = 0.5
"""What each standard delta says of the term structure counts for a half: the same events move all three."""


class Places(NamedTuple):
    """Where readings lie, an entry each: forward [$, at the tenor], ln(K/F) and strike [$]."""

    forward: FloatArray
    log_moneyness: FloatArray
    strike: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Expiries:
    """What every reading of a surface is made from; what was read once is kept.

    Attributes
    ----------
    slices : Slices
    settings : Settings
    snapshot_time : pandas.Timestamp
        UTC.
    by_vendor : bool
        The vols are a vendor's, of which no error can be claimed.
    rate : str
        Label of the discount curve.
    flags : tuple of str
        What every reading of the surface carries.
    has_quotes : bool
        A line of the chain is left that no rule excluded.
    ex_times, cash : ndarray of float
        Time to the ex-date [years] and amount [$] of each dividend to come; empty where none is known.
    kept : dict
        Readings at a tenor and place that were made (`volskew.surface.vol_reading`), for whoever asks again.
    """

    slices: Slices
    settings: Settings
    snapshot_time: pd.Timestamp
    by_vendor: bool
    rate: str
    flags: tuple[str, ...]
    has_quotes: bool
    ex_times: FloatArray
    cash: FloatArray
    _read: dict[Point, AtPoint] = field(default_factory=dict, repr=False)
    _tables: dict[str, FloatArray] = field(default_factory=dict, repr=False)
    _said: dict[tuple[float, int | None], FloatArray] = field(default_factory=dict, repr=False)
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def under(self, settings: Settings, slices: Slices) -> Expiries:
        """The same expiries read by other settings, and from other smiles where the slices are not these.

        What was read and said before is kept, as far as it is the same.
        """
        own, clock = self.settings, ("tenor_clock", "weekend_weight")
        same_places = slices is self.slices and settings.delta_convention == own.delta_convention
        same_clock = all(getattr(settings, name) == getattr(own, name) for name in clock)
        return replace(
            self,
            settings=settings,
            slices=slices,
            _read=self._read if same_places else {},
            _said=self._said if same_places and same_clock else {},
        )

    # --- at a place -----------------------------------------------------------------------------------------

    def at(self, point: Point) -> AtPoint:
        """Every expiry at a place."""
        return self.at_all([point])[0]

    def at_all(self, points: Sequence[Point]) -> list[AtPoint]:
        """Every expiry at several places, read together: the same as one by one, and cheaper."""
        wanted = [point for point in points if point not in self._read]
        if wanted:
            self._read.update(zip(wanted, read_points(self.slices, wanted, self.settings), strict=True))
        return [self._read[point] for point in points]

    def settle(self, point: Point, tenor: float) -> Point:
        """A strike with its log-moneyness at the forward of a tenor [years]; other places as they are.

        The forward is that between the expiries around the tenor that pass there. A strike stays without a
        log-moneyness where no expiry has a forward.
        """
        if point.kind != "strike":
            return point
        clear = np.array([not failed for failed in self.slices.failures], dtype=bool)
        around = self._around(clear & np.isfinite(self.slices.forward), tenor)
        if -1 in around:  # there is no reading, wherever the strike lies
            around = (max(around), max(around))
        for _ in range(_ROUNDS if around[0] >= 0 else 0):
            before, after = np.array(around)[:, np.newaxis]
            forward = self._forwards(before, after, np.array([tenor]))
            point = point._replace(log_moneyness=math.log(point.value / float(forward[0])))
            found = self._around(self.at(point).passes, tenor)
            if found == around or -1 in found:
                break
            around = found
        return point

    def _around(self, passes: BoolArray, tenor: float) -> tuple[int, int]:
        """The expiries on either side of a tenor among those that pass; -1 where there is none."""
        n = len(passes)
        term = Term(np.ones(n), np.zeros(n), passes)
        found = find_windows(term, self.slices.years, self.clock, np.array([tenor]))
        return int(found.before[0]), int(found.after[0])

    def date(self, number: int | None) -> str:
        """The date of an expiry as text; empty where there is none."""
        return "" if number is None or number < 0 else self.slices.dates[number].isoformat()

    # --- between expiries -----------------------------------------------------------------------------------

    def between(
        self, smiles: Sequence[AtPoint], tenors: FloatArray, *, without: Sequence[int | None] = ()
    ) -> TenorReadings:
        """Readings at every tenor of some places, place by place: all readings of a surface are made here.

        Tenors [years] of all places, (tenors,), or of each, (places, tenors). `without` names, place by
        place, an expiry that the reading has to do without.
        """
        rule, clock = self.settings.tenor_interpolation, Clock(self.clock, self.clock_at(tenors))
        pairs = list(zip_longest(smiles, without))
        term = Term.of_places(
            [smile.term if number is None else smile.term.without(number) for smile, number in pairs]
        )
        evidence = None
        if rule != LINEAR:
            numbers = [number for _, number in pairs for _ in range(tenors.shape[-1])]
            evidence = self.evidence(of_each_place(tenors, len(pairs)), numbers)
        readings, *others = (
            interpolate_all(
                term,
                self.slices.years,
                tenors=tenors,
                bracket=self.settings.bracket,
                clock=one,
                rule=rule,
                evidence=evidence,
            )
            for one in (clock, *self._other_clocks(tenors))
        )
        for moved in others:
            readings = replace(readings, by_clock=np.nan_to_num(moved.vol - readings.vol))
        return readings

    def _other_clocks(self, tenors: FloatArray) -> list[Clock]:
        """The clock as it may be as well: what a weekend counts for is not known, the calendar is."""
        if self.settings.tenor_clock == "calendar":
            return []
        weight = self.settings.weekend_weight
        weight += _WEIGHT_ERROR if weight + _WEIGHT_ERROR <= 1.0 else -_WEIGHT_ERROR
        return [Clock(self._on_clock(weight), self._tenors_on_clock(tenors, weight))]

    def evidence(self, tenors: FloatArray, without: Sequence[int | None] = ()) -> FloatArray:
        """What the standard deltas say of the term structure around each tenor [years]; said once.

        `without` names, tenor by tenor, an expiry that says nothing.
        """
        wanted = list(zip_longest(tenors.tolist(), without))
        new = [each for each in dict.fromkeys(wanted) if each not in self._said]
        if new:
            self._said.update(zip(new, self._say(new), strict=True))
        return np.array([self._said[each] for each in wanted]).reshape(len(wanted), SIZES)

    def _say(self, wanted: Sequence[tuple[float, int | None]]) -> FloatArray:
        at = np.array([[tenor] for tenor, _ in wanted])
        terms = [smiles.term for smiles in self.at_all([Point("delta", delta) for delta in STANDARD_DELTAS])]
        of_each = [
            Term.of_places([term if number is None else term.without(number) for _, number in wanted])
            for term in terms
        ]
        clock = Clock(self.clock, self.clock_at(at))
        return _EVIDENCE_SHARE * log_evidence(of_each, self.slices.years, at, clock)

    def errors(
        self, readings: TenorReadings, smiles: Sequence[AtPoint]
    ) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Standard errors of readings at some places [vol], and what they are made of."""
        if not len(self.slices.years):
            nothing = np.full(len(readings.vol), np.nan)
            names = ("fit_error", "forward_error", "cross_check", "bid", "ask")
            return nothing, dict.fromkeys(names, nothing)
        vol, error, fit_error, forward_part, gap, low, high = (
            np.concatenate([getattr(place, name) for place in smiles])
            for name in ("vol", "error", "fit_error", "forward_part", "gap", "low", "high")
        )
        return np.sqrt(readings.total(error) ** 2 + readings.bracket_error**2), {
            "fit_error": readings.total(fit_error),
            "forward_error": readings.total(forward_part),
            "cross_check": readings.total(gap),
            "bid": readings.vol + readings.moved(low - vol),
            "ask": readings.vol + readings.moved(high - vol),
        }

    def places(self, readings: TenorReadings, smiles: Sequence[AtPoint], tenors: FloatArray) -> Places:
        """Where the readings at some places lie; what it says of a missing reading means nothing."""
        own, years = self.slices, of_each_place(tenors, len(smiles))
        if not len(own.years):
            nothing = np.full(len(years), np.nan)
            return Places(nothing, nothing, nothing)
        before = readings.before
        forward = self._forwards(before, readings.after, years)
        row = np.repeat(np.arange(len(smiles)), tenors.shape[-1])
        root = readings.vol * np.sqrt(years)
        k = root * (root / 2 - ndtri(np.stack([place.delta for place in smiles])[row, before]))
        for number, place in enumerate(smiles):
            kind, value = place.point.kind, place.point.value
            if kind == "log_moneyness":
                k[row == number] = value
            elif kind == "strike":
                k[row == number] = place.point.log_moneyness
        # by the element: one strike is the same number alone and in a grid, on any machine
        strike = forward * np.array([math.exp(one) for one in k.tolist()])
        for number, place in enumerate(smiles):
            if place.point.kind == "strike":
                strike[row == number] = place.point.value
        return Places(forward, k, strike)

    def _forwards(self, before: IntArray, after: IntArray, years: FloatArray) -> FloatArray:
        """Forwards [$] at some times, each between two expiries.

        ln F falls by ``ln(1 + D/F)`` at an ex-date with dividend D. It is linear in calendar time but for
        the falls known between the two expiries: they are taken out, and those before the time put back.
        """
        own = self.slices
        first, last = own.years[before], own.years[after]
        logs = np.log(own.forward)
        start, rise = logs[before], logs[after] - logs[before]
        span = np.where(last > first, last - first, np.inf)
        falls, fallen = np.zeros(len(years)), np.zeros(len(years))
        for ex_time, amount in zip(self.ex_times.tolist(), self.cash.tolist(), strict=True):
            is_between = (first < ex_time) & (ex_time < last)
            if is_between.any():
                forward = np.exp(start + (ex_time - first) / span * rise)
                fall = np.where(is_between, np.log1p(amount / forward), 0.0)
                falls += fall
                fallen += np.where(ex_time < years, fall, 0.0)
        return np.asarray(np.exp(start + (years - first) / span * (rise + falls) - fallen))

    # --- the clock ------------------------------------------------------------------------------------------

    @property
    def clock(self) -> FloatArray:
        """Time to each expiry [years] on the clock of the settings; NaN where it is not known."""
        return self._on_clock(self.settings.weekend_weight)

    def clock_at(self, years: FloatArray) -> FloatArray:
        """The same of tenors."""
        return self._tenors_on_clock(years, self.settings.weekend_weight)

    def _on_clock(self, weight: float) -> FloatArray:
        if self.settings.tenor_clock == "calendar":
            return self.slices.years
        name = f"clock {weight}"
        if name not in self._tables:
            keys = [expiry for _, _, expiry in self.slices.keys]
            expiries = pd.DatetimeIndex(keys, dtype="datetime64[us, UTC]")
            # expired ones, and those beyond the calendar of sessions, have no time on its clock
            known = (expiries > self.snapshot_time) & (expiries < pd.Timestamp(LAST_DAY, tz=EASTERN))
            self._tables[name] = variance_years(
                self.snapshot_time, pd.DatetimeIndex(expiries.where(known)), weekend_weight=weight
            )
        return self._tables[name]

    def _tenors_on_clock(self, years: FloatArray, weight: float) -> FloatArray:
        if self.settings.tenor_clock == "calendar":
            return years
        distinct, place = np.unique(years, return_inverse=True)
        found = variance_years_after(self.snapshot_time, distinct, weekend_weight=weight)
        return np.asarray(found[place].reshape(years.shape))

    @property
    def variances(self) -> FloatArray:
        """Total variance of every curve by d1; see `volskew.smile.fitting.Curves.tabulate`."""
        if "variances" not in self._tables:
            self._tables["variances"] = self.slices.curves.tabulate(self.slices.years)
        return self._tables["variances"]
