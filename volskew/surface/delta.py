"""Delta labels: what "25c", "25p" and "50" mean, and how a delta is written.

Everywhere a delta is the undiscounted forward call delta N(d1), between 0 and 1, on put lines too: the
25-delta put is the strike of the 75-delta call.
"""

from __future__ import annotations

import math
import re

from volskew.errors import SettingsError, shown

__all__ = ["ACCEPTED_DELTAS", "STANDARD_DELTAS", "delta_label", "delta_text", "parse_delta"]

STANDARD_DELTAS: tuple[float, ...] = (0.25, 0.5, 0.75)
"""The deltas that every smile is fitted around: 25-delta call, middle, 25-delta put."""

_LABEL = re.compile(r"(\d{1,2}(?:\.\d+)?)([cp])")
_LOWEST, _HIGHEST = 0.001, 0.999
"""A tenth of one delta from the ends: farther out a number is a slip, and its text would round to an end."""
ACCEPTED_DELTAS = '"25c" (call), "25p" (put), "50", or a forward call delta such as 0.25, from 0.001 to 0.999'
"""In words, for messages."""


def parse_delta(delta: float | str) -> float:
    """The forward call delta that a number or label means.

    Parameters
    ----------
    delta : float or str
        A number from 0.001 to 0.999 (or its text), ``"25c"``, ``"25p"`` or ``"50"``.

    Returns
    -------
    float
        Rounded to 10 decimals, so that spellings of one delta compare equal.

    Raises
    ------
    SettingsError
        Anything else; percentages without ``c`` or ``p`` are ambiguous but for 50, and so are numbers below
        1 with one of these letters.

    Examples
    --------
    >>> parse_delta("25c"), parse_delta("25p"), parse_delta("50"), parse_delta(0.1), parse_delta(" 0.9 ")
    (0.25, 0.75, 0.5, 0.1, 0.9)
    """
    value = math.nan
    if isinstance(delta, str):
        text = delta.strip().lower()
        match = _LABEL.fullmatch(text)
        if text == "50":
            value = 0.5
        elif match:
            share = float(match[1]) / 100
            # "0.25p" could mean 25p or a quarter of one percent
            value = math.nan if share < 0.01 else share if match[2] == "c" else 1 - share
        else:
            try:
                value = float(text)
            except ValueError:
                value = math.nan
    elif not isinstance(delta, bool):
        try:
            value = float(delta)
        except (TypeError, ValueError):
            value = math.nan
    value = round(value, 10)
    if not _LOWEST <= value <= _HIGHEST:
        msg = f"delta must be {ACCEPTED_DELTAS}; got {shown(delta)}"
        raise SettingsError(msg)
    return value


def delta_text(delta: float | str) -> str:
    """The canonical text of a delta, as history rows hold it.

    Examples
    --------
    >>> delta_text("25c"), delta_text("25p"), delta_text(0.5), delta_text(0.10)
    ('0.25', '0.75', '0.5', '0.1')
    """
    return repr(parse_delta(delta))


def delta_label(delta: float | str) -> str:
    """The trader's name of a delta.

    Examples
    --------
    >>> delta_label(0.25), delta_label(0.75), delta_label(0.5), delta_label(0.125)
    ('25c', '25p', '50', '12.5c')
    """
    value = parse_delta(delta)
    if value == 0.5:
        return "50"
    share, side = (value, "c") if value < 0.5 else (1 - value, "p")
    return f"{round(100 * share, 8):g}{side}"
