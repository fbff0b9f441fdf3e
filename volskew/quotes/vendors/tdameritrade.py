"""TD Ameritrade option chains: Schwab's shapes, with other symbols, dates and codes."""

from __future__ import annotations

from typing import Final

from volskew.quotes.cells import coded, renamed
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.vendors import schwab

__all__ = ["READER"]

_SYMBOL: Final = "[A-Z0-9.$]{1,6}_[0-9]{6}[CP][0-9.]+"


def adjust(chain: RawChain, job: Job) -> RawChain:
    """The root is what stands before the date in a symbol such as QQQ_011924C400."""
    if "@symbol" in chain.cells and "root" not in chain.cells:
        roots = renamed(coded(chain.cells["@symbol"]), lambda text: text.rpartition("_")[0])
        chain.cells["root"] = roots.cells()
        chain.names["root"] = "symbol"
    return schwab.adjust(chain, job)


FORMAT: Final = Format(
    name="tdameritrade",
    title="TD Ameritrade option chain (JSON, or its contracts flattened)",
    about=About(
        origin="the API's /v1/marketdata/chains, closed in 2024; recorded answers",
        clock="quoteTimeInLong of each contract, milliseconds since 1970",
        vol='percent, of the mark; "NaN", 0 and -999 are missing',
        odd=(
            "Option symbols have month, day and year: QQQ_011924C400.",
            "A contract without a vol may carry a delta all the same; it is not read.",
            "`volatility` and `interestRate` at the top are parameters of the request.",
        ),
        known="seen",
    ),
    signature=schwab.CONTRACT,
    without=("optionroot", "exercisetype"),
    samples={"symbol": _SYMBOL},
    records=Records(
        signature=("callexpdatemap|putexpdatemap", "putcall", "strikeprice"),
        pattern=rf'"symbol"\s*:\s*"{_SYMBOL}"',
        rows=schwab.rows,
    ),
    columns={**{key: spec for key, spec in schwab.COLUMNS.items() if key != "root"}, "@symbol": "symbol"},
    fillers=schwab.FILLERS,
    zone="UTC",
    adjust=adjust,
)
READER: Final = declare(FORMAT)
