"""Prices beside readings: symbols, series, dividends, the choice of an estimator, and the pair."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Code, Entry
from volskew.market import sessions
from volskew.market.pricefiles import read_prices
from volskew.measures import COLUMNS
from volskew.ranking import rank
from volskew.settings import Settings
from volskew.workflow.prices import (
    default_estimator,
    implied_over_realised_rows,
    price_notes,
    price_rows,
    realised_rows,
)

DAYS = [day.date() for day in sessions(dt.date(2025, 1, 2), dt.date(2026, 4, 30))]


def written(folder: Path, name: str = "prices.csv", *, closes_only: bool = False) -> Path:
    rng = np.random.default_rng(5)
    frames = []
    for symbol in ("IWM", "QQQ"):
        close = 200.0 * np.exp(rng.normal(0.0, 0.012, len(DAYS)).cumsum())
        opens = close * np.exp(rng.normal(0.0, 0.006, len(DAYS)))
        table = pd.DataFrame({"date": [day.isoformat() for day in DAYS], "symbol": symbol})
        if not closes_only:
            table["open"] = opens
            table["high"], table["low"] = np.maximum(opens, close) * 1.002, np.minimum(opens, close) / 1.002
        frames.append(table.assign(close=close))
    path = folder / name
    pd.concat(frames).round(4).to_csv(path, index=False)
    return path


def readings(
    series: str = "close", *, symbols: tuple[str, ...] = ("IWM", "QQQ"), last: int = 30
) -> pd.DataFrame:
    """Implied vols of the last days, as the measuring of chains gives them."""
    rows = [
        {
            **dict.fromkeys(COLUMNS, ""),
            "series": series,
            "date": day.isoformat(),
            "symbol": symbol,
            "measure": "implied_vol",
            "tenor": "3m",
            "delta": "0.25",
            "value": 0.2 + place / 1000,
            "error": 0.001,
            "forward": 200.0,
            "n_quotes": 50,
            "method": "svi",
            "known_at": f"{day}T21:00:00Z",
            "source": "chains",
        }
        for symbol in symbols
        for place, day in enumerate(DAYS[-last:])
    ]
    return pd.DataFrame(rows)


def test_measures_of_prices_beside_readings(tmp_path: Path) -> None:
    path = written(tmp_path)
    rows, entries = price_rows(
        readings(), prices=[path], measures=["implied_over_realised", "realised_vol_parkinson"]
    )
    assert entries == []
    assert rows["measure"].value_counts().to_dict() == {
        "implied_over_realised": 60,
        "realised_vol_parkinson": 60,
    }
    assert list(rows.columns) == ["series", *COLUMNS]
    assert rows.equals(rows.sort_values(["date", "symbol", "measure"], ignore_index=True))
    ratios = rows[rows["measure"] == "implied_over_realised"]
    assert set(ratios["method"]) == {"svi over yang_zhang:63"}
    realised, _ = realised_rows(path, series="close", symbols=["QQQ"], estimators=["yang_zhang"])
    last = ratios[(ratios["symbol"] == "QQQ")].iloc[-1]
    assert last["value"] == (0.2 + 29 / 1000) / realised["value"].iloc[-1]


def test_every_session_for_a_ranking(tmp_path: Path) -> None:
    rows, entries = price_rows(
        readings(),
        prices=written(tmp_path),
        measures=["realised_vol", "implied_over_realised"],
        every_session=True,
    )
    counts = rows["measure"].value_counts().to_dict()
    assert counts == {"realised_vol": 2 * (len(DAYS) - 63), "implied_over_realised": 60}
    assert {(entry.code, entry.count) for entry in entries} == {(Code.PRICES_EARLY, 63)}


def test_one_estimator_divides_everything(tmp_path: Path) -> None:
    whole, closes = written(tmp_path), written(tmp_path, "closes.csv", closes_only=True)
    assert default_estimator(read_prices(whole), ["QQQ", "IWM", "SPY"]) == "yang_zhang"
    assert default_estimator(read_prices(closes), ["QQQ", "IWM"]) == "close_close"
    assert default_estimator(read_prices(closes), ["SPY"]) == "close_close"
    for name, method in ((None, "yang_zhang"), ("parkinson", "parkinson+overnight")):
        rows, _ = price_rows(readings(), prices=whole, measures=["implied_over_realised"], estimator=name)
        assert set(rows["method"]) == {f"svi over {method}:63"}
    rows, _ = price_rows(readings(), prices=closes, measures=["implied_over_realised"])
    assert set(rows["method"]) == {"svi over close_close:63"}


def test_the_pair_of_ratios_is_the_ratio_of_pairs(tmp_path: Path) -> None:
    """(IV_Q/IV_I)/(RV_Q/RV_I), through the store and the ranking as any other measure."""
    given = readings()
    given.loc[given["symbol"] == "QQQ", "value"] *= 1.1
    rows, _ = price_rows(
        given, prices=written(tmp_path), measures=["implied_over_realised", "realised_vol_yang_zhang"]
    )
    with History("sqlite://") as history:
        history.add(given)
        history.add(rows)
        panels = {
            name: history.panel(series="close", measure=name, tenor="3m", delta=delta, symbols=("QQQ", "IWM"))
            for name, delta in (
                ("implied_vol", "25c"),
                ("implied_over_realised", "25c"),
                ("realised_vol_yang_zhang", "-"),
            )
        }
    ranked = {name: rank(panel, pair=("QQQ", "IWM")).table.iloc[0]["value"] for name, panel in panels.items()}
    expected = ranked["implied_vol"] - ranked["realised_vol_yang_zhang"]  # log ratios
    # the store rounds to eight decimals, of values near one fifth and near one
    assert ranked["implied_over_realised"] == pytest.approx(expected, abs=3e-7)


def test_series_are_kept_apart(tmp_path: Path) -> None:
    both = pd.concat([readings("15:45", last=5), readings("close")])
    rows, _ = price_rows(both, prices=written(tmp_path), measures=["implied_over_realised", "realised_vol"])
    assert rows.groupby(["series", "measure"]).size().to_dict() == {
        ("15:45", "implied_over_realised"): 10,
        ("15:45", "realised_vol"): 10,
        ("close", "implied_over_realised"): 60,
        ("close", "realised_vol"): 60,
    }


def test_simulated_prices_stay_among_simulated_readings(tmp_path: Path) -> None:
    path = written(tmp_path, "simulated_prices.csv")
    with pytest.raises(
        SettingsError, match=r"simulated_prices\.csv are simulated, the series 'close' is not"
    ):
        price_rows(readings(), prices=path, measures=["realised_vol"])
    rows, _ = price_rows(readings("simulated:close"), prices=path, measures=["realised_vol"])
    assert set(rows["series"]) == {"simulated:close"}


def test_dividends_are_those_of_the_settings(tmp_path: Path) -> None:
    path, listed = written(tmp_path), tmp_path / "dividends.csv"
    listed.write_text(
        "symbol,ex_date,amount\nQQQ,2024-12-02,1\nQQQ,2026-04-01,3\nIWM,2024-12-02,1\n", encoding="utf-8"
    )
    settings = Settings(dividends_files=(str(listed),))
    plain, _ = price_rows(readings(), prices=path, measures=["realised_vol"])
    rows, entries = price_rows(readings(), prices=path, measures=["realised_vol"], settings=settings)
    direct, _ = price_rows(readings(), prices=path, measures=["realised_vol"], dividends=[str(listed)])
    assert set(plain["flags"]) == {"DIVIDENDS_UNKNOWN"}
    assert set(rows["flags"]) == {""}
    assert rows["value"].tolist() == direct["value"].tolist()
    moved = (rows["value"] != plain["value"]) & (rows["date"] >= "2026-04-01")
    assert set(rows.loc[moved, "symbol"]) == {"QQQ"}
    # the last of IWM's is long ago: said once, not believed in silence
    assert [(entry.symbol, entry.code) for entry in entries] == [("IWM", Code.DIVIDENDS_STALE)]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    path, other = written(tmp_path), tmp_path / "SPY.csv"
    other.write_text("date,close\n2026-04-30,5\n2026-05-03,5\n", encoding="utf-8")
    rows, entries = price_rows(
        readings(symbols=("QQQ", "TLT")), prices=[path, other], measures=["realised_vol"]
    )
    assert set(rows["symbol"]) == {"QQQ"}
    assert [(entry.symbol, entry.code, entry.is_failure) for entry in entries] == [
        ("", Code.PRICES_UNUSED, False),
        ("TLT", Code.PRICES_MISSING, True),
    ]
    assert entries[0].source == str(other)
    rows, entries = price_rows(readings(symbols=("TLT",)), prices=path, measures=["implied_over_realised"])
    assert rows.empty
    assert list(rows.columns) == ["series", *COLUMNS]
    rows, entries = realised_rows(other, series="close", tenors=["1d"])
    assert [entry.code for entry in entries] == [Code.NOT_A_SESSION, Code.PRICES_EARLY]


def test_rows_bear_the_symbol_of_their_readings(tmp_path: Path) -> None:
    path = written(tmp_path)
    given = readings(symbols=("^QQQ",))
    rows, _ = price_rows(given, prices=path, measures=["implied_over_realised", "realised_vol"])
    assert rows.groupby("measure")["symbol"].unique().map(list).to_dict() == {
        "implied_over_realised": ["^QQQ"],
        "realised_vol": ["^QQQ"],
    }


def test_arguments_that_do_not_exist(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(SettingsError, match="no measure of prices is called 'rv'; there is realised_vol"):
        price_rows(readings(), prices=path, measures=["rv"])
    with pytest.raises(SettingsError, match="no estimator of realised vol"):
        price_rows(readings(), prices=path, measures=["implied_over_realised"], estimator="x")
    with pytest.raises(SettingsError, match="is no tenor"):
        price_rows(readings(), prices=path, measures=["realised_vol"], tenors=["x"])
    with pytest.raises(SettingsError, match="measures of prices need a price file"):
        price_rows(readings(), prices=[], measures=["realised_vol"])


def test_inputs_stay_as_they_are(tmp_path: Path) -> None:
    given = readings()
    before = given.copy(deep=True)
    rows, _ = price_rows(given, prices=written(tmp_path), measures=["realised_vol", "implied_over_realised"])
    pd.testing.assert_frame_equal(given, before)
    again = rows.copy(deep=True)
    implied_over_realised_rows(pd.concat([given, rows]))
    pd.testing.assert_frame_equal(rows, again)
    assert math.isnan(rows.loc[rows["measure"] == "realised_vol", "forward"].iloc[0])


def test_realised_vols_stand_beside_where_files_can_give_them(tmp_path: Path) -> None:
    four = [
        *("realised_vol", "realised_vol_parkinson", "realised_vol_garman_klass", "realised_vol_yang_zhang"),
    ]
    group = readings(last=2)
    rows, entries = price_rows(group, prices=written(tmp_path), measures=[], beside=four)
    assert entries == []
    assert rows.groupby(["symbol", "date"])["measure"].agg(set).tolist() == [set(four)] * 4
    alone = price_rows(group, prices=written(tmp_path), measures=four)[0]
    pd.testing.assert_frame_equal(rows, alone)
    asked = price_rows(group, prices=written(tmp_path), measures=four[:2], beside=four)[0]
    pd.testing.assert_frame_equal(asked, alone)  # each once
    bare, entries = price_rows(
        group, prices=written(tmp_path, "closes.csv", closes_only=True), measures=[], beside=four
    )
    assert entries == []
    assert set(bare["measure"]) == {"realised_vol"}
    late = group.assign(date="2026-06-01")
    assert price_rows(late, prices=written(tmp_path), measures=[], beside=four)[1] == []


def test_what_people_are_told_of_prices() -> None:
    missing = Entry(None, "IWM", "market", str(Code.PRICES_MISSING), 1, "the price files hold QQQ")
    adjusted = Entry(None, "QQQ", "market", str(Code.PRICES_ADJUSTED), 1, "taken as adjusted", "q.csv")
    other = Entry(DAYS[0], "QQQ", "tenor", str(Code.PRICES_STALE), 1, "the last price is of then")
    assert price_notes([missing, adjusted, other, missing]) == [
        "No prices of IWM: the price files hold QQQ. It has no reading that is made of prices.",
        "Prices of QQQ in q.csv: taken as adjusted.",
    ]
