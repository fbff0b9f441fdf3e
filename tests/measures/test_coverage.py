"""Joint errors on simulated markets with a known answer: intervals hold the truth, and are narrow."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from volskew.simulate import scenario_chain
from volskew.simulate.chain import ScenarioChain
from volskew.surface import Surface, fit_surface

_NUMBERS = {
    "call skew": ([("3m", 0.25), ("3m", 0.5)], [1.0, -1.0]),
    "risk reversal": ([("3m", 0.25), ("3m", 0.75)], [1.0, -1.0]),
    "butterfly": ([("3m", 0.25), ("3m", 0.75), ("3m", 0.5)], [0.5, 0.5, -1.0]),
    "term slope": ([("1m", 0.25), ("3m", 0.25)], [-1.0, 1.0]),
}
_HALF = 1.6448536269514722
"""Standard deviations on either side of a 90 % interval."""


def _read() -> list[tuple[Surface, ScenarioChain]]:
    keys = itertools.product(("calm", "events"), (21, 22, 23), ("QQQ", "IWM"))
    chains = [
        scenario_chain(name, symbol=symbol, seed=seed, day=3 + 5 * (seed % 5)) for name, seed, symbol in keys
    ]
    return [(fit_surface(chain.canonical(), market=chain.market), chain) for chain in chains]


@pytest.mark.slow
def test_intervals_hold_the_truth_and_are_narrower_than_of_independent_readings() -> None:
    read = _read()
    within: list[bool] = []
    for name, (parts, weights) in _NUMBERS.items():
        apart, narrower = [], []
        for surface, chain in read:
            joint = surface.joint([(tenor, delta) for tenor, delta in parts])
            found = joint.combine(weights)
            if not found.is_read or found.error is None:
                continue
            truth = [float(chain.truth.vol(tenor, delta)) for tenor, delta in parts]
            apart.append(abs(found.value - float(np.dot(weights, truth))) / found.error)
            own = np.array([one.error for one in joint.readings], dtype=np.float64)
            narrower.append(found.error / math.sqrt(np.array(weights) ** 2 @ own**2))
        assert len(apart) >= 10
        held = [distance <= _HALF for distance in apart]
        within += held
        # of 12 with a chance of 0.9, fewer than 8 hold once in 200
        assert np.mean(held) >= 0.65, name
        assert np.median(narrower) < (0.95 if name == "term slope" else 0.6), name
    # 48, four of a chain not independent: on 288 chains 87 to 98 of 100 hold
    assert np.mean(within) >= 0.8
