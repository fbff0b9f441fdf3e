"""volskew attribute as a user meets it: exit codes, files, what is printed."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path

import pytest

from volskew.cli import run
from volskew.commands import console
from volskew.pricing import compiled

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(console, "_SILENT_FOR", math.inf)
    monkeypatch.setattr(compiled, "is_kept", lambda _: True)


@pytest.fixture
def chains(tmp_path: Path) -> Path:
    """The last three sessions of the sample market, both legs."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for leg in ("QQQ", "IWM"):
        for path in sorted(_QUOTES.glob(f"{leg}_*.csv.gz"))[-3:]:
            shutil.copy(path, folder)
    return folder


def test_the_answer_comes_first_and_the_files_add_up(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["attribute", str(chains), "--days", "2", "--rate", "0.04", "--out", "here"]) == 0
    out = capsys.readouterr().out
    head = " ".join(out.split())
    assert head.startswith("Simulated data: QQQ/IWM 3m 25-delta call vol ")
    assert " from 2026-07-08 to 2026-07-10: " in head
    assert len(out.splitlines()) <= 25  # one screen
    with Path("here/attribution.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["span"] for row in rows] == 3 * ["period"] + 6 * ["session"]
    for row in rows:
        parts = [float(row[name]) for name in ("roll", "spot", "level", "skew", "remainder")]
        assert sum(parts) == pytest.approx(float(row["change"]), abs=3e-8)  # six roundings to eight decimals
    assert Path("here/ledger.csv").exists()
    # over the folder with its own output in it a second run reads the chains alone, and writes the same bytes
    text = Path("here/attribution.csv").read_bytes()
    shutil.copy("here/attribution.csv", chains)
    assert run(["attribute", str(chains), "--days", "2", "--rate", "0.04", "--out", "here"]) == 0
    assert Path("here/attribution.csv").read_bytes() == text


def test_named_sessions_pair_and_place(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dates = ["--from", "2026-07-08", "--to", "2026-07-09"]
    place = ["--pair", "iwm/qqq", "--delta", "25p", "--tenor", "91d"]
    assert run(["attribute", str(chains), *dates, *place]) == 0
    out, err = capsys.readouterr()
    assert out.split("\n")[1].startswith("Simulated data: IWM/QQQ 91d 25-delta put vol ")
    assert "RATE_ASSUMED" in out
    assert err == ""


def test_a_missing_session_is_told(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chains / "QQQ_2026-07-09_simulated.csv.gz").unlink()
    assert run(["attribute", str(chains), "--days", "2"]) == 3
    out = capsys.readouterr().out
    assert "Passed over, in the remainder, or not known:\n  QQQ has no chain of 2026-07-09\n" in out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--from", "2026-07-04"], 2, "start must be a session"),
        (["--delta", "atmf"], 2, "a change is attributed at a delta"),
        (["--pair", "QQQ"], 2, "is not a pair of two symbols"),
        (["--days", "0"], 2, "--days"),
        (["--pair", "SPY/DIA"], 1, "No file holds DIA or SPY; these hold IWM, QQQ."),
        (["--from", "2026-06-01", "--to", "2026-06-02"], 1, "QQQ has no reading on 2026-06-01."),
    ],
)
def test_what_cannot_be_attributed(
    chains: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    assert run(["attribute", str(chains), *arguments]) == status
    captured = capsys.readouterr()
    assert words in captured.out + captured.err
    assert "Traceback" not in captured.err
