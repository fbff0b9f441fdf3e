from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq

from volskew.market import session_close
from volskew.market.projection import Dividend
from volskew.market.rates import DiscountCurve
from volskew.market.table import MarketRow, market_row
from volskew.surface.carry import (
    Schedule,
    Spot,
    dividend_schedule,
    present_value,
    residual_yield,
    settle_spot,
)

DAY = dt.date(2026, 7, 10)
CLOSE = session_close(DAY)
RATE = 0.04
MONTHLY = (7, 28, 63, 98, 161)
Floats = NDArray[np.float64]


def row(*items: tuple[dt.date, float]) -> MarketRow:
    told = [Dividend(day, amount, is_projected=True) for day, amount in items]
    return market_row(DAY, curve=DiscountCurve.flat(RATE), dividends={"QQQ": told})


# --- dividends as pricers take them -----------------------------------------------------------------------


def test_the_spot_falls_at_the_open_of_the_ex_date() -> None:
    market = row((dt.date(2026, 9, 21), 0.75), (dt.date(2026, 12, 21), 0.8))
    schedule = dividend_schedule(market, "QQQ", CLOSE)
    assert schedule is not None
    # 16:00 on July 10 to 09:30 on September 21: 73 days less 6.5 hours; in December the clock is an hour back
    hours = (73 * 24 - 6.5, 164 * 24 - 6.5 + 1)
    assert [when for when, _ in schedule] == pytest.approx([hour / 8760 for hour in hours], rel=1e-12)
    assert [amount for _, amount in schedule] == [0.75, 0.8]


def test_past_ex_dates_are_dropped_and_nothing_known_is_not_no_dividends() -> None:
    market = row((dt.date(2026, 7, 10), 0.75), (dt.date(2026, 7, 13), 0.5))
    schedule = dividend_schedule(market, "QQQ", CLOSE)
    assert schedule is not None
    assert [amount for _, amount in schedule] == [0.5]
    morning = pd.Timestamp("2026-07-10T13:29:00Z")  # 09:29 in New York: the spot is still with it
    before = dividend_schedule(market, "QQQ", morning)
    assert before is not None
    assert before[0][0] == pytest.approx(1 / 525600)  # a minute
    assert before[0][1] == 0.75
    at_the_open = dividend_schedule(market, "QQQ", pd.Timestamp("2026-07-10T13:30:00Z"))
    assert at_the_open is not None
    assert len(at_the_open) == 1
    assert dividend_schedule(row(), "QQQ", CLOSE) == ()
    assert dividend_schedule(row(), "IWM", CLOSE) is None
    assert dividend_schedule(None, "QQQ", CLOSE) is None


def test_an_ex_date_without_a_session_is_the_next_session() -> None:
    saturday, labor_day = dt.date(2026, 9, 5), dt.date(2026, 9, 7)
    schedules = [
        dividend_schedule(row((day, 0.75)), "QQQ", CLOSE)
        for day in (saturday, labor_day, dt.date(2026, 9, 8))
    ]
    assert schedules[0] == schedules[1] == schedules[2]


def test_present_value_counts_what_comes_before_expiry() -> None:
    years = np.array([0.05, 0.1, 0.1001, 0.3])
    rate = np.array([0.0, 0.02, 0.03, 0.05])
    worth = present_value(((0.1, 0.75), (0.25, 0.5)), rate=rate, years=years)
    # an ex-date at expiry itself does not concern the option
    expected = [0.0, 0.0, 0.75 * np.exp(-0.003), 0.75 * np.exp(-0.005) + 0.5 * np.exp(-0.0125)]
    np.testing.assert_allclose(worth, expected, rtol=1e-14)
    assert present_value((), rate=rate, years=years).tolist() == [0.0] * 4


# --- the residual yield -----------------------------------------------------------------------------------

schedules = st.lists(st.tuples(st.floats(0.01, 2.5), st.floats(0.0, 1.5)), max_size=6).map(
    lambda items: tuple(sorted(items))
)


def forward_of(spot: float, rate: float, residual: float, years: float, dividends: Schedule) -> float:
    net = rate - residual
    paid = sum(amount * np.exp(-net * when) for when, amount in dividends if when < years)
    return float(np.exp(net * years) * (spot - paid))


@given(
    spot=st.floats(20, 5000),
    rate=st.floats(-0.01, 0.1),
    residual=st.floats(-0.08, 0.08),
    years=st.floats(1 / 365, 3.0),
    dividends=schedules,
)
def test_residual_yield_is_what_made_the_forward(
    spot: float, rate: float, residual: float, years: float, dividends: Schedule
) -> None:
    forward = forward_of(spot, rate, residual, years, dividends)
    found = residual_yield(
        np.array([forward]),
        spot=spot,
        rate=np.array([rate]),
        years=np.array([years]),
        dividends=dividends,
    )
    # of the logarithm of the forward a few ulps, over the shortest time: 1e-15 * 365
    assert found[0] == pytest.approx(residual, abs=1e-12)


def test_residual_yield_against_a_bracketing_twin() -> None:
    dividends = ((0.05, 2.0), (0.3, 2.5), (0.55, 2.5), (0.8, 3.0))
    years, forward = np.array([0.02, 0.1, 0.4, 1.0]), np.array([99.0, 101.0, 95.0, 93.0])
    rate = np.array([0.05, 0.04, 0.03, 0.02])
    found = residual_yield(forward, spot=100.0, rate=rate, years=years, dividends=dividends)
    for t, f, r, value in zip(years, forward, rate, found, strict=True):
        twin = brentq(lambda b, t=t, f=f, r=r: forward_of(100.0, r, b, t, dividends) - f, -2, 2, xtol=1e-13)
        assert value == pytest.approx(twin, abs=1e-11)
    without = residual_yield(forward, spot=100.0, rate=rate, years=years, dividends=())
    np.testing.assert_allclose(without, rate - np.log(forward / 100) / years, rtol=1e-14)


def test_no_residual_yield_without_forward_spot_or_time() -> None:
    years = np.array([0.25, 0.25, 0.25, 0.0, 0.25])
    forward = np.array([np.nan, -1.0, 0.0, 100.0, 100.0])
    for dividends in ((), ((0.1, 0.5),)):
        found = residual_yield(forward, spot=100.0, rate=np.full(5, 0.04), years=years, dividends=dividends)
        assert np.isnan(found).tolist() == [True] * 4 + [False]
        for spot in (0.0, -5.0, np.nan):
            none = residual_yield(forward, spot=spot, rate=np.full(5, 0.04), years=years, dividends=dividends)
            assert np.isnan(none).all()


# --- the spot of the moment -------------------------------------------------------------------------------


def settle(
    stated: float,
    *,
    days: tuple[int, ...] = MONTHLY,
    spot: float = 525.0,
    residual: float = 0.002,
    paid: Schedule = (),
    known: Schedule | None = (),
    noise: float = 0.0,
    **changed: Any,
) -> Spot:
    """The spot settled from forwards with errors of 0.1 bp, off by normal noise of `noise` of themselves."""
    years = np.array(days) / 365
    forward = np.array([forward_of(spot, RATE, residual, float(t), paid) for t in years])
    forward = forward * (1 + noise * np.random.default_rng(3).standard_normal(len(years)))
    given: dict[str, Any] = {"forward": forward, "forward_error": 1e-5 * forward, **changed}
    return settle_spot(stated, rate=np.full(len(years), RATE), years=years, dividends=known, **given)


CASH: Schedule = ((40 / 365, 0.75), (131 / 365, 0.75))


@pytest.mark.parametrize("paid", [(), CASH])
def test_a_right_spot_is_kept_exactly(paid: Schedule) -> None:
    for residual in (-0.01, 0.0, 0.002, 0.03):
        for stated in (525.0, 525.0 * 1.0001):
            settled = settle(stated, residual=residual, paid=paid, known=paid, noise=1e-5)
            assert settled == Spot(stated, 0.0, is_implied=False)


@pytest.mark.parametrize("stated", [np.nan, 0.0, -1.0, 525 * 1.005, 525 * 0.995, 525 * 1.001, 525 * 0.999])
@pytest.mark.parametrize("paid", [(), CASH])
def test_a_missing_stale_or_later_spot_is_that_of_the_options(stated: float, paid: Schedule) -> None:
    settled = settle(stated, paid=paid, known=paid, noise=1e-5)
    assert settled.is_implied
    assert abs(settled.price - 525) < 4 * settled.error
    assert 0 < settled.error < 525 * 3e-4


@pytest.mark.parametrize("day", [2, 20, 40, 70])
def test_a_dividend_between_expiries_is_no_wrong_spot(day: int) -> None:
    paid = ((day / 365, 0.75),)
    assert not settle(525.0, paid=paid, known=paid).is_implied
    late = settle(525.0 * 1.002, paid=paid, known=paid)
    assert late.is_implied
    assert late.price == pytest.approx(525.0, rel=1e-4)


def test_dividends_that_are_not_known_leave_a_spot_in_doubt_by_the_time_to_the_first_expiry() -> None:
    days = (3, 7, 14, 28, 63, 98)
    for paid in ((), ((10 / 365, 0.75),), ((50 / 365, 0.75),)):
        assert not settle(525.0, days=days, paid=paid, known=None).is_implied
        for stated in (525 * 1.001, 525 * 0.999, np.nan):  # after hours, or missing
            settled = settle(stated, days=days, paid=paid, known=None)
            assert settled.is_implied
            assert abs(settled.price - 525) < 3 * settled.error
    # the first expiry is a month away and a dividend before it: an error of the spot, or not?
    far = (28, 63, 98, 161, 189)
    paid = ((20 / 365, 0.75),)
    assert not settle(525.0, days=far, paid=paid, known=None).is_implied
    assert settle(525 * 1.005, days=far, paid=paid, known=None).is_implied


def test_constant_borrow_is_no_wrong_spot() -> None:
    for residual in (-0.05, 0.05, 0.10):
        for known in ((), None):
            settled = settle(525.0, residual=residual, known=known)
            assert settled == Spot(525.0, 0.0, is_implied=False)
            missing = settle(np.nan, residual=residual, known=known)
            assert missing.price == pytest.approx(525.0, rel=1e-4)


@pytest.mark.parametrize("days", [(28,), (28, 91)])
def test_with_few_expiries_the_nearest_tells(days: tuple[int, ...]) -> None:
    # half a per cent of carry over 28 days is 0.04 % of the spot, three of which may stand in it
    assert not settle(525.0, days=days).is_implied
    assert not settle(525.0 * 1.001, days=days).is_implied
    assert settle(525.0 * 1.005, days=days).is_implied
    missing = settle(np.nan, days=days, known=((20 / 365, 0.75),), paid=((20 / 365, 0.75),))
    assert missing.is_implied
    assert abs(missing.price - 525) < missing.error < 0.5
    blind = settle(np.nan, days=days, known=None)
    # 1.5 % of carry instead of 0.5, beside the 0.3 % that neighbouring expiries may differ by
    ratio = np.hypot(0.015, 0.003) / np.hypot(0.005, 0.003)
    assert blind.error / missing.error == pytest.approx(ratio, rel=0.01)


def test_one_wild_forward_does_not_move_the_spot() -> None:
    years = np.array(MONTHLY) / 365
    forward = np.array([forward_of(525.0, RATE, 0.002, float(t), ()) for t in years])
    for wild in range(1, len(years)):
        bad = forward.copy()
        bad[wild] *= 1.01
        assert not settle(525.0, forward=bad).is_implied
        # one that says itself that it is not sure has no say, also where it is the nearest
    bad, error = forward * 1.0, forward * 1e-5
    bad[0], error[0] = bad[0] * 1.01, bad[0] * 0.01
    assert not settle(525.0, forward=bad, forward_error=error).is_implied


def test_without_forwards_the_spot_is_the_files() -> None:
    nothing = np.full(len(MONTHLY), np.nan)
    settled = settle(525.0, forward=nothing)
    assert (settled.price, settled.is_implied) == (525.0, False)
    assert np.isnan(settled.error)
    assert np.isnan(settle(np.nan, forward=nothing).price)
    assert not settle(525.0, forward=-np.ones(len(MONTHLY))).is_implied
    # dividends worth more than the spot leave nothing to compare
    assert not settle(1.0, known=((1 / 365, 600.0),)).is_implied


def test_two_slices_of_one_instant_count_as_two() -> None:
    assert not settle(525.0, days=(7, 7, 28, 28, 91)).is_implied
    settled = settle(np.nan, days=(7, 7, 28, 28, 91))
    assert settled.price == pytest.approx(525.0, rel=1e-5)
    same = settle(np.nan, days=(28, 28, 28))
    assert same.price == pytest.approx(525.0, rel=5e-4)


@given(scale=st.floats(0.01, 100), off=st.sampled_from([0.0, 0.001, -0.004]), seed=st.integers(0, 50))
def test_the_unit_of_money_does_not_matter(scale: float, off: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    years = np.sort(generator.uniform(0.01, 1.0, 6))
    forward = np.array([forward_of(525.0, RATE, 0.003, float(t), CASH) for t in years])
    forward *= 1 + 1e-5 * generator.standard_normal(6)
    one, other = (
        settle_spot(
            525.0 * (1 + off) * c,
            forward=forward * c,
            forward_error=forward * c * 1e-5,
            rate=np.full(6, RATE),
            years=years,
            dividends=tuple((when, amount * c) for when, amount in CASH),
        )
        for c in (1.0, scale)
    )
    assert other.is_implied == one.is_implied
    assert other.price == pytest.approx(one.price * scale, rel=1e-12)
