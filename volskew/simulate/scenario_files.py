"""The chains of a scenario as files, with dividends, rates and exact answers: to be scored without Python."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from volskew.files import write_whole
from volskew.market.clock import tenor_years
from volskew.simulate.chain import LAST_DAY, ScenarioChain, payments_known, scenario_chain
from volskew.simulate.defects import MEANINGS
from volskew.simulate.dividends import dividend_table
from volskew.simulate.scenarios import Scenario, check_whole, find_scenario, parameters
from volskew.simulate.underlyings import UNDERLYINGS
from volskew.simulate.write import QUOTES_FOLDER, TRUTH_DECIMALS, chain_csv, table_csv, zipped

__all__ = ["TRUTH_DELTAS", "TRUTH_TENORS", "write_scenario"]

TRUTH_TENORS: Final = ("1m", "2m", "3m", "6m")
TRUTH_DELTAS: Final = (0.10, 0.25, 0.50, 0.75, 0.90)
"""Where the truth is written: forward call deltas, so 0.75 is the 25-delta put."""

RATE_TENORS: Final = ("1 Mo", "3 Mo", "6 Mo", "1 Yr", "2 Yr")

DECIMALS: Final = {**TRUTH_DECIMALS, "vol": 10, "vol_atmf": 10, "delta": 2, "rate": 6, "borrow": 6}


def write_scenario(
    scenario: str | Scenario,
    folder: str | os.PathLike[str],
    *,
    seed: int,
    days: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write the first sessions of a scenario: chains, dividends, rates, truth and defects.

    Parameters
    ----------
    scenario : str or Scenario
        What the market is like.
    folder : path-like
        Made where it is missing. Files of the same names are replaced; others are left alone.
    seed : int
        From 0 on; the same seed gives the same files.
    days : int
        Sessions, from the scenario's first on; two chains each.
    progress : callable, optional
        Called with (chain files done, chain files in all).

    Returns
    -------
    list of pathlib.Path
        ``quotes/SYMBOL_DATE_simulated.csv.gz``, ``simulated_truth.csv``, ``simulated_expiry_truth.csv``,
        ``simulated_dividends.csv``, ``simulated_rates.csv``, ``simulated_defects.csv``,
        ``simulated_metadata.json`` and ``README.md``.

    Raises
    ------
    SettingsError
        A value that is not accepted.
    StoreError
        A file cannot be written.
    """
    found, root = find_scenario(scenario), Path(folder)
    check_whole("days", days, low=1, high=LAST_DAY)
    written: list[Path] = []
    truths, expiries, defects, rates = [], [], [], []
    for day in range(days):
        for underlying in UNDERLYINGS:
            chain = scenario_chain(found, symbol=underlying.symbol, seed=seed, day=day)
            path = root / QUOTES_FOLDER / f"{chain.symbol}_{chain.date.isoformat()}_simulated.csv.gz"
            written.append(write_whole(path, zipped(chain_csv(chain.quotes))))
            truths.append(_truth_rows(chain))
            expiries.append(chain.truth.expiries)
            defects.append(chain.defects)
            if progress is not None:
                progress(len(written), days * len(UNDERLYINGS))
        rates.append((chain.date.isoformat(), chain.truth.rate))
    tables = {
        "simulated_truth.csv": table_csv(pd.concat(truths, ignore_index=True), decimals=DECIMALS),
        "simulated_expiry_truth.csv": table_csv(pd.concat(expiries, ignore_index=True), decimals=DECIMALS),
        "simulated_dividends.csv": table_csv(
            dividend_table(payments_known(found, seed=seed, days=days)), decimals={"amount": 4}
        ),
        "simulated_rates.csv": _rates_csv(rates),
        "simulated_defects.csv": table_csv(pd.concat(defects, ignore_index=True), decimals={}),
        "simulated_metadata.json": json.dumps(
            {"simulated": True, "seed": seed, "days": days, "scenario": parameters(found)}, indent=2
        )
        + "\n",
        "README.md": _readme(found, seed=seed, days=days),
    }
    return [*written, *(write_whole(root / name, text) for name, text in tables.items())]


def _truth_rows(chain: ScenarioChain) -> pd.DataFrame:
    truth = chain.truth
    tenors = np.repeat(TRUTH_TENORS, len(TRUTH_DELTAS))
    deltas = np.tile(TRUTH_DELTAS, len(TRUTH_TENORS))
    years = np.array([tenor_years(str(tenor)) for tenor in tenors])
    return pd.DataFrame(
        {
            "date": truth.date.isoformat(),
            "symbol": truth.symbol,
            "family": truth.family,
            "tenor": tenors,
            "delta": deltas,
            "vol": truth.vol(years, deltas),
            "forward": truth.forward(years),
            "spot": truth.spot,
            "rate": truth.rate,
            "borrow": truth.borrow,
        }
    )


def _rates_csv(rates: list[tuple[str, float]]) -> str:
    """A table of par yields [percent] whose continuous rate is the market's: ``r = 2 ln(1 + y / 2)``."""
    lines = [",".join(("Date", *RATE_TENORS))]
    for date, rate in rates:
        text = f"{200.0 * math.expm1(0.5 * rate):.10f}"
        lines.append(",".join((date, *[text] * len(RATE_TENORS))))
    return "\n".join(lines) + "\n"


README: Final = """\
# A simulated option market: {name}

**Everything in this folder is simulated.** No price, vol or quote here was ever observed; the tickers QQQ and
IWM stand for two made-up funds that behave like them. Made by `volskew demo --scenario {name} --seed {seed}
--days {days}`; the same arguments give the same files.

| file | what |
|---|---|
| `quotes/SYMBOL_DATE_simulated.csv.gz` | chains at the close, one a symbol and session |
| `simulated_truth.csv` | exact vols and forwards at constant maturities and deltas |
| `simulated_expiry_truth.csv` | exact forward and vols of every listed expiry |
| `simulated_dividends.csv` | dividends announced by the last session: for `--dividends` |
| `simulated_rates.csv` | par yields of a flat curve: for `--rates` |
| `simulated_defects.csv` | every planted defect |
| `simulated_metadata.json` | seed and every parameter of the scenario |

| column | unit | meaning |
|---|---|---|
| `delta` | | forward call delta N(d1): 0.25 the 25-delta call, 0.75 the 25-delta put |
| `vol`, `vol_25c`, `vol_50`, `vol_25p` | decimal a year | vol at which its own forward call delta is that |
| `vol_atmf` | decimal a year | vol at the forward |
| `family` | | of the day's smiles: jump mixture, Heston or Bates |
| `forward` | $ | `(spot - sum(D_i exp(-(r - b) t_i))) exp((r - b) T)` |
| `rate`, `borrow` | decimal a year | r and b, continuously compounded; b is in no file for readers |
| `time_to_expiry` | years of 365 days | from close to close |

Exercise is {exercise}. Vols are Black's on the forward: those of the European part of the quotes. Variance
accrues by session: one of ordinary hours weighs 1, one that closes early 0.5, any other day
{weekend:g} on average{events}.

Planted defects (share of lines):

{defects}
"""


def _readme(scenario: Scenario, *, seed: int, days: int) -> str:
    lines = [f"* `{kind}`, {100 * rate:.2f} %: {MEANINGS[kind]}." for kind, rate in scenario.defects]
    return README.format(
        name=scenario.name,
        seed=seed,
        days=days,
        exercise=scenario.exercise,
        weekend=scenario.weekend,
        events=f", and some {scenario.events:g} sessions a year weigh more" if scenario.events > 0.0 else "",
        defects="\n".join(lines) or "* none",
    )
