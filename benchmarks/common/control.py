"""A control in the run: whether two CPUs were free whenever an engine was timed with two threads."""

from __future__ import annotations

import hashlib
import statistics
import threading
import time

# Figures are marked as disturbed below this gain of the control, below this share of a CPU for the busiest
# engine with one thread, or above this spread of our own rounds.
LEAST_GAIN = 1.6
LEAST_BUSY = 0.9
LARGEST_SPREAD = 1.5

_SECONDS = 0.05
_BLOCK = bytes(1 << 20)


class Control:
    """SHA-256 of a block over and over, by one thread and then by two: on two free CPUs the gain is 2.

    Hashing needs no lock of the interpreter and next to no memory traffic, so only the CPUs can limit it.
    """

    def __init__(self) -> None:
        self.gains: list[float] = []
        self._repeats = max(1, round(_SECONDS / min(_wall(1, 4) / 4 for _ in range(3))))

    def trial(self) -> None:
        alone = _wall(1, self._repeats)
        self.gains.append(2 * alone / _wall(2, self._repeats))

    def median(self) -> float:
        return statistics.median(self.gains)


def _wall(threads: int, repeats: int) -> float:
    def work() -> None:
        for _ in range(repeats):
            hashlib.sha256(_BLOCK).digest()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started


class Steady:
    """The same work by one thread over and over, which on an undisturbed CPU always takes the same time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._repeats = max(1, round(_SECONDS / min(_wall(1, 4) / 4 for _ in range(3))))

    def trial(self) -> None:
        self.seconds.append(_wall(1, self._repeats))

    def spread(self) -> float:
        """The median over the quickest."""
        return statistics.median(self.seconds) / min(self.seconds) if self.seconds else 1.0
