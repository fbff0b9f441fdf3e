r"""The early-exercise premium of American puts with strike 1, and the boundaries it is worked out from.

With ``x = ln(S/K)``, and everything in units of the strike (Kim 1990; the notation is that of
`volskew.pricing.american_boundary`), the price is the European one and the premium

    e(x) = int_0^T r exp(-r u) N(-d2(u)) - q exp(x - q u) N(-d1(u)) du,    d1, d2 of spot over boundary B(T-u)
    at u,

worked out at Gauss-Legendre nodes in ``theta``, ``u = T sin^2(theta)``. At and below the boundary it is ``1 -
exp(x)`` less the European price.

**Shared boundaries.** Boundaries are solved at the Chebyshev points in ``ln sigma`` of panels
``[0.005 2^k, 0.005 2^(k+1)]``, when a quote first needs a panel, and ``(ln B - ln X)/sigma`` at the premium's
nodes is interpolated in between. Panels are fixed, so the vol of a quote is the same to the last bit whatever
else is in its slice.

Quotes are rows of scratch (`volskew.pricing.workspace`), each a column: those of a slice go through each
stage together, so that what is one's latency is another's work.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.american_boundary import (
    BOUNDARY,
    BOUNDARY_ROWS,
    CLOSE,
    Limits,
    Nodes,
    PriceNodes,
    Vols,
    guess_boundary,
    prepare_boundaries,
    solve_boundary,
)
from volskew.pricing.compiled import fma, inlined, kernel, use_widest_vectors
from volskew.pricing.elementary import LOG2_E, fast_exp, log_ratio
from volskew.pricing.mills import distribution, distribution_and_density
from volskew.pricing.panels import LEAST_VOL, PANELS
from volskew.pricing.workspace import at

__all__ = [
    "BY_X",
    "HIGH",
    "LAST_GAP",
    "LAST_SLOPE",
    "LAST_VOL",
    "LOW",
    "PANEL",
    "PRICE",
    "ROWS",
    "SPOT",
    "VALUE",
    "VEGA",
    "VOL",
    "Codes",
    "Floats",
    "Integers",
    "Scheme",
    "X",
    "european_puts",
    "panel_is_there",
    "premium",
    "premium_bound",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Scheme = tuple[Nodes, PriceNodes, Vols, Limits]

_MORE_AT_FIRST = 2
_DEEPEST = 9.0
"""-ln B beyond which the nodes do not resolve a boundary that falls to 0, as it does where the rate is 0."""

_UNTRIED, _THERE, _UNSETTLED = 0, 1, 2
"""States of a panel."""

_LARGEST_VOLS = 10
# rows of scratch behind the boundary's: what a slice's premiums share, one premium's terms, a panel's vols
_PRICE_ROOT, _PER_PRICE_ROOT, _PRICE_DRIFT, _EARNED, _LOST = (BOUNDARY_ROWS + i for i in range(5))
_SHAPE, _SHAPE_SLOPE, _TERM, _TERM_VEGA, _TERM_X = (BOUNDARY_ROWS + i for i in range(5, 10))
_SOLVED = BOUNDARY_ROWS + 10
_AT_NODES = _SOLVED + _LARGEST_VOLS
# rows of quotes
_FIRST_OF_QUOTES = _AT_NODES + _LARGEST_VOLS
X, SPOT, PRICE, VOL, PANEL, _PLACE, VALUE, VEGA, BY_X = (_FIRST_OF_QUOTES + i for i in range(9))
LOW, HIGH, LAST_VOL, LAST_GAP, LAST_SLOPE = (_FIRST_OF_QUOTES + i for i in range(9, 14))
ROWS = _FIRST_OF_QUOTES + 14


@kernel
def _build(
    time: float, rate: float, dividend_yield: float, panel: int, scheme: Scheme, w: Floats, table: Floats
) -> bool:
    """Coefficients over a panel of (ln B - ln X)/sigma at the premium's nodes and T; whether it settled."""
    nodes, price_nodes, (factors, chebyshev, extrapolate), (iterations, near) = scheme
    n, count = nodes[0].size, factors.size
    least = LEAST_VOL
    for _ in range(panel):
        least *= 2.0
    settled = True
    for i in range(count):
        sigma = least * factors[i]
        if i == 0:
            guess_boundary(time, rate, dividend_yield, sigma, nodes[0], w)
        else:
            _extrapolate(i, n, sigma, extrapolate, w)
        # the first start is the worst, and all others come from it
        more = _MORE_AT_FIRST if i == 0 else 0
        change = solve_boundary(time, rate, dividend_yield, sigma, nodes, iterations + more, near, w)
        deep = rate == 0.0 and math.sqrt(w[at(BOUNDARY, n - 1)]) > _DEEPEST
        settled = settled and change < CLOSE and not deep
        _keep(i, n, sigma, price_nodes[2], w)
    for j in range(count):
        table[j, :] = 0.0
        for i in range(count):
            weight = chebyshev[j, i]
            for k in range(table.shape[1]):
                table[j, k] = fma(weight, w[at(_AT_NODES + i, k)], table[j, k])
    return settled


@inlined
def _extrapolate(i: int, n: int, sigma: float, weights: Floats, w: Floats) -> None:
    """A start from the boundaries of the vols before: ln B - ln X goes about as sigma."""
    for a in range(n):
        total = 0.0
        for j in range(i):
            total = fma(weights[i, j], w[at(_SOLVED + j, a)], total)
        last = w[at(_SOLVED + i - 1, a)]
        total = sigma * max(min(total, 1.5 * last), 0.5 * last)
        w[at(BOUNDARY, a)] = total * total


@inlined
def _keep(i: int, n: int, sigma: float, weights: Floats, w: Floats) -> None:
    """(ln B - ln X)/sigma of a boundary at its own nodes, and at the premium's and T."""
    use_widest_vectors()
    row, p, per_sigma = _AT_NODES + i, weights.shape[1], 1.0 / sigma
    for a in range(n):
        w[at(_SOLVED + i, a)] = math.sqrt(w[at(BOUNDARY, a)]) * per_sigma
    for k in range(p):
        w[at(row, k)] = 0.0
    for j in range(n):
        h = w[at(BOUNDARY, j)]
        for k in range(p):
            w[at(row, k)] = fma(weights[j, k], h, w[at(row, k)])
    for k in range(p):
        w[at(row, k)] = -math.sqrt(max(w[at(row, k)], 0.0)) * per_sigma
    w[at(row, p)] = -w[at(_SOLVED + i, n - 1)]


@inlined
def _prepare_premiums(
    time: float, rate: float, dividend_yield: float, price_nodes: PriceNodes, w: Floats
) -> None:
    """What the premium's nodes need, whatever the vol and the strike."""
    sine, weight = price_nodes[0], price_nodes[1]
    root_time = math.sqrt(time)
    for k in range(sine.size):
        u = time * sine[k] * sine[k]
        w[at(_PRICE_ROOT, k)] = root_time * sine[k]
        w[at(_PER_PRICE_ROOT, k)] = 1.0 / (root_time * sine[k])
        w[at(_PRICE_DRIFT, k)] = (rate - dividend_yield) * u
        w[at(_EARNED, k)] = weight[k] * time * rate * fast_exp(-rate * u)
        w[at(_LOST, k)] = weight[k] * time * dividend_yield * fast_exp(-dividend_yield * u)


@inlined
def european_puts(count: int, time: float, mu: float, carry: float, discount: float, w: Floats) -> None:
    """Value, vega and d/dx of European puts, and the place of their vols in the panels, of `count` quotes."""
    use_widest_vectors()
    root_time = math.sqrt(time)
    for i in range(count):
        sigma = w[at(VOL, i)]
        octaves = log_ratio(sigma, LEAST_VOL) * LOG2_E
        panel = min(max(np.floor(octaves), 0.0), PANELS - 1.0)
        w[at(PANEL, i)] = panel
        w[at(_PLACE, i)] = 2.0 * (octaves - panel) - 1.0
        v = sigma * root_time
        d1 = (w[at(X, i)] + mu * time) / v + 0.5 * v
        tail, thin = distribution_and_density(-d1)
        held = carry * w[at(SPOT, i)]
        w[at(VALUE, i)] = discount * distribution(v - d1) - held * tail
        w[at(VEGA, i)] = held * root_time * thin
        w[at(BY_X, i)] = -held * tail


@inlined
def premium(
    i: int, log_x: float, table: Floats, price_nodes: PriceNodes, w: Floats
) -> tuple[bool, float, float, float]:
    """Whether quote `i` is not due for exercise, and its early-exercise premium, d/d sigma and d/dx of it."""
    use_widest_vectors()
    p, count = price_nodes[0].size, table.shape[0]
    x, spot, sigma, z = w[at(X, i)], w[at(SPOT, i)], w[at(VOL, i)], w[at(_PLACE, i)]
    end = fma(z, table[1, p], table[0, p])
    for k in range(p):
        w[at(_SHAPE, k)] = fma(z, table[1, k], table[0, k])
    for k in range(p):
        w[at(_SHAPE_SLOPE, k)] = table[1, k]
    t0, t1, u0, u1 = 1.0, z, 0.0, 1.0
    for j in range(2, count):
        t2, u2 = 2.0 * z * t1 - t0, 2.0 * t1 + 2.0 * z * u1 - u0
        end = fma(t2, table[j, p], end)
        for k in range(p):
            w[at(_SHAPE, k)] = fma(t2, table[j, k], w[at(_SHAPE, k)])
            w[at(_SHAPE_SLOPE, k)] = fma(u2, table[j, k], w[at(_SHAPE_SLOPE, k)])
        t0, t1, u0, u1 = t1, t2, u1, u2
    if x <= log_x + sigma * end:
        return False, 0.0, 0.0, 0.0
    away, per_sigma = x - log_x, 1.0 / sigma
    # d/dsigma of sigma g(z) is g + sigma g'(z) dz/dsigma, and dz/dsigma = 2/(ln 2 sigma)
    stretch = 2.0 * LOG2_E
    for k in range(p):
        root = w[at(_PRICE_ROOT, k)]
        unit, per_unit = sigma * root, per_sigma * w[at(_PER_PRICE_ROOT, k)]
        shape = w[at(_SHAPE, k)]
        lead = (away - sigma * shape + w[at(_PRICE_DRIFT, k)]) * per_unit
        minus = lead - 0.5 * unit
        out, thin = distribution_and_density(-minus)
        kept, thick = distribution_and_density(-minus - unit)
        earned, lost = w[at(_EARNED, k)], w[at(_LOST, k)] * spot
        move = -lead * per_sigma - 0.5 * root - (shape + stretch * w[at(_SHAPE_SLOPE, k)]) * per_unit
        w[at(_TERM, k)] = earned * out - lost * kept
        w[at(_TERM_VEGA, k)] = lost * thick * (move + root) - earned * thin * move
        w[at(_TERM_X, k)] = (lost * thick - earned * thin) * per_unit - lost * kept
    # sums in an order that any vector unit can keep
    for j in range(8, p, 8):
        for k in range(8):
            w[at(_TERM, k)] += w[at(_TERM, j + k)]
        for k in range(8):
            w[at(_TERM_VEGA, k)] += w[at(_TERM_VEGA, j + k)]
        for k in range(8):
            w[at(_TERM_X, k)] += w[at(_TERM_X, j + k)]
    return True, _sum(_TERM, w), _sum(_TERM_VEGA, w), _sum(_TERM_X, w)


@inlined
def _sum(row: int, w: Floats) -> float:
    left = (w[at(row, 0)] + w[at(row, 4)]) + (w[at(row, 2)] + w[at(row, 6)])
    right = (w[at(row, 1)] + w[at(row, 5)]) + (w[at(row, 3)] + w[at(row, 7)])
    return float(left + right)


@inlined
def premium_bound(
    x: float, sigma: float, log_x: float, time: float, rate: float, dividend_yield: float, gain: float
) -> float:
    """What the early-exercise premium is at most.

    Nothing is gained before the spot comes down to ``X``, and then at most `gain`: ``1 - exp(-r T)``,
    plus ``exp(-q T) - 1`` where ``q < 0``. So `gain` times the probability that a Brownian motion with
    drift comes so far is a bound. Where ``0 < r < q`` there is a closer one. The premium is the
    discounted mean of ``r - q S = q (X - S)`` over the times at which ``S < B <= X``, so at most that of
    ``q max(X - S, 0)`` over all times. With ``r < q`` the spot is a supermartingale, a falling convex
    function of it a submartingale, and its mean at any time at most that at ``T``: ``(1 - exp(-r T))
    (q/r) E[max(X - S_T, 0)]``.
    """
    b, mu = x - log_x, rate - dividend_yield
    v = sigma * math.sqrt(time)
    m = mu * time - 0.5 * v * v
    at_end = distribution((-b - m) / v)
    if 0.0 < rate < dividend_yield:
        forward = fast_exp(b + mu * time)
        return max(gain * (at_end - forward * distribution((-b - m) / v - v)), 0.0)
    reached = at_end + fast_exp(min(-2.0 * m * b / (v * v), 600.0)) * distribution((m - b) / v)
    return reached * gain if b > 0.0 else math.inf


@inlined
def panel_is_there(
    time: float,
    rate: float,
    dividend_yield: float,
    panel: int,
    scheme: Scheme,
    state: Integers,
    w: Floats,
    tables: Floats,
) -> bool:
    """Whether a panel has boundaries; they are solved when it is first asked for."""
    if state[panel] == _UNTRIED:
        if state[PANELS] == _UNTRIED:
            prepare_boundaries(time, rate, dividend_yield, scheme[0], w)
            _prepare_premiums(time, rate, dividend_yield, scheme[1], w)
            state[PANELS] = _THERE
        done = _build(time, rate, dividend_yield, panel, scheme, w, tables[panel])
        state[panel] = _THERE if done else _UNSETTLED
    return bool(state[panel] == _THERE)
