"""Three ways to compare two legs: spread, ratio, log ratio, with the error that the legs' errors give them.

Ties are meant to be ties. In decimals 0.21 - 0.185 and 0.25 - 0.225 are one spread, as floats they are two.
Every spread is therefore rounded to twelve significant digits of its larger leg and every ratio to twelve of
its own: far below what a reading can tell apart, far above rounding noise. The log ratio is the log of the
rounded ratio. Two different rounded ratios differ by 1e-12 of themselves or more and their logs by as much,
which no double between -745 and 745 can lose, so ratio and log ratio rank identically.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FORMS", "compare", "compare_error", "compare_errors", "is_ordered"]

FloatArray = NDArray[np.float64]

FORMS: tuple[str, ...] = ("log_ratio", "ratio", "spread")
"""The accepted forms, the headline first."""

_DIGITS = 12
_LARGEST_SHIFT = 290  # 10**290 times a number below 10**-278 stays finite; beyond it nothing is rounded


def compare(form: str, *, a: FloatArray, b: FloatArray) -> FloatArray:
    """One form of the pair, day by day.

    Parameters
    ----------
    form : {"log_ratio", "ratio", "spread"}
        ``ln(a / b)``, ``a / b`` or ``a - b``.
    a, b : ndarray, shape (n,)
        The legs in one unit; NaN where there is no reading.

    Returns
    -------
    ndarray, shape (n,)
        The ratios [-], or the spread in the legs' unit. NaN where a leg is NaN, for the ratio also where b is
        0, for the log ratio also where a leg is not positive.

    Examples
    --------
    >>> a, b = np.array([0.21, 0.25]), np.array([0.185, 0.225])
    >>> compare("spread", a=a, b=b).tolist(), (a - b).tolist()
    ([0.025, 0.025], [0.024999999999999994, 0.024999999999999994])
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        if form == "spread":
            return _round_digits(a - b, scale=np.maximum(np.abs(a), np.abs(b)))
        quotient = a / b
        quotient = np.where(np.isfinite(quotient), quotient, np.nan)
        quotient = _round_digits(quotient, scale=np.abs(quotient))
        if form == "ratio":
            return quotient
        return np.where((a > 0) & (b > 0) & (quotient > 0), np.log(quotient), np.nan)


def is_ordered(form: str, *, b: FloatArray, values: FloatArray) -> NDArray[np.bool_]:
    """Where a low value means that a is low against b, so that the day can stand in a ranking.

    A spread always does. A ratio does only over a positive b (over a negative one its order turns round), a
    log ratio only where it exists.

    Parameters
    ----------
    form : {"log_ratio", "ratio", "spread"}
        The form.
    b, values : ndarray, shape (n,)
        The second leg and the form; NaN gives False.
    """
    finite = np.isfinite(values)
    return finite & (b > 0) if form == "ratio" else finite


def compare_error(form: str, *, a: float, b: float, error_a: float, error_b: float) -> float:
    """One standard error of a form, the legs' errors taken as independent (first order).

    ``spread: sqrt(ea^2 + eb^2)``; ``log ratio: sqrt((ea/a)^2 + (eb/b)^2)``; ``ratio: |a/b|`` times that.

    Parameters
    ----------
    form : {"log_ratio", "ratio", "spread"}
        The form.
    a, b : float
        The legs.
    error_a, error_b : float
        Their standard errors in the legs' unit; NaN where unknown.

    Returns
    -------
    float
        In the form's unit; NaN where an error is unknown or the form does not exist.

    Examples
    --------
    >>> round(compare_error("log_ratio", a=0.2, b=0.1, error_a=0.0006, error_b=0.0004), 6)
    0.005
    """
    arrays = (np.array([number], dtype=np.float64) for number in (a, b, error_a, error_b))
    return float(compare_errors(form, **dict(zip(("a", "b", "error_a", "error_b"), arrays, strict=True)))[0])


def compare_errors(
    form: str, *, a: FloatArray, b: FloatArray, error_a: FloatArray, error_b: FloatArray
) -> FloatArray:
    """`compare_error`, day by day.

    Parameters
    ----------
    form : {"log_ratio", "ratio", "spread"}
        The form.
    a, b, error_a, error_b : ndarray, shape (n,)
        The legs and their standard errors.

    Returns
    -------
    ndarray, shape (n,)
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        if form == "spread":
            return np.hypot(error_a, error_b)
        exists = (a != 0) & (b != 0) if form == "ratio" else (a > 0) & (b > 0)
        relative = np.hypot(error_a / a, error_b / b)
        return np.where(exists, np.abs(a / b) * relative if form == "ratio" else relative, np.nan)


def _round_digits(values: FloatArray, *, scale: FloatArray) -> FloatArray:
    """Round to twelve significant digits of `scale`, so that equal decimals become one double."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = _DIGITS - 1 - np.floor(np.log10(scale))
    usable = np.abs(shift) <= _LARGEST_SHIFT  # False where scale is 0 or NaN
    power = 10.0 ** np.where(usable, np.abs(shift), 0.0)
    # dividing by an exact power of ten rounds once; multiplying by 10**-n would round twice and split ties
    small = np.rint(values * power) / power
    large = np.rint(values / power) * power
    rounded: FloatArray = np.where(usable, np.where(shift >= 0, small, large), values)
    return rounded
