"""The bootstrap: its refusals, its stamp, and how little it costs once the environment stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import _bootstrap
import pytest

_SCRIPTS = Path(_bootstrap.__file__).parent


def _start(root: Path, *, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Start a script of a copied tree with the base Python, as on a fresh machine."""
    scripts = root / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    (scripts / "_bootstrap.py").write_text((_SCRIPTS / "_bootstrap.py").read_text())
    (scripts / "hello.py").write_text(
        "import _bootstrap\n_bootstrap.ensure()\nimport sys\nprint('prefix', sys.prefix)\n"
    )
    base = getattr(sys, "_base_executable", sys.executable)
    cleared = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "VIRTUAL"))}
    return subprocess.run(
        [base, str(scripts / "hello.py")],
        capture_output=True,
        text=True,
        check=False,
        env={**cleared, **(environment or {})},
    )


def test_an_old_python_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_bootstrap, "MINIMUM", (99, 0))
    with pytest.raises(SystemExit) as stopped:
        _bootstrap.ensure()
    assert stopped.value.code == 1
    assert "volskew needs Python 99.0 or newer" in capsys.readouterr().err


def test_this_very_environment_is_used_as_it_is() -> None:
    _bootstrap.ensure("test")  # returns: the environment that runs the tests holds this tree


def test_another_tree_in_the_active_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bootstrap, "ROOT", "/somewhere/else")
    assert not _bootstrap._active_environment_serves(())


@pytest.mark.slow
def test_unreachable_packages_give_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["no-such-backend"]\nbuild-backend = "nothing"\n'
    )
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "0",
        "PIP_TIMEOUT": "1",
    }
    done = _start(tmp_path, environment=nowhere)
    assert done.returncode == 1
    assert "could not be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv" / ".volskew-stamp").exists()


@pytest.mark.slow
def test_a_current_stamp_means_no_work_and_a_stale_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(_bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(_bootstrap, "ENVIRONMENT", str(tmp_path / ".venv"))
    assert not _bootstrap._stamp_is_current(())
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".volskew-stamp").write_text(f"{_bootstrap._stamp()} test")
    assert _bootstrap._stamp_is_current(())
    assert _bootstrap._stamp_is_current(("test",))
    assert not _bootstrap._stamp_is_current(("dev",))
    (tmp_path / "pyproject.toml").write_text("[project]\nname='changed'\n")
    assert not _bootstrap._stamp_is_current(())


def test_the_bootstrap_needs_the_standard_library_only() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import _bootstrap; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(_SCRIPTS)], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded <= {*sys.stdlib_module_names, "_bootstrap", "__main__", "sitecustomize"}
