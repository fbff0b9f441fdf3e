"""Percentiles of every past day against the cut sample, gs-quant, pandas, scipy, and their own laws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from volskew.errors import InputError, SettingsError
from volskew.ranking import PercentileHistory, percentile_history, percentile_rank

_REFERENCE = Path(__file__).parents[1] / "reference" / "percentiles.csv"

# few distinct values, so that ties are common; gaps as well
values = st.lists(st.one_of(st.integers(-4, 4).map(float), st.just(float("nan"))), max_size=40)
windows = st.one_of(st.none(), st.integers(1, 45))


def exact(history: PercentileHistory) -> list[list[object]]:
    """All arrays as text that tells any two doubles apart."""
    arrays = (history.strict, history.weak, history.mid, history.n_obs, history.coverage, history.first)
    return [[value.hex() if isinstance(value, float) else value for value in x.tolist()] for x in arrays]


def slow(sample: list[float], window: int | None, least: int, coverage: float) -> list[list[float]]:
    """Day by day: cut the sample, pick the window, ask `percentile_rank`."""
    rows = []
    for day, value in enumerate(sample):
        places = [place for place in range(day + 1) if not np.isnan(sample[place])]
        places = places if window is None else places[-window:]
        n = len(places)
        share = n / (day - places[0] + 1) if n else float("nan")
        found = [float("nan")] * 3
        is_full = n >= least and (window is None or n >= window)
        if not np.isnan(value) and is_full and share >= coverage:
            rank = percentile_rank([sample[place] for place in places], value=value)
            found = [rank.strict, rank.weak, rank.mid]
        rows.append([*found, n, share, places[0] if n else -1])
    return rows


@given(
    sample=values, window=windows, least=st.integers(2, 10), coverage=st.sampled_from([0.0, 0.5, 0.9, 1.0])
)
@settings(max_examples=200, deadline=None)
def test_each_day_is_what_the_cut_sample_gives_bit_for_bit(
    sample: list[float], window: int | None, least: int, coverage: float
) -> None:
    found = percentile_history(sample, window=window, min_observations=least, min_coverage=coverage)
    rows = slow(sample, window, least, coverage)
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 6
    strict, weak, mid, share = (np.array(columns[place], dtype=np.float64) for place in (0, 1, 2, 4))
    n_obs, first = (np.array(columns[place], dtype=np.int64) for place in (3, 5))
    wanted = PercentileHistory(strict, weak, mid, n_obs, share, first)
    assert exact(found) == exact(wanted)


@given(sample=values, later=values, window=windows)
@settings(max_examples=100, deadline=None)
def test_later_days_leave_earlier_ones_as_they_are(
    sample: list[float], later: list[float], window: int | None
) -> None:
    chosen = {"window": window, "min_observations": 2, "min_coverage": 0.5}
    short = exact(percentile_history(sample, **chosen))  # type: ignore[arg-type]
    whole = exact(percentile_history(sample + later, **chosen))  # type: ignore[arg-type]
    assert [column[: len(sample)] for column in whole] == short


@given(sample=values, window=windows)
@settings(max_examples=100, deadline=None)
def test_a_rising_map_changes_nothing_and_a_falling_one_mirrors(
    sample: list[float], window: int | None
) -> None:
    chosen = {"window": window, "min_observations": 2, "min_coverage": 0.0}
    found = percentile_history(sample, **chosen)  # type: ignore[arg-type]
    risen = percentile_history(np.exp(np.array(sample)) + 3, **chosen)  # type: ignore[arg-type]
    assert exact(risen) == exact(found)
    fallen = percentile_history(-np.array(sample), **chosen)  # type: ignore[arg-type]
    # 1e-12: two divisions of whole numbers up to 100, each rounded once
    np.testing.assert_allclose(fallen.mid, 100 - found.mid, atol=1e-12)
    np.testing.assert_allclose(fallen.strict, 100 - found.weak, atol=1e-12)


@pytest.mark.parametrize(("column", "window"), [("expanding", None), ("latest_20", 20), ("latest_252", 252)])
def test_against_gs_quant(column: str, window: int | None) -> None:
    table = pd.read_csv(_REFERENCE, index_col="date")
    found = percentile_history(table["value"], window=window, min_observations=2)
    wanted = table[column].to_numpy(copy=True)
    wanted[0] = np.nan  # one value: 50 there, too few here
    assert np.count_nonzero(~np.isnan(wanted)) > 100
    # 1e-11: scipy, which it asks, multiplies counts by 50 / n where here 50 * counts is divided by n
    np.testing.assert_allclose(found.mid, wanted, rtol=0, atol=1e-11)


def test_against_pandas_and_scipy() -> None:
    draw = np.random.default_rng(5)
    series = pd.Series(draw.normal(size=600).cumsum().round(1))
    ranks = series.rolling(60).rank(method="average")
    found = percentile_history(series, window=60, min_observations=2)
    np.testing.assert_allclose(found.mid, 100 * (ranks - 0.5) / 60, atol=1e-12)  # counts over 60, rounded
    grown = percentile_history(series, min_observations=2)
    for day in (1, 59, 300, 599):
        sample = series.to_numpy()[: day + 1]
        value = float(sample[-1])
        # 1e-11: scipy multiplies by 100 / n where here 100 times a count is divided by n
        assert grown.strict[day] == pytest.approx(percentileofscore(sample, value, "strict"), abs=1e-11)
        assert grown.weak[day] == pytest.approx(percentileofscore(sample, value, "weak"), abs=1e-11)
        assert grown.mid[day] == pytest.approx(percentileofscore(sample, value, "mean"), abs=1e-11)


def test_more_days_than_small_ranks_can_number() -> None:
    size = np.iinfo(np.int16).max + 200
    falling = -np.arange(float(size))
    found = percentile_history(falling)
    assert found.strict[-1] == 0.0
    assert found.weak[-1] == 100 / size
    rising = percentile_history(-falling, window=400)
    assert rising.weak[-1] == 100.0
    assert rising.strict[-1] == 100 * 399 / 400


def test_the_input_is_not_modified() -> None:
    sample = np.array([3.0, np.nan, 1.0])
    sample.setflags(write=False)
    percentile_history(sample, min_observations=2)
    assert sample.tolist()[::2] == [3.0, 1.0]


@pytest.mark.parametrize("window", [0, -1, 2.5, "1y", True])
def test_windows_that_count_nothing_are_refused(window: object) -> None:
    with pytest.raises(SettingsError, match="window must be a whole number of observations"):
        percentile_history([1.0], window=window)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ([1.0, float("inf")], "the value at position 1 is infinite"),
        ([[1.0]], "not one-dimensional"),
        (["a"], "not numbers"),
    ],
)
def test_what_cannot_be_ranked_is_refused(sample: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        percentile_history(sample)
