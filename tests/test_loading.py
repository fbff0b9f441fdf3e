"""A fork while another thread imports or compiles: in fresh processes, where nothing is imported yet."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from volskew import loading

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

FIRST_CALL = """
import os, sys, threading, time
START
def solve():
    return CALL(3.99, forward=100.0, strike=100.0, time_to_expiry=0.25, is_call=True).vol
threads = [threading.Thread(target=solve) for _ in range(4)]
for thread in threads:
    thread.start()
time.sleep(DELAY)
child = os.fork()
if child == 0:
    os._exit(0 if abs(solve() - 0.2001) < 1e-3 else 1)
for _ in range(300):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
    sys.exit("the child hangs")
for thread in threads:
    thread.join()
sys.exit(status >> 8)
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1, 0.2])
@pytest.mark.parametrize(
    ("start", "call"),
    [
        ("import volskew as vs", "vs.black.implied_vol"),
        ("from volskew.pricing import black", "black.implied_vol"),
    ],
)
def test_a_child_forked_during_the_first_call_works(start: str, call: str, delay: float) -> None:
    # Python 3.12 and later warn of every fork beside threads
    program = FIRST_CALL.replace("START", start).replace("CALL", call).replace("DELAY", str(delay))
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def test_a_lock_that_joins_during_a_fork_is_not_released_by_it() -> None:
    events: list[str] = []

    class Lock:
        def __init__(self, name: str) -> None:
            self.name = name

        def acquire(self) -> None:
            events.append(f"+{self.name}")

        def release(self) -> None:
            events.append(f"-{self.name}")

    before = list(loading._others)
    try:
        loading._others[:] = [Lock("a")]
        loading._before()
        loading.hold_during_fork(Lock("b"))
        loading._after()
        loading._before()
        loading._after()
    finally:
        loading._others[:] = before
    assert events == ["+a", "-a", "+a", "+b", "-b", "-a"]
