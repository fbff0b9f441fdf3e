"""Surface: one snapshot's quotes, forwards and smiles, and the vol at any tenor and delta between them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from volskew.errors import SettingsError
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.market.calendar import LAST_DAY
from volskew.market.clock import EASTERN
from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.market.variance_time import variance_years
from volskew.quotes.lines import BoolArray, FloatArray
from volskew.settings import Settings
from volskew.surface.arbitrage import arbitrage_table
from volskew.surface.drill import Behind
from volskew.surface.estimate import Estimate
from volskew.surface.forwards import AMERICAN, PARITY_OF_VOLS
from volskew.surface.points import Point, parse_point
from volskew.surface.pricer import IGNORED
from volskew.surface.reading import AtPoint, Slices, read_points
from volskew.surface.tenor import WIDE_BRACKET, TenorReading, TenorReadings, interpolate_all

__all__ = ["FORWARD_CODES", "GRID_DELTAS", "GRID_TENORS", "Surface", "needs_rate"]

GRID_TENORS = ("1w", "2w", "3w", "1m", "2m", "3m", "4m", "5m", "6m", "9m", "1y", "18m", "2y")
GRID_DELTAS = tuple(round(0.05 * step, 2) for step in range(1, 20))

NO_ERROR = "NO_ERROR"
"""Flag of a reading whose error is not known."""
NO_QUOTES = "NO_QUOTES"
"""Flag of a reading from a vendor's vols: no error can be claimed."""
WIDE_WINDOW = "WIDE_WINDOW"
"""Flag of a reading from a local fit that had to reach farther in delta for enough quotes."""
FITS_DISAGREE = "FITS_DISAGREE"
"""Flag of a reading on which the smile and the local fit beside it differ."""
NO_CROSS_CHECK = "NO_CROSS_CHECK"
"""Flag of a reading with no second smile to hold it against."""
SMILE_FALLBACK = "SMILE_FALLBACK"
"""Flag of a reading that another smile model than the one asked for had to serve."""
ROLL = "ROLL"
"""Flag of a reading that the next expiry on one side would have changed by more than its errors explain."""
_ROLL, _ROLL_ERRORS = 0.002, 3.0
_DAYS = 365.0
_HALF_A_DAY = 0.5 / _DAYS
"""An expiry on the day of the tenor stands on both sides of it."""


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
    smiles : pandas.DataFrame
        One row a slice: counts, forward, vols at the standard deltas, fit errors, gates.
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
    smiles: pd.DataFrame = field(repr=False)
    ledger: Ledger = field(repr=False)
    rate: str
    flags: tuple[str, ...]
    _slices: Slices = field(repr=False)
    _by_vendor: bool = field(repr=False)
    _cache: dict[Point, AtPoint] = field(default_factory=dict, repr=False)
    _tables: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """The files that the quotes are from."""
        return ", ".join(sorted(self.quotes["source_file"].unique()))

    def vol(
        self,
        *,
        tenor: str = "3m",
        delta: float | str | None = None,
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
            and expiry_after (ISO dates), weight (share of the later one in total variance), n_quotes (near
            the place, in both expiries), bid and ask (the reading of all bids and of all asks: a bound, not
            an error), and the parts of the error: fit_error, forward_error, cross_check (distance to the
            second smile), bracket_error [all decimal vol]; without_before and without_after are the
            readings from the next expiry on that side, NaN where there is none.

        Raises
        ------
        SettingsError
            The tenor or the place is none, or more than one place is given.
        """
        if delta is None and strike is None and log_moneyness is None:
            delta = 0.25
        point = parse_point(delta=delta, strike=strike, log_moneyness=log_moneyness)
        years = tenor_years(tenor, settings=self.settings)
        smiles = self._at(point)
        readings = self._interpolate(smiles, np.array([years]))
        reading = readings.one(0)
        details: dict[str, Any] = {
            "tenor": canonical_tenor(tenor),
            "delta": point.text,
            "symbol": self.symbol,
            "date": self.date.isoformat(),
            "forward": math.nan,
            "expiry_before": "" if reading.before is None else self._slices.dates[reading.before].isoformat(),
            "expiry_after": "" if reading.after is None else self._slices.dates[reading.after].isoformat(),
            "n_quotes": 0,
            "bracket_error": reading.bracket_error,
        }
        if reading.code is not None or reading.before is None or reading.after is None:
            code, reason = self._why_not(reading, years, point)
            details["reason"] = reason
            return Estimate(
                value=math.nan,
                flags=(str(code),),
                method=self._method(()),
                details=details,
                resolve=self.table,
            )
        pair = sorted({reading.before, reading.after})
        error, parts = self._errors(readings, smiles)
        details |= self._place(reading, smiles, years)
        details["n_quotes"] = int(smiles.n_points[pair].sum())
        details |= {name: float(part[0]) for name, part in parts.items()}
        flags = {*self.flags, *self._flags_of(pair, smiles)}
        if reading.is_wide:
            flags.add(WIDE_BRACKET)
        others = self._neighbouring(reading, smiles, years)
        details |= {name: other.vol for name, other in others.items()}
        known = None if self._by_vendor or not math.isfinite(error[0]) else float(error[0])
        if known is None:
            flags.add(NO_QUOTES if self._by_vendor else NO_ERROR)
        if any(_rolls(reading, other, known or 0.0) for other in others.values()):
            flags.add(ROLL)
        return Estimate(
            value=reading.vol,
            error=known,
            flags=tuple(sorted(flags)),
            method=self._method(pair),
            details=details,
            resolve=Behind(self, tuple(pair), point, tuple(_shares(readings))),
        )

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
            A row for each tenor and delta: ``tenor, days, delta, vol, error, bid, ask`` [decimal], ``strike``
            [$], ``expiry_before, expiry_after, method, flags`` (as in `vol`, but for ROLL), and ``code``: why
            there is no vol, empty where there is one.

        Raises
        ------
        SettingsError
            A tenor or delta is none.
        """
        names = list(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors))
        years = np.array([tenor_years(name, settings=self.settings) for name in names])
        points = list(dict.fromkeys(parse_point(delta=delta) for delta in deltas))
        self._fill(points)
        clock_at = self._clock_at(years[self._is_short(years)])
        columns: dict[str, list[Any]] = {name: [] for name in _GRID_COLUMNS}
        labels: dict[tuple[int, ...], tuple[str, set[str]]] = {}
        for point in points:
            smiles = self._at(point)
            readings = self._interpolate(smiles, years, clock_at=clock_at)
            error, parts = self._errors(readings, smiles)
            read = np.isfinite(readings.vol)
            strike = self._strikes(readings, smiles, years)
            columns["tenor"] += names
            columns["days"] += (years * _DAYS).tolist()
            columns["delta"] += [point.text] * len(names)
            columns["vol"] += readings.vol.tolist()
            columns["error"] += np.where(read & (not self._by_vendor), error, np.nan).tolist()
            columns["bid"] += np.where(read, parts["bid"], np.nan).tolist()
            columns["ask"] += np.where(read, parts["ask"], np.nan).tolist()
            columns["strike"] += np.where(read, strike, np.nan).tolist()
            for place in range(len(names)):
                before, after = int(readings.before[place]), int(readings.after[place])
                columns["expiry_before"].append("" if before < 0 else self._slices.dates[before].isoformat())
                columns["expiry_after"].append("" if after < 0 else self._slices.dates[after].isoformat())
                if not read[place]:
                    reading = readings.one(place)
                    columns["code"].append(str(self._code(reading)))
                    columns["method"].append("")
                    columns["flags"].append("")
                    continue
                pair = (before,) if before == after else (before, after)
                if pair not in labels:
                    labels[pair] = self._method(pair), set(self.flags)
                method, common = labels[pair]
                flags = common | self._flags_of(pair, smiles)
                if readings.is_wide[place]:
                    flags.add(WIDE_BRACKET)
                if self._by_vendor or not math.isfinite(error[place]):
                    flags.add(NO_QUOTES if self._by_vendor else NO_ERROR)
                columns["code"].append("")
                columns["method"].append(method)
                columns["flags"].append(" ".join(sorted(flags)))
        texts = {name: "str" for name in _GRID_COLUMNS if name in _GRID_TEXTS}
        table = pd.DataFrame(columns).astype(texts)
        order = {name: place for place, name in enumerate(names)}
        by_tenor = np.argsort(table["tenor"].map(order).to_numpy(), kind="stable")
        return table.iloc[by_tenor].reset_index(drop=True)

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
            curves at the 25-, 50- or 75-delta nearest to each delta, beyond their quotes, and where total
            variance falls. No error, no flags: `vol` and `grid` have those.
        """
        time, wanted = np.broadcast_arrays(
            np.asarray(years, dtype=np.float64), np.asarray(delta, dtype=np.float64)
        )
        out = np.full(time.size, np.nan)
        flat_time, flat_delta = time.ravel(), wanted.ravel()
        is_short = self._is_short(flat_time)
        nearest = np.digitize(flat_delta, (0.375, 0.625))
        if "variance" not in self._tables:
            self._tables["variance"] = self._slices.curves.tabulate(self._slices.years)
        for number, standard in enumerate((0.25, 0.5, 0.75)):
            passes = self._at(Point("delta", standard)).passes & self._slices.is_curve
            for short in (False, True):
                here = np.flatnonzero((nearest == number) & (is_short == short))
                if here.size:
                    clock = self._clock if short else self._slices.years
                    at = self._clock_at(flat_time[here]) if short else flat_time[here]
                    out[here] = self._slices.curves.interpolate(
                        passes, clock, self._slices.years, at, ndtri(flat_delta[here]), flat_time[here],
                        table=self._tables["variance"],
                        linear=self.settings.tenor_interpolation == "linear",
                    )  # fmt: skip
        return out.reshape(time.shape)

    def forward_vol(self, *, start: str, end: str, delta: float | str = 0.25) -> Estimate:
        """The vol between two tenors at a constant delta: ``sqrt((w(T2) - w(T1))/(T2 - T1))``.

        Parameters
        ----------
        start, end : str
            Tenors, the first shorter.
        delta : float or str
            As in `vol`.

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
        point = parse_point(delta=delta)
        first, last = (tenor_years(tenor, settings=self.settings) for tenor in (start, end))
        if not first < last:
            raise SettingsError(f"forward_vol needs a start before its end; got {start!r} and {end!r}")
        readings = [self.vol(tenor=tenor, delta=point.text) for tenor in (start, end)]
        flags = {flag for reading in readings for flag in reading.flags}
        details: dict[str, Any] = {
            "start": canonical_tenor(start),
            "end": canonical_tenor(end),
            "delta": point.text,
            "vol_start": readings[0].value,
            "vol_end": readings[1].value,
        }
        missing = [reading for reading in readings if not reading.is_read]
        if missing:
            details["reason"] = missing[0].details["reason"]
            return Estimate(value=math.nan, flags=missing[0].flags, details=details, method=missing[0].method)
        w = [reading.value**2 * years for reading, years in zip(readings, (first, last), strict=True)]
        if w[1] <= w[0]:
            details["reason"] = f"total variance falls from {w[0]:.6f} to {w[1]:.6f}"
            return Estimate(
                value=math.nan, flags=(str(Code.CAL_ARB),), details=details, method=readings[1].method
            )
        value = math.sqrt((w[1] - w[0]) / (last - first))
        smiles = self._at(point)
        both = self._interpolate(smiles, np.array([first, last]))
        share = np.zeros(len(self._slices.years))
        for place, (sign, years) in enumerate(((-1.0, first), (1.0, last))):
            rate = sign * readings[place].value * years / (value * (last - first))
            np.add.at(share, both.expiries[:, place], rate * both.shares[:, place])
        used = share != 0
        bracket = [
            reading.details["bracket_error"] * reading.value * years / (value * (last - first))
            for reading, years in zip(readings, (first, last), strict=True)
        ]
        error = math.sqrt(float(((share[used] * smiles.error[used]) ** 2).sum()) + sum(b**2 for b in bracket))
        known = None if self._by_vendor or not math.isfinite(error) else error
        return Estimate(
            value=value,
            error=known,
            flags=tuple(sorted(flags)),
            method=readings[1].method,
            details=details,
            resolve=self.table,
        )

    @property
    def arbitrage(self) -> pd.DataFrame:
        """Every case of static arbitrage of the smiles; see `volskew.surface.arbitrage.arbitrage_table`."""
        return arbitrage_table(
            self._slices.curves,
            names=self._slices.names,
            forward=self._slices.forward,
            years=self._slices.years,
            readable=self._slices.is_curve.tolist(),
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
        label_, years = canonical_tenor(tenor), tenor_years(tenor, settings=self.settings)
        smiles = self._at(point)
        reading = self._interpolate(smiles, np.array([years])).one(0)
        entries = []
        if reading.code is not None:
            code, reason = self._why_not(reading, years, point)
            entries.append(self._entry(Stage.TENOR, code, f"{label_} {point.label}: {reason}"))
        for number in self._looked_over(reading, years):
            entries += [
                self._entry(
                    Stage.FORWARD if failure.code in FORWARD_CODES else Stage.SMILE,
                    failure.code,
                    f"{self._slices.names[number]}: {failure.detail}",
                )
                for failure in smiles.failures(number, self._slices, self.settings)
                if failure not in self._slices.failures[number]  # those are in the surface's ledger
            ]
        return entries

    def table(self, name: str) -> pd.DataFrame:
        """The table behind a reading: ``"quotes"``, ``"forwards"`` or ``"smiles"``.

        Raises
        ------
        SettingsError
            Another name.
        """
        tables = {"quotes": self.quotes, "forwards": self.forwards, "smiles": self.smiles}
        if name not in tables:
            msg = f"a surface has the tables {', '.join(tables)}; got {name!r}"
            raise SettingsError(msg)
        return tables[name]

    def keys(self, slices: Sequence[int]) -> list[tuple[str, str, pd.Timestamp]]:
        """Root, settlement and expiry of some slices."""
        return [self._slices.keys[number] for number in slices]

    def numbers(self, rows: pd.DataFrame) -> tuple[int, ...]:
        """The numbers of the expiries that stand in the rows of a table of the surface, in its order.

        Parameters
        ----------
        rows : pandas.DataFrame
            Rows of `smiles`, `forwards` or `quotes`.
        """
        keys = rows[["root", "settlement", "expiry"]].drop_duplicates().itertuples(index=False, name=None)
        places = {key: number for number, key in enumerate(self._slices.keys)}
        return tuple(places[key] for key in keys if key in places)

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
        own, parts = self._slices, []
        for number in slices:
            root, settlement, expiry = own.keys[number]
            if own.is_curve[number]:
                k = np.linspace(*own.curves.range(number), 201)
                vol = own.curves.vols(np.full(len(k), number), k)
            else:
                lines = self.quotes
                mine = (lines["root"] == root) & (lines["settlement"] == settlement)
                mine &= (lines["expiry"] == expiry) & lines["smile_vol"].notna()
                there = lines[mine].drop_duplicates("strike").sort_values("strike")
                k, vol = there["log_moneyness"].to_numpy(), there["smile_vol"].to_numpy()
            parts.append(
                pd.DataFrame(
                    {
                        "root": root,
                        "settlement": settlement,
                        "expiry": expiry,
                        "strike": own.forward[number] * np.exp(k),
                        "log_moneyness": k,
                        "vol": vol,
                    }
                )
            )
        if not parts:
            return pd.DataFrame(columns=["root", "settlement", "expiry", "strike", "log_moneyness", "vol"])
        return pd.concat(parts, ignore_index=True)

    def expiries_at(
        self, point: Point, slices: Sequence[int], *, shares: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """What single expiries read at a place: one row each, with its error and what that is made of.

        Parameters
        ----------
        point : Point
        slices : sequence of int
            Numbers of the expiries.
        shares : sequence of float, optional
            What a reading moves by per vol of each: column ``share``.
        """
        smiles, own, rows = self._at(point), self._slices, list(slices)
        keys = self.keys(slices)
        strike = own.forward[rows] * np.exp(smiles.log_moneyness[rows])
        return pd.DataFrame(
            {
                "root": [key[0] for key in keys],
                "settlement": [key[1] for key in keys],
                "expiry": pd.DatetimeIndex([key[2] for key in keys]),
                "days": own.years[rows] * _DAYS,
                "method": [own.methods[number] for number in rows],
                "vol": smiles.vol[rows],
                "error": np.nan if self._by_vendor else smiles.error[rows],
                "fit_error": smiles.fit_error[rows],
                "forward_part": smiles.forward_part[rows],
                "cross_check": smiles.gap[rows],
                "second_vol": smiles.second[rows],
                "bid": smiles.low[rows],
                "ask": smiles.high[rows],
                "forward": own.forward[rows],
                "forward_error": own.forward_error[rows],
                "strike": strike,
                "log_moneyness": smiles.log_moneyness[rows],
                "delta": smiles.delta[rows],
                "delta_below": smiles.around.below[rows],
                "delta_above": smiles.around.above[rows],
                "share": np.nan if shares is None else np.asarray(shares),
                "gates": [
                    " ".join(str(failure.code) for failure in smiles.failures(number, own, self.settings))
                    or "passed"
                    for number in rows
                ],
            }
        )

    # --- parts --------------------------------------------------------------------------------------------

    def _fill(self, points: Sequence[Point]) -> None:
        wanted = [point for point in points if point not in self._cache]
        if wanted:
            self._cache.update(zip(wanted, read_points(self._slices, wanted, self.settings), strict=True))

    def _at(self, point: Point) -> AtPoint:
        self._fill([point])
        return self._cache[point]

    @property
    def _clock(self) -> FloatArray:
        """Time to each expiry on the clock of variance."""
        if "clock" not in self._tables:
            keys = [expiry for _, _, expiry in self._slices.keys]
            expiries = pd.DatetimeIndex(keys, dtype="datetime64[us, UTC]")
            # expired ones, and those beyond the calendar of sessions, have no time on its clock
            known = (expiries > self.snapshot_time) & (expiries < pd.Timestamp(LAST_DAY, tz=EASTERN))
            self._tables["clock"] = variance_years(
                self.snapshot_time, pd.DatetimeIndex(expiries.where(known))
            )
        return self._tables["clock"]

    def _clock_at(self, years: FloatArray) -> FloatArray:
        """Times from the snapshot on the clock of variance."""
        instants = self.snapshot_time + pd.to_timedelta(years * _DAYS, unit="D")
        return variance_years(self.snapshot_time, pd.DatetimeIndex(instants))

    def _interpolate(
        self,
        smiles: AtPoint,
        tenors: FloatArray,
        *,
        without: int | None = None,
        clock_at: FloatArray | None = None,
    ) -> TenorReadings:
        """Readings at tenors; `clock_at` are the short ones on the clock of variance, if known already."""
        passes = smiles.passes
        if without is not None:
            passes = passes.copy()
            passes[without] = False
        own, bracket = self._slices, self.settings.bracket
        short = self._is_short(tenors)
        rule = self.settings.tenor_interpolation
        if not short.any():
            return interpolate_all(
                own.years, smiles.vol, passes, tenors=tenors, bracket=bracket, rule=rule, errors=smiles.error
            )
        at = tenors.copy()
        at[short] = self._clock_at(tenors[short]) if clock_at is None else clock_at
        parts = [
            interpolate_all(
                own.years, smiles.vol, passes, tenors=tenors[mask], bracket=bracket,
                clock=self._clock if mask is short else own.years, clock_at=at[mask], rule=rule,
                errors=smiles.error,
            )
            for mask in (short, ~short)
        ]  # fmt: skip
        order = np.argsort(np.concatenate([np.flatnonzero(short), np.flatnonzero(~short)]))
        return TenorReadings(
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., order]
                for name in TenorReadings.__slots__
            )
        )

    def _is_short(self, years: FloatArray) -> BoolArray:
        """Tenors that are interpolated on the clock of variance."""
        return years * _DAYS < self.settings.variance_time_below_days

    def _errors(self, readings: TenorReadings, smiles: AtPoint) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Standard errors of readings [vol], and what they are made of."""
        if not len(smiles.vol):
            nothing = np.full(len(readings.vol), np.nan)
            names = ("fit_error", "forward_error", "cross_check", "bid", "ask")
            return nothing, dict.fromkeys(names, nothing)
        error = np.sqrt(readings.total(smiles.error) ** 2 + readings.bracket_error**2)
        return error, {
            "fit_error": readings.total(smiles.fit_error),
            "forward_error": readings.total(smiles.forward_part),
            "cross_check": readings.total(smiles.gap),
            "bid": readings.vol + readings.moved(smiles.low - smiles.vol),
            "ask": readings.vol + readings.moved(smiles.high - smiles.vol),
        }

    def _flags_of(self, pair: Sequence[int], smiles: AtPoint) -> set[str]:
        """What should be known of the expiries of a reading."""
        flags: set[str] = set()
        asked = self.settings.smile_model
        for number in pair:
            flags.update(self._slices.flags[number].split())
            if smiles.is_wide[number]:
                flags.add(WIDE_WINDOW)
            if smiles.disagrees[number]:
                flags.add(FITS_DISAGREE)
            if not math.isfinite(smiles.gap[number]):
                flags.add(NO_CROSS_CHECK)
            if self._slices.methods[number] != asked:
                flags.add(SMILE_FALLBACK)
        return flags

    def _forward(self, reading: TenorReading, years: float) -> float:
        """The forward at a tenor, linear in its logarithm over calendar time."""
        if reading.before is None or reading.after is None:
            return math.nan
        logs = np.log(self._slices.forward[[reading.before, reading.after]])
        first, last = self._slices.years[[reading.before, reading.after]]
        share = (years - first) / (last - first) if last > first else 0.0
        return float(np.exp(logs[0] + share * (logs[1] - logs[0])))

    def _place(self, reading: TenorReading, smiles: AtPoint, years: float) -> dict[str, Any]:
        """Forward and strike at the tenor."""
        forward = self._forward(reading, years)
        point = smiles.point
        if point.kind == "log_moneyness":
            k = point.value
        elif point.kind == "strike":
            k = math.log(point.value / forward)
        else:
            wanted = float(smiles.delta[reading.before])
            root = reading.vol * math.sqrt(years)
            k = root * (root / 2 - float(ndtri(wanted)))
        return {
            "forward": forward,
            "strike": forward * math.exp(k),
            "log_moneyness": k,
            "weight": reading.weight,
        }

    def _strikes(self, readings: TenorReadings, smiles: AtPoint, years: FloatArray) -> FloatArray:
        """Strikes of readings at a delta [$]."""
        if not len(smiles.vol):
            return np.full(len(years), np.nan)
        return np.array(
            [
                self._place(readings.one(place), smiles, float(time))["strike"]
                if math.isfinite(readings.vol[place])
                else math.nan
                for place, time in enumerate(years)
            ]
        )

    def _neighbouring(self, reading: TenorReading, smiles: AtPoint, years: float) -> dict[str, TenorReading]:
        """What the reading would be from the next expiry on either side."""
        both = {"without_before": reading.before, "without_after": reading.after}
        return {
            name: self._interpolate(smiles, np.array([years]), without=number).one(0)
            for name, number in both.items()
        }

    def _method(self, pair: Sequence[int]) -> str:
        """How a reading was made, from the slices it used, or all of them where there is none."""
        chosen = pair or range(len(self._slices.forward_methods))
        used = sorted({self._slices.forward_methods[number] for number in chosen} - {""})
        smiles = "+".join(sorted({self._slices.methods[number] for number in chosen})) or "none"
        kind = "vendor-vol" if self._by_vendor else _exercise(used)
        rate = [f"rate={self.rate}"] if needs_rate(used) else []
        convention = self.settings.delta_convention
        delta = [] if convention == "forward" else [f"delta={convention}"]
        return " ".join([smiles, kind, *used, *rate, *delta])

    def _entry(self, stage: Stage, code: Code, detail: str) -> Entry:
        return Entry(self.date, self.symbol, str(stage), str(code), 1, detail, self.source)

    def _looked_over(self, reading: TenorReading, tenor: float) -> list[int]:
        """Slices between the expiries used, or between the tenor and the nearest used, that failed a gate."""
        years = self._slices.years
        low = years[reading.before] if reading.before is not None else -np.inf
        high = years[reading.after] if reading.after is not None else np.inf
        between = [int(i) for i in np.flatnonzero((years > low) & (years < high))]
        if reading.code in {Code.NO_EXPIRY_BEFORE, Code.NO_EXPIRY_AFTER}:
            between = sorted(between, key=lambda i: abs(years[i] - tenor))[:_NEAREST_NAMED]
        return sorted(between)

    def _code(self, reading: TenorReading) -> Code:
        if not len(self._slices.nodes.vol):
            return Code.NO_QUOTES_LEFT
        return reading.code or Code.NO_FIT

    def _why_not(self, reading: TenorReading, tenor: float, point: Point) -> tuple[Code, str]:
        code = self._code(reading)
        if code is Code.NO_QUOTES_LEFT:
            return code, code.meaning
        smiles = self._at(point)
        if code is Code.CAL_ARB and reading.before is not None and reading.after is not None:
            return code, (
                f"total variance falls from vol {smiles.vol[reading.before]:.4f} at "
                f"{self._slices.names[reading.before]} to {smiles.vol[reading.after]:.4f} at "
                f"{self._slices.names[reading.after]}"
            )
        own = self._slices.years
        side = own < tenor + _HALF_A_DAY if code is Code.NO_EXPIRY_BEFORE else own > tenor - _HALF_A_DAY
        candidates = np.flatnonzero(side)
        if not len(candidates):
            return code, f"{code.meaning}: the chain has none on that side of {tenor * 365:g} days"
        nearest = int(candidates[np.abs(self._slices.years[candidates] - tenor).argmin()])
        failed = smiles.failures(nearest, self._slices, self.settings)
        why = "; ".join(f"{failure.code} ({failure.detail})" for failure in failed)
        return code, f"{code.meaning}; the nearest, {self._slices.names[nearest]}, failed {why}"


_GRID_COLUMNS = (
    "tenor",
    "days",
    "delta",
    "vol",
    "error",
    "bid",
    "ask",
    "strike",
    "expiry_before",
    "expiry_after",
    "method",
    "flags",
    "code",
)
_GRID_TEXTS = frozenset({"tenor", "delta", "expiry_before", "expiry_after", "method", "flags", "code"})
FORWARD_CODES = frozenset({Code.NO_FORWARD, Code.FORWARD_ERROR})
_NEAREST_NAMED = 3
"""Failed expiries named beside a missing reading."""


def _exercise(methods: Collection[str]) -> str:
    """How early exercise stands in forwards made in these ways."""
    if not AMERICAN.isdisjoint(methods):
        return "american-exercise"
    return "exercise-ignored" if IGNORED in methods else "european-exercise"


def needs_rate(methods: Collection[str]) -> bool:
    """Whether a discount rate stands behind forwards made in these ways; the vendor's deltas need none."""
    return any(method not in {"vendor-delta", PARITY_OF_VOLS} for method in methods)


def _rolls(reading: TenorReading, other: TenorReading, error: float) -> bool:
    """Whether a reading without one of its expiries is another one by more than errors explain."""
    return abs(other.vol - reading.vol) > max(_ROLL, _ROLL_ERRORS * (error + other.bracket_error))


def _shares(readings: TenorReadings) -> list[tuple[int, float]]:
    """Expiries of the first reading, each with its share."""
    both = zip(readings.expiries[:, 0].tolist(), readings.shares[:, 0].tolist(), strict=True)
    return [(number, share) for number, share in both if share]
