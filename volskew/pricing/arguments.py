"""What callers pass to a pricing function, made ready for a kernel: checked, broadcast, cut into chunks.

Kernels see one kind of array only (one-dimensional, contiguous, writable, float64 or bool), so that each is
compiled once. Anything else (read-only, strided, float32, integers, scalars against arrays) is copied into
such arrays a chunk at a time: no copy of a whole input is made unless its shape has to be spread over several
axes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import reprlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.ma  # here, not in numba's first call: there a fork could catch the import half done
from numpy.typing import ArrayLike, NDArray

from volskew.errors import SettingsError

__all__ = ["booleans", "broadcast", "floats", "run", "share", "thread_count"]

_MISSING = {"NAType", "NaTType", "MaskedConstant"}
"""Types of pandas and numpy that stand for a missing value; pandas itself is not imported here."""
_TEXT = reprlib.Repr()
_TEXT.maxother = _TEXT.maxstring = 80
_CHUNK = 16_384
"""Options a kernel call: its inputs stay in the second-level cache."""
_CHUNKS_A_THREAD = 3
"""Chunks for which a thread pays: starting one takes about as long as one chunk."""


def floats(name: str, value: ArrayLike) -> NDArray[Any]:
    """`value` as an array of real numbers (not copied, and not yet float64, where it is one).

    Missing values of pandas, Arrow and masked arrays become NaN.

    Raises
    ------
    SettingsError
        It holds text, dates, complex numbers, None in a list, or anything else that is no number.
    """
    given: Any = value
    if type(given) is float:
        return np.array(given)
    masked = isinstance(given, np.ma.MaskedArray)
    hidden = np.ma.getmaskarray(given) if masked else None
    array = _as_array(name, given.data if masked else given, "real numbers")
    if array.dtype.kind in "mM":
        first = f"{array.ravel()[0]!s} at position 0" if array.ndim and array.size else str(array)
        msg = f"{name} must be real numbers; got {first} ({array.dtype})"
        raise SettingsError(msg)
    if array.dtype.kind not in "fiub":
        array = array.astype(object)
        # a table's own column says None for a missing value; in a list it is more likely a slip
        return _from_objects(name, array, hidden, missing_none=hasattr(given, "to_numpy"))
    if hidden is not None:
        return np.where(hidden, np.nan, array.astype(np.float64))
    return array.astype(np.float64) if array.dtype.kind == "b" else array


def _as_array(name: str, given: Any, wanted: str) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, OverflowError, TypeError) as error:
        msg = f"{name} must be {wanted} in one shape: {error}"
        raise SettingsError(msg) from None


def _from_objects(
    name: str, array: NDArray[Any], hidden: NDArray[np.bool_] | None, *, missing_none: bool
) -> NDArray[np.float64]:
    """Each object as a float, NaN where it stands for a missing value."""
    numbers = np.full(array.size, np.nan)
    mask = np.zeros(array.size, dtype=bool) if hidden is None else hidden.ravel()
    for position, item in enumerate(array.ravel().tolist()):
        if mask[position] or (item is None and missing_none) or type(item).__name__ in _MISSING:
            continue
        # numpy counts its durations among the integers
        if isinstance(item, Real | Decimal) and type(item).__name__ != "timedelta64":
            try:
                numbers[position] = float(item)
                continue
            except (OverflowError, ValueError):
                pass  # 10**400; a signalling NaN
        where = f" at position {position}" if array.ndim else ""
        msg = f"{name} must be real numbers; got {_shown(item)}{where}"
        raise SettingsError(msg)
    return numbers.reshape(array.shape)


def _shown(item: object) -> str:
    """The item as text, whatever it is."""
    if isinstance(item, int) and item.bit_length() > 1024:
        return f"an integer of {item.bit_length()} bits"
    return _TEXT.repr(item)


def booleans(name: str, value: ArrayLike, *, meaning: str) -> NDArray[np.bool_]:
    """`value` as booleans; anything but booleans, 0 and 1 is refused, for every text and NaN is true.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : array_like
        Booleans, or integers 0 and 1.
    meaning : str
        What is accepted, for the message.

    Raises
    ------
    SettingsError
        The first item that is neither, with its position.
    """
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        where = f" at position {int(np.flatnonzero(np.ma.getmaskarray(value))[0])}" if value.ndim else ""
        msg = f"{name} must be {meaning}; got a masked value{where}"
        raise SettingsError(msg)
    given = _as_array(name, value, meaning)
    if given.dtype.kind == "b":
        return given
    if not given.size:
        return given.astype(bool)
    if given.dtype.kind in "iu" and bool(((given == 0) | (given == 1)).all()):
        return given.astype(bool)
    # as objects each item is still what was given: [True, nan] would be floats, [True, "C"] text
    items = np.asarray(value, dtype=object)
    for position, item in enumerate(items.ravel().tolist()):
        plain = isinstance(item, bool | np.bool_ | int | np.integer) and not isinstance(item, np.timedelta64)
        if not plain or item not in {0, 1}:
            where = f" at position {position}" if items.ndim else ""
            msg = f"{name} must be {meaning}; got {_shown(item)}{where}"
            raise SettingsError(msg)
    return items.astype(bool)


def broadcast(inputs: dict[str, NDArray[Any]]) -> tuple[tuple[int, ...], list[NDArray[Any]]]:
    """The common shape, and each input as one axis of that many elements, or of one.

    Raises
    ------
    SettingsError
        The shapes do not go together; all are named.
    """
    different = {item.shape for item in inputs.values()} - {()}
    if len(different) <= 1:
        # the usual case, scalars beside arrays of one shape, without what the general one costs
        return different.pop() if different else (), [item.reshape(-1) for item in inputs.values()]
    try:
        shape = np.broadcast_shapes(*(item.shape for item in inputs.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {item.shape}" for name, item in inputs.items())
        msg = f"the shapes of the arguments do not go together: {shapes}"
        raise SettingsError(msg) from None
    try:
        flat = [
            # reshape copies only what is spread over several axes
            item.reshape(1) if item.size == 1 else np.broadcast_to(item, shape).reshape(-1)
            for item in inputs.values()
        ]
    except ValueError as error:
        msg = f"the arguments cannot be spread to the shape {shape}: {error}"
        raise SettingsError(msg) from None
    return shape, flat


def thread_count(threads: int | None) -> int:
    """Number of threads asked for; None stands for all CPUs that the process may use.

    Raises
    ------
    SettingsError
        It is neither None nor a positive integer.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    counted: Any = threads
    if isinstance(counted, bool) or not isinstance(counted, int | np.integer) or counted < 1:
        msg = f"threads must be a positive integer, or None for all CPUs; got {threads!r}"
        raise SettingsError(msg)
    return int(threads)


def run(
    kernel: Callable[..., None],
    inputs: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
    *,
    threads: int,
) -> None:
    """Call ``kernel(*inputs, *outputs)`` on chunk after chunk, from as many threads as asked and useful.

    Parameters
    ----------
    kernel : callable
        Compiled, without the interpreter's lock, each element on its own.
    inputs : sequence of ndarray
        One-dimensional, of one length or of length 1, numbers or booleans.
    outputs : sequence of ndarray
        One-dimensional, contiguous, of one length; filled.
    threads : int
        At most this many, each with three chunks or more.
    """
    size = outputs[0].size
    if not size:
        return

    def begin() -> Callable[[int], None]:
        staged = [_Staged(item, size) for item in inputs]

        def chunk(number: int) -> None:
            start = number * _CHUNK
            stop = min(start + _CHUNK, size)
            kernel(*(item.chunk(start, stop) for item in staged), *(out[start:stop] for out in outputs))

        return chunk

    share(begin, -(-size // _CHUNK), threads=min(threads, size // (_CHUNK * _CHUNKS_A_THREAD)))


def share(begin: Callable[[], Callable[[int], None]], pieces: int, *, threads: int) -> None:
    """Do numbered pieces of work, each once, on the caller's thread and others beside it.

    Parameters
    ----------
    begin : callable
        Called once on each thread; what it returns is called with the numbers from 0 to ``pieces - 1``.
    pieces : int
        How many there are.
    threads : int
        At most this many, the caller's own among them.
    """
    if threads <= 1:
        piece = begin()
        for number in range(pieces):
            piece(number)
        return
    numbers = itertools.count()
    ended = threading.Event()

    def work() -> None:
        try:
            piece = begin()
            # the counter hands out each number once: its step is atomic
            for number in numbers:
                if number >= pieces or ended.is_set():
                    return
                piece(number)
        except BaseException:
            # Ctrl-C among others: no thread begins another piece
            ended.set()
            raise

    # started for this call: a pool that lived on would be lost in a forked child
    with ThreadPoolExecutor(threads - 1) as pool:
        others = []
        # where the system or a closing interpreter gives no more threads, those that there are do the work
        with contextlib.suppress(RuntimeError):
            for _ in range(threads - 1):
                others.append(pool.submit(work))  # noqa: PERF401 - those before a failure are kept
        work()
        for other in others:
            other.result()


class _Staged:
    """An input as the kernel wants it: itself where it fits, else copied chunk by chunk into a buffer."""

    def __init__(self, item: NDArray[Any], size: int) -> None:
        wanted = np.bool_ if item.dtype.kind == "b" else np.float64
        self._item = item
        self._direct = item.size == size and item.dtype == wanted and item.flags.carray
        self._constant = not self._direct and item.size == 1
        self._buffer: NDArray[Any] | None = None
        if not self._direct:
            self._buffer = np.empty(min(_CHUNK, size), dtype=wanted)
        if self._constant and self._buffer is not None:
            self._buffer[:] = item

    def chunk(self, start: int, stop: int) -> NDArray[Any]:
        """Elements from start to stop; valid until the next call."""
        if self._buffer is None:
            return self._item[start:stop]
        filled = self._buffer[: stop - start]
        if not self._constant:
            np.copyto(
                filled, self._item[start:stop], casting="same_kind" if filled.dtype == bool else "unsafe"
            )
        return filled
