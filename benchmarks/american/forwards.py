"""Forwards from noisy American chains: how far off, and on which side, naive parity and the library are."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
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
_QUARTERS_BACK = 8
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
    """Both funds, yield and cash, 91 days and a year; every draw is a chain of both expiries.

    Draws come in pairs with opposite noise, whose mean says more of a bias than two that are independent.
    """
    found = []
    for number, fund in enumerate(sets.FUNDS):
        for style, dividends in enumerate(("yield", "cash")):
            cash = dividends == "cash"
            options = _exact_chain(exact, fund, cash=cash)
            rng = np.random.default_rng([sets.SEED, 7, number, style])
            with tempfile.TemporaryDirectory() as folder:
                settings = _settings(fund, Path(folder), cash=cash)
                misses = np.array([_pair(options, settings, rng) for _ in range(draws // 2)])
            for column, days in enumerate(EXPIRIES):
                for row, method in enumerate(METHODS):
                    found.append(_bias(misses[:, :, row, column], fund.name, dividends, days, method))
    return found


def _bias(misses: Floats, fund: str, dividends: str, days: int, method: str) -> Bias:
    """Of errors in rows of two with opposite noise."""
    known = misses[np.isfinite(misses)]
    pairs = misses[np.isfinite(misses).all(axis=1)].mean(axis=1)
    deviation = float(known.std(ddof=1)) if known.size > 1 else math.nan
    pair_error = float(pairs.std(ddof=1)) / math.sqrt(pairs.size) if pairs.size > 1 else math.nan
    return Bias(
        fund=fund,
        dividends=dividends,
        days=days,
        method=method,
        bias=float(pairs.mean()) if pairs.size else math.nan,
        bias_error=pair_error,
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


def quoted(price: Floats, noise: Floats, tick: float = TICK) -> tuple[Floats, Floats]:
    """Bid and ask [$] in whole ticks around a mid that is off by `noise` half-spreads (-1 to 1)."""
    half = _HALF_SPREAD[0] + _HALF_SPREAD[1] * price
    mid = price + noise * half
    bid = np.maximum(np.floor((mid - half) / tick), 0.0) * tick
    return bid, np.maximum(np.ceil((mid + half) / tick) * tick, bid + tick)


def _settings(fund: sets.Fund, folder: Path, *, cash: bool) -> vs.Settings:
    """The rate and, where the fund pays cash and the library reads them, its dividends."""
    known: dict[str, Any] = {"rate": fund.rate}
    if cash and "dividends_files" in vs.Settings.__dataclass_fields__:
        file = folder / "dividends.csv"
        file.write_text(dividends_file(fund), encoding="utf-8")
        known["dividends_files"] = (str(file),)
    return vs.Settings(**known)


def dividends_file(fund: sets.Fund) -> str:
    """Quarterly dividends, all declared, from more than a year ago to after the last expiry."""
    lines = ["symbol,ex_date,amount,declaration_date"]
    for quarter in range(-_QUARTERS_BACK, math.ceil(max(EXPIRIES) / sets.QUARTER) + 1):
        ex_date = SESSION + dt.timedelta(days=fund.first_ex_day + quarter * sets.QUARTER)
        declared = min(SESSION, ex_date - dt.timedelta(days=14))
        lines.append(f"{_symbol(fund)},{ex_date},{fund.cash},{declared}")
    return "\n".join(lines) + "\n"


def _symbol(fund: sets.Fund) -> str:
    return fund.name.split("-")[0]


def _pair(options: Options, settings: vs.Settings, rng: np.random.Generator) -> list[list[list[float]]]:
    noise = rng.uniform(-1.0, 1.0, options.price.size)
    return [_one(options, settings, noise), _one(options, settings, -noise)]


def _one(options: Options, settings: vs.Settings, noise: Floats) -> list[list[float]]:
    """Errors of the forward [bp] of one noisy chain: by method, by expiry."""
    bid, ask = quoted(options.price, noise)
    surface = vs.fit_surface(_table(options, bid, ask), settings=settings)
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


def _table(options: Options, bid: Floats, ask: Floats) -> pd.DataFrame:
    symbol = next(_symbol(fund) for fund in sets.FUNDS if fund.spot == options.spot[0])
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
