"""The library on a simulated chain: what it reads beside the truth."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

import volskew as vs
from accuracy.chains import DAYS, DELTAS, TENOR, Sample
from volskew.surface import Estimate, Surface

NAME = "volskew"


def scored(sample: Sample) -> list[dict[str, Any]]:
    """A row for each measure: ``value, truth, error`` (decimal vols, dollars), ``flags, code, seconds``."""
    started = time.perf_counter()
    surface = vs.fit_surface(sample.quotes, market=sample.market, previous=sample.previous)
    estimates = {name: surface.vol(tenor=TENOR, delta=delta) for name, delta in DELTAS.items()}
    seconds = time.perf_counter() - started
    rows = [
        _row(
            name,
            value=estimate.value,
            truth=sample.vols[name],
            error=math.nan if estimate.error is None else estimate.error,
            flags=" ".join(estimate.flags) if estimate.is_read else "",
            code="" if estimate.is_read else " ".join(estimate.flags),
        )
        for name, estimate in estimates.items()
    ]
    between = reversal(surface)
    rows.append(
        _row(
            "rr",
            value=between.value,
            truth=sample.vols["25p"] - sample.vols["25c"],
            error=math.nan if between.error is None else between.error,
            flags=" ".join(between.flags) if between.is_read else "",
            code="" if between.is_read else " ".join(between.flags),
        )
    )
    rows += _forwards(surface, sample)
    return [row | {"method": NAME, "seconds": seconds} for row in rows]


def reversal(surface: Surface) -> Estimate:
    """The put's vol less the call's, with the joint error of both."""
    return surface.joint([(TENOR, DELTAS["25p"]), (TENOR, DELTAS["25c"])]).combine([1.0, -1.0])


def _forwards(surface: Surface, sample: Sample) -> list[dict[str, Any]]:
    """The expiries that stand around the tenor, whether or not the reading was made from them."""
    table = surface.forwards
    by_date = {date: row for row, date in enumerate(table["expiry"].dt.strftime("%Y-%m-%d"))}
    rows = []
    for name, date in around(sample).items():
        here = table.iloc[by_date[date]] if date in by_date else None
        value = math.nan if here is None else float(here["forward"])
        read = here is not None and math.isfinite(value)
        rows.append(
            _row(
                name,
                value=value,
                truth=float(sample.forwards[date]),
                error=float(here["forward_error"]) if read else math.nan,
                flags=str(here["flags"]) if read else "",
                code="" if read else "NO_EXPIRY" if here is None else str(here["flags"]),
            )
        )
    return rows


def around(sample: Sample) -> dict[str, str]:
    """The listed expiries next to the tenor, by measure."""
    dates = sample.forwards.index.to_numpy(dtype="datetime64[D]")
    after = int(np.searchsorted(dates, np.datetime64(sample.date) + DAYS))
    return {
        name: str(sample.forwards.index[place])
        for name, place in (("forward_before", after - 1), ("forward_after", after))
        if 0 <= place < len(dates)
    }


def _row(measure: str, **values: Any) -> dict[str, Any]:
    return {"measure": measure, **values}
