"""MarketData.app option chains: a JSON object of arrays side by side, or the same as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from volskew.errors import InputError
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About

__all__ = ["READER"]


def rows(document: Any, label: str) -> Iterator[Mapping[str, Any]]:
    """One record a place in the arrays."""
    if not isinstance(document, Mapping) or not isinstance(document.get("optionSymbol"), list):
        raise InputError(
            "no array optionSymbol", file=label, accepted="{'s': 'ok', 'optionSymbol': [...], ...}"
        )
    arrays = {name: values for name, values in document.items() if isinstance(values, list)}
    length = len(document["optionSymbol"])
    for name, values in arrays.items():
        if len(values) != length:
            raise InputError(
                f"{len(values)} values beside {length} option symbols",
                file=label,
                column=name,
                accepted="arrays of one length",
            )
    for line in zip(*arrays.values(), strict=True):
        yield dict(zip(arrays, line, strict=True))


FORMAT: Final = Format(
    name="marketdata_app",
    title="MarketData.app option chain (JSON of arrays, or CSV)",
    about=About(
        origin="the API's /v1/options/chain/{symbol}/",
        clock="`updated` of each line, UTC; when the market is closed that of the request: the close before",
        vol="decimal with three digits, of the mid",
        odd=(
            "`dte` counts from the time of the request; it is not read.",
            "Open interest is of the night before.",
            "Contracts that are not standard are left out by the service unless asked for.",
        ),
        known="documented",
    ),
    signature=("optionsymbol", "underlyingprice", "updated", "side", "intrinsicvalue|inthemoney|firsttraded"),
    columns={
        "quote_time": "updated",
        "symbol": "underlying",
        "option": "optionsymbol",
        "expiry": "expiration",
        "strike": "strike",
        "is_call": "side",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "last": "last",
        "volume": "volume",
        "open_interest": "openinterest",
        "underlying_price": "underlyingprice",
        "vendor_vol": "iv",
        "vendor_delta": "delta",
    },
    zone="UTC",
    records=Records(signature=("s", "optionsymbol"), pattern=r'"optionSymbol"\s*:\s*\[\s*["\]]', rows=rows),
)
READER: Final = declare(FORMAT)
