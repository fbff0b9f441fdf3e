"""Single listed options instead of smiles: what is read without a fit, with one's own vols or a vendor's."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from volskew.market.clock import EASTERN
from volskew.pricing import black
from volskew.quotes.lines import numeric
from volskew.surface.points import Point
from volskew.surface.surface import Surface

__all__ = ["FARTHEST", "Listed", "Source", "listed_vol", "nearest_expiry"]

Source = Literal["ours", "vendor"]

FARTHEST = 0.10
"""In delta: no option farther from the delta than this stands for it."""


class Listed(NamedTuple):
    """The vol of a listed option, or the reason why there is none.

    Attributes
    ----------
    vol : float
        [decimal, annual] NaN where `words` are the reason.
    words : str
        Which option it is, and at which delta.
    """

    vol: float
    words: str


def nearest_expiry(surface: Surface, point: Point, days: float) -> int | None:
    """The number of the expiry nearest to a tenor [calendar days] that can be read at a place.

    Of two equally near the earlier one; None where no expiry passes its gates there.
    """
    numbers = surface.numbers(surface.smiles)
    read = surface.expiries_at(point, numbers)
    passed = (read["gates"] == "passed").to_numpy(dtype=bool) & np.isfinite(read["vol"].to_numpy())
    if not passed.any():
        return None
    away = np.where(passed, np.abs(read["days"].to_numpy() - days), np.inf)
    return numbers[int(away.argmin())]


def listed_vol(
    surface: Surface, point: Point, number: int, *, vols: Source = "ours", deltas: Source = "ours"
) -> Listed:
    """The mid vol of the listed out-of-the-money option of an expiry that is nearest to a delta.

    Parameters
    ----------
    surface : Surface
    point : Point
        A delta, in `Settings.delta_convention` of the surface.
    number : int
        Of the expiry; see `Surface.numbers`.
    vols : {"ours", "vendor"}
        Whose vol of the option is returned.
    deltas : {"ours", "vendor"}
        Whose deltas tell which option is nearest: ours are those of each option at its own mid vol.

    Returns
    -------
    Listed
        Of the lines that no rule excluded, calls up to 0.5 delta and puts above. NaN where none is within
        `FARTHEST`, or the file has no such vol of the option. Of two equally near the lower strike.
    """
    lines = _lines(surface, point, number)
    name = surface.keys([number])[0][2].tz_convert(EASTERN).date().isoformat()
    side = "call" if point.value <= 0.5 else "put"
    if deltas == "vendor":
        # a put's is negative, and is the vendor's own kind of delta
        wanted = point.value if side == "call" else point.value - 1.0
        delta = numeric(lines, "vendor_delta")
    else:
        wanted = float(surface.expiries_at(point, [number])["delta"].iloc[0])
        delta = np.asarray(
            black.delta(
                forward=numeric(lines, "forward"),
                strike=numeric(lines, "strike"),
                time_to_expiry=numeric(lines, "time_to_expiry"),
                vol=numeric(lines, "vol_mid"),
            )
        )
    away = np.abs(delta - wanted)
    near = np.flatnonzero(away <= FARTHEST)
    whose = "the vendor's delta" if deltas == "vendor" else "delta"
    if not len(near):
        return Listed(math.nan, f"no {side} of {name} has {whose} within {FARTHEST:g} of {wanted:.2f}")
    line = int(near[away[near].argmin()])
    what = f"{name} {side} {lines['strike'].iloc[line]:g}, {whose} {delta[line]:.3f}"
    vol = float(numeric(lines, "vendor_vol" if vols == "vendor" else "vol_mid")[line])
    if not vol > 0:
        return Listed(math.nan, f"the file has no vendor's vol of {what}")
    return Listed(vol, what)


def _lines(surface: Surface, point: Point, number: int) -> pd.DataFrame:
    """The accepted out-of-the-money lines of an expiry on the side of a delta, by strike."""
    quotes = surface.quotes
    root, settlement, expiry = surface.keys([number])[0]
    mine = (quotes["root"] == root) & (quotes["settlement"] == settlement) & (quotes["expiry"] == expiry)
    mine &= quotes["exclusion"].isna() & quotes["vol_mid"].notna()
    mine &= quotes["is_call"].fillna(value=False).astype(bool) == (point.value <= 0.5)
    return quotes[mine].sort_values("strike", kind="stable")
