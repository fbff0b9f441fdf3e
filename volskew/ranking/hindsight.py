"""The rank of every past day as it could be known at the end of that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import SettingsError
from volskew.ranking.arguments import check_choices, check_labels, check_limits, check_pair
from volskew.ranking.checks import check_table
from volskew.ranking.fixed_text import csv_of, dates_text, decimal_text, form_text, plain_text
from volskew.ranking.forms import FORMS, compare
from volskew.ranking.knowledge import Knowledge, knowledge_of_panel, knowledge_of_vintages
from volskew.ranking.legs import Labels, legs_of_panel
from volskew.ranking.rolling import percentiles, share
from volskew.ranking.standing import Flag, Limits
from volskew.ranking.tallies import Tally, correct_tallies, tally_windows
from volskew.ranking.windows import WINDOWS

__all__ = ["HISTORY_COLUMNS", "rank_history", "rank_history_csv"]

HISTORY_COLUMNS: tuple[str, ...] = tuple(
    """date,series,pair,measure,tenor,delta,form,window,value_a,value_b,value,percentile,percentile_strict,
percentile_weak,n_obs,coverage,first_date,flags""".replace("\n", "").split(",")
)
"""Columns of a rank history, in order."""

_GATES = (
    Flag.LEG_MISSING,
    Flag.NON_POSITIVE,
    Flag.SHORT_HISTORY,
    Flag.SHORT_WINDOW,
    Flag.LOW_COVERAGE,
)
_FLAGS = (*_GATES, Flag.CONSTANT)
"""In the order of the bits that `_flag_text` reads."""


def rank_history(
    panel: pd.DataFrame,
    *,
    pair: tuple[str, str] = ("QQQ", "IWM"),
    forms: Sequence[str] = FORMS,
    windows: Sequence[str] = tuple(WINDOWS),
    known_at: pd.DataFrame | None = None,
    vintages: pd.DataFrame | None = None,
    series: str = "",
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "0.25",
    min_observations: int = 252,
    min_coverage: float = 0.90,
) -> pd.DataFrame:
    """Rank every session of a pair as `rank` would have at that session's end.

    Parameters
    ----------
    panel : pandas.DataFrame
        One row a session (naive midnight `DatetimeIndex` in any order, every session from first to last, for
        coverage to be told), one column a symbol, NaN where there is no reading.
    pair : (str, str)
        The legs; the ratio is first over second, so low means the first is low against the second.
    forms : sequence of {"log_ratio", "ratio", "spread"}
        Which forms.
    windows : sequence of {"full", "5y", "2y", "1y"}
        Every session with both legs up to the row's, or the latest 1260, 504, 252 of them, its own included.
    known_at : pandas.DataFrame, optional
        When each reading of `panel` was known, labelled as it: instants with their zone, as of
        ``History.panel(field="known_at")``. By default each reading is taken as known on its own day.
    vintages : pandas.DataFrame, optional
        All that was ever known, in place of the panel's cells, which are then not read; its rows still say
        which days are sessions. Columns ``date``, ``symbol``, ``value`` (NaN: taken back), ``known_at``
        (instants with their zone) and perhaps ``vintage`` (the higher replaces the lower; without it the
        later known does), as of `History.vintages`. Other symbols are left alone.
    series, measure, tenor, delta : str
        What is ranked: for the table.
    min_observations : int
        Sessions with both legs under which there is no percentile.
    min_coverage : float
        Share of a window's sessions with both legs, 0 to 1, under which there is no percentile.

    Returns
    -------
    pandas.DataFrame
        A row for each session, form and window, in that order: days appended later are rows appended. Columns

        ============================ ===================================================================
        date                         the session (datetime64[us], naive)
        series ... delta             as given; ``pair`` is "A/B"
        form, window                 of this row
        value_a, value_b             the legs of that day, NaN where none was known at its end
        value                        the form of them, in its own unit
        percentile                   mid-rank, 0 to 100, NaN behind a closed gate
        percentile_strict, _weak     the shares below, and not above
        n_obs                        sessions with both legs in the window
        coverage                     those over all sessions since the first of them, 0 to 1
        first_date                   that first session, NaT where there is none
        flags                        why there is no percentile, as in ``rankings.csv``; CONSTANT beside one
        ============================ ===================================================================

    Raises
    ------
    InputError
        A table is none; the panel lacks a leg, has a date twice or an infinite value; a vintage is of no
        session of the panel; an instant is missing or has no zone.
    MissingReadingError
        The panel has no session.
    SettingsError
        A pair, form, window or limit that is not accepted, or both `known_at` and `vintages`.

    Notes
    -----
    The row of day t uses, for each day up to t, the newest vintage known by 23:59:59 in New York on t. A
    reading that came later leaves its own day's row empty and is in the sample of the days after it came.
    Rows never change when later days, or what was known later, are added.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-01", periods=300)
    >>> panel = pd.DataFrame({"QQQ": np.linspace(0.25, 0.20, 300), "IWM": 0.2}, index=days)
    >>> history = rank_history(panel, forms=["log_ratio"], windows=["full"])
    >>> history["percentile"].count(), history["percentile"].iloc[[251, 299]].round(4).tolist()
    (np.int64(49), [0.1984, 0.1667])
    """
    limits = check_limits(
        min_observations=min_observations, record_observations=min_observations, min_coverage=min_coverage
    )
    check_table("panel", panel)
    check_labels(series=series, measure=measure, tenor=tenor, delta=delta)
    labels = Labels(check_pair(pair), series, measure, tenor, str(delta))
    wanted_forms = check_choices("forms", forms, FORMS)
    wanted_windows = check_choices("windows", windows, tuple(WINDOWS))
    if known_at is not None and vintages is not None:
        msg = "known_at belongs to the panel's readings and vintages bring their own: give one of the two"
        raise SettingsError(msg)
    if vintages is not None:
        panel = pd.DataFrame(np.nan, index=panel.index, columns=list(labels.pair))
    legs = legs_of_panel(panel, pair=labels.pair, as_of=dt.date.max, errors=None, flags=None)
    known = (
        knowledge_of_panel(legs.days, legs.a, legs.b, pair=labels.pair, known_at=known_at)
        if vintages is None
        else knowledge_of_vintages(legs.days, pair=labels.pair, vintages=vintages)
    )
    lengths = [WINDOWS[name] for name in wanted_windows]
    tallies = tally_windows(known, forms=wanted_forms, lengths=lengths)
    correct_tallies(tallies, known=known, forms=wanted_forms, lengths=lengths)
    return _table(
        tallies,
        days=legs.days,
        known=known,
        labels=labels,
        forms=wanted_forms,
        windows=wanted_windows,
        limits=limits,
    )


def rank_history_csv(table: pd.DataFrame) -> str:
    r"""A rank history as CSV text that is the same bytes for the same numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        From `rank_history`, or several of them one after the other.

    Returns
    -------
    str
        Legs and spreads with 6 decimals, ratios and log ratios with 8, percentiles and coverage with 4; dates
        ISO, missing empty, "\n" line ends: as in ``rankings.csv``.
    """
    cells: dict[str, list[str]] = {}
    for name in HISTORY_COLUMNS:
        column = table[name]
        if name in {"date", "first_date"}:
            cells[name] = dates_text(column)
        elif name == "value":
            cells[name] = form_text(column, forms=table["form"].tolist())
        elif name in _DECIMALS:
            cells[name] = decimal_text(column, decimals=_DECIMALS[name])
        else:
            cells[name] = plain_text(column)
    return csv_of(cells)


_DECIMALS = {
    "value_a": 6,
    "value_b": 6,
    "percentile": 4,
    "percentile_strict": 4,
    "percentile_weak": 4,
    "coverage": 4,
}


def _table(
    tallies: list[list[Tally]],
    *,
    days: NDArray[np.datetime64],
    known: Knowledge,
    labels: Labels,
    forms: Sequence[str],
    windows: Sequence[str],
    limits: Limits,
) -> pd.DataFrame:
    """The rows of all sessions: a session's forms and windows next to each other."""
    a, b = known.own
    n_days, n_each = len(days), len(forms) * len(windows)
    has_own = ~(np.isnan(a) | np.isnan(b))
    parts: dict[str, list[NDArray[np.generic]]] = {name: [] for name in _MEASURED}
    for form, row in zip(forms, tallies, strict=True):
        value = np.where(has_own, compare(form, a=a, b=b), np.nan)
        for name, tally in zip(windows, row, strict=True):
            parts["value"].append(value)
            for column, cells in _judge(tally, has_own=has_own, wanted=WINDOWS[name], limits=limits):
                parts[column].append(cells)
    columns = {name: np.stack(cells, axis=1).ravel() for name, cells in parts.items()}
    first = columns.pop("first")
    n_rows = n_days * n_each
    texts = {
        "series": labels.series,
        "pair": "/".join(labels.pair),
        "measure": labels.measure,
        "tenor": labels.tenor,
        "delta": labels.delta,
    }
    first_days = np.where(first >= 0, days[np.maximum(first, 0)], np.datetime64("NaT", "D"))
    data = {
        "date": np.repeat(days, n_each).astype("datetime64[us]"),
        **{name: _repeated([text], n_rows) for name, text in texts.items()},
        "form": _repeated([form for form in forms for _ in windows], n_rows),
        "window": _repeated(list(windows), n_rows),
        "value_a": np.repeat(a, n_each),
        "value_b": np.repeat(b, n_each),
        **columns,
        "first_date": first_days.astype("datetime64[us]"),
        "flags": pd.array(_FLAG_TEXTS[columns["flags"]], dtype="str"),
    }
    return pd.DataFrame({name: data[name] for name in HISTORY_COLUMNS})


_MEASURED = (
    "value",
    "percentile",
    "percentile_strict",
    "percentile_weak",
    "n_obs",
    "coverage",
    "first",
    "flags",
)


def _judge(
    tally: Tally, *, has_own: NDArray[np.bool_], wanted: int | None, limits: Limits
) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Percentiles where every gate is open, and of each day the gates that are not."""
    coverage = share(tally.n_obs, first=tally.first)
    gates = {
        Flag.LEG_MISSING: ~has_own,
        Flag.NON_POSITIVE: tally.n_unordered > 0,
        Flag.SHORT_HISTORY: tally.n_obs < limits.min_observations,
        Flag.SHORT_WINDOW: tally.n_obs < (wanted or 0),
        Flag.LOW_COVERAGE: coverage < limits.min_coverage,
    }
    bits = np.zeros(len(has_own), dtype=np.int64)
    for bit, flag in enumerate(_GATES):
        bits |= gates[flag].astype(np.int64) << bit
    is_open = bits == 0
    is_constant = is_open & (tally.below == 0) & (tally.up_to == tally.n_obs)
    bits |= is_constant.astype(np.int64) << len(_GATES)
    strict, weak, mid = percentiles(tally.below, tally.up_to, n=tally.n_obs, where=is_open)
    yield "percentile", mid
    yield "percentile_strict", strict
    yield "percentile_weak", weak
    yield "n_obs", tally.n_obs
    yield "coverage", coverage
    yield "first", tally.first
    yield "flags", bits


def _repeated(texts: Sequence[str], n_rows: int) -> pd.api.extensions.ExtensionArray:
    """A few texts over and over, as a column."""
    return pd.array(texts, dtype="str").take(np.arange(n_rows) % len(texts))


_FLAG_TEXTS = np.array(
    [
        " ".join(sorted(flag for bit, flag in enumerate(_FLAGS) if bits >> bit & 1))
        for bits in range(1 << len(_FLAGS))
    ],
    dtype=object,
)
"""The flags of each sum of bits."""
