"""ThetaData, version 2: end-of-day and greeks reports, strikes in tenths of a cent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError
from volskew.quotes.cells import numbers
from volskew.quotes.formats import Format, declare
from volskew.quotes.moments import dates
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.vendors.thetadata_v3_eod import solved_vols

__all__ = ["READER"]

_CONTRACT: Final = ("root", "expiration", "strike", "right")
_THOUSANDTHS: Final = 1000.0
_LATEST: Final = 24 * 3600 * 1000


def read(job: Job) -> RawChain:
    """Read a bulk report; one of a single contract does not say of which."""
    missing = [name for name in _CONTRACT if name not in job.head.normal]
    if missing:
        raise InputError(
            f"a report of a single contract, which its lines do not name (no {', '.join(missing)})",
            file=job.member.label,
            accepted="the bulk report of all contracts (bulk_hist/option/eod), or columns "
            f"{', '.join(_CONTRACT)} added",
        )
    return _PLAIN.read(job)


def adjust(chain: RawChain, _job: Job) -> RawChain:
    """Last trades out of a date and milliseconds, 0 being none; no vols that were not solved."""
    solved_vols(chain)
    clock: Any = chain.cells.get("+ms_of_day2")
    if clock is not None and "bid" in chain.cells and "last" in chain.cells:
        since = numbers(clock).data
        traded = (since > 0) & (since < _LATEST)
        days = dates(chain.cells["date"]).data.astype("datetime64[ms]")
        local = days + np.where(traded, since, 0).astype("timedelta64[ms]")
        stamps = pa.array(np.where(traded, local, np.datetime64("NaT", "ms")))
        chain.cells["trade_time"] = pc.assume_timezone(
            stamps, "America/New_York", ambiguous="earliest", nonexistent="latest"
        )
        chain.names["trade_time"] = "ms_of_day2"
    return chain


FORMAT: Final = Format(
    name="thetadata_v2",
    title="ThetaData v2 end-of-day or greeks report of all contracts (bulk, CSV)",
    about=About(
        origin="the terminal's v2/bulk_hist/option/eod and its greeks, version 2",
        clock="date; the quote is the last before the report of about 17:15, taken as the close",
        vol="decimal, of the mid, in reports with greeks; 0, or an iv_error above 0.1: not solved",
        odd=(
            "Strikes are in tenths of a cent: 400000 is $400. root is SPX or SPXW.",
            "close 0 says that nothing traded; ms_of_day2 is the last trade, 0 for none.",
            "Reports of a single contract do not name it and are refused.",
        ),
        known="documented",
    ),
    signature=("msofday", "msofday2", "bid", "ask", "date", "bidsize|iverror"),
    columns={
        "date": "date",
        "symbol": "root",
        "root": "root",
        "expiry": "expiration",
        "strike": "strike",
        "is_call": "right",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "last": "close",
        "volume": "volume",
        "underlying_price": "underlyingprice",
        "vendor_vol": "impliedvol",
        "vendor_delta": "delta",
        "+iv_error": "iverror",
        "+ms_of_day2": "msofday2",
    },
    divisors={"strike": _THOUSANDTHS},
    fillers={"last": (0.0,), "underlying_price": (0.0,)},
    made=("trade_time",),
    adjust=adjust,
)
_PLAIN: Final = declare(FORMAT)
READER: Final = replace(_PLAIN, read=read)
