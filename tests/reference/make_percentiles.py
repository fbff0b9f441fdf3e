"""Regenerate ``percentiles.csv``: rolling and expanding percentiles as gs-quant works them out.

A random walk of 400 days with ties (two decimals), by ``gs_quant.timeseries.percentiles``: expanding, and
windows of 20 and 252 values (its ramp set to 0; the days of a window that is not yet full are left out).
gs-quant is no dependency of the tests: they read the file.

Run it by hand where gs-quant is installed (2.2.1 made the file):
``python tests/reference/make_percentiles.py > tests/reference/percentiles.csv``.
"""

from __future__ import annotations

import random
import sys

import pandas as pd
from gs_quant.timeseries import Window, percentiles  # type: ignore[import-not-found, unused-ignore]

COUNT = 400


def walk() -> pd.Series:
    """The values: Python's generator gives the same ones everywhere."""
    draw = random.Random(20260710)
    values, value = [], 20.0
    for _ in range(COUNT):
        value += draw.choice([-0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05])
        values.append(round(value, 2))
    return pd.Series(values, index=pd.bdate_range("2024-01-01", periods=COUNT))


def main() -> int:
    """Write the table to stdout."""
    series = walk()
    table = pd.DataFrame({"value": series})
    table["expanding"] = percentiles(series, w=Window(None, 0))
    for window in (20, 252):
        found = percentiles(series, w=Window(window, 0))
        table[f"latest_{window}"] = found.where(pd.RangeIndex(COUNT) >= window - 1)
    table.index.name = "date"
    table.to_csv(sys.stdout, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
