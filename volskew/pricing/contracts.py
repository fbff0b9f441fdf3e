"""Options as the American kernels take them: a column each of a table, in runs that share a market.

`volskew.pricing.american` and `volskew.pricing.discrete` begin and end with this: arguments to a table, the
table to slices, the slices to threads. What a slice shares is worked out once, so a kernel is called on whole
slices.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.loading import importing
from volskew.pricing import arguments
from volskew.pricing.black import SIDES, ImpliedVol
from volskew.pricing.status import Status

__all__ = ["EXTRA", "RATE", "SPOT", "STRIKE", "TIME", "WORKED_OUT", "YIELD", "Contracts"]

SPOT, STRIKE, TIME, RATE, YIELD, EXTRA, WORKED_OUT = 0, 1, 2, 3, 4, 5, 6
"""Rows of a table: as given, `EXTRA` being the price or the vol; and what a pricer's own kernel fills in."""

_FEW = 8
"""Options a run below which the input is sorted by slice."""


class Contracts(NamedTuple):
    """Options of one call.

    Attributes
    ----------
    shape : tuple of int
        Of the arguments together; the arrays have one axis.
    table : ndarray, (7, n)
        The rows above.
    is_call : ndarray of bool, (n,)
    status : ndarray of uint8, (n,)
        Why an option has no answer; filled by the pricer.
    """

    shape: tuple[int, ...]
    table: NDArray[np.float64]
    is_call: NDArray[np.bool_]
    status: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        spot: ArrayLike,
        strike: ArrayLike,
        time_to_expiry: ArrayLike,
        rate: ArrayLike,
        dividend_yield: ArrayLike,
        is_call: ArrayLike,
        **extra: ArrayLike,
    ) -> Self:
        """Check and spread the arguments; `extra` is the price or the vol, by its name."""
        given = {
            "spot": spot,
            "strike": strike,
            "time_to_expiry": time_to_expiry,
            "rate": rate,
            "dividend_yield": dividend_yield,
            **extra,
        }
        shape, flat = arguments.broadcast(
            {name: arguments.floats(name, value) for name, value in given.items()}
            | {"is_call": arguments.booleans("is_call", is_call, meaning=SIDES)}
        )
        size = math.prod(shape)
        table, call = np.empty((7, size)), np.empty(size, dtype=bool)
        for row, item in zip(table, flat, strict=False):
            row[:] = item
        call[:] = flat[6]
        return cls(shape, table, call, np.empty(size, dtype=np.uint8))

    @property
    def size(self) -> int:
        """How many options."""
        return self.status.size

    def shaped(self, item: NDArray[np.float64]) -> Any:
        """A result in the shape of the arguments, a scalar for scalars."""
        return item.reshape(self.shape) if self.shape else float(item[0])

    def solved(self, vol: NDArray[np.float64]) -> ImpliedVol:
        """The vols with their statuses, shaped."""
        if not self.shape:
            return ImpliedVol(float(vol[0]), Status(int(self.status[0])))
        return ImpliedVol(vol.reshape(self.shape), self.status.reshape(self.shape))

    def run(self, call: Callable[..., None], *, by_spot: bool, threads: int | None) -> None:
        """Call ``call(order, starts, first, last)`` on the slices of the options whose status is OK.

        Parameters
        ----------
        call : callable
            Without the interpreter's lock: slices `first` to `last`, of which slice ``n`` is
            ``order[starts[n]:starts[n + 1]]``.
        by_spot : bool
            Whether the options of a slice share spot and right too.
        threads : int or None
            As for `volskew.pricing.arguments.thread_count`.
        """
        count = arguments.thread_count(threads)
        arrange = _arrange()
        order, starts = np.empty((2, self.size + 1), dtype=np.int64)
        rows, slices = arrange(self.table, self.is_call, self.status, by_spot, 0, order, starts)
        if slices * _FEW > rows and slices > 1:
            chosen = order[:rows]
            keys = [self.table[row, chosen] for row in (TIME, YIELD, RATE, *((SPOT,) if by_spot else ()))]
            order[:rows] = chosen[np.lexsort((*keys, self.is_call[chosen]))]
            _, slices = arrange(self.table, self.is_call, self.status, by_spot, rows, order, starts)

        def piece(number: int) -> None:
            call(order, starts, number * at_once, min((number + 1) * at_once, slices))

        # among threads a slice at a time, for what it shares is what takes long
        at_once = max(slices, 1) if count == 1 else 1
        pieces = -(-slices // at_once)
        arguments.share(lambda: piece, pieces, threads=min(count, pieces))


@functools.cache
def _arrange() -> Any:
    with importing:
        from volskew.pricing.slices import arrange  # noqa: PLC0415
    return arrange
