#!/usr/bin/env python3
"""What a chain costs, stage by stage, and our implied vols beside vollib's on the same quotes.

    python3 benchmarks/chain.py                    the sample market
    python3 benchmarks/chain.py FILE...            chain files of yours

Every figure is the median of several runs in this process, after one that is not counted; machines differ, so
take the ratios. Prints a Markdown table.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

_RUNS = 7
_PEER_QUOTES = 2000


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times)


def main() -> int:
    """Measure and print."""
    _bootstrap.ensure()
    import warnings

    import numpy as np

    import volskew as vs
    from volskew.errors import DataQualityWarning

    warnings.simplefilter("ignore", DataQualityWarning)
    quotes_folder = ROOT / "chains" / "quotes"
    files = [Path(name) for name in sys.argv[1:]] or [
        max(quotes_folder.glob(f"{symbol}_*.csv.gz")) for symbol in ("QQQ", "IWM")
    ]
    print(
        "| chain | lines | read [ms] | label to smiles [ms] | 3m 25c "
        "| ours [us/vol] | vollib [us/vol] | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for file in files:
        whole = vs.read_chain(file)
        chain = whole[whole["snapshot_time"] == whole["snapshot_time"].max()]
        chain = chain[chain["symbol"] == chain["symbol"].iloc[0]].reset_index(drop=True)
        read = _milliseconds(lambda file=file: vs.read_chain(file))
        fit = _milliseconds(lambda chain=chain: vs.fit_surface(chain).vol(tenor="3m", delta="25c"))
        surface = vs.fit_surface(chain)
        reading = surface.vol(tenor="3m", delta="25c")
        used = surface.quotes[surface.quotes["used_in_smile"] & surface.quotes["bid"].notna()]
        ours = theirs = float("nan")
        if len(used):
            used = used.iloc[np.resize(np.arange(len(used)), _PEER_QUOTES)]
            years = used["time_to_expiry"].to_numpy()
            arguments = {
                "forward": used["forward"].to_numpy(),
                "strike": used["strike"].to_numpy(),
                "time_to_expiry": years,
                "is_call": used["is_call"].to_numpy(dtype=bool),
            }
            price = 0.5 * (used["bid"] + used["ask"]).to_numpy() * np.exp(vs.Settings().assumed_rate * years)
            ours = 1e3 * _milliseconds(lambda p=price, a=arguments: vs.black.implied_vol(p, **a)) / len(used)
            peer = _milliseconds(lambda p=price, a=arguments: vs.black.implied_vol(p, **a, engine="vollib"))
            theirs = 1e3 * peer / len(used)
        print(
            f"| {file.name} | {len(chain):,} | {read:.1f} | {fit:.1f} | {100 * reading.value:.2f} % "
            f"| {ours:.2f} | {theirs:.1f} | {theirs / ours:.0f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
