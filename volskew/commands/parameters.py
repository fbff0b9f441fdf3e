"""What commands take: kinds of arguments, options that several share, and settings made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from volskew.errors import SettingsError
from volskew.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit status: 0 all done; 3 done, but some inputs failed or a wanted reading is missing (see the ledger);
1 nothing could be read or measured; 2 wrong usage."""


class PairType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on, plain before
    """Two symbols, such as QQQ/IWM."""

    name = "A/B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if isinstance(value, tuple):
            return value
        legs = [leg.strip().upper() for leg in str(value).split("/")]
        if len(legs) != 2 or not all(legs) or legs[0] == legs[1]:
            self.fail(f"{value!r} is not a pair of two symbols such as QQQ/IWM.", param, ctx)
        return tuple(legs)


class MappingType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A name and the file's column of it, such as bid=best_bid."""

    name = "NAME=FILE_COLUMN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if isinstance(value, tuple):
            return value
        name, separator, column = str(value).partition("=")
        if not separator or not name.strip() or not column.strip():
            self.fail(f"{value!r} is not NAME=FILE_COLUMN, such as bid=best_bid.", param, ctx)
        return name.strip(), column.strip()


class TickerType(click.ParamType):  # type: ignore[type-arg]  # as above
    """What a file calls an underlying and its ticker, such as 107899=QQQ."""

    name = "ID=TICKER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if isinstance(value, tuple):
            return value
        name, separator, ticker = str(value).partition("=")
        if not separator or not ticker.strip():
            self.fail(f"{value!r} is not ID=TICKER, such as 107899=QQQ.", param, ctx)
        return name.strip(), ticker.strip().upper()


class PlaceType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A file or folder; never an empty text."""

    name = "PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if not str(value).strip():  # a shell variable that is not set must not stand for "none given"
            self.fail("an empty path, where a file or folder is wanted.", param, ctx)
        return value


class SampleType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A whole number from 1, or "all"."""

    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text from the command line, or a default that is converted already."""
        if isinstance(value, int) or str(value).strip().lower() == "all":
            return value
        if not str(value).isdecimal() or not int(value):
            self.fail(f"{value!r} is neither a whole number from 1 nor 'all'.", param, ctx)
        return int(value)


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def apply(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


paths_argument = click.argument("paths", nargs=-1, required=True, metavar="PATH...")
symbol_option = click.option(
    "--symbol", "symbols", multiple=True, metavar="SYMBOL", help="Only this underlying."
)
tenor_option = click.option(
    "--tenor",
    "tenors",
    multiple=True,
    default=("3m",),
    show_default=True,
    help="1w..2y, 91d, or 1m-3m for what lies between.",
)
reading_options = _options(
    tenor_option,
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
        help="Name of a measure (docs/method.md lists them).",
    ),
)
market_options = _options(
    click.option("--rate", type=float, help="Flat continuously compounded rate; 4 % is 0.04."),
    click.option(
        "--rates", "rates_file", type=PlaceType(), metavar="FILE", help="Treasury or FRED curve file."
    ),
    click.option(
        "--dividends",
        "dividends_files",
        multiple=True,
        metavar="[SYMBOL=]PATH",
        help="Dividend file, or a folder of them.",
    ),
)
price_options = click.option(
    "--prices",
    multiple=True,
    type=PlaceType(),
    metavar="[SYMBOL=]PATH",
    help="Daily prices (date, open, high, low, close): realised vols, and implied over realised.",
)
override_option = click.option(
    "--overrides",
    type=PlaceType(),
    metavar="FILE",
    help="Quotes and readings to leave out, each with its reason.",
)
format_options = _options(
    click.option(
        "--format", "format_name", metavar="NAME", help="A reader's name; default: from the header."
    ),
    click.option(
        "--columns",
        type=MappingType(),
        multiple=True,
        help="File column of a canonical name, for a CSV or Parquet with names of its own.",
    ),
    click.option(
        "--alias",
        "aliases",
        multiple=True,
        metavar="OLD=NEW[@DATE]",
        help="Another name of an underlying, until the day of the new one: FB=META@2022-06-09.",
    ),
)
jobs_option = click.option("--jobs", type=click.IntRange(1), help="Processes; default: one a processor.")
out_option = click.option(
    "--out", type=PlaceType(), default="out", show_default=True, metavar="DIR", help="Folder for the files."
)


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Settings from `market_options`."""
    if options["rate"] is not None and options["rates_file"] is not None:
        msg = "--rate and --rates exclude each other: a flat rate, or a curve file"
        raise SettingsError(msg)
    return Settings(
        rate=options["rate"],
        rates_file=options["rates_file"],
        dividends_files=tuple(options["dividends_files"]),
        aliases=tuple(options.get("aliases", ())),
    )


def chain_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """What workflows on chains take, from `symbol_option`, `market_options` and `format_options`."""
    return {
        "settings": settings_from(options),
        "symbols": options["symbols"] or None,
        "format": options["format_name"],
        "columns": columns_from(options),
    }


def columns_from(options: Mapping[str, Any]) -> dict[str, str] | None:
    """File columns by canonical name from `format_options`."""
    return dict(options["columns"]) or None
