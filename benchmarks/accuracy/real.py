"""Real chains: readings with their errors, and solved vols against those in the exchange's own files."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import volskew as vs
from accuracy import left_out
from accuracy.chains import DELTAS, SYMBOLS, TENOR
from accuracy.ours import reversal
from accuracy.tables import INTERVAL, SPREAD, SPREAD_SYMBOL
from volskew.quotes import read_file
from volskew.surface import Surface

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "VOLSKEW_REAL_DATA"

_CHAIN_DAY = "2026-07-10"
_RUNS = 7
_DAYS = (60.0, 110.0)
_BANDS = {"25c": (0.18, 0.32), "25p": (0.68, 0.82), "10-90": (0.10, 0.90)}
"""Forward call deltas that count as each."""
_EXCHANGE = {
    "IWM": ("cboe_delayed", "IWM_*.json.gz"),
    "SPX": ("cboe_flat", "SPX_*.csv.gz"),
    "SPY": ("cboe_flat", "SPY_*.csv.gz"),
}


def folder() -> Path | None:
    """Where the real data are, if they are."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named and Path(named).is_dir() else None


def measured(place: Path) -> dict[str, Any]:
    """Everything of this part as plain tables: lists of dicts."""
    return {
        "readings": list(_readings(place)),
        "left_out": list(_left_out(place)),
        "exchange": list(_against_the_exchange(place)),
        "vendor": list(_vendor(place)),
        "grid": _grid_time(place),
    }


def _surfaces(path: Path) -> Iterator[Surface]:
    """A surface a session: quotes of a day that is no session are not read as one."""
    for member in read_file(path):
        for _, quotes in member.quotes.groupby(["symbol", "snapshot_time"]):
            yield vs.fit_surface(quotes.reset_index(drop=True))


def _readings(place: Path) -> Iterator[dict[str, Any]]:
    legs = {}
    for symbol in SYMBOLS:
        (surface,) = _surfaces(place / "generic" / f"{symbol}_{_CHAIN_DAY}.csv.gz")
        for name, delta in DELTAS.items():
            estimate = surface.vol(tenor=TENOR, delta=delta)
            if name == "25c":
                legs[symbol] = estimate
            yield _reading(symbol, name, estimate.value, estimate.error, estimate.flags) | {
                "forward": float(estimate.details["forward"]),
                "expiries": f"{estimate.details['expiry_before']}, {estimate.details['expiry_after']}",
            }
        between = reversal(surface)
        yield _reading(symbol, "rr", between.value, between.error, between.flags)
    one, other = (legs[symbol] for symbol in SYMBOLS)
    yield _spread(one, other)


def _reading(
    symbol: str, measure: str, value: float, error: float | None, flags: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "measure": measure,
        "value": value,
        "error": np.nan if error is None else error,
        "flags": " ".join(flags),
    }


def _spread(one: vs.Estimate, other: vs.Estimate) -> dict[str, Any]:
    """The first symbol's call less the second's; two chains err apart, so errors are in quadrature."""
    errors = [np.nan if each.error is None else each.error for each in (one, other)]
    flags = tuple(sorted({*one.flags, *other.flags}))
    return _reading(SPREAD_SYMBOL, SPREAD, one.value - other.value, float(np.hypot(*errors)), flags)


def _against_the_exchange(place: Path) -> Iterator[dict[str, Any]]:
    """Solved mid vol less the file's own [vol bp], a session and root: out of the money, 60 to 110 days."""
    for directory, pattern in _EXCHANGE.values():
        for path in sorted((place / directory).glob(pattern)):
            for surface in _surfaces(path):
                estimate = surface.vol()
                for root, quotes in _comparable(surface.quotes):
                    yield {
                        "root": root,
                        "date": surface.date.isoformat(),
                        **_gaps(quotes),
                        "reading": estimate.value,
                        "error": np.nan if estimate.error is None else estimate.error,
                        "flags": " ".join(estimate.flags),
                    }


def _left_out(place: Path) -> Iterator[dict[str, Any]]:
    """How far expiries lie from what their neighbours say, by root and rule [vol bp]."""
    chains = [place / "generic" / f"{symbol}_{_CHAIN_DAY}.csv.gz" for symbol in SYMBOLS]
    for directory, pattern in _EXCHANGE.values():
        chains += sorted((place / directory).glob(pattern))
    rows = [row for path in chains for surface in _surfaces(path) for row in left_out.missed(surface)]
    table = pd.DataFrame(rows)
    for (symbol, rule), group in table.groupby(["symbol", "rule"], sort=False):
        away = 1e4 * group["miss"].abs()
        yield {
            "symbol": symbol,
            "rule": rule,
            "sessions": int(group["date"].nunique()),
            "count": len(group),
            "median": float(away.median()),
            "p90": float(away.quantile(0.9)),
            "error": float(1e4 * group["error"].median()),
            "coverage": float((group["miss"].abs() <= INTERVAL * group["error"]).mean()),
        }


def _comparable(quotes: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    is_otm = quotes["is_call"].astype(bool) == (quotes["strike"] >= quotes["forward"])
    keep = (
        is_otm
        & quotes["exclusion"].isna()
        & quotes["vol_mid"].notna()
        & quotes["vendor_vol"].gt(0)
        & (quotes["time_to_expiry"] * 365).between(*_DAYS)
    )
    for root, group in quotes[keep].groupby("root"):
        yield str(root), group


def _gaps(quotes: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, band in _BANDS.items():
        here = quotes[quotes["forward_call_delta"].between(*band)]
        gap = 1e4 * (here["vol_mid"] - here["vendor_vol"])
        found |= {f"n_{name}": len(here), f"median_{name}": gap.median()}
        found[f"spread_{name}"] = float(1.4826 * (gap - gap.median()).abs().median())
    return found


def _vendor(place: Path) -> Iterator[dict[str, Any]]:
    """Every session of a vendor's vols, read through the vendor path."""
    for symbol in SYMBOLS:
        for path in sorted((place / "vendor_iv").glob(f"{symbol}_*.csv.gz")):
            for surface in _surfaces(path):
                estimate = surface.vol()
                yield {
                    "symbol": symbol,
                    "date": surface.date.isoformat(),
                    "value": estimate.value,
                    "flags": " ".join(estimate.flags),
                }


def _grid_time(place: Path) -> dict[str, float]:
    """Seconds from the quotes in memory to the whole grid with errors, QQQ."""
    quotes = vs.read_chain(place / "generic" / f"QQQ_{_CHAIN_DAY}.csv.gz")
    fits, spent = [], []
    for _ in range(_RUNS + 1):
        started = time.perf_counter()
        surface = vs.fit_surface(quotes)
        fitted = time.perf_counter()
        grid = surface.grid()
        fits.append(fitted - started)
        spent.append(time.perf_counter() - started)
    # the first is not counted: it compiles
    return {
        "lines": len(quotes),
        "expiries": int(quotes["expiry"].nunique()),
        "points": len(grid),
        "read": int(grid["vol"].notna().sum()),
        "with_error": int(grid["error"].notna().sum()),
        "fit": statistics.median(fits[1:]),
        "median": statistics.median(spent[1:]),
        "slowest": max(spent[1:]),
    }
