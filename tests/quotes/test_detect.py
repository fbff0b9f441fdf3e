from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from volskew.errors import InputError, NotAChainError
from volskew.quotes import describe, read_chain, read_file, sniff

CHAIN = b"date,symbol,expiry,strike,right,bid,ask\n2026-03-10,ABC,2026-06-18,500,C,1,2\n"


def put(folder: Path, data: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_table_that_no_reader_knows_is_shown_with_what_was_missing(tmp_path: Path) -> None:
    path = put(tmp_path, b"date,symbol,expiry,strike,right,price\n2026-03-10,ABC,2026-06-18,500,C,1\n")
    with pytest.raises(NotAChainError) as caught:
        read_chain(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: no reader of option chains takes it")
    assert "header seen: date, symbol, expiry, strike, right, price" in text
    assert "nearest formats: generic lacks bid and ask (bid, ask) or an implied vol (vendor_vol; " in text
    assert "--format NAME" in text
    assert "--columns field=column" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("header", "row", "hint"),
    [
        ("date,symbol,iv30", "2026-03-10,ABC,0.2", "volskew import"),
        ("Date,Ticker,Implied Vol", "2026-03-10,ABC,0.2", "volskew import"),
        ("observation_date,DGS3MO,DGS1", "2026-03-10,4.3,4.1", "--rates"),
        ('Date,"1 Mo","1.5 Month","3 Mo"', "03/10/2026,4.3,4.2,4.1", "--rates"),
        ("DATE,OPEN,HIGH,LOW,CLOSE", "03/10/2026,20,21,19,20", "volskew rank-series"),
        ("date,symbol,open,high,low,close,volume", "2026-03-10,ABC,20,21,19,20,9", "--prices"),
        ("Date,Dividends", "2026-03-10 00:00:00-04:00,0.7", "--dividends"),
        ("symbol,type,ex_date,amount", "ABC,Cash,2026-03-10,0.7", "--dividends"),
        ("Ex/EFF DATE,Type,Cash Amount,Payment Date", "03/10/2026,Cash,$0.7,N/A", "--dividends"),
        ("Date,Open,High,Low,Close,Volume,Dividends", "2026-03-10,1,1,1,1,9,0.0", "--dividends"),
        ("date,symbol,volume", "2026-03-10,ABC,7", "volskew rank-series"),  # no vol in "volume"
    ],
)
def test_dated_tables_without_strikes_are_told_what_they_are_for(
    tmp_path: Path, header: str, row: str, hint: str
) -> None:
    path = put(tmp_path, f"{header}\n{row}\n".encode())
    with pytest.raises(NotAChainError, match=re.escape(f"`{hint} {path}")) as caught:
        read_chain(path)
    assert caught.value.code == "NOT_A_CHAIN"


OWN = {
    "history": "series,date,symbol,measure,tenor,delta,value,error,forward,expiry_before,expiry_after,"
    "n_quotes,method,flags,snapshot_time,method_version,known_at,source",
    "rankings": "as_of,series,pair,measure,tenor,delta,form,window,value_a,error_a",
    "ledger": "date,symbol,stage,code,count,detail,source",
    "labelled": "symbol,expiry,strike,is_call,bid,ask,source_file,source_row,exclusion,flags,used_in_smile",
    "vols": "symbol,expiry,strike,is_call,bid,ask,vol_bid,vol_mid,vol_ask,vol_status",
    "forwards": "symbol,snapshot_time,root,settlement,expiry,forward,forward_error,discount_factor",
}


@pytest.mark.parametrize("name", OWN)
def test_tables_that_volskew_writes_are_skipped(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, f"{OWN[name]}\n1\n".encode())
    with pytest.raises(NotAChainError, match="written by volskew itself") as caught:
        read_chain(path)
    assert caught.value.code == "SKIPPED"
    assert describe(path).code == "SKIPPED"


HOSTILE = {
    "empty": (b"", "EMPTY"),
    "blank": (b"\n \n\n", "EMPTY"),
    "header only": (CHAIN.split(b"\n")[0], "EMPTY"),
    "binary": (bytes(range(256)) * 20, "UNREADABLE"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "UNREADABLE"),
    "utf-16 without a mark": (CHAIN.decode().encode("utf-16-le"), "UNREADABLE"),
    "truncated gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b", "UNREADABLE"),
    "not a zip": (b"PK\x03\x04 and nothing more", "UNREADABLE"),
    "parquet cut short": (b"PAR1" + bytes(40), "UNREADABLE"),
    "arrow": (b"ARROW1\x00\x00rest", "NOT_A_CHAIN"),
    "no header": (b"2026-03-10,ABC,2026-06-18,500,C,1,2\n" * 3, "NOT_A_CHAIN"),
    "prose": (b"Dear reader, this is no table.\n", "NOT_A_CHAIN"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "NOT_A_CHAIN"),
    "json list": (b"[1, 2, 3]", "NOT_A_CHAIN"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_give_one_clear_line(tmp_path: Path, name: str) -> None:
    data, code = HOSTILE[name]
    path = put(tmp_path, data)
    with pytest.raises(InputError) as caught:
        read_file(path)
    assert caught.value.code == code
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    if name != "header only":  # whether lines follow is seen on reading
        found = describe(path)
        assert (found.format, found.code, found.is_chain) == ("not a chain", code, False)
        assert found.why == str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    assert len(read_chain(put(tmp_path, CHAIN.decode().encode(encoding)))) == 1


def test_an_archive_is_described_member_by_member(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("b.csv", CHAIN)
        archive.writestr("a.csv", b"x,y\n1,2\n")
    found = describe(put(tmp_path, file.getvalue(), "a.zip"))
    assert (found.format, found.is_chain, found.why) == (
        "archive",
        True,
        "archive of 2 files, 1 of them chains",
    )
    assert [(item.path.rpartition(":")[2], item.format) for item in found.members] == [
        ("a.csv", "not a chain"),
        ("b.csv", "generic"),
    ]
    assert found.members[1].header[:2] == ("date", "symbol")


def test_bytes_are_recognised_too(tmp_path: Path) -> None:
    assert sniff(CHAIN).name == "generic"
    assert sniff(put(tmp_path, CHAIN)).name == "generic"
    with pytest.raises(NotAChainError, match="cboe_quotedata lacks"):
        sniff(CHAIN, format="cboe_quotedata")
    assert describe(tmp_path / "none").code == "NOT_FOUND"


def test_comment_lines_and_blank_lines_above_the_header(tmp_path: Path) -> None:
    quotes = read_chain(put(tmp_path, b"\n# made up\n" + CHAIN))
    assert quotes["source_row"].tolist() == [4]
