"""The simulated market as files: chains, vol history, truth, defects and the data dictionary.

The bytes follow from the market alone: gzip members carry no time and no name, and numbers are rounded before
they are written.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from volskew.files import write_whole
from volskew.simulate.dictionary import data_dictionary
from volskew.simulate.market import Market

__all__ = ["QUOTES_FOLDER", "TRUTH_DECIMALS", "chain_csv", "table_csv", "write_market", "zipped"]

QUOTES_FOLDER: Final = "quotes"
"""Folder of the chain files within the market's folder."""

PRICES: Final = ("underlying_price", "bid", "ask", "last")
BARS: Final = ("open", "high", "low", "close")
COUNTS: Final = ("bid_size", "ask_size", "volume", "open_interest")

TRUTH_DECIMALS: Final = {
    "spot": 2,
    "time_to_expiry": 12,
    "forward": 8,
    "discount_factor": 12,
    "vol_25c": 10,
    "vol_50": 10,
    "vol_25p": 10,
    "variance_overnight": 12,
    "variance_intraday": 12,
}


def write_market(
    market: Market,
    folder: str | os.PathLike[str],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write every file of a market.

    Parameters
    ----------
    market : Market
        From `simulate_market`.
    folder : path-like
        Made where it is missing. Files of the same names are replaced; others are left alone.
    progress : callable, optional
        Called with (chain files done, chain files in all).

    Returns
    -------
    list of pathlib.Path
        ``README.md``, ``quotes/SYMBOL_DATE_simulated.csv.gz``, ``simulated_vol_history.csv``,
        ``simulated_prices.csv``, ``simulated_episodes.csv``, ``simulated_dividends.csv``,
        ``simulated_truth.csv``, ``simulated_expiry_truth.csv``, ``simulated_defects.csv`` and
        ``simulated_metadata.json``.

    Raises
    ------
    StoreError
        A file cannot be written.
    """
    root = Path(folder)
    written = []
    defects = []
    total = len(market.files)
    for symbol, date, quotes, bad in market.chains():
        defects.append(bad)
        if quotes is not None:
            path = root / QUOTES_FOLDER / f"{symbol}_{date.isoformat()}_simulated.csv.gz"
            written.append(write_whole(path, zipped(chain_csv(quotes))))
        if progress is not None:
            progress(len(written), total)
    all_defects = pd.concat(defects, ignore_index=True)
    tables = {
        "simulated_vol_history.csv": table_csv(market.vol_history, decimals={"vol": 6}),
        "simulated_prices.csv": table_csv(market.prices, decimals=dict.fromkeys(BARS, 2)),
        "simulated_episodes.csv": table_csv(market.episodes, decimals={}),
        "simulated_dividends.csv": table_csv(market.dividends, decimals={"amount": 4}),
        "simulated_truth.csv": table_csv(market.truth, decimals=TRUTH_DECIMALS),
        "simulated_expiry_truth.csv": table_csv(market.expiry_truth, decimals=TRUTH_DECIMALS),
        "simulated_defects.csv": table_csv(all_defects, decimals={}),
        "simulated_metadata.json": json.dumps(market.metadata, indent=2) + "\n",
        "README.md": data_dictionary(market, defects=all_defects),
    }
    return [*written, *(write_whole(root / name, text) for name, text in tables.items())]


def chain_csv(quotes: pd.DataFrame) -> str:
    """The text of a chain's file: prices in cents, counts whole."""
    return table_csv(quotes, decimals={**dict.fromkeys(PRICES, 2), **dict.fromkeys(COUNTS, 0), "strike": 1})


def table_csv(table: pd.DataFrame, *, decimals: dict[str, int]) -> str:
    """The text of a table, its numbers rounded to fixed decimals."""
    texts = {
        name: _fixed(table[name].to_numpy(), decimals[name])
        if name in decimals
        else table[name].astype("str")
        for name in table.columns
    }
    buffer = io.StringIO()
    pd.DataFrame(texts, index=table.index).to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue()


def _fixed(values: np.ndarray[tuple[int], np.dtype[np.float64]], decimals: int) -> list[str]:
    return ["" if value != value else f"{value:.{decimals}f}" for value in values.tolist()]  # noqa: PLR0124 - NaN


def zipped(text: str) -> bytes:
    """A gzip member without time or name."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text.encode())
    return buffer.getvalue()
