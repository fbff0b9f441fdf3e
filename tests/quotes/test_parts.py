"""Which parts make one chain, by what they say of their moment and by the contracts they share."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from volskew.market.clock import session_of
from volskew.quotes.parts import Part, put_together

DAY, NEXT = dt.date(2024, 1, 3), dt.date(2024, 1, 4)


def at(clock: str, day: dt.date = DAY) -> pd.Timestamp:
    return pd.Timestamp(f"{day} {clock}", tz="America/New_York").tz_convert("UTC")


def part(
    contracts: tuple[int, int],
    newest: pd.Timestamp | None,
    *,
    quoted: bool = False,
    stated: bool = False,
    traded: int = 50,
    name_date: dt.date | None = None,
) -> Part:
    """A part of the contracts of a range; its newest time is of a quote or of a trade."""
    return Part.of(
        np.arange(*contracts, dtype=np.uint64),
        session=session_of(newest) if newest is not None else name_date or DAY,
        dated=None,
        moment=newest if quoted or stated else None,
        is_stated=stated,
        newest=newest,
        traded=traded,
        name_date=name_date,
    )


@pytest.mark.parametrize(("stated", "chains"), [(False, [[0, 1]]), (True, [[0], [1]])])
def test_stated_times_are_sharper_than_newest_quotes(stated: bool, chains: list[list[int]]) -> None:
    parts = [
        part((0, 100), at("15:00"), quoted=True, stated=stated),
        part((100, 200), at("15:20"), quoted=True, stated=stated),
    ]
    assert put_together(parts).chains == chains


def test_quotes_of_hours_apart_are_of_two_snapshots() -> None:
    parts = [part((0, 100), at("10:00"), quoted=True), part((100, 200), at("15:00"), quoted=True)]
    assert put_together(parts).chains == [[0], [1]]


@pytest.mark.parametrize(("shared", "chains"), [(5, [[0, 1]]), (6, [[0], [1]])])
def test_parts_may_overlap_at_the_seam(shared: int, chains: list[list[int]]) -> None:
    parts = [
        part((0, 100), at("15:00"), quoted=True),
        part((100 - shared, 200 - shared), at("15:00"), quoted=True),
    ]
    assert put_together(parts).chains == chains


def test_a_page_goes_to_the_snapshot_that_is_nearer_in_time() -> None:
    parts = [
        part((0, 100), at("15:00"), quoted=True),
        part((0, 100), at("15:30"), quoted=True),
        part((100, 200), at("15:31"), quoted=True),
        part((100, 200), at("15:01"), quoted=True),
    ]
    assert put_together(parts).chains == [[0, 3], [1, 2]]


@pytest.mark.parametrize(
    ("traded", "seen", "chains"),
    [
        (10, "15:59", [[0, 1]]),  # few trades: it may have been quiet since
        (11, "15:59", [[0], [1]]),
        (60, "10:00", [[0, 1]]),  # many, but the session had only begun
        (200, "10:00", [[0], [1]]),
    ],
)
def test_how_many_trades_cannot_stop(traded: int, seen: str, chains: list[list[int]]) -> None:
    parts = [part((0, 100), at("15:00"), traded=traded), part((100, 200), at(seen, NEXT))]
    assert put_together(parts).chains == chains


def test_a_name_with_a_date_far_ahead_speaks_of_an_expiry() -> None:
    parts = [
        part((place, place + 100), at("15:00"), quoted=True, name_date=expiry)
        for place, expiry in ((0, dt.date(2024, 1, 19)), (100, dt.date(2024, 2, 16)))
    ]
    assert put_together(parts).chains == [[0, 1]]


def test_downloads_of_two_days_that_hold_one_session_stay_apart() -> None:
    saturday = dt.date(2024, 1, 6)
    friday = saturday - dt.timedelta(days=1)
    parts = [
        part((place, place + 100), at("15:00", friday), quoted=True, name_date=name)
        for place, name in ((0, friday), (0, saturday), (100, friday), (100, saturday))
    ]
    assert put_together(parts).chains == [[0, 2], [1, 3]]


def test_what_says_nothing_of_its_day_is_of_that_of_its_name() -> None:
    parts = [
        part((0, 100), None, traded=0, name_date=NEXT),
        part((100, 200), at("15:00"), name_date=NEXT),
        part((100, 200), at("15:00", NEXT), name_date=dt.date(2024, 1, 5)),
    ]
    assert put_together(parts).chains == [[0, 1], [2]]


def test_the_order_of_pages_is_certain_and_that_of_files_is_not() -> None:
    parts = [
        part((0, 100), at("15:00")),
        part((200, 300), at("15:00", dt.date(2024, 1, 2)), traded=1),
        part((0, 100), at("15:00", NEXT)),
    ]
    assert put_together(parts, in_order=True).chains == [[0, 1], [2]]
    found = put_together(parts)
    assert found.chains == [[0], [2]]
    assert found.unplaced == {1: [[0], [2]]}


def test_a_part_that_came_twice_counts_with_the_first() -> None:
    ranges = ((0, 100), (100, 200), (200, 300), (100, 200))
    parts = [part(each, at(f"15:0{n}"), quoted=True) for n, each in enumerate(ranges)]
    assert put_together(parts).chains == [[0, 1, 2, 3]]
    assert put_together(parts[1::2]).chains == [[0], [1]]  # whole chains twice are two
