"""The rate that European index options imply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from volskew.market.rates import DiscountCurve
from volskew.quotes.clean import label
from volskew.quotes.lines import FloatArray
from volskew.settings import Settings, settings_or_default
from volskew.surface.chain import Chain, runs
from volskew.surface.pairs import capped_weights, find_pairs
from volskew.surface.robust import MAD_TO_SIGMA, MEDIAN_ERROR, effective_size, weighted_median

__all__ = ["box_rate"]

_FEWEST_PAIRS = 12
_EDGES = tuple(days / 365 for days in (20, 60, 120, 240, 480, 800))
"""[years] Expiries between two edges are pooled into one rate; shorter and longer ones are passed over."""
_LABELLED_AT = 91 / 365
"""[years] The rate that stands in the label, and whose error is the curve's."""
_WILDEST = 0.30
_WIDTH = 0.10
"""Pairs within 10 % of the forward per square root of a year (about half a standard deviation) serve."""
_HUBER = 1.345


def box_rate(quotes: pd.DataFrame, *, settings: Settings | None = None) -> DiscountCurve | None:
    """The rates implied by European index options, pooled over expiries.

    The slope of ``C - P`` on the strike is ``-D`` in every slice (van Binsbergen, Diamond and Grotteria,
    2022), whatever the dividends. It is fitted by a weighted Huber line, turned into ``r = -ln(D)/T``,
    and the slices of similar maturity are pooled by a median with weights ``1/error^2``.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Quotes of one date; more than one symbol and snapshot are allowed. Labelled tables are used as they
        are, canonical ones labelled first. Lines of American exercise are passed over.
    settings : Settings, optional
        Exercise overrides.

    Returns
    -------
    DiscountCurve or None
        One rate for each of the ranges 20, 60, 120, 240, 480, 800 days that has expiries with twelve
        pairs near the money; labelled ``box:<rate>`` by its rate at three months, with the standard
        error of the range nearest to that. None where there is no such expiry.

    Notes
    -----
    The error of a pool is the larger of what its slices claim and what their scatter shows.
    """
    chosen = settings_or_default(settings)
    found: list[tuple[float, float, float]] = []
    for _, part in quotes.groupby(["symbol", "snapshot_time"], sort=True, observed=True):
        found += _slice_rates(part, settings=chosen)
    if not found:
        return None
    years, rate, error = np.array(found).T
    pool = np.digitize(years, _EDGES)
    pooled = [
        _pool(years[pool == number], rate[pool == number], error[pool == number])
        for number in np.unique(pool)
    ]
    times, rates, errors = (tuple(column) for column in zip(*pooled, strict=True))
    nearest = int(np.abs(np.log(np.array(times) / _LABELLED_AT)).argmin())
    curve = DiscountCurve(tenors=times, rates=rates, label="box", error=errors[nearest])
    return replace(curve, label=f"box:{curve.rate(_LABELLED_AT):.4f}")


def _pool(years: FloatArray, rate: FloatArray, error: FloatArray) -> tuple[float, float, float]:
    """Mean time, median rate and its standard error of slices of similar maturity."""
    weights = capped_weights(error)
    middle = weighted_median(rate, weights)
    claimed = float(np.sqrt((weights**2 * error**2).sum()) / weights.sum())
    scatter = MAD_TO_SIGMA * weighted_median(np.abs(rate - middle), weights)
    shown = scatter / np.sqrt(effective_size(weights))
    return float(np.average(years, weights=weights)), middle, float(MEDIAN_ERROR * max(claimed, shown))


def _slice_rates(quotes: pd.DataFrame, *, settings: Settings) -> list[tuple[float, float, float]]:
    """Time, rate and its error of every European slice with enough pairs."""
    labelled = quotes if "exclusion" in quotes.columns else label(quotes, settings=settings)
    chain = Chain.of(labelled, market=None, settings=settings)
    everyone = find_pairs(chain)
    result = []
    for number, here in runs(everyone.slice_id):
        pairs, years = everyone.take(here), float(chain.years[number])
        if not chain.lines.slice_european[number] or not _EDGES[0] <= years < _EDGES[-1]:
            continue
        centre = weighted_median(
            pairs.strike + pairs.difference / chain.lines.slice_discount[number], capped_weights(pairs.half)
        )
        near = np.abs(np.log(pairs.strike / centre)) <= _WIDTH * np.sqrt(years)
        if near.sum() < _FEWEST_PAIRS:
            continue
        slope, error = _huber_slope(pairs.strike[near], pairs.difference[near], pairs.half[near])
        rate = -np.log(-slope) / years if slope < 0 else np.inf
        if abs(rate) <= _WILDEST:
            # r = -ln(D)/T, so its error is that of the slope over D T
            result.append((years, float(rate), error / (-slope * years)))
    return result


def _huber_slope(x: FloatArray, y: FloatArray, half: FloatArray) -> tuple[float, float]:
    """Slope of a Huber line weighted by 1/half^2, and its standard error."""
    base = capped_weights(half)
    weights = base
    slope = 0.0
    for _ in range(30):
        centre = np.average(x, weights=weights)
        spread = float((weights * (x - centre) ** 2).sum())
        before, slope = slope, float((weights * (x - centre) * y).sum() / spread)
        level = np.average(y, weights=weights) - slope * centre
        residual = (y - level - slope * x) * np.sqrt(base)
        scale = max(MAD_TO_SIGMA * float(np.median(np.abs(residual))), 1e-12)
        weights = base * np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(residual), 1e-300))
        if abs(slope - before) < 1e-14:
            break
    variance = float((weights * residual**2).sum()) / max(len(x) - 2, 1)
    return slope, float(np.sqrt(max(variance, 1e-30) / spread))
