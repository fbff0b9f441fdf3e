"""The 128-bit truth against mpmath at 60 digits; run in an environment that has mpmath.

Reads rows of hexadecimal floats from standard input (price, forward, strike, time, is_call, vol's two parts,
the vol that made the price or nan) and prints the largest relative difference of the vols and how many prices
are not the correctly rounded ones. The formula is the textbook's, F N(d1) - K N(d2) out of the money, and the
root is bracketed from far outside, so nothing of truth.c is used.
"""

from __future__ import annotations

import json
import math
import sys

import mpmath
from mpmath import mp, mpf

mp.dps = 60


def _normal(z: mpf) -> mpf:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def _time_value(forward: mpf, strike: mpf, s: mpf) -> mpf:
    low, high = min(forward, strike), max(forward, strike)
    d1 = mp.log(low / high) / s + s / 2
    return low * _normal(d1) - high * _normal(d1 - s)


def _vol(price: float, forward: mpf, strike: mpf, time: mpf, *, is_call: bool) -> mpf:
    intrinsic = max(forward - strike if is_call else strike - forward, mpf(0))
    goal = mpf(price) - intrinsic
    low, high = mpf("1e-9"), mpf(60)
    while high - low > mpf("0.01") * low:
        middle = mp.sqrt(low * high)
        if _time_value(forward, strike, middle) < goal:
            low = middle
        else:
            high = middle
    s = low
    for _ in range(60):
        value = _time_value(forward, strike, s)
        d1 = mp.log(forward / strike) / s + s / 2
        # Newton on the logarithm, which is concave in s: from the left it never overshoots
        step = mp.log(goal / value) * value / (forward * mp.npdf(d1))
        s += step
        if abs(step) < mpf("1e-45") * s:
            return s / mp.sqrt(time)
    msg = f"mpmath found no root for price {price!r}"
    raise ArithmeticError(msg)


def main() -> None:
    largest, misrounded, rows = mpf(0), 0, 0
    for line in sys.stdin:
        price, forward, strike, time, is_call, high, low, made_by = map(float.fromhex, line.split())
        f, k, t = mpf(forward), mpf(strike), mpf(time)
        exact = _vol(price, f, k, t, is_call=bool(is_call))
        largest = max(largest, abs((mpf(high) + mpf(low)) / exact - 1))
        if not math.isnan(made_by):
            intrinsic = max(f - k if is_call else k - f, mpf(0))
            misrounded += float(_time_value(f, k, mpf(made_by) * mp.sqrt(t)) + intrinsic) != price
        rows += 1
    result = {
        "rows": rows,
        "largest": float(largest),
        "misrounded": misrounded,
        "mpmath": mpmath.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
