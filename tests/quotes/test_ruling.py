from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from volskew.errors import InputError
from volskew.quotes.ruling import Evidence, rule


def et(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="America/New_York").tz_convert("UTC")


DELAY = dt.timedelta(minutes=15)
FRIDAY, HOLIDAY, THURSDAY = dt.date(2026, 7, 10), dt.date(2026, 6, 19), dt.date(2026, 6, 18)
CLOSE = et("2026-07-10 16:00")

GOOD = {
    "date alone": (Evidence(label=FRIDAY), FRIDAY, CLOSE, "close"),
    "half day": (
        Evidence(label=dt.date(2026, 11, 27)),
        dt.date(2026, 11, 27),
        et("2026-11-27 13:00"),
        "close",
    ),
    "trades until 16:14": (
        Evidence(label=FRIDAY, newest_trade=et("2026-07-10 16:14:59")),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "thin chain, last trade at noon": (
        Evidence(label=FRIDAY, newest_trade=et("2026-07-10 12:00"), trades=99),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "busy chain silent since noon": (
        Evidence(label=FRIDAY, newest_trade=et("2026-07-10 12:00"), trades=100),
        FRIDAY,
        et("2026-07-10 12:00"),
        "intraday",
    ),
    "stated time": (
        Evidence(label=FRIDAY, label_time=et("2026-07-10 15:45")),
        FRIDAY,
        et("2026-07-10 15:45"),
        "15:45",
    ),
    "stated time, rounded down": (
        Evidence(label=FRIDAY, label_time=et("2026-07-10 10:14:59")),
        FRIDAY,
        et("2026-07-10 10:14:59"),
        "10:00",
    ),
    "stated time at the close": (
        Evidence(label=FRIDAY, label_time=et("2026-07-10 15:59")),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "stated time 16:15": (Evidence(label=FRIDAY, label_time=et("2026-07-10 16:15")), FRIDAY, CLOSE, "close"),
    "quotes' own times": (
        Evidence(label=FRIDAY, newest_quote=et("2026-07-10 15:47")),
        FRIDAY,
        et("2026-07-10 15:47"),
        "15:45",
    ),
    "stamp in the evening": (Evidence(stamp=et("2026-07-10 22:11"), delay=DELAY), FRIDAY, CLOSE, "close"),
    "stamp before the next open": (
        Evidence(stamp=et("2026-07-13 09:29"), delay=DELAY),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "stamp within the delay of the open": (
        Evidence(stamp=et("2026-07-13 09:40"), delay=DELAY, newest_trade=et("2026-07-10 16:14")),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "stamp in the night to Saturday": (
        Evidence(stamp=et("2026-07-11 01:30"), delay=DELAY),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "stamp at 14:00": (
        Evidence(stamp=et("2026-07-10 14:00"), delay=DELAY),
        FRIDAY,
        et("2026-07-10 13:45"),
        "13:45",
    ),
    "stamp at 14:00, a trade after its quotes": (
        Evidence(stamp=et("2026-07-10 14:00"), delay=DELAY, newest_trade=et("2026-07-10 13:46")),
        FRIDAY,
        et("2026-07-10 13:46"),
        "13:45",
    ),
    "trades alone": (
        Evidence(newest_trade=et("2026-07-10 11:31:01")),
        FRIDAY,
        et("2026-07-10 11:31:01"),
        "intraday",
    ),
    "trades alone, to the close": (Evidence(newest_trade=et("2026-07-10 15:59:58")), FRIDAY, CLOSE, "close"),
    "a file name labels": (Evidence(name_date=FRIDAY), FRIDAY, CLOSE, "close"),
    "a file name does not overrule": (
        Evidence(name_date=HOLIDAY, newest_trade=et("2026-06-18 16:14")),
        THURSDAY,
        et("2026-06-18 16:00"),
        "close",
    ),
    "evening trades belong to the next session": (
        Evidence(newest_trade=et("2026-07-09 20:15")),
        FRIDAY,
        et("2026-07-09 20:15"),
        "intraday",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_snapshots_that_are_days(name: str) -> None:
    seen, session, moment, label = GOOD[name]
    ruling = rule(seen)
    assert ruling.code is None
    assert (ruling.session, ruling.snapshot_time, ruling.snapshot_label) == (session, moment, label)


@pytest.mark.parametrize(
    ("seen", "code", "detail"),
    [
        (Evidence(label=HOLIDAY), "NOT_A_SESSION", "after 2026-06-18"),
        (
            Evidence(label=HOLIDAY, newest_trade=et("2026-06-18 16:14")),
            "NOT_A_SESSION",
            "quotes of 2026-06-18",
        ),
        (Evidence(label=dt.date(2026, 7, 11)), "NOT_A_SESSION", "Saturday"),
        (
            Evidence(stamp=et("2026-06-19 16:17"), newest_trade=et("2026-06-18 16:14")),
            "NOT_A_SESSION",
            "again",
        ),
        (Evidence(name_date=HOLIDAY), "NOT_A_SESSION", "Friday"),
        (
            Evidence(label=dt.date(2026, 7, 23), newest_trade=et("2026-07-22 16:14:59")),
            "STALE_REPEAT",
            "2026-07-22 16:14:59 ET",
        ),
        (
            Evidence(stamp=et("2026-07-23 21:15"), newest_trade=et("2026-07-22 16:14")),
            "STALE_REPEAT",
            "07-22",
        ),
    ],
)
def test_snapshots_that_are_none(seen: Evidence, code: str, detail: str) -> None:
    ruling = rule(seen)
    assert ruling.code == code
    assert detail in ruling.detail
    assert ruling.session is None


def test_nothing_says_which_day() -> None:
    with pytest.raises(InputError, match="nothing says which day this chain is of"):
        rule(Evidence())
