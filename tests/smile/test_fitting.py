"""Fits of whole slices: known curves come back, bad quotes do not bend them, no butterfly is accepted."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import curve_twin as twin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtri

from volskew.smile.fitting import MOVES, Curves, fit_curves
from volskew.smile.layout import CURVATURE, FIRST_BUMP, LEFT, LOWEST, MIDDLE, RIGHT, SCALE, SHIFT
from volskew.smile.svi import RawSvi, essvi_slice

Floats = NDArray[np.float64]
VOGT = RawSvi(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
NAMES = ("index", "month", "long")
HALF_SPREAD = 0.002


def worst(curves: Curves, name: str, *, deviations: float = np.inf) -> float:
    """Largest distance in vol to the truth between the quotes, within so many deviations of the forward."""
    slice_, years = twin.SMILES[name]
    k = np.linspace(*curves.range(0), 1001)
    k = k[np.abs(k) <= deviations * curves.scale[0]]
    vol = curves.vols(np.zeros(len(k), dtype=np.int64), k)
    return float(np.abs(vol - np.sqrt(slice_.total_variance(k) / years)).max())


# --- what is fitted is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [9, 35])
def test_svi_is_found_again_from_its_own_quotes(name: str, n: int) -> None:
    k, vol, years = twin.quotes_of(name, n)
    curves = twin.fit(k, vol, years=years)
    assert curves.names == ["svi"]
    assert worst(curves, name) < 1e-9  # measured 1e-12 and less: least squares stop at rounding
    np.testing.assert_allclose(curves.svi(0), twin.SMILES[name][0], rtol=1e-5)
    assert not curves.was_repaired[0]
    assert not curves.was_lessened[0]
    assert curves.has_one_strike[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("jump", [0.01, 0.05, -0.03])
def test_one_gross_outlier_pulls_by_what_huber_allows(name: str, jump: float) -> None:
    k, vol, years = twin.quotes_of(name)
    for place in range(2, 33):
        bad = vol.copy()
        bad[place] += jump
        curves = twin.fit(k, bad, years=years)
        # one quote of 35 pulls with 0.13 half-spreads at most, which is 2.7e-4 of vol; measured 4e-5
        assert worst(curves, name) < 6e-5
        assert abs(curves.residual[place]) > 0.8 * abs(jump) / HALF_SPREAD
        others = np.delete(curves.residual, place)
        assert np.abs(others).max() < 0.1


def test_the_fit_is_at_the_bottom_of_its_robust_squares() -> None:
    """No step of a plain minimiser on the same residuals gains anything."""
    from volskew.smile.svi_kernels import fit_svi

    generator = np.random.default_rng(5)
    k, vol, years = twin.quotes_of("index")
    vol = vol + HALF_SPREAD * generator.uniform(-1, 1, len(vol))
    curves = twin.fit(k, vol, years=years)
    row = curves.rows[0].copy()
    row[MIDDLE:] = 0.0
    x, v, weight = k / row[SCALE], vol / row[1], np.full(len(k), row[1] / HALF_SPREAD)
    scale, repaired = fit_svi(x, v, weight, row)
    assert not repaired

    def cost(parameters: Floats) -> float:
        a, p, q, m, log_s = parameters
        z, s = x - m, math.exp(log_s)
        root = np.hypot(z, s)
        square = a + 0.5 * (p * (root + z) + q * (root - z))
        if square.min() <= 0:
            return math.inf
        size, bound = np.abs((np.sqrt(square) - v) * weight), 1.345 * scale
        huber = np.where(size <= bound, size**2, 2 * bound * size - bound**2)
        return float(huber.sum() + (scale * (log_s - math.log(1.5))) ** 2)

    start = np.append(row[MIDDLE : MIDDLE + 4], math.log(row[CURVATURE]))
    best = minimize(
        cost, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    )
    assert cost(start) <= best.fun * (1 + 1e-3)  # steps end where they gain a ten-thousandth


def test_a_smile_that_is_no_svi_is_followed_between_its_quotes() -> None:
    x = np.linspace(-2.5, 2.2, 40)
    for seed in range(5):
        vol = twin.crooked_vols(x, seed)
        k = x * 0.2 * 0.5
        curves = twin.fit(k, vol, error=0.001)
        fine = np.linspace(-2, 1.8, 301)
        found = curves.vols(np.zeros(301, dtype=np.int64), fine * 0.2 * 0.5)
        assert curves.discrepancy[0] > 0
        # 0.01 vol points: clean quotes half a vol point off any SVI
        assert np.abs(found - twin.crooked_vols(fine, seed)).max() < 1e-4


# --- arbitrage --------------------------------------------------------------------------------------------


def g_between(curves: Curves, number: int = 0, n: int = 4001) -> Floats:
    low, high = curves.range(number)
    return curves.butterfly(number, np.linspace(low, high, n))


@pytest.mark.parametrize("half_spread", [0.0005, 0.002, 0.01])
@pytest.mark.parametrize(("low", "high", "n"), [(-1.5, 1.5, 61), (-0.4, 1.3, 30), (-1.0, 1.5, 13)])
def test_quotes_from_vogts_slice_give_a_slice_without_butterfly(
    half_spread: float, low: float, high: float, n: int
) -> None:
    k = np.linspace(low, high, n)
    curves = twin.fit(k, np.sqrt(VOGT.total_variance(k)), error=half_spread, years=1.0)
    assert curves.names == ["svi"]
    assert curves.was_repaired[0]
    least, place = curves.least_butterfly
    assert least[0] >= 0
    assert g_between(curves).min() >= -1e-6
    assert curves.butterfly(0, place)[0] == pytest.approx(least[0], abs=1e-12)
    # the price of the repair: what Gatheral and Jacquier's own optimum is off by
    optimum = RawSvi.from_jump_wings(VOGT.jump_wings(1.0)._replace(c=0.8564763, least=0.0116249), 1.0)
    theirs = np.sqrt(optimum.total_variance(k)) - np.sqrt(VOGT.total_variance(k))
    ours = curves.vols(np.zeros(n, dtype=np.int64), k) - np.sqrt(VOGT.total_variance(k))
    assert np.sqrt(np.mean(ours**2)) < np.sqrt(np.mean(theirs**2))


def dirty_slice(seed: int) -> tuple[Floats, Floats, Floats, float]:
    """Quotes of any density, noise, spread, level and time, with gaps, ties, kinks and gross errors."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(5, 60))
    level = float(np.exp(generator.uniform(np.log(0.03), np.log(2.0))))
    years = float(np.exp(generator.uniform(np.log(2e-4), np.log(3.0))))
    low, high = sorted(generator.uniform(-3, 3, 2).tolist())
    x = np.sort(generator.uniform(low, high, n))
    if generator.random() < 0.3:
        x = np.round(x * 4) / 4  # several quotes at one strike
    kind = generator.integers(4)
    if kind == 0:
        shape = 1 + generator.uniform(-0.3, 0.1) * x + generator.uniform(0, 0.1) * x**2
    elif kind == 1:
        shape = 1 + generator.uniform(0, 0.5) * np.abs(x - generator.uniform(-1, 1))
    elif kind == 2:
        shape = np.exp(generator.uniform(-0.4, 0.4) * x + 0.1 * np.sin(4 * x))
    else:
        shape = np.exp(generator.normal(0, 0.3, n))
    error = level * np.exp(generator.uniform(np.log(5e-4), np.log(0.1), n))
    vol = level * np.maximum(shape, 0.05) + error * generator.normal(0, generator.choice([0.0, 0.3, 3.0]), n)
    hit = generator.random(n) < generator.choice([0.0, 0.05, 0.3])
    vol = np.where(hit, vol * np.exp(generator.normal(0, 1, n)), vol)
    return x * level * math.sqrt(years), np.maximum(vol, 0.01 * level), error, years


def fit_all(slices: list[tuple[Floats, Floats, Floats, float]], **given: Any) -> Curves:
    sizes = [len(part[0]) for part in slices]
    k, vol, error = (np.concatenate([part[place] for part in slices]) for place in range(3))
    return fit_curves(
        np.repeat(np.arange(len(slices)), sizes),
        k,
        vol,
        error,
        given.pop("moves", np.zeros((MOVES, sum(sizes)))),
        np.array([part[3] for part in slices]),
        **given,
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000_000))
def test_no_butterfly_is_accepted_whatever_the_quotes(seed: int) -> None:
    slices = [dirty_slice(10 * seed + number) for number in range(10)]
    for model in ("svi", "essvi"):
        curves = fit_all(slices, model=model)
        least, _ = curves.least_butterfly
        for number, kind in enumerate(curves.names):
            assert kind != "none"
            assert least[number] >= 0
            vol = curves.vols(np.full(101, number), np.linspace(*curves.range(number), 101))
            assert np.isfinite(vol).all()
            assert (vol > 0).all()
            assert np.isfinite(curves.covariances[number]).all()
            assert np.isfinite(curves.noise[number])
            assert max(curves.wing_slopes(number)) <= 2 * (1 + 1e-12)
            if kind == "essvi":
                _holds_the_conditions(curves.svi(number))
        assert np.isfinite(curves.residual).all()


def _holds_the_conditions(slice_: RawSvi) -> None:
    """An eSSVI slice, as SVI, is one with its theta, rho and psi, and these keep the conditions."""
    theta, psi = float(slice_.total_variance(0.0)), 2 * slice_.b
    same = essvi_slice(theta, slice_.rho, psi)  # raises where the conditions do not hold
    np.testing.assert_allclose(same, slice_, rtol=1e-6, atol=1e-12)
    assert psi * (1 + abs(slice_.rho)) < 4
    assert psi**2 * (1 + abs(slice_.rho)) <= 4 * theta


@pytest.mark.parametrize("seed", range(5))
def test_d1_falls_where_it_is_said_to(seed: int) -> None:
    """Without a butterfly beyond its quotes too it always would (Fukasawa 2012)."""
    slices = [dirty_slice(777 + 40 * seed + number) for number in range(40)]
    curves = fit_all(slices)
    for number, falls in enumerate(curves.has_one_strike):
        k = np.linspace(*curves.range(number), 201)
        s = curves.vols(np.full(201, number), k) * math.sqrt(slices[number][3])
        rises = np.diff(s / 2 - k / s).max()
        assert (rises < 1e-12) if falls else (rises > -1e-12)
    assert curves.has_one_strike.mean() > 0.8


# --- the three-parameter slice ----------------------------------------------------------------------------


@pytest.mark.parametrize(("theta", "rho", "psi"), [(0.01, -0.6, 0.1), (0.04, -0.3, 0.2), (0.002, 0.2, 0.05)])
def test_an_essvi_slice_is_found_again(theta: float, rho: float, psi: float) -> None:
    slice_ = essvi_slice(theta, rho, psi)
    k = np.linspace(-1.5, 1.2, 6) * math.sqrt(theta)
    curves = twin.fit(k, np.sqrt(slice_.total_variance(k) / 0.25))
    assert curves.names == ["essvi"]
    np.testing.assert_allclose(curves.svi(0), slice_, rtol=1e-4)
    fine = np.linspace(k[0], k[-1], 101)
    found = curves.vols(np.zeros(101, dtype=np.int64), fine)
    np.testing.assert_allclose(found, np.sqrt(slice_.total_variance(fine) / 0.25), rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.linspace(-1, 1, 8), "svi"),
        (np.linspace(-1, 1, 7), "essvi"),  # too few
        (np.linspace(-1, 1, 5), "essvi"),
        (np.linspace(-1, 1, 4), "none"),
        (np.linspace(0.05, 2, 12), "essvi"),  # calls alone
        (np.linspace(-2, -0.05, 12), "essvi"),
        (np.append(np.linspace(-2, -0.05, 12), 0.1), "essvi"),  # one call
        (np.append(np.linspace(-2, -0.05, 12), [0.1, 0.3]), "svi"),
    ],
)
def test_the_simplest_curve_that_the_quotes_determine(x: Floats, kind: str) -> None:
    slice_, years = twin.SMILES["index"]
    k = x * math.sqrt(slice_.total_variance(0.0))
    curves = twin.fit(k, np.sqrt(slice_.total_variance(k) / years), years=years)
    assert curves.names == [kind]
    if kind == "none":
        assert curves.scale[0] == 0
        assert np.isnan(curves.residual).all()
        assert np.isnan(curves.vols(np.zeros(1, dtype=np.int64), np.zeros(1)))
        assert np.isnan(curves.spread[0])
    rigid = twin.fit(k, np.sqrt(slice_.total_variance(k) / years), years=years, model="essvi")
    assert rigid.names == ["none" if kind == "none" else "essvi"]


# --- what no fit may depend on ----------------------------------------------------------------------------


def assert_same(one: Curves, other: Curves, here: Any = slice(None), there: Any = slice(None)) -> None:
    for item in fields(Curves):
        if item.name not in {"residual", "variance_factor"}:
            np.testing.assert_array_equal(getattr(one, item.name)[here], getattr(other, item.name)[there])


def random_moves(n: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.001, (MOVES, n))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1_000_000))
def test_neither_order_nor_other_slices_change_a_bit(seed: int) -> None:
    slices = [dirty_slice(5 * seed + number) for number in range(5)]
    n = sum(len(part[0]) for part in slices)
    moves = random_moves(n, seed)
    together = fit_all(slices, moves=moves)
    first = 0
    for number, part in enumerate(slices):
        last = first + len(part[0])
        alone = fit_all([part], moves=moves[:, first:last])
        assert_same(together, alone, slice(number, number + 1))
        np.testing.assert_array_equal(together.residual[first:last], alone.residual)
        first = last
    order = np.random.default_rng(seed + 1).permutation(n)
    sizes = [len(part[0]) for part in slices]
    k, vol, error = (np.concatenate([part[place] for part in slices])[order] for place in range(3))
    shuffled = fit_curves(
        np.repeat(np.arange(5), sizes)[order], k, vol, error, moves[:, order],
        np.array([part[3] for part in slices]),
    )  # fmt: skip
    # quotes alike in strike, vol and error may differ in their moves alone: none are here
    assert_same(shuffled, together)
    np.testing.assert_array_equal(shuffled.residual, together.residual[order])


@pytest.mark.parametrize("seed", range(6))
def test_the_unit_of_vol_and_time_does_not_matter(seed: int) -> None:
    """Vols times two with time over four: the same smile in its own units, to the last bit."""
    generator = np.random.default_rng(seed)
    k, vol, years = twin.quotes_of(NAMES[seed % 3])
    error = generator.uniform(0.001, 0.003, len(k))
    vol = vol + 0.5 * error * generator.standard_normal(len(k))
    vol[7] += 0.04
    one = twin.fit(k, vol, error=error, years=years)
    two = twin.fit(k, 2 * vol, error=2 * error, years=years / 4)
    np.testing.assert_array_equal(two.rows[:, LOWEST:], one.rows[:, LOWEST:])
    assert two.scale[0] == one.scale[0]
    d1 = ndtri(np.array([[0.1], [0.25], [0.5], [0.75]]))
    a, b = one.read(d1, at="d1"), two.read(d1, at="d1")
    np.testing.assert_array_equal(b.vol, 2 * a.vol)
    np.testing.assert_array_equal(b.error, 2 * a.error)
    three = twin.fit(k, 3 * vol, error=3 * error, years=years / 9)
    c = three.read(d1, at="d1")
    np.testing.assert_allclose(c.vol, 3 * a.vol, rtol=1e-7)  # iterations end within a ten-thousandth of noise
    np.testing.assert_allclose(c.error, 3 * a.error, rtol=1e-4)


def test_mirrored_quotes_give_the_mirrored_curve() -> None:
    generator = np.random.default_rng(11)
    k, vol, years = twin.quotes_of("index", low=-2.2, high=2.2)
    vol = vol + 0.001 * generator.standard_normal(len(k))
    one, other = twin.fit(k, vol, years=years), twin.fit(-k[::-1], vol[::-1], years=years)
    fine = np.linspace(k[0], k[-1], 101)
    zero = np.zeros(101, dtype=np.int64)
    # starts lie to one side: the same minimum by another way
    np.testing.assert_allclose(one.vols(zero, fine), other.vols(zero, -fine), atol=2e-5)
    assert one.rows[0, [RIGHT, LEFT]] == pytest.approx(other.rows[0, [LEFT, RIGHT]], rel=0.05)
    assert one.rows[0, SHIFT] == pytest.approx(-other.rows[0, SHIFT], abs=0.05)


def test_a_weight_is_capped_and_a_useless_quote_changes_little() -> None:
    k, vol, years = twin.quotes_of("index")
    generator = np.random.default_rng(2)
    vol = vol + HALF_SPREAD * 0.3 * generator.standard_normal(len(vol))
    error = np.full(len(k), HALF_SPREAD)
    for tiny in (1e-5, 1e-9):
        sharp = error.copy()
        sharp[10] = tiny
        found = twin.fit(k, vol, error=sharp, years=years)
        if tiny == 1e-5:
            before = found
    np.testing.assert_allclose(found.rows[0, FIRST_BUMP:], before.rows[0, FIRST_BUMP:], atol=1e-12)
    assert found.residual[10] != 0
    loose = error.copy()
    loose[10] = 1e3
    with_it, moved = twin.fit(k, vol, error=loose, years=years), vol.copy()
    moved[10] += 0.01
    without = twin.fit(k, moved, error=loose, years=years)
    fine = np.linspace(k[0], k[-1], 101)
    zero = np.zeros(101, dtype=np.int64)
    np.testing.assert_allclose(with_it.vols(zero, fine), without.vols(zero, fine), atol=1e-8)
