r"""American prices, sensitivities and vols under cash dividends, by expiry slice; in units of the strike.

The price is Black's on the forward, which holds the dividends, and a premium from the grid of
`volskew.pricing.discrete_grid`. That is solved for the vols of a panel when a quote first needs it: eight
Chebyshev points in ``ln sigma`` of an octave, for the segment of strikes that the quote is in. Panels and
segments are fixed, so the vol of a quote is the same to the last bit whatever else is in its slice.

**Vols.** The European vol of the price is an upper bound, and the answer where the premium cannot move it by
1e-7. `volskew.pricing.discrete_bounds` has the bounds. Else Newton's method on the sum, inside a bracket.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing import black_kernels
from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.contracts import EXTRA, RATE, SPOT, STRIKE, TIME
from volskew.pricing.discrete_bounds import known_floor, premium_bound
from volskew.pricing.discrete_grid import CALL_RATIOS, Market, grid_rows, solve_panel
from volskew.pricing.discrete_premium import premium_at
from volskew.pricing.discrete_slices import FORWARD, NO_EX_DATE, fill, market_of, screen_of, screened
from volskew.pricing.elementary import LOG2_E, fast_exp, log_of_ratio, log_ratio
from volskew.pricing.mills import density, distribution
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL, PANELS
from volskew.pricing.status import Status

__all__ = ["FORWARD", "NO_EX_DATE", "fill", "option_values", "option_vols", "workspace_shape"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Scheme = tuple[float, float, float, int, float]
Segments = tuple[float, float, float]
Work = tuple[Bools, Floats, tuple[Floats, Floats, Floats], Integers, Floats]

_NEGLIGIBLE = 1e-7
"""[vol] What the premium may move the vol by where the European vol is taken; the grid resolves no less."""
_UNRESOLVED = 2e-6
"""Of the strike: how far the polynomial in the vol swings where it meets the exercise boundary."""
_NEWTON_STEP = 1e-5
"""Relative step of Newton's method, whose error is its square, that is the last."""
_MAX_ITERATIONS = 60
_FARTHEST_SEGMENT = 40.0

_OK = int(Status.OK)
_NOT_CONVERGED = int(Status.NOT_CONVERGED)
_OUT_OF_RANGE = int(Status.OUT_OF_RANGE)


@inlined
def _whole(market: Market) -> tuple[float, float, float]:
    """Root of the time, discount factor, and what X is of S at expiry, discounted for the yield."""
    time, rate, residual, _, drop = market
    return math.sqrt(time), fast_exp(-rate * time), fast_exp(-residual * time - drop)


@inlined
def _panel_of(sigma: float) -> int:
    octave = math.floor(log_ratio(sigma, LEAST_VOL) * LOG2_E)
    return int(min(max(octave, 0.0), PANELS - 1.0))


@inlined
def _black(
    x: float, sigma: float, sign: float, whole: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Price, vega and derivative in x of a European option with strike 1."""
    root, discount, carried = whole
    v = sigma * root
    held = carried * fast_exp(x)
    d1 = (x + log_ratio(carried, discount)) / v + 0.5 * v
    # a call is worth held N(d1) - discount N(d2), a put the same with all signs turned
    first, second = distribution(-sign * d1), distribution(-sign * (d1 - v))
    price = max(sign * (discount * second - held * first), 0.0)
    return price, held * root * density(d1), -sign * held * first


@inlined
def _segment_of(x: float, segments: Segments) -> tuple[int, float]:
    """Number of the segment of strikes, 0 for that around the money, and S/K at its centre.

    `segments` are S/K at which that one begins and ends, and the ratio of the ends of any other.
    """
    low, high, width = segments
    ratio = fast_exp(x)
    if low <= ratio < high:
        return 0, 1.0
    each = log_ratio(width, 1.0)
    if ratio < low:
        number = min(math.floor(log_ratio(low, ratio) / each), _FARTHEST_SEGMENT)
        return -1 - int(number), low * fast_exp(-(number + 0.5) * each)
    number = min(math.floor(log_ratio(ratio, high) / each), _FARTHEST_SEGMENT)
    return 1 + int(number), high * fast_exp((number + 0.5) * each)


def workspace_shape(scheme: Scheme) -> tuple[int, int, int]:
    """Shape, in rows of eight, of the memory for the grids of all panels and strikes, and scratch."""
    return PANELS + 1, len(CALL_RATIOS), grid_rows(scheme[0], scheme[1])


@inlined
def _workspace(memory: Floats, most_dates: int) -> Work:
    """Which panels are solved, tables of their solutions, scratch, origins of the tables, and cuts."""
    return (
        np.empty(PANELS, dtype=np.bool_),
        memory,
        (memory[PANELS, 0], memory[PANELS, 1], np.empty(memory.shape[2])),
        np.empty((PANELS, 2), dtype=np.int64),
        np.empty((len(CALL_RATIOS), 2, 2 * most_dates + 2)),
    )


@inlined
def _premium(
    x: float,
    sigma: float,
    market: Market,
    left: Floats,
    amounts: Floats,
    centre: float,
    scheme: Scheme,
    transform: Floats,
    work: Work,
) -> tuple[float, float, float]:
    """Premium and its derivatives in x and in the vol, from a panel that is solved if it is not yet."""
    solved, tables, scratch, origins, cuts = work
    panel = _panel_of(sigma)
    if not solved[panel]:
        solve_panel(
            market, left, amounts, panel, centre, scheme, tables[panel], scratch, transform, origins[panel],
            cuts,
        )  # fmt: skip
        solved[panel] = True
    return premium_at(
        x,
        sigma,
        panel,
        centre,
        market,
        scheme,
        tables[panel],
        origins[panel],
        cuts,
        2 * left.size + 2,
        scratch[0],
    )


@inlined
def _vol(
    x: float,
    price: float,
    start: float,
    market: Market,
    whole: tuple[float, float, float],
    left: Floats,
    amounts: Floats,
    centre: float,
    scheme: Scheme,
    transform: Floats,
    work: Work,
) -> tuple[float, int]:
    """Vol and status of a price; `start` is the European vol, an upper bound, or NaN."""
    high = min(start, GREATEST_VOL) if start > 0.0 else GREATEST_VOL
    low = LEAST_VOL
    if high <= low:
        return math.nan, _OUT_OF_RANGE
    s = high if high < GREATEST_VOL else math.sqrt(low * high)
    for _ in range(_MAX_ITERATIONS):
        premium, _, by_vol = _premium(x, s, market, left, amounts, centre, scheme, transform, work)
        european, vega, _ = _black(x, s, market[3], whole)
        gap, slope = european + premium - price, vega + by_vol
        if gap > 0.0:
            high = min(high, s)
        else:
            low = max(low, s)
        following = s - gap / slope if slope > 0.0 else 0.0
        newton = low <= following <= high
        if not newton:
            following = math.sqrt(low * high)
        change = abs(following - s)
        s = following
        if (newton and change < _NEWTON_STEP * s) or high - low < 1e-12 * s:
            inside = LEAST_VOL * (1.0 + 1e-9) < s < GREATEST_VOL * (1.0 - 1e-9)
            return (s, _OK) if inside else (math.nan, _OUT_OF_RANGE)
    return math.nan, _NOT_CONVERGED


@kernel
def option_vols(
    contracts: Floats,
    is_call: Bools,
    schedule: Floats,
    order: Integers,
    starts: Integers,
    first: int,
    last: int,
    scheme: Scheme,
    segments: tuple[Segments, Segments],
    transform: Floats,
    memory: Floats,
    vol: Floats,
    status: Codes,
) -> None:
    """Vols of the slices `first` to `last`.

    `segments` are those of strikes, of puts and of calls; `memory` is what `workspace_shape` says.
    """
    most = _largest(starts, first, last)
    x, start, codes = np.empty(most), np.empty(most), np.empty(most, dtype=np.uint8)
    who, segment = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    work, ahead = _workspace(memory, schedule.shape[1]), np.empty((2, schedule.shape[1]))
    known = np.empty((2, schedule.shape[1] + 2))
    for number in range(first, last):
        chosen = order[starts[number] : starts[number + 1]]
        market, dates = market_of(contracts, is_call, schedule, chosen[0], ahead[0], ahead[1])
        left, amounts = ahead[0, :dates], ahead[1, :dates]
        whole, own = _whole(market), segments[0] if market[3] > 0.0 else segments[1]
        limits = screen_of(contracts, schedule, chosen[0], market, dates, known)
        count = 0
        for i in chosen:
            spot, strike = contracts[SPOT, i], contracts[STRIKE, i]
            status[i] = screened(contracts[EXTRA, i], spot, strike, market[3], dates, known, limits)
            if status[i] == _OK:
                who[count], x[count] = i, log_of_ratio(spot, strike)
                count += 1
        _european_vols(contracts, is_call, who[:count], start[:count], codes[:count])
        kept, lowest, highest = 0, 0, 0
        for j in range(count):
            i, s = who[j], start[j]
            if s > 0.0:
                _, vega, _ = _black(x[j], s, market[3], whole)
                if premium_bound(x[j], s, market, left, amounts) < _NEGLIGIBLE * vega:
                    inside = LEAST_VOL <= s <= GREATEST_VOL
                    vol[i], status[i] = (s, _OK) if inside else (math.nan, _OUT_OF_RANGE)
                    continue
            who[kept], x[kept], start[kept] = i, x[j], s
            segment[kept], _ = _segment_of(x[j], own)
            lowest, highest = min(lowest, segment[kept]), max(highest, segment[kept])
            kept += 1
        for current in range(lowest, highest + 1):
            # one after the other: they share the memory of their grids
            work[0][:] = False
            for j in range(kept):
                if segment[j] == current:
                    i, (_, centre) = who[j], _segment_of(x[j], own)
                    vol[i], status[i] = _vol(
                        x[j], contracts[EXTRA, i] / contracts[STRIKE, i], start[j], market, whole, left,
                        amounts, centre, scheme, transform, work,
                    )  # fmt: skip


@inlined
def _largest(starts: Integers, first: int, last: int) -> int:
    """Options of the largest slice."""
    most = 0
    for number in range(first, last):
        most = max(most, starts[number + 1] - starts[number])
    return most


@inlined
def _european_vols(contracts: Floats, is_call: Bools, who: Integers, vol: Floats, codes: Codes) -> None:
    """European vols, NaN where the price is none of a European option."""
    price, forward, strike = np.empty(who.size), np.empty(who.size), np.empty(who.size)
    time, right = np.empty(who.size), np.empty(who.size, dtype=np.bool_)
    for j in range(who.size):
        i = who[j]
        price[j] = contracts[EXTRA, i] * fast_exp(contracts[RATE, i] * contracts[TIME, i])
        forward[j], strike[j] = contracts[FORWARD, i], contracts[STRIKE, i]
        time[j], right[j] = contracts[TIME, i], is_call[i]
    black_kernels.solve(price, forward, strike, time, right, vol, codes)


@kernel
def option_values(
    contracts: Floats,
    is_call: Bools,
    schedule: Floats,
    order: Integers,
    starts: Integers,
    first: int,
    last: int,
    scheme: Scheme,
    segments: tuple[Segments, Segments],
    transform: Floats,
    memory: Floats,
    found: Floats,
) -> None:
    """Fill price, premium, delta and vega [$] of the slices `first` to `last`, whose vols are in the panels.

    `segments` and `memory` as for `option_vols`.
    """
    most = _largest(starts, first, last)
    who, segment = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    work, ahead = _workspace(memory, schedule.shape[1]), np.empty((2, schedule.shape[1]))
    for number in range(first, last):
        chosen = order[starts[number] : starts[number + 1]]
        market, dates = market_of(contracts, is_call, schedule, chosen[0], ahead[0], ahead[1])
        left, amounts = ahead[0, :dates], ahead[1, :dates]
        whole, own = _whole(market), segments[0] if market[3] > 0.0 else segments[1]
        kept, lowest, highest = 0, 0, 0
        for i in chosen:
            spot, strike, sigma = contracts[SPOT, i], contracts[STRIKE, i], contracts[EXTRA, i]
            x = log_of_ratio(spot, strike)
            european, by_vol, along = _black(x, sigma, market[3], whole)
            found[0, i], found[1, i] = european * strike, 0.0
            found[2, i], found[3, i] = along * strike / spot, by_vol * strike
            if premium_bound(x, sigma, market, left, amounts) < _NEGLIGIBLE * by_vol:
                continue
            who[kept] = i
            segment[kept], _ = _segment_of(x, own)
            lowest, highest = min(lowest, segment[kept]), max(highest, segment[kept])
            kept += 1
        for current in range(lowest, highest + 1):
            # one after the other: they share the memory of their grids
            work[0][:] = False
            for j in range(kept):
                if segment[j] == current:
                    _fill_values(
                        contracts, who[j], market, whole, left, amounts, own, scheme, transform, work, found
                    )


@inlined
def _fill_values(
    contracts: Floats,
    i: int,
    market: Market,
    whole: tuple[float, float, float],
    left: Floats,
    amounts: Floats,
    own: Segments,
    scheme: Scheme,
    transform: Floats,
    work: Work,
    found: Floats,
) -> None:
    """The same for one option that carries a premium."""
    spot, strike, sigma = contracts[SPOT, i], contracts[STRIKE, i], contracts[EXTRA, i]
    x = log_of_ratio(spot, strike)
    _, centre = _segment_of(x, own)
    european, by_vol, along = _black(x, sigma, market[3], whole)
    extra, extra_along, extra_by_vol = _premium(
        x, sigma, market, left, amounts, centre, scheme, transform, work
    )
    floor, floor_along = known_floor(x, market, left, amounts)
    if european < floor and european + extra <= floor + _UNRESOLVED:
        # exercise at a time known today; interpolation has left the value by its own error
        extra, extra_by_vol, extra_along = floor - european, -by_vol, floor_along - along
    found[0, i], found[1, i] = (european + extra) * strike, extra * strike
    found[2, i], found[3, i] = (along + extra_along) * strike / spot, (by_vol + extra_by_vol) * strike
