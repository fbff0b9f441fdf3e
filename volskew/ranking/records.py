"""Records of a sample, when they were set, and how long ago today's value was last reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Records", "find_records"]


@dataclass(frozen=True, slots=True)
class Records:
    """Extremes of a sample whose last element is today.

    Positions count from the oldest element. A record belongs to the first day that reached it: a later day
    with the same value ties it and sets none.

    Attributes
    ----------
    low, high : float
        Lowest and highest value, today included.
    low_at, high_at : int
        The first position that holds it.
    previous_low, previous_high : float or None
        The same before today; None for a sample of one.
    previous_low_at, previous_high_at : int or None
        The first position that holds it.
    since_as_low, since_as_high : int or None
        Observations (sessions with both legs) from the latest earlier one at or below, at or above, today's
        value up to today: 1 where it is the one before. None where the sample holds none.
    """

    low: float
    low_at: int
    high: float
    high_at: int
    previous_low: float | None
    previous_low_at: int | None
    previous_high: float | None
    previous_high_at: int | None
    since_as_low: int | None
    since_as_high: int | None

    @property
    def is_record_low(self) -> bool:
        """Whether today is below every earlier value."""
        return self.previous_low is not None and self.low < self.previous_low

    @property
    def is_record_high(self) -> bool:
        """Whether today is above every earlier value."""
        return self.previous_high is not None and self.high > self.previous_high


def find_records(values: NDArray[np.float64]) -> Records:
    """Records of a sample, oldest element first, today last.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite values, n >= 1, compared exactly.

    Returns
    -------
    Records

    Examples
    --------
    >>> records = find_records(np.array([3.0, 1.0, 2.0, 1.0, 2.0]))
    >>> records.low_at, records.is_record_low, records.since_as_low, records.since_as_high
    (1, False, 1, 2)
    """
    today, earlier = values[-1], values[:-1]
    low_at, high_at = int(values.argmin()), int(values.argmax())
    previous_low_at = int(earlier.argmin()) if len(earlier) else None
    previous_high_at = int(earlier.argmax()) if len(earlier) else None
    return Records(
        low=float(values[low_at]),
        low_at=low_at,
        high=float(values[high_at]),
        high_at=high_at,
        previous_low=None if previous_low_at is None else float(earlier[previous_low_at]),
        previous_low_at=previous_low_at,
        previous_high=None if previous_high_at is None else float(earlier[previous_high_at]),
        previous_high_at=previous_high_at,
        since_as_low=_since(earlier <= today),
        since_as_high=_since(earlier >= today),
    )


def _since(reached: NDArray[np.bool_]) -> int | None:
    hits = np.flatnonzero(reached)
    return len(reached) - int(hits[-1]) if len(hits) else None
