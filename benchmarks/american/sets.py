"""The options, from a stated seed: two funds, their expiries, strikes and skewed vols."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from american.engines import LEAST_EXTRINSIC, LEAST_VEGA
from american.options import Options
from numpy.typing import NDArray
from scipy.special import ndtr

SEED = 20260710

EXPIRIES = (7, 30, 60, 91, 182, 365, 730)
QUICK_EXPIRIES = (7, 91, 365)
DISCRETE_EXPIRIES = (30, 91, 182, 365)
QUICK_DISCRETE_EXPIRIES = (30, 91)
LEAST_STRIKES = 40
DELTAS = (0.03, 0.97)
VOLS = (0.12, 0.45)
QUARTER = 91
# days to the one ex-date before a three-month expiry
EX_DATES = {"early": 5, "mid": 45, "just before": 88}

# a third more strikes than needed: some quotes say nothing of the vol and are left out
CANDIDATES = 54
QUICK_CANDIDATES = 24
_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0)
_JITTER = 0.01


@dataclass(frozen=True)
class Fund:
    """An underlying: spot [$], rate, its dividends in either form, and how steep its smile is."""

    name: str
    spot: float
    dividend_yield: float
    cash: float
    level: float
    slope: float
    curvature: float
    first_ex_day: int
    rate: float = 0.043


FUNDS = (
    Fund("QQQ-like", 600.0, 0.005, 0.75, level=0.205, slope=0.17, curvature=0.03, first_ex_day=24),
    Fund("IWM-like", 240.0, 0.011, 0.65, level=0.225, slope=0.14, curvature=0.03, first_ex_day=20),
)


def smile(fund: Fund, log_moneyness: NDArray[np.float64], years: float, level: float) -> NDArray[np.float64]:
    """A skewed vol of the distance to the forward in standard deviations, within the range of real chains."""
    z = log_moneyness / (level * math.sqrt(years))
    return np.clip(level * (1 - fund.slope * z + fund.curvature * z * z), *VOLS)


def strikes(fund: Fund, forward: float, years: float, level: float, least: int) -> NDArray[np.float64]:
    """Strikes between the deltas, a whole step apart: the widest step that leaves `least` of them."""
    widest = 3.0 * level * math.sqrt(years) * 1.5
    for step in reversed(_STEPS):
        first, last = (
            math.ceil(forward * math.exp(-widest) / step),
            math.floor(forward * math.exp(widest) / step),
        )
        found = step * np.arange(first, last + 1)
        vol = smile(fund, np.log(found / forward), years, level)
        total = vol * math.sqrt(years)
        delta = ndtr(np.log(forward / found) / total + total / 2)
        found = found[(delta >= DELTAS[0]) & (delta <= DELTAS[1])]
        if found.size >= least:
            return found
    msg = f"no step leaves {least} strikes of {fund.name} in {365 * years:.0f} days"
    raise ValueError(msg)


def continuous(expiries: tuple[int, ...], *, least: int = CANDIDATES) -> Options:
    """Both rights at every strike, continuous yields; prices yet to be made."""
    return _made(expiries, least, cash=False)


def discrete(expiries: tuple[int, ...], *, least: int = CANDIDATES) -> Options:
    """The same with quarterly cash dividends."""
    return _made(expiries, least, cash=True)


def _made(expiries: tuple[int, ...], least: int, *, cash: bool) -> Options:
    parts = []
    for number, fund in enumerate(FUNDS):
        for days in expiries:
            rng = np.random.default_rng([SEED, number, days, int(cash)])
            level = fund.level * math.exp(rng.uniform(-0.2, 0.2))
            ex_days = tuple(range(fund.first_ex_day, days, QUARTER)) if cash else None
            row = market(fund, days, ex_days)
            years, forward = days / 365.0, float(row.forward[0])
            strike = strikes(fund, forward, years, level, least)
            for is_call in (False, True):
                jitter = rng.uniform(1 - _JITTER, 1 + _JITTER, strike.size)
                vol = np.clip(smile(fund, np.log(strike / forward), years, level) * jitter, *VOLS)
                parts.append(filled(row, strike, vol, is_call=is_call))
    return joined(parts)


def market(fund: Fund, days: int, ex_days: tuple[int, ...] | None) -> Options:
    """One row that holds a fund's market: its cash dividends at these ex-days, or with None its yield."""
    one = np.ones(1)
    known = np.array([ex_days or ()], dtype=np.float64).reshape(1, -1)
    return Options(
        price=np.nan * one,
        spot=fund.spot * one,
        strike=fund.spot * one,
        days=float(days) * one,
        rate=fund.rate * one,
        dividend_yield=(fund.dividend_yield if ex_days is None else 0.0) * one,
        is_call=one > 0,
        vol=np.nan * one,
        ex_days=known,
        amount=(0.0 if ex_days is None else fund.cash) * one,
    )


def filled(
    row: Options, strike: NDArray[np.float64], vol: NDArray[np.float64], *, is_call: bool | NDArray[np.bool_]
) -> Options:
    """A market's row for each strike."""
    many = row.take(np.zeros(strike.size, dtype=np.intp))
    right = np.broadcast_to(np.asarray(is_call, dtype=bool), strike.shape).copy()
    return many._replace(strike=strike, vol=vol, is_call=right)


def joined(parts: list[Options]) -> Options:
    widest = max(part.ex_days.shape[1] for part in parts)
    padded = [
        part._replace(
            ex_days=np.pad(
                part.ex_days, ((0, 0), (0, widest - part.ex_days.shape[1])), constant_values=np.nan
            )
        )
        for part in parts
    ]
    return Options(*(np.concatenate(columns) for columns in zip(*padded, strict=True)))


def informative(options: Options, vega: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Quotes that say something of the vol."""
    return (options.price - options.intrinsic >= LEAST_EXTRINSIC) & (vega >= LEAST_VEGA)


def fewest_strikes(options: Options) -> int:
    """Of one right, over the slices."""
    return min(
        int(np.count_nonzero(options.is_call[rows] == right))
        for rows in options.slices()
        for right in (False, True)
    )
