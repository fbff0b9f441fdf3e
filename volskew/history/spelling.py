"""The one spelling of each cell of a history row.

Two spellings of one key would stand side by side as two readings, so every key is brought to one: symbols in
capitals, ISO dates, ``3m`` (``1m-3m`` for what lies between two tenors), and the forward call delta in
shortest decimals (``0.25`` for a 25-delta call, ``0.75`` for a 25-delta put) or ``atmf`` for the strike at
the forward. Instants are UTC to the second.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from volskew.errors import SettingsError
from volskew.market.clock import EASTERN, is_session, session_close
from volskew.market.tenors import canonical_term
from volskew.quotes.roots import SYMBOL
from volskew.surface.points import parse_point

__all__ = ["NONE", "SPELLINGS", "canonical", "default_known_at", "flag_text", "plain_text"]

NONE: Final = "-"
"""Stands in a key for a tenor or delta that the measure has not."""

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII)
_MEASURE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def canonical(name: str, value: object) -> str:
    """Canonical spelling of a key value given as an argument.

    Parameters
    ----------
    name : str
        One of `KEY`, or ``snapshot_time`` or ``known_at``.
    value : object
        As a user may spell it.

    Raises
    ------
    SettingsError
        The value is not accepted; the message says what is.

    Examples
    --------
    >>> [canonical("delta", delta) for delta in (0.25, "25c", ".250", "25p", "50", "ATMF", "-")]
    ['0.25', '0.25', '0.25', '0.75', '0.5', 'atmf', '-']
    >>> canonical("tenor", "3M"), canonical("tenor", "1M - 12m"), canonical("symbol", "qqq")
    ('3m', '1m-1y', 'QQQ')
    """
    function, accepted = SPELLINGS[name]
    try:
        return function(value)
    except ValueError as error:
        msg = f"{name} {value!r} is not accepted. Accepted: {accepted}."
        raise SettingsError(msg) from error


def default_known_at(day: str) -> str:
    """The instant from which a reading dated `day` can be known where nothing better is said.

    The close of the session; on a day without one, the end of the day in New York.

    Examples
    --------
    >>> default_known_at("2024-07-03"), default_known_at("2024-07-04")
    ('2024-07-03T17:00:00Z', '2024-07-05T04:00:00Z')
    """
    return _default_known_at(day)


@lru_cache(maxsize=65536)
def _default_known_at(day: str) -> str:
    date = dt.date.fromisoformat(day)
    if is_session(date):
        return _instant(session_close(date))
    midnight = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), tzinfo=EASTERN)
    return _instant(midnight)


def _series(value: object) -> str:
    text = _text(value).strip()
    if not text or len(text) > 100 or not text.isprintable():
        raise ValueError
    return text


def _symbol(value: object) -> str:
    text = _text(value).strip().upper().removeprefix("_")  # exchanges mark an index so: _SPX
    if not SYMBOL.fullmatch(text):
        raise ValueError
    return text


def _measure(value: object) -> str:
    text = _text(value).strip().lower()
    if not _MEASURE.fullmatch(text):
        raise ValueError
    return text


def _tenor(value: object) -> str:
    text = _text(value).strip()
    return text if text == NONE else canonical_term(text)


def _delta(value: object) -> str:
    if isinstance(value, str) and value.strip() == NONE:
        return NONE
    if not isinstance(value, str | float | np.floating):
        raise ValueError  # noqa: TRY004 - the caller names the cell and what is accepted
    return parse_point(delta=value if isinstance(value, str) else float(value)).text


def _date(value: object) -> str:
    if isinstance(value, dt.datetime):  # pandas.Timestamp included
        if value.tzinfo is not None or value.time() != dt.time():
            raise ValueError
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    text = _text(value).strip()
    if not _ISO_DATE.fullmatch(text):
        raise ValueError
    return dt.date.fromisoformat(text).isoformat()


def _instant(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        instant = value.to_pydatetime(warn=False)
    elif isinstance(value, dt.datetime):
        instant = value
    else:
        text = _text(value).strip()
        if not _INSTANT.fullmatch(text):
            raise ValueError
        instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError
    return instant.astimezone(dt.UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - the caller names the cell and what is accepted
    return value


def plain_text(value: object) -> str:
    """Text that every store can hold, unchanged.

    Raises
    ------
    ValueError
        The text holds a NUL or half a surrogate pair.
    """
    text = str(value)
    # neither can be stored everywhere: PostgreSQL has no NUL in text, UTF-8 no lone surrogate
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError
    return text


def flag_text(value: object) -> str:
    """Flags sorted, each once, separated by single blanks.

    Raises
    ------
    ValueError
        A flag holds a character that cannot be printed.
    """
    text = " ".join(sorted(set(plain_text(value).split())))
    if not text.isprintable():
        raise ValueError
    return text


SPELLINGS: Final[dict[str, tuple[Callable[[object], str], str]]] = {
    "series": (_series, "a name of at most 100 printable characters"),
    "date": (_date, "a date YYYY-MM-DD without a time of day"),
    "symbol": (_symbol, "an underlying's symbol such as QQQ, BRK.B or ^VXN"),
    "measure": (_measure, "a measure's name such as implied_vol"),
    "tenor": (_tenor, "a tenor such as 1m, 3m, 1y or 91d, a span of two such as 1m-3m, or '-' for none"),
    "delta": (
        _delta,
        "a forward call delta between 0 and 1, 25c for a call, 25p for a put, 50, atmf, or '-' for none",
    ),
    "snapshot_time": (_instant, "an instant with its zone, such as 2026-07-10T20:00:00Z"),
    "known_at": (_instant, "an instant with its zone, such as 2026-07-10T20:00:00Z"),
}
"""Of each kind of cell: the function that spells it, and what it accepts in words."""
