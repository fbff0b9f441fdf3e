"""The data sets options-dataset-hist and options-data of philippdubach: one option a row."""

from __future__ import annotations

from typing import Final

from volskew.errors import InputError
from volskew.quotes.beside import jobs_beside
from volskew.quotes.companions import looked_up
from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About, Head, Job, RawChain
from volskew.quotes.tabular import read_tabular
from volskew.quotes.vendors.alpha_vantage import CLIPS, COLUMNS

__all__ = ["READER"]

_PRICES: Final = ("date", "close", "adjustedclose", "dividendamount", "splitcoefficient")


PRICES: Final = Format(
    name="philippdubach_prices",
    title="prices of the underlying",
    about=About(origin="underlying_prices.parquet of the same data set", clock="closes"),
    signature=_PRICES,
    columns={"date": "date", "underlying_price": "close"},
)


def is_prices(head: Head) -> bool:
    """Whether a file is underlying_prices of the same data set."""
    return all(name in head.normal for name in _PRICES)


def adjust(chain: RawChain, job: Job) -> RawChain:
    """The underlying's close of the day, not adjusted, out of the prices beside the chains."""
    found = jobs_beside(job, is_prices)
    if not found:
        return chain
    if len(found) > 1:
        raise InputError(
            f"{len(found)} files of prices lie beside it: {', '.join(other.member.name for other in found)}",
            file=job.member.label,
            accepted="those of its underlying alone, underlying_prices.parquet",
        )
    prices = read_tabular(PRICES, found[0])
    chain.cells["underlying_price"] = looked_up(chain, [prices], on=["date"], wanted="underlying_price")
    chain.names["underlying_price"] = f"close of {found[0].member.name}"
    return chain


FORMAT: Final = Format(
    name="philippdubach",
    title="philippdubach options-dataset-hist (Parquet or CSV)",
    about=About(
        origin="github.com/philippdubach/options-dataset-hist: SPY, IWM and QQQ, a file a year",
        clock="the date alone; taken as its close",
        vol="decimal, Black-Scholes; 0.015 and 9.995 are where the solver stops and count as missing",
        odd=(
            "The underlying's price is `close` of underlying_prices.parquet, where that lies beside it.",
            "`adjusted_close` there does not fit strikes as they were traded, and is not read.",
            "Mirrors hold pointers of Git LFS instead of data: fetch the files themselves.",
        ),
        known="documented",
    ),
    signature=("contractid", "inthemoney", "impliedvolatility", "mark", "date"),
    columns=COLUMNS,
    fillers={"vendor_vol": CLIPS},
    made=("underlying_price",),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
