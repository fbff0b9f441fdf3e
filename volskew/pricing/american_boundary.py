r"""The exercise boundary of an American put with a continuous yield, by fixed-point iteration.

Calls are puts with spot and strike, rate and yield exchanged (McDonald and Schroder 1998), and prices scale
with the strike, so only puts with strike 1 appear here. With ``B(tau)`` the spot at and below which the put
is exercised when the time ``tau`` is left, Andersen, Lake and Offengenden, "High-performance American option
pricing" (2016), write the boundary as a fixed point ``B = exp(-(r-q) tau) N(tau, B)/D(tau, B)`` of two
integrals over the boundary itself. Taken over from them: the two fixed points "A" (with densities, from
smooth pasting) and "B" (with distribution functions, from value matching), ``H = ln(B/X)^2`` as the function
that is interpolated at Chebyshev nodes in ``sqrt(tau)``, where ``X = min(1, r/q)`` is the boundary's limit at
expiry.

What differs: both integrals run over ``u = tau cos^2(theta)`` with Gauss-Legendre nodes in ``theta``, which
removes the root at both ends and at equal cost is ten times as accurate as the paper's ``tau (1 -
(1+y)^2/4)``. All nodes of the boundary are iterated at once, node by node inside the innermost loop, so that
it fills the vector unit. A contracts quickly, but runs away where drift outweighs vol, and where the yield is
negative; there B is iterated, damped, and the boundary kept above that of the perpetual put (Merton 1973),
below which it never falls.

The boundary depends on ``(sigma, r, q, T)`` alone and serves every strike of an expiry.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import fma, inlined, kernel, use_widest_vectors
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.pricing.mills import density, distribution, distribution_and_density
from volskew.pricing.workspace import at

__all__ = [
    "BOUNDARY",
    "BOUNDARY_ROWS",
    "CLOSE",
    "Limits",
    "Nodes",
    "PriceNodes",
    "Scheme",
    "Vols",
    "chebyshev_transform",
    "critical_limit",
    "guess_boundary",
    "prepare_boundaries",
    "scheme",
    "solve_boundary",
]

Floats = NDArray[np.float64]
Nodes = tuple[Floats, Floats, Floats, Floats]
PriceNodes = tuple[Floats, Floats, Floats]
Vols = tuple[Floats, Floats, Floats]
Limits = tuple[int, float]

BOUNDARY = 0
_TAU, _ROOT, _PER_ROOT, _ROOT_DT, _PER_ROOT_DT, _DRIFT, _IN_TOP, _IN_BOTTOM = 1, 2, 3, 4, 5, 6, 7, 8
_LOG_B, _BETWEEN, _TOP, _BOTTOM, _WHOLE_TOP, _WHOLE_BOTTOM = 9, 10, 11, 12, 13, 14
BOUNDARY_ROWS = 15
"""Rows of scratch."""

_STEEP = 0.6
"""max(|r|, |q|) sqrt(T)/sigma above which the quick fixed point may run away, so that the other is taken."""
_MANY = 60
CLOSE = 1e-3
"""Change of ln B, in units of sigma sqrt(T), above which a boundary is no boundary."""
_GUESS_STEPS = 8
_GUESSED_FROM = 3
"""Vols whose boundaries are extrapolated to the next: a parabola."""


class Scheme(NamedTuple):
    """Nodes and weights of one accuracy.

    Shapes in numbers of boundary nodes n, quadrature nodes l and p, and vols of a panel m.

    Attributes
    ----------
    nodes : Nodes
        ``roots`` (n,): sqrt(tau/T) of the boundary's nodes, ascending, without 0 (where H = 0); ``sine`` and
        ``weight`` (l,) of the boundary's integrals: sqrt(dt/tau), and the weight in units of tau;
        ``interpolate`` (n, l n): value of H at quadrature node l under node n, from H at each node.
    price_nodes : PriceNodes
        ``sine`` and ``weight`` (p,) of the premium's integral, in units of T; ``interpolate`` (n, p): value
        of H there.
    vols : Vols
        ``factors`` (m,): vols over the least of the panel, descending (Chebyshev-Lobatto points in ln vol);
        ``interpolate`` (m, m): Chebyshev coefficients from values at them; ``extrapolate`` (m, m): guess at a
        vol from those before.
    limits : Limits
        Iterations of the quick fixed point, and the change of ln B at which either ends.
    """

    nodes: Nodes
    price_nodes: PriceNodes
    vols: Vols
    limits: Limits


def scheme(
    *, nodes: int, quadrature: int, price_quadrature: int, iterations: int, vols: int, settled: float
) -> Scheme:
    """Nodes and weights for these sizes; `nodes` is even, `price_quadrature` a multiple of 8."""
    z = -_cosines(nodes + 1)
    roots = 0.5 * (1.0 + z)
    barycentric = np.where(np.arange(nodes + 1) % 2, -1.0, 1.0)
    barycentric[[0, -1]] *= 0.5

    def row(at: float) -> Floats:
        """Weights of H at all nodes but the first, where it is 0."""
        away = at - z
        nearest = int(np.argmin(np.abs(away)))
        weights = np.zeros(nodes + 1)
        if abs(away[nearest]) < 1e-15:
            weights[nearest] = 1.0
        else:
            weights = barycentric / away
            weights /= weights.sum()
        return np.asarray(weights[1:])

    sine, cosine, weight = _angles(quadrature)
    price_sine, price_cosine, price_weight = _angles(price_quadrature)
    interpolate = np.array([[row(2.0 * root * c - 1.0) for root in roots[1:]] for c in cosine])
    return Scheme(
        nodes=(
            _rounded(roots[1:]),
            _rounded(sine),
            _rounded(weight),
            _rounded(interpolate.transpose(2, 0, 1).reshape(nodes, -1)),
        ),
        price_nodes=(
            _rounded(price_sine),
            _rounded(price_weight),
            _rounded(np.array([row(2.0 * c - 1.0) for c in price_cosine]).T),
        ),
        vols=_vols(vols),
        limits=(iterations, settled),
    )


def _vols(count: int) -> Vols:
    z = _cosines(count)
    extrapolate = np.zeros((count, count))
    for k in range(1, count):
        used = range(max(k - _GUESSED_FROM, 0), k)
        for a in used:
            extrapolate[k, a] = math.prod((z[k] - z[b]) / (z[a] - z[b]) for b in used if b != a)
    return _rounded(2.0 ** (0.5 * (1.0 + z))), _rounded(chebyshev_transform(count)), _rounded(extrapolate)


def _cosines(count: int) -> Floats:
    """From 1 down to -1: the Chebyshev-Lobatto points."""
    return np.cos(np.pi * np.arange(count) / (count - 1))


def _rounded(x: Floats) -> Floats:
    """To 47 binary places, so that nodes are the same whatever library worked them out."""
    return np.ascontiguousarray(np.round(x * 2.0**47) / 2.0**47)


def chebyshev_transform(count: int) -> Floats:
    """Chebyshev coefficients from values at the points ``cos(pi i/(count - 1))``, of shape (count, count)."""
    i = np.arange(count)
    transform = np.cos(np.pi * np.outer(i, i) / (count - 1)) * 2.0 / (count - 1)
    transform[[0, -1]] *= 0.5
    transform[:, [0, -1]] *= 0.5
    return _rounded(transform)


def _angles(count: int) -> tuple[Floats, Floats, Floats]:
    """Sine, cosine and weight of Gauss-Legendre nodes in theta for integrals over dt = tau sin^2(theta)."""
    y, w = np.polynomial.legendre.leggauss(count)
    theta = (y + 1.0) * np.pi / 4.0
    sine, cosine = np.sin(theta), np.cos(theta)
    return sine, cosine, 0.5 * np.pi * w * sine * cosine


@inlined
def critical_limit(rate: float, dividend_yield: float) -> float:
    """X = min(1, r/q), the boundary just before expiry (1 where q <= 0)."""
    return rate / dividend_yield if 0.0 < rate < dividend_yield else 1.0


@inlined
def _perpetual(rate: float, dividend_yield: float, sigma: float) -> float:
    """Boundary of the perpetual put (Merton 1973)."""
    drift = 2.0 * (rate - dividend_yield) / (sigma * sigma) - 1.0
    slope = 0.5 * (-drift - math.sqrt(drift * drift + 8.0 * rate / (sigma * sigma)))
    return slope / (slope - 1.0)


@inlined
def prepare_boundaries(time: float, rate: float, dividend_yield: float, nodes: Nodes, w: Floats) -> None:
    """Fill in what all boundaries of a slice share, whatever the vol.

    One flat row of pairs (quadrature node, boundary node), the latter innermost: long loops fill the vector
    unit.
    """
    roots, sine, weight = nodes[0], nodes[1], nodes[2]
    r, q, n = rate, dividend_yield, nodes[0].size
    root_time = math.sqrt(time)
    for a in range(n):
        w[at(_TAU, a)] = time * roots[a] * roots[a]
        w[at(_ROOT, a)] = root_time * roots[a]
        w[at(_PER_ROOT, a)] = 1.0 / (root_time * roots[a])
    for k in range(sine.size):
        for a in range(n):
            f = k * n + a
            tau = w[at(_TAU, a)]
            dt = tau * sine[k] * sine[k]
            w[at(_ROOT_DT, f)] = w[at(_ROOT, a)] * sine[k]
            w[at(_PER_ROOT_DT, f)] = w[at(_PER_ROOT, a)] / sine[k]
            w[at(_DRIFT, f)] = (r - q) * dt
            w[at(_IN_BOTTOM, f)] = q * weight[k] * tau * fast_exp(q * (tau - dt))
            w[at(_IN_TOP, f)] = r * weight[k] * tau * fast_exp(r * (tau - dt))


@kernel
def solve_boundary(
    time: float,
    rate: float,
    dividend_yield: float,
    sigma: float,
    nodes: Nodes,
    iterations: int,
    settled: float,
    w: Floats,
) -> float:
    """Improve ln(B/X)^2 at the nodes, in the first row of `w`; returns the last change of ln B."""
    use_widest_vectors()
    n, size = nodes[0].size, nodes[0].size * nodes[1].size
    r, q = rate, dividend_yield
    log_x = log_ratio(critical_limit(r, q), 1.0)
    unit = sigma * math.sqrt(time)
    steep = q < 0.0 or max(abs(r), abs(q)) * math.sqrt(time) > _STEEP * sigma
    forever = _perpetual(r, q, sigma)
    lowest = log_ratio(forever, 1.0) - log_x if forever > 1e-300 else -690.0
    change, damping = 0.0, 1.0
    for trial in range(_MANY):
        for a in range(n):
            w[at(_LOG_B, a)] = -math.sqrt(w[at(BOUNDARY, a)])
        for f in range(n, size, n):
            for a in range(n):
                w[at(_LOG_B, f + a)] = w[at(_LOG_B, a)]
        _interpolate(n, size, nodes[3], w)
        if steep:
            _integrate_steep(n, size, sigma, r - q, log_x, w)
        else:
            _integrate(n, size, sigma, r - q, log_x, w)
        _sum_up(n, size, w)
        before, change = change, 0.0
        for a in range(n):
            log_b = w[at(_LOG_B, a)]
            ratio = log_ratio(w[at(_WHOLE_TOP, a)], w[at(_WHOLE_BOTTOM, a)])
            step = log_x + log_b + (r - q) * w[at(_TAU, a)] - ratio
            # the boundary falls with time from X to that of the perpetual option
            found = max(min(log_b - damping * step, 0.5 * log_b), lowest)
            w[at(BOUNDARY, a)] = found * found
            w[at(_WHOLE_TOP, a)] = abs(found - log_b)
        for a in range(n):
            change = max(change, w[at(_WHOLE_TOP, a)])
        enough = not steep and trial + 1 >= iterations and change < CLOSE * unit
        if change < settled * unit or enough:
            break
        if steep and 0.0 < before < 2.0 * change:
            damping = max(0.5 * damping, 0.1)
    return change / unit


@inlined
def _sum_up(n: int, size: int, w: Floats) -> None:
    """Add the integrals' terms to what stands before them."""
    for f in range(0, size, n):
        for a in range(n):
            w[at(_WHOLE_TOP, a)] += w[at(_TOP, f + a)]
        for a in range(n):
            w[at(_WHOLE_BOTTOM, a)] += w[at(_BOTTOM, f + a)]


@inlined
def _interpolate(n: int, size: int, weights: Floats, w: Floats) -> None:
    """ln(B/X)^2 at the quadrature nodes."""
    use_widest_vectors()
    first, second = w[at(BOUNDARY, 0)], w[at(BOUNDARY, 1)]
    for f in range(size):
        w[at(_BETWEEN, f)] = fma(weights[1, f], second, weights[0, f] * first)
    for j in range(2, n, 2):
        first, second = w[at(BOUNDARY, j)], w[at(BOUNDARY, j + 1)]
        for f in range(size):
            total = fma(weights[j, f], first, w[at(_BETWEEN, f)])
            w[at(_BETWEEN, f)] = fma(weights[j + 1, f], second, total)


@inlined
def _integrate(n: int, size: int, sigma: float, mu: float, log_x: float, w: Floats) -> None:
    """Terms of numerator and denominator of the fixed point A, and what stands before the integrals."""
    use_widest_vectors()
    per_sigma = 1.0 / sigma
    for a in range(n):
        unit, per_unit = sigma * w[at(_ROOT, a)], per_sigma * w[at(_PER_ROOT, a)]
        minus = (log_x + w[at(_LOG_B, a)] + mu * w[at(_TAU, a)]) * per_unit - 0.5 * unit
        inside, thick = distribution_and_density(minus + unit)
        w[at(_WHOLE_TOP, a)] = density(minus) * per_unit
        w[at(_WHOLE_BOTTOM, a)] = inside + thick * per_unit
    for f in range(size):
        unit, per_unit = sigma * w[at(_ROOT_DT, f)], per_sigma * w[at(_PER_ROOT_DT, f)]
        # both logarithms are of B/X
        away = w[at(_LOG_B, f)] + math.sqrt(max(w[at(_BETWEEN, f)], 0.0)) + w[at(_DRIFT, f)]
        minus = away * per_unit - 0.5 * unit
        inside, thick = distribution_and_density(minus + unit)
        w[at(_TOP, f)] = w[at(_IN_TOP, f)] * (density(minus) * per_unit)
        w[at(_BOTTOM, f)] = w[at(_IN_BOTTOM, f)] * (inside + thick * per_unit)


@inlined
def _integrate_steep(n: int, size: int, sigma: float, mu: float, log_x: float, w: Floats) -> None:
    """The same of the fixed point B."""
    use_widest_vectors()
    per_sigma = 1.0 / sigma
    for a in range(n):
        unit, per_unit = sigma * w[at(_ROOT, a)], per_sigma * w[at(_PER_ROOT, a)]
        minus = (log_x + w[at(_LOG_B, a)] + mu * w[at(_TAU, a)]) * per_unit - 0.5 * unit
        w[at(_WHOLE_TOP, a)] = distribution(minus)
        w[at(_WHOLE_BOTTOM, a)] = distribution(minus + unit)
    for f in range(size):
        unit, per_unit = sigma * w[at(_ROOT_DT, f)], per_sigma * w[at(_PER_ROOT_DT, f)]
        away = w[at(_LOG_B, f)] + math.sqrt(max(w[at(_BETWEEN, f)], 0.0)) + w[at(_DRIFT, f)]
        minus = away * per_unit - 0.5 * unit
        w[at(_TOP, f)] = w[at(_IN_TOP, f)] * distribution(minus)
        w[at(_BOTTOM, f)] = w[at(_IN_BOTTOM, f)] * distribution(minus + unit)


@inlined
def guess_boundary(
    time: float, rate: float, dividend_yield: float, sigma: float, roots: Floats, w: Floats
) -> None:
    """Critical prices of Barone-Adesi and Whaley (1987), from the longest time down, each from the last."""
    r, q = rate, dividend_yield
    x = critical_limit(r, q)
    m, n1 = 2.0 * r / (sigma * sigma), 2.0 * (r - q) / (sigma * sigma) - 1.0
    forever = _perpetual(r, q, sigma)
    b = -1.0
    for a in range(roots.size - 1, -1, -1):
        tau = time * roots[a] * roots[a]
        v = sigma * math.sqrt(tau)
        if b < 0.0:
            b = forever + (x - forever) * fast_exp(((r - q) * tau - 2.0 * v) / (1.0 - forever))
            if not 0.0 < b < x:
                b = max(0.9 * x, 0.5 * (forever + x))
        else:
            b = x * fast_exp(log_ratio(b, x) * roots[a] / roots[a + 1])
        discount, carry = fast_exp(-r * tau), fast_exp(-q * tau)
        earned = m / (1.0 - discount) if r > 0.0 else 2.0 / (v * v)
        steep = 0.5 * (-n1 - math.sqrt(n1 * n1 + 4.0 * earned))
        for _ in range(_GUESS_STEPS):
            d1 = (log_ratio(b, 1.0) + (r - q) * tau) / v + 0.5 * v
            tail = carry * distribution(-d1)
            miss = 1.0 - b - (discount * distribution(v - d1) - b * tail) + (1.0 - tail) * b / steep
            fall = -1.0 + tail + (1.0 - tail) / steep + carry * density(d1) / (v * steep)
            step = b - miss / fall
            step = max(step, 0.98 * b * b / x)
            if step < forever:
                step = 0.5 * (b + forever)
            if step > x:
                step = 0.5 * (b + x)
            near = abs(step - b) < 1e-4 * b
            b = step
            if near:
                break
        below = log_ratio(min(b, x * (1.0 - 1e-9)), x)
        w[at(BOUNDARY, a)] = below * below
