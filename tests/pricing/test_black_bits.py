"""An element's result is the same to the last bit wherever it stands and whatever stands beside it."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from volskew.pricing import Status, arguments
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

BLOCK, CHUNK = 512, 16_384
"""What the kernel takes at once, and what a thread takes at once."""

Table = dict[str, np.ndarray]


def mixed(n: int, seed: int) -> Table:
    """Options of every kind in one array: ordinary, deep, long, in the money, extreme and impossible."""
    generator = np.random.default_rng(seed)
    s = np.exp(generator.uniform(math.log(1e-3), math.log(2.9), n))
    h = generator.uniform(-8, 8, n)
    kind = generator.integers(0, 10, n)
    h = np.where(kind == 1, generator.uniform(30, 37, n), h)
    s = np.where(kind == 2, generator.uniform(2.8, 9, n), s)
    h = np.where(kind == 2, h / 4, h)
    time = generator.uniform(0.002, 3, n)
    forward = np.exp(generator.uniform(-3, 9, n)) * np.where(kind == 4, 1e180, 1.0)
    strike = forward * np.exp(h * s)
    is_call = (strike >= forward) ^ (kind == 3)
    table: Table = {"forward": forward, "strike": strike, "time_to_expiry": time, "vol": s / np.sqrt(time)}
    price = black.price(**table, is_call=is_call)
    nasty = generator.choice([math.nan, math.inf, -1.0, 0.0, 1e300, 5e-324], n)
    price = np.where(kind == 5, nasty, price)
    table["forward"] = np.where(kind == 6, np.roll(nasty, 1), forward)
    table["time_to_expiry"] = np.where(kind == 7, np.roll(nasty, 2), time)
    return table | {"price": price, "is_call": is_call}


def solved(table: Table, **options: Any) -> list[bytes]:
    """Bits of vol, status and uncertainty, an element each."""
    given = {name: item for name, item in table.items() if name != "vol"}
    found = black.implied_vol(**given, uncertainty=True, **options)
    return [item.tobytes() for item in found]


def valued(table: Table, **options: Any) -> list[bytes]:
    contract = {name: table[name] for name in ("forward", "strike", "time_to_expiry", "vol")}
    found = [function(**contract, **options) for function in (black.gamma, black.vega, black.d1)]
    found += [
        function(**contract, is_call=table["is_call"], **options) for function in (black.price, black.delta)
    ]
    return [item.tobytes() for item in found]


def rows(table: Table, where: Any) -> Table:
    return {name: item[where] for name, item in table.items()}


def joined(*tables: Table) -> Table:
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def picked(found: list[bytes], start: int, stop: int, size: int) -> list[bytes]:
    """The bits of elements from start to stop."""
    return [item[start * len(item) // size : stop * len(item) // size] for item in found]


def test_the_mixture_holds_every_kind() -> None:
    table = mixed(2_000, 1)
    status = np.frombuffer(solved(table)[1], dtype=np.uint8)
    assert set(status.tolist()) >= set(Status) - {
        Status.OUT_OF_RANGE,
        Status.TWO_BOUNDARIES,
        Status.DIVIDENDS_TOO_LARGE,
        Status.NOT_CONVERGED,
        Status.BELOW_INTRINSIC,
    }
    assert (status == Status.OK).mean() > 0.5


@pytest.mark.parametrize("bits", [solved, valued])
def test_alone_or_among_others(bits: Any) -> None:
    table = mixed(1_200, 2)
    whole = bits(table)
    for row in range(1_200):
        assert bits(rows(table, slice(row, row + 1))) == picked(whole, row, row + 1, 1_200), row


def test_a_scalar_or_an_element() -> None:
    table = mixed(300, 3)
    vol, status, doubt = solved(table)
    for row in range(300):
        one = {name: item[row].item() for name, item in table.items() if name != "vol"}
        alone = black.implied_vol(**one, uncertainty=True)
        assert np.float64(alone.vol).tobytes() == vol[8 * row : 8 * row + 8]
        assert alone.status == status[row]
        assert np.float64(alone.uncertainty).tobytes() == doubt[8 * row : 8 * row + 8]


NEIGHBOURS = {
    "ordinary": (5.0, 100.0, 100.0, 1.0),
    "missing": (math.nan, math.nan, math.nan, math.nan),
    "infinite": (math.inf, math.inf, math.inf, math.inf),
    "impossible": (-5.0, 100.0, 50.0, 0.0),
    "deep": (1e-250, 100.0, 170.0, 0.1),
    "long": (95.0, 100.0, 100.0, 1.0),
    "extreme": (5e-324, 1e-300, 1e300, 1e300),
}


def neighbours(kind: str, n: int) -> Table:
    price, forward, strike, time = NEIGHBOURS[kind]
    columns = {"forward": forward, "strike": strike, "time_to_expiry": time, "vol": 0.2, "price": price}
    return {name: np.full(n, value) for name, value in columns.items()} | {"is_call": np.ones(n, dtype=bool)}


@pytest.mark.parametrize("bits", [solved, valued])
@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_wherever_it_stands_in_a_block(kind: str, bits: Any) -> None:
    probe = mixed(33, 4)
    wanted = bits(probe)
    every = 1 if kind == "ordinary" else 23
    for offset in [*range(0, BLOCK * 2 + 7, every), CHUNK - 40, CHUNK - 17, CHUNK - 1, CHUNK, 2 * CHUNK - 16]:
        for after in (0, 5):
            table = joined(neighbours(kind, offset), probe, neighbours(kind, after))
            found = bits(table)
            assert picked(found, offset, offset + 33, offset + 33 + after) == wanted, (offset, after)


@pytest.mark.parametrize("bits", [solved, valued])
def test_in_any_order_and_number(bits: Any) -> None:
    table = mixed(1_100, 5)
    order = np.random.default_rng(6).permutation(1_100)
    widths = [len(item) // 1_100 for item in bits(table)]
    whole = [np.frombuffer(item, dtype=f"V{width}") for item, width in zip(bits(table), widths, strict=True)]
    assert bits(rows(table, order)) == [item[order].tobytes() for item in whole]
    for size in [*range(1, 71), BLOCK - 1, BLOCK, BLOCK + 1, 1_024, 1_025]:
        start = (7 * size) % (1_101 - size)
        part = bits(rows(table, slice(start, start + size)))
        assert part == [item[start : start + size].tobytes() for item in whole], size


@pytest.mark.parametrize("bits", [solved, valued])
@pytest.mark.parametrize("size", [1, BLOCK, CHUNK + 1, 7 * CHUNK + 7])
def test_with_any_number_of_threads(size: int, bits: Any) -> None:
    table = mixed(size, 7)
    wanted = bits(table, threads=1)
    for threads in (2, 3, 8, np.int64(2), None):
        assert bits(table, threads=threads) == wanted, threads


def test_many_threads_of_python_at_once() -> None:
    """The kernels run without the interpreter's lock; each call has buffers of its own."""
    tables = [mixed(CHUNK + 100 * n, 20 + n) for n in range(6)]
    wanted = [solved(table) + valued(table) for table in tables]
    start = threading.Barrier(6)

    def work(number: int) -> bool:
        start.wait(timeout=60)
        return all(
            solved(tables[number], threads=1 + turn % 3) + valued(tables[number]) == wanted[number]
            for turn in range(6)
        )

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [True] * 6


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    here = threading.get_ident()
    begun: set[int] = set()
    together = threading.Barrier(2)

    def kernel(numbers: np.ndarray, out: np.ndarray) -> None:
        if threading.get_ident() not in begun:
            begun.add(threading.get_ident())
            together.wait(timeout=60)  # so that the caller's thread cannot take all the chunks
        if threading.get_ident() != here:
            msg = "no such number"
            raise ArithmeticError(msg)
        out[:] = numbers

    given, out = np.ones(9 * CHUNK), np.empty(9 * CHUNK)
    with pytest.raises(ArithmeticError, match="no such number"):
        arguments.run(kernel, [given], [out], threads=2)
    assert len(begun) == 2
    # nothing is left behind: the next call is whole
    arguments.run(lambda numbers, out: np.copyto(out, numbers), [given], [out], threads=3)
    assert (out == 1).all()


def test_each_thread_has_three_chunks_or_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            asked.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(arguments, "ThreadPoolExecutor", Pool)
    for chunks, threads in ((1, 8), (5, 8), (6, 8), (15, 8), (15, 3), (15, 1), (0, 4)):
        size = chunks * CHUNK
        black.vega(forward=np.full(size, 100.0), strike=100.0, time_to_expiry=1.0, vol=0.2, threads=threads)
    assert asked == [1, 4, 2]  # beside the caller's own thread
