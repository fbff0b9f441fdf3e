"""Regenerate ``black_prices.csv``: undiscounted Black prices and sensitivities to 25 digits (mpmath).

Inputs are the doubles nearest to the printed decimals.

Run it by hand: ``python tests/reference/make_black.py > tests/reference/black_prices.csv``.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import black_exact as exact  # type: ignore[import-not-found, unused-ignore]
import mpmath  # type: ignore[import-not-found, import-untyped, unused-ignore]

PUBLISHED = [
    # (strike, vol, time) at forward 100: around the money, both wings, far out, tiny and huge vols
    (100, 0.2, 0.25),
    (110, 0.2, 0.25),
    (140, 0.2, 0.25),
    (100, 0.01, 0.01),
    (50, 0.9, 2),
    (200, 0.2, 0.25),
    (90, 0.2, 0.25),
    (60, 0.25, 0.25),
    (100.01, 0.05, 0.003),
    (100, 0.0001, 0.0001),
    (101, 1.5, 0.0027),
    (107.5, 0.21, 0.249315068493151),
    (20, 0.6, 1),
    (400, 0.45, 3),
    (100, 3, 1),
    (1000, 1.2, 2),
]
# standard deviations out and vol sqrt(T): the deepest that a normal double holds; tiny and large s
DEEP = [(h, s) for h in (8, 20, 30, 35, 37, -8, -20, -37) for s in (1e-6, 0.003, 0.1, 1)]
WIDE = [(h, s) for h in (0, 0.01, 1, 3, -1, -3) for s in (1e-12, 1e-4, 2.9, 6, 12, 25)]


def _rows() -> Iterator[tuple[float, float, float, float]]:
    for strike, vol, time in PUBLISHED:
        yield 100.0, float(strike), float(vol), float(time)
    draw = random.Random(11)
    for h, s in DEEP + WIDE:
        forward, time = _rounded(math.exp(draw.uniform(-3, 9))), _rounded(math.exp(draw.uniform(-6, 1)))
        yield forward, _rounded(forward * math.exp(h * s)), _rounded(s / math.sqrt(time)), time
    for s in (0.05, 0.5, 1.5, 2.5):
        # where d1 of the out-of-the-money option is 0.7 and near it
        for d1 in (0.69, 0.6999999, 0.7000001, 0.71):
            yield 100.0, 100 * math.exp(s * max(0.5 * s - d1, 0.0)), s, 1.0
    for scale in (1e-200, 1e-30, 1e30, 1e200):
        for strike in (1.0, 1.5, 0.6):
            yield scale, strike * scale, 0.4, 0.75


def _rounded(x: float) -> float:
    """A short decimal: these are inputs that a file can show."""
    return float(f"{x:.17g}" if abs(x) < 1e-9 else f"{x:.15g}")


def main() -> None:
    """Print the table."""
    names = "forward,strike,vol,time_to_expiry,call,put,call_delta,put_delta,gamma,vega"
    print(names)  # noqa: T201
    for row in _rows():
        forward, strike, vol, time = row
        here = (forward, strike, time, vol)
        values = [
            exact.price(*here, is_call=True),
            exact.price(*here, is_call=False),
            exact.delta(*here, is_call=True),
            exact.delta(*here, is_call=False),
            exact.gamma(*here),
            exact.vega(*here),
        ]
        print(",".join([*map(repr, row), *(mpmath.nstr(value, 25) for value in values)]))  # noqa: T201


if __name__ == "__main__":
    mpmath.mp.dps = exact.DIGITS
    main()
