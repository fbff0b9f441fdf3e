"""Databento's binary files (DBN, with zstd around or not), read by the vendor's optional decoder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from volskew.errors import InputError, NotAChainError
from volskew.ledger import Code
from volskew.quotes.companions import companions, days_of
from volskew.quotes.headers import normalise
from volskew.quotes.raw import About, Head, Job, Match, RawChain, Reader, is_aside
from volskew.quotes.ticks import last_quotes
from volskew.quotes.vendors import databento, databento_definitions

__all__ = ["READER"]

_MAGIC: Final = b"DBN"
_ROWS: Final = 1_000_000
_EXTRA: Final = (
    "pip install 'volskew[databento]' (the package databento), or the file as CSV (DBNStore.to_csv)"
)
_DEFINITION: Final = "definition"
_QUOTES: Final = "cbbo-1s, cbbo-1m, cmbp-1 or mbp-1"


def match(head: Head, _columns: Mapping[str, str]) -> Match:
    """By its first bytes."""
    if head.kind == "binary" and head.magic == _MAGIC:
        return Match(1, 1, rank=10)
    return Match(0, 1, ("binary data that begin with DBN",))


def read(job: Job) -> RawChain:
    """Read quotes; symbols come from the file's own mappings, or from definitions beside it, CSV or DBN.

    Raises
    ------
    InputError
        The decoder is not installed, the file is damaged, or it holds no quotes.
    NotAChainError
        It holds definitions or another schema without quotes.
    """
    store = _store(job)
    if str(store.schema) == _DEFINITION:
        raise NotAChainError(
            databento_definitions.READER.title,
            file=job.member.label,
            accepted=databento_definitions.READER.companion,
            code=Code.SKIPPED.value,
            looks_like=databento_definitions.READER.name,
        )
    chain = last_quotes(_quotes(store, job), label=job.member.label)
    days = days_of(chain.cells["date"])
    own = _mappings(store, sorted(days))
    if own is not None:
        return databento.named_contracts(chain, job, [own])
    found = (_definitions(other) for other in companions(job, _may_define, days))
    return databento.named_contracts(chain, job, [table for table in found if table is not None])


def _store(job: Job) -> Any:
    try:
        from databento import DBNStore  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise InputError(
            "a binary file (DBN), which needs its vendor's decoder", file=job.member.label, accepted=_EXTRA
        ) from error
    try:
        return DBNStore.from_bytes(job.member.read())
    except InputError:
        raise
    except Exception as error:  # the decoder raises errors of many kinds
        raise _damaged(job, error) from error


def _damaged(job: Job, error: Exception) -> InputError:
    return InputError(f"truncated or damaged DBN ({error})", file=job.member.label)


def _arrays(store: Any, job: Job) -> Iterator[np.ndarray[Any, Any]]:
    """The records of a file, some at a time; a cut file only warns, which is an error here."""
    try:
        arrays = iter(store.to_ndarray(count=_ROWS))
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.filterwarnings("error", message=".*truncated")
                found = next(arrays, None)
            if found is None:
                return
            if len(found):
                yield found
    except Exception as error:  # as above
        raise _damaged(job, error) from error


def _quotes(store: Any, job: Job) -> Iterator[RawChain]:
    """Cells of the quotes, some rows at a time."""
    before = 0
    for array in _arrays(store, job):
        if "bid_px_00" not in (array.dtype.names or ()):
            raise NotAChainError(f"no quotes but {store.schema}", file=job.member.label, accepted=_QUOTES)
        chain = _chain(array, databento.FULL, before)
        chain.fillers, chain.zone = databento.FORMAT.fillers, databento.FORMAT.zone
        before += len(array)
        found = databento.adjust(chain, job)
        found.cells = {key: cells for key, cells in found.cells.items() if not is_aside(key)}
        yield found
    if not before:
        raise InputError("no lines of quotes", file=job.member.label, code=Code.EMPTY.value)


def _chain(array: np.ndarray[Any, Any], columns: Mapping[str, str], before: int) -> RawChain:
    there = {normalise(name): name for name in array.dtype.names or ()}
    cells: dict[str, pa.Array] = {}
    names: dict[str, str] = {}
    for key, spec in columns.items():
        name = next((there[part] for part in spec.split("|") if part in there), None)
        if name is None:
            continue
        values = np.ascontiguousarray(array[name])
        if values.dtype.kind == "S":
            values = np.char.decode(values, "latin-1")
        cells[key] = pa.array(values)
        names[key] = name
    return RawChain(cells, names, np.arange(before + 1, before + len(array) + 1, dtype=np.int64))


def _mappings(store: Any, days: list[Any]) -> RawChain | None:
    """Numbers and symbols as the file's metadata map them, by day; None where they do not."""
    found = [
        (day, symbol, span["symbol"])
        for symbol, spans in store.mappings.items()
        for span in spans
        for day in days
        if span["start_date"] <= day < span["end_date"]
    ]
    if not found:
        return None
    dates, one, other = zip(*found, strict=True)
    numbers, symbols = (one, other) if str(one[0]).isdigit() else (other, one)
    cells = {
        "date": pa.array(dates),
        "option": pa.array(list(map(str, numbers))),
        "symbol_of": pa.array(list(map(str, symbols))),
    }
    return RawChain(cells, {}, np.arange(len(found), dtype=np.int64))


def _may_define(head: Head) -> bool:
    return head.magic == _MAGIC or databento_definitions.is_definitions(head)


def _definitions(job: Job) -> RawChain | None:
    """The definitions that a file beside holds, by the day; None where it is another's."""
    if job.head.magic != _MAGIC:
        return databento_definitions.definitions(job)
    store = _store(job)
    arrays = list(_arrays(store, job)) if str(store.schema) == _DEFINITION else []
    if not arrays:
        return None
    chain = _chain(np.concatenate(arrays), databento_definitions.FORMAT.columns, 0)
    return databento_definitions.days_of_definitions(chain, job)


READER: Final = Reader(
    "databento_dbn",
    "Databento binary file (DBN), read with the optional package databento",
    match,
    read,
    about=About(
        origin="databento.com, batch downloads and DBNStore.to_file, .dbn or .dbn.zst",
        clock=databento.FORMAT.about.clock,
        odd=(
            "Needs the extra databento: pip install 'volskew[databento]'.",
            "Symbols come from the file's own mappings, else from definitions beside it.",
            *databento.FORMAT.about.odd,
        ),
        known="documented",
    ),
    signature="binary data that begin with DBN",
    fields=databento.READER.fields,
    magic=_MAGIC,
)
