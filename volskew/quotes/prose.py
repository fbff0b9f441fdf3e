"""Whether a text is a readme or a licence beside the data: words, not a table that nobody could read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from volskew.quotes.headers import DELIMITERS
from volskew.quotes.raw import Head

__all__ = ["is_prose"]

_SUFFIXES: Final = frozenset((".txt", ""))
_FEWEST_FIELDS: Final = 4
_FEWEST_LINES: Final = 3
_WORDS: Final = 4


def is_prose(head: Head, name: str) -> bool:
    """Whether a file called .txt, or without an extension, holds sentences.

    It does not where most of its lines have one number of fields by some delimiter, spaces included, and
    digits among them, as tables have; nor where it is a web page or too short to tell.

    Parameters
    ----------
    head : Head
        Its beginning.
    name : str
        Its bare name.
    """
    if head.kind != "text" or PurePath(name).suffix.lower() not in _SUFFIXES:
        return False
    lines = [line.strip() for line in head.lines if line.strip()]
    if not lines or lines[0].startswith("<"):
        return False
    words = max(len(re.findall(r"[A-Za-z]{2,}", line)) for line in lines)
    return words >= _WORDS and not any(_is_table(lines, mark) for mark in (*DELIMITERS, None))


def _is_table(lines: Sequence[str], mark: str | None) -> bool:
    counts = Counter(len(line.split(mark)) for line in lines)
    fields, times = counts.most_common(1)[0]
    if fields < _FEWEST_FIELDS or 2 * times < len(lines):
        return False
    if mark is None and times < _FEWEST_LINES:
        return False
    alike = [line for line in lines if len(line.split(mark)) == fields]
    return mark is not None or sum(any(c.isdigit() for c in line) for line in alike) >= len(alike) - 1
