"""Files into canonical quotes, and canonical quotes into labelled ones.

`read_chain` opens a file of any known format (`vendors` holds one module for each), recognises it by its
header, and returns one row for each option line in the columns that `schema` defines. `read_file` says more:
which sessions were found, which snapshots are stale repeats, which cells could not be read; `iter_file` says
it a piece at a time, of files that need not fit into memory. `resolve_repeats` settles the days over several
files. `describe` says what a file is without reading it through. `label` gives lines that must not be used
the one code that says why; `read_overrides` reads what somebody has decided to leave out. No line is dropped
on the way.
"""

from volskew.quotes.clean import counts, label, slices
from volskew.quotes.detect import Description, describe, sniff
from volskew.quotes.facts import Facts, Given
from volskew.quotes.inputs import find_inputs
from volskew.quotes.osi import parse_osi
from volskew.quotes.overrides import Overrides, read_overrides
from volskew.quotes.read import FileReading, read_chain, read_file
from volskew.quotes.schema import COLUMNS, LABEL_COLUMNS, Exclusion, Flag, conform
from volskew.quotes.sessions import Snapshot, fingerprint, resolve_repeats
from volskew.quotes.streaming import iter_file

__all__ = [
    "COLUMNS",
    "LABEL_COLUMNS",
    "Description",
    "Exclusion",
    "Facts",
    "FileReading",
    "Flag",
    "Given",
    "Overrides",
    "Snapshot",
    "conform",
    "counts",
    "describe",
    "find_inputs",
    "fingerprint",
    "iter_file",
    "label",
    "parse_osi",
    "read_chain",
    "read_file",
    "read_overrides",
    "resolve_repeats",
    "slices",
    "sniff",
]
