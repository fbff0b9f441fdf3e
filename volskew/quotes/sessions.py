"""Which snapshots are days, over all files: one for each symbol, session and series, and no repeats."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.ledger import Code, Entry, Stage
from volskew.market.clock import EASTERN, previous_session
from volskew.quotes.lines import by_vendor
from volskew.quotes.ruling import Ground

__all__ = [
    "Resolution",
    "Snapshot",
    "contracts_of",
    "fingerprint",
    "precedence",
    "resolve_repeats",
    "superseded_by",
]

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
        ``close``, a quarter of an hour in New York such as ``15:45`` (a minute, where the rows state several
        of one quarter), or ``intraday``.
    newest_evidence : pandas.Timestamp or None
        Newest trade or quote inside [UTC].
    source_label : str
        "", ``simulated`` or ``vendor``.
    source : str
        File (and member).
    lines : int
        Option lines.
    is_late : bool
        Its rows state a time after the close, such as the 16:15 of a file of intervals.
    dated_by : str
        What it is dated by, in words.
    ground : Ground or None
        What session and time rest on.
    traded : int
        Lines traded on the day of the newest trade.
    name_date : datetime.date or None
        The date in the name of the file or its folder, whatever else tells the session.
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
    is_late: bool = False
    dated_by: str = ""
    ground: Ground | None = None
    traded: int = 0
    name_date: dt.date | None = None

    @property
    def day_key(self) -> DayKey:
        """What may exist only once: symbol, session, snapshot label and source label."""
        return self.symbol, self.session, self.snapshot_label, self.source_label


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which snapshots are days; which are not, and an entry for each of these, in the same order."""

    days: tuple[Snapshot, ...]
    entries: tuple[Entry, ...] = ()
    left_out: tuple[Snapshot, ...] = ()


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
    total = _named(quotes, (*_CONTRACT, *(("bid", "ask") if quoted else ("vendor_vol", "last"))))
    return hashlib.sha256(np.sort(total).tobytes()).hexdigest()[:32]


def contracts_of(lines: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Names of the contracts of lines: the same number for the same contract, in any file.

    Parameters
    ----------
    lines : pandas.DataFrame
        ``root``, ``settlement``, ``expiry``, ``strike`` and ``is_call`` as in canonical quotes.

    Returns
    -------
    numpy.ndarray of uint64
        One for each line. Lines without an expiry, a strike or a right are of no contract: 0.
    """
    total = _named(lines, (*_CONTRACT, "settlement"))
    unknown = lines[["expiry", "strike", "is_call"]].isna().any(axis=1).to_numpy()
    return np.where(unknown, np.uint64(0), total)


def _named(quotes: pd.DataFrame, names: Iterable[str]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    total = np.full(len(quotes), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for name in names:
        total = total * np.uint64(0x100000001B3) ^ _hashes(quotes[name])
    return total


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

    Of several snapshots of one symbol, session and label, the one stays that `precedence` puts first; the
    others are SUPERSEDED. A snapshot with the content of the symbol's session before, that is the last one
    present of the five before it, is a STALE_REPEAT, even where that one is itself a repeat.

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
    left_out: list[Snapshot] = []
    latest: dict[tuple[str, str, str], tuple[dt.date, str]] = {}
    for key in sorted(groups):
        (best, print_), *losers = sorted(groups[key], key=lambda item: precedence(item[0]))
        entries.extend(_entry(loser, Code.SUPERSEDED, superseded_by(best, loser)) for loser, _ in losers)
        left_out.extend(loser for loser, _ in losers)
        symbol, session, label, source = key
        before = latest.get((symbol, label, source))
        latest[symbol, label, source] = session, print_
        if before is not None and before[1] == print_ and _is_recent(before[0], session):
            detail = f"every line equals the session before ({before[0]})"
            entries.append(_entry(best, Code.STALE_REPEAT, detail))
            left_out.append(best)
        else:
            days.append(best)
    return Resolution(tuple(days), tuple(entries), tuple(left_out))


def _is_recent(earlier: dt.date, session: dt.date) -> bool:
    """Whether a session is among the few before another."""
    day = session
    for _ in range(_LOOK_BACK):
        day = previous_session(day)
    return earlier >= day


def precedence(snapshot: Snapshot) -> tuple[bool, float, bool, int, str]:
    """Among snapshots of one `Snapshot.day_key` the least stays.

    A time that is stated to be after the close yields to the close; then the newest evidence counts, then a
    label that is the session, then the number of lines, then the name of the file.
    """
    evidence = snapshot.newest_evidence
    newest = -evidence.timestamp() if evidence is not None else float("inf")
    other_day = snapshot.label_date != snapshot.session
    return snapshot.is_late, newest, other_day, -snapshot.lines, snapshot.source


def superseded_by(best: Snapshot, loser: Snapshot) -> str:
    """What both are dated by, which one stays, and which rule of `precedence` decided.

    Parameters
    ----------
    best, loser : Snapshot
        Of one `Snapshot.day_key`, `best` the one that stays.
    """
    where = f"that of {best.source} stays" if best.source != loser.source else "another of the file stays"
    reasons = (
        f"its time is the close, this one's is after it ({_clock(loser)})",
        f"its quotes or trades are later ({_clock(best)}, here {_clock(loser)})",
        "its date is that of the session",
        f"it has more lines ({best.lines}, here {loser.lines})",
        "it is as late and as full as this one, and its name comes first",
    )
    ranks = zip(precedence(best), precedence(loser), reasons, strict=True)
    why = next((reason for mine, other, reason in ranks if mine != other), "it comes first in the file")
    return f"{loser.dated_by or 'this one'}: {where}, {best.dated_by or 'of the same session'}, for {why}"


def _clock(snapshot: Snapshot) -> str:
    newest = snapshot.newest_evidence
    return f"{newest.tz_convert(EASTERN):%Y-%m-%d %H:%M:%S} ET" if newest is not None else "no times"


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
