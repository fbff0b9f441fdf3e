"""The data dictionary that is written beside the files of a simulated market."""

from __future__ import annotations

from typing import Final

import pandas as pd

from volskew.simulate.defects import DEFECT_RATES, MEANINGS
from volskew.simulate.market import DEFAULT_SEED, Market
from volskew.simulate.paths import DRIFT, REALISED, SESSIONS_A_YEAR
from volskew.simulate.planted import PLANTED

__all__ = ["data_dictionary"]

TEXT: Final = """\
# A simulated option market

**Everything in this folder is simulated.** No price, vol or quote here was ever observed; the tickers QQQ and
IWM stand for two made-up funds that behave like them. Every data file has `simulated` in its name. Made by
`volskew demo` with seed {seed}; the same seed gives the same files.

| file | what |
|---|---|
| `quotes/SYMBOL_DATE_simulated.csv.gz` | {n_files} chains at the close, one a symbol and session |
| `simulated_vol_history.csv` | 3m vols (25c, 50, 25p) of the years before the chains |
| `simulated_prices.csv` | daily open, high, low and close of all sessions |
| `simulated_episodes.csv` | planted stretches in which the pair is low or high |
| `simulated_dividends.csv` | the funds' dividends announced by the last session |
| `simulated_truth.csv` | exact forward and vols at 91 days, and realised variance, for every session |
| `simulated_expiry_truth.csv` | exact forward and vols of every expiry in the chains |
| `simulated_defects.csv` | every planted defect |
| `simulated_metadata.json` | seed, rates, weights of weekend and night, basis and noise, defect rates |

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
| `right` | | call or put; exercise is American |
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
| `forward` | $ | `(spot - sum(D_i exp(-r t_i))) exp(r T)`, see Dividends |
| `discount_factor` | | `exp(-r T)` (expiry truth only) |
| `vol_25c`, `vol_50`, `vol_25p` | decimal a year | vol at which its own forward call delta is .25, .50, .75 |
| `variance_overnight` | a night | of the log price, from the close before to the open (91-day truth only) |
| `variance_intraday` | a session | the same from open to close (91-day truth only) |

The 91-day truth is the surface's own vol at exactly 91 days, not an interpolation between listed expiries.
Vols are solved to about 1e-14 and written with ten decimals. They are those of the European part of the
quotes: what a reader finds who takes the early-exercise premium off.

## Prices

| column | unit | meaning |
|---|---|---|
| `date`, `symbol` | | session and underlying |
| `open`, `close` | $ | the close is the `spot` of the truth |
| `high`, `low` | $ | between open and close |

Unadjusted, in cents: the price drops by the cash dividend at the open of the ex-date. With that added back,
log(open / close before) has the variance `variance_overnight` of the truth and log(close / open) the
variance `variance_intraday`, beside a drift of {drift} a year; high and low are those of a Brownian motion
from open to close that trades without pause. The variance of a session follows the fund's level at the
close before (without what is planted for the pair): its annual vol, on {year} sessions a year, is
{realised} times the fund's scale, some 0.82 of its 50-delta vol, and a third of the variance is the
night's. In a planted stress the fall comes overnight and on top, and its square is part of
`variance_overnight`.

What an estimator of realised vol should find over a stretch is so the root of {year} times the mean of the
two columns' sum over its sessions; one that uses single sessions alone, of `variance_intraday`.

## Episodes

| column | unit | meaning |
|---|---|---|
| `number` | | from 1, by date |
| `side` | | low or high: 25-delta call vol of QQQ over that of IWM |
| `driver` | | what makes most of it: level (50-delta vol) or skew (25-delta call over 50-delta vol) |
| `leg` | | of which fund |
| `first_date`, `last_date` | date | as planted |
| `is_open` | | true where it is under way on the last session, which is then `last_date` |

{episodes}

## Dividends

| column | unit | meaning |
|---|---|---|
| `symbol` | | QQQ or IWM |
| `ex_date` | date | the session at whose open, 09:30 in New York, the price drops by the amount |
| `amount` | $ | cash a share |
| `declaration_date` | date | the session by whose close it was known |

QQQ goes ex on a Monday from the 18th, IWM on a Tuesday from the 15th of March, June, September and
December; the amounts are made up. Payments announced after {last} are not in the file, and nothing depends
on them.

At the close of each session the market expects

* every payment announced by then with an ex-date after that session;
* and, for what is not announced, the payments whose ex-date lies within the 52 weeks up to that session, 52
  weeks later with their own amounts (on the next session, if that is a holiday). A payment announced by
  then takes the place of the expected one nearest to it within 45 days.

It prices with exactly that: `D_i` are the expected payments with an ex-date before the expiry, `t_i` the
years of 365 days from the close to 09:30 on the ex-date. There is no cost of borrowing.

## Vol history

| column | unit | meaning |
|---|---|---|
| `date`, `symbol` | | session and underlying |
| `delta` | | 25c, 50 or 25p |
| `vol` | decimal a year | 3m vol at that delta |

It reads above the truth, as another vendor's would, by

{basis}

(decimal vol), with daily noise of {noise} (standard deviation) that is independent for each symbol and delta.

## How it is made

* Rate r = {rate} flat, continuously compounded; cash dividends of {amounts} a quarter in the last year.
* Exercise is American: quotes stand around the surface's European price, at the forward, plus the
  early-exercise premium. Options that their holder would exercise at once are worth their exercise value,
  and their bids may be below it.
* The premium is American less European value on a finite-difference grid: the spot price diffuses with a
  constant vol and drops by the cash amount at each ex-date. Each line has the vol at which the European
  value with these drops is the surface's. Premiums are within 0.1 cent of those of much finer grids, most
  within 0.01 cent.
* Log forwards are Brownian motion plus two compound Poisson processes on a deterministic clock, so every
  surface is free of butterfly and calendar arbitrage by construction, and no smile is a quadratic in delta
  or an SVI slice.
* The clock runs by sessions: a session of ordinary hours weighs 1, one that closes early 0.5, any other day
  {weekend}. A day lasts from 16:00 to 16:00 in New York, its weight accrues evenly, and a year of the clock
  takes a year on average. Vols are annual by the calendar.
* Level, skew, curvature and term structure are mean-reverting and correlated between the funds; prices fall
  when vol rises; a few stress episodes are planted. The funds' relative level reverts with a half-life of
  45 sessions{chosen}.
* Half-spreads by delta, strike steps and the shape of the smiles were measured on real chains of one day.
  The quoted mid lies within a tenth of its half-spread from the true price, before rounding outwards to
  cents.
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


EPISODES: Final = """\
An episode is found where the mid-rank percentile of the log ratio of 25-delta call vols among all sessions
so far, itself included and at least 252 before it, falls to 5 or below, until it is above 15 again (or
rises to 95 and above, until it is below 85). By that rule the planted ones are all there are. For that the
funds' own movement against each other is small, and damped around them, and the ratio steps there and back
between two closes, as no real pair's does; and in the first year, before the rule begins, it is planted low
for 70 and high for 75 sessions, so that it has been to both sides. Prices and their variance know nothing
of these episodes."""

FEW_EPISODES: Final = """\
Planted for ten years of history; in a market of another length, or with another seed, they are not all there,
and others may have come by chance."""


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
    is_sample = (
        market.seed == DEFAULT_SEED and len(market.truth) // len(market.symbols) > PLANTED[0].before_last
    )
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
        weekend=facts["variance_of_a_day_without_session"],
        amounts=" and ".join(
            f"{value:.2f} $ ({symbol})"
            for symbol, value in facts["dividends"]["mean_quarterly_amount"].items()
        ),
        realised=REALISED,
        year=round(SESSIONS_A_YEAR),
        drift=DRIFT,
        episodes=EPISODES if is_sample else FEW_EPISODES,
        chosen=", and the seed was chosen so that the last day is low but no record" if is_sample else "",
        basis="\n".join(
            f"* {symbol}: " + ", ".join(f"{value} ({delta})" for delta, value in by_delta.items())
            for symbol, by_delta in facts["history_basis"].items()
        ),
        noise=facts["history_noise"],
        lines="\n".join(lines) or "| none | | | |",
        days="\n".join(days) or "* none",
    )
