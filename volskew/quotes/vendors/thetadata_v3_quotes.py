"""ThetaData, version 3: quotes at intervals or as they changed, with or without greeks."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.ticks import declare_ticks
from volskew.quotes.vendors.thetadata_v3_eod import CONTRACT, solved_vols

__all__ = ["READER"]


def adjust(chain: RawChain, _job: Job) -> RawChain:
    """No vols that were not solved."""
    solved_vols(chain)
    return chain


FORMAT: Final = Format(
    name="thetadata_v3_quotes",
    title="ThetaData v3 quotes at intervals, with or without greeks (CSV)",
    about=About(
        origin="the terminal's v3/option/history/quote and history/greeks at an interval, and its snapshots",
        clock="timestamp of each line, New York without a zone; each contract's last at or before the close",
        vol="decimal, of the mid, in files with greeks; 0, or an iv_error above 0.1: not solved",
        odd=(
            "A contract has many lines: one is taken, the others are counted.",
            "symbol is the root: SPX and SPXW are files of their own.",
        ),
        known="readers",
    ),
    signature=("symbol", "expiration", "strike", "right", "timestamp", "bid", "ask", "bidcondition|iverror"),
    without=("close", "created"),
    columns={
        **CONTRACT,
        "quote_time": "timestamp",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "underlying_price": "underlyingprice",
        "vendor_vol": "impliedvol",
        "vendor_delta": "delta",
        "+iv_error": "iverror",
    },
    fillers={"underlying_price": (0.0,)},
    adjust=adjust,
)
READER: Final = declare_ticks(FORMAT)
