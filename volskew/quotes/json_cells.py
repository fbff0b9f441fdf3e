"""JSON into columns of cells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from volskew.errors import InputError
from volskew.quotes.text import decode

__all__ = ["json_cells", "parse_json"]


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


def json_cells(values: Sequence[Any]) -> pa.Array:
    """A column of JSON values; one that mixes types becomes text, for the common part to judge.

    Examples
    --------
    >>> json_cells([1, 2.5, None]).to_pylist(), json_cells([1, "x"]).to_pylist()
    ([1.0, 2.5, None], ['1', 'x'])
    """
    try:
        cells = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        cells = None
    if cells is not None and not pa.types.is_nested(cells.type):
        return cells
    return pa.array([None if value is None else str(value) for value in values], type=pa.string())
