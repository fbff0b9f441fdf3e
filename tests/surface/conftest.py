"""Chains with a known answer: European prices from a smile that is not a parabola in d1."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from volskew.market import session_close
from volskew.quotes.schema import conform

DAY = dt.date(2026, 7, 10)
RATE = 0.04

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Market:
    """A raw-SVI smile in total variance, scaled over maturities, and a forward with a carry."""

    spot: float = 525.0
    carry: float = 0.035
    level: float = 0.19
    slope: float = 0.02
    rho: float = -0.55
    step: float = 5.0
    rate: float = RATE

    def forward(self, years: float) -> float:
        return float(self.spot * np.exp(self.carry * years))

    def vol(self, log_moneyness: Floats, years: float) -> Floats:
        """A hyperbola whose width grows with the square root of time, so that deltas keep their vols."""
        width = 0.10 * np.sqrt(years / 0.25)
        y = (log_moneyness - 0.1 * width) / width
        shape = 1 + 0.45 * (self.rho * y + np.sqrt(y * y + 0.5))
        vol: Floats = (self.level + self.slope * (years - 0.25)) * np.sqrt(shape)
        return vol

    def vol_at_delta(self, delta: float, years: float) -> float:
        """The exact reading: the root of N(d1(k, vol(k))) = delta."""

        def miss(k: float) -> float:
            s = float(self.vol(np.array(k), years)) * np.sqrt(years)
            return float(ndtr(-k / s + s / 2) - delta)

        return float(self.vol(np.array(brentq(miss, -1.0, 1.0, xtol=1e-14)), years))

    def reading(self, delta: float, days: Sequence[float], tenor: float = 91.0) -> float:
        """The exact vols of two expiries, interpolated as the method says."""
        first, last = days
        w = [self.vol_at_delta(delta, day / 365) ** 2 * day / 365 for day in days]
        share = (tenor - first) / (last - first)
        return float(np.sqrt(((1 - share) * w[0] + share * w[1]) / (tenor / 365)))


def build_chain(
    market: Market,
    *,
    days: Sequence[int] = (84, 98),
    half_spread: float = 0.02,
    width: float = 0.30,
    symbol: str = "QQQ",
    exercise: str = "european",
    scale: float = 1.0,
) -> pd.DataFrame:
    """Canonical quotes: bid and ask in whole cents around the exact price."""
    close = session_close(DAY)
    parts = []
    for day in days:
        years = day / 365
        forward, discount = market.forward(years), np.exp(-market.rate * years)
        strikes = np.arange(
            np.ceil(market.spot * (1 - width) / market.step),
            np.floor(market.spot * (1 + width) / market.step) + 1,
        )
        strikes = strikes * market.step
        s = market.vol(np.log(strikes / forward), years) * np.sqrt(years)
        d1 = np.log(forward / strikes) / s + s / 2
        call = discount * (forward * ndtr(d1) - strikes * ndtr(d1 - s))
        put = call - discount * (forward - strikes)
        for is_call, price in ((True, call), (False, put)):
            half = half_spread + 0.002 * price
            parts.append(
                pd.DataFrame(
                    {
                        "expiry": close + pd.Timedelta(days=day),
                        "strike": strikes * scale,
                        "is_call": is_call,
                        "bid": np.maximum(np.floor((price - half) * 100) / 100, 0.0) * scale,
                        "ask": np.ceil((price + half) * 100) / 100 * scale,
                    }
                )
            )
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.assign(
        snapshot_time=close,
        symbol=symbol,
        root=symbol,
        settlement="PM",
        exercise=exercise,
        underlying_price=market.spot * scale,
        multiplier=100.0,
        source_file="synthetic",
        source_row=np.arange(len(frame)) + 2,
    )
    return conform(frame)


@pytest.fixture(scope="session")
def qqq_like() -> Market:
    return Market()


@pytest.fixture(scope="session")
def iwm_like() -> Market:
    return Market(spot=212.0, carry=0.025, level=0.23, slope=0.01, rho=-0.30, step=1.0)


@pytest.fixture(scope="session")
def make_chain() -> Callable[..., pd.DataFrame]:
    return build_chain
