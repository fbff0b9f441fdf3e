"""What a measure is: a named number that is read from a surface, and the keys it is stored under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from volskew.errors import SettingsError
from volskew.ledger import Entry
from volskew.market.tenors import is_span, span_tenors
from volskew.settings import Settings
from volskew.surface import Estimate, Surface
from volskew.surface.points import Point, parse_point

__all__ = ["DELTAS", "TENORS", "Explain", "Measure", "Read"]

TENORS = {
    "one": "one tenor, such as 3m",
    "span": "a span of two tenors, the shorter first, such as 1m-3m",
}
"""What a measure may be read at in time, in words."""
DELTAS = {
    "any": "any delta, such as 25c, 50 or 25p, or atmf",
    "call": "a call delta, such as 25c (0.25)",
    "put": "a put delta, such as 25p (0.75)",
    "wing": "a call or put delta, such as 25c or 25p, but not 50 or atmf",
    "none": "no delta",
}
"""The same on the smile."""


class Read(Protocol):
    """Reads one number from a surface; NaN with the reason in its flags where there is none."""

    def __call__(self, surface: Surface, *, tenor: str, delta: str) -> Estimate:
        """The number at a key in canonical spelling."""


class Explain(Protocol):
    """The ledger entries of a reading: why it is missing, and what was looked over."""

    def __call__(self, surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
        """The entries of the number at a key in canonical spelling."""


def _itself(delta: str) -> tuple[str]:
    return (delta,)


@dataclass(frozen=True, slots=True)
class Measure:
    """A named number that can be read from a surface.

    Attributes
    ----------
    name : str
        As in history rows and on the command line.
    title : str
        In words, with the unit in brackets.
    formula : str
        In terms of ``vol(delta)``; `d` is the delta of the key, `T1` and `T2` the tenors of a span.
    unit : {"vol", "number"}
        How it is shown: a vol, or a difference of vols, in points; a number as it is.
    tenor : {"one", "span"}
        Whether it is read at one tenor or between two.
    delta : {"any", "call", "put", "wing", "none"}
        Where it is read; "none" has ``-`` in its rows. See `DELTAS`.
    read, explain : callable
        See `Read` and `Explain`; both get tenor and delta in canonical spelling.
    places : callable
        From the delta of a key to those of the vols that the number is made of: itself where nothing is said.
        Whoever wants many numbers reads these vols together first.
    """

    name: str
    title: str
    formula: str
    unit: Literal["vol", "number"]
    tenor: Literal["one", "span"]
    delta: Literal["any", "call", "put", "wing", "none"]
    read: Read
    explain: Explain
    places: Callable[[str], Sequence[float | str]] = _itself

    def vols(self, tenor: str, delta: str, *, settings: Settings) -> list[tuple[str, float | str]]:
        """Tenor and delta of every vol that the number at a key is made of."""
        tenors = span_tenors(tenor, settings=settings) if is_span(tenor) else (tenor,)
        return [(one, place) for one in tenors for place in self.places(delta)]

    @property
    def has_delta(self) -> bool:
        """Whether it is read at a delta; otherwise its rows have ``-`` there."""
        return self.delta != "none"

    def takes_tenor(self, tenor: str) -> bool:
        """Whether it can be read at a tenor or span.

        Examples
        --------
        >>> from volskew.measures import MEASURES
        >>> [MEASURES["term_slope"].takes_tenor(tenor) for tenor in ("3m", "1m-3m")]
        [False, True]
        """
        return is_span(tenor) == (self.tenor == "span")

    def takes_delta(self, delta: float | str) -> bool:
        """Whether it can be read at a delta.

        Examples
        --------
        >>> from volskew.measures import MEASURES
        >>> [MEASURES["call_skew"].takes_delta(delta) for delta in ("25c", "25p", "50", "atmf")]
        [True, False, False, False]
        """
        point = parse_point(delta=delta)
        if self.delta in {"any", "none"}:
            return True
        wing = _wing_of(point)
        return wing != "" and self.delta in {"wing", wing}

    def check(self, *, tenor: str, delta: float | str) -> None:
        """Refuse a key at which it cannot be read.

        Raises
        ------
        SettingsError
            The message says what is accepted.
        """
        if not self.takes_tenor(tenor):
            raise SettingsError(f"{self.name} is read at {TENORS[self.tenor]}; got {tenor!r}")
        if not self.takes_delta(delta):
            raise SettingsError(f"{self.name} is read at {DELTAS[self.delta]}; got {delta!r}")


def _wing_of(point: Point) -> str:
    """The wing of a delta; none in the middle, and none of other places."""
    if point.kind != "delta" or point.value == 0.5:
        return ""
    return "call" if point.value < 0.5 else "put"
