"""What a file is, before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pandas as pd

from volskew.errors import InputError
from volskew.ledger import Code, Entry
from volskew.market import EASTERN
from volskew.quotes import Facts, FileReading, Snapshot, find_inputs, read_file
from volskew.quotes.clean import label
from volskew.settings import Settings, settings_or_default
from volskew.workflow.chains import chains_of, series_of
from volskew.workflow.formats import chain_formats, consequences
from volskew.workflow.gather import PathLike

__all__ = ["Inspection", "inspect_files"]

_TELLING: Final = [
    "symbol", "snapshot_time", "root", "settlement", "expiry", "strike", "is_call", "bid", "ask",
    "vendor_vol", "last",
]  # fmt: skip
"""Columns that tell which chain lines are of, and whether it is a repeat: no others are kept of all files."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one file (or archive member) is.

    Attributes
    ----------
    source : str
        File and member.
    format : str or None
        The reader that claims it; None where it is not a chain.
    reason : str
        Why it is not a chain, or "".
    code : str
        The ledger code of that reason, or "".
    lines : int
        Option lines read.
    snapshots : pandas.DataFrame
        One row for each (symbol, session): series, lines, expiries, first and last expiry, counts by code.
        Of a part of a chain, session and series are those of the chain.
    entries : list of Entry
        What the reader put into the ledger; and what a run over all these files puts there of this one: the
        chain that it is a part of, or why it is no day.
    title : str
        The format in words.
    recognised : str
        Why it is that format: the columns or keys found, or what such a file is recognised by.
    clock : tuple of str
        What the times of its snapshots rest on; and, last, what is known of the format's clock.
    facts : Facts
        Which fields it gives, on how many lines, under which names; stamp, delay and zone of its times.
    missing : dict of str to str
        What it does not give, and what follows from that.
    odd : tuple of str
        What is odd of the format, a sentence each.
    """

    source: str
    format: str | None
    reason: str = ""
    code: str = ""
    lines: int = 0
    snapshots: pd.DataFrame = field(default_factory=pd.DataFrame)
    entries: list[Entry] = field(default_factory=list)
    title: str = ""
    recognised: str = ""
    clock: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    missing: dict[str, str] = field(default_factory=dict)
    odd: tuple[str, ...] = ()

    @property
    def is_failure(self) -> bool:
        """Whether the file was meant as data and could not be read."""
        return bool(self.code) and Code[self.code].is_failure

    def text(self) -> str:
        """What the file is, in a few lines; the fields beside these explain it."""
        if self.format is None:
            head = "not a chain" if self.code in {Code.NOT_A_CHAIN, Code.SKIPPED} else "cannot be read"
            return f"{self.source}: {head}. {self.reason}"
        lines = [f"{self.source}: {self.format}, {self.lines:,} lines"]
        lines += [
            f"  {row['symbol']} {row['session']} ({row['series']}): {row['lines']:,} lines, "
            f"{row['expiries']} expiries {row['first_expiry']}..{row['last_expiry']}, "
            f"{row['usable']:,} usable; {row['codes'] or 'none excluded'}"
            for row in self.snapshots.to_dict("records")
        ]
        lines += [f"  {entry.code}: {entry.detail}" for entry in self.entries]
        return "\n".join(lines)


def inspect_files(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> list[Inspection]:
    """Say of every file what it is: format, sessions, symbols and counts by code, or that it is no chain.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Files, folders and glob patterns.
    settings, format, columns
        As in `volskew.workflow.gather`.

    Returns
    -------
    list of Inspection
        One for each file or archive member, in the order of the files.
    """
    chosen = settings_or_default(settings)
    given = [paths] if not isinstance(paths, list | tuple) else list(paths)
    files, entries = find_inputs([str(path) for path in given])
    found = [
        Inspection(entry.source, None, reason=entry.detail or Code[entry.code].meaning, code=entry.code)
        for entry in entries
    ]
    read: list[FileReading] = []
    places: list[int] = []
    for file in files:
        try:
            members = read_file(file, format=format, columns=columns, settings=chosen)
        except InputError as error:
            found.append(Inspection(str(file), None, reason=_told(error), code=error.code))
            continue
        for member in members:
            places.append(len(found))
            found.append(_inspected(member, chosen))
            read.append(replace(member, quotes=member.quotes[_TELLING]))
    _foretell(read, [found[place] for place in places])
    return found


def _foretell(readings: Sequence[FileReading], found: Sequence[Inspection]) -> None:
    """Put what a run will make of the files into what was found of each."""
    chains = chains_of(readings)
    for places, entry in chains.entries:
        for place in places:
            found[place].entries.append(entry)
    moved = [
        (place, _row(found[place].snapshots, snapshot), chain.snapshot)
        for chain in chains.chains
        for place, snapshot in chain.parts
    ]
    for place, row, whole in moved:
        table = found[place].snapshots
        table.loc[row, "session"] = whole.session
        table.loc[row, "series"] = series_of(whole)


def _row(table: pd.DataFrame, snapshot: Snapshot) -> int:
    """The row of a snapshot in the table of its file."""
    keys = list(zip(table["symbol"], table["session"], table["series"], strict=True))
    return keys.index((snapshot.symbol, snapshot.session, series_of(snapshot)))


def _inspected(reading: FileReading, settings: Settings) -> Inspection:
    if not reading.format:
        first = reading.entries[0] if reading.entries else None
        return Inspection(
            reading.path, None, reason=first.detail if first else "", code=first.code if first else ""
        )
    (known,) = chain_formats(reading.format)
    facts = reading.facts
    seen = ", ".join(facts.signature)
    return Inspection(
        source=reading.path,
        format=reading.format,
        lines=reading.lines_read,
        snapshots=_snapshots(reading, settings),
        entries=list(reading.entries),
        title=known.title,
        recognised=f"has {seen}" if seen else known.signature,
        clock=(*facts.clock, *([f"the format: {known.clock}"] if known.clock else [])),
        facts=facts,
        missing=consequences(facts.fields),
        odd=known.odd,
    )


def _told(error: InputError) -> str:
    """The problem and what would be accepted; the file is named beside it."""
    return f"{error.problem}." + (f" Accepted: {error.accepted}." if error.accepted else "")


def _snapshots(reading: FileReading, settings: Settings) -> pd.DataFrame:
    rows = []
    if reading.snapshots:
        parts = dict(list(reading.quotes.groupby(["symbol", "snapshot_time"], sort=False, observed=True)))
    for snapshot in reading.snapshots:
        chain = parts[snapshot.symbol, snapshot.snapshot_time]
        labelled = label(chain, settings=settings)
        counts = labelled["exclusion"].value_counts().sort_index()
        expiries = chain["expiry"].dropna().dt.tz_convert(EASTERN).dt.date
        rows.append(
            {
                "symbol": snapshot.symbol,
                "session": snapshot.session,
                "series": series_of(snapshot),
                "lines": len(chain),
                "expiries": expiries.nunique(),
                "first_expiry": expiries.min() if len(expiries) else None,
                "last_expiry": expiries.max() if len(expiries) else None,
                "usable": int(labelled["exclusion"].isna().sum()),
                "codes": ", ".join(f"{code} {count:,}" for code, count in counts.items()),
            }
        )
    return pd.DataFrame(rows)
