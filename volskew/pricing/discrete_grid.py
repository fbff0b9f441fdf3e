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

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import fast_exp
from volskew.pricing.lanes import LANES, lanes_fma, lanes_max, load, splat, store
from volskew.pricing.panels import LEAST_VOL

__all__ = ["CALL_RATIOS", "PUT_RATIOS", "Market", "grid_rows", "solve_panel"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Market = tuple[float, float, float, float, float]
"""Time, rate and residual yield, sign (1 for puts, -1 for calls), and ln(S/X), X being the present value of
the forward."""

_FARTHEST_DRIFT = 14.0
"""[standard deviations] A drift beyond this leaves the grid: the lowest vols at high rates."""
PUT_RATIOS = (0.85, 1.15)
CALL_RATIOS = (0.76, 0.92, 1.08, 1.24)
"""S/K of the strikes at which the premium is solved for, about a centre of 1 and with a spread of 1."""
_SMALL_POWER = 2.0**-54
"""What taken from 1 leaves 1."""
_NOTHING = 1e-60
"""What an option far out of the money is worth: numbers that fall further are slow where they underflow."""


def grid_rows(step: float, reach: float) -> int:
    """Rows that a grid has at most."""
    return 3 + 2 * math.ceil((reach + _FARTHEST_DRIFT) / step)


@kernel
def solve_panel(
    market: Market,
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
    market: Market,
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
    market: Market,
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
    _pivots(pivot, off, rows)
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
def _pivots(pivot: Floats, off: float, rows: int) -> None:
    """What each row is divided by, inverted: p = 1/(1 - 2 off - off^2 p) from the last row down.

    In closed form, in powers of the ratio of the roots of its characteristic equation: in the recurrence
    every division waits for the one before.
    """
    # the roots' product is off^2, their sum the diagonal 1 - 2 off
    root = 0.5 * (1.0 - 2.0 * off + math.sqrt(1.0 - 4.0 * off))
    settled, ratio = 1.0 / root, (off / root) * (off / root)
    power, i = ratio, rows - 2
    while i > 0 and power > _SMALL_POWER:
        following = power * ratio
        pivot[i] = settled * ((1.0 - power) / (1.0 - following))
        power, i = following, i - 1
    for k in range(1, i + 1):
        pivot[k] = settled


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
