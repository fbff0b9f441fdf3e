"""Run a script of this tree in an environment that holds this tree and what it needs.

Standard library only, and quick: every start of a script passes through `ensure`. The first start makes
``.venv`` beside this folder, installs the tree into it (editable) and writes a stamp, a hash of
pyproject.toml, the Python version and the tree's place. Later starts compare the stamp and re-execute.

The environment is made without ensurepip, which Debian splits off, and filled by the pip of the Python that
was started (``pip --python``, pip 22.3 or newer).
"""

from __future__ import annotations

import os
import sys

MINIMUM = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVIRONMENT = os.path.join(ROOT, ".venv")
# What proves that an active environment can run this tree: its own package and what is imported first.
_WITNESSES = {
    "": ("numpy", "scipy", "pandas", "pyarrow", "sqlalchemy", "click", "rich", "exchange_calendars"),
    "test": ("pytest", "hypothesis", "xdist"),
    "dev": ("ruff", "mypy", "importlinter"),
}


def ensure(*extras: str) -> None:
    """Return only in an environment that has this tree and `extras`; else make one and re-execute there.

    Parameters
    ----------
    *extras : str
        Optional-dependency groups of pyproject.toml that the script needs ("test", "dev").
    """
    if sys.version_info[:2] < MINIMUM:
        _fail(
            "volskew needs Python {}.{} or newer; this is {} ({}).".format(
                *MINIMUM, sys.version.split()[0], sys.executable
            ),
            "Start the script with a newer Python, for example: python3.11 " + " ".join(sys.argv),
        )
    if _inside_own_environment():
        if _stamp_is_current(extras):
            return
        # Started by the environment's own Python after pyproject.toml changed: its base Python mends it.
        python = getattr(sys, "_base_executable", None) or sys.executable
        if os.path.realpath(python) == os.path.realpath(sys.executable) and not _has_pip():
            _fail("The environment is out of date.", "Start this script with python3 instead.")
        _install(extras, base_python=python)
        return
    if _active_environment_serves(extras):
        return
    if not (_stamp_is_current(extras) and os.access(_python(), os.X_OK)):
        _install(extras, base_python=sys.executable)
    _reexecute()


def _inside_own_environment() -> bool:
    return os.path.realpath(sys.prefix) == os.path.realpath(ENVIRONMENT)


def _active_environment_serves(extras: tuple[str, ...]) -> bool:
    """Whether the running Python already has this very tree installed, and what it needs."""
    from importlib.util import find_spec

    spec = find_spec("volskew")
    if spec is None or not spec.origin:
        return False
    if os.path.realpath(spec.origin) != os.path.realpath(os.path.join(ROOT, "volskew", "__init__.py")):
        return False
    return all(find_spec(name) is not None for group in ("", *extras) for name in _WITNESSES[group])


def _python() -> str:
    if os.name == "nt":
        return os.path.join(ENVIRONMENT, "Scripts", "python.exe")
    return os.path.join(ENVIRONMENT, "bin", "python")


def _stamp() -> str:
    from hashlib import sha256

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        content = file.read()
    version = "{}.{}".format(*sys.version_info[:2])
    return sha256(content + b"\0" + version.encode() + b"\0" + ROOT.encode()).hexdigest()


def _installed_extras() -> set[str] | None:
    """The groups that .venv holds for the pyproject.toml of today, or None where it is out of date."""
    try:
        with open(os.path.join(ENVIRONMENT, ".volskew-stamp"), encoding="ascii") as file:
            stamp, *extras = file.read().split()
    except (OSError, ValueError):
        return None
    return set(extras) if stamp == _stamp() else None


def _stamp_is_current(extras: tuple[str, ...]) -> bool:
    installed = _installed_extras()
    return installed is not None and installed.issuperset(extras)


def _has_pip() -> bool:
    from importlib.util import find_spec

    return find_spec("pip") is not None


def _install(extras: tuple[str, ...], *, base_python: str) -> None:
    """Make or mend the environment; one process at a time, the others wait and find it done."""
    import shutil
    import subprocess
    import time
    import venv

    with _Lock(ENVIRONMENT + ".lock"):
        if _stamp_is_current(extras) and os.access(_python(), os.X_OK):
            return
        started = time.monotonic()
        groups = sorted({*extras, *(_installed_extras() or ())})
        what = "volskew" + (f"[{','.join(groups)}]" if groups else "")
        _say(f"Setting up {what} in {ENVIRONMENT} (once; a minute or two) ...")
        if not _inside_own_environment() and not _environment_is_sound():
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(ENVIRONMENT)
        target = ROOT + (f"[{','.join(sorted(extras))}]" if extras else "")
        command = [
            base_python,
            "-m",
            "pip",
            "--python",
            _python(),
            "install",
            "--quiet",
            "--editable",
            target,
        ]
        quiet = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
        for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONPATH", "PYTHONHOME"):
            quiet.pop(name, None)  # each would send the packages elsewhere
        done = subprocess.run(
            command, env=quiet, check=False, capture_output=True, text=True, errors="replace"
        )
        if done.returncode != 0:
            _explain(done.stderr or done.stdout, base_python)
        with open(os.path.join(ENVIRONMENT, ".volskew-stamp"), "w", encoding="ascii") as file:
            file.write(" ".join([_stamp(), *groups]))
        _say(f"Ready after {time.monotonic() - started:.0f} s.")


def _environment_is_sound() -> bool:
    """Whether .venv exists and runs the same minor version as this Python."""
    import subprocess

    if not os.access(_python(), os.X_OK):
        return False
    try:
        out = subprocess.run(
            [_python(), "-c", "import sys; print(*sys.version_info[:2])"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return out.split() == [str(part) for part in sys.version_info[:2]]


def _explain(output: str, base_python: str) -> None:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    tail = lines[-6:]
    if any("No module named pip" in line for line in lines):
        _fail(
            f"{base_python} has no pip.", "Install it (Debian: apt-get install python3-pip) and start again."
        )
    if any("no such option: --python" in line for line in lines):
        _fail(f"The pip of {base_python} is older than 22.3.", "Upgrade it and start again.")
    unreachable = (
        "Could not find a version",
        "No matching distribution",
        "ConnectionError",
        "NewConnectionError",
        "Temporary failure",
        "Max retries",
        "Connection refused",
        "Network is unreachable",
        "ProxyError",
        "timed out",
    )
    reason = (
        "The packages that volskew needs could not be reached."
        if any(word in line for word in unreachable for line in lines)
        else "Installing volskew failed."
    )
    _fail(
        reason + " pip said:",
        *("  " + line for line in tail),
        "The first start needs a package index (pip's own settings are used); later starts work offline.",
    )


def _reexecute() -> None:
    command = [_python(), *_interpreter_options(), *sys.argv]
    environment = dict(os.environ, VIRTUAL_ENV=ENVIRONMENT)
    environment.pop("PYTHONHOME", None)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # execve on Windows returns to the shell before the new process ends
        import subprocess

        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def _interpreter_options() -> list[str]:
    """The options this interpreter was started with (-W error, -X dev), so that they are not lost."""
    options = [part for warning in sys.warnoptions for part in ("-W", warning)]
    for name, value in getattr(sys, "_xoptions", {}).items():
        options += ["-X", name if value is True else f"{name}={value}"]
    return options


class _Lock:
    """An exclusive lock on a file beside the environment, where the system has one."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        try:
            self._file = open(self._path, "w", encoding="ascii")
        except OSError as error:
            _fail(
                f"{ROOT} cannot be written to, so no environment can be made there: {error.strerror}.",
                "Copy the tree to a folder of yours, or install it: pip install .",
            )
        try:
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_EX)
        except ImportError:  # Windows: two first starts at once are not guarded
            pass

    def __exit__(self, *_exception: object) -> None:
        self._file.close()
        import contextlib

        with contextlib.suppress(OSError):
            os.unlink(self._path)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _fail(*lines: str) -> None:
    for line in lines:
        _say(line)
    sys.exit(1)
