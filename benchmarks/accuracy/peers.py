"""The peers on simulated chains: each asked in an environment of its own, several processes at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pandas as pd
from common import process
from common.process import Engine, Run

from accuracy import ours
from accuracy.chains import DAYS, Key, Sample, kept
from accuracy.scoring import named
from accuracy.tables import FORWARDS

PROGRAM = Path(__file__).with_name("peer.py")

OIPD, NEAREST, INTERPOLATED = "oipd", "script-nearest", "script-interpolated"
NO_READING = "NO_READING"
"""Code of a measure that a peer, without an exception, had no number for."""

_SCRIPT = (
    "`vollib.black_scholes`, European, from spot and the true rate, no dividends; mids of two-sided lines, "
    "calls up to 50 delta and puts beyond"
)
ENGINES = (
    Engine(
        OIPD,
        "oipd",
        ("oipd", "numpy", "scipy", "pandas"),
        "`VolSurface().fit(chain, market)` with its defaults on the two expiries around 91 days, "
        "`implied_vol(strike, t)` and `forward_price(t)` at 91 days; the strike by bisection on N(d1), for "
        "it has no vol at a delta",
    ),
    Engine(
        NEAREST,
        "vollib",
        ("vollib", "numpy"),
        f"{_SCRIPT}; the expiry nearest to 91 days and there the strike whose own delta is nearest",
    ),
    Engine(
        INTERPOLATED,
        "vollib",
        ("vollib", "numpy"),
        f"{_SCRIPT}; linear in delta between two strikes, linear in time between the two expiries",
    ),
)


@dataclass
class Answers:
    """What the peers said: rows as the library's, and how each fared."""

    rows: pd.DataFrame
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def thinned(keys: list[Key], days: int) -> list[Key]:
    """Of each market so many days, evenly from the first to the last."""
    markets: dict[tuple[str, str, int], list[Key]] = {}
    for key in keys:
        markets.setdefault((key.scenario, key.symbol, key.seed), []).append(key)
    return [
        market[place]
        for market in markets.values()
        for place in np.linspace(0, len(market) - 1, min(days, len(market))).round().astype(int)
    ]


def asked(wanted: dict[str, list[Key]], chains: Path, *, scratch: Path, envs: Path, jobs: int) -> Answers:
    """Each engine on its chains."""
    found = Answers(pd.DataFrame())
    rows: list[dict[str, Any]] = []
    for engine in ENGINES:
        keys = wanted.get(engine.name, [])
        if not keys:
            continue
        print(f"  {engine.name}, {len(keys)} chains", file=sys.stderr, flush=True)
        runs = [Run(engine, 1, engine.name) for _ in range(min(jobs, len(keys)))]
        with process.started(runs, PROGRAM, scratch, envs):
            rows += _shared_out(runs, keys, chains, scratch)
        found.versions[engine.name] = runs[0].versions
        failure = next((run.failure for run in runs if run.failure), "")
        if failure:
            found.failures[engine.name] = failure
    found.rows = pd.DataFrame(rows)
    return found


def _shared_out(runs: list[Run], keys: list[Key], chains: Path, scratch: Path) -> list[dict[str, Any]]:
    """All processes take from one queue; the rows come in the order of the keys."""
    waiting: SimpleQueue[int] = SimpleQueue()
    for number in range(len(keys)):
        waiting.put(number)
    answers: dict[int, list[dict[str, Any]]] = {}

    def work(run: Run) -> None:
        while run.process is not None and not waiting.empty():
            number = waiting.get()
            sample = kept(keys[number], chains)
            with process.surviving(run):
                answers[number] = list(_rows(run, sample, scratch))

    with ThreadPoolExecutor(len(runs)) as pool:
        for done in [pool.submit(work, run) for run in runs]:
            done.result()
    return [row for number in sorted(answers) for row in answers[number]]


def _rows(run: Run, sample: Sample, scratch: Path) -> Iterator[dict[str, Any]]:
    expiries = ours.around(sample)
    file = scratch / f"{sample.key}.csv"
    written(sample, list(expiries.values())).to_csv(file, index=False)
    reply = process.ask(
        run, "read", file=str(file), date=sample.date, spot=sample.spot, rate=sample.rate, days=DAYS
    )
    values: dict[str, float] = reply["values"]
    if {"25p", "25c"} <= values.keys():
        values["rr"] = values["25p"] - values["25c"]
    truths = sample.vols | {"rr": sample.vols["25p"] - sample.vols["25c"]}
    truths |= {name: float(sample.forwards[date]) for name, date in expiries.items()}
    failure = str(reply["failure"]).split(":", maxsplit=1)[0]
    for name, truth in truths.items():
        if name in FORWARDS and name not in values and not failure:
            continue  # the nearest expiry alone has one
        yield named(sample) | {
            "measure": name,
            "value": values.get(name, np.nan),
            "truth": truth,
            "error": np.nan,
            "flags": "",
            "code": "" if name in values else failure or NO_READING,
            "method": run.engine.name,
            "seconds": reply["seconds"],
        }


def written(sample: Sample, expiries: list[str]) -> pd.DataFrame:
    """The lines of some expiries under the names that oipd knows."""
    quotes = sample.quotes
    table = pd.DataFrame(
        {
            "expiry": quotes["expiry"].dt.strftime("%Y-%m-%d"),
            "strike": quotes["strike"],
            "option_type": np.where(quotes["is_call"].astype(bool), "C", "P"),
            "bid": quotes["bid"],
            "ask": quotes["ask"],
            "last_price": quotes["last"],
            "volume": quotes["volume"],
        }
    )
    return table[table["expiry"].isin(expiries)]
