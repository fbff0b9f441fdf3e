"""Forwards from noisy American chains: how far off, and on which side, naive parity and the library are."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from american import sets
from american.measure import Exact, Floats
from american.options import Options

import volskew as vs
from volskew.market.clock import session_close
from volskew.market.expiry import expiry_instants
from volskew.quotes.schema import conform

METHODS = ("naive parity", "fit_surface")
EXPIRIES = {91: "91 days", 364: "one year"}
SESSION = dt.date(2026, 6, 5)
TICK = 0.01

_STEPS = 200
_NEAR_PAIRS = 12
_HALF_SPREAD = (0.02, 0.004)


@dataclass(frozen=True)
class Bias:
    """Over the draws: mean error of the forward, its standard error, and the deviation of one [bp]."""

    fund: str
    dividends: str
    days: int
    method: str
    bias: float
    bias_error: float
    deviation: float
    draws: int
    missing: int


def measure(exact: Exact, draws: int) -> list[Bias]:
    """Both funds, yield and cash, 91 days and a year; every draw is a chain of both expiries."""
    found = []
    for number, fund in enumerate(sets.FUNDS):
        for style, dividends in enumerate(("yield", "cash")):
            options = _exact_chain(exact, fund, cash=dividends == "cash")
            rng = np.random.default_rng([sets.SEED, 7, number, style])
            misses = np.array([_one(options, fund, rng) for _ in range(draws)])
            for column, days in enumerate(EXPIRIES):
                for row, method in enumerate(METHODS):
                    found.append(_bias(misses[:, row, column], fund.name, dividends, days, method))
    return found


def _bias(misses: Floats, fund: str, dividends: str, days: int, method: str) -> Bias:
    known = misses[np.isfinite(misses)]
    deviation = float(known.std(ddof=1)) if known.size > 1 else math.nan
    return Bias(
        fund=fund,
        dividends=dividends,
        days=days,
        method=method,
        bias=float(known.mean()) if known.size else math.nan,
        bias_error=deviation / math.sqrt(known.size) if known.size else math.nan,
        deviation=deviation,
        draws=misses.size,
        missing=misses.size - known.size,
    )


def _exact_chain(exact: Exact, fund: sets.Fund, *, cash: bool) -> Options:
    parts = []
    for days in EXPIRIES:
        ex_days = tuple(range(fund.first_ex_day, days, sets.QUARTER)) if cash else None
        row = sets.market(fund, days, ex_days)
        years, forward = float(row.years[0]), float(row.forward[0])
        strike = sets.strikes(fund, forward, years, fund.level, sets.LEAST_STRIKES)
        vol = sets.smile(fund, np.log(strike / forward), years, fund.level)
        parts += [sets.filled(row, strike, vol, is_call=right) for right in (False, True)]
    options = sets.joined(parts)
    price = exact.refined(options, _STEPS, european=False) if cash else exact.prices(options)
    return options._replace(price=np.maximum(price, options.intrinsic))


def quoted(price: Floats, rng: np.random.Generator, tick: float = TICK) -> tuple[Floats, Floats]:
    """Bid and ask [$] in whole ticks around a mid that is off by up to the half-spread, uniformly."""
    half = _HALF_SPREAD[0] + _HALF_SPREAD[1] * price
    mid = price + rng.uniform(-1.0, 1.0, price.size) * half
    bid = np.maximum(np.floor((mid - half) / tick), 0.0) * tick
    return bid, np.maximum(np.ceil((mid + half) / tick) * tick, bid + tick)


def _one(options: Options, fund: sets.Fund, rng: np.random.Generator) -> list[list[float]]:
    """Errors of the forward [bp] of one noisy chain: by method, by expiry."""
    bid, ask = quoted(options.price, rng)
    surface = vs.fit_surface(_table(options, fund, bid, ask), settings=vs.Settings(rate=fund.rate))
    table: Any = surface.forwards.sort_values("time_to_expiry")
    years = table["time_to_expiry"].to_numpy()
    by_expiry = [[], []]
    for days in EXPIRIES:
        here = options.days == days
        truth = float(options.forward[here][0])
        naive = naive_parity(options.take(here), 0.5 * (bid + ask)[here])
        row = np.flatnonzero(np.abs(365 * years - days) < 0.5)
        fitted = float(table["forward"].iloc[row[0]]) if row.size else math.nan
        for found, forward in zip(by_expiry, (naive, fitted), strict=True):
            found.append(1e4 * (forward / truth - 1))
    return by_expiry


def naive_parity(options: Options, mid: Floats) -> float:
    """The median of K + (C - P)/D over the pairs nearest to it, with American mids as they stand."""
    calls, puts = options.is_call, ~options.is_call
    strike = options.strike[calls]
    implied = strike + (mid[calls] - mid[puts]) * np.exp((options.rate * options.years)[calls])
    near = np.argsort(np.abs(strike - np.median(implied)), kind="stable")[:_NEAR_PAIRS]
    return float(np.median(implied[near]))


def _table(options: Options, fund: sets.Fund, bid: Floats, ask: Floats) -> pd.DataFrame:
    symbol = fund.name.split("-")[0]
    dates = [SESSION + dt.timedelta(days=int(days)) for days in options.days]
    return conform(
        pd.DataFrame(
            {
                "snapshot_time": session_close(SESSION),
                "symbol": symbol,
                "root": symbol,
                "expiry": expiry_instants(dates),
                "settlement": "PM",
                "exercise": "american",
                "strike": options.strike,
                "is_call": options.is_call,
                "bid": bid,
                "ask": ask,
                "bid_size": 10.0,
                "ask_size": 10.0,
                "multiplier": 100.0,
                "underlying_price": options.spot,
                "source_file": "simulated",
                "source_row": np.arange(1, options.price.size + 1),
            }
        )
    )
