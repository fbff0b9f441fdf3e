#!/usr/bin/env python3
"""The main job: rank QQQ's three-month 25-delta call vol against IWM's in its own history.

    python3 scripts/rank_skew.py                         the sample market in chains/ (simulated)
    python3 scripts/rank_skew.py MY_CHAINS --pair QQQ/IWM   your own files; every option of `volskew rank`

Sets up its own environment on the first start. Writes rankings.csv and what belongs to it,
history.csv, ledger.csv and charts to ``out/``.
"""

from __future__ import annotations

import os
import sys

import _bootstrap


def main() -> int:
    """Run ``volskew rank`` on the sample market, or on the arguments given."""
    _bootstrap.ensure()
    from volskew.cli import run

    arguments = sys.argv[1:]
    if not arguments:
        chains = os.path.relpath(os.path.join(_bootstrap.ROOT, "chains"))
        arguments = [
            os.path.join(chains, "quotes"),
            "--history",
            os.path.join(chains, "simulated_vol_history.csv"),
            "--dividends",
            os.path.join(chains, "simulated_dividends.csv"),
            "--prices",
            os.path.join(chains, "simulated_prices.csv"),
            "--out",
            "out",
        ]
    return run(["rank", *arguments])


if __name__ == "__main__":
    sys.exit(main())
