"""Highs and lows of sessions whose open, close and variance are known: exact draws of a Brownian bridge.

Highs and lows are drawn together, so that a range has the law of the range of a price that trades without
pause, and estimators that use it can be held against the variance that made it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.simulate.draws import uniforms
from volskew.simulate.funds import FUNDS

__all__ = ["bridge_extremes", "price_bars"]

Array = NDArray[np.float64]

IMAGES: Final = 12
"""Reflections on each side that are summed; ranges below 0.4 deviations, which would need more, have a
probability below 1e-12."""

HALVINGS: Final = 60


def price_bars(states: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Daily prices of both funds, unadjusted.

    Parameters
    ----------
    states : pandas.DataFrame
        From `simulate_states`.
    seed : int
        Of the market.

    Returns
    -------
    pandas.DataFrame
        ``date``, ``symbol``, ``open``, ``high``, ``low``, ``close`` [$, cents]. The log price between open
        and close is a Brownian bridge with the day's ``variance_intraday``.
    """
    day = states["date"].map(pd.Timestamp.toordinal).to_numpy()
    place = (states["symbol"] != FUNDS[0].symbol).to_numpy()
    opening, closing = states["open"].to_numpy(), states["spot"].to_numpy()
    high, low = bridge_extremes(
        np.log(closing / opening),
        variance=states["variance_intraday"].to_numpy(),
        u_high=uniforms(seed, "high", day, place),
        u_low=uniforms(seed, "low", day, place),
    )
    return pd.DataFrame(
        {
            "date": states["date"].dt.strftime("%Y-%m-%d"),
            "symbol": states["symbol"],
            "open": opening,
            # rounding to cents keeps the order: open and close are cents already
            "high": (opening * np.exp(high)).round(2),
            "low": (opening * np.exp(low)).round(2),
            "close": closing,
        }
    )


def bridge_extremes(end: Array, *, variance: Array, u_high: Array, u_low: Array) -> tuple[Array, Array]:
    """Maximum and minimum of Brownian bridges from 0 to `end`, from two uniforms each.

    The maximum has P(max > u) = exp(-2 u (u - c) / v), which is inverted; the minimum is drawn given the
    maximum, from the derivative in u of the law of both,

        P(l < min, max < u) = sum_k exp(-2 k w (k w + c) / v) - exp(-2 (u + k w)(u + k w - c) / v),  w = u - l

    (the method of images; Borodin & Salminen, "Handbook of Brownian Motion", 2002, part II, 1.15.8), by
    bisection.

    Parameters
    ----------
    end : numpy.ndarray
        c, where the bridge ends.
    variance : numpy.ndarray
        v, of the motion over the bridge's time.
    u_high, u_low : numpy.ndarray
        In (0, 1).

    Returns
    -------
    high, low : numpy.ndarray
        ``high >= max(0, end)`` and ``low <= min(0, end)``.

    Examples
    --------
    >>> high, low = bridge_extremes(
    ...     np.array([0.5]), variance=np.array([1.0]), u_high=np.array([0.5]), u_low=np.array([0.5])
    ... )
    >>> round(float(high[0]), 4), round(float(low[0]), 4)
    (0.8896, -0.3744)
    """
    deviation = np.sqrt(variance)
    c = end / deviation
    high = 0.5 * (c + np.sqrt(c * c - 2.0 * np.log(u_high)))
    top = np.minimum(0.0, c)
    below, above = top - 12.0, top.copy()
    for _ in range(HALVINGS):
        middle = 0.5 * (below + above)
        is_left = _share_above(middle, high, c) > u_low
        below, above = np.where(is_left, middle, below), np.where(is_left, above, middle)
    low = 0.5 * (below + above)
    return np.asarray(deviation * high), np.asarray(deviation * np.minimum(low, top))


def _share_above(low: Array, high: Array, c: Array) -> Array:
    """P(min > low | max = high) of bridges of variance 1; falls from 1 to 0 as `low` rises to min(0, c)."""
    k = np.arange(-IMAGES, IMAGES + 1.0)[:, np.newaxis]
    w = k * (high - low)
    v = high + w
    images = 2.0 * (1.0 + k) * (2.0 * v - c) * np.exp(-2.0 * v * (v - c))
    images -= 2.0 * k * (2.0 * w + c) * np.exp(-2.0 * w * (w + c))
    return np.asarray(images.sum(axis=0) / (2.0 * (2.0 * high - c) * np.exp(-2.0 * high * (high - c))))
