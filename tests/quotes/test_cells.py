from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.quotes.cells import MISSING_TEXTS, Words, distinct_codes, numbers, positions, rights, texts
from volskew.quotes.moments import dates, moments


@pytest.mark.parametrize(
    ("text", "value", "bad"),
    [
        ("1.5", 1.5, False),
        ("-2", -2.0, False),
        (" 3 ", 3.0, False),
        (".5", 0.5, False),
        ("1e-5", 1e-5, False),
        ('"7"', 7.0, False),
        ("1,234.50", 1234.5, False),  # can be nothing but thousands
        ("1,234", None, True),  # could be a decimal comma
        ("1,5", None, True),
        ("abc", None, True),
        ("0x10", None, True),
        ("inf", None, True),
        ("1e999", None, True),
        ("5 x 9", None, True),
        ("\u0661", None, True),  # an Arabic digit
        *(
            (text, None, False)
            for text in (
                "",
                " ",
                "NA",
                "n/a",
                "NaN",
                "None",
                "null",
                "-",
                "--",
                ".",
                "unch",
                "#N/A",
                "1.#QNAN",
            )
        ),
    ],
)
def test_a_cell_is_a_number_missing_or_bad(text: str, value: float | None, bad: bool) -> None:
    for cells in (pa.array([text, "1"]), pa.array([text, "1"]).dictionary_encode()):
        found = numbers(cells)
        assert (None if np.isnan(found.data[0]) else found.data[0]) == value
        assert found.bad[0] == bad
        assert found.null[0] == (value is None)
        assert found.data[1] == 1.0


def test_counts_may_have_thousands_separators() -> None:
    assert numbers(pa.array(["1,234", "12,345,678"]), whole=True).data.tolist() == [1234.0, 12345678.0]
    assert numbers(pa.array(["1,23", "12,34,567"]), whole=True).bad.all()


def test_typed_columns_pass_as_they_are() -> None:
    assert numbers(pa.array([1, None, 3])).data.tolist()[::2] == [1.0, 3.0]
    assert numbers(pa.array([1, None, 3])).null.tolist() == [False, True, False]
    assert numbers(pa.nulls(2)).null.all()
    assert numbers(pa.array([dt.date(2026, 1, 2)])).bad.all()


@settings(max_examples=50)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    st.sampled_from(sorted(MISSING_TEXTS)),
)
def test_written_numbers_read_back_exactly_by_every_path(values: list[float], hole: str) -> None:
    text = [repr(value) for value in values]
    for padding in ([], [""], [hole, "rubbish"]):
        found = numbers(pa.array([*text, *padding]))
        assert found.data[: len(values)].tolist() == values
        assert found.null[len(values) :].all()
        assert found.bad.sum() == ("rubbish" in padding)


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-10", "20260710", "07/10/2026", "7/10/26", "2026/07/10", "Fri Jul 10 2026", "10-Jul-2026",
        "Jul 10, 2026", "10 Jul 2026", "20260710.0", "2026-07-10 00:00:00", "2026-07-10T00:00:00Z",
        "1783641600", "1783641600000", "1783641600000000000",
        "2026-07-10T20:00:00.000+00:00", "2026-07-10 16:15:00", "2026-07-10T23:59:00-04:00",
    ],
)  # fmt: skip
def test_spellings_of_one_date(text: str) -> None:
    assert dates(pa.array([text])).data[0] == np.datetime64("2026-07-10")


@pytest.mark.parametrize(
    "text", ["13/07/2026", "2026-02-30", "soon", "0", "46213", "1850-01-01", "9999-12-31", "2026-07"]
)
def test_what_is_no_date_is_bad(text: str) -> None:
    found = dates(pa.array([text, "2026-07-10"]))
    assert found.bad.tolist() == [True, False]
    assert found.null.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-07-10T16:14:59", "America/New_York", "2026-07-10T20:14:59"),
        ("2026-01-09 16:00:00", "America/New_York", "2026-01-09T21:00:00"),
        ("2026-07-10 20:14:59", "UTC", "2026-07-10T20:14:59"),
        ("2026-07-10 20:14:59+00:00", "America/New_York", "2026-07-10T20:14:59"),
        ("2026-07-10T16:14:59.123456789-04:00", "UTC", "2026-07-10T20:14:59.123456"),
        ("7/10/2026 4:14 PM", "America/New_York", "2026-07-10T20:14:00"),
        ("1783714499000", "America/New_York", "2026-07-10T20:14:59"),
    ],
)
def test_instants(text: str, zone: str, utc: str) -> None:
    found = moments(pa.array([text, None]), zone=zone)
    assert found.instants[0] == np.datetime64(utc)
    assert not found.dated[0]
    assert np.isnat(found.instants[1])
    assert not found.bad.any()


def test_typed_times() -> None:
    instant = dt.datetime(2026, 7, 10, 20, tzinfo=dt.UTC)
    zoned = pa.array([instant, None], type=pa.timestamp("ns", "UTC"))
    naive = pa.array([np.datetime64("2026-07-10T16:00", "ms"), None], type=pa.timestamp("ms"))
    for cells in (zoned, naive):
        found = moments(cells, zone="America/New_York")
        assert found.instants[0] == np.datetime64("2026-07-10T20:00")
        assert found.days[0] == np.datetime64("2026-07-10")
        assert np.isnat(found.instants[1])
    midnight = moments(pa.array([dt.date(2026, 7, 10)]), zone="UTC")
    assert midnight.dated.all()
    far = moments(
        pa.array([np.datetime64("1850-01-01", "us")], type=pa.timestamp("us")), zone="America/New_York"
    )
    assert far.bad.all()


def test_rights_and_texts() -> None:
    found = rights(pa.array(["C", "put", "Call", "P", "False", "x", "", None]))
    assert found.data.tolist()[:5] == [True, False, True, False, False]
    assert found.bad.tolist() == [False] * 5 + [True, False, False]
    assert found.null.tolist() == [False] * 5 + [True] * 3
    assert rights(pa.array([True, None])).null.tolist() == [False, True]
    assert texts(pa.array([" NA ", None, "TRUE"])).tolist() == ["NA", "", "TRUE"]


@given(values=st.lists(st.integers(-3, 3)), repeats=st.integers(1, 4))
def test_codes_of_distinct_values_are_those_of_numpy(values: list[int], repeats: int) -> None:
    column = np.repeat(np.array(values, dtype=np.int64), repeats)
    for kind in ("int64", "datetime64[us]", "datetime64[D]"):
        found, codes = distinct_codes(column.astype(kind))
        wanted, inverse = np.unique(column, return_inverse=True)
        assert found.dtype == kind
        assert found.astype(np.int64).tolist() == wanted.tolist()
        assert codes.tolist() == inverse.tolist()


def test_nulls_have_the_last_place_of_a_look_up() -> None:
    assert positions(pa.array(["a", None, "b", "a"]).dictionary_encode()).tolist() == [0, -1, 1, 0]
    assert positions(pa.array(["a", "b"]).dictionary_encode()).tolist() == [0, 1]


@pytest.mark.parametrize("names", [["QQQ"], ["QQQ", "IWM"]])
def test_words_become_text_when_they_are_asked_for(names: list[str]) -> None:
    words = Words(names, np.array([0, len(names) - 1, 0]))
    assert words.texts().tolist() == [names[0], names[-1], names[0]]
    assert words.cells().to_pylist() == words.texts().tolist()
    assert words[np.array([False, True, True])].texts().tolist() == [names[-1], names[0]]
    assert str(words.texts().dtype) == "str"
