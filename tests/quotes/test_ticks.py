"""Times of ticks as integers, without an object for each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from volskew.errors import InputError
from volskew.quotes.times_ns import NEVER, nanoseconds

MOMENT = 1704314699152806850  # 2024-01-03T20:44:59.152806850Z


def read(cells: pa.Array, zone: str = "UTC") -> list[int | None]:
    rows = np.arange(2, len(cells) + 2)
    found = nanoseconds(cells, zone=zone, label="a.csv", column="t", rows=rows)
    return [None if value == NEVER else int(value) for value in found]


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([MOMENT, None]),
        pa.array([MOMENT, 2**64 - 1], type=pa.uint64()),
        pa.array([str(MOMENT), ""]),
        pa.array([str(MOMENT), str(2**64 - 1)]),
        pa.array([str(MOMENT), "soon"]).dictionary_encode(),
        pa.array(["2024-01-03T20:44:59.152806850Z", ""]),
        pa.array(["2024-01-03 20:44:59.152806850+00:00", "2024-13-03"]),
        pa.array([MOMENT, None], type=pa.timestamp("ns", "UTC")),
        pa.array([MOMENT, None], type=pa.timestamp("ns")),
    ],
)
def test_every_spelling_to_the_nanosecond(cells: pa.Array) -> None:
    assert read(cells) == [MOMENT, None]


def test_times_without_a_zone_are_of_the_one_stated() -> None:
    local = ["2024-01-03T15:45:00.5", "2024-07-03T15:45:00.5"]  # winter, then summer
    utc = ["2024-01-03T20:45:00.5Z", "2024-07-03T19:45:00.5Z"]
    assert read(pa.array(local), "America/New_York") == read(pa.array(utc), "America/New_York")
    typed = pa.array(np.array(local, dtype="datetime64[ns]"))
    assert read(typed, "America/New_York") == read(pa.array(utc))


def test_no_time_at_all_is_refused_with_the_first_cell() -> None:
    with pytest.raises(InputError, match=r"a.csv, row 3, column 't': no time, as in every line: '17:00'"):
        read(pa.array([None, "17:00"]))


@pytest.mark.parametrize("other", ["2024-01-03T20:44:59.152806850", "soon", ""])
def test_one_cell_of_another_spelling_late_in_a_column(other: str) -> None:
    zoned = "2024-01-03T20:44:59.152806850Z"
    found = read(pa.array([zoned] * 150 + [other]))
    assert found == [MOMENT] * 150 + [MOMENT if other.endswith("0") else None]
