"""``volskew rank-series``: two columns of a dated CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from volskew.commands.parameters import EXIT_CODES, out_option


@click.command(name="rank-series", epilog=EXIT_CODES)
@click.argument("file")
@click.option("--a", required=True, metavar="COLUMN", help="The first leg.")
@click.option("--b", required=True, metavar="COLUMN", help="The second leg.")
@click.option("--date", default="date", show_default=True, metavar="COLUMN")
@click.option("--known-at", metavar="COLUMN", help="Rank by this publication date.")
@click.option("--as-of", metavar="DATE")
@out_option
def command(out: str, **options: Any) -> int:
    """Rank any two columns of a dated CSV the same way."""
    from volskew.report import print_series_ranking
    from volskew.workflow import rank_series_file

    ranking = rank_series_file(
        options["file"],
        a=options["a"],
        b=options["b"],
        date=options["date"],
        known_at=options["known_at"],
        as_of=options["as_of"],
    )
    file = Path(out) / "rankings.csv"
    ranking.to_csv(file)
    print_series_ranking(ranking, files=[file])
    # a leg without a value on the day is a wanted reading that is missing
    return 3 if any(ranking.is_leg_missing(leg) for leg in ranking.pair) else 0
