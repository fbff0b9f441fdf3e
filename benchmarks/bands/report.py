"""docs/bands.md from the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from common import text

from bands import measurement, sampling, series

TARGET = 0.88


def whole(
    samples: Sequence[sampling.Result],
    hard: Sequence[sampling.Result],
    measures: Sequence[measurement.Result],
    *,
    command: str,
    cases: int,
    measured: int,
) -> str:
    lines = [
        "# How often the bands of a percentile cover",
        "",
        *text.paragraph(
            f"Made by `{command}`. Both bands are of 90 %, and are measured on series whose answer is "
            "known; what they are is in [method.md](method.md#bands-of-the-percentile). All shares are "
            "conditional on where today lies, most on its being in the tail, where a band is looked at."
        ),
        "",
    ]
    if samples:
        lines += _sampling(samples, hard, cases)
    if measures:
        lines += _measurement(measures, measured)
    return "\n".join(lines).rstrip("\n") + "\n"


def _sampling(results: Sequence[sampling.Result], hard: Sequence[sampling.Result], cases: int) -> list[str]:
    short = [result for result in results if result.ours.least() < TARGET]
    counted = len(results)
    said = [
        (
            f"{counted - len(short)} of {counted} cells of this grid cover at least {100 * TARGET:.0f} % "
            "in each of the four columns"
        )
    ]
    said += [
        f"{_name(result.cell)}: {_percent(result.ours.least())} at worst, "
        f"{_percent(result.known.least())} were the persistence known"
        for result in short
    ]
    lines = ["## The sampling band", ""]
    lines += text.paragraph(
        f"Each cell is {cases:,} series of n sessions with today's percentile, seen or true, within 10 "
        "of an end. The four columns are the shares of the bands that hold the true percentile, where "
        "the seen one is at most 5 or at least 95 (seen 5), at most 10 or at least 90 (seen 10), and "
        "where the true one is. `width` is the median width in points of the bands where the seen one "
        "is within 5. `known` is the same band with the true autocorrelations put in: what estimating "
        "them costs. `bootstrap` is the plain stationary bootstrap with today's value held fixed and "
        f"the true half-life given, which is not shipped. A share of 90 % of {cases // 2} cases has a "
        f"standard error of {100 * math.sqrt(0.09 / (cases / 2)):.1f} points."
    )
    kinds = [series.KINDS[name] for name in sampling.GRID]
    lines += ["", *text.items(f"{kind.name}: {kind.text}." for kind in kinds)]
    lines += ["", *text.items(f"{sentence}." for sentence in said), ""]
    lines += [*_samples(results), ""]
    return [*lines, *_hard(hard), ""] if hard else lines


def _hard(results: Sequence[sampling.Result]) -> list[str]:
    worst = min(results, key=lambda result: result.ours.least())
    kind = series.KINDS[worst.cell.kind]
    lines = ["### Where it falls short", ""]
    lines += text.paragraph(
        f"Beyond that grid, {kind.name}: {kind.text}. A slow half behind a fast one is hard to see, and "
        "one as slow as the sample is long cannot be told from a level. The columns are those above."
    )
    short = sum(result.ours.least() < TARGET for result in results)
    said = [
        f"{short} of {len(results)} cells cover less than {100 * TARGET:.0f} % in one of the four columns",
        f"the worst, {_name(worst.cell)}: {_percent(worst.ours.least())}",
    ]
    return [*lines, "", *text.items(f"{sentence}." for sentence in said), "", *_samples(results)]


def _samples(results: Sequence[sampling.Result]) -> list[str]:
    header = ["series", "n", "half-life", "seen 5", "seen 10", "true 5", "true 10", "width"]
    header += ["known: least", "width", "bootstrap: seen 5", "true 5", "width"]
    rows = [
        [
            result.cell.kind,
            f"{result.cell.n:,}",
            f"{result.cell.half_life:g}",
            *(
                _marked(share)
                for share in (result.ours.seen5, result.ours.seen10, result.ours.true5, result.ours.true10)
            ),
            f"{result.ours.width:.1f}",
            _percent(result.known.least()),
            f"{result.known.width:.1f}",
            _percent(result.bootstrap.seen5),
            _percent(result.bootstrap.true5),
            f"{result.bootstrap.width:.1f}",
        ]
        for result in results
    ]
    return list(text.markdown(header, rows))


def _measurement(results: Sequence[measurement.Result], cases: int) -> list[str]:
    lines = ["## The measurement band", ""]
    lines += text.paragraph(
        f"Truths with a half-life of {measurement.HALF_LIFE:g} sessions and a standard deviation of 1, "
        f"{measurement.N} of them, and readings with errors of the size given. Uneven: each day's own, "
        f"lognormal with a deviation of {measurement.UNEVEN:g} about that. Today {measurement.PRECISE:g}: "
        "today is known far better than the days that it is counted among. Shared: the errors of the pair's "
        "legs have this correlation, which the stated error leaves out. The columns are the shares of "
        "bands that hold the percentile that today's truth has among the truths: where the percentile seen "
        "lies from 0 to 2, from 2 to 10 and so on, where the true one does, and where today's truth is by 0 "
        f"to {measurement.FARTHEST:g} standard deviations below or above every other. Each of them is "
        f"{cases:,} series (fewer where today seldom can lie there; none, and a dash, where it cannot): the "
        f"standard error is {100 * math.sqrt(0.09 / cases):.1f} points at 90 %."
    )
    lines += ["", *text.items(f"{name}: {law.text}." for name, law in measurement.LAWS.items()), ""]
    lines += text.items(f"{sentence}." for sentence in _shortfalls(results))
    header = ["truths", "error", *(place.name for place in measurement.PLACES)]
    rows = [[*_errors(result.setting), *(_marked(share) for share in result.held)] for result in results]
    lines += ["", *text.markdown(header, rows), "", "Median widths of the same bands, in points:", ""]
    rows = [
        [*_errors(result.setting), *("-" if math.isnan(width) else f"{width:.1f}" for width in result.widths)]
        for result in results
    ]
    lines += [*text.markdown(header, rows), ""]
    lines += text.paragraph(
        "And the shares that a plain band holds, which adds noise of the errors' size to the readings and so "
        "counts it twice:"
    )
    rows = [[*_errors(result.setting), *(_percent(share) for share in result.plain)] for result in results]
    return [*lines, "", *text.markdown(header, rows), ""]


def _shortfalls(results: Sequence[measurement.Result]) -> list[str]:
    said = []
    for is_precise in (False, True):
        some = [
            result
            for result in results
            if (result.setting.today is not None) == is_precise and not result.setting.shared
        ]
        if not some:
            continue
        shares = [share for result in some for share in result.held if not math.isnan(share)]
        short = sum(share < TARGET for share in shares)
        row, place = min(
            (
                (result, place)
                for result in some
                for place in range(len(result.held))
                if not math.isnan(result.held[place])
            ),
            key=lambda pair: pair[0].held[pair[1]],
        )
        kind = "today is known far better" if is_precise else "today is read as the rest"
        said.append(
            f"Where {kind}, {len(shares) - short} of {len(shares)} cells cover at least "
            f"{100 * TARGET:.0f} %; the least is {_percent(row.held[place])}, by "
            f"{100 * (0.9 - row.held[place]):.1f} points under 90 % ({row.setting.truth}, "
            f"{_errors(row.setting)[1]}, {measurement.PLACES[place].name})"
        )
    return said


def _errors(setting: measurement.Setting) -> list[str]:
    more = ", uneven" * setting.is_uneven
    more += f", today {setting.today:g}" if setting.today is not None else ""
    more += f", shared {setting.shared:g}" if setting.shared else ""
    return [setting.truth, f"{setting.noise:g}{more}"]


def _name(cell: sampling.Cell) -> str:
    return f"{cell.kind} of half-life {cell.half_life:g} in {cell.n:,} sessions"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _marked(share: float) -> str:
    return f"**{_percent(share)}**" if share < TARGET else _percent(share)
