"""Regenerate ``black_vols.csv``: vols to 25 digits of exactly given prices over the whole domain (mpmath).

Every input is a double, printed so that it reads back as itself; the vol is that of these very doubles, by
a bracketed solve (`black_exact.implied_vol`) that knows nothing of the vol that the price came from.

Run it by hand: ``python tests/reference/make_black_vols.py > tests/reference/black_vols.csv``.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator

import black_exact as exact  # type: ignore[import-not-found, unused-ignore]
import mpmath  # type: ignore[import-not-found, import-untyped, unused-ignore]

COUNT = 40
"""Rows a region where they are drawn."""

Row = tuple[str, float, float, float, float, bool]


class Draw:
    """Random doubles: Python's generator gives the same ones everywhere."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> float:
        """Between two numbers."""
        return self._random.uniform(low, high)

    def scale(self, low: float, high: float) -> float:
        """Between two positive numbers, evenly in the logarithm."""
        return math.exp(self._random.uniform(math.log(low), math.log(high)))

    def side(self) -> bool:
        """True or False."""
        return self._random.random() < 0.5


def _quote(region: str, draw: Draw, h: float, s: float, *, inside: bool = False) -> Row | None:
    """An option with |ln F/K| = h s, at the double nearest to its price; None where that has no vol."""
    forward, time = draw.scale(0.05, 9000), draw.scale(0.002, 3)
    up = draw.side()
    strike = forward * math.exp(h * s if up else -h * s)
    is_call = up != inside
    price = float(exact.price(forward, strike, time, s / math.sqrt(time), is_call=is_call))
    limit, other = (forward, strike) if is_call else (strike, forward)
    intrinsic = exact.mp.mpf(limit) - exact.mp.mpf(other)
    usable = price < limit and price - intrinsic > max(intrinsic, 0) * 1e-15 and price > 0
    return (region, price, forward, strike, time, is_call) if usable else None


def _drawn() -> Iterator[Row | None]:
    draw = Draw(7)
    for _ in range(2 * COUNT):
        yield _quote("fast", draw, draw.uniform(0, 37), draw.scale(1e-4, 2.9))
    for _ in range(COUNT):
        yield _quote("fast", draw, draw.scale(1e-6, 3), draw.uniform(0.5, 2.9))
    for _ in range(COUNT):
        yield _quote("small s", draw, draw.uniform(0, 37), draw.scale(1e-12, 1e-4))
    for _ in range(COUNT):
        yield _quote("large s", draw, draw.uniform(0, 6), draw.uniform(2.95, 16))
    for _ in range(COUNT):
        yield _quote("in the money", draw, draw.uniform(0, 3), draw.scale(0.01, 2.9), inside=True)
    for _ in range(COUNT):
        yield _quote("little time value", draw, draw.uniform(3, 7), draw.scale(0.01, 0.8), inside=True)
    for s in [1e-15, 1e-12, 1e-9, 1e-6, 1e-4] + [0.3 * n for n in range(1, 50)]:
        yield _quote("at the money", draw, 0.0, s)
    for _ in range(COUNT):
        # prices of no vol in particular, from half of the maximum to its last double
        forward, strike, is_call = draw.scale(0.05, 9000), draw.scale(0.05, 9000), draw.side()
        limit = forward if is_call else strike
        price = min(limit - min(forward, strike) * draw.scale(1e-16, 0.5), math.nextafter(limit, 0))
        yield "near the maximum", price, forward, strike, draw.scale(0.002, 3), is_call


def _extreme() -> Iterator[Row]:
    draw = Draw(8)
    for _ in range(2 * COUNT):
        forward, strike, is_call = draw.scale(1e-200, 1e200), draw.scale(1e-200, 1e200), draw.side()
        limit = forward if is_call else strike
        intrinsic = max(forward - strike if is_call else strike - forward, 0.0)
        low = max(intrinsic * (1 + 1e-13), 1e-322)
        if low < limit * (1 - 1e-12):
            yield "extreme", draw.scale(low, limit), forward, strike, draw.scale(1e-8, 1e8), is_call
    for price in (5e-324, 1e-322, 1e-315, sys.float_info.min, 1e-300):
        for strike in (1.0000001, 1.1, 30.0, 1e10):
            yield "subnormal", price, 1.0, strike, 0.25, True
            yield "subnormal", price, strike, 1.0, 2.0, False
    for forward in (sys.float_info.max, sys.float_info.min, 5e-324 * 2**40):
        for ratio in (0.5, 0.98, 0.9999999):
            yield "extreme", forward * ratio * 0.3, forward, forward * ratio, 1.0, False
            yield "extreme", forward * (1 - 0.4 * ratio), forward, forward * ratio, 1.0, True


def _edges() -> Iterator[Row | None]:
    """Where the code changes its way: s = 2.9, d1 = 0.68 and 0.7, half of the maximum, k/s = 38."""
    draw = Draw(9)
    for h in (0.0, 0.2, 1.5, 5.0, 12.0):
        for s in (2.89, 2.8999999, 2.9, 2.9000001, 2.91):
            yield _quote("edge", draw, h, s)
    for s in (0.2, 1.0, 1.5, 2.5):
        for d1 in (0.679, 0.68, 0.681, 0.6999, 0.7, 0.7001):
            if 0.5 * s >= d1:
                yield _quote("edge", draw, 0.5 * s - d1, s)
    for s in (1e-9, 1e-3, 0.03, 0.3, 1.5):
        for h in (36.9, 37.4, 37.9, 38.0, 38.1):
            yield _quote("edge", draw, h, s)
    for strike in (100.0, 100.5, 130.0, 250.0, 1e4, 1e9):
        for share in (0.5 - 1e-12, 0.5, 0.5 + 1e-12):
            yield "edge", 100.0 * share, 100.0, strike, 0.5, True


def main() -> None:
    """Print the table."""
    print("region,price,forward,strike,time_to_expiry,is_call,vol,uncertainty")  # noqa: T201
    for row in [*_drawn(), *_extreme(), *_edges()]:
        if row is not None:
            region, price, forward, strike, time, is_call = row
            vol = exact.implied_vol(price, forward, strike, time, is_call=is_call)
            doubt = mpmath.mpf(math.ulp(price)) / 2 / exact.vega(forward, strike, time, vol)
            texts = [region, *map(repr, (price, forward, strike, time)), str(int(is_call))]
            print(",".join([*texts, mpmath.nstr(vol, 25), mpmath.nstr(doubt, 20)]))  # noqa: T201


if __name__ == "__main__":
    mpmath.mp.dps = exact.DIGITS
    main()
