"""The canonical quotes table: the one definition of its columns, codes and flags.

One row is one option line of one file. Missing is null, never 0 or a sentinel. Cleaning adds labels and
drops nothing: every line read is a row for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from volskew.errors import InputError

__all__ = [
    "COLUMNS",
    "LABEL_COLUMNS",
    "Column",
    "Exclusion",
    "Flag",
    "conform",
    "empty_quotes",
    "has_flag",
    "with_columns",
]

UTC_TIME: Final = "datetime64[us, UTC]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the quotes table: its pandas dtype, unit and meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str
    nullable: bool = True


COLUMNS: Final[tuple[Column, ...]] = (
    Column("snapshot_time", UTC_TIME, "UTC", "the instant the chain is taken to be at", nullable=False),
    Column("quote_time", UTC_TIME, "UTC", "the line's own quote time"),
    Column("trade_time", UTC_TIME, "UTC", "the line's last trade"),
    Column("symbol", "str", "", "underlying, in canonical spelling (SPX, not _SPX or ^SPX)", nullable=False),
    Column("root", "str", "", "option root (SPXW, QQQ1)", nullable=False),
    Column("expiry", UTC_TIME, "UTC", "the expiry instant: half days, holidays, AM settlement resolved"),
    Column("settlement", "str", "", "PM or AM", nullable=False),
    Column("exercise", "str", "", "american or european", nullable=False),
    Column("strike", "float64", "$", "strike"),
    Column("is_call", "boolean", "", "call or put"),
    Column("bid", "float64", "$", "bid; 0 means that nobody bids"),
    Column("ask", "float64", "$", "ask"),
    Column("last", "float64", "$", "last trade, never used for vols"),
    Column("bid_size", "float64", "contracts", "size at the bid"),
    Column("ask_size", "float64", "contracts", "size at the ask"),
    Column("volume", "float64", "contracts", "traded this session"),
    Column("open_interest", "float64", "contracts", "open interest, usually of the night before"),
    Column("multiplier", "float64", "", "units of the underlying a contract"),
    Column("underlying_price", "float64", "$", "the file's spot, a label: it may not be simultaneous"),
    Column("vendor_vol", "float64", "decimal, annual", "the file's own implied vol"),
    Column("vendor_delta", "float64", "signed", "the file's own delta"),
    Column("source_file", "str", "", "file (and archive member)", nullable=False),
    Column("source_row", "int64", "", "one-based line in that file, header lines counted", nullable=False),
)

LABEL_COLUMNS: Final[tuple[Column, ...]] = (
    Column("exclusion", "str", "", "null, or the one code that keeps the line out of everything"),
    Column("flags", "str", "", "space-separated flags, sorted; empty where there are none", nullable=False),
    Column("used_in_forward", "bool", "", "the line served the forward", nullable=False),
    Column("used_in_smile", "bool", "", "the line served the smile", nullable=False),
)


class _Explained(StrEnum):
    """Text members that carry a sentence about themselves."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Attach the sentence to the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class Exclusion(_Explained):
    """The one code of a line that is never used, in the order in which the rules are applied."""

    OVERRIDE = "OVERRIDE", "left out by a line of the overrides file; the ledger has the reason"
    PARSE = "PARSE", "strike, right, expiry, bid or ask is missing, unreadable or not finite"
    ROOT = "ROOT", "adjusted, mini or FLEX root, or a multiplier other than 100"
    EXPIRED = "EXPIRED", "expired at or before the snapshot"
    DUP = "DUP", "a second line of the same contract"
    NOASK = "NOASK", "no ask"
    NOBID = "NOBID", "nobody bids"
    CROSSED = "CROSSED", "bid above ask, or an expiry with too many such lines"
    BOUND_LO = "BOUND_LO", "ask below the no-arbitrage floor"
    BOUND_HI = "BOUND_HI", "bid above the no-arbitrage ceiling"
    WIDE = "WIDE", "bid and ask vols too far apart, or no vol at the bid"
    TICK = "TICK", "one tick is worth more than a vol point, or the mid is under 5 cents"
    STALE = "STALE", "quoted too long before the snapshot, or unchanged while the underlying moved"
    VERT = "VERT", "executable vertical-spread arbitrage against other lines"
    FLY = "FLY", "executable butterfly arbitrage against other lines"
    OUTLIER = "OUTLIER", "far from the smile of its neighbours, in half-spreads and robust deviations"


class Flag(_Explained):
    """What should be known of a line that may still be used."""

    LOCKED = "LOCKED", "bid equals ask; half a tick is taken as half-spread"
    SETTLE = "SETTLE", "the date has AM- and PM-settled lines, kept as separate slices"
    PARITY = (
        "PARITY",
        "the pair breaks put-call parity by more than its half-spreads; not in the forward",
    )
    CUTOFF = "CUTOFF", "beyond two zero-bid strikes in a row; not in a model-free strip"
    BOUND_MID = "BOUND_MID", "mid within half a tick of its floor: no vol at the mid"
    NO_QUOTES = "NO_QUOTES", "a vendor's vol without bid and ask; taken as it is"
    COLLAPSED = "COLLAPSED", "identical duplicates of this line were collapsed into it"


def empty_quotes() -> pd.DataFrame:
    """A quotes table with no rows and every column in its canonical dtype."""
    return conform(pd.DataFrame())


def conform(frame: pd.DataFrame, *, source: str = "") -> pd.DataFrame:
    """Put columns into canonical order and dtype; absent nullable ones become null.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any subset of the canonical columns.
    source : str
        Named in errors.

    Returns
    -------
    pandas.DataFrame
        A new frame with exactly `COLUMNS`, and `LABEL_COLUMNS` where `frame` has them.

    Raises
    ------
    InputError
        A required column is absent, or a column cannot be given its dtype.
    """
    wanted = [*COLUMNS, *(column for column in LABEL_COLUMNS if column.name in frame.columns)]
    if len(frame.index):
        absent = [
            column.name for column in wanted if not column.nullable and column.name not in frame.columns
        ]
        if absent:
            raise InputError(
                f"the quotes table lacks {', '.join(absent)}",
                file=source or None,
                accepted=f"at least {', '.join(c.name for c in COLUMNS if not c.nullable)}",
            )
    arrays: dict[str, pd.Series] = {}
    for column in wanted:
        if column.name not in frame.columns:
            arrays[column.name] = pd.Series(None, index=frame.index, dtype=_dtype(column))
            continue
        try:
            values, dtype = frame[column.name], _dtype(column)
            arrays[column.name] = values if values.dtype == dtype else values.astype(dtype)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"cannot be read as {column.dtype} ({error})",
                file=source or None,
                column=column.name,
            ) from error
    # not copied: columns of `frame` are shared until either is written to
    return pd.DataFrame(arrays, index=frame.index, copy=False)


def _dtype(column: Column) -> Any:
    # null strings are NaN, the dtype that pandas 3 itself infers
    return pd.StringDtype(na_value=float("nan")) if column.dtype == "str" else column.dtype


def has_flag(flags: pd.Series, flag: str) -> pd.Series:
    """Boolean mask of the rows that carry `flag`."""
    codes, texts = pd.factorize(flags.fillna(""))  # few combinations, many rows
    carries = np.array([flag in text.split() for text in texts], dtype=np.bool_)
    return pd.Series(carries[codes], index=flags.index, name=flags.name)


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A copy with columns added, or put in the place of those there are; quicker than `assign` for many."""
    there = {name: values for name, values in columns.items() if name in frame.columns}
    new = {name: values for name, values in columns.items() if name not in there}
    result = frame.assign(**there)
    return pd.concat([result, pd.DataFrame(new, index=frame.index, copy=False)], axis=1) if new else result
