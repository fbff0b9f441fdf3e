"""Databento (OPRA): instrument definitions, which say what the numbers of contracts in quotes mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from volskew.quotes.cells import which
from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About, Head, Job, RawChain
from volskew.quotes.tabular import read_tabular
from volskew.quotes.times_ns import NEVER, nanoseconds

__all__ = ["FORMAT", "READER", "days_of_definitions", "definitions", "is_definitions"]

_DAY: Final = 86_400_000_000_000  # [ns]
_SIDES: Final = frozenset(("C", "P"))


def definitions(job: Job) -> RawChain:
    """Cells ``option`` (the number), ``symbol_of`` and ``expiry`` by day, of the options of such a file."""
    return days_of_definitions(read_tabular(FORMAT, job), job)


def days_of_definitions(chain: RawChain, job: Job) -> RawChain:
    """The same of cells that were read: of options alone, deleted ones left out."""
    stamps = nanoseconds(
        chain.cells["quote_time"],
        zone="UTC",
        label=job.member.label,
        column=chain.names["quote_time"],
        rows=chain.rows,
    )
    day = np.where(stamps == NEVER, np.datetime64("NaT", "D").astype(np.int64), stamps // _DAY)
    chain.cells["date"] = pa.array(day.view("datetime64[D]"))
    chain.cells["symbol_of"] = chain.cells.pop("option")
    chain.cells["option"] = chain.cells["@instrument"]
    keep = which(chain.cells["@class"], lambda word: word.upper() in _SIDES)
    if "@action" in chain.cells:
        keep &= ~which(chain.cells["@action"], lambda word: word.upper() == "D")
    return chain.kept(keep)


FORMAT: Final = Format(
    name="databento_definitions",
    title="Databento instrument definitions (CSV): no quotes",
    about=About(
        origin="databento.com, schema definition of OPRA.PILLAR",
        clock="ts_recv; numbers of instruments hold for its day alone",
        odd=("expiration is midnight UTC of the expiration date: a date, and no time.",),
        known="documented",
    ),
    signature=("rawsymbol", "instrumentclass", "strikeprice", "expiration", "instrumentid"),
    without=("bidpx00",),
    columns={
        "quote_time": "tsrecv|tsevent",
        "option": "rawsymbol",
        "expiry": "expiration",
        "@instrument": "instrumentid",
        "@class": "instrumentclass",
        "@action": "securityupdateaction",
    },
    zone="UTC",
)
READER: Final = replace(
    declare(FORMAT),
    companion="files of quotes of the same days: definitions in their folder are read with them",
)


def is_definitions(head: Head) -> bool:
    """Whether a table is of this kind."""
    return READER.match(head, {}).full
