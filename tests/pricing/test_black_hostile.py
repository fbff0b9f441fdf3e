"""Rows that have no vol, numbers at the ends of the doubles, and arguments that are none."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from volskew.errors import SettingsError
from volskew.pricing import Status
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

LEAST, TINY, HUGE = 5e-324, 2.0**-1022, math.nextafter(math.inf, 0)
ENGINES = ["volskew", "vollib"]

ROWS = [
    (math.nan, 100.0, 100.0, 1.0, True, Status.NOT_FINITE),
    (5.0, math.inf, 100.0, 1.0, True, Status.NOT_FINITE),
    (5.0, 100.0, math.nan, 1.0, True, Status.NOT_FINITE),
    (5.0, 100.0, 100.0, -math.inf, True, Status.NOT_FINITE),
    (5.0, 100.0, 100.0, 0.0, True, Status.NOT_POSITIVE_TIME),
    (5.0, 100.0, 100.0, -1.0, True, Status.NOT_POSITIVE_TIME),
    (5.0, 0.0, 100.0, 1.0, True, Status.NOT_POSITIVE_INPUT),
    (5.0, 100.0, -1.0, 1.0, False, Status.NOT_POSITIVE_INPUT),
    (0.0, 100.0, 110.0, 1.0, True, Status.NOT_POSITIVE_PRICE),
    (-1.0, 100.0, 110.0, 1.0, True, Status.NOT_POSITIVE_PRICE),
    (9.9, 100.0, 90.0, 1.0, True, Status.BELOW_INTRINSIC),
    (9.9, 100.0, 110.0, 1.0, False, Status.BELOW_INTRINSIC),
    (math.nextafter(10, 0), 100.0, 90.0, 1.0, True, Status.AT_INTRINSIC),
    (10.0, 100.0, 90.0, 1.0, True, Status.AT_INTRINSIC),
    (math.nextafter(10, 99), 100.0, 90.0, 1.0, True, Status.AT_INTRINSIC),
    (10.0, 100.0, 110.0, 1.0, False, Status.AT_INTRINSIC),
    (100.0, 100.0, 90.0, 1.0, True, Status.ABOVE_MAXIMUM),
    (120.0, 100.0, 110.0, 1.0, False, Status.ABOVE_MAXIMUM),
    # s = 2.5e-323 is beyond the smallest double
    (LEAST, 1e16, 1e16, 1.0, True, Status.NOT_CONVERGED),
]

AMERICAN_ONLY = {Status.OUT_OF_RANGE, Status.TWO_BOUNDARIES, Status.DIVIDENDS_TOO_LARGE}
"""What no European price can be told."""


def solve(rows: list[tuple[Any, ...]], **options: Any) -> Any:
    price, forward, strike, time, is_call = (list(column) for column in zip(*rows, strict=True))
    return black.implied_vol(
        price, forward=forward, strike=strike, time_to_expiry=time, is_call=is_call, **options
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_every_bad_row_has_its_reason_and_disturbs_no_other(engine: str) -> None:
    good: tuple[Any, ...] = (3.98776116767449, 100.0, 100.0, 0.25, True)
    rows: list[tuple[Any, ...]] = [good]
    for *bad, _ in ROWS:
        rows += [tuple(bad), good]
    solved = solve(rows, engine=engine, uncertainty=True)
    assert solved.status[1::2].tolist() == [int(row[-1]) for row in ROWS]
    # the rest are reasons of the American pricer
    assert set(solved.status.tolist()) == set(Status) - AMERICAN_ONLY
    assert solved.status.dtype == np.uint8
    np.testing.assert_array_equal(np.isnan(solved.vol), solved.status != Status.OK)
    np.testing.assert_array_equal(np.isnan(solved.uncertainty), solved.status != Status.OK)
    assert len(set(solved.vol[::2])) == len(set(solved.uncertainty[::2])) == 1
    assert solved.vol[0] == pytest.approx(0.2, rel=1e-13)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[-1].name}-{row[0]}")
def test_a_scalar_tells_the_same_reason(row: tuple[Any, ...], engine: str) -> None:
    price, forward, strike, time, is_call, status = row
    solved = black.implied_vol(
        price,
        forward=forward,
        strike=strike,
        time_to_expiry=time,
        is_call=is_call,
        engine=engine,
        uncertainty=True,
    )
    assert solved.status is status
    assert math.isnan(solved.vol)
    assert math.isnan(solved.uncertainty)


def classified(price: float, forward: float, strike: float, time: float, is_call: bool) -> Status:
    """The status by exact arithmetic on the doubles, before anything is solved."""
    if not all(map(math.isfinite, (price, forward, strike, time))):
        return Status.NOT_FINITE
    if time <= 0:
        return Status.NOT_POSITIVE_TIME
    if forward <= 0 or strike <= 0:
        return Status.NOT_POSITIVE_INPUT
    if price <= 0:
        return Status.NOT_POSITIVE_PRICE
    p, gap = Fraction(price), (Fraction(forward) - Fraction(strike)) * (1 if is_call else -1)
    time_value, rounding = p - max(gap, Fraction(0)), p / 2**52
    if time_value < -rounding:
        return Status.BELOW_INTRINSIC
    if gap > 0 and time_value <= rounding:
        return Status.AT_INTRINSIC
    return Status.ABOVE_MAXIMUM if price >= (forward if is_call else strike) else Status.OK


NASTY = [
    *(math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, -LEAST, LEAST, 1e-310, TINY, 1e-200, 1e-20),
    *(math.nextafter(1, 0), 1.0, math.nextafter(1, 2), 100.0, 110.0, 1e16, 1e200, HUGE / 2, HUGE),
]
NASTY_TIMES = [math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, LEAST, 1e-300, 1e-10, 1.0, 30.0, 1e31, HUGE]


def _product(*values: list[Any]) -> list[tuple[Any, ...]]:
    return list(itertools.product(*values))


EXTREME = 2e-13
"""Relative error of vols from numbers at the ends of the doubles: ln of a price near 1e-300 is itself 700,
rounded in units of 1e-13, and at the money ln(s) follows it one for one."""


@pytest.fixture(scope="module")
def solved_product() -> tuple[list[tuple[Any, ...]], Any]:
    rows = _product(NASTY, NASTY, NASTY, NASTY_TIMES, [True, False])
    return rows, solve(rows, uncertainty=True)


def _unheld(row: tuple[Any, ...], exact: Any) -> bool:
    """Whether ``vol`` or ``vol sqrt(T)`` is beyond the normal doubles."""
    price, forward, strike, time, is_call = row
    vol = exact.implied_vol(price, forward, strike, time, is_call=is_call)
    s = exact.deviation(vol, time)
    return bool(min(vol, s) < TINY or vol > HUGE)


def test_every_combination_of_nasty_numbers_has_the_status_of_exact_arithmetic(
    solved_product: tuple[list[tuple[Any, ...]], Any],
) -> None:
    rows, solved = solved_product
    # one pass of exact arithmetic for all positive times: before solving the status does not depend on them
    known: dict[tuple[Any, ...], Status] = {}
    wanted = np.empty(len(rows), dtype=np.uint8)
    for position, row in enumerate(rows):
        price, forward, strike, time, is_call = row
        key = tuple(map(repr, (price, forward, strike, 1.0 if 0 < time < math.inf else time, is_call)))
        if key not in known:
            known[key] = classified(*row)
        wanted[position] = known[key]
    unsolved = solved.status == Status.NOT_CONVERGED
    np.testing.assert_array_equal(solved.status[~unsolved], wanted[~unsolved])
    assert (wanted[unsolved] == Status.OK).all()
    assert (solved.status == Status.OK).sum() > 5_000
    np.testing.assert_array_equal(np.isfinite(solved.vol), solved.status == Status.OK)
    np.testing.assert_array_equal(np.isnan(solved.vol), solved.status != Status.OK)
    assert (solved.vol[solved.status == Status.OK] > 0).all()


def test_a_sample_of_them_is_right_in_multiprecision(
    solved_product: tuple[list[tuple[Any, ...]], Any], exact: Any
) -> None:
    rows, solved = solved_product
    generator = np.random.default_rng(2)
    for position in generator.permutation(np.flatnonzero(solved.status == Status.OK))[:40].tolist():
        price, forward, strike, time, is_call = rows[position]
        truth = exact.implied_vol(price, forward, strike, time, is_call=is_call)
        assert abs(solved.vol[position] - truth) <= max(EXTREME * truth, 2 * LEAST), rows[position]
    for position in generator.permutation(np.flatnonzero(solved.status == Status.NOT_CONVERGED))[
        :20
    ].tolist():
        assert _unheld(rows[position], exact), rows[position]


@pytest.mark.slow
def test_all_of_them_are_right_in_multiprecision(
    solved_product: tuple[list[tuple[Any, ...]], Any], exact: Any
) -> None:
    rows, solved = solved_product
    times = {1.0, LEAST, HUGE}
    checked = 0
    for position in np.flatnonzero(
        (solved.status == Status.OK) | (solved.status == Status.NOT_CONVERGED)
    ).tolist():
        price, forward, strike, time, is_call = rows[position]
        if time not in times:
            continue
        checked += 1
        if solved.status[position] == Status.NOT_CONVERGED:
            assert _unheld(rows[position], exact), rows[position]
        else:
            truth = exact.implied_vol(price, forward, strike, time, is_call=is_call)
            assert abs(solved.vol[position] - truth) <= max(EXTREME * truth, 2 * LEAST), rows[position]
    assert checked > 1_000


def test_the_bounds_are_drawn_where_exact_arithmetic_draws_them() -> None:
    """Prices a few ulps around the intrinsic value and the maximum, with an F - K that no double holds."""
    generator = np.random.default_rng(4)
    rows = []
    for _ in range(300):
        forward, strike = np.exp(generator.uniform(-8, 8, 2)).tolist()
        is_call = bool(generator.random() < 0.5)
        limit = forward if is_call else strike
        for start in (abs(forward - strike), limit):
            price = start
            for _ in range(4):
                price = math.nextafter(price, 0)
            for _ in range(9):
                rows.append((price, forward, strike, 1.0, is_call))
                price = math.nextafter(price, math.inf)
    solved = solve(rows)
    for row, status in zip(rows, solved.status.tolist(), strict=True):
        assert status == classified(*row), row
    for status in (Status.OK, Status.BELOW_INTRINSIC, Status.AT_INTRINSIC, Status.ABOVE_MAXIMUM):
        assert (solved.status == status).sum() > 200
    other = solve(rows, engine="vollib")
    # vollib itself gives up within rounding of a bound
    screened = other.status != Status.NOT_CONVERGED
    np.testing.assert_array_equal(other.status[screened], solved.status[screened])


NASTY_VOLS = [*NASTY, 0.2, 2.9, 5.0, 30.0, 80.0, 1e-160, 1e-3, 1e8, 1e160]


def test_values_of_nasty_numbers_are_finite_within_bounds_or_nan_as_documented() -> None:
    forward, strike, time, vol = (
        np.array(column) for column in zip(*_product(NASTY, NASTY, NASTY_TIMES, NASTY_VOLS), strict=True)
    )
    common = {"forward": forward, "strike": strike, "time_to_expiry": time, "vol": vol}
    positive = (forward > 0) & (forward < math.inf) & (strike > 0) & (strike < math.inf)
    undefined = ((time == 0) & (vol == math.inf)) | ((time == math.inf) & (vol == 0))
    allowed = positive & (time >= 0) & (vol >= 0) & ~undefined
    for is_call in (True, False):
        price, delta = (function(**common, is_call=is_call) for function in (black.price, black.delta))
        low = np.zeros_like(forward)
        first, second = (forward, strike) if is_call else (strike, forward)
        np.subtract(first, second, out=low, where=positive)
        low = np.maximum(low, 0.0)
        np.testing.assert_array_equal(np.isnan(price), ~allowed)
        assert ((low <= price) & (price <= first))[allowed].all()
        np.testing.assert_array_equal(np.isnan(delta), ~allowed)
        assert (np.abs(delta) <= 1.0)[allowed].all()
        assert ((delta >= 0) == is_call)[allowed & (delta != 0)].all()
    for function in (black.gamma, black.vega):
        value = function(**common)
        np.testing.assert_array_equal(np.isnan(value), ~allowed)
        assert (value[allowed] >= 0).all()
    np.testing.assert_array_equal(np.isnan(black.d1(**common)), ~allowed)


@pytest.mark.parametrize("h", np.linspace(30, 60, 241).tolist())
def test_prices_vanish_gently_far_out_of_the_money(h: float) -> None:
    here: dict[str, Any] = {"forward": 100.0, "strike": 100 * math.exp(0.01 * h), "time_to_expiry": 1.0}
    bound = 100 * math.exp(-h * h / 2) * (1 + 1e-12) + 1e-321  # F N(d1) < F n(h), and subnormals' steps
    assert 0 <= black.price(**here, vol=0.01, is_call=True) <= bound
    assert 0 <= black.delta(**here, vol=0.01) <= bound
    assert black.delta(**here, vol=0.01, is_call=False) == -1.0
    assert 0 <= black.gamma(**here, vol=0.01) <= 1e2 * bound
    assert 0 <= black.vega(**here, vol=0.01) <= bound


BAD_NUMBERS: list[tuple[Any, str]] = [
    ("1.0", r"must be real numbers; got '1\.0'$"),
    (["1.0", "x"], r"must be real numbers; got '1\.0' at position 0$"),
    (1 + 2j, r"must be real numbers; got \(1\+2j\)$"),
    ([1.0, 2j], r"must be real numbers; got .* at position 0$"),
    (None, r"must be real numbers; got None$"),
    ([1.0, None, 2.0], r"must be real numbers; got None at position 1$"),
    (dt.date(2024, 1, 2), r"must be real numbers; got datetime\.date\(2024, 1, 2\)$"),
    (np.datetime64("2024-01-02"), r"must be real numbers; got "),
    (np.array(["2024-01-02"], dtype="datetime64[ns]"), r"must be real numbers; got "),
    (np.timedelta64(3, "D"), r"must be real numbers; got "),
    (b"1.0", r"must be real numbers; got b'1\.0'$"),
    ([1.0, object()], r"must be real numbers; got <object object at .*> at position 1$"),
    (pd.Series(["a", "b"]), r"must be real numbers; got 'a' at position 0$"),
    ([[1.0, 2.0], [3.0, "x"]], r"must be real numbers; got .* at position "),
    ({"a": 1.0}, r"must be real numbers; got \{'a': 1\.0\}$"),
    (np.array(["1_0"], dtype=object), r"must be real numbers; got '1_0' at position 0$"),
    (np.array([np.complex128(1 + 1j)], dtype=object), r"must be real numbers; got .* at position 0$"),
    (np.array([np.timedelta64(3, "D")], dtype=object), r"must be real numbers; got .* at position 0$"),
    (np.ma.array(["a"], mask=[False]), r"must be real numbers; got 'a' at position 0$"),
    (10**400, r"must be real numbers; got an integer of 1329 bits$"),
    ([10**400, 1], r"must be real numbers; got an integer of 1329 bits at position 0$"),
    ([[1.0, 2.0], [3.0]], r"must be real numbers in one shape: "),
]
NAMES = ["price", "forward", "strike", "time_to_expiry", "vol"]


def _call(function: Any, **changed: Any) -> Any:
    given: dict[str, Any] = {"forward": 100.0, "strike": 110.0, "time_to_expiry": 1.0}
    if function is black.implied_vol:
        given |= {"price": 12.0, "is_call": True}
    else:
        given |= {"vol": 0.2}
    if function in {black.price, black.delta}:
        given["is_call"] = True
    return function(**(given | changed))


FUNCTIONS = [black.implied_vol, black.price, black.delta, black.gamma, black.vega, black.d1]


@pytest.mark.parametrize(("given", "words"), BAD_NUMBERS, ids=[str(n) for n in range(len(BAD_NUMBERS))])
def test_what_is_no_number_is_refused_by_name_and_position(given: Any, words: str) -> None:
    for function in FUNCTIONS:
        for name in NAMES:
            if name != ("vol" if function is black.implied_vol else "price"):
                with pytest.raises(SettingsError, match=f"^{name} {words}"):
                    _call(function, **{name: given})


def test_sides_that_are_none_are_refused_without_an_error_of_their_own() -> None:
    hidden = np.ma.array([True, False], mask=[False, True])
    for given in ([[True], [True, False]], 10**5000, hidden):
        with pytest.raises(SettingsError, match=r"^is_call must be "):
            _call(black.price, vol=0.2, is_call=given)


def test_choices_are_checked_whatever_their_type() -> None:
    with pytest.raises(SettingsError, match="engine must be one of"):
        _call(black.implied_vol, engine=np.array(["volskew", "vollib"]))
    with pytest.raises(SettingsError, match="uncertainty must be True or False, got 'no'"):
        _call(black.implied_vol, uncertainty="no")


def test_missing_values_of_a_column_are_missing_and_decimals_are_numbers() -> None:
    arrow = pa.chunked_array([[Decimal("12.00"), None]])
    for given in (
        arrow,
        pd.Series([12, None], dtype=object),
        [12.0, pd.NA],
        pd.array([12, None], dtype="Int64"),
    ):
        solved = _call(black.implied_vol, price=given)
        assert solved.status.tolist() == [Status.OK, Status.NOT_FINITE]


def test_a_vol_of_zero_is_no_answer() -> None:
    solved = black.implied_vol(1e-300, forward=1e17, strike=1e17, time_to_expiry=1e15, is_call=True)
    assert solved.status in {Status.OK, Status.NOT_CONVERGED}
    assert (solved.status is Status.OK) == (solved.vol > 0)


def test_shapes_that_do_not_go_together_are_named() -> None:
    for function in FUNCTIONS:
        with pytest.raises(SettingsError, match=r"forward \(3,\), strike \(2,\), time_to_expiry \(\)"):
            _call(function, forward=[1.0, 2.0, 3.0], strike=[1.0, 2.0])


@pytest.mark.parametrize("threads", [0, -1, 1.0, 2.5, "2", True, False, math.nan, [1], np.float64(2.0)])
def test_a_bad_number_of_threads_is_refused(threads: Any) -> None:
    for function in FUNCTIONS:
        with pytest.raises(
            SettingsError, match=r"^threads must be a positive integer, or None for all CPUs; got "
        ):
            _call(function, threads=threads)


@pytest.mark.parametrize("engine", ["typo", "", None, 1, "VOLLIB"])
def test_an_engine_that_is_none_is_refused(engine: Any) -> None:
    with pytest.raises(SettingsError, match=f"engine must be one of volskew, vollib, got {engine!r}"):
        _call(black.implied_vol, engine=engine)
