"""ThetaData, version 3: the end-of-day report as CSV, with open interest from the file beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.cells import coded, numbers
from volskew.quotes.companions import companions, days_of, looked_up
from volskew.quotes.formats import Format, declare
from volskew.quotes.lines_of import blanked
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.tabular import read_tabular
from volskew.quotes.vendors import thetadata_open_interest

__all__ = ["COLUMNS", "CONTRACT", "READER", "day_alone", "solved_vols", "with_open_interest"]

CONTRACT: Final = {
    "symbol": "symbol",
    "root": "symbol",
    "expiry": "expiration",
    "strike": "strike",
    "is_call": "right",
}
COLUMNS: Final = {
    **CONTRACT,
    "bid": "bid",
    "ask": "ask",
    "bid_size": "bidsize",
    "ask_size": "asksize",
    "last": "close",
    "volume": "volume",
}
_NO_TRADE: Final = r"[T ]00:00:00(\.0*)?$"
_LARGEST_ERROR: Final = 0.1
_ISO_DATE: Final = 10


def day_alone(cells: pa.Array) -> pa.Array:
    """The dates of times: a report made at 17:15 is of its day, and that is no time of a quote."""
    if pa.types.is_timestamp(cells.type):
        return pc.cast(cells, pa.date32(), safe=False)
    words = coded(cells)
    days = pc.utf8_slice_codeunits(words.dictionary, 0, _ISO_DATE)
    return pa.DictionaryArray.from_arrays(words.indices, days)


def solved_vols(chain: RawChain) -> None:
    """Take away vols that the solver could not make fit: far from the price, or 0."""
    error = chain.cells.get("+iv_error")
    if error is not None and "vendor_vol" in chain.cells:
        size = np.abs(numbers(error).data)
        vol = numbers(chain.cells["vendor_vol"]).data
        chain.cells["vendor_vol"] = blanked(chain.cells["vendor_vol"], (size > _LARGEST_ERROR) | (vol == 0))


def with_open_interest(chain: RawChain, job: Job) -> RawChain:
    """Open interest of the same day from a file beside the chain, where there is one."""
    if "open_interest" in chain.cells:
        return chain
    stated = thetadata_open_interest.FORMAT
    found: list[RawChain] = []
    for other in companions(job, thetadata_open_interest.is_open_interest, days_of(chain.cells["date"])):
        table = read_tabular(stated, other)
        table.cells["date"] = day_alone(table.cells["date"])
        found.append(table)
    if found:
        on = ("date", "root", "expiry", "strike", "is_call")
        chain.cells["open_interest"] = looked_up(chain, found, on=on, wanted="open_interest")
        chain.names["open_interest"] = f"open_interest of {found[0].names['open_interest']}"
    return chain


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Days instead of the report's time; last trades at midnight are none."""
    chain.cells["date"] = day_alone(chain.cells["date"])
    trades: Any = chain.cells.get("trade_time")
    if trades is not None and pa.types.is_string(trades.type):
        never = pc.fill_null(pc.match_substring_regex(trades, _NO_TRADE), False)  # noqa: FBT003 - Arrow's way
        chain.cells["trade_time"] = blanked(trades, np.asarray(never.to_numpy(zero_copy_only=False)))
    return with_open_interest(chain, job)


FORMAT: Final = Format(
    name="thetadata_v3_eod",
    title="ThetaData v3 end-of-day report (CSV)",
    about=About(
        origin="the terminal's v3/option/history/eod",
        clock="created, about 17:15 in New York: its last quote, of 16:00 or 16:15, is taken as the close's",
        odd=(
            "close 0 says that nothing traded; last_trade is midnight then.",
            "No underlying price or vols; open interest is read from its own file in the same folder.",
            "symbol is the root: SPX and SPXW are files of their own.",
            "The quote may be empty before December 2023.",
            "Before 2022 a contract may have a line for each build of the report, alike.",
        ),
        known="readers",
    ),
    signature=("symbol", "expiration", "strike", "right", "created", "lasttrade", "bid", "ask"),
    columns={**COLUMNS, "date": "created", "trade_time": "lasttrade"},
    fillers={"last": (0.0,)},
    made=("open_interest",),
    adjust=adjust,
)
READER: Final = replace(declare(FORMAT), splits=None)
