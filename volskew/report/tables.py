"""CSV text with fixed decimals: the same table gives the same bytes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from volskew.errors import SettingsError, StoreError
from volskew.files import write_whole
from volskew.history.columns import conform
from volskew.history.interchange import csv_text
from volskew.ledger import Code, Ledger, Stage
from volskew.ranking import decomposition_csv, episodes_csv, rank_history_csv, rankings_csv, robustness_csv
from volskew.workflow import MeasureResult, PairStudy, RankResult, SeriesStudy

__all__ = [
    "VOL_DECIMALS",
    "draw_charts",
    "ledger_notes",
    "measures_text",
    "table_text",
    "write_measures",
    "write_outputs",
    "write_series",
]

_DECIMALS = {
    "strike": 4,
    "strike_low": 4,
    "strike_high": 4,
    "bid": 4,
    "ask": 4,
    "last": 4,
    "underlying_price": 4,
    "forward": 6,
    "forward_error": 6,
    "discount_factor": 8,
    "early_exercise_premium": 6,
    "spot": 4,
    "dividends": 6,
    "implied_dividends": 6,
}
"""Decimals by column; every other float column has eight."""
VOL_DECIMALS = {name: decimals for name, decimals in _DECIMALS.items() if name not in {"bid", "ask"}}
"""The same for tables in which bid and ask are vols."""


def table_text(frame: pd.DataFrame, *, decimals: Mapping[str, int] = _DECIMALS) -> str:
    """A table as CSV text: UTC times and dates ISO, floats with fixed decimals, missing empty, LF line ends.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table of volskew.
    decimals : mapping of str to int
        Decimals by column; every other float column has eight.
    """
    out = frame.copy()
    for name in out.columns:
        column = out[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            out[name] = column.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif pd.api.types.is_datetime64_dtype(column.dtype):
            out[name] = column.dt.strftime("%Y-%m-%d")
        elif pd.api.types.is_bool_dtype(column.dtype):
            out[name] = column.astype("string").str.lower()
        elif pd.api.types.is_float_dtype(column.dtype):
            out[name] = [_number(value, decimals.get(str(name), 8)) for value in column.to_numpy(dtype=float)]
    return str(out.to_csv(index=False, lineterminator="\n"))


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return ""
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def ledger_notes(ledger: Ledger) -> str:
    """The entries that speak of days and readings, one a line.

    Files that failed are complained of as they are met; single lines and expiries that merely failed a
    gate are in the ledger alone.
    """
    told = {Stage.SESSION, Stage.MARKET, Stage.TENOR, Stage.HISTORY}
    lines = []
    for entry in ledger:
        if entry.stage not in told or entry.code not in Code.__members__:
            continue
        where = " ".join(str(part) for part in (entry.date, entry.symbol) if part)
        text = entry.detail or Code[entry.code].meaning
        lines.append(": ".join(part for part in (where, entry.code, text) if part))
    return "".join(f"{line}\n" for line in lines)


def measures_text(result: MeasureResult) -> str:
    """The readings as CSV text, the columns of ``history.csv``."""
    return csv_text(conform(result.readings))


def write_measures(result: MeasureResult, out: str | os.PathLike[str]) -> list[Path]:
    """Write measures.csv and ledger.csv into a folder."""
    folder = Path(out)
    return [
        write_whole(folder / "measures.csv", measures_text(result)),
        write_whole(folder / "ledger.csv", table_text(result.ledger.to_frame())),
    ]


def write_outputs(result: RankResult, out: str | os.PathLike[str]) -> list[Path]:
    """Write rankings.csv, what belongs to it, history.csv and ledger.csv into a folder.

    Parameters
    ----------
    result : RankResult
        What `volskew.workflow.rank_files` returned.
    out : path-like
        The folder; made where it is missing.

    Returns
    -------
    list of pathlib.Path
        The files, in the order written.
    """
    folder = Path(out)
    return [
        write_whole(folder / "rankings.csv", rankings_csv(result.table)),
        write_whole(folder / "percentiles.csv", rank_history_csv(result.percentiles)),
        write_whole(folder / "episodes.csv", episodes_csv(result.episodes)),
        write_whole(folder / "decomposition.csv", decomposition_csv(result.decomposition)),
        write_whole(folder / "conventions.csv", robustness_csv(result.conventions)),
        write_whole(folder / "history.csv", csv_text(result.history)),
        write_whole(folder / "ledger.csv", table_text(result.ledger.to_frame())),
    ]


def write_series(study: SeriesStudy, out: str | os.PathLike[str]) -> list[Path]:
    """Write rankings.csv, percentiles.csv and episodes.csv of two columns into a folder."""
    folder = Path(out)
    return [
        write_whole(folder / "rankings.csv", rankings_csv(study.ranking.table)),
        write_whole(folder / "percentiles.csv", rank_history_csv(study.percentiles)),
        write_whole(folder / "episodes.csv", episodes_csv(study.episodes)),
    ]


def draw_charts(
    studies: Iterable[PairStudy | SeriesStudy], out: str | os.PathLike[str]
) -> tuple[list[Path], list[str]]:
    """Draw each pair; a chart that cannot be drawn costs a sentence, not the run.

    Returns
    -------
    tuple of (list of pathlib.Path, list of str)
        The files, and what went wrong.
    """
    from volskew.report.chart import draw_pair  # noqa: PLC0415 - matplotlib takes half a second

    files: list[Path] = []
    trouble: list[str] = []
    for study in studies:
        ranking = study.ranking
        try:
            drawn = draw_pair(ranking, out, episodes=study.episodes)
        except (OSError, SettingsError, StoreError) as error:
            trouble.append(f"The chart of {'/'.join(ranking.pair)} could not be drawn: {error}")
            continue
        if drawn is not None:
            files.append(drawn)
    return files, trouble
