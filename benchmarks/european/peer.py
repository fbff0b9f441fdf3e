"""One engine in a process of its own: answers and times what it is asked on standard input.

    python peer.py ENGINE THREADS FOLDER

Every line in and out is a JSON object; option sets and answers are .npy files in FOLDER. Runs in each peer's
own environment, so it needs numpy, the peer and common/ alone.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common.serving import RAISED, Solve, row_by_row, serve, timed, versions


class Options(NamedTuple):
    price: np.ndarray
    forward: np.ndarray
    strike: np.ndarray
    time: np.ndarray
    is_call: np.ndarray


def _volskew(options: Options, threads: int) -> Solve:
    black = importlib.import_module("volskew.pricing.black")
    p, f, k, t, c = options
    return lambda: black.implied_vol(p, forward=f, strike=k, time_to_expiry=t, is_call=c, threads=threads).vol


def _fast_vollib_numba(options: Options, _threads: int) -> Solve:
    solve = importlib.import_module("fast_vollib").fast_implied_volatility_black
    p, f, k, t, c = options
    flags, rate = np.where(c, "c", "p"), np.zeros(p.size)
    return lambda: solve(p, f, k, rate, t, flags, return_as="numpy", backend="numba", on_error="ignore")


def _fast_vollib_jackel(options: Options, _threads: int) -> Solve:
    solve = importlib.import_module("fast_vollib.jackel").jackel_iv_black
    return lambda: solve(*options)


def _py_vollib_vectorized(options: Options, _threads: int) -> Solve:
    solve = importlib.import_module("py_vollib_vectorized").vectorized_implied_volatility_black
    p, f, k, t, c = options
    flags = np.where(c, "c", "p").tolist()  # it walks through them: a list is quicker than an array
    return lambda: solve(p, f, k, 0.0, t, flags, return_as="numpy")


def _vollib(options: Options, _threads: int) -> Solve:
    module = importlib.import_module("vollib.black.implied_volatility")
    p, f, k, t, c = options
    flags = np.where(c, "c", "p").tolist()
    # the form without a discount factor: 10 % quicker than implied_volatility(..., r=0)
    return row_by_row(
        module.implied_volatility_of_undiscounted_option_price,
        [p.tolist(), f.tolist(), k.tolist(), t.tolist(), flags],
    )


def _quantlib(options: Options, *, accuracy: float | None) -> Solve:
    library = importlib.import_module("QuantLib")
    p, f, k, t, c = options
    types = [library.Option.Call if call else library.Option.Put for call in c.tolist()]
    columns = [types, k.tolist(), f.tolist(), p.tolist()]
    if accuracy is not None:
        # discount, displacement, guess (left to it), accuracy, iterations
        columns += [[value] * p.size for value in (1.0, 0.0, library.nullDouble(), accuracy, 200)]
    solve = row_by_row(library.blackFormulaImpliedStdDev, columns)

    def divided() -> np.ndarray:
        deviations = solve()
        return np.where(deviations == RAISED, RAISED, deviations / np.sqrt(t))

    return divided


def _scipy(options: Options, _threads: int) -> Solve:
    find_root = importlib.import_module("scipy.optimize.elementwise").find_root
    ndtr = importlib.import_module("scipy.special").ndtr

    def gap(s: np.ndarray, low: np.ndarray, high: np.ndarray, x: np.ndarray, value: np.ndarray) -> np.ndarray:
        d1 = x / s + s / 2
        return low * ndtr(d1) - high * ndtr(d1 - s) - value

    def solve() -> np.ndarray:
        p, f, k, t, c = options
        low, high = np.minimum(f, k), np.maximum(f, k)
        value = p - np.maximum(np.where(c, f - k, k - f), 0.0)
        found = find_root(gap, (1e-4, 20.0), args=(low, high, np.log(low / high), value))
        # a root at an end of the bracket is none; a user of find_root would say so too
        inside = found.success & (value > 0) & (found.x > 1.001e-4) & (found.x < 19.99)
        return np.where(inside, found.x, np.nan) / np.sqrt(t)

    return solve


ENGINES: dict[str, Callable[[Options, int], Solve]] = {
    "volskew": _volskew,
    "vollib": _vollib,
    "py_vollib_vectorized": _py_vollib_vectorized,
    "fast-vollib-numba": _fast_vollib_numba,
    "fast-vollib-jackel": _fast_vollib_jackel,
    "QuantLib": lambda options, _threads: _quantlib(options, accuracy=None),
    "QuantLib-1e-12": lambda options, _threads: _quantlib(options, accuracy=1e-12),
    "scipy-find_root": _scipy,
}


class _Peer:
    versions = staticmethod(versions)

    def __init__(self, engine: str, threads: int, folder: Path) -> None:
        self._prepare = ENGINES[engine]
        self._threads = threads
        self._folder = folder
        self._ready: dict[str, Solve] = {}

    def _load(self, name: str) -> Options:
        return Options(*(np.load(self._folder / f"{name}.{column}.npy") for column in Options._fields))

    def answer(self, name: str) -> dict[str, object]:
        """Answers to a set; where a batch raises it is halved until the rows at fault are alone."""
        options = self._load(name)
        answers = np.empty(options.price.size)

        def fill(first: int, last: int) -> None:
            piece = Options(*(np.ascontiguousarray(column[first:last]) for column in options))
            try:
                answers[first:last] = self._prepare(piece, self._threads)()
            except Exception:  # noqa: BLE001 - what a peer raises is its own choice
                if last - first == 1:
                    answers[first] = RAISED
                    return
                middle = (first + last) // 2
                fill(first, middle)
                fill(middle, last)

        fill(0, options.price.size)
        file = self._folder / f"answers-{os.getpid()}.npy"
        np.save(file, answers)
        return {"answers": str(file)}

    def time(self, name: str) -> dict[str, object]:
        """Nanoseconds an option, and CPUs kept busy meanwhile; see `timed`."""
        if name not in self._ready:
            self._ready.clear()
            self._ready[name] = self._prepare(self._load(name), self._threads)
            self._ready[name]()  # not counted
        return timed(self._ready[name])

    def neighbours(self, good: str, bad: str, rows: dict[str, int]) -> dict[str, object]:
        """What one bad row does to the batch it is in: kinds that raise, kinds that change other rows."""
        clean, spoiled = self._load(good), self._load(bad)
        reference = self._prepare(clean, self._threads)()
        place = clean.price.size // 2
        others = np.arange(clean.price.size) != place
        raised, changed = [], []
        for kind, row in rows.items():
            batch = Options(*(column.copy() for column in clean))
            for column, source in zip(batch, spoiled, strict=True):
                column[place] = source[row]
            try:
                answers = self._prepare(batch, self._threads)()
            except Exception:  # noqa: BLE001 - what a peer raises is its own choice
                raised.append(kind)
                continue
            if not np.array_equal(answers[others], reference[others], equal_nan=True):
                changed.append(kind)
        return {"raised": raised, "changed": changed}


def main() -> None:
    engine, threads, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    serve(_Peer(engine, threads, folder))


if __name__ == "__main__":
    main()
