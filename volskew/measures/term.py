"""The term structure: what lies between two tenors at one delta.

Both are keyed by a span of tenors, ``1m-3m``. A slope above zero rises with maturity.
"""

from __future__ import annotations

from volskew.ledger import Code, Entry, Stage
from volskew.market.tenors import span_tenors
from volskew.measures.definition import Measure
from volskew.surface import Estimate, Surface

__all__ = ["MEASURES"]


def _read_slope(surface: Surface, *, tenor: str, delta: str) -> Estimate:
    """The later vol less the earlier one, with its joint error."""
    start, end = span_tenors(tenor, settings=surface.settings)
    joint = surface.joint([(start, delta), (end, delta)])
    first, last = joint.vols.tolist()
    return joint.combine([-1.0, 1.0], tenor=tenor, delta=delta, vol_start=first, vol_end=last)


def _read_forward_vol(surface: Surface, *, tenor: str, delta: str) -> Estimate:
    """The vol between the tenors; see `volskew.surface.Surface.forward_vol`."""
    start, end = span_tenors(tenor, settings=surface.settings)
    return surface.forward_vol(start=start, end=end, delta=delta)


def _explain(surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
    """The entries of both readings, each once."""
    found: list[Entry] = []
    for one in span_tenors(tenor, settings=surface.settings):
        found += [entry for entry in surface.failures(tenor=one, delta=delta) if entry not in found]
    return found


def _explain_forward_vol(surface: Surface, *, tenor: str, delta: str) -> list[Entry]:
    """The same, and that total variance falls where both readings are there."""
    found = _explain(surface, tenor=tenor, delta=delta)
    if not any(entry.is_failure for entry in found):
        reading = _read_forward_vol(surface, tenor=tenor, delta=delta)
        if not reading.is_read:
            detail = f"{tenor} {delta}: {reading.details['reason']}"
            code = str(Code.CAL_ARB)
            entry = Entry(surface.date, surface.symbol, str(Stage.TENOR), code, 1, detail, surface.source)
            found.insert(0, entry)
    return found


MEASURES = (
    Measure(
        name="term_slope",
        title="vol at the later tenor less that at the earlier one [decimal, annual]",
        formula="vol(d; T2) - vol(d; T1)",
        unit="vol",
        tenor="span",
        delta="any",
        read=_read_slope,
        explain=_explain,
    ),
    Measure(
        name="forward_vol",
        title="vol between two tenors at constant delta [decimal, annual]",
        formula="sqrt((vol(d; T2)^2 T2 - vol(d; T1)^2 T1) / (T2 - T1))",
        unit="vol",
        tenor="span",
        delta="any",
        read=_read_forward_vol,
        explain=_explain_forward_vol,
    ),
)
