"""The expiries of a surface: all of them read at a place, and what lies between them at any tenor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from volskew.market.calendar import LAST_DAY
from volskew.market.clock import EASTERN
from volskew.market.variance_time import variance_years
from volskew.quotes.lines import BoolArray, FloatArray
from volskew.settings import Settings
from volskew.surface.points import Point
from volskew.surface.reading import AtPoint, Slices, read_points
from volskew.surface.tenor import TenorReadings, interpolate_all

__all__ = ["DAYS_A_YEAR", "Expiries", "Places"]

DAYS_A_YEAR = 365.0


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
    """

    slices: Slices
    settings: Settings
    snapshot_time: pd.Timestamp
    by_vendor: bool
    rate: str
    flags: tuple[str, ...]
    _read: dict[Point, AtPoint] = field(default_factory=dict, repr=False)
    _tables: dict[str, FloatArray] = field(default_factory=dict, repr=False)

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

    def date(self, number: int | None) -> str:
        """The date of an expiry as text; empty where there is none."""
        return "" if number is None or number < 0 else self.slices.dates[number].isoformat()

    # --- between expiries -----------------------------------------------------------------------------------

    def between(
        self, smiles: Sequence[AtPoint], tenors: FloatArray, *, without: Sequence[int | None] = ()
    ) -> TenorReadings:
        """Readings at every tenor of some places, place by place: all readings of a surface are made here.

        `without` names, place by place, an expiry that the reading has to do without.
        """
        short = self.is_short(tenors)
        at = tenors.copy()
        if short.any():
            at[short] = self.clock_at(tenors[short])
        parts = []
        for place, number in zip_longest(smiles, without):
            passes = place.passes
            if number is not None:
                passes = passes.copy()
                passes[number] = False
            parts.append(self._between(place, passes, tenors, at, short))
        return TenorReadings.of_places(parts, len(self.slices.years))

    def _between(
        self, place: AtPoint, passes: BoolArray, tenors: FloatArray, at: FloatArray, short: BoolArray
    ) -> TenorReadings:
        """Readings of one place; those that are short on the clock of variance, on which they are `at`."""
        by_clock = [(short, self.clock if short.any() else None), (~short, None)]
        clocks = [(mask, clock) for mask, clock in by_clock if mask.any()]
        parts = [
            interpolate_all(
                self.slices.years, place.vol, passes, tenors=tenors[mask], bracket=self.settings.bracket,
                clock=clock, clock_at=at[mask], rule=self.settings.tenor_interpolation, errors=place.error,
            )
            for mask, clock in clocks
        ]  # fmt: skip
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([np.flatnonzero(mask) for mask, _ in clocks]))
        return TenorReadings(
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., order]
                for name in TenorReadings.__slots__
            )
        )

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
        """Where the readings at some places lie: ln F is linear in calendar time between two expiries.

        What it says of a missing reading means nothing.
        """
        own, years = self.slices, np.tile(tenors, len(smiles))
        if not len(own.years):
            nothing = np.full(len(years), np.nan)
            return Places(nothing, nothing, nothing)
        before, after = readings.before, readings.after
        logs, first, last = np.log(own.forward), own.years[before], own.years[after]
        is_apart = last > first
        share = np.where(is_apart, (years - first) / np.where(is_apart, last - first, 1.0), 0.0)
        forward = np.exp(logs[before] + share * (logs[after] - logs[before]))
        row = np.repeat(np.arange(len(smiles)), len(tenors))
        root = readings.vol * np.sqrt(years)
        k = root * (root / 2 - ndtri(np.stack([place.delta for place in smiles])[row, before]))
        for number, place in enumerate(smiles):
            kind, value = place.point.kind, place.point.value
            if kind == "log_moneyness":
                k[row == number] = value
            elif kind == "strike":
                k[row == number] = [math.log(value / one) for one in forward[row == number].tolist()]
        # by the element: one strike is the same number alone and in a grid, on any machine
        return Places(forward, k, forward * np.array([math.exp(one) for one in k.tolist()]))

    # --- the clock of variance ------------------------------------------------------------------------------

    def is_short(self, years: FloatArray) -> BoolArray:
        """Tenors that are interpolated on the clock of variance."""
        return years * DAYS_A_YEAR < self.settings.variance_time_below_days

    @property
    def clock(self) -> FloatArray:
        """Time to each expiry on the clock of variance."""
        if "clock" not in self._tables:
            keys = [expiry for _, _, expiry in self.slices.keys]
            expiries = pd.DatetimeIndex(keys, dtype="datetime64[us, UTC]")
            # expired ones, and those beyond the calendar of sessions, have no time on its clock
            known = (expiries > self.snapshot_time) & (expiries < pd.Timestamp(LAST_DAY, tz=EASTERN))
            self._tables["clock"] = variance_years(
                self.snapshot_time, pd.DatetimeIndex(expiries.where(known))
            )
        return self._tables["clock"]

    def clock_at(self, years: FloatArray) -> FloatArray:
        """Times from the snapshot on the clock of variance."""
        instants = self.snapshot_time + pd.to_timedelta(years * DAYS_A_YEAR, unit="D")
        return variance_years(self.snapshot_time, pd.DatetimeIndex(instants))

    @property
    def variances(self) -> FloatArray:
        """Total variance of every curve by d1; see `volskew.smile.fitting.Curves.tabulate`."""
        if "variances" not in self._tables:
            self._tables["variances"] = self.slices.curves.tabulate(self.slices.years)
        return self._tables["variances"]
