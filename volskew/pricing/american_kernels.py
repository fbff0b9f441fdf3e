"""American puts with strike 1: prices and vols, slice by slice.

The European vol of the price is an upper bound. It is the answer where the premium cannot move it by
1e-8: what `american_premium.premium_bound` says that the premium is at most is set against vega. Else an
iteration inside a bracket, with the derivative of the whole sum, the boundary's own included: a step of
Newton's method, then steps to the root of the cubic that has the vols and slopes of the last two points
as a function of price. The cubic's answer and Newton's differ by Newton's error, beside which the cubic's
is small, so where they agree no further evaluation is spent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing import black_kernels
from volskew.pricing import contracts as rows
from volskew.pricing.american_boundary import critical_limit
from volskew.pricing.american_premium import (
    BY_X,
    HIGH,
    LAST_GAP,
    LAST_SLOPE,
    LAST_VOL,
    LOW,
    PANEL,
    PRICE,
    ROWS,
    SPOT,
    VALUE,
    VEGA,
    VOL,
    Codes,
    Floats,
    Integers,
    Scheme,
    X,
    european_puts,
    panel_is_there,
    premium,
    premium_bound,
)
from volskew.pricing.american_slices import LOG, as_puts, never_exercised
from volskew.pricing.compiled import inlined, kernel, use_widest_vectors
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.pricing.mills import density
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL, PANELS
from volskew.pricing.status import Status
from volskew.pricing.workspace import ROW, at

__all__ = ["as_puts", "put_values", "put_vols"]

Bools = NDArray[np.bool_]
Slice = tuple[float, float, float, float, float, float]
"""Time, rate, yield, ln X, and the discount factors of the yield and of the rate."""

_NEGLIGIBLE = 1e-8
"""[vol] What the premium may move the vol by where the European vol is taken."""
_NEWTON_STEP = 1e-5
"""Relative step of Newton's method, whose error is its square, that is the last."""
_MAX_ITERATIONS = 60
_FLOOR_ROUNDING = 8 * 2.0**-52
"""Of spot and strike together: what a price may miss its lowest value by and still be at it."""
_BLOCK = 256
"""Quotes that are worked on together."""

_OK = int(Status.OK)
_BELOW_INTRINSIC = int(Status.BELOW_INTRINSIC)
_AT_INTRINSIC = int(Status.AT_INTRINSIC)
_ABOVE_MAXIMUM = int(Status.ABOVE_MAXIMUM)
_NOT_CONVERGED = int(Status.NOT_CONVERGED)
_OUT_OF_RANGE = int(Status.OUT_OF_RANGE)


@inlined
def _screen(
    x: float, spot: float, price: float, time: float, r: float, q: float, carry: float, discount: float
) -> int:
    """Whether the price lies between what vol 0 and what any vol can give."""
    # exercised at a time u known today a put gives exp(-r u) - S exp(-q u)
    floor = max(1.0 - spot, discount - spot * carry, 0.0)
    if 0.0 < r < q:
        level = (log_ratio(q / r, 1.0) + x) / (q - r)
        if 0.0 < level < time:
            floor = max(floor, fast_exp(-r * level) - spot * fast_exp(-q * level))
    rounding = _FLOOR_ROUNDING * (1.0 + spot)
    if price < floor - rounding:
        return _BELOW_INTRINSIC
    if floor > 0.0 and price <= floor + rounding:
        return _AT_INTRINSIC
    if price >= (discount if never_exercised(r, q) else 1.0):
        return _ABOVE_MAXIMUM
    return _OK


@inlined
def _slice_of(contracts: Floats, one: int) -> Slice:
    t, r, q = contracts[rows.TIME, one], contracts[rows.RATE, one], contracts[rows.YIELD, one]
    return t, r, q, log_ratio(critical_limit(r, q), 1.0), fast_exp(-q * t), fast_exp(-r * t)


@kernel
def put_vols(
    contracts: Floats,
    is_call: Bools,
    order: Integers,
    starts: Integers,
    first: int,
    last: int,
    scheme: Scheme,
    tolerance: float,
    vol: Floats,
    status: Codes,
) -> None:
    """Vols of the slices `first` to `last`; those of slices never exercised are only screened.

    `tolerance` is of the last step, relative to the vol.
    """
    w, who, state = (
        np.empty(ROWS * ROW),
        np.empty(_BLOCK, dtype=np.int64),
        np.empty(PANELS + 1, dtype=np.int64),
    )
    tables = np.empty((PANELS, scheme[2][0].size, scheme[1][0].size + 1))
    start = np.empty(_BLOCK)
    for number in range(first, last):
        shared = _slice_of(contracts, order[starts[number]])
        state[:] = 0
        for begin in range(starts[number], starts[number + 1], _BLOCK):
            end = min(begin + _BLOCK, starts[number + 1])
            count = _screened(contracts, is_call, order[begin:end], shared, who, w, status)
            if never_exercised(shared[1], shared[2]):
                continue
            _european_vols(count, shared, w, start)
            left = _kept(count, shared, start, who, w, vol, status)
            for _ in range(_MAX_ITERATIONS):
                if left == 0:
                    break
                left = _iterated(left, shared, scheme, tolerance, state, tables, who, w, vol, status)


@inlined
def _screened(
    contracts: Floats,
    is_call: Bools,
    chosen: Integers,
    shared: Slice,
    who: Integers,
    w: Floats,
    status: Codes,
) -> int:
    """Make columns of the quotes that lie between what vol 0 and what any vol can give; how many they are."""
    t, r, q, _, carry, discount = shared
    count = 0
    for j in range(chosen.size):
        i = chosen[j]
        x, spot = contracts[LOG, i], fast_exp(contracts[LOG, i])
        price = contracts[rows.EXTRA, i] / (
            contracts[rows.SPOT, i] if is_call[i] else contracts[rows.STRIKE, i]
        )
        status[i] = _screen(x, spot, price, t, r, q, carry, discount)
        if status[i] == _OK:
            who[count] = i
            w[at(X, count)], w[at(SPOT, count)], w[at(PRICE, count)] = x, spot, price
            count += 1
    return count


@inlined
def _european_vols(count: int, shared: Slice, w: Floats, start: Floats) -> None:
    """European vols of quotes, NaN where the price is below what a European put is worth at least."""
    t, r, q = shared[0], shared[1], shared[2]
    price, forward, strike = np.empty(count), np.empty(count), np.ones(count)
    time, is_call, codes = np.empty(count), np.zeros(count, dtype=np.bool_), np.empty(count, dtype=np.uint8)
    growth = fast_exp(r * t)
    for j in range(count):
        price[j], forward[j], time[j] = w[at(PRICE, j)] * growth, fast_exp(w[at(X, j)] + (r - q) * t), t
    black_kernels.solve(price, forward, strike, time, is_call, start[:count], codes)


@inlined
def _kept(
    count: int, shared: Slice, start: Floats, who: Integers, w: Floats, vol: Floats, status: Codes
) -> int:
    """Answer quotes that no premium can move, make the others ready for the iteration; how many those are."""
    use_widest_vectors()
    t, r, q, log_x, carry, discount = shared
    root_time = math.sqrt(t)
    gain = 1.0 - discount + max(carry - 1.0, 0.0)
    for j in range(count):
        s = start[j] if start[j] > 0.0 else 1.0
        v = s * root_time
        d1 = (w[at(X, j)] + (r - q) * t) / v + 0.5 * v
        vega = w[at(SPOT, j)] * carry * root_time * density(d1)
        bound = premium_bound(w[at(X, j)], s, log_x, t, r, q, gain)
        w[at(VOL, j)] = s if start[j] > 0.0 and bound < _NEGLIGIBLE * vega else 0.0
    left = 0
    for j in range(count):
        i = who[j]
        if w[at(VOL, j)] > 0.0:
            vol[i] = start[j]
            continue
        status[i] = _NOT_CONVERGED
        who[left] = i
        for row in (X, SPOT, PRICE):
            w[at(row, left)] = w[at(row, j)]
        known = start[j] > 0.0
        high = min(start[j], GREATEST_VOL) if known else GREATEST_VOL
        w[at(LOW, left)], w[at(HIGH, left)], w[at(LAST_SLOPE, left)] = LEAST_VOL, high, 0.0
        w[at(VOL, left)] = max(high, LEAST_VOL) if known else 2.0
        left += 1
    return left


@inlined
def _iterated(
    count: int,
    shared: Slice,
    scheme: Scheme,
    tolerance: float,
    state: Integers,
    tables: Floats,
    who: Integers,
    w: Floats,
    vol: Floats,
    status: Codes,
) -> int:
    """One step of every quote that is left; how many are left then."""
    t, r, q, log_x, carry, discount = shared
    european_puts(count, t, r - q, carry, discount, w)
    left = 0
    for j in range(count):
        i, panel = who[j], int(w[at(PANEL, j)])
        if not panel_is_there(t, r, q, panel, scheme, state, w, tables):
            continue
        alive, extra, slope, _ = premium(j, log_x, tables[panel], scheme[1], w)
        value = w[at(VALUE, j)] + extra if alive else 1.0 - w[at(SPOT, j)]
        slope = w[at(VEGA, j)] + slope if alive else 0.0
        if _step(j, value - w[at(PRICE, j)], slope, tolerance, w):
            s = w[at(VOL, j)]
            inside = LEAST_VOL * (1.0 + 1e-9) < s < GREATEST_VOL * (1.0 - 1e-9)
            vol[i], status[i] = s if inside else math.nan, _OK if inside else _OUT_OF_RANGE
            continue
        who[left] = i
        for row in (X, SPOT, PRICE, VOL, LOW, HIGH, LAST_VOL, LAST_GAP, LAST_SLOPE):
            w[at(row, left)] = w[at(row, j)]
        left += 1
    return left


@inlined
def _step(j: int, gap: float, slope: float, tolerance: float, w: Floats) -> bool:
    """Move quote `j` to its next vol; whether that is the last."""
    s, low, high = w[at(VOL, j)], w[at(LOW, j)], w[at(HIGH, j)]
    if gap > 0.0:
        high = min(high, s)
    else:
        low = max(low, s)
    before, last_gap, last_slope = w[at(LAST_VOL, j)], w[at(LAST_GAP, j)], w[at(LAST_SLOPE, j)]
    w[at(LOW, j)], w[at(HIGH, j)] = low, high
    w[at(LAST_VOL, j)], w[at(LAST_GAP, j)], w[at(LAST_SLOPE, j)] = s, gap, slope
    newton = s - gap / slope if slope > 0.0 else -1.0
    accepted = low <= newton <= high
    following = newton if accepted else math.sqrt(low * high)
    done = accepted and abs(following - s) < _NEWTON_STEP * s
    if accepted and last_slope > 0.0 and not done:
        cubic = _inverse(before, last_gap, last_slope, s, gap, slope)
        if low <= cubic <= high:
            following = cubic
            done = abs(cubic - newton) < tolerance * s
    w[at(VOL, j)] = following
    return bool(done or high - low < 1e-12 * s)


@inlined
def _inverse(s0: float, gap0: float, slope0: float, s1: float, gap1: float, slope1: float) -> float:
    """Where the cubic s(gap) through two points, with their slopes, meets gap = 0."""
    h = gap1 - gap0
    t = -gap0 / h
    rest = 1.0 - t
    values = s0 * (1.0 + 2.0 * t) * rest * rest + s1 * t * t * (3.0 - 2.0 * t)
    return values + h * t * rest * (rest / slope0 - t / slope1)


@kernel
def put_values(
    contracts: Floats,
    order: Integers,
    starts: Integers,
    first: int,
    last: int,
    scheme: Scheme,
    price: Floats,
    early: Floats,
    vega: Floats,
    by_x: Floats,
) -> None:
    """Values of the slices `first` to `last` that may be exercised; NaN stays where no boundary settles."""
    w, state = np.empty(ROWS * ROW), np.empty(PANELS + 1, dtype=np.int64)
    tables = np.empty((PANELS, scheme[2][0].size, scheme[1][0].size + 1))
    for number in range(first, last):
        t, r, q, log_x, carry, discount = _slice_of(contracts, order[starts[number]])
        if never_exercised(r, q):
            continue
        state[:] = 0
        for begin in range(starts[number], starts[number + 1], _BLOCK):
            count = min(starts[number + 1] - begin, _BLOCK)
            for j in range(count):
                i = order[begin + j]
                w[at(X, j)], w[at(VOL, j)] = contracts[LOG, i], contracts[rows.EXTRA, i]
                w[at(SPOT, j)] = fast_exp(contracts[LOG, i])
            european_puts(count, t, r - q, carry, discount, w)
            for j in range(count):
                i, panel = order[begin + j], int(w[at(PANEL, j)])
                if panel_is_there(t, r, q, panel, scheme, state, w, tables):
                    alive, extra, slope, lean = premium(j, log_x, tables[panel], scheme[1], w)
                    european = w[at(VALUE, j)]
                    extra = extra if alive else 1.0 - w[at(SPOT, j)] - european
                    price[i] = european + extra if alive else 1.0 - w[at(SPOT, j)]
                    early[i] = extra
                    vega[i] = w[at(VEGA, j)] + slope if alive else 0.0
                    by_x[i] = w[at(BY_X, j)] + lean if alive else -w[at(SPOT, j)]
