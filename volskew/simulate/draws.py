"""Random numbers that depend on what they are for, never on the order in which they are asked for.

Every draw is a hash of (seed, stream name, keys): the chain of one session can be made without the chains
before it, an option contract keeps its open interest from day to day, and the bits are those of integer
arithmetic, so they are the same on every machine and under every release of numpy.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = ["normals", "uniforms"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def uniforms(seed: int, stream: str, *keys: ArrayLike) -> NDArray[np.float64]:
    """Uniform draws on the open interval (0, 1), one for each broadcast tuple of integer keys.

    Parameters
    ----------
    seed : int
        Non-negative, below 2**63.
    stream : str
        What the draws are for; another name gives independent draws.
    *keys : array-like of int
        Broadcast against each other.

    Returns
    -------
    numpy.ndarray
        The finaliser of splitmix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators",
        2014) applied once for the seed, the stream and each key in turn; its 53 high bits.

    Examples
    --------
    >>> one, two = uniforms(7, "spread", [10, 11])
    >>> bool(one == uniforms(7, "spread", 10)), bool(one == two)
    (True, False)
    """
    state = _mix(np.array([seed], dtype=np.uint64), np.uint64(zlib.crc32(stream.encode())))
    for key in keys:
        state = _mix(state, np.asarray(key).astype(np.int64).astype(np.uint64))
    shape = np.broadcast_shapes(*(np.shape(key) for key in keys))
    return (((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)


def normals(seed: int, stream: str, *keys: ArrayLike) -> NDArray[np.float64]:
    """Standard normal draws: the normal quantile of `uniforms` with the same arguments.

    Examples
    --------
    >>> draws = normals(7, "level", range(10_000))
    >>> bool(abs(draws.mean()) < 0.03), bool(abs(draws.std() - 1.0) < 0.03)
    (True, True)
    """
    return np.asarray(ndtri(uniforms(seed, stream, *keys)), dtype=np.float64)


def _mix(state: NDArray[np.uint64], key: Any) -> NDArray[np.uint64]:
    # at least one-dimensional: numpy warns of the intended wrap-around on scalars only
    value = np.atleast_1d((state ^ np.atleast_1d(key)) + _GOLDEN)
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return np.asarray(value ^ (value >> np.uint64(31)), dtype=np.uint64)
