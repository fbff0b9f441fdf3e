"""Files that volskew itself writes, known by their columns: a folder of chains may hold its outputs too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from volskew.errors import NotAChainError
from volskew.ledger import Code

__all__ = ["refuse_own"]

_OWN: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("rankings", frozenset(("asof", "series", "pair", "form", "window"))),
    ("past percentiles", frozenset(("date", "series", "pair", "form", "window", "percentilestrict"))),
    ("episodes", frozenset(("pair", "form", "window", "side", "extremedate"))),
    ("rankings under other conventions", frozenset(("asof", "pair", "convention", "nmeasured"))),
    ("an audit", frozenset(("check", "cut", "differing", "firstdifference"))),
    ("a history", frozenset(("series", "date", "symbol", "measure", "tenor", "delta", "value"))),
    (
        "an attribution",
        frozenset(("sessionfrom", "sessionto", "symbol", "valuefrom", "valueto", "remainder")),
    ),
    ("a ledger", frozenset(("date", "symbol", "stage", "code", "count", "detail", "source"))),
    ("labelled quotes", frozenset(("exclusion", "flags", "strike", "sourcerow"))),
    ("per-quote vols", frozenset(("volmid", "volstatus", "strike"))),
    ("forwards", frozenset(("symbol", "expiry", "forward", "forwarderror", "discountfactor"))),
    ("smiles", frozenset(("symbol", "snapshottime", "expiry", "method", "forward"))),
    (
        "the truth of a simulated market",
        frozenset(("date", "symbol", "forward", "vol25c", "vol50", "vol25p")),
    ),
    ("the episodes of a simulated market", frozenset(("side", "driver", "leg", "firstdate"))),
    ("the defects of a simulated market", frozenset(("date", "symbol", "defect", "contract"))),
    ("the description of a simulated market", frozenset(("simulated", "seed", "scenario"))),
)
"""What a file is, and normalised columns that nothing else has together."""


def refuse_own(columns: Iterable[str], label: str) -> None:
    """Refuse a file that volskew wrote.

    Parameters
    ----------
    columns : iterable of str
        Normalised names of the header.
    label : str
        The file, for the message.

    Raises
    ------
    NotAChainError
        It is one; the code says that it may be passed over.
    """
    have = set(columns)
    for what, own in _OWN:
        if own <= have:
            raise NotAChainError(f"{what} written by volskew itself", file=label, code=Code.SKIPPED.value)
