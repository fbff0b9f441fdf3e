"""What commands say while they run and when they are done: tables, complaints, progress."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from volskew.workflow import Inputs

_LAST_COMPILED = "measure_slices"
"""The last kernel that a surface needs to be fitted."""
_SILENT_FOR = 5.0
"""Seconds: a run that is done sooner tells nothing of its progress where nobody watches."""


def emit(
    table: pd.DataFrame,
    out: str | None,
    inputs: Inputs,
    *,
    trouble: Sequence[str] = (),
    decimals: Mapping[str, int] | None = None,
) -> int:
    """Print a table as CSV, or write it, tell what could not be read, and return the exit status."""
    from volskew.files import write_whole
    from volskew.report import table_text

    text = table_text(table) if decimals is None else table_text(table, decimals=decimals)
    if out is None:
        click.echo(text, nl=False)
    else:
        click.echo(write_whole(out, text))
    complain([*inputs.problems, *inputs.passed_over, *trouble, *inputs.unread()])
    return 3 if inputs.problems or trouble else 0


def complain(problems: Sequence[str]) -> None:
    """Say on stderr what a user should know, a line each."""
    for problem in problems:
        click.echo(problem, err=True)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal's stderr; where stderr is a file a line every tenth of a long run."""
    if sys.stderr is None:  # closed by the shell (2>&-)
        yield lambda _stage, _done, _total: None
        return
    if not sys.stderr.isatty():
        yield plain_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield report


def plain_progress() -> Callable[[str, int, int], None]:
    """Progress as lines of text."""
    started = time.monotonic()
    told: dict[str, int] = {}

    def report(stage: str, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth > told.get(stage, 0) and time.monotonic() - started >= _SILENT_FOR:
            told[stage] = tenth
            click.echo(f"{stage}: {done:,} of {total:,}", err=True)

    return report


def tell_of_compiling() -> None:
    """Say why the first run takes a while."""
    from volskew.pricing import compiled

    if not compiled.is_kept(_LAST_COMPILED):
        click.echo("compiling kernels (once, a minute or two) ...", err=True)


def close_stdout() -> None:
    """Let stdout lead nowhere: Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
