"""Whether a chain has its sides where they belong: calls and puts, bids and asks, the vols of both.

Three things are told from the lines alone. An ask is not below its bid; parity has a call's price less that
of the put fall as the strike rises, at any forward, rate and dividend; and the vols of a call and a put
differ by no more than a wrong forward makes them. All is judged by majorities, so that noise, wide markets
and single lines never cost a chain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["ACCEPTED_UNITS", "Sides", "Symptom", "pairs", "sides_of", "swapped"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

ACCEPTED_UNITS: Final = "strikes and prices in dollars, vols as decimals or percent by the column's name"

_FEWEST_LINES: Final = 10
_FEWEST_SLOPES: Final = 6
_SLOPES: Final = (0.5, 1.5)
"""Call less put for a dollar of strike: -1 by parity, less a little for rates and exercise; 1 if turned."""
_CLEARLY: Final = 0.9
_FACTOR: Final = 2.0
_FARTHEST: Final = 0.03
"""A vendor's forward may be off by this much, which `surface.vendor_parity` mends."""
_NEAR: Final = 0.1
_SHORTEST: Final = 2 / 365
_YEAR: Final = 365 * 86_400 * 1_000_000


class Symptom(NamedTuple):
    """What is wrong with a chain, the line that shows it (None: none does), what would be accepted."""

    problem: str
    line: int | None = None
    accepted: str = ACCEPTED_UNITS


class Sides(NamedTuple):
    """The lines of one chain.

    Attributes
    ----------
    expiry : ndarray of int64
        [us since 1970].
    is_call : ndarray of float
        1 for calls, 0 for puts, NaN where not known.
    strike, bid, ask, vendor_vol, vendor_delta, underlying_price : ndarray of float
        As in `volskew.quotes.schema`; NaN where missing.
    """

    expiry: Ints
    is_call: Array
    strike: Array
    bid: Array
    ask: Array
    vendor_vol: Array
    vendor_delta: Array
    underlying_price: Array

    def among(self, lines: Ints | slice) -> Sides:
        """Some of the lines; a range of them is not copied."""
        return Sides(self.expiry[lines], *(values[lines] for values in self[1:]))


def sides_of(columns: Mapping[str, Any]) -> Sides:
    """The lines of canonical columns; those that are not there are missing on all lines."""
    missing = np.full(len(columns["expiry"]), np.nan)
    return Sides(
        expiry=columns["expiry"].as_unit("us").asi8,
        is_call=columns["is_call"].to_numpy(dtype=np.float64, na_value=np.nan),
        **{name: columns.get(name, missing) for name in Sides._fields[2:]},
    )


def swapped(sides: Sides, *, at: int, by_vendor: bool) -> Symptom | None:
    """What is exchanged in a chain, None where nothing clearly is.

    Parameters
    ----------
    sides : Sides
        Its lines.
    at : int
        Its time [us since 1970].
    by_vendor : bool
        Whether its vols are what will be read.

    Returns
    -------
    Symptom or None
        Bids and asks: more than half of ten lines or more have an ask below their bid. Calls and puts: over
        half of each expiry's strikes, nine in ten slopes of call less put lie from 0.5 to 1.5, and there are
        six; or nine in ten deltas of ten calls and ten puts or more have the sign of the other side. Vols, of
        chains that are read by them: near the money and from two days on, those of a call and a put at one
        strike differ in the median by more than a factor of two, and by more than a forward 3 % off explains.
    """
    found = _crossed(sides) or _exchanged(sides) or _signs(sides)
    return found or (_apart(sides, at) if by_vendor else None)


def _crossed(sides: Sides) -> Symptom | None:
    both = (sides.bid > 0) & (sides.ask > 0)
    crossed = both & (sides.ask < sides.bid)
    if both.sum() < _FEWEST_LINES or 2 * crossed.sum() <= both.sum():
        return None
    line = int(np.argmax(crossed))
    return Symptom(
        f"bid and ask seem exchanged: the ask is below the bid on {crossed.sum()} of {both.sum()} lines, "
        f"here {sides.ask[line]:g} below {sides.bid[line]:g}",
        line,
        "asks above bids",
    )


def _exchanged(sides: Sides) -> Symptom | None:
    put, call = pairs(sides, (sides.bid > 0) & (sides.ask > 0))
    if len(call) < _FEWEST_SLOPES:
        return None
    less = (sides.bid + sides.ask)[call] / 2 - (sides.bid + sides.ask)[put] / 2
    strike, expiry = sides.strike[call], sides.expiry[call]
    starts = np.flatnonzero(np.diff(expiry, prepend=-1))
    strikes = np.diff(starts, append=len(expiry))
    half, end = np.repeat(strikes // 2, strikes), np.repeat(starts + strikes, strikes)
    other = np.arange(len(expiry)) + half
    first = np.flatnonzero((half > 0) & (other < end))
    second = other[first]
    if not len(first):
        return None
    slopes = (less[second] - less[first]) / (strike[second] - strike[first])
    rising = (slopes > _SLOPES[0]) & (slopes < _SLOPES[1])
    if len(slopes) < _FEWEST_SLOPES or rising.mean() < _CLEARLY:
        return None
    place = int(np.argmax(rising))
    one, other = first[place], second[place]
    return Symptom(
        f"calls and puts seem exchanged: call less put rises with the strike, here from {less[one]:.2f} at "
        f"{strike[one]:g} to {less[other]:.2f} at {strike[other]:g} of one expiry",
        int(call[one]),
        "calls as calls and puts as puts: call less put falls as the strike rises",
    )


def _signs(sides: Sides) -> Symptom | None:
    """Deltas below 0 on calls and above on puts; vendors that leave out the sign have it on neither."""
    known = np.isfinite(sides.vendor_delta) & (sides.vendor_delta != 0)
    calls, puts = known & (sides.is_call == 1), known & (sides.is_call == 0)
    if min(calls.sum(), puts.sum()) < _FEWEST_LINES:
        return None
    below, above = calls & (sides.vendor_delta < 0), puts & (sides.vendor_delta > 0)
    if below.sum() < _CLEARLY * calls.sum() or above.sum() < _CLEARLY * puts.sum():
        return None
    line = int(np.argmax(below))
    return Symptom(
        f"calls and puts seem exchanged: {below.sum()} of {calls.sum()} calls have a delta below 0, here "
        f"{sides.vendor_delta[line]:g}, and {above.sum()} of {puts.sum()} puts one above",
        line,
        "calls as calls and puts as puts: deltas of calls from 0 to 1, of puts from -1 to 0",
    )


def _apart(sides: Sides, at: int) -> Symptom | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.abs(np.log(sides.strike / sides.underlying_price)) < _NEAR
    years = (sides.expiry - at) / _YEAR
    put, call = pairs(sides, near & (sides.vendor_vol > 0) & (years > _SHORTEST))
    if len(call) < _FEWEST_LINES:
        return None
    of_call, of_put = sides.vendor_vol[call], sides.vendor_vol[put]
    ratio = np.abs(np.log(of_call / of_put))
    # at the money a vol is worth 0.4 sqrt(T) of the underlying (Brenner and Subrahmanyam 1988)
    shift = np.abs(of_call - of_put) * 0.4 * np.sqrt(years[call])
    if np.median(ratio) <= math.log(_FACTOR) or np.median(shift) <= _FARTHEST:
        return None
    place = int(np.argsort(ratio, kind="stable")[len(ratio) // 2])
    return Symptom(
        f"vols of calls and puts differ by a factor of {math.exp(float(np.median(ratio))):.1f} in the "
        f"median, here {of_call[place]:g} and {of_put[place]:g} at strike {sides.strike[call[place]]:g}",
        int(call[place]),
        "vols in one unit, those of a call and a put at one strike nearly alike",
    )


def pairs(sides: Sides, mask: Mask) -> tuple[Ints, Ints]:
    """Lines of a put and a call of one strike and expiry among those of a mask, by expiry and strike."""
    lines = np.flatnonzero(mask & np.isfinite(sides.is_call) & (sides.strike > 0) & (sides.expiry > 0))
    order, twins = _ordered(sides, lines)
    if (twins[1:] & twins[:-1]).any():  # a put or a call is there twice: all puts of a strike first
        order, twins = _ordered(sides, lines[np.argsort(sides.is_call[lines], kind="stable")])
    one, other = order[:-1][twins], order[1:][twins]
    turned = sides.is_call[one] > sides.is_call[other]
    both = sides.is_call[one] != sides.is_call[other]
    return np.where(turned, other, one)[both], np.where(turned, one, other)[both]


def _ordered(sides: Sides, lines: Ints) -> tuple[Ints, Mask]:
    """Lines by expiry and strike, as they come where both are the same, and which are like the next one."""
    expiry, strike = sides.expiry[lines], sides.strike[lines]
    twins, later = expiry[1:] == expiry[:-1], expiry[1:] > expiry[:-1]
    if not (later | (twins & (strike[1:] >= strike[:-1]))).all():  # most files are written in this order
        order = np.lexsort((strike, expiry))
        lines, expiry, strike = lines[order], expiry[order], strike[order]
        twins = expiry[1:] == expiry[:-1]
    return lines, twins & (strike[1:] == strike[:-1])
