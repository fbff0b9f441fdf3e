"""Planted episodes of the pair: stretches in which one fund's calls are cheap or dear against the other's.

Each begins and ends between two closes, and around it what drives the funds apart otherwise is damped, so
that the ratio steps from its middle to its edge and back: first and last day are beyond doubt. Prices know
nothing of them.

A stationary ratio spends a twentieth of its days below its own fifth percentile, whatever its size. That none
of these passes for an episode, two of the planted stretches lie in the first year, before anyone has seen a
year of the ratio: from then on more than a twentieth of the days so far is planted, on either side, and what
the ratio does by itself stays within that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PLANTED", "Planted", "Shift", "damping", "episode_table", "shifts"]

Array = NDArray[np.float64]

DAMPED: Final = 0.85
"""Share of the funds' own movement against each other that is taken away within an episode."""

DAMPING_HALF_LIFE: Final = 6.0
"""Sessions before and after an episode in which the damping halves."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What an episode does to one fund.

    Attributes
    ----------
    level, skew : float
        Added to the logs of scale and skew.
    """

    level: float = 0.0
    skew: float = 0.0


@dataclass(frozen=True, slots=True)
class Planted:
    """One episode.

    Attributes
    ----------
    before_last : int
        Sessions before the market's last one on which it begins.
    length : int
        Sessions that it lasts, first and last included.
    side : str
        ``low`` or ``high``: the vol of the first fund's 25-delta call against the second's.
    driver, leg : str
        What makes most of it: the ``level`` or the ``skew`` of which fund.
    by : dict of str to Shift
        What it does, by symbol.
    is_counted : bool
        False for those of the first year.
    """

    before_last: int
    length: int
    side: str
    driver: str
    leg: str
    by: Mapping[str, Shift]
    is_counted: bool = True


_FLAT_CALLS: Final = Shift(level=0.0995, skew=-1.5)
"""IWM's 25-delta calls come to be as dear as its 50-delta ones, which the level keeps where they were."""

PLANTED: Final = (
    Planted(2725, 70, "low", "level", "QQQ", {"QQQ": Shift(level=-0.10)}, is_counted=False),
    Planted(2620, 75, "high", "level", "IWM", {"IWM": Shift(level=-0.115)}, is_counted=False),
    Planted(1845, 50, "low", "level", "QQQ", {"QQQ": Shift(level=-0.17)}),
    Planted(1440, 80, "high", "level", "IWM", {"IWM": Shift(level=-0.14)}),
    Planted(940, 40, "low", "level", "QQQ", {"QQQ": Shift(level=-0.18)}),
    Planted(27, 60, "low", "skew", "IWM", {"IWM": _FLAT_CALLS, "QQQ": Shift(level=-0.052)}),
)
"""The sample's episodes. Its last day is low, but two of the earlier ones went deeper."""


def shifts(symbol: str, *, count: int) -> tuple[Array, Array]:
    """What the episodes add to the logs of a fund's scale and skew on each session.

    Parameters
    ----------
    symbol : str
        The fund.
    count : int
        Sessions of the market; episodes that begin before the first of them are there in part or not at all.

    Examples
    --------
    >>> level, skew = shifts("QQQ", count=40)
    >>> level[[11, 12, 39]].round(3).tolist(), skew.any().item()
    ([0.0, -0.052, -0.052], False)
    """
    level, skew = np.zeros(count), np.zeros(count)
    for planted in PLANTED:
        if symbol in planted.by:
            inside = _distance(planted, count) == 0.0
            level += planted.by[symbol].level * inside
            skew += planted.by[symbol].skew * inside
    return level, skew


def damping(count: int) -> Array:
    """The share that is left, on each session, of what drives the funds apart.

    Examples
    --------
    >>> damping(40)[[6, 11, 12, 39]].round(3).tolist()
    [0.575, 0.243, 0.15, 0.15]
    """
    nearest = np.min([_distance(planted, count) for planted in PLANTED], axis=0)
    return np.asarray(1.0 - DAMPED * 0.5 ** (nearest / DAMPING_HALF_LIFE))


def episode_table(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """The episodes of a market, by date.

    Parameters
    ----------
    sessions : pandas.DatetimeIndex
        All sessions of the market.

    Returns
    -------
    pandas.DataFrame
        ``number`` from 1, ``side``, ``driver``, ``leg``, ``first_date``, ``last_date``, and ``is_open``:
        whether it is under way on the last session, which is then its last date so far. Those of the first
        year, and those that began before the first session, are not in it.
    """
    dates = sessions.strftime("%Y-%m-%d")
    rows: list[tuple[object, ...]] = []
    for planted in PLANTED:
        first = len(sessions) - 1 - planted.before_last
        last = first + planted.length - 1
        if not planted.is_counted or first < 0:
            continue
        is_open = last >= len(sessions)
        ends = dates[first], dates[min(last, len(sessions) - 1)]
        rows.append((len(rows) + 1, planted.side, planted.driver, planted.leg, *ends, str(is_open).lower()))
    columns = ["number", "side", "driver", "leg", "first_date", "last_date", "is_open"]
    return pd.DataFrame(rows, columns=columns)


def _distance(planted: Planted, count: int) -> Array:
    """Sessions to the nearest one of the episode; 0 within it."""
    age = np.arange(count, dtype=np.float64) - (count - 1 - planted.before_last)
    return np.asarray(np.maximum(np.maximum(-age, age - (planted.length - 1)), 0.0))
