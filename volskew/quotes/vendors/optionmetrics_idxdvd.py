"""OptionMetrics idxdvd: dividend yields of the indices."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="optionmetrics_idxdvd",
    title="OptionMetrics dividend yields of indices (idxdvd), which hold no options",
    about=About(origin="IvyDB US through WRDS, table idxdvd", clock="date", known="readers"),
    signature=("secid", "date", "rate"),
    without=("strikeprice", "days", "close", "bestbid"),
)
READER: Final = replace(
    declare(FORMAT),
    companion="not needed: forwards come from calls and puts",
)
