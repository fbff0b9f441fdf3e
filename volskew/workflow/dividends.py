"""Dividends of every chain, and what the ledger says where they are not known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import pandas as pd

from volskew.errors import listed
from volskew.ledger import Code, Entry, Stage
from volskew.market import Dividend, choose_dividends, read_dividend_files
from volskew.settings import Settings

__all__ = ["Dividends"]


class Dividends:
    """The dividend files of a run, read once.

    Parameters
    ----------
    settings : Settings
        `dividends_files` is used.

    Raises
    ------
    InputError
        A file cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = read_dividend_files(settings.dividends_files)
        self._symbols: set[str] = set()
        self._lacking: dict[tuple[str, str], list[tuple[dt.date, str]]] = {}

    def known(
        self, date: dt.date, chains: Iterable[tuple[str, pd.DataFrame]]
    ) -> Mapping[str, tuple[Dividend, ...]]:
        """The dividends of a date's chains, each symbol's up to its last expiry.

        Parameters
        ----------
        date : datetime.date
            The session.
        chains : iterable of (str, DataFrame)
            Symbols and canonical quotes. A symbol may have several chains.

        Returns
        -------
        mapping
            Symbols of which nothing is known are not in it; where such a symbol has American options,
            `entries` will say so.
        """
        if self._table is None:
            return {}
        quotes: dict[str, list[pd.DataFrame]] = {}
        for symbol, chain in chains:
            quotes.setdefault(symbol, []).append(chain)
        found: dict[str, tuple[Dividend, ...]] = {}
        for symbol, parts in quotes.items():
            self._symbols.add(symbol)
            expiries = pd.Series([part["expiry"].max() for part in parts])
            coming = choose_dividends(symbol, date, expiries, settings=self._settings, table=self._table)
            if coming.dividends is not None:
                found[symbol] = coming.dividends
            elif any((part["exercise"] == "american").any() for part in parts):
                self._lacking.setdefault((symbol, coming.code), []).append((date, coming.detail))
        return found

    def entries(self) -> list[Entry]:
        """One entry for each symbol and reason, and one for each file that served nothing."""
        if self._table is None or not self._symbols:
            return []
        found = [
            Entry(
                None,
                "",
                str(Stage.MARKET),
                str(Code.DIVIDENDS_UNUSED),
                detail=f"{listed(symbols, 5)}; the chains are of {listed(sorted(self._symbols), 5)}",
                source=source,
            )
            for source, symbols in self._table.sources
            if self._symbols.isdisjoint(symbols)
        ]
        for (symbol, code), days in sorted(self._lacking.items()):
            (first, _), (last, detail) = min(days), max(days)
            span = f"{first}" if first == last else f"{len(days)} sessions from {first} to {last}"
            text = f"{span} read without dividends: {detail}"
            found.append(Entry(None, symbol, str(Stage.MARKET), code, len(days), text))
        return found
