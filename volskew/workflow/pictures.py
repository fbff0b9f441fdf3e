"""What a chart of smiles shows: the quotes, curves and readings of the expiries around a tenor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from volskew.errors import SettingsError
from volskew.market import EASTERN, canonical_tenor, tenor_days
from volskew.settings import Settings, settings_or_default
from volskew.surface import Surface
from volskew.surface.delta import STANDARD_DELTAS, delta_label
from volskew.surface.expiry_tables import PASSED
from volskew.surface.points import Point
from volskew.workflow.drill import fit_unit, gather_units, smiles_of
from volskew.workflow.gather import Inputs, PathLike

__all__ = ["Panel", "Picture", "picture_smiles"]

_DEFAULT_TENOR = "3m"
_SLICE = ["root", "settlement", "expiry"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One expiry.

    Attributes
    ----------
    name : str
        Root, date, settlement where it is not PM, and days.
    method : str
        What its smile is: svi, essvi, local or none.
    quotes : pandas.DataFrame
        Its lines (see `Surface.quotes`).
    line : pandas.DataFrame
        Its smile (see `Surface.smile_lines`).
    points : pandas.DataFrame
        Readings at the standard deltas (see `Surface.expiries_at`), ``label`` 25c, 50 or 25p.
    """

    name: str
    method: str
    quotes: pd.DataFrame = field(repr=False)
    line: pd.DataFrame = field(repr=False)
    points: pd.DataFrame = field(repr=False)

    @property
    def failed(self) -> str:
        """The gates that the expiry failed and at which of the deltas, or ""."""
        places: dict[str, list[str]] = {}
        for label, gates in zip(self.points["label"], self.points["gates"], strict=True):
            for code in () if gates == PASSED else str(gates).split():
                places.setdefault(code, []).append(str(label))
        return ", ".join(
            code if len(labels) == len(self.points) else f"{code} at {' and '.join(labels)}"
            for code, labels in places.items()
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """The chart of one (symbol, session).

    Attributes
    ----------
    series, symbol : str
    date : datetime.date
    wanted : str
        The tenor, or the dates of the expiries, that was asked for.
    panels : list of Panel
        By expiry; empty where the chain has no such expiry.
    reason : str
        Why a panel that was asked for is missing, or "".
    """

    series: str
    symbol: str
    date: dt.date
    wanted: str
    panels: list[Panel]
    reason: str = ""


def picture_smiles(
    paths: PathLike | Sequence[PathLike],
    *,
    tenor: str | None = None,
    expiries: Sequence[str | dt.date] = (),
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, list[Picture], Inputs]:
    """The smiles of every session in some files, as a table and as what a chart needs.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files.
    tenor : str, optional
        Show the two expiries that serve the 25-delta call of this tenor, or, where none can be read, the
        nearest with a smile on either side; three months without it.
    expiries : sequence of str or datetime.date
        Show these instead, AM- and PM-settled ones alike.
    settings, symbols, format, columns
        As in `volskew.workflow.gather`.

    Returns
    -------
    table : pandas.DataFrame
        As `volskew.workflow.smiles_table` returns it.
    pictures : list of Picture
        One for each session and symbol.
    inputs : Inputs

    Raises
    ------
    InputError
        No file could be read.
    SettingsError
        The tenor or an expiry is none, or both are given.
    """
    if tenor is not None and expiries:
        raise SettingsError("a chart shows the expiries around a tenor, or those named by date: give one")
    chosen = settings_or_default(settings)
    name = canonical_tenor(tenor or _DEFAULT_TENOR)
    tenor_days(name, settings=chosen)
    dates = sorted({_date(expiry) for expiry in expiries})
    inputs = gather_units(paths, settings=chosen, symbols=symbols, format=format, columns=columns)
    tables, pictures = [], []
    for unit in inputs.units:
        surface = fit_unit(unit, settings=chosen)
        tables.append(smiles_of(surface))
        rows, reason = _dated(surface, dates) if dates else _around(surface, name)
        pictures.append(
            Picture(
                series=unit.series,
                symbol=unit.symbol,
                date=unit.date,
                wanted=", ".join(map(str, dates)) or name,
                panels=_panels(surface, rows),
                reason=reason,
            )
        )
    return pd.concat(tables, ignore_index=True), pictures, inputs


def _date(text: str | dt.date) -> dt.date:
    if isinstance(text, dt.date):
        return text
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        raise SettingsError(f"an expiry is a date YYYY-MM-DD, got {text!r}") from error


def _dates_of(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(rows["expiry"].dt.tz_convert(EASTERN).dt.date)


def _dated(surface: Surface, dates: Sequence[dt.date]) -> tuple[pd.DataFrame, str]:
    """The expiries on some dates, and which dates have none."""
    there = _dates_of(surface.smiles)
    lacking = [day for day in dates if day not in set(there)]
    reason = ""
    if lacking:
        nearest = sorted(set(there), key=lambda day: (abs((day - lacking[0]).days), day))[:3]
        reason = (
            f"no expiry on {', '.join(map(str, lacking))}; the nearest are {', '.join(map(str, nearest))}"
            if nearest
            else f"no expiry on {', '.join(map(str, lacking))}, nor any other"
        )
    return surface.smiles[there.isin(dates)], reason


def _around(surface: Surface, tenor: str) -> tuple[pd.DataFrame, str]:
    """The expiries that serve a tenor, or the nearest with a smile and why they do not serve."""
    smiles = surface.smiles
    reading = surface.vol(tenor=tenor, delta=0.25)
    if reading.is_read and reading.resolve is not None:
        behind = reading.resolve("forwards")
        used = pd.MultiIndex.from_frame(behind.loc[behind["is_around"], _SLICE])
        return smiles[pd.MultiIndex.from_frame(smiles[_SLICE]).isin(used)], ""
    days = tenor_days(tenor, settings=surface.settings)
    fitted = smiles[(smiles["method"] != "none").to_numpy()]
    before, after = fitted[fitted["days"] <= days], fitted[fitted["days"] > days]
    rows = pd.concat([before.nlargest(1, "days"), after.nsmallest(1, "days")])
    return rows, str(reading.details["reason"])


def _panels(surface: Surface, rows: pd.DataFrame) -> list[Panel]:
    panels = []
    for place in range(len(rows)):
        row = rows.iloc[place : place + 1]
        numbers = surface.numbers(row)
        one = row.iloc[0]
        mine = (surface.quotes["expiry"] == one["expiry"]) & (surface.quotes["root"] == one["root"])
        mine &= surface.quotes["settlement"] == one["settlement"]
        points = [
            surface.expiries_at(Point("delta", delta), numbers).assign(label=delta_label(delta))
            for delta in STANDARD_DELTAS
        ]
        settled = "" if one["settlement"] == "PM" else f" {one['settlement']}"
        panels.append(
            Panel(
                name=f"{one['root']} {_dates_of(row).iloc[0]}{settled}, {one['days']:.0f} days",
                method=str(one["method"]),
                quotes=surface.quotes[mine],
                line=surface.smile_lines(numbers),
                points=pd.concat(points, ignore_index=True),
            )
        )
    return panels
