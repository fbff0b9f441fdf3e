"""Vols of quotes, and the rules on lines that need a vol.

Out-of-the-money lines are solved (calls at and above the forward, puts below), at bid, mid and ask in one
call, each by the pricer of its slice (`volskew.surface.pricer`): American lines as such.

A vendor's vols without quotes are turned into prices at the vendor's forward and solved again at the forward
in force, where the two differ; what the vendor took early exercise for is the vendor's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from volskew.market.table import MarketRow
from volskew.pricing import Status, black
from volskew.quotes.lines import BoolArray, FloatArray, numeric
from volskew.quotes.schema import Exclusion, Flag, add_flag
from volskew.settings import Settings
from volskew.surface.chain import Chain, exclude, runs
from volskew.surface.pricer import DIVIDENDS_DOUBTED, IGNORED, Pricer
from volskew.surface.robust import median

__all__ = ["solve_vols"]

VENDOR_STATUS = "VENDOR"
"""`vol_status` of a vol that was taken from the file, or is that of the file's price at another forward."""
_NAMES = np.array([item.name for item in Status], dtype=object)

_AT_THE_MONEY = 5
"""Lines nearest the forward whose median vol stands for the level of the slice."""
_WORTHLESS_TICK = 0.01
"""[vol] A line whose vega makes one tick worth more than a vol point carries no vol."""


def solve_vols(
    labelled: pd.DataFrame,
    forwards: pd.DataFrame,
    *,
    settings: Settings,
    market: MarketRow | None = None,
    solve_all: bool = False,
    chain: Chain | None = None,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Vols of the accepted lines, and the labels that depend on them.

    Parameters
    ----------
    labelled : pandas.DataFrame
        Labelled quotes of one snapshot.
    forwards : pandas.DataFrame
        What `volskew.surface.forwards.fit_forwards` returned for them.
    settings : Settings
        `max_vol_spread`, `max_vol_spread_relative`, the pricer and its accuracy.
    market : MarketRow, optional
        The one that the forwards were found with: its dividends are the pricer's.
    solve_all : bool
        Solve in-the-money lines too; they serve no smile.
    chain : Chain, optional
        The same table as arrays, where the caller has them already.
    before : pandas.DataFrame, optional
        What this returned for the same lines at other forwards: slices whose forward is the same keep theirs.

    Returns
    -------
    pandas.DataFrame
        A copy with ``forward [$]``, ``log_moneyness``, ``time_to_expiry [years]``, ``vol_bid``, ``vol_mid``,
        ``vol_ask`` [decimal, annual; NaN where not solved], ``vol_status`` (name of a
        `volskew.pricing.Status`, VENDOR where it comes from the file's vol, null where nothing was tried),
        ``early_exercise_premium [$]`` (of the mid; 0 for European lines, null where nothing was solved) and
        ``forward_call_delta`` (N(d1) at the line's own mid vol, until a smile gives a better one).
        `exclusion` gains WIDE and TICK, `flags` BOUND_MID. Lines that lose their place for their vol (WIDE,
        TICK, and OUTLIER later) keep it in the table.
    """
    chain = chain or Chain.of(labelled, market=market, settings=settings)
    forward = chain.per_slice(forwards, "forward")[chain.lines.slice_id]
    discount = chain.per_slice(forwards, "discount_factor")[chain.lines.slice_id]
    years = chain.years[chain.lines.slice_id]
    strike, is_call = chain.lines.strike, chain.lines.is_call
    with np.errstate(divide="ignore", invalid="ignore"):
        log_moneyness = np.log(strike / forward)
    out_of_the_money = is_call == (strike >= forward)
    exclusion, flags = labelled["exclusion"], labelled["flags"]
    n = len(labelled)
    vols, premium = np.full((3, n), np.nan), np.full(n, np.nan)
    status = np.full(n, None, dtype=object)
    if chain.by_vendor:
        vendors = chain.per_slice(forwards, "vendor_forward")[chain.lines.slice_id]
        known = chain.accepted & np.isfinite(forward)
        rows = np.flatnonzero(known & (vendors == forward))
        vols[1, rows] = numeric(labelled, "vendor_vol")[rows]
        status[rows] = VENDOR_STATUS
        moved = known & (vendors != forward) & chain.lines.has_right & (out_of_the_money | solve_all)
        rows = np.flatnonzero(moved)
        price = black.price(
            forward=vendors[rows],
            strike=strike[rows],
            time_to_expiry=years[rows],
            vol=numeric(labelled, "vendor_vol")[rows],
            is_call=is_call[rows],
        )
        solved = black.implied_vol(
            price,
            forward=forward[rows],
            strike=strike[rows],
            time_to_expiry=years[rows],
            is_call=is_call[rows],
        )
        vols[1, rows] = solved.vol
        status[rows] = np.where(solved.status == Status.OK, VENDOR_STATUS, _NAMES[solved.status])
    else:
        # lines too cheap for a vol are solved all the same, to be looked at
        cheap = (exclusion == Exclusion.TICK).to_numpy(dtype=bool) & (chain.lines.bid > 0)
        wanted = (chain.is_quoted | cheap) & np.isfinite(forward) & chain.lines.has_right
        wanted &= out_of_the_money | solve_all
        if before is not None:
            same = wanted & (numeric(before, "forward") == forward)
            vols[:, same] = [numeric(before, name)[same] for name in ("vol_bid", "vol_mid", "vol_ask")]
            premium[same] = numeric(before, "early_exercise_premium")[same]
            status[same] = before["vol_status"].to_numpy(dtype=object)[same]
            wanted &= ~same
        rows = np.flatnonzero(wanted)
        if len(rows):
            bid, ask = chain.lines.bid[rows], chain.lines.ask[rows]
            found = _pricer(chain, forwards, settings=settings).implied_vols(
                np.stack([bid, (bid + ask) / 2, ask]),
                slice_id=chain.lines.slice_id[rows],
                strike=strike[rows],
                is_call=is_call[rows],
            )
            vols[:, rows], premium[rows] = found.vol, found.premium[1]
            status[rows] = _NAMES[found.status[1]]
        wide, tick = _unreadable(chain, vols, log_moneyness, forward, discount, out_of_the_money, settings)
        exclusion = exclude(exclusion, wide, Exclusion.WIDE)
        exclusion = exclude(exclusion, tick, Exclusion.TICK)
        at_floor = _at_floor(chain, forward, discount, spot=_spot(forwards))
        flags = add_flag(flags, pd.Series(at_floor), Flag.BOUND_MID)
    return labelled.assign(
        exclusion=exclusion,
        flags=flags,
        forward=forward,
        log_moneyness=log_moneyness,
        time_to_expiry=np.where(pd.isna(labelled["expiry"]), np.nan, years),
        vol_bid=vols[0],
        vol_mid=vols[1],
        vol_ask=vols[2],
        vol_status=pd.array(status, dtype=pd.StringDtype(na_value=np.nan)),
        early_exercise_premium=premium,
        forward_call_delta=black.delta(
            forward=forward, strike=np.abs(strike), time_to_expiry=years, vol=vols[1]
        ),
    )


def _spot(forwards: pd.DataFrame) -> float:
    """The spot of the moment of the quotes that the forwards were found with [$]."""
    return float(forwards["spot"].iloc[0]) if len(forwards) else np.nan


def _pricer(chain: Chain, forwards: pd.DataFrame, *, settings: Settings) -> Pricer:
    """The pricers at the forwards of a table, with the discounting, spot and dividends of these."""
    discount = chain.per_slice(forwards, "discount_factor")
    doubted = forwards["flags"].str.contains(DIVIDENDS_DOUBTED, regex=False).any()
    methods = np.append(forwards["method"].to_numpy(dtype=object), "")[chain.places(forwards)]
    return Pricer.of(
        replace(
            chain,
            lines=replace(chain.lines, slice_discount=discount),
            dividends=None if doubted else chain.dividends,
        ),
        chain.per_slice(forwards, "forward"),
        spot=_spot(forwards),
        settings=settings,
        ignored=methods == IGNORED,
    )


def level_vols(chain: Chain, vol: FloatArray, log_moneyness: FloatArray, mask: BoolArray) -> FloatArray:
    """Median vol of the lines nearest the forward, for each slice; NaN where the mask leaves none."""
    level = np.full(chain.lines.n_slices, np.nan)
    rows = np.flatnonzero(mask & np.isfinite(vol))
    slice_id = chain.lines.slice_id[rows]
    order = np.lexsort((np.abs(log_moneyness[rows]), slice_id))
    nearest = vol[rows[order]]
    for number, here in runs(slice_id[order]):
        level[number] = median(nearest[here][:_AT_THE_MONEY])
    return level


def _unreadable(
    chain: Chain,
    vols: FloatArray,
    log_moneyness: FloatArray,
    forward: FloatArray,
    discount: FloatArray,
    out_of_the_money: BoolArray,
    settings: Settings,
) -> tuple[BoolArray, BoolArray]:
    """Lines whose bid and ask vols lie too far apart, and lines too cheap in vega for their tick.

    Out of the money only: in-the-money lines have a vol where all were asked for, which must change no label.
    """
    bid, mid, ask = vols
    tried = chain.accepted & out_of_the_money & np.isfinite(mid)
    level = level_vols(chain, mid, log_moneyness, tried)[chain.lines.slice_id]
    widest = np.maximum(settings.max_vol_spread, settings.max_vol_spread_relative * level)
    with np.errstate(invalid="ignore"):
        wide = tried & ~(ask - bid <= widest)
        vega = discount * black.vega(
            forward=forward,
            strike=np.abs(chain.lines.strike),
            time_to_expiry=chain.years[chain.lines.slice_id],
            vol=mid,
        )
        tick = tried & (chain.tick[chain.lines.slice_id] > _WORTHLESS_TICK * vega)
    return wide, tick


def _at_floor(chain: Chain, forward: FloatArray, discount: FloatArray, *, spot: float) -> BoolArray:
    """Lines whose mid is within half a tick of the discounted intrinsic value, or of what exercise gives."""
    sign = np.where(chain.lines.is_call, 1.0, -1.0)
    floor = np.maximum(discount * sign * (forward - chain.lines.strike), 0.0)
    american = ~chain.lines.slice_european[chain.lines.slice_id]
    floor = np.where(american, np.fmax(floor, sign * (spot - chain.lines.strike)), floor)
    half_tick = chain.tick[chain.lines.slice_id] / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(chain.mid - floor <= half_tick, dtype=np.bool_)
