"""The quotes of one snapshot as plain arrays, grouped into slices: what the cleaning rules compute on.

A slice is the set of lines of one (root, settlement, expiry). AM- and PM-settled lines of one date, and
the lines of two roots, are never pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.clock import EASTERN, year_fraction
from volskew.market.rates import choose_curve
from volskew.market.table import MarketRow
from volskew.quotes.schema import COLUMNS
from volskew.settings import Settings

__all__ = ["SLACK", "BoolArray", "FloatArray", "IntArray", "Lines", "by_vendor"]

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]

SLACK: Final = 1e-9
"""[$] Float noise allowed in every comparison of prices. Quotes are whole cents, so that sums, differences
and interpolations of prices up to 1e4 carry errors near 1e-12, and true violations are far above 1e-9."""

_QUOTED_SHARE: Final = 0.05
"""A chain of vols with no larger share of lines that have a bid and an ask is read by its vols."""

NO_TIME: Final = np.iinfo(np.int64).min
"""The integer that stands for a missing instant."""

_RATE_MARGIN: Final = 0.01
_RATE_MARGIN_ASSUMED: Final = 0.04
"""[1 / year] What a known and an assumed rate may be wrong by. Index options imply about 0.4 % more than
Treasury bills (van Binsbergen, Diamond and Grotteria 2022), and a given rate is one rate for all expiries."""


@dataclass(frozen=True, slots=True)
class Lines:
    """One snapshot's lines as arrays of one length, in the order of the table they came from.

    Attributes
    ----------
    strike, bid, ask : ndarray of float
        [$], NaN where missing.
    is_call, has_right : ndarray of bool
        Call; and whether the right is known at all (`is_call` is False where it is not).
    expiry : ndarray of int64
        Microseconds since 1970 UTC; `NO_TIME` where missing.
    slice_id : ndarray of int
        Number of the line's slice, 0 .. `n_slices` - 1; slices are sorted by expiry, root, settlement.
    order : ndarray of int
        The lines by slice, strike and right, puts first.
    slice_years : ndarray of float, per slice
        [years, ACT/365] from the snapshot to expiry, not below 0.
    slice_discount : ndarray of float, per slice
        Discount factor of the market's curve, or else of the curve that the settings choose.
    slice_discount_low, slice_discount_high : ndarray of float, per slice
        The same at a rate higher and lower by what the rate may be wrong: 1 % a year, 4 % where it is only
        assumed. An arbitrage bound must hold for both before a line is called wrong.
    slice_european : ndarray of bool, per slice
        Every line of the slice has European exercise.
    spot : float
        [$] Median of the file's underlying prices, or else the market's; NaN where neither gives one.
    """

    strike: FloatArray
    bid: FloatArray
    ask: FloatArray
    is_call: BoolArray
    has_right: BoolArray
    expiry: NDArray[np.int64]
    slice_id: IntArray
    order: IntArray
    slice_years: FloatArray
    slice_discount: FloatArray
    slice_discount_low: FloatArray
    slice_discount_high: FloatArray
    slice_european: BoolArray
    spot: float

    @classmethod
    def of(cls, quotes: pd.DataFrame, *, market: MarketRow | None, settings: Settings) -> Lines:
        """Arrays of the canonical table `quotes`; see the class for their meaning.

        Raises
        ------
        InputError
            A canonical column is absent, a price or strike column holds no numbers, or the table holds
            more than one (symbol, snapshot_time).
        """
        _require_one_snapshot(quotes)
        expiry = instants(quotes["expiry"])
        numbers, first = _slice_numbers(quotes, expiry)
        years, discount, margin = _discounting(quotes, first, market, settings)
        american = np.bincount(numbers, weights=~_is_european(quotes, settings), minlength=len(first)) > 0
        strike, right = numeric(quotes, "strike"), quotes["is_call"]
        is_call = right.fillna(value=False).to_numpy(dtype=bool)
        spots = numeric(quotes, "underlying_price")
        spots = spots[np.isfinite(spots) & (spots > 0)]
        return cls(
            strike=strike,
            bid=numeric(quotes, "bid"),
            ask=numeric(quotes, "ask"),
            is_call=is_call,
            has_right=right.notna().to_numpy(dtype=bool),
            expiry=expiry,
            slice_id=numbers,
            order=np.lexsort((is_call, strike, numbers)),
            slice_years=years,
            slice_discount=discount,
            slice_discount_low=discount * np.exp(-margin * years),
            slice_discount_high=discount * np.exp(margin * years),
            slice_european=~american,
            spot=float(np.median(spots)) if len(spots) else _market_spot(quotes, market),
        )

    def ordered(self, mask: BoolArray) -> IntArray:
        """The lines of a mask by slice, strike and right."""
        return self.order[mask[self.order]]

    @property
    def n_slices(self) -> int:
        """How many slices there are; lines without expiry are in slices of their own."""
        return len(self.slice_years)


def instants(column: pd.Series[Any]) -> NDArray[np.int64]:
    """Microseconds since 1970 UTC of a column of UTC times; `NO_TIME` where it is null."""
    naive = column.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    return np.asarray(naive.view(np.int64), dtype=np.int64)


def numeric(quotes: pd.DataFrame, column: str) -> FloatArray:
    """A column as floats, null as NaN."""
    try:
        return quotes[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"holds values that are no numbers ({error})", column=column, accepted="numbers and nulls"
        ) from error


def _require_one_snapshot(quotes: pd.DataFrame) -> None:
    absent = [column.name for column in COLUMNS if column.name not in quotes.columns]
    if absent:
        raise InputError(
            f"the quotes table lacks {', '.join(absent)}",
            accepted="a canonical quotes table, as volskew.quotes.schema.conform makes it",
        )
    for column in ("symbol", "snapshot_time"):
        different = quotes[column].unique()
        if len(different) > 1:
            found = ", ".join(sorted(str(value) for value in different)[:5])
            raise InputError(
                f"the quotes table holds {len(different)} different values ({found})",
                column=column,
                accepted="the lines of one symbol at one snapshot_time",
            )


def _discounting(
    quotes: pd.DataFrame, first: IntArray, market: MarketRow | None, settings: Settings
) -> tuple[FloatArray, FloatArray, float]:
    """Years and discount factor of each slice, and what the rate may be wrong [1 / year]."""
    if not len(quotes):
        return np.zeros(0), np.zeros(0), _RATE_MARGIN
    snapshot = quotes["snapshot_time"].iloc[0]
    years = np.nan_to_num(np.maximum(year_fraction(snapshot, quotes["expiry"].iloc[first]), 0.0), nan=0.0)
    if market is None:
        curve = choose_curve(snapshot.tz_convert(EASTERN).date(), settings=settings)
    else:
        curve = market.curve
    margin = _RATE_MARGIN_ASSUMED if Code.RATE_ASSUMED in curve.flags else _RATE_MARGIN
    return years, curve.discount_factor(years), margin


def _market_spot(quotes: pd.DataFrame, market: MarketRow | None) -> float:
    spot = market.spot(str(quotes["symbol"].iloc[0])) if market is not None and len(quotes) else None
    return float("nan") if spot is None else spot


def _slice_numbers(quotes: pd.DataFrame, expiry: NDArray[np.int64]) -> tuple[IntArray, IntArray]:
    """Each line's slice, and each slice's first line."""
    roots = pd.factorize(quotes["root"], sort=True, use_na_sentinel=False)
    settlements = pd.factorize(quotes["settlement"], sort=True, use_na_sentinel=False)
    expiries = pd.factorize(expiry, sort=True)
    keys = (expiries[0] * len(roots[1]) + roots[0]) * len(settlements[1]) + settlements[0]
    present = np.bincount(keys) > 0
    numbers = (np.cumsum(present) - 1)[keys]
    first = np.empty(int(present.sum()), dtype=np.intp)
    first[numbers[::-1]] = np.arange(len(keys))[::-1]
    return numbers.astype(np.intp), first


def _is_european(quotes: pd.DataFrame, settings: Settings) -> BoolArray:
    european = np.array(quotes["exercise"] == "european", dtype=np.bool_)
    for root, style in settings.exercise_overrides:
        european[(quotes["root"] == root).to_numpy(dtype=bool)] = style == "european"
    return european


def by_vendor(*, bid: FloatArray, ask: FloatArray, vendor_vol: FloatArray) -> bool:
    """Whether a chain is read by its vendor's vols: these are there, and next to no quotes.

    Parameters
    ----------
    bid, ask, vendor_vol : ndarray of float
        Of all lines of one snapshot, [$] and decimal; NaN where missing.

    Examples
    --------
    >>> none = np.full(2, np.nan)
    >>> by_vendor(bid=none, ask=none, vendor_vol=np.array([0.2, 0.3]))
    True
    >>> by_vendor(bid=np.array([1.0, 2.0]), ask=np.array([1.1, 2.2]), vendor_vol=np.array([0.2, 0.3]))
    False
    """
    quoted = int(((bid > 0) & (ask > 0)).sum())
    return bool((vendor_vol > 0).sum() > quoted and quoted < _QUOTED_SHARE * len(bid))
