"""Call-put pairs of a chain: what parity is read from."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from volskew.quotes.lines import BoolArray, FloatArray, IntArray, Lines
from volskew.quotes.schema import Flag
from volskew.surface.chain import Chain, ranks
from volskew.surface.robust import medians

__all__ = ["WEIGHT_CAP", "Pairs", "at_places", "capped_weights", "find_pairs", "paired_rows"]

WEIGHT_CAP = 5.0
"""No pair weighs more than this many times the median: a near-locked quote does not own the result."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs by slice and rising strike: slices, rows of the legs, strikes, mid differences, half-spreads."""

    slice_id: IntArray
    call: IntArray
    put: IntArray
    strike: FloatArray
    difference: FloatArray
    half: FloatArray

    def take(self, which: BoolArray | slice) -> Pairs:
        """Some of the pairs."""
        return Pairs(*(getattr(self, field.name)[which] for field in fields(self)))

    def table(self, wanted: BoolArray, n_slices: int, *, width: int | None = None) -> IntArray:
        """Places of the pairs of a mask: a row for each slice, by rising strike, filled up with -1."""
        places = np.flatnonzero(wanted)
        slice_id = self.slice_id[places]
        rank = ranks(slice_id)
        longest = int(rank.max(initial=-1)) + 1 if width is None else width
        result = np.full((n_slices, longest), -1, dtype=np.intp)
        result[slice_id, rank] = places
        return result


def at_places(values: FloatArray, places: IntArray) -> FloatArray:
    """Values of the pairs of a table; NaN where it has none."""
    return np.where(places >= 0, values[places] if len(values) else np.nan, np.nan)


def find_pairs(chain: Chain) -> Pairs:
    """Pairs of accepted two-sided lines without flag PARITY."""
    lines = chain.lines
    put, call = paired_rows(chain.is_quoted & ~chain.labels.have_flag(Flag.PARITY), lines)
    return Pairs(
        slice_id=lines.slice_id[call],
        call=call,
        put=put,
        strike=lines.strike[call],
        difference=chain.mid[call] - chain.mid[put],
        half=np.hypot(chain.half_spread[call], chain.half_spread[put]),
    )


def paired_rows(mask: BoolArray, lines: Lines) -> tuple[IntArray, IntArray]:
    """Of the rows of a mask, puts and calls of one strike and slice: by slice, then by rising strike."""
    order = lines.ordered(mask)
    put, call = order[:-1], order[1:]
    paired = (
        (lines.slice_id[put] == lines.slice_id[call])
        & (lines.strike[put] == lines.strike[call])
        & ~lines.is_call[put]
        & lines.is_call[call]
    )
    return put[paired], call[paired]


def capped_weights(half: FloatArray) -> FloatArray:
    """``1/half^2``, capped at `WEIGHT_CAP` times the median of the last axis; 0 where NaN."""
    weights = half**-2.0
    cap = WEIGHT_CAP * medians(np.atleast_2d(weights))[:, np.newaxis]
    capped = np.minimum(weights, cap).reshape(half.shape)
    return np.where(np.isnan(weights), 0.0, capped)
