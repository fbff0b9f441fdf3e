"""Readings as CSV and Parquet, out and back in without loss.

Both hold the same text in the same columns. The CSV is written here rather than by pandas because every
byte matters: the shortest decimals that read back as the same double, quotes around any line end inside a
cell, and the same bytes on every run.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from volskew.errors import InputError
from volskew.history.columns import Where

__all__ = [
    "csv_text",
    "file_bytes",
    "read_csv_table",
    "read_parquet_table",
    "text_of",
    "write_csv_parts",
    "write_parquet_parts",
]

_NUMBERS: Final = {
    "value": pa.float64(),
    "error": pa.float64(),
    "forward": pa.float64(),
    "n_quotes": pa.int64(),
}
_SPECIAL: Final = frozenset(',"\r\n')


def csv_text(frame: pd.DataFrame, *, header: bool = True) -> str:
    """The table as CSV: missing cells empty, lines ended by a line feed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Conformed readings, in the order in which they are to stand.
    header : bool
        Begin with the names of the columns.
    """
    columns = [_cells(frame[column]) for column in frame.columns]
    lines = [",".join(frame.columns)] if header else []
    lines += map(",".join, zip(*columns, strict=True))
    return "".join(f"{line}\n" for line in lines)


def write_csv_parts(file: IO[bytes], parts: Iterable[pd.DataFrame]) -> None:
    """Tables one after another as one CSV; at least one, which may be empty."""
    for number, frame in enumerate(parts):
        file.write(csv_text(frame, header=not number).encode())


def write_parquet_parts(file: IO[bytes], parts: Iterable[pd.DataFrame]) -> None:
    """Tables one after another as a Parquet file with the same columns as the CSV."""
    types = {**_NUMBERS, "vintage": pa.int64()}
    writer: pq.ParquetWriter | None = None
    try:
        for frame in parts:
            schema = pa.schema([(column, types.get(column, pa.string())) for column in frame.columns])
            table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
            # pandas' own notes on the table carry its version, and would change the bytes with it
            table = table.replace_schema_metadata(None)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def file_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, unpacked where they are gzip (by content, whatever the name).

    Raises
    ------
    InputError
        The file is missing, empty, cannot be read, or is damaged.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise InputError("no such file", file=str(file), code="NOT_FOUND") from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", file=str(file)) from error
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, ValueError) as error:
            raise InputError("the gzip file is damaged or cut short", file=str(file)) from error
    if not data.strip():
        raise InputError("the file is empty", file=str(file), code="EMPTY")
    return data


def text_of(data: bytes, *, file: str) -> str:
    """Bytes as text: UTF-8, or UTF-16 where its mark says so.

    Raises
    ------
    InputError
        The bytes are neither.
    """
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"not {encoding.removesuffix('-sig').upper()} text (byte {error.start})",
            file=file,
            accepted="UTF-8, or UTF-16 with a byte order mark",
        ) from error


def read_csv_table(data: bytes, *, file: str, delimiter: str = ",") -> tuple[pd.DataFrame, Where]:
    """A CSV as a table of text, with the line number of each row.

    Parameters
    ----------
    data : bytes
        The file's content.
    file : str
        Named in errors.
    delimiter : str
        Between cells.

    Raises
    ------
    InputError
        The text cannot be decoded, a row has more or fewer cells than the header, or the header repeats a
        name.
    """
    reader = csv.reader(io.StringIO(text_of(data, file=file), newline=""), delimiter=delimiter)
    header: list[str] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    line = 0
    try:
        for row in reader:
            first, line = line + 1, reader.line_num  # a quoted cell may span lines
            if not row:
                continue
            if not header:
                header = [name.strip() for name in row]
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{len(row)} cells under a header of {len(header)}",
                    file=file,
                    row=first,
                    accepted=delimiter.join(header),
                )
            rows.append(row)
            numbers.append(first)
    except csv.Error as error:
        raise InputError(f"not CSV ({error})", file=file, row=reader.line_num) from error
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError(f"the header repeats {', '.join(repeated)}", file=file, row=1)
    return pd.DataFrame(rows, columns=header, dtype=object), Where(file, numbers)


def read_parquet_table(data: bytes, *, file: str) -> tuple[pd.DataFrame, Where]:
    """A Parquet file as a table.

    Raises
    ------
    InputError
        The bytes are no Parquet file, or one cut short.
    """
    try:
        table: pd.DataFrame = pq.read_table(io.BytesIO(data)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError("not a Parquet file, or a damaged one", file=file) from error
    return table, Where(file)


def _cells(column: pd.Series) -> list[str]:
    cells = zip(column.isna().tolist(), column.tolist(), strict=True)
    if column.dtype == np.float64:
        return ["" if missing else _decimal(value) for missing, value in cells]
    return ["" if missing else _quoted(value) for missing, value in cells]


def _decimal(value: float) -> str:
    text = repr(value)
    if "e" in text:
        return np.format_float_positional(value, trim="-")
    return text.removesuffix(".0")


def _quoted(value: Any) -> str:
    text = str(value)
    # a lone quote-less blank cell cannot occur: keys are never empty, so no line is blank
    if _SPECIAL.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
