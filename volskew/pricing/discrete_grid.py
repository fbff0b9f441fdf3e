r"""The early-exercise premium of one expiry under cash dividends at ex-dates, on a grid for all strikes.

**Model.** The forward to expiry is lognormal, so that the European price is Black's; the spot is what of the
forward's present value is left, and the dividends until expiry: with ``tau`` the time to expiry and ``tau_i``
that of an ex-date,

    S = X + sum over tau_i < tau of D_i exp(-(r - b) (tau - tau_i)),    dX/X = (r - b) dt + sigma dW.

At an ex-date the spot drops by the cash amount. (The spot itself being lognormal between ex-dates changes a
European vol, not what exercise adds to it: docs/american_vol.md has both against grids with that spot.)

**The heat equation.** For a put let ``y = ln(X/K)``, ``u = exp(r tau) V/K`` and ``z = (y + (r - b -
sigma^2/2) tau)/(sigma sqrt(T))``. For a call exchange X and K, r and b: ``y = ln(K/X)``, ``u = exp(b tau)
V/X`` and so on, that is, count in shares of X instead of dollars (McDonald and Schroder 1998). Either way

    du/dtau = u_zz/(2 T),    u(0) = max(1 - W, 0),    W = exp(sigma sqrt(T) z),

whatever rate, yield, vol and dividends are. All of them stand in the obstacle alone, ``u >= A - B exp(sigma^2
tau/2) W``. With ``G = exp(r tau) - H sum D_i/K exp((r - b) tau_i)`` and ``H = exp(b tau)``, A is G for a put
and H for a call, B the other of the two.

One matrix serves eight vols beside each other (`volskew.pricing.lanes`), American and European alike. The
strike enters by ``D_i/K`` only, in which the premium of a put is all but linear: solutions at two strikes
serve all others. Where a dividend is just worth the interest on the strike, the premium of a call begins,
with a corner; so calls have four, a cubic between the outer ones and lines beyond. Both hold for a segment of
strikes: farther away, where an exercise that pays at one strike does not at the other, the solutions are
others, about a `centre` of their own.

**Scheme.** Crank and Nicolson's, fourth order in space by Douglas (1956), with steps that grow linearly from
each ex-date and from expiry, where the boundary moves like a root; the obstacle by Brennan and Schwartz
(1977), who eliminate towards the exercise region. The premium is American less European on the same grid, so
that what the corner of the payoff costs both cancels. Where a call is exercised just before an ex-date its
value has a corner that lies between nodes; what the straight line between them adds is taken out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import fma, inlined, kernel
from volskew.pricing.elementary import LOG2_E, fast_exp, log_ratio
from volskew.pricing.lanes import LANES, lanes_fma, lanes_max, load, splat, store
from volskew.pricing.panels import LEAST_VOL

__all__ = ["CALL_RATIOS", "PUT_RATIOS", "grid_rows", "premium_at", "solve_panel"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FARTHEST_DRIFT = 14.0
"""[standard deviations] A drift beyond this leaves the grid: the lowest vols at high rates."""
PUT_RATIOS = (0.85, 1.15)
CALL_RATIOS = (0.76, 0.92, 1.08, 1.24)
"""S/K of the strikes at which the premium is solved for, about a centre of 1 and with a spread of 1."""
_LEAST_RATIO, _GREATEST_RATIO = 0.25, 4.0
"""S/K beyond which the lines through the outer two are not followed."""
_NOTHING = 1e-60
"""What an option far out of the money is worth: numbers that fall further are slow where they underflow."""


@inlined
def grid_rows(step: float, reach: float) -> int:
    """Rows that a grid has at most."""
    return 3 + 2 * math.ceil((reach + _FARTHEST_DRIFT) / step)


@kernel
def solve_panel(
    market: tuple[float, float, float, float, float],
    left: Floats,
    amounts: Floats,
    panel: int,
    centre: float,
    scheme: tuple[float, float, float, int, float],
    tables: Floats,
    scratch: tuple[Floats, Floats, Floats],
    transform: Floats,
    origin: Integers,
    cuts: Floats,
) -> None:
    """Premiums over a panel of vols at some strikes, in units of the strike (puts) or of X (calls), today.

    Parameters
    ----------
    market : tuple
        Time [years], rate and residual yield [1/year], sign (1 for puts, -1 for calls), and ln(S/X) today.
    left, amounts : ndarray, (d,)
        Time from each ex-date to expiry, ascending, above 0 and below the time; D_i/S.
    panel : int
    centre : float
        S/K about which the strikes lie that are solved for.
    scheme : tuple
        Step and reach of the grid [standard deviations], steps in time over an expiry without dividends,
        least steps between two ex-dates, and the spread of the strikes.
    tables : ndarray, (4, rows, 8)
        Filled, for S/K of `PUT_RATIOS` (two tables) or `CALL_RATIOS`: the Chebyshev coefficients in ``ln
        sigma`` of the premium at ``z = (i - origin) step``, row by row.
    scratch : tuple of ndarray, (rows, 8), (rows, 8), (rows,)
    transform : ndarray, (8, 8)
        Chebyshev coefficients from values at the Lobatto points.
    origin : ndarray, (2,)
        Filled: the row of z = 0, and the number of rows.
    cuts : ndarray, (4, 2, 2 d + 2)
        Filled: A and B, for each strike, at the times at which exercise is worth considering deep in the
        money.
    """
    spread = scheme[4]
    if market[3] > 0.0:
        _solve_pair(
            market, left, amounts, panel, scheme, tables[0], tables[1], scratch, transform, origin,
            (_spread(PUT_RATIOS[0], centre, spread), _spread(PUT_RATIOS[1], centre, spread)), cuts[:2],
        )  # fmt: skip
        return
    for first in range(0, len(CALL_RATIOS), 2):
        pair = (
            _spread(CALL_RATIOS[first], centre, spread),
            _spread(CALL_RATIOS[first + 1], centre, spread),
        )
        _solve_pair(
            market, left, amounts, panel, scheme, tables[first], tables[first + 1], scratch, transform,
            origin, pair, cuts[first : first + 2],
        )  # fmt: skip


@inlined
def _spread(ratio: float, centre: float, spread: float) -> float:
    """S/K of a solution."""
    return centre * (1.0 + spread * (ratio - 1.0))


@kernel
def _solve_pair(
    market: tuple[float, float, float, float, float],
    left: Floats,
    amounts: Floats,
    panel: int,
    scheme: tuple[float, float, float, int, float],
    near: Floats,
    far: Floats,
    scratch: tuple[Floats, Floats, Floats],
    transform: Floats,
    origin: Integers,
    ratios: tuple[float, float],
    cuts: Floats,
) -> None:
    """The same at two strikes, whose grids share the European one."""
    european, payoff, pivot = scratch
    step, reach, n_steps, least, _ = scheme
    time, rate, residual_yield, sign, drop = market
    root = math.sqrt(time)
    net = sign * (rate - residual_yield)
    sigma = np.empty(LANES)
    furthest, nearest = 0.0, 0.0
    for lane in range(LANES):
        z = math.cos(math.pi * lane / (LANES - 1))
        sigma[lane] = LEAST_VOL * 2.0 ** (panel + 0.5 * (1.0 + z))
        centre = ((net - 0.5 * sigma[lane] * sigma[lane]) * time - sign * drop) / (sigma[lane] * root)
        furthest = max(furthest, min(centre, _FARTHEST_DRIFT))
        nearest = min(nearest, max(centre, -_FARTHEST_DRIFT))
    below = math.ceil((reach - nearest) / step)
    rows = 1 + below + math.ceil((reach + furthest) / step)
    origin[0], origin[1] = below, rows
    _begin(near, far, european, payoff, sigma, root * step, below, rows)
    level, slope, edge = np.empty((2, LANES)), np.empty((2, LANES)), np.empty((3, LANES))
    for strike in range(2):
        cuts[strike, 0, 0] = cuts[strike, 1, 0] = 1.0
    n_cuts, cash, begun = 1, 0.0, 0.0
    for segment in range(left.size + 1):
        ended = left[segment] if segment < left.size else time
        span = ended - begun
        count = max(least, math.ceil(n_steps * math.sqrt(span / time)))
        for k in range(count):
            # tau is quadratic in k
            tau = begun + span * ((k + 1.0) / count) * ((k + 1.0) / count)
            width = span * (2.0 * k + 1.0) / (count * count) / (time * step * step)
            _cut(cuts, n_cuts, market, tau, cash, ratios)
            _obstacle(tau, sigma, cuts, n_cuts, payoff, level, slope, edge)
            _eliminate(near, far, european, pivot, width, rows)
            _substitute(near, far, european, payoff, pivot, width, rows, level, slope, edge)
        if segment < left.size:
            # both sides of an ex-date are times to exercise at
            n_cuts += 1
            cash += amounts[segment] * fast_exp((rate - residual_yield) * ended)
            _cut(cuts, n_cuts, market, ended, cash, ratios)
            if sign < 0.0:
                _obstacle(ended, sigma, cuts, n_cuts, payoff, level, slope, edge)
                _exercise_before_drop(near, payoff, rows, level[0], slope[0])
                _exercise_before_drop(far, payoff, rows, level[1], slope[1])
            n_cuts += 1
        begun = ended
    discount = fast_exp(-(rate if sign > 0.0 else residual_yield) * time)
    for i in range(rows):
        first, second = splat(0.0), splat(0.0)
        for lane in range(LANES):
            # the transform is symmetric: its row is its column
            column = load(transform, lane)
            first = lanes_fma(splat(max(near[i, lane] - european[i, lane], 0.0) * discount), column, first)
            second = lanes_fma(splat(max(far[i, lane] - european[i, lane], 0.0) * discount), column, second)
        store(near, i, first)
        store(far, i, second)


@inlined
def _begin(
    near: Floats,
    far: Floats,
    european: Floats,
    payoff: Floats,
    sigma: Floats,
    spacing: float,
    below: int,
    rows: int,
) -> None:
    """W at every row, and all three values at expiry."""
    for lane in range(LANES):
        payoff[0, lane] = fast_exp(-sigma[lane] * spacing * below)
        payoff[1, lane] = fast_exp(sigma[lane] * spacing)
    least_value, zero, one, minus = splat(_NOTHING), splat(0.0), splat(1.0), splat(-1.0)
    w, ratio = load(payoff, 0), load(payoff, 1)
    for i in range(rows):
        value = lanes_max(lanes_fma(minus, w, one), least_value)
        store(payoff, i, w)
        store(near, i, value)
        store(far, i, value)
        store(european, i, value)
        w = lanes_fma(w, ratio, zero)


@inlined
def _cut(
    cuts: Floats,
    last: int,
    market: tuple[float, float, float, float, float],
    tau: float,
    cash: float,
    ratios: tuple[float, float],
) -> None:
    """A and B of exercise with `tau` to go, `cash` being the sum of D_i/S exp((r - b) tau_i)."""
    _, rate, residual_yield, sign, _ = market
    grown, held = fast_exp(rate * tau), fast_exp(residual_yield * tau)
    for strike in range(2):
        left = grown - held * cash * ratios[strike]
        cuts[strike, 0, last] = left if sign > 0.0 else held
        cuts[strike, 1, last] = held if sign > 0.0 else left


@inlined
def _obstacle(
    tau: float,
    sigma: Floats,
    cuts: Floats,
    last: int,
    payoff: Floats,
    level: Floats,
    slope: Floats,
    edge: Floats,
) -> None:
    """The obstacles ``level + slope W``, and the values at the first row, deep in the money."""
    for lane in range(LANES):
        spread = fast_exp(0.5 * sigma[lane] * sigma[lane] * tau)
        for strike in range(2):
            level[strike, lane], slope[strike, lane] = cuts[strike, 0, last], -cuts[strike, 1, last] * spread
            best = -math.inf
            for j in range(last + 1):
                best = max(best, cuts[strike, 0, j] - cuts[strike, 1, j] * spread * payoff[0, lane])
            edge[strike, lane] = best
        edge[2, lane] = 1.0 - spread * payoff[0, lane]


@inlined
def _eliminate(near: Floats, far: Floats, european: Floats, pivot: Floats, width: float, rows: int) -> None:
    """Right-hand sides, and elimination from the last row down to the second; in place."""
    off, off_right = 1.0 / 12.0 - 0.25 * width, 1.0 / 12.0 + 0.25 * width
    diagonal = 1.0 - 2.0 * off
    last, i = 1.0 / diagonal, rows - 2
    pivot[i] = last
    while i > 1:
        i -= 1
        pivot[i] = 1.0 / (diagonal - off * off * last)
        if pivot[i] == last:
            break
        last = pivot[i]
    for k in range(1, i):
        # a fixed point: divisions, one waiting for the other, are what takes long
        pivot[k] = last
    zero, one = splat(0.0), splat(1.0)
    own, other = splat(1.0 - 2.0 * off_right), splat(off_right)
    above_n, above_f, above_e = load(near, rows - 1), load(far, rows - 1), load(european, rows - 1)
    here_n, here_f, here_e = load(near, rows - 2), load(far, rows - 2), load(european, rows - 2)
    done_n, done_f, done_e = zero, zero, zero
    for i in range(rows - 2, 0, -1):
        scale, carried = splat(pivot[i]), splat(-off * pivot[i])
        below_n, below_f, below_e = load(near, i - 1), load(far, i - 1), load(european, i - 1)
        right_n = lanes_fma(other, lanes_fma(one, below_n, above_n), lanes_fma(own, here_n, zero))
        right_f = lanes_fma(other, lanes_fma(one, below_f, above_f), lanes_fma(own, here_f, zero))
        right_e = lanes_fma(other, lanes_fma(one, below_e, above_e), lanes_fma(own, here_e, zero))
        done_n = lanes_fma(carried, done_n, lanes_fma(scale, right_n, zero))
        done_f = lanes_fma(carried, done_f, lanes_fma(scale, right_f, zero))
        done_e = lanes_fma(carried, done_e, lanes_fma(scale, right_e, zero))
        store(near, i, done_n)
        store(far, i, done_f)
        store(european, i, done_e)
        above_n, above_f, above_e = here_n, here_f, here_e
        here_n, here_f, here_e = below_n, below_f, below_e


@inlined
def _substitute(
    near: Floats,
    far: Floats,
    european: Floats,
    payoff: Floats,
    pivot: Floats,
    width: float,
    rows: int,
    level: Floats,
    slope: Floats,
    edge: Floats,
) -> None:
    """Back-substitution from the exercise region outwards, not below the obstacle."""
    off = 1.0 / 12.0 - 0.25 * width
    a_near, a_far, b_near, b_far = load(level, 0), load(level, 1), load(slope, 0), load(slope, 1)
    value_n, value_f, value_e = load(edge, 0), load(edge, 1), load(edge, 2)
    store(near, 0, value_n)
    store(far, 0, value_f)
    store(european, 0, value_e)
    for i in range(1, rows - 1):
        carried, w = splat(-off * pivot[i]), load(payoff, i)
        value_n = lanes_max(lanes_fma(carried, value_n, load(near, i)), lanes_fma(b_near, w, a_near))
        value_f = lanes_max(lanes_fma(carried, value_f, load(far, i)), lanes_fma(b_far, w, a_far))
        value_e = lanes_fma(carried, value_e, load(european, i))
        store(near, i, value_n)
        store(far, i, value_f)
        store(european, i, value_e)


@inlined
def _exercise_before_drop(american: Floats, payoff: Floats, rows: int, level: Floats, slope: Floats) -> None:
    """Raise a call to its exercise value just before an ex-date.

    The gain ends at a share of the cell between two nodes, while the straight line between them ends at the
    farther node: the triangle in excess is taken from both by its centre of mass.
    """
    for lane in range(LANES):
        for i in range(rows - 2):
            gain = level[lane] + slope[lane] * payoff[i, lane] - american[i, lane]
            if gain <= 0.0:
                break
            american[i, lane] += gain
            following = level[lane] + slope[lane] * payoff[i + 1, lane] - american[i + 1, lane]
            if following <= 0.0:
                share = gain / (gain - following)
                excess, centre = 0.5 * gain * (1.0 - share), (share + 1.0) / 3.0
                american[i, lane] -= excess * (1.0 - centre)
                american[i + 1, lane] -= excess * centre


@inlined
def premium_at(
    x: float,
    sigma: float,
    panel: int,
    centre: float,
    market: tuple[float, float, float, float, float],
    scheme: tuple[float, float, float, int, float],
    tables: Floats,
    origin: Integers,
    cuts: Floats,
    n_cuts: int,
) -> tuple[float, float, float]:
    """Premium at ``x = ln(S/K)`` and a vol of the panel, and its derivatives in x and in the vol."""
    step, spread = scheme[0], scheme[4]
    whole = fast_exp(x) / centre
    ratio = min(max(1.0 + (whole - 1.0) / spread, _LEAST_RATIO), _GREATEST_RATIO)
    total = along = by_vol = turning = 0.0
    is_put = market[3] > 0.0
    for strike in range(len(PUT_RATIOS) if is_put else len(CALL_RATIOS)):
        weight, change = _line(ratio, strike, PUT_RATIOS) if is_put else _weight(ratio, strike)
        if weight == 0.0 and change == 0.0:
            continue
        value, value_along, value_by_vol = _at(
            x, sigma, panel, market, step, tables[strike], origin, cuts[strike], n_cuts
        )
        total += weight * value
        along += weight * value_along
        by_vol += weight * value_by_vol
        turning += change * value
    if total <= 0.0:
        return 0.0, 0.0, 0.0
    return total, along + turning * whole / spread, by_vol


@inlined
def _weight(ratio: float, strike: int) -> tuple[float, float]:
    """Weight of a call's strike at a ratio S/K, and its derivative: Lagrange's, beyond them a line's."""
    last = len(CALL_RATIOS) - 1
    if ratio < CALL_RATIOS[0]:
        return _line(ratio, strike, (CALL_RATIOS[0], CALL_RATIOS[1]))
    if ratio > CALL_RATIOS[last]:
        return _line(ratio, strike - last + 1, (CALL_RATIOS[last - 1], CALL_RATIOS[last]))
    weight, change = 1.0, 0.0
    for other in range(len(CALL_RATIOS)):
        if other != strike:
            per = 1.0 / (CALL_RATIOS[strike] - CALL_RATIOS[other])
            change = change * (ratio - CALL_RATIOS[other]) * per + weight * per
            weight *= (ratio - CALL_RATIOS[other]) * per
    return weight, change


@inlined
def _line(ratio: float, strike: int, ratios: tuple[float, float]) -> tuple[float, float]:
    """Weight of one of two strikes on the line through both, and its derivative; 0 for any other."""
    if strike < 0 or strike > 1:
        return 0.0, 0.0
    slope = 1.0 / (ratios[strike] - ratios[1 - strike])
    flat = ratio in (_LEAST_RATIO, _GREATEST_RATIO)
    return (ratio - ratios[1 - strike]) * slope, 0.0 if flat else slope


@inlined
def _at(
    x: float,
    sigma: float,
    panel: int,
    market: tuple[float, float, float, float, float],
    step: float,
    table: Floats,
    origin: Integers,
    cuts: Floats,
    n_cuts: int,
) -> tuple[float, float, float]:
    """The same from one table.

    Cubic in z, and a Chebyshev series in ``ln sigma`` at constant z: there the exercise boundary, where the
    premium has a corner in its slope, hardly moves.
    """
    time, rate, residual_yield, sign, drop = market
    v = sigma * math.sqrt(time)
    y = sign * (x - drop)
    z = (y + sign * (rate - residual_yield) * time - 0.5 * v * v) / v
    # a put is counted in strikes, a call in what is left of the spot
    unit, turn = (1.0, 0.0) if sign > 0.0 else (fast_exp(-y), 1.0)
    place = z / step + origin[0]
    if place >= origin[1] - 2.0:
        return 0.0, 0.0, 0.0
    if place < 1.0:
        # rows end where the option is so deep in the money that its vol has no say
        earned, given_up = (rate, residual_yield) if sign > 0.0 else (residual_yield, rate)
        discount, held = fast_exp(-earned * time), fast_exp(y - given_up * time)
        best, slope = -math.inf, 0.0
        for j in range(n_cuts):
            worth = cuts[0, j] * discount - cuts[1, j] * held
            if worth > best:
                best, slope = worth, -cuts[1, j] * held
        value = max(best - (discount - held), 0.0) * unit
        return value, turn * value + sign * (slope + held) * unit, 0.0
    k = int(place)
    f = place - k
    at = 2.0 * (log_ratio(sigma, LEAST_VOL) * LOG2_E - panel) - 1.0
    p0 = table[k - 1, 0] + at * table[k - 1, 1]
    p1 = table[k, 0] + at * table[k, 1]
    p2 = table[k + 1, 0] + at * table[k + 1, 1]
    p3 = table[k + 2, 0] + at * table[k + 2, 1]
    s0, s1, s2, s3 = table[k - 1, 1], table[k, 1], table[k + 1, 1], table[k + 2, 1]
    t0, t1, u0, u1 = 1.0, at, 0.0, 1.0
    for j in range(2, LANES):
        t2, u2 = 2.0 * at * t1 - t0, 2.0 * t1 + 2.0 * at * u1 - u0
        p0, s0 = fma(t2, table[k - 1, j], p0), fma(u2, table[k - 1, j], s0)
        p1, s1 = fma(t2, table[k, j], p1), fma(u2, table[k, j], s1)
        p2, s2 = fma(t2, table[k + 1, j], p2), fma(u2, table[k + 1, j], s2)
        p3, s3 = fma(t2, table[k + 2, j], p3), fma(u2, table[k + 2, j], s3)
        t0, t1, u0, u1 = t1, t2, u1, u2
    value, along = _cubic(f, p0, p1, p2, p3)
    by_panel, _ = _cubic(f, s0, s1, s2, s3)
    along /= step
    # d at/d sigma is 2/(ln 2 sigma), dz/d sigma at constant x is -z/sigma - sqrt(T)
    by_sigma = by_panel * 2.0 * LOG2_E / sigma - along * (z / sigma + math.sqrt(time))
    return value * unit, (turn * value + sign * along / v) * unit, by_sigma * unit


@inlined
def _cubic(f: float, before: float, first: float, second: float, after: float) -> tuple[float, float]:
    """Lagrange's cubic through four values a step apart, a share `f` past `first`; and its slope."""
    c1 = second - before / 3.0 - 0.5 * first - after / 6.0
    c2 = 0.5 * (before + second) - first
    c3 = (after - before) / 6.0 + 0.5 * (first - second)
    return first + f * (c1 + f * (c2 + f * c3)), c1 + f * (2.0 * c2 + f * 3.0 * c3)
