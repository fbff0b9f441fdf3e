"""From answers and truth to the Markdown of docs/european_vol.md."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from common.serving import RAISED
from european.truth import NO_VOL, VALID, Vols
from numpy.typing import NDArray

WRONG = 1e-6
BLUNT = 1e-8
FITTED = 2.9
# rounding explains an error up to so many times what the last digits of price and vol allow
EXPLAINED = 100

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
