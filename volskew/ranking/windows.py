"""Windows of sessions with both legs, counted back from the as-of day, and how fully they are covered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["WINDOWS", "Window", "select_window"]

WINDOWS: Mapping[str, int | None] = MappingProxyType({"full": None, "5y": 1260, "2y": 504, "1y": 252})
"""Accepted windows: how many sessions with both legs they hold (None: every one)."""


@dataclass(frozen=True, slots=True)
class Window:
    """The sessions that one ranking is made over.

    Attributes
    ----------
    name : str
        One of `WINDOWS`.
    wanted : int or None
        How many sessions with both legs the window asks for; None takes what there is.
    positions : ndarray of int, shape (n_obs,)
        Rows with both legs, oldest first.
    n_sessions : int
        All sessions from the first of `positions` to the as-of day, both counted.
    """

    name: str
    wanted: int | None
    positions: NDArray[np.intp] = field(repr=False)
    n_sessions: int

    @property
    def n_obs(self) -> int:
        """Sessions with both legs."""
        return len(self.positions)

    @property
    def coverage(self) -> float:
        """Share of the span's sessions that have both legs, 0 to 1; NaN without any."""
        return self.n_obs / self.n_sessions if self.n_obs else float("nan")

    @property
    def is_short(self) -> bool:
        """Whether fewer sessions exist than the window asks for."""
        return self.wanted is not None and self.n_obs < self.wanted


def select_window(has_both: NDArray[np.bool_], *, name: str) -> Window:
    """The latest sessions with both legs that a window holds.

    Parameters
    ----------
    has_both : ndarray of bool, shape (n,)
        One element a session, oldest first, the last one being the as-of day: whether both legs were read.
        Nothing after the as-of day may be in it.
    name : str
        One of `WINDOWS`.

    Returns
    -------
    Window
        The full window starts at the first session with both legs, the others at the session that completes
        their number, or at the first one where there are too few.

    Examples
    --------
    >>> window = select_window(np.array([False, True, False, True, True]), name="full")
    >>> window.positions.tolist(), window.n_sessions, window.coverage
    ([1, 3, 4], 4, 0.75)
    """
    wanted = WINDOWS[name]
    positions = np.flatnonzero(has_both)
    if wanted is not None:
        positions = positions[-wanted:]
    n_sessions = len(has_both) - int(positions[0]) if len(positions) else 0
    return Window(name, wanted, positions, n_sessions)
