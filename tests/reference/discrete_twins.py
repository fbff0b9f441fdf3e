"""Slow twins of the pricer for cash dividends, with nothing in common with it but the model.

The forward is lognormal; the spot is what of the forward's present value is left, and the dividends still to
come, discounted at rate less yield.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

Floats = NDArray[np.float64]
Dividends = tuple[tuple[int, float], ...]


def premium_by_tree(
    *,
    spot: float,
    strike: float,
    days: int,
    vol: float,
    rate: float,
    is_call: bool,
    dividends: Dividends,
    dividend_yield: float = 0.0,
    steps_a_day: int,
) -> float:
    """Early-exercise premium from binomial trees, extrapolated from that many steps and twice as many.

    Ex-dates are whole days, hence at a step of the tree, where an option can be exercised before the drop and
    after. The premium is American less European on the same tree, of which most of the error cancels.
    """
    coarse, fine = (
        _tree(
            1.0 if is_call else -1.0,
            spot,
            strike,
            days,
            vol,
            rate,
            dividend_yield,
            dividends,
            n * steps_a_day,
        )
        for n in (1, 2)
    )
    return 2.0 * fine - coarse


def _tree(
    sign: float,
    spot: float,
    strike: float,
    days: int,
    vol: float,
    r: float,
    b: float,
    dividends: Dividends,
    steps_a_day: int,
) -> float:
    """Cox, Ross and Rubinstein's tree of X, Black's formula in its last step (Broadie and Detemple 1996)."""
    steps = days * steps_a_day
    dt = 1.0 / (365.0 * steps_a_day)
    step = vol * math.sqrt(dt)
    up = (math.exp((r - b) * dt) - math.exp(-step)) / (math.exp(step) - math.exp(-step))
    ahead = [(day * steps_a_day, amount) for day, amount in dividends if 0 < day < days]

    def cash(level: int, *, before: bool) -> float:
        """What dividends to come are worth at a step, before or after the drop of one that is due."""
        return sum(
            amount * math.exp(-(r - b) * (place - level) * dt)
            for place, amount in ahead
            if place > level or (before and place == level)
        )

    start = spot - cash(0, before=False)
    x = start * np.exp(step * np.arange(-steps, steps + 1))

    def gain(level: int) -> Floats:
        here = x[steps - level : steps + level + 1 : 2]
        # a put is exercised after the drop, a call before it
        return np.asarray(sign * (here + cash(level, before=sign > 0.0) - strike))

    value = black(sign, x[1:-1:2], strike, dt, vol, r, b)
    european, american = value, np.maximum(value, gain(steps - 1))
    for level in range(steps - 2, -1, -1):
        european, american = (
            math.exp(-r * dt) * (up * value[1:] + (1.0 - up) * value[:-1]) for value in (european, american)
        )
        american = np.maximum(american, gain(level))
    return float(american[0] - european[0])


def call_by_quadrature(
    *,
    spot: float,
    strike: float,
    time: float,
    vol: float,
    rate: float,
    ex_date: float,
    amount: float,
) -> float:
    """A call with one dividend and no other yield at a rate of at least 0: exercised just before it or never.

    ``exp(-r t) E max(X + D - K, C(X))``, C being Black's price for what is left of the option's life.
    """
    start = spot - amount * math.exp(-rate * ex_date)
    width = vol * math.sqrt(ex_date)

    def x(z: float) -> float:
        return start * math.exp(rate * ex_date - 0.5 * width * width + width * z)

    def held(z: float) -> float:
        return float(black(1.0, np.array(x(z)), strike, time - ex_date, vol, rate, 0.0))

    def excess(z: float) -> float:
        """Exercise less holding; it grows with z."""
        return x(z) + amount - strike - held(z)

    edge = 12.0
    if excess(-edge) > 0.0:
        edge = -edge
    elif excess(edge) > 0.0:
        edge = brentq(excess, -edge, edge, xtol=1e-14)

    def density(z: float) -> float:
        return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)

    # above the edge exactly, below it by quadrature of a smooth function
    beyond = start * math.exp(rate * ex_date) * ndtr(width - edge) + (amount - strike) * ndtr(-edge)
    below, _ = quad(lambda z: held(z) * density(z), -12.0, edge, epsabs=1e-12 * spot, epsrel=1e-12, limit=400)
    return float(math.exp(-rate * ex_date) * (beyond + below))


def black(
    sign: float, spot: Floats, strike: float, time: float, vol: float, rate: float, dividend_yield: float
) -> Floats:
    """Black's price today for spots without dividends."""
    width = vol * math.sqrt(time)
    d1 = (np.log(spot / strike) + (rate - dividend_yield) * time) / width + 0.5 * width
    held, paid = spot * math.exp(-dividend_yield * time), strike * math.exp(-rate * time)
    return np.asarray(sign * (held * ndtr(sign * d1) - paid * ndtr(sign * (d1 - width))))
