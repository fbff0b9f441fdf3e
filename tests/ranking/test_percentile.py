"""Percentile ranks and z-scores against published values, scipy, pandas and their own laws."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation, percentileofscore

from volskew.errors import InputError
from volskew.ranking import PercentileRank, percentile_rank, range_position, robust_z, z_score
from volskew.ranking.percentile import NORMAL_IQR, NORMAL_MAD

# few distinct values, so that ties are common
samples = st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=40)
reals = st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=3, max_size=40)


@pytest.mark.parametrize(
    ("sample", "value", "strict", "weak", "mid", "rank"),
    [
        ([1, 2, 2, 3, 4], 2, 20, 60, 40, 2.5),  # scipy.stats.percentileofscore: rank kind 50 = 100 * 2.5 / 5
        ([5, 4, 3, 2, 1], 1, 0, 20, 10, 1),
        ([3, 1, 4, 1, 5], 1, 0, 40, 20, 1.5),  # pandas rank(pct=True): .3
        ([3, 1, 4, 1, 5], 5, 80, 100, 90, 5),  # pandas rank(pct=True): 1.0
        ([7], 7, 0, 100, 50, 1),
        ([2, 2, 2, 2], 2, 0, 100, 50, 2.5),
    ],
)
def test_reference_values(
    sample: list[float], value: float, strict: float, weak: float, mid: float, rank: float
) -> None:
    assert percentile_rank(sample, value=value) == PercentileRank(strict, weak, mid, rank, len(sample))


def test_a_record_low_of_ten_is_at_five_and_not_at_zero() -> None:
    found = percentile_rank(np.arange(10.0), value=0.0)
    assert (found.strict, found.mid, found.weak) == (0, 50 / 10, 100 / 10)


@given(sample=samples, value=st.integers(-7, 7).map(float))
@settings(max_examples=50, deadline=None)
def test_against_scipy(sample: list[float], value: float) -> None:
    found = percentile_rank(sample, value=value)
    # 1e-9: scipy multiplies by 100 / n, here 100 * count is divided by n; both are a few ulps of 100
    assert found.strict == pytest.approx(percentileofscore(sample, value, kind="strict"), abs=1e-9)
    assert found.weak == pytest.approx(percentileofscore(sample, value, kind="weak"), abs=1e-9)
    assert found.mid == pytest.approx(percentileofscore(sample, value, kind="mean"), abs=1e-9)
    if value in sample:
        expected = percentileofscore(sample, value, kind="rank")
        assert 100 * found.rank / found.n == pytest.approx(expected, abs=1e-9)


@given(sample=samples)
@settings(max_examples=50, deadline=None)
def test_against_pandas_rank(sample: list[float]) -> None:
    ranks = pd.Series(sample).rank()
    for value, rank in zip(sample, ranks, strict=True):
        found = percentile_rank(sample, value=value)
        assert found.rank == rank
        # the mid-rank percentile is the average rank less one half
        assert found.mid == pytest.approx(100 * (rank - 0.5) / len(sample), abs=1e-9)


@given(sample=samples, value=st.integers(-7, 7).map(float))
@settings(max_examples=50, deadline=None)
def test_slow_twin(sample: list[float], value: float) -> None:
    below = sum(1 for other in sample if other < value)
    equal = sum(1 for other in sample if other == value)
    found = percentile_rank(sample, value=value)
    n = len(sample)
    assert (found.strict, found.weak) == (100 * below / n, 100 * (below + equal) / n)
    assert found.mid == 50 * (2 * below + equal) / n
    joined = sorted([*sample] if value in sample else [*sample, value])
    places = [i for i, other in enumerate(joined, start=1) if other == value]
    assert found.rank == sum(places) / len(places)


@given(sample=samples, low=st.integers(-7, 7), high=st.integers(-7, 7))
@settings(max_examples=50, deadline=None)
def test_bounded_ordered_and_monotone(sample: list[float], low: int, high: int) -> None:
    low, high = min(low, high), max(low, high)
    below, above = percentile_rank(sample, value=low), percentile_rank(sample, value=high)
    for found in (below, above):
        assert 0 <= found.strict <= found.mid <= found.weak <= 100
        assert 1 <= found.rank <= len(sample) + 1
    assert (below.strict, below.mid, below.weak) <= (above.strict, above.mid, above.weak)


@given(sample=samples, scale=st.sampled_from([0.5, 2.0, 8.0]), shift=st.integers(-9, 9))
@settings(max_examples=50, deadline=None)
def test_increasing_maps_leave_ranks_alone_and_mirrors_mirror_them(
    sample: list[float], scale: float, shift: int
) -> None:
    value = sample[-1]
    found = percentile_rank(sample, value=value)
    # powers of two and small integers: the map is exact, so equality is too
    moved = [scale * x + shift for x in sample]
    assert percentile_rank(moved, value=moved[-1]) == found
    mirrored = percentile_rank([-x for x in sample], value=-value)
    assert mirrored.mid == pytest.approx(100 - found.mid, abs=1e-9)
    assert mirrored.rank == len(sample) + 1 - found.rank


@given(sample=samples, holes=st.lists(st.integers(0, 40), max_size=5))
@settings(max_examples=30, deadline=None)
def test_missing_elements_are_no_observations(sample: list[float], holes: list[int]) -> None:
    gappy = list(sample)
    for hole in holes:
        gappy.insert(min(hole, len(gappy)), math.nan)
    value = sample[-1]
    assert percentile_rank(gappy, value=value) == percentile_rank(sample, value=value)
    for function in (range_position, z_score, robust_z):
        assert function(gappy, value=value) == pytest.approx(
            function(sample, value=value), nan_ok=True, abs=0
        )


@pytest.mark.parametrize("sample", [[], [math.nan, math.nan]])
def test_an_empty_sample_has_no_place(sample: list[float]) -> None:
    found = percentile_rank(sample, value=1.0)
    assert found.n == 0
    assert all(map(math.isnan, (found.strict, found.mid, found.weak, found.rank)))
    assert all(math.isnan(function(sample, value=1.0)) for function in (range_position, z_score, robust_z))


def test_a_missing_value_stays_missing() -> None:
    found = percentile_rank([1.0, 2.0], value=math.nan)
    assert found.n == 2
    assert all(map(math.isnan, (found.strict, found.mid, found.weak, found.rank)))
    assert all(
        math.isnan(function([1.0, 2.0, 4.0], value=math.nan))
        for function in (range_position, z_score, robust_z)
    )


@pytest.mark.parametrize("sample", [[1.0, math.inf], [-math.inf, 1.0]])
def test_infinities_are_refused(sample: list[float]) -> None:
    for function in (percentile_rank, range_position, z_score, robust_z):
        with pytest.raises(InputError, match="infinite"):
            function(sample, value=1.0)
        with pytest.raises(InputError, match="infinite"):
            function([1.0, 2.0], value=math.inf)


def test_constants_are_those_of_the_normal_law() -> None:
    upper = NormalDist().inv_cdf(0.75)
    assert pytest.approx(1 / upper, rel=1e-15) == NORMAL_MAD  # both are one rounding of the same number
    assert pytest.approx(2 * upper, abs=5e-4) == NORMAL_IQR  # stated to three decimals


def test_robust_z_reference_value() -> None:
    # median 3, MAD 1: 97 / 1.482602
    assert robust_z([1, 2, 3, 4, 100], value=100) == pytest.approx(65.43, abs=0.005)


def test_robust_z_falls_back_to_the_interquartile_range() -> None:
    sample = [0.0] * 6 + [1.0, 2.0, 3.0, 4.0]  # MAD 0; quartiles 0 and 1.75 by linear interpolation
    assert robust_z(sample, value=4.0) == pytest.approx(4 / (1.75 / 1.349), rel=1e-14)
    assert math.isnan(robust_z([0.0] * 9 + [1.0], value=1.0))  # MAD and IQR 0


@given(sample=reals)
@settings(max_examples=50, deadline=None)
def test_z_scores_against_scipy(sample: list[float]) -> None:
    value, spread = sample[-1], max(sample) - min(sample)
    found = z_score(sample, value=value)
    if spread == 0:
        assert math.isnan(found)
    elif spread > 1e-3:  # narrower samples lose digits in the mean, in both
        assert found == pytest.approx((value - np.mean(sample)) / np.std(sample, ddof=1), rel=1e-9, abs=1e-9)
        width = median_abs_deviation(sample, scale="normal")
        if width > 1e-3:
            expected = (value - np.median(sample)) / width
            assert robust_z(sample, value=value) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(sample=samples, shift=st.integers(-9, 9))
@settings(max_examples=50, deadline=None)
def test_affine_invariance_of_range_and_z(sample: list[float], shift: int) -> None:
    moved = [4 * x + shift for x in sample]
    for function in (range_position, z_score, robust_z):
        before, after = function(sample, value=sample[-1]), function(moved, value=moved[-1])
        assert after == pytest.approx(before, rel=1e-12, abs=1e-12, nan_ok=True)  # a few ulps of the mean


def test_range_position_of_ends_and_of_no_range() -> None:
    assert range_position([2.0, 6.0, 3.0], value=2.0) == 0
    assert range_position([2.0, 6.0, 3.0], value=6.0) == 1
    assert range_position([2.0, 6.0, 3.0], value=3.0) == 0.25
    assert math.isnan(range_position([0.1] * 5, value=0.1))


def test_equal_decimals_have_no_z_score() -> None:
    # the mean of ten times 0.1 is not 0.1 in floats, so a naive standard deviation is not zero
    assert math.isnan(z_score([0.1] * 10, value=0.1))
    assert math.isnan(z_score([0.1], value=0.1))
