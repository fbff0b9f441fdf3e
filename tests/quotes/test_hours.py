from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volskew.errors import InputError
from volskew.market.clock import EASTERN, session_of, stamp_session
from volskew.quotes.hours import opened_since, quoted_session, quoted_sessions, served_at


def et(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=EASTERN)


@pytest.mark.parametrize(
    ("time", "session", "overnight"),
    [
        ("2026-07-10 09:29", "2026-07-09", "2026-07-10"),
        ("2026-07-10 09:30", "2026-07-10", "2026-07-10"),
        ("2026-07-09 20:14", "2026-07-09", "2026-07-09"),
        ("2026-07-09 20:15", "2026-07-09", "2026-07-10"),
        ("2026-07-10 20:15", "2026-07-10", "2026-07-10"),  # a Friday evening
        ("2026-07-11 20:15", "2026-07-10", "2026-07-10"),
        ("2026-07-12 20:15", "2026-07-10", "2026-07-13"),
        ("2026-06-19 12:00", "2026-06-18", "2026-06-18"),  # a holiday
        ("2026-11-27 15:00", "2026-11-27", "2026-11-27"),  # after an early close
    ],
)
def test_which_session_quotes_are_of(time: str, session: str, overnight: str) -> None:
    assert quoted_session(et(time)).isoformat() == session
    assert quoted_session(et(time), overnight=True).isoformat() == overnight


@given(st.datetimes(dt.datetime(1990, 1, 3), dt.datetime(2045, 12, 28)))  # noqa: DTZ001
def test_columns_agree_with_the_clock(naive: dt.datetime) -> None:
    moment = pd.Timestamp(naive, tz="UTC")
    found = quoted_sessions(np.array([naive], dtype="datetime64[us]"))
    assert found[0].astype(object) == stamp_session(moment)
    night = quoted_session(moment, overnight=True)
    # what is of the session to come there is so on the market's clock too
    assert night in {stamp_session(moment), session_of(moment)}


def test_missing_and_early_instants_have_no_session() -> None:
    times = np.array(["NaT", "1989-12-29T20:00"], dtype="datetime64[us]")
    assert np.isnat(quoted_sessions(times)).all()
    with pytest.raises(InputError, match="outside the trading calendar"):
        quoted_session(pd.Timestamp("1989-12-29 20:00", tz="UTC"))


@pytest.mark.parametrize(
    ("stamp", "served", "opened"),
    [
        ("2026-07-10 14:00", "2026-07-10 13:45", False),
        ("2026-07-10 16:10", "2026-07-10 15:55", False),
        ("2026-07-10 22:00", "2026-07-10 16:00", False),
        ("2026-07-12 12:00", "2026-07-10 16:00", False),
        ("2026-07-13 09:40", "2026-07-10 16:00", True),
        ("2026-07-13 09:46", "2026-07-13 09:31", False),
    ],
)
def test_quotes_that_are_served_late(stamp: str, served: str, opened: bool) -> None:
    delay = dt.timedelta(minutes=15)
    assert served_at(et(stamp), delay) == et(served)
    assert opened_since(et(stamp), delay) == opened
