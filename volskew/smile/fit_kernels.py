"""All smiles of a chain, one after another."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.smile.curves import derivatives, normal_distance
from volskew.smile.discrepancy_kernels import add_discrepancy, measure_uncertainty, prior_precision
from volskew.smile.layout import (
    BECAME,
    BUMPS,
    DROPPED,
    ESSVI,
    FALLS,
    HIGHEST,
    LEAST,
    LEAST_AT,
    LEVEL,
    LOWEST,
    NOISE,
    NOT_FITTED,
    RATIO,
    REPAIRED,
    SCALE,
    SPREAD,
    SVI,
    YEARS,
)
from volskew.smile.linear import copy, fill
from volskew.smile.order_kernels import median
from volskew.smile.svi_kernels import GRID, fit_essvi, fit_svi, lowest_butterfly, robust_scale

__all__ = [
    "begin",
    "fit_backbones",
    "fit_discrepancies",
    "measure_slices",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FEWEST_FOR_SVI, _FEWEST = 8, 5
_WEIGHT_CAP = 5.0
_NEAREST = 5


@kernel
def begin(
    offsets: Integers,
    log_moneyness: Floats,
    vol: Floats,
    error: Floats,
    years: Floats,
    curves: Floats,
    units: Floats,
) -> None:
    """Fill in the units of every slice, and its quotes in these: x, v and weight, the rows of `units`.

    Quotes stand slice by slice, by rising strike. Slices without enough of them keep a scale of 0.
    """
    for number in range(years.size):
        first, last = offsets[number], offsets[number + 1]
        if last - first < _FEWEST or not years[number] > 0.0:
            continue
        curve = curves[number]
        _begin(log_moneyness[first:last], vol[first:last], years[number], curve)
        for i in range(first, last):
            units[0, i] = log_moneyness[i] / curve[SCALE]
            units[1, i] = vol[i] / curve[LEVEL]
            units[2, i] = curve[LEVEL] / error[i]
        _cap(units[2, first:last])
        curve[LOWEST], curve[HIGHEST] = units[0, first], units[0, last - 1]


@kernel
def fit_backbones(
    offsets: Integers,
    units: Floats,
    simplest: int,
    curves: Floats,
    chains: Floats,
    facts: Floats,
    kinds: Integers,
) -> None:
    """Fit SVI to every slice, or else eSSVI; `simplest` is `ESSVI` where only that is wanted."""
    for number in range(kinds.size):
        first, last = offsets[number], offsets[number + 1]
        curve, fact = curves[number], facts[number]
        kinds[number] = NOT_FITTED
        if not curve[SCALE] > 0.0:
            continue
        x, v, weight = units[0, first:last], units[1, first:last], units[2, first:last]
        if simplest == SVI and last - first >= _FEWEST_FOR_SVI and x[1] < 0.0 < x[x.size - 2]:
            fact[SPREAD], repaired = fit_svi(x, v, weight, curve)
            if lowest_butterfly(curve, curve[LOWEST], curve[HIGHEST])[0] >= 0.0:
                kinds[number] = SVI
                fact[REPAIRED] = 1.0 if repaired else 0.0
                continue
        fact[SPREAD] = fit_essvi(x, v, weight, curve, chains[number])
        kinds[number] = ESSVI
        fact[BECAME] = DROPPED


@kernel
def fit_discrepancies(
    offsets: Integers, units: Floats, kinds: Integers, curves: Floats, facts: Floats
) -> None:
    """Add what the quotes say beyond SVI."""
    precision = np.empty((BUMPS, BUMPS))
    prior_precision(precision)
    for number in range(kinds.size):
        if kinds[number] == SVI:
            first, last = offsets[number], offsets[number + 1]
            fact = facts[number]
            fact[RATIO], fact[BECAME] = add_discrepancy(
                units[0, first:last], units[1, first:last], units[2, first:last], curves[number],
                fact[SPREAD], precision,
            )  # fmt: skip


@kernel
def measure_slices(
    offsets: Integers,
    units: Floats,
    moves: Floats,
    kinds: Integers,
    curves: Floats,
    chains: Floats,
    covariances: Floats,
    responses: Floats,
    facts: Floats,
    residuals: Floats,
) -> None:
    """Fill in residuals [half-spreads], covariances, responses to moves of the vols, facts of the fits."""
    precision = np.empty((BUMPS, BUMPS))
    prior_precision(precision)
    for number in range(kinds.size):
        if kinds[number] == NOT_FITTED:
            continue
        first, last = offsets[number], offsets[number + 1]
        curve, fact, residual = curves[number], facts[number], residuals[first:last]
        x, v, weight = units[0, first:last], units[1, first:last], units[2, first:last]
        for i in range(x.size):
            residual[i] = (v[i] - derivatives(x[i], curve)[0]) * weight[i]
        n_fixed = 5.0 if kinds[number] == SVI else 3.0
        fact[SPREAD] = robust_scale(residual, n_fixed + 2.0)
        fact[NOISE], fact[RATIO] = measure_uncertainty(
            x, v, weight, moves[:, first:last], curve, fact[SPREAD], n_fixed, chains[number], fact[RATIO],
            precision, covariances[number], responses[number],
        )  # fmt: skip
        fact[LEAST], fact[LEAST_AT] = lowest_butterfly(curve, curve[LOWEST], curve[HIGHEST])
        fact[FALLS] = 1.0 if _falls(curve) else 0.0


@inlined
def _begin(k: Floats, sigma: Floats, years: float, curve: Floats) -> None:
    """Units of the slice: the level is the median vol of the quotes nearest the forward."""
    above = 0
    while above < k.size and k[above] < 0.0:
        above += 1
    below = above - 1
    nearest = np.empty(min(_NEAREST, k.size))
    for i in range(nearest.size):
        if above == k.size or (below >= 0 and -k[below] <= k[above]):
            nearest[i] = sigma[below]
            below -= 1
        else:
            nearest[i] = sigma[above]
            above += 1
    fill(curve, 0.0)
    curve[LEVEL] = median(nearest)
    curve[YEARS] = years
    curve[SCALE] = curve[LEVEL] * math.sqrt(years)


@inlined
def _cap(weight: Floats) -> None:
    """No quote weighs more than five times the median one."""
    middle = np.empty(weight.size)
    copy(weight, middle)
    most = math.sqrt(_WEIGHT_CAP) * median(middle)
    for i in range(weight.size):
        weight[i] = min(weight[i], most)


@kernel
def _falls(curve: Floats) -> bool:
    """Whether d1 falls from quote to quote, so that a delta has one strike."""
    before = math.inf
    for i in range(GRID):
        x = curve[LOWEST] + (curve[HIGHEST] - curve[LOWEST]) * i / (GRID - 1)
        v, _, _ = derivatives(x, curve)
        here = normal_distance(x, v, curve[SCALE])
        if not here < before:
            return False
        before = here
    return True
