"""Composition only, no formulas: files -> units -> readings -> history -> ranking.

``gather`` reads every input and settles which (symbol, session) snapshots are days; ``measure`` turns each
into readings; ``rank`` puts them into a history and ranks a pair; ``drill`` shows the quotes and smiles
behind a file; ``imports`` takes in histories that somebody else made; ``verify`` holds the solve against
other people's code.
"""

from volskew.workflow.drill import smiles_table, vols_table
from volskew.workflow.gather import Inputs, Unit, gather
from volskew.workflow.imports import import_history, rank_series_file
from volskew.workflow.inspect import Inspection, inspect_files
from volskew.workflow.measure import MeasureResult, measure_files
from volskew.workflow.rank import RankResult, rank_files
from volskew.workflow.verify import Verification, verify_file

__all__ = [
    "Inputs",
    "Inspection",
    "MeasureResult",
    "RankResult",
    "Unit",
    "Verification",
    "gather",
    "import_history",
    "inspect_files",
    "measure_files",
    "rank_files",
    "rank_series_file",
    "smiles_table",
    "verify_file",
    "vols_table",
]
