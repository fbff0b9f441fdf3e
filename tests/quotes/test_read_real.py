"""What is known of the real files: formats, sessions, stale repeats, totals."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from volskew.market.clock import sessions
from volskew.quotes import FileReading, describe, find_inputs, fingerprint, read_file, resolve_repeats

pytestmark = [pytest.mark.real, pytest.mark.slow]

FORMATS = {
    "cboe_delayed": "cboe_delayed",
    "cboe_flat": "cboe_delayed",
    "cboe_quotedata": "cboe_quotedata",
    "generic": "generic",
    "vendor_iv": "generic",
    "yfinance": "yfinance",
}


def readings(folder: Path) -> list[FileReading]:
    return [
        reading for file in find_inputs([folder])[0] if describe(file).is_chain for reading in read_file(file)
    ]


def test_every_file_is_what_it_is(real: Path) -> None:
    for file in find_inputs([real])[0]:
        found = describe(file)
        chain = file.parent.name in FORMATS and file.name != "underlying.csv.gz"
        assert found.format == (FORMATS[file.parent.name] if chain else "not a chain"), file
        assert found.code == ("" if chain else "NOT_A_CHAIN")


@pytest.mark.parametrize("folder", FORMATS)
def test_every_line_is_accounted_for(real: Path, folder: str) -> None:
    for reading in readings(real / folder):
        quiet = {"BAD_CELLS", "DATE_DISAGREES"}
        kept_out = sum(entry.count for entry in reading.entries if entry.code not in quiet)
        assert reading.lines_read == len(reading.quotes) + kept_out
        assert reading.lines_read > 3000
        assert sum(snapshot.lines for snapshot in reading.snapshots) == len(reading.quotes)
        assert reading.quotes["strike"].notna().all()
        assert reading.quotes["expiry"].notna().all()
        assert not [entry for entry in reading.entries if entry.code == "BAD_CELLS"]


def test_seven_sessions_and_a_holiday(real: Path) -> None:
    found = readings(real / "cboe_delayed")
    snapshots = [snapshot for reading in found for snapshot in reading.snapshots]
    assert [s.session.day for s in snapshots] == [15, 16, 17, 18, 18, 22, 23, 24]
    assert {snapshot.snapshot_label for snapshot in snapshots} == {"close"}
    # the download of the holiday is the close before, which has a file of its own
    assert [(e.date, e.code) for r in found for e in r.entries] == [(dt.date(2026, 6, 18), "DATE_DISAGREES")]
    settled = resolve_repeats([(snapshot, str(place)) for place, snapshot in enumerate(snapshots)])
    assert [snapshot.session.day for snapshot in settled.days] == [15, 16, 17, 18, 22, 23, 24]
    assert [(e.code, "2026-06-19" in e.source) for e in settled.entries] == [("SUPERSEDED", True)]


def test_two_sessions_and_a_repeat_requoted_overnight(real: Path) -> None:
    found = readings(real / "cboe_flat")
    days = sorted((s.symbol, s.session.day) for reading in found for s in reading.snapshots)
    assert days == [("SPX", 22), ("SPX", 24), ("SPY", 22), ("SPY", 24)]
    stale = [(e.symbol, e.date, e.code) for reading in found for e in reading.entries]
    assert stale == [(symbol, dt.date(2026, 7, 23), "STALE_REPEAT") for symbol in ("SPX", "SPY")]
    index = next(
        reading.quotes for reading in found if reading.snapshots and reading.snapshots[0].symbol == "SPX"
    )
    by_root = index.groupby("root")["settlement"].unique().map(list).to_dict()
    assert by_root == {"SPX": ["AM"], "SPXW": ["PM"]}
    assert set(index["exercise"]) == {"european"}


def test_not_one_good_session_of_the_vendor_vols_is_lost(real: Path) -> None:
    found = readings(real / "vendor_iv")
    wanted = [day.date() for day in sessions(dt.date(2026, 5, 26), dt.date(2026, 7, 31))]
    holidays = [dt.date(2026, 5, 25), dt.date(2026, 6, 19), dt.date(2026, 7, 3)]
    chains = []
    for reading in found:
        assert [snapshot.session for snapshot in reading.snapshots] == wanted
        assert [(entry.date, entry.code) for entry in reading.entries] == [
            (day, "NOT_A_SESSION") for day in holidays
        ]
        assert {snapshot.source_label for snapshot in reading.snapshots} == {"vendor"}
        parts = dict(list(reading.quotes.groupby("snapshot_time")))
        chains += [(s, fingerprint(parts[s.snapshot_time])) for s in reading.snapshots]
    settled = resolve_repeats(chains)
    assert settled.entries == ()
    assert len(settled.days) == 2 * len(wanted)


def test_the_other_snapshots(real: Path) -> None:
    (download,) = readings(real / "cboe_quotedata")
    assert [(s.symbol, s.session, s.snapshot_label) for s in download.snapshots] == [
        ("SPY", dt.date(2023, 9, 14), "close")
    ]
    assert [(s.session, s.snapshot_label) for r in readings(real / "generic") for s in r.snapshots] == [
        (dt.date(2026, 7, 10), "close")
    ] * 2
    assert [(s.session, s.snapshot_label) for r in readings(real / "yfinance") for s in r.snapshots] == [
        (dt.date(2026, 2, 11), "intraday")
    ] * 2
