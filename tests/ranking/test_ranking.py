"""The table: columns, gates, a slow twin, no look-ahead, bytes, and hostile panels."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, MissingReadingError, SettingsError, StoreError
from volskew.ranking import Ranking, measurement_bands, rank, rankings_csv, sampling_band

COLUMNS = """
as_of,series,pair,measure,tenor,delta,form,window,value_a,error_a,value_b,error_b,value,error,percentile,
percentile_strict,percentile_weak,measurement_low,measurement_high,sampling_low,sampling_high,p_record,p_low5,
p_high5,executable_value,executable_percentile,iv_rank,rank,n_obs,n_effective,coverage,z_score,robust_z,record_low,record_low_date,record_high,
record_high_date,sessions_since_as_low,sessions_since_as_high,first_date,verdict,flags
""".replace("\n", "").split(",")
MEASURED = ["measurement_low", "measurement_high", "p_record", "p_low5", "p_high5"]
SAMPLED = ["sampling_low", "sampling_high", "n_effective"]
BANDS = [*MEASURED, *SAMPLED]
STATISTICS = [
    *("percentile", "percentile_strict", "percentile_weak", "iv_rank", "rank", "z_score", "robust_z"),
    *("record_low", "record_low_date", "record_high", "record_high_date"),
    *("sessions_since_as_low", "sessions_since_as_high"),
]


def _panel(n: int = 1500, *, seed: int = 11, gaps: float = 0.0) -> pd.DataFrame:
    """Two persistent vols of eight decimals, a share of each missing but for the last day."""
    random = np.random.default_rng(seed)
    walks = np.cumsum(random.normal(0, 0.02, (n, 2)), axis=0)
    vols = np.round(0.2 * np.exp(np.tanh(walks)), 8)
    vols[:-1][random.random((n - 1, 2)) < gaps] = math.nan
    return pd.DataFrame(vols, columns=["QQQ", "IWM"], index=pd.bdate_range(end="2026-07-10", periods=n))


def _row(ranking: Ranking, form: str = "log_ratio", window: str = "full") -> pd.Series:
    rows = ranking.table
    return rows[(rows["form"] == form) & (rows["window"] == window)].iloc[0]


def _assert_same(left: Ranking, right: Ranking) -> None:
    pd.testing.assert_frame_equal(left.table, right.table, check_exact=True)
    pd.testing.assert_frame_equal(left.series, right.series, check_exact=True, check_freq=False)
    assert left.verdict == right.verdict
    assert rankings_csv(left.table).encode() == rankings_csv(right.table).encode()


# --- shape ----------------------------------------------------------------------------------------


def test_columns_and_rows_are_those_of_rankings_csv() -> None:
    ranking = rank(_panel(300), series="close")
    assert list(ranking.table.columns) == COLUMNS
    assert list(zip(ranking.table["form"], ranking.table["window"], strict=True)) == [
        (form, window) for form in ("log_ratio", "ratio", "spread") for window in ("full", "5y", "2y", "1y")
    ]
    head = ranking.headline
    assert head[["as_of", "series", "pair", "measure", "tenor", "delta"]].tolist() == [
        *("2026-07-10", "close", "QQQ/IWM", "implied_vol", "3m", "0.25")
    ]
    assert ranking.verdict == head["verdict"]
    assert ranking.as_of == dt.date(2026, 7, 10)
    assert list(ranking.series.columns) == ["a", "b", "spread", "ratio", "log_ratio"]
    assert len(ranking.series) == 300


def test_types_do_not_depend_on_what_is_missing() -> None:
    full, short = rank(_panel(1500)).table, rank(_panel(3)).table
    assert full.dtypes.equals(short.dtypes)
    assert len(pd.concat([full, short], ignore_index=True)) == 24  # and so they stack without a warning


def test_bands_need_a_percentile_and_the_measured_one_an_error() -> None:
    panel = _panel(1500)
    without = rank(panel).table
    assert without[MEASURED].isna().all(axis=None)
    is_long = without["n_obs"] >= 504  # under that no study shows how often a sampling band holds
    assert set(without.loc[~is_long, "window"]) == {"1y"}
    assert without.loc[is_long, SAMPLED].notna().all(axis=None)
    assert without.loc[~is_long, SAMPLED].isna().all(axis=None)
    errors = pd.DataFrame(0.0005, index=panel.index, columns=panel.columns)
    table = rank(panel, errors=errors).table
    assert table[MEASURED].notna().all(axis=None)
    long = table[is_long]
    assert (long["sampling_low"] <= long["percentile"]).all()
    assert (long["percentile"] <= long["sampling_high"]).all()
    assert long["n_effective"].between(1, long["n_obs"].astype(float)).all()
    assert table[SAMPLED].equals(without[SAMPLED])
    errors.iloc[-1, 0] = math.nan  # the legs' errors of every other day do not make up for today's
    assert rank(panel, errors=errors).table[MEASURED].isna().all(axis=None)
    short = rank(panel.tail(251), errors=errors).table
    assert short[BANDS].isna().all(axis=None)
    constant = pd.DataFrame({"QQQ": 0.22, "IWM": 0.2}, index=panel.index)
    flat = rank(constant, errors=pd.DataFrame(0.0005, index=panel.index, columns=panel.columns)).table
    assert flat[BANDS].isna().all(axis=None)
    assert flat["percentile"].notna().all()


def test_ratio_and_log_ratio_have_the_same_bands_and_windows_their_own() -> None:
    panel = _panel(1500, seed=2)
    errors = pd.DataFrame(0.001, index=panel.index, columns=panel.columns)
    table = rank(panel, errors=errors).table
    log_ratio, ratio, spread = (
        table[table["form"] == form][BANDS].reset_index(drop=True)
        for form in ("log_ratio", "ratio", "spread")
    )
    pd.testing.assert_frame_equal(log_ratio, ratio, check_exact=True)
    assert not log_ratio.equals(spread)
    assert len(log_ratio["measurement_low"].unique()) == 4
    assert len(log_ratio["sampling_low"].dropna().unique()) == 3


def test_bands_of_a_pair_from_its_arrays() -> None:
    panel = _panel(700, seed=9, gaps=0.02)
    errors = 0.003 * panel
    row = _row(rank(panel, errors=errors), window="2y")
    both = panel.dropna()
    values = np.log((both["QQQ"] / both["IWM"]).to_numpy())
    relative = np.full(len(values), 0.003 * math.sqrt(2))  # of the legs, taken as independent
    measured = measurement_bands(values, relative, sizes=[504])[504]
    sampled = sampling_band(values[-504:])
    assert sampled is not None
    # values are rounded to twelve digits there, which moves no draw by more than that
    assert row[MEASURED].tolist() == pytest.approx(
        [measured.low, measured.high, measured.p_record, measured.p_low5, measured.p_high5], abs=1e-9
    )
    assert row[SAMPLED].tolist() == pytest.approx([sampled.low, sampled.high, sampled.n_effective], abs=1e-9)


@pytest.mark.parametrize(("n", "has_band"), [(503, False), (504, True)])
def test_a_sampling_band_asks_for_as_many_sessions_as_a_record(n: int, has_band: bool) -> None:
    panel = _panel(n)
    errors = pd.DataFrame(0.0005, index=panel.index, columns=panel.columns)
    ranking = rank(panel, errors=errors)
    assert _row(ranking)[SAMPLED].notna().all() == has_band
    assert ("sampling band" in ranking.verdict) == has_band
    assert ("measurement band" in ranking.verdict) != has_band
    assert "measurement" in ranking.verdict


def test_sessions_since_count_the_calendar_between() -> None:
    """The window keeps nine sessions in ten; those that miss a leg are sessions all the same."""
    index = pd.bdate_range(end="2026-07-10", periods=1402)
    ratios = np.append(1.1 + 0.1 * np.sin(np.arange(1401)), 0.95)
    ratios[500] = 0.94  # 901 sessions before today
    panel = pd.DataFrame({"QQQ": 0.2 * ratios, "IWM": 0.2}, index=index)
    panel.iloc[600:700, 0] = math.nan
    panel.iloc[700:738, 1] = math.nan
    ranking = rank(panel)
    assert _row(ranking)["n_obs"] == 1264
    assert _row(ranking)["sessions_since_as_low"] == 901
    assert f"was last seen on {index[500].date()}, 901 sessions before." in ranking.verdict
    assert _row(ranking)["sessions_since_as_high"] == 1


def test_errors_that_are_none_are_refused_by_day() -> None:
    panel = _panel(300)
    errors = pd.DataFrame(0.001, index=panel.index, columns=panel.columns)
    for bad in (-0.1, math.inf):
        errors.iloc[5, 0] = bad
        with pytest.raises(InputError, match=f"no standard error on {panel.index[5].date()}"):
            rank(panel, errors=errors)
        assert pd.notna(
            rank(panel, errors=errors, as_of=panel.index[4].date()).headline["error"]
        )  # not known yet
    errors.iloc[5, 0] = 0.001
    with pytest.raises(InputError, match="not a column of standard errors"):
        rank(panel, errors=errors.astype({"IWM": object}).replace(0.001, "small"))
    with pytest.raises(InputError, match="twice"):
        rank(panel, errors=pd.concat([errors, errors]))
    sparse = errors.iloc[[-1]].astype(object)
    sparse.iloc[0, 1] = None
    assert math.isnan(rank(panel, errors=sparse).headline["error_b"])
    assert rank(panel, errors=sparse).headline["error_a"] == 0.001


def test_units_are_checked_and_default_to_the_measure() -> None:
    panel = _panel(300)
    assert rank(panel).unit == "vol"
    assert rank(panel, measure="call_skew").unit == "number"
    assert rank(panel, measure="call_skew", unit="vol").unit == "vol"
    with pytest.raises(SettingsError, match="vol, number"):
        rank(panel, unit="percent")


def test_forms_and_windows_are_given_in_the_order_asked_for() -> None:
    ranking = rank(_panel(300), forms=["spread"], windows=["1y", "full"])
    assert ranking.table[["form", "window"]].to_numpy().tolist() == [["spread", "1y"], ["spread", "full"]]
    assert ranking.headline["window"] == "1y"


# --- numbers --------------------------------------------------------------------------------------


@given(
    cells=st.lists(
        st.tuples(*2 * [st.none() | st.integers(10, 16).map(lambda n: n / 100)]), min_size=2, max_size=25
    ),
    form=st.sampled_from(["log_ratio", "ratio", "spread"]),
)
@settings(max_examples=40, deadline=None)
def test_slow_twin(cells: list[tuple[float | None, float | None]], form: str) -> None:
    """Every number of the full window, from the definitions, in plain Python over whole hundredths."""
    days = pd.bdate_range("2026-01-01", periods=len(cells))
    panel = pd.DataFrame(cells, columns=["QQQ", "IWM"], index=days, dtype=float)
    row = _row(rank(panel, as_of=days[-1].date(), min_observations=2, min_coverage=0), form)
    pairs = [
        (day.date().isoformat(), round(100 * a), round(100 * b))
        for day, (a, b) in zip(days, cells, strict=True)
        if a is not None and b is not None
    ]
    assert row["n_obs"] == len(pairs)
    if None in cells[-1] or len(pairs) < 2:
        assert row[STATISTICS].isna().all()
        return
    assert row["coverage"] == pytest.approx(len(pairs) / (days >= pd.Timestamp(pairs[0][0])).sum(), rel=1e-15)
    # hundredths up to 16 have no two different ratios closer than 1 / 256, so nine digits keep ties exact
    values = [
        round({"spread": (a - b) / 100, "ratio": a / b, "log_ratio": math.log(a / b)}[form], 9)
        for _, a, b in pairs
    ]
    today, n = values[-1], len(values)
    below, up_to = sum(v < today for v in values), sum(v <= today for v in values)
    assert row["percentile"] == pytest.approx(50 * (below + up_to) / n, rel=1e-12)
    assert row["percentile_strict"] == pytest.approx(100 * below / n, rel=1e-12)
    assert row["percentile_weak"] == pytest.approx(100 * up_to / n, rel=1e-12)
    assert row["rank"] == (below + 1 + up_to) / 2
    # 1e-7 below: values were rounded to nine digits for this twin
    assert row["value"] == pytest.approx(today, abs=1e-8)
    assert (row["record_low"], row["record_high"]) == pytest.approx((min(values), max(values)), abs=1e-8)
    assert row["record_low_date"] == pairs[values.index(min(values))][0]
    assert row["record_high_date"] == pairs[values.index(max(values))][0]
    for column, reached in (
        ("sessions_since_as_low", [v <= today for v in values[:-1]]),
        ("sessions_since_as_high", [v >= today for v in values[:-1]]),
    ):
        if any(reached):
            day = pairs[len(reached) - 1 - reached[::-1].index(True)][0]
            assert row[column] == (days > pd.Timestamp(day)).sum()
        else:
            assert pd.isna(row[column])
    if max(values) > min(values):
        assert row["iv_rank"] == pytest.approx((today - min(values)) / (max(values) - min(values)), abs=1e-6)
        assert row["z_score"] == pytest.approx(
            (today - statistics.fmean(values)) / statistics.stdev(values), abs=1e-5
        )
    else:
        assert row[["iv_rank", "z_score", "robust_z"]].isna().all()
        assert row["flags"] == "CONSTANT"


@given(seed=st.integers(0, 10_000), digits=st.integers(2, 8))
@settings(max_examples=20, deadline=None)
def test_ratio_and_log_ratio_always_rank_identically(seed: int, digits: int) -> None:
    panel = _panel(600, seed=seed).round(digits)
    table = rank(panel).table
    columns = [
        "percentile",
        "percentile_strict",
        "percentile_weak",
        "rank",
        "sessions_since_as_low",
        "record_low_date",
    ]
    log_ratio, ratio = (
        table[table["form"] == form][columns].reset_index(drop=True) for form in ("log_ratio", "ratio")
    )
    pd.testing.assert_frame_equal(log_ratio, ratio, check_exact=True)


def test_swapping_the_legs_mirrors_the_ranking() -> None:
    panel = _panel(700, seed=5)
    for form in ("log_ratio", "spread"):
        there, back = _row(rank(panel), form), _row(rank(panel, pair=("IWM", "QQQ")), form)
        assert back["percentile"] == pytest.approx(100 - there["percentile"], abs=1e-9)
        assert back["record_low_date"] == there["record_high_date"]
        assert back["z_score"] == pytest.approx(-there["z_score"], abs=1e-9)


def test_windows_are_the_latest_sessions_with_both_legs() -> None:
    panel = _panel(1500, gaps=0.02)
    both = panel.dropna()
    ranking = rank(panel)
    for window, n in (("5y", 1260), ("2y", 504), ("1y", 252)):
        row = _row(ranking, "spread", window)
        part = both.tail(n)
        values = (part["QQQ"] - part["IWM"]).round(8)
        assert row["n_obs"] == n
        assert row["first_date"] == part.index[0].date().isoformat()
        assert row["coverage"] == pytest.approx(n / (panel.index >= part.index[0]).sum(), rel=1e-15)
        expected = 100 * (values.rank().iloc[-1] - 0.5) / n
        assert row["percentile"] == pytest.approx(expected, abs=1e-9)


def test_errors_are_carried_to_legs_and_forms() -> None:
    panel = _panel(10)
    errors = pd.DataFrame({"QQQ": 0.0006, "IWM": 0.0008}, index=panel.index)
    a, b = panel.iloc[-1]
    spread, ratio = (_row(rank(panel, errors=errors), form) for form in ("spread", "ratio"))
    assert (spread["error_a"], spread["error_b"]) == (0.0006, 0.0008)
    assert spread["error"] == pytest.approx(0.001, rel=1e-14)
    assert ratio["error"] == pytest.approx(a / b * math.hypot(0.0006 / a, 0.0008 / b), rel=1e-14)
    panel.attrs["errors"] = errors
    assert _row(rank(panel), "spread")["error"] == spread["error"]
    assert rank(panel, errors=errors.iloc[:-1]).table[["error_a", "error_b", "error"]].isna().all(axis=None)


def test_flags_of_the_day_and_of_a_splice_are_carried() -> None:
    panel = _panel(400)
    flags = pd.DataFrame("", index=panel.index, columns=panel.columns)
    flags.iloc[:100, 0] = "BASIS_ADJUSTED SPLICED"
    flags.iloc[-1] = ["NO_ERROR", "RATE_ASSUMED NO_ERROR"]
    ranking = rank(panel, flags=flags)
    assert _row(ranking)["flags"] == "NO_ERROR RATE_ASSUMED SPLICED"
    assert (
        _row(ranking, window="1y")["flags"] == "NO_ERROR RATE_ASSUMED"
    )  # its 252 sessions are all solved ones
    panel.attrs["flags"] = flags
    assert _row(rank(panel))["flags"] == "NO_ERROR RATE_ASSUMED SPLICED"


# --- gates ----------------------------------------------------------------------------------------


def test_too_little_history_gives_values_and_no_statistics() -> None:
    table = rank(_panel(251)).table
    assert table[STATISTICS].isna().all(axis=None)
    assert table[["value_a", "value_b", "value", "n_obs", "first_date", "coverage"]].notna().all(axis=None)
    assert table["n_obs"].tolist() == [251] * 12
    assert set(table["flags"]) == {"SHORT_HISTORY", "SHORT_HISTORY SHORT_WINDOW"}
    assert _row(rank(_panel(252)))["flags"] == ""


def test_a_window_that_is_not_full_is_empty() -> None:
    ranking = rank(_panel(1259))
    row = _row(ranking, window="5y")
    assert row["flags"] == "SHORT_WINDOW"
    assert row[STATISTICS].isna().all()
    assert row["n_obs"] == 1259
    assert "no percentile for the 5y window under 1,260" in row["verdict"]
    for window in ("full", "2y", "1y"):
        assert pd.notna(_row(ranking, window=window)["percentile"])
    assert _row(rank(_panel(1260)), window="5y")["flags"] == ""


def test_coverage_under_nine_tenths_closes_a_window() -> None:
    panel = _panel(280)
    panel.iloc[100:128, 1] = math.nan
    row = _row(rank(panel))
    assert (row["n_obs"], row["coverage"], row["flags"]) == (252, 0.9, "")
    panel.iloc[99, 0] = math.nan
    row = _row(rank(panel, min_observations=251))
    assert row["flags"] == "LOW_COVERAGE"
    assert row[STATISTICS].isna().all()
    assert pd.notna(row["value"])


@pytest.mark.parametrize("gone", ["QQQ", "IWM"])
def test_a_missing_leg_is_never_replaced(gone: str) -> None:
    panel = _panel(600)
    panel.loc[panel.index[-1], gone] = math.nan
    ranking = rank(panel)
    table = ranking.table
    assert table[["value", *STATISTICS]].isna().all(axis=None)
    assert table["value_a" if gone == "QQQ" else "value_b"].isna().all()
    assert all("LEG_MISSING" in flags.split() for flags in table["flags"])
    assert ranking.is_leg_missing(gone)
    assert not ranking.is_leg_missing("IWM" if gone == "QQQ" else "QQQ")
    with pytest.raises(SettingsError, match="QQQ and IWM"):
        ranking.is_leg_missing("SPY")


def test_the_default_day_is_the_last_with_either_leg() -> None:
    panel = _panel(300)
    panel.iloc[-2:, 0] = math.nan
    panel.iloc[-1:, 1] = math.nan
    assert rank(panel).as_of == panel.index[-2].date()
    panel[:] = math.nan
    ranking = rank(panel)
    assert ranking.as_of == panel.index[-1].date()
    assert ranking.is_leg_missing("QQQ")
    assert ranking.is_leg_missing("IWM")


def test_a_day_without_session_has_no_reading() -> None:
    panel = _panel(300)
    for day in ("2026-07-11", "2027-01-01", "1990-01-01"):
        ranking = rank(panel, as_of=day)
        assert ranking.as_of == dt.date.fromisoformat(day)
        assert ranking.table["value"].isna().all()
        assert ranking.is_leg_missing("QQQ")
    assert rank(panel, as_of="1990-01-01").headline["n_obs"] == 0


def test_legs_at_or_below_zero_leave_the_spread() -> None:
    panel = _panel(600)
    panel.iloc[500, 1] = 0.0
    ranking = rank(panel)
    for form in ("log_ratio", "ratio"):
        row = _row(ranking, form)
        assert row["flags"] == "NON_POSITIVE"
        assert row[STATISTICS].isna().all()
        assert pd.notna(row["value"])
        assert "a leg is at or below zero on 1 of 600 sessions" in row["verdict"]
        assert _row(rank(panel, as_of=panel.index[499].date()), form)["flags"] == ""
    assert pd.notna(_row(ranking, "spread")["percentile"])
    assert ranking.headline["form"] == "spread"
    assert ranking.verdict == _row(ranking, "spread")["verdict"]


# --- no look-ahead --------------------------------------------------------------------------------


def test_appending_the_future_changes_no_past_ranking_by_a_bit() -> None:
    panel = _panel(1600, gaps=0.01)
    panel.iloc[1550:] *= -100  # a wild future, non-positive values in it
    panel.iloc[1580] = math.inf
    errors = pd.DataFrame(0.0007, index=panel.index, columns=panel.columns)
    errors.iloc[1550:] = -1.0
    for end in (50, 300, 504, 777, 1300, 1549):
        day = panel.index[end - 1].date()
        past = rank(panel.iloc[:end].copy(), as_of=day, errors=errors.iloc[:end].copy())
        _assert_same(rank(panel, as_of=day, errors=errors), past)


@given(cut=st.integers(260, 320), seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_no_look_ahead_wherever_the_cut_is(cut: int, seed: int) -> None:
    panel = _panel(330, seed=seed, gaps=0.03)
    day = panel.index[cut - 1].date()
    _assert_same(rank(panel, as_of=day), rank(panel.iloc[:cut].copy(), as_of=day))


def test_order_of_rows_and_other_columns_do_not_matter() -> None:
    panel = _panel(400)
    other = panel.sample(frac=1, random_state=3).assign(SPY=math.inf)[["SPY", "IWM", "QQQ"]]
    _assert_same(rank(panel), rank(other))


def test_the_panel_is_not_modified() -> None:
    panel = _panel(300)
    before = panel.copy(deep=True)
    rank(panel)
    pd.testing.assert_frame_equal(panel, before)


# --- CSV ------------------------------------------------------------------------------------------


def test_csv_has_fixed_decimals_and_empty_cells(tmp_path: Path) -> None:
    panel = _panel(600)
    ranking = rank(panel, series="close", errors=panel * [0.003, math.nan])
    path = ranking.to_csv(tmp_path / "out" / "rankings.csv")
    content = path.read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"\n")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert list(rows[0]) == COLUMNS
    assert len(rows) == 12
    decimals = {
        "value_a": 6,
        "value_b": 6,
        "percentile": 4,
        "iv_rank": 4,
        "z_score": 4,
        "coverage": 4,
        "rank": 1,
        "sampling_low": 4,
        "sampling_high": 4,
        "n_effective": 1,
    }
    for column, places in decimals.items():
        assert len(rows[0][column].partition(".")[2]) == places
        assert float(rows[0][column]) == pytest.approx(ranking.headline[column], abs=0.51 * 10**-places)
    for row, places in ((rows[0], 8), (rows[4], 8), (rows[8], 6)):
        assert {len(row[name].partition(".")[2]) for name in ("value", "record_low", "record_high")} == {
            places
        }
    assert {rows[0][name] for name in MEASURED} == {""}
    table = rank(panel, errors=0.003 * panel).table
    measured = next(csv.DictReader(io.StringIO(rankings_csv(table))))
    assert {len(measured[name].partition(".")[2]) for name in MEASURED} == {4}
    assert rows[0]["first_date"] == ranking.headline["first_date"]
    assert rows[0]["n_obs"] == "600"
    assert rows[1]["percentile"] == rows[1]["sessions_since_as_low"] == ""
    assert rows[0]["verdict"] == ranking.verdict


def test_csv_is_the_same_bytes_again_and_whole(tmp_path: Path) -> None:
    panel = _panel(600)
    first = rank(panel).to_csv(tmp_path / "rankings.csv").read_bytes()
    assert rank(panel.copy()).to_csv(tmp_path / "rankings.csv").read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == ["rankings.csv"]
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError):
        rank(panel).to_csv(tmp_path / "taken")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rankings.csv", "taken"]


def test_csv_has_no_negative_zero() -> None:
    panel = _panel(300)
    panel.iloc[-1] = [0.2, 0.20000001]
    text = rankings_csv(rank(panel).table)
    assert "-0.000000," not in text
    assert ",0.000000," in text


# --- hostile panels -------------------------------------------------------------------------------


def test_infinite_readings_are_named() -> None:
    panel = _panel(300)
    panel.iloc[7, 1] = -math.inf
    with pytest.raises(InputError, match=f"column 'IWM': an infinite reading on {panel.index[7].date()}"):
        rank(panel)


def test_a_missing_symbol_says_what_is_there() -> None:
    with pytest.raises(InputError, match=r"'RUT': the panel has no such column.*QQQ, IWM") as caught:
        rank(_panel(5), pair=("QQQ", "RUT"))
    assert caught.value.code == "PAIR_MISSING"


def test_panels_that_cannot_be_ranked_are_refused() -> None:
    panel = _panel(5)
    hostile = {
        "a date twice": pd.concat([panel, panel.iloc[[2]]]),
        "not one of dates": panel.reset_index(drop=True),
        "time of day": panel.set_axis(panel.index + pd.Timedelta(hours=16)),
        "missing date": panel.set_axis(pd.DatetimeIndex([*panel.index[:4], pd.NaT])),
        "more than once": pd.concat([panel, panel["QQQ"]], axis=1),
        "not a column of numbers": panel.astype({"IWM": "str"}),
        "dates.*datetime64": panel.tz_localize("UTC"),
    }
    for message, frame in hostile.items():
        with pytest.raises(InputError, match=message):
            rank(frame)
    with pytest.raises(MissingReadingError, match="no session"):
        rank(panel.iloc[:0])
    with pytest.raises(InputError, match="no standard error"):
        rank(panel, errors=-panel)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pair": ("QQQ", "QQQ")}, "two different legs"),
        ({"pair": "QQQ"}, "a pair is two names"),
        ({"pair": ("QQQ",)}, "a pair is two names"),
        ({"forms": ["quotient"]}, "log_ratio, ratio, spread"),
        ({"forms": []}, "forms must be some of"),
        ({"forms": ["ratio", "ratio"]}, "twice"),
        ({"windows": ["10y"]}, "full, 5y, 2y, 1y"),
        ({"windows": "full"}, "windows must be some of"),
        ({"as_of": "yesterday"}, "YYYY-MM-DD"),
        ({"as_of": "2026-07-10T12:00"}, "YYYY-MM-DD"),
        ({"as_of": pd.NaT}, "YYYY-MM-DD"),
        ({"as_of": pd.Timestamp("2026-07-10", tz="UTC")}, "YYYY-MM-DD"),
        ({"min_observations": 1}, "2 or more"),
        ({"record_observations": 100}, "min_observations or more"),
        ({"min_coverage": 90}, "from 0 to 1"),
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        rank(_panel(5), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("day", ["2026-07-09", dt.date(2026, 7, 9), pd.Timestamp("2026-07-09")])
def test_days_may_be_text_dates_or_timestamps(day: str | dt.date) -> None:
    assert rank(_panel(5), as_of=day).as_of == dt.date(2026, 7, 9)


def test_one_row_is_enough_for_values() -> None:
    row = _row(rank(_panel(1)))
    assert row["n_obs"] == 1
    assert pd.notna(row["value"])
    assert row["coverage"] == 1


@pytest.mark.parametrize("dtype", ["Float64", "float32", "double[pyarrow]"])
def test_other_number_types_are_read(dtype: Any) -> None:
    panel = _panel(20)
    panel.iloc[3, 0] = math.nan
    row = _row(rank(panel.astype(dtype)))
    assert row["n_obs"] == 19
    assert row["value_a"] == pytest.approx(panel["QQQ"].iloc[-1], rel=1e-7)  # float32 keeps seven digits
