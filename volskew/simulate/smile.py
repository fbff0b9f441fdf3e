"""What a surface is asked for: prices and tail probabilities of one maturity, and the vols that follow.

A law says what the price at one maturity is distributed like, per unit of forward; a model gives the law of
any maturity. The vols are solved from its prices to rounding, whatever the law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from volskew.errors import VolskewError
from volskew.simulate.model import Mixture, Shape, clock, mixture, option_price

__all__ = ["Law", "MixtureModel", "Model", "deviation_at", "deviation_at_delta"]

Array = NDArray[np.float64]

_STEPS: Final = 100
_FAINTEST: Final = 1e-11
"""Out-of-the-money value per unit of forward below which a price has too few digits left for a vol."""


class Law(Protocol):
    """Distribution of (price at one maturity / forward)."""

    @property
    def deviation(self) -> float:
        """Standard deviation of the logarithm, roughly: where to look for a vol."""
        ...

    def prices(self, log_moneyness: Array) -> tuple[Array, Array]:
        """Undiscounted prices of call and put per unit of forward, error below 1e-12."""
        ...

    def above(self, log_moneyness: Array) -> Array:
        """Probability that the price ends above the strike."""
        ...


class Model(Protocol):
    """A surface: the law of every maturity, those of one positive martingale."""

    def law(self, years: float) -> Law:
        """The law at a maturity [years, on the clock that variance accrues on]."""
        ...


@dataclass(frozen=True, slots=True)
class MixtureLaw:
    """One maturity of the jump mixture (`volskew.simulate.model`)."""

    parts: Mixture

    @property
    def deviation(self) -> float:
        """Standard deviation of the logarithm."""
        second = self.parts.variance + self.parts.log_mean**2
        return math.sqrt(float(np.sum(self.parts.weight * second)))

    def prices(self, log_moneyness: Array) -> tuple[Array, Array]:
        """Undiscounted prices of call and put per unit of forward."""
        call, put = (option_price(self.parts, log_moneyness, is_call=side) for side in (True, False))
        return call, put

    def above(self, log_moneyness: Array) -> Array:
        """Probability that the price ends above the strike."""
        k = np.asarray(log_moneyness)[..., np.newaxis]
        root = np.sqrt(self.parts.variance)
        d2 = (self.parts.log_mean - k) / root - 0.5 * root
        return np.asarray(np.sum(self.parts.weight * ndtr(d2), axis=-1))


@dataclass(frozen=True, slots=True)
class MixtureModel:
    """Two kinds of jumps on a deterministic clock; see `volskew.simulate.model`.

    Attributes
    ----------
    shape : Shape
        The smile.
    scale, skew, curvature, inversion : float
        Factors of the day.
    """

    shape: Shape
    scale: float
    skew: float
    curvature: float
    inversion: float

    def law(self, years: float) -> Law:
        """The law at a maturity [years, on the clock that variance accrues on]."""
        parts = mixture(
            self.shape,
            scale=self.scale,
            skew=self.skew,
            curvature=self.curvature,
            clock_time=clock(years, inversion=self.inversion),
        )
        return MixtureLaw(parts)


def deviation_at_delta(law: Law, delta: Array) -> Array:
    """Deviation s = σ√T whose own forward call delta N(d1) is `delta`.

    As `volskew.simulate.model.vol_at_delta`, for any law: with k(s) = s²/2 - s N⁻¹(Δ) Black's call price at
    (k(s), s) must be the law's at k(s). Newton's method inside a bracket.

    Parameters
    ----------
    law : Law
        Of one maturity.
    delta : ndarray of float64
        Forward call deltas in (0, 1).

    Raises
    ------
    VolskewError
        The equation was not solved to rounding (no case is known).
    """
    d1 = np.asarray(ndtri(delta), dtype=np.float64)
    s = np.full(d1.shape, 0.8 * law.deviation)
    low, high = 0.02 * s, 6.0 * s
    density = np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    for _ in range(_STEPS):
        k = 0.5 * s * s - d1 * s
        gap = ndtr(d1) - np.exp(k) * ndtr(d1 - s) - law.prices(k)[0]
        low, high = np.where(gap < 0.0, s, low), np.where(gap >= 0.0, s, high)
        slope = density + np.exp(k) * (s - d1) * (law.above(k) - ndtr(d1 - s))
        moved = _inside(s - gap / slope, low, high)
        # a price of order one carries a rounding error of some 1e-16, which the slope turns into one of s
        done = np.abs(moved - s) <= 4e-15 / density + 1e-15 * s
        s = moved
        if done.all():
            return s
    msg = "the simulated surface has no vol at the wanted delta"
    raise VolskewError(msg)


def deviation_at(law: Law, log_moneyness: Array, *, prices: tuple[Array, Array] | None = None) -> Array:
    """Deviation s = σ√T of Black's formula at each strike; NaN where the price has too few digits for one.

    Parameters
    ----------
    law : Law
        Of one maturity.
    log_moneyness : ndarray of float64
        k = ln(strike / forward), one axis.
    prices : tuple of ndarray, optional
        The law's own, where they are known already.

    Returns
    -------
    ndarray of float64
        NaN where the out-of-the-money price is below 1e-11 of the forward.

    Raises
    ------
    VolskewError
        A price was not met (no case is known).
    """
    k = np.asarray(log_moneyness, dtype=np.float64)
    call, put = law.prices(k) if prices is None else prices
    price = np.where(k > 0.0, call, put)
    result = np.full(k.shape, np.nan)
    some = price > _FAINTEST
    k, price = k[some], price[some]
    sign = np.where(k > 0.0, 1.0, -1.0)
    s = np.full(k.shape, 0.8 * law.deviation)
    low, high = 0.02 * s, 20.0 * s
    for _ in range(_STEPS):
        d1 = 0.5 * s - k / s
        value = sign * (ndtr(sign * d1) - np.exp(k) * ndtr(sign * (d1 - s)))
        density = np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
        gap = value - price
        low, high = np.where(gap < 0.0, s, low), np.where(gap >= 0.0, s, high)
        # in logarithms far from the money, where the price is no straight line in s at all
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = s - value * np.log(value / price) / density
        moved = _inside(newton, low, high)
        done = np.abs(moved - s) <= 4e-16 / np.maximum(density, 1e-300) + 2e-15 * s
        s = moved
        if done.all():
            result[some] = s
            return result
    msg = "no Black vol for a price of the simulated surface"
    raise VolskewError(msg)


def _inside(newton: Array, low: Array, high: Array) -> Array:
    good = np.isfinite(newton) & (newton >= low) & (newton <= high)
    return np.where(good, newton, 0.5 * (low + high))
