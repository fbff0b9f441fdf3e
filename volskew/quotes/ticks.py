"""Files of quotes as they changed, many a contract: the last of each at or before its session's close.

Such a file is read piece by piece, so that memory holds the contracts and not their quotes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.clock import EASTERN, is_session, session_close
from volskew.quotes.body import has_lines
from volskew.quotes.cells import coded, distinct_codes, positions
from volskew.quotes.encodings import is_wide
from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import Job, RawChain, Reader, Remark
from volskew.quotes.times_ns import NEVER, nanoseconds

__all__ = ["declare_ticks", "last_quotes"]

_PIECE: Final = 64 * 2**20
_HOUR: Final = 3_600_000_000_000  # [ns]; New York's clock changes on whole hours
_IDENTITY: Final = ("option", "symbol", "root", "expiry", "strike", "is_call")
_EARLIER: Final = "quotes before their contract's last one at or before the close"
_LATE: Final = "quotes after the close of their session"
_NO_SESSION: Final = "quotes on days without a session"
_UNKNOWN: Final = "lines without a time or a contract"

Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class _Tally:
    """Lines that are no rows of the chain, by reason."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + count

    def remarks(self) -> tuple[Remark, ...]:
        return tuple(
            Remark(Code.OTHER_TICKS, count, reason, left_out=True)
            for reason, count in self.counts.items()
            if count
        )


After = Callable[[RawChain, Job], RawChain]


def declare_ticks(stated: Format, after: After | None = None) -> Reader:
    """The reader of a stated format whose lines are quotes as they changed.

    Parameters
    ----------
    stated : Format
        Its ``quote_time`` orders the quotes; it has no ``date``, which is the session's.
    after : callable or None
        ``after(chain, job) -> RawChain``, once the few lines that stay are found.

    Returns
    -------
    Reader
        Of each contract and session the last line at or before the close; the others are remarks.
    """
    plain = declare(stated)
    return replace(plain, read=partial(_read, plain, after), splits=None)


def last_quotes(pieces: Iterable[RawChain], *, label: str) -> RawChain:
    """One chain with the last line alone of each contract and session, at or before the close.

    Parameters
    ----------
    pieces : iterable of RawChain
        In the order of the file, each with ``quote_time`` and cells that tell contracts apart.
    label : str
        The file in errors.

    Returns
    -------
    RawChain
        In the order of the file, with the session as ``date`` and remarks on all lines that are not in it. Of
        quotes at one instant the last in the file stays.

    Raises
    ------
    InputError
        No line is left (code EMPTY), or times cannot be read.
    """
    tally = _Tally()
    found = [_last(chain, label, tally) for chain in pieces]
    chain = _joined(found)
    if len(found) > 1 and len(chain.rows):
        chain = _last(chain, label, tally)
    remarks = (*chain.remarks, *tally.remarks())
    if not len(chain.rows):
        told = "; ".join(f"{remark.count} {remark.detail}" for remark in remarks)
        raise InputError(
            f"no quote at or before the close of a session ({told})",
            file=label,
            accepted="quotes between the open and 16:00 in New York",
            code="EMPTY",
        )
    return replace(chain, remarks=remarks)


def _read(plain: Reader, after: After | None, job: Job) -> RawChain:
    chain = last_quotes((plain.read(piece) for piece in _pieces(job)), label=job.member.label)
    return after(chain, job) if after is not None else chain


def _pieces(job: Job) -> Iterator[Job]:
    """The job in pieces of whole lines, of which the first has the header."""
    if job.head.kind != "text" or is_wide(job.member.head(4)):
        yield job
        return
    before, nothing = 0, True
    for text, more in job.member.line_pieces(_PIECE):
        if has_lines(text, header_line=0 if before else job.head.header_line):
            nothing = False
            yield replace(job, member=replace(job.member, data=text), before=before)
        before += text.count(b"\n") if more else 0
    if nothing:  # refused where it is read
        yield job


def _joined(chains: list[RawChain]) -> RawChain:
    first = chains[0]
    if len(chains) == 1:
        return first
    keys = dict.fromkeys(key for chain in chains for key in chain.cells)
    cells = {key: _concatenated([_cells(chain, key) for chain in chains]) for key in keys}
    remarks: dict[tuple[Code, str, bool], int] = {}
    for chain in chains:
        for remark in chain.remarks:
            key = remark.code, remark.detail, remark.left_out
            remarks[key] = remarks.get(key, 0) + remark.count
    return replace(
        first,
        cells=cells,
        rows=np.concatenate([chain.rows for chain in chains]),
        ragged=tuple(line for chain in chains for line in chain.ragged),
        latin=any(chain.latin for chain in chains),
        remarks=tuple(Remark(code, n, detail, out) for (code, detail, out), n in remarks.items()),
    )


def _cells(chain: RawChain, key: str) -> pa.Array:
    return chain.cells[key] if key in chain.cells else pa.nulls(len(chain.rows), pa.string())


def _concatenated(parts: list[pa.Array]) -> pa.Array:
    if any(
        part.type != parts[0].type for part in parts
    ):  # one piece may have words where others have numbers
        parts = [pc.cast(coded(part).dictionary_decode(), pa.string()) for part in parts]
    return pa.concat_arrays(parts)


def _last(chain: RawChain, label: str, tally: _Tally) -> RawChain:
    """The last line of each contract and session; the session becomes the date of its lines."""
    stamps = nanoseconds(
        chain.cells["quote_time"],
        zone=chain.zone,
        label=label,
        column=chain.names.get("quote_time", "quote_time"),
        rows=chain.rows,
    )
    contract = _contracts(chain)
    hours, of_hour = distinct_codes(stamps // _HOUR)
    days, closes = _sessions(hours)
    close, day = closes[of_hour], days[of_hour]
    known = (stamps != NEVER) & (contract >= 0)
    in_session = known & ~np.isnat(day)
    eligible = in_session & (stamps <= close)
    lines = np.flatnonzero(eligible)
    distinct, day_code = distinct_codes(day[lines].astype(np.int64))
    _, key = distinct_codes(contract[lines] * max(len(distinct), 1) + day_code)
    newest = np.full(int(key.max(initial=-1)) + 1, NEVER)
    np.maximum.at(newest, key, stamps[lines])
    at_last = stamps[lines] == newest[key]
    last = np.zeros(len(newest), dtype=np.int64)
    last[key[at_last]] = lines[at_last]  # of repeated places the last assignment stays
    kept = np.sort(last)
    tally.add(_EARLIER, len(lines) - len(kept))
    tally.add(_LATE, int((in_session & ~eligible).sum()))
    tally.add(_NO_SESSION, int((known & ~in_session).sum()))
    tally.add(_UNKNOWN, int((~known).sum()))
    take = pa.array(kept)
    cells = {name: column.take(take) for name, column in chain.cells.items()}
    cells["date"] = pa.array(day[kept].astype("datetime64[D]"))
    cells["quote_time"] = pa.array(stamps[kept].view("datetime64[ns]")).cast(pa.timestamp("ns", "UTC"))
    names = {**chain.names, "date": chain.names.get("quote_time", "quote_time")}
    return replace(chain, cells=cells, names=names, rows=chain.rows[kept])


def _contracts(chain: RawChain) -> Array:
    """A number for each contract, -1 where a line names none."""
    keys = [key for key in _IDENTITY if key in chain.cells]
    if "option" in keys:
        keys = ["option"]
    total = np.zeros(len(chain.rows), dtype=np.int64)
    unknown = np.zeros(len(chain.rows), dtype=bool)
    for place, key in enumerate(keys):
        cells = chain.cells[key]
        words = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        codes = positions(words)
        unknown |= codes < 0
        total = total * (len(words.dictionary) + 1) + codes + 1
        if place:  # the numbers of a few columns together are soon too large
            _, total = distinct_codes(total)
    return np.where(unknown, -1, total)


def _sessions(hours: Array) -> tuple[Array, Array]:
    """Session and its close [ns] of each hour since 1970; NaT and the beginning of time where none is."""
    days = np.full(len(hours), np.datetime64("NaT", "D"))
    closes = np.full(len(hours), NEVER)
    known = np.flatnonzero(hours > 0)
    local = pd.to_datetime(hours[known] * 3600, unit="s", utc=True).tz_convert(EASTERN)
    for place, day in zip(known, local.date, strict=True):
        try:
            if not is_session(day):
                continue
        except InputError:  # beyond the calendar
            continue
        days[place] = day
        closes[place] = session_close(day).as_unit("ns").value
    return days, closes
