"""Named kinds of markets: frozen tables of plain numbers, made into others by `dataclasses.replace`."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final

from volskew.errors import SettingsError
from volskew.simulate.defects import DEFECT_RATES

__all__ = ["EX_DATES", "FAMILIES", "SCENARIOS", "Scenario", "check_whole", "find_scenario", "parameters"]

FAMILIES: Final = ("mixture", "heston", "bates")
"""Smiles: jump mixture (`model`), Heston and Bates (`fourier`)."""

EX_DATES: Final = ("quarterly", "before_expiries")
EXERCISE: Final = ("american", "european")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a simulated market is like.

    The draws follow from the seed alone: two scenarios with one seed differ by their parameters only.

    Attributes
    ----------
    name : str
        For files and messages.
    first_session : datetime.date
        Day 0; where it is no session, the next one.
    families : tuple of str
        Of `FAMILIES`. The session of a day has the family at place ``(seed + day) mod length``, for both
        symbols.
    level : float
        Multiple of the funds' typical vols.
    level_deviation : float
        Stationary deviation of the log level that both funds share.
    relative_deviation : float
        Stationary deviation of the log ratio of the two funds' levels.
    shape_deviation : float
        Multiple of the day-to-day variation of skew and curvature.
    inversion : float
        Typical early speed of the clock over its late speed: above 1 near expiries are dearer than otherwise.
    inversion_deviation : float
        Stationary deviation of its logarithm.
    weekend, weekend_deviation : float
        Variance of a day without a session, in sessions, and its standard deviation over markets: each seed
        and symbol has its own, not below 0.01. 1 makes variance accrue by the calendar.
    events : float
        Sessions a year, at random, that bring more variance than others; 0 for none.
    roughness : float
        What they amount to [√years]: over T years they move total variance by a standard deviation of this
        times √T, as a multiple of the annual variance; see `volskew.simulate.trading_time.Events`.
    rate, rate_deviation : float
        Continuously compounded rate and its stationary deviation, decimal a year; never below 0.
    borrow : float
        Cost of borrowing the fund, continuously compounded, decimal a year. It lowers forwards and is in no
        dividend file.
    dividends : float
        Multiple of the funds' typical amounts.
    ex_dates : str
        ``quarterly`` as the funds pay; ``before_expiries``: every month, two sessions before the monthly
        expiry, announced years ahead.
    exercise : str
        ``american``, or ``european`` for index-like chains.
    tick : float
        [$] Quotes are multiples of it, rounded outwards; whole cents.
    spread : float
        Multiple of the measured half-spreads.
    spread_noise : float
        Deviation of the log half-spread from line to line.
    mid_noise : float
        Deviation of a line's mid from its true price before rounding, in half-spreads, independent.
    shared_noise, shared_correlation : float
        The same for a displacement that a call and a put of one strike share, in the narrower half-spread of
        the two, and its correlation from one strike to the next.
    wild_share, wild_noise : float
        Share of lines whose own noise is this many times as large.
    step : float
        Multiple of the distance between strikes, which is then rounded to 0.1 $.
    is_dense : bool
        Whether strikes 1 $ apart are listed near the money of near, month-end and quarter-end expiries.
    missing_strikes : float
        Share of strikes that are not listed, at random.
    nearest_days, longest_days : int
        Calendar days to the nearest and the last expiry.
    has_weeklies, has_quarter_ends : bool
        Whether daily and weekly expiries, and the last sessions of months and quarters, are listed beside the
        third Fridays.
    defects : tuple of (str, float)
        Share of lines that suffer each planted defect; see `volskew.simulate.defects.MEANINGS`.

    Raises
    ------
    SettingsError
        A value that is not accepted.
    """

    name: str
    first_session: dt.date = dt.date(2025, 1, 2)
    families: tuple[str, ...] = FAMILIES
    level: float = 1.0
    level_deviation: float = 0.14
    relative_deviation: float = 0.085
    shape_deviation: float = 1.0
    inversion: float = 1.1
    inversion_deviation: float = 0.25
    weekend: float = 0.1
    weekend_deviation: float = 0.05
    events: float = 0.0
    roughness: float = 0.009
    rate: float = 0.04
    rate_deviation: float = 0.0025
    borrow: float = 0.0
    dividends: float = 1.0
    ex_dates: str = "quarterly"
    exercise: str = "american"
    tick: float = 0.01
    spread: float = 1.0
    spread_noise: float = 0.08
    mid_noise: float = 0.045
    shared_noise: float = 0.045
    shared_correlation: float = 0.6
    wild_share: float = 0.02
    wild_noise: float = 4.0
    step: float = 1.0
    is_dense: bool = True
    missing_strikes: float = 0.0
    nearest_days: int = 5
    longest_days: int = 215
    has_weeklies: bool = True
    has_quarter_ends: bool = True
    defects: tuple[tuple[str, float], ...] = tuple(DEFECT_RATES.items())

    def __post_init__(self) -> None:
        """Refuse values that make no market."""
        for field, low, high in _BOUNDS:
            value = getattr(self, field)
            if not (math.isfinite(value) and low <= value <= high):
                msg = f"{field} must lie from {low:g} to {high:g}, got {value!r}"
                raise SettingsError(msg)
        for field, accepted in (("ex_dates", EX_DATES), ("exercise", EXERCISE)):
            if getattr(self, field) not in accepted:
                msg = f"{field} must be one of {', '.join(accepted)}, got {getattr(self, field)!r}"
                raise SettingsError(msg)
        if not self.families or not set(self.families) <= set(FAMILIES):
            msg = f"families must be some of {', '.join(FAMILIES)}, got {self.families!r}"
            raise SettingsError(msg)
        if self.nearest_days >= self.longest_days:
            msg = f"nearest_days must be below longest_days, got {self.nearest_days} and {self.longest_days}"
            raise SettingsError(msg)
        known = {*DEFECT_RATES, "missing_line"}
        if not {kind for kind, _ in self.defects} <= known or sum(rate for _, rate in self.defects) > 1.0:
            msg = f"defects must be shares of {', '.join(sorted(known))}, 1 in all, got {self.defects!r}"
            raise SettingsError(msg)


_BOUNDS: Final = (
    ("level", 0.2, 5.0),
    ("level_deviation", 0.0, 0.5),
    ("relative_deviation", 0.0, 0.5),
    ("shape_deviation", 0.0, 3.0),
    ("inversion", 0.2, 10.0),
    ("inversion_deviation", 0.0, 1.0),
    ("weekend", 0.01, 1.0),
    ("weekend_deviation", 0.0, 0.3),
    ("events", 0.0, 100.0),
    ("roughness", 0.0, 0.05),
    ("rate", 0.0, 0.5),
    ("rate_deviation", 0.0, 0.1),
    ("borrow", 0.0, 0.5),
    ("dividends", 0.0, 20.0),
    ("tick", 0.01, 1.0),
    ("spread", 0.01, 100.0),
    ("spread_noise", 0.0, 1.0),
    ("mid_noise", 0.0, 1.0),
    ("shared_noise", 0.0, 1.0),
    ("shared_correlation", 0.0, 0.99),
    ("wild_share", 0.0, 1.0),
    ("wild_noise", 0.0, 20.0),
    ("step", 0.2, 20.0),
    ("missing_strikes", 0.0, 0.9),
    ("nearest_days", 1, 1000),
    ("longest_days", 30, 1000),
)

_MANY_DEFECTS: Final = {kind: 5.0 * rate for kind, rate in DEFECT_RATES.items()} | {"missing_line": 0.03}

SCENARIOS: Final = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario("calm"),
            Scenario("stressed", level=2.1, inversion=3.0, spread=3.0, mid_noise=0.08, shared_noise=0.08),
            Scenario("sparse", step=1.5, is_dense=False, missing_strikes=0.10, spread=1.5),
            Scenario("dirty", defects=tuple(_MANY_DEFECTS.items())),
            Scenario("zero_rates", rate=0.0, rate_deviation=0.0),
            Scenario("high_rates", rate=0.07, rate_deviation=0.004),
            Scenario("hard_to_borrow", borrow=0.05),
            Scenario("ex_date", ex_dates="before_expiries", has_quarter_ends=False),
            Scenario("events", events=30.0),
        )
    }
)
"""The named scenarios; every field that is not given there has the default, a calm market's."""


def find_scenario(scenario: str | Scenario) -> Scenario:
    """The scenario of a name, or the one given.

    Raises
    ------
    SettingsError
        No scenario has the name.
    """
    if isinstance(scenario, Scenario):
        return scenario
    if scenario not in SCENARIOS:
        msg = f"scenario must be one of {', '.join(SCENARIOS)}, got {scenario!r}"
        raise SettingsError(msg)
    return SCENARIOS[scenario]


def check_whole(name: str, value: object, *, low: int, high: int) -> None:
    """Refuse what is no whole number between two bounds.

    Raises
    ------
    SettingsError
        With the name and the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        msg = f"{name} must be a whole number from {low} to {high}, got {value!r}"
        raise SettingsError(msg)


def parameters(scenario: Scenario) -> dict[str, object]:
    """The fields of a scenario for a JSON file."""
    values = {field.name: getattr(scenario, field.name) for field in fields(scenario)}
    return values | {"first_session": scenario.first_session.isoformat(), "defects": dict(scenario.defects)}
