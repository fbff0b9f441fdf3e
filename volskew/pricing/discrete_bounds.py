r"""What early exercise under cash dividends is worth at most, and what an option is worth at least.

Bounds on the premium, in units of the strike: each is what exercise gains over holding on, which is
worth at least the forward, at the times at which exercise can pay.

* A put earns interest on the strike, at most ``1 - exp(-r T)`` (and, where ``b < 0``, what the spot costs to
  hold, ``exp(-b T) - 1``), and only once the spot is below the strike. ``X``, which is no more than the spot,
  has then been below it, of which the probability is that of a Brownian motion's first passage.
* A call just before the ex-date ``t`` gains at most ``(1 - exp(-b (T - t))) X + C - (1 - exp(-r (T - t)))``,
  ``C`` being the value of this and later dividends over the strike; the expectation over ``X + C > 1`` is
  Black's formula. Between ex-dates it gains only where ``b S > r``, at most ``b S`` a year.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined
from volskew.pricing.discrete_grid import Market
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.pricing.mills import distribution

__all__ = ["known_floor", "premium_bound"]

Floats = NDArray[np.float64]


@inlined
def _put_bound(x: float, sigma: float, market: Market) -> float:
    """What the early-exercise premium of a put is at most."""
    time, rate, residual, _, drop = market
    b = x - drop
    if b <= 0.0:
        return math.inf
    v = sigma * math.sqrt(time)
    m = (rate - residual) * time - 0.5 * v * v
    reached = distribution((-b - m) / v) + fast_exp(min(-2.0 * m * b / (v * v), 600.0)) * distribution(
        (m - b) / v
    )
    return reached * (1.0 - fast_exp(-rate * time) + max(fast_exp(-residual * time) - 1.0, 0.0))


@inlined
def _call_bound(
    x: float,
    sigma: float,
    market: Market,
    left: Floats,
    amounts: Floats,
) -> float:
    """What the early-exercise premium of a call is at most."""
    time, rate, residual, _, drop = market
    total, later = 0.0, 0.0
    for j in range(left.size):
        # from the last ex-date back; `later` is what this and later dividends are worth at expiry
        t = time - left[j]
        later += amounts[j] * fast_exp(x + (rate - residual) * left[j])
        cash = later * fast_exp((residual - rate) * left[j])
        given_up = 1.0 - fast_exp(-residual * left[j])
        saved = cash - (1.0 - fast_exp(-rate * left[j]))
        if given_up <= 0.0 and saved <= 0.0:
            continue
        least = 1.0 - cash
        if given_up < 0.0 or least <= 0.0:
            return math.inf
        if saved < 0.0:
            least = max(least, -saved / given_up)
        v = sigma * math.sqrt(t)
        d1 = (x - drop - log_ratio(least, 1.0) + (rate - residual) * t) / v + 0.5 * v
        held = fast_exp(x - drop - residual * t)
        total += given_up * held * distribution(d1) + saved * fast_exp(-rate * t) * distribution(d1 - v)
    cost = max(residual, 0.0) + max(-rate, 0.0)
    if residual >= 0.0 and cost > 0.0:
        threshold = log_ratio(max(rate / residual, 1.0), 1.0) if residual > 0.0 else 0.0
        v = sigma * math.sqrt(time)
        if x >= threshold:
            return math.inf
        upwards = max(rate - residual + 0.5 * sigma * sigma, 0.0) * time
        total += (
            cost
            * time
            * fast_exp(x + max(-residual, 0.0) * time)
            * distribution((x - threshold + upwards) / v)
        )
    return total


@inlined
def known_floor(x: float, market: Market, left: Floats, amounts: Floats) -> tuple[float, float]:
    """The most that exercise now or beside an ex-date gives, and its derivative in x."""
    time, rate, residual, sign, drop = market
    spot = fast_exp(x)
    best, along = sign * (1.0 - spot), -sign * spot
    cash = 0.0
    for j in range(left.size):
        t = time - left[j]
        strike, held, kept = fast_exp(-rate * t), fast_exp(x - drop - residual * t), fast_exp(-residual * t)
        after = held + cash * kept
        # what later dividends are worth grows as the spot does
        cash += amounts[j] * spot * fast_exp((residual - rate) * t)
        before = held + cash * kept
        for worth in (after, before):
            if sign * (strike - worth) > best:
                best, along = sign * (strike - worth), -sign * worth
    return best, along


@inlined
def premium_bound(
    x: float,
    sigma: float,
    market: Market,
    left: Floats,
    amounts: Floats,
) -> float:
    """What the early-exercise premium is at most, in units of the strike; infinite where nothing is known."""
    if market[3] > 0.0:
        return _put_bound(x, sigma, market)
    return _call_bound(x, sigma, market, left, amounts)
