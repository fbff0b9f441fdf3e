"""The program: its commands (`volskew.commands`) in one group, and every error as a message and a status."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from volskew import __version__
from volskew.commands import COMMANDS
from volskew.commands.console import close_stdout
from volskew.commands.parameters import EXIT_CODES
from volskew.errors import SettingsError, VolskewError

__all__ = ["main", "run"]


class _Group(click.Group):
    """The commands, of which none fails because nobody reads its output to the end (``| head``)."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # here, since click itself makes an exit status of 1 of it
            close_stdout()
            return 0


@click.group(cls=_Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="volskew")
def cli() -> None:
    """Tell whether one volatility is cheap or dear against another, compared with their own history."""


for _command in COMMANDS:
    cli.add_command(_command)


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
        close_stdout()
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


def main() -> None:
    """Entry point of the ``volskew`` program."""
    # a terminated run must still end its worker processes and leave no half-written file
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
