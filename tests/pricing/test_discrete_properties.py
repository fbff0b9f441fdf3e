"""What holds of any option under cash dividends, and that a result is that of its own quote to the bit."""

from __future__ import annotations

import functools
import json
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

from volskew.pricing import Status, american, discrete, discrete_bounds

ACCURACIES = ("fast", "default", "high")

market = {
    "moneyness": st.floats(-3, 3),
    "vol": st.floats(0.05, 1.5),
    "time": st.floats(0.01, 3.0),
    "rate": st.integers(-20_000, 90_000).map(lambda x: x / 1e6) | st.just(0.0),
    "dividend_yield": st.integers(-20_000, 60_000).map(lambda x: x / 1e6) | st.just(0.0),
    "is_call": st.booleans(),
    "paid": st.lists(st.tuples(st.floats(0.001, 0.999), st.floats(0.01, 1.0)), min_size=1, max_size=5),
}


def drawn(
    moneyness: float,
    vol: float,
    time: float,
    rate: float,
    dividend_yield: float,
    is_call: bool,
    paid: list[tuple[float, float]],
) -> dict[str, Any]:
    earned, given_up = (dividend_yield, rate) if is_call else (rate, dividend_yield)
    assume(not given_up < earned < 0)
    return {
        "spot": 100.0,
        "strike": 100 * math.exp(moneyness * min(vol * math.sqrt(time), 1.0)),
        "time_to_expiry": time,
        "rate": rate,
        "dividend_yield": dividend_yield,
        "is_call": is_call,
        "dividends": [(share * time, amount) for share, amount in paid],
    }


# of spot and strike together, at "high": what the interpolation between strikes, and that in the vol where it
# meets the exercise boundary, may miss by
NOISE = 3e-5


@settings(max_examples=80, deadline=None)
@given(**market)
def test_monotone_in_vol_strike_and_time(vol: float, **others: Any) -> None:
    here = drawn(vol=vol, **others)
    noise = NOISE * (here["spot"] + here["strike"])
    price = functools.partial(discrete.price, accuracy="high")
    at = price(**here, vol=vol)
    sign = 1 if here["is_call"] else -1
    # rounding of a product of the strike and a quotient by it
    assert at >= max(sign * (here["spot"] - here["strike"]), 0.0) - 1e-12 * (here["spot"] + here["strike"])
    assert price(**here, vol=vol * 1.03) >= at - noise
    # the last ex-date stays before expiry, so that more time is more to choose from
    assert price(**here | {"time_to_expiry": here["time_to_expiry"] * 1.05}, vol=vol) >= at - noise
    by_strike = price(**here | {"strike": here["strike"] * 1.01}, vol=vol) - at
    # the strike is paid late, and less is lent at a negative rate
    steepest = max(1.0, math.exp(-here["rate"] * here["time_to_expiry"]))
    assert -noise <= -sign * by_strike <= 0.01 * here["strike"] * steepest + noise


@settings(max_examples=80, deadline=None)
@given(**market, accuracy=st.sampled_from(ACCURACIES))
def test_scaling_is_exact_and_the_vol_comes_back(vol: float, accuracy: Any, **others: Any) -> None:
    here = drawn(vol=vol, **others)
    found = discrete.values(**here, vol=vol, accuracy=accuracy)
    one = discrete.implied_vol(found.price, **here, accuracy=accuracy)
    for factor in (4.0, 2.0**-10):
        scaled = here | {"spot": here["spot"] * factor, "strike": here["strike"] * factor}
        scaled["dividends"] = [(when, amount * factor) for when, amount in here["dividends"]]
        assert discrete.price(**scaled, vol=vol, accuracy=accuracy) == found.price * factor
        other = discrete.implied_vol(found.price * factor, **scaled, accuracy=accuracy)
        np.testing.assert_equal([other.vol, other.status], [one.vol, one.status])
    sign = 1 if here["is_call"] else -1
    extrinsic = found.price - max(sign * (here["spot"] - here["strike"]), 0.0)
    if found.vega >= 0.002 * here["strike"] and extrinsic > 1e-4 * here["strike"]:
        assert one.status is Status.OK
        # where the boundary passes between nodes the price may turn back on itself by the noise
        assert abs(one.vol - vol) * found.vega <= max(1e-4 * vol * found.vega, 2e-5 * here["strike"])


def chain(seed: int, n: int) -> tuple[dict[str, Any], np.ndarray]:
    """Options of one underlying with spot 240, several expiries before and after quarterly ex-dates."""
    generator = np.random.default_rng(seed)
    time = generator.choice([1 / 365, 0.02, 0.1, 0.25, 0.5, 1.4], n)
    vol = generator.uniform(0.08, 0.7, n)
    return {
        "spot": 240.0,
        "strike": np.round(240 * np.exp(generator.uniform(-3, 3, n) * vol * np.sqrt(time))),
        "time_to_expiry": time,
        "rate": generator.choice([0.0, 0.02, 0.043], n),
        "dividend_yield": generator.choice([0.0, 0.01], n),
        "is_call": generator.integers(2, size=n).astype(bool),
    }, vol


QUARTERLY = [(0.01, 0.6), (0.26, 0.65), (0.51, 0.65), (0.76, 0.65), (1.01, 0.7), (1.26, 0.7)]


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_a_result_never_depends_on_its_neighbours(accuracy: Any) -> None:
    here, vol = chain(5, 400)
    price = discrete.price(**here, vol=vol, dividends=QUARTERLY)
    rows = {name: np.broadcast_to(item, vol.shape) for name, item in here.items()}

    def solve(index: np.ndarray, threads: int | None = 1) -> tuple[np.ndarray, ...]:
        chosen: dict[str, Any] = {name: item[index] for name, item in rows.items()}
        options: dict[str, Any] = {"dividends": QUARTERLY, "accuracy": accuracy, "threads": threads}
        solved = discrete.implied_vol(price[index], **chosen, **options)
        return solved.vol, solved.status, *discrete.values(**chosen, vol=vol[index], **options)

    everything = np.arange(vol.size)
    whole = solve(everything)
    assert (whole[1] == Status.OK).mean() > 0.7
    generator = np.random.default_rng(6)
    parts = [
        generator.permutation(vol.size),
        generator.permutation(vol.size)[:61],
        everything[::-7],
        np.repeat(everything[:80], 3),
        np.array([17]),
    ]
    for part in parts:
        for got, expected in zip(solve(part), whole, strict=True):
            np.testing.assert_array_equal(got, expected[part])
    for threads in (2, 5, None):
        for got, expected in zip(solve(everything, threads), whole, strict=True):
            np.testing.assert_array_equal(got, expected)
    for row in (3, 100, 333):
        one: dict[str, Any] = {name: item[row].item() for name, item in rows.items()}
        solved = discrete.implied_vol(float(price[row]), **one, dividends=QUARTERLY, accuracy=accuracy)
        assert isinstance(solved.vol, float)
        np.testing.assert_equal([solved.vol, solved.status], [whole[0][row], whole[1][row]])


@pytest.mark.parametrize(
    "dividends",
    [
        [*reversed(QUARTERLY)],
        [(-0.05, 9.0), (0.0, 9.0), *QUARTERLY, (0.4, 0.0), (1.4, 50.0), (3.0, 500.0)],
        [(0.01, 0.25), *QUARTERLY[1:], (0.01, 0.6 - 0.25)],
        tuple([np.float64(when), np.float64(amount)] for when, amount in QUARTERLY),
    ],
)
def test_other_words_for_the_same_dividends_change_no_bit(dividends: Any) -> None:
    here, vol = chain(7, 300)
    wanted = discrete.values(**here, vol=vol, dividends=QUARTERLY)
    for got, expected in zip(discrete.values(**here, vol=vol, dividends=dividends), wanted, strict=True):
        np.testing.assert_array_equal(got, expected)
    one, other = (
        discrete.implied_vol(wanted.price, **here, dividends=item) for item in (QUARTERLY, dividends)
    )
    np.testing.assert_array_equal(one.vol, other.vol)
    np.testing.assert_array_equal(one.status, other.status)


def test_those_before_every_ex_date_are_the_pricer_of_a_continuous_yield_to_the_bit() -> None:
    here, vol = chain(8, 300)
    later = [(0.03, 0.6), (0.28, 0.65)]
    before = here["time_to_expiry"] <= 0.03
    assert 50 < before.sum() < 250
    found = discrete.values(**here, vol=vol, dividends=later)
    expected = american.values(**here, vol=vol)
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(got[before], wanted[before])
    solved = discrete.implied_vol(found.price, **here, dividends=later)
    wanted = american.implied_vol(expected.price, **here)
    np.testing.assert_array_equal(solved.vol[before], wanted.vol[before])
    np.testing.assert_array_equal(solved.status[before], wanted.status[before])


@settings(max_examples=150, deadline=None)
@given(**market)
def test_the_bounds_behind_the_shortcut_are_bounds(vol: float, **others: Any) -> None:
    here = drawn(vol=vol, **others)
    time, rate, lent = here["time_to_expiry"], here["rate"], here["dividend_yield"]
    got = discrete.values(**here, vol=vol, accuracy="high")
    totals: dict[float, float] = {}
    for when, amount in here["dividends"]:
        totals[when] = totals.get(when, 0.0) + amount
    paid = sorted(totals.items(), reverse=True)
    left = np.array([time - when for when, _ in paid])
    amounts = np.array([amount / here["spot"] for _, amount in paid])
    kept = here["spot"] - sum(amount * math.exp(-(rate - lent) * when) for when, amount in paid)
    given_market = (time, rate, lent, -1.0 if here["is_call"] else 1.0, math.log(here["spot"] / kept))
    x = math.log(here["spot"] / here["strike"])
    bound = discrete_bounds.premium_bound(x, vol, given_market, left, amounts)
    # one below 0 says that nothing is earned by exercise; the slack is the interpolation's own swing
    slack = 3e-6 * (1 + here["spot"] / here["strike"])
    assert got.early_exercise_premium / here["strike"] <= max(bound, 0.0) + slack


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("moneyness", [-1.0, 0.0, 1.0])
def test_delta_and_vega_are_slopes_of_the_price_in_every_segment_of_strikes(
    is_call: bool, moneyness: float
) -> None:
    here: dict[str, Any] = {
        "spot": 100.0, "strike": 100 * math.exp(moneyness), "time_to_expiry": 1.0, "rate": 0.04,
        "dividend_yield": 0.01, "is_call": is_call,
    }  # fmt: skip
    paid = [(0.1, 0.4), (0.35, 0.4), (0.6, 0.4), (0.85, 0.4)]
    for vol in (0.45, 0.9):
        got = discrete.values(**here, vol=vol, dividends=paid)
        step = 1e-4
        up, down = (discrete.price(**here, vol=vol + move, dividends=paid) for move in (step, -step))
        assert got.vega == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-3)
        step = 1e-3
        up, down = (
            discrete.price(
                **here | {"spot": 100 + move}, vol=vol, dividends=[(t, d * (1 + move / 100)) for t, d in paid]
            )
            for move in (step, -step)
        )
        # the cubic between rows of the grid has a slope with corners
        assert got.delta == pytest.approx((up - down) / (2 * step), abs=2e-5)


BITS = """
import json
import numpy as np
from volskew.pricing import discrete
strike = np.arange(180.0, 310.0, 10.0)
here = dict(spot=240.0, strike=strike, time_to_expiry=[[0.25], [0.6]], rate=0.043, is_call=strike < 245,
            dividends=[(0.1, 0.65), (0.24, 0.65)])
found = discrete.values(**here, vol=0.3)
solved = discrete.implied_vol(found.price, **here)
print(json.dumps([[x.hex() for x in item.ravel().tolist()] for item in (*found, solved.vol)]))
"""


@pytest.mark.slow
def test_another_kind_of_cpu_gives_the_same_bits() -> None:
    """Lanes are split where vectors are narrower, and a multiply-add is rounded once on any CPU."""

    def told(**kind: str) -> Any:
        root = str(Path(discrete.__file__).parents[2])
        environment = os.environ | {"PYTHONPATH": root} | kind
        done = subprocess.run(
            [sys.executable, "-c", BITS], env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    here = told()
    assert told(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == here
