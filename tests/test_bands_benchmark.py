"""The bands benchmark: its populations, the bootstrap that it holds ours against, what it says of cells."""

import importlib
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module
    for name in [name for name in sys.modules if name.split(".")[0] in {"common", "bands"}]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def series(parts: Any) -> ModuleType:
    module: ModuleType = parts("bands.series")
    return module


@pytest.mark.parametrize("name", ["AR(1)", "noisy", "regimes", "volatility", "two speeds"])
def test_true_percentiles_are_those_of_the_population(series: ModuleType, name: str) -> None:
    """Every session of a stationary series has a uniform percentile, the first and the last among them."""
    made, population = series.KINDS[name].make(np.random.default_rng(1), 6000, 30, 5)
    for session in (0, 14, 29):
        shares = np.sort(population(made[:, session]))
        # Kolmogorov's distance of 6,000 uniforms is above 0.025 once in a thousand
        assert np.abs(shares - (np.arange(6000) + 0.5) / 6000).max() < 0.025


def test_half_lives_are_those_asked_for(series: ModuleType) -> None:
    random = np.random.default_rng(2)
    scores, squares = series.autocorrelations(series.KINDS["AR(1)"], random, n=100, half_life=10)
    assert scores[9] == pytest.approx(0.5, abs=0.03)
    assert squares[9] == pytest.approx(0.25, abs=0.03)
    scores, squares = series.autocorrelations(series.KINDS["volatility"], random, n=100, half_life=20)
    assert squares[19] > 2 * scores[19] ** 2  # the spells are seen in the squares alone
    scores, _ = series.autocorrelations(series.KINDS["two speeds"], random, n=100, half_life=40)
    assert [scores[4], scores[39]] == pytest.approx([(0.5 + 0.5**0.125) / 2, 0.25], abs=0.03)


def test_every_case_is_extreme(series: ModuleType) -> None:
    made, seen, true = series.drawn(
        series.KINDS["regimes"], np.random.default_rng(3), n=200, half_life=10, wanted=150
    )
    assert len(made) == len(seen) == len(true) == 150
    np.testing.assert_allclose(seen, series.seen_shares(made))
    assert (np.minimum(np.minimum(seen, 1 - seen), np.minimum(true, 1 - true)) <= 0.10).all()


def test_the_bootstrap_is_the_stationary_one(parts: Any) -> None:
    from arch.bootstrap import StationaryBootstrap, optimal_block_length

    values = np.random.default_rng(4).standard_normal(400).cumsum()
    values[-1] = np.quantile(values, 0.1)
    block: Any = max(float(optimal_block_length(values)["stationary"].iloc[0]), 40.0)
    peer = StationaryBootstrap(block, values, seed=5)
    expected = np.quantile(
        100 * peer.apply(lambda drawn: np.mean(drawn <= values[-1]), 3000)[:, 0], (0.05, 0.95)
    )
    found = parts("bands.sampling").bootstrap_band(values, np.random.default_rng(6), half_life=20, draws=3000)
    assert found == pytest.approx(expected, abs=1.5)  # quantiles of 3,000 draws of a wide distribution
    values[-1] = values.min() - 1  # and at a record it has next to no width
    low, high = parts("bands.sampling").bootstrap_band(values, np.random.default_rng(6), half_life=20)
    assert high - low <= 1


def test_a_cell_depends_on_its_seed_alone(parts: Any) -> None:
    sampling = parts("bands.sampling")
    cell = sampling.Cell("AR(1)", 500, 10)
    first, again, other = (sampling.measure(cell, seed, 40, 3) for seed in (1, 1, 2))
    assert first.ours == again.ours
    assert first.bootstrap == again.bootstrap
    assert first.ours != other.ours
    assert first.ours.seen10 > 0.7


def test_scores_count_the_tails(parts: Any) -> None:
    sampling = parts("bands.sampling")
    seen, true = np.array([0.01, 0.97, 0.08, 0.30]), np.array([0.02, 0.80, 0.04, 0.09])
    bands = [(0.0, 3.0), (90.0, 99.0), (1.0, 5.0), (20.0, 40.0)]
    found = sampling.score(bands, seen, true)
    assert (found.seen5, found.seen10) == (0.5, pytest.approx(2 / 3))
    assert (found.true5, found.true10) == (1.0, pytest.approx(2 / 3))
    assert found.width == pytest.approx(6.0)
    assert found.least() == 0.5
    assert math.isnan(sampling.score(bands, seen, 0 * true + 0.5).true5)


def test_cells_that_fall_short_are_named(parts: Any) -> None:
    sampling, measurement, report = (parts(f"bands.{name}") for name in ("sampling", "measurement", "report"))
    good = sampling.Score(0.9, 0.91, 0.92, 0.93, 12.3, 100)
    bad = sampling.Score(0.9, 0.80, 0.92, 0.93, 12.3, 100)
    cells = [sampling.Cell("regimes", 500, half_life) for half_life in (10, 70)]
    results = [
        sampling.Result(cell, ours, good, bad, 3.0) for cell, ours in zip(cells, (good, bad), strict=True)
    ]
    hard = [sampling.Result(sampling.Cell("two speeds", 2520, 2520), bad, good, bad, 3.0)]
    settings = [measurement.Setting("normal", 0.3, True), measurement.Setting("skewed", 0.3, today=0.03)]
    shares = (0.9, 0.875, *(0.95,) * 10)
    measured = [
        measurement.Result(setting, held=shares, plain=(0.7,) * 12, widths=(5.0,) * 12)
        for setting in settings
    ]
    text = report.whole(
        results, hard, measured, command="python3 benchmarks/bands.py", cases=100, measured=50
    )
    assert "1 of 2 cells of this grid cover at least 88 %" in text
    assert "1 of 1 cells cover less than 88 %" in text
    assert "* the worst, two speeds of half-life 2520 in 2,520 sessions: 80.0 %." in text
    assert (
        "* regimes of half-life 70 in 500 sessions: 80.0 % at worst, 90.0 % were the persistence known."
        in text
    )
    assert "| regimes | 500 | 70 | 90.0 % | **80.0 %** |" in text
    for row in ("| normal | 0.3, uneven |", "| skewed | 0.3, today 0.03 |"):
        assert f"{row} 90.0 % | **87.5 %** | 95.0 % |" in text
        assert f"{row} 5.0 | 5.0 |" in text
        assert f"{row} 70.0 % | 70.0 % |" in text
    said = " ".join(text.split())
    assert "11 of 12 cells cover at least 88 %; the least is 87.5 %, by 2.5 points under 90 % (normal" in said
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 110
    assert "## The measurement band" not in report.whole(results, [], [], command="", cases=100, measured=50)


def test_the_measurement_study_has_known_truths(parts: Any) -> None:
    measurement = parts("bands.measurement")
    for law in measurement.LAWS.values():
        # 400 series of half-life 20 or slower are worth a few thousand days; some have heavy tails
        assert np.std(law.make(np.random.default_rng(7), 400)) == pytest.approx(1, rel=0.1)
    setting = measurement.Setting("normal", 1.0, True)
    places = measurement.PLACES[:2]
    found = measurement.measure(setting, 1, 30, places)
    assert found == measurement.measure(setting, 1, 30, places)
    assert sum(found.plain) < sum(found.held)


@pytest.mark.parametrize("today", [None, 0.03])
def test_today_lies_where_it_is_wanted(parts: Any, series: ModuleType, today: float | None) -> None:
    measurement = parts("bands.measurement")
    setting = measurement.Setting("skewed", 0.3, today=today)
    for place in measurement.PLACES:
        truths, readings, errors = measurement.placed(setting, place, np.random.default_rng(5), 50)
        true = 100 * series.seen_shares(truths)
        step = 100 / measurement.N
        if place.how in {"seen", "true"}:
            shares = 100 * series.seen_shares(readings if place.how == "seen" else truths)
            assert len(shares) == 50 or (place.name, today) == ("seen 0-2", 0.03)  # noise fills the low end
            assert ((place.low <= shares) & (shares < place.high)).all()
        if place.how in {"below", "above"}:
            assert true.tolist() == pytest.approx([step / 2 if place.how == "below" else 100 - step / 2] * 50)
        assert set(errors[:, -1]) <= {today or 0.3}
        if len(truths) == 50:
            # 30,000 errors: their standard deviation has a standard error of 0.004
            assert np.std((readings - truths) / errors) == pytest.approx(1, abs=0.02)


def test_help_needs_nothing_installed() -> None:
    command = [sys.executable, "-S", str(BENCHMARKS / "bands.py"), "--help"]  # -S: no packages
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--seed" in done.stdout
