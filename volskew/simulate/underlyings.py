"""The two funds of the scenarios: smiles of three families, strikes and half-spreads as on real chains.

Everything here was measured once on real QQQ and IWM chains (QQQ: close of 2026-07-10; IWM: that close, and
seven closes of June 2026) and is kept as constants only. The smiles of the Heston and Bates families were
fitted to the same vols between 10 and 90 delta at 30 to 200 days as the jump mixture, at 91 days within 0.3
vol points.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from volskew.simulate.funds import FUNDS, Fund

__all__ = ["DELTA_NODES", "UNDERLYINGS", "Underlying", "Variance"]

DELTA_NODES: Final = (0.02, 0.10, 0.25, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""The option's own |delta| at which half-spreads are given."""


@dataclass(frozen=True, slots=True)
class Variance:
    """A stochastic variance in units of the squared annual scale; see `volskew.simulate.fourier`.

    Attributes
    ----------
    mean : float
        Mean diffusive variance over 91 days.
    ratio : float
        Typical variance of now over that of the long run.
    speed : float
        [1/years]
    vol_of_vol : float
        In scales.
    correlation : float
        Of price and variance.
    jump_rate, jump_mean, jump_sd : float
        Jumps a year, and their log sizes in scales; none in Heston's model.
    """

    mean: float
    ratio: float
    speed: float
    vol_of_vol: float
    correlation: float
    jump_rate: float = 0.0
    jump_mean: float = 0.0
    jump_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Underlying:
    """A fund as the scenarios need it.

    Attributes
    ----------
    fund : Fund
        Symbol, typical price and dividend, ex-dates, jump mixture, lean.
    scale : float
        Typical annual scale of the smile, decimal.
    heston, bates : Variance
        The other two families.
    near_monthlies : int
        How many of the next third Fridays are listed; of later ones those of January to March, June,
        September and December.
    dense_weekly, dense_monthly, dense_quarterly : float
        Half-width of the zone of strikes 1 $ apart, as a share of the spot.
    weekly_range, monthly_range, far_range, quarterly_range : (float, float)
        Lowest and highest strike over the spot: daily and weekly expiries, monthly ones up to 60 days, later
        ones, and the last days of months and quarters.
    spreads : tuple of (float, tuple of float)
        Days to expiry, and half-spreads [$] at `DELTA_NODES`.
    quarterly_spread : float
        Multiple of out-of-the-money half-spreads at the ends of months and quarters.
    """

    fund: Fund
    scale: float
    heston: Variance
    bates: Variance
    near_monthlies: int
    dense_weekly: float
    dense_monthly: float
    dense_quarterly: float
    weekly_range: tuple[float, float]
    monthly_range: tuple[float, float]
    far_range: tuple[float, float]
    quarterly_range: tuple[float, float]
    spreads: tuple[tuple[float, tuple[float, ...]], ...]
    quarterly_spread: float

    @property
    def symbol(self) -> str:
        """Ticker."""
        return self.fund.symbol


QQQ: Final = Underlying(
    fund=dataclasses.replace(FUNDS[0], last_price=700.0),
    scale=0.265,
    heston=Variance(mean=0.905, ratio=0.65, speed=5.9, vol_of_vol=5.1, correlation=-0.58),
    bates=Variance(
        mean=0.793,
        ratio=0.60,
        speed=4.0,
        vol_of_vol=5.2,
        correlation=-0.586,
        jump_rate=3.0,
        jump_mean=-0.19,
        jump_sd=0.073,
    ),
    near_monthlies=4,
    dense_weekly=0.065,
    dense_monthly=0.14,
    dense_quarterly=0.13,
    weekly_range=(0.52, 1.30),
    monthly_range=(0.43, 1.31),
    far_range=(0.33, 1.47),
    quarterly_range=(0.58, 1.31),
    spreads=(
        (4.0, (0.010, 0.012, 0.015, 0.022, 0.025, 0.030, 0.50, 1.10, 1.35)),
        (7.0, (0.015, 0.017, 0.021, 0.026, 0.028, 0.041, 0.50, 1.30, 1.80)),
        (14.0, (0.015, 0.020, 0.025, 0.032, 0.200, 0.48, 0.80, 1.34, 1.90)),
        (25.0, (0.027, 0.043, 0.048, 0.057, 0.120, 0.40, 0.80, 1.36, 1.90)),
        (40.0, (0.038, 0.045, 0.075, 0.100, 0.130, 0.45, 0.65, 1.40, 1.90)),
        (70.0, (0.045, 0.062, 0.075, 0.105, 0.180, 0.25, 0.80, 1.35, 1.85)),
        (100.0, (0.070, 0.080, 0.098, 0.120, 0.320, 0.85, 0.95, 1.39, 1.89)),
        (160.0, (0.090, 0.102, 0.113, 0.142, 0.320, 0.95, 1.05, 1.63, 1.89)),
        (190.0, (0.118, 0.140, 0.180, 0.230, 0.250, 1.05, 1.10, 1.75, 1.93)),
        (230.0, (0.120, 0.160, 0.215, 0.265, 0.600, 1.16, 1.25, 1.60, 1.85)),
        (330.0, (0.400, 0.650, 1.070, 1.300, 1.480, 1.80, 1.95, 2.00, 2.10)),
        (500.0, (0.900, 1.500, 1.900, 1.940, 2.100, 2.20, 2.30, 2.30, 2.30)),
        (800.0, (2.250, 2.250, 2.250, 2.250, 2.300, 2.35, 2.40, 2.50, 2.50)),
    ),
    quarterly_spread=1.8,
)

IWM: Final = Underlying(
    fund=dataclasses.replace(FUNDS[1], last_price=290.0),
    scale=0.250,
    heston=Variance(mean=0.910, ratio=0.65, speed=6.8, vol_of_vol=5.2, correlation=-0.49),
    bates=Variance(
        mean=0.810,
        ratio=0.60,
        speed=5.7,
        vol_of_vol=5.6,
        correlation=-0.488,
        jump_rate=3.0,
        jump_mean=-0.17,
        jump_sd=0.087,
    ),
    near_monthlies=6,
    dense_weekly=0.085,
    dense_monthly=0.16,
    dense_quarterly=0.09,
    weekly_range=(0.55, 1.14),
    monthly_range=(0.46, 1.26),
    far_range=(0.38, 1.34),
    quarterly_range=(0.56, 1.28),
    spreads=(
        (4.0, (0.008, 0.012, 0.022, 0.028, 0.035, 0.045, 0.065, 0.085, 0.10)),
        (7.0, (0.010, 0.015, 0.025, 0.032, 0.038, 0.055, 0.075, 0.095, 0.11)),
        (14.0, (0.012, 0.018, 0.030, 0.038, 0.045, 0.060, 0.080, 0.100, 0.11)),
        (25.0, (0.013, 0.020, 0.035, 0.043, 0.050, 0.070, 0.085, 0.105, 0.11)),
        (40.0, (0.018, 0.028, 0.042, 0.055, 0.065, 0.085, 0.110, 0.130, 0.12)),
        (70.0, (0.018, 0.028, 0.042, 0.055, 0.065, 0.100, 0.400, 0.900, 1.30)),
        (100.0, (0.025, 0.035, 0.050, 0.070, 0.085, 0.110, 0.750, 1.300, 1.70)),
        (160.0, (0.035, 0.055, 0.075, 0.095, 0.200, 0.600, 0.900, 1.500, 1.75)),
        (190.0, (0.045, 0.070, 0.095, 0.115, 0.400, 0.850, 1.200, 1.600, 1.70)),
        (230.0, (0.080, 0.130, 0.180, 0.200, 0.850, 1.400, 1.500, 1.700, 1.70)),
        (330.0, (0.250, 0.350, 0.450, 0.550, 1.300, 1.700, 1.900, 2.000, 2.10)),
        (500.0, (0.900, 1.200, 1.400, 1.600, 1.800, 2.000, 2.100, 2.300, 2.30)),
        (800.0, (2.100, 2.200, 2.250, 2.250, 2.300, 2.300, 2.300, 2.400, 2.50)),
    ),
    quarterly_spread=1.05,
)

UNDERLYINGS: Final = (QQQ, IWM)
