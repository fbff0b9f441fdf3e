"""Inputs as they were at the end of a day: no later chain files, rates and dividends known by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from volskew.errors import InputError
from volskew.files import write_whole
from volskew.market.curvefile import read_text
from volskew.market.dividendfile import ACCEPTED, dividends_until
from volskew.market.rates import rates_until
from volskew.market.textfiles import split_place, table_files
from volskew.quotes import find_inputs, read_file
from volskew.settings import Settings
from volskew.workflow.gather import PathLike, Progress, no_progress

__all__ = ["DatedFiles", "cut_settings", "date_files"]


@dataclass(frozen=True, slots=True)
class DatedFiles:
    """Chain files with the days that they speak of.

    Attributes
    ----------
    days : dict
        File -> the first and last day that it holds or claims to be of, None where it holds no chain.
    """

    days: Mapping[Path, tuple[dt.date, dt.date] | None]

    def until(self, day: dt.date) -> list[Path]:
        """The files that existed at the end of a day; one that cannot be dated is taken."""
        return [file for file, span in self.days.items() if span is None or span[0] <= day]

    def uncut(self, day: dt.date) -> list[Path]:
        """Files with days up to and after a day, which can only be taken or left whole."""
        return [file for file, span in self.days.items() if span is not None and span[0] <= day < span[1]]


def date_files(
    paths: Sequence[PathLike],
    *,
    settings: Settings,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
) -> DatedFiles:
    """Find out which days each file speaks of.

    Parameters
    ----------
    paths, settings, format, columns, progress
        As for `volskew.workflow.gather`.
    """
    files, _ = find_inputs([str(path) for path in paths])
    days: dict[Path, tuple[dt.date, dt.date] | None] = {}
    for position, file in enumerate(files):
        progress("dating", position, len(files))
        found: set[dt.date] = set()
        try:
            for member in read_file(file, format=format, columns=columns, settings=settings):
                # a file of a holiday holds the session before, and was there no earlier than it says
                found |= {
                    max(snapshot.session, snapshot.label_date or snapshot.session)
                    for snapshot in member.snapshots
                }
                found |= {entry.date for entry in member.entries if entry.date is not None}
        except InputError:
            pass  # what it is, and whether that matters, is said where the files are measured
        days[file] = (min(found), max(found)) if found else None
    progress("dating", len(files), len(files))
    return DatedFiles(days)


def cut_settings(settings: Settings, *, on: dt.date, folder: Path) -> Settings:
    """Settings whose rates and dividend files hold what was known at the end of a day.

    Parameters
    ----------
    settings : Settings
        With the files as they are.
    on : datetime.date
        The day.
    folder : pathlib.Path
        Where the copies are written.

    Returns
    -------
    Settings
        Of one `method_version` with `settings`. A dividend file of which nothing was known is left out.

    Raises
    ------
    InputError
        A file cannot be read, or no rate was known.
    """
    changes: dict[str, object] = {}
    if settings.rates_file:
        text = rates_until(read_text(settings.rates_file), source=settings.rates_file, on=on)
        if not text:
            raise InputError(f"no rate is dated {on} or before", file=settings.rates_file, code="RATE_EARLY")
        changes["rates_file"] = str(write_whole(folder / "rates.csv", text))
    kept = []
    places = [split_place(item) for item in settings.dividends_files]
    files = [(symbol, file) for symbol, path in places for file in table_files(path, what="dividend")]
    for number, (symbol, file) in enumerate(files):
        text = read_text(file, accepted=ACCEPTED)
        if len(text.strip().splitlines()) > 1:
            text = dividends_until(text, source=file, symbol=symbol, on=on)
        if text:  # a header alone stays: it says that the symbol pays nothing
            place = write_whole(folder / f"{number}" / Path(file).name.removesuffix(".gz"), text)
            kept.append(f"{symbol}={place}" if symbol is not None else str(place))
    changes["dividends_files"] = tuple(kept)
    return settings.replace(**changes)
