"""States of the scenarios' days: stationary, correlated between the funds, and smiles like the real ones."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from volskew.errors import SettingsError
from volskew.market.clock import is_session
from volskew.simulate import SCENARIOS, Scenario, scenario_chain
from volskew.simulate.days import day_state, rate_of, session_of_day
from volskew.simulate.scenarios import FAMILIES, find_scenario, parameters
from volskew.simulate.underlyings import IWM, QQQ, UNDERLYINGS

CALM = SCENARIOS["calm"]


def test_days_are_sessions_without_a_gap() -> None:
    dates = [session_of_day(CALM, day) for day in range(300)]
    assert dates[0] == dt.date(2025, 1, 2)
    assert dt.date(2025, 1, 9) not in dates  # a day of mourning
    assert all(is_session(date) for date in dates)
    assert dates == sorted(set(dates))
    assert (dates[251] - dates[0]).days == pytest.approx(365, abs=5)


def test_states_are_stationary_and_the_funds_move_together() -> None:
    mixture = dataclasses.replace(CALM, families=("mixture",))
    rows = [
        [day_state(mixture, fund, seed=seed, day=10 * seed) for fund in UNDERLYINGS] for seed in range(300)
    ]
    scales = np.log([[state.model.scale for state in row] for row in rows])  # type: ignore[attr-defined]
    # the deviation of level and relative factor; 300 independent draws know it within 4 %, four times that
    expected = np.hypot(CALM.level_deviation, 0.5 * CALM.relative_deviation)
    assert scales.std(axis=0) == pytest.approx(expected, rel=0.16)
    assert (scales[:, 0] - scales[:, 1]).std() == pytest.approx(CALM.relative_deviation, rel=0.16)
    assert np.exp(np.median(scales, axis=0)) == pytest.approx([QQQ.scale, IWM.scale], rel=0.06)
    assert 0.6 < np.corrcoef(scales.T)[0, 1] < 0.95
    spots = np.log([[state.spot for state in row] for row in rows])
    assert 0.7 < np.corrcoef(spots.T)[0, 1] < 0.98
    assert np.corrcoef(spots[:, 0], scales[:, 0])[0, 1] < -0.4  # prices fall when vol rises


def test_neighbouring_days_hang_together() -> None:
    spots = np.log([day_state(CALM, QQQ, seed=2, day=day).spot for day in range(120)])
    daily = np.diff(spots).std() * np.sqrt(252.0)
    assert daily == pytest.approx(
        0.7 * QQQ.scale, rel=0.25
    )  # realised vol, known within 6 % from 119 returns


def test_families_follow_their_rule() -> None:
    for seed, day in ((0, 0), (0, 1), (7, 3), (11, 200)):
        for symbol in ("QQQ", "IWM"):
            chain = scenario_chain("calm", symbol=symbol, seed=seed, day=day)
            assert chain.family == FAMILIES[(seed + day) % 3]
    only = dataclasses.replace(CALM, families=("bates",))
    assert scenario_chain(only, seed=1, day=1).family == "bates"


# 91-day vols over the 50-delta vol at call deltas 0.10, 0.25, 0.75, 0.90 of real chains: QQQ of 2026-07-10,
# IWM the means of 2026-06-17, 06-24 and 07-10
RATIOS = {"QQQ": [0.868, 0.905, 1.166, 1.387], "IWM": [0.916, 0.933, 1.133, 1.335]}
LEVELS = {"QQQ": 0.231, "IWM": 0.215}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("symbol", ["QQQ", "IWM"])
def test_smiles_are_like_the_real_ones(symbol: str, family: str) -> None:
    scenario = dataclasses.replace(CALM, families=(family,))
    vols = np.array(
        [
            scenario_chain(scenario, symbol=symbol, seed=seed, day=0).truth.vol(
                "3m", [0.10, 0.25, 0.50, 0.75, 0.90]
            )
            for seed in range(24)
        ]
    )
    middle = np.median(vols / vols[:, 2:3], axis=0)[[0, 1, 3, 4]]
    assert middle == pytest.approx(RATIOS[symbol], abs=0.045)  # three quarters of a vol point
    assert np.median(vols[:, 2]) == pytest.approx(LEVELS[symbol], rel=0.15)


def test_the_scenarios_are_what_they_are_called() -> None:
    def middle(name: str, tenor: str) -> float:
        return float(np.median([scenario_chain(name, seed=seed).truth.vol(tenor, 0.5) for seed in range(12)]))

    assert middle("stressed", "3m") > 1.8 * middle("calm", "3m")
    assert middle("stressed", "1m") > 1.05 * middle("stressed", "6m")  # inverted
    assert middle("calm", "1m") < middle("calm", "6m")
    rates = {
        name: [rate_of(SCENARIOS[name], seed=seed, day=seed) for seed in range(60)]
        for name in ("calm", "zero_rates", "high_rates")
    }
    assert set(rates["zero_rates"]) == {0.0}
    assert min(rates["high_rates"]) > 0.055
    assert max(rates["high_rates"]) < 0.085
    assert np.mean(rates["calm"]) == pytest.approx(0.04, abs=0.002)
    truth = scenario_chain("hard_to_borrow", symbol="IWM", seed=1).truth
    plain = dataclasses.replace(truth, borrow=0.0)
    assert truth.borrow == 0.05
    assert float(truth.forward("3m") / plain.forward("3m")) == pytest.approx(
        np.exp(-0.05 * 91 / 365), rel=1e-4
    )


def test_scenarios_are_plain_values_that_are_checked() -> None:
    assert find_scenario("calm") is CALM
    assert find_scenario(CALM) is CALM
    assert hash(Scenario("mine", spread=2.0)) == hash(Scenario("mine", spread=2.0))
    assert parameters(CALM)["first_session"] == "2025-01-02"
    assert list(SCENARIOS) == [
        "calm", "stressed", "sparse", "dirty", "zero_rates", "high_rates", "hard_to_borrow", "ex_date",
        "events",
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="one of calm, stressed"):
        find_scenario("storm")
    for change, words in (
        ({"level": 0.0}, "level must lie from 0.2 to 5"),
        ({"rate": float("nan")}, "rate must lie"),
        ({"exercise": "bermudan"}, "one of american, european"),
        ({"ex_dates": "never"}, "one of quarterly, before_expiries"),
        ({"families": ()}, "some of mixture, heston, bates"),
        ({"families": ("sabr",)}, "some of mixture, heston, bates"),
        ({"nearest_days": 100, "longest_days": 90}, "below longest_days"),
        ({"defects": (("lost", 0.1),)}, "shares of"),
        ({"defects": (("stale", 0.6), ("locked", 0.6))}, "1 in all"),
    ):
        with pytest.raises(SettingsError, match=words):
            dataclasses.replace(CALM, **change)
