"""Databento (OPRA): quotes at intervals or as they changed, with symbols or definitions beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.quotes.cells import coded, numbers, which
from volskew.quotes.companions import companions, days_of, places_of, taken
from volskew.quotes.formats import Format
from volskew.quotes.lines_of import nobody_is_zero
from volskew.quotes.raw import About, Job, RawChain, Remark
from volskew.quotes.ticks import declare_ticks
from volskew.quotes.times_ns import nanoseconds
from volskew.quotes.vendors import databento_definitions

__all__ = ["FORMAT", "FULL", "READER", "adjust", "is_numbered", "named_contracts"]

_PRICES: Final = ("bid", "ask", "last")
_SCALE: Final = 1e9
_UNDEFINED: Final = float(2**63 - 1)
_LARGEST_PRICE: Final = 1e6  # [$]; as an integer it is a thousandth of a dollar, which no quote is below
_CONSOLIDATED: Final = "30"
_ID: Final = r"^[0-9]+$"
_PUBLISHER: Final = re.compile(r"[0-9]{1,5}")
_SHOWN: Final = 5
_LONGEST: Final = 40
_ONE_FEED: Final = (
    f"quotes of one feed: publisher {_CONSOLIDATED}, the consolidated best bid and offer (cbbo-1s, cbbo-1m, "
    "cmbp-1), or those of one exchange alone"
)


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Prices in dollars, quotes of one feed, a name for each contract: its symbol, or for now its number."""
    _price_scale(chain, job)
    _one_feed(chain, job)
    nobody_is_zero(chain, (_UNDEFINED,))
    symbols = chain.cells.get("option")
    if symbols is None or not which(symbols, bool).any():
        chain.cells["option"] = chain.cells["@instrument"]
        chain.names["option"] = chain.names["@instrument"]
    if "@action" in chain.cells:  # the price is that of an order or trade of any kind, not the last trade's
        for name in ("last", "trade_time"):
            chain.cells.pop(name, None)
    elif "trade_time" in chain.cells:
        chain.cells["trade_time"] = _stamps(chain, job)
    return chain


def _stamps(chain: RawChain, job: Job) -> pa.Array:
    column = chain.cells["trade_time"]
    if not which(column, bool).any():
        return pa.nulls(len(column), pa.timestamp("ns", "UTC"))
    found = nanoseconds(
        column, zone="UTC", label=job.member.label, column=chain.names["trade_time"], rows=chain.rows
    )
    return pc.cast(pa.array(found.view("datetime64[ns]")), pa.timestamp("ns", "UTC"))


def _price_scale(chain: RawChain, job: Job) -> None:
    """Decimals are dollars, whole numbers 1e-9 dollars; the file's form tells, and its numbers must agree."""
    there = [name for name in _PRICES if name in chain.cells]
    values = {name: numbers(chain.cells[name]).data for name in there}
    known = {name: column[(column > 0) & (column < 0.9 * _UNDEFINED)] for name, column in values.items()}
    quoted = np.concatenate([known[name] for name in there if name != "last"])
    if not len(quoted):
        return
    samples = (text for name in ("bidpx00", "askpx00") for text in job.head.samples.get(name, ()))
    written = [text for text in samples if text.strip()]
    typed = any(pa.types.is_integer(chain.cells[name].type) for name in there)
    small = not typed and bool((quoted < _LARGEST_PRICE).all())
    decimals = any("." in text for text in written) if written else small
    wrong = quoted >= _LARGEST_PRICE if decimals else quoted < _LARGEST_PRICE
    if wrong.any():
        name = "bid" if len(known["bid"]) else "ask"
        form = "decimals, which are dollars," if decimals else "whole numbers, which are 1e-9 dollars,"
        raise InputError(
            f"prices are written as {form} and {int(wrong.sum())} of {len(wrong)} are implausible as that",
            file=job.member.label,
            column=chain.names[name],
            value=float(quoted[wrong][0]),
            accepted="decimals from 0.001 to 1000000, or whole numbers of 1e-9 dollars, in the whole file",
            code=Code.BAD_UNITS.value,
        )
    if not decimals:
        chain.divisors = {**chain.divisors, **dict.fromkeys(there, _SCALE)}


def _one_feed(chain: RawChain, job: Job) -> None:
    """Refuse a mixture of feeds; say it where they are a single exchange's."""
    publishers = chain.cells.get("@publisher")
    if publishers is None:
        return
    words = coded(publishers)
    used = pc.unique(words.indices).drop_null().to_pylist()
    told = {(words.dictionary[place].as_py() or "").strip() for place in used}
    found = sorted(text for text in told if _PUBLISHER.fullmatch(text))
    if len(found) > 1:
        _refuse_mixture(found, job)
    if found and found != [_CONSOLIDATED]:
        remark = Remark(Code.ONE_VENUE, len(chain.rows), f"quotes of publisher {found[0]} alone")
        chain.remarks = (*chain.remarks, remark)


def _refuse_mixture(found: list[str], job: Job) -> None:
    raise InputError(
        f"quotes of several feeds in one file (publishers {', '.join(found[:_SHOWN])})",
        file=job.member.label,
        column="publisher_id",
        accepted=_ONE_FEED,
    )


def named_contracts(chain: RawChain, job: Job, tables: list[RawChain] | None = None) -> RawChain:
    """Symbols for contracts that have only a number, out of the definitions of the same day.

    Parameters
    ----------
    chain : RawChain
        The last line of each contract.
    job : Job
        Its file.
    tables : list of RawChain, optional
        The definitions, by default those of tables beside the file.

    Raises
    ------
    InputError
        Feeds are mixed in the file as a whole; or there are no definitions of these days.
    """
    venues = [remark for remark in chain.remarks if remark.code is Code.ONE_VENUE]
    read = len(chain.rows) + sum(remark.count for remark in chain.remarks if remark.left_out)
    if venues and (len(venues) > 1 or venues[0].count < read):
        _refuse_mixture([remark.detail for remark in venues], job)
    if not is_numbered(chain):
        return chain
    if tables is None:
        days = days_of(chain.cells["date"])
        beside = companions(job, databento_definitions.is_definitions, days)
        tables = [databento_definitions.definitions(other) for other in beside]
    return _placed(chain, tables, job)


def is_numbered(chain: RawChain) -> bool:
    """Whether contracts are called by their instrument numbers."""
    first = chain.cells["option"].drop_null()
    return bool(len(first)) and bool(
        pc.match_substring_regex(pc.cast(first[:1], pa.string()), _ID)[0].as_py()
    )


def _placed(chain: RawChain, tables: list[RawChain], job: Job) -> RawChain:
    """The chain with the symbols of its instrument numbers; numbers are given anew every day."""
    accepted = (
        "the definitions of the same days in the same folder (schema definition, CSV), or a file with "
        "symbols (map_symbols=True)"
    )
    if not tables:
        raise InputError(
            "contracts have numbers (instrument_id) and no symbols, and no definitions lie beside the file",
            file=job.member.label,
            accepted=accepted,
        )
    places = places_of(chain, tables, on=("date", "option"))
    symbols = taken(tables, "symbol_of", places)
    missing = np.asarray(pc.is_null(symbols).to_numpy(zero_copy_only=False))
    if missing.all():
        days = sorted(day.isoformat() for day in days_of(chain.cells["date"]))
        raise InputError(
            f"none of the numbers (instrument_id) has a definition of its day ({', '.join(days[:3])}); they "
            "are given anew every day",
            file=job.member.label,
            accepted=accepted,
        )
    if missing.any():
        number = str(chain.cells["option"][int(np.argmax(missing))].as_py())[:_LONGEST]
        detail = f"no definition of the day for instrument_id, {number} first"
        chain.remarks = (*chain.remarks, Remark(Code.BAD_CELLS, int(missing.sum()), detail))
    if all("expiry" in table.cells for table in tables):
        chain.cells["expiry"] = taken(tables, "expiry", places)
        chain.names["expiry"] = "expiration of the definitions"
    chain.cells["option"], chain.names["option"] = symbols, "raw_symbol of the definitions"
    return chain


FULL: Final[Mapping[str, str]] = {
    "quote_time": "tsrecv",
    "trade_time": "tsevent",
    "option": "symbol|rawsymbol",
    "bid": "bidpx00",
    "ask": "askpx00",
    "bid_size": "bidsz00",
    "ask_size": "asksz00",
    "last": "price",
    "@publisher": "publisherid",
    "@instrument": "instrumentid",
    "@action": "action",
}
_NO_PRICE: Final = dict.fromkeys(_PRICES, (_UNDEFINED,))
_NO_SIZE: Final = dict.fromkeys(("bid_size", "ask_size"), (float(2**32 - 1),))

FORMAT: Final = Format(
    name="databento",
    title="Databento quotes of options (cbbo-1s, cbbo-1m, cmbp-1, mbp-1, bbo; CSV)",
    about=About(
        origin="databento.com, dataset OPRA.PILLAR: batch downloads, or DBNStore.to_csv of the Python client",
        clock="ts_recv, UTC (of an interval its end); each contract's last by the close is taken",
        odd=(
            "An interval without a change has no line: a contract's line stands until its next.",
            "Prices are dollars where they have a decimal point, else whole numbers of 1e-9 dollars.",
            "Without symbols contracts have numbers of the day: their definitions must lie beside the file.",
            "Publisher 30 is the consolidated quote; one exchange's are read and said to be that.",
            "Several feeds in one file are refused.",
            "No underlying price, vols, or open interest: the spot is implied from calls and puts.",
        ),
        known="documented",
    ),
    signature=("tsrecv", "publisherid", "instrumentid", "bidpx00", "askpx00"),
    columns=FULL,
    fillers={**_NO_PRICE, **_NO_SIZE},
    zone="UTC",
    adjust=adjust,
)
READER: Final = declare_ticks(FORMAT, named_contracts)
