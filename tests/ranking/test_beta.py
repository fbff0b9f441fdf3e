"""Beta-adjusted: scipy's lines day by day, no look-ahead bit for bit, planted residuals, hostile input."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal, stats

from volskew.errors import InputError, MissingReadingError, SettingsError
from volskew.ranking import percentile_rank
from volskew.ranking.beta import beta_adjust
from volskew.ranking.theil_sen import Lines, lines_before

Floats = NDArray[np.float64]


def _vols(n: int = 900, *, seed: int = 3, slope: float = 0.8, noise: float = 0.02) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    iwm = np.log(0.2) + signal.lfilter([0.05], [1, -0.97], random.normal(size=n))
    qqq = 0.1 + slope * iwm + noise * random.normal(size=n)
    return pd.DataFrame(
        {"QQQ": np.exp(qqq), "IWM": np.exp(iwm)}, index=pd.bdate_range(end="2026-07-10", periods=n)
    )


def _slow(x: Floats, y: Floats, *, sessions: int, expanding: bool) -> Lines:
    """Day by day: scipy's line through the kept sessions before it."""
    rows = []
    for day in range(len(x)):
        kept = [i for i in range(day) if not (math.isnan(x[i]) or math.isnan(y[i]))]
        kept = kept if expanding else kept[-sessions:]
        if len(kept) < sessions or len(set(x[kept])) < 2:
            rows.append((math.nan,) * 4)
            continue
        slope = float(stats.theilslopes(y[kept], x[kept]).slope)
        intercept = float(np.median(y[kept] - slope * x[kept]))
        left = y[kept] - slope * x[kept] - intercept
        scale = stats.median_abs_deviation(left, center=lambda values, axis: 0.0, scale="normal")
        if scale == 0:
            scale = (np.quantile(left, 0.75) - np.quantile(left, 0.25)) / 1.349
        rows.append((slope, intercept, y[day] - intercept - slope * x[day], scale))
    return Lines(*np.array(rows, dtype=np.float64).T)


# --- the lines --------------------------------------------------------------------------------------


@given(
    cells=st.lists(
        st.tuples(
            # eighths: slopes and residuals tie, x repeats, and every sum is exact
            st.integers(-8, 8).map(lambda n: n / 8) | st.just(math.nan),
            st.integers(-40, 40).map(lambda n: n / 8) | st.just(math.nan),
        ),
        min_size=1,
        max_size=70,
    ),
    expanding=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_slow_twin(cells: list[tuple[float, float]], expanding: bool) -> None:
    x, y = np.array(cells, dtype=np.float64).T
    fast = lines_before(x, y, sessions=20, expanding=expanding)
    slow = _slow(x, y, sessions=20, expanding=expanding)
    for name in ("slope", "intercept", "residual", "scale"):
        # the same medians; scipy's orders of adding differ by roundings of numbers below 50
        np.testing.assert_allclose(
            getattr(fast, name), getattr(slow, name), rtol=1e-13, atol=1e-13, err_msg=name
        )


def test_slow_twin_on_vols() -> None:
    panel = _vols(560)
    panel.iloc[40:60, 0] = math.nan
    x, y = (np.log(panel[leg].to_numpy()) for leg in ("IWM", "QQQ"))
    for expanding in (False, True):
        fast = lines_before(x, y, sessions=504, expanding=expanding)
        slow = _slow(x, y, sessions=504, expanding=expanding)
        assert np.isfinite(fast.slope).sum() == 560 - 504 - 20
        for name in ("slope", "intercept", "residual", "scale"):
            np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-12, atol=1e-14)


@given(st.integers(21, 130), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_later_days_leave_every_line_as_it_was(n: int, expanding: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, 130))
    x[random.random(130) < 0.1] = math.nan
    whole = lines_before(x, y, sessions=20, expanding=expanding)
    cut = lines_before(x[:n], y[:n], sessions=20, expanding=expanding)
    for name in ("slope", "intercept", "residual", "scale", "z"):
        assert np.array_equal(getattr(whole, name)[:n], getattr(cut, name), equal_nan=True)  # bit for bit


def test_the_day_itself_is_not_in_its_line() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 60))
    moved = y.copy()
    moved[-1] += 1e6
    one, other = (lines_before(x, values, sessions=30) for values in (y, moved))
    assert (one.slope[-1], one.intercept[-1]) == (other.slope[-1], other.intercept[-1])
    assert other.residual[-1] == pytest.approx(one.residual[-1] + 1e6, rel=1e-12)


def test_a_fifth_of_wild_days_does_not_move_the_line() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=300)
    y = 0.7 * x + 0.01 * random.normal(size=300)
    wild = random.random(300) < 0.2
    y[wild] = 50.0
    line = lines_before(x, y, sessions=299)
    assert line.slope[-1] == pytest.approx(0.7, abs=0.02)  # the least-squares line is nowhere near
    assert abs(np.polyfit(x[:-1], y[:-1], 1)[1]) > 5


def test_where_there_is_no_line() -> None:
    y = np.arange(50.0)
    assert np.isnan(lines_before(np.ones(50), y, sessions=20).slope).all()  # x never moves
    assert np.isnan(lines_before(y[:20], y[:20], sessions=20).slope).all()  # 20 days, none after them
    assert np.isfinite(lines_before(y[:21], y[:21], sessions=20).slope).sum() == 1
    assert lines_before([], [], sessions=20).slope.shape == (0,)
    on_line = lines_before(y, 2 * y, sessions=20)
    assert on_line.scale[-1] == 0
    assert math.isnan(on_line.z[-1])


def test_hostile_arrays() -> None:
    with pytest.raises(InputError, match="one length"):
        lines_before([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="infinite"):
        lines_before([1.0, math.inf], [1.0, 2.0])
    for sessions in (19, 0, True, 20.0):
        with pytest.raises(SettingsError, match="20 sessions or more"):
            lines_before([1.0], [1.0], sessions=sessions)  # type: ignore[arg-type]


# --- the ranking ------------------------------------------------------------------------------------


def test_a_planted_residual_is_found_where_the_ratio_shows_nothing() -> None:
    panel = _vols(1400, slope=0.5)
    # IWM in the calm and QQQ where their common ratio is ordinary, but 8 % under what IWM says
    x = float(np.log(panel["IWM"].iloc[:-1].quantile(0.1)))
    panel.iloc[-1] = [math.exp(0.1 + 0.5 * x - 0.08), math.exp(x)]
    found = beta_adjust(panel, fit_sessions=504)
    today = found.fits.iloc[-1]
    assert today["slope"] == pytest.approx(0.5, abs=0.03)
    assert today["residual"] == pytest.approx(-0.08, abs=0.005)
    assert today["residual_z"] < -3
    assert found.ranking.headline["percentile"] < 1
    ratio = np.log((panel["QQQ"] / panel["IWM"]).to_numpy())
    assert percentile_rank(ratio, value=ratio[-1]).mid > 15
    assert "QQQ vol is cheap relative to beta-adjusted IWM vol." in found.sentence
    assert "The line through the 504 sessions before has slope 0." in found.sentence


@pytest.mark.parametrize("expanding", [False, True])
def test_the_percentile_is_among_residuals_as_they_were_scored(expanding: bool) -> None:
    panel = _vols(800)
    found = beta_adjust(panel, fit_sessions=300, expanding=expanding, windows=["full", "1y"])
    residuals = found.fits["residual"].dropna()
    assert len(residuals) == 500
    assert found.table["n_obs"].tolist() == [500, 252]
    for window, count in (("full", 500), ("1y", 252)):
        row = found.table[found.table["window"] == window].iloc[0]
        sample = residuals.iloc[-count:].to_numpy()
        assert row["percentile"] == pytest.approx(percentile_rank(sample, value=sample[-1]).mid, rel=1e-12)
        assert row["value"] == pytest.approx(sample[-1], abs=1e-11)  # ratios are kept to 12 digits
        assert row["coverage"] == 1.0
    assert found.table["slope"].iloc[0] == found.fits["slope"].iloc[-1]
    assert found.table["pair"].iloc[0] == "QQQ/beta-adjusted IWM"


def test_nothing_after_the_day_is_looked_at() -> None:
    panel = _vols(900)
    day = panel.index[800]
    one, other = beta_adjust(panel, as_of=day.date()), beta_adjust(panel.loc[:day])
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    pd.testing.assert_frame_equal(one.fits, other.fits, check_exact=True)
    assert one.sentence == other.sentence


def test_errors_count_by_the_slope() -> None:
    panel = _vols(900)
    errors = panel * [0.03, 0.05]
    found = beta_adjust(panel, errors=errors)
    slope = found.fits["slope"].iloc[-1]
    assert found.ranking.headline["error"] == pytest.approx(math.hypot(0.03, slope * 0.05), rel=1e-12)


def test_gates_and_missing_legs() -> None:
    panel = _vols(600)
    short = beta_adjust(panel)  # 96 scored days
    assert short.table["flags"].str.contains("SHORT_HISTORY").all()
    assert short.table["n_obs"].iloc[0] == 96
    none = beta_adjust(panel.iloc[:100])
    assert none.table["flags"].str.contains("LEG_MISSING").all()
    assert "There is no line through the 504 sessions before" in none.sentence
    panel.iloc[-1, 1] = math.nan
    missing = beta_adjust(panel)
    assert missing.table["value"].isna().all()
    assert math.isnan(missing.fits["residual"].iloc[-1])
    assert math.isfinite(missing.fits["slope"].iloc[-1])


def test_flags_of_both_legs_are_kept() -> None:
    panel = _vols(600)
    flags = pd.DataFrame("", index=panel.index, columns=["QQQ", "IWM"])
    flags.iloc[-1] = ["ROLL", "NO_ERROR"]
    assert beta_adjust(panel, flags=flags).table["flags"].iloc[0].startswith("NO_ERROR ROLL")


def test_hostile_panels() -> None:
    panel = _vols(600)
    panel.iloc[5, 1] = -0.1
    with pytest.raises(InputError, match=rf"IWM.*at or below zero on {panel.index[5].date()}"):
        beta_adjust(panel)
    with pytest.raises(MissingReadingError, match="no session"):
        beta_adjust(panel.iloc[:0])
    with pytest.raises(SettingsError, match="20 sessions or more"):
        beta_adjust(panel, fit_sessions=5)
    with pytest.raises(InputError, match="no such column"):
        beta_adjust(panel[["QQQ"]])
