"""Every kind of array and number that may be given, and the kinds of results."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from volskew.errors import SettingsError
from volskew.pricing import Status, black_kernels, black_values
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

N = 97
NAMES = ("price", "forward", "strike", "time_to_expiry", "vol")
Table = dict[str, Any]


def plain() -> Table:
    """Numbers that a float16 and an int8 hold too."""
    generator = np.random.default_rng(1)
    return {
        "price": generator.integers(1, 40, N).astype(np.float64),
        "forward": generator.integers(50, 120, N).astype(np.float64),
        "strike": generator.integers(50, 120, N).astype(np.float64),
        "time_to_expiry": generator.integers(1, 4, N).astype(np.float64),
        "vol": generator.integers(1, 4, N).astype(np.float64),
        "is_call": generator.integers(0, 2, N) == 1,
    }


def results(table: Table, **options: Any) -> list[np.ndarray]:
    """Of every function, as arrays."""
    solved = black.implied_vol(
        **{name: item for name, item in table.items() if name != "vol"}, uncertainty=True, **options
    )
    contract = {name: table[name] for name in ("forward", "strike", "time_to_expiry", "vol")}
    found = [*solved, black.gamma(**contract, **options), black.vega(**contract, **options)]
    found.append(black.d1(**contract, **options))
    found += [f(**contract, is_call=table["is_call"], **options) for f in (black.price, black.delta)]
    for item in found:
        assert type(item) is np.ndarray
        assert item.flags.c_contiguous
        assert item.flags.writeable
    return found


def same(got: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    for one, other in zip(got, wanted, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()


def _read_only(item: np.ndarray) -> np.ndarray:
    item = item.copy()
    item.flags.writeable = False
    return item


def _strided(item: np.ndarray) -> np.ndarray:
    wide = np.full(3 * item.size, 77, dtype=item.dtype)
    wide[1::3] = item
    return wide[1::3]


def _backwards(item: np.ndarray) -> np.ndarray:
    return item[::-1].copy()[::-1]


def _unaligned(item: np.ndarray) -> np.ndarray:
    record = np.zeros(item.size, dtype=[("pad", "i1"), ("value", item.dtype)])
    record["value"] = item
    return record["value"]


def _big_endian(item: np.ndarray) -> np.ndarray:
    return item.astype(item.dtype.newbyteorder(">"))


def _mapped(item: np.ndarray) -> np.ndarray:
    return np.frombuffer(item.tobytes(), dtype=item.dtype)


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "read-only": _read_only,
    "strided": _strided,
    "backwards": _backwards,
    "unaligned": _unaligned,
    "big-endian": _big_endian,
    "borrowed": _mapped,
    "list": np.ndarray.tolist,
    "tuple": lambda item: tuple(item.tolist()),
    "objects": lambda item: item.astype(object),
    "series": lambda item: pd.Series(item, index=range(7, 7 + item.size)),
    "nullable": lambda item: pd.Series(item).convert_dtypes(),
    "arrow": lambda item: pd.Series(item, dtype=pd.ArrowDtype(pa.from_numpy_dtype(item.dtype))),
    "index": pd.Index,
    "masked": np.ma.MaskedArray,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str) -> None:
    table = plain()
    wanted = results(table)
    kernels: list[Any] = [black_kernels.solve, black_values.values]
    compiled = [len(kernel.signatures) for kernel in kernels]
    given = {name: LAYOUTS[layout](item) for name, item in table.items()}
    same(results(given), wanted)
    same(results(given, threads=2), wanted)
    # one argument alone, among plain ones
    for name in table:
        same(results(table | {name: given[name]}), wanted)
    # copied into arrays of the one kind that the kernels are compiled for: another would take seconds
    assert [len(kernel.signatures) for kernel in kernels] == compiled


TYPES = [
    *("float16", "float32", "float64", "longdouble", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
]


@pytest.mark.parametrize("dtype", TYPES)
def test_types(dtype: str) -> None:
    table = plain()
    given = {name: item if name == "is_call" else item.astype(dtype) for name, item in table.items()}
    same(results(given), results(table))


@pytest.mark.parametrize("dtype", ["int8", "uint64"])
def test_integers_as_sides(dtype: str) -> None:
    table = plain()
    same(results(table | {"is_call": table["is_call"].astype(dtype)}), results(table))


@pytest.mark.slow
def test_booleans_as_numbers() -> None:
    """Odd, but numpy counts them among the numbers."""
    table = plain() | {"time_to_expiry": np.ones(N), "vol": np.ones(N)}
    same(results(table | {"time_to_expiry": True, "vol": np.ones(N, dtype=bool)}), results(table))


def test_float32_is_taken_as_the_number_that_it_is() -> None:
    strike = np.float32(100.1)
    common: Table = {"forward": 100.0, "time_to_expiry": 0.5, "is_call": True}
    assert black.price(strike=strike, vol=0.2, **common) == black.price(
        strike=float(strike), vol=0.2, **common
    )
    assert black.price(strike=strike, vol=0.2, **common) != black.price(strike=100.1, vol=0.2, **common)


@pytest.mark.parametrize("shape", [(97,), (1, 97), (97, 1), (1, 97, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_shapes_of_one_long_axis(shape: tuple[int, ...], order: Any) -> None:
    table = plain()
    given = {name: np.asarray(item.reshape(shape), order=order) for name, item in table.items()}
    same(results(given), [item.reshape(shape) for item in results(table)])


def _folded(item: np.ndarray) -> np.ndarray:
    return item[:96].reshape(4, 3, 8)


VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": lambda item: item,
    "Fortran": np.asfortranarray,
    "transposed twice": lambda item: item.T.copy().T,
    "turned": lambda item: item[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "part of a larger one": lambda item: np.pad(item, 2)[2:-2, 2:-2, 2:-2],
}


@pytest.mark.parametrize("view", VIEWS)
def test_several_axes(view: str) -> None:
    table = {name: _folded(item) for name, item in plain().items()}
    same(results({name: VIEWS[view](item) for name, item in table.items()}), results(table))
    mixed = {
        name: VIEWS[view](item) if place % 2 else item for place, (name, item) in enumerate(table.items())
    }
    same(results(mixed), results(table))


def test_broadcasting_over_several_axes() -> None:
    table = plain()
    given: Table = {
        "price": table["price"][:6].reshape(6, 1, 1),
        "forward": table["forward"][:5].reshape(1, 5, 1),
        "strike": table["strike"][:7],
        "time_to_expiry": 2,
        "vol": table["vol"][:5].reshape(5, 1),
        "is_call": table["is_call"][:35].reshape(5, 7),
    }
    solved = black.implied_vol(
        **{name: item for name, item in given.items() if name != "vol"}, uncertainty=True
    )
    full = {
        name: np.ascontiguousarray(np.broadcast_to(item, (6, 5, 7))).astype(
            bool if name == "is_call" else float
        )
        for name, item in given.items()
        if name != "vol"
    }
    wanted = black.implied_vol(**full, uncertainty=True)
    assert solved.vol.shape == (6, 5, 7)
    same(list(solved), list(wanted))
    # without a stride: the arrays of np.broadcast_to are read-only and their elements share memory
    spread = {name: np.broadcast_to(item, (6, 5, 7)) for name, item in given.items() if name != "vol"}
    same(list(black.implied_vol(**spread, uncertainty=True)), list(wanted))
    assert black.price(**{k: v for k, v in given.items() if k != "price"}).shape == (1, 5, 7)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 5)])
@pytest.mark.parametrize("engine", ["volskew", "vollib"])
def test_empty_arrays_of_any_shape(shape: tuple[int, ...], engine: Any) -> None:
    none = np.empty(shape)
    for threads in (1, 4, None):
        solved = black.implied_vol(
            none, forward=100.0, strike=[100.0], time_to_expiry=1, is_call=True, engine=engine,
            threads=threads, uncertainty=True,
        )  # fmt: skip
        assert [item.shape for item in solved] == [shape] * 3
        assert [item.dtype for item in solved] == [np.float64, np.uint8, np.float64]
        assert black.gamma(forward=none, strike=1, time_to_expiry=1, vol=1, threads=threads).shape == shape
    assert black.implied_vol([], forward=[], strike=[], time_to_expiry=[], is_call=[]).uncertainty is None


@pytest.mark.parametrize("engine", ["volskew", "vollib"])
def test_scalars_for_scalars_and_arrays_for_arrays(engine: Any) -> None:
    common: Table = {"forward": 100.0, "strike": 110, "time_to_expiry": np.float32(1), "is_call": np.True_}
    for price in (12.0, 12, np.float64(12), np.int16(12), np.array(12.0), np.array(12)):
        solved = black.implied_vol(price, **common, engine=engine, uncertainty=True)
        assert [type(item) for item in solved] == [float, Status, float]
        assert black.implied_vol(price, **common, engine=engine).uncertainty is None
    for one_price in ([12.0], (12.0,), np.array([12]), pd.Series([12.0])):
        one = black.implied_vol(one_price, **common, engine=engine, uncertainty=True)
        assert [(type(item), item.shape) for item in one] == [(np.ndarray, (1,))] * 3
        assert one.vol[0] == solved.vol
    assert black.implied_vol([[12.0]], **common, engine=engine).vol.shape == (1, 1)
    contract: Table = {"forward": 100, "strike": 110, "time_to_expiry": 1}
    for function in (black.price, black.delta, black.gamma, black.vega, black.d1):
        sided = {"is_call": True} if function in {black.price, black.delta} else {}
        assert type(function(**contract, vol=np.array(0.2), **sided)) is float
        assert function(**contract, vol=[0.2], **sided).shape == (1,)


MISSING: list[Any] = [
    pd.Series([12.0, None, 13.0], dtype="Float64"),
    pd.Series([12, None, 13], dtype="Int64"),
    pd.Series([12.0, None, 13.0], dtype="double[pyarrow]"),
    pd.Series([12, None, 13], dtype="int64[pyarrow]"),
    pd.Series([12.0, pd.NA, 13.0], dtype=object),
    pd.array([12.0, None, 13.0], dtype="Float64"),
    np.ma.MaskedArray([12.0, 1.0, 13.0], mask=[False, True, False]),
    np.ma.MaskedArray([12, 1, 13], mask=[False, True, False]),
    np.ma.MaskedArray([12.0, 1.0, 13.0], mask=[False, True, False], fill_value=5.0),
]


@pytest.mark.parametrize("column", MISSING, ids=lambda item: f"{type(item).__name__}-{item.dtype}")
def test_missing_values_have_no_vol_and_keep_the_others(column: Any) -> None:
    solved = black.implied_vol(column, forward=100.0, strike=110.0, time_to_expiry=1.0, is_call=True)
    wanted = black.implied_vol([12.0, 13.0], forward=100.0, strike=110.0, time_to_expiry=1.0, is_call=True)
    assert solved.status.tolist() == [Status.OK, Status.NOT_FINITE, Status.OK]
    assert solved.vol[[0, 2]].tolist() == wanted.vol.tolist()
    value = black.price(forward=100.0, strike=column, time_to_expiry=1.0, vol=0.2, is_call=False)
    assert np.isnan(value).tolist() == [False, True, False]


def test_a_missing_side_is_refused() -> None:
    for side in (
        np.ma.MaskedArray([True, False], mask=[False, True]),
        pd.Series([True, None], dtype="boolean"),
        pd.Series([True, None], dtype="bool[pyarrow]"),
    ):
        with pytest.raises(SettingsError, match=r"is_call must be True or 1 for a call.* at position 1"):
            black.price(forward=100.0, strike=[90.0, 110.0], time_to_expiry=1.0, vol=0.2, is_call=side)


def test_inputs_are_left_as_they_are() -> None:
    table = plain() | {"price": np.full(N, math.nan)}
    before = {name: item.tobytes() for name, item in table.items()}
    results(table)
    results({name: item[::-1] for name, item in table.items()}, threads=2)
    assert {name: item.tobytes() for name, item in table.items()} == before
