"""From many contracts to puts with strike 1: a call is one with spot and strike, rate and yield exchanged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.contracts import EXTRA, RATE, SPOT, STRIKE, TIME, WORKED_OUT, YIELD
from volskew.pricing.elementary import log_of_ratio
from volskew.pricing.slices import reason
from volskew.pricing.status import Status

__all__ = ["LOG", "as_puts", "never_exercised"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]

LOG = WORKED_OUT
"""Row of a table: ln(S/K) of the put."""

_NO_RATE = 1e-14
_OK = int(Status.OK)


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
        status[i] = reason(spot, strike, time, r, q, extra, have_prices, spot)
        if status[i] == _OK:
            contracts[LOG, i] = log_of_ratio(spot, strike)


@inlined
def never_exercised(rate: float, dividend_yield: float) -> bool:
    """Whether no interest is earned on the strike, and giving up the spot early saves nothing."""
    return rate <= 0.0 and dividend_yield >= rate
