"""One leg from session to session: its readings, and what moved it from each to the next."""

from __future__ import annotations

import datetime as dt
import math

from volskew.errors import InputError, VolskewError
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.settings import Settings
from volskew.surface import Surface
from volskew.surface.changes import Change, attribute_change
from volskew.surface.points import Point
from volskew.workflow.accounts import Node, Step
from volskew.workflow.drill import fit_unit
from volskew.workflow.gather import Unit

__all__ = ["Walk"]

_SAME = 1e-8
"""[vol] A stored reading nearer than this is the one that was read again: files keep eight decimals."""


class Walk:
    """One leg from session to session, two surfaces in memory at most.

    Parameters
    ----------
    leg, tenor : str
    point : Point
        Where on the smiles it is read.
    settings : Settings
    ledger : Ledger
        Gains what the surfaces say, and why there is none.

    Attributes
    ----------
    nodes : list of Node
        The sessions that have a reading.
    steps : list of Step
        From each of them to the next.
    """

    def __init__(self, leg: str, tenor: str, point: Point, settings: Settings, ledger: Ledger) -> None:
        self.leg, self.tenor, self.point = leg, tenor, point
        self.settings, self.ledger = settings, ledger
        self.nodes: list[Node] = []
        self.steps: list[Step] = []
        self._before: Surface | None = None
        self._gaps: list[str] = []

    def visit(self, day: dt.date, unit: Unit | None, stored: float) -> None:
        """The next session: its node where it has a reading, and the step to it from the node before.

        Parameters
        ----------
        day : datetime.date
        unit : Unit or None
            The chain of the session, where there is one.
        stored : float
            The reading of record, which counts where it differs from what is read again; NaN without one.
        """
        surface = self._fitted(day, unit)
        before = self._before
        reading = None if surface is None else surface.vol(self.tenor, self.point.text)
        is_read = reading is not None and reading.is_read
        if surface is None:
            self._gaps.append(f"{self.leg} has no chain of {day}")
        elif reading is not None and not is_read:
            self._gaps.append(f"{self.leg} has no reading on {day}: {reading.details['reason']}")
        vol = reading.value if reading is not None else math.nan
        differs = ""
        if not math.isnan(stored) and not abs(stored - vol) <= _SAME:
            if is_read:
                differs = f"{self.leg} on {day} is stored as {stored:.6f} and read again as {vol:.6f}"
            vol = stored
        if is_read:
            self._before = surface
        if math.isnan(vol):
            return
        node = Node.of(self.leg, day, vol, reading)
        if self.nodes:
            last = self.nodes[-1]
            change: Change | None = None
            if is_read and before is not None and surface is not None and last.date == before.date:
                # sessions between that have no reading are passed over: a change may span several days
                change = attribute_change(before, surface, tenor=self.tenor, delta=self.point.text)
            told = list(filter(None, (last.differs, differs)))
            self.steps.append(Step.between(last, node, change, gaps=self._gaps, differs=told))
        self.nodes.append(node.differing(differs))
        # of a session without a chain whose reading is stored: the next step lacks it too
        self._gaps = self._gaps[-1:] if not is_read else []

    def _fitted(self, day: dt.date, unit: Unit | None) -> Surface | None:
        """The surface of a session; None, with the reason in the ledger, where there is none."""
        if unit is None:
            self.ledger.add(day, self.leg, Stage.INPUT, Code.NO_FILE, detail="no chain file of this session")
            return None
        try:
            surface = fit_unit(unit, settings=self.settings)
        except VolskewError as error:
            code = error.code if isinstance(error, InputError) else Code.NO_FIT
            source = ", ".join(sorted(unit.quotes["source_file"].unique()))
            self.ledger.extend([Entry(day, self.leg, Stage.QUOTES, str(code), 1, str(error), source)])
            return None
        self.ledger.extend(surface.ledger)
        self.ledger.extend(surface.failures(tenor=self.tenor, delta=self.point.text))
        return surface
