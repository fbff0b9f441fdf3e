"""JSON into columns of cells."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from volskew.errors import InputError
from volskew.quotes.encodings import decode

__all__ = ["json_cells", "json_documents", "list_of", "parse_json", "values_of"]


_BLANKS: Final = re.compile(r"\s*")


def parse_json(data: bytes, *, label: str) -> Any:
    """The content of a JSON file.

    Raises
    ------
    InputError
        Truncated, damaged, or nested beyond measure.
    """
    try:
        return json.loads(decode(data, label=label))
    except (json.JSONDecodeError, RecursionError) as error:
        where = (
            f"line {error.lineno}, character {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "nesting"
        )
        raise InputError(f"truncated or damaged JSON ({where})", file=label) from error


def json_documents(data: bytes, *, label: str) -> list[Any]:
    r"""The documents of a JSON file: usually one, or several one after another, such as one a line.

    Raises
    ------
    InputError
        As `parse_json`.

    Examples
    --------
    >>> json_documents(b'{"a": 1}\n{"a": 2}', label="two.json")
    [{'a': 1}, {'a': 2}]
    """
    try:
        return [parse_json(data, label=label)]
    except InputError:
        text = decode(data, label=label)
    decoder = json.JSONDecoder()
    found: list[Any] = []
    place = _after_blanks(text, 0)
    try:
        while place < len(text):
            document, place = decoder.raw_decode(text, place)
            found.append(document)
            place = _after_blanks(text, place)
    except (json.JSONDecodeError, RecursionError):
        return [parse_json(data, label=label)]  # says where it is damaged
    return found


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


def values_of(value: Any) -> list[Any]:
    """The values of an object; nothing where something else stands."""
    return list(value.values()) if isinstance(value, dict) else []
