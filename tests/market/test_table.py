"""The market row."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
import pickle
import subprocess
import sys

import pytest

from volskew.market import DiscountCurve, Dividend, MarketRow, market_row
from volskew.market.overrides import Contract, Override

DAY = dt.date(2026, 7, 10)
CURVE = DiscountCurve.flat(0.04)
SEPTEMBER = Dividend(dt.date(2026, 9, 21), 0.72, is_projected=True)
DECEMBER = Dividend(dt.date(2026, 12, 21), 0.73, is_projected=True)


def test_what_it_says_of_a_symbol() -> None:
    row = market_row(DAY, curve=CURVE, spots={"QQQ": 600.5, "IWM": 220}, previous={"QQQ": "abc"})
    assert (row.spot("QQQ"), row.spot("IWM"), row.spot("SPY")) == (600.5, 220.0, None)
    assert (row.previous_fingerprint("QQQ"), row.previous_fingerprint("IWM")) == ("abc", None)


def test_no_dividends_and_unknown_dividends_are_two_things() -> None:
    row = market_row(DAY, curve=CURVE, dividends={"QQQ": [DECEMBER, SEPTEMBER], "IWM": ()})
    assert row.dividends_of("QQQ") == (SEPTEMBER, DECEMBER)
    assert row.dividends_of("IWM") == ()
    assert row.dividends_of("SPY") is None
    assert market_row(DAY, curve=CURVE).dividends_of("QQQ") is None


def test_the_order_of_the_symbols_does_not_matter() -> None:
    one = market_row(DAY, curve=CURVE, spots={"QQQ": 600.0, "IWM": 220.0}, previous={"B": "2", "A": "1"})
    other = market_row(DAY, curve=CURVE, spots={"IWM": 220.0, "QQQ": 600.0}, previous={"A": "1", "B": "2"})
    assert one == other
    assert market_row(DAY, curve=CURVE, dividends={"B": [DECEMBER, SEPTEMBER], "A": []}) == market_row(
        DAY, curve=CURVE, dividends={"A": [], "B": [SEPTEMBER, DECEMBER]}
    )
    assert hash(one) == hash(other)
    assert one.fingerprint() == other.fingerprint()


def test_a_price_that_is_missing_is_no_price() -> None:
    assert market_row(DAY, curve=CURVE, spots={"QQQ": math.nan}) == market_row(DAY, curve=CURVE)


@pytest.mark.parametrize(
    "other",
    [
        market_row(dt.date(2026, 7, 9), curve=CURVE, spots={"QQQ": 600.0}),
        market_row(
            DAY, curve=DiscountCurve.flat(math.nextafter(0.04, 1.0), label=CURVE.label), spots={"QQQ": 600.0}
        ),
        market_row(DAY, curve=DiscountCurve.flat(0.04, flags=("RATE_ASSUMED",)), spots={"QQQ": 600.0}),
        market_row(DAY, curve=CURVE, spots={"QQQ": math.nextafter(600.0, 700.0)}),
        market_row(DAY, curve=CURVE, spots={"QQQ": 600.0, "IWM": 220.0}),
        market_row(DAY, curve=CURVE, spots={"QQQ": 600.0}, previous={"QQQ": "abc"}),
        market_row(DAY, curve=CURVE),
        market_row(DAY, curve=CURVE, spots={"QQQ": 600.0}, dividends={"QQQ": []}),
    ],
)
def test_any_change_of_content_changes_the_fingerprint(other: MarketRow) -> None:
    row = market_row(DAY, curve=CURVE, spots={"QQQ": 600.0})
    assert other.fingerprint() != row.fingerprint()
    assert other != row


def test_any_change_of_a_dividend_changes_the_fingerprint() -> None:
    every: list[dict[str, list[Dividend]]] = [
        {},
        {"QQQ": []},
        {"IWM": []},
        {"QQQ": [SEPTEMBER]},
        {"QQQ": [SEPTEMBER, DECEMBER]},
        {"QQQ": [dataclasses.replace(SEPTEMBER, is_projected=False)]},
        {"QQQ": [dataclasses.replace(SEPTEMBER, amount=math.nextafter(0.72, 1.0))]},
        {"QQQ": [dataclasses.replace(SEPTEMBER, ex_date=dt.date(2026, 9, 22))]},
    ]
    rows = [market_row(DAY, curve=CURVE, dividends=dividends) for dividends in every]
    assert len({row.fingerprint() for row in rows}) == len(rows)


def test_it_survives_pickling() -> None:
    row = market_row(
        DAY, curve=CURVE, spots={"QQQ": 600.0}, previous={"QQQ": "abc"}, dividends={"QQQ": [SEPTEMBER]}
    )
    copy = pickle.loads(pickle.dumps(row))  # noqa: S301 - made on the line itself
    assert copy == row
    assert copy.fingerprint() == row.fingerprint()


@pytest.mark.slow
def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "import datetime as dt; from volskew.market import DiscountCurve, market_row;"
        "print(market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(0.04), spots={'QQQ': 600.0,"
        " 'IWM': 220.0}).fingerprint())"
    )
    here = market_row(DAY, curve=CURVE, spots={"QQQ": 600.0, "IWM": 220.0}).fingerprint()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here
    assert len(here) == 32


BUST = Override(DAY, "QQQ", "bust", Contract(dt.date(2026, 9, 18), 480.0, is_call=True), "a.csv", 2)


def test_a_row_keeps_the_overrides_of_its_date_about_quotes() -> None:
    other = dataclasses.replace(BUST, symbol="IWM")
    late, reading = (
        dataclasses.replace(BUST, date=dt.date(2026, 7, 9)),
        dataclasses.replace(BUST, contract=None),
    )
    row = market_row(DAY, curve=CURVE, overrides=[BUST, other, late, reading, BUST])
    assert row.overrides == (other, BUST)
    assert row.overrides_of("QQQ") == (BUST,)
    assert market_row(DAY, curve=CURVE, overrides=iter([other, BUST])) == row


def test_overrides_change_the_fingerprint_and_their_place_does_not() -> None:
    plain, row = market_row(DAY, curve=CURVE), market_row(DAY, curve=CURVE, overrides=[BUST])
    moved = dataclasses.replace(BUST, source="b.csv", row=7)
    assert market_row(DAY, curve=CURVE, overrides=[moved]).fingerprint() == row.fingerprint()
    prints = {plain.fingerprint(), row.fingerprint()}
    contract = BUST.contract
    assert contract is not None
    for changed in (
        dataclasses.replace(BUST, reason="halted"),
        dataclasses.replace(BUST, symbol="IWM"),
        *(
            dataclasses.replace(BUST, contract=other)
            for other in (
                dataclasses.replace(contract, strike=481.0),
                dataclasses.replace(contract, is_call=False),
                dataclasses.replace(contract, root="QQQ"),
                dataclasses.replace(contract, expiry=DAY),
            )
        ),
    ):
        prints.add(market_row(DAY, curve=CURVE, overrides=[changed]).fingerprint())
    assert len(prints) == 8


def test_without_overrides_the_fingerprint_is_that_of_rows_before_there_were_any() -> None:
    # the hash of the content without the key, computed here
    content = {"date": "2026-07-10", "curve": CURVE.content(), "spots": [], "previous": [], "dividends": []}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert market_row(DAY, curve=CURVE).fingerprint() == hashlib.sha256(text.encode()).hexdigest()[:32]
