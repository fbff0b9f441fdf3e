"""From many contracts to puts with strike 1, slice by slice.

A table of contracts has a column for each and the rows below.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import LN2, lifted, log_ratio
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL
from volskew.pricing.status import Status

__all__ = ["EXTRA", "LOG", "RATE", "SPOT", "STRIKE", "TIME", "YIELD", "arrange", "as_puts", "never_exercised"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]

SPOT, STRIKE, TIME, RATE, YIELD, EXTRA, LOG = 0, 1, 2, 3, 4, 5, 6
"""Rows: as given, those of calls exchanged; the price or vol; ln(S/K) of the put."""

_NO_RATE = 1e-14

_OK = int(Status.OK)
_NOT_FINITE = int(Status.NOT_FINITE)
_NOT_POSITIVE_TIME = int(Status.NOT_POSITIVE_TIME)
_NOT_POSITIVE_INPUT = int(Status.NOT_POSITIVE_INPUT)
_NOT_POSITIVE_PRICE = int(Status.NOT_POSITIVE_PRICE)
_OUT_OF_RANGE = int(Status.OUT_OF_RANGE)
_TWO_BOUNDARIES = int(Status.TWO_BOUNDARIES)


@kernel
def as_puts(contracts: Floats, is_call: Bools, have_prices: bool, status: Codes) -> None:
    """Turn calls into puts: exchange rate and yield, fill in x, and say why a contract cannot be priced."""
    for i in range(contracts.shape[1]):
        spot, strike, time, extra = (
            contracts[SPOT, i],
            contracts[STRIKE, i],
            contracts[TIME, i],
            contracts[EXTRA, i],
        )
        r, q = contracts[RATE, i], contracts[YIELD, i]
        # rounding of a difference of rates is no rate
        r, q = 0.0 if abs(r) < _NO_RATE else r, 0.0 if abs(q) < _NO_RATE else q
        if is_call[i]:
            spot, strike, r, q = strike, spot, q, r
        contracts[RATE, i], contracts[YIELD, i] = r, q
        status[i] = _reason(spot, strike, time, r, q, extra, have_prices)
        if status[i] == _OK:
            s, raised_s = lifted(spot)
            k, raised_k = lifted(strike)
            contracts[LOG, i] = log_ratio(s, k) - (raised_s - raised_k) * LN2


@inlined
def _reason(
    spot: float, strike: float, time: float, r: float, q: float, extra: float, have_prices: bool
) -> int:
    """The first in this order."""
    finite = math.isfinite(spot) & math.isfinite(strike) & math.isfinite(time)
    if not (finite and math.isfinite(r) and math.isfinite(q) and math.isfinite(extra)):
        return _NOT_FINITE
    if time <= 0.0:
        return _NOT_POSITIVE_TIME
    if spot <= 0.0 or strike <= 0.0:
        return _NOT_POSITIVE_INPUT
    if have_prices and extra <= 0.0:
        return _NOT_POSITIVE_PRICE
    if q < r < 0.0:
        return _TWO_BOUNDARIES
    if not have_prices and not LEAST_VOL <= extra <= GREATEST_VOL:
        return _OUT_OF_RANGE
    return _OK


@kernel
def arrange(
    contracts: Floats, is_call: Bools, status: Codes, ordered: int, order: Integers, starts: Integers
) -> tuple[int, int]:
    """List contracts that can be priced slice by slice; how many they are, and how many slices.

    Puts come first, each right as given; or the first `ordered` of `order` stay, where it is not 0.
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
        ):
            starts[slices] = j
            slices += 1
        before = i
    starts[slices] = count
    return count, slices


@inlined
def never_exercised(rate: float, dividend_yield: float) -> bool:
    """Whether no interest is earned on the strike, and giving up the spot early saves nothing."""
    return rate <= 0.0 and dividend_yield >= rate
