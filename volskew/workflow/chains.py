"""Snapshots of many files into chains: parts that make one are put together, and repeats are no days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

from volskew.errors import listed
from volskew.ledger import Code, Entry, Stage
from volskew.market import EASTERN
from volskew.quotes import FileReading, Snapshot, fingerprint, resolve_repeats
from volskew.quotes.parts import Arrangement, Part, put_together
from volskew.quotes.ruling import Ground
from volskew.quotes.sessions import contracts_of

__all__ = ["Chain", "Chains", "chains_of", "series_of"]

_SHOWN: Final = 4
_TIMED: Final = frozenset((Ground.ROWS, Ground.QUOTES, Ground.STAMP))
"""What tells the time of the quotes, and not only their session."""
_WHERE: Final = (
    "a date such as 2026-07-10 in the file's name, or a folder for each download called by its date, says of "
    "which it is"
)


def series_of(snapshot: Snapshot) -> str:
    """The series whose readings a snapshot's are comparable with."""
    return ":".join(part for part in (snapshot.source_label, snapshot.snapshot_label) if part)


@dataclass(frozen=True, slots=True)
class Chain:
    """The quotes of one symbol at one moment.

    Attributes
    ----------
    snapshot : Snapshot
        Its session and time: those of its newest part.
    quotes : pandas.DataFrame
        Canonical quotes.
    fingerprint : str
        See `volskew.quotes.fingerprint`.
    parts : tuple of (int, Snapshot)
        The readings, by their position, and the snapshots in them that it was made of.
    """

    snapshot: Snapshot
    quotes: pd.DataFrame
    fingerprint: str
    parts: tuple[tuple[int, Snapshot], ...]


@dataclass(frozen=True, slots=True)
class Chains:
    """What files were found to hold.

    Attributes
    ----------
    days : list of Chain
        By date, symbol and series.
    entries : list of (tuple of int, Entry)
        What was put together, what could not be placed, what is no day; with the readings concerned.
    chains : list of Chain
        All, those that are no days included.
    """

    days: list[Chain] = field(default_factory=list)
    entries: list[tuple[tuple[int, ...], Entry]] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Piece:
    """A snapshot of one file, its lines, and what is known of it as a part."""

    reading: int
    snapshot: Snapshot
    quotes: pd.DataFrame
    folder: str
    part: Part


def chains_of(readings: Sequence[FileReading], *, wanted: frozenset[str] | None = None) -> Chains:
    """Put the parts of chains together, and settle which chains are days.

    Parameters
    ----------
    readings : sequence of FileReading
        In the order of the files.
    wanted : frozenset of str, optional
        Keep these underlyings only.
    """
    found = Chains()
    streams: dict[tuple[str, str], list[_Piece]] = {}
    for piece in _pieces(readings, wanted):
        streams.setdefault((piece.snapshot.symbol, piece.snapshot.source_label), []).append(piece)
    for pieces in streams.values():
        for members in _arranged(pieces, found):
            found.chains.append(_chain(members, found))
    resolution = resolve_repeats([(chain.snapshot, chain.fingerprint) for chain in found.chains])
    by_snapshot = {id(chain.snapshot): chain for chain in found.chains}
    for snapshot, entry in zip(resolution.left_out, resolution.entries, strict=True):
        found.entries.append((_readings_of(by_snapshot[id(snapshot)].parts), entry))
    found.days.extend(by_snapshot[id(snapshot)] for snapshot in resolution.days)
    found.days.sort(
        key=lambda chain: (chain.snapshot.session, chain.snapshot.symbol, series_of(chain.snapshot))
    )
    return found


def _pieces(readings: Sequence[FileReading], wanted: frozenset[str] | None) -> list[_Piece]:
    """The snapshots of all files; what a file read in pieces has of one, once."""
    found: dict[tuple[object, ...], list[tuple[int, Snapshot, pd.DataFrame]]] = {}
    for place, reading in enumerate(readings):
        if not reading.snapshots:
            continue
        lines = dict(list(reading.quotes.groupby(["symbol", "snapshot_time"], sort=False, observed=True)))
        seen: dict[tuple[object, ...], int] = {}
        for snapshot in reading.snapshots:
            if wanted is None or snapshot.symbol in wanted:
                key = _key(reading, snapshot)
                seen[key] = seen.get(key, 0) + 1
                quotes = lines[snapshot.symbol, snapshot.snapshot_time]
                found.setdefault((*key, seen[key]), []).append((place, snapshot, quotes))
    return [_piece(group, readings) for group in found.values()]


def _key(reading: FileReading, snapshot: Snapshot) -> tuple[object, ...]:
    """What the snapshots of pieces of one file share that are one."""
    label = (snapshot.day_key, snapshot.label_date) if snapshot.label_date is not None else ()
    return reading.path, snapshot.symbol, snapshot.source_label, *label


def _piece(group: Sequence[tuple[int, Snapshot, pd.DataFrame]], readings: Sequence[FileReading]) -> _Piece:
    place, _, _ = group[0]
    newest = max((snapshot for _, snapshot, _ in group), key=_age)
    quotes = _together([lines for _, _, lines in group], newest.snapshot_time)
    snapshot = replace(newest, lines=len(quotes), traded=max(each.traded for _, each, _ in group))
    contracts = np.unique(contracts_of(quotes))
    return _Piece(
        place,
        snapshot,
        quotes,
        readings[place].folder,
        Part.of(
            contracts[contracts != 0],
            session=snapshot.session,
            dated=None if snapshot.ground is Ground.NAME else snapshot.label_date,
            moment=snapshot.snapshot_time if snapshot.ground in _TIMED else None,
            is_stated=snapshot.ground is Ground.ROWS,
            newest=snapshot.newest_evidence,
            traded=snapshot.traded,
            name_date=snapshot.name_date,
        ),
    )


def _arranged(pieces: Sequence[_Piece], found: Chains) -> list[list[_Piece]]:
    """The parts of each chain: those of a folder first, then of several folders where they say their day."""
    folders: dict[str, list[_Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: _in_order(piece.snapshot.source)):
        folders.setdefault(piece.folder, []).append(piece)
    groups: list[list[_Piece]] = []
    for of_folder in folders.values():
        arrangement = put_together([piece.part for piece in of_folder])
        groups += [[of_folder[place] for place in members] for members in arrangement.chains]
        _tell_unplaced(of_folder, arrangement, found)
    dated = [group for group in groups if any(piece.part.named is not None for piece in group)]
    if len({piece.folder for group in dated for piece in group}) < 2:
        return groups
    others = [group for group in groups if group not in dated]
    across = put_together([_whole([piece.part for piece in group]) for group in dated])
    return [*others, *([piece for place in members for piece in dated[place]] for members in across.chains)]


def _whole(parts: Sequence[Part]) -> Part:
    """What is known of parts together."""
    newest = max(parts, key=lambda part: (part.newest is not None, part.newest or pd.Timestamp(0, tz="UTC")))
    moments = [part.moment for part in parts if part.moment is not None]
    return replace(
        newest,
        contracts=np.unique(np.concatenate([part.contracts for part in parts])),
        since=newest.session,
        is_certain=True,
        moment=max(moments, default=None),
        named=next(part.named for part in parts if part.named is not None),
    )


def _chain(members: Sequence[_Piece], found: Chains) -> Chain:
    ordered = sorted(members, key=lambda piece: piece.reading)
    parts = tuple((piece.reading, piece.snapshot) for piece in ordered)
    if len(ordered) == 1:
        only = ordered[0]
        return Chain(only.snapshot, only.quotes, fingerprint(only.quotes), parts)
    newest = max((piece.snapshot for piece in ordered), key=_age)
    quotes = _together([piece.quotes for piece in ordered], newest.snapshot_time)
    whole = replace(newest, lines=len(quotes))
    found.entries.append((_readings_of(parts), _joined_entry(whole, ordered)))
    return Chain(whole, quotes, fingerprint(quotes), parts)


def _together(pieces: Sequence[pd.DataFrame], moment: pd.Timestamp) -> pd.DataFrame:
    """Lines of several tables as one, at one moment."""
    if len(pieces) == 1:
        return pieces[0]
    together = pd.concat(pieces, ignore_index=True)
    together["snapshot_time"] = pd.Series(moment, index=together.index, dtype=together["snapshot_time"].dtype)
    return together


def _age(snapshot: Snapshot) -> tuple[bool, pd.Timestamp]:
    evidence = snapshot.newest_evidence
    return evidence is not None, snapshot.snapshot_time if evidence is None else evidence


def _in_order(source: str) -> list[tuple[int, str]]:
    """A key by which page2 comes before page10."""
    return [(int(text), "") if text.isdigit() else (-1, text) for text in re.split(r"(\d+)", source)]


# --- words ------------------------------------------------------------------------------------------------


def _joined_entry(whole: Snapshot, pieces: Sequence[_Piece]) -> Entry:
    names = listed([piece.snapshot.source for piece in pieces], _SHOWN)
    quiet = [piece for piece in pieces if piece.snapshot.session < whole.session]
    told = f"; {listed([_quiet(piece.snapshot) for piece in quiet], _SHOWN)}" if quiet else ""
    detail = f"{len(pieces)} parts make one chain: {names}{told}"
    return _entry(whole, whole.lines, Code.PARTS_JOINED, detail)


def _quiet(snapshot: Snapshot) -> str:
    newest = snapshot.newest_evidence
    when = "no day" if newest is None else f"{newest.tz_convert(EASTERN):%Y-%m-%d}"
    return f"the newest trade of {snapshot.source} is of {when}"


def _tell_unplaced(pieces: Sequence[_Piece], arrangement: Arrangement, found: Chains) -> None:
    for place, chains in arrangement.unplaced.items():
        piece = pieces[place]
        rivals = [max((pieces[p].snapshot for p in members), key=_age) for members in chains]
        either = " or ".join(
            f"that of {rival.session} ({rival.snapshot_label}) with {rival.source}"
            for rival in rivals[:_SHOWN]
        )
        detail = f"may be a part of {either}: {_quiet(piece.snapshot)}, and nothing else tells; {_WHERE}"
        entry = _entry(piece.snapshot, piece.snapshot.lines, Code.PART_UNPLACED, detail)
        found.entries.append(((piece.reading,), replace(entry, date=None)))


def _entry(snapshot: Snapshot, count: int, code: Code, detail: str) -> Entry:
    return Entry(
        snapshot.session,
        snapshot.symbol,
        Stage.SESSION.value,
        code.value,
        count,
        detail,
        snapshot.source,
    )


def _readings_of(parts: Iterable[tuple[int, Snapshot]]) -> tuple[int, ...]:
    return tuple(sorted({place for place, _ in parts}))
