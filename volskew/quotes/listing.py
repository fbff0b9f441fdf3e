"""What each line is an option on: underlying, root, expiry, right, strike, settlement, exercise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from volskew.aliases import Alias
from volskew.errors import InputError
from volskew.market.clock import expiry_instants
from volskew.quotes import cells as parse
from volskew.quotes import moments as times
from volskew.quotes.notes import Notes
from volskew.quotes.osi import parse_osi
from volskew.quotes.raw import RawChain
from volskew.quotes.roots import canonical_symbol, root_terms, settlement_of
from volskew.settings import Settings

__all__ = ["Terms", "carried", "contract_terms", "filled_roots", "listing", "underlyings"]

_WORST_SHARE: Final = 0.5
_WORST_COUNT: Final = 10
_NEVER: Final = np.datetime64("NaT", "D")

Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class Terms:
    """Distinct roots, each line's root (-1: none written) and each line's expiration date."""

    roots: list[str]
    root_codes: Array
    expiry: Array


def contract_terms(raw: RawChain, columns: dict[str, Any], notes: Notes, label: str) -> Terms:
    """Root, expiration, right and strike: from the option symbol where there is one, else from columns."""
    n = len(raw.rows)
    expiry = np.full(n, np.datetime64("NaT", "D"))
    if "expiry" in raw.cells:
        found = times.dates(raw.cells["expiry"], day_first=raw.is_day_first("expiry"))
        notes.add("expiry", found.bad, "date")
        expiry = found.data
    right, no_right = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    if "is_call" in raw.cells:
        sides = parse.rights(raw.cells["is_call"])
        notes.add("is_call", sides.bad, "call or put")
        right, no_right = sides.data, sides.null
    strike = columns.get("strike", np.full(n, np.nan))
    roots, root_codes = _column_roots(raw)
    if "option" in raw.cells:
        words = parse.coded(raw.cells["option"])
        symbols, of_line = parse_osi(words.dictionary), parse.positions(words)
        good = np.asarray(pc.is_valid(symbols.column("strike")).to_numpy())
        known = np.append(good, [False])[of_line]
        if not known.all():
            notes.add("option", ~known & ~_is_blank(words), "option symbol")
        notes.restored(known)
        osi_expiry = np.append(symbols.column("expiration").to_numpy().astype("datetime64[D]"), _NEVER)[
            of_line
        ]
        osi_strike = np.append(symbols.column("strike").to_numpy(), np.nan)[of_line]
        is_call = pc.fill_null(symbols.column("is_call"), False).to_numpy()  # noqa: FBT003 - Arrow's way
        osi_right = np.append(is_call, [False])[of_line]
        _contradictions(
            raw,
            notes,
            label,
            known,
            {
                "strike": (strike, osi_strike),
                "expiry": (expiry, osi_expiry),
                "is_call": (np.where(no_right, np.nan, right), osi_right.astype(np.float64)),
            },
        )
        expiry = np.where(known, osi_expiry, expiry)
        strike = np.where(known, osi_strike, strike)
        right = np.where(known, osi_right, right)
        no_right = no_right & ~known
        names = symbols.column("root").combine_chunks().dictionary_encode()
        osi_roots, osi_codes = names.dictionary.to_pylist(), np.append(parse.positions(names), [-1])[of_line]
        root_codes = np.where(
            osi_codes >= 0, osi_codes, np.where(root_codes >= 0, root_codes + len(osi_roots), -1)
        )
        roots = [*osi_roots, *roots]
    columns["strike"] = strike
    columns["is_call"] = pd.arrays.BooleanArray(right.astype(bool), no_right.astype(bool))
    return Terms(roots, root_codes, expiry)


def _contradictions(
    raw: RawChain, notes: Notes, label: str, known: Array, pairs: Mapping[str, tuple[Array, Array]]
) -> None:
    """Columns that say otherwise than the option symbol of their line: the symbol wins, and that is said."""
    for name, (column, symbol) in pairs.items():
        there = known & ~pd.isna(column)
        differ = there & (np.abs(column - symbol) > 0.0005 if name == "strike" else column != symbol)
        count = int(differ.sum())
        if not count:
            continue
        place = int(np.argmax(differ))
        row, said, meant = int(raw.rows[place]), column[place], symbol[place]
        if name == "strike" and count >= _WORST_COUNT and count > _WORST_SHARE * int(there.sum()):
            raise InputError(
                f"strikes contradict the option symbols, which say {meant:g} here",
                file=label, row=row, column=raw.names.get(name, name), value=float(said),
                accepted="strikes in dollars", code="BAD_UNITS",
            )  # fmt: skip
        if name == "is_call":
            said, meant = ("call" if value else "put" for value in (said, meant))
        notes.say(
            f"{name} contradicts the option symbol, which is followed: {said} for {meant}",
            count,
            row=row,
        )


def _column_roots(raw: RawChain) -> tuple[list[str], Array]:
    if "root" not in raw.cells:
        return [], np.full(len(raw.rows), -1, dtype=np.int64)
    words = parse.renamed(parse.coded(raw.cells["root"]), lambda text: text.strip().lstrip("_^$.").upper())
    blank = np.array([not name for name in words.names] + [False])
    return words.names, np.where(blank[words.codes], -1, words.codes)


def underlyings(
    raw: RawChain, roots: list[str], root_codes: Array, label: str, aliases: Mapping[str, Alias]
) -> tuple[list[str], Array]:
    """Distinct underlyings, canonically spelled, and each line's; one without goes with its neighbour.

    Of `aliases` those that hold on every day are followed here; the others wait until the day is known.
    """
    names: list[str] = [root_terms(root).underlying for root in roots]
    which = root_codes
    if "symbol" in raw.cells:
        words = parse.renamed(parse.coded(raw.cells["symbol"]), canonical_symbol)
        given, own = words.names, words.codes
        blank = np.array([not name for name in given] + [True])
        which = np.where(blank[own], np.where(which >= 0, which + len(given), -1), own)
        names = [*given, *names]
    always = {alias.old: alias.new for alias in aliases.values() if alias.until is None}
    names = [always.get(name, name) for name in names]
    which = carried(which)
    if (which < 0).any():
        raise InputError(
            "no line names its underlying",
            file=label,
            accepted="a symbol column, or option symbols of the OSI scheme",
        )
    distinct = sorted({names[code] for code in np.flatnonzero(np.bincount(which))})
    place = {name: position for position, name in enumerate(distinct)}
    return distinct, np.array([place.get(name, -1) for name in names], dtype=np.int64)[which]


def filled_roots(
    roots: list[str], root_codes: Array, symbols: list[str], symbol_codes: Array
) -> tuple[list[str], Array]:
    """A root for every line: where none is written, the underlying itself."""
    if (root_codes >= 0).all():
        return roots, root_codes
    return [*roots, *symbols], np.where(root_codes >= 0, root_codes, symbol_codes + len(roots))


def listing(
    raw: RawChain, roots: list[str], root_codes: Array, expiry: Array, settings: Settings
) -> dict[str, Any]:
    """Expiry instants, settlement and exercise of each line.

    What the file states goes before what the root says; exercise overrides go before both.
    """
    overrides = {root.upper(): style for root, style in settings.exercise_overrides}
    styles = np.array([overrides.get(root, root_terms(root).exercise) == "european" for root in roots])
    european = styles[root_codes]
    if "exercise" in raw.cells:
        fixed = np.array([root in overrides for root in roots])[root_codes]
        european = _stated(
            raw.cells["exercise"], {"american": 0, "european": 1, "a": 0, "e": 1}, european, fixed
        )
    days, day_codes = parse.distinct_codes(expiry)
    pairs, inverse = parse.distinct_codes(root_codes * len(days) + day_codes)
    ruled = [
        not np.isnat(day) and settlement_of(roots[code], day.astype(object)) == "AM"
        for code, day in zip(pairs // len(days), days[pairs % len(days)], strict=True)
    ]
    morning = np.array(ruled, dtype=bool)[inverse]
    if "settlement" in raw.cells:
        morning = _stated(raw.cells["settlement"], {"pm": 0, "am": 1, "p": 0, "a": 1}, morning, None)
    instants = np.concatenate([_expire(days, "PM"), *([_expire(days, "AM")] if morning.any() else [])])
    return {
        "expiry": pd.DatetimeIndex(instants[day_codes + morning * len(days)]).tz_localize("UTC"),
        "settlement": parse.Words(["PM", "AM"], morning.astype(np.int64)),
        "exercise": parse.Words(["american", "european"], european.astype(np.int64)),
    }


def _stated(cells: pa.Array, meanings: Mapping[str, int], otherwise: Array, fixed: Array | None) -> Array:
    """What a column says of each line, where it says it and nothing stronger is `fixed`."""
    words = parse.coded(cells)
    said = [meanings.get((text or "").strip().lower(), -1) for text in words.dictionary.to_pylist()]
    values = np.array([*said, -1])[parse.positions(words)]
    take = values >= 0 if fixed is None else (values >= 0) & ~fixed
    return np.where(take, values == 1, otherwise)


def _expire(days: Array, settlement: str) -> Array:
    """Instants in UTC, without a zone."""
    found = expiry_instants(pd.Series(days.astype("datetime64[us]")), settlement=settlement)
    return np.asarray(found.dt.tz_localize(None).to_numpy(), dtype="datetime64[us]")


def carried(numbers: Array) -> Array:
    """Codes with each -1 replaced by the one before it, or at the beginning by the first after it."""
    good = numbers >= 0
    if good.all() or not good.any():
        return numbers
    last = np.maximum.accumulate(np.where(good, np.arange(len(numbers)), -1))
    return np.where(last >= 0, numbers[np.maximum(last, 0)], numbers[int(np.argmax(good))])


def _is_blank(words: pa.DictionaryArray) -> Array:
    return parse.which(words, lambda text: not text, missing=True)
