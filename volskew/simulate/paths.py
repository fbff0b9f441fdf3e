"""The daily state of both funds: vol level, skew, curvature, term structure and price.

Level, skew, curvature and term structure are stationary first-order processes in logs. The two funds share a
market level; a relative factor drives them apart, and its speed is that at which their vol ratio reverts, one
to three months. Prices fall when vol rises. A few stress episodes are planted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.simulate.draws import normals
from volskew.simulate.funds import FUNDS

__all__ = ["EPISODES", "simulate_states"]

Array = NDArray[np.float64]

SESSIONS_A_YEAR: Final = 252.0

# half-lives in sessions and stationary deviations of the log factors
MARKET_FAST: Final = (40.0, 0.13)
MARKET_SLOW: Final = (250.0, 0.10)
RELATIVE: Final = (45.0, 0.085)
SKEW: Final = (30.0, 0.07)
CURVATURE: Final = (30.0, 0.06)
INVERSION: Final = (35.0, 0.25)
SHARED: Final = 0.6
"""Correlation between the funds of the innovations of skew, curvature and term structure."""

TYPICAL_INVERSION: Final = 1.1
"""Typical 1 + g of the clock: near expiries a touch dearer than the jumps alone would have them."""

INVERSION_OF_LEVEL: Final = 1.2
"""Log change of 1 + g for a unit log change of the market level: stress inverts the term structure."""

SPOT_VOL: Final = -0.75
"""Correlation of a fund's return with the innovation of its own vol level."""

RETURNS: Final = 0.75
"""Correlation between the funds of the part of the return that vol does not explain."""

REALISED: Final = 0.70
"""Realised vol in scales: somewhat below the implied vol at the money."""

DRIFT: Final = 0.08
"""Expected log return a year."""

EPISODES: Final = (
    (2570, 0.30),
    (2238, 0.40),
    (1768, 0.75),
    (1381, 0.30),
    (1022, 0.45),
    (552, 0.35),
    (154, 0.30),
)
"""Planted stress: (sessions before the last one at which it begins, jump of the log market level)."""

EPISODE_RISE: Final = 4
"""Sessions over which an episode builds up."""

EPISODE_HALF_LIFE: Final = 22.0
"""Sessions in which an episode's effect halves afterwards."""

EPISODE_FALL: Final = 0.22
"""Log price fall for a unit jump of the log market level in an episode."""


def simulate_states(sessions: pd.DatetimeIndex, *, seed: int) -> pd.DataFrame:
    """State of both funds at every close, sorted by date and symbol.

    Parameters
    ----------
    sessions : pandas.DatetimeIndex
        All sessions, naive.
    seed : int
        Every draw follows from it.

    Returns
    -------
    pandas.DataFrame
        Columns ``date``, ``symbol``, ``spot`` [$, cents], ``scale`` [decimal a year], ``skew``, ``curvature``
        [multipliers], ``inversion`` [g of the clock]. Factors are rounded to eight decimals: truth and
        quotes then start from the same numbers on every machine.
    """
    count = len(sessions)
    stress = _stress(count)
    market = (
        _reverting(count, *MARKET_FAST, normals(seed, "market fast", np.arange(count)))
        + _reverting(count, *MARKET_SLOW, normals(seed, "market slow", np.arange(count)))
        + stress
    )
    relative = _reverting(count, *RELATIVE, normals(seed, "relative", np.arange(count)))
    frames = []
    for place, fund in enumerate(FUNDS):
        level = np.log(fund.scale) + market + fund.lean * relative
        spread = {
            name: _reverting(count, *how, _shared(seed, name, place, count))
            for name, how in (("skew", SKEW), ("curvature", CURVATURE), ("inversion", INVERSION))
        }
        inversion = TYPICAL_INVERSION * np.exp(spread["inversion"] + INVERSION_OF_LEVEL * market) - 1.0
        frames.append(
            pd.DataFrame(
                {
                    "date": sessions,
                    "symbol": fund.symbol,
                    "spot": _prices(
                        level,
                        stress=stress,
                        last=fund.last_price,
                        drift=DRIFT,
                        noise=_shared(seed, "return", place, count, correlation=RETURNS),
                    ),
                    "scale": np.exp(level).round(8),
                    "skew": np.exp(spread["skew"]).round(8),
                    "curvature": np.exp(spread["curvature"]).round(8),
                    "inversion": inversion.round(8),
                }
            )
        )
    return pd.concat(frames).sort_values(["date", "symbol"], kind="stable", ignore_index=True)


def _reverting(count: int, half_life: float, deviation: float, noise: Array) -> Array:
    """Stationary first-order autoregression, started from its stationary law."""
    keep = 0.5 ** (1.0 / half_life)
    fresh = deviation * np.sqrt(1.0 - keep * keep)
    path = np.empty(count)
    value = deviation * noise[0]
    for day in range(count):
        value = value if day == 0 else keep * value + fresh * noise[day]
        path[day] = value
    return path


def _shared(seed: int, name: str, place: int, count: int, *, correlation: float = SHARED) -> Array:
    """Standard normal noise of one fund, correlated with the other's."""
    days = np.arange(count)
    common, own = normals(seed, f"{name} common", days), normals(seed, f"{name} own", place, days)
    return np.asarray(np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own)


def _stress(count: int) -> Array:
    """Log market level added by the planted episodes."""
    days = np.arange(count, dtype=np.float64)
    total = np.zeros(count)
    for before_last, jump in EPISODES:
        age = days - (count - 1 - before_last)
        rise = np.clip((age + 1.0) / EPISODE_RISE, 0.0, 1.0)
        total += jump * rise * 0.5 ** (np.maximum(age + 1.0 - EPISODE_RISE, 0.0) / EPISODE_HALF_LIFE)
    return total


def _prices(level: Array, *, stress: Array, last: float, drift: float, noise: Array) -> Array:
    """Closing prices [$] that end at `last` and fall when the level rises."""
    calm = np.diff(level - stress, prepend=level[0] - stress[0])
    surprise = calm / calm[1:].std() if len(calm) > 2 else np.zeros_like(calm)
    daily = REALISED * np.exp(level - stress) / np.sqrt(SESSIONS_A_YEAR)
    returns = drift / SESSIONS_A_YEAR + daily * (SPOT_VOL * surprise + np.sqrt(1.0 - SPOT_VOL**2) * noise)
    returns -= EPISODE_FALL * np.maximum(np.diff(stress, prepend=stress[0]), 0.0)
    path = np.cumsum(returns)
    return np.asarray((last * np.exp(path - path[-1])).round(2))
