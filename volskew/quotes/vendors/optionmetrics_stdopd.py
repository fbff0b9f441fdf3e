"""OptionMetrics stdopd: interpolated at-the-money options of constant maturity."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="optionmetrics_stdopd",
    title="OptionMetrics standardized options (stdopd), which are no listed ones",
    about=About(origin="IvyDB US through WRDS, tables stdopdYYYY", clock="date", known="readers"),
    signature=("secid", "date", "days", "premium", "implvolatility"),
    without=("bestbid", "dispersion"),
)
READER: Final = replace(
    declare(FORMAT),
    companion="of one underlying, days and right: volskew import FILE",
)
