"""One chain's vol under any choice of conventions, with which option it is, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from volskew.market import tenor_days
from volskew.settings import Settings
from volskew.surface import Surface
from volskew.surface.listed import Listed, listed_vol, nearest_expiry
from volskew.surface.points import Point
from volskew.surface.under import needs_refit
from volskew.workflow.drill import fit_unit, gather_units
from volskew.workflow.gather import Inputs, PathLike, Unit
from volskew.workflow.steps import Choice

__all__ = ["ChainFiles", "ChainReader"]

_GATHERED_BY = ("rate", "rates_file", "dividends_files", "assumed_rate", "curve_max_age_days")
"""Settings that make another market of the same files."""


@dataclass(slots=True)
class ChainFiles:
    """Chain files, gathered once for each market that settings make of them.

    Attributes
    ----------
    paths, symbols, format, columns
        As in `volskew.workflow.gather`.
    known : dict
        What has been gathered.
    """

    paths: PathLike | Sequence[PathLike]
    symbols: list[str] | None
    format: str | None
    columns: Mapping[str, str] | None
    known: dict[tuple[Any, ...], Inputs] = field(default_factory=dict)

    def gathered(self, settings: Settings) -> Inputs:
        """The chains in the market that these settings make of the files."""
        key = tuple(getattr(settings, name) for name in _GATHERED_BY)
        if key not in self.known:
            self.known[key] = gather_units(
                self.paths, settings=settings, symbols=self.symbols, format=self.format, columns=self.columns
            )
        return self.known[key]


@dataclass(slots=True)
class ChainReader:
    """One symbol's chain at the choice that the steps have come to; fitted once for each fit they need.

    Attributes
    ----------
    files : ChainFiles
    unit : Unit
    choice : Choice
        The last one by which something could be read.
    fits : list of Surface
        What has been fitted.
    """

    files: ChainFiles
    unit: Unit
    choice: Choice
    fits: list[Surface] = field(default_factory=list)

    def surface(self, settings: Settings) -> Surface:
        """The chain as fitted, or read again, by other settings."""
        for fit in self.fits:
            if not needs_refit(fit.settings, settings):
                return fit.under(settings)
        key = (self.unit.date, self.unit.symbol, self.unit.series)
        units = self.files.gathered(settings).units
        same = next(unit for unit in units if (unit.date, unit.symbol, unit.series) == key)
        self.fits.append(fit_unit(same, settings=settings))
        return self.fits[-1]

    def take(self, choice: Choice, point: Point) -> Listed:
        """Go on to another choice; one by which nothing can be read is not taken."""
        found = self.read(choice, point)
        if math.isnan(found.vol):
            return Listed(math.nan, f"not taken: {found.words}")
        self.choice = choice
        return found

    def read(self, choice: Choice, point: Point) -> Listed:
        """The vol under a choice, with which option it is, or why there is none."""
        surface = self.surface(choice.settings)
        days = tenor_days(choice.tenor, settings=choice.settings)
        if choice.expiry == "nearest":
            number = nearest_expiry(surface, point, days)
            if number is None:
                return Listed(math.nan, "no expiry passes its gates at this delta")
            if choice.strike == "nearest":
                return listed_vol(surface, point, number, vols=choice.vols, deltas=choice.deltas)
            row = surface.expiries_at(point, [number]).iloc[0]
            return Listed(float(row["vol"]), f"{row['days']:.0f} days, strike {row['strike']:,.2f}")
        reading = surface.vol(tenor=choice.tenor, delta=point.text)
        if not reading.is_read or reading.resolve is None:
            return Listed(math.nan, f"{reading.flags[0]}: {reading.details['reason']}")
        if choice.strike == "smile":
            error = "" if reading.error is None else f" +- {100 * reading.error:.2f}"
            where = f"at strike {reading.details['strike']:,.2f}"
            return Listed(reading.value, f"{100 * reading.value:.3f} %{error} {where}")
        behind = reading.resolve("expiries")
        around = surface.numbers(behind[behind["is_around"]].sort_values("days"))
        ends = [listed_vol(surface, point, one, vols=choice.vols, deltas=choice.deltas) for one in around]
        words = "; ".join(end.words for end in ends)
        times = surface.expiries_at(point, around)["days"].tolist()
        return Listed(_on_the_line([end.vol for end in ends], times, days), words)


def _on_the_line(vols: Sequence[float], days: Sequence[float], at: float) -> float:
    """Vols of one or two expiries along the straight line in total variance, by the calendar."""
    if len(vols) == 1:
        return vols[0]
    share = (at - days[0]) / (days[1] - days[0])
    total = (1 - share) * vols[0] ** 2 * days[0] + share * vols[1] ** 2 * days[1]
    return math.sqrt(total / at) if total > 0 else math.nan
