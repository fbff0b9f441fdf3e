"""``volskew verify``: vols beside other people's solvers."""

from __future__ import annotations

from typing import Any

import click

from volskew.commands.console import close_stdout, complain, progress_bar, tell_of_compiling
from volskew.commands.parameters import (
    PlaceType,
    SampleType,
    chain_arguments,
    format_options,
    market_options,
    paths_argument,
    symbol_option,
)


@click.command(
    name="verify",
    epilog="""\b
Exit status: 0 all prices agree; 3 some do not, or an input failed; 1 nothing to verify; 2 wrong usage.""",
)
@paths_argument
@symbol_option
@click.option(
    "--sample",
    type=SampleType(),
    default=2000,
    show_default=True,
    metavar="N|all",
    help="Lines to solve again.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the sample.")
@click.option(
    "--tolerance",
    type=float,
    default=32.0,
    show_default=True,
    help="Largest difference, in roundings of the inputs (explained in the output).",
)
@market_options
@format_options
@click.option(
    "--out", type=PlaceType(), metavar="FILE", help="Write the comparison here as CSV, a row a line and side."
)
def command(out: str | None, sample: int | str, **options: Any) -> int:
    """Solve a sample of a chain's quotes again with vollib and QuantLib, and show the differences.

    QuantLib is asked where it is installed. The solve is verified, not the model.
    """
    from volskew.report import print_verification, write_verification
    from volskew.workflow import verify_file

    tell_of_compiling()
    with progress_bar() as progress:
        verification = verify_file(
            list(options["paths"]),
            **chain_arguments(options),
            sample=sample if isinstance(sample, int) else None,
            seed=options["seed"],
            tolerance=options["tolerance"],
            progress=progress,
        )
    files = [] if out is None else [write_verification(verification, out)]
    try:
        print_verification(verification, files=files)
        complain([*verification.problems, *verification.notes])
    except BrokenPipeError:  # `| head` has seen enough; the answer is the exit status all the same
        close_stdout()
    return verification.exit_code
