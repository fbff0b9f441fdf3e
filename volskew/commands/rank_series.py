"""``volskew rank-series``: two columns of a dated CSV."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.console import complain
from volskew.commands.parameters import EXIT_CODES, out_option


@click.command(name="rank-series", epilog=EXIT_CODES)
@click.argument("file")
@click.option("--a", required=True, metavar="COLUMN", help="The first leg.")
@click.option("--b", required=True, metavar="COLUMN", help="The second leg.")
@click.option("--date", default="date", show_default=True, metavar="COLUMN")
@click.option("--known-at", metavar="COLUMN", help="Rank by this publication date.")
@click.option("--as-of", metavar="DATE")
@out_option
@click.option("--chart/--no-chart", default=True, show_default=True, help="Draw a PNG.")
def command(out: str, chart: bool, **options: Any) -> int:
    """Rank any two columns of a dated CSV the same way.

    Writes rankings.csv, percentiles.csv (the rank of every past day as it was knowable then), episodes.csv
    and a chart.
    """
    from volskew.report import draw_charts, print_series_ranking
    from volskew.report.tables import write_series
    from volskew.workflow import study_series_file

    study = study_series_file(
        options["file"],
        a=options["a"],
        b=options["b"],
        date=options["date"],
        known_at=options["known_at"],
        as_of=options["as_of"],
    )
    files = write_series(study, out)
    drawn, trouble = draw_charts([study], out) if chart else ([], [])
    ranking = study.ranking
    print_series_ranking(ranking, episode_words=study.episode_words, files=[*files, *drawn])
    complain(trouble)
    # a leg without a value on the day is a wanted reading that is missing
    is_missing = any(ranking.is_leg_missing(leg) for leg in ranking.pair)
    return 3 if is_missing or trouble else 0
