"""A chain of five expiries whose smile and term structure are not flat."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from volskew.market import session_close
from volskew.quotes.schema import conform
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface

SETTINGS = Settings(rate=0.04)


@pytest.fixture(scope="session")
def skewed_quotes() -> pd.DataFrame:
    close = session_close(dt.date(2026, 7, 10))
    parts = []
    for days in (21, 42, 77, 105, 140):
        strikes, forward, years = np.arange(70.0, 131.0), 100.0, days / 365
        k = np.log(strikes / forward) / np.sqrt(years)
        s = (0.18 + 0.05 * years - 0.05 * k + 0.06 * k * k) * np.sqrt(years)
        discount, d1 = np.exp(-0.04 * years), -np.log(strikes / forward) / s + s / 2
        call = discount * (forward * ndtr(d1) - strikes * ndtr(d1 - s))
        for is_call, price in ((True, call), (False, call - discount * (forward - strikes))):
            low = np.maximum(np.floor(price * 100 - 1), 0) / 100
            columns = {"strike": strikes, "is_call": is_call, "bid": low, "ask": low + 0.03}
            parts.append(pd.DataFrame({"expiry": close + pd.Timedelta(days=days), **columns}))
    quotes = pd.concat(parts, ignore_index=True)
    return conform(
        quotes.assign(
            snapshot_time=close, symbol="XYZ", root="XYZ", settlement="PM", exercise="european",
            underlying_price=99.0, source_file="a.csv", source_row=np.arange(len(quotes)) + 2,
        )
    )  # fmt: skip


@pytest.fixture(scope="session")
def skewed(skewed_quotes: pd.DataFrame) -> Surface:
    return fit_surface(skewed_quotes, settings=SETTINGS)
