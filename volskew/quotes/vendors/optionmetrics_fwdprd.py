"""OptionMetrics fwdprd: forward prices of the underlyings by expiration."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="optionmetrics_fwdprd",
    title="OptionMetrics forward prices (fwdprd), which hold no options",
    about=About(origin="IvyDB US through WRDS, tables fwdprdYYYY", clock="date", known="readers"),
    signature=("secid", "date", "expiration|exdate", "forwardprice|forward"),
    without=("strikeprice", "days", "bestbid"),
)
READER: Final = replace(declare(FORMAT), companion="not needed: forwards come from calls and puts")
