"""What is handed over for a table, sample or number: refused by name and value, never by numpy or pandas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.errors import InputError, MissingReadingError, SettingsError, VolskewError, shown
from volskew.ranking import sampling_band
from volskew.ranking.episodes import describe_episodes

_DAYS = pd.bdate_range("2024-01-01", periods=300)
_NOISE = np.random.default_rng(11).normal(scale=0.1, size=(300, 2))
_PANEL = pd.DataFrame(0.2 * np.exp(_NOISE), index=_DAYS, columns=["QQQ", "IWM"])
_HISTORY = vs.rank_history(_PANEL, forms=["log_ratio"], windows=["full"])
_FRAME = _PANEL.reset_index(names="date")

_TAKE_A_PANEL: dict[str, Callable[..., object]] = {
    "rank": vs.rank,
    "rank_history": vs.rank_history,
    "beta_adjust": vs.beta_adjust,
    "decompose": lambda panel, **options: vs.decompose(panel, _PANEL, **options),
}
_NO_TABLES = {
    "a Series": _PANEL["QQQ"],
    "an array": _PANEL.to_numpy(),
    "None": None,
    "a number": 3,
    "a list": [[0.2, 0.2]],
    "text": "panel",
}


@pytest.mark.parametrize("given", _NO_TABLES.values(), ids=_NO_TABLES)
@pytest.mark.parametrize("function", _TAKE_A_PANEL.values(), ids=_TAKE_A_PANEL)
def test_what_is_no_panel_is_named(function: Callable[..., object], given: object) -> None:
    with pytest.raises(InputError, match=r"must be a table, got .*Accepted: a pandas DataFrame") as caught:
        function(given)
    assert shown(given) in str(caught.value)


@pytest.mark.parametrize("function", _TAKE_A_PANEL.values(), ids=_TAKE_A_PANEL)
def test_an_empty_panel_has_no_session(function: Callable[..., object]) -> None:
    for empty in (pd.DataFrame(), _PANEL.iloc[:0]):
        with pytest.raises(MissingReadingError, match="no session"):
            function(empty)


@pytest.mark.parametrize("given", _NO_TABLES.values(), ids=_NO_TABLES)
def test_what_is_no_rank_history_is_named(given: object) -> None:
    for function in (vs.find_episodes, describe_episodes):
        with pytest.raises(InputError, match=r"history must be a table, got .*as rank_history makes it"):
            function(given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"frame must be a table, got .*a column of days"):
        vs.rank_series(given, a="QQQ", b="IWM")  # type: ignore[arg-type]


def test_a_rank_history_of_text_is_refused_by_column() -> None:
    with pytest.raises(InputError, match="column 'percentile': not a column of numbers"):
        vs.find_episodes(_HISTORY.astype({"percentile": "str"}))
    with pytest.raises(InputError, match="column 'date': not a column of days"):
        vs.find_episodes(_HISTORY.assign(date="2024-01-01"))


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("rank", "errors"),
        ("rank", "flags"),
        ("rank_history", "known_at"),
        ("rank_history", "vintages"),
        ("beta_adjust", "errors"),
        ("beta_adjust", "flags"),
        ("decompose", "errors"),
        ("decompose", "level_errors"),
        ("decompose", "shape_errors"),
        ("decompose", "flags"),
        ("decompose", "level_flags"),
    ],
)
def test_what_stands_beside_a_panel_is_a_table_with_each_label_once(function: str, name: str) -> None:
    call = _TAKE_A_PANEL[function]
    for given in (_PANEL["QQQ"], _PANEL.to_numpy(), 0.01, "errors"):
        with pytest.raises(InputError, match=f"{name} must be a table, got"):
            call(_PANEL, **{name: given})
    if name == "vintages":
        return
    with pytest.raises(InputError, match=f"{name} has a label of its index twice.*2024-01-01"):
        call(_PANEL, **{name: pd.concat([_PANEL, _PANEL.iloc[[0]]])})
    with pytest.raises(InputError, match=f"column 'QQQ': {name} has this column twice"):
        call(_PANEL, **{name: pd.concat([_PANEL, _PANEL[["QQQ"]]], axis=1)})


def test_numbers_are_no_instants() -> None:
    with pytest.raises(InputError, match="column 'QQQ': not a column of instants"):
        vs.rank_history(_PANEL, known_at=_PANEL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_coverage": "a"}, "min_coverage is a share from 0 to 1, got 'a'"),
        ({"min_coverage": math.nan}, "min_coverage is a share from 0 to 1, got nan"),
        ({"min_coverage": None}, "min_coverage is a share from 0 to 1, got None"),
        ({"min_observations": "a"}, "min_observations must be a whole number .*, got 'a'"),
        ({"min_observations": math.nan}, "min_observations must be a whole number .*, got nan"),
        ({"min_observations": [252]}, r"min_observations must be a whole number .*, got \[252\]"),
        ({"windows": 5}, "windows must be some of full, 5y, 2y, 1y, got 5"),
        ({"windows": _PANEL}, r"windows must be some of .*, got DataFrame of shape \(300, 2\)"),
        ({"windows": [["full"]]}, "windows must be some of"),
        ({"pair": _PANEL["QQQ"]}, r"a pair is two names, .*got Series of shape \(300,\)"),
        ({"series": None}, "series must be text, such as 'close', got None"),
        ({"measure": 3}, "measure must be text, such as 'implied_vol', got 3"),
        ({"tenor": 91}, "tenor must be text, such as '3m', got 91"),
        ({"delta": None}, "delta must be text, such as '0.25', got None"),
    ],
)
@pytest.mark.parametrize("function", _TAKE_A_PANEL.values(), ids=_TAKE_A_PANEL)
def test_arguments_of_another_kind_are_named(
    function: Callable[..., object], options: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        function(_PANEL, **options)
    assert "\n" not in str(caught.value)


def test_more_arguments_of_another_kind_are_named() -> None:
    with pytest.raises(SettingsError, match=r"record_observations must be a whole number .*, got 'a'"):
        vs.rank(_PANEL, record_observations="a")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"forms must be some of .*, got Series of shape"):
        vs.rank(_PANEL, forms=_PANEL["QQQ"])  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"unit must be one of vol, number, got ndarray of shape \(2,\)"):
        vs.rank(_PANEL, unit=np.zeros(2))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="expanding must be True or False, got 'no'"):
        vs.beta_adjust(_PANEL, expanding="no")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="20 sessions or more, a whole number; got None"):
        vs.beta_adjust(_PANEL, fit_sessions=None)  # type: ignore[arg-type]
    for name in ("a", "b", "date"):
        columns: dict[str, Any] = {"a": "QQQ", "b": "IWM", name: None}
        with pytest.raises(SettingsError, match=f"{name} must be the name of a column, got None"):
            vs.rank_series(_FRAME, **columns)


@pytest.mark.parametrize(
    "levels",
    [
        {"enter": "a"},
        {"leave": None},
        {"enter": math.nan},
        {"enter": 20.0, "leave": 10.0},
        {"leave": 60.0},
        {"enter": -1.0},
        {"enter": [5.0]},
    ],
)
def test_levels_of_episodes_out_of_order_are_shown(levels: dict[str, Any]) -> None:
    given = {"enter": 5.0, "leave": 15.0} | levels
    with pytest.raises(SettingsError, match="0 <= enter <= leave < 50") as caught:
        vs.find_episodes(_HISTORY, **levels)
    for name, value in given.items():
        assert f"{name}={value!r}" in str(caught.value)


@pytest.mark.parametrize("level", [90, -1, 0, 1, math.nan, math.inf, None, "0.9", True, [0.9]])
def test_a_level_of_the_sampling_band_is_a_share(level: object) -> None:
    with pytest.raises(SettingsError, match="level is a share above 0 and below 1"):
        sampling_band(_PANEL["QQQ"].to_numpy(), level=level)  # type: ignore[arg-type]


def test_a_sample_may_be_a_list_or_a_series() -> None:
    expected = sampling_band(_PANEL["QQQ"].to_numpy())
    assert expected is not None
    assert sampling_band(_PANEL["QQQ"]) == expected
    assert sampling_band(_PANEL["QQQ"].tolist()) == expected
    assert sampling_band([]) is None


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (_PANEL.to_numpy(), r"sample must be a row of numbers, got ndarray of shape \(300, 2\)"),
        (None, "sample must be a row of numbers, got None"),
        ("abc", "sample must be a row of numbers, got 'abc'"),
        (["a"] * 40, "sample must be a row of numbers"),
        (np.full(300, math.nan), r"element 0 of sample is not finite \(300 of 300 are not\)"),
        (np.append(np.zeros(40), math.inf), "element 40 of sample is not finite"),
        (np.append(np.ones(40), 1e308), r"element 40 of sample is not plausible: 1e\+308"),
    ],
)
def test_what_is_no_sample_is_named(sample: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sampling_band(sample)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1e308, -1e300, 1e-300])
def test_implausible_readings_are_refused_with_day_and_column(value: float) -> None:
    panel = _PANEL.copy()
    panel.loc[_DAYS[7], "IWM"] = value
    for function in (vs.rank, vs.rank_history, vs.beta_adjust):
        with pytest.raises(VolskewError, match=r"column 'IWM'.*2024-01-10"):
            function(panel)
    with pytest.raises(InputError, match=r"row 9, column 'IWM': no number that could be ranked: .*1e-15 to"):
        vs.rank_series(panel.reset_index(names="date"), a="QQQ", b="IWM")


def test_the_largest_and_smallest_plausible_readings_are_ranked() -> None:
    """Their squares and ratios are numbers still: nothing warns, and warnings are errors."""
    wide = pd.DataFrame({"QQQ": np.geomspace(1e-15, 1e15, 300), "IWM": 1e15}, index=_DAYS)
    assert vs.rank(wide).headline["percentile_weak"] == 100.0
    assert vs.rank(wide, errors=wide).headline["n_obs"] == 300
