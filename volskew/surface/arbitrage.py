"""Static arbitrage of the fitted smiles, each case with its place and its size in vol points.

* **Butterfly**: Gatheral and Jacquier's ``g(k) = (1 - k w'/2w)^2 - w'^2/4 (1/w + 1/4) + w''/2 < 0``: a
  negative density. Within a slice's quotes it is an error and the slice is not read from such a curve; beyond
  them, up to three deviations, a flag.

  Its size is what the vol of the worst strike K is too high by for a butterfly around it to be worth nothing:
  the price of the butterfly, negative, over its vegas at K,

      -(P(K - d) - 2 P(K) + P(K + d)) / (2 vega(K)),    d = K vol(F) sqrt(T)/10,

  P being Black's prices at the smile's own vols. It is 0 where g is negative over less than the width of such
  a butterfly, which then is worth something.
* **Wing**: total variance that rises by more than 2 per unit of log-moneyness far out (Lee 2004). Fits are
  held below. Its size is what the vol three deviations beyond the last quote exceeds that of the same smile
  with this wing at Lee's bound.
* **Calendar**: total variance that is smaller at the later of two expiries, at the same forward moneyness.
  Its size is what the later vol lacks there for total variance to stay.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from volskew.pricing import black
from volskew.quotes.lines import FloatArray
from volskew.smile.fitting import Curves
from volskew.smile.layout import HIGHEST, LEFT, LOWEST, RIGHT

__all__ = ["arbitrage_table"]

_KINDS = {
    "kind": "str",
    "severity": "str",
    "is_within_quotes": "bool",
    "name": "str",
    "name_after": "str",
    "strike_low": "float64",
    "strike_high": "float64",
    "strike": "float64",
    "size": "float64",
    "g": "float64",
    "slope": "float64",
}
_BEYOND = 3.0
_GRID = 201
_STEEPEST = 2.0
_WIDTH = 0.1
"""In deviations: from the middle strike of a butterfly to either other."""
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
        ``kind`` (butterfly, wing, calendar), ``severity`` ("error" within the quotes, "flag" beyond them),
        ``is_within_quotes`` (of both slices for a calendar case), ``name``, ``name_after`` (the later slice
        of a calendar case), ``strike_low``, ``strike_high`` [$] between which it holds, ``strike`` where it
        is worst, ``size`` [vol points] (see above), ``g`` (the least, of a butterfly) and ``slope`` (of total
        variance, of a wing); NaN for other kinds.
    """
    rows: list[dict[str, object]] = []
    chosen = [number for number in np.argsort(years, kind="stable").tolist() if readable[number]]
    for number in chosen:
        rows += _butterflies(curves, number, names[number], float(forward[number]), float(years[number]))
        rows += _wings(curves, number, names[number], float(forward[number]))
    for first, second in itertools.pairwise(chosen):
        if years[second] > years[first]:
            rows += _crossings(curves, first, second, names=names, forward=forward, years=years)
    return pd.DataFrame(rows, columns=list(_KINDS)).astype(_KINDS)


def _case(
    kind: str,
    name: str,
    strikes: FloatArray,
    worst: float,
    size: float,
    *,
    after: str = "",
    within: bool = True,
    g: float = math.nan,
    slope: float = math.nan,
) -> dict[str, object]:
    return {
        "kind": kind,
        "severity": "error" if within else "flag",
        "is_within_quotes": within,
        "name": name,
        "name_after": after,
        "strike_low": float(strikes.min()),
        "strike_high": float(strikes.max()),
        "strike": worst,
        "size": size,
        "g": g,
        "slope": slope,
    }


def _unbounded(curves: Curves) -> Curves:
    """The curves themselves beyond their quotes, where they are read flat otherwise."""
    rows = curves.rows.copy()
    rows[:, LOWEST], rows[:, HIGHEST] = -np.inf, np.inf
    return replace(curves, rows=rows)


def _butterflies(
    curves: Curves, number: int, name: str, forward: float, years: float
) -> list[dict[str, object]]:
    low, high = curves.range(number)
    scale = float(curves.scale[number])
    found = []
    inside = np.linspace(low, high, _GRID)
    for within, k in (
        (True, inside),
        (False, np.linspace(low - _BEYOND * scale, low, _GRID)[:-1]),
        (False, np.linspace(high, high + _BEYOND * scale, _GRID)[1:]),
    ):
        g = curves.butterfly(number, k)
        bad = g < 0
        if bad.any():
            worst = int(g.argmin())
            strikes = forward * np.exp(k)
            size = _too_high(curves, number, float(strikes[worst]), forward, years)
            found.append(
                _case(
                    "butterfly", name, strikes[bad], float(strikes[worst]), size, within=within,
                    g=float(g[worst]),
                )
            )  # fmt: skip
    return found


def _too_high(curves: Curves, number: int, strike: float, forward: float, years: float) -> float:
    """Vol points by which the vol of a strike is too high for a butterfly around it to be worth nothing."""
    strikes = strike * (1.0 + _WIDTH * float(curves.scale[number]) * np.array([-1.0, 0.0, 1.0]))
    vols = _unbounded(curves).vols(np.full(3, number), np.log(strikes / forward))
    given: dict[str, Any] = {"forward": forward, "strike": strikes, "time_to_expiry": years, "vol": vols}
    # one right for all three; out of the money, where no digits are lost
    price, vega = black.price(**given, is_call=strike >= forward), black.vega(**given)
    return float(100.0 * max(2.0 * price[1] - price[0] - price[2], 0.0) / (2.0 * vega[1]))


def _wings(curves: Curves, number: int, name: str, forward: float) -> list[dict[str, object]]:
    found = []
    scale = float(curves.scale[number])
    for column, place, side, slope in zip(
        (LEFT, RIGHT), (0, 1), (-1.0, 1.0), curves.wing_slopes(number), strict=True
    ):
        if slope > _STEEPEST * (1 + 1e-9):
            last = curves.range(number)[place]
            end = np.array([last + side * _BEYOND * scale])
            own = _unbounded(curves)
            rows = own.rows.copy()
            rows[number, column] = _STEEPEST / scale
            vol, bound = (one.vols(np.array([number]), end)[0] for one in (own, replace(own, rows=rows)))
            strikes = forward * np.exp(np.array([last, end[0]]))
            found.append(
                _case(
                    "wing", name, strikes, float(strikes[1]), float(100 * (vol - bound)), within=False,
                    slope=slope,
                )
            )  # fmt: skip
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
            "calendar", names[first], strikes[bad], float(strikes[worst]), float(100 * lacks[worst]),
            after=names[second],
        )
    ]  # fmt: skip
