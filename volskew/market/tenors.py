"""Tenor labels: how many calendar days "3m" means, and how a label is spelled in a key."""

from __future__ import annotations

import re
from typing import Final

from volskew.errors import SettingsError, shown
from volskew.settings import Settings, settings_or_default

__all__ = [
    "canonical_span",
    "canonical_tenor",
    "canonical_term",
    "is_span",
    "span_tenors",
    "tenor_days",
    "tenor_years",
]

_GRID: Final = {"1m": 30, "2m": 60, "4m": 122, "5m": 152, "6m": 182, "9m": 273, "18m": 547}
"""Calendar days of the month labels on the grid of published vol surfaces; "3m" is a setting."""

_LONGEST_DAYS: Final = 3_660
_LABEL: Final = re.compile(r"0*([1-9][0-9]{0,3})([dwmy])", re.ASCII)
_ACCEPTED: Final = f"3m, {', '.join(_GRID)}, <n>w, <n>y or <n>d, up to {_LONGEST_DAYS} days"


def canonical_tenor(label: str) -> str:
    """The one spelling of a tenor, as it stands in the key of a reading.

    Case and blanks do not matter, ``12m`` and ``24m`` are written ``1y`` and ``2y``. A label stays a label:
    ``3m`` is not rewritten to the days it stands for.

    Parameters
    ----------
    label : str
        ``3m``, ``6M``, ``91d`` ...

    Raises
    ------
    SettingsError
        The label is no tenor.

    Examples
    --------
    >>> canonical_tenor(" 91D "), canonical_tenor("3M"), canonical_tenor("12m")
    ('91d', '3m', '1y')
    """
    match = _LABEL.fullmatch(str(label).strip().lower())
    if match is None:
        raise _refused(label)
    number, unit = int(match[1]), match[2]
    if unit == "m" and number in {12, 24}:
        number, unit = number // 12, "y"
    canonical = f"{number}{unit}"
    if unit == "m" and canonical != "3m" and canonical not in _GRID:
        raise _refused(label)
    if unit != "m" and number * {"d": 1, "w": 7, "y": 365}[unit] > _LONGEST_DAYS:
        raise _refused(label)
    return canonical


def tenor_days(label: str, *, settings: Settings | None = None) -> float:
    """Length of a tenor [calendar days].

    "3m" is `Settings.three_month_days`; the other month labels are 30, 60, 122, 152, 182, 273 and 547 days,
    a week is 7 and a year 365.

    Parameters
    ----------
    label : str
        A tenor in any spelling that `canonical_tenor` takes.
    settings : Settings, optional
        The default settings where absent.

    Raises
    ------
    SettingsError
        The label is no tenor.

    Examples
    --------
    >>> tenor_days("3m"), tenor_days("2w"), tenor_days("1y"), tenor_days("45d")
    (91.0, 14.0, 365.0, 45.0)
    >>> tenor_days("3m", settings=Settings(three_month_days=90))
    90.0
    """
    canonical = canonical_tenor(label)
    number, unit = int(canonical[:-1]), canonical[-1]
    if canonical == "3m":
        return float(settings_or_default(settings).three_month_days)
    if unit == "m":
        return float(_GRID[canonical])
    return float(number * {"d": 1, "w": 7, "y": 365}[unit])


def tenor_years(label: str, *, settings: Settings | None = None) -> float:
    """Length of a tenor [years of 365 days]; see `tenor_days`.

    Examples
    --------
    >>> round(tenor_years("3m") * 365, 9)
    91.0
    """
    return tenor_days(label, settings=settings) / 365.0


def is_span(label: str) -> bool:
    """Whether a label names two tenors, as ``1m-3m`` does; whether they exist is another question.

    Examples
    --------
    >>> is_span("1m-3m"), is_span("3m"), is_span("-")
    (True, False, False)
    """
    return "-" in str(label).strip().strip("-")


def canonical_span(label: str) -> str:
    """The one spelling of a span of two tenors, as it stands in the key of a reading.

    Parameters
    ----------
    label : str
        Two tenors with a hyphen between them, in any spelling that `canonical_tenor` takes.

    Raises
    ------
    SettingsError
        The label is no span. Whether the first tenor is the shorter is for `span_tenors` to say.

    Examples
    --------
    >>> canonical_span(" 1M - 12m ")
    '1m-1y'
    """
    parts = str(label).split("-")
    try:
        first, last = (canonical_tenor(part) for part in parts)
    except (SettingsError, ValueError) as error:
        msg = f"{label!r} is no span of tenors. Accepted: two of {_ACCEPTED}, with a hyphen, such as 1m-3m."
        raise SettingsError(msg) from error
    return f"{first}-{last}"


def canonical_term(label: str) -> str:
    """The one spelling of a tenor, or of a span of two.

    Raises
    ------
    SettingsError
        The label is neither.

    Examples
    --------
    >>> canonical_term("3M"), canonical_term("1M-3M")
    ('3m', '1m-3m')
    """
    return canonical_span(label) if is_span(label) else canonical_tenor(label)


def span_tenors(label: str, *, settings: Settings | None = None) -> tuple[str, str]:
    """The two tenors of a span, in canonical spelling.

    Parameters
    ----------
    label : str
        As `canonical_span` takes it.
    settings : Settings, optional
        The default settings where absent.

    Raises
    ------
    SettingsError
        The label is no span, or its first tenor is not the shorter one.

    Examples
    --------
    >>> span_tenors("1m-3m")
    ('1m', '3m')
    """
    first, last = canonical_span(label).split("-")
    days = [tenor_days(tenor, settings=settings) for tenor in (first, last)]
    if not days[0] < days[1]:
        msg = f"a span needs the shorter tenor first; got {label!r} ({days[0]:g} and {days[1]:g} days)"
        raise SettingsError(msg)
    return first, last


def _refused(label: object) -> SettingsError:
    return SettingsError(f"{shown(label)} is no tenor. Accepted: {_ACCEPTED}.")
