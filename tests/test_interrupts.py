"""Ctrl-C at any moment of a run in several processes: it ends, soon, and says no more than that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from volskew.errors import DataQualityWarning
from volskew.ledger import Code
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface
from volskew.workflow import measure as second_pass
from volskew.workflow.gather import gather
from volskew.workflow.request import Request

_QUOTES = Path(__file__).parents[1] / "chains" / "quotes"
_FILES = sorted(_QUOTES.glob("IWM_*.csv.gz"))[-4:]


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell has interrupts ignored by what it runs in its background, and so by all started here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


_RUN = """
import sys
from volskew import cli
from volskew.workflow import measure

begin = measure._no_interrupt

def told():
    print("starting", file=sys.stderr, flush=True)
    return begin()

measure._no_interrupt = told

if __name__ == "__main__":
    sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups")
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.5, 1.5])
def test_an_interrupt_while_workers_start_ends_the_run(delay: float, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_RUN)
    with subprocess.Popen(
        [sys.executable, str(program), "measure", *map(str, _FILES), "--jobs", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stderr is not None
        told = iter(run.stderr.readline, "")
        assert any(line == "starting\n" for line in told)
        time.sleep(delay)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the workers too
        try:
            # to the end of stderr, which the workers hold too: none is left
            _, rest = run.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            raise
        assert (run.returncode, rest.strip()) == (130, "Stopped.")


def test_an_interrupt_is_kept_to_the_end_of_the_block() -> None:
    reached = []

    def work() -> None:
        with second_pass._no_interrupt():
            signal.raise_signal(signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(True)
        reached.append(False)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_block_in_another_thread_leaves_the_handler() -> None:
    handlers = []

    def work() -> None:
        with second_pass._no_interrupt():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]


def _die(*_: object) -> None:
    os._exit(1)


def test_a_dead_worker_costs_a_warning_and_no_day(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, request = Settings(), Request()
    units = gather(_FILES[:2], settings=settings).units
    monkeypatch.setattr(second_pass, "_begin_work", _die)
    with pytest.warns(DataQualityWarning, match="a worker process died"):
        readings, _ = second_pass.measure_units(units, request=request, settings=settings, jobs=2)
    assert len(readings) == 2


def test_an_error_that_nobody_foresaw_costs_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []

    def fails_once(quotes: pd.DataFrame, **others: Any) -> Surface:
        fitted.append(quotes["source_file"].iloc[0])
        if len(fitted) == 1:
            raise KeyError("a\nkey")
        return fit_surface(quotes, **others)

    monkeypatch.setattr(second_pass, "fit_surface", fails_once)
    result = second_pass.measure_files(_FILES[:2])
    (entry,) = [entry for entry in result.ledger if entry.code == Code.UNEXPECTED]
    assert entry.source == fitted[0]
    assert entry.detail.startswith("KeyError: 'a\\nkey' (at workflow/measure.py:")
    assert "> tests/test_interrupts.py:" in entry.detail
    assert len(result.readings) == 1
    assert result.exit_code == 3
    assert second_pass.as_of_failures(result.ledger, None)
