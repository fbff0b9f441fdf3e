"""Level and shape: they add up, planted moves are told apart, gates and days are those of a ranking."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, MissingReadingError, SettingsError
from volskew.ranking import rank
from volskew.ranking.decomposition import COMPONENT_COLUMNS, Decomposition, decompose, decomposition_csv
from volskew.ranking.table import COLUMNS

PAIR = ("QQQ", "IWM")


def _market(
    n: int = 1400, *, seed: int = 5, level_move: float = 0.0, skew_move: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stationary vols of two funds at 25 and 50 delta; QQQ's level and skew move on the last day [log]."""
    random = np.random.default_rng(seed)
    index = pd.bdate_range(end="2026-07-10", periods=n)
    level = 0.2 * np.exp(0.1 * random.normal(size=(n, 1)) + 0.05 * random.normal(size=(n, 2)))
    skew = -0.08 + 0.01 * random.normal(size=(n, 2))
    level[-1], skew[-1] = 0.2, -0.08  # the middle, from which the moves lead away
    level[-1, 0] *= math.exp(level_move)
    skew[-1, 0] += skew_move
    frames = [
        pd.DataFrame(values, columns=list(PAIR), index=index) for values in (level * np.exp(skew), level)
    ]
    return frames[0], frames[1]


def _full(found: Decomposition) -> pd.DataFrame:
    return found.table[found.table["window"] == "full"].set_index("component")


# --- the split --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(*4 * [st.none() | st.floats(0.02, 3.0)]).map(list), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_level_and_shape_add_up_on_every_session(cells: list[list[float | None]]) -> None:
    days = pd.bdate_range("2026-01-01", periods=len(cells))
    values = np.array(cells, dtype=np.float64)
    whole, level = (pd.DataFrame(values[:, two], columns=list(PAIR), index=days) for two in ([0, 1], [2, 3]))
    found = decompose(whole, level)
    series = found.series
    # ratios are kept to 12 digits: each part is off by 5e-12 at most
    gap = (series["level"] + series["skew"] - series["total"]).to_numpy()
    assert (np.abs(np.nan_to_num(gap)) <= 2e-11).all()
    is_full = np.isfinite(values[: len(series)]).all(axis=1)
    assert (series.notna().all(axis=1).to_numpy() == is_full).all()
    exact = np.log(values[: len(series), 0] / values[: len(series), 1])
    np.testing.assert_allclose(series["total"].to_numpy()[is_full], exact[is_full], rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("moves", "low", "middle", "sentence"),
    [
        ({"level_move": -0.3}, ["total", "level"], "skew", "QQQ/IWM low is level (percentile 0"),
        ({"skew_move": -0.3}, ["total", "skew"], "level", "QQQ/IWM low is call skew (percentile 0"),
    ],
)
def test_planted_moves_are_told_apart(
    moves: dict[str, Any], low: list[str], middle: str, sentence: str
) -> None:
    found = decompose(*_market(**moves))
    percentile = _full(found)["percentile"]
    assert (percentile[low] < 1).all()
    assert 35 < percentile[middle] < 65
    assert found.sentence.startswith(sentence)
    assert " rather than " in found.sentence
    value = _full(found)["value"]
    moved = next(iter(moves.values()))
    assert value[low[1]] == pytest.approx(moved, abs=1e-10)
    assert value[middle] == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize(
    ("moves", "delta", "words"),
    [
        ({"level_move": 0.3}, "0.25", "QQQ/IWM high is level"),
        ({"level_move": -0.3, "skew_move": -0.3}, "0.25", "QQQ/IWM low is both level"),
        ({"level_move": -0.086, "skew_move": -0.0165}, "0.25", "is neither level"),
        ({"level_move": -0.3, "skew_move": 0.3}, "0.25", "offset each other."),
        ({"skew_move": -0.3}, "0.75", "QQQ/IWM low is put skew"),
        ({}, "0.25", "is in the middle of its range"),
    ],
)
def test_the_sentence(moves: dict[str, Any], delta: str, words: str) -> None:
    assert words in decompose(*_market(**moves), delta=delta).sentence


def test_each_part_is_ranked_as_any_pair_is() -> None:
    whole, level = _market()
    found = decompose(whole, level, series="close")
    for name, panel, measure, delta in (
        ("total", whole, "implied_vol", "0.25"),
        ("level", level, "implied_vol", "0.5"),
        ("skew", whole / level, "skew", "0.25"),
    ):
        alone = rank(panel, forms=("log_ratio",), series="close", measure=measure, delta=delta).table
        part = found.table[found.table["component"] == name]
        pd.testing.assert_frame_equal(part[list(COLUMNS)].reset_index(drop=True), alone, check_exact=True)
    assert tuple(found.table.columns) == COMPONENT_COLUMNS
    assert found.table["window"].tolist() == 3 * ["full", "5y", "2y", "1y"]


# --- which sessions ---------------------------------------------------------------------------------


def test_all_parts_have_the_sessions_with_all_four_readings() -> None:
    whole, level = _market(600)
    whole.iloc[3, 0], whole.iloc[9, 1], level.iloc[20, 1] = math.nan, math.nan, math.nan
    level = level.drop(level.index[30])
    table = decompose(whole, level, windows=["full"]).table
    assert table["n_obs"].tolist() == [596, 596, 596]
    assert table["coverage"].tolist() == [596 / 600] * 3


def test_a_missing_reference_on_the_day_is_a_missing_leg() -> None:
    whole, level = _market(600)
    level.iloc[-1, 1] = math.nan
    found = decompose(whole, level)
    assert found.as_of == whole.index[-1].date()
    assert found.table["value"].isna().all()
    assert found.table["flags"].str.contains("LEG_MISSING").all()
    assert found.sentence.startswith("QQQ/IWM is not split into level and call skew: IWM has no reading on")


def test_a_short_history_has_values_and_says_why_there_is_no_percentile() -> None:
    found = decompose(*_market(100, level_move=-0.1), windows=["full"])
    assert found.sentence == (
        "QQQ/IWM log ratio -0.1000 is level -0.1000 and call skew +0.0000 "
        "(100 sessions with all four readings: too few to rank them)."
    )


def test_nothing_after_the_day_is_looked_at() -> None:
    whole, level = _market(900)
    day = whole.index[700]
    one = decompose(whole, level, as_of=day.date())
    other = decompose(whole.loc[:day], level.loc[:day])
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    assert one.sentence == other.sentence


def test_inputs_are_not_modified() -> None:
    whole, level = _market(300)
    before = whole.copy(), level.copy()
    decompose(whole.iloc[::-1], level)
    pd.testing.assert_frame_equal(whole, before[0])
    pd.testing.assert_frame_equal(level, before[1])


# --- errors and flags -------------------------------------------------------------------------------


def test_the_error_of_the_shape_is_its_own_or_none() -> None:
    whole, level = _market(300)
    errors, level_errors = whole * 0.01, level * 0.02
    found = _full(decompose(whole, level, errors=errors, level_errors=level_errors))
    assert found["error"]["total"] == pytest.approx(0.01 * math.sqrt(2), rel=1e-12)
    assert found["error"]["level"] == pytest.approx(0.02 * math.sqrt(2), rel=1e-12)
    assert math.isnan(found["error"]["skew"])
    shape = pd.DataFrame(0.003, index=whole.index, columns=list(PAIR))
    whole.attrs["errors"] = errors
    found = _full(decompose(whole, level, shape_errors=shape))
    assert found["error"]["total"] == pytest.approx(0.01 * math.sqrt(2), rel=1e-12)
    assert found["error"]["skew"] == pytest.approx(0.003 * math.sqrt(2), rel=1e-12)


def test_flags_of_both_readings_reach_the_shape() -> None:
    whole, level = _market(300)
    flags = pd.DataFrame("", index=whole.index, columns=list(PAIR))
    level_flags = flags.copy()
    flags.iloc[-1, 0], level_flags.iloc[-1, 1] = "ROLL", "WIDE_BRACKET"
    found = _full(decompose(whole, level, flags=flags, level_flags=level_flags, windows=["full"]))["flags"]
    assert found.to_dict() == {"total": "ROLL", "level": "WIDE_BRACKET", "skew": "ROLL WIDE_BRACKET"}


# --- CSV --------------------------------------------------------------------------------------------


def test_csv_is_rankings_csv_with_the_component_in_front(tmp_path: Path) -> None:
    found = decompose(*_market(600))
    rows = list(csv.DictReader(io.StringIO(decomposition_csv(found.table))))
    assert list(rows[0]) == [*COMPONENT_COLUMNS, "slope", "intercept", "residual_z"]
    values = {row["component"]: float(row["value"]) for row in rows if row["window"] == "full"}
    assert values["level"] + values["skew"] == pytest.approx(values["total"], abs=1.6e-8)  # 3 roundings
    assert found.to_csv(tmp_path / "a.csv").read_text() == decomposition_csv(found.table)


# --- hostile input ----------------------------------------------------------------------------------


def test_what_has_no_logarithm_is_named() -> None:
    whole, level = _market(300)
    level.iloc[7, 1] = 0.0
    with pytest.raises(InputError, match=rf"IWM.*reference at or below zero on {level.index[7].date()}"):
        decompose(whole, level)


def test_a_bad_day_after_the_as_of_day_is_not_looked_at() -> None:
    whole, level = _market(300)
    level.iloc[299, 1] = -1.0
    assert decompose(whole, level, as_of=whole.index[298].date()).as_of == whole.index[298].date()


def test_hostile_panels() -> None:
    whole, level = _market(300)
    with pytest.raises(InputError, match="no such column"):
        decompose(whole, level[["QQQ"]])
    with pytest.raises(InputError, match="date twice"):
        decompose(whole, pd.concat([level, level.iloc[:1]]))
    with pytest.raises(MissingReadingError, match="no session"):
        decompose(whole, level.iloc[:0])
    with pytest.raises(SettingsError, match="two different legs"):
        decompose(whole, level, pair=("QQQ", "QQQ"))
    with pytest.raises(SettingsError, match="windows must be some of"):
        decompose(whole, level, windows=["3y"])
