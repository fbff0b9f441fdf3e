"""American and European prices side by side on a finite-difference grid, with cash dividends as they are.

Between ex-dates the spot price diffuses with a constant vol, at each ex-date it drops by the cash amount.
The grid is laid in the forward price of the expiry, ``F_t = (S_t - PV_t) e^{r (T - t)}``, which does not
drop; the drop is in the map back, ``S_t = (F_t + G_t) e^{-r (T - t)}``, where ``G_t = Σ_{t_i > t} D_i e^{r
(T - t_i)}`` is the cash still to come, grown to the expiry. (With a cost of borrowing b the price grows at
r - b, which takes the place of r in these three.) Nothing is approximated by this change of variable, and
nothing has to be interpolated at the drops: F is a martingale with the local vol ``σ (1 + G_t / F)``. A
value in money of the expiry obeys ``V_t + ½ σ² (F + G_t)² V_FF = 0`` and is no less than the exercise value,
for a put ``K e^{r (T - t)} - (G_t + F) e^{b (T - t)}``.

Scheme: three-point second differences in F, exact for constants and for F itself, on nodes that lie
closest together around today's forward; Crank-Nicolson in time, with four implicit half steps after the
payoff and after each ex-date; the elimination of Brennan and Schwartz (1977) for puts, from the held
region into the exercised one. Calls are exercised just before an ex-date or not at all, and are compared
there; where borrowing costs something they may be exercised at any time, and are solved as puts are, on a
grid that runs downwards. Time steps shrink quadratically towards the expiry and towards each ex-date, where
the exercise boundary moves fastest. The error is then of second order in both steps, so the prices of two
grids are extrapolated to step zero (Richardson). Premiums of the lines of a chain are within 0.1 cent of
those of much finer grids, most of them within 0.01 cent.

Options are solved side by side, one to a lane: each has its own strike, vol and grid.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import fma, inlined, kernel

__all__ = ["grid_prices"]

Array = NDArray[np.float64]

NODES: Final = 120
"""Steps of the finer grid on each side of the forward; the coarser one has half as many."""

TIME_STEPS: Final = 128
"""Time steps of the finer grid over the life of the option, at least; the coarser one has half as many."""

WIDTH: Final = 5.0
"""Half-width of the grid in standard deviations of the log forward."""

BEND: Final = 3.5
"""How much closer the nodes lie near the forward: x = sinh(BEND u) with equidistant u."""

LANES: Final = 16

_STAGES = 8
_DAMPED = 2

# A row of the work array holds these fields of one node, LANES values each. Places are unsigned and in one
# array: only so does the compiler see that the lanes of a row can be worked on together.
_PRICE, _KEEP, _DOWN, _UP, _INVERSE, _AMERICAN, _EUROPEAN, _SWEPT_A, _SWEPT_E = (
    np.uint64(field * LANES) for field in range(9)
)
_ROW = np.uint64(9 * LANES)
_LANES = np.uint64(LANES)
_ONE = np.uint64(1)
_TWO = np.uint64(2)


def grid_prices(
    *,
    strike: Array,
    vol: Array,
    is_call: bool,
    years: float,
    rate: float,
    ex_times: Array,
    grown_cash: Array,
    borrow: float = 0.0,
    nodes: int = NODES,
    time_steps: int = TIME_STEPS,
) -> tuple[Array, Array]:
    """Prices of options of one expiry and right, per unit of forward and in money of the expiry.

    Parameters
    ----------
    strike : ndarray of float64
        Strikes over the forward, positive.
    vol : ndarray of float64
        Annual vol of the spot price between ex-dates, of the shape of `strike`, positive.
    is_call : bool
        Calls or puts.
    years : float
        Time to expiry, positive.
    rate : float
        Continuously compounded, not negative.
    ex_times : ndarray of float64
        Years to each ex-date, increasing, within (0, `years`).
    grown_cash : ndarray of float64
        Cash amounts grown to the expiry, ``D e^{(r - b) (T - t)}``, over the forward.
    borrow : float
        Cost of borrowing b, continuously compounded, not negative.
    nodes, time_steps : int
        Of the finer of the two grids, even; see `NODES` and `TIME_STEPS`.

    Returns
    -------
    american, european : ndarray of float64
        Extrapolated from the two grids.
    """
    n = len(strike)
    padding = (0, -n % LANES)
    lanes = [np.pad(np.asarray(values, dtype=np.float64), padding, mode="edge") for values in (strike, vol)]
    results = []
    for share in (1, 2):
        american, european = np.empty(len(lanes[0])), np.empty(len(lanes[0]))
        _solve(
            lanes[0],
            lanes[1],
            is_call,
            years,
            rate,
            borrow,
            np.asarray(ex_times, dtype=np.float64),
            np.asarray(grown_cash, dtype=np.float64),
            _bend(nodes // share),
            time_steps // share,
            american,
            european,
        )
        results.append((american[:n], european[:n]))
    (fine_a, fine_e), (coarse_a, coarse_e) = results
    return (4.0 * fine_a - coarse_a) / 3.0, (4.0 * fine_e - coarse_e) / 3.0


@lru_cache(maxsize=8)
def _bend(nodes: int) -> Array:
    """Places of the nodes and the edges of their cells, in units of the half-width: edge, node, edge, ..."""
    half_steps = np.arange(-2 * nodes - 1, 2 * nodes + 2) / (2.0 * nodes)
    return np.asarray(np.sinh(BEND * half_steps) / math.sinh(BEND))


@inlined
def _lay(
    grid: Array,
    strike: float,
    reach: float,
    lane: int,
    is_call: bool,
    is_mirrored: bool,
    bend: Array,
    nodes: int,
) -> None:
    """Node prices and payoff of one lane; next to the strike the payoff is averaged over the node's cell."""
    log_strike = math.log(strike)
    for i in range(2 * nodes + 1):
        place = np.uint64(2 * nodes - i if is_mirrored else i) * _ROW + np.uint64(lane)
        price = math.exp(reach * bend[2 * i + 1])
        put = max(strike - price, 0.0)
        low, high = reach * bend[2 * i], reach * bend[2 * i + 2]
        if low < log_strike < high:
            put = (math.exp(low) - strike * (1.0 + low - log_strike)) / (high - low)
        value = put + price - strike if is_call else put
        grid[place + _PRICE] = price
        grid[place + _AMERICAN] = value
        grid[place + _EUROPEAN] = value


@inlined
def _eliminate(grid: Array, variance: Array, cash: float, last: np.uint64) -> None:
    """Coefficients of the two sweeps, from the highest node down; `variance` is that of half a time step."""
    for lane in range(_LANES):
        for end in (lane, last * _ROW + lane):
            grid[end + _KEEP] = 1.0
            grid[end + _DOWN] = 0.0
            grid[end + _UP] = 0.0
            grid[end + _INVERSE] = 1.0
    for back in range(_ONE, last):
        row = (last - back) * _ROW
        for lane in range(_LANES):
            at = row + lane
            price = grid[at + _PRICE]
            rise, fall = grid[at + _ROW + _PRICE] - price, price - grid[at - _ROW + _PRICE]
            local = price + cash
            common = variance[lane] * local * local / (rise * fall * (rise + fall))
            u, d = common * fall, common * rise
            inverse = 1.0 / (1.0 + u + d - u * grid[at + _ROW + _DOWN])
            grid[at + _INVERSE] = inverse
            grid[at + _KEEP] = (1.0 - u - d) * inverse
            grid[at + _DOWN] = d * inverse
            grid[at + _UP] = u * inverse


@inlined
def _sweep_down(grid: Array, last: np.uint64, implicit: bool) -> None:
    """Eliminate the upper neighbours of a fully implicit half step or of a Crank-Nicolson step."""
    for lane in range(_LANES):
        top = last * _ROW + lane
        grid[top + _SWEPT_A] = grid[top + _AMERICAN]
        grid[top + _SWEPT_E] = grid[top + _EUROPEAN]
    for back in range(_ONE, last):
        row = (last - back) * _ROW
        if implicit:
            for lane in range(_LANES):
                at = row + lane
                above = at + _ROW
                grid[at + _SWEPT_A] = fma(
                    grid[at + _UP], grid[above + _SWEPT_A], grid[at + _INVERSE] * grid[at + _AMERICAN]
                )
                grid[at + _SWEPT_E] = fma(
                    grid[at + _UP], grid[above + _SWEPT_E], grid[at + _INVERSE] * grid[at + _EUROPEAN]
                )
        else:
            for lane in range(_LANES):
                at = row + lane
                above = at + _ROW
                below = at - _ROW
                kept = fma(grid[at + _KEEP], grid[at + _AMERICAN], grid[at + _DOWN] * grid[below + _AMERICAN])
                grid[at + _SWEPT_A] = fma(
                    grid[at + _UP], grid[above + _AMERICAN] + grid[above + _SWEPT_A], kept
                )
                kept = fma(grid[at + _KEEP], grid[at + _EUROPEAN], grid[at + _DOWN] * grid[below + _EUROPEAN])
                grid[at + _SWEPT_E] = fma(
                    grid[at + _UP], grid[above + _EUROPEAN] + grid[above + _SWEPT_E], kept
                )


@inlined
def _sweep_up(grid: Array, floor: Array, share: float, last: np.uint64, is_held: bool) -> None:
    """Solve from the first node on; what is not held is worth `floor` less `share` of the price, or more."""
    if is_held:
        for i in range(_ONE, last):
            row = i * _ROW
            for lane in range(_LANES):
                at = row + lane
                below = at - _ROW
                grid[at + _AMERICAN] = fma(grid[at + _DOWN], grid[below + _AMERICAN], grid[at + _SWEPT_A])
                grid[at + _EUROPEAN] = fma(grid[at + _DOWN], grid[below + _EUROPEAN], grid[at + _SWEPT_E])
        return
    for lane in range(_LANES):
        grid[lane + _AMERICAN] = max(grid[lane + _AMERICAN], floor[lane] - share * grid[lane + _PRICE])
    for i in range(_ONE, last):
        row = i * _ROW
        for lane in range(_LANES):
            at = row + lane
            below = at - _ROW
            held = fma(grid[at + _DOWN], grid[below + _AMERICAN], grid[at + _SWEPT_A])
            grid[at + _AMERICAN] = max(held, floor[lane] - share * grid[at + _PRICE])
            grid[at + _EUROPEAN] = fma(grid[at + _DOWN], grid[below + _EUROPEAN], grid[at + _SWEPT_E])


@inlined
def _exercise_calls(
    grid: Array, strike: Array, growth: float, lift: float, cash: float, last: np.uint64
) -> None:
    """A call is worth no less than its exercise just before an ex-date."""
    for i in range(last + _ONE):
        for lane in range(_LANES):
            at = i * _ROW + lane
            exercised = lift * (grid[at + _PRICE] + cash) - strike[lane] * growth
            grid[at + _AMERICAN] = max(grid[at + _AMERICAN], exercised)


@kernel
def _solve(
    strike: Array,
    vol: Array,
    is_call: bool,
    years: float,
    rate: float,
    borrow: float,
    ex_times: Array,
    grown_cash: Array,
    bend: Array,
    time_steps: int,
    american: Array,
    european: Array,
) -> None:
    nodes = (bend.size - 3) // 4
    last = np.uint64(2 * nodes)
    grid = np.empty((2 * nodes + 1) * 9 * LANES)
    variance, floor = np.empty(LANES), np.empty(LANES)
    # calls that may be exercised at any time run from the highest price down, as puts from the lowest up
    is_mirrored = is_call and borrow > 0.0
    sign = -1.0 if is_mirrored else 1.0
    for block in range(0, strike.size, LANES):
        k, sigma = strike[block : block + LANES], vol[block : block + LANES]
        for lane in range(LANES):
            reach = WIDTH * sigma[lane] * math.sqrt(years)
            _lay(grid, k[lane], reach, lane, is_call, is_mirrored, bend, nodes)
        cash = 0.0
        end = years
        for number in range(ex_times.size, -1, -1):
            begin = ex_times[number - 1] if number > 0 else 0.0
            span = end - begin
            steps = max(1, math.ceil(time_steps / _STAGES * math.sqrt(span / years)))
            for stage in range(_STAGES):
                late, early = stage / _STAGES, (stage + 1) / _STAGES
                time = end - span * late * late
                half = 0.5 * span * (early * early - late * late) / steps
                for lane in range(LANES):
                    variance[lane] = half * sigma[lane] * sigma[lane]
                _eliminate(grid, variance, cash, last)
                halves = 2 * min(_DAMPED, steps) if stage == 0 else 0
                for step in range(steps + halves - halves // 2):
                    implicit = step < halves
                    time -= half if implicit else 2.0 * half
                    growth, lift = math.exp(rate * (years - time)), math.exp(borrow * (years - time))
                    for lane in range(LANES):
                        floor[lane] = sign * (k[lane] * growth - lift * cash)
                    _sweep_down(grid, last, implicit)
                    _sweep_up(grid, floor, sign * lift, last, is_call and not is_mirrored)
            if number > 0:
                cash += grown_cash[number - 1]
                if is_call:
                    growth, lift = math.exp(rate * (years - begin)), math.exp(borrow * (years - begin))
                    _exercise_calls(grid, k, growth, lift, cash, last)
            end = begin
        for lane in range(LANES):
            middle = np.uint64(nodes) * _ROW + np.uint64(lane)
            american[block + lane] = grid[middle + _AMERICAN]
            european[block + lane] = grid[middle + _EUROPEAN]
