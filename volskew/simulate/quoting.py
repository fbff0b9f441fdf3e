"""From the surface to the quotes of one session, before anything goes wrong with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from volskew.market.clock import expiry_instants, session_close, year_fraction
from volskew.simulate.dividends import Dividend, times_to_ex_dates
from volskew.simulate.draws import normals, uniforms
from volskew.simulate.exercise import american_prices, black_deviation
from volskew.simulate.funds import RATE, SPREAD_DELTAS, Fund
from volskew.simulate.listing import kept_expiries, listed_strikes
from volskew.simulate.model import Mixture, clock, mixture, option_price, vol_at_delta
from volskew.simulate.trading_time import trading_clock

__all__ = ["CHAIN_COLUMNS", "MID_NOISE", "State", "clean_quotes", "expiry_truth", "forwards", "law_at"]

Array = NDArray[np.float64]

CHAIN_COLUMNS: Final = (
    "quote_date",
    "symbol",
    "underlying_price",
    "option_symbol",
    "expiration",
    "right",
    "strike",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "last",
    "volume",
    "open_interest",
)

DELTA_RANGE: Final = (0.02, 0.98)
"""Forward call deltas between which strikes are kept."""

DELTA_GRID: Final = (0.02, 0.05, 0.10, 0.18, 0.26, 0.34, 0.42, 0.50, 0.58, 0.66, 0.74, 0.82, 0.90, 0.95, 0.98)
"""Deltas at which the smile is solved exactly; half-spreads need a delta between them only roughly."""

MID_NOISE: Final = 0.10
"""The quoted mid lies within this share of the half-spread from the true price, before rounding to cents."""

SPREAD_NOISE: Final = 0.08
"""Deviation of the log half-spread from line to line."""

BID_SIZE: Final = (11.0, 0.95)
ASK_SIZE: Final = (11.0, 0.75)
"""Median [contracts] and log deviation of sizes."""

VOLUME: Final = (5.0, 1.7)
"""Median [contracts] and log deviation of a line's volume at the money; half as much in the wings."""

OPEN_INTEREST_DEVIATION: Final = 1.5
"""Log deviation of open interest from line to line."""

OPEN_INTEREST_DAYS: Final = 120.0
"""Days to expiry over which open interest falls to half."""


@dataclass(frozen=True, slots=True)
class State:
    """One fund at one close: a row of the state table.

    Attributes
    ----------
    date : datetime.date
        The session.
    spot : float
        Closing price [$].
    scale, skew, curvature, inversion : float
        Factors of the surface.
    """

    date: dt.date
    spot: float
    scale: float
    skew: float
    curvature: float
    inversion: float


def forwards(spot: float, years: Array, *, ex_times: Array, cash: Array) -> Array:
    """Forward prices [$], ``(S - Σ D_i e^{-r t_i}) e^{r T}`` over the ex-dates before the expiry.

    The ratio to the spot price is rounded to twelve decimals as part of the model's definition.

    Parameters
    ----------
    spot : float
        [$]
    years : ndarray of float64
        To each expiry.
    ex_times, cash : ndarray of float64
        Years to each expected ex-date, and its dividend [$].
    """
    paid = ex_times < years[:, np.newaxis]
    value = np.sum(np.where(paid, cash * np.exp(-RATE * ex_times), 0.0), axis=1)
    return np.asarray(spot * ((1.0 - value / spot) * np.exp(RATE * years)).round(12))


def law_at(fund: Fund, state: State, years: Array) -> Mixture:
    """The law of (price at expiry / forward) at each maturity [years of 365 days].

    Variance accrues by session (`trading_time`): the mixture is that of the maturity's trading time.
    """
    return mixture(
        fund.shape,
        scale=state.scale,
        skew=state.skew,
        curvature=state.curvature,
        clock_time=clock(trading_clock().years(state.date, years), inversion=state.inversion),
    )


def expiry_truth(fund: Fund, state: State, *, dividends: tuple[Dividend, ...]) -> pd.DataFrame:
    """Exact forward and vols of each kept expiry: the numbers a reader of that expiry should find.

    Parameters
    ----------
    fund : Fund
        Constants.
    state : State
        Factors and price at the close.
    dividends : tuple of Dividend
        What the market expects at the close.

    Returns
    -------
    pandas.DataFrame
        ``date``, ``symbol``, ``expiration``, ``time_to_expiry`` [years], ``forward`` [$],
        ``discount_factor``, ``vol_25c``, ``vol_50``, ``vol_25p`` [decimal].
    """
    expiries = [date for date, _ in kept_expiries(state.date)]
    years = _years(state.date, expiries)
    law = law_at(fund, state, years[:, np.newaxis])
    vols = vol_at_delta(law, delta=np.array([0.25, 0.50, 0.75]), years=years[:, np.newaxis])
    return pd.DataFrame(
        {
            "date": state.date.isoformat(),
            "symbol": fund.symbol,
            "expiration": [date.isoformat() for date in expiries],
            "time_to_expiry": years,
            "forward": forwards(
                state.spot,
                years,
                ex_times=times_to_ex_dates(dividends, state.date),
                cash=np.array([item.amount for item in dividends]),
            ),
            "discount_factor": np.exp(-RATE * years),
            "vol_25c": vols[:, 0],
            "vol_50": vols[:, 1],
            "vol_25p": vols[:, 2],
        }
    )


def clean_quotes(
    fund: Fund,
    state: State,
    *,
    dividends: tuple[Dividend, ...],
    reference: dict[dt.date, float],
    seed: int,
) -> pd.DataFrame:
    """The chain of one session as it would be if nothing went wrong.

    Bid and ask stand around the true price: the surface's European price and the early-exercise premium. It
    is never below the exercise value, and equal to it where the holder would exercise now.

    Parameters
    ----------
    fund : Fund
        Constants.
    state : State
        Factors and price at the close.
    dividends : tuple of Dividend
        What the market expects at the close.
    reference : dict
        For each quarter-end expiry the price that its dense strikes were listed around.
    seed : int
        Of the market.

    Returns
    -------
    pandas.DataFrame
        `CHAIN_COLUMNS`, and for checks ``price`` (American), ``premium`` (American less European) and
        ``delta`` (the option's own, signed, of the European part).
    """
    listed = kept_expiries(state.date)
    years = _years(state.date, [date for date, _ in listed])
    ex_times = times_to_ex_dates(dividends, state.date)
    cash = np.array([item.amount for item in dividends])
    levels = forwards(state.spot, years, ex_times=ex_times, cash=cash)
    tables = []
    for (expiry, is_quarterly), time, forward in zip(listed, years, levels, strict=True):
        law = law_at(fund, state, np.asarray(time))
        deviations = vol_at_delta(law, delta=np.array(DELTA_GRID), years=time) * np.sqrt(time)
        scores = np.asarray(ndtri(np.array(DELTA_GRID)))
        moneyness = 0.5 * deviations**2 - deviations * scores
        low, high = (moneyness[DELTA_GRID.index(delta)] for delta in reversed(DELTA_RANGE))
        strikes = listed_strikes(
            fund,
            lowest=forward * np.exp(low),
            highest=forward * np.exp(high),
            is_quarterly=is_quarterly,
            reference=reference.get(expiry, state.spot),
        )
        guess = np.interp(np.log(strikes / forward), moneyness[::-1], deviations[::-1])
        is_paid = ex_times < time
        lines = _prices(
            law,
            strikes,
            spot=state.spot,
            forward=float(forward),
            years=float(time),
            guess=guess,
            ex_times=ex_times[is_paid],
            cash=cash[is_paid],
        )
        log_moneyness = np.log(lines["strike"].to_numpy() / forward)
        call_delta = ndtr(np.interp(log_moneyness, moneyness[::-1], scores[::-1]))
        lines["delta"] = np.where(lines["is_call"], call_delta, call_delta - 1.0)
        tables.append(lines.assign(expiry=expiry, is_quarterly=is_quarterly))
    return _quote(fund, state, pd.concat(tables, ignore_index=True), seed=seed)


def _prices(
    law: Mixture,
    strikes: Array,
    *,
    spot: float,
    forward: float,
    years: float,
    guess: Array,
    ex_times: Array,
    cash: Array,
) -> pd.DataFrame:
    """American prices and premiums [$] of one expiry: a call and a put at each strike."""
    k = np.log(strikes / forward)
    european = option_price(law, k[:, np.newaxis], is_call=np.array([True, False]))
    deviation = black_deviation(np.where(k > 0.0, european[:, 0], european[:, 1]), k, start=guess)
    price, premium = american_prices(
        european,
        strikes,
        deviation,
        spot=spot,
        forward=forward,
        years=years,
        rate=RATE,
        ex_times=ex_times,
        cash=cash,
    )
    return pd.DataFrame(
        {
            "strike": np.repeat(strikes, 2),
            "is_call": np.tile([True, False], len(strikes)),
            "price": price.ravel(),
            "premium": premium.ravel(),
        }
    )


def _quote(fund: Fund, state: State, lines: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Bid, ask, sizes and the rest around the true prices."""
    expiry_day = np.array([date.toordinal() for date in lines["expiry"]])
    contract = (
        expiry_day,
        (lines["strike"].to_numpy() * 1000.0).round().astype(np.int64),
        lines["is_call"].to_numpy().astype(np.int64),
    )
    draw = (seed, state.date.toordinal(), *(ord(letter) for letter in fund.symbol))

    def noise(name: str) -> Array:
        return normals(draw[0], name, *draw[1:], *contract)

    price, delta = lines["price"].to_numpy(), np.abs(lines["delta"].to_numpy())
    half = _half_spreads(fund, lines) * np.exp(SPREAD_NOISE * noise("spread"))
    # rounding outwards to cents adds half a cent on average, which the measured medians contain already
    half = np.maximum(half - 0.005, 0.002)
    mid = price + half * MID_NOISE * (2.0 * uniforms(draw[0], "mid", *draw[1:], *contract) - 1.0)
    bid = np.maximum(np.floor((mid - half) * 100.0), 0.0) / 100.0
    ask = np.ceil((mid + half) * 100.0) / 100.0
    wing = np.sqrt(np.clip(delta * (1.0 - delta), 0.02, 0.25)) * 2.0
    volume = np.floor(VOLUME[0] * wing * np.exp(VOLUME[1] * noise("volume")))
    age = 0.5 ** ((expiry_day - state.date.toordinal()) / OPEN_INTEREST_DAYS)
    # the same draw every day: open interest belongs to the contract
    held = normals(seed, f"open interest {fund.symbol}", *contract)
    median = np.where(lines["is_quarterly"], fund.quarterly_open_interest, fund.open_interest)
    last = np.where(volume > 0.0, np.clip(mid + 0.5 * half * noise("last"), 0.01, None).round(2), np.nan)
    expiration = [date.isoformat() for date in lines["expiry"]]
    right = np.where(lines["is_call"], "call", "put")
    return pd.DataFrame(
        {
            "quote_date": state.date.isoformat(),
            "symbol": fund.symbol,
            "underlying_price": state.spot,
            "option_symbol": [
                f"{fund.symbol}{date:%y%m%d}{side[0].upper()}{strike:08d}"
                for date, side, strike in zip(lines["expiry"], right, contract[1], strict=True)
            ],
            "expiration": expiration,
            "right": right,
            "strike": lines["strike"],
            "bid": bid,
            "ask": ask,
            "bid_size": np.where(
                bid > 0.0, np.ceil(BID_SIZE[0] * np.exp(BID_SIZE[1] * noise("bid size"))), 0.0
            ),
            "ask_size": np.ceil(ASK_SIZE[0] * np.exp(ASK_SIZE[1] * noise("ask size"))),
            "last": last,
            "volume": volume,
            "open_interest": np.floor(2.0 * median * age * np.exp(OPEN_INTEREST_DEVIATION * held)),
            "price": price,
            "premium": lines["premium"],
            "delta": lines["delta"],
        }
    )


def _half_spreads(fund: Fund, lines: pd.DataFrame) -> Array:
    """Typical half-spread [$] at each line's own delta."""
    delta = np.abs(lines["delta"].to_numpy())
    is_call, is_quarterly = lines["is_call"].to_numpy(), lines["is_quarterly"].to_numpy()
    calls, puts, quarterly_calls, quarterly_puts = (
        np.exp(np.interp(delta, SPREAD_DELTAS, np.log(table)))
        for table in (
            fund.call_spreads,
            fund.put_spreads,
            fund.quarterly_call_spreads,
            fund.quarterly_put_spreads,
        )
    )
    monthly, quarterly = np.where(is_call, calls, puts), np.where(is_call, quarterly_calls, quarterly_puts)
    return np.asarray(np.where(is_quarterly, quarterly, monthly))


def _years(day: dt.date, expiries: list[dt.date]) -> Array:
    return np.asarray(year_fraction(session_close(day), expiry_instants(expiries)), dtype=np.float64)
