"""Whether a number meets its goal, in words."""

from __future__ import annotations

import math

NOT_MEASURED = "not measured"


def verdict(value: float, goal: float, *, least: bool) -> str:
    """Met or missed, and by how much; NaN is not measured."""
    if math.isnan(value):
        return NOT_MEASURED
    if (value >= goal) if least else (value <= goal):
        return "met"
    apart = goal / value if least else value / goal
    if apart < 1.1:
        return f"**missed** by {max(100 * (apart - 1), 0.1):.1f} %"
    return (
        f"**missed** by a factor of {apart:.2f}" if apart < 10 else f"**missed** by a factor of {apart:,.0f}"
    )
