r"""Raw SVI (Gatheral 2004) and eSSVI slices (Hendriks and Martini 2019) as formulas.

    w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2))

with ``w`` total variance, vol^2 T, and ``k = ln(K/F)``. Jump-wing parameters and the repair of a slice are
those of Gatheral and Jacquier (2014), sections 3 and 5.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError

__all__ = ["JumpWings", "RawSvi", "essvi_slice"]

Floats = NDArray[np.float64]


class JumpWings(NamedTuple):
    """SVI in a trader's terms.

    Attributes
    ----------
    v : float
        Variance at the forward, w(0)/T.
    psi : float
        Skew at the forward, ``w'(0)/(2 sqrt(w(0)))``.
    p, c : float
        Slopes of the left and right wing over ``sqrt(w(0))``.
    least : float
        Least variance, min w/T.
    """

    v: float
    psi: float
    p: float
    c: float
    least: float

    def repaired(self) -> JumpWings:
        """The nearest slice with the same v, psi and p without a butterfly: ``c = p + 2 psi`` and the least
        variance ``4 v p c/(p + c)^2``.
        """  # noqa: D205
        c = self.p + 2.0 * self.psi
        return self._replace(c=c, least=4.0 * self.v * self.p * c / (self.p + c) ** 2)


class RawSvi(NamedTuple):
    """A slice of total variance.

    Attributes
    ----------
    a, b, rho, m, sigma : float
        See the formula of this module.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def total_variance(self, log_moneyness: ArrayLike) -> Any:
        """Total variance w at each log-moneyness."""
        away = np.asarray(log_moneyness, dtype=np.float64) - self.m
        return self.a + self.b * (self.rho * away + np.hypot(away, self.sigma))

    def slope(self, log_moneyness: ArrayLike) -> Any:
        """dw/dk."""
        away = np.asarray(log_moneyness, dtype=np.float64) - self.m
        return self.b * (self.rho + away / np.hypot(away, self.sigma))

    def bend(self, log_moneyness: ArrayLike) -> Any:
        """d2w/dk2."""
        away = np.asarray(log_moneyness, dtype=np.float64) - self.m
        return self.b * self.sigma**2 / np.hypot(away, self.sigma) ** 3

    def butterfly(self, log_moneyness: ArrayLike) -> Any:
        """Gatheral and Jacquier's g: the density is negative where it is.

        ``g = (1 - k w'/2w)^2 - w'^2/4 (1/w + 1/4) + w''/2``
        """
        k = np.asarray(log_moneyness, dtype=np.float64)
        w, first, second = self.total_variance(k), self.slope(k), self.bend(k)
        return (1 - k * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 0.25) + second / 2

    @property
    def least_total_variance(self) -> float:
        """The minimum of w, ``a + b sigma sqrt(1 - rho^2)``."""
        return self.a + self.b * self.sigma * math.sqrt(1.0 - self.rho**2)

    def jump_wings(self, years: float) -> JumpWings:
        """The same slice in a trader's terms."""
        w = float(self.total_variance(0.0))
        root = math.sqrt(w)
        return JumpWings(
            v=w / years,
            psi=float(self.slope(0.0)) / (2.0 * root),
            p=self.b * (1.0 - self.rho) / root,
            c=self.b * (1.0 + self.rho) / root,
            least=self.least_total_variance / years,
        )

    @classmethod
    def from_jump_wings(cls, wings: JumpWings, years: float) -> RawSvi:
        """The slice with the given jump-wing parameters (Gatheral and Jacquier 2014, lemma 3.2).

        Raises
        ------
        SettingsError
            No slice has them: a wing falls outwards, or the skew at the forward is steeper than a wing. Or
            many have them: the forward is at the smile's minimum.
        """
        v, psi, p, c, least = wings
        w = v * years
        root = math.sqrt(w)
        b = 0.5 * root * (c + p)
        if not (p >= 0.0 and c >= 0.0 and b > 0.0):
            raise SettingsError(f"wings of SVI must not fall outwards; got p={p!r} and c={c!r}")
        rho = 1.0 - p * root / b
        beta = rho - 2.0 * psi * root / b
        if not abs(beta) <= 1.0:
            raise SettingsError(f"the skew psi={psi!r} is steeper than the wings p={p!r} and c={c!r}")
        # m and sigma over their common factor, which is 1 - rho beta - sqrt((1 - rho^2)(1 - beta^2))
        distance = math.sin(0.5 * (math.acos(rho) - math.acos(beta)))
        if not (distance != 0.0 and v > least):
            msg = f"v={v!r} must exceed the least variance {least!r}: at the minimum wings leave sigma open"
            raise SettingsError(msg)
        unit = (v - least) * years / (2.0 * b * distance**2)
        m, sigma = unit * beta, unit * math.sqrt(1.0 - beta**2)
        a = least * years - b * sigma * math.sqrt(1.0 - rho**2)
        return cls(a=a, b=b, rho=rho, m=m, sigma=sigma)


def essvi_slice(theta: float, rho: float, psi: float) -> RawSvi:
    """The SVI slice that an eSSVI slice is.

    ``w = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2))`` with ``phi = psi/theta``.

    Parameters
    ----------
    theta : float
        Total variance at the forward.
    rho : float
        Correlation, between -1 and 1.
    psi : float
        ``theta phi``; ``rho psi`` is the slope at the forward.

    Raises
    ------
    SettingsError
        The sufficient conditions for no butterfly do not hold: ``psi (1 + |rho|) < 4`` and
        ``psi^2 (1 + |rho|) <= 4 theta``.

    Examples
    --------
    >>> slice_ = essvi_slice(0.04, -0.6, 0.3)
    >>> round(float(slice_.total_variance(0.0)), 12), round(float(slice_.slope(0.0)), 12)
    (0.04, -0.18)
    """
    lean = 1.0 + abs(rho)
    if not (theta > 0.0 and -1.0 < rho < 1.0 and psi > 0.0):
        raise SettingsError(f"eSSVI needs theta > 0, |rho| < 1, psi > 0; got {theta!r}, {rho!r}, {psi!r}")
    if not (psi * lean < 4.0 and psi**2 * lean <= 4.0 * theta):
        raise SettingsError(
            f"an eSSVI slice with theta={theta!r}, rho={rho!r}, psi={psi!r} may have a butterfly: "
            "psi (1 + |rho|) must be below 4, and psi^2 (1 + |rho|) at most 4 theta"
        )
    phi = psi / theta
    rest = 1.0 - rho**2
    return RawSvi(a=theta * rest / 2, b=theta * phi / 2, rho=rho, m=-rho / phi, sigma=math.sqrt(rest) / phi)
