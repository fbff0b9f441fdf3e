"""Surface: one snapshot's quotes, forwards and smiles, and the vol at any tenor and delta between them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from volskew.errors import SettingsError
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.market.tenors import canonical_tenor, tenor_years
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Settings
from volskew.surface.delta import delta_label, delta_text, parse_delta
from volskew.surface.estimate import Estimate
from volskew.surface.forwards import AMERICAN, PARITY_OF_VOLS
from volskew.surface.gates import Failure, read_failures
from volskew.surface.local import LocalFits, Nodes, fit_local
from volskew.surface.pricer import IGNORED
from volskew.surface.tenor import WIDE_BRACKET, TenorReading, interpolate

__all__ = ["FORWARD_CODES", "AtDelta", "Slices", "Surface", "at_delta", "needs_rate"]

NO_ERROR = "NO_ERROR"
"""Flag of a reading whose error is not yet known."""
NO_QUOTES = "NO_QUOTES"
"""Flag of a reading from a vendor's vols: no error can be claimed."""
WIDE_WINDOW = "WIDE_WINDOW"
"""Flag of a reading whose fit had to reach farther in delta for enough quotes."""


@dataclass(frozen=True, slots=True)
class Slices:
    """What readings are made of: one entry a slice, and the quotes that serve the smiles."""

    names: tuple[str, ...]
    dates: tuple[dt.date, ...]
    methods: tuple[str, ...]
    flags: tuple[str, ...]
    years: FloatArray
    forward: FloatArray
    failures: tuple[tuple[Failure, ...], ...]
    nodes: Nodes


@dataclass(frozen=True, slots=True)
class AtDelta:
    """All slices at one delta."""

    vols: FloatArray
    passes: BoolArray
    n_points: IntArray
    is_wide: BoolArray
    failures: tuple[tuple[Failure, ...], ...]


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
    _cache: dict[float, AtDelta] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """The files that the quotes are from."""
        return ", ".join(sorted(self.quotes["source_file"].unique()))

    def vol(self, *, tenor: str = "3m", delta: float | str = 0.25) -> Estimate:
        """The implied vol at a constant maturity and a constant delta.

        Parameters
        ----------
        tenor : str
            ``"3m"``, ``"1y"``, ``"91d"``, ... (see `volskew.market.tenors.tenor_days`).
        delta : float or str
            Forward call delta, or ``"25c"``, ``"25p"``, ``"50"``.

        Returns
        -------
        Estimate
            ``value`` [decimal, annual, ACT/365]; NaN where there is no reading, with the reason's code in
            ``flags`` and its sentence in ``details["reason"]``. ``details`` also holds forward [$, at the
            tenor], expiry_before and expiry_after (ISO dates), n_quotes (in the windows of both fits), and
            bracket_error [decimal vol].

        Raises
        ------
        SettingsError
            The tenor or the delta is none.
        """
        wanted = parse_delta(delta)
        years = tenor_years(tenor, settings=self.settings)
        smiles = self._at(wanted)
        reading = interpolate(
            self._slices.years, smiles.vols, smiles.passes, tenor=years, bracket=self.settings.bracket
        )
        details: dict[str, Any] = {
            "tenor": canonical_tenor(tenor),
            "delta": delta_text(wanted),
            "symbol": self.symbol,
            "date": self.date.isoformat(),
            "forward": math.nan,
            "expiry_before": "" if reading.before is None else self._slices.dates[reading.before].isoformat(),
            "expiry_after": "" if reading.after is None else self._slices.dates[reading.after].isoformat(),
            "n_quotes": 0,
            "bracket_error": reading.bracket_error,
        }
        if reading.code is not None or reading.before is None or reading.after is None:
            code, reason = self._why_not(reading, years, wanted)
            details["reason"] = reason
            return Estimate(
                value=math.nan,
                flags=(str(code),),
                method=self._method(()),
                details=details,
                resolve=self.table,
            )
        pair = sorted({reading.before, reading.after})
        logs = np.log(self._slices.forward[[reading.before, reading.after]])
        details["forward"] = float(np.exp(logs[0] + reading.weight * (logs[1] - logs[0])))
        details["n_quotes"] = int(smiles.n_points[pair].sum())
        flags = {*self.flags, NO_QUOTES if self._by_vendor else NO_ERROR}
        flags.update(*(self._slices.flags[number].split() for number in pair))
        if reading.is_wide:
            flags.add(WIDE_BRACKET)
        if smiles.is_wide[pair].any():
            flags.add(WIDE_WINDOW)
        return Estimate(
            value=reading.vol,
            error=None,
            flags=tuple(sorted(flags)),
            method=self._method(pair),
            details=details,
            resolve=self.table,
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
        wanted = parse_delta(delta)
        label_, years = canonical_tenor(tenor), tenor_years(tenor, settings=self.settings)
        smiles = self._at(wanted)
        reading = interpolate(
            self._slices.years, smiles.vols, smiles.passes, tenor=years, bracket=self.settings.bracket
        )
        entries = []
        if reading.code is not None:
            code, reason = self._why_not(reading, years, wanted)
            entries.append(self._entry(Stage.TENOR, code, f"{label_} {delta_label(wanted)}: {reason}"))
        for number in self._looked_over(reading, years):
            entries += [
                self._entry(
                    Stage.FORWARD if failure.code in FORWARD_CODES else Stage.SMILE,
                    failure.code,
                    f"{self._slices.names[number]}: {failure.detail}",
                )
                for failure in smiles.failures[number]
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

    # --- parts --------------------------------------------------------------------------------------------

    def _at(self, delta: float) -> AtDelta:
        if delta not in self._cache:
            fits = fit_local(self._slices.nodes, (delta,), n_slices=len(self._slices.years))
            self._cache[delta] = at_delta(fits, 0, self._slices.failures, self.settings)
        return self._cache[delta]

    def _method(self, pair: Sequence[int]) -> str:
        """How a reading was made, from the slices it used, or all of them where there is none."""
        chosen = pair or range(len(self._slices.methods))
        used = sorted({self._slices.methods[number] for number in chosen} - {""})
        kind = "vendor-vol" if self._by_vendor else _exercise(used)
        rate = [f"rate={self.rate}"] if needs_rate(used) else []
        return " ".join([self.settings.smile_model, kind, *used, *rate])

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

    def _why_not(self, reading: TenorReading, tenor: float, delta: float) -> tuple[Code, str]:
        if not len(self._slices.nodes.vol):
            return Code.NO_QUOTES_LEFT, Code.NO_QUOTES_LEFT.meaning
        if reading.code is Code.CAL_ARB and reading.before is not None and reading.after is not None:
            vols = self._at(delta).vols
            return Code.CAL_ARB, (
                f"total variance falls from vol {vols[reading.before]:.4f} at "
                f"{self._slices.names[reading.before]} to {vols[reading.after]:.4f} at "
                f"{self._slices.names[reading.after]}"
            )
        code = reading.code or Code.NO_FIT
        side = self._slices.years < tenor if code is Code.NO_EXPIRY_BEFORE else self._slices.years > tenor
        candidates = np.flatnonzero(side)
        if not len(candidates):
            return code, f"{code.meaning}: the chain has none on that side of {tenor * 365:g} days"
        nearest = int(candidates[np.abs(self._slices.years[candidates] - tenor).argmin()])
        failed = self._at(delta).failures[nearest]
        why = "; ".join(f"{failure.code} ({failure.detail})" for failure in failed)
        return code, f"{code.meaning}; the nearest, {self._slices.names[nearest]}, failed {why}"


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


def at_delta(
    fits: LocalFits, target: int, common: tuple[tuple[Failure, ...], ...], settings: Settings
) -> AtDelta:
    """Vols and gates of all slices at one target of the fits; `common` are the gates failed at any delta."""
    around = read_failures(fits, target, gates=settings.gates)
    failures = tuple((*first, *second) for first, second in zip(common, around, strict=True))
    return AtDelta(
        vols=fits.vol[target],
        passes=np.array([not failed for failed in failures], dtype=bool),
        n_points=fits.n_points[target],
        is_wide=fits.is_wide[target],
        failures=failures,
    )
