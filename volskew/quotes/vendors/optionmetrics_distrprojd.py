"""OptionMetrics distrprojd: dividends as they were projected on each date."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="optionmetrics_distrprojd",
    title="OptionMetrics projected dividends (distrprojd), which hold no options",
    about=About(origin="IvyDB US through WRDS, tables distrprojdYYYY", clock="date", known="readers"),
    signature=("secid", "date", "exdate", "amount"),
    without=("strikeprice", "distrtype", "bestbid"),
)
READER: Final = replace(
    declare(FORMAT), companion="not read: dividends are projected from those paid, which --dividends takes"
)
