"""The numbers by which kernels and tables name what a fitted smile is made of; numba is not imported here."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALLOWED",
    "BECAME",
    "BUMPS",
    "CURVATURE",
    "DROPPED",
    "ESSVI",
    "EXPIRIES",
    "FACTS",
    "FALLS",
    "FIRST_BUMP",
    "HIGHEST",
    "LEAST",
    "LEAST_AT",
    "LEFT",
    "LEVEL",
    "LOWEST",
    "MAD_TO_SIGMA",
    "MIDDLE",
    "NOISE",
    "NOT_FITTED",
    "PARAMETERS",
    "RATIO",
    "REDUCED",
    "REPAIRED",
    "RIGHT",
    "SCALE",
    "SHIFT",
    "SIDE",
    "SIZES",
    "SPREAD",
    "SVI",
    "WIDTH",
    "YEARS",
]

SCALE, LEVEL, YEARS, LOWEST, HIGHEST = 0, 1, 2, 3, 4
"""Of a row: h, level and T; the x of its first and last quote."""
MIDDLE, RIGHT, LEFT, SHIFT, CURVATURE = 5, 6, 7, 8, 9
"""a, p, q, m and s."""
FIRST_BUMP: Final = 10
BUMPS: Final = 15
WIDTH: Final = FIRST_BUMP + BUMPS
PARAMETERS: Final = 5 + BUMPS
"""Of a gradient: a, p, q, m, ln s, and the bumps' heights."""

NOT_FITTED, SVI, ESSVI = 0, 1, 2
"""Kind of a fitted slice."""
NOISE, SPREAD, RATIO, BECAME, REPAIRED, LEAST, LEAST_AT, FALLS = range(8)
"""Facts of a fit: the noise of the mids and the robust scale of the residuals [half-spreads]; the ratio of
prior to noise variance; what became of the discrepancy; whether a butterfly was repaired; the least g within
the quotes and its x; whether d1 falls throughout."""
FACTS: Final = 8
ALLOWED, REDUCED, DROPPED = 0, 1, 2
"""What became of the discrepancy."""

SIDE: Final = 4
EXPIRIES: Final = 2 * SIDE
"""Expiries of a window of the term structure: so many on either side of the tenor."""
SIZES: Final = 48
"""Pairs of sizes of its two parts that are weighed."""

MAD_TO_SIGMA: Final = 1.4826022185056018
"""1 / N^-1(3/4): median absolute deviation to standard deviation, for normal errors."""
