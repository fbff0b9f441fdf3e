"""One process that reads files when told to, ours or bare, and says how long it took and how much memory."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    """Answer one line of JSON for each: ``{"how": ..., "path": ..., "format": ...}``."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for line in sys.stdin:
        asked = json.loads(line)
        read = _WAYS[asked["how"]]
        read(asked["path"], asked.get("format"))  # once before: imports, the calendar, the file in memory
        times = []
        for _ in range(asked["rounds"]):
            gc.collect()
            started = time.process_time()
            count = read(asked["path"], asked.get("format"))
            times.append(time.process_time() - started)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        print(json.dumps({"seconds": min(times), "count": count, "peak": peak}), flush=True)


def _ours(path: str, format_name: str | None) -> int:
    from volskew.quotes import iter_file

    return sum(reading.lines_read for reading in iter_file(path, format=format_name))


def _bare(path: str, _format: str | None) -> int:
    """The quickest that a general library does with such a file: Arrow for tables, the json module."""
    kind = Path(path).suffix
    if kind == ".json":
        json.loads(Path(path).read_bytes())
        return 0
    if kind == ".parquet":
        import pyarrow.parquet

        return int(pyarrow.parquet.read_table(path, use_threads=False).num_rows)
    import pyarrow.csv

    options = pyarrow.csv.ReadOptions(use_threads=False)
    footers = pyarrow.csv.ParseOptions(invalid_row_handler=lambda _row: "skip")
    return int(pyarrow.csv.read_csv(path, read_options=options, parse_options=footers).num_rows)


_WAYS: dict[str, Callable[[str, str | None], int]] = {"ours": _ours, "bare": _bare}

if __name__ == "__main__":
    main()
