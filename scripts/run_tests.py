#!/usr/bin/env python3
"""Run the tests: all of them, or a quick tier.

    python3 scripts/run_tests.py             everything, which takes a while
    python3 scripts/run_tests.py --quick     without the slow ones
    python3 scripts/run_tests.py tests/ranking -k verdict    anything else goes to pytest

Sets up its own environment on the first start. Tests on real market data look for a folder beside the
project, or the one named by VOLSKEW_REAL_DATA, and are skipped with that reason where there is none.
"""

from __future__ import annotations

import os
import subprocess
import sys

import _bootstrap


def main() -> int:
    """Run pytest on two processes or more."""
    _bootstrap.ensure("test")
    arguments = sys.argv[1:]
    if "--quick" in arguments:
        arguments.remove("--quick")
        arguments = ["-m", "not slow", *arguments]
    workers = max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2))
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "--dist", "worksteal", *arguments]
    return subprocess.run(command, cwd=_bootstrap.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
