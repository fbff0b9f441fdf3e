"""How far a pair's rank depends on choices that nobody can call wrong: its range over them.

The same two legs are there several times, once a convention: the headline on every day, the others perhaps
on its later days only, since the earlier ones may come from a history that was made once. What is missing of
another convention is carried over from the headline by what the two differ by on the days that have both, a
constant for each leg, in the median: of logarithms where all readings are positive. So a convention that
moves each vol by the same share on every day moves no percentile of the log ratio, whether measured or
carried over. How many days were measured is told, and the as-of day has to be.

Forms and windows are choices too; their ranges stand beside that over conventions.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import SettingsError
from volskew.ranking.arguments import check_choices, check_limits, check_pair, parse_day
from volskew.ranking.carry import carry_over
from volskew.ranking.forms import FORMS
from volskew.ranking.legs import Labels, Legs, legs_of_panel
from volskew.ranking.robustness_table import HEADLINE, convention_rows, robustness_table
from volskew.ranking.windows import WINDOWS

__all__ = ["Range", "Robustness", "robustness"]

NOT_MEASURED = "NOT_MEASURED"
"""Flag of a convention under which a leg has no reading on the as-of day though the headline has."""
_ENOUGH = 20
"""Sessions under another convention from which their median difference stands for other days."""
NO_OVERLAP = "NO_OVERLAP"
"""Flag of a convention with which the headline shares no day, so that nothing could be carried over."""
_SHOWN = 0.05
"""Percentiles are told with one decimal: what moves one by less moves nothing that is told."""


class Range(NamedTuple):
    """Percentiles under other choices than the headline's.

    Attributes
    ----------
    low, high : float
        NaN where none of them has a percentile.
    n : int
        How many have one.
    widest : str
        The choice that lies farthest from the headline, in words; "" where there is none.
    widest_percentile : float
    """

    low: float
    high: float
    n: int
    widest: str
    widest_percentile: float


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """A pair's percentile, and its range over other choices.

    Attributes
    ----------
    table : pandas.DataFrame
        The columns of ``conventions.csv``: a row for each convention (the headline first) and form. Legs,
        their value in the form and their differences from the headline's are in their own units, percentiles
        from 0 to 100 in every window, ``difference_percentile`` is that of the headline's window. ``n_obs``
        sessions have both legs, on ``n_measured`` of them both were measured under the convention, the
        others were carried over by ``shift_a`` and ``shift_b`` (of logarithms, see
        `volskew.ranking.carry.carry_over`). Missing numbers are NaN.
    percentile : float
        The headline; NaN where it has none, and then there is no range either.
    form, window : str
        The headline's.
    conventions, forms, windows : Range
        Over other conventions, over other forms, over other windows, all else as the headline.
    everything : Range
        Over every convention, form and window together, the headline's own included.
    without : tuple of str
        Conventions that have no percentile though the headline has, and why, in words.
    """

    table: pd.DataFrame = field(repr=False)
    percentile: float
    form: str
    window: str
    conventions: Range
    forms: Range
    windows: Range
    everything: Range
    without: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The range in words, for one line beside the headline."""
        if math.isnan(self.percentile):
            return "no percentile, so no range of it"
        parts = [f"percentile {self.percentile:.1f}"]
        found = self.conventions
        others = self.table[self.table["convention"] != HEADLINE]
        n_measured = int(others["n_measured"].max()) if len(others) else 0
        if found.n and n_measured < _ENOUGH and (others["n_carried"] > 0).any():
            of = f"{n_measured:,} of {int(others['n_obs'].max()):,} sessions"
            parts.append(f"other conventions were measured on {of}, too few to say what they change")
        elif found.n:
            what = "one other convention" if found.n == 1 else f"{found.n} other conventions"
            is_wide = abs(found.widest_percentile - self.percentile) >= _SHOWN
            parts.append(f"{_span(found)} under {what}" + (f", widest: {found.widest}" if is_wide else ""))
        parts += [
            f"{_span(one)} in other {name}"
            for name, one in (("forms", self.forms), ("windows", self.windows))
            if one.n
        ]
        if n_measured >= _ENOUGH and (others["n_carried"] > 0).any():
            row = others.iloc[int(others["n_carried"].to_numpy().argmax())]
            parts.append(
                f"other conventions measured on {row['n_measured']:,} of {row['n_obs']:,} sessions, carried "
                "over by their median difference on the others"
            )
        parts += list(self.without)
        return "; ".join(parts)


def _span(one: Range) -> str:
    low, high = f"{one.low:.1f}", f"{one.high:.1f}"
    return low if low == high else f"{low} to {high}"


def robustness(
    panel: pd.DataFrame,
    variants: Mapping[str, pd.DataFrame],
    *,
    pair: tuple[str, str] = ("QQQ", "IWM"),
    as_of: str | dt.date | None = None,
    words: Mapping[str, str] | None = None,
    form: str = "log_ratio",
    window: str = "full",
    series: str = "",
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "0.25",
    min_observations: int = 252,
    min_coverage: float = 0.90,
) -> Robustness:
    """Rank a pair under every convention, form and window that its readings are there for.

    Parameters
    ----------
    panel : pandas.DataFrame
        The headline's readings, as for `volskew.ranking.rank`.
    variants : mapping of str to pandas.DataFrame
        Panels of the other conventions by name. Days that the headline's panel has not are not looked at; a
        leg that one lacks was not measured.
    pair, as_of, series, measure, tenor, delta, min_observations, min_coverage
        As for `volskew.ranking.rank`.
    words : mapping of str to str, optional
        What the conventions are, by name.
    form, window : str
        The headline's.

    Returns
    -------
    Robustness

    Raises
    ------
    InputError, MissingReadingError, SettingsError
        As for `volskew.ranking.rank`; a convention may not be called "headline".

    Notes
    -----
    Nothing after the as-of day is looked at, for the carrying over neither.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-01", periods=300)
    >>> panel = pd.DataFrame({"QQQ": np.linspace(0.20, 0.25, 300), "IWM": 0.2}, index=days)
    >>> found = robustness(panel, {"spot": panel * 1.01}, words={"spot": "spot delta"})
    >>> round(found.percentile, 1), found.conventions.widest, int(found.table["n_carried"].max())
    (99.8, 'spot delta', 0)
    """
    labels = Labels(check_pair(pair), series, measure, tenor, delta)
    check_choices("form", (form,), FORMS)
    check_choices("window", (window,), tuple(WINDOWS))
    limits = check_limits(
        min_observations=min_observations,
        record_observations=min_observations,
        min_coverage=min_coverage,
    )
    if HEADLINE in variants:
        raise SettingsError(f"a convention cannot be called {HEADLINE!r}: its rows are the panel's")
    legs = legs_of_panel(panel, pair=labels.pair, as_of=parse_day(as_of), errors=None, flags=None)
    there = [np.isfinite(leg) for leg in (legs.a, legs.b)]
    rows = convention_rows(HEADLINE, "", legs, labels, limits, window=window, measured=there)
    for name, other in variants.items():
        found, measured, shifts, flags = _under(legs, other, labels.pair)
        said = (words or {}).get(name, name)
        rows += convention_rows(
            name, said, found, labels, limits, window=window, measured=measured, shifts=shifts, flags=flags
        )
    return _ranges(robustness_table(rows, window), form, window)


def _under(
    legs: Legs, other: pd.DataFrame, pair: tuple[str, str]
) -> tuple[Legs, list[NDArray[np.bool_]], tuple[float, float], set[str]]:
    """The legs under another convention, which days were measured, by what the others were carried over."""
    stamps = pd.DatetimeIndex(legs.days.astype("datetime64[us]"))
    of_panel = pd.DataFrame(np.nan, index=stamps, columns=list(pair))
    if len(other.index):
        # through the same door as the headline, and on its days
        lacking = {leg: np.nan for leg in pair if leg not in other.columns}
        own = legs_of_panel(other.assign(**lacking), pair=pair, as_of=legs.as_of, errors=None, flags=None)
        at = pd.DatetimeIndex(own.days.astype("datetime64[us]"))
        of_panel = pd.DataFrame({pair[0]: own.a, pair[1]: own.b}, index=at).reindex(stamps)
    a, b = (
        carry_over(headline, of_panel[leg].to_numpy(dtype=np.float64))
        for headline, leg in zip((legs.a, legs.b), pair, strict=True)
    )
    flags = set()
    if math.isnan(a.shift) or math.isnan(b.shift):
        flags.add(NO_OVERLAP)
    today = legs.today
    if today is not None:
        has_headline = np.isfinite(legs.a[today]) and np.isfinite(legs.b[today])
        if not (a.is_measured[today] and b.is_measured[today]):
            if has_headline:
                flags.add(NOT_MEASURED)
            # a day that was carried over says nothing that the headline does not
            for leg in (a, b):
                leg.readings[today] = leg.readings[today] if leg.is_measured[today] else np.nan
    return (
        replace(legs, a=a.readings, b=b.readings),
        [a.is_measured, b.is_measured],
        (a.shift, b.shift),
        flags,
    )


def _ranges(table: pd.DataFrame, form: str, window: str) -> Robustness:
    column = f"percentile_{window}"
    own = table["convention"] == HEADLINE
    at_form = table["form"] == form
    headline = table[own & at_form].iloc[0]
    percentile = float(headline[column])
    others = table[~own & at_form]
    by_convention = [
        (words, value) for words, value in zip(others["words"], others[column].tolist(), strict=True)
    ]
    lost = others[others[column].isna()]
    without = [
        f"none under {words} ({flags or 'no percentile'})"
        for words, flags in zip(lost["words"], lost["flags"], strict=True)
    ]
    other_forms = table[own & ~at_form]
    all_values = [
        (f"{row['words'] or 'as the headline'}, {row['form']}, {name}", float(row[f"percentile_{name}"]))
        for row in table.to_dict("records")
        for name in WINDOWS
    ]
    return Robustness(
        table=table,
        percentile=percentile,
        form=form,
        window=window,
        conventions=_range(by_convention, percentile),
        forms=_range(zip(other_forms["form"], other_forms[column].tolist(), strict=True), percentile),
        windows=_range(
            ((name, float(headline[f"percentile_{name}"])) for name in WINDOWS if name != window), percentile
        ),
        everything=_range(all_values, percentile),
        without=() if math.isnan(percentile) else tuple(without),
    )


def _range(choices: Iterable[tuple[str, float]], percentile: float) -> Range:
    """The range over some (words, percentile); nothing is a range without a headline."""
    known = [(words, value) for words, value in choices if math.isfinite(value)]
    if not known or math.isnan(percentile):
        return Range(math.nan, math.nan, 0, "", math.nan)
    widest, value = max(known, key=lambda one: abs(one[1] - percentile))
    values = [value for _, value in known]
    return Range(min(values), max(values), len(values), widest, value)
