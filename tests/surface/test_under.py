"""A fit read under other settings is what a fit by those settings reads."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import SettingsError
from volskew.settings import Bracket, Gates, Settings
from volskew.surface import Estimate, Surface, fit_surface
from volskew.surface.under import READING_SETTINGS, needs_refit

MakeChain = Callable[..., pd.DataFrame]
BASE = Settings(rate=0.04)
PLACES: list[dict[str, Any]] = [
    {}, {"tenor": "1m", "delta": "50"}, {"tenor": "80d", "delta": "25p"}, {"delta": "atmf"},
    {"strike": 560.0},
]  # fmt: skip
CHANGES: list[dict[str, Any]] = [
    {"delta_convention": "spot"},
    {"delta_convention": "discounted"},
    {"tenor_interpolation": "linear"},
    {"tenor_clock": "calendar"},
    {"tenor_clock": "calendar", "tenor_interpolation": "linear"},
    {"weekend_weight": 0.4},
    {"three_month_days": 90},
    {"smile_model": "local"},
    {"bracket": Bracket(lowest=0.95, highest=1.05, widest=0.1)},
    {"smile_model": "local", "delta_convention": "spot", "tenor_clock": "calendar", "three_month_days": 92},
]


@pytest.fixture(scope="module")
def quotes(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    # a yield of 1.2 %, so that spot deltas differ; expiries of all lengths, so that the clocks do
    return make_chain(replace(qqq_like, carry=0.028), days=(7, 21, 35, 49, 70, 84, 98, 133, 161))


@pytest.fixture(scope="module")
def surface(quotes: pd.DataFrame) -> Surface:
    return fit_surface(quotes, settings=BASE)


def told(reading: Estimate) -> tuple[object, ...]:
    """Everything that a reading says, NaN as text so that it equals itself."""
    details = {name: repr(value) for name, value in reading.details.items()}
    return repr(reading.value), reading.error, reading.flags, reading.method, details


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_it_is_bit_for_bit_a_fit_by_these_settings(
    quotes: pd.DataFrame, surface: Surface, changes: dict[str, Any]
) -> None:
    settings = BASE.replace(**changes)
    under, refit = surface.under(**changes), fit_surface(quotes, settings=settings)
    assert under.settings == settings
    for place in PLACES:
        ours, theirs = under.vol(**place), refit.vol(**place)
        assert told(ours) == told(theirs)
        assert ours.resolve is not None
        assert theirs.resolve is not None
        for name in ("expiries", "quotes", "forwards", "smiles"):
            pd.testing.assert_frame_equal(ours.resolve(name), theirs.resolve(name), check_exact=True)
    for name in ("quotes", "forwards", "smiles"):
        pd.testing.assert_frame_equal(getattr(under, name), getattr(refit, name), check_exact=True)
    some: dict[str, Any] = {"tenors": ["1m", "3m"], "deltas": ["10c", 0.5, "25p"]}
    pd.testing.assert_frame_equal(under.grid(**some), refit.grid(**some), check_exact=True)
    ours_many, theirs_many = (one.vols(years=0.25, delta=[0.1, 0.3]) for one in (under, refit))
    np.testing.assert_array_equal(ours_many, theirs_many)  # NaN of local smiles, which are no functions
    assert told(under.forward_vol(start="1m", end="3m")) == told(refit.forward_vol(start="1m", end="3m"))
    assert under.failures(tenor="2y") == refit.failures(tenor="2y")
    assert list(under.ledger) == list(refit.ledger)


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_way_back_is_the_fit_itself_and_nothing_of_it_was_changed(
    quotes: pd.DataFrame, surface: Surface, changes: dict[str, Any]
) -> None:
    before = told(fit_surface(quotes, settings=BASE).vol())
    under = surface.under(**changes)
    assert under.vol().is_read
    assert told(surface.vol()) == before
    back = under.under(BASE)
    assert told(back.vol()) == before
    pd.testing.assert_frame_equal(back.quotes, surface.quotes, check_exact=True)
    pd.testing.assert_frame_equal(back.smiles, surface.smiles, check_exact=True)


def test_every_change_changes_a_reading(surface: Surface) -> None:
    """Without this the twins above could agree because nothing was ever read anew."""
    own = surface.vol()
    for changes in CHANGES:
        other = surface.under(**changes).vol()
        assert (other.value, other.flags) != (own.value, own.flags), changes


def test_its_own_settings_are_the_surface_itself(surface: Surface) -> None:
    assert surface.under() is surface
    assert surface.under(BASE) is surface
    assert surface.under(delta_convention="forward") is surface


def test_method_and_version_say_what_it_is(surface: Surface) -> None:
    for changes, words in (
        ({"delta_convention": "spot"}, "delta=spot"),
        ({"tenor_clock": "calendar"}, "clock=calendar"),
        ({"tenor_interpolation": "linear"}, "tenor=linear"),
        ({"weekend_weight": 0.4}, "weekend=0.4"),
        ({"three_month_days": 90}, "3m=90d"),
    ):
        under = surface.under(**changes)
        assert words in under.vol().method.split()
        assert words not in surface.vol().method.split()
        assert under.settings.method_version != surface.settings.method_version
    assert surface.under(smile_model="local").vol().method.split()[0] == "local"


def test_the_second_smile_is_the_one_beside_every_reading(surface: Surface) -> None:
    reading = surface.vol(tenor="84d")  # at an expiry: no term structure between
    assert reading.resolve is not None
    second = reading.resolve("expiries")["second_vol"].to_numpy()
    assert surface.under(smile_model="local").vol(tenor="84d").value == second[0]


def test_a_surface_under_other_settings_can_be_pickled(surface: Surface) -> None:
    under = surface.under(smile_model="local", delta_convention="spot")
    copy = pickle.loads(pickle.dumps(under))  # noqa: S301 - our own bytes
    assert told(copy.vol()) == told(under.vol())
    pd.testing.assert_frame_equal(copy.smiles, under.smiles, check_exact=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pricer": "european"}, r"pricer 'auto' -> 'european': that needs a new fit, fit_surface"),
        ({"rate": 0.05}, r"rate 0\.04 -> 0\.05"),
        ({"smile_model": "essvi"}, r"smile_model 'svi' -> 'essvi'.*can be read under other delta_convention"),
        ({"gates": Gates(min_quotes=5)}, r"gates Gates\("),
        ({"dividends_files": ("QQQ=a.csv",)}, "dividends_files"),
        ({"delta_convention": "premium"}, "delta_convention must be one of forward, spot, discounted"),
        ({"three_month_days": 20}, "three_month_days must be a whole number from 80 to 100"),
        ({"clock": "calendar"}, "there is no setting 'clock'; a surface can be read under other"),
    ],
)
def test_what_needs_a_fit_or_does_not_exist_is_refused(
    surface: Surface, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        surface.under(**given)


def test_settings_and_changes_together_are_refused(surface: Surface) -> None:
    with pytest.raises(SettingsError, match="not both"):
        surface.under(BASE, tenor_clock="calendar")
    with pytest.raises(SettingsError, match="settings must be a Settings"):
        surface.under("calendar")  # type: ignore[arg-type]


def test_only_the_curve_that_was_fitted_is_read(quotes: pd.DataFrame) -> None:
    essvi = fit_surface(quotes, settings=BASE.replace(smile_model="essvi"))
    local = essvi.under(smile_model="local")
    assert told(local.under(smile_model="essvi").vol()) == told(essvi.vol())
    with pytest.raises(SettingsError, match="smile_model 'local' -> 'svi'"):
        local.under(smile_model="svi")
    # a local fit has its curve beside it
    beside = fit_surface(quotes, settings=BASE.replace(smile_model="local")).under(smile_model="svi")
    assert told(beside.vol()) == told(fit_surface(quotes, settings=BASE).vol())


def test_which_settings_need_a_fit() -> None:
    assert set(READING_SETTINGS) <= set(Settings.__dataclass_fields__)
    assert needs_refit(Settings(), Settings()) == ()
    assert needs_refit(Settings(smile_model="local"), Settings(smile_model="svi")) == ()
    assert needs_refit(Settings(smile_model="local"), Settings(smile_model="essvi")) == ("smile_model",)


def test_chains_without_a_reading_say_why_under_any_settings(qqq_like: Any, make_chain: MakeChain) -> None:
    lone = fit_surface(make_chain(qqq_like, days=(84,)), settings=BASE)
    for changes in CHANGES:
        assert lone.under(**changes).vol().flags == ("NO_EXPIRY_AFTER",)
