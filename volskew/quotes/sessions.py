"""Which snapshots are days, over all files: one for each symbol, session and series, and no repeats."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.ledger import Code, Entry, Stage
from volskew.market.clock import previous_session
from volskew.quotes.lines import by_vendor

__all__ = ["Resolution", "Snapshot", "best_of", "fingerprint", "resolve_repeats"]

_CONTRACT: Final = ("root", "expiry", "strike", "is_call")
_LOOK_BACK: Final = 5
"""Sessions within which the same quotes cannot come up again by themselves."""

DayKey = tuple[str, dt.date, str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One symbol's chain at one instant.

    Attributes
    ----------
    symbol : str
        Underlying.
    label_date : datetime.date or None
        The date that the rows, the stamp or the file name claim.
    session : datetime.date
        The session that it belongs to.
    snapshot_time : pandas.Timestamp
        The instant that the chain is taken to be at [UTC].
    snapshot_label : str
        ``close``, a quarter of an hour in New York such as ``15:45``, or ``intraday``.
    newest_evidence : pandas.Timestamp or None
        Newest trade or quote inside [UTC].
    source_label : str
        "", ``simulated`` or ``vendor``.
    source : str
        File (and member).
    lines : int
        Option lines.
    """

    symbol: str
    label_date: dt.date | None
    session: dt.date
    snapshot_time: pd.Timestamp
    snapshot_label: str
    newest_evidence: pd.Timestamp | None = None
    source_label: str = ""
    source: str = ""
    lines: int = 0

    @property
    def day_key(self) -> DayKey:
        """What may exist only once: symbol, session, snapshot label and source label."""
        return self.symbol, self.session, self.snapshot_label, self.source_label


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which snapshots are days, and an entry for each that is not."""

    days: tuple[Snapshot, ...]
    entries: tuple[Entry, ...] = ()


def fingerprint(quotes: pd.DataFrame) -> str:
    """A short name of a chain's content, the same whatever the order of its lines.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Canonical quotes of one (symbol, session).

    Returns
    -------
    str
        32 hexadecimal digits over root, expiry, strike, right and what the readings come from: bid and ask,
        or vendor vol and last where the chain is read by its vols or has no quotes. Volume and open interest
        are left out, and beside quotes the last trade: a repeated chain may carry new ones, or none.
    """
    bid, ask, vol = (quotes[name].to_numpy(dtype=np.float64) for name in ("bid", "ask", "vendor_vol"))
    quoted = bool(((bid > 0) | (ask > 0)).any()) and not by_vendor(bid=bid, ask=ask, vendor_vol=vol)
    total = np.full(len(quotes), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for name in (*_CONTRACT, *(("bid", "ask") if quoted else ("vendor_vol", "last"))):
        total = total * np.uint64(0x100000001B3) ^ _hashes(quotes[name])
    return hashlib.sha256(np.sort(total).tobytes()).hexdigest()[:32]


def _hashes(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    if isinstance(column.dtype, pd.StringDtype):
        codes, distinct = pd.factorize(column)
        words = [int.from_bytes(hashlib.sha256(str(text).encode()).digest()[:8], "big") for text in distinct]
        return np.array([*words, 0], dtype=np.uint64)[codes]
    if isinstance(column.dtype, pd.BooleanDtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=-1.0)
    elif column.dtype.kind == "M":
        numbers = column.astype("int64").to_numpy().astype(np.float64)
    else:
        numbers = np.nan_to_num(column.to_numpy(dtype=np.float64), nan=-9.87654321e300) + 0.0
    return np.asarray(pd.util.hash_array(numbers), dtype=np.uint64)


def resolve_repeats(found: Iterable[tuple[Snapshot, str]]) -> Resolution:
    """Settle, over all files, which snapshots are days.

    Of several snapshots of one symbol, session and label, the one with the newest evidence stays, then the
    one whose label is the session, then the one with more lines, then the first by file name; the others
    are SUPERSEDED. A snapshot with the content of the symbol's session before, that is the last one present
    of the five before it, is a STALE_REPEAT, even where that one is itself a repeat.

    Parameters
    ----------
    found : iterable of (Snapshot, str)
        Snapshots with their `fingerprint`.

    Returns
    -------
    Resolution
        ``days`` sorted by symbol, session, label and source.
    """
    groups: dict[DayKey, list[tuple[Snapshot, str]]] = {}
    for snapshot, print_ in found:
        groups.setdefault(snapshot.day_key, []).append((snapshot, print_))
    days: list[Snapshot] = []
    entries: list[Entry] = []
    latest: dict[tuple[str, str, str], tuple[dt.date, str]] = {}
    for key in sorted(groups):
        (best, print_), *losers = sorted(groups[key], key=_precedence)
        entries.extend(_superseded(loser, best) for loser, _ in losers)
        symbol, session, label, source = key
        before = latest.get((symbol, label, source))
        latest[symbol, label, source] = session, print_
        if before is not None and before[1] == print_ and _is_recent(before[0], session):
            detail = f"every line equals the session before ({before[0]})"
            entries.append(_entry(best, Code.STALE_REPEAT, detail))
        else:
            days.append(best)
    return Resolution(tuple(days), tuple(entries))


def _is_recent(earlier: dt.date, session: dt.date) -> bool:
    """Whether a session is among the few before another."""
    day = session
    for _ in range(_LOOK_BACK):
        day = previous_session(day)
    return earlier >= day


def best_of(snapshots: Sequence[Snapshot]) -> int:
    """Position of the snapshot that stays among several of one `Snapshot.day_key`."""
    order = sorted(range(len(snapshots)), key=lambda place: _precedence((snapshots[place], "")))
    return order[0]


def _precedence(item: tuple[Snapshot, str]) -> tuple[float, bool, int, str]:
    snapshot = item[0]
    evidence = snapshot.newest_evidence
    newest = -evidence.timestamp() if evidence is not None else float("inf")
    return newest, snapshot.label_date != snapshot.session, -snapshot.lines, snapshot.source


def _superseded(loser: Snapshot, best: Snapshot) -> Entry:
    where = f"{best.source}, " if best.source != loser.source else ""
    detail = f"{where}labelled {best.label_date}, holds a later or fuller snapshot of the same session"
    return _entry(loser, Code.SUPERSEDED, detail)


def _entry(snapshot: Snapshot, code: Code, detail: str) -> Entry:
    return Entry(
        snapshot.session,
        snapshot.symbol,
        Stage.SESSION.value,
        code.value,
        snapshot.lines,
        detail,
        snapshot.source,
    )
