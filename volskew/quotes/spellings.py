"""Dates as statistical packages write them, into spellings that are read."""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa

from volskew.quotes.cells import TRIM, coded
from volskew.quotes.raw import RawChain

__all__ = ["respell_dates"]

_RUN_TOGETHER: Final = re.compile(r"([0-9]{1,2})([A-Za-z]{3})([0-9]{4}|[0-9]{2})(?::00:00:00(?:[.]0*)?)?")
_DASHED: Final = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")


def respell_dates(chain: RawChain, *keys: str) -> None:
    """Put dates such as 01MAY2012 and 01-05-2012 into spellings that are read, in place.

    Where numbers stand in the place of month and day, the file's own dates tell which is which (see
    `volskew.quotes.layout`).

    Parameters
    ----------
    chain : RawChain
        Of a file that may have been written by such a package.
    *keys : str
        Fields; those that are not there, or are no text, stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> cells = {"date": pa.array(["01MAY2012"]), "expiry": pa.array(["16-06-2012"])}
    >>> chain = RawChain(cells, {}, np.array([2]), day_first=frozenset())
    >>> respell_dates(chain, "date", "expiry")
    >>> chain.cells["date"].to_pylist(), chain.cells["expiry"].to_pylist(), chain.day_first
    (['01-MAY-2012'], ['16/06/2012'], None)
    """
    for key in keys:
        cells = chain.cells.get(key)
        if cells is None or not _is_text(cells.type):
            continue
        words = coded(cells)
        texts = [_respelled((text or "").strip(TRIM)) for text in words.dictionary.to_pylist()]
        chain.cells[key] = pa.DictionaryArray.from_arrays(words.indices, pa.array(texts, type=pa.string()))
        if any("/" in text for text in texts):
            chain.day_first = None


def _respelled(text: str) -> str:
    if found := _RUN_TOGETHER.fullmatch(text):
        return "-".join(found.groups())
    if found := _DASHED.fullmatch(text):
        return "/".join(found.groups())
    return text


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))
