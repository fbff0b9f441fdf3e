"""``volskew vols``: every line of a chain."""

from __future__ import annotations

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


@click.command(name="vols", epilog=EXIT_CODES)
@paths_argument
@symbol_option
@click.option("--all", "solve_all", is_flag=True, help="Solve in-the-money lines too.")
@market_options
@format_options
@click.option("--out", type=PlaceType(), metavar="FILE", help="Write here instead of stdout.")
def command(out: str | None, solve_all: bool, **options: Any) -> int:
    """Every line of a chain with its label, flags, vols, delta and smile: the drill-down.

    A row a line of the file (source_file, source_row): exclusion (why it serves nowhere), flags,
    used_in_forward, used_in_smile, vols of bid, mid and ask, forward_call_delta at the smile's vol,
    smile_vol, and residual_half_spreads (mid less smile, in the quote's own half-spreads). Vols are decimals.
    """
    from volskew.workflow import vols_table

    tell_of_compiling()
    table, inputs = vols_table(
        list(options["paths"]),
        **chain_arguments(options),
        solve_all=solve_all,
    )
    return emit(table, out, inputs)
