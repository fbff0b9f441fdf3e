"""DeltaNeutral (historicaloptiondata.com), levels 1 to 3: one option a row."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from volskew.errors import InputError
from volskew.quotes.cells import which
from volskew.quotes.formats import Format, declare
from volskew.quotes.lines_of import blanked, has_quote
from volskew.quotes.raw import About, Job, RawChain

__all__ = ["COLUMNS", "READER", "standard_lines"]

_STANDARD: Final = "*"
_LONGEST: Final = 40


def standard_lines(chain: RawChain, job: Job) -> RawChain:
    """Lines whose flag is another than ``*`` get no standard multiplier, vols without a quote are taken away.

    Raises
    ------
    InputError
        There are flags, and none is ``*``.
    """
    flags = chain.cells.get("@flags")
    if flags is not None:
        standard = which(flags, lambda flag: flag == _STANDARD)
        blank = which(flags, lambda flag: not flag, missing=True)
        if not standard.any() and not blank.all():
            place = int(np.argmax(~blank))
            raise InputError(
                "no line has the flag of a standard contract",
                file=job.member.label,
                row=int(chain.rows[place]),
                column=chain.names["@flags"],
                value=str(flags[place].as_py())[:_LONGEST],
                accepted=f"{_STANDARD} for consolidated quotes of contracts on 100 shares",
            )
        if not (standard | blank).all():
            chain.cells["multiplier"] = pa.array(np.where(standard | blank, 100.0, 0.0))
            chain.names["multiplier"] = chain.names["@flags"]
    without = ~has_quote(chain)
    for name in ("vendor_vol", "vendor_delta"):
        if name in chain.cells:
            chain.cells[name] = blanked(chain.cells[name], without)
    return chain


COLUMNS: Final = {
    "date": "datadate",
    "symbol": "underlyingsymbol",
    "option": "optionsymbol",
    "expiry": "expiration",
    "strike": "strike",
    "is_call": "type",
    "bid": "bid",
    "ask": "ask",
    "last": "last",
    "volume": "volume",
    "open_interest": "openinterest",
    "underlying_price": "underlyingprice",
    "vendor_vol": "ivmean|iv",
    "vendor_delta": "delta",
    "@flags": "flags|exchange",
}

FORMAT: Final = Format(
    name="deltaneutral",
    title="DeltaNeutral (historicaloptiondata.com) option file, level 1, 2 or 3",
    about=About(
        origin="daily files of all US options, bought by year; free samples",
        clock="DataDate, a date with or without 16:00; taken as that session's close",
        vol="decimal, Black-Scholes of bid and ask averaged; without dividends up to level 2",
        odd=(
            "Only the flag * marks standard contracts; lines with another are left out (ROOT).",
            "Lines without bid and ask carry a neighbour's vol: a vol without a quote is not read.",
            "Standard expiries before 2015 are dated on the Saturday.",
            "Theta is a year's and vega that of a whole vol; neither is read, nor is T1OpenInterest.",
        ),
        known="documented",
    ),
    signature=("underlyingsymbol", "underlyingprice", "optionsymbol", "datadate", "openinterest"),
    columns=COLUMNS,
    adjust=standard_lines,
)
READER: Final = declare(FORMAT)
