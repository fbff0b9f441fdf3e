"""What is to be taken out of prices before they are moves: splits, dividends, and moves that none can be.

A split that the file states may be in its prices already, as vendors adjust backwards, or not: with it or
without, one of the two moves is that of an ordinary night, and that one is taken.

A move that no statement explains is never taken for vol in silence. A fall or rise by more than a quarter (in
logarithms), of the close or of the open, is what splits from 4-for-3 on leave behind, and more than the
S&P 500 moved on any day (0.23 on 1987-10-19). It is taken as a move only where the file says that there was
no split, by a column of splits or by adjusted closes that moved alike; and whatever the file says, not where
the price halved or doubled, as slips of a decimal point make it do. Nor is the range taken of a day whose
high is twice its low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from volskew.errors import InputError
from volskew.market.payments import PaymentList
from volskew.market.pricefiles import PriceHistory

__all__ = ["LARGEST_MOVE", "LARGEST_STATED_MOVE", "Adjusted", "adjusted_prices"]

LARGEST_MOVE: Final = 0.25
"""Log move of a night or a day that is taken without a word of the file on splits."""

LARGEST_STATED_MOVE: Final = math.log(2.0)
"""Log move that is taken where the file says that there was no split; log range of a day too."""

_ALIKE: Final = 0.02
"""How far the adjusted close may move otherwise: a large dividend, and no split."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """What `volskew.measures.realised.realised_vol` wants beside closes, of each session of a history.

    Attributes
    ----------
    dividends : ndarray of float64
        Cash [$] that goes ex, 0 where none is known or it is out of the prices already.
    splits : ndarray of float64
        New shares for each old one where the prices are not adjusted for them, else 1; NaN where the move
        since the close before is not to be used.
    high : ndarray of float64
        The high [$], NaN where the day's range is not to be used.
    jumps, wide : ndarray of bool
        Where splits, and where highs, are NaN for that reason.
    """

    dividends: FloatArray
    splits: FloatArray
    high: FloatArray
    jumps: npt.NDArray[np.bool_]
    wide: npt.NDArray[np.bool_]


def adjusted_prices(history: PriceHistory, payments: PaymentList | None = None) -> Adjusted:
    """Splits and dividends of a history, and its moves that are none.

    Parameters
    ----------
    history : PriceHistory
    payments : PaymentList, optional
        The symbol's dividends. One whose ex-date is no session goes ex on the next.

    Raises
    ------
    InputError
        A dividend leaves nothing of the close before its ex-date.
    """
    splits = _unadjusted(history)
    before = np.full(len(history), np.nan)
    before[1:] = history.close[:-1] / splits[1:]
    dividends = _paid(history, payments, before)
    before -= dividends
    moves = np.fmax(np.abs(np.log(history.close / before)), np.abs(np.log(history.open / before)))
    is_stated = ~np.isnan(history.split) | _moved_alike(history)
    jumps = moves > np.where(is_stated, LARGEST_STATED_MOVE, LARGEST_MOVE)
    wide = np.log(history.high / history.low) > LARGEST_STATED_MOVE
    return Adjusted(
        dividends=dividends,
        splits=np.where(jumps, np.nan, splits),
        high=np.where(wide, np.nan, history.high),
        jumps=jumps,
        wide=wide,
    )


def _paid(history: PriceHistory, payments: PaymentList | None, before: FloatArray) -> FloatArray:
    """The cash that goes ex on each session."""
    paid = np.zeros(len(history))
    for payment in payments.payments if payments is not None else ():
        place = int(np.searchsorted(history.days, np.datetime64(payment.ex_date)))
        if not 0 < place < len(history) or history.is_adjusted[place]:
            continue
        paid[place] += payment.amount
        if paid[place] >= before[place]:
            raise InputError(
                f"a dividend that leaves nothing of the close before, {before[place]:g} in {history.source}",
                file=payment.source,
                row=payment.row,
                value=payment.amount,
                accepted="dividends and prices of one symbol in one unit",
            )
    return paid


def _unadjusted(history: PriceHistory) -> FloatArray:
    """Splits that the prices do not have in them, 1 elsewhere."""
    split = np.where(np.isnan(history.split), 1.0, history.split)
    first = np.where(np.isnan(history.open), history.close, history.open)
    night = np.full(len(history), np.nan)
    night[1:] = np.log(first[1:] / history.close[:-1])
    return np.where(np.abs(night + np.log(split)) < np.abs(night), split, 1.0)


def _moved_alike(history: PriceHistory) -> npt.NDArray[np.bool_]:
    """Whether the adjusted close moved as the close did."""
    alike = np.zeros(len(history), dtype=bool)
    ratio = np.log(history.adjusted_close / history.close)
    alike[1:] = np.abs(np.diff(ratio)) < _ALIKE
    return alike
