"""Planted defects: at their rates, as described, and nowhere else."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from volskew.simulate import Market, simulate_market
from volskew.simulate.defects import DEFECT_RATES, FAT_FINGER, MEANINGS, plan_days

SIDES = ["bid", "ask"]


@pytest.fixture(scope="module")
def spoiled(market: Market) -> pd.DataFrame:
    """Every line of every fourth chain beside its clean twin and its defect."""
    tables = []
    for symbol in market.symbols:
        for day in market.sessions[::4]:
            if (symbol, day) in (*market.plan.missing, *market.plan.thin):
                continue
            clean = market.clean_quotes(symbol, day)[["option_symbol", "bid", "ask", "bid_size", "ask_size"]]
            quotes, marks = market._chain(symbol, day)
            table = quotes.merge(clean, on="option_symbol", suffixes=("", "_clean"))
            kinds = dict(zip(marks["contract"], marks["defect"], strict=True))
            table["defect"] = [kinds.get(contract, "") for contract in table["option_symbol"]]
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def test_every_defect_comes_at_its_rate(market: Market, spoiled: pd.DataFrame) -> None:
    lines = len(spoiled.drop_duplicates(["quote_date", "option_symbol"]))
    marks = spoiled.drop_duplicates(["quote_date", "option_symbol"])["defect"].value_counts()
    for kind, rate in DEFECT_RATES.items():
        expected = rate * lines
        assert abs(marks[kind] - expected) < 4.5 * expected**0.5, kind  # binomial, 4.5 deviations


def test_lines_without_a_defect_are_untouched(spoiled: pd.DataFrame) -> None:
    good = spoiled[spoiled["defect"] == ""]
    assert len(good) > 0.97 * len(spoiled)
    for column in ("bid", "ask", "bid_size", "ask_size"):
        assert (good[column] == good[f"{column}_clean"]).all()
    assert not good.duplicated(["quote_date", "option_symbol"]).any()


def test_each_defect_does_what_it_says(spoiled: pd.DataFrame) -> None:
    by_kind = dict(iter(spoiled.groupby("defect")))
    assert set(by_kind) == {"", *DEFECT_RATES}
    assert (by_kind["zero_bid"][["bid", "bid_size"]] == 0.0).all(axis=None)
    assert by_kind["missing_ask"]["ask"].isna().all()
    crossed = by_kind["crossed"]
    assert (crossed["bid"] == crossed["ask_clean"]).all()
    assert (crossed["bid"] > crossed["ask"]).all()
    assert (by_kind["locked"]["bid"] == by_kind["locked"]["ask"]).all()
    fat = by_kind["fat_finger"]
    ratio = fat["bid"] / fat["bid_clean"]
    assert ((ratio - 1.0).abs() - FAT_FINGER).abs().max() < 0.02  # cents on a bid of cents
    assert (ratio > 1.0).any()
    assert (ratio < 1.0).any()
    twice = by_kind["duplicate"].groupby(["quote_date", "option_symbol"])[SIDES].nunique()
    assert (twice == 1).all(axis=None)
    conflicting = by_kind["conflicting_duplicate"].groupby(["quote_date", "option_symbol"])[SIDES].nunique()
    assert (conflicting == 2).all(axis=None)
    for kind in ("duplicate", "conflicting_duplicate"):
        assert (by_kind[kind].groupby(["quote_date", "option_symbol"]).size() == 2).all()


def test_stale_lines_are_the_session_before(market: Market, spoiled: pd.DataFrame) -> None:
    stale = spoiled[spoiled["defect"] == "stale"]
    for date, symbol, contract, bid, ask, size in zip(
        *(stale[name] for name in ("quote_date", "symbol", "option_symbol", "bid", "ask", "bid_size")),
        strict=True,
    ):
        place = market.sessions.index(dt.date.fromisoformat(date))
        before = market.clean_quotes(symbol, market.sessions[place - 1]).set_index("option_symbol")
        assert before.loc[contract, ["bid", "ask", "bid_size"]].tolist() == [bid, ask, size]
    assert (stale["bid"] != stale["bid_clean"]).mean() > 0.9


def test_whole_files(market: Market) -> None:
    (missing,), (repeated,), (thin,) = market.plan.missing, market.plan.repeated, market.plan.thin
    assert missing not in market.files
    assert market.quotes(*thin).groupby("expiration")["strike"].nunique().max() == 3
    symbol, holiday = repeated
    assert holiday not in market.sessions
    before = max(day for day in market.sessions if day < holiday)
    copy, original = market.quotes(symbol, holiday), market.quotes(symbol, before)
    assert set(copy["quote_date"]) == {holiday.isoformat()}
    pd.testing.assert_frame_equal(copy.drop(columns="quote_date"), original.drop(columns="quote_date"))
    for kind, file in (("repeated_file", repeated), ("thin_file", thin)):
        marks = market._chain(*file)[1]
        assert marks[["date", "defect", "contract"]].to_numpy().tolist() == [[file[1].isoformat(), kind, ""]]
    # never in the last weeks, and no two on one session
    assert max(missing[1], holiday, thin[1]) < market.sessions[-25]
    assert len({missing[1], before, thin[1]}) == 3


def test_short_markets_have_no_bad_days_and_clean_ones_no_defects() -> None:
    short = simulate_market(sessions=8, history_years=0)
    assert plan_days(list(short.sessions)) == short.plan
    assert not (short.defects["contract"] == "").any()
    clean = simulate_market(sessions=8, history_years=0, scenario="clean")
    assert clean.defects.empty
    day = clean.sessions[3]
    columns = list(clean.quotes("QQQ", day).columns)
    pd.testing.assert_frame_equal(clean.quotes("QQQ", day), clean.clean_quotes("QQQ", day)[columns])


def test_every_defect_is_explained() -> None:
    assert set(DEFECT_RATES) < set(MEANINGS)
