"""The chart beside the CSVs: both vols, their ratio, and where today's ratio ranks."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from volskew.files import write_whole
from volskew.ranking import Ranking
from volskew.ranking.verdict import describe_reading
from volskew.report.figures import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_pair"]

_BLUE, _ORANGE, _GREY = "#1f5a9d", "#c2571a", "#8a8a8a"


def draw_pair(ranking: Ranking, folder: str | os.PathLike[str]) -> Path | None:
    """Draw the two vols above their ratio, with today's percentile, and write it as a PNG.

    Parameters
    ----------
    ranking : Ranking
        One pair, measure, tenor and delta.
    folder : path-like
        Where the PNG goes; it is named after pair, tenor and delta.

    Returns
    -------
    pathlib.Path or None
        The file, or None where no day has both legs.
    """
    series = ranking.series.dropna(subset=["ratio"])
    if series.empty:
        return None
    figure = _figure(ranking)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": "volskew"})
    a, b = ranking.pair
    name = f"{a}_{b}_{ranking.measure}_{ranking.tenor}_{ranking.delta}.png".replace("/", "-")
    return write_whole(Path(folder) / name, buffer.getvalue())


def _figure(ranking: Ranking) -> Figure:
    check_matplotlib()
    # The object interface, not pyplot: no global state, no display, safe in threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow import
    from matplotlib.figure import Figure  # noqa: PLC0415

    a, b = ranking.pair
    series = ranking.series.dropna(subset=["ratio"])
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    vols, ratio = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    days = series.index.to_numpy()
    for leg, colour in ((a, _BLUE), (b, _ORANGE)):
        column = "a" if leg == a else "b"
        vols.plot(days, 100 * series[column].to_numpy(), color=colour, linewidth=1.1, label=leg)
    vols.set_ylabel("vol [%]")
    vols.legend(loc="upper left", frameon=False, ncols=2)
    title = f"{a} and {b}, {describe_reading(ranking.measure, ranking.tenor, ranking.delta)}"
    if ranking.label_series.startswith("simulated"):
        title += "  (simulated data)"
    vols.set_title(title, loc="left")
    _draw_ratio(ratio, ranking)
    for axes in (vols, ratio):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    return figure


def _draw_ratio(axes: Axes, ranking: Ranking) -> None:
    a, b = ranking.pair
    series = ranking.series.dropna(subset=["ratio"])
    days, values = series.index.to_numpy(), series["ratio"].to_numpy()
    axes.plot(days, values, color="#333333", linewidth=1.0)
    if len(values) > 1:
        for share, style in ((5, ":"), (50, "--"), (95, ":")):
            level = float(np.percentile(values, share))
            axes.axhline(level, color=_GREY, linewidth=0.8, linestyle=style)
            name = "median" if share == 50 else f"{share} %"
            axes.annotate(
                name, (1.0, level), xycoords=("axes fraction", "data"), color=_GREY, fontsize=8, va="center"
            )
    axes.plot(days[-1:], values[-1:], marker="o", color="#b00020", markersize=6)
    headline = ranking.headline
    percentile = headline["percentile"]
    label = f"{values[-1]:.3f} on {series.index[-1].date()}"
    if percentile == percentile:  # noqa: PLR0124 - not NaN
        n_obs, first = int(headline["n_obs"]), headline["first_date"]
        label += f", percentile {percentile:.1f} of {n_obs} sessions since {first}"
    axes.set_title(label, loc="left", fontsize=10, color="#b00020")
    axes.set_ylabel(f"{a} / {b}")
