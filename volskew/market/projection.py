"""Dividends to come, from those that were paid or declared by a date."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from volskew.ledger import Code
from volskew.market.calendar import LAST_DAY
from volskew.market.clock import is_session, next_session
from volskew.market.payments import PaymentList

__all__ = ["Dividend", "Outlook", "outlook_of"]

_YEAR: Final = dt.timedelta(days=364)
_NEAR: Final = dt.timedelta(days=45)
"""Half a quarter: no dividend of a quarterly payer is nearer to another's date than to its own."""
_END: Final = LAST_DAY - dt.timedelta(days=10)
"""The calendar still has a session after every day up to here."""


@dataclass(frozen=True, slots=True)
class Dividend:
    """One dividend to come.

    Attributes
    ----------
    ex_date : datetime.date
        The first day on which the share trades without it.
    amount : float
        Cash per share [$], positive.
    is_projected : bool
        Expected by rule, not declared.
    """

    ex_date: dt.date
    amount: float
    is_projected: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """The dividends of a symbol after a date, or why they are not known.

    Attributes
    ----------
    dividends : tuple of Dividend or None
        Sorted by ex-date; empty where none are to come, None where nothing is known.
    code : str
        DIVIDENDS_MISSING, DIVIDENDS_EARLY or DIVIDENDS_STALE beside None, else "".
    detail : str
        The reason in words, or "".
    """

    dividends: tuple[Dividend, ...] | None
    code: str = ""
    detail: str = ""


def outlook_of(listed: PaymentList, on: dt.date, until: dt.date) -> Outlook:
    """What is known or to be expected of one symbol at the end of a session.

    Parameters
    ----------
    listed : PaymentList
        What files say. No payment with an ex-date after `on` is looked at unless it was declared by then, and
        no price row after `on`.
    on, until : datetime.date
        Dividends with ex-dates after `on` and up to `until` are wanted.

    Returns
    -------
    Outlook
        See `volskew.market.dividends.DividendTable.outlook`.
    """
    until = min(until, _END)
    if on - listed.first < _YEAR:
        begin = listed.first.isoformat() if listed.first <= on else "later"
        reason = f"the dividends known must begin 52 weeks before, and begin {begin}"
        return Outlook(None, str(Code.DIVIDENDS_EARLY), reason)
    known = [
        payment
        for payment in listed.payments
        if payment.ex_date <= on or (payment.declared is not None and payment.declared <= on)
    ]
    regular = _totals((payment.ex_date, payment.amount) for payment in known if not payment.is_special)
    missed = _missed([day for day in regular if day <= on], listed.days, on)
    if missed:
        return Outlook(None, str(Code.DIVIDENDS_STALE), missed)
    facts = _totals((payment.ex_date, payment.amount) for payment in known if on < payment.ex_date <= until)
    coming = [Dividend(day, amount, is_projected=False) for day, amount in facts.items()]
    coming += _projected(regular, on, until)
    return Outlook(tuple(sorted(coming, key=lambda item: (item.ex_date, item.is_projected, item.amount))))


def _totals(payments: Iterable[tuple[dt.date, float]]) -> dict[dt.date, float]:
    """The cash of each ex-date, in their order."""
    amounts: dict[dt.date, list[float]] = {}
    for day, amount in payments:
        amounts.setdefault(day, []).append(amount)
    return {day: math.fsum(parts) for day, parts in sorted(amounts.items())}


def _missed(paid: Sequence[dt.date], days: Sequence[dt.date], on: dt.date) -> str:
    """Why the list of ex-dates up to a date seems to end before it, or ""."""
    seen = bisect_right(days, on)
    last_row = days[seen - 1] if seen else None
    if not paid:
        if last_row is not None and last_row <= on - _YEAR:
            return f"the price history behind the dividends ends on {last_row.isoformat()}"
        return ""
    if last_row is not None and last_row >= on - _NEAR:
        return ""  # rows without a dividend show that there was none
    last = paid[-1]
    if last <= on - _YEAR:
        return f"the last ex-date known is {last.isoformat()}, 52 weeks ago or more"
    recent = [day for day in paid if day > on - 2 * _YEAR]
    longest = max((later - day for day, later in pairwise(recent)), default=_YEAR)
    if on - last > longest + _NEAR:
        return (
            f"the last ex-date known is {last.isoformat()}, {(on - last).days} days ago, where no two of the "
            f"last two years lie more than {longest.days} apart"
        )
    return ""


def _projected(regular: Mapping[dt.date, float], on: dt.date, until: dt.date) -> list[Dividend]:
    """The dividends of the last 52 weeks moved on, without those that facts stand for."""
    facts = [day for day in regular if day > on - 2 * _NEAR]
    reach = min(max([until, *(day + _NEAR for day in facts)]), _END)
    expected: list[tuple[dt.date, float, dt.date | None]] = []
    for day, amount in regular.items():
        if not on - _YEAR - 2 * _NEAR < day <= on:
            continue
        # one whose date came round by `on` is no longer expected: it only shows what a recent fact stands for
        base = day if day > on - _YEAR else None
        for years in range(1, (reach - day) // _YEAR + 1 if base else 2):
            moved = day + years * _YEAR
            expected.append((moved if is_session(moved) else next_session(moved), amount, base))
    pairs = sorted(
        (abs(fact - expected[place][0]), expected[place][0], fact, place)
        for fact in facts
        for place in range(len(expected))
        if abs(fact - expected[place][0]) <= _NEAR
    )
    taken: set[int] = set()
    used: set[dt.date] = set()
    succeeded: set[dt.date | None] = {None}
    for _, _, fact, place in pairs:
        if fact not in used and place not in taken:
            used.add(fact)
            taken.add(place)
            if fact <= on:  # it came early, and is itself what comes again
                succeeded.add(expected[place][2])
    return [
        Dividend(day, amount, is_projected=True)
        for place, (day, amount, base) in enumerate(expected)
        if base not in succeeded and on < day <= until and place not in taken
    ]
