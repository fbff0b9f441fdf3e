"""The benchmark's own truth: its 128-bit program, its option sets, and how it counts."""

import importlib
import math
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

# price, forward, strike, time, is_call, vol; the vol by mpmath at 60 digits on F N(d1) - K N(d2)
REFERENCE = [
    (3.98776116767449, 100.0, 100.0, 0.25, True, "0.19999999999999989268991519871231"),
    (0.953947391857, 100.0, 110.0, 0.25, True, "0.19999999999998285977279697261147"),
    (1e-300, 100.0, 250.0, 0.5, True, "0.035035288537350728992994663115868"),
    (3e-09, 525.0, 400.0, 0.003, False, "0.82579047123350490987169367937385"),
    (21.0, 120.0, 100.0, 1.0, True, "0.15509699992515871490283220809174"),
    (20.000000001, 120.0, 100.0, 0.1, True, "0.097746842924410618805935736690224"),
    (0.01, 599.5, 600.5, 1 / 365, True, "0.01846861243549932458303983940815"),
    (99.0, 100.0, 100.0, 2.0, True, "3.642772735436899346080420637242"),
]


@pytest.fixture(scope="module")
def parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield lambda name: importlib.import_module(f"european.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == "european"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def truth(parts: Any) -> ModuleType:
    module: ModuleType = parts("truth")
    return module


@pytest.fixture(scope="module")
def quad(truth: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    try:
        return truth.Truth(tmp_path_factory.mktemp("truth"))
    except truth.TruthError as error:
        pytest.skip(str(error))


def test_truth_agrees_with_mpmath_to_thirty_digits(truth: ModuleType, quad: Any) -> None:
    *columns, vols = zip(*REFERENCE, strict=True)
    options = truth.Options(*(np.array(column) for column in columns))
    found = quad.vols(options)
    assert (found.kind == truth.VALID).all()
    for high, low, exact in zip(found.high, found.low, vols, strict=True):
        difference = Fraction(float(high)) + Fraction(float(low)) - Fraction(exact)
        assert abs(difference / Fraction(exact)) < Fraction(1, 10**29)


def test_truth_reproduces_prices_and_knows_how_far_rounding_moves_a_vol(
    parts: Any, truth: ModuleType, quad: Any
) -> None:
    made = parts("sets").random(quad, 2000)
    found = quad.vols(made.options)
    valid = (found.kind == truth.VALID) & (found.rounding < 1e-5)
    error = np.abs(found.high[valid] / made.vol[valid] - 1)
    assert (error <= 1.001 * found.rounding[valid] + 2.0**-52).all()


def test_every_invalid_kind_has_no_vol_and_a_chain_has_both(parts: Any, truth: ModuleType, quad: Any) -> None:
    sets = parts("sets")
    assert (quad.vols(sets.invalid(quad, each=5).options).kind == truth.NO_VOL).all()
    kinds = quad.vols(sets.tick(quad, 5000).options).kind
    assert set(kinds.tolist()) == {truth.VALID, truth.NO_VOL}
    assert (quad.vols(sets.deep(quad, 2000).options).kind == truth.VALID).all()


def test_counts_tell_wrong_missing_and_invented_apart(parts: Any, truth: ModuleType) -> None:
    table, raised = parts("table"), parts("peer").RAISED
    kind = [truth.VALID] * 6 + [truth.NO_VOL] * 3 + [truth.UNDECIDED]
    high = np.where(np.array(kind) == truth.VALID, 0.2, math.nan)
    vols = truth.Vols(high, 0 * high, np.full(10, 1e-17), np.array(kind, dtype=np.uint8))
    answers = np.array([0.2, 0.2 * (1 + 1e-5), math.nan, 0.0, raised, 1.8e308, 0.3, math.nan, -0.1, 0.5])
    found = table.accuracy(answers, vols, np.ones(10))
    assert (found.valid, found.wrong, found.wrong_sharp, found.missing, found.invented) == (6, 1, 1, 4, 1)
    assert found.largest == pytest.approx(1e-5)
