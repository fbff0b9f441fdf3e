"""The term structure as a Gaussian process, by dense algebra, one window and one pair of sizes at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

Floats = NDArray[np.float64]

SMOOTH = (0.002, 0.006, 0.02, 0.06, 0.2, 0.6)
EVENTS = (0.0001, 0.00022, 0.00047, 0.001, 0.0022, 0.0047, 0.01, 0.022)
SIZES = [(smooth, events) for smooth in SMOOTH for events in EVENTS]
CURVATURE = 0.3


def prior(smooth: float, events: float) -> float:
    """Up to a constant: both logarithms are normal."""
    return -0.5 * ((math.log(smooth / 0.02) / 1.5) ** 2 + (math.log(events / 0.002) / 2.0) ** 2)


def smooth_covariance(x: float, y: float) -> float:
    """Of ``z(x) = integral of (x - u)^2/2 dW(u)`` from 0: by quadrature."""
    low = min(x, y)
    return float(quad(lambda u: (x - u) ** 2 * (y - u) ** 2 / 4, 0, low, epsabs=1e-16, epsrel=1e-12)[0])


def covariance(t: Floats, middle: float, smooth: float, events: float) -> Floats:
    """Of the process at some times."""
    x = np.log(t / middle)
    start = x.min()
    found = np.empty((len(t), len(t)))
    for i in range(len(t)):
        for j in range(len(t)):
            found[i, j] = (
                smooth**2 * smooth_covariance(x[i] - start, x[j] - start)
                + events**2 / (4 * max(t[i], t[j]))
                + (CURVATURE * x[i] ** 2 / 2) * (CURVATURE * x[j] ** 2 / 2)
            )
    return found


def trend(t: Floats, middle: float) -> Floats:
    return np.stack([np.ones(len(t)), np.log(t / middle)], axis=1)


def log_likelihood(t: Floats, y: Floats, noise: Floats, middle: float, smooth: float, events: float) -> float:
    """Restricted, up to a constant that is the same for all sizes."""
    matrix = covariance(t, middle, smooth, events) + np.diag(np.maximum(noise, 1e-5) ** 2)
    inverse, design = np.linalg.inv(matrix), trend(t, middle)
    normal = design.T @ inverse @ design
    fitted = design @ np.linalg.solve(normal, design.T @ inverse @ y)
    left = y - fitted
    return float(-0.5 * (np.linalg.slogdet(matrix)[1] + np.linalg.slogdet(normal)[1] + left @ inverse @ left))


def shares(evidence: Floats) -> Floats:
    """Probabilities of the pairs of sizes; the negligible left out."""
    score = evidence + np.array([prior(*sizes) for sizes in SIZES])
    likely = np.exp(score - score.max())
    likely[likely < 1e-4] = 0.0
    return np.asarray(likely / likely.sum())


def predict(t: Floats, noise: Floats, middle: float, at: float, share: Floats) -> tuple[Floats, float]:
    """Weights that have the least mean square error without bias, averaged; what they miss of the process."""
    n = len(t)
    weights = np.zeros(n)
    for (smooth, events), likely in zip(SIZES, share, strict=True):
        if likely:
            every = covariance(np.append(t, at), middle, smooth, events)
            matrix = every[:n, :n] + np.diag(np.maximum(noise, 1e-5) ** 2)
            design = trend(t, middle)
            # Lagrange: minimise the error's variance subject to no bias in level and slope
            system = np.block([[matrix, design], [design.T, np.zeros((2, 2))]])
            right = np.append(every[:n, n], trend(np.array([at]), middle)[0])
            weights += likely * np.linalg.solve(system, right)[:n]
    ends = np.append(weights, -1.0)
    missed = sum(
        likely * ends @ covariance(np.append(t, at), middle, smooth, events) @ ends
        for (smooth, events), likely in zip(SIZES, share, strict=True)
        if likely
    )
    return weights, float(missed)
