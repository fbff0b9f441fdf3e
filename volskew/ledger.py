"""The ledger: why each missing reading is missing, and how many lines each code took.

The ledger is data, not a log. Every stage appends entries; the workflow writes them to ``ledger.csv`` and
to the store. A code that counts as a failure turns the exit status of a run to 3.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "Code", "Entry", "Ledger", "Stage"]


class Stage(StrEnum):
    """Where on the data's journey an entry was made, in the order of the journey."""

    INPUT = "input"
    SESSION = "session"
    MARKET = "market"
    QUOTES = "quotes"
    FORWARD = "forward"
    SMILE = "smile"
    TENOR = "tenor"
    HISTORY = "history"
    RANKING = "ranking"


class Code(StrEnum):
    """Ledger codes beside the exclusion codes of single lines; each member explains itself.

    Attributes
    ----------
    meaning : str
        The code in a sentence.
    is_failure : bool
        Whether the entry makes a run end with status 3.
    """

    meaning: str
    is_failure: bool

    def __new__(cls, value: str, meaning: str, is_failure: bool = True) -> Self:  # noqa: FBT001, FBT002
        """Attach the sentence and the weight to the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.is_failure = is_failure
        return member

    # input
    NOT_FOUND = "NOT_FOUND", "no such file, or the folder or pattern holds no file"
    UNREADABLE = "UNREADABLE", "the file is damaged, truncated, binary or in another encoding"
    EMPTY = "EMPTY", "the file holds no bytes, or a header and no lines"
    NOT_A_CHAIN = "NOT_A_CHAIN", "the file can be read but no reader claims it as an option chain"
    BAD_UNITS = (
        "BAD_UNITS",
        "prices, strikes or vols are in another unit than the format states, or sides are exchanged",
    )
    SKIPPED = "SKIPPED", "a table that volskew itself writes, or a file that is no data; not read", False
    NO_FILE = "NO_FILE", "no input holds this symbol on this session", False
    BAD_CELLS = "BAD_CELLS", "cells that cannot be read, or contradict their line's option symbol", False
    RAGGED = "RAGGED", "lines with another number of fields than the header, kept without values", False
    OTHER_TICKS = (
        "OTHER_TICKS",
        "quotes of a contract beside its last of the session: counted, no lines of the chain",
        False,
    )
    ONE_VENUE = "ONE_VENUE", "the quotes are of a single exchange, not the best of all", False
    PAGE_WITHOUT_LINES = (
        "PAGE_WITHOUT_LINES",
        "documents of a JSON file give no option lines beside others that do: an error, another format",
    )
    SYMBOL_NAMED = "SYMBOL_NAMED", "the rows name no underlying: it is that of a name", False
    # session
    DATE_DISAGREES = (
        "DATE_DISAGREES",
        "the rows' date is not the file name's, or a date, stamp or time is of another day than the session",
        False,
    )
    NOT_A_SESSION = (
        "NOT_A_SESSION",
        "dated on a day without a session: a stale repeat of the session before",
        False,
    )
    STALE_REPEAT = "STALE_REPEAT", "the lines are those of an earlier session under a newer date", False
    SUPERSEDED = "SUPERSEDED", "another file holds a later or fuller snapshot of the same session", False
    PARTS_JOINED = "PARTS_JOINED", "files that each hold a part of one chain were put together", False
    PART_UNPLACED = "PART_UNPLACED", "a part of a chain that may be of either of two: nothing says of which"
    # market
    RATE_ASSUMED = "RATE_ASSUMED", "no rate was given: 4 % was assumed", False
    RATE_STALE = "RATE_STALE", "the date is more than seven days past the curve's last date"
    RATE_EARLY = "RATE_EARLY", "the date is before the curve's first date"
    DIVIDENDS_UNUSED = "DIVIDENDS_UNUSED", "a dividend file names none of the chains' symbols", False
    DIVIDENDS_MISSING = "DIVIDENDS_MISSING", "no dividend file that was given names the symbol", False
    DIVIDENDS_EARLY = (
        "DIVIDENDS_EARLY",
        "the dividend file begins less than 52 weeks before the date: no dividends are taken as known",
        False,
    )
    DIVIDENDS_STALE = (
        "DIVIDENDS_STALE",
        "the dividend file seems to end before the date: no dividends are taken as known",
        False,
    )
    OUTSIDE_CALENDAR = (
        "OUTSIDE_CALENDAR",
        "prices of days before 1990, where the trading calendar begins, are not read",
        False,
    )
    PRICES_UNUSED = "PRICES_UNUSED", "a price file names none of the symbols asked for", False
    PRICES_MISSING = "PRICES_MISSING", "no price file that was given names the symbol"
    PRICES_ADJUSTED = (
        "PRICES_ADJUSTED",
        "a price file has its dividends taken out already: none is taken out of its moves again",
        False,
    )
    PRICES_UNADJUSTED = (
        "PRICES_UNADJUSTED",
        "a price file looks adjusted for dividends by its columns, but falls by them on ex-dates",
        False,
    )
    # quotes
    OVERRIDDEN = "OVERRIDDEN", "a quote or reading that the overrides file leaves out, with its reason", False
    OVERRIDE_UNUSED = "OVERRIDE_UNUSED", "a line of the overrides file that matched nothing", False
    UNEXPECTED = "UNEXPECTED", "an error that volskew does not foresee; the detail holds its traceback"
    # forward
    NO_FORWARD = "NO_FORWARD", "no usable call-put pair near the money, so no forward", False
    FORWARD_ERROR = "FORWARD_ERROR", "the forward's error is above the gate", False
    # smile
    FEW_QUOTES = "FEW_QUOTES", "fewer accepted out-of-the-money quotes than the gate asks", False
    FEW_CALLS = "FEW_CALLS", "fewer accepted quotes in the read wing than the gate asks", False
    ONE_SIDED = "ONE_SIDED", "no accepted strike on one side of the strike to be read", False
    DELTA_GAP = "DELTA_GAP", "the accepted quotes around the strike to be read lie too far apart", False
    NO_FIT = "NO_FIT", "the smile could not be fitted, or has no vol at that delta", False
    # tenor
    NO_QUOTES_LEFT = "NO_QUOTES_LEFT", "every line of the chain was excluded"
    NO_EXPIRY_BEFORE = "NO_EXPIRY_BEFORE", "no expiry that passes the gates on or before the tenor"
    NO_EXPIRY_AFTER = "NO_EXPIRY_AFTER", "no expiry that passes the gates on or after the tenor"
    CAL_ARB = "CAL_ARB", "total variance falls between the two expiries around the tenor, or two tenors"
    NO_BOUND = "NO_BOUND", "an expiry cannot be read from all bids or all asks: no curve, or no quotes"
    PRICES_EARLY = (
        "PRICES_EARLY",
        "the window of a realised vol, or the close before it, lies before the first price",
        False,
    )
    PRICES_STALE = "PRICES_STALE", "the prices end before the day, so that it has no realised vol"
    PRICE_GAP = "PRICE_GAP", "a session has no price, so that no window that holds it has a realised vol"
    PRICE_JUMP = (
        "PRICE_JUMP",
        "a price moved as only a split or an error does: no window that holds it has a realised vol",
    )
    WINDOW_SHORT = "WINDOW_SHORT", "the tenor has fewer sessions than the estimator of realised vol needs"
    REALISED_ZERO = "REALISED_ZERO", "the realised vol is zero, so that nothing can be divided by it"
    CONVENTION_MISSING = (
        "CONVENTION_MISSING",
        "a reading that is there cannot be read under another convention",
        False,
    )
    # history
    RESTATED = "RESTATED", "the reading differs from the stored one; the old one is kept as a vintage", False
    SPLICED = "SPLICED", "days taken from an imported series ahead of the solved ones", False
    # ranking
    LEG_MISSING = "LEG_MISSING", "a leg of the pair has no reading on the as-of day"
    PAIR_MISSING = "PAIR_MISSING", "a leg of the pair has no reading on any day"
    MIXED_SNAPSHOTS = (
        "MIXED_SNAPSHOTS",
        "readings of another time of day stand among the closes, as --allow-mixed-snapshots allows",
        False,
    )
    SNAPSHOT_REFUSED = (
        "SNAPSHOT_REFUSED",
        "readings of another time of day are not ranked against closes without --allow-mixed-snapshots",
    )
    LEGS_APART = "LEGS_APART", "the legs of a pair were taken more than five minutes apart"
    OTHER_SERIES = "OTHER_SERIES", "readings of another series (snapshot, source) were left out", False


def is_failure(code: str) -> bool:
    """Whether a ledger code turns the exit status of a run to 3 (an exclusion code of a line does not)."""
    return code in Code.__members__ and Code[code].is_failure


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    Attributes
    ----------
    date : datetime.date or None
        The session concerned, where it is known.
    symbol : str
        Underlying, or "" where none is known.
    stage : str
        One of `Stage`.
    code : str
        One of `Code`, or an exclusion code of `volskew.quotes.schema.Exclusion`.
    count : int
        How many lines, expiries or days the entry stands for.
    detail : str
        What was seen, in words.
    source : str
        File (and archive member), or "".
    """

    date: dt.date | None
    symbol: str
    stage: str
    code: str
    count: int = 1
    detail: str = ""
    source: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether this entry turns the exit status of a run to 3."""
        return is_failure(self.code)


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Entry))


class Ledger:
    """An ordered, append-only collection of entries.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.add(None, "QQQ", Stage.INPUT, Code.EMPTY, source="a.csv")
    >>> [entry.code for entry in ledger], ledger.has_failures
    (['EMPTY'], True)
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: list[Entry] = list(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __repr__(self) -> str:
        return f"Ledger({len(self)} entries, {sum(entry.is_failure for entry in self)} failures)"

    def add(
        self,
        date: dt.date | None,
        symbol: str,
        stage: str,
        code: str,
        *,
        count: int = 1,
        detail: str = "",
        source: str = "",
    ) -> None:
        """Append one entry."""
        self._entries.append(Entry(date, symbol, str(stage), str(code), count, detail, source))

    def extend(self, entries: Iterable[Entry]) -> None:
        """Append many entries."""
        self._entries.extend(entries)

    @property
    def has_failures(self) -> bool:
        """Whether any entry turns the exit status to 3."""
        return any(entry.is_failure for entry in self._entries)

    def to_frame(self) -> pd.DataFrame:
        """The ledger as a table, sorted by date, symbol and stage, the order in which it is written."""
        import pandas as pd  # noqa: PLC0415 - the ground floor imports no pandas

        order = {str(stage): position for position, stage in enumerate(Stage)}
        rows = sorted(
            (astuple(entry) for entry in self._entries),
            key=lambda row: (
                str(row[0] or ""),
                row[1],
                order.get(row[2], len(order)),
                row[3],
                row[6],
                row[5],
                row[4],
            ),
        )
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.astype({"count": "int64"})
