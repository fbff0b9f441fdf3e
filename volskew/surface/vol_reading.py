"""One vol at a tenor and a place, with error, flags and details."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.quotes.lines import FloatArray
from volskew.surface.drill import Behind, Tables
from volskew.surface.estimate import Estimate
from volskew.surface.expiries import Expiries
from volskew.surface.labels import NO_ERROR, NO_QUOTES, ROLL, flags_of, is_roll, method_of
from volskew.surface.points import Point
from volskew.surface.reading import AtPoint
from volskew.surface.reasons import nearest, why_missing
from volskew.surface.tenor import WIDE_BRACKET, TenorReading, TenorReadings

__all__ = ["Single", "claimed", "read_several", "read_single", "read_vol"]


class Single(NamedTuple):
    """A reading with what an error that it shares with others is made of.

    Attributes
    ----------
    estimate : Estimate
    behind : Behind
    years : ndarray of float, (1,)
        The tenor [years].
    smiles : AtPoint
        All expiries at its place.
    readings : TenorReadings
        The one reading.
    """

    estimate: Estimate
    behind: Behind
    years: FloatArray
    smiles: AtPoint
    readings: TenorReadings


def read_vol(
    expiries: Expiries, tables: Tables, tenor: str, point: Point, *, names: Mapping[str, str]
) -> Estimate:
    """The vol at a tenor and a place; `names` (symbol, date) go into its details. See `Surface.vol`."""
    found = read_single(expiries, tables, tenor, point, names=names).estimate
    return replace(found)  # the details are a copy: a caller's changes to them stay his own


def read_single(
    expiries: Expiries, tables: Tables, tenor: str, point: Point, *, names: Mapping[str, str]
) -> Single:
    """The same with what is behind it; made once for a surface, so that measures share it."""
    return read_several(expiries, tables, [(tenor, point)], names=names)[0]


def read_several(
    expiries: Expiries, tables: Tables, wanted: Sequence[tuple[str, Point]], *, names: Mapping[str, str]
) -> list[Single]:
    """Readings at some tenors and places, made together: each is what it would be alone, and costs less.

    Every place is read at every tenor of `wanted`, and kept.
    """
    keys = [(canonical_tenor(tenor), point) for tenor, point in wanted]
    new = [key for key in dict.fromkeys(keys) if key not in expiries.kept]
    # a strike lies elsewhere at each tenor
    settled = [key for key in new if key[1].kind == "strike"]
    for key in settled:
        _read_all(expiries, tables, [key[0]], [key[1]], names)
    others = [key for key in new if key[1].kind != "strike"]
    if others:
        tenors, points = (list(dict.fromkeys(parts)) for parts in zip(*others, strict=True))
        _read_all(expiries, tables, tenors, points, names)
    return [expiries.kept[key] for key in keys]


def _read_all(
    expiries: Expiries,
    tables: Tables,
    tenors: Sequence[str],
    points: Sequence[Point],
    names: Mapping[str, str],
) -> None:
    """Keep the readings of every place at every tenor; of strikes there is one, and one tenor."""
    years = np.array([tenor_years(tenor, settings=expiries.settings) for tenor in tenors])
    settled = [expiries.settle(point, float(years[0])) for point in points]
    smiles = expiries.at_all(settled)
    readings = expiries.between(smiles, years)
    error, parts = expiries.errors(readings, smiles)
    place = expiries.places(readings, smiles, years)
    numbers = {
        "forward": place.forward,
        "strike": place.strike,
        "log_moneyness": place.log_moneyness,
        "weight": readings.weight,
        **parts,
    }
    cells = {name: values.tolist() for name, values in numbers.items()}
    each = [readings.one(number) for number in range(len(readings.vol))]
    beside = _from_the_next(expiries, each, smiles, years)
    n = len(expiries.slices.years)
    for number, reading in enumerate(each):
        row, column = divmod(number, len(years))
        tenor, point, at = tenors[column], settled[row], smiles[row]
        own = years[column : column + 1]
        details: dict[str, Any] = {
            "tenor": tenor,
            "delta": point.text,
            **names,
            "forward": math.nan,
            "expiry_before": expiries.date(reading.before),
            "expiry_after": expiries.date(reading.after),
            "n_quotes": 0,
            "bracket_error": reading.bracket_error,
        }
        if beside[number] is None:
            found, behind = _missing(expiries, tables, reading, float(own[0]), point, details)
        else:
            details |= {name: values[number] for name, values in cells.items()}
            behind = Behind.of(expiries, tables, readings, point, place=number, offset=n * row)
            known = claimed(expiries, float(error[number]))
            found = _estimate(expiries, reading, at, known, beside[number] or {}, details, behind)
        kept = Single(found, behind, own, at, readings.alone(number, offset=n * row))
        expiries.kept[tenor, points[row]] = kept


def _missing(
    expiries: Expiries,
    tables: Tables,
    reading: TenorReading,
    years: float,
    point: Point,
    details: dict[str, Any],
) -> tuple[Estimate, Behind]:
    """What is told of a reading that does not exist."""
    code, reason = why_missing(expiries, reading, years, point)
    behind = Behind.of_missing(expiries, tables, point, *nearest(expiries, reading, years))
    missing = Estimate(
        value=math.nan,
        flags=(str(code),),
        method=method_of(expiries, ()),
        details={**details, "reason": reason},
        resolve=behind,
    )
    return missing, behind


def _estimate(
    expiries: Expiries,
    reading: TenorReading,
    smiles: AtPoint,
    error: float | None,
    beside: Mapping[str, TenorReading],
    details: dict[str, Any],
    behind: Behind,
) -> Estimate:
    """What is told of a reading that exists."""
    pair = sorted({number for number in (reading.before, reading.after) if number is not None})
    details["n_quotes"] = int(smiles.n_points[pair].sum())
    details |= {name: other.vol for name, other in beside.items()}
    flags = flags_of(expiries, pair, smiles)
    if reading.is_wide:
        flags.add(WIDE_BRACKET)
    if error is None:
        flags.add(NO_QUOTES if expiries.by_vendor else NO_ERROR)
    if any(is_roll(reading, other, error or 0.0) for other in beside.values()):
        flags.add(ROLL)
    return Estimate(
        value=reading.vol,
        error=error,
        flags=tuple(sorted(flags)),
        method=method_of(expiries, pair),
        details=details,
        resolve=behind,
    )


def claimed(expiries: Expiries, error: float) -> float | None:
    """An error, where it can be claimed."""
    return None if expiries.by_vendor or not math.isfinite(error) else error


def _from_the_next(
    expiries: Expiries, readings: Sequence[TenorReading], smiles: Sequence[AtPoint], years: FloatArray
) -> list[dict[str, TenorReading] | None]:
    """What each reading would be from the next expiry on either side; None where there is no reading."""
    found: list[dict[str, TenorReading] | None] = [None] * len(readings)
    there = [
        number
        for number, reading in enumerate(readings)
        if reading.code is None and reading.before is not None and reading.after is not None
    ]
    if not there:
        return found
    sides = [(number, name) for number in there for name in ("before", "after")]
    places = [divmod(number, len(years)) for number, _ in sides]
    others = expiries.between(
        [smiles[row] for row, _ in places],
        np.array([[years[column]] for _, column in places]),
        without=[getattr(readings[number], name) for number, name in sides],
    )
    for position, (number, name) in enumerate(sides):
        found[number] = {**(found[number] or {}), f"without_{name}": others.one(position)}
    return found
