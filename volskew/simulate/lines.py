"""Every line of a scenario's chain before anything goes wrong with it: price, spread, mid, bid and ask.

The price is the surface's European price and, for American exercise, the early-exercise premium on the grid
(`exercise`): American less European value with true cash drops at one flat vol a strike, the vol whose
European value is the surface's. So the vol of a line is Black's on the forward, whatever the exercise, and
every line's premium is solved for itself: within 0.1 cent of one on a much finer grid, most within 0.01 cent.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

from volskew.simulate.board import Listed
from volskew.simulate.draws import normals, uniforms
from volskew.simulate.exercise import american_prices
from volskew.simulate.known import ChainTruth
from volskew.simulate.quoting import ASK_SIZE, BID_SIZE, OPEN_INTEREST_DAYS, OPEN_INTEREST_DEVIATION, VOLUME
from volskew.simulate.scenarios import Scenario
from volskew.simulate.smile import Law, deviation_at
from volskew.simulate.underlyings import DELTA_NODES, Underlying

__all__ = ["clean_lines"]

Array = NDArray[np.float64]

LARGEST_NOISE: Final = 0.9
"""The mid lies within this share of its half-spread from the true price, before rounding."""

FAINTEST: Final = 0.002
"""[$] Strikes whose out-of-the-money option is worth less are not listed: boards end where zero bids do."""


def clean_lines(
    listed: tuple[tuple[Listed, Array], ...],
    *,
    truth: ChainTruth,
    underlying: Underlying,
    scenario: Scenario,
    seed: int,
) -> pd.DataFrame:
    """Quotes of one session as they would be if nothing went wrong.

    Parameters
    ----------
    listed : tuple of (Listed, ndarray)
        Expiries in the order of ``truth.expiry_dates``, and their strikes [$].
    truth : ChainTruth
        What they are priced from.
    underlying : Underlying
        Half-spreads and open interest.
    scenario : Scenario
        Noise, spreads, tick and exercise.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        `volskew.simulate.quoting.CHAIN_COLUMNS`, and for checks ``price`` (true), ``premium`` (American less
        European), ``vol`` (Black's, of the line's strike) and ``delta`` (the option's own, signed, N(d1) or
        N(d1) - 1).
    """
    forwards = truth.forward(truth.expiry_years)
    tables = []
    for (expiry, board), years, forward in zip(
        listed, truth.expiry_years.tolist(), forwards.tolist(), strict=True
    ):
        table = _priced(board, truth=truth, forward=forward, years=years, exercise=scenario.exercise)
        strikes = table["strike"].to_numpy()[::2]
        shared = _shared_noise(strikes, expiry, truth=truth, scenario=scenario, seed=seed)
        is_end = expiry.kind in {"month_end", "quarter_end"}
        tables.append(
            table.assign(expiry=expiry.date, days=expiry.days, is_end=is_end, shared=np.repeat(shared, 2))
        )
    lines = pd.concat(tables, ignore_index=True)
    return _quote(lines, truth=truth, underlying=underlying, scenario=scenario, seed=seed)


def _priced(board: Array, *, truth: ChainTruth, forward: float, years: float, exercise: str) -> pd.DataFrame:
    """A call and a put at each strike of one expiry that is worth listing."""
    law, discount = truth.law(years), np.exp(-truth.rate * years)
    strikes, european = _worth_listing(law, board, forward=forward, discount=discount)
    k = np.log(strikes / forward)
    deviation = deviation_at(law, k, prices=(european[:, 0], european[:, 1]))
    if exercise == "american":
        times, cash = truth.cash_flows
        paid = times < years
        price, premium = american_prices(
            european,
            strikes,
            deviation,
            spot=truth.spot,
            forward=forward,
            years=years,
            rate=truth.rate,
            borrow=truth.borrow,
            ex_times=times[paid],
            cash=cash[paid],
        )
    else:
        price, premium = european * forward * discount, np.zeros_like(european)
    call_delta = ndtr(0.5 * deviation - k / deviation)
    return pd.DataFrame(
        {
            "strike": np.repeat(strikes, 2),
            "is_call": np.tile([True, False], len(strikes)),
            "price": price.ravel(),
            "premium": premium.ravel(),
            "vol": np.repeat(deviation / np.sqrt(years), 2),
            "delta": np.stack([call_delta, call_delta - 1.0], axis=1).ravel(),
        }
    )


def _worth_listing(law: Law, strikes: Array, *, forward: float, discount: float) -> tuple[Array, Array]:
    """Strikes that are listed, and undiscounted prices of call and put per unit of forward."""
    european = np.stack(law.prices(np.log(strikes / forward)), axis=1)
    kept = european.min(axis=1) * forward * discount >= FAINTEST
    return strikes[kept], european[kept]


def _shared_noise(
    strikes: Array, expiry: Listed, *, truth: ChainTruth, scenario: Scenario, seed: int
) -> Array:
    """Standard noise that runs along the strikes of an expiry: a first-order autoregression."""
    draws = normals(
        seed, f"shared {truth.symbol}", truth.date.toordinal(), expiry.date.toordinal(), _thousandths(strikes)
    )
    keep = scenario.shared_correlation
    draws[1:] *= np.sqrt(1.0 - keep * keep)
    return np.asarray(lfilter([1.0], [1.0, -keep], draws))


def _quote(
    lines: pd.DataFrame, *, truth: ChainTruth, underlying: Underlying, scenario: Scenario, seed: int
) -> pd.DataFrame:
    """Bid, ask, sizes and the rest around the true prices."""
    date, symbol = truth.date, truth.symbol
    days = np.array([expiry.toordinal() for expiry in lines["expiry"]])
    is_call = lines["is_call"].to_numpy()
    thousandths = _thousandths(lines["strike"].to_numpy())
    contract = (days, thousandths, is_call.astype(np.int64))

    def noise(name: str) -> Array:
        return normals(seed, f"{name} {symbol}", date.toordinal(), *contract)

    price, tick = lines["price"].to_numpy(), scenario.tick
    half = (
        _half_spreads(lines, underlying) * scenario.spread * np.exp(scenario.spread_noise * noise("spread"))
    )
    # rounding outwards to ticks adds half a tick on average, which the measured medians contain already
    half = np.maximum(half - 0.5 * tick, 0.2 * tick)
    wild = uniforms(seed, f"wild {symbol}", date.toordinal(), *contract) < scenario.wild_share
    own = scenario.mid_noise * np.where(wild, scenario.wild_noise, 1.0) * noise("mid")
    narrow = half.reshape(-1, 2).min(axis=1).repeat(2)
    moved = half * own + narrow * scenario.shared_noise * lines["shared"].to_numpy()
    mid = price + np.clip(moved, -LARGEST_NOISE * half, LARGEST_NOISE * half)
    bid = (np.maximum(np.floor((mid - half) / tick + 1e-9), 0.0) * tick).round(4)
    ask = (np.maximum(np.ceil((mid + half) / tick - 1e-9), 1.0) * tick).round(4)
    ask = np.where(ask <= bid, (bid + tick).round(4), ask)
    delta = np.abs(lines["delta"].to_numpy())
    wing = np.sqrt(np.clip(delta * (1.0 - delta), 0.02, 0.25)) * 2.0
    volume = np.floor(VOLUME[0] * wing * np.exp(VOLUME[1] * noise("volume")))
    last = np.clip(np.round((mid + 0.5 * half * noise("last")) / tick) * tick, tick, None).round(4)
    age = 0.5 ** ((days - date.toordinal()) / OPEN_INTEREST_DAYS)
    held = normals(seed, f"open interest {symbol}", *contract)
    fund = underlying.fund
    median = np.where(lines["is_end"], fund.quarterly_open_interest, fund.open_interest)
    right = np.where(is_call, "call", "put")
    return pd.DataFrame(
        {
            "quote_date": date.isoformat(),
            "symbol": symbol,
            "underlying_price": truth.spot,
            "option_symbol": [
                f"{symbol}{expiry:%y%m%d}{side[0].upper()}{strike:08d}"
                for expiry, side, strike in zip(lines["expiry"], right, thousandths, strict=True)
            ],
            "expiration": [expiry.isoformat() for expiry in lines["expiry"]],
            "right": right,
            "strike": lines["strike"],
            "bid": bid,
            "ask": ask,
            "bid_size": np.where(
                bid > 0.0, np.ceil(BID_SIZE[0] * np.exp(BID_SIZE[1] * noise("bid size"))), 0.0
            ),
            "ask_size": np.ceil(ASK_SIZE[0] * np.exp(ASK_SIZE[1] * noise("ask size"))),
            "last": np.where(volume > 0.0, last, np.nan),
            "volume": volume,
            "open_interest": np.floor(2.0 * median * age * np.exp(OPEN_INTEREST_DEVIATION * held)),
            "price": price,
            "premium": lines["premium"],
            "vol": lines["vol"],
            "delta": lines["delta"],
        }
    )


def _half_spreads(lines: pd.DataFrame, underlying: Underlying) -> Array:
    """Typical half-spread [$] at each line's days and own delta: linear in delta, logarithms in days."""
    delta = np.abs(lines["delta"].to_numpy())
    days = np.log(np.array([node for node, _ in underlying.spreads]))
    tables = np.log(
        [np.interp(delta, DELTA_NODES, table) for _, table in underlying.spreads]
    )  # (days, lines)
    place = np.clip(np.log(np.maximum(lines["days"].to_numpy(), 1.0)), days[0], days[-1])
    upper = np.clip(np.searchsorted(days, place), 1, len(days) - 1)
    weight = (place - days[upper - 1]) / (days[upper] - days[upper - 1])
    row = np.arange(len(lines))
    half = np.exp((1.0 - weight) * tables[upper - 1, row] + weight * tables[upper, row])
    # quotes of month and quarter ends are wider out of the money; in it all are wide
    share = np.interp(delta, (0.5, 0.65), (1.0, 0.0)) * lines["is_end"].to_numpy()
    return np.asarray(half * underlying.quarterly_spread**share)


def _thousandths(strikes: Array) -> NDArray[np.int64]:
    return np.asarray((strikes * 1000.0).round().astype(np.int64))
