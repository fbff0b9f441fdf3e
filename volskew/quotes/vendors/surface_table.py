"""A surface as somebody keeps it: a date, a symbol, and vols by tenor and delta, in rows or in columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from volskew.quotes.cells import numbers, rights, texts
from volskew.quotes.raw import IMPORTED_BY, About, Head, Job, Match, RawChain, Reader
from volskew.quotes.surface_rows import (
    SurfaceRows,
    by_out_of_the_money,
    call_deltas,
    refuse,
    tenor_labels,
    unpivoted,
)
from volskew.quotes.vendors.generic import SYNONYMS
from volskew.quotes.wide_surfaces import cells_of, no_chain, wide_table

__all__ = ["READER", "place_of"]

_DATES: Final = ("date", "tradedate", "quotedate", "asofdate", "observationdate")
_SYMBOLS: Final = ("symbol", "ticker", "underlying")
_DAYS: Final = ("days", "daystoexpiration", "tenordays", "maturitydays")
_DELTAS: Final = ("delta", "calldelta", "forwarddelta")
_RIGHTS: Final = ("cpflag", "callput", "putcall", "right", "optiontype", "cp")
_VOLS: Final = ("vol", "iv", "impliedvol", "impliedvolatility", "implvolatility", "volatility")
_OF_CHAINS: Final = frozenset(
    (
        "series",
        "measure",
        *(name for key in ("option", "strike", "expiry", "bid", "ask") for name in SYNONYMS[key]),
    )
)
_DELTA: Final = re.compile(
    r"(?P<size>\d{1,2})\s?(?:delta|dlt|d)?\s?(?P<side>call|put|c|p)(?![a-z])"
    r"|(?P<first>call|put)\s?(?P<later>\d{1,2})(?:\s?(?:delta|dlt|d)(?![a-z]))?(?!\s?(?:d|w|m|y)(?![a-z]))"
    r"|(?:delta|dlt)\s?(?P<plain>\d{1,2})(?!\d)|(?P<before>\d{1,2})\s?delta"
)
_TENOR: Final = re.compile(
    r"(?<![0-9.])(?P<number>\d{1,4})\s?(?P<unit>d|day|days|w|wk|week|weeks|m|mo|mon|month|months|mth|y|yr|year|years)"
    r"(?![a-z])"
)
_FEWEST: Final = 2


def place_of(name: str) -> tuple[str, str] | None:
    """Tenor and delta that the name of a column says, None where it says anything but one of each.

    Examples
    --------
    >>> [place_of(name) for name in ("iv_3m_25c", "25D Put 1M", "IV 91d delta75", "call25_1y")]
    [('3m', '25c'), ('1m', '25p'), ('91d', '75c'), ('1y', '25c')]
    >>> [place_of(name) for name in ("3m_25d_rr", "iv30d", "volume", "25c_1m_3m")]
    [None, None, None, None]
    """
    words = re.sub(r"[^a-z0-9.]+", " ", name.lower()).strip()
    found = list(_DELTA.finditer(words))
    if len(found) != 1:
        return None
    part = found[0].groupdict()
    size = part["size"] or part["later"] or part["plain"] or part["before"]
    side = (part["side"] or part["first"] or "c")[0]
    rest = f"{words[: found[0].start()]} {words[found[0].end() :]}"
    tenors = list(_TENOR.finditer(rest))
    if len(tenors) != 1 or not 0 < int(size) < 100:
        return None
    return f"{int(tenors[0]['number'])}{tenors[0]['unit'][0]}", f"{int(size)}{side}"


def match(head: Head, _columns: Mapping[str, str]) -> Match:
    """By a date and either days, deltas and vols, or columns that name a tenor and a delta each."""
    have = frozenset(head.normal)
    chain = sorted(have & _OF_CHAINS)
    wide = tuple(name for name in head.header if place_of(name))
    long = all(have.intersection(names) for names in (_DAYS, _DELTAS, _VOLS, _SYMBOLS))
    missing = (
        *(() if have.intersection(_DATES) else ("a date",)),
        *(() if long or len(wide) >= _FEWEST else ("columns such as iv_3m_25c, or days, delta and vol",)),
        *(f"(has {name})" for name in chain),
    )
    return Match(2 - min(len(missing), 2), 2, missing, rank=5, seen=wide)


def surface(job: Job, symbols: Mapping[str, str]) -> SurfaceRows:
    """The rows of a file, long or wide."""
    places = {name: place for name in job.head.header if (place := place_of(name))}
    if len(places) < _FEWEST:
        return _long(job, symbols)
    table = wide_table(job, list(places), dates=_DATES, symbols=_SYMBOLS, named=symbols)
    return SurfaceRows(unpivoted(table, places, keys=("date", "symbol")))


def _long(job: Job, symbols: Mapping[str, str]) -> SurfaceRows:
    names = {
        key: job.head.header[job.head.normal.index(name)]
        for key, usual in (
            ("date", _DATES), ("symbol", _SYMBOLS), ("days", _DAYS), ("delta", _DELTAS), ("vol", _VOLS),
            ("right", _RIGHTS),
        )
        if (name := next((name for name in usual if name in job.head.normal), None)) is not None
    }  # fmt: skip
    cells = cells_of(job, list(names.values()))
    is_call = None
    if "right" in names:
        sides = rights(cells[names["right"]])
        is_call = np.where(sides.null, np.nan, sides.data.astype(float))
    deltas, problem = call_deltas(numbers(cells[names["delta"]]).data, is_call)
    if problem is not None:
        rows = range(1 + job.head.header_line, 1 + job.head.header_line + len(deltas))
        value = cells[names["delta"]][problem.line].as_py()
        raise refuse(problem, label=job.member.label, rows=rows, column=names["delta"], value=value)
    table = pd.DataFrame(
        {
            "date": texts(cells[names["date"]]),
            "symbol": [symbols.get(name, name) for name in texts(cells[names["symbol"]])],
            "tenor": tenor_labels(numbers(cells[names["days"]]).data),
            "delta": deltas,
            "vol": numbers(cells[names["vol"]]).data,
        }
    )
    if is_call is not None:
        table = by_out_of_the_money(table, is_call)
    return SurfaceRows(table.assign(delta=table["delta"].map("{:g}".format)).reset_index(drop=True))


def read(job: Job) -> RawChain:
    """A surface is no chain."""
    raise no_chain(job, READER.title)


READER = Reader(
    "surface_table",
    "table of vols by date, tenor and delta, which has no quotes",
    match,
    read,
    about=About(
        origin="spreadsheets and databases of your own, or of a desk",
        clock="the date, taken as its close",
        vol="as in the file: `--unit percent` where it is that",
        odd=(
            "Wide: a column a tenor and delta, under names such as iv_3m_25c, 25D Put 1M or delta75_91d.",
            "Long: date, symbol, days, delta and vol; deltas in percent or decimals, puts below 0 or marked.",
            "Without a column of symbols the file's name says whose vols they are, or `--symbol =TICKER`.",
            "Long tables with tenor (3m) and delta (25c, 0.75) are plain histories, and need none of this.",
        ),
        known="seen",
    ),
    signature="a date, and two or more columns that name a tenor and a delta; or days, delta, vol and symbol",
    companion=IMPORTED_BY,
    surface=surface,
)
