"""Black's formula in forward space: undiscounted prices, delta, vega and the implied vol.

With ``s = vol * sqrt(T)`` and ``d1 = ln(F/K)/s + s/2``, ``d2 = d1 - s`` (Black 1976):

    call = F N(d1) - K N(d2)        put = K N(-d2) - F N(-d1)

Prices here carry no discount factor: divide a quote by it first. Everything is worked on the out-of-the-money
side, where no digits are lost (`volskew.pricing.inversion`).
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from volskew.errors import SettingsError
from volskew.pricing.inversion import normalised_price, solve, solve_by_vollib
from volskew.pricing.status import Status

_ENGINES = {"volskew": solve, "vollib": solve_by_vollib}

__all__ = ["ImpliedVol", "d1", "delta", "implied_vol", "price", "vega"]

Floats = NDArray[np.float64]

_ROOT_TWO_PI = math.sqrt(2 * math.pi)
_ROUNDING = 4 * np.finfo(np.float64).eps


class ImpliedVol(NamedTuple):
    """Implied vols with the reason for each that is missing.

    Attributes
    ----------
    vol : float or ndarray
        Decimal, annual; NaN wherever `status` is not `Status.OK`.
    status : Status or ndarray of uint8
        One `Status` an element.
    """

    vol: Any
    status: Any


def d1(*, forward: ArrayLike, strike: ArrayLike, time_to_expiry: ArrayLike, vol: ArrayLike) -> Any:
    """``ln(F/K) / (vol sqrt(T)) + vol sqrt(T) / 2``, the one place where it is written.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]

    Returns
    -------
    float or ndarray
        Broadcast shape; NaN where an input is NaN; signed infinity where ``vol sqrt(T)`` is 0.
    """
    f, k, t, v = np.broadcast_arrays(
        *(np.asarray(item, dtype=np.float64) for item in (forward, strike, time_to_expiry, vol))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        s = v * np.sqrt(t)
        x = np.log(f / k)
        result = np.where((s == 0.0) & (x == 0.0), 0.0, x / s + s / 2)
    return _plain(result)


def price(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
) -> Any:
    """Undiscounted Black price.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]
    is_call : array_like of bool
        True or 1 for a call, False or 0 for a put.

    Returns
    -------
    float or ndarray
        [$], of the broadcast shape. Intrinsic value where vol or time is 0. NaN where an input is NaN, a
        forward or strike is not positive, or vol or time is negative. Far out of the money the price keeps
        its relative accuracy until it underflows.

    Raises
    ------
    SettingsError
        `is_call` holds anything else than booleans, 0 and 1.

    Examples
    --------
    >>> round(price(forward=100, strike=110, time_to_expiry=0.25, vol=0.2, is_call=True), 12)
    0.953947391857
    """
    f, k, t, v, call = _five(forward, strike, time_to_expiry, vol, is_call)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        s = v * np.sqrt(t)
        x = -np.abs(np.log(f / k))
        valid = (f > 0) & (k > 0) & (s >= 0) & np.isfinite(f) & np.isfinite(k)
        time_value = np.sqrt(f * k) * normalised_price(x, s).reshape(s.shape)
        intrinsic = np.maximum(np.where(call, f - k, k - f), 0.0)
        return _plain(np.where(valid, intrinsic + np.where(s == 0, 0.0, time_value), np.nan))


def delta(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike = True,
) -> Any:
    """Undiscounted forward delta: ``N(d1)`` of a call, ``N(d1) - 1`` of a put.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]
    is_call : array_like of bool
        True or 1 for a call, False or 0 for a put.

    Returns
    -------
    float or ndarray
        Broadcast shape; NaN where an input is NaN.

    Raises
    ------
    SettingsError
        `is_call` holds anything else than booleans, 0 and 1.

    Examples
    --------
    >>> round(delta(forward=100, strike=107.513795, time_to_expiry=0.25, vol=0.2), 7)
    0.25
    """
    z = np.asarray(d1(forward=forward, strike=strike, time_to_expiry=time_to_expiry, vol=vol))
    # N(d1) - 1 as -N(-d1): a far put keeps its digits
    return _plain(np.where(_calls(is_call), ndtr(z), -ndtr(-z)))


def vega(*, forward: ArrayLike, strike: ArrayLike, time_to_expiry: ArrayLike, vol: ArrayLike) -> Any:
    """Undiscounted vega ``F n(d1) sqrt(T)``, the same for call and put.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]

    Returns
    -------
    float or ndarray
        [$ per 1.00 of vol], of the broadcast shape; NaN where an input is NaN.

    Examples
    --------
    >>> round(vega(forward=525, strike=558.1, time_to_expiry=91 / 365, vol=0.21), 1)
    90.8
    """
    z = np.asarray(d1(forward=forward, strike=strike, time_to_expiry=time_to_expiry, vol=vol))
    f = np.asarray(forward, dtype=np.float64)
    t = np.asarray(time_to_expiry, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return _plain(f * np.sqrt(t) * np.exp(-0.5 * z * z) / _ROOT_TWO_PI)


@overload
def implied_vol(
    price: float,
    *,
    forward: float,
    strike: float,
    time_to_expiry: float,
    is_call: bool,
    engine: Literal["volskew", "vollib"] = "volskew",
) -> ImpliedVol: ...
@overload
def implied_vol(
    price: ArrayLike,
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    is_call: ArrayLike,
    engine: Literal["volskew", "vollib"] = "volskew",
) -> ImpliedVol: ...
def implied_vol(
    price: ArrayLike,
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    is_call: ArrayLike,
    engine: Literal["volskew", "vollib"] = "volskew",
) -> ImpliedVol:
    """Black vol of an undiscounted price.

    Parameters
    ----------
    price : array_like
        Undiscounted price [$] (a quote divided by the discount factor).
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    is_call : array_like of bool
        True or 1 for a call, False or 0 for a put.
    engine : {"volskew", "vollib"}
        The vectorised solve, or one call of vollib an element: slow, an independent check.

    Returns
    -------
    ImpliedVol
        ``vol`` [decimal, annual] and ``status``, of the broadcast shape, scalars for scalars. A row without
        a vol has NaN and its reason; it neither raises nor touches another row.

    Raises
    ------
    SettingsError
        `is_call` holds anything else than booleans, 0 and 1, or there is no such engine.

    Notes
    -----
    Solved for ``s = vol sqrt(T)`` on the logarithm of the out-of-the-money price, which increases and is
    concave in ``s``, by Halley's third-order iteration kept inside a shrinking bracket (bisected where a
    step leaves it), until a step is below 1e-6 of ``s``.

    Examples
    --------
    >>> solved = implied_vol(3.98776116767449, forward=100, strike=100, time_to_expiry=0.25, is_call=True)
    >>> round(solved.vol, 12), solved.status.name
    (0.2, 'OK')
    >>> implied_vol([1.0, 12.0], forward=100, strike=90, time_to_expiry=1, is_call=True).status
    array([1, 0], dtype=uint8)
    """
    if engine not in _ENGINES:
        msg = f"engine must be one of {', '.join(_ENGINES)}, got {engine!r}"
        raise SettingsError(msg)
    f, k, t, p, call = _five(forward, strike, time_to_expiry, price, is_call)
    status = _screen(p, f, k, t, call)
    vol = np.full(status.shape, np.nan)
    good = status == Status.OK
    if good.any():
        invert = _ENGINES[engine]
        solved, outcome = invert(p[good], f[good], k[good], t[good], call[good])
        vol[good] = solved
        status[good] = outcome
    if vol.ndim == 0:
        # a lookup by value, not a new member
        return ImpliedVol(float(vol), Status(int(status)))  # type: ignore[call-arg]
    return ImpliedVol(vol, status)


def _five(
    a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, is_call: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.bool_]]:
    floats = [np.asarray(item, dtype=np.float64) for item in (a, b, c, d)]
    shaped = np.broadcast_arrays(*floats, _calls(is_call))
    return shaped[0], shaped[1], shaped[2], shaped[3], shaped[4]


def _calls(is_call: ArrayLike) -> NDArray[np.bool_]:
    """`is_call` as booleans; anything but booleans, 0 and 1 is refused, for every text and NaN is true."""
    given = np.asarray(is_call)
    if given.dtype.kind == "b" or not given.size:
        return given.astype(bool)
    if given.dtype.kind in "iu" and bool(((given == 0) | (given == 1)).all()):
        return given.astype(bool)
    # as objects each item is still what was given: [True, nan] would be floats, [True, "C"] text
    items = np.asarray(is_call, dtype=object)
    for position, item in enumerate(items.ravel().tolist()):
        if not isinstance(item, bool | np.bool_ | int | np.integer) or item not in {0, 1}:
            where = f" at position {position}" if items.ndim else ""
            msg = f"is_call must be True or 1 for a call, False or 0 for a put; got {item!r}{where}"
            raise SettingsError(msg)
    return items.astype(bool)


def _plain(result: Floats) -> Any:
    return float(result) if np.ndim(result) == 0 else result


def _screen(
    price: Floats, forward: Floats, strike: Floats, time: Floats, is_call: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Status of every row that cannot have a vol; the first reason in this order wins."""
    finite = np.isfinite(price) & np.isfinite(forward) & np.isfinite(strike) & np.isfinite(time)
    with np.errstate(invalid="ignore"):
        intrinsic = np.maximum(np.where(is_call, forward - strike, strike - forward), 0.0)
        time_value = price - intrinsic
        conditions = [
            (~finite, Status.NOT_FINITE),
            (time <= 0, Status.NOT_POSITIVE_TIME),
            ((forward <= 0) | (strike <= 0), Status.NOT_POSITIVE_INPUT),
            (price <= 0, Status.NOT_POSITIVE_PRICE),
            (time_value < -_ROUNDING * price, Status.BELOW_INTRINSIC),
            ((intrinsic > 0) & (time_value <= _ROUNDING * price), Status.AT_INTRINSIC),
            (price >= np.where(is_call, forward, strike) * (1 - _ROUNDING), Status.ABOVE_MAXIMUM),
        ]
    return np.select([c for c, _ in conditions], [np.uint8(s) for _, s in conditions], default=0).astype(
        np.uint8
    )
