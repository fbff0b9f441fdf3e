"""JSON of a stated format: its records into cells by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from volskew.errors import InputError, shown
from volskew.ledger import Code
from volskew.quotes.answers import Without
from volskew.quotes.headers import normalise
from volskew.quotes.json_cells import json_cells, json_documents
from volskew.quotes.raw import Job, RawChain, Remark
from volskew.quotes.tabular import by_line, finished, is_repeated, of_sides

if TYPE_CHECKING:
    from volskew.quotes.formats import Format, Records

__all__ = ["Unread", "lookup", "numbered", "read_records"]

IntArray = np.ndarray[Any, np.dtype[np.int64]]


class Unread(NamedTuple):
    """Something in a document that should hold option lines or their cells and does not.

    Attributes
    ----------
    what : str
        In words.
    value : str
        What stands there.
    times : int
        How many of them.
    """

    what: str
    value: str
    times: int = 1


def read_records(stated: Format, written: Records, job: Job) -> RawChain:
    """Read the documents of a JSON file as its format states that they are written.

    A file may hold one document, several one after another (a page a line), or a list of them.

    Raises
    ------
    InputError
        Damaged JSON, no list of records where the format has it, or an empty one (code EMPTY).
    """
    label = job.member.label
    specs = {**(written.columns or stated.columns), **of_sides(stated)}
    wanted = {key: _paths(spec) for key, spec in specs.items()}
    columns, documents, remarks = _columns(written, wanted, job)
    n = len(documents)
    if not n:
        raise InputError("a document without option lines", file=label, code="EMPTY")
    cells = {key: json_cells(values) for key, values in columns.items() if any(v is not None for v in values)}
    for key in filter(is_repeated, cells):
        cells[key] = cells[key].dictionary_encode() if pa.types.is_string(cells[key].type) else cells[key]
    names = {key: spec.replace("|", "/") for key, spec in specs.items()} | dict(written.top)
    rows = np.arange(1, n + 1, dtype=np.int64)
    chain = RawChain(cells, names, rows, remarks=remarks, documents=documents)
    if stated.calls:
        chain = by_line(chain)
    return finished(stated, chain, job)


def _paths(spec: str) -> list[str]:
    """The paths of a specification, then the keys that flattening makes of those that are nested."""
    paths = spec.split("|")
    return paths + [path.replace(".", "") for path in paths if "." in path]


def _columns(
    written: Records, wanted: Mapping[str, list[str]], job: Job
) -> tuple[dict[str, list[Any]], IntArray, tuple[Remark, ...]]:
    """Values by field, all of one length; the document of each record; what gave none or holds no values."""
    label = job.member.label
    top_only = [key for key in written.top if key not in wanted]
    tops: dict[str, list[Any]] = {key: [] for key in top_only}
    records: list[Any] = []
    unread: list[Unread] = []
    sizes: list[int] = []
    without = Without(label)
    for place, document in enumerate(_documents(written, job), start=1):
        try:
            found = _records(written, document, label)
        except InputError as error:
            without.add(place, document, error)
            found = []
        else:
            if not found:
                without.add(place, document)
        lines = [record for record in found if type(record) is not Unread]
        unread += [item for item in found if type(item) is Unread]
        for key in top_only:
            tops[key] += [lookup(document, written.top[key])] * len(lines)
        records += lines
        sizes.append(len(lines))
    remarks = without.told(len(sizes), lines=len(records))
    table = _Table(records)
    columns = {key: table.first(paths) for key, paths in wanted.items()}
    return columns | tops, numbered(sizes), (*remarks, *_remarks([*unread, *table.unread()]))


def _remarks(unread: Iterable[Unread]) -> Iterator[Remark]:
    """One remark for each kind of what is unread, with the first of it."""
    found: dict[str, list[Unread]] = {}
    for item in unread:
        found.setdefault(item.what, []).append(item)
    for what, items in found.items():
        count = sum(item.times for item in items)
        yield Remark(Code.BAD_CELLS, count, f"{what}: {items[0].value}")


def numbered(sizes: Sequence[int]) -> IntArray:
    """The document of each record; documents of one record, as lines of a table are, count as one.

    Parameters
    ----------
    sizes : sequence of int
        How many records each document has.

    Examples
    --------
    >>> numbered([3, 1, 1, 2]).tolist()
    [0, 0, 0, 1, 1, 2, 2]
    """
    lengths = np.array(sizes, dtype=np.int64)
    alone = lengths == 1
    begins = ~(alone & np.concatenate(([False], alone[:-1])))
    return np.repeat(np.cumsum(begins) - 1, lengths)


def _documents(written: Records, job: Job) -> Iterable[Any]:
    for document in json_documents(job.member.read(), label=job.member.label):
        nested = isinstance(document, list) and (written.path or written.rows)
        yield from document if nested else (document,)


def _records(written: Records, document: Any, label: str) -> list[Any]:
    """The records of one document, and what is unread of it."""
    if written.rows is not None:
        return list(written.rows(document, label))
    found = lookup(document, written.path) if written.path else document
    if isinstance(found, Mapping):  # one record, which some services write without a list
        return [found]
    if found is None and _is_null(document, written.path):
        return []
    if not isinstance(found, list):
        raise _no_records(written, label)
    return found


def _is_null(document: Any, path: str) -> bool:
    """Whether null stands somewhere on the way down dotted keys, as in an answer that holds nothing."""
    found = document
    for part in path.split("."):
        there = [value for key, value in _items(found) if normalise(str(key)) == normalise(part)]
        if not there or there[0] is None:
            return bool(there)
        found = there[0]
    return False


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else ()


def _no_records(written: Records, label: str) -> InputError:
    where = written.path or "the document"
    return InputError(f"{where} is no list of records", file=label, accepted=f"records under {where}")


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


class _Table:
    """Records as columns of values, found under dotted keys, a level of nesting at a time."""

    def __init__(self, records: list[Any]) -> None:
        self._levels: dict[str, list[Any]] = {"": records}
        self._keys: dict[str, list[str]] = {}
        self._odd: dict[str, tuple[int, str]] = {}

    def first(self, paths: Sequence[str]) -> list[Any]:
        """Of each record what stands under the first path that leads to anything, None where none does."""
        found = self._level(paths[0])
        for path in paths[1:]:
            if None not in found:
                break
            found = _filled(found, self._level(path))
        return found

    def _level(self, path: str) -> list[Any]:
        if path not in self._levels:
            above, _, name = path.rpartition(".")
            records = self._level(above)
            spelled = [key for key in self._keys_of(above) if normalise(key) == name]
            found: list[Any] = [None] * len(records)
            self._note(above, records)
            for key in spelled:  # one, unless a file spells a name in several ways
                values = [record.get(key) if type(record) is dict else None for record in records]
                found = values if len(spelled) == 1 else _filled(found, values)
            self._levels[path] = found
        return self._levels[path]

    def unread(self) -> Iterator[Unread]:
        """Values that should be objects of cells, and are none."""
        for path, (count, value) in self._odd.items():
            where = f"under {path!r}" if path else "among the records"
            yield Unread(f"{count} values {where} are no objects, the first", value, count)

    def _note(self, path: str, records: list[Any]) -> None:
        """Take note of what stands where objects should; nothing at all is no cell."""
        if path not in self._odd:
            odd = [found for found in records if type(found) is not dict and (found is not None or not path)]
            if odd:
                self._odd[path] = len(odd), shown(odd[0])

    def _keys_of(self, path: str) -> list[str]:
        if path not in self._keys:
            records = [record for record in self._level(path) if type(record) is dict]
            self._keys[path] = sorted(set().union(*records))
        return self._keys[path]


def _filled(first: list[Any], second: list[Any]) -> list[Any]:
    return [one if one is not None else other for one, other in zip(first, second, strict=True)]
