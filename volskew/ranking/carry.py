"""One leg under another convention, carried over to days that were measured under the headline alone."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Carried", "carry_over"]

FloatArray = NDArray[np.float64]


class Carried(NamedTuple):
    """One leg under another convention, on every day that it or the headline has.

    Attributes
    ----------
    readings : ndarray, shape (n,)
        NaN where there is neither, or nothing to carry the headline over by.
    is_measured : ndarray of bool, shape (n,)
        Days of the convention's own.
    shift : float
        What was added to the headline, or to its logarithm where `is_log`; NaN where no day has both.
    is_log : bool
    """

    readings: FloatArray
    is_measured: NDArray[np.bool_]
    shift: float
    is_log: bool


def carry_over(headline: FloatArray, variant: FloatArray) -> Carried:
    """Fill the days that a convention lacks from the headline, by their median difference on common days.

    Parameters
    ----------
    headline, variant : ndarray, shape (n,)
        One leg, day by day, NaN where there is no reading. Nothing after the as-of day may be in it.

    Returns
    -------
    Carried
        In logarithms where every reading of both is positive, else in the readings' own unit.

    Examples
    --------
    >>> found = carry_over(np.array([0.20, 0.25, 0.24]), np.array([np.nan, np.nan, 0.252]))
    >>> found.readings.round(4).tolist(), found.is_measured.tolist(), round(found.shift, 5)
    ([0.21, 0.2625, 0.252], [False, False, True], 0.04879)
    """
    measured = np.isfinite(variant)
    both = measured & np.isfinite(headline)
    is_log = bool((headline[np.isfinite(headline)] > 0).all() and (variant[measured] > 0).all())
    if not both.any():
        return Carried(np.where(measured, variant, np.nan), measured, math.nan, is_log)
    if is_log:
        shift = float(np.median(np.log(variant[both] / headline[both])))
        moved = headline * math.exp(shift)
    else:
        shift = float(np.median(variant[both] - headline[both]))
        moved = headline + shift
    return Carried(np.where(measured, variant, moved), measured, shift, is_log)
