"""The daily state of both funds: vol level, skew, curvature, term structure and price.

Level, skew, curvature and term structure are stationary first-order processes in logs. The two funds share a
market level; a relative factor drives them apart, and its speed is that at which their vol ratio reverts, one
to three months. Prices fall when vol rises. A few stress episodes are planted, and a few of the pair
(`planted`).

Prices are those of a share: they drop by the cash dividend at the open of the ex-date. Their variance of a
session follows the level of the close before, a third of it falls on the night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.simulate.dividends import Dividend
from volskew.simulate.draws import normals
from volskew.simulate.funds import FUNDS
from volskew.simulate.planted import damping, shifts

__all__ = ["DRIFT", "OVERNIGHT", "REALISED", "SESSIONS_A_YEAR", "STRESS", "simulate_states"]

Array = NDArray[np.float64]

SESSIONS_A_YEAR: Final = 252.0

# half-lives in sessions and stationary deviations of the log factors
MARKET_FAST: Final = (40.0, 0.13)
MARKET_SLOW: Final = (250.0, 0.10)
RELATIVE: Final = (45.0, 0.038)
SKEW: Final = (30.0, 0.07)
CURVATURE: Final = (30.0, 0.06)
INVERSION: Final = (35.0, 0.25)
SHARED: Final = 0.75
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

OVERNIGHT: Final = 1.0 / 3.0
"""Share of a session's variance that falls between the close before and the open."""

DRIFT: Final = 0.08
"""Expected log return a year."""

STRESS: Final = (
    (2570, 0.30),
    (2238, 0.40),
    (1768, 0.75),
    (1381, 0.30),
    (1022, 0.45),
    (552, 0.35),
    (154, 0.30),
)
"""Planted stress: (sessions before the last one at which it begins, jump of the log market level)."""

STRESS_RISE: Final = 4
"""Sessions over which an episode builds up."""

STRESS_HALF_LIFE: Final = 22.0
"""Sessions in which an episode's effect halves afterwards."""

STRESS_FALL: Final = 0.22
"""Log price fall for a unit jump of the log market level in an episode."""


def simulate_states(
    sessions: pd.DatetimeIndex, *, seed: int, payments: Mapping[str, Iterable[Dividend]]
) -> pd.DataFrame:
    """State of both funds at every close, sorted by date and symbol.

    Parameters
    ----------
    sessions : pandas.DatetimeIndex
        All sessions, naive.
    seed : int
        Every draw follows from it.
    payments : mapping of str to iterable of Dividend
        By symbol: the price drops by each at the open of its ex-date.

    Returns
    -------
    pandas.DataFrame
        Columns ``date``, ``symbol``, ``open``, ``spot`` [$, cents; the close], ``variance_overnight``,
        ``variance_intraday`` [of the log price, the dividend added back], ``scale`` [decimal a year],
        ``skew``, ``curvature`` [multipliers], ``inversion`` [g of the clock]. Factors are rounded to eight
        decimals: truth and quotes then start from the same numbers on every machine.
    """
    count = len(sessions)
    days = np.arange(count)
    stress = _stress(count)
    market = (
        _reverting(count, *MARKET_FAST, normals(seed, "market fast", days))
        + _reverting(count, *MARKET_SLOW, normals(seed, "market slow", days))
        + stress
    )
    relative = _reverting(count, *RELATIVE, normals(seed, "relative", days))
    apart = damping(count)
    frames = []
    for place, fund in enumerate(FUNDS):
        level = np.log(fund.scale) + market + fund.lean * relative
        level_shift, skew_shift = shifts(fund.symbol, count=count)
        skew = _spread(seed, "skew", place, SKEW, apart=apart) + skew_shift
        curvature = _spread(seed, "curvature", place, CURVATURE, apart=apart)
        own = _spread(seed, "inversion", place, INVERSION, apart=np.ones(count))
        inversion = TYPICAL_INVERSION * np.exp(own + INVERSION_OF_LEVEL * market) - 1.0
        # prices follow the fund as it was without what is planted for the pair
        prices = _prices(
            level,
            stress=stress,
            noise=_shared(seed, "return", place, count, correlation=RETURNS),
            nights=_shared(seed, "night", place, count, correlation=RETURNS),
            paid=_paid(sessions, payments[fund.symbol]),
            last=fund.last_price,
        )
        scale = np.exp(level + fund.lean * relative * (apart - 1.0) + level_shift)
        frames.append(
            pd.DataFrame(
                {
                    "date": sessions,
                    "symbol": fund.symbol,
                    "open": prices.open,
                    "spot": prices.close,
                    "variance_overnight": prices.variance_overnight,
                    "variance_intraday": prices.variance_intraday,
                    "scale": scale.round(8),
                    "skew": np.exp(skew).round(8),
                    "curvature": np.exp(curvature).round(8),
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


def _shared(seed: int, name: str, place: int, count: int, *, correlation: float) -> Array:
    """Standard normal noise of one fund, correlated with the other's."""
    common, own = _noise(seed, name, place, count)
    return np.asarray(np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own)


def _spread(seed: int, name: str, place: int, how: tuple[float, float], *, apart: Array) -> Array:
    """A stationary log factor of one fund, of whose own part the share `apart` is left on each session."""
    count = len(apart)
    common, own = (_reverting(count, *how, noise) for noise in _noise(seed, name, place, count))
    return np.asarray(np.sqrt(SHARED) * common + np.sqrt(1.0 - SHARED) * apart * own)


def _noise(seed: int, name: str, place: int, count: int) -> tuple[Array, Array]:
    """Standard normal noise that both funds have in common, and the fund's own."""
    days = np.arange(count)
    return normals(seed, f"{name} common", days), normals(seed, f"{name} own", place, days)


def _stress(count: int) -> Array:
    """Log market level added by the planted episodes."""
    days = np.arange(count, dtype=np.float64)
    total = np.zeros(count)
    for before_last, jump in STRESS:
        age = days - (count - 1 - before_last)
        rise = np.clip((age + 1.0) / STRESS_RISE, 0.0, 1.0)
        total += jump * rise * 0.5 ** (np.maximum(age + 1.0 - STRESS_RISE, 0.0) / STRESS_HALF_LIFE)
    return total


def _paid(sessions: pd.DatetimeIndex, payments: Iterable[Dividend]) -> Array:
    """The dividend [$] that goes off at the open of each session."""
    amounts = {pd.Timestamp(item.ex_date): item.amount for item in payments}
    return np.array([amounts.get(day, 0.0) for day in sessions])


@dataclass(frozen=True, slots=True)
class _Prices:
    open: Array
    close: Array
    variance_overnight: Array
    variance_intraday: Array


def _prices(level: Array, *, stress: Array, noise: Array, nights: Array, paid: Array, last: float) -> _Prices:
    """Opening and closing prices [$] that end at `last` and fall when the level rises.

    The session's log return has the variance that the level of the close before says; given it, the part of
    the night is that of a Brownian motion at its share of the time. In a planted stress the fall comes
    overnight and on top, so that its square is part of the night's variance.
    """
    calm = np.diff(level - stress, prepend=level[0] - stress[0])
    surprise = calm / calm[1:].std() if len(calm) > 2 else np.zeros_like(calm)
    shock = SPOT_VOL * surprise + np.sqrt(1.0 - SPOT_VOL**2) * noise
    known = np.concatenate([level[:1], level[:-1]])
    variance = (REALISED * np.exp(known)) ** 2 / SESSIONS_A_YEAR
    total = DRIFT / SESSIONS_A_YEAR + np.sqrt(variance) * shock
    swing = np.sqrt(OVERNIGHT * (1.0 - OVERNIGHT) * variance) * nights
    fall = STRESS_FALL * np.maximum(np.diff(stress, prepend=stress[0]), 0.0)
    overnight = OVERNIGHT * total + swing - fall
    intraday = (1.0 - OVERNIGHT) * total - swing
    opening, closing = np.empty_like(level), np.empty_like(level)
    price = last
    for day in range(len(level) - 1, -1, -1):
        closing[day] = price
        opening[day] = price / np.exp(intraday[day])
        price = (opening[day] + paid[day]) / np.exp(overnight[day])
    return _Prices(
        opening.round(2),
        closing.round(2),
        (OVERNIGHT * variance + fall**2).round(12),
        ((1.0 - OVERNIGHT) * variance).round(12),
    )
