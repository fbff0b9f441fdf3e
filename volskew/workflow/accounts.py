"""The accounts of a change: from session to session for each leg, added up over periods, and for the pair.

All numbers are on the grid of `volskew.surface.changes`, so that every sum here is exact.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from volskew.surface import Estimate
from volskew.surface.changes import PARTS, Change, in_vol, log_of, on_grid
from volskew.surface.labels import ROLL

__all__ = ["BRIDGED", "COLUMNS", "PARTIAL", "Node", "Step", "pair_rows", "pair_total", "row_of"]

_REMAINDER = "remainder"
BRIDGED = "BRIDGED"
"""Flag of a step that passes over sessions without a reading, attributed from the surfaces at its ends."""
PARTIAL = "PARTIAL"
"""Flag of a row some of whose steps lack parts."""

COLUMNS: tuple[str, ...] = (
    *("series", "session_from", "session_to", "symbol", "tenor", "delta"),
    *("value_from", "value_to", "change", "error", *PARTS, _REMAINDER, "level_error"),
    *("change_vol", *(f"{name}_vol" for name in (*PARTS, _REMAINDER)), "forward_move"),
    *("n_steps", "n_partial", "flags", "reason"),
)
"""Columns of an attribution.

Of a leg `value_from` and `value_to` are vols, `change` is that of their logarithm with one standard `error`,
and roll, spot, level, skew and remainder add up to it; `change_vol` and its kin are the same in vol
[decimal]; `forward_move` is the log move of the forward at the tenor's date. Of a pair the values are log
ratios, and all else is the first leg's less the second's: `change_vol` is that of the spread. A part that is
not known is NaN; its share is in the remainder, with the reason. A part of the pair is known where it is of
both legs. A row is made of `n_steps` steps, of which `n_partial` lack a part: each part is then the sum over
the steps in which it is known (flag PARTIAL).
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A leg on a session that has a reading.

    Attributes
    ----------
    leg : str
    date : datetime.date
    vol, error : float
        [decimal] The reading of record and its standard error, NaN where not known.
    flags : frozenset of str
    differs : str
        How the reading of record is not what was read again; empty where it is.
    """

    leg: str
    date: dt.date
    vol: float
    error: float
    flags: frozenset[str]
    differs: str = ""

    @classmethod
    def of(cls, leg: str, date: dt.date, vol: float, reading: Estimate | None) -> Node:
        """From the reading, where there is one."""
        if reading is None or not reading.is_read:
            return cls(leg, date, vol, math.nan, frozenset())
        error = math.nan if reading.error is None else reading.error
        return cls(leg, date, vol, error, frozenset(reading.flags) - {ROLL})

    def differing(self, differs: str) -> Node:
        """The same, with what is to be said of it."""
        return replace(self, differs=differs)


@dataclass(frozen=True, slots=True)
class Step:
    """The change of a leg from one node to a later one.

    Attributes
    ----------
    start, end : Node
    parts, parts_vol : Mapping of str to float
        Roll, spot, level, skew and remainder; they add up to the change, an unknown one (NaN) counting 0.
    n_steps, n_partial : int
        Steps that it is made of, and those of them in which a part is not known.
    level_error, forward_move : float
        NaN where not known.
    flags : frozenset of str
        Those of both readings; ROLL where their expiries are not the same, BRIDGED, PARTIAL.
    reasons : tuple of str
        Of what is in the remainder, or was passed over.
    """

    start: Node
    end: Node
    parts: Mapping[str, float]
    parts_vol: Mapping[str, float]
    level_error: float
    forward_move: float
    flags: frozenset[str]
    reasons: tuple[str, ...]
    n_steps: int = 1
    n_partial: int = 0

    @classmethod
    def between(
        cls, start: Node, end: Node, change: Change | None, *, gaps: Sequence[str], differs: Sequence[str]
    ) -> Step:
        """From the attribution of the change; all of it is the remainder without one.

        `gaps` tells of the sessions that are passed over, `differs` of readings that are not what was read
        again.
        """
        parts = dict.fromkeys(PARTS, math.nan) if change is None else change.parts
        total = log_of(end.vol) - log_of(start.vol)
        parts[_REMAINDER] = total - _sum(parts.values())
        flags = start.flags | end.flags
        if change is not None and change.is_roll:
            flags |= {ROLL}
        if change is not None and gaps:
            flags |= {BRIDGED}
        is_partial = any(math.isnan(part) for part in parts.values())
        if is_partial:
            flags |= {PARTIAL}
        told = [*gaps, *differs, *([change.reason] if change is not None and change.reason else [])]
        return cls(
            start=start,
            end=end,
            parts=parts,
            parts_vol=in_vol(parts, before=start.vol, after=end.vol),
            level_error=math.nan if change is None else change.level_error,
            forward_move=math.nan if change is None else on_grid(change.forward_move),
            flags=flags,
            reasons=tuple(dict.fromkeys(told)),
            n_partial=int(is_partial),
        )

    @classmethod
    def together(cls, steps: Sequence[Step]) -> Step:
        """Consecutive steps as one; the level's error is not theirs added, and is left out."""
        if len(steps) == 1:
            return steps[0]
        return cls(
            start=steps[0].start,
            end=steps[-1].end,
            parts=_added([step.parts for step in steps]),
            parts_vol=_added([step.parts_vol for step in steps]),
            level_error=math.nan,
            forward_move=math.fsum(step.forward_move for step in steps),
            flags=frozenset().union(*(step.flags for step in steps)),
            reasons=tuple(dict.fromkeys(reason for step in steps for reason in step.reasons)),
            n_steps=sum(step.n_steps for step in steps),
            n_partial=sum(step.n_partial for step in steps),
        )

    @property
    def error(self) -> float:
        """One standard error of the log change, the errors of two sessions taken as independent."""
        return math.hypot(self.start.error / self.start.vol, self.end.error / self.end.vol)


def row_of(step: Step, key: Mapping[str, str]) -> dict[str, Any]:
    """The row of a leg."""
    start, end = step.start, step.end
    return _row(
        key,
        symbol=start.leg,
        dates=(start.date, end.date),
        values=(start.vol, end.vol),
        change=(log_of(end.vol) - log_of(start.vol), on_grid(end.vol) - on_grid(start.vol)),
        parts=(step.parts, step.parts_vol),
        errors=(step.error, step.level_error),
        forward_move=step.forward_move,
        counts=(step.n_steps, step.n_partial),
        flags=step.flags,
        reasons=step.reasons,
    )


def pair_rows(
    legs: tuple[str, str],
    nodes: Mapping[str, Sequence[Node]],
    steps: Mapping[str, Sequence[Step]],
    key: Mapping[str, str],
) -> list[dict[str, Any]]:
    """The rows of the pair: first leg less second, between sessions on which both have a reading."""
    dates = _common(legs, nodes)
    return [_pair_row(legs, steps, between, key) for between in itertools.pairwise(dates)]


def pair_total(
    legs: tuple[str, str],
    nodes: Mapping[str, Sequence[Node]],
    steps: Mapping[str, Sequence[Step]],
    key: Mapping[str, str],
) -> dict[str, Any]:
    """`pair_rows` added up: from the first session on which both legs have a reading to the last."""
    return _pair_row(legs, steps, _common(legs, nodes), key)


def _common(legs: tuple[str, str], nodes: Mapping[str, Sequence[Node]]) -> list[dt.date]:
    return sorted(set.intersection(*({node.date for node in nodes[leg]} for leg in legs)))


def _pair_row(
    legs: tuple[str, str],
    steps: Mapping[str, Sequence[Step]],
    dates: Sequence[dt.date],
    key: Mapping[str, str],
) -> dict[str, Any]:
    """The pair from the first of the dates to the last, its parts those between one date and the next."""
    spans = [
        tuple(
            [step for step in steps[leg] if first <= step.start.date and step.end.date <= last]
            for leg in legs
        )
        for first, last in itertools.pairwise(dates)
    ]
    one, other = (Step.together([step for span in spans for step in span[place]]) for place in (0, 1))
    logs = [log_of(a.vol) - log_of(b.vol) for a, b in ((one.start, other.start), (one.end, other.end))]
    spreads = [on_grid(a.vol) - on_grid(b.vol) for a, b in ((one.start, other.start), (one.end, other.end))]
    parts = [_less([step.parts for step in a], [step.parts for step in b]) for a, b in spans]
    in_vols = [_less([step.parts_vol for step in a], [step.parts_vol for step in b]) for a, b in spans]
    n_partial = sum(any(math.isnan(part) for part in known.values()) for known in parts)
    return _row(
        key,
        symbol="/".join(legs),
        dates=(dates[0], dates[-1]),
        values=(logs[0], logs[1]),
        change=(logs[1] - logs[0], spreads[1] - spreads[0]),
        parts=(_added(parts), _added(in_vols)),
        errors=(math.hypot(one.error, other.error), math.hypot(one.level_error, other.level_error)),
        forward_move=one.forward_move - other.forward_move,
        counts=(len(spans), n_partial),
        flags=one.flags | other.flags,
        reasons=tuple(dict.fromkeys((*one.reasons, *other.reasons))),
    )


def _row(
    key: Mapping[str, str],
    *,
    symbol: str,
    dates: tuple[dt.date, dt.date],
    values: tuple[float, float],
    change: tuple[float, float],
    parts: tuple[Mapping[str, float], Mapping[str, float]],
    errors: tuple[float, float],
    forward_move: float,
    counts: tuple[int, int],
    flags: frozenset[str],
    reasons: Sequence[str],
) -> dict[str, Any]:
    return {
        **key,
        "session_from": dates[0].isoformat(),
        "session_to": dates[1].isoformat(),
        "symbol": symbol,
        "value_from": values[0],
        "value_to": values[1],
        "change": change[0],
        "error": errors[0],
        **parts[0],
        "level_error": errors[1],
        "change_vol": change[1],
        **{f"{name}_vol": part for name, part in parts[1].items()},
        "forward_move": forward_move,
        "n_steps": counts[0],
        "n_partial": counts[1],
        "flags": " ".join(sorted(flags)),
        "reason": "; ".join(reasons),
    }


def _added(all_parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Parts added up; one that is known nowhere stays unknown."""
    return {name: _sum([parts[name] for parts in all_parts], empty=math.nan) for name in all_parts[0]}


def _less(one: Sequence[Mapping[str, float]], other: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Parts of the first leg's steps less those of the second's over the same days; the rest is remainder.

    A part is known where it is known in every step: one leg's alone would not be the pair's.
    """
    signed = [*one, *({name: -part for name, part in parts.items()} for parts in other)]
    found = {name: sum(parts[name] for parts in signed) for name in PARTS}
    whole = _sum(part for parts in signed for part in parts.values())
    return {**found, _REMAINDER: whole - _sum(found.values())}


def _sum(numbers: Iterable[float], *, empty: float = 0.0) -> float:
    known = [number for number in numbers if not math.isnan(number)]
    return sum(known) if known else empty
