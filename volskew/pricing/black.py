"""Black's formula in forward space: undiscounted prices, sensitivities and the implied vol.

With ``s = vol * sqrt(T)`` and ``d1 = ln(F/K)/s + s/2``, ``d2 = d1 - s`` (Black 1976):

    call = F N(d1) - K N(d2)        put = K N(-d2) - F N(-d1)

Prices here carry no discount factor: divide a quote by it first. Everything is worked out on the
out-of-the-money side, where no digits are lost; how, is in `volskew.pricing.black_kernels`.

All functions take scalars and arrays of any real type and layout, broadcast them, and give scalars for
scalars. An element's result depends on that element alone: not on its neighbours, its place or the number of
threads, to the last bit. The first call of a process loads machine code (0.2 s), the first on a machine
compiles it (seconds).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError
from volskew.loading import importing
from volskew.pricing import arguments
from volskew.pricing.status import Status

__all__ = ["ImpliedVol", "Status", "d1", "delta", "gamma", "implied_vol", "price", "vega"]


def __dir__() -> list[str]:
    return __all__


Engine = Literal["volskew", "vollib"]
_ENGINES: tuple[Engine, ...] = ("volskew", "vollib")
_EITHER = np.True_
"""For what is alike for calls and puts."""
_NAMES = np.array([item.name for item in Status], dtype=object)
SIDES = 'True or 1 for a call, False or 0 for a put (flags: ``flag == "c"``)'


class ImpliedVol(NamedTuple):
    """Implied vols with the reason for each that is missing.

    Attributes
    ----------
    vol : float or ndarray
        Decimal, annual; NaN wherever `status` is not `Status.OK`.
    status : Status or ndarray of uint8
        One `Status` an element, as its number; `status_names` has the names.
    uncertainty : float or ndarray or None
        How far the vol moves, to first order, within the rounding of the price itself, ``0.5
        ulp(price)/vega`` [decimal, annual]; the error of the solve, some 1e-15 of the vol, comes on top. NaN
        where `vol` is. None unless asked for.
    """

    vol: Any
    status: Any
    uncertainty: Any = None

    @property
    def status_names(self) -> Any:
        """Name of each status: text, or an array of objects; ``Status[name].meaning`` is the sentence."""
        names = _NAMES[self.status]
        return names if isinstance(names, np.ndarray) else str(names)


def d1(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    threads: int | None = 1,
) -> Any:
    """``ln(F/K) / (vol sqrt(T)) + vol sqrt(T) / 2``.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]
    threads : int or None
        Threads to use; None for all CPUs.

    Returns
    -------
    float or ndarray
        Broadcast shape; NaN as for `price`; signed infinity (0 at the money) where ``vol sqrt(T)`` is 0.

    Raises
    ------
    SettingsError
        As `price`.
    """
    return _value("D1", forward, strike, time_to_expiry, vol, _EITHER, threads)


def price(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
    threads: int | None = 1,
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
    threads : int or None
        Threads to use; None for all CPUs.

    Returns
    -------
    float or ndarray
        [$], of the broadcast shape. Intrinsic value where vol or time is 0, the forward (call) or strike
        (put) where ``vol sqrt(T)`` is infinite. NaN where an input is NaN, a forward or strike is not
        positive and finite, or vol or time is negative. Far out of the money the price keeps its relative
        accuracy until it underflows.

    Raises
    ------
    SettingsError
        An argument holds no numbers, `is_call` anything else than booleans, 0 and 1, the shapes do not go
        together, or `threads` is no positive integer.

    Examples
    --------
    >>> round(price(forward=100, strike=110, time_to_expiry=0.25, vol=0.2, is_call=True), 12)
    0.953947391857
    """
    return _value("PRICE", forward, strike, time_to_expiry, vol, is_call, threads)


def delta(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike = True,
    threads: int | None = 1,
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
    threads : int or None
        Threads to use; None for all CPUs.

    Returns
    -------
    float or ndarray
        Broadcast shape; NaN as for `price`. A put's is worked out as ``-N(-d1)``: far out it keeps its
        digits.

    Raises
    ------
    SettingsError
        As `price`.

    Examples
    --------
    >>> round(delta(forward=100, strike=107.513795, time_to_expiry=0.25, vol=0.2), 7)
    0.25
    """
    return _value("DELTA", forward, strike, time_to_expiry, vol, is_call, threads)


def gamma(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    threads: int | None = 1,
) -> Any:
    """Undiscounted forward gamma ``n(d1) / (F vol sqrt(T))``, the same for call and put.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]
    threads : int or None
        Threads to use; None for all CPUs.

    Returns
    -------
    float or ndarray
        [1/$], of the broadcast shape; NaN as for `price`. Where ``vol sqrt(T)`` is 0: infinite at the money,
        0 elsewhere.

    Raises
    ------
    SettingsError
        As `price`.

    Examples
    --------
    >>> round(gamma(forward=100, strike=107.513795, time_to_expiry=0.25, vol=0.2), 7)
    0.0317777
    """
    return _value("GAMMA", forward, strike, time_to_expiry, vol, _EITHER, threads)


def vega(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    threads: int | None = 1,
) -> Any:
    """Undiscounted vega ``F n(d1) sqrt(T)``, the same for call and put.

    Parameters
    ----------
    forward, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual]
    threads : int or None
        Threads to use; None for all CPUs.

    Returns
    -------
    float or ndarray
        [$ per 1.00 of vol], of the broadcast shape; NaN as for `price`.

    Raises
    ------
    SettingsError
        As `price`.

    Examples
    --------
    >>> round(vega(forward=525, strike=558.1, time_to_expiry=91 / 365, vol=0.21), 1)
    90.8
    """
    return _value("VEGA", forward, strike, time_to_expiry, vol, _EITHER, threads)


@overload
def implied_vol(
    price: float,
    *,
    forward: float,
    strike: float,
    time_to_expiry: float,
    is_call: bool,
    engine: Engine = "volskew",
    threads: int | None = 1,
    uncertainty: bool = False,
) -> ImpliedVol: ...
@overload
def implied_vol(
    price: ArrayLike,
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    is_call: ArrayLike,
    engine: Engine = "volskew",
    threads: int | None = 1,
    uncertainty: bool = False,
) -> ImpliedVol: ...
def implied_vol(
    price: ArrayLike,
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    is_call: ArrayLike,
    engine: Engine = "volskew",
    threads: int | None = 1,
    uncertainty: bool = False,
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
        The compiled kernel, or one call of vollib an element: slow, an independent check.
    threads : int or None
        Threads to use; None for all CPUs. A second one is started from some 100,000 options on.
        ``engine="vollib"`` uses one.
    uncertainty : bool
        Give the inherent uncertainty of each vol too.

    Returns
    -------
    ImpliedVol
        ``vol`` [decimal, annual], ``status`` and, where asked for, ``uncertainty``, of the broadcast shape,
        scalars for scalars. A row without a vol has NaN and its reason; it neither raises nor touches another
        row.

    Raises
    ------
    SettingsError
        An argument holds no numbers, `is_call` anything else than booleans, 0 and 1, the shapes do not go
        together, `threads` is no positive integer, or there is no such engine.

    Notes
    -----
    The vol is that of the very doubles given: the rounding error of ``F - K`` is carried along. A price in
    the money whose time value is within 2^-52 of the price, one to two units of its last place, is
    `Status.AT_INTRINSIC`: it cannot be told from rounding. Errors are some 1e-15 of the vol, beside the
    ``uncertainty`` that lies in the price; how it is solved, and the sources, are in
    `volskew.pricing.black_kernels`.

    Examples
    --------
    >>> solved = implied_vol(3.98776116767449, forward=100, strike=100, time_to_expiry=0.25, is_call=True)
    >>> round(solved.vol, 12), solved.status.name
    (0.2, 'OK')
    >>> solved = implied_vol([1.0, 12.0], forward=100, strike=90, time_to_expiry=1, is_call=True)
    >>> solved.status, solved.status_names
    (array([1, 0], dtype=uint8), array(['BELOW_INTRINSIC', 'OK'], dtype=object))
    >>> Status.BELOW_INTRINSIC.meaning
    'the price is below the intrinsic value'
    """
    _check_choices(engine, uncertainty)
    count = arguments.thread_count(threads)
    shape, flat = arguments.broadcast(
        {
            "price": arguments.floats("price", price),
            **_contract(forward, strike, time_to_expiry),
            "is_call": arguments.booleans("is_call", is_call, meaning=SIDES),
        }
    )
    # numba is imported with the kernels, at the first call: importing this module costs nothing
    with importing:
        from volskew.pricing import black_kernels, black_safeguarded  # noqa: PLC0415

    size = math.prod(shape)
    vol, status = np.empty(size), np.empty(size, dtype=np.uint8)
    if engine == "vollib":
        from volskew.pricing import references  # noqa: PLC0415

        spread = [np.broadcast_to(item, size) for item in flat]
        numbers = [item.astype(np.float64) for item in spread[:4]]
        vol, status = references.solve_by_vollib(numbers[0], numbers[1], numbers[2], numbers[3], spread[4])
    else:
        arguments.run(black_kernels.solve, flat, [vol, status], threads=count)
    doubt: NDArray[np.float64] | None = None
    if uncertainty:
        doubt = np.empty(size)
        arguments.run(black_safeguarded.rounding_uncertainty, [*flat, vol], [doubt], threads=count)
    if not shape:
        # a lookup by value, not a new member
        return ImpliedVol(
            float(vol[0]),
            Status(int(status[0])),
            None if doubt is None else float(doubt[0]),
        )
    return ImpliedVol(
        vol.reshape(shape), status.reshape(shape), None if doubt is None else doubt.reshape(shape)
    )


def _check_choices(engine: object, uncertainty: object) -> None:
    if not isinstance(engine, str) or engine not in _ENGINES:
        msg = f"engine must be one of {', '.join(_ENGINES)}, got {engine!r}"
        raise SettingsError(msg)
    if not isinstance(uncertainty, bool | np.bool_):
        msg = f"uncertainty must be True or False, got {uncertainty!r}"
        raise SettingsError(msg)


def _contract(forward: ArrayLike, strike: ArrayLike, time_to_expiry: ArrayLike) -> dict[str, NDArray[Any]]:
    given = {"forward": forward, "strike": strike, "time_to_expiry": time_to_expiry}
    return {name: arguments.floats(name, value) for name, value in given.items()}


def _value(
    kind: Literal["PRICE", "DELTA", "GAMMA", "VEGA", "D1"],
    forward: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
    threads: int | None,
) -> Any:
    """One of the functions above."""
    count = arguments.thread_count(threads)
    shape, flat = arguments.broadcast(
        {
            **_contract(forward, strike, time_to_expiry),
            "vol": arguments.floats("vol", vol),
            "is_call": arguments.booleans("is_call", is_call, meaning=SIDES),
        }
    )
    with importing:
        from volskew.pricing import black_values  # noqa: PLC0415

    out = np.empty(math.prod(shape))
    code = getattr(black_values, kind)
    arguments.run(partial(black_values.values, code), flat, [out], threads=count)
    return out.reshape(shape) if shape else float(out[0])
