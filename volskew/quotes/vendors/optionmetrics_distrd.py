"""OptionMetrics distrd: dividends and other distributions as announced."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="optionmetrics_distrd",
    title="OptionMetrics distributions (distrd), which hold no options",
    about=About(origin="IvyDB US through WRDS, table distrd", clock="date", known="readers"),
    signature=("secid", "exdate", "amount", "distrtype"),
    without=("strikeprice", "bestbid"),
)
READER: Final = replace(
    declare(FORMAT), companion="ordinary dividends (distr_type 1) of one underlying: --dividends TICKER=FILE"
)
