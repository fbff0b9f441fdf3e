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
    "QuantLib": ("QuantLib==1.44", "numpy==2.4.6"),
    "scipy": _NUMERIC,
}

NEEDS = (
    "gcc with libquadmath on x86-64, Python 3.11 or newer with pip, and the first time a package index, 2 GB "
    "of disk and a few minutes for the peers' environments"
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
    print(f"Making the environment of {name} (once) ...", file=sys.stderr, flush=True)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    venv.EnvBuilder(with_pip=False, symlinks=True).create(place)
    settings = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    for variable in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONPATH", "PYTHONHOME"):
        settings.pop(variable, None)  # each would send the packages elsewhere
    command = [_python_with_pip(), "-m", "pip", "--python", str(python), "install", "--quiet"]
    done = subprocess.run(
        [*command, *REQUIREMENTS[name]], env=settings, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise InstallationError(complaints[-1].removeprefix("ERROR: ") if complaints else "pip failed")
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
