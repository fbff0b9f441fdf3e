"""The table of a pair's percentiles under other conventions, and its CSV text."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.ranking.fixed_text import csv_of, decimal_text, form_text, plain_text
from volskew.ranking.forms import FORMS, compare, is_ordered
from volskew.ranking.legs import Labels, Legs
from volskew.ranking.standing import Limits, take_standing
from volskew.ranking.windows import WINDOWS, select_window

__all__ = ["COLUMNS", "HEADLINE", "convention_rows", "robustness_csv", "robustness_table"]

HEADLINE = "headline"
"""Stands where a convention's name does, in the rows of the headline itself."""
CARRIED = "CARRIED"
"""Flag of a convention that has days which were carried over from the headline."""

_LABELS = ("as_of", "series", "pair", "measure", "tenor", "delta", "convention", "words", "form")
_PERCENTILES = tuple(f"percentile_{name}" for name in WINDOWS)
_COUNTS = ("n_obs", "n_measured", "n_carried")
COLUMNS = (
    *_LABELS, "value_a", "value_b", "value", "difference_a", "difference_b", *_PERCENTILES,
    "difference_percentile", *_COUNTS, "shift_a", "shift_b", "flags",
)  # fmt: skip
"""Columns of ``conventions.csv``, in order."""


def convention_rows(
    name: str,
    words: str,
    legs: Legs,
    labels: Labels,
    limits: Limits,
    *,
    window: str,
    measured: Sequence[NDArray[np.bool_]],
    shifts: tuple[float, float] = (math.nan, math.nan),
    flags: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The rows of one convention, one a form.

    Parameters
    ----------
    name, words : str
        Of the convention.
    legs : Legs
        Its readings, those that were carried over included.
    labels : Labels
    limits : Limits
    window : str
        Whose closed gates are told.
    measured : sequence of two ndarrays of bool, shape (n,)
        Days on which each leg was measured.
    shifts : (float, float)
        By which each was carried over; NaN where it was not.
    flags : set of str
        What is to be told beside the gates.
    """
    has_both = np.isfinite(legs.a) & np.isfinite(legs.b)
    today = legs.today
    has_today = today is not None and bool(has_both[today])
    values = {"a": math.nan, "b": math.nan}
    if today is not None:
        values = {"a": float(legs.a[today]), "b": float(legs.b[today])}
    n_obs = int(has_both.sum())
    n_measured = int((has_both & measured[0] & measured[1]).sum())
    said = set(flags) | ({CARRIED} if n_measured < n_obs else set())
    rows: list[dict[str, Any]] = []
    for form in FORMS:
        of_form = compare(form, a=legs.a, b=legs.b)
        ordered = is_ordered(form, b=legs.b, values=of_form)
        row: dict[str, Any] = {
            "as_of": legs.as_of.isoformat(),
            "series": labels.series,
            "pair": "/".join(labels.pair),
            "measure": labels.measure,
            "tenor": labels.tenor,
            "delta": labels.delta,
            "convention": name,
            "words": words,
            "form": form,
            "value_a": values["a"],
            "value_b": values["b"],
            "value": float(of_form[today]) if has_today and today is not None else math.nan,
            "n_obs": n_obs,
            "n_measured": n_measured,
            "n_carried": n_obs - n_measured,
            "shift_a": shifts[0],
            "shift_b": shifts[1],
        }
        gates: set[str] = set()
        for name_of_window in WINDOWS:
            standing = take_standing(
                form,
                values=of_form,
                ordered=ordered,
                days=legs.days,
                window=select_window(has_both, name=name_of_window),
                has_today=has_today,
                limits=limits,
            )
            found = standing.statistics
            row[f"percentile_{name_of_window}"] = math.nan if found is None else found.percentile.mid
            if name_of_window == window:
                gates = {str(flag) for flag in standing.flags}
        row["flags"] = " ".join(sorted(said | gates))
        rows.append(row)
    return rows


def robustness_table(rows: Sequence[Mapping[str, Any]], window: str) -> pd.DataFrame:
    """The rows of several conventions with what each is beside the headline's of its form.

    Parameters
    ----------
    rows : sequence of mapping
        From `convention_rows`, those of `HEADLINE` among them.
    window : str
        The headline's.
    """
    own = {row["form"]: row for row in rows if row["convention"] == HEADLINE}
    full = [
        {
            **row,
            "difference_a": row["value_a"] - own[row["form"]]["value_a"],
            "difference_b": row["value_b"] - own[row["form"]]["value_b"],
            "difference_percentile": row[f"percentile_{window}"] - own[row["form"]][f"percentile_{window}"],
        }
        for row in rows
    ]
    types = dict.fromkeys(COLUMNS, "float64") | dict.fromkeys((*_LABELS, "flags"), "str")
    return pd.DataFrame(full, columns=list(COLUMNS)).astype(types | dict.fromkeys(_COUNTS, "int64"))


_DECIMALS = dict.fromkeys((*_PERCENTILES, "difference_percentile"), 4)


def robustness_csv(table: pd.DataFrame) -> str:
    r"""A table of robustness as CSV text that is the same bytes for the same numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        `Robustness.table`, or several of them one after the other.

    Returns
    -------
    str
        Percentiles with 4 decimals, ratios and log ratios with 8, all else with 6; missing empty, "\n" line
        ends.
    """
    cells: dict[str, list[str]] = {}
    for name in COLUMNS:
        column = table[name]
        if name in _LABELS or name in _COUNTS or name == "flags":
            cells[name] = plain_text(column)
        elif name == "value":
            cells[name] = form_text(column, forms=table["form"].tolist())
        else:
            cells[name] = decimal_text(column, decimals=_DECIMALS.get(name, 6))
    return csv_of(cells)
