"""JSON into columns of cells."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from volskew.errors import InputError
from volskew.quotes.encodings import decode

__all__ = ["json_cells", "json_documents", "list_of"]


_BLANKS: Final = re.compile(r"\s*")
_SHOWN: Final = 40


def json_documents(data: bytes, *, label: str) -> list[Any]:
    r"""The documents of a JSON file: usually one, or several one after another, such as one a line.

    Raises
    ------
    InputError
        Truncated, damaged, nested beyond measure, or an object has a key twice.

    Examples
    --------
    >>> json_documents(b'{"a": 1}\n{"a": 2}', label="two.json")
    [{'a': 1}, {'a': 2}]
    """
    text = decode(data, label=label)
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    found: list[Any] = []
    place = _after_blanks(text, 0)
    try:
        while place < len(text) or not found:
            document, place = decoder.raw_decode(text, place)
            found.append(document)
            place = _after_blanks(text, place)
    except json.JSONDecodeError as error:
        raise InputError(_damage(text, place, error, len(found)), file=label) from error
    except RecursionError as error:
        raise InputError("truncated or damaged JSON (nesting)", file=label) from error
    except _KeyTwiceError as error:
        raise InputError(
            f"an object of document {len(found) + 1} has a key twice, with different values, of which one "
            "alone could be read",
            file=label,
            value=str(error),
            accepted="each key once in an object",
        ) from error
    return found


class _KeyTwiceError(Exception):
    """An object has a key twice, with different values."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for key, value in pairs:
            if found[key] != value:
                raise _KeyTwiceError(key)
    return found


def _damage(text: str, place: int, error: json.JSONDecodeError, n: int) -> str:
    """What is wrong with the document that begins at a place, after `n` whole ones."""
    where = f"line {error.lineno}, character {error.colno}"
    if not n:
        return f"truncated or damaged JSON ({where})"
    rest = text[place:].rstrip()
    whole = f"the {n} before it {'is' if n == 1 else 'are'} whole"
    if rest.startswith("<"):
        return f"HTML in line {error.lineno}, where a JSON document should stand ({rest[:_SHOWN]!r}); {whole}"
    begins = text.count("\n", 0, place) + 1
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return f"cut off: the last document, from line {begins} on, is incomplete ({where}); {whole}"
    return f"damaged JSON ({where}): document {n + 1}, from line {begins} on, is none; {whole}"


def _after_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def json_cells(values: Sequence[Any]) -> pa.Array:
    """A column of JSON values; one that mixes types becomes text, for the common part to judge.

    Examples
    --------
    >>> json_cells([1, 2.5, None]).to_pylist(), json_cells([1, "x"]).to_pylist()
    ([1.0, 2.5, None], ['1', 'x'])
    """
    try:
        cells = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        cells = None
    if cells is not None and not pa.types.is_nested(cells.type):
        return cells
    return pa.array([None if value is None else _printable(str(value)) for value in values], type=pa.string())


def _printable(text: str) -> str:
    """The text with halves of characters (an escaped surrogate without its other) spelled out."""
    return text.encode(errors="backslashreplace").decode()


def list_of(value: Any) -> list[Any]:
    """A list as it is; nothing where something else stands."""
    return value if isinstance(value, list) else []
