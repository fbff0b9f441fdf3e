"""Barchart: the options page's download, one expiry a file, calls under puts ("stacked")."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError
from volskew.market.clock import EASTERN
from volskew.quotes.cells import MISSING_TEXTS, coded, positions
from volskew.quotes.encodings import to_utf8
from volskew.quotes.formats import Format, declare
from volskew.quotes.moments import parse_date, times_of_day
from volskew.quotes.named import symbol_in_names
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.sides import constant

__all__ = ["READER"]

_EXPIRY: Final = re.compile(r"exp[-_](\d{4}-\d{2}-\d{2})", re.IGNORECASE)
_DAY: Final = re.compile(r"(?<!\d)(\d{2})-(\d{2})-(\d{4})(?!\d)")
_NAME: Final = r"([a-z.^$]{1,6})-options-exp-.*"
_FOOTER: Final = re.compile(rb"\n\s*\"?Downloaded from [^\n]*\s*$", re.IGNORECASE)
_STAMP: Final = re.compile(
    r"as of (\d{2})[-/](\d{2})[-/](\d{4})(?:\s+(\d{1,2}):(\d{2})\s*([AP])M\s*([CE])[SD]?T)?", re.IGNORECASE
)
_CENTRAL: Final = dt.timedelta(hours=1)  # that much behind New York all year
_DELAY: Final = dt.timedelta(minutes=15)
_ZONED: Final = re.compile(r"\s*([CE])[SD]?T$", re.IGNORECASE)


def read(job: Job) -> RawChain:
    """Read a download: its last line is a footer, and only its name says of what it is."""
    label = job.member.label
    expiry = _EXPIRY.search(job.member.name)
    if expiry is None:
        raise InputError(
            "the lines name no expiration date, and the file's name has none",
            file=label,
            accepted="the name of the download, such as spy-options-exp-2024-01-19-...-01-05-2024.csv",
        )
    data = to_utf8(job.member.read(), label=label)[0].replace(b"\r\n", b"\n")
    footer = _FOOTER.search(data)
    if footer is not None:
        data = data[: footer.start() + 1]
    chain = _PLAIN.read(replace(job, member=replace(job.member, data=data)))
    chain.cells["expiry"] = constant(expiry[1], len(chain.rows))
    chain.names["expiry"] = "the file's name"
    chain.call(symbol_in_names(job.member, pattern=_NAME))
    day, stamp = _downloaded(footer[0].decode(errors="replace") if footer else "", job.member.name)
    chain.stamp, chain.delay = stamp, _DELAY
    if day is not None and stamp is None:
        chain.cells["date"] = constant(day.isoformat(), len(chain.rows))
        chain.names["date"] = "the file's name"
    if "vendor_vol_pct" in chain.cells:
        chain.cells["vendor_vol_pct"] = _without_sign(chain.cells["vendor_vol_pct"])
    if "trade_time" in chain.cells:
        chain.cells["trade_time"] = _trades(chain.cells["trade_time"], day)
    return chain


def _downloaded(footer: str, name: str) -> tuple[dt.date | None, dt.datetime | None]:
    """Day and, where the footer says it, time of the download."""
    found = _STAMP.search(footer)
    if found is None:
        days = _DAY.findall(name)
        return (_date(*days[-1]) if days else None), None
    day = _date(*found.groups()[:3])
    if day is None or found[4] is None:
        return day, None
    hour = int(found[4]) % 12 + 12 * (found[6].upper() == "P")
    moment = dt.datetime.combine(day, dt.time(hour, int(found[5])), tzinfo=EASTERN)
    return day, moment + (_CENTRAL if found[7].upper() == "C" else dt.timedelta(0))


def _date(month: str, day: str, year: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _without_sign(cells: pa.Array) -> pa.Array:
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return cells  # no cell but blanks
    return pc.replace_substring_regex(cells, r"%\s*$", "")


def _trades(cells: pa.Array, day: dt.date | None) -> pa.Array:
    """Last trades: a date, or for trades of the day a time of day in the site's zone."""
    words = coded(cells)
    found = [_trade((text or "").strip(), day) for text in words.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(
        pa.array(positions(words), mask=positions(words) < 0), pa.array(found, type=pa.string())
    )


def _trade(text: str, day: dt.date | None) -> str | None:
    if not text or text.lower() in MISSING_TEXTS:
        return None
    if parse_date(text) is not None:
        return text
    zone = _ZONED.search(text)
    clock = times_of_day(pa.array([_ZONED.sub("", text)]))[0]
    if zone is None or day is None or np.isnat(clock):
        return None if zone is not None and day is None else text
    since_midnight: dt.timedelta = clock.astype(object)
    moment = dt.datetime.combine(day, dt.time(0)) + since_midnight
    return (moment + (_CENTRAL if zone[1].upper() == "C" else dt.timedelta(0))).isoformat()


FORMAT: Final = Format(
    name="barchart",
    title="Barchart options download of one expiry (stacked)",
    about=About(
        origin="the download button of barchart.com's options page, view Stacked, one expiry a file",
        clock="the footer's time of download less 15 minutes, else the date at the end of the file's name",
        vol="percent, with a sign; of which price is not said",
        odd=(
            "Underlying and expiry stand in the name alone: spy-options-exp-2024-01-19-...-01-05-2024.csv.",
            "Time is the last trade. N/A and unch say that there is nothing.",
            "A last line says when it was downloaded; it is no option line.",
            "SPX: whether a third Friday is SPX (morning) or SPXW (afternoon) is not said; SPX is taken.",
            "Volatility-and-greeks and side-by-side downloads are other tables and are not read.",
        ),
        known="readers",
    ),
    signature=("strike", "moneyness", "bid", "mid", "ask", "type", "openint"),
    without=("expiration", "expirationdate", "symbol"),
    columns={
        "trade_time": "time|lasttrade",
        "strike": "strike",
        "is_call": "type",
        "bid": "bid",
        "ask": "ask",
        "last": "latest|last",
        "volume": "volume",
        "open_interest": "openint",
        "vendor_vol_pct": "iv|impvol|impliedvolatility",
        "vendor_delta": "delta",
    },
)
_PLAIN: Final = declare(FORMAT)
READER: Final = replace(_PLAIN, read=read, splits=None, fields=("symbol", "expiry", "date", *_PLAIN.fields))
