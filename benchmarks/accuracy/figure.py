"""Errors of the library and of the others by scenario, chain by chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accuracy import ours, peers
from accuracy.tables import basis_points

TITLES = {"25c": "25-delta call", "atm": "50 delta", "25p": "25-delta put"}
STYLES = {
    ours.NAME: ("#0072b2", "o"),
    peers.OIPD: ("#d55e00", "^"),
    peers.INTERPOLATED: ("#009e73", "s"),
    peers.NEAREST: ("#7f7f7f", "D"),
}
"""Colours of Okabe and Ito, which the colour-blind can tell apart, and a shape for each."""

_LEAST = 0.03
"""[vol bp] Smaller errors are drawn here: the axis is logarithmic."""
_WIDTH = 0.2


def drawn(rows: pd.DataFrame, file: Path) -> None:
    """A panel a measure; each mark a chain, each bar the median of a method."""
    table = basis_points(rows[rows["measure"].isin(TITLES)])
    scenarios = list(dict.fromkeys(table["scenario"]))
    methods = [name for name in STYLES if name in set(table["method"])]
    figure = Figure(figsize=(11, 8.5), layout="constrained")
    panels = figure.subplots(len(TITLES), 1, sharex=True, sharey=True)
    for panel, (measure, title) in zip(panels, TITLES.items(), strict=True):
        of_measure = table[table["measure"] == measure]
        for place, method in enumerate(methods):
            shift = _WIDTH * (place - (len(methods) - 1) / 2)
            _marks(panel, of_measure[of_measure["method"] == method], method, scenarios, shift)
        panel.set_yscale("log")
        panel.set_ylabel("error [vol bp]")
        panel.set_title(f"91 days, {title}", loc="left", fontsize=10)
        panel.grid(axis="y", alpha=0.3)
        for edge in range(1, len(scenarios)):
            panel.axvline(edge - 0.5, color="0.85", linewidth=0.8)
    panels[-1].set_ylim(_LEAST, 1.5 * max(table["miss"].abs().max(), 1.0))
    panels[-1].set_xticks(range(len(scenarios)), [name.replace("_", " ") for name in scenarios])
    panels[-1].set_xlim(-0.5, len(scenarios) - 0.5)
    panels[0].legend(ncols=len(methods), loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=9)
    figure.savefig(file, dpi=110, metadata={"Software": None})


def _marks(panel: Axes, rows: pd.DataFrame, method: str, scenarios: list[str], shift: float) -> None:
    colour, shape = STYLES[method]
    size = rows["miss"].abs().clip(lower=_LEAST).to_numpy()
    place = (
        rows["scenario"].map({name: number for number, name in enumerate(scenarios)}).to_numpy(dtype=float)
    )
    # a fixed pattern across the width: the same figure from the same rows
    across = 0.7 * _WIDTH * (np.arange(len(rows)) * 0.618 % 1 - 0.5)
    panel.scatter(
        place + shift + across, size, s=9, c=colour, marker=shape, alpha=0.45, linewidths=0, label=method
    )
    for number, name in enumerate(scenarios):
        known = size[(rows["scenario"] == name).to_numpy() & np.isfinite(size)]
        if known.size:
            ends = (number + shift - 0.45 * _WIDTH, number + shift + 0.45 * _WIDTH)
            panel.hlines(np.median(known), *ends, colors=colour, linewidth=2.2)
