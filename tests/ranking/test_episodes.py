"""Episodes against a state machine, their own laws, and numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, SettingsError
from volskew.ranking import describe_episodes, episodes_csv, find_episodes, rank_history
from volskew.ranking.episodes import EPISODE_COLUMNS

_NAN = float("nan")
_LABELS = {
    "series": "close",
    "pair": "A/B",
    "measure": "implied_vol",
    "tenor": "3m",
    "delta": "0.25",
    "form": "spread",
    "window": "full",
}
percentiles = st.lists(
    st.sampled_from([0.5, 5.0, 5.5, 15.0, 15.5, 50.0, 84.5, 85.0, 94.5, 95.0, 99.5, _NAN]), max_size=60
)


def history(
    percentile: Sequence[float], *, value: Sequence[float] | None = None, **legs: Any
) -> pd.DataFrame:
    """Days with these percentiles; by default the percentile is the value."""
    columns = {
        "date": pd.bdate_range("2026-01-05", periods=len(percentile)).as_unit("us"),
        "percentile": np.array(percentile, dtype=np.float64),
        "value": np.array(percentile if value is None else value, dtype=np.float64),
        "value_a": 0.2,
        "value_b": 0.2,
        **legs,
        **_LABELS,
    }
    return pd.DataFrame(columns)


def state_machine(percentile: Sequence[float], *, gap: int) -> list[tuple[int, int, int | None]]:
    """Low episodes as (first day inside, last day inside, day that ended it), one day after another."""
    found: list[tuple[int, int, int | None]] = []
    start: int | None = None
    last = -1
    for day, rank in enumerate(percentile):
        if math.isnan(rank):
            continue
        if start is None and rank <= 5:
            start = day
        if start is not None and rank > 15:
            found.append((start, last, day))
            start = None
        if start is not None:
            last = day
    if start is not None:
        found.append((start, last, None))
    merged: list[tuple[int, int, int | None]] = []
    for episode in found:
        if merged and episode[0] - merged[-1][1] - 1 < gap:
            merged[-1] = (merged[-1][0], *episode[1:])
        else:
            merged.append(episode)
    return merged


@given(percentile=percentiles, gap=st.sampled_from([0, 1, 3, 10]))
@settings(max_examples=150, deadline=None)
def test_against_a_state_machine(percentile: list[float], gap: int) -> None:
    table = history(percentile)
    found = find_episodes(table, sides=["low"], merge_gap=gap)
    wanted = state_machine(percentile, gap=gap)
    days = [None if pd.isna(day) else day for day in table["date"]]
    assert found["number"].tolist() == list(range(1, len(wanted) + 1))
    for episode, (start, last, leaving) in zip(found.to_dict("records"), wanted, strict=True):
        assert episode["start"] == days[start]
        upto = len(days) - 1 if leaving is None else last
        assert episode["sessions"] == upto - start + 1
        assert episode["sessions_ranked"] == sum(not math.isnan(x) for x in percentile[start : upto + 1])
        assert episode["percentile_start"] == percentile[start] <= 5
        if leaving is None:
            assert episode["state"] == "open"
            assert pd.isna(episode["end"])
            assert pd.isna(episode["exit_date"])
        else:
            assert (episode["end"], episode["exit_date"]) == (days[last], days[leaving])
            assert episode["state"] == ("left" if len(days) - 1 - last < gap else "closed")
            assert episode["value_exit"] == percentile[leaving] > 15
        inside = [x for x in percentile[start : upto + 1] if x <= 15]
        assert episode["value_extreme"] == episode["percentile_extreme"] == min(inside)


@given(percentile=percentiles)
@settings(max_examples=80, deadline=None)
def test_highs_are_lows_upside_down(percentile: list[float]) -> None:
    low = find_episodes(history(percentile), sides=["low"])
    high = find_episodes(
        history([100 - x for x in percentile], value=[-x for x in percentile]), sides=["high"]
    )
    for name in (
        "number",
        "begin",
        "state",
        "since",
        "start",
        "end",
        "exit_date",
        "sessions",
        "extreme_date",
    ):
        assert low[name].astype(str).tolist() == high[name].astype(str).tolist()
    np.testing.assert_array_equal(low["value_extreme"], -high["value_extreme"])
    np.testing.assert_array_equal(low["percentile_extreme"], 100 - high["percentile_extreme"])
    np.testing.assert_array_equal(low["change_after_21"], -high["change_after_21"])


@given(percentile=percentiles)
@settings(max_examples=50, deadline=None)
def test_a_rising_map_of_the_value_moves_no_date(percentile: list[float]) -> None:
    dates = ["start", "end", "exit_date", "extreme_date"]
    plain = find_episodes(history(percentile))
    risen = find_episodes(history(percentile, value=list(np.exp(np.array(percentile) / 10) + 7)))
    pd.testing.assert_frame_equal(plain[dates], risen[dates])


@given(percentile=percentiles, later=percentiles, gap=st.sampled_from([0, 3, 10]))
@settings(max_examples=100, deadline=None)
def test_days_appended_leave_closed_episodes_as_they_are(
    percentile: list[float], later: list[float], gap: int
) -> None:
    before = find_episodes(history(percentile), merge_gap=gap)
    after = find_episodes(history(percentile + later), merge_gap=gap)
    final = [name for name in EPISODE_COLUMNS if not name.startswith("change_after")]
    for side in ("low", "high"):
        closed = before[(before["side"] == side) & (before["state"] == "closed")]
        same = after[after["side"] == side].head(len(closed))
        pd.testing.assert_frame_equal(
            closed[final].reset_index(drop=True), same[final].reset_index(drop=True), check_exact=True
        )
        for name in ("change_after_21", "change_after_63"):  # what had come stays; more may come
            there = closed[name].notna().to_numpy()
            np.testing.assert_array_equal(closed[name].to_numpy()[there], same[name].to_numpy()[there])


def test_an_episode_worked_out_by_hand() -> None:
    percentile = [50.0, 5.0, 1.0, _NAN, 12.0, 40.0, *[50.0] * 64]
    value = [0.0, -0.010, -0.030, _NAN, -0.020, 0.010, *np.linspace(0.011, 0.074, 64)]
    table = history(percentile, value=value)
    table.loc[1:5, "value_a"] = [0.200, 0.170, 0.180, 0.190, 0.230]
    table.loc[1:5, "value_b"] = [0.210, 0.200, 0.210, 0.210, 0.220]
    episode = find_episodes(table).iloc[0]
    dates = ["since", "start", "extreme_date", "end", "exit_date"]
    assert [str(episode[name].date()) for name in dates] == [
        "2026-01-05",
        "2026-01-06",
        "2026-01-07",
        "2026-01-09",
        "2026-01-12",
    ]
    assert episode["state"] == "closed"
    assert (episode["sessions"], episode["sessions_ranked"]) == (4, 3)
    numbers = {
        "value_start": -0.010,
        "percentile_start": 5.0,
        "value_extreme": -0.030,
        "percentile_extreme": 1.0,
        "value_exit": 0.010,
        "a_change_to_extreme": -15.0,
        "b_change_to_extreme": -100 / 21,
        "a_change_to_exit": 15.0,
        "b_change_to_exit": 100 / 21,
        # the end is row 4: rows 25 and 67 are 0.011 + 19 and 61 thousandths
        "change_after_21": 0.030 + 0.020,
        "change_after_63": 0.072 + 0.020,
    }
    for name, wanted in numbers.items():
        assert episode[name] == pytest.approx(wanted, abs=1e-12), name


def test_gaps_that_merge_and_gaps_that_do_not() -> None:
    for between, count in ((9, 1), (10, 2)):
        table = history([4.0, *[50.0] * between, 4.0, *[50.0] * 12])
        found = find_episodes(table, sides=["low"])
        assert len(found) == count
        assert found["sessions"].sum() == (2 if count == 2 else between + 2)
    # days without a percentile are sessions of the gap like any others
    assert len(find_episodes(history([4.0, 50.0, *[_NAN] * 9, 4.0]), sides=["low"])) == 2
    # but without a day that ended the first there is only one, however long nothing is known
    found = find_episodes(history([4.0, *[_NAN] * 50, 4.0]), sides=["low"])
    assert found["sessions"].tolist() == [52]
    assert found["sessions_ranked"].tolist() == [2]


@pytest.mark.parametrize(
    ("before", "begin"),
    [
        ([50.0], "seen"),
        ([_NAN, 50.0, 15.5], "seen"),
        ([_NAN, 50.0, 15.0], "seen"),  # 15 keeps an episode going, but none was entered
        ([50.0, _NAN], "gap"),
        ([50.0, _NAN, 15.0], "gap"),  # entered where nothing is known, 15 would not have ended it
        ([50.0, _NAN, 15.5], "seen"),
        ([], "first"),
        ([_NAN, _NAN], "first"),
        ([15.0, 6.0], "first"),
        ([15.0, _NAN], "first"),
    ],
)
def test_whether_the_beginning_was_seen(before: list[float], begin: str) -> None:
    (episode,) = find_episodes(history([*before, 4.0, 50.0]), sides=["low"]).to_dict("records")
    assert episode["percentile_start"] == 4.0
    assert episode["begin"] == begin


@given(percentile=percentiles, hidden=st.data())
@settings(max_examples=150, deadline=None)
def test_one_whose_beginning_was_seen_starts_where_nothing_is_hidden(
    percentile: list[float], hidden: st.DataObject
) -> None:
    # without merging, what is seen to begin is an episode of the whole history too, with the same start
    shown = [_NAN if hidden.draw(st.booleans()) else rank for rank in percentile]
    whole = find_episodes(history(percentile), sides=["low"], merge_gap=0)
    found = find_episodes(history(shown), sides=["low"], merge_gap=0)
    seen = found[found["begin"] == "seen"]
    assert set(seen["start"]) <= set(whole["start"])


def test_each_pair_form_and_window_is_counted_by_itself() -> None:
    one = history([4.0, 50.0, 96.0])
    two = history([4.0, 4.0, 4.0]).assign(form="log_ratio")
    found = find_episodes(pd.concat([one, two.iloc[::-1]]))
    assert list(zip(found["form"], found["side"], found["number"], found["state"], strict=True)) == [
        ("spread", "low", 1, "left"),
        ("spread", "high", 1, "open"),
        ("log_ratio", "low", 1, "open"),
    ]
    assert find_episodes(one.iloc[:0]).columns.tolist() == list(EPISODE_COLUMNS)
    assert find_episodes(one.iloc[:0]).dtypes.astype(str).to_dict() == found.dtypes.astype(str).to_dict()


def test_a_rank_history_has_what_episodes_need() -> None:
    days = pd.bdate_range("2024-01-01", periods=400)
    panel = pd.DataFrame({"A": 0.2 - 0.05 * np.sin(np.arange(400) / 40), "B": 0.2}, index=days)
    table = rank_history(panel, pair=("A", "B"))
    found = find_episodes(table)
    assert set(found["form"]) == {"log_ratio", "ratio", "spread"}
    assert set(found["window"]) == {"full", "1y"}  # two and five years are not full
    assert (found["b_change_to_extreme"] == 0).all()


@pytest.mark.parametrize(
    ("percentile", "side", "words"),
    [
        ([_NAN] * 3, "low", "no session has a percentile, so none at 5 or below is known"),
        ([_NAN, 50.0, 96.0], "low", "no percentile at 5 or below since 2026-01-06"),
        ([50.0, 4.0], "high", "no percentile at 95 or above since 2026-01-05"),
        ([50.0, 4.0, 4.0], "low", "the first since 2026-01-05"),
        ([50.0, 4.0, 40.0], "low", "one since 2026-01-05; it ended on 2026-01-06"),
        (
            [_NAN, 4.0, *[50.0] * 10, 4.0, 3.0, *[50.0] * 10, 2.0],
            "low",
            "the third since 2026-01-06; the last one ended on 2026-01-22",
        ),
        ([4.0, *[50.0] * 10, 4.0, 50.0], "low", "two since 2026-01-05; the last one ended on 2026-01-20"),
        (
            [4.0, *[50.0] * 10] * 11 + [4.0],
            "low",
            "the 12th since 2026-01-05; the last one ended on 2026-06-08",
        ),
        (
            [4.0, *[50.0] * 10] * 20 + [4.0],
            "low",
            "the 21st since 2026-01-05; the last one ended on 2026-10-23",
        ),
    ],
)
def test_words(percentile: list[float], side: str, words: str) -> None:
    assert describe_episodes(history(percentile), side=side) == words


def test_csv() -> None:
    text = episodes_csv(find_episodes(history([4.0, 3.0], value=[-0.01, -0.02]), sides=["low"]))
    head, line = text.splitlines()
    assert head == ",".join(EPISODE_COLUMNS)
    assert line == (
        "close,A/B,implied_vol,3m,0.25,spread,full,low,1,first,open,2026-01-05,2026-01-05,,,2,2,"
        "-0.010000,4.0000,2026-01-06,-0.020000,3.0000,,0.0000,0.0000,,,,"
    )
    ratio = find_episodes(history([4.0], value=[0.9]).assign(form="ratio"))
    assert ",0.90000000,4.0000," in episodes_csv(ratio)


def test_what_cannot_be_used_is_refused() -> None:
    table = history([4.0, 50.0])
    for enter, leave in ((-1, 15), (16, 15), (5, 50), (_NAN, 15)):
        with pytest.raises(SettingsError, match="0 <= enter <= leave < 50"):
            find_episodes(table, enter=enter, leave=leave)
    for gap in (-1, 2.5, True):
        with pytest.raises(SettingsError, match="merge_gap must be a whole number"):
            find_episodes(table, merge_gap=gap)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="sides must be some of low, high"):
        find_episodes(table, sides=["lows"])
    with pytest.raises(InputError, match="no column percentile; it has date"):
        find_episodes(table.drop(columns="percentile"))
    with pytest.raises(InputError, match=r"a session stands twice for close A/B.*2026-01-05"):
        find_episodes(pd.concat([table, table.head(1)]))
    with pytest.raises(InputError, match="2 histories in one table"):
        describe_episodes(pd.concat([table, table.assign(window="1y")]))
