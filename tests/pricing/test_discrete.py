"""American options under cash dividends, against grids whose spot drops by the amount, and their limits."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import ndtr

from volskew.errors import SettingsError
from volskew.pricing import Status, american, black, discrete

Floats = NDArray[np.float64]

REFERENCE = Path(__file__).parents[1] / "reference" / "discrete_prices.csv"
IWM: dict[str, Any] = {"spot": 240.0, "time_to_expiry": 0.25, "rate": 0.043, "dividends": [(0.1, 0.65)]}
STRIKES = np.arange(200.0, 290.0, 10.0)


def reference() -> list[dict[str, Any]]:
    """Rows of the stored prices, numbers as numbers and the schedule in years."""
    rows = []
    with REFERENCE.open() as file:
        for row in csv.DictReader(file):
            numbers = {name: float(value) for name, value in row.items() if name not in {"fund", "dividends"}}
            schedule = [item.split(":") for item in row["dividends"].split()]
            dividends = [(float(day) / 365, float(cash)) for day, cash in schedule]
            rows.append({**numbers, "fund": row["fund"], "dividends": dividends})
    return rows


def european_equivalent(row: dict[str, Any], accuracy: Any) -> tuple[float, float, float]:
    """Our vol of the American price, the Black vol of the European one, and Black's vega."""
    years = row["days"] / 365
    market: dict[str, Any] = {"spot": row["spot"], "rate": row["rate"], "dividends": row["dividends"]}
    ahead = discrete.forward(**market, time_to_expiry=years)
    line: dict[str, Any] = {"strike": row["strike"], "time_to_expiry": years, "is_call": row["is_call"] == 1}
    discount = math.exp(-row["rate"] * years)
    true = black.implied_vol(row["european"] / discount, forward=ahead, **line)
    assert true.status == Status.OK
    solved = discrete.implied_vol(row["american"], **market, **line, accuracy=accuracy)
    vega = discount * black.vega(
        forward=ahead, strike=row["strike"], time_to_expiry=years, vol=float(true.vol)
    )
    return float(solved.vol), float(true.vol), float(vega)


def group_of(row: dict[str, Any]) -> tuple[str, str]:
    """Up to half a year or longer; out of the money, at it (the near legs of a forward) or in it."""
    years = row["days"] / 365
    ahead = discrete.forward(
        spot=row["spot"], time_to_expiry=years, rate=row["rate"], dividends=row["dividends"]
    )
    side = "in" if (row["is_call"] == 1) == (row["strike"] < ahead) else "out"
    near = abs(math.log(row["strike"] / ahead)) < 0.01
    return "short" if row["days"] <= 182 else "long", "at" if near else side


# [vol points]; largest measured: fast 0.004, 0.005, 0.008 and 0.009, 0.015, 0.28; default 0.002, 0.004, 0.007
# and 0.009, 0.019, 0.13; high 0.001, 0.004, 0.006 and 0.010, 0.020, 0.09. What the reference's own grid moves
# is 0.006 at the most; beyond a year the two laws of the spot differ, at any accuracy.
LIMITS = {
    "fast": {
        "short": {"out": 0.007, "at": 0.008, "in": 0.012},
        "long": {"out": 0.014, "at": 0.03, "in": 0.4},
    },
    "default": {
        "short": {"out": 0.003, "at": 0.006, "in": 0.01},
        "long": {"out": 0.014, "at": 0.03, "in": 0.2},
    },
    "high": {
        "short": {"out": 0.002, "at": 0.006, "in": 0.01},
        "long": {"out": 0.014, "at": 0.03, "in": 0.14},
    },
}


@pytest.mark.parametrize("accuracy", ["fast", "default", "high"])
def test_the_vol_of_the_european_option_of_the_same_spot_comes_back(accuracy: str) -> None:
    """The reference's spot is lognormal, ours what a lognormal forward leaves, plus cash: little else."""
    counted = 0
    for row in reference():
        vol, true, vega = european_equivalent(row, accuracy)
        if row["american"] - max((row["spot"] - row["strike"]) * (2 * row["is_call"] - 1), 0.0) > 0.01:
            term, side = group_of(row)
            assert 100 * abs(vol - true) < LIMITS[accuracy][term][side], row
            assert vega > 0
            counted += 1
    assert counted > 150


def test_a_drop_by_a_share_of_the_spot_would_not_do() -> None:
    """What a continuous yield makes of the same prices: the test above can fail."""
    worst = 0.0
    for row in reference():
        if row["fund"] == "IWM" and row["days"] == 91:
            years = row["days"] / 365
            ahead = discrete.forward(
                spot=row["spot"], time_to_expiry=years, rate=row["rate"], dividends=row["dividends"]
            )
            line: dict[str, Any] = {"strike": row["strike"], "time_to_expiry": years}
            solved = american.implied_vol(
                row["american"],
                **line,
                spot=row["spot"],
                rate=row["rate"],
                dividend_yield=row["rate"] - math.log(ahead / row["spot"]) / years,
                is_call=row["is_call"] == 1,
            )
            _, true, _ = european_equivalent(row, "fast")
            worst = max(worst, 100 * abs(float(solved.vol) - true))
    assert worst > 0.2


def test_a_call_before_one_ex_date_is_one_integral() -> None:
    """``exp(-r t) E max(S + D - K, Black call)`` over the lognormal spot after the drop, by quadrature."""
    spot, rate, years, when, cash, vol = 240.0, 0.043, 0.25, 0.245, 0.65, 0.22
    after = spot * math.exp(rate * when) - cash

    def twin(strike: float) -> float:
        def integrand(z: float) -> float:
            s = after * math.exp(vol * math.sqrt(when) * z - 0.5 * vol * vol * when)
            left = years - when
            v = vol * math.sqrt(left)
            d1 = (math.log(s / strike) + rate * left) / v + v / 2
            held = s * ndtr(d1) - strike * math.exp(-rate * left) * ndtr(d1 - v)
            return float(max(held, s + cash - strike) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi))

        corner = (math.log(strike / after) + 0.5 * vol * vol * when) / (vol * math.sqrt(when))
        points = sorted({min(max(corner + step, -7.9), 7.9) for step in (-0.3, -0.1, 0.0, 0.1, 0.3)})
        return math.exp(-rate * when) * quad(integrand, -8, 8, points=points, limit=400)[0]

    strikes = np.array([215.0, 230.0, 240.0, 250.0, 262.0, 275.0])
    given: dict[str, Any] = {
        "spot": spot, "strike": strikes, "time_to_expiry": years, "vol": vol, "rate": rate, "is_call": True,
        "dividends": [(when, cash)],
    }  # fmt: skip
    exact = np.array([twin(strike) for strike in strikes])
    # grid, and the cubic in D/K between four strikes: measured 2e-4 and 9e-4 dollars
    np.testing.assert_allclose(discrete.price(**given, accuracy="high"), exact, atol=5e-4)
    np.testing.assert_allclose(discrete.price(**given), exact, atol=2e-3)
    european = discrete.price(**given) - discrete.values(**given).early_exercise_premium
    assert (exact - european > 0.01).sum() >= 5  # there is a premium to be right about


@pytest.mark.parametrize("is_call", [True, False])
def test_a_put_tree_of_the_same_spot(is_call: bool) -> None:
    """A binomial tree of the lognormal part, exercise by what the dividends add to it."""
    spot, rate, years, vol, steps = 100.0, 0.05, 0.5, 0.25, 3000
    dividends = [(0.12, 0.9), (0.37, 0.9)]
    dt = years / steps
    up = math.exp(vol * math.sqrt(dt))
    p = (math.exp(rate * dt) - 1 / up) / (up - 1 / up)
    x = spot - sum(cash * math.exp(-rate * when) for when, cash in dividends)
    sign = -1.0 if is_call else 1.0
    strike = 102.0
    nodes = x * up ** np.arange(-steps, steps + 1, 2)
    value = np.maximum(sign * (strike - nodes), 0.0)
    for step in range(steps - 1, -1, -1):
        now = step * dt
        nodes = x * up ** np.arange(-step, step + 1, 2)
        cash = sum(c * math.exp(-rate * (when - now)) for when, c in dividends if when >= now)
        value = math.exp(-rate * dt) * (p * value[1:] + (1 - p) * value[:-1])
        value = np.maximum(value, sign * (strike - nodes - cash))
    ours = discrete.price(
        spot=spot, strike=strike, time_to_expiry=years, vol=vol, rate=rate, is_call=is_call,
        dividends=dividends, accuracy="high",
    )  # fmt: skip
    assert ours == pytest.approx(value[0], abs=4e-3)  # the tree's own error at 3,000 steps


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("dividend_yield", [0.0, 0.02, 0.06, -0.01])
def test_a_vanishing_dividend_leaves_a_continuous_yield(is_call: bool, dividend_yield: float) -> None:
    given: dict[str, Any] = {
        "spot": 240.0, "strike": STRIKES, "time_to_expiry": 0.5, "vol": 0.22, "rate": 0.043,
        "is_call": is_call, "dividend_yield": dividend_yield,
    }  # fmt: skip
    exact = american.values(**given, accuracy="high")
    # measured: 1.2e-2, 3.5e-3 and 6e-4 dollars in the money beside the boundary, less than half elsewhere
    for accuracy, tolerance in (("fast", 2e-2), ("default", 8e-3), ("high", 1.2e-3)):
        found = discrete.values(**given, dividends=[(0.2, 1e-9)], accuracy=accuracy)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.price, exact.price, atol=tolerance)


def test_no_ex_date_before_expiry_is_the_american_option() -> None:
    given: dict[str, Any] = {
        "spot": 240.0, "strike": STRIKES, "time_to_expiry": 0.25, "rate": 0.043, "is_call": False,
        "dividend_yield": 0.01,
    }  # fmt: skip
    for dividends in ((), [(0.25, 5.0)], [(0.4, 5.0), (0.0, 3.0), (-0.1, 2.0)], [(0.1, 0.0)]):
        found = discrete.values(**given, vol=0.2, dividends=dividends)
        for mine, theirs in zip(found, american.values(**given, vol=0.2), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        solved = discrete.implied_vol(found.price, **given, dividends=dividends)
        other = american.implied_vol(found.price, **given)
        np.testing.assert_array_equal(solved.vol, other.vol)
        np.testing.assert_array_equal(solved.status, other.status)


def test_dividends_after_expiry_change_nothing() -> None:
    given: dict[str, Any] = {**IWM, "strike": STRIKES, "vol": 0.2, "is_call": True}
    more = [*IWM["dividends"], (0.25, 1.0), (0.3, 2.0), (-0.2, 9.0)]
    first, second = discrete.price(**given), discrete.price(**{**given, "dividends": more})
    np.testing.assert_array_equal(first, second)


def test_payments_of_one_day_are_one() -> None:
    given: dict[str, Any] = {**IWM, "strike": STRIKES, "vol": 0.2, "is_call": False}
    split = discrete.price(**{**given, "dividends": [(0.1, 0.4), (0.1, 0.25)]})
    np.testing.assert_allclose(split, discrete.price(**given), rtol=1e-14)  # 0.4 + 0.25 is 0.65 to an ulp


def test_the_forward_is_that_of_the_cash_amounts() -> None:
    found = discrete.forward(
        spot=100,
        time_to_expiry=[0.2, 1.0],
        rate=0.05,
        dividend_yield=0.01,
        dividends=[(0.3, 1.0), (0.8, 2.0)],
    )
    grown = 100 * math.exp(0.04) - math.exp(0.04 * 0.7) - 2 * math.exp(0.04 * 0.2)
    np.testing.assert_allclose(found, [100 * math.exp(0.04 * 0.2), grown], rtol=1e-14)


@given(
    spot=st.floats(50, 500),
    moneyness=st.floats(-2.0, 2.0),
    years=st.floats(0.05, 2.0),
    vol=st.floats(0.08, 0.9),
    rate=st.floats(-0.01, 0.1),
    residual=st.floats(-0.02, 0.04),
    share=st.floats(0.0, 0.02),
    when=st.floats(0.02, 0.98),
    is_call=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_values_are_those_of_an_option(
    spot: float, moneyness: float, years: float, vol: float, rate: float, residual: float, share: float,
    when: float, is_call: bool,
) -> None:  # fmt: skip
    # a yield that no price in doubles feels may count as none
    residual, rate = (0.0 if abs(yearly) < 1e-15 else yearly for yearly in (residual, rate))
    dividends = [(when * years, share * spot)]
    line: dict[str, Any] = {
        "spot": spot, "strike": spot * math.exp(moneyness * vol * math.sqrt(years)), "time_to_expiry": years,
        "rate": rate, "dividend_yield": residual, "is_call": is_call, "dividends": dividends,
    }  # fmt: skip
    found = discrete.values(**line, vol=vol)
    earned, given_up = (residual, rate) if is_call else (rate, residual)
    if given_up < earned < 0:
        assert math.isnan(found.price)
        return
    ahead = discrete.forward(**{name: line[name] for name in line if name not in {"strike", "is_call"}})
    european = math.exp(-rate * years) * black.price(
        forward=ahead, strike=line["strike"], time_to_expiry=years, vol=vol, is_call=is_call
    )
    intrinsic = (spot - line["strike"]) * (1 if is_call else -1)
    slack = 1e-9 * spot  # rounding of sums of numbers like the spot
    assert found.price >= european - slack
    assert found.price >= intrinsic - slack
    assert found.price - european == pytest.approx(found.early_exercise_premium, abs=slack)
    # scaling: the grid is the same, so only rounding differs
    other = discrete.values(
        **{
            **line,
            "spot": 3 * spot,
            "strike": 3 * line["strike"],
            "dividends": [(when * years, 3 * share * spot)],
        },
        vol=vol,
    )
    assert other.price == pytest.approx(3 * found.price, rel=1e-9, abs=1e-9 * spot)
    # and back, where the price says anything of the vol
    if found.vega > 0.002 * spot and found.price - intrinsic > 1e-3 * spot:
        solved = discrete.implied_vol(found.price, **line)
        assert solved.status == Status.OK
        assert solved.vol == pytest.approx(vol, rel=1e-6)


@pytest.mark.parametrize("is_call", [True, False])
def test_prices_rise_with_vol_and_time_and_are_convex_in_the_strike(is_call: bool) -> None:
    vols = np.linspace(0.1, 0.6, 26)
    given: dict[str, Any] = {**IWM, "is_call": is_call}
    assert (np.diff(discrete.price(**given, strike=240.0, vol=vols)) > 0).all()
    strikes = np.linspace(200, 280, 81)
    prices = discrete.price(**given, strike=strikes, vol=0.22)
    first = np.diff(prices)
    assert ((first < 0) if is_call else (first > 0)).all()
    assert (np.diff(first) > -2e-4).all()  # cubic between rows, and a polynomial in the vol: small waves
    times = np.array([0.12, 0.2, 0.25, 0.4, 0.6])
    longer = discrete.price(**{**given, "time_to_expiry": times}, strike=245.0, vol=0.22)
    assert (np.diff(longer) > 0).all()


def test_sensitivities_are_derivatives() -> None:
    for is_call in (True, False):
        given: dict[str, Any] = {**IWM, "strike": STRIKES, "is_call": is_call}
        found = discrete.values(**given, vol=0.22)
        h = 1e-4
        by_vol = (discrete.price(**given, vol=0.22 + h) - discrete.price(**given, vol=0.22 - h)) / (2 * h)
        alive = found.price > np.maximum((240.0 - STRIKES) * (1 if is_call else -1), 0.0) + 0.05
        np.testing.assert_allclose(found.vega[alive], by_vol[alive], rtol=1e-4, atol=1e-3)
        up, down = (
            discrete.price(**{**given, "spot": s, "dividends": [(0.1, 0.65 * s / 240)]}, vol=0.22)
            for s in (240.01, 239.99)
        )
        np.testing.assert_allclose(found.delta[alive], ((up - down) / 0.02)[alive], atol=2e-3)


def test_a_vol_depends_on_its_own_quote_alone() -> None:
    generator = np.random.default_rng(5)
    n = 300
    years = generator.choice([0.08, 0.25, 0.7, 1.4], n)
    line: dict[str, Any] = {
        "spot": 240.0,
        "strike": np.round(240 * np.exp(generator.normal(0, 0.6, n) * 0.22 * np.sqrt(years))),
        "time_to_expiry": years,
        "rate": generator.choice([0.03, 0.043], n),
        "is_call": generator.random(n) < 0.5,
        "dividends": [(0.05, 0.6), (0.3, 0.65), (0.55, 0.65), (0.8, 0.7)],
    }
    prices = discrete.price(**line, vol=generator.uniform(0.1, 0.7, n))
    whole = discrete.implied_vol(prices, **line)
    assert (whole.status == Status.OK).mean() > 0.9
    each = {name: line[name] for name in ("strike", "time_to_expiry", "rate", "is_call")}
    order = generator.permutation(n)
    shuffled = discrete.implied_vol(
        prices[order], **{**line, **{name: value[order] for name, value in each.items()}}, threads=3
    )
    np.testing.assert_array_equal(shuffled.vol, whole.vol[order])
    for i in range(0, n, 37):
        alone = discrete.implied_vol(
            prices[i], **{**line, **{name: value[i] for name, value in each.items()}}
        )
        assert isinstance(alone.vol, float)
        np.testing.assert_array_equal(alone.vol, whole.vol[i])


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("rate", [-0.02, 0.0, 0.01, 0.08])
@pytest.mark.parametrize("residual", [-0.02, 0.0, 0.02])
def test_the_bounds_behind_the_shortcut_are_bounds(is_call: bool, rate: float, residual: float) -> None:
    from volskew.pricing import discrete_bounds as kernels

    if (residual < rate < 0 and not is_call) or (rate < residual < 0 and is_call):
        pytest.skip("two boundaries: not covered")
    spot, dividends = 100.0, [(0.1, 0.5), (0.35, 0.5), (0.45, 0.4)]
    for years in (0.12, 0.36, 0.5):
        for vol in (0.1, 0.25, 0.6):
            strikes = spot * np.exp(np.linspace(-3, 3, 25) * vol * math.sqrt(years))
            line: dict[str, Any] = {
                "spot": spot, "strike": strikes, "time_to_expiry": years, "rate": rate,
                "dividend_yield": residual, "dividends": dividends, "is_call": is_call,
            }  # fmt: skip
            premium = discrete.values(**line, vol=vol, accuracy="high").early_exercise_premium / strikes
            before = [(when, cash) for when, cash in dividends if when < years][::-1]
            left = np.array([years - when for when, _ in before])
            amounts = np.array([cash / spot for _, cash in before])
            held = spot - sum(cash * math.exp(-(rate - residual) * when) for when, cash in before)
            market = (years, rate, residual, -1.0 if is_call else 1.0, math.log(spot / held))
            for strike, worth in zip(strikes, premium, strict=True):
                x = math.log(spot / strike)
                bound = (
                    kernels._call_bound(x, vol, market, left, amounts)
                    if is_call
                    else kernels._put_bound(x, vol, market)
                )
                # where a call's dividend is just worth the interest its premium begins in D/K with a
                # corner, which the cubic between four strikes rounds off
                assert worth <= max(bound, 0.0) + (6e-5 if is_call else 1e-9)


STATUSES: list[tuple[dict[str, Any], Status]] = [
    ({}, Status.OK),
    ({"price": math.nan}, Status.NOT_FINITE),
    ({"spot": math.inf}, Status.NOT_FINITE),
    ({"rate": math.nan}, Status.NOT_FINITE),
    ({"time_to_expiry": 0.0}, Status.NOT_POSITIVE_TIME),
    ({"time_to_expiry": -1.0}, Status.NOT_POSITIVE_TIME),
    ({"strike": 0.0}, Status.NOT_POSITIVE_INPUT),
    ({"spot": -5.0}, Status.NOT_POSITIVE_INPUT),
    ({"price": 0.0}, Status.NOT_POSITIVE_PRICE),
    ({"price": -1.0}, Status.NOT_POSITIVE_PRICE),
    ({"dividends": [(0.1, 250.0)]}, Status.DIVIDENDS_TOO_LARGE),
    ({"rate": -0.01, "dividend_yield": -0.02}, Status.TWO_BOUNDARIES),
    ({"strike": 260.0, "price": 19.9}, Status.BELOW_INTRINSIC),
    ({"strike": 260.0, "price": 20.0}, Status.AT_INTRINSIC),
    ({"price": 230.0}, Status.ABOVE_MAXIMUM),
    ({"price": 229.9}, Status.OUT_OF_RANGE),
]


@pytest.mark.parametrize(("changes", "status"), STATUSES)
def test_every_price_without_a_vol_says_why(changes: dict[str, Any], status: Status) -> None:
    base: dict[str, Any] = {**IWM, "strike": 230.0, "is_call": False, "price": 5.5}
    line = {**base, **changes}
    solved = discrete.implied_vol(line.pop("price"), **line)
    assert solved.status == status
    assert math.isnan(solved.vol) == (status != Status.OK)
    # among sound neighbours it disturbs none
    if "dividends" not in changes:
        price = np.array([base["price"], changes.get("price", base["price"]), base["price"]])
        columns = {
            name: np.array([base[name], changes[name], base[name]])
            for name in changes
            if name in base and name != "price"
        }
        if "dividend_yield" in changes:
            columns["dividend_yield"] = np.array([0.0, changes["dividend_yield"], 0.0])
        rest = {name: value for name, value in base.items() if name != "price"}
        several = discrete.implied_vol(price, **{**rest, **columns})
        whole = discrete.implied_vol(5.5, **rest)
        np.testing.assert_array_equal(several.vol[[0, 2]], [whole.vol, whole.vol])


@pytest.mark.parametrize(
    ("dividends", "message"),
    [
        ([0.1], "pairs of a time"),
        ([("soon", 1.0)], "pairs of a time"),
        ([(0.1, -1.0)], "at least 0"),
        ([(math.nan, 1.0)], "finite time"),
        ([(0.1, math.inf)], "finite amount"),
        ([(0.1, 1.0, 2.0)], "pairs of a time"),
    ],
)
def test_a_dividend_that_is_none_is_named(dividends: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        discrete.price(**{**IWM, "dividends": dividends}, strike=240.0, vol=0.2, is_call=True)


def test_the_ends_of_the_domain_have_values() -> None:
    days, vols = np.array([1.0, 30.0, 365.0, 1825.0]), np.array([0.01, 0.05, 0.3, 1.0, 5.0])
    schedule = [(t, 0.5) for t in np.arange(0.001, 5.0, 0.125)]  # forty ex-dates, one within hours
    for rate in (-0.02, 0.0, 0.12):
        for is_call in (True, False):
            line: dict[str, Any] = {
                "spot": 100.0, "strike": np.array([50.0, 99.0, 105.0, 200.0])[:, None, None],
                "time_to_expiry": days[:, None] / 365, "rate": rate, "dividend_yield": 0.0,
                "is_call": is_call, "dividends": schedule,
            }  # fmt: skip
            found = discrete.values(**line, vol=vols)
            for item in found:
                assert np.isfinite(item).all()
            assert (found.price >= 0).all()
            most = 100.0 if is_call else line["strike"] * np.exp(max(-rate, 0.0) * line["time_to_expiry"])
            assert (found.price <= most * (1 + 1e-12)).all()
            solved = discrete.implied_vol(found.price, **line)
            assert (np.isfinite(solved.vol) == (solved.status == Status.OK)).all()
            # where time value and vega are there to be read, and vol sqrt(T) is not beyond what a market has
            clear = (found.vega > 0.5) & (vols >= 0.3) & (vols <= 1.0)
            clear &= found.price > np.maximum((100.0 - line["strike"]) * (1 if is_call else -1), 0.0) + 0.05
            assert clear.any()
            assert (solved.status[clear] == Status.OK).all()
            assert np.abs(solved.vol / vols - 1)[clear].max() < 1e-6


def test_a_vol_out_of_range_has_no_value() -> None:
    found = discrete.values(**IWM, strike=240.0, vol=[0.004, 0.2, 11.0], is_call=True)
    np.testing.assert_array_equal(np.isnan(found.price), [True, False, True])
    with pytest.raises(SettingsError, match="accuracy must be one of fast, default, high"):
        discrete.price(**IWM, strike=240.0, vol=0.2, is_call=True, accuracy="best")  # type: ignore[arg-type]
