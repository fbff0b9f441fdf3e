from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, MissingReadingError, SettingsError, StoreError
from volskew.history import COLUMNS, AddResult, History
from volskew.ledger import Code, Entry, Stage

Readings = Callable[..., pd.DataFrame]

TWO_DAYS = {"QQQ": {"2026-07-09": 0.21, "2026-07-10": 0.22}, "IWM": {"2026-07-09": 0.19, "2026-07-10": 0.2}}


def iso_days(panel: pd.DataFrame) -> list[str]:
    return pd.DatetimeIndex(panel.index).strftime("%Y-%m-%d").tolist()


def test_the_same_readings_again_change_nothing(history: History, readings: Readings) -> None:
    assert history.add(readings(TWO_DAYS), series="close") == AddResult(inserted=4)
    before = history.table(vintages="all")
    assert history.add(readings(TWO_DAYS), series="close") == AddResult(unchanged=4)
    other_spelling = readings(TWO_DAYS, tenor="3M", delta=0.25).assign(
        symbol=lambda rows: rows.symbol.str.lower()
    )
    assert history.add(other_spelling, series="close") == AddResult(unchanged=4)
    pd.testing.assert_frame_equal(history.table(vintages="all"), before)  # recorded_at included


def test_the_same_reading_from_a_copy_of_the_file_is_no_restatement(
    history: History, readings: Readings
) -> None:
    history.add(readings(TWO_DAYS, source="a.csv"), series="close")
    assert history.add(readings(TWO_DAYS, source="copy/a.csv"), series="close").unchanged == 4
    assert set(history.table()["source"]) == {"a.csv"}


def test_a_changed_reading_keeps_the_old_one_as_a_vintage(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS), series="close")
    changed = readings({"QQQ": {"2026-07-09": 0.21, "2026-07-10": 0.225}})
    result = history.add(changed, series="close")
    assert (result.inserted, result.unchanged, result.restated) == (0, 1, 1)
    (restated,) = result.restated_keys
    assert restated.date == dt.date(2026, 7, 10)
    assert (restated.symbol, restated.old_value, restated.new_value) == ("QQQ", 0.22, 0.225)
    assert restated.changed == ("value",)
    (entry,) = result.entries
    assert (entry.code, entry.symbol, entry.date) == ("RESTATED", "QQQ", dt.date(2026, 7, 10))
    current = history.table().set_index(["symbol", "date"])["value"]
    assert current["QQQ", "2026-07-10"] == 0.225
    assert len(current) == 4
    every = history.table(vintages="all")
    mask = (every["symbol"] == "QQQ") & (every["date"] == "2026-07-10")
    assert every.loc[mask, ["vintage", "value"]].to_numpy().tolist() == [[1, 0.22], [2, 0.225]]
    # and back: a third vintage, not the first again
    assert history.add(readings(TWO_DAYS), series="close").restated == 1
    assert history.table(vintages="all")["vintage"].max() == 3


def test_a_change_beside_the_value_is_a_restatement_too(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS, method_version="1-aaaa"), series="close")
    result = history.add(readings(TWO_DAYS, method_version="2-bbbb"), series="close")
    assert result.restated == 4
    assert {restated.changed for restated in result.restated_keys} == {("method_version",)}
    assert "the value stands; method_version changed" in result.entries[0].detail


def test_values_are_compared_as_rounded(history: History, readings: Readings) -> None:
    history.add(readings({"QQQ": {"2026-07-10": 0.2}}), series="close")
    again = history.add(readings({"QQQ": {"2026-07-10": 0.2 + 4e-9}}), series="close")
    assert again.unchanged == 1
    assert history.add(readings({"QQQ": {"2026-07-10": 0.2 + 6e-9}}), series="close").restated == 1


def test_duplicates_within_a_table(history: History, readings: Readings) -> None:
    one = readings({"QQQ": {"2026-07-10": 0.21}})
    assert history.add(pd.concat([one, one]), series="close") == AddResult(inserted=1)
    other = one.assign(value=0.22)
    with pytest.raises(InputError, match="second reading of close 2026-07-10 QQQ") as caught:
        history.add(pd.concat([one, one, other]), series="close")
    assert caught.value.row == 3
    assert caught.value.column == "value"


def test_nothing_is_added_of_a_table_with_a_missing_value(history: History, readings: Readings) -> None:
    with pytest.raises(InputError, match="missing reading is an entry of the ledger"):
        history.add(readings({"QQQ": {"2026-07-09": 0.21, "2026-07-10": float("nan")}}), series="close")
    assert history.table().empty
    assert list(history.table().columns) == list(COLUMNS)


def test_an_empty_table_adds_nothing(history: History, readings: Readings) -> None:
    assert history.add(readings({}), series="close") == AddResult()


def test_series_are_kept_apart(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS), series="close")
    history.add(readings({"QQQ": {"2026-07-10": 0.3}}), series="15:45")
    assert history.series_names() == ["15:45", "close"]
    assert history.table("15:45")["value"].tolist() == [0.3]
    catalog = history.catalog()
    assert catalog["count"].tolist() == [1, 2, 2]
    assert catalog.iloc[1].to_dict() == {
        "series": "close",
        "symbol": "IWM",
        "measure": "implied_vol",
        "tenor": "3m",
        "delta": "0.25",
        "count": 2,
        "first_date": "2026-07-09",
        "last_date": "2026-07-10",
    }


def test_the_catalog_of_an_empty_store(history: History) -> None:
    assert history.catalog().empty
    assert history.series_names() == []


# ------------------------------------------------------------------------------ panel


def test_a_panel_has_every_session_and_fills_nothing(history: History, readings: Readings) -> None:
    # 2024-07-04 is a holiday, 07-06 and 07-07 a weekend; 07-05 has no reading of either
    history.add(
        readings({"QQQ": {"2024-07-02": 0.2, "2024-07-08": 0.21}, "IWM": {"2024-07-03": 0.25}}),
        series="close",
    )
    panel = history.panel(
        series="close", measure="implied_vol", tenor="3M", delta="25c", symbols=["qqq", "IWM"]
    )
    assert iso_days(panel) == ["2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08"]
    assert panel.index.dtype == "datetime64[us]"
    assert list(panel.columns) == ["QQQ", "IWM"]
    np.testing.assert_array_equal(panel["QQQ"], [0.2, np.nan, np.nan, 0.21])
    np.testing.assert_array_equal(panel["IWM"], [np.nan, 0.25, np.nan, np.nan])
    assert panel.attrs["delta"] == "0.25"
    assert panel.attrs["off_session"] == ()


def test_readings_on_days_without_a_session_are_left_out_and_named(
    history: History, readings: Readings
) -> None:
    history.add(readings({"QQQ": {"2024-07-03": 0.2, "2024-07-04": 0.9, "2024-07-06": 0.8}}), series="old")
    panel = history.panel(series="old")
    assert panel["QQQ"].to_dict() == {pd.Timestamp("2024-07-03"): 0.2}
    assert panel.attrs["off_session"] == (("2024-07-04", "QQQ"), ("2024-07-06", "QQQ"))


def test_a_panel_survives_what_pandas_does_with_attrs(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS), series="close")
    panel = history.panel(series="close")
    joined = pd.concat([panel["QQQ"], panel["IWM"]], axis=1)  # compares attrs, which must be plain
    assert joined.shape == (2, 2)


def test_a_panel_of_any_column_has_the_same_shape(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS, error=0.001, flags="NO_ERROR"), series="close")
    values = history.panel(series="close")
    for field, cell in (("error", 0.001), ("flags", "NO_ERROR"), ("method", "")):
        panel = history.panel(series="close", field=field)
        assert panel.index.equals(values.index)
        assert (panel == cell).all(axis=None)
    known = history.panel(series="close", field="known_at")
    assert known.loc["2026-07-10", "QQQ"] == pd.Timestamp("2026-07-10 20:00", tz="UTC")
    with pytest.raises(SettingsError, match="holds one of"):
        history.panel(series="close", field="vega")


def test_as_of_cuts_dates_and_later_rows_change_nothing(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS), series="close")
    before = history.panel(series="close", as_of="2026-07-10")
    history.add(readings({"QQQ": {"2026-07-13": 0.4}}), series="close")
    pd.testing.assert_frame_equal(history.panel(series="close", as_of=dt.date(2026, 7, 10)), before)
    assert len(history.panel(series="close")) == 3


def test_known_by_takes_the_newest_vintage_known_then(history: History, readings: Readings) -> None:
    first = readings({"QQQ": {"2024-01-02": 0.20, "2024-01-03": 0.21}})
    history.add(first, series="old")
    revised = readings({"QQQ": {"2024-01-02": 0.30}}, known_at="2024-02-01T12:00:00Z")
    history.add(revised, series="old")

    def seen(instant: str) -> dict[str, float]:
        panel = history.panel(series="old", known_by=instant)
        return dict(zip(iso_days(panel), panel.get("QQQ", []), strict=True))

    assert seen("2024-01-02T20:59:59Z") == {}
    assert seen("2024-01-02T21:00:00Z") == {"2024-01-02": 0.2}
    assert seen("2024-01-31T00:00:00Z") == {"2024-01-02": 0.2, "2024-01-03": 0.21}
    assert seen("2024-02-01T12:00:00Z") == {"2024-01-02": 0.3, "2024-01-03": 0.21}


def test_a_panel_without_readings(history: History, readings: Readings) -> None:
    history.add(readings(TWO_DAYS), series="close")
    missing = history.panel(series="close", symbols=["SPY"])
    assert missing.shape == (0, 1)
    assert missing["SPY"].dtype == np.float64
    half = history.panel(series="close", symbols=["QQQ", "SPY"])
    assert half["SPY"].isna().all()
    assert len(half) == 2
    assert history.panel(series="close", tenor="1y").empty
    with pytest.raises(MissingReadingError, match="no readings of series 'clsoe'; it has 'close'"):
        history.panel(series="clsoe")
    with pytest.raises(SettingsError, match="named twice"):
        history.panel(series="close", symbols=["QQQ", "qqq"])


_DAYS = st.dates(dt.date(2024, 6, 24), dt.date(2024, 7, 12)).map(str)


@given(
    st.dictionaries(
        st.tuples(_DAYS, st.sampled_from(["QQQ", "IWM"])),
        st.integers(1, 99).map(lambda n: n / 100),
        min_size=1,
    )
)
@settings(max_examples=25, deadline=None)
def test_a_panel_equals_its_plain_twin(values: dict[tuple[str, str], float]) -> None:
    rows = pd.DataFrame(
        [(day, symbol, "implied_vol", "3m", 0.25, value) for (day, symbol), value in values.items()],
        columns=["date", "symbol", "measure", "tenor", "delta", "value"],
    )
    # the sessions of these three weeks, by hand
    sessions = [f"2024-06-{day}" for day in (24, 25, 26, 27, 28)]
    sessions += [f"2024-07-{day:02}" for day in (1, 2, 3, 5, 8, 9, 10, 11, 12)]
    with History() as history:
        history.add(rows, series="x")
        panel = history.panel(series="x", symbols=["QQQ", "IWM"])
    read = [day for day in sessions if any((day, symbol) in values for symbol in ("QQQ", "IWM"))]
    expected = [day for day in sessions if read and read[0] <= day <= read[-1]]
    assert iso_days(panel) == expected
    for day in expected:
        for symbol in ("QQQ", "IWM"):
            np.testing.assert_equal(panel.loc[day, symbol], values.get((day, symbol), np.nan))
    assert panel.attrs["off_session"] == tuple(sorted(key for key in values if key[0] not in sessions))


# ------------------------------------------------------------------------------ ledger, life, threads


def test_ledger_entries_come_back_and_are_not_doubled(history: History) -> None:
    day = dt.date(2026, 7, 10)
    entries = [
        Entry(day, "QQQ", str(Stage.TENOR), str(Code.NO_EXPIRY_AFTER), 1, "nothing past 80 days", "a.csv"),
        Entry(None, "", str(Stage.INPUT), str(Code.EMPTY), 1, "", "b,\n.csv"),
        Entry(None, "", str(Stage.INPUT), str(Code.EMPTY), 1, "", "b,\n.csv"),  # twice in one run: two
    ]
    assert history.add_ledger(entries) == 3
    assert history.add_ledger(entries) == 0
    assert list(history.ledger()) == [entries[1], entries[1], entries[0]]
    assert history.ledger().has_failures


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    history = History(tmp_path / "a.db")
    history.close()
    history.close()
    with pytest.raises(StoreError, match="is closed"):
        history.table()
    assert "closed" in repr(history)


def test_closing_leaves_no_connection_behind(tmp_path: Path, readings: Readings) -> None:
    with History(tmp_path / "a.db") as history:
        history.add(readings(TWO_DAYS), series="close")
        assert (tmp_path / "a.db-wal").exists()  # WAL mode
    # SQLite removes the log when its last connection closes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db"]
    with History(f"sqlite:///{tmp_path}/a.db") as history:
        assert len(history.table()) == 4


@pytest.mark.parametrize("place", ["memory", "file"])
def test_threads_share_a_store(place: str, tmp_path: Path, readings: Readings) -> None:
    days = pd.bdate_range("2024-01-01", periods=40).strftime("%Y-%m-%d")
    with (
        History("sqlite://" if place == "memory" else tmp_path / "a.db") as history,
        ThreadPoolExecutor(8) as pool,
    ):
        results = list(
            pool.map(
                lambda day: history.add(readings({"QQQ": {day: 0.2}, "IWM": {day: 0.3}}), series="x"), days
            )
        )
        assert sum(result.inserted for result in results) == 80
        assert len(history.table()) == 80
