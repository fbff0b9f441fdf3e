"""Interactive Brokers: tickers and model greeks that users flatten to tables (ib_insync, ib_async)."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.cells import coded, positions, rights
from volskew.quotes.formats import Format, declare
from volskew.quotes.lines_of import nobody_is_zero
from volskew.quotes.moments import parse_date
from volskew.quotes.osi import looks_like_osi
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.roots import is_monthly, root_terms

__all__ = ["READER"]

_UNSET: Final = 1.7976931348623157e308
_NONE: Final = (-1.0, _UNSET)


def adjust(chain: RawChain, _job: Job) -> RawChain:
    """Open interest of a line's own side, and expiries settled in the morning."""
    nobody_is_zero(chain, _NONE)
    _own_open_interest(chain)
    option = chain.cells.get("option")
    if option is not None and looks_like_osi(coded(option).dictionary.to_pylist()[:200]):
        chain.cells.pop("expiry", None)  # of some series the last trading day; the symbol has the date
    elif "expiry" in chain.cells and "root" in chain.cells:
        chain.cells["expiry"] = _expirations(chain)
    if chain.documents is None:  # a table to which dumps of several times may have been added
        chain.documents = np.zeros(len(chain.rows), dtype=np.int64)
    return chain


def _own_open_interest(chain: RawChain) -> None:
    """Calls have that of calls: the column of the other side is empty or 0."""
    puts = chain.cells.get("+put_open_interest")
    calls = chain.cells.get("open_interest")
    if puts is None or calls is None or "is_call" not in chain.cells:
        return
    call = pa.array(rights(chain.cells["is_call"]).data.astype(bool))
    if puts.type != calls.type:
        puts, calls = (pc.cast(coded(cells).dictionary_decode(), pa.string()) for cells in (puts, calls))
    chain.cells["open_interest"] = pc.if_else(call, calls, puts)


def _expirations(chain: RawChain) -> pa.Array:
    """Dates of series settled in the morning are their last trading day, the one before."""
    days, roots = coded(chain.cells["expiry"]), coded(chain.cells["root"])
    names = roots.dictionary.to_pylist()
    kinds = np.array([root_terms(str(name).strip()).am_settled for name in names] + ["never"], dtype=object)
    texts_of = days.dictionary.to_pylist()
    places, kind = positions(days), kinds[positions(roots)]
    words = list(texts_of)
    for settled, settling in (("monthly", _third_friday), ("always", _wednesday)):
        later = [settling(text) for text in texts_of]
        moved = (kind == settled) & np.array([*map(bool, later), False])[places]
        places = np.where(moved, places + len(words), places)
        words += [text or "" for text in later]
    return pa.DictionaryArray.from_arrays(
        pa.array(places, mask=places < 0), pa.array(words, type=pa.string())
    )


def _third_friday(text: str | None) -> str:
    """The third Friday after a Thursday, as text; "" for other dates."""
    after = _next_day(text)
    return after.isoformat() if after is not None and after.weekday() == 4 and is_monthly(after) else ""


def _wednesday(text: str | None) -> str:
    """The Wednesday after a Tuesday, as text; "" for other dates: volatility indices settle on Wednesdays."""
    after = _next_day(text)
    return after.isoformat() if after is not None and after.weekday() == 2 else ""


def _next_day(text: str | None) -> dt.date | None:
    day = parse_date(text or "")
    return None if day is None else day + dt.timedelta(days=1)


FORMAT: Final = Format(
    name="interactive_brokers",
    title="Interactive Brokers option tickers, flattened to a table (ib_insync, ib_async)",
    about=About(
        origin="no file of the broker's: users write ib_insync's Ticker, Contract and modelGreeks to a table",
        clock="time of each line, UTC where it names no zone; frozen and delayed quotes look the same",
        vol="decimal; of bid, ask, last or the model, which such files rarely say",
        odd=(
            "-1 with size 0: nobody bids or offers; -1 alone, nan, -2, 1.797e308: nothing was received.",
            "impliedVolatility is the underlying's 30-day vol and is not read: impliedVol is the option's.",
            "tradingClass is the root (SPX, SPXW), localSymbol the padded option symbol.",
            "Without localSymbol a monthly SPX, NDX or RUT date, and any of VIX, is the last trading day.",
            "Such a date is read as the settlement of the day after.",
        ),
        known="readers",
    ),
    signature=("lasttradedateorcontractmonth", "strike", "right", "tradingclass|localsymbol", "bid", "ask"),
    columns={
        "date": "date",
        "quote_time": "time",
        "symbol": "symbol",
        "option": "localsymbol",
        "root": "tradingclass",
        "expiry": "lasttradedateorcontractmonth",
        "strike": "strike",
        "is_call": "right",
        "multiplier": "multiplier",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "last": "last",
        "volume": "volume",
        "open_interest": "callopeninterest|openinterest",
        "+put_open_interest": "putopeninterest",
        "underlying_price": "modelgreeksundprice|undprice",
        "vendor_vol": "modelgreeksimpliedvol|impliedvol",
        "vendor_delta": "modelgreeksdelta|delta",
    },
    fillers={
        **dict.fromkeys(
            (
                "bid", "ask", "bid_size", "ask_size", "last", "volume", "open_interest", "underlying_price",
                "vendor_vol",
            ),
            _NONE,
        ),
        "vendor_delta": (-2.0, _UNSET),
    },
    zone="UTC",
    adjust=adjust,
)  # fmt: skip
READER: Final = declare(FORMAT)
