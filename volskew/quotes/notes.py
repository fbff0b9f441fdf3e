"""The cells of a file that could not be read: counted, with the first of them as an example."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

import numpy as np

from volskew.errors import InputError
from volskew.ledger import Code, Entry, Stage
from volskew.quotes.moments import YEARS
from volskew.quotes.raw import RawChain

__all__ = ["Notes"]

_NEEDED: Final = frozenset(
    ("strike", "is_call", "expiry", "bid", "ask", "vendor_vol", "vendor_vol_pct", "date")
)
_TOLD_BY_SYMBOLS: Final = frozenset(("strike", "is_call", "expiry"))
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]*,[0-9]+")
_DATED: Final = frozenset(("date", "time"))
_YEAR: Final = re.compile(r"(?<!\d)(\d{4})(?=\d{4}(?!\d)|\D|$)")
_WORST_SHARE: Final = 0.5
_WORST_COUNT: Final = 10

Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Notes:
    """Collects the cells that could not be read, one entry a column."""

    def __init__(self, raw: RawChain, label: str, source: str) -> None:
        self._raw, self._label, self._source = raw, label, source
        self.entries: list[Entry] = []
        self._bad: list[tuple[int, str, Mask]] = []

    def add(self, name: str, bad: Mask, what: str) -> None:
        """Note the bad cells of a field.

        Raises
        ------
        InputError
            Most cells of a field that a chain cannot do without are bad, or the text is in another encoding.
        """
        count = int(bad.sum())
        if not count:
            return
        place = int(np.argmax(bad))
        row, column = int(self._raw.rows[place]), self._raw.names.get(name, name)
        value = self._raw.cells[name][place].as_py()
        text = value if isinstance(value, str) else str(value)
        accepted = _accepted(what)
        if what in _DATED and _is_beyond_the_calendar(text):
            what = f"{what} of {YEARS.start} to {YEARS.stop - 1}"
        if self._raw.latin and not text.isascii():
            raise InputError(
                "not UTF-8, and the odd bytes stand in a column of numbers or dates",
                file=self._label, row=row, column=column, value=text, accepted="UTF-8",
            )  # fmt: skip
        if name in _NEEDED and 2 * count > len(bad) and _DECIMAL_COMMA.fullmatch(text):
            raise InputError(
                "decimal commas are not read",
                file=self._label, row=row, column=column, value=text, accepted=_accepted("number"),
            )  # fmt: skip
        if name in _NEEDED and count >= _WORST_COUNT and count > _WORST_SHARE * len(bad):
            raise InputError(
                f"{count} of {len(bad)} cells are no {what}, the first being",
                file=self._label, row=row, column=column, value=text, accepted=accepted,
            )  # fmt: skip
        self._bad.append((len(self.entries), name, bad))
        self.say(f"no {what}: {text!r}, first in row {row}, column {column!r}", count)

    def restored(self, known: Mask) -> None:
        """Say of bad strikes, expiries and rights how many their lines' option symbols tell."""
        for place, name, bad in self._bad:
            count = int((bad & known).sum())
            if name in _TOLD_BY_SYMBOLS and count:
                whole = "" if count == bad.sum() else f"{count} of them "
                detail = f"{self.entries[place].detail}; {whole}taken from the option symbol"
                self.entries[place] = replace(self.entries[place], detail=detail)

    def say(self, detail: str, count: int, *, code: Code = Code.BAD_CELLS, row: int | None = None) -> None:
        """Add an entry in words, with the row that shows it first."""
        where = f", row {row} first" if row is not None else ""
        self.entries.append(
            Entry(None, "", Stage.INPUT.value, code.value, count, detail + where, self._source)
        )


def _is_beyond_the_calendar(text: str) -> bool:
    """Whether a year stands in a cell that the trading calendar does not have: 1700, 9999."""
    return any(int(year) not in YEARS for year in _YEAR.findall(text))


def _accepted(what: str) -> str:
    return {
        "number": "a decimal point and no thousands separator, such as 1234.5",
        "date": "YYYY-MM-DD, YYYYMMDD, MM/DD/YYYY and their like, of the years "
        f"{YEARS.start} to {YEARS.stop - 1}",
        "call or put": "C, P, call, put",
    }.get(what, what)
