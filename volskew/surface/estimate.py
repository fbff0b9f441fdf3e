"""Estimate: a scalar with its error, its flags, and the way back to what it was made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A named number with its uncertainty.

    Attributes
    ----------
    value : float
        The estimate in its own unit (vol: decimal, annualised, ACT/365). NaN where there is no reading;
        `flags` then holds the ledger code that says why.
    error : float or None
        One standard error in the unit of `value`, or None with a flag (NO_ERROR, NO_QUOTES) saying why.
    flags : tuple of str
        Sorted; what should be known of the number.
    method : str
        How it was made, e.g. ``"svi american-exercise parity:dividends rate=flat:0.0400"``.
    details : Mapping
        Plain facts stored beside the number: forward, expiry_before, expiry_after, n_quotes, the parts of
        the error (see `volskew.surface.Surface.vol`).
    resolve : callable, optional
        Called with a name ("expiries", "quotes", "forwards", "smiles") it returns the table behind the
        number; see `volskew.surface.drill.Behind`.
    """

    value: float
    error: float | None = None
    flags: tuple[str, ...] = ()
    method: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    resolve: Callable[[str], Any] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Let equal estimates compare equal where a detail is missing: one NaN equals itself alone."""
        settled = {name: math.nan if value != value else value for name, value in self.details.items()}  # noqa: PLR0124
        object.__setattr__(self, "details", settled)

    def __eq__(self, other: object) -> bool:
        """Equal in every number and word; a missing number equals a missing one, as in a pickled copy."""
        if not isinstance(other, Estimate):
            return NotImplemented
        mine, theirs = self.details, other.details
        return (
            (self.flags, self.method, mine.keys()) == (other.flags, other.method, theirs.keys())
            and _are_same(self.value, other.value)
            and _are_same(self.error, other.error)
            and all(_are_same(value, theirs[name]) for name, value in mine.items())
        )

    def __hash__(self) -> int:
        """Of the words: equal estimates have the same."""
        return hash((self.flags, self.method))

    @property
    def is_read(self) -> bool:
        """Whether there is a number at all."""
        return math.isfinite(self.value)

    def __str__(self) -> str:
        """The value with its error, or why there is none, for people.

        Examples
        --------
        >>> print(Estimate(0.21437, 0.00012))
        0.21437 +- 0.00012
        >>> print(Estimate(0.21437, flags=("NO_QUOTES",)))
        0.21437, error not known
        >>> print(Estimate(math.nan, flags=("CAL_ARB",)))
        no reading (CAL_ARB)
        """
        if not self.is_read:
            return f"no reading ({' '.join(self.flags)})"
        if self.error is None or not math.isfinite(self.error):
            return f"{self.value:.5f}, error not known"
        return f"{self.value:.5f} +- {self.error:.5f}"

    def __float__(self) -> float:
        """The value alone."""
        return float(self.value)


def _are_same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124 - NaN alone is not itself
