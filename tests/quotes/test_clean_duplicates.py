"""Which line of a contract is kept, against a plain loop over contracts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.quotes.duplicates import find_duplicates

NEVER = -(2**63)


@dataclass(frozen=True)
class Line:
    bid: float
    ask: float
    time: int = NEVER
    strike: float = 100.0
    is_call: bool = True
    group: int = 0


def judge(lines: list[Line], rows: list[int] | None = None) -> tuple[set[int], set[int]]:
    """Rows that lose, and rows that others were collapsed into."""
    rows = list(range(len(lines))) if rows is None else rows
    found = find_duplicates(
        group=np.array([line.group for line in lines], dtype=np.intp),
        strike=np.array([line.strike for line in lines], dtype=float),
        is_call=np.array([line.is_call for line in lines], dtype=bool),
        low=np.array([line.bid for line in lines], dtype=float),
        high=np.array([line.ask for line in lines], dtype=float),
        time=np.array([line.time for line in lines], dtype=np.int64),
        row=np.array(rows, dtype=np.intp),
    )
    number = np.array(rows, dtype=int)
    return set(number[found.loses].tolist()), set(number[found.collapsed_into].tolist())


def plain(lines: list[Line]) -> tuple[set[int], set[int]]:
    contracts: dict[tuple[int, float, bool], list[int]] = defaultdict(list)
    for row, line in enumerate(lines):
        contracts[line.group, line.strike, line.is_call].append(row)
    losers: set[int] = set()
    collapsed: set[int] = set()
    for rows in contracts.values():
        latest = max(lines[row].time for row in rows)
        current = [row for row in rows if lines[row].time == latest]

        def key(row: int) -> tuple[bool, float, float, int]:
            line = lines[row]
            return line.ask <= 0 or line.bid > line.ask, abs(line.ask - line.bid), line.bid, row

        best = min(current, key=key)
        mid, half = (lines[best].bid + lines[best].ask) / 2, abs(lines[best].ask - lines[best].bid) / 2
        disputed = any(
            abs(mid - (line.bid + line.ask) / 2) > max(half, abs(line.ask - line.bid) / 2) + 1e-9
            for line in (lines[row] for row in current)
        )
        losers |= set(rows) - (set() if disputed else {best})
        twins = [
            row for row in rows if (lines[row].bid, lines[row].ask) == (lines[best].bid, lines[best].ask)
        ]
        if len(twins) > 1 and not disputed:
            collapsed.add(best)
    return losers, collapsed


@pytest.mark.parametrize(
    ("lines", "losers", "collapsed"),
    [
        pytest.param([Line(1, 1.1), Line(1, 1.1)], {1}, {0}, id="identical"),
        pytest.param([Line(1, 1.1), Line(1, 1.1), Line(1, 1.1)], {1, 2}, {0}, id="identical-three"),
        pytest.param([Line(1, 1.1, time=5), Line(2, 2.1, time=9)], {0}, set(), id="latest-wins"),
        pytest.param([Line(1, 1.1, time=5), Line(2, 2.1)], {1}, set(), id="a-time-beats-none"),
        pytest.param([Line(1, 1.1, time=5), Line(1, 1.1, time=9)], {0}, {1}, id="identical-but-later"),
        pytest.param([Line(1, 1.1), Line(2, 2.1)], {0, 1}, set(), id="far-apart-keeps-neither"),
        pytest.param([Line(1, 1.2), Line(1.05, 1.1)], {0}, set(), id="narrower-wins"),
        pytest.param([Line(1, 1.1), Line(1, 1.1), Line(2, 2.1)], {0, 1, 2}, set(), id="twins-and-a-stranger"),
        pytest.param([Line(1, 1.1), Line(1.06, 1.04)], {1}, set(), id="crossed-loses"),
        pytest.param([Line(1, 1.1), Line(1, 1.1, strike=101)], set(), set(), id="other-strike"),
        pytest.param([Line(1, 1.1), Line(1, 1.1, is_call=False)], set(), set(), id="other-right"),
        pytest.param([Line(1, 1.1), Line(1, 1.1, group=1)], set(), set(), id="other-slice"),
        pytest.param([], set(), set(), id="nothing"),
    ],
)
def test_by_hand(lines: list[Line], losers: set[int], collapsed: set[int]) -> None:
    assert judge(lines) == (losers, collapsed)


quotes = st.builds(
    Line,
    bid=st.sampled_from((0.0, 1.0, 1.02, 1.1, 2.0)),
    ask=st.sampled_from((0.0, 1.05, 1.1, 1.2, 2.5)),
    time=st.sampled_from((NEVER, NEVER, 5, 9)),
    strike=st.sampled_from((100.0, 101.0)),
    is_call=st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(quotes, max_size=12), st.randoms(use_true_random=False))
def test_like_a_plain_loop_whatever_the_order(lines: list[Line], random: object) -> None:
    assert judge(lines) == plain(lines)
    rows = list(range(len(lines)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert judge([lines[row] for row in rows], rows) == plain(lines)
