"""Windows count sessions with both legs; coverage counts all sessions of their span."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.ranking.windows import WINDOWS, select_window


def test_lengths_are_five_two_and_one_years() -> None:
    assert dict(WINDOWS) == {"full": None, "5y": 1260, "2y": 504, "1y": 252}


def test_full_window_starts_with_the_first_session_that_has_both() -> None:
    window = select_window(np.array([False, False, True, True, False, True]), name="full")
    assert window.positions.tolist() == [2, 3, 5]
    assert (window.n_obs, window.n_sessions, window.coverage) == (3, 4, 0.75)
    assert not window.is_short


def test_fixed_window_reaches_back_over_gaps_until_it_is_full() -> None:
    has_both = np.ones(600, dtype=bool)
    has_both[400:428] = False
    window = select_window(has_both, name="1y")
    assert window.n_obs == 252
    assert window.positions[0] == 600 - 252 - 28
    assert window.coverage == 252 / 280 == 0.9


def test_short_and_empty_windows_say_so() -> None:
    window = select_window(np.ones(251, dtype=bool), name="1y")
    assert window.is_short
    assert window.n_obs == 251
    assert not select_window(np.ones(252, dtype=bool), name="1y").is_short
    for name in WINDOWS:
        empty = select_window(np.zeros(5, dtype=bool), name=name)
        assert (empty.n_obs, empty.n_sessions) == (0, 0)
        assert math.isnan(empty.coverage)


@given(has_both=st.lists(st.booleans(), max_size=700), name=st.sampled_from(sorted(WINDOWS)))
@settings(max_examples=40, deadline=None)
def test_slow_twin(has_both: list[bool], name: str) -> None:
    window = select_window(np.array(has_both, dtype=bool), name=name)
    wanted = WINDOWS[name]
    positions: list[int] = []
    for position in reversed(range(len(has_both))):
        if has_both[position] and (wanted is None or len(positions) < wanted):
            positions.insert(0, position)
    assert window.positions.tolist() == positions
    if positions:
        span = has_both[positions[0] :]
        assert window.n_sessions == len(span)
        assert window.coverage == pytest.approx(sum(span) / len(span), rel=1e-15)
