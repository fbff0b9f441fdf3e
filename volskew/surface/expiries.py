"""The expiries of a surface: all of them read at a place, and what lies between them at any tenor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
        self,
        smiles: AtPoint,
        tenors: FloatArray,
        *,
        without: int | None = None,
        clock_at: FloatArray | None = None,
    ) -> TenorReadings:
        """Readings at tenors; `clock_at` are the short ones on the clock of variance, if known already."""
        passes = smiles.passes
        if without is not None:
            passes = passes.copy()
            passes[without] = False
        own, bracket = self.slices, self.settings.bracket
        short = self.is_short(tenors)
        rule = self.settings.tenor_interpolation
        if not short.any():
            return interpolate_all(
                own.years, smiles.vol, passes, tenors=tenors, bracket=bracket, rule=rule, errors=smiles.error
            )
        at = tenors.copy()
        at[short] = self.clock_at(tenors[short]) if clock_at is None else clock_at
        parts = [
            interpolate_all(
                own.years, smiles.vol, passes, tenors=tenors[mask], bracket=bracket,
                clock=self.clock if mask is short else own.years, clock_at=at[mask], rule=rule,
                errors=smiles.error,
            )
            for mask in (short, ~short)
        ]  # fmt: skip
        order = np.argsort(np.concatenate([np.flatnonzero(short), np.flatnonzero(~short)]))
        return TenorReadings(
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., order]
                for name in TenorReadings.__slots__
            )
        )

    def errors(self, readings: TenorReadings, smiles: AtPoint) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Standard errors of readings [vol], and what they are made of."""
        if not len(smiles.vol):
            nothing = np.full(len(readings.vol), np.nan)
            names = ("fit_error", "forward_error", "cross_check", "bid", "ask")
            return nothing, dict.fromkeys(names, nothing)
        error = np.sqrt(readings.total(smiles.error) ** 2 + readings.bracket_error**2)
        return error, {
            "fit_error": readings.total(smiles.fit_error),
            "forward_error": readings.total(smiles.forward_part),
            "cross_check": readings.total(smiles.gap),
            "bid": readings.vol + readings.moved(smiles.low - smiles.vol),
            "ask": readings.vol + readings.moved(smiles.high - smiles.vol),
        }

    def places(self, readings: TenorReadings, smiles: AtPoint, years: FloatArray) -> Places:
        """Where the readings of some tenors lie: ln F is linear in calendar time between two expiries.

        What it says of a missing reading means nothing.
        """
        if not len(smiles.vol):
            nothing = np.full(len(years), np.nan)
            return Places(nothing, nothing, nothing)
        before, after, own = readings.before, readings.after, self.slices
        logs, first, last = np.log(own.forward), own.years[before], own.years[after]
        is_apart = last > first
        share = np.where(is_apart, (years - first) / np.where(is_apart, last - first, 1.0), 0.0)
        forward = np.exp(logs[before] + share * (logs[after] - logs[before]))
        kind, value = smiles.point.kind, smiles.point.value
        if kind == "log_moneyness":
            k = np.full(len(years), value)
        elif kind == "strike":
            k = np.array([math.log(value / one) for one in forward.tolist()])
        else:
            root = readings.vol * np.sqrt(years)
            k = root * (root / 2 - ndtri(smiles.delta[before]))
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
