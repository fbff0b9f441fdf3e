"""The truth: truth.c compiled with gcc where it is wanted, and run by as many threads as there are CPUs."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VALID, NO_VOL, UNDECIDED, NOT_FOUND = range(4)

_CHUNK = 4096


class TruthError(RuntimeError):
    """There is no truth to measure by: no compiler, or no mpmath to check it."""


@dataclass(frozen=True)
class Options:
    """Arrays of one length; prices are undiscounted [$], times in years."""

    price: Floats
    forward: Floats
    strike: Floats
    time: Floats
    is_call: NDArray[np.bool_]

    def __len__(self) -> int:
        return self.price.size

    def take(self, rows: NDArray[np.intp]) -> Options:
        return Options(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Vols:
    """The vol as an unevaluated sum of two doubles, the price's own rounding in it, and the row's class.

    `rounding` is how far the vol moves, relatively, when the price moves by half its last digit.
    """

    high: Floats
    low: Floats
    rounding: Floats
    kind: NDArray[np.uint8]


class Truth:
    """The compiled program."""

    def __init__(self, folder: Path) -> None:
        library = folder / "truth.so"
        source = Path(__file__).with_name("truth.c")
        if shutil.which("gcc") is None:
            msg = "gcc is needed for the 128-bit truth (Debian: apt-get install gcc)"
            raise TruthError(msg)
        command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-lquadmath", "-lm"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            msg = f"gcc could not build the 128-bit truth; it said:\n{done.stderr.strip()}"
            raise TruthError(msg)
        self._library = ctypes.CDLL(str(library))

    def prices(
        self, *, vol: Floats, forward: Floats, strike: Floats, time: Floats, is_call: NDArray[np.bool_]
    ) -> Floats:
        """Undiscounted prices [$], rounded once to the nearest double."""
        price = np.empty(vol.size)
        self._run(self._library.prices, vol, forward, strike, time, is_call, price)
        return price

    def vols(self, options: Options) -> Vols:
        """The vols of exactly these doubles."""
        size = len(options)
        found = Vols(np.empty(size), np.empty(size), np.empty(size), np.empty(size, dtype=np.uint8))
        self._run(
            self._library.vols,
            options.price,
            options.forward,
            options.strike,
            options.time,
            options.is_call,
            found.high,
            found.low,
            found.rounding,
            found.kind,
        )
        return found

    @staticmethod
    def _run(routine: ctypes._CFuncPtr, *arrays: NDArray[np.generic]) -> None:
        # the last arrays are written to: they must be what they are, not copies
        for array in arrays:
            if not array.flags.c_contiguous or array.dtype not in (np.float64, np.bool_, np.uint8):
                msg = "the truth works on contiguous arrays of doubles and bytes"
                raise ValueError(msg)

        def call(rows: slice) -> None:
            pieces = [array[rows] for array in arrays]
            routine(
                ctypes.c_int64(pieces[0].size),
                *(piece.ctypes.data_as(ctypes.c_void_p) for piece in pieces),
            )

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # ctypes lets go of the lock
            list(pool.map(call, _slices(arrays[0].size)))


def _slices(size: int) -> Iterator[slice]:
    for first in range(0, size, _CHUNK):
        yield slice(first, min(first + _CHUNK, size))
