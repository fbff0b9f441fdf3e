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

from volskew.pricing.compiled import fma, inlined, kernel
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.pricing.mills import density, distribution

__all__ = ["CLOSE", "Scheme", "chebyshev_transform", "critical_limit", "scheme", "solve_boundary"]

Floats = NDArray[np.float64]

_STEEP = 0.6
"""max(|r|, |q|) sqrt(T)/sigma above which the quick fixed point may run away, so that the other is taken."""
_MANY = 60
CLOSE = 1e-3
"""Change of ln B, in units of sigma sqrt(T), above which a boundary is no boundary."""
_GUESS_STEPS = 8
_SETTLED = 1e-12
"""Change of ln B at which the iteration ends."""


class Scheme(NamedTuple):
    """Nodes and weights of one accuracy; shapes in numbers of boundary nodes n, and quadrature nodes l and p.

    Attributes
    ----------
    roots : ndarray, (n,)
        sqrt(tau/T) of the boundary's nodes, ascending, without 0 (where H = 0).
    sine, weight : ndarray, (l,)
        Of the boundary's integrals: sqrt(dt/tau), and the weight in units of tau.
    interpolate : ndarray, (l, n, n)
        Value of H at quadrature node l under node n, from H at each node.
    price_sine, price_weight : ndarray, (p,)
        Of the premium's integral, in units of T.
    price_interpolate : ndarray, (p, n)
        Value of H there.
    vol_interpolate : ndarray, (m, m)
        Chebyshev coefficients from values at the m Chebyshev-Lobatto points.
    iterations : int
        Of the fixed point, at most.
    """

    roots: Floats
    sine: Floats
    weight: Floats
    interpolate: Floats
    price_sine: Floats
    price_weight: Floats
    price_interpolate: Floats
    vol_interpolate: Floats
    iterations: int


def scheme(*, nodes: int, quadrature: int, price_quadrature: int, iterations: int, vols: int) -> Scheme:
    """Nodes and weights for these sizes; `price_quadrature` is a multiple of 8."""
    z = -np.cos(np.pi * np.arange(nodes + 1) / nodes)
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
        roots=np.ascontiguousarray(roots[1:]),
        sine=sine,
        weight=weight,
        interpolate=np.ascontiguousarray(interpolate.transpose(2, 0, 1).reshape(nodes, -1)),
        price_sine=price_sine,
        price_weight=price_weight,
        price_interpolate=np.array([row(2.0 * c - 1.0) for c in price_cosine]),
        vol_interpolate=chebyshev_transform(vols),
        iterations=iterations,
    )


def chebyshev_transform(count: int) -> Floats:
    """Chebyshev coefficients from values at the points ``cos(pi i/(count - 1))``, of shape (count, count)."""
    i = np.arange(count)
    transform = np.cos(np.pi * np.outer(i, i) / (count - 1)) * 2.0 / (count - 1)
    transform[[0, -1]] *= 0.5
    transform[:, [0, -1]] *= 0.5
    return np.ascontiguousarray(transform)


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


@kernel
def solve_boundary(
    time: float,
    rate: float,
    dividend_yield: float,
    sigma: float,
    nodes: tuple[Floats, Floats, Floats, Floats],
    iterations: int,
    scratch: tuple[Floats, Floats],
    from_guess: bool,
    h: Floats,
) -> float:
    """Fill `h` with ln(B/X)^2 at the nodes; returns the last change of ln B.

    It starts from what is in `h`, or from a guess of its own; `scratch` is of shapes (7, l n) and (5, n).
    """
    roots, interpolate = nodes[0], nodes[3]
    n = roots.size
    r, q = rate, dividend_yield
    log_x = log_ratio(critical_limit(r, q), 1.0)
    unit = sigma * math.sqrt(time)
    if from_guess:
        _guess(time, r, q, sigma, roots, log_x, h)
    _prepare(time, r, q, sigma, nodes, scratch)
    steep = q < 0.0 or max(abs(r), abs(q)) * math.sqrt(time) > _STEEP * sigma
    forever = _perpetual(r, q, sigma)
    lowest = log_ratio(forever, 1.0) - log_x if forever > 1e-300 else -690.0
    log_b, tau, top, bottom = scratch[1][0], scratch[1][1], scratch[1][3], scratch[1][4]
    change, damping = 0.0, 1.0
    for trial in range(_MANY):
        for a in range(n):
            log_b[a] = -math.sqrt(h[a])
        _integrate(r - q, log_x, h, interpolate, steep, scratch)
        before, change = change, 0.0
        for a in range(n):
            step = log_x + log_b[a] + (r - q) * tau[a] - log_ratio(top[a], bottom[a])
            # the boundary falls with time from X to that of the perpetual option
            found = max(min(log_b[a] - damping * step, 0.5 * log_b[a]), lowest)
            change = max(change, abs(found - log_b[a]))
            h[a] = found * found
        enough = not steep and trial + 1 >= iterations and change < CLOSE * unit
        if change < _SETTLED or enough:
            break
        if steep and 0.0 < before < 2.0 * change:
            damping = max(0.5 * damping, 0.1)
    return change / unit


@inlined
def _prepare(
    time: float,
    r: float,
    q: float,
    sigma: float,
    nodes: tuple[Floats, Floats, Floats, Floats],
    scratch: tuple[Floats, Floats],
) -> None:
    """What stays the same from one iteration to the next.

    One flat row of pairs (quadrature node, boundary node), the latter innermost: long loops fill the vector
    unit.
    """
    roots, sine, weight, _ = nodes
    long, short = scratch
    per_vol, drift, in_bottom, in_top = long[0], long[1], long[2], long[3]
    tau, per_root = short[1], short[2]
    n = roots.size
    for a in range(n):
        tau[a] = time * roots[a] * roots[a]
        per_root[a] = 1.0 / (sigma * math.sqrt(time) * roots[a])
    for k in range(sine.size):
        for a in range(n):
            f = k * n + a
            dt = tau[a] * sine[k] * sine[k]
            per_vol[f] = per_root[a] / sine[k]
            drift[f] = (r - q) * dt * per_vol[f] - 0.5 / per_vol[f]
            in_bottom[f] = q * weight[k] * tau[a] * fast_exp(q * (tau[a] - dt))
            in_top[f] = r * weight[k] * tau[a] * fast_exp(r * (tau[a] - dt))


@inlined
def _integrate(
    mu: float, log_x: float, h: Floats, interpolate: Floats, steep: bool, scratch: tuple[Floats, Floats]
) -> None:
    """Numerator and denominator of the fixed point at each node, into the last rows of the short scratch."""
    long, short = scratch
    per_vol, drift, in_bottom, in_top, between = long[0], long[1], long[2], long[3], long[4]
    top_part, bottom_part = long[5], long[6]
    log_b, tau, per_root, top, bottom = short[0], short[1], short[2], short[3], short[4]
    n, size = h.size, per_vol.size
    for a in range(n):
        minus = (log_x + log_b[a] + mu * tau[a]) * per_root[a] - 0.5 / per_root[a]
        plus = minus + 1.0 / per_root[a]
        top[a] = distribution(minus) if steep else density(minus) * per_root[a]
        bottom[a] = distribution(plus) if steep else distribution(plus) + density(plus) * per_root[a]
    for f in range(size):
        between[f] = interpolate[0, f] * h[0]
    for j in range(1, n):
        for f in range(size):
            between[f] = fma(interpolate[j, f], h[j], between[f])
    for k in range(size // n):
        for a in range(n):
            top_part[k * n + a] = log_b[a]
    # both logarithms are of B/X
    if steep:
        for f in range(size):
            minus = fma(top_part[f] + math.sqrt(max(between[f], 0.0)), per_vol[f], drift[f])
            top_part[f] = in_top[f] * distribution(minus)
            bottom_part[f] = in_bottom[f] * distribution(minus + 1.0 / per_vol[f])
    else:
        for f in range(size):
            minus = fma(top_part[f] + math.sqrt(max(between[f], 0.0)), per_vol[f], drift[f])
            plus = minus + 1.0 / per_vol[f]
            top_part[f] = in_top[f] * (density(minus) * per_vol[f])
            bottom_part[f] = in_bottom[f] * (distribution(plus) + density(plus) * per_vol[f])
    for k in range(size // n):
        for a in range(n):
            top[a] += top_part[k * n + a]
            bottom[a] += bottom_part[k * n + a]


@inlined
def _guess(time: float, r: float, q: float, sigma: float, roots: Floats, log_x: float, h: Floats) -> None:
    """Critical prices of Barone-Adesi and Whaley (1987), from the longest time down, each from the last."""
    x = fast_exp(log_x)
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
        h[a] = below * below
