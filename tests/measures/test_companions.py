"""Skews, slopes, forward vols and bounds: values by hand, signs, identities, errors, and what is missing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from volskew.errors import SettingsError
from volskew.history import History
from volskew.history.columns import conform
from volskew.history.interchange import csv_text
from volskew.measures import MEASURES, combinations, measure, measures, missing
from volskew.measures.skew import Skew
from volskew.quotes.read import read_file
from volskew.settings import Settings
from volskew.surface import Estimate, Surface, fit_surface

Floats = NDArray[np.float64]
SETTINGS = Settings(rate=0.04)
EVERYTHING: dict[str, Any] = {
    "measures": list(MEASURES), "tenors": ["3m", "1m-3m"], "deltas": ["25c", "25p"]
}  # fmt: skip


def read(surface: Surface, name: str, tenor: str = "3m", delta: str = "0.25") -> Estimate:
    MEASURES[name].check(tenor=tenor, delta=delta)
    return MEASURES[name].read(surface, tenor=tenor, delta=delta)


def vol(surface: Surface, delta: float | str, tenor: str = "3m") -> float:
    return surface.vol(tenor, delta).value


# --- values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wing", [0.1, 0.25])
def test_skews_are_by_their_formulas(skewed: Surface, wing: float) -> None:
    call, middle, put = (vol(skewed, delta) for delta in (wing, 0.5, 1 - wing))
    expected = {
        "call_skew": call - middle,
        "put_skew": put - middle,
        "risk_reversal": call - put,
        "butterfly": (call + put) / 2 - middle,
    }
    for name, value in expected.items():
        key = repr(1 - wing) if name == "put_skew" else repr(wing)
        assert read(skewed, name, delta=key).value == pytest.approx(value, abs=1e-16)
        over = read(skewed, f"{name}_normalized", delta=key)
        assert over.value == pytest.approx(value / middle, rel=1e-13)
    for delta, own in ((wing, call), (1 - wing, put)):
        assert read(skewed, "log_skew", delta=repr(delta)).value == pytest.approx(math.log(own / middle))


def test_signs_are_those_of_a_smile_that_falls(skewed: Surface) -> None:
    assert read(skewed, "call_skew").value < 0
    assert read(skewed, "put_skew", delta="0.75").value > 0
    assert read(skewed, "risk_reversal").value < 0
    assert read(skewed, "butterfly").value > 0
    assert read(skewed, "term_slope", "1m-3m").value > 0


def test_identities_hold_to_rounding(skewed: Surface) -> None:
    call, put = read(skewed, "call_skew").value, read(skewed, "put_skew", delta="0.75").value
    # three roundings of numbers near 0.2
    assert read(skewed, "risk_reversal").value == pytest.approx(call - put, abs=1e-16)
    assert read(skewed, "butterfly").value == pytest.approx((call + put) / 2, abs=1e-16)
    log, over = read(skewed, "log_skew").value, read(skewed, "call_skew_normalized").value
    assert math.exp(log) == pytest.approx(1 + over, rel=1e-15)


def test_a_log_ratio_is_level_and_skew(skewed: Surface, skewed_quotes: pd.DataFrame) -> None:
    """Of two symbols: ln(a/b) at the wing is that at the middle and the difference of the log skews."""
    dearer = skewed_quotes.assign(strike=skewed_quotes["strike"] * 2, underlying_price=198.0)
    dearer[["bid", "ask"]] = skewed_quotes[["bid", "ask"]] * 2
    wider = dearer.loc[dearer["strike"] % 4 == 0].reset_index(drop=True)
    other = fit_surface(wider, settings=SETTINGS)
    for delta in ("0.25", "0.75"):
        whole = math.log(vol(skewed, delta) / vol(other, delta))
        level = math.log(vol(skewed, 0.5) / vol(other, 0.5))
        skew = read(skewed, "log_skew", delta=delta).value - read(other, "log_skew", delta=delta).value
        assert whole == pytest.approx(level + skew, abs=5e-16)


def test_slopes_and_forward_vols_are_by_their_formulas(skewed: Surface) -> None:
    first, last = vol(skewed, 0.25, "1m"), vol(skewed, 0.25, "3m")
    slope = read(skewed, "term_slope", "1m-3m")
    assert slope.value == pytest.approx(last - first, abs=1e-16)
    assert (slope.details["vol_start"], slope.details["vol_end"]) == (first, last)
    between = read(skewed, "forward_vol", "1m-3m")
    assert between.value == pytest.approx(math.sqrt((last**2 * 91 - first**2 * 30) / 61), rel=1e-13)
    assert between == skewed.forward_vol(start="1m", end="3m", delta=0.25)


def test_bounds_are_those_of_the_reading(skewed: Surface) -> None:
    reading = skewed.vol("3m", "25c")
    low, high = (read(skewed, f"implied_vol_{side}") for side in ("bid", "ask"))
    assert (low.value, high.value) == (reading.details["bid"], reading.details["ask"])
    assert low.value < reading.value < high.value
    for bound in (low, high):
        assert bound.error is None
        assert bound.flags == ("BOUND",)
        assert bound.method == reading.method


# --- errors -----------------------------------------------------------------------------------------------


def numeric_gradient(skew: Skew, vols: Floats, weights: list[float]) -> Floats:
    steps = np.eye(len(vols)) * 1e-6
    return np.array(
        [(skew.number(vols + h, weights)[0] - skew.number(vols - h, weights)[0]) / 2e-6 for h in steps]
    )


@pytest.mark.parametrize("form", ["difference", "normalized", "log"])
def test_gradients_are_those_of_small_steps(form: Any) -> None:
    skew = Skew(1.0, -1.0, 0.0, form) if form != "log" else Skew(0.0, 0.0, 0.0, form)
    places = skew.places(0.25)
    vols, weights = np.array([0.17, 0.22, 0.19])[: len(places)], [weight for _, weight in places]
    _, gradient = skew.number(vols, weights)
    # central differences of step 1e-6: rounding 1e-10, curvature 1e-11
    np.testing.assert_allclose(gradient, numeric_gradient(skew, vols, weights), atol=1e-8)


def test_errors_are_joint(skewed: Surface) -> None:
    joint = skewed.joint([("3m", 0.25), ("3m", 0.75), ("3m", 0.5)])
    call, put, middle = joint.vols
    gradients = {
        "call_skew": [1, 0, -1],
        "risk_reversal": [1, -1, 0],
        "butterfly": [0.5, 0.5, -1],
        "risk_reversal_normalized": [1 / middle, -1 / middle, -(call - put) / middle**2],
        "butterfly_normalized": [0.5 / middle, 0.5 / middle, -(call + put) / 2 / middle**2],
        "log_skew": [1 / call, 0, -1 / middle],
    }
    for name, gradient in gradients.items():
        g = np.array(gradient, dtype=np.float64)
        error = read(skewed, name).error
        assert error is not None
        assert error == pytest.approx(math.sqrt(g @ joint.covariance @ g), rel=1e-9)
        assert error > 0
        apart = math.sqrt(g**2 @ np.diagonal(joint.covariance))
        assert error < apart


def test_what_a_slope_shares_with_itself_cancels(skewed: Surface) -> None:
    near, far = (read(skewed, "term_slope", span) for span in ("88d-3m", "1m-3m"))
    assert near.error is not None
    assert far.error is not None
    assert near.error < 0.5 * far.error


# --- rows, keys, and what is missing ----------------------------------------------------------------------


def test_every_measure_has_its_row(skewed: Surface) -> None:
    rows = measure(skewed, **EVERYTHING)
    keys = rows[["measure", "tenor", "delta"]].apply(tuple, axis=1).tolist()
    assert keys == [(item.name, tenor, delta) for item, tenor, delta in combinations(**EVERYTHING)]
    assert set(rows["measure"]) == set(MEASURES)
    named = rows.set_index(["measure", "delta"])
    assert named.loc[("put_skew", "0.75"), "tenor"] == "3m"
    assert named.loc[("term_slope", "0.25"), "tenor"] == "1m-3m"
    assert ("call_skew", "0.75") not in named.index
    bounds = rows["measure"].str.startswith("implied_vol_")
    assert rows.loc[bounds, "error"].isna().all()
    assert (rows.loc[~bounds, "error"] > 0).all()
    assert (rows["n_quotes"] > 5).all()
    assert (rows["forward"] - 100).abs().max() < 0.01
    slopes = rows[rows["tenor"] == "1m-3m"]
    # around 30 days and around 91
    assert set(slopes["expiry_before"]) == {"2026-07-31"}
    assert set(slopes["expiry_after"]) == {"2026-10-23"}
    assert missing(skewed, **EVERYTHING) == []


def test_rows_go_into_the_store_and_back(skewed: Surface, tmp_path: Path) -> None:
    rows = measure(skewed, **EVERYTHING)
    with History("sqlite://") as history:
        history.add(rows, series="close")
        for row in rows.itertuples():
            panel = history.panel(
                series="close", measure=str(row.measure), tenor=str(row.tenor), delta=str(row.delta)
            )
            assert panel["XYZ"].iloc[0] == pytest.approx(row.value, abs=5e-9)  # eight decimals
        spelled = history.panel(series="close", measure="term_slope", tenor=" 1M-3M ", delta="25c")
        assert len(spelled) == 1
        table = history.table(series="close")
        file = tmp_path / "history.csv"
        file.write_text(csv_text(table), encoding="utf-8")
        history.add(pd.read_csv(file, dtype={"delta": str}))
        pd.testing.assert_frame_equal(history.table(series="close"), table)
    assert csv_text(conform(pd.read_csv(file, dtype={"delta": str}))) == file.read_text(encoding="utf-8")


def test_what_is_missing_is_the_entry_of_its_part(skewed: Surface) -> None:
    asked: dict[str, Any] = {"tenors": ["1y", "3m-1y"], "deltas": ["25c", "25p"]}
    names = ["call_skew", "risk_reversal", "butterfly", "log_skew", "term_slope", "forward_vol"]
    assert measure(skewed, measures=names, **asked).empty
    entries = [entry for entry in missing(skewed, measures=names, **asked) if entry.is_failure]
    assert [entry.detail.split(":")[0] for entry in entries] == ["1y 25c", "1y 50", "1y 25p"]  # each once
    assert {entry.code for entry in entries} == {"NO_EXPIRY_AFTER"}
    reading = read(skewed, "risk_reversal", "1y")
    assert reading.flags == ("NO_EXPIRY_AFTER",)
    assert reading.details["reason"].startswith("1y 0.25: no expiry")


def test_falling_variance_is_the_entry_of_a_forward_vol(skewed_quotes: pd.DataFrame) -> None:
    """Expiries of 42 days at 18 % and of 105 days priced at a third of that time."""
    days = (skewed_quotes["expiry"] - skewed_quotes["snapshot_time"]).dt.days
    early, late = (skewed_quotes[days == kept].copy() for kept in (42, 140))
    late[["bid", "ask"]] = early[["bid", "ask"]].to_numpy() - 0.5
    late.loc[late["bid"] <= 0, "bid"] = 0.0
    late = late[late["ask"] > 0.1]
    surface = fit_surface(pd.concat([early, late], ignore_index=True), settings=SETTINGS)
    reading = read(surface, "forward_vol", "42d-140d")
    assert reading.flags == ("CAL_ARB",)
    assert read(surface, "term_slope", "42d-140d").is_read
    entry, *_ = missing(surface, measures=["forward_vol"], tenors=["42d-140d"], deltas=["25c"])
    assert (entry.code, entry.stage) == ("CAL_ARB", "tenor")
    assert entry.detail.startswith("42d-140d 0.25: total variance falls from")
    assert missing(surface, measures=["term_slope"], tenors=["42d-140d"], deltas=["25c"]) == []


def test_a_local_fit_has_no_bounds(skewed_quotes: pd.DataFrame) -> None:
    surface = fit_surface(skewed_quotes, settings=SETTINGS.replace(smile_model="local"))
    assert read(surface, "implied_vol").is_read
    assert read(surface, "implied_vol_bid").flags == ("NO_BOUND",)
    entry, *_ = missing(surface, measures=["implied_vol_ask"])
    assert (entry.code, entry.is_failure) == ("NO_BOUND", True)
    assert entry.detail.startswith("3m 0.25: no vol from all asks")
    assert measure(surface, measures=["implied_vol_bid"]).empty
    unread, *_ = missing(surface, measures=["implied_vol_bid"], tenors=["2y"])
    assert unread.code == "NO_EXPIRY_AFTER"


def test_strikes_and_parts_are_in_the_details(skewed: Surface) -> None:
    found = read(skewed, "risk_reversal").details
    assert found["strike"] == skewed.vol("3m", "25c").details["strike"]
    assert (found["vol_25c"], found["vol_25p"]) == (vol(skewed, 0.25), vol(skewed, 0.75))
    over = read(skewed, "risk_reversal_normalized").details
    assert over["vol_50"] == vol(skewed, 0.5)
    assert (found["tenor"], found["delta"], found["symbol"]) == ("3m", "0.25", "XYZ")


# --- which keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "tenors", "deltas", "words"),
    [
        (["term_slope"], ["3m"], ["25c"], "term_slope is read at a span of two tenors.*1m-3m; got 3m"),
        (["implied_vol"], ["1m-3m"], ["25c"], "implied_vol is read at one tenor, such as 3m; got 1m-3m"),
        (["call_skew"], ["3m"], ["25p"], r"call_skew is read at a call delta, such as 25c \(0.25\); got 25p"),
        (["put_skew"], ["3m"], ["25c", "50"], "put_skew is read at a put delta.*got 25c, 50"),
        (["risk_reversal"], ["3m"], ["25p"], "risk_reversal is read at a call delta"),
        (["butterfly"], ["3m"], ["atmf"], "butterfly is read at a call delta"),
        (["log_skew"], ["3m"], ["50"], "log_skew is read at a call or put delta"),
        (["term_slope"], ["3m-1m"], ["25c"], "the shorter tenor first; got '3m-1m'"),
        (["term_slope"], ["1m-3m", "6m"], ["25c"], "term_slope cannot be read at 6m"),
        (["call_skew"], ["3m"], ["25c", "25p"], "call_skew cannot be read at 25p: accepted is a call delta"),
        (["implied_vol"], ["3m"], [], "got no delta"),
        (["implied_vol"], [], ["25c"], "got no tenor"),
        (["skewness"], ["3m"], ["25c"], "no measure is called 'skewness'; there is butterfly"),
        (["implied_vol"], ["1m-"], ["25c"], "is no tenor"),
        (["term_slope"], ["1m-3m-6m"], ["25c"], "is no span of tenors"),
    ],
)
def test_keys_that_no_measure_has_are_refused(
    names: list[str], tenors: list[str], deltas: list[str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        combinations(measures=names, tenors=tenors, deltas=deltas)


def test_a_single_key_is_checked_too() -> None:
    with pytest.raises(SettingsError, match="put_skew is read at a put delta"):
        MEASURES["put_skew"].check(tenor="3m", delta="25c")
    with pytest.raises(SettingsError, match="forward_vol is read at a span"):
        MEASURES["forward_vol"].check(tenor="3m", delta="25c")


def test_each_measure_takes_what_is_its_own() -> None:
    found = combinations(
        measures=["implied_vol", "put_skew", "term_slope"],
        tenors=["3M", "1m-3m"],
        deltas=["25c", 0.75, "25p"],
    )
    assert [(item.name, tenor, delta) for item, tenor, delta in found] == [
        ("implied_vol", "3m", "0.25"),
        ("implied_vol", "3m", "0.75"),
        ("put_skew", "3m", "0.75"),
        ("term_slope", "1m-3m", "0.25"),
        ("term_slope", "1m-3m", "0.75"),
    ]


def test_spans_are_of_the_settings_tenors() -> None:
    """Three months of 90 days are less than 91."""
    asked: dict[str, Any] = {"measures": ["term_slope"], "tenors": ["3m-91d"], "deltas": ["25c"]}
    with pytest.raises(SettingsError, match="shorter tenor first"):
        combinations(**asked)
    assert combinations(**asked, settings=Settings(three_month_days=90))


def test_the_list_of_measures_says_what_each_is() -> None:
    table = measures().set_index("name")
    assert list(table.index) == list(MEASURES)
    assert set(table["unit"]) == {"vol", "number"}
    assert (table["unit"] == "number").tolist() == [
        name.endswith("_normalized") or name == "log_skew" for name in table.index
    ]
    assert table.notna().all(axis=None)


# --- real chains ------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", ["generic/QQQ_2026-07-10.csv.gz", "generic/IWM_2026-07-10.csv.gz"])
def test_a_real_chain_has_every_measure(real: Path, name: str) -> None:
    quotes = next(iter(read_file(real / name))).quotes
    surface = fit_surface(quotes)
    rows = measure(surface, **EVERYTHING).set_index(["measure", "delta"])
    assert set(rows.index.get_level_values(0)) == set(MEASURES)
    value, error = rows["value"].to_dict(), rows["error"].to_dict()
    assert value["risk_reversal", "0.25"] < 0 < value["butterfly", "0.25"]  # equity puts are dearer
    # joint: some hundredths of a point on liquid funds
    for skew in ("call_skew", "risk_reversal", "butterfly"):
        assert 1e-6 < error[skew, "0.25"] < 5e-4


@pytest.mark.real
@pytest.mark.slow
def test_a_vendors_vols_have_skews_without_errors_and_no_bounds(real: Path) -> None:
    quotes = next(iter(read_file(real / "vendor_iv/QQQ_2026-05-25_2026-07-31.csv.gz"))).quotes
    first = quotes["snapshot_time"] == quotes["snapshot_time"].min()
    surface = fit_surface(quotes[first].reset_index(drop=True))
    reading = read(surface, "risk_reversal")
    assert reading.is_read
    assert reading.error is None
    assert "NO_QUOTES" in reading.flags
    assert read(surface, "implied_vol_bid").flags == ("NO_BOUND",)
