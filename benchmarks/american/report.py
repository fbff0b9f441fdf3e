"""The Markdown that a run leaves behind."""

from __future__ import annotations

import math

import numpy as np
from american import discrete, engines, sets, verdicts
from american.chains import STAGES, Timing
from american.findings import Findings
from american.measure import PRICE, VOL, Run
from common import machine
from common.control import LARGEST_SPREAD, LEAST_BUSY
from common.text import items, markdown, paragraph, ratio, small

_COLUMNS = f"""\
**us/price**, **us/vol**: microseconds of CPU an option in the quickest of the rounds; with one thread on a
 free CPU they are those of the clock. A round repeats the call on all rows for a fraction of a second, at
 least once, and takes the mean. What is no part of pricing or inverting (arrays, contracts, processes, term
 structures) is made before the clock starts; the first call is not counted.
**times ours**: this us/vol over ours at accuracy "default".
**error**: the vol found less the vol that made the price, without sign; 1e-4 is 0.01 vol points.
**error x vega**: the largest error in dollars of the option's price.
**failures**: no positive finite vol, or an exception; such rows are in no quantile.
**informative**: extrinsic value of at least ${engines.LEAST_EXTRINSIC} and vega of at least
 ${engines.LEAST_VEGA} per 1.00 of vol. The set holds these quotes alone."""


def whole(found: Findings) -> str:
    lines = [
        "# American implied vol: ours and the peers'",
        "",
        *paragraph(_made(found)),
        "",
        *_warnings(found),
    ]
    if found.continuous:
        lines += [*_continuous(found), ""]
    if found.discrete:
        lines += [*_discrete(found), ""]
    if found.forwards:
        lines += [*_forwards(found), ""]
    if found.chains:
        lines += [*_chains(found.chains), ""]
    lines += _how(found)
    return "\n".join(lines) + "\n"


def _made(found: Findings) -> str:
    spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.spent.items())
    return (
        f"Made by `{found.command}` in {_duration(found.seconds)} ({spent}) on {machine.sentence()}. All "
        f"processes are pinned to that CPU and compute with one thread. Needed: {engines.NEEDS}. Machines "
        "differ: take the ratios."
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} minutes"


def _warnings(found: Findings) -> list[str]:
    said = []
    if found.spread > LARGEST_SPREAD:
        said.append(
            f"the machine was disturbed: our slowest round took {found.spread:.2f} times our median one, "
            f"more than {LARGEST_SPREAD}"
        )
    if found.steady.spread() > LARGEST_SPREAD:
        said.append(
            f"the CPU was not free: the control took {found.steady.spread():.2f} times its quickest in the "
            "median"
        )
    busiest = max((run.cpus for run in [*found.continuous, *found.discrete]), default=1.0)
    if busiest < LEAST_BUSY:
        said.append(f"no engine had a CPU for itself: the busiest had {busiest:.2f} of one")
    return [line for text in said for line in (*paragraph(f"**Warning:** {text}."), "")]


def _continuous(found: Findings) -> list[str]:
    made = found.made
    if made is None:
        return []
    options = made.options
    what = (
        f"{options.price.size:,} informative quotes, both rights, of a QQQ-like fund (spot 600, yield 0.5 %) "
        f"and an IWM-like one (spot 240, yield 1.1 %), rate 4.3 %, {_listed(np.unique(options.days))} days, "
        f"at least {sets.fewest_strikes(options)} strikes a right and expiry between 3 and 97 forward call "
        f"delta, vols of a skewed smile with noise from {100 * options.vol.min():.0f} to "
        f"{100 * options.vol.max():.0f} %, seed {sets.SEED}. {made.left_out} quotes of the same grid say too "
        "little of the vol and are left out."
    )
    truth = (
        "Prices are QuantLib's `QdFpAmericanEngine` with its high-precision scheme (tanh-sinh integrals) at "
        f"the chosen vols, so the true vols are known. Of {made.compared} of them its two boundary "
        f"equations, FP-A and FP-B, differ by ${small(made.difference)} and {small(made.difference_in_vol)} "
        "in vol at the most: errors below that say nothing more. Our prices at accuracy 'high', which are "
        f"not truth, differ from all by ${small(found.ours_from_truth)} at the most."
    )
    base = _by_name(found.continuous).get("volskew-default")
    header = [
        "engine",
        "rows",
        "us/price",
        "us/vol",
        "times ours",
        "error, median",
        "95 %",
        "99 %",
        "largest",
    ]
    header += ["error x vega [$]", "failures"]
    rows = [_row(run, base) for run in found.continuous]
    modes = [name.removeprefix("volskew-") for name in engines.OURS]
    lines = ["## Continuous yields", "", *paragraph(what), "", *paragraph(truth), "", *markdown(header, rows)]
    if found.binding is not None and found.binding.times[PRICE]:
        cost = found.binding.microseconds(PRICE)
        about = (
            "QuantLib is called through its Python binding. `SimpleQuote.setValue` and `VanillaOption.NPV` "
            "with the analytic European engine, whose formula takes a fraction of a microsecond, take "
            f"{cost:.2f} us: so much of every us/price of QuantLib is the binding, and as much of each "
            "evaluation in a us/vol, to which a solver in Python adds less. "
            "`VanillaOption.impliedVolatility` is one call."
        )
        lines += ["", *paragraph(about)]
    lines += ["", "Targets, a peer's us/vol over ours at each accuracy, and our errors:", ""]
    lines += markdown(
        ["target", *modes], [*verdicts.speed(found.continuous), *verdicts.accuracy(found.continuous)]
    )
    return lines


def _row(run: Run, base: Run | None) -> list[str]:
    if run.failure or run.errors is None:
        return [run.label, "not measured", *[""] * 9]
    errors = run.errors
    against = math.nan if base is None else base.microseconds(VOL)
    return [
        run.label,
        f"{errors.rows:,}",
        _microseconds(run.microseconds(PRICE)),
        _microseconds(run.microseconds(VOL)),
        "-" if math.isnan(against) else ratio(run.microseconds(VOL) / against),
        *(small(value) for value in (errors.median, errors.p95, errors.p99, errors.largest, errors.dollars)),
        f"{errors.failures:,}",
    ]


def _microseconds(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _discrete(found: Findings) -> list[str]:
    lines = ["## Discrete cash dividends", ""]
    if found.cases:
        lines += _cases(found)
    given = found.discrete_set
    if given is not None:
        options = given.options
        what = (
            f"Speed, on {options.price.size:,} informative quotes of the same funds, both rights, "
            f"{_listed(np.unique(options.days))} days, at least {sets.fewest_strikes(options)} strikes a "
            "right and expiry, one ex-date a quarter; the errors [vol points] are those of "
            f"{int(given.judged.sum()):,} options out of the money between 10 and 90 forward call delta, of "
            "which an engine that is given fewer rows has its share."
        )
        header = ["engine", "rows", "us/price", "us/vol", "error, median", "95 %", "largest", "failures"]
        rows = []
        for run in found.discrete:
            if run.failure or run.errors is None:
                rows.append([run.label, "not measured", *[""] * 6])
                continue
            errors = run.errors
            quantiles = [f"{100 * value:.4f}" for value in (errors.median, errors.p95, errors.largest)]
            size = -(-options.price.size // run.engine.every)
            times = [_microseconds(run.microseconds(what)) for what in (PRICE, VOL)]
            rows.append([run.label, f"{size:,}", *times, *quantiles, f"{errors.failures:,}"])
        lines += ["", *paragraph(what), "", *markdown(header, rows)]
    said = [*verdicts.discrete_speed(found.discrete), *verdicts.discrete_error(found.cases)]
    return [*lines, "", "Targets:", "", *items(said)]


def _cases(found: Findings) -> list[str]:
    finest = max(case.refinement for case in found.cases)
    what = (
        f"What each treatment misses the true vol by, in vol points, on 25-delta options of {discrete.DAYS} "
        f"days: cash dividends of 0.75 (QQQ-like) and 0.65 (IWM-like), one ex-date {_ex_dates()} days from "
        "now. The true vol is Black's, at the true forward (S - sum D exp(-r t)) exp(r T), of the European "
        "option priced in the very same model, where the spot drops by the cash at the ex-date: what taking "
        "out early exercise is to recover. Prices are QuantLib's `FdBlackScholesVanillaEngine` with "
        "CashDividendModel.Spot on 400 x 800 and 800 x 1600 grids (time x space), extrapolated (the "
        "European price in the square of the step, the premium in the step); coming from grids half as fine "
        f"moves a vol by {finest:.5f} vol points at the most. Without cash the same grids differ from the "
        f"exact prices of the section above by ${small(found.grid_check)} at the most."
    )
    header = ["option", "ex-date", "strike", "true vol [%]", *discrete.TREATMENTS]
    rows = [
        [
            f"{case.fund} {'call' if case.is_call else 'put'}",
            case.when,
            f"{case.strike:g}",
            f"{100 * case.true_vol:.3f}",
            *("-" if math.isnan(miss) else f"{miss:+.4f}" for miss in case.misses),
        ]
        for case in sorted(found.cases, key=lambda case: (case.fund != "QQQ-like", case.is_call))
    ]
    return [*paragraph(what), "", *markdown(header, rows)]


def _ex_dates() -> str:
    return ", ".join(f"{days} ({when})" for when, days in sets.EX_DATES.items())


def _forwards(found: Findings) -> list[str]:
    draws = found.forwards[0].draws
    what = (
        f"{draws} noisy chains of each fund and kind of dividend, in pairs with opposite noise: American "
        "prices that are exact (as above), a mid that is off by up to the half-spread, uniformly, the "
        "half-spread 2 cents and 0.4 % of the price, bid and ask in whole cents outwards. Errors of the "
        "forward in basis points: the mean over the pairs with its standard error, and the deviation of one "
        "draw. Naive parity is the median of K + (C - P)/D over the twelve pairs nearest to it; "
        "`fit_surface` is the library, given the rate and, for cash, a file of the dividends, read at "
        "`.forwards`."
    )
    header = ["fund", "dividends", "expiry", "naive parity: bias", "sd", "fit_surface: bias", "sd", "missing"]
    rows: dict[tuple[str, str, int], list[str]] = {}
    for each in found.forwards:
        cells = rows.setdefault((each.fund, each.dividends, each.days), [])
        cells += [f"{each.bias:+.2f} +- {each.bias_error:.2f}", f"{each.deviation:.2f}"]
        if each.method == "fit_surface":
            cells.append(str(each.missing))
    body = [[fund, style, f"{days} days", *cells] for (fund, style, days), cells in rows.items()]
    lines = ["## Forwards from American chains", "", *paragraph(what), "", *markdown(header, body)]
    return [*lines, "", "Targets of `fit_surface`:", "", *items(verdicts.forward_bias(found.forwards))]


def _chains(timings: list[Timing]) -> list[str]:
    what = (
        "From a file to the three-month 25-delta reading, medians of several runs after one that is not "
        "counted, in milliseconds by the clock. A stage that `fit_surface` repeats counts with all its "
        "rounds; total is reading and fitting, the rest of it in no stage."
    )
    header = ["chain", "expiries", "lines", "read", *STAGES, "total", "slowest run"]
    rows = [
        [
            timing.name,
            str(timing.expiries),
            f"{timing.lines:,}",
            *(
                "-" if math.isnan(value) else f"{value:.1f}"
                for value in (timing.read, *timing.stages, timing.total, timing.slowest)
            ),
        ]
        for timing in timings
        if not timing.skipped
    ]
    lines = ["## A whole chain", "", *paragraph(what)]
    if rows:
        lines += ["", *markdown(header, rows)]
    skipped = [f"{timing.name}: skipped, {timing.skipped}." for timing in timings if timing.skipped]
    return [*lines, "", *items(skipped)] if skipped else lines


def _how(found: Findings) -> list[str]:
    runs = [*found.continuous, *found.discrete]
    lines = ["## The run", ""]
    if runs:
        text = (
            f"Every engine runs in a process of its own; {found.rounds} rounds, in each the engines one "
            f"after the other, so that all see the same machine. Our slowest round took {found.spread:.2f} "
            f"times our median one; a control that only hashes took {found.steady.spread():.2f} times its "
            "quickest in the median."
        )
        lines += [*paragraph(text), ""]
    failed = [f"{run.label}: {run.failure}" for run in runs if run.failure]
    if failed:
        lines += ["Not measured, or not to the end:", "", *items(failed), ""]
    lines += [*items(_COLUMNS.replace("\n ", " ").splitlines())]
    if runs:
        calls = (
            f"{run.label}: {run.engine.call}"
            + (f"; a row in {run.engine.every}." if run.engine.every > 1 else ".")
            for run in runs
        )
        versions = {run.engine.environment or "ours": run.versions for run in runs if run.versions}
        named = (
            f"{name}: " + ", ".join(f"{package} {version}" for package, version in packages.items())
            for name, packages in versions.items()
        )
        lines += ["", "## How each was called", "", *items(calls), "", "Versions:", "", *items(named)]
    return lines


def _listed(days: np.ndarray) -> str:
    *first, last = [f"{day:.0f}" for day in days]
    return f"{', '.join(first)} and {last}" if first else last


def _by_name(runs: list[Run]) -> dict[str, Run]:
    return {run.engine.name: run for run in runs}
