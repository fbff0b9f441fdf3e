"""What stands behind readings that are missing or made of two, and what a missing one says of itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError
from volskew.settings import Settings
from volskew.surface import Estimate, Surface, fit_surface

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings(rate=0.04)
DAYS = (28, 63, 91, 126, 189)


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    return make_chain(qqq_like, days=DAYS)


@pytest.fixture(scope="module")
def surface(chain: pd.DataFrame) -> Surface:
    return fit_surface(chain, settings=SETTINGS)


def behind(reading: Estimate, name: str = "expiries") -> pd.DataFrame:
    assert reading.resolve is not None
    table: pd.DataFrame = reading.resolve(name)
    return table


def days_of(table: pd.DataFrame) -> list[float]:
    return [round(float(days), 6) for days in table["days"]]


# --- missing readings -------------------------------------------------------------------------------------


def test_a_tenor_beyond_the_expiries_shows_the_last(surface: Surface) -> None:
    missing = surface.vol("4y")
    assert missing.flags == ("NO_EXPIRY_AFTER",)
    expiries = behind(missing)
    assert days_of(expiries) == [189.0]
    assert expiries["gates"].tolist() == ["passed"]
    assert expiries["share"].isna().all()
    assert expiries["is_around"].tolist() == [True]
    for name in ("quotes", "forwards", "smiles"):
        assert set(behind(missing, name)["expiry"]) == set(expiries["expiry"])


def test_a_failed_expiry_is_shown_with_its_gates(chain: pd.DataFrame) -> None:
    """Two expiries fail on the later side of the tenor, and none is left there."""
    holed = chain[chain["expiry"].rank(method="dense") <= 4].reset_index(drop=True)
    late = holed["expiry"].rank(method="dense") >= 3
    holed.loc[late & holed["is_call"] & holed["strike"].between(545, 610), "bid"] = 0.0
    surface = fit_surface(holed, settings=SETTINGS)
    missing = surface.vol("3m")
    assert missing.flags == ("NO_EXPIRY_AFTER",)
    expiries = behind(missing)
    assert days_of(expiries) == [63.0, 91.0, 126.0]
    assert expiries["is_around"].tolist() == [True, True, False]
    assert expiries["gates"].tolist()[0] == "passed"
    named = {entry.detail.split(": ")[0].split(" ")[1] for entry in surface.failures()[1:]}
    failed = expiries[expiries["gates"] != "passed"]
    assert {str(day.date()) for day in failed["expiry"]} == named
    for _, row in failed.iterrows():
        codes = {entry.code for entry in surface.failures() if str(row["expiry"].date()) in entry.detail}
        assert set(row["gates"].split()) <= codes
    # those around the tenor first
    quotes = behind(missing, "quotes")
    assert quotes["is_around"].astype(int).is_monotonic_decreasing
    own = holed["expiry"].isin(expiries["expiry"])
    assert sorted(quotes["source_row"]) == sorted(holed.loc[own, "source_row"])


def test_falling_variance_shows_both_expiries(qqq_like: Any, make_chain: MakeChain) -> None:
    parts = [
        make_chain(replace(qqq_like, level=level), days=(days,)) for level, days in ((0.24, 84), (0.17, 98))
    ]
    surface = fit_surface(pd.concat(parts, ignore_index=True), settings=SETTINGS)
    missing = surface.vol()
    assert missing.flags == ("CAL_ARB",)
    assert days_of(behind(missing)) == [84.0, 98.0]
    falling = surface.forward_vol(start="84d", end="98d")
    assert falling.flags == ("CAL_ARB",)
    assert days_of(behind(falling)) == [84.0, 98.0]
    assert behind(falling)["share"].isna().all()


def test_without_any_expiry_the_tables_are_empty(chain: pd.DataFrame) -> None:
    unread = chain.assign(expiry=pd.Series(pd.NaT, index=chain.index, dtype=chain["expiry"].dtype))
    missing = fit_surface(unread, settings=SETTINGS).vol()
    for name in ("expiries", "quotes", "forwards", "smiles"):
        assert behind(missing, name).empty
    expired = fit_surface(chain.assign(expiry=chain["snapshot_time"]), settings=SETTINGS).vol()
    assert behind(expired).empty
    assert expired.flags == ("NO_QUOTES_LEFT",)


# --- forward vols -----------------------------------------------------------------------------------------


def test_a_forward_vol_shows_the_expiries_of_both_tenors(surface: Surface) -> None:
    found = surface.forward_vol(start="70d", end="110d")
    expiries = behind(found)
    assert expiries["days"].is_monotonic_increasing
    assert days_of(expiries[expiries["is_around"]]) == [63.0, 91.0, 126.0]
    for name in ("forwards", "smiles"):
        np.testing.assert_array_equal(behind(found, name)["share"], expiries["share"])
    # d f / d v: minus vol1 T1 over f (T2 - T1), and vol2 T2 over it
    span = found.value * 40
    for days, vol, sign in ((70, found.details["vol_start"], -1.0), (110, found.details["vol_end"], 1.0)):
        one = behind(surface.vol(f"{days}d")).set_index("expiry")["share"] * sign * vol * days / span
        expiries = expiries.assign(share=expiries["share"] - expiries["expiry"].map(one).fillna(0.0))
    np.testing.assert_allclose(expiries["share"], 0.0, atol=1e-14)


def test_a_forward_vol_that_lacks_a_leg_shows_what_is_there(surface: Surface) -> None:
    missing = surface.forward_vol(start="3m", end="1y")
    assert missing.flags == ("NO_EXPIRY_AFTER",)
    expiries = behind(missing)
    assert {91.0, 189.0} <= set(days_of(expiries))
    assert expiries["share"].isna().all()
    assert set(behind(missing, "quotes")["expiry"]) == set(expiries["expiry"])


# --- why --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 40])
def test_usable_lines_without_pairs_are_no_excluded_lines(chain: pd.DataFrame, first: int) -> None:
    calls = chain[chain["is_call"]].reset_index(drop=True)
    surface = fit_surface(calls.head(first) if first else calls, settings=SETTINGS)
    assert surface.quotes["exclusion"].isna().any()
    missing = surface.vol()
    (code,) = missing.flags
    assert code in {"NO_EXPIRY_BEFORE", "NO_EXPIRY_AFTER"}
    assert "NO_FORWARD (no pair of accepted two-sided call and put)" in missing.details["reason"]
    assert surface.failures()[0].code == code
    assert set(surface.grid(tenors=["3m"])["code"]) == {code}
    assert set(behind(missing)["gates"]) == {"NO_FORWARD NO_FIT"}


def test_a_chain_whose_lines_are_all_excluded_says_so(chain: pd.DataFrame) -> None:
    missing = fit_surface(chain.assign(bid=0.0), settings=SETTINGS).vol()
    assert missing.flags == ("NO_QUOTES_LEFT",)


# --- how --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"tenor_interpolation": "linear"}, " tenor=linear"),
        ({"tenor_clock": "calendar", "weekend_weight": 0.05}, " clock=calendar"),
        ({"weekend_weight": 0.05}, " weekend=0.05"),
        ({"delta_convention": "spot", "tenor_interpolation": "linear"}, " delta=spot tenor=linear"),
    ],
)
def test_the_method_names_what_is_not_the_default(
    chain: pd.DataFrame, changes: dict[str, Any], told: str
) -> None:
    surface = fit_surface(chain, settings=SETTINGS.replace(**changes))
    assert surface.vol().method == "svi european-exercise parity:median rate=flat:0.0400" + told


def test_tenor_and_delta_may_stand_alone(surface: Surface) -> None:
    assert surface.vol("3m", "25p") == surface.vol(tenor="3m", delta="25p")
    assert surface.vol("2m") == surface.vol(tenor="2m", delta=0.25)
    assert math.isfinite(surface.vol("3m", strike=540.0).value)


def test_a_reading_prints_whatever_it_is(surface: Surface) -> None:
    read, missing = surface.vol(), surface.vol("4y")
    assert read.error is not None
    assert f"{read}" == f"{read.value:.5f} +- {read.error:.5f}"
    assert f"{missing}" == "no reading (NO_EXPIRY_AFTER)"
    assert str(Estimate(0.2, flags=("NO_QUOTES",))) == "0.20000, error not known"


# --- what is no chain -------------------------------------------------------------------------------------


def test_what_is_no_table_of_quotes_is_refused_with_the_way_to_one(chain: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"table of quotes, not a str\..*vs\.read_chain"):
        fit_surface("chain.csv")  # type: ignore[arg-type]
    raw = chain.rename(columns={"expiry": "expiration"}).drop(columns="root")
    with pytest.raises(InputError, match=r"lacks root, expiry\..*vs\.read_chain"):
        fit_surface(raw)
