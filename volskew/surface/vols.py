"""Vols of quotes, and the rules on lines that need a vol.

Out-of-the-money lines are solved (calls at and above the forward, puts below), at bid, mid and ask in one
call, each by the pricer of its slice (`volskew.surface.pricer`): American lines as such.

A vendor's vols without quotes are turned into prices at the vendor's forward and solved again at the forward
in force, where the two differ; what the vendor took early exercise for is the vendor's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.market.table import MarketRow
from volskew.pricing import Status, black
from volskew.quotes.clean import Labels
from volskew.quotes.lines import NO_TIME, BoolArray, FloatArray, numeric
from volskew.quotes.schema import Exclusion, Flag, with_columns
from volskew.settings import Settings
from volskew.surface.chain import Chain, ranks
from volskew.surface.forwards import Forwards, read_forwards
from volskew.surface.pricer import IGNORED, Pricer
from volskew.surface.robust import medians

__all__ = ["Vols", "find_vols", "solve_vols", "vol_columns"]

VENDOR_STATUS = "VENDOR"
"""`vol_status` of a vol that was taken from the file, or is that of the file's price at another forward."""
_NAMES = np.array([*(item.name for item in Status), VENDOR_STATUS, None], dtype=object)
_VENDOR, _UNTRIED = len(_NAMES) - 2, len(_NAMES) - 1

_AT_THE_MONEY = 5
"""Lines nearest the forward whose median vol stands for the level of the slice."""
_WORTHLESS_TICK = 0.01
"""[vol] A line whose vega makes one tick worth more than a vol point carries no vol."""


@dataclass(frozen=True, slots=True)
class Vols:
    """Vols of a chain's lines as arrays; see `solve_vols`.

    Attributes
    ----------
    forward, log_moneyness, years : ndarray of float
        Of each line's slice, ``ln(K/F)``, time to expiry.
    bid, mid, ask : ndarray of float
        Vols; NaN where not solved.
    status : ndarray of int
        Of the mid: place among the names of statuses, VENDOR, and null.
    premium : ndarray of float
        [$] Early-exercise premium of the mid.
    delta, vega : ndarray of float
        N(d1), and undiscounted [$], at the line's own mid vol.
    is_wide, is_worthless, is_at_floor : ndarray of bool
        Lines that WIDE and TICK take, and those of flag BOUND_MID.
    """

    forward: FloatArray
    log_moneyness: FloatArray
    years: FloatArray
    bid: FloatArray
    mid: FloatArray
    ask: FloatArray
    status: NDArray[np.intp]
    premium: FloatArray
    delta: FloatArray
    vega: FloatArray
    is_wide: BoolArray
    is_worthless: BoolArray
    is_at_floor: BoolArray

    def labels(self, chain: Chain) -> Labels:
        """The chain's, with those that depend on vols."""
        labels = chain.labels.copy()
        labels.exclude(Exclusion.WIDE, self.is_wide)
        labels.exclude(Exclusion.TICK, self.is_worthless)
        labels.flag(Flag.BOUND_MID, self.is_at_floor)
        return labels

    @property
    def is_unreadable(self) -> BoolArray:
        """Lines that lose their place for their vol."""
        return self.is_wide | self.is_worthless


def solve_vols(
    labelled: pd.DataFrame,
    forwards: pd.DataFrame,
    *,
    settings: Settings,
    market: MarketRow | None = None,
    solve_all: bool = False,
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
    chain = Chain.of(labelled, market=market, settings=settings)
    found = read_forwards(forwards, chain)
    discount = chain.per_slice(forwards, "discount_factor")
    chain = replace(chain, lines=replace(chain.lines, slice_discount=discount))
    vols = find_vols(labelled, chain, found, settings=settings, solve_all=solve_all)
    labels = vols.labels(chain)
    used = {name: labelled[name].to_numpy() for name in ("used_in_forward", "used_in_smile")}
    return with_columns(labelled, labels.columns(**used) | vol_columns(vols))


def find_vols(
    labelled: pd.DataFrame,
    chain: Chain,
    found: Forwards,
    *,
    settings: Settings,
    solve_all: bool = False,
    before: Vols | None = None,
) -> Vols:
    """Vols of a chain as arrays; see `solve_vols`.

    Parameters
    ----------
    labelled, chain, settings, solve_all
        As there.
    found : Forwards
    before : Vols, optional
        Those of the same lines at other forwards: slices whose forward is the same keep theirs.
    """
    lines, slice_id = chain.lines, chain.lines.slice_id
    forward, discount, years = found.usable[slice_id], lines.slice_discount[slice_id], chain.years[slice_id]
    strike, is_call = lines.strike, lines.is_call
    with np.errstate(divide="ignore", invalid="ignore"):
        log_moneyness = np.log(strike / forward)
    out_of_the_money = is_call == (strike >= forward)
    n = len(strike)
    solved = np.full((3, n), np.nan)
    premium, status = np.full(n, np.nan), np.full(n, _UNTRIED, dtype=np.intp)
    if chain.by_vendor:
        vendors, quoted = found.vendor[slice_id], numeric(labelled, "vendor_vol")
        known = chain.accepted & np.isfinite(forward)
        rows = np.flatnonzero(known & (vendors == forward))
        solved[1, rows], status[rows] = quoted[rows], _VENDOR
        rows = np.flatnonzero(known & (vendors != forward) & lines.has_right & (out_of_the_money | solve_all))
        contract: dict[str, Any] = {
            "strike": strike[rows],
            "time_to_expiry": years[rows],
            "is_call": is_call[rows],
        }
        price = black.price(forward=vendors[rows], vol=quoted[rows], **contract)
        moved = black.implied_vol(price, forward=forward[rows], **contract)
        solved[1, rows] = moved.vol
        status[rows] = np.where(moved.status == Status.OK, _VENDOR, moved.status)
    else:
        # lines too cheap for a vol are solved all the same, to be looked at
        cheap = chain.labels.have_code(Exclusion.TICK) & (lines.bid > 0)
        wanted = (chain.is_quoted | cheap) & np.isfinite(forward) & lines.has_right
        wanted &= out_of_the_money | solve_all
        if before is not None:
            same = wanted & (before.forward == forward)
            solved[:, same] = before.bid[same], before.mid[same], before.ask[same]
            premium[same], status[same] = before.premium[same], before.status[same]
            wanted &= ~same
        rows = np.flatnonzero(wanted)
        if len(rows):
            bid, ask = lines.bid[rows], lines.ask[rows]
            fresh = _pricer(chain, found, settings=settings).implied_vols(
                np.stack([bid, (bid + ask) / 2, ask]),
                slice_id=slice_id[rows],
                strike=strike[rows],
                is_call=is_call[rows],
            )
            solved[:, rows], premium[rows], status[rows] = fresh.vol, fresh.premium[1], fresh.status[1]
    there = np.flatnonzero(np.isfinite(solved[1]))
    market: dict[str, Any] = {
        "forward": forward[there],
        "strike": np.abs(strike[there]),
        "time_to_expiry": years[there],
        "vol": solved[1, there],
    }
    vega, delta = np.full((2, n), np.nan)
    vega[there], delta[there] = black.vega(**market), black.delta(**market)
    nothing = np.zeros(n, dtype=bool)
    wide, worthless, at_floor = nothing, nothing, nothing
    if not chain.by_vendor:
        wide, worthless = _unreadable(
            chain, solved, log_moneyness, discount * vega, out_of_the_money, settings
        )
        at_floor = _at_floor(chain, forward, discount, spot=found.spot.price)
    return Vols(
        forward=forward,
        log_moneyness=log_moneyness,
        years=np.where(lines.expiry == NO_TIME, np.nan, years),
        bid=solved[0],
        mid=solved[1],
        ask=solved[2],
        status=status,
        premium=premium,
        delta=delta,
        vega=vega,
        is_wide=wide,
        is_worthless=worthless,
        is_at_floor=at_floor,
    )


def vol_columns(vols: Vols) -> dict[str, Any]:
    """The columns that `solve_vols` adds."""
    return {
        "forward": vols.forward,
        "log_moneyness": vols.log_moneyness,
        "time_to_expiry": vols.years,
        "vol_bid": vols.bid,
        "vol_mid": vols.mid,
        "vol_ask": vols.ask,
        "vol_status": pd.array(_NAMES, dtype=pd.StringDtype(na_value=np.nan)).take(vols.status),
        "early_exercise_premium": vols.premium,
        "forward_call_delta": vols.delta,
    }


def _pricer(chain: Chain, found: Forwards, *, settings: Settings) -> Pricer:
    """The pricers at the forwards found."""
    return Pricer.of(
        replace(chain, dividends=None) if found.doubted else chain,
        found.usable,
        spot=found.spot.price,
        settings=settings,
        ignored=np.array(found.method, dtype=object) == IGNORED,
    )


def level_vols(chain: Chain, vol: FloatArray, log_moneyness: FloatArray, mask: BoolArray) -> FloatArray:
    """Median vol of the lines nearest the forward, for each slice; NaN where the mask leaves none."""
    rows = np.flatnonzero(mask & np.isfinite(vol))
    rows = rows[np.lexsort((np.abs(log_moneyness[rows]), chain.lines.slice_id[rows]))]
    slice_id = chain.lines.slice_id[rows]
    rank = ranks(slice_id)
    near = rank < _AT_THE_MONEY
    nearest = np.full((chain.lines.n_slices, _AT_THE_MONEY), np.nan)
    nearest[slice_id[near], rank[near]] = vol[rows[near]]
    return medians(nearest)


def _unreadable(
    chain: Chain,
    vols: FloatArray,
    log_moneyness: FloatArray,
    vega: FloatArray,
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
