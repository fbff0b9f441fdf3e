"""The library on the sample market in chains/: its errors beside those that it states."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import volskew as vs
from accuracy.chains import DELTAS, TENOR
from accuracy.ours import reversal
from accuracy.tables import INTERVAL, SPREAD, SPREAD_SYMBOL
from volskew.surface import Estimate
from volskew.workflow import gather
from volskew.workflow.drill import fit_unit

FOLDER = Path(__file__).resolve().parents[2] / "chains"

_TRUTH = {"25c": "vol_25c", "atm": "vol_50", "25p": "vol_25p"}


def measured(folder: Path = FOLDER, pattern: str = "*_simulated.csv.gz") -> dict[str, Any]:
    """A row for each symbol and measure, and the pair's spread; see `summary`."""
    known = json.loads((folder / "simulated_metadata.json").read_text(encoding="utf-8"))
    weekend = float(known["variance_of_a_day_without_session"])
    rows = list(_readings(folder, pattern, float(known["rate_continuous"]), weekend))
    return {"weekend": weekend, "table": summary(pd.DataFrame(rows))}


def _readings(folder: Path, pattern: str, rate: float, weekend: float) -> Iterator[dict[str, Any]]:
    truths = pd.read_csv(folder / "simulated_truth.csv").set_index(["date", "symbol"])
    payments = folder / "simulated_dividends.csv"
    settings = vs.Settings(rate=rate, dividends_files=(str(payments),))
    for unit in gather(str(folder / "quotes" / pattern), settings=settings).units:
        surface = fit_unit(unit, settings=settings)
        truth = truths.loc[(surface.date.isoformat(), surface.symbol)]
        named = {"date": surface.date.isoformat(), "symbol": surface.symbol}
        on_its_clock = surface.under(weekend_weight=weekend)
        for name, column in _TRUTH.items():
            reading = surface.vol(tenor=TENOR, delta=DELTAS[name])
            if reading.is_read:
                again = on_its_clock.vol(tenor=TENOR, delta=DELTAS[name])
                yield named | _row(name, reading, float(truth[column]), again.value)
        one, other = reversal(surface), reversal(on_its_clock)
        if one.is_read:
            yield named | _row("rr", one, float(truth["vol_25p"] - truth["vol_25c"]), other.value)


def _row(measure: str, reading: Estimate, truth: float, on_its_clock: float) -> dict[str, Any]:
    error = math.nan if reading.error is None else reading.error
    return {
        "measure": measure,
        "miss": 1e4 * (reading.value - truth),
        "error": 1e4 * error,
        "maturity": float(reading.details.get("bracket_error", math.nan)) / error,
        "miss_on_its_clock": 1e4 * (on_its_clock - truth),
    }


def summary(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """What the errors of each symbol and measure amount to.

    Parameters
    ----------
    rows
        ``date, symbol, measure``; ``miss, error, miss_on_its_clock`` in vol basis points; ``maturity``, the
        part of the error for what lies between the expiries over the whole.

    Returns
    -------
    list of dict
        ``readings`` (count), ``bias, median, p95, worst`` (the last three without sign), ``stated`` (median
        error), ``coverage`` (of 90 % intervals), ``factor`` (by which all errors could be divided for 90 %
        of the intervals to hold the truth), ``maturity`` (its median share of the squared error; None of
        what is made of several readings), ``bias_on_its_clock, median_on_its_clock``.
    """
    groups = rows.groupby(["symbol", "measure"], sort=False)
    return [
        {"symbol": symbol, "measure": measure, **_amounts(group)} for (symbol, measure), group in groups
    ] + [{"symbol": SPREAD_SYMBOL, "measure": SPREAD, **_amounts(_spread(rows))}]


def _spread(rows: pd.DataFrame) -> pd.DataFrame:
    """The spread of the calls on the days that both are read; errors in quadrature."""
    calls = rows[rows["measure"] == "25c"].pivot_table(
        index="date", columns="symbol", values=["miss", "error", "miss_on_its_clock"]
    )
    one, other = (calls.xs(symbol, axis=1, level="symbol") for symbol in SPREAD_SYMBOL.split("-"))
    spread = (one - other).assign(error=np.hypot(one["error"], other["error"]), maturity=math.nan)
    return spread.dropna(subset=["miss", "error"])


def _amounts(group: pd.DataFrame) -> dict[str, Any]:
    size, apart = group["miss"].abs(), group["miss"].abs() / group["error"]
    own = group["miss_on_its_clock"]
    share = float((group["maturity"] ** 2).median())
    return {
        "readings": len(group),
        "bias": float(group["miss"].mean()),
        "median": float(size.median()),
        "p95": float(size.quantile(0.95)),
        "worst": float(size.max()),
        "stated": float(group["error"].median()),
        "coverage": float((apart <= INTERVAL).mean()),
        "factor": float(INTERVAL / apart.quantile(0.9)),
        "maturity": share if math.isfinite(share) else None,
        "bias_on_its_clock": float(own.mean()),
        "median_on_its_clock": float(own.abs().median()),
    }
