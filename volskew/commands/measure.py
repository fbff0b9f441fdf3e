"""``volskew measure``: readings of every session and symbol."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.console import complain, progress_bar, tell_of_compiling
from volskew.commands.parameters import (
    EXIT_CODES,
    PlaceType,
    columns_from,
    format_options,
    jobs_option,
    market_options,
    paths_argument,
    reading_options,
    settings_from,
    symbol_option,
)


@click.command(name="measure", epilog=EXIT_CODES)
@paths_argument
@symbol_option
@reading_options
@market_options
@format_options
@jobs_option
@click.option(
    "--out", type=PlaceType(), metavar="DIR", help="Write measures.csv and ledger.csv here instead of stdout."
)
def command(out: str | None, **options: Any) -> int:
    """Measure every (date, symbol) of chain files; CSV to stdout."""
    from volskew.report import ledger_notes, measures_text, print_measures, write_measures
    from volskew.workflow import measure_files
    from volskew.workflow.measure import Request

    tell_of_compiling()
    with progress_bar() as progress:
        result = measure_files(
            list(options["paths"]),
            settings=settings_from(options),
            symbols=options["symbols"] or None,
            request=Request(options["measures"], options["tenors"], options["deltas"]),
            format=options["format_name"],
            columns=columns_from(options),
            jobs=options["jobs"],
            progress=progress,
        )
    inputs = result.inputs
    complain([*inputs.problems, *inputs.passed_over, *inputs.unread(), *inputs.absence()])
    if out is None:
        click.echo(measures_text(result), nl=False)
        click.echo(ledger_notes(result.ledger), nl=False, err=True)
    else:
        for file in write_measures(result, out):
            click.echo(file)
    if out is not None and result.readings.empty:
        click.echo(ledger_notes(result.ledger), nl=False, err=True)
    print_measures(result, has_ledger=out is not None)
    return result.exit_code
