"""The words that a standing has earned by its percentile and by the length of its sample.

By sessions n with both legs and percentile p (mid-rank):

=============  =====================================================================================
n < 252        no percentile
252 to 503     "low in N sessions" (p <= 10), "high in N sessions" (p >= 90), or the middle of its range
504 to 1,259   "low in N.N years of data"; "record low" below every earlier value of the sample
1,260 or more  "low"; "near historical lows" (p <= 5 in the full and in the 5-year window); "all-time"
=============  =====================================================================================

Highs mirror lows. A value that equals the earlier record, or is nearer to it than one standard error of the
difference where errors are known, is tied with it and sets none.
"""

from __future__ import annotations

import math
from enum import StrEnum

from volskew.ranking.standing import Limits, Standing

__all__ = ["LIMITS_OF_WORDS", "LONG_HISTORY", "Place", "find_place", "percentile_text", "side_of"]

LOW, NEAR_LOW, NEAR_HIGH, HIGH = 10.0, 5.0, 95.0, 90.0
LIMITS_OF_WORDS = (LOW, NEAR_LOW, NEAR_HIGH, HIGH)
"""Percentiles at which the words change."""

LONG_HISTORY = 1260
"""Sessions (five years) from which "historical" and "all-time" may be said."""


class Place(StrEnum):
    """What may be said of today's value; low places end in "low", high places in "high"."""

    RECORD_LOW = "record low"
    TIED_LOW = "tied low"
    NEAR_LOW = "near low"
    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"
    NEAR_HIGH = "near high"
    TIED_HIGH = "tied high"
    RECORD_HIGH = "record high"

    @property
    def side(self) -> str:
        """Low, middle or high."""
        return self.value.rpartition(" ")[2]


def find_place(standing: Standing, *, five_years: Standing | None, limits: Limits) -> Place | None:
    """The strongest word that a standing has earned.

    Parameters
    ----------
    standing : Standing
        Today in one window.
    five_years : Standing or None
        The same form in the 5-year window, which "near historical lows" asks for.
    limits : Limits
        How many sessions a record asks for.

    Returns
    -------
    Place or None
        None where the standing has no percentile.
    """
    if standing.statistics is None:
        return None
    percentile, records = standing.statistics.percentile.mid, standing.statistics.records
    side = side_of(percentile)
    if side is Place.MIDDLE:
        return side
    if standing.window.n_obs >= limits.record_observations:
        is_low = side is Place.LOW
        previous, error = (
            (records.previous_low, standing.statistics.previous_low_error)
            if is_low
            else (records.previous_high, standing.statistics.previous_high_error)
        )
        if previous is not None and _is_tied(standing, previous, error):
            return Place.TIED_LOW if is_low else Place.TIED_HIGH
        if records.is_record_low or records.is_record_high:
            return Place.RECORD_LOW if is_low else Place.RECORD_HIGH
    if standing.window.wanted is None and standing.window.n_obs >= LONG_HISTORY and five_years is not None:
        recent = math.nan if five_years.statistics is None else five_years.statistics.percentile.mid
        if percentile <= NEAR_LOW and recent <= NEAR_LOW:  # False where the 5-year window has no percentile
            return Place.NEAR_LOW
        if percentile >= NEAR_HIGH and recent >= NEAR_HIGH:
            return Place.NEAR_HIGH
    return side


def side_of(percentile: float) -> Place:
    """Low, middle or high by the percentile alone."""
    if percentile <= LOW:
        return Place.LOW
    return Place.HIGH if percentile >= HIGH else Place.MIDDLE


def percentile_text(percentile: float) -> str:
    """One decimal, or as many more as keep the number on its side of the words' limits, 0 and 100.

    Examples
    --------
    >>> [percentile_text(percentile) for percentile in (3.14159, 5.04, 0.02, 100.0)]
    ['3.1', '5.04', '0.02', '100.0']
    """
    for decimals in (1, 2, 3):
        text = f"{percentile:.{decimals}f}"
        shown = float(text)
        if (shown in {0.0, 100.0}) == (percentile in {0.0, 100.0}) and all(
            (shown <= limit, shown >= limit) == (percentile <= limit, percentile >= limit)
            for limit in LIMITS_OF_WORDS
        ):
            return text
    return f"{percentile:.4f}"


def _is_tied(standing: Standing, previous: float, error: float) -> bool:
    """Equal, or nearer than one standard error of the difference (or today's, where it alone is known)."""
    whole = standing.error if math.isnan(error) else math.hypot(standing.error, error)
    return standing.value == previous or abs(standing.value - previous) < whole
