"""From options under cash dividends to slices of one market: forwards, statuses, bounds of the price.

A schedule of dividends is an array of two rows, times to the ex-dates [years], ascending, and amounts [$]. A
slice has one spot, right, time, rate and yield, hence one forward and the same ex-dates.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.contracts import EXTRA, RATE, SPOT, STRIKE, TIME, WORKED_OUT, YIELD
from volskew.pricing.discrete_grid import Market
from volskew.pricing.elementary import fast_exp, log_of_ratio
from volskew.pricing.slices import reason
from volskew.pricing.status import Status

__all__ = ["FORWARD", "NO_EX_DATE", "fill", "market_of", "screen_of", "screened"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]

FORWARD = WORKED_OUT
"""Row of a table [$]: NaN where the dividends leave nothing of the spot, or it is none."""
NO_EX_DATE = 255
"""In place of a status: for the pricer of continuous yields."""

_FLOOR_ROUNDING = 8 * 2.0**-52
"""Of spot and strike together: what a price may miss its lowest value by and still be at it."""
_LARGEST_EXPONENT = 700.0

_OK = int(Status.OK)
_BELOW_INTRINSIC = int(Status.BELOW_INTRINSIC)
_AT_INTRINSIC = int(Status.AT_INTRINSIC)
_ABOVE_MAXIMUM = int(Status.ABOVE_MAXIMUM)


@kernel
def fill(contracts: Floats, is_call: Bools, schedule: Floats, have_prices: bool, status: Codes) -> int:
    """Fill in forwards, and say why an option cannot be priced; how many no ex-date concerns."""
    dates, forward, others = 0, math.nan, 0
    for i in range(contracts.shape[1]):
        spot, time, r, b = contracts[SPOT, i], contracts[TIME, i], contracts[RATE, i], contracts[YIELD, i]
        j = max(i - 1, 0)
        same = (spot == contracts[SPOT, j]) & (time == contracts[TIME, j])
        if i == 0 or not (same & (r == contracts[RATE, j]) & (b == contracts[YIELD, j])):
            dates = _dates_before(time, schedule)
            forward = _forward(spot, time, r, b, schedule, dates)
        contracts[FORWARD, i] = forward
        if dates == 0:
            status[i] = NO_EX_DATE
            others += 1
            continue
        earned, given_up = (b, r) if is_call[i] else (r, b)
        status[i] = reason(
            spot, contracts[STRIKE, i], time, earned, given_up, contracts[EXTRA, i], have_prices, forward
        )
    return others


@inlined
def _dates_before(time: float, schedule: Floats) -> int:
    dates = 0
    while dates < schedule.shape[1] and schedule[0, dates] < time:
        dates += 1
    return dates


@inlined
def _forward(spot: float, time: float, r: float, b: float, schedule: Floats, dates: int) -> float:
    if not (math.isfinite(spot) and math.isfinite(time) and spot > 0.0 and time > 0.0):
        return math.nan
    net = r - b
    if not (math.isfinite(r) and math.isfinite(b) and math.isfinite(net)):
        return math.nan
    left = spot
    for j in range(dates):
        left -= schedule[1, j] * fast_exp(-net * schedule[0, j])
    if not left > 0.0:
        return math.nan
    if abs(net * time) > _LARGEST_EXPONENT:
        return math.inf if net > 0.0 else 0.0
    return left * fast_exp(net * time)


@inlined
def market_of(
    contracts: Floats, is_call: Bools, schedule: Floats, one: int, left: Floats, amounts: Floats
) -> tuple[Market, int]:
    """What the slice of an option shares, and how many ex-dates.

    Filled are, from the last ex-date back, `left`, the time from each to expiry, and `amounts`, D_i/S.
    """
    spot, time, r, b = contracts[SPOT, one], contracts[TIME, one], contracts[RATE, one], contracts[YIELD, one]
    dates = _dates_before(time, schedule)
    for j in range(dates):
        left[j] = time - schedule[0, dates - 1 - j]
        amounts[j] = schedule[1, dates - 1 - j] / spot
    drop = log_of_ratio(spot, contracts[FORWARD, one]) + (r - b) * time
    return (time, r, b, -1.0 if is_call[one] else 1.0, drop), dates


@inlined
def screen_of(
    contracts: Floats, schedule: Floats, one: int, market: Market, dates: int, known: Floats
) -> tuple[float, float]:
    """Fill `known` with discount factors and today's value of the spot at each time to exercise at.

    Those are now, beside each ex-date, on the side that is worth more, and expiry. Returned are the most that
    an option may be worth, as a share of the spot and of the strike.
    """
    time, r, b, sign, _ = market
    spot = contracts[SPOT, one]
    before, kept = 0.0, spot
    known[0, 0], known[1, 0] = 1.0, spot
    for j in range(dates):
        when = schedule[0, j]
        kept *= fast_exp(-b * (when - before))
        discount = fast_exp(-r * when)
        after = kept - schedule[1, j] * discount
        known[0, j + 1], known[1, j + 1] = discount, after if sign > 0.0 else kept
        before, kept = when, after
    discount = fast_exp(-r * time)
    known[0, dates + 1], known[1, dates + 1] = discount, discount * contracts[FORWARD, one]
    return (0.0, max(1.0, discount)) if sign > 0.0 else (max(1.0, fast_exp(-b * time)), 0.0)


@inlined
def screened(
    price: float,
    spot: float,
    strike: float,
    sign: float,
    dates: int,
    known: Floats,
    most: tuple[float, float],
) -> int:
    """Whether a price lies between what exercise at a time known today and what any vol can give."""
    floor = 0.0
    for j in range(dates + 2):
        floor = max(floor, sign * (strike * known[0, j] - known[1, j]))
    rounding = _FLOOR_ROUNDING * (strike + spot)
    if price < floor - rounding:
        return _BELOW_INTRINSIC
    if floor > 0.0 and price <= floor + rounding:
        return _AT_INTRINSIC
    if price >= most[0] * spot + most[1] * strike:
        return _ABOVE_MAXIMUM
    return _OK
