"""Gates around a place: all slices at once against a plain loop over quotes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.ledger import Code
from volskew.settings import Gates
from volskew.smile.local import Nodes
from volskew.surface.gates import Neighbourhood, chain_failures

Floats = NDArray[np.float64]


def nodes_of(slice_id: list[int]) -> Nodes:
    n = len(slice_id)
    nothing = np.zeros(n)
    return Nodes(np.array(slice_id, dtype=np.intp), nothing, nothing, nothing, nothing, np.arange(n))


DELTA = st.one_of(st.sampled_from([0.0, 0.1, 0.25, 0.4, 1.0, math.nan]), st.floats(0, 1))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 3), DELTA), max_size=40),
    st.lists(DELTA, min_size=4, max_size=4),
    st.floats(0, 0.4),
    st.floats(0, 0.4),
)
def test_neighbours_are_those_of_a_plain_loop(
    quotes: list[tuple[int, float]], wanted: list[float], below: float, above: float
) -> None:
    gates = Gates(wing_below=below, wing_above=above, max_delta_gap=0.2)
    around = Neighbourhood(
        nodes_of([number for number, _ in quotes]), np.array([delta for _, delta in quotes]), 4
    ).around(np.array(wanted), gates=gates)
    for number, target in enumerate(wanted):
        own = [delta for place, delta in quotes if place == number and not math.isnan(delta)]
        if math.isnan(target):
            assert not around.passes[number]
            continue
        low, high = max(target - below, 0.0), min(target + above, 1.0)
        # keys of slices and deltas together are rounded in the last places
        count = sum(low - 1e-12 <= delta <= high + 1e-12 for delta in own)
        sure = sum(low + 1e-12 < delta < high - 1e-12 for delta in own)
        assert sure <= around.wing[number] <= count
        left = [delta for delta in own if delta <= target]
        right = [delta for delta in own if delta >= target]
        near = [delta for delta in own if 0 < abs(delta - target) < 1e-12]
        if not near:
            assert around.below[number] == pytest.approx(max(left, default=math.nan), nan_ok=True)
            assert around.above[number] == pytest.approx(min(right, default=math.nan), nan_ok=True)
            holds = bool(left and right and min(right) - max(left) <= 0.2)
            assert around.passes[number] == (holds and around.wing[number] >= gates.min_wing_quotes)
        codes = {failure.code for failure in around.failures(number, wanted=target, name="x", gates=gates)}
        assert around.passes[number] == (not codes)


def test_failed_gates_are_told_in_numbers() -> None:
    around = Neighbourhood(nodes_of([0, 0, 0, 0, 1, 1, 1, 1]), np.array(
        [0.15, 0.18, 0.32, 0.35, 0.05, 0.1, 0.15, 0.2]
    ), 3).around(np.full(3, 0.25), gates=Gates())  # fmt: skip
    texts = [
        [(item.code, item.detail) for item in around.failures(n, wanted=0.25, name="25c", gates=Gates())]
        for n in range(3)
    ]
    assert texts[0] == [(Code.DELTA_GAP, "quotes around 25c at delta 0.180 and 0.320, gate 0.1")]
    assert texts[1] == [(Code.ONE_SIDED, "no quote of delta above 25c")]
    assert [code for code, _ in texts[2]] == [Code.FEW_CALLS, Code.ONE_SIDED]
    assert texts[2][0][1] == "0 quotes of delta 0.10..0.40, gate 3"


def test_a_chain_without_quotes_has_no_neighbours() -> None:
    around = Neighbourhood(nodes_of([]), np.array([]), 2).around(np.array([0.25, np.nan]), gates=Gates())
    assert not around.passes.any()
    assert np.isnan(around.below).all()
    none = Neighbourhood(nodes_of([]), np.array([]), 0).around(np.array([]), gates=Gates())
    assert none.passes.shape == (0,)


def test_gates_of_the_chain() -> None:
    failures = chain_failures(
        forward=np.array([500.0, np.nan, 500.0, 500.0]),
        forward_error=np.array([0.1, np.nan, 0.2, np.nan]),
        n_accepted=np.array([8.0, 0.0, 7.0, 20.0]),
        by_vendor=False,
        gates=Gates(),
    )
    codes = [[failure.code for failure in found] for found in failures]
    assert codes == [[], [Code.NO_FORWARD], [Code.FORWARD_ERROR, Code.FEW_QUOTES], [Code.FORWARD_ERROR]]
    assert failures[2][0].detail == "forward 500.00 with error 4.0 bp of the forward, gate 3"
    assert failures[2][1].detail == "7 accepted out-of-the-money quotes, gate 8"
    vendors = chain_failures(
        forward=np.array([500.0]), forward_error=np.array([np.nan]), n_accepted=np.array([8.0]),
        by_vendor=True, gates=Gates(),
    )  # fmt: skip
    assert vendors == [[]]
