"""What a caller may hand over for a table, a sample, a number or a switch, whatever is made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import InputError, SettingsError, shown

__all__ = [
    "MOST",
    "PLAUSIBLE",
    "check_beside",
    "check_sample",
    "check_switch",
    "check_table",
    "is_implausible",
    "is_number",
    "is_whole",
]

_LEAST, MOST = 1e-15, 1e15
"""Magnitudes of a reading whose ratios and squares can be computed and printed. Beyond them is no vol, price,
rate or sum of money, but a damaged cell."""

PLAUSIBLE = f"0, or a magnitude from {_LEAST:g} to {MOST:g}"
"""Numbers that are ranked, in words."""

PANEL = "a pandas DataFrame with a row a session and a column a symbol"
"""What a panel is."""


def check_table(name: str, given: Any, *, accepted: str = PANEL) -> None:
    """Refuse what is no DataFrame.

    Parameters
    ----------
    name : str
        The argument.
    given : object
        What was handed over for it.
    accepted : str
        What would be accepted, in words.

    Raises
    ------
    InputError
        It is none.
    """
    if not isinstance(given, pd.DataFrame):
        raise InputError(f"{name} must be a table, got {shown(given)}", accepted=accepted)


def check_beside(
    name: str, given: Any, legs: Sequence[str], *, accepted: str = "a pandas DataFrame, labelled as the panel"
) -> None:
    """Refuse what is no table that can stand beside a panel; None stands for one that is not given.

    Parameters
    ----------
    name : str
        The argument.
    given : object
        What was handed over for it.
    legs : sequence of str
        The columns that are looked up in it, each by the panel's index.
    accepted : str
        What would be accepted, in words.

    Raises
    ------
    InputError
        It is no table, or has a label of its index or one of those columns twice.
    """
    if given is None:
        return
    check_table(name, given, accepted=accepted)
    for leg in legs:
        if int((given.columns == leg).sum()) > 1:
            raise InputError(f"{name} has this column twice", column=leg, accepted=accepted)
    if (again := given.index.duplicated()).any():
        label = str(given.index[again][0])
        raise InputError(f"{name} has a label of its index twice", value=label, accepted=accepted)


def is_implausible(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where numbers are no readings, see `PLAUSIBLE`; NaN is no number, and so is not implausible."""
    size = np.abs(values)
    return (size > MOST) | ((size > 0) & (size < _LEAST))


def check_sample(name: str, given: Any) -> NDArray[np.float64]:
    """Finite numbers in one row, as float64, or an InputError.

    Parameters
    ----------
    name : str
        The argument.
    given : object
        An array, list or Series.
    """
    accepted = "finite numbers in the order of time, such as panel['QQQ'].dropna()"
    if isinstance(given, str | bytes | dict | set) or not hasattr(given, "__len__"):
        raise InputError(f"{name} must be a row of numbers, got {shown(given)}", accepted=accepted)
    try:
        found: NDArray[Any] = np.asarray(given)
        is_real = found.dtype.kind in "iufO" and not np.iscomplexobj(found)
        values = found.astype(np.float64) if is_real and found.ndim == 1 else None
    except (TypeError, ValueError, OverflowError):
        values = None
    if not len(given):  # of an empty list numpy says that it holds floats, of an empty Series objects
        values = np.zeros(0)
    if values is None:
        raise InputError(f"{name} must be a row of numbers, got {shown(given)}", accepted=accepted)
    if (bad := np.flatnonzero(~np.isfinite(values))).size:
        problem = f"element {bad[0]} of {name} is not finite ({bad.size:,} of {len(values):,} are not)"
        raise InputError(problem, value=float(values[bad[0]]), accepted=accepted)
    if (bad := np.flatnonzero(is_implausible(values))).size:
        problem = f"element {bad[0]} of {name} is not plausible"
        raise InputError(problem, value=float(values[bad[0]]), accepted=PLAUSIBLE)
    return values


def check_switch(name: str, given: object) -> bool:
    """True or False, or a SettingsError."""
    if not isinstance(given, bool | np.bool_):
        msg = f"{name} must be True or False, got {shown(given)}"
        raise SettingsError(msg)
    return bool(given)


def is_whole(given: object) -> TypeGuard[int]:
    """Whether a whole number was handed over; True and False are none."""
    return isinstance(given, Integral) and not isinstance(given, bool | np.bool_)


def is_number(given: object) -> TypeGuard[float]:
    """Whether a finite number was handed over; True and False are none, nor is text."""
    if isinstance(given, bool | np.bool_) or not isinstance(given, Real):
        return False
    try:
        return math.isfinite(given)
    except OverflowError:  # a whole number beyond the largest float
        return False
