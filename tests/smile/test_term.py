"""The process of the term structure against dense algebra, and whether its errors are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import term_twin as twin
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.smile.layout import EXPIRIES, SIDE, SIZES
from volskew.smile.term_kernels import covary, log_evidence, predict

Floats = NDArray[np.float64]


def windows(t: Floats, before: int) -> tuple[Floats, NDArray[np.intp]]:
    """Times in their places of a window, the expiries before the tenor first; and these places."""
    places = np.arange(SIDE - before, SIDE - before + len(t))
    times = np.full(EXPIRIES, np.nan)
    times[places] = t
    return times[np.newaxis], places


def evidence_of(t: Floats, y: Floats, noise: Floats, before: int) -> Floats:
    times, places = windows(t, before)
    vols, noises = np.full((2, 1, EXPIRIES), np.nan)
    vols[0, places], noises[0, places] = y, noise
    out = np.full((1, SIZES), np.nan)
    log_evidence(times, vols, noises, out)
    return out


def prediction(
    t: Floats, noise: Floats, before: int, at: float, evidence: Floats | None = None
) -> tuple[Floats, float]:
    times, places = windows(t, before)
    noises = np.full((1, EXPIRIES), np.nan)
    noises[0, places] = noise
    weights, variance = np.full((1, EXPIRIES), np.nan), np.full(1, np.nan)
    said = np.zeros((1, SIZES)) if evidence is None else evidence
    predict(times, noises, said, np.array([at]), weights, variance)
    assert (np.delete(weights[0], places) == 0.0).all()
    return weights[0, places], float(variance[0])


@st.composite
def expiries(draw: st.DrawFn, most: int = SIDE) -> tuple[Floats, Floats, Floats, int, float]:
    """Times, vols over their level, noises, how many stand before the tenor, and the tenor."""
    before, after = draw(st.integers(1, most)), draw(st.integers(1, most))
    n = before + after
    gaps = np.array(draw(st.lists(st.floats(0.003, 0.4), min_size=n, max_size=n)))
    t = np.cumsum(gaps)
    y = 1 + np.array(draw(st.lists(st.floats(-0.05, 0.05), min_size=n, max_size=n)))
    noise = np.array(draw(st.lists(st.floats(1e-4, 0.02), min_size=n, max_size=n)))
    share = draw(st.floats(0.02, 0.98))
    return t, y, noise, before, float(t[before - 1] + share * (t[before] - t[before - 1]))


@settings(max_examples=25, deadline=None)  # the twin takes its integrals by quadrature
@given(expiries())
def test_likelihoods_are_those_of_dense_algebra(drawn: tuple[Floats, Floats, Floats, int, float]) -> None:
    t, y, noise, before, _ = drawn
    found = evidence_of(t, y, noise, before)[0]
    if len(t) == 2:
        assert (found == 0.0).all()
        return
    middle = math.sqrt(t[before - 1] * t[before])
    for number in (0, 7, 21, 30, 40, 47):
        dense = twin.log_likelihood(t, y, noise, middle, *twin.SIZES[number])
        # squares of up to 500 noises each, from matrices of condition 1e9
        assert found[number] == pytest.approx(dense, rel=1e-6, abs=1e-5)


@settings(max_examples=15, deadline=None)  # as above
@given(expiries(most=3))
def test_weights_are_those_of_least_error(drawn: tuple[Floats, Floats, Floats, int, float]) -> None:
    t, y, noise, before, at = drawn
    said = evidence_of(t, y, noise, before)
    weights, variance = prediction(t, noise, before, at, said)
    middle = math.sqrt(t[before - 1] * t[before])
    dense, missed = twin.predict(t, noise, middle, at, twin.shares(said[0]))
    np.testing.assert_allclose(weights, dense, rtol=1e-5, atol=1e-6)  # condition numbers as above
    assert variance == pytest.approx(missed, rel=1e-4, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(expiries(), st.floats(0.5, 2.0), st.floats(-0.3, 0.3))
def test_what_is_straight_in_the_logarithm_of_time_is_read_exactly(
    drawn: tuple[Floats, Floats, Floats, int, float], level: float, slope: float
) -> None:
    t, _, noise, before, at = drawn
    weights, variance = prediction(t, noise, before, at)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    expected = level + slope * math.log(at)
    assert weights @ (level + slope * np.log(t)) == pytest.approx(expected, abs=1e-8)
    assert variance >= 0.0


def test_an_expiry_without_noise_is_met_and_a_noisy_one_is_helped_by_its_neighbours() -> None:
    t = np.array([20, 40, 60, 90, 120, 150]) / 365
    exact, _ = prediction(t, np.full(6, 1e-5), 3, float(t[2]) + 1e-9)
    np.testing.assert_allclose(exact, [0, 0, 1, 0, 0, 0], atol=1e-3)
    noise = np.array([0.002, 0.002, 0.02, 0.002, 0.002, 0.002])
    helped, _ = prediction(t, noise, 3, float(t[2]) + 1e-9)
    assert 0.0 < helped[2] < 0.5
    error = math.sqrt(float(((helped * noise) ** 2).sum()))
    assert error < 0.5 * noise[2]


def test_sizes_are_learned() -> None:
    """Smooth vols leave little room between expiries, kinked ones much."""
    t = np.array([20, 35, 50, 70, 90, 110, 140, 170]) / 365
    noise, x = np.full(8, 3e-4), np.log(t / 0.2)
    smooth = 1 + 0.05 * x - 0.02 * x**2
    kinked = smooth + 0.004 * np.array([1, -1, 1, -1, 1, -1, 1, -1])
    middle = float(math.sqrt(t[3] * t[4]))
    found = [
        math.sqrt(prediction(t, noise, 4, middle, evidence_of(t, y, noise, 4))[1]) for y in (smooth, kinked)
    ]
    assert found[0] < 5e-4
    assert found[1] > 3e-3


def test_errors_cover_what_they_should() -> None:
    """Term structures with events and without, drawn by another route: jumps and sums of sines."""
    generator = np.random.default_rng(11)
    t = np.array([16, 30, 44, 58, 86, 114, 149, 177]) / 365
    at, n = 100 / 365, 600
    fine = np.linspace(0, 0.6, 601)
    for jump in (0.0, 0.004, 0.012):
        inside = 0
        for _ in range(n):
            bends = generator.normal(0, [0.05, 0.02])
            every = np.append(t, at)
            y = 1 + bends[0] * np.log(every / 0.2) + bends[1] * np.log(every / 0.2) ** 2
            # thirty events a year, each adding to total variance
            events = np.cumsum(
                generator.normal(0, jump / math.sqrt(30), 601) * (generator.random(601) < 0.03)
            )
            y += np.interp(every, fine, events) / (2 * every)
            noise = np.full(8, 8e-4)
            quoted = y[:8] + generator.normal(0, noise)
            weights, variance = prediction(t, noise, 5, at, evidence_of(t, quoted, noise, 5))
            error = math.sqrt(variance + float(((weights * noise) ** 2).sum()))
            inside += abs(float(weights @ quoted) - y[8]) <= 1.645 * error
        # measured 0.995, 0.840 and 0.90; three standard errors of a count are 0.045. Eight expiries do not
        # tell few small events from none: errors are wide where there are none, a little narrow in between
        assert 0.80 <= inside / n <= (0.95 if jump else 0.999), (jump, inside / n)


def test_windows_do_not_know_one_another() -> None:
    generator = np.random.default_rng(3)
    times = np.sort(generator.uniform(0.02, 1.0, (20, EXPIRIES)), axis=1)
    times[5:9, :2], times[9:, 6:] = np.nan, np.nan
    vols, noises = 1 + generator.normal(0, 0.01, times.shape), generator.uniform(1e-4, 1e-2, times.shape)
    at = (times[:, SIDE - 1] + times[:, SIDE]) / 2
    together, weights, variances = np.empty((20, SIZES)), np.empty(times.shape), np.empty(20)
    log_evidence(times, vols, noises, together)
    predict(times, noises, together, at, weights, variances)
    for row in range(20):
        alone, own, variance = np.empty((1, SIZES)), np.empty((1, EXPIRIES)), np.empty(1)
        one = slice(row, row + 1)
        log_evidence(times[one], vols[one], noises[one], alone)
        predict(times[one], noises[one], alone, at[one], own, variance)
        np.testing.assert_array_equal(alone[0], together[row])
        np.testing.assert_array_equal(own[0], weights[row])
        assert variance[0] == variances[row]


# --- several readings -------------------------------------------------------------------------------------


def missed_together(rows: list[tuple[Floats, Floats, int, float]], evidence: Floats) -> Floats:
    """Correlations of what some readings miss; each of times, weights, how many come before, and its own."""
    times, weights = np.full((len(rows), EXPIRIES), np.nan), np.zeros((len(rows), EXPIRIES))
    for row, (t, weight, before, _) in enumerate(rows):
        one, places = windows(t, before)
        times[row], weights[row, places] = one[0], weight
    out = np.full((len(rows), len(rows)), np.nan)
    covary(times, weights, evidence, np.array([at for *_, at in rows]), out)
    return out


@settings(max_examples=10, deadline=None)  # the twin takes its integrals by quadrature
@given(expiries(most=3), st.floats(0.02, 0.98), st.integers(0, 40))
def test_what_two_readings_miss_goes_together_as_in_dense_algebra(
    drawn: tuple[Floats, Floats, Floats, int, float], share: float, seed: int
) -> None:
    """A reading in the middle of all expiries, and one between the last two of them."""
    t, _, noise, before, at = drawn
    later = float(t[-2] + share * (t[-1] - t[-2]))
    evidence = np.random.default_rng(seed).normal(0.0, 3.0, (2, SIZES))
    near, _ = prediction(t, noise, before, at, evidence[:1])
    tail = max(len(t) - 3, 0)  # two or three expiries
    far, _ = prediction(t[tail:], noise[tail:], len(t[tail:]) - 1, later, evidence[1:])
    rows = [(t, near, before, at), (t[tail:], far, len(t[tail:]) - 1, later)]
    found = missed_together(rows, evidence)
    expected = [
        [sum(likely * size[part] ** 2 for size, likely in zip(twin.SIZES, twin.shares(said), strict=True))
         for part in range(2)]
        for said in evidence
    ]  # fmt: skip
    smooth, events = (math.sqrt(expected[0][part] * expected[1][part]) ** 0.5 for part in range(2))
    # the middle of both windows, each that of the two expiries around its tenor
    middle = math.sqrt(math.sqrt(t[before - 1] * t[before]) * math.sqrt(t[-2] * t[-1]))
    every = twin.covariance(np.concatenate([t, [at], t[tail:], [later]]), middle, smooth, events)
    one = np.concatenate([near, [-1.0], np.zeros(len(t[tail:]) + 1)])
    other = np.concatenate([np.zeros(len(t) + 1), far, [-1.0]])
    own, its, both = one @ every @ one, other @ every @ other, one @ every @ other
    np.testing.assert_allclose(np.diagonal(found), 1.0, rtol=1e-9)
    assert found[0, 1] == found[1, 0]
    # what is missed is a small part of the process: 1e-6 of it where the expiries are near
    assert found[0, 1] == pytest.approx(both / math.sqrt(own * its), abs=1e-4)


def test_readings_of_one_gap_miss_the_same_and_far_ones_hardly() -> None:
    t = np.array([0.08, 0.16, 0.25, 0.33, 0.50])
    noise, evidence = np.full(5, 2e-4), np.zeros((4, SIZES))
    rows = []
    for at in (0.20, 0.21, 0.29, 0.45):
        before = int((t < at).sum())
        rows.append((t, prediction(t, noise, before, at)[0], before, at))
    found = missed_together(rows, evidence)
    assert np.linalg.eigvalsh(found).min() > -1e-6
    # events at random dates between the two leave them a part of their own
    assert found[0, 1] > 0.75
    assert np.abs(found[0, 2:]).max() < 0.7
    assert (np.abs(found) <= 1 + 1e-9).all()
