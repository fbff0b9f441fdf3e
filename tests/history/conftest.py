"""Readings and stores for the tests of history/."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import pytest

from volskew.history import History

Readings = Callable[..., pd.DataFrame]


@pytest.fixture
def history() -> Iterator[History]:
    with History() as store:
        yield store


@pytest.fixture
def readings() -> Readings:
    """Make readings of one measure from ``{symbol: {date: value}}``."""

    def make(values: Mapping[str, Mapping[str, float]], **columns: Any) -> pd.DataFrame:
        rows = [(day, symbol, value) for symbol, days in values.items() for day, value in days.items()]
        frame = pd.DataFrame(rows, columns=["date", "symbol", "value"])
        defaults = {"measure": "implied_vol", "tenor": "3m", "delta": "0.25"}
        return frame.assign(**{**defaults, **columns})

    return make
