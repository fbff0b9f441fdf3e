"""Any two columns of a dated table: reading, publication dates, and complaints that name the cell."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, MissingReadingError, SettingsError
from volskew.ranking import rank, rank_series, rankings_csv, read_series


def _write(folder: Path, text: str, name: str = "s.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def _table(n: int = 400, *, seed: int = 2) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    days = pd.bdate_range(end="2026-07-10", periods=n)
    return pd.DataFrame({"date": days, "x": random.uniform(1, 2, n), "y": random.uniform(1, 2, n)})


def test_the_same_ranking_as_a_panel_of_the_same_numbers() -> None:
    table = _table()
    series = rank_series(table, a="x", b="y", series="close", measure="implied_vol", tenor="3m", delta="0.25")
    panel = rank(table.set_index("date"), pair=("x", "y"), series="close")
    assert rankings_csv(series.table) == rankings_csv(panel.table)


def test_wording_speaks_of_columns_alone() -> None:
    table = _table()
    table.loc[table.index[-1], ["x", "y"]] = [1.0, 1.99999]
    verdict = rank_series(table, a="x", b="y").verdict
    assert verdict.startswith(
        "x is low in 400 sessions against y: 1 against 1.99999 on 2026-07-10, log ratio -0.693"
    )
    assert "vol" not in verdict
    assert "cheap" not in verdict


def test_order_of_rows_does_not_matter() -> None:
    table = _table()
    shuffled = table.sample(frac=1, random_state=1)
    assert rankings_csv(rank_series(table, a="x", b="y").table) == rankings_csv(
        rank_series(shuffled, a="x", b="y").table
    )


def test_the_past_is_blind_to_rows_appended_later() -> None:
    table = _table(500)
    past = rank_series(table.iloc[:420], a="x", b="y")
    assert rankings_csv(rank_series(table, a="x", b="y", as_of=past.as_of).table) == rankings_csv(past.table)


def test_spreads_of_negative_columns_are_ranked() -> None:
    table = _table()
    table["x"] -= 1.5
    ranking = rank_series(table, a="x", b="y")
    rows = ranking.table.set_index(["form", "window"])
    assert rows.loc[("log_ratio", "full"), "flags"] == "NON_POSITIVE"
    assert rows.loc[("ratio", "full"), "flags"] == ""  # over a positive column a ratio keeps its order
    assert ranking.headline["form"] == "ratio"
    table["y"] -= 1.5
    ranking = rank_series(table, a="x", b="y")
    assert ranking.headline["form"] == "spread"
    assert ranking.headline["n_obs"] == 400


# --- publication dates ----------------------------------------------------------------------------


def _published(n: int = 300) -> pd.DataFrame:
    """Weekly observations published three days later, one of them forty days late."""
    days = pd.date_range(end="2026-07-07", periods=n, freq="7D")
    table = _table(n).assign(date=days, published=days + pd.Timedelta(days=3))
    late = days[n - 5] + pd.Timedelta(days=40)
    return table.assign(published=table["published"].mask(table.index == n - 5, late))


def test_a_row_enters_on_its_publication_day() -> None:
    table = _published()
    before = rank_series(table, a="x", b="y", known_at="published", as_of="2026-07-09")
    after = rank_series(table, a="x", b="y", known_at="published", as_of="2026-07-10")
    assert before.headline["value_a"] == table["x"].iloc[-2]
    assert after.headline["value_a"] == table["x"].iloc[-1]
    assert (before.headline["n_obs"], after.headline["n_obs"]) == (298, 299)  # the late row is not known yet
    assert "on 2026-06-30 (published by 2026-07-09)" in before.verdict
    assert before.headline["as_of"] == "2026-07-09"
    late = rank_series(table, a="x", b="y", known_at="published")
    assert late.as_of.isoformat() == "2026-07-19"
    assert late.headline["n_obs"] == 300
    assert late.headline["value_a"] == table["x"].iloc[-1]


def test_what_is_published_later_changes_no_earlier_ranking() -> None:
    table = _published()
    day = "2026-06-15"
    known = table[table["published"] <= day]
    assert len(known) < len(table) - 3
    late, early = (
        rank_series(rows, a="x", b="y", known_at="published", as_of=day) for rows in (table, known)
    )
    assert rankings_csv(late.table) == rankings_csv(early.table)


def test_instants_count_by_their_utc_day() -> None:
    table = _published().assign(published=lambda t: t["published"].dt.strftime("%Y-%m-%dT21:00:00-04:00"))
    # nine in the evening in New York is the next day in UTC: later rather than earlier
    before = rank_series(table, a="x", b="y", known_at="published", as_of="2026-07-10")
    assert before.headline["value_a"] == table["x"].iloc[-2]


def test_the_latest_known_row_is_ranked_even_where_a_leg_is_missing() -> None:
    table = _published()
    table.loc[table.index[-1], "y"] = math.nan
    ranking = rank_series(table, a="x", b="y", known_at="published", as_of="2026-07-12")
    assert ranking.is_leg_missing("y")
    assert "y has no reading on 2026-07-07" in ranking.verdict


def test_nothing_known_yet() -> None:
    with pytest.raises(MissingReadingError, match="no row was known by 2000-01-01"):
        rank_series(_published(), a="x", b="y", known_at="published", as_of="2000-01-01")


def test_publication_before_the_day_itself_is_refused() -> None:
    table = _published()
    with pytest.raises(InputError, match="row 2, column 'date': published before the day it speaks of"):
        rank_series(table, a="x", b="y", date="published", known_at="date")


# --- reading files --------------------------------------------------------------------------------


def test_read_back_what_was_written(tmp_path: Path) -> None:
    text = "date,x,y,note\n2026-07-09,1.5,2,a\n2026-07-08,.,3e-1,b\n\n2026-07-10, 4 ,NA,\n"
    frame = read_series(_write(tmp_path, text), a="x", b="y")
    assert frame["date"].dt.strftime("%Y-%m-%d").tolist() == ["2026-07-09", "2026-07-08", "2026-07-10"]
    assert np.array_equal(frame["x"], [1.5, math.nan, 4.0], equal_nan=True)
    assert np.array_equal(frame["y"], [2.0, 0.3, math.nan], equal_nan=True)
    assert list(frame.columns) == ["date", "x", "y"]


def test_vendor_habits_are_read(tmp_path: Path) -> None:
    text = "\ufeffDATE,Open,Close\r\n09/15/09,26.41,24.93\r\n09/16/2009,25.05,24.61\r\n20090917,25,24\r\n"
    path = tmp_path / "h.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    frame = read_series(path, a="open", b="close")
    assert frame["date"].dt.strftime("%Y-%m-%d").tolist() == ["2009-09-15", "2009-09-16", "2009-09-17"]
    assert list(frame.columns) == ["date", "open", "close"]


def test_quoted_line_breaks_do_not_shift_row_numbers(tmp_path: Path) -> None:
    text = 'note,date,x,y\n"two\nlines",2026-07-09,1,2\nb,2026-07-10,oops,2\n'
    with pytest.raises(InputError, match="row 4, column 'x': not a number: 'oops'"):
        read_series(_write(tmp_path, text), a="x", b="y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,x,y\n2026-07-09,1,2\n2026-07-10,1.0%,2\n", "row 3, column 'x': not a number: '1.0%'"),
        ("date,x,y\n2026-07-09,1,1_000\n", "row 2, column 'y': not a number: '1_000'"),
        ("date,x,y\n2026-07-09,inf,2\n", "row 2, column 'x': not a number: 'inf'"),
        ('date,x,y\n2026-07-09,"1,234",2\n', "row 2, column 'x': not a number: '1,234'"),
        ("date,x,y\n2026-13-09,1,2\n", "row 2, column 'date': not a day: '2026-13-09'"),
        ("date,x,y\n31/12/2025,1,2\n", "row 2, column 'date': not a day: '31/12/2025'"),
        ("date,x,y\n,1,2\n", "row 2, column 'date': not a day"),
        (
            "date,x,y\n2026-07-09,1,2\n2026-07-10,1,2\n07/09/2026,3,4\n",
            "row 4, column 'date': the day stands twice, first in row 2: '2026-07-09'",
        ),
        ("date,x,z\n2026-07-09,1,2\n", "row 1, column 'y': no such column. Accepted: one of date, x, z"),
        ("date,x,y,y\n2026-07-09,1,2,3\n", "row 1, column 'y': the header has this column more than once"),
        ("date,x,y\n2026-07-09,1\n", "row 2: the row has 2 cells"),
        ("date,x,y\n", "no rows under the header"),
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("date,x,y\n2026-07-09,1,\x00\n", "not text"),
        (f'date,x,y\n2026-07-09,1,"{"9" * 200_000}"\n', "not a CSV row"),
    ],
)
def test_complaints_name_file_row_column_and_value(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_series(path, a="x", b="y")
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    for content in (
        bytes(range(128, 256)),
        "date,x,y\n".encode("utf-16"),
        gzip.compress(b"date,x,y\n" * 99, mtime=0)[:-9],
    ):
        path = tmp_path / "f.csv"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"f\.csv"):
            read_series(path, a="x", b="y")
    with pytest.raises(InputError, match=r"none\.csv") as caught:
        read_series(tmp_path / "none.csv", a="x", b="y")
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(InputError, match="cannot be read"):
        read_series(tmp_path, a="x", b="y")


@pytest.mark.parametrize("cell", ["1e308", "-1e308", "1e-300", "-1e-300", "1e16"])
def test_implausible_numbers_are_refused_at_the_door(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "two.csv"
    path.write_text(f"date,x,y\n2026-07-08,0.2,0.3\n2026-07-09,0,{cell}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_series(path, a="x", b="y")
    assert str(caught.value) == (
        f"{path}, row 3, column 'y': no number that could be ranked: '{cell}'. "
        "Accepted: 0, or a magnitude from 1e-15 to 1e+15, or an empty cell."
    )


def test_text_columns_of_a_frame_are_converted_and_checked() -> None:
    frame = pd.DataFrame({"date": ["2026-07-09", "2026-07-10"], "x": ["1", "2"], "y": ["3", "na"]})
    assert rank_series(frame, a="x", b="y", as_of="2026-07-09").headline["value_b"] == 3
    assert rank_series(frame, a="x", b="y").is_leg_missing("y")
    with pytest.raises(InputError, match="row 3, column 'x': not a number: 'two'"):
        rank_series(frame.assign(x=["1", "two"]), a="x", b="y")
    with pytest.raises(InputError, match="row 3, column 'x': not a number: 'True'"):
        rank_series(frame.assign(x=pd.Series([1.0, True], dtype=object)), a="x", b="y")
    with pytest.raises(InputError, match="row 2, column 'x': not a number: 'inf'"):
        rank_series(frame.assign(x=[math.inf, 1]), a="x", b="y")
    with pytest.raises(InputError, match="row 3, column 'date': not a day"):
        rank_series(frame.assign(date=pd.DatetimeIndex(["2026-07-09", "NaT"])), a="x", b="y")
    with pytest.raises(InputError, match="row 3, column 'date': the day stands twice, first in row 2"):
        rank_series(frame.assign(date="2026-07-09"), a="x", b="y")
    with pytest.raises(InputError, match=r"'z': no such column.*date, x, y"):
        rank_series(frame, a="x", b="z")
    with pytest.raises(MissingReadingError, match="no row"):
        rank_series(frame.iloc[:0], a="x", b="y")


def test_days_may_be_dates_instants_or_text_and_cells_objects() -> None:
    stamps = pd.DatetimeIndex(["2026-07-08", "2026-07-09"])
    for days in (stamps, list(stamps.date), stamps.tz_localize("UTC"), ["2026-07-08 16:00", "07/09/26"]):
        frame = pd.DataFrame({"date": days, "x": [1, 2], "y": pd.Series([None, 0.5], dtype=object)})
        ranking = rank_series(frame, a="x", b="y")
        assert ranking.as_of.isoformat() == "2026-07-09"
        assert ranking.headline[["value_a", "value_b", "n_obs"]].tolist() == [2, 0.5, 1]
    with pytest.raises(InputError, match="row 2, column 'date': not a day: 'NaT'"):
        rank_series(frame.assign(date=pd.Series([pd.NaT, "2026-07-09"], dtype=object)), a="x", b="y")


def test_the_frame_is_not_modified() -> None:
    table = _table()
    before = table.copy(deep=True)
    rank_series(table, a="x", b="y")
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    "columns", [{"a": "x", "b": "x"}, {"a": "date", "b": "y"}, {"a": "x", "b": "y", "known_at": "x"}]
)
def test_one_column_cannot_be_two_things(tmp_path: Path, columns: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="different"):
        rank_series(_table(), **columns)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="different"):
        read_series(tmp_path / "any.csv", **columns)


@pytest.mark.real
def test_a_published_index_history(real: Path) -> None:
    path = real / "reference" / "VXN_History.csv.gz"
    frame = read_series(path, a="CLOSE", b="OPEN", date="DATE")
    assert frame["DATE"].is_monotonic_increasing
    ranking = rank_series(frame, a="CLOSE", b="OPEN", date="DATE")
    close_to_open = (frame["CLOSE"] / frame["OPEN"]).round(11)  # two decimals each: exact ties survive
    expected = 100 * (close_to_open.rank().iloc[-1] - 0.5) / len(frame)
    assert ranking.headline["percentile"] == pytest.approx(expected, abs=1e-9)
