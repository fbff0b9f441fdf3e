"""Many vols at once: a table by tenor and delta with errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import SettingsError, shown
from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.quotes.lines import BoolArray
from volskew.surface.expiries import DAYS_A_YEAR, Expiries
from volskew.surface.labels import NO_ERROR, NO_QUOTES, flags_of, method_of
from volskew.surface.points import parse_point
from volskew.surface.reading import AtPoint
from volskew.surface.reasons import code_of
from volskew.surface.tenor import WIDE_BRACKET, TenorReadings

__all__ = ["GRID_DELTAS", "GRID_TENORS", "grid_table"]

GRID_TENORS = ("1w", "2w", "3w", "1m", "2m", "3m", "4m", "5m", "6m", "9m", "1y", "18m", "2y")
GRID_DELTAS = tuple(round(0.05 * step, 2) for step in range(1, 20))

_Item = TypeVar("_Item")
TextArray: TypeAlias = NDArray[np.object_]

_COLUMNS = {
    "tenor": "str",
    "days": "float64",
    "delta": "str",
    "vol": "float64",
    "error": "float64",
    "bid": "float64",
    "ask": "float64",
    "strike": "float64",
    "expiry_before": "str",
    "expiry_after": "str",
    "method": "str",
    "flags": "str",
    "code": "str",
}


def grid_table(expiries: Expiries, tenors: Iterable[str], deltas: Iterable[float | str]) -> pd.DataFrame:
    """The vols at every tenor and delta; see `Surface.grid`."""
    tenors, deltas = several("tenors", tenors, '["3m"]'), several("deltas", deltas, '["25c"]')
    names = list(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors))
    years = np.array([tenor_years(name, settings=expiries.settings) for name in names])
    points = list(dict.fromkeys(parse_point(delta=delta) for delta in deltas))
    if not names or not points:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS.items()})
    smiles = expiries.at_all(points)
    readings = expiries.between(smiles, years)
    read = np.isfinite(readings.vol)
    error, parts = expiries.errors(readings, smiles)
    known = read & np.isfinite(error) & (not expiries.by_vendor)
    # readings stand place by place, rows tenor by tenor
    shape = (len(points), len(years))
    rows = np.arange(readings.vol.size).reshape(shape).T.ravel()
    dates = np.array(
        [*(expiries.date(number) for number in range(len(expiries.slices.years))), ""], dtype=object
    )
    method, flags, code = _words(expiries, readings, smiles, read, known)
    columns: dict[str, Any] = {
        "tenor": np.tile(np.array(names, dtype=object), shape[0]),
        "days": np.tile(years * DAYS_A_YEAR, shape[0]),
        "delta": np.repeat(np.array([point.text for point in points], dtype=object), shape[1]),
        "vol": readings.vol,
        "error": np.where(known, error, np.nan),
        "bid": np.where(read, parts["bid"], np.nan),
        "ask": np.where(read, parts["ask"], np.nan),
        "strike": np.where(read, expiries.places(readings, smiles, years).strike, np.nan),
        "expiry_before": dates[readings.before],
        "expiry_after": dates[readings.after],
        "method": method,
        "flags": flags,
        "code": code,
    }
    return pd.DataFrame(
        {name: pd.array(columns[name][rows], dtype=kind) for name, kind in _COLUMNS.items()}, copy=False
    )


def several(name: str, given: Iterable[_Item], example: str) -> list[_Item]:
    """The items of an argument that takes several; of text the letters would be taken one by one.

    Raises
    ------
    SettingsError
        It is one text, or nothing that has items.
    """
    try:
        items = None if isinstance(given, str | bytes) else list(given)
    except TypeError:
        items = None
    if items is None:
        raise SettingsError(f"{name} must be several, such as {example}; got {shown(given)}")
    return items


def _words(
    expiries: Expiries,
    readings: TenorReadings,
    smiles: Sequence[AtPoint],
    read: BoolArray,
    known: BoolArray,
) -> tuple[TextArray, TextArray, TextArray]:
    """How each reading was made, its flags, and why it is missing; all readings of one kind at once."""
    count, n = len(read), len(expiries.slices.years)
    method, flags, code = (np.full(count, "", dtype=object) for _ in range(3))
    if not n:
        code[:] = str(code_of(expiries, readings.one(0).code))
        return method, flags, code
    row = np.repeat(np.arange(len(smiles)), count // len(smiles))
    marks = np.stack([place.is_wide + 2 * place.disagrees + 4 * ~np.isfinite(place.gap) for place in smiles])
    before, after = readings.before, readings.after
    kinds = np.stack(
        [read, before, after, marks[row, before], marks[row, after], readings.is_wide, known, readings.falls],
        axis=1,
    )
    _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    for number, place in enumerate(first.tolist()):
        same = kind == number
        if not read[place]:
            code[same] = str(code_of(expiries, readings.one(place).code))
            continue
        pair = sorted({int(before[place]), int(after[place])})
        words = flags_of(expiries, pair, smiles[row[place]])
        if readings.is_wide[place]:
            words.add(WIDE_BRACKET)
        if not known[place]:
            words.add(NO_QUOTES if expiries.by_vendor else NO_ERROR)
        method[same], flags[same] = method_of(expiries, pair), " ".join(sorted(words))
    return method, flags, code
