"""``volskew inspect``: what a file is."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.parameters import EXIT_CODES, columns_from, format_options, paths_argument


@click.command(name="inspect", epilog=EXIT_CODES)
@paths_argument
@format_options
def command(**options: Any) -> int:
    """Say what each file is and how that is known; or that it is no chain.

    Format, sessions, symbols and counts by code come first; then what the format was recognised by, what the
    times rest on, which fields the file gives, and what follows from those it lacks.
    """
    from volskew.report import print_inspection
    from volskew.settings import Settings
    from volskew.workflow import inspect_files

    found = inspect_files(
        list(options["paths"]),
        settings=Settings(aliases=tuple(options["aliases"])),
        format=options["format_name"],
        columns=columns_from(options),
    )
    print_inspection(found)
    if not any(inspection.format for inspection in found):
        return 1
    return 3 if any(inspection.is_failure for inspection in found) else 0
