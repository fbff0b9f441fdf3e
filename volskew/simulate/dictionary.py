"""The data dictionary that is written beside the files of a simulated market."""

from __future__ import annotations

from typing import Final

import pandas as pd

from volskew.simulate.defects import DEFECT_RATES, MEANINGS
from volskew.simulate.market import Market

__all__ = ["data_dictionary"]

TEXT: Final = """\
# A simulated option market

**Everything in this folder is simulated.** No price, vol or quote here was ever observed; the tickers QQQ and
IWM stand for two made-up funds that behave like them. Every data file has `simulated` in its name. Made by
`volskew demo` with seed {seed}; the same seed gives the same files.

| file | what |
|---|---|
| `quotes/SYMBOL_DATE_simulated.csv.gz` | {n_files} chains at the close, one a symbol and session |
| `simulated_vol_history.csv` | 3m 25-delta call vols of the years before the chains |
| `simulated_truth.csv` | exact forward and vols at 91 days for every session |
| `simulated_expiry_truth.csv` | exact forward and vols of every expiry in the chains |
| `simulated_defects.csv` | every planted defect |
| `simulated_metadata.json` | seed, rates, basis and noise of the history, defect rates |

Chains run from {first_chain} to {last}, the truth from {first} to {last}, the vol history from {first} to
{last_history}: the last {overlap} of its sessions have chains too, so that a splice can measure its basis.

## Chains

One line an option; missing is empty. Strikes lie between 2 and 98 delta; expiries are the two on each side of
91 days.

| column | unit | meaning |
|---|---|---|
| `quote_date` | date | the session; quotes are those of its close |
| `symbol` | | QQQ or IWM |
| `underlying_price` | $ | closing price |
| `option_symbol` | | symbol, expiry (YYMMDD), C or P, strike in thousandths of a dollar |
| `expiration` | date | third Friday (or the session before it) or a quarter's last session; PM-settled |
| `right` | | call or put |
| `strike` | $ | |
| `bid`, `ask` | $ | in cents |
| `bid_size`, `ask_size` | contracts | |
| `last` | $ | last trade, where `volume` is above 0 |
| `volume`, `open_interest` | contracts | |

## Truth

| column | unit | meaning |
|---|---|---|
| `date`, `symbol` | | session and underlying |
| `expiration` | date | expiry (expiry truth only) |
| `time_to_expiry` | years of 365 days | from close to close (expiry truth only) |
| `spot` | $ | closing price (91-day truth only) |
| `forward` | $ | `spot * exp((r - q) T)` |
| `discount_factor` | | `exp(-r T)` (expiry truth only) |
| `vol_25c`, `vol_50`, `vol_25p` | decimal a year | vol at which its own forward call delta is .25, .50, .75 |

The 91-day truth is the surface's own vol at exactly 91 days, not an interpolation between listed expiries.
Vols are solved to about 1e-14 and written with ten decimals.

## Vol history

| column | unit | meaning |
|---|---|---|
| `date`, `symbol` | | session and underlying |
| `vol` | decimal a year | 3m 25-delta call vol |

It reads {basis} above the truth, as another vendor's would, with independent daily noise of
{noise} (standard deviation); decimal vol.

## How it is made

* Rate r = {rate} flat, continuously compounded; continuous dividend yields q: {yields}.
* Exercise is European: quotes stand around Black prices. In-the-money puts worth less than their exercise
  value are left out, for an American quote could not look like that.
* Log forwards are Brownian motion plus two compound Poisson processes on a deterministic clock, so every
  surface is free of butterfly and calendar arbitrage by construction, and no smile is a quadratic in delta or
  an SVI slice.
* Level, skew, curvature and term structure are mean-reverting and correlated between the funds; prices fall
  when vol rises; a few stress episodes are planted. The funds' relative level reverts with a half-life of 45
  sessions, and the seed was chosen so that the last day is low but no record.
* Half-spreads by delta, strike steps and the shape of the smiles were measured on real chains of one day. The
  quoted mid lies within a tenth of its half-spread from the true price, before rounding outwards to cents.
* Every monthly and every quarter-end expiry is listed, so that 91 days always lies between two expiries.

## Planted defects

`simulated_defects.csv` has `date`, `symbol`, `defect` and `contract` (the option symbol; empty for whole
files). A line has one defect at most.

| defect | share of lines | here | what it does |
|---|---|---|---|
{lines}

Whole files:

{days}
"""


def data_dictionary(market: Market, *, defects: pd.DataFrame) -> str:
    """README of a market's folder: files, columns, how it is made and what was planted.

    Parameters
    ----------
    market : Market
        From `simulate_market`.
    defects : pandas.DataFrame
        `Market.defects`, passed in because the writer has them already.
    """
    facts = market.metadata
    counts = defects["defect"].value_counts()
    rates = DEFECT_RATES if market.scenario == "demo" else {}
    lines = [
        f"| {kind} | {100 * rate:.2f} % | {int(counts.get(kind, 0))} | {MEANINGS[kind]} |"
        for kind, rate in rates.items()
    ]
    whole = defects[defects["contract"] == ""]
    days = [
        f"* {date}, {symbol}: `{kind}`, {MEANINGS[kind]}."
        for date, symbol, kind in zip(whole["date"], whole["symbol"], whole["defect"], strict=True)
    ]
    return TEXT.format(
        seed=market.seed,
        n_files=len(market.files),
        first=facts["first_session"],
        first_chain=facts["first_chain_session"],
        last=facts["last_session"],
        last_history=market.vol_history["date"].iloc[-1],
        overlap=facts["history_overlap_sessions"],
        rate=facts["rate_continuous"],
        yields=", ".join(f"{symbol} {value}" for symbol, value in facts["dividend_yield"].items()),
        basis=" and ".join(f"{value} ({symbol})" for symbol, value in facts["history_basis"].items()),
        noise=facts["history_noise"],
        lines="\n".join(lines) or "| none | | | |",
        days="\n".join(days) or "* none",
    )
