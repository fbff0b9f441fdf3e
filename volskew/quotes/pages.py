"""The documents of one file: which are pages of one answer, and which are answers of several moments.

The rows of most services bear no date. Documents that are of several snapshots by their times and contracts
(`volskew.quotes.parts`) get labels of their own, so that each is judged as a snapshot.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.market.clock import session_close, session_of
from volskew.quotes.assemble import Assembled
from volskew.quotes.cells import Words, distinct_codes
from volskew.quotes.grouping import Grouping
from volskew.quotes.newest import newest_of, traded_near
from volskew.quotes.parts import UNKNOWN, Part, put_together
from volskew.quotes.raw import RawChain
from volskew.quotes.sessions import contracts_of

__all__ = ["by_snapshot"]

_CONTRACT: Final = ("root", "settlement", "expiry", "strike", "is_call")
_REPEATED: Final = 1.05
"""Lines a contract, above which a document holds its contracts more than once."""

Array = np.ndarray[Any, Any]


def by_snapshot(built: Assembled, raw: RawChain) -> Assembled:
    """The lines of a file with a label for each snapshot that its documents make.

    Parameters
    ----------
    built : Assembled
        Canonical columns; labels by what the rows state alone.
    raw : RawChain
        Its `documents` are looked at; a table has none and stays as it is.
    """
    if raw.documents is None or any(moment is not None for _, moment in built.labels):
        return built
    cells = {name: built.columns[name] for name in _CONTRACT}
    texts = {name: values.texts() for name, values in cells.items() if isinstance(values, Words)}
    contracts = contracts_of(pd.DataFrame({**cells, **texts}))
    groups = Grouping(built)
    snapshots = np.zeros(len(contracts), dtype=np.int64)
    for group in range(len(groups)):
        lines, (day, _) = groups.lines(group), groups.label(group)
        documents = _cut(raw.documents[lines], contracts[lines])
        n = int(documents.max()) + 1
        if n > 1:
            places = np.full(len(contracts), n, dtype=np.int64)
            places[lines] = documents
            snapshots[lines] = _snapshots(built, raw, contracts, places, n, day)[documents]
    if not snapshots.any():
        return built
    keys, codes = distinct_codes(built.label_codes * (int(snapshots.max()) + 1) + snapshots)
    labels = [built.labels[int(key) // (int(snapshots.max()) + 1)] for key in keys]
    return replace(built, labels=labels, label_codes=codes)


def _snapshots(
    built: Assembled, raw: RawChain, contracts: Array, places: Array, n: int, day: dt.date | None
) -> Array:
    """The snapshot of each of `n` documents, whose lines `places` says (`n`: of none of them)."""
    groups = places, n + 1
    quotes, trades = (newest_of(built, raw, name, *groups) for name in ("quote_time", "trade_time"))
    traded = traded_near(built, trades, *groups)
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(1, n + 1))
    held = np.split(contracts[order], ends)
    parts = [_part(held[place], quotes[place], trades[place], int(traded[place]), day) for place in range(n)]
    found = np.zeros(n, dtype=np.int64)
    for number, members in enumerate(put_together(parts, in_order=True).chains):
        found[members] = number
    return found


def _part(
    contracts: Array, quote: np.datetime64, trade: np.datetime64, traded: int, day: dt.date | None
) -> Part:
    quoted, dealt = (None if np.isnat(time) else pd.Timestamp(time, tz="UTC") for time in (quote, trade))
    newest = max((time for time in (quoted, dealt) if time is not None), default=None)
    session = day or (session_of(newest) if newest is not None else UNKNOWN)
    moment = quoted
    if quoted is not None and newest is not None:
        moment = min(quoted, session_close(session_of(newest)))
    return Part.of(
        _distinct(contracts),
        session=session,
        dated=day,
        moment=moment,
        newest=newest,
        traded=traded,
        name_date=None,
    )


def _distinct(contracts: Array) -> Array:
    found: Array = np.unique(contracts)
    return np.asarray(found[found != 0])


def _cut(documents: Array, contracts: Array) -> Array:
    """The number of each line's document, from 0; one that holds whole chains in turn is cut into them."""
    _, numbers = distinct_codes(documents)
    found = np.zeros(len(numbers), dtype=np.int64)
    n = 0
    for number in range(int(numbers.max()) + 1):
        lines = np.flatnonzero(numbers == number)
        turns = _turns(contracts[lines])
        found[lines] = turns + n
        n += int(turns.max()) + 1
    return found


def _turns(contracts: Array) -> Array:
    """Which time each line of a document comes round; 0 where its contracts do not do so together.

    A new turn begins with the first contract that has been in this one. As many turns as a contract has lines
    are chains in turn; else some lines stand twice.
    """
    none = np.zeros(len(contracts), dtype=np.int64)
    real = contracts != 0
    lines_each = real.sum() / max(len(_distinct(contracts)), 1)
    if lines_each <= _REPEATED:
        return none
    order = np.argsort(contracts, kind="stable")
    again = np.flatnonzero((contracts[order[1:]] == contracts[order[:-1]]) & real[order[1:]])
    before = np.full(len(contracts), -1, dtype=np.int64)
    before[order[again + 1]] = order[again]
    turns, begun, turn = none.copy(), 0, 0
    for line, earlier in enumerate(before.tolist()):
        if earlier >= begun:
            begun, turn = line, turn + 1
        turns[line] = turn
    return turns if turn + 1 == round(lines_each) else none
