"""Cboe's website download quotedata.csv, and its older form quotedata.dat: calls and puts on one row.

Title lines, then a header whose names repeat for calls and puts, so columns are taken by position. In the
present form ``Date:`` is the time of the download, not of the quotes; in the old form (until about 2020) it
is the time of the quotes. The ticker stands only in the option symbols.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.clock import EASTERN
from volskew.quotes.encodings import to_utf8
from volskew.quotes.headers import normalise, split_line
from volskew.quotes.hours import opened_since
from volskew.quotes.raw import FIELDS, About, Head, Job, Match, RawChain, Reader, Remark
from volskew.quotes.sides import interleaved, repeated_twice
from volskew.quotes.text import read_table

__all__ = ["READER"]

_SIDE: Final = ("lastsale", "net", "bid", "ask", "volume", "iv", "delta", "gamma", "openinterest")
_HEADER: Final = ("expirationdate", "calls", *_SIDE, "strike", "puts", *_SIDE)
_OLD_NAMES: Final = {"vol": "volume", "openint": "openinterest"}
_FIELDS: Final = {
    "last": "lastsale",
    "bid": "bid",
    "ask": "ask",
    "volume": "volume",
    "vendor_vol": "iv",
    "vendor_delta": "delta",
    "open_interest": "openinterest",
}
_DELAY: Final = dt.timedelta(minutes=15)
_TITLE_LINES: Final = 6
_ZONES: Final = {"UTC": 0, "GMT": 0, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}
_STAMP: Final = re.compile(
    r"Date:\s*(\w+ \d{1,2}, \d{4}) at (\d{1,2}:\d{2})\s*([AP]M)\s*([A-Z]{2,4})?", re.IGNORECASE
)
_OLD_TIME: Final = re.compile(r"^\s*(\w{3} \d{1,2} \d{4})\s*@\s*(\d{1,2}:\d{2})\s*ET")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def _header_line(head: Head) -> int | None:
    """One-based line of the header among the title lines."""
    for place, line in enumerate(head.lines[:_TITLE_LINES]):
        if [_OLD_NAMES.get(n, n) for n in map(normalise, split_line(line)[1]) if n] == list(_HEADER):
            return place + 1
    return None


def match(head: Head, _columns: Mapping[str, str]) -> Match:
    """By the whole header, which stands under two or three title lines."""
    wanted = tuple(dict.fromkeys(_HEADER))
    best: tuple[str, ...] = wanted
    for line in head.lines[:_TITLE_LINES]:
        seen = {_OLD_NAMES.get(name, name) for name in map(normalise, split_line(line)[1])}
        absent = tuple(name for name in wanted if name not in seen)
        best = min(best, absent, key=len)
    if not best and _header_line(head) is None:
        best = ("the order of its columns",)
    return Match(max(len(wanted) - len(best), 0), len(wanted), best, rank=20)


def read(job: Job) -> RawChain:
    """Read one download; each line gives a call and a put."""
    label = job.member.label
    header_line = _header_line(job.head)
    if header_line is None:
        raise InputError("no quotedata header found", file=label)
    data, latin = to_utf8(job.member.read(), label=label)
    line = job.head.lines[header_line - 1]
    if data.count(line.encode()) > 1:  # each has a time and a price in its own title lines
        raise InputError("holds several downloads", file=label, accepted="each download as a file of its own")
    header = split_line(line)[1]
    puts = len(_SIDE) + 3
    numbers = [side + _SIDE.index(name) + 1 for name in _FIELDS.values() for side in (1, puts)]
    table = read_table(
        data,
        label=label,
        columns=sorted({0, 1, puts - 1, puts, *numbers}),
        repeated=(0, 1, puts),
        numeric=(puts - 1, *numbers),
        header=header,
        header_line=header_line,
        latin=latin,
    )
    columns = table.columns
    cells = {
        "option": interleaved(columns[1], columns[puts]),
        "strike": repeated_twice(columns[puts - 1]),
        "expiry": repeated_twice(columns[0]),
    }
    for key, name in _FIELDS.items():
        place = _SIDE.index(name) + 1
        cells[key] = interleaved(columns[1 + place], columns[puts + place])
    last = _last_price(job.head.lines[: header_line - 1])
    rows = np.repeat(table.rows, 2)
    stamp, quoted_at = _times(job.head.lines[: header_line - 1])
    remarks: tuple[Remark, ...] = ()
    if last is not None and stamp is not None and opened_since(pd.Timestamp(stamp), _DELAY):
        detail = f"Last: {last:g} is of a session that opened after the time of the quotes; left out"
        last, remarks = None, (Remark(Code.BAD_CELLS, 1, detail),)
    if last is not None:
        cells["underlying_price"] = pa.repeat(pa.scalar(last), len(rows))
    return RawChain(
        cells,
        {
            "option": "Calls/Puts",
            "strike": "Strike",
            "expiry": "Expiration Date",
            **{k: header[2 + _SIDE.index(n)] for k, n in _FIELDS.items()},
        },
        rows,
        table.ragged,
        latin,
        stamp=stamp,
        quoted_at=quoted_at,
        delay=_DELAY,
        day_first=frozenset(),
        fillers={"last": (0.0,)},
        remarks=remarks,
    )


def _last_price(titles: tuple[str, ...]) -> float | None:
    """``Last: 450.81`` of the title, or the second field of the old one."""
    for line in titles:
        for place, cell in enumerate(next(csv.reader([line], skipinitialspace=True), [])):
            old = place == 1 and "(" in line.split(",")[0]
            if cell.strip().startswith("Last:") or (old and _NUMBER.fullmatch(cell.strip())):
                found = _NUMBER.search(cell.replace(",", ""))
                return float(found[0]) if found and float(found[0]) > 0 else None
    return None


def _times(titles: tuple[str, ...]) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Time of the download (present form) and time of the quotes (old form)."""
    for line in titles:
        try:
            if found := _STAMP.search(line):
                moment = dt.datetime.strptime(f"{found[1]} {found[2]} {found[3]}", "%B %d, %Y %I:%M %p")  # noqa: DTZ007
                zone = (found[4] or "ET").upper()
                offset = dt.timezone(dt.timedelta(hours=_ZONES[zone])) if zone in _ZONES else EASTERN
                return moment.replace(tzinfo=offset), None
            if found := _OLD_TIME.search(line):
                moment = dt.datetime.strptime(f"{found[1]} {found[2]}", "%b %d %Y %H:%M")  # noqa: DTZ007
                return None, moment.replace(tzinfo=EASTERN)
        except ValueError:
            continue
    return None, None


READER = Reader(
    "cboe_quotedata",
    "Cboe website download quotedata.csv (calls and puts on one row)",
    match,
    read,
    about=About(
        origin="the download of delayed quotes at cboe.com: quotedata.csv, until about 2020 quotedata.dat",
        clock="15 minutes before `Date:`, which is the time of the download, at latest the close; in the "
        "old layout the second line states the time of the quotes",
        vol="decimal, of the mid; 0 where none was solved, and of half the ask where nobody bids",
        odd=(
            "Downloads outside trading hours hold the quotes of the close before.",
            "Nothing but its own vols says so of old quotes under a fresh Date: they are held against it.",
            "`Last:` may be a price from before or after trading hours, beside quotes of the close.",
            "Just after the open it is of the new session, beside quotes of the old one: left out.",
            "The ticker stands in the option symbols alone; the first line has a name.",
            "Names of columns come twice, for calls and for puts: they are taken by their place.",
            "Months are written in the language of the browser; only English ones are read.",
            "Expired series are still listed.",
        ),
        known="seen",
    ),
    signature="the whole header in its order under two or three title lines: " + ", ".join(_HEADER),
    fields=tuple(
        name
        for name in FIELDS
        if name in {*_FIELDS, "date", "option", "strike", "expiry", "is_call", "underlying_price"}
    ),
)
