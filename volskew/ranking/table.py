"""The table of a ranking, one row per form and window, and its CSV text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from volskew.ranking.fixed_text import csv_of, decimal_text, form_text, plain_text
from volskew.ranking.legs import Labels, Legs
from volskew.ranking.standing import Standing

__all__ = ["COLUMNS", "build_table", "rankings_csv", "table_row"]

COLUMNS: tuple[str, ...] = tuple(
    """as_of,series,pair,measure,tenor,delta,form,window,value_a,error_a,value_b,error_b,value,error,percentile,
percentile_strict,percentile_weak,measurement_low,measurement_high,sampling_low,sampling_high,p_record,p_low5,
p_high5,executable_value,executable_percentile,iv_rank,rank,n_obs,n_effective,coverage,z_score,robust_z,
record_low,record_low_date,record_high,record_high_date,sessions_since_as_low,sessions_since_as_high,first_date,
verdict,flags""".replace("\n", "").split(",")
)
"""Columns of ``rankings.csv``, in order."""

_TEXT = {
    *("as_of", "series", "pair", "measure", "tenor", "delta", "form", "window", "verdict", "flags"),
    *("record_low_date", "record_high_date", "first_date"),
}
_WHOLE = {"n_obs", "sessions_since_as_low", "sessions_since_as_high"}
_FORM_UNIT = {"value", "error", "executable_value", "record_low", "record_high"}
_DECIMALS = {"value_a": 6, "error_a": 6, "value_b": 6, "error_b": 6, "rank": 1, "n_effective": 1}


def table_row(
    standing: Standing, *, legs: Legs, labels: Labels, values: tuple[float, float], verdict: str
) -> dict[str, Any]:
    """One row of the table.

    Parameters
    ----------
    standing : Standing
        One form in one window.
    legs : Legs
        The readings behind it.
    labels : Labels
        What they are.
    values : (float, float)
        The legs on the ranked day, NaN where missing.
    verdict : str
        The row in words.
    """
    window, statistics = standing.window, standing.statistics
    error_a, error_b = (math.nan if legs.today is None else float(error[legs.today]) for error in legs.errors)
    flags = {*standing.flags, *legs.flags}
    if legs.spliced is not None and legs.spliced[window.positions].any():
        flags.add("SPLICED")
    row: dict[str, Any] = {
        "as_of": legs.as_of.isoformat(),
        "series": labels.series,
        "pair": "/".join(labels.pair),
        "measure": labels.measure,
        "tenor": labels.tenor,
        "delta": labels.delta,
        "form": standing.form,
        "window": window.name,
        "value_a": values[0],
        "error_a": error_a,
        "value_b": values[1],
        "error_b": error_b,
        "value": standing.value,
        "error": standing.error,
        "n_obs": window.n_obs,
        "coverage": window.coverage,
        "first_date": standing.first_date and standing.first_date.isoformat(),
        "verdict": verdict,
        "flags": " ".join(sorted(flags)),
    }
    if statistics is not None:
        percentile, records = statistics.percentile, statistics.records
        row |= {
            "percentile": percentile.mid,
            "percentile_strict": percentile.strict,
            "percentile_weak": percentile.weak,
            "rank": percentile.rank,
            "iv_rank": statistics.range_position,
            "z_score": statistics.z_score,
            "robust_z": statistics.robust_z,
            "record_low": records.low,
            "record_low_date": statistics.low_date.isoformat(),
            "record_high": records.high,
            "record_high_date": statistics.high_date.isoformat(),
            "sessions_since_as_low": statistics.sessions_since_as_low,
            "sessions_since_as_high": statistics.sessions_since_as_high,
        }
        if (measured := statistics.measurement) is not None:
            row |= {
                "measurement_low": measured.low,
                "measurement_high": measured.high,
                "p_record": measured.p_record,
                "p_low5": measured.p_low5,
                "p_high5": measured.p_high5,
            }
        if (sampled := statistics.sampling) is not None:
            row |= {
                "sampling_low": sampled.low,
                "sampling_high": sampled.high,
                "n_effective": sampled.n_effective,
            }
    return row


def build_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table from its rows; a column has the same type whatever is missing from it.

    Parameters
    ----------
    rows : sequence of mapping
        From `table_row`.
    """
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        cells = [row.get(name) for row in rows]
        if name in _TEXT:
            columns[name] = pd.array(cells, dtype="str")
        elif name in _WHOLE:
            columns[name] = pd.array(cells, dtype="Int64")
        else:
            columns[name] = [math.nan if cell is None else float(cell) for cell in cells]
    return pd.DataFrame(columns)


def rankings_csv(table: pd.DataFrame) -> str:
    r"""A table of rankings as CSV text that is the same bytes for the same numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        `Ranking.table`, or several of them one after the other.

    Returns
    -------
    str
        Legs, spreads and their errors with 6 decimals, ratios and log ratios with 8, percentiles and their
        bands, probabilities, iv_rank, z-scores and coverage with 4, ranks and n_effective with 1; dates ISO,
        missing empty, "\n" line ends.
    """
    forms = table["form"].tolist()
    cells: dict[str, list[str]] = {}
    for name in COLUMNS:
        column = table[name]
        if name in _TEXT or name in _WHOLE:
            cells[name] = plain_text(column)
        elif name in _FORM_UNIT:
            cells[name] = form_text(column, forms=forms)
        else:
            cells[name] = decimal_text(column, decimals=_DECIMALS.get(name, 4))
    return csv_of(cells)
