"""What readers do to some lines of a column: take cells away, tell those with quotes, make nobody a zero."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.cells import Mask, numbers, positions
from volskew.quotes.raw import RawChain

__all__ = ["blanked", "has_quote", "nobody_is_zero"]


def blanked(cells: pa.Array, lines: Mask) -> pa.Array:
    """Cells with those of some lines null.

    Examples
    --------
    >>> blanked(pa.array([0.2, 0.3]), np.array([True, False])).to_pylist()
    [None, 0.3]
    """
    if not lines.any():
        return cells
    if pa.types.is_dictionary(cells.type):
        places = pa.array(positions(cells), mask=lines | (positions(cells) < 0))
        return pa.DictionaryArray.from_arrays(places, cells.dictionary)
    return pc.if_else(pa.array(~lines), cells, pa.scalar(None, cells.type))


def has_quote(chain: RawChain) -> Mask:
    """Lines with a positive bid or ask."""
    found = np.zeros(len(chain.rows), dtype=np.bool_)
    for name in ("bid", "ask"):
        if name in chain.cells:
            found |= numbers(chain.cells[name]).data > 0
    return found


def nobody_is_zero(chain: RawChain, nothing: tuple[float, ...] = ()) -> None:
    """Bids and asks that are missing, or one of some fillers, beside a size of 0 become 0: nobody is there.

    A missing price without a size stays missing, for that says that nothing was received.
    """
    for name, size in (("bid", "bid_size"), ("ask", "ask_size")):
        if name not in chain.cells or size not in chain.cells:
            continue
        prices, sizes = (numbers(chain.cells[key]) for key in (name, size))
        empty = (sizes.data == 0) & ~prices.bad & (prices.null | np.isin(prices.data, nothing))
        if empty.any():
            chain.cells[name] = _with_zeros(chain.cells[name], empty)


def _with_zeros(cells: pa.Array, lines: Mask) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_null(cells.type):
        cells = pc.cast(cells, pa.float64())
    zero = pa.scalar(
        "0" if not pa.types.is_floating(cells.type) and not pa.types.is_integer(cells.type) else 0
    )
    return pc.if_else(pa.array(~lines), cells, pc.cast(zero, cells.type))
