#!/usr/bin/env python3
"""Lines a second of every reader, beside a bare read of the same bytes by Arrow, in one run on one core.

    python3 benchmarks/readers.py            every format, three rounds; writes docs/readers.md
    python3 benchmarks/readers.py --quick    small files, one round, printed only
    python3 benchmarks/readers.py --only optionsdx    some formats, printed only

The files are invented, in each vendor's own shape (benchmarks/vendor_files).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

_ROUNDS = 3
_TABLE, _JSON = (60, 50, 20), (5, 50, 20)
"""Days, strikes and expiries: 120,000 option lines in tables, 10,000 in JSON."""
_GROWTH = (1, 4, 16)
_WANTED = 0.5
"""Of Arrow's own speed: 1.5 million lines a second where Arrow reads 3."""


def main() -> int:
    """Write the files, time them, print and write the page."""
    given = _arguments()
    _bootstrap.ensure()
    from vendor_files import shapes

    started = time.monotonic()
    rows, slow = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name, shape in shapes().items():
            if given.only and name not in given.only:
                continue
            for path, is_table in _files(shape, Path(scratch) / name, small=given.quick):
                print(f"{name}: {path.name} ...", file=sys.stderr, flush=True)
                asked = {"path": str(path), "format": getattr(shape, "FORMAT", None), "rounds": given.rounds}
                ours, bare = (_asked({"how": how, **asked}) for how in ("ours", "bare"))
                lines = path.read_bytes().count(b"\n") - 1 if _is_text(path) else ours["count"]
                ratio = bare["seconds"] / ours["seconds"]
                rows.append((name, path, path.stat().st_size, lines, ours, bare, ratio))
                if is_table and _is_text(path) and ratio < _WANTED:
                    slow.append(f"{name} reads at {ratio:.2f} of Arrow's speed, {_WANTED} wanted")
        growth = _growth(Path(scratch), given) if not given.only else []
    text = _report(rows, growth, given, seconds=time.monotonic() - started)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    for line in slow:
        print(line, file=sys.stderr)
    return 0


def _is_text(path: Path) -> bool:
    return path.suffix not in {".json", ".parquet"}


def _files(shape: Any, folder: Path, *, small: bool) -> list[tuple[Path, bool]]:
    """The shape's own chain files, tables of many lines and JSON of fewer, and whether each is a table."""
    from vendor_files.board import board

    found: list[tuple[Path, bool]] = []
    one_day = getattr(shape, "ONE_DAY", False)  # shapes of one snapshot a file
    for kind, (days, strikes, expiries) in (("table", _TABLE), ("json", _JSON)):
        place = folder / kind
        place.mkdir(parents=True)
        if one_day:
            days, strikes = 1, strikes * days  # noqa: PLW2901
        size = 2 if small else 1
        frame = board(days=max(days // 20, 1) if small else days, strikes=strikes // size, expiries=expiries)
        written = shape.write(frame, place)
        chains = written[: getattr(shape, "CHAINS", len(written))]
        found.extend(
            (path, kind == "table") for path in chains if (path.suffix == ".json") == (kind == "json")
        )
    return found


def _growth(scratch: Path, given: argparse.Namespace) -> list[tuple[int, int, dict[str, Any]]]:
    """Peak memory and time of one format's file as it grows."""
    from vendor_files import optionsdx
    from vendor_files.board import board

    found = []
    for times in _GROWTH[: 2 if given.quick else None]:
        place = scratch / f"grown{times}"
        place.mkdir()
        (path,) = optionsdx.write(board(days=_TABLE[0] * times, strikes=50, expiries=20), place)
        answer = _asked({"how": "ours", "path": str(path), "rounds": 1})
        found.append((times, path.stat().st_size, answer))
        path.unlink()
    return found


def _asked(task: dict[str, Any]) -> dict[str, Any]:
    """A process of its own for each: its memory is then its own too."""
    command = [sys.executable, str(Path(__file__).parent / "readers" / "worker.py")]
    done = subprocess.run(
        command, input=json.dumps(task) + "\n", capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"{task}: {done.stderr.strip().splitlines()[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _report(rows: list, growth: list, given: argparse.Namespace, *, seconds: float) -> str:
    from common import machine, text

    lines = ["# How fast chain files are read", ""]
    lines += text.paragraph(
        f"Made by `{given.command}` in {seconds:.0f} seconds on {machine.sentence()}. Machines differ: "
        "take the ratios."
    )
    lines += ["", *text.markdown(
        ["format", "file", "lines", "options", "lines a second", "options a second", "bare read", "ratio",
         "peak MB"],
        [
            [
                f"`{name}`", f"{path.suffix[1:]}, {size / 1e6:,.1f} MB",
                f"{count:,}", f"{ours['count']:,}", f"{count / ours['seconds']:,.0f}",
                f"{ours['count'] / ours['seconds']:,.0f}", f"{count / bare['seconds']:,.0f}", f"{ratio:.2f}",
                f"{ours['peak'] / 1e6:,.0f}",
            ]
            for name, path, size, count, ours, bare, ratio in rows
        ],
    ), ""]  # fmt: skip
    lines += text.paragraph(
        "`lines` are those of the file (records of a JSON), `options` what they hold: formats with a call "
        "and a put on each row give two. Ours is everything from the bytes to canonical quotes with a "
        "session: decompression, recognition, parsing, option symbols, expiry instants, units, evidence. The "
        "bare read is `pyarrow.csv.read_csv` or `pyarrow.parquet.read_table` on one thread, which makes a "
        "table of what is written and nothing of it, and `json.loads` for JSON. The best of "
        f"{given.rounds} rounds, processor time, each in a process of its own bound to one core, after one "
        "read that is not counted."
    )
    if growth:
        first = growth[0][2]["seconds"]
        lines += ["", "## Memory as a file grows", "", *text.markdown(
            ["file", "bytes", "options", "time", "peak MB"],
            [
                [f"x {times}", f"{size:,}", f"{found['count']:,}", f"x {found['seconds'] / first:.2f}",
                 f"{found['peak'] / 1e6:,.0f}"]
                for times, size, found in growth
            ],
        ), ""]  # fmt: skip
        lines += text.paragraph("Read a piece at a time (`volskew.quotes.iter_file`), nothing kept.")
    return "\n".join(lines) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small files, one round, printed only")
    parser.add_argument("--only", nargs="+", default=[], help="these formats alone, printed only")
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/readers.md)")
    given = parser.parse_args()
    if given.out is None and not given.quick and not given.only:
        given.out = ROOT / "docs" / "readers.md"
    given.rounds = 1 if given.quick else _ROUNDS
    chosen = " --only " + " ".join(given.only) if given.only else ""
    given.command = "python3 benchmarks/readers.py" + " --quick" * given.quick + chosen
    return given


if __name__ == "__main__":
    sys.exit(main())
