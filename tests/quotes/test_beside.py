"""The files beside a chain: found by what is in them, looked at once, and again where they changed."""

from __future__ import annotations

import os
import zipfile
from functools import partial
from pathlib import Path

import pytest

from volskew.quotes import beside
from volskew.quotes.beside import jobs_beside, members_beside
from volskew.quotes.containers import Member, open_members
from volskew.quotes.detect import read_head
from volskew.quotes.raw import Head, Job


def has_close(head: Head) -> bool:
    return "close" in head.normal


def job_of(path: Path, place: int = 0) -> Job:
    member = open_members(path)[place]
    return Job(member, read_head(member), beside=partial(members_beside, member))


def names(job: Job) -> list[str]:
    return [other.member.name for other in jobs_beside(job, has_close)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (
        *(("chain.csv", "strike,bid\n1,2\n"), ("prices.csv", "date,close\n2012-05-01,5\n")),
        *(("other.csv", "a,b\n1,2\n"), (".hidden.csv", "close\n1\n"), ("close.md", "close\n1\n")),
        *(("empty.csv", ""), ("more.csv.gz", "no gzip")),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_files_of_a_kind_are_found_by_their_beginnings(folder: Path) -> None:
    assert names(job_of(folder / "chain.csv")) == ["prices.csv"]
    assert names(job_of(folder / "prices.csv")) == []  # itself is not beside itself
    data = Member(None, label="bytes", data=b"strike,bid\n1,2\n")
    assert members_beside(data) == ()


def test_members_of_an_archive_have_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("chain.csv", "strike,bid\n1,2\n")
        archive.writestr("prices.csv", "date,close\n2012-05-01,5\n")
    (tmp_path / "outside.csv").write_text("close\n1\n", encoding="utf-8")
    assert names(job_of(path)) == ["prices.csv"]


def test_beginnings_are_looked_at_once_for_all_chains(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def noted(member: Member) -> Head:
        looked.append(member.name)
        return read_head(member)

    monkeypatch.setattr(beside, "read_head", noted)
    for chain in ("chain.csv", "other.csv"):
        job = job_of(folder / chain)
        assert names(job) == names(job) == ["prices.csv"]
    assert looked.count("more.csv.gz") == 1


def test_a_file_that_changed_is_looked_at_again(folder: Path) -> None:
    job = job_of(folder / "chain.csv")
    assert names(job) == ["prices.csv"]
    other = folder / "other.csv"
    other.write_text("a,close\n1,2\n", encoding="utf-8")
    assert names(job) == ["other.csv", "prices.csv"]
    state = other.stat()
    other.write_text("a,below\n1,2\n", encoding="utf-8")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns + 1))  # of the same size, a moment later
    assert names(job) == ["prices.csv"]
