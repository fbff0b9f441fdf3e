"""What is known of dividends on a day, and what is expected."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volskew.errors import InputError
from volskew.ledger import Code, is_failure
from volskew.market import is_session, next_session, session_close
from volskew.market.dividendfile import parse_dividends
from volskew.market.dividends import (
    Dividend,
    DividendTable,
    Outlook,
    choose_dividends,
    read_dividends,
)
from volskew.settings import Settings

DAYS = dt.timedelta(days=1)
QUARTERLY = [
    *(("2024-03-18", 0.60), ("2024-06-24", 0.61), ("2024-09-23", 0.62), ("2024-12-23", 0.63)),
    *(("2025-03-24", 0.70), ("2025-06-23", 0.71), ("2025-09-22", 0.72), ("2025-12-22", 0.73)),
]
"""Ex-dates as an ETF has them, on the Mondays after the third Friday; the amounts are invented."""


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def table(*rows: Sequence[Any], head: str = "ex_date,amount,declared,type") -> DividendTable:
    width = head.count(",") + 1
    lines = [",".join([*map(str, row), *[""] * (width - len(row))]) for row in rows]
    text = "\n".join([head, *lines])
    return DividendTable(parse_dividends(text, source="a.csv", symbol="QQQ"), (("a.csv", ("QQQ",)),))


def expected(dividends: Sequence[Dividend] | None) -> list[tuple[str, float, bool]]:
    assert dividends is not None
    return [(item.ex_date.isoformat(), item.amount, item.is_projected) for item in dividends]


def test_the_last_four_come_again_fifty_two_weeks_later() -> None:
    schedule = table(*QUARTERLY).schedule("QQQ", day("2026-01-05"), day("2027-03-31"))
    assert expected(schedule) == [
        ("2026-03-23", 0.70, True),
        ("2026-06-22", 0.71, True),
        ("2026-09-21", 0.72, True),
        ("2026-12-21", 0.73, True),
        ("2027-03-22", 0.70, True),
    ]


@pytest.mark.parametrize(
    ("on", "until", "first", "last"),
    [
        ("2025-12-19", "2026-03-22", "2025-12-22", "2025-12-22"),
        ("2025-12-22", "2026-03-23", "2026-03-23", "2026-03-23"),  # both ends: after on, up to until
        ("2025-12-21", "2025-12-22", "2025-12-22", "2025-12-22"),
    ],
)
def test_the_bounds_of_a_schedule(on: str, until: str, first: str, last: str) -> None:
    schedule = expected(table(*QUARTERLY[:7], ("2025-12-22", 0.73)).schedule("QQQ", day(on), day(until)))
    assert (schedule[0][0], schedule[-1][0]) == (first, last)


def test_bounds_that_hold_nothing_give_an_empty_schedule() -> None:
    known = table(*QUARTERLY)
    for until in ("2026-01-05", "2025-01-01", "2026-03-22"):
        assert known.schedule("QQQ", day("2026-01-05"), day(until)) == ()


def test_a_projected_date_without_a_session_moves_to_the_next() -> None:
    # 52 weeks after 2025-06-20 is Juneteenth, a Friday; after 2025-12-26 Christmas
    known = table(("2024-06-21", 0.5), ("2024-12-27", 0.6), ("2025-06-20", 0.7), ("2025-12-26", 0.8))
    assert expected(known.schedule("QQQ", day("2026-01-05"), day("2027-01-31"))) == [
        ("2026-06-22", 0.7, True),
        ("2026-12-28", 0.8, True),
    ]


def test_a_declared_dividend_is_known_from_its_declaration_on() -> None:
    known = table(*QUARTERLY, ("2026-03-16", 0.9, "2026-03-02"))
    before = known.schedule("QQQ", day("2026-02-27"), day("2026-07-01"))
    assert expected(before) == [("2026-03-23", 0.70, True), ("2026-06-22", 0.71, True)]
    for on in ("2026-03-02", "2026-03-13"):
        after = known.schedule("QQQ", day(on), day("2026-07-01"))
        assert expected(after) == [("2026-03-16", 0.9, False), ("2026-06-22", 0.71, True)]


def test_a_dividend_that_went_ex_early_is_not_expected_again() -> None:
    known = table(*QUARTERLY, ("2026-03-16", 0.9))
    schedule = known.schedule("QQQ", day("2026-03-16"), day("2028-04-01"))
    assert expected(schedule)[0] == ("2026-06-22", 0.71, True)
    assert [item for item in expected(schedule) if item[0][5:7] == "03"] == [
        ("2027-03-15", 0.9, True),  # and not also on 2027-03-22, two years after 2025-03-24
        ("2028-03-13", 0.9, True),
    ]
    assert len(expected(schedule)) == 8


def test_a_declared_dividend_replaces_one_projection_and_the_nearest() -> None:
    monthly = [(f"{2025 + month // 12}-{month % 12 + 1:02d}-03", (100 + month) / 1000) for month in range(18)]
    known = table(*monthly, ("2026-07-06", 0.5, "2026-06-05"), ("2026-08-20", 0.6, "2026-06-05"))
    schedule = expected(known.schedule("QQQ", day("2026-06-05"), day("2026-10-15")))
    # 2025-07-03, -08-03, -09-03, -10-03 moved on: 07-02, 08-03 (from a Sunday), 09-02, 10-02
    assert schedule == [
        ("2026-07-06", 0.5, False),
        ("2026-08-03", 0.107, True),
        ("2026-08-20", 0.6, False),
        ("2026-10-02", 0.109, True),
    ]


def test_a_declared_dividend_after_the_last_date_replaces_none_before_it() -> None:
    monthly = [(f"{2025 + month // 12}-{month % 12 + 1:02d}-03", 0.1) for month in range(17)]
    known = table(*monthly, ("2026-07-06", 0.5, "2026-05-11"))
    assert expected(known.schedule("QQQ", day("2026-05-20"), day("2026-07-01"))) == [
        ("2026-06-02", 0.1, True)
    ]


def test_a_declared_dividend_far_from_any_projection_comes_beside_them() -> None:
    annual = [("2024-03-18", 1.0), ("2025-03-17", 1.1)]
    known = table(*annual, ("2025-10-06", 0.4, "2025-09-01"))
    assert expected(known.schedule("QQQ", day("2025-09-02"), day("2026-04-01"))) == [
        ("2025-10-06", 0.4, False),
        ("2026-03-16", 1.1, True),
    ]


def test_special_dividends_are_facts_and_never_expected_again() -> None:
    special = ("2025-12-22", 2.5, "2025-12-01", "Special")
    known = table(*QUARTERLY, special, ("2026-03-23", 3.0, "2026-01-02", "Special"))
    assert expected(known.schedule("QQQ", day("2026-01-05"), day("2026-12-31"))) == [
        ("2026-03-23", 3.0, False),
        ("2026-03-23", 0.70, True),  # a special one does not stand for the regular one
        ("2026-06-22", 0.71, True),
        ("2026-09-21", 0.72, True),
        ("2026-12-21", 0.73, True),
    ]
    both = known.schedule("QQQ", day("2025-12-19"), day("2025-12-31"))
    assert expected(both) == [("2025-12-22", 2.5, False), ("2025-12-22", 0.63, True)]


def test_facts_of_one_ex_date_are_one_dividend() -> None:
    pair = [("2026-03-23", 0.9, "2026-03-02", "Cash"), ("2026-03-23", 3.0, "2026-03-02", "Special")]
    schedule = table(*QUARTERLY, *pair).schedule("QQQ", day("2026-03-02"), day("2026-04-01"))
    assert expected(schedule) == [("2026-03-23", 3.9, False)]


# --- where nothing is known -------------------------------------------------------------------------------


def reason(outlook: Outlook) -> str:
    assert outlook.dividends is None
    assert outlook.detail
    assert not is_failure(outlook.code)
    return outlook.code


def test_a_symbol_that_no_file_names() -> None:
    outlook = table(*QUARTERLY).outlook("IWM", day("2026-01-05"), day("2026-06-01"))
    assert reason(outlook) == Code.DIVIDENDS_MISSING
    assert "IWM" in outlook.detail
    assert table(*QUARTERLY).schedule("qqq", day("2026-01-05"), day("2026-06-01"))


def test_a_file_must_reach_back_fifty_two_weeks() -> None:
    known = table(*QUARTERLY)
    first = day(QUARTERLY[0][0])
    outlook = known.outlook("QQQ", first + 363 * DAYS, day("2026-01-01"))
    assert reason(outlook) == Code.DIVIDENDS_EARLY
    assert "2024-03-18" in outlook.detail
    assert known.schedule("QQQ", first + 364 * DAYS, day("2026-01-01")) is not None
    assert reason(known.outlook("QQQ", day("2020-01-02"), day("2021-01-01"))) == Code.DIVIDENDS_EARLY


@pytest.mark.parametrize(
    ("rows", "last_good"),
    [
        (QUARTERLY, "2026-05-07"),  # 91 and 45 days after the last
        (QUARTERLY[:5], "2025-08-14"),  # 98 and 45 days
        ([("2023-03-20", 1.0), ("2023-09-18", 1.0), ("2024-03-18", 1.0)], "2024-10-31"),  # 182 and 45
        ([("2023-03-20", 1.0), ("2024-03-18", 1.0)], "2025-03-16"),  # yearly: 52 weeks
    ],
    ids=["quarterly", "once late", "half-yearly", "yearly"],
)
def test_a_file_that_ends_before_the_day_is_not_believed(
    rows: list[tuple[str, float]], last_good: str
) -> None:
    known = table(*rows)
    on = day(last_good)
    assert known.schedule("QQQ", on, on + 400 * DAYS) is not None
    assert reason(known.outlook("QQQ", on + DAYS, on + 400 * DAYS)) == Code.DIVIDENDS_STALE
    assert reason(known.outlook("QQQ", on + 3000 * DAYS, on + 3400 * DAYS)) == Code.DIVIDENDS_STALE


def history(start: str, end: str, paid: dict[str, float] | None = None) -> DividendTable:
    rows = [
        (stamp.date(), 100, (paid or {}).get(stamp.date().isoformat(), 0.0))
        for stamp in pd.bdate_range(start, end)
    ]
    return table(*rows, head="Date,Close,Dividends")


def test_a_price_history_shows_that_a_dividend_was_cut() -> None:
    known = history("2023-01-02", "2026-06-30", dict(QUARTERLY[:6]))
    cut = known.schedule("QQQ", day("2026-03-02"), day("2026-12-31"))
    assert expected(cut) == [("2026-03-23", 0.70, True), ("2026-06-22", 0.71, True)]
    assert known.schedule("QQQ", day("2026-07-01"), day("2027-06-30")) == ()
    # beyond its own end it shows nothing
    assert known.schedule("QQQ", day("2026-08-14"), day("2027-06-30")) == ()
    assert reason(known.outlook("QQQ", day("2026-08-15"), day("2027-06-30"))) == Code.DIVIDENDS_STALE


def test_a_price_history_of_zeros_says_that_none_are_paid() -> None:
    known = history("2024-01-02", "2026-06-30")
    assert known.schedule("QQQ", day("2025-01-02"), day("2026-01-02")) == ()
    assert known.schedule("QQQ", day("2027-06-28"), day("2028-01-02")) == ()
    assert reason(known.outlook("QQQ", day("2024-12-30"), day("2026-01-02"))) == Code.DIVIDENDS_EARLY
    stale = known.outlook("QQQ", day("2027-06-29"), day("2028-01-02"))
    assert reason(stale) == Code.DIVIDENDS_STALE
    assert "2026-06-30" in stale.detail


def test_a_file_without_rows_says_that_none_are_ever_paid() -> None:
    known = table()
    for on in ("1990-01-02", "2026-01-05", "2044-01-04"):
        assert known.schedule("QQQ", day(on), day(on) + 365 * DAYS) == ()


def test_a_list_of_events_needs_no_row_every_day() -> None:
    """Splits and dividends alone: the list of a payer that began late reaches back to its first split."""
    known = table(
        ("2022-07-18", 0, 20),
        ("2024-06-10", 0.2, 0),
        ("2024-09-09", 0.2, 0),
        head="Date,Dividends,Stock Splits",
    )
    assert known.schedule("QQQ", day("2024-01-02"), day("2025-01-02")) == ()
    assert expected(known.schedule("QQQ", day("2024-10-01"), day("2025-12-31"))) == [
        ("2025-06-09", 0.2, True),
        ("2025-09-08", 0.2, True),
    ]


def test_dates_beyond_the_calendar() -> None:
    rows = [(f"{year}-{month:02d}-15", 0.5) for year in range(2040, 2046) for month in (3, 6, 9, 12)]
    schedule = table(*rows).schedule("QQQ", day("2045-03-20"), dt.date.max)
    assert [item[0] for item in expected(schedule)] == ["2045-06-14", "2045-09-14", "2045-12-14"]
    with pytest.raises(InputError, match="a date is wanted"):
        table(*rows).schedule("QQQ", session_close(day("2026-01-05")), day("2027-01-01"))


# --- properties -------------------------------------------------------------------------------------------

_START = day("2022-01-03")
_ons = st.integers(0, 1200).map(lambda n: _START + n * DAYS)
_amounts = st.integers(1, 400).map(lambda n: n / 100)
_kinds = st.sampled_from(["Cash", "Cash", "Cash", "Special"])
_gaps = st.one_of(st.none(), st.integers(-5, 200))


@st.composite
def payments(draw: Callable[..., Any]) -> list[tuple[dt.date, float, dt.date | None, str]]:
    """A payer of some regularity with jitter, specials, and declarations before (or after) some ex-dates."""
    step = draw(st.sampled_from([30, 91, 182, 364]))
    count = draw(st.integers(0, 2200 // step))
    hole = draw(st.integers(300, 1200))
    width = draw(st.sampled_from([0, 0, 200, 500]))
    rows = []
    for number in range(count):
        if hole <= number * step < hole + width:
            continue  # the file ends, or a file is missing
        ex_date = _START + (number * step + draw(st.integers(-10, 10))) * DAYS
        gap = draw(_gaps)
        declared = None if gap is None else ex_date - gap * DAYS
        rows.append((ex_date, draw(_amounts), declared, draw(_kinds)))
    return rows


def listed(rows: Sequence[tuple[Any, ...]], head: str = "ex_date,amount,declared,type") -> DividendTable:
    return table(*(["" if cell is None else cell for cell in row] for row in rows), head=head)


def read(known: DividendTable, on: dt.date) -> list[Outlook]:
    return [known.outlook("QQQ", on, on + span * DAYS) for span in (30, 200, 900)]


@given(rows=payments(), later=payments(), on=_ons)
def test_rows_that_were_not_known_change_nothing(rows: list[Any], later: list[Any], on: dt.date) -> None:
    """No look-ahead, bit for bit: later ex-dates without a declaration, or declared after the day."""
    known = [row for row in rows if row[0] <= on or (row[2] is not None and row[2] <= on)]
    unknown = [row for row in [*rows, *later] if row[0] > on and (row[2] is None or row[2] > on)]
    if not known:
        # a file that holds nothing is the statement that nothing is paid: the other file then comes beside it
        statement = listed([])
        whole = statement.merged(listed(unknown)) if unknown else statement
        assert read(whole, on) == read(statement, on)
        return
    base = listed(known)
    expected_outlooks = read(base, on)
    assert read(listed([*known, *unknown]), on) == expected_outlooks
    assert read(listed([*known, *unknown[:1]]), on) == expected_outlooks
    # another file may not contradict the known ones, so it brings other dates
    others = [row for row in unknown if row[0] not in {ex_date for ex_date, *_ in known}]
    if others:
        assert read(base.merged(listed(others)), on) == expected_outlooks


@given(data=st.data(), on=st.integers(0, 700).map(lambda n: day("2024-06-03") + n * DAYS))
def test_later_rows_of_a_price_history_change_nothing(data: st.DataObject, on: dt.date) -> None:
    days = [stamp.date() for stamp in pd.bdate_range("2023-01-02", "2026-12-31", freq="7D")]
    paid = data.draw(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.5]), min_size=len(days), max_size=len(days)))
    rows = [(date, 100, amount) for date, amount in zip(days, paid, strict=True)]
    head = "Date,Close,Dividends"
    known = [row for row in rows if row[0] <= on]
    assert read(listed(rows, head), on) == read(listed(known, head), on)


def test_a_stale_file_is_stale_whatever_comes_after_the_day() -> None:
    on = day("2026-06-01")
    later = ("2026-06-22", 0.71), ("2026-09-21", 0.72), ("2026-12-21", 0.73)
    assert reason(table(*QUARTERLY).outlook("QQQ", on, on)) == Code.DIVIDENDS_STALE
    assert read(table(*QUARTERLY, *later), on) == read(table(*QUARTERLY), on)


@pytest.mark.parametrize("paid", [{}, dict(QUARTERLY)])
def test_a_price_history_with_a_hole_is_no_better_for_what_follows(paid: dict[str, float]) -> None:
    whole = history("2024-01-02", "2025-12-31", paid), history("2028-01-03", "2028-12-29")
    for on in (day("2026-06-01"), day("2027-06-01")):
        assert read(whole[0].merged(whole[1]), on) == read(whole[0], on)
    assert reason(whole[0].outlook("QQQ", day("2027-06-01"), day("2028-06-01"))) == Code.DIVIDENDS_STALE


def test_the_property_bites() -> None:
    """A declaration on the day itself does change the schedule: the property above is not empty."""
    on = day("2026-03-02")
    plain, told = table(*QUARTERLY), table(*QUARTERLY, ("2026-03-16", 0.9, "2026-03-02"))
    assert read(plain, on) != read(told, on)


@given(rows=payments(), on=_ons, spans=st.tuples(st.integers(0, 900), st.integers(0, 900)))
def test_what_every_schedule_keeps(rows: list[Any], on: dt.date, spans: tuple[int, int]) -> None:
    known = listed(rows)
    short, long = (on + span * DAYS for span in sorted(spans))
    schedule = known.schedule("QQQ", on, long)
    assert (schedule is None) == (known.schedule("QQQ", on, short) is None)
    if schedule is None:
        return
    # a nearer expiry has the beginning of the same schedule
    assert known.schedule("QQQ", on, short) == tuple(item for item in schedule if item.ex_date <= short)
    assert all(on < item.ex_date <= long for item in schedule)
    assert [item.ex_date for item in schedule] == sorted(item.ex_date for item in schedule)
    regular = {row[1] for row in rows if row[3] == "Cash"}
    cash: dict[dt.date, list[float]] = {}
    for row in rows:
        cash.setdefault(row[0], []).append(row[1])
    for item in schedule:
        if item.is_projected:
            assert is_session(item.ex_date)
            # amounts are those of the file, or sums of two that share an ex-date
            assert item.amount in regular | {math.fsum(parts) for parts in cash.values()}
        else:
            assert item.ex_date in cash
    facts = [item.ex_date for item in schedule if not item.is_projected]
    assert len(facts) == len(set(facts))
    assert known.schedule("QQQ", on, long) == listed(rows[::-1]).schedule("QQQ", on, long)


@given(
    start=st.integers(0, 90),
    amounts=st.lists(_amounts, min_size=16, max_size=16),
    on=st.integers(370, 1300),
    span=st.integers(1, 900),
)
def test_a_regular_payer_against_a_plain_reckoning(
    start: int, amounts: list[float], on: int, span: int
) -> None:
    """Quarters of 91 days to the day, nothing declared: every quarter comes, with last year's amount."""
    ex_days = [start + 91 * number for number in range(16)]
    rows = [(_START + n * DAYS, amount) for n, amount in zip(ex_days, amounts, strict=True)]
    if on - start < 364:
        return
    wanted = []
    paid = [number for number, n in enumerate(ex_days) if n <= on]
    for ahead in itertools.count(1):
        n = ex_days[paid[-1]] + 91 * ahead
        if n > on + span:
            break
        number = paid[-1] + ahead
        while number > paid[-1]:
            number -= 4
        date = _START + n * DAYS
        moved = date if is_session(date) else next_session(date)
        if moved <= _START + (on + span) * DAYS:
            wanted.append(Dividend(moved, amounts[number], is_projected=True))
    schedule = listed(rows, "ex_date,amount").schedule("QQQ", _START + on * DAYS, _START + (on + span) * DAYS)
    assert schedule == tuple(wanted)


# --- the choice -------------------------------------------------------------------------------------------


def test_the_choice_reaches_to_the_last_expiry(tmp_path: Path) -> None:
    path = tmp_path / "QQQ.csv"
    path.write_text("ex_date,amount\n" + "".join(f"{date},{amount}\n" for date, amount in QUARTERLY))
    on = day("2026-01-05")
    expiries = pd.Series([session_close(day("2026-03-23")), pd.NaT, session_close(day("2026-01-16"))])
    settings = Settings(dividends_files=(str(path),))
    chosen = choose_dividends("QQQ", on, expiries, settings=settings)
    assert expected(chosen.dividends) == [("2026-03-23", 0.70, True)]
    assert choose_dividends("QQQ", on, expiries, settings=Settings()) == Outlook(None)
    table_read = read_dividends(path)
    assert choose_dividends("QQQ", on, expiries, settings=Settings(), table=table_read) == chosen
    assert choose_dividends("QQQ", on, expiries[1:2], settings=settings).dividends == ()
    assert choose_dividends("IWM", on, expiries, settings=settings).code == Code.DIVIDENDS_MISSING
