"""American options with a continuous dividend yield: prices, sensitivities and implied vols, by expiry slice.

Prices here are what is paid today (discounted), against the spot. Options that share right, time, rate and
yield are a slice: they share the exercise boundary, which is solved once for all. How it is worked out is in
`volskew.pricing.american_boundary` and `volskew.pricing.american_kernels`.

All functions take scalars and arrays of any real type and layout, broadcast them, and give scalars for
scalars. An element's result depends on that element alone, to the last bit.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError
from volskew.loading import importing
from volskew.pricing import arguments, black
from volskew.pricing.black import SIDES, ImpliedVol
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL
from volskew.pricing.status import Status

__all__ = ["Values", "delta", "early_exercise_premium", "implied_vol", "price", "values", "vega"]

Accuracy = Literal["fast", "default", "high"]
Floats = NDArray[np.float64]

_SCHEMES: dict[str, dict[str, int]] = {
    "fast": {"nodes": 6, "quadrature": 8, "price_quadrature": 16, "iterations": 4, "vols": 5},
    "default": {"nodes": 8, "quadrature": 12, "price_quadrature": 24, "iterations": 5, "vols": 8},
    "high": {"nodes": 16, "quadrature": 32, "price_quadrature": 48, "iterations": 12, "vols": 10},
}
_EPS = 2.0**-52
_FLOOR_ROUNDING = 8 * _EPS
"""Of spot and strike together: what a price may miss its lowest value by and still be at it."""
_NO_RATE = 1e-14
_FEW = 8
"""Elements a run below which the input is sorted by slice."""


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
    contracts = _Contracts.of(spot, strike, time_to_expiry, rate, dividend_yield, is_call, vol=vol)
    sigma = contracts.extra
    price_, premium, slope, by_x = (np.full(contracts.size, np.nan) for _ in range(4))
    usable = contracts.usable & ~contracts.two_boundaries & (sigma >= LEAST_VOL) & (sigma <= GREATEST_VOL)
    rows = np.flatnonzero(usable & ~contracts.never_exercised)
    contracts.run("put_values", rows, [sigma], [price_, premium, slope, by_x], accuracy, threads)
    rows = np.flatnonzero(usable & contracts.never_exercised)
    for out, found in zip(
        (price_, slope, by_x), _european(contracts, rows, sigma[rows], threads), strict=True
    ):
        out[rows] = found
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
    contracts = _Contracts.of(spot, strike, time_to_expiry, rate, dividend_yield, is_call, price=price)
    unit = contracts.extra / contracts.scale
    status = _screen(contracts, unit)
    vol = np.full(contracts.size, np.nan)
    rows = np.flatnonzero(status == Status.OK)
    time, r, q = contracts.time[rows], contracts.rate[rows], contracts.dividend_yield[rows]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        start = black.implied_vol(
            unit[rows] * np.exp(r * time),
            forward=np.exp(contracts.x[rows] + (r - q) * time),
            strike=1.0,
            time_to_expiry=time,
            is_call=np.False_,
            threads=threads,
        )
    never = contracts.never_exercised[rows]
    vol[rows[never]], status[rows[never]] = start.vol[never], start.status[never]
    beyond = (status == Status.OK) & np.isfinite(vol) & ~((vol >= LEAST_VOL) & (vol <= GREATEST_VOL))
    vol[beyond], status[beyond] = np.nan, Status.OUT_OF_RANGE
    european = np.full(contracts.size, np.nan)
    european[rows] = start.vol
    codes = np.full(contracts.size, Status.OK, dtype=np.uint8)
    contracts.run("put_vols", rows[~never], [unit, european], [vol, codes], accuracy, threads)
    status[rows[~never]] = codes[rows[~never]]
    if not contracts.shape:
        return ImpliedVol(float(vol[0]), Status(int(status[0])))
    return ImpliedVol(vol.reshape(contracts.shape), status.reshape(contracts.shape))


class _Contracts(NamedTuple):
    """Options as puts with strike 1: a call is a put with spot and strike, rate and yield exchanged.

    All arrays are one-dimensional, float64 or bool, of one length.
    """

    shape: tuple[int, ...]
    spot: Floats
    strike: Floats
    time: Floats
    rate: Floats
    dividend_yield: Floats
    is_call: NDArray[np.bool_]
    extra: Floats
    x: Floats
    scale: Floats
    finite: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        spot: ArrayLike,
        strike: ArrayLike,
        time_to_expiry: ArrayLike,
        rate: ArrayLike,
        dividend_yield: ArrayLike,
        is_call: ArrayLike,
        **extra: ArrayLike,
    ) -> _Contracts:
        given = {
            "spot": spot,
            "strike": strike,
            "time_to_expiry": time_to_expiry,
            "rate": rate,
            "dividend_yield": dividend_yield,
            **extra,
        }
        shape, flat = arguments.broadcast(
            {name: arguments.floats(name, value) for name, value in given.items()}
            | {"is_call": arguments.booleans("is_call", is_call, meaning=SIDES)}
        )
        size = math.prod(shape)
        s, k, t, r, q, more = (np.broadcast_to(item, size).astype(np.float64) for item in flat[:6])
        # rounding of a difference of rates is no rate
        r, q = (np.where(np.abs(item) < _NO_RATE, 0.0, item) for item in (r, q))
        call = np.broadcast_to(flat[6], size)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            x = np.where(call, np.log(k / s), np.log(s / k))
        return cls(
            shape=shape,
            spot=s,
            strike=k,
            time=t,
            rate=np.where(call, q, r),
            dividend_yield=np.where(call, r, q),
            is_call=call,
            extra=more,
            x=x,
            scale=np.where(call, s, k),
            finite=np.isfinite(s) & np.isfinite(k) & np.isfinite(t) & np.isfinite(r) & np.isfinite(q),
        )

    @property
    def size(self) -> int:
        return self.x.size

    @property
    def usable(self) -> NDArray[np.bool_]:
        return self.finite & (self.spot > 0) & (self.strike > 0) & (self.time > 0)

    @property
    def two_boundaries(self) -> NDArray[np.bool_]:
        return (self.dividend_yield < self.rate) & (self.rate < 0)

    @property
    def never_exercised(self) -> NDArray[np.bool_]:
        """No interest is earned on the strike, and giving up the spot early saves nothing."""
        below = (self.rate < 0) & (self.dividend_yield >= self.rate)
        return np.asarray(below | ((self.rate == 0) & (self.dividend_yield >= 0)))

    def shaped(self, item: Floats) -> Any:
        return item.reshape(self.shape) if self.shape else float(item[0])

    def run(
        self,
        kernel: str,
        rows: NDArray[np.intp],
        inputs: list[Floats],
        outputs: list[NDArray[Any]],
        accuracy: Accuracy,
        threads: int | None,
    ) -> None:
        """Call a kernel on the slices of some rows, from several threads, and fill the outputs there."""
        nodes, price_nodes, iterations = _scheme(accuracy)
        count = arguments.thread_count(threads)
        if not rows.size:
            return
        order, starts = self._slices(rows)
        offsets = np.append(starts, rows.size).astype(np.int64)
        first_of = order[starts]
        market = [
            np.ascontiguousarray(item[first_of]) for item in (self.time, self.rate, self.dividend_yield)
        ]
        staged = [np.ascontiguousarray(item[order]) for item in (self.x, *inputs)]
        found = [np.empty(rows.size, dtype=item.dtype) for item in outputs]
        with importing:
            from volskew.pricing import american_kernels  # noqa: PLC0415
        call = getattr(american_kernels, kernel)

        def piece(number: int) -> None:
            first, last = number * at_once, min((number + 1) * at_once, starts.size)
            call(*staged, offsets, *market, first, last, nodes, price_nodes, iterations, *found)

        # among threads a slice at a time, for its boundaries are what takes long
        at_once = starts.size if count == 1 else 1
        pieces = -(-starts.size // at_once)
        arguments.share(lambda: piece, pieces, threads=min(count, pieces))
        for out, item in zip(outputs, found, strict=True):
            out[order] = item

    def _slices(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The rows, those of a slice one after the other, and where each slice starts."""
        rows = np.concatenate([rows[~self.is_call[rows]], rows[self.is_call[rows]]])
        starts = self._starts(rows)
        if starts.size * _FEW > rows.size and starts.size > 1:
            rows = rows[
                np.lexsort((self.time[rows], self.dividend_yield[rows], self.rate[rows], self.is_call[rows]))
            ]
            starts = self._starts(rows)
        return rows, starts

    def _starts(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        new = np.zeros(rows.size, dtype=bool)
        new[0] = True
        for key in (self.time, self.rate, self.dividend_yield):
            column = key[rows]
            new[1:] |= column[1:] != column[:-1]
        return np.flatnonzero(new)


def _scheme(accuracy: object) -> tuple[tuple[Floats, ...], tuple[Floats, ...], int]:
    if not isinstance(accuracy, str) or accuracy not in _SCHEMES:
        msg = f"accuracy must be one of {', '.join(_SCHEMES)}, got {accuracy!r}"
        raise SettingsError(msg)
    return _made(accuracy)


@functools.cache
def _made(accuracy: str) -> tuple[tuple[Floats, ...], tuple[Floats, ...], int]:
    with importing:
        from volskew.pricing.american_boundary import scheme  # noqa: PLC0415
    made = scheme(**_SCHEMES[accuracy])
    return (
        (made.roots, made.sine, made.weight, made.interpolate),
        (made.price_sine, made.price_weight, made.price_interpolate, made.vol_interpolate),
        made.iterations,
    )


def _european(
    contracts: _Contracts, rows: NDArray[np.intp], sigma: Floats, threads: int | None
) -> tuple[Floats, Floats, Floats]:
    """Price, d/d sigma and d/dx of puts with strike 1 that are never exercised early."""
    time, r, q = contracts.time[rows], contracts.rate[rows], contracts.dividend_yield[rows]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        discount, forward = np.exp(-r * time), np.exp(contracts.x[rows] + (r - q) * time)
        given: dict[str, Any] = {
            "forward": forward, "strike": 1.0, "time_to_expiry": time, "vol": sigma, "threads": threads,
        }  # fmt: skip
        return (
            discount * black.price(**given, is_call=np.False_),
            discount * black.vega(**given),
            discount * forward * black.delta(**given, is_call=np.False_),
        )


def _screen(contracts: _Contracts, unit: Floats) -> NDArray[np.uint8]:
    """Status of every row that cannot have a vol, the first in this order; `unit` is price over scale."""
    x, time, r, q = contracts.x, contracts.time, contracts.rate, contracts.dividend_yield
    with np.errstate(all="ignore"):
        spot = np.exp(x)
        # exercised at a time u known today a put gives exp(-r u) - S exp(-q u)
        level = np.log(q * spot / r) / (q - r)
        level = np.where((level > 0) & (level < time), level, 0.0)
        floor = np.zeros_like(x)
        for u in (np.zeros_like(time), time, level):
            floor = np.fmax(floor, np.exp(-r * u) - spot * np.exp(-q * u))
        rounding = _FLOOR_ROUNDING * (1.0 + spot)
        ceiling = np.where(contracts.never_exercised, np.exp(-r * time), 1.0)
        conditions = [
            (~(contracts.finite & np.isfinite(contracts.extra)), Status.NOT_FINITE),
            (time <= 0, Status.NOT_POSITIVE_TIME),
            ((contracts.spot <= 0) | (contracts.strike <= 0), Status.NOT_POSITIVE_INPUT),
            (contracts.extra <= 0, Status.NOT_POSITIVE_PRICE),
            (contracts.two_boundaries, Status.TWO_BOUNDARIES),
            (unit < floor - rounding, Status.BELOW_INTRINSIC),
            ((floor > 0) & (unit <= floor + rounding), Status.AT_INTRINSIC),
            (unit >= ceiling, Status.ABOVE_MAXIMUM),
        ]
    codes = np.select([c for c, _ in conditions], [np.uint8(s) for _, s in conditions], default=0)
    return codes.astype(np.uint8)
