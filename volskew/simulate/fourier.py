"""Heston's and Bates' models by Fourier inversion: smiles that are neither SVI slices nor mixtures.

The variance follows ``dv = κ (θ - v) dt + σ √v dW``, correlated by ρ with the log price (Heston 1993), to
which Bates (1996) adds jumps of rate λ with normal log sizes. The price of a strike is Lewis' integral
(2001), with k = ln(strike / forward) and φ the characteristic function of the log price over the forward::

    E min(X, e^k) = e^(k/2) / π · ∫₀^∞ Re[e^(-iuk) φ(u - i/2)] / (u² + ¼) du

It is summed by Gauss' rule on panels that follow the pole at i/2, the oscillation of the farthest strike and
the decay of φ. The error is below 1e-14 of the forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.simulate.smile import Law

__all__ = ["FourierLaw", "StochasticVolModel", "characteristic_function"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_PHASE: Final = 36.0
"""Largest turn [radians] of the integrand over one panel, which 32 points sum to rounding."""
_SMALL: Final = 1e-14
"""The integral ends where |φ| / u is this small: what is left of it is below 1e-15."""
_FARTHEST: Final = (2.5, 12.0)
"""Log moneyness up to which the panels follow the oscillation: at least this, and so many deviations."""


@dataclass(frozen=True, slots=True)
class StochasticVolModel:
    """Bates' model; Heston's where `jump_rate` is 0.

    Attributes
    ----------
    start, level : float
        Variance now and in the long run.
    speed : float
        Mean reversion [1/years].
    vol_of_vol : float
        σ of the variance.
    correlation : float
        Of price and variance, not positive.
    jump_rate : float
        Jumps a year.
    jump_mean, jump_sd : float
        Of the log jump.
    """

    start: float
    level: float
    speed: float
    vol_of_vol: float
    correlation: float
    jump_rate: float = 0.0
    jump_mean: float = 0.0
    jump_sd: float = 0.0

    def law(self, years: float) -> Law:
        """The law at a maturity [years, on the clock that variance accrues on]."""
        return FourierLaw(self, years)

    def variance(self, years: float) -> float:
        """Expected variance of the log price to a maturity, jumps included."""
        faded = -math.expm1(-self.speed * years) / self.speed
        jumps = self.jump_rate * (self.jump_mean**2 + self.jump_sd**2)
        return self.level * years + (self.start - self.level) * faded + jumps * years


def characteristic_function(model: StochasticVolModel, argument: Complex, years: float) -> Complex:
    """``E exp(i z ln X)`` for the price X over its forward, in the form without branch cuts.

    Parameters
    ----------
    model : StochasticVolModel
        Parameters.
    argument : ndarray of complex128
        z, with an imaginary part in [-1, 0].
    years : float
        Maturity.

    Returns
    -------
    ndarray of complex128
        With the roots as Albrecher, Mayer, Schoutens and Tistaert (2007) take them.
    """
    iz = 1j * argument
    sigma2 = model.vol_of_vol**2
    lean = model.speed - model.correlation * model.vol_of_vol * iz
    root = np.sqrt(lean * lean + sigma2 * (iz + argument * argument))
    # lean - root without cancellation
    less = -sigma2 * (iz + argument * argument) / (lean + root)
    ratio = less / (lean + root)
    faded = np.exp(-root * years)
    slope = less / sigma2 * (1.0 - faded) / (1.0 - ratio * faded)
    drift = model.speed * model.level / sigma2
    constant = drift * (less * years - 2.0 * np.log((1.0 - ratio * faded) / (1.0 - ratio)))
    exponent = constant + slope * model.start
    if model.jump_rate > 0.0:
        mean = math.expm1(model.jump_mean + 0.5 * model.jump_sd**2)
        jump = np.exp(iz * model.jump_mean - 0.5 * (model.jump_sd * argument) ** 2) - 1.0
        exponent = exponent + model.jump_rate * years * (jump - iz * mean)
    return np.asarray(np.exp(exponent))


@dataclass(slots=True)
class FourierLaw:
    """One maturity of a `StochasticVolModel`."""

    model: StochasticVolModel
    years: float
    _farthest: float = field(init=False, repr=False)
    _nodes: Array = field(init=False, repr=False)
    _values: Complex = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lay the panels and keep the characteristic function on them, with the weights in it."""
        self._farthest = max(_FARTHEST[0], _FARTHEST[1] * self.deviation)
        u, weight = _panels(self._end(), widest=_PHASE / self._farthest)
        phi = characteristic_function(self.model, _lowered(u), self.years)
        self._nodes = u
        self._values = np.asarray(weight * phi / ((u * u + 0.25) * math.pi))

    @property
    def deviation(self) -> float:
        """Standard deviation of the logarithm."""
        return math.sqrt(self.model.variance(self.years))

    def prices(self, log_moneyness: Array) -> tuple[Array, Array]:
        """Undiscounted prices of call and put per unit of forward; NaN farther out than twelve deviations."""
        k = np.asarray(log_moneyness, dtype=np.float64)
        k = np.where(np.abs(k) <= self._farthest, k, np.nan)
        covered = np.exp(0.5 * k) * self._sum(k, self._values)
        return np.asarray(1.0 - covered), np.asarray(np.exp(k) - covered)

    def above(self, log_moneyness: Array) -> Array:
        """Probability that the price ends above the strike: the slope of ``E min(X, e^k)`` in e^k."""
        k = np.asarray(log_moneyness, dtype=np.float64)
        return np.asarray(np.exp(-0.5 * k) * self._sum(k, (0.5 - 1j * self._nodes) * self._values))

    def _sum(self, k: Array, values: Complex) -> Array:
        turn = np.multiply.outer(k, self._nodes)
        # no matrix product: its bits depend on the library's threads
        return np.asarray(np.sum(np.cos(turn) * values.real + np.sin(turn) * values.imag, axis=-1))

    def _end(self) -> float:
        """Where the integrand has become negligible."""
        u = 1.15 ** np.arange(120.0)
        size = np.abs(characteristic_function(self.model, _lowered(u), self.years)) / u
        return float(u[np.flatnonzero(size < _SMALL)[0]])


def _lowered(u: Array) -> Complex:
    """The line ``u - i/2`` along which is integrated."""
    return np.asarray(u - 0.5j, dtype=np.complex128)


def _panels(end: float, *, widest: float) -> tuple[Array, Array]:
    """Points and weights from 0 to `end`: panels double from ½ on, up to the width that the phase allows."""
    edges = [0.0, 0.5]
    while edges[-1] < end:
        edges.append(edges[-1] + min(edges[-1], widest, end / 12.0 + 0.5))
    low, high = np.array(edges[:-1])[:, np.newaxis], np.array(edges[1:])[:, np.newaxis]
    points = 0.5 * (low + high) + 0.5 * (high - low) * _POINTS
    return points.ravel(), (0.5 * (high - low) * _WEIGHTS).ravel()
