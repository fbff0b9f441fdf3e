"""Prices that truth is made of, answers collected, calls timed in turns."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from american import engines, sets
from american.options import Options, save
from common import control, process
from common.process import ask, surviving
from numpy.typing import NDArray

PROGRAM = Path(__file__).with_name("peer.py")
PRICE, VOL = "price", "vol"

Floats = NDArray[np.float64]

_BUMP = 0.002
_CHECKED_EVERY = 5


class TruthError(RuntimeError):
    """There is no truth to measure by."""


@dataclass(frozen=True)
class Errors:
    """An engine's vols against the true ones, over the rows that it was given; vols are decimals."""

    rows: int
    median: float
    p95: float
    p99: float
    largest: float
    dollars: float
    failures: int


@dataclass
class Run(process.Run):
    """One engine on one core, and what came of it."""

    times: dict[str, list[float]] = field(default_factory=lambda: {PRICE: [], VOL: []})
    errors: Errors | None = None

    def microseconds(self, what: str) -> float:
        """CPU time, of the quickest round: other work can only add to it. NaN where not measured."""
        return min(self.times[what]) / 1e3 if self.times[what] and not self.failure else math.nan


def errors(answers: Floats, truth: Floats, vega: Floats) -> Errors:
    """What the answers miss the true vols by; no answer is a failure and in no quantile."""
    solved = np.isfinite(answers) & (answers > 0)
    gap = np.abs(answers[solved] - truth[solved])
    quantiles = np.quantile(gap, (0.5, 0.95, 0.99)) if gap.size else np.full(3, math.nan)
    return Errors(
        rows=answers.size,
        median=float(quantiles[0]),
        p95=float(quantiles[1]),
        p99=float(quantiles[2]),
        largest=float(gap.max(initial=0.0)),
        dollars=float((gap * vega[solved]).max(initial=0.0)),
        failures=int((~solved).sum()),
    )


class Exact:
    """QuantLib's processes for prices that are better than any engine's here."""

    def __init__(self, runs: dict[str, Run], folder: Path) -> None:
        self._runs, self._folder = runs, folder

    @staticmethod
    def runs() -> dict[str, Run]:
        return {engine.name: Run(engine, 1, engine.name) for engine in engines.TRUTH}

    def prices(self, options: Options, engine: str = engines.EXACT) -> Floats:
        return self._asked(options, engine, "answer", what=PRICE)

    def grid(self, options: Options, steps: int, *, european: bool) -> Floats:
        """Finite differences with true cash drops, twice as many points as time steps."""
        return self._asked(options, "FD", "fd", time_steps=steps, points=2 * steps, european=european)

    def refined(self, options: Options, steps: int, *, european: bool) -> Floats:
        """Two grids, `steps` and twice that, extrapolated.

        Errors of the European price fall with the square of the step, those of early exercise with the step.
        """
        coarse = self.grid(options, steps, european=european)
        fine = self.grid(options, 2 * steps, european=european)
        if european:
            return fine + (fine - coarse) / 3
        coarse_european = self.grid(options, steps, european=True)
        fine_european = self.grid(options, 2 * steps, european=True)
        premium = 2 * (fine - fine_european) - (coarse - coarse_european)
        return fine_european + (fine_european - coarse_european) / 3 + np.maximum(premium, 0.0)

    def vega(self, options: Options) -> Floats:
        """American vega [$ per 1.00 of vol], by differences of QuantLib's accurate prices."""
        up, down = (
            self.prices(options._replace(vol=options.vol * (1 + bump)), engines.ACCURATE)
            for bump in (_BUMP, -_BUMP)
        )
        return (up - down) / (2 * _BUMP * options.vol)

    def _asked(self, options: Options, engine: str, do: str, **details: object) -> Floats:
        save(self._folder, "truth", options)
        try:
            found: Floats = np.load(ask(self._runs[engine], do, name="truth", **details)["answers"])
        except process.PeerError as error:
            raise TruthError(str(error)) from error
        if not np.isfinite(found).all():
            msg = f"{engine} has no price for {int((~np.isfinite(found)).sum())} options"
            raise TruthError(msg)
        return found


@dataclass(frozen=True)
class Made:
    """Options with their prices and vegas, and how well the prices are known [$, and as vols]."""

    options: Options
    vega: Floats
    left_out: int
    difference: float
    difference_in_vol: float
    compared: int


def continuous(exact: Exact, expiries: tuple[int, ...], *, least: int) -> Made:
    """The continuous set, of informative quotes alone, and how far QuantLib's two equations are apart.

    `least` strikes are asked for; quotes that say nothing of the vol are left out afterwards.
    """
    options = sets.continuous(expiries, least=least)
    options = options._replace(price=exact.prices(options))
    vega = exact.vega(options)
    kept = np.flatnonzero(sets.informative(options, vega))
    chosen = options.take(kept)
    sample = chosen.take(np.arange(0, kept.size, _CHECKED_EVERY))
    apart = np.abs(sample.price - exact.prices(sample, engines.EXACT_A))
    return Made(
        options=chosen,
        vega=vega[kept],
        left_out=options.price.size - kept.size,
        difference=float(apart.max()),
        difference_in_vol=float((apart / vega[kept][::_CHECKED_EVERY]).max()),
        compared=sample.price.size,
    )


def answer(run: Run, options: Options, truth: Floats, vega: Floats, folder: Path, name: str) -> None:
    """Save what the engine is given, and judge its vols."""
    rows = np.arange(0, options.price.size, run.engine.every)
    save(folder, f"{name}-{run.engine.every}", options.take(rows))
    with surviving(run):
        found = np.load(ask(run, "answer", name=f"{name}-{run.engine.every}", what=VOL)["answers"])
        run.errors = errors(found, truth[rows], vega[rows])


def time(runs: Iterable[Run], name: str, rounds: int, seconds: float, steady: control.Steady) -> None:
    """Rounds, in each the engines one after the other, so that all see the same machine."""
    for _ in range(rounds):
        for run in runs:
            if run.failure:
                continue
            steady.trial()
            for what in (PRICE, VOL):
                if what == PRICE and run.engine.name == "impliedVolatility":
                    continue  # what it prices with cannot be called alone
                with surviving(run):
                    timed = ask(run, "time", name=f"{name}-{run.engine.every}", what=what, seconds=seconds)
                    run.times[what].append(timed["cpu_ns"])
                    run.cpus = max(run.cpus, timed["cpus"])


def spread(runs: Iterable[Run]) -> float:
    """Our slowest round over our median, where that is largest."""
    ratios = [
        max(times) / statistics.median(times)
        for run in runs
        if run.engine.environment is None
        for times in run.times.values()
        if times
    ]
    return max(ratios, default=1.0)
