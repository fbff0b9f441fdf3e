"""``volskew reconcile``: from our number to another's, one choice at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from volskew.commands.console import complain, tell_of_compiling
from volskew.commands.parameters import (
    EXIT_CODES,
    PlaceType,
    columns_from,
    format_options,
    market_options,
    paths_argument,
    settings_from,
)


class TargetType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on, plain before
    """A symbol and a vol in percent, such as QQQ=20.7."""

    name = "SYMBOL=PERCENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if isinstance(value, tuple):
            return value
        symbol, _, text = str(value).partition("=")
        try:
            percent = float(text)
        except ValueError:
            percent = 0.0
        if not symbol.strip() or not 1.0 <= percent <= 300.0:
            self.fail(f"{value!r} is not SYMBOL=PERCENT, a vol from 1 to 300 such as QQQ=20.7.", param, ctx)
        return symbol.strip(), percent / 100


class DaysType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A whole number of days, or "months"."""

    name = "N|months"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if isinstance(value, int) or str(value).strip().lower() == "months":
            return value if isinstance(value, int) else "months"
        if not str(value).isdecimal() or not int(value):
            self.fail(f"{value!r} is neither a whole number of days nor 'months'.", param, ctx)
        return int(value)


@click.command(name="reconcile", epilog=EXIT_CODES)
@paths_argument
@click.option(
    "--symbol", "symbols", multiple=True, metavar="SYMBOL", help="An underlying; of two also the ratio."
)
@click.option("--date", metavar="DATE", help="Session; default: the last in the files.")
@click.option("--tenor", default="3m", show_default=True, help="1w..2y, or 91d.")
@click.option("--delta", default="25c", show_default=True, help="25c call, 25p put, 50.")
@click.option("--clock", type=click.Choice(["variance", "calendar"]), help="On which variance accrues.")
@click.option(
    "--interpolation", type=click.Choice(["gaussian_process", "linear"]), help="Between the expiries."
)
@click.option("--days", type=DaysType(), help="Calendar days of the tenor, or to the same day of a month.")
@click.option("--smile", type=click.Choice(["svi", "essvi", "local"]), help="What a smile is.")
@click.option(
    "--delta-convention", type=click.Choice(["forward", "spot", "discounted"]), help="What a delta is."
)
@click.option("--exercise", type=click.Choice(["auto", "european"]), help="How lines are priced.")
@click.option("--other-rate", type=float, help="The other's flat rate; 4 % is 0.04.")
@click.option("--other-dividends", multiple=True, metavar="[SYMBOL=]PATH", help="The other's dividends.")
@click.option("--nearest-expiry", is_flag=True, help="The expiry nearest to the tenor alone.")
@click.option("--nearest-strike", is_flag=True, help="The listed option nearest in delta, not the smile.")
@click.option(
    "--vendor-vols",
    is_flag=True,
    help="The file's own vols of the listed options that its own deltas pick (with --nearest-strike).",
)
@click.option(
    "--convention", metavar="NAME", help="All choices of a named convention, such as spot-90d-line."
)
@click.option("--target", "targets", type=TargetType(), multiple=True, help="The number to explain.")
@click.option("--series", metavar="NAME", help="Snapshot, where a session has several.")
@market_options
@format_options
@click.option("--out", type=PlaceType(), metavar="DIR", help="Write reconciliation.csv here too.")
def command(out: str | None, **options: Any) -> int:
    """Why this is not the other vendor's number: from ours to theirs, one choice at a time.

    Name the other's choices, and each is taken in turn: what the vol is then, and by how much it moved.
    Without any, every step is shown. --target tells what is left unexplained.
    """
    from volskew.report.reconcile import print_reconciliation, write_reconciliation
    from volskew.workflow.reconcile import reconcile

    tell_of_compiling()
    found = reconcile(
        list(options["paths"]),
        symbols=options["symbols"] or None,
        date=options["date"],
        tenor=options["tenor"],
        delta=options["delta"],
        to=_choices(options),
        targets=dict(options["targets"]),
        series=options["series"],
        settings=settings_from(options),
        format=options["format_name"],
        columns=columns_from(options),
    )
    files = [] if out is None else write_reconciliation(found, out)
    print_reconciliation(found)
    for file in files:
        click.echo(file)
    inputs = found.inputs
    complain([*inputs.problems, *inputs.passed_over, *inputs.unread()])
    if not found.has_numbers:
        return 1
    return 0 if found.is_complete and not inputs.problems else 3


def _choices(options: Mapping[str, Any]) -> str | dict[str, Any] | None:
    """The other's choices by step, None where none is named."""
    names = {"clock": "clock", "interpolation": "interpolation", "days": "days", "smile": "smile",
             "delta": "delta_convention", "exercise": "exercise", "rate": "other_rate"}  # fmt: skip
    found = {step: options[name] for step, name in names.items() if options[name] is not None}
    if options["other_dividends"]:
        found["dividends_files"] = tuple(options["other_dividends"])
    if options["nearest_expiry"]:
        found["expiry"] = "nearest"
    if options["nearest_strike"]:
        found["strike"] = "nearest"
    if options["vendor_vols"]:
        found |= {"vols": "vendor", "deltas": "vendor"}
    if options["convention"] is None:
        return found or None
    if found:
        raise click.UsageError("--convention names all choices; give it alone, or single choices without it.")
    return str(options["convention"])
