from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, SettingsError
from volskew.history.columns import COLUMNS, Where, conform
from volskew.history.spelling import canonical, default_known_at

KEYED = {
    "series": "close",
    "date": "2026-07-10",
    "symbol": "QQQ",
    "measure": "implied_vol",
    "tenor": "3m",
    "delta": "0.25",
    "value": 0.21,
}


def table(**cells: Any) -> pd.DataFrame:
    return pd.DataFrame({name: [value] for name, value in {**KEYED, **cells}.items()})


def test_columns_are_those_of_the_contract() -> None:
    assert ",".join(COLUMNS) == (
        "series,date,symbol,measure,tenor,delta,value,error,forward,expiry_before,expiry_after,n_quotes,"
        "method,flags,snapshot_time,method_version,known_at,source"
    )


@pytest.mark.parametrize(
    ("name", "given_", "expected"),
    [
        ("delta", 0.25, "0.25"),
        ("delta", np.float64(0.25), "0.25"),
        ("delta", ".25", "0.25"),
        ("delta", "0.250", "0.25"),
        ("delta", "25c", "0.25"),
        ("delta", "25P", "0.75"),
        ("delta", "50", "0.5"),
        ("delta", 0.1 + 0.2, "0.3"),
        ("delta", "-", "-"),
        ("tenor", "3M", "3m"),
        ("tenor", " 91D", "91d"),
        ("tenor", "-", "-"),
        ("symbol", " qqq ", "QQQ"),
        ("symbol", "brk.b", "BRK.B"),
        ("symbol", "^vxn", "^VXN"),
        ("measure", "Implied_Vol", "implied_vol"),
        ("series", " simulated:close+history ", "simulated:close+history"),
        ("date", dt.date(2026, 7, 10), "2026-07-10"),
        ("date", pd.Timestamp("2026-07-10"), "2026-07-10"),
        ("known_at", "2026-07-10T16:00:00-04:00", "2026-07-10T20:00:00Z"),
        ("known_at", "2026-07-10 20:00:00.9Z", "2026-07-10T20:00:00Z"),
        ("known_at", pd.Timestamp("2026-07-10 16:00", tz="America/New_York"), "2026-07-10T20:00:00Z"),
    ],
)
def test_one_spelling_of_each_key(name: str, given_: object, expected: str) -> None:
    assert canonical(name, given_) == expected
    assert canonical(name, expected) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delta", 25),
        ("delta", "25"),
        ("delta", -0.25),
        ("delta", "0"),
        ("delta", "1"),
        ("delta", "c"),
        ("delta", True),
        ("delta", float("nan")),
        ("tenor", "three months"),
        ("tenor", 3),
        ("symbol", "QQQ US"),
        ("symbol", ""),
        ("measure", "implied vol"),
        ("series", " "),
        ("series", "a\nb"),
        ("date", "10/07/2026"),
        ("date", "2026-02-30"),
        ("date", "2026-07-10 00:00"),
        ("date", pd.Timestamp("2026-07-10 16:00")),
        ("date", pd.Timestamp("2026-07-10", tz="UTC")),
        ("known_at", "2026-07-10T20:00:00"),
        ("known_at", dt.datetime(2026, 7, 10, 20)),  # noqa: DTZ001 - the missing zone is the point
    ],
)
def test_what_could_mean_two_things_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match="Accepted: "):
        canonical(name, value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("date", "soon"),
        ("symbol", "Q Q"),
        ("tenor", "soon"),
        ("delta", "25"),
        ("value", "0,21"),
        ("value", "1_0"),
        ("value", "inf"),
        ("value", True),
        ("error", -0.1),
        ("n_quotes", 1.5),
        ("n_quotes", -1),
        ("expiry_before", "31.12.2026"),
        ("snapshot_time", "2026-07-10T20:00:00"),
        ("source", "a\x00b"),
        ("source", "\ud800"),
        ("flags", "NO_ERROR \x07"),
    ],
)
def test_a_bad_cell_is_named_with_file_row_column_value(column: str, value: object) -> None:
    good, bad = {**KEYED, "symbol": "IWM"}, {**KEYED, column: value}
    frame = pd.DataFrame({name: [good.get(name, ""), bad[name]] for name in bad}, dtype=object)
    with pytest.raises(InputError) as caught:
        conform(frame, where=Where("old.csv", [2, 7]))
    error = caught.value
    assert (error.file, error.row, error.column, error.value) == ("old.csv", 7, column, value)
    assert error.accepted


@pytest.mark.parametrize("missing", [float("nan"), None, ""])
@pytest.mark.parametrize("column", [*KEYED])
def test_neither_a_key_nor_the_value_may_be_missing(column: str, missing: object) -> None:
    with pytest.raises(InputError, match="missing") as caught:
        conform(table(**{column: missing}).astype(object))
    assert caught.value.column == column
    assert caught.value.row == 1


def test_columns_absent_unknown_or_repeated_are_named() -> None:
    with pytest.raises(InputError, match="lacks columns tenor, value"):
        conform(table().drop(columns=["tenor", "value"]))
    with pytest.raises(InputError, match="unknown column vol"):
        conform(table(vol=0.2))
    twice = pd.concat([table(), table()[["value"]]], axis=1)
    with pytest.raises(InputError, match="repeats column value"):
        conform(twice)


def test_a_series_is_given_once() -> None:
    assert conform(table().drop(columns="series"), series="close")["series"].tolist() == ["close"]
    assert conform(table(series="close"), series="close")["series"].tolist() == ["close"]
    with pytest.raises(InputError, match="another series"):
        conform(table(series="15:45"), series="close")


def test_numbers_are_rounded_as_they_are_written() -> None:
    row = conform(table(value=0.123456785, error=-0.0, forward=1.23456789)).iloc[0]
    assert row["value"] == 0.12345678  # half to even
    assert str(row["error"]) == "0.0"
    assert row["forward"] == 1.234568
    assert conform(table(value=1e300))["value"].tolist() == [1e300]


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=40)
def test_rounding_twice_is_rounding_once(value: float) -> None:
    once = conform(table(value=value))
    twice = conform(once)
    assert once["value"].tolist() == twice["value"].tolist()
    # half a step of the eighth decimal, and above 2**26 nothing
    assert abs(once["value"].iloc[0] - value) <= 0.5000001e-8 + 1e-16 * abs(value)


def test_flags_are_sorted_and_said_once() -> None:
    row = conform(table(flags="WIDE_BRACKET NO_ERROR  NO_ERROR")).iloc[0]
    assert row["flags"] == "NO_ERROR WIDE_BRACKET"


def test_known_at_is_the_snapshot_or_the_close() -> None:
    stamped = conform(table(snapshot_time="2026-07-10T19:45:00Z")).iloc[0]
    assert stamped["known_at"] == "2026-07-10T19:45:00Z"
    assert conform(table(date="2024-07-03"))["known_at"].tolist() == ["2024-07-03T17:00:00Z"]  # half day
    assert conform(table(date="2024-01-10"))["known_at"].tolist() == ["2024-01-10T21:00:00Z"]
    # a Saturday counts from its end in New York, 05:00 UTC in winter
    assert default_known_at("2024-01-06") == "2024-01-07T05:00:00Z"


def test_a_date_beyond_the_calendar_is_an_input_error() -> None:
    with pytest.raises(InputError, match="calendar") as caught:
        conform(table(date="1889-01-02"), where=Where("old.csv", [5]))
    assert (caught.value.file, caught.value.row, caught.value.column) == ("old.csv", 5, "date")


def test_the_input_is_not_modified() -> None:
    frame = table(symbol="qqq")
    before = frame.copy(deep=True)
    conform(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_typed_columns_are_spelled_like_text() -> None:
    typed = pd.concat([table(), table(symbol="IWM")], ignore_index=True).assign(
        date=pd.to_datetime(["2026-07-10", "2026-07-10"]),
        delta=[0.25, 0.25],
        expiry_before=pd.Series([dt.date(2026, 9, 18), None], dtype=object),
        n_quotes=[41.0, np.nan],
        snapshot_time=pd.DatetimeIndex(["2026-07-10 15:45", "NaT"]).tz_localize("America/New_York"),
    )
    text = pd.concat([table(), table(symbol="IWM")], ignore_index=True).assign(
        expiry_before=["2026-09-18", ""],
        n_quotes=["41", ""],
        snapshot_time=["2026-07-10T19:45:00Z", ""],
        known_at=["2026-07-10T19:45:00Z", "2026-07-10T20:00:00Z"],
    )
    pd.testing.assert_frame_equal(conform(typed), conform(text))
