"""Draws depend on their keys only and are the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from volskew.simulate.draws import normals, uniforms

PINNED = [0.40004663094180565, 0.4671085344819617, 0.8487599173528935]


def test_draws_are_pinned() -> None:
    # the committed sample follows from these bits: a change here changes every file of it
    drawn = uniforms(896, "level", [0, 1, 2])
    assert drawn.tolist() == PINNED


def test_a_draw_does_not_depend_on_its_neighbours() -> None:
    keys = np.arange(1000)
    together = uniforms(1, "any", 5, keys)
    assert together[::-1].tolist() == uniforms(1, "any", 5, keys[::-1]).tolist()
    assert together[17] == uniforms(1, "any", 5, 17)


def test_seed_stream_and_each_key_matter() -> None:
    base = uniforms(1, "a", 2, 3)
    others = [uniforms(2, "a", 2, 3), uniforms(1, "b", 2, 3), uniforms(1, "a", 3, 2), uniforms(1, "a", 2)]
    assert all(base != other for other in others)


@pytest.mark.parametrize("stream", ["level", "spread", "x"])
def test_draws_are_uniform_and_uncorrelated(stream: str) -> None:
    drawn = uniforms(7, stream, np.arange(20_000))
    assert 0.0 < drawn.min() < drawn.max() < 1.0
    assert kstest(drawn, "uniform").pvalue > 1e-4  # fixed seeds: deterministic
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.03  # four standard errors


def test_normals_are_the_quantiles_of_uniforms() -> None:
    order = np.argsort(uniforms(3, "n", np.arange(500)))
    assert np.all(np.diff(normals(3, "n", np.arange(500))[order]) > 0.0)


def test_negative_keys_and_empty_keys_are_taken() -> None:
    assert uniforms(1, "a", -5) != uniforms(1, "a", 5)
    assert uniforms(1, "a", np.array([], dtype=np.int64)).shape == (0,)
