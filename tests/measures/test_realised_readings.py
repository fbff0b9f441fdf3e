"""Realised vols and implied over realised as history rows: what is taken for a move, and what is missing."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, SettingsError
from volskew.history.columns import conform
from volskew.ledger import Code
from volskew.market import sessions
from volskew.market.payments import Payment, PaymentList
from volskew.market.pricefiles import PriceHistory, read_prices
from volskew.measures import COLUMNS
from volskew.measures.realised import ESTIMATORS, realised_vol
from volskew.measures.realised_moves import adjusted_prices
from volskew.measures.realised_readings import (
    PRICE_MEASURES,
    implied_over_realised,
    realised_readings,
    window_sessions,
)
from volskew.settings import Settings

DAYS = [day.date() for day in sessions(dt.date(2026, 1, 2), dt.date(2026, 4, 30))]


def frame(*, seed: int = 3) -> pd.DataFrame:
    """Prices of every session of `DAYS`, to the cent."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 0.002, (len(DAYS), 31)).cumsum(axis=1)
    ends = steps[:, -1].cumsum()
    path = steps + (ends - steps[:, -1])[:, None]
    table = {"open": path[:, 0], "high": path.max(1), "low": path.min(1), "close": path[:, -1]}
    prices = pd.DataFrame({name: (100.0 * np.exp(value)).round(2) for name, value in table.items()})
    prices.insert(0, "date", [day.isoformat() for day in DAYS])
    return prices


def history(folder: Path, table: pd.DataFrame) -> PriceHistory:
    path = folder / "QQQ.csv"
    table.to_csv(path, index=False)
    found = read_prices(path).history("QQQ")
    assert found is not None
    return found


def read(found: PriceHistory, **more: Any) -> pd.DataFrame:
    return realised_readings(found, series="close", **more)[0]


def paid(*payments: tuple[dt.date, float], first: dt.date = dt.date(2025, 1, 1)) -> PaymentList:
    return PaymentList(tuple(Payment(day, cash, None, False, "divs.csv", 2) for day, cash in payments), first)


# --- rows -------------------------------------------------------------------------------------------------


def test_windows_are_as_long_as_tenors() -> None:
    assert [window_sessions(tenor) for tenor in ("1m", "2m", "3m", "6m", "1y", "2y")] == [
        *(21, 41, 63, 126, 252, 504)
    ]
    assert window_sessions("3m", settings=Settings(three_month_days=80)) == 55


def test_a_row_is_a_history_row(tmp_path: Path) -> None:
    found = history(tmp_path, frame())
    rows = read(found, tenors=["1M"], estimators=["close_close", "yang_zhang"])
    assert list(rows.columns) == ["series", *COLUMNS]
    assert set(rows["measure"]) == {"realised_vol", "realised_vol_yang_zhang"}
    last = rows[rows["measure"] == "realised_vol_yang_zhang"].iloc[-1]
    expected = realised_vol(
        found.close, window=21, estimator="yang_zhang", open=found.open, high=found.high, low=found.low
    )
    assert (last["value"], last["error"]) == (expected.vol[-1], expected.error[-1])
    text = {
        "series": "close",
        "date": "2026-04-30",
        "symbol": "QQQ",
        "tenor": "1m",
        "delta": "-",
        "expiry_before": "",
        "n_quotes": 21,
        "method": "yang_zhang:21",
        "flags": "DIVIDENDS_UNKNOWN",
        "snapshot_time": "2026-04-30T20:00:00Z",
        "known_at": "2026-04-30T20:00:00Z",
        "source": str(tmp_path / "QQQ.csv"),
        "method_version": Settings().method_version,
    }
    assert {name: last[name] for name in text} == text
    assert math.isnan(last["forward"])
    assert rows.equals(rows.sort_values(["date", "symbol", "measure"], ignore_index=True))
    assert len(rows) == 2 * (len(DAYS) - 21)
    assert len(conform(rows)) == len(rows)  # the store takes them


def test_the_session_of_a_half_day_is_known_at_its_close(tmp_path: Path) -> None:
    path = tmp_path / "QQQ.csv"
    path.write_text("date,close\n2026-11-25,10\n2026-11-27,10.1\n", encoding="utf-8")
    found = read_prices(path).history("QQQ")
    assert found is not None
    assert read(found, tenors=["1d"])["known_at"].tolist() == ["2026-11-27T18:00:00Z"]


def test_estimators_by_default_are_those_of_whole_days_that_the_file_allows(tmp_path: Path) -> None:
    whole = read(history(tmp_path, frame()), tenors=["1m"])
    assert set(whole["measure"]) == {item.measure for item in ESTIMATORS.values() if item.needs_previous}
    closes = read(history(tmp_path, frame()[["date", "close"]]), tenors=["1m"])
    assert set(closes["measure"]) == {"realised_vol"}
    np.testing.assert_array_equal(
        closes["value"], whole.loc[whole["measure"] == "realised_vol", "value"].to_numpy()
    )


def test_every_estimator_has_its_measure_and_says_whether_nights_are_in_it(tmp_path: Path) -> None:
    rows = read(history(tmp_path, frame()), tenors=["1m"], estimators=list(ESTIMATORS))
    last = rows[rows["date"] == rows["date"].max()].set_index("measure")
    assert set(last.index) == set(PRICE_MEASURES) - {"implied_over_realised"}
    assert last.loc["realised_vol_parkinson", "method"] == "parkinson+overnight:21"
    assert last.loc["realised_vol_parkinson_session", "method"] == "parkinson_session:21"
    assert last.loc["realised_vol_parkinson", "value"] > last.loc["realised_vol_parkinson_session", "value"]


def test_only_wanted_days(tmp_path: Path) -> None:
    found = history(tmp_path, frame())
    some = {DAYS[30], DAYS[-1], dt.date(2026, 2, 1)}  # a Sunday too
    rows, entries = realised_readings(found, series="s", tenors=["1m"], estimators=["close_close"], days=some)
    assert rows["date"].tolist() == [DAYS[30].isoformat(), DAYS[-1].isoformat()]
    assert entries == []
    every = read(found, tenors=["1m"], estimators=["close_close"]).set_index("date")
    assert rows["value"].tolist() == every.loc[rows["date"], "value"].tolist()


def test_rows_of_later_days_change_no_earlier_one(tmp_path: Path) -> None:
    whole = frame()
    whole.loc[70, ["open", "high", "low", "close"]] = [25.0, 25.5, 24.5, 25.0]  # a jump yet to come
    for cut in (60, 69, 75):
        part = read(history(tmp_path, whole[:cut]), tenors=["1m", "2m"], estimators=list(ESTIMATORS))
        full = read(history(tmp_path, whole), tenors=["1m", "2m"], estimators=list(ESTIMATORS))
        early = full[full["date"] < DAYS[cut].isoformat()].reset_index(drop=True)
        pd.testing.assert_frame_equal(early, part, check_exact=True)


# --- dividends and splits ---------------------------------------------------------------------------------


def test_a_dividend_is_no_move(tmp_path: Path) -> None:
    table = frame()
    found = history(tmp_path, table)
    dropped = table.copy()
    dropped.loc[40:, ["open", "high", "low", "close"]] -= 8.0  # 8 % of the price, on DAYS[40]
    after = history(tmp_path, dropped)
    payments = paid((DAYS[40], 5.0), (DAYS[40], 3.0), (dt.date(2027, 1, 4), 9.0))
    plain, without, with_it = (
        read(prices, tenors=["1m"], estimators=["close_close"], dividends=known).set_index("date")["value"]
        for prices, known in ((found, paid()), (after, paid()), (after, payments))
    )
    day = DAYS[45].isoformat()
    assert without[day] > 1.5 * plain[day]
    # the same dollars are a larger share of a lower price: 9 % more from the ex-date on, in a fifth of it
    assert with_it[day] == pytest.approx(plain[day], rel=0.05)


def test_an_ex_date_without_a_session_is_the_next_one(tmp_path: Path) -> None:
    found = history(tmp_path, frame())
    saturday, monday = dt.date(2026, 2, 28), dt.date(2026, 3, 2)
    on_monday = adjusted_prices(found, paid((monday, 1.0))).dividends
    assert on_monday.sum() == 1.0
    np.testing.assert_array_equal(adjusted_prices(found, paid((saturday, 1.0))).dividends, on_monday)
    outside = paid((dt.date(2020, 1, 1), 1.0), (DAYS[0], 1.0), (dt.date(2027, 1, 4), 1.0))
    assert adjusted_prices(found, outside).dividends.sum() == 0.0


def test_a_dividend_larger_than_the_price_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"divs\.csv, row 2: a dividend that leaves nothing of the close"):
        read(history(tmp_path, frame()), dividends=paid((DAYS[40], 500.0)))


def test_where_dividends_are_not_known_rows_say_so(tmp_path: Path) -> None:
    found = history(tmp_path, frame())

    def flagged(dividends: PaymentList | None, estimator: str = "close_close") -> list[bool]:
        rows = read(found, tenors=["1m"], estimators=[estimator], dividends=dividends)
        return (rows["flags"] == "DIVIDENDS_UNKNOWN").tolist()

    assert all(flagged(None))
    assert not any(flagged(paid()))
    assert not any(flagged(None, "parkinson_session"))  # no night, no ex-date
    # the first window lies in DAYS[1] to DAYS[21], so that those from DAYS[30] on begin on DAYS[10] or later
    assert flagged(paid(first=DAYS[10])) == [True] * 9 + [False] * (len(DAYS) - 30)


def split_table(factor: float, at: int = 40) -> pd.DataFrame:
    table = frame()
    table.loc[at:, ["open", "high", "low", "close"]] = (
        table.loc[at:, ["open", "high", "low", "close"]] / factor
    )
    return table


@pytest.mark.parametrize("factor", [4.0, 2.0, 1.5, 4 / 3, 0.1])
def test_a_split_is_never_a_return(tmp_path: Path, factor: float) -> None:
    found = history(tmp_path, split_table(factor))
    rows, entries = realised_readings(
        found, series="s", tenors=["1m"], estimators=["close_close", "parkinson"]
    )
    read_days = set(rows["date"])
    lost = {day.isoformat() for day in DAYS[40:61]}  # every window that holds DAYS[40]
    assert not read_days & lost
    assert read_days | lost == {day.isoformat() for day in DAYS[21:]}
    assert rows["value"].max() < 0.3
    jump = [entry for entry in entries if entry.code == Code.PRICE_JUMP]
    assert len(jump) == 1  # both estimators lack the same for the same reason
    assert (jump[0].date, jump[0].count, jump[0].is_failure) == (DAYS[60], 21, True)
    assert f"on {DAYS[40]}: a split or an error" in jump[0].detail


@pytest.mark.parametrize("factor", [4.0, 1.5, 0.1])
def test_a_split_that_the_file_states_is_taken_out_if_it_is_in_the_prices(
    tmp_path: Path, factor: float
) -> None:
    raw, adjusted = split_table(factor).round(8), frame()
    for table in (raw, adjusted):
        table["Stock Splits"] = 0.0
        table.loc[40, "Stock Splits"] = factor
    plain = read(history(tmp_path, frame()), tenors=["1m"], estimators=list(ESTIMATORS))
    for table in (raw, adjusted):
        rows = read(history(tmp_path, table), tenors=["1m"], estimators=list(ESTIMATORS))
        # prices around 10 rounded to eight decimals, moves around a hundredth
        np.testing.assert_allclose(rows["value"], plain["value"], rtol=1e-6)


def test_a_move_that_the_file_says_is_no_split_is_one(tmp_path: Path) -> None:
    crash = split_table(1.5)
    stated = crash.assign(**{"Stock Splits": 0.0})
    followed = crash.assign(**{"Adj Close": crash["close"] * 0.9})
    contradicted = crash.assign(**{"Adj Close": frame()["close"] * 0.9})
    expected = {"stated": True, "followed": True, "contradicted": False, "crash": False}
    tables = {"stated": stated, "followed": followed, "contradicted": contradicted, "crash": crash}
    for name, table in tables.items():
        rows = read(history(tmp_path, table), tenors=["1m"], estimators=["close_close"])
        assert (DAYS[45].isoformat() in set(rows["date"])) is expected[name], name
    # whatever it says, a price does not double
    doubled = split_table(0.45).assign(**{"Stock Splits": 0.0})
    rows = read(history(tmp_path, doubled), tenors=["1m"], estimators=["close_close"])
    assert DAYS[45].isoformat() not in set(rows["date"])


def test_a_high_that_is_twice_the_low_is_no_range(tmp_path: Path) -> None:
    table = frame()
    table.loc[40, "high"] = 900.0
    rows, entries = realised_readings(
        history(tmp_path, table), series="s", tenors=["1m"], estimators=["close_close", "parkinson"]
    )
    of_day = rows[rows["date"] == DAYS[40].isoformat()]
    assert of_day["measure"].tolist() == ["realised_vol"]
    assert [entry.code for entry in entries if entry.is_failure] == [Code.PRICE_JUMP]
    assert f"high 900 and low {table['low'].iloc[40]:g} on {DAYS[40]}" in entries[-1].detail


# --- what is missing --------------------------------------------------------------------------------------


def test_a_window_with_a_missing_session_has_no_reading_but_a_reason(tmp_path: Path) -> None:
    found = history(tmp_path, frame().drop(index=[40, 41]))
    rows, entries = realised_readings(
        found, series="s", tenors=["1m"], estimators=["close_close", "yang_zhang"]
    )
    # the close of DAYS[41] is wanted by the window that begins on DAYS[42] too
    lost = {day.isoformat() for day in DAYS[40:63]}
    assert set(rows["date"]) == {day.isoformat() for day in DAYS[21:]} - lost
    early, gap = entries
    assert (early.code, early.count, early.date) == (Code.PRICES_EARLY, 21, DAYS[20])
    assert (gap.code, gap.count, gap.date) == (Code.PRICE_GAP, 23, DAYS[62])
    assert f"no price on {DAYS[40]}; no price on {DAYS[41]}" in gap.detail
    assert (gap.stage, gap.symbol, gap.source) == ("tenor", "QQQ", str(tmp_path / "QQQ.csv"))


def test_a_missing_open_is_a_gap_of_range_estimators_alone(tmp_path: Path) -> None:
    table = frame()
    table.loc[40, "open"] = np.nan
    found = history(tmp_path, table)
    rows, entries = realised_readings(
        found, series="s", tenors=["1m"], estimators=["close_close", "yang_zhang"]
    )
    by_measure = rows.groupby("measure")["date"].nunique()
    assert by_measure["realised_vol"] - by_measure["realised_vol_yang_zhang"] == 21
    assert [entry.code for entry in entries] == [Code.PRICES_EARLY, Code.PRICE_GAP]
    assert f"no open, high or low on {DAYS[40]}" in entries[1].detail


def test_the_reason_is_that_of_the_window_and_not_of_the_day_before_it(tmp_path: Path) -> None:
    table = frame()
    table.loc[40, "open"] = np.nan
    table.loc[61:, ["open", "high", "low", "close"]] *= 0.5
    found = history(tmp_path, table)
    wanted = {DAYS[61]}  # its window is DAYS[41] to DAYS[61]
    _, entries = realised_readings(found, series="s", tenors=["1m"], estimators=["yang_zhang"], days=wanted)
    assert [entry.code for entry in entries] == [Code.PRICE_JUMP]


def test_days_outside_the_prices(tmp_path: Path) -> None:
    found = history(tmp_path, frame())
    days = {dt.date(2025, 6, 2), DAYS[5], DAYS[30], dt.date(2026, 5, 1), dt.date(2026, 5, 4)}
    rows, entries = realised_readings(found, series="s", tenors=["1m"], days=days)
    assert set(rows["date"]) == {DAYS[30].isoformat()}
    assert [(entry.code, entry.count, entry.date, entry.is_failure) for entry in entries] == [
        (Code.PRICES_EARLY, 2, DAYS[5], False),
        (Code.PRICES_STALE, 2, dt.date(2026, 5, 4), True),
    ]


def test_prices_of_less_than_a_window(tmp_path: Path) -> None:
    rows, entries = realised_readings(history(tmp_path, frame()[:10]), series="s", tenors=["1m", "1d"])
    assert set(rows["tenor"]) == {"1d"}
    assert [(entry.code, entry.count) for entry in entries] == [
        (Code.PRICES_EARLY, 10),
        (Code.PRICES_EARLY, 1),
        (Code.WINDOW_SHORT, 10),
    ]
    assert "realised_vol_yang_zhang 1d: 1 of 2 sessions" in entries[2].detail


# --- implied over realised --------------------------------------------------------------------------------


def implied_rows(realised: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    base = realised[realised["measure"] == "realised_vol"]
    wanted = {"measure": "implied_vol", "delta": "0.25", "value": 0.2, "error": 0.001, "forward": 101.0}
    texts = {"method": "svi", "flags": "ROLL", "source": "chain.csv", "known_at": "2026-04-30T19:45:00Z"}
    return base.assign(**{**wanted, **texts, "expiry_before": "2026-06-19", "n_quotes": 80, **changes})


def test_the_ratio_is_that_of_one_tenor(tmp_path: Path) -> None:
    realised = read(history(tmp_path, frame()), tenors=["1m", "2m"])
    both = pd.concat([implied_rows(realised), implied_rows(realised, delta="0.75", value=0.3), realised])
    rows, entries = implied_over_realised(both, estimator="yang_zhang")
    assert entries == []
    assert list(rows.columns) == ["series", *COLUMNS]
    last = rows[(rows["date"] == rows["date"].max()) & (rows["tenor"] == "2m")].set_index("delta")
    mine = realised[
        (realised["date"] == realised["date"].max())
        & (realised["tenor"] == "2m")
        & (realised["measure"] == "realised_vol_yang_zhang")
    ].iloc[0]
    assert last["value"].to_dict() == {"0.25": 0.2 / mine["value"], "0.75": 0.3 / mine["value"]}
    row = last.loc["0.25"]
    # what was realised is a fact: the error is the implied vol's alone
    assert row["error"] == pytest.approx(0.001 / mine["value"], rel=1e-14)  # a few roundings
    assert (row["method"], row["flags"]) == ("svi over yang_zhang:41", "DIVIDENDS_UNKNOWN ROLL")
    assert (row["forward"], row["expiry_before"], row["n_quotes"]) == (101.0, "2026-06-19", 80)
    assert row["source"] == f"chain.csv, {tmp_path / 'QQQ.csv'}"
    assert row["known_at"] == "2026-04-30T20:00:00Z"  # of the close, later than the quotes
    assert len(conform(rows)) == len(rows)


def test_no_error_is_claimed_where_the_implied_vol_has_none(tmp_path: Path) -> None:
    realised = read(history(tmp_path, frame()), tenors=["1m"])
    both = pd.concat([implied_rows(realised, error=np.nan, flags=np.nan, known_at=np.nan), realised])
    rows, _ = implied_over_realised(both)
    assert rows["error"].isna().all()
    assert rows["value"].notna().all()
    assert set(rows["flags"]) == {"DIVIDENDS_UNKNOWN"}


def test_series_dates_and_symbols_are_not_mixed(tmp_path: Path) -> None:
    realised = read(history(tmp_path, frame()), tenors=["1m"])
    for change in ({"series": "15:45"}, {"symbol": "IWM"}, {"date": "2020-01-02"}, {"tenor": "3m"}):
        rows, entries = implied_over_realised(pd.concat([implied_rows(realised, **change), realised]))
        assert rows.empty, change
        assert entries == []
    assert implied_over_realised(realised)[0].empty


def test_nothing_is_divided_by_zero(tmp_path: Path) -> None:
    table = frame()
    table.loc[:, ["open", "high", "low", "close"]] = 50.0
    realised = read(history(tmp_path, table), tenors=["1m"])
    assert set(realised["value"]) == {0.0}
    rows, (entry,) = implied_over_realised(pd.concat([implied_rows(realised), realised]))
    assert rows.empty
    assert (entry.code, entry.count, entry.symbol) == (Code.REALISED_ZERO, len(DAYS) - 21, "QQQ")


def test_an_implied_vol_is_not_divided_by_a_session(tmp_path: Path) -> None:
    realised = read(history(tmp_path, frame()), tenors=["1m"])
    with pytest.raises(
        SettingsError, match="an implied vol is of whole days, and parkinson_session of sessions"
    ):
        implied_over_realised(realised, estimator="parkinson_session")
    with pytest.raises(SettingsError, match="no estimator"):
        realised_readings(history(tmp_path, frame()), series="s", estimators=["x"])
