r"""Total variance between expiries: a monotone cubic through the two on either side.

Between two expiries the cubic has their total variances and, at each, the slope of Fritsch and Butland
(1984): the weighted harmonic mean of the slopes on both sides, or 0 where these differ in sign. So total
variance rises from expiry to expiry wherever it does at the expiries, and a noisy third expiry bends it
little. Where an outer expiry is missing its end's slope is that of the parabola through the three, held to
keep the rise (Moler 2004, as in scipy's PCHIP); with two expiries in all it is the line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel

__all__ = ["monotone", "monotone_points"]

Floats = NDArray[np.float64]


@inlined
def monotone(
    t0: float, t1: float, t2: float, t3: float, w0: float, w1: float, w2: float, w3: float, t: float
) -> float:
    """Total variance at t between t1 and t2; t0 or t3 is NaN where there is no such expiry."""
    width = t2 - t1
    slope = (w2 - w1) / width
    before, after = t0 == t0, t3 == t3  # noqa: PLR0124 - no NaN
    first = second = slope
    if before:
        first = _inner((w1 - w0) / (t1 - t0), slope, t1 - t0, width)
    elif after:
        first = _edge(slope, (w3 - w2) / (t3 - t2), width, t3 - t2)
    if after:
        second = _inner(slope, (w3 - w2) / (t3 - t2), width, t3 - t2)
    elif before:
        second = _edge(slope, (w1 - w0) / (t1 - t0), width, t1 - t0)
    s = (t - t1) / width
    bend = first + second - 2.0 * slope
    return w1 + width * s * (first + s * (slope - first - bend + s * bend))


@inlined
def _inner(left: float, right: float, left_width: float, right_width: float) -> float:
    """Slope at an expiry between two others."""
    if left * right <= 0.0:
        return 0.0
    one, other = 2.0 * right_width + left_width, right_width + 2.0 * left_width
    return (one + other) / (one / left + other / right)


@inlined
def _edge(own: float, next_one: float, own_width: float, next_width: float) -> float:
    """Slope at the first or last expiry: of a parabola, no steeper than three times its interval's."""
    slope = ((2.0 * own_width + next_width) * own - own_width * next_one) / (own_width + next_width)
    if slope * own <= 0.0:
        return 0.0
    if own * next_one < 0.0 and abs(slope) > 3.0 * abs(own):
        return 3.0 * own
    return slope


@kernel
def monotone_points(times: Floats, variances: Floats, at: Floats, out: Floats) -> None:
    """Total variance at each time; rows of `times` and `variances` are the expiries around it."""
    for i in range(at.size):
        out[i] = monotone(
            times[0, i], times[1, i], times[2, i], times[3, i],
            variances[0, i], variances[1, i], variances[2, i], variances[3, i], at[i],
        )  # fmt: skip
