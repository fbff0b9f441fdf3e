"""Vols of quotes: the one place that picks a pricer, and the rules on lines that need a vol.

A vendor's vols without quotes are turned into prices at the vendor's forward and solved again at the forward
in force, where the two differ.

Out-of-the-money lines are solved (calls at and above the forward, puts below), at bid, mid and ask in one
call. Exercise is treated as European for now: out of the money at three months that costs a call nothing and
a 25-delta put about 0.2 vol points.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from volskew.pricing import Status, black
from volskew.quotes.lines import BoolArray, FloatArray, numeric
from volskew.quotes.schema import Exclusion, Flag, add_flag
from volskew.settings import Settings
from volskew.surface.chain import Chain, exclude, runs

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
    solve_all: bool = False,
    chain: Chain | None = None,
) -> pd.DataFrame:
    """Vols of the accepted lines, and the labels that depend on them.

    Parameters
    ----------
    labelled : pandas.DataFrame
        Labelled quotes of one snapshot.
    forwards : pandas.DataFrame
        What `volskew.surface.forwards.fit_forwards` returned for them.
    settings : Settings
        `max_vol_spread`, `max_vol_spread_relative` and the pricer.
    solve_all : bool
        Solve in-the-money lines too; they serve no smile.
    chain : Chain, optional
        The same table as arrays, where the caller has them already.

    Returns
    -------
    pandas.DataFrame
        A copy with ``forward [$]``, ``log_moneyness``, ``time_to_expiry [years]``, ``vol_bid``, ``vol_mid``,
        ``vol_ask`` [decimal, annual; NaN where not solved], ``vol_status`` (name of a
        `volskew.pricing.Status`, VENDOR where it comes from the file's vol, null where nothing was tried),
        ``early_exercise_premium [$]`` (null: not removed) and ``forward_call_delta`` (N(d1) at the line's own
        mid vol, until a smile gives a better one). `exclusion` gains WIDE and TICK, `flags` BOUND_MID. Lines
        that lose their place for their vol (WIDE, TICK, and OUTLIER later) keep it in the table.
    """
    chain = chain or Chain.of(labelled, market=None, settings=settings)
    forward = chain.per_slice(forwards, "forward")[chain.lines.slice_id]
    discount = chain.per_slice(forwards, "discount_factor")[chain.lines.slice_id]
    years = chain.years[chain.lines.slice_id]
    strike, is_call = chain.lines.strike, chain.lines.is_call
    with np.errstate(divide="ignore", invalid="ignore"):
        log_moneyness = np.log(strike / forward)
    out_of_the_money = is_call == (strike >= forward)
    exclusion, flags = labelled["exclusion"], labelled["flags"]
    n = len(labelled)
    vols = np.full((3, n), np.nan)
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
        rows = np.flatnonzero(wanted & (out_of_the_money | solve_all))
        bid, ask = chain.lines.bid[rows], chain.lines.ask[rows]
        prices = np.stack([bid, (bid + ask) / 2, ask]) / discount[rows]
        solved = black.implied_vol(
            prices,
            forward=forward[rows],
            strike=strike[rows],
            time_to_expiry=years[rows],
            is_call=is_call[rows],
        )
        vols[:, rows] = solved.vol
        status[rows] = _NAMES[solved.status[1]]
        wide, tick = _unreadable(chain, vols, log_moneyness, forward, discount, out_of_the_money, settings)
        exclusion = exclude(exclusion, wide, Exclusion.WIDE)
        exclusion = exclude(exclusion, tick, Exclusion.TICK)
        flags = add_flag(flags, pd.Series(_at_floor(chain, forward, discount)), Flag.BOUND_MID)
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
        early_exercise_premium=np.nan,
        forward_call_delta=black.delta(
            forward=forward, strike=np.abs(strike), time_to_expiry=years, vol=vols[1]
        ),
    )


def level_vols(chain: Chain, vol: FloatArray, log_moneyness: FloatArray, mask: BoolArray) -> FloatArray:
    """Median vol of the lines nearest the forward, for each slice; NaN where the mask leaves none."""
    level = np.full(chain.lines.n_slices, np.nan)
    rows = np.flatnonzero(mask & np.isfinite(vol))
    slice_id = chain.lines.slice_id[rows]
    order = np.lexsort((np.abs(log_moneyness[rows]), slice_id))
    for number, here in runs(slice_id[order]):
        level[number] = np.median(vol[rows[order][here][:_AT_THE_MONEY]])
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


def _at_floor(chain: Chain, forward: FloatArray, discount: FloatArray) -> BoolArray:
    """Lines whose mid is within half a tick of the discounted intrinsic value."""
    gap = np.where(chain.lines.is_call, forward - chain.lines.strike, chain.lines.strike - forward)
    half_tick = chain.tick[chain.lines.slice_id] / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(chain.mid - discount * np.maximum(gap, 0.0) <= half_tick, dtype=np.bool_)
