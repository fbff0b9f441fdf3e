"""The clock in a vendor's own vols: with its price they say how long an option had to live when solved.

A straddle at the forward F that is worth X has the deviation s with ``X / F = 2 (2 N(s / 2) - 1)``, and a vol
v beside it says ``T = (s / v)^2``. What is added to all expiries alike is the clock's.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.special import ndtr

from volskew.quotes.swaps import Sides, pairs

__all__ = ["days_beyond"]

_DAY: Final = 86_400_000_000
_DAYS: Final = (2.0, 21.0)
"""Nearer than that the closing hours tell, farther the errors of vols."""
_FEWEST: Final = 3
_WIDEST: Final = 0.10
_AGREE: Final = 0.5
_MOST: Final = 0.75
_ROUNDS: Final = 50

Array = np.ndarray[Any, Any]


def days_beyond(sides: Sides, *, at: int) -> float | None:
    """How many days more to expiry a vendor's vols have than there are from an instant on.

    Parameters
    ----------
    sides : Sides
        Lines of a chain.
    at : int
        The instant [us since 1970].

    Returns
    -------
    float or None
        The median over expiries; None with fewer than three that can tell, or where not three in four of them
        lie within half a day of it: then the vols differ in more than their clock.
    """
    quoted = (sides.bid > 0) & (sides.ask > sides.bid) & (sides.vendor_vol > 0)
    left = (sides.expiry - at) / _DAY
    put, call = pairs(sides, quoted & (left > _DAYS[0]) & (left <= _DAYS[1]))
    middle = (sides.bid + sides.ask) / 2
    straddle = middle[call] + middle[put]
    spread = (sides.ask - sides.bid)[call] + (sides.ask - sides.bid)[put]
    gap = middle[call] - middle[put]
    found = []
    for expiry in np.unique(sides.expiry[call]):
        here = np.flatnonzero(sides.expiry[call] == expiry)
        best = here[np.argmin(np.abs(gap[here]))]
        if spread[best] > _WIDEST * straddle[best]:
            continue
        strike = sides.strike[call[best]]
        deviation = _deviation(straddle[best], strike + gap[best], strike)
        vol = (sides.vendor_vol[call[best]] + sides.vendor_vol[put[best]]) / 2
        found.append(365.0 * (deviation / vol) ** 2 - left[call[best]])
    if len(found) < _FEWEST:
        return None
    days = np.array(found)
    middle_day = float(np.median(days))
    agree = np.abs(days - middle_day) <= _AGREE
    return middle_day if agree.mean() >= _MOST else None


def _deviation(straddle: float, forward: float, strike: float) -> float:
    """The deviation at which a call and a put at a strike are worth a straddle, by bisection."""
    low, high = 1e-4, 4.0
    for _ in range(_ROUNDS):
        s = (low + high) / 2
        d = np.log(forward / strike) / s + s / 2
        value = forward * (2 * ndtr(d) - 1) - strike * (2 * ndtr(d - s) - 1)
        low, high = (s, high) if value < straddle else (low, s)
    return (low + high) / 2
