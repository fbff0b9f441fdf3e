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
    override_option,
    paths_argument,
    price_options,
    reading_options,
    settings_from,
    symbol_option,
)


@click.command(name="measure", epilog=EXIT_CODES)
@paths_argument
@symbol_option
@reading_options
@price_options
@override_option
@market_options
@format_options
@jobs_option
@click.option(
    "--out", type=PlaceType(), metavar="DIR", help="Write measures.csv and ledger.csv here instead of stdout."
)
def command(out: str | None, **options: Any) -> int:
    """Measure every (date, symbol) of chain files; CSV to stdout."""
    from volskew.quotes.overrides import read_overrides
    from volskew.report import ledger_notes, measures_text, print_measures, write_measures
    from volskew.workflow import measure_files
    from volskew.workflow.request import Plan

    settings, prices, overrides = settings_from(options), list(options["prices"]), options["overrides"]
    plan = Plan.of(
        options["measures"],
        options["tenors"],
        options["deltas"],
        has_prices=bool(prices),
        settings=settings,
    )
    tell_of_compiling()
    with progress_bar() as progress:
        result = measure_files(
            list(options["paths"]),
            settings=settings,
            symbols=options["symbols"] or None,
            request=plan.request,
            prices=prices,
            price_measures=plan.price_measures,
            price_beside=plan.price_beside,
            overrides=None if overrides is None else read_overrides(overrides),
            exclude=[] if overrides is None else [overrides],
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
