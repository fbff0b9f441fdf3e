"""What a service answered in place of data: its own words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from volskew.errors import InputError, listed
from volskew.ledger import Code
from volskew.quotes.headers import normalise
from volskew.quotes.raw import Remark

__all__ = ["Without", "words_in", "words_of_a_service"]

_FAILURES: Final = ("errormessage", "errmsg", "error", "errors")
_TELLING: Final = (*_FAILURES, "fault", "information", "note", "message", "reason")
"""Keys under which services say why there are no data; the surest first."""
_SAYING: Final = (*_TELLING, "faultstring", "detail", "details", "description", "title", "code")
"""Keys inside such a one."""
_GOOD: Final = frozenset(("", "ok", "success", "200", "none", "null", "true"))
_FAILED: Final = frozenset(
    ("error", "nodata", "fail", "failed", "failure", "notauthorized", "unauthorized", "false")
)
_STATES: Final = ("s", "status", "success", "ok")
_DEEPEST: Final = 3
_LONGEST: Final = 300
_SHOWN: Final = 5
_EXCERPT: Final = 60


def words_of_a_service(content: str) -> str:
    """What an answer without data says, "" where a JSON is no such answer.

    Parameters
    ----------
    content : str
        A JSON document, whole; of one that is cut off nothing is said.

    Examples
    --------
    >>> words_of_a_service('{"s": "error", "errmsg": "Invalid token"}')
    'Invalid token'
    >>> words_of_a_service('{"status": "ERROR", "error": {"code": 403, "message": "not entitled"}}')
    'not entitled; 403'
    >>> words_of_a_service('{"data": [{"error": 0.1, "strike": 500}]}')
    ''
    """
    try:
        document, _ = json.JSONDecoder().raw_decode(content.lstrip())
    except (json.JSONDecodeError, RecursionError):
        return ""
    return words_in(document)


def words_in(document: Any) -> str:
    """What a document says in place of data, "" where it is no such answer; see `words_of_a_service`."""
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return ""
    told = list(dict.fromkeys(_said(document, 0)))
    state = next((str(document[key]) for key in document if normalise(key) in _STATES), "")
    if not told and normalise(state) in _FAILED:
        told = [state]
    words = "; ".join(told)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


class Without:
    """Documents of a file that give no lines among others that do: why, and how many.

    Parameters
    ----------
    label : str
        The file, for errors.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._places: dict[str, list[int]] = {}
        self._first: InputError | None = None

    def add(self, place: int, document: Any, error: InputError | None = None) -> None:
        """Take a document, the number of which is `place`; `error` says why it is none of the format.

        One that the format has, and that is empty without a word, is an answer like others: the last page.
        """
        words = words_in(document)
        if error is None and not words:
            return
        problem = "an answer without lines" if error is None else error.problem
        problem += f"; it says {words!r}" if words else ""
        if error is None or words:
            accepted = "the data asked for" if error is None else error.accepted
            error = InputError(problem, file=self._label, accepted=accepted)
        self._first = self._first or error
        self._places.setdefault(f"{problem} ({_seen(document)})", []).append(place)

    def told(self, n: int, *, lines: int) -> tuple[Remark, ...]:
        """An entry for each reason.

        Parameters
        ----------
        n : int
            Documents in the file.
        lines : int
            Lines that they gave.

        Raises
        ------
        InputError
            None gave any, and that is no answer of the format.
        """
        if self._first is not None and not lines:
            raise self._first
        found = ((reason, listed(places, _SHOWN), len(places)) for reason, places in self._places.items())
        return tuple(
            Remark(Code.PAGE_WITHOUT_LINES, count, f"document {which} of {n}: {reason}")
            for reason, which, count in found
        )


def _seen(document: Any) -> str:
    """A document in a few words: its keys, or its beginning."""
    if isinstance(document, dict):
        return f"keys: {', '.join(map(str, list(document)[:_SHOWN]))}" if document else "an empty object"
    text = " ".join(str(document).split())
    return repr(text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}...")


def _said(found: Any, depth: int) -> Iterator[str]:
    """Texts under the keys that say something; inside one, any list or mapping is looked into."""
    if isinstance(found, dict):
        if depth <= _DEEPEST:
            yield from _under_keys(found, depth)
    elif isinstance(found, list):
        for item in found[:3] if depth else ():
            yield from _said(item, depth + 1)
    elif depth and str(found).strip().lower() not in _GOOD:
        yield " ".join(str(found).split())


def _under_keys(found: dict[str, Any], depth: int) -> Iterator[str]:
    keys = {normalise(key): key for key in found}
    for name in _SAYING if depth else _TELLING:
        if name in keys:
            yield from _said(found[keys[name]], depth + 1)
    for value in () if depth else found.values():  # such as {"chain": {"result": [], "error": {...}}}
        if isinstance(value, dict):
            inner = {normalise(key): key for key in value}
            for name in _FAILURES:
                if name in inner:
                    yield from _said(value[inner[name]], 1)
