"""American options with a continuous dividend yield: prices, sensitivities and implied vols, by expiry slice.

Prices here are what is paid today (discounted), against the spot. Options that share right, time, rate and
yield are a slice: they share the exercise boundary, which is solved once for all. How it is worked out is in
`volskew.pricing.american_boundary` and `volskew.pricing.american_kernels`.

All functions take scalars and arrays of any real type and layout, broadcast them, and give scalars for
scalars. An element's result depends on that element alone, to the last bit.
"""

from __future__ import annotations

import functools
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError
from volskew.loading import importing
from volskew.pricing import black
from volskew.pricing.black import ImpliedVol
from volskew.pricing.contracts import EXTRA, RATE, SPOT, STRIKE, TIME, YIELD, Contracts
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL
from volskew.pricing.status import Status

__all__ = ["Values", "delta", "early_exercise_premium", "implied_vol", "price", "values", "vega"]

Accuracy = Literal["fast", "default", "high"]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SCHEMES: dict[str, tuple[dict[str, Any], float]] = {
    "fast": (
        {"nodes": 6, "quadrature": 8, "price_quadrature": 16, "vols": 5, "iterations": 3, "settled": 1e-5},
        1e-6,
    ),
    "default": (
        {"nodes": 8, "quadrature": 8, "price_quadrature": 24, "vols": 6, "iterations": 3, "settled": 1e-6},
        1e-6,
    ),
    "high": (
        {
            "nodes": 16,
            "quadrature": 32,
            "price_quadrature": 48,
            "vols": 10,
            "iterations": 12,
            "settled": 1e-11,
        },
        1e-9,
    ),
}
"""Of `volskew.pricing.american_boundary.scheme`, and the step, relative to the vol, that is the last."""
_OK = int(Status.OK)
_NONE = np.empty(0, dtype=np.intp)


class Values(NamedTuple):
    """Value and sensitivities of American options.

    Attributes
    ----------
    price, early_exercise_premium : float or ndarray
        [$] The premium is what the price exceeds the European one by.
    delta : float or ndarray
        d price / d spot.
    vega : float or ndarray
        [$ per 1.00 of vol]
    """

    price: Any
    early_exercise_premium: Any
    delta: Any
    vega: Any


def values(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    is_call: ArrayLike,
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> Values:
    """Price, early-exercise premium, delta and vega in one go.

    Parameters
    ----------
    spot, strike : array_like
        [$]
    time_to_expiry : array_like
        [years]
    vol : array_like
        [decimal, annual], from 0.005 to 10.24.
    rate, dividend_yield : array_like
        [decimal, annual, continuous]; the yield holds borrow costs too.
    is_call : array_like of bool
        True or 1 for a call, False or 0 for a put.
    accuracy : {"fast", "default", "high"}
        Largest price error over ordinary options (a week to two years, vol 8 to 80 %, four standard
        deviations), with a strike of 100: about 5e-5, 2e-5 and 1e-6 dollars.
    threads : int or None
        Threads to use, each on slices of its own; None for all CPUs.

    Returns
    -------
    Values
        Of the broadcast shape. NaN where an input is missing, spot, strike or time is not positive, the vol
        is out of range, or two exercise boundaries exist (a put with yield < rate < 0, a call with rate <
        yield < 0).

    Raises
    ------
    SettingsError
        An argument holds no numbers, the shapes do not go together, or `accuracy` or `threads` is not
        accepted.
    """
    contracts = _Puts.of(spot, strike, time_to_expiry, rate, dividend_yield, is_call, vol=vol)
    contracts.fill(have_prices=False)
    price_, premium, slope, by_x = found = np.full((4, contracts.size), np.nan)
    scheme, _ = _scheme(accuracy)
    kernel = _kernels().put_values

    def slices(order: Integers, starts: Integers, first: int, last: int) -> None:
        kernel(contracts.table, order, starts, first, last, scheme, *found)

    contracts.run(slices, by_spot=False, threads=threads)
    rows = contracts.never_exercised()
    if rows.size:
        price_[rows], slope[rows], by_x[rows] = contracts.european_values(rows, threads)
        premium[rows] = 0.0
    scale, is_put = contracts.scale, ~contracts.is_call
    with np.errstate(over="ignore", invalid="ignore"):
        # a put's price is K v(ln S/K), a call's S v(ln K/S)
        by_spot = np.where(is_put, by_x * contracts.strike / contracts.spot, price_ - by_x)
    return Values(
        *(contracts.shaped(item) for item in (price_ * scale, premium * scale, by_spot, slope * scale))
    )


def price(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    is_call: ArrayLike,
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> Any:
    """American price [$]; arguments, NaN and errors as `values`.

    Examples
    --------
    >>> put = price(spot=600, strike=569, time_to_expiry=91 / 365, vol=0.2, rate=0.043, dividend_yield=0.005,
    ...             is_call=False)
    >>> round(put, 5)
    9.53079
    """
    return values(
        spot=spot, strike=strike, time_to_expiry=time_to_expiry, vol=vol, rate=rate,
        dividend_yield=dividend_yield, is_call=is_call, accuracy=accuracy, threads=threads,
    ).price  # fmt: skip


def delta(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    is_call: ArrayLike,
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> Any:
    """Spot delta of the American price, -1 or 1 where exercise is due; all else as `values`."""
    return values(
        spot=spot, strike=strike, time_to_expiry=time_to_expiry, vol=vol, rate=rate,
        dividend_yield=dividend_yield, is_call=is_call, accuracy=accuracy, threads=threads,
    ).delta  # fmt: skip


def vega(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    is_call: ArrayLike,
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> Any:
    """American vega [$ per 1.00 of vol]; 0 where exercise is due. Arguments, NaN and errors as `values`."""
    return values(
        spot=spot, strike=strike, time_to_expiry=time_to_expiry, vol=vol, rate=rate,
        dividend_yield=dividend_yield, is_call=is_call, accuracy=accuracy, threads=threads,
    ).vega  # fmt: skip


def early_exercise_premium(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    is_call: ArrayLike,
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> Any:
    """American price less the European one [$]; arguments, NaN and errors as `values`."""
    return values(
        spot=spot, strike=strike, time_to_expiry=time_to_expiry, vol=vol, rate=rate,
        dividend_yield=dividend_yield, is_call=is_call, accuracy=accuracy, threads=threads,
    ).early_exercise_premium  # fmt: skip


def implied_vol(
    price: ArrayLike,
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    is_call: ArrayLike,
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> ImpliedVol:
    """Vol at which the American price is `price`.

    Parameters
    ----------
    price : array_like
        Today's price [$] (not divided by a discount factor).
    spot, strike, time_to_expiry, rate, dividend_yield, is_call, accuracy, threads
        As for `values`.

    Returns
    -------
    ImpliedVol
        ``vol`` [decimal, annual] and ``status``, of the broadcast shape, scalars for scalars (``uncertainty``
        is None). Where early exercise is never optimal, or its premium cannot move the vol by 1e-8, it is the
        European vol of the price.

    Raises
    ------
    SettingsError
        As `values`.

    Notes
    -----
    The least value of an American option is that at vol 0, the greatest gain of exercise at a time known
    today: the greater of intrinsic value, the European bound, and what lies between where dividends outrun
    interest. A price below is `Status.BELOW_INTRINSIC`, a price at it `Status.AT_INTRINSIC`.

    Examples
    --------
    >>> solved = implied_vol(9.53078980, spot=600, strike=569, time_to_expiry=91 / 365, rate=0.043,
    ...                      dividend_yield=0.005, is_call=False)
    >>> round(solved.vol, 6), solved.status.name
    (0.2, 'OK')
    """
    contracts = _Puts.of(spot, strike, time_to_expiry, rate, dividend_yield, is_call, price=price)
    contracts.fill(have_prices=True)
    vol, status = np.full(contracts.size, np.nan), contracts.status
    scheme = _scheme(accuracy)
    kernel = _kernels().put_vols

    def slices(order: Integers, starts: Integers, first: int, last: int) -> None:
        kernel(contracts.table, contracts.is_call, order, starts, first, last, *scheme, vol, status)

    contracts.run(slices, by_spot=False, threads=threads)
    rows = contracts.never_exercised()
    if rows.size:
        vol[rows], status[rows] = contracts.european_vols(rows, threads)
    return contracts.solved(vol)


class _Puts(Contracts):
    """Options as puts with strike 1: a call is a put with spot and strike, rate and yield exchanged.

    The rows of the table are those of `volskew.pricing.contracts`, the last ln(S/K) of the put.
    """

    __slots__ = ()

    def fill(self, *, have_prices: bool) -> None:
        """Exchange rates and yields of calls, and work out the last row and the statuses."""
        _kernels().as_puts(self.table, self.is_call, have_prices, self.status)

    @property
    def spot(self) -> Floats:
        return np.asarray(self.table[SPOT])

    @property
    def strike(self) -> Floats:
        return np.asarray(self.table[STRIKE])

    @property
    def scale(self) -> Floats:
        return np.where(self.is_call, self.spot, self.strike)

    def never_exercised(self) -> NDArray[np.intp]:
        """Rows that may have an answer, but no premium."""
        rate, dividend_yield = self.table[RATE], self.table[YIELD]
        never = (rate <= 0) & (dividend_yield >= rate)
        return np.flatnonzero((self.status == _OK) & never) if never.any() else _NONE

    def european_values(self, rows: NDArray[np.intp], threads: int | None) -> tuple[Floats, Floats, Floats]:
        """Price, d/d sigma and d/dx of puts with strike 1 that are never exercised early."""
        discount, given = self._european(rows)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            given = given | {"vol": self.table[EXTRA, rows], "threads": threads}
            return (
                discount * black.price(**given, is_call=np.False_),
                discount * black.vega(**given),
                discount * given["forward"] * black.delta(**given, is_call=np.False_),
            )

    def european_vols(self, rows: NDArray[np.intp], threads: int | None) -> tuple[Floats, NDArray[np.uint8]]:
        """Vol and status of puts with strike 1 that are never exercised early."""
        _, given = self._european(rows)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            price = (
                self.table[EXTRA, rows]
                / self.scale[rows]
                * np.exp(self.table[RATE, rows] * self.table[TIME, rows])
            )
        vol, status, _ = black.implied_vol(price, **given, is_call=np.False_, threads=threads)
        beyond = (status == Status.OK) & ~((vol >= LEAST_VOL) & (vol <= GREATEST_VOL))
        vol[beyond], status[beyond] = np.nan, Status.OUT_OF_RANGE
        return vol, status

    def _european(self, rows: NDArray[np.intp]) -> tuple[Floats, dict[str, Any]]:
        """Discount factor, and forward, strike and time, of puts with strike 1."""
        spot, strike, time, r, q = self.table[:EXTRA, rows]
        with np.errstate(all="ignore"):
            x = np.where(self.is_call[rows], np.log(strike / spot), np.log(spot / strike))
            forward = np.exp(x + (r - q) * time)
            return np.exp(-r * time), {"forward": forward, "strike": 1.0, "time_to_expiry": time}


@functools.cache
def _kernels() -> Any:
    with importing:
        from volskew.pricing import american_kernels  # noqa: PLC0415
    return american_kernels


def _scheme(accuracy: object) -> tuple[Any, float]:
    if not isinstance(accuracy, str) or accuracy not in _SCHEMES:
        msg = f"accuracy must be one of {', '.join(_SCHEMES)}, got {accuracy!r}"
        raise SettingsError(msg)
    return _made(accuracy)


@functools.cache
def _made(accuracy: str) -> tuple[Any, float]:
    with importing:
        from volskew.pricing.american_boundary import scheme  # noqa: PLC0415
    sizes, tolerance = _SCHEMES[accuracy]
    # a plain tuple of tuples: one type for the kernels, which numba knows at once
    return tuple(scheme(**sizes)), tolerance
