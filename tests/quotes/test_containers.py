from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from volskew.errors import InputError
from volskew.quotes.containers import Member, open_members

TEXT = b"".join(b"line %d of a file,with cells\n" % n for n in range(5000))


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def _packed(data: bytes, *, times: int) -> bytes:
    for _ in range(times):
        data = gzip.compress(data, mtime=0)  # a parameter's bytes are part of the test's name
    return data


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__dot__", "."), data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        gzip.compress(TEXT, mtime=0),
        gzip.compress(TEXT[:999], mtime=0) + gzip.compress(TEXT[999:], mtime=0),
        zstd(TEXT),
        zstd(TEXT[:999]) + zstd(TEXT[999:]),
        zstd(gzip.compress(TEXT, mtime=0)),
    ],
    ids=["plain", "gzip", "gzip of two members", "zstd", "zstd of two frames", "gzip in zstd"],
)
def test_content_decides_and_not_the_name(tmp_path: Path, data: bytes) -> None:
    for name in ("a.csv", "a.csv.gz", "a.zst", "a"):
        path = tmp_path / name
        path.write_bytes(data)
        (member,) = open_members(path)
        assert member.read() == TEXT
        assert member.head(100) == TEXT[:100]
        assert member.head(10**7) == TEXT


def test_archives_give_their_members_sorted(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "a.dat",
        **{"b.csv": TEXT, "d/a.csv.gz": gzip.compress(b"x"), "__MACOSX/b": b"", ".hidden": b"", "d/": b""},
    )
    members = open_members(path)
    assert [member.inner for member in members] == ["b.csv", "d/a.csv.gz"]
    assert [member.read() for member in members] == [TEXT, b"x"]
    assert members[1].label == f"{path}:d/a.csv.gz"
    assert members[1].name == "a.csv.gz"
    assert members[1].source == f"{tmp_path.name}/a.dat:d/a.csv.gz"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (gzip.compress(TEXT, mtime=0)[:-20], "truncated"),
        (zstd(TEXT)[:-20], "truncated"),
        (gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), "damaged compressed data"),
        (b"\x1f\x8b\x08", "truncated"),
        (gzip.compress(TEXT, mtime=0) + b"rest", "damaged compressed data"),
        (b"BZh91AY&SY", "bzip2 compression is not read"),
        (b"\xfd7zXZ\x00\x00", "xz compression is not read"),
        (_packed(b"x", times=4), "three times over"),
    ],
)
def test_damage_is_one_line(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=problem) as caught:
        open_members(path)[0].read()
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert caught.value.code == "UNREADABLE"


def test_damaged_archives(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a=TEXT, b=TEXT)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(InputError, match="damaged or truncated zip"):
        open_members(path)
    path.write_bytes(whole[:60] + b"\x00" * 30 + whole[90:])
    with pytest.raises(InputError):
        open_members(path)[0].read()
    with pytest.raises(InputError, match="holds no file"):
        open_members(zipped(tmp_path / "b.zip"))
    with pytest.raises(InputError, match="office document"):
        open_members(zipped(tmp_path / "c.xlsx", **{"[Content_Types].xml": b"", "xl/a": b""}))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file") as caught:
        open_members(tmp_path / "none")
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(InputError, match="a folder"):
        open_members(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(InputError, match="0 bytes") as caught:
        open_members(tmp_path / "empty")
    assert caught.value.code == "EMPTY"


def test_bytes_in_memory() -> None:
    member = Member(None, label="bytes", data=gzip.compress(TEXT, mtime=0))
    assert member.head(10) == TEXT[:10]
    assert member.read() == TEXT
    assert (member.name, member.source) == ("bytes", "bytes")


def test_two_members_of_one_name_are_both_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", b"second")
    assert [member.read() for member in open_members(path)] == [b"first", b"second"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    os.mkfifo(path)
    with pytest.raises(InputError, match="a pipe or device, where a file is wanted"):
        open_members(path)


def test_names_that_are_no_text_are_spelled_out(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.csv"))
    path.write_bytes(b"x")
    (member,) = open_members(path)
    assert member.label == f"{tmp_path}/a\\xff.csv"
    assert member.source == f"{tmp_path.name}/a\\xff.csv"


def test_data_that_inflate_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volskew.quotes.containers._HARMLESS", 2**20)
    monkeypatch.setattr("volskew.quotes.containers._PIECE", 2**19)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(2**22)))
    with pytest.raises(InputError, match="compressed more than 1000 times over"):
        open_members(path)[0].read()
