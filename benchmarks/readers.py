#!/usr/bin/env python3
"""Lines a second of every reader, beside a bare read of the same bytes by Arrow, in one run on one core.

    python3 benchmarks/readers.py            every format, full size; writes docs/readers.md
    python3 benchmarks/readers.py --quick    every format, files of a fortieth of the lines; prints
    python3 benchmarks/readers.py --only optionsdx    these formats alone, full size; prints

--quick and --only go together, and --out FILE writes what either prints. The files are invented, in each
vendor's own shape (benchmarks/vendor_files). Tables of full size are wanted at half of Arrow's speed: those
that are slower are named at the end. A file of which a line is refused is not timed but an error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

_ROUNDS = 5
_TABLE = {"days": 60, "strikes": 50, "expiries": 20}
"""120,000 option lines."""
_ONE_DAY = {"days": 1, "strikes": 500, "expiries": 20, "step": 1.0}
"""20,000 option lines: as many as the largest underlyings have on a day."""
_JSON = {"days": 5, "strikes": 50, "expiries": 20}
_JSON_DAY = {"days": 1, "strikes": 250, "expiries": 20, "step": 1.0}
"""10,000 option lines."""
_GROWTH = (1, 4, 16)
_WANTED = 0.5
"""Of Arrow's own speed: 1.5 million lines a second where Arrow reads 3."""


@dataclass(frozen=True)
class _Chain:
    """A file to read, and those beside it that are read with it."""

    format: str
    path: Path
    beside: tuple[Path, ...]
    size: int
    is_table: bool
    asked_as: str | None

    @property
    def is_text(self) -> bool:
        return self.is_table and self.path.suffix != ".parquet"


@dataclass(frozen=True)
class _Timing:
    """The best of several rounds, and the most memory of all."""

    seconds: float
    lines: int
    quotes: int
    peak: int


def main() -> int:
    """Write the files, time them, print and write the page."""
    given = _arguments()
    _bootstrap.ensure()
    from vendor_files import shapes

    known = shapes()
    unknown = [name for name in given.only if name not in known]
    if unknown:
        raise SystemExit(f"no such format: {', '.join(unknown)}; known are {', '.join(known)}")
    started = time.monotonic()
    rows: list[tuple[_Chain, _Timing, _Timing]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.only or known:
            for chain in _chains(name, known[name], Path(scratch) / name, small=given.quick):
                print(f"{name}: {chain.path.name} ...", file=sys.stderr, flush=True)
                rows.append((chain, *_timed(chain, given.rounds)))
        growth = _growth(Path(scratch), small=given.quick) if not given.only else []
    text = _report(rows, growth, given, seconds=time.monotonic() - started)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    for chain, ours, bare in rows:
        ratio = bare.seconds / ours.seconds
        if not given.quick and chain.is_text and ratio < _WANTED:
            print(f"{chain.format}, {chain.path.name}: {ratio:.2f} of Arrow's speed", file=sys.stderr)
    return 0


def _chains(name: str, shape: Any, folder: Path, *, small: bool) -> Iterator[_Chain]:
    """The shape's own chain files: tables of many lines and JSON of fewer."""
    from vendor_files.board import board

    one_day = getattr(shape, "ONE_DAY", False)  # shapes of one snapshot a file
    for kind, size in (("table", _ONE_DAY if one_day else _TABLE), ("json", _JSON_DAY if one_day else _JSON)):
        place = folder / kind
        place.mkdir(parents=True)
        size = {**(_small(size) if small else size), **getattr(shape, "BOARD", {})}  # noqa: PLW2901
        written = shape.write(board(**size), place)
        chains = getattr(shape, "CHAINS", len(written))
        for path in written[:chains]:
            if (path.suffix == ".json") == (kind == "json"):
                beside = () if path.name in getattr(shape, "ALONE", ()) else tuple(written[chains:])
                n_bytes = sum(one.stat().st_size for one in (path, *beside))
                yield _Chain(name, path, beside, n_bytes, kind == "table", getattr(shape, "FORMAT", None))


def _small(size: dict[str, Any]) -> dict[str, Any]:
    """A fortieth of the lines."""
    days = max(size["days"] // 20, 1)
    return {**size, "days": days, "strikes": max(size["strikes"] * size["days"] // (40 * days), 5)}


def _timed(chain: _Chain, rounds: int) -> tuple[_Timing, _Timing]:
    """Ours and bare in turn, so that both meet the machine in the same mood."""
    asked = {"path": str(chain.path), "beside": [*map(str, chain.beside)], "format": chain.asked_as}
    with _worker({"how": "ours", **asked}) as ours, _worker({"how": "bare", **asked}) as bare:
        answers = [(_read_once(ours), _read_once(bare)) for _ in range(rounds)]
    found = tuple(map(_best, zip(*answers, strict=True)))
    if not found[0].lines or found[0].quotes != found[0].lines:
        raise SystemExit(f"{chain.path.name}: {found[0].quotes} of {found[0].lines} lines became quotes")
    return found[0], found[1]


def _best(answers: tuple[dict[str, Any], ...]) -> _Timing:
    first = answers[0]
    seconds, peak = (how(answer[key] for answer in answers) for how, key in ((min, "seconds"), (max, "peak")))
    return _Timing(seconds, first["lines"], first["quotes"], peak)


@contextmanager
def _worker(task: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """A process of its own for each: its memory is then its own too."""
    command = [sys.executable, str(Path(__file__).parent / "readers" / "worker.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        _ask(process, json.dumps(task))
        yield process
        if process.stdin is not None:
            process.stdin.close()


def _read_once(process: subprocess.Popen[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_ask(process, "again"))
    return answer


def _ask(process: subprocess.Popen[str], line: str) -> str:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("a worker without pipes")
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"{line}: {process.stderr.read().strip().splitlines()[-1]}")
    return answer


def _growth(scratch: Path, *, small: bool) -> list[tuple[int, int, _Timing]]:
    """Peak memory and time of one format's file as it grows."""
    from vendor_files import optionsdx
    from vendor_files.board import board

    found = []
    for times in _GROWTH:
        place = scratch / f"grown{times}"
        place.mkdir()
        size = _small(_TABLE) if small else _TABLE
        (path,) = optionsdx.write(board(**{**size, "days": size["days"] * times}), place)
        with _worker({"how": "ours", "path": str(path), "beside": [], "format": None}) as ours:
            found.append((times, path.stat().st_size, _best((_read_once(ours),))))
        path.unlink()
    return found


def _report(rows: list, growth: list, given: argparse.Namespace, *, seconds: float) -> str:
    from common import machine, text

    lines = ["# How fast chain files are read", ""]
    lines += text.paragraph(
        f"Made by `{given.command}` in {seconds:.0f} seconds on {machine.sentence()}. Machines differ: "
        "take the ratios."
        + (" The files are small, so that what a file costs once weighs most." if given.quick else "")
    )
    lines += ["", *text.markdown(
        ["format", "file", "lines", "lines a second", "Arrow's lines a second", "ratio", "options a second",
         "peak MB"],
        [_row(chain, ours, bare) for chain, ours, bare in rows],
    ), ""]  # fmt: skip
    rounds = f"The best of {given.rounds} rounds, ours and bare in turn" if given.rounds > 1 else "One round"
    lines += text.paragraph(
        "`lines` are those of the file under its header, or the options in a JSON; formats with a call and a "
        "put on each row have two options a line. Ours is everything from the bytes to canonical quotes with "
        "a session: recognition, parsing, option symbols, expiry instants, units, evidence. The bare read is "
        "`pyarrow.csv.read_csv` or `pyarrow.parquet.read_table` on one thread, which makes a table of what "
        "is written and nothing of it, and `json.loads` for JSON. Both read the vendor's other tables where "
        f"the chain needs them. {rounds}, processor time, each in a process of its own bound to the same "
        "core, after a read that is not counted. `peak MB` is all memory of our process, its libraries' too."
    )
    if growth:
        first = growth[0][2].seconds
        lines += ["", "## Memory as a file grows", "", *text.markdown(
            ["file", "MB", "options", "time", "peak MB"],
            [
                [f"x {times}", f"{size / 1e6:,.1f}", f"{found.lines:,}", f"x {found.seconds / first:.2f}",
                 f"{found.peak / 1e6:,.0f}"]
                for times, size, found in growth
            ],
        ), ""]  # fmt: skip
        lines += text.paragraph(
            "An OptionsDX file, read a piece at a time (`volskew.quotes.iter_file`), nothing kept."
        )
    return "\n".join(lines) + "\n"


def _row(chain: _Chain, ours: _Timing, bare: _Timing) -> list[str]:
    lines = bare.lines if chain.is_table else ours.lines
    more = " and what is beside it" if chain.beside else ""
    return [
        f"`{chain.format}`", f"{chain.path.suffix[1:]}, {chain.size / 1e6:,.1f} MB{more}", f"{lines:,}",
        f"{lines / ours.seconds:,.0f}", f"{lines / bare.seconds:,.0f}", f"{bare.seconds / ours.seconds:.2f}",
        f"{ours.lines / ours.seconds:,.0f}", f"{ours.peak / 1e6:,.0f}",
    ]  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="files of a fortieth of the lines, one round")
    parser.add_argument("--only", nargs="+", default=[], metavar="FORMAT", help="these formats alone")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write; docs/readers.md for a run of everything"
    )
    given = parser.parse_args()
    if given.out is None and not given.quick and not given.only:
        given.out = ROOT / "docs" / "readers.md"
    given.rounds = 1 if given.quick else _ROUNDS
    chosen = " --only " + " ".join(given.only) if given.only else ""
    given.command = "python3 benchmarks/readers.py" + " --quick" * given.quick + chosen
    return given


if __name__ == "__main__":
    sys.exit(main())
