"""EODHD's end-of-day options of Unicornbay: JSON records, compact arrays, or the same as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from volskew.errors import InputError
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.headers import normalise
from volskew.quotes.json_cells import list_of
from volskew.quotes.raw import About
from volskew.quotes.records import lookup

__all__ = ["READER"]

_DAY: Final = re.compile(r"-((?:19|20)\d\d-\d\d-\d\d)$")
_ACCEPTED: Final = "{'data': [{'id': 'CONTRACT-YYYY-MM-DD', 'attributes': {...}}]}, or meta.fields and arrays"


def rows(document: Any, label: str) -> Iterator[Mapping[str, Any]]:
    """Every record's attributes with the day that its id ends in."""
    data = [document] if lookup(document, "attributes") else lookup(document, "data")
    if not isinstance(data, list):
        raise InputError("no list data in the JSON", file=label, accepted=_ACCEPTED)
    fields = lookup(document, "meta.fields")
    for item in data:
        if isinstance(item, list):  # compact=1
            if not isinstance(fields, list) or len(fields) != len(item):
                raise InputError(
                    f"an array of {len(item)} values beside {len(list_of(fields))} names in meta.fields",
                    file=label,
                    accepted=_ACCEPTED,
                )
            yield {normalise(str(name)): value for name, value in zip(fields, item, strict=True)}
            continue
        attributes = lookup(item, "attributes")
        if not isinstance(attributes, Mapping):
            raise InputError("a record without attributes", file=label, accepted=_ACCEPTED)
        day = _DAY.search(str(lookup(item, "id") or ""))
        yield {**attributes, "day": day[1] if day else None}


FORMAT: Final = Format(
    name="eodhd",
    title="EODHD end-of-day options (JSON or CSV)",
    about=About(
        origin="the API's endpoints mp/unicornbay/options/eod and contracts; a file holds one answer or more",
        clock="bid_date of each line, UTC, and the day at the end of each record's id, where there is one",
        vol="decimal; of which price is not said; 0 is missing",
        odd=(
            "`tradetime` is the date of the last activity, months old at times, and is not read.",
            "Files in which a library has renamed it to quote_date carry that error with them.",
            "No underlying price: the spot is implied from calls and puts.",
            "Paging ends at 10,000 records without a word: a file of exactly that many is likely cut.",
        ),
        known="documented",
    ),
    signature=("contract", "underlyingsymbol", "expdate", "biddate", "volatility"),
    columns={
        "date": "day",
        "quote_time": "biddate|askdate",
        "symbol": "underlyingsymbol",
        "option": "contract",
        "expiry": "expdate",
        "strike": "strike",
        "is_call": "type",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "last": "last",
        "volume": "volume",
        "open_interest": "openinterest",
        "vendor_vol": "volatility",
        "vendor_delta": "delta",
    },
    fillers={"vendor_delta": (0.0,)},
    zone="UTC",
    records=Records(
        signature=(
            "data|attributes",
            "meta|attributes",
            "expdate|contract|fields",
            "underlyingsymbol|fields",
        ),
        pattern=r'"options-eod"|"fields"\s*:\s*\[[^\]]*"exp_date"|"attributes"\s*:\s*\{\s*"contract"',
        rows=rows,
    ),
)
READER: Final = declare(FORMAT)
