"""Joint errors of several readings: against plain loops, against chains quoted anew, and what cancels."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri

from volskew.errors import SettingsError
from volskew.settings import Settings
from volskew.smile.curves import value_and_gradient
from volskew.smile.layout import LEVEL, PARAMETERS, SCALE
from volskew.surface import Estimate, Surface, fit_surface
from volskew.surface.points import parse_point

MakeChain = Callable[..., pd.DataFrame]
Floats = NDArray[np.float64]
SETTINGS = Settings(rate=0.04)
DAYS = (28, 56, 84, 98, 126, 189)
PARTS = ("fit_error", "forward_error", "cross_check", "bracket_error")
WANTED = [("3m", "25c"), ("3m", "50"), ("3m", "25p"), ("2m", "25c"), ("3m", "atmf"), ("98d", "10p")]


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    return make_chain(qqq_like, days=DAYS)


@pytest.fixture(scope="module")
def surface(chain: pd.DataFrame) -> Surface:
    return fit_surface(chain, settings=SETTINGS)


def behind(reading: Estimate, name: str) -> pd.DataFrame:
    assert reading.resolve is not None
    table: pd.DataFrame = reading.resolve(name)
    return table


# --- the matrix -------------------------------------------------------------------------------------------


def test_the_diagonal_is_the_error_of_each_reading(surface: Surface) -> None:
    joint = surface.joint(WANTED)
    assert joint.readings == tuple(surface.vol(tenor, delta) for tenor, delta in WANTED)
    for place, reading in enumerate(joint.readings):
        assert math.sqrt(joint.covariance[place, place]) == pytest.approx(reading.error, rel=1e-10)
        for name in PARTS:
            part = math.sqrt(joint.covariances[name][place, place])
            stated = reading.details[name] * (0.5 if name == "cross_check" else 1.0)
            assert part == pytest.approx(stated, rel=1e-10, abs=1e-12)


def dense_parts(surface: Surface, wanted: list[tuple[str, str]]) -> dict[str, Floats]:
    """Fits, forwards and second smiles by plain loops over readings and expiries."""
    own = surface._expiries.slices
    shares, vectors, moves, gaps = [], [], [], []
    for tenor, delta in wanted:
        reading, smiles = surface.vol(tenor, delta), surface._expiries.at(parse_point(delta=delta))
        table = behind(reading, "expiries").set_index("expiry")["share"]
        shares.append([float(table.get(key[2], 0.0)) for key in own.keys])
        rows = []
        for number, years in enumerate(own.years):
            row, gradient = own.curves.rows[number], np.empty(PARAMETERS)
            k, vol, slope = (
                float(getattr(smiles, name)[number]) for name in ("log_moneyness", "vol", "slope")
            )
            value_and_gradient(k / row[SCALE], row, gradient)
            is_delta = parse_point(delta=delta).kind == "delta"
            share = 1 - slope * (k / vol + vol * years / 2) if is_delta else 1.0
            rows.append(gradient * row[LEVEL] / share)
        vectors.append(rows)
        moves.append([smiles.with_forward[number] for number in range(len(own.years))])
        gaps.append([(smiles.second[number] - smiles.vol[number]) / 2 for number in range(len(own.years))])
    n = len(wanted)
    found = {name: np.zeros((n, n)) for name in PARTS[:3]}
    for i, j in itertools.product(range(n), repeat=2):
        for number in range(len(own.years)):
            both = shares[i][number] * shares[j][number]
            if not both:
                continue
            covariance = own.curves.variance_factor * own.curves.covariances[number]
            found["fit_error"][i, j] += both * vectors[i][number] @ covariance @ vectors[j][number]
            found["forward_error"][i, j] += both * moves[i][number] * moves[j][number]
            found["cross_check"][i, j] += both * gaps[i][number] * gaps[j][number]
    return found


def test_parts_are_those_of_plain_loops(surface: Surface) -> None:
    found = surface.joint(WANTED).covariances
    for name, expected in dense_parts(surface, WANTED).items():
        # sums of products of order 1e-6 that cancel down to 1e-9
        np.testing.assert_allclose(found[name], expected, rtol=1e-7, atol=1e-16)


def test_what_lies_between_expiries_is_common_to_deltas_and_not_to_tenors(surface: Surface) -> None:
    wanted = [("3m", "25c"), ("3m", "50"), ("3m", "25p"), ("5m", "50")]
    part = surface.joint(wanted).covariances["bracket_error"]
    deviation = np.sqrt(np.diagonal(part))
    correlation = part / np.outer(deviation, deviation)
    for (i, one), (j, other) in itertools.combinations(enumerate((0.25, 0.5, 0.75)), 2):
        # the weekend's weight is common to all; windows and weights are almost the same
        least = math.exp(-abs(ndtri(one) - ndtri(other)) / 13)
        assert least - 5e-3 < correlation[i, j] < 1
    assert abs(correlation[1, 3]) < correlation[0, 1]


def test_no_part_is_less_than_nothing(surface: Surface) -> None:
    joint = surface.joint([(tenor, delta) for tenor in ("1m", "3m", "5m") for delta in ("25c", "50", "25p")])
    for part in joint.covariances.values():
        assert part == pytest.approx(part.T, rel=1e-12)
        values = np.linalg.eigvalsh(part)
        assert values.min() > -1e-9 * values.max()  # the process's weights are only nearly its own


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_the_error_of_any_sum_is_that_of_the_matrix(surface: Surface, weights: list[float]) -> None:
    joint = surface.joint(WANTED)
    found = joint.combine(weights)
    g = np.array(weights)
    assert found.value == pytest.approx(float(g @ joint.vols), rel=1e-12, abs=1e-15)
    assert found.error is not None
    assert found.error >= 0.0
    square = sum(max(float(g @ part @ g), 0.0) for part in joint.covariances.values())
    assert found.error == pytest.approx(math.sqrt(square), rel=1e-12, abs=1e-15)
    parts = [found.details[name] * (0.5 if name == "cross_check" else 1.0) for name in PARTS]
    assert found.error == pytest.approx(math.hypot(*parts), rel=1e-12, abs=1e-15)


def test_differences_err_less_than_independent_readings(surface: Surface) -> None:
    for wanted, weights in (
        ([("3m", "25c"), ("3m", "50")], [1, -1]),
        ([("3m", "25c"), ("3m", "25p")], [1, -1]),
        ([("3m", "25c"), ("3m", "25p"), ("3m", "50")], [0.5, 0.5, -1]),
        ([("88d", "50"), ("3m", "50")], [-1, 1]),
    ):
        found = surface.joint(wanted).combine(weights)
        apart = [
            weight * (surface.vol(*one).error or math.nan)
            for weight, one in zip(weights, wanted, strict=True)
        ]
        assert found.error is not None
        assert found.error < 0.8 * math.hypot(*apart)
    nothing = surface.joint([("3m", "25c"), ("91d", 0.25)]).combine([1, -1])
    assert nothing.value == 0.0
    assert nothing.error == pytest.approx(0.0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deltas", "weights"),
    [(("25c", "50"), (1, -1)), (("25c", "25p"), (1, -1)), (("25c", "25p", "50"), (0.5, 0.5, -1))],
)
def test_errors_are_what_chains_quoted_anew_scatter_by(
    qqq_like: Any, make_chain: MakeChain, quote_anew: Callable[..., pd.DataFrame], deltas: tuple[str, ...],
    weights: tuple[float, ...],
) -> None:  # fmt: skip
    """At an expiry nothing lies between; the second smile's part is no scatter and stays out."""
    generator, quotes = np.random.default_rng(3), make_chain(qqq_like, days=(84, 91))
    values, stated = [], []
    for _ in range(40):
        one = fit_surface(quote_anew(quotes, generator), settings=SETTINGS)
        found = one.joint([("91d", delta) for delta in deltas]).combine(weights)
        values.append(found.value)
        stated.append(math.hypot(found.details["fit_error"], found.details["forward_error"]))
    scatter = float(np.std(values))
    # the standard error of 40 draws' deviation is a ninth; the error holds what quotes leave open beside
    assert 0.7 < float(np.median(stated)) / scatter < 2.0


# --- invariance ---------------------------------------------------------------------------------------------


def test_the_order_of_lines_does_not_matter(chain: pd.DataFrame, surface: Surface) -> None:
    mixed = chain.sample(frac=1.0, random_state=1).reset_index(drop=True)
    again = fit_surface(mixed, settings=SETTINGS).joint(WANTED)
    np.testing.assert_array_equal(again.covariance, surface.joint(WANTED).covariance)


def test_the_order_of_readings_does_not_matter(surface: Surface) -> None:
    forth, back = surface.joint(WANTED), surface.joint(WANTED[::-1])
    np.testing.assert_allclose(back.covariance[::-1, ::-1], forth.covariance, rtol=1e-9, atol=1e-16)


def test_a_pickled_surface_says_the_same(surface: Surface) -> None:
    before = surface.joint(WANTED).combine([1, -1, 0, 0, 0, 0])
    copy: Surface = pickle.loads(pickle.dumps(surface))  # noqa: S301 - just written
    assert copy.joint(WANTED).combine([1, -1, 0, 0, 0, 0]) == before


def test_a_readers_changes_to_details_stay_his_own(surface: Surface) -> None:
    mine: Any = surface.vol("3m", "25c").details
    kept = mine["forward"]
    mine["forward"] = 1.0
    assert surface.vol("3m", "25c").details["forward"] == kept


# --- other choices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{"tenor_interpolation": "linear"}, {"tenor_clock": "calendar"}, {"smile_model": "local"},
     {"smile_model": "essvi"}, {"delta_convention": "spot"}],
)  # fmt: skip
def test_the_diagonal_is_the_error_whatever_is_chosen(chain: pd.DataFrame, changed: dict[str, Any]) -> None:
    joint = fit_surface(chain, settings=SETTINGS.replace(**changed)).joint(WANTED)
    for place, reading in enumerate(joint.readings):
        assert reading.error is not None
        assert math.sqrt(joint.covariance[place, place]) == pytest.approx(reading.error, rel=1e-10)
    skew = joint.combine([1, -1, 0, 0, 0, 0])
    assert skew.error is not None
    assert skew.error > 0


def test_the_straight_lines_distance_cancels_in_a_skew(chain: pd.DataFrame) -> None:
    """As it would in the skew read along the line in vol."""
    surface = fit_surface(
        chain, settings=SETTINGS.replace(tenor_interpolation="linear", tenor_clock="calendar")
    )
    joint = surface.joint([("3m", "25c"), ("3m", "50")])
    call, middle = (reading.details["bracket_error"] for reading in joint.readings)
    part = joint.combine([1, -1]).details["bracket_error"]
    together = math.exp(-ndtri(0.75) / 13)
    expected = math.sqrt(call**2 + middle**2 - 2 * together * call * middle)
    assert part == pytest.approx(expected, rel=1e-9)


# --- what is missing, and what is said ----------------------------------------------------------------------


def test_a_number_without_a_part_names_it(surface: Surface) -> None:
    missing = surface.joint([("3m", "25c"), ("2y", "25c"), ("1w", "50")]).combine([1, -1, 1])
    assert math.isnan(missing.value)
    assert missing.error is None
    assert missing.flags == ("NO_EXPIRY_AFTER", "NO_EXPIRY_BEFORE")
    first, second = missing.details["reason"].split("; ")
    assert first.startswith("2y 0.25: no expiry")
    assert second.startswith("1w 0.5: no expiry")
    assert np.isnan(surface.joint([("3m", "25c"), ("2y", "25c")]).covariance).all()
    assert behind(missing, "expiries")["share"].isna().all()


@pytest.mark.parametrize("given_", [[], [("3m", "25")], [("soon", "25c")]])
def test_bad_readings_are_refused(surface: Surface, given_: Any) -> None:
    with pytest.raises(SettingsError):
        surface.joint(given_)


def test_each_reading_needs_its_weight(surface: Surface) -> None:
    with pytest.raises(SettingsError, match="2 readings need as many weights"):
        surface.joint([("3m", "25c"), ("3m", "50")]).combine([1.0])


def test_what_rolls_with_all_deltas_does_not_roll_a_skew(qqq_like: Any, make_chain: MakeChain) -> None:
    parts = [
        make_chain(replace(qqq_like, level=level), days=(days,))
        for level, days in ((0.19, 63), (0.19, 84), (0.21, 98), (0.21, 126))
    ]
    surface = fit_surface(pd.concat(parts, ignore_index=True), settings=SETTINGS)
    joint = surface.joint([("3m", "25c"), ("3m", "50")])
    assert all("ROLL" in reading.flags for reading in joint.readings)
    skew = joint.combine([1, -1])
    assert "ROLL" not in skew.flags
    others = [reading.details["without_after"] for reading in joint.readings]
    assert skew.details["without_after"] == pytest.approx(others[0] - others[1], abs=1e-14)
    assert "ROLL" in joint.combine([1, 0]).flags


def test_parts_between_different_expiries_are_flagged(chain: pd.DataFrame) -> None:
    """The puts of one expiry beside the tenor are gone, so its put wing is not read."""
    rank = chain["expiry"].rank(method="dense")
    holed = chain[~((rank == 3) & ~chain["is_call"] & (chain["strike"] < 520))].reset_index(drop=True)
    surface = fit_surface(holed, settings=SETTINGS)
    joint = surface.joint([("3m", "25c"), ("3m", "25p")])
    call, put = joint.readings
    assert call.details["expiry_before"] > put.details["expiry_before"]
    found = joint.combine([1, -1])
    assert "DIFFERENT_EXPIRIES" in found.flags
    assert found.details["expiry_before"] == put.details["expiry_before"]
    assert found.details["expiry_after"] == max(one.details["expiry_after"] for one in joint.readings)


def test_what_stands_behind_is_shown_by_place(surface: Surface) -> None:
    joint = surface.joint([("3m", "25c"), ("3m", "25p"), ("2m", "25c")])
    found = joint.combine([1.0, -2.0, 0.5])
    expiries = behind(found, "expiries")
    assert list(dict.fromkeys(expiries["place"])) == ["0.25", "0.75"]
    for place, parts in (("0.25", ((0, 1.0), (2, 0.5))), ("0.75", ((1, -2.0),))):
        here = expiries[expiries["place"] == place]
        left = dict(zip(here["expiry"], here["share"], strict=True))
        for number, weight in parts:
            table = behind(joint.readings[number], "expiries")
            for expiry, share in zip(table["expiry"], table["share"], strict=True):
                left[expiry] -= weight * share
        np.testing.assert_allclose(list(left.values()), 0.0, atol=1e-14)
    quotes = behind(found, "quotes")
    assert quotes.index.is_unique
    assert quotes["is_around"].astype(int).is_monotonic_decreasing
    assert set(quotes["expiry"]) == set(expiries["expiry"])
    nearest = quotes.head(2)["strike"].to_numpy()
    strikes = [joint.readings[number].details["strike"] for number in (0, 1)]
    assert nearest == pytest.approx(strikes, abs=15)  # one of either wing first
    for name in ("forwards", "smiles"):
        table = behind(found, name)
        assert table["expiry"].is_unique
        assert set(table["expiry"]) == set(expiries["expiry"])
    with pytest.raises(SettingsError, match="behind a reading"):
        behind(found, "lines")
    # of one place the shares of all readings are one
    slope = surface.joint([("2m", "50"), ("3m", "50")]).combine([-1, 1])
    assert "place" not in behind(slope, "expiries")
    assert behind(slope, "smiles")["share"].notna().all()
