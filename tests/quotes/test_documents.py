"""JSON files of several documents: pages of an answer, answers of several moments, and what is neither."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from vendor_files import (
    alpaca,
    cboe_delayed,
    interactive_brokers,
    marketdata_app,
    polygon_snapshot,
    schwab,
    tradier,
    yahoo_json,
)
from vendor_files.board import board

from volskew.errors import DataQualityWarning, InputError, NotAChainError
from volskew.ledger import Code
from volskew.quotes import FileReading, read_chain, read_file

WEDNESDAY, THURSDAY = dt.date(2024, 1, 3), dt.date(2024, 1, 4)
VENDORS = (alpaca, polygon_snapshot, schwab, tradier, yahoo_json)


def lines(day: dt.date, *, cents: float = 0.0) -> pd.DataFrame:
    """Two expiries of one day, the same on every day."""
    frame = board(first=day, strikes=10)
    frame["expiry"] -= pd.Timedelta(days=(day - WEDNESDAY).days)
    frame["ask"] += cents / 100
    return frame


def answers(vendor: Any, frame: pd.DataFrame, folder: Path) -> list[Any]:
    """What a vendor answers, as one document or several."""
    text = vendor.write(frame, folder)[0].read_text("utf-8")
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def stored(path: Path, documents: list[Any], *, as_list: bool) -> Path:
    text = json.dumps(documents) if as_list else "\n".join(map(json.dumps, documents)) + "\n"
    path.write_text(text, "utf-8")
    return path


def one(path: Path) -> FileReading:
    (reading,) = read_file(path)
    return reading


def found(reading: FileReading) -> list[tuple[dt.date, str, int]]:
    return [(each.session, each.snapshot_label, each.lines) for each in reading.snapshots]


def timed(document: Any, clock: str, *, day: dt.date = WEDNESDAY) -> Any:
    """A copy of an answer of Tradier's, quoted at a time."""
    copy = json.loads(json.dumps(document))
    stamp = int(pd.Timestamp(f"{day} {clock}", tz="America/New_York").timestamp() * 1000)
    for contract in copy["options"]["option"]:
        contract |= {"bid_date": stamp, "ask_date": stamp, "trade_date": 0}
    return copy


def by_expiry(frame: pd.DataFrame, folder: Path) -> list[Any]:
    return [answers(tradier, part, folder)[0] for _, part in frame.groupby("expiry")]


# --- several moments


@pytest.mark.parametrize("as_list", [False, True], ids=["lines", "list"])
@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.__name__.rpartition(".")[2])
def test_answers_of_two_days_are_two_days(tmp_path: Path, vendor: Any, as_list: bool) -> None:
    documents = [
        document
        for day in (WEDNESDAY, THURSDAY)
        for document in answers(vendor, lines(day, cents=day.day), tmp_path)
    ]
    reading = one(stored(tmp_path / "both.json", documents, as_list=as_list))
    assert found(reading) == [(WEDNESDAY, "close", 40), (THURSDAY, "close", 40)]
    assert reading.entries == []
    assert reading.lines_read == 80
    asks = reading.quotes.groupby("snapshot_time")["ask"].max().tolist()
    assert asks[1] == pytest.approx(asks[0] + 0.01, abs=0.02)


@pytest.mark.parametrize("order", ["one after the other", "by expiry"])
def test_answers_of_two_times_of_a_day_are_two_snapshots(tmp_path: Path, order: str) -> None:
    near, far = by_expiry(lines(WEDNESDAY), tmp_path)
    taken = [timed(near, "10:02"), timed(far, "10:03"), timed(near, "15:01"), timed(far, "15:02")]
    if order == "by expiry":
        taken = [taken[0], taken[2], taken[1], taken[3]]
    reading = one(stored(tmp_path / "a.json", taken, as_list=False))
    assert found(reading) == [(WEDNESDAY, "10:00", 40), (WEDNESDAY, "15:00", 40)]


def test_an_expiry_of_another_day_is_no_page_of_this_one(tmp_path: Path) -> None:
    """The two share no contract, so that their times alone tell them apart."""
    near, far = by_expiry(lines(WEDNESDAY), tmp_path)
    taken = [timed(near, "15:00"), timed(far, "15:00", day=THURSDAY)]
    reading = one(stored(tmp_path / "a.json", taken, as_list=True))
    assert found(reading) == [(WEDNESDAY, "15:00", 20), (THURSDAY, "15:00", 20)]


def test_pages_served_within_minutes_are_one_snapshot(tmp_path: Path) -> None:
    near, far = by_expiry(lines(WEDNESDAY), tmp_path)
    reading = one(stored(tmp_path / "a.json", [timed(near, "15:01"), timed(far, "15:09")], as_list=False))
    assert found(reading) == [(WEDNESDAY, "15:00", 40)]


def test_a_page_that_came_twice_is_no_snapshot_of_its_own(tmp_path: Path) -> None:
    near, far = by_expiry(lines(WEDNESDAY), tmp_path)
    june = lines(WEDNESDAY).iloc[:20].assign(expiry=pd.Timestamp("2024-06-21"))
    (third,) = answers(tradier, june, tmp_path)
    taken = [timed(near, "15:01"), timed(far, "15:02"), timed(third, "15:03"), timed(third, "15:04")]
    reading = one(stored(tmp_path / "a.json", taken, as_list=False))
    assert found(reading) == [(WEDNESDAY, "15:00", 80)]
    assert len(reading.quotes.drop_duplicates(["expiry", "strike", "is_call"])) == 60


def test_two_evenings_of_one_session_are_one_day(tmp_path: Path) -> None:
    whole = answers(tradier, lines(WEDNESDAY), tmp_path)
    reading = one(stored(tmp_path / "a.json", [*whole, *whole], as_list=False))
    assert len(reading.snapshots) == 1
    assert [(entry.code, entry.count) for entry in reading.entries] == [(Code.SUPERSEDED, 40)]


def dumps(folder: Path, clocks: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows that a loop added to a file, once for each time."""
    (path, *_) = interactive_brokers.write(lines(WEDNESDAY), folder)
    table = pd.read_csv(path)
    rows: list[dict[str, Any]] = []
    for clock in clocks:
        stamp = pd.Timestamp(f"2024-01-03 {clock}", tz="America/New_York").tz_convert("UTC")
        rows += json.loads(table.assign(time=stamp.isoformat()).to_json(orient="records"))
    return rows


@pytest.mark.parametrize("dress", ["list", "lines", "csv"])
def test_dumps_of_two_times_in_one_table(tmp_path: Path, dress: str) -> None:
    rows = dumps(tmp_path, ("10:02", "15:47"))
    if dress == "csv":
        path = tmp_path / "both.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        path = stored(tmp_path / "both.json", rows, as_list=dress == "list")
    reading = one(path)
    assert reading.format == "interactive_brokers"
    assert found(reading) == [(WEDNESDAY, "10:00", 40), (WEDNESDAY, "15:45", 40)]


def test_dumps_of_two_days_and_times_in_one_table(tmp_path: Path) -> None:
    rows = dumps(tmp_path, ("10:02", "15:47"))
    later = [{**row, "time": row["time"].replace("01-03", "01-04")} for row in rows]
    path = tmp_path / "all.csv"
    pd.DataFrame([*rows, *later]).to_csv(path, index=False)
    assert found(one(path)) == [
        (day, clock, 40) for day in (WEDNESDAY, THURSDAY) for clock in ("10:00", "15:45")
    ]


def test_answers_with_times_on_their_lines_are_snapshots(tmp_path: Path) -> None:
    path = marketdata_app.write(lines(WEDNESDAY), tmp_path)[1]
    document = json.loads(path.read_text("utf-8"))
    noon = int(pd.Timestamp("2024-01-03 12:00", tz="America/New_York").timestamp())
    early = {**document, "updated": [noon] * 40}
    reading = one(stored(tmp_path / "a.json", [early, document], as_list=False))
    assert found(reading) == [(WEDNESDAY, "12:00", 40), (WEDNESDAY, "close", 40)]


def test_single_lines_that_stand_twice_make_no_snapshots(tmp_path: Path) -> None:
    rows = dumps(tmp_path, ("15:47",))
    reading = one(stored(tmp_path / "a.json", [*rows, *rows[3:9]], as_list=True))
    assert found(reading) == [(WEDNESDAY, "15:45", 46)]


# --- what is no page


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"status": "ERROR", "error": "rate limit"}, "it says 'rate limit'"),
        ({"data": {"options": []}}, r"keys: data"),
        ("<html>502 Bad Gateway</html>", "502 Bad Gateway"),
        (17, "17"),
        ({"options": {"option": [], "error": "expired"}}, "it says 'expired'"),
    ],
)
@pytest.mark.parametrize("vendor", [polygon_snapshot, tradier, schwab, yahoo_json])
def test_documents_without_lines_are_told(tmp_path: Path, vendor: Any, document: Any, words: str) -> None:
    pages = answers(vendor, lines(WEDNESDAY), tmp_path)
    path = stored(tmp_path / "a.json", [*pages, document, document], as_list=True)
    if document == {"options": {"option": [], "error": "expired"}} and vendor is not tradier:
        words = "keys: options"
    reading = one(path)
    assert reading.lines_read == 40
    (entry,) = reading.entries
    assert (entry.code, entry.count, entry.is_failure) == (Code.PAGE_WITHOUT_LINES, 2, True)
    assert words in entry.detail
    assert f"document {len(pages) + 1}, {len(pages) + 2} of {len(pages) + 2}" in entry.detail
    with pytest.warns(DataQualityWarning, match="PAGE_WITHOUT_LINES"):
        read_chain(path)


def test_documents_of_another_vendor_are_told(tmp_path: Path) -> None:
    mine = answers(tradier, lines(WEDNESDAY), tmp_path)
    other = answers(polygon_snapshot, lines(WEDNESDAY), tmp_path)
    reading = one(stored(tmp_path / "a.json", [*mine, *other], as_list=False))
    (entry,) = reading.entries
    assert (reading.format, len(reading.quotes)) == ("polygon_snapshot", 40)
    assert (entry.code, entry.count) == (Code.PAGE_WITHOUT_LINES, 1)
    assert "document 1 of 2: results is no list of records (keys: options)" in entry.detail


def test_the_empty_last_page_is_no_loss(tmp_path: Path) -> None:
    pages = answers(polygon_snapshot, lines(WEDNESDAY), tmp_path)
    for last in ({"status": "OK", "results": []}, {"status": "OK", "results": None}):
        assert one(stored(tmp_path / "a.json", [*pages, last], as_list=False)).entries == []


def test_a_file_of_errors_alone_is_refused_in_their_words(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.json", [{"error": "rate limit"}] * 2, as_list=True)
    with pytest.raises((InputError, NotAChainError)):
        read_chain(path)
    keys = {"details": {"contract_type": 0, "shares_per_contract": 0}}
    text = json.dumps({"results": None, "error": "rate limit", "x": keys})
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="rate limit"):
        read_chain(path)


# --- objects that are none


def put(path: tuple[Any, ...], value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("vendor", "change", "count", "words"),
    [
        (
            polygon_snapshot,
            put(("results", 3, "last_quote"), 7),
            1,
            "under 'lastquote' are no objects, the first: 7",
        ),
        (polygon_snapshot, put(("results", 3), "x"), 1, "among the records are no objects, the first: 'x'"),
        (polygon_snapshot, put(("results", 3), None), 1, "among the records are no objects, the first: None"),
        (
            schwab,
            put(("callExpDateMap", "2024-02-16:44"), {}),
            1,
            "an expiry of callExpDateMap without strikes",
        ),
        (schwab, put(("callExpDateMap", "2024-02-16:44"), 5), 1, "'2024-02-16:44': 5"),
        (
            schwab,
            put(("putExpDateMap", "2024-02-16:44", "400.0"), []),
            1,
            "a strike of putExpDateMap without",
        ),
        (yahoo_json, put(("optionChain", "result", 0, "options"), 3), 1, "without a list of options: 3"),
        (yahoo_json, put(("optionChain", "result", 0, "options", 0, "puts"), {}), 1, "puts that are no list"),
    ],
)
def test_what_should_hold_cells_and_does_not_is_told(
    tmp_path: Path, vendor: Any, change: Callable[[Any], None], count: int, words: str
) -> None:
    documents = answers(vendor, lines(WEDNESDAY), tmp_path)
    change(documents[0])
    reading = one(stored(tmp_path / "a.json", documents, as_list=False))
    told = [entry for entry in reading.entries if words in entry.detail]
    assert [(entry.code, entry.count) for entry in told] == [(Code.BAD_CELLS, count)]


def test_a_map_that_is_none_is_refused(tmp_path: Path) -> None:
    (document,) = answers(schwab, lines(WEDNESDAY), tmp_path)
    document["putExpDateMap"] = 3
    path = stored(tmp_path / "a.json", [document], as_list=False)
    with pytest.raises(InputError, match="putExpDateMap is no map: 3"):
        read_chain(path)


def test_one_side_may_be_empty(tmp_path: Path) -> None:
    (document,) = answers(schwab, lines(WEDNESDAY), tmp_path)
    document["putExpDateMap"] = {}
    assert one(stored(tmp_path / "a.json", [document], as_list=False)).entries == []


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    document, _ = (json.dumps(page) for page in answers(alpaca, lines(WEDNESDAY), tmp_path))
    first, second = list(json.loads(document)["snapshots"])[:2]
    path = tmp_path / "a.json"
    path.write_text(document.replace(f'"{second}"', f'"{first}"'), "utf-8")
    with pytest.raises(InputError, match=f"has a key twice, with different values.*'{first}'"):
        read_chain(path)
    path.write_text(document.replace('"s": 1', '"s": 1, "s": 1'), "utf-8")  # the same: nothing is lost
    assert len(read_chain(path)) == 20


# --- documents that are cut off, or more than a format has


def test_a_last_line_that_is_cut_off(tmp_path: Path) -> None:
    pages = answers(yahoo_json, lines(WEDNESDAY), tmp_path)
    path = stored(tmp_path / "a.jsonl", pages, as_list=False)
    path.write_text(path.read_text("utf-8")[:-40], "utf-8")
    with pytest.raises(
        InputError, match=r"cut off: the last document, from line 2 on.*; the 1 before it is whole"
    ):
        read_chain(path)


def test_a_page_of_html_between_lines(tmp_path: Path) -> None:
    pages = [json.dumps(page) for page in answers(yahoo_json, lines(WEDNESDAY), tmp_path)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([pages[0], "<html>502</html>", pages[1]]), "utf-8")
    with pytest.raises(InputError, match="HTML in line 2, where a JSON document should stand"):
        read_chain(path)
    path.write_text("\n".join([pages[0], "oops", pages[1]]), "utf-8")
    with pytest.raises(InputError, match=r"damaged JSON \(line 2, character 1\): document 2"):
        read_chain(path)


@pytest.mark.parametrize("as_list", [False, True])
def test_two_documents_with_a_stamp_each(tmp_path: Path, as_list: bool) -> None:
    (document,) = answers(cboe_delayed, lines(WEDNESDAY), tmp_path)
    path = stored(tmp_path / "a.json", [document, document], as_list=as_list)
    with pytest.raises(InputError, match=r"holds 2 JSON documents.*Accepted: one document a file"):
        read_chain(path)
    assert len(read_chain(stored(path, [document], as_list=as_list))) == 40
