"""Locks that make a fork wait until no thread is importing or compiling on this library's behalf.

Names of the library are imported when they are first used, and kernels are compiled then. A child forked
while another thread is at it would inherit locks (of the import system, of numba's compiler) that nobody is
left to release. So all of that is done under the locks here, and a fork takes them first.

The hooks of a fork run in the reverse order of their registration. Those of `logging` and of thread pools
take locks that an import may want, so both are imported here: the locks of this library are then taken before
theirs.

One registration, made as early as the library itself, serves all locks: hooks that were registered during a
fork would be run for its second half only.
"""

from __future__ import annotations

import concurrent.futures.thread
import logging
import os
import threading
from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["hold_during_fork", "importing"]

_REGISTERED_BEFORE = (concurrent.futures.thread, logging)


class _Lock(Protocol):
    def acquire(self) -> object: ...

    def release(self) -> object: ...


_importing = threading.RLock()
importing: AbstractContextManager[object] = _importing
"""Held around imports at first use: ``with importing: from volskew.pricing import ...``."""

_others: list[_Lock] = []
_taken: list[list[_Lock]] = []


def hold_during_fork(lock: _Lock) -> None:
    """Let forks from now on take `lock` too; call it under `importing`."""
    _others.append(lock)


def _before() -> None:
    _importing.acquire()
    taken = list(_others)
    for lock in taken:
        lock.acquire()
    _taken.append(taken)


def _after() -> None:
    for lock in reversed(_taken.pop()):
        lock.release()
    _importing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
