"""Call-put pairs of a chain: what parity is read from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from volskew.quotes.lines import FloatArray, IntArray, Lines
from volskew.quotes.schema import Flag, has_flag
from volskew.surface.chain import Chain, runs
from volskew.surface.robust import median

__all__ = ["WEIGHT_CAP", "Pairs", "capped_weights", "paired_rows", "pairs_by_slice"]

WEIGHT_CAP = 5.0
"""No pair weighs more than this many times the median: a near-locked quote does not own the result."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one slice by rising strike: rows of the legs, strikes, mid differences, half-spreads."""

    call: IntArray
    put: IntArray
    strike: FloatArray
    difference: FloatArray
    half: FloatArray


def pairs_by_slice(labelled: pd.DataFrame, chain: Chain) -> list[tuple[int, Pairs]]:
    """Pairs of accepted two-sided lines without flag PARITY, for each slice that has any."""
    lines = chain.lines
    broken = has_flag(labelled["flags"], Flag.PARITY).to_numpy(dtype=bool)
    rows = np.flatnonzero(chain.is_quoted & ~broken)
    put, call = paired_rows(rows, lines)
    result = []
    for number, here in runs(lines.slice_id[call]):
        c, p = call[here], put[here]
        pairs = Pairs(
            call=c,
            put=p,
            strike=lines.strike[c],
            difference=chain.mid[c] - chain.mid[p],
            half=np.hypot(chain.half_spread[c], chain.half_spread[p]),
        )
        result.append((number, pairs))
    return result


def paired_rows(rows: IntArray, lines: Lines) -> tuple[IntArray, IntArray]:
    """Of the given rows, puts and calls of one strike and slice: by slice, then by rising strike."""
    order = rows[np.lexsort((lines.is_call[rows], lines.strike[rows], lines.slice_id[rows]))]
    put, call = order[:-1], order[1:]
    paired = (
        (lines.slice_id[put] == lines.slice_id[call])
        & (lines.strike[put] == lines.strike[call])
        & ~lines.is_call[put]
        & lines.is_call[call]
    )
    return put[paired], call[paired]


def capped_weights(half: FloatArray) -> FloatArray:
    """``1/half^2``, capped at `WEIGHT_CAP` times the median."""
    weights = half**-2.0
    return np.asarray(np.minimum(weights, WEIGHT_CAP * median(weights)))
