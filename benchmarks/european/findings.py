"""What a whole run found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from common.control import Control
from european import sets, truth
from european.runs import Run


@dataclass
class Findings:
    """The runs with their answers and times, the sets with their truths, and the control."""

    command: str
    rounds: int
    runs: list[Run]
    invalid: sets.OptionSet
    control: Control
    option_sets: list[sets.OptionSet] = field(default_factory=list)
    truths: dict[str, truth.Vols] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
