"""Status codes: why a price has no vol. A failed number carries its reason."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

__all__ = ["Status"]


class Status(IntEnum):
    """Outcome of one element of a solve, small enough for a uint8 array.

    Attributes
    ----------
    meaning : str
        The status in a sentence.

    Examples
    --------
    >>> Status(2).name, Status.BELOW_INTRINSIC.meaning
    ('AT_INTRINSIC', 'the price is below the intrinsic value')
    """

    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Attach the sentence to the member (a lookup by value passes none)."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "solved"
    BELOW_INTRINSIC = 1, "the price is below the intrinsic value"
    AT_INTRINSIC = 2, "the price equals the intrinsic value to rounding: no time value is left"
    ABOVE_MAXIMUM = 3, "the price is at or above what any vol can give (call: the forward, put: the strike)"
    NOT_FINITE = 4, "an input is missing or infinite"
    NOT_POSITIVE_TIME = 5, "the time to expiry is zero or negative"
    NOT_POSITIVE_INPUT = 6, "the forward or the strike is zero or negative"
    NOT_POSITIVE_PRICE = 7, "the price is zero or negative"
    NOT_CONVERGED = 8, "the vol is too small or too large for a double, or the iteration did not settle"
    OUT_OF_RANGE = 9, "the vol lies outside what the pricer covers (0.5 % to 1,000 %)"
    TWO_BOUNDARIES = 10, "with yield below rate below zero two exercise boundaries exist: not covered"
    DIVIDENDS_TOO_LARGE = 11, "the dividends before expiry are worth as much as the spot"
