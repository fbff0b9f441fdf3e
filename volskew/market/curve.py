"""Discount curves: continuously compounded zero rates by time, flat or made from par yields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np
import numpy.typing as npt

from volskew.errors import SettingsError

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

__all__ = ["DiscountCurve"]

_LARGEST_RATE: Final = 1.0


@dataclass(frozen=True, slots=True)
class DiscountCurve:
    """Continuously compounded zero rates by time. Frozen, hashable and picklable.

    Made by `flat` or `from_par_yields`.

    Attributes
    ----------
    tenors : tuple of float
        Increasing times [years of 365 days].
    rates : tuple of float
        Zero rate at each tenor, continuously compounded, decimal a year.
    label : str
        Where the curve is from: ``flat:0.0430``, ``curve:2024-12-31``, ``box:0.0412``, ``assumed:0.0400``.
    flags : tuple of str
        Sorted; ``RATE_ASSUMED`` where nothing better was known.
    error : float or None
        One standard error of the rate, decimal a year, or None where no error is known.

    Examples
    --------
    >>> curve = DiscountCurve.flat(0.04)
    >>> curve.rate(0.25), round(curve.discount_factor(0.25), 6), curve.label
    (0.04, 0.99005, 'flat:0.0400')
    """

    tenors: tuple[float, ...]
    rates: tuple[float, ...]
    label: str
    flags: tuple[str, ...] = ()
    error: float | None = None

    def __post_init__(self) -> None:
        """Refuse curves that no time could be read from."""
        if not self.tenors or len(self.tenors) != len(self.rates):
            msg = f"a curve needs one rate a tenor, got {len(self.tenors)} tenors and {len(self.rates)} rates"
            raise SettingsError(msg)
        if any(not math.isfinite(tenor) or tenor <= 0.0 for tenor in self.tenors) or any(
            later <= earlier for earlier, later in zip(self.tenors, self.tenors[1:], strict=False)
        ):
            msg = f"tenors must be positive and increase, got {self.tenors!r} years"
            raise SettingsError(msg)
        if any(not math.isfinite(rate) or abs(rate) > _LARGEST_RATE for rate in self.rates):
            msg = (
                f"rates must be continuously compounded decimals between -{_LARGEST_RATE:g} and "
                f"{_LARGEST_RATE:g} (4 % is 0.04), got {self.rates!r}"
            )
            raise SettingsError(msg)
        if self.error is not None and not (math.isfinite(self.error) and self.error >= 0.0):
            msg = f"the standard error of a rate must be finite and not negative, got {self.error!r}"
            raise SettingsError(msg)

    @classmethod
    def flat(
        cls, rate: float, *, label: str | None = None, flags: Sequence[str] = (), error: float | None = None
    ) -> DiscountCurve:
        """One rate at every time.

        Parameters
        ----------
        rate : float
            Continuously compounded, decimal a year.
        label : str, optional
            ``flat:<rate>`` where absent.
        flags : sequence of str
            What should be known of the rate.
        error : float, optional
            One standard error of the rate.

        Raises
        ------
        SettingsError
            The rate is not finite, or looks like percent.
        """
        rate = float(rate)
        return cls(
            tenors=(1.0,),
            rates=(rate,),
            label=f"flat:{rate:.4f}" if label is None else label,
            flags=tuple(sorted(flags)),
            error=None if error is None else float(error),
        )

    @classmethod
    def from_par_yields(
        cls,
        tenors_years: Sequence[float],
        yields: Sequence[float],
        *,
        label: str = "curve",
        flags: Sequence[str] = (),
    ) -> DiscountCurve:
        """A curve through bond-equivalent par yields.

        ``r = 2 ln(1 + y/2)`` at each tenor (a semi-annual yield made continuous, exact for a single payment),
        then a monotone cubic (PCHIP) in time between tenors, flat outside them: the recipe Cboe publishes for
        its volatility indices. Coupons are not stripped, which matters beyond about two years only.

        Parameters
        ----------
        tenors_years : sequence of float
            Times [years], in any order, none twice.
        yields : sequence of float
            Bond-equivalent yields, decimal a year; missing ones (NaN) are skipped.
        label : str
            Where the yields are from.
        flags : sequence of str
            What should be known of the curve.

        Raises
        ------
        SettingsError
            No yield is left, a tenor comes twice or is not positive, or the lengths differ.

        Examples
        --------
        >>> curve = DiscountCurve.from_par_yields([0.25, 0.5], [0.0437, 0.0424])
        >>> round(curve.rate(0.25), 6), curve.rate(0.1) == curve.rate(0.25)
        (0.043229, True)
        """
        if len(tenors_years) != len(yields):
            msg = f"a curve needs one yield a tenor, got {len(tenors_years)} tenors and {len(yields)} yields"
            raise SettingsError(msg)
        points = sorted(
            (float(tenor), float(value))
            for tenor, value in zip(tenors_years, yields, strict=True)
            if not math.isnan(value)
        )
        if any(abs(value) > _LARGEST_RATE for _, value in points):
            seen = ", ".join(f"{value:g}" for _, value in points)
            msg = f"yields must be decimals between -1 and 1 (4 % is 0.04), got {seen}"
            raise SettingsError(msg)
        return cls(
            tenors=tuple(tenor for tenor, _ in points),
            rates=tuple(2.0 * math.log1p(value / 2.0) for _, value in points),
            label=label,
            flags=tuple(sorted(flags)),
        )

    @overload
    def rate(self, years: float) -> float: ...
    @overload
    def rate(self, years: npt.NDArray[Any]) -> npt.NDArray[np.float64]: ...
    def rate(self, years: float | npt.NDArray[Any]) -> float | npt.NDArray[np.float64]:
        """Continuously compounded zero rate to a time [decimal a year].

        Parameters
        ----------
        years : float or array
            Time [years of 365 days]. Before the first tenor (zero and negative times included) and after the
            last the rate is flat.

        Returns
        -------
        float or ndarray of float64
            NaN where `years` is NaN.
        """
        times = np.asarray(years, dtype=np.float64)
        if len(self.rates) == 1:
            rates = np.where(np.isnan(times), np.nan, self.rates[0])
        else:
            inside = np.clip(times, self.tenors[0], self.tenors[-1])
            rates = np.asarray(_spline(self.tenors, self.rates)(inside), dtype=np.float64)
        return float(rates) if np.ndim(years) == 0 else rates

    @overload
    def discount_factor(self, years: float) -> float: ...
    @overload
    def discount_factor(self, years: npt.NDArray[Any]) -> npt.NDArray[np.float64]: ...
    def discount_factor(self, years: float | npt.NDArray[Any]) -> float | npt.NDArray[np.float64]:
        """Value today of one dollar at a time: ``exp(-rate(T) T)``.

        Parameters
        ----------
        years : float or array
            Time [years of 365 days].

        Returns
        -------
        float or ndarray of float64
            NaN where `years` is NaN.
        """
        times = np.asarray(years, dtype=np.float64)
        factors = np.exp(-self.rate(times) * times)
        return float(factors) if np.ndim(years) == 0 else factors

    def content(self) -> dict[str, Any]:
        """Everything the curve says, in plain types that compare and serialise without loss."""
        return {
            "tenors": [repr(tenor) for tenor in self.tenors],
            "rates": [repr(rate) for rate in self.rates],
            "label": self.label,
            "flags": list(self.flags),
            "error": None if self.error is None else repr(self.error),
        }


@lru_cache(maxsize=256)
def _spline(tenors: tuple[float, ...], rates: tuple[float, ...]) -> PchipInterpolator:
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415 - flat curves need no scipy

    # a harmonic mean of slopes divides by them: one below 1e-308 overflows on its way to the right slope, 0
    with np.errstate(over="ignore"):
        return PchipInterpolator(tenors, rates, extrapolate=False)
