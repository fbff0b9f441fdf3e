"""What a whole run found."""

from __future__ import annotations

from dataclasses import dataclass, field

from american.chains import Timing
from american.discrete import Case, Set
from american.forwards import Bias
from american.measure import Made, Run
from common.control import Steady


@dataclass
class Findings:
    """The sections' answers and times; a section that was not asked for is empty."""

    command: str
    rounds: int
    steady: Steady
    continuous: list[Run] = field(default_factory=list)
    made: Made | None = None
    ours_from_truth: float = 0.0
    binding: Run | None = None
    discrete: list[Run] = field(default_factory=list)
    discrete_set: Set | None = None
    grid_check: float = 0.0
    cases: list[Case] = field(default_factory=list)
    forwards: list[Bias] = field(default_factory=list)
    chains: list[Timing] = field(default_factory=list)
    seconds: float = 0.0
    spread: float = 1.0
    spent: dict[str, float] = field(default_factory=dict)
