"""The ranking of a pair: one row per form and window, the headline first."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from volskew.errors import SettingsError
from volskew.files import write_whole
from volskew.ranking.arguments import (
    check_choices,
    check_labels,
    check_limits,
    check_pair,
    check_unit,
    parse_day,
)
from volskew.ranking.bands import Bands
from volskew.ranking.checks import check_table
from volskew.ranking.forms import FORMS, compare, compare_errors, is_ordered
from volskew.ranking.legs import Labels, Legs, legs_of_panel
from volskew.ranking.standing import Flag, Limits, take_standing
from volskew.ranking.table import build_table, rankings_csv, table_row
from volskew.ranking.verdict import Subject, headline_verdict, window_verdict
from volskew.ranking.windows import WINDOWS, select_window

__all__ = ["Ranking", "rank", "rank_legs"]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A pair against its own history.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per form and window, the columns of ``rankings.csv``. Dates are ISO text; what is missing is
        null. ``percentile`` (mid-rank, the as-of day in the sample), its strict and weak kin and its bands
        run from 0 to 100, ``iv_rank``, ``coverage`` and probabilities from 0 to 1; values and records have
        the form's own unit. Bands hold 90 %: ``measurement_low`` and ``_high`` redraw the readings within
        their errors, the sample taken as it is (`volskew.ranking.measurement`; null where today's error is
        unknown), and with them go ``p_record``, ``p_low5`` and ``p_high5``; ``sampling_low`` and ``_high``
        are for the percentile in the population that the sample comes from (`volskew.ranking.sampling`), and
        ``n_effective`` is how many independent sessions it is worth; neither in fewer than 504 sessions.
    series : pandas.DataFrame
        Columns a, b, spread, ratio, log_ratio on every session up to the as-of day.
    pair : (str, str)
        The legs.
    as_of : datetime.date
        The day as of which the ranking is made.
    verdict : str
        The headline in words.
    label_series, measure, tenor, delta, unit : str
        What is ranked.
    headline_row : int
        Position of the headline in `table`.
    """

    table: pd.DataFrame = field(repr=False)
    series: pd.DataFrame = field(repr=False)
    pair: tuple[str, str]
    as_of: dt.date
    verdict: str
    label_series: str = ""
    measure: str = "-"
    tenor: str = "-"
    delta: str = "-"
    headline_row: int = 0
    unit: str = "number"

    @property
    def headline(self) -> pd.Series[Any]:
        """The row that the verdict speaks of.

        The first one, or where its form does not exist on every day (legs at or below zero) that of the first
        form which does.
        """
        return self.table.iloc[self.headline_row]

    def is_leg_missing(self, symbol: str) -> bool:
        """Whether a leg of the pair has no reading on the as-of day.

        Parameters
        ----------
        symbol : str
            One of `pair`.

        Raises
        ------
        SettingsError
            The symbol is no leg of the pair.
        """
        if symbol not in self.pair:
            msg = f"the legs of this ranking are {' and '.join(self.pair)}, got {symbol!r}"
            raise SettingsError(msg)
        column = "value_a" if symbol == self.pair[0] else "value_b"
        return bool(pd.isna(self.table[column].iloc[0]))

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as ``rankings.csv``, whole or not at all; see `rankings_csv`.

        Parameters
        ----------
        path : path-like
            The file.

        Raises
        ------
        StoreError
            The file cannot be written.
        """
        return write_whole(path, rankings_csv(self.table))


def rank(
    panel: pd.DataFrame,
    *,
    pair: tuple[str, str] = ("QQQ", "IWM"),
    as_of: str | dt.date | None = None,
    forms: Sequence[str] = FORMS,
    windows: Sequence[str] = tuple(WINDOWS),
    errors: pd.DataFrame | None = None,
    flags: pd.DataFrame | None = None,
    series: str = "",
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "0.25",
    unit: str | None = None,
    min_observations: int = 252,
    record_observations: int = 504,
    min_coverage: float = 0.90,
) -> Ranking:
    """Rank one leg against the other in their own history, up to the as-of day.

    Parameters
    ----------
    panel : pandas.DataFrame
        One row a session (naive midnight `DatetimeIndex` in any order, every session from first to last, for
        coverage to be told), one column a symbol, NaN where there is no reading.
    pair : (str, str)
        The legs; the ratio is first over second, so low means the first is low against the second.
    as_of : str or datetime.date, optional
        By default the last session with a reading of either leg. A leg missing on that day is never
        replaced by an older reading: value and statistics stay empty, under flag LEG_MISSING.
    forms : sequence of {"log_ratio", "ratio", "spread"}
        The headline's form first.
    windows : sequence of {"full", "5y", "2y", "1y"}
        Every session with both legs, or the latest 1260, 504, 252 of them, the as-of day included.
    errors, flags : pandas.DataFrame, optional
        Standard errors and flags (space-separated text) of the readings, labelled as `panel`. By default
        those in ``panel.attrs``, where a history keeps them. The legs' errors are taken as independent. Of
        the flags, those of the as-of day, and SPLICED of any day in a window, are carried into its row.
    series, measure, tenor, delta : str
        What is ranked: for the table and the wording.
    unit : {"vol", "number"}, optional
        Of the legs, for the wording: "vol" shows vols in percent and differences of vols in vol points. By
        default "vol" for implied_vol, else "number".
    min_observations : int
        Sessions with both legs under which there is no percentile.
    record_observations : int
        Sessions with both legs under which no record is spoken of.
    min_coverage : float
        Share of a window's sessions with both legs, 0 to 1, under which there is no percentile.

    Returns
    -------
    Ranking

    Raises
    ------
    InputError
        The panel, `errors` or `flags` are no tables, or the panel lacks a leg (the message names what is
        there), has a date twice, or holds an infinite value on or before the as-of day.
    MissingReadingError
        The panel has no session.
    SettingsError
        A pair, form, window, unit, limit or date that is not accepted.

    Notes
    -----
    Nothing after the as-of day is looked at: rows appended later leave the ranking bit for bit unchanged.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-01", periods=300)
    >>> panel = pd.DataFrame({"QQQ": np.linspace(0.25, 0.20, 300), "IWM": 0.2}, index=days)
    >>> ranking = rank(panel)
    >>> ranking.headline[["value", "percentile_strict", "percentile", "percentile_weak"]].round(4).to_dict()
    {'value': 0.0, 'percentile_strict': 0.0, 'percentile': 0.1667, 'percentile_weak': 0.3333}
    """
    limits = check_limits(
        min_observations=min_observations, record_observations=record_observations, min_coverage=min_coverage
    )
    check_table("panel", panel)
    check_labels(series=series, measure=measure, tenor=tenor, delta=delta)
    labels = Labels(check_pair(pair), series, measure, tenor, str(delta), check_unit(unit, measure=measure))
    legs = legs_of_panel(
        panel,
        pair=labels.pair,
        as_of=parse_day(as_of),
        errors=panel.attrs.get("errors") if errors is None else errors,
        flags=panel.attrs.get("flags") if flags is None else flags,
    )
    return rank_legs(
        legs,
        labels=labels,
        forms=check_choices("forms", forms, FORMS),
        windows=check_choices("windows", windows, tuple(WINDOWS)),
        limits=limits,
    )


def rank_legs(
    legs: Legs,
    *,
    labels: Labels,
    forms: Sequence[str],
    windows: Sequence[str],
    limits: Limits,
) -> Ranking:
    """Rank two legs that are already cut at the as-of day.

    Parameters
    ----------
    legs : Legs
        The readings.
    labels : Labels
        What they are.
    forms, windows : sequence of str
        Accepted names, each once.
    limits : Limits
        The gates.
    """
    has_both = ~(np.isnan(legs.a) | np.isnan(legs.b))
    has_today = legs.today is not None and bool(has_both[legs.today])
    value_a, value_b = (
        math.nan if legs.today is None else float(leg[legs.today]) for leg in (legs.a, legs.b)
    )
    values = {form: compare(form, a=legs.a, b=legs.b) for form in FORMS}
    error_a, error_b = legs.errors
    errors = {
        form: compare_errors(form, a=legs.a, b=legs.b, error_a=error_a, error_b=error_b) for form in FORMS
    }
    wanted = {name: select_window(has_both, name=name) for name in dict.fromkeys((*windows, "5y"))}
    bands = Bands(
        values={form: values[form][has_both] for form in FORMS},
        errors={form: errors[form][has_both] for form in FORMS},
        sizes=[window.n_obs for window in wanted.values()],
    )
    standings = {
        (form, name): take_standing(
            form,
            values=values[form],
            errors=errors[form],
            ordered=is_ordered(form, b=legs.b, values=values[form]),
            days=legs.days,
            window=window,
            has_today=has_today,
            bands=bands,
            limits=limits,
        )
        for form in forms
        for name, window in wanted.items()
    }
    rows = [standings[form, name] for form in forms for name in windows]
    both_days = legs.days[has_both]
    subject = Subject(
        a=labels.pair[0],
        b=labels.pair[1],
        measure=labels.measure,
        tenor=labels.tenor,
        delta=labels.delta,
        unit=labels.unit,
        series=labels.series,
        day=legs.as_of if legs.today is None else legs.days[legs.today].item(),
        known_on=legs.known_on,
        value_a=value_a,
        value_b=value_b,
        last_both=both_days[-1].item() if len(both_days) else None,
    )
    verdicts = [
        window_verdict(subject, row, five_years=standings[row.form, "5y"], limits=limits) for row in rows
    ]
    headline_row = next(
        (
            position
            for position, row in enumerate(rows)
            if row.window.name == windows[0] and Flag.NON_POSITIVE not in row.flags
        ),
        0,
    )
    headline = rows[headline_row]
    verdicts[headline_row] = headline_verdict(
        subject,
        headline,
        others=[row for row in rows if row is not headline],
        five_years=standings[headline.form, "5y"],
        limits=limits,
    )
    table = build_table(
        [
            table_row(row, legs=legs, labels=labels, values=(value_a, value_b), verdict=verdict)
            for row, verdict in zip(rows, verdicts, strict=True)
        ]
    )
    series = pd.DataFrame(
        {"a": legs.a, "b": legs.b, **{form: values[form] for form in ("spread", "ratio", "log_ratio")}},
        index=pd.DatetimeIndex(legs.days.astype("datetime64[us]"), name="date"),
    )
    return Ranking(
        table=table,
        series=series,
        pair=labels.pair,
        as_of=legs.as_of,
        verdict=verdicts[headline_row],
        label_series=labels.series,
        measure=labels.measure,
        tenor=labels.tenor,
        delta=labels.delta,
        headline_row=headline_row,
        unit=labels.unit,
    )
