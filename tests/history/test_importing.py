from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, SettingsError, StoreError
from volskew.history import KEY, AddResult, History, vintages
from volskew.history.columns import Where
from volskew.history.dates import read_dates

LONG = "date,symbol,vol\n2024-01-02,QQQ,0.20\n2024-01-02,IWM,0.25\n2024-01-03,QQQ,\n2024-01-03,IWM,0.26\n"


def write(folder: Path, text: str, name: str = "vols.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def values(history: History, series: str = "old") -> dict[tuple[str, str], float]:
    table = history.table(series)
    return dict(zip(zip(table["date"], table["symbol"], strict=True), table["value"], strict=True))


def test_a_long_history(history: History, tmp_path: Path) -> None:
    path = write(tmp_path, LONG)
    assert history.import_history(path, series="old") == AddResult(inserted=3, skipped=1)
    assert values(history) == {
        ("2024-01-02", "QQQ"): 0.2,
        ("2024-01-02", "IWM"): 0.25,
        ("2024-01-03", "IWM"): 0.26,
    }
    row = history.table().iloc[0]
    assert (row["flags"], row["method"], row["source"]) == ("NO_ERROR", "imported", "vols.csv")
    assert row["known_at"] == "2024-01-02T21:00:00Z"  # the session's close
    assert pd.isna(row["error"])
    assert history.import_history(path, series="old") == AddResult(unchanged=3, skipped=1)


def test_a_wide_history_in_percent_with_american_dates(history: History, tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffDATE;qqq_iv;iwm_iv\r\n01/02/24;20.5;25\r\n01/31/24;21%;.\r\n")
    columns = {"date": "Date", "vol": {"qqq": "QQQ_IV", "IWM": "iwm_iv"}}
    result = history.import_history(
        path, series="old", columns=columns, unit="percent", tenor="1m", delta="-"
    )
    assert result == AddResult(inserted=3, skipped=1)
    assert values(history) == {
        ("2024-01-02", "QQQ"): 0.205,
        ("2024-01-02", "IWM"): 0.25,
        ("2024-01-31", "QQQ"): 0.21,
    }
    assert set(history.table()["tenor"] + history.table()["delta"]) == {"1m-"}
    flat = {"date": "DATE", "vol.QQQ": "qqq_iv", "vol.IWM": "iwm_iv"}
    again = history.import_history(path, series="old", columns=flat, unit="percent", tenor="1m", delta="-")
    assert again == AddResult(unchanged=3, skipped=1)


@pytest.mark.parametrize("kind", ["csv.gz", "parquet", "typed parquet", "frame", "indexed frame"])
def test_every_kind_of_source_reads_alike(kind: str, history: History, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "date": ["2024-01-02", "2024-01-02", "2024-01-03", "2024-01-03"],
            "symbol": ["QQQ", "IWM", "QQQ", "IWM"],
            "vol": [0.2, 0.25, None, 0.26],
        }
    )
    source: Any = tmp_path / "vols.bin"
    if kind == "csv.gz":
        source.write_bytes(gzip.compress(LONG.encode()))
    elif kind.endswith("parquet"):
        typed = frame.assign(date=pd.to_datetime(frame["date"])) if kind.startswith("typed") else frame
        typed.to_parquet(source)
    else:
        source = frame.set_index("date") if kind.startswith("indexed") else frame
    assert history.import_history(source, series="old", name="x") == AddResult(inserted=3, skipped=1)
    assert values(history)["2024-01-03", "IWM"] == 0.26
    assert set(history.table()["source"]) == {"x"}


def test_publication_says_when_a_number_was_known(history: History, tmp_path: Path) -> None:
    text = (
        "date,symbol,vol,published\n2024-01-02,QQQ,0.2,2024-01-05\n"
        "2024-01-03,QQQ,0.21,2024-01-05T15:30:00-05:00\n"
        "2024-01-04,QQQ,0.22,\n2024-01-05,QQQ,0.23,2024-01-06\n"
    )
    history.import_history(write(tmp_path, text), series="old", known_at="Published")
    assert history.table()["known_at"].tolist() == [
        "2024-01-05T21:00:00Z",  # a date counts from its close
        "2024-01-05T20:30:00Z",
        "2024-01-04T21:00:00Z",  # none named: the close of the day itself
        "2024-01-07T05:00:00Z",  # a Saturday, from its end
    ]
    assert len(history.panel(series="old", known_by="2024-01-05T20:30:00Z")) == 2
    for early in ("2024-01-01", "2024-01-01T23:59:00-05:00"):  # the latter is 2 January in UTC
        changed = write(tmp_path, text.replace("2024-01-05\n", f"{early}\n", 1))
        with pytest.raises(InputError, match="row 2, column 'published': published before the day it is d"):
            history.import_history(changed, series="x", columns={"known_at": "published"})
    bad = write(tmp_path, text.replace("2024-01-06", "2024-01-06T10:00:00"))
    with pytest.raises(InputError, match=r"an instant with its zone, .* or a date"):
        history.import_history(bad, series="x", known_at="published")


def test_a_number_that_replaces_another_is_known_from_the_import_on(history: History, tmp_path: Path) -> None:
    """Else a ranking as of a day before the import would know a number that nobody had then."""
    text = "date,symbol,vol\n2024-01-02,QQQ,0.2\n2024-01-03,QQQ,0.21\n"
    history.import_history(write(tmp_path, text), series="old")
    before = dt.datetime.now(dt.UTC)
    changed = write(tmp_path, text.replace("0.21", "0.31"))
    for _ in range(2):
        result = history.import_history(changed, series="old")
    assert (result.inserted, result.unchanged, result.restated) == (0, 2, 0)  # the second time nothing is new
    first, second = history.table(vintages="all").query("date == '2024-01-03'").to_dict("records")
    assert (first["value"], first["known_at"]) == (0.21, "2024-01-03T21:00:00Z")
    assert second["value"] == 0.31
    moment = dt.datetime.fromisoformat(second["known_at"])
    assert before <= moment <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)  # to the second, upwards
    as_known = history.panel(series="old", known_by="2024-06-28T20:00:00Z")
    assert as_known["QQQ"].tolist() == [0.2, 0.21]
    assert history.panel(series="old")["QQQ"].tolist() == [0.2, 0.31]
    history.import_history(write(tmp_path, text), series="old")  # and back: a third number, known later still
    third = history.table().query("date == '2024-01-03'").to_dict("records")[0]
    assert (third["value"], third["known_at"] >= second["known_at"]) == (0.21, True)


def test_a_replacement_may_say_when_it_was_published(history: History, tmp_path: Path) -> None:
    text = "date,symbol,vol,known_at\n2024-01-03,QQQ,{}\n"
    for cells in ("0.21,2024-01-04", "0.31,2024-02-01", "0.31,2024-02-01"):
        history.import_history(write(tmp_path, text.format(cells)), series="old", known_at="known_at")
    found = history.table(vintages="all")
    assert found["known_at"].tolist() == ["2024-01-04T21:00:00Z", "2024-02-01T21:00:00Z"]
    now = dt.datetime.now(dt.UTC).isoformat()
    history.import_history(write(tmp_path, text.format("0.41,2024-02-01")), series="old", known_at="known_at")
    assert history.table()["known_at"].iloc[0] >= now[:10]  # two numbers cannot be published at once


def test_a_first_statement_of_publication_does_not_date_the_change_that_comes_with_it(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp of a file that was restated may be that of its first number, the morning after the day."""
    monkeypatch.setattr(vintages, "now", lambda: "2024-06-03T12:00:00.000000Z")
    history.import_history(write(tmp_path, "date,symbol,vol\n2024-01-03,QQQ,0.21\n"), series="old")
    text = "date,symbol,vol,known_at\n2024-01-03,QQQ,{},2024-01-04T14:00:00Z\n"
    history.import_history(write(tmp_path, text.format("0.31")), series="old", known_at="known_at")
    assert history.table()["known_at"].tolist() == ["2024-06-03T12:00:01Z"]
    # the same number with a later statement changes no number, and may be dated
    history.import_history(write(tmp_path, text.format("0.31")), series="old", known_at="known_at")
    assert history.table(vintages="all")["value"].tolist() == [0.21, 0.31]


_file = st.dictionaries(st.integers(0, 3), st.integers(18, 21), min_size=1)
_import = st.tuples(st.integers(1, 400), _file, st.booleans())


@given(imports=st.lists(_import, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_import_changes_what_was_known_before_it(imports: list[tuple[int, dict[int, int], bool]]) -> None:
    """Files in any order, each read some hours after the one before: the numbers there are stay."""
    days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    clock = pd.Timestamp("2024-01-08T15:00:00.25Z")
    with History() as store, pytest.MonkeyPatch.context() as patch:
        for hours, file, says_when in imports:
            clock += pd.Timedelta(hours=hours)
            patch.setattr(vintages, "now", lambda now=clock: now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
            rows = pd.DataFrame({"date": [days[place] for place in file], "symbol": "QQQ"})
            rows["vol"] = [value / 100 for value in file.values()]
            if says_when:  # one stamp for all numbers that the day ever has
                rows["known_at"] = rows["date"] + "T23:00:00Z"
            before = store.table(vintages="all")
            instants = [*before["known_at"], (clock - pd.Timedelta("1s")).strftime("%Y-%m-%dT%H:%M:%SZ")]
            seen = [store.table(known_by=instant) for instant in instants]
            added = store.import_history(
                rows, series="desk", known_at="known_at" if says_when else None, name="desk.csv"
            )
            for instant, old in zip(instants, seen, strict=True):
                now = store.table(known_by=instant)
                both = old.merge(now, on=list(KEY), how="left", suffixes=("", "_now"))
                assert both["value"].tolist() == both["value_now"].tolist()
            # the newest number is that of the file, and the same file again is no new one
            current = store.table().set_index("date")["value"].to_dict()
            assert {day: current[day] for day in rows["date"]} == dict(
                zip(rows["date"], rows["vol"], strict=True)
            )
            again = store.import_history(rows, series="desk", known_at="known_at" if says_when else None)
            assert (again.inserted, again.restated, again.unchanged) == (0, 0, len(file))
            assert added.inserted + added.unchanged + added.restated == len(file)
            of_key = store.table(vintages="all").groupby(list(KEY))
            assert of_key["known_at"].apply(lambda column: column.is_monotonic_increasing).all()
            assert (
                of_key["vintage"].apply(lambda column: column.tolist() == [*range(1, len(column) + 1)]).all()
            )


@pytest.mark.parametrize(
    ("text", "row", "column", "words"),
    [
        ("date,symbol,vol\n2024-01-02,QQQ,0.2\n2024-01-03,QQQ,n.v.\n", 3, "vol", "not a number: 'n.v.'"),
        ("date,symbol,vol\n2024-01-02,QQQ,0.2\n\n2024-01-03,QQQ,x\n", 4, "vol", "not a number: 'x'"),
        ('date,symbol,vol,note\n2024-01-02,QQQ,0.2,"a\nb"\n2024-01-03,QQQ,x,\n', 4, "vol", "not a number"),
        ("date,symbol,vol\n2024-01-02,QQQ,inf\n", 2, "vol", "not a number"),
        ("date,symbol,vol\n2024-01-02,QQQ,21%\n", 2, "vol", r"unit='percent' \(--unit or .* percent\) reads"),
        ("date,symbol,vol\n2024-01-02,QQQ,0\n", 2, "vol", "0 or below"),
        ("date,symbol,vol\n2024-01-02,QQQ,-0.2\n", 2, "vol", "0 or below"),
        ("date,symbol,vol\n2024-02-30,QQQ,0.2\n", 2, "date", "not a date"),
        ("date,symbol,vol\nyesterday,QQQ,0.2\n", 2, "date", "not a date: 'yesterday'"),
        ("date,symbol,vol\n,QQQ,0.2\n", 2, "date", "the date is missing"),
        ("date,symbol,vol\n2024-01-02,QQQ US,0.2\n", 2, "symbol", "not a symbol: 'QQQ US'"),
        ("date,symbol,vol\n2024-01-02,,0.2\n", 2, "symbol", "not a symbol"),
        ("date,symbol,vol\n2024-01-02,QQQ,.2\n2024-01-02,qqq,.3\n", 3, "vol", "differs from 0.2 in row 2"),
        ("date,symbol,vol\n2024-01-02,QQQ,.2\n01/31/2024,QQQ,.3\n", 3, "date", "not written as the first"),
        ("date,symbol,vol\n31/01/2024,QQQ,.2\n", 2, "date", r"date_format='%d/%m/%Y'"),
        ("date,symbol,vol\n01/02/24,QQQ,.2\n", 2, "date", "no date of the column tells month/day"),
        ("date,symbol,vol\n1889-01-02,QQQ,.2\n", 2, "date", "calendar"),
    ],
)
def test_what_cannot_be_read_is_named(
    text: str, row: int, column: str, words: str, history: History, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=words) as caught:
        history.import_history(path, series="old")
    error = caught.value
    assert (error.file, error.row, error.column) == (str(path), row, column)
    assert error.accepted
    assert history.series_names() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "date,symbol,close\n2024-01-02,QQQ,.2\n",
            r"no column 'vol' \(for vol\); it has date, symbol, close",
        ),
        ("date,symbol,iv,implied_vol\n2024-01-02,QQQ,.2,.2\n", r"no column 'vol' .* iv, implied_vol"),
        ("date,symbol,vol\n", "no vol in the history"),
        ("date,symbol,vol\n2024-01-02,QQQ,\n", "no vol in the history"),
    ],
)
def test_what_holds_no_history(text: str, words: str, history: History, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        history.import_history(write(tmp_path, text), series="old")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (
            "date,symbol,vol\n31/01/2024,QQQ,.2\n",
            "date_format='%d/%m/%Y' (--date-format or --history-date-format)",
        ),
        (
            "date,symbol,vol\n01/02/24,QQQ,.2\n",
            "date_format='%d/%m/%y' (--date-format or --history-date-format)",
        ),
        ("date,symbol,vol\nMonday,QQQ,.2\n", "date_format (--date-format or --history-date-format), such as"),
        ("date,symbol,vol\n2024-01-02,QQQ,21%\n", "unit='percent' (--unit or --history-unit percent)"),
        ("date,symbol,vol\n2024-01-02,QQQ,21\n", "unit='percent' (--unit or --history-unit percent)"),
        ("day,symbol,vol\n2024-01-02,QQQ,.2\n", "columns (--columns or --history-columns) names them"),
    ],
)
def test_remedies_are_named_for_python_and_for_the_command_line(
    text: str, remedy: str, history: History, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        history.import_history(write(tmp_path, text), series="old")
    assert remedy in str(caught.value)


def test_identical_duplicates_are_one(history: History, tmp_path: Path) -> None:
    text = "date,symbol,vol\n2024-01-02,QQQ,0.2\n2024-01-02,QQQ,0.20\n"
    assert history.import_history(write(tmp_path, text), series="old") == AddResult(inserted=1)


@pytest.mark.parametrize(
    ("number", "unit", "hint"),
    [(20.0, "decimal", "unit='percent'"), (0.2, "percent", "unit='decimal'"), (1000.0, "percent", "")],
)
def test_the_unit_is_never_guessed_but_checked(
    number: float, unit: str, hint: str, history: History, tmp_path: Path
) -> None:
    # QQQ is well, so that the error must name IWM
    good = 0.2 if unit == "decimal" else 20.0
    text = f"date,q,i\n2024-01-02,{good},{number}\n2024-01-03,{good},{number}\n"
    columns = {"vol": {"QQQ": "q", "IWM": "i"}}
    with pytest.raises(InputError, match="median vol of IWM") as caught:
        history.import_history(write(tmp_path, text), series="old", columns=columns, unit=unit)
    assert caught.value.code == "BAD_UNITS"
    assert caught.value.column == "i"
    assert hint in str(caught.value.accepted)


def test_other_measures_may_be_negative(history: History, tmp_path: Path) -> None:
    text = "date,symbol,vol\n2024-01-02,QQQ,-0.02\n"
    result = history.import_history(write(tmp_path, text), series="old", measure="risk_reversal")
    assert result.inserted == 1


def test_usual_names_of_columns_are_read(history: History, tmp_path: Path) -> None:
    renamed = LONG.replace("date,symbol,vol", "Quote_Date,TICKER,iv")
    assert history.import_history(write(tmp_path, renamed), series="old").inserted == 3
    assert history.import_history(write(tmp_path, LONG), series="old", name="x").unchanged == 3
    # a plain name goes before another usual one
    both = "date,symbol,vol,iv\n2024-01-02,QQQ,0.20,0.9\n"
    assert history.import_history(write(tmp_path, both), series="old").unchanged == 1
    with pytest.raises(InputError, match="--columns or --history-columns"):
        history.import_history(write(tmp_path, "date,ticker,x\n2024-01-02,QQQ,0.2\n"), series="old")


SHORT_STRETCH = {3: 20.0}
LONG_STRETCH = dict.fromkeys(range(3, 33), 20.0)


@pytest.mark.parametrize("unit", ["decimal", "percent"])
@pytest.mark.parametrize("stretch", [SHORT_STRETCH, LONG_STRETCH], ids=["1 row", "30 rows"])
@pytest.mark.parametrize("is_wide", [False, True])
def test_a_stretch_in_the_other_unit_is_found(
    unit: str, stretch: dict[int, float], is_wide: bool, history: History, tmp_path: Path
) -> None:
    days = pd.bdate_range("2024-01-02", periods=100).strftime("%Y-%m-%d")
    scale = 1.0 if unit == "decimal" else 100.0
    vols = [scale * 0.20] * 100
    for position in stretch:
        vols[position] = 0.20 * (100.0 if unit == "decimal" else 1.0)
    frame = pd.DataFrame({"date": days, "q": vols, "i": scale * 0.25})
    columns: dict[str, Any] = {"vol": {"QQQ": "q", "IWM": "i"}}
    if not is_wide:
        frame = pd.DataFrame({"date": days, "symbol": "QQQ", "q": vols})
        columns = {"vol": "q"}
    path = write(tmp_path, frame.to_csv(index=False))
    with pytest.raises(InputError, match=f"not plausible in unit '{unit}' as a vol of QQQ") as caught:
        history.import_history(path, series="old", columns=columns, unit=unit)
    error = caught.value
    assert (error.file, error.row, error.column) == (str(path), 5, "q")  # the fourth day, below the header
    assert (error.value, error.code) == (vols[3], "BAD_UNITS")
    assert "for QQQ a vol from" in str(error.accepted)
    assert history.series_names() == []


@pytest.mark.parametrize(
    ("vol", "is_read"),
    [(5.0, True), (5.01, False), (50.0, False), (0.06, True), (0.059, False)],
)
def test_bounds_of_a_single_vol(vol: float, is_read: bool, history: History, tmp_path: Path) -> None:
    days = pd.bdate_range("2024-01-02", periods=9).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"date": days, "symbol": "GME", "vol": 0.6})
    frame.loc[4, "vol"] = vol
    if is_read:
        assert history.import_history(frame, series="old").inserted == 9
        return
    with pytest.raises(InputError, match=r"median is 0\.6: .* a vol from 0\.06 to 5, every row") as caught:
        history.import_history(frame, series="old")
    assert caught.value.row == 5


def test_ten_times_the_median_is_the_most(history: History) -> None:
    days = pd.bdate_range("2024-01-02", periods=4).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"date": days, "symbol": "TLT", "vol": [0.1, 0.1, 0.1, 1.0]})
    assert history.import_history(frame, series="old").inserted == 4
    with pytest.raises(InputError, match=r"a vol from 0\.01 to 1,"):
        history.import_history(frame.assign(vol=[0.1, 0.1, 0.1, 1.001]), series="new")


def test_an_import_never_mixes_with_solved_days(history: History, tmp_path: Path) -> None:
    path = write(tmp_path, LONG)
    history.import_history(path, series="old")
    solved = history.table("old").assign(series="mine", method="local european")
    history.add(solved)
    with pytest.raises(StoreError, match="holds readings that were not imported"):
        history.import_history(path, series="mine")
    pd.testing.assert_frame_equal(history.table("mine"), solved)


@pytest.mark.parametrize(
    "name", ["close", " Close ", "15:45", "intraday", "simulated:close", "vendor:close", "vendor:x", "a+b"]
)
def test_an_import_never_bears_the_name_of_a_solved_series(
    name: str, history: History, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="an import takes a name of its own") as caught:
        history.import_history(write(tmp_path, LONG), series=name)
    assert repr(name) in str(caught.value)
    assert history.series_names() == []


@pytest.mark.parametrize("name", ["desk", "simulated:history", "closed", "desk close"])
def test_other_names_are_free(name: str, history: History, tmp_path: Path) -> None:
    history.import_history(write(tmp_path, LONG), series=name)
    assert history.series_names() == [name]


@pytest.mark.parametrize(
    "arguments",
    [
        {"unit": "auto"},
        {"columns": {"volume": "vol"}},
        {"columns": {"vol": "vol", "vol.QQQ": "q"}},
        {"columns": {"vol": {"QQQ": "vol", "qqq": "vol"}}},
        {"tenor": "soon"},
        {"delta": "25"},
        {"series": " "},
        {"series": 3},
    ],
)
def test_bad_arguments(arguments: dict[str, Any], history: History, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        history.import_history(write(tmp_path, LONG), **{"series": "old", **arguments})


def test_dates_in_a_stated_format(history: History, tmp_path: Path) -> None:
    path = write(tmp_path, "date,symbol,vol\n02/01/2024,QQQ,0.2\n")
    history.import_history(path, series="old", date_format="%d/%m/%Y")
    assert values(history) == {("2024-01-02", "QQQ"): 0.2}
    with pytest.raises(InputError, match="not a date"):
        history.import_history(path, series="x", date_format="%d-%m-%Y")


@given(st.lists(st.dates(pd.Timestamp("1969-01-01").date(), pd.Timestamp("2068-12-31").date()), min_size=1))
def test_dates_are_read_in_every_spelling(days: list[Any]) -> None:
    iso = [day.isoformat() for day in days]
    spellings = {
        "iso": iso,
        "compact": [text.replace("-", "") for text in iso],
        "stamped": [f"{text}T00:00:00" for text in iso],
        "typed": days,
        "timestamps": [pd.Timestamp(day) for day in days],
    }
    if any(day.day > 12 for day in days):
        spellings["american"] = [f"{day.month}/{day.day}/{day.year}" for day in days]
        spellings["short"] = [f"{day:%m/%d/%y}" for day in days]
    for cells in spellings.values():
        assert read_dates(cells, where=Where(), column="date") == iso


@pytest.mark.real
def test_a_real_vol_index_history(real: Path, history: History) -> None:
    columns = {"date": "DATE", "vol": {"^VXN": "CLOSE"}}
    path = real / "reference" / "VXN_History.csv.gz"
    with pytest.raises(InputError, match="unit='percent'"):
        history.import_history(path, series="vxn", columns=columns, tenor="30d", delta="-")
    result = history.import_history(
        path, series="vxn", columns=columns, unit="percent", tenor="30d", delta="-"
    )
    assert result.inserted > 4000
    panel = history.panel(series="vxn", tenor="30d", delta="-")
    # the file's first and last lines, read by eye: 09/15/09 ... 24.930000 and 01/28/26 ... 20.550000
    assert panel["^VXN"].iloc[[0, -1]].to_dict() == {
        pd.Timestamp("2009-09-15"): 0.2493,
        pd.Timestamp("2026-01-28"): 0.2055,
    }
    assert panel["^VXN"].notna().sum() + len(panel.attrs["off_session"]) == result.inserted
    assert panel["^VXN"].notna().mean() > 0.99
