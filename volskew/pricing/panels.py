"""The panels of vols over which American exercise boundaries are interpolated, an octave each."""

from __future__ import annotations

__all__ = ["GREATEST_VOL", "LEAST_VOL", "PANELS"]

LEAST_VOL = 0.005
PANELS = 11
GREATEST_VOL = LEAST_VOL * 2.0**PANELS
"""[decimal, annual] The ends of what the American pricer covers."""
