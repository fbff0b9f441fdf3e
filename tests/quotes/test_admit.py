"""Tables made by hand: taken where they can be meant in one way only, refused in words elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError
from volskew.quotes.admit import admitted
from volskew.quotes.schema import COLUMNS, conform

Change = Callable[[pd.DataFrame], Any]
TIMES = ("snapshot_time", "quote_time", "expiry")


@pytest.fixture
def quotes() -> pd.DataFrame:
    time = pd.Timestamp("2026-07-10 20:00", tz="UTC")
    return conform(
        pd.DataFrame(
            {
                "snapshot_time": time,
                "quote_time": time,
                "symbol": "QQQ",
                "root": "QQQ",
                "expiry": time + pd.Timedelta(days=91),
                "settlement": "PM",
                "exercise": "american",
                "strike": [500.0, 500.0, 505.0, 510.0],
                "is_call": [True, False, True, None],
                "bid": [10.1, 9.9, 7.5, np.nan],
                "ask": [10.2, 10.0, 7.6, 5.3],
                "source_file": "a.csv",
                "source_row": [2, 3, 4, 5],
            }
        )
    )


def test_a_canonical_table_is_handed_on_itself(quotes: pd.DataFrame) -> None:
    assert admitted(quotes) is quotes
    extra = quotes.assign(note="mine")
    assert admitted(extra) is extra


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("is_call", lambda q: q["is_call"].astype(object)),
        ("is_call", lambda q: q["is_call"].astype("Float64")),
        ("exercise", lambda q: q["exercise"].astype("category")),
        ("root", lambda q: q["root"].astype(object)),
        ("expiry", lambda q: q["expiry"].dt.tz_convert("America/New_York")),
        ("expiry", lambda q: q["expiry"].dt.as_unit("ns")),
        ("trade_time", lambda _: None),
        ("strike", lambda q: q["strike"].astype(int)),
        ("strike", lambda q: q["strike"].astype(str)),
        ("strike", lambda q: [Decimal(str(strike)) for strike in q["strike"]]),
        ("bid", lambda q: [Decimal(str(bid)) if bid == bid else None for bid in q["bid"]]),  # noqa: PLR0124
        ("volume", lambda _: None),
    ],
)
def test_what_says_the_same_is_taken(quotes: pd.DataFrame, column: str, change: Change) -> None:
    given = quotes.assign(**{column: change(quotes)})
    kept = given.copy()
    pd.testing.assert_frame_equal(admitted(given), quotes)
    pd.testing.assert_frame_equal(given, kept)


@pytest.mark.parametrize(
    ("column", "change", "told"),
    [
        ("is_call", lambda q: q["is_call"].map({True: "C", False: "P"}), r"'C'\. Accepted: booleans"),
        ("is_call", lambda _: "True", r"'True'\. Accepted: booleans"),
        ("is_call", lambda q: q["source_row"], r"2\)?\. Accepted: booleans"),
        ("exercise", lambda _: "EUROPEAN", r"'EUROPEAN'\. Accepted: american or european"),
        ("exercise", lambda _: None, r"null in line 1 .*american or european"),
        ("settlement", lambda _: "pm", r"'pm'\. Accepted: PM or AM"),
        *((name, lambda q: q["expiry"].dt.tz_localize(None), r"zone.*vs\.read_chain") for name in TIMES),
        *((name, lambda q: q["expiry"].astype(str), r"zone.*vs\.read_chain") for name in TIMES),
        *((name, lambda q: q["expiry"].dt.date, r"zone.*vs\.read_chain") for name in TIMES),
        ("snapshot_time", lambda _: pd.NaT, "null in line 1"),
        ("root", lambda _: ["QQQ", "QQQ", None, "QQQ"], "null in line 3"),
        ("source_file", lambda _: [None, "a", "a", "a"], "null in line 1"),
        ("root", lambda _: 5, r"5\)?\. Accepted: text"),
        ("strike", lambda _: ["500", "500", "50x", "510"], r"'50x'.*Accepted: numbers"),
        ("strike", lambda _: True, "Accepted: numbers"),
    ],
)
def test_what_could_be_taken_for_something_else_is_refused(
    quotes: pd.DataFrame, column: str, change: Change, told: str
) -> None:
    with pytest.raises(InputError, match=f"column '{column}'.*{told}"):
        admitted(quotes.assign(**{column: change(quotes)}))


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_a_missing_column_is_named(quotes: pd.DataFrame, column: str) -> None:
    with pytest.raises(InputError, match=f"lacks {column}"):
        admitted(quotes.drop(columns=column))


def test_a_column_twice_is_refused(quotes: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"column 'bid'.*more than once"):
        admitted(pd.concat([quotes, quotes[["bid"]]], axis=1))
