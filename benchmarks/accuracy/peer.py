"""One peer in a process of its own: reads the three-month vols of the chains it is given.

    python peer.py ENGINE THREADS FOLDER

Every line in and out is a JSON object; chains are CSV files. Runs in each peer's own environment, so it needs
numpy, the peer and common/ alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.serving import serve, versions

DELTAS = {"25c": 0.25, "atm": 0.50, "25p": 0.75}
"""Forward call deltas by measure."""


@dataclass(frozen=True)
class Question:
    """A chain's file, its session, its spot [$], its rate (continuous) and the days to read it at."""

    file: Path
    date: dt.date
    spot: float
    rate: float
    days: int

    def days_to(self, expiry: str) -> int:
        return (dt.date.fromisoformat(expiry) - self.date).days


# vols and forwards by measure; what is missing could not be read
Answer = dict[str, float]


# --- oipd -------------------------------------------------------------------------------------------------


def oipd(asked: Question) -> Answer:
    """`VolSurface` over the two expiries around the tenor, as its user guide fits one.

    It has no vol at a delta: the strike is found where N(d1), from its own forward and vol, is the delta.
    """
    package = importlib.import_module("oipd")
    chain = package.sources.from_csv(str(asked.file))
    market = package.MarketInputs(
        risk_free_rate=asked.rate,
        risk_free_rate_mode="continuous",
        valuation_date=asked.date,
        underlying_price=asked.spot,
    )
    surface = package.VolSurface().fit(chain, market)
    years = asked.days / 365.0
    forward = float(surface.forward_price(years))
    found = {
        name: _at_delta(lambda strike: float(surface.implied_vol(strike, years)), forward, years, delta)
        for name, delta in DELTAS.items()
    }
    for expiry in surface.expiries:
        name = "forward_before" if (expiry.date() - asked.date).days < asked.days else "forward_after"
        found[name] = float(surface.slice(expiry).forward_price)
    return found


def _at_delta(vol: Callable[[float], float], forward: float, years: float, delta: float) -> float:
    """The vol at the strike whose N(d1) is `delta`, by bisection of the strike."""
    root = math.sqrt(years)
    low, high = 0.5 * forward, 2.0 * forward
    for _ in range(60):
        strike = 0.5 * (low + high)
        total = vol(strike) * root
        d1 = math.log(forward / strike) / total + total / 2
        if 0.5 * math.erfc(-d1 / math.sqrt(2)) > delta:  # deltas fall with the strike
            low = strike
        else:
            high = strike
    return vol(0.5 * (low + high))


# --- the script -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    strike: float
    vol: float
    delta: float


def nearest(asked: Question) -> Answer:
    """The listed expiry nearest to the tenor, and there the strike whose delta is nearest."""
    chain = _listed(asked)
    days = min(chain, key=lambda each: abs(each - asked.days))
    lines = _solved(asked, days, chain[days])
    found = {}
    for name, delta in DELTAS.items():
        right, wanted = _wanted(delta)
        if lines[right]:
            found[name] = min(lines[right], key=lambda line: abs(line.delta - wanted)).vol
    return found | _spot_forwards(asked, [days])


def interpolated(asked: Question) -> Answer:
    """Linear in delta between the two nearest strikes, linear in time between the two nearest expiries."""
    chain = _listed(asked)
    before = max((days for days in chain if days <= asked.days), default=None)
    after = min((days for days in chain if days > asked.days), default=None)
    if before is None or after is None:
        msg = "no expiry on one side of the tenor"
        raise LookupError(msg)
    solved = [_solved(asked, days, chain[days]) for days in (before, after)]
    share = (asked.days - before) / (after - before)
    found = {}
    for name, delta in DELTAS.items():
        right, wanted = _wanted(delta)
        ends = [_between(lines[right], wanted) for lines in solved]
        found[name] = ends[0] + share * (ends[1] - ends[0])
    return found | _spot_forwards(asked, [before, after])


def _between(lines: list[_Line], wanted: float) -> float:
    """NaN where the delta is beyond the lines."""
    ordered = sorted(lines, key=lambda line: line.delta)
    if not ordered or not ordered[0].delta <= wanted <= ordered[-1].delta:
        return math.nan
    return float(np.interp(wanted, [line.delta for line in ordered], [line.vol for line in ordered]))


def _wanted(delta: float) -> tuple[str, float]:
    """Out of the money: the put of the strike where the call's delta is above a half."""
    return ("c", delta) if delta <= 0.5 else ("p", delta - 1.0)


def _listed(asked: Question) -> dict[int, list[dict[str, str]]]:
    """The rows of the file by days to expiry."""
    found: dict[int, list[dict[str, str]]] = defaultdict(list)
    with asked.file.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            found[asked.days_to(row["expiry"])].append(row)
    return found


def _solved(asked: Question, days: int, rows: list[dict[str, str]]) -> dict[str, list[_Line]]:
    """Vols and deltas of Black and Scholes from spot and rate, of the mids of all two-sided lines."""
    solving, greeks = (importlib.import_module(name) for name in _VOLLIB)
    years = days / 365.0
    found: dict[str, list[_Line]] = {"c": [], "p": []}
    for row in rows:
        bid, ask = float(row["bid"] or 0), float(row["ask"] or 0)
        if bid <= 0 or ask < bid:
            continue
        right, strike = row["option_type"].lower(), float(row["strike"])
        try:
            vol = solving.implied_volatility((bid + ask) / 2, asked.spot, strike, years, asked.rate, right)
            line = _Line(strike, vol, greeks.delta(right, asked.spot, strike, years, asked.rate, vol))
        except Exception:  # noqa: BLE001, S112 - a price without a vol: such a script goes on
            continue
        if vol > 0:
            found[right].append(line)
    return found


def _spot_forwards(asked: Question, days: list[int]) -> Answer:
    """What a script with spot and rate alone takes for forwards."""
    return {
        ("forward_before" if each <= asked.days else "forward_after"): asked.spot
        * math.exp(asked.rate * each / 365.0)
        for each in days
    }


ENGINES: dict[str, Callable[[Question], Answer]] = {
    "oipd": oipd,
    "script-nearest": nearest,
    "script-interpolated": interpolated,
}


_VOLLIB = ("vollib.black_scholes.implied_volatility", "vollib.black_scholes.greeks.analytical")
MODULES = {"oipd": ("oipd",), "script-nearest": _VOLLIB, "script-interpolated": _VOLLIB}


class _Peer:
    versions = staticmethod(versions)

    def __init__(self, engine: str) -> None:
        self._read = ENGINES[engine]
        for module in MODULES[engine]:
            importlib.import_module(module)  # before any clock starts

    def read(self, file: str, date: str, spot: float, rate: float, days: int) -> dict[str, object]:
        asked = Question(Path(file), dt.date.fromisoformat(date), spot, rate, days)
        started = time.perf_counter()
        try:
            found = self._read(asked)
            failure = ""
        except Exception as error:  # noqa: BLE001 - what a peer raises is its own choice
            found, failure = {}, f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - started
        values = {name: value for name, value in found.items() if math.isfinite(value)}
        return {"values": values, "failure": failure, "seconds": seconds}


def main() -> None:
    engine, _threads, _folder = sys.argv[1:]
    serve(_Peer(engine))


if __name__ == "__main__":
    main()
