"""Listed expiries and strikes of the scenarios, beside those of real chains."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.market.clock import is_session
from volskew.simulate import SCENARIOS, scenario_chain
from volskew.simulate.board import Listed, listed_expiries, strikes_of
from volskew.simulate.underlyings import IWM, QQQ, UNDERLYINGS, Underlying

CALM = SCENARIOS["calm"]
REAL_DAY = dt.date(2026, 7, 10)


def test_the_expiries_of_a_real_day_are_listed() -> None:
    # all expiries of 3 to 200 days of the real QQQ and IWM chains of 2026-07-10, but 2026-07-13 and 07-14
    # (nearer than nearest_days), and QQQ's without 2026-11-20
    both = [
        "2026-07-15", "2026-07-16", "2026-07-17", "2026-07-20", "2026-07-21", "2026-07-24", "2026-07-31",
        "2026-08-07", "2026-08-14", "2026-08-21", "2026-09-18", "2026-09-30", "2026-10-16", "2026-12-18",
        "2026-12-31", "2027-01-15",
    ]  # fmt: skip
    scenario = dataclasses.replace(CALM, longest_days=200)
    found = {
        fund.symbol: [
            item.date.isoformat() for item in listed_expiries(REAL_DAY, underlying=fund, scenario=scenario)
        ]
        for fund in UNDERLYINGS
    }
    # the real QQQ chain also has the month end 2026-08-31, the real IWM chain has not
    assert found["QQQ"] == sorted([*both, "2026-08-31"])
    assert found["IWM"] == sorted([*both, "2026-08-31", "2026-11-20"])


@settings(max_examples=40, deadline=None)
@given(
    day=st.dates(dt.date(2020, 1, 2), dt.date(2030, 12, 20)).filter(is_session),
    name=st.sampled_from(sorted(SCENARIOS)),
    fund=st.sampled_from(UNDERLYINGS),
)
def test_expiries_are_sessions_in_order_and_bracket_three_months(
    day: dt.date, name: str, fund: Underlying
) -> None:
    scenario = SCENARIOS[name]
    listed = listed_expiries(day, underlying=fund, scenario=scenario)
    dates = [item.date for item in listed]
    assert dates == sorted(set(dates))
    assert all(is_session(date) for date in dates)
    assert all((item.date - day).days == item.days for item in listed)
    assert all(scenario.nearest_days <= item.days <= scenario.longest_days for item in listed)
    # a reading at three months needs one on each side, and no wider apart than two months: nine weeks, and a
    # day more where the earlier one is the Thursday before Good Friday
    before = max(item.days for item in listed if item.days <= 91)
    after = min(item.days for item in listed if item.days > 91)
    assert before == 91 or after - before <= 64


def test_two_years_are_there_when_asked_for() -> None:
    scenario = dataclasses.replace(CALM, longest_days=740)
    listed = listed_expiries(REAL_DAY, underlying=QQQ, scenario=scenario)
    assert listed[-1].days > 700
    assert {item.date for item in listed} > {
        dt.date(2027, 6, 17),
        dt.date(2027, 12, 17),
        dt.date(2028, 1, 21),
    }


# strikes of the real chains of 2026-07-10 by expiry: how many, and how many within 3 % of the spot
REAL_STRIKES = {
    ("QQQ", "2026-07-24"): (171, 44),
    ("QQQ", "2026-08-07"): (158, 44),
    ("QQQ", "2026-08-21"): (128, 9),
    ("QQQ", "2026-09-18"): (170, 9),
    ("QQQ", "2026-10-16"): (135, 9),
    ("IWM", "2026-07-24"): (87, 18),
    ("IWM", "2026-08-07"): (84, 20),
    ("IWM", "2026-08-21"): (52, 3),
    ("IWM", "2026-09-18"): (58, 3),
    ("IWM", "2026-10-16"): (52, 3),
}
REAL_SPOT = {"QQQ": 725.51, "IWM": 295.99}


@pytest.mark.parametrize(("symbol", "expiry"), REAL_STRIKES)
def test_strikes_are_about_as_many_as_really_listed(symbol: str, expiry: str) -> None:
    fund = {"QQQ": QQQ, "IWM": IWM}[symbol]
    item = {
        item.date.isoformat(): item for item in listed_expiries(REAL_DAY, underlying=fund, scenario=CALM)
    }[expiry]
    spot = REAL_SPOT[symbol]
    strikes = strikes_of(item, underlying=fund, scenario=CALM, spot=spot, seed=1)
    count, near = REAL_STRIKES[symbol, expiry]
    assert len(strikes) == pytest.approx(count, rel=0.25)
    assert (np.abs(strikes / spot - 1.0) <= 0.03).sum() == pytest.approx(near, rel=0.35)
    assert (np.diff(strikes) > 0.0).all()


def test_steps_and_gaps_are_those_asked_for() -> None:
    item = Listed(dt.date(2026, 9, 18), "monthly", 70)
    wide = dataclasses.replace(CALM, step=2.0)
    strikes = strikes_of(item, underlying=IWM, scenario=wide, spot=290.0, seed=1)
    assert set(np.diff(strikes)) == {10.0}
    half = dataclasses.replace(CALM, missing_strikes=0.5)
    some = strikes_of(item, underlying=QQQ, scenario=half, spot=700.0, seed=1)
    every = strikes_of(item, underlying=QQQ, scenario=CALM, spot=700.0, seed=1)
    assert set(some) < set(every)
    assert len(some) == pytest.approx(0.5 * len(every), rel=0.25)  # three deviations
    # what is not listed today is not listed tomorrow, at another price
    later = strikes_of(item, underlying=QQQ, scenario=half, spot=712.0, seed=1)
    both = (every >= later.min()) & (every <= some.max())
    assert set(some) & set(every[both]) == set(later) & set(every[both])
    assert len(strikes_of(item, underlying=QQQ, scenario=half, spot=700.0, seed=2)) != 0


def test_dense_strikes_are_where_they_are_on_real_boards() -> None:
    quarter = Listed(dt.date(2026, 9, 30), "quarter_end", 82)
    month = Listed(dt.date(2026, 9, 18), "monthly", 70)
    near = Listed(dt.date(2026, 7, 17), "monthly", 7)
    steps = {
        item: np.diff(strikes_of(item, underlying=QQQ, scenario=CALM, spot=700.0, seed=3))
        for item in (quarter, month, near)
    }
    assert (steps[month] == 5.0).all()
    assert (steps[quarter] == 1.0).sum() > 100
    assert (steps[near] == 1.0).sum() > 150
    bare = dataclasses.replace(CALM, is_dense=False)
    assert (np.diff(strikes_of(quarter, underlying=QQQ, scenario=bare, spot=700.0, seed=3)) == 5.0).all()
    # the dense zone of a quarter end lies where the price was when it was listed, not where it is
    centres = [
        np.mean(strikes[:-1][np.diff(strikes) == 1.0]) / 700.0
        for strikes in (
            strikes_of(quarter, underlying=QQQ, scenario=CALM, spot=700.0, seed=seed) for seed in range(40)
        )
    ]
    assert 0.03 < float(np.std(centres)) < 0.08


def test_sparse_chains_have_few_calls_to_read_from() -> None:
    counts = {}
    for name in ("calm", "sparse"):
        chain = scenario_chain(name, symbol="IWM", seed=4, day=30)
        first, last = (chain.date + dt.timedelta(days=days) for days in (45, 135))
        wing = chain.clean[(chain.clean["right"] == "call") & chain.clean["delta"].between(0.10, 0.40)]
        wing = wing[wing["expiration"].between(first.isoformat(), last.isoformat())]
        counts[name] = wing.groupby("expiration").size()
    # the real IWM chains of 2026-07-10: 4, 5, 6, 7 at 70, 82, 98, 133 days
    assert 4 <= counts["calm"].min() <= 7
    assert counts["sparse"].max() <= 5
