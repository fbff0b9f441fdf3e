"""Two columns of a dated CSV, told as a pair of vols is: today, every day before, and the episodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from volskew.ranking import Ranking, find_episodes, rank_history, rank_series, read_series
from volskew.workflow.gather import PathLike
from volskew.workflow.study import episode_words

__all__ = ["SeriesStudy", "study_series_file"]

_FULL = "full"
_DAY = np.timedelta64(1, "D")
_NOON = pd.Timedelta(hours=12)
"""Noon in Greenwich is the same day in New York, whose evening ends a day of knowledge."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesStudy:
    """What is told of two columns.

    Attributes
    ----------
    ranking : Ranking
    percentiles : pandas.DataFrame
        The rank of every past day as it was knowable then, in the headline's form and all windows; see
        `volskew.ranking.rank_history`. With publication days, dates are days of knowledge.
    episodes : pandas.DataFrame
        Of the full window; see `volskew.ranking.find_episodes`.
    episode_words : str
        Of the side on which the pair stands, "" where no day has a percentile.
    """

    ranking: Ranking
    percentiles: pd.DataFrame = field(repr=False)
    episodes: pd.DataFrame = field(repr=False)
    episode_words: str = ""


def study_series_file(
    path: PathLike,
    *,
    a: str,
    b: str,
    date: str = "date",
    known_at: str | None = None,
    as_of: str | None = None,
) -> SeriesStudy:
    """Rank two columns of a dated CSV, and tell their past.

    Parameters
    ----------
    path, a, b, date, known_at, as_of
        See `volskew.ranking.read_series` and `volskew.ranking.rank_series`.

    Raises
    ------
    InputError, MissingReadingError, SettingsError
        As these.

    Notes
    -----
    With `known_at`, a row stands in the past on its publication day: there it is the latest observation
    known, as in the ranking. Of rows published on one day the latest observation has that day; those before
    it, and one that came after a later observation, stand earlier, without a rank of their own, and are in
    the sample from their publication on. No day knows more than had been published by its end.
    """
    frame = read_series(Path(path), a=a, b=b, date=date, known_at=known_at)
    ranking = rank_series(frame, a=a, b=b, date=date, known_at=known_at, as_of=as_of)
    seen = frame[frame[known_at or date] <= pd.Timestamp(ranking.as_of)].sort_values(date)
    days, instants = seen[date].to_numpy(), None
    if known_at is not None:
        published = seen[known_at]
        days = _days_of_knowledge(published.to_numpy())
        noons = (published + _NOON).dt.tz_localize("UTC").to_numpy()
        instants = pd.DataFrame({a: noons, b: noons}, index=pd.DatetimeIndex(days))
    panel = pd.DataFrame(seen[[a, b]].to_numpy(), columns=[a, b], index=pd.DatetimeIndex(days))
    percentiles = rank_history(
        panel,
        pair=(a, b),
        forms=[str(ranking.headline["form"])],
        known_at=instants,
        series=ranking.label_series,
        measure=ranking.measure,
        tenor=ranking.tenor,
        delta=ranking.delta,
    )
    full = percentiles[percentiles["window"] == _FULL]
    episodes = find_episodes(full)
    legs = full.set_index("date")[["value_a", "value_b"]].set_axis(["a", "b"], axis="columns")
    return SeriesStudy(ranking, percentiles, episodes, episode_words(full, episodes, ranking, legs=legs))


def _days_of_knowledge(published: np.ndarray) -> np.ndarray:
    """The latest ascending days on which rows stand that were published so; never before they were observed.

    Parameters
    ----------
    published : ndarray of datetime64, shape (n,)
        Of rows in the order of their observation.
    """
    days = published.copy()
    for row in range(len(days) - 2, -1, -1):
        days[row] = min(days[row], days[row + 1] - _DAY)
    return days
