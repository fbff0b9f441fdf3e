"""``volskew attribute``: what moved a pair between two sessions."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.console import complain, progress_bar, tell_of_compiling
from volskew.commands.parameters import (
    EXIT_CODES,
    PairType,
    PlaceType,
    columns_from,
    format_options,
    market_options,
    paths_argument,
    settings_from,
)
from volskew.files import check_writable


@click.command(name="attribute", epilog=EXIT_CODES)
@paths_argument
@click.option("--pair", type=PairType(), default=("QQQ", "IWM"), help="Default QQQ/IWM.")
@click.option("--from", "start", metavar="DATE", help="Session of the first reading.")
@click.option("--to", "end", metavar="DATE", help="Session of the last reading; default: the last one read.")
@click.option(
    "--days",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Sessions of the period, where --from is not given.",
)
@click.option("--tenor", default="3m", show_default=True, help="1w..2y, or 91d.")
@click.option("--delta", default="25c", show_default=True, help="25c call, 25p put, or 50.")
@click.option("--store", type=PlaceType(), metavar="URL", help="Take the readings of record from this store.")
@click.option("--series", metavar="NAME", help="Series to read; default: that of these files.")
@market_options
@format_options
@click.option("--out", type=PlaceType(), metavar="DIR", help="Write attribution.csv and ledger.csv here.")
def command(out: str | None, **options: Any) -> int:
    """What moved a pair between two sessions: level, skew, spot, or only the passing of time.

    Each session's change of the log ratio is split by reading the surfaces of it and of the session before
    again: roll (the old term structure at the new date), spot (strikes keep their vols), level (what is left
    of the 50-delta vol) and skew (what is left against it). The parts add up; what could not be attributed is
    the remainder, with its reason.
    """
    from volskew.report.attribution import print_attribution, write_attribution
    from volskew.workflow.attribution import attribute_files

    if out is not None:
        check_writable(out)
    tell_of_compiling()
    with progress_bar() as progress:
        result = attribute_files(
            list(options["paths"]),
            pair=options["pair"],
            start=options["start"],
            end=options["end"],
            days=options["days"],
            tenor=options["tenor"],
            delta=options["delta"],
            settings=settings_from(options),
            store=options["store"],
            series=options["series"],
            format=options["format_name"],
            columns=columns_from(options),
            progress=progress,
        )
    files = [] if out is None else write_attribution(result, out)
    complain([*result.inputs.problems, *result.inputs.passed_over, *result.inputs.unread()])
    print_attribution(result, files=files)
    return result.exit_code
