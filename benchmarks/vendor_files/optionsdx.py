"""OptionsDX: names in brackets after a blank, cells after a blank, puts in another order than calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import sides

LOST = ("open_interest",)
OPTIONAL = (
    "QUOTE_READTIME",
    "QUOTE_TIME_HOURS",
    "DTE",
    "C_LAST",
    "P_SIZE",
    "C_GAMMA",
    "P_RHO",
    "STRIKE_DISTANCE",
)

_ORDER = (
    "QUOTE_UNIXTIME",
    "QUOTE_READTIME",
    "QUOTE_DATE",
    "QUOTE_TIME_HOURS",
    "UNDERLYING_LAST",
    "EXPIRE_DATE",
    "EXPIRE_UNIX",
    "DTE",
    "C_DELTA",
    "C_GAMMA",
    "C_VEGA",
    "C_THETA",
    "C_RHO",
    "C_IV",
    "C_VOLUME",
    "C_LAST",
    "C_SIZE",
    "C_BID",
    "C_ASK",
    "STRIKE",
    "P_BID",
    "P_ASK",
    "P_SIZE",
    "P_LAST",
    "P_DELTA",
    "P_GAMMA",
    "P_VEGA",
    "P_THETA",
    "P_RHO",
    "P_IV",
    "P_VOLUME",
    "STRIKE_DISTANCE",
    "STRIKE_DISTANCE_PCT",
)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``qqq_eod_202401.txt``; the rows name no underlying."""
    calls, puts = sides(board)
    close = (calls["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").astype(
        "int64"
    ) // 10**6
    expiry = (calls["expiry"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").astype(
        "int64"
    ) // 10**6
    columns = {
        "QUOTE_UNIXTIME": close.astype(str),
        "QUOTE_READTIME": calls["date"].dt.strftime("%Y-%m-%d 16:00"),
        "QUOTE_DATE": calls["date"].dt.strftime("%Y-%m-%d"),
        "QUOTE_TIME_HOURS": "16.000000",
        "UNDERLYING_LAST": _six(calls["underlying_price"]),
        "EXPIRE_DATE": calls["expiry"].dt.strftime("%Y-%m-%d"),
        "EXPIRE_UNIX": expiry.astype(str),
        "DTE": _six((expiry - close) / 86400),
        "STRIKE": _six(calls["strike"]),
        "STRIKE_DISTANCE": _six((calls["strike"] - calls["underlying_price"]).abs()),
        "STRIKE_DISTANCE_PCT": _six((calls["strike"] / calls["underlying_price"] - 1).abs()),
    }
    for mark, side in (("C", calls), ("P", puts)):
        columns |= {
            f"{mark}_DELTA": _six(side["vendor_delta"]),
            f"{mark}_IV": _six(side["vendor_vol"]),
            f"{mark}_VOLUME": _six(side["volume"]),
            f"{mark}_LAST": _six(side["last"]),
            f"{mark}_SIZE": _whole(side["bid_size"]) + " x " + _whole(side["ask_size"]),
            f"{mark}_BID": _six(side["bid"]),
            f"{mark}_ASK": _six(side["ask"]),
            **dict.fromkeys((f"{mark}_{greek}" for greek in ("GAMMA", "VEGA", "THETA", "RHO")), "0.010000"),
        }
    table = pd.DataFrame(columns, index=calls.index)[list(_ORDER)]
    text = table.iloc[:, 0].str.cat([table[name] for name in _ORDER[1:]], sep=", ")
    path = folder / f"{board['symbol'].iloc[0].lower()}_eod_{board['date'].iloc[0]:%Y%m}.txt"
    header = ", ".join(f"[{name}]" for name in _ORDER)
    path.write_text("\n".join([header, *text]) + "\n", encoding="utf-8")
    return [path]


def _six(values: pd.Series) -> pd.Series:
    return pd.Series(np.char.mod("%.6f", values.to_numpy(float)), index=values.index).where(
        values.notna(), " "
    )


def _whole(values: pd.Series) -> pd.Series:
    return values.astype("int64").astype(str)
