"""`volskew reconcile` as a user meets it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from volskew.cli import run
from volskew.pricing import compiled

FILES = [
    str(Path(__file__).parents[2] / "chains" / "quotes" / f"{symbol}_2026-07-10_simulated.csv.gz")
    for symbol in ("QQQ", "IWM")
]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compiled, "is_kept", lambda _: True)


def test_named_choices_are_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rate", "0.04", "--clock", "calendar", "--days", "90", "--delta-convention", "spot",
                 "--nearest-expiry", "--target", "QQQ=20.7", "--out", "why"]  # fmt: skip
    assert run(["reconcile", *FILES, "--symbol", "QQQ", "--symbol", "IWM", *arguments]) == 0
    said = capsys.readouterr().out
    with Path("why/reconciliation.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["start", "clock", "days", "delta", "expiry", "target"]
    assert rows[-1]["vol_QQQ"] == "0.207"
    assert "90 days instead of 91" in said
    assert "QQQ: unexplained" in said
    assert said.rstrip().endswith("reconciliation.csv")


def test_a_convention_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconcile", FILES[0], "--convention", "calendar-months", "--out", "why"]) == 0
    assert "92 days instead of 91" in capsys.readouterr().out


def test_a_step_without_a_number_is_status_three(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconcile", FILES[0], "--nearest-expiry", "--nearest-strike", "--vendor-vols"]) == 3
    assert "not taken: the file has no vendor's vol" in capsys.readouterr().out
    assert run(["reconcile", FILES[0], "--tenor", "2y", "--clock", "calendar"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "QQQ"], "is not SYMBOL=PERCENT"),
        (["--target", "QQQ=0.207"], "a vol from 1 to 300"),
        (["--target", "SPY=20"], "there is a target of SPY"),
        (["--days", "soon"], "neither a whole number of days nor 'months'"),
        (["--vendor-vols"], "strike must be 'nearest' too"),
        (["--convention", "spot"], "no convention is called 'spot'"),
        (["--convention", "90d", "--clock", "calendar"], "give it alone"),
        (["--clock", "sidereal"], "sidereal"),
        (["--delta", "atmf"], "a reconciliation is of the vol at a delta"),
    ],
)
def test_wrong_usage_is_told(arguments: Any, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconcile", FILES[0], *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
