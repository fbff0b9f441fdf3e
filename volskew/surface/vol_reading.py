"""One vol at a tenor and a place, with error, flags and details."""

from __future__ import annotations

import math
from collections.abc import Mapping
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

__all__ = ["Single", "claimed", "read_single", "read_vol"]


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
    key = (canonical_tenor(tenor), point)
    if key not in expiries.kept:
        expiries.kept[key] = _read(expiries, tables, *key, names=names)
    found: Single = expiries.kept[key]
    return found


def _read(
    expiries: Expiries, tables: Tables, tenor: str, point: Point, *, names: Mapping[str, str]
) -> Single:
    years = np.array([tenor_years(tenor, settings=expiries.settings)])
    point = expiries.settle(point, float(years[0]))
    smiles = expiries.at(point)
    readings = expiries.between([smiles], years)
    reading = readings.one(0)
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
    if reading.code is not None or reading.before is None or reading.after is None:
        code, reason = why_missing(expiries, reading, float(years[0]), point)
        details["reason"] = reason
        behind = Behind.of_missing(expiries, tables, point, *nearest(expiries, reading, float(years[0])))
        missing = Estimate(
            value=math.nan,
            flags=(str(code),),
            method=method_of(expiries, ()),
            details=details,
            resolve=behind,
        )
        return Single(missing, behind, years, smiles, readings)
    pair = sorted({reading.before, reading.after})
    error, parts = expiries.errors(readings, [smiles])
    place = expiries.places(readings, [smiles], years)
    details |= {
        "forward": float(place.forward[0]),
        "strike": float(place.strike[0]),
        "log_moneyness": float(place.log_moneyness[0]),
        "weight": reading.weight,
        "n_quotes": int(smiles.n_points[pair].sum()),
    }
    details |= {name: float(part[0]) for name, part in parts.items()}
    flags = flags_of(expiries, pair, smiles)
    if reading.is_wide:
        flags.add(WIDE_BRACKET)
    others = _from_the_next(expiries, reading, smiles, years)
    details |= {name: other.vol for name, other in others.items()}
    known = claimed(expiries, float(error[0]))
    if known is None:
        flags.add(NO_QUOTES if expiries.by_vendor else NO_ERROR)
    if any(is_roll(reading, other, known or 0.0) for other in others.values()):
        flags.add(ROLL)
    behind = Behind.of(expiries, tables, readings, point)
    found = Estimate(
        value=reading.vol,
        error=known,
        flags=tuple(sorted(flags)),
        method=method_of(expiries, pair),
        details=details,
        resolve=behind,
    )
    return Single(found, behind, years, smiles, readings)


def claimed(expiries: Expiries, error: float) -> float | None:
    """An error, where it can be claimed."""
    return None if expiries.by_vendor or not math.isfinite(error) else error


def _from_the_next(
    expiries: Expiries, reading: TenorReading, smiles: AtPoint, years: FloatArray
) -> dict[str, TenorReading]:
    """What the reading would be from the next expiry on either side."""
    both = expiries.between([smiles, smiles], years, without=(reading.before, reading.after))
    return {"without_before": both.one(0), "without_after": both.one(1)}
