"""One vol at a tenor and a place, with error, flags and details; and the vol between two tenors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from volskew.ledger import Code
from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.quotes.lines import FloatArray
from volskew.surface.drill import Behind, Tables
from volskew.surface.estimate import Estimate
from volskew.surface.expiries import Expiries
from volskew.surface.labels import NO_ERROR, NO_QUOTES, ROLL, flags_of, is_roll, method_of
from volskew.surface.points import Point
from volskew.surface.reading import AtPoint
from volskew.surface.reasons import nearest, why_missing
from volskew.surface.tenor import WIDE_BRACKET, TenorReading

__all__ = ["read_forward_vol", "read_vol"]


def read_vol(
    expiries: Expiries, tables: Tables, tenor: str, point: Point, *, names: Mapping[str, str]
) -> Estimate:
    """The vol at a tenor and a place; `names` (symbol, date) go into its details. See `Surface.vol`."""
    return _read(expiries, tables, tenor, point, names=names)[0]


def _read(
    expiries: Expiries, tables: Tables, tenor: str, point: Point, *, names: Mapping[str, str]
) -> tuple[Estimate, Behind]:
    """The reading, and what stands behind it."""
    years = np.array([tenor_years(tenor, settings=expiries.settings)])
    point = expiries.settle(point, float(years[0]))
    smiles = expiries.at(point)
    readings = expiries.between([smiles], years)
    reading = readings.one(0)
    details: dict[str, Any] = {
        "tenor": canonical_tenor(tenor),
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
        return missing, behind
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
    known = _known(expiries, float(error[0]))
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
    return found, behind


def read_forward_vol(
    expiries: Expiries, tables: Tables, tenors: tuple[str, str], point: Point, *, names: Mapping[str, str]
) -> Estimate:
    """The vol between two tenors, the first shorter, at a constant delta. See `Surface.forward_vol`."""
    read = [_read(expiries, tables, tenor, point, names=names) for tenor in tenors]
    both, parts = [reading for reading, _ in read], [behind for _, behind in read]
    unread = Behind.together(parts, (math.nan, math.nan))
    first, last = (tenor_years(tenor, settings=expiries.settings) for tenor in tenors)
    details: dict[str, Any] = {
        "start": canonical_tenor(tenors[0]),
        "end": canonical_tenor(tenors[1]),
        "delta": point.text,
        "vol_start": both[0].value,
        "vol_end": both[1].value,
    }
    missing = [reading for reading in both if not reading.is_read]
    if missing:
        details["reason"] = missing[0].details["reason"]
        return Estimate(
            value=math.nan,
            flags=missing[0].flags,
            details=details,
            method=missing[0].method,
            resolve=unread,
        )
    w = [reading.value**2 * t for reading, t in zip(both, (first, last), strict=True)]
    if w[1] <= w[0]:
        details["reason"] = f"total variance falls from {w[0]:.6f} to {w[1]:.6f}"
        return Estimate(
            value=math.nan,
            flags=(str(Code.CAL_ARB),),
            details=details,
            method=both[1].method,
            resolve=unread,
        )
    value = math.sqrt((w[1] - w[0]) / (last - first))
    # what the forward vol moves by as either reading does
    span = value * (last - first)
    rates = [reading.value * t / span for reading, t in zip(both, (first, last), strict=True)]
    behind = Behind.together(parts, (-rates[0], rates[1]))
    share, own = np.array(behind.shares), expiries.at(point).error[list(behind.numbers)]
    used = share != 0
    bracket = [
        reading.details["bracket_error"] * reading.value * t / span
        for reading, t in zip(both, (first, last), strict=True)
    ]
    error = math.sqrt(float(((share[used] * own[used]) ** 2).sum()) + sum(b**2 for b in bracket))
    return Estimate(
        value=value,
        error=_known(expiries, error),
        flags=tuple(sorted({flag for reading in both for flag in reading.flags})),
        method=both[1].method,
        details=details,
        resolve=behind,
    )


def _known(expiries: Expiries, error: float) -> float | None:
    """An error that can be claimed."""
    return None if expiries.by_vendor or not math.isfinite(error) else error


def _from_the_next(
    expiries: Expiries, reading: TenorReading, smiles: AtPoint, years: FloatArray
) -> dict[str, TenorReading]:
    """What the reading would be from the next expiry on either side."""
    both = expiries.between([smiles, smiles], years, without=(reading.before, reading.after))
    return {"without_before": both.one(0), "without_after": both.one(1)}
