"""What the funds pay, what the market expects of it, and the forwards that follow."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.market.clock import is_session, session_close, session_open
from volskew.simulate import Market, simulate_market
from volskew.simulate.dividends import (
    Dividend,
    dividends_of,
    expected_dividends,
    times_to_ex_dates,
)
from volskew.simulate.funds import FUNDS, RATE

PAYMENTS = {
    fund.symbol: dividends_of(fund, first=dt.date(2012, 1, 1), end=dt.date(2026, 7, 10), seed=896)
    for fund in FUNDS
}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# --- payments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fund", FUNDS, ids=lambda fund: fund.symbol)
def test_payments_are_quarterly_on_sessions_and_announced_weeks_before(fund: object) -> None:
    payments = PAYMENTS[fund.symbol]  # type: ignore[attr-defined]
    months = [(item.ex_date.year, item.ex_date.month) for item in payments]
    assert months == [
        (year, month) for year in range(2012, 2027) for month in (3, 6, 9, 12) if (year, month) <= (2026, 6)
    ]
    for item in payments:
        assert item.declared is not None
        assert is_session(item.ex_date)
        assert is_session(item.declared)
        assert 18 <= (item.ex_date - item.declared).days <= 31
        assert 14 < item.ex_date.day < 26


def test_ex_dates_fall_where_stated() -> None:
    recent = {
        symbol: [item.ex_date.isoformat() for item in payments[-4:]] for symbol, payments in PAYMENTS.items()
    }
    assert recent == {
        "QQQ": ["2025-09-22", "2025-12-22", "2026-03-23", "2026-06-22"],
        "IWM": ["2025-09-16", "2025-12-16", "2026-03-17", "2026-06-16"],
    }
    juneteenth = [item.ex_date for item in PAYMENTS["QQQ"] if item.ex_date.year == 2023]
    assert day("2023-06-20") in juneteenth  # the Monday was a holiday


@pytest.mark.parametrize("fund", FUNDS, ids=lambda fund: fund.symbol)
def test_amounts_are_near_the_typical_yield_and_change_little_from_year_to_year(fund: object) -> None:
    share = {"QQQ": 0.0014, "IWM": 0.0030}[fund.symbol]  # type: ignore[attr-defined]
    amounts = np.array([item.amount for item in PAYMENTS[fund.symbol]])  # type: ignore[attr-defined]
    last_year = amounts[-4:].mean() / fund.last_price  # type: ignore[attr-defined]
    assert last_year == pytest.approx(share, rel=0.08)
    changes = np.log(amounts[4:] / amounts[:-4])
    assert np.abs(changes - 0.04).max() < 4.0 * 0.02 * math.sqrt(2.0)  # four deviations
    assert len(np.unique(amounts)) > 0.9 * len(amounts)


# --- what is expected ---------------------------------------------------------------------------------------


def slow_expectation(
    payments: list[tuple[dt.date, float, dt.date]], today: dt.date
) -> list[tuple[str, float]]:
    """The rule as the data dictionary words it, with day numbers and no shared line."""
    t = today.toordinal()
    known = [(ex.toordinal(), amount) for ex, amount, said in payments if said.toordinal() <= t]
    later = {}
    for ex, amount in known:
        if t - 364 < ex <= t:
            place = ex + 364
            while not is_session(dt.date.fromordinal(place)):
                place += 1
            later[place] = amount
    for ex, _ in sorted(known):
        gaps = sorted((abs(place - ex), place) for place in later)
        if gaps and gaps[0][0] <= 45:
            del later[gaps[0][1]]
    whole = sorted([(ex, amount) for ex, amount in known if ex > t] + list(later.items()))
    return [(dt.date.fromordinal(ex).isoformat(), amount) for ex, amount in whole]


@settings(max_examples=60, deadline=None)
@given(today=st.dates(dt.date(2013, 6, 1), dt.date(2026, 7, 10)), symbol=st.sampled_from(["QQQ", "IWM"]))
def test_the_market_expects_what_the_rule_says(today: dt.date, symbol: str) -> None:
    payments = PAYMENTS[symbol]
    expected = expected_dividends(payments, today)
    plain = [(item.ex_date, item.amount, item.declared) for item in payments if item.declared is not None]
    assert [(item.ex_date.isoformat(), item.amount) for item in expected] == slow_expectation(plain, today)
    assert all(is_session(item.ex_date) and item.ex_date > today for item in expected)
    # four payments a year, none of them twice: quarters apart
    assert 3 <= len(expected) <= 5
    gaps = np.diff([item.ex_date.toordinal() for item in expected])
    assert gaps.min() > 80


@pytest.mark.parametrize("symbol", ["QQQ", "IWM"])
def test_nothing_announced_later_is_looked_at(symbol: str) -> None:
    payments = PAYMENTS[symbol]
    for today in (day("2025-08-04"), day("2025-09-10"), day("2026-02-27")):
        known = [item for item in payments if item.declared is not None and item.declared <= today]
        later = [Dividend(item.ex_date, 99.0, item.declared) for item in payments if item not in known]
        assert expected_dividends([*known, *later], today) == expected_dividends(known, today)


def test_an_announced_payment_takes_the_place_of_the_expected_one() -> None:
    quarter = [
        Dividend(day("2025-03-24"), 0.80, day("2025-03-03")),
        Dividend(day("2025-06-23"), 0.90, day("2025-06-02")),
    ]
    special = Dividend(day("2026-05-12"), 1.00, day("2026-04-14"))  # 41 days before the projected 2026-06-22
    before = expected_dividends(quarter, day("2026-03-05"))
    assert [(item.ex_date.isoformat(), item.amount) for item in before] == [
        ("2026-03-23", 0.8),
        ("2026-06-22", 0.9),
    ]
    after = expected_dividends([*quarter, special], day("2026-04-14"))
    assert after == (special,)
    # gone ex, it still holds the place; a projected payment on a holiday moves to the next session
    assert expected_dividends([*quarter, special], day("2026-05-20")) == (
        Dividend(day("2027-05-11"), 1.00, None),
    )
    holiday = [Dividend(day("2022-06-20") - dt.timedelta(days=364), 0.5, day("2021-06-01"))]
    assert [item.ex_date for item in expected_dividends(holiday, day("2022-02-01"))] == [day("2022-06-21")]


def test_times_run_from_the_close_to_the_open_of_the_ex_date() -> None:
    items = [Dividend(day("2026-03-23"), 1.0, None), Dividend(day("2026-06-22"), 1.0, None)]
    times = times_to_ex_dates(items, day("2026-03-05"))
    # 18 days less 6.5 hours and the hour that the clocks skip on 2026-03-08; 109 likewise
    assert times * 365.0 * 24.0 == pytest.approx([18 * 24 - 7.5, 109 * 24 - 7.5], abs=1e-9)
    assert session_open(day("2026-03-23")).tz_convert("America/New_York").strftime("%H:%M") == "09:30"
    assert len(times_to_ex_dates([], day("2026-03-05"))) == 0


# --- forwards -----------------------------------------------------------------------------------------------


def test_forwards_are_the_spot_less_what_is_expected_carried(market: Market) -> None:
    spots = market.truth.set_index(["date", "symbol"])["spot"]
    seen = set()
    for row in market.expiry_truth.iloc[::7].to_dict(orient="records"):
        today, expiry, symbol = day(row["date"]), day(row["expiration"]), row["symbol"]
        paid = 0.0
        count = 0
        for item in market.expected_dividends(symbol, today):
            wait = (session_open(item.ex_date) - session_close(today)) / pd.Timedelta(days=365)
            if item.ex_date <= expiry:
                paid += item.amount * math.exp(-RATE * wait)
                count += 1
        seen.add(count)
        expected = (spots[row["date"], symbol] - paid) * math.exp(RATE * row["time_to_expiry"])
        assert row["forward"] == pytest.approx(expected, rel=2e-12)  # growth has 12 decimals
    assert seen == {0, 1, 2}


def test_the_forward_at_91_days_follows_the_same_rule(market: Market) -> None:
    for row in market.truth.iloc[::40].to_dict(orient="records"):
        today = day(row["date"])
        end = session_close(today) + pd.Timedelta(days=91)
        paid = sum(
            item.amount
            * math.exp(-RATE * ((session_open(item.ex_date) - session_close(today)) / pd.Timedelta(days=365)))
            for item in market.expected_dividends(row["symbol"], today)
            if session_open(item.ex_date) < end
        )
        expected = (row["spot"] - paid) * math.exp(RATE * 91 / 365)
        assert row["forward"] == pytest.approx(expected, rel=2e-12)


def test_the_file_holds_what_was_announced_and_reaches_back_far_enough(market: Market) -> None:
    table = market.dividends
    assert list(table.columns) == ["symbol", "ex_date", "amount", "declaration_date"]
    assert (table["declaration_date"] <= "2026-07-10").all()
    assert (table["declaration_date"] < table["ex_date"]).all()
    first = table.groupby("symbol")["ex_date"].min()
    start = day(market.truth["date"].iloc[0])
    assert all(day(date) < start - dt.timedelta(days=450) for date in first)


def test_amounts_do_not_depend_on_the_length_of_the_market(market: Market) -> None:
    short = simulate_market(sessions=3, history_years=0).dividends
    both = market.dividends.merge(short, on=["symbol", "ex_date"], suffixes=("", "_short"))
    assert len(both) == len(short) >= 10
    assert (both["amount"] == both["amount_short"]).all()
