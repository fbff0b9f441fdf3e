"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from volskew.errors import StoreError

__all__ = ["check_writable", "open_whole", "write_whole"]


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : path-like
        The file; its folder is made where it is missing.
    content : str or bytes
        Text is written as UTF-8 with the line ends it has.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    StoreError
        The folder cannot be made or the file cannot be written; an older file of that name is left as it was.
    """
    with open_whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return _at_home(Path(path))


@contextmanager
def open_whole(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to be written in parts, which takes its name when the block ends without an error.

    Parameters
    ----------
    path : path-like
        As in `write_whole`.

    Raises
    ------
    StoreError
        As `write_whole`, also where writing fails inside the block.
    """
    target = _at_home(Path(path))  # a shell leaves the ~ of --out=~/x as it is
    temporary: Path | None = None
    try:
        if target.exists() and not target.is_file():
            # a device or pipe takes the bytes as they come; there is no old file to keep
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            with target.open("wb") as file:
                yield file
            return
        target = Path(os.path.realpath(target))  # a link is written through, not replaced
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        # mkstemp makes the file private; give it the mode an ordinary new file would have
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
        temporary = None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        msg = f"{target} cannot be written: {getattr(error, 'strerror', None) or error}."
        raise StoreError(msg) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Make a folder, and a file in it for a moment, so that a long run does not fail at its end.

    Raises
    ------
    StoreError
        The folder cannot be made or written to.
    """
    write_whole(Path(folder) / ".volskew-probe", b"").unlink(missing_ok=True)


def _at_home(path: Path) -> Path:
    """The path with a leading ~ replaced, where there is such a home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
