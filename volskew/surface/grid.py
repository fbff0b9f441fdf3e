"""Many vols at once: a table by tenor and delta with errors, and the surface as a function."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.quotes.lines import FloatArray
from volskew.surface.expiries import DAYS_A_YEAR, Expiries
from volskew.surface.labels import NO_ERROR, NO_QUOTES, flags_of, method_of
from volskew.surface.points import Point, parse_point
from volskew.surface.reasons import code_of
from volskew.surface.tenor import WIDE_BRACKET

__all__ = ["GRID_DELTAS", "GRID_TENORS", "evaluate", "grid_table"]

GRID_TENORS = ("1w", "2w", "3w", "1m", "2m", "3m", "4m", "5m", "6m", "9m", "1y", "18m", "2y")
GRID_DELTAS = tuple(round(0.05 * step, 2) for step in range(1, 20))

_COLUMNS = (
    "tenor",
    "days",
    "delta",
    "vol",
    "error",
    "bid",
    "ask",
    "strike",
    "expiry_before",
    "expiry_after",
    "method",
    "flags",
    "code",
)
_TEXTS = frozenset({"tenor", "delta", "expiry_before", "expiry_after", "method", "flags", "code"})


def grid_table(expiries: Expiries, tenors: Iterable[str], deltas: Iterable[float | str]) -> pd.DataFrame:
    """The vols at every tenor and delta; see `Surface.grid`."""
    names = list(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors))
    years = np.array([tenor_years(name, settings=expiries.settings) for name in names])
    points = list(dict.fromkeys(parse_point(delta=delta) for delta in deltas))
    clock_at = expiries.clock_at(years[expiries.is_short(years)])
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    methods: dict[tuple[int, ...], str] = {}
    for point, smiles in zip(points, expiries.at_all(points), strict=True):
        readings = expiries.between(smiles, years, clock_at=clock_at)
        error, parts = expiries.errors(readings, smiles)
        read = np.isfinite(readings.vol)
        strike = expiries.places(readings, smiles, years).strike
        columns["tenor"] += names
        columns["days"] += (years * DAYS_A_YEAR).tolist()
        columns["delta"] += [point.text] * len(names)
        columns["vol"] += readings.vol.tolist()
        columns["error"] += np.where(read & (not expiries.by_vendor), error, np.nan).tolist()
        columns["bid"] += np.where(read, parts["bid"], np.nan).tolist()
        columns["ask"] += np.where(read, parts["ask"], np.nan).tolist()
        columns["strike"] += np.where(read, strike, np.nan).tolist()
        for place in range(len(names)):
            before, after = int(readings.before[place]), int(readings.after[place])
            columns["expiry_before"].append(expiries.date(before))
            columns["expiry_after"].append(expiries.date(after))
            if not read[place]:
                columns["code"].append(str(code_of(expiries, readings.one(place).code)))
                columns["method"].append("")
                columns["flags"].append("")
                continue
            pair = (before,) if before == after else (before, after)
            if pair not in methods:
                methods[pair] = method_of(expiries, pair)
            flags = flags_of(expiries, pair, smiles)
            if readings.is_wide[place]:
                flags.add(WIDE_BRACKET)
            if expiries.by_vendor or not math.isfinite(error[place]):
                flags.add(NO_QUOTES if expiries.by_vendor else NO_ERROR)
            columns["code"].append("")
            columns["method"].append(methods[pair])
            columns["flags"].append(" ".join(sorted(flags)))
    texts = {name: "str" for name in _COLUMNS if name in _TEXTS}
    table = pd.DataFrame(columns).astype(texts)
    order = {name: place for place, name in enumerate(names)}
    by_tenor = np.argsort(table["tenor"].map(order).to_numpy(), kind="stable")
    return table.iloc[by_tenor].reset_index(drop=True)


def evaluate(expiries: Expiries, years: ArrayLike, delta: ArrayLike) -> FloatArray:
    """Vols at many maturities and deltas; see `Surface.vols`."""
    time, wanted = np.broadcast_arrays(
        np.asarray(years, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    )
    out = np.full(time.size, np.nan)
    flat_time, flat_delta = time.ravel(), wanted.ravel()
    is_short = expiries.is_short(flat_time)
    nearest = np.digitize(flat_delta, (0.375, 0.625))
    for number, standard in enumerate((0.25, 0.5, 0.75)):
        passes = expiries.at(Point("delta", standard)).passes & expiries.slices.is_curve
        for short in (False, True):
            here = np.flatnonzero((nearest == number) & (is_short == short))
            if here.size:
                clock = expiries.clock if short else expiries.slices.years
                at = expiries.clock_at(flat_time[here]) if short else flat_time[here]
                out[here] = expiries.slices.curves.interpolate(
                    passes, clock, expiries.slices.years, at, ndtri(flat_delta[here]), flat_time[here],
                    table=expiries.variances,
                    linear=expiries.settings.tenor_interpolation == "linear",
                )  # fmt: skip
    return out.reshape(time.shape)
