"""OptionMetrics: a native table with its companions, a web query, and what a statistical package exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SECID = 107899
_TABLE, _QUERY, _EXPORT = "opprcd.csv", "query.csv", "export.csv"
_UNSAID = ("last", "bid_size", "ask_size")
LOST = {_TABLE: _UNSAID, _QUERY: _UNSAID, _EXPORT: (*_UNSAID, "vendor_vol", "vendor_delta", "open_interest")}
CHAINS = 3
OPTIONAL = (
    *(
        "secid",
        "symbol",
        "symbol_flag",
        "last_date",
        "volume",
        "open_interest",
        "impl_volatility",
        "delta",
        "gamma",
    ),
    *(
        "vega",
        "theta",
        "optionid",
        "cfadj",
        "am_settlement",
        "contract_size",
        "ss_flag",
        "forward_price",
        "root",
    ),
)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The chains, then prices and names of the underlyings, which are read beside them."""
    day, expiry = (board[name].dt.strftime("%Y-%m-%d") for name in ("date", "expiry"))
    thousandths = (board["strike"] * 1000).round().astype("int64")
    right = pd.Series(np.where(board["is_call"], "C", "P"), index=board.index)
    symbol = board["root"] + " " + board["expiry"].dt.strftime("%y%m%d") + right + thousandths.astype(str)
    table = pd.DataFrame(
        {
            "secid": SECID,
            "date": day,
            "symbol": symbol,
            "symbol_flag": 1,
            "exdate": expiry,
            "last_date": day.where(board["last"].notna(), ""),
            "cp_flag": right,
            "strike_price": thousandths,
            "best_bid": board["bid"],
            "best_offer": board["ask"],
            "volume": board["volume"].astype("int64"),
            "open_interest": board["open_interest"].astype("int64"),
            "impl_volatility": board["vendor_vol"].fillna(-99.99),
            "delta": board["vendor_delta"].round(6),
            **dict.fromkeys(("gamma", "vega", "theta"), -99.99),
            "optionid": np.arange(len(board)) % 1000 + 70_000_000,
            "cfadj": 1,
            "am_settlement": 0,
            "contract_size": 100,
            "ss_flag": 0,
            **dict.fromkeys(("forward_price", "expiry_indicator", "root", "suffix"), ""),
        }
    )
    query = table.drop(columns=["root", "suffix", "cfadj"]).assign(
        date=board["date"].dt.strftime("%d-%m-%Y"),
        exdate=board["expiry"].dt.strftime("%d-%m-%Y"),
        impl_volatility=board["vendor_vol"],
        ticker=board["symbol"],
        index_flag=0,
        exercise_style="A",
    )
    wanted = [
        "date",
        "exdate",
        "cp_flag",
        "strike_price",
        "best_bid",
        "best_offer",
        "volume",
        "secid",
        "optionid",
    ]
    export = table[wanted].assign(
        date=board["date"].dt.strftime("%d%b%Y").str.upper(),
        exdate=board["expiry"].dt.strftime("%d%b%Y").str.upper(),
    )
    export.columns = export.columns.str.upper()
    closes = board.groupby("date", as_index=False)["underlying_price"].first()
    prices = pd.DataFrame(
        {
            "secid": SECID,
            "date": closes["date"].dt.strftime("%Y-%m-%d"),
            **dict.fromkeys(("low", "high"), closes["underlying_price"]),
            "close": -closes["underlying_price"],
            "volume": 0,
            "return": 0.0,
            "cfadj": 1,
            "open": -99.99,
            "cfret": 1.0,
            "shrout": 501000,
        }
    )
    names = pd.DataFrame({"secid": SECID, "effect_date": ["1999-03-10"], "ticker": board["symbol"].iloc[:1]})
    tables = {_TABLE: table, _QUERY: query, _EXPORT: export, "secprd.csv": prices, "secnmd.csv": names}
    for name, content in tables.items():
        content.to_csv(folder / name, index=False)
    return [folder / name for name in tables]
