"""The benchmark's own truth: its 128-bit program, its option sets, and how it counts."""

import importlib
import math
import subprocess
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
        yield lambda name: importlib.import_module(name if "." in name else f"european.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] in {"common", "european", "american"}]:
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
    table, raised = parts("table"), parts("common.serving").RAISED
    kind = [truth.VALID] * 6 + [truth.NO_VOL] * 3 + [truth.UNDECIDED]
    high = np.where(np.array(kind) == truth.VALID, 0.2, math.nan)
    vols = truth.Vols(high, 0 * high, np.full(10, 1e-17), np.array(kind, dtype=np.uint8))
    answers = np.array([0.2, 0.2 * (1 + 1e-5), math.nan, 0.0, raised, 1.8e308, 0.3, math.nan, -0.1, 0.5])
    found = table.accuracy(answers, vols, np.ones(10))
    assert (found.valid, found.wrong, found.wrong_unexplained, found.missing, found.without) == (
        6,
        1,
        1,
        4,
        3,
    )
    assert found.invented == 1
    assert found.largest == found.unexplained == pytest.approx(1e-5)


def test_rounding_of_the_price_excuses_an_error(parts: Any, truth: ModuleType) -> None:
    high = np.full(2, 0.2)
    vols = truth.Vols(high, 0 * high, np.array([1e-3, 1e-9]), np.full(2, truth.VALID, dtype=np.uint8))
    found = parts("table").accuracy(high * (1 + 1e-2), vols, np.ones(2))
    assert (found.wrong, found.wrong_unexplained) == (2, 1)
    blunt = truth.Vols(high, 0 * high, np.full(2, 1e-3), vols.kind)
    excused = parts("table").accuracy(high * (1 + 1e-2), blunt, np.ones(2))
    assert (excused.wrong, excused.wrong_unexplained, excused.unexplained) == (2, 0, 0.0)
    assert excused.largest == pytest.approx(1e-2)


def _runs(
    parts: Any, times: dict[str, dict[int, dict[str, list[float]]]], *, narrow: float = 0.0
) -> list[Any]:
    """Runs of the named engines with these ns/option by threads and set."""
    engines, runs = parts("engines"), parts("runs")
    known = {engine.name: engine for engine in engines.ENGINES}
    made = [
        runs.Run(known[name], threads, name, times=by_set)
        for name, by_threads in times.items()
        for threads, by_set in by_threads.items()
    ]
    if narrow:
        variables = {"NUMBA_CPU_NAME": "haswell"}
        by_set = {"random": [narrow]}
        made.append(runs.Run(known["volskew"], 1, "volskew-AVX2", variables=variables, times=by_set))
    return made


def test_sentences_on_targets_follow_the_numbers(parts: Any) -> None:
    runs = _runs(
        parts,
        {
            "volskew": {1: {"random": [10.0, 11.0], "tick": [10.0]}, 2: {"random": [5.0], "tick": [9.0]}},
            "vollib": {1: {"random": [9000.0, 8500.0], "tick": [9990.0]}},
            "fast-vollib-numba": {
                1: {"random": [500.0], "tick": [310.0]},
                2: {"random": [250.0], "tick": [269.9]},
            },
            "fast-vollib-jackel": {1: {"random": [100.0], "tick": [150.0]}},
        },
        narrow=20.0,
    )
    summary = parts("summary")
    of_vollib, of_numba, of_jackel = summary.targets(runs)
    assert of_vollib == "vollib (1 thread), at least 800: holds, 850 to 999."
    assert of_numba.startswith("fast-vollib-numba (1 and 2 threads), at least 30: missed, ")
    assert of_numba.endswith(" missed, 29.99 on `tick` with 2 threads; 31 to 50 elsewhere.")
    assert of_jackel == "fast-vollib-jackel (1 thread), at least 20: missed, 10 to 15."
    said = summary.without_avx512(runs)
    assert "vollib 425 (target missed)" in said
    assert "fast-vollib-numba 25 (target missed)" in said
    assert "no AVX-512" in summary.without_avx512(runs[:-1])


def test_an_engine_that_failed_is_not_counted_as_slow(parts: Any) -> None:
    runs = _runs(parts, {"volskew": {1: {"random": [10.0]}}, "vollib": {1: {"random": [9000.0]}}})
    runs[1].failure = "its process ended"
    assert list(parts("summary").targets(runs)) == ["vollib (1 thread), at least 800: not measured."]


@pytest.mark.parametrize(
    ("gains", "times", "cpus", "warnings"),
    [
        ([1.9, 2.0, 1.2], [10.0, 14.0], 1.0, []),
        ([1.0, 1.2, 2.0], [10.0, 14.0], 1.0, ["two CPUs were not free", "1.20"]),
        ([1.9], [10.0, 16.0], 1.0, ["the machine was disturbed", "1.60"]),
        ([], [10.0], 1.0, []),
        ([], [10.0], 0.68, ["a CPU for itself", "0.68"]),
    ],
)
def test_a_disturbed_machine_is_said_to_be_one(
    parts: Any, gains: list[float], times: list[float], cpus: float, warnings: list[str]
) -> None:
    control = parts("common.control").Control()
    control.gains = gains
    runs = _runs(parts, {"volskew": {1: {"random": times}}})
    runs[0].cpus = cpus
    lines = parts("summary").warnings(runs, control)
    assert bool(lines) == bool(warnings)
    assert all(word in " ".join(lines) for word in warnings)


def test_the_control_measures_a_gain(parts: Any) -> None:
    control = parts("common.control").Control()
    control.trial()
    assert 0 < control.median() < 10  # a busy machine moves it: only that it is measured


def test_every_engine_can_be_called(parts: Any) -> None:
    assert list(parts("peer").ENGINES) == [engine.name for engine in parts("engines").ENGINES]


def test_small_sets_have_no_row_with_two_threads(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = parts("runs")
    monkeypatch.setattr(runs.os, "sched_getaffinity", lambda _pid: {0, 1})
    assert {run.threads for run in runs.chosen(["vollib"], 50_000)} == {1}
    assert {run.threads for run in runs.chosen(["vollib"], 200_000)} == {1, 2}


def test_help_needs_nothing_installed() -> None:
    command = [sys.executable, "-S", str(BENCHMARKS / "european_vol.py"), "--help"]  # -S: no packages
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "gcc" in done.stdout
    assert "fast-vollib-numba, " in done.stdout
