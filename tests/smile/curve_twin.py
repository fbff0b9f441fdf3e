"""Fitted smiles in plain Python, one at a time, and quotes to fit them to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from volskew.smile.curves import BUMP_STEP
from volskew.smile.fitting import MOVES, Curves, fit_curves
from volskew.smile.layout import BUMPS
from volskew.smile.svi import RawSvi

Floats = NDArray[np.float64]
CENTRES = BUMP_STEP * (np.arange(BUMPS) - (BUMPS - 1) / 2)


class PlainCurve:
    """A row of `volskew.smile.curves` by its formula alone."""

    def __init__(self, row: Floats) -> None:
        self.scale, self.level, self.years, self.lowest, self.highest = (float(x) for x in row[:5])
        self.a, self.p, self.q, self.m, self.s = (float(x) for x in row[5:10])
        self.heights = np.array(row[10:])

    def v(self, x: float) -> float:
        z = x - self.m
        square = (
            self.a + (self.p - self.q) / 2 * z + (self.p + self.q) / 2 * math.sqrt(z * z + self.s * self.s)
        )
        bumps = np.exp(-0.5 * ((x - CENTRES) / BUMP_STEP) ** 2)
        return math.sqrt(square) + float(self.heights @ bumps)

    def vol(self, k: float) -> float:
        """At a log-moneyness."""
        return self.level * self.v(k / self.scale)

    def d1(self, k: float) -> float:
        s = self.vol(k) * math.sqrt(self.years)
        return s / 2 - k / s

    def strike_of(self, d1: float) -> float:
        """The log-moneyness at which d1 is that."""
        low, high = (self.scale * x for x in (self.lowest - 0.5, self.highest + 0.5))
        return float(brentq(lambda k: self.d1(k) - d1, low, high, xtol=1e-15, rtol=1e-15))


def derivative(function: Callable[[float], float], x: float, step: float) -> float:
    """Five-point formula."""
    a, b, c, d = (function(x + i * step) for i in (-2, -1, 1, 2))
    return (a - 8 * b + 8 * c - d) / (12 * step)


def fit(
    k: Floats,
    vol: Floats,
    *,
    error: Floats | float = 0.002,
    years: float = 0.25,
    moves: Floats | None = None,
    model: Literal["svi", "essvi"] = "svi",
) -> Curves:
    """One slice."""
    n = len(k)
    return fit_curves(
        np.zeros(n, dtype=np.intp),
        k,
        vol,
        np.broadcast_to(np.asarray(error, dtype=np.float64), (n,)).copy(),
        np.zeros((MOVES, n)) if moves is None else moves,
        np.array([years]),
        model=model,
    )


SMILES = {
    "index": (RawSvi(0.01, 0.05, -0.5, 0.02, 0.1), 0.25),
    "month": (RawSvi(0.002, 0.04, -0.3, -0.01, 0.05), 0.08),
    "long": (RawSvi(0.03, 0.1, -0.7, 0.1, 0.3), 1.5),
}
"""Slices of total variance and their years."""


def quotes_of(name: str, n: int = 35, low: float = -2.5, high: float = 2.0) -> tuple[Floats, Floats, float]:
    """Log-moneyness and vols of one of these slices, between so many deviations, and its years."""
    slice_, years = SMILES[name]
    k = np.linspace(low, high, n) * math.sqrt(float(slice_.total_variance(0.0)))
    return k, np.sqrt(slice_.total_variance(k) / years), years


def crooked_vols(x: Floats, seed: int) -> Floats:
    """A smile that SVI is off from by up to two percent of the level; x in deviations."""
    generator = np.random.default_rng(seed)
    bare = 1.0 + 0.35 * (np.sqrt((x + 0.3) ** 2 + 1.0) - 1.0) - generator.uniform(0.05, 0.25) * x
    wave = 0.008 * np.sin(1.7 * x + generator.uniform(0, 6))
    return np.asarray(0.2 * np.sqrt(bare) * (1 + wave))
