"""`uncertainty`: half a unit in the last place of the price over vega."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from volskew.pricing import Status
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

LEAST = 5e-324


def _solve(rows: list[dict[str, str]], **options: Any) -> Any:
    names = ("price", "forward", "strike", "time_to_expiry")
    given = {name: np.array([float(row[name]) for row in rows]) for name in names}
    is_call = np.array([row["is_call"] == "1" for row in rows])
    return black.implied_vol(**given, is_call=is_call, uncertainty=True, **options)


def test_it_is_that_of_multiprecision(vol_rows: list[dict[str, str]]) -> None:
    """Subnormal prices too, whose unit in the last place is the smallest double.

    The vol's own 3e-15 is multiplied by d ln(vega)/d ln(s) = h^2, 1400 at most: 5e-12.
    """
    wanted = np.array([float(row["uncertainty"]) for row in vol_rows])
    np.testing.assert_allclose(_solve(vol_rows).uncertainty, wanted, rtol=5e-12, atol=2 * LEAST)


def test_it_does_not_depend_on_the_engine(vol_rows: list[dict[str, str]]) -> None:
    rows = [row for row in vol_rows if row["region"] in {"fast", "in the money", "little time value"}]
    ours, theirs = _solve(rows), _solve(rows, engine="vollib")
    both = (ours.status == Status.OK) & (theirs.status == Status.OK)
    assert both.mean() > 0.95
    # each is taken at its own engine's vol
    np.testing.assert_allclose(theirs.uncertainty[both], ours.uncertainty[both], rtol=1e-3)
    assert np.isnan(theirs.uncertainty[theirs.status != Status.OK]).all()


def test_it_is_how_far_the_neighbouring_prices_are() -> None:
    common: dict[str, Any] = {"forward": 100.0, "strike": 60.0, "time_to_expiry": 0.5, "is_call": True}
    price = 40.0001
    here = black.implied_vol(price, **common, uncertainty=True)
    up, down = (black.implied_vol(math.nextafter(price, end), **common).vol for end in (99.0, 0.0))
    # two steps of an ulp are four halves; vega changes by 1e-9 over them
    assert (up - down) / 4 == pytest.approx(here.uncertainty, rel=1e-3)
    assert type(here.uncertainty) is float


def test_in_the_money_it_says_what_is_lost() -> None:
    """One option quoted on either side: its vol is known much worse from the side with intrinsic value."""
    common: dict[str, Any] = {"forward": 100.0, "strike": 60.0, "time_to_expiry": 0.25}
    put = black.price(**common, vol=0.25, is_call=False)
    out = black.implied_vol(put, **common, is_call=False, uncertainty=True)
    inside = black.implied_vol(put + 40.0, **common, is_call=True, uncertainty=True)
    assert inside.uncertainty / out.uncertainty == pytest.approx(math.ulp(40.0) / math.ulp(put), rel=1e-6)
    assert abs(inside.vol - 0.25) <= 1.1 * inside.uncertainty
    assert inside.uncertainty > 5e-13
    assert out.uncertainty < 1e-16


@pytest.mark.parametrize("engine", ["volskew", "vollib"])
def test_it_is_nan_exactly_where_the_vol_is(engine: Any) -> None:
    price = np.array([math.nan, -1.0, 0.0, 5.0, 10.0, 12.0, 99.0, 100.0, math.inf])
    solved = black.implied_vol(
        price,
        forward=100.0,
        strike=90.0,
        time_to_expiry=[[1.0], [0.0]],
        is_call=True,
        engine=engine,
        uncertainty=True,
    )
    assert solved.uncertainty.shape == (2, 9)
    assert np.isfinite(solved.uncertainty[0]).tolist() == [False] * 5 + [True, True, False, False]
    np.testing.assert_array_equal(np.isnan(solved.uncertainty), solved.status != Status.OK)
    assert (
        black.implied_vol(price, forward=100.0, strike=90.0, time_to_expiry=1.0, is_call=True).uncertainty
        is None
    )
