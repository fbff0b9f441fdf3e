"""Lines whose quotes are of an earlier time than the snapshot."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.quotes.bounds import Parity
from volskew.quotes.lines import NO_TIME, BoolArray, FloatArray, Lines, instants, numeric
from volskew.settings import Settings

__all__ = ["quoted_too_early", "unchanged_while_spot_moved"]

_MIN_DELTA: Final = 0.10
_MIN_DELTA_DEVIATIONS: Final = 1.2815515655446004
"""N(-1.28) = 0.10: how many deviations out of the money a delta of `_MIN_DELTA` lies."""
_CONTRACT: Final = ("root", "settlement", "expiry", "strike", "is_call")
_QUOTE: Final = ("bid", "ask", "bid_size", "ask_size")


def quoted_too_early(quotes: pd.DataFrame, *, settings: Settings) -> BoolArray:
    """Lines whose own quote time is more than `Settings.stale_seconds` before the snapshot."""
    time = instants(quotes["quote_time"])
    oldest = instants(quotes["snapshot_time"]) - round(settings.stale_seconds * 1e6)
    return np.asarray((time != NO_TIME) & (time < oldest), dtype=np.bool_)


def unchanged_while_spot_moved(
    quotes: pd.DataFrame,
    *,
    previous: pd.DataFrame,
    lines: Lines,
    parity: Parity,
    accepted: BoolArray,
    settings: Settings,
) -> BoolArray:
    """Accepted lines without a time whose quote is the previous session's, though the underlying moved.

    Bid, ask and both sizes must be the same (a size missing in both sessions is no difference), the
    underlying must have moved by more than `Settings.stale_underlying_move`, and the option must have a
    delta beyond 0.10, so that it ought to have moved too. The delta is the vendor's; where it gives none,
    a line counts that is in the money, or out of it by less than 1.28 deviations, the deviation of the
    expiry being read from its straddle at the forward: ``sigma sqrt(T) = (C + P) / (D F) sqrt(pi / 2)``
    (Brenner and Subrahmanyam 1988).

    Parameters
    ----------
    quotes, previous : pandas.DataFrame
        The snapshot and the one of the session before, labelled or not.
    lines, parity, accepted
        What is known of `quotes`.
    settings : Settings
        The threshold.

    Raises
    ------
    InputError
        `previous` is of another symbol, or not of an earlier time.
    """
    _require_earlier(quotes, previous)
    nothing = np.zeros(len(quotes), dtype=bool)
    before = numeric(previous, "underlying_price")
    before = before[np.isfinite(before) & (before > 0)]
    move = abs(lines.spot / float(np.median(before)) - 1) if len(before) else math.nan
    if not move > settings.stale_underlying_move:
        return nothing
    sensitive = accepted & (instants(quotes["quote_time"]) == NO_TIME)
    sensitive &= _has_delta(quotes, lines, parity, accepted)
    if not sensitive.any():
        return nothing
    columns = [*_CONTRACT, *_QUOTE]
    old = previous[columns].drop_duplicates()
    found = quotes.loc[sensitive, columns].merge(old, how="left", on=columns, indicator=True)
    nothing[sensitive] = (found["_merge"] == "both").to_numpy(dtype=bool)
    return nothing


def _require_earlier(quotes: pd.DataFrame, previous: pd.DataFrame) -> None:
    symbols = set(previous["symbol"].unique()) - set(quotes["symbol"].unique())
    if symbols:
        raise InputError(
            "the previous session's quotes are of another symbol",
            column="symbol",
            value=", ".join(sorted(map(str, symbols))),
            accepted=", ".join(map(str, quotes["symbol"].unique())),
        )
    latest, now = previous["snapshot_time"].max(), quotes["snapshot_time"].max()
    if latest >= now:
        raise InputError(
            "the previous session's quotes are not of an earlier time",
            column="snapshot_time",
            value=str(latest),
            accepted=f"a time before {now}",
        )


def _has_delta(quotes: pd.DataFrame, lines: Lines, parity: Parity, accepted: BoolArray) -> BoolArray:
    delta = np.abs(numeric(quotes, "vendor_delta"))
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = parity.forward[lines.slice_id]
        outside = np.log(lines.strike / forward) * np.where(lines.is_call, 1.0, -1.0)
    near = outside < _MIN_DELTA_DEVIATIONS * _deviation(lines, parity, accepted)[lines.slice_id]
    return np.asarray(np.where(np.isnan(delta), near, delta > _MIN_DELTA), dtype=np.bool_)


def _deviation(lines: Lines, parity: Parity, accepted: BoolArray) -> FloatArray:
    """Deviation sigma sqrt(T) of each slice from the straddle nearest its forward; NaN without one."""
    kept = accepted[parity.calls] & accepted[parity.puts]
    calls, puts = parity.calls[kept], parity.puts[kept]
    group = lines.slice_id[calls]
    order = np.lexsort((np.abs(lines.strike[calls] - parity.forward[group]), group))
    groups, first = np.unique(group[order], return_index=True)
    call, put = calls[order[first]], puts[order[first]]
    straddle = (lines.bid[call] + lines.ask[call] + lines.bid[put] + lines.ask[put]) / 2
    result = np.full(lines.n_slices, np.nan)
    base = lines.slice_discount[groups] * parity.forward[groups]
    result[groups] = straddle / base * math.sqrt(math.pi / 2)
    return result
