from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.market.rates import DiscountCurve
from volskew.market.table import market_row
from volskew.pricing import Status, black
from volskew.quotes.clean import label
from volskew.quotes.schema import has_flag
from volskew.settings import Settings
from volskew.smile.fitting import fit_curves
from volskew.surface import fit_forwards, solve_vols
from volskew.surface.chain import Chain
from volskew.surface.forwards import find_forwards, forwards_table, read_forwards
from volskew.surface.pricer import Pricer
from volskew.surface.smiles import fit_smiles
from volskew.surface.vols import Vols, find_vols, level_vols, vol_columns

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings()
MARKET = market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(0.04))


def vols_of(quotes: pd.DataFrame, *, solve_all: bool = False) -> pd.DataFrame:
    labelled = label(quotes, market=MARKET, settings=SETTINGS)
    forwards, labelled = fit_forwards(labelled, market=MARKET, settings=SETTINGS)
    return solve_vols(labelled, forwards, settings=SETTINGS, solve_all=solve_all)


def test_vols_are_those_of_the_smile(qqq_like: Any, make_chain: MakeChain) -> None:
    table = vols_of(make_chain(qqq_like))
    solved = table[table["vol_mid"].notna() & table["exclusion"].isna()]
    years = solved["time_to_expiry"].to_numpy()
    truth = np.concatenate(
        [qqq_like.vol(solved["log_moneyness"].to_numpy()[years == t], t) for t in np.unique(years)]
    )
    error = np.abs(
        np.concatenate([solved["vol_mid"].to_numpy()[years == t] for t in np.unique(years)]) - truth
    )
    near = np.concatenate(
        [solved["forward_call_delta"].between(0.1, 0.9).to_numpy()[years == t] for t in np.unique(years)]
    )
    assert error[near].max() < 3e-4  # half a cent of rounding over a vega of 45 dollars and more
    assert (solved["vol_bid"] < solved["vol_mid"]).all()
    assert (solved["vol_mid"] < solved["vol_ask"]).all()
    tried = table["vol_mid"].notna()
    assert (table.loc[tried, "early_exercise_premium"] == 0).all()  # European lines have none
    assert table.loc[~tried, "early_exercise_premium"].isna().all()


def test_only_out_of_the_money_lines_are_solved_unless_all_are_asked_for(
    qqq_like: Any, make_chain: MakeChain
) -> None:
    quotes = make_chain(qqq_like)
    table = vols_of(quotes)
    out = table["is_call"] == (table["strike"] >= table["forward"])
    assert table.loc[~out, "vol_mid"].isna().all()
    assert table.loc[~out, "vol_status"].isna().all()
    assert (table.loc[out & table["exclusion"].isna(), "vol_status"] == "OK").all()
    everything = vols_of(quotes, solve_all=True)
    assert everything.loc[~out & everything["exclusion"].isna(), "vol_mid"].notna().mean() > 0.9
    pd.testing.assert_series_equal(everything.loc[out, "vol_mid"], table.loc[out, "vol_mid"])
    pd.testing.assert_series_equal(everything["exclusion"], table["exclusion"])


def test_lines_in_the_money_have_no_say_in_what_counts_as_wide(
    qqq_like: Any, make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = []

    def spy(chain: Any, vol: Any, log_moneyness: Any, mask: Any) -> Any:
        masks.append(mask)
        return level_vols(chain, vol, log_moneyness, mask)

    monkeypatch.setattr("volskew.surface.vols.level_vols", spy)
    table = vols_of(make_chain(qqq_like), solve_all=True)
    out = table["is_call"] == (table["strike"] >= table["forward"])
    assert masks
    assert all(not mask[~out.to_numpy()].any() and mask.any() for mask in masks)


def test_each_vol_is_that_of_its_own_price(iwm_like: Any, make_chain: MakeChain) -> None:
    table = vols_of(make_chain(iwm_like, days=(91,)))
    discount = float(np.exp(-0.04 * 91 / 365))
    for _, line in table[table["vol_mid"].notna()].iloc[::9].iterrows():
        for side, price in (
            ("bid", line["bid"]),
            ("mid", (line["bid"] + line["ask"]) / 2),
            ("ask", line["ask"]),
        ):
            one = black.implied_vol(
                float(price / discount),
                forward=float(line["forward"]),
                strike=float(line["strike"]),
                time_to_expiry=91 / 365,
                is_call=bool(line["is_call"]),
            )
            assert one.status is Status.OK
            assert line[f"vol_{side}"] == pytest.approx(one.vol, rel=1e-12)


def test_wide_and_worthless_lines_are_labelled(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like)
    chosen = (quotes["strike"] == 570.0) & quotes["is_call"]
    middle = (quotes.loc[chosen, "bid"] + quotes.loc[chosen, "ask"]) / 2
    quotes.loc[chosen, "bid"] = (middle * 0.6).round(2)
    quotes.loc[chosen, "ask"] = (middle * 1.4).round(2)
    table = vols_of(quotes)
    assert (table.loc[chosen, "exclusion"] == "WIDE").all()
    wide = table[table["exclusion"] == "WIDE"]
    assert ((wide["vol_ask"] - wide["vol_bid"]).fillna(9) > 0.03).all()
    # a worthless line: a tick of its price is worth more than a vol point
    vega = black.vega(
        forward=table["forward"],
        strike=table["strike"],
        time_to_expiry=table["time_to_expiry"],
        vol=table["vol_mid"],
    )
    solved = table["vol_mid"].notna() & table["exclusion"].isna()
    assert (vega[solved] * np.exp(-0.04 * table["time_to_expiry"][solved]) >= 1.0).all()


@pytest.mark.parametrize("exercise", ["european", "american"])
def test_vols_are_at_the_discounting_of_their_forwards(
    qqq_like: Any, make_chain: MakeChain, exercise: str
) -> None:
    """Also where the market that gave it is not at hand."""
    model = replace(qqq_like, rate=0.055, carry=0.05)
    market = model.row(knows_dividends=False)
    labelled = label(make_chain(model, exercise=exercise), market=market, settings=SETTINGS)
    forwards, labelled = fit_forwards(labelled, market=market, settings=SETTINGS)
    table = solve_vols(labelled, forwards, settings=SETTINGS, market=market, solve_all=True)
    without = solve_vols(labelled, forwards, settings=SETTINGS, solve_all=True)
    pd.testing.assert_frame_equal(without, table)


def test_slices_whose_forward_stands_keep_their_vols(
    qqq_like: Any, make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = qqq_like.row(knows_dividends=False)
    labelled = label(make_chain(qqq_like, exercise="american"), market=market, settings=SETTINGS)
    forwards, labelled = fit_forwards(labelled, market=market, settings=SETTINGS)
    chain = Chain.of(labelled, market=market, settings=SETTINGS)
    found = read_forwards(forwards, chain)
    first = find_vols(labelled, chain, found, settings=SETTINGS)
    moved = replace(found, forward=found.forward * [1.0, 1.001])
    asked: list[Any] = []

    def spy(self: Pricer, price: Any, *, slice_id: Any, **given: Any) -> Any:
        asked.append(set(slice_id.tolist()))
        return solver(self, price, slice_id=slice_id, **given)

    solver = Pricer.implied_vols
    monkeypatch.setattr("volskew.surface.vols.Pricer.implied_vols", spy)
    again = find_vols(labelled, chain, moved, settings=SETTINGS, before=first)
    assert asked == [{1}]
    fresh = find_vols(labelled, chain, moved, settings=SETTINGS)
    for name in (field.name for field in fields(Vols)):
        np.testing.assert_array_equal(getattr(again, name), getattr(fresh, name), err_msg=name)


def test_slices_whose_vols_stand_keep_their_smiles(
    qqq_like: Any, make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice with a bad quote is kept, another fitted anew: all is as if both were."""
    quotes = make_chain(qqq_like, days=(28, 91, 182))
    bad = quotes["strike"].isin([535.0, 570.0]) & quotes["is_call"]
    quotes.loc[bad, ["bid", "ask"]] *= 1.06
    market = qqq_like.row(knows_dividends=False)
    labelled = label(quotes, market=market, settings=SETTINGS)
    chain = Chain.of(labelled, market=market, settings=SETTINGS)
    found = find_forwards(labelled, chain, settings=SETTINGS)
    vols = find_vols(labelled, chain, found, settings=SETTINGS)
    given: dict[str, Any] = {"used_in_forward": found.used, "settings": SETTINGS}
    first = fit_smiles(labelled, chain, vols, **given)
    moved = replace(found, forward=found.forward * [1.0, 1.001, 1.0])
    vols = find_vols(labelled, chain, moved, settings=SETTINGS, before=vols)
    asked: list[int] = []

    def spy(slice_id: Any, *arguments: Any, **options: Any) -> Any:
        asked.extend(np.unique(slice_id).tolist())
        return fit_curves(slice_id, *arguments, **options)

    monkeypatch.setattr("volskew.surface.smiles.fit_curves", spy)
    changed = np.array([False, True, False])
    again = fit_smiles(labelled, chain, vols, **given, before=first, changed=changed)
    assert set(asked) <= {0, 1}  # numbered among all, and where outliers are taken out among the changed
    fresh = fit_smiles(labelled, chain, vols, **given)
    assert (fresh.quotes["exclusion"] == "OUTLIER").any()
    pd.testing.assert_frame_equal(again.quotes, fresh.quotes, check_exact=True)
    assert again.methods == fresh.methods
    for part in ("nodes", "curves", "local"):
        for field in fields(getattr(again, part)):
            one, other = (getattr(getattr(smiles, part), field.name) for smiles in (again, fresh))
            np.testing.assert_array_equal(one, other, err_msg=f"{part}.{field.name}")


def test_vols_at_a_table_of_forwards_are_those_at_what_it_was_made_of(
    qqq_like: Any, make_chain: MakeChain
) -> None:
    market = qqq_like.row(knows_dividends=False)
    labelled = label(make_chain(qqq_like, exercise="american"), market=market, settings=SETTINGS)
    chain = Chain.of(labelled, market=market, settings=SETTINGS)
    found = find_forwards(labelled, chain, settings=SETTINGS)
    vols = find_vols(labelled, chain, found, settings=SETTINGS)
    table = solve_vols(labelled, forwards_table(labelled, chain, found), settings=SETTINGS, market=market)
    labelled = labelled.assign(**vols.labels(chain).columns(), **vol_columns(vols))
    pd.testing.assert_frame_equal(table, labelled, check_exact=True)


def test_a_mid_at_its_floor_is_flagged(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like, days=(91,), exercise="american")
    forward, discount = qqq_like.forward(91 / 365), np.exp(-0.04 * 91 / 365)
    deep = (quotes["strike"] == 370.0) & quotes["is_call"]
    floor = discount * (forward - 370)
    quotes.loc[deep, "bid"], quotes.loc[deep, "ask"] = round(floor - 0.70, 2), round(floor + 0.60, 2)
    table = vols_of(quotes)
    assert has_flag(table["flags"], "BOUND_MID")[deep].all()
    assert not has_flag(table["flags"], "BOUND_MID")[
        ~deep & table["exclusion"].isna() & (table["forward_call_delta"].between(0.2, 0.8))
    ].any()


def test_inputs_are_left_alone(qqq_like: Any, make_chain: MakeChain) -> None:
    labelled = label(make_chain(qqq_like), market=MARKET, settings=SETTINGS)
    before = labelled.copy(deep=True)
    forwards, with_forwards = fit_forwards(labelled, market=MARKET, settings=SETTINGS)
    solve_vols(with_forwards, forwards, settings=SETTINGS)
    pd.testing.assert_frame_equal(labelled, before)
