"""A pair's log ratio split into level and shape, exactly, and each part ranked among the same sessions.

With a reading ``w`` and a reference ``l`` ("level") of each leg, and ``w / l`` the leg's shape:

    ln(w_a / w_b) = ln(l_a / l_b)  +  ln((w_a / l_a) / (w_b / l_b))
        total     =     level      +             shape

Every part is the log ratio of a pair of numbers, so that each goes through the ranking as any pair does, with
the same windows, gates, records and bands. The sessions are those that have all four readings.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.files import write_whole
from volskew.ranking.arguments import check_labels, check_pair, parse_day
from volskew.ranking.checks import check_beside, check_table
from volskew.ranking.legs import Legs, is_real, legs_of_panel
from volskew.ranking.places import Place, side_of
from volskew.ranking.ranking import Ranking, rank
from volskew.ranking.standing import Flag
from volskew.ranking.table import COLUMNS, rankings_csv
from volskew.ranking.verdict import describe_reading
from volskew.ranking.windows import WINDOWS

__all__ = ["COMPONENT_COLUMNS", "Decomposition", "decompose", "decomposition_csv"]

TOTAL, LEVEL = "total", "level"
_LOG_RATIO = "log_ratio"

_LINE = ("slope", "intercept", "residual_z")
COMPONENT_COLUMNS: tuple[str, ...] = ("component", *COLUMNS)
"""Columns of a decomposition's table: those of ``rankings.csv`` after the name of the component. Its CSV has
the line of `volskew.ranking.beta_adjust` after them, where a component comes from one."""


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """A pair's log ratio, its level and its shape against their own history.

    Attributes
    ----------
    table : pandas.DataFrame
        `COMPONENT_COLUMNS`: a row for each component (total, level, shape) and window. ``value`` is a log
        ratio: those of level and shape add up to that of the total within 2e-11, for each is the logarithm
        of a ratio kept to twelve digits (see `volskew.ranking.forms`).
    series : pandas.DataFrame
        The three log ratios on every session up to the as-of day, NaN where a reading is missing.
    rankings : Mapping of str to Ranking
        By component; of the shape the legs are the ratios of reading to reference.
    sentence : str
        Which of the parts is low or high.
    pair : (str, str)
    as_of : datetime.date
    """

    table: pd.DataFrame = field(repr=False)
    series: pd.DataFrame = field(repr=False)
    rankings: Mapping[str, Ranking] = field(repr=False)
    sentence: str
    pair: tuple[str, str]
    as_of: dt.date

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as CSV, whole or not at all; see `decomposition_csv`.

        Raises
        ------
        StoreError
            The file cannot be written.
        """
        return write_whole(path, decomposition_csv(self.table))


def decompose(
    whole: pd.DataFrame,
    level: pd.DataFrame,
    *,
    pair: tuple[str, str] = ("QQQ", "IWM"),
    as_of: str | dt.date | None = None,
    windows: Sequence[str] = tuple(WINDOWS),
    errors: pd.DataFrame | None = None,
    level_errors: pd.DataFrame | None = None,
    shape_errors: pd.DataFrame | None = None,
    flags: pd.DataFrame | None = None,
    level_flags: pd.DataFrame | None = None,
    series: str = "",
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "0.25",
    level_delta: str = "0.5",
    shape: str = "skew",
    min_observations: int = 252,
    record_observations: int = 504,
    min_coverage: float = 0.90,
) -> Decomposition:
    """Split the log ratio of a pair into level and shape, and rank all three.

    Parameters
    ----------
    whole, level : pandas.DataFrame
        Readings and references, as `volskew.ranking.rank` takes a panel: a row a session, a column a symbol,
        NaN where there is none. Sessions of either count, for coverage too.
    pair : (str, str)
        Columns of both panels; the ratio is first over second.
    as_of : str or datetime.date, optional
        By default the last session with any reading of either leg.
    windows : sequence of {"full", "5y", "2y", "1y"}
        The first is that of the sentence.
    errors, level_errors : pandas.DataFrame, optional
        Standard errors of the readings, in their unit. By default those in ``attrs`` of the panels.
    shape_errors : pandas.DataFrame, optional
        Standard errors of ``ln(reading / reference)``. Both are read from one smile, so these do not follow
        from theirs: without them no error of the shape is claimed.
    flags, level_flags : pandas.DataFrame, optional
        As `rank` takes them; the shape has those of both.
    series, measure, tenor, delta : str
        What the readings are, for table and wording.
    level_delta : str
        Delta of the references.
    shape : str
        Name of the third component, and its `measure`.
    min_observations, record_observations, min_coverage
        As for `rank`.

    Returns
    -------
    Decomposition

    Raises
    ------
    InputError
        A table that is none, a panel that cannot be ranked, or a reading at or below zero on or before the
        as-of day.
    MissingReadingError
        A panel has no session.
    SettingsError
        A pair, window, limit or date that is not accepted.

    Notes
    -----
    Nothing after the as-of day is looked at.

    Examples
    --------
    The first leg loses a fifth of its level, and its smile gains a little of that back:

    >>> days = pd.bdate_range("2024-01-01", periods=300)
    >>> level = pd.DataFrame({"QQQ": np.linspace(0.25, 0.20, 300), "IWM": 0.2}, index=days)
    >>> found = decompose(level * np.linspace([0.9, 0.9], [0.95, 0.9], 300), level)
    >>> found.table.loc[found.table["window"] == "full", ["component", "value"]].round(4).to_dict("list")
    {'component': ['total', 'level', 'skew'], 'value': [0.0541, 0.0, 0.0541]}
    >>> found.sentence
    'QQQ/IWM low is level (percentile 0.2) rather than call skew (percentile 99.8).'
    """
    pair = check_pair(pair)
    day = parse_day(as_of)
    check_labels(
        series=series, measure=measure, tenor=tenor, delta=delta, level_delta=level_delta, shape=shape
    )
    check_table("whole", whole)
    check_table("level", level)
    beside = {
        "errors": errors,
        "level_errors": level_errors,
        "shape_errors": shape_errors,
        "flags": flags,
        "level_flags": level_flags,
    }
    for name, table in beside.items():
        check_beside(name, table, pair, accepted="a pandas DataFrame, labelled as the panels")
    if day is None:
        day = max(_cut(panel, pair, None).as_of for panel in (whole, level))
    legs = {TOTAL: _cut(whole, pair, day), LEVEL: _cut(level, pair, day)}
    days = np.union1d(legs[TOTAL].days, legs[LEVEL].days)
    index = pd.DatetimeIndex(days.astype("datetime64[us]"), name="date")
    total, reference = (_positive(legs[name], pair, name).reindex(index) for name in (TOTAL, LEVEL))
    is_there = total.notna() & reference.notna()
    shapes = total / reference
    panels = {TOTAL: total.where(is_there), LEVEL: reference.where(is_there), shape: shapes}
    kept_errors = {
        TOTAL: whole.attrs.get("errors") if errors is None else errors,
        LEVEL: level.attrs.get("errors") if level_errors is None else level_errors,
        shape: _in_unit(shape_errors, shapes),
    }
    kept_flags = {
        TOTAL: whole.attrs.get("flags") if flags is None else flags,
        LEVEL: level.attrs.get("flags") if level_flags is None else level_flags,
    }
    kept_flags[shape] = _joined(kept_flags[TOTAL], kept_flags[LEVEL], pair=pair, index=index)
    labels = {TOTAL: (measure, delta), LEVEL: (measure, level_delta), shape: (shape, delta)}
    rankings = {
        name: rank(
            panel,
            pair=pair,
            as_of=day,
            forms=(_LOG_RATIO,),
            windows=windows,
            errors=kept_errors[name],
            flags=kept_flags[name],
            series=series,
            measure=labels[name][0],
            tenor=tenor,
            delta=labels[name][1],
            min_observations=min_observations,
            record_observations=record_observations,
            min_coverage=min_coverage,
        )
        for name, panel in panels.items()
    }
    parts = [ranking.table.assign(component=name) for name, ranking in rankings.items()]
    components = pd.concat(parts, ignore_index=True)[list(COMPONENT_COLUMNS)].astype({"component": "str"})
    words = {LEVEL: LEVEL, shape: _named(shape, delta)}
    return Decomposition(
        table=components,
        series=pd.DataFrame({name: ranking.series[_LOG_RATIO] for name, ranking in rankings.items()}),
        rankings=rankings,
        sentence=_sentence(rankings, pair=pair, words=words),
        pair=pair,
        as_of=day,
    )


def decomposition_csv(table: pd.DataFrame) -> str:
    """The table of a decomposition as CSV text: `volskew.ranking.rankings_csv` with the component in front.

    Parameters
    ----------
    table : pandas.DataFrame
        `Decomposition.table`, or several of them one after the other.

    Returns
    -------
    str
        Log ratios with 8 decimals, each rounded by itself: level and shape add up within 1e-8. ``slope``,
        ``intercept`` and ``residual_z`` follow with 6, empty but for beta-adjusted rows.
    """
    rows = list(csv.reader(io.StringIO(rankings_csv(table))))
    names = ["component", *table["component"]]
    lines = [list(_LINE)]
    lines += [
        ["" if math.isnan(cell) else f"{cell:.6f}" for cell in row]
        for row in table.reindex(columns=list(_LINE)).to_numpy(dtype=np.float64).tolist()
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([name, *row, *line] for name, row, line in zip(names, rows, lines, strict=True))
    return out.getvalue()


def _cut(panel: pd.DataFrame, pair: tuple[str, str], as_of: dt.date | None) -> Legs:
    return legs_of_panel(panel, pair=pair, as_of=as_of, errors=None, flags=None)


def _positive(legs: Legs, pair: tuple[str, str], name: str) -> pd.DataFrame:
    """The legs as a panel; every reading of them has a logarithm."""
    for leg, values in zip(pair, (legs.a, legs.b), strict=True):
        if (bad := np.flatnonzero(values <= 0)).size:
            what = "reading" if name == TOTAL else "reference"
            problem = f"a {what} at or below zero on {legs.days[bad[0]]}, which has no log ratio"
            raise InputError(
                problem, column=leg, value=float(values[bad[0]]), accepted="a positive number, or NaN"
            )
    index = pd.DatetimeIndex(legs.days.astype("datetime64[us]"))
    return pd.DataFrame(dict(zip(pair, (legs.a, legs.b), strict=True)), index=index)


def _in_unit(errors: pd.DataFrame | None, shapes: pd.DataFrame) -> pd.DataFrame | None:
    """Errors of shapes from those of their logarithms."""
    if errors is None:
        return None
    own = errors.reindex(index=shapes.index, columns=shapes.columns)
    for leg in own.columns:
        if not is_real(own[leg].dtype):
            problem = "shape_errors is not a table of numbers"
            raise InputError(problem, column=str(leg), value=str(own[leg].dtype), accepted="floats")
    return shapes * own


def _joined(
    *given: pd.DataFrame | None, pair: tuple[str, str], index: pd.DatetimeIndex
) -> pd.DataFrame | None:
    """Flags of several panels together; None where none has any."""
    there = [flags.reindex(index=index, columns=list(pair)) for flags in given if flags is not None]
    if not there:
        return None
    rows = [flags.astype("object").to_numpy().tolist() for flags in there]
    joined = [
        [" ".join(cell for cell in cells if isinstance(cell, str)) for cells in zip(*days, strict=True)]
        for days in zip(*rows, strict=True)
    ]
    return pd.DataFrame(joined, index=index, columns=list(pair), dtype="str")


def _named(shape: str, delta: str) -> str:
    """The shape as a trader says it: ``call skew``, ``put skew``."""
    first, _, rest = describe_reading(shape, "-", delta).partition(" ")
    return rest if first.endswith("-delta") and rest else shape.replace("_", " ")


def _sentence(rankings: Mapping[str, Ranking], *, pair: tuple[str, str], words: Mapping[str, str]) -> str:
    """Which part is low or high, by the percentiles of the first window."""
    first = {name: ranking.table.iloc[0] for name, ranking in rankings.items()}
    total, name = first[TOTAL], "/".join(pair)
    parts = [(words[part], float(first[part]["percentile"])) for part in words]
    if math.isnan(float(total["value"])):
        return f"{name} is not split into {' and '.join(words.values())}: {rankings[TOTAL].verdict}"
    if math.isnan(float(total["percentile"])) or any(math.isnan(percentile) for _, percentile in parts):
        values = " and ".join(f"{text} {_signed(first[part]['value'])}" for part, text in words.items())
        gates = {str(flag) for row in first.values() for flag in str(row["flags"]).split()} & set(Flag)
        reasons = " ".join(sorted(gates)) or "no percentile"
        if Flag.SHORT_HISTORY in gates:
            n_obs = int(total["n_obs"])
            reasons = (
                f"{n_obs:,} session{'' if n_obs == 1 else 's'} with all four readings: too few to rank them"
            )
        return f"{name} log ratio {_signed(total['value'])} is {values} ({reasons})."
    side = side_of(float(total["percentile"]))
    shown = [f"{text} (percentile {_percentile(percentile)})" for text, percentile in parts]
    sides = [side_of(percentile) for _, percentile in parts]
    if side is not Place.MIDDLE:
        alike = [text for text, own in zip(shown, sides, strict=True) if own is side]
        others = [text for text, own in zip(shown, sides, strict=True) if own is not side]
        if not others:
            return f"{name} {side} is both {' and '.join(alike)}."
        if not alike:
            return f"{name} {side} is neither {' nor '.join(others)} by itself, but both together."
        return f"{name} {side} is {alike[0]} rather than {others[0]}."
    where = f"{name} is in the middle of its range (percentile {_percentile(float(total['percentile']))})"
    told = [text if own is Place.MIDDLE else f"{own} {text}" for text, own in zip(shown, sides, strict=True)]
    offset = {Place.LOW, Place.HIGH} == set(sides)
    return f"{where}: {' and '.join(told)}{' offset each other' if offset else ''}."


def _percentile(percentile: float) -> str:
    """As few decimals as keep the number on its side of the words' limits."""
    for decimals in range(1, 4):
        shown = f"{percentile:.{decimals}f}"
        if side_of(float(shown)) is side_of(percentile):
            break
    return shown.removesuffix(".0")


def _signed(value: float) -> str:
    return f"{value:+.4f}"
