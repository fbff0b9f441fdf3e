"""One engine's process: percentiles of every day of a series, and how long they take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from common import serving


class Peer:
    """Answers the questions of `common.serving`; the series is a file in the scratch folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self._make: Callable[[pd.Series, int | str | None], Callable[[], np.ndarray]] = _ENGINES[name]
        self._folder = folder

    def versions(self, packages: list[str]) -> dict[str, str]:
        return serving.versions(packages)

    def measure(self, window: int | str | None, seconds: float, file: str) -> dict[str, object]:
        """Milliseconds for the whole series: median of calls that together last `seconds`, three at least."""
        values = np.load(self._folder / "values.npy")
        series = pd.Series(values, index=pd.bdate_range("2011-01-03", periods=len(values)))
        solve = self._make(series, window)
        answer = solve()
        np.save(self._folder / file, answer)
        spent: list[float] = []
        while sum(spent) < seconds or len(spent) < 3:
            started = time.perf_counter()
            solve()
            spent.append(time.perf_counter() - started)
        return {"ms": 1e3 * float(np.median(spent))}


def _ours(series: pd.Series, window: int | str | None) -> Callable[[], np.ndarray]:
    from volskew.ranking import percentile_history

    values = series.to_numpy()
    count = 252 if window == "1y" else window

    def solve() -> np.ndarray:
        return percentile_history(values, window=count, min_observations=2, min_coverage=0.0).mid

    return solve


def _ours_table(series: pd.Series, window: int | str | None) -> Callable[[], np.ndarray]:
    from volskew.ranking import rank_history

    panel = pd.DataFrame({"A": np.exp(series), "B": 1.0}, index=series.index.as_unit("us"))
    name = "full" if window is None else "1y"

    def solve() -> np.ndarray:
        table = rank_history(panel, pair=("A", "B"), forms=["log_ratio"], windows=[name])
        return table["percentile"].to_numpy()

    return solve


def _gs_quant(series: pd.Series, window: int | str | None) -> Callable[[], np.ndarray]:
    from gs_quant.timeseries import Window, percentiles

    size = window if isinstance(window, str) else Window(window, 0)

    def solve() -> np.ndarray:
        return percentiles(series, w=size).reindex(series.index).to_numpy()

    return solve


def _pandas(series: pd.Series, window: int | str | None) -> Callable[[], np.ndarray]:
    count = 252 if window == "1y" else window
    rolling = series.expanding() if count is None else series.rolling(count)

    def solve() -> np.ndarray:
        return (100 * (rolling.rank() - 0.5) / rolling.count()).to_numpy()

    return solve


_ENGINES = {"volskew": _ours, "volskew-table": _ours_table, "gs-quant": _gs_quant, "pandas": _pandas}


if __name__ == "__main__":
    serving.serve(Peer(sys.argv[1], Path(sys.argv[3])))
