from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import SettingsError
from volskew.market.table import MarketRow
from volskew.pricing import Status, american, black, discrete
from volskew.quotes.clean import label
from volskew.settings import Settings
from volskew.surface.chain import Chain
from volskew.surface.pricer import DIVIDENDS, EUROPEAN, YIELD, Pricer, is_american

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings()


def chain_of(quotes: pd.DataFrame, market: MarketRow, settings: Settings = SETTINGS) -> Chain:
    return Chain.of(label(quotes, market=market, settings=settings), market=market, settings=settings)


def pricer_of(
    model: Any, make_chain: MakeChain, *, days: tuple[int, ...], settings: Settings = SETTINGS, **row: Any
) -> Pricer:
    quotes = make_chain(model, days=days, exercise="american")
    chain = chain_of(quotes, model.row(**row), settings)
    forward = np.array([model.forward(day / 365) for day in days])
    return Pricer.of(chain, forward, spot=model.spot, settings=settings)


def test_each_slice_has_the_pricer_of_what_is_known(markets: dict[str, Any], make_chain: MakeChain) -> None:
    model = markets["IWM mid"]  # ex-dates on days 45 and 136
    days = (28, 91, 189)
    known = pricer_of(model, make_chain, days=days)
    assert known.kinds.tolist() == [YIELD, DIVIDENDS, DIVIDENDS]
    # 0.2 % of yield is paid beside the dividends
    np.testing.assert_allclose(known.residual_yield, 0.002, atol=1e-12)
    blind = pricer_of(model, make_chain, days=days, knows_dividends=False)
    assert blind.kinds.tolist() == [YIELD] * 3
    assert blind.residual_yield[0] == pytest.approx(0.002, abs=1e-12)
    assert (blind.residual_yield[1:] > 0.01).all()
    naive = pricer_of(model, make_chain, days=days, settings=Settings(pricer="european"))
    assert naive.kinds.tolist() == [EUROPEAN] * 3
    assert known.accuracy == SETTINGS.pricer_accuracy


def test_slices_without_forward_or_spot_are_read_as_european(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like, exercise="american")
    chain = chain_of(quotes, qqq_like.row(knows_dividends=False))
    forward = np.array([np.nan, qqq_like.forward(98 / 365)])
    assert Pricer.of(chain, forward, spot=525.0, settings=SETTINGS).kinds.tolist() == [EUROPEAN, YIELD]
    for spot in (np.nan, 0.0):
        pricer = Pricer.of(chain, forward, spot=spot, settings=SETTINGS)
        assert pricer.kinds.tolist() == [EUROPEAN] * 2


def test_exercise_is_that_of_the_slice(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like)
    one = quotes.assign(exercise=np.where(quotes["expiry"] == quotes["expiry"].min(), "american", "european"))
    market = qqq_like.row()
    assert is_american(chain_of(one, market), SETTINGS).tolist() == [True, False]
    override = Settings(exercise_overrides=(("QQQ", "american"),))
    assert is_american(chain_of(quotes, market, override), override).tolist() == [True, True]
    naive = Settings(pricer="european")
    assert is_american(chain_of(one, market, naive), naive).tolist() == [False, False]


def solve(pricer: Pricer, price: Any, number: int, strike: Any, *, is_call: bool) -> Any:
    strikes = np.atleast_1d(np.asarray(strike, dtype=np.float64))
    return pricer.implied_vols(
        np.asarray(price, dtype=np.float64),
        slice_id=np.full(len(strikes), number, dtype=np.intp),
        strike=strikes,
        is_call=np.full(len(strikes), is_call),
    )


@pytest.mark.parametrize("name", ["0.5", "3", "-0.4", "QQQ mid", "IWM last"])
@pytest.mark.parametrize("is_call", [True, False])
def test_vols_and_premiums_are_those_of_the_prices(
    markets: dict[str, Any], make_chain: MakeChain, name: str, is_call: bool
) -> None:
    model, years = markets[name], 91 / 365
    pricer = pricer_of(model, make_chain, days=(91,), knows_dividends=bool(model.dividends))
    strike = model.spot * np.array([0.88, 0.95, 1.0, 1.04, 1.12])
    vol = model.vol(np.log(strike / model.forward(years)), years)
    premium = model.premium(strike, years, vol, is_call=is_call)
    european = np.exp(-model.rate * years) * black.price(
        forward=model.forward(years), strike=strike, time_to_expiry=years, vol=vol, is_call=is_call
    )
    solved = solve(pricer, european + premium, 0, strike, is_call=is_call)
    due = european + premium <= np.maximum((model.spot - strike) * (1 if is_call else -1), 0) + 0.01
    assert (solved.status[0][~due] == Status.OK).all()
    assert (~due).sum() >= 3
    # near the money the grid with dividends is good for 0.02 vol points at accuracy "default", the boundary
    # of a continuous yield for 1e-4 points
    worst = 2e-4 if model.dividends else 2e-6
    near = ~due & (np.abs(np.log(strike / model.spot)) < 0.06)
    np.testing.assert_allclose(solved.vol[0][near], vol[near], atol=worst)
    np.testing.assert_allclose(solved.premium[0][near], premium[near], atol=120 * worst)  # vega below 120
    # a vol and its premium belong together: both make the price
    remade = np.exp(-model.rate * years) * black.price(
        forward=model.forward(years),
        strike=strike[~due],
        time_to_expiry=years,
        vol=solved.vol[0][~due],
        is_call=is_call,
    )
    np.testing.assert_allclose(remade + solved.premium[0][~due], (european + premium)[~due], rtol=1e-12)


def test_several_prices_of_a_line_are_solved_in_one_go(qqq_like: Any, make_chain: MakeChain) -> None:
    pricer = pricer_of(qqq_like, make_chain, days=(91,), knows_dividends=False)
    strike, price = np.array([500.0, 540.0]), np.array([[8.0, 27.0], [8.1, 27.2], [8.2, 27.4]])
    together = solve(pricer, price, 0, strike, is_call=False)
    assert together.vol.shape == together.status.shape == together.premium.shape == (3, 2)
    for place, line in enumerate(price):
        alone = solve(pricer, line, 0, strike, is_call=False)
        assert (alone.vol[0] == together.vol[place]).all()  # bit for bit
        assert (alone.premium[0] == together.premium[place]).all()


def test_european_lines_are_blacks_with_no_premium(qqq_like: Any, make_chain: MakeChain) -> None:
    chain = chain_of(make_chain(qqq_like), qqq_like.row())
    forward = np.array([qqq_like.forward(day / 365) for day in (84, 98)])
    pricer = Pricer.of(chain, forward, spot=525.0, settings=SETTINGS)
    solved = solve(pricer, [12.0, 9.0], 1, [540.0, 550.0], is_call=True)
    discount = np.exp(-0.04 * 98 / 365)
    twin = black.implied_vol(
        np.array([12.0, 9.0]) / discount,
        forward=forward[1],
        strike=np.array([540.0, 550.0]),
        time_to_expiry=98 / 365,
        is_call=np.array([True, True]),
    )
    np.testing.assert_allclose(solved.vol[0], twin.vol, rtol=1e-14)
    assert solved.premium[0].tolist() == [0.0, 0.0]


def test_prices_without_a_vol_say_why_and_have_no_premium(
    markets: dict[str, Any], make_chain: MakeChain
) -> None:
    for name in ("0.5", "QQQ mid"):
        model = markets[name]
        pricer = pricer_of(model, make_chain, days=(91,), knows_dividends=bool(model.dividends))
        strike = np.array([600.0, 600.0, 600.0, 600.0])
        solved = solve(pricer, [75.0, 74.5, np.nan, 700.0], 0, strike, is_call=False)
        assert [Status(code) for code in solved.status[0]] == [
            Status.AT_INTRINSIC,
            Status.BELOW_INTRINSIC,
            Status.NOT_FINITE,
            Status.ABOVE_MAXIMUM,
        ]
        assert np.isnan(solved.vol).all()
        assert np.isnan(solved.premium).all()


def test_no_line_is_asked_twice(
    markets: dict[str, Any], make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line goes to one pricer, with the dividends only where one comes before its expiry."""
    model = markets["IWM mid"]
    asked: list[tuple[int, int]] = []

    def watched(solver: Callable[..., Any]) -> Callable[..., Any]:
        def spy(price: Any, **given: Any) -> Any:
            asked.append((np.asarray(price).shape[-1], len(given.get("dividends", ()))))
            assert given["spot"] == model.spot
            return solver(price, **given)

        return spy

    for module in (american, discrete):
        monkeypatch.setattr(module, "implied_vol", watched(module.implied_vol))
    pricer = pricer_of(model, make_chain, days=(28, 91))
    solved = pricer.implied_vols(
        np.array([5.0, 9.0, 9.5]),
        slice_id=np.array([0, 1, 1]),
        strike=np.array([212.0, 212.0, 213.0]),
        is_call=np.array([True, True, False]),
    )
    assert asked == [(1, 0), (2, 4)]
    monkeypatch.undo()
    assert (solved.status == Status.OK).all()
    plain = american.implied_vol(
        5.0, spot=212.0, strike=212.0, time_to_expiry=28 / 365, rate=pricer.rate[0],
        dividend_yield=pricer.residual_yield[0], is_call=True,
    )  # fmt: skip
    assert solved.vol[0, 0] == plain.vol


def test_the_accuracy_is_that_of_the_settings(markets: dict[str, Any], make_chain: MakeChain) -> None:
    model = markets["IWM mid"]
    vols = {}
    for accuracy in ("fast", "default", "high"):
        settings = Settings(pricer_accuracy=accuracy)
        pricer = pricer_of(model, make_chain, days=(91,), settings=settings)
        vols[accuracy] = float(solve(pricer, [11.0], 0, [215.0], is_call=False).vol[0, 0])
    assert len(set(vols.values())) == 3
    assert vols["fast"] == pytest.approx(vols["high"], abs=5e-4)
    unknown = replace(pricer_of(model, make_chain, days=(91,)), accuracy="best")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="accuracy"):
        solve(unknown, [11.0], 0, [215.0], is_call=False)
