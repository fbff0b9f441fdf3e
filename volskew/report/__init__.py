"""What a person sees: the terminal summary, the CSV files and the chart. No formulas, no choices.

``summary`` fits one screen with the answer first; ``chart`` draws the two vols and their ratio; ``tables``
writes the files; ``verification`` does both for a check of the solve.
"""

from volskew.report.chart import draw_pair
from volskew.report.summary import (
    print_import,
    print_inspection,
    print_measures,
    print_ranking,
    print_series_ranking,
)
from volskew.report.tables import (
    draw_charts,
    ledger_notes,
    measures_text,
    table_text,
    write_measures,
    write_outputs,
)
from volskew.report.verification import print_verification, write_verification

__all__ = [
    "draw_charts",
    "draw_pair",
    "ledger_notes",
    "measures_text",
    "print_import",
    "print_inspection",
    "print_measures",
    "print_ranking",
    "print_series_ranking",
    "print_verification",
    "table_text",
    "write_measures",
    "write_outputs",
    "write_verification",
]
