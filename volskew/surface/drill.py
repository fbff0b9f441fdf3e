"""The way back from a reading: the expiries, forwards, fits and quotes, with file and row, behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from volskew.errors import SettingsError, shown
from volskew.surface.expiries import Expiries
from volskew.surface.expiry_tables import SLICE, expiries_table
from volskew.surface.points import Point
from volskew.surface.tables import SmilesTable
from volskew.surface.tenor import TenorReadings

__all__ = ["Behind", "BehindSeveral", "Tables"]

_NAMES = ("expiries", "quotes", "forwards", "smiles")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a surface; called with the name of one."""

    quotes: pd.DataFrame = field(repr=False)
    forwards: pd.DataFrame = field(repr=False)
    smiles: SmilesTable = field(repr=False)

    def __call__(self, name: str) -> pd.DataFrame:
        """The table ``"quotes"``, ``"forwards"`` or ``"smiles"``.

        Raises
        ------
        SettingsError
            Another name.
        """
        given: object = name  # an array would be compared element by element
        if not isinstance(given, str) or given not in self.__slots__:
            msg = f"a surface has the tables {', '.join(self.__slots__)}; got {shown(name)}"
            raise SettingsError(msg)
        table: pd.DataFrame | SmilesTable = getattr(self, name)
        return table() if isinstance(table, SmilesTable) else table


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind one reading; called with the name of a table.

    Attributes
    ----------
    expiries : Expiries
        Of the surface.
    tables : Tables
        Of the surface.
    point : Point
        Where the expiries were read.
    numbers : tuple of int
        Every expiry that the reading depends on. Of a missing reading those that were looked at: the nearest
        to the tenor on either side, and those named as failed.
    shares : tuple of float
        What the reading moves by per vol of each; NaN of a missing reading.
    around : tuple of int
        Those around the tenor; one where it is the tenor. Of a forward vol those around either tenor.
    """

    expiries: Expiries = field(repr=False)
    tables: Tables = field(repr=False)
    point: Point
    numbers: tuple[int, ...]
    shares: tuple[float, ...]
    around: tuple[int, ...]

    @classmethod
    def of(
        cls,
        expiries: Expiries,
        tables: Tables,
        readings: TenorReadings,
        point: Point,
        *,
        place: int = 0,
        offset: int = 0,
    ) -> Behind:
        """What stands behind one of some readings, which is not missing.

        `place` is its number, `offset` that of the expiries of the places before its own.
        """
        around = tuple(sorted({int(readings.before[place]), int(readings.after[place])}))
        used: dict[int, float] = {}
        numbers = (readings.expiries[:, place] - offset).tolist()
        for number, share in zip(numbers, readings.shares[:, place].tolist(), strict=True):
            if share or number in around:
                used[number] = used.get(number, 0.0) + share
        return cls(expiries, tables, point, tuple(used), tuple(used.values()), around)

    @classmethod
    def of_missing(
        cls, expiries: Expiries, tables: Tables, point: Point, around: Sequence[int], named: Sequence[int]
    ) -> Behind:
        """What stands behind a missing reading: the nearest expiries, and others that were looked over."""
        numbers = tuple(sorted({*around, *named}, key=lambda number: expiries.slices.years[number]))
        return cls(expiries, tables, point, numbers, (math.nan,) * len(numbers), tuple(around))

    @classmethod
    def together(cls, parts: Sequence[Behind], rates: Sequence[float]) -> Behind:
        """What stands behind a number made of readings at one place, by what it moves by with each."""
        first = parts[0]
        used: dict[int, float] = {}
        for part, rate in zip(parts, rates, strict=True):
            for number, share in zip(part.numbers, part.shares, strict=True):
                used[number] = used.get(number, 0.0) + rate * share
        numbers = tuple(sorted(used, key=lambda number: first.expiries.slices.years[number]))
        around = tuple(sorted({number for part in parts for number in part.around}))
        shares = tuple(used[number] for number in numbers)
        return cls(first.expiries, first.tables, first.point, numbers, shares, around)

    def __call__(self, name: str) -> pd.DataFrame:
        """A table of the expiries of the reading.

        Parameters
        ----------
        name : str
            ``"expiries"``: each expiry's part: vol, error and its parts, strike, forward, deltas of the
            quotes beside it. ``"quotes"``: the lines of these expiries, with the file and row of each; those
            around the tenor first, and of these the nearest to the strike of the reading. ``"forwards"``,
            ``"smiles"``: their rows of the surface's tables.

        Returns
        -------
        pandas.DataFrame
            Of every expiry that the reading depends on. ``share`` is what the reading moves by per vol of
            it; ``is_around`` tells the expiries around the tenor from others that have a part in it. Of a
            missing reading the nearest expiries to the tenor on either side and those that were looked over,
            with the gates that they failed (``gates``) and without shares.

        Raises
        ------
        SettingsError
            Another name.
        """
        if name not in _NAMES:
            msg = f"behind a reading there are the tables {', '.join(_NAMES)}; got {shown(name)}"
            raise SettingsError(msg)
        own = expiries_table(self.expiries, self.point, self.numbers)
        own = own.assign(share=self.shares, is_around=np.isin(self.numbers, self.around))
        if name == "expiries":
            return own
        table = self.tables(name)
        keys = pd.MultiIndex.from_frame(own[list(SLICE)])
        place = keys.get_indexer(pd.MultiIndex.from_frame(table[list(SLICE)]))
        rows, place = table[place >= 0], place[place >= 0]
        rows = rows.assign(**{column: own[column].to_numpy()[place] for column in ("share", "is_around")})
        if name != "quotes":
            return rows.reset_index(drop=True)
        away = np.abs(rows["strike"].to_numpy() - own["strike"].to_numpy()[place])
        return rows.iloc[np.lexsort((away, ~rows["is_around"].to_numpy()))]


@dataclass(frozen=True, slots=True)
class BehindSeveral:
    """What stands behind a number made of several readings; called with the name of a table.

    Attributes
    ----------
    parts : tuple of Behind
        What stands behind each reading.
    rates : tuple of float
        What the number moves by per vol of each reading.
    """

    parts: tuple[Behind, ...]
    rates: tuple[float, ...]

    def __call__(self, name: str) -> pd.DataFrame:
        """A table of the expiries of all readings.

        Parameters
        ----------
        name : str
            As in `Behind`. Of ``"expiries"`` each has a row for every place where it was read (``place``),
            with what the number moves by per vol of it there as ``share``; of the other tables each line
            stands once, without a share: of ``"quotes"`` those nearest to the strike of any reading first.

        Raises
        ------
        SettingsError
            Another name.
        """
        if name == "expiries":
            return self._expiries()
        tables = [part(name).drop(columns="share") for part in self._by_place]
        if name == "quotes":
            tables = [table.assign(nearness=range(len(table))) for table in tables]
        rows = pd.concat(tables)
        key = [rows.index] if name == "quotes" else list(SLICE)
        rows["is_around"] = rows.groupby(key)["is_around"].transform("any")
        if name != "quotes":
            return rows.drop_duplicates(list(SLICE), ignore_index=True)
        rows = rows.iloc[np.lexsort((rows["nearness"], ~rows["is_around"].to_numpy(dtype=bool)))]
        return rows[~rows.index.duplicated()].drop(columns="nearness")

    @property
    def _by_place(self) -> list[Behind]:
        """The readings at one place as one, in the order in which the places come."""
        places: dict[Point, tuple[list[Behind], list[float]]] = {}
        for part, rate in zip(self.parts, self.rates, strict=True):
            parts, rates = places.setdefault(part.point, ([], []))
            parts.append(part)
            rates.append(rate)
        return [Behind.together(*place) for place in places.values()]

    def _expiries(self) -> pd.DataFrame:
        tables = []
        for part in self._by_place:
            table = part("expiries")
            table.insert(0, "place", part.point.text)
            tables.append(table)
        return pd.concat(tables, ignore_index=True)
