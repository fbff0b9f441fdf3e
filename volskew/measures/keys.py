"""Which numbers are asked for: every measure at each tenor and delta that it takes."""

from __future__ import annotations

from collections.abc import Sequence

from volskew.errors import SettingsError
from volskew.market.tenors import canonical_term, is_span, span_tenors, tenor_days
from volskew.measures.definition import DELTAS, TENORS, Measure
from volskew.measures.registry import find_measure
from volskew.settings import Settings
from volskew.surface.grid import several
from volskew.surface.points import parse_point

__all__ = ["NO_DELTA", "combinations"]

NO_DELTA = "-"
"""Stands in a key for the delta that a measure has not."""


def combinations(
    *,
    measures: Sequence[str],
    tenors: Sequence[str],
    deltas: Sequence[float | str],
    settings: Settings | None = None,
) -> list[tuple[Measure, str, str]]:
    """Every number that is asked for, once, in the spelling of its key.

    Each measure is read at those of the tenors and deltas that it takes: of ``3m`` and ``1m-3m`` an implied
    vol takes the first and a term slope the second; of ``25c`` and ``25p`` a call skew the first and a put
    skew the second. So one list of each serves all measures. A measure that takes none of them is refused,
    and so is a tenor or a delta that no measure takes: nothing that was asked for is left out in silence.

    Parameters
    ----------
    measures : sequence of str
        Names in `volskew.measures.registry.MEASURES`.
    tenors : sequence of str
        Tenors (``3m``) and spans of two (``1m-3m``).
    deltas : sequence of float or str
        As `volskew.surface.points.parse_point` takes them.
    settings : Settings, optional
        The default settings where absent.

    Returns
    -------
    list of (Measure, tenor, delta)
        By measure, tenor and delta, each in the order given; the delta is ``-`` where the measure has none.

    Raises
    ------
    SettingsError
        A name, tenor or delta does not exist, or cannot be used; the message says what is accepted.

    Examples
    --------
    >>> found = combinations(measures=["call_skew", "term_slope"], tenors=["3m", "1m-3m"], deltas=["25c"])
    >>> [(measure.name, tenor, delta) for measure, tenor, delta in found]
    [('call_skew', '3m', '0.25'), ('term_slope', '1m-3m', '0.25')]
    """
    names = several("measures", measures, '["implied_vol", "call_skew"]')
    items = list(dict.fromkeys(find_measure(name) for name in names))
    labels = several("tenors", tenors, '["1m", "3m"]')
    terms = list(dict.fromkeys(canonical_term(tenor) for tenor in labels))
    for term in terms:
        if is_span(term):
            span_tenors(term, settings=settings)
        else:
            tenor_days(term, settings=settings)
    places = list(
        dict.fromkeys(parse_point(delta=delta) for delta in several("deltas", deltas, '["25c", 0.5]'))
    )
    found: list[tuple[Measure, str, str]] = []
    for item in items:
        its_terms = [term for term in terms if item.takes_tenor(term)]
        its_deltas = [place.text for place in places if item.takes_delta(place.text)]
        if not its_terms:
            raise SettingsError(
                f"{item.name} is read at {TENORS[item.tenor]}; got {_listed(terms) or 'no tenor'}"
            )
        if not item.has_delta:
            its_deltas = [NO_DELTA]
        elif not its_deltas:
            given = _listed([place.label for place in places]) or "no delta"
            raise SettingsError(f"{item.name} is read at {DELTAS[item.delta]}; got {given}")
        found += [(item, term, delta) for term in its_terms for delta in its_deltas]
    named = _listed([item.name for item in items])
    for term in terms:
        if items and not any(item.takes_tenor(term) for item in items):
            accepted = _listed([TENORS[kind] for kind in dict.fromkeys(item.tenor for item in items)])
            raise SettingsError(f"{named} cannot be read at {term}: accepted is {accepted}")
    for place in places:
        if items and not any(item.takes_delta(place.text) for item in items):
            accepted = _listed([DELTAS[kind] for kind in dict.fromkeys(item.delta for item in items)])
            raise SettingsError(f"{named} cannot be read at {place.label}: accepted is {accepted}")
    return found


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
