"""The chart of smiles: an expiry's quotes, the curve through them, its cross-check and its readings."""

from __future__ import annotations

import io
import itertools
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from volskew.errors import SettingsError, StoreError
from volskew.files import write_whole
from volskew.report.figures import check_matplotlib, with_error
from volskew.workflow import Picture
from volskew.workflow.pictures import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_picture", "draw_pictures"]

_BLUE, _ORANGE, _GREY, _RED, _GREEN = "#1f5a9d", "#c2571a", "#8a8a8a", "#b00020", "#1d7a3f"
_MARKS = "xvs^P*Dp<>hX"
"""One for each exclusion code, in the order in which they are met."""
_MOST = 0.95
"""Share of the used quotes that the lower part shows whole."""
_TITLE = 110
"""Characters of a line of a title."""
_ROOM = 0.12
"""Of the height of smile and quotes, above and below them."""


def draw_pictures(
    pictures: Sequence[Picture], folder: str | os.PathLike[str]
) -> tuple[list[Path], list[str]]:
    """Draw each picture; what cannot be drawn costs a sentence, not the run.

    Returns
    -------
    tuple of (list of pathlib.Path, list of str)
        The files, and what went wrong.
    """
    files: list[Path] = []
    trouble: list[str] = []
    for picture in pictures:
        name = f"{picture.symbol} {picture.date}"
        if picture.reason:
            trouble.append(f"{name}: {picture.reason}.")
        if not picture.panels:
            continue
        try:
            files.append(draw_picture(picture, folder))
        except (OSError, SettingsError, StoreError) as error:
            trouble.append(f"The chart of {name} could not be drawn: {error}")
    return files, trouble


def draw_picture(picture: Picture, folder: str | os.PathLike[str]) -> Path:
    """Draw the smiles of one session, a panel an expiry, and write them as a PNG.

    Parameters
    ----------
    picture : Picture
        With one panel at least.
    folder : path-like
        Where the PNG goes; it is named after symbol, session, series and what was asked for.

    Returns
    -------
    pathlib.Path
    """
    figure = _figure(picture)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": "volskew"})
    parts = (picture.symbol, str(picture.date), picture.series, "smiles", picture.wanted.replace(", ", "_"))
    name = "_".join(parts).replace("/", "-").replace(":", "-")
    return write_whole(Path(folder) / f"{name}.png", buffer.getvalue())


def _figure(picture: Picture) -> Figure:
    check_matplotlib()
    # The object interface, not pyplot: no global state, no display, safe in threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow import
    from matplotlib.figure import Figure  # noqa: PLC0415

    n = len(picture.panels)
    figure = Figure(figsize=(11, 1 + 5.2 * n), layout="constrained")
    FigureCanvasAgg(figure)
    title = f"{picture.symbol} smiles, {picture.date}, {picture.wanted}  (series {picture.series})"
    if picture.series.startswith("simulated"):
        title += "  SIMULATED"
    if picture.reason:
        title += "\n" + textwrap.fill(f"{picture.reason}.", _TITLE)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    parts = figure.subfigures(n, 1, squeeze=False)[:, 0]
    for part, panel in zip(parts, picture.panels, strict=True):
        smile, off = part.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw(smile, panel)
        _draw_off(off, panel)
        for axes in (smile, off):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    return figure


def _served(panel: Panel) -> pd.DataFrame:
    return panel.quotes[panel.quotes["used_in_smile"].to_numpy(dtype=bool)]


def _left_out(panel: Panel) -> pd.DataFrame:
    """Lines with an exclusion code on the side of the forward that a smile is made of."""
    quotes = panel.quotes
    return quotes[quotes["exclusion"].notna() & _is_out_of_the_money(quotes)]


def _is_out_of_the_money(quotes: pd.DataFrame) -> pd.Series:
    return quotes["is_call"].astype(bool) == (quotes["strike"] >= quotes["forward"])


def _draw(axes: Axes, panel: Panel) -> None:
    """The smile among its quotes."""
    quotes, served = panel.quotes, _served(panel)
    low, high = _range(panel, served)
    idle = quotes[quotes["exclusion"].isna() & ~quotes["used_in_smile"] & quotes["vol_mid"].notna()]
    idle = idle[_is_out_of_the_money(idle)]
    _bars(axes, idle, colour=_GREY, label=f"not used ({len(idle)})")
    _bars(axes, served, colour=_BLUE, label=f"bid to ask, used ({len(served)})")
    left_out = _left_out(panel)
    _marks(axes, left_out, 100 * left_out["vol_mid"], low=low, high=high)
    if not panel.line.empty:
        axes.plot(panel.line["strike"], 100 * panel.line["vol"], color=_ORANGE, linewidth=1.2,
                  label=f"smile ({panel.method})", zorder=4)  # fmt: skip
    _readings(axes, panel.points)
    strikes = panel.line["strike"] if not panel.line.empty else served["strike"]
    if len(strikes):
        room = 0.03 * float(strikes.max() - strikes.min()) or 1.0
        axes.set_xlim(float(strikes.min()) - room, float(strikes.max()) + room)
    axes.set_ylim(low, high)
    failed = f": not read, {panel.failed}" if panel.failed else ""
    axes.set_title(textwrap.fill(panel.name + failed, _TITLE), loc="left", fontsize=10)
    axes.set_ylabel("vol [%]")
    axes.legend(loc="upper right", frameon=False, fontsize=8)


def _draw_off(axes: Axes, panel: Panel) -> None:
    """How far everything lies from the smile: there a few hundredths of a point can be seen."""
    served, left_out, points = _served(panel), _left_out(panel), panel.points
    bid, mid, ask = (100 * (served[f"vol_{side}"] - served["smile_vol"]) for side in ("bid", "mid", "ask"))
    away = np.abs(np.concatenate([bid.to_numpy(), mid.to_numpy(), ask.to_numpy()]))
    away = away[np.isfinite(away)]
    height = 1.4 * float(np.quantile(away, _MOST)) if away.size else 1.0
    height = max(height, 0.02)
    axes.axhline(0.0, color=_ORANGE, linewidth=1.2)
    axes.vlines(served["strike"], bid.fillna(mid), ask.fillna(mid), color=_BLUE, linewidth=1.0, alpha=0.7)
    axes.plot(served["strike"], mid, linestyle="", marker="_", markersize=3, color=_BLUE)
    known = left_out[left_out["smile_vol"].notna() & left_out["vol_mid"].notna()]
    _marks(axes, known, 100 * (known["vol_mid"] - known["smile_vol"]), low=-height, high=height)
    read = points[points["vol"].notna()]
    second = 100 * (read["second_vol"] - read["vol"])
    axes.plot(read["strike"], second, linestyle="", marker="D", markersize=6, color=_GREEN,
              markerfacecolor="none", zorder=5)  # fmt: skip
    axes.errorbar(read["strike"], np.zeros(len(read)), yerr=100 * read["error"].fillna(0.0), linestyle="",
                  color="black", capsize=4, zorder=6)  # fmt: skip
    axes.set_ylim(-height, height)
    axes.set_ylabel("less the smile [points]")
    axes.set_xlabel("strike [$]")


def _range(panel: Panel, served: pd.DataFrame) -> tuple[float, float]:
    """Vols [%] between which smile and used quotes lie, with room around them."""
    shown = [panel.line["vol"], served["vol_bid"], served["vol_ask"], served["vol_mid"]]
    vols = 100 * np.concatenate([column.to_numpy(dtype=np.float64) for column in shown])
    vols = vols[np.isfinite(vols)]
    if not vols.size:
        return 0.0, 100.0
    room = max(_ROOM * float(vols.max() - vols.min()), 0.5)
    return float(vols.min()) - room, float(vols.max()) + room


def _bars(axes: Axes, quotes: pd.DataFrame, *, colour: str, label: str) -> None:
    """Each quote as a bar from the vol of its bid to that of its ask, a tick at the mid."""
    if quotes.empty:
        return
    mid = quotes["vol_mid"]
    bid, ask = quotes["vol_bid"].fillna(mid), quotes["vol_ask"].fillna(mid)
    axes.vlines(quotes["strike"], 100 * bid, 100 * ask, color=colour, linewidth=1.0, alpha=0.7)
    axes.plot(quotes["strike"], 100 * mid, linestyle="", marker="_", markersize=3, color=colour, label=label)


def _marks(axes: Axes, quotes: pd.DataFrame, at: pd.Series, *, low: float, high: float) -> None:
    """A mark a code at its height; at the edge if that lies beyond the chart, below if there is no vol."""
    codes = quotes["exclusion"]
    for code, mark in zip(sorted(codes.unique()), itertools.cycle(_MARKS)):
        mine = (codes == code).to_numpy(dtype=bool)
        height = at.to_numpy(dtype=np.float64)[mine]
        height = np.where(np.isfinite(height), np.clip(height, low, high), low)
        axes.plot(quotes["strike"][mine], height, linestyle="", marker=mark, markersize=5, color=_RED,
                  markerfacecolor="none", label=f"{code} ({int(mine.sum())})", zorder=3)  # fmt: skip


def _readings(axes: Axes, points: pd.DataFrame) -> None:
    """The readings at the standard deltas with their errors, and what the second smile reads there."""
    read = points[points["vol"].notna()]
    if read.empty:
        return
    error = read["error"].fillna(0.0)
    axes.errorbar(
        read["strike"], 100 * read["vol"], yerr=100 * error, linestyle="", marker="o", markersize=4,
        color="black", capsize=4, zorder=6, label="reading, one standard error",
    )  # fmt: skip
    checked = read[read["second_vol"].notna()]
    if not checked.empty:
        axes.plot(checked["strike"], 100 * checked["second_vol"], linestyle="", marker="D", markersize=8,
                  color=_GREEN, markerfacecolor="none", zorder=5, label="cross-check")  # fmt: skip
    for row in read.to_dict("records"):
        axes.annotate(
            f"{row['label']}  {with_error(row['vol'], row['error'])}",
            (row["strike"], 100 * row["vol"]), xytext=(0, 14), textcoords="offset points",
            fontsize=8, ha="center", va="bottom", zorder=7,
        )  # fmt: skip
