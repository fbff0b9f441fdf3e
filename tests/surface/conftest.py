"""Chains with a known answer: prices from a smile that is not a parabola in d1.

European prices are Black's at the smile's vol. American ones hold the early-exercise premium at that vol on
top, of `volskew.pricing` at its highest accuracy (tests/pricing holds that against others). The forwards are
those of `Market.forward`, which knows nothing of pricers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from volskew.market import session_close, session_open
from volskew.market.projection import Dividend
from volskew.market.rates import DiscountCurve
from volskew.market.table import MarketRow, market_row
from volskew.pricing import american, discrete
from volskew.quotes.schema import conform

DAY = dt.date(2026, 7, 10)
RATE = 0.04

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Market:
    """A raw-SVI smile in total variance, scaled over maturities, and a forward with a carry.

    `carry` is the rate less the yield that is paid beside the cash `dividends`, each given by the days to its
    ex-date and its amount.
    """

    spot: float = 525.0
    carry: float = 0.035
    level: float = 0.19
    slope: float = 0.02
    rho: float = -0.55
    step: float = 5.0
    rate: float = RATE
    dividends: tuple[tuple[int, float], ...] = ()

    @property
    def schedule(self) -> list[tuple[float, float]]:
        """Years to the open of each ex-date, and the amount."""
        close = session_close(DAY)
        opens = [session_open(DAY + dt.timedelta(days=days)) for days, _ in self.dividends]
        return [
            ((open_ - close) / pd.Timedelta(days=365), amount)
            for open_, (_, amount) in zip(opens, self.dividends, strict=True)
        ]

    def forward(self, years: float) -> float:
        paid = sum(amount * np.exp(-self.carry * when) for when, amount in self.schedule if when < years)
        return float((self.spot - paid) * np.exp(self.carry * years))

    def premium(self, strikes: Floats, years: float, vol: Floats, *, is_call: bool) -> Floats:
        """What American options are worth beside European ones of the same vol [$]."""
        given: dict[str, Any] = {
            "spot": self.spot, "strike": strikes, "time_to_expiry": years, "vol": vol, "rate": self.rate,
            "dividend_yield": self.rate - self.carry, "is_call": is_call, "accuracy": "high",
        }  # fmt: skip
        if any(when < years for when, _ in self.schedule):
            found = discrete.values(**given, dividends=self.schedule)
        else:
            found = american.values(**given)
        premium: Floats = found.early_exercise_premium
        return premium

    def row(self, *, symbol: str = "QQQ", knows_dividends: bool = True, extra: float = 0.0) -> MarketRow:
        """The market row of this market; `extra` dollars are added to each dividend that it tells."""
        told = [
            Dividend(DAY + dt.timedelta(days=days), amount + extra, is_projected=True)
            for days, amount in self.dividends
        ]
        return market_row(
            DAY,
            curve=DiscountCurve.flat(self.rate),
            dividends={symbol: told} if knows_dividends else None,
        )

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
    """Canonical quotes: bid and ask in whole cents around the exact price, which `last` holds."""
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
        vol = market.vol(np.log(strikes / forward), years)
        s = vol * np.sqrt(years)
        d1 = np.log(forward / strikes) / s + s / 2
        call = discount * (forward * ndtr(d1) - strikes * ndtr(d1 - s))
        put = call - discount * (forward - strikes)
        for is_call, european in ((True, call), (False, put)):
            price = european
            if exercise == "american":
                price = european + market.premium(strikes, years, vol, is_call=is_call)
            half = half_spread + 0.002 * price
            parts.append(
                pd.DataFrame(
                    {
                        "expiry": close + pd.Timedelta(days=day),
                        "strike": strikes * scale,
                        "is_call": is_call,
                        "bid": np.maximum(np.floor((price - half) * 100) / 100, 0.0) * scale,
                        "ask": np.ceil((price + half) * 100) / 100 * scale,
                        "last": price * scale,
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


def requote(
    quotes: pd.DataFrame, generator: np.random.Generator, *, half_spread: float = 0.02
) -> pd.DataFrame:
    """The same prices quoted anew: mids anywhere within the spread, bid and ask in whole cents."""
    price = quotes["last"].to_numpy(dtype=np.float64)
    half = half_spread + 0.002 * price
    mid = price + generator.uniform(-half, half)
    return quotes.assign(
        bid=np.maximum(np.round(mid - half, 2), 0.0), ask=np.maximum(np.round(mid + half, 2), 0.01)
    )


@pytest.fixture(scope="session")
def qqq_like() -> Market:
    return Market()


@pytest.fixture(scope="session")
def iwm_like() -> Market:
    return Market(spot=212.0, carry=0.025, level=0.23, slope=0.01, rho=-0.30, step=1.0)


QUARTERS = (45, 136, 227, 318)
"""Days to ex-dates in the middle between monthly expiries; +45 is the day before the one at 91 days."""


@pytest.fixture(scope="session")
def markets(qqq_like: Market, iwm_like: Market) -> dict[str, Market]:
    """Markets of American options: by continuous yield [%], or by cash dividends and a small yield."""
    fine = replace(qqq_like, step=2.5)
    cash: dict[str, Market] = {}
    for name, base, amount, carry in (("QQQ", fine, 0.75, 0.039), ("IWM", iwm_like, 0.65, 0.038)):
        for when, later in (("mid", 0), ("last", 45)):
            paid = tuple((days + later, amount) for days in QUARTERS)
            cash[f"{name} {when}"] = replace(base, carry=carry, dividends=paid)
    yields = {f"{q:g}": replace(fine, carry=RATE - q / 100) for q in (0.5, 1.1, -0.4, 3.0)}
    return {**yields, **cash}


@pytest.fixture(scope="session")
def quote_anew() -> Callable[..., pd.DataFrame]:
    return requote


@pytest.fixture(scope="session")
def make_chain() -> Callable[..., pd.DataFrame]:
    return build_chain
