"""The drill-down: lines against their smile, the grid, one reading with its parts, what a chart shows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, SettingsError
from volskew.settings import Settings
from volskew.workflow import explain_readings, grid_table, measure_files, picture_smiles, vols_table
from volskew.workflow.request import Request

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"
_SETTINGS = Settings(rate=0.04)


@pytest.fixture(scope="module")
def file() -> Path:
    return max(_QUOTES.glob("QQQ_*.csv.gz"))


@pytest.fixture(scope="module")
def vols(file: Path) -> pd.DataFrame:
    table, _ = vols_table(file, settings=_SETTINGS)
    return table


def test_a_line_says_how_far_it_lies_from_its_smile(vols: pd.DataFrame) -> None:
    served = vols[vols["used_in_smile"]]
    assert served["smile_vol"].notna().all()
    bid, mid, ask, smile, residual = (
        served[name].to_numpy(dtype=np.float64)
        for name in ("vol_bid", "vol_mid", "vol_ask", "smile_vol", "residual_half_spreads")
    )
    half = (ask - bid) / 2
    off = (mid - smile) / np.maximum(half, 0.0005)
    # where half a tick is worth more than the half-spread, the residual is smaller than this
    assert (np.abs(residual) <= np.abs(off) + 1e-9).all()
    wide = half > 0.002
    assert residual[wide] == pytest.approx(off[wide], abs=1e-9)  # the same quotient
    assert np.median(np.abs(residual)) < 0.5


def test_no_smile_is_claimed_beyond_its_quotes(vols: pd.DataFrame) -> None:
    for _, lines in vols.groupby("expiry"):
        strikes = lines.loc[lines["used_in_smile"], "strike"]
        beyond = (lines["strike"] < strikes.min()) | (lines["strike"] > strikes.max())
        assert lines.loc[beyond, "smile_vol"].isna().all()
        assert lines.loc[~beyond, "smile_vol"].notna().all()


def test_the_delta_of_a_line_is_that_of_its_smile_vol(vols: pd.DataFrame) -> None:
    from volskew.pricing import black

    known = vols[vols["smile_vol"].notna()]
    delta = black.delta(
        forward=known["forward"],
        strike=known["strike"],
        time_to_expiry=known["time_to_expiry"],
        vol=known["smile_vol"],
    )
    # two normal distribution functions, each right to some ulps
    assert known["forward_call_delta"].to_numpy() == pytest.approx(np.asarray(delta), abs=1e-14)


def test_the_grid_holds_the_readings(file: Path) -> None:
    table, inputs = grid_table(file, tenors=["3m", "2y"], deltas=["25c", 0.5], settings=_SETTINGS)
    assert inputs.problems == []
    assert table[["tenor", "delta"]].to_numpy().tolist() == [
        ["3m", "0.25"], ["3m", "0.5"], ["2y", "0.25"], ["2y", "0.5"],
    ]  # fmt: skip
    assert set(table["date"]) == {"2026-07-10"}
    assert set(table["series"]) == {"simulated:close"}
    read = measure_files(file, settings=_SETTINGS, request=Request(deltas=("25c", "50"))).readings
    assert table["vol"].to_numpy()[:2] == pytest.approx(read["value"].to_numpy(), abs=1e-15)
    assert table["error"].to_numpy()[:2] == pytest.approx(read["error"].to_numpy(), abs=1e-15)
    assert table["code"].tolist() == ["", "", "NO_EXPIRY_AFTER", "NO_EXPIRY_AFTER"]
    assert table["vol"].isna().tolist() == [False, False, True, True]


def test_an_explanation_adds_up(file: Path) -> None:
    (explanation,), _ = explain_readings(file, settings=_SETTINGS)
    reading = explanation.reading
    assert (explanation.symbol, explanation.tenor, explanation.point.text) == ("QQQ", "3m", "0.25")
    assert set(explanation.parts) == {"quotes", "forwards", "smiles", "maturity"}
    together = math.sqrt(sum(part**2 for part in explanation.parts.values()))
    assert together == pytest.approx(reading.error, rel=1e-12)  # the same few squares in another order
    expiries = explanation.expiries
    assert expiries["days"].is_monotonic_increasing
    around = expiries[expiries["is_around"]]
    dates = [str(day) for day in around["expiry"].dt.date]
    assert dates == [reading.details["expiry_before"], reading.details["expiry_after"]]
    assert set(explanation.quotes["expiry"]) == set(expiries["expiry"])
    assert set(explanation.quotes.loc[explanation.quotes["is_around"], "expiry"]) == set(around["expiry"])
    first = explanation.quotes.iloc[0]
    assert abs(first["strike"] - around["strike"]).min() <= 5.0  # the strikes of the sample
    assert explanation.overlooked == []


def test_beside_a_reading_stand_its_companions(file: Path) -> None:
    found, _ = explain_readings(file, deltas=["25c", "10p", "atmf"], settings=_SETTINGS)
    call, put, middle = (item.companions for item in found)
    names = ["call_skew", "put_skew", "risk_reversal", "butterfly", "term_slope", "forward_vol"]
    assert call["measure"].tolist() == put["measure"].tolist() == names
    assert middle["measure"].tolist() == names[-2:]
    assert call["delta"].tolist() == ["0.25", "0.75", "0.25", "0.25", "0.25", "0.25"]
    assert put["delta"].tolist() == ["0.1", "0.9", "0.1", "0.1", "0.9", "0.9"]
    request = Request(measures=tuple(names[:4]), deltas=("25c", "25p"))
    rows = (
        measure_files(file, settings=_SETTINGS, request=request).readings.set_index("measure").loc[names[:4]]
    )
    assert call["value"].to_numpy()[:4] == pytest.approx(rows["value"].to_numpy(), abs=1e-15)
    # covariances of more places at once have other last bits, of which more is left in a difference
    assert call["error"].to_numpy()[:4] == pytest.approx(rows["error"].to_numpy(), rel=1e-8)
    # the sample lists no expiry before one month
    slope = call.to_dict("records")[4]
    assert (slope["tenor"], slope["flags"]) == ("1m-3m", "NO_EXPIRY_BEFORE")
    assert math.isnan(slope["value"])
    assert str(slope["reason"]).startswith("1m 0.25: no expiry")


@pytest.mark.parametrize(
    ("tenor", "span"), [("3m", "1m-3m"), ("91d", "1m-91d"), ("2m", "2m-3m"), ("6m", "3m-6m")]
)
def test_a_slope_goes_to_three_months_or_comes_from_one(file: Path, tenor: str, span: str) -> None:
    (found,), _ = explain_readings(file, tenors=[tenor], settings=_SETTINGS)
    assert set(found.companions["tenor"]) == {tenor, span}


def test_a_roll_is_flagged_and_leaves_no_scraps(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import volskew.surface.labels as module

    (plain,), _ = explain_readings(file, settings=_SETTINGS)
    monkeypatch.setattr(module, "_ROLL", 0.0)
    monkeypatch.setattr(module, "_ROLL_ERRORS", 0.0)
    (rolling,), _ = explain_readings(file, settings=_SETTINGS)
    assert set(rolling.reading.flags) - set(plain.reading.flags) == {"ROLL"}
    assert set(rolling.reading.details) == set(plain.reading.details)
    assert "without_after_error" not in plain.reading.details


def test_a_missing_reading_is_explained(file: Path) -> None:
    found, _ = explain_readings(file, tenors=["2y"], deltas=["atmf", "25p"], settings=_SETTINGS)
    assert [item.point.text for item in found] == ["atmf", "0.75"]
    for item in found:
        assert not item.reading.is_read
        assert item.reading.flags == ("NO_EXPIRY_AFTER",)
        assert item.reading.details["reason"]
        assert item.parts == {}
        assert item.expiries.empty
        assert item.quotes.empty


def test_a_picture_shows_the_expiries_that_serve(file: Path) -> None:
    table, (picture,), _ = picture_smiles(file, settings=_SETTINGS)
    assert len(table) == 4
    assert {"forward_method", "svi_rho", "least_g", "error_25c"} <= set(table.columns)
    assert picture.reason == ""
    assert [panel.name for panel in picture.panels] == ["QQQ 2026-09-30, 82 days", "QQQ 2026-10-16, 98 days"]
    for panel in picture.panels:
        assert panel.points["label"].tolist() == ["25c", "50", "25p"]
        assert panel.points["second_vol"].notna().all()
        served = panel.quotes[panel.quotes["used_in_smile"]]
        at = np.interp(served["strike"], panel.line["strike"], panel.line["vol"])
        # 201 points of a smooth curve, joined by straight lines
        assert at == pytest.approx(served["smile_vol"].to_numpy(), abs=1e-5)


def test_expiries_are_pictured_by_date(file: Path) -> None:
    _, (picture,), _ = picture_smiles(file, expiries=["2026-10-16", "2026-09-18"], settings=_SETTINGS)
    assert [panel.name[:14] for panel in picture.panels] == ["QQQ 2026-09-18", "QQQ 2026-10-16"]
    _, (picture,), _ = picture_smiles(file, expiries=["2026-10-17"], settings=_SETTINGS)
    assert picture.panels == []
    assert picture.reason.startswith("no expiry on 2026-10-17; the nearest are 2026-10-16")


def test_a_tenor_that_cannot_be_read_shows_what_is_near(file: Path) -> None:
    _, (picture,), _ = picture_smiles(file, tenor="1y", settings=_SETTINGS)
    assert [panel.name[:14] for panel in picture.panels] == ["QQQ 2026-11-20"]
    assert "no expiry" in picture.reason


def test_the_local_fit_is_pictured_too(file: Path) -> None:
    local = Settings(rate=0.04, smile_model="local")
    _, (picture,), _ = picture_smiles(file, settings=local)
    for panel in picture.panels:
        assert panel.method == "local"
        assert len(panel.line) > 10
        assert panel.line["strike"].is_monotonic_increasing


@pytest.mark.parametrize("wrong", [{"tenors": ["soon"]}, {"deltas": ["300c"]}])
def test_what_cannot_be_asked_is_refused(file: Path, wrong: dict[str, list[str]]) -> None:
    with pytest.raises(SettingsError):
        explain_readings(file, settings=_SETTINGS, **wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingsError):
        grid_table(file, settings=_SETTINGS, **wrong)  # type: ignore[arg-type]


def test_a_picture_is_of_a_tenor_or_of_dates(file: Path) -> None:
    with pytest.raises(SettingsError, match="give one"):
        picture_smiles(file, tenor="3m", expiries=["2026-10-16"])
    with pytest.raises(SettingsError, match="YYYY-MM-DD"):
        picture_smiles(file, expiries=["October"])
    with pytest.raises(InputError):
        picture_smiles("nowhere.csv")
