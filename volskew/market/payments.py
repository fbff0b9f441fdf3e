"""Cash payments as files state them, and when two statements are one."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from volskew.errors import InputError

__all__ = ["Payment", "PaymentList", "distinct_payments", "merged_lists", "payment_order"]


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as a file states it.

    Attributes
    ----------
    ex_date : datetime.date
        The first day on which the share trades without it.
    amount : float
        Cash per share [$], positive.
    declared : datetime.date or None
        The day it was announced; None where the file does not say.
    is_special : bool
        A special dividend or a capital gain, which says nothing of next year.
    source : str
        The file.
    row : int
        Its line there.
    """

    ex_date: dt.date
    amount: float
    declared: dt.date | None
    is_special: bool
    source: str
    row: int


@dataclass(frozen=True, slots=True)
class PaymentList:
    """What files say of one symbol.

    Attributes
    ----------
    payments : tuple of Payment
        Sorted by ex-date, regular ones before special ones, then by amount.
    first : datetime.date
        The first date in the files, from which on the list is complete; `datetime.date.min` where a file
        names the symbol and has no rows, which says that it pays nothing.
    days : tuple of datetime.date
        Sorted dates of price rows, on which the files say whether there was a dividend.
    """

    payments: tuple[Payment, ...] = ()
    first: dt.date = dt.date.min
    days: tuple[dt.date, ...] = ()


def payment_order(payment: Payment) -> tuple[dt.date, bool, float]:
    """Where a payment stands in a `PaymentList`."""
    return payment.ex_date, payment.is_special, payment.amount


def distinct_payments(group: Sequence[tuple[Payment, dt.date | None]], *, is_typed: bool) -> list[Payment]:
    """The payments of one ex-date in one file, repeated rows collapsed.

    Two amounts are two payments where one of them is special, where the file has a column of types (such
    files list payments, one a row), or where their payment dates differ.

    Parameters
    ----------
    group : sequence of (Payment, datetime.date or None)
        Payments of one ex-date with their payment dates.
    is_typed : bool
        The file has a column of types.

    Raises
    ------
    InputError
        Two amounts of which nothing in the file says that they are two payments.
    """
    kept: list[tuple[Payment, dt.date | None]] = []
    for payment, paid in group:
        for place, (other, other_paid) in enumerate(kept):
            if other.is_special != payment.is_special:
                continue
            if other.amount == payment.amount:
                kept[place] = (
                    replace(other, declared=_earlier(other.declared, payment.declared)),
                    other_paid,
                )
                break
            apart = paid is not None and other_paid is not None and paid != other_paid
            if not is_typed and not apart:
                raise _conflict(other, payment)
        else:
            kept.append((payment, paid))
    return [payment for payment, _ in kept]


def _earlier(one: dt.date | None, other: dt.date | None) -> dt.date | None:
    """Of two statements of one announcement the earlier: what is known stays known whatever is added."""
    return min((day for day in (one, other) if day is not None), default=None)


def _conflict(one: Payment, other: Payment) -> InputError:
    there = f"row {one.row}" if one.source == other.source else f"{one.source}, row {one.row}"
    return InputError(
        f"another amount of {one.ex_date.isoformat()} than the {one.amount:g} in {there}",
        file=other.source,
        row=other.row,
        value=other.amount,
        accepted="one amount an ex-date, or a column Type or Payment Date that says they are two payments",
    )


# --- several files ----------------------------------------------------------------------------------------

_ROUNDING: Final = 0.0005
"""[$] Files give three decimals or six; amounts closer than half of the third are one."""


def merged_lists(one: PaymentList, other: PaymentList) -> PaymentList:
    """What two files say of one symbol.

    Amounts that differ by rounding are one, and so are payments that one file lists apart and the other
    together.

    Raises
    ------
    InputError
        The files contradict each other on an ex-date.
    """
    dates = {payment.ex_date for payment in (*one.payments, *other.payments)}
    payments: list[Payment] = []
    for ex_date in sorted(dates):
        first, second = (
            [payment for payment in side.payments if payment.ex_date == ex_date] for side in (one, other)
        )
        payments += _agreed(first, second) if first and second else first or second
    return PaymentList(
        payments=tuple(sorted(payments, key=payment_order)),
        first=min(one.first, other.first),
        days=tuple(sorted({*one.days, *other.days})),
    )


def _agreed(first: list[Payment], second: list[Payment]) -> list[Payment]:
    if len(first) == len(second):
        one, other = (sorted(side, key=lambda payment: payment.amount) for side in (first, second))
        if all(abs(a.amount - b.amount) <= _ROUNDING for a, b in zip(one, other, strict=True)):
            return [_same_payment(a, b) for a, b in zip(one, other, strict=True)]
    totals = [math.fsum(payment.amount for payment in side) for side in (first, second)]
    if len(first) != len(second) and abs(totals[0] - totals[1]) <= _ROUNDING:
        return max(first, second, key=len)
    raise _conflict(first[0], second[0])


def _same_payment(one: Payment, other: Payment) -> Payment:
    kept = min((one, other), key=lambda payment: (payment.declared or dt.date.max, -payment.amount))
    return replace(
        kept,
        declared=_earlier(one.declared, other.declared),
        is_special=one.is_special or other.is_special,
    )
