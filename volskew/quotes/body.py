"""The lines under a header as they stand in a text: where they begin and end, without a copy of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from volskew.quotes.headers import BEGINNING

__all__ = ["Body", "cut_lines", "has_lines"]

_ANYTHING: Final = re.compile(rb"\S")
_FEW_LINES: Final = 100
_BLOCK: Final = 2**20
"""[bytes] that fit a cache."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Body:
    """The lines under the header, left where they stand: copying a large text costs as much as reading it.

    Attributes
    ----------
    data : bytes
        The whole text.
    start : int
        Where the first line begins.
    has_quotes : bool
        Whether there is a double quote.
    """

    data: bytes
    start: int
    has_quotes: bool

    @classmethod
    def under(cls, data: bytes, header_line: int) -> Body:
        """The lines under the header line of a text (0: it has none)."""
        start = _after_lines(data, header_line)
        return cls(data, start, data.find(b'"', start) >= 0)

    @property
    def buffer(self) -> pa.Buffer:
        """The bytes, for Arrow."""
        return pa.py_buffer(self.data).slice(self.start)

    @property
    def octets(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The bytes, for numpy."""
        return np.frombuffer(self.data, dtype=np.uint8)[self.start :]

    @property
    def beginning(self) -> bytes:
        """The first lines."""
        return self.data[self.start : self.start + BEGINNING]

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but blanks."""
        return _ANYTHING.search(self.data, self.start) is None

    @property
    def is_ended(self) -> bool:
        """Whether the last line has its end."""
        return self.data.endswith(b"\n")

    @property
    def n_lines(self) -> int:
        """How many lines there are; counting them takes a while."""
        return self.data.count(b"\n", self.start) + (not self.is_ended)

    @property
    def quotes_pair(self) -> bool:
        """Whether every line has its quotes in pairs; a stray one would swallow the lines after it."""
        if not self.has_quotes:
            return True
        ends = np.flatnonzero(self.octets == ord("\n"))
        lines = np.searchsorted(ends, np.flatnonzero(self.octets == ord('"')))
        return not (np.bincount(lines) % 2).any()

    def is_empty(self, lines: np.ndarray[Any, np.dtype[np.int64]]) -> Mask:
        """Which lines, from 1, have no character."""
        ends = np.flatnonzero(self.octets == ord("\n"))
        if not self.is_ended:
            ends = np.append(ends, len(self.octets))
        lengths = np.diff(ends, prepend=-1) - 1
        return np.asarray(lengths[lines - 1] == 0)


def cut_lines(text: bytes, lines: int) -> tuple[bytes, bytes]:
    r"""The first lines of a text, and the rest; all and nothing where it has no more.

    Examples
    --------
    >>> cut_lines(b"a\nb\nc", 2)
    (b'a\nb\n', b'c')
    """
    end = _after_lines(text, lines)
    return text[:end], text[end:]


def has_lines(text: bytes, *, header_line: int) -> bool:
    """Whether anything but blanks stands under the header line of a text (0: it has none)."""
    return not Body.under(text, header_line).is_blank


def _after_lines(text: bytes, lines: int) -> int:
    """Where the line after the first `lines` begins."""
    end = 0
    if lines <= _FEW_LINES:
        for _ in range(lines):
            end = text.find(b"\n", end) + 1
            if not end:
                return len(text)
        return end
    octets = np.frombuffer(text, dtype=np.uint8)
    for start in range(0, len(octets), _BLOCK):
        is_end = octets[start : start + _BLOCK] == ord("\n")
        found = int(np.count_nonzero(is_end))
        if lines <= found:
            return start + int(np.flatnonzero(is_end)[lines - 1]) + 1
        lines -= found
    return len(text)
