"""What a service answered in place of data: its own words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from volskew.quotes.headers import normalise

__all__ = ["words_of_a_service"]

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
