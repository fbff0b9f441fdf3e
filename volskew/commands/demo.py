"""``volskew demo``: the simulated market."""

from __future__ import annotations

from pathlib import Path

import click

from volskew.commands.parameters import PlaceType


@click.command(name="demo")
@click.option(
    "--out", type=PlaceType(), required=True, metavar="DIR", help="Folder to write the simulated market to."
)
@click.option("--seed", type=int, help="Another market than the one in chains/.")
@click.option(
    "--scenario", metavar="NAME", help="Chains of a named kind of market, with truth, dividends and rates."
)
@click.option("--days", type=int, help="Sessions of the scenario to write; 5 where not given.")
def command(out: str, seed: int | None, scenario: str | None, days: int | None) -> int:
    """Write the simulated market: chains, vol history and exact truth."""
    from volskew.simulate import simulate_market, write_market, write_scenario

    if scenario is not None:
        files = write_scenario(
            scenario, Path(out), seed=0 if seed is None else seed, days=5 if days is None else days
        )
    elif days is not None:
        raise click.UsageError("--days needs --scenario")
    else:
        files = write_market(simulate_market() if seed is None else simulate_market(seed=seed), Path(out))
    click.echo(
        f"{len(files)} files of a simulated market written to {out}; no price in them is from a market."
    )
    return 0
