"""The part of the page on real chains."""

from __future__ import annotations

from typing import Any

import pandas as pd
from common.text import items, markdown, paragraph


def section(real: dict[str, Any]) -> list[str]:
    lines = ["## Real chains", ""]
    if "skipped" in real:
        return [*lines, *paragraph(f"Skipped: {real['skipped']}.")]
    return [
        *lines,
        *_readings(pd.DataFrame(real["readings"])),
        "",
        *_left_out(pd.DataFrame(real["left_out"])),
        "",
        *_exchange(pd.DataFrame(real["exchange"])),
        "",
        *_vendor(pd.DataFrame(real["vendor"])),
        "",
        *_grid(real["grid"]),
    ]


def _readings(table: pd.DataFrame) -> list[str]:
    text = (
        "QQQ and IWM at the close of 2026-07-10, with one standard error; no truth is known. Neither rates "
        "nor dividends are given: a rate is assumed."
    )
    rows = [
        [
            row["symbol"],
            row["measure"],
            f"{100 * row['value']:.3f} % +- {100 * row['error']:.3f}",
            row["flags"] or "-",
        ]
        for row in table.to_dict("records")
    ]
    return [*paragraph(text), "", *markdown(["symbol", "reading", "vol", "flags"], rows)]


def _left_out(table: pd.DataFrame) -> list[str]:
    text = (
        "What an interpolation in time misses, where the answer is known: every expiry from 20 to 250 days "
        "is read at its 25-delta call, 50 delta and 25-delta put from the others alone, and held against its "
        "own smile. Brackets are twice as wide as they are otherwise, so the misses are larger than those of "
        "a reading; the clocks and rules compare all the same, and so does the share of 90 % intervals that "
        "hold the expiry's vol. Vol basis points; the last rule is the default."
    )
    rows = [
        [
            row["symbol"],
            f"{row['sessions']}",
            row["rule"],
            f"{row['count']}",
            f"{row['median']:.1f}",
            f"{row['p90']:.1f}",
            f"{row['error']:.1f}",
            f"{100 * row['coverage']:.0f} %",
        ]
        for row in table.to_dict("records")
    ]
    header = ["root", "sessions", "rule", "readings", "median", "90 %", "stated", "coverage"]
    return [*paragraph(text), "", *markdown(header, rows)]


def _exchange(table: pd.DataFrame) -> list[str]:
    text = (
        "Solved vols of the mids less those in the exchange's own files, out of the money, 60 to 110 days: "
        "median and robust deviation in vol basis points, by forward call delta (18 to 32 the call's, 68 to "
        "82 the put's). The exchange's clock, rate and dividends are its own. Beside them the three-month "
        "25-delta reading of the session with its standard error."
    )
    rows = [
        [
            row["root"],
            row["date"],
            *(
                f"{row[f'median_{name}']:+.1f} +- {row[f'spread_{name}']:.1f} ({row[f'n_{name}']})"
                for name in ("25c", "25p", "10-90")
            ),
            f"{100 * row['reading']:.3f} % +- {100 * row['error']:.3f}",
            row["flags"] or "-",
        ]
        for row in table.to_dict("records")
    ]
    header = [
        "root",
        "session",
        "25-delta call (lines)",
        "25-delta put",
        "10 to 90 delta",
        "reading",
        "flags",
    ]
    return [*paragraph(text), "", *markdown(header, rows)]


def _vendor(table: pd.DataFrame) -> list[str]:
    said = []
    for symbol, group in table.groupby("symbol", sort=False):
        vols = 100 * group["value"].dropna()
        flags = sorted({flag for text in group["flags"] for flag in text.split()})
        counted = ", ".join(
            f"{flag} {int(group['flags'].str.split().map(lambda words, flag=flag: flag in words).sum())}"
            for flag in flags
        )
        said.append(
            f"{symbol}: {len(vols)} of {len(group)} sessions from {group['date'].min()} to "
            f"{group['date'].max()} read, {vols.min():.2f} to {vols.max():.2f} %; flags: {counted}."
        )
    return ["Files with a vendor's vols and no quotes, read through the vendor path:", "", *items(said)]


def _grid(found: dict[str, float]) -> list[str]:
    text = (
        f"QQQ, {found['lines']:,} lines and {found['expiries']} expiries in memory, to the whole grid of "
        f"{found['points']} vols ({found['read']} read, {found['with_error']} with an error): "
        f"{found['median']:.2f} s in the median, {found['slowest']:.2f} at the worst; {found['fit']:.2f} of "
        "them are the fit."
    )
    return paragraph(text)
