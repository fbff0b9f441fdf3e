"""The terminal summary: one screen, the answer first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from volskew.history import AddResult
from volskew.ledger import Stage
from volskew.measures.realised_readings import IMPLIED_OVER_REALISED
from volskew.ranking import BetaAdjusted, Ranking
from volskew.ranking.band_words import band_text
from volskew.ranking.standing import Flag
from volskew.ranking.verdict import describe_reading
from volskew.report.console import page_console
from volskew.report.figures import decimals_for, percent, with_error
from volskew.report.flags import CAVEATS_OF_THE_DAY, CAVEATS_OF_THE_HISTORY
from volskew.workflow import MeasureResult, PairStudy, RankResult

__all__ = ["print_import", "print_measures", "print_ranking", "print_series_ranking"]

EXERCISE_IGNORED = "exercise-ignored"
"""Word in the method of readings from American lines that were priced as European."""

_STAGES_OF_DAYS = {Stage.INPUT, Stage.SESSION, Stage.TENOR, Stage.RANKING}

_LEVELS = ("implied_vol", "forward_vol", "realised_vol")
"""Beginnings of the names of vols, which are shown in percent; differences of vols are shown in points."""

_WIDE = 120
"""Columns that the whole table needs; on a narrower terminal the records are left out."""


def _plain(value: Any, pattern: str) -> str:
    return "" if pd.isna(value) else format(value, pattern)


def print_ranking(result: RankResult, *, files: Sequence[Path] = ()) -> None:
    """Print what a desk wants to know of each pair, then what to know of the data, then the files."""
    console = page_console(_WIDE)
    if result.is_simulated:
        console.print("[bold]SIMULATED DATA[/bold]: no price below is from a market.")
    for study in result.studies:
        if study.ranking.measure == IMPLIED_OVER_REALISED:
            console.print()
            console.print(Text(study.ranking.verdict))
            continue
        _print_pair(console, study.ranking, result)
        for line in study_lines(study):
            console.print(Text(line))
    _print_caveats(console, result)
    if files:
        console.print(Text(_file_list(files), style="dim"))


def print_series_ranking(ranking: Ranking, *, episode_words: str = "", files: Sequence[Path] = ()) -> None:
    """Print the ranking of two columns of a dated CSV, and how often they stood so."""
    console = page_console(_WIDE)
    console.print(Text(ranking.verdict, style="bold"))
    console.print(_windows_table(ranking, records=console.width >= _WIDE))
    if episode_words:
        console.print(Text(episode_words))
    if files:
        console.print(Text(_file_list(files), style="dim"))


def _print_pair(console: Console, ranking: Ranking, result: RankResult) -> None:
    a, b = ranking.pair
    what = describe_reading(ranking.measure, ranking.tenor, ranking.delta)
    console.print()
    console.print(
        Text.assemble(
            (f"{a} / {b}", "bold"), f"  {what}, {ranking.as_of}  ", (f"series {ranking.label_series}", "dim")
        )
    )
    console.print(Text(ranking.verdict, style="bold"))
    legs = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    points = ranking.unit == "vol" and not ranking.measure.startswith(_LEVELS)
    unit = "points" if points else "vol" if ranking.unit == "vol" else "value"
    for name in ("", unit, "forward", "expiries", "quotes"):
        legs.add_column(name, justify="left" if name in {"", "expiries"} else "right")
    for symbol in ranking.pair:
        row = result.reading(ranking, symbol)
        if row is None:
            legs.add_row(symbol, "none", "", "", "")
            continue
        dates = [str(row[name]) for name in ("expiry_before", "expiry_after") if pd.notna(row[name])]
        legs.add_row(
            symbol,
            _reading(float(row["value"]), float(row["error"]), ranking=ranking, points=points),
            _plain(row["forward"], ",.2f"),
            " .. ".join(dict.fromkeys(dates)),
            _plain(row["n_quotes"], ".0f"),
        )
    console.print(legs)
    if sure := _how_sure(ranking):
        console.print(Text(sure))
    console.print(_windows_table(ranking, records=console.width >= _WIDE))


def study_lines(study: PairStudy) -> list[str]:
    """What a desk asks next, a sentence each: made of what, how often, at which levels, by which rules."""
    lines = []
    legs_missing = any(study.ranking.is_leg_missing(leg) for leg in study.ranking.pair)
    if study.decomposition is not None and not legs_missing:
        lines.append(study.decomposition.sentence)
    if study.beta is not None and (said := _beta(study.beta)):
        lines.append(said)
    if study.episode_words:
        lines.append(study.episode_words)
    if study.executable:
        level = study.executable[study.ranking.headline_row]
        if not math.isnan(float(study.ranking.headline["percentile"])):
            lines.append(level.sentence(study.ranking.pair, measure=study.ranking.measure))
    if study.robustness is not None and not math.isnan(study.robustness.percentile):
        text = study.robustness.sentence
        lines.append(f"{text[0].upper()}{text[1:]}.")
    return lines


def _beta(beta: BetaAdjusted) -> str:
    """The beta-adjusted percentile in one line, "" where there is none."""
    row = beta.table.iloc[0]
    if pd.isna(row["percentile"]):
        return ""
    a, b = beta.pair
    return (
        f"Beta-adjusted {a} is at percentile {row['percentile']:.1f}: it moves {row['slope']:.2f} % per cent "
        f"of {b} and is {abs(row['residual_z']):.1f} deviations "
        f"{'below' if row['residual_z'] < 0 else 'above'} that line."
    )


def _how_sure(ranking: Ranking) -> str:
    """Each form of the pair with one standard error, "" where none is known."""
    rows = ranking.table
    parts = []
    for row in rows[rows["window"] == "full"].to_dict("records"):
        value, error = float(row["value"]), float(row["error"])
        if not (math.isfinite(value) and math.isfinite(error)):
            continue
        if row["form"] == "spread" and ranking.unit == "vol":
            decimals = decimals_for(error)
            shown = percent(value, sign=True, decimals=decimals)
            parts.append(f"spread {shown} +- {percent(error, decimals=decimals)} pts")
        else:
            parts.append(f"{str(row['form']).replace('_', ' ')} {value:.4f} +- {error:.4f}")
    return ", ".join(parts) + " (one standard error)" if parts else ""


def _windows_table(ranking: Ranking, *, records: bool) -> Table:
    """The headline's form in every window, the others in the full one; the rest is in rankings.csv."""
    if ranking.table["percentile"].isna().all():
        return _plain_table(ranking)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    names = ["", "value", "pctile", "sampling", "measured", "z"]
    names += [*(("lowest", "highest") if records else ()), "sessions"]
    for name in names:
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    rows = ranking.table
    # a ratio ranks as its logarithm does
    keep = (rows["form"] == rows["form"].iloc[0]) | ((rows["window"] == "full") & (rows["form"] != "ratio"))
    for row in rows[keep].to_dict("records"):
        points = row["form"] == "spread" and ranking.unit == "vol"
        cells = [
            f"{str(row['form']).replace('_', ' ')}, {row['window']}",
            _level(row["value"], points=points),
            _plain(row["percentile"], ".1f"),
            _span(row, "sampling") or _closed(row),
            _span(row, "measurement"),
            _plain(row["z_score"], "+.2f"),
        ]
        if records:
            cells += [_record(row, side, points=points) for side in ("low", "high")]
        covered = _plain(row["coverage"], ".0%")
        cells.append(_plain(row["n_obs"], ",.0f") + (f" ({covered})" if covered not in {"", "100%"} else ""))
        table.add_row(*cells)
    return table


def _reading(value: float, error: float, *, ranking: Ranking, points: bool) -> str:
    """A leg with one standard error, in its unit."""
    if ranking.unit != "vol":
        return f"{value:.4f}" if math.isnan(error) else f"{value:.4f} +- {error:.4f}"
    if not points:
        return with_error(value, error)
    decimals = decimals_for(error)
    shown = percent(value, sign=True, decimals=decimals)
    return shown if math.isnan(error) else f"{shown} +- {percent(error, decimals=decimals)}"


def _closed(row: Mapping[Any, Any]) -> str:
    """Which gate keeps a percentile back, "" where none does."""
    if not pd.isna(row["percentile"]):
        return ""
    gates = [str(gate) for gate in Flag if gate in str(row["flags"]).split()]
    return gates[0].replace("_", " ").lower() if gates else ""


def _plain_table(ranking: Ranking) -> Table:
    """Where no window has a percentile: each form today, and between what it lay."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "value", "lowest", "highest", "sessions"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    rows = ranking.table
    for row in rows[rows["window"] == "full"].to_dict("records"):
        series = ranking.series[str(row["form"])].dropna()
        if series.empty:
            continue
        points = row["form"] == "spread" and ranking.unit == "vol"
        numbers, days = series.to_numpy(), pd.DatetimeIndex(series.index)
        ends = [
            f"{_level(float(numbers[place]), points=points)} {days[place].date()}"
            for place in (int(numbers.argmin()), int(numbers.argmax()))
        ]
        name, value = str(row["form"]).replace("_", " "), _level(float(row["value"]), points=points)
        table.add_row(name, value, *ends, f"{len(series):,}")
    return table


def _span(row: Mapping[Any, Any], band: Literal["sampling", "measurement"]) -> str:
    """A 90 % band of the percentile."""
    low, high = float(row[f"{band}_low"]), float(row[f"{band}_high"])
    return "" if math.isnan(low) else band_text(low, high, kind=band)


def _level(value: float, *, points: bool) -> str:
    if math.isnan(value):
        return "none"
    return f"{percent(value, sign=True)} pts" if points else format(value, ".4f")


def _record(row: Mapping[Any, Any], side: str, *, points: bool) -> str:
    level = float(row[f"record_{side}"])
    return "" if math.isnan(level) else f"{_level(level, points=points)} {row[f'record_{side}_date']}"


def _print_caveats(console: Console, result: RankResult) -> None:
    lines: list[str] = []
    if result.history["method"].str.contains(EXERCISE_IGNORED, regex=False).any():
        lines.insert(0, "American exercise is treated as European")
    rows = [result.reading(ranking, leg) for ranking in result.rankings for leg in ranking.pair]
    today = _flags(row["flags"] for row in rows if row is not None)
    today |= _flags(ranking.headline["flags"] for ranking in result.rankings)
    ever = _flags(result.history["flags"].dropna().unique())
    lines += [text for flag, text in CAVEATS_OF_THE_DAY.items() if flag in today]
    lines += [text for flag, text in CAVEATS_OF_THE_HISTORY.items() if flag in ever]
    if lines:
        console.print(Text("To know: " + "; ".join(lines) + ".", style="dim"))
    for line in result.notes:
        console.print(Text(line, style="dim"))
    console.print(Text(_ledger_sentence(result), style="dim"))


def _file_list(files: Sequence[Path]) -> str:
    return f"Files in {files[0].parent}: " + ", ".join(file.name for file in files)


def _flags(texts: Iterable[Any]) -> set[str]:
    return {flag for text in texts for flag in str(text).split()}


def _ledger_sentence(result: RankResult) -> str:
    """How many days and files each code took, and how many lines all cleaning rules together."""
    # entries, not their counts: one stale repeat may stand for thousands of lines
    days = Counter(entry.code for entry in result.ledger if entry.stage in _STAGES_OF_DAYS)
    lines = sum(entry.count for entry in result.ledger if entry.stage == Stage.QUOTES)
    text = f"Ledger: {lines:,} of {result.inputs.n_lines:,} lines excluded"
    return text + "".join(f", {code} {count}" for code, count in sorted(days.items())) + "."


def print_measures(result: MeasureResult, *, has_ledger: bool) -> None:
    """Say on one line what was measured; the table itself goes to stdout as CSV."""
    console = Console(stderr=True, highlight=False)
    console.print(result.sentence(has_ledger=has_ledger), soft_wrap=True)


def print_import(result: AddResult, *, series: str, store: str) -> None:
    """Say what an import did."""
    console = page_console(_WIDE)
    text = f"series {series!r} in {store}: {result.inserted} readings added, {result.unchanged} unchanged"
    if result.restated:
        text += f", {result.restated} restated (the old ones are kept)"
    if result.skipped:
        text += f"; {result.skipped} cells without a vol were passed over"
    console.print(Text(text + "."))
