"""History: the store of readings, with vintages, panels, files in and out, imports and splices."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Literal, Self

import pandas as pd
from sqlalchemy import Connection, func, select

from volskew.errors import MissingReadingError, SettingsError, StoreError
from volskew.files import open_whole
from volskew.history.columns import COLUMNS, Where, conform
from volskew.history.database import Database
from volskew.history.entries import read_entries, remove_entries, write_entries
from volskew.history.exports import reading_parts
from volskew.history.importing import IMPORTED, read_history, refuse_solved_name
from volskew.history.interchange import (
    file_bytes,
    read_csv_table,
    read_parquet_table,
    write_csv_parts,
    write_parquet_parts,
)
from volskew.history.panel import PANEL_FIELDS, build_panel, build_vintages
from volskew.history.results import AddResult, SpliceResult
from volskew.history.rows import (
    IN_DAYS,
    current_readings,
    day_number,
    fetch,
    iso_date,
    on_key,
    select_readings,
    series_names,
)
from volskew.history.spelling import canonical
from volskew.history.splice import SPLICED, splice_entries, splice_rows
from volskew.history.stored import check_rows
from volskew.history.units import MeasuredUnit, UnitKey, unit_digests, write_units
from volskew.history.vintages import row_keys, withdraw, write_readings, write_vintages
from volskew.ledger import Code, Entry, Ledger, Stage

__all__ = ["History"]

PathLike = str | os.PathLike[str]
Vintages = Literal["current", "all"]


class History:
    """A store of readings: a database of vintages with CSV and Parquet doors.

    Parameters
    ----------
    url : str or path-like
        A SQLite file (made where it is missing), ``sqlite:///FILE``, ``sqlite://`` (in memory, the default)
        or ``postgresql+psycopg://USER@HOST/NAME``.
    must_exist : bool
        Refuse a place that holds no store yet, instead of making one there: for whoever only reads.

    Raises
    ------
    StoreError
        The store cannot be opened, is not there and must exist, or was written by a newer volskew. Every
        method raises it when the database fails, or a row that it reads is damaged.

    Notes
    -----
    Use it as a context manager, or call `close`. One object may be shared by threads; processes open their
    own, and wait for one another when they write.

    Readings are never overwritten. One that differs from the stored reading under its key, in anything but
    its source, becomes a new vintage and the current reading; the store keeps when each vintage was
    recorded, which no export carries, so that a re-run writes the same bytes.

    Examples
    --------
    >>> import pandas as pd
    >>> reading = pd.DataFrame(
    ...     {"date": ["2026-07-10"], "symbol": ["QQQ"], "measure": ["implied_vol"], "tenor": ["3m"],
    ...      "delta": ["25c"], "value": [0.21]}
    ... )
    >>> with History() as history:
    ...     print(history.add(reading, series="close"))
    ...     print(history.add(reading, series="close"))
    ...     panel = history.panel(series="close", delta=0.25, symbols=["QQQ", "IWM"])
    AddResult(inserted=1, unchanged=0, restated=0, skipped=0)
    AddResult(inserted=0, unchanged=1, restated=0, skipped=0)
    >>> panel.index[-1].date().isoformat(), panel.iloc[-1].to_dict()
    ('2026-07-10', {'QQQ': 0.21, 'IWM': nan})
    """

    def __init__(self, url: PathLike = "sqlite://", *, must_exist: bool = False) -> None:
        self._lock = threading.RLock()
        self._is_open = False
        self._database = Database(url, must_exist=must_exist)
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"History({self._database.name!r}{'' if self._is_open else ', closed'})"

    def close(self) -> None:
        """Close every connection; nothing happens the second time."""
        with self._lock:
            self._is_open = False
            self._database.dispose()

    # ------------------------------------------------------------------------------ readings in

    def add(self, frame: pd.DataFrame, *, series: str | None = None) -> AddResult:
        """Add readings; what is there already changes nothing.

        Parameters
        ----------
        frame : pandas.DataFrame
            Columns of ``history.csv``: the key and ``value`` at least. Numbers are rounded as the CSV is:
            value and error to 8 decimals, forward to 6.
        series : str, optional
            The series of all rows, where `frame` has no such column.

        Returns
        -------
        AddResult

        Raises
        ------
        InputError
            A cell is not accepted, a value is missing, or two rows of one key differ; nothing is added then.
        """
        return self._add(conform(frame, series=series), Where())

    def import_history(
        self,
        source: PathLike | pd.DataFrame,
        *,
        series: str,
        columns: Mapping[str, object] | None = None,
        measure: str = "implied_vol",
        tenor: str = "3m",
        delta: str | float = 0.25,
        unit: str = "decimal",
        known_at: str | None = None,
        date_format: str | None = None,
        name: str | None = None,
    ) -> AddResult:
        """Add a vol history that somebody else made, as a series of its own.

        Parameters
        ----------
        source : path-like or pandas.DataFrame
            CSV (gzip too) or Parquet.
        series : str
            The name of the series. It may hold imported readings only, so the names of solved series (close,
            intraday, 15:45, with any prefix) and of splices (with a plus) are refused; `splice` puts the two
            side by side.
        columns : mapping, optional
            ``{"date": ..., "symbol": ..., "vol": ...}`` names the columns of a long table; by default they
            bear these names. For a wide table
            ``{"date": "DATE", "vol": {"QQQ": "qqq_iv", "IWM": "iwm_iv"}}``, or ``vol.QQQ`` and ``vol.IWM``
            in place of the inner mapping. A long table may have columns for ``measure``, ``tenor`` and
            ``delta`` too (or one of their usual names, or as named here), so that one file holds several vols
            of a day. Case matters only where it decides.
        measure, tenor, delta
            What the numbers are, where the table has no column that says it.
        unit : {"decimal", "percent"}
            Of the numbers. It is never guessed, but refused where the median vol of a symbol is not plausible
            in it, or a single vol beside that median (above 5, or more than 10 times off).
        known_at : str, optional
            The column that says when a number was published (also ``columns["known_at"]``): an instant with
            its zone, or a date, which counts from the session's close. By default the close of the date.
            A number that takes the place of another is known from the import on; where both have said when
            they were published, the new one later, from then on.
        date_format : str, optional
            ``strptime`` format of the dates. Without it ISO dates and month/day/year are read, and refused
            where they could be day/month/year.
        name : str, optional
            What the rows' ``source`` says; by default the file's name.

        Returns
        -------
        AddResult
            With the number of empty cells in `skipped`.

        Raises
        ------
        InputError
            The file cannot be read, a column is missing, a date, number, tenor or delta cannot be read, two
            numbers of one day, symbol, measure, tenor and delta differ, or the unit is not plausible.
        SettingsError
            An argument is not accepted.
        StoreError
            The series holds readings that were not imported.
        """
        refuse_solved_name(series)
        rows, where, skipped = read_history(
            source,
            columns=columns or {},
            series=series,
            measure=measure,
            tenor=tenor,
            delta=delta,
            unit=unit,
            known_at=known_at,
            date_format=date_format,
            name=name,
        )
        with self._writing() as connection:
            self._check_imported(connection, rows["series"].iloc[0])
            added = write_readings(connection, rows, where, published=True)
        return AddResult(added.inserted, added.unchanged, added.restated, skipped, added.restated_keys)

    def splice(
        self, *, imported: str, solved: str, into: str, adjust: bool = False, fill_gaps: bool = False
    ) -> SpliceResult:
        """Build a series of solved days with the days of an imported series ahead of them.

        Every solved reading is taken, and for each symbol, measure, tenor and delta the imported ones dated
        before its first solved day (all of them where it has no solved day). Imported rows are flagged
        SPLICED, and NO_OVERLAP where no day has both. The basis between the two is measured over the days
        that have both as the median of ln(solved / imported).

        A later call brings the series up to date: a day that has been solved since takes the place of the
        imported one, which stays as a vintage; a day that no longer belongs is withdrawn.

        Parameters
        ----------
        imported, solved : str
            The two series.
        into : str
            The series that is built. It may not hold readings that no splice made.
        adjust : bool
            Multiply imported values by exp(basis) and flag them BASIS_ADJUSTED. The basis is known only
            since the last day it was measured on, so `known_at` of these rows moves there.
        fill_gaps : bool
            Take imported days between solved ones too.

        Returns
        -------
        SpliceResult
            The basis is kept in the store's table ``meta`` too, and its entries in the ledger.

        Raises
        ------
        SettingsError
            The three names are not different.
        MissingReadingError
            The store has no readings of `imported` or `solved`.
        StoreError
            `into` holds readings that no splice made.
        """
        imported, solved, into = (canonical("series", name) for name in (imported, solved, into))
        if len({imported, solved, into}) < 3:
            msg = f"a splice needs three different series, got {imported!r}, {solved!r} into {into!r}"
            raise SettingsError(msg)
        with self._writing() as connection:
            sources = []
            for name in (imported, solved):
                rows = fetch(connection, current_readings(COLUMNS, on_key("series") == name), COLUMNS)
                if rows.empty:
                    raise self._no_series(connection, name)
                sources.append(rows)
            present = fetch(connection, current_readings(COLUMNS, on_key("series") == into), COLUMNS)
            self._check_spliced(connection, into, present)
            rows, basis = splice_rows(*sources, into=into, adjust=adjust, fill_gaps=fill_gaps)
            added = write_readings(connection, conform(rows), Where())
            keys = set(row_keys(rows))
            gone = present[[key not in keys for key in row_keys(present)]]
            withdraw(connection, gone)
            entries = splice_entries(basis, imported=imported, solved=solved, into=into)
            remove_entries(connection, stage=Stage.HISTORY, code=Code.SPLICED, source=into)
            write_entries(connection, entries)
            record = {
                "imported": imported,
                "solved": solved,
                "adjust": adjust,
                "fill_gaps": fill_gaps,
                "basis": json.loads(basis.to_json(orient="records", double_precision=10)),
            }
            self._database.set_meta(connection, f"splice:{into}", json.dumps(record, sort_keys=True))
        return SpliceResult(into, added, len(gone.index), basis, entries)

    # ------------------------------------------------------------------------------ readings out

    def table(
        self,
        series: str | None = None,
        *,
        vintages: Vintages = "current",
        as_of: str | dt.date | None = None,
        known_by: str | dt.datetime | None = None,
    ) -> pd.DataFrame:
        """Readings as they stand in ``history.csv``.

        Parameters
        ----------
        series : str, optional
            One series; by default all.
        vintages : {"current", "all"}
            "all" adds the replaced readings, and columns ``vintage`` (1, 2, ...) and ``recorded_at`` (UTC).
            A vintage without a value, flagged WITHDRAWN, says that the reading was taken back.
        as_of : str or datetime.date, optional
            Leave out later dates.
        known_by : str or datetime.datetime, optional
            Leave out what was not known at this instant, as in `panel`; with current vintages only.

        Returns
        -------
        pandas.DataFrame
            Sorted by key; empty where there are none. Text as in the CSV; NaN where missing.
        """
        conditions = [] if series is None else [on_key("series") == canonical("series", series)]
        if as_of is not None:
            conditions.append(day_number(canonical("date", as_of)) >= IN_DAYS)
        instant = None if known_by is None else canonical("known_at", known_by)
        columns: tuple[str, ...] = COLUMNS
        if _is_current(vintages):
            statement = current_readings(COLUMNS, *conditions, known_by=instant)
        elif instant is not None:
            msg = "known_by picks one vintage of each reading, so it goes with vintages='current' only"
            raise SettingsError(msg)
        else:
            columns = (*COLUMNS, "vintage", "recorded_at")
            statement = select_readings(columns, *conditions)
        with self._reading() as connection:
            return fetch(connection, statement, columns)

    def panel(
        self,
        *,
        series: str,
        measure: str = "implied_vol",
        tenor: str = "3m",
        delta: str | float = 0.25,
        symbols: Sequence[str] | None = None,
        as_of: str | dt.date | None = None,
        known_by: str | dt.datetime | None = None,
        field: str = "value",
    ) -> pd.DataFrame:
        """Readings of one series side by side, on every session.

        Parameters
        ----------
        series, measure, tenor, delta
            What to read, in any accepted spelling.
        symbols : sequence of str, optional
            Columns, in this order; by default every symbol with a reading, sorted.
        as_of : str or datetime.date, optional
            Leave out later dates.
        known_by : str or datetime.datetime, optional
            Leave out what was not known at this instant: for each key the newest vintage with ``known_at`` at
            or before it. It asks when the world could know a number, not when this store recorded it: a
            reading solved today from an old chain counts as known at that chain's snapshot.
        field : str
            What the cells hold: ``value``, ``error``, ``flags``, ``known_at``, ``forward``, ``n_quotes``,
            ``method``, ``snapshot_time``, ``method_version`` or ``source``. All have the same shape.

        Returns
        -------
        pandas.DataFrame
            Index: every XNYS session from the first to the last with a reading of any of `symbols`
            (datetime64[us], naive). NaN where there is no reading; nothing is filled. A symbol without
            readings is a column of NaN. ``attrs`` names series, measure, tenor, delta and field, and in
            ``off_session`` the (date, symbol) pairs left out because the day is no session.

        Raises
        ------
        MissingReadingError
            The store has no readings of that series at all.
        SettingsError
            An argument is not accepted.
        """
        key, wanted = _panel_key(series, measure, tenor, delta, symbols)
        if field not in PANEL_FIELDS:
            msg = f"a panel holds one of {', '.join(PANEL_FIELDS)}, not {field!r}"
            raise SettingsError(msg)
        instant = None if known_by is None else canonical("known_at", known_by)
        names = tuple(dict.fromkeys(("date", "symbol", field)))
        conditions = [on_key(column) == value for column, value in key.items()]
        if wanted is not None:
            conditions.append(on_key("symbol").in_(wanted))
        if as_of is not None:
            conditions.append(day_number(canonical("date", as_of)) >= IN_DAYS)
        statement = current_readings(names, *conditions, known_by=instant)
        with self._reading() as connection:
            rows = fetch(connection, statement, names)
            if rows.empty and key["series"] not in series_names(connection):
                raise self._no_series(connection, key["series"])
        panel = build_panel(
            rows, symbols=sorted(rows["symbol"].unique()) if wanted is None else wanted, field=field
        )
        panel.attrs.update(key, field=field)
        return panel

    def vintages(
        self,
        *,
        series: str,
        measure: str = "implied_vol",
        tenor: str = "3m",
        delta: str | float = 0.25,
        symbols: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """All that was ever known of a panel's readings, for `volskew.ranking.rank_history`.

        Parameters
        ----------
        series, measure, tenor, delta, symbols
            As in `panel`.

        Returns
        -------
        pandas.DataFrame
            ``date`` (naive midnight), ``symbol``, ``value`` (NaN: withdrawn), ``known_at`` (UTC) and
            ``vintage`` (1, 2, ...), sorted by date, symbol and vintage. At an instant the highest vintage
            with ``known_at`` at or before it holds, as in `panel` with ``known_by``. ``attrs`` as of `panel`.

        Raises
        ------
        MissingReadingError
            The store has no readings of that series at all.
        SettingsError
            An argument is not accepted.

        Examples
        --------
        >>> import pandas as pd
        >>> reading = pd.DataFrame(
        ...     {"date": ["2026-07-10"], "symbol": ["QQQ"], "measure": ["implied_vol"], "tenor": ["3m"],
        ...      "delta": ["25c"], "value": [0.21]}
        ... )
        >>> with History() as history:
        ...     _ = history.add(reading, series="close")
        ...     _ = history.add(reading.assign(value=0.22, known_at="2026-07-13T12:00:00Z"), series="close")
        ...     history.vintages(series="close")[["value", "known_at"]].astype(str).to_numpy().tolist()
        [['0.21', '2026-07-10 20:00:00+00:00'], ['0.22', '2026-07-13 12:00:00+00:00']]
        """
        key, wanted = _panel_key(series, measure, tenor, delta, symbols)
        names = ("date", "symbol", "value", "known_at", "vintage")
        conditions = [on_key(column) == value for column, value in key.items()]
        if wanted is not None:
            conditions.append(on_key("symbol").in_(wanted))
        statement = select_readings(names, *conditions)
        with self._reading() as connection:
            rows = fetch(connection, statement, names)
            if rows.empty and key["series"] not in series_names(connection):
                raise self._no_series(connection, key["series"])
        table = build_vintages(rows)
        table.attrs.update(key)
        return table

    def series_names(self) -> list[str]:
        """The series that the store has readings of, sorted."""
        with self._reading() as connection:
            return series_names(connection)

    def catalog(self) -> pd.DataFrame:
        """What the store holds: a row for each series, symbol, measure, tenor and delta.

        Returns
        -------
        pandas.DataFrame
            series, symbol, measure, tenor, delta, count, first_date, last_date; sorted.
        """
        group = ["series", "symbol", "measure", "tenor", "delta"]
        current = current_readings((*group, "date")).subquery()
        keys = [current.c[name] for name in group]
        ends = [func.min(current.c.date), func.max(current.c.date)]
        statement = select(*keys, func.count(), *ends).group_by(*keys)
        with self._reading() as connection:
            found = [(*row[:-2], *map(iso_date, row[-2:])) for row in connection.execute(statement)]
            check_rows(connection, "readings", [*group, "count", "date", "date"], found)
        rows = sorted(found)
        frame = pd.DataFrame(rows, columns=[*group, "count", "first_date", "last_date"])
        return frame.astype({name: "int64" if name == "count" else "str" for name in frame.columns})

    # ------------------------------------------------------------------------------ files

    def write_csv(self, path: PathLike, *, series: str | None = None, vintages: Vintages = "current") -> None:
        """Write readings as CSV, whole or not at all; the same readings give the same bytes.

        Parameters
        ----------
        path : path-like
            The file.
        series : str, optional
            One series; by default all.
        vintages : {"current", "all"}
            "all" writes the replaced readings too, with a last column ``vintage``.
        """
        self._export(path, write_csv_parts, series, vintages)

    def read_csv(self, path: PathLike) -> AddResult:
        """Add the readings of a file that `write_csv` wrote (gzip too), with its vintages where it has them.

        Returns
        -------
        AddResult

        Raises
        ------
        InputError
            The file cannot be read, or its vintages contradict those in the store.
        """
        return self._read(*read_csv_table(file_bytes(path), file=str(path)))

    def write_parquet(
        self, path: PathLike, *, series: str | None = None, vintages: Vintages = "current"
    ) -> None:
        """Write readings as Parquet: the columns and text of `write_csv`, numbers as doubles."""
        self._export(path, write_parquet_parts, series, vintages)

    def read_parquet(self, path: PathLike) -> AddResult:
        """Add the readings of a file that `write_parquet` wrote; as `read_csv`."""
        return self._read(*read_parquet_table(file_bytes(path), file=str(path)))

    # ------------------------------------------------------------------------------ built chains

    def units(self) -> dict[UnitKey, str]:
        """The chains that a build has measured into the store: symbol, session and series to their digest."""
        with self._reading() as connection:
            return unit_digests(connection)

    def write_units(self, measured: Sequence[MeasuredUnit]) -> AddResult:
        """Write what chains came to, all of it or nothing.

        Parameters
        ----------
        measured : sequence of volskew.history.units.MeasuredUnit
            Each chain once. One that the store holds is brought up to date: readings that differ become
            vintages, those that are gone are withdrawn, and its ledger is the new one.

        Returns
        -------
        AddResult

        Raises
        ------
        InputError
            A cell is not accepted.
        """
        with self._writing() as connection:
            return write_units(connection, measured)

    # ------------------------------------------------------------------------------ ledger

    def add_ledger(self, entries: Iterable[Entry]) -> int:
        """Add ledger entries; those of an earlier run that come again are not doubled.

        Returns
        -------
        int
            How many were new.
        """
        with self._writing() as connection:
            return write_entries(connection, entries)

    def ledger(self) -> Ledger:
        """Every entry that the store holds, sorted."""
        with self._reading() as connection:
            return Ledger(read_entries(connection))

    # ------------------------------------------------------------------------------ inside

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock:
            self._check_open()
            with self._database.reading() as connection:
                yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._lock:
            self._check_open()
            with self._database.writing() as connection:
                yield connection

    def _check_open(self) -> None:
        if not self._is_open:
            msg = f"the store {self._database.name} is closed"
            raise StoreError(msg)

    def _add(self, rows: pd.DataFrame, where: Where) -> AddResult:
        with self._writing() as connection:
            return write_readings(connection, rows, where)

    def _read(self, frame: pd.DataFrame, where: Where) -> AddResult:
        if "vintage" not in frame.columns:
            return self._add(conform(frame, where=where), where)
        rows = conform(frame, where=where, vintages=True)
        with self._writing() as connection:
            return write_vintages(connection, rows, where)

    def _export(
        self,
        path: PathLike,
        write: Callable[[IO[bytes], Iterable[pd.DataFrame]], None],
        series: str | None,
        vintages: Vintages,
    ) -> None:
        name = None if series is None else canonical("series", series)
        is_current = _is_current(vintages)
        with self._reading() as connection:
            parts = reading_parts(connection, series=name, all_vintages=not is_current)
            # the first part before the file is begun: what cannot be read leaves no trace
            first = next(parts)
            with open_whole(path) as file:
                write(file, itertools.chain([first], parts))

    @staticmethod
    def _check_imported(connection: Connection, series: str) -> None:
        statement = current_readings(("method",), on_key("series") == series)
        if others := set(connection.execute(statement.distinct()).scalars()) - {IMPORTED}:
            msg = (
                f"the series {series!r} holds readings that were not imported (method {min(others)!r}); "
                "import into another series and splice the two"
            )
            raise StoreError(msg)

    def _check_spliced(self, connection: Connection, into: str, present: pd.DataFrame) -> None:
        if present.empty or self._database.get_meta(connection, f"splice:{into}") is not None:
            return
        if not any(SPLICED in flags.split() for flags in present["flags"]):
            msg = (
                f"the series {into!r} holds {len(present.index)} readings that no splice made; "
                "name another series for the splice"
            )
            raise StoreError(msg)

    def _no_series(self, connection: Connection, name: str) -> MissingReadingError:
        names = ", ".join(repr(known) for known in series_names(connection)) or "none"
        return MissingReadingError(
            f"{self._database.name} has no readings of series {name!r}; it has {names}."
        )


def _panel_key(
    series: str, measure: str, tenor: str, delta: str | float, symbols: Sequence[str] | None
) -> tuple[dict[str, str], list[str] | None]:
    """What a panel is of, and its symbols, in canonical spellings."""
    key = {
        "series": canonical("series", series),
        "measure": canonical("measure", measure),
        "tenor": canonical("tenor", tenor),
        "delta": canonical("delta", delta),
    }
    wanted = None if symbols is None else [canonical("symbol", symbol) for symbol in symbols]
    if wanted is not None and len(set(wanted)) < len(wanted):
        msg = f"a symbol is named twice: {', '.join(wanted)}"
        raise SettingsError(msg)
    return key, wanted


def _is_current(vintages: str) -> bool:
    if vintages not in {"current", "all"}:
        msg = f"vintages must be 'current' or 'all', got {vintages!r}"
        raise SettingsError(msg)
    return vintages == "current"
