"""The chart beside the CSVs: both legs, their ratio or difference, its episodes, and where today ranks."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from volskew.files import write_whole
from volskew.ranking import Ranking
from volskew.ranking.verdict import describe_reading
from volskew.report.figures import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_pair"]

_BLUE, _ORANGE, _GREY = "#1f5a9d", "#c2571a", "#8a8a8a"


def draw_pair(
    ranking: Ranking, folder: str | os.PathLike[str], *, episodes: pd.DataFrame | None = None
) -> Path | None:
    """Draw the two legs above what is ranked of them, with today's percentile, and write it as a PNG.

    Parameters
    ----------
    ranking : Ranking
        One pair, measure, tenor and delta. Vols are drawn above their ratio; numbers that have none on every
        day, such as skews, above their spread.
    episodes : pandas.DataFrame, optional
        Of `volskew.ranking.find_episodes`: shaded, lows in the colour of the first leg, highs of the second.
    folder : path-like
        Where the PNG goes; it is named after pair, tenor and delta.

    Returns
    -------
    pathlib.Path or None
        The file, or None where no day has both legs.
    """
    if ranking.series.dropna(subset=[_form(ranking)]).empty:
        return None
    figure = _figure(ranking, episodes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": "volskew"})
    a, b = ranking.pair
    name = f"{a}_{b}_{ranking.measure}_{ranking.tenor}_{ranking.delta}.png".replace("/", "-")
    return write_whole(Path(folder) / name, buffer.getvalue())


def _form(ranking: Ranking) -> str:
    """What is drawn of a pair: the ratio, or the spread where that is the headline."""
    return "spread" if ranking.headline["form"] == "spread" else "ratio"


def _figure(ranking: Ranking, episodes: pd.DataFrame | None) -> Figure:
    check_matplotlib()
    # The object interface, not pyplot: no global state, no display, safe in threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow import
    from matplotlib.figure import Figure  # noqa: PLC0415

    a, b = ranking.pair
    series = ranking.series.dropna(subset=[_form(ranking)])
    scale, unit = (100, "%") if ranking.unit == "vol" else (1, "")
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    vols, ratio = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    days = series.index.to_numpy()
    for leg, colour in ((a, _BLUE), (b, _ORANGE)):
        column = "a" if leg == a else "b"
        vols.plot(days, scale * series[column].to_numpy(), color=colour, linewidth=1.1, label=leg)
    vols.set_ylabel(_axis(ranking.measure, unit))
    vols.legend(loc="upper left", frameon=False, ncols=2)
    title = f"{a} and {b}, {describe_reading(ranking.measure, ranking.tenor, ranking.delta)}"
    if ranking.label_series.startswith("simulated"):
        title += "  (simulated data)"
    vols.set_title(title, loc="left")
    _draw_ratio(ratio, ranking)
    if episodes is not None:
        _shade((vols, ratio), episodes, last=days[-1])
    for axes in (vols, ratio):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    return figure


def _axis(measure: str, unit: str) -> str:
    name = "vol" if measure == "implied_vol" else measure.replace("_", " ")
    return f"{name} [{unit}]" if unit else name


def _shade(axes: Sequence[Axes], episodes: pd.DataFrame, *, last: np.datetime64) -> None:
    """Episodes as bands over their days, one that goes on up to the last day."""
    from matplotlib.dates import date2num  # noqa: PLC0415 - slow import

    number: Any = date2num  # without types in matplotlib
    ends = episodes["end"].fillna(pd.Timestamp(last))
    for start, end, side in zip(episodes["start"], ends, episodes["side"], strict=True):
        colour = _BLUE if side == "low" else _ORANGE
        for each in axes:
            each.axvspan(number(start), number(end), color=colour, alpha=0.12, linewidth=0)


def _draw_ratio(axes: Axes, ranking: Ranking) -> None:
    a, b = ranking.pair
    form = _form(ranking)
    points = form == "spread" and ranking.unit == "vol"
    series = ranking.series.dropna(subset=[form])
    days, values = series.index.to_numpy(), (100 if points else 1) * series[form].to_numpy()
    axes.plot(days, values, color="#333333", linewidth=1.0)
    headline = ranking.headline
    percentile = headline["percentile"]
    label = f"{values[-1]:.2f} points" if points else f"{values[-1]:.3f}"
    label += f" on {series.index[-1].date()}"
    if not pd.isna(percentile):
        # levels of a sample too short for a percentile would be one by another name
        for share, style in ((5, ":"), (50, "--"), (95, ":")):
            level = float(np.percentile(values, share))
            axes.axhline(level, color=_GREY, linewidth=0.8, linestyle=style)
            name = "median" if share == 50 else f"{share} %"
            axes.annotate(
                name, (1.0, level), xycoords=("axes fraction", "data"), color=_GREY, fontsize=8, va="center"
            )
        n_obs, first = int(headline["n_obs"]), headline["first_date"]
        label += f", percentile {percentile:.1f} of {n_obs} sessions since {first}"
    axes.plot(days[-1:], values[-1:], marker="o", color="#b00020", markersize=6)
    axes.set_title(label, loc="left", fontsize=10, color="#b00020")
    axes.set_ylabel(f"{a} - {b}" if form == "spread" else f"{a} / {b}")
