"""Columns as text with fixed decimals: the same bytes for the same numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["csv_of", "dates_text", "decimal_text", "form_text", "plain_text"]


def decimal_text(values: Iterable[float], *, decimals: int) -> list[str]:
    """Numbers with fixed decimals, NaN as an empty cell; what rounds to zero has no sign.

    Parameters
    ----------
    values : iterable of float
        The numbers.
    decimals : int
        Digits after the point.

    Examples
    --------
    >>> decimal_text([1.005, -0.001, float("nan")], decimals=2)
    ['1.00', '0.00', '']
    """
    zero = f"{-0.0:.{decimals}f}"
    return [
        "" if value != value else zero[1:] if (text := f"{value:.{decimals}f}") == zero else text  # noqa: PLR0124
        for value in np.asarray(values, dtype=np.float64).tolist()
    ]


def form_text(values: Iterable[float], *, forms: Sequence[str]) -> list[str]:
    """Numbers in a form's unit: spreads with 6 decimals, ratios and their logs with 8.

    Parameters
    ----------
    values : iterable of float, length n
        The numbers.
    forms : sequence of str, length n
        The form of each.
    """
    short, long = (decimal_text(values, decimals=decimals) for decimals in (6, 8))
    return [short[row] if form == "spread" else long[row] for row, form in enumerate(forms)]


def dates_text(column: pd.Series) -> list[str]:
    """Days as ISO text, missing ones as empty cells."""
    days: NDArray[np.datetime64] = column.to_numpy().astype("datetime64[D]")
    return ["" if text == "NaT" else text for text in np.datetime_as_string(days).tolist()]


def plain_text(column: pd.Series) -> list[str]:
    """Text and whole numbers as they are, missing ones as empty cells."""
    cells = zip(column.isna().tolist(), column.tolist(), strict=True)
    return ["" if missing else str(cell) for missing, cell in cells]


def csv_of(columns: dict[str, list[str]]) -> str:
    r"""Columns of cells as CSV text with "\n" line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()
