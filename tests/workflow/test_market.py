"""What the first pass puts into the market rows: rates and dividends."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.errors import InputError
from volskew.ledger import Code, Entry
from volskew.market import Dividend, MarketRow, read_dividends
from volskew.market.table import market_row
from volskew.workflow import gather, measure_files, rank_files
from volskew.workflow.gather import Inputs

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"
_DAY = dt.date(2026, 7, 10)
_ROWS = "2025-06-23,0.5\n2025-09-22,0.6\n2025-12-22,0.7\n2026-03-23,0.8\n2026-06-22,0.9\n"
_PAID = f"ex_date,amount\n{_ROWS}"


@pytest.fixture
def chains(tmp_path: Path) -> Path:
    """A folder with two sessions of both legs, the last on 2026-07-10."""
    folder = tmp_path / "chains"
    folder.mkdir()
    for symbol in ("QQQ", "IWM"):
        for path in sorted(_QUOTES.glob(f"{symbol}_*.csv.gz"))[-2:]:
            shutil.copy(path, folder)
    return folder


def written(folder: Path, name: str, text: str = _PAID) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def of_market(inputs: Inputs) -> list[Entry]:
    return [entry for entry in inputs.ledger if entry.stage == "market" and entry.code != Code.RATE_ASSUMED]


def test_dividends_reach_each_chain_up_to_its_last_expiry(chains: Path, tmp_path: Path) -> None:
    qqq, iwm = written(tmp_path, "QQQ_dividends.csv"), written(tmp_path, "a.csv", "ex_date,amount\n")
    settings = vs.Settings(dividends_files=(qqq, f"IWM={iwm}"))
    inputs = gather(chains, settings=settings)
    assert len(inputs.units) == 4
    assert of_market(inputs) == []
    for unit in inputs.units:
        last = unit.quotes["expiry"].max().date()  # the close in UTC is on the same day
        wanted = read_dividends(qqq).schedule("QQQ", unit.date, last)
        assert unit.market.dividends_of("QQQ") == wanted
        assert wanted
        assert unit.market.dividends_of("IWM") == ()
        assert unit.market.dividends_of("SPY") is None
    newest = inputs.units[-1]
    found = newest.market.dividends_of("QQQ")
    assert found
    assert found[0] == Dividend(dt.date(2026, 9, 21), 0.6, is_projected=True)
    plain = gather(chains, settings=vs.Settings())
    assert {unit.market.dividends for unit in plain.units} == {()}
    assert plain.units[0].market.fingerprint() != inputs.units[0].market.fingerprint()


def test_what_is_not_known_is_said_once_and_is_no_failure(chains: Path, tmp_path: Path) -> None:
    late = written(tmp_path, "QQQ.csv", f"ex_date,amount\n{_ROWS[-30:]}")
    other = written(tmp_path, "SPY.csv")
    inputs = gather(chains, settings=vs.Settings(dividends_files=(late, other)))
    assert not inputs.ledger.has_failures
    assert len(inputs.units) == 4
    entries = of_market(inputs)
    assert [(entry.code, entry.symbol, entry.count, entry.date) for entry in entries] == [
        (Code.DIVIDENDS_UNUSED, "", 1, None),
        (Code.DIVIDENDS_MISSING, "IWM", 2, None),
        (Code.DIVIDENDS_EARLY, "QQQ", 2, None),
    ]
    assert entries[0].source == other
    assert entries[0].detail == "SPY; the chains are of IWM, QQQ"
    assert "2 sessions from 2026-07-09 to 2026-07-10 read without dividends" in entries[2].detail
    assert "2026-03-23" in entries[2].detail
    # a stale file says when it ends
    old = written(tmp_path, "IWM.csv", _PAID.replace("2026-06-22,0.9\n", "").replace("2026-03-23,0.8\n", ""))
    found = of_market(gather(chains, settings=vs.Settings(dividends_files=(old,)), symbols=["IWM"]))
    assert [(entry.code, entry.symbol) for entry in found] == [(Code.DIVIDENDS_STALE, "IWM")]
    assert "2025-12-22" in found[0].detail


def test_an_unreadable_file_ends_the_run_with_its_reason(chains: Path, tmp_path: Path) -> None:
    bad = written(tmp_path, "QQQ.csv", "ex_date,amount\nsoon,0.5\n")
    for path, problem in (
        (bad, "QQQ.csv, row 2, column 'ex_date': not a date: 'soon'"),
        ("none", "no such f"),
    ):
        with pytest.raises(InputError, match=problem):
            rank_files(chains, settings=vs.Settings(dividends_files=(path,)))


@pytest.mark.parametrize(
    "header",
    [
        *("Date,Dividends", "symbol,ex_date,amount", "symbol,type,ex_date,amount"),
        "Ex/EFF DATE,Type,Cash Amount,Declaration Date,Record Date,Payment Date",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits,Capital Gains",
    ],
)
def test_a_dividend_file_among_chains_is_passed_over(chains: Path, header: str) -> None:
    written(chains, "QQQ_dividends.csv", f"{header}\n" + ",".join(["1"] * (header.count(",") + 1)) + "\n")
    result = measure_files(chains)
    assert result.exit_code == 0
    assert len(result.readings) == 4
    (entry,) = [entry for entry in result.ledger if entry.source.endswith("QQQ_dividends.csv")]
    assert entry.code == Code.SKIPPED
    assert "--dividends" in entry.detail


def test_a_surface_without_a_market_row_takes_them_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[MarketRow] = []

    def spy(date: dt.date, **given: Any) -> MarketRow:
        seen.append(market_row(date, **given))
        return seen[-1]

    monkeypatch.setattr("volskew.surface.fit.market_row", spy)
    quotes = vs.read_chain(_QUOTES / "QQQ_2026-07-10_simulated.csv.gz")
    path = written(tmp_path, "QQQ.csv")
    surface = vs.fit_surface(quotes, settings=vs.Settings(rate=0.04, dividends_files=(path,)))
    wanted = read_dividends(path).schedule("QQQ", _DAY, quotes["expiry"].max().date())
    assert seen[-1].dividends_of("QQQ") == wanted
    assert [entry.code for entry in surface.ledger if entry.stage == "market"] == []
    other = vs.fit_surface(quotes, settings=vs.Settings(rate=0.04, dividends_files=(f"IWM={path}",)))
    assert seen[-1].dividends_of("QQQ") is None
    (entry,) = [entry for entry in other.ledger if entry.stage == "market"]
    assert (entry.code, entry.symbol, entry.date) == (Code.DIVIDENDS_MISSING, "QQQ", _DAY)
    european = quotes.assign(exercise="european")
    silent = vs.fit_surface(european, settings=vs.Settings(rate=0.04, dividends_files=(f"IWM={path}",)))
    assert not [entry for entry in silent.ledger if entry.stage == "market"]


# --- rates ------------------------------------------------------------------------------------------------


def index_chain(rate: float) -> pd.DataFrame:
    """A European index chain at a flat vol, in the columns of a long table."""
    strikes = np.arange(4000.0, 6001.0, 25.0)
    parts = []
    for days in (70, 91, 189):
        years, forward = days / 365, 5000.0 * np.exp((rate - 0.012) * days / 365)
        for right in ("C", "P"):
            price = np.exp(-rate * years) * vs.black.price(
                forward=forward, strike=strikes, time_to_expiry=years, vol=0.18, is_call=right == "C"
            )
            parts.append(
                pd.DataFrame(
                    {
                        "date": _DAY.isoformat(),
                        "symbol": "SPX",
                        "root": "SPXW",
                        "expiry": (_DAY + dt.timedelta(days=days)).isoformat(),
                        "strike": strikes,
                        "right": right,
                        "bid": np.round(price - 0.3, 2).clip(0.0),
                        "ask": np.round(price + 0.3, 2),
                        "underlying_price": 5000.0,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def test_the_box_rate_of_european_chains_reaches_american_chains_of_that_date(chains: Path) -> None:
    rate = 0.0431
    index_chain(rate).to_csv(chains / "SPX_2026-07-10.csv", index=False)
    inputs = gather(chains, settings=vs.Settings())
    curves = {(unit.symbol, unit.date): unit.market.curve for unit in inputs.units}
    box = curves["SPX", _DAY]
    assert curves["QQQ", _DAY] == curves["IWM", _DAY] == box
    assert box.label == f"box:{box.rate(91 / 365):.4f}"
    assert box.flags == ()
    assert box.error is not None
    # cents of quotes on pairs of 5000 points over a quarter: some basis points
    assert abs(box.rate(91 / 365) - rate) < 4 * box.error < 4e-3
    # the other session has no index chain, and says that its rate is assumed
    (assumed,) = [entry for entry in inputs.ledger if entry.code == Code.RATE_ASSUMED]
    assert assumed.count == 1
    before = min(date for _, date in curves)
    assert curves["QQQ", before].label == "assumed:0.0400"
    # what is given goes before what is implied
    given = gather(chains, settings=vs.Settings(rate=0.03))
    assert {unit.market.curve.label for unit in given.units} == {"flat:0.0300"}


def test_a_quote_left_out_tells_no_rate_either(chains: Path, tmp_path: Path) -> None:
    lines = index_chain(0.0431)
    path = chains / "SPX_2026-07-10.csv"
    lines.to_csv(path, index=False)
    plain = gather(chains, settings=vs.Settings()).units[-1].market.curve
    calls = lines[lines["right"] == "C"]
    bust = calls.iloc[::3]
    rows = [
        f"2026-07-10,SPX,{expiry} {strike} C,bust"
        for expiry, strike in zip(bust["expiry"], bust["strike"], strict=True)
    ]
    file = written(tmp_path, "overrides.csv", "\n".join(["date,symbol,contract,reason", *rows]))
    curve = gather(chains, settings=vs.Settings(), overrides=vs.read_overrides(file)).units[-1].market.curve
    assert curve != plain
    lines.drop(index=bust.index).to_csv(path, index=False)
    assert gather(chains, settings=vs.Settings()).units[-1].market.curve == curve


@pytest.mark.real
@pytest.mark.slow
def test_the_box_rate_of_a_real_index_serves_the_fund_beside_it(real: Path) -> None:
    files = [real / "cboe_flat" / f"{symbol}_2026-07-22.csv.gz" for symbol in ("SPX", "SPY")]
    inputs = gather(files, settings=vs.Settings())
    spx, spy = inputs.units
    assert (spx.symbol, spy.symbol) == ("SPX", "SPY")
    assert set(spy.quotes["exercise"]) == {"american"}
    curve = spy.market.curve
    assert curve == spx.market.curve
    assert curve.label.startswith("box:0.0")
    assert curve.flags == ()
    assert curve.error is not None
    assert 0.0 < curve.error < 5e-4
    assert 0.02 < curve.rate(91 / 365) < 0.06  # a policy rate of that year, and 37 bp
    assert not [entry for entry in inputs.ledger if entry.code == Code.RATE_ASSUMED]
    readings = measure_files(files).readings
    methods = readings.loc[readings["symbol"] == "SPY", "method"]
    assert methods.str.contains(f"rate={curve.label}", regex=False).all()
    alone = gather(files[1:], settings=vs.Settings())
    assert alone.units[0].market.curve.flags == (Code.RATE_ASSUMED,)
