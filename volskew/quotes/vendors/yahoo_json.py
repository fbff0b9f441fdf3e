"""Yahoo's own answers for options, as JSON: one expiry each, several one after another or in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from volskew.errors import InputError, shown
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About
from volskew.quotes.records import Unread, lookup
from volskew.quotes.vendors.yfinance import LADDER

__all__ = ["READER"]

_ACCEPTED: Final = (
    "{'optionChain': {'result': [{'quote': ..., 'options': [{'calls': [...], 'puts': [...]}]}]}}"
)


def rows(document: Any, label: str) -> Iterator[Mapping[str, Any] | Unread]:
    """Every contract with its side and what is known of its underlying."""
    results = lookup(document, "optionchain.result")
    if not isinstance(results, list):
        problem = lookup(document, "optionchain.error") or "no list optionChain.result in the JSON"
        raise InputError(str(problem), file=label, accepted=_ACCEPTED)
    for result in results:
        pages = lookup(result, "options")
        if not isinstance(pages, list):
            yield Unread("a result without a list of options", shown(pages if pages is not None else result))
            continue
        facts = {
            "underlyingsymbol": lookup(result, "underlyingsymbol"),
            "spot": lookup(result, "quote.regularmarketprice"),
            "quotetime": lookup(result, "quote.regularmarkettime"),
        }
        for page in pages:
            yield from _contracts(page, facts, label)


def _contracts(page: Any, facts: Mapping[str, Any], label: str) -> Iterator[Mapping[str, Any] | Unread]:
    """Those of one expiry; a side that is absent has none."""
    if not isinstance(page, Mapping):
        yield Unread("an expiry that is no object", shown(page))
        return
    for side in ("calls", "puts"):
        found = lookup(page, side)
        if not isinstance(found, list | None):
            yield Unread(f"{side} that are no list", shown(found))
            continue
        for contract in found or ():
            if not isinstance(contract, Mapping):
                raise InputError(f"{side} holds what is no contract", file=label, accepted=_ACCEPTED)
            yield {**contract, **facts, "side": side}


FORMAT: Final = Format(
    name="yahoo_json",
    title="Yahoo's option chain (JSON as served)",
    about=About(
        origin="query2.finance.yahoo.com/v7/finance/options; one answer holds one expiry",
        clock="quote.regularMarketTime, the underlying's last time, seconds since 1970",
        vol="as in `yfinance`",
        odd=(
            "Epochs of expiries are midnight UTC of the expiry's date.",
            "Several answers may stand one after another in a file, or in a list.",
            "Bid and ask are 0 on many or all lines outside the session.",
        ),
        known="readers",
    ),
    records=Records(signature=("optionchain", "result"), rows=rows),
    columns={
        "quote_time": "quotetime",
        "trade_time": "lasttradedate",
        "symbol": "underlyingsymbol",
        "option": "contractsymbol",
        "expiry": "expiration",
        "strike": "strike",
        "is_call": "side",
        "bid": "bid",
        "ask": "ask",
        "last": "lastprice",
        "volume": "volume",
        "open_interest": "openinterest",
        "multiplier": "contractsize",
        "underlying_price": "spot",
        "vendor_vol": "impliedvolatility",
    },
    fillers={"vendor_vol": LADDER},
    zone="UTC",
)
READER: Final = declare(FORMAT)
