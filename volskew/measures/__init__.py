"""Measures: named numbers read from a surface, as history rows.

One file a family of measures, listed in `registry`; `measures` is the list. `measure` returns what can be
read, one row each, and `missing` the ledger entries for what cannot: a reading that does not exist is never a
row.
"""

from volskew.measures.definition import Measure
from volskew.measures.keys import combinations
from volskew.measures.measure import COLUMNS, measure, missing
from volskew.measures.registry import MEASURES, measures

__all__ = ["COLUMNS", "MEASURES", "Measure", "combinations", "measure", "measures", "missing"]
