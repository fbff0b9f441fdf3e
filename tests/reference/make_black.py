"""Regenerate ``black_prices.csv``: undiscounted Black prices to 20 digits, in 60-digit arithmetic (mpmath).

Inputs are the doubles nearest to the printed decimals.

Run it by hand: ``python tests/reference/make_black.py > tests/reference/black_prices.csv``.
"""

from __future__ import annotations

import mpmath

CASES = [
    # (strike, vol, time) at forward 100: around the money, both wings, far out, tiny and huge vols
    ("100", "0.2", "0.25"),
    ("110", "0.2", "0.25"),
    ("140", "0.2", "0.25"),
    ("100", "0.01", "0.01"),
    ("50", "0.9", "2"),
    ("200", "0.2", "0.25"),
    ("90", "0.2", "0.25"),
    ("60", "0.25", "0.25"),
    ("100.01", "0.05", "0.003"),
    ("100", "0.0001", "0.0001"),
    ("101", "1.5", "0.0027"),
    ("107.5", "0.21", "0.249315068493151"),
    ("20", "0.6", "1"),
    ("400", "0.45", "3"),
    ("100", "3", "1"),
    ("1000", "1.2", "2"),
]


def main() -> None:
    """Print the table."""
    mpmath.mp.dps = 60
    print("forward,strike,vol,time_to_expiry,call,put")  # noqa: T201
    for strike, vol, time in CASES:
        f, k, v, t = (mpmath.mpf(float(text)) for text in ("100", strike, vol, time))
        s = v * mpmath.sqrt(t)
        d1 = mpmath.log(f / k) / s + s / 2
        call = f * mpmath.ncdf(d1) - k * mpmath.ncdf(d1 - s)
        put = k * mpmath.ncdf(s - d1) - f * mpmath.ncdf(-d1)
        print(f"100,{strike},{vol},{time},{mpmath.nstr(call, 20)},{mpmath.nstr(put, 20)}")  # noqa: T201


if __name__ == "__main__":
    main()
