#!/usr/bin/env python3
"""Lint, formatting, types and import contracts; nothing is changed.

python3 scripts/run_checks.py
"""

from __future__ import annotations

import os
import subprocess
import sys

import _bootstrap

_TOOLS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
)


def main() -> int:
    """Run every tool, even after one has failed, and return 1 if any did."""
    _bootstrap.ensure("dev", "test")
    programs = os.path.dirname(sys.executable)
    failed = []
    for tool in _TOOLS:
        print("$", *tool, flush=True)
        command = [os.path.join(programs, tool[0]), *tool[1:]]
        if subprocess.run(command, cwd=_bootstrap.ROOT, check=False).returncode != 0:
            failed.append(" ".join(tool))
    if failed:
        print("failed:", ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
