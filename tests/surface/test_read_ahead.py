"""Readings made together are those made one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import SettingsError
from volskew.measures import MEASURES, measure
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface

MakeChain = Callable[..., pd.DataFrame]
TENORS = ("1m", "56d", "3m", "5m", "10y")
DELTAS: tuple[Any, ...] = (0.1, "25c", 0.5, "25p", "atmf", 0.99)
ALL = list(itertools.product(TENORS, DELTAS))


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    return make_chain(qqq_like, days=(21, 28, 56, 84, 98, 126, 189))


@pytest.fixture(
    params=[
        {},
        {"tenor_interpolation": "linear"},
        {"tenor_clock": "calendar"},
        {"smile_model": "local"},
        {"delta_convention": "spot"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())) or "default",
)
def pair(request: pytest.FixtureRequest, chain: pd.DataFrame) -> tuple[Surface, Surface]:
    settings = Settings(rate=0.04, **request.param)
    one, other = (fit_surface(chain, settings=settings) for _ in range(2))
    return one, other


def test_readings_made_ahead_are_the_same(pair: tuple[Surface, Surface]) -> None:
    alone, together = pair
    together.read_ahead(ALL)
    read = 0
    for tenor, delta in ALL:
        one, other = alone.vol(tenor, delta), together.vol(tenor, delta)
        assert one == other  # to the last bit, details and flags too
        assert alone.failures(tenor=tenor, delta=delta) == together.failures(tenor=tenor, delta=delta)
        for name in ("expiries", "quotes"):
            pd.testing.assert_frame_equal(one.resolve(name), other.resolve(name))  # type: ignore[misc]
        read += one.is_read
    assert 15 < read < len(ALL)  # some of either kind


def test_joint_errors_made_ahead_are_the_same_to_rounding(pair: tuple[Surface, Surface]) -> None:
    alone, together = pair
    together.read_ahead(ALL)
    pairs: list[list[tuple[str, float | str]]] = [[("3m", "25c"), ("3m", 0.5)]]
    pairs.append([("56d", "25p"), ("3m", "25p"), ("3m", "atmf")])
    for wanted in pairs:
        one, other = alone.joint(wanted), together.joint(wanted)
        assert np.array_equal(one.vols, other.vols)
        for part, matrix in one.covariances.items():
            # more places at once: other last bits, at most a few of the largest variance
            scale = float(np.abs(np.diag(matrix)).max())
            assert np.abs(other.covariances[part] - matrix).max() <= 1e-9 * scale, part
    missing: list[tuple[str, float | str]] = [("3m", "25c"), ("10y", "25c")]
    assert np.isnan(together.joint(missing).covariance).all()


def test_every_measure_is_the_same_alone(chain: pd.DataFrame) -> None:
    settings = Settings(rate=0.04)
    tenors, deltas = ("1m", "3m", "1m-3m"), ("25c", "50", "25p")
    alone = fit_surface(chain, settings=settings)
    rows = measure(
        fit_surface(chain, settings=settings), tenors=tenors, deltas=deltas, measures=tuple(MEASURES)
    )
    for row in rows.to_dict("records"):
        found = MEASURES[row["measure"]].read(alone, tenor=row["tenor"], delta=row["delta"])
        assert found.value == row["value"]
        if found.error is not None:
            assert found.error == pytest.approx(row["error"], rel=1e-8)


@pytest.mark.parametrize("wanted", [[], [("3m",)], [("soon", "25c")], "3m", None])
def test_what_is_no_reading_is_refused(chain: pd.DataFrame, wanted: Any) -> None:
    with pytest.raises(SettingsError):
        fit_surface(chain, settings=Settings(rate=0.04)).read_ahead(wanted)


def test_many_bad_pairs_of_an_expiry_go_at_once(chain: pd.DataFrame) -> None:
    """Each next nearest pair is as bad: they may not serve one after another."""
    settings = Settings(rate=0.04)
    clean = fit_surface(chain, settings=settings)
    last = chain["expiry"] == chain["expiry"].max()
    bad = chain.copy()
    lows = bad.loc[last & bad["is_call"].astype(bool), "bid"]
    bad.loc[lows.index, ["bid", "ask"]] *= np.where(np.arange(len(lows)) % 2, 1.06, 0.94)[:, np.newaxis]
    found = fit_surface(bad, settings=settings)
    expiry = found.forwards["expiry"] == bad["expiry"].max()
    served = found.quotes[found.quotes["used_in_forward"] & (found.quotes["expiry"] == bad["expiry"].max())]
    assert served["exclusion"].isna().all()
    for tenor in ("1m", "3m"):
        # other expiries are as they were; what the last one says of the term structure moves them by 0.2 bp
        assert found.vol(tenor, "25c").value == pytest.approx(clean.vol(tenor, "25c").value, abs=1e-4)
    assert expiry.sum() == 1
