"""Vertical and butterfly arbitrage against brute force over all pairs and triples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.quotes.arbitrage import butterfly_offenders, vertical_offenders

SLACK = 1e-9


@dataclass(frozen=True)
class Line:
    strike: float
    is_call: bool
    bid: float
    ask: float
    group: int = 0

    @property
    def x(self) -> float:
        return self.strike if self.is_call else -self.strike


Violation: TypeAlias = tuple[int, ...]


def arrays(lines: list[Line]) -> dict[str, Any]:
    return {
        "strike": np.array([line.strike for line in lines], dtype=float),
        "is_call": np.array([line.is_call for line in lines], dtype=bool),
        "bid": np.array([line.bid for line in lines], dtype=float),
        "ask": np.array([line.ask for line in lines], dtype=float),
        "group": np.array([line.group for line in lines], dtype=np.intp),
    }


def vertical(lines: list[Line], width: float) -> list[int]:
    found = vertical_offenders(**arrays(lines), width=np.full(len(lines), width))
    return [int(place) for place in np.flatnonzero(found)]


def butterfly(lines: list[Line]) -> list[int]:
    return [int(place) for place in np.flatnonzero(butterfly_offenders(**arrays(lines)))]


# --- the slow, plain twin ---------------------------------------------------------------------------------


def same_side(lines: list[Line], places: tuple[int, ...]) -> bool:
    return len({(lines[place].group, lines[place].is_call) for place in places}) == 1


def vertical_violations(lines: list[Line], width: float) -> Iterator[Violation]:
    for pair in combinations(range(len(lines)), 2):
        if not same_side(lines, pair):
            continue
        low, high = sorted((lines[place] for place in pair), key=lambda line: line.strike)
        dearer, cheaper = (low, high) if low.is_call else (high, low)
        free_spread = cheaper.bid - dearer.ask > SLACK
        too_dear = dearer.bid - cheaper.ask > width * (high.strike - low.strike) + SLACK
        if free_spread or too_dear:
            yield pair


def butterfly_violations(lines: list[Line], width: float = 1.0) -> Iterator[Violation]:
    for triple in combinations(range(len(lines)), 3):
        if not same_side(lines, triple):
            continue
        left, middle, right = sorted((lines[place] for place in triple), key=lambda line: line.strike)
        weight = (right.strike - middle.strike) / (right.strike - left.strike)
        if weight * left.ask + (1 - weight) * right.ask < middle.bid - SLACK:
            yield triple


def fitness(lines: list[Line], kept: set[int], without: int, width: float) -> tuple[float, float]:
    """Falls, and squared steps, of the slopes of the mids, negated."""
    line = lines[without]
    side = sorted(
        (other.x, (other.bid + other.ask) / 2)
        for number, other in enumerate(lines)
        if number in kept - {without} and (other.group, other.is_call) == (line.group, line.is_call)
    )
    slopes = [-width]
    slopes += [(m2 - m1) / (x2 - x1) for (x1, m1), (x2, m2) in pairwise(side)]
    slopes += [0.0]
    falls = sum(max(before - after, 0.0) for before, after in pairwise(slopes))
    return -round(falls, 9), -round(sum((after - before) ** 2 for before, after in pairwise(slopes)), 9)


def plain(
    lines: list[Line], violations: Callable[[list[Line], float], Iterator[Violation]], width: float
) -> list[int]:
    """Drop the line in most violations, until none is left; sides are judged one at a time."""
    kept = set(range(len(lines)))
    left = list(violations(lines, width))
    sides = {(line.group, line.is_call) for line in lines}
    for side in sides:
        members = {place for place, line in enumerate(lines) if (line.group, line.is_call) == side}
        mine = [violation for violation in left if set(violation) <= members]
        while mine:
            worst = max(
                members & kept,
                key=lambda place: (
                    sum(place in violation for violation in mine),
                    fitness(lines, kept, place, width),
                    round(lines[place].ask - lines[place].bid, 9),
                    lines[place].x,
                ),
            )
            kept.discard(worst)
            mine = [violation for violation in mine if worst not in violation]
    return sorted(set(range(len(lines))) - kept)


@st.composite
def chains(draw: st.DrawFn, *, most: int) -> list[Line]:
    """Random cents on random strikes: violations of every kind, many at once, and prices that tie."""
    places = draw(
        st.lists(
            st.tuples(st.integers(80, 100), st.booleans(), st.integers(0, 1)),
            min_size=0,
            max_size=most,
            unique=True,
        )
    )
    lines = []
    for strike, is_call, group in places:
        fair = (101 - strike if is_call else strike - 79) ** 2 * draw(st.sampled_from((2, 2, 2, 3, 5)))
        spread = draw(st.integers(0, 40))
        shift = draw(st.sampled_from((0, 0, 0, 1, -30, 60, 300)))
        bid = max(fair + shift, 0)
        lines.append(Line(float(strike), is_call, bid / 100, (bid + spread) / 100, group))
    return lines


@settings(max_examples=50, deadline=None)
@given(chains(most=14), st.sampled_from((1.0, 0.97)))
def test_verticals_are_those_of_brute_force(lines: list[Line], width: float) -> None:
    assert vertical(lines, width) == plain(lines, vertical_violations, width)


@settings(max_examples=50, deadline=None)
@given(chains(most=12))
def test_butterflies_are_those_of_brute_force(lines: list[Line]) -> None:
    assert butterfly(lines) == plain(lines, butterfly_violations, 1.0)


@settings(max_examples=25, deadline=None)
@given(chains(most=20), st.randoms(use_true_random=False))
def test_what_is_left_has_no_arbitrage_whatever_the_order(lines: list[Line], random: Any) -> None:
    shuffled = random.sample(lines, len(lines))
    for find, violations in (
        (lambda each: vertical(each, 1.0), lambda each: vertical_violations(each, 1.0)),
        (butterfly, butterfly_violations),
    ):
        dropped = set(find(lines))
        assert not list(violations([line for place, line in enumerate(lines) if place not in dropped]))
        assert {lines[place] for place in dropped} == {shuffled[place] for place in find(shuffled)}


# --- by hand ----------------------------------------------------------------------------------------------


def calls(*quotes: tuple[float, float, float]) -> list[Line]:
    return [Line(strike, is_call=True, bid=bid, ask=ask) for strike, bid, ask in quotes]


def mirrored(lines: list[Line]) -> list[Line]:
    """The puts that say the same as these calls, about a strike of 100."""
    return [Line(200 - line.strike, not line.is_call, line.bid, line.ask) for line in lines]


FAIR = calls(
    (90, 10.9, 11.1), (95, 6.8, 7.0), (100, 3.7, 3.9), (105, 1.7, 1.9), (110, 0.7, 0.9), (115, 0.2, 0.4)
)


def replaced(place: int, bid: float, ask: float) -> list[Line]:
    old = FAIR[place]
    return [*FAIR[:place], Line(old.strike, old.is_call, bid, ask), *FAIR[place + 1 :]]


@pytest.mark.parametrize("turn", [lambda lines: lines, mirrored], ids=["calls", "puts"])
def test_fair_quotes_are_left_alone(turn: Callable[[list[Line]], list[Line]]) -> None:
    assert vertical(turn(FAIR), 1.0) == []
    assert butterfly(turn(FAIR)) == []


@pytest.mark.parametrize("turn", [lambda lines: lines, mirrored], ids=["calls", "puts"])
@pytest.mark.parametrize(("place", "bid", "ask"), [(3, 12.0, 12.2), (2, 0.05, 0.1), (1, 12.5, 12.7)])
def test_one_bad_line_goes_and_no_good_one(
    turn: Callable[[list[Line]], list[Line]], place: int, bid: float, ask: float
) -> None:
    assert vertical(turn(replaced(place, bid, ask)), 1.0) == [place]


@pytest.mark.parametrize("turn", [lambda lines: lines, mirrored], ids=["calls", "puts"])
@pytest.mark.parametrize(
    ("place", "bid", "ask"), [(2, 4.8, 5.0), (3, 2.7, 2.9), (4, 1.3, 1.4), (1, 7.8, 8.0)]
)
def test_a_bump_too_small_for_a_vertical_is_a_butterfly(
    turn: Callable[[list[Line]], list[Line]], place: int, bid: float, ask: float
) -> None:
    lines = turn(replaced(place, bid, ask))
    assert vertical(lines, 1.0) == []
    assert butterfly(lines) == [place]


def test_two_low_asks_are_found_and_not_the_many_good_lines_that_they_accuse() -> None:
    bad = [*FAIR]
    bad[1] = Line(95, is_call=True, bid=1.0, ask=1.1)
    bad[2] = Line(100, is_call=True, bid=0.9, ask=1.0)
    assert vertical(bad, 1.0) == [1, 2]


def test_spread_above_its_width_counts_and_european_width_is_discounted() -> None:
    lines = calls((90, 14.8, 14.9), (95, 9.9, 9.95), (100, 5.0, 5.1))
    assert vertical(lines, 1.0) == []
    assert len(vertical(lines, 0.95)) == 2  # 4.85, 4.80 > 4.75 and 9.70 > 9.50: every pair


def test_mids_may_break_every_rule_inside_the_spread() -> None:
    lines = calls((90, 5.00, 5.40), (91, 5.10, 5.60), (92, 4.90, 5.50), (93, 5.20, 5.45))
    assert vertical(lines, 1.0) == []
    assert butterfly(lines) == []


@pytest.mark.parametrize(("excess", "dropped"), [(0.0, 0), (1e-10, 0), (0.01, 1)])
def test_slack_forgives_float_noise_but_not_a_cent(excess: float, dropped: int) -> None:
    # the asks' chord at 100 is 0.1 + 0.2, which floats make 0.30000000000000004
    lines = calls((90, 0.35, 0.4), (100, 0.3 + excess, 0.3 + excess), (110, 0.15, 0.2))
    assert len(butterfly(lines)) == dropped


def test_nothing_in_nothing_out() -> None:
    assert vertical([], 1.0) == []
    assert butterfly([]) == []
    assert butterfly(FAIR[:1]) == []
    assert vertical(FAIR[:1], 1.0) == []


def test_large_convex_chain_keeps_every_line_and_a_planted_one_goes() -> None:
    strike = np.arange(1, 2001, dtype=float)
    price = np.round((2001 - strike) ** 2 / 4000, 2)
    quotes = {
        "strike": strike,
        "is_call": np.full(2000, fill_value=True),
        "bid": price - 0.02,
        "ask": price + 0.02,
        "group": np.zeros(2000, dtype=np.intp),
    }
    assert not butterfly_offenders(**quotes).any()
    quotes["bid"] = quotes["bid"].copy()
    quotes["ask"] = quotes["ask"].copy()
    quotes["bid"][1200] += 0.3
    quotes["ask"][1200] += 0.3
    assert np.flatnonzero(butterfly_offenders(**quotes)).tolist() == [1200]
