"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from volskew.errors import StoreError

__all__ = ["check_writable", "write_whole"]


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
    # a shell leaves the ~ of --out=~/x as it is
    given = target = _at_home(Path(path))
    data = content.encode() if isinstance(content, str) else content
    temporary: str | None = None
    try:
        if target.exists() and not target.is_file():
            # a device or pipe takes the bytes as they come; there is no old file to keep
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            target.write_bytes(data)
            return target
        target = Path(os.path.realpath(target))  # a link is written through, not replaced
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        # mkstemp makes the file private; give it the mode an ordinary new file would have
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(target)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        msg = f"{target} cannot be written: {getattr(error, 'strerror', None) or error}."
        raise StoreError(msg) from error
    return given


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
