"""Constant maturity: total variance at constant delta, linear in calendar time between two expiries.

    w(T) = (1 - q) s1^2 T1 + q s2^2 T2,   q = (T - T1)/(T2 - T1),   vol = sqrt(w/T)

with ``s1`` and ``s2`` the vols of each expiry at the same delta. Nothing is extrapolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from volskew.ledger import Code
from volskew.quotes.lines import BoolArray, FloatArray
from volskew.settings import Bracket

__all__ = ["WIDE_BRACKET", "TenorReading", "interpolate"]

WIDE_BRACKET = "WIDE_BRACKET"
"""Flag of a reading whose two expiries lie outside the preferred bracket."""

_EXACT = 2.0 / 24 / 365
"""[years] An expiry this near the tenor is the tenor: clock changes and settlement times differ by hours."""


@dataclass(frozen=True, slots=True)
class TenorReading:
    """A vol at a tenor, or the reason why there is none.

    Attributes
    ----------
    vol : float
        NaN where `code` says why.
    before, after : int or None
        Positions of the expiries used; equal where one expiry is the tenor.
    weight : float
        Share of `after` in total variance.
    is_wide : bool
        The bracket is outside the preferred one.
    bracket_error : float
        Difference between this reading and one that is linear in vol: what the choice of rule is worth.
    code : Code or None
    """

    vol: float
    before: int | None
    after: int | None
    weight: float = 0.0
    is_wide: bool = False
    bracket_error: float = 0.0
    code: Code | None = None


def interpolate(
    years: FloatArray, vols: FloatArray, passes: BoolArray, *, tenor: float, bracket: Bracket
) -> TenorReading:
    """Read a vol at a tenor from the nearest expiries that pass on each side.

    Parameters
    ----------
    years, vols : ndarray of float
        Time to expiry [years] and vol of each slice, in any order.
    passes : ndarray of bool
        Slices that passed their gates; others are looked over.
    tenor : float
        [years]
    bracket : Bracket
        What is flagged as wide.

    Returns
    -------
    TenorReading
        Code NO_EXPIRY_BEFORE or NO_EXPIRY_AFTER without an expiry on that side; CAL_ARB where total variance
        does not increase between the two.

    Examples
    --------
    >>> read = interpolate(np.array([77, 105]) / 365, np.array([0.20, 0.21]), np.array([True, True]),
    ...                    tenor=91 / 365, bracket=Bracket())
    >>> round(read.vol, 5), round(read.weight, 12)
    (0.20583, 0.5)
    """
    usable = passes & np.isfinite(vols) & (years > 0)
    distance = np.where(usable, np.abs(years - tenor), np.inf)
    if len(years) and distance.min() <= _EXACT:
        exact = int(distance.argmin())
        return TenorReading(vol=float(vols[exact]), before=exact, after=exact)
    early = np.where(usable & (years < tenor), years, -np.inf)
    late = np.where(usable & (years > tenor), years, np.inf)
    before = int(early.argmax()) if len(years) and np.isfinite(early.max()) else None
    after = int(late.argmin()) if len(years) and np.isfinite(late.min()) else None
    if before is None or after is None:
        missing = Code.NO_EXPIRY_BEFORE if before is None else Code.NO_EXPIRY_AFTER
        return TenorReading(vol=math.nan, before=before, after=after, code=missing)
    first, last = float(years[before]), float(years[after])
    weight = (tenor - first) / (last - first)
    w1, w2 = float(vols[before]) ** 2 * first, float(vols[after]) ** 2 * last
    is_wide = (
        first < bracket.lowest * tenor - _EXACT
        or last > bracket.highest * tenor + _EXACT
        or last - first > bracket.widest * tenor + _EXACT
    )
    if w2 <= w1:
        return TenorReading(
            vol=math.nan, before=before, after=after, weight=weight, is_wide=is_wide, code=Code.CAL_ARB
        )
    vol = math.sqrt(((1 - weight) * w1 + weight * w2) / tenor)
    linear = (1 - weight) * float(vols[before]) + weight * float(vols[after])
    return TenorReading(
        vol=vol,
        before=before,
        after=after,
        weight=weight,
        is_wide=is_wide,
        bracket_error=abs(vol - linear),
    )
