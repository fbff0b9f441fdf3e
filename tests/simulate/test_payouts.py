"""What the funds of a scenario pay, and that a reader of the file expects what the market expects."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from volskew.market.clock import previous_session, sessions
from volskew.market.dividends import read_dividends
from volskew.simulate import SCENARIOS, scenario_chain
from volskew.simulate.chain import payments_known
from volskew.simulate.days import session_of_day
from volskew.simulate.dividends import dividend_table
from volskew.simulate.payouts import payments_of, schedule_of
from volskew.simulate.underlyings import IWM, QQQ, UNDERLYINGS


@pytest.mark.parametrize(
    ("name", "longest"), [("calm", 215), ("calm", 740), ("ex_date", 215), ("ex_date", 600)]
)
def test_the_files_rule_gives_what_the_market_expects(name: str, longest: int, tmp_path: object) -> None:
    scenario = dataclasses.replace(SCENARIOS[name], longest_days=longest)
    file = tmp_path / "dividends.csv"  # type: ignore[operator]
    days = 260
    dividend_table(payments_known(scenario, seed=5, days=days)).to_csv(file, index=False)
    table = read_dividends(file)
    for fund in UNDERLYINGS:
        for day in (*range(0, days, 13), days - 1):
            date = session_of_day(scenario, day)
            until = date + dt.timedelta(days=longest)
            payments = payments_of(scenario, fund, seed=5, first=date - dt.timedelta(days=550), end=date)
            expected = [(item.ex_date, item.amount) for item in schedule_of(payments, date, until=until)]
            found = table.schedule(fund.symbol, date, until)
            assert found is not None
            assert [(item.ex_date, item.amount) for item in found] == expected, (fund.symbol, date)


def test_a_payment_does_not_depend_on_the_window() -> None:
    scenario = SCENARIOS["calm"]
    wide = payments_of(scenario, IWM, seed=3, first=dt.date(2022, 1, 1), end=dt.date(2027, 1, 4))
    narrow = payments_of(scenario, IWM, seed=3, first=dt.date(2024, 6, 1), end=dt.date(2025, 3, 3))
    assert set(narrow) < set(wide)
    assert all(item.declared <= dt.date(2025, 3, 3) for item in narrow if item.declared)


def test_multiples_and_none() -> None:
    twice = dataclasses.replace(SCENARIOS["calm"], dividends=2.0)
    none = dataclasses.replace(SCENARIOS["calm"], dividends=0.0)
    window = {"first": dt.date(2024, 1, 1), "end": dt.date(2025, 6, 2)}
    one = payments_of(SCENARIOS["calm"], QQQ, seed=3, **window)
    double = payments_of(twice, QQQ, seed=3, **window)
    assert [item.amount for item in double] == pytest.approx([2.0 * item.amount for item in one], abs=1e-4)
    assert payments_of(none, QQQ, seed=3, **window) == ()
    truth = scenario_chain(none, symbol="QQQ", seed=3, day=2).truth
    assert truth.dividends == ()
    assert truth.expiries["forward"].is_monotonic_increasing


@pytest.mark.parametrize("symbol", ["QQQ", "IWM"])
def test_ex_dates_come_just_before_the_expiries_around_three_months(symbol: str) -> None:
    for day in range(0, 250, 7):
        truth = scenario_chain("ex_date", symbol=symbol, seed=1, day=day).truth
        ex_dates = {item.ex_date for item in truth.dividends}
        after = min(date for date in truth.expiry_dates if (date - truth.date).days > 91)
        before = max(date for date in truth.expiry_dates if (date - truth.date).days <= 91)
        for expiry in (before, after):
            last = previous_session(previous_session(previous_session(expiry)))
            assert ex_dates & {date.date() for date in sessions(last, previous_session(expiry))}, (
                day,
                expiry,
            )
