"""``volskew audit``: a proof that nothing looks ahead."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.console import close_stdout, complain, progress_bar, tell_of_compiling
from volskew.commands.parameters import (
    PairType,
    PlaceType,
    SampleType,
    columns_from,
    format_options,
    market_options,
    override_option,
    settings_from,
)


@click.command(
    name="audit",
    epilog="""\b
Exit status: 0 all that was asked for is compared and equal; 3 some differs, or could not be compared;
1 nothing could be compared; 2 wrong usage.""",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--store", type=PlaceType(), required=True, metavar="URL", help="The store: an SQLite file, or a URL."
)
@click.option("--series", multiple=True, metavar="NAME", help="Only this series.")
@click.option("--pair", "pairs", type=PairType(), multiple=True, help="Only this pair.")
@click.option("--tenor", "tenors", multiple=True, help="Only this tenor.")
@click.option("--delta", "deltas", multiple=True, help="Only this delta.")
@click.option("--measure", "measures", multiple=True, help="Only this measure.")
@click.option(
    "--cuts",
    type=SampleType(),
    default=12,
    show_default=True,
    metavar="N|all",
    help="Dates at which the store is cut.",
)
@click.option(
    "--days",
    type=SampleType(),
    default=4,
    show_default=True,
    metavar="N|all",
    help="Days of the chains to measure anew; all: all days that the store has.",
)
@override_option
@market_options
@format_options
@click.option(
    "--out", type=PlaceType(), metavar="FILE", help="Write the audit here as CSV, a row a comparison."
)
def command(store: str, out: str | None, cuts: int | str, days: int | str, **options: Any) -> int:
    """Show that no number looks ahead: everything again, from what was known at earlier dates.

    The rank history of the whole store is held against that of the store cut at dates, to the last bit. With
    PATHs, the chains behind the readings, days are measured with all inputs and with those that existed at
    their end, and held against what the store has of them; give the rates, dividends and overrides they were
    made with. What could not be compared is counted and named, with the reason.
    """
    from volskew.report.audit import print_audit, write_audit
    from volskew.workflow import audit_store

    if options["paths"]:
        tell_of_compiling()
    with progress_bar() as progress:
        result = audit_store(
            store,
            paths=list(options["paths"]),
            series=options["series"] or None,
            pairs=options["pairs"] or None,
            tenors=options["tenors"] or None,
            deltas=options["deltas"] or None,
            measures=options["measures"] or None,
            cuts=cuts if isinstance(cuts, int) else None,
            days=days if isinstance(days, int) else None,
            settings=settings_from(options),
            overrides=options["overrides"],
            format=options["format_name"],
            columns=columns_from(options),
            progress=progress,
        )
    files = [] if out is None else [write_audit(result, out)]
    try:
        print_audit(result, files=files)
        complain(result.notes)
    except BrokenPipeError:  # `| head` has seen enough; the answer is the exit status all the same
        close_stdout()
    return result.exit_code
