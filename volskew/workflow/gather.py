"""The first pass: read every input, settle which snapshots are days, build the market rows."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from volskew.errors import InputError, NotAChainError
from volskew.ledger import Code, Ledger, Stage
from volskew.market import (
    DiscountCurve,
    MarketRow,
    RateTable,
    choose_curve,
    market_row,
    previous_session,
    read_rates,
)
from volskew.market.overrides import Override
from volskew.quotes import (
    FileReading,
    Overrides,
    find_inputs,
    iter_file,
)
from volskew.quotes.overrides import find_overridden, lines_of
from volskew.quotes.roots import canonical_symbol
from volskew.settings import Settings
from volskew.surface.forwards import box_rate
from volskew.workflow.chains import Chain, chains_of, series_of
from volskew.workflow.dividends import Dividends

__all__ = ["Inputs", "PathLike", "Progress", "Unit", "gather", "no_progress"]

PathLike = str | os.PathLike[str]
Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how many are done, how many there are)."""


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The quotes of one (symbol, session) snapshot with the market row they are read against.

    Attributes
    ----------
    date : datetime.date
        The session.
    symbol : str
        Underlying.
    series : str
        What makes readings comparable: ``close``, ``15:45``, ``intraday``, with the prefix ``vendor:`` for
        a vendor's vols and ``simulated:`` for simulated chains.
    quotes : pandas.DataFrame
        Canonical quotes.
    market : MarketRow
        Curve, spots and dividends of the date, fingerprints of the session before, quotes to leave out.
    previous : pandas.DataFrame or None
        The symbol's quotes of the session before, where they are among the inputs.
    """

    date: dt.date
    symbol: str
    series: str
    quotes: pd.DataFrame
    market: MarketRow
    previous: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the first pass found.

    Attributes
    ----------
    units : list of Unit
        Sorted by date, symbol and series.
    ledger : Ledger
        Files that failed or were skipped, stale repeats, assumed rates, dividends that are not known.
    n_files : int
        Files that were read.
    n_lines : int
        Option lines that were read, those of stale repeats included.
    problems : list of str
        The messages of the files that failed, in order.
    symbols : frozenset of str
        Every underlying in the files, those that were not asked for included.
    absent : tuple of str
        Underlyings that were asked for and are in no file.
    passed_over : list of str
        Why files that were named, and are no data, were not read; no failures, for a shell names all files
        of a folder.
    """

    units: list[Unit]
    ledger: Ledger
    n_files: int
    n_lines: int
    problems: list[str] = field(default_factory=list)
    symbols: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()
    passed_over: list[str] = field(default_factory=list)

    def absence(self) -> list[str]:
        """Say which underlyings were asked for and are in no file, and which there are; [] where none."""
        if not self.absent or not self.symbols:
            return []
        return [f"No file holds {' or '.join(self.absent)}; these hold {', '.join(sorted(self.symbols))}."]

    def unread(self) -> list[str]:
        """Say how many cells and lines of the files that were read could not be; [] where none."""
        told = {str(code): 0 for code in (Code.BAD_CELLS, Code.RAGGED)}
        for entry in self.ledger:
            if entry.code in told:
                told[entry.code] += entry.count
        counts = ", ".join(f"{code} {count:,}" for code, count in told.items() if count)
        return [f"Not all could be read: {counts}; `volskew inspect` shows where."] if counts else []


def gather(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    exclude: Sequence[PathLike] = (),
    overrides: Overrides | None = None,
    progress: Progress = no_progress,
) -> Inputs:
    """Read files, folders and glob patterns into units; what cannot be read lands in the ledger.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Files, folders (searched through) and glob patterns.
    settings : Settings
        Passed to the readers and to the choice of curve and dividends.
    symbols : sequence of str, optional
        Keep these underlyings only.
    format : str, optional
        A reader's name; detected from each file's header otherwise.
    columns : mapping, optional
        ``canonical name -> file column`` for the generic reader.
    exclude : sequence of path-like
        Files that are inputs of another kind, such as an imported history.
    overrides : Overrides, optional
        Quotes to leave out; those that a chain holds go into the market row of its unit. Their own file is no
        chain. What whole readings they leave out is for `volskew.workflow.overrides` to say.
    progress : callable
        See `Progress`.

    Raises
    ------
    InputError
        The rates file or a dividend file cannot be read.
    """
    dividends = Dividends(settings)
    table = read_rates(settings.rates_file) if settings.rates_file else None
    ledger = Ledger()
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    decided = Overrides() if overrides is None else overrides
    others = [Path(path) for path in (*exclude, decided.source) if str(path)]
    files, entries = find_inputs([str(path) for path in given], exclude=others)
    ledger.extend(entries)
    problems = [
        f"{entry.source}: {entry.detail or Code[entry.code].meaning}."
        for entry in entries
        if entry.is_failure
    ]
    named = {Path(path) for path in given}
    passed_over = []
    readings = []
    n_files = 0
    wanted = None if symbols is None else frozenset(map(canonical_symbol, symbols))
    for position, file in enumerate(files):
        progress("reading", position, len(files))
        try:
            pieces = iter_file(file, format=format, columns=columns, settings=settings)
            members = [_of_symbols(reading, wanted) for reading in pieces]
        except InputError as error:
            code = error.code
            if isinstance(error, NotAChainError) and error.looks_like and file not in named:
                code = Code.SKIPPED  # another kind of table that lies in the same folder
            ledger.add(None, "", Stage.INPUT, code, detail=str(error), source=str(file))
            if Code[code].is_failure:
                problems.append(str(error))
            elif file in named:
                passed_over.append(f"Passed over, no chain: {error}")
            continue
        n_files += 1
        for member in members:
            ledger.extend(member.entries)
            problems += [entry.detail for entry in member.entries if entry.is_failure]
            readings.append(member)
    progress("reading", len(files), len(files))
    there = frozenset(snapshot.symbol for reading in readings for snapshot in reading.snapshots)
    chains = chains_of(readings, wanted=wanted)
    told = [entry for _, entry in chains.entries]
    ledger.extend(told)
    problems += [entry.detail for entry in told if entry.is_failure]
    return Inputs(
        units=_units(
            chains.days, table=table, dividends=dividends, overrides=decided, settings=settings, ledger=ledger
        ),
        ledger=ledger,
        n_files=n_files,
        n_lines=sum(reading.lines_read for reading in readings),
        problems=problems,
        symbols=there,
        absent=tuple(sorted((wanted or frozenset()) - there)),
        passed_over=passed_over,
    )


def _of_symbols(reading: FileReading, wanted: frozenset[str] | None) -> FileReading:
    """A reading with the quotes of some underlyings alone, so that those of a whole market are not kept."""
    if wanted is None or all(snapshot.symbol in wanted for snapshot in reading.snapshots):
        return reading
    mine = reading.quotes["symbol"].isin(wanted)
    return replace(reading, quotes=reading.quotes[mine].reset_index(drop=True))


def _units(
    days: Sequence[Chain],
    *,
    table: RateTable | None,
    dividends: Dividends,
    overrides: Overrides,
    settings: Settings,
    ledger: Ledger,
) -> list[Unit]:
    """Build one market row a date, and hand each chain its own and the session before."""
    by_key = {(day.snapshot.symbol, day.snapshot.session, series_of(day.snapshot)): day for day in days}
    dates: dict[dt.date, list[Chain]] = {}
    for day in days:
        dates.setdefault(day.snapshot.session, []).append(day)
    units: list[Unit] = []
    assumed = 0
    for date, chains in dates.items():
        try:
            box = _box(chains, overrides=overrides, settings=settings)
            curve = choose_curve(date, settings=settings, table=table, box=box)
        except InputError as error:
            for chain in chains:
                ledger.add(date, chain.snapshot.symbol, Stage.MARKET, error.code, detail=str(error))
            continue
        assumed += str(Code.RATE_ASSUMED) in curve.flags
        before = previous_session(date)
        coming = dividends.known(date, ((chain.snapshot.symbol, chain.quotes) for chain in chains))
        spots = {chain.snapshot.symbol: float(chain.quotes["underlying_price"].median()) for chain in chains}
        for chain in chains:
            symbol, series = chain.snapshot.symbol, series_of(chain.snapshot)
            previous = by_key.get((symbol, before, series))
            row = market_row(
                date,
                curve=curve,
                spots=spots,
                previous={symbol: previous.fingerprint} if previous else {},
                dividends=coming,
                overrides=_held(chain, overrides),
            )
            units.append(Unit(date, symbol, series, chain.quotes, row, previous.quotes if previous else None))
    if assumed:
        sessions = "session" if assumed == 1 else "sessions"
        ledger.add(
            None,
            "",
            Stage.MARKET,
            Code.RATE_ASSUMED,
            count=assumed,
            detail=f"{assumed} {sessions} read at {settings.assumed_rate:.2%}; --rate or --rates sets it",
        )
    ledger.extend(dividends.entries())
    return units


def _held(chain: Chain, overrides: Overrides) -> list[Override]:
    """The overrides about quotes that a chain holds."""
    items = overrides.quotes_of(chain.snapshot.symbol, chain.snapshot.session)
    return [item for item, lines in zip(items, lines_of(chain.quotes, items), strict=True) if len(lines)]


def _box(chains: Sequence[Chain], *, overrides: Overrides, settings: Settings) -> DiscountCurve | None:
    """The rate that the date's European index chains imply, where there are any with quotes."""
    if settings.rate is not None or settings.rates_file:
        return None
    european = []
    for chain in chains:
        if (chain.quotes["exercise"] == "european").any():
            left_out, _ = find_overridden(chain.quotes, overrides=overrides)
            european.append(chain.quotes[~left_out] if left_out.any() else chain.quotes)
    return box_rate(pd.concat(european, ignore_index=True), settings=settings) if european else None
