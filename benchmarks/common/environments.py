"""A virtual environment for each peer, made once with pip and kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

# What each environment holds. numba, numpy and pandas are named where another version is known to break the
# peer or to change its speed.
_NUMERIC = ("numpy==2.4.6", "scipy==1.17.1")
_COMPILED = (*_NUMERIC, "numba==0.68.1", "pandas==3.1.1")
REQUIREMENTS = {
    "mpmath": ("mpmath>=1.3",),
    "vollib": ("vollib==1.0.11", *_NUMERIC),
    "fast-vollib": ("fast-vollib==0.2.4", *_COMPILED),
    "py_vollib_vectorized": (
        "py_vollib_vectorized==0.1.1",
        "py_vollib==1.0.1",
        "py_lets_be_rational==1.0.1",
        *_COMPILED,
    ),
    "QuantLib": ("QuantLib==1.44", *_NUMERIC),
    "scipy": _NUMERIC,
    "fastvol": ("fastvol==0.1.1", "numpy==2.4.6"),
    "gs-quant": ("gs-quant==2.2.1", *_NUMERIC, "pandas==3.1.1"),
    "oipd": ("oipd==2.0.4", *_NUMERIC, "pandas==3.1.1"),
}

# A build for the CPU alone: with a CUDA compiler but no CUDA libraries beside it, fastvol's looks for them on
# the whole disk, and then fails.
_VARIABLES = {"fastvol": {"PATH": "/usr/bin:/bin", "FASTVOL_CUDA_ENABLED": "0"}}

_LONGEST = 1800.0
"""[s] What an environment may take to be made."""

PYTHON_NEEDS = (
    "Python 3.11 or newer with pip, and the first time a package index, 2 GB of disk and a few minutes for "
    "the peers' environments"
)


class InstallationError(RuntimeError):
    """pip could not fill an environment; the message is its reason in one line."""


def default_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "volskew" / "benchmarks"


def python_of(name: str, folder: Path) -> str:
    """The Python of the environment called `name`, which is made first where it is missing or out of date."""
    place = folder / name
    python = place / "bin" / "python"
    wanted = " ".join([*REQUIREMENTS[name], "{}.{}".format(*sys.version_info[:2]), str(place)])
    stamp = place / "stamp"
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return str(python)
    refusal = place.with_name(f"{name}.failed")
    if refusal.exists():
        said, _, reason = refusal.read_text(encoding="utf-8").partition("\n")
        if said == digest:
            msg = f"{reason} (found before; remove the file {refusal.name} to try again)"
            raise InstallationError(msg)
    print(f"Making the environment of {name} (once) ...", file=sys.stderr, flush=True)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    venv.EnvBuilder(with_pip=False, symlinks=True).create(place)
    settings = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    settings.update(_VARIABLES.get(name, {}))
    for variable in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONPATH", "PYTHONHOME"):
        settings.pop(variable, None)  # each would send the packages elsewhere
    command = [_python_with_pip(), "-m", "pip", "--python", str(python), "install", "--quiet"]
    try:
        done = subprocess.run(
            [*command, *REQUIREMENTS[name]],
            env=settings,
            check=False,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
        )
        complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = complaints[-1].removeprefix("ERROR: ") if complaints else "pip failed"
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        failed, reason = True, f"its installation did not end within {_LONGEST / 60:.0f} minutes"
    if failed:
        shutil.rmtree(place, ignore_errors=True)
        if "wheel" in reason:  # a build that fails will do so again, at length
            refusal.write_text(f"{digest}\n{reason}", encoding="utf-8")
        raise InstallationError(reason)
    refusal.unlink(missing_ok=True)
    stamp.write_text(digest, encoding="ascii")
    return str(python)


def _python_with_pip() -> str:
    """This Python, or the one its environment was made from: environments of this project have no pip."""
    for python in (sys.executable, getattr(sys, "_base_executable", sys.executable)):
        probe = subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True)
        if probe.returncode == 0:
            return python
    base = Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info[:2])
    probe = subprocess.run([base, "-m", "pip", "--version"], check=False, capture_output=True)
    if probe.returncode == 0:
        return str(base)
    msg = "no pip in this Python (Debian: apt-get install python3-pip)"
    raise InstallationError(msg)
