"""ORATS summaries and cores: vols at constant days and call deltas on one row a day, into a vol history."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from volskew.quotes.raw import IMPORTED_BY, About, Head, Job, Match, RawChain, Reader
from volskew.quotes.surface_rows import SurfaceRows, unpivoted
from volskew.quotes.wide_surfaces import no_chain, wide_table

__all__ = ["READER"]

_NAME: Final = re.compile(r"dlt(5|25|75|95)iv(10d|20d|30d|60d|90d|6m|1yr?)")
_TENORS: Final = {"6m": "180d", "1y": "1y", "1yr": "1y", "30d": "1m", "60d": "2m"}
_DATES: Final = ("tradedate", "quotedate", "date")
_SYMBOLS: Final = ("ticker", "symbol")


def match(head: Head, _columns: Mapping[str, str]) -> Match:
    """By any column such as dlt25Iv90d beside a ticker and a date."""
    found = tuple(
        name for name, normal in zip(head.header, head.normal, strict=True) if _NAME.fullmatch(normal)
    )
    missing = (
        *(() if found else ("dlt25Iv90d or its like",)),
        *(() if set(_DATES) & set(head.normal) else ("tradeDate",)),
    )
    return Match(2 - len(missing), 2, missing, rank=12, seen=found)


def surface(job: Job, symbols: Mapping[str, str]) -> SurfaceRows:
    """The rows of a file."""
    places = {}
    for name, normal in zip(job.head.header, job.head.normal, strict=True):
        found = _NAME.fullmatch(normal)
        if found is not None:
            places[name] = (_TENORS.get(found[2], found[2]), f"{int(found[1]) / 100:g}")
    table = wide_table(job, list(places), dates=_DATES, symbols=_SYMBOLS, named=symbols)
    return SurfaceRows(unpivoted(table, places, keys=("date", "symbol")))


def read(job: Job) -> RawChain:
    """A surface is no chain."""
    raise no_chain(job, READER.title)


READER = Reader(
    "orats_surface",
    "ORATS summaries or cores (dlt25Iv90d and its like): vols at constant days and deltas, no quotes",
    match,
    read,
    about=About(
        origin="orats.com, API answers hist/summaries and hist/cores, and their daily files",
        clock="tradeDate, taken as its close",
        vol="as in the file: `--unit percent` where it is that, for a unit that does not fit is refused",
        odd=(
            "dlt25Iv90d is at the 25 delta of the call, dlt75Iv90d at its 75 delta, which is a 25-delta put.",
            "Some readers take them the other way round: hold the skew of an index against what is known.",
            "6m is 180 days. iv30d and its like (at the money) and exErn... (without earnings) are left out.",
        ),
        known="readers",
    ),
    signature="columns such as dlt25Iv90d (5, 25, 75, 95; 10d to 1y), and tradeDate",
    companion=IMPORTED_BY,
    surface=surface,
)
