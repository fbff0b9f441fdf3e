"""A pair's percentile under several conventions: hand cases, the carrying over, properties, bad input."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volskew.errors import InputError, SettingsError
from volskew.ranking import rank
from volskew.ranking.carry import carry_over
from volskew.ranking.robustness import Robustness, robustness
from volskew.ranking.robustness_table import COLUMNS, robustness_csv

N = 300
DAYS = pd.bdate_range("2024-01-01", periods=N)
NAN = math.nan
SESSIONS = pd.DataFrame({"QQQ": range(N), "IWM": range(N)}, index=DAYS)
"""The number of each session, for both legs."""


def panel_of(a: Any, b: Any = 0.2) -> pd.DataFrame:
    return pd.DataFrame(
        {"QQQ": np.broadcast_to(a, N).copy(), "IWM": np.broadcast_to(b, N).copy()}, index=DAYS
    )


@pytest.fixture(scope="module")
def headline() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    return panel_of(0.2 + 0.02 * generator.standard_normal(N), 0.22 + 0.02 * generator.standard_normal(N))


def rows_of(found: Robustness, convention: str) -> dict[str, dict[str, Any]]:
    """The rows of a convention by form."""
    rows = found.table[found.table["convention"] == convention].to_dict("records")
    return {str(row["form"]): {str(name): value for name, value in row.items()} for row in rows}


# --- carrying over ------------------------------------------------------------------------------------------


def test_days_are_carried_over_by_the_median_ratio() -> None:
    """By hand: ratios 1.1, 1.2 and 1.5 on the days that have both, so 1.2 on the first two."""
    found = carry_over(np.array([0.2, 0.3, 0.2, 0.2, 0.2, NAN]), np.array([NAN, NAN, 0.22, 0.24, 0.30, NAN]))
    np.testing.assert_allclose(found.readings, [0.24, 0.36, 0.22, 0.24, 0.30, NAN], rtol=1e-14)
    assert found.is_measured.tolist() == [False, False, True, True, True, False]
    assert found.shift == pytest.approx(math.log(1.2), rel=1e-14)
    assert found.is_log


def test_readings_of_either_sign_are_carried_over_by_differences() -> None:
    found = carry_over(np.array([-1.0, 2.0, 3.0]), np.array([NAN, 2.5, 3.5]))
    assert found.readings.tolist() == [-0.5, 2.5, 3.5]
    assert (found.shift, found.is_log) == (0.5, False)


def test_without_a_common_day_nothing_is_carried_over() -> None:
    found = carry_over(np.array([0.2, NAN]), np.array([NAN, 0.3]))
    np.testing.assert_array_equal(found.readings, [NAN, 0.3])
    assert math.isnan(found.shift)


@given(
    st.lists(st.floats(0.05, 2.0), min_size=1, max_size=30),
    st.floats(-0.3, 0.3),
    st.data(),
)
def test_a_constant_share_is_found_again(levels: list[float], shift: float, data: Any) -> None:
    own = np.array(levels)
    some = data.draw(st.lists(st.booleans(), min_size=len(levels), max_size=len(levels)))
    other = np.where(some, own * math.exp(shift), NAN)
    found = carry_over(own, other)
    if any(some):
        np.testing.assert_allclose(
            found.readings, own * math.exp(shift), rtol=1e-13
        )  # exp of a log: few ulps
    else:
        assert np.isnan(found.readings).all()


# --- percentiles --------------------------------------------------------------------------------------------


def test_percentiles_are_those_of_the_ranking(headline: pd.DataFrame) -> None:
    """The twin: each convention's panel ranked by itself."""
    generator = np.random.default_rng(5)
    other = headline * np.exp(0.05 * generator.standard_normal(headline.shape))
    found = robustness(headline, {"x": other})
    for name, panel in (("headline", headline), ("x", other)):
        ranked = rank(panel).table.set_index(["form", "window"])
        for form, row in rows_of(found, name).items():
            for window in ("full", "1y"):
                assert row[f"percentile_{window}"] == ranked.loc[(form, window), "percentile"]
            assert math.isnan(row["percentile_5y"])
            assert row["value"] == ranked.loc[(form, "full"), "value"]
    own, mine = rows_of(found, "headline")["spread"], rows_of(found, "x")["spread"]
    assert mine["difference_a"] == other["QQQ"].iloc[-1] - headline["QQQ"].iloc[-1]
    assert mine["difference_percentile"] == mine["percentile_full"] - own["percentile_full"]
    assert (mine["n_obs"], mine["n_measured"], mine["n_carried"]) == (N, N, 0)


def test_a_convention_that_is_a_constant_share_away_moves_no_log_ratio(headline: pd.DataFrame) -> None:
    """Whether its early days were measured or carried over; tied floats would be the only difference."""
    share = pd.Series({"QQQ": 1.013, "IWM": 0.99})
    for first in (0, 200, N - 1):
        other = (headline * share).where(first <= SESSIONS)
        found = robustness(headline, {"x": other})
        row = rows_of(found, "x")["log_ratio"]
        assert row["percentile_full"] == found.percentile
        assert row["n_carried"] == first
        assert ("CARRIED" in row["flags"].split()) == (first > 0)
        assert row["shift_a"] == pytest.approx(math.log(1.013), abs=1e-13)


def test_the_range_holds_what_the_table_does(headline: pd.DataFrame) -> None:
    last = SESSIONS["QQQ"] == N - 1
    moved = {f"d{by}": headline.assign(QQQ=headline["QQQ"] + by * last) for by in (-0.02, 0.01)}
    found = robustness(headline, moved, words={name: f"by {name}" for name in moved})
    values = [rows_of(found, name)["log_ratio"]["percentile_full"] for name in moved]
    assert (found.conventions.low, found.conventions.high) == (min(values), max(values))
    assert found.conventions.n == 2
    away = [abs(value - found.percentile) for value in values]
    widest = away.index(max(away))
    assert found.conventions.widest == f"by {list(moved)[widest]}"
    assert found.conventions.widest_percentile == values[widest]
    spread = rows_of(found, "headline")["spread"]["percentile_full"]
    assert (found.forms.low, found.forms.high) == tuple(
        sorted([found.percentile, spread])
    )  # the ratio ranks so
    assert found.windows.n == 1  # 300 sessions have one year
    every = found.table[[name for name in COLUMNS if name.startswith("percentile_")]].to_numpy()
    assert (found.everything.low, found.everything.high) == (np.nanmin(every), np.nanmax(every))
    own = f"percentile {found.percentile:.1f}"
    span = f"{found.conventions.low:.1f} to {found.conventions.high:.1f} under 2 other conventions"
    assert found.sentence.startswith(f"{own}; {span}, widest: {found.conventions.widest}; ")


def test_the_sentence_tells_what_was_carried_over_and_what_is_not_there(headline: pd.DataFrame) -> None:
    late = headline.where(SESSIONS >= 280)
    early = headline.where(SESSIONS < N - 1)
    found = robustness(headline, {"late": late, "early": early}, words={"early": "the early one"})
    assert "measured on 20 of 300 sessions, carried over by their median difference" in found.sentence
    assert found.sentence.endswith("none under the early one (LEG_MISSING NOT_MEASURED)")
    assert found.conventions.n == 1
    row = rows_of(found, "early")["log_ratio"]
    assert math.isnan(row["value_a"])
    assert math.isnan(row["percentile_full"])


def test_one_leg_that_is_missing_today_leaves_the_other(headline: pd.DataFrame) -> None:
    other = headline.copy()
    other.loc[DAYS[-1], "IWM"] = NAN
    row = rows_of(robustness(headline, {"x": other}), "x")["spread"]
    assert row["value_a"] == headline["QQQ"].iloc[-1]
    assert math.isnan(row["value_b"])
    assert row["flags"].split() == ["LEG_MISSING", "NOT_MEASURED"]


def test_no_convention_is_the_widest_where_none_moves_anything(headline: pd.DataFrame) -> None:
    found = robustness(headline, {"x": headline * 1.01, "y": headline * 0.99})
    assert f"{found.percentile:.1f} under 2 other conventions; " in found.sentence
    assert "widest" not in found.sentence


def test_a_headline_without_a_percentile_has_no_range(headline: pd.DataFrame) -> None:
    found = robustness(headline.iloc[:100], {"x": headline * 1.01})
    assert math.isnan(found.percentile)
    assert (found.conventions.n, found.everything.n, found.without) == (0, 0, ())
    assert found.sentence == "no percentile, so no range of it"
    assert set(found.table["flags"]) == {"SHORT_HISTORY"}


def test_conventions_without_a_common_day_or_a_leg_are_told(headline: pd.DataFrame) -> None:
    empty = headline.iloc[:0]
    no_leg = headline[["QQQ"]]
    found = robustness(headline, {"empty": empty, "no leg": no_leg})
    for name in ("empty", "no leg"):
        assert "NO_OVERLAP" in rows_of(found, name)["log_ratio"]["flags"].split()
    assert found.conventions.n == 0
    assert len(found.without) == 2


def test_nothing_after_the_day_is_looked_at(headline: pd.DataFrame) -> None:
    """Days that come later change neither the percentile nor what is carried over."""
    late = (headline * 1.02).where(SESSIONS >= 200)
    day = DAYS[269].date()
    known = robustness(headline.iloc[:270], {"x": late.iloc[:270]}, as_of=day)
    changed = late.copy()
    changed.iloc[270:] *= 3.0
    later = robustness(headline, {"x": changed}, as_of=day)
    pd.testing.assert_frame_equal(known.table, later.table, check_exact=True)
    assert known.sentence == later.sentence


def test_inputs_are_not_modified(headline: pd.DataFrame) -> None:
    other = (headline * 1.02).where(SESSIONS < N - 1)
    before = headline.copy(), other.copy()
    robustness(headline, {"x": other})
    pd.testing.assert_frame_equal(headline, before[0], check_exact=True)
    pd.testing.assert_frame_equal(other, before[1], check_exact=True)


# --- the file -----------------------------------------------------------------------------------------------


def test_the_file_has_fixed_decimals_and_reads_back(headline: pd.DataFrame) -> None:
    found = robustness(headline, {"x": headline * 1.01}, series="close", words={"x": 'a "word", quoted'})
    text = robustness_csv(found.table)
    back = pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=str)
    assert tuple(back.columns) == COLUMNS
    assert len(back) == 6
    row = back[(back["convention"] == "x") & (back["form"] == "log_ratio")].iloc[0]
    assert row["words"] == 'a "word", quoted'
    assert row["percentile_full"] == f"{found.percentile:.4f}"
    assert (row["percentile_5y"], row["difference_percentile"]) == ("", "0.0000")
    assert row["value_a"] == f"{headline['QQQ'].iloc[-1] * 1.01:.6f}"
    assert len(row["value"].partition(".")[2]) == 8
    assert robustness_csv(found.table) == text


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"form": "product"}, "form must be some of log_ratio, ratio, spread"),
        ({"window": "3y"}, "window must be some of full, 5y, 2y, 1y"),
        ({"pair": ("QQQ", "QQQ")}, "two different legs"),
        ({"min_coverage": 2.0}, "min_coverage is a share"),
    ],
)
def test_what_no_ranking_could_mean_is_refused(headline: pd.DataFrame, given: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        robustness(headline, {}, **given)


def test_bad_panels_are_refused(headline: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="cannot be called 'headline'"):
        robustness(headline, {"headline": headline})
    with pytest.raises(InputError, match="infinite reading on 2024-01-01"):
        robustness(headline, {"x": headline.assign(QQQ=np.where(SESSIONS["QQQ"] == 0, np.inf, 0.2))})
    with pytest.raises(InputError, match="no such column"):
        robustness(headline[["QQQ"]], {})
    with pytest.raises(InputError, match="not one of dates"):
        robustness(headline, {"x": headline.reset_index(drop=True)})


def test_without_other_conventions_forms_and_windows_are_the_range(headline: pd.DataFrame) -> None:
    found = robustness(headline, {})
    assert found.conventions.n == 0
    assert found.forms.n == 2
    assert "conventions" not in found.sentence
