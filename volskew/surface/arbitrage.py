"""Static arbitrage of the fitted smiles, each case with its place and its size.

* **Butterfly**: Gatheral and Jacquier's ``g(k) = (1 - k w'/2w)^2 - w'^2/4 (1/w + 1/4) + w''/2 < 0``: a
  negative density. Within a slice's quotes it is an error and the slice is not read from such a curve; beyond
  them, up to three deviations, a flag.
* **Wing**: total variance that rises by more than 2 per unit of log-moneyness (Lee 2004). Fits are held
  below.
* **Calendar**: total variance that is smaller at the later of two expiries, at the same forward moneyness.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from volskew.quotes.lines import FloatArray
from volskew.smile.fitting import Curves

__all__ = ["arbitrage_table"]

_COLUMNS = ("kind", "severity", "name", "name_after", "strike_low", "strike_high", "strike", "size")
_BEYOND = 3.0
_GRID = 201
_STEEPEST = 2.0
_NEGLIGIBLE = 1e-6
"""[vol] Crossings smaller than this are rounding."""


def arbitrage_table(
    curves: Curves, *, names: Sequence[str], forward: FloatArray, years: FloatArray, readable: Sequence[bool]
) -> pd.DataFrame:
    """Every case of static arbitrage of the slices that are read from their curves.

    Parameters
    ----------
    curves : Curves
    names : sequence of str, per slice
    forward, years : ndarray of float, per slice
        [$], [years]
    readable : sequence of bool, per slice
        Whether the slice is read from its curve.

    Returns
    -------
    pandas.DataFrame
        ``kind`` (butterfly, wing, calendar), ``severity`` ("error" within the quotes, of both slices for a
        calendar case; "flag" beyond them), ``name``, ``name_after`` (the later slice of a calendar case),
        ``strike_low``, ``strike_high`` [$] between which it holds, ``strike`` where it is worst, and
        ``size``: vol points by which the vol is wrong for a calendar case, -g for a butterfly, the excess
        slope for a wing.
    """
    rows: list[dict[str, object]] = []
    chosen = [number for number in np.argsort(years, kind="stable").tolist() if readable[number]]
    for number in chosen:
        rows += _butterflies(curves, number, names[number], float(forward[number]))
        rows += _wings(curves, number, names[number], float(forward[number]))
    for first, second in itertools.pairwise(chosen):
        if years[second] > years[first]:
            rows += _crossings(curves, first, second, names=names, forward=forward, years=years)
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(
        dict.fromkeys(_COLUMNS[:4], "str") | dict.fromkeys(_COLUMNS[4:], "float64")
    )


def _case(
    kind: str, severity: str, name: str, after: str, strikes: FloatArray, worst: float, size: float
) -> dict[str, object]:
    return {
        "kind": kind,
        "severity": severity,
        "name": name,
        "name_after": after,
        "strike_low": float(strikes.min()),
        "strike_high": float(strikes.max()),
        "strike": worst,
        "size": size,
    }


def _butterflies(curves: Curves, number: int, name: str, forward: float) -> list[dict[str, object]]:
    low, high = curves.range(number)
    scale = float(curves.scale[number])
    found = []
    inside = np.linspace(low, high, _GRID)
    for severity, k in (
        ("error", inside),
        ("flag", np.linspace(low - _BEYOND * scale, low, _GRID)[:-1]),
        ("flag", np.linspace(high, high + _BEYOND * scale, _GRID)[1:]),
    ):
        g = curves.butterfly(number, k)
        bad = g < 0
        if bad.any():
            worst = int(g.argmin())
            strikes = forward * np.exp(k)
            found.append(
                _case("butterfly", severity, name, "", strikes[bad], float(strikes[worst]), float(-g[worst]))
            )
    return found


def _wings(curves: Curves, number: int, name: str, forward: float) -> list[dict[str, object]]:
    found = []
    for side, slope in zip((-1.0, 1.0), curves.wing_slopes(number), strict=True):
        if slope > _STEEPEST * (1 + 1e-9):
            edge = forward * np.exp(np.array([curves.range(number)[0 if side < 0 else 1]]))
            found.append(_case("wing", "flag", name, "", edge, float(edge[0]), slope - _STEEPEST))
    return found


def _crossings(
    curves: Curves, first: int, second: int, *, names: Sequence[str], forward: FloatArray, years: FloatArray
) -> list[dict[str, object]]:
    (low_1, high_1), (low_2, high_2) = curves.range(first), curves.range(second)
    low, high = max(low_1, low_2), min(high_1, high_2)
    if not low < high:
        return []
    k = np.linspace(low, high, _GRID)
    both = [curves.vols(np.full(_GRID, number), k) for number in (first, second)]
    # what the later vol lacks for total variance to stay
    lacks = np.sqrt(both[0] ** 2 * years[first] / years[second]) - both[1]
    bad = lacks > _NEGLIGIBLE
    if not bad.any():
        return []
    worst = int(lacks.argmax())
    strikes = forward[second] * np.exp(k)
    return [
        _case(
            "calendar", "error", names[first], names[second], strikes[bad], float(strikes[worst]),
            float(100 * lacks[worst]),
        )
    ]  # fmt: skip
