"""``volskew formats``: which files of option chains are read."""

from __future__ import annotations

import click

from volskew.commands.parameters import EXIT_CODES


@click.command(name="formats", epilog=EXIT_CODES)
@click.argument("name", required=False)
def command(name: str | None) -> int:
    """List the formats that are read: what each is told by, how known, vols and clock; NAME: one in full."""
    from volskew.report import print_format, print_formats
    from volskew.workflow import chain_formats

    found = chain_formats(name)
    if name is None:
        print_formats(found)
    else:
        print_format(found[0])
    return 0
