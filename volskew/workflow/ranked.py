"""What the main job found, for reports and for code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from volskew.ledger import Ledger
from volskew.ranking import COMPONENT_COLUMNS, EPISODE_COLUMNS, HISTORY_COLUMNS, Ranking
from volskew.ranking.robustness_table import COLUMNS as CONVENTION_COLUMNS
from volskew.ranking.table import build_table
from volskew.workflow.gather import Inputs
from volskew.workflow.measure import as_of_failures
from volskew.workflow.study import PairStudy

__all__ = ["RankResult"]


@dataclass(frozen=True, slots=True)
class RankResult:
    """Everything the main job found.

    Attributes
    ----------
    studies : list of PairStudy
        One for each pair, measure, tenor and delta, in the order asked for.
    history : pandas.DataFrame
        The rows of every series ranked, as in ``history.csv``.
    ledger : Ledger
        Why each missing reading is missing.
    inputs : Inputs
        What the first pass found.
    notes : list of str
        What a reader should know of the splice and of missing days, in sentences.
    """

    studies: list[PairStudy]
    history: pd.DataFrame
    ledger: Ledger
    inputs: Inputs
    notes: list[str] = field(default_factory=list)

    @property
    def rankings(self) -> list[Ranking]:
        """The ranking of each study."""
        return [study.ranking for study in self.studies]

    @property
    def exit_code(self) -> int:
        """0: done; 3: an input failed or a leg is missing on the as-of day; 1: nothing could be measured."""
        if self.history.empty:
            return 1
        last = max((ranking.as_of for ranking in self.rankings), default=None)
        return 3 if as_of_failures(self.ledger, last) else 0

    @property
    def table(self) -> pd.DataFrame:
        """All rankings in one table, the columns of ``rankings.csv``."""
        if not self.studies:
            return build_table([])
        return pd.concat([ranking.table for ranking in self.rankings], ignore_index=True)

    @property
    def percentiles(self) -> pd.DataFrame:
        """The rank of every past day as it was knowable then, the columns of ``percentiles.csv``."""
        return _joined((study.percentiles for study in self.studies), HISTORY_COLUMNS)

    @property
    def episodes(self) -> pd.DataFrame:
        """Spells of extreme ranks, the columns of ``episodes.csv``."""
        return _joined((study.episodes for study in self.studies), EPISODE_COLUMNS)

    @property
    def decomposition(self) -> pd.DataFrame:
        """Total, level, skew and what is left beside the other leg's moves; ``decomposition.csv``."""
        return _joined((study.components for study in self.studies), COMPONENT_COLUMNS)

    @property
    def conventions(self) -> pd.DataFrame:
        """The rank under other conventions, the columns of ``conventions.csv``."""
        tables = (study.robustness.table for study in self.studies if study.robustness is not None)
        return _joined(tables, CONVENTION_COLUMNS)

    @property
    def is_simulated(self) -> bool:
        """Whether the series ranked come from a simulated market."""
        return any(ranking.label_series.startswith("simulated") for ranking in self.rankings)

    def reading(self, ranking: Ranking, symbol: str) -> pd.Series | None:
        """The history row of one leg on the ranking's as-of day."""
        rows = self.history
        mask = (
            (rows["series"] == ranking.label_series)
            & (rows["symbol"] == symbol)
            & (rows["measure"] == ranking.measure)
            & (rows["tenor"] == ranking.tenor)
            & (rows["delta"] == ranking.delta)
            & (rows["date"].astype(str) == str(ranking.as_of))
        )
        found = rows[mask]
        return None if found.empty else found.iloc[-1]


def _joined(tables: Iterable[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Tables of one kind one after the other; empty ones have no say in the types."""
    there = [table for table in tables if not table.empty]
    return pd.concat(there, ignore_index=True) if there else pd.DataFrame(columns=list(columns))
