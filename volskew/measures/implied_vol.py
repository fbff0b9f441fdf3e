"""Implied vol at a constant maturity and a constant forward call delta, or at the forward."""

from __future__ import annotations

from volskew.ledger import Entry
from volskew.surface import Estimate, Surface

__all__ = ["HAS_DELTA", "NAME", "TITLE", "explain", "read"]

NAME = "implied_vol"
TITLE = "implied vol at constant maturity and delta [decimal, annual]"
HAS_DELTA = True


def read(surface: Surface, *, tenor: str, delta: str) -> Estimate:
    """The reading; see `volskew.surface.Surface.vol`."""
    return surface.vol(tenor=tenor, delta=delta)


def explain(surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
    """What stands behind a missing reading; see `volskew.surface.Surface.failures`."""
    return surface.failures(tenor=tenor, delta=delta)
