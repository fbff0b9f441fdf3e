"""The market as a whole: truth, history, determinism and refusals."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.errors import MissingReadingError, SettingsError
from volskew.market.clock import sessions
from volskew.simulate import Market, simulate_market, write_market
from volskew.simulate.trading_time import trading_clock
from volskew.simulate.truth import HISTORY_BASIS, HISTORY_DELTAS, HISTORY_NOISE

VOLS = ["vol_25c", "vol_50", "vol_25p"]


def test_sessions_and_shapes(market: Market) -> None:
    assert market.sessions[-1] == dt.date(2026, 7, 10)
    assert len(market.sessions) == 75
    everything = sessions(dt.date.fromisoformat(market.truth["date"].iloc[0]), market.sessions[-1])
    assert len(market.truth) == 2 * len(everything)
    assert not market.truth.duplicated(["date", "symbol"]).any()
    assert len(market.expiry_truth) == 2 * 4 * 75
    assert len(market.files) == 150  # one missing, one repeated


def test_truth_at_91_days_lies_where_the_expiries_around_it_say(market: Market) -> None:
    target = 91.0 / 365.0
    exact = {(row["date"], row["symbol"]): row for row in market.truth.to_dict(orient="records")}
    for (date, symbol), rows in market.expiry_truth.groupby(["date", "symbol"]):
        years = rows["time_to_expiry"].to_numpy()
        # variance accrues by session
        at, *passed = trading_clock().years(dt.date.fromisoformat(str(date)), [target, *years])
        for name in VOLS:
            variance = np.interp(at, passed, rows[name].to_numpy() ** 2 * years)
            # linear total variance across five weeks is within a few hundredths of a vol point of the surface
            assert np.sqrt(variance / target) == pytest.approx(exact[date, symbol][name], abs=0.0008)


def test_the_history_has_the_stated_basis_and_noise() -> None:
    market = simulate_market(sessions=30, history_years=3)
    joined = market.vol_history.merge(market.truth, on=["date", "symbol"], how="left", validate="m:1")
    gaps = {}
    for symbol, by_delta in HISTORY_BASIS.items():
        for delta, basis in by_delta.items():
            mine = joined[(joined["symbol"] == symbol) & (joined["delta"] == delta)]
            gap = (mine["vol"] - mine[HISTORY_DELTAS[delta]]).to_numpy()
            assert gap.mean() == pytest.approx(basis, abs=4.0 * HISTORY_NOISE / len(gap) ** 0.5)
            assert gap.std() == pytest.approx(HISTORY_NOISE, rel=0.12)
            gaps[symbol, delta] = gap
    # six noises that have nothing to do with each other
    between = np.corrcoef(list(gaps.values())) - np.eye(6)
    assert np.abs(between).max() < 4.0 / len(gap) ** 0.5
    assert market.vol_history["delta"].tolist()[:6] == 2 * ["25c", "50", "25p"]
    overlap = [day for day in market.sessions if day.isoformat() <= market.vol_history["date"].iloc[-1]]
    assert len(overlap) == 20
    assert joined["date"].iloc[0] == market.truth["date"].iloc[0]


def test_vols_are_those_of_liquid_funds_and_prices_fall_when_vol_rises() -> None:
    market = simulate_market(sessions=1, history_years=8)
    vols = market.truth.pivot_table(index="date", columns="symbol", values="vol_25c")
    assert vols.median().between(0.18, 0.27).all()
    assert vols.min().min() > 0.10
    assert vols.max().max() < 0.90
    spots = market.truth.pivot_table(index="date", columns="symbol", values="spot")
    returns, changes = (table.apply(np.log).diff().dropna() for table in (spots, vols))
    assert 0.6 < returns["QQQ"].corr(returns["IWM"]) < 0.95
    for symbol in market.symbols:
        assert returns[symbol].corr(changes[symbol]) < -0.5
    ratio = vols["QQQ"].div(vols["IWM"]).apply(np.log)
    half_life = np.log(0.5) / np.log(ratio.autocorr())
    assert 15 < half_life < 90  # one to three months, estimated low in finite samples
    assert (market.truth["vol_25p"] > market.truth["vol_50"]).all()
    # calls are dear where that is what was planted, and nowhere else
    skews = market.episodes[market.episodes["driver"] == "skew"]
    is_planted = market.truth["symbol"].isin(skews["leg"]) & market.truth["date"].between(
        skews["first_date"].iloc[0], skews["last_date"].iloc[0]
    )
    assert len(skews) == 1
    flatness = pd.Series(np.log(market.truth["vol_25c"] / market.truth["vol_50"]))
    assert (flatness[~is_planted] < -0.02).all()
    assert flatness[is_planted].abs().max() < 0.04


def test_the_same_seed_gives_the_same_market_in_any_order_of_asking(market: Market) -> None:
    again = simulate_market(sessions=75, history_years=1)
    pd.testing.assert_frame_equal(again.truth, market.truth, check_exact=True)
    pd.testing.assert_frame_equal(again.vol_history, market.vol_history, check_exact=True)
    assert again.payments == market.payments
    for day in (market.sessions[-1], market.sessions[0], market.sessions[40]):
        pd.testing.assert_frame_equal(again.quotes("IWM", day), market.quotes("IWM", day), check_exact=True)
    other = simulate_market(seed=1, sessions=75, history_years=1)
    assert (other.truth["vol_25c"] != market.truth["vol_25c"]).all()


def test_tables_handed_out_are_copies(market: Market) -> None:
    day = market.sessions[7]
    handed = market.clean_quotes("QQQ", day)
    handed["bid"] = 0.0
    assert (market.clean_quotes("QQQ", day)["bid"] > 0.0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scenario": "wild"}, "demo, clean"),
        ({"sessions": 0}, "sessions must be a whole number from 1"),
        ({"sessions": 2.5}, "sessions must be"),
        ({"history_years": True}, "history_years must be"),
        ({"seed": -1}, "seed must be"),
        ({"end": dt.date(2026, 7, 11)}, "the one before is 2026-07-10"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        simulate_market(**wrong)  # type: ignore[arg-type]


def test_absent_chains_are_refused_with_the_reason(market: Market) -> None:
    with pytest.raises(MissingReadingError, match="QQQ, IWM"):
        market.quotes("SPY", market.sessions[0])
    with pytest.raises(MissingReadingError, match="it has the sessions from"):
        market.quotes("QQQ", dt.date(2020, 1, 2))
    with pytest.raises(MissingReadingError, match="left out on purpose"):
        market.quotes(*market.plan.missing[0])
    with pytest.raises(MissingReadingError, match="no session"):
        market.clean_quotes("QQQ", dt.date(2026, 7, 11))


def test_files_are_written_whole_and_read_back(tmp_path: Path) -> None:
    market = simulate_market(sessions=3, history_years=0)
    seen: list[tuple[int, int]] = []
    written = write_market(market, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(count, 6) for count in range(1, 7)]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(written)
    assert all("simulated" in path.name for path in written if path.name != "README.md")
    day = market.sessions[1]
    read = pd.read_csv(tmp_path / "quotes" / f"QQQ_{day.isoformat()}_simulated.csv.gz")
    expected = market.quotes("QQQ", day)
    assert list(read.columns) == list(expected.columns)
    for column in ("strike", "bid", "ask", "last", "open_interest"):
        assert read[column].to_numpy() == pytest.approx(expected[column].to_numpy(), abs=1e-9, nan_ok=True)
    dividends = pd.read_csv(tmp_path / "simulated_dividends.csv")
    pd.testing.assert_frame_equal(dividends, market.dividends, check_dtype=False)
    prices = pd.read_csv(tmp_path / "simulated_prices.csv")
    pd.testing.assert_frame_equal(prices, market.prices, check_dtype=False)
    episodes = pd.read_csv(tmp_path / "simulated_episodes.csv")
    assert list(episodes.columns) == list(market.episodes.columns)
    history = pd.read_csv(tmp_path / "simulated_vol_history.csv", dtype={"delta": str})
    pd.testing.assert_frame_equal(history, market.vol_history, check_dtype=False)
    readme = (tmp_path / "README.md").read_text()
    assert "in a market of another length" in readme
    assert not re.search(r"[{}]", readme)  # nothing was left to be filled in
    truth = pd.read_csv(tmp_path / "simulated_truth.csv")
    assert truth["vol_25c"].to_numpy() == pytest.approx(market.truth["vol_25c"].to_numpy(), abs=5.1e-11)
    # neither time nor name in the gzip header, so that a re-run writes the same bytes
    header = (tmp_path / "quotes" / f"QQQ_{day.isoformat()}_simulated.csv.gz").read_bytes()[:8]
    assert header[3:8] == bytes(5)
