"""What stands between the spot and the forwards: interest, dividends to come, and the rest.

With continuous rate ``r`` and cash dividends ``D_i`` at times ``t_i``,

    F(T) = exp((r - b) T) (S - sum of D_i exp(-(r - b) t_i) over t_i < T),

where ``b``, the residual yield, holds what is left: borrow costs, errors of dividends and rate, funding; and
all dividends where none are known. It is what makes a pricer's forward that of the market.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from volskew.market.clock import is_session, next_session, session_open
from volskew.market.expiry import year_fraction
from volskew.market.table import MarketRow
from volskew.quotes.lines import FloatArray
from volskew.surface.robust import (
    MAD_TO_SIGMA,
    MEDIAN_ERROR,
    effective_size,
    theil_sen_slope,
    weighted_median,
)

__all__ = ["Schedule", "Spot", "dividend_schedule", "present_value", "residual_yield", "settle_spot"]

Schedule = tuple[tuple[float, float], ...]
"""Time to the ex-date [years] and amount [$] of each dividend."""

_STEPS = 30
_LONGEST = 0.5
"""[years] Expiries up to here tell the spot; at least the three nearest."""
_FEWEST = 3
_CARRY = 0.003
"""[1/year] What borrow and dividends of neighbouring expiries may differ by: far expiries tell less."""
_LINE_ERROR, _LINE_ERROR_BLIND = 1e-4, 1.5e-4
"""Of the spot: what a line through the carry leaves where dividends are known, and where they are steps."""
_LONE_CARRY, _LONE_CARRY_BLIND = 0.005, 0.015
"""[1/year] Carry that may stand before the first expiry, unknown."""
_BELIEVED = 3.0
"""The file's spot is kept within this many errors of the options' own."""


def dividend_schedule(market: MarketRow | None, symbol: str, snapshot: pd.Timestamp) -> Schedule | None:
    """The dividends of a symbol as pricers take them; None where nothing is known of them.

    The spot falls at the open of the ex-date's session (of the next one, where a file has an ex-date on
    which there is none): holders of the evening before are paid.
    """
    known = None if market is None else market.dividends_of(symbol)
    if known is None:
        return None
    days = [item.ex_date if is_session(item.ex_date) else next_session(item.ex_date) for item in known]
    times = [year_fraction(snapshot, session_open(day)) for day in days]
    return tuple((time, item.amount) for time, item in zip(times, known, strict=True) if time > 0)


def present_value(dividends: Schedule, *, rate: FloatArray, years: FloatArray) -> FloatArray:
    """``sum of D_i exp(-r t_i) over t_i < T`` [$] for each slice."""
    total = np.zeros(len(years))
    for when, amount in dividends:
        total += np.where(when < years, amount * np.exp(-rate * when), 0.0)
    return total


def residual_yield(
    forward: FloatArray, *, spot: float, rate: FloatArray, years: FloatArray, dividends: Schedule
) -> FloatArray:
    """The yield ``b`` of each slice [1/year]; NaN where forward, spot or time are not positive.

    Newton's method on ``exp(-(r - b) T) F + sum of D_i exp(-(r - b) t_i) = S``, whose left side rises with b.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        net = np.log(np.where((forward > 0) & (spot > 0), forward / spot, np.nan)) / years
        for _ in range(_STEPS if dividends else 0):
            value, slope = forward * np.exp(-net * years), -years * forward * np.exp(-net * years)
            for when, amount in dividends:
                worth = np.where(when < years, amount * np.exp(-net * when), 0.0)
                value, slope = value + worth, slope - when * worth
            step = (value - spot) / slope
            net = net - step
            if not (np.abs(step) > 1e-14).any():
                break
    return np.asarray(np.where(np.isfinite(net) & (years > 0), rate - net, np.nan))


@dataclass(frozen=True, slots=True)
class Spot:
    """The spot of the moment of the quotes [$], its standard error where it is implied, and whether it is."""

    price: float
    error: float
    is_implied: bool


def settle_spot(
    stated: float,
    *,
    forward: FloatArray,
    forward_error: FloatArray,
    rate: FloatArray,
    years: FloatArray,
    dividends: Schedule | None,
) -> Spot:
    """The file's spot where the options confirm it, else the one that they imply.

    Parameters
    ----------
    stated : float
        [$] The file's; NaN where it has none. It may be stale, an after-hours price, or of another minute.
    forward, forward_error : ndarray of float, per slice
        [$] NaN where there is none.
    rate, years : ndarray of float, per slice
    dividends : Schedule or None

    Returns
    -------
    Spot
        NaN where there is neither a price nor a forward.

    Notes
    -----
    ``ln(S'/F) + r T``, ``S'`` being a spot less the dividends until T, is ``b T`` where the spot is right; an
    error of the spot moves it at all maturities alike. A robust line over maturities up to half a year
    therefore has the spot's error as its value at T = 0. Where dividends are not known they are steps that
    no line could tell from an error of the spot: then the slope is the line's, and the three nearest expiries
    say where it begins, in doubt by a carry of 1.5 % a year until the first. With fewer than three expiries
    the nearest tells, in doubt by half a per cent a year (1.5 where dividends are not known).
    """
    known = np.flatnonzero(np.isfinite(forward) & (forward > 0) & np.isfinite(forward_error) & (years > 0))
    if not len(known):
        return Spot(stated, math.nan, is_implied=False)
    order = known[np.argsort(years[known], kind="stable")]
    serving = order[: max(_FEWEST, int((years[order] <= _LONGEST).sum()))]
    t, f, r = years[serving], forward[serving], rate[serving]
    reference = stated if stated > 0 else float(f[0] * np.exp(-r[0] * t[0]))
    worth = present_value(dividends or (), rate=r, years=t)
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.log((reference - worth) / f) + r * t
    fine = np.isfinite(y)
    if not fine.any():
        return Spot(stated, math.nan, is_implied=False)
    t, y = t[fine], y[fine]
    error = np.hypot(forward_error[serving][fine] / f[fine], _CARRY * t)
    weights = 1 / np.maximum(error, 1e-7) ** 2
    if len(t) >= _FEWEST and t[-1] > t[0]:
        slope = theil_sen_slope(t, y, weights)
        # dividends that are not known are steps in the line: only the nearest expiries say where it begins
        near = slice(None) if dividends is not None else slice(_FEWEST)
        rest, weights = y[near] - slope * t[near], weights[near]
        level = weighted_median(rest, weights)
        scatter = MAD_TO_SIGMA * weighted_median(np.abs(rest - level), weights)
        noise = MEDIAN_ERROR * scatter / np.sqrt(effective_size(weights))
        # and one may stand before the first expiry, and look like a lower spot
        unseen = _LONE_CARRY_BLIND * float(t[0])
        doubt = math.hypot(noise, _LINE_ERROR if dividends is not None else _LINE_ERROR_BLIND + unseen)
    else:
        level = float(y[0])
        carry = _LONE_CARRY if dividends is not None else _LONE_CARRY_BLIND
        doubt = math.hypot(float(error[0]), carry * float(t[0]))
    if stated > 0 and abs(level) <= _BELIEVED * doubt:
        return Spot(stated, 0.0, is_implied=False)
    price = reference * math.exp(-level)
    return Spot(price, price * doubt, is_implied=True)
