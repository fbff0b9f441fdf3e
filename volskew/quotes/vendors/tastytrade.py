"""tastytrade's market data of options, as JSON."""

from __future__ import annotations

from typing import Final

from volskew.errors import InputError
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.osi import parse_osi
from volskew.quotes.raw import About, Job, RawChain

__all__ = ["READER"]


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Refuse an answer whose symbols are not the padded ones that the service is known to write."""
    found = parse_osi(chain.cells["option"]).column("root") if "option" in chain.cells else None
    if found is None or 2 * found.null_count > len(found):
        value = str(chain.cells["option"][0].as_py()) if "option" in chain.cells else None
        raise InputError(
            "most records are of no option",
            file=job.member.label,
            column="symbol",
            value=value,
            accepted="option symbols such as 'QQQ   240119C00400000', instrument-type Equity Option",
        )
    return chain


FORMAT: Final = Format(
    name="tastytrade",
    title="tastytrade market data of options (JSON)",
    about=About(
        origin="the API's /market-data/by-type, answers for equity and index options",
        clock="updated-at of each line, UTC",
        vol="decimal, where the answer has it",
        odd=(
            "Numbers are texts.",
            "The listing (/option-chains) has no prices and is passed over.",
            "Files of dxFeed events have no settled shape: give them columns and read them as a long table.",
        ),
        known="memory",
    ),
    records=Records(
        signature=("data", "items", "instrumenttype", "bid", "ask", "updatedat"), path="data.items"
    ),
    columns={
        "quote_time": "updatedat",
        "option": "symbol",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "last": "last",
        "volume": "volume",
        "open_interest": "openinterest",
        "vendor_vol": "volatility|impliedvolatility",
        "vendor_delta": "delta",
    },
    zone="UTC",
    adjust=adjust,
)
READER: Final = declare(FORMAT)
