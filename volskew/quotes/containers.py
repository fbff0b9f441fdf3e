"""Bytes out of files: plain, gzip (also several members), zstd, and zip archives of any of these.

What a file is, its first bytes say; its name is never asked.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import pyarrow as pa

from volskew.errors import InputError

__all__ = ["HEAD_BYTES", "Member", "open_members"]

HEAD_BYTES: Final = 65_536
"""How much of a file detection looks at."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_COMPRESSION: Final = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z", b"Rar!": "rar"}
_DEEPEST: Final = 3
_LARGEST: Final = 2 * 2**30
_PIECE: Final = 64 * 2**20
_HARMLESS: Final = 256 * 2**20
_RATIO: Final = 1000
_ACCEPTED: Final = "a plain, gzip, zstd or zip file"


@dataclass(frozen=True, slots=True)
class Member:
    """One readable thing: a file, or one member of an archive.

    Attributes
    ----------
    path : pathlib.Path or None
        The file; None for bytes handed over in memory.
    inner : str
        Name inside the archive, "" where the file is no archive.
    label : str
        How errors name it: the path as given, and the member after a colon.
    data : bytes or None
        The content itself, where there is no file.
    place : int or None
        Position in the archive: two members may have one name.
    """

    path: Path | None
    inner: str = ""
    label: str = ""
    data: bytes | None = None
    place: int | None = None

    @property
    def name(self) -> str:
        """The bare file name, of the member where there is one."""
        return Path(self.inner).name if self.inner else (self.path.name if self.path else self.label)

    @property
    def source(self) -> str:
        """Folder and file, and the member: the same wherever the run was started from."""
        if self.path is None:
            return self.label
        place = self.path.absolute()
        file = f"{place.parent.name}/{place.name}" if place.parent.name else place.name
        return _printable(f"{file}:{self.inner}" if self.inner else file)

    @property
    def folder(self) -> str:
        """The folder that it lies in, with its whole path; in an archive, the folder in there."""
        if self.path is None:
            return ""
        place = self.path.absolute()
        return f"{place}:{Path(self.inner).parent}" if self.inner else str(place.parent)

    def head(self, size: int = HEAD_BYTES) -> bytes:
        """The first `size` bytes, decompressed."""
        with _open(self) as stream:
            return _fill(stream, size)

    def read(self) -> bytes:
        """Everything, decompressed.

        Raises
        ------
        InputError
            Damaged, truncated, encrypted, beyond 2 GiB, or inflating out of all proportion.
        """
        if self.data is not None and not self.data.startswith((_GZIP, _ZSTD, *_OTHER_COMPRESSION)):
            return self.data
        with _open(self) as stream:
            parts: list[bytes] = []
            size = 0
            while part := stream.read(_PIECE):
                size += len(part)
                if size > _LARGEST:
                    raise InputError(
                        "holds more than 2 GiB", file=self.label, accepted="smaller files, one a month"
                    )
                self._refuse_bomb(size)
                parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def line_pieces(self, size: int) -> Iterator[tuple[bytes, bool]]:
        """The content in pieces of whole lines of about `size` bytes, decompressed as it goes.

        Parameters
        ----------
        size : int
            Bytes of a piece, nearly; a longer line is a piece of its own. The last may lack its line end.

        Yields
        ------
        (bytes, bool)
            The lines, and whether others follow.

        Raises
        ------
        InputError
            As `read`, but for the size.
        """
        with _open(self) as stream:
            rest, total, more = b"", 0, True
            while more:
                part = _fill(stream, size)
                more = bool(stream.peek(1))
                total += len(part)
                self._refuse_bomb(total)
                end = part.rfind(b"\n") + 1 if more else len(part)
                if more and not end:
                    rest += part
                    continue
                yield rest + part[:end], more
                rest = part[end:]

    def _refuse_bomb(self, size: int) -> None:
        if size > _HARMLESS and size > _RATIO * self._packed_size():
            raise InputError(
                f"compressed more than {_RATIO} times over, as no chain is",
                file=self.label,
                accepted=_ACCEPTED,
            )

    def _packed_size(self) -> int:
        """Size of the file on the disk."""
        if self.data is not None or self.path is None:
            return len(self.data or b"")
        return self.path.stat().st_size


def open_members(path: Path) -> list[Member]:
    """The file itself, or each file in the zip archive that it is, sorted by name.

    Raises
    ------
    InputError
        No such file, a folder, no permission, an empty file or a damaged archive.
    """
    label = _printable(str(path))
    whole = Member(path, label=label)
    with _repaired(label):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would be waited for
            raise InputError("a pipe or device, where a file is wanted", file=label)
    with _repaired(label), path.open("rb") as stream:
        magic = stream.read(4)
    if not magic:
        raise InputError("the file is empty (0 bytes)", file=label, code="EMPTY")
    if magic not in _ZIP:
        return [whole]
    with _repaired(label), zipfile.ZipFile(path) as archive:
        found = sorted(
            (info.filename, place) for place, info in enumerate(archive.infolist()) if not info.is_dir()
        )
    if any(name == "[Content_Types].xml" for name, _ in found):
        raise InputError(
            "an office document (workbook), not a data file", file=label, accepted="the sheet saved as CSV"
        )
    wanted = [item for item in found if not item[0].startswith("__MACOSX/") and not _is_hidden(item[0])]
    if not wanted:
        raise InputError("the archive holds no file", file=label, code="EMPTY")
    return [
        Member(path, inner=name, label=f"{label}:{_printable(name)}", place=place) for name, place in wanted
    ]


def _printable(text: str) -> str:
    """The name with bytes that are no text spelled out, so that it can be printed and stored."""
    return os.fsencode(text).decode(errors="backslashreplace") if not text.isascii() else text


def _is_hidden(name: str) -> bool:
    return Path(name).name.startswith(".")


@contextmanager
def _open(member: Member) -> Iterator[io.BufferedReader]:
    """A stream of decompressed bytes; whatever goes wrong becomes one InputError."""
    with _repaired(member.label):
        if member.data is not None:
            yield _unwrap(io.BytesIO(member.data), member.label)
        elif member.inner:
            with zipfile.ZipFile(cast("Path", member.path)) as archive:
                entry = member.inner if member.place is None else archive.infolist()[member.place]
                with archive.open(entry) as stream:
                    yield _unwrap(stream, member.label)
        else:
            with cast("Path", member.path).open("rb") as stream:
                yield _unwrap(stream, member.label)


def _unwrap(stream: IO[bytes], label: str, depth: int = 0) -> io.BufferedReader:
    buffered = io.BufferedReader(cast("Any", stream), buffer_size=HEAD_BYTES)
    magic = buffered.peek(8)[:8]
    if magic.startswith(_GZIP):
        inner = cast("IO[bytes]", gzip.GzipFile(fileobj=buffered, mode="rb"))
    elif magic.startswith(_ZSTD):
        inner = cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(buffered, mode="r"), "zstd"))
    else:
        for start, kind in _OTHER_COMPRESSION.items():
            if magic.startswith(start):
                raise InputError(f"{kind} compression is not read", file=label, accepted=_ACCEPTED)
        return buffered
    if depth == _DEEPEST:
        raise InputError("compressed more than three times over", file=label, accepted=_ACCEPTED)
    return _unwrap(inner, label, depth + 1)


def _fill(stream: IO[bytes], size: int) -> bytes:
    """Read until `size` bytes are there or the stream ends: one read may return fewer."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


@contextmanager
def _repaired(label: str) -> Iterator[None]:
    """Turn the many exceptions of damaged files into one InputError that says what is wrong."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError("no such file", file=label, code="NOT_FOUND") from error
    except IsADirectoryError as error:
        raise InputError("a folder, where a file is wanted", file=label) from error
    except PermissionError as error:
        raise InputError("no permission to read it", file=label) from error
    except EOFError as error:
        raise InputError("truncated: the compressed data end too early", file=label) from error
    except zipfile.BadZipFile as error:
        raise InputError(f"a damaged or truncated zip archive ({error})", file=label) from error
    except (zlib.error, lzma.LZMAError, gzip.BadGzipFile, pa.ArrowInvalid) as error:
        raise InputError(f"damaged compressed data ({error})", file=label) from error
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(f"the archive cannot be opened ({error})", file=label) from error
    except OSError as error:
        truncated = "truncated" in str(error).lower()
        reason = "truncated: the compressed data end too early" if truncated else f"cannot be read ({error})"
        raise InputError(reason, file=label) from error
