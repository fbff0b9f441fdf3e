"""Surfaces: quotes -> forwards -> vols -> smiles -> the vol at any tenor and delta.

`fit_surface` runs one snapshot through all stages; each stage is also a function of its own: `forwards`
(put-call parity, box rates), `vols` (the one place that picks a pricer), `local` (robust smiles in
delta), `gates` (what a slice must show) and `tenor` (constant maturity). Nothing is dropped: every line
keeps its row, with the reason where it did not serve, and a reading that does not exist says why.
"""

from volskew.surface.delta import delta_label, delta_text, parse_delta
from volskew.surface.estimate import Estimate
from volskew.surface.fit import fit_surface
from volskew.surface.forwards import box_rate, fit_forwards
from volskew.surface.surface import Surface
from volskew.surface.vols import solve_vols

__all__ = [
    "Estimate",
    "Surface",
    "box_rate",
    "delta_label",
    "delta_text",
    "fit_forwards",
    "fit_surface",
    "parse_delta",
    "solve_vols",
]
