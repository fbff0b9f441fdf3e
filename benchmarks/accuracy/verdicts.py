"""Whether each target holds, from the run's own numbers alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from common.verdicts import NOT_MEASURED, verdict

from accuracy.tables import LEGS, SPREAD, summary

CALL = {"median": 1.0, "p95": 4.0, "worst": 15.0}
"""Goals [vol bp] of the three-month 25-delta call in calm and stressed markets."""
FACTORS = {"calm": 1.0, "stressed": 1.0, "sparse": 2.0, "dirty": 2.0}
SPREAD_RATIO = 1.5
READ = {"calm": 0.98, "dirty": 0.90}
BEYOND_SHARE = 0.01
COVERAGE = (0.85, 0.95)

_DAY = ["scenario", "seed", "day"]


def call(table: pd.DataFrame) -> Iterator[list[str]]:
    """A row for each scenario with goals and symbol; `table` is a summary by measure, scenario and symbol."""
    for scenario, factor in FACTORS.items():
        for symbol, found in _groups(table, "25c", scenario):
            goals = {name: factor * goal for name, goal in CALL.items()}
            yield [
                f"{scenario}, {symbol}: at most {', '.join(f'{goal:g}' for goal in goals.values())}",
                _percent(1.0 - found["unread"] / found["asked"]),
                *(_within(found[name], goal) for name, goal in goals.items()),
            ]


def spread(rows: pd.DataFrame) -> Iterator[list[str]]:
    """The pair's spread over the worse of its legs, on the days that both are read."""
    pairs = rows[(rows["measure"] == SPREAD) & np.isfinite(rows["miss"])]
    days = pairs[_DAY].drop_duplicates()
    legs = rows[rows["measure"] == "25c"].merge(days, on=_DAY)
    for scenario in dict.fromkeys(rows["scenario"]):
        both = summary(pairs[pairs["scenario"] == scenario], ["scenario"])
        single = summary(legs[legs["scenario"] == scenario], ["symbol"])
        cells = []
        for name in CALL:
            found = both[name].max() if len(both) else math.nan
            worse = single[name].max() if len(single) else math.nan
            said = verdict(found / worse, SPREAD_RATIO, least=False) if worse else NOT_MEASURED
            cells.append(said if math.isnan(found) else f"{found:.2f} to {worse:.2f}: {said}")
        yield [str(scenario), *cells]


def read(table: pd.DataFrame) -> Iterator[str]:
    """Days on which both legs are read."""
    for scenario, goal in READ.items():
        found = [row for _, row in _groups(table, SPREAD, scenario)]
        share = 1.0 - found[0]["unread"] / found[0]["asked"] if found else math.nan
        said = NOT_MEASURED if math.isnan(share) else _share(share, goal, least=True)
        yield f"{scenario}, both legs of at least {100 * goal:.0f} % of the days: {said}."


def beyond(rows: pd.DataFrame) -> Iterator[list[str]]:
    """By scenario and measure: errors beyond three stated standard errors without a flag."""
    for scenario, found in _by_scenario(rows):
        yield [scenario, *(_share(found.get(name, math.nan), BEYOND_SHARE, least=False) for name in MEASURED)]


def coverage(rows: pd.DataFrame) -> Iterator[list[str]]:
    """By scenario and measure: the share of 90 % intervals that hold the truth."""
    for scenario, found in _by_scenario(rows, "coverage"):
        yield [scenario, *(_inside(found.get(name, math.nan)) for name in MEASURED)]


MEASURED = (*LEGS, SPREAD)


def _by_scenario(rows: pd.DataFrame, what: str = "beyond") -> Iterator[tuple[str, dict[str, float]]]:
    table = summary(rows[rows["measure"].isin(MEASURED)], ["scenario", "measure"])[what]
    for scenario in dict.fromkeys(table.index.get_level_values("scenario")):
        yield str(scenario), table.loc[scenario].to_dict()


def _groups(table: pd.DataFrame, measure: str, scenario: str) -> Iterator[tuple[str, pd.Series]]:
    for key, found in table.iterrows():
        if isinstance(key, tuple) and key[:2] == (measure, scenario):
            yield str(key[2]), found


def _within(value: float, goal: float) -> str:
    said = verdict(value, goal, least=False)
    return said if math.isnan(value) else f"{value:.2f}: {said}"


def _share(value: float, goal: float, *, least: bool) -> str:
    if math.isnan(value):
        return NOT_MEASURED
    is_met = value >= goal if least else value < goal
    return f"{_percent(value)}: {'met' if is_met else '**missed**'}"


def _inside(value: float) -> str:
    if math.isnan(value):
        return NOT_MEASURED
    low, high = COVERAGE
    if value < low:
        return f"{_percent(value)}: **too narrow**"
    return f"{_percent(value)}: " + ("met" if value <= high else "**too wide**")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
