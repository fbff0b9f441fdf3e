"""Surfaces of American chains: readings against the smile they were made with, vols, labels, refits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from volskew.pricing import Status, american, black, discrete
from volskew.quotes.schema import has_flag
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface
from volskew.surface.forwards import find_forwards

MakeChain = Callable[..., pd.DataFrame]
DAYS = (7, 28, 84, 98)
NAIVE = Settings(pricer="european")
NAMES = ["0.5", "1.1", "-0.4", "3", "QQQ mid", "QQQ last", "IWM mid", "IWM last"]


def fitted(model: Any, quotes: pd.DataFrame, **given: Any) -> Surface:
    return fit_surface(quotes, market=model.row(knows_dividends=bool(model.dividends)), **given)


@pytest.fixture(scope="module")
def chains(markets: dict[str, Any], make_chain: MakeChain) -> Callable[[str], tuple[Any, pd.DataFrame]]:
    cache = {
        name: (model, make_chain(model, days=DAYS, exercise="american")) for name, model in markets.items()
    }
    return lambda name: (cache[name][0], cache[name][1].copy())


@pytest.mark.parametrize("name", NAMES)
def test_the_call_and_the_put_are_read_as_the_smile_has_them(
    chains: Callable[[str], tuple[Any, pd.DataFrame]], name: str
) -> None:
    model, quotes = chains(name)
    surface = fitted(model, quotes)
    for delta in (0.25, 0.5, 0.75):
        # 0.03 vol points, as of European chains: what a parabola in d1 misses of the smile, and cents;
        # measured: 0.011 of the call, 0.019 of the put
        assert surface.vol(delta=delta).value == pytest.approx(model.reading(delta, (84, 98)), abs=3e-4)
    assert surface.vol().method.startswith("svi american-exercise parity:")
    assert not (surface.quotes["exclusion"] == "OUTLIER").any()


@pytest.mark.parametrize(("name", "call", "put"), [
    # with early exercise left in, in vol points: the forward is too low, which raises a call's vol and lowers
    # a put's, which its own premium raises again; the curve, one for both sides, takes some of each
    ("0.5", 0.12, 0.05),
    ("-0.4", 0.16, 0.07),
    ("3", 0.03, 0.01),
    ("QQQ mid", 0.13, 0.065),
    ("IWM mid", 0.115, 0.07),
    ("IWM last", 0.10, 0.085),
])  # fmt: skip
def test_what_early_exercise_left_in_does_to_readings(
    chains: Callable[[str], tuple[Any, pd.DataFrame]], name: str, call: float, put: float
) -> None:
    model, quotes = chains(name)
    surface = fitted(model, quotes, settings=NAIVE)
    for delta, miss in ((0.25, call), (0.75, put)):
        value = surface.vol(delta=delta).value - model.reading(delta, (84, 98))
        assert value * 100 == pytest.approx(miss, abs=0.02)  # what cents and the fit miss, as above
    assert surface.vol().method.startswith("svi exercise-ignored parity:trend")


@pytest.mark.parametrize("name", ["QQQ mid", "IWM mid"])
def test_dividends_that_are_not_known_cost_less_than_a_tenth_of_a_point(
    chains: Callable[[str], tuple[Any, pd.DataFrame]], name: str
) -> None:
    model, quotes = chains(name)
    surface = fit_surface(quotes, market=model.row(knows_dividends=False))
    assert "parity:yield" in surface.vol().method
    for delta in (0.25, 0.75):
        miss = surface.vol(delta=delta).value - model.reading(delta, (84, 98))
        assert abs(miss) < 8e-4  # measured 0.03 and 0.05 points of the call, 0.01 of the put


def test_vols_and_premiums_of_each_line(chains: Callable[[str], tuple[Any, pd.DataFrame]]) -> None:
    for name in ("1.1", "QQQ mid"):
        model, quotes = chains(name)
        surface = fitted(model, quotes, solve_all=True)
        table = surface.quotes
        assert set(table["vol_status"].dropna()) <= {item.name for item in Status}
        ok = (table["vol_status"] == "OK").to_numpy()
        assert ok.sum() > 200
        # the premium is what the mid is worth beside the European price of its vol and forward
        line = table[ok]
        european = np.exp(-0.04 * line["time_to_expiry"]) * black.price(
            forward=line["forward"],
            strike=line["strike"],
            time_to_expiry=line["time_to_expiry"],
            vol=line["vol_mid"],
            is_call=line["is_call"].astype(bool),
        )
        mid = (line["bid"] + line["ask"]) / 2
        np.testing.assert_allclose(european + line["early_exercise_premium"], mid, atol=1e-9)
        assert (line["early_exercise_premium"] >= 0).all()
        not_solved = table["vol_mid"].isna()
        assert table.loc[not_solved, "early_exercise_premium"].isna().all()
        # and near that of the market, whose vols are not moved by cents
        near = line[line["forward_call_delta"].between(0.3, 0.7) & (line["time_to_expiry"] > 0.2)]
        for years, part in near.groupby("time_to_expiry"):
            for is_call, lines in part.groupby(part["is_call"].astype(bool)):
                strike = lines["strike"].to_numpy()
                t = float(years)  # type: ignore[arg-type]
                vol = model.vol(np.log(strike / model.forward(t)), t)
                truth = model.premium(strike, t, vol, is_call=bool(is_call))
                # half a cent of the mid, and what 1 bp of the forward does to exercise
                np.testing.assert_allclose(lines["early_exercise_premium"], truth, atol=0.02)


def test_both_legs_of_a_strike_have_one_vol(chains: Callable[[str], tuple[Any, pd.DataFrame]]) -> None:
    model, quotes = chains("QQQ mid")
    table = fitted(model, quotes, solve_all=True).quotes
    near = table[table["forward_call_delta"].between(0.2, 0.8) & (table["time_to_expiry"] > 0.05)]
    both = near.pivot_table(index=["expiry", "strike"], columns="is_call", values="vol_mid").dropna()
    assert len(both) > 40
    gap = both[True] - both[False]
    assert gap.abs().max() < 1e-3  # cents over the vega of a month's options, early exercise of both legs out
    naive = fitted(model, quotes, solve_all=True, settings=NAIVE).quotes.loc[near.index]
    apart = naive.pivot_table(index=["expiry", "strike"], columns="is_call", values="vol_mid").dropna()
    assert (apart[True] - apart[False]).abs().max() > 4e-3


def test_solving_all_lines_changes_no_reading_and_no_label(
    chains: Callable[[str], tuple[Any, pd.DataFrame]],
) -> None:
    for name in ("0.5", "IWM last"):
        model, quotes = chains(name)
        few, every = fitted(model, quotes), fitted(model, quotes, solve_all=True)
        for delta in (0.1, 0.25, 0.5, 0.75, 0.9):
            assert every.vol(delta=delta).value == few.vol(delta=delta).value
        for column in ("exclusion", "flags", "used_in_forward", "used_in_smile", "forward_call_delta"):
            pd.testing.assert_series_equal(every.quotes[column], few.quotes[column])
        pd.testing.assert_frame_equal(every.forwards, few.forwards)
        pd.testing.assert_frame_equal(every.smiles, few.smiles)
        solved = few.quotes["vol_mid"].notna()
        columns = ["vol_bid", "vol_mid", "vol_ask", "vol_status", "early_exercise_premium"]
        pd.testing.assert_frame_equal(every.quotes.loc[solved, columns], few.quotes.loc[solved, columns])


def test_deep_in_the_money_puts_are_worth_what_exercise_gives(
    chains: Callable[[str], tuple[Any, pd.DataFrame]],
) -> None:
    model, quotes = chains("0.5")
    quotes = quotes[quotes["expiry"] == quotes["expiry"].max()].reset_index(drop=True)
    deep = ~quotes["is_call"].astype(bool) & (quotes["strike"] >= 640)
    intrinsic = quotes["strike"] - model.spot
    quotes.loc[deep, "bid"], quotes.loc[deep, "ask"] = (intrinsic - 0.30)[deep], (intrinsic + 0.30)[deep]
    assert deep.sum() > 5
    table = fitted(model, quotes, solve_all=True).quotes
    accepted = deep & table["exclusion"].isna()
    assert accepted.any()
    assert (table.loc[accepted, "vol_status"] == "AT_INTRINSIC").all()
    assert table.loc[accepted, ["vol_mid", "early_exercise_premium"]].isna().all(axis=None)
    flagged = has_flag(table["flags"], "BOUND_MID")
    assert flagged[deep].all()
    assert not flagged[table["forward_call_delta"].between(0.25, 0.75)].any()
    # above the European floor by the interest on the strike: as European lines they are not at theirs
    as_european = fitted(model, quotes.assign(exercise="european"), solve_all=True).quotes
    assert not has_flag(as_european["flags"], "BOUND_MID")[accepted].any()


def test_the_floor_of_exercise_is_at_the_spot_of_the_moment(
    chains: Callable[[str], tuple[Any, pd.DataFrame]],
) -> None:
    model, quotes = chains("0.5")
    late = quotes.assign(underlying_price=model.spot * 0.995)  # as if puts were $2.60 deeper in the money
    right, stale = fitted(model, quotes), fitted(model, late)
    assert set(stale.forwards["flags"]) == {"SPOT_IMPLIED"}
    here = (right.quotes["exclusion"].isna() & stale.quotes["exclusion"].isna()).to_numpy()
    flags = [has_flag(surface.quotes["flags"], "BOUND_MID")[here] for surface in (right, stale)]
    # the options' own spot is a basis point or two off, so a line at half a tick of the floor may turn; with
    # the file's spot a tenth of the lines would
    assert (flags[0].to_numpy() != flags[1].to_numpy()).mean() < 0.005
    assert stale.vol().value == pytest.approx(right.vol().value, abs=1e-5)


def test_vols_are_those_of_the_kernels(chains: Callable[[str], tuple[Any, pd.DataFrame]]) -> None:
    for name in ("1.1", "IWM mid"):
        model, quotes = chains(name)
        surface = fitted(model, quotes)
        forwards = surface.forwards.set_index("expiry")
        lines = surface.quotes[surface.quotes["vol_mid"].notna()].iloc[::17]
        for _, line in lines.iterrows():
            slice_ = forwards.loc[line["expiry"]]
            given: dict[str, Any] = {
                "spot": float(slice_["spot"]),
                "strike": float(line["strike"]),
                "time_to_expiry": float(line["time_to_expiry"]),
                "rate": 0.04,
                "dividend_yield": float(slice_["residual_yield"]),
                "is_call": bool(line["is_call"]),
            }
            for side, price in (("bid", line["bid"]), ("ask", line["ask"])):
                if slice_["method"] == "parity:dividends":
                    one = discrete.implied_vol(float(price), **given, dividends=model.schedule)
                else:
                    one = american.implied_vol(float(price), **given)
                assert one.vol == pytest.approx(line[f"vol_{side}"], rel=1e-9)  # the rate, from its discount


@pytest.mark.parametrize("name", ["0.5", "QQQ mid"])
def test_a_rejected_line_has_its_own_slice_found_anew(
    chains: Callable[[str], tuple[Any, pd.DataFrame]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model, clean = chains(name)
    bad = clean.copy()
    hit = (bad["expiry"] == bad["expiry"].max()) & bad["strike"].isin([530.0, 535.0]) & bad["is_call"]
    bad.loc[hit, ["bid", "ask"]] += [-4.5, 4.5]
    before = fitted(model, clean)
    changes: list[list[bool]] = []

    def spy(*given: Any, changed: Any, **named: Any) -> Any:
        changes.append(changed.tolist())
        return find_forwards(*given, changed=changed, **named)

    monkeypatch.setattr("volskew.surface.fit.find_forwards", spy)
    whole = fitted(model, bad)
    assert changes == [[True] * 4, [False, False, False, True]]
    assert (whole.quotes["exclusion"] == "WIDE")[hit].any()
    assert not (whole.quotes["used_in_forward"] & whole.quotes["exclusion"].notna()).any()
    # the others come out bit for bit as if nothing had been
    same = (before.smiles["expiry"] != before.smiles["expiry"].max()).to_numpy()
    # but for errors, which know what neighbouring quotes of the whole chain share
    own = [name for name in before.smiles.columns if not name.startswith("error_")]
    pd.testing.assert_frame_equal(whole.smiles.loc[same, own], before.smiles.loc[same, own], check_exact=True)
    pd.testing.assert_frame_equal(whole.forwards[same], before.forwards[same], check_exact=True)
    # and the one that lost lines as if they had never been quoted
    without = bad.copy()
    without.loc[hit & whole.quotes["exclusion"].notna(), ["bid", "ask"]] = [0.0, np.nan]
    fresh = fitted(model, without)
    pd.testing.assert_frame_equal(whole.forwards, fresh.forwards, check_exact=True)
    assert whole.vol().value == pytest.approx(fresh.vol().value, rel=1e-12)
    assert whole.vol().value == pytest.approx(before.vol().value, abs=1e-4)


def test_order_and_unit_do_not_matter(
    chains: Callable[[str], tuple[Any, pd.DataFrame]], make_chain: MakeChain
) -> None:
    model, quotes = chains("0.5")
    surface = fitted(model, quotes)
    shuffled = fitted(model, quotes.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled.forwards, surface.forwards)
    back = shuffled.quotes.sort_index()
    for column in ("exclusion", "vol_status", "early_exercise_premium", "vol_mid"):
        pd.testing.assert_series_equal(back[column], surface.quotes[column])
    double = fitted(model, make_chain(model, days=DAYS, exercise="american", scale=2.0))
    assert double.vol().value == pytest.approx(surface.vol().value, rel=1e-6)  # a floor of half a cent


def test_a_vendors_vols_are_left_as_they_are(chains: Callable[[str], tuple[Any, pd.DataFrame]]) -> None:
    model, quotes = chains("0.5")
    t = ((quotes["expiry"] - quotes["snapshot_time"]).dt.total_seconds() / (365 * 86400)).to_numpy()
    forward = model.spot * np.exp(model.carry * t)
    vols = np.zeros(len(quotes))
    for years in np.unique(t):
        here = t == years
        vols[here] = model.vol(np.log(quotes["strike"].to_numpy()[here] / forward[here]), float(years))
    d1 = np.log(forward / quotes["strike"]) / (vols * np.sqrt(t)) + vols * np.sqrt(t) / 2
    delta = np.where(quotes["is_call"], ndtr(d1), ndtr(d1) - 1)
    told = quotes.assign(bid=np.nan, ask=np.nan, vendor_vol=vols, vendor_delta=delta, volume=100.0)
    readings = [fitted(model, told, settings=chosen) for chosen in (Settings(), NAIVE)]
    for surface in readings:
        assert set(surface.forwards["rounds"]) == {0}
        assert not surface.forwards["method"].str.startswith("parity:").any()
        assert surface.vol().value == pytest.approx(model.reading(0.25, (84, 98)), abs=4e-4)
    assert readings[0].vol().value == readings[1].vol().value
    pd.testing.assert_frame_equal(readings[0].forwards, readings[1].forwards)
