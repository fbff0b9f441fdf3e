"""The command line: it parses, calls one workflow function, and prints. Nothing is computed here.

Heavy imports happen inside the commands, so that ``volskew --help`` answers at once.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from volskew import __version__
from volskew.errors import SettingsError, VolskewError
from volskew.files import check_writable
from volskew.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from volskew.workflow import Inputs

__all__ = ["main", "run"]

_LAST_COMPILED = "measure_slices"
"""The last kernel that a surface needs to be fitted."""
_SILENT_FOR = 5.0
"""Seconds: a run that is done sooner tells nothing of its progress where nobody watches."""

_Command = TypeVar("_Command", bound=Callable[..., Any])

_EXIT_CODES = """\b
Exit status: 0 all done; 3 done, but some inputs failed or a wanted reading is missing (see the ledger);
1 nothing could be read or measured; 2 wrong usage."""


class _Pair(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on, plain before
    name = "A/B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        legs = [leg.strip().upper() for leg in str(value).split("/")]
        if len(legs) != 2 or not all(legs) or legs[0] == legs[1]:
            self.fail(f"{value!r} is not a pair of two symbols such as QQQ/IWM.", param, ctx)
        return tuple(legs)


class _Mapping(click.ParamType):  # type: ignore[type-arg]  # as above
    name = "NAME=FILE_COLUMN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        name, separator, column = str(value).partition("=")
        if not separator or not name.strip() or not column.strip():
            self.fail(f"{value!r} is not NAME=FILE_COLUMN, such as bid=best_bid.", param, ctx)
        return name.strip(), column.strip()


class _Place(click.ParamType):  # type: ignore[type-arg]  # as above
    name = "PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():  # a shell variable that is not set must not stand for "none given"
            self.fail("an empty path, where a file or folder is wanted.", param, ctx)
        return value


class _Sample(click.ParamType):  # type: ignore[type-arg]  # as above
    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int) or str(value).strip().lower() == "all":
            return value
        if not str(value).isdecimal() or not int(value):
            self.fail(f"{value!r} is neither a whole number from 1 nor 'all'.", param, ctx)
        return int(value)


def _options(*decorators: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    def apply(command: _Command) -> _Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


_paths = click.argument("paths", nargs=-1, required=True, metavar="PATH...")
_symbol = click.option("--symbol", "symbols", multiple=True, metavar="SYMBOL", help="Only this underlying.")
_tenors = click.option(
    "--tenor", "tenors", multiple=True, default=("3m",), show_default=True, help="1w..2y, or 91d."
)
_readings = _options(
    _tenors,
    click.option(
        "--delta",
        "deltas",
        multiple=True,
        default=("25c",),
        show_default=True,
        help="25c call, 25p put, 50, or atmf.",
    ),
    click.option(
        "--measure",
        "measures",
        multiple=True,
        default=("implied_vol",),
        show_default=True,
        help="Name of a measure.",
    ),
)
_market = _options(
    click.option("--rate", type=float, help="Flat continuously compounded rate; 4 % is 0.04."),
    click.option("--rates", "rates_file", type=_Place(), metavar="FILE", help="Treasury or FRED curve file."),
    click.option(
        "--dividends",
        "dividends_files",
        multiple=True,
        metavar="[SYMBOL=]PATH",
        help="Dividend file, or a folder of them.",
    ),
)
_reading = _options(
    click.option(
        "--format", "format_name", metavar="NAME", help="A reader's name; default: from the header."
    ),
    click.option(
        "--columns",
        type=_Mapping(),
        multiple=True,
        help="File column of a canonical name, for a CSV or Parquet with names of its own.",
    ),
)
_jobs = click.option("--jobs", type=click.IntRange(1), help="Processes; default: one a processor.")
_out = click.option(
    "--out", type=_Place(), default="out", show_default=True, metavar="DIR", help="Folder for the files."
)


class _Group(click.Group):
    """The commands, of which none fails because nobody reads its output to the end (``| head``)."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # here, since click itself makes an exit status of 1 of it
            _close_stdout()
            return 0


@click.group(cls=_Group, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="volskew")
def cli() -> None:
    """Tell whether one volatility is cheap or dear against another, compared with their own history."""


@cli.command(name="rank", epilog=_EXIT_CODES)
@_paths
@click.option(
    "--pair", "pairs", type=_Pair(), multiple=True, default=(("QQQ", "IWM"),), help="Default QQQ/IWM."
)
@_readings
@click.option("--as-of", metavar="DATE", help="Rank as of this session; default: the last one read.")
@click.option(
    "--history",
    type=_Place(),
    metavar="FILE",
    help="An existing vol history to put ahead of the solved days.",
)
@click.option("--history-columns", type=_Mapping(), multiple=True, help="date=..., symbol=..., vol=...")
@click.option(
    "--history-unit", type=click.Choice(["decimal", "percent"]), default="decimal", show_default=True
)
@click.option("--history-date-format", metavar="FORMAT", help="Such as %d/%m/%Y, where dates are not ISO.")
@click.option(
    "--adjust-basis", is_flag=True, help="Shift imported days by the basis measured at the overlap."
)
@click.option("--store", metavar="URL", help="Keep readings in this SQLite file or PostgreSQL URL.")
@click.option("--series", metavar="NAME", help="Series to rank; default: that of these files.")
@click.option("--splice", metavar="NAME", help="Imported series of the store to put ahead of solved days.")
@_market
@_reading
@_jobs
@_out
@click.option("--chart/--no-chart", default=True, show_default=True, help="Draw a PNG.")
def rank_command(out: str, chart: bool, pairs: Sequence[tuple[str, str]], **options: Any) -> int:
    """Rank one vol against another from chain files: the main job.

    Writes rankings.csv, history.csv, ledger.csv and a chart. PATH is a file, folder or pattern; gz, zip and
    zst are opened as they are.
    """
    from volskew.report import draw_charts, ledger_notes, print_ranking, write_outputs
    from volskew.workflow import rank_files

    check_writable(out)
    _tell_of_compiling()
    with _progress() as progress:
        result = rank_files(
            list(options["paths"]),
            pair=list(pairs),
            tenors=options["tenors"],
            deltas=options["deltas"],
            measures=options["measures"],
            settings=_settings(options),
            as_of=options["as_of"],
            history=options["history"],
            history_columns=dict(options["history_columns"]) or None,
            history_unit=options["history_unit"],
            history_date_format=options["history_date_format"],
            adjust_basis=options["adjust_basis"],
            store=options["store"],
            series=options["series"],
            splice=options["splice"],
            format=options["format_name"],
            columns=_columns(options),
            jobs=options["jobs"],
            progress=progress,
        )
    _complain([*result.inputs.problems, *result.inputs.passed_over])
    if not result.rankings:
        files = write_outputs(result, out)
        click.echo(ledger_notes(result.ledger), nl=False, err=True)
        _complain(result.notes)
        click.echo(f"Nothing could be ranked; the ledger is {files[-1]}.", err=True)
        return 1
    files = write_outputs(result, out)
    drawn, trouble = draw_charts(result, out) if chart else ([], [])
    print_ranking(result, files=[*files, *drawn])
    _complain(trouble)
    return result.exit_code or (3 if trouble else 0)


@cli.command(name="measure", epilog=_EXIT_CODES)
@_paths
@_symbol
@_readings
@_market
@_reading
@_jobs
@click.option(
    "--out", type=_Place(), metavar="DIR", help="Write measures.csv and ledger.csv here instead of stdout."
)
def measure_command(out: str | None, **options: Any) -> int:
    """Measure every (date, symbol) of chain files; CSV to stdout."""
    from volskew.report import ledger_notes, measures_text, print_measures, write_measures
    from volskew.workflow import measure_files
    from volskew.workflow.measure import Request

    _tell_of_compiling()
    with _progress() as progress:
        result = measure_files(
            list(options["paths"]),
            settings=_settings(options),
            symbols=options["symbols"] or None,
            request=Request(options["measures"], options["tenors"], options["deltas"]),
            format=options["format_name"],
            columns=_columns(options),
            jobs=options["jobs"],
            progress=progress,
        )
    inputs = result.inputs
    _complain([*inputs.problems, *inputs.passed_over, *inputs.unread(), *inputs.absence()])
    if out is None:
        click.echo(measures_text(result), nl=False)
        click.echo(ledger_notes(result.ledger), nl=False, err=True)
    else:
        for file in write_measures(result, out):
            click.echo(file)
    if out is not None and result.readings.empty:
        click.echo(ledger_notes(result.ledger), nl=False, err=True)
    print_measures(result, has_ledger=out is not None)
    return result.exit_code


@cli.command(name="vols", epilog=_EXIT_CODES)
@_paths
@_symbol
@click.option("--all", "solve_all", is_flag=True, help="Solve in-the-money lines too.")
@_market
@_reading
@click.option("--out", type=_Place(), metavar="FILE", help="Write here instead of stdout.")
def vols_command(out: str | None, solve_all: bool, **options: Any) -> int:
    """Every line of a chain with its label, flags, vols, delta and smile: the drill-down.

    A row a line of the file (source_file, source_row): exclusion (why it serves nowhere), flags,
    used_in_forward, used_in_smile, vols of bid, mid and ask, forward_call_delta at the smile's vol,
    smile_vol, and residual_half_spreads (mid less smile, in the quote's own half-spreads). Vols are decimals.
    """
    from volskew.workflow import vols_table

    _tell_of_compiling()
    table, inputs = vols_table(
        list(options["paths"]),
        settings=_settings(options),
        symbols=options["symbols"] or None,
        format=options["format_name"],
        columns=_columns(options),
        solve_all=solve_all,
    )
    return _emit(table, out, inputs)


@cli.command(name="smiles", epilog=_EXIT_CODES)
@_paths
@_symbol
@_market
@_reading
@click.option(
    "--chart", type=_Place(), metavar="DIR", help="Draw a PNG a session and symbol into this folder too."
)
@click.option("--tenor", help="The chart shows the expiries around this tenor; default: 3m.")
@click.option("--expiry", "expiries", multiple=True, metavar="DATE", help="The chart shows this expiry.")
@click.option(
    "--arbitrage",
    is_flag=True,
    help="Instead: every case of static arbitrage, its expiry, strikes and size in vol points.",
)
@click.option("--out", type=_Place(), metavar="FILE", help="Write here instead of stdout.")
def smiles_command(
    out: str | None,
    chart: str | None,
    tenor: str | None,
    expiries: Sequence[str],
    arbitrage: bool,
    **options: Any,
) -> int:
    """Each expiry's forward, smile, errors, checks and gates.

    For 25c, 50 and 25p: vol_, error_ (one standard error), check_ (distance to the second smile), gates_
    (passed, or the codes of those failed). Then how the quotes lie around the smile, the SVI parameters, its
    least g (below 0 it would have a butterfly), the slopes of its wings and what was repaired. Vols are
    decimals.

    The chart holds the quotes from bid to ask, those left out by their codes, the smile, its cross-check and
    the readings with their errors.

    With --arbitrage, a row a case: kind (butterfly, wing, calendar), is_within_quotes, name of the expiry
    (name_after: of the later one), strike_low and strike_high between which it holds, strike where it is
    worst, size (vol points by which the smile is off there), g of a butterfly, slope of a wing.
    """
    from volskew.report import draw_pictures
    from volskew.workflow import arbitrage_table, picture_smiles, smiles_table

    _tell_of_compiling()
    common: dict[str, Any] = {
        "settings": _settings(options),
        "symbols": options["symbols"] or None,
        "format": options["format_name"],
        "columns": _columns(options),
    }
    if arbitrage:
        if chart is not None or tenor is not None or expiries:
            raise click.UsageError("--arbitrage is a table of its own: it goes without --chart")
        table, inputs = arbitrage_table(list(options["paths"]), **common)
        status = _emit(table, out, inputs)
        if table.empty:
            click.echo(
                "No smile has static arbitrage, within its quotes or three deviations beyond them.", err=True
            )
        return status
    if chart is None:
        if tenor is not None or expiries:
            raise click.UsageError("--tenor and --expiry say what --chart draws, so they need it")
        table, inputs = smiles_table(list(options["paths"]), **common)
        return _emit(table, out, inputs)
    check_writable(chart)
    table, pictures, inputs = picture_smiles(list(options["paths"]), tenor=tenor, expiries=expiries, **common)
    drawn, trouble = draw_pictures(pictures, chart)
    status = _emit(table, out, inputs, trouble=trouble)
    for file in drawn:
        # stdout may hold the table
        click.echo(file, err=out is None)
    return status


@cli.command(name="grid", epilog=_EXIT_CODES)
@_paths
@_symbol
@click.option("--tenor", "tenors", multiple=True, help="1w..2y, or 91d; default: 13 of them, 1w..2y.")
@click.option("--delta", "deltas", multiple=True, help="25c, 25p, 50, atmf; default: every 5 from 5c to 5p.")
@_market
@_reading
@click.option("--out", type=_Place(), metavar="FILE", help="Write here instead of stdout.")
def grid_command(out: str | None, tenors: Sequence[str], deltas: Sequence[str], **options: Any) -> int:
    """The vols of every session at every tenor and delta, with errors, as CSV.

    A row a tenor and delta: vol, error (one standard error), bid and ask (the reading of all bids, and of
    all asks), strike, expiries, method, flags (as explain has them, but for ROLL, which a grid does not look
    for); code says why there is no vol, which is no failure. Vols are decimals.
    """
    from volskew.report.tables import VOL_DECIMALS
    from volskew.workflow import grid_table

    _tell_of_compiling()
    wanted = {name: given for name, given in (("tenors", tenors), ("deltas", deltas)) if given}
    table, inputs = grid_table(
        list(options["paths"]),
        **wanted,
        settings=_settings(options),
        symbols=options["symbols"] or None,
        format=options["format_name"],
        columns=_columns(options),
    )
    status = _emit(table, out, inputs, decimals=VOL_DECIMALS)
    if table["vol"].isna().all():
        click.echo("No vol could be read at any tenor and delta; the column code says why.", err=True)
        return 1
    return status


@cli.command(name="explain", epilog=_EXIT_CODES)
@_paths
@_symbol
@_tenors
@click.option(
    "--delta",
    "deltas",
    multiple=True,
    default=("25c",),
    show_default=True,
    help="25c call, 25p put, 50, or atmf.",
)
@_market
@_reading
@click.option(
    "--out", type=_Place(), metavar="DIR", help="Write reading.csv, expiries.csv and quotes.csv here too."
)
def explain_command(out: str | None, **options: Any) -> int:
    """One reading with its parts: why it is this number, and how sure it is.

    What its error is made of, each expiry's share, forward and second opinion, what the reading would be
    without an expiry, the nearest quotes with their rows in the file, and its flags in words.
    """
    from volskew.report import print_explanation, write_explanations
    from volskew.workflow import explain_readings

    _tell_of_compiling()
    explanations, inputs = explain_readings(
        list(options["paths"]),
        tenors=options["tenors"],
        deltas=options["deltas"],
        settings=_settings(options),
        symbols=options["symbols"] or None,
        format=options["format_name"],
        columns=_columns(options),
    )
    files = [] if out is None else write_explanations(explanations, out)
    for explanation in explanations:
        print_explanation(explanation)
    for file in files:
        click.echo(file)
    _complain([*inputs.problems, *inputs.passed_over, *inputs.unread()])
    read = [explanation.reading.is_read for explanation in explanations]
    if not any(read):
        return 1
    return 0 if all(read) and not inputs.problems else 3


@cli.command(
    name="verify",
    epilog="""\b
Exit status: 0 all prices agree; 3 some do not, or an input failed; 1 nothing to verify; 2 wrong usage.""",
)
@_paths
@_symbol
@click.option(
    "--sample",
    type=_Sample(),
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
@_market
@_reading
@click.option(
    "--out", type=_Place(), metavar="FILE", help="Write the comparison here as CSV, a row a line and side."
)
def verify_command(out: str | None, sample: int | str, **options: Any) -> int:
    """Solve a sample of a chain's quotes again with vollib and QuantLib, and show the differences.

    QuantLib is asked where it is installed. The solve is verified, not the model.
    """
    from volskew.report import print_verification, write_verification
    from volskew.workflow import verify_file

    _tell_of_compiling()
    with _progress() as progress:
        verification = verify_file(
            list(options["paths"]),
            settings=_settings(options),
            symbols=options["symbols"] or None,
            format=options["format_name"],
            columns=_columns(options),
            sample=sample if isinstance(sample, int) else None,
            seed=options["seed"],
            tolerance=options["tolerance"],
            progress=progress,
        )
    files = [] if out is None else [write_verification(verification, out)]
    try:
        print_verification(verification, files=files)
        _complain([*verification.problems, *verification.notes])
    except BrokenPipeError:  # `| head` has seen enough; the answer is the exit status all the same
        _close_stdout()
    return verification.exit_code


@cli.command(name="inspect", epilog=_EXIT_CODES)
@_paths
@_reading
def inspect_command(**options: Any) -> int:
    """Say what each file is: format, sessions, symbols, counts by code; or that it is no chain."""
    from volskew.report import print_inspection
    from volskew.workflow import inspect_files

    found = inspect_files(list(options["paths"]), format=options["format_name"], columns=_columns(options))
    print_inspection(found)
    if not any(inspection.format for inspection in found):
        return 1
    return 3 if any(inspection.is_failure for inspection in found) else 0


@cli.command(name="import", epilog=_EXIT_CODES)
@click.argument("file")
@click.option("--series", required=True, metavar="NAME", help="Name of the new series.")
@click.option("--store", required=True, metavar="URL", help="SQLite file or PostgreSQL URL.")
@click.option("--columns", type=_Mapping(), multiple=True, help="date=..., symbol=..., vol=...")
@click.option("--unit", type=click.Choice(["decimal", "percent"]), default="decimal", show_default=True)
@click.option("--known-at", metavar="COLUMN", help="Column that holds the publication date.")
@click.option("--date-format", metavar="FORMAT", help="Such as %d/%m/%Y; default: ISO or month/day/year.")
@click.option("--measure", default="implied_vol", show_default=True)
@click.option("--tenor", default="3m", show_default=True)
@click.option("--delta", default="25c", show_default=True)
def import_command(**options: Any) -> int:
    """Take an existing vol history (date, symbol, vol) into a series of its own."""
    from volskew.report import print_import
    from volskew.workflow import import_history

    result = import_history(
        options["file"],
        store=options["store"],
        series=options["series"],
        columns=dict(options["columns"]) or None,
        measure=options["measure"],
        tenor=options["tenor"],
        delta=options["delta"],
        unit=options["unit"],
        known_at=options["known_at"],
        date_format=options["date_format"],
    )
    print_import(result, series=options["series"], store=options["store"])
    return 0


@cli.command(name="rank-series", epilog=_EXIT_CODES)
@click.argument("file")
@click.option("--a", required=True, metavar="COLUMN", help="The first leg.")
@click.option("--b", required=True, metavar="COLUMN", help="The second leg.")
@click.option("--date", default="date", show_default=True, metavar="COLUMN")
@click.option("--known-at", metavar="COLUMN", help="Rank by this publication date.")
@click.option("--as-of", metavar="DATE")
@_out
def rank_series_command(out: str, **options: Any) -> int:
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


@cli.command(name="demo")
@click.option(
    "--out", type=_Place(), required=True, metavar="DIR", help="Folder to write the simulated market to."
)
@click.option("--seed", type=int, help="Another market than the one in chains/.")
@click.option(
    "--scenario", metavar="NAME", help="Chains of a named kind of market, with truth, dividends and rates."
)
@click.option("--days", type=int, help="Sessions of the scenario to write; 5 where not given.")
def demo_command(out: str, seed: int | None, scenario: str | None, days: int | None) -> int:
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


def _settings(options: Mapping[str, Any]) -> Settings:
    if options["rate"] is not None and options["rates_file"] is not None:
        msg = "--rate and --rates exclude each other: a flat rate, or a curve file"
        raise SettingsError(msg)
    return Settings(
        rate=options["rate"],
        rates_file=options["rates_file"],
        dividends_files=tuple(options["dividends_files"]),
    )


def _columns(options: Mapping[str, Any]) -> dict[str, str] | None:
    return dict(options["columns"]) or None


def _emit(
    table: pd.DataFrame,
    out: str | None,
    inputs: Inputs,
    *,
    trouble: Sequence[str] = (),
    decimals: Mapping[str, int] | None = None,
) -> int:
    from volskew.files import write_whole
    from volskew.report import table_text

    text = table_text(table) if decimals is None else table_text(table, decimals=decimals)
    if out is None:
        click.echo(text, nl=False)
    else:
        click.echo(write_whole(out, text))
    _complain([*inputs.problems, *inputs.passed_over, *trouble, *inputs.unread()])
    return 3 if inputs.problems or trouble else 0


def _complain(problems: Sequence[str]) -> None:
    for problem in problems:
        click.echo(problem, err=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal's stderr; where stderr is a file a line every tenth of a long run."""
    if sys.stderr is None:  # closed by the shell (2>&-)
        yield lambda _stage, _done, _total: None
        return
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield report


def _plain_progress() -> Callable[[str, int, int], None]:
    """Progress as lines of text."""
    started = time.monotonic()
    told: dict[str, int] = {}

    def report(stage: str, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth > told.get(stage, 0) and time.monotonic() - started >= _SILENT_FOR:
            told[stage] = tenth
            click.echo(f"{stage}: {done:,} of {total:,}", err=True)

    return report


def _tell_of_compiling() -> None:
    """Say why the first run takes a while."""
    from volskew.pricing import compiled

    if not compiled.is_kept(_LAST_COMPILED):
        click.echo("compiling kernels (once, a minute or two) ...", err=True)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit status; no error of volskew's shows a traceback.

    Parameters
    ----------
    arguments : sequence of str
        What follows the program's name.
    """
    try:
        result = cli.main(list(arguments), prog_name="volskew", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except SettingsError as error:
        click.echo(str(error), err=True)
        return 2
    except VolskewError as error:
        click.echo(str(error), err=True)
        return 1
    except OSError as error:
        if _is_folder_gone():
            click.echo("The working directory no longer exists: change to one that does.", err=True)
            return 1
        if error.errno != errno.ENOSPC:
            raise
        _close_stdout()
        click.echo(f"The output could not be written: {error.strerror}.", err=True)
        return 1
    return int(result or 0)


def _is_folder_gone() -> bool:
    """Whether the working directory was deleted, at which imports and every relative path fail."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _close_stdout() -> None:
    """Let stdout lead nowhere: Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Entry point of the ``volskew`` program."""
    # a terminated run must still end its worker processes and leave no half-written file
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
