"""What somebody has decided to leave out: one reading, or one quote, with the reason.

Files of such decisions are read by `volskew.quotes.overrides`; those about quotes of a date are part of its
market row, so that whatever is made from the row heeds them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

__all__ = ["Contract", "Override"]


@dataclass(frozen=True, slots=True, order=True)
class Contract:
    """An option of one underlying.

    Attributes
    ----------
    expiry : datetime.date
        The session on which it expires; Saturdays and holidays are moved back to it.
    strike : float
        [$].
    is_call : bool
        Call or put.
    root : str
        Option root, or "" for every root of the underlying.
    text : str
        As it was written; says nothing of which contract it is.
    """

    expiry: dt.date
    strike: float
    is_call: bool
    root: str = ""
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Override:
    """One decision. Two are equal where they decide the same for the same reason, wherever they stand.

    Attributes
    ----------
    date : datetime.date
        The session.
    symbol : str
        Underlying, in canonical spelling.
    reason : str
        Why, in words.
    contract : Contract or None
        The quote that is left out; None: every reading of the symbol on that date.
    source : str
        The file that says so.
    row : int
        Its line there, the header counted.
    """

    date: dt.date
    symbol: str
    reason: str
    contract: Contract | None = None
    source: str = field(default="", compare=False)
    row: int = field(default=0, compare=False)

    @property
    def words(self) -> str:
        """The place in the file, the contract where there is one, and the reason: for the ledger."""
        where = f"row {self.row}: " if self.row else ""
        what = f"{self.contract.text}: " if self.contract is not None and self.contract.text else ""
        return f"{where}{what}{self.reason}"
