"""Single expiries as tables: what each reads at a place, and its smile as a line to draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from volskew.quotes.lines import FloatArray
from volskew.surface.expiries import DAYS_A_YEAR, Expiries
from volskew.surface.points import Point

__all__ = ["PASSED", "SLICE", "expiries_table", "lines_table", "numbers_in"]

SLICE = ("root", "settlement", "expiry")
"""Columns that name a slice in every table of a surface."""
PASSED = "passed"
"""Stands for the gates of an expiry that failed none."""


def expiries_table(expiries: Expiries, point: Point, numbers: Sequence[int]) -> pd.DataFrame:
    """What single expiries read at a place; see `Surface.expiries_at`."""
    smiles, own, rows = expiries.at(point), expiries.slices, list(numbers)
    keys = [own.keys[number] for number in rows]
    return pd.DataFrame(
        {
            "root": [key[0] for key in keys],
            "settlement": [key[1] for key in keys],
            "expiry": pd.DatetimeIndex([key[2] for key in keys], dtype="datetime64[us, UTC]"),
            "days": own.years[rows] * DAYS_A_YEAR,
            "method": [own.methods[number] for number in rows],
            "vol": smiles.vol[rows],
            "error": np.nan if expiries.by_vendor else smiles.error[rows],
            "fit_error": smiles.fit_error[rows],
            "forward_part": smiles.forward_part[rows],
            "cross_check": smiles.gap[rows],
            "second_vol": smiles.second[rows],
            "bid": smiles.low[rows],
            "ask": smiles.high[rows],
            "forward": own.forward[rows],
            "forward_error": own.forward_error[rows],
            "strike": own.forward[rows] * np.exp(smiles.log_moneyness[rows]),
            "log_moneyness": smiles.log_moneyness[rows],
            "delta": smiles.delta[rows],
            "delta_below": smiles.around.below[rows],
            "delta_above": smiles.around.above[rows],
            "gates": [
                " ".join(str(failure.code) for failure in smiles.failures(number, own, expiries.settings))
                or PASSED
                for number in rows
            ],
        }
    )


def lines_table(expiries: Expiries, quotes: pd.DataFrame, numbers: Sequence[int]) -> pd.DataFrame:
    """The smiles of single expiries, each from its first quote to its last; see `Surface.smile_lines`."""
    parts = []
    for number in numbers:
        root, settlement, expiry = expiries.slices.keys[number]
        k, vol = _line(expiries, quotes, number)
        parts.append(
            pd.DataFrame(
                {
                    "root": root,
                    "settlement": settlement,
                    "expiry": expiry,
                    "strike": expiries.slices.forward[number] * np.exp(k),
                    "log_moneyness": k,
                    "vol": vol,
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=[*SLICE, "strike", "log_moneyness", "vol"])
    return pd.concat(parts, ignore_index=True)


def _line(expiries: Expiries, quotes: pd.DataFrame, number: int) -> tuple[FloatArray, FloatArray]:
    """Log-moneyness and vol along a smile: of the curve, or of the quotes where the local fit serves."""
    own = expiries.slices
    if own.is_curve[number]:
        k = np.linspace(*own.curves.range(number), 201)
        return k, own.curves.vols(np.full(len(k), number), k)
    root, settlement, expiry = own.keys[number]
    mine = (quotes["root"] == root) & (quotes["settlement"] == settlement)
    mine &= (quotes["expiry"] == expiry) & quotes["smile_vol"].notna()
    there = quotes[mine].drop_duplicates("strike").sort_values("strike")
    return there["log_moneyness"].to_numpy(), there["smile_vol"].to_numpy()


def numbers_in(expiries: Expiries, rows: pd.DataFrame) -> tuple[int, ...]:
    """The numbers of the expiries that stand in the rows of a table of a surface, in its order."""
    keys = rows[list(SLICE)].drop_duplicates().itertuples(index=False, name=None)
    places = {key: number for number, key in enumerate(expiries.slices.keys)}
    return tuple(places[key] for key in keys if key in places)
