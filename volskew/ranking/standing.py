"""Where today stands in one window of one form: the numbers, or the gate that keeps them back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from volskew.ranking.bands import Bands
from volskew.ranking.measurement import MeasurementBand
from volskew.ranking.percentile import PercentileRank, percentile_rank, range_position, robust_z, z_score
from volskew.ranking.records import Records, find_records
from volskew.ranking.sampling import SamplingBand
from volskew.ranking.windows import Window

__all__ = ["Flag", "Limits", "Standing", "Statistics", "take_standing"]


class Flag(StrEnum):
    """What a row of the ranking must say of itself; each member but the last keeps its statistics back.

    Where several hold, the first in this order is the one the verdict names.
    """

    LEG_MISSING = "LEG_MISSING"
    NON_POSITIVE = "NON_POSITIVE"
    SHORT_HISTORY = "SHORT_HISTORY"
    SHORT_WINDOW = "SHORT_WINDOW"
    LOW_COVERAGE = "LOW_COVERAGE"
    CONSTANT = "CONSTANT"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much history each kind of statement asks for.

    Attributes
    ----------
    min_observations : int
        Sessions with both legs under which there is no percentile.
    record_observations : int
        Sessions under which no record is spoken of, and no sampling band given.
    min_coverage : float
        Share of a window's sessions, 0 to 1, under which there is no percentile.
    """

    min_observations: int = 252
    record_observations: int = 504
    min_coverage: float = 0.90


@dataclass(frozen=True, slots=True)
class Statistics:
    """Today against its window.

    Attributes
    ----------
    percentile : PercentileRank
        In all its conventions, 0 to 100.
    range_position : float
        (value - min) / (max - min), 0 to 1; NaN where all values are equal.
    z_score, robust_z : float
        In standard deviations; NaN where the sample has no width.
    records : Records
        Extremes; their positions count within the window.
    low_date, high_date : datetime.date
        When the records were set.
    previous_low_date, previous_high_date : datetime.date or None
        When the records before today were set.
    previous_low_error, previous_high_error : float
        One standard error of their values; NaN where unknown.
    as_low_date, as_high_date : datetime.date or None
        The latest earlier day at or below, at or above, today's value.
    sessions_since_as_low, sessions_since_as_high : int or None
        Sessions from that day up to today, those that miss a leg among them: 1 where it is the one before.
    measurement : MeasurementBand or None
        None where it was not asked for, today's error is unknown or all values are equal.
    sampling : SamplingBand or None
        None where it was not asked for, all values are equal, or there are fewer than
        `Limits.record_observations`.
    """

    percentile: PercentileRank
    range_position: float
    z_score: float
    robust_z: float
    records: Records
    low_date: dt.date
    high_date: dt.date
    previous_low_date: dt.date | None
    previous_high_date: dt.date | None
    previous_low_error: float
    previous_high_error: float
    as_low_date: dt.date | None
    as_high_date: dt.date | None
    sessions_since_as_low: int | None
    sessions_since_as_high: int | None
    measurement: MeasurementBand | None
    sampling: SamplingBand | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One form in one window.

    Attributes
    ----------
    form : str
        log_ratio, ratio or spread.
    window : Window
        The sessions.
    value, error : float
        Today's, in the form's unit; NaN where there is none.
    first_date : datetime.date or None
        The window's first session with both legs.
    n_unordered : int
        Sessions of the window on which the form does not exist or means nothing (legs at or below zero).
    flags : tuple of Flag
        In the order of `Flag`.
    statistics : Statistics or None
        None where a gate is closed; `flags` says which.
    """

    form: str
    window: Window
    value: float
    error: float
    first_date: dt.date | None
    n_unordered: int
    flags: tuple[Flag, ...]
    statistics: Statistics | None


def take_standing(
    form: str,
    *,
    values: NDArray[np.float64],
    ordered: NDArray[np.bool_],
    days: NDArray[np.datetime64],
    window: Window,
    has_today: bool,
    limits: Limits,
    errors: NDArray[np.float64] | None = None,
    bands: Bands | None = None,
) -> Standing:
    """Where today stands among a window's values of one form.

    Parameters
    ----------
    form : str
        Name of the form.
    values : ndarray, shape (n,)
        The form on every session up to the as-of day, NaN where a leg is missing.
    ordered : ndarray of bool, shape (n,)
        Where a value may stand in a ranking, see `volskew.ranking.forms.is_ordered`.
    days : ndarray of datetime64, shape (n,)
        The sessions.
    window : Window
        Selected from the same sessions.
    has_today : bool
        Whether both legs were read on the as-of day, which then is the window's last session.
    limits : Limits
        The gates.
    errors : ndarray, shape (n,), optional
        Standard errors of the values, NaN where unknown.
    bands : Bands, optional
        Those of the pair, of which this form and window take theirs; without them there are none.
    """
    sample, sample_days = values[window.positions], days[window.positions]
    n_unordered = int(np.count_nonzero(~ordered[window.positions]))
    gates = {
        Flag.LEG_MISSING: not has_today,
        Flag.NON_POSITIVE: n_unordered > 0,
        Flag.SHORT_HISTORY: window.n_obs < limits.min_observations,
        Flag.SHORT_WINDOW: window.is_short,
        Flag.LOW_COVERAGE: window.coverage < limits.min_coverage,
    }
    flags = tuple(flag for flag, is_closed in gates.items() if is_closed)
    sample_errors = np.full(len(sample), np.nan) if errors is None else errors[window.positions]
    statistics = None
    if not flags:
        statistics = _statistics(
            sample,
            sample_errors,
            sample_days,
            positions=window.positions,
            form=form,
            bands=bands,
            limits=limits,
        )
        if statistics.records.low == statistics.records.high:
            flags = (Flag.CONSTANT,)
    value = float(sample[-1]) if has_today else float("nan")
    return Standing(
        form=form,
        window=window,
        value=value,
        error=float(sample_errors[-1]) if np.isfinite(value) else float("nan"),
        first_date=_date(sample_days, 0) if window.n_obs else None,
        n_unordered=n_unordered,
        flags=flags,
        statistics=statistics,
    )


def _statistics(
    sample: NDArray[np.float64],
    errors: NDArray[np.float64],
    days: NDArray[np.datetime64],
    *,
    positions: NDArray[np.intp],
    form: str,
    bands: Bands | None,
    limits: Limits,
) -> Statistics:
    """Of a window's values, errors and days; `positions` count all sessions, also those that miss a leg."""
    value, n = float(sample[-1]), len(sample)
    records = find_records(sample)
    if records.low == records.high:
        bands = None
    return Statistics(
        percentile=percentile_rank(sample, value=value),
        range_position=range_position(sample, value=value),
        z_score=z_score(sample, value=value),
        robust_z=robust_z(sample, value=value),
        records=records,
        low_date=_date(days, records.low_at),
        high_date=_date(days, records.high_at),
        previous_low_date=_date_or_none(days, records.previous_low_at),
        previous_high_date=_date_or_none(days, records.previous_high_at),
        previous_low_error=_error(errors, records.previous_low_at),
        previous_high_error=_error(errors, records.previous_high_at),
        as_low_date=_back(days, records.since_as_low),
        as_high_date=_back(days, records.since_as_high),
        sessions_since_as_low=_sessions(positions, records.since_as_low),
        sessions_since_as_high=_sessions(positions, records.since_as_high),
        measurement=None if bands is None else bands.measurement(form, n),
        sampling=None if bands is None or n < limits.record_observations else bands.sampling(form, n),
    )


def _date(days: NDArray[np.datetime64], position: int) -> dt.date:
    day: dt.date = days[position].astype("datetime64[D]").item()
    return day


def _date_or_none(days: NDArray[np.datetime64], position: int | None) -> dt.date | None:
    return None if position is None else _date(days, position)


def _error(errors: NDArray[np.float64], position: int | None) -> float:
    return float("nan") if position is None else float(errors[position])


def _back(days: NDArray[np.datetime64], since: int | None) -> dt.date | None:
    return None if since is None else _date(days, len(days) - 1 - since)


def _sessions(positions: NDArray[np.intp], since: int | None) -> int | None:
    return None if since is None else int(positions[-1] - positions[-1 - since])
