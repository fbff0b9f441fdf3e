"""Bytes into UTF-8 text: byte-order marks, Windows-1252, and what is no text at all."""

from __future__ import annotations

import codecs
from typing import Final

from volskew.errors import InputError

__all__ = ["decode", "is_wide", "to_utf8"]

_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = bytes(set(range(32)) - {9, 10, 12, 13, 26, 27})
_ACCEPTED: Final = "UTF-8, or UTF-16 with its byte-order mark"


def to_utf8(data: bytes, *, label: str, partial: bool = False) -> tuple[bytes, bool]:
    """The same text as UTF-8 without a byte-order mark, and whether it had to be taken as Windows-1252.

    Parameters
    ----------
    data : bytes
        Content, or its beginning.
    label : str
        Named in errors.
    partial : bool
        `data` is a beginning that may end inside a character.

    Raises
    ------
    InputError
        Binary data, or bytes that fit no accepted encoding.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            cut = len(data) - len(data) % (4 if encoding == "utf-32" else 2) if partial else len(data)
            try:
                text = data[:cut].decode(encoding, errors="ignore" if partial else "strict")
            except UnicodeDecodeError as error:
                raise InputError(f"damaged {encoding.upper()} text ({error.reason})", file=label) from error
            return text.encode(), False
    head = data[:4096]
    if b"\x00" in head or len(head.translate(None, _CONTROL)) < 0.97 * len(head):
        halves = {head[0::2].count(0), head[1::2].count(0)}
        kind = "UTF-16 without a byte-order mark" if max(halves) > 0.3 * len(head) / 2 > 0 else "binary data"
        raise InputError(f"not a text file ({kind})", file=label, accepted=_ACCEPTED)
    if data.isascii():
        return data, False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, not partial)
    except UnicodeDecodeError as error:
        high = len(data) - len(data.translate(None, bytes(range(128, 256))))
        if high > 0.05 * len(data):
            raise InputError(
                f"not UTF-8 (byte {data[error.start]:#04x} at offset {error.start})",
                file=label,
                accepted=_ACCEPTED,
            ) from error
        return data.decode("cp1252", errors="replace").encode(), True
    return data, False


def decode(data: bytes, *, label: str) -> str:
    """Text of a whole small file, see `to_utf8`."""
    return to_utf8(data, label=label)[0].decode(errors="replace")


def is_wide(start: bytes) -> bool:
    """Whether a text begins with the mark of an encoding in which a line end is more than a byte."""
    return any(start.startswith(mark) for mark, _ in _BOMS)
