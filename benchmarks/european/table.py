"""From answers and truth to the Markdown of docs/european_vol.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from european.peer import RAISED
from european.truth import NO_VOL, VALID, Vols
from numpy.typing import NDArray

WRONG = 1e-6
BLUNT = 1e-8
FITTED = 2.9
# rounding explains an error up to so many times what the last digits of price and vol allow
EXPLAINED = 100

_WIDTH = 110
_SENTINEL = 1e300
_HALF_DIGIT = 2.0**-53


@dataclass(frozen=True)
class Accuracy:
    """An engine's answers on a set against the truth; errors are relative to the vol."""

    rows: int
    unexplained: float
    largest: float
    per_mille: float
    fitted: float
    roundings: float
    wrong: int
    wrong_unexplained: int
    missing: int
    valid: int
    invented: int
    without: int


@dataclass(frozen=True)
class Refusals:
    """What an engine says to rows without a vol."""

    rows: int
    invented: int
    nan: int
    sentinel: int
    raised: int
    invented_kinds: list[str]
    batch_raised: list[str] = field(default_factory=list)
    batch_changed: list[str] = field(default_factory=list)


def is_vol(answers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether an answer says that it is a vol: positive, finite and no sentinel such as 1.8e308."""
    return np.isfinite(answers) & (answers > 0) & (answers < _SENTINEL)


def accuracy(answers: NDArray[np.float64], truth: Vols, time: NDArray[np.float64]) -> Accuracy:
    valid = truth.kind == VALID
    answered = valid & is_vol(answers)
    high, low, rounding = truth.high[answered], truth.low[answered], truth.rounding[answered]
    error = np.abs((answers[answered] - high) - low) / high
    fitted = error[high * np.sqrt(time[answered]) <= FITTED]
    roundings = error / (rounding + _HALF_DIGIT)
    unexplained = roundings > EXPLAINED
    wrong = error > WRONG
    none = truth.kind == NO_VOL
    return Accuracy(
        rows=answers.size,
        unexplained=float(error[unexplained].max(initial=0.0)),
        largest=float(error.max(initial=0.0)),
        per_mille=float(np.quantile(error, 0.999)) if error.size else 0.0,
        fitted=float(fitted.max(initial=0.0)),
        roundings=float(roundings.max(initial=0.0)),
        wrong=int(wrong.sum()),
        wrong_unexplained=int((wrong & unexplained).sum()),
        missing=int((valid & ~answered).sum()),
        valid=int(valid.sum()),
        invented=int((none & is_vol(answers)).sum()),
        without=int(none.sum()),
    )


def refusals(
    answers: NDArray[np.float64], kinds: dict[str, slice], neighbours: dict[str, list[str]]
) -> Refusals:
    invented = is_vol(answers)
    raised = answers == RAISED
    nan = np.isnan(answers)
    return Refusals(
        rows=answers.size,
        invented=int(invented.sum()),
        nan=int(nan.sum()),
        sentinel=int((~invented & ~raised & ~nan).sum()),
        raised=int(raised.sum()),
        invented_kinds=[kind for kind, rows in kinds.items() if invented[rows].any()],
        batch_raised=neighbours["raised"],
        batch_changed=neighbours["changed"],
    )


def markdown(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def count(number: int, of: int) -> str:
    if number == 0:
        return "0"
    share = 100 * number / of
    return f"{number:,} ({share:.2g} %)" if share < 99.5 else f"{number:,} ({share:.0f} %)"


def paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def items(texts: Iterable[str]) -> list[str]:
    lines = []
    for text in texts:
        lines += textwrap.wrap(
            f"* {text}", _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    return lines


def small(value: float) -> str:
    if value == 0 or 0.1 <= value < 100:
        return f"{value:.2g}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def error_or_none(value: float) -> str:
    return small(value) if value else "none"


def nanoseconds(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def multiple(value: float) -> str:
    if value < 100:
        return f"{value:.1f}"
    return f"{value:,.0f}" if value < 1e6 else small(value)


def power(value: float) -> str:
    return f"{value:g}".replace("e-0", "e-")


def ratio(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"
