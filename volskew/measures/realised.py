"""Realised vol from daily prices: formulas, arrays in, arrays out.

With O, H, L, C of session t, and P the close before it made comparable (divided by the split's new shares,
less the dividend that goes ex), a window of n sessions has the parts, as daily variances,

==================  ====================================================================================
close to close      mean of ln(C/P)^2, no mean subtracted
overnight           mean of ln(O/P)^2
Parkinson           mean of ln(H/L)^2 / (4 ln 2)
Garman-Klass        mean of ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2
Rogers-Satchell     mean of ln(H/C) ln(H/O) + ln(L/C) ln(L/O)
==================  ====================================================================================

The last three see the session alone, and miss what the price does until the next open. So the estimators
named after them add the overnight part and are of the whole day, as an implied vol is; those called
``_session`` do not. Yang and Zhang's is of the whole day by itself: V_o + k V_c + (1 - k) RS, with V_o and
V_c sample variances (n - 1) of ln(O/P) and of ln(C/O), and k = 0.34 / (1.34 + (n + 1)/(n - 1)). A vol is the
root of 252 times the daily variance.

**The error.** One standard error of the vol as an estimate of the vol over that very window, were it constant
and the price a geometric Brownian motion that is watched all the time: relative to the part, the variance of
a mean of squares is 2/n, of a sample variance 2/(n - 1), of the mean of a range estimator c/n with c = 0.407
(Parkinson), 0.270 (Garman-Klass), 0.331 (Rogers-Satchell); parts are independent, and d vol = vol dV/(2 V).
Close to close that is vol/sqrt(2 n).

Sources: Parkinson (1980); Garman and Klass (1980); Rogers and Satchell (1991); Yang and Zhang (2000), who
show that V_c and RS are uncorrelated. Dividends: with P = C_before - D the returns are those of prices
adjusted by the factors 1 - D/C_before that vendors use, and add up over the night and the session.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.errors import InputError, SettingsError, shown
from volskew.measures.realised_parts import (
    Days,
    FloatArray,
    Part,
    close_close,
    garman_klass,
    garman_klass_variance,
    overnight,
    parkinson,
    parkinson_variance,
    rogers_satchell,
    rogers_satchell_variance,
    yang_zhang,
)

__all__ = [
    "ESTIMATORS",
    "SESSIONS_A_YEAR",
    "Estimator",
    "RealisedVol",
    "find_estimator",
    "garman_klass_variance",
    "parkinson_variance",
    "realised_vol",
    "rogers_satchell_variance",
]

SESSIONS_A_YEAR: Final = 252

_LEAST, _MOST = 1e-100, 1e100
"""Prices between which no ratio overflows."""
_ROUNDING: Final = 1e-6
"""What adjusted highs and lows may be inside of open and close by, relative, as in price files."""
_PRICES: Final = "prices of consecutive sessions, such as table['close'], NaN where there is none"


@dataclass(frozen=True, slots=True)
class Estimator:
    """A way to estimate vol from daily prices.

    Attributes
    ----------
    name : str
        Its name in arguments.
    measure : str
        Its name in history rows and on the command line.
    title : str
        In words, with the unit.
    method : str
        As it stands in the ``method`` of history rows.
    needs_ranges : bool
        Whether it needs open, high and low beside the close.
    needs_previous : bool
        Whether it needs the close before the window.
    least_window : int
        Sessions that a window must have.
    parts : callable
        Daily variance and doubt of every window.
    """

    name: str
    measure: str
    title: str
    method: str
    needs_ranges: bool
    needs_previous: bool
    least_window: int
    parts: Callable[[Days, int], Part]


def _with_night(session: Callable[[Days, int], Part]) -> Callable[[Days, int], Part]:
    return lambda days, window: overnight(days, window) + session(days, window)


def _ranged(name: str, words: str, session: Callable[[Days, int], Part]) -> tuple[Estimator, Estimator]:
    """A range estimator of the whole day, and that of the session alone."""
    of_all = Estimator(
        name,
        f"realised_vol_{name}",
        f"realised vol, {words} of the session plus the overnight moves [decimal, annual]",
        f"{name}+overnight",
        needs_ranges=True,
        needs_previous=True,
        least_window=1,
        parts=_with_night(session),
    )
    of_session = Estimator(
        f"{name}_session",
        f"realised_vol_{name}_session",
        f"realised vol of the sessions alone, {words}, without the overnight moves [decimal, annual]",
        f"{name}_session",
        needs_ranges=True,
        needs_previous=False,
        least_window=1,
        parts=session,
    )
    return of_all, of_session


_PARKINSONS, _GARMAN_KLASSES, _ROGERS_SATCHELLS = (
    _ranged("parkinson", "Parkinson", parkinson),
    _ranged("garman_klass", "Garman-Klass", garman_klass),
    _ranged("rogers_satchell", "Rogers-Satchell", rogers_satchell),
)

ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        item.name: item
        for item in (
            Estimator(
                "close_close",
                "realised_vol",
                "realised vol from close to close, zero mean [decimal, annual]",
                "close_close",
                needs_ranges=False,
                needs_previous=True,
                least_window=1,
                parts=close_close,
            ),
            _PARKINSONS[0],
            _GARMAN_KLASSES[0],
            _ROGERS_SATCHELLS[0],
            Estimator(
                "yang_zhang",
                "realised_vol_yang_zhang",
                "realised vol after Yang and Zhang, night and session [decimal, annual]",
                "yang_zhang",
                needs_ranges=True,
                needs_previous=True,
                least_window=2,
                parts=yang_zhang,
            ),
            _PARKINSONS[1],
            _GARMAN_KLASSES[1],
            _ROGERS_SATCHELLS[1],
        )
    }
)
"""Every estimator by its name; those of the whole day first."""


def find_estimator(name: str) -> Estimator:
    """The estimator of that name.

    Raises
    ------
    SettingsError
        There is none; the message lists those there are.

    Examples
    --------
    >>> find_estimator("parkinson").measure
    'realised_vol_parkinson'
    """
    given: object = name  # what cannot be hashed cannot be looked up
    if not isinstance(given, str) or given not in ESTIMATORS:
        msg = f"no estimator of realised vol is called {shown(name)}; there is {', '.join(ESTIMATORS)}"
        raise SettingsError(msg)
    return ESTIMATORS[name]


@dataclass(frozen=True, slots=True)
class RealisedVol:
    """Realised vol of the windows that end on each day.

    Attributes
    ----------
    vol : ndarray of float64
        Decimal, annualised by 252 sessions; NaN where the window is not whole.
    error : ndarray of float64
        One standard error, see the module; NaN where the vol is.
    """

    vol: FloatArray
    error: FloatArray


def realised_vol(
    close: npt.ArrayLike,
    *,
    window: int,
    estimator: str = "close_close",
    open: npt.ArrayLike | None = None,  # noqa: A002 - the name that prices have
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    dividends: npt.ArrayLike | None = None,
    splits: npt.ArrayLike | None = None,
) -> RealisedVol:
    """Realised vol over the `window` sessions that end on each day.

    Parameters
    ----------
    close : array-like, shape (n,)
        Closes of consecutive sessions [$], positive; NaN where there is none.
    window : int
        Sessions. A window of n needs the close before it too (but for the ``_session`` estimators).
    estimator : str
        ``"close_close"``, ``"parkinson"``, ``"garman_klass"``, ``"rogers_satchell"`` (each of the session
        plus the overnight moves), ``"yang_zhang"``, or the session alone: ``"parkinson_session"``,
        ``"garman_klass_session"``, ``"rogers_satchell_session"``.
    open, high, low : array-like, shape (n,), optional
        Needed by all but ``"close_close"``.
    dividends : array-like, shape (n,), optional
        Cash [$] of each share that goes ex at the open of that session, 0 where none does.
    splits : array-like, shape (n,), optional
        New shares for each old one at the open of that session, 1 where there is no split. NaN marks a
        session whose move is not to be used.

    Returns
    -------
    RealisedVol
        Arrays of shape (n,). A window with a missing price has none; day t depends on no later day.

    Raises
    ------
    InputError
        An array of another shape or not of numbers, a price that is not positive, Series whose days do not
        follow one another or differ, a high or low that does not hold open and close; a dividend that is
        negative or leaves nothing of the close before.
    SettingsError
        No such estimator, a window too short for it, or prices that it needs are absent.

    Examples
    --------
    >>> result = realised_vol([100.0, 101.0, 99.5, 100.2], window=3)
    >>> [round(float(vol), 4) for vol in result.vol]
    [nan, nan, nan, 0.1768]
    """
    item = find_estimator(estimator)
    length = _length(window, item)
    if item.needs_ranges and (open is None or high is None or low is None):
        msg = f"{estimator} needs open, high and low beside the close"
        raise SettingsError(msg)
    if close is None:
        raise InputError("close must be an array of prices, got None", accepted=_PRICES)
    closes = _array(close, "close")
    _check_days(close, open=open, high=high, low=low, dividends=dividends, splits=splits)
    length = min(length, max(len(closes) + 1, item.least_window))  # no longer window is whole either
    opens, highs, lows = (
        _array(given, name, like=closes) for given, name in ((open, "open"), (high, "high"), (low, "low"))
    )
    for other, price in (("low", lows), ("open", opens), ("close", closes)):
        _check_bound("high", highs, other, price, sign=1.0)
    for other, price in (("open", opens), ("close", closes)):
        _check_bound("low", lows, other, price, sign=-1.0)
    previous = _previous(
        closes,
        _array(dividends, "dividends", like=closes, otherwise=0.0),
        _array(splits, "splits", like=closes, otherwise=1.0),
    )
    days = Days(
        close_close=np.log(closes / previous),
        overnight=np.log(opens / previous),
        session=np.log(closes / opens),
        parkinson=parkinson_variance(high=highs, low=lows),
        garman_klass=garman_klass_variance(open=opens, high=highs, low=lows, close=closes),
        rogers_satchell=rogers_satchell_variance(open=opens, high=highs, low=lows, close=closes),
    )
    part = item.parts(days, length)
    # rounding may leave a rise-only session a hair below zero
    vol = np.sqrt(SESSIONS_A_YEAR * np.maximum(part.variance, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(vol > 0.0, vol * np.sqrt(part.doubt) / (2.0 * part.variance), vol)
    return RealisedVol(_from_first(vol, len(closes)), _from_first(error, len(closes)))


def _length(window: object, item: Estimator) -> int:
    if isinstance(window, int | np.integer) and not isinstance(window, bool) and window >= item.least_window:
        return int(window)
    accepted = f"a whole number of at least {item.least_window}"
    msg = f"the window of {item.name} must be {accepted}, got {shown(window)}"
    raise SettingsError(msg)


def _array(
    given: npt.ArrayLike | None, name: str, *, like: FloatArray | None = None, otherwise: float = math.nan
) -> FloatArray:
    if given is None:
        return np.full(0 if like is None else like.shape, otherwise)
    try:
        raw = np.asarray(given)
        array = raw.astype(np.float64) if raw.dtype.kind in "iufO" else None
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None:
        raise InputError(f"{name} must be an array of numbers, got {shown(given)}", accepted=_PRICES)
    wanted = f"one dimension: {_PRICES}" if like is None else f"shape {like.shape}, as the closes"
    if array.ndim != 1 or (like is not None and array.shape != like.shape):
        raise InputError("an array of another shape", column=name, value=array.shape, accepted=wanted)
    least = 0.0 if name == "dividends" else _LEAST
    bad = np.flatnonzero((array < least) | (array > _MOST))
    if bad.size:
        raise InputError(
            f"element {bad[0]} is not accepted",
            column=name,
            value=float(array[bad[0]]),
            accepted="finite numbers, 0 or above"
            if name == "dividends"
            else f"finite numbers above 0, up to {_MOST:g}, or NaN",
        )
    return array


def _check_days(close: object, **others: object) -> None:
    """Refuse Series whose days do not follow one another, or are not those of the closes."""
    index = close.index if isinstance(close, pd.Series) else None
    if isinstance(index, pd.DatetimeIndex):
        days = index.to_numpy()
        if (bad := np.flatnonzero(~(days[1:] > days[:-1]))).size:  # also where one is missing
            raise InputError(
                f"the day of element {bad[0] + 1} is not after the one before it",
                column="close",
                value=str(index[bad[0] + 1]),
                accepted="each session once, in the order of time, as close.sort_index() has them",
            )
    for name, other in others.items():
        if index is not None and isinstance(other, pd.Series) and not other.index.equals(index):
            raise InputError("not the days of the closes", column=name, accepted="columns of one table")


def _check_bound(name: str, bound: FloatArray, other: str, price: FloatArray, *, sign: float) -> None:
    """Refuse a high (sign 1) or low (-1) that does not hold a price of its session, by more than rounding."""
    if not (len(bound) and len(price)):  # one of them is not given
        return
    if (bad := np.flatnonzero(sign * (price - bound) > _ROUNDING * price)).size:
        day, side = int(bad[0]), "below" if sign > 0 else "above"
        raise InputError(
            f"element {day} is {side} the {other} of its session, {price[day]:g}",
            column=name,
            value=float(bound[day]),
            accepted="highs and lows that hold open and close",
        )


def _previous(close: FloatArray, dividends: FloatArray, splits: FloatArray) -> FloatArray:
    """The close before each day, in shares of that day and without the dividend that goes ex."""
    previous = np.full_like(close, np.nan)
    previous[1:] = close[:-1] / splits[1:] - dividends[1:]
    bad = np.flatnonzero(previous <= 0.0)
    if bad.size:
        raise InputError(
            f"the dividend of day {bad[0]} leaves nothing of the close before it",
            column="dividends",
            value=float(dividends[bad[0]]),
            accepted=f"less than {close[bad[0] - 1] / splits[bad[0]]:g}",
        )
    return previous


def _from_first(values: FloatArray, length: int) -> FloatArray:
    """Values of windows, each on the last day of its window."""
    return np.concatenate([np.full(length - len(values), np.nan), values])
