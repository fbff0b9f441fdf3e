"""Which parts make one chain: files that each hold an expiry or a page, answers one after another in a file.

What a part says of its moment decides first, and then which contracts it shares with the others: parts of
one chain share few, snapshots of one chain share most. Quotes, stamps and dates in the rows tell the session.
Last trades alone only tell that it is no earlier one: a quiet expiry may not have traded for days, and goes
where its companions are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.market.clock import next_session, session_close, session_open

__all__ = ["UNKNOWN", "Arrangement", "Part", "put_together"]

_SHARED: Final = 0.05
"""Parts that share no more of their contracts than this overlap at the seam alone."""
_STATED_APART: Final = pd.Timedelta(minutes=15)
_QUOTED_APART: Final = pd.Timedelta(hours=1)
"""How far apart parts of one snapshot may be: where rows state the time, and where the newest quote tells."""
_SAME_MOMENT: Final = pd.Timedelta(minutes=5)
_BUSY: Final = 10
"""Lines traded on one day of an expiry that does not pass the next session without a trade: of 2,850 such
days of the expiries of two index funds none did, and of those with fewer lines a few."""
_TWICE: Final = 2
_KEPT: Final = dt.timedelta(days=7)
"""How long after its session a chain is downloaded; a later date in a name is of something else."""
UNKNOWN: Final = dt.date.min
"""`Part.since` of a part that says nothing of its day."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What may be a chain or a part of one, of one underlying.

    Attributes
    ----------
    contracts : numpy.ndarray of uint64
        Names of its contracts, sorted, each once.
    session : datetime.date
        The session that it is of by what it says itself.
    since : datetime.date
        The earliest session that it can be of: `session` where that is certain.
    is_certain : bool
        Whether quotes, a stamp or rows tell the session; else its last trades do, or a name.
    moment : pandas.Timestamp or None
        The time of its quotes, at most the close, where more than last trades tells it [UTC].
    is_stated : bool
        The rows state that time.
    newest : pandas.Timestamp or None
        Newest trade or quote [UTC].
    traded : int
        Lines traded on the day of the newest trade.
    named : datetime.date or None
        What it is dated, in its rows, by its stamp or in its name.
    """

    contracts: Array
    session: dt.date
    since: dt.date
    is_certain: bool
    moment: pd.Timestamp | None = None
    is_stated: bool = False
    newest: pd.Timestamp | None = None
    traded: int = 0
    named: dt.date | None = None

    @classmethod
    def of(
        cls,
        contracts: Array,
        *,
        session: dt.date,
        dated: dt.date | None,
        moment: pd.Timestamp | None,
        is_stated: bool = False,
        newest: pd.Timestamp | None,
        traded: int,
        name_date: dt.date | None,
    ) -> Part:
        """A part by what is known of it.

        Parameters
        ----------
        contracts, session, moment, is_stated, newest, traded
            See the attributes.
        dated : datetime.date or None
            What its rows or its stamp date it.
        name_date : datetime.date or None
            The date in its name or that of its folder.
        """
        certain = dated is not None or moment is not None
        told = newest is not None or certain
        if name_date is not None and told:
            sure = certain or traded > _BUSY
            if name_date < session or (sure and name_date > session + _KEPT):
                name_date = None
        return cls(
            contracts=contracts,
            session=session,
            since=session if told else UNKNOWN,
            is_certain=certain,
            moment=moment,
            is_stated=is_stated,
            newest=newest,
            traded=traded,
            named=dated or name_date,
        )


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Parts by chain.

    Attributes
    ----------
    chains : list of list of int
        Positions of the parts of each chain, ascending.
    unplaced : dict of int to list of list of int
        Part that may be of several of the chains -> what those hold.
    """

    chains: list[list[int]]
    unplaced: dict[int, list[list[int]]] = field(default_factory=dict)


def put_together(parts: Sequence[Part], *, in_order: bool = False) -> Arrangement:
    """Find the chains that parts make.

    Parameters
    ----------
    parts : sequence of Part
        In the order in which they were written, as far as anything tells: pages of a file, or names of files.
    in_order : bool
        That order is certain, as it is of what stands in one file: what may be of several chains is of that
        of the part before it.

    Returns
    -------
    Arrangement
    """
    table = _Table(parts, in_order=in_order)
    certain = [place for place, part in enumerate(parts) if part.is_certain]
    for place in certain:
        table.place(place)
    quiet: list[int] = []
    loose = [place for place, part in enumerate(parts) if not part.is_certain]
    for place in sorted(loose, key=lambda place: _age(parts[place]), reverse=True):
        if any(table.later(parts[place])):
            quiet.append(place)
        else:
            table.place(place)
    table.anchored = dict(table.home)
    for place in quiet:
        table.place_quiet(place)
    return table.result()


def _age(part: Part) -> tuple[bool, pd.Timestamp]:
    return part.newest is not None, pd.Timestamp(0, tz="UTC") if part.newest is None else part.newest


class _Chain:
    def __init__(self, place: int, part: Part) -> None:
        self.members = [place]
        self.session, self.named = part.session, part.named
        self.contracts = part.contracts
        self.moment, self.is_stated, self.newest = part.moment, part.is_stated, part.newest

    def add(self, place: int, part: Part) -> None:
        self.members.append(place)
        self.contracts = np.union1d(self.contracts, part.contracts)
        self.named = self.named or part.named
        self.moment = _later(self.moment, part.moment)
        self.newest = _later(self.newest, part.newest)
        self.is_stated |= part.is_stated

    def takes(self, part: Part) -> bool:
        """Whether a part may be of the chain by its name, its time and its contracts."""
        if part.named is not None and self.named not in {None, part.named}:
            return False
        if part.moment is not None and self.moment is not None:
            most = _STATED_APART if part.is_stated and self.is_stated else _QUOTED_APART
            if abs(part.moment - self.moment) > most:
                return False
        smaller = min(len(part.contracts), len(self.contracts))
        return _shared(part.contracts, self.contracts) <= _SHARED * smaller

    def can_have_been_quiet(self, part: Part) -> bool:
        """Whether a part without a trade of the chain's session may be of that session all the same."""
        if part.named is not None:
            if part.named == self.named:
                return True
            if self.session > part.named or part.newest is None:
                return self.session == part.named
        return part.traded * self._passed_since(part) <= _BUSY

    def _passed_since(self, part: Part) -> float:
        """How much of a session passed without a trade: all of one, where others lie between."""
        if part.since == UNKNOWN:
            return 0.0
        if next_session(part.since) < self.session or self.newest is None:
            return 1.0
        opens, closes = session_open(self.session), session_close(self.session)
        return float(np.clip((self.newest - opens) / (closes - opens), 0.0, 1.0))

    def holds(self, other: _Chain) -> bool:
        """Whether nearly all contracts of another, smaller one are in it."""
        few = len(other.contracts)
        return few < len(self.contracts) and _shared(other.contracts, self.contracts) >= (1 - _SHARED) * few

    def has_twice(self, other: _Chain) -> bool:
        """Whether another is a part of it that came twice, such as a page asked for again."""
        if (self.moment is None) != (other.moment is None) or len(self.members) < _TWICE:
            return False
        near = self.moment is None or other.moment is None or abs(self.moment - other.moment) <= _SAME_MOMENT
        small = _TWICE * len(other.contracts) <= len(self.contracts)
        named = None in {self.named, other.named} or self.named == other.named
        return near and small and named and self.holds(other)


class _Table:
    """Chains as they grow."""

    def __init__(self, parts: Sequence[Part], *, in_order: bool) -> None:
        self._parts, self._in_order = parts, in_order
        self._chains: dict[dt.date, list[_Chain]] = {}
        self._unplaced: dict[int, list[_Chain]] = {}
        self.home: dict[int, _Chain] = {}
        self.anchored: dict[int, _Chain] = {}

    def place(self, place: int) -> None:
        """Put a part into the chain of its session that takes it; else it begins one."""
        part = self._parts[place]
        open_to = [chain for chain in self._of(part.session) if chain.takes(part)]
        if open_to:
            self._add(min(open_to, key=lambda chain: (_distance(part, chain), -len(chain.contracts))), place)
        else:
            self._begin(place)

    def later(self, part: Part) -> Iterator[_Chain]:
        """Chains of sessions after the newest trade of a part that it may be of."""
        for session, chains in self._chains.items():
            if session > part.since:
                yield from (
                    chain for chain in chains if chain.can_have_been_quiet(part) and chain.takes(part)
                )

    def place_quiet(self, place: int) -> None:
        """Put a part that says only since when it can be into the one chain that it may be of."""
        part = self._parts[place]
        own = [chain for chain in self._of(part.since) if chain.takes(part)]
        open_to = [*own, *self.later(part)]
        named = [chain for chain in open_to if part.named is not None and chain.named == part.named]
        open_to = _widest(named or open_to)
        if not open_to:
            self._begin(place)
        elif len(open_to) == 1:
            self._add(open_to[0], place)
        elif (neighbour := self._neighbour(place)) in open_to and neighbour is not None:
            self._add(neighbour, place)
        else:
            self._unplaced[place] = open_to

    def result(self) -> Arrangement:
        for chains in self._chains.values():
            for chain in sorted(chains, key=lambda chain: len(chain.contracts)):
                whole = next((other for other in chains if other.has_twice(chain)), None)
                if whole is not None:
                    chains.remove(chain)
                    whole.members += chain.members
        every = [chain for chains in self._chains.values() for chain in chains]
        found = sorted(sorted(chain.members) for chain in every)
        unplaced = {
            place: sorted(sorted(chain.members) for chain in chains)
            for place, chains in self._unplaced.items()
        }
        return Arrangement(found, unplaced)

    def _of(self, session: dt.date) -> list[_Chain]:
        return self._chains.get(session, [])

    def _begin(self, place: int) -> None:
        chain = _Chain(place, self._parts[place])
        self._chains.setdefault(chain.session, []).append(chain)
        self.home[place] = chain

    def _add(self, chain: _Chain, place: int) -> None:
        chain.add(place, self._parts[place])
        self.home[place] = chain

    def _neighbour(self, place: int) -> _Chain | None:
        """The chain of the parts before and after, where they are of one."""
        before = next((self.anchored[p] for p in range(place - 1, -1, -1) if p in self.anchored), None)
        after = next(
            (self.anchored[p] for p in range(place + 1, len(self._parts)) if p in self.anchored), None
        )
        if self._in_order:
            return before or after
        return before if before is after else None


def _later(first: pd.Timestamp | None, second: pd.Timestamp | None) -> pd.Timestamp | None:
    return max((moment for moment in (first, second) if moment is not None), default=None)


def _distance(part: Part, chain: _Chain) -> int:
    """Moments between a part and a chain; of as near ones the largest is taken: a page may come twice."""
    if part.moment is None or chain.moment is None:
        return 0
    return int(abs(part.moment - chain.moment) // _SAME_MOMENT)


def _widest(chains: Iterable[_Chain]) -> list[_Chain]:
    """Chains without those of a session that are a part of another: a page that came twice begins one."""
    found = list(chains)
    return [
        chain
        for chain in found
        if not any(other.session == chain.session and other.holds(chain) for other in found)
    ]


def _shared(first: Array, second: Array) -> int:
    """How many contracts two have in common."""
    few, many = sorted((first, second), key=len)
    if not len(few):
        return 0
    places = np.searchsorted(many, few)
    places[places == len(many)] = 0
    return int(np.count_nonzero(many[places] == few))
