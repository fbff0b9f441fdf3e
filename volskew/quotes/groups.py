"""The lines of one file by underlying and label: each group is a snapshot of a session, or is kept out."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.ledger import Code, Entry, Stage
from volskew.market.clock import EASTERN, session_close
from volskew.quotes.assemble import Assembled
from volskew.quotes.cells import Words
from volskew.quotes.containers import Member
from volskew.quotes.evidence import Witnesses
from volskew.quotes.facts import ground_in_words
from volskew.quotes.grouping import Grouping
from volskew.quotes.hours import AFTER_CLOSE
from volskew.quotes.lines import by_vendor
from volskew.quotes.raw import RawChain
from volskew.quotes.roots import SYMBOL, named_on
from volskew.quotes.ruling import Evidence, Ground, Ruling, rule
from volskew.quotes.schema import conform, empty_quotes
from volskew.quotes.sessions import DayKey, Snapshot, precedence, superseded_by
from volskew.quotes.swaps import Sides, Symptom, sides_of, swapped
from volskew.quotes.units import unit_problem
from volskew.quotes.vol_clock import days_beyond

__all__ = ["Groups"]

_SESSION_AGO: Final = 0.75
"""[days] Vols of four files of one exchange are within 0.2 days of their clock."""

Array = np.ndarray[Any, Any]


class Groups:
    """The groups of one file.

    Parameters
    ----------
    built : Assembled
        Canonical columns and labels.
    raw : RawChain
        For the file's stamp.
    member : Member
        The file.

    Attributes
    ----------
    snapshots : list of Snapshot or None
        For each group; None where it is kept out. Filled by `judge`.
    entries : list of Entry
        One for each group kept out, with the number of its lines.
    clock : list of str
        What the time of each group that is a snapshot rests on, in words.
    """

    def __init__(self, built: Assembled, raw: RawChain, member: Member) -> None:
        self._built, self._raw, self._member = built, raw, member
        self._groups = Grouping(built)
        self._sides = sides_of(built.columns)
        self.snapshots: list[Snapshot | None] = [None] * len(self._groups)
        self.entries: list[Entry] = []
        self.clock: list[str] = []
        self._called: dict[int, str] = {}
        self._is_piece = False

    def judge(self, *, is_piece: bool = False) -> None:
        """Give each group its session, test its units, and settle which of several is the day.

        What is wrong with most of a file refuses it; of a piece of one (`is_piece`) it keeps out the groups.
        """
        self._is_piece = is_piece
        vendor = self._vendor_only()
        witnesses = Witnesses(self._built, self._raw, self._member, self._groups)
        days = {day for day, _ in self._built.labels}
        symptoms: list[tuple[int, Symptom]] = []
        for place in range(len(self._groups)):
            seen, strays = witnesses.of(place)
            day = seen.label
            for stray in strays:
                self._entry(place, day, Stage.INPUT, Code.BAD_CELLS, stray.detail, count=stray.count)
            if len(days) == 1 and day is not None and seen.name_date not in {None, day}:
                self._disagrees(place, day, seen.name_date)
            if not SYMBOL.fullmatch(self._symbol(place)):
                self._no_ticker(place, day)
                continue
            ruling = self._ruled(place, seen)
            if ruling is None or self._is_of_an_earlier_session(place, seen, ruling):
                continue
            if ruling.session is not None:
                self._rename(place, ruling.session)
            if ruling.note:
                self._entry(place, ruling.session, Stage.SESSION, Code.DATE_DISAGREES, ruling.note)
            if ruling.ground is Ground.OUTSIDE and ruling.session is not None:
                witnesses.forget(place, after=session_close(ruling.session) + AFTER_CLOSE)
            self.clock.append(ground_in_words(ruling, self._raw))
            self.snapshots[place] = self._snapshot(place, seen, ruling, vendor=bool(vendor[place]))
            if vendor[place]:
                self._quotes_beside_vols(place)
            symptom = self._symptom(place, vendor=bool(vendor[place]))
            if symptom is not None:
                symptoms.append((place, symptom))
        self._refuse(symptoms)
        self._settle()

    def _symbol(self, place: int) -> str:
        return self._called.get(place) or self._groups.symbol(place)

    def _rename(self, place: int, session: dt.date) -> None:
        """Call the underlying what it is called now, if a file of that day called it otherwise."""
        name = self._symbol(place)
        called = named_on(name, session, self._built.aliases)
        if called != name:
            self._called[place] = called

    def _ruled(self, place: int, seen: Evidence) -> Ruling | None:
        try:
            ruling = rule(seen)
        except InputError as error:
            if len(self._groups) == 1 and not self._is_piece:
                raise InputError(error.problem, file=self._member.label, accepted=error.accepted) from error
            wanted = f" (accepted: {error.accepted})" if error.accepted else ""
            ruling = Ruling(code=Code.NOT_A_SESSION, detail=error.problem + wanted)
        if ruling.code is None:
            return ruling
        self._keep_out(place, seen.claimed or seen.name_date, ruling.code, ruling.detail)
        return None

    def _is_of_an_earlier_session(self, place: int, seen: Evidence, ruling: Ruling) -> bool:
        """Whether a chain that a stamp alone dates has vols that were solved a session or more before."""
        moment = ruling.snapshot_time
        if ruling.ground is not Ground.STAMP or seen.newest is not None or moment is None:
            return False
        sides = self._chain(place)
        days = days_beyond(sides, at=moment.value // 1000)
        if days is None or days < _SESSION_AGO:
            return False
        detail = (
            f"{seen.in_words}, but its own vols have {days:.1f} days more to expiry than there are from "
            f"{moment.tz_convert(EASTERN):%Y-%m-%d %H:%M} ET on: quotes of an earlier session"
        )
        self._keep_out(place, ruling.session, Code.STALE_REPEAT, detail)
        return True

    def _no_ticker(self, place: int, day: dt.date | None) -> None:
        """Keep out lines under a name that no underlying has; refuse the file where it has no other."""
        problem, accepted = "no ticker", "letters, digits and . ^ $ / _ = : -, such as QQQ or BRK.B"
        if len(self._built.symbols) == 1 and not self._is_piece:
            raise InputError(
                problem,
                file=self._member.label,
                row=self._row(place, 0),
                column=self._raw.names.get("symbol", "symbol"),
                value=self._symbol(place),
                accepted=accepted,
            )
        detail = f"{problem}: {self._symbol(place)!r} (accepted: {accepted})"
        self._keep_out(place, day, Code.UNREADABLE, detail)

    def _disagrees(self, place: int, day: dt.date, named: dt.date | None) -> None:
        """Say that the name has another date than the rows; refuse where day and month are swapped."""
        if named is not None and (named.year, named.month, named.day) == (day.year, day.day, day.month):
            raise InputError(
                f"the rows are dated {day}, the file's name says {named}: day and month the other way round",
                file=self._member.label,
                accepted="one date, YYYY-MM-DD in both",
            )
        detail = f"the rows are dated {day}, the file's name says {named}; the rows are followed"
        self._entry(place, day, Stage.SESSION, Code.DATE_DISAGREES, detail)

    def _entry(
        self,
        place: int,
        day: dt.date | None,
        stage: Stage,
        code: Code,
        detail: str,
        *,
        count: int | None = None,
    ) -> None:
        self.entries.append(
            Entry(
                day,
                self._symbol(place),
                stage.value,
                code.value,
                int(self._groups.sizes[place]) if count is None else count,
                detail,
                self._member.source,
            )
        )

    def _keep_out(self, place: int, day: dt.date | None, code: Code, detail: str) -> None:
        stage = Stage.INPUT if code in {Code.BAD_UNITS, Code.UNREADABLE} else Stage.SESSION
        self._entry(place, day, stage, code, detail)
        self.snapshots[place] = None

    def _snapshot(self, place: int, seen: Evidence, ruling: Ruling, *, vendor: bool) -> Snapshot:
        if ruling.session is None or ruling.snapshot_time is None:
            raise AssertionError("a ruling without a code has a session")  # pragma: no cover
        simulated = "simulated" in self._member.name.lower() or (
            self._member.path is not None and "simulated" in self._member.path.name.lower()
        )
        newest, close = seen.newest, session_close(ruling.session)
        if newest is not None and newest > close + AFTER_CLOSE:  # served later, not quoted later
            newest = close
        return Snapshot(
            self._symbol(place),
            seen.claimed,
            ruling.session,
            ruling.snapshot_time,
            ruling.snapshot_label,
            newest,
            "simulated" if simulated else "vendor" if vendor else "",
            self._member.source,
            lines=int(self._groups.sizes[place]),
            is_late=ruling.is_late,
            dated_by=seen.in_words,
            ground=ruling.ground,
            traded=seen.trades,
            name_date=seen.name_date,
        )

    def _settle(self) -> None:
        """Several labels of one file on the same session: the latest stays."""
        days: dict[DayKey, list[int]] = {}
        for place, snapshot in enumerate(self.snapshots):
            if snapshot is not None:
                days.setdefault(snapshot.day_key, []).append(place)
        for places in days.values():
            rivals = [(place, found) for place in places if (found := self.snapshots[place]) is not None]
            best = min((rival for _, rival in rivals), key=precedence)
            for place, rival in rivals:
                if rival is not best:
                    self._keep_out(place, rival.session, Code.SUPERSEDED, superseded_by(best, rival))

    # --- units and sides

    def _vendor_only(self) -> Array:
        """Groups that are read from a vendor's vols."""
        chains = (self._chain(place) for place in range(len(self._groups)))
        return np.array(
            [by_vendor(bid=chain.bid, ask=chain.ask, vendor_vol=chain.vendor_vol) for chain in chains],
            dtype=bool,
        )

    def _quotes_beside_vols(self, place: int) -> None:
        """Say it where a chain read by its vols has a few quotes as well."""
        chain = self._chain(place)
        quoted, lines = int(((chain.bid > 0) & (chain.ask > 0)).sum()), self._groups.sizes[place]
        if quoted:
            detail = f"{quoted} of {lines} lines have a bid and an ask: all are read by their vols"
            snapshot = self.snapshots[place]
            day = snapshot.session if snapshot else None
            self._entry(place, day, Stage.INPUT, Code.BAD_CELLS, detail, count=quoted)

    def _chain(self, place: int) -> Sides:
        """Its lines; read where they stand if nothing lies between them."""
        lines = self._groups.lines(place)
        first, end = int(lines[0]), int(lines[-1]) + 1
        return self._sides.among(slice(first, end) if end - first == len(lines) else lines)

    def _symptom(self, place: int, *, vendor: bool) -> Symptom | None:
        """What is implausible about a chain, None where nothing is."""
        chain = self._chain(place)
        problem = unit_problem(
            strike=chain.strike,
            underlying_price=chain.underlying_price,
            vendor_vol=chain.vendor_vol,
            by_vendor=vendor,
        )
        if problem:
            return Symptom(problem)
        snapshot = self.snapshots[place]
        if snapshot is None:
            return None
        at = snapshot.snapshot_time.value // 1000
        return swapped(chain, at=at, by_vendor=vendor)

    def _refuse(self, symptoms: list[tuple[int, Symptom]]) -> None:
        """Refuse the file if most of its days are implausible, else keep out those that are."""
        if not symptoms:
            return
        judged = sum(snapshot is not None for snapshot in self.snapshots)
        place, first = symptoms[0]
        if 2 * len(symptoms) > judged and not self._is_piece:
            snapshot = self.snapshots[place]
            where = f"{self._symbol(place)} {snapshot.session if snapshot else ''}"
            raise InputError(
                f"{where}: {first.problem}",
                file=self._member.label,
                row=self._row(place, first.line),
                accepted=first.accepted,
                code=Code.BAD_UNITS.value,
            )
        for place, symptom in symptoms:
            snapshot = self.snapshots[place]
            row = self._row(place, symptom.line)
            detail = symptom.problem if row is None else f"{symptom.problem} (row {row})"
            self._keep_out(place, snapshot.session if snapshot else None, Code.BAD_UNITS, detail)

    def _row(self, place: int, line: int | None) -> int | None:
        """The row of the file of one of a group's lines."""
        return None if line is None else int(self._raw.rows[self._groups.lines(place)[line]])

    # --- the result

    def quotes(self) -> pd.DataFrame:
        """Canonical quotes of the groups that are snapshots, in the order of the file."""
        good = np.array([snapshot is not None for snapshot in self.snapshots], dtype=bool)
        if not good.any():
            return empty_quotes()
        instants = pd.DatetimeIndex(
            [snapshot.snapshot_time if snapshot else pd.NaT for snapshot in self.snapshots], tz="UTC"
        ).as_unit("us")
        columns = dict(self._built.columns)
        columns["symbol"] = self._symbols()
        of_line = self._groups.of_line
        if not good.all():
            lines = np.flatnonzero(good[of_line])
            columns = {name: values[lines] for name, values in columns.items()}
            of_line = of_line[lines]
        columns["snapshot_time"] = instants.take(of_line)
        for name in ("quote_time", "trade_time"):
            columns[name] = pd.DatetimeIndex(columns[name]).tz_localize("UTC")
        columns["source_file"] = Words([self._member.source], np.zeros(len(of_line), dtype=np.int64))
        columns = {
            name: values.texts() if isinstance(values, Words) else values for name, values in columns.items()
        }
        return conform(pd.DataFrame(columns, copy=False), source=self._member.label)

    def _symbols(self) -> Words:
        """The underlying of each line, as it is called now."""
        symbols: Words = self._built.columns["symbol"]
        if not self._called:
            return symbols
        names, codes = list(symbols.names), symbols.codes.copy()
        for place, name in self._called.items():
            codes[self._groups.lines(place)] = len(names)
            names.append(name)
        return Words(names, codes)
