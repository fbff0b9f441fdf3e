"""Readings into a database and back, as CSV and Parquet, and side by side as a panel.

`History` keeps every reading under its full key, and the readings it replaces as vintages. It takes in vol
histories that somebody else made as series of their own, and puts one ahead of solved days in an explicit,
measured and flagged splice. SQLite by default, PostgreSQL with the extra ``postgres``.
"""

from volskew.history.columns import COLUMNS, KEY
from volskew.history.results import AddResult, Restatement, SpliceResult
from volskew.history.store import History

__all__ = [
    "COLUMNS",
    "KEY",
    "AddResult",
    "History",
    "Restatement",
    "SpliceResult",
]
