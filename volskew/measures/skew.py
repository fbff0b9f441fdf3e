"""Skews: differences of vols at one tenor, their ratios to the middle of the smile, and logarithms of such.

Signs are those of whoever looks at calls: a call skew and a put skew are above zero where that wing is dearer
than the middle, a risk reversal (call less put) where calls are dearer than puts. gs-quant's normalised
equity skew, (25p - 25c)/50, is minus ``risk_reversal_normalized``.

``log_skew`` takes a vol apart: ln vol(d) = ln vol(50) + log_skew(d), so that the log ratio of two symbols is
the log ratio of their 50-delta vols and the difference of their log skews, to rounding.

Keys: a call skew is stored under its call delta ("25c", 0.25), a put skew under its put delta ("25p", 0.75).
A risk reversal and a butterfly have both wings and are stored under the call delta alone; the put delta is
refused, so that no number stands under two keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from volskew.ledger import Entry
from volskew.measures.definition import Measure
from volskew.quotes.lines import FloatArray
from volskew.surface import Estimate, Surface
from volskew.surface.delta import delta_label, parse_delta

__all__ = ["MEASURES", "SKEWS", "Skew"]

_MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Skew:
    """A number made of the vols of the wings and the middle of a smile.

    Attributes
    ----------
    call, put, middle : float
        Weights of the vol at the call delta, at the put delta, and at 50; those of 0 are not read.
    form : {"difference", "normalized", "log"}
        The weighted sum, that over the vol at 50, or the logarithm of the ratio of the two vols.
    """

    call: float
    put: float
    middle: float
    form: Literal["difference", "normalized", "log"] = "difference"

    def places(self, delta: float) -> list[tuple[float, float]]:
        """(delta, weight) of every vol that is read, for the delta of a key."""
        wing = min(delta, round(1.0 - delta, 10))
        if self.form == "log":
            return [(delta, 1.0), (_MIDDLE, -1.0)]
        weighted = [
            (wing, self.call),
            (round(1.0 - wing, 10), self.put),
            (_MIDDLE, self.middle),
        ]
        needed = self.form == "normalized"
        return [(at, weight) for at, weight in weighted if weight or (needed and at == _MIDDLE)]

    def deltas(self, delta: str) -> list[float]:
        """The deltas of these."""
        return [at for at, _ in self.places(parse_delta(delta))]

    def number(self, vols: FloatArray, weights: Sequence[float]) -> tuple[float, FloatArray]:
        """The number, and what it moves by per vol of each place; the middle comes last."""
        w = np.array(weights)
        if self.form == "log":
            return float(np.log(vols[0] / vols[-1])), w / vols
        total = float(w @ vols)
        if self.form == "difference":
            return total, w
        gradient = w / vols[-1]
        gradient[-1] -= total / vols[-1] ** 2
        return total / float(vols[-1]), gradient

    def read(self, surface: Surface, *, tenor: str, delta: str) -> Estimate:
        """The number with its joint error; see `volskew.surface.joint.Joint.combine`."""
        at = parse_delta(delta)
        places = self.places(at)
        deltas, weights = zip(*places, strict=True)
        joint = surface.joint([(tenor, one) for one in deltas])
        value, gradient = self.number(joint.vols, weights)
        details = {"tenor": tenor, "delta": delta}
        named = {f"vol_{delta_label(one)}": float(vol) for one, vol in zip(deltas, joint.vols, strict=True)}
        if not joint.missing:
            named["strike"] = joint.readings[deltas.index(at)].details["strike"]
        return joint.combine(gradient.tolist(), value=value, **details, **named)

    def explain(self, surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
        """The entries of each vol that is read, each once."""
        found: list[Entry] = []
        for at, _ in self.places(parse_delta(delta)):
            found += [entry for entry in surface.failures(tenor=tenor, delta=at) if entry not in found]
        return found


SKEWS: dict[str, Skew] = {}
"""The number behind each measure of this file, by its name."""


def _measure(
    name: str, words: str, formula: str, skew: Skew, delta: Literal["call", "put", "wing"] = "call"
) -> Measure:
    SKEWS[name] = skew
    is_vol = skew.form == "difference"
    return Measure(
        name=name,
        title=f"{words} [{'decimal, annual' if is_vol else 'number'}]",
        formula=formula,
        unit="vol" if is_vol else "number",
        tenor="one",
        delta=delta,
        read=skew.read,
        explain=skew.explain,
        places=skew.deltas,
    )


def _with_normalized(
    name: str, words: str, formula: str, skew: Skew, delta: Literal["call", "put"] = "call"
) -> tuple[Measure, Measure]:
    over = Skew(skew.call, skew.put, skew.middle, "normalized")
    return (
        _measure(name, words, formula, skew, delta),
        _measure(
            f"{name}_normalized",
            f"{words}, over the 50-delta vol",
            f"({formula}) / vol(50)",
            over,
            delta,
        ),
    )


MEASURES = (
    *_with_normalized("call_skew", "call vol less 50-delta vol", "vol(d) - vol(50)", Skew(1.0, 0.0, -1.0)),
    *_with_normalized(
        "put_skew", "put vol less 50-delta vol", "vol(d) - vol(50)", Skew(0.0, 1.0, -1.0), "put"
    ),
    *_with_normalized("risk_reversal", "call vol less put vol", "vol(d) - vol(1 - d)", Skew(1.0, -1.0, 0.0)),
    *_with_normalized(
        "butterfly",
        "mean of call and put vol less 50-delta vol",
        "(vol(d) + vol(1 - d))/2 - vol(50)",
        Skew(0.5, 0.5, -1.0),
    ),
    _measure(
        "log_skew",
        "logarithm of a wing's vol over the 50-delta vol",
        "ln(vol(d) / vol(50))",
        Skew(0.0, 0.0, 0.0, "log"),
        "wing",
    ),
)
