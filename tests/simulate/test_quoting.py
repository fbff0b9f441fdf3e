"""Clean quotes against the prices they stand around, and against what was measured on real chains."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest

from volskew.simulate import Market
from volskew.simulate.funds import FUNDS, SPREAD_DELTAS
from volskew.simulate.quoting import MID_NOISE, expiry_truth

SYMBOLS = ("QQQ", "IWM")
QUARTER_ENDS = ("2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30")


@pytest.fixture(scope="module")
def clean(demo: Market) -> pd.DataFrame:
    days = demo.sessions[::25]
    table = pd.concat([demo.clean_quotes(symbol, day) for day in days for symbol in SYMBOLS])
    return table.assign(half=(table["ask"] - table["bid"]) / 2).reset_index(drop=True)


def test_the_true_price_lies_between_bid_and_ask(clean: pd.DataFrame) -> None:
    assert (clean["bid"] <= clean["price"]).all()
    assert (clean["ask"] >= clean["price"]).all()
    assert (clean["bid"] > 0.0).all()
    assert (clean["ask"] > clean["bid"]).all()


def test_prices_are_whole_cents(clean: pd.DataFrame) -> None:
    for column in ("bid", "ask", "last", "underlying_price"):
        cents = clean[column].dropna() * 100.0
        assert np.allclose(cents, cents.round(), rtol=0.0, atol=1e-7)


def test_mids_less_their_premiums_keep_put_call_parity_within_pennies_and_their_noise(
    demo: Market, clean: pd.DataFrame
) -> None:
    truth = pd.concat(
        expiry_truth(
            fund,
            demo._state(fund.symbol, dt.date.fromisoformat(day)),
            dividends=demo.expected_dividends(fund.symbol, dt.date.fromisoformat(day)),
        )
        for fund in FUNDS
        for day in clean["quote_date"].unique()
    ).rename(columns={"date": "quote_date"})
    pairs = clean.pivot_table(
        index=["quote_date", "symbol", "expiration", "strike"],
        columns="right",
        values=["bid", "ask", "half", "premium"],
    ).dropna()
    mids = (pairs["bid"] + pairs["ask"]) / 2 - pairs["premium"]
    facts = truth.set_index(["quote_date", "symbol", "expiration"])[["forward", "discount_factor"]]
    names = ["quote_date", "symbol", "expiration"]
    keys = zip(*(pairs.index.get_level_values(name) for name in names), strict=True)
    facts = facts.reindex(pd.MultiIndex.from_tuples(list(keys)))
    strikes = pairs.index.get_level_values("strike")
    carried = facts["discount_factor"].to_numpy() * (facts["forward"].to_numpy() - strikes)
    gap = np.abs((mids["call"] - mids["put"]).to_numpy() - carried)
    # half a penny of rounding each, and the stated displacement of each mid
    allowed = 0.01 + MID_NOISE * (pairs["half"]["call"] + pairs["half"]["put"]).to_numpy() + 1e-8
    assert len(gap) > 3000
    assert (gap <= allowed).all()


def test_options_are_worth_their_exercise_value_or_more_and_quotes_stand_around_it(
    clean: pd.DataFrame,
) -> None:
    sign = np.where(clean["right"] == "call", 1.0, -1.0)
    exercise = sign * (clean["underlying_price"] - clean["strike"])
    assert (clean["price"] >= exercise).all()
    assert (clean["ask"] >= exercise).all()
    at_once = clean["price"] == exercise
    # deep puts that their holder would exercise now, some of them bid below what exercise brings
    assert at_once.sum() > 30
    assert set(clean.loc[at_once, "right"]) == {"put"}
    assert (clean.loc[at_once, "delta"] < -0.85).all()
    assert (clean["bid"] < exercise)[at_once].mean() > 0.9
    # no line is left out: a call has its put
    assert (clean.groupby(["quote_date", "symbol", "expiration", "strike"]).size() == 2).all()


def test_premiums_are_those_of_low_rates_and_small_dividends(clean: pd.DataFrame) -> None:
    assert (clean["premium"] >= 0.0).all()
    puts = clean[clean["right"] == "put"].assign(share=lambda rows: rows["premium"] / rows["strike"])
    bands = puts.groupby(pd.cut(puts["delta"], [-1.0, -0.9, -0.6, -0.4, -0.2, 0.0]), observed=True)["share"]
    medians = bands.median().to_numpy()
    # the deeper the dearer: of the order of the interest on the strike, 1 % of it in 91 days
    assert np.all(np.diff(medians) < 0.0)
    assert 0.004 < medians[0] < 0.012
    assert medians[-1] < 0.0002
    calls = clean[clean["right"] == "call"]
    assert (calls["premium"] == 0.0).mean() > 0.5
    assert (calls["premium"] > 0.1).any()
    # never more than the dividends that early exercise could bring
    assert calls["premium"].max() < 2.0 * 1.2


def test_deltas_span_the_stated_range(clean: pd.DataFrame) -> None:
    call_delta = np.where(clean["right"] == "call", clean["delta"], clean["delta"] + 1.0)
    assert 0.02 <= call_delta.min() < 0.04
    assert 0.95 < call_delta.max() <= 0.98


def test_iwm_has_few_calls_to_read_from_and_qqq_more(clean: pd.DataFrame) -> None:
    wing = clean[(clean["right"] == "call") & clean["delta"].between(0.10, 0.40)]
    counts: pd.Series[int] = wing.groupby(["symbol", "quote_date", "expiration"]).size()
    # the real chains of 2026-07-10: IWM 4, 5, 6, 7 and QQQ 14, 65 (quarter end), 16 at 70, 82, 98, 133 days
    quarterly = counts.index.get_level_values("expiration").isin(QUARTER_ENDS)
    iwm, qqq = (counts.index.get_level_values("symbol") == symbol for symbol in ("IWM", "QQQ"))
    assert 5 <= counts[iwm].median() <= 6.5
    assert counts[iwm].between(3, 9).all()
    assert 13 <= counts[qqq & ~quarterly].median() <= 18
    assert counts[qqq & quarterly].max() > 40


# medians [$] at 0.1-0.2, 0.2-0.3, 0.3-0.4 and 0.4-0.5 delta of calls of 70 to 98 days, monthly expiries,
# measured on real chains of 2026-07-10
MEASURED = {"QQQ": [0.068, 0.077, 0.094, 0.095], "IWM": [0.030, 0.035, 0.040, 0.043]}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_half_spreads_are_those_measured(clean: pd.DataFrame, symbol: str) -> None:
    monthly = ~clean["expiration"].isin(QUARTER_ENDS)
    calls = clean[(clean["symbol"] == symbol) & (clean["right"] == "call") & monthly]
    bands = pd.cut(calls["delta"], [0.1, 0.2, 0.3, 0.4, 0.5])
    medians = calls.groupby(bands, observed=True)["half"].median()
    assert medians.to_numpy() == pytest.approx(MEASURED[symbol], rel=0.20)  # in half cents: coarse for IWM


def test_half_spread_tables_rise_with_delta() -> None:
    for fund in FUNDS:
        for table in (fund.call_spreads, fund.put_spreads, fund.quarterly_call_spreads):
            assert len(table) == len(SPREAD_DELTAS)
            assert all(later >= earlier for earlier, later in itertools.pairwise(table))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_no_executable_arbitrage(clean: pd.DataFrame, symbol: str) -> None:
    lines = clean[clean["symbol"] == symbol]
    for _, side in lines.groupby(["quote_date", "expiration", "right"]):
        ordered = side.sort_values("strike")
        k, bid, ask = (ordered[name].to_numpy() for name in ("strike", "bid", "ask"))
        if side["right"].iloc[0] == "put":
            assert np.all(bid[:-1] <= ask[1:])
        else:
            assert np.all(bid[1:] <= ask[:-1])
        share = (k[2:] - k[1:-1]) / (k[2:] - k[:-2])
        assert np.all(share * ask[:-2] + (1.0 - share) * ask[2:] >= bid[1:-1] - 1e-9)


def test_open_interest_stays_with_its_contract(market: Market) -> None:
    first, second = (
        market.clean_quotes("QQQ", day).set_index("option_symbol") for day in market.sessions[4:6]
    )
    both = first.index.intersection(second.index)
    held = first.loc[both, "open_interest"], second.loc[both, "open_interest"]
    assert (held[1] >= held[0]).all()  # it only grows towards expiry
    assert (held[1] - held[0] <= 0.05 * held[0] + 1.0).all()


def test_contract_symbols_name_their_contract(clean: pd.DataFrame) -> None:
    line = clean[clean["right"] == "put"].iloc[7]
    expiry = dt.date.fromisoformat(line["expiration"])
    assert line["option_symbol"] == f"{line['symbol']}{expiry:%y%m%d}P{int(line['strike'] * 1000):08d}"
    assert not clean.duplicated(["quote_date", "option_symbol"]).any()
