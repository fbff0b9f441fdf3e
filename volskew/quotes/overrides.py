"""Files of what is to be left out on somebody's word: readings and single quotes, each with its reason.

A desk knows of a day that its data do not show what it was: a halted leg, a quote that was bust, a vendor's
glitch. Such a decision is taken in the open: it stands in a file with its reason, and everything that it does
is told (exclusion code OVERRIDE, flag OVERRIDDEN, entries of the ledger).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from volskew.errors import InputError, SettingsError, shown
from volskew.ledger import Code, Entry, Stage
from volskew.market.clock import EASTERN, is_session, session_of, session_on_or_before
from volskew.market.curvefile import read_text
from volskew.market.overrides import Contract, Override
from volskew.market.table import MarketRow
from volskew.quotes.lines import BoolArray, IntArray, numeric
from volskew.quotes.osi import parse_osi
from volskew.quotes.roots import SYMBOL, canonical_symbol, root_terms

__all__ = ["Overrides", "find_overridden", "lines_of", "read_overrides"]

_REQUIRED: Final = ("date", "symbol", "reason")
_COLUMNS: Final = ("date", "symbol", "contract", "reason")
_ACCEPTED: Final = (
    "comma-separated columns date, symbol, reason, and contract where single quotes are meant, in any order"
)
_CONTRACTS: Final = (
    "an option symbol such as QQQ260918C00480000, or the same as expiry, strike and right: 2026-09-18 480 C; "
    "empty for the whole reading"
)
_DATES: Final = "a session as YYYY-MM-DD"
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PLAIN: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\d+(?:\.\d+)?|\.\d+)\s+([CPcp])", re.ASCII)
_STRIKES_APART: Final = 5e-4
"""[$] Option symbols tell strikes to a thousandth of a dollar."""
_SUNDAY: Final = 6
_MOST_TOLD: Final = 20
"""Mistakes of a file that are told one by one."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is to be left out: single quotes, and whole readings.

    Attributes
    ----------
    items : tuple of Override
        Each once, by date, symbol and contract.
    source : str
        The file, or "".

    Examples
    --------
    >>> overrides = Overrides([Override(dt.date(2026, 7, 10), "QQQ", "halted")])
    >>> len(overrides), len(overrides.readings), len(overrides.quotes_of("QQQ", dt.date(2026, 7, 10)))
    (1, 1, 0)
    """

    items: Sequence[Override] = ()
    source: str = ""
    _of_quotes: dict[tuple[str, dt.date], list[Override]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Sort the items, and keep each once."""
        given: Sequence[object] = self.items
        for item in given:
            if not isinstance(item, Override):
                msg = f"overrides are made of Override(...), got {item!r} among them"
                raise SettingsError(msg)
        items = tuple(sorted(dict.fromkeys(self.items), key=_order))
        object.__setattr__(self, "items", items)
        for item in items:
            if item.contract is not None:
                self._of_quotes.setdefault((item.symbol, item.date), []).append(item)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Override]:
        return iter(self.items)

    @property
    def readings(self) -> tuple[Override, ...]:
        """Those that leave out every reading of a symbol on a date."""
        return tuple(item for item in self.items if item.contract is None)

    def quotes_of(self, symbol: str, date: dt.date) -> tuple[Override, ...]:
        """Those that leave out single quotes of a symbol on a date."""
        return tuple(self._of_quotes.get((symbol, date), ()))


def read_overrides(path: str | os.PathLike[str]) -> Overrides:
    """Read a file of overrides.

    Parameters
    ----------
    path : path-like
        CSV, plain or gzipped, with the columns ``date`` (a session, YYYY-MM-DD), ``symbol``, ``reason``
        (never empty; in quotes where it holds a comma) and, where single quotes are meant, ``contract``, in
        any order and case. A contract is an option symbol (``QQQ260918C00480000``) or the same as expiry,
        strike and right (``2026-09-18 480 C``), which means every root of the underlying. A row with an empty
        contract leaves out every reading of the symbol on that date.

    Returns
    -------
    Overrides
        Empty where the file has a header and no rows.

    Raises
    ------
    InputError
        No such file, an unknown, missing or repeated column, a date that is no session, a symbol or contract
        that is none, a contract of another underlying or one that had expired, no reason, or the same thing
        twice for different reasons. The message names file, row, column and value, of every row that cannot
        be used (the first twenty of them).
    """
    source = os.fspath(path)
    reader = csv.reader(io.StringIO(read_text(source, accepted=_ACCEPTED), newline=""), skipinitialspace=True)
    found: dict[tuple[object, ...], list[Override]] = {}
    mistakes: list[InputError] = []
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        columns = _columns(header, source=source)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                item, wrong = _override(cells, columns, source=source, row=reader.line_num)
                mistakes.extend(wrong if item is None else _keep(item, found, source=source))
    except csv.Error as error:
        raise InputError(f"not a CSV file ({error})", file=source, row=reader.line_num) from error
    if mistakes:
        raise _together(mistakes, source)
    return Overrides([item for items in found.values() for item in items], source)


def find_overridden(
    quotes: pd.DataFrame, *, market: MarketRow | None = None, overrides: Overrides | None = None
) -> tuple[BoolArray, list[Entry]]:
    """Which lines of a snapshot are left out, and the ledger entries that say so.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Canonical quotes of one (symbol, snapshot_time).
    market : MarketRow, optional
        Its date is that of the quotes, its overrides are heeded. Without it the snapshot tells the session.
    overrides : Overrides, optional
        Further ones, of any dates and symbols.

    Returns
    -------
    mask : ndarray of bool
        One element a line.
    entries : list of Entry
        For each quote that is left out OVERRIDDEN with the number of its lines, or OVERRIDE_UNUSED where the
        chain does not hold the contract.

    Raises
    ------
    SettingsError
        `overrides` are none.
    """
    given: object = overrides
    if given is not None and not isinstance(given, Overrides):
        msg = f"overrides must be what read_overrides(path) returns; got {shown(given)}"
        raise SettingsError(msg)
    mask = np.zeros(len(quotes), dtype=np.bool_)
    entries: list[Entry] = []
    if len(quotes) and ((overrides is not None and len(overrides)) or (market and market.overrides)):
        symbol = str(quotes["symbol"].iloc[0])
        date = session_of(quotes["snapshot_time"].iloc[0]) if market is None else market.date
        known = () if market is None else market.overrides_of(symbol)
        further = () if overrides is None else overrides.quotes_of(symbol, date)
        items = sorted({*known, *further}, key=_order)
        for item, lines in zip(items, lines_of(quotes, items), strict=True):
            mask[lines] = True
            code, why = (Code.OVERRIDDEN, "") if len(lines) else (Code.OVERRIDE_UNUSED, "; not in the chain")
            count, detail = max(len(lines), 1), f"{item.words}{why}"
            entries.append(Entry(date, symbol, str(Stage.QUOTES), str(code), count, detail, item.source))
    return mask, entries


def lines_of(quotes: pd.DataFrame, items: Sequence[Override]) -> list[IntArray]:
    """The lines of a snapshot that each decision about a quote leaves out.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Canonical quotes of one (symbol, snapshot_time).
    items : sequence of Override
        About quotes of that symbol and date.

    Returns
    -------
    list of ndarray of int
        For each item the positions of its lines, duplicates of a contract included; empty where the contract
        is not in the chain.
    """
    if not items:
        return []
    numbers, instants = pd.factorize(quotes["expiry"])
    days = np.array([*pd.DatetimeIndex(instants).tz_convert(EASTERN).date, None], dtype=object)[numbers]
    strike = numeric(quotes, "strike")
    is_call = quotes["is_call"].to_numpy(dtype=np.float64, na_value=np.nan)
    root = quotes["root"].to_numpy(dtype=object)
    found = []
    for item in items:
        contract = item.contract
        if contract is None:
            found.append(np.zeros(0, dtype=np.intp))
            continue
        hit = (days == contract.expiry) & (is_call == contract.is_call)
        hit &= np.abs(strike - contract.strike) < _STRIKES_APART
        if contract.root:
            hit &= root == contract.root
        found.append(np.flatnonzero(hit))
    return found


# --- the file -----------------------------------------------------------------------------------------------


def _order(item: Override) -> tuple[object, ...]:
    contract = item.contract
    place = (contract.expiry, contract.strike, contract.is_call, contract.root) if contract else ()
    return item.date, item.symbol, bool(contract), place, item.reason


def _columns(header: Sequence[str], *, source: str) -> dict[str, int]:
    """Where each column stands."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        name = cell.strip().lower()
        if name not in _COLUMNS:
            raise InputError("an unknown column", file=source, column=cell.strip(), accepted=_ACCEPTED)
        if name in places:
            raise InputError("this column stands there twice", file=source, column=cell.strip())
        places[name] = place
    lacking = [name for name in _REQUIRED if name not in places]
    if lacking:
        problem = f"the header lacks {' and '.join(lacking)}"
        raise InputError(problem, file=source, value=", ".join(header), accepted=_ACCEPTED)
    return places


def _together(mistakes: Sequence[InputError], source: str) -> InputError:
    """All mistakes of a file as one error, so that it can be mended in one go."""
    if len(mistakes) == 1:
        return mistakes[0]
    told = [
        str(
            InputError(
                item.problem, row=item.row, column=item.column, value=item.value, accepted=item.accepted
            )
        )
        for item in mistakes[:_MOST_TOLD]
    ]
    if len(mistakes) > _MOST_TOLD:
        told.append(f"and {len(mistakes) - _MOST_TOLD:,} more.")
    lines = "\n  ".join(told)
    return InputError(f"{len(mistakes):,} mistakes\n  {lines.removesuffix('.')}", file=source)


def _override(
    cells: Sequence[str], columns: dict[str, int], *, source: str, row: int
) -> tuple[Override | None, list[InputError]]:
    """What a row says, or everything that is wrong with it."""
    if len(cells) != len(columns):
        accepted = 'one cell a column; a reason that holds a comma stands in quotes: "halted, then bust"'
        problem = f"{len(cells)} cells under a header of {len(columns)}"
        return None, [InputError(problem, file=source, row=row, value=",".join(cells), accepted=accepted)]
    texts = {name: cells[place].strip() for name, place in columns.items()}
    wrong: list[InputError] = []

    def refuse(problem: str, column: str, accepted: str) -> None:
        value = texts[column]
        wrong.append(InputError(problem, file=source, row=row, column=column, value=value, accepted=accepted))

    date = _date(texts["date"])
    if date is None:
        refuse("not a date", "date", _DATES)
    elif not _is_session(date):
        refuse(f"a {date:%A} without a session", "date", _DATES)
    symbol = canonical_symbol(texts["symbol"])
    if not SYMBOL.fullmatch(symbol):
        refuse("not a symbol", "symbol", "an underlying's symbol, such as QQQ")
    written, contract = texts.get("contract", ""), None
    if written and date is not None and not wrong:  # which contracts there can be hangs on both
        contract, problem = _contract(written, symbol=symbol, date=date)
        if contract is None:
            refuse(problem, "contract", _CONTRACTS)
    reason = " ".join(texts["reason"].split())
    if not reason or not reason.isprintable():
        problem = "there is no reason" if not reason else "the reason holds what cannot be printed"
        refuse(problem, "reason", "why it is left out, in words")
    if date is None or wrong:
        return None, wrong
    return Override(date, symbol, reason, contract, source, row), []


def _contract(text: str, *, symbol: str, date: dt.date) -> tuple[Contract | None, str]:
    """The contract that is written, or why there is none."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        expiry, strike = _date(plain[1]), float(plain[2])
        is_call, root = plain[3].upper() == "C", ""
        if expiry is None or not 0.0 < strike < math.inf:
            return None, "not an option contract"
    else:
        osi = parse_osi([text.upper()]).to_pylist()[0]
        if osi["root"] is None:
            return None, "not an option contract"
        root, expiry, strike, is_call = osi["root"], osi["expiration"], osi["strike"], osi["is_call"]
        underlying = root_terms(root).underlying
        if underlying != re.sub(r"[^A-Z0-9]", "", symbol):  # roots have no dots: BRKB
            return None, f"a contract on {underlying}, in a row for {symbol}"
    if expiry < date:
        return None, f"it had expired before {date}"
    if expiry.weekday() == _SUNDAY:
        return None, "nothing expires on a Sunday"
    try:
        expiry = session_on_or_before(expiry)
    except InputError:
        return None, "its expiry is beyond the trading calendar"
    return Contract(expiry, strike, is_call, root, text), ""


def _keep(
    item: Override, found: dict[tuple[object, ...], list[Override]], *, source: str
) -> list[InputError]:
    """Take a row, unless an earlier one says the same; one that says it for another reason is a mistake."""
    contract = item.contract
    thing = (contract.expiry, contract.strike, contract.is_call) if contract else ()
    same = found.setdefault((item.date, item.symbol, *thing), [])
    for other in same:
        roots = {it.contract.root for it in (item, other) if it.contract is not None}
        if len(roots - {""}) > 1:
            continue  # one strike of two roots
        if other.reason != item.reason:
            problem = f"left out already in row {other.row}, for another reason ({other.reason!r})"
            accepted, value = "each reading and each quote once", item.reason
            return [
                InputError(
                    problem, file=source, row=item.row, column="reason", value=value, accepted=accepted
                )
            ]
    if item not in same:
        same.append(item)
    return []


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        return None


def _is_session(date: dt.date) -> bool:
    try:
        return is_session(date)
    except InputError:  # outside the calendar nothing was traded that could be read
        return False
