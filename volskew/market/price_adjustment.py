"""Whether the prices of a file have their dividends taken out already.

A download that adjusts all four prices leaves the dividends beside them and has no second, adjusted close:
such a file counts as adjusted. Its own ex-dates bear witness. Where dividends are in the prices, the night
before an ex-date falls by the dividend on top of whatever it does; where they are out, it does not. Over all
ex-dates the fall per dividend is the slope of the nights on log(1 - dividend / close before), less the mean
of the other nights: 1 for prices as they were traded and 0 for adjusted ones, with the error that the scatter
of the other nights gives it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from volskew.ledger import Code, Entry, Stage
from volskew.market.pricefile import ParsedPrices, PriceRow

__all__ = ["Adjustment", "find_adjustment"]

_FIRM: Final = 3.0
"""Errors from 0 that a fall must be before it speaks against what the columns say."""
_HALF: Final = 0.5
"""Nearer to a whole dividend than to none."""
_NOT_A_NIGHT: Final = 0.25
"""Log move that is a split or an error, as in `volskew.measures.realised_moves`."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a file says of the dividends in its prices.

    Attributes
    ----------
    is_adjusted : bool
        Whether they are taken out already.
    n_dividends : int
        Ex-dates with a night before them.
    fall : float
        Fall of those nights per dividend, NaN where it cannot be told.
    error : float
        Its standard error.
    """

    is_adjusted: bool
    n_dividends: int
    fall: float
    error: float

    def entry(self, symbol: str, source: str) -> Entry:
        """For the ledger, in words."""
        witness = "its nights do not tell"
        if math.isfinite(self.fall) and math.isfinite(self.error):
            witness = (
                f"over {self.n_dividends} ex-dates prices fell by {self.fall:.2f} of the dividend, "
                f"give or take {self.error:.2f}"
            )
        code, said = (
            (Code.PRICES_ADJUSTED, "taken as adjusted, and dividends are not taken out of moves again")
            if self.is_adjusted
            else (Code.PRICES_UNADJUSTED, "taken as not adjusted, in spite of that")
        )
        detail = f"a column of dividends and none of adjusted closes; {witness}: {said}"
        return Entry(None, symbol, str(Stage.MARKET), str(code), 1, detail, source)


def find_adjustment(parsed: ParsedPrices) -> Adjustment | None:
    """Tell whether a file's prices of one symbol are adjusted for dividends.

    Parameters
    ----------
    parsed : ParsedPrices
        All of its rows.

    Returns
    -------
    Adjustment or None
        None where the question does not arise: no dividend stands in the file, or adjusted closes stand
        beside the closes.
    """
    rows = [parsed.rows[day] for day in sorted(parsed.rows)]
    if parsed.has_adjusted_close or not any(row.dividend > 0.0 for row in rows):
        return None
    n_dividends, fall, error = _fall(rows)
    is_contradicted = fall > _HALF and fall > _FIRM * error
    return Adjustment(not is_contradicted, n_dividends, fall, error)


def _fall(rows: Sequence[PriceRow]) -> tuple[int, float, float]:
    """Ex-dates, and what the nights before them fell by per dividend, with its error."""
    close, first, dividend, split = (
        np.array([getattr(row, name) for row in rows]) for name in ("close", "open", "dividend", "split")
    )
    before = close[:-1]
    paid = np.nan_to_num(dividend[1:])
    # the open where there is one: less of the day's own noise
    moves = np.log(np.where(np.isnan(first[1:]), close[1:], first[1:]) / before)
    is_night = (np.abs(moves) < _NOT_A_NIGHT) & (paid < before) & ~(np.nan_to_num(split[1:], nan=1.0) != 1.0)
    is_ex = is_night & (paid > 0.0)
    others = moves[is_night & ~is_ex]
    n_dividends = int(is_ex.sum())
    if not n_dividends or len(others) < 2:
        return n_dividends, math.nan, math.nan
    expected = np.log1p(-paid[is_ex] / before[is_ex])
    total = float(expected @ expected)
    fall = float(expected @ (moves[is_ex] - others.mean())) / total
    return n_dividends, fall, float(others.std(ddof=1)) / math.sqrt(total)
