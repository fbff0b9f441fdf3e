from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from volskew.pricing import black
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings(rate=0.04)
DAYS = (14, 28, 84, 98)


@pytest.fixture(scope="module")
def vendor_chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    """Vols to 0.01 points, deltas to two decimals, no bid or ask; every third line untraded."""
    quotes = make_chain(qqq_like, days=DAYS)
    years = (quotes["expiry"] - quotes["snapshot_time"]).dt.total_seconds().to_numpy() / (365 * 86400)
    forward = qqq_like.spot * np.exp(qqq_like.carry * years)
    k = np.log(quotes["strike"].to_numpy() / forward)
    vol = np.concatenate([qqq_like.vol(k[years == t], t) for t in np.unique(years)])
    s = vol * np.sqrt(years)
    delta = ndtr(s / 2 - k / s) - np.where(quotes["is_call"], 0.0, 1.0)
    volume = np.where(np.arange(len(quotes)) % 3 == 0, 0.0, 25.0)
    last = (quotes["bid"] + quotes["ask"]) / 2
    # an untraded line's delta is of another day
    delta = np.where(volume > 0, delta, delta * 0.6)
    return quotes.assign(
        bid=np.nan,
        ask=np.nan,
        last=last.round(2),
        vendor_vol=vol.round(4),
        vendor_delta=delta.round(2),
        volume=volume,
    )


def check(surface: Surface, market: Any, *, tolerance: float) -> None:
    for delta in (0.25, 0.5, 0.75):
        estimate = surface.vol(delta=delta)
        assert estimate.value == pytest.approx(market.reading(delta, (84, 98)), abs=tolerance)
        assert estimate.error is None
        assert "NO_QUOTES" in estimate.flags
        assert "NO_ERROR" not in estimate.flags


def test_vendor_vols_are_read_at_recomputed_deltas(vendor_chain: pd.DataFrame, qqq_like: Any) -> None:
    surface = fit_surface(vendor_chain, settings=SETTINGS)
    check(
        surface, qqq_like, tolerance=4e-4
    )  # as with quotes; the wrong deltas of untraded lines do not count
    estimate = surface.vol()
    assert estimate.method == "svi vendor-vol vendor-parity"
    assert estimate.flags == ("NO_QUOTES",)
    assert set(surface.forwards["method"]) == {"vendor-parity"}
    plain = fit_surface(vendor_chain, settings=SETTINGS.replace(vendor_forward="vendor"))
    check(plain, qqq_like, tolerance=4e-4)
    assert plain.vol().method == "svi vendor-vol vendor-delta"
    assert (plain.quotes["vol_mid"] == plain.quotes["vendor_vol"])[plain.quotes["vol_mid"].notna()].all()
    assert surface.forwards["forward_error"].isna().all()
    truth = [qqq_like.forward(day / 365) for day in DAYS]
    # deltas of two decimals over dozens of calls: a few basis points
    np.testing.assert_allclose(surface.forwards["forward"], truth, rtol=4e-4)
    assert set(surface.smiles["method"]) == {"svi"}
    assert (surface.quotes["vol_status"].dropna() == "VENDOR").all()
    assert plain.quotes.loc[plain.quotes["used_in_forward"], "volume"].gt(0).all()
    assert not [entry for entry in surface.ledger if entry.code == "FORWARD_ERROR"]


def test_a_missing_spot_loses_no_reading(vendor_chain: pd.DataFrame, qqq_like: Any) -> None:
    surface = fit_surface(vendor_chain.assign(underlying_price=np.nan), settings=SETTINGS)
    check(surface, qqq_like, tolerance=5e-4)
    np.testing.assert_allclose(
        surface.forwards["forward"], [qqq_like.forward(day / 365) for day in DAYS], rtol=6e-4
    )


def test_without_deltas_the_lasts_serve_and_without_trades_the_spot(
    vendor_chain: pd.DataFrame, qqq_like: Any
) -> None:
    lasts = fit_surface(vendor_chain.assign(vendor_delta=np.nan), settings=SETTINGS)
    assert set(lasts.forwards["method"]) == {"parity-last:vendor-parity"}
    assert lasts.vol().method == "svi vendor-vol parity-last:vendor-parity rate=flat:0.0400"
    check(lasts, qqq_like, tolerance=4e-4)
    spot = fit_surface(vendor_chain.assign(vendor_delta=np.nan, volume=0.0), settings=SETTINGS)
    assert set(spot.forwards["method"]) == {"spot-carry:vendor-parity"}
    check(spot, qqq_like, tolerance=1e-3)  # 0.5 % a year of dividend is missing: 12 bp of the forward
    nothing = fit_surface(
        vendor_chain.assign(vendor_delta=np.nan, volume=0.0, underlying_price=np.nan), settings=SETTINGS
    )
    missing = nothing.vol()
    assert missing.flags == ("NO_EXPIRY_BEFORE",)
    assert "NO_FORWARD" in missing.details["reason"]
    assert {entry.code for entry in nothing.ledger} == {"NO_FORWARD"}


def test_untraded_lines_weigh_less(vendor_chain: pd.DataFrame, qqq_like: Any) -> None:
    off = vendor_chain["vendor_vol"].where(vendor_chain["volume"] > 0, vendor_chain["vendor_vol"] + 0.002)
    surface = fit_surface(vendor_chain.assign(vendor_vol=off), settings=SETTINGS)
    moved = surface.vol().value - qqq_like.reading(0.25, (84, 98))
    # a third of the lines at a ninth of the weight, 0.2 points off: an equal share would move it by 0.07
    assert moved < 4e-4


# --- a vendor whose forward is wrong ----------------------------------------------------------------------


def at_a_wrong_forward(quotes: pd.DataFrame, market: Any, shift: float) -> pd.DataFrame:
    """What a vendor makes of the same prices when its spot, and so its forwards, are off by a share."""
    years = (quotes["expiry"] - quotes["snapshot_time"]).dt.total_seconds().to_numpy() / (365 * 86400)
    truth = market.spot * np.exp(market.carry * years)
    strike, is_call = quotes["strike"].to_numpy(), quotes["is_call"].to_numpy(dtype=bool)
    vol = np.concatenate([market.vol(np.log(strike / truth)[years == t], t) for t in np.unique(years)])
    price = black.price(forward=truth, strike=strike, time_to_expiry=years, vol=vol, is_call=is_call)
    theirs = black.implied_vol(
        price, forward=truth * (1 + shift), strike=strike, time_to_expiry=years, is_call=is_call
    ).vol
    delta = black.delta(forward=truth * (1 + shift), strike=strike, time_to_expiry=years, vol=theirs)
    return quotes.assign(
        underlying_price=market.spot * (1 + shift),
        vendor_vol=np.round(theirs, 4),
        vendor_delta=np.where(is_call, delta, delta - 1).round(2),
        volume=25.0,
    )


@pytest.mark.parametrize("shift", [-0.0036, -0.0012, 0.0025])
def test_a_wrong_vendor_forward_does_not_reach_the_vols(
    vendor_chain: pd.DataFrame, qqq_like: Any, shift: float
) -> None:
    quotes = at_a_wrong_forward(vendor_chain, qqq_like, shift)
    mended = fit_surface(quotes, settings=SETTINGS)
    check(mended, qqq_like, tolerance=5e-4)  # deltas of two decimals leave a few basis points
    truth = np.array([qqq_like.forward(day / 365) for day in DAYS])
    np.testing.assert_allclose(mended.forwards["forward"], truth, rtol=6e-4)
    np.testing.assert_allclose(mended.forwards["vendor_forward"], truth * (1 + shift), rtol=6e-4)
    assert set(mended.forwards["flags"]) == {"VENDOR_FORWARD"}
    assert mended.vol().flags == ("NO_QUOTES", "VENDOR_FORWARD")
    assert mended.quotes["vendor_vol"].equals(quotes["vendor_vol"])
    plain = fit_surface(quotes, settings=SETTINGS.replace(vendor_forward="vendor"))
    # as taken, the call is off by 0.016 points for each basis point of the forward, less what its delta moves
    off = plain.vol().value - qqq_like.reading(0.25, (84, 98))
    assert off * np.sign(-shift) > 0.008e-2 * abs(shift) * 1e4


def test_pairs_with_a_missing_leg_or_without_trades_count_less_or_not(
    vendor_chain: pd.DataFrame, qqq_like: Any
) -> None:
    quotes = at_a_wrong_forward(vendor_chain, qqq_like, -0.0036)
    holes = quotes.copy()
    put = ~holes["is_call"].to_numpy(dtype=bool)
    holes.loc[put & (np.arange(len(holes)) % 2 == 0), "vendor_vol"] = np.nan
    holes.loc[~put & (holes["strike"] % 15 == 0), "vendor_vol"] = 0.0
    check(fit_surface(holes, settings=SETTINGS), qqq_like, tolerance=8e-4)  # a third of the lines is left
    # puts without trades stand at another day's vol: they weigh a ninth, and the median hardly moves
    old = quotes.copy()
    untraded = put & (old["strike"] % 15 == 0).to_numpy()
    old.loc[untraded, "vendor_vol"] += 0.02
    old.loc[untraded, "volume"] = 0.0
    moved = fit_surface(old, settings=SETTINGS)
    assert moved.vol().value == pytest.approx(qqq_like.reading(0.25, (84, 98)), abs=6e-4)


def test_without_pairs_the_vendors_forward_is_kept_and_flagged(
    vendor_chain: pd.DataFrame, qqq_like: Any
) -> None:
    near = vendor_chain["strike"].between(505, 565) & ~vendor_chain["is_call"].astype(bool)
    few = vendor_chain.assign(vendor_vol=vendor_chain["vendor_vol"].mask(near, 0.0))
    surface = fit_surface(few, settings=SETTINGS)
    estimate = surface.vol()
    assert estimate.value == pytest.approx(qqq_like.reading(0.25, (84, 98)), abs=4e-4)
    assert estimate.flags == ("NO_PARITY", "NO_QUOTES")
    assert estimate.method == "svi vendor-vol vendor-delta"
    kept = surface.forwards["flags"] == "NO_PARITY"
    assert (surface.forwards["forward"] == surface.forwards["vendor_forward"])[kept].all()
    # put vols that are all wrong by as much are no forward either
    wild = vendor_chain["vendor_vol"].mask(
        ~vendor_chain["is_call"].astype(bool), vendor_chain["vendor_vol"] * 3
    )
    assert "NO_PARITY" in fit_surface(vendor_chain.assign(vendor_vol=wild), settings=SETTINGS).vol().flags
