"""What a reading says of itself: its flags, and how it was made."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from volskew.settings import Settings
from volskew.surface.expiries import Expiries
from volskew.surface.forwards import AMERICAN, PARITY_OF_VOLS
from volskew.surface.pricer import IGNORED
from volskew.surface.reading import AtPoint
from volskew.surface.tenor import TenorReading

__all__ = [
    "DIFFERENT_EXPIRIES",
    "FITS_DISAGREE",
    "NO_CROSS_CHECK",
    "NO_ERROR",
    "NO_QUOTES",
    "OVERRIDDEN",
    "ROLL",
    "SMILE_FALLBACK",
    "WIDE_WINDOW",
    "exceeds_roll",
    "flags_of",
    "is_roll",
    "method_of",
    "needs_rate",
]

NO_ERROR = "NO_ERROR"
"""Flag of a reading whose error is not known."""
NO_QUOTES = "NO_QUOTES"
"""Flag of a reading from a vendor's vols: no error can be claimed."""
OVERRIDDEN = "OVERRIDDEN"
"""Flag of the readings of a chain of which quotes were left out on somebody's word."""
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
DIFFERENT_EXPIRIES = "DIFFERENT_EXPIRIES"
"""Flag of a number whose readings lie between different expiries: what these differ by is in it."""
_ROLL, _ROLL_ERRORS = 0.002, 3.0
_DEFAULTS = Settings()


def flags_of(expiries: Expiries, numbers: Sequence[int], smiles: AtPoint) -> set[str]:
    """What should be known of the expiries of a reading, and of the surface."""
    flags, slices = set(expiries.flags), expiries.slices
    for number in numbers:
        flags.update(slices.flags[number].split())
        if smiles.is_wide[number]:
            flags.add(WIDE_WINDOW)
        if smiles.disagrees[number]:
            flags.add(FITS_DISAGREE)
        if not math.isfinite(smiles.gap[number]):
            flags.add(NO_CROSS_CHECK)
        if slices.methods[number] != expiries.settings.smile_model:
            flags.add(SMILE_FALLBACK)
    return flags


def is_roll(reading: TenorReading, other: TenorReading, error: float) -> bool:
    """Whether a reading without one of its expiries is another one by more than its error explains."""
    return exceeds_roll(other.vol - reading.vol, error)


def exceeds_roll(moved: float, error: float, *, scale: float = 1.0) -> bool:
    """Whether a number moves by more than its error explains; `scale` is its own move per vol."""
    return abs(moved) > max(_ROLL * scale, _ROLL_ERRORS * error)


def method_of(expiries: Expiries, numbers: Sequence[int]) -> str:
    """How a reading was made, from the expiries it used, or all of them where there is none."""
    slices, settings = expiries.slices, expiries.settings
    chosen = numbers or range(len(slices.forward_methods))
    used = sorted({slices.forward_methods[number] for number in chosen} - {""})
    smiles = "+".join(sorted({slices.methods[number] for number in chosen})) or "none"
    kind = "vendor-vol" if expiries.by_vendor else _exercise(used)
    rate = [f"rate={expiries.rate}"] if needs_rate(used) else []
    return " ".join([smiles, kind, *used, *rate, *_choices(settings)])


def _choices(settings: Settings) -> list[str]:
    """What a reading was asked to be where that is not the default."""
    names = {"delta": "delta_convention", "tenor": "tenor_interpolation", "clock": "tenor_clock"}
    if settings.tenor_clock != "calendar":  # there a weekend counts as any other day
        names["weekend"] = "weekend_weight"
    words = [
        f"{word}={getattr(settings, name)}"
        for word, name in names.items()
        if getattr(settings, name) != getattr(_DEFAULTS, name)
    ]
    days = settings.three_month_days
    return words if days == _DEFAULTS.three_month_days else [*words, f"3m={days}d"]


def needs_rate(methods: Collection[str]) -> bool:
    """Whether a discount rate stands behind forwards made in these ways; the vendor's deltas need none."""
    return any(method not in {"vendor-delta", PARITY_OF_VOLS} for method in methods)


def _exercise(methods: Collection[str]) -> str:
    """How early exercise stands in forwards made in these ways."""
    if not AMERICAN.isdisjoint(methods):
        return "american-exercise"
    return "exercise-ignored" if IGNORED in methods else "european-exercise"
