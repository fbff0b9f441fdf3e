"""The constants of the kernels: written by their script, and as accurate as they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import mpmath as mp
import numba
import numpy as np
import pytest

from volskew.pricing import black_kernels, coefficients

TEXT = Path(coefficients.__file__).read_text()
SLACK = 1.06
"""The errors are printed to two digits."""


def stated(name: str) -> float:
    """The error that a table's docstring gives."""
    found = re.search(
        rf'^{name} = \(\n.*?^\)\n""".*?error (?:of the seed )?([0-9.]+e-[0-9]+)\."""',
        TEXT,
        re.MULTILINE | re.DOTALL,
    )
    assert found is not None
    return float(found[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MILLS", "TAIL", "LOG", "EXP", "ROUGH_LOG"])
def test_the_script_writes_the_minimax_tables_to_the_last_digit(name: str, maker: Any) -> None:
    """They come from multiprecision, the same on any machine."""
    table, error = getattr(maker, f"{name.lower()}_coefficients")()
    assert tuple(table) == getattr(coefficients, name)
    assert f"{name} = (\n" + "".join(f"    {value!r},\n" for value in table) + ")\n" in TEXT
    if name != "MILLS":
        assert f"{error:.1e}" == f"{stated(name):.1e}"


def test_the_centre_and_scales_are_the_script_s(maker: Any) -> None:
    assert (coefficients.CENTRE, coefficients.SCALE) == (maker.CENTRE, maker.SCALE)
    assert coefficients.SHIFT == maker.SHIFT


@pytest.mark.slow
def test_the_seed_tables_reach_their_error_and_a_new_fit_is_no_better(maker: Any) -> None:
    """These come from LAPACK, whose last digits differ between machines: their errors count."""
    k, s = maker._cases(60_000, 77)
    reached = np.abs(maker.seed(k, s, coefficients.RATIO, coefficients.SEED) / s - 1).max()
    assert reached <= SLACK * stated("SEED")
    ratio, table, error = maker.seed_coefficients()
    assert error == pytest.approx(stated("SEED"), rel=0.1)
    assert [len(row) for row in table] == [len(row) for row in coefficients.SEED]
    assert len(ratio) == len(coefficients.RATIO)


def _horner(table: Any, x: Any) -> Any:
    total = mp.mpf(0)
    for c in reversed(table):
        total = total * x + mp.mpf(c)
    return total


def _spread(low: float, high: float, n: int) -> list[Any]:
    """Not the nodes that anything was fitted on."""
    return [mp.mpf(low) + (mp.mpf(high) - mp.mpf(low)) * (k + mp.mpf("0.37")) / n for k in range(n)]


def test_the_logarithm_is_as_good_as_it_says() -> None:
    with mp.workdps(40):
        top = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
        for r in _spread(1e-6, float(top), 400):
            found = 2 * r + r**3 * _horner(coefficients.LOG, r * r)
            assert abs(found / (2 * mp.atanh(r)) - 1) <= SLACK * stated("LOG")


def test_the_exponential_is_as_good_as_it_says() -> None:
    with mp.workdps(40):
        half = mp.log(2) / 2
        for r in _spread(-float(half), float(half), 400):
            found = 1 + r + r * r * _horner(coefficients.EXP, r)
            # fitted with a little weight at 0 too, where its share of the value vanishes
            assert abs(found - mp.exp(r)) <= SLACK * stated("EXP")


def test_the_rough_logarithm_is_as_good_as_it_says() -> None:
    with mp.workdps(30):
        for m in _spread(0.5**0.5, 2**0.5, 400):
            assert abs(_horner(coefficients.ROUGH_LOG, m - 1) - mp.log(m)) <= SLACK * stated("ROUGH_LOG")


def _mills(z: Any) -> Any:
    return mp.sqrt(mp.pi / 2) * mp.exp(z * z / 2) * mp.erfc(-z / mp.sqrt(2))


def test_the_mills_ratio_is_as_good_as_it_says() -> None:
    """Differences R(z1) - R(z2), however near the two, by the divided difference written out in full."""
    generator = np.random.default_rng(8)
    with mp.workdps(80):
        for _ in range(300):
            high = mp.mpf(1.5 - 38.5 * generator.random() ** 2)
            low = high - mp.mpf(10.0 ** generator.uniform(-20, 0.46))
            u1, u2 = (coefficients.SCALE / (coefficients.CENTRE - z) - 1 for z in (high, low))
            powers = [(u1**n - u2**n) / (u1 - u2) for n in range(1, len(coefficients.MILLS) + 1)]
            slope = mp.fsum(mp.mpf(c) * p for c, p in zip(coefficients.MILLS, powers, strict=True))
            # u1 - u2 = SCALE (z1 - z2)/[(CENTRE - z1)(CENTRE - z2)], and the table is of S as a function of u
            found = slope * (high - low) / ((coefficients.CENTRE - high) * (coefficients.CENTRE - low))
            assert abs(found / (_mills(high) - _mills(low)) - 1) <= SLACK * stated("MILLS")


@pytest.mark.slow
def test_the_series_of_the_inverse_leaves_what_its_docstring_says(maker: Any) -> None:
    """From guesses off by d = 5 % (so that rounding plays no part), the five terms leave at most 32 d^6."""
    step = black_kernels._step

    @numba.njit
    def steps(eta: Any, w: Any, h2: Any, t2: Any, out: Any) -> None:
        for i in range(out.size):
            out[i] = step(eta[i], w[i], h2[i], t2[i])

    k, s = maker._cases(20_000, 11)
    keep = k / s < 14  # farther out the plain doubles of this test have not the digits
    k, s = k[keep], s[keep]
    worst = 0.0
    for d in (0.05, -0.05):
        guess = s * (1 + d)
        eta = maker.log_price(k, s) - maker.log_price(k, guess)
        found = np.empty_like(s)
        steps(eta, maker.ratio_width(k, guess), (k / guess) ** 2, guess**2 / 4, found)
        worst = max(worst, float(np.abs(guess * np.exp(found) / s - 1).max()))
    assert 10 * 0.05**6 < worst < 32 * 0.05**6
