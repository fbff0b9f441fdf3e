r"""American prices, sensitivities and vols under cash dividends, by expiry slice; in units of the strike.

The price is Black's on the forward, which holds the dividends, and a premium from the grid of
`volskew.pricing.discrete_grid`. That is solved for the vols of a panel when a quote first needs it: eight
Chebyshev points in ``ln sigma`` of an octave, for the segment of strikes that the quote is in. Panels and
segments are fixed, so the vol of a quote is the same to the last bit whatever else is in its slice.

**Vols.** The European vol of the price is an upper bound, and the answer where the premium cannot move it by
1e-7. Bounds on the premium, in units of the strike: each is what exercise gains over holding on, which is
worth at least the forward, at the times at which exercise can pay.

* A put earns interest on the strike, at most ``1 - exp(-r T)`` (and, where ``b < 0``, what the spot costs to
  hold, ``exp(-b T) - 1``), and only once the spot is below the strike. ``X``, which is no more than the spot,
  has then been below it, of which the probability is that of a Brownian motion's first passage.
* A call just before the ex-date ``t`` gains at most ``(1 - exp(-b (T - t))) X + C - (1 - exp(-r (T - t)))``,
  ``C`` being the value of this and later dividends over the strike; the expectation over ``X + C > 1`` is
  Black's formula. Between ex-dates it gains only where ``b S > r``, at most ``b S`` a year.

Else Newton's method on the sum, inside a bracket.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.discrete_grid import CALL_RATIOS, grid_rows, premium_at, solve_panel
from volskew.pricing.elementary import LOG2_E, fast_exp, log_ratio
from volskew.pricing.lanes import LANES
from volskew.pricing.mills import density, distribution
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL, PANELS
from volskew.pricing.status import Status

__all__ = ["option_values", "option_vols"]

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Market = tuple[float, float, float, float, float]
Scheme = tuple[float, float, float, int, float]
Segments = tuple[float, float, float]
Work = tuple[Floats, tuple[Floats, Floats, Floats], Integers, Floats]

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
def _put_bound(x: float, sigma: float, market: Market) -> float:
    """What the early-exercise premium of a put is at most."""
    time, rate, residual, _, drop = market
    b = x - drop
    if b <= 0.0:
        return math.inf
    v = sigma * math.sqrt(time)
    m = (rate - residual) * time - 0.5 * v * v
    reached = distribution((-b - m) / v) + fast_exp(min(-2.0 * m * b / (v * v), 600.0)) * distribution(
        (m - b) / v
    )
    return reached * (1.0 - fast_exp(-rate * time) + max(fast_exp(-residual * time) - 1.0, 0.0))


@inlined
def _call_bound(
    x: float,
    sigma: float,
    market: Market,
    left: Floats,
    amounts: Floats,
) -> float:
    """What the early-exercise premium of a call is at most."""
    time, rate, residual, _, drop = market
    total, later = 0.0, 0.0
    for j in range(left.size):
        # from the last ex-date back; `later` is what this and later dividends are worth at expiry
        t = time - left[j]
        later += amounts[j] * fast_exp(x + (rate - residual) * left[j])
        cash = later * fast_exp((residual - rate) * left[j])
        given_up = 1.0 - fast_exp(-residual * left[j])
        saved = cash - (1.0 - fast_exp(-rate * left[j]))
        if given_up <= 0.0 and saved <= 0.0:
            continue
        least = 1.0 - cash
        if given_up < 0.0 or least <= 0.0:
            return math.inf
        if saved < 0.0:
            least = max(least, -saved / given_up)
        v = sigma * math.sqrt(t)
        d1 = (x - drop - log_ratio(least, 1.0) + (rate - residual) * t) / v + 0.5 * v
        held = fast_exp(x - drop - residual * t)
        total += given_up * held * distribution(d1) + saved * fast_exp(-rate * t) * distribution(d1 - v)
    cost = max(residual, 0.0) + max(-rate, 0.0)
    if residual >= 0.0 and cost > 0.0:
        threshold = log_ratio(max(rate / residual, 1.0), 1.0) if residual > 0.0 else 0.0
        v = sigma * math.sqrt(time)
        if x >= threshold:
            return math.inf
        upwards = max(rate - residual + 0.5 * sigma * sigma, 0.0) * time
        total += (
            cost
            * time
            * fast_exp(x + max(-residual, 0.0) * time)
            * distribution((x - threshold + upwards) / v)
        )
    return total


@inlined
def _floor(x: float, market: Market, left: Floats, amounts: Floats) -> tuple[float, float]:
    """The most that exercise now or beside an ex-date gives, and its derivative in x."""
    time, rate, residual, sign, drop = market
    spot = fast_exp(x)
    best, along = sign * (1.0 - spot), -sign * spot
    cash = 0.0
    for j in range(left.size):
        t = time - left[j]
        strike, held, kept = fast_exp(-rate * t), fast_exp(x - drop - residual * t), fast_exp(-residual * t)
        after = held + cash * kept
        # what later dividends are worth grows as the spot does
        cash += amounts[j] * spot * fast_exp((residual - rate) * t)
        before = held + cash * kept
        for worth in (after, before):
            if sign * (strike - worth) > best:
                best, along = sign * (strike - worth), -sign * worth
    return best, along


@inlined
def _bound(
    x: float,
    sigma: float,
    market: Market,
    left: Floats,
    amounts: Floats,
) -> float:
    if market[3] > 0.0:
        return _put_bound(x, sigma, market)
    return _call_bound(x, sigma, market, left, amounts)


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


@inlined
def _workspace(scheme: Scheme, most_dates: int) -> Work:
    """Tables of the solutions of each panel, scratch, origins of the tables, and cuts."""
    rows = grid_rows(scheme[0], scheme[1])
    return (
        np.empty((PANELS, len(CALL_RATIOS), rows, LANES)),
        (np.empty((rows, LANES)), np.empty((rows, LANES)), np.empty(rows)),
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
    solved: NDArray[np.bool_],
    work: Work,
) -> tuple[float, float, float]:
    """Premium and its derivatives in x and in the vol, from a panel that is solved if it is not yet."""
    tables, scratch, origins, cuts = work
    panel = _panel_of(sigma)
    if not solved[panel]:
        solve_panel(
            market, left, amounts, panel, centre, scheme, tables[panel], scratch, transform, origins[panel],
            cuts,
        )  # fmt: skip
        solved[panel] = True
    return premium_at(
        x, sigma, panel, centre, market, scheme, tables[panel], origins[panel], cuts, 2 * left.size + 2
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
    solved: NDArray[np.bool_],
    work: Work,
) -> tuple[float, int]:
    """Vol and status of a price; `start` is the European vol, an upper bound, or NaN."""
    high = min(start, GREATEST_VOL) if start > 0.0 else GREATEST_VOL
    low = LEAST_VOL
    if high <= low:
        return math.nan, _OUT_OF_RANGE
    s = high if high < GREATEST_VOL else math.sqrt(low * high)
    for _ in range(_MAX_ITERATIONS):
        premium, _, by_vol = _premium(x, s, market, left, amounts, centre, scheme, transform, solved, work)
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
    x: Floats,
    price: Floats,
    start: Floats,
    offsets: Integers,
    times: Floats,
    rates: Floats,
    yields: Floats,
    signs: Floats,
    drops: Floats,
    n_dates: Integers,
    left: Floats,
    amounts: Floats,
    first: int,
    last: int,
    scheme: Scheme,
    segments: tuple[Segments, Segments],
    transform: Floats,
    vol: Floats,
    status: Codes,
) -> None:
    """Vols of the slices `first` to `last`, of quotes that may carry a premium and have a vol.

    `start` is the European vol of each, NaN where the price is above what a European option is worth at most.
    Of slice ``n``, ``drops[n]`` is ln(S/X), and the ex-dates are the first ``n_dates[n]`` of the rows
    ``left[n]`` (time to expiry) and ``amounts[n]`` (D_i/S). `segments` are those of strikes, of puts and of
    calls; quotes in order of their strike need the fewest grids.
    """
    work = _workspace(scheme, left.shape[1])
    for number in range(first, last):
        t, r, b, sign, drop = times[number], rates[number], yields[number], signs[number], drops[number]
        dates, cash = left[number, : n_dates[number]], amounts[number, : n_dates[number]]
        market = (t, r, b, sign, drop)
        whole = (math.sqrt(t), fast_exp(-r * t), fast_exp(-b * t - drop))
        solved, before = np.zeros(PANELS, dtype=np.bool_), 0
        for i in range(offsets[number], offsets[number + 1]):
            s = start[i]
            if s > 0.0:
                _, vega, _ = _black(x[i], s, sign, whole)
                if _bound(x[i], s, market, dates, cash) < _NEGLIGIBLE * vega:
                    inside = LEAST_VOL <= s <= GREATEST_VOL
                    vol[i], status[i] = (s, _OK) if inside else (math.nan, _OUT_OF_RANGE)
                    continue
            segment, centre = _segment_of(x[i], segments[0] if sign > 0.0 else segments[1])
            if segment != before:
                solved[:] = False
                before = segment
            vol[i], status[i] = _vol(
                x[i], price[i], s, market, whole, dates, cash, centre, scheme, transform, solved, work
            )


@kernel
def option_values(
    x: Floats,
    sigma: Floats,
    offsets: Integers,
    times: Floats,
    rates: Floats,
    yields: Floats,
    signs: Floats,
    drops: Floats,
    n_dates: Integers,
    left: Floats,
    amounts: Floats,
    first: int,
    last: int,
    scheme: Scheme,
    segments: tuple[Segments, Segments],
    transform: Floats,
    value: Floats,
    premium: Floats,
    vega: Floats,
    by_x: Floats,
) -> None:
    """Values of the slices `first` to `last`; the vols are within the panels."""
    work = _workspace(scheme, left.shape[1])
    for number in range(first, last):
        t, r, b, sign, drop = times[number], rates[number], yields[number], signs[number], drops[number]
        dates, cash = left[number, : n_dates[number]], amounts[number, : n_dates[number]]
        market = (t, r, b, sign, drop)
        whole = (math.sqrt(t), fast_exp(-r * t), fast_exp(-b * t - drop))
        solved, before = np.zeros(PANELS, dtype=np.bool_), 0
        for i in range(offsets[number], offsets[number + 1]):
            european, by_vol, along = _black(x[i], sigma[i], sign, whole)
            value[i], premium[i], vega[i], by_x[i] = european, 0.0, by_vol, along
            if _bound(x[i], sigma[i], market, dates, cash) < _NEGLIGIBLE * by_vol:
                continue
            segment, centre = _segment_of(x[i], segments[0] if sign > 0.0 else segments[1])
            if segment != before:
                solved[:] = False
                before = segment
            extra, extra_along, extra_by_vol = _premium(
                x[i], sigma[i], market, dates, cash, centre, scheme, transform, solved, work
            )
            floor, floor_along = _floor(x[i], market, dates, cash)
            if european < floor and european + extra <= floor + _UNRESOLVED:
                # exercise at a time known today; interpolation has left the value by its own error
                extra, extra_by_vol, extra_along = floor - european, -by_vol, floor_along - along
            value[i], premium[i] = european + extra, extra
            vega[i], by_x[i] = by_vol + extra_by_vol, along + extra_along
