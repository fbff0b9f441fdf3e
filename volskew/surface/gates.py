"""Gates: what a slice must show before a vol is read from it, and how it is said when it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from volskew.ledger import Code
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Gates
from volskew.smile.local import Nodes

__all__ = ["FORWARD_CODES", "Failure", "Neighbourhood", "Neighbours", "chain_failures"]

FORWARD_CODES = frozenset({Code.NO_FORWARD, Code.FORWARD_ERROR})
"""Gates of the forward; all others are of the smile."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed gate of one slice: its code and the numbers behind it."""

    code: Code
    detail: str


def chain_failures(
    *,
    forward: FloatArray,
    forward_error: FloatArray,
    n_accepted: FloatArray,
    by_vendor: bool,
    gates: Gates,
) -> list[list[Failure]]:
    """Gates that do not depend on the delta to be read, for each slice.

    A forward from a vendor's vols has no error, so its gate does not apply there.
    """
    result: list[list[Failure]] = []
    for value, error, count in zip(forward, forward_error, n_accepted, strict=True):
        failures = []
        if not np.isfinite(value):
            failures.append(Failure(Code.NO_FORWARD, "no pair of accepted two-sided call and put"))
        elif not by_vendor and not error / value * 1e4 <= gates.max_forward_error_bp:
            failures.append(
                Failure(
                    Code.FORWARD_ERROR,
                    f"forward {value:.2f} with error {error / value * 1e4:.1f} bp of the forward, "
                    f"gate {gates.max_forward_error_bp:g}",
                )
            )
        if np.isfinite(value) and count < gates.min_quotes:
            failures.append(
                Failure(
                    Code.FEW_QUOTES,
                    f"{int(count)} accepted out-of-the-money quotes, gate {gates.min_quotes}",
                )
            )
        result.append(failures)
    return result


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The accepted quotes around a place on every smile, as arrays per slice.

    Or around several places: arrays of shape (places, slices), of which `at` takes one.

    Attributes
    ----------
    wing : ndarray of int
        Quotes within the read wing.
    below, above : ndarray of float
        Delta of the nearest quotes on either side; NaN where there is none.
    passes : ndarray of bool
        Whether every gate around the place holds.
    """

    wing: IntArray
    below: FloatArray
    above: FloatArray
    passes: BoolArray

    def at(self, place: int) -> Neighbours:
        """Those around one of several places."""
        return Neighbours(self.wing[place], self.below[place], self.above[place], self.passes[place])

    def failures(self, number: int, *, wanted: float, name: str, gates: Gates) -> list[Failure]:
        """The gates that a slice failed, in words."""
        failures = []
        if self.wing[number] < gates.min_wing_quotes:
            failures.append(
                Failure(
                    Code.FEW_CALLS,
                    f"{self.wing[number]} quotes of delta {wanted - gates.wing_below:.2f}.."
                    f"{wanted + gates.wing_above:.2f}, gate {gates.min_wing_quotes}",
                )
            )
        below, above = self.below[number], self.above[number]
        if np.isnan(below) or np.isnan(above):
            side = "below" if np.isnan(below) else "above"
            failures.append(Failure(Code.ONE_SIDED, f"no quote of delta {side} {name}"))
        elif above - below > gates.max_delta_gap:
            failures.append(
                Failure(
                    Code.DELTA_GAP,
                    f"quotes around {name} at delta {below:.3f} and {above:.3f}, "
                    f"gate {gates.max_delta_gap:g}",
                )
            )
        return failures


class Neighbourhood:
    """The deltas of a chain's accepted quotes, made to be searched for all slices at once."""

    def __init__(self, nodes: Nodes, deltas: FloatArray, n_slices: int) -> None:
        known = np.isfinite(deltas)
        # a delta is between 0 and 1: twice the number of the slice keeps slices apart, wings included
        keys = 2.0 * nodes.slice_id[known] + deltas[known]
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._deltas = deltas[known][order]
        self._starts = np.searchsorted(nodes.slice_id[known][order], np.arange(n_slices + 1))

    def around(self, wanted: FloatArray, *, gates: Gates) -> Neighbours:
        """What stands around deltas of each slice, the last axis; NaN has no neighbours."""
        base = 2.0 * np.arange(wanted.shape[-1])
        known = np.where(np.isfinite(wanted), wanted, 0.0)
        low = np.maximum(known - gates.wing_below, 0.0)
        high = np.minimum(known + gates.wing_above, 1.0)
        wing = np.searchsorted(self._keys, base + high, side="right") - np.searchsorted(
            self._keys, base + low
        )
        first, last = self._starts[:-1], self._starts[1:]
        before = np.searchsorted(self._keys, base + known, side="right") - 1
        after = np.searchsorted(self._keys, base + known, side="left")
        padded = np.append(self._deltas, np.nan)
        below = np.where(before >= first, padded[before], np.nan)
        above = np.where(after < last, padded[np.minimum(after, len(padded) - 1)], np.nan)
        with np.errstate(invalid="ignore"):
            passes = (wing >= gates.min_wing_quotes) & (above - below <= gates.max_delta_gap)
        return Neighbours(
            wing=wing.astype(np.intp), below=below, above=above, passes=passes & np.isfinite(wanted)
        )
