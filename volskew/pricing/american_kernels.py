r"""American prices, sensitivities and vols by expiry slice: puts with strike 1, a continuous yield.

With ``x = ln(S/K)``, and everything in units of the strike (Kim 1990; the notation is that of
`volskew.pricing.american_boundary`), the price is the European one and the premium

    e(x) = int_0^T r exp(-r u) N(-d2(u)) - q exp(x - q u) N(-d1(u)) du,    d1, d2 of spot over boundary B(T-u)
    at u,

worked out at Gauss-Legendre nodes in ``theta``, ``u = T sin^2(theta)``. At and below the boundary it is ``1 -
exp(x)``.

**Shared boundaries.** Boundaries are solved at the Chebyshev points in ``ln sigma`` of panels
``[0.005 2^k, 0.005 2^(k+1)]``, when a quote first needs a panel, and ``(ln B - ln X)/sigma`` at the premium's
nodes is interpolated in between. Panels are fixed, so the vol of a quote is the same to the last bit whatever
else is in its slice.

**Vols.** The European vol of the price is an upper bound. It is the answer where the premium cannot move it
by 1e-8: the premium is paid only if the spot ever comes down to ``X`` and is at most ``1 - exp(-r T)`` then
(plus ``exp(-q T) - 1`` where ``q < 0``), so that bound times the first-passage probability of a Brownian
motion with drift is set against vega. Else Newton's method with the derivative of the whole sum, the
boundary's own included, inside a bracket.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.american_boundary import CLOSE, critical_limit, solve_boundary
from volskew.pricing.compiled import fma, inlined, kernel
from volskew.pricing.elementary import LOG2_E, fast_exp, log_ratio
from volskew.pricing.mills import density, distribution
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL, PANELS
from volskew.pricing.status import Status

__all__ = ["put_values", "put_vols"]

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_NEGLIGIBLE = 1e-8
"""[vol] What the premium may move the vol by where the European vol is taken."""
_NEWTON_STEP = 1e-5
"""Relative step of Newton's method, whose error is its square, that is the last."""
_MAX_ITERATIONS = 60
_DEEPEST = 9.0
"""-ln B beyond which the nodes do not resolve a boundary that falls to 0, as it does where the rate is 0."""

_UNTRIED, _THERE, _UNSETTLED = 0, 1, 2
"""States of a panel."""

_OK = int(Status.OK)
_NOT_CONVERGED = int(Status.NOT_CONVERGED)
_OUT_OF_RANGE = int(Status.OUT_OF_RANGE)


@inlined
def _panel_of(sigma: float) -> int:
    octave = math.floor(log_ratio(sigma, LEAST_VOL) * LOG2_E)
    return int(min(max(octave, 0.0), PANELS - 1.0))


@kernel
def _build(
    time: float,
    rate: float,
    dividend_yield: float,
    panel: int,
    nodes: tuple[Floats, Floats, Floats, Floats],
    price_interpolate: Floats,
    vol_interpolate: Floats,
    iterations: int,
    table: Floats,
) -> bool:
    """Coefficients over a panel of (ln B - ln X)/sigma at the premium's nodes and T; whether it settled."""
    count, p, n = vol_interpolate.shape[0], price_interpolate.shape[0], nodes[0].size
    h = np.empty(n)
    at = np.empty((count, p + 1))
    scratch = np.empty((7, nodes[1].size * n)), np.empty((5, n))
    settled = True
    before = 0.0
    for i in range(count):
        z = math.cos(math.pi * i / (count - 1))
        sigma = LEAST_VOL * 2.0 ** (panel + 0.5 * (1.0 + z))
        if i > 0:
            # ln B - ln X goes about as sigma: the boundary before is a start that needs no guess
            for j in range(n):
                h[j] *= (sigma / before) * (sigma / before)
        change = solve_boundary(time, rate, dividend_yield, sigma, nodes, iterations, scratch, i == 0, h)
        deep = rate == 0.0 and math.sqrt(h[n - 1]) > _DEEPEST
        settled = settled and change < CLOSE and not deep
        before = sigma
        for k in range(p):
            total = 0.0
            for j in range(n):
                total = fma(price_interpolate[k, j], h[j], total)
            at[i, k] = -math.sqrt(max(total, 0.0)) / sigma
        at[i, p] = -math.sqrt(h[n - 1]) / sigma
    for j in range(count):
        for k in range(p + 1):
            total = 0.0
            for i in range(count):
                total = fma(vol_interpolate[j, i], at[i, k], total)
            table[j, k] = total
    return settled


@kernel
def _evaluate(
    x: float,
    sigma: float,
    log_x: float,
    panel: int,
    table: Floats,
    constants: Floats,
    scratch: Floats,
    whole: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    """Price, early-exercise premium, d price/d sigma and d price/dx of a put with strike 1."""
    time, carry, discount, mu = whole
    p = constants.shape[1]
    count = table.shape[0]
    boundary, slope, term, term_slope, term_x = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    z = 2.0 * (log_ratio(sigma, LEAST_VOL) * LOG2_E - panel) - 1.0
    for k in range(p + 1):
        boundary[k] = fma(z, table[1, k], table[0, k])
        slope[k] = table[1, k]
    t0, t1, u0, u1 = 1.0, z, 0.0, 1.0
    for j in range(2, count):
        t2, u2 = 2.0 * z * t1 - t0, 2.0 * t1 + 2.0 * z * u1 - u0
        for k in range(p + 1):
            boundary[k] = fma(t2, table[j, k], boundary[k])
            slope[k] = fma(u2, table[j, k], slope[k])
        t0, t1, u0, u1 = t1, t2, u1, u2
    spot = fast_exp(x)
    root_time = math.sqrt(time)
    v = sigma * root_time
    d1 = (x + mu * time) / v + 0.5 * v
    held = carry * spot
    tail = distribution(-d1)
    european = discount * distribution(v - d1) - held * tail
    if x <= log_x + sigma * boundary[p]:
        return 1.0 - spot, 1.0 - spot - european, 0.0, -spot
    away = x - log_x
    # d/dsigma of sigma g(z) is g + sigma g'(z) dz/dsigma, and dz/dsigma = 2/(ln 2 sigma)
    stretch = 2.0 * LOG2_E
    for k in range(p):
        root, drift = constants[0, k], constants[1, k]
        per_vol = 1.0 / (sigma * root)
        lead = away - sigma * boundary[k] + drift
        minus = lead * per_vol - 0.5 * sigma * root
        plus = minus + sigma * root
        thin = density(minus)
        # spot exp(-q u) n(plus) is B exp(-r u) n(minus): one density serves both
        barrier = fast_exp(log_x + sigma * boundary[k])
        out, kept = distribution(-minus), distribution(-plus)
        term[k] = constants[2, k] * out - constants[3, k] * spot * kept
        move = -lead * per_vol / sigma - 0.5 * root - (boundary[k] + stretch * slope[k]) * per_vol
        weighted = constants[4, k] * thin
        term_slope[k] = weighted * (constants[6, k] * barrier * (move + root) - constants[5, k] * move)
        term_x[k] = (
            weighted * per_vol * (constants[6, k] * barrier - constants[5, k]) - constants[3, k] * spot * kept
        )
    premium = vega = by_x = 0.0
    for k in range(p):
        premium += term[k]
        vega += term_slope[k]
        by_x += term_x[k]
    vega += held * root_time * density(d1)
    by_x -= held * tail
    return european + premium, premium, vega, by_x


@kernel
def _constants(
    time: float, rate: float, dividend_yield: float, sine: Floats, weight: Floats, out: Floats
) -> None:
    """What the premium's nodes need, whatever the vol and the strike."""
    for k in range(sine.size):
        u = time * sine[k] * sine[k]
        common = weight[k] * time
        out[0, k] = math.sqrt(time) * sine[k]
        out[1, k] = (rate - dividend_yield) * u
        out[2, k] = common * rate * fast_exp(-rate * u)
        out[3, k] = common * dividend_yield * fast_exp(-dividend_yield * u)
        out[4, k] = common * fast_exp(-rate * u)
        out[5, k] = rate
        out[6, k] = dividend_yield


@inlined
def _premium_bound(
    x: float, sigma: float, log_x: float, time: float, rate: float, dividend_yield: float
) -> float:
    """What the early-exercise premium is at most."""
    b = x - log_x
    if b <= 0.0:
        return math.inf
    v = sigma * math.sqrt(time)
    m = (rate - dividend_yield) * time - 0.5 * v * v
    reached = distribution((-b - m) / v) + fast_exp(min(-2.0 * m * b / (v * v), 600.0)) * distribution(
        (m - b) / v
    )
    gain = 1.0 - fast_exp(-rate * time) + max(fast_exp(-dividend_yield * time) - 1.0, 0.0)
    return reached * gain


@inlined
def _is_there(
    time: float,
    rate: float,
    dividend_yield: float,
    panel: int,
    nodes: tuple[Floats, Floats, Floats, Floats],
    price_nodes: tuple[Floats, Floats, Floats, Floats],
    iterations: int,
    state: Integers,
    tables: Floats,
) -> bool:
    """Whether a panel has boundaries; they are solved when it is first asked for."""
    if state[panel] == _UNTRIED:
        done = _build(
            time,
            rate,
            dividend_yield,
            panel,
            nodes,
            price_nodes[2],
            price_nodes[3],
            iterations,
            tables[panel],
        )
        state[panel] = _THERE if done else _UNSETTLED
    return bool(state[panel] == _THERE)


@kernel
def put_vols(
    x: Floats,
    price: Floats,
    start: Floats,
    offsets: Integers,
    times: Floats,
    rates: Floats,
    yields: Floats,
    first: int,
    last: int,
    nodes: tuple[Floats, Floats, Floats, Floats],
    price_nodes: tuple[Floats, Floats, Floats, Floats],
    iterations: int,
    vol: Floats,
    status: Codes,
) -> None:
    """Vols of the slices `first` to `last`, of quotes that may carry a premium and have a vol.

    `start` is the European vol of each, NaN where the price is below what a European put is worth at least.
    """
    sine, weight, _, vol_interpolate = price_nodes
    p, count = sine.size, vol_interpolate.shape[0]
    tables = np.empty((PANELS, count, p + 1))
    constants, scratch = np.empty((7, p)), np.empty((5, p + 1))
    for number in range(first, last):
        t, r, q = times[number], rates[number], yields[number]
        log_x = log_ratio(critical_limit(r, q), 1.0)
        _constants(t, r, q, sine, weight, constants)
        whole = (t, fast_exp(-q * t), fast_exp(-r * t), r - q)
        state = np.zeros(PANELS, dtype=np.int64)
        for i in range(offsets[number], offsets[number + 1]):
            s = start[i]
            if s > 0.0:
                v = s * math.sqrt(t)
                d1 = (x[i] + (r - q) * t) / v + 0.5 * v
                vega = fast_exp(x[i]) * whole[1] * math.sqrt(t) * density(d1)
                if _premium_bound(x[i], s, log_x, t, r, q) < _NEGLIGIBLE * vega:
                    vol[i], status[i] = s, _OK
                    continue
            low, high = LEAST_VOL, min(s, GREATEST_VOL) if s > 0.0 else GREATEST_VOL
            s = min(max(high, low), 2.0) if not s > 0.0 else max(high, low)
            vol[i], status[i] = math.nan, _NOT_CONVERGED
            for _ in range(_MAX_ITERATIONS):
                panel = _panel_of(s)
                if not _is_there(t, r, q, panel, nodes, price_nodes, iterations, state, tables):
                    break
                value, _premium, slope, _by_x = _evaluate(
                    x[i], s, log_x, panel, tables[panel], constants, scratch, whole
                )
                gap = value - price[i]
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
                    if LEAST_VOL * (1.0 + 1e-9) < s < GREATEST_VOL * (1.0 - 1e-9):
                        vol[i], status[i] = s, _OK
                    else:
                        status[i] = _OUT_OF_RANGE
                    break


@kernel
def put_values(
    x: Floats,
    sigma: Floats,
    offsets: Integers,
    times: Floats,
    rates: Floats,
    yields: Floats,
    first: int,
    last: int,
    nodes: tuple[Floats, Floats, Floats, Floats],
    price_nodes: tuple[Floats, Floats, Floats, Floats],
    iterations: int,
    value: Floats,
    premium: Floats,
    vega: Floats,
    by_x: Floats,
) -> None:
    """Values of the slices `first` to `last`; NaN where no boundary settles or the vol is out of range."""
    sine, weight, _, vol_interpolate = price_nodes
    p, count = sine.size, vol_interpolate.shape[0]
    tables = np.empty((PANELS, count, p + 1))
    constants, scratch = np.empty((7, p)), np.empty((5, p + 1))
    for number in range(first, last):
        t, r, q = times[number], rates[number], yields[number]
        log_x = log_ratio(critical_limit(r, q), 1.0)
        _constants(t, r, q, sine, weight, constants)
        whole = (t, fast_exp(-q * t), fast_exp(-r * t), r - q)
        state = np.zeros(PANELS, dtype=np.int64)
        for i in range(offsets[number], offsets[number + 1]):
            value[i] = premium[i] = vega[i] = by_x[i] = math.nan
            if LEAST_VOL <= sigma[i] <= GREATEST_VOL:
                panel = _panel_of(sigma[i])
                if _is_there(t, r, q, panel, nodes, price_nodes, iterations, state, tables):
                    value[i], premium[i], vega[i], by_x[i] = _evaluate(
                        x[i], sigma[i], log_x, panel, tables[panel], constants, scratch, whole
                    )
