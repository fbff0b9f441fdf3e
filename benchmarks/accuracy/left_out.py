"""Expiries of real chains read from their neighbours: what interpolation misses where the answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from accuracy.chains import DELTAS
from volskew.surface import Surface
from volskew.surface.expiries import Expiries
from volskew.surface.points import Point
from volskew.surface.reading import AtPoint
from volskew.surface.tenor import LINEAR, PROCESS

RULES = {
    "line, calendar": (LINEAR, "calendar"),
    "line, variance clock": (LINEAR, "variance"),
    "process, calendar": (PROCESS, "calendar"),
    "process, variance clock": (PROCESS, "variance"),
}
"""The first is what most vendors draw, the last what is read here."""

_DAYS = (20.0, 250.0)
_SAME_DAY = 0.9 / 365


def missed(surface: Surface) -> Iterator[dict[str, Any]]:
    """A row for each rule, expiry and delta: the reading without that expiry less the expiry's own [vol]."""
    own = surface._expiries  # noqa: SLF001 - what every reading is made of, here under other settings
    years = own.slices.years
    places = {
        Point("delta", delta): _one_a_day(own.at(Point("delta", delta)), years) for delta in DELTAS.values()
    }
    for name, (rule, clock) in RULES.items():
        settings = surface.settings.replace(tenor_interpolation=rule, tenor_clock=clock)
        expiries = replace(own, settings=settings, _read=dict(places), _tables={}, _said={})
        for number in np.flatnonzero((years * 365 > _DAYS[0]) & (years * 365 < _DAYS[1])).tolist():
            for row in _read_without(expiries, list(places.values()), number):
                yield {"symbol": surface.symbol, "date": surface.date.isoformat(), "rule": name, **row}


def _one_a_day(place: AtPoint, years: np.ndarray[Any, Any]) -> AtPoint:
    """Of expiries of one day the first alone: the second would give the answer away."""
    passes, last = place.passes.copy(), -np.inf
    for number in np.argsort(years):
        if passes[number] and years[number] - last < _SAME_DAY:
            passes[number] = False
        elif passes[number]:
            last = years[number]
    return replace(place, passes=passes)


def _read_without(expiries: Expiries, places: list[AtPoint], number: int) -> Iterator[dict[str, Any]]:
    tenor = expiries.slices.years[[number]]
    readings = expiries.between(places, tenor, without=[number] * len(places))
    errors, _ = expiries.errors(readings, places)
    for measure, place, vol, error in zip(DELTAS, places, readings.vol, errors, strict=True):
        if place.passes[number] and np.isfinite(vol):
            yield {
                "measure": measure,
                "days": float(tenor[0] * 365),
                "miss": float(vol - place.vol[number]),
                "error": float(np.hypot(error, place.error[number])),
            }
