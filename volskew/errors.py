"""The error family: every message says what was found, where, and what would be accepted.

All errors that volskew raises on purpose derive from `VolskewError`, so one ``except`` clause is enough
for a caller, and the command line prints the message alone, without a traceback.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

__all__ = [
    "DataQualityWarning",
    "InputError",
    "MissingReadingError",
    "NotAChainError",
    "SettingsError",
    "StoreError",
    "VolskewError",
    "listed",
    "shown",
]

_LONGEST_VALUE = 120
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


class VolskewError(Exception):
    """Base class of every error raised on purpose by volskew."""


def shown(value: object) -> str:
    """A value as a message tells it: on one line, long ones cut; of arrays and tables, the kind and shape.

    Examples
    --------
    >>> shown("a"), shown(list(range(100)))
    ("'a'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {shape}"
    return " ".join(_SHORT.repr(value).split())


def listed(names: Iterable[object], most: int) -> str:
    """The first of some names, and how many more there are.

    Examples
    --------
    >>> listed(["QQQ", "IWM"], 2), listed(["QQQ", "IWM", "SPY", "DIA"], 2)
    ('QQQ, IWM', 'QQQ, IWM and 2 more')
    """
    every = list(map(str, names))
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


class InputError(VolskewError):
    """A file or table cannot be used as it is.

    Parameters
    ----------
    problem : str
        What is wrong, in one sentence without a final full stop.
    file : str, optional
        The file (and archive member) that was being read.
    row : int, optional
        One-based line number in that file, the header counted.
    column : str, optional
        The column as the file names it.
    value : object, optional
        The value received.
    accepted : str, optional
        What would have been accepted.
    code : str
        The ledger code under which a run records this failure.

    Examples
    --------
    >>> print(InputError("not a date", file="a.csv", row=7, column="expiry", value="soon",
    ...                  accepted="YYYY-MM-DD"))
    a.csv, row 7, column 'expiry': not a date: 'soon'. Accepted: YYYY-MM-DD.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        accepted: str | None = None,
        code: str = "UNREADABLE",
    ) -> None:
        self.problem = problem
        self.file = file
        self.row = row
        self.column = column
        self.value = value
        self.accepted = accepted
        self.code = code
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        where = [part for part in (self.file, self.row and f"row {self.row}") if part]
        if self.column is not None:
            where.append(f"column {self.column!r}")
        text = ", ".join(str(part) for part in where)
        text = f"{text}: {self.problem}" if text else self.problem
        if self.value is not None:
            text += f": {_shown(self.value)}"
        if self.accepted:
            text += f". Accepted: {self.accepted}"
        return text + "."

    def __reduce__(self) -> tuple[object, ...]:
        """Support pickling, so that the error crosses process borders whole."""
        return _rebuild, (type(self), self.problem, self._details())

    def _details(self) -> dict[str, object]:
        names = ("file", "row", "column", "value", "accepted", "code")
        return {name: getattr(self, name) for name in names}


def _shown(value: object) -> str:
    """The value as it is, or its beginning: a cell may be as long as a file."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}... ({len(text):,} characters)"


def _rebuild(kind: type[InputError], problem: str, details: dict[str, object]) -> InputError:
    return kind(problem, **details)  # type: ignore[arg-type]


class NotAChainError(InputError):
    """The file can be read but is no option chain that any reader claims.

    Parameters
    ----------
    problem, code, **details
        As in `InputError`.
    looks_like : str
        What else it plainly is ("a vol history", "a yield curve", "a dated series"), or "". In a folder such
        a table is passed over; named by the user it is a failure.
    """

    def __init__(
        self, problem: str, *, code: str = "NOT_A_CHAIN", looks_like: str = "", **details: object
    ) -> None:
        self.looks_like = looks_like
        super().__init__(problem, code=code, **details)  # type: ignore[arg-type]

    def __reduce__(self) -> tuple[object, ...]:
        """Support pickling, `looks_like` included."""
        return _rebuild, (type(self), self.problem, {**self._details(), "looks_like": self.looks_like})


class MissingReadingError(VolskewError):
    """A wanted reading does not exist; the message carries the reason."""


class SettingsError(VolskewError, ValueError):
    """A setting or argument has a value that is not accepted."""


class StoreError(VolskewError):
    """The history store cannot be opened, read or written."""


class DataQualityWarning(UserWarning):
    """Data were used, but the reader should know something about them."""
