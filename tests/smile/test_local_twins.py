"""The compiled local fit against its slow twin, and what no fit may depend on, to the last bit."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import local_twin as twin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri

from volskew.errors import SettingsError
from volskew.pricing.compiled import kernel
from volskew.pricing.lanes import LANES
from volskew.smile.local import LocalFits, Nodes, fit_local
from volskew.smile.order_kernels import middle

Floats = NDArray[np.float64]
DELTAS = tuple(float(delta) for delta in np.arange(1, 20) / 20)
A_FIT = [field.name for field in fields(LocalFits) if field.name not in {"targets", "node"}]


def chain(
    seed: int, counts: list[int], *, noise: float = 0.2, bad: float = 0.0, spread: float = 0.002
) -> Nodes:
    """Slices of quotes off a skewed smile by `noise` half-spreads, a share of `bad` ones far off."""
    generator = np.random.default_rng(seed)
    parts: list[list[Floats]] = []
    for number, n in enumerate(counts):
        u = np.sort(generator.uniform(-1.95, 1.95, n))
        root = np.sqrt(generator.uniform(0.02, 2.0))
        vol = 0.2 - generator.uniform(-0.01, 0.04) * u + generator.uniform(0.0, 0.01) * u * u
        s = vol * root
        log_moneyness = s * s / 2 + u * s
        error = spread * generator.uniform(0.3, 1.5, n)
        vol = vol + noise * error * generator.standard_normal(n)
        vol = vol + (generator.random(n) < bad) * generator.uniform(-0.08, 0.25, n)
        parts.append([np.full(n, number), log_moneyness, vol, error, np.full(n, root)])
    slice_id, log_moneyness, vol, error, root_years = map(np.concatenate, zip(*parts, strict=True))
    row = np.arange(len(vol))
    return Nodes(slice_id.astype(np.intp), log_moneyness, vol, error, root_years, row)


def same_bits(one: LocalFits, other: LocalFits) -> None:
    for name in A_FIT:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def agree(fits: LocalFits, slow: LocalFits) -> None:
    for name in ("targets", "n_points", "is_wide", "node"):
        np.testing.assert_array_equal(getattr(fits, name), getattr(slow, name), err_msg=name)
    # both stop at steps of 1e-10, which a fit that crawls may take a round apart; 2e-11 over 450 draws
    np.testing.assert_allclose(fits.vol, slow.vol, rtol=0, atol=2e-9)
    np.testing.assert_allclose(fits.rmse, slow.rmse, rtol=0, atol=2e-9)
    np.testing.assert_allclose(fits.slope, slow.slope, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fits.curvature, slow.curvature, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fits.delta, slow.delta, rtol=0, atol=1e-8)
    # the same in half-spreads, of 0.0006 at least
    for name in ("scale", "residual", "rmse_half_spreads"):
        np.testing.assert_allclose(getattr(fits, name), getattr(slow, name), rtol=0, atol=3e-6, err_msg=name)
    # the twin's derivatives are differences of curves that bend
    np.testing.assert_allclose(fits.error, slow.error, rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 90), min_size=1, max_size=4),
    noise=st.sampled_from([0.0, 0.2, 1.0]),
    bad=st.sampled_from([0.0, 0.05, 0.2]),
)
def test_the_kernel_is_its_twin(seed: int, counts: list[int], noise: float, bad: float) -> None:
    nodes = chain(seed, counts, noise=noise, bad=bad)
    targets = (0.1, 0.25, 0.5, 0.75, 0.9)
    agree(
        fit_local(nodes, targets, n_slices=len(counts)),
        twin.fit_slowly(nodes, targets, n_slices=len(counts)),
    )


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(8, 26))
def test_a_quote_is_spared_where_the_twin_spares_it(seed: int, n: int) -> None:
    nodes = chain(seed, [n], noise=0.1)
    vol = nodes.vol.copy()
    vol[seed % n] += 0.1
    nodes = replace(nodes, vol=vol)
    agree(fit_local(nodes, DELTAS, n_slices=1), twin.fit_slowly(nodes, DELTAS, n_slices=1))


def test_a_long_slice_is_its_twin() -> None:
    nodes = chain(3, [700, 41], noise=0.5, bad=0.03)
    agree(fit_local(nodes, DELTAS, n_slices=2), twin.fit_slowly(nodes, DELTAS, n_slices=2))


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 60), min_size=2, max_size=4),
    bad=st.sampled_from([0.0, 0.1]),
)
def test_a_fit_is_the_same_in_any_batch_and_order(seed: int, counts: list[int], bad: float) -> None:
    nodes = chain(seed, counts, bad=bad)
    n = len(counts)
    whole = fit_local(nodes, DELTAS, n_slices=n)
    order = np.random.default_rng(seed).permutation(len(nodes.vol))
    shuffled = fit_local(nodes.take(order), DELTAS, n_slices=n)
    same_bits(shuffled, whole)
    np.testing.assert_array_equal(np.append(order, -1)[shuffled.node], whole.node)  # -1 takes the last
    number, target = seed % n, seed % len(DELTAS)
    mine = nodes.slice_id == number
    part = nodes.take(mine)
    alone = fit_local(
        replace(part, slice_id=np.zeros(len(part.vol), dtype=np.intp)),
        DELTAS[target : target + 1],
        n_slices=1,
    )
    for name in A_FIT:
        one, many = getattr(alone, name)[0, 0], getattr(whole, name)[target, number]
        np.testing.assert_array_equal(one, many[: len(one)] if np.ndim(many) else many, err_msg=name)


def test_quotes_of_one_strike_may_come_in_any_order() -> None:
    nodes = chain(5, [40], noise=0.5)
    pairs = np.repeat(np.arange(40), 2)
    doubled = nodes.take(pairs)
    vol = doubled.vol.copy()
    vol[1::2] += 0.0007  # two quotes of each strike
    doubled = replace(doubled, vol=vol)
    turned = doubled.take(np.arange(80)[::-1])
    same_bits(fit_local(turned, DELTAS, n_slices=1), fit_local(doubled, DELTAS, n_slices=1))


@pytest.mark.parametrize("field", ["log_moneyness", "vol", "error", "root_years"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-320, 1e300])
def test_a_hostile_quote_disturbs_no_other_slice(field: str, value: float) -> None:
    nodes = chain(7, [30, 30, 30])
    clean = fit_local(nodes, DELTAS, n_slices=3)
    values = getattr(nodes, field).copy()
    values[41] = value
    fits = fit_local(replace(nodes, **{field: values}), DELTAS, n_slices=3)
    for name in A_FIT:
        for number in (0, 2):
            one, other = getattr(fits, name)[:, number], getattr(clean, name)[:, number]
            width = min(one.shape[-1], other.shape[-1])
            np.testing.assert_array_equal(one[..., :width], other[..., :width], err_msg=name)
    assert not np.isinf(fits.vol).any()


def test_what_is_out_of_range_is_refused() -> None:
    nodes = chain(1, [20, 20])
    with pytest.raises(SettingsError, match=r"between 0 and 1; got 1\.0 at position 1"):
        fit_local(nodes, (0.5, 1.0), n_slices=2)
    with pytest.raises(SettingsError, match="numbered 0 to 0; got 0 to 1"):
        fit_local(nodes, (0.5,), n_slices=1)
    with pytest.raises(SettingsError, match="got -1 to 0"):
        fit_local(replace(nodes, slice_id=nodes.slice_id - 1), (0.5,), n_slices=2)


@pytest.mark.parametrize("count", [40, 150])
def test_standard_errors_are_the_scatter_of_readings(count: int) -> None:
    generator = np.random.default_rng(count)
    n = 1500
    u = np.tile(np.linspace(-1.9, 1.9, count), n)
    vol = 0.2 - 0.04 * u + 0.008 * u * u
    s = vol * 0.5
    error = generator.uniform(0.0005, 0.003, n * count)
    nodes = Nodes(
        slice_id=np.repeat(np.arange(n), count),
        log_moneyness=s * s / 2 + u * s,
        vol=vol + 0.5 * error * generator.standard_normal(n * count),
        error=error,
        root_years=np.full(n * count, 0.5),
        row=np.arange(n * count),
    )
    targets = np.array([0.25, 0.5, 0.75])
    fits = fit_local(nodes, targets.tolist(), n_slices=n)
    off = fits.vol - (0.2 + 0.04 * ndtri(targets) + 0.008 * ndtri(targets) ** 2)[:, None]
    assert np.isfinite(fits.error).all()
    # measured 0.90 to 0.98, sampling error 0.02; low weights of quotes that chance put far from the curve
    # make the errors some 4 % too large
    ratio = off.std(axis=1) / np.sqrt((fits.error**2).mean(axis=1))
    assert ((ratio > 0.84) & (ratio < 1.04)).all(), ratio
    # 0.683 of a normal distribution; less with few quotes, whose scale is known to 1/sqrt(n)
    inside = (np.abs(off) < fits.error).mean(axis=1)
    assert ((inside > 0.60) & (inside < 0.74)).all(), inside


def test_there_is_no_error_without_a_fit() -> None:
    fits = fit_local(chain(2, [4, 60]), DELTAS, n_slices=3)
    np.testing.assert_array_equal(np.isnan(fits.error), np.isnan(fits.vol))
    assert np.isnan(fits.error[:, [0, 2]]).all()


# --- medians ----------------------------------------------------------------------------------------------


@kernel
def _middle(lanes: Any, rows: Any, n: int, guess: float) -> float:
    return middle((lanes, rows), 0, n, guess, (1, 2, 3))


@settings(deadline=None)
@given(
    values=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=300)
    | st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=300),
    guess=st.floats(0.0, 1e6) | st.just(np.nan),
)
def test_a_median_is_exact_whatever_the_guess(values: list[float], guess: float) -> None:
    n = len(values)
    rows = np.full((4, (n // LANES + 1) * LANES), np.nan)
    rows[0, :n] = values
    for start in (guess, float(np.median(values))):
        assert _middle(rows.reshape(-1, LANES), rows, n, start) == np.median(values)
