"""The choices by which one vol differs from another's, in the order in which they are taken one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from volskew.errors import SettingsError
from volskew.market import tenor_days
from volskew.settings import Settings
from volskew.surface.listed import Source
from volskew.workflow.conventions import Convention, find_conventions, months_later

__all__ = ["BY_MONTHS", "STEPS", "Choice", "Step", "steps_to"]

BY_MONTHS = "months"
"""Days that are those to the same day of a later month."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a vol is read.

    Attributes
    ----------
    settings : Settings
    tenor : str
    expiry : {"between", "nearest"}
        Between the expiries around the tenor, or of the nearest one.
    strike : {"smile", "nearest"}
        Of the smile at the delta, or of the listed option nearest to it.
    vols, deltas : {"ours", "vendor"}
        Of listed options: whose vol, and whose deltas say which is nearest.
    """

    settings: Settings
    tenor: str
    expiry: Literal["between", "nearest"] = "between"
    strike: Literal["smile", "nearest"] = "smile"
    vols: Source = "ours"
    deltas: Source = "ours"


Take = Callable[[Choice, Any, dt.date], Choice]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A step that can be taken.

    Attributes
    ----------
    name : str
    accepted : tuple or str
        The values that it may have, or what they are in words.
    usual : Any
        What is taken where nothing is said; None where it is not taken then.
    take : callable
        A choice, the value and the session to the choice after it.
    words : mapping or callable
        By value, or from the choice before and after.
    """

    name: str
    accepted: tuple[Any, ...] | str
    usual: Any
    take: Take
    words: Mapping[Any, str] | Callable[[Choice, Choice], str]


@dataclass(frozen=True, slots=True)
class Step:
    """A step and its value.

    Attributes
    ----------
    name : str
    value : Any
    """

    name: str
    value: Any

    @property
    def is_vendors(self) -> bool:
        """Whether it asks for a vendor's numbers."""
        return bool(self.value == "vendor")

    def taken(self, choice: Choice, day: dt.date) -> Choice:
        """The choice after the step, on a session."""
        return _KINDS[self.name].take(choice, self.value, day)

    def words(self, before: Choice, after: Choice) -> str:
        """What the step changes."""
        words = _KINDS[self.name].words
        return words(before, after) if callable(words) else words[self.value]


def _setting(name: str) -> Take:
    return lambda choice, value, _day: replace(choice, settings=choice.settings.replace(**{name: value}))


def _own(name: str) -> Take:
    return lambda choice, value, _day: replace(choice, **{name: value})


def _days(choice: Choice, value: Any, day: dt.date) -> Choice:
    """The tenor in days; a number that is usual speaks of three months alone."""
    days = tenor_days(choice.tenor, settings=choice.settings)
    unit = choice.tenor.strip().lower()
    if value == BY_MONTHS:
        months = {"m": 1, "y": 12}.get(unit[-1:])
        wanted = days if months is None else float(months_later(day, months * int(unit[:-1])))
    elif value is None:
        wanted = 90.0 if unit == "3m" else days
    else:
        wanted = float(value)
    return choice if wanted == days else replace(choice, tenor=f"{wanted:.0f}d")


def _days_in_words(before: Choice, after: Choice) -> str:
    old, new = (tenor_days(choice.tenor, settings=choice.settings) for choice in (before, after))
    return f"{new:g} days instead of {old:g}"


def _rates_file(choice: Choice, value: Any, _day: dt.date) -> Choice:
    """A curve file takes the place of a flat rate."""
    return replace(choice, settings=choice.settings.replace(rate=None, rates_file=value))


def _rate_in_words(_before: Choice, after: Choice) -> str:
    rate = after.settings.rate
    return "no rate is given" if rate is None else f"a rate of {100 * rate:g} %"


_UNSAID = object()

STEPS: tuple[_Kind, ...] = (
    _Kind(
        "clock",
        ("variance", "calendar"),
        "calendar",
        _setting("tenor_clock"),
        {"calendar": "variance accrues by the calendar day", "variance": "variance accrues by session"},
    ),
    _Kind(
        "interpolation",
        ("gaussian_process", "linear"),
        "linear",
        _setting("tenor_interpolation"),
        {
            "linear": "a straight line in total variance between two expiries",
            "gaussian_process": "a term structure learned from the expiries around",
        },
    ),
    _Kind("days", 'a number of days from 1 to 3660, or "months"', _UNSAID, _days, _days_in_words),
    _Kind(
        "smile",
        ("svi", "essvi", "local"),
        "local",
        _setting("smile_model"),
        {
            "local": "the local fit around the delta instead of a curve",
            "svi": "SVI with what the quotes say beyond it",
            "essvi": "an eSSVI curve",
        },
    ),
    _Kind(
        "delta",
        ("forward", "spot", "discounted"),
        "spot",
        _setting("delta_convention"),
        {
            "forward": "forward delta N(d1)",
            "spot": "spot delta exp(-qT) N(d1)",
            "discounted": "discounted delta exp(-rT) N(d1)",
        },
    ),
    _Kind(
        "exercise",
        ("auto", "european"),
        "european",
        _setting("pricer"),
        {"european": "early exercise ignored", "auto": "lines priced as they are exercised"},
    ),
    _Kind("rate", "a decimal rate (4 % is 0.04)", None, _setting("rate"), _rate_in_words),
    _Kind(
        "rates_file",
        "a curve file",
        None,
        _rates_file,
        lambda _before, after: f"rates of {after.settings.rates_file}",
    ),
    _Kind(
        "dividends_files",
        "dividend files",
        None,
        _setting("dividends_files"),
        lambda _before, after: f"dividends of {', '.join(after.settings.dividends_files) or 'no file'}",
    ),
    _Kind(
        "expiry",
        ("between", "nearest"),
        "nearest",
        _own("expiry"),
        {"nearest": "the nearest expiry alone", "between": "between the expiries around the tenor"},
    ),
    _Kind(
        "strike",
        ("smile", "nearest"),
        "nearest",
        _own("strike"),
        {"nearest": "the listed option nearest in delta, at its mid", "smile": "the smile at the delta"},
    ),
    _Kind(
        "vols",
        ("ours", "vendor"),
        "vendor",
        _own("vols"),
        {"vendor": "the vendor's vol of that option", "ours": "our vol of that option"},
    ),
    _Kind(
        "deltas",
        ("ours", "vendor"),
        "vendor",
        _own("deltas"),
        {"vendor": "the option that the vendor's deltas pick", "ours": "the option that our deltas pick"},
    ),
)
"""Every step, in its order."""

_KINDS = {kind.name: kind for kind in STEPS}
_BY_SETTING = {
    "tenor_clock": "clock",
    "tenor_interpolation": "interpolation",
    "three_month_days": "days",
    "smile_model": "smile",
    "delta_convention": "delta",
}


def steps_to(to: str | Mapping[str, Any] | None) -> tuple[Step, ...]:
    """The steps to another's choices, in their order.

    Parameters
    ----------
    to : mapping, str or None
        Values by step, the name of a convention, or None for the usual ones.

    Raises
    ------
    SettingsError
        There is no such step, value or convention; a vendor's vols or deltas without the nearest listed
        option, of which alone they are known.

    Examples
    --------
    >>> [(step.name, step.value) for step in steps_to({"delta": "spot", "clock": "calendar"})]
    [('clock', 'calendar'), ('delta', 'spot')]
    >>> [step.name for step in steps_to("spot-90d-line")]
    ['clock', 'interpolation', 'days', 'delta']
    """
    if to is None:
        usual = [(kind.name, kind.usual) for kind in STEPS if kind.usual is not None]
        return tuple(Step(name, None if value is _UNSAID else value) for name, value in usual)
    if isinstance(to, str):
        to = _of_convention(find_conventions([to])[0])
    if not isinstance(to, Mapping):
        raise SettingsError(f"`to` must be values by step, or the name of a convention; got {to!r}")
    unknown = [name for name in to if name not in _KINDS]
    if unknown:
        raise SettingsError(f"there is no step {unknown[0]!r}; there is {', '.join(_KINDS)}")
    for name, value in to.items():
        _check(_KINDS[name], value)
    listed = to.get("strike") == "nearest"
    if not listed and "vendor" in (to.get("vols"), to.get("deltas")):
        raise SettingsError("a vendor's vols and deltas are of listed options: strike must be 'nearest' too")
    return tuple(Step(kind.name, to[kind.name]) for kind in STEPS if kind.name in to)


def _of_convention(convention: Convention) -> dict[str, Any]:
    found = {_BY_SETTING[name]: value for name, value in convention.changes}
    return found | {"days": BY_MONTHS} if convention.by_months else found


def _check(kind: _Kind, value: Any) -> None:
    """Refuse a value that a step does not have; those of settings refuse what they do not accept."""
    if isinstance(kind.accepted, tuple):
        if value not in kind.accepted:
            told = ", ".join(map(str, kind.accepted))
            raise SettingsError(f"{kind.name} must be one of {told}; got {value!r}")
    elif kind.name == "days":
        whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 3660
        if not whole and value != BY_MONTHS:
            raise SettingsError(f"days must be {kind.accepted}; got {value!r}")
    elif value is None or value == ():
        raise SettingsError(f"{kind.name} must be {kind.accepted}; got {value!r}")
    else:
        Settings(**{kind.name: value})
