"""Other people's solvers of one price: vollib, a dependency, and QuantLib where it is installed.

They share no code with our kernels, nor do the reasons that are found here for rows without a vol.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.status import Status

__all__ = ["Solver", "quantlib_solver", "solve_by_vollib", "vollib_solver"]

Floats = NDArray[np.float64]

Solver = Callable[[float, float, float, float, bool], float]
"""(undiscounted price, forward, strike, years, is_call) -> vol, NaN where there is none."""

_EPS = np.finfo(np.float64).eps
_LARGEST = 1e100
"""vollib answers +-1.8e308 where it has no answer."""
_ACCURACY = 1e-15
"""[vol sqrt(T)] What QuantLib's iteration is asked for; its default of 1e-6 would be what is measured."""
_ITERATIONS = 1000
_WIDEST = 24.0
"""[vol sqrt(T)] The end of QuantLib's bracket, which it answers where no vol is high enough."""


def vollib_solver() -> Solver:
    """The solve of one price by vollib, which refuses by raising or by an answer that is no vol."""
    # imported here: only a check needs them
    from vollib.black.implied_volatility import (  # noqa: PLC0415
        implied_volatility_of_undiscounted_option_price as solve_one,
    )
    from vollib.lets_be_rational.exceptions import VolatilityValueException  # noqa: PLC0415

    def solve(price: float, forward: float, strike: float, years: float, is_call: bool) -> float:  # noqa: FBT001
        try:
            vol = float(solve_one(price, forward, strike, years, "c" if is_call else "p"))
        # arithmetic and domain errors: how plain Python meets the ends of the range of a double
        except (VolatilityValueException, ArithmeticError, ValueError):
            return math.nan
        return vol if 0 < vol < _LARGEST else math.nan

    return solve


def quantlib_solver() -> Solver | None:
    """The solve of one price by QuantLib's ``blackFormulaImpliedStdDev``; None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the wrapper's own types
            import QuantLib as ql  # noqa: N813, PLC0415
    except ImportError:
        return None

    def solve(price: float, forward: float, strike: float, years: float, is_call: bool) -> float:  # noqa: FBT001
        right = ql.Option.Call if is_call else ql.Option.Put
        try:
            deviation = ql.blackFormulaImpliedStdDev(
                right, strike, forward, price, 1.0, 0.0, ql.nullDouble(), _ACCURACY, _ITERATIONS
            )
            return deviation / math.sqrt(years) if 0 < deviation < _WIDEST else math.nan
        except (RuntimeError, ArithmeticError, ValueError):
            return math.nan

    return solve


def solve_by_vollib(
    price: Floats, forward: Floats, strike: Floats, time: Floats, is_call: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.uint8]]:
    """Vols and statuses, one call a row.

    Parameters
    ----------
    price, forward, strike, time : ndarray of float64
        One-dimensional, of one length: undiscounted [$], [$], [$], [years].
    is_call : ndarray of bool

    Returns
    -------
    vol, status : ndarray
        NaN and the reason where there is no vol.
    """
    status = _screen(price, forward, strike, time, is_call)
    vol = np.full(price.shape, np.nan)
    solve = vollib_solver()
    for row in np.flatnonzero(status == Status.OK).tolist():
        vol[row] = solve(
            float(price[row]), float(forward[row]), float(strike[row]), float(time[row]), bool(is_call[row])
        )
    status[(status == Status.OK) & np.isnan(vol)] = Status.NOT_CONVERGED
    return vol, status


def _screen(
    price: Floats, forward: Floats, strike: Floats, time: Floats, is_call: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Status of every row that cannot have a vol; the first reason in this order wins."""
    finite = np.isfinite(price) & np.isfinite(forward) & np.isfinite(strike) & np.isfinite(time)
    with np.errstate(invalid="ignore", over="ignore"):
        first, second = np.where(is_call, forward, strike), np.where(is_call, strike, forward)
        gap = first - second
        part = first - gap
        rest = (first - (gap + part)) + (part - second)  # the rounding error of the difference (Knuth)
        in_the_money = gap > 0
        time_value = np.where(in_the_money, (price - gap) - rest, price)
        conditions = [
            (~finite, Status.NOT_FINITE),
            (time <= 0, Status.NOT_POSITIVE_TIME),
            ((forward <= 0) | (strike <= 0), Status.NOT_POSITIVE_INPUT),
            (price <= 0, Status.NOT_POSITIVE_PRICE),
            (time_value < -_EPS * price, Status.BELOW_INTRINSIC),
            (in_the_money & (time_value <= _EPS * price), Status.AT_INTRINSIC),
            (price >= first, Status.ABOVE_MAXIMUM),
        ]
    codes = np.select([c for c, _ in conditions], [np.uint8(s) for _, s in conditions], default=0)
    return codes.astype(np.uint8)
