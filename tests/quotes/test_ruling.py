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
    "evening trades belong to the session before": (
        Evidence(newest_trade=et("2026-07-09 20:15")),
        dt.date(2026, 7, 9),
        et("2026-07-09 16:00"),
        "close",
    ),
    "quotes of an evening": (Evidence(newest_quote=et("2026-07-10 19:30")), FRIDAY, CLOSE, "close"),
    "quotes of a Sunday": (Evidence(newest_quote=et("2026-07-12 20:15")), FRIDAY, CLOSE, "close"),
    "quotes of a holiday": (
        Evidence(newest_quote=et("2026-06-19 11:00")),
        THURSDAY,
        et("2026-06-18 16:00"),
        "close",
    ),
    "quotes before the open": (Evidence(newest_quote=et("2026-07-13 09:29")), FRIDAY, CLOSE, "close"),
    "an index trades on Sunday evening": (
        Evidence(newest_quote=et("2026-07-12 20:20"), overnight=True),
        dt.date(2026, 7, 13),
        et("2026-07-12 20:20"),
        "20:15",
    ),
    "an index trades in the night": (
        Evidence(newest_quote=et("2026-07-10 03:01"), overnight=True),
        FRIDAY,
        et("2026-07-10 03:01"),
        "03:00",
    ),
    "an index does not trade on a Saturday": (
        Evidence(newest_quote=et("2026-07-11 12:00"), overnight=True),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "stamp of a holiday": (
        Evidence(stamp=et("2026-06-19 16:17"), delay=DELAY, newest_trade=et("2026-06-18 16:14")),
        THURSDAY,
        et("2026-06-18 16:00"),
        "close",
    ),
    "stamp of a Saturday": (Evidence(stamp=et("2026-07-11 12:00"), delay=DELAY), FRIDAY, CLOSE, "close"),
    "trades go on after the date in the rows": (
        Evidence(label=dt.date(2026, 7, 9), newest_trade=et("2026-07-10 16:01"), trades=500),
        FRIDAY,
        CLOSE,
        "close",
    ),
    "a quarter of an hour before the close": (
        Evidence(label=FRIDAY, before_close=DELAY),
        FRIDAY,
        et("2026-07-10 15:45"),
        "15:45",
    ),
    "the same on a half day is the same series": (
        Evidence(label=dt.date(2026, 11, 27), before_close=DELAY),
        dt.date(2026, 11, 27),
        et("2026-11-27 12:45"),
        "15:45",
    ),
    "quotes of about that time on a half day": (
        Evidence(
            label=dt.date(2026, 11, 27),
            before_close=dt.timedelta(minutes=14),
            newest_quote=et("2026-11-27 12:44:20"),
        ),
        dt.date(2026, 11, 27),
        et("2026-11-27 12:44:20"),
        "15:45",
    ),
    "quotes of another time": (
        Evidence(label=FRIDAY, before_close=DELAY, newest_quote=et("2026-07-10 13:31")),
        FRIDAY,
        et("2026-07-10 13:31"),
        "13:30",
    ),
    "a minute of several": (
        Evidence(label=FRIDAY, label_time=et("2026-07-10 15:46"), by_minute=True),
        FRIDAY,
        et("2026-07-10 15:46"),
        "15:46",
    ),
    "the last minute of several is no close": (
        Evidence(label=FRIDAY, label_time=et("2026-07-10 15:59"), by_minute=True),
        FRIDAY,
        et("2026-07-10 15:59"),
        "15:59",
    ),
}
NOTES = {
    "quotes of a Sunday": "of 2026-07-12 20:15 ET (Sunday): taken as of the close of 2026-07-10",
    "quotes of a holiday": "of 2026-06-19 11:00 ET (Friday): taken as of the close of 2026-06-18",
    "quotes before the open": "of 2026-07-13 09:29 ET (Monday): taken as of the close of 2026-07-10",
    "an index does not trade on a Saturday": "(Saturday): taken as of the close of 2026-07-10",
    "stamp before the next open": "stamped 2026-07-13 09:29 ET (Monday): taken as of the close",
    "stamp within the delay of the open": "stamped 2026-07-13 09:40 ET (Monday): taken as of the close",
    "stamp in the night to Saturday": "stamped 2026-07-11 01:30 ET (Saturday): taken as of the close",
    "stamp of a holiday": "stamped 2026-06-19 16:17 ET (Friday): taken as of the close of 2026-06-18",
    "stamp of a Saturday": "stamped 2026-07-11 12:00 ET (Saturday): taken as of the close of 2026-07-10",
    "trades go on after the date in the rows": "dated 2026-07-09 by its rows, but its trades or quotes go on",
}


@pytest.mark.parametrize("name", GOOD)
def test_snapshots_that_are_days(name: str) -> None:
    seen, session, moment, label = GOOD[name]
    ruling = rule(seen)
    assert ruling.code is None
    assert (ruling.session, ruling.snapshot_time, ruling.snapshot_label) == (session, moment, label)
    assert NOTES.get(name, "") in ruling.note
    assert bool(ruling.note) == (name in NOTES)


def test_what_a_time_outside_trading_hours_rests_on() -> None:
    grounds = [
        rule(Evidence(newest_quote=et(text), overnight=overnight)).ground
        for text, overnight in (
            ("2026-07-10 16:14", False),
            ("2026-07-10 19:30", False),
            ("2026-07-12 20:20", True),
        )
    ]
    assert grounds == ["quotes", "outside", "overnight"]


@pytest.mark.parametrize(("time", "late"), [("16:00", False), ("16:15", True)])
def test_a_stated_time_after_the_close_is_late(time: str, late: bool) -> None:
    moment = et(f"2026-07-10 {time}")
    ruling = rule(Evidence(label=FRIDAY, label_time=moment, newest_quote=moment))
    assert (ruling.snapshot_label, ruling.is_late) == ("close", late)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Evidence(label=FRIDAY), "dated 2026-07-10 by its rows"),
        (Evidence(stamp=et("2026-07-10 22:11")), "stamped 2026-07-10 22:11 ET"),
        (Evidence(newest_quote=CLOSE, newest_trade=CLOSE), "dated by its quotes, of 2026-07-10 16:00 ET"),
        (Evidence(newest_trade=CLOSE, name_date=FRIDAY), "dated by its trades, until 2026-07-10 16:00 ET"),
        (Evidence(name_date=FRIDAY), "dated 2026-07-10 by its name"),
    ],
)
def test_by_what_a_chain_is_dated(seen: Evidence, words: str) -> None:
    assert seen.in_words == words


def test_a_stamp_claims_its_day_in_new_york() -> None:
    assert Evidence(stamp=et("2026-07-10 22:11")).claimed == FRIDAY


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
            Evidence(label=dt.date(2026, 7, 11), newest_quote=et("2026-07-11 12:00")),
            "NOT_A_SESSION",
            "quotes of 2026-07-10 again",
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
