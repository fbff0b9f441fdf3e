"""A console that lets its caller know that nobody reads any more."""

from __future__ import annotations

import errno
import os

from rich.console import Console

__all__ = ["PipeConsole", "page_console"]


class PipeConsole(Console):
    """Rich's console, but a reader that has gone raises `BrokenPipeError`, where rich ends the program."""

    def on_broken_pipe(self) -> None:
        """Raise what rich has caught."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def page_console(width: int) -> PipeConsole:
    """A console as wide as the terminal; a pipe or a file has no width of its own and gets this one."""
    console = PipeConsole(highlight=False)
    return console if console.is_terminal else PipeConsole(highlight=False, width=width)
