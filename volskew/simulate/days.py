"""The state of a scenario's market on one day, as a function of seed and day alone.

Levels, skews and prices are stationary autoregressions written as weighted sums of the draws of the days
before, so that any day can be had without the others and neighbouring days still hang together.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from volskew.market.calendar import LAST_DAY
from volskew.market.clock import sessions
from volskew.simulate.draws import normals
from volskew.simulate.fourier import StochasticVolModel
from volskew.simulate.model import TENOR
from volskew.simulate.scenarios import Scenario
from volskew.simulate.smile import MixtureModel, Model
from volskew.simulate.underlyings import UNDERLYINGS, Underlying, Variance

__all__ = ["DayState", "day_state", "rate_of", "session_of_day"]

LEVEL_HALF_LIFE: Final = 40.0
RELATIVE_HALF_LIFE: Final = 45.0
SHAPE_HALF_LIFE: Final = 30.0
RATE_HALF_LIFE: Final = 120.0
SPOT_HALF_LIFE: Final = 60.0
"""[sessions]"""

SKEW_DEVIATION: Final = 0.07
CURVATURE_DEVIATION: Final = 0.06
SHARED: Final = 0.6
"""Correlation between the funds of skew, curvature, term structure and the return beside vol."""

INVERSION_OF_LEVEL: Final = 1.2
"""Log change of the inversion for a unit log change of the level."""

SPOT_VOL: Final = -0.75
"""Correlation of a return with the innovation of the level."""

REALISED: Final = 0.70
"""Realised vol in scales."""

TYPICAL_INVERSION: Final = 1.1
"""At which the variance families have their typical ratio."""

_NEGLIGIBLE: Final = 1e-4
_CHUNK: Final = 256


@dataclass(frozen=True, slots=True)
class DayState:
    """One fund at one close.

    Attributes
    ----------
    date : datetime.date
        The session.
    spot : float
        Closing price [$].
    family : str
        Of the smile.
    model : Model
        The surface.
    """

    date: dt.date
    spot: float
    family: str
    model: Model


def session_of_day(scenario: Scenario, day: int) -> dt.date:
    """The session of day 0, 1, 2, ... of a scenario.

    Raises
    ------
    InputError
        It lies beyond the trading calendar.
    """
    found = _sessions(scenario.first_session, -(-(day + 1) // _CHUNK) * _CHUNK)
    return found[day].date()


@lru_cache(maxsize=16)
def _sessions(first: dt.date, count: int) -> pd.DatetimeIndex:
    return sessions(first, min(first + dt.timedelta(days=int(1.5 * count) + 10), LAST_DAY))[:count]


def rate_of(scenario: Scenario, *, seed: int, day: int) -> float:
    """The rate of a day, the same for both funds."""
    moved = scenario.rate + scenario.rate_deviation * _factor(seed, "rate", day, RATE_HALF_LIFE)
    return max(round(moved, 6), 0.0)


def day_state(scenario: Scenario, underlying: Underlying, *, seed: int, day: int) -> DayState:
    """State of one fund at the close of a day.

    Parameters
    ----------
    scenario : Scenario
        Typical values and deviations.
    underlying : Underlying
        The fund.
    seed, day : int
        What the draws follow from. Factors are rounded to eight decimals and the price to cents, so that
        truth and quotes start from the same numbers on every machine.
    """
    place = [item.symbol for item in UNDERLYINGS].index(underlying.symbol)
    market = scenario.level_deviation * _factor(seed, "level", day, LEVEL_HALF_LIFE)
    relative = scenario.relative_deviation * _factor(seed, "relative", day, RELATIVE_HALF_LIFE)
    log_level = market + underlying.fund.lean * relative
    shape = {
        name: deviation * _shared_factor(seed, name, place, day, SHAPE_HALF_LIFE)
        for name, deviation in (
            ("skew", SKEW_DEVIATION * scenario.shape_deviation),
            ("curvature", CURVATURE_DEVIATION * scenario.shape_deviation),
            ("inversion", scenario.inversion_deviation),
        )
    }
    scale = round(underlying.scale * scenario.level * math.exp(log_level), 8)
    skew, curvature = (round(math.exp(shape[name]), 8) for name in ("skew", "curvature"))
    early = round(scenario.inversion * math.exp(shape["inversion"] + INVERSION_OF_LEVEL * market), 8)
    daily = REALISED * underlying.scale * scenario.level / math.sqrt(252.0)
    keep = 0.5 ** (1.0 / SPOT_HALF_LIFE)
    move = SPOT_VOL * _factor(seed, "level", day, SPOT_HALF_LIFE) + math.sqrt(
        1.0 - SPOT_VOL**2
    ) * _shared_factor(seed, "return", place, day, SPOT_HALF_LIFE)
    spot = round(underlying.fund.last_price * math.exp(daily / math.sqrt(1.0 - keep * keep) * move), 2)
    family = scenario.families[(seed + day) % len(scenario.families)]
    model: Model
    if family == "mixture":
        model = MixtureModel(underlying.fund.shape, scale, skew, curvature, early - 1.0)
    else:
        variance = underlying.heston if family == "heston" else underlying.bates
        model = _variance_model(variance, scale=scale, skew=skew, curvature=curvature, early=early)
    return DayState(session_of_day(scenario, day), spot, family, model)


def _variance_model(
    typical: Variance, *, scale: float, skew: float, curvature: float, early: float
) -> StochasticVolModel:
    """The parameters of a day: the mean variance over 91 days follows from the scale, whatever the ratio."""
    ratio = typical.ratio * early / TYPICAL_INVERSION
    share = -math.expm1(-typical.speed * TENOR) / (typical.speed * TENOR)
    level = typical.mean * scale**2 / (1.0 + (ratio - 1.0) * share)
    return StochasticVolModel(
        start=ratio * level,
        level=level,
        speed=typical.speed,
        vol_of_vol=typical.vol_of_vol * scale * curvature,
        correlation=max(typical.correlation * skew, -0.95),
        jump_rate=typical.jump_rate,
        jump_mean=typical.jump_mean * scale * skew,
        jump_sd=typical.jump_sd * scale * curvature,
    )


def _factor(seed: int, name: str, day: int, half_life: float) -> float:
    """Autoregression of deviation one: ``√(1 - ρ²) Σ_j ρ^j z(day - j)``."""
    weights = _weights(half_life)
    return float(weights @ normals(seed, name, day - np.arange(len(weights))))


def _shared_factor(seed: int, name: str, place: int, day: int, half_life: float) -> float:
    """The same, correlated between the funds."""
    weights = _weights(half_life)
    days = day - np.arange(len(weights))
    common, own = normals(seed, f"{name} common", days), normals(seed, f"{name} own", place, days)
    return float(weights @ (math.sqrt(SHARED) * common + math.sqrt(1.0 - SHARED) * own))


@lru_cache(maxsize=16)
def _weights(half_life: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    keep = 0.5 ** (1.0 / half_life)
    count = math.ceil(math.log(_NEGLIGIBLE) / math.log(keep))
    weights = keep ** np.arange(float(count))
    return np.asarray(weights / math.sqrt(float(np.sum(weights**2))))
