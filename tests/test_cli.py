"""The command line as a user meets it: exit codes, files, messages, damaged inputs."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.cli import run
from volskew.commands import console, measure
from volskew.pricing import compiled

_CHAINS = Path(__file__).parents[1] / "chains"
_QUOTES = _CHAINS / "quotes"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture(autouse=True)
def _as_on_a_fast_machine_that_has_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_SILENT_FOR", math.inf)
    monkeypatch.setattr(compiled, "is_kept", lambda _: True)


def _last_files(n: int) -> list[Path]:
    """The chain files of the last n sessions of the sample market, both legs."""
    return [path for leg in ("QQQ", "IWM") for path in sorted(_QUOTES.glob(f"{leg}_*.csv.gz"))[-n:]]


@pytest.fixture
def chains(tmp_path: Path) -> Path:
    """A folder with three good sessions of both legs."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in _last_files(3):
        shutil.copy(path, folder)
    return folder


def _headline_readings(folder: str) -> list[dict[str, str]]:
    """Rows of history.csv that were asked for, without those that a study needs beside them."""
    rows = _rows(f"{folder}/history.csv")
    return [row for row in rows if (row["measure"], row["delta"]) == ("implied_vol", "0.25")]


def _rows(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


_RANKING_COLUMNS = (
    "as_of,series,pair,measure,tenor,delta,form,window,value_a,error_a,value_b,error_b,value,error,percentile,"
    "percentile_strict,percentile_weak,measurement_low,measurement_high,sampling_low,sampling_high,p_record,p_low5,"
    "p_high5,executable_value,executable_percentile,iv_rank,rank,n_obs,n_effective,coverage,z_score,robust_z,record_low,record_low_date,record_high,"
    "record_high_date,sessions_since_as_low,sessions_since_as_high,first_date,verdict,flags"
)
_HISTORY_COLUMNS = (
    "series,date,symbol,measure,tenor,delta,value,error,forward,expiry_before,expiry_after,n_quotes,method,flags,"
    "snapshot_time,method_version,known_at,source"
)
_LEDGER_COLUMNS = "date,symbol,stage,code,count,detail,source"


def test_rank_writes_the_three_files_with_their_columns(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rank", str(chains)]) == 0
    heads = {
        name: Path("out", name).read_text().splitlines()[0]
        for name in ("rankings.csv", "history.csv", "ledger.csv")
    }
    assert heads == {
        "rankings.csv": _RANKING_COLUMNS,
        "history.csv": _HISTORY_COLUMNS,
        "ledger.csv": _LEDGER_COLUMNS,
    }
    rows = _rows("out/rankings.csv")
    assert len(rows) == 12
    assert {row["percentile"] for row in rows} == {""}  # three sessions: no percentile
    assert all(float(row["value_a"]) > 0.05 for row in rows)
    for row in rows:
        a, b, whole = (float(row[name]) for name in ("error_a", "error_b", "error"))
        assert min(a, b) > 0
        if row["form"] == "spread":
            assert whole == pytest.approx((a**2 + b**2) ** 0.5, rel=0.02)  # six decimals are written
        else:
            assert whole > a
    readings = _headline_readings("out")
    assert len(readings) == 6
    assert all(float(row["error"]) > 0 and row["method"].startswith("svi ") for row in readings)
    assert list(Path("out").glob("QQQ_IWM_*.png"))
    shown = capsys.readouterr().out
    assert "SIMULATED" in shown
    assert len(shown.splitlines()) <= 40


def test_the_strike_at_the_forward_is_ranked_and_kept(chains: Path) -> None:
    asked = ["rank", str(chains), "--delta", "atmf", "--no-chart", "--store", "vols.db"]
    assert run(asked) == 0
    assert {row["delta"] for row in _rows("out/history.csv")} == {"atmf"}
    rows = _rows("out/rankings.csv")
    assert {row["delta"] for row in rows} == {"atmf"}
    assert "3m atmf vol" in rows[0]["verdict"]
    assert run(asked) == 0
    assert not [row for row in _rows("out/ledger.csv") if row["code"] == "RESTATED"]


def test_a_first_run_and_a_long_one_tell_what_they_are_at(
    chains: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compiling = "compiling kernels (once, a minute or two) ..."
    monkeypatch.setattr(console, "_SILENT_FOR", 0.0)
    monkeypatch.setattr(compiled, "is_kept", lambda name: name != "measure_slices")
    assert run(["rank", str(chains), "--no-chart"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0] == compiling
    assert told[1:] == [f"{stage}: {done} of 6" for stage in ("reading", "measuring") for done in range(1, 7)]
    file = str(max(chains.glob("QQQ*")))
    for command in ("measure", "explain", "grid", "vols", "smiles", "verify"):
        assert run([command, file]) == 0
        assert capsys.readouterr().err.splitlines()[0] == compiling, command


def test_progress_in_a_file_is_a_line_a_tenth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "_SILENT_FOR", 0.0)
    report = console.plain_progress()
    for done in range(1, 501):
        report("measuring", done, 500)
    told = capsys.readouterr().err.splitlines()
    assert told == [f"measuring: {done} of 500" for done in range(50, 501, 50)]
    monkeypatch.setattr(console, "_SILENT_FOR", 60.0)
    report("reading", 10, 10)
    assert capsys.readouterr().err == ""


def test_a_rerun_gives_the_same_bytes_whatever_the_number_of_processes(chains: Path) -> None:
    assert run(["rank", str(chains), "--out", "first", "--no-chart"]) == 0
    assert run(["rank", str(chains), "--out", "second", "--no-chart", "--jobs", "2"]) == 0
    names = sorted(path.name for path in Path("first").iterdir())
    assert len(names) == 7
    for name in names:
        assert Path("first", name).read_bytes() == Path("second", name).read_bytes()


def test_a_store_grows_and_a_second_run_changes_nothing(chains: Path) -> None:
    first, *_ = sorted(chains.glob("*"))
    day = first.name.split("_")[1]
    today = [str(path) for path in chains.glob(f"*{day}*")]
    assert run(["rank", *today, "--store", "vols.db", "--out", "a", "--no-chart"]) == 0
    assert len(_headline_readings("a")) == 2
    assert run(["rank", str(chains), "--store", "vols.db", "--out", "b", "--no-chart"]) == 0
    assert len(_headline_readings("b")) == 6
    assert run(["rank", str(chains), "--store", "vols.db", "--out", "c", "--no-chart"]) == 0
    assert Path("b/history.csv").read_bytes() == Path("c/history.csv").read_bytes()
    assert not [row for row in _rows("c/ledger.csv") if row["code"] == "RESTATED"]


def test_measure_prints_csv_to_stdout_and_the_rest_to_stderr(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(["measure", str(chains), "--symbol", "QQQ", "--delta", "25c", "--delta", "25p", "--delta", "50"])
        == 0
    )
    out, err = capsys.readouterr()
    table = pd.read_csv(io.StringIO(out))
    assert sorted(table["delta"].unique()) == [0.25, 0.5, 0.75]
    assert len(table) == 9
    assert "9 readings from 3 chains in 6 files" in err
    assert "could be read" not in err


def test_cells_and_lines_that_cannot_be_read_are_counted_on_stderr(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = max(chains.glob("QQQ*"))
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    strike, bid = (lines[0].split(",").index(name) for name in ("strike", "bid"))
    for row, place in ((3, strike), (4, bid), (5, bid)):
        cells = lines[row].split(",")
        cells[place] = "soon"
        lines[row] = ",".join(cells)
    lines[6] = lines[6].rsplit(",", 2)[0]
    Path("odd_simulated.csv").write_text("\n".join(lines) + "\n")
    told = "Not all could be read: BAD_CELLS 3, RAGGED 1; `volskew inspect` shows where."
    for command in ("measure", "explain", "grid", "vols", "smiles", "verify"):
        extra = ["--sample", "5"] if command == "verify" else []
        assert run([command, "odd_simulated.csv", *extra]) == 0, command
        assert capsys.readouterr().err.splitlines().count(told) == 1, command
    assert run(["inspect", "odd_simulated.csv"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "first in row 4, column 'strike'; taken from the option symbol" in shown


def test_a_missing_reading_is_told_with_where_to_look(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["measure", str(max(chains.glob("QQQ*"))), "--tenor", "3m", "--tenor", "2y"]
    assert run(asked) == 3
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("1 reading from 1 chain in 1 file (")
    assert told.endswith("; 1 reading missing: volskew explain says why, or the ledger of --out DIR.")
    assert run([*asked, "--delta", "25c", "--delta", "50", "--out", "m"]) == 3
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("2 readings from 1 chain")
    assert told.endswith("; 2 readings missing: ledger.csv says why.")


def test_vols_shows_every_line_read(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = max(chains.glob("IWM*"))
    lines = gzip.decompress(file.read_bytes()).decode().count("\n") - 1
    assert run(["vols", str(file)]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert len(table) == lines
    wanted = {"exclusion", "flags", "used_in_forward", "used_in_smile", "vol_bid", "vol_mid", "vol_ask",
              "vol_status", "forward_call_delta", "forward", "smile_vol", "residual_half_spreads",
              "source_file", "source_row"}  # fmt: skip
    assert wanted <= set(table.columns)
    assert table["source_row"].is_unique


def test_smiles_shows_every_expiry(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["smiles", str(max(chains.glob("QQQ*")))]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert len(table) >= 3
    wanted = {"forward", "forward_error", "method", "error_25c", "check_25c", "svi_rho", "least_g",
              "wing_left", "repaired", "gates_25c"}  # fmt: skip
    assert wanted <= set(table.columns)


def test_smiles_are_drawn_on_request(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(max(chains.glob("QQQ*")))
    assert run(["smiles", file, "--chart", "charts", "--out", "smiles.csv"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == ["smiles.csv", "charts/QQQ_2026-07-10_simulated-close_smiles_3m.png"]
    assert Path(told[1]).read_bytes().startswith(b"\x89PNG")
    assert len(_rows("smiles.csv")) == 4
    assert run(["smiles", file, "--chart", "charts", "--expiry", "2026-09-19"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("symbol,")
    assert err.startswith("QQQ 2026-07-10: no expiry on 2026-09-19; the nearest are 2026-09-18")


def test_arbitrage_is_a_table_of_its_own(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(max(chains.glob("IWM*")))
    header = "series,date,symbol,kind,severity,is_within_quotes,name,name_after,"
    header += "strike_low,strike_high,strike,size,g,slope"
    assert run(["smiles", file, "--arbitrage", "--out", "arbitrage.csv"]) == 0
    text = Path("arbitrage.csv").read_text()
    assert text.splitlines()[0] == header
    told = capsys.readouterr()
    assert told.out == "arbitrage.csv\n"
    assert ("No smile has static arbitrage" in told.err) == (len(text.splitlines()) == 1)
    assert run(["smiles", file, "--arbitrage"]) == 0
    assert capsys.readouterr().out == text


def test_the_grid_is_a_table_with_reasons(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(max(chains.glob("IWM*")))
    assert run(["grid", file, "--out", "grid.csv"]) == 0
    rows = _rows("grid.csv")
    assert len(rows) == 13 * 19
    assert all(bool(row["vol"]) != bool(row["code"]) for row in rows)
    at = [row for row in rows if (row["tenor"], row["delta"]) == ("3m", "0.25")]
    assert float(at[0]["bid"]) < float(at[0]["vol"]) < float(at[0]["ask"])
    assert float(at[0]["error"]) > 0
    assert run(["grid", file, "--tenor", "2y"]) == 1
    assert "No vol could be read" in capsys.readouterr().err


def test_a_reading_is_explained(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(max(chains.glob("QQQ*")))
    assert run(["explain", file, "--out", "why"]) == 0
    shown = capsys.readouterr().out
    assert "QQQ 2026-07-10, 3m 25-delta call" in shown.splitlines()[1]
    assert "% +- 0." in shown.splitlines()[1]
    names = ["reading.csv", "companions.csv", "expiries.csv", "quotes.csv"]
    assert shown.splitlines()[-4:] == [f"why/{name}" for name in names]
    read = _rows("why/reading.csv")[0]
    assert run(["measure", file]) == 0
    measured = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (read["value"], read["error"], read["flags"]) == tuple(
        measured[name] for name in ("value", "error", "flags")
    )
    assert run(["explain", file, "--tenor", "3m", "--tenor", "2y"]) == 3
    assert run(["explain", file, "--tenor", "2y", "--delta", "atmf"]) == 1
    assert "NO_EXPIRY_AFTER" in capsys.readouterr().out


def test_inspect_says_what_a_file_is(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = max(chains.glob("QQQ*"))
    assert run(["inspect", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "simulated:close" in shown
    assert "expiries" in shown
    note = Path("note.csv")
    note.write_text("date,colour\n2026-07-10,red\n")
    assert run(["inspect", str(note)]) == 1
    assert "not a chain" in capsys.readouterr().out


def _damaged(folder: Path, good: Path) -> dict[str, Path]:
    """A good file damaged in every way that the mail, the disk or a script manages."""
    packed = good.read_bytes()
    text = gzip.decompress(packed).decode()
    lines = text.splitlines()
    header = lines[0].split(",")
    strike = header.index("strike")

    def scaled(line: str) -> str:
        cells = line.split(",")
        cells[strike] = str(1000 * float(cells[strike]))
        return ",".join(cells)

    contents = {
        "truncated.csv.gz": packed[: len(packed) // 2],
        "cut.csv": text[: len(text) // 2].rstrip("\n").rsplit(",", 3)[0].encode(),
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 64,
        "encoding.csv": text.encode("cp037"),
        "header_only.csv": (lines[0] + "\n").encode(),
        "units.csv": "\n".join([lines[0], *map(scaled, lines[1:])]).encode(),
        "other.csv": b"name,colour\nanna,red\n",
        "broken.json": b'{"data": {"options": [',
        "broken.zip": b"PK\x03\x04 and no more",
    }
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / name
        paths[name].write_bytes(content)
    return paths


_DAMAGES = ("cut.csv", "truncated.csv.gz", "empty.csv", "binary.csv", "encoding.csv", "header_only.csv",
            "units.csv", "other.csv", "broken.json", "broken.zip")  # fmt: skip


@pytest.mark.parametrize("name", _DAMAGES)
def test_a_damaged_file_alone_is_one_clear_line_and_exit_1(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _damaged(tmp_path, _last_files(1)[0])[name]
    for command in ("rank", "measure", "vols", "smiles", "grid", "explain", "verify"):
        assert run([command, str(path)]) == 1, command
        shown = capsys.readouterr()
        complaints = [
            line for line in shown.err.splitlines() if name in line and not line.startswith("ledger")
        ]
        assert len(complaints) == 1, (command, shown.err)
        assert "Traceback" not in shown.err + shown.out


@pytest.mark.parametrize("name", _DAMAGES)
def test_a_damaged_file_among_good_ones_is_exit_3_with_the_rest_done(
    name: str, chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _damaged(chains, _last_files(1)[0])
    for path in list(chains.iterdir()):
        if path.name in _DAMAGES and path.name != name:
            path.unlink()
    assert run(["rank", str(chains), "--no-chart"]) == 3
    assert len(_headline_readings("out")) == 6
    assert [row for row in _rows("out/ledger.csv") if row["source"].endswith(name)]
    assert name in capsys.readouterr().err


def test_a_missing_path_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rank", "nowhere/*.csv"]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["rank"],
        ["rank", ".", "--pair", "QQQ"],
        ["rank", ".", "--pair", "QQQ/QQQ"],
        ["rank", ".", "--columns", "bid"],
        ["rank", ".", "--no-such-option"],
        ["no-such-command"],
        ["rank", ".", "--tenor", "fortnight"],
        ["rank", ".", "--delta", "300c"],
        ["rank", ".", "--rate", "4"],
        ["rank", ".", "--rate", "nan"],
        ["rank", ".", "--as-of", "soon"],
        ["rank", ".", "--as-of", "2026-07-10junk"],
        ["rank", ".", "--measure", "colour"],
        ["rank", ".", "--splice", "desk"],
        ["rank", ".", "--rate", "0.04", "--rates", "curve.csv"],
        ["smiles", ".", "--tenor", "3m"],
        ["smiles", ".", "--arbitrage", "--chart", "charts"],
        ["smiles", ".", "--chart", "charts", "--tenor", "3m", "--expiry", "2026-10-16"],
        ["smiles", ".", "--chart", "charts", "--expiry", "October"],
        ["grid", ".", "--delta", "300c"],
        ["explain", ".", "--tenor", "soon"],
        ["explain"],
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "extra",
    [
        ["--tenor", "fortnight"],
        ["--delta", "300c"],
        ["--rate", "4"],
        ["--as-of", "soon"],
        ["--measure", "colour"],
    ],
)
def test_a_value_that_is_not_accepted_is_one_line_with_what_is(
    extra: list[str], chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rank", str(chains), *extra]) == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    assert extra[1].lower() in err.lower()


def test_a_missing_leg_is_never_replaced_by_an_older_day(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = max(chains.glob("IWM*"))
    newest.unlink()
    assert run(["rank", str(chains), "--no-chart"]) == 3
    row = _rows("out/rankings.csv")[0]
    assert row["value_a"]
    assert not row["value_b"]
    assert not row["value"]
    assert "IWM" in row["verdict"]
    assert "LEG_MISSING" in {entry["code"] for entry in _rows("out/ledger.csv")}


def test_as_of_ranks_an_earlier_day(chains: Path) -> None:
    days = sorted({path.name.split("_")[1] for path in chains.iterdir()})
    assert run(["rank", str(chains), "--as-of", days[1], "--no-chart"]) == 0
    assert {row["as_of"] for row in _rows("out/rankings.csv")} == {days[1]}


def test_a_zip_of_many_files_is_read_as_they_are(chains: Path) -> None:
    archive = Path("all_simulated.zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(chains.iterdir()):
            file.write(path, path.name)
    assert run(["rank", str(archive), "--out", "zipped", "--no-chart"]) == 0
    assert run(["rank", str(chains), "--out", "plain", "--no-chart"]) == 0

    def values(out: str) -> list[str]:
        return [row["value"] for row in _rows(f"{out}/history.csv")]

    assert values("zipped") == values("plain")


def test_import_and_splice_from_a_store(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = _CHAINS / "simulated_vol_history.csv"
    assert run(["import", str(history), "--series", "simulated:mine", "--store", "vols.db"]) == 0
    assert "readings added" in capsys.readouterr().out
    assert run(["rank", str(chains), "--store", "vols.db", "--splice", "simulated:mine", "--no-chart"]) == 0
    flags = [row["flags"] for row in _rows("out/history.csv")]
    assert sum("SPLICED" in text for text in flags) > 5000
    row = _rows("out/rankings.csv")[0]
    assert row["percentile"]
    assert "SPLICED" in row["flags"]


def test_rank_series_ranks_two_columns_of_a_dated_csv(capsys: pytest.CaptureFixture[str]) -> None:
    days = pd.bdate_range("2023-01-02", periods=600)
    values = pd.DataFrame({"date": days, "x": range(600, 0, -1), "y": 100.0})
    values.to_csv("two.csv", index=False)
    assert run(["rank-series", "two.csv", "--a", "x", "--b", "y"]) == 0
    row = _rows("out/rankings.csv")[0]
    assert float(row["percentile_strict"]) == 0.0
    assert float(row["percentile"]) == pytest.approx(100 * 0.5 / 600, abs=1e-4)  # four decimals are written
    assert "600" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--rates", "--out", "--history"])
def test_an_empty_path_is_refused(chains: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rank", str(chains), "--pair", "QQQ/IWM", option, ""]) == 2
    assert f"'{option}': an empty path" in capsys.readouterr().err


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "volskew", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("volskew, version")


@pytest.mark.parametrize("command", ["vols", "explain", "inspect"])
def test_a_reader_that_goes_away_ends_the_program_quietly(chains: Path, command: str) -> None:
    file = max(chains.glob("QQQ*"))
    program = "import sys; from volskew.cli import main; main()"
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -c '{program}' {command} {file} | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0\n"
    assert done.stderr.replace("compiling kernels (once, a minute or two) ...\n", "") == ""


def test_another_kind_of_table_in_a_folder_is_passed_over(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (chains / "my_vols.csv").write_text("date,symbol,vol\n2026-07-10,QQQ,0.21\n")
    assert run(["rank", str(chains), "--no-chart"]) == 0
    assert [row["code"] for row in _rows("out/ledger.csv") if "my_vols" in row["source"]] == ["SKIPPED"]
    assert run(["rank", str(chains / "my_vols.csv"), "--no-chart"]) == 1
    assert "volskew import" in capsys.readouterr().err


def test_dividends_are_taken_from_files_and_folders(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("lists").mkdir()
    rows = "".join(f"{date},0.6\n" for date in ("2025-06-23", "2025-09-22", "2025-12-22", "2026-03-23"))
    Path("lists/QQQ.csv").write_text(f"Date,Dividends\n{rows}2026-06-22,0.7\n")
    Path("old.csv").write_text(f"Date,Dividends\n{rows}")
    given = ["--dividends", "lists", "--dividends", "IWM=old.csv"]
    plain = ["measure", str(chains), "--rate", "0.04"]
    assert run(plain) == 0
    assert "DIVIDENDS" not in capsys.readouterr().err
    assert run([*plain, *given]) == 0
    assert capsys.readouterr().err.count("DIVIDENDS") == 0
    assert run([*plain, "--dividends", "IWM=lists/QQQ.csv", "--dividends", "SPY=old.csv"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "DIVIDENDS" in line]
    reason = "3 sessions from 2026-07-08 to 2026-07-10 read without dividends: no dividend file names QQQ"
    assert told == [
        "DIVIDENDS_UNUSED: SPY; the chains are of IWM, QQQ",
        f"QQQ: DIVIDENDS_MISSING: {reason}",
    ]
    file = str(max(chains.glob("QQQ*")))
    for command in ("rank", "vols", "smiles", "verify"):
        assert run([command, file, "--dividends", "none.csv"]) == 1
        assert "none.csv: no such file" in capsys.readouterr().err
    assert run(["measure", file, "--dividends", "old.csv", "--out", "m"]) == 0
    assert [row["code"] for row in _rows("m/ledger.csv") if row["stage"] == "market"][:2] == [
        "DIVIDENDS_UNUSED",
        "RATE_ASSUMED",
    ]


def test_a_chain_that_lacks_a_column_is_never_passed_over(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (chains / "renamed.csv").write_text(
        "date,symbol,expiration,right,K_price,bid,ask,iv\n2026-07-10,QQQ,2026-10-16,call,500,1,2,0.2\n"
    )
    assert run(["rank", str(chains), "--no-chart"]) == 3
    assert "a strike" in capsys.readouterr().err


def test_measure_without_a_reading_says_why(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(max(chains.glob("QQQ*")))
    assert run(["measure", file, "--tenor", "2y"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [_HISTORY_COLUMNS]
    assert "NO_EXPIRY_AFTER" in err
    assert run(["measure", file, "--tenor", "2y", "--out", "m"]) == 1
    assert Path("m/measures.csv").read_text().splitlines() == [_HISTORY_COLUMNS]
    assert "NO_EXPIRY_AFTER" in Path("m/ledger.csv").read_text()
    assert run(["measure", file, "--symbol", "ZZZ"]) == 1
    assert "No file holds ZZZ; these hold QQQ" in capsys.readouterr().err


def test_the_drill_down_tells_of_files_that_failed(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.csv").write_bytes(bytes(range(256)))
    assert run(["vols", str(max(chains.glob("QQQ*"))), "bad.csv", "nowhere.csv"]) == 3
    err = capsys.readouterr().err
    assert "bad.csv" in err
    assert "nowhere.csv" in err


def test_an_import_cannot_pass_for_solved_days(capsys: pytest.CaptureFixture[str]) -> None:
    history = str(_CHAINS / "simulated_vol_history.csv")
    for name in ("close", "15:45", "simulated:close", "vendor:close", "a+b"):
        assert run(["import", history, "--series", name, "--store", "vols.db"]) == 2
        assert name in capsys.readouterr().err


def test_an_out_folder_that_cannot_be_made_is_told_before_the_work(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("a file")
    assert run(["rank", str(chains), "--out", "taken"]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert Path("taken").read_text() == "a file"


def test_an_as_of_day_knows_nothing_of_later_days(tmp_path: Path) -> None:
    history = str(_CHAINS / "simulated_vol_history.csv")
    files = [path for leg in ("QQQ", "IWM") for path in sorted(_QUOTES.glob(f"{leg}_*.csv.gz"))[:16]]
    days = sorted({path.name.split("_")[1] for path in files})
    for name, last in (("cut", days[10]), ("more", days[-1])):
        folder = tmp_path / name
        folder.mkdir()
        for path in files:
            if path.name.split("_")[1] <= last:
                shutil.copy(path, folder)
        extra = ["--history", history, "--as-of", days[10], "--adjust-basis", "--out", name, "--no-chart"]
        assert run(["rank", str(folder), *extra]) == 0
    assert Path("cut/rankings.csv").read_bytes() == Path("more/rankings.csv").read_bytes()
    # the source of a row names its folder, which differs here
    cut, more = (pd.read_csv(f"{name}/history.csv").drop(columns="source") for name in ("cut", "more"))
    pd.testing.assert_frame_equal(cut, more, check_exact=True)


def test_what_was_published_later_is_not_ranked_before(chains: Path) -> None:
    table = pd.read_csv(_CHAINS / "simulated_vol_history.csv")
    table["published"] = table["date"].where(table["date"] < "2023", "2027-01-04")
    table.to_csv("published_simulated.csv", index=False)
    extra = ["--history", "published_simulated.csv", "--no-chart"]
    assert run(["rank", str(chains), *extra]) == 0
    everything = int(_rows("out/rankings.csv")[0]["n_obs"])
    assert run(["rank", str(chains), *extra, "--history-columns", "known_at=published"]) == 0
    known = int(_rows("out/rankings.csv")[0]["n_obs"])
    assert known == 3 + table.loc[table["date"] < "2023", "date"].nunique()
    assert everything == 3 + table["date"].nunique()


def test_an_older_day_rerun_on_a_store_answers_for_that_day(chains: Path) -> None:
    assert run(["rank", str(chains), "--store", "vols.db", "--no-chart"]) == 0
    first = min(path.name.split("_")[1] for path in chains.iterdir())
    today = [str(path) for path in chains.glob(f"*{first}*")]
    assert run(["rank", *today, "--store", "vols.db", "--no-chart"]) == 0
    assert {row["as_of"] for row in _rows("out/rankings.csv")} == {first}


def test_dated_parts_without_a_common_time_make_one_chain(tmp_path: Path) -> None:
    """A dump in which only the lines' last trades have dates, a file an expiry and right."""
    (path,) = _last_files(1)[:1]
    whole = pd.read_csv(path, dtype=str).drop(columns="quote_date")
    day = path.name.split("_")[1]
    quiet = whole["expiration"] == whole["expiration"].max()
    whole["last_trade_date"] = f"{day} 15:59:50"
    whole.loc[quiet, "last_trade_date"] = ""
    for side in ("call", "put"):  # few trades: of a busy expiry they would tell of another session
        few = whole.index[quiet & (whole["right"] == side)][:3]
        whole.loc[few, "last_trade_date"] = "2026-07-08 11:00:00"
    folder = tmp_path / "dump_simulated"
    folder.mkdir()
    for (expiry, right), part in whole.groupby(["expiration", "right"]):
        part.to_csv(folder / f"QQQ_simulated_{right}_{str(expiry).replace('-', '')[2:]}.csv", index=False)
    assert run(["measure", str(folder), "--out", "m"]) == 0
    rows = _rows("m/measures.csv")
    assert [row["date"] for row in rows] == [day]


def test_a_device_is_written_to_and_not_replaced(chains: Path) -> None:
    assert run(["vols", str(max(chains.glob("QQQ*"))), "--out", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()


def test_a_link_is_written_through(chains: Path) -> None:
    Path("real.csv").write_text("old")
    Path("link.csv").symlink_to("real.csv")
    assert run(["vols", str(max(chains.glob("QQQ*"))), "--out", "link.csv"]) == 0
    assert Path("link.csv").is_symlink()
    assert Path("real.csv").read_text().startswith("snapshot_time,")


def test_closing_readings_go_before_others_on_equal_counts(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = max(chains.glob("IWM*"))
    day = newest.name.split("_")[1]
    noon = pd.read_csv(newest, dtype=str)
    noon["quote_date"] = f"{day} 12:00:00"
    noon.to_csv(chains / "IWM_noon_simulated.csv", index=False)
    for path in list(chains.iterdir()):
        if day not in path.name and "noon" not in path.name:
            path.unlink()
    assert run(["rank", str(chains), "--no-chart"]) == 0
    assert {row["series"] for row in _rows("out/rankings.csv")} == {"simulated:close"}
    assert "--series picks one" in capsys.readouterr().out


def test_the_readme_block_runs_as_a_script_without_a_guard(tmp_path: Path) -> None:
    program = tmp_path / "mine.py"
    program.write_text(
        "import volskew as vs\n"
        f"result = vs.measure_files(sorted(__import__('pathlib').Path({str(_QUOTES)!r}).glob('IWM*'))[:70])\n"
        "print(len(result.readings))\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 69


def test_prices_in_another_unit_than_the_spot_are_flagged(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = max(chains.glob("QQQ*"))
    table = pd.read_csv(path)
    table["underlying_price"] *= 1.25
    table.to_csv("spot_simulated.csv", index=False)
    assert run(["measure", "spot_simulated.csv"]) == 0
    out = capsys.readouterr().out
    assert "SPOT_MISMATCH" in out
    assert run(["measure", str(path)]) == 0
    assert "SPOT_MISMATCH" not in capsys.readouterr().out


def test_inspect_names_the_command_for_another_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(_CHAINS / "simulated_vol_history.csv")]) == 1
    assert "volskew import" in capsys.readouterr().out


def test_verify_shows_the_differences_and_writes_them(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(max(chains.glob("QQQ*")))
    assert run(["verify", file, "--sample", "50", "--out", "comparison.csv"]) == 0
    shown = capsys.readouterr().out
    # lines are wrapped to the width
    words = " ".join(shown.split())
    assert words.startswith("All 150 prices agree with vollib")
    for part in ("50 of ", "solved lines of 1 chain", "seed 0", "Pricer: european", "vol points",
                 "in half-spreads", "in roundings (limit 32)", "Farthest from vollib", "row ",
                 "not the model"):  # fmt: skip
        assert part in words, part
    assert "simulated:close" in words
    assert "uncertainties" not in words
    rows = _rows("comparison.csv")
    assert len(rows) == 150
    assert {row["side"] for row in rows} == {"bid", "mid", "ask"}
    assert run(["verify", file, "--sample", "50", "--out", "again.csv"]) == 0
    assert Path("again.csv").read_bytes() == Path("comparison.csv").read_bytes()


@pytest.mark.parametrize(
    ("columns", "width"), [("60", 60), ("80", 80), ("100", 100), ("120", 120), (None, 100)]
)
def test_verify_fits_its_lines_to_the_width(
    columns: str | None,
    width: int,
    chains: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert run(["verify", str(max(chains.glob("QQQ*"))), "--sample", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert width - 15 < max(map(len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]
    for label in ("prices with both vols", "largest difference, vol pts", "  in half-spreads",
                  "  in roundings (limit 32)", "prices beyond the limit", "prices with one vol only",
                  "  at a bound, to rounding", "prices with no vol"):  # fmt: skip
        rows = [line for line in lines if line.startswith(label + "  ")]
        figures = [len(row.removeprefix(label).split()) for row in rows]
        assert figures in ([4], [2, 2], [2]), label  # side by side, one below another, one reference alone


@pytest.mark.slow
@pytest.mark.parametrize(("tolerance", "expected"), [("32", 0), ("1e-6", 3)])
@pytest.mark.parametrize("tail", ["| head -1", "| true", "2>&1 | true"])
def test_verify_answers_by_its_exit_status_though_nobody_reads(
    tail: str, tolerance: str, expected: int, chains: Path
) -> None:
    program = "import sys; from volskew.cli import main; main()"
    file = max(chains.glob("QQQ*"))
    verify = f"{sys.executable} -c '{program}' verify {file} --sample 5 --tolerance {tolerance}"
    done = subprocess.run(  # noqa: S602 - a shell pipe is what is tested
        f"({verify}; echo $? > status) {tail}", shell=True, capture_output=True, text=True, check=True
    )
    assert Path("status").read_text() == f"{expected}\n"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_verify_names_what_it_left_out(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.md").write_text("no chain")
    shutil.copy(max(chains.glob("QQQ*")), Path())
    assert run(["verify", ".", "--sample", "5"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[-2] for line in told] == ["SKIPPED", "RATE_ASSUMED"]
    assert "4.00%" in told[1]


def test_verify_without_quantlib_says_so(
    chains: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "QuantLib", None)  # an import of it now fails
    assert run(["verify", str(max(chains.glob("QQQ*"))), "--sample", "5"]) == 0
    assert "QuantLib is not installed" in capsys.readouterr().out


def test_verify_names_the_lines_that_do_not_agree(
    chains: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from volskew.pricing import black

    honest = black.implied_vol

    def wrong(price: Any, **inputs: Any) -> Any:
        solved = honest(price, **inputs)
        here = np.broadcast_to(np.asarray(inputs["strike"]) == 650.0, np.shape(solved.vol))
        return solved._replace(vol=np.where(here, solved.vol + 1e-9, solved.vol))

    monkeypatch.setattr(black, "implied_vol", wrong)
    assert run(["verify", str(max(chains.glob("QQQ*"))), "--sample", "all", "--rate", "0.04"]) == 3
    words = " ".join(capsys.readouterr().out.split())
    assert "prices do not agree with vollib" in words
    assert "Does not agree with vollib" in words
    assert " 650 call" in words or " 650 put" in words
    assert "1.0e-07 vol points apart" in words
    assert "more that do not agree; --out FILE has them all" in words


def test_verify_has_nothing_to_say_of_a_vendors_vols(
    chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(max(chains.glob("QQQ*")), dtype=str).drop(columns=["bid", "ask"])
    table.assign(iv="0.2").to_csv("vendor.csv", index=False)
    assert run(["verify", "vendor.csv"]) == 1
    assert "a vendor's own, there are no quotes to solve" in capsys.readouterr().err


def test_verify_tells_of_files_that_failed(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.csv").write_bytes(bytes(range(256)))
    assert run(["verify", str(max(chains.glob("QQQ*"))), "bad.csv", "--sample", "5"]) == 3
    out, err = capsys.readouterr()
    assert "All 15 prices agree" in out
    assert "bad.csv" in err


@pytest.mark.parametrize(
    "extra",
    [["--sample", "0"], ["--sample", "half"], ["--seed", "-1"], ["--tolerance", "0"], ["--tolerance", "nan"]],
)
def test_verify_refuses_what_means_nothing(
    extra: list[str], chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(chains), *extra]) == 2
    assert extra[0].strip("-") in capsys.readouterr().err


@pytest.mark.parametrize("command", ["measure", "rank", "vols", "explain"])
def test_a_named_file_that_is_no_chain_is_told_in_a_line(
    command: str, chains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes.txt").write_text("To do:\n\nBuy milk, and look at the skew of small caps.\n")
    assert run([command, "notes.txt"]) == 1
    assert capsys.readouterr().err.count("notes.txt: words, and no table.") == 1
    # a shell names all files of a folder; and a folder passes it over without a word
    assert run([command, str(chains), "notes.txt"]) == 0
    assert capsys.readouterr().err.count("Passed over, no chain: notes.txt: words, and no table.") == 1
    assert run([command, str(chains), "."]) == 0
    assert "notes.txt" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["smiles", "rank"])
def test_a_backend_that_matplotlib_does_not_know_costs_the_chart(command: str, chains: Path) -> None:
    charts = ["--chart", "charts"] if command == "smiles" else []
    done = subprocess.run(
        [sys.executable, "-m", "volskew.cli", command, str(chains), *charts],
        env={**os.environ, "MPLBACKEND": "nonsense"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "could not be drawn: matplotlib refuses a setting of its own" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deleted_working_directory_is_one_clear_line(
    chains: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        os.getcwd()  # noqa: PTH109 - as an import does

    monkeypatch.setattr(measure, "tell_of_compiling", fails)
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path.cwd().rmdir()
    assert run(["measure", str(chains)]) == 1
    assert capsys.readouterr().err == "The working directory no longer exists: change to one that does.\n"
