"""The bands of a percentile, and the doubt of a record, in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from volskew.ranking.standing import Statistics

__all__ = ["band_text", "describe_bands", "describe_doubt"]

_SURE = 0.95  # probability of a record from which on it is said without one


def describe_bands(statistics: Statistics) -> str:
    """The bands of a percentile in brackets, rounded outwards; empty where there is none.

    Parameters
    ----------
    statistics : Statistics
        Whose bands are told, as by `band_text`.
    """
    texts = []
    if (sampled := statistics.sampling) is not None:
        texts.append(f"sampling band {band_text(sampled.low, sampled.high, kind='sampling')}")
    if (measured := statistics.measurement) is not None:
        name = "measurement" if texts else "measurement band"
        texts.append(f"{name} {band_text(measured.low, measured.high, kind='measurement')}")
    return f" (90 % {', '.join(texts)})" if texts else ""


def band_text(low: float, high: float, *, kind: Literal["sampling", "measurement"]) -> str:
    """One band, its ends rounded outwards, for a sentence or the cell of a table.

    Parameters
    ----------
    low, high : float
        Ends of the band of a percentile, 0 to 100, finite.
    kind : {"sampling", "measurement"}
        Of a sampling band the ends are whole numbers, as no more of them holds from one day to the next, but
        within 1 of 0 and 100 they have one decimal. Those of a measurement band always have one.

    Examples
    --------
    >>> band_text(1.4, 7.2, kind="sampling"), band_text(0.03, 0.72, kind="sampling")
    ('1 to 8', '0 to 0.8')
    >>> band_text(2.84, 3.31, kind="measurement")
    '2.8 to 3.4'
    """
    ends = ((low, math.floor), (high, math.ceil))
    if kind == "sampling":
        return " to ".join(_end(value, rounded) for value, rounded in ends)
    return " to ".join(_outwards(value, rounded, 1) for value, rounded in ends)


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
