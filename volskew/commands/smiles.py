"""``volskew smiles``: every expiry's smile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from volskew.commands.console import emit, tell_of_compiling
from volskew.commands.parameters import (
    EXIT_CODES,
    PlaceType,
    chain_arguments,
    format_options,
    market_options,
    paths_argument,
    symbol_option,
)
from volskew.files import check_writable


@click.command(name="smiles", epilog=EXIT_CODES)
@paths_argument
@symbol_option
@market_options
@format_options
@click.option(
    "--chart", type=PlaceType(), metavar="DIR", help="Draw a PNG a session and symbol into this folder too."
)
@click.option("--tenor", help="The chart shows the expiries around this tenor; default: 3m.")
@click.option("--expiry", "expiries", multiple=True, metavar="DATE", help="The chart shows this expiry.")
@click.option(
    "--arbitrage",
    is_flag=True,
    help="Instead: every case of static arbitrage, its expiry, strikes and size in vol points.",
)
@click.option("--out", type=PlaceType(), metavar="FILE", help="Write here instead of stdout.")
def command(
    out: str | None,
    chart: str | None,
    tenor: str | None,
    expiries: Sequence[str],
    arbitrage: bool,
    **options: Any,
) -> int:
    """Each expiry's forward, smile, errors, checks and gates.

    For 25c, 50 and 25p: vol_, error_ (one standard error), check_ (distance to the second smile), gates_
    (passed, or the codes of those failed). Then how the quotes lie around the smile, the SVI parameters, its
    least g (below 0 it would have a butterfly), the slopes of its wings and what was repaired. Vols are
    decimals.

    The chart holds the quotes from bid to ask, those left out by their codes, the smile, its cross-check and
    the readings with their errors.

    With --arbitrage, a row a case: kind (butterfly, wing, calendar), is_within_quotes, name of the expiry
    (name_after: of the later one), strike_low and strike_high between which it holds, strike where it is
    worst, size (vol points by which the smile is off there), g of a butterfly, slope of a wing.
    """
    from volskew.report import draw_pictures
    from volskew.workflow import arbitrage_table, picture_smiles, smiles_table

    tell_of_compiling()
    common = chain_arguments(options)
    if arbitrage:
        if chart is not None or tenor is not None or expiries:
            raise click.UsageError("--arbitrage is a table of its own: it goes without --chart")
        table, inputs = arbitrage_table(list(options["paths"]), **common)
        status = emit(table, out, inputs)
        if table.empty:
            click.echo(
                "No smile has static arbitrage, within its quotes or three deviations beyond them.", err=True
            )
        return status
    if chart is None:
        if tenor is not None or expiries:
            raise click.UsageError("--tenor and --expiry say what --chart draws, so they need it")
        table, inputs = smiles_table(list(options["paths"]), **common)
        return emit(table, out, inputs)
    check_writable(chart)
    table, pictures, inputs = picture_smiles(list(options["paths"]), tenor=tenor, expiries=expiries, **common)
    drawn, trouble = draw_pictures(pictures, chart)
    status = emit(table, out, inputs, trouble=trouble)
    for file in drawn:
        # stdout may hold the table
        click.echo(file, err=out is None)
    return status
