"""The part of the page on the sample market."""

from __future__ import annotations

from typing import Any

from common.text import markdown, paragraph

from accuracy.chains import DELTAS
from volskew.settings import Settings

_OTHER_WEIGHT = 0.05
"""By how much more a day without a session may weigh, in an error (docs/method.md)."""


def section(found: dict[str, Any]) -> list[str]:
    rows, weekend = found["table"], found["weekend"]
    factors = [row["factor"] for row in rows]
    parts = [row["maturity"] for row in rows if row["measure"] in DELTAS]
    own = Settings().weekend_weight
    text = (
        "The chains in `chains/`, all that can be read, against `simulated_truth.csv` (`python3 "
        "benchmarks/accuracy.py --only sample`), in vol basis points. **wider**: by how much all stated "
        f"errors could be divided for 90 % of the 90 % intervals to hold the truth, {min(factors):.1f} to "
        f"{max(factors):.1f} here. **maturity**: the share (median) of the squared error that stands for "
        "what may lie between the expiries. The last two columns are the errors when a day without a session "
        f"weighs what it does in this market, {weekend:g}, and not {own:g}."
    )
    why = (
        "The errors are wider than they need be here for what may lie between expiries "
        f"({100 * min(parts):.0f} to {100 * max(parts):.0f} % of a vol's squared error), not for quotes, "
        "forwards or smiles. These chains have four expiries, the two on each side of 91 days, and so few "
        "cannot tell that the term structure is smooth between them: the priors of the process decide, and "
        "they allow for dated events, of which this market has none. Where there are some, in the scenario "
        "`events`, the errors are too narrow. Beside that each holds what the reading would move by if a day "
        f"without a session weighed {_OTHER_WEIGHT:g} more; it weighs {weekend - own:.2g} more, a bias of "
        "one sign. Both legs share most of that, but their errors are added up as independent, so that the "
        "pair's is the widest."
    )
    header = [
        *("symbol", "reading", "readings", "bias", "median", "95 %", "worst", "stated", "coverage", "wider"),
        *("maturity", "bias, its clock", "median, its clock"),
    ]
    body = [
        [
            row["symbol"],
            row["measure"],
            f"{row['readings']}",
            f"{row['bias']:+.2f}",
            *(f"{row[name]:.2f}" for name in ("median", "p95", "worst", "stated")),
            f"{100 * row['coverage']:.1f} %",
            f"{row['factor']:.1f}",
            "-" if row["maturity"] is None else f"{100 * row['maturity']:.0f} %",
            f"{row['bias_on_its_clock']:+.2f}",
            f"{row['median_on_its_clock']:.2f}",
        ]
        for row in rows
    ]
    return ["## The sample market", "", *paragraph(text), "", *markdown(header, body), "", *paragraph(why)]
