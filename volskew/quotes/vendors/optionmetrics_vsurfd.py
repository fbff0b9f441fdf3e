"""OptionMetrics vsurfd: standardized vols of constant maturity and delta, into a vol history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.quotes.cells import numbers, rights, texts
from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import IMPORTED_BY, About, Job, RawChain
from volskew.quotes.surface_rows import SurfaceRows, by_out_of_the_money, call_deltas, refuse, tenor_labels
from volskew.quotes.tabular import read_tabular
from volskew.quotes.vendors.optionmetrics_secnmd import names_beside
from volskew.quotes.vendors.optionmetrics_secprd import MISSING, days_of, identifiers

__all__ = ["READER"]

Array = np.ndarray[Any, Any]

FORMAT: Final = Format(
    name="optionmetrics_vsurfd",
    title="OptionMetrics volatility surface (vsurfd): vols at constant days and deltas, no quotes",
    about=About(
        origin="IvyDB US through WRDS, tables vsurfdYYYY",
        clock="date, taken as its close",
        vol="decimal; -99.99 where none was made",
        odd=(
            "The underlying is a number: its ticker is in a column, in secnmd, or `--symbol 107899=QQQ`.",
            "Deltas are percent, those of puts below 0: a 25-delta put is -25, and 0.75 in a history.",
            "Both sides are at every delta; the one out of the money is taken, at 50 the mean of both.",
        ),
        known="readers",
    ),
    signature=("secid", "days", "delta", "implvolatility", "cpflag"),
    without=("exdate", "bestbid", "premium"),
    samples={"delta": r"-?(\d{1,2}(\.0*)?|0?\.\d{1,2}0*)"},
    columns={
        "date": "date",
        "symbol": "ticker",
        "is_call": "cpflag",
        "vendor_vol": "implvolatility",
        "+secid": "secid",
        "+days": "days",
        "+delta": "delta",
    },
)


def surface(job: Job, symbols: Mapping[str, str]) -> SurfaceRows:
    """The rows of a file.

    Raises
    ------
    InputError
        Nothing names an underlying, or a delta or a flag cannot be read.
    """
    chain, label = read_tabular(FORMAT, job), job.member.label
    secid = identifiers(chain, "+secid")
    days = days_of(chain, "date", label)
    sides = rights(chain.cells["is_call"])
    is_call = np.where(sides.null, np.nan, sides.data.astype(float))
    if sides.null.any():
        raise _error(chain, label, int(np.argmax(sides.null)), "is_call", "neither call nor put", "C or P")
    deltas, problem = call_deltas(numbers(chain.cells["+delta"]).data, is_call)
    if problem is not None:
        value = chain.cells["+delta"][problem.line].as_py()
        raise refuse(
            problem, label=label, rows=chain.rows.tolist(), column=chain.names["+delta"], value=value
        )
    vols = numbers(chain.cells["vendor_vol"]).data
    rows = pd.DataFrame(
        {
            "date": np.datetime_as_string(days, unit="D"),
            "symbol": _tickers(chain, job, secid, days, symbols),
            "tenor": tenor_labels(numbers(chain.cells["+days"]).data),
            "delta": deltas,
            "vol": np.where(np.abs(vols - MISSING) < 1e-6, np.nan, vols),
        }
    )
    kept = by_out_of_the_money(rows, is_call)
    return SurfaceRows(kept.assign(delta=kept["delta"].map("{:g}".format)).reset_index(drop=True), "decimal")


def _tickers(
    chain: RawChain,
    job: Job,
    secid: np.ndarray[Any, np.dtype[np.int64]],
    days: Array,
    symbols: Mapping[str, str],
) -> Array:
    """The ticker of each line: the caller's, else its column's, else that of the names beside the file."""
    found = np.full(len(secid), "", dtype=object)
    for number, ticker in symbols.items():
        if number.strip().isdecimal():
            found[secid == int(number)] = ticker
    if "symbol" in chain.cells:
        found = np.where(found == "", texts(chain.cells["symbol"]), found)
    if (found == "").any():
        found = np.where(found == "", names_beside(job, secid, days), found)
    nameless = found == ""
    if nameless.any():
        line = int(np.argmax(nameless))
        raise _error(
            chain, label=job.member.label, line=line, key="+secid",
            problem="no ticker is known of this security",
            accepted=f"a column ticker, secnmd beside the file, or --symbol {secid[line]}=TICKER",
        )  # fmt: skip
    return found


def _error(chain: RawChain, label: str, line: int, key: str, problem: str, accepted: str) -> InputError:
    return InputError(
        problem,
        file=label,
        row=int(chain.rows[line]),
        column=chain.names[key],
        value=chain.cells[key][line].as_py(),
        accepted=accepted,
    )


READER: Final = replace(declare(FORMAT), companion=IMPORTED_BY, surface=surface)
