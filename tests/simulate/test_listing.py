"""Expiries and strikes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from volskew.market.clock import is_session, sessions
from volskew.simulate.funds import FUNDS
from volskew.simulate.listing import kept_expiries, listed_strikes


def test_third_fridays_on_holidays_move_to_the_session_before() -> None:
    good_friday = [date for date, _ in kept_expiries(dt.date(2025, 1, 21))]
    assert dt.date(2025, 4, 17) in good_friday  # 2025-04-18 was closed
    juneteenth = [date for date, _ in kept_expiries(dt.date(2026, 3, 20))]
    assert dt.date(2026, 6, 18) in juneteenth  # 2026-06-19 is closed


def test_every_session_has_two_expiries_on_each_side_of_91_days() -> None:
    for day in sessions(dt.date(2024, 1, 1), dt.date(2026, 12, 31)):
        expiries = [date for date, _ in kept_expiries(day.date())]
        ahead = [(date - day.date()).days for date in expiries]
        assert len(ahead) == 4
        assert 28 <= ahead[0] < ahead[1] <= 91 < ahead[2] < ahead[3] < 170
        assert ahead[2] - ahead[1] <= 35  # two monthlies are at most five weeks apart
        assert all(is_session(date) for date in expiries)


def test_quarter_ends_are_marked() -> None:
    marks = {date.isoformat(): quarterly for date, quarterly in kept_expiries(dt.date(2026, 7, 10))}
    assert marks == {"2026-09-18": False, "2026-09-30": True, "2026-10-16": False, "2026-11-20": False}


@pytest.mark.parametrize("fund", FUNDS, ids=lambda fund: fund.symbol)
def test_strikes_are_five_dollars_apart_and_one_in_the_dense_zone(fund: object) -> None:
    monthly = listed_strikes(fund, lowest=151.0, highest=404.0, is_quarterly=False, reference=250.0)  # type: ignore[arg-type]
    assert monthly.tolist() == np.arange(155.0, 401.0, 5.0).tolist()
    quarterly = listed_strikes(fund, lowest=151.0, highest=404.0, is_quarterly=True, reference=250.0)  # type: ignore[arg-type]
    low, high = 250.0 * fund.dense_low, 250.0 * fund.dense_high  # type: ignore[attr-defined]
    dense = quarterly[(quarterly >= low) & (quarterly <= high)]
    assert np.all(np.diff(dense) == 1.0)
    assert len(dense) == np.floor(high) - np.ceil(low) + 1
    assert set(monthly) <= set(quarterly)
