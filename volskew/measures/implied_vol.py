"""Implied vol at a constant maturity and a place on the smile; and the same from all bids and from all asks.

A vol read from all bids, or all asks, bounds what could be traded: it is no estimate of anything, and has no
error. Quotes do not err together, so the error of the reading itself is many times smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from volskew.ledger import Code, Entry, Stage
from volskew.measures.definition import Explain, Measure, Read
from volskew.surface import Estimate, Surface
from volskew.surface.labels import NO_ERROR, NO_QUOTES, ROLL

__all__ = ["BOUND", "MEASURES"]

BOUND = "BOUND"
"""Flag of a number that bounds what could be traded: it has no error."""

_NO_BOUND = "no vol from all {side}s: an expiry is read from a local fit, or from a vendor's vols"


def _read(surface: Surface, *, tenor: str, delta: str) -> Estimate:
    return surface.vol(tenor=tenor, delta=delta)


def _explain(surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
    return surface.failures(tenor=tenor, delta=delta)


def _read_side(side: str) -> Read:
    """Reads the vol from all bids, or from all asks."""

    def read(surface: Surface, *, tenor: str, delta: str) -> Estimate:
        reading = surface.vol(tenor=tenor, delta=delta)
        if not reading.is_read:
            return reading
        value = math.nan if NO_QUOTES in reading.flags else float(reading.details[side])
        if not (math.isfinite(value) and value > 0.0):
            details = {**reading.details, "reason": _NO_BOUND.format(side=side)}
            code = (str(Code.NO_BOUND),)
            return replace(reading, value=math.nan, error=None, flags=code, details=details)
        # what an error or a roll is measured by belongs to the reading, not to its bounds
        flags = {BOUND, *reading.flags} - {NO_ERROR, ROLL}
        return replace(reading, value=value, error=None, flags=tuple(sorted(flags)))

    return read


def _explain_side(read: Read) -> Explain:
    def explain(surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
        found = surface.failures(tenor=tenor, delta=delta)
        bound = read(surface, tenor=tenor, delta=delta)
        if str(Code.NO_BOUND) in bound.flags:
            detail = f"{tenor} {delta}: {bound.details['reason']}"
            code = str(Code.NO_BOUND)
            entry = Entry(surface.date, surface.symbol, str(Stage.TENOR), code, 1, detail, surface.source)
            found.insert(0, entry)
        return found

    return explain


def _measure(name: str, title: str, formula: str, read: Read, explain: Callable[..., list[Entry]]) -> Measure:
    return Measure(
        name=name,
        title=title,
        formula=formula,
        unit="vol",
        tenor="one",
        delta="any",
        read=read,
        explain=explain,
    )


def _side(side: str) -> Measure:
    read = _read_side(side)
    title = f"implied vol from all {side}s, a bound of what could be traded [decimal, annual]"
    return _measure(f"implied_vol_{side}", title, f"vol(d), every mid its {side}", read, _explain_side(read))


MEASURES = (
    _measure(
        "implied_vol",
        "implied vol at constant maturity and delta [decimal, annual]",
        "vol(d)",
        _read,
        _explain,
    ),
    _side("bid"),
    _side("ask"),
)
