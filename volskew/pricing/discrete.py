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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError
from volskew.loading import importing
from volskew.pricing import american, arguments, black
from volskew.pricing.american import Accuracy, Values
from volskew.pricing.black import SIDES, ImpliedVol
from volskew.pricing.panels import GREATEST_VOL, LEAST_VOL
from volskew.pricing.status import Status

__all__ = ["forward", "implied_vol", "price", "values"]

Floats = NDArray[np.float64]
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
_FLOOR_ROUNDING = 8 * 2.0**-52
"""Of spot and strike together: what a price may miss its lowest value by and still be at it."""


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
    options = _Options.of(spot, 1.0, time_to_expiry, rate, dividend_yield, dividends, np.False_)
    return options.shaped(np.where(options.usable, options.forward, np.nan))


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
    options = _Options.of(spot, strike, time_to_expiry, rate, dividend_yield, dividends, is_call, vol=vol)
    sigma = options.extra
    inside = (sigma >= LEAST_VOL) & (sigma <= GREATEST_VOL)
    usable = options.usable & ~options.two_boundaries & inside
    found = np.full((4, options.size), np.nan)
    rows = np.flatnonzero(usable & ~options.has_dividend)
    if rows.size:
        given = american.values(**options.market(rows), vol=sigma[rows], accuracy=accuracy, threads=threads)
        found[:, rows] = [given.price, given.early_exercise_premium, given.delta, given.vega]
    rows = np.flatnonzero(usable & options.has_dividend)
    made = np.full((4, options.size), np.nan)
    options.run("option_values", rows, [sigma], list(made), accuracy, threads)
    k = options.strike[rows]
    price_, premium, slope, by_x = made[:, rows]
    found[:, rows] = [price_ * k, premium * k, by_x * k / options.spot[rows], slope * k]
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
    options = _Options.of(spot, strike, time_to_expiry, rate, dividend_yield, dividends, is_call, price=price)
    vol = np.full(options.size, np.nan)
    status = np.full(options.size, Status.OK, dtype=np.uint8)
    plain = ~(options.has_dividend | options.too_large)
    rows = np.flatnonzero(plain)
    if rows.size:
        solved = american.implied_vol(
            options.extra[rows], **options.market(rows), accuracy=accuracy, threads=threads
        )
        vol[rows], status[rows] = solved.vol, solved.status
    if rows.size < options.size:
        status[~plain] = _screen(options)[~plain]
    rows = np.flatnonzero(~plain & (status == Status.OK))
    if not rows.size:
        return options.solved(vol, status)
    time = options.time[rows]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        start = black.implied_vol(
            options.extra[rows] * np.exp(options.rate[rows] * time),
            forward=options.forward[rows],
            strike=options.strike[rows],
            time_to_expiry=time,
            is_call=options.is_call[rows],
            threads=threads,
        )
    unit, european = np.full(options.size, np.nan), np.full(options.size, np.nan)
    unit[rows], european[rows] = options.extra[rows] / options.strike[rows], start.vol
    codes = np.full(options.size, Status.OK, dtype=np.uint8)
    options.run("option_vols", rows, [unit, european], [vol, codes], accuracy, threads)
    status[rows] = codes[rows]
    return options.solved(vol, status)


class _Options(NamedTuple):
    """Options as arrays of one length, float64 or bool; ``n_dates`` of the schedule concern each."""

    shape: tuple[int, ...]
    spot: Floats
    strike: Floats
    time: Floats
    rate: Floats
    dividend_yield: Floats
    is_call: NDArray[np.bool_]
    extra: Floats
    forward: Floats
    n_dates: NDArray[np.int64]
    schedule: tuple[tuple[float, float], ...]
    finite: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        spot: ArrayLike,
        strike: ArrayLike,
        time_to_expiry: ArrayLike,
        rate: ArrayLike,
        dividend_yield: ArrayLike,
        dividends: Dividends,
        is_call: ArrayLike,
        **extra: ArrayLike,
    ) -> _Options:
        given = {
            "spot": spot,
            "strike": strike,
            "time_to_expiry": time_to_expiry,
            "rate": rate,
            "dividend_yield": dividend_yield,
            **(extra or {"price": 1.0}),
        }
        shape, flat = arguments.broadcast(
            {name: arguments.floats(name, value) for name, value in given.items()}
            | {"is_call": arguments.booleans("is_call", is_call, meaning=SIDES)}
        )
        size = math.prod(shape)
        block = np.empty((6, size))
        for row, item in zip(block, flat[:6], strict=True):
            row[:] = item
        s, k, t, r, b, more = block
        call = np.empty(size, dtype=bool)
        call[:] = flat[6]
        carried, dates = s.copy(), np.zeros(size, dtype=np.int64)
        longest = np.fmax.reduce(t, initial=0.0)
        schedule = tuple(item for item in _schedule(dividends) if item[0] < longest)
        with np.errstate(over="ignore", invalid="ignore"):
            net = r - b
            for when, amount in schedule:
                concerned = when < t
                dates += concerned
                carried -= np.where(concerned, amount * np.exp(-net * when), 0.0)
            ahead = carried * np.exp(net * t)
        return cls(
            shape=shape,
            spot=s,
            strike=k,
            time=t,
            rate=r,
            dividend_yield=b,
            is_call=call,
            extra=more,
            forward=np.where(carried > 0, ahead, np.nan),
            n_dates=dates,
            schedule=schedule,
            finite=np.isfinite(s) & np.isfinite(k) & np.isfinite(t) & np.isfinite(r) & np.isfinite(b),
        )

    @property
    def size(self) -> int:
        return self.spot.size

    @property
    def usable(self) -> NDArray[np.bool_]:
        positive = (self.spot > 0) & (self.strike > 0) & (self.time > 0)
        return np.asarray(self.finite & positive & np.isfinite(self.forward))

    @property
    def has_dividend(self) -> NDArray[np.bool_]:
        return self.n_dates > 0

    @property
    def too_large(self) -> NDArray[np.bool_]:
        return self.finite & (self.spot > 0) & (self.time > 0) & np.isnan(self.forward)

    @property
    def two_boundaries(self) -> NDArray[np.bool_]:
        earned = np.where(self.is_call, self.dividend_yield, self.rate)
        given_up = np.where(self.is_call, self.rate, self.dividend_yield)
        return np.asarray((given_up < earned) & (earned < 0))

    def market(self, rows: Rows) -> dict[str, Any]:
        """The arguments that `volskew.pricing.american` takes."""
        return {
            "spot": self.spot[rows],
            "strike": self.strike[rows],
            "time_to_expiry": self.time[rows],
            "rate": self.rate[rows],
            "dividend_yield": self.dividend_yield[rows],
            "is_call": self.is_call[rows],
        }

    def shaped(self, item: Floats) -> Any:
        return item.reshape(self.shape) if self.shape else float(item[0])

    def solved(self, vol: Floats, status: NDArray[np.uint8]) -> ImpliedVol:
        if not self.shape:
            return ImpliedVol(float(vol[0]), Status(int(status[0])))
        return ImpliedVol(vol.reshape(self.shape), status.reshape(self.shape))

    def dates(self, rows: Rows) -> tuple[Floats, Floats]:
        """Time from each ex-date to expiry, and D_i/S: from the last ex-date back, padded with zeros."""
        count = int(self.n_dates[rows].max(initial=0))
        left, amounts = np.zeros((2, rows.size, count))
        for number, (when, amount) in enumerate(self.schedule[:count]):
            place = self.n_dates[rows] - 1 - number
            here = np.flatnonzero(place >= 0)
            left[here, place[here]] = self.time[rows[here]] - when
            amounts[here, place[here]] = amount / self.spot[rows[here]]
        return left, amounts

    def run(
        self,
        kernel: str,
        rows: Rows,
        inputs: list[Floats],
        outputs: list[NDArray[Any]],
        accuracy: Accuracy,
        threads: int | None,
    ) -> None:
        """Call a kernel on the slices of some rows, from several threads, and fill the outputs there."""
        scheme, segments, transform = _scheme(accuracy)
        count = arguments.thread_count(threads)
        if not rows.size:
            return
        keys = [key[rows] for key in (self.time, self.rate, self.dividend_yield, self.spot, self.is_call)]
        several = [key for key in keys if (key != key[0]).any()]
        # by strike too: neighbours share grids
        sorting = np.lexsort([self.strike[rows], *several])
        order = rows[sorting]
        new = np.zeros(order.size, dtype=bool)
        new[0] = True
        for key in several:
            new[1:] |= np.diff(key[sorting]) != 0
        starts = np.flatnonzero(new)
        first_of = order[starts]
        offsets = np.append(starts, order.size).astype(np.int64)
        market = [
            np.ascontiguousarray(item[first_of]) for item in (self.time, self.rate, self.dividend_yield)
        ]
        signs = np.where(self.is_call[first_of], -1.0, 1.0)
        n_dates, dates = self.n_dates[first_of], self.dates(first_of)
        # ln(S/X), X being the present value of the forward
        drops = np.log(self.spot[first_of] / self.forward[first_of]) + (market[1] - market[2]) * market[0]
        x = np.log(self.spot[order] / self.strike[order])
        staged = [x, *(np.ascontiguousarray(item[order]) for item in inputs)]
        found = [np.empty(order.size, dtype=item.dtype) for item in outputs]
        for item in found:
            item.fill(np.nan if item.dtype.kind == "f" else 0)
        with importing:
            from volskew.pricing import discrete_kernels  # noqa: PLC0415
        call = getattr(discrete_kernels, kernel)

        def piece(number: int) -> None:
            first, last = number * at_once, min((number + 1) * at_once, starts.size)
            call(
                *staged,
                offsets,
                *market,
                signs,
                drops,
                n_dates,
                *dates,
                first,
                last,
                scheme,
                segments,
                transform,
                *found,
            )

        # among threads a slice at a time, for its grids are what takes long
        at_once = starts.size if count == 1 else 1
        pieces = -(-starts.size // at_once)
        arguments.share(lambda: piece, pieces, threads=min(count, pieces))
        for out, item in zip(outputs, found, strict=True):
            out[order] = item


def _schedule(dividends: Dividends) -> tuple[tuple[float, float], ...]:
    """Dividends that are still to come, by time, those of one time put together."""
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
    return tuple(sorted(totals.items()))


def _pair(item: object) -> tuple[float, float]:
    """A time and an amount, as numbers; text and truth values are none."""
    values = tuple(item) if isinstance(item, Iterable) and not isinstance(item, str | Mapping) else ()
    if len(values) == 2 and not any(isinstance(value, str | bytes | bool) for value in values):
        with contextlib.suppress(TypeError, ValueError):
            return float(values[0]), float(values[1])
    msg = f"dividends must be pairs of a time [years] and an amount [$], got {item!r} among them"
    raise SettingsError(msg)


@functools.cache
def _transform() -> Floats:
    """Chebyshev coefficients from values at the points that `discrete_grid` takes in a panel."""
    with importing:
        from volskew.pricing.american_boundary import chebyshev_transform  # noqa: PLC0415
        from volskew.pricing.lanes import LANES  # noqa: PLC0415
    return chebyshev_transform(LANES)


def _known(accuracy: object) -> str:
    if not isinstance(accuracy, str) or accuracy not in _SCHEMES:
        msg = f"accuracy must be one of {', '.join(_SCHEMES)}, got {accuracy!r}"
        raise SettingsError(msg)
    return accuracy


def _scheme(accuracy: object) -> tuple[_Scheme, tuple[_Segment, _Segment], Floats]:
    name = _known(accuracy)
    return _SCHEMES[name], _SEGMENTS[name], _transform()


def _screen(options: _Options) -> NDArray[np.uint8]:
    """Status of every element that cannot have a vol, the first in this order."""
    s, k, t, r, b = options.spot, options.strike, options.time, options.rate, options.dividend_yield
    sign = np.where(options.is_call, -1.0, 1.0)
    with np.errstate(all="ignore"):
        floor = np.fmax(sign * (k - s), sign * np.exp(-r * t) * (k - options.forward))
        before, kept = 0.0, s.copy()
        for when, amount in options.schedule:
            # `kept` is today's value of the spot at the ex-date, before the drop and after
            kept = kept * np.exp(-b * (when - before))
            after = kept - amount * np.exp(-r * when)
            strike = k * np.exp(-r * when)
            gain = np.fmax(sign * (strike - kept), sign * (strike - after))
            floor = np.where(when < t, np.fmax(floor, gain), floor)
            before, kept = when, after
        floor = np.fmax(floor, 0.0)
        rounding = _FLOOR_ROUNDING * (k + s)
        ceiling = np.where(
            options.is_call, s * np.fmax(1.0, np.exp(-b * t)), k * np.fmax(1.0, np.exp(-r * t))
        )
        if (options.usable & ~options.two_boundaries & (options.extra > floor + rounding)).all() and (
            options.extra < ceiling
        ).all():
            return np.zeros(options.size, dtype=np.uint8)
        conditions = [
            (~(options.finite & np.isfinite(options.extra)), Status.NOT_FINITE),
            (t <= 0, Status.NOT_POSITIVE_TIME),
            ((s <= 0) | (k <= 0), Status.NOT_POSITIVE_INPUT),
            (options.too_large, Status.DIVIDENDS_TOO_LARGE),
            (options.extra <= 0, Status.NOT_POSITIVE_PRICE),
            (options.two_boundaries, Status.TWO_BOUNDARIES),
            (options.extra < floor - rounding, Status.BELOW_INTRINSIC),
            ((floor > 0) & (options.extra <= floor + rounding), Status.AT_INTRINSIC),
            (options.extra >= ceiling, Status.ABOVE_MAXIMUM),
        ]
    codes = np.select([c for c, _ in conditions], [np.uint8(code) for _, code in conditions], default=0)
    return codes.astype(np.uint8)
