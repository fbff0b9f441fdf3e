"""Where on a smile a vol is read: at a delta, at a log-moneyness, or at a strike."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from volskew.errors import SettingsError, shown
from volskew.surface.delta import ACCEPTED_DELTAS, delta_label, delta_text, parse_delta

__all__ = ["AT_THE_FORWARD", "Point", "parse_point"]

AT_THE_FORWARD = "atmf"
"""Spelling of the strike at the forward, where a delta may stand."""


class Point(NamedTuple):
    """A place on every smile of a surface.

    Attributes
    ----------
    kind : {"delta", "log_moneyness", "strike"}
    value : float
        Forward call delta, ln(K/F), or strike [$].
    log_moneyness : float, optional
        Of a strike at a tenor: ln(K/F) at the tenor's forward, where every expiry is read. Without it each
        is read at its own forward.
    """

    kind: Literal["delta", "log_moneyness", "strike"]
    value: float
    log_moneyness: float | None = None

    @property
    def text(self) -> str:
        """As history rows hold it."""
        if self.kind == "delta":
            return delta_text(self.value)
        if self.kind == "log_moneyness":
            return AT_THE_FORWARD if self.value == 0.0 else f"k={self.value!r}"
        return f"K={self.value!r}"

    @property
    def label(self) -> str:
        """As a trader says it."""
        if self.kind == "delta":
            return delta_label(self.value)
        if self.kind == "log_moneyness":
            return AT_THE_FORWARD if self.value == 0.0 else f"log-moneyness {self.value:g}"
        return f"strike {self.value:g}"


def parse_point(
    *, delta: float | str | None = None, strike: float | None = None, log_moneyness: float | None = None
) -> Point:
    """The one place that was named.

    Parameters
    ----------
    delta : float or str, optional
        As `volskew.surface.delta.parse_delta` takes it, or ``"atmf"``.
    strike : float, optional
        [$]
    log_moneyness : float, optional
        ln(K/F).

    Raises
    ------
    SettingsError
        Not exactly one is given, or it is no such number.

    Examples
    --------
    >>> parse_point(strike=450)
    Point(kind='strike', value=450.0, log_moneyness=None)
    >>> parse_point(delta="25p").value
    0.75
    """
    given = [name for name, value in _named(delta, strike, log_moneyness) if value is not None]
    if len(given) != 1:
        msg = f"give one of delta, strike and log_moneyness; got {', '.join(given) or 'none of them'}"
        raise SettingsError(msg)
    if delta is not None:
        if isinstance(delta, str) and delta.strip().lower() == AT_THE_FORWARD:
            return Point("log_moneyness", 0.0)
        try:
            return Point("delta", parse_delta(delta))
        except SettingsError as error:
            msg = (
                f'delta must be {ACCEPTED_DELTAS}, or "atmf" (the strike at the forward); got {shown(delta)}'
            )
            raise SettingsError(msg) from error
    if strike is not None:
        value = _number("strike", strike)
        if value <= 0.0:
            raise SettingsError(f"strike must be above 0 [$]; got {shown(strike)}")
        return Point("strike", value)
    value = _number("log_moneyness", log_moneyness)
    if abs(value) > 10.0:
        raise SettingsError(f"log_moneyness is ln(K/F), from -10 to 10; got {shown(log_moneyness)}")
    return Point("log_moneyness", value)


def _named(*values: object) -> list[tuple[str, object]]:
    return list(zip(("delta", "strike", "log_moneyness"), values, strict=True))


def _number(name: str, value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise SettingsError(f"{name} must be a finite number; got {shown(value)}")
    return number + 0.0
