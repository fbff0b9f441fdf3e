"""What a run comes to: two small tables, and sentences that follow from its numbers alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from common.control import LARGEST_SPREAD, LEAST_BUSY, LEAST_GAIN, Control
from common.text import count, error_or_none, items, markdown, multiple, nanoseconds, paragraph, power, ratio
from european.engines import ENGINES, OURS, TARGETS
from european.findings import Findings
from european.runs import Run, ours, same_answers
from european.table import EXPLAINED, FITTED, WRONG

_SHOWN = ("random", "tick")
# `high` is apart: where a listed option never is
_COMPARED = ("random", "deep", "tick")
_HIGH = "high"


def whole(found: Findings) -> list[str]:
    lines = [*warnings(found.runs, found.control), *_speed(found), "", *_trust(found)]
    reached = list(targets(found.runs))
    if reached:
        about = "Targets, a peer's ns/option over ours with as many threads, on `random`, `deep` and `tick`:"
        lines += ["", *paragraph(about), "", *items(reached)]
    for sentence in (without_avx512(found.runs), far_up(found)):
        if sentence:
            lines += ["", *paragraph(sentence)]
    return lines


def spread(runs: list[Run]) -> float:
    """Our slowest round over our quickest, where that is largest."""
    ratios = [max(t) / min(t) for run in runs if run.engine.name == OURS for t in run.times.values()]
    return max(ratios, default=1.0)


def warnings(runs: list[Run], control: Control) -> list[str]:
    """What makes the figures of this run doubtful."""
    said = []
    if control.gains and control.median() < LEAST_GAIN:
        said.append(
            f"two CPUs were not free: in the control, two threads did {control.median():.2f} times the "
            f"work of one, less than {LEAST_GAIN}. Figures with 2 threads say little"
        )
    if spread(runs) > LARGEST_SPREAD:
        said.append(
            f"the machine was disturbed: our slowest round took {spread(runs):.2f} times our quickest, "
            f"more than {LARGEST_SPREAD}"
        )
    busiest = max((run.cpus for run in runs if run.threads == 1), default=1.0)
    if busiest < LEAST_BUSY:
        said.append(f"no engine had a CPU for itself: the busiest had {busiest:.2f} of one with 1 thread")
    return [line for text in said for line in (*paragraph(f"**Warning:** {text}."), "")]


def _speed(found: Findings) -> list[str]:
    names = [option_set.name for option_set in found.option_sets if option_set.name in _SHOWN]
    threads = sorted({run.threads for run in found.runs})
    places = [(name, number) for number in threads for name in names]
    header = ["ns/option (times ours)"]
    header += [f"`{name}`, {number} thread{'s' * (number > 1)}" for name, number in places]
    rows: dict[str, list[str]] = {}
    for run in found.runs:
        cells = rows.setdefault(run.label, ["-"] * len(places))
        for column, (name, number) in enumerate(places):
            if run.threads == number:
                cells[column] = _cell(run, name, found.runs)
    lines = markdown(header, ([label, *cells] for label, cells in rows.items()))
    if len(threads) > 1:
        lines += ["", *paragraph("A dash: not run with 2 threads; a peer with a dash has no threads.")]
    return lines


def _cell(run: Run, name: str, runs: list[Run]) -> str:
    if not run.measured(name):
        return "not measured"
    time = run.quickest(name)
    return f"{nanoseconds(time)} ({ratio(time / ours(runs, name).get(run.threads, math.nan))})"


def _trust(found: Findings) -> list[str]:
    header = [
        "all sets and the invalid rows",
        "max rel. error not explained by rounding",
        "max error in roundings",
        f"errors > {power(WRONG)} not explained by rounding",
        "no answer",
        "invented",
    ]
    names = [option_set.name for option_set in found.option_sets]
    rows = []
    for label, run in same_answers(found.runs):
        if run.refusals is None or not all(run.measured(name) for name in names):
            rows.append([label, "not measured"] + [""] * (len(header) - 2))
            continue
        all_sets = [run.accuracies[name] for name in names]
        valid = sum(each.valid for each in all_sets)
        without = sum(each.without for each in all_sets) + run.refusals.rows
        rows.append(
            [
                label,
                error_or_none(max(each.unexplained for each in all_sets)),
                multiple(max(each.roundings for each in all_sets)),
                count(sum(each.wrong_unexplained for each in all_sets), valid),
                count(sum(each.missing for each in all_sets), valid),
                count(sum(each.invented for each in all_sets) + run.refusals.invented, without),
            ]
        )
    about = (
        f"An error of up to {EXPLAINED} roundings counts as explained; a rounding is what the last digits of "
        "price and vol allow. Shares are of the rows that the engine was given: those with a vol, and for "
        "invented those without."
    )
    return [*markdown(header, rows), "", *paragraph(about)]


def targets(runs: list[Run]) -> Iterator[str]:
    """Whether each target holds, and where not."""
    for name, goal in TARGETS.items():
        peer = [run for run in runs if run.engine.name == name]
        if not peer:
            continue
        threads = " and ".join(str(run.threads) for run in peer)
        how = f"{threads} thread{'s' * (threads != '1')}"
        yield f"{name} ({how}), at least {goal}: {_verdict(_ratios(peer, runs), goal)}."


def _ratios(peer: list[Run], runs: list[Run]) -> dict[tuple[str, int], float]:
    """Times ours, by set and threads."""
    return {
        (name, run.threads): run.quickest(name) / ours(runs, name)[run.threads]
        for run in peer
        for name in _COMPARED
        if run.measured(name) and not math.isnan(ours(runs, name).get(run.threads, math.nan))
    }


def _verdict(found: dict[tuple[str, int], float], goal: float) -> str:
    if not found:
        return "not measured"
    missed = {place: value for place, value in found.items() if value < goal}
    if not missed:
        return f"holds, {_range(found)}"
    if len(missed) == len(found):
        return f"missed, {_range(found)}"
    several = len({threads for _, threads in found}) > 1
    where = ", ".join(
        f"{_exact(value, goal)} on `{name}`" + f" with {threads} thread{'s' * (threads > 1)}" * several
        for (name, threads), value in missed.items()
    )
    met = {place: value for place, value in found.items() if value >= goal}
    return f"missed, {where}; {_range(met)} elsewhere"


def _range(found: dict[tuple[str, int], float]) -> str:
    low, high = ratio(min(found.values())), ratio(max(found.values()))
    return low if low == high else f"{low} to {high}"


def _exact(value: float, goal: float) -> str:
    """A ratio below its goal, never rounded up to it."""
    return ratio(value) if ratio(value) != ratio(goal) else f"{value:.2f}"


def without_avx512(runs: list[Run]) -> str:
    """The peers beside our AVX2 row."""
    narrow = next((run for run in runs if run.variables), None)
    if narrow is None:
        return "This machine has no AVX-512: all rows are without it."
    parts = []
    for engine in ENGINES:
        peer = next((run for run in runs if run.engine == engine and run.engine.name != OURS), None)
        if peer is None:
            continue
        found = {
            (name, 1): peer.quickest(name) / narrow.quickest(name)
            for name in _COMPARED
            if peer.measured(name) and narrow.measured(name)
        }
        if not found:
            continue
        goal = TARGETS.get(engine.name)
        verdict = f" (target {'holds' if min(found.values()) >= goal else 'missed'})" if goal else ""
        parts.append(f"{engine.name} {_range(found)}{verdict}")
    if not parts:
        return ""
    return (
        f"Without AVX-512, with AVX2 alone (`{narrow.label}`; the peers keep their AVX-512 where they have "
        f"it), the same ratios with 1 thread are: {', '.join(parts)}."
    )


def far_up(found: Findings) -> str:
    """What becomes of the ratios where the fitted path ends."""
    option_set = next((each for each in found.option_sets if each.name == _HIGH), None)
    us = ours(found.runs, _HIGH).get(1, math.nan)
    plain = ours(found.runs, "random").get(1, math.nan)
    if option_set is None or math.isnan(us) or math.isnan(plain):
        return ""
    total = found.truths[_HIGH].high * np.sqrt(option_set.options.time)
    share = 100 * np.mean(total[np.isfinite(total)] > FITTED)
    peers = [
        run for run in found.runs if run.engine.name != OURS and run.threads == 1 and run.measured(_HIGH)
    ]
    beside = ", ".join(f"{run.label} {ratio(run.quickest(_HIGH) / us)}" for run in peers)
    return (
        f"Above vol sqrt(T) = {FITTED} ours leaves its vector path for a scalar one. `{_HIGH}`, where "
        f"{share:.0f} % of the rows are above, takes it {nanoseconds(us)} ns/option, {ratio(us / plain)} "
        "times as long as `random`" + (f"; times ours there, with 1 thread: {beside}." if beside else ".")
    )
