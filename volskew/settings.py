"""Settings: every choice that changes a number, in one frozen object passed down as ``settings=``."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real
from typing import Any, Final, Literal, NamedTuple

from volskew.aliases import alias_texts
from volskew.errors import SettingsError, shown

__all__ = ["METHOD_INTEGER", "Bracket", "Gates", "Settings", "settings_or_default"]

METHOD_INTEGER = 5
"""Rises with any change of the code that can move a number; see CHANGELOG.md."""

_UNHASHED = {"hashed": False}


class _Range(NamedTuple):
    """What a numeric field accepts, ends included, and its unit in words."""

    lowest: float
    highest: float
    unit: str
    is_whole: bool = False


_RATE: Final = _Range(-0.05, 0.30, "a continuously compounded decimal (4 % is 0.04)")
_SHARE: Final = _Range(0.0, 1.0, "a share (5 % is 0.05)")
_COUNT: Final = _Range(1, 10_000, "quotes", is_whole=True)

_RANGES: Final[dict[str, dict[str, _Range]]] = {
    "Settings": {
        "rate": _RATE,
        "assumed_rate": _RATE,
        "curve_max_age_days": _Range(0, 3660, "days", is_whole=True),
        "weekend_weight": _Range(0.0, 1.0, "a share of a session's variance (10 % is 0.1)"),
        "three_month_days": _Range(80, 100, "calendar days", is_whole=True),
        "stale_seconds": _Range(0.0, 31_536_000.0, "seconds"),
        "stale_underlying_move": _SHARE,
        "min_mid": _Range(0.0, 100.0, "dollars"),
        "max_vol_spread": _Range(0.0, 1.0, "decimal vol (3 vol points are 0.03)"),
        "max_vol_spread_relative": _Range(0.0, 10.0, "times the at-the-money vol"),
        "crossed_share": _SHARE,
    },
    "Gates": {
        "min_quotes": _COUNT,
        "min_wing_quotes": _COUNT,
        "wing_below": _Range(0.0, 1.0, "a distance in delta"),
        "wing_above": _Range(0.0, 1.0, "a distance in delta"),
        "max_delta_gap": _Range(0.0, 1.0, "a distance in delta"),
        "max_forward_error_bp": _Range(0.0, 10_000.0, "basis points of the forward"),
    },
    "Bracket": {
        "lowest": _Range(0.0, 1.0, "times the tenor"),
        "highest": _Range(1.0, 1000.0, "times the tenor"),
        "widest": _Range(0.0, 1000.0, "times the tenor"),
    },
}
"""By class and field. Whatever lies outside is a slip (a percentage, a sign), not a choice."""


def _settle_numbers(chosen: Gates | Bracket | Settings) -> None:
    """Give every numeric field its declared type, so that equal choices have one `method_version`.

    Raises
    ------
    SettingsError
        A field is no number or outside its range.
    """
    kind = type(chosen).__name__
    for name, accepted in _RANGES[kind].items():
        value = getattr(chosen, name)
        if value is None and name == "rate":
            continue
        number = _number(value, is_whole=accepted.is_whole)
        if number is None or not accepted.lowest <= number <= accepted.highest:
            what = "a whole number" if accepted.is_whole else "a number"
            field_name = name if kind == "Settings" else f"{kind}.{name}"
            msg = (
                f"{field_name} must be {what} from {accepted.lowest:g} to {accepted.highest:g}, "
                f"{accepted.unit}; got {value!r}"
            )
            raise SettingsError(msg)
        object.__setattr__(chosen, name, number)


def _number(value: object, *, is_whole: bool) -> int | float | None:
    """A Python number, None where `value` is none that could be meant (text, truth values, NaN)."""
    if isinstance(value, bool) or not isinstance(value, Real):  # numpy's scalars are Real, its bool is not
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or (is_whole and number != round(number)):
        return None
    if is_whole:
        return int(value) if isinstance(value, Integral) else round(number)
    return number + 0.0  # no -0.0, which equals 0.0 and is written otherwise


@dataclass(frozen=True, slots=True)
class Gates:
    """What a slice must show before a vol is read from it.

    Attributes
    ----------
    min_quotes : int
        Accepted out-of-the-money quotes of the expiry.
    min_wing_quotes : int
        Accepted quotes whose delta lies within `wing_below` and `wing_above` of the delta to be read.
    wing_below, wing_above : float
        The read wing, as distances in delta: 0.10..0.40 for a 25-delta call.
    max_delta_gap : float
        Largest allowed gap in delta between the accepted quotes around the delta to be read.
    max_forward_error_bp : float
        Largest allowed standard error of the forward, in basis points of the forward.
    """

    min_quotes: int = 8
    min_wing_quotes: int = 3
    wing_below: float = 0.15
    wing_above: float = 0.15
    max_delta_gap: float = 0.10
    max_forward_error_bp: float = 3.0

    def __post_init__(self) -> None:
        """Refuse gates that no slice could be held against."""
        _settle_numbers(self)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Which two expiries may stand around a tenor, as fractions of the tenor.

    At three months the preferred bracket is 50 to 140 days and at most 45 days wide; a bracket outside
    these bounds is read all the same and flagged WIDE_BRACKET.
    """

    lowest: float = 50.0 / 91.0
    highest: float = 140.0 / 91.0
    widest: float = 45.0 / 91.0

    def __post_init__(self) -> None:
        """Refuse fractions between which no expiry could stand."""
        _settle_numbers(self)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every choice that changes a number. Frozen, picklable and hashable.

    Attributes
    ----------
    rate : float or None
        Flat continuously compounded rate, decimal. None: a curve file, else box rates, else `assumed_rate`.
    rates_file : str or None
        Treasury or FRED curve file. Its place is not part of `method_version`; its rates reach the readings
        through the market table, whose source is named in each reading's ``method``.
    dividends_files : tuple of str
        Dividend files or folders of them, each ``PATH`` or ``SYMBOL=PATH``. Their places are not part of
        `method_version`; the dividends reach the readings through the market table.
    assumed_rate : float
        The rate used, with flag RATE_ASSUMED, when nothing better is known.
    curve_max_age_days : int
        A curve is refused more than this many days past its last date.
    aliases : tuple of str
        Other names of underlyings: ``OLD=NEW``, or ``OLD=NEW@DATE`` with the first day under the new name.
        They go before the renames that are known (`volskew.quotes.roots.RENAMES`); ``OLD=OLD`` undoes one.
    exercise_overrides : tuple of (str, str)
        ``(root, "american" | "european")`` pairs that replace what the reader filled.
    pricer : {"auto", "european"}
        How quotes are turned into forwards and vols: "auto" as each line is exercised, American lines with
        the dividends known before their expiry, or else with a continuous yield; "european" by Black's
        formula throughout.
    pricer_accuracy : {"fast", "default", "high"}
        Of American prices.
    smile_model : {"svi", "essvi", "local"}
        What each expiry's smile is: SVI with what the quotes say beyond it, an eSSVI slice, or a robust
        quadratic in d1 = N^-1(delta) around the delta to be read. Where one does not serve, the next does,
        and the reading says so; the last is the cross-check of the others.
    delta_convention : {"forward", "spot", "discounted"}
        What a delta is, at the smile's own vol: N(d1), ``exp(-qT) N(d1)`` (of the spot, dividends included),
        or ``exp(-rT) N(d1)``.
    tenor_interpolation : {"gaussian_process", "linear"}
        Between the expiries around a tenor: a smooth term structure with what dated events add, learned from
        up to four expiries on either side, or the straight line in total variance between the two.
    tenor_clock : {"variance", "calendar"}
        On which variance accrues between expiries: by session, other days counting for little, or by the
        calendar day. Vols are annualised by the calendar all the same.
    weekend_weight : float
        What a day without a session counts for on the clock of variance, of a session.
    vendor_forward : {"parity", "vendor"}
        Where a chain has a vendor's vols and no quotes: solve them again at the forward at which the vendor's
        call and put vols agree, or take them as they are, with the vendor's own forward.
    three_month_days : int
        Calendar days meant by "3m"; other labels scale from the usual vendor grid.
    stale_seconds : float
        A line quoted longer before the snapshot than this is stale.
    stale_underlying_move : float
        Where lines carry no time: unchanged quotes are stale when the underlying moved by more than this.
    min_mid : float
        Mids below this many dollars carry no vol worth reading.
    max_vol_spread : float
        A quote is too wide when IV(ask) - IV(bid) exceeds this (decimal vol) and
        `max_vol_spread_relative` times the at-the-money vol.
    max_vol_spread_relative : float
        See `max_vol_spread`.
    crossed_share : float
        An expiry with a larger share of crossed quotes is a bad snapshot and is rejected whole.
    gates : Gates
        What a slice must show.
    bracket : Bracket
        Which two expiries may stand around a tenor.

    Examples
    --------
    >>> Settings().method_version == Settings().method_version
    True
    >>> Settings(rate=0.05).method_version == Settings().method_version
    False
    """

    rate: float | None = None
    rates_file: str | None = field(default=None, metadata=_UNHASHED)
    dividends_files: tuple[str, ...] = field(default=(), metadata=_UNHASHED)
    assumed_rate: float = 0.04
    curve_max_age_days: int = 7
    aliases: tuple[str, ...] = field(default=(), metadata=_UNHASHED)
    exercise_overrides: tuple[tuple[str, str], ...] = ()
    pricer: Literal["auto", "european"] = "auto"
    pricer_accuracy: Literal["fast", "default", "high"] = "default"
    smile_model: Literal["svi", "essvi", "local"] = "svi"
    delta_convention: Literal["forward", "spot", "discounted"] = "forward"
    tenor_interpolation: Literal["gaussian_process", "linear"] = "gaussian_process"
    tenor_clock: Literal["variance", "calendar"] = "variance"
    weekend_weight: float = 0.1
    vendor_forward: Literal["parity", "vendor"] = "parity"
    three_month_days: int = 91
    stale_seconds: float = 60.0
    stale_underlying_move: float = 0.005
    min_mid: float = 0.05
    max_vol_spread: float = 0.03
    max_vol_spread_relative: float = 0.15
    crossed_share: float = 0.05
    gates: Gates = field(default_factory=Gates)
    bracket: Bracket = field(default_factory=Bracket)

    def __post_init__(self) -> None:
        """Refuse values that no stage could honour."""
        _settle_numbers(self)
        for name, wanted in (("gates", Gates), ("bracket", Bracket)):
            if not isinstance(getattr(self, name), wanted):
                msg = f"{name} must be a {wanted.__name__}(...), got {getattr(self, name)!r}"
                raise SettingsError(msg)
        place: object = self.rates_file
        if place is not None and (not isinstance(place, str | os.PathLike) or not str(place).strip()):
            msg = f"rates_file must be the path of a curve file, or None, got {place!r}"
            raise SettingsError(msg)
        object.__setattr__(self, "rates_file", None if place is None else os.fspath(place))
        object.__setattr__(self, "dividends_files", _places(self.dividends_files))
        for name, allowed in (
            ("pricer", ("auto", "european")),
            ("pricer_accuracy", ("fast", "default", "high")),
            ("smile_model", ("svi", "essvi", "local")),
            ("delta_convention", ("forward", "spot", "discounted")),
            ("tenor_interpolation", ("gaussian_process", "linear")),
            ("tenor_clock", ("variance", "calendar")),
            ("vendor_forward", ("parity", "vendor")),
        ):
            if getattr(self, name) not in allowed:
                msg = f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                raise SettingsError(msg)
        object.__setattr__(self, "exercise_overrides", _overrides(self.exercise_overrides))
        object.__setattr__(self, "aliases", alias_texts(self.aliases))

    @property
    def method_version(self) -> str:
        """The algorithm's integer and a hash of the settings' canonical JSON, e.g. ``1-3fa9c21b``."""
        text = json.dumps(_canonical(self), sort_keys=True, separators=(",", ":"))
        return f"{METHOD_INTEGER}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def replace(self, **changes: Any) -> Settings:
        """A copy with some choices changed."""
        return replace(self, **changes)


def _places(given: object) -> tuple[str, ...]:
    """Dividend files from one item or several."""
    items = (given,) if isinstance(given, str | os.PathLike) else given
    if not isinstance(items, tuple | list):
        msg = f"dividends_files must be paths or SYMBOL=PATH texts, got {given!r}"
        raise SettingsError(msg)
    for item in items:
        if not isinstance(item, str | os.PathLike) or not os.fspath(item).rpartition("=")[2].strip():
            msg = f"dividends_files must be paths or SYMBOL=PATH texts, got {item!r} among them"
            raise SettingsError(msg)
    return tuple(os.fspath(item) for item in items)


def _overrides(given: object) -> tuple[tuple[str, str], ...]:
    """Pairs of a root and its exercise, from pairs or from a mapping."""
    pairs = tuple(given.items()) if isinstance(given, Mapping) else given
    if not isinstance(pairs, tuple | list):
        msg = f'exercise_overrides must be pairs such as (("SPX", "european"),), got {given!r}'
        raise SettingsError(msg)
    for pair in pairs:
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)):
            msg = f'exercise_overrides must be pairs such as (("SPX", "european"),), got {pair!r} among them'
            raise SettingsError(msg)
        if pair[1] not in ("american", "european"):
            msg = f"exercise of root {pair[0]!r} must be american or european, got {pair[1]!r}"
            raise SettingsError(msg)
    return tuple((root.strip().lstrip("_^$.").upper(), style) for root, style in pairs)


def _canonical(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: _canonical(getattr(value, item.name))
            for item in fields(value)
            if item.metadata.get("hashed", True)
        }
    if isinstance(value, tuple | list):
        return [_canonical(item) for item in value]
    if isinstance(value, float):
        return repr(value)
    return value


def settings_or_default(given: object) -> Settings:
    """The settings that a caller gave, the default ones for None.

    Raises
    ------
    SettingsError
        They are none.
    """
    if given is None:
        return Settings()
    if not isinstance(given, Settings):
        raise SettingsError(f"settings must be a Settings(...), or None for the default, got {shown(given)}")
    return given
