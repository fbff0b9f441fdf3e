"""The rank of every past day is what `rank` said then: late, restated and withdrawn readings included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, MissingReadingError, SettingsError
from volskew.ranking import rank, rank_history, rank_history_csv
from volskew.ranking.hindsight import HISTORY_COLUMNS

_PAIR = ("A", "B")
_LIMITS: dict[str, Any] = {"min_observations": 2, "min_coverage": 0.5}
_COMPARED = ("value_a", "value_b", "value", "percentile", "percentile_strict", "percentile_weak", "coverage")


def days(count: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2026-01-05", periods=count, name="date").as_unit("us")


def evening(day: pd.Timestamp) -> pd.Timestamp:
    return day.tz_localize("America/New_York") + pd.Timedelta("23h59m59s")


def walk(count: int, *, seed: int = 3) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    legs = 0.2 + 0.002 * draw.integers(-3, 4, size=(count, 2)).cumsum(axis=0)
    legs[draw.random((count, 2)) < 0.04] = np.nan
    return pd.DataFrame(legs, index=days(count), columns=list(_PAIR))


# a reading: session, leg, hundredths (None: taken back), days until it was known, hour in New York
_readings = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.integers(0, 1),
        st.one_of(st.none(), st.integers(-1, 4)),
        st.integers(-1, 15),
        st.sampled_from([10, 16, 23]),
    ),
    max_size=40,
)


def vintages_of(readings: list[tuple[int, int, int | None, int, int]], count: int) -> pd.DataFrame:
    index = days(count)
    rows = []
    numbers: dict[tuple[int, int], int] = {}
    for session, leg, cents, lag, hour in readings:
        numbers[session, leg] = numbers.get((session, leg), 0) + 1
        known = index[session].tz_localize("America/New_York") + pd.Timedelta(days=lag, hours=hour)
        value = np.nan if cents is None else cents / 100
        rows.append((index[session], _PAIR[leg], value, known, numbers[session, leg]))
    table = pd.DataFrame(rows, columns=["date", "symbol", "value", "known_at", "vintage"])
    return table.astype(
        {"date": "datetime64[us]", "symbol": "str", "value": "float64", "vintage": "int64"}
    ).assign(known_at=pd.to_datetime(table["known_at"], utc=True))


def panel_known(table: pd.DataFrame, index: pd.DatetimeIndex, day: pd.Timestamp) -> pd.DataFrame:
    """What was known at the end of a day, in the plainest way."""
    panel = pd.DataFrame(np.nan, index=index[index <= day], columns=list(_PAIR))
    known = table[(table["known_at"] <= evening(day)) & (table["date"] <= day)]
    for (date, symbol), rows in known.groupby(["date", "symbol"]):
        panel.loc[date, symbol] = rows.sort_values("vintage")["value"].iloc[-1]
    return panel


def assert_same_bits(one: pd.DataFrame, other: pd.DataFrame) -> None:
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        first, second = one[name].to_numpy(), other[name].to_numpy()
        if one[name].dtype.kind == "f":
            # every NaN alike, and no two numbers that differ in a bit
            first, second = (np.where(np.isnan(x), -7.0, x).view(np.int64) for x in (first, second))
        assert first.astype(str).tolist() == second.astype(str).tolist(), name


def assert_row_of_rank(history: pd.DataFrame, panel: pd.DataFrame, day: pd.Timestamp, **limits: Any) -> None:
    """The history's rows of a day are those of `rank` on what was known then."""
    ranking = rank(
        panel, pair=_PAIR, as_of=day.date(), record_observations=limits["min_observations"], **limits
    )
    rows = history[history["date"] == day]
    wanted = ranking.table
    assert rows["form"].tolist() == wanted["form"].tolist()
    assert rows["window"].tolist() == wanted["window"].tolist()
    for name in _COMPARED:
        np.testing.assert_array_equal(rows[name].to_numpy(), wanted[name].to_numpy(dtype=np.float64), name)
    assert rows["n_obs"].tolist() == wanted["n_obs"].tolist()
    assert rows["flags"].tolist() == wanted["flags"].tolist()
    first = [None if pd.isna(day) else str(day.date()) for day in rows["first_date"]]
    assert first == [None if pd.isna(day) else day for day in wanted["first_date"]]


def test_each_row_is_what_rank_said_that_day() -> None:
    panel = walk(700)
    history = rank_history(panel, pair=_PAIR)
    assert list(history.columns) == list(HISTORY_COLUMNS)
    assert len(history) == 700 * 12
    assert history["percentile"].notna().sum() > 2000
    for position in (0, 1, 200, 251, 252, 300, 503, 504, 650, 699):
        day = panel.index[position]
        assert_row_of_rank(history, panel, day, min_observations=252, min_coverage=0.90)


def test_legs_at_or_below_zero_close_the_gates_that_rank_closes() -> None:
    panel = walk(12)
    panel.iloc[3, 1], panel.iloc[5, 0] = -0.1, 0.0
    history = rank_history(panel, pair=_PAIR, **_LIMITS)
    for day in panel.index:
        assert_row_of_rank(history, panel, day, **_LIMITS)
    assert history["flags"].str.contains("NON_POSITIVE").any()


@given(readings=_readings)
@settings(max_examples=40, deadline=None)
def test_vintages_against_the_plain_twin(readings: list[tuple[int, int, int | None, int, int]]) -> None:
    index = days(12)
    table = vintages_of(readings, 12)
    shuffled = table.sample(frac=1.0, random_state=1)
    history = rank_history(pd.DataFrame(index=index), pair=_PAIR, vintages=shuffled, **_LIMITS)
    for day in index:
        assert_row_of_rank(history, panel_known(table, index, day), day, **_LIMITS)


@given(readings=_readings, cut=st.integers(0, 11))
@settings(max_examples=60, deadline=None)
def test_what_comes_later_changes_no_row(
    readings: list[tuple[int, int, int | None, int, int]], cut: int
) -> None:
    index = days(12)
    table = vintages_of(readings, 12)
    whole = rank_history(pd.DataFrame(index=index), pair=_PAIR, vintages=table, **_LIMITS)
    known = table[(table["date"] <= index[cut]) & (table["known_at"] <= evening(index[cut]))]
    short = rank_history(pd.DataFrame(index=index[: cut + 1]), pair=_PAIR, vintages=known, **_LIMITS)
    assert_same_bits(whole[whole["date"] <= index[cut]], short)


@given(seed=st.integers(0, 1000), cut=st.integers(1, 39))
@settings(max_examples=40, deadline=None)
def test_days_appended_are_rows_appended(seed: int, cut: int) -> None:
    panel = walk(40, seed=seed)
    whole = rank_history(panel, pair=_PAIR, **_LIMITS)
    assert_same_bits(whole.iloc[: 12 * cut], rank_history(panel.iloc[:cut], pair=_PAIR, **_LIMITS))


@pytest.mark.parametrize("seed", [1, 2])
def test_counting_all_days_at_once_and_one_by_one_agree(seed: int) -> None:
    # 1,300 days: every window is full at the end, and the last one loses days
    panel = walk(1300, seed=seed)
    late = pd.DataFrame({leg: [evening(day) for day in panel.index] for leg in _PAIR}, index=panel.index)
    quick = rank_history(panel, pair=_PAIR, known_at=late, **_LIMITS)
    assert_same_bits(quick, rank_history(panel, pair=_PAIR, **_LIMITS))
    # one reading that nobody knew until the last day makes every day before it one that is counted alone
    late.iloc[0, 0] = evening(panel.index[-1])
    panel.iloc[0] = 0.2
    slow = rank_history(panel, pair=_PAIR, known_at=late, **_LIMITS)
    rest = panel.copy()
    rest.iloc[0, 0] = np.nan
    without = rank_history(rest, pair=_PAIR, **_LIMITS)
    same = slow["date"] < panel.index[-1]
    columns = [name for name in HISTORY_COLUMNS if name != "value_a"]
    assert_same_bits(slow.loc[same, columns], without.loc[same, columns])


def test_a_late_reading_is_in_later_samples_and_not_in_its_own_row() -> None:
    index = days(4)
    panel = pd.DataFrame({"A": [0.20, 0.22, 0.21, 0.23], "B": 0.2}, index=index)
    known = pd.DataFrame({leg: [evening(day) for day in index] for leg in _PAIR}, index=index)
    known.loc[index[1], "A"] = evening(index[2])
    history = rank_history(
        panel,
        pair=_PAIR,
        known_at=known,
        forms=["spread"],
        windows=["full"],
        min_observations=2,
        min_coverage=0,
    )
    assert history["value"].isna().tolist() == [False, True, False, False]
    assert history["n_obs"].tolist() == [1, 1, 3, 4]
    assert history["flags"].tolist() == ["SHORT_HISTORY", "LEG_MISSING SHORT_HISTORY", "", ""]
    # on the third day the second is known: 0.21 stands between 0.20 and 0.22
    assert history["percentile"].iloc[2] == 50.0


def test_the_evening_is_that_of_new_york() -> None:
    index = days(2)
    panel = pd.DataFrame({"A": [0.20, 0.22], "B": 0.2}, index=index)
    for known, is_there in (("2026-01-06T04:59:59Z", True), ("2026-01-06T05:00:00Z", False)):
        stamps = pd.DataFrame(
            {leg: pd.DatetimeIndex([known, "2026-01-06T21:00:00Z"]) for leg in _PAIR}, index
        )
        history = rank_history(panel, pair=_PAIR, known_at=stamps, forms=["ratio"], windows=["full"])
        assert history["value"].notna().tolist() == [is_there, True]


def test_without_numbers_the_later_known_vintage_holds() -> None:
    index = days(2)
    rows = [
        (index[0], "A", 0.3, "2026-01-06T20:00:00Z"),
        (index[0], "A", 0.2, "2026-01-05T20:00:00Z"),
        (index[1], "A", 0.2, "2026-01-06T20:00:00Z"),
        (index[0], "B", 0.1, "2026-01-05T20:00:00Z"),
        (index[1], "B", 0.1, "2026-01-06T20:00:00Z"),
    ]
    table = pd.DataFrame(rows, columns=["date", "symbol", "value", "known_at"])
    history = rank_history(
        pd.DataFrame(index=index), pair=_PAIR, vintages=table, forms=["ratio"], windows=["full"], **_LIMITS
    )
    assert history["value"].tolist() == [2.0, 2.0]
    assert history["percentile"].iloc[1] == 25.0  # below the 3.0 that the first day has by then


def test_the_csv_is_text_with_fixed_decimals() -> None:
    panel = pd.DataFrame({"A": [0.2, 0.25, np.nan], "B": [0.2, 0.2, 0.1]}, index=days(3))
    history = rank_history(panel, pair=_PAIR, forms=["spread", "log_ratio"], windows=["full"], **_LIMITS)
    head, *lines = rank_history_csv(history).splitlines()
    assert head == ",".join(HISTORY_COLUMNS)
    key = ",,A/B,implied_vol,3m,0.25"
    assert lines[0] == (
        f"2026-01-05{key},spread,full,0.200000,0.200000,0.000000,,,,1,1.0000,2026-01-05,SHORT_HISTORY"
    )
    assert lines[3] == (
        f"2026-01-06{key},log_ratio,full,0.250000,0.200000,0.22314355,75.0000,50.0000,100.0000,2,1.0000,2026-01-05,"
    )
    assert lines[4] == f"2026-01-07{key},spread,full,,0.100000,,,,,2,0.6667,2026-01-05,LEG_MISSING"
    assert rank_history_csv(history.iloc[:4]) == "".join(f"{line}\n" for line in [head, *lines[:4]])


def test_inputs_are_not_modified() -> None:
    panel = walk(30)
    table = vintages_of([(0, 0, 2, 5, 16), (0, 1, 2, 0, 16)], 12)
    before, kept = panel.copy(), table.copy()
    rank_history(panel, pair=_PAIR)
    rank_history(panel, pair=_PAIR, vintages=table)
    pd.testing.assert_frame_equal(panel, before)
    pd.testing.assert_frame_equal(table, kept)


def _broken(**changes: Any) -> pd.DataFrame:
    good = {"date": [pd.Timestamp("2026-01-05")], "symbol": ["A"], "value": [0.2], "vintage": [1]}
    return pd.DataFrame({**good, "known_at": ["2026-01-05T21:00:00Z"], **changes})


@pytest.mark.parametrize(
    ("vintages", "message"),
    [
        (_broken().drop(columns="known_at"), "the vintages have no column known_at"),
        (_broken(known_at=[None]), "nothing says when the reading of 2026-01-05 was known"),
        (_broken(known_at=["2026-01-05T21:00:00"]), "instants without a zone"),
        (_broken(known_at=["soon"]), "not a column of instants"),
        (_broken(date=["2026-01-04"]), "a vintage of a day that is no row of the panel: '2026-01-04'"),
        (_broken(date=["2026-01-05T10:00"]), "a day with a time"),
        (_broken(date=["yesterday"]), "not a day"),
        (_broken(value=[np.inf]), "an infinite reading"),
        (_broken(value=["high"]), "not a column of numbers"),
        (pd.concat([_broken(), _broken()]), "a second vintage of A on 2026-01-05"),
        (pd.concat([_broken(), _broken()]).drop(columns="vintage"), "Accepted: different instants"),
    ],
)
def test_vintages_that_cannot_be_used_are_refused(vintages: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rank_history(pd.DataFrame(index=days(3)), pair=_PAIR, vintages=vintages)


def test_other_arguments_that_cannot_be_used_are_refused() -> None:
    panel = walk(5)
    stamps = pd.DataFrame({"A": [evening(day) for day in panel.index]}, index=panel.index)
    with pytest.raises(InputError, match="known_at has no such column"):
        rank_history(panel, pair=_PAIR, known_at=stamps)
    with pytest.raises(InputError, match="nothing says when the reading of 2026-01-05 was known"):
        rank_history(panel.assign(A=0.2), pair=_PAIR, known_at=stamps.assign(B=stamps["A"]).iloc[1:])
    with pytest.raises(SettingsError, match="give one of the two"):
        rank_history(panel, pair=_PAIR, known_at=stamps, vintages=_broken())
    with pytest.raises(SettingsError, match="windows must be some of"):
        rank_history(panel, pair=_PAIR, windows=["3y"])
    with pytest.raises(InputError, match="no such column"):
        rank_history(panel, pair=("A", "C"))
    with pytest.raises(MissingReadingError, match="no session"):
        rank_history(panel.iloc[:0], pair=_PAIR)
