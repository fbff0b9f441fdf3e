"""The way back from a reading: the expiries, forwards, fits and quotes, with file and row, behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from volskew.errors import SettingsError
from volskew.surface.points import Point

if TYPE_CHECKING:
    from volskew.surface.surface import Surface

__all__ = ["Behind"]

_NAMES = ("expiries", "quotes", "forwards", "smiles")


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind one reading; called with the name of a table.

    Attributes
    ----------
    surface : Surface
    slices : tuple of int
        The expiries used.
    point : Point
        Where they were read.
    shares : tuple of (int, float)
        Every expiry that the reading depends on, the next ones on either side too, with what the reading
        moves by per vol of it.
    """

    surface: Surface
    slices: tuple[int, ...]
    point: Point
    shares: tuple[tuple[int, float], ...]

    def __call__(self, name: str) -> pd.DataFrame:
        """A table of the expiries of the reading.

        Parameters
        ----------
        name : str
            ``"expiries"``: each expiry's part: vol, error and its parts, strike, forward, deltas of the
            quotes beside it. ``"quotes"``: the lines of these expiries, with the file and row of each,
            nearest to the strike of the reading first. ``"forwards"``, ``"smiles"``: their rows of the
            surface's tables.

        Raises
        ------
        SettingsError
            Another name.
        """
        if name not in _NAMES:
            msg = f"behind a reading there are the tables {', '.join(_NAMES)}; got {name!r}"
            raise SettingsError(msg)
        if name == "expiries":
            numbers, shares = zip(*self.shares, strict=True)
            return self.surface.expiries_at(self.point, numbers, shares=shares)
        table = self.surface.table(name)
        keys = self.surface.keys(self.slices)
        own = pd.MultiIndex.from_frame(table[["root", "settlement", "expiry"]]).isin(keys)
        rows = table[own]
        if name != "quotes":
            return rows.reset_index(drop=True)
        strikes = self.surface.expiries_at(self.point, self.slices).set_index("expiry")["strike"]
        away = (rows["strike"] - rows["expiry"].map(strikes)).abs()
        return rows.iloc[away.argsort(kind="stable")]
