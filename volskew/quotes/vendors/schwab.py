"""Schwab option chains: JSON with maps of expiries and strikes, or the contracts alone as JSON or a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError, shown
from volskew.quotes.cells import coded, numbers, which
from volskew.quotes.deliverables import marked_roots
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.records import Unread, lookup

__all__ = ["COLUMNS", "CONTRACT", "FILLERS", "READER", "adjust", "rows"]

_ACCEPTED: Final = "{'callExpDateMap': {'YYYY-MM-DD:DAYS': {'STRIKE': [...]}}, 'putExpDateMap': ...}"
_SYMBOL: Final = r"[A-Z0-9.$]{1,6}\s*[0-9]{6}[CP][0-9]{8}"
_TRUE: Final = "true"


def rows(document: Any, label: str) -> Iterator[Mapping[str, Any] | Unread]:
    """Every contract of both maps, with what the top says of the underlying."""
    sides = {name: lookup(document, name) for name in ("callExpDateMap", "putExpDateMap")}
    if all(side is None for side in sides.values()):
        raise InputError("no callExpDateMap and no putExpDateMap", file=label, accepted=_ACCEPTED)
    facts = {
        "underlyingsymbol": str(lookup(document, "symbol") or "").strip() or None,
        "spot": lookup(document, "underlyingprice"),
    }
    for name, side in sides.items():
        if side is None:
            continue
        if not isinstance(side, Mapping):
            raise InputError(f"{name} is no map", file=label, value=side, accepted=_ACCEPTED)
        for expiry, strikes in side.items():
            if not isinstance(strikes, Mapping) or not strikes:
                yield Unread(f"an expiry of {name} without strikes", f"{expiry!r}: {shown(strikes)}")
                continue
            for strike, contracts in strikes.items():
                found = contracts if isinstance(contracts, list) else [contracts]
                if not found:
                    yield Unread(f"a strike of {name} without contracts", f"{expiry!r}, {strike!r}")
                for contract in found:
                    if not isinstance(contract, Mapping):
                        raise InputError("a strike without contracts", file=label, accepted=_ACCEPTED)
                    yield {**contract, **facts}


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Greeks count only beside a vol; contracts flagged as not standard are adjusted ones."""
    del job
    vol, delta = chain.cells.get("vendor_vol_pct"), chain.cells.get("vendor_delta")
    if vol is not None and delta is not None:
        values, deltas = numbers(vol).data, numbers(delta).data
        chain.cells["vendor_delta"] = pa.array(np.where(values > 0, deltas, np.nan), from_pandas=True)
    strange = chain.cells.get("@nonstandard")
    if strange is not None and "root" in chain.cells:
        is_strange = which(strange, lambda text: text.lower() == _TRUE)
        chain.cells["root"] = marked_roots(chain.cells["root"], is_strange)
        option = chain.cells.get("option")
        if option is not None and is_strange.any():
            # their symbols have the plain root; all that these say stands in columns as well
            chain.cells["option"] = pc.if_else(
                pa.array(is_strange),
                pa.scalar(None, pa.string()),
                pc.cast(coded(option).dictionary_decode(), pa.string()),
            )
    return chain


COLUMNS: Final = {
    "@nonstandard": "nonstandard|isnonstandard",
    "quote_time": "quotetimeinlong",
    "trade_time": "tradetimeinlong",
    "symbol": "underlyingsymbol|underlying",
    "root": "optionroot",
    "expiry": "expirationdate",
    "settlement": "settlementtype",
    "exercise": "exercisetype",
    "strike": "strikeprice",
    "is_call": "putcall",
    "bid": "bid|bidprice",
    "ask": "ask|askprice",
    "bid_size": "bidsize",
    "ask_size": "asksize",
    "last": "last|lastprice",
    "volume": "totalvolume",
    "open_interest": "openinterest",
    "multiplier": "multiplier",
    "underlying_price": "spot|underlyingprice",
    "vendor_vol_pct": "volatility",
    "vendor_delta": "delta",
}
CONTRACT: Final = ("symbol", "putcall", "strikeprice", "quotetimeinlong", "expirationdate", "volatility")
"""Columns of contracts without the maps around them."""
FILLERS: Final = {"vendor_vol_pct": (-999.0,), "vendor_delta": (-999.0,)}

FORMAT: Final = Format(
    name="schwab",
    title="Schwab option chain (JSON, or its contracts flattened)",
    about=About(
        origin="the Trader API's /marketdata/v1/chains",
        clock="quoteTimeInLong of each contract, milliseconds since 1970",
        vol="percent, of the mark; -999 is missing",
        odd=(
            "Vols and greeks are -999 on many lines, outside the session on most.",
            "`volatility` and `interestRate` at the top are parameters of the request.",
            "The underlying's price has no time of its own; contracts without the maps around them lack it.",
        ),
        known="readers",
    ),
    signature=(*CONTRACT, "optionroot|exercisetype"),
    samples={"symbol": _SYMBOL},
    records=Records(
        signature=("callexpdatemap|putexpdatemap", "putcall", "strikeprice"),
        pattern=rf'"symbol"\s*:\s*"{_SYMBOL}"',
        rows=rows,
    ),
    columns={**COLUMNS, "option": "symbol"},
    fillers=FILLERS,
    zone="UTC",
    adjust=adjust,
)
READER: Final = declare(FORMAT)
