"""One engine in a process of its own: prices, vols and times what it is asked on standard input.

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

import numpy as np
from american import quantlib
from american.options import Options, load
from common.serving import Solve, serve, timed, versions

PRICE, VOL = "price", "vol"

# from options and what is wanted to the call
Prepare = Callable[[Options, str], Solve]


def _volskew(accuracy: str) -> Prepare:
    def prepare(options: Options, what: str) -> Solve:
        american = importlib.import_module("volskew.pricing.american")
        given = {
            "spot": options.spot,
            "strike": options.strike,
            "time_to_expiry": options.years,
            "rate": options.rate,
            "dividend_yield": options.dividend_yield,
            "is_call": options.is_call,
            "accuracy": accuracy,
        }
        if what == PRICE:
            return lambda: american.price(vol=options.vol, **given)
        return lambda: american.implied_vol(options.price, **given).vol

    return prepare


def _continuous_yield(options: Options, what: str) -> Solve:
    matched = options.rate - np.log(options.forward / options.spot) / options.years
    return _volskew("default")(options._replace(dividend_yield=matched), what)


def _discrete(accuracy: str) -> Prepare:
    def prepare(options: Options, what: str) -> Solve:
        discrete = importlib.import_module("volskew.pricing.discrete")
        calls = []
        for rows in options.slices():
            part = options.take(rows)
            given = {
                "spot": float(part.spot[0]),
                "strike": part.strike,
                "time_to_expiry": float(part.years[0]),
                "rate": float(part.rate[0]),
                "dividend_yield": float(part.dividend_yield[0]),
                "dividends": tuple((day / 365.0, amount) for day, amount in part.dividends(0)),
                "is_call": part.is_call,
                "accuracy": accuracy,
            }
            calls.append((rows, part, given))

        def solve() -> np.ndarray:
            answers = np.empty(options.price.size)
            for rows, part, given in calls:
                if what == PRICE:
                    answers[rows] = discrete.price(vol=part.vol, **given)
                else:
                    answers[rows] = discrete.implied_vol(part.price, **given).vol
            return answers

        return solve

    return prepare


def _fastvol(steps: int) -> Prepare:
    def prepare(options: Options, what: str) -> Solve:
        bopm = importlib.import_module("fastvol.american.bopm")
        call = options.is_call.astype(np.int8)
        market = (options.years, options.rate, options.dividend_yield)
        if what == PRICE:
            years, rate, dividend_yield = market
            given = (options.spot, options.strike, call, years, options.vol, rate, dividend_yield)
            return lambda: np.asarray(bopm.price_fp64_batch(*given, n_steps=steps))
        given = (options.price, options.spot, options.strike, call, *market)
        return lambda: np.asarray(bopm.iv_fp64_batch(*given, n_steps=steps))

    return prepare


ENGINES: dict[str, Prepare] = {
    **{f"volskew-{accuracy}": _volskew(accuracy) for accuracy in ("fast", "default", "high")},
    **{f"volskew-discrete-{accuracy}": _discrete(accuracy) for accuracy in ("fast", "default", "high")},
    "volskew-continuous-yield": _continuous_yield,
    **quantlib.ENGINES,
    "fastvol-128": _fastvol(128),
    "fastvol-512": _fastvol(512),
}


class _Peer:
    versions = staticmethod(versions)

    def __init__(self, engine: str, folder: Path) -> None:
        self._prepare = ENGINES[engine]
        self._folder = folder
        self._ready: dict[tuple[str, str], Solve] = {}

    def answer(self, name: str, what: str) -> dict[str, object]:
        return self._saved(self._prepare(load(self._folder, name), what)())

    def fd(self, name: str, time_steps: int, points: int, *, european: bool) -> dict[str, object]:
        """Prices of finite differences with true cash drops."""
        return self._saved(
            quantlib.fd_prices(load(self._folder, name), time_steps, points, european=european)
        )

    def time(self, name: str, what: str, seconds: float) -> dict[str, object]:
        """Nanoseconds an option, and CPUs kept busy meanwhile; see `timed`."""
        if (name, what) not in self._ready:
            self._ready[name, what] = self._prepare(load(self._folder, name), what)
            self._ready[name, what]()  # not counted
        return timed(self._ready[name, what], seconds)

    def _saved(self, answers: np.ndarray) -> dict[str, object]:
        file = self._folder / f"answers-{os.getpid()}.npy"
        np.save(file, answers)
        return {"answers": str(file)}


def main() -> None:
    engine, _threads, folder = sys.argv[1:]
    serve(_Peer(engine, Path(folder)))


if __name__ == "__main__":
    main()
