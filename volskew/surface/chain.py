"""A labelled chain as arrays: what the stages of this folder compute on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from volskew.market.clock import EASTERN
from volskew.market.table import MarketRow
from volskew.quotes.clean import Labels
from volskew.quotes.lines import NO_TIME, BoolArray, FloatArray, IntArray, Lines, by_vendor, numeric
from volskew.settings import Settings
from volskew.surface.carry import Schedule, dividend_schedule

__all__ = ["Chain", "ranks", "runs"]

_PENNY = 0.01
_NICKEL = 0.05


@dataclass(frozen=True, slots=True)
class Chain:
    """One snapshot's labelled lines.

    Attributes
    ----------
    lines : Lines
        Strikes, rights, prices and slice numbers.
    labels : Labels
        Of the lines.
    accepted : ndarray of bool
        Lines without exclusion code.
    is_quoted : ndarray of bool
        Accepted lines with a bid and an ask above 0.
    mid, half_spread : ndarray of float
        [$] NaN where not quoted; a locked line has half a tick as half-spread.
    roots, settlements : tuple of str, per slice
    expiries : DatetimeIndex, per slice
        UTC.
    dates : tuple of date, per slice
        Expiry date in New York.
    tick : ndarray of float, per slice
        [$] Smallest price step seen in the slice's root: a penny or a nickel.
    spot : float
        [$] The market row's, else the file's; NaN where neither knows.
    by_vendor : bool
        The chain is read by a vendor's vols; see `volskew.quotes.lines.by_vendor`.
    dividends : tuple of (float, float), or None
        Time to the ex-date [years] and amount [$] of each dividend to come; None where nothing is known.
    """

    lines: Lines
    labels: Labels
    accepted: BoolArray
    is_quoted: BoolArray
    mid: FloatArray
    half_spread: FloatArray
    roots: tuple[str, ...]
    settlements: tuple[str, ...]
    expiries: pd.DatetimeIndex
    dates: tuple[dt.date, ...]
    tick: FloatArray
    spot: float
    by_vendor: bool
    dividends: Schedule | None

    @classmethod
    def of(
        cls,
        labelled: pd.DataFrame,
        *,
        market: MarketRow | None,
        settings: Settings,
        lines: Lines | None = None,
        labels: Labels | None = None,
    ) -> Chain:
        """Arrays of a labelled table; or of one whose `lines` and `labels` the caller has already."""
        lines = lines or Lines.of(labelled, market=market, settings=settings)
        labels = labels or Labels.of(labelled)
        accepted = labels.accepted & (lines.expiry != NO_TIME)
        quoted = accepted & (lines.bid > 0) & (lines.ask > 0) & (lines.ask >= lines.bid)
        first = np.zeros(lines.n_slices, dtype=np.intp)
        first[lines.slice_id[::-1]] = np.arange(len(lines.slice_id))[::-1]
        roots = tuple(labelled["root"].iloc[first])
        tick = _ticks(lines, quoted, roots)
        half = np.maximum((lines.ask - lines.bid) / 2, tick[lines.slice_id] / 2)
        expiries = pd.DatetimeIndex(labelled["expiry"].iloc[first])
        vols_only = by_vendor(bid=lines.bid, ask=lines.ask, vendor_vol=numeric(labelled, "vendor_vol"))
        symbol = str(labelled["symbol"].iloc[0]) if len(labelled) else ""
        spot = market.spot(symbol) if market is not None and len(labelled) else None
        return cls(
            lines=lines,
            labels=labels,
            accepted=accepted,
            is_quoted=quoted,
            mid=np.where(quoted, (lines.bid + lines.ask) / 2, np.nan),
            half_spread=np.where(quoted, half, np.nan),
            roots=roots,
            settlements=tuple(labelled["settlement"].iloc[first]),
            expiries=expiries,
            dates=tuple(expiries.tz_convert(EASTERN).date),
            tick=tick,
            spot=lines.spot if spot is None else spot,
            by_vendor=vols_only,
            dividends=(
                dividend_schedule(market, symbol, labelled["snapshot_time"].iloc[0])
                if len(labelled)
                else None
            ),
        )

    @property
    def years(self) -> FloatArray:
        """Time to expiry of each slice [years]."""
        return self.lines.slice_years

    @property
    def rate(self) -> FloatArray:
        """Rate of each slice's discount factor [1/year, continuous]; 0 at expiry."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.years > 0, -np.log(self.lines.slice_discount) / self.years, 0.0)

    def counts(self, mask: BoolArray) -> IntArray:
        """How many lines of each slice the mask holds."""
        return np.bincount(self.lines.slice_id[mask], minlength=self.lines.n_slices).astype(np.intp)

    def without(self, mask: BoolArray) -> Chain:
        """The chain with the lines of a mask counted as not accepted."""
        return replace(self, accepted=self.accepted & ~mask, is_quoted=self.is_quoted & ~mask)

    def places(self, forwards: pd.DataFrame) -> IntArray:
        """Row of each slice in a forwards table; -1 for slices that it lacks."""
        keys = zip(forwards["root"], forwards["settlement"], forwards["expiry"], strict=True)
        place = {key: position for position, key in enumerate(keys)}
        mine = zip(self.roots, self.settlements, self.expiries, strict=True)
        return np.array([place.get(key, -1) for key in mine], dtype=np.intp)

    def per_slice(self, forwards: pd.DataFrame, column: str) -> FloatArray:
        """A column of a forwards table by slice; NaN for slices that it lacks."""
        return np.append(forwards[column].to_numpy(dtype=np.float64), np.nan)[self.places(forwards)]


def runs(numbers: IntArray) -> list[tuple[int, slice]]:
    """The runs of equal numbers in a sorted array: each number with the places where it stands.

    Examples
    --------
    >>> runs(np.array([2, 2, 5]))
    [(2, slice(0, 2, None)), (5, slice(2, 3, None))]
    """
    distinct, starts = np.unique(numbers, return_index=True)
    stops = np.append(starts[1:], len(numbers))
    return [
        (number, slice(start, stop))
        for number, start, stop in zip(distinct.tolist(), starts.tolist(), stops.tolist(), strict=False)
    ]


def ranks(numbers: IntArray) -> IntArray:
    """The place of each element in its run of equal numbers, from 0 on.

    Examples
    --------
    >>> ranks(np.array([2, 2, 5])).tolist()
    [0, 1, 0]
    """
    places = np.arange(len(numbers))
    starts = np.where(np.diff(numbers, prepend=-1) != 0, places, 0)
    return places - np.maximum.accumulate(starts)


def _ticks(lines: Lines, quoted: BoolArray, roots: Sequence[str]) -> FloatArray:
    """A nickel where every quote of the root is a multiple of one, otherwise a penny."""
    codes, unique = pd.factorize(np.asarray(roots, dtype=object))
    cents = np.rint(np.concatenate([lines.bid[quoted], lines.ask[quoted]]) * 100)
    root = np.tile(codes[lines.slice_id[quoted]], 2)
    off_nickel = np.bincount(root, weights=cents % 5 != 0, minlength=len(unique)) > 0
    return np.where(off_nickel, _PENNY, _NICKEL)[codes]
