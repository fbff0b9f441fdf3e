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
_CLOSE: Final = 16 * 3600 * 1000


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
    _state_times(chain)
    clock: Any = chain.cells.get("+ms_of_day2")
    if clock is not None and "bid" in chain.cells and "last" in chain.cells:
        since = numbers(clock).data
        traded = (since > 0) & (since < _LATEST)
        days = dates(chain.cells["date"]).data.astype("datetime64[ms]")
        local = days + np.where(traded, since, 0).astype("timedelta64[ms]")
        chain.cells["trade_time"] = _eastern(np.where(traded, local, np.datetime64("NaT", "ms")))
        chain.names["trade_time"] = "ms_of_day2"
    return chain


def _state_times(chain: RawChain) -> None:
    """Intervals are of their time of day; a report made after the close is of the close."""
    cells: Any = chain.cells.get("+ms_of_day")
    if cells is None:
        return
    since = numbers(cells).data
    during = (since > 0) & (since < _CLOSE)
    if not during.any():
        return
    days = dates(chain.cells["date"]).data.astype("datetime64[ms]")
    local = days + np.where(during, since, _CLOSE).astype("timedelta64[ms]")
    chain.cells["date"] = _eastern(local)
    chain.names["date"] = "ms_of_day"


def _eastern(local: np.ndarray[Any, np.dtype[np.datetime64]]) -> pa.Array:
    return pc.assume_timezone(pa.array(local), "America/New_York", ambiguous="earliest", nonexistent="latest")


FORMAT: Final = Format(
    name="thetadata_v2",
    title="ThetaData v2 end-of-day or greeks report of all contracts (bulk, CSV)",
    about=About(
        origin="the terminal's v2/bulk_hist/option/eod and its greeks, version 2",
        clock="date, with ms_of_day where that is before 16:00; reports of about 17:15 are of the close",
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
        "+ms_of_day": "msofday",
    },
    divisors={"strike": _THOUSANDTHS},
    fillers={"last": (0.0,), "underlying_price": (0.0,)},
    made=("trade_time",),
    adjust=adjust,
)
_PLAIN: Final = declare(FORMAT)
READER: Final = replace(_PLAIN, read=read)
