"""Why there is no reading, and which nearer expiries one had to look over."""

from __future__ import annotations

import numpy as np

from volskew.ledger import Code, Stage
from volskew.quotes.lines import FloatArray
from volskew.surface.expiries import DAYS_A_YEAR, Expiries
from volskew.surface.gates import FORWARD_CODES
from volskew.surface.points import Point
from volskew.surface.tenor import TenorReading

__all__ = ["code_of", "looked_over", "nearest", "why_missing"]

_HALF_A_DAY = 0.5 / DAYS_A_YEAR
"""An expiry on the day of the tenor stands on both sides of it."""
_NEAREST_NAMED = 3
"""Failed expiries named beside a missing reading."""


def code_of(expiries: Expiries, code: Code | None) -> Code:
    """The code of a missing reading: that of the interpolation, but where no line is left at all."""
    if not expiries.has_quotes:
        return Code.NO_QUOTES_LEFT
    return code or Code.NO_FIT


def why_missing(expiries: Expiries, reading: TenorReading, tenor: float, point: Point) -> tuple[Code, str]:
    """Code and sentence of a missing reading: what the nearest expiry on the side that lacks one failed."""
    code = code_of(expiries, reading.code)
    if code is Code.NO_QUOTES_LEFT:
        return code, code.meaning
    smiles, slices = expiries.at(point), expiries.slices
    if code is Code.CAL_ARB and reading.before is not None and reading.after is not None:
        return code, (
            f"total variance falls from vol {smiles.vol[reading.before]:.4f} at "
            f"{slices.names[reading.before]} to {smiles.vol[reading.after]:.4f} at "
            f"{slices.names[reading.after]}"
        )
    number = _nearest_on_a_side(slices.years, tenor, before=code is Code.NO_EXPIRY_BEFORE)
    if number is None:
        return code, f"{code.meaning}: the chain has none on that side of {tenor * DAYS_A_YEAR:g} days"
    failed = smiles.failures(number, slices, expiries.settings)
    why = "; ".join(f"{failure.code} ({failure.detail})" for failure in failed)
    return code, f"{code.meaning}; the nearest, {slices.names[number]}, failed {why}"


def nearest(expiries: Expiries, reading: TenorReading, tenor: float) -> tuple[list[int], list[int]]:
    """The expiries around a tenor that has no reading, and those that were looked over.

    On either side that of the reading where it has one, else the nearest, whatever it failed.
    """
    years = expiries.slices.years
    sides = [
        _nearest_on_a_side(years, tenor, before=before) if used is None else used
        for used, before in ((reading.before, True), (reading.after, False))
    ]
    over = [number for number in _nearer(years, reading, tenor) if years[number] > 0.0]
    return sorted({number for number in sides if number is not None}), over


def _nearest_on_a_side(years: FloatArray, tenor: float, *, before: bool) -> int | None:
    """The expiry nearest to a tenor on one side of it, whatever it failed; those that have expired aside."""
    side = years < tenor + _HALF_A_DAY if before else years > tenor - _HALF_A_DAY
    candidates = np.flatnonzero(side & (years > 0.0))
    return int(candidates[np.abs(years[candidates] - tenor).argmin()]) if len(candidates) else None


def looked_over(
    expiries: Expiries, reading: TenorReading, tenor: float, point: Point
) -> list[tuple[Stage, Code, str]]:
    """Gates failed by the expiries that stand nearer to a tenor than those used, or nearest where none is.

    Without those failed whatever is read, which are in the surface's ledger.
    """
    smiles, slices = expiries.at(point), expiries.slices
    return [
        (
            Stage.FORWARD if failure.code in FORWARD_CODES else Stage.SMILE,
            failure.code,
            f"{slices.names[number]}: {failure.detail}",
        )
        for number in _nearer(slices.years, reading, tenor)
        for failure in smiles.failures(number, slices, expiries.settings)
        if failure not in slices.failures[number]
    ]


def _nearer(years: FloatArray, reading: TenorReading, tenor: float) -> list[int]:
    """Expiries between the two used, or between the tenor and the nearest used."""
    low = years[reading.before] if reading.before is not None else -np.inf
    high = years[reading.after] if reading.after is not None else np.inf
    between = [int(number) for number in np.flatnonzero((years > low) & (years < high))]
    if reading.code in {Code.NO_EXPIRY_BEFORE, Code.NO_EXPIRY_AFTER}:
        between = sorted(between, key=lambda number: abs(years[number] - tenor))[:_NEAREST_NAMED]
    return sorted(between)
