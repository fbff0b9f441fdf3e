"""The compiled front of options under cash dividends, against the same in numpy, step by step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.pricing import Status, american, black, discrete, discrete_slices, slices
from volskew.pricing.contracts import Contracts
from volskew.pricing.discrete_grid import _pivots
from volskew.pricing.lanes import LANES, rows_of_lanes

Floats = NDArray[np.float64]

ROUNDING = 8 * 2.0**-52
PAID = [(0.05, 0.7), (0.2, 0.9), (0.45, 4.0), (1.2, 85.0)]
NO_EX_DATE = discrete_slices.NO_EX_DATE


class Plain(NamedTuple):
    """Forwards, how many ex-dates concern each option, statuses before and after the price is looked at."""

    forward: Floats
    dates: NDArray[np.int64]
    known: NDArray[np.uint8]
    status: NDArray[np.uint8]


def plainly(line: dict[str, Any], paid: list[tuple[float, float]]) -> Plain:
    """All options at once, each condition an array."""
    s, k, t, r, b = (line[name] for name in ("spot", "strike", "time_to_expiry", "rate", "dividend_yield"))
    price, is_call = line["price"], line["is_call"].astype(bool)
    schedule = sorted(item for item in paid if item[0] > 0 and item[1] > 0)
    with np.errstate(all="ignore"):
        left, dates = s.copy(), np.zeros(s.size, dtype=np.int64)
        for when, amount in schedule:
            left -= np.where(when < t, amount * np.exp(-(r - b) * when), 0.0)
            dates += when < t
        forward = np.where(left > 0, left * np.exp((r - b) * t), np.nan)
        sign = np.where(is_call, -1.0, 1.0)
        floor = np.fmax(sign * (k - s), sign * np.exp(-r * t) * (k - forward))
        before, kept = 0.0, s.copy()
        for when, amount in schedule:
            kept = kept * np.exp(-b * (when - before))
            after = kept - amount * np.exp(-r * when)
            strike = k * np.exp(-r * when)
            gain = np.fmax(sign * (strike - kept), sign * (strike - after))
            floor = np.where(when < t, np.fmax(floor, gain), floor)
            before, kept = when, after
        floor = np.fmax(floor, 0.0)
        rounding = ROUNDING * (k + s)
        ceiling = np.where(is_call, s * np.fmax(1.0, np.exp(-b * t)), k * np.fmax(1.0, np.exp(-r * t)))
        finite = np.isfinite(s) & np.isfinite(k) & np.isfinite(t) & np.isfinite(r) & np.isfinite(b)
        earned, given_up = np.where(is_call, b, r), np.where(is_call, r, b)
        conditions = [
            (~(finite & np.isfinite(price)), Status.NOT_FINITE),
            (t <= 0, Status.NOT_POSITIVE_TIME),
            ((s <= 0) | (k <= 0), Status.NOT_POSITIVE_INPUT),
            (np.isnan(forward), Status.DIVIDENDS_TOO_LARGE),
            (price <= 0, Status.NOT_POSITIVE_PRICE),
            ((given_up < earned) & (earned < 0), Status.TWO_BOUNDARIES),
        ]
        later = [
            (price < floor - rounding, Status.BELOW_INTRINSIC),
            ((floor > 0) & (price <= floor + rounding), Status.AT_INTRINSIC),
            (price >= ceiling, Status.ABOVE_MAXIMUM),
        ]
    usable = np.isfinite(s) & np.isfinite(t) & np.isfinite(r) & np.isfinite(b) & (s > 0) & (t > 0)
    codes = [
        np.select([c for c, _ in some], [np.uint8(code) for _, code in some], default=np.uint8(0))
        for some in (conditions, conditions + later)
    ]
    return Plain(np.where(usable, forward, np.nan), dates, *codes)


def options(count: int, seed: int, *, hostile: bool) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    line: dict[str, Any] = {
        "spot": generator.choice([80.0, 100.0], count),
        "strike": 100 * np.exp(generator.normal(0, 0.4, count)),
        "time_to_expiry": generator.choice([0.03, 0.05, 0.1, 0.3, 1.0, 2.0], count),
        "rate": generator.choice([-0.01, 0.0, 0.03, 0.08], count),
        "dividend_yield": generator.choice([-0.02, 0.0, 0.01, 0.05], count),
        "is_call": generator.random(count) < 0.5,
        "price": np.exp(generator.normal(1.5, 1.5, count)),
    }
    if hostile:
        for name, item in line.items():
            if name != "is_call":
                at = generator.random(count) < 0.08
                item[at] = generator.choice([math.nan, math.inf, -math.inf, 0.0, -1.0], at.sum())
    return line


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_forwards_and_reasons_are_those_of_numpy(seed: int, hostile: bool) -> None:
    line = options(2000, seed, hostile=hostile)
    expected = plainly(line, PAID)
    made = Contracts.of(**line)
    others = discrete_slices.fill(made.table, made.is_call, np.array(PAID).T.copy(), True, made.status)
    # rounding of a sum of some amounts like the spot, of which little may be left
    np.testing.assert_allclose(made.table[discrete_slices.FORWARD], expected.forward, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(made.status == NO_EX_DATE, expected.dates == 0)
    assert others == (expected.dates == 0).sum() > 0
    concerned = expected.dates > 0
    np.testing.assert_array_equal(made.status[concerned], expected.known[concerned])
    assert len(set(made.status.tolist())) >= (7 if hostile else 4)


@pytest.mark.parametrize("seed", range(5))
def test_statuses_are_those_of_numpy(seed: int) -> None:
    line = options(1500, seed, hostile=True)
    expected = plainly(line, PAID)
    solved = discrete.implied_vol(**line, dividends=PAID)
    concerned = expected.dates > 0
    refused = concerned & (expected.status != Status.OK)
    np.testing.assert_array_equal(solved.status[refused], expected.status[refused])
    assert len(set(expected.status[refused].tolist())) >= 7
    rest = concerned & (expected.status == Status.OK)
    # what is left may be out of range, or solved
    assert {0} <= set(solved.status[rest].tolist()) <= {Status.OK, Status.OUT_OF_RANGE}


@pytest.mark.parametrize("is_call", [True, False])
def test_the_vol_is_blacks_where_exercise_is_worth_nothing(is_call: bool) -> None:
    """Far out of the money no premium moves the vol by 1e-7."""
    strike = np.linspace(125.0, 160.0, 30) if is_call else np.linspace(50.0, 80.0, 30)
    line: dict[str, Any] = {"spot": 100.0, "time_to_expiry": 0.3, "rate": 0.03 if is_call else 1e-9}
    ahead = discrete.forward(**line, dividends=PAID[:1])
    discount = math.exp(-line["rate"] * 0.3)
    vol = np.linspace(0.15, 0.3, 30)
    price = discount * black.price(forward=ahead, strike=strike, time_to_expiry=0.3, vol=vol, is_call=is_call)
    solved = discrete.implied_vol(price, **line, strike=strike, is_call=is_call, dividends=PAID[:1])
    wanted = black.implied_vol(
        price / discount, forward=ahead, strike=strike, time_to_expiry=0.3, is_call=is_call
    )
    # the growth of the price is another product: an ulp of it
    np.testing.assert_allclose(solved.vol, wanted.vol, rtol=1e-14)


def test_the_edges_of_the_bounds_are_those_of_numpy() -> None:
    """Prices on either side of the least and the greatest, some roundings away."""
    line = options(800, 11, hostile=False)
    line["time_to_expiry"] = np.where(line["time_to_expiry"] < 0.1, 0.3, line["time_to_expiry"])
    low = dict(line, price=np.full(800, 1e-300))
    s, k, t = line["spot"], line["strike"], line["time_to_expiry"]
    # the price at which the status changes, by bisection of the plain one
    below, above = np.zeros(800), k + s
    for _ in range(200):
        middle = 0.5 * (below + above)
        under = plainly(dict(line, price=middle), PAID).status == Status.BELOW_INTRINSIC
        below, above = np.where(under, middle, below), np.where(under, above, middle)
    has_floor = plainly(low, PAID).status == Status.BELOW_INTRINSIC
    assert has_floor.sum() > 200
    step = 4 * ROUNDING * (k + s)
    for price in (below - step, above + step, np.nextafter(s, 0) * np.exp(0.1 * t), k * (1 + 1e-12)):
        got = discrete.implied_vol(**dict(line, price=price), dividends=PAID).status
        wanted = plainly(dict(line, price=price), PAID).status
        some = has_floor & (wanted != Status.OK)
        np.testing.assert_array_equal(got[some], wanted[some])


@given(
    st.lists(st.tuples(*[st.integers(0, 2)] * 5, st.booleans()), max_size=40), st.booleans(), st.booleans()
)
@settings(deadline=None)
def test_slices_hold_every_option_once_and_share_what_they_must(
    rows: list[tuple[Any, ...]], by_spot: bool, several: bool
) -> None:
    """Against a dictionary of lists."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 6)
    spot, strike, time, rate, lent = columns[:, :5].T + 1.0
    made = Contracts.of(spot, strike, time, rate, lent, columns[:, 5].astype(bool), price=1.0)
    made.status[:] = columns[:, 0] == 2  # any status but OK
    seen: list[NDArray[np.int64]] = []

    def keep(order: NDArray[np.int64], starts: NDArray[np.int64], first: int, last: int) -> None:
        seen.extend(order[starts[n] : starts[n + 1]].copy() for n in range(first, last))

    made.run(keep, by_spot=by_spot, threads=3 if several else 1)
    assert sorted(i for part in seen for i in part.tolist()) == np.flatnonzero(made.status == 0).tolist()
    keys = columns[:, [2, 3, 4]] if not by_spot else columns[:, [0, 2, 3, 4, 5]]
    for part in seen:
        assert part.size
        assert (keys[part] == keys[part[0]]).all()
    # many options of few markets: sorted, so that each is one slice
    if by_spot and len(seen) > 1:
        markets = {tuple(keys[part[0]]) for part in seen}
        assert len(seen) == len(markets) or len(seen) * 8 <= sum(part.size for part in seen)


def test_puts_come_first_where_the_input_has_long_runs() -> None:
    size = 64
    status, order, starts = np.zeros(size, dtype=np.uint8), *np.empty((2, size + 1), dtype=np.int64)
    is_call = np.arange(size) % 2 == 0
    counted = slices.arrange(np.ones((7, size)), is_call, status, True, 0, order, starts)
    assert counted == (size, 2)
    np.testing.assert_array_equal(order[:size], np.r_[np.arange(1, size, 2), np.arange(0, size, 2)])
    np.testing.assert_array_equal(starts[:3], [0, 32, 64])
    # a boundary of its own each only where the right matters
    assert slices.arrange(np.ones((7, size)), is_call, status, False, 0, order, starts) == (size, 1)


@pytest.mark.parametrize("accuracy", ["default", "high"])
def test_strikes_of_many_segments_in_any_order_give_the_same_bits(accuracy: Any) -> None:
    generator = np.random.default_rng(3)
    strike = np.linspace(40.0, 260.0, 90)
    line: dict[str, Any] = {"spot": 100.0, "time_to_expiry": 0.5, "rate": 0.04, "dividends": [(0.2, 0.8)]}
    is_call = strike < 100
    found = discrete.values(**line, strike=strike, is_call=is_call, vol=0.5, accuracy=accuracy)
    solved = discrete.implied_vol(found.price, **line, strike=strike, is_call=is_call, accuracy=accuracy)
    order = generator.permutation(strike.size)
    mixed: dict[str, Any] = {**line, "strike": strike[order], "is_call": is_call[order], "accuracy": accuracy}
    for item, other in zip(found, discrete.values(**mixed, vol=0.5), strict=True):
        np.testing.assert_array_equal(other, item[order])
    np.testing.assert_array_equal(discrete.implied_vol(found.price[order], **mixed).vol, solved.vol[order])


def test_options_without_an_ex_date_are_left_to_the_other_pricer_in_their_places() -> None:
    line = options(600, 21, hostile=True)
    expected = plainly(line, PAID)
    plain = expected.dates == 0
    solved = discrete.implied_vol(**line, dividends=PAID)
    other = american.implied_vol(**{name: item[plain] for name, item in line.items()})
    np.testing.assert_array_equal(solved.vol[plain], other.vol)
    np.testing.assert_array_equal(solved.status[plain], other.status)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize(("rate", "lent"), [(800.0, 0.0), (400.0, -400.0)])
def test_a_forward_that_no_double_holds_has_no_vol(is_call: bool, rate: float, lent: float) -> None:
    line: dict[str, Any] = {
        "spot": 100.0, "time_to_expiry": 1.0, "rate": rate, "dividend_yield": lent, "dividends": [(0.5, 1.0)],
    }  # fmt: skip
    assert math.isnan(discrete.forward(**line))
    assert math.isnan(discrete.price(**line, strike=100.0, vol=0.3, is_call=is_call))
    solved = discrete.implied_vol(5.0, **line, strike=100.0, is_call=is_call)
    assert solved.status is Status.OUT_OF_RANGE
    assert math.isnan(solved.vol)


@pytest.mark.parametrize("off", [1 / 12, 0.08, 1e-9, 0.0, -1e-9, -0.4, -3.1, -40.0])
def test_pivots_are_those_of_the_elimination(off: float) -> None:
    rows = 140
    pivot, expected = np.full(rows, np.nan), np.full(rows, np.nan)
    _pivots(pivot, off, rows)
    last = 0.0
    for i in range(rows - 2, 0, -1):
        expected[i] = last = 1 / (1 - 2 * off - off * off * last)
    # rounding: near off = -40 each division keeps most of the error of the one before
    np.testing.assert_allclose(pivot[1:-1], expected[1:-1], rtol=1e-14)
    assert np.isnan(pivot[[0, -1]]).all()


def test_rows_of_lanes_begin_at_a_line_of_the_cache() -> None:
    for shape in ((1,), (7,), (2, 3, 300)):
        made = rows_of_lanes(*shape)
        assert made.shape == (*shape, LANES)
        assert made.flags.c_contiguous
        assert made.ctypes.data % 64 == 0
