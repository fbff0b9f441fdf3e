"""DeltaNeutral (historicaloptiondata.com) in its older naming: underlying_last, quotedate, optionroot."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow.compute as pc

from volskew.quotes.cells import coded, positions
from volskew.quotes.formats import Format, declare
from volskew.quotes.lines_of import blanked
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.vendors.deltaneutral import COLUMNS, standard_lines

__all__ = ["READER"]

_SYMBOL: Final = r"^\s*[A-Z0-9]{1,6}\s*[0-9]{6}[CP][0-9]{8}\s*$"


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Symbols from before 2010 (a root and two letters) tell nothing without a table: the columns do."""
    if "option" in chain.cells:
        words = coded(chain.cells["option"])
        modern = pc.fill_null(pc.match_substring_regex(words.dictionary, _SYMBOL), False)  # noqa: FBT003
        known = np.append(modern.to_numpy(zero_copy_only=False), [False])[positions(words)]
        if known.any():
            chain.cells["option"] = blanked(chain.cells["option"], ~known)
        else:
            del chain.cells["option"]
    return standard_lines(chain, job)


FORMAT: Final = Format(
    name="deltaneutral_old",
    title="DeltaNeutral (historicaloptiondata.com) option file in its older naming",
    about=About(
        origin="older daily files, and files that users have converted to these names",
        clock="quotedate; taken as that session's close",
        vol="decimal, Black-Scholes of bid and ask averaged, with the Fed funds rate and no dividends",
        odd=(
            "Only the flag * in exchange marks standard contracts; lines with another are left out (ROOT).",
            "Lines without bid and ask carry a neighbour's vol: a vol without a quote is not read.",
            "Standard expiries before 2015 are dated on the Saturday.",
            "optionroot is the whole option symbol since 2010, and an old root and letters before.",
            "Open interest 0 means none in the vendor's files, but may mean unknown in converted ones.",
        ),
        known="seen",
    ),
    signature=("underlying", "underlyinglast", "optionroot|optionsymbol|optionalias", "quotedate", "type"),
    columns={
        **COLUMNS,
        "date": "quotedate",
        "symbol": "underlying",
        "option": "optionroot|optionsymbol|optionalias",
        "underlying_price": "underlyinglast",
        "vendor_vol": "impliedvol",
        "@flags": "exchange",
    },
    adjust=adjust,
)
READER: Final = declare(FORMAT)
