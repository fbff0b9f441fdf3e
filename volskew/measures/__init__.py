"""Measures: named numbers read from a surface, as history rows.

One file a measure, listed in `registry`. `measure` returns what can be read, one row each, and `missing` the
ledger entries for what cannot: a reading that does not exist is never a row.
"""

from volskew.measures.measure import COLUMNS, measure, missing
from volskew.measures.registry import MEASURES, Measure

__all__ = ["COLUMNS", "MEASURES", "Measure", "measure", "missing"]
