from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.market import session_close
from volskew.market.rates import DiscountCurve
from volskew.market.table import MarketRow, market_row
from volskew.quotes.clean import label
from volskew.settings import Settings
from volskew.surface import box_rate, fit_forwards

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings()


def row(rate: float = 0.04) -> MarketRow:
    import datetime as dt

    return market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(rate))


def forwards_of(
    quotes: pd.DataFrame, *, market: MarketRow | None = None, settings: Settings = SETTINGS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    market = market or row()
    return fit_forwards(label(quotes, market=market, settings=settings), market=market, settings=settings)


@pytest.mark.parametrize("exercise", ["european", "american"])
def test_forwards_of_exact_chains(qqq_like: Any, make_chain: MakeChain, exercise: str) -> None:
    table, used = forwards_of(make_chain(qqq_like, days=(28, 91, 189), exercise=exercise))
    assert table["expiry"].is_monotonic_increasing
    for _, line in table.iterrows():
        truth = qqq_like.forward(line["time_to_expiry"])
        # penny quotes with 2-cent half-spreads: a few tenths of a basis point of the forward
        assert line["forward"] == pytest.approx(truth, rel=3e-5)
        assert abs(line["forward"] - truth) < 4 * line["forward_error"]
        assert line["forward_error"] / truth < 0.5e-4
        assert line["implied_yield"] == pytest.approx(0.04 - qqq_like.carry, abs=3e-4)
        assert line["discount_factor"] == pytest.approx(np.exp(-0.04 * line["time_to_expiry"]))
        assert line["n_pairs"] == 12
    serving = used[used["used_in_forward"]]
    assert len(serving) == 2 * 12 * 3
    assert (serving["strike"] - 535).abs().max() < 50
    assert set(table["flags"]) == {""}
    assert (table["spot"] == 525.0).all()
    np.testing.assert_allclose(
        table["implied_dividends"], 525.0 - table["discount_factor"] * table["forward"], rtol=1e-12
    )
    assert table["dividends"].isna().all()  # nothing is known of them
    if exercise == "european":
        assert set(table["method"]) == {"parity:median"}
        assert (table["rounds"] == 0).all()
    else:
        assert set(table["method"]) == {"parity:yield"}
        assert table["rounds"].between(2, 5).all()  # each divides the error by 3 to 10, Aitken's by more
        assert table["residual_yield"].tolist() == pytest.approx(table["implied_yield"].tolist(), abs=1e-12)


def test_an_early_exercise_trend_over_strikes_is_no_error_of_the_forward(
    qqq_like: Any, make_chain: MakeChain
) -> None:
    """Read as European, American puts carry a premium that grows with the strike: no error of the forward."""
    quotes = make_chain(qqq_like, days=(91,)).assign(exercise="american")
    premium = 0.6 * np.exp(3 * (quotes["strike"] / 528 - 1) / 0.1 * 0.35)
    is_put = ~quotes["is_call"].astype(bool)
    for side in ("bid", "ask"):
        quotes.loc[is_put, side] = (quotes[side] + premium).round(2)[is_put]
    table, _ = forwards_of(quotes, settings=Settings(pricer="european"))
    line = table.iloc[0]
    assert (line["method"], line["rounds"]) == ("parity:trend", 0)
    truth = qqq_like.forward(91 / 365)
    at_the_money = truth - 0.6 / line["discount_factor"]
    assert line["forward"] == pytest.approx(at_the_money, rel=1e-4)  # the premium at the money stays in
    assert line["forward_error"] / truth < 0.5e-4  # 3 bp is the gate; without the trend it is 1 bp


def test_wild_pairs_do_not_move_the_forward(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like, days=(91,))
    clean, _ = forwards_of(quotes)
    for strike, jump in ((525.0, 3.0), (540.0, -2.0)):
        hit = (quotes["strike"] == strike) & quotes["is_call"]
        quotes.loc[hit, ["bid", "ask"]] += jump
    wild, _ = forwards_of(quotes)
    # two of twelve pairs: the median moves within the noise of the others
    assert wild["forward"].iloc[0] == pytest.approx(clean["forward"].iloc[0], rel=2e-5)


def test_order_and_scale_do_not_matter(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like)
    table, _ = forwards_of(quotes)
    shuffled, _ = forwards_of(quotes.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(table, shuffled)
    double, _ = forwards_of(make_chain(qqq_like, scale=2.0))
    np.testing.assert_allclose(double["forward"], 2 * table["forward"], rtol=1e-12)


def test_slices_without_pairs_say_so(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like)
    first = quotes["expiry"] == quotes["expiry"].min()
    quotes.loc[first & ~quotes["is_call"].astype(bool), "bid"] = 0.0
    table, used = forwards_of(quotes)
    assert table["flags"].tolist() == ["NO_FORWARD", ""]
    assert np.isnan(table["forward"].iloc[0])
    assert table["n_pairs"].tolist() == [0, 12]
    assert not used.loc[first, "used_in_forward"].any()


def test_few_pairs_have_the_error_of_their_spreads(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like, days=(91,), half_spread=0.5)
    quotes = quotes[quotes["strike"].isin([525.0, 530.0])].reset_index(drop=True)
    table, _ = forwards_of(quotes)
    assert table["n_pairs"].iloc[0] == 2
    assert 0.2 < table["forward_error"].iloc[0] < 0.6


def test_am_and_pm_lines_of_a_date_stay_apart(iwm_like: Any, make_chain: MakeChain) -> None:
    pm = make_chain(iwm_like, days=(91,)).assign(root="SPXW", symbol="SPX")
    am = pm.assign(root="SPX", settlement="AM", expiry=pm["expiry"] - pd.Timedelta(hours=6.5))
    table, _ = forwards_of(pd.concat([pm, am], ignore_index=True))
    assert table["root"].tolist() == ["SPX", "SPXW"]
    assert table["settlement"].tolist() == ["AM", "PM"]
    assert table["time_to_expiry"].is_monotonic_increasing


def index_chain(market: Any, make_chain: MakeChain, rate: float, **options: Any) -> pd.DataFrame:
    from dataclasses import replace

    index = replace(market, spot=5000.0, step=5.0, rate=rate, carry=rate - 0.012)
    return make_chain(index, symbol="SPX", **options)


def test_box_rate_is_found_with_its_error(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = index_chain(qqq_like, make_chain, 0.0431, days=(56, 91, 182, 364), half_spread=0.3)
    curve = box_rate(quotes)
    assert curve is not None
    assert curve.error is not None
    for years in (0.25, 0.5, 1.0):
        assert curve.rate(years) == pytest.approx(0.0431, abs=4e-4)  # cents on 5000 points over a quarter
    assert abs(curve.rate(0.25) - 0.0431) < 4 * curve.error < 2e-3
    assert curve.label == f"box:{curve.rate(91 / 365):.4f}"
    assert len(curve.tenors) == 4
    labelled = label(quotes, market=row(), settings=SETTINGS)
    again = box_rate(labelled)
    assert again is not None
    assert again.rate(1.0) == pytest.approx(curve.rate(1.0), abs=1e-5)


def test_american_and_short_chains_have_no_box_rate(qqq_like: Any, make_chain: MakeChain) -> None:
    assert box_rate(index_chain(qqq_like, make_chain, 0.04, exercise="american")) is None
    assert box_rate(index_chain(qqq_like, make_chain, 0.04, days=(7,))) is None
    overridden = Settings(exercise_overrides=(("SPX", "american"),))
    assert box_rate(index_chain(qqq_like, make_chain, 0.04), settings=overridden) is None


def test_a_close_is_the_snapshot(qqq_like: Any, make_chain: MakeChain) -> None:
    import datetime as dt

    table, _ = forwards_of(make_chain(qqq_like, days=(91,)))
    assert table["snapshot_time"].iloc[0] == session_close(dt.date(2026, 7, 10))
    assert table["time_to_expiry"].iloc[0] == 91 / 365
