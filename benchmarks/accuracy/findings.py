"""What a run found, as files from which its page can be written again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

_READINGS, _GRID, _RUN = "readings.csv", "grid.csv", "run.json"


@dataclass
class Findings:
    """A section that was not asked for is empty.

    Attributes
    ----------
    command, machine : str
        For the page.
    days : dict
        Days of each market that the library, the scripts and oipd were given.
    spent : dict
        Seconds by section.
    versions, failures : dict
        Of the peers.
    sample : dict
        Of `accuracy.sample_market.measured`.
    real : dict
        Of `accuracy.real.measured`, or the reason under ``skipped``.
    readings, grid : DataFrame
        Every reading beside its truth.
    """

    command: str
    machine: str
    seeds: list[int] = field(default_factory=list)
    days: dict[str, int] = field(default_factory=dict)
    jobs: int = 1
    spent: dict[str, float] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    sample: dict[str, Any] = field(default_factory=dict)
    real: dict[str, Any] = field(default_factory=dict)
    readings: pd.DataFrame = field(default_factory=pd.DataFrame)
    grid: pd.DataFrame = field(default_factory=pd.DataFrame)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        values = asdict(self)
        for name, table in ((_READINGS, values.pop("readings")), (_GRID, values.pop("grid"))):
            table.to_csv(folder / name, index=False)
        (folder / _RUN).write_text(json.dumps(values, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Findings:
        values = json.loads((folder / _RUN).read_text(encoding="utf-8"))
        return cls(**values, readings=_table(folder / _READINGS), grid=_table(folder / _GRID))


def _table(file: Path) -> pd.DataFrame:
    if not file.read_text(encoding="utf-8").strip():
        return pd.DataFrame()
    table = pd.read_csv(file)
    texts = [name for name in ("flags", "code") if name in table]
    return table.assign(**{name: table[name].fillna("").astype("str") for name in texts})
