"""What the right to exercise early is worth on each line of one expiry.

The premium is American less European value on one finite-difference grid with cash dividends (`grid`), at the
vol whose European value with those dividends is the surface's own price. So the European part of a line stays
that of the surface, whatever the grid does.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from volskew.errors import VolskewError
from volskew.simulate.grid import grid_prices

__all__ = [
    "american_prices",
    "black_deviation",
    "early_exercise_premium",
    "may_be_exercised",
    "vol_between_dividends",
]

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_MOST_STEPS: Final = 20


def black_deviation(price: Array, log_moneyness: Array, *, start: Array) -> Array:
    """Deviation s = σ√T at which Black's undiscounted out-of-the-money price per unit of forward is `price`.

    Newton's method in s from `start`, which must be near (the smile between its solved points is).

    Parameters
    ----------
    price : ndarray of float64
        Of the call where `log_moneyness` is positive, else of the put.
    log_moneyness : ndarray of float64
        k = ln(strike / forward).
    start : ndarray of float64
        First guesses.

    Raises
    ------
    VolskewError
        No solution near the guess (no case is known).
    """
    k, s = log_moneyness, start.copy()
    sign = np.where(k > 0.0, 1.0, -1.0)
    for _ in range(_MOST_STEPS):
        d1 = 0.5 * s - k / s
        value = sign * (ndtr(sign * d1) - np.exp(k) * ndtr(sign * (d1 - s)))
        step = (value - price) * math.sqrt(2.0 * math.pi) * np.exp(np.minimum(0.5 * d1 * d1, 600.0))
        s = s - np.clip(step, -0.5 * s, s)
        if np.all(np.abs(step) <= 1e-11 * s):
            return np.asarray(s)
    msg = "no Black vol for a price of the simulated surface"
    raise VolskewError(msg)


def vol_between_dividends(
    deviation: Array, log_moneyness: Array, *, years: float, ex_times: Array, grown_cash: Array
) -> Array:
    """Vol of a spot price that drops by cash, for the European price of Black's vol on the forward.

    With cash G_t still to come (grown to the expiry) the forward has the local vol ``σ (1 + G_t / F_t)``. To
    first order in cash over price the Black variance is its mean square, over time and over the Gaussian
    bridge in log F from the forward to the strike (gamma times density of a Black option is that bridge)::

        s² = σ² T mean_u E[(1 + G / F_u)²],  E[F_u^-n] = exp(-n k u + ½ n² s² u (1 - u)),  u = t / T

    in units of the forward. What is left, of second order, is below 2e-6 for a fund's dividends, and moves
    the early-exercise premium by less than 0.01 cent.

    Parameters
    ----------
    deviation : ndarray of float64
        Black's s = σ_B √T.
    log_moneyness : ndarray of float64
        k = ln(strike / forward).
    years : float
        T.
    ex_times : ndarray of float64
        Years to each ex-date, increasing.
    grown_cash : ndarray of float64
        Amounts grown to the expiry, over the forward.

    Returns
    -------
    ndarray of float64
        Annual vol.
    """
    edges = np.concatenate([[0.0], ex_times / years])
    total = np.ones_like(deviation)
    for number, (early, late) in enumerate(itertools.pairwise(edges)):
        cash = float(grown_cash[number:].sum())
        u = 0.5 * (early + late) + 0.5 * (late - early) * _NODES
        k, s = log_moneyness[:, np.newaxis], deviation[:, np.newaxis]
        spread = s * s * u * (1.0 - u)
        first, second = np.exp(-k * u + 0.5 * spread), np.exp(-2.0 * k * u + 2.0 * spread)
        total += 0.5 * (late - early) * ((2.0 * cash * first + cash * cash * second) @ _WEIGHTS)
    return np.asarray(deviation / np.sqrt(years * total))


def may_be_exercised(
    strike: Array,
    *,
    is_call: bool,
    years: float,
    rate: float,
    ex_times: Array,
    cash: Array,
    borrow: float = 0.0,
) -> NDArray[np.bool_]:
    """Whether early exercise can be worth anything at all.

    Of a call it never is where each dividend is no more than the interest saved by paying the strike at the
    next ex-date, or at the expiry, instead: ``D_i <= K (1 - e^{-r (t_{i+1} - t_i)})`` (Roll 1977; Geske
    1979). Where borrowing costs something it is a yield, and a call may be exercised at any time. Puts may be
    exercised at a positive rate.
    """
    if not is_call:
        return np.full(strike.shape, rate > 0.0)
    if borrow > 0.0:
        return np.ones(strike.shape, dtype=np.bool_)
    waits = np.diff(np.append(ex_times, years))
    return np.asarray((cash > strike[:, np.newaxis] * -np.expm1(-rate * waits)).any(axis=1))


def early_exercise_premium(
    strike: Array,
    deviation: Array,
    *,
    is_call: bool,
    forward: float,
    years: float,
    rate: float,
    ex_times: Array,
    cash: Array,
    borrow: float = 0.0,
) -> tuple[Array, NDArray[np.bool_]]:
    """American less European price of each strike [$ of today].

    Parameters
    ----------
    strike : ndarray of float64
        [$]
    deviation : ndarray of float64
        Black's σ√T on the forward at each strike.
    is_call : bool
        The right.
    forward : float
        [$] of the expiry.
    years : float
        To the expiry.
    rate : float
        Continuously compounded.
    ex_times, cash : ndarray of float64
        Years to each ex-date, increasing and before the expiry, and its dividend [$].
    borrow : float
        Cost of borrowing, continuously compounded: the price grows at the rate less it.

    Returns
    -------
    premium : ndarray of float64
        Not negative.
    at_once : ndarray of bool
        The option is worth its exercise value: its holder exercises now.
    """
    premium, at_once = np.zeros(strike.shape), np.zeros(strike.shape, dtype=np.bool_)
    some = may_be_exercised(
        strike, is_call=is_call, years=years, rate=rate, ex_times=ex_times, cash=cash, borrow=borrow
    )
    if some.any():
        grown = cash * np.exp((rate - borrow) * (years - ex_times)) / forward
        moneyness = np.log(strike[some] / forward)
        american, european = grid_prices(
            strike=strike[some] / forward,
            vol=vol_between_dividends(
                deviation[some], moneyness, years=years, ex_times=ex_times, grown_cash=grown
            ),
            is_call=is_call,
            years=years,
            rate=rate,
            ex_times=ex_times,
            grown_cash=grown,
            borrow=borrow,
        )
        premium[some] = forward * math.exp(-rate * years) * np.maximum(american - european, 0.0)
        if not is_call or borrow > 0.0:
            lift, sign = math.exp(borrow * years), -1.0 if is_call else 1.0
            exercised = strike[some] / forward * math.exp(rate * years) - lift - lift * grown.sum()
            at_once[some] = american <= sign * exercised + 1e-13
    return premium, at_once


def american_prices(
    european: Array,
    strike: Array,
    deviation: Array,
    *,
    spot: float,
    forward: float,
    years: float,
    rate: float,
    ex_times: Array,
    cash: Array,
    borrow: float = 0.0,
) -> tuple[Array, Array]:
    """American prices and premiums [$ of today] of a call and a put at each strike.

    Parameters
    ----------
    european : ndarray of float64, (strikes, 2)
        Undiscounted European prices per unit of forward: calls, puts.
    strike, deviation, forward, years, rate, ex_times, cash, borrow
        As `early_exercise_premium` takes them.
    spot : float
        [$]

    Returns
    -------
    price, premium : ndarray of float64, (strikes, 2)
        No price is below the exercise value, and it is that where the holder would exercise now.
    """
    discounted = forward * np.exp(-rate * years)
    price, premium = np.empty_like(european), np.empty_like(european)
    for side, is_call in enumerate((True, False)):
        extra, at_once = early_exercise_premium(
            strike,
            deviation,
            is_call=is_call,
            forward=forward,
            years=years,
            rate=rate,
            ex_times=ex_times,
            cash=cash,
            borrow=borrow,
        )
        exercise = spot - strike if is_call else strike - spot
        whole = discounted * european[:, side] + extra
        price[:, side] = np.where(at_once, exercise, np.maximum(whole, exercise))
        premium[:, side] = price[:, side] - discounted * european[:, side]
    return price, premium
