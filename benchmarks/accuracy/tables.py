"""Readings beside the truth, and what their errors amount to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

LEGS = ("25c", "atm", "25p", "rr")
FORWARDS = ("forward_before", "forward_after")
SPREAD = "spread_25c"
MEASURES = (*LEGS, SPREAD, *FORWARDS)

SPREAD_SYMBOL = "QQQ-IWM"
CHAIN = ["scenario", "symbol", "seed", "day"]
"""What names a chain."""

INTERVAL = 1.645
"""Standard errors on either side of a 90 % interval."""
BEYOND = 3.0
"""Standard errors that a reading without a flag is not to be off by."""


def with_spreads(rows: pd.DataFrame) -> pd.DataFrame:
    """Beside the legs their spread, QQQ less IWM of one scenario, seed and day; errors in quadrature."""
    index = ["method", "scenario", "seed", "day", "date", "family"]
    legs = rows[rows["measure"] == "25c"].set_index(index)
    one, other = (legs[legs["symbol"] == symbol] for symbol in SPREAD_SYMBOL.split("-"))
    both = one.merge(other, how="inner", left_index=True, right_index=True, suffixes=("_a", "_b"))
    spread = pd.DataFrame(
        {
            "symbol": SPREAD_SYMBOL,
            "measure": SPREAD,
            "value": both["value_a"] - both["value_b"],
            "truth": both["truth_a"] - both["truth_b"],
            "error": np.hypot(both["error_a"], both["error_b"]),
            "flags": _together(both["flags_a"], both["flags_b"]),
            "code": _together(both["code_a"], both["code_b"]),
            "seconds": both["seconds_a"] + both["seconds_b"],
        },
        index=both.index,
    ).reset_index()
    return pd.concat([rows, spread[rows.columns]], ignore_index=True)


def _together(one: pd.Series, other: pd.Series) -> list[str]:
    return [
        " ".join(sorted({*first.split(), *second.split()})) for first, second in zip(one, other, strict=True)
    ]


def basis_points(rows: pd.DataFrame) -> pd.DataFrame:
    """With ``miss`` and ``stated``: error and standard error in vol basis points, of a forward in its own."""
    unit = np.where(rows["measure"].isin(FORWARDS), rows["truth"], 1.0) / 1e4
    return rows.assign(miss=(rows["value"] - rows["truth"]) / unit, stated=rows["error"] / unit)


def summary(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """What the errors of each group amount to, groups in the order in which they come.

    Parameters
    ----------
    rows
        Of `basis_points`.
    by
        Columns that make the groups.

    Returns
    -------
    pandas.DataFrame
        ``asked``, ``unread`` (counts); of what was read ``bias, median, p95, worst`` (bp, the last three
        without sign) and ``flagged`` (share with any flag); of what has a standard error ``known`` (how
        many), ``stated`` (its median), ``coverage`` (share of 90 % intervals that hold the truth) and
        ``beyond`` (share that is off by more than 3 standard errors and has no flag); ``seconds`` (median).
    """
    found = {key: _summary(group) for key, group in rows.groupby(list(by), sort=False)}
    result = pd.DataFrame(list(found.values()))
    if found:
        result.index = pd.MultiIndex.from_tuples(list(found), names=list(by))
    return result


def _summary(group: pd.DataFrame) -> dict[str, float]:
    read = group[np.isfinite(group["miss"])]
    size = read["miss"].abs()
    known = read[np.isfinite(read["stated"])]
    apart = known["miss"].abs() / known["stated"]
    beyond = (apart > BEYOND) & (known["flags"] == "")
    return {
        "asked": len(group),
        "unread": len(group) - len(read),
        "bias": read["miss"].mean(),
        "median": size.median(),
        "p95": size.quantile(0.95),
        "worst": size.max(),
        "flagged": (read["flags"] != "").mean(),
        "known": len(known),
        "stated": known["stated"].median(),
        "coverage": (apart <= INTERVAL).mean(),
        "beyond": beyond.mean(),
        "seconds": group["seconds"].median(),
    }


def same_chains(rows: pd.DataFrame, as_method: str) -> pd.DataFrame:
    """Rows of every method on the chains that one method was given."""
    there = rows.loc[rows["method"] == as_method, [*CHAIN, "measure"]]
    return rows.merge(there, on=[*CHAIN, "measure"])
