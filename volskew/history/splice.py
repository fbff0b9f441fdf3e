"""Put an imported history ahead of solved days: explicit, measured, and flagged in every imported row.

Two sources of one vol differ by a basis: other quotes, another minute, another smile. Over the days that both
have it is measured as the median of ln(solved / imported); it is applied only when asked for.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.history.columns import COLUMNS
from volskew.ledger import Code, Entry, Stage

__all__ = ["BASIS_COLUMNS", "SPLICED", "splice_entries", "splice_rows"]

SPLICED: Final = "SPLICED"
"""The row was taken from an imported series."""
NO_OVERLAP: Final = "NO_OVERLAP"
"""No day has both an imported and a solved reading, so the basis is unknown."""
BASIS_ADJUSTED: Final = "BASIS_ADJUSTED"
"""The imported value was multiplied by exp(basis)."""

BASIS_COLUMNS: Final = (
    "symbol",
    "measure",
    "tenor",
    "delta",
    "basis",
    "basis_error",
    "n_overlap",
    "first_overlap",
    "last_overlap",
    "n_imported",
    "first_imported",
    "last_imported",
    "n_solved",
    "first_solved",
    "adjusted",
)
"""``basis`` is the median of ln(solved / imported), ``basis_error`` one robust standard error of it."""

_GROUP: Final = ["symbol", "measure", "tenor", "delta"]
# standard error of a median over that of a mean, and of a deviation over its median, both for a normal law
_MEDIAN_EFFICIENCY: Final = 1.2533141373155003
_NORMAL_MAD: Final = 1.4826022185056018


def splice_rows(
    imported: pd.DataFrame, solved: pd.DataFrame, *, into: str, adjust: bool, fill_gaps: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a spliced series, and the basis between its two sources.

    Parameters
    ----------
    imported, solved : pandas.DataFrame
        Conformed readings, at most one for each date, symbol, measure, tenor and delta.
    into : str
        Name of the series that the rows belong to.
    adjust : bool
        Multiply imported values and errors by exp(basis).
    fill_gaps : bool
        Take imported days after the first solved day as well, where no solved reading exists.

    Returns
    -------
    rows : pandas.DataFrame
        `COLUMNS`: every solved row, and imported ones on days without; the latter flagged.
    basis : pandas.DataFrame
        `BASIS_COLUMNS`, sorted. NaN where no day has both; the error is NaN under two such days. It takes
        the days as independent, which they are not quite.
    """
    taken: list[pd.DataFrame] = [solved]
    basis_rows: list[dict[str, object]] = []
    groups = sorted(
        {key for frame in (imported, solved) for key in frame[_GROUP].itertuples(index=False, name=None)}
    )
    imported_groups = _groups(imported)
    solved_groups = _groups(solved)
    for group in groups:
        old = imported_groups.get(group, imported.iloc[:0])
        new = solved_groups.get(group, solved.iloc[:0])
        both = old.merge(new, on="date", suffixes=("_imported", "_solved"))
        both = both[(both["value_imported"] > 0.0) & (both["value_solved"] > 0.0)]
        basis, error = _basis(
            both["value_imported"].to_numpy(dtype=np.float64), both["value_solved"].to_numpy(dtype=np.float64)
        )
        rows = old[~old["date"].isin(new["date"])]
        if not fill_gaps and len(new.index):
            rows = rows[rows["date"] < new["date"].min()]
        is_adjusted = adjust and len(both.index) > 0
        added = [
            SPLICED,
            *([] if len(both.index) else [NO_OVERLAP]),
            *([BASIS_ADJUSTED] if is_adjusted else []),
        ]
        rows = rows.assign(flags=_with_flags(rows["flags"], added))
        if is_adjusted:
            latest = max(both["known_at_imported"].max(), both["known_at_solved"].max())
            rows = rows.assign(
                value=rows["value"] * np.exp(basis),
                error=rows["error"] * np.exp(basis),
                # nobody knew the basis before the last day that it was measured on
                known_at=rows["known_at"].where(rows["known_at"] > latest, latest),
            )
        taken.append(rows)
        basis_rows.append(
            {
                **dict(zip(_GROUP, group, strict=True)),
                "basis": basis,
                "basis_error": error,
                "n_overlap": len(both.index),
                "first_overlap": _first(both["date"]),
                "last_overlap": _last(both["date"]),
                "n_imported": len(rows.index),
                "first_imported": _first(rows["date"]),
                "last_imported": _last(rows["date"]),
                "n_solved": len(new.index),
                "first_solved": _first(new["date"]),
                "adjusted": is_adjusted,
            }
        )
    parts = [part for part in taken if len(part.index)]
    result = pd.concat(parts, ignore_index=True) if parts else solved.iloc[:0]
    return result.assign(series=into)[list(COLUMNS)], pd.DataFrame(basis_rows, columns=list(BASIS_COLUMNS))


def splice_entries(basis: pd.DataFrame, *, imported: str, solved: str, into: str) -> tuple[Entry, ...]:
    """The ledger entries of a splice: for each symbol, what was taken and on what basis."""
    entries = []
    for row in basis.to_dict("records"):
        if not row["n_imported"]:
            continue
        what = f"{row['measure']} {row['tenor']} {row['delta']}"
        days = "day" if row["n_imported"] == 1 else "days"
        detail = (
            f"{row['n_imported']:,} {days} of {what} from series {imported!r} "
            f"({row['first_imported']} to {row['last_imported']}) "
            f"put ahead of {row['n_solved']:,} of series {solved!r}; "
        )
        if not row["n_overlap"]:
            detail += "no day has both, so the basis is unknown and nothing was adjusted"
        else:
            size = f"{row['basis']:+.4f}"
            if row["basis_error"] == row["basis_error"]:  # not NaN
                size += f" +- {row['basis_error']:.4f}"
            detail += (
                f"basis ln(solved/imported) {size} over {row['n_overlap']} common "
                f"{'day' if row['n_overlap'] == 1 else 'days'}, "
                f"{'applied to the imported days' if row['adjusted'] else 'not applied'}"
            )
        entries.append(
            Entry(
                None,
                str(row["symbol"]),
                str(Stage.HISTORY),
                str(Code.SPLICED),
                int(row["n_imported"]),
                detail,
                into,
            )
        )
    return tuple(entries)


def _basis(imported: npt.NDArray[np.float64], solved: npt.NDArray[np.float64]) -> tuple[float, float]:
    if not len(imported):
        return float("nan"), float("nan")
    logs = np.log(solved / imported)
    basis = float(np.median(logs))
    if len(logs) < 2:
        return round(basis, 8), float("nan")
    spread = float(np.median(np.abs(logs - basis)))
    error = _MEDIAN_EFFICIENCY * _NORMAL_MAD * spread / np.sqrt(len(logs))
    return round(basis, 8), round(float(error), 8)


def _groups(frame: pd.DataFrame) -> dict[tuple[str, ...], pd.DataFrame]:
    return {tuple(map(str, key)): rows for key, rows in frame.groupby(_GROUP, sort=True)}


def _with_flags(flags: pd.Series, added: list[str]) -> list[str]:
    return [" ".join(sorted({*text.split(), *added})) for text in flags]


def _first(dates: pd.Series) -> str:
    return str(dates.min()) if len(dates) else ""


def _last(dates: pd.Series) -> str:
    return str(dates.max()) if len(dates) else ""
