"""Alpaca option snapshots: JSON with a record a contract, under its symbol or in a list, or as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from volskew.errors import InputError
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About
from volskew.quotes.records import lookup

__all__ = ["READER"]

_SYMBOL: Final = "[A-Z0-9.]{1,6}[0-9]{6}[CP][0-9]{8}"
_ACCEPTED: Final = "{'snapshots': {'QQQ240119C00400000': {'latestQuote': {...}}}}, or a list of such records"


def rows(document: Any, label: str) -> Iterator[Mapping[str, Any]]:
    """Every snapshot with its symbol: of a page, of its mapping alone, or one record of a list."""
    found = lookup(document, "snapshots")
    if found is None:
        found = [document] if lookup(document, "latestquote") else document
    if isinstance(found, Mapping):
        found = [{"symbol": name, **_record(one, label)} for name, one in found.items()]
    if not isinstance(found, list):
        raise InputError("no snapshots in the JSON", file=label, accepted=_ACCEPTED)
    for one in found:
        yield _record(one, label)


def _record(value: Any, label: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(
            "what should be a snapshot is none", file=label, value=str(value), accepted=_ACCEPTED
        )
    return value


FORMAT: Final = Format(
    name="alpaca",
    title="Alpaca option snapshots (JSON by option symbol or in a list, or a table)",
    about=About(
        origin="the API's /v1beta1/options/snapshots/{underlying}; pages one after another or in files, "
        "or as its Python library gives them",
        clock="latestQuote.t of each line, nanoseconds, UTC",
        vol="decimal; absent where nothing was solved",
        odd=(
            "The free `indicative` feed has modified quotes, and a file does not say which feed it is of.",
            "No underlying price: the spot is implied from calls and puts. No open interest.",
            "SPX and SPXW are two underlyings there; both are read as SPX.",
        ),
        known="readers",
    ),
    signature=("symbol", "latestquotebp|latestquotebidprice", "latestquoteap|latestquoteaskprice"),
    samples={"symbol": _SYMBOL},
    records=Records(signature=("latestquote",), pattern=f'"{_SYMBOL}"', rows=rows),
    columns={
        "quote_time": "latestquote.t|latestquote.timestamp",
        "trade_time": "latesttrade.t|latesttrade.timestamp",
        "option": "symbol",
        "bid": "latestquote.bp|latestquote.bidprice",
        "ask": "latestquote.ap|latestquote.askprice",
        "bid_size": "latestquote.bs|latestquote.bidsize",
        "ask_size": "latestquote.as|latestquote.asksize",
        "last": "latesttrade.p|latesttrade.price",
        "volume": "dailybar.v",
        "vendor_vol": "impliedvolatility",
        "vendor_delta": "greeks.delta",
    },
    zone="UTC",
)
READER: Final = declare(FORMAT)
