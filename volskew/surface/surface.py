"""Surface: one snapshot's quotes, forwards and smiles, and the vol at any tenor and delta between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from volskew.errors import SettingsError, shown
from volskew.ledger import Entry, Ledger, Stage
from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.quotes.lines import FloatArray
from volskew.settings import Settings
from volskew.surface.arbitrage import arbitrage_table
from volskew.surface.drill import Tables
from volskew.surface.estimate import Estimate
from volskew.surface.expiries import Expiries
from volskew.surface.expiry_tables import expiries_table, lines_table, numbers_in
from volskew.surface.function import evaluate
from volskew.surface.grid import GRID_DELTAS, GRID_TENORS, grid_table
from volskew.surface.joint import Joint, read_ahead, read_forward_vol, read_jointly, wanted_readings
from volskew.surface.points import Point, parse_point
from volskew.surface.reasons import looked_over, why_missing
from volskew.surface.smiles import Smiles
from volskew.surface.tables import SmilesTable
from volskew.surface.under import read_under, settings_under
from volskew.surface.vol_reading import read_single, read_vol

__all__ = ["GRID_DELTAS", "GRID_TENORS", "Surface"]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One snapshot of one underlying, read. Made by `fit_surface`; picklable.

    Attributes
    ----------
    symbol : str
    date : datetime.date
        The session.
    snapshot_time : pandas.Timestamp
        UTC.
    settings : Settings
    quotes : pandas.DataFrame
        Every line of the chain with its labels, vols, status and delta (see
        `volskew.surface.vols.solve_vols`).
    forwards : pandas.DataFrame
        One row a slice (see `volskew.surface.forwards.fit_forwards`).
    ledger : Ledger
        Gates that slices failed whatever the delta.
    rate : str
        Label of the discount curve.
    flags : tuple of str
        What every reading of the surface carries (RATE_ASSUMED).
    """

    symbol: str
    date: dt.date
    snapshot_time: pd.Timestamp
    settings: Settings
    quotes: pd.DataFrame = field(repr=False)
    forwards: pd.DataFrame = field(repr=False)
    ledger: Ledger = field(repr=False)
    rate: str
    flags: tuple[str, ...]
    _expiries: Expiries = field(repr=False)
    _fits: Smiles = field(repr=False)
    _smiles: SmilesTable = field(repr=False)

    @property
    def smiles(self) -> pd.DataFrame:
        """One row a slice: counts, forward, vols at the standard deltas, fit errors, gates.

        See `volskew.surface.tables.smiles_table`.
        """
        return self._smiles()

    @property
    def source(self) -> str:
        """The files that the quotes are from."""
        return ", ".join(sorted(self.quotes["source_file"].unique()))

    def under(self, settings: Settings | None = None, **changes: Any) -> Surface:
        """The same fit read by other settings: what a fit of these quotes by them would read, without one.

        Parameters
        ----------
        settings : Settings, optional
            All of them.
        **changes
            Or those that are other than this surface's: ``delta_convention``, ``tenor_interpolation``,
            ``tenor_clock``, ``weekend_weight``, ``three_month_days``, ``bracket``, and ``smile_model``, which
            may be "local", the second smile of every expiry, or the curve that was fitted.

        Returns
        -------
        Surface
            Bit for bit that of `fit_surface` by the same settings, in its readings, errors, flags and tables.
            This very surface where nothing is other. Quotes and forwards are shared, not copied.

        Raises
        ------
        SettingsError
            A setting does not exist, has no such value, or needs a new fit (the message says which).
        """
        wanted = settings_under(self.settings, settings, changes, curves=self._fits.model)
        if wanted == self.settings:
            return self
        again = read_under(self._expiries, self._fits, self._smiles, wanted)
        return replace(
            self,
            settings=wanted,
            quotes=again.fits.quotes,
            _expiries=again.expiries,
            _fits=again.fits,
            _smiles=again.table,
        )

    def vol(
        self,
        tenor: str = "3m",
        delta: float | str | None = None,
        *,
        strike: float | None = None,
        log_moneyness: float | None = None,
    ) -> Estimate:
        """The implied vol at a constant maturity and a constant delta, strike or moneyness.

        Parameters
        ----------
        tenor : str
            ``"3m"``, ``"1y"``, ``"91d"``, ... (see `volskew.market.tenors.tenor_days`).
        delta : float or str, optional
            Call delta, ``"25c"``, ``"25p"`` (the 75-delta call's strike), ``"50"``, or ``"atmf"`` for the
            strike at the forward; in `Settings.delta_convention`. The 25-delta call where nothing is given.
        strike : float, optional
            [$]
        log_moneyness : float, optional
            ln(K/F).

        Returns
        -------
        Estimate
            ``value`` [decimal, annual, ACT/365]; NaN where there is no reading, with the reason's code in
            ``flags`` and its sentence in ``details["reason"]``. ``error`` is one standard error. ``details``
            also holds forward [$, at the tenor], strike [$] and log_moneyness of the reading, expiry_before
            and expiry_after (ISO dates), weight (the place of the tenor between them, on the clock), n_quotes
            (near the place, in both expiries), bid and ask (the reading of all bids and of all asks: a bound,
            not an error), and the parts of the error: fit_error, forward_error, cross_check (distance to the
            second smile), bracket_error [all decimal vol]; without_before and without_after are the readings
            from the next expiry on that side, NaN where there is none.

        Raises
        ------
        SettingsError
            The tenor or the place is none, or more than one place is given.
        """
        if delta is None and strike is None and log_moneyness is None:
            delta = 0.25
        point = parse_point(delta=delta, strike=strike, log_moneyness=log_moneyness)
        return read_vol(self._expiries, self._tables, tenor, point, names=self._names)

    def grid(
        self,
        *,
        tenors: Iterable[str] = GRID_TENORS,
        deltas: Iterable[float | str] = GRID_DELTAS,
    ) -> pd.DataFrame:
        """The vols at every tenor and delta of a grid, with errors, in one go.

        Parameters
        ----------
        tenors : iterable of str
            One week to two years without it.
        deltas : iterable of float or str
            5 to 95 call delta without it.

        Returns
        -------
        pandas.DataFrame
            A row for each tenor and delta, one given twice (in any spelling) standing once, where it came
            first: ``tenor, days, delta, vol, error, bid, ask`` [decimal], ``strike``
            [$], ``expiry_before, expiry_after, method, flags`` (as in `vol`, but for ROLL), and ``code``: why
            there is no vol, empty where there is one.

        Raises
        ------
        SettingsError
            A tenor or delta is none, or one stands where several are wanted.
        """
        return grid_table(self._expiries, tenors, deltas)

    def vols(self, *, years: ArrayLike, delta: ArrayLike) -> FloatArray:
        """Vols at many maturities and deltas: the surface as a function, for whoever evaluates it a lot.

        Parameters
        ----------
        years : array_like
            Time from the snapshot [years of 365 days].
        delta : array_like
            Forward call deltas in (0, 1), whatever `Settings.delta_convention`; broadcast against `years`.

        Returns
        -------
        ndarray of float
            [decimal, annual] Of the broadcast shape. NaN beyond the expiries that can be read from their
            curves at the multiple of five delta nearest to each delta, beyond their quotes, and where total
            variance falls, or where either is NaN or masked. Within 1e-5 of `grid` at its deltas, but for
            expiries that are read from a local fit, and tenors at an expiry that cannot be read there. No
            error, no flags: `vol` and `grid` have those.

        Raises
        ------
        SettingsError
            Either holds what is no number, or their shapes do not broadcast.
        """
        times, deltas = _numbers("years", years), _numbers("delta", delta)
        try:
            np.broadcast_shapes(times.shape, deltas.shape)
        except ValueError as error:
            raise SettingsError(
                f"years and delta must broadcast; their shapes are {times.shape} and {deltas.shape}"
            ) from error
        return evaluate(self._expiries, times, deltas)

    def forward_vol(self, *, start: str, end: str, delta: float | str | None = None) -> Estimate:
        """The vol between two tenors at a constant delta: ``sqrt((w(T2) - w(T1))/(T2 - T1))``.

        Parameters
        ----------
        start, end : str
            Tenors, the first shorter.
        delta : float or str, optional
            As in `vol`: the 25-delta call where nothing is given.

        Returns
        -------
        Estimate
            NaN with the code of the reading that is missing, or CAL_ARB where total variance falls. The error
            is that of both readings together: an expiry that serves both counts once.

        Raises
        ------
        SettingsError
            A tenor or delta is none, or the first is not shorter.
        """
        point = parse_point(delta=0.25 if delta is None else delta)
        first, last = (tenor_years(tenor, settings=self.settings) for tenor in (start, end))
        if not first < last:
            raise SettingsError(f"forward_vol needs a start before its end; got {start!r} and {end!r}")
        return read_forward_vol(self._expiries, self._tables, (start, end), point, names=self._names)

    def joint(self, readings: Iterable[tuple[str, float | str]]) -> Joint:
        """Several readings with their joint error: for skews, slopes, and whatever else is made of them.

        Parameters
        ----------
        readings : iterable of (tenor, delta)
            Each as `vol` takes them; at least one.

        Returns
        -------
        volskew.surface.joint.Joint
            ``vols``, their ``covariance``, and ``combine(weights)``: a weighted sum as an `Estimate`.

        Raises
        ------
        SettingsError
            A tenor or delta is none, nothing is asked for, or something else than (tenor, delta).
        """
        return read_jointly(self._expiries, self._tables, wanted_readings(readings), names=self._names)

    def read_ahead(self, readings: Iterable[tuple[str, float | str]]) -> None:
        """Make readings that will be asked for, all at once; each comes out the same, and costs less.

        Errors of numbers made of several, whose covariances are computed together, agree to rounding.

        Parameters
        ----------
        readings : iterable of (tenor, delta)
            As `joint` takes them.

        Raises
        ------
        SettingsError
            A tenor or delta is none, or something else than (tenor, delta).
        """
        read_ahead(self._expiries, self._tables, wanted_readings(readings), names=self._names)

    @property
    def arbitrage(self) -> pd.DataFrame:
        """Every case of static arbitrage of the smiles; see `volskew.surface.arbitrage.arbitrage_table`."""
        slices = self._expiries.slices
        return arbitrage_table(
            slices.curves,
            names=slices.names,
            forward=slices.forward,
            years=slices.years,
            readable=slices.is_curve.tolist(),
        )

    def failures(self, *, tenor: str = "3m", delta: float | str = 0.25) -> list[Entry]:
        """Why a reading is missing, and which nearer expiries it had to look over.

        Parameters
        ----------
        tenor, delta
            As in `vol`.

        Returns
        -------
        list of volskew.ledger.Entry
            First, where there is no reading, its reason (stage tenor). Then every gate that an expiry failed
            which stood nearer to the tenor than those used, or, without a reading, nearest to it.
        """
        point = parse_point(delta=delta)
        key = "failures", canonical_tenor(tenor), point
        if key not in self._expiries.kept:
            self._expiries.kept[key] = self._failures(canonical_tenor(tenor), point)
        return list(self._expiries.kept[key])

    def _failures(self, tenor: str, point: Point) -> list[Entry]:
        years = tenor_years(tenor, settings=self.settings)
        single = read_single(self._expiries, self._tables, tenor, point, names=self._names)
        reading = single.readings.one(0)
        found = looked_over(self._expiries, reading, years, point)
        if reading.code is not None:
            code, reason = why_missing(self._expiries, reading, years, point)
            found.insert(0, (Stage.TENOR, code, f"{tenor} {point.label}: {reason}"))
        return [
            Entry(self.date, self.symbol, str(stage), str(code), 1, detail, self.source)
            for stage, code, detail in found
        ]

    def table(self, name: str) -> pd.DataFrame:
        """The table behind a reading: ``"quotes"``, ``"forwards"`` or ``"smiles"``.

        Raises
        ------
        SettingsError
            Another name.
        """
        return self._tables(name)

    def keys(self, slices: Sequence[int]) -> list[tuple[str, str, pd.Timestamp]]:
        """Root, settlement and expiry of some slices."""
        return [self._expiries.slices.keys[number] for number in slices]

    def numbers(self, rows: pd.DataFrame) -> tuple[int, ...]:
        """The numbers of the expiries that stand in the rows of a table of the surface, in its order.

        Parameters
        ----------
        rows : pandas.DataFrame
            Rows of `smiles`, `forwards` or `quotes`.
        """
        return numbers_in(self._expiries, rows)

    def smile_lines(self, slices: Sequence[int]) -> pd.DataFrame:
        """The smiles of some expiries as lines to draw, each from its first quote to its last.

        Parameters
        ----------
        slices : sequence of int
            Numbers of the expiries; see `numbers`.

        Returns
        -------
        pandas.DataFrame
            ``root, settlement, expiry, strike [$], log_moneyness, vol [decimal]``, by strike: 201 points of a
            curve; the strikes of the quotes where the local fit serves; none without a smile.
        """
        return lines_table(self._expiries, self.quotes, slices)

    def expiries_at(self, point: Point, slices: Sequence[int]) -> pd.DataFrame:
        """What single expiries read at a place: one row each, with its error and what that is made of.

        Parameters
        ----------
        point : Point
        slices : sequence of int
            Numbers of the expiries; see `numbers`.
        """
        return expiries_table(self._expiries, point, slices)

    @property
    def _tables(self) -> Tables:
        return Tables(self.quotes, self.forwards, self._smiles)

    @property
    def _names(self) -> dict[str, str]:
        return {"symbol": self.symbol, "date": self.date.isoformat()}


def _numbers(name: str, given: ArrayLike) -> FloatArray:
    """An array of floats, NaN where it is masked."""
    try:
        found = given if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
        # text and truth values, and None, are no maturities, though numpy would convert them
        is_number = found.dtype.kind in "iufO" and given is not None
        values = found.astype(np.float64) if is_number else None
    except (TypeError, ValueError):
        values = None
    if values is None:
        raise SettingsError(f"{name} must be a number or an array of them; got {shown(given)}")
    return np.asarray(np.ma.filled(values, np.nan))
