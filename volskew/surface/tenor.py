"""Constant maturity: total variance at constant delta, along a monotone cubic between expiries.

    vol = sqrt(w(t)/T),   w(t_i) = s_i^2 T_i

with ``s_i`` the vol of each expiry at the same delta, ``T`` calendar time and ``t`` time on the clock in
which variance accrues: the calendar, or below some days variance time, in which a weekend counts for little
(`volskew.market.variance_time`). The cubic (`volskew.smile.tenor_kernels`) takes its slopes from the next
expiry on either side. The straight line between the two expiries around the tenor, which many
vendors take, reads too high where total variance is convex in time, and day after day so. Nothing is
extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from volskew.ledger import Code
from volskew.loading import importing
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Bracket

__all__ = ["WIDE_BRACKET", "TenorReading", "TenorReadings", "interpolate", "interpolate_all"]

WIDE_BRACKET = "WIDE_BRACKET"
"""Flag of a reading whose two expiries lie outside the preferred bracket."""

_EXACT = 2.0 / 24 / 365
"""[years] An expiry this near the tenor is the tenor: clock changes and settlement times differ by hours."""
_RULE_SHARE = 0.2
"""Of the distance between the ways to interpolate: what the cubic may be off by."""
_NOISE_SHARE = 0.5
_DIFFERENCE = 1e-6


@dataclass(frozen=True, slots=True)
class TenorReading:
    """A vol at a tenor, or the reason why there is none.

    Attributes
    ----------
    vol : float
        NaN where `code` says why.
    before, after : int or None
        Positions of the expiries used; equal where one expiry is the tenor.
    weight : float
        Share of `after` in total variance.
    is_wide : bool
        The bracket lies outside the preferred one.
    bracket_error : float
        [vol] What the interpolation may be off by: for the line in total variance its distance to the line in
        vol, for the cubic a fifth of that, or of its own distance to the line in total variance.
    code : Code or None
    """

    vol: float
    before: int | None
    after: int | None
    weight: float = 0.0
    is_wide: bool = False
    bracket_error: float = 0.0
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class TenorReadings:
    """Readings at several tenors, as arrays of one length; positions are -1 where there is no expiry.

    Attributes
    ----------
    vol, weight, bracket_error : ndarray of float
    before, after : ndarray of int
    is_wide, falls : ndarray of bool
        `falls`: total variance does not increase between the two.
    expiries : ndarray of int, (4, readings)
        The expiries that a reading is made of: the outer one before, the two around the tenor, the outer one
        after. An expiry at the tenor stands alone, in the second row.
    shares : ndarray of float, (4, readings)
        dvol of the reading per dvol of each of these; 0 where there is none.
    """

    vol: FloatArray
    weight: FloatArray
    bracket_error: FloatArray
    before: IntArray
    after: IntArray
    is_wide: BoolArray
    falls: BoolArray
    expiries: IntArray
    shares: FloatArray

    def one(self, place: int) -> TenorReading:
        """A reading by itself."""
        before, after = int(self.before[place]), int(self.after[place])
        code = None
        if before < 0 or after < 0:
            code = Code.NO_EXPIRY_BEFORE if before < 0 else Code.NO_EXPIRY_AFTER
        elif self.falls[place]:
            code = Code.CAL_ARB
        return TenorReading(
            vol=float(self.vol[place]),
            before=None if before < 0 else before,
            after=None if after < 0 else after,
            weight=float(self.weight[place]),
            is_wide=bool(self.is_wide[place]),
            bracket_error=float(self.bracket_error[place]),
            code=code,
        )

    @classmethod
    def of_places(cls, parts: Sequence[TenorReadings], n_slices: int) -> TenorReadings:
        """Readings at several places on the smiles, place by place.

        `expiries` then are positions in what all slices read at all places, place by place too: `total` and
        `moved` take the errors and changes of all places in that order.
        """
        if len(parts) == 1:
            return parts[0]
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in cls.__slots__
        }
        place = np.repeat(np.arange(len(parts)), [len(part.vol) for part in parts])
        joined["expiries"] = joined["expiries"] + n_slices * place
        return cls(**joined)

    def total(self, errors: FloatArray) -> FloatArray:
        """Errors of the readings from those of the expiries, taken as independent [vol]."""
        parts = np.where(self.shares != 0, self.shares * errors[self.expiries], 0.0)
        return np.asarray(np.sqrt(_added(parts**2)))

    def moved(self, changes: FloatArray) -> FloatArray:
        """What the readings change by where the expiries' vols do [vol]."""
        parts = np.where(self.shares != 0, self.shares * changes[self.expiries], 0.0)
        return _added(parts)


def _added(parts: FloatArray) -> FloatArray:
    """The sum over the expiries in their order, for one reading as for many: numpy's own depends on that."""
    return np.asarray(np.cumsum(parts, axis=0)[-1])


def interpolate_all(
    years: FloatArray,
    vols: FloatArray,
    passes: BoolArray,
    *,
    tenors: FloatArray,
    bracket: Bracket,
    clock: FloatArray | None = None,
    clock_at: FloatArray | None = None,
    rule: str = "monotone",
    errors: FloatArray | None = None,
) -> TenorReadings:
    """Read vols at tenors from the nearest expiries that pass on each side.

    Parameters
    ----------
    years, vols : ndarray of float
        Time to expiry [years] and vol of each slice, in any order.
    passes : ndarray of bool
        Slices that passed their gates; others are looked over.
    tenors : ndarray of float
        [years]
    bracket : Bracket
        What is flagged as wide.
    clock, clock_at : ndarray of float, optional
        Time to expiry of each slice, and each tenor, on the clock of variance; the calendar without them.
    rule : {"monotone", "linear"}
        Between the two expiries around the tenor; see `Settings.tenor_interpolation`.
    errors : ndarray of float, optional
        [vol] Standard error of each slice's vol: an outer expiry whose error moves the cubic by more than
        half of what lies between the two straight lines is left out of it.
    """
    usable = np.flatnonzero(passes & np.isfinite(vols) & (years > 0))
    order = usable[np.argsort(years[usable], kind="stable")]
    # of expiries of one instant the first serves
    order = order[np.append(True, np.diff(years[order]) > 0)[: len(order)]]
    at, n = years[order], len(order)
    if not n:
        nan, none = np.full(len(tenors), np.nan), np.full(len(tenors), -1, dtype=np.intp)
        no = np.zeros(len(tenors), dtype=bool)
        return TenorReadings(
            nan, np.zeros(len(tenors)), np.zeros(len(tenors)), none, none, no, no,
            np.full((4, len(tenors)), 0, dtype=np.intp), np.zeros((4, len(tenors))),
        )  # fmt: skip
    place = np.searchsorted(at, tenors)
    left, right = np.maximum(place - 1, 0), np.minimum(place, n - 1)
    near = np.where(np.abs(at[right] - tenors) <= np.abs(at[left] - tenors), right, left)
    exact = np.abs(at[near] - tenors) <= _EXACT
    low = np.where(exact, near, place - 1)
    high = np.where(exact, near, np.where(at[right] == tenors, place + 1, place))
    known = (low >= 0) & (high < n)
    places = np.stack([low - 1, low, high, high + 1])
    present = (places >= 0) & (places < n) & known & ~exact
    present[1] |= known & exact
    chosen = order[np.clip(places, 0, n - 1)]
    ticks = years if clock is None else clock
    wanted = tenors if clock_at is None else clock_at
    i, j = chosen[1], chosen[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(known & ~exact, (wanted - ticks[i]) / (ticks[j] - ticks[i]), 0.0)
        w = vols[chosen] ** 2 * years[chosen]
        straight = (1 - weight) * w[1] + weight * w[2]
        falls = known & ~exact & (w[2] <= w[1])
        read = known & ~falls
        is_wide = ~exact & (
            (years[i] < bracket.lowest * tenors - _EXACT)
            | (years[j] > bracket.highest * tenors + _EXACT)
            | (years[j] - years[i] > bracket.widest * tenors + _EXACT)
        )
        plain = np.sqrt(straight / tenors)
        # what the two straight lines, in total variance and in vol, differ by
        apart = np.abs(plain - ((1 - weight) * vols[i] + weight * vols[j]))
        if rule == "linear":
            total, slopes = straight, np.stack([0 * weight, 1 - weight, weight, 0 * weight])
        else:
            known_errors = np.zeros(len(years)) if errors is None else np.nan_to_num(errors)
            total, slopes = _cubic(
                np.where(present, ticks[chosen], np.nan),
                w,
                wanted,
                noise=vols[chosen] * years[chosen] / (plain * tenors) * known_errors[chosen],
                most=_NOISE_SHARE * apart,
            )
        vol = np.where(exact, vols[i], np.sqrt(total / tenors))
        vol = np.where(read, vol, np.nan)
        beside = apart if rule == "linear" else _RULE_SHARE * np.maximum(apart, np.abs(vol - plain))
        # d vol/d w = 1/(2 vol T), d w_i/d vol_i = 2 vol_i T_i
        shares = slopes * vols[chosen] * years[chosen] / (vol * tenors)
        shares = np.where(present & read & ~exact, shares, 0.0)
        shares[1] = np.where(exact & read, 1.0, shares[1])
    return TenorReadings(
        vol=vol,
        weight=np.where(known, weight, 0.0),
        bracket_error=np.where(read & ~exact, beside, 0.0),
        before=np.where(low >= 0, order[np.clip(low, 0, n - 1)], -1),
        after=np.where(high < n, order[np.clip(high, 0, n - 1)], -1),
        is_wide=known & is_wide,
        falls=falls,
        expiries=chosen,
        shares=shares,
    )


def _cubic(
    times: FloatArray, variances: FloatArray, at: FloatArray, *, noise: FloatArray, most: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Total variance read along the cubic, and its derivatives in those of the four expiries.

    An outer expiry that is noisier than what its slope is good for is left out: `noise` is the error of the
    reading [vol] per derivative, `most` what it may be.
    """
    slopes = _slopes(times, variances, at)
    noisy = np.abs(slopes) * noise > most
    noisy[1:3] = False
    if noisy.any():
        times = np.where(noisy, np.nan, times)
        slopes = _slopes(times, variances, at)
    return _monotone(times, variances, at), slopes


def _monotone(times: FloatArray, variances: FloatArray, at: FloatArray) -> FloatArray:
    """Total variance at each time."""
    with importing:
        from volskew.smile.tenor_kernels import monotone_points  # noqa: PLC0415
    out = np.empty(len(at))
    monotone_points(
        np.ascontiguousarray(times), np.ascontiguousarray(variances), np.ascontiguousarray(at), out
    )
    return out


def _slopes(times: FloatArray, variances: FloatArray, at: FloatArray) -> FloatArray:
    """Derivatives of the total variance read in those of the four expiries, by central differences."""
    slopes = np.zeros_like(variances)
    for row in range(len(variances)):
        step = np.zeros_like(variances)
        step[row] = _DIFFERENCE * variances[row]
        rise = _monotone(times, variances + step, at) - _monotone(times, variances - step, at)
        slopes[row] = rise / (2 * step[row])
    return slopes


def interpolate(
    years: FloatArray, vols: FloatArray, passes: BoolArray, *, tenor: float, bracket: Bracket
) -> TenorReading:
    """Read a vol at one tenor on the calendar, along the straight line; see `interpolate_all`.

    Returns
    -------
    TenorReading
        Code NO_EXPIRY_BEFORE or NO_EXPIRY_AFTER without an expiry on that side; CAL_ARB where total variance
        does not increase between the two.

    Examples
    --------
    >>> read = interpolate(np.array([77, 105]) / 365, np.array([0.20, 0.21]), np.array([True, True]),
    ...                    tenor=91 / 365, bracket=Bracket())
    >>> round(read.vol, 5), round(read.weight, 12)
    (0.20583, 0.5)
    """
    return interpolate_all(
        years, vols, passes, tenors=np.array([tenor], dtype=np.float64), bracket=bracket, rule="linear"
    ).one(0)
