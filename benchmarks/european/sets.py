"""The option sets, from stated seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from european.truth import Options, Truth
from numpy.typing import NDArray

SEED = 20240607

_DAYS = 365.0


@dataclass(frozen=True)
class OptionSet:
    """Options, what they are in a sentence, and the vols that made the prices (where a vol did)."""

    name: str
    sentence: str
    options: Options
    vol: NDArray[np.float64] | None = None
    kinds: dict[str, slice] = field(default_factory=dict)


def random(truth: Truth, size: int) -> OptionSet:
    """Both sides of the money to 8 standard deviations."""
    rng = np.random.default_rng([SEED, 1])
    forward, time, vol = _market(rng, size, most=1.0)
    deviations = rng.uniform(-8, 8, size)
    strike = forward * np.exp(-deviations * vol * np.sqrt(time))
    is_call = rng.random(size) < 0.5
    return _priced(
        truth,
        "random",
        "calls and puts on both sides of the money, |ln F/K| <= 8 vol sqrt(T), forward 20 to 600, "
        "1 day to 2 years, vol 5 % to 100 %; prices correctly rounded",
        forward=forward,
        strike=strike,
        time=time,
        vol=vol,
        is_call=is_call,
    )


def deep(truth: Truth, size: int) -> OptionSet:
    """Out of the money to 37 standard deviations, where a double's range ends."""
    rng = np.random.default_rng([SEED, 2])
    farthest = math.log(1000)
    forward, time, vol = _market(rng, size, most=1.0)
    # strikes between F/1000 and 1000 F: at least 8 deviations of a total vol have to fit in
    forward = forward * 10 ** rng.uniform(0, 3, size)
    total = np.minimum(vol * np.sqrt(time), farthest / 8)
    vol = total / np.sqrt(time)
    deviations = rng.uniform(8, np.minimum(37, farthest / total))
    is_call = rng.random(size) < 0.5
    strike = forward * np.exp(np.where(is_call, deviations, -deviations) * total)
    return _priced(
        truth,
        "deep",
        "out of the money by 8 to 37 standard deviations, forwards 20 to 600,000, strikes from F/1000 to "
        "1000 F, otherwise as `random`",
        forward=forward,
        strike=strike,
        time=time,
        vol=vol,
        is_call=is_call,
    )


def high(truth: Truth, size: int) -> OptionSet:
    """Total vols that no listed option has, where a fitted kernel has to fall back."""
    rng = np.random.default_rng([SEED, 3])
    forward, time, _ = _market(rng, size, most=1.0)
    total = np.exp(rng.uniform(math.log(1.0), math.log(8.0), size))
    farthest = math.log(1000)
    strike = forward * np.exp(rng.uniform(-farthest, farthest, size))
    return _priced(
        truth,
        "high",
        "total vol (vol sqrt(T)) 1 to 8, strikes from F/1000 to 1000 F on both sides of the money; "
        "prices correctly rounded",
        forward=forward,
        strike=strike,
        time=time,
        vol=total / np.sqrt(time),
        is_call=rng.random(size) < 0.5,
    )


def tick(truth: Truth, size: int) -> OptionSet:
    """A listed-like chain: strikes on a grid, a skewed smile, prices to the cent."""
    rng = np.random.default_rng([SEED, 4])
    per_chain = 200
    chains = math.ceil(size / per_chain)
    chain = np.repeat(np.arange(chains), per_chain)[:size]
    expiries = np.array([1, 2, 7, 14, 30, 45, 60, 91, 182, 273, 365, 547, 730]) / _DAYS
    forward = np.exp(rng.uniform(math.log(20), math.log(600), chains))
    time = rng.choice(expiries, chains)
    level = np.exp(rng.uniform(math.log(0.08), math.log(0.6), chains))
    deviation = level * np.sqrt(time)
    steps = np.array([0.5, 1.0, 2.5, 5.0, 10.0, 25.0])
    step = steps[np.minimum(np.searchsorted(steps, forward * deviation / 10), steps.size - 1)]

    f, t, d, grid = forward[chain], time[chain], deviation[chain], step[chain]
    aimed = f * np.exp(np.clip(rng.normal(0, 1.8, size), -8, 8) * d)
    strike = np.maximum(np.rint(aimed / grid), 1.0) * grid
    z = np.clip(np.log(strike / f) / d, -6, 6)
    vol = np.clip(level[chain] * (1 - 0.08 * z + 0.01 * z * z), 0.05, 1.0)
    # at random: engines that get every tenth row must see both
    is_call = rng.random(size) < 0.5
    exact = truth.prices(vol=vol, forward=f, strike=strike, time=t, is_call=is_call)
    return OptionSet(
        "tick",
        "a listed-like chain: strikes on a grid, a skewed smile, calls and puts, 1 day to 2 years, prices "
        "rounded to 0.01; the rounding puts some at 0 or at most at their intrinsic value: the invalid rows",
        Options(np.rint(exact * 100) / 100, f, strike, t, is_call),
    )


def invalid(truth: Truth, each: int = 250) -> OptionSet:
    """Rows without a vol, every kind on as many otherwise good options."""
    rng = np.random.default_rng([SEED, 5])
    total = each * len(_KINDS)
    forward, time, vol = _market(rng, total, most=1.0)
    is_call = rng.random(total) < 0.5
    # in the money by 0.3 to 2 deviations and at most by a factor of 2: F - K is then exact in doubles
    depth = np.minimum(rng.uniform(0.3, 2, total) * vol * np.sqrt(time), 0.6)
    strike = forward * np.exp(np.where(is_call, -depth, depth))
    price = truth.prices(vol=vol, forward=forward, strike=strike, time=time, is_call=is_call)
    made: dict[str, slice] = {}
    for number, (kind, spoil) in enumerate(_KINDS.items()):
        rows = slice(number * each, (number + 1) * each)
        made[kind] = rows
        spoil(price[rows], forward[rows], strike[rows], time[rows], is_call[rows])
    return OptionSet(
        "invalid",
        f"{each} rows each of {len(_KINDS)} kinds that have no vol",
        Options(price, forward, strike, time, is_call),
        kinds=made,
    )


def good_neighbours(truth: Truth, size: int = 1000) -> Options:
    """Plain options, to see what one bad row among them does."""
    rng = np.random.default_rng([SEED, 6])
    forward, time, vol = _market(rng, size, most=0.6)
    strike = forward * np.exp(rng.uniform(-2, 2, size) * vol * np.sqrt(time))
    is_call = strike > forward
    price = truth.prices(vol=vol, forward=forward, strike=strike, time=time, is_call=is_call)
    return Options(price, forward, strike, time, is_call)


Spoil = Callable[
    [
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.bool_],
    ],
    None,
]


def _put(position: int, value: float) -> Spoil:
    def spoil(*columns: NDArray[np.float64]) -> None:
        columns[position][:] = value

    return spoil


def _reprice(rule: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]) -> Spoil:
    """Price from intrinsic value and maximum."""

    def spoil(
        price: NDArray[np.float64],
        forward: NDArray[np.float64],
        strike: NDArray[np.float64],
        _time: NDArray[np.float64],
        is_call: NDArray[np.bool_],
    ) -> None:
        price[:] = rule(np.abs(forward - strike), np.where(is_call, forward, strike))

    return spoil


_COLUMNS = ("price", "forward", "strike", "time")
_KINDS: dict[str, Spoil] = {
    **{f"{column} {value}": _put(place, value) for place, column in enumerate(_COLUMNS)
       for value in (math.nan, math.inf, -math.inf)},
    **{f"{column} {value:g}": _put(place, value) for place, column in enumerate(_COLUMNS)
       for value in (0.0, -0.5)},
    "a cent below intrinsic": _reprice(lambda intrinsic, _most: intrinsic - 0.01),
    "a last digit below intrinsic": _reprice(lambda intrinsic, _most: np.nextafter(intrinsic, 0)),
    "at intrinsic": _reprice(lambda intrinsic, _most: intrinsic),
    "at the maximum": _reprice(lambda _intrinsic, most: most),
    "half above the maximum": _reprice(lambda _intrinsic, most: 1.5 * most),
}  # fmt: skip


def _market(
    rng: np.random.Generator, size: int, *, most: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    forward = np.exp(rng.uniform(math.log(20), math.log(600), size))
    time = np.exp(rng.uniform(math.log(1 / _DAYS), math.log(2), size))
    vol = np.exp(rng.uniform(math.log(0.05), math.log(most), size))
    return forward, time, vol


def _priced(
    truth: Truth,
    name: str,
    sentence: str,
    *,
    forward: NDArray[np.float64],
    strike: NDArray[np.float64],
    time: NDArray[np.float64],
    vol: NDArray[np.float64],
    is_call: NDArray[np.bool_],
) -> OptionSet:
    price = truth.prices(vol=vol, forward=forward, strike=strike, time=time, is_call=is_call)
    return OptionSet(name, sentence, Options(price, forward, strike, time, is_call), vol)
