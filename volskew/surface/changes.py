"""What the change of a vol from one snapshot to a later one is made of: roll, spot, level and skew.

``V0`` and ``V1`` are the vols of the two surfaces by maturity and delta, T the tenor, n the days between the
snapshots; ``V0*`` is the vol of the old surface, at T + n days, of the strike that has the wanted delta once
the forward of that date has moved to where the new snapshot has it:

    ln V1(T, d) - ln V0(T, d)  =  roll + spot + level + skew
    roll   =  ln V0(T + n, d) - ln V0(T, d)      the old surface, at the date that the new tenor ends on
    spot   =  ln V0*(d) - ln V0(T + n, d)        strikes keep their vols (sticky strike), the forward moves
    level  =  ln V1(T, 50) - ln V0*(50)          what is left of the change of the 50-delta vol
    skew   =  ln V1(T, d) - ln V0*(d) - level    what is left of the change of the vol against that

The forwards compared are of one date, so that they move with the spot and not with dividends that are known.
Numbers are kept as multiples of 2^-48 (4e-15), of which sums are exact: parts add up to changes, and changes
of sessions to those of a period, to the last bit and in any order.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from scipy.special import ndtr

from volskew.errors import SettingsError
from volskew.market.tenors import canonical_tenor, tenor_days
from volskew.surface.estimate import Estimate
from volskew.surface.points import Point, parse_point
from volskew.surface.surface import Surface

__all__ = ["PARTS", "Change", "attribute_change", "in_vol", "log_of", "on_grid"]

PARTS = ("roll", "spot", "level", "skew")
"""What a change is made of, in order."""

_GRID = 2.0**48
_MIDDLE = Point("delta", 0.5)
_SETTLED = 1e-8
"""Of d1: a delta is kept to 1e-10."""
_ROUNDS = 20
_ENDS = (0.001, 0.999)
"""Deltas that can be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one vol between two snapshots, and its parts; log points.

    Attributes
    ----------
    symbol, tenor : str
    point : Point
        The delta.
    start, end : datetime.date
        Sessions of the snapshots.
    before, after : Estimate
        The two readings.
    roll, spot, level, skew : float
        Multiples of 2^-48; NaN where a part is not known.
    level_error : float
        One standard error of `level`, the two snapshots' errors taken as independent; NaN where not known.
    forward_move : float
        ln of the forward at the tenor's date, after over before.
    reason : str
        Why a part, or all of them, is not known; empty where all are.
    """

    symbol: str
    tenor: str
    point: Point
    start: dt.date
    end: dt.date
    before: Estimate = field(repr=False)
    after: Estimate = field(repr=False)
    roll: float = math.nan
    spot: float = math.nan
    level: float = math.nan
    skew: float = math.nan
    level_error: float = math.nan
    forward_move: float = math.nan
    reason: str = ""

    @property
    def total(self) -> float:
        """``ln V1 - ln V0``, a multiple of 2^-48; NaN where a reading is missing."""
        return log_of(self.after.value) - log_of(self.before.value)

    @property
    def remainder(self) -> float:
        """What of the total is in no part that is known: 0 where all are."""
        return self.total - sum(part for part in self.parts.values() if not math.isnan(part))

    @property
    def parts(self) -> dict[str, float]:
        """By name, in the order of `PARTS`."""
        return {name: float(getattr(self, name)) for name in PARTS}

    @property
    def is_roll(self) -> bool:
        """Whether the two readings lie between different expiries."""
        dates = [
            (reading.details.get("expiry_before"), reading.details.get("expiry_after"))
            for reading in (self.before, self.after)
        ]
        return self.before.is_read and self.after.is_read and dates[0] != dates[1]


def on_grid(number: float) -> float:
    """The nearest multiple of 2^-48: sums of such numbers below 16 in size are exact.

    Examples
    --------
    >>> 0.1 + 0.2 == 0.3, on_grid(0.1) + on_grid(0.2) == on_grid(on_grid(0.1) + on_grid(0.2))
    (False, True)
    """
    return number if math.isnan(number) else round(number * _GRID) / _GRID


def log_of(vol: float) -> float:
    """The logarithm of a vol on the grid; NaN where there is none."""
    return on_grid(math.log(vol)) if vol > 0 else math.nan


def in_vol(parts: Mapping[str, float], *, before: float, after: float) -> dict[str, float]:
    """Log parts of a change as vol: each times ``(after - before) / ln(after / before)``, that they add up.

    Parameters
    ----------
    parts : mapping of str to float
        Log points that add up to ln(after / before), NaN for those that are not known.
    before, after : float
        The vols.

    Returns
    -------
    dict of str to float
        Multiples of 2^-48 that add up to those of the vols; the rounding is in the largest of them.

    Examples
    --------
    >>> found = in_vol({"level": 0.12, "skew": math.log(1.1) - 0.12}, before=0.2, after=0.22)
    >>> {name: round(part, 6) for name, part in found.items()}, round(sum(found.values()), 12)
    ({'level': 0.025181, 'skew': -0.005181}, 0.02)
    """
    change = on_grid(after) - on_grid(before)
    logs = math.log(after / before)
    per_log = change / logs if logs else before
    found = {name: on_grid(part * per_log) for name, part in parts.items()}
    known = [name for name, part in found.items() if not math.isnan(part)]
    if known:
        largest = max(known, key=lambda name: abs(found[name]))
        found[largest] = change - sum(found[name] for name in known if name != largest)
    return found


def attribute_change(
    before: Surface, after: Surface, *, tenor: str = "3m", delta: float | str = "25c"
) -> Change:
    """What the change of a vol between two snapshots of one underlying is made of.

    Parameters
    ----------
    before, after : Surface
        Of one symbol; the second of a later session.
    tenor : str
        As in `Surface.vol`.
    delta : float or str
        A delta as in `Surface.vol`; no strike, and not ``"atmf"``. At 50 delta there is no skew: it is 0.

    Returns
    -------
    Change
        Parts are NaN, with the reason, where a surface cannot be read at a place that they ask for.

    Raises
    ------
    SettingsError
        The surfaces are of two symbols, or not one after the other, or tenor or delta is none.
    """
    if before.symbol != after.symbol:
        raise SettingsError(f"a change is of one symbol; got surfaces of {before.symbol} and {after.symbol}")
    n_days = (after.date - before.date).days
    if n_days < 1:
        raise SettingsError(
            f"the second surface must be of a later session than {before.date}; got {after.date}"
        )
    point = parse_point(delta=delta)
    if point.kind != "delta":
        raise SettingsError(f"the change of a vol is attributed at a delta; got {delta!r}")
    tenor = canonical_tenor(tenor)
    longer = f"{tenor_days(tenor, settings=before.settings) + n_days:.0f}d"
    found = Change(
        symbol=before.symbol,
        tenor=tenor,
        point=point,
        start=before.date,
        end=after.date,
        before=before.vol(tenor, point.text),
        after=after.vol(tenor, point.text),
    )
    if not (found.before.is_read and found.after.is_read):
        return replace(found, reason=_unread(found.before, found.after))
    forward = float(found.after.details["forward"])
    rolled = before.vol(longer, point.text)
    if not rolled.is_read:
        return replace(found, reason=_unread(rolled))
    found = replace(
        found,
        roll=log_of(rolled.value) - log_of(found.before.value),
        forward_move=math.log(forward / float(rolled.details["forward"])),
    )
    moved = _at_moved_forward(before, longer, rolled, forward)
    if not moved.is_read:
        return replace(found, reason=_unread(moved))
    found = replace(found, spot=log_of(moved.value) - log_of(rolled.value))
    left = log_of(found.after.value) - log_of(moved.value)
    if point == _MIDDLE:
        return replace(found, level=left, skew=0.0, level_error=_error_of(moved, found.after))
    middle, rolled = after.vol(tenor, _MIDDLE.text), before.vol(longer, _MIDDLE.text)
    if rolled.is_read:
        rolled = _at_moved_forward(before, longer, rolled, forward)
    if not (middle.is_read and rolled.is_read):
        return replace(found, reason=_unread(rolled, middle))
    level = log_of(middle.value) - log_of(rolled.value)
    return replace(found, level=level, skew=left - level, level_error=_error_of(rolled, middle))


def _at_moved_forward(surface: Surface, tenor: str, reading: Estimate, forward: float) -> Estimate:
    """The vol at the strike that has a reading's delta at another forward, all strikes keeping their vols.

    Of the strike with d1 = z at the old forward F, d1 at the new one F' is ``z + ln(F'/F)/(vol √T)``. The z
    at which that is the reading's own is found by secants; what is read there is an ordinary reading.
    """
    move = math.log(forward / float(reading.details["forward"]))
    if move == 0.0:
        return reading
    root = math.sqrt(tenor_days(tenor, settings=surface.settings) / 365.0)
    s = reading.value * root
    wanted = s / 2 - float(reading.details["log_moneyness"]) / s
    # of a spot or discounted delta: what N(d1) is multiplied by
    factor = float(reading.details["delta"]) / float(ndtr(wanted))
    z, before = wanted - move / s, (wanted, move / s)
    for _ in range(_ROUNDS):
        delta = factor * float(ndtr(z))
        if not _ENDS[0] <= delta <= _ENDS[1]:
            break
        found = surface.vol(tenor, delta)
        if not found.is_read:
            there = f"where the wanted delta lies once the forward has moved by {100 * move:+.2f} %"
            return replace(found, details={**found.details, "reason": f"{found.details['reason']} ({there})"})
        miss = z + move / (found.value * root) - wanted
        if abs(miss) < _SETTLED:
            return found
        step = (z - before[0]) / (miss - before[1]) if miss != before[1] else 1.0
        # the miss rises about as fast as z: a secant between two noisy neighbours is not trusted
        step = step if 0.5 < step < 2.0 else 1.0
        z, before = z - miss * step, (z, miss)
    reason = f"no strike of the {tenor} smile has the delta once the forward has moved by {100 * move:+.2f} %"
    details = {**reading.details, "reason": reason}
    return Estimate(value=math.nan, flags=("NO_FIT",), method=reading.method, details=details)


def _error_of(before: Estimate, after: Estimate) -> float:
    """One standard error of a log change, the errors of two snapshots taken as independent."""
    if before.error is None or after.error is None:
        return math.nan
    return math.hypot(before.error / before.value, after.error / after.value)


def _unread(*readings: Estimate) -> str:
    """Why readings are missing."""
    texts = [
        f"{reading.details['symbol']} {reading.details['date']} {reading.details['tenor']} "
        f"{Point('delta', float(reading.details['delta'])).label}: {reading.details['reason']}"
        for reading in readings
        if not reading.is_read
    ]
    return "; ".join(dict.fromkeys(texts))
