"""The bands of a percentile, and the doubt of a record, in words."""

from __future__ import annotations

import math
from collections.abc import Callable

from volskew.ranking.standing import Statistics

__all__ = ["describe_bands", "describe_doubt"]

_SURE = 0.95  # probability of a record from which on it is said without one


def describe_bands(statistics: Statistics) -> str:
    """The bands of a percentile in brackets, rounded outwards; empty where there is none.

    Parameters
    ----------
    statistics : Statistics
        Whose bands are told. For sampling the ends are whole numbers, but within 1 of 0 and 100 they have one
        decimal, as those for measurement do.
    """
    texts = []
    if (sampled := statistics.sampling) is not None:
        texts.append(f"sampling band {_end(sampled.low, math.floor)} to {_end(sampled.high, math.ceil)}")
    if (measured := statistics.measurement) is not None:
        low, high = _outwards(measured.low, math.floor, 1), _outwards(measured.high, math.ceil, 1)
        texts.append(f"measurement{'' if texts else ' band'} {low} to {high}")
    return f" (90 % {', '.join(texts)})" if texts else ""


def describe_doubt(statistics: Statistics) -> str:
    """How sure a record is, in brackets; empty where it is, or no error is known.

    Parameters
    ----------
    statistics : Statistics
        Of a window in which today is the record.
    """
    measured = statistics.measurement
    return (
        "" if measured is None or measured.p_record >= _SURE else f" ({100 * measured.p_record:.0f} % sure)"
    )


def _end(value: float, rounded: Callable[[float], int]) -> str:
    return _outwards(value, rounded, 0 if 1 <= value <= 99 else 1)


def _outwards(value: float, rounded: Callable[[float], int], decimals: int) -> str:
    scale = 10**decimals
    return f"{rounded(round(value * scale, 6)) / scale:g}"
