"""Single listed options: which one is nearest, whose vol it has, and why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from volskew.settings import Settings
from volskew.surface import Surface, fit_surface
from volskew.surface.listed import listed_vol, nearest_expiry
from volskew.surface.points import Point

CALL, PUT = Point("delta", 0.25), Point("delta", 0.75)


@pytest.fixture(scope="module")
def quotes(qqq_like: Any, make_chain: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_chain(qqq_like, days=(70, 84, 98))


@pytest.fixture(scope="module")
def surface(quotes: pd.DataFrame) -> Surface:
    return fit_surface(quotes, settings=Settings(rate=0.04))


def lines_at(surface: Surface, days: int, *, is_call: bool) -> pd.DataFrame:
    """Accepted lines of an expiry that were solved, with N(d1) at their own vols."""
    quotes = surface.quotes
    rows = quotes[(quotes["time_to_expiry"] * 365).round() == days]
    rows = rows[(rows["is_call"] == is_call) & rows["exclusion"].isna() & rows["vol_mid"].notna()]
    root = rows["vol_mid"] * np.sqrt(rows["time_to_expiry"])
    return rows.assign(own=ndtr(root / 2 - rows["log_moneyness"] / root))


def test_the_nearest_expiry_is_the_nearest_that_passes(quotes: pd.DataFrame, surface: Surface) -> None:
    for days, wanted in ((60, 70), (76, 70), (78, 84), (90, 84), (92, 98), (400, 98)):
        number = nearest_expiry(surface, CALL, days)
        assert number is not None
        assert surface.expiries_at(CALL, [number])["days"].iloc[0] == pytest.approx(wanted)
    # a tie goes to the earlier
    assert nearest_expiry(surface, CALL, 77.0) == nearest_expiry(surface, CALL, 70.0)
    near = quotes["expiry"] == sorted(quotes["expiry"].unique())[1]
    sparse = fit_surface(quotes[~near | (quotes["strike"] % 100 == 0)], settings=Settings(rate=0.04))
    number = nearest_expiry(sparse, CALL, 84)
    assert number is not None
    assert sparse.expiries_at(CALL, [number])["days"].iloc[0] == pytest.approx(70)  # a tie once more
    assert nearest_expiry(sparse, Point("delta", 0.001), 84) is None


@pytest.mark.parametrize(("point", "is_call"), [(CALL, True), (PUT, False), (Point("delta", 0.4), True)])
def test_the_option_nearest_in_delta_has_its_mid_vol(surface: Surface, point: Point, is_call: bool) -> None:
    number = nearest_expiry(surface, point, 84)
    assert number is not None
    lines = lines_at(surface, 84, is_call=is_call)
    best = lines.iloc[(lines["own"] - point.value).abs().to_numpy().argmin()]
    found = listed_vol(surface, point, number)
    assert found.vol == best["vol_mid"]
    side = "call" if is_call else "put"
    assert found.words == f"2026-10-02 {side} {best['strike']:g}, delta {best['own']:.3f}"


def test_a_vendors_vols_and_deltas_are_its_own(quotes: pd.DataFrame) -> None:
    """By hand: the vendor calls the 560 call 0.25, and has 0.1999 as its vol."""
    told = quotes.assign(vendor_vol=np.nan, vendor_delta=np.nan)
    strikes = {550.0: (0.2050, 0.31), 560.0: (0.1999, 0.25), 570.0: (0.1950, 0.18)}
    for strike, (vol, delta) in strikes.items():
        mine = (told["strike"] == strike) & told["is_call"]
        told.loc[mine, ["vendor_vol", "vendor_delta"]] = [vol, delta]
    puts = (told["strike"] == 480.0) & ~told["is_call"].astype(bool)
    told.loc[puts, ["vendor_vol", "vendor_delta"]] = [0.26, -0.24]
    surface = fit_surface(told, settings=Settings(rate=0.04))
    number = nearest_expiry(surface, CALL, 84)
    assert number is not None
    found = listed_vol(surface, CALL, number, vols="vendor", deltas="vendor")
    assert found == (0.1999, "2026-10-02 call 560, the vendor's delta 0.250")
    solved = lines_at(surface, 84, is_call=True).set_index("strike")
    assert listed_vol(surface, CALL, number, deltas="vendor").vol == solved["vol_mid"].to_dict()[560.0]
    assert listed_vol(surface, PUT, number, vols="vendor", deltas="vendor").vol == 0.26
    # our deltas pick an option of which the vendor says nothing
    ours = listed_vol(surface, CALL, number)
    strike = float(ours.words.split()[2].rstrip(","))
    silent = listed_vol(surface, CALL, number, vols="vendor")
    if strike in strikes:
        assert silent.vol == strikes[strike][0]
    else:
        assert math.isnan(silent.vol)
        assert silent.words.startswith("the file has no vendor's vol of 2026-10-02 call")


def test_no_option_near_the_delta_is_told(surface: Surface) -> None:
    number = nearest_expiry(surface, CALL, 84)
    assert number is not None
    nothing = listed_vol(surface, CALL, number, vols="vendor", deltas="vendor")
    assert math.isnan(nothing.vol)
    assert nothing.words == "no call of 2026-10-02 has the vendor's delta within 0.1 of 0.25"


def test_a_spot_delta_is_held_against_spot_deltas(
    qqq_like: Any, make_chain: Callable[..., pd.DataFrame]
) -> None:
    """At a yield of 40 % a year the two kinds of delta pick other strikes."""
    from dataclasses import replace

    chain = make_chain(replace(qqq_like, carry=-0.36), days=(84, 98), width=0.5)
    own = fit_surface(chain, settings=Settings(rate=0.04))
    spot = own.under(delta_convention="spot")
    number = nearest_expiry(own, CALL, 84)
    assert number is not None
    lines = lines_at(own, 84, is_call=True)
    factor = math.exp(-0.40 * 84 / 365)
    best = lines.iloc[(lines["own"] - 0.25 / factor).abs().to_numpy().argmin()]
    found, ours = listed_vol(spot, CALL, number), listed_vol(own, CALL, number)
    assert found.vol == best["vol_mid"]
    assert found.vol != ours.vol
