"""Option symbols of the OSI scheme, read from the right: 15 fixed characters after a root of up to six."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["looks_like_osi", "parse_osi"]

# The root may hold digits anywhere (SPXW, QQQ1, 2QQQ) and must hold a letter; it is padded or not.
_PATTERN: Final = (
    r"^\s*(?:O:|[.])?(?P<root>[A-Z0-9]{0,5}?[A-Z][A-Z0-9]{0,5}?)\s*"
    r"(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<right>[CP])(?P<strike>[0-9]{8})\s*$"
)
_ROOT: Final = re.compile(
    r"\s*(?:O:|[.])?(?P<root>(?=[A-Z0-9]{1,6}\s*$)[A-Z0-9]*[A-Z][A-Z0-9]*)\s*", re.ASCII
)
_ROOT_LENGTH: Final = 6
_FIXED: Final = 15


def parse_osi(symbols: pa.Array | pa.ChunkedArray | pd.Series | Sequence[str | None]) -> pa.Table:
    """Split option symbols into root, expiration, right and strike.

    The form is root (1-6 characters, padded with spaces or not), YYMMDD, C or P, and the strike times 1000
    in eight digits. A leading ``O:`` or ``.`` is accepted. The scheme dates from 2010, so years are 20YY.

    Parameters
    ----------
    symbols : array of str, length n
        Arrow, pandas or a plain sequence; nulls allowed.

    Returns
    -------
    pyarrow.Table, n rows
        ``root`` (string), ``expiration`` (date32, as written: not moved off holidays), ``is_call`` (bool),
        ``strike`` (double, [$]). All four are null where a symbol cannot be read: another shape, no letter in
        the root, a root of more than six characters, a date that does not exist, or a strike of zero.

    Notes
    -----
    The Options Clearing Corporation's Options Symbology Initiative, in force since 2010-02-12.

    Examples
    --------
    >>> parse_osi(["QQQ   240119C00400000", "O:SPXW240119P04700500", "QQQ240230C00400000"]).to_pylist()[:2]
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'root': 'QQQ', 'expiration': datetime.date(2024, 1, 19), 'is_call': True, 'strike': 400.0},
     {'root': 'SPXW', 'expiration': datetime.date(2024, 1, 19), 'is_call': False, 'strike': 4700.5}]
    >>> parse_osi(["QQQ240230C00400000"]).column("strike").to_pylist()
    [None]
    """
    cells = _strings(symbols)
    quick = _all_regular(cells)
    if quick is not None:
        return quick
    parts = pc.extract_regex(cells, _PATTERN)
    found = pc.is_valid(parts).to_numpy(zero_copy_only=False)

    def integers(name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        digits = pc.fill_null(pc.struct_field(parts, name), "0")
        return np.asarray(pc.cast(digits, pa.int64()).to_numpy(zero_copy_only=False))

    root = pc.struct_field(parts, "root")
    year, month, day = 2000 + integers("year"), integers("month"), integers("day")
    strike = integers("strike")
    dates, exists = _dates(year, month, day)
    good = found & exists & (strike > 0)
    good &= pc.fill_null(pc.utf8_length(root), 0).to_numpy(zero_copy_only=False) <= _ROOT_LENGTH
    bad = ~good
    is_call = pc.fill_null(pc.equal(pc.struct_field(parts, "right"), "C"), False)  # noqa: FBT003 - Arrow's way
    return pa.table(
        {
            "root": pc.if_else(pa.array(good), root, pa.scalar(None, root.type)),
            "expiration": pa.array(dates, mask=bad, type=pa.date32()),
            "is_call": pa.array(is_call.to_numpy(zero_copy_only=False), mask=bad),
            "strike": pa.array(strike / 1000.0, mask=bad),
        }
    )


def _all_regular(cells: pa.Array) -> pa.Table | None:
    """The parts of symbols that are all of the one form and ASCII, read by place; None where any is not.

    It is what whole files hold, and quicker than the pattern.
    """
    n = len(cells)
    if not n or cells.null_count:
        return None
    offsets = np.frombuffer(cells.buffers()[1], dtype=np.int32)[cells.offset : cells.offset + n + 1]
    lengths = np.diff(offsets)
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest <= _FIXED or longest > _FIXED + _ROOT_LENGTH + 2:
        return None
    octets = np.frombuffer(cells.buffers()[2], dtype=np.uint8)
    if shortest == longest:
        tail = octets[offsets[0] : offsets[-1]].reshape(n, longest)[:, -_FIXED:]
    else:
        tail = octets[offsets[1:, None] + np.arange(-_FIXED, 0, dtype=np.int32)]
    sides, digits = tail[:, 6], np.delete(tail, 6, axis=1) - np.uint8(ord("0"))
    is_call = sides == ord("C")
    if (digits > 9).any() or not (is_call | (sides == ord("P"))).all():
        return None
    roots = pc.utf8_slice_codeunits(cells, 0, -_FIXED).dictionary_encode()
    names = [_ROOT.fullmatch(text) for text in roots.dictionary.to_pylist()]
    if not all(names):
        return None
    numbers = digits[:, :6].astype(np.int64) @ 10 ** np.arange(5, -1, -1)
    strikes = digits[:, 6:].astype(np.int64) @ 10 ** np.arange(7, -1, -1)
    days, places = np.unique(numbers, return_inverse=True)
    dates, exists = _dates(2000 + days // 10_000, days // 100 % 100, days % 100)
    if not exists.all() or not (strikes > 0).all():
        return None
    bare = pa.array([name["root"] for name in names if name], type=pa.string())
    return pa.table(
        {
            "root": bare.take(roots.indices),
            "expiration": pa.array(dates[places], type=pa.date32()),
            "is_call": pa.array(is_call),
            "strike": pa.array(strikes / 1000.0),
        }
    )


def looks_like_osi(symbols: Sequence[str | None]) -> bool:
    """Whether there are symbols here and most of them are option symbols, not tickers."""
    filled = [text for text in symbols if text and text.strip()]
    return bool(filled) and 2 * (len(filled) - parse_osi(filled).column("root").null_count) > len(filled)


def _strings(symbols: Any) -> pa.Array:
    if isinstance(symbols, pd.Series):
        symbols = pa.Array.from_pandas(symbols)
    elif not isinstance(symbols, pa.Array | pa.ChunkedArray):
        symbols = pa.array(list(symbols), type=pa.string())
    if isinstance(symbols, pa.ChunkedArray):
        symbols = symbols.combine_chunks()
    if pa.types.is_dictionary(symbols.type):
        symbols = symbols.dictionary_decode()
    return pc.cast(symbols, pa.string())


def _dates(
    year: np.ndarray[Any, np.dtype[np.int64]],
    month: np.ndarray[Any, np.dtype[np.int64]],
    day: np.ndarray[Any, np.dtype[np.int64]],
) -> tuple[np.ndarray[Any, np.dtype[np.datetime64]], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Calendar dates, and whether each exists."""
    exists = (month >= 1) & (month <= 12) & (day >= 1)
    months = ((year - 1970) * 12 + np.where(exists, month, 1) - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (np.where(exists, day, 1) - 1)
    return dates, exists & (dates.astype("datetime64[M]") == months)
