"""Which options of a table can be priced, and which of them share a market."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.contracts import RATE, SPOT, TIME, YIELD
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL
from volskew.pricing.status import Status

__all__ = ["arrange", "reason"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_OK = int(Status.OK)
_NOT_FINITE = int(Status.NOT_FINITE)
_NOT_POSITIVE_TIME = int(Status.NOT_POSITIVE_TIME)
_NOT_POSITIVE_INPUT = int(Status.NOT_POSITIVE_INPUT)
_NOT_POSITIVE_PRICE = int(Status.NOT_POSITIVE_PRICE)
_OUT_OF_RANGE = int(Status.OUT_OF_RANGE)
_TWO_BOUNDARIES = int(Status.TWO_BOUNDARIES)
_DIVIDENDS_TOO_LARGE = int(Status.DIVIDENDS_TOO_LARGE)


@inlined
def reason(
    spot: float, strike: float, time: float, r: float, q: float, extra: float, have_prices: bool, ahead: float
) -> int:
    """Why an option as a put (a call has rate and yield exchanged) cannot be priced; the first in this order.

    `ahead` is the forward, NaN where the dividends leave none, or the spot in its place.
    """
    finite = math.isfinite(spot) & math.isfinite(strike) & math.isfinite(time)
    if not (finite and math.isfinite(r) and math.isfinite(q) and math.isfinite(extra)):
        return _NOT_FINITE
    if time <= 0.0:
        return _NOT_POSITIVE_TIME
    if spot <= 0.0 or strike <= 0.0:
        return _NOT_POSITIVE_INPUT
    if math.isnan(ahead):
        return _DIVIDENDS_TOO_LARGE
    if have_prices and extra <= 0.0:
        return _NOT_POSITIVE_PRICE
    if q < r < 0.0:
        return _TWO_BOUNDARIES
    # and a forward that no double can hold
    if not (have_prices or LEAST_VOL <= extra <= GREATEST_VOL) or not 0.0 < ahead < math.inf:
        return _OUT_OF_RANGE
    return _OK


@kernel
def arrange(
    contracts: Floats,
    is_call: Bools,
    status: Codes,
    by_spot: bool,
    ordered: int,
    order: Integers,
    starts: Integers,
) -> tuple[int, int]:
    """List options that can be priced slice by slice; how many they are, and how many slices.

    Puts come first, each right as given; or the first `ordered` of `order` stay, where it is not 0. A slice
    has one time, rate and yield, and with `by_spot` one spot and right.
    """
    count = ordered
    if not ordered:
        for right in (False, True):
            for i in range(status.size):
                if status[i] == _OK and is_call[i] == right:
                    order[count] = i
                    count += 1
    slices, before = 0, 0
    for j in range(count):
        i = order[j]
        if (
            j == 0
            or contracts[TIME, i] != contracts[TIME, before]
            or contracts[RATE, i] != contracts[RATE, before]
            or contracts[YIELD, i] != contracts[YIELD, before]
            or (by_spot and (contracts[SPOT, i] != contracts[SPOT, before] or is_call[i] != is_call[before]))
        ):
            starts[slices] = j
            slices += 1
        before = i
    starts[slices] = count
    return count, slices
