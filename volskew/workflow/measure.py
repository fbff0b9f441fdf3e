"""The second pass: units -> surfaces -> readings, in this process or in several."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from volskew.errors import DataQualityWarning, InputError, SettingsError, VolskewError
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.market import canonical_tenor, is_span
from volskew.measures import COLUMNS, missing
from volskew.measures.measure import history_frame, history_rows
from volskew.quotes.overrides import Overrides
from volskew.settings import Settings, settings_or_default
from volskew.surface import fit_surface
from volskew.workflow.conventions import headline_rows, measure_conventions, split_series
from volskew.workflow.gather import Inputs, PathLike, Progress, Unit, gather, no_progress
from volskew.workflow.prices import Prices, price_rows, price_table
from volskew.workflow.request import Request

__all__ = ["MeasureResult", "as_of_failures", "measure_files", "measure_units"]

_KEY = ["measure", "tenor", "delta"]
_SPAWN_WORTH = 60
"""Fewer units than this are done before a second process has imported what it needs."""
_GRACE = 2.0
"""Seconds that workers have to end by themselves; one that is still importing or compiling takes longer."""


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """Readings and the reasons for those that are missing.

    Attributes
    ----------
    readings : pandas.DataFrame
        History rows, sorted by their key.
    ledger : Ledger
        Everything that was left out, with its reason.
    inputs : Inputs
        What the first pass found.
    """

    readings: pd.DataFrame
    ledger: Ledger
    inputs: Inputs

    @property
    def exit_code(self) -> int:
        """0: all done; 3: some inputs failed or a reading is missing; 1: nothing could be measured."""
        if self.readings.empty:
            return 1
        return 3 if self.ledger.has_failures else 0

    def sentence(self, *, has_ledger: bool = False) -> str:
        """What was done, in one line; `has_ledger` where the ledger was written to a file."""
        missing = sum(entry.stage == Stage.TENOR and entry.is_failure for entry in self.ledger)
        beside = sum(1 for series in self.readings["series"] if split_series(series)[1])
        again = f", and {beside:,} under other conventions," if beside else ""
        text = (
            f"{_counted(len(self.readings) - beside, 'reading')}{again} "
            f"from {_counted(len(self.inputs.units), 'chain')} "
            f"in {_counted(self.inputs.n_files, 'file')} ({_counted(self.inputs.n_lines, 'line')})"
        )
        if not missing:
            return f"{text}."
        where = (
            "ledger.csv says why" if has_ledger else "volskew explain says why, or the ledger of --out DIR"
        )
        return f"{text}; {_counted(missing, 'reading')} missing: {where}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def measure_files(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    request: Request | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    exclude: Sequence[PathLike] = (),
    overrides: Overrides | None = None,
    prices: Prices = (),
    price_measures: Sequence[str] = (),
    price_beside: Sequence[str] = (),
    jobs: int | None = 1,
    progress: Progress = no_progress,
) -> MeasureResult:
    """Read chain files and measure every (date, symbol) in them.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Files, folders and glob patterns.
    settings : Settings, optional
        Every choice that changes a number.
    symbols : sequence of str, optional
        Keep these underlyings only.
    request : Request, optional
        Measures, tenors and deltas; by default the three-month 25-delta call vol.
    format, columns, exclude, overrides
        As in `volskew.workflow.gather`. Overrides that take whole readings out concern rankings alone: what
        is measured stays.
    prices : PriceTable, path-like or sequence of path-like
        Files of daily prices, ``PATH`` or ``SYMBOL=PATH``, or the table read from them.
    price_measures : sequence of str
        What is made of them on the days that are read; see `volskew.workflow.prices.price_rows`.
    price_beside : sequence of str
        Realised vols that are made too, where the files can give them.
    jobs : int or None
        Processes. More than one need the caller's script to guard its start with
        ``if __name__ == "__main__"``, as every use of processes does; None takes one for each processor where
        there is enough work.
    progress : callable
        Called with (stage, done, total).

    Returns
    -------
    MeasureResult
    """
    chosen = settings_or_default(settings)
    wanted = request or Request()
    wanted.check(chosen)
    # before the chains: what is wrong with a price file need not wait for them
    table = price_table(prices) if price_measures or price_beside else None
    inputs = gather(
        paths,
        settings=chosen,
        symbols=symbols,
        format=format,
        columns=columns,
        exclude=exclude,
        overrides=overrides,
        progress=progress,
    )
    readings, entries = measure_units(
        inputs.units, request=wanted, settings=chosen, jobs=jobs, progress=progress
    )
    if table is not None and not readings.empty:
        tenors = [canonical_tenor(tenor) for tenor in wanted.tenors if not is_span(tenor)]
        made, found = price_rows(
            headline_rows(readings),
            prices=table,
            measures=price_measures,
            beside=price_beside,
            tenors=tenors,
            settings=chosen,
        )
        readings = pd.concat([readings, made], ignore_index=True) if not made.empty else readings
        entries += found
    ledger = Ledger([*inputs.ledger, *entries])
    return MeasureResult(readings=readings, ledger=ledger, inputs=inputs)


def measure_units(
    units: Sequence[Unit],
    *,
    request: Request,
    settings: Settings,
    jobs: int | None = 1,
    progress: Progress = no_progress,
) -> tuple[pd.DataFrame, list[Entry]]:
    """Measure units; the result does not depend on the number of processes.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Entry)
        History rows and ledger entries, both in the order of the units.
    """
    frames: list[pd.DataFrame] = []
    entries: list[Entry] = []
    workers = _workers(jobs, len(units))
    for done, (frame, found) in enumerate(_results(units, request, settings, workers), start=1):
        if not frame.empty:
            frames.append(frame)
        entries.extend(found)
        progress("measuring", done, len(units))
    if not frames:
        return pd.DataFrame(columns=["series", *COLUMNS]), entries
    return pd.concat(frames, ignore_index=True), entries


def _workers(jobs: int | None, n_units: int) -> int:
    if jobs is not None and jobs < 1:
        msg = f"jobs must be a whole number from 1, or None for one a processor; got {jobs!r}"
        raise SettingsError(msg)
    if n_units < 2 or multiprocessing.current_process().daemon:
        return 1  # a daemonic process may have no children
    if jobs is not None:
        return min(jobs, n_units)
    if n_units < _SPAWN_WORTH:
        return 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, n_units // (_SPAWN_WORTH // 2)))


def _results(
    units: Sequence[Unit], request: Request, settings: Settings, workers: int
) -> Iterator[tuple[pd.DataFrame, list[Entry]]]:
    done = 0
    if workers > 1:
        try:
            for result in _results_of_pool(units, request, settings, workers):
                yield result
                done += 1
        except concurrent.futures.BrokenExecutor:
            warnings.warn(
                "a worker process died (out of memory, or killed); the rest is measured in this process",
                DataQualityWarning,
                stacklevel=2,
            )
    for unit in units[done:]:
        yield measure_unit(unit, request, settings)


def _results_of_pool(
    units: Sequence[Unit], request: Request, settings: Settings, workers: int
) -> Iterator[tuple[pd.DataFrame, list[Entry]]]:
    # spawn, not fork: pyarrow and numba hold threads that do not survive a fork
    context = multiprocessing.get_context("spawn")
    size = max(1, min(16, len(units) // (4 * workers)))
    chunks = [units[first : first + size] for first in range(0, len(units), size)]
    stopped, stop = context.Pipe(duplex=False)
    with (
        stopped,
        stop,
        concurrent.futures.ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin_work, initargs=(stopped,)
        ) as pool,
    ):
        try:
            # not pool.map: it cancels futures, on which the pool's own thread fails when a worker has died
            # (Python before 3.13), and then nothing ends
            with _no_interrupt():  # all workers are started in here
                futures = deque(pool.submit(_measure_chunk, chunk, request, settings) for chunk in chunks)
            while futures:
                yield from futures.popleft().result()
        except BaseException:
            stop.close()
            _end(pool)
            raise


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Keep Ctrl-C from this block until its end, and for good from the processes started in it.

    A terminal sends it to all processes, and a new one would die of it in the seconds until it has imported
    what tells it not to. What a thread blocks, its children inherit; the handler is for an interrupt that the
    system hands to another thread.
    """
    pressed: list[int] = []
    handler: Any = None
    if threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGINT)
        if handler is not None:  # None: of C code, which could not be put back
            signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    has_masks = hasattr(signal, "pthread_sigmask")  # Windows has none
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_masks else set()
    try:
        yield
    finally:
        if has_masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _end(pool: concurrent.futures.ProcessPoolExecutor) -> None:
    """End a pool whose workers were told to stop; those that do not hear it for some time are terminated.

    None is terminated at once: in the middle of handing back a result it would leave the rest of the pool
    waiting for the other half.
    """
    workers = list((pool._processes or {}).values())  # noqa: SLF001 - terminate_workers is of Python 3.14
    to_workers = getattr(getattr(pool, "_call_queue", None), "_reader", None)

    def terminate() -> None:
        for worker in workers:
            worker.terminate()
        # python/cpython#94777: before 3.11.5 a broken pool joins a thread that still writes to this full pipe
        if to_workers is not None:
            to_workers.close()

    # a daemon, which goes on at the interpreter's end, should a second Ctrl-C leave the wait
    deadline = threading.Timer(_GRACE, terminate)
    deadline.daemon = True
    deadline.start()
    pool.shutdown(cancel_futures=True)
    deadline.cancel()


_stopped: multiprocessing.connection.Connection | None = None
"""In a worker: at its end when nobody waits for results any more."""


def _begin_work(stopped: multiprocessing.connection.Connection) -> None:
    """Make a new worker end with its parent: a killed parent cannot tell it to."""
    global _stopped  # noqa: PLW0603 - an initializer has no other place
    _stopped = stopped
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_leave, args=(parent.sentinel,), daemon=True).start()


def _measure_chunk(
    units: Sequence[Unit], request: Request, settings: Settings
) -> list[tuple[pd.DataFrame, list[Entry]]]:
    results: list[tuple[pd.DataFrame, list[Entry]]] = []
    for unit in units:
        if _stopped is not None and _stopped.poll():
            break
        results.append(measure_unit(unit, request, settings))
    return results


def _wait_and_leave(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def measure_unit(unit: Unit, request: Request, settings: Settings) -> tuple[pd.DataFrame, list[Entry]]:
    """Fit one surface and read it; a failure becomes a ledger entry, for one bad day never stops a run."""
    source = ", ".join(sorted(unit.quotes["source_file"].unique()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # overflow in a bad line; its status says so
            surface = fit_surface(unit.quotes, market=unit.market, previous=unit.previous, settings=settings)
            wanted = {"tenors": request.tenors, "deltas": request.deltas, "measures": request.measures}
            rows = history_rows(surface, **wanted)
            absent = missing(surface, **wanted)
            beside = [
                row
                for other in request.beside
                for row in history_rows(
                    surface, tenors=other.tenors, deltas=other.deltas, measures=other.measures
                )
            ]
            frame = history_frame(rows)
            others, unlike = measure_conventions(
                surface, frame, series=unit.series, conventions=request.conventions, source=source
            )
    except VolskewError as error:
        code = error.code if isinstance(error, InputError) else Code.NO_FIT
        return pd.DataFrame(), [Entry(unit.date, unit.symbol, Stage.QUOTES, str(code), 1, str(error), source)]
    except Exception as error:  # noqa: BLE001 - a defect; the entry holds its traceback
        code, detail = Code.UNEXPECTED, _told(error)
        return pd.DataFrame(), [Entry(unit.date, unit.symbol, Stage.QUOTES, str(code), 1, detail, source)]
    own = history_frame([*rows, *beside]).drop_duplicates(_KEY) if beside else frame
    own.insert(0, "series", unit.series)
    frame = own if others.empty else pd.concat([own, others], ignore_index=True)
    ledger = [*surface.ledger, *absent, *unlike, *_line_counts(surface.quotes, unit, source)]
    return frame, ledger


def _told(error: Exception) -> str:
    """An error and its traceback in one line."""
    places = [
        f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"{type(error).__name__}: {' '.join(str(error).split())} (at {' > '.join(places)})"


def _line_counts(quotes: pd.DataFrame, unit: Unit, source: str) -> list[Entry]:
    counts = quotes["exclusion"].value_counts().sort_index()
    return [
        Entry(unit.date, unit.symbol, Stage.QUOTES, str(code), int(count), "lines excluded", source)
        for code, count in counts.items()
    ]


def as_of_failures(ledger: Ledger, as_of: dt.date | None) -> bool:
    """Whether an input failed, or a reading of the as-of day is missing.

    A ranking reads years of days; a day of long ago that could not be read is in the ledger and no failure
    of the run. An error that was not foreseen is one on any day: it is a defect and not the day's.
    """
    always = {Stage.INPUT, Stage.MARKET, Stage.RANKING}
    return any(
        entry.code == Code.UNEXPECTED or (entry.is_failure and (entry.stage in always or entry.date == as_of))
        for entry in ledger
    )
