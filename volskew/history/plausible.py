"""Whether the vols of a history are vols in the unit that is said of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Final, NamedTuple

from volskew.errors import InputError
from volskew.history.columns import Where
from volskew.history.layout import Layout

__all__ = ["UNITS", "UNIT_OPTIONS", "Found", "check_vols"]

UNITS: Final = {"decimal": 1.0, "percent": 100.0}
"""How many of each make one."""

UNIT_OPTIONS: Final = "--unit or --history-unit"
"""What the command line calls the argument ``unit``."""

_HIGHEST_MEDIAN: Final = 3.0
_LOWEST_MEDIAN: Final = 0.03
"""Bounds of a plausible median vol, decimal; a decimal read as percent, or the reverse, is outside."""

_HIGHEST_VOL: Final = 5.0
_LARGEST_RATIO: Final = 10.0
"""Bounds of a single plausible vol: decimal, and against the median of its kind in either direction. A row
in the other unit is off by a factor of 100; crises stay below 10."""


class Found(NamedTuple):
    """What a number of a history is."""

    symbol: str
    measure: str
    tenor: str
    delta: str
    date: str


def check_vols(found: Mapping[Found, tuple[float, int]], layout: Layout, unit: str, where: Where) -> None:
    """Refuse what is no vol, a history in another unit than is said, and single rows in another one.

    Parameters
    ----------
    found : mapping
        Numbers, in `unit`, and the position of their rows. Those whose measure is no vol are not looked at.
    layout : Layout
        Names the column in errors.
    unit : str
        One of `UNITS`.
    where : Where
        Names file and row in errors.

    Raises
    ------
    InputError
        A number is 0 or below, the median of a symbol's measure, tenor and delta is not plausible, or a
        single number beside that median.
    """
    kinds: dict[tuple[str, ...], list[tuple[float, int]]] = {}
    for (symbol, measure, tenor, delta, _), (number, position) in found.items():
        if not measure.endswith("vol"):
            continue
        kinds.setdefault((symbol, measure, tenor, delta), []).append((number, position))
        if number <= 0.0:
            raise where.error(
                f"no vol of {symbol} can be 0 or below",
                position=position,
                column=layout.vol_column(symbol),
                value=number,
                accepted="a vol above 0, or an empty cell for none",
            )
    medians = {kind: statistics.median(number for number, _ in numbers) for kind, numbers in kinds.items()}
    for (symbol, *_), median in medians.items():
        vol = median / UNITS[unit]
        if _LOWEST_MEDIAN <= vol <= _HIGHEST_MEDIAN:
            continue
        other = "percent" if unit == "decimal" else "decimal"
        is_other = (vol > 1.0) == (unit == "decimal")
        raise InputError(
            f"the median vol of {symbol}, {median:g}, is not plausible in unit {unit!r}",
            file=where.file,
            column=layout.vol_column(symbol),
            accepted=f"a median from {_LOWEST_MEDIAN * UNITS[unit]:g} to {_HIGHEST_MEDIAN * UNITS[unit]:g}"
            + (f"; unit='{other}' ({UNIT_OPTIONS} {other}) reads these as {other}" if is_other else ""),
            code="BAD_UNITS",
        )
    for kind, median in medians.items():
        symbol = kind[0]
        lowest = median / _LARGEST_RATIO
        highest = min(median * _LARGEST_RATIO, _HIGHEST_VOL * UNITS[unit])
        for number, position in kinds[kind]:
            # a hair of slack for the products of decimals
            if lowest * (1 - 1e-12) <= number <= highest * (1 + 1e-12):
                continue
            span = f"{lowest:g} to {highest:g}"
            raise InputError(
                f"not plausible in unit {unit!r} as a vol of {symbol}, whose median is {median:g}",
                file=where.file,
                row=where.row(position),
                column=layout.vol_column(symbol),
                value=number,
                accepted=f"for {symbol} a vol from {span}, every row in one unit; or an empty cell for none",
                code="BAD_UNITS",
            )
