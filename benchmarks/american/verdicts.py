"""Whether each target holds, by how much, from the run's own numbers alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from american import discrete, engines
from american.discrete import Case
from american.forwards import EXPIRIES, Bias
from american.measure import VOL, Run
from common.text import ratio, small
from common.verdicts import NOT_MEASURED, verdict


def speed(runs: list[Run]) -> Iterator[list[str]]:
    """A row for each peer with a target: the ratio and the verdict at each of our accuracies."""
    known = {run.engine.name: run for run in runs}
    for name, (goal, hoped) in engines.SPEED.items():
        cells = [f"{name}, at least {goal:,}x" + (f" (reach {hoped:,}x)" if hoped else "")]
        for ours in engines.OURS:
            found = _ratio(known.get(name), known.get(ours))
            said = verdict(found, goal, least=True)
            if said == "met" and hoped and found >= hoped:
                said = "met, and the reach"
            cells.append(said if math.isnan(found) else f"{ratio(found)}x: {said}")
        yield cells


def _ratio(peer: Run | None, ours: Run | None) -> float:
    if peer is None or ours is None:
        return math.nan
    return peer.microseconds(VOL) / ours.microseconds(VOL)


def accuracy(runs: list[Run]) -> Iterator[list[str]]:
    """A row for each bound on our errors."""
    known = {run.engine.name: run for run in runs}
    bounds = (
        (f"99 % of the errors, at most {engines.LARGEST_P99:.0e}", "p99", engines.LARGEST_P99),
        (f"largest error, at most {engines.LARGEST_ERROR:.0e}", "largest", engines.LARGEST_ERROR),
        (f"error x vega, at most ${engines.LARGEST_DOLLARS}", "dollars", engines.LARGEST_DOLLARS),
    )
    for title, name, bound in bounds:
        cells = [title.replace("e-0", "e-")]
        for ours in engines.OURS:
            run = known.get(ours)
            found = math.nan if run is None or run.errors is None else getattr(run.errors, name)
            said = verdict(found, bound, least=False)
            cells.append(said if math.isnan(found) else f"{small(found)}: {said}")
        yield cells
    cells = ["unsolved, none"]
    for ours in engines.OURS:
        run = known.get(ours)
        count = None if run is None or run.errors is None else run.errors.failures
        cells.append(NOT_MEASURED if count is None else "0: met" if count == 0 else f"{count}: **missed**")
    yield cells


def discrete_speed(runs: list[Run]) -> Iterator[str]:
    for run in runs:
        if run.engine.name in engines.OURS_DISCRETE:
            found = run.microseconds(VOL)
            said = verdict(found, engines.DISCRETE_US, least=False)
            yield f"{run.label}, at most {engines.DISCRETE_US:g} us a vol: " + (
                f"{said}." if math.isnan(found) else f"{found:.2f}, {said}."
            )


def discrete_error(cases: list[Case]) -> Iterator[str]:
    """Our worst 25-delta vol of three months against its target, at each accuracy."""
    for name in discrete.JUDGED:
        place = discrete.TREATMENTS.index(f"ours, {name.rsplit('-', 1)[1]}")
        yield (
            f"{name}, 25-delta vols of three months within {engines.DISCRETE_POINTS} vol points "
            f"({engines.DISCRETE_POINTS_LATE_CALL} for the IWM-like call with its ex-date just before "
            f"expiry): {_worst(cases, place)}."
        )


def _worst(cases: list[Case], place: int) -> str:
    known = [case for case in cases if math.isfinite(case.misses[place])]
    if not known:
        return NOT_MEASURED
    missed = [case for case in known if not abs(case.misses[place]) <= discrete.limit(case)]
    if not missed:
        return f"met, {max(abs(case.misses[place]) for case in known):.4f} at the worst" + _absent(
            cases, known
        )
    where = "; ".join(
        f"{case.fund} {'call' if case.is_call else 'put'}, ex-date {case.when}: {case.misses[place]:+.4f}"
        for case in missed
    )
    return f"**missed** by {where}" + _absent(cases, known)


def _absent(cases: list[Case], known: list[Case]) -> str:
    return f" ({len(cases) - len(known)} of {len(cases)} without a vol)" if len(known) < len(cases) else ""


def forward_bias(found: list[Bias]) -> Iterator[str]:
    """The library's forward; a bias counts as what it is, its standard error stands beside it."""
    for days, name in EXPIRIES.items():
        goal = engines.FORWARD_BIAS[days]
        for style in ("yield", "cash"):
            rows = [
                each
                for each in found
                if each.days == days and each.dividends == style and each.method == "fit_surface"
            ]
            said = ", ".join(
                f"{each.fund} {each.bias:+.2f} +- {each.bias_error:.2f}: "
                f"{verdict(abs(each.bias), goal, least=False)}"
                for each in rows
            )
            if said:
                yield f"{name}, {style} dividends, bias below {goal:g} bp: {said}."
