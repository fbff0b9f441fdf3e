"""Conventions measured beside the headline, and a pair ranked under them from a store's rows."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Code
from volskew.market import sessions
from volskew.measures import measure
from volskew.quotes import read_chain
from volskew.settings import Settings
from volskew.surface import fit_surface
from volskew.workflow import measure_files
from volskew.workflow.conventions import (
    CONVENTIONS,
    conventions_beside,
    find_conventions,
    measure_conventions,
    months_later,
    rank_under_conventions,
    series_under,
    split_series,
    variant_panels,
)
from volskew.workflow.request import Request

SAMPLE = Path(__file__).parents[2] / "chains" / "quotes"
DAY = "2026-07-10"
RATE = Settings(rate=0.04)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return [SAMPLE / f"{symbol}_{DAY}_simulated.csv.gz" for symbol in ("QQQ", "IWM")]


@pytest.fixture(scope="module")
def measured(files: list[Path]) -> Any:
    request = Request(conventions=CONVENTIONS, deltas=("25c", "atmf"), tenors=("3m", "85d"))
    return measure_files(files, settings=RATE, request=request)


def test_the_list_is_sound() -> None:
    names = [convention.name for convention in CONVENTIONS]
    assert len(set(names)) == len(names)
    assert len({convention.words for convention in CONVENTIONS}) == len(names)
    for convention in CONVENTIONS:
        convention.settings_on(dt.date(2026, 7, 10), Settings())  # the settings accept it
        assert pickle.loads(pickle.dumps(convention)) == convention  # noqa: S301 - our own bytes
        with History("sqlite://") as history:  # its series can be stored
            assert series_under("close", convention.name) not in history.series_names()
        assert split_series(series_under("simulated:close", convention.name)) == (
            "simulated:close", convention.name,
        )  # fmt: skip


def test_the_headlines_own_conventions_are_not_beside_it() -> None:
    beside = {convention.name for convention in conventions_beside(Settings())}
    own = {"forward-delta", "91d", "svi-smile", "session-process"}
    assert {convention.name for convention in CONVENTIONS} - beside == own
    spot = {convention.name for convention in conventions_beside(Settings(delta_convention="spot"))}
    assert "forward-delta" in spot
    assert "spot-delta" not in spot
    essvi = {convention.name for convention in conventions_beside(Settings(smile_model="essvi"))}
    assert "svi-smile" not in essvi  # that would need a fit


def test_every_reading_is_read_again_in_a_series_of_its_own(measured: Any, files: list[Path]) -> None:
    """The twin: a run with the settings of the convention."""
    rows = measured.readings
    keys = ["symbol", "tenor", "delta"]
    names = ["value", "error", "forward", "expiry_before", "expiry_after", "n_quotes", "method", "flags",
             "method_version", "snapshot_time", "known_at", "source"]  # fmt: skip
    for convention in conventions_beside(RATE):
        settings = convention.settings_on(dt.date.fromisoformat(DAY), RATE)
        request = Request(deltas=("25c", "atmf"), tenors=("3m", "85d"))
        twin = measure_files(files, settings=settings, request=request).readings
        ours = rows[rows["series"] == f"simulated:close~{convention.name}"].set_index(keys)[names]
        theirs = twin.set_index(keys)[names].loc[ours.index]
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_a_convention_is_measured_where_it_says_something(measured: Any) -> None:
    rows = measured.readings
    counts = {name: len(group) for name, group in rows.groupby("series")}
    assert counts["simulated:close"] == 8
    assert counts["simulated:close~local-smile"] == 8
    assert counts["simulated:close~90d"] == 4  # of 3m alone
    assert counts["simulated:close~calendar-months"] == 4
    assert counts["simulated:close~spot-delta"] == 4  # of deltas alone
    assert counts["simulated:close~spot-90d-line"] == 8
    assert "simulated:close~91d" not in counts
    assert measured.sentence().startswith("8 readings, and 60 under other conventions, from 2 chains")


def test_the_headline_is_what_it_is_without_them(measured: Any, files: list[Path]) -> None:
    request = Request(deltas=("25c", "atmf"), tenors=("3m", "85d"))
    alone = measure_files(files, settings=RATE, request=request)
    own = measured.readings[measured.readings["series"] == "simulated:close"].reset_index(drop=True)
    other = alone.readings.sort_values(list(own.columns[:6]), ignore_index=True)
    own = own.sort_values(list(own.columns[:6]), ignore_index=True)
    pd.testing.assert_frame_equal(own, other, check_exact=True)
    assert alone.ledger.to_frame().equals(measured.ledger.to_frame())


def test_rows_are_the_same_from_several_processes(measured: Any, files: list[Path]) -> None:
    request = Request(conventions=CONVENTIONS, deltas=("25c", "atmf"), tenors=("3m", "85d"))
    two = measure_files(files, settings=RATE, request=request, jobs=2)
    pd.testing.assert_frame_equal(two.readings, measured.readings, check_exact=True)


def test_a_reading_that_a_convention_lacks_is_in_the_ledger_and_no_failure(files: list[Path]) -> None:
    """Without an expiry before the one at 98 days, 98 days are read at it and 90 cannot be."""
    quotes = read_chain(files[0])
    late = quotes[quotes["expiry"] >= pd.Timestamp("2026-10-16", tz="UTC")]
    surface = fit_surface(late, settings=RATE.replace(three_month_days=98))
    headline = measure(surface)
    assert len(headline) == 1
    frame, entries = measure_conventions(
        surface,
        headline,
        series="close",
        conventions=find_conventions(["90d", "spot-delta"]),
        source="a file",
    )
    assert frame["series"].tolist() == ["close~spot-delta"]
    assert [entry.code for entry in entries] == [Code.CONVENTION_MISSING]
    assert not entries[0].is_failure
    assert entries[0].detail.startswith("implied_vol 3m 0.25 under 90d: 3m 25c: no expiry that passes")


def test_a_pair_is_ranked_under_conventions_from_the_rows_of_a_store() -> None:
    days = sessions(dt.date(2025, 1, 2), dt.date(2026, 3, 31))
    rows = pd.concat(
        [
            _rows("close", days, {"QQQ": 0.20, "IWM": 0.22}),
            _rows("close~spot-delta", days[-20:], {"QQQ": 0.201, "IWM": 0.222}),
            _rows("close~90d", days[-20:], {"QQQ": 0.199, "IWM": 0.22}),
            _rows("other~90d", days[-20:], {"QQQ": 0.3, "IWM": 0.4}),
        ],
        ignore_index=True,
    )
    reading: dict[str, Any] = {"measure": "implied_vol", "tenor": "3m", "delta": "0.25"}
    with History("sqlite://") as history:
        history.add(rows)
        panel = history.panel(series="close", symbols=["QQQ", "IWM"], **reading)
        variants = variant_panels(history, series="close", symbols=["QQQ", "IWM"], **reading)
    assert set(variants) == {"spot-delta", "90d"}
    found = rank_under_conventions(panel, variants, pair=("QQQ", "IWM"), series="close", **reading)
    assert found.conventions.n == 2
    row = next(
        row
        for row in found.table.to_dict("records")
        if (row["convention"], row["form"]) == ("spot-delta", "log_ratio")
    )
    assert row["words"] == "spot delta"
    assert (row["n_measured"], row["n_carried"]) == (20, len(panel) - 20)
    assert row["difference_a"] == pytest.approx(0.001 * 1.1)  # the last day's vols are a tenth higher
    assert f"measured on 20 of {len(panel)} sessions" in found.sentence


def _rows(series: str, days: pd.DatetimeIndex, vols: dict[str, float]) -> pd.DataFrame:
    """History rows whose vols rise by a tenth on the last day."""
    last = days == days[-1]
    parts = [
        pd.DataFrame(
            {
                "series": series, "date": days.strftime("%Y-%m-%d"), "symbol": symbol,
                "measure": "implied_vol", "tenor": "3m", "delta": "0.25",
                "value": vol * (1 + 0.1 * last), "error": 0.001,
            }
        )
        for symbol, vol in vols.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_calendar_months_end_with_the_month() -> None:
    spans = {months_later(dt.date(2024, 1, 1) + dt.timedelta(days=n), 3) for n in range(1500)}
    assert spans == {89, 90, 91, 92}  # all that the settings accept
    assert months_later(dt.date(2024, 11, 30), 3) == 90  # 28 February
    assert months_later(dt.date(2023, 11, 29), 3) == 92  # 29 February


def test_conventions_that_do_not_exist_are_refused() -> None:
    assert [convention.name for convention in find_conventions(["90d", "90d"])] == ["90d"]
    with pytest.raises(
        SettingsError, match=r"no convention is called 'spot'; there is forward-delta, spot-delta"
    ):
        find_conventions(["90d", "spot"])
