"""Arguments of a ranking: accepted, or refused with what would be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd

from volskew.errors import SettingsError, shown
from volskew.ranking.checks import is_number, is_whole
from volskew.ranking.standing import Limits

__all__ = [
    "UNITS",
    "check_choices",
    "check_labels",
    "check_limits",
    "check_names",
    "check_pair",
    "check_unit",
    "parse_day",
]

UNITS = ("vol", "number")
"""Units of the legs: vols and their differences, shown in percent and vol points; or plain numbers."""
_LABELS = {"series": "'close'", "measure": "'implied_vol'", "tenor": "'3m'", "shape": "'skew'"}
_DELTA = "'0.25'"


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
        msg = f"{name} must be a day, YYYY-MM-DD, got {shown(day)}"
        raise SettingsError(msg)
    return stamp


def check_pair(pair: object) -> tuple[str, str]:
    """Two different names, or a SettingsError."""
    legs = list(pair) if isinstance(pair, tuple | list) else []
    if len(legs) != 2 or not all(isinstance(leg, str) and leg for leg in legs):
        msg = f"a pair is two names, such as ('QQQ', 'IWM'), got {shown(pair)}"
        raise SettingsError(msg)
    if legs[0] == legs[1]:
        msg = f"a pair needs two different legs, got {legs[0]!r} twice"
        raise SettingsError(msg)
    return legs[0], legs[1]


def check_names(**names: object) -> None:
    """Refuse what is no name of a column."""
    for argument, name in names.items():
        if not (isinstance(name, str) and name):
            msg = f"{argument} must be the name of a column, got {shown(name)}"
            raise SettingsError(msg)


def check_labels(**labels: object) -> None:
    """Refuse what is no text, of what stands in the table and the wording: series, measure, tenor, delta.

    A delta may be a number too.
    """
    for name, label in labels.items():
        if isinstance(label, str) or (name.endswith("delta") and is_number(label)):
            continue
        msg = f"{name} must be text, such as {_LABELS.get(name, _DELTA)}, got {shown(label)}"
        raise SettingsError(msg)


def check_choices(name: str, chosen: object, accepted: Sequence[str]) -> tuple[str, ...]:
    """Accepted names, each once and at least one, or a SettingsError."""
    names: list[Any] = []
    if not isinstance(chosen, str | bytes | pd.DataFrame):
        try:
            names = list(chosen)  # type: ignore[call-overload]
        except TypeError:
            names = []
    if not names or not all(isinstance(item, str) and item in accepted for item in names):
        msg = f"{name} must be some of {', '.join(accepted)}, got {shown(chosen)}"
        raise SettingsError(msg)
    if len(set(names)) < len(names):
        msg = f"{name} names one twice: {shown(chosen)}"
        raise SettingsError(msg)
    return tuple(names)


def check_unit(unit: str | None, *, measure: str) -> str:
    """A unit of the legs, by default that of the measure, or a SettingsError."""
    if unit is None:
        return "vol" if measure == "implied_vol" else "number"
    given: object = unit  # an array would be compared element by element
    if not isinstance(given, str) or given not in UNITS:
        msg = f"unit must be one of {', '.join(UNITS)}, got {shown(unit)}"
        raise SettingsError(msg)
    return unit


def check_limits(*, min_observations: object, record_observations: object, min_coverage: object) -> Limits:
    """The gates, or a SettingsError for one that no ranking could mean."""
    if not is_whole(min_observations) or min_observations < 2:
        msg = f"min_observations must be a whole number of sessions, 2 or more, got {shown(min_observations)}"
        raise SettingsError(msg)
    if not is_whole(record_observations) or record_observations < min_observations:
        msg = (
            "record_observations must be a whole number of sessions, min_observations or more "
            f"({min_observations}), got {shown(record_observations)}"
        )
        raise SettingsError(msg)
    if not is_number(min_coverage) or not 0 <= min_coverage <= 1:
        msg = f"min_coverage is a share from 0 to 1, got {shown(min_coverage)}"
        raise SettingsError(msg)
    return Limits(int(min_observations), int(record_observations), float(min_coverage))
