from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import permutations

import pandas as pd
import pytest

from volskew.market.clock import session_close
from volskew.quotes.schema import conform
from volskew.quotes.sessions import Snapshot, fingerprint, resolve_repeats

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2026, 7, day) for day in (13, 14, 15))


def snapshot(
    session: dt.date, *, symbol: str = "QQQ", label: dt.date | None = None, minutes: int | None = None,
    lines: int = 10, source: str = "a.csv", series: str = "close",
) -> Snapshot:  # fmt: skip
    close = session_close(session)
    evidence = None if minutes is None else close + pd.Timedelta(minutes=minutes)
    return Snapshot(symbol, label or session, session, close, series, evidence, "", source, lines)


def test_a_session_equal_to_the_one_before_is_a_repeat_even_of_a_repeat() -> None:
    monday, tuesday, wednesday = (snapshot(day) for day in (MONDAY, TUESDAY, WEDNESDAY))
    for order in permutations([(monday, "x"), (tuesday, "x"), (wednesday, "x")]):
        found = resolve_repeats(order)
        assert found.days == (monday,)
        assert [(entry.date, entry.code, entry.count) for entry in found.entries] == [
            (TUESDAY, "STALE_REPEAT", 10),
            (WEDNESDAY, "STALE_REPEAT", 10),
        ]


def test_a_repeat_is_one_of_the_last_session_there_is_within_a_week() -> None:
    found = resolve_repeats([(snapshot(WEDNESDAY), "x"), (snapshot(MONDAY), "x")])
    assert [(entry.date, entry.code) for entry in found.entries] == [(WEDNESDAY, "STALE_REPEAT")]
    assert "2026-07-13" in found.entries[0].detail
    between = [(snapshot(MONDAY), "x"), (snapshot(TUESDAY), "y"), (snapshot(WEDNESDAY), "x")]
    assert resolve_repeats(between).entries == ()
    last, beyond = dt.date(2026, 7, 20), dt.date(2026, 7, 21)  # five and six sessions after
    assert resolve_repeats([(snapshot(MONDAY), "x"), (snapshot(last), "x")]).days == (snapshot(MONDAY),)
    assert len(resolve_repeats([(snapshot(MONDAY), "x"), (snapshot(beyond), "x")]).days) == 2
    other = [(snapshot(MONDAY), "x"), (snapshot(TUESDAY, symbol="IWM"), "x")]
    assert len(resolve_repeats(other).days) == 2


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (snapshot(MONDAY, minutes=-1, source="z"), snapshot(MONDAY, minutes=-2, lines=99)),
        (snapshot(MONDAY, minutes=-2, source="z"), snapshot(MONDAY, lines=99)),
        (snapshot(MONDAY, source="z"), snapshot(MONDAY, label=TUESDAY, lines=99)),
        (snapshot(MONDAY, lines=11, source="z"), snapshot(MONDAY, lines=10)),
        (snapshot(MONDAY, source="a"), snapshot(MONDAY, source="b")),
        (snapshot(MONDAY, minutes=0, source="z"), replace(snapshot(MONDAY, minutes=15), is_late=True)),
    ],
)
def test_which_of_two_snapshots_of_a_session_stays(better: Snapshot, worse: Snapshot) -> None:
    for order in ([(better, "x"), (worse, "y")], [(worse, "y"), (better, "x")]):
        found = resolve_repeats(order)
        assert found.days == (better,)
        assert [(entry.code, entry.count, entry.source) for entry in found.entries] == [
            ("SUPERSEDED", worse.lines, worse.source)
        ]


@pytest.mark.parametrize(
    ("best", "loser", "why"),
    [
        (
            snapshot(MONDAY, minutes=0),
            replace(snapshot(MONDAY, minutes=15), is_late=True),
            "its time is the close, this one's is after it (2026-07-13 16:15:00 ET)",
        ),
        (
            snapshot(MONDAY, minutes=-1),
            snapshot(MONDAY),
            "its quotes or trades are later (2026-07-13 15:59:00 ET, here no times)",
        ),
        (snapshot(MONDAY), snapshot(MONDAY, label=TUESDAY), "its date is that of the session"),
        (snapshot(MONDAY, lines=11), snapshot(MONDAY), "it has more lines (11, here 10)"),
        (snapshot(MONDAY), snapshot(MONDAY, source="b.csv"), "and its name comes first"),
    ],
)
def test_the_ledger_says_which_rule_decided(best: Snapshot, loser: Snapshot, why: str) -> None:
    best, loser = (
        replace(item, dated_by=words)
        for item, words in ((best, "stamped 2026-07-13 22:11 ET"), (loser, "dated by its trades"))
    )
    (entry,) = resolve_repeats([(best, "x"), (loser, "y")]).entries
    assert entry.detail.startswith("dated by its trades: ")
    assert "stays, stamped 2026-07-13 22:11 ET, for " in entry.detail
    assert entry.detail.endswith(why)


def test_other_series_do_not_compete() -> None:
    pair = [(snapshot(MONDAY), "x"), (snapshot(MONDAY, series="15:45"), "x")]
    assert len(resolve_repeats(pair).days) == 2


def quotes(**changes: list[object]) -> pd.DataFrame:
    columns: dict[str, list[object]] = {
        "snapshot_time": [session_close(MONDAY)] * 3,
        "symbol": ["QQQ"] * 3,
        "root": ["QQQ", "QQQ", "QQQ1"],
        "expiry": [session_close(dt.date(2026, 10, 16))] * 3,
        "settlement": ["PM"] * 3,
        "exercise": ["american"] * 3,
        "strike": [500.0, 510.0, 500.0],
        "is_call": [True, False, None],
        "bid": [1.0, 2.0, None],
        "ask": [1.1, 2.1, 3.0],
        "last": [None, None, None],
        "volume": [0.0, 5.0, None],
        "open_interest": [1.0, 2.0, 3.0],
        "source_file": ["a"] * 3,
        "source_row": [2, 3, 4],
    }
    return conform(pd.DataFrame(columns | changes))


def test_a_fingerprint_is_of_the_content_and_not_of_its_order_or_place() -> None:
    base = fingerprint(quotes())
    assert base == fingerprint(quotes().iloc[[2, 0, 1]])
    assert base == fingerprint(
        quotes(source_row=[7, 8, 9], source_file=["b"] * 3, open_interest=[9.0, 9.0, 9.0])
    )
    assert base == fingerprint(quotes(bid=[1.0, 2.0, float("nan")]))
    # a repeated chain may have its volume reset and trades from elsewhere
    assert base == fingerprint(quotes(volume=[None] * 3, last=[1.0, 2.0, 3.0]))
    unquoted: dict[str, list[object]] = {"bid": [None] * 3, "ask": [0.0] * 3}
    vols = [fingerprint(quotes(**unquoted, vendor_vol=[0.2, 0.3, vol])) for vol in (0.4, 0.5)]
    assert vols[0] != vols[1]
    assert len(base) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"bid": [1.01, 2.0, None]},
        {"bid": [2.0, 1.0, None]},  # the same numbers on other lines
        {"ask": [1.1, 2.1, None]},
        {"root": ["QQQ", "QQQ", "QQQ"]},
        {"is_call": [True, False, False]},
        {"strike": [500.0, 510.0, 505.0]},
    ],
)
def test_any_change_of_content_changes_the_fingerprint(change: dict[str, list[object]]) -> None:
    assert fingerprint(quotes(**change)) != fingerprint(quotes())


def test_a_fingerprint_is_the_same_on_every_machine() -> None:
    # Stored with readings, so it must never move; regenerate only with a method change.
    assert fingerprint(quotes().iloc[:0]) == "e3b0c44298fc1c149afbf4c8996fb924"  # sha256 of nothing
    assert fingerprint(quotes()) == "3dd14a169d0ec26267ce3ad436cba124"
