"""A plain binomial tree for American options: slow, short, nothing in common with the library's pricer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr


def richardson(
    *,
    spot: float,
    strike: float,
    time: float,
    vol: float,
    rate: float,
    dividend_yield: float,
    is_call: bool,
    steps: int,
) -> float:
    """Price by trees of `steps` and twice as many steps, extrapolated (error about 1/steps)."""
    sign = 1.0 if is_call else -1.0
    coarse, fine = (_tree(sign, spot, strike, time, vol, rate, dividend_yield, n) for n in (steps, 2 * steps))
    return 2.0 * fine - coarse


def _tree(
    sign: float, spot: float, strike: float, time: float, vol: float, r: float, q: float, steps: int
) -> float:
    """Cox, Ross and Rubinstein's tree, the European formula in its last step (Broadie and Detemple 1996)."""
    dt = time / steps
    step = vol * math.sqrt(dt)
    up = (math.exp((r - q) * dt) - math.exp(-step)) / (math.exp(step) - math.exp(-step))
    # beyond exp(60) strikes a node's value is worth nothing today, or all of the spot
    level = spot * np.exp(np.clip(step * np.arange(-steps, steps + 1), -60.0, 60.0))
    intrinsic = sign * (level - strike)
    here = slice(1, None, 2)
    value = np.maximum(_european(sign, level[here], strike, dt, vol, r, q), intrinsic[here])[:steps]
    for i in range(steps - 2, -1, -1):
        value = math.exp(-r * dt) * (up * value[1:] + (1.0 - up) * value[:-1])
        value = np.maximum(value, intrinsic[steps - i : steps + i + 1 : 2])
    return float(value[0])


def _european(
    sign: float, spot: NDArray[np.float64], strike: float, time: float, vol: float, r: float, q: float
) -> NDArray[np.float64]:
    width = vol * math.sqrt(time)
    d1 = (np.log(spot / strike) + (r - q) * time) / width + 0.5 * width
    held, paid = spot * math.exp(-q * time), strike * math.exp(-r * time)
    return np.asarray(sign * (held * ndtr(sign * d1) - paid * ndtr(sign * (d1 - width))))
