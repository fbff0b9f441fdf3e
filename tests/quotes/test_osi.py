from __future__ import annotations

import datetime as dt
import re

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.quotes.osi import looks_like_osi, parse_osi

Row = tuple[str, dt.date, bool, float] | None


def twin(text: str | None) -> Row:
    """One symbol at a time, with a pattern and the standard library's calendar."""
    found = re.fullmatch(
        r"\s*(?:O:|\.)?(?P<root>[A-Z0-9]{1,6}?)\s*(\d{6})([CP])(\d{8})\s*", text or "", re.ASCII
    )
    if not found or not re.search("[A-Z]", found["root"]):
        return None
    try:
        date = dt.datetime.strptime("20" + found[2], "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None
    return (found["root"], date, found[3] == "C", int(found[4]) / 1000) if int(found[4]) else None


def rows(symbols: list[str | None]) -> list[Row]:
    found = parse_osi(symbols).to_pylist()
    return [
        None if row["root"] is None else (row["root"], row["expiration"], row["is_call"], row["strike"])
        for row in found
    ]


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("QQQ240119C00400000", ("QQQ", dt.date(2024, 1, 19), True, 400.0)),
        ("QQQ   240119P00400500", ("QQQ", dt.date(2024, 1, 19), False, 400.5)),
        ("O:SPXW260821C07000000", ("SPXW", dt.date(2026, 8, 21), True, 7000.0)),
        (".IWM240229P00033330", ("IWM", dt.date(2024, 2, 29), False, 33.33)),
        ("QQQ1240119C00400000", ("QQQ1", dt.date(2024, 1, 19), True, 400.0)),
        ("2QQQ240119C00400000", ("2QQQ", dt.date(2024, 1, 19), True, 400.0)),
        ("BRKB  991231C00000001", ("BRKB", dt.date(2099, 12, 31), True, 0.001)),
        ("QQQ230229C00400000", None),  # no such day
        ("QQQ241301C00400000", None),
        ("QQQ240100C00400000", None),
        ("QQQ240119C00000000", None),  # no strike
        ("QQQ240119X00400000", None),
        ("QQQ240119C0040000", None),
        ("240119C00400000", None),  # no root
        ("123240119C00400000", None),  # a root without a letter
        ("TOOLONG240119C00400000", None),
        ("qqq240119c00400000", None),
        ("QQQ", None),
        ("", None),
        (None, None),
    ],
)
def test_symbols_are_read_from_the_right(symbol: str | None, expected: Row) -> None:
    assert rows([symbol]) == [expected]
    assert twin(symbol) == expected


ROOTS = st.text(alphabet="ABQSX019 .", min_size=0, max_size=7)
SYMBOLS = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["", "O:", ".", " "]),
    ROOTS,
    st.sampled_from(["", "   "]),
    st.integers(0, 999999).map("{:06d}".format)
    | st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)).map(lambda d: f"{d:%y%m%d}"),
    st.sampled_from("CPX"),
    st.integers(0, 99_999_999).map("{:08d}".format),
)


@settings(max_examples=50)
@given(st.lists(st.none() | SYMBOLS | st.text(max_size=22), min_size=1, max_size=40))
def test_agrees_with_a_plain_parser_on_any_text(symbols: list[str | None]) -> None:
    assert rows(symbols) == [twin(symbol) for symbol in symbols]


@given(
    root=st.from_regex(r"[A-Z]{1,5}[0-9]?", fullmatch=True),
    date=st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
    is_call=st.booleans(),
    thousandths=st.integers(1, 99_999_999),
)
@settings(max_examples=50)
def test_written_symbols_read_back(root: str, date: dt.date, is_call: bool, thousandths: int) -> None:
    tail = f"{date:%y%m%d}{'C' if is_call else 'P'}{thousandths:08d}"
    expected = (root, date, is_call, thousandths / 1000)
    assert rows([root + tail, root.ljust(6) + tail]) == [expected, expected]


@given(
    st.lists(
        st.from_regex(r"( ?(O:|[.])?[A-Z0-9]{1,6} {0,5})[0-9]{6}[CP][0-9]{8} ?", fullmatch=True),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 3),
)
def test_files_of_regular_symbols_are_read_by_place(symbols: list[str], first: int) -> None:
    """Nearly all of these have the form, so that whole lists are read without the pattern."""
    assert rows([*symbols]) == [twin(symbol) for symbol in symbols]
    table = parse_osi(pa.array(["x" * first, *symbols])[1:])  # an array that begins inside its buffers
    assert table.to_pylist() == parse_osi(symbols).to_pylist()
    good: list[str | None] = [symbol for symbol in symbols if twin(symbol)]
    assert rows(good) == [twin(symbol) for symbol in good]


def test_arrow_pandas_and_dictionaries_are_taken() -> None:
    symbols = ["QQQ240119C00400000", None, "nonsense"]
    plain = parse_osi(symbols)
    assert parse_osi(pd.Series(symbols, dtype="str")).equals(plain)
    assert parse_osi(pa.array(symbols).dictionary_encode()).equals(plain)
    assert parse_osi(pa.chunked_array([symbols[:1], symbols[1:]])).equals(plain)
    assert parse_osi([]).num_rows == 0


def test_tickers_are_told_from_option_symbols() -> None:
    assert looks_like_osi(["QQQ240119C00400000", "", "QQQ240119P00400000"])
    assert not looks_like_osi(["QQQ", "IWM", "QQQ240119C00400000"])
    assert not looks_like_osi([])
