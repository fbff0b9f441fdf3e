from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from volskew.errors import InputError
from volskew.quotes.encodings import to_utf8
from volskew.quotes.headers import normalise, split_line
from volskew.quotes.text import TextTable, read_table

HEADER = ("a", "b", "c")


def read(body: str, *, header: tuple[str, ...] = HEADER, delimiter: str = ",") -> TextTable:
    return read_table(
        (delimiter.join(header) + "\n" + body).encode(),
        label="x.csv",
        columns=range(len(header)),
        repeated=(0,),
        header=header,
        delimiter=delimiter,
    )


def cells(table: TextTable) -> list[list[str | None]]:
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns.values()), strict=True)]


def test_plain_lines() -> None:
    table = read("1,2,3\n4,5,6")
    assert cells(table) == [["1", "2", "3"], ["4", "5", "6"]]
    assert table.rows.tolist() == [2, 3]
    assert table.ragged == ()


def test_ragged_lines_stay_as_nulls_where_they_stood() -> None:
    table = read("1,2,3\n4,5\n6,7,8\n9,10,11,12\n13,14,15\n")
    assert cells(table) == [["1", "2", "3"], [None] * 3, ["6", "7", "8"], [None] * 3, ["13", "14", "15"]]
    assert table.rows.tolist() == [2, 3, 4, 5, 6]
    assert table.ragged == ((3, 2, 3), (5, 4, 3))


def test_blank_lines_are_no_lines_but_are_counted_in_row_numbers() -> None:
    table = read("\n1,2,3\n\n   \n4,5\n\n6,7,8\n\n\n")
    assert table.rows.tolist() == [3, 6, 8]
    assert cells(table) == [["1", "2", "3"], [None] * 3, ["6", "7", "8"]]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(end: str) -> None:
    table = read_table(
        end.join(["a,b,c", "1,2,3", "", "4,5,6"]).encode(), label="x", columns=[0, 2], header=HEADER
    )
    assert table.rows.tolist() == [2, 4]
    assert [column.to_pylist() for column in table.columns.values()] == [["1", "4"], ["3", "6"]]


def test_a_header_repeated_by_joining_files_is_no_line() -> None:
    table = read("1,2,3\na,b,c\n4,b,6\n")
    assert cells(table) == [["1", "2", "3"], ["4", "b", "6"]]
    assert table.rows.tolist() == [2, 4]


def test_a_stray_quote_does_not_swallow_the_lines_after_it() -> None:
    table = read('1,"2,3\n4,5,6\n7,8,9\n')
    assert cells(table) == [["1", '"2', "3"], ["4", "5", "6"], ["7", "8", "9"]]
    assert cells(read('1,"2,5",3\n')) == [["1", "2,5", "3"]]


def test_mostly_ragged_is_refused_with_its_first_line() -> None:
    with pytest.raises(InputError, match=r"x.csv, row 2: 12 of 13 lines .* Accepted: 3 fields"):
        read("1;2;3\n" * 12 + "1,2,3\n")
    with pytest.raises(InputError, match="1 of 1 lines"):
        read("1;2\n")
    assert len(read("1;2;3\n" * 9 + "1,2,3\n").rows) == 10


@pytest.mark.parametrize("body", ["", "\n", "\n\n  \n", "a,b,c\n"])
def test_a_header_alone_is_empty(body: str) -> None:
    with pytest.raises(InputError, match="no lines under it") as caught:
        read(body)
    assert caught.value.code == "EMPTY"


def test_nulls_are_not_made_of_words() -> None:
    assert cells(read("NA,NULL,TRUE\n,nan,\n")) == [["NA", "NULL", "TRUE"], ["", "nan", ""]]


@pytest.mark.parametrize(
    ("line", "delimiter"), [("a,b,c", ","), ("a;b;c", ";"), ("a\tb", "\t"), ("a|b", "|"), ('"a","b"', ",")]
)
def test_delimiters(line: str, delimiter: str) -> None:
    assert split_line(line) == (delimiter, [name for name in "abc" if name in line])


def test_names_are_compared_without_their_dress() -> None:
    assert normalise("\u00a0[Open Interest]") == normalise("openInterest") == "openinterest"
    assert normalise("IV %") == "iv%"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_with_a_mark(encoding: str) -> None:
    text = "symbol,bid\nQQQ\u20ac,1\n"
    data = text.encode(encoding)
    if encoding in {"utf-16-le", "utf-16-be"}:
        with pytest.raises(InputError, match="UTF-16 without a byte-order mark"):
            to_utf8(data, label="x")
    else:
        assert to_utf8(data, label="x") == (text.encode(), False)


def test_western_text_is_taken_and_said() -> None:
    data = "name,bid\n" + "Soci\u00e9t\u00e9 and a good deal of plain text,1\n" * 3
    assert to_utf8(data.encode("cp1252"), label="x") == (data.encode(), True)
    with pytest.raises(InputError, match=r"x: not UTF-8 \(byte 0xe9 at offset 0\)"):
        to_utf8(("\u00e9" * 50).encode("cp1252"), label="x")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", bytes(range(32)) * 4, b"a,b\n1,\x00\x00\n"])
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not a text file"):
        to_utf8(data, label="x")


def test_damaged_utf_16() -> None:
    with pytest.raises(InputError, match="damaged UTF-16"):
        to_utf8("a,b".encode("utf-16")[:-1], label="x")
    assert to_utf8("a,b".encode("utf-16")[:-1], label="x", partial=True) == (b"a,", False)


@given(st.lists(st.lists(st.text(alphabet='a1,;" .\u00e9', max_size=4), min_size=1, max_size=4), max_size=9))
@example([["a", "a", "a"]])
@example([["a", "a", "1", ""], ["", "", "", " "]])
@example([["a", "a", "1", ""], ["a", "1", "1"]])
@settings(max_examples=50, deadline=None)  # a busy machine is no failure
def test_every_line_written_is_accounted_for(lines: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(lines)
    text = file.getvalue()
    # The slow twin: Python's own reader, line by line.
    wanted = [next(csv.reader([line])) for line in text.split("\n") if line.strip()]
    wanted = [row for row in wanted if row != list(HEADER)]
    if wanted and all(len(row) == len(HEADER) + 1 and not row[-1].strip() for row in wanted):
        wanted = [row[:-1] for row in wanted]  # every line ends in a delimiter
    try:
        table = read(text)
    except InputError as error:
        assert error.code == "EMPTY" or not any(len(row) == len(HEADER) for row in wanted)  # noqa: PT017
        return
    expected = [row if len(row) == len(HEADER) else [None] * len(HEADER) for row in wanted]
    assert cells(table) == expected
