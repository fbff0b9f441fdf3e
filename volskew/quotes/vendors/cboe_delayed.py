"""Cboe's delayed quotes: the JSON as served, and the same flattened to CSV.

``timestamp`` is the time of serving in UTC, about 15 minutes after the quotes; trade times are Eastern
without a zone. ``current_price`` after the close is an after-hours price, so ``close`` is preferred once the
session has closed. ``iv`` is decimal and 0 where none was solved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.clock import EASTERN, session_close, stamp_session
from volskew.quotes.encodings import to_utf8
from volskew.quotes.headers import normalise
from volskew.quotes.hours import opened_since, served_at
from volskew.quotes.json_cells import json_cells, json_documents
from volskew.quotes.moments import YEARS
from volskew.quotes.raw import FIELDS, About, Head, Job, Match, RawChain, Reader, Remark
from volskew.quotes.text import read_table

__all__ = ["READER"]

_JSON_KEYS: Final = ("data", "options", "option", "bid", "ask", "iv", "last_trade_time")
_FLAT: Final[dict[str, str]] = {
    "option": "option",
    "date": "session_date",
    "symbol": "ticker",
    "bid": "bid",
    "ask": "ask",
    "bid_size": "bid_size",
    "ask_size": "ask_size",
    "last": "last_trade_price",
    "trade_time": "last_trade_time",
    "volume": "volume",
    "open_interest": "open_interest",
    "vendor_vol": "iv",
    "vendor_delta": "delta",
}
_FLAT_SIGNATURE: Final = ("option", "bid", "ask", "iv", "theo", "last_trade_price", "last_trade_time")
_DELAY: Final = dt.timedelta(minutes=15)
_APART: Final = dt.timedelta(minutes=5)
"""The delay is not kept to the minute; in five a fund moves by 0.14 %."""
_REPEATED: Final = ("date", "symbol")
_UNTRADED: Final = {"last": (0.0,)}


def match(head: Head, _columns: Mapping[str, str]) -> Match:
    """By the keys of the JSON, or by the columns that only its lines have."""
    wanted: tuple[str, ...] = _JSON_KEYS if head.kind == "json" else _FLAT_SIGNATURE
    if head.kind == "json" and "options" in head.empty_lists:  # a symbol without options: nothing to read
        wanted = ("data", "options")
    names = head.keys if head.kind == "json" else head.normal
    missing = tuple(name for name in wanted if normalise(name) not in names)
    return Match(len(wanted) - len(missing), len(wanted), missing, rank=10)


def read(job: Job) -> RawChain:
    """Read the JSON or the flattened CSV."""
    return _read_json(job) if job.head.kind == "json" else _read_flat(job)


def _read_flat(job: Job) -> RawChain:
    places = {name: place for place, name in reversed(list(enumerate(job.head.normal)))}
    fields = {key: places[normalise(name)] for key, name in _FLAT.items() if normalise(name) in places}
    data, latin = to_utf8(job.member.read(), label=job.member.label)
    table = read_table(
        data,
        label=job.member.label,
        columns=sorted(set(fields.values())),
        repeated=[fields[key] for key in _REPEATED if key in fields],
        header=job.head.header,
        delimiter=job.head.delimiter,
        header_line=job.head.header_line,
        latin=latin,
    )
    cells = {key: table.columns[place] for key, place in fields.items()}
    return RawChain(
        cells,
        {key: job.head.header[place] for key, place in fields.items()},
        table.rows,
        table.ragged,
        table.latin,
        fillers=_UNTRADED,
    )


def _read_json(job: Job) -> RawChain:
    label = job.member.label
    content = _parse(job)
    data = content.get("data")
    lines = data.get("options") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(lines, list):
        raise InputError(
            "no list data.options in the JSON", file=label, accepted="{'data': {'options': [...]}}"
        )
    if not lines:
        raise InputError("data.options is empty", file=label, code="EMPTY")
    records = [line if isinstance(line, dict) else {} for line in lines]
    cells = {
        key: json_cells([record.get(name) for record in records])
        for key, name in _FLAT.items()
        if key not in {"date", "symbol"}
    }
    stamp = _time(content.get("timestamp"), dt.UTC)
    traded = _time(data.get("last_trade_time"), EASTERN)
    price, remarks = _underlying_price(data, stamp, traded)
    symbol = data.get("symbol") or content.get("symbol")
    constants = {"symbol": symbol, "underlying_price": price}
    for key, value in constants.items():
        if value is not None:
            cells[key] = pa.repeat(pa.scalar(value if key != "symbol" else str(value)), len(lines))
    names = {
        **{key: _FLAT[key] for key in cells if key in _FLAT},
        "symbol": "symbol",
        "underlying_price": "close",
    }
    return RawChain(
        cells,
        names,
        np.arange(1, len(lines) + 1, dtype=np.int64),
        stamp=stamp,
        delay=_DELAY,
        evidence=traded,
        day_first=frozenset(),
        fillers=_UNTRADED,
        remarks=remarks,
    )


def _parse(job: Job) -> dict[str, Any]:
    found = json_documents(job.member.read(), label=job.member.label)
    documents = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    if len(documents) > 1:
        raise InputError(
            f"holds {len(documents)} JSON documents, of which each would have a stamp of its own",
            file=job.member.label,
            accepted="one document a file",
        )
    if not documents or not isinstance(documents[0], dict):
        raise InputError(
            "the JSON is no object", file=job.member.label, accepted="{'data': {'options': [...]}}"
        )
    return dict(documents[0])


def _underlying_price(
    data: Mapping[str, Any], stamp: dt.datetime | None, traded: dt.datetime | None
) -> tuple[float | None, tuple[Remark, ...]]:
    """The official close where the session of the quotes has closed, else the last price.

    The underlying trades on while its options' quotes are served late; a price of after the quotes is none.
    """
    current, close = (_price(data.get(name)) for name in ("current_price", "close"))
    if stamp is None:
        return close if close is not None else current, ()
    served = served_at(pd.Timestamp(stamp), _DELAY)
    session = stamp_session(served)
    in_session = served < session_close(session)
    if traded is not None:
        moved_on = stamp_session(pd.Timestamp(traded)) > session or (
            in_session and pd.Timestamp(traded) > served + _APART
        )
    else:
        moved_on = opened_since(pd.Timestamp(stamp), _DELAY)
    if moved_on:
        of = f"its last trade is of {_clock(traded)}" if traded is not None else "a session has opened since"
        detail = f"the underlying's price is not of the time of the quotes, {_clock(served)}: {of}; left out"
        return None, (Remark(Code.BAD_CELLS, 1, detail),)
    first, second = (current, close) if in_session else (close, current)
    return first if first is not None else second, ()


def _clock(moment: dt.datetime) -> str:
    return f"{moment.astimezone(EASTERN):%Y-%m-%d %H:%M} ET"


def _price(value: object) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
    )


def _time(value: object, zone: dt.tzinfo) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.year not in YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


READER = Reader(
    "cboe_delayed",
    "Cboe delayed quotes (JSON, or flattened to CSV)",
    match,
    read,
    about=About(
        origin="cdn.cboe.com/api/global/delayed_quotes/options/QQQ.json (_SPX.json), or its lines as a table",
        clock="15 minutes before the stamp, which is when the file was served [UTC], at latest the close; "
        "in the table session_date",
        vol="decimal, of the mid; 0 where none was solved, and of half the ask where nobody bids",
        odd=(
            "Outside trading hours the whole chain is that of the close before, under a fresh stamp.",
            "current_price is an after-hours price once the session has closed; close goes before it then.",
            "Just after the open it is of the new session, beside quotes of the old one: left out.",
            "Delta comes from a fitted surface, one for calls and puts; it is there also where the vol is 0.",
            "Trade times are New York's without a zone and may be weeks old; a last price of 0 is no trade.",
            "iv30 is in percent, beside vols that are decimal; it is not read.",
        ),
        known="seen",
    ),
    signature=f"JSON with {' + '.join(_JSON_KEYS)}; columns {' + '.join(_FLAT_SIGNATURE)}",
    fields=tuple(name for name in FIELDS if name in {*_FLAT, "underlying_price"}),
)
