"""One pair studied: its ranking, and what a desk asks next.

Where the rank was on every past day as it was knowable then, and the episodes in it; whether it is level or
skew; what is left beside the other leg's moves; at which levels it could be traded; and what it would be
under other conventions.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from volskew.history import History
from volskew.ledger import Code, Ledger, Stage
from volskew.measures import MEASURES
from volskew.measures.realised_readings import IMPLIED_OVER_REALISED, PRICE_MEASURES
from volskew.ranking import (
    BetaAdjusted,
    Decomposition,
    Executable,
    Ranking,
    Robustness,
    beta_adjust,
    decompose,
    describe_episodes,
    executable_levels,
    find_episodes,
    rank,
    rank_history,
)
from volskew.ranking.forms import FORMS
from volskew.workflow.conventions import rank_under_conventions, variant_panels
from volskew.workflow.snapshots import MIXED_SNAPSHOTS
from volskew.workflow.view import Pair

__all__ = ["Key", "PairStudy", "Shelf", "episode_words", "study_pair", "unit_of"]

_DIFFERENT_EXPIRIES = "DIFFERENT_EXPIRIES"
_VOL = "implied_vol"
_MIDDLE = "0.5"
_LEVELS = frozenset((_VOL, f"{_VOL}_bid", f"{_VOL}_ask", "forward_vol"))
"""Measures of surfaces that are vols, and no differences of such."""
_FULL = "full"
_HALF = 50.0


@dataclass(frozen=True, slots=True)
class Key:
    """What is ranked of a pair, in canonical spellings."""

    pair: Pair
    measure: str
    tenor: str
    delta: str

    @property
    def words(self) -> str:
        """For the ledger."""
        return f"{'/'.join(self.pair)} {self.measure} {self.tenor} {self.delta}"


@dataclass(frozen=True, slots=True, eq=False)
class PairStudy:
    """Everything that is told of one pair, measure, tenor and delta.

    Attributes
    ----------
    ranking : Ranking
        With the executable levels in its table.
    percentiles : pandas.DataFrame
        The rank of every past day as it was knowable then, in the headline's form and all windows; see
        `volskew.ranking.rank_history`.
    episodes : pandas.DataFrame
        Of the full window; see `volskew.ranking.find_episodes`.
    episode_words : str
        Of the side on which the pair stands, "" where no day has a percentile.
    executable : tuple of Executable
        One for each row of the ranking's table; empty where no bid and ask are read.
    decomposition : Decomposition or None
        Level and skew; None where the 50-delta vols are not there, or the measure has no wing.
    beta : BetaAdjusted or None
        None where a leg is not positive on every day.
    robustness : Robustness or None
        None where nothing was read under another convention.
    """

    ranking: Ranking
    percentiles: pd.DataFrame = field(repr=False)
    episodes: pd.DataFrame = field(repr=False)
    episode_words: str = ""
    executable: tuple[Executable, ...] = ()
    decomposition: Decomposition | None = None
    beta: BetaAdjusted | None = None
    robustness: Robustness | None = None

    @property
    def components(self) -> pd.DataFrame:
        """What the log ratio is made of, and what the other leg does not explain; may be empty."""
        parts = []
        if self.decomposition is not None:
            parts.append(self.decomposition.table)
        if self.beta is not None:
            table = self.beta.table
            rows = table[table["form"] == "log_ratio"]
            parts.append(rows.assign(component="beta_adjusted"))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a study finds its readings.

    Attributes
    ----------
    view : History
        Holds the series that is ranked, as it was known, and the solved one under other conventions.
    series, solved : str
        That series, and the one of the solved days in it.
    rows : pandas.DataFrame
        The rows of `series`.
    vintages : callable
        `volskew.workflow.view.vintages_of`, of which the readings are still to be said.
    preface : str
        What every verdict has to say first.
    """

    view: History
    series: str
    solved: str
    rows: pd.DataFrame
    vintages: Callable[..., pd.DataFrame | None]
    preface: str = ""

    def panel(self, key: Key, field: str = "value", **other: str) -> pd.DataFrame:
        """Readings of a key, or of one like it in another measure or delta; empty where there are none."""
        wanted = {"measure": key.measure, "tenor": key.tenor, "delta": key.delta} | other
        return self.view.panel(series=self.series, symbols=key.pair, field=field, **wanted)


def study_pair(key: Key, *, shelf: Shelf, day: dt.date, ledger: Ledger) -> PairStudy | None:
    """Rank one pair and study it; None, and a ledger entry, where neither leg has a reading on any day.

    Parameters
    ----------
    key : Key
    shelf : Shelf
    day : datetime.date
        As of which is ranked.
    ledger : Ledger
        Gets the missing legs.
    """
    panel = shelf.panel(key) if shelf.series in shelf.view.series_names() else pd.DataFrame()
    if panel.empty:
        ledger.add(None, "", Stage.RANKING, Code.PAIR_MISSING, detail=key.words)
        return None
    labels: dict[str, Any] = {
        "pair": key.pair,
        "series": shelf.series,
        "measure": key.measure,
        "tenor": key.tenor,
        "delta": key.delta,
    }
    errors, flags = shelf.panel(key, "error"), shelf.panel(key, "flags")
    if key.measure in PRICE_MEASURES and key.measure != IMPLIED_OVER_REALISED:
        # windows of neighbouring days share their errors: redrawn one by one they would say nothing
        errors = errors * math.nan
    if _expiries_differ(shelf.rows, key, day):
        flags.loc[flags.index == pd.Timestamp(day), list(key.pair)] += f" {_DIFFERENT_EXPIRIES}"
    unit = unit_of(key.measure)
    ranking = rank(
        panel, as_of=day, errors=errors, flags=flags, unit=unit, forms=_forms(key.measure), **labels
    )
    if shelf.preface:
        ranking = _prefaced(ranking, shelf.preface)
    for leg in key.pair:
        if ranking.is_leg_missing(leg):
            code = Code.PAIR_MISSING if panel[leg].isna().all() else Code.LEG_MISSING
            ledger.add(ranking.as_of, leg, Stage.RANKING, code, detail=key.words)
    form = str(ranking.headline["form"])
    percentiles = _percentiles(key, panel, form, shelf=shelf, labels=labels)
    full = percentiles[percentiles["window"] == _FULL]
    episodes = find_episodes(full)
    ranking, executable = _at_executable_levels(key, ranking, shelf=shelf, day=day)
    positive = not (panel[list(key.pair)] <= 0).any(axis=None)
    common: dict[str, Any] = {"as_of": day, "errors": errors, "flags": flags, **labels}
    return PairStudy(
        ranking=ranking,
        percentiles=percentiles,
        episodes=episodes,
        episode_words=episode_words(full, episodes, ranking, legs=ranking.series[["a", "b"]]),
        executable=executable,
        decomposition=_decomposition(key, panel, shelf=shelf, common=common) if positive else None,
        beta=beta_adjust(panel, **common) if positive and key.measure == _VOL else None,
        robustness=_robustness(key, panel, form, shelf=shelf, day=day, labels=labels),
    )


def unit_of(measure: str) -> str:
    """How numbers of a measure are shown: "vol" or "number"."""
    if measure in PRICE_MEASURES:
        return "number" if measure == IMPLIED_OVER_REALISED else "vol"
    return MEASURES[measure].unit


def _forms(measure: str) -> tuple[str, ...]:
    """A difference of vols may be zero: only its spread is ranked, whatever the signs of the sample."""
    return ("spread",) if measure in MEASURES and measure not in _LEVELS else FORMS


def _expiries_differ(rows: pd.DataFrame, key: Key, day: dt.date) -> bool:
    """Whether the legs of a day were read between different expiries: clock and events do not cancel."""
    wanted = {"date": str(day), "measure": key.measure, "tenor": key.tenor, "delta": key.delta}
    mask = rows["symbol"].isin(key.pair)
    for column, value in wanted.items():
        mask &= rows[column] == value
    dates = rows.loc[mask, ["expiry_before", "expiry_after"]].fillna("").drop_duplicates()
    return int(mask.sum()) == 2 and len(dates) == 2 and "" not in set(dates["expiry_before"])


def _prefaced(ranking: Ranking, preface: str) -> Ranking:
    """The ranking with a sentence before every verdict."""
    table = ranking.table.assign(
        verdict=[f"{preface} {text}" for text in ranking.table["verdict"]],
        flags=[" ".join(sorted({*text.split(), MIXED_SNAPSHOTS})) for text in ranking.table["flags"]],
    )
    return replace(ranking, table=table, verdict=f"{preface} {ranking.verdict}")


def _percentiles(
    key: Key, panel: pd.DataFrame, form: str, *, shelf: Shelf, labels: Mapping[str, Any]
) -> pd.DataFrame:
    """The as-of history of the rank, in one form."""
    known = shelf.vintages(symbols=key.pair, measure=key.measure, tenor=key.tenor, delta=key.delta)
    known_at = shelf.panel(key, "known_at") if known is None else None
    return rank_history(panel, forms=[form], vintages=known, known_at=known_at, **labels)


def episode_words(full: pd.DataFrame, episodes: pd.DataFrame, ranking: Ranking, *, legs: pd.DataFrame) -> str:
    """How often the pair was so low, or high, and what the legs have done in the episode that goes on.

    Parameters
    ----------
    full, episodes : pandas.DataFrame
        Ranks of every day in one form and the full window, and the episodes in them.
    ranking : Ranking
        Of the last of these days.
    legs : pandas.DataFrame
        Columns a and b on the days of `full`.
    """
    percentile = float(ranking.headline["percentile"])
    if math.isnan(percentile):
        return ""
    side = "low" if percentile < _HALF else "high"
    level = "5 or below" if side == "low" else "95 or above"
    said = f"Episodes at {level}: {describe_episodes(full, side=side)}"
    open_ones = episodes[(episodes["side"] == side) & (episodes["state"] == "open")]
    if open_ones.empty or not (legs.dropna() > 0).all(axis=None):
        return f"{said}."
    start = open_ones["start"].iloc[-1]
    changes = 100.0 * (legs.iloc[-1] / legs.loc[start] - 1.0)
    told = " and ".join(
        f"{name} {change:+.1f} %" for name, change in zip(ranking.pair, changes.tolist(), strict=True)
    )
    return f"{said}; in this one, since {start.date()}, {told}."


def _at_executable_levels(
    key: Key, ranking: Ranking, *, shelf: Shelf, day: dt.date
) -> tuple[Ranking, tuple[Executable, ...]]:
    """The ranking with its executable levels, where vols of bids and asks are among the readings."""
    if key.measure != _VOL:
        return ranking, ()
    sides = {side: shelf.panel(key, measure=f"{_VOL}_{side}") for side in ("bid", "ask")}
    today = pd.Timestamp(day)
    a, b = key.pair
    bids, asks = (
        (float(sides[side][a].get(today, math.nan)), float(sides[side][b].get(today, math.nan)))
        for side in ("bid", "ask")
    )
    if all(math.isnan(level) for level in (*bids, *asks)):
        return ranking, ()
    levels = executable_levels(ranking, bids=bids, asks=asks)
    return replace(ranking, table=ranking.table.assign(**_columns(levels))), tuple(levels)


def _columns(levels: Sequence[Executable]) -> dict[str, list[float]]:
    return {name: [level.cells[name] for level in levels] for name in levels[0].cells}


def _decomposition(
    key: Key, panel: pd.DataFrame, *, shelf: Shelf, common: Mapping[str, Any]
) -> Decomposition | None:
    """Level and skew, where the 50-delta vols are there."""
    if key.measure != _VOL or key.delta in {_MIDDLE, "atmf", "-"}:
        return None
    level = shelf.panel(key, delta=_MIDDLE)
    if level.empty or (level[list(key.pair)] <= 0).any(axis=None):
        return None
    return decompose(
        panel,
        level,
        level_errors=shelf.panel(key, "error", delta=_MIDDLE),
        level_flags=shelf.panel(key, "flags", delta=_MIDDLE),
        shape_errors=shelf.panel(key, "error", measure="log_skew"),
        **common,
    )


def _robustness(
    key: Key, panel: pd.DataFrame, form: str, *, shelf: Shelf, day: dt.date, labels: Mapping[str, Any]
) -> Robustness | None:
    variants = variant_panels(
        shelf.view,
        series=shelf.solved,
        measure=key.measure,
        tenor=key.tenor,
        delta=key.delta,
        symbols=key.pair,
    )
    if not variants:
        return None
    return rank_under_conventions(panel, variants, as_of=day, form=form, **labels)
