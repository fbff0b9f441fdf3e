from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from volskew.quotes.consensus import Consensus, borne_out, consensus

CLOSE = np.datetime64("2026-07-10T20:00", "us")
NOTHING = np.datetime64("NaT", "us")
MINUTE, HOUR, DAY = (np.timedelta64(1, unit) for unit in ("m", "h", "D"))


def said(
    *,
    quotes: Any = None,
    trades: Any = None,
    label: dt.date | None = None,
    stamp: np.datetime64 | None = None,
    expiry: np.datetime64 | None = None,
    overnight: bool = False,
) -> Consensus:
    n = len(quotes if quotes is not None else trades)
    empty = np.full(n, NOTHING)
    return consensus(
        quotes=empty if quotes is None else np.array(quotes, dtype="datetime64[us]"),
        trades=empty if trades is None else np.array(trades, dtype="datetime64[us]"),
        expiry=np.full(n, np.datetime64("2028-01-21T21:00", "us") if expiry is None else expiry),
        label=label,
        stamp=stamp,
        overnight=overnight,
    )


@pytest.mark.parametrize("n", [5, 60, 4000])
def test_two_stray_quotes_move_nothing(n: int) -> None:
    for stray in (CLOSE + 3 * HOUR, CLOSE + 3 * DAY):
        found = said(quotes=[CLOSE] * n + [stray] * 2)
        assert found.newest_quote == CLOSE
        assert found.stray_quotes.nonzero()[0].tolist() == [n, n + 1]


def test_a_chain_that_few_lines_of_are_fresh_keeps_its_newest_time() -> None:
    quotes = CLOSE - np.arange(1000) * MINUTE  # quiet lines, of which four are of the last minutes
    quotes[:60] = CLOSE - np.arange(60) * np.timedelta64(1, "s")
    assert borne_out(quotes) == CLOSE


def test_minutes_after_the_bulk_are_no_error() -> None:
    found = said(quotes=[CLOSE - HOUR] * 100 + [CLOSE - 30 * MINUTE])
    assert found.newest_quote == CLOSE - HOUR
    assert not found.stray_quotes.any()


def test_trades_follow_the_quotes() -> None:
    trades = [CLOSE - HOUR] * 49 + [CLOSE + 3 * DAY]
    found = said(quotes=[CLOSE] * 50, trades=trades)
    assert found.newest_trade == CLOSE - HOUR
    assert found.stray_trades.tolist() == [False] * 49 + [True]
    # quotes of a few lines bear no witness against trades
    assert said(quotes=[CLOSE] * 5 + [NOTHING] * 45, trades=trades).newest_trade == CLOSE + 3 * DAY


def test_one_trade_is_evidence_in_a_quiet_chain() -> None:
    trades = CLOSE - np.arange(80) * 5 * DAY
    assert said(trades=trades).newest_trade == CLOSE
    assert said(trades=trades).trades == 1


def test_a_busy_chain_is_not_silent_for_weeks() -> None:
    trades = [CLOSE] * 150 + [CLOSE + 30 * DAY]
    assert said(trades=trades).newest_trade == CLOSE
    assert said(trades=trades).stray_trades.sum() == 1
    assert said(trades=[CLOSE] * 150 + [CLOSE + 30 * DAY] * 30).newest_trade == CLOSE + 30 * DAY


def test_more_than_a_few_lines_gainsay_a_date() -> None:
    friday = dt.date(2026, 7, 10)
    monday = CLOSE + 3 * DAY
    assert said(trades=[CLOSE] * 50 + [monday] * 2, label=friday).newest_trade == CLOSE
    assert said(trades=[CLOSE] * 50 + [monday] * 3, label=friday).newest_trade == monday


def test_an_evening_is_of_the_day_before_but_for_indices() -> None:
    evening = np.datetime64("2026-07-10T00:20", "us")  # 20:20 in New York on the 9th
    trades, thursday = [evening - 4 * HOUR] * 50 + [evening], dt.date(2026, 7, 9)
    assert said(trades=trades, label=thursday).newest_trade == evening
    assert said(trades=trades, label=thursday, overnight=True).newest_trade == evening - 4 * HOUR


def test_nothing_is_younger_than_its_file_or_traded_when_dead() -> None:
    found = said(trades=[CLOSE] * 50 + [CLOSE + HOUR], stamp=CLOSE + MINUTE)
    assert found.newest_trade == CLOSE
    found = said(trades=[CLOSE] * 50 + [CLOSE + HOUR] * 20, stamp=CLOSE + MINUTE)  # a clock that is wrong
    assert found.newest_trade == CLOSE + HOUR
    found = said(quotes=[CLOSE, CLOSE + 3 * DAY], expiry=CLOSE)
    assert (found.newest_quote, found.stray_quotes.tolist()) == (CLOSE, [False, True])


def test_nothing_says_nothing() -> None:
    found = said(quotes=[NOTHING] * 3)
    assert np.isnat(found.newest_quote)
    assert np.isnat(found.newest_trade)
    assert not found.stray_quotes.any()
    assert found.trades == 0
