"""Prices that have their dividends out: told by columns, or against them by the nights before ex-dates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market import sessions
from volskew.market.payments import Payment, PaymentList
from volskew.market.price_adjustment import find_adjustment
from volskew.market.pricefile import parse_prices
from volskew.market.pricefiles import PriceTable, read_prices
from volskew.measures.realised_moves import adjusted_prices
from volskew.measures.realised_readings import realised_readings

DAYS = [day.date() for day in sessions(dt.date(2024, 1, 2), dt.date(2025, 12, 31))]
EX = range(40, 480, 60)
NIGHT = 0.004


def prices(*, adjusted: bool, cash: float = 3.0) -> pd.DataFrame:
    """A share at 100 that pays `cash` eight times, as it was traded or with all of it taken out before."""
    rng = np.random.default_rng(2)
    paid = np.zeros(len(DAYS))
    paid[list(EX)] = cash
    nights, moves = rng.normal(0.0, NIGHT, len(DAYS)), rng.normal(0.0, 0.01, len(DAYS))
    close, opens = np.empty(len(DAYS)), np.empty(len(DAYS))
    last = 100.0
    for place in range(len(DAYS)):
        opens[place] = (last - paid[place]) * np.exp(nights[place])
        last = close[place] = opens[place] * np.exp(moves[place])
    if adjusted:  # each close before an ex-date is worth that much less
        before = np.concatenate([[np.inf], close[:-1]])
        factor = 1.0 - paid / before
        scale = np.concatenate([np.cumprod(factor[::-1])[::-1][1:], [1.0]])
        close, opens = close * scale, opens * scale
    return pd.DataFrame(
        {
            "Date": [day.isoformat() for day in DAYS],
            "Open": opens,
            "High": np.maximum(opens, close),
            "Low": np.minimum(opens, close),
            "Close": close,
            "Volume": 1,
            "Dividends": paid,
            "Stock Splits": 0.0,
        }
    )


def table(folder: Path, frame: pd.DataFrame) -> PriceTable:
    path = folder / "QQQ.csv"
    frame.to_csv(path, index=False)
    return read_prices(path)


def paid(cash: float = 3.0) -> PaymentList:
    payments = tuple(Payment(DAYS[place], cash, None, False, "divs.csv", 2) for place in EX)
    return PaymentList(payments, dt.date(2023, 1, 1))


def last_vol(prices_of: PriceTable, payments: PaymentList | None) -> float:
    history = prices_of.history("QQQ")
    assert history is not None
    rows, _ = realised_readings(
        history, series="close", tenors=["1y"], estimators=["close_close"], dividends=payments
    )
    return float(rows["value"].iloc[-1])


def test_dividends_are_not_taken_out_twice(tmp_path: Path) -> None:
    found = table(tmp_path, prices(adjusted=True))
    history = found.history("QQQ")
    assert history is not None
    assert history.is_adjusted.all()
    assert [(entry.symbol, entry.code, entry.is_failure) for entry in found.entries] == [
        ("QQQ", Code.PRICES_ADJUSTED, False)
    ]
    assert "over 8 ex-dates" in found.entries[0].detail
    assert last_vol(found, paid()) == last_vol(found, None)
    as_traded = table(tmp_path, prices(adjusted=False).drop(columns="Dividends"))
    # backward factors make of a day's return that of the price with its dividend, to rounding
    assert last_vol(found, paid()) == pytest.approx(last_vol(as_traded, paid()), rel=1e-9)
    assert last_vol(as_traded, None) > 1.02 * last_vol(as_traded, paid())


def test_falls_on_ex_dates_speak_against_the_columns(tmp_path: Path) -> None:
    found = table(tmp_path, prices(adjusted=False))
    history = found.history("QQQ")
    assert history is not None
    assert not history.is_adjusted.any()
    assert [entry.code for entry in found.entries] == [Code.PRICES_UNADJUSTED]
    assert adjusted_prices(history, paid()).dividends.sum() == pytest.approx(3.0 * len(EX))


@pytest.mark.parametrize(("adjusted", "expected"), [(True, 0.0), (False, 1.0)])
def test_the_fall_is_told_within_its_error(adjusted: bool, expected: float) -> None:
    text = prices(adjusted=adjusted).to_csv(index=False)
    found = find_adjustment(parse_prices(text, source="QQQ.csv", symbol="QQQ")["QQQ"])
    assert found is not None
    assert found.n_dividends == len(EX)
    assert abs(found.fall - expected) < 4.0 * found.error
    # eight dividends of some 3 % against nights of 0.4 %
    assert 0.02 < found.error < 0.1


def test_without_firm_evidence_the_columns_rule(tmp_path: Path) -> None:
    frame = prices(adjusted=False, cash=0.05)  # a twentieth of a per cent is lost in the nights
    assert [entry.code for entry in table(tmp_path, frame).entries] == [Code.PRICES_ADJUSTED]
    short = table(tmp_path, prices(adjusted=True).iloc[EX[0] : EX[0] + 2])
    assert [entry.code for entry in short.entries] == [Code.PRICES_ADJUSTED]
    assert "its nights do not tell" in short.entries[0].detail


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(Dividends=0.0),
        lambda frame: frame.assign(Dividends=""),
        lambda frame: frame.drop(columns="Dividends"),
        lambda frame: frame.assign(**{"Adj Close": frame["Close"] * 0.9}),
    ],
    ids=["none paid", "empty", "no column", "adjusted closes beside"],
)
def test_other_files_are_as_they_were(tmp_path: Path, change: object) -> None:
    assert callable(change)
    found = table(tmp_path, change(prices(adjusted=True)))
    history = found.history("QQQ")
    assert history is not None
    assert not history.is_adjusted.any()
    assert not found.entries


def test_dividends_need_not_be_known_of_adjusted_prices(tmp_path: Path) -> None:
    for adjusted, flags in ((True, {""}), (False, {"DIVIDENDS_UNKNOWN"})):
        history = table(tmp_path, prices(adjusted=adjusted)).history("QQQ")
        assert history is not None
        rows, _ = realised_readings(history, series="close", estimators=["close_close"])
        assert set(rows["flags"]) == flags


@pytest.mark.parametrize("cell", ["-1", "much", "nan%"])
def test_a_dividend_that_is_none_is_refused(tmp_path: Path, cell: str) -> None:
    frame = prices(adjusted=True).astype({"Dividends": object})
    frame.loc[3, "Dividends"] = cell
    with pytest.raises(InputError, match="not a dividend") as error:
        table(tmp_path, frame)
    assert error.value.row == 5
