"""Which pricer a line gets, and its vol: the one place where that is decided.

European lines are Black's. American lines with a dividend known before their expiry are priced with it,
American lines with none before it, or where nothing is known of dividends, with a continuous yield; either
way so that the pricer's forward is the market's. `Settings.pricer` can ask for Black's throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from volskew.pricing import Status, american, black, discrete
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Settings
from volskew.surface.carry import residual_yield
from volskew.surface.chain import Chain

__all__ = [
    "DIVIDENDS",
    "DIVIDENDS_DOUBTED",
    "EUROPEAN",
    "IGNORED",
    "YIELD",
    "Pricer",
    "Solved",
    "is_american",
]

EUROPEAN, YIELD, DIVIDENDS = "european", "yield", "dividends"
"""What a slice's pricer knows of early exercise."""
IGNORED = "parity:trend"
"""How forwards of American pairs are called where early exercise stays in, but for its trend over strikes."""
DIVIDENDS_DOUBTED = "DIVIDENDS_DOUBTED"
"""Flag of a forward for which the known dividends were left aside: the file's spot contradicts them."""


@dataclass(frozen=True, slots=True)
class Solved:
    """Vols [decimal] with `volskew.pricing.Status` codes, and early-exercise premiums [$]; NaN where none."""

    vol: FloatArray
    status: NDArray[np.uint8]
    premium: FloatArray


@dataclass(frozen=True, slots=True)
class Pricer:
    """Pricers of a chain's slices at given forwards.

    Attributes
    ----------
    kinds : ndarray of str, per slice
        `EUROPEAN`, `YIELD` or `DIVIDENDS`.
    forward, discount, rate, years, residual_yield : ndarray of float, per slice
        [$], [1/year], [years], [1/year].
    spot : float
        [$]
    """

    chain: Chain
    kinds: NDArray[np.str_]
    forward: FloatArray
    discount: FloatArray
    rate: FloatArray
    years: FloatArray
    residual_yield: FloatArray
    spot: float
    accuracy: american.Accuracy

    @classmethod
    def of(
        cls,
        chain: Chain,
        forward: FloatArray,
        *,
        spot: float,
        settings: Settings,
        ignored: BoolArray | None = None,
    ) -> Pricer:
        """The pricers of a chain.

        Parameters
        ----------
        chain : Chain
            Exercise, dividends, discounting and time of each slice.
        forward : ndarray of float, per slice
            [$]
        spot : float
            [$] Of the moment of the quotes; where NaN, American slices are read as European.
        settings : Settings
            `pricer` and `pricer_accuracy`.
        ignored : ndarray of bool, per slice, optional
            American slices that are read as European, as their forwards were.
        """
        lines, years, rate = chain.lines, chain.years, chain.rate
        dividends = chain.dividends or ()
        residual = residual_yield(forward, spot=spot, rate=rate, years=years, dividends=dividends)
        american_slices = is_american(chain, settings) & np.isfinite(residual)
        if ignored is not None:
            american_slices &= ~ignored
        kinds = np.where(american_slices, YIELD, EUROPEAN)
        if dividends:
            first = min(when for when, _ in dividends)
            kinds = np.where((kinds == YIELD) & (first < years), DIVIDENDS, kinds)
        return cls(
            chain=chain,
            kinds=kinds,
            forward=forward,
            discount=lines.slice_discount,
            rate=rate,
            years=years,
            residual_yield=residual,
            spot=spot,
            accuracy=settings.pricer_accuracy,
        )

    def implied_vols(
        self, price: FloatArray, *, slice_id: IntArray, strike: FloatArray, is_call: BoolArray
    ) -> Solved:
        """Vols of prices [$, today's], of shape (..., lines); the other arguments are by line."""
        price = np.atleast_2d(price)
        vol, premium = np.full(price.shape, np.nan), np.full(price.shape, np.nan)
        status = np.full(price.shape, Status.NOT_FINITE, dtype=np.uint8)
        kind = self.kinds[slice_id]
        for name in (EUROPEAN, YIELD, DIVIDENDS):
            here = np.flatnonzero(kind == name)
            if not len(here):
                continue
            at, k, call, paid = slice_id[here], strike[here], is_call[here], price[:, here]
            if name == EUROPEAN:
                solved = black.implied_vol(
                    paid / self.discount[at],
                    forward=self.forward[at],
                    strike=k,
                    time_to_expiry=self.years[at],
                    is_call=call,
                )
                premium[:, here] = 0.0
            else:
                contract: dict[str, Any] = {
                    "spot": self.spot,
                    "strike": k,
                    "time_to_expiry": self.years[at],
                    "rate": self.rate[at],
                    "dividend_yield": self.residual_yield[at],
                    "is_call": call,
                    "accuracy": self.accuracy,
                }
                if name == DIVIDENDS:
                    solved = discrete.implied_vol(paid, dividends=self.chain.dividends or (), **contract)
                else:
                    solved = american.implied_vol(paid, **contract)
                european = self.discount[at] * black.price(
                    forward=self.forward[at],
                    strike=k,
                    time_to_expiry=self.years[at],
                    vol=solved.vol,
                    is_call=call,
                )
                premium[:, here] = np.maximum(paid - european, 0.0)
            vol[:, here], status[:, here] = solved.vol, solved.status
        return Solved(vol, status, np.where(np.isfinite(vol), premium, np.nan))


def is_american(chain: Chain, settings: Settings) -> BoolArray:
    """Slices that are priced with early exercise."""
    american_slices = ~chain.lines.slice_european
    return american_slices if settings.pricer == "auto" else np.zeros_like(american_slices)
