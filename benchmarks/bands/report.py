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
            "known; what they are is in [method.md](method.md#bands-of-the-percentile). All shares but "
            "one column are conditional on being in the tail, where a band is looked at."
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
        "Truths with a half-life of 20 sessions and a standard deviation of 1, 600 of them, and "
        "readings with errors of the size given (uneven: each day's own, lognormal with a deviation "
        "of 0.7 about that; today's its own in the last rows). The shares are those of bands that hold "
        "the percentile that today's truth has among the truths, over all series, where the percentile "
        "seen is at most 10 (low), and where it is at least 90 (high); `width` is the median width in "
        "both tails. `plain` adds noise of the errors' size to the readings, which counts it twice. A "
        f"row is {cases:,} series, about a tenth of them in each tail, and one in {measurement.SHARE} "
        "counts for all: standard errors at 90 % are "
        f"{100 * math.sqrt(0.09 * 10 / cases):.1f} points in a tail and "
        f"{100 * math.sqrt(0.09 * measurement.SHARE / cases):.1f} over all."
    )
    lines += [
        "",
        *text.paragraph(
            "The skewed truths crowd at the low end and have their long tail at the high one. The prior is "
            "one normal distribution for the whole sample: where the truths are not so distributed it takes "
            "today's rank from a wrong shape, and most where they crowd, which a mean over both tails would "
            "hide. In the last rows today is known far better than the days that it is counted among; the "
            "band is then narrow, and nothing in it stands for an error of that shape."
        ),
    ]
    header = ["truths", "error", "uneven", "today", "all", "low", "high", "width"]
    header += ["plain: all", "low", "high"]
    rows = [
        [
            result.setting.truth,
            f"{result.setting.noise:g}",
            "yes" if result.setting.is_uneven else "no",
            "as the rest" if result.setting.today is None else f"{result.setting.today:g}",
            *(_marked(share) for share in (result.ours.all, result.ours.low, result.ours.high)),
            f"{result.width:.1f}",
            *(_percent(share) for share in (result.plain.all, result.plain.low, result.plain.high)),
        ]
        for result in results
    ]
    return [*lines, "", *text.markdown(header, rows), ""]


def _name(cell: sampling.Cell) -> str:
    return f"{cell.kind} of half-life {cell.half_life:g} in {cell.n:,} sessions"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _marked(share: float) -> str:
    return f"**{_percent(share)}**" if share < TARGET else _percent(share)
