"""Which smile serves: SVI, eSSVI, the local fit, or none; and the labels that vols decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.quotes.schema import has_flag
from volskew.settings import Gates, Settings
from volskew.surface import Surface, fit_surface
from volskew.surface.labels import NO_CROSS_CHECK, SMILE_FALLBACK

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings(rate=0.04)
LOOSE = Settings(rate=0.04, gates=Gates(min_quotes=4, min_wing_quotes=1, max_delta_gap=0.5))


def only(chain: pd.DataFrame, strikes: list[float]) -> pd.DataFrame:
    """The calls and puts at some strikes."""
    return chain[chain["strike"].isin(strikes)].reset_index(drop=True)


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    return make_chain(qqq_like, days=(91,), width=0.4)


def reading(chain: pd.DataFrame, settings: Settings = LOOSE, **place: Any) -> Any:
    surface = fit_surface(chain, settings=settings)
    return surface, surface.vol(tenor="91d", **place)


def test_enough_quotes_on_both_sides_are_svi(chain: pd.DataFrame, qqq_like: Any) -> None:
    surface, one = reading(chain, SETTINGS)
    assert one.method.split()[0] == "svi"
    assert SMILE_FALLBACK not in one.flags
    assert one.value == pytest.approx(qqq_like.vol_at_delta(0.25, 91 / 365), abs=5e-5)  # cents
    smile = surface.smiles.iloc[0]
    assert smile["least_g"] >= 0
    assert max(smile["wing_left"], smile["wing_right"]) <= 2
    assert smile["repaired"] == "no"


@pytest.mark.parametrize("n", [5, 6, 7])
def test_few_quotes_are_essvi_and_said_to_be(chain: pd.DataFrame, qqq_like: Any, n: int) -> None:
    strikes = [480.0, 505.0, 530.0, 550.0, 570.0, 585.0, 460.0][:n]
    surface, one = reading(only(chain, strikes), delta="35c")
    assert surface.smiles["n_accepted"].tolist() == [n]
    assert one.method.split()[0] == "essvi"
    assert SMILE_FALLBACK in one.flags
    assert one.value == pytest.approx(qqq_like.vol_at_delta(0.35, 91 / 365), abs=0.003)
    assert one.error is not None
    assert abs(one.value - qqq_like.vol_at_delta(0.35, 91 / 365)) < 3 * one.error


def test_quotes_on_one_side_are_essvi(chain: pd.DataFrame, qqq_like: Any) -> None:
    # pairs for the forward, then puts alone
    calls = chain["is_call"].astype(bool)
    cut = chain[~calls | (chain["strike"] < 530)].reset_index(drop=True)
    surface, one = reading(cut, SETTINGS, delta="25p")
    assert surface.smiles["method"].tolist() == ["essvi"]
    assert SMILE_FALLBACK in one.flags
    assert one.value == pytest.approx(qqq_like.vol_at_delta(0.75, 91 / 365), abs=0.003)


def test_an_essvi_slice_that_misses_its_quotes_gives_way_to_the_local_fit(
    chain: pd.DataFrame, qqq_like: Any
) -> None:
    """Three parameters on a whole chain of exact quotes are off by many half-spreads."""
    sharp = chain.assign(bid=chain["last"] - 0.005, ask=chain["last"] + 0.005)
    surface, one = reading(sharp, Settings(rate=0.04, smile_model="essvi"))
    assert surface.smiles["method"].tolist() == ["local"]
    assert SMILE_FALLBACK in one.flags
    assert one.method.split()[0] == "local"
    assert one.value == pytest.approx(qqq_like.vol_at_delta(0.25, 91 / 365), abs=3e-4)


@pytest.mark.parametrize("model", ["svi", "essvi", "local"])
def test_the_model_asked_for_is_no_fallback(chain: pd.DataFrame, qqq_like: Any, model: Any) -> None:
    wide = chain.assign(bid=(chain["last"] - 0.5).clip(lower=0), ask=chain["last"] + 0.5)
    surface, one = reading(wide, Settings(rate=0.04, smile_model=model))
    assert surface.smiles["method"].tolist() == [model]
    assert one.method.split()[0] == model
    assert SMILE_FALLBACK not in one.flags
    assert one.value == pytest.approx(qqq_like.vol_at_delta(0.25, 91 / 365), abs=0.002)
    assert model in surface.smiles["method"].tolist()


def test_the_models_agree_on_a_clean_chain(chain: pd.DataFrame, qqq_like: Any) -> None:
    truth = qqq_like.vol_at_delta(0.25, 91 / 365)
    for model, off in (("svi", 5e-5), ("local", 3e-4)):
        one = reading(chain, Settings(rate=0.04, smile_model=model))[1]  # type: ignore[arg-type]
        assert one.value == pytest.approx(truth, abs=off)


def test_local_surfaces_are_read_at_every_strike(chain: pd.DataFrame, qqq_like: Any) -> None:
    surface, _ = reading(chain, Settings(rate=0.04, smile_model="local"))
    for strike in np.arange(470.0, 600.0, 2.5):
        one = surface.vol(tenor="91d", strike=float(strike))
        truth = float(qqq_like.vol(np.log(strike / qqq_like.forward(91 / 365)), 91 / 365))
        assert one.value == pytest.approx(truth, abs=5e-4)
        assert NO_CROSS_CHECK not in one.flags


def test_too_few_quotes_are_no_smile(chain: pd.DataFrame) -> None:
    surface, one = reading(only(chain, [505.0, 530.0, 550.0, 570.0]))
    assert surface.smiles["method"].tolist() == ["none"]
    assert not one.is_read
    assert one.flags[0] in {"NO_EXPIRY_BEFORE", "NO_EXPIRY_AFTER"}
    # the expiry at the tenor itself is named
    assert "2026-10-09 PM (91 d), failed" in one.details["reason"]
    assert "no fit around 25c: 3 quotes, 5 needed" in one.details["reason"]
    assert not surface.quotes["used_in_smile"].any()


# --- labels that need vols --------------------------------------------------------------------------------


def hit(
    chain: pd.DataFrame, strike: float, by: float, *, is_call: bool
) -> tuple[pd.DataFrame, pd.Series[bool]]:
    """A chain with one line off by some dollars."""
    line = (chain["strike"] == strike) & (chain["is_call"].astype(bool) == is_call)
    assert line.sum() == 1
    bad = chain.copy()
    bad.loc[line, ["bid", "ask"]] = (bad.loc[line, ["bid", "ask"]] + by).round(2)
    return bad, line


def test_wide(chain: pd.DataFrame) -> None:
    line = (chain["strike"] == 570.0) & chain["is_call"].astype(bool)
    bad = chain.copy()
    # above both 3 vol points and 15 % of the level, on a vega of a dollar a point
    bad.loc[line, "bid"], bad.loc[line, "ask"] = bad.loc[line, "bid"] - 1.9, bad.loc[line, "ask"] + 1.9
    table = fit_surface(bad, settings=SETTINGS).quotes
    assert table.loc[line, "exclusion"].tolist() == ["WIDE"]
    assert (table.loc[line, "vol_ask"] - table.loc[line, "vol_bid"]).item() > 0.0315
    assert not table.loc[line, "used_in_smile"].item()
    assert (table["exclusion"] == "WIDE").sum() == 1


def test_tick(qqq_like: Any, make_chain: MakeChain) -> None:
    """A line of which a tick is worth more than a vol point, or that is below a nickel."""
    table = fit_surface(make_chain(qqq_like, days=(28,), width=0.4), settings=SETTINGS).quotes
    cheap = table[table["exclusion"] == "TICK"]
    assert len(cheap)
    vega = table["forward"] * np.sqrt(table["time_to_expiry"]) * 0.3989
    d1 = -table["log_moneyness"] / (table["vol_mid"] * np.sqrt(table["time_to_expiry"]))
    d1 = d1 + table["vol_mid"] * np.sqrt(table["time_to_expiry"]) / 2
    vega = vega * np.exp(-(d1**2) / 2) * np.exp(-0.04 * 28 / 365)
    mid = (table["bid"] + table["ask"]) / 2
    worthless = (vega[cheap.index] < 1) | (mid[cheap.index] < 0.05)
    assert worthless.all()
    kept = table[table["used_in_smile"]].index
    assert (vega[kept] >= 1).all()
    assert (mid[kept] >= 0.05).all()


def test_bound_mid(chain: pd.DataFrame) -> None:
    """A mid at its floor is a flag, and no vol serves from it."""
    line = (chain["strike"] == 350.0) & chain["is_call"].astype(bool)
    bad = chain.copy()
    forward, discount = 525 * np.exp(0.035 * 91 / 365), np.exp(-0.04 * 91 / 365)
    floor = discount * (forward - 350)
    bad.loc[line, "bid"], bad.loc[line, "ask"] = round(floor - 0.6, 2), round(floor + 0.5, 2)
    table = fit_surface(bad, settings=SETTINGS).quotes
    assert has_flag(table["flags"], "BOUND_MID")[line].all()
    assert not table.loc[line, "used_in_smile"].item()


@pytest.mark.parametrize("by", [0.12, -0.12])
def test_outlier_near_a_target(chain: pd.DataFrame, by: float) -> None:
    """Less than neighbours' arbitrage allows, three half-spreads from the smile."""
    clean = fit_surface(chain, settings=SETTINGS)
    bad, line = hit(chain, 555.0, by, is_call=True)
    surface = fit_surface(bad, settings=SETTINGS)
    assert surface.quotes.loc[line, "exclusion"].tolist() == ["OUTLIER"]
    assert (surface.quotes["exclusion"] == "OUTLIER").sum() == 1
    assert surface.vol(tenor="91d").value == pytest.approx(clean.vol(tenor="91d").value, abs=1e-5)
    # it keeps its vol and its delta, to be looked at
    assert surface.quotes.loc[line, ["vol_mid", "forward_call_delta"]].notna().all(axis=None)


def test_outlier_far_out(chain: pd.DataFrame) -> None:
    """Beyond the reach of the local fits the curve is the judge."""
    clean = fit_surface(chain, settings=SETTINGS)
    delta = clean.quotes["forward_call_delta"]
    far = clean.quotes[
        clean.quotes["used_in_smile"] & ~clean.quotes["is_call"].astype(bool) & delta.between(0.955, 0.975)
    ]
    assert len(far)
    strike = float(far["strike"].iloc[len(far) // 2])
    bad, line = hit(chain, strike, 0.07, is_call=False)
    surface = fit_surface(bad, settings=SETTINGS)
    assert surface.quotes.loc[line, "exclusion"].tolist() == ["OUTLIER"]
    for place in ("25c", "25p", "10p"):
        before, after = (s.vol(tenor="91d", delta=place).value for s in (clean, surface))
        assert after == pytest.approx(before, abs=3e-5)


# --- hostile chains ---------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 100_000))
def test_dirty_chains_give_no_nonsense(chain: pd.DataFrame, qqq_like: Any, seed: int) -> None:
    """Missing lines, wild and locked quotes, zero bids: each reading is near the truth, or is none."""
    generator = np.random.default_rng(seed)
    n = len(chain)
    kept = generator.random(n) < generator.uniform(0.4, 1.0)
    factor = np.where(generator.random(n) < 0.05, np.exp(generator.normal(0, 0.5, n)), 1.0)
    widen = np.exp(generator.normal(0, 0.7, n))
    middle, half = chain["last"] * factor, (chain["ask"] - chain["bid"]) / 2 * widen
    bid = (middle - half).round(2).clip(lower=0).where(generator.random(n) > 0.03, 0.0)
    dirty = chain.assign(bid=bid, ask=np.maximum((middle + half).round(2), bid))[kept].reset_index(drop=True)
    surface = fit_surface(dirty, settings=SETTINGS)
    assert len(surface.quotes) == kept.sum()
    arbitrage = surface.arbitrage
    assert not (arbitrage["severity"] == "error").any()
    smile = surface.smiles.iloc[0]
    if smile["method"] in {"svi", "essvi"}:
        assert smile["least_g"] >= 0
    for delta in (0.1, 0.25, 0.5, 0.75, 0.9):
        one = surface.vol(tenor="91d", delta=delta)
        if one.is_read and one.error is not None:
            off = abs(one.value - qqq_like.vol_at_delta(delta, 91 / 365))
            assert off < max(0.004, 6 * one.error)
            assert one.error < 0.05


def test_a_bent_pair_of_expiries_is_arbitrage(qqq_like: Any, make_chain: MakeChain) -> None:
    # the later smile falls below the earlier in the put wing alone
    early = make_chain(replace(qqq_like, rho=-0.75), days=(84,))
    late = make_chain(replace(qqq_like, rho=-0.35, level=0.192), days=(91,))
    surface = fit_surface(pd.concat([early, late], ignore_index=True), settings=SETTINGS)
    table = surface.arbitrage
    crossing = table[table["kind"] == "calendar"]
    assert len(crossing) == 1
    case = crossing.iloc[0]
    assert case["severity"] == "error"
    assert ("84 d" in case["name"], "91 d" in case["name_after"]) == (True, True)
    assert case["strike_low"] <= case["strike"] <= case["strike_high"] < 540
    # by hand, at that strike's forward moneyness
    k = np.log(case["strike"] / surface.forwards["forward"].iloc[1])
    vols = [surface.vol(tenor=tenor, log_moneyness=float(k)).value for tenor in ("84d", "91d")]
    assert case["size"] == pytest.approx(100 * (vols[0] * np.sqrt(84 / 91) - vols[1]), abs=1e-6)
    assert surface.arbitrage.equals(table)


def test_clean_chains_have_no_arbitrage(qqq_like: Any, iwm_like: Any, make_chain: MakeChain) -> None:
    for model in (qqq_like, iwm_like):
        surface: Surface = fit_surface(make_chain(model, days=(28, 63, 91, 189)), settings=SETTINGS)
        assert surface.arbitrage.query("severity == 'error'").empty
