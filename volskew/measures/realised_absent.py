"""Why days have no realised vol."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from volskew.ledger import Code, Entry, Stage
from volskew.market.clock import are_sessions
from volskew.market.pricefiles import PriceHistory
from volskew.measures.realised import Estimator
from volskew.measures.realised_moves import Adjusted

__all__ = ["absent_entries"]

_SHOWN = 3


def absent_entries(
    history: PriceHistory,
    prices: Adjusted,
    is_read: npt.NDArray[np.bool_],
    *,
    item: Estimator,
    tenor: str,
    window: int,
    days: Collection[dt.date] | None,
) -> list[Entry]:
    """An entry for each run of wanted days without a reading.

    Parameters
    ----------
    history, prices
        What the readings were made of.
    is_read : ndarray of bool
        Whether each session of the history has a reading.
    item, tenor, window
        Of the readings.
    days : collection of datetime.date or None
        Wanted days; None: every session of the history.

    Returns
    -------
    list of Entry
        Dated by the last day of each run. PRICES_EARLY for days before the first whole window, PRICES_STALE
        for those after the last price; PRICE_GAP and PRICE_JUMP, the gap first where a window has both.
        Nothing is said of days without a session.
    """
    first, last = history.days[0], history.days[-1]
    wanted = history.days if days is None else _sessions_of(days)
    lead = window if item.needs_previous else window - 1
    start = history.days[lead] if lead < len(history) else None
    early = wanted[(wanted < start) if start is not None else (wanted <= last)]
    stale = wanted[wanted > last]
    entries = []
    if early.size:
        detail = f"windows of {window} sessions begin before the prices do, {first}"
        entries.append(_entry(history, Code.PRICES_EARLY, early, tenor, detail))
    if stale.size:
        entries.append(_entry(history, Code.PRICES_STALE, stale, tenor, f"the last price is of {last}"))
    if start is None:
        return entries
    rest = wanted[(wanted >= start) & (wanted <= last)]
    places = np.searchsorted(history.days, rest)
    lacking = ~is_read[places]
    gaps, jumps = _culprits(history, prices, item)
    for run in _runs(lacking):
        begin, end = places[run][0] - lead, places[run][-1] + 1
        gap, jump = (begin + np.flatnonzero(mask[begin:end]) for mask in (gaps, jumps))
        if item.needs_previous:  # of the day before the first window only the close matters
            gap = gap[(gap > begin) | np.isnan(history.close[begin])]
            jump = jump[jump > begin]
        code, found = (Code.PRICE_GAP, gap) if gap.size else (Code.PRICE_JUMP, jump)
        told = [_told(history, prices, place, item) for place in found[:_SHOWN]]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        entries.append(_entry(history, code, rest[run], tenor, f"{'; '.join(told)}{more}"))
    return entries


def _sessions_of(days: Collection[dt.date]) -> npt.NDArray[np.datetime64]:
    ordered = sorted(days)
    trading = are_sessions([day.isoformat() for day in ordered])
    return np.array(ordered, dtype="datetime64[D]")[trading]


def _culprits(
    history: PriceHistory, prices: Adjusted, item: Estimator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Sessions that lack a price the estimator needs, and those whose move or range is not to be used."""
    gaps = np.isnan(history.close)
    jumps = prices.jumps if item.needs_previous else np.zeros_like(prices.jumps)
    if item.needs_ranges:
        gaps = gaps | np.isnan(history.open) | np.isnan(history.high) | np.isnan(history.low)
        jumps = jumps | prices.wide
    return gaps, jumps


def _runs(mask: npt.NDArray[np.bool_]) -> list[slice]:
    """Slices of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(begin, end) for begin, end in edges.reshape(-1, 2).tolist()]


def _told(history: PriceHistory, prices: Adjusted, place: int, item: Estimator) -> str:
    day = history.days[place]
    if np.isnan(history.close[place]):
        return f"no price on {day}"
    if item.needs_ranges and np.isnan([x[place] for x in (history.open, history.high, history.low)]).any():
        return f"no open, high or low on {day}"
    if prices.jumps[place] and item.needs_previous:
        moved = f"{history.close[place - 1]:g} -> {history.close[place]:g}"
        opened = "" if np.isnan(history.open[place]) else f", open {history.open[place]:g}"
        return (
            f"close {moved}{opened} on {day}: a split or an error, unless a column Stock Splits (0) or "
            "Adj Close says that it is neither"
        )
    return f"high {history.high[place]:g} and low {history.low[place]:g} on {day}"


def _entry(
    history: PriceHistory, code: Code, days: npt.NDArray[np.datetime64], tenor: str, detail: str
) -> Entry:
    span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return Entry(
        days[-1].item(),
        history.symbol,
        str(Stage.TENOR),
        str(code),
        len(days),
        f"realised vol {tenor}, {span}: {detail}",
        history.source,
    )
