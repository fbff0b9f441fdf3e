"""Which expiries and strikes are listed, and which of them the sample keeps.

Every monthly (third Friday, or the session before a holiday) and every quarter-end expiry is listed;
weeklies reach out six weeks only, so none of them comes near three months. The sample keeps two expiries on
each side of 91 days and the strikes between 2 and 98 delta.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.market.clock import session_on_or_before
from volskew.simulate.funds import Fund

__all__ = ["TARGET_DAYS", "kept_expiries", "listed_strikes"]

TARGET_DAYS: Final = 91
"""Three months in calendar days."""

DENSE_STEP: Final = 1.0
"""Distance of strikes [$] in the dense zone of quarter-end expiries."""


@lru_cache(maxsize=512)
def kept_expiries(day: dt.date, *, each_side: int = 2) -> tuple[tuple[dt.date, bool], ...]:
    """The expiries next to 91 days ahead, each with whether it is a quarter end.

    Parameters
    ----------
    day : datetime.date
        The session.
    each_side : int
        How many at or before 91 days, and how many after.

    Examples
    --------
    >>> [(date.isoformat(), end) for date, end in kept_expiries(dt.date(2026, 7, 10))]
    [('2026-09-18', False), ('2026-09-30', True), ('2026-10-16', False), ('2026-11-20', False)]
    """
    listed: dict[dt.date, bool] = {}
    for months in range(9):
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        first = dt.date(year, month + 1, 1)
        third_friday = first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)
        listed[session_on_or_before(third_friday)] = False
        if first.month % 3 == 0:
            listed[session_on_or_before(_last_day(first))] = True
    dates = sorted(listed)
    target = day + dt.timedelta(days=TARGET_DAYS)
    before = [date for date in dates if day < date <= target][-each_side:]
    after = [date for date in dates if date > target][:each_side]
    return tuple((date, listed[date]) for date in (*before, *after))


def _last_day(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def listed_strikes(
    fund: Fund, *, lowest: float, highest: float, is_quarterly: bool, reference: float
) -> NDArray[np.float64]:
    """Listed strikes [$] from `lowest` to `highest`, increasing.

    Parameters
    ----------
    fund : Fund
        Its step and dense zone.
    lowest, highest : float
        Bounds [$].
    is_quarterly : bool
        Quarter-end expiries have strikes 1 $ apart in the zone that was near the money when they were listed.
    reference : float
        Price [$] that the dense zone is measured from.
    """
    step = fund.strike_step
    strikes = step * np.arange(np.ceil(lowest / step), np.floor(highest / step) + 1.0)
    if is_quarterly:
        low, high = max(lowest, fund.dense_low * reference), min(highest, fund.dense_high * reference)
        strikes = np.union1d(strikes, DENSE_STEP * np.arange(np.ceil(low), np.floor(high) + 1.0))
    return np.asarray(strikes, dtype=np.float64)
