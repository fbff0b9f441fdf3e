"""A fit read again by other settings, as far as they are of the reading and not of the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from volskew.errors import SettingsError, shown
from volskew.settings import Settings
from volskew.surface.expiries import Expiries
from volskew.surface.gates import Neighbourhood
from volskew.surface.smiles import LOCAL, Smiles, curve_model, read_from
from volskew.surface.tables import SmilesTable

__all__ = ["READING_SETTINGS", "Reread", "needs_refit", "read_under", "settings_under"]

READING_SETTINGS = (
    "delta_convention",
    "smile_model",
    "tenor_interpolation",
    "tenor_clock",
    "weekend_weight",
    "three_month_days",
    "bracket",
)
"""Settings that say how a fit is read. Of the smile models the local one is made beside every curve, so that
either of the two can be read; another curve needs a new fit."""


_READABLE = f"{', '.join(READING_SETTINGS)} (a smile_model that is local, or the curve that was fitted)"


class Reread(NamedTuple):
    """What other settings make of a fit: its expiries, its smiles, and the smiles table."""

    expiries: Expiries
    fits: Smiles
    table: SmilesTable


def settings_under(
    own: Settings, settings: Settings | None, changes: Mapping[str, Any], *, curves: str
) -> Settings:
    """The settings that a surface is to be read under; see `volskew.surface.Surface.under`."""
    if settings is not None and changes:
        raise SettingsError(f"give settings or single changes, not both; got {', '.join(changes)} as well")
    if settings is not None and not isinstance(settings, Settings):
        raise SettingsError(f"settings must be a Settings(...); got {shown(settings)}")
    names = [item.name for item in fields(Settings)]
    unknown = [name for name in changes if name not in names]
    if unknown:
        raise SettingsError(
            f"there is no setting {unknown[0]!r}; a surface can be read under other {_READABLE}"
        )
    wanted = own.replace(**changes) if settings is None else settings
    refit = needs_refit(own, wanted, curves=curves)
    if refit:
        told = ", ".join(f"{name} {getattr(own, name)!r} -> {getattr(wanted, name)!r}" for name in refit)
        raise SettingsError(
            f"{told}: that needs a new fit, fit_surface(quotes, settings=...); without one a surface can be "
            f"read under other {_READABLE}"
        )
    return wanted


def needs_refit(own: Settings, wanted: Settings, *, curves: str | None = None) -> tuple[str, ...]:
    """The settings that differ and that no fit made by `own` can be read under.

    Parameters
    ----------
    own, wanted : Settings
    curves : str, optional
        The curve that was fitted; that of `own` without it.

    Examples
    --------
    >>> needs_refit(Settings(), Settings(smile_model="local", tenor_clock="calendar"))
    ()
    >>> needs_refit(Settings(), Settings(smile_model="essvi", pricer="european"))
    ('pricer', 'smile_model')
    """
    readable = set(READING_SETTINGS)
    if wanted.smile_model not in {LOCAL, curves or curve_model(own.smile_model)}:
        readable.remove("smile_model")
    names = [item.name for item in fields(Settings) if item.name not in readable]
    return tuple(name for name in names if getattr(own, name) != getattr(wanted, name))


def read_under(expiries: Expiries, fits: Smiles, table: SmilesTable, settings: Settings) -> Reread:
    """Read a fit by other settings, which are known to need no other fit.

    Parameters
    ----------
    expiries, fits, table : Expiries, Smiles, SmilesTable
        Of the surface: its expiries, its smiles and their table.
    settings : Settings
    """
    own, slices = expiries.settings, expiries.slices
    if settings.smile_model != own.smile_model:
        fits = read_from(fits, settings.smile_model)
        around = Neighbourhood(fits.nodes, fits.deltas, len(slices.years))
        slices = replace(slices, methods=fits.methods, quotes_around=around)
    again = expiries.under(settings, slices)
    if slices is not expiries.slices or settings.delta_convention != own.delta_convention:
        table = SmilesTable(table.known, (fits, again))
    return Reread(again, fits, table)
