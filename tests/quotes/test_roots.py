from __future__ import annotations

import datetime as dt

import pytest

from volskew.quotes.roots import canonical_symbol, is_adjusted_root, is_monthly, root_terms, settlement_of


@pytest.mark.parametrize(
    ("root", "underlying", "exercise"),
    [
        ("SPX", "SPX", "european"),
        ("SPXW", "SPX", "european"),
        ("NDXP", "NDX", "european"),
        ("RUTW", "RUT", "european"),
        ("XSP", "XSP", "european"),
        ("VIXW", "VIX", "european"),
        ("XEO", "XEO", "european"),
        ("XSPAM", "XSP", "european"),
        ("RUI", "RUI", "european"),
        ("MXEA", "MXEA", "european"),
        ("NANOS", "NANOS", "european"),
        ("OEX", "OEX", "american"),
        ("QQQ", "QQQ", "american"),
        ("QQQQ", "QQQ", "american"),
        ("QQQ1", "QQQ", "american"),
        ("2SPY", "SPY", "american"),
        ("TRUE", "TRUE", "american"),
    ],
)
def test_terms_of_roots(root: str, underlying: str, exercise: str) -> None:
    assert root_terms(root)[:2] == (underlying, exercise)


@pytest.mark.parametrize(
    ("root", "date", "settlement"),
    [
        ("SPX", dt.date(2026, 8, 21), "AM"),
        ("SPX", dt.date(2026, 8, 20), "PM"),  # a weekly under the bare name
        ("SPXW", dt.date(2026, 8, 21), "PM"),
        ("SPX", dt.date(2027, 6, 17), "AM"),  # the third Friday is Juneteenth observed
        ("SPX", dt.date(2012, 9, 22), "AM"),  # Saturday-dated monthly of before 2015
        ("NDX", dt.date(2022, 4, 14), "AM"),  # Good Friday
        ("VIX", dt.date(2026, 8, 19), "AM"),
        ("QQQ", dt.date(2026, 8, 21), "PM"),
        ("OEX", dt.date(2026, 8, 21), "PM"),
    ],
)
def test_settlement_by_root_and_date(root: str, date: dt.date, settlement: str) -> None:
    assert settlement_of(root, date) == settlement


def test_one_monthly_a_month() -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    monthlies = [day for day in days if is_monthly(day) and day.weekday() < 5]
    assert {day.month for day in monthlies} == set(range(1, 13))
    closed = dt.date(2026, 6, 19)  # the third Friday itself and the Thursday that stands for it
    assert len(monthlies) == 13
    assert closed in monthlies
    assert dt.date(2026, 6, 18) in monthlies


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("_SPX", "SPX"),
        ("^NDX", "NDX"),
        ("$rut", "RUT"),
        (".VIX", "VIX"),
        (" qqqq ", "QQQ"),
        ("NDXP", "NDX"),
        ("NA", "NA"),
        ("", ""),
    ],
)
def test_canonical_spelling(text: str, symbol: str) -> None:
    assert canonical_symbol(text) == symbol


def test_adjusted_roots_are_detectable() -> None:
    assert [root for root in ("QQQ", "QQQ1", "SPY7", "1QQQ", "SPXW", "") if is_adjusted_root(root)] == [
        "QQQ1",
        "SPY7",
        "1QQQ",
    ]
