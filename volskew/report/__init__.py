"""What a person sees: the terminal summary, the CSV files and the chart. No formulas, no choices.

``summary`` fits one screen with the answer first; ``chart`` draws the two vols and their ratio,
``smile_chart`` an expiry's quotes and smile; ``tables`` writes the files; ``verification`` and
``explanation`` do both for a check of the solve and for one reading; ``formats`` says which files are read,
and what a file is; ``flags`` says in words what a flag means.
"""

from volskew.report.chart import draw_pair
from volskew.report.explanation import print_explanation, write_explanations
from volskew.report.formats import print_format, print_formats, print_inspection
from volskew.report.smile_chart import draw_pictures
from volskew.report.summary import (
    print_import,
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
    "draw_pictures",
    "ledger_notes",
    "measures_text",
    "print_explanation",
    "print_format",
    "print_formats",
    "print_import",
    "print_inspection",
    "print_measures",
    "print_ranking",
    "print_series_ranking",
    "print_verification",
    "table_text",
    "write_explanations",
    "write_measures",
    "write_outputs",
    "write_verification",
]
