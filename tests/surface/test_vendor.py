from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

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
    assert estimate.method == "local vendor-vol vendor-delta"
    assert set(surface.forwards["method"]) == {"vendor-delta"}
    assert surface.forwards["forward_error"].isna().all()
    truth = [qqq_like.forward(day / 365) for day in DAYS]
    # deltas of two decimals over dozens of calls: a few basis points
    np.testing.assert_allclose(surface.forwards["forward"], truth, rtol=4e-4)
    assert set(surface.smiles["method"]) == {"vendor"}
    assert (surface.quotes["vol_status"].dropna() == "VENDOR").all()
    assert surface.quotes.loc[surface.quotes["used_in_forward"], "volume"].gt(0).all()
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
    assert set(lasts.forwards["method"]) == {"parity-last"}
    assert lasts.vol().method == "local vendor-vol parity-last rate=flat:0.0400"
    check(lasts, qqq_like, tolerance=4e-4)
    spot = fit_surface(vendor_chain.assign(vendor_delta=np.nan, volume=0.0), settings=SETTINGS)
    assert set(spot.forwards["method"]) == {"spot-carry"}
    check(spot, qqq_like, tolerance=1e-3)  # 0.5 % a year of dividend is missing: 12 bp of the forward
    nothing = fit_surface(
        vendor_chain.assign(vendor_delta=np.nan, volume=0.0, underlying_price=np.nan), settings=SETTINGS
    )
    assert nothing.vol().flags == ("NO_QUOTES_LEFT",)
    assert {entry.code for entry in nothing.ledger} == {"NO_FORWARD"}


def test_untraded_lines_weigh_less(vendor_chain: pd.DataFrame, qqq_like: Any) -> None:
    off = vendor_chain["vendor_vol"].where(vendor_chain["volume"] > 0, vendor_chain["vendor_vol"] + 0.002)
    surface = fit_surface(vendor_chain.assign(vendor_vol=off), settings=SETTINGS)
    moved = surface.vol().value - qqq_like.reading(0.25, (84, 98))
    # a third of the lines at a ninth of the weight, 0.2 points off: an equal share would move it by 0.07
    assert moved < 4e-4
