"""The surface that is the truth: a jump process on a deterministic clock, priced in closed form.

The log forward price is Brownian motion plus two compound Poisson processes (frequent small jumps, rare large
ones) with normal jump sizes, run on an increasing deterministic clock. Each maturity is therefore a Poisson
mixture of lognormals with mean one, and the prices of all maturities are those of one positive martingale:
there is no butterfly and no calendar arbitrage, whatever the parameters. The smile is neither quadratic in
delta nor an SVI slice.

All prices here are undiscounted and per unit of forward. The few lines of Black's formula are repeated on
purpose: the truth must not lean on the code that is judged by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtr, ndtri

from volskew.errors import VolskewError

__all__ = ["CLOCK_SPEED", "TENOR", "Mixture", "Shape", "clock", "mixture", "option_price", "vol_at_delta"]

Array = NDArray[np.float64]

TENOR: Final = 91.0 / 365.0
"""Three months [years]: the time to expiry at which business time is that time."""

CLOCK_SPEED: Final = 4.0
"""Speed [1/years] at which the clock's early rate decays to its late rate."""

_NEGLIGIBLE: Final = 1e-18
"""Mixture components below this weight are left out; the forward is then exact to 1e-16."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a fund's smile is made of diffusion and jumps; sizes are in units of the annual scale.

    Attributes
    ----------
    diffusion : float
        Diffusive variance as a share of the squared scale.
    small_rate, large_rate : float
        Jumps a year.
    small_mean, large_mean : float
        Mean log jump downwards, in scales.
    small_sd, large_sd : float
        Standard deviation of the log jump, in scales.
    """

    diffusion: float
    small_rate: float
    small_mean: float
    small_sd: float
    large_rate: float
    large_mean: float
    large_sd: float


@dataclass(frozen=True, slots=True)
class Mixture:
    """Law of (price at expiry / forward): lognormal components along the last axis.

    Attributes
    ----------
    weight : numpy.ndarray
        Probabilities, summing to one.
    log_mean : numpy.ndarray
        Logarithm of each component's mean; the weighted means sum to one.
    variance : numpy.ndarray
        Variance of each component's logarithm.
    """

    weight: Array
    log_mean: Array
    variance: Array


def clock(years: ArrayLike, *, inversion: ArrayLike) -> Array:
    """Business time [years] for time to expiry, increasing, and equal to it at `TENOR`.

    ``c(T) = (T + g a(T)) TENOR / (TENOR + g a(TENOR))`` with ``a(T) = (1 - exp(-s T)) / s``: the clock starts
    at ``1 + g`` times its late rate, so a positive `inversion` g makes near expiries dearer.

    Parameters
    ----------
    years : array-like
        Time to expiry, of a dated one its trading time (`trading_time`).
    inversion : array-like
        g > -1.

    Examples
    --------
    >>> float(clock(TENOR, inversion=0.8)) == TENOR
    True
    """
    time, g = np.asarray(years, dtype=np.float64), np.asarray(inversion, dtype=np.float64)
    early = -np.expm1(-CLOCK_SPEED * time) / CLOCK_SPEED
    early_at_tenor = -math.expm1(-CLOCK_SPEED * TENOR) / CLOCK_SPEED
    return np.asarray(TENOR * ((time + g * early) / (TENOR + g * early_at_tenor)))


def mixture(
    shape: Shape, *, scale: ArrayLike, skew: ArrayLike, curvature: ArrayLike, clock_time: ArrayLike
) -> Mixture:
    """The law at one maturity, for broadcast arrays of factors.

    Merton (1976): given n small and m large jumps the price is lognormal. With log jumps N(-a, b²) of rate l
    each kind adds n (-a + b²/2) - l t (exp(-a + b²/2) - 1) to the log mean and n b² to the variance.

    Parameters
    ----------
    shape : Shape
        The fund's constants.
    scale : array-like
        Annual scale of all sizes, decimal: the level of vol.
    skew : array-like
        Multiplies the mean jumps.
    curvature : array-like
        Multiplies the dispersion of large jumps.
    clock_time : array-like
        Business time [years], from `clock`.

    Returns
    -------
    Mixture
        With one axis more than the broadcast inputs.
    """
    sigma, lean, bend, time = (
        np.asarray(value, dtype=np.float64)[..., np.newaxis] for value in (scale, skew, curvature, clock_time)
    )
    n, m = _jump_counts(shape, longest=float(time.max()))
    log_weight = (
        n * np.log(shape.small_rate * time)
        - shape.small_rate * time
        - gammaln(n + 1.0)
        + m * np.log(shape.large_rate * time)
        - shape.large_rate * time
        - gammaln(m + 1.0)
    )
    small_sd, large_sd = shape.small_sd * sigma, shape.large_sd * sigma * bend
    small = -shape.small_mean * sigma * lean + 0.5 * small_sd**2
    large = -shape.large_mean * sigma * lean + 0.5 * large_sd**2
    drift = -time * (shape.small_rate * np.expm1(small) + shape.large_rate * np.expm1(large))
    variance = shape.diffusion * sigma**2 * time + n * small_sd**2 + m * large_sd**2
    return Mixture(np.exp(log_weight), drift + n * small + m * large, variance)


def _jump_counts(shape: Shape, *, longest: float) -> tuple[Array, Array]:
    n, m = np.meshgrid(np.arange(60.0), np.arange(30.0), indexing="ij")
    small, large = shape.small_rate * longest, shape.large_rate * longest
    log_weight = (
        n * math.log(small) - small - gammaln(n + 1.0) + m * math.log(large) - large - gammaln(m + 1.0)
    )
    kept = log_weight > math.log(_NEGLIGIBLE)
    return n[kept], m[kept]


def option_price(law: Mixture, log_moneyness: ArrayLike, *, is_call: ArrayLike) -> Array:
    """Undiscounted price per unit of forward: the mixture of Black's prices.

    ``E max(±(X - e^k), 0) = Σ p_i [± m_i N(± d1_i) ∓ e^k N(± d2_i)]``, d1_i = (ln m_i - k) / √v_i + √v_i / 2.

    Parameters
    ----------
    law : Mixture
        Component axis last; its other axes broadcast against `log_moneyness`.
    log_moneyness : array-like
        k = ln(strike / forward).
    is_call : array-like of bool
        Broadcasts against `log_moneyness`.
    """
    k = np.asarray(log_moneyness, dtype=np.float64)[..., np.newaxis]
    sign = np.where(np.asarray(is_call, dtype=bool), 1.0, -1.0)[..., np.newaxis]
    root = np.sqrt(law.variance)
    d1 = (law.log_mean - k) / root + 0.5 * root
    mean = law.weight * np.exp(law.log_mean)
    return np.asarray(
        np.sum(sign * (mean * ndtr(sign * d1) - law.weight * np.exp(k) * ndtr(sign * (d1 - root))), axis=-1)
    )


def vol_at_delta(law: Mixture, *, delta: ArrayLike, years: ArrayLike) -> Array:
    """The vol whose own forward call delta N(d1) is `delta`: exact to a few units of rounding.

    With the deviation s = σ√T the strike that has delta Δ is k(s) = s²/2 - s N⁻¹(Δ), so one equation in s is
    left: Black's call price at (k(s), s) equals the mixture's at k(s). It is solved by Newton's method inside
    a bracket, with the exact derivative φ(d1) + e^k k'(s) (P(X > e^k) - N(d2)).

    Parameters
    ----------
    law : Mixture
        Component axis last; its other axes broadcast against `delta`.
    delta : array-like
        Forward call delta in (0, 1): 0.25 for the 25-delta call, 0.75 for the 25-delta put.
    years : array-like
        Calendar time to expiry, which turns the deviation into an annual vol.

    Returns
    -------
    numpy.ndarray
        Annual vol, decimal.

    Raises
    ------
    VolskewError
        The equation was not solved to rounding (no case is known).
    """
    target = np.asarray(delta, dtype=np.float64)
    overall = np.sqrt(np.sum(law.weight * (law.variance + law.log_mean**2), axis=-1))
    d1 = np.broadcast_to(np.asarray(ndtri(target)), np.broadcast_shapes(overall.shape, target.shape))
    s = np.broadcast_to(0.8 * overall, d1.shape).copy()
    low, high = 0.02 * s, 6.0 * s
    density = np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    for _ in range(80):
        k = 0.5 * s * s - d1 * s
        gap = ndtr(d1) - np.exp(k) * ndtr(d1 - s) - option_price(law, k, is_call=True)
        low, high = np.where(gap < 0.0, s, low), np.where(gap >= 0.0, s, high)
        slope = density + np.exp(k) * (s - d1) * (_probability_above(law, k) - ndtr(d1 - s))
        newton = s - gap / slope
        inside = np.isfinite(newton) & (newton >= low) & (newton <= high)
        moved = np.where(inside, newton, 0.5 * (low + high))
        # a price of order one carries a rounding error of a few 1e-16, which the slope turns into one of s
        done = np.abs(moved - s) <= 1e-15 / density + 1e-15 * s
        s = moved
        if done.all():
            return np.asarray(s / np.sqrt(np.asarray(years, dtype=np.float64)))
    msg = "the simulated surface has no vol at the wanted delta"
    raise VolskewError(msg)


def _probability_above(law: Mixture, k: Array) -> Array:
    d2 = (law.log_mean - k[..., np.newaxis]) / np.sqrt(law.variance) - 0.5 * np.sqrt(law.variance)
    return np.asarray(np.sum(law.weight * ndtr(d2), axis=-1))
