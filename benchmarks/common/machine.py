"""What a reader needs to know of the machine; neither its name nor its folders."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def flags() -> set[str]:
    found = re.search(r"^flags\s*:(.*)$", _text(), flags=re.MULTILINE)
    return set(found.group(1).split()) if found else set()


def _text() -> str:
    file = Path("/proc/cpuinfo")
    return file.read_text(encoding="utf-8") if file.exists() else ""


def sentence() -> str:
    model = re.search(r"^model name\s*:\s*(.*)$", _text(), flags=re.MULTILINE)
    known = flags()
    instructions = ", ".join(f"{name} {'yes' if name in known else 'no'}" for name in ("avx2", "avx512f"))
    cpus = len(os.sched_getaffinity(0))
    return (
        f"{model.group(1) if model else platform.machine()} ({instructions}), {cpus} CPU{'s' * (cpus > 1)}, "
        f"{platform.system()}"
    )
