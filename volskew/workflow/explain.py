"""One reading with its parts: what it is made of, how sure each part is, and what it would have been else."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from volskew.ledger import Entry
from volskew.market import canonical_tenor, tenor_days
from volskew.measures import MEASURES
from volskew.settings import Settings, settings_or_default
from volskew.surface import Estimate, Surface
from volskew.surface.points import Point, parse_point
from volskew.workflow.drill import fit_unit, gather_units
from volskew.workflow.gather import Inputs, PathLike

__all__ = ["Explanation", "explain_readings"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reading and what stands behind it.

    Attributes
    ----------
    series, symbol, tenor : str
    date : datetime.date
    point : Point
        Where on the smiles it is read.
    reading : Estimate
        NaN where there is none; ``details["reason"]`` then says why.
    expiries : pandas.DataFrame
        What each expiry reads at the place, with its error and its share (`volskew.surface.drill.Behind`);
        `is_around` marks those around the tenor. Empty without a reading.
    quotes : pandas.DataFrame
        Every line of these expiries, those around the tenor first, and of these the nearest to the strike of
        the reading.
    overlooked : list of volskew.ledger.Entry
        Gates failed by expiries that stand nearer to the tenor than those used.
    companions : pandas.DataFrame
        What the same surface says beside it, in vol: skews, risk reversal and butterfly at both wings of its
        delta (none in the middle), slope and forward vol between its tenor and another one (3m, or 1m of 3m
        itself). A row each: ``measure, tenor, delta``, ``value`` and its joint ``error`` [decimal], both NaN
        where not known, ``flags`` (why there is none, of a missing one) and ``reason``.
    """

    series: str
    symbol: str
    date: dt.date
    tenor: str
    point: Point
    reading: Estimate
    expiries: pd.DataFrame = field(repr=False)
    quotes: pd.DataFrame = field(repr=False)
    overlooked: list[Entry] = field(repr=False)
    companions: pd.DataFrame = field(repr=False)

    @property
    def parts(self) -> dict[str, float]:
        """What the error is made of [vol]; the root of the sum of squares is the error. {} without one."""
        details, error = self.reading.details, self.reading.error
        if error is None:
            return {}
        found = {
            "quotes": details["fit_error"],
            "forwards": details["forward_error"],
            "smiles": details["cross_check"] / 2,
            "maturity": details["bracket_error"],
        }
        return {name: 0.0 if math.isnan(part) else float(part) for name, part in found.items()}


def explain_readings(
    paths: PathLike | Sequence[PathLike],
    *,
    tenors: Sequence[str] = ("3m",),
    deltas: Sequence[float | str] = ("25c",),
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> tuple[list[Explanation], Inputs]:
    """Readings of every session in some files, with their parts.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files.
    tenors : sequence of str
    deltas : sequence of float or str
        As in `Surface.vol`.
    settings, symbols, format, columns
        As in `volskew.workflow.gather`.

    Returns
    -------
    explanations : list of Explanation
        By session and symbol, then as asked for.
    inputs : Inputs
        What was found; `Inputs.problems` says which files failed.

    Raises
    ------
    InputError
        No file could be read.
    SettingsError
        A tenor or delta is none.
    """
    chosen = settings_or_default(settings)
    names = list(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors))
    for name in names:
        tenor_days(name, settings=chosen)
    points = list(dict.fromkeys(parse_point(delta=delta) for delta in deltas))
    inputs = gather_units(paths, settings=chosen, symbols=symbols, format=format, columns=columns)
    found = []
    for unit in inputs.units:
        surface = fit_unit(unit, settings=chosen)
        found += [_explain(surface, unit.series, tenor, point) for tenor in names for point in points]
    return found, inputs


def _explain(surface: Surface, series: str, tenor: str, point: Point) -> Explanation:
    reading = surface.vol(tenor=tenor, delta=point.text)
    nothing = pd.DataFrame()
    expiries, quotes = nothing, nothing
    if reading.is_read and reading.resolve is not None:
        expiries, quotes = reading.resolve("expiries"), reading.resolve("quotes")
        expiries = expiries.sort_values("days", ignore_index=True)
    failures = surface.failures(tenor=tenor, delta=point.text)
    return Explanation(
        series=series,
        symbol=surface.symbol,
        date=surface.date,
        tenor=tenor,
        point=point,
        reading=reading,
        expiries=expiries,
        quotes=quotes,
        overlooked=[entry for entry in failures if not entry.is_failure],
        companions=_companions(surface, tenor, point),
    )


def _companions(surface: Surface, tenor: str, point: Point) -> pd.DataFrame:
    """The measures in vol beside the vol itself, at the keys next to its own."""
    rows = []
    for item in MEASURES.values():
        if item.unit != "vol" or item.name.startswith("implied_vol"):
            continue
        at = tenor if item.tenor == "one" else _span(tenor, surface.settings)
        places = [place for place in _places(point) if at and item.takes_delta(place)]
        if places:
            found = item.read(surface, tenor=at, delta=places[0])
            rows.append(
                {
                    "measure": item.name,
                    "tenor": at,
                    "delta": places[0],
                    "value": found.value,
                    "error": math.nan if found.error is None else found.error,
                    "flags": " ".join(found.flags),
                    "reason": "" if found.is_read else str(found.details["reason"]),
                }
            )
    return pd.DataFrame(rows, columns=["measure", "tenor", "delta", "value", "error", "flags", "reason"])


def _places(point: Point) -> list[str]:
    """The place itself and, of a delta, the same on the other wing."""
    if point.kind != "delta":
        return [point.text]
    return list(dict.fromkeys([point.text, parse_point(delta=round(1.0 - point.value, 10)).text]))


def _span(tenor: str, settings: Settings) -> str:
    """From the tenor to three months, the shorter first; from one month where it is that long itself."""
    other = "3m" if tenor_days(tenor, settings=settings) != tenor_days("3m", settings=settings) else "1m"
    return "-".join(sorted((tenor, other), key=lambda one: tenor_days(one, settings=settings)))
