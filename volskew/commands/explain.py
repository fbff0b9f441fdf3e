"""``volskew explain``: one reading with its parts."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.console import complain, tell_of_compiling
from volskew.commands.parameters import (
    EXIT_CODES,
    PlaceType,
    chain_arguments,
    format_options,
    market_options,
    paths_argument,
    symbol_option,
    tenor_option,
)


@click.command(name="explain", epilog=EXIT_CODES)
@paths_argument
@symbol_option
@tenor_option
@click.option(
    "--delta",
    "deltas",
    multiple=True,
    default=("25c",),
    show_default=True,
    help="25c call, 25p put, 50, or atmf.",
)
@market_options
@format_options
@click.option(
    "--out",
    type=PlaceType(),
    metavar="DIR",
    help="Write reading.csv, companions.csv, expiries.csv and quotes.csv here too.",
)
def command(out: str | None, **options: Any) -> int:
    """One reading with its parts: why it is this number, and how sure it is.

    What its error is made of, each expiry's share, forward and second opinion, what the reading would be
    without an expiry, the nearest quotes with their rows in the file, the skews and slope beside it, and its
    flags in words.
    """
    from volskew.report import print_explanation, write_explanations
    from volskew.workflow import explain_readings

    tell_of_compiling()
    explanations, inputs = explain_readings(
        list(options["paths"]),
        tenors=options["tenors"],
        deltas=options["deltas"],
        **chain_arguments(options),
    )
    files = [] if out is None else write_explanations(explanations, out)
    for explanation in explanations:
        print_explanation(explanation)
    for file in files:
        click.echo(file)
    complain([*inputs.problems, *inputs.passed_over, *inputs.unread()])
    read = [explanation.reading.is_read for explanation in explanations]
    if not any(read):
        return 1
    return 0 if all(read) and not inputs.problems else 3
