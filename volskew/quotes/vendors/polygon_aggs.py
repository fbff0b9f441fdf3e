"""Polygon (Massive): day and minute bars of options, which are trades alone and no chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="polygon_aggs",
    title="Polygon (Massive) day or minute bars of options: trades alone, no bid and ask, no vols",
    about=About(
        origin="the flat files us_options_opra/day_aggs_v1 and minute_aggs_v1",
        clock="window_start; the close of a bar is a trade of any time in it",
        odd=("Contracts that did not trade are absent, and nothing says when in the day the others did.",),
        known="documented",
    ),
    signature=("ticker", "volume", "open", "close", "high", "low", "windowstart", "transactions"),
    samples={"ticker": r"O:.+"},
)
READER: Final = replace(
    declare(FORMAT),
    companion="files with quotes, such as the quotes_v1 flat files or snapshots: last trades are of "
    "different times, and no vols can be read from them",
)
