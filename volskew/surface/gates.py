"""Gates: what a slice must show before a vol is read from it, and how it is said when it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from volskew.ledger import Code
from volskew.quotes.lines import FloatArray
from volskew.settings import Gates
from volskew.surface.delta import delta_label
from volskew.surface.local import MIN_POINTS, LocalFits

__all__ = ["Failure", "chain_failures", "read_failures"]


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


def read_failures(fits: LocalFits, target: int, *, gates: Gates) -> list[list[Failure]]:
    """Gates around one delta, for each slice."""
    wanted = float(fits.targets[target])
    name = delta_label(wanted)
    result: list[list[Failure]] = []
    for vol, count, deltas in zip(fits.vol[target], fits.n_points[target], fits.delta[target], strict=True):
        if not np.isfinite(vol):
            reason = (
                f"{int(count)} quotes, {MIN_POINTS} needed" if count < MIN_POINTS else "it did not settle"
            )
            result.append([Failure(Code.NO_FIT, f"no fit around {name}: {reason}")])
            continue
        result.append(_around(deltas[np.isfinite(deltas)], wanted, name, gates))
    return result


def _around(deltas: FloatArray, wanted: float, name: str, gates: Gates) -> list[Failure]:
    failures = []
    wing = int(((deltas >= wanted - gates.wing_below) & (deltas <= wanted + gates.wing_above)).sum())
    if wing < gates.min_wing_quotes:
        failures.append(
            Failure(
                Code.FEW_CALLS,
                f"{wing} quotes of delta {wanted - gates.wing_below:.2f}..{wanted + gates.wing_above:.2f}, "
                f"gate {gates.min_wing_quotes}",
            )
        )
    lower, upper = deltas[deltas <= wanted], deltas[deltas >= wanted]
    if not len(lower) or not len(upper):
        side = "below" if not len(lower) else "above"
        failures.append(Failure(Code.ONE_SIDED, f"no quote of delta {side} {name}"))
    elif upper.min() - lower.max() > gates.max_delta_gap:
        failures.append(
            Failure(
                Code.DELTA_GAP,
                f"quotes around {name} at delta {lower.max():.3f} and {upper.min():.3f}, "
                f"gate {gates.max_delta_gap:g}",
            )
        )
    return failures
