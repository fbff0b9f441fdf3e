"""Exchanged sides are refused in words; noise, wide markets and few lines never are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_files import shapes
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import read_file
from volskew.quotes.swaps import Sides, swapped

DAY = 86_400 * 10**6
AT = 1_704_315_600 * 10**6
"""2024-01-03 21:00 UTC, the close [us]."""


def lines(
    *,
    strikes: np.ndarray,
    expiries: int = 3,
    noise: float = 0.0,
    spread: float = 0.1,
    kept: float = 1.0,
    seed: int = 0,
    forward: float = 100.0,
) -> Sides:
    """Calls and puts that obey parity up to `noise` [$], some of them missing."""
    draw = np.random.default_rng(seed)
    grid = np.array([(e, k, c) for e in range(expiries) for k in strikes for c in (0.0, 1.0)])
    grid = grid[draw.random(len(grid)) < kept]
    expiry = AT + (7 + 28 * grid[:, 0]).astype(np.int64) * DAY
    strike, is_call = grid[:, 1], grid[:, 2]
    ahead = np.where(is_call == 1, forward - strike, strike - forward)
    mid = np.maximum(ahead, 0) + 4 * np.exp(-((ahead / 15) ** 2)) + noise * draw.normal(size=len(grid))
    half = np.abs(spread * mid * draw.random(len(grid))) / 2
    vol = 0.2 + 0.001 * (forward - strike)
    return Sides(
        expiry=expiry,
        is_call=is_call,
        strike=strike,
        bid=np.maximum(mid - half, 0),
        ask=mid + half + 0.01,
        vendor_vol=vol,
        vendor_delta=np.where(is_call == 1, 0.5, -0.5),
        underlying_price=np.full(len(grid), forward),
    )


LADDER = np.arange(80.0, 121.0, 5.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), times=st.integers(1, 3), exchanged=st.booleans())
def test_the_order_of_lines_and_their_repeats_do_not_matter(
    seed: int, times: int, *, exchanged: bool
) -> None:
    good = lines(strikes=LADDER, kept=0.9, seed=seed)
    chain = good._replace(is_call=1 - good.is_call) if exchanged else good
    found = swapped(chain, at=AT, by_vendor=True)
    shuffled = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(good.strike)), times))
    again = swapped(chain.among(shuffled), at=AT, by_vendor=True)
    assert (again and again.problem) == (found and found.problem)


def test_a_good_chain_has_no_symptom() -> None:
    assert swapped(lines(strikes=LADDER), at=AT, by_vendor=True) is None


def test_calls_for_puts() -> None:
    good = lines(strikes=LADDER)
    found = swapped(good._replace(is_call=1 - good.is_call), at=AT, by_vendor=False)
    assert found is not None
    assert "calls and puts seem exchanged: call less put rises with the strike" in found.problem
    assert found.line is not None
    assert good.strike[found.line] == 80.0
    assert "here from -20.00 at 80 to 0.00 at 100" in found.problem


def test_calls_for_puts_told_by_deltas_where_nothing_is_quoted() -> None:
    good = lines(strikes=LADDER)
    nothing = np.full(len(good.bid), np.nan)
    vols = good._replace(bid=nothing, ask=nothing)
    assert swapped(vols, at=AT, by_vendor=True) is None
    found = swapped(vols._replace(is_call=1 - good.is_call), at=AT, by_vendor=True)
    assert found is not None
    assert "27 of 27 calls have a delta below 0, here -0.5" in found.problem
    unsigned = vols._replace(vendor_delta=np.abs(good.vendor_delta))
    assert swapped(unsigned, at=AT, by_vendor=True) is None


def test_asks_for_bids() -> None:
    good = lines(strikes=LADDER)
    found = swapped(good._replace(bid=good.ask, ask=good.bid), at=AT, by_vendor=False)
    assert found is not None
    assert "the ask is below the bid on 54 of 54 lines" in found.problem
    half = good.expiry > good.expiry.min() + 30 * DAY  # one expiry of three
    some = good._replace(bid=np.where(half, good.ask, good.bid), ask=np.where(half, good.bid, good.ask))
    assert swapped(some, at=AT, by_vendor=False) is None


def test_vols_that_no_forward_reconciles() -> None:
    good = lines(strikes=np.arange(90.0, 111.0, 2.0))
    percent = good._replace(vendor_vol=np.where(good.is_call == 1, 100 * good.vendor_vol, good.vendor_vol))
    found = swapped(percent, at=AT, by_vendor=True)
    assert found is not None
    assert "vols of calls and puts differ by a factor of 100.0 in the median" in found.problem
    assert swapped(percent, at=AT, by_vendor=False) is None  # they are not what is read
    # a spot 1 % off: 12 % and 46 % in a week, which a forward of its own mends
    years = (good.expiry - AT) / (365 * DAY)
    off = 0.01 / (0.4 * np.sqrt(years))
    stale = good._replace(vendor_vol=0.29 + np.where(good.is_call == 1, -off, off) / 2)
    assert swapped(stale, at=AT, by_vendor=True) is None


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(1, 40),
    step=st.sampled_from([0.5, 1.0, 2.5, 5.0]),
    expiries=st.integers(1, 6),
    # noise of half a strike's distance on every mid is far beyond any market
    noise=st.floats(0.0, 0.5),
    spread=st.floats(0.0, 1.99),
    kept=st.floats(0.1, 1.0),
    seed=st.integers(0, 10_000),
)
def test_noisy_wide_and_sparse_chains_are_never_refused(
    n: int, step: float, expiries: int, noise: float, spread: float, kept: float, seed: int
) -> None:
    ladder = 100 + step * (np.arange(n) - n // 2)
    chain = lines(strikes=ladder, expiries=expiries, noise=noise * step, spread=spread, kept=kept, seed=seed)
    assert swapped(chain, at=AT, by_vendor=False) is None
    assert swapped(chain, at=AT, by_vendor=True) is None


def test_what_is_too_little_to_tell_is_not_judged() -> None:
    few = lines(strikes=np.array([95.0, 105.0]), expiries=1)
    turned = few._replace(is_call=1 - few.is_call, bid=few.ask, ask=few.bid)
    assert swapped(turned, at=AT, by_vendor=True) is None
    none = few._replace(strike=few.strike * np.nan)
    assert swapped(none, at=AT, by_vendor=True) is None


def written(folder: Path, frame: pd.DataFrame) -> Path:
    path = folder / "chain.csv"
    columns = ["date", "symbol", "expiry", "strike", "is_call", "bid", "ask", "underlying_price"]
    frame[columns].to_csv(path, index=False)
    return path


def test_a_file_is_refused_with_an_example(tmp_path: Path) -> None:
    frame = board(strikes=9)
    turned = frame.assign(is_call=~frame["is_call"])
    with pytest.raises(InputError, match="calls and puts seem exchanged") as caught:
        read_file(written(tmp_path, turned))
    assert caught.value.code == "BAD_UNITS"
    assert caught.value.row is not None
    assert "Accepted: calls as calls and puts as puts" in str(caught.value)
    exchanged = frame.rename(columns={"bid": "ask", "ask": "bid"})
    with pytest.raises(InputError, match="bid and ask seem exchanged") as caught:
        read_file(written(tmp_path, exchanged))
    assert "0 below" not in str(caught.value)
    row = pd.read_csv(written(tmp_path, exchanged)).iloc[(caught.value.row or 0) - 2]
    assert f"{row['ask']:g} below {row['bid']:g}" in caught.value.problem


def test_a_day_that_is_turned_round_does_not_cost_the_others(tmp_path: Path) -> None:
    frame = board(strikes=9, days=3)
    wrong = frame["date"] == frame["date"].iloc[-1]
    turned = frame.assign(is_call=frame["is_call"] ^ wrong)
    (reading,) = read_file(written(tmp_path, turned))
    (entry,) = reading.entries
    assert entry.code == "BAD_UNITS"
    assert "(row " in entry.detail
    assert entry.count == wrong.sum()
    assert len(reading.quotes) == (~wrong).sum()


@pytest.mark.parametrize("name", ["generic", *shapes()])
def test_boards_in_every_vendors_shape_pass(name: str, tmp_path: Path) -> None:
    frame = board(strikes=21, expiries=4)
    if name == "generic":
        paths = [written(tmp_path, frame)]
    else:
        shape = shapes()[name]
        paths = shape.write(frame, tmp_path)[: getattr(shape, "CHAINS", None)]
    for path in paths:
        for reading in read_file(path, format=getattr(shapes().get(name), "FORMAT", None)):
            assert not [entry for entry in reading.entries if entry.code == "BAD_UNITS"]
