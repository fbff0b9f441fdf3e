"""Cash dividends and hostile input: every failure has its reason, and no schedule breaks the pricer."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest

from volskew.errors import SettingsError
from volskew.pricing import Status, discrete

ACCURACIES = ("fast", "default", "high")

GOOD: dict[str, Any] = {"spot": 100.0, "strike": 100.0, "time_to_expiry": 0.5, "rate": 0.05}
PAID = [(0.1, 0.5), (0.35, 0.5)]
# what of GOOD (a put with those dividends) is changed, price, status
HOSTILE: list[tuple[dict[str, Any], float, Status]] = [
    ({}, math.nan, Status.NOT_FINITE),
    ({}, -math.inf, Status.NOT_FINITE),
    ({"spot": math.nan}, 5.0, Status.NOT_FINITE),
    ({"strike": math.inf}, 5.0, Status.NOT_FINITE),
    ({"time_to_expiry": math.inf}, 5.0, Status.NOT_FINITE),
    ({"rate": -math.inf}, 5.0, Status.NOT_FINITE),
    ({"dividend_yield": math.nan}, 5.0, Status.NOT_FINITE),
    ({"time_to_expiry": -0.5}, 5.0, Status.NOT_POSITIVE_TIME),
    ({"spot": 0.0}, 5.0, Status.NOT_POSITIVE_INPUT),
    ({"strike": -100.0}, 5.0, Status.NOT_POSITIVE_INPUT),
    ({"spot": 0.9}, 5.0, Status.DIVIDENDS_TOO_LARGE),
    ({"spot": 0.5, "is_call": True}, 0.1, Status.DIVIDENDS_TOO_LARGE),
    ({}, 0.0, Status.NOT_POSITIVE_PRICE),
    ({"rate": -0.01, "dividend_yield": -0.02}, 5.0, Status.TWO_BOUNDARIES),
    ({"rate": -0.02, "dividend_yield": -0.01, "is_call": True}, 5.0, Status.TWO_BOUNDARIES),
    ({"strike": 110.0}, 9.99, Status.BELOW_INTRINSIC),
    ({"strike": 110.0, "rate": 0.0}, 10.99, Status.BELOW_INTRINSIC),  # both drops are yet to come
    ({"strike": 110.0, "rate": 0.0}, 11.0, Status.AT_INTRINSIC),
    ({"strike": 150.0}, 50.0, Status.AT_INTRINSIC),
    ({"strike": 90.0, "is_call": True}, 10.0, Status.BELOW_INTRINSIC),  # worth more at a later ex-date
    ({"strike": 90.0, "is_call": True, "rate": 0.0}, 10.0, Status.AT_INTRINSIC),
    ({}, 100.0, Status.ABOVE_MAXIMUM),
    ({"is_call": True}, 100.0, Status.ABOVE_MAXIMUM),
    ({}, 99.9999, Status.OUT_OF_RANGE),
    ({"is_call": True}, 99.0, Status.OUT_OF_RANGE),
    ({"strike": 90.0}, 1e-300, Status.OUT_OF_RANGE),
    ({"is_call": True, "rate": 0.0}, 1e-9, Status.OUT_OF_RANGE),
]


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_every_bad_row_has_its_reason_and_disturbs_no_other(accuracy: Any) -> None:
    good = {**GOOD, "dividend_yield": 0.0, "is_call": False, "price": 6.0}
    rows = [good]
    for change, price, _ in HOSTILE:
        rows += [good | change | {"price": price}, good]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in good}
    solved = discrete.implied_vol(**columns, dividends=PAID, accuracy=accuracy)
    expected = [Status.OK]
    for *_, status in HOSTILE:
        expected += [status, Status.OK]
    assert [Status(code).name for code in solved.status.tolist()] == [item.name for item in expected]
    np.testing.assert_array_equal(np.isnan(solved.vol), solved.status != Status.OK)
    assert len(set(solved.vol[::2])) == 1
    for row, status in zip(rows, expected, strict=True):
        assert discrete.implied_vol(**row, dividends=PAID, accuracy=accuracy).status is status


def test_what_cannot_be_priced_is_nan_and_disturbs_no_other() -> None:
    names = ("spot", "strike", "time_to_expiry", "rate", "dividend_yield", "vol")
    changes: list[dict[str, Any]] = [{name: bad} for name in names for bad in (math.nan, math.inf, -math.inf)]
    changes += [{name: bad} for name in ("spot", "strike", "time_to_expiry", "vol") for bad in (0.0, -1.0)]
    changes += [{"vol": 0.0049}, {"vol": 10.25}, {"rate": -0.01, "dividend_yield": -0.02}, {"spot": 0.9}]
    good = {**GOOD, "dividend_yield": 0.0, "is_call": False, "vol": 0.3}
    rows = [good]
    for change in changes:
        rows += [good | change, good]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in good}
    for item in discrete.values(**columns, dividends=PAID):
        np.testing.assert_array_equal(np.isnan(item), np.arange(len(rows)) % 2 == 1)
        assert len(set(item[::2])) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spot": "a"}, "spot must be real numbers; got 'a'"),
        ({"rate": [0.01, None]}, "rate must be real numbers; got None at position 1"),
        ({"is_call": "put"}, "is_call must be True or 1 for a call, False or 0 for a put.*got 'put'"),
        ({"strike": [1.0, 2.0], "rate": [0.0] * 3}, r"do not go together: .*strike \(2,\).*rate \(3,\)"),
        ({"accuracy": None}, "accuracy must be one of fast, default, high, got None"),
        ({"accuracy": "best", "strike": []}, "accuracy must be one of fast, default, high, got 'best'"),
        ({"threads": 0}, "threads must be a positive integer"),
        ({"dividends": [None]}, "dividends must be pairs of a time .* got None among them"),
        ({"dividends": [("a", "b")]}, "dividends must be pairs of a time .*'a', 'b'"),
        ({"dividends": [(0.1, -math.inf)]}, "a dividend must have a finite time and a finite amount"),
    ],
)
def test_bad_arguments_are_refused_by_each_function(change: dict[str, Any], words: str) -> None:
    common: dict[str, Any] = {**GOOD, "is_call": False, "dividends": PAID} | change
    calls = [functools.partial(function, **common, vol=0.2) for function in (discrete.price, discrete.values)]
    for call in (*calls, functools.partial(discrete.implied_vol, 6.0, **common)):
        with pytest.raises(SettingsError, match=words):
            call()


def test_shapes_and_kinds_of_input() -> None:
    common: dict[str, Any] = {**GOOD, "strike": [90.0, 100.0, 110.0], "is_call": [[True], [False]]}
    grid = discrete.price(**common, vol=0.2, dividends=PAID)
    assert grid.shape == (2, 3)
    solved = discrete.implied_vol(grid, **common, dividends=PAID)
    assert solved.vol.shape == solved.status.shape == (2, 3)
    assert solved.uncertainty is None
    scalar = discrete.price(**GOOD, is_call=False, vol=0.2, dividends=PAID)
    assert isinstance(scalar, float)
    assert scalar == grid[1, 1]
    for shape in ((0,), (0, 3)):
        for item in discrete.values(
            **GOOD | {"strike": np.empty(shape)}, is_call=True, vol=0.2, dividends=PAID
        ):
            assert item.shape == shape
        none = discrete.implied_vol(np.empty(shape), **GOOD, is_call=False, dividends=PAID)
        assert none.vol.shape == none.status.shape == shape
    strikes = np.array([80, 90, 100, 110], dtype=np.float32)
    plain = discrete.price(
        **GOOD | {"strike": strikes.astype(float)}, is_call=False, vol=0.25, dividends=PAID
    )
    wide = np.zeros(8)
    wide[::2] = strikes
    for other in (strikes, strikes.astype(int), wide[::2], strikes.astype(">f8"), strikes.tolist()):
        got = discrete.price(**GOOD | {"strike": other}, is_call=np.int8(0), vol=0.25, dividends=PAID)
        np.testing.assert_array_equal(got, plain)


SCHEDULES = {
    "within minutes of expiry": [(1 / 365 - 1e-5, 0.5), (30 / 365 - 1e-5, 0.5), (5 - 1e-5, 0.5)],
    "minutes from now": [(1e-5, 0.5)],
    "a day apart": [(n / 365 + 1e-4, 0.05) for n in range(40)],
    "all at once": [(0.001, 0.01)] * 40,
    "most of the spot": [(0.0005, 60.0), (0.07, 30.0)],
    "next to nothing": [(0.001, 5e-324), (0.002, 1e-300)],
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_breaks_it(schedule: str) -> None:
    days = np.array([1.0, 30.0, 365.0, 1825.0])[:, None, None, None] / 365
    strikes = np.array([0.01, 30.0, 90.0, 100.0, 140.0, 1e5])[:, None, None]
    vols, sides = np.array([0.01, 0.06, 0.3, 1.0, 5.0])[:, None], np.array([True, False])
    for rate, lent in ((-0.02, 0.0), (0.0, 0.0), (0.03, 0.03), (0.12, -0.01), (0.0, 0.05)):
        here: dict[str, Any] = {
            "spot": 100.0, "strike": strikes, "time_to_expiry": days, "rate": rate, "dividend_yield": lent,
            "is_call": sides, "dividends": SCHEDULES[schedule],
        }  # fmt: skip
        found = discrete.values(**here, vol=vols)
        # a negative rate is one that a put pays for being exercised: no second boundary here
        known = np.isfinite(found.price)
        assert known.all()
        assert (found.price >= 0).all()
        assert (found.early_exercise_premium >= -1e-12 * (100 + strikes)).all()
        intrinsic = np.maximum(np.where(sides, 100.0 - strikes, strikes - 100.0), 0.0)
        assert (found.price >= intrinsic - 1e-12 * (100 + strikes)).all()
        for item in found:
            assert np.isfinite(item).all()
        solved = discrete.implied_vol(found.price, **here)
        np.testing.assert_array_equal(np.isfinite(solved.vol), solved.status == Status.OK)
        assert (solved.status != Status.NOT_CONVERGED).all()
        assert (solved.status != Status.BELOW_INTRINSIC).all()
