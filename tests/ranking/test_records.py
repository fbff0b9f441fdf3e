"""Records, their dates, and how long ago today's value was last reached."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.ranking import find_records

walks = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=40)


def test_hand_values() -> None:
    records = find_records(np.array([3.0, 1.0, 5.0, 1.0, 5.0, 2.0]))
    assert (records.low, records.low_at) == (1.0, 1)  # the first of two
    assert (records.high, records.high_at) == (5.0, 2)
    assert (records.since_as_low, records.since_as_high) == (2, 1)
    assert not records.is_record_low
    assert not records.is_record_high


def test_a_new_low_is_a_record_and_knows_the_one_before() -> None:
    records = find_records(np.array([3.0, 2.0, 2.0, 4.0, 1.0]))
    assert records.is_record_low
    assert (records.low, records.low_at) == (1.0, 4)
    assert (records.previous_low, records.previous_low_at) == (2.0, 1)
    assert records.since_as_low is None
    assert records.since_as_high == 1


def test_a_tie_is_no_record() -> None:
    records = find_records(np.array([1.0, 2.0, 1.0]))
    assert not records.is_record_low
    assert (records.low_at, records.since_as_low) == (0, 2)


def test_one_observation_is_no_record_either() -> None:
    records = find_records(np.array([1.0]))
    assert not records.is_record_low
    assert not records.is_record_high
    assert records.previous_low is records.since_as_low is records.since_as_high is None


@given(values=walks)
@settings(max_examples=50, deadline=None)
def test_slow_twin(values: list[float]) -> None:
    records = find_records(np.array(values))
    earlier, today = values[:-1], values[-1]
    assert (records.low, records.low_at) == (min(values), values.index(min(values)))
    assert (records.high, records.high_at) == (max(values), values.index(max(values)))
    assert records.is_record_low == bool(earlier and all(today < value for value in earlier))
    assert records.is_record_high == bool(earlier and all(today > value for value in earlier))
    for found, reached in (
        (records.since_as_low, [value <= today for value in earlier]),
        (records.since_as_high, [value >= today for value in earlier]),
    ):
        steps = [step for step, is_reached in enumerate(reversed(reached), start=1) if is_reached]
        assert found == (steps[0] if steps else None)


@given(values=walks)
@settings(max_examples=30, deadline=None)
def test_a_mirror_swaps_lows_and_highs(values: list[float]) -> None:
    records, mirrored = find_records(np.array(values)), find_records(-np.array(values))
    assert (mirrored.low, mirrored.low_at) == (-records.high, records.high_at)
    assert (mirrored.since_as_low, mirrored.since_as_high) == (records.since_as_high, records.since_as_low)
