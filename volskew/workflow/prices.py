"""Price files -> realised vols, and implied over realised, beside the readings of chains."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import pandas as pd

from volskew.errors import SettingsError
from volskew.ledger import Code, Entry, Stage
from volskew.market.dividends import DividendTable, read_dividend_files
from volskew.market.pricefiles import PriceTable, read_price_files
from volskew.market.textfiles import spelled
from volskew.measures.measure import COLUMNS
from volskew.measures.realised import ESTIMATORS, find_estimator
from volskew.measures.realised_readings import (
    IMPLIED_OVER_REALISED,
    PRICE_MEASURES,
    implied_over_realised,
    realised_readings,
)
from volskew.settings import Settings, settings_or_default

__all__ = [
    "PRICE_MEASURES",
    "default_estimator",
    "implied_over_realised_rows",
    "price_notes",
    "price_rows",
    "price_table",
    "realised_rows",
]

PathLike: TypeAlias = "str | os.PathLike[str]"
Prices: TypeAlias = "PriceTable | PathLike | Sequence[PathLike]"
Dividends: TypeAlias = "DividendTable | Sequence[str] | None"

_SIMULATED = "simulated"
_KEY = ["series", "date", "symbol", "measure", "tenor", "delta"]


def price_rows(
    readings: pd.DataFrame,
    *,
    prices: Prices,
    measures: Sequence[str],
    tenors: Sequence[str] = ("3m",),
    estimator: str | None = None,
    dividends: Dividends = None,
    settings: Settings | None = None,
    every_session: bool = False,
    beside: Sequence[str] = (),
) -> tuple[pd.DataFrame, list[Entry]]:
    """The rows of measures that need prices, beside readings of chains.

    Parameters
    ----------
    readings : pandas.DataFrame
        History rows with ``series``; symbols and series are taken from them, and the implied vols that are
        divided.
    prices : PriceTable, path-like or sequence of path-like
        Price files, ``PATH`` or ``SYMBOL=PATH``, or the table read from them.
    measures : sequence of str
        Names in `PRICE_MEASURES`.
    tenors : sequence of str
        Of the realised vols.
    estimator : str, optional
        Which realised vol implied vols are divided by; by default `default_estimator`.
    dividends : DividendTable or sequence of str, optional
        What a run knows of dividends, as `Settings.dividends_files` names them; by default those of
        `settings`.
    settings : Settings, optional
        Every choice that changes a number.
    every_session : bool
        Realised vols of every session of the price files, as a ranking wants them; by default of the days
        that have readings.
    beside : sequence of str
        Realised vols, by measure, that are made too for symbols whose files can give them, on the days that
        have readings; where one is missing, nothing that was asked for is, and no entry says so.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Entry)
        The new rows alone, sorted by key, and the reasons for those that are missing.

    Raises
    ------
    SettingsError
        A measure, tenor or estimator that does not exist; or prices of a simulated market beside readings of
        another.
    InputError
        A file cannot be read or contradicts itself.
    """
    unknown = [name for name in (*measures, *beside) if name not in PRICE_MEASURES]
    if unknown:
        msg = f"no measure of prices is called {unknown[0]!r}; there is {', '.join(PRICE_MEASURES)}"
        raise SettingsError(msg)
    chosen = settings_or_default(settings)
    table = price_table(prices)
    payments = _dividends(chosen.dividends_files if dividends is None else dividends)
    wanted = [item.name for item in ESTIMATORS.values() if item.measure in measures]
    symbols = sorted(set(readings["symbol"]))
    frames: list[pd.DataFrame] = []
    entries: list[Entry] = []
    divisor = find_estimator(estimator or default_estimator(table, symbols))
    # rows of an earlier run may be among them: these are made anew
    of_chains = readings[~readings["measure"].isin(PRICE_MEASURES)]
    for series, group in of_chains.groupby("series", sort=True):
        days = {dt.date.fromisoformat(str(day)) for day in group["date"].unique()}
        realised = partial(
            realised_rows, table, tenors=tenors, dividends=payments, series=str(series), settings=chosen
        )
        if wanted:
            rows, found = realised(symbols=symbols, estimators=wanted, days=None if every_session else days)
            frames.append(rows)
            entries += found
        if IMPLIED_OVER_REALISED in measures:
            rows, found = realised(symbols=symbols, estimators=[divisor.name], days=days)
            ratios, absent = implied_over_realised_rows(pd.concat([group, rows]), estimator=divisor.name)
            frames.append(ratios)
            entries += [*found, *absent]
        for names, chosen_symbols in _beside(
            [name for name in beside if name not in measures], table, symbols
        ):
            rows, found = realised(symbols=chosen_symbols, estimators=names, days=days)
            frames.append(rows)
            entries += [entry for entry in found if entry.stage != Stage.TENOR]
    frames = [frame for frame in frames if not frame.empty]
    if not frames:
        return pd.DataFrame(columns=["series", *COLUMNS]), list(dict.fromkeys(entries))
    rows = pd.concat(frames, ignore_index=True).sort_values(_KEY, kind="stable", ignore_index=True)
    return rows, list(dict.fromkeys(entries))


def price_notes(entries: Iterable[Entry]) -> list[str]:
    """Sentences for people: which symbols have no prices, and what was found of those that have.

    Parameters
    ----------
    entries : iterable of Entry
        Of `price_rows`.

    Examples
    --------
    >>> price_notes([Entry(None, "IWM", "market", "PRICES_MISSING", 1, "the price files hold QQQ")])
    ['No prices of IWM: the price files hold QQQ. It has no reading that is made of prices.']
    """
    notes: dict[str, None] = {}
    for entry in entries:
        if entry.code == Code.PRICES_MISSING:
            said = f"No prices of {entry.symbol}: {entry.detail}. It has no reading that is made of prices."
        elif entry.code in {Code.PRICES_ADJUSTED, Code.PRICES_UNADJUSTED}:
            said = f"Prices of {entry.symbol} in {entry.source}: {entry.detail}."
        else:
            continue
        notes[said] = None
    return list(notes)


def realised_rows(
    prices: Prices,
    *,
    series: str,
    symbols: Iterable[str] | None = None,
    tenors: Sequence[str] = ("3m",),
    estimators: Sequence[str] | None = None,
    dividends: Dividends = None,
    days: Collection[dt.date] | None = None,
    settings: Settings | None = None,
) -> tuple[pd.DataFrame, list[Entry]]:
    """Realised vols of several symbols as history rows.

    Parameters
    ----------
    prices, dividends, settings
        As in `price_rows`; but no dividends are known where `dividends` is None.
    series : str
        The series of the rows. Prices from files called simulated go into a series that begins so, and into
        no other.
    symbols : iterable of str, optional
        By default all in the files.
    tenors, estimators, days
        As in `volskew.measures.realised_readings.realised_readings`.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Entry)
        Rows sorted by key; entries for files that serve no symbol, symbols without prices, rows of prices
        that were left out, dividends that seem to end early, and windows that are not whole.

    Raises
    ------
    SettingsError, InputError
        As `price_rows`.
    """
    table = price_table(prices)
    payments = _dividends(dividends)
    chosen = settings_or_default(settings)
    asked = {spelled(name): name for name in (table.symbols if symbols is None else symbols)}
    names = sorted(asked)
    entries = [entry for entry in table.entries if entry.symbol in names] + _unused(table, names)
    frames: list[pd.DataFrame] = []
    for name in names:
        history = table.history(name)
        if history is None:
            there = ", ".join(table.symbols) or "none"
            detail = f"the price files hold {there}"
            entries.append(Entry(None, name, str(Stage.MARKET), str(Code.PRICES_MISSING), 1, detail))
            continue
        _check_simulated(history.source, series)
        history = replace(history, symbol=asked[name])  # ^VXN stays what its readings are called
        listed = None if payments is None else payments.lists.get(name)
        if payments is not None and listed is not None and not history.is_adjusted[-1]:
            last = history.days[-1].item()
            outlook = payments.outlook(name, last, last)
            if outlook.code == Code.DIVIDENDS_STALE:
                detail = f"realised vols up to {last} have no dividends after that: {outlook.detail}"
                entries.append(Entry(None, name, str(Stage.MARKET), outlook.code, 1, detail))
        readings, found = realised_readings(
            history,
            series=series,
            tenors=tenors,
            estimators=estimators,
            dividends=listed,
            days=days,
            settings=chosen,
        )
        frames.append(readings)
        entries += found
    if not frames:
        return pd.DataFrame(columns=["series", *COLUMNS]), entries
    rows = pd.concat(frames, ignore_index=True).sort_values(_KEY, kind="stable", ignore_index=True)
    return rows, entries


def implied_over_realised_rows(
    rows: pd.DataFrame, *, estimator: str = "close_close"
) -> tuple[pd.DataFrame, list[Entry]]:
    """Implied over realised of rows that hold both; see `volskew.measures.realised_readings`."""
    return implied_over_realised(rows, estimator=estimator)


def default_estimator(prices: PriceTable, symbols: Iterable[str]) -> str:
    """Yang and Zhang's where the files of all symbols have open, high and low, else close to close.

    One for all symbols and days, so that the legs of a pair and the days of a history are of one kind; told
    from the files' columns alone, so that rows of later days change nothing.
    """
    histories = [prices.history(symbol) for symbol in symbols]
    there = [history for history in histories if history is not None]
    return "yang_zhang" if there and all(history.has_ranges for history in there) else "close_close"


def price_table(prices: Prices) -> PriceTable:
    """The table of some price files; one that is read already is itself.

    Raises
    ------
    SettingsError
        There is no file.
    InputError
        A file cannot be read or contradicts itself.
    """
    if isinstance(prices, PriceTable):
        return prices
    table = read_price_files([prices] if isinstance(prices, str | os.PathLike) else list(prices))
    if table is None:
        msg = "measures of prices need a price file (--prices)"
        raise SettingsError(msg)
    return table


def _beside(
    measures: Sequence[str], table: PriceTable, symbols: Sequence[str]
) -> Iterator[tuple[list[str], list[str]]]:
    """Estimators, and the symbols whose files have the prices for them."""
    items = [item for item in ESTIMATORS.values() if item.measure in measures]
    ranged = [symbol for symbol in symbols if (found := table.history(symbol)) and found.has_ranges]
    for names, chosen in (
        ([item.name for item in items if not item.needs_ranges], list(symbols)),
        ([item.name for item in items if item.needs_ranges], ranged),
    ):
        if names and chosen:
            yield names, chosen


def _dividends(given: Dividends) -> DividendTable | None:
    return given if given is None or isinstance(given, DividendTable) else read_dividend_files(given)


def _unused(table: PriceTable, names: Sequence[str]) -> list[Entry]:
    """An entry for each file that serves none of the symbols."""
    return [
        Entry(
            None,
            "",
            str(Stage.MARKET),
            str(Code.PRICES_UNUSED),
            detail=f"prices of {', '.join(symbols) or 'no day'}; asked for are {', '.join(names)}",
            source=source,
        )
        for source, symbols in table.sources
        if not set(symbols) & set(names)
    ]


def _check_simulated(source: str, series: str) -> None:
    files = [os.path.basename(part) for part in source.split(", ")]  # noqa: PTH119 - a name in a message
    simulated = [file for file in files if _SIMULATED in file.lower()]
    if simulated and not series.startswith(_SIMULATED):
        msg = f"the prices in {simulated[0]} are simulated, the series {series!r} is not"
        raise SettingsError(msg)
