"""Arguments of a surface that could be misunderstood."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, SettingsError
from volskew.measures import measure
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_chain(qqq_like)


@pytest.fixture(scope="module")
def surface(chain: pd.DataFrame) -> Surface:
    return fit_surface(chain, settings=Settings(rate=0.04))


@pytest.mark.parametrize("settings", [None, {}, Settings])
def test_settings_that_are_none_are_refused(chain: pd.DataFrame, settings: Any) -> None:
    with pytest.raises(SettingsError, match=r"settings must be a Settings\(\.\.\.\)"):
        fit_surface(chain, settings=settings)


def test_rights_in_letters_are_not_all_calls(chain: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"'is_call'.*'C'.*booleans"):
        fit_surface(chain.assign(is_call=chain["is_call"].map({True: "C", False: "P"})))


def test_numbers_as_text_give_the_same_reading(chain: pd.DataFrame, surface: Surface) -> None:
    given = chain.assign(strike=chain["strike"].astype(str))
    assert fit_surface(given, settings=surface.settings).vol() == surface.vol()


@pytest.mark.parametrize(
    "given", [{"tenors": None}, {"tenors": "3m"}, {"deltas": 0.25}, {"deltas": "25c"}, {"deltas": None}]
)
def test_a_grid_of_one_is_refused_in_words(surface: Surface, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"{next(iter(given))} must be several, such as"):
        surface.grid(**given)


def test_a_grid_gives_what_is_repeated_once(surface: Surface) -> None:
    table = surface.grid(tenors=["3m", " 3M"], deltas=["25c", 0.25, "50"])
    assert table["delta"].tolist() == ["0.25", "0.5"]


@pytest.mark.parametrize(
    ("years", "delta", "told"),
    [
        (0.25, "25c", "delta must be a number"),
        ("a", 0.25, "years must be a number"),
        (None, 0.25, "years must be a number"),
        ([[0.1, 0.2], [0.3]], 0.25, "years must be a number"),
        ([0.1, 0.2, 0.3], [0.1, 0.2], r"broadcast; their shapes are \(3,\) and \(2,\)"),
    ],
)
def test_vols_at_what_are_no_numbers_are_refused(surface: Surface, years: Any, delta: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        surface.vols(years=years, delta=delta)


def test_masked_places_have_no_vol(surface: Surface) -> None:
    years = np.ma.masked_array([0.25, 0.25, 0.25], mask=[False, True, False])
    found = surface.vols(years=years, delta=[0.25, 0.25, math.nan])
    assert np.isfinite(found).tolist() == [True, False, False]
    assert not isinstance(found, np.ma.MaskedArray)


@pytest.mark.parametrize("tenor", ["3m", "5y"])
def test_an_estimate_equals_its_own_pickle(surface: Surface, tenor: str) -> None:
    reading = surface.vol(tenor)
    copy = pickle.loads(pickle.dumps(reading))  # noqa: S301 - our own bytes
    assert copy == reading
    assert hash(copy) == hash(reading)
    assert copy != surface.vol(tenor, "50")
    assert copy != reading.value


def test_a_forward_vol_without_a_delta_is_that_of_the_25_delta_call(surface: Surface) -> None:
    given = {"start": "85d", "end": "3m"}
    assert surface.forward_vol(**given, delta=None) == surface.forward_vol(**given, delta="25c")


@pytest.mark.parametrize(
    "readings", ["3m", None, [], ["3m"], [("3m",)], [("3m", "25c", 1)], ("3m", "25c"), 3]
)
def test_joint_takes_pairs_of_tenor_and_delta(surface: Surface, readings: Any) -> None:
    with pytest.raises(SettingsError, match=r"readings must be \(tenor, delta\) each, such as .*; got "):
        surface.joint(readings)


@pytest.mark.parametrize("weights", [None, 1.0, "ab", [1.0], [1.0, "b"], [1.0, math.nan], [1.0, None]])
def test_weights_are_one_finite_number_a_reading(surface: Surface, weights: Any) -> None:
    joint = surface.joint([("3m", "25c"), ("3m", "50")])
    with pytest.raises(SettingsError, match=r"weights.*; got "):
        joint.combine(weights)
    with pytest.raises(SettingsError, match=r"value must be a number, or None .*; got 'a'"):
        joint.combine([1.0, -1.0], value="a")  # type: ignore[arg-type]


def test_what_is_no_name_of_a_table_is_told_on_one_line(surface: Surface) -> None:
    for given in ("lines", surface.quotes["strike"], np.zeros(3)):
        with pytest.raises(SettingsError, match=r"the tables quotes, forwards, smiles; got .*$"):
            surface.table(given)  # type: ignore[arg-type]


def test_what_is_no_surface_no_market_and_no_earlier_session_is_named(
    chain: pd.DataFrame, surface: Surface
) -> None:
    for given in (None, chain, "surface"):
        with pytest.raises(SettingsError, match=r"surface must be what fit_surface\(quotes\) returns; got"):
            measure(given)  # type: ignore[arg-type]
    for name, example in (("tenors", '"1m", "3m"'), ("deltas", '"25c"'), ("measures", '"implied_vol"')):
        for several in (None, 3, "3m"):
            with pytest.raises(SettingsError, match=rf"{name} must be several, such as \[{example}.*; got"):
                measure(surface, **{name: several})  # type: ignore[arg-type]
    with pytest.raises(
        SettingsError, match=r"market must be what market_row\(...\) returns, or None; got 0.04"
    ):
        fit_surface(chain, market=0.04)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a table of quotes for previous, not a str"):
        fit_surface(chain, previous="yesterday")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the previous table lacks "):
        fit_surface(chain, previous=chain[["strike"]])
