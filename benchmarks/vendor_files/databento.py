"""Databento: consolidated quotes at an interval with padded symbols, and raw ones with definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ("volume", "open_interest", "underlying_price", "vendor_vol", "vendor_delta")
OPTIONAL = ("ts_event", "rtype", "side", "price", "size", "flags", "bid_pb_00", "ask_pb_00")
CHAINS = 2
ALONE = ("opra-cbbo-1s.csv",)

UNDEFINED = 2**63 - 1


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The same quotes pretty with symbols and raw without, and the definitions of the raw ones' numbers."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    number = 1001 + board.index
    traded, bid_there = board["last"].notna(), board["bid"] > 0
    stamp = close.dt.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    pretty = pd.DataFrame(
        {
            "ts_recv": stamp,
            "ts_event": stamp.str.replace(":00.000", ":00.120").where(traded, ""),
            "rtype": 193,
            "publisher_id": 30,
            "instrument_id": number,
            "side": "N",
            "price": nine(board["last"]),
            "size": traded.astype(int),
            "flags": 128,
            "bid_px_00": nine(board["bid"].where(bid_there)),
            "ask_px_00": nine(board["ask"]),
            "bid_sz_00": board["bid_size"].astype("int64"),
            "ask_sz_00": board["ask_size"].astype("int64"),
            "bid_pb_00": bid_there.map({True: 22, False: 0}),
            "ask_pb_00": 30,
            "symbol": osi(board, padded=True),
        }
    )
    raw = pretty.drop(columns="symbol").assign(
        ts_recv=close.dt.as_unit("ns").astype("int64"),
        ts_event=np.where(traded, close.dt.as_unit("ns").astype("int64").astype(str), str(2**64 - 1)),
        price=units(board["last"]),
        bid_px_00=units(board["bid"].where(bid_there)),
        ask_px_00=units(board["ask"]),
    )
    paths = [folder / f"opra-{name}.csv" for name in ("cbbo-1s", "cbbo-1s.raw", "definition")]
    for path, table in zip(paths, (pretty, raw, definition(board)), strict=True):
        table.to_csv(path, index=False)
    return paths


def definition(board: pd.DataFrame) -> pd.DataFrame:
    """The definitions, as far as they are needed; expirations are midnight UTC."""
    return pd.DataFrame(
        {
            "ts_recv": board["date"].dt.strftime("%Y-%m-%dT10:30:00.000000000Z"),
            "rtype": 19,
            "publisher_id": 30,
            "instrument_id": 1001 + board.index,
            "raw_symbol": osi(board, padded=True),
            "security_update_action": "A",
            "instrument_class": np.where(board["is_call"], "C", "P"),
            "display_factor": "0.000001000",
            "expiration": board["expiry"].dt.strftime("%Y-%m-%dT00:00:00.000000000Z"),
            "contract_multiplier": 2**31 - 1,
            "underlying": board["symbol"],
            "strike_price": nine(board["strike"]),
            "symbol": osi(board, padded=True),
        }
    )


def nine(values: pd.Series) -> pd.Series:
    """Prices with nine decimals, nothing where undefined."""
    return values.map("{:.9f}".format).where(values.notna(), "")


def units(values: pd.Series) -> pd.Series:
    """Prices in 1e-9 dollars."""
    whole = (values * 1000).round().fillna(0).astype("int64") * 10**6
    return whole.where(values.notna(), UNDEFINED)
