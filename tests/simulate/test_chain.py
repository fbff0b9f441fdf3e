"""scenario_chain as a whole: a pure function, read by the ordinary reader, with what belongs to a session."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.errors import SettingsError
from volskew.market.clock import session_close
from volskew.quotes.schema import COLUMNS
from volskew.simulate import SCENARIOS, ScenarioChain, scenario_chain
from volskew.simulate import chain as chain_module
from volskew.simulate.defects import DEFECT_RATES, FAT_FINGER
from volskew.simulate.payouts import payments_of
from volskew.simulate.quoting import CHAIN_COLUMNS

CALM = SCENARIOS["calm"]


def digest(chain: ScenarioChain) -> str:
    text = chain.csv + chain.truth.expiries.to_csv() + chain.defects.to_csv() + repr(chain.market)
    return hashlib.sha256(text.encode()).hexdigest()


def forget() -> None:
    chain_module._clean.cache_clear()
    payments_of.cache_clear()


# --- pure ---------------------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_bytes_in_any_order() -> None:
    asked = [
        ("dirty", "IWM", 4, 2),
        ("sparse", "IWM", 4, 1),
        ("dirty", "IWM", 4, 1),
        ("dirty", "IWM", 5, 2),
        ("events", "IWM", 4, 1),
    ]
    first = [
        digest(scenario_chain(name, symbol=symbol, seed=seed, day=day)) for name, symbol, seed, day in asked
    ]
    forget()
    again = [
        digest(scenario_chain(name, symbol=symbol, seed=seed, day=day))
        for name, symbol, seed, day in reversed(asked)
    ]
    assert first == again[::-1]
    assert len(set(first)) == len(first)


def test_parts_asked_for_in_another_order_are_the_same() -> None:
    one, other = (scenario_chain("calm", symbol="IWM", seed=1, day=4) for _ in range(2))
    quotes = one.quotes
    vol = other.truth.vol("3m", 0.25)
    assert other.truth.law(91 / 365) is other.truth.law(91 / 365)
    pd.testing.assert_frame_equal(other.quotes, quotes)
    assert float(one.truth.vol("3m", 0.25)) == float(vol)
    quotes.loc[:, "bid"] = 0.0  # what is handed out may be changed without harm
    clean = one.clean
    clean.loc[:, "price"] = 0.0
    assert (one.quotes["bid"] > 0.0).any()
    assert (one.clean["price"] > 0.0).all()


@pytest.mark.slow
def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import hashlib; from volskew.simulate import scenario_chain;"
        "print(hashlib.sha256(scenario_chain('dirty', symbol='IWM', seed=4, day=2).csv.encode()).hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    here = scenario_chain("dirty", symbol="IWM", seed=4, day=2).csv
    assert found.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


def test_what_is_no_chain_is_refused() -> None:
    for arguments, words in (
        ({"scenario": "storm"}, "scenario must be one of"),
        ({"symbol": "SPY"}, "symbol must be one of QQQ, IWM"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": True}, "seed must be a whole number"),
        ({"day": 1.5}, "day must be a whole number"),
        ({"day": 100_000}, "day must be a whole number"),
    ):
        with pytest.raises(SettingsError, match=words):
            scenario_chain(**{"scenario": "calm", **arguments})  # type: ignore[arg-type]


# --- what belongs to a session ------------------------------------------------------------------------------


def test_the_two_symbols_share_session_rate_and_family() -> None:
    for name in ("calm", "high_rates"):
        one, other = (scenario_chain(name, symbol=symbol, seed=6, day=11) for symbol in ("QQQ", "IWM"))
        assert one.date == other.date
        assert one.family == other.family
        assert one.market == other.market
        assert one.truth.rate == other.truth.rate != SCENARIOS[name].rate


def test_the_market_row_holds_what_is_known() -> None:
    chain = scenario_chain("hard_to_borrow", symbol="IWM", seed=6, day=11)
    row = chain.market
    assert row.date == chain.date
    assert row.curve.rate(0.25) == chain.truth.rate
    assert row.spot("IWM") == chain.truth.spot
    coming = row.dividends_of("IWM")
    assert coming is not None
    assert [(item.ex_date, item.amount) for item in coming] == [
        (item.ex_date, item.amount) for item in chain.truth.dividends
    ]
    assert [item.is_projected for item in coming] == [item.declared is None for item in chain.truth.dividends]
    assert row.dividends_of("QQQ")


def test_the_ordinary_reader_reads_every_line() -> None:
    chain = scenario_chain("dirty", symbol="IWM", seed=2, day=3)
    table = chain.canonical()
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == len(chain.quotes)
    assert set(table["symbol"]) == {"IWM"}
    assert set(table["exercise"]) == {"american"}
    assert set(table["snapshot_time"]) == {pd.Timestamp(session_close(chain.date))}
    quotes = chain.quotes
    for column in ("strike", "bid", "ask", "last", "volume", "open_interest", "bid_size", "ask_size"):
        assert np.array_equal(
            table[column].to_numpy(dtype=float), quotes[column].to_numpy(dtype=float), equal_nan=True
        )
    assert (table["is_call"].to_numpy() == (quotes["right"] == "call").to_numpy()).all()
    assert list(quotes.columns) == list(CHAIN_COLUMNS)


def test_the_session_before_is_there_and_stale_lines_repeat_it() -> None:
    assert scenario_chain("dirty", symbol="IWM", seed=2, day=0).previous is None
    chain = scenario_chain("dirty", symbol="IWM", seed=2, day=3)
    before = chain.previous
    assert before is not None
    earlier = scenario_chain("dirty", symbol="IWM", seed=2, day=2)
    assert set(before["snapshot_time"]) == {pd.Timestamp(session_close(earlier.date))}
    stale = chain.defects.loc[chain.defects["defect"] == "stale", "contract"]
    assert len(stale) > 10
    old = earlier.clean.set_index("option_symbol").loc[stale]
    new = chain.quotes.drop_duplicates("option_symbol").set_index("option_symbol").loc[stale]
    sides = ["bid", "ask", "bid_size", "ask_size"]
    assert (new[sides] == old[sides]).all(axis=None)
    key = ["expiry", "strike", "is_call"]
    today = chain.canonical()
    both = today.merge(before, on=[*key, *sides])
    assert len(both) >= len(stale)
    assert not scenario_chain("dirty", symbol="IWM", seed=2, day=0).defects["defect"].eq("stale").any()


def test_defects_come_at_their_rates_and_are_told() -> None:
    counts: pd.Series[int] = pd.Series(dtype=int)
    lines = 0
    for day in range(1, 5):
        chain = scenario_chain("dirty", symbol="IWM", seed=3, day=day)
        counts = counts.add(chain.defects["defect"].value_counts(), fill_value=0)
        lines += int((chain.clean["bid"] > 0.0).sum())
        clean = chain.clean.set_index("option_symbol")
        quotes = chain.quotes
        bad = dict(zip(chain.defects["contract"], chain.defects["defect"], strict=True))
        missing = {contract for contract, kind in bad.items() if kind == "missing_line"}
        assert set(clean.index) - set(quotes["option_symbol"]) == missing
        good = quotes[~quotes["option_symbol"].isin(bad)].set_index("option_symbol")
        assert (good[["bid", "ask"]] == clean.loc[good.index, ["bid", "ask"]]).all(axis=None)
        assert good.index.is_unique
        fat = [contract for contract, kind in bad.items() if kind == "fat_finger"]
        moved = quotes.set_index("option_symbol").loc[fat, "ask"] / clean.loc[fat, "ask"]
        assert ((moved - 1.0).abs() - FAT_FINGER).abs().max() < 0.13  # cents on a quote of a nickel
    for kind, rate in SCENARIOS["dirty"].defects:
        assert abs(counts[kind] - rate * lines) < 4.5 * (rate * lines) ** 0.5, kind  # binomial
        assert rate > 4.0 * DEFECT_RATES.get(kind, 0.0)


def test_none_where_none_are_wanted() -> None:
    chain = scenario_chain(dataclasses.replace(CALM, defects=()), symbol="IWM", seed=3, day=1)
    assert chain.defects.empty
    pd.testing.assert_frame_equal(chain.quotes, chain.clean[list(CHAIN_COLUMNS)])


# --- read back ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_truth_is_what_is_read(name: str) -> None:
    """Not a score, only that truth and quotes belong together: a wrong forward alone would be 0.2 points."""
    chain = scenario_chain(name, symbol="QQQ", seed=2, day=41)
    assert chain.date > dt.date(2025, 1, 2)
    surface = vs.fit_surface(chain.canonical(), market=chain.market, previous=chain.previous)
    # half a vol point a vol of 1: chains of wide strikes and twice the vol read that much worse
    allowed = {"stressed": 0.004, "sparse": 0.004}.get(name, 0.002)
    for delta in (0.25, 0.50, 0.75):
        found = surface.vol(tenor="3m", delta=delta).value
        assert found == pytest.approx(float(chain.truth.vol("3m", delta)), abs=allowed)
    forwards = surface.forwards.assign(
        date=surface.forwards["expiry"].dt.tz_convert("America/New_York").dt.date.astype(str)
    )
    both = forwards.merge(chain.truth.expiries, left_on="date", right_on="expiration", suffixes=("", "_true"))
    assert len(both) > 5
    assert ((both["forward"] / both["forward_true"] - 1.0).abs()).median() < 1e-4
