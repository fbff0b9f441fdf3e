"""Several readings of one surface with their joint error, and numbers made of them: skews, slopes, forwards.

Readings of one surface do not err independently. The vols of an expiry at two deltas come from the same fit,
the same forward and the same second smile; tenors share expiries; what lies between the expiries moves all
deltas. Much of that cancels in a difference, so its error is not that of two independent readings. Each part
of the error becomes a matrix:

* **quotes**: the posterior covariance of the smile between the two places, expiry by expiry, times the shares
  that both readings have of it. Local fits have windows of their own and are taken as independent.
* **forwards**: one error a forward, that moves each place by its own response, sign included.
* **smiles**: half the distance to the second smile, with its sign: of a difference it is half of what the
  difference is off by on the second smile.
* **maturity**: what lies between the expiries is a process of the vols over their level, the same at all
  deltas but for a part of each; two tenors have of it what the process says. What the weekend's weight moves
  is one unknown for all.

A number made of the readings has the error ``sqrt(g' C g)`` with the gradient ``g`` of the number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import ndtri

from volskew.errors import SettingsError, shown
from volskew.ledger import Code
from volskew.loading import importing
from volskew.market.tenors import canonical_tenor
from volskew.quotes.lines import FloatArray
from volskew.surface.drill import Behind, BehindSeveral, Tables
from volskew.surface.estimate import Estimate
from volskew.surface.expiries import Expiries
from volskew.surface.labels import DIFFERENT_EXPIRIES, NO_ERROR, NO_QUOTES, ROLL, exceeds_roll
from volskew.surface.points import Point, parse_point
from volskew.surface.tenor import LINEAR
from volskew.surface.vol_reading import Single, claimed, read_several

__all__ = ["PARTS", "Joint", "read_ahead", "read_forward_vol", "read_jointly", "wanted_readings"]

PARTS = ("fit_error", "forward_error", "cross_check", "bracket_error")
"""Parts of an error, as the details of an estimate name them."""
_DELTAS_TOGETHER = 13.0
"""In d1: the correlation of what lies between the expiries at two places is ``exp(-distance / this)``, 0.95
between 25 and 50 delta. Leave one expiry of a real chain out and read it from its neighbours (90 expiries of
QQQ, IWM and SPX): what 25 and 50 delta are off by, over their vols, differs as with 0.98, both wings as
with 0.96, and the tails are fat: at 0.95 and 0.90 the 90 % intervals of call skew, put skew and risk reversal
held in 90, 81 and 82 of 100, at 1 in 55 to 63."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Several readings of one surface, and how their errors go together. Made by `Surface.joint`.

    Attributes
    ----------
    readings : tuple of Estimate
        In the order asked for; a missing one is NaN with its reason.
    covariances : mapping of str to ndarray of float, (readings, readings)
        [vol^2] Of each part of the error: ``fit_error`` (quotes), ``forward_error``, ``cross_check`` (half
        the distance to the second smile) and ``bracket_error`` (what lies between the expiries). NaN where a
        reading is missing, or its error not known.
    """

    readings: tuple[Estimate, ...]
    covariances: Mapping[str, FloatArray] = field(repr=False)
    _expiries: Expiries = field(repr=False)
    _singles: tuple[Single, ...] = field(repr=False)

    @property
    def vols(self) -> FloatArray:
        """The readings [decimal, annual]; NaN where one is missing."""
        return np.array([reading.value for reading in self.readings])

    @property
    def covariance(self) -> FloatArray:
        """Of the readings' errors, all parts together [vol^2]; NaN where no error can be claimed."""
        total = sum(self.covariances.values(), np.zeros((len(self.readings),) * 2))
        return np.full_like(total, np.nan) if self._expiries.by_vendor else total

    @property
    def missing(self) -> tuple[Estimate, ...]:
        """The readings that do not exist."""
        return tuple(reading for reading in self.readings if not reading.is_read)

    def combine(self, weights: Sequence[float], *, value: float | None = None, **details: Any) -> Estimate:
        """A number made of the readings, with one error.

        Parameters
        ----------
        weights : sequence of float
            What the number moves by per vol of each reading.
        value : float, optional
            The number, where it is not the weighted sum of the vols.
        **details
            Put first among its details.

        Returns
        -------
        Estimate
            ``error = sqrt(weights' C weights)``. NaN, with the codes and reasons of the readings that are
            missing, where one is. ``details`` hold ``forward`` (at the last tenor), ``expiry_before`` and
            ``expiry_after`` (the first and the last expiry that any reading lies between), ``n_quotes`` (the
            fewest of any reading), the parts of the error as in `Surface.vol`, and of readings at one tenor
            ``without_before`` and ``without_after``. Flags are those of the readings, and DIFFERENT_EXPIRIES
            where readings of one tenor lie between different ones. ``resolve`` tells the share of each
            expiry in each reading.

        Raises
        ------
        SettingsError
            There is not one finite weight for each reading, or `value` is no number.

        Examples
        --------
        A call skew by hand, on a surface that was read from files::

            both = surface.joint([("3m", "25c"), ("3m", "50")])
            both.combine([1, -1])  # Estimate: vol(25c) - vol(50)
        """
        g = _weights(weights, len(self.readings))
        given: object = value
        if given is not None and (isinstance(given, bool | np.bool_) or not isinstance(given, Real)):
            raise SettingsError(f"value must be a number, or None for the weighted sum; got {shown(value)}")
        details |= self._common
        if self.missing:
            codes = {flag for reading in self.missing for flag in reading.flags}
            return self.nothing(codes, "; ".join(_reasons(self.missing)), **details)
        if not np.isfinite(g).all():
            raise SettingsError(f"weights must be finite; got {shown(weights)}")
        number = float(g @ self.vols) if value is None else float(value)
        squares = {name: float(np.maximum(g @ part @ g, 0.0)) for name, part in self.covariances.items()}
        error = claimed(self._expiries, math.sqrt(sum(squares.values())))
        details |= {name: math.sqrt(square) for name, square in squares.items()}
        details["cross_check"] *= 2.0  # the distance, as everywhere
        flags = {flag for reading in self.readings for flag in reading.flags} - {NO_ERROR, NO_QUOTES}
        if error is None:
            flags.add(NO_QUOTES if self._expiries.by_vendor else NO_ERROR)
        if self._has_one_tenor:
            flags -= {ROLL}
            for name in ("without_before", "without_after"):
                others = np.array([reading.details[name] for reading in self.readings])
                moved = float(g @ (others - self.vols))
                details[name] = number + moved
                if exceeds_roll(moved, error or 0.0, scale=float(np.abs(g).max())):
                    flags.add(ROLL)
            if len({self._bracket(reading) for reading in self.readings}) > 1:
                flags.add(DIFFERENT_EXPIRIES)
        return Estimate(
            value=number, error=error, flags=tuple(sorted(flags)), method=self._last.estimate.method,
            details=details, resolve=self._behind(g),
        )  # fmt: skip

    def nothing(self, codes: Iterable[str], reason: str, **details: Any) -> Estimate:
        """The estimate of a number that does not exist: its codes, why, what stands behind the readings."""
        return Estimate(
            value=math.nan, flags=tuple(sorted(codes)),
            method=(self.missing or (self._last.estimate,))[0].method,
            details=self._common | details | {"reason": reason},
            resolve=self._behind(np.full(len(self.readings), np.nan)),
        )  # fmt: skip

    def _behind(self, rates: FloatArray) -> Behind | BehindSeveral:
        parts = tuple(single.behind for single in self._singles)
        if len({part.point for part in parts}) == 1:
            return Behind.together(parts, rates.tolist())
        return BehindSeveral(parts, tuple(rates.tolist()))

    @property
    def _last(self) -> Single:
        """The reading at the last tenor."""
        return max(self._singles, key=lambda single: float(single.years[0]))

    @property
    def _has_one_tenor(self) -> bool:
        return len({float(single.years[0]) for single in self._singles}) == 1

    @staticmethod
    def _bracket(reading: Estimate) -> tuple[str, str]:
        return reading.details["expiry_before"], reading.details["expiry_after"]

    @property
    def _common(self) -> dict[str, Any]:
        """Details that say where the readings lie."""
        before, after = zip(*(self._bracket(reading) for reading in self.readings), strict=True)
        first = self.readings[0].details
        return {
            **{name: first[name] for name in ("symbol", "date") if name in first},
            "forward": self._last.estimate.details["forward"],
            "expiry_before": "" if "" in before else min(before),
            "expiry_after": "" if "" in after else max(after),
            "n_quotes": min(reading.details["n_quotes"] for reading in self.readings),
        }


def _weights(weights: object, count: int) -> FloatArray:
    """One number for each reading."""
    found: list[object] = []
    if not isinstance(weights, str | bytes):
        try:
            found = list(weights)  # type: ignore[call-overload]
        except TypeError:
            found = []
    is_real = [isinstance(item, Real) and not isinstance(item, bool | np.bool_) for item in found]
    if len(found) != count or not all(is_real):
        raise SettingsError(f"{count} readings need as many weights, each a number; got {shown(weights)}")
    return np.array(found, dtype=np.float64)


def _reasons(missing: Sequence[Estimate]) -> list[str]:
    return list(
        dict.fromkeys(
            f"{reading.details['tenor']} {reading.details['delta']}: {reading.details['reason']}"
            for reading in missing
        )
    )


def wanted_readings(given: object) -> list[tuple[str, Point]]:
    """Tenors and places in canonical spelling, from what `Surface.joint` takes, or a SettingsError."""
    try:
        pairs = list(given)  # type: ignore[call-overload]
    except TypeError:
        pairs = []
    if not pairs or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        example = '[("3m", "25c"), ("3m", "50")]'
        raise SettingsError(f"readings must be (tenor, delta) each, such as {example}; got {shown(given)}")
    return [(canonical_tenor(tenor), parse_point(delta=delta)) for tenor, delta in pairs]


def read_jointly(
    expiries: Expiries, tables: Tables, wanted: Sequence[tuple[str, Point]], *, names: Mapping[str, str]
) -> Joint:
    """Readings at some tenors and places, with their joint error. See `Surface.joint`."""
    singles = tuple(read_several(expiries, tables, wanted, names=names))
    return Joint(
        readings=tuple(single.estimate for single in singles),
        covariances=_known_covariances(expiries, wanted) or _covariances(expiries, singles),
        _expiries=expiries,
        _singles=singles,
    )


def read_forward_vol(
    expiries: Expiries, tables: Tables, tenors: tuple[str, str], point: Point, *, names: Mapping[str, str]
) -> Estimate:
    """The vol between two tenors, the first shorter, at a constant delta. See `Surface.forward_vol`."""
    joint = read_jointly(expiries, tables, [(tenor, point) for tenor in tenors], names=names)
    start, end = joint.readings
    first, last = (float(single.years[0]) for single in joint._singles)  # noqa: SLF001 - of this module
    details: dict[str, Any] = {
        "start": start.details["tenor"],
        "end": end.details["tenor"],
        "delta": point.text,
        "vol_start": start.value,
        "vol_end": end.value,
    }
    if joint.missing:
        return joint.combine([0.0, 0.0], **details)
    w = start.value**2 * first, end.value**2 * last
    if w[1] <= w[0]:
        reason = f"total variance falls from {w[0]:.6f} to {w[1]:.6f}"
        return joint.nothing([str(Code.CAL_ARB)], reason, **details)
    value = math.sqrt((w[1] - w[0]) / (last - first))
    # what the forward vol moves by as either reading does
    span = value * (last - first)
    return joint.combine([-start.value * first / span, end.value * last / span], value=value, **details)


def read_ahead(
    expiries: Expiries, tables: Tables, wanted: Sequence[tuple[str, Point]], *, names: Mapping[str, str]
) -> None:
    """Make readings that are asked for later, and their covariances, all at once."""
    singles = dict(zip(wanted, read_several(expiries, tables, wanted, names=names), strict=True))
    read = {key: single for key, single in singles.items() if single.estimate.is_read}
    if len(read) > 1:
        parts = _covariances(expiries, list(read.values()))
        expiries.kept[_COVARIANCES] = {key: row for row, key in enumerate(read)}, parts


_COVARIANCES = "covariances"
"""Under which `Expiries.kept` has those that were made ahead."""


def _known_covariances(
    expiries: Expiries, wanted: Sequence[tuple[str, Point]]
) -> dict[str, FloatArray] | None:
    """Covariances that were made ahead; None where one of the readings was not."""
    rows, parts = expiries.kept.get(_COVARIANCES, ({}, {}))
    if not all(key in rows for key in wanted):
        return None
    mine = np.array([rows[key] for key in wanted], dtype=np.intp)
    return {name: part[np.ix_(mine, mine)] for name, part in parts.items()}


def _covariances(expiries: Expiries, singles: Sequence[Single]) -> dict[str, FloatArray]:
    """The parts of the readings' covariance [vol^2]."""
    count, own = len(singles), expiries.slices
    unknown = np.full((count, count), np.nan)
    if not all(single.estimate.is_read for single in singles):
        return dict.fromkeys(PARTS, unknown)
    shares = np.zeros((count, len(own.years)))
    for row, single in enumerate(singles):
        np.add.at(shares[row], single.readings.expiries[:, 0], single.readings.shares[:, 0])
    # an expiry without a part in a reading may be unreadable there
    used = shares != 0
    both = shares[:, np.newaxis] * shares[np.newaxis]
    both_used = used[:, np.newaxis] & used[np.newaxis]

    def shared(covariances: FloatArray) -> FloatArray:
        """Sum over the expiries of what both readings have of (readings, readings, expiries)."""
        return np.asarray(np.where(both_used, both * covariances, 0.0).sum(axis=2))

    forward, half_gap = (
        np.nan_to_num(np.stack(parts))
        for parts in (
            [single.smiles.with_forward for single in singles],
            [(single.smiles.second - single.smiles.vol) / 2 for single in singles],
        )
    )
    return {
        "fit_error": shared(_fit_covariances(expiries, singles)),
        "forward_error": shared(forward[:, np.newaxis] * forward[np.newaxis]),
        "cross_check": shared(half_gap[:, np.newaxis] * half_gap[np.newaxis]),
        "bracket_error": _between_expiries(expiries, singles),
    }


def _fit_covariances(expiries: Expiries, singles: Sequence[Single]) -> FloatArray:
    """Of the fits, (readings, readings, expiries) [vol^2]."""
    own = expiries.slices
    k = np.stack([single.smiles.log_moneyness for single in singles])
    at_delta = np.array([single.smiles.point.kind == "delta" for single in singles])
    curves = np.moveaxis(own.curves.covary(k, at_delta=at_delta), 0, 2)
    # the windows of two local fits share few quotes; those of one place are one fit
    errors = np.stack([single.smiles.fit_error for single in singles])
    points = [single.smiles.point for single in singles]
    same = np.array([[one == other for other in points] for one in points])
    local = np.where(same[:, :, np.newaxis], errors[:, np.newaxis] * errors[np.newaxis], 0.0)
    return np.where(own.is_curve, curves, local)


def _between_expiries(expiries: Expiries, singles: Sequence[Single]) -> FloatArray:
    """Of what lies between the expiries, (readings, readings) [vol^2]."""
    deviation, by_clock = (
        np.array([float(getattr(single.readings, name)[0]) for single in singles])
        for name in ("deviation", "by_clock")
    )
    together = _process_correlations(expiries, singles) * _delta_correlations(singles)
    return np.asarray(np.outer(deviation, deviation) * together + np.outer(by_clock, by_clock))


def _process_correlations(expiries: Expiries, singles: Sequence[Single]) -> FloatArray:
    """Of the process between the expiries, by tenor: 1 at one and the same."""
    years = np.concatenate([single.years for single in singles])
    one_tenor: FloatArray = (years[:, np.newaxis] == years[np.newaxis]).astype(np.float64)
    if expiries.settings.tenor_interpolation == LINEAR:
        return one_tenor
    clock, at = expiries.clock, expiries.clock_at(years)
    members = np.stack([single.readings.expiries[:, 0] for single in singles])
    shares = np.stack([single.readings.shares[:, 0] for single in singles])
    there = shares != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        # from vols by the calendar to vols by the clock, as the process knows them
        faster = np.sqrt(expiries.slices.years[members] / clock[members])
        weights = np.where(there, shares / (faster * np.sqrt(at / years)[:, np.newaxis]), 0.0)
    with importing:
        from volskew.smile import term_kernels  # noqa: PLC0415
    found = np.empty_like(one_tenor)
    term_kernels.covary(np.where(there, clock[members], np.nan), weights, expiries.evidence(years), at, found)
    # an expiry at the tenor leaves nothing open, and goes with nothing
    return np.asarray(np.nan_to_num(np.clip(found, -1.0, 1.0)))


def _delta_correlations(singles: Sequence[Single]) -> FloatArray:
    """Of the process between the expiries, by place."""
    d1 = ndtri([float(single.smiles.delta[single.readings.before[0]]) for single in singles])
    return np.asarray(np.exp(-np.abs(d1[:, np.newaxis] - d1[np.newaxis]) / _DELTAS_TOGETHER))
