"""Forwards of American chains against those that they were made with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.market.rates import DiscountCurve
from volskew.market.table import MarketRow, market_row
from volskew.quotes.clean import label
from volskew.settings import Settings
from volskew.surface import fit_forwards, solve_vols
from volskew.surface.chain import Chain
from volskew.surface.early_exercise import _aitken, _ratio, without_early_exercise
from volskew.surface.forwards import Forwards, find_forwards
from volskew.surface.pairs import find_pairs
from volskew.surface.pricer import DIVIDENDS, YIELD

MakeChain = Callable[..., pd.DataFrame]
Floats = NDArray[np.float64]
SETTINGS, NAIVE = Settings(), Settings(pricer="european")
DRAWS = 48


def forwards_of(
    quotes: pd.DataFrame, market: MarketRow, chosen: Settings = SETTINGS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return fit_forwards(label(quotes, market=market, settings=chosen), market=market, settings=chosen)


# --- many noisy chains of one market ----------------------------------------------------------------------


class Draws(NamedTuple):
    """Of each of `DRAWS` chains: what the forward misses [bp of the forward], and in its own errors."""

    miss: Floats
    standardised: Floats
    naive: Floats


@pytest.fixture(scope="session")
def draws(
    markets: dict[str, Any], make_chain: MakeChain, quote_anew: Callable[..., pd.DataFrame]
) -> Callable[[str], dict[int, Draws]]:
    """Chains whose mids lie anywhere within the spread, as so many roots of one chain: one spot, one fit."""
    cache: dict[str, dict[int, Draws]] = {}

    def made(name: str) -> dict[int, Draws]:
        if name in cache:
            return cache[name]
        model = markets[name]
        market = model.row(knows_dividends=bool(model.dividends))
        quotes = make_chain(model, days=(7, 91, 364), exercise="american")
        labelled = label(quotes, market=market, settings=SETTINGS)
        generator = np.random.default_rng(11)
        many = pd.concat(
            [quote_anew(labelled, generator).assign(root=f"R{draw:02d}") for draw in range(DRAWS)],
            ignore_index=True,
        )
        table, _ = fit_forwards(many, market=market, settings=SETTINGS)
        naive, _ = fit_forwards(many, market=market, settings=NAIVE)
        assert (table["spot"] == model.spot).all()
        for days in (91, 364):
            truth = model.forward(days / 365)
            here = np.isclose(table["time_to_expiry"], days / 365)
            miss = table["forward"].to_numpy()[here] - truth
            assert len(miss) == DRAWS
            cache.setdefault(name, {})[days] = Draws(
                miss / truth * 1e4,
                miss / table["forward_error"].to_numpy()[here],
                (naive["forward"].to_numpy()[here] / truth - 1) * 1e4,
            )
        return cache[name]

    return made


CASES = [
    # what parity as it stands misses by at 91 and 364 days [bp of the forward]
    ("0.5", -8.3, -46.0),
    ("1.1", -6.7, -37.5),
    ("-0.4", -10.9, -59.5),
    ("3", -2.5, -15.5),
    ("QQQ mid", -8.8, -42.5),
    ("QQQ last", 0.5, -33.5),  # the calls' premiums for the dividend of the last day offset the puts'
    ("IWM mid", -8.2, -32.0),
    ("IWM last", 10.5, -13.0),
]
SOME = {"0.5", "IWM last"}
"""Markets of the quick tier."""
MARKETS = [pytest.param(name, marks=() if name in SOME else pytest.mark.slow) for name, *_ in CASES]


@pytest.mark.parametrize("name", MARKETS)
def test_the_forward_has_no_bias(draws: Callable[[str], dict[int, Draws]], name: str) -> None:
    _, quarter, year = next(case for case in CASES if case[0] == name)
    # 48 draws that scatter by 0.5 and 0.9 bp: their mean by 0.07 and 0.13
    assert abs(draws(name)[91].miss.mean()) < 0.2
    assert abs(draws(name)[364].miss.mean()) < 1.0
    # and so that this can fail: the same quotes with early exercise left in
    assert draws(name)[91].naive.mean() == pytest.approx(quarter, abs=0.5)
    assert draws(name)[364].naive.mean() == pytest.approx(year, abs=2.0)


@pytest.mark.parametrize("name", MARKETS)
def test_the_errors_are_honest(draws: Callable[[str], dict[int, Draws]], name: str) -> None:
    for days in (91, 364):
        z = draws(name)[days].standardised
        # the scatter of twelve pairs is itself known to a quarter only, so that misses in units of it have
        # long tails, about those of Student's t with 5 degrees of freedom: a spread of 1.3, one in 70 beyond
        # 4; with wide spreads pairs in whole cents are nearer the truth than they say
        assert 0.4 < z.std() < 1.6
        assert np.median(np.abs(z)) < 1.2  # 0.67 to 0.73 for such
        assert (np.abs(z) > 4).mean() <= 0.05
        if name != "QQQ last" or days != 91:  # whose naive forward is right by chance
            assert (np.abs(draws(name)[days].naive) > 4 * np.abs(draws(name)[days].miss).mean()).all()


def test_noise_comes_back_by_early_exercise_and_the_error_says_so() -> None:
    first, second, third = np.array([100.0, 100.0, 100.0]), np.array([101.0, 99.0, 100.0]), np.zeros(3)
    third[:] = [101.4, 99.1, 100.0]
    np.testing.assert_allclose(_ratio(first, second, third), [0.4, 0.0, 0.0], atol=1e-12)
    assert _ratio(np.array([1.0]), np.array([2.0]), np.array([5.0])).tolist() == [0.9]
    assert _ratio(np.array([np.nan]), np.array([2.0]), np.array([5.0])).tolist() == [0.0]


def test_aitken_finds_where_a_shrinking_sequence_goes() -> None:
    for ratio in (-0.4, 0.1, 0.3, 0.8):
        steps = [7 + 2 * ratio**n for n in range(3)]
        limit = _aitken(*(np.array([step]) for step in steps))
        assert limit[0] == pytest.approx(7.0, abs=1e-12)
    for ratio in (-0.9, 1.2):  # not believed
        steps = [7 + 2 * ratio**n for n in range(3)]
        assert _aitken(*(np.array([step]) for step in steps))[0] == steps[2]
    still = np.array([3.0])
    assert _aitken(still, still, still)[0] == 3.0


# --- clean chains -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, *_ in CASES])
def test_forwards_of_clean_chains(markets: dict[str, Any], make_chain: MakeChain, name: str) -> None:
    model = markets[name]
    days = (7, 28, 91, 189, 364)
    market = model.row(knows_dividends=bool(model.dividends))
    table, _ = forwards_of(make_chain(model, days=days, exercise="american"), market)
    truth = np.array([model.forward(day / 365) for day in days])
    miss = np.abs(table["forward"] / truth - 1) * 1e4
    assert (
        miss < [0.1, 0.1, 0.2, 0.3, 1.0]
    ).all()  # quotes in whole cents around the price: 0.02 bp and more
    assert (np.abs(table["forward"] - truth) < 4 * table["forward_error"]).all()
    assert set(table["flags"]) == {""}
    assert table["rounds"].between(1, 6).all()
    # all that is paid is in the forward, however it is called
    rate = model.rate
    paid = np.array(
        [sum(a * np.exp(-rate * t) for t, a in model.schedule if t < years) for years in np.array(days) / 365]
    )
    left = rate - model.carry
    np.testing.assert_allclose(
        table["implied_dividends"],
        model.spot - table["discount_factor"] * truth,
        atol=1.5e-4 * model.spot,  # the forward's 1 bp
    )
    if model.dividends:
        np.testing.assert_allclose(table["dividends"], paid, rtol=1e-12)
        # a hundredth of a basis point over a week is 0.005 % a year
        assert (np.abs(table["residual_yield"] - left) < 1e-4 * miss / table["time_to_expiry"] + 1e-6).all()
        first = min(when for when, _ in model.schedule)
        names = [f"parity:{DIVIDENDS if day / 365 > first else YIELD}" for day in days]
    else:
        names = [f"parity:{YIELD}"] * len(days)
    assert table["method"].tolist() == names


def test_dividends_that_are_not_known_are_a_yield_good_for_two_basis_points(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    model = markets["QQQ mid"]
    quotes = make_chain(model, days=(28, 91), exercise="american")
    table, _ = forwards_of(quotes, model.row(knows_dividends=False))
    assert table["method"].tolist() == ["parity:yield"] * 2
    miss = (table["forward"] / [model.forward(28 / 365), model.forward(91 / 365)] - 1) * 1e4
    assert abs(miss[0]) < 0.1  # no ex-date before it
    assert 0.5 < abs(miss[1]) < 2.0  # early exercise of a yield is not that of a dividend
    assert table["dividends"].isna().all()
    assert table["implied_dividends"].iloc[1] == pytest.approx(
        525 - model.forward(91 / 365) * np.exp(-0.04 * 91 / 365), abs=0.11
    )
    assert not table["flags"].str.contains("RESIDUAL_YIELD").any()


def test_a_dividend_list_that_is_a_dollar_off_is_flagged(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    model = markets["IWM mid"]
    quotes = make_chain(model, days=(7, 28, 63, 91, 364), exercise="american")
    table, _ = forwards_of(quotes, model.row(extra=1.0))
    # a dollar is 0.47 % of the spot: over 91 days 1.9 % a year; four a year are 1.9 % too
    flagged = table["flags"].str.contains("RESIDUAL_YIELD").tolist()
    assert flagged[:2] == [False, False]
    assert flagged[3:] == [True, True]  # at 63 days the forward's own error is larger than the yield
    assert (table["residual_yield"].iloc[2:] < -0.015).all()
    truth = np.array([model.forward(day / 365) for day in (7, 28, 63, 91, 364)])
    # the step that nothing explains is laid at the spot's door in part only
    np.testing.assert_allclose(table["spot"], model.spot, rtol=5e-4)
    # the forward is that of the options all the same; measured 0.4, 0.4, 2.4, 5.9 and 3.4 bp off
    assert (np.abs(table["forward"] / truth - 1) * 1e4 < [1, 1, 4, 8, 6]).all()
    right, _ = forwards_of(quotes, model.row())
    assert set(right["flags"]) == {""}


def test_a_spot_off_by_little_is_no_large_yield_of_the_first_days(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    model = markets["QQQ mid"]
    quotes = make_chain(model, days=(3, 7, 28, 91), exercise="american")
    quotes = quotes.assign(underlying_price=model.spot * 1.00015)  # 1.8 % a year over three days
    table, _ = forwards_of(quotes, model.row())
    assert (table["spot"] == model.spot * 1.00015).all()
    assert abs(table["residual_yield"].iloc[0]) > 0.015
    assert set(table["flags"]) == {""}


@pytest.mark.parametrize("name", ["0.5", "QQQ mid"])
@pytest.mark.parametrize("factor", [np.nan, 1.005, 0.998])
def test_a_spot_of_another_moment_hardly_matters(
    markets: dict[str, Any], make_chain: MakeChain, name: str, factor: float
) -> None:
    model, days = markets[name], (7, 28, 63, 91)
    market = model.row(knows_dividends=bool(model.dividends))
    quotes = make_chain(model, days=days, exercise="american")
    right, _ = forwards_of(quotes, market)
    quotes = quotes.assign(underlying_price=model.spot * factor)
    table, _ = forwards_of(quotes, market)
    assert set(table["flags"]) == {"SPOT_IMPLIED"}
    # 2 bp: what dividends that are not known leave; 0.1 bp of the forward comes of it
    np.testing.assert_allclose(table["spot"], model.spot, rtol=2e-4)
    np.testing.assert_allclose(table["forward"], right["forward"], rtol=1e-5)
    european, _ = forwards_of(quotes.assign(exercise="european"), market)
    assert set(european["flags"]) == {""}  # which need no spot


# --- hostile pairs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["0.5", "QQQ mid"])
def test_wild_pairs_do_not_move_the_forward(
    markets: dict[str, Any], make_chain: MakeChain, name: str
) -> None:
    model = markets[name]
    market = model.row(knows_dividends=bool(model.dividends))
    quotes = make_chain(model, days=(91,), exercise="american")
    labelled = label(quotes, market=market, settings=SETTINGS)
    clean, _ = fit_forwards(labelled, market=market, settings=SETTINGS)
    wild = labelled.copy()
    for strike, jump in ((525.0, 3.0), (535.0, -2.0)):  # two of the twelve
        wild.loc[(wild["strike"] == strike) & wild["is_call"], ["bid", "ask"]] += jump
    table, used = fit_forwards(wild, market=market, settings=SETTINGS)
    assert used.loc[used["strike"].isin([525.0, 535.0]), "used_in_forward"].all()
    assert table["forward"].iloc[0] == pytest.approx(clean["forward"].iloc[0], rel=2e-5)
    assert table["forward_error"].iloc[0] < 3 * clean["forward_error"].iloc[0]


def test_legs_without_a_vol_leave_the_other_pairs(markets: dict[str, Any], make_chain: MakeChain) -> None:
    """A put at what exercise gives says nothing of the forward."""
    model = markets["0.5"]
    market = model.row(knows_dividends=False)
    labelled = label(make_chain(model, days=(91,), exercise="american"), market=market, settings=SETTINGS)
    clean, _ = fit_forwards(labelled, market=market, settings=SETTINGS)
    put = ~labelled["is_call"].astype(bool) & (labelled["strike"] == 540.0)
    labelled.loc[put, ["bid", "ask"]] = [14.90, 15.10]
    table, used = fit_forwards(labelled, market=market, settings=SETTINGS)
    assert table["n_pairs"].tolist() == [11]
    assert not used.loc[used["strike"] == 540.0, "used_in_forward"].any()
    assert table["forward"].iloc[0] == pytest.approx(clean["forward"].iloc[0], rel=2e-5)


@pytest.mark.parametrize("n_strikes", [1, 2, 3, 5])
def test_few_pairs_give_a_forward_with_the_error_of_their_spreads(
    markets: dict[str, Any], make_chain: MakeChain, n_strikes: int
) -> None:
    model = markets["0.5"]
    market = model.row(knows_dividends=False)
    quotes = make_chain(model, days=(91,), exercise="american", half_spread=0.1)
    strikes = 525.0 + 2.5 * np.arange(n_strikes)
    few = quotes[quotes["strike"].isin(strikes)].reset_index(drop=True)
    table, _ = forwards_of(few, market)
    line = table.iloc[0]
    assert line["n_pairs"] == n_strikes
    assert line["method"] == "parity:yield"
    assert abs(line["forward"] - model.forward(91 / 365)) < 4 * line["forward_error"]
    if n_strikes < 4:  # half-spreads of 0.15: of a pair 0.21, over sqrt(3 n)
        assert line["forward_error"] * np.sqrt(n_strikes) == pytest.approx(0.15, abs=0.05)


def test_chains_without_pairs_have_no_forward(markets: dict[str, Any], make_chain: MakeChain) -> None:
    model = markets["0.5"]
    quotes = make_chain(model, days=(28, 91), exercise="american")
    calls = quotes[quotes["is_call"].astype(bool)].reset_index(drop=True)
    table, _ = forwards_of(calls, model.row(knows_dividends=False))
    assert table["flags"].tolist() == ["NO_FORWARD"] * 2
    assert table["rounds"].tolist() == [0, 0]
    one = quotes[quotes["is_call"].astype(bool) | (quotes["expiry"] == quotes["expiry"].max())]
    table, _ = forwards_of(one.reset_index(drop=True), model.row(knows_dividends=False))
    assert table["flags"].tolist() == ["NO_FORWARD", ""]
    assert table["forward"].iloc[1] == pytest.approx(model.forward(91 / 365), rel=1e-5)


# --- what is American -------------------------------------------------------------------------------------


def test_one_slice_european_one_american(markets: dict[str, Any], make_chain: MakeChain) -> None:
    model = markets["0.5"]
    american = make_chain(model, days=(91,), exercise="american")
    european = make_chain(model, days=(91,)).assign(root="QQQX")
    both = pd.concat([american, european], ignore_index=True)
    market = model.row(knows_dividends=False)
    override = Settings(exercise_overrides=(("QQQ", "american"), ("QQQX", "european")))
    labelled = pd.concat(
        [label(part, market=market, settings=SETTINGS) for part in (american, european)], ignore_index=True
    ).assign(exclusion=pd.Series(None, index=both.index, dtype="str"))
    as_filled, _ = fit_forwards(labelled, market=market, settings=SETTINGS)
    as_set, _ = fit_forwards(labelled.assign(exercise="european"), market=market, settings=override)
    pd.testing.assert_frame_equal(as_filled, as_set)
    assert as_filled["method"].tolist() == ["parity:yield", "parity:median"]
    assert as_filled["rounds"].tolist()[1] == 0
    np.testing.assert_allclose(as_filled["forward"], model.forward(91 / 365), rtol=1e-5)
    # an index read as American when it is not: its forward comes out too high
    wrong, _ = fit_forwards(labelled.assign(exercise="american"), market=market, settings=SETTINGS)
    assert wrong["forward"].iloc[1] / model.forward(91 / 365) - 1 > 5e-4


# --- slices found anew ------------------------------------------------------------------------------------


def refit(
    quotes: pd.DataFrame, market: MarketRow, rejected: Callable[[pd.DataFrame], Any]
) -> tuple[Forwards, Forwards, Forwards]:
    """The forwards of all lines, of what is left without some found anew, and of that from scratch."""
    labelled = label(quotes, market=market, settings=SETTINGS)
    chain = Chain.of(labelled, market=market, settings=SETTINGS)
    whole = find_forwards(labelled, chain, settings=SETTINGS)
    mask = np.asarray(rejected(labelled), dtype=bool)
    reduced = chain.without(mask)
    changed = reduced.counts(mask) > 0
    anew = find_forwards(labelled, reduced, settings=SETTINGS, before=whole, changed=changed)
    return whole, anew, find_forwards(labelled, reduced, settings=SETTINGS)


@pytest.mark.parametrize("name", ["0.5", "QQQ mid"])
def test_a_slice_found_anew_is_that_of_a_fresh_fit(
    markets: dict[str, Any], make_chain: MakeChain, name: str
) -> None:
    model = markets[name]
    market = model.row(knows_dividends=bool(model.dividends))
    quotes = make_chain(model, days=(3, 28, 91, 189), exercise="american")
    last = quotes["expiry"].unique()[2]
    whole, anew, fresh = refit(
        quotes, market, lambda table: (table["expiry"] == last) & table["strike"].isin([525.0, 530.0])
    )
    for field in ("forward", "error", "n_pairs", "rounds", "used"):
        assert (getattr(anew, field) == getattr(fresh, field)).all(), field  # bit for bit
    assert anew.method == fresh.method
    assert anew.spot == fresh.spot == whole.spot
    assert (anew.forward == whole.forward).tolist() == [True, True, False, True]
    assert (anew.used != whole.used).sum() == 8  # two pairs out, the next two in


def test_at_a_spot_that_is_implied_too_a_slice_found_anew_is_that_of_a_fresh_fit_to_rounding(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    model = markets["QQQ mid"]
    quotes = make_chain(model, days=(3, 28, 91, 189), exercise="american").assign(underlying_price=np.nan)
    last = quotes["expiry"].unique()[2]
    whole, anew, fresh = refit(
        quotes, model.row(), lambda table: (table["expiry"] == last) & table["strike"].isin([525.0, 530.0])
    )
    assert anew.spot == whole.spot  # it stays as it was
    assert fresh.spot.price == pytest.approx(whole.spot.price, rel=1e-5)
    np.testing.assert_allclose(anew.forward, fresh.forward, rtol=4e-6)  # 0.02 bp ends the rounds


def test_a_slice_that_loses_its_pairs_loses_its_forward(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    quotes = make_chain(markets["0.5"], days=(28, 91), exercise="american")
    first = quotes["expiry"].unique()[0]
    whole, anew, fresh = refit(
        quotes, markets["0.5"].row(knows_dividends=False), lambda table: table["expiry"] == first
    )
    assert np.isnan(anew.forward).tolist() == np.isnan(fresh.forward).tolist() == [True, False]
    assert anew.forward[1] == whole.forward[1]
    assert anew.method == ["", "parity:yield"]


# --- invariances ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["0.5", "QQQ mid"])
def test_order_and_unit_do_not_matter(markets: dict[str, Any], make_chain: MakeChain, name: str) -> None:
    model, days = markets[name], (28, 91)
    market = model.row(knows_dividends=bool(model.dividends))
    quotes = make_chain(model, days=days, exercise="american")
    table, used = forwards_of(quotes, market)
    shuffled, other = forwards_of(quotes.sample(frac=1, random_state=3), market)
    pd.testing.assert_frame_equal(table, shuffled)
    pd.testing.assert_series_equal(other["used_in_forward"].sort_index(), used["used_in_forward"])
    double = replace(model, dividends=tuple((day, 2 * amount) for day, amount in model.dividends))
    twice, _ = forwards_of(
        make_chain(model, days=days, exercise="american", scale=2.0),
        double.row(knows_dividends=bool(model.dividends)),
    )
    np.testing.assert_allclose(twice["forward"], 2 * table["forward"], rtol=1e-12)
    np.testing.assert_allclose(twice["residual_yield"], table["residual_yield"], atol=1e-11)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scale=st.floats(0.05, 50), first=st.sampled_from([None, 0.75]))
def test_prices_spot_and_dividends_in_another_unit(
    markets: dict[str, Any], make_chain: MakeChain, scale: float, first: float | None
) -> None:
    """On the arrays, where no price is rounded: forwards are homogeneous of degree one."""
    model = markets["0.5" if first is None else "QQQ mid"]
    market = model.row(knows_dividends=first is not None)
    labelled = label(make_chain(model, days=(91,), exercise="american"), market=market, settings=SETTINGS)
    chain = Chain.of(labelled, market=market, settings=SETTINGS)
    larger = replace(
        chain,
        lines=replace(chain.lines, strike=chain.lines.strike * scale),
        mid=chain.mid * scale,
        half_spread=chain.half_spread * scale,
        tick=chain.tick * scale,
        spot=chain.spot * scale,
        dividends=None if chain.dividends is None else tuple((t, a * scale) for t, a in chain.dividends),
    )
    start = np.array([model.forward(91 / 365) * 0.999])
    found = [
        without_early_exercise(
            find_pairs(one),
            one,
            forward=start * unit,
            error=start * unit * 1e-5,
            spot=None,
            settings=SETTINGS,
        ).fits
        for one, unit in ((chain, 1.0), (larger, scale))
    ]
    assert found[1].forward[0] == pytest.approx(found[0].forward[0] * scale, rel=1e-10)
    assert found[1].error[0] == pytest.approx(found[0].error[0] * scale, rel=1e-6)
    assert found[1].near.tolist() == found[0].near.tolist()


def test_the_start_does_not_matter(markets: dict[str, Any], make_chain: MakeChain) -> None:
    for name in ("-0.4", "IWM last"):
        model = markets[name]
        market = model.row(knows_dividends=bool(model.dividends))
        labelled = label(
            make_chain(model, days=(364,), exercise="american"), market=market, settings=SETTINGS
        )
        chain = Chain.of(labelled, market=market, settings=SETTINGS)
        ends = [
            without_early_exercise(
                find_pairs(chain),
                chain,
                forward=np.array([model.forward(364 / 365) * factor]),
                error=np.array([0.01]),
                spot=None,
                settings=SETTINGS,
            ).fits.forward[0]
            for factor in (0.995, 1.0, 1.003)
        ]
        # the rounds end at changes of 0.02 bp, of which three times as much may be left
        np.testing.assert_allclose(ends, ends[1], rtol=1e-5)


# --- what does not fit ------------------------------------------------------------------------------------


def test_dividends_of_another_fund_are_left_aside_and_flagged(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    model = markets["QQQ mid"]
    quotes = make_chain(model, days=(7, 28, 91), exercise="american")
    table, _ = forwards_of(quotes, model.row(extra=30.0))  # dollars a quarter
    assert set(table["flags"]) == {"DIVIDENDS_DOUBTED"}
    assert (table["spot"] == model.spot).all()
    assert table["dividends"].isna().all()
    unknown, _ = forwards_of(quotes, model.row(knows_dividends=False))
    np.testing.assert_array_equal(table["forward"], unknown["forward"])
    assert set(table["method"]) == {"parity:yield"}


def test_an_expiry_without_american_vols_is_european_throughout_and_flagged(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    """A rate below zero and a yield below it: two exercise boundaries, which no pricer here covers."""
    model = markets["0.5"]
    quotes = make_chain(model, days=(28, 91), exercise="american")
    market = market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(-0.01))
    chosen = Settings()
    forwards, labelled = fit_forwards(
        label(quotes, market=market, settings=chosen), market=market, settings=chosen
    )
    assert forwards["flags"].str.contains("EXERCISE_IGNORED").all()
    assert set(forwards["method"]) == {"parity:trend"}
    vols = solve_vols(labelled, forwards, settings=chosen, market=market)
    assert (vols["early_exercise_premium"].dropna() == 0).all()
    assert vols["vol_mid"].notna().sum() > 50
