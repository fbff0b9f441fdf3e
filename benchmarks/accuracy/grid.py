"""The whole grid of a few chains beside the truth: one week to two years, 5 to 95 call delta."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import volskew as vs
from accuracy.chains import Key
from accuracy.tables import INTERVAL
from volskew.simulate import SCENARIOS, scenario_chain
from volskew.surface.surface import GRID_DELTAS, GRID_TENORS

NEAREST_DAYS, LONGEST_DAYS = 1, 800
"""The first and the last expiry: on either side of all tenors."""

MIDDLE = (0.25, 0.75)
"""Deltas between the 25-delta call and put."""


def scored(key: Key) -> list[dict[str, Any]]:
    """A row a tenor and delta: ``vol, error, truth`` (decimal), ``flags, code``."""
    scenario = replace(SCENARIOS[key.scenario], nearest_days=NEAREST_DAYS, longest_days=LONGEST_DAYS)
    chain = scenario_chain(scenario, symbol=key.symbol, seed=key.seed, day=key.day)
    surface = vs.fit_surface(chain.canonical(), market=chain.market, previous=chain.previous)
    table = surface.grid(tenors=GRID_TENORS, deltas=GRID_DELTAS)
    truth = np.concatenate([chain.truth.vol(tenor, list(GRID_DELTAS)) for tenor in GRID_TENORS])
    # the rows come by tenor and then by delta, as they were asked for
    table = table.assign(delta=np.tile(GRID_DELTAS, len(GRID_TENORS)), truth=truth)
    kept = ["tenor", "days", "delta", "vol", "error", "truth", "flags", "code"]
    named = key.columns() | {"family": chain.family}
    return [named | row for row in table[kept].to_dict("records")]


def by_tenor(rows: pd.DataFrame) -> pd.DataFrame:
    """What the errors of each tenor amount to, of all deltas and of those in the middle.

    Columns ``asked, read`` (share), ``median, p95`` (vol basis points, without sign) and ``coverage`` (share
    of 90 % intervals that hold the truth), each of ``all`` and ``middle``.
    """
    found = {}
    for tenor, group in rows.groupby("tenor", sort=False):
        middle = group[group["delta"].between(*MIDDLE)]
        found[tenor] = {
            f"{name}_{what}": value
            for what, part in (("all", group), ("middle", middle))
            for name, value in _summary(part).items()
        }
    return pd.DataFrame.from_dict(found, orient="index")


def _summary(part: pd.DataFrame) -> dict[str, float]:
    size = 1e4 * (part["vol"] - part["truth"]).abs()
    read = size.notna()
    apart = size / (1e4 * part["error"])
    return {
        "asked": len(part),
        "read": read.mean(),
        "median": size.median(),
        "p95": size.quantile(0.95),
        "coverage": (apart.dropna() <= INTERVAL).mean(),
    }
