"""American options under cash dividends at ex-dates: prices, sensitivities and implied vols, by expiry slice.

Prices here are what is paid today (discounted), against the spot. The vol is that of the forward, so that the
European price is Black's; the spot, which exercise is decided by, drops by the cash amounts. How the premium
for early exercise is worked out is in `volskew.pricing.discrete_grid` and `volskew.pricing.discrete_kernels`.
Options that no ex-date precedes are those of `volskew.pricing.american`.

All functions take scalars and arrays of any real type and layout, broadcast them, and give scalars for
scalars; the dividends are those of one underlying and hold for all options. An element's result depends on
that element alone, to the last bit.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError
from volskew.loading import importing
from volskew.pricing import american, arguments
from volskew.pricing.american import Accuracy, Values
from volskew.pricing.black import ImpliedVol
from volskew.pricing.contracts import EXTRA, Contracts

__all__ = ["forward", "implied_vol", "price", "values"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = NDArray[np.intp]
Dividends = Sequence[tuple[float, float]]

_Scheme = tuple[float, float, float, int, float]
_Segment = tuple[float, float, float]
_SCHEMES: dict[str, _Scheme] = {
    "fast": (0.11, 5.2, 12.0, 5, 1.0),
    "default": (0.08, 5.4, 24.0, 6, 1.0),
    "high": (0.03, 6.5, 90.0, 12, 0.3),
}
"""Step and reach of the grid in standard deviations, steps in time, least steps between two ex-dates, and the
spread of the strikes that are solved for."""
_NARROW: _Segment = (0.96, 1.04, 1.08)
_SEGMENTS: dict[str, tuple[_Segment, _Segment]] = {
    "fast": ((0.65, 1.7, 1.4), (0.6, 1.6, 1.6)),
    "default": ((0.65, 1.7, 1.4), (0.6, 1.6, 1.6)),
    "high": (_NARROW, _NARROW),
}
"""Of puts and of calls: the S/K between which one set of strikes serves, and the width of other sets, as a
ratio. It is wide where options are out of the money, and their premiums small."""
_NONE = np.empty(0, dtype=np.intp)


def forward(
    *,
    spot: ArrayLike,
    time_to_expiry: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
    dividends: Dividends = (),
) -> Any:
    """Forward price ``exp((r - b) T) (S - sum D_i exp(-(r - b) t_i))`` [$].

    Parameters
    ----------
    spot : array_like
        [$]
    time_to_expiry : array_like
        [years]
    rate, dividend_yield : array_like
        [decimal, annual, continuous]; the yield is what is paid (or borrowed at) beside the dividends.
    dividends : sequence of (float, float)
        Time to the ex-date [years] and amount [$] of each. Those at or before 0, and those at or after an
        option's expiry, do not concern it.

    Returns
    -------
    float or ndarray
        NaN where an input is missing, spot or time is not positive, or the dividends are worth the spot.

    Raises
    ------
    SettingsError
        An argument holds no numbers, the shapes do not go together, or a dividend is no pair of a time and
        an amount of at least 0.

    Examples
    --------
    >>> round(forward(spot=240, time_to_expiry=0.25, rate=0.04, dividends=[(0.1, 0.65)]), 6)
    241.758128
    """
    options = _Options.of(spot, 1.0, time_to_expiry, rate, dividend_yield, np.False_, price=1.0)
    options.fill(_schedule(dividends), have_prices=True)
    ahead = options.table[_kernels().FORWARD]
    return options.shaped(np.where(np.isfinite(ahead), ahead, np.nan))


def values(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
    dividends: Dividends = (),
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
        [decimal, annual], from 0.005 to 10.24: of the forward, so that the European price is Black's.
    rate, dividend_yield, dividends
        As for `forward`.
    is_call : array_like of bool
        True or 1 for a call, False or 0 for a put.
    accuracy : {"fast", "default", "high"}
        Of the grid; docs/american_vol.md has the errors of each.
    threads : int or None
        Threads to use, each on slices of its own; None for all CPUs.

    Returns
    -------
    Values
        Of the broadcast shape. The delta is to the spot, the cash amounts growing with it. NaN where an input
        is missing, spot, strike or time is not positive, the vol is out of range, the dividends are worth the
        spot, or two exercise boundaries exist (a put with yield < rate < 0, a call with rate < yield < 0).

    Raises
    ------
    SettingsError
        As `forward`; or `accuracy` or `threads` is not accepted.

    Examples
    --------
    >>> put = values(spot=240, strike=230, time_to_expiry=0.25, vol=0.22, rate=0.043, is_call=False,
    ...              dividends=[(0.1, 0.65)])
    >>> round(put.price, 2), put.early_exercise_premium > 0
    (5.5, True)
    """
    _known(accuracy)
    arguments.thread_count(threads)
    options = _Options.of(spot, strike, time_to_expiry, rate, dividend_yield, is_call, vol=vol)
    schedule = _schedule(dividends)
    rows = options.fill(schedule, have_prices=False)
    found = np.full((4, options.size), np.nan)
    if rows.size:
        found[:, rows] = american.values(
            **options.market(rows), vol=options.table[EXTRA, rows], accuracy=accuracy, threads=threads
        )
    if rows.size < options.size:
        options.solve(_kernels().option_values, schedule, (found,), accuracy, threads)
    return Values(*(options.shaped(item) for item in found))


def price(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
    dividends: Dividends = (),
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> Any:
    """American price [$]; arguments, NaN and errors as `values`."""
    return values(
        spot=spot, strike=strike, time_to_expiry=time_to_expiry, vol=vol, rate=rate, is_call=is_call,
        dividend_yield=dividend_yield, dividends=dividends, accuracy=accuracy, threads=threads,
    ).price  # fmt: skip


def implied_vol(
    price: ArrayLike,
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    time_to_expiry: ArrayLike,
    rate: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
    dividends: Dividends = (),
    accuracy: Accuracy = "default",
    threads: int | None = 1,
) -> ImpliedVol:
    """Vol at which the American price is `price`.

    Parameters
    ----------
    price : array_like
        Today's price [$] (not divided by a discount factor).
    spot, strike, time_to_expiry, rate, is_call, dividend_yield, dividends, accuracy, threads
        As for `values`.

    Returns
    -------
    ImpliedVol
        ``vol`` [decimal, annual; of the forward] and ``status``, of the broadcast shape, scalars for scalars
        (``uncertainty`` is None).

    Raises
    ------
    SettingsError
        As `values`.

    Notes
    -----
    The least value of an American option is the greatest gain of exercise at a time known today: now, at
    expiry, or beside an ex-date. A price below is `Status.BELOW_INTRINSIC`, one at it `Status.AT_INTRINSIC`.

    Examples
    --------
    >>> solved = implied_vol(5.50, spot=240, strike=230, time_to_expiry=0.25, rate=0.043, is_call=False,
    ...                      dividends=[(0.1, 0.65)])
    >>> round(solved.vol, 3), solved.status.name
    (0.22, 'OK')
    """
    _known(accuracy)
    arguments.thread_count(threads)
    options = _Options.of(spot, strike, time_to_expiry, rate, dividend_yield, is_call, price=price)
    schedule = _schedule(dividends)
    rows = options.fill(schedule, have_prices=True)
    vol, status = np.full(options.size, np.nan), options.status
    if rows.size < options.size:
        options.solve(_kernels().option_vols, schedule, (vol, status), accuracy, threads)
    if rows.size:
        vol[rows], status[rows], _ = american.implied_vol(
            options.table[EXTRA, rows], **options.market(rows), accuracy=accuracy, threads=threads
        )
    return options.solved(vol)


class _Options(Contracts):
    """Options as a table whose last row is the forward."""

    __slots__ = ()

    def fill(self, schedule: Floats, *, have_prices: bool) -> Rows:
        """Work out forwards and statuses; the options that no ex-date concerns."""
        kernels = _kernels()
        others = kernels.fill(self.table, self.is_call, schedule, have_prices, self.status)
        return np.flatnonzero(self.status == kernels.NO_EX_DATE) if others else _NONE

    def market(self, rows: Rows) -> dict[str, Any]:
        """The arguments that `volskew.pricing.american` takes."""
        spot, strike, time, rate, dividend_yield = self.table[:EXTRA, rows]
        return {
            "spot": spot,
            "strike": strike,
            "time_to_expiry": time,
            "rate": rate,
            "dividend_yield": dividend_yield,
            "is_call": self.is_call[rows],
        }

    def solve(
        self,
        kernel: Callable[..., None],
        schedule: Floats,
        outputs: tuple[NDArray[Any], ...],
        accuracy: Accuracy,
        threads: int | None,
    ) -> None:
        """Call a kernel on the slices of the options that ex-dates concern."""
        scheme = _scheme(accuracy)
        shape, rows_of_lanes = _memory(accuracy)

        def slices(order: Integers, starts: Integers, first: int, last: int) -> None:
            memory = rows_of_lanes(*shape)
            kernel(self.table, self.is_call, schedule, order, starts, first, last, *scheme, memory, *outputs)

        self.run(slices, by_spot=True, threads=threads)


def _schedule(dividends: Dividends) -> Floats:
    """Times and amounts of the dividends that are still to come, by time, those of one time put together."""
    totals: dict[float, float] = {}
    given: object = dividends
    if given is None or isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        msg = f"dividends must be pairs of a time [years] and an amount [$], () for none; got {dividends!r}"
        raise SettingsError(msg)
    for item in dividends:
        when, amount = _pair(item)
        if not (math.isfinite(when) and math.isfinite(amount) and amount >= 0.0):
            msg = f"a dividend must have a finite time and a finite amount of at least 0, got {item!r}"
            raise SettingsError(msg)
        if when > 0.0 and amount > 0.0:
            totals[when] = totals.get(when, 0.0) + amount
    times = sorted(totals)
    return np.array([times, [totals[when] for when in times]], dtype=np.float64)


def _pair(item: object) -> tuple[float, float]:
    """A time and an amount, as numbers; text and truth values are none."""
    if type(item) is tuple and len(item) == 2 and type(item[0]) is type(item[1]) is float:
        return item
    values = tuple(item) if isinstance(item, Iterable) and not isinstance(item, str | Mapping) else ()
    if len(values) == 2 and not any(isinstance(value, str | bytes | bool) for value in values):
        with contextlib.suppress(TypeError, ValueError):
            return float(values[0]), float(values[1])
    msg = f"dividends must be pairs of a time [years] and an amount [$], got {item!r} among them"
    raise SettingsError(msg)


@functools.cache
def _kernels() -> Any:
    with importing:
        from volskew.pricing import discrete_kernels  # noqa: PLC0415
    return discrete_kernels


@functools.cache
def _transform() -> Floats:
    """Chebyshev coefficients from values at the points that `discrete_grid` takes in a panel."""
    with importing:
        from volskew.pricing.american_boundary import chebyshev_transform  # noqa: PLC0415
        from volskew.pricing.lanes import LANES  # noqa: PLC0415
    return chebyshev_transform(LANES)


@functools.cache
def _memory(accuracy: str) -> tuple[tuple[int, ...], Callable[..., Floats]]:
    """Shape of the memory that a kernel works in, and what makes it."""
    with importing:
        from volskew.pricing.lanes import rows_of_lanes  # noqa: PLC0415
    return _kernels().workspace_shape(_SCHEMES[accuracy]), rows_of_lanes


def _known(accuracy: object) -> str:
    if not isinstance(accuracy, str) or accuracy not in _SCHEMES:
        msg = f"accuracy must be one of {', '.join(_SCHEMES)}, got {accuracy!r}"
        raise SettingsError(msg)
    return accuracy


def _scheme(accuracy: object) -> tuple[_Scheme, tuple[_Segment, _Segment], Floats]:
    name = _known(accuracy)
    return _SCHEMES[name], _SEGMENTS[name], _transform()
