"""OptionMetrics zerocd: the zero curve of each date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About, Head, Match

__all__ = ["READER"]

FORMAT: Final = Format(
    name="optionmetrics_zerocd",
    title="OptionMetrics zero curve (zerocd), which holds no options",
    about=About(
        origin="IvyDB US through WRDS, table zerocd",
        clock="date",
        odd=("Rates are in percent, continuously compounded, one line a date and number of days.",),
        known="readers",
    ),
    signature=("date", "days", "rate"),
)
_DECLARED: Final = declare(FORMAT)


def match(head: Head, columns: Mapping[str, str]) -> Match:
    """By its three columns and no other: all three are common words."""
    found = _DECLARED.match(head, columns)
    if found.full and set(head.normal) != set(FORMAT.signature):
        return Match(len(FORMAT.signature) - 1, len(FORMAT.signature), ("(has other columns)",))
    return found


READER: Final = replace(_DECLARED, match=match, companion="a discount curve: --rates FILE")
