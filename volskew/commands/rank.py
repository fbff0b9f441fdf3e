"""``volskew rank``: the main job, chain files to a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from volskew.commands.console import complain, progress_bar, tell_of_compiling
from volskew.commands.parameters import (
    EXIT_CODES,
    MappingType,
    PairType,
    PlaceType,
    columns_from,
    format_options,
    jobs_option,
    market_options,
    out_option,
    override_option,
    paths_argument,
    price_options,
    reading_options,
    settings_from,
)
from volskew.files import check_writable


@click.command(name="rank", epilog=EXIT_CODES)
@paths_argument
@click.option(
    "--pair", "pairs", type=PairType(), multiple=True, default=(("QQQ", "IWM"),), help="Default QQQ/IWM."
)
@reading_options
@click.option(
    "--as-of", metavar="DATE", help="Rank as of this session, or the one before; default: the last one read."
)
@click.option(
    "--history",
    type=PlaceType(),
    metavar="FILE",
    help="An existing vol history to put ahead of the solved days.",
)
@click.option("--history-columns", type=MappingType(), multiple=True, help="date=..., symbol=..., vol=...")
@click.option(
    "--history-unit", type=click.Choice(["decimal", "percent"]), default="decimal", show_default=True
)
@click.option("--history-date-format", metavar="FORMAT", help="Such as %d/%m/%Y, where dates are not ISO.")
@click.option(
    "--adjust-basis", is_flag=True, help="Shift imported days by the basis measured at the overlap."
)
@click.option(
    "--store", type=PlaceType(), metavar="URL", help="Keep readings in this SQLite file or PostgreSQL URL."
)
@click.option("--series", metavar="NAME", help="Series to rank; default: that of these files.")
@click.option("--splice", metavar="NAME", help="Imported series of the store to put ahead of solved days.")
@price_options
@override_option
@click.option(
    "--allow-mixed-snapshots",
    is_flag=True,
    help="Rank an intraday reading against a history of closes; the verdict says so.",
)
@market_options
@format_options
@jobs_option
@out_option
@click.option("--chart/--no-chart", default=True, show_default=True, help="Draw a PNG.")
def command(out: str, chart: bool, pairs: Sequence[tuple[str, str]], **options: Any) -> int:
    """Rank one vol against another from chain files: the main job.

    Writes rankings.csv, history.csv, ledger.csv and a chart. PATH is a file, folder or pattern; gz, zip and
    zst are opened as they are.
    """
    from volskew.report import draw_charts, ledger_notes, print_ranking, write_outputs
    from volskew.workflow import rank_files

    check_writable(out)
    tell_of_compiling()
    with progress_bar() as progress:
        result = rank_files(
            list(options["paths"]),
            pair=list(pairs),
            tenors=options["tenors"],
            deltas=options["deltas"],
            measures=options["measures"],
            settings=settings_from(options),
            as_of=options["as_of"],
            history=options["history"],
            history_columns=dict(options["history_columns"]) or None,
            history_unit=options["history_unit"],
            history_date_format=options["history_date_format"],
            adjust_basis=options["adjust_basis"],
            store=options["store"],
            series=options["series"],
            splice=options["splice"],
            prices=list(options["prices"]),
            overrides=options["overrides"],
            allow_mixed_snapshots=options["allow_mixed_snapshots"],
            format=options["format_name"],
            columns=columns_from(options),
            jobs=options["jobs"],
            progress=progress,
        )
    complain([*result.inputs.problems, *result.inputs.passed_over])
    if not result.rankings:
        files = write_outputs(result, out)
        click.echo(ledger_notes(result.ledger), nl=False, err=True)
        complain(result.notes)
        click.echo(f"Nothing could be ranked; the ledger is {files[-1]}.", err=True)
        return 1
    files = write_outputs(result, out)
    drawn, trouble = draw_charts(result.studies, out) if chart else ([], [])
    print_ranking(result, files=[*files, *drawn])
    complain(trouble)
    return result.exit_code or (3 if trouble else 0)
