from __future__ import annotations

import csv
import functools
import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from volskew.errors import SettingsError
from volskew.pricing import Status, american, american_premium, black

REFERENCE = Path(__file__).parents[1] / "reference"
ACCURACIES = ("fast", "default", "high")

_spec = importlib.util.spec_from_file_location("american_tree", REFERENCE / "american_tree.py")
assert _spec is not None
assert _spec.loader is not None
american_tree = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(american_tree)


def contract(
    side: str, spot: float, strike: float, days: float, rate: float, dividend_yield: float
) -> dict[str, Any]:
    return {
        "spot": spot,
        "strike": strike,
        "time_to_expiry": days / 365,
        "rate": rate,
        "dividend_yield": dividend_yield,
        "is_call": side == "C",
    }


# (side, spot, strike, days, rate, yield), vol, price: solvers by either fixed point agree to 1e-8
AGREED = [
    (("P", 600, 569, 91, 0.043, 0.005), 0.20, 9.53078980),
    (("C", 600, 651, 91, 0.043, 0.005), 0.20, 8.53184772),
    (("P", 600, 651, 91, 0.043, 0.005), 0.20, 55.11223501),
    (("P", 600, 600, 1, 0.043, 0.006), 0.10, 1.22585482),
    (("C", 600, 500, 365, 0.005, 0.014), 0.25, 115.04125477),
    (("P", 240, 226, 91, 0.043, 0.0109), 0.22, 4.19741522),
    (("P", 240, 250, 91, 0.012, 0.012), 0.30, 20.11591699),
]


@pytest.mark.parametrize(("given", "vol", "price"), AGREED)
@pytest.mark.parametrize(("accuracy", "bound"), [("fast", 1e-5), ("default", 1e-6), ("high", 1e-8)])
def test_prices_agreed_by_independent_solvers(
    given: tuple[Any, ...], vol: float, price: float, accuracy: Any, bound: float
) -> None:
    here = contract(*given)
    got = american.price(**here, vol=vol, accuracy=accuracy)
    # the bounds are stated for a spot of 100; the values are printed to 1e-8, and agree to 1e-8
    assert abs(got - price) <= bound * here["spot"] / 100 + 1.5e-8
    solved = american.implied_vol(price, **here, accuracy=accuracy)
    assert solved.status is Status.OK
    assert abs(solved.vol - vol) <= (bound * here["spot"] / 100 + 1.5e-8) / american.vega(**here, vol=vol)


@pytest.mark.parametrize(("accuracy", "bound"), [("fast", 1e-5), ("default", 1e-6), ("high", 1e-8)])
def test_the_premium_of_andersen_lake_and_offengenden(accuracy: Any, bound: float) -> None:
    """Their table 2: put 100/100, one year, rate and yield 5 %, vol 25 %."""
    got = american.early_exercise_premium(
        **contract("P", 100, 100, 365, 0.05, 0.05), vol=0.25, accuracy=accuracy
    )
    assert got == pytest.approx(0.106952702747, abs=bound)


def test_the_calls_of_broadie_and_detemple() -> None:
    """Strike 100, half a year, rate 3 %, yield 7 %, vol 20 %."""
    got = american.price(
        spot=[80, 90, 100, 110, 120], strike=100, time_to_expiry=0.5, vol=0.2, rate=0.03, dividend_yield=0.07,
        is_call=True,
    )  # fmt: skip
    np.testing.assert_allclose(got, [0.21937, 1.38639, 4.78261, 11.09770, 20.00042], atol=1.5e-5)


# strike: vol: at 0.0833, 0.3333, 0.5833 years; spot 40, rate 4.88 %, no yield
GESKE_JOHNSON = {
    35: {0.2: (0.0062, 0.2004, 0.4328), 0.3: (0.0774, 0.6975, 1.2198), 0.4: (0.2466, 1.3460, 2.1549)},
    40: {0.2: (0.8522, 1.5798, 1.9904), 0.3: (1.3099, 2.4825, 3.1696), 0.4: (1.7681, 3.3874, 4.3526)},
    45: {0.2: (5.0000, 5.0883, 5.2670), 0.3: (5.0597, 5.7056, 6.2436), 0.4: (5.2868, 6.5099, 7.3830)},
}


def test_the_puts_of_geske_and_johnson() -> None:
    """Their contracts (1984), with the values of a 10,000-step tree that the literature compares on."""
    rows = [
        (strike, vol, time, price)
        for strike, by_vol in GESKE_JOHNSON.items()
        for vol, prices in by_vol.items()
        for time, price in zip((0.0833, 0.3333, 0.5833), prices, strict=True)
    ]
    strike, vol, time, price = (np.array(column) for column in zip(*rows, strict=True))
    got = american.price(
        spot=40, strike=strike, time_to_expiry=time, vol=vol, rate=0.0488, dividend_yield=0, is_call=False
    )
    np.testing.assert_allclose(got, price, atol=2e-4)  # the tree's own error on 4 printed digits


@functools.cache
def sweep() -> dict[str, np.ndarray]:
    """QuantLib's prices over the domain; tests/reference/make_american.py regenerates them.

    Left out are the rows where its engine disagrees with itself or with a plain tree.
    """
    with (REFERENCE / "american_prices.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = {
        name: np.array([row[name] if name == "region" else float(row[name] or "nan") for row in rows])
        for name in rows[0]
    }
    trusted = (table["fewer_nodes"] < 1e-6) & (table["tree"] < 2e-3 * np.maximum(1.0, table["price"]))
    assert trusted.mean() > 0.97
    return {name: column[trusted] for name, column in table.items()}


def of_sweep(table: dict[str, np.ndarray]) -> dict[str, Any]:
    return {
        "spot": table["spot"],
        "strike": 100.0,
        "time_to_expiry": table["days"] / 365,
        "rate": table["rate"],
        "dividend_yield": table["dividend_yield"],
        "is_call": table["is_call"] == 1,
    }


def falls_to_nothing(here: dict[str, Any], vol: np.ndarray) -> np.ndarray:
    """Contracts whose boundary falls towards 0 within their life, of which some are not answered."""
    is_call = np.broadcast_to(here["is_call"], np.shape(vol))
    interest = np.where(is_call, here["dividend_yield"], here["rate"])
    given_up = np.where(is_call, here["rate"], here["dividend_yield"])
    return np.asarray((interest == 0) & (given_up < 0) & (vol * np.sqrt(here["time_to_expiry"]) > 1))


# region: largest error in dollars a spot and strike of 100, at each accuracy
ORDINARY = {"fast": 1e-4, "default": 2e-5, "high": 1e-6}
SHORT = {"fast": 1e-6, "default": 2e-7, "high": 1e-8}
WIDE = {"fast": 3e-4, "default": 6e-5, "high": 2e-6}


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_prices_over_the_whole_domain_match_quantlib(accuracy: Any) -> None:
    table = sweep()
    got = american.price(**of_sweep(table), vol=table["vol"], accuracy=accuracy)
    error = np.abs(got - table["price"]) * 100 / np.maximum(table["spot"], 100)
    assert not np.isnan(error[~falls_to_nothing(of_sweep(table), table["vol"])]).any()
    assert np.isnan(error).sum() <= 6
    for region in np.unique(table["region"]):
        limit = {"ordinary": ORDINARY, "short": SHORT}.get(str(region), WIDE)[accuracy]
        assert np.nanmax(error[table["region"] == region]) <= limit, region


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_the_vols_of_quantlibs_prices_come_back(accuracy: Any) -> None:
    table = sweep()
    here = of_sweep(table)
    vega = american.vega(**here, vol=table["vol"], accuracy="high")
    sign = np.where(here["is_call"], 1, -1)
    extrinsic = table["price"] - np.maximum(sign * (table["spot"] - 100), 0)
    unit = 100 / np.maximum(table["spot"], 100)
    informative = (extrinsic * unit >= 0.01 / 6) & (
        vega * unit >= 0.2 / 6
    )  # cents are those of a spot of 600
    informative &= ~falls_to_nothing(here, table["vol"])
    solved = american.implied_vol(table["price"], **here, accuracy=accuracy)
    assert (solved.status[informative] == Status.OK).all()
    error = (np.abs(solved.vol - table["vol"]) * vega * unit)[informative]
    assert error.max() <= 2 * WIDE[accuracy]


def realistic(seed: int, slices: int, moneyness: float) -> tuple[dict[str, Any], np.ndarray]:
    """Slices of 40 options as on an exchange-traded fund with spot 600, and their vols."""
    generator = np.random.default_rng(seed)

    def of_slice(value: np.ndarray) -> np.ndarray:
        return np.repeat(value, 40)

    time = of_slice(np.round(np.exp(generator.uniform(0, math.log(365), slices)))) / 365
    vol = of_slice(np.exp(generator.uniform(math.log(0.08), math.log(0.55), slices)))
    vol = vol * np.exp(generator.uniform(-0.2, 0.2, vol.size))
    strike = 600 * np.exp(generator.uniform(-moneyness, moneyness, vol.size) * vol * np.sqrt(time))
    return {
        "spot": 600.0,
        "strike": strike,
        "time_to_expiry": time,
        "rate": of_slice(np.round(generator.uniform(0, 0.06, slices), 4)),
        "dividend_yield": of_slice(np.round(generator.uniform(0, 0.06, slices), 4)),
        "is_call": of_slice(generator.integers(2, size=slices).astype(bool)),
    }, vol


@pytest.mark.parametrize(
    ("accuracy", "p99", "worst", "dollars"),
    [("fast", 5e-6, 1e-3, 5e-3), ("default", 1e-6, 1e-4, 1e-3), ("high", 1e-9, 1e-7, 1e-6)],
)
def test_vols_come_back_from_prices_at_high_accuracy(
    accuracy: Any, p99: float, worst: float, dollars: float
) -> None:
    here, vol = realistic(1, 250, 2.5)
    truth = american.values(**here, vol=vol, accuracy="high")
    sign = np.where(here["is_call"], 1, -1)
    extrinsic = truth.price - np.maximum(sign * (600 - here["strike"]), 0)
    informative = (extrinsic >= 0.01) & (truth.vega >= 0.2)
    assert informative.sum() > 8000
    solved = american.implied_vol(truth.price, **here, accuracy=accuracy)
    assert (solved.status[informative] == Status.OK).all()
    error = np.abs(solved.vol - vol)[informative]
    assert np.quantile(error, 0.99) <= p99
    assert error.max() <= worst
    assert (error * truth.vega[informative]).max() <= dollars


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_no_contract_of_the_domain_is_left_unpriced(accuracy: Any) -> None:
    generator = np.random.default_rng(9)
    n = 20_000
    time = np.round(np.exp(generator.uniform(0, math.log(1825), n))) / 365
    rate, dividend_yield = np.round(generator.uniform(-0.03, 0.12, (2, n)), 3)
    vol = np.exp(generator.uniform(math.log(0.01), math.log(5), n))
    here = {"time_to_expiry": time, "rate": rate, "dividend_yield": dividend_yield, "is_call": False}
    got = american.price(spot=100, strike=100, vol=vol, **here, accuracy=accuracy)
    two = (dividend_yield < rate) & (rate < 0)
    np.testing.assert_array_equal((np.isnan(got) & ~falls_to_nothing(here, vol)), two)


def _european(here: dict[str, Any], vol: float) -> float:
    time = here["time_to_expiry"]
    forward = here["spot"] * math.exp((here["rate"] - here["dividend_yield"]) * time)
    undiscounted = black.price(
        forward=forward, strike=here["strike"], time_to_expiry=time, vol=vol, is_call=here["is_call"]
    )
    return float(math.exp(-here["rate"] * time) * undiscounted)


market = {
    "moneyness": st.floats(-4, 4),
    "vol": st.floats(0.02, 2.0),
    "time": st.floats(0.003, 5.0),
    "rate": st.integers(-30_000, 120_000).map(lambda x: x / 1e6) | st.just(0.0),
    "dividend_yield": st.integers(-30_000, 120_000).map(lambda x: x / 1e6) | st.just(0.0),
    "is_call": st.booleans(),
}


def drawn(
    moneyness: float, vol: float, time: float, rate: float, dividend_yield: float, is_call: bool
) -> dict[str, Any]:
    r, q = (dividend_yield, rate) if is_call else (rate, dividend_yield)
    assume(not q < r < 0)
    # the boundary then falls towards 0 within the option's life; cases below
    assume(not (abs(r) < 1e-3 and q < 0))
    return {
        "spot": 100.0,
        "strike": 100 * math.exp(moneyness * vol * math.sqrt(time)),
        "time_to_expiry": time,
        "rate": rate,
        "dividend_yield": dividend_yield,
        "is_call": is_call,
    }


@settings(max_examples=60, deadline=None)
@given(**market)
def test_bounds_and_monotonicity(vol: float, **others: Any) -> None:
    here = drawn(vol=vol, **others)
    size = here["spot"] + here["strike"]
    noise = 2e-8 * size  # the error of "high"
    got = american.values(**here, vol=vol, accuracy="high")
    sign = 1 if here["is_call"] else -1
    assert got.price >= max(sign * (here["spot"] - here["strike"]), 0) - 1e-12 * size
    assert got.early_exercise_premium >= -noise
    assert got.price - got.early_exercise_premium == pytest.approx(_european(here, vol), abs=1e-11 * size)
    assert got.vega >= -1e-6 * size
    assert -1e-7 <= sign * got.delta <= 1 + 1e-7 or here["dividend_yield"] < 0 or here["rate"] < 0
    price = functools.partial(american.price, accuracy="high")
    assert price(**here, vol=vol * 1.03) >= got.price - noise
    assert price(**here | {"time_to_expiry": here["time_to_expiry"] * 1.05}, vol=vol) >= got.price - noise
    by_strike = price(**here | {"strike": here["strike"] * 1.01}, vol=vol) - got.price
    steepest = max(
        1.0, math.exp(-here["rate"] * here["time_to_expiry"])
    )  # more than 1 where the strike is paid late
    assert -noise <= -sign * by_strike <= 0.01 * here["strike"] * steepest + noise


@settings(max_examples=60, deadline=None)
@given(**market, accuracy=st.sampled_from(ACCURACIES))
def test_symmetry_and_scaling_are_exact(vol: float, accuracy: Any, **others: Any) -> None:
    here = drawn(vol=vol, **others)
    got = american.price(**here, vol=vol, accuracy=accuracy)
    mirrored = {
        "spot": here["strike"],
        "strike": here["spot"],
        "time_to_expiry": here["time_to_expiry"],
        "rate": here["dividend_yield"],
        "dividend_yield": here["rate"],
        "is_call": not here["is_call"],
    }
    assert american.price(**mirrored, vol=vol, accuracy=accuracy) == got
    for factor in (4.0, 2.0**-10):
        scaled = here | {"spot": here["spot"] * factor, "strike": here["strike"] * factor}
        assert american.price(**scaled, vol=vol, accuracy=accuracy) == got * factor
        one = american.implied_vol(got, **here, accuracy=accuracy)
        other = american.implied_vol(got * factor, **scaled, accuracy=accuracy)
        np.testing.assert_equal([other.vol, other.status], [one.vol, one.status])


@settings(max_examples=60, deadline=None)
@given(**market)
def test_delta_and_vega_are_slopes_of_the_price(vol: float, **others: Any) -> None:
    here = drawn(vol=vol, **others)
    got = american.values(**here, vol=vol, accuracy="high")
    price = functools.partial(american.price, accuracy="high")

    def slope(name: str, at: float, step: float) -> float:
        up, down = (price(**here | {"vol": vol} | {name: at + move}) for move in (step, -step))
        return float((up - down) / (2 * step))

    sign = 1 if here["is_call"] else -1
    exercised = [
        american.delta(**here | {"spot": here["spot"] + move}, vol=vol, accuracy="high") == sign
        for move in (-0.02, 0.0, 0.02)
    ]
    assume(all(exercised) or not any(exercised))  # the price's formula changes at the boundary
    width = here["spot"] * vol * math.sqrt(here["time_to_expiry"])
    size = here["spot"] + here["strike"]
    # curvature over the step squared, and the price's rounding over the step
    step = 1e-4 * min(width, 1)
    assert got.delta == pytest.approx(slope("spot", here["spot"], step), abs=2e-6 + 1e-15 * size / step)
    step = 1e-3 * vol
    # prices of neighbouring panels of vols differ by their error, 4e-9 of the strike
    assert got.vega == pytest.approx(slope("vol", vol, step), rel=1e-4, abs=5e-9 * size / step)


@settings(max_examples=40, deadline=None)
@given(
    moneyness=st.floats(-3, 3),
    vol=st.floats(0.02, 2),
    time=st.floats(0.003, 5),
    r=st.floats(-0.05, 0),
    gap=st.floats(0, 0.1),
)
def test_what_is_never_exercised_is_the_european_price_to_the_bit(
    moneyness: float, vol: float, time: float, r: float, gap: float
) -> None:
    assume(r < 0 or gap >= 0)
    spot = math.exp(moneyness * vol * math.sqrt(time))
    q = r + gap
    assume(q >= r)
    assume(all(abs(rate) > 1e-14 or rate == 0 for rate in (r, q)))  # less is taken for rounding of a zero
    here: dict[str, Any] = {
        "spot": spot, "strike": 1.0, "time_to_expiry": time, "rate": r, "dividend_yield": q, "is_call": False,
    }  # fmt: skip
    forward = np.exp(np.log(spot) + (r - q) * time)
    discount = np.exp(-r * time)
    got = american.values(**here, vol=vol)
    assert got.early_exercise_premium == 0.0
    assert got.price == discount * black.price(
        forward=forward, strike=1.0, time_to_expiry=time, vol=vol, is_call=False
    )
    solved = american.implied_vol(got.price, **here)
    european = black.implied_vol(
        got.price * np.exp(r * time), forward=forward, strike=1.0, time_to_expiry=time, is_call=False
    )
    if solved.status is Status.OK:
        assert solved.vol == european.vol
    else:
        assert solved.status in {
            Status.AT_INTRINSIC,
            Status.NOT_POSITIVE_PRICE,
            Status.BELOW_INTRINSIC,
            Status.ABOVE_MAXIMUM,
        }


@pytest.mark.parametrize("tiny", [1e-6, 1e-12, 5.6e-17, 1e-30, 1e-300])
@pytest.mark.parametrize("dividend_yield", [-0.02, 0.0, 0.03])
def test_a_rate_a_rounding_away_from_zero_is_no_other_than_zero(tiny: float, dividend_yield: float) -> None:
    for side in "PC":
        here = contract(side, 100, 100, 365, 0.0, dividend_yield)
        at_zero = american.price(**here, vol=0.3, accuracy="high")
        # a rate moves a price by less than spot times years
        assert american.price(**here | {"rate": tiny}, vol=0.3, accuracy="high") == pytest.approx(
            at_zero, abs=100 * tiny + 1e-8
        )


# days, rate, yield, vol, price of the put 100/100: QuantLib as in tests/reference/make_american.py
NO_INTEREST = [
    (365, 0.0, -0.02, 0.5, 19.028549801),
    (1688, 0.0, -0.02, 1.0, 70.529707999),
    (1688, 1e-4, -0.02, 2.0, 96.671449188),
    (1688, 1e-3, -0.02, 2.0, 96.410572263),
    (1688, 1e-4, 0.0, 2.0, 96.815522131),
]


@pytest.mark.parametrize(("days", "rate", "dividend_yield", "vol", "price"), NO_INTEREST)
@pytest.mark.parametrize(("accuracy", "bound"), [("default", 1e-4), ("high", 3e-6)])
def test_hardly_any_interest_beside_a_negative_yield(
    days: int, rate: float, dividend_yield: float, vol: float, price: float, accuracy: Any, bound: float
) -> None:
    got = american.price(**contract("P", 100, 100, days, rate, dividend_yield), vol=vol, accuracy=accuracy)
    assert got == pytest.approx(price, abs=bound)


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("vol", [1.5, 2.0, 2.06])
def test_a_boundary_that_falls_to_nothing_is_not_answered(vol: float, accuracy: Any) -> None:
    """Without interest it does, and the nodes do not resolve it: a premium of 0.02 would be lost."""
    here = contract("P", 100, 100, 1688, 0.0, -0.020519)
    assert math.isnan(american.price(**here, vol=vol, accuracy=accuracy))
    assert american.implied_vol(88.826, **here, accuracy=accuracy).status is Status.NOT_CONVERGED


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_a_result_never_depends_on_its_neighbours(accuracy: Any) -> None:
    here, vol = realistic(5, 12, 3)
    price = american.price(**here, vol=vol, accuracy="high")
    rows = {name: np.broadcast_to(item, vol.shape) for name, item in here.items()}

    def solve(index: np.ndarray, threads: int | None = 1) -> tuple[np.ndarray, ...]:
        chosen = {name: item[index] for name, item in rows.items()}
        solved = american.implied_vol(price[index], **chosen, accuracy=accuracy, threads=threads)
        found = american.values(**chosen, vol=vol[index], accuracy=accuracy, threads=threads)
        return solved.vol, solved.status, *found

    everything = np.arange(vol.size)
    whole = solve(everything)
    generator = np.random.default_rng(6)
    parts = [
        generator.permutation(vol.size),
        generator.permutation(vol.size)[:61],
        everything[::-7],
        np.repeat(everything[:80], 3),
        np.concatenate([everything[40:80], everything[40:80]]),
        np.array([17]),
    ]
    for part in parts:
        for got, expected in zip(solve(part), whole, strict=True):
            np.testing.assert_array_equal(got, expected[part])
    for threads in (2, 5, None):
        for got, expected in zip(solve(everything, threads), whole, strict=True):
            np.testing.assert_array_equal(got, expected)
    for row in (3, 100, 333):
        one = {name: item[row].item() for name, item in rows.items()}
        solved = american.implied_vol(float(price[row]), **one, accuracy=accuracy)
        np.testing.assert_equal([solved.vol, solved.status], [whole[0][row], whole[1][row]])


BITS = """
import hashlib
import numpy as np
from volskew.pricing import american
digest = hashlib.sha256()
i = np.arange(600)
here = dict(spot=100.0, strike=70.0 + 0.1 * i, time_to_expiry=(1 + i % 3 * 300) / 365,
            rate=0.01 + 0.02 * (i % 2), dividend_yield=0.02, is_call=i % 5 == 0)
for accuracy in ("fast", "default", "high"):
    found = american.values(**here, vol=0.1 + 0.001 * i, accuracy=accuracy)
    solved = american.implied_vol(found.price, **here, accuracy=accuracy)
    for item in (*found, solved.vol, solved.status):
        digest.update(item.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_another_kind_of_cpu_gives_the_same_bits() -> None:
    """Without vectors wider than two numbers, without a fused multiply-add, and with numpy's plain loops."""
    plain = {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX",
    }
    told = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", BITS],
            env=os.environ | kind,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for kind in ({}, plain)
    }
    assert len(told) == 1


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_a_slice_larger_than_a_block_has_the_vols_of_its_parts(accuracy: Any) -> None:
    strike = np.linspace(70, 140, 701)
    here = contract("P", 100, 100, 200, 0.04, 0.01) | {"strike": strike}
    price = american.price(**here, vol=0.3, accuracy=accuracy)
    whole = american.implied_vol(price, **here, accuracy=accuracy)
    for size in (1, 7, 255, 256, 257):
        part = american.implied_vol(price[-size:], **here | {"strike": strike[-size:]}, accuracy=accuracy)
        np.testing.assert_array_equal(part.vol, whole.vol[-size:])
        np.testing.assert_array_equal(part.status, whole.status[-size:])


def test_no_premium_exceeds_the_bound_on_it() -> None:
    generator = np.random.default_rng(11)
    n = 1500
    time = np.exp(generator.uniform(math.log(0.003), math.log(5), n))
    vol = np.exp(generator.uniform(math.log(0.02), math.log(2), n))
    r, q = generator.uniform(0.001, 0.12, n), generator.uniform(-0.03, 0.12, n)
    limit = np.where(q > r, r / np.where(q > r, q, 1.0), 1.0)
    away = generator.uniform(-1, 7, n) * vol * np.sqrt(time)
    here: dict[str, Any] = {
        "strike": 1.0,
        "time_to_expiry": time,
        "rate": r,
        "dividend_yield": q,
        "is_call": False,
    }
    premium = american.early_exercise_premium(**here, spot=limit * np.exp(away), vol=vol, accuracy="high")
    gain = 1 - np.exp(-r * time) + np.maximum(np.exp(-q * time) - 1, 0)
    bound = np.array(
        [
            american_premium.premium_bound(*row)
            for row in zip(np.log(limit) + away, vol, np.log(limit), time, r, q, gain, strict=True)
        ]
    )
    assert (premium <= bound + 1e-8).all()  # the error of "high"
    closer = (q > r) & (bound > 1e-7)
    assert closer.sum() > 200
    # a bound that told nothing would hold too
    assert np.median((premium / bound)[closer]) > 0.1
    assert (bound[(q > r) & (away > 6.5 * vol * np.sqrt(time) + (q - r) * time)] < 1e-8).all()


GOOD: dict[str, Any] = {
    "spot": 100.0,
    "strike": 100.0,
    "time_to_expiry": 0.5,
    "rate": 0.05,
    "dividend_yield": 0.02,
}
# what of GOOD (a put) is changed, price, status
HOSTILE: list[tuple[dict[str, Any], float, Status]] = [
    ({}, math.nan, Status.NOT_FINITE),
    ({}, math.inf, Status.NOT_FINITE),
    ({"spot": math.nan}, 5.0, Status.NOT_FINITE),
    ({"strike": math.inf}, 5.0, Status.NOT_FINITE),
    ({"time_to_expiry": math.nan}, 5.0, Status.NOT_FINITE),
    ({"rate": math.nan}, 5.0, Status.NOT_FINITE),
    ({"dividend_yield": -math.inf}, 5.0, Status.NOT_FINITE),
    ({"time_to_expiry": 0.0}, 5.0, Status.NOT_POSITIVE_TIME),
    ({"time_to_expiry": -1.0}, 5.0, Status.NOT_POSITIVE_TIME),
    ({"spot": 0.0}, 5.0, Status.NOT_POSITIVE_INPUT),
    ({"strike": -100.0}, 5.0, Status.NOT_POSITIVE_INPUT),
    ({}, 0.0, Status.NOT_POSITIVE_PRICE),
    ({}, -1.0, Status.NOT_POSITIVE_PRICE),
    ({"rate": -0.01, "dividend_yield": -0.02}, 5.0, Status.TWO_BOUNDARIES),
    ({"rate": -0.02, "dividend_yield": -0.01, "is_call": True}, 5.0, Status.TWO_BOUNDARIES),
    ({"strike": 110.0}, 9.99, Status.BELOW_INTRINSIC),
    ({"strike": 110.0}, 10.0, Status.AT_INTRINSIC),
    ({"strike": 90.0, "is_call": True}, 10.0, Status.BELOW_INTRINSIC),  # the European bound is 11.2
    ({"strike": 90.0, "is_call": True, "rate": 0.0}, 10.0, Status.AT_INTRINSIC),
    ({}, 100.0, Status.ABOVE_MAXIMUM),
    ({"is_call": True}, 100.0, Status.ABOVE_MAXIMUM),
    ({}, 99.9999, Status.OUT_OF_RANGE),
    ({"is_call": True}, 99.9999, Status.OUT_OF_RANGE),
    ({}, 1e-3, Status.OUT_OF_RANGE),
    ({"spot": 100.5}, 1e-9, Status.OUT_OF_RANGE),
]


def _price_at_vol_zero(here: dict[str, Any]) -> float:
    """The best of a million dates for an exercise settled today."""
    u = np.linspace(0, here["time_to_expiry"], 1_000_001)
    sign = 1 if here["is_call"] else -1
    gain = here["spot"] * np.exp(-here["dividend_yield"] * u) - here["strike"] * np.exp(-here["rate"] * u)
    return max(float((sign * gain).max()), 0.0)


def test_the_lowest_price_lies_between_now_and_expiry_where_dividends_outrun_interest() -> None:
    put = contract("P", 30, 100, 5 * 365, 0.02, 0.08)
    for here in (put, contract("C", 100, 30, 5 * 365, 0.08, 0.02)):
        floor = _price_at_vol_zero(here)
        intrinsic = 70.0
        assert floor > intrinsic + 0.5
        assert american.implied_vol(floor - 1e-6, **here).status is Status.BELOW_INTRINSIC
        assert american.implied_vol(intrinsic, **here).status is Status.BELOW_INTRINSIC
        u = math.log(0.08 * 30 / (0.02 * 100)) / 0.06
        exact = 100 * math.exp(-0.02 * u) - 30 * math.exp(-0.08 * u)
        assert exact == pytest.approx(floor, abs=1e-9)
        assert american.implied_vol(exact, **here).status is Status.AT_INTRINSIC
        price = american.price(**here, vol=0.1)
        assert price > exact
        assert american.implied_vol(price, **here).vol == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_every_bad_row_has_its_reason_and_disturbs_no_other(accuracy: Any) -> None:
    good = {**GOOD, "is_call": False, "price": 6.0}
    rows = [good]
    for change, price, _ in HOSTILE:
        rows += [good | change | {"price": price}, good]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in good}
    solved = american.implied_vol(**columns, accuracy=accuracy)
    expected = [Status.OK]
    for *_, status in HOSTILE:
        expected += [status, Status.OK]
    assert [Status(code).name for code in solved.status.tolist()] == [item.name for item in expected]
    assert solved.status.dtype == np.uint8
    np.testing.assert_array_equal(np.isnan(solved.vol), solved.status != Status.OK)
    assert len(set(solved.vol[::2])) == 1
    for row, vol, status in zip(rows, solved.vol.tolist(), expected, strict=True):
        alone = american.implied_vol(**row, accuracy=accuracy)
        assert isinstance(alone.vol, float)
        assert alone.status is status
        np.testing.assert_equal(alone.vol, vol)


def test_what_cannot_be_priced_is_nan_and_disturbs_no_other() -> None:
    changes: list[dict[str, Any]] = [
        {name: bad} for name in (*GOOD, "vol") for bad in (math.nan, math.inf, -math.inf)
    ]
    changes += [{name: bad} for name in ("spot", "strike", "time_to_expiry", "vol") for bad in (0.0, -1.0)]
    changes += [{"vol": 0.0049}, {"vol": 10.25}, {"rate": -0.01, "dividend_yield": -0.02}]
    good = {**GOOD, "is_call": False, "vol": 0.3}
    rows = [good]
    for change in changes:
        rows += [good | change, good]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in good}
    found = american.values(**columns)
    for item in found:
        np.testing.assert_array_equal(np.isnan(item), np.arange(len(rows)) % 2 == 1)
        assert len(set(item[::2])) == 1
    for row in rows[1::2]:
        assert all(math.isnan(item) for item in american.values(**row))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spot": "a"}, "spot must be real numbers; got 'a'"),
        ({"rate": [0.01, None]}, "rate must be real numbers; got None at position 1"),
        ({"dividend_yield": 1j}, "dividend_yield must be real numbers"),
        ({"is_call": "put"}, "is_call must be True or 1 for a call, False or 0 for a put.*got 'put'"),
        ({"is_call": 1.0}, "is_call must be"),
        ({"strike": [1.0, 2.0], "rate": [0.0] * 3}, r"do not go together: .*strike \(2,\).*rate \(3,\)"),
        ({"accuracy": "best"}, "accuracy must be one of fast, default, high, got 'best'"),
        ({"accuracy": "best", "strike": []}, "accuracy must be one of fast, default, high, got 'best'"),
        ({"accuracy": None}, "accuracy must be one of fast, default, high, got None"),
        ({"accuracy": ["fast"]}, "accuracy must be one of fast, default, high"),
        ({"threads": 0}, "threads must be a positive integer"),
        ({"threads": 1.5}, "threads must be a positive integer"),
    ],
)
def test_bad_arguments_are_refused_by_each_function(change: dict[str, Any], words: str) -> None:
    common: dict[str, Any] = {**GOOD, "is_call": False} | change
    calls = [
        functools.partial(function, **common, vol=0.2)
        for function in (american.price, american.delta, american.vega, american.early_exercise_premium)
    ]
    for call in (*calls, functools.partial(american.implied_vol, 6.0, **common)):
        with pytest.raises(SettingsError, match=words):
            call()


def test_shapes_and_kinds_of_input() -> None:
    common: dict[str, Any] = {**GOOD, "strike": [90.0, 100.0, 110.0], "is_call": [[True], [False]]}
    grid = american.price(**common, vol=0.2)
    assert grid.shape == (2, 3)
    solved = american.implied_vol(grid, **common)
    assert solved.vol.shape == solved.status.shape == (2, 3)
    assert solved.uncertainty is None
    for i, is_call in enumerate((True, False)):
        for j, strike in enumerate((90.0, 100.0, 110.0)):
            one = GOOD | {"strike": strike, "is_call": is_call}
            scalar = american.price(**one, vol=0.2)
            assert isinstance(scalar, float)
            assert scalar == grid[i, j]
    for shape in ((0,), (0, 3), (3, 0)):
        empty = np.empty(shape)
        for item in american.values(**GOOD | {"strike": empty}, is_call=True, vol=0.2):
            assert item.shape == shape
        none = american.implied_vol(empty, **GOOD, is_call=False)
        assert none.vol.shape == none.status.shape == shape
        assert none.status.dtype == np.uint8
    strikes = np.array([80, 90, 100, 110], dtype=np.float32)
    plain = american.price(**GOOD | {"strike": strikes.astype(float)}, is_call=False, vol=0.25)
    wide = np.zeros(8)
    wide[::2] = strikes
    locked = strikes.astype(float)
    locked.flags.writeable = False
    backwards = strikes.astype(">f8")
    masked = np.ma.masked_array(strikes.astype(float), mask=[False, False, True, False])
    for other in (strikes, strikes.astype(int), wide[::2], locked, backwards, strikes.tolist()):
        got = american.price(**GOOD | {"strike": other}, is_call=np.int8(0), vol=0.25)
        np.testing.assert_array_equal(got, plain)
    np.testing.assert_array_equal(locked, strikes)
    partly = american.price(**GOOD | {"strike": masked}, is_call=False, vol=0.25)
    assert np.isnan(partly).tolist() == [False, False, True, False]


def test_a_plain_tree_agrees() -> None:
    for side, spot, rate, dividend_yield, vol, days in (
        ("P", 95.0, 0.05, 0.01, 0.25, 180),
        ("C", 103.0, 0.03, 0.07, 0.2, 365),
        ("P", 101.0, 0.04, 0.04, 0.6, 30),
        ("C", 99.0, -0.01, 0.02, 0.3, 400),
        ("P", 100.0, 0.0, -0.03, 0.3, 365),
        ("P", 99.0, 0.06, -0.02, 0.1, 365),
        ("P", 100.1, 0.06, -0.03, 0.02, 116),
        ("P", 105.85, 0.1156, 0.0244, 0.0657, 1223),
    ):
        here = contract(side, spot, 100.0, days, rate, dividend_yield)
        time = here.pop("time_to_expiry")
        plain = american_tree.richardson(**here, time=time, vol=vol, steps=500)
        got = american.price(**here, time_to_expiry=time, vol=vol)
        # the tree's own error shrinks as 1/steps: a tenth of its step's width
        assert got == pytest.approx(plain, abs=0.1 * 100 * vol * math.sqrt(time) / 500), (side, spot, days)
