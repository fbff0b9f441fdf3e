"""The truth of one chain: exact vols at any maturity and delta, forwards, dividends, rate and borrow cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError
from volskew.market.clock import expiry_instants, session_close, tenor_years, year_fraction
from volskew.simulate.dividends import Dividend, times_to_ex_dates
from volskew.simulate.smile import Law, Model, deviation_at, deviation_at_delta
from volskew.simulate.trading_time import TradingClock

__all__ = ["ChainTruth"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChainTruth:
    """What a reader of the chain should find.

    Attributes
    ----------
    symbol : str
        Underlying.
    date : datetime.date
        The session; times count from its close.
    family : str
        ``mixture``, ``heston`` or ``bates``.
    model : Model
        The surface, in years of the clock.
    clock : TradingClock
        On which variance accrues.
    spot : float
        [$]
    rate, borrow : float
        Continuously compounded, decimal a year.
    dividends : tuple of Dividend
        What the market expects, and prices with.
    expiry_dates : tuple of datetime.date
        Listed expiries.
    """

    symbol: str
    date: dt.date
    family: str
    model: Model
    clock: TradingClock
    spot: float
    rate: float
    borrow: float
    dividends: tuple[Dividend, ...]
    expiry_dates: tuple[dt.date, ...]
    _laws: dict[float, Law] = field(default_factory=dict, repr=False)

    def law(self, years: float) -> Law:
        """The distribution of (price / forward) at a maturity [years of 365 days].

        It is the model's law of the maturity's trading time; vols are annual by the calendar all the same.
        """
        if years not in self._laws:
            self._laws[years] = self.model.law(float(self.clock.years(self.date, years)))
        return self._laws[years]

    def vol(self, tenor: str | ArrayLike, delta: ArrayLike) -> Array:
        """The vol whose own forward call delta N(d1) is `delta`, at any maturity.

        Parameters
        ----------
        tenor : str or array-like
            ``"3m"``, ``"91d"``, ... or years of 365 days.
        delta : array-like
            Forward call deltas in (0, 1): 0.25 for the 25-delta call, 0.75 for the 25-delta put. Broadcasts
            against `tenor`.

        Returns
        -------
        numpy.ndarray
            Annual vols, decimal, exact to about 1e-12.

        Raises
        ------
        SettingsError
            A maturity or a delta out of range.
        """
        deltas = np.asarray(delta, dtype=np.float64)
        if not np.all((deltas > 0.0) & (deltas < 1.0)):
            msg = f"deltas lie between 0 and 1, got {delta!r}"
            raise SettingsError(msg)
        return self._each(tenor, deltas, deviation_at_delta)

    def vol_at(self, tenor: str | ArrayLike, log_moneyness: ArrayLike) -> Array:
        """The vol at a log moneyness ln(strike / forward).

        Parameters
        ----------
        tenor : str or array-like
            As in `vol`.
        log_moneyness : array-like
            Broadcasts against `tenor`.

        Returns
        -------
        numpy.ndarray
            NaN where the out-of-the-money option is worth less than 1e-11 of the forward, and, for the
            Heston and Bates families, farther out than 2.5 and twelve deviations of the logarithm.
        """
        return self._each(tenor, np.asarray(log_moneyness, dtype=np.float64), deviation_at)

    def _each(self, tenor: str | ArrayLike, points: Array, solve: Callable[[Law, Array], Array]) -> Array:
        years, where = np.broadcast_arrays(_years_of(tenor), points)
        result = np.empty(years.shape)
        for value in np.unique(years):
            here = years == value
            result[here] = solve(self.law(float(value)), where[here]) / np.sqrt(value)
        return result

    def forward(self, tenor: str | ArrayLike) -> Array:
        """``(S - Σ D_i e^{-(r-b) t_i}) e^{(r-b) T}`` [$] over the ex-dates before the maturity."""
        years = _years_of(tenor)
        carry = self.rate - self.borrow
        times, cash = self.cash_flows
        paid = times < years[..., np.newaxis]
        value = np.sum(np.where(paid, cash * np.exp(-carry * times), 0.0), axis=-1)
        return np.asarray((self.spot - value) * np.exp(carry * years))

    @cached_property
    def cash_flows(self) -> tuple[Array, Array]:
        """Years from the close to the open of each ex-date, and the dividends [$]."""
        times = times_to_ex_dates(self.dividends, self.date)
        return times, np.array([item.amount for item in self.dividends], dtype=np.float64)

    @cached_property
    def expiry_years(self) -> Array:
        """Years of 365 days to each listed expiry, from close to close."""
        instants = expiry_instants(list(self.expiry_dates))
        return np.asarray(year_fraction(session_close(self.date), instants), dtype=np.float64)

    @property
    def expiries(self) -> pd.DataFrame:
        """One row a listed expiry.

        Returns
        -------
        pandas.DataFrame
            ``date``, ``symbol``, ``expiration`` (ISO dates), ``time_to_expiry`` [years], ``forward`` [$],
            ``discount_factor``, ``vol_25c``, ``vol_50``, ``vol_25p``, ``vol_atmf`` [decimal].
        """
        years = self.expiry_years
        vols = self.vol(years[:, np.newaxis], np.array([0.25, 0.50, 0.75]))
        return pd.DataFrame(
            {
                "date": self.date.isoformat(),
                "symbol": self.symbol,
                "expiration": [date.isoformat() for date in self.expiry_dates],
                "time_to_expiry": years,
                "forward": self.forward(years),
                "discount_factor": np.exp(-self.rate * years),
                "vol_25c": vols[:, 0],
                "vol_50": vols[:, 1],
                "vol_25p": vols[:, 2],
                "vol_atmf": self.vol_at(years, 0.0),
            }
        )


def _years_of(tenor: str | ArrayLike) -> Array:
    years = np.asarray(tenor_years(tenor) if isinstance(tenor, str) else tenor, dtype=np.float64)
    if not np.all((years > 0.0) & (years < 10.0)):
        msg = f"maturities lie between 0 and 10 years, got {tenor!r}"
        raise SettingsError(msg)
    return years
