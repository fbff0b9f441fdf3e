"""``volskew import``: a vol history into a store."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.parameters import EXIT_CODES, MappingType, PlaceType, TickerType


@click.command(name="import", epilog=EXIT_CODES)
@click.argument("file")
@click.option("--series", required=True, metavar="NAME", help="Name of the new series.")
@click.option(
    "--store", type=PlaceType(), required=True, metavar="URL", help="SQLite file or PostgreSQL URL."
)
@click.option("--columns", type=MappingType(), multiple=True, help="date=..., symbol=..., vol=...")
@click.option(
    "--unit",
    type=click.Choice(["decimal", "percent"]),
    help="Of the vols; default: what the format states, else decimal.",
)
@click.option(
    "--symbol",
    "symbols",
    type=TickerType(),
    multiple=True,
    help="Ticker of an underlying that a surface file numbers, or (=TICKER) does not name.",
)
@click.option("--known-at", metavar="COLUMN", help="Column that holds the publication date.")
@click.option("--date-format", metavar="FORMAT", help="Such as %d/%m/%Y; default: ISO or month/day/year.")
@click.option("--measure", default="implied_vol", show_default=True)
@click.option("--tenor", default="3m", show_default=True)
@click.option("--delta", default="25c", show_default=True)
def command(**options: Any) -> int:
    """Take an existing vol history (date, symbol, vol) or surface file into a series of its own."""
    from volskew.report import print_import
    from volskew.workflow import import_history

    result = import_history(
        options["file"],
        store=options["store"],
        series=options["series"],
        columns=dict(options["columns"]) or None,
        measure=options["measure"],
        tenor=options["tenor"],
        delta=options["delta"],
        unit=options["unit"],
        known_at=options["known_at"],
        date_format=options["date_format"],
        symbols=dict(options["symbols"]) or None,
    )
    print_import(result, series=options["series"], store=options["store"])
    return 0
