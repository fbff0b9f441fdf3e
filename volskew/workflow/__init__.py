"""Composition only, no formulas: files -> units -> readings -> history -> ranking.

``gather`` reads every input and settles which (symbol, session) snapshots are days; ``request`` plans what is
read and ``measure`` turns each day into readings; ``prices`` makes more of daily prices. ``rank`` puts them
into a history, ``view`` and ``snapshots`` say which part of it is ranked, ``overrides`` what is left out, and
``study`` ranks a pair with all that is told of it (``ranked``). ``drill`` shows the quotes, smiles and grid
of a file, ``explain`` one reading with its parts, ``pictures`` the smiles to be drawn; ``imports`` takes in
histories that somebody else made, ``formats`` says which files are read and ``inspect`` what a file is,
``series`` ranks two columns of any table. ``verify`` holds the solve against other people's code, ``audit`` a
store against what was known (``cut`` takes later inputs away).
``conventions`` reads and ranks by what else a vol may be read by, ``reconcile`` goes in ``steps`` from our
number to another, ``attribution`` says what moved a pair (``accounts`` adds it up).
"""

from volskew.workflow.attribution import Attribution, attribute_files
from volskew.workflow.audit import AuditResult, audit_store
from volskew.workflow.drill import arbitrage_table, grid_table, smiles_table, vols_table
from volskew.workflow.explain import Explanation, explain_readings
from volskew.workflow.formats import ChainFormat, chain_formats
from volskew.workflow.gather import Inputs, Unit, gather
from volskew.workflow.imports import import_history
from volskew.workflow.inspect import Inspection, inspect_files
from volskew.workflow.measure import MeasureResult, measure_files
from volskew.workflow.pictures import Picture, picture_smiles
from volskew.workflow.rank import RankResult, rank_files
from volskew.workflow.reconcile import Reconciliation, reconcile
from volskew.workflow.series import SeriesStudy, study_series_file
from volskew.workflow.study import PairStudy
from volskew.workflow.verify import Verification, verify_file

__all__ = [
    "Attribution",
    "AuditResult",
    "ChainFormat",
    "Explanation",
    "Inputs",
    "Inspection",
    "MeasureResult",
    "PairStudy",
    "Picture",
    "RankResult",
    "Reconciliation",
    "SeriesStudy",
    "Unit",
    "Verification",
    "arbitrage_table",
    "attribute_files",
    "audit_store",
    "chain_formats",
    "explain_readings",
    "gather",
    "grid_table",
    "import_history",
    "inspect_files",
    "measure_files",
    "picture_smiles",
    "rank_files",
    "reconcile",
    "smiles_table",
    "study_series_file",
    "verify_file",
    "vols_table",
]
