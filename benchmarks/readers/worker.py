"""One process that reads files when told to, ours or bare, and says how long it took and how much memory."""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

_TITLES = 5
"""The header is among the first lines, the widest of them."""

Read = Callable[[], tuple[int, int]]
"""Reads and gives the lines of the files, and of ours those that became quotes."""


def main() -> None:
    """Take one line of JSON, ``{"how": ..., "path": ..., ...}``, and answer each further line with a read."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    asked = json.loads(sys.stdin.readline())
    read = _WAYS[asked["how"]](asked)
    read()  # once before: imports, the calendar, the file in memory
    print("ready", flush=True)
    for _ in sys.stdin:
        gc.collect()
        started = time.process_time()
        lines, quotes = read()
        seconds = time.process_time() - started
        print(json.dumps({"seconds": seconds, "lines": lines, "quotes": quotes, "peak": _peak()}), flush=True)


def _peak() -> int:
    """The most memory that this process had [bytes]; getrusage counts that of its parent too on Linux."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s*([0-9]+) kB", status.read_text())):
        return 1024 * int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _ours(asked: dict[str, str]) -> Read:
    from volskew.quotes import iter_file

    def read() -> tuple[int, int]:
        lines = quotes = 0
        for reading in iter_file(asked["path"], format=asked["format"]):
            lines += reading.lines_read
            quotes += len(reading.quotes)
        return lines, quotes

    return read


def _bare(asked: dict[str, str]) -> Read:
    """The quickest that a general library does with such files: Arrow for tables, the json module."""
    reads = [_bare_file(Path(path)) for path in (asked["path"], *asked["beside"])]

    def read() -> tuple[int, int]:
        lines, *_ = [one() for one in reads]
        return lines, 0

    return read


def _bare_file(path: Path) -> Callable[[], int]:
    if path.suffix == ".json":
        return lambda: _documents(path.read_bytes())
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return lambda: int(pyarrow.parquet.read_table(path, use_threads=False).num_rows)
    import pyarrow.csv

    with path.open("rb") as stream:
        first = [stream.readline().count(b",") for _ in range(_TITLES)]
    # what stands above the header, and a header that ends in a comma, are nothing to Arrow
    options = pyarrow.csv.ReadOptions(
        use_threads=False, skip_rows=first.index(max(first)) + 1, autogenerate_column_names=True
    )
    footers = pyarrow.csv.ParseOptions(invalid_row_handler=lambda _row: "skip")
    return lambda: int(pyarrow.csv.read_csv(path, read_options=options, parse_options=footers).num_rows)


def _documents(data: bytes) -> int:
    """One document, or one a line."""
    try:
        json.loads(data)
    except json.JSONDecodeError:
        return len([json.loads(line) for line in data.splitlines()])
    return 1


_WAYS: dict[str, Callable[[dict[str, str]], Read]] = {"ours": _ours, "bare": _bare}

if __name__ == "__main__":
    main()
