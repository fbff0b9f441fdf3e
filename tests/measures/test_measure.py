from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from volskew.errors import SettingsError
from volskew.market import session_close
from volskew.measures import COLUMNS, MEASURES, measure, missing
from volskew.quotes.schema import conform
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface


@pytest.fixture(scope="module")
def surface() -> Surface:
    """A chain of a flat 20 % vol, two expiries, cent quotes."""
    close = session_close(dt.date(2026, 7, 10))
    parts = []
    for days in (77, 105):
        strikes = np.arange(80.0, 121.0)
        forward, s, discount = 100.0, 0.2 * np.sqrt(days / 365), np.exp(-0.04 * days / 365)
        d1 = np.log(forward / strikes) / s + s / 2
        call = discount * (forward * ndtr(d1) - strikes * ndtr(d1 - s))
        for is_call, price in ((True, call), (False, call - discount * (forward - strikes))):
            parts.append(
                pd.DataFrame(
                    {
                        "expiry": close + pd.Timedelta(days=days),
                        "strike": strikes,
                        "is_call": is_call,
                        "bid": np.floor(price * 100) / 100,
                        "ask": np.floor(price * 100) / 100 + 0.01,
                    }
                )
            )
    quotes = pd.concat(parts, ignore_index=True).assign(
        snapshot_time=close,
        symbol="XYZ",
        root="XYZ",
        settlement="PM",
        exercise="european",
        underlying_price=99.0,
        source_file="b.csv",
        source_row=lambda frame: np.arange(len(frame)) + 2,
    )
    quotes.loc[quotes.index[::2], "source_file"] = "a.csv"
    return fit_surface(conform(quotes), settings=Settings(rate=0.04))


def test_rows_are_complete(surface: Surface) -> None:
    rows = measure(surface)
    assert tuple(rows.columns) == COLUMNS
    (row,) = rows.to_dict("records")
    assert row["value"] == pytest.approx(0.20, abs=1e-4)  # cents over a vega of 15 dollars and more
    # the noise of cent quotes is far below that; but two expiries do not tell what lies between them
    assert 1e-6 < row["error"] < 2e-3
    assert row["forward"] == pytest.approx(100, rel=1e-4)
    assert row == row | {
        "date": "2026-07-10",
        "symbol": "XYZ",
        "measure": "implied_vol",
        "tenor": "3m",
        "delta": "0.25",
        "expiry_before": "2026-09-25",
        "expiry_after": "2026-10-23",
        "method": "svi european-exercise parity:median rate=flat:0.0400",
        "flags": "",
        "snapshot_time": "2026-07-10T20:00:00Z",
        "known_at": "2026-07-10T20:00:00Z",
        "method_version": Settings(rate=0.04).method_version,
        "source": "a.csv, b.csv",
    }
    assert row["n_quotes"] > 10
    assert rows["n_quotes"].dtype == "int64"
    for column in ("value", "error", "forward"):
        assert rows[column].dtype == "float64"
    assert measure(surface)["value"].iloc[0] == surface.vol(tenor="3m", delta=0.25).value


def test_spellings_are_canonical_and_asked_for_once(surface: Surface) -> None:
    rows = measure(surface, tenors=(" 3M", "3m", "91d"), deltas=("25c", 0.25, "25p", "50"))
    assert rows["tenor"].tolist() == ["3m"] * 3 + ["91d"] * 3
    assert rows["delta"].tolist() == ["0.25", "0.75", "0.5"] * 2
    assert not rows.duplicated(["measure", "tenor", "delta"]).any()
    assert missing(surface, tenors=("3m",), deltas=("25c", "25p")) == []


def test_the_strike_at_the_forward_is_measured_by_its_name(surface: Surface) -> None:
    rows = measure(surface, deltas=("ATMF", "25c", "atmf"))
    assert rows["delta"].tolist() == ["atmf", "0.25"]
    assert rows["value"].tolist() == [surface.vol(delta=delta).value for delta in ("atmf", "25c")]
    (entry,) = (entry for entry in missing(surface, tenors=("1y",), deltas=("atmf",)) if entry.is_failure)
    assert entry.detail.startswith("1y atmf: ")


def test_what_cannot_be_read_is_an_entry_and_no_row(surface: Surface) -> None:
    asked: dict[str, Any] = {"tenors": ("1m", "3m", "1y"), "deltas": ("25c", "50")}
    rows, entries = measure(surface, **asked), missing(surface, **asked)
    assert rows["tenor"].tolist() == ["3m", "3m"]
    failures = [entry for entry in entries if entry.is_failure]
    assert [(entry.code, entry.detail.split(":")[0]) for entry in failures] == [
        ("NO_EXPIRY_BEFORE", "1m 25c"),
        ("NO_EXPIRY_BEFORE", "1m 50"),
        ("NO_EXPIRY_AFTER", "1y 25c"),
        ("NO_EXPIRY_AFTER", "1y 50"),
    ]
    assert {(entry.date, entry.symbol, entry.stage, entry.source) for entry in failures} == {
        (dt.date(2026, 7, 10), "XYZ", "tenor", "a.csv, b.csv")
    }
    none = measure(surface, tenors=("1y",))
    assert none.empty
    assert tuple(none.columns) == COLUMNS


def test_unknown_names_are_refused(surface: Surface) -> None:
    with pytest.raises(SettingsError, match="implied_vol"):
        measure(surface, measures=("panic",))
    with pytest.raises(SettingsError):
        measure(surface, tenors=("soon",))
    with pytest.raises(SettingsError):
        missing(surface, deltas=("25",))


def test_the_registry_names_each_measure_once() -> None:
    assert set(MEASURES) == {item.name for item in MEASURES.values()}
    assert all(item.title for item in MEASURES.values())


def test_measures_without_delta_have_one_row(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    from volskew.measures import keys

    level = replace(
        MEASURES["implied_vol"],
        name="level",
        delta="none",
        read=lambda surface, tenor, delta: surface.vol(tenor),
    )
    monkeypatch.setattr(keys, "find_measure", lambda _: level)
    rows = measure(surface, deltas=("25c", "50"), measures=("level",))
    assert rows["delta"].tolist() == ["-"]
