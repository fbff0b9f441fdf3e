"""The two funds: constants measured once on real QQQ and IWM chains of one close (2026-07-10).

The shapes reproduce the 91-day smiles of that close between 5 and 95 delta within 0.05 vol points;
half-spreads (medians by delta) and strike steps are those of its expiries of 70 to 98 days. Price levels and
dividends are made up. The data themselves are not kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from volskew.simulate.model import Shape

__all__ = ["FUNDS", "RATE", "SPREAD_DELTAS", "Fund"]

RATE: Final = 0.04
"""Continuously compounded interest rate at all maturities: what is assumed where no rate is given."""

SPREAD_DELTAS: Final = (0.02, 0.035, 0.075, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""The option's own |delta| at which `Fund.call_spreads` and the other tables give half-spreads."""

HalfSpreads = tuple[float, float, float, float, float, float, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Fund:
    """What stays the same about a fund.

    Attributes
    ----------
    symbol : str
        Ticker.
    last_price : float
        Closing price [$] on the last session.
    quarterly_dividend : float
        Mean cash amount [$] of a quarter in the last year.
    ex_earliest, ex_weekday : int
        The ex-date is the first such weekday (0 is Monday) from that day of March, June, September and
        December on.
    notice_days : int
        Calendar days from the announcement to the ex-date, at least.
    scale : float
        Typical annual scale of the jump process, decimal; the 25-delta call vol is about 0.77 of it.
    lean : float
        Sign and share with which the relative factor moves the log scale.
    shape : Shape
        The smile.
    strike_step : float
        Distance of strikes [$] in monthly expiries.
    dense_low, dense_high : float
        Strikes of quarter-end expiries are 1 $ apart between these multiples of the reference price.
    call_spreads, put_spreads : tuple of float
        Half-spreads [$] of monthly expiries at `SPREAD_DELTAS`.
    quarterly_call_spreads, quarterly_put_spreads : tuple of float
        The same for quarter-end expiries.
    open_interest, quarterly_open_interest : float
        Median open interest [contracts] of a line.
    """

    symbol: str
    last_price: float
    quarterly_dividend: float
    ex_earliest: int
    ex_weekday: int
    notice_days: int
    scale: float
    lean: float
    shape: Shape
    strike_step: float
    dense_low: float
    dense_high: float
    call_spreads: HalfSpreads
    put_spreads: HalfSpreads
    quarterly_call_spreads: HalfSpreads
    quarterly_put_spreads: HalfSpreads
    open_interest: float
    quarterly_open_interest: float


FUNDS: Final = (
    Fund(
        symbol="QQQ",
        last_price=688.15,
        quarterly_dividend=0.96,
        ex_earliest=18,
        ex_weekday=0,
        notice_days=21,
        scale=0.285,
        lean=0.5,
        shape=Shape(
            diffusion=0.195,
            small_rate=4.3,
            small_mean=0.19,
            small_sd=0.246,
            large_rate=0.27,
            large_mean=0.80,
            large_sd=0.89,
        ),
        strike_step=5.0,
        dense_low=0.95,
        dense_high=1.10,
        call_spreads=(0.055, 0.060, 0.062, 0.068, 0.077, 0.094, 0.096, 0.110, 0.180, 0.50, 1.33, 1.85),
        put_spreads=(0.045, 0.052, 0.073, 0.080, 0.095, 0.107, 0.125, 0.160, 0.70, 1.25, 1.32, 1.70),
        quarterly_call_spreads=(
            0.095,
            0.105,
            0.120,
            0.135,
            0.155,
            0.170,
            0.185,
            0.340,
            0.54,
            0.61,
            1.39,
            1.72,
        ),
        quarterly_put_spreads=(
            0.090,
            0.100,
            0.115,
            0.135,
            0.160,
            0.170,
            0.200,
            0.205,
            0.87,
            0.91,
            0.95,
            1.58,
        ),
        open_interest=350.0,
        quarterly_open_interest=45.0,
    ),
    Fund(
        symbol="IWM",
        last_price=224.60,
        quarterly_dividend=0.67,
        ex_earliest=15,
        ex_weekday=1,
        notice_days=26,
        scale=0.285,
        lean=-0.5,
        shape=Shape(
            diffusion=0.245,
            small_rate=6.0,
            small_mean=0.142,
            small_sd=0.2145,
            large_rate=0.206,
            large_mean=0.87,
            large_sd=0.99,
        ),
        strike_step=5.0,
        dense_low=0.72,
        dense_high=0.89,
        call_spreads=(0.015, 0.016, 0.021, 0.030, 0.035, 0.040, 0.043, 0.050, 0.060, 0.26, 1.10, 1.80),
        put_spreads=(0.015, 0.018, 0.025, 0.030, 0.032, 0.040, 0.046, 0.053, 0.062, 0.70, 1.20, 1.65),
        quarterly_call_spreads=(
            0.018,
            0.021,
            0.027,
            0.028,
            0.038,
            0.040,
            0.045,
            0.050,
            0.058,
            0.26,
            1.30,
            1.90,
        ),
        quarterly_put_spreads=(
            0.018,
            0.020,
            0.025,
            0.030,
            0.038,
            0.042,
            0.050,
            0.053,
            0.065,
            1.00,
            1.10,
            1.85,
        ),
        open_interest=400.0,
        quarterly_open_interest=80.0,
    ),
)
