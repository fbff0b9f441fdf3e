"""Simulated chains with their truth, made once and kept in files."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

import volskew
from volskew.market.table import MarketRow
from volskew.simulate import SCENARIOS, scenario_chain

SYMBOLS = ("QQQ", "IWM")
TENOR, DAYS = "3m", 91
DELTAS = {"25c": 0.25, "atm": 0.50, "25p": 0.75}

_WEEK, _EVERY = 5, 25

# what a kept chain follows from beside its name
_SOURCES = ("simulate", "quotes", "market")


@dataclass(frozen=True, order=True)
class Key:
    """A chain's name."""

    scenario: str
    symbol: str
    seed: int
    day: int

    def __str__(self) -> str:
        return f"{self.scenario}-{self.symbol}-{self.seed}-{self.day}"

    def columns(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Sample:
    """A chain as a reader gets it, and what it should find.

    `vols` are the true ones at 91 days by measure; `forwards` the true ones by expiry date.
    """

    key: Key
    date: str
    family: str
    quotes: pd.DataFrame
    market: MarketRow
    previous: pd.DataFrame | None
    spot: float
    rate: float
    vols: dict[str, float]
    forwards: pd.Series


def keys(scenarios: Iterable[str], seeds: Iterable[int], days: int) -> list[Key]:
    """The chains of a run, the days of a market in their order."""
    return [
        Key(scenario, symbol, seed, day)
        for scenario in scenarios
        for seed in seeds
        for symbol in SYMBOLS
        for day in sessions(seed, days)
    ]


def sessions(seed: int, days: int) -> list[int]:
    """Five sessions in a row of every 25, another five for the next seed.

    So expiries stand in every way around the tenor; and a chain whose stale lines are those of the session
    before comes right after it.
    """
    first = 1 + _WEEK * (seed % (_EVERY // _WEEK))
    return [first + _EVERY * (number // _WEEK) + number % _WEEK for number in range(days)]


def names() -> tuple[str, ...]:
    return tuple(SCENARIOS)


def simulated(key: Key) -> Sample:
    chain = scenario_chain(key.scenario, symbol=key.symbol, seed=key.seed, day=key.day)
    truth = chain.truth
    vols = truth.vol(TENOR, list(DELTAS.values()))
    expiries = truth.expiries
    return Sample(
        key=key,
        date=chain.date.isoformat(),
        family=chain.family,
        quotes=chain.canonical(),
        market=chain.market,
        previous=chain.previous,
        spot=truth.spot,
        rate=truth.rate,
        vols=dict(zip(DELTAS, vols.tolist(), strict=True)),
        forwards=pd.Series(expiries["forward"].to_numpy(), index=expiries["expiration"].tolist()),
    )


def kept(key: Key, folder: Path) -> Sample:
    """The chain from its file, which is written first where it is missing."""
    file = folder / _digest() / f"{key}.pickle"
    if file.exists():
        found: Sample = pickle.loads(file.read_bytes())  # noqa: S301 - written by this function
        return found
    made = simulated(key)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_bytes(pickle.dumps(made))
    part.replace(file)
    return made


def _digest() -> str:
    """Chains made by other code are made again."""
    if not _DIGESTS:
        place = Path(volskew.__file__).parent
        found = hashlib.sha256(" ".join(field.name for field in fields(Sample)).encode())
        for folder in _SOURCES:
            for source in sorted((place / folder).glob("*.py")):
                found.update(source.read_bytes())
        _DIGESTS.append(found.hexdigest()[:16])
    return _DIGESTS[0]


_DIGESTS: list[str] = []
