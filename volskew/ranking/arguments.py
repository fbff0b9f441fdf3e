"""Arguments of a ranking: accepted, or refused with what would be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from volskew.errors import SettingsError
from volskew.ranking.standing import Limits

__all__ = ["UNITS", "check_choices", "check_limits", "check_pair", "check_unit", "parse_day"]

UNITS = ("vol", "number")
"""Units of the legs: vols and their differences, shown in percent and vol points; or plain numbers."""


def parse_day(day: str | dt.date | None, *, name: str = "as_of") -> dt.date | None:
    """A calendar day from text, a date or a timestamp at midnight; None stays None.

    Raises
    ------
    SettingsError
        It is none of these.
    """
    if day is None:
        return None
    try:
        stamp = day if isinstance(day, dt.date) else dt.datetime.fromisoformat(day)
    except (ValueError, TypeError):
        stamp = None
    if isinstance(stamp, dt.datetime) and stamp == dt.datetime.combine(stamp.date(), dt.time()):
        return stamp.date()
    if stamp is None or isinstance(stamp, dt.datetime):
        msg = f"{name} must be a day, YYYY-MM-DD, got {day!r}"
        raise SettingsError(msg)
    return stamp


def check_pair(pair: object) -> tuple[str, str]:
    """Two different names, or a SettingsError."""
    legs = list(pair) if isinstance(pair, tuple | list) else []
    if len(legs) != 2 or not all(isinstance(leg, str) and leg for leg in legs):
        msg = f"a pair is two names, such as ('QQQ', 'IWM'), got {pair!r}"
        raise SettingsError(msg)
    if legs[0] == legs[1]:
        msg = f"a pair needs two different legs, got {legs[0]!r} twice"
        raise SettingsError(msg)
    return legs[0], legs[1]


def check_choices(name: str, chosen: Sequence[str], accepted: Sequence[str]) -> tuple[str, ...]:
    """Accepted names, each once and at least one, or a SettingsError."""
    if isinstance(chosen, str) or not chosen or not set(chosen) <= set(accepted):
        msg = f"{name} must be some of {', '.join(accepted)}, got {chosen!r}"
        raise SettingsError(msg)
    if len(set(chosen)) < len(chosen):
        msg = f"{name} names one twice: {chosen!r}"
        raise SettingsError(msg)
    return tuple(chosen)


def check_unit(unit: str | None, *, measure: str) -> str:
    """A unit of the legs, by default that of the measure, or a SettingsError."""
    if unit is None:
        return "vol" if measure == "implied_vol" else "number"
    if unit not in UNITS:
        msg = f"unit must be one of {', '.join(UNITS)}, got {unit!r}"
        raise SettingsError(msg)
    return unit


def check_limits(*, min_observations: int, record_observations: int, min_coverage: float) -> Limits:
    """The gates, or a SettingsError for one that no ranking could mean."""
    if min_observations < 2:
        msg = f"min_observations must be 2 or more, got {min_observations!r}"
        raise SettingsError(msg)
    if record_observations < min_observations:
        msg = f"record_observations must be min_observations or more, got {record_observations!r}"
        raise SettingsError(msg)
    if not 0 <= min_coverage <= 1:
        msg = f"min_coverage is a share from 0 to 1, got {min_coverage!r}"
        raise SettingsError(msg)
    return Limits(min_observations, record_observations, min_coverage)
