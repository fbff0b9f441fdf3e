"""``volskew grid``: vols by tenor and delta."""

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


@click.command(name="grid", epilog=EXIT_CODES)
@paths_argument
@symbol_option
@click.option("--tenor", "tenors", multiple=True, help="1w..2y, or 91d; default: 13 of them, 1w..2y.")
@click.option("--delta", "deltas", multiple=True, help="25c, 25p, 50, atmf; default: every 5 from 5c to 5p.")
@market_options
@format_options
@click.option("--out", type=PlaceType(), metavar="FILE", help="Write here instead of stdout.")
def command(out: str | None, tenors: Sequence[str], deltas: Sequence[str], **options: Any) -> int:
    """The vols of every session at every tenor and delta, with errors, as CSV.

    A row a tenor and delta: vol, error (one standard error), bid and ask (the reading of all bids, and of
    all asks), strike, expiries, method, flags (as explain has them, but for ROLL, which a grid does not look
    for); code says why there is no vol, which is no failure. Vols are decimals.
    """
    from volskew.report.tables import VOL_DECIMALS
    from volskew.workflow import grid_table

    tell_of_compiling()
    chosen = (("tenors", tenors), ("deltas", deltas))
    wanted: dict[str, Any] = {name: given for name, given in chosen if given}
    table, inputs = grid_table(
        list(options["paths"]),
        **wanted,
        **chain_arguments(options),
    )
    status = emit(table, out, inputs, decimals=VOL_DECIMALS)
    if table["vol"].isna().all():
        click.echo("No vol could be read at any tenor and delta; the column code says why.", err=True)
        return 1
    return status
