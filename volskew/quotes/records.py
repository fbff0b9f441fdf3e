"""JSON of a stated format: its records into cells by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from volskew.errors import InputError
from volskew.quotes.json_cells import json_cells, json_documents
from volskew.quotes.raw import Job, RawChain
from volskew.quotes.tabular import REPEATED, finished
from volskew.quotes.text import normalise

if TYPE_CHECKING:
    from volskew.quotes.formats import Format, Records

__all__ = ["lookup", "read_records"]

_NOTHING = object()


def read_records(stated: Format, job: Job) -> RawChain:
    """Read the documents of a JSON file as its format states.

    A file may hold one document, several one after another (a page a line), or a list of them.

    Raises
    ------
    InputError
        Damaged JSON, no list of records where the format has it, or an empty one (code EMPTY).
    """
    written = stated.records
    if written is None:
        raise AssertionError("a format without records claims no JSON")  # pragma: no cover
    label = job.member.label
    wanted = {key: spec.split("|") for key, spec in (written.columns or stated.columns).items()}
    columns = _columns(written, wanted, job)
    n = max(map(len, columns.values()), default=0)
    if not n:
        raise InputError("a document without option lines", file=label, code="EMPTY")
    cells = {key: json_cells(values) for key, values in columns.items() if any(v is not None for v in values)}
    for key in REPEATED & set(cells):
        cells[key] = cells[key].dictionary_encode() if pa.types.is_string(cells[key].type) else cells[key]
    names = {key: "/".join(paths) for key, paths in wanted.items()} | dict(written.top)
    chain = RawChain(cells, names, np.arange(1, n + 1, dtype=np.int64))
    return finished(stated, chain, job)


def _columns(written: Records, wanted: Mapping[str, list[str]], job: Job) -> dict[str, list[Any]]:
    """Values by field, all of one length."""
    top_only = [key for key in written.top if key not in wanted]
    columns: dict[str, list[Any]] = {key: [] for key in (*wanted, *top_only)}
    keys: list[str] = []
    for document in _documents(written, job):
        top = {key: lookup(document, written.top[key]) for key in top_only}
        for key_text, record in _records(written, document, job.member.label):
            named = _by_normal_name(record if isinstance(record, Mapping) else {})
            for key, paths in wanted.items():
                columns[key].append(_first(named, paths))
            for key, value in top.items():
                columns[key].append(value)
            keys.append(key_text)
    return columns | ({written.key: keys} if written.key else {})


def _documents(written: Records, job: Job) -> Iterable[Any]:
    for document in json_documents(job.member.read(), label=job.member.label):
        nested = isinstance(document, list) and (written.path or written.rows)
        yield from document if nested else (document,)


def _records(written: Records, document: Any, label: str) -> Iterable[tuple[str, Any]]:
    """The records of one document, each with its key where they are values of a mapping."""
    if written.rows is not None:
        for record in written.rows(document, label):
            yield "", record
        return
    found = lookup(document, written.path) if written.path else document
    if written.key:
        if not isinstance(found, Mapping):
            raise _no_records(written, label)
        yield from found.items()
        return
    if isinstance(found, Mapping):  # one record, which some services write without a list
        found = [found]
    if found is None and isinstance(document, Mapping):
        return
    if not isinstance(found, list):
        raise _no_records(written, label)
    for record in found:
        yield "", record


def _no_records(written: Records, label: str) -> InputError:
    where = written.path or "the document"
    kind = "a mapping of records by option symbol" if written.key else "a list of records"
    return InputError(f"{where} is not {kind}", file=label, accepted=f"{kind} under {where}")


def lookup(document: Any, path: str) -> Any:
    """What stands under dotted keys, compared as column names are; None where a key is not there.

    Examples
    --------
    >>> lookup({"optionChain": {"result": [1]}}, "optionchain.result")
    [1]
    """
    found = document
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        wanted = normalise(part)
        found = next((value for key, value in found.items() if normalise(str(key)) == wanted), None)
    return found


def _by_normal_name(record: Mapping[str, Any]) -> dict[str, Any]:
    return {normalise(str(key)): value for key, value in record.items()}


def _first(named: Mapping[str, Any], paths: Iterable[str]) -> Any:
    for path in paths:
        head, _, rest = path.partition(".")
        value = named.get(head, _NOTHING)
        if value is _NOTHING:
            continue
        if rest:
            value = lookup(value, rest)
        if value is not None:
            return value
    return None
