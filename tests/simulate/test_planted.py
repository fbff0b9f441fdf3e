"""The pair's planted episodes, found again by a plain finder of this file's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from volskew.simulate import Market, simulate_market
from volskew.simulate.funds import FUNDS
from volskew.simulate.model import TENOR, mixture, vol_at_delta
from volskew.simulate.planted import DAMPED, PLANTED, damping, shifts

Episode = tuple[str, str, str]


def log_ratio(truth: pd.DataFrame, column: str) -> pd.Series:
    vols = truth.pivot_table(index="date", columns="symbol", values=column)
    return pd.Series(np.log(vols["QQQ"] / vols["IWM"]))


def percentiles(values: np.ndarray) -> list[float]:
    """Mid-rank percentile of each among all so far, itself included; NaN with fewer than 252 before."""
    found = [float("nan")] * len(values)
    for day in range(252, len(values)):
        so_far = values[: day + 1]
        below, same = (so_far < values[day]).sum(), (so_far == values[day]).sum()
        found[day] = 100.0 * (below + 0.5 * same) / (day + 1)
    return found


def plain_finder(series: pd.Series) -> list[Episode]:
    """Enter at 5, leave above 15, the other way round above; gaps of fewer than 10 sessions do not count."""
    ranks = percentiles(series.to_numpy())
    episodes: list[Episode] = []
    for side in ("low", "high"):
        depth = [rank if side == "low" else 100.0 - rank for rank in ranks]
        stretches: list[list[int]] = []
        is_inside = False
        for day, rank in enumerate(depth):
            is_inside = rank <= 15.0 if is_inside else rank <= 5.0
            if not is_inside:
                continue
            if stretches and day - stretches[-1][1] <= 10:
                stretches[-1][1] = day
            else:
                stretches.append([day, day])
        episodes += [(side, series.index[first], series.index[last]) for first, last in stretches]
    return sorted(episodes, key=lambda episode: episode[1])


def planted(market: Market) -> list[Episode]:
    table = market.episodes
    return list(zip(table["side"], table["first_date"], table["last_date"], strict=True))


@pytest.mark.slow
def test_the_truth_has_the_planted_episodes_and_no_others(demo: Market) -> None:
    assert [side for side, _, _ in planted(demo)] == ["low", "high", "low", "low"]
    assert plain_finder(log_ratio(demo.truth, "vol_25c")) == planted(demo)


@pytest.mark.slow
def test_their_days_are_beyond_doubt(demo: Market) -> None:
    """Margins that no reading of a tenth of a vol point closes, at every threshold."""
    series = log_ratio(demo.truth, "vol_25c")
    dates = series.index.tolist()
    ranks = np.array(percentiles(series.to_numpy()))
    outside = np.isfinite(ranks)
    for side, first, last in planted(demo):
        start, end = dates.index(first), dates.index(last)
        depth = ranks if side == "low" else 100.0 - ranks
        assert depth[start] < 4.0
        assert depth[start : end + 1].max() < 6.0
        around = [start - 1] if end == len(series) - 1 else [start - 1, end + 1]
        assert (depth[around] > 40.0).all()
        outside[start : end + 1] = False
    assert 6.0 < ranks[outside].min() < ranks[outside].max() < 94.0


def test_each_has_its_driver(demo: Market) -> None:
    """Level is the 50-delta vol, skew the 25-delta call over it; both against the pair's median."""
    level = log_ratio(demo.truth, "vol_50")
    skew = log_ratio(demo.truth, "vol_25c") - level
    for _, side, driver, leg, first, last, _ in demo.episodes.itertuples(index=False, name=None):
        parts = {
            "level": level[first:last].mean() - level.median(),
            "skew": skew[first:last].mean() - skew.median(),
        }
        total = sum(parts.values())
        assert (total < -0.1) if side == "low" else (total > 0.1)
        assert parts[driver] / total > 0.7
        # the fund itself did it: its own log vol over skew moved as that of the other did not
        mine = demo.truth[demo.truth["symbol"] == leg].set_index("date")
        column = np.log(mine["vol_50"]) if driver == "level" else np.log(mine["vol_25c"] / mine["vol_50"])
        start = mine.index.tolist().index(first)
        step = column.iloc[start] - column.iloc[start - 1]
        assert abs(step) > 0.06


def test_flat_calls_keep_the_level_of_iwm() -> None:
    """What is planted in IWM's skew leaves its 50-delta vol where it was, and makes its calls as dear."""
    shift = PLANTED[-1].by["IWM"]
    shape = FUNDS[1].shape
    deltas = np.array([0.25, 0.50])
    before, after = (
        vol_at_delta(
            mixture(shape, scale=scale, skew=skew, curvature=1.0, clock_time=TENOR), delta=deltas, years=TENOR
        )
        for scale, skew in ((0.285, 1.0), (0.285 * np.exp(shift.level), np.exp(shift.skew)))
    )
    assert after[1] == pytest.approx(before[1], rel=0.005)
    assert after[0] == pytest.approx(after[1], rel=0.02)
    assert before[0] < 0.95 * before[1]


def test_markets_of_other_lengths_have_those_that_begin_within_them() -> None:
    short = simulate_market(sessions=60, history_years=5)
    whole = simulate_market(sessions=60)
    assert short.episodes["first_date"].tolist() == whole.episodes["first_date"].tolist()[2:]
    assert short.episodes["number"].tolist() == [1, 2]
    tiny = simulate_market(sessions=5, history_years=0)
    assert tiny.episodes.empty
    assert list(tiny.episodes.columns) == list(whole.episodes.columns)
    # ... and one that began before the first session is felt all the same
    level, skew = shifts("IWM", count=5)
    assert (skew == PLANTED[-1].by["IWM"].skew).all()
    assert (level > 0.0).all()


def test_damping_is_whole_within_and_fades_around() -> None:
    share = damping(3000)
    for episode in PLANTED:
        first = 2999 - episode.before_last
        inside = share[first : first + episode.length]
        assert inside == pytest.approx(1.0 - DAMPED, abs=1e-15)
        assert share[first - 6] == pytest.approx(1.0 - 0.5 * DAMPED, abs=1e-15)
    assert share.max() > 0.9999
