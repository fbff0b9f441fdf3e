"""Realised vols of a price history, and implied over realised, as history rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.errors import SettingsError
from volskew.ledger import Code, Entry, Stage
from volskew.market.clock import canonical_tenor, session_closes, tenor_days
from volskew.market.payments import PaymentList
from volskew.market.pricefiles import PriceHistory
from volskew.measures.measure import COLUMNS
from volskew.measures.realised import ESTIMATORS, SESSIONS_A_YEAR, Estimator, find_estimator, realised_vol
from volskew.measures.realised_absent import absent_entries
from volskew.measures.realised_moves import adjusted_prices
from volskew.settings import Settings, settings_or_default

__all__ = [
    "IMPLIED",
    "IMPLIED_OVER_REALISED",
    "PRICE_MEASURES",
    "WHOLE_DAY",
    "implied_over_realised",
    "realised_readings",
    "window_sessions",
]

IMPLIED: Final = "implied_vol"
"""The measure that `implied_over_realised` divides."""

IMPLIED_OVER_REALISED: Final = "implied_over_realised"

PRICE_MEASURES: Mapping[str, str] = MappingProxyType(
    {
        **{item.measure: item.title for item in ESTIMATORS.values()},
        IMPLIED_OVER_REALISED: "implied vol over the realised vol of the same number of days before [ratio]",
    }
)
"""Measures that need prices: name -> title with unit."""

WHOLE_DAY: Final = tuple(name for name, item in ESTIMATORS.items() if item.needs_previous)
"""Estimators of the vol of whole days, as implied vols are."""

DIVIDENDS_UNKNOWN: Final = "DIVIDENDS_UNKNOWN"
"""Flag: no dividends of the window were given, so that a fall at an ex-date counts as a move.
Not of prices that are adjusted for dividends."""

_KEY: Final = ["series", "date", "symbol", "measure", "tenor", "delta"]
_PARTNER: Final = ["series", "date", "symbol", "tenor"]
_TYPES: Final[dict[str, str]] = (
    dict.fromkeys(("series", *COLUMNS), "str")
    | dict.fromkeys(("value", "error", "forward"), "float64")
    | {"n_quotes": "int64"}
)


def window_sessions(tenor: str, *, settings: Settings | None = None) -> int:
    """Sessions in the window of a tenor: its calendar days times 252/365, rounded, at least one.

    Examples
    --------
    >>> [window_sessions(tenor) for tenor in ("3m", "1m", "1y", "1d")]
    [63, 21, 252, 1]
    """
    return max(1, round(tenor_days(tenor, settings=settings) * SESSIONS_A_YEAR / 365.0))


def realised_readings(
    history: PriceHistory,
    *,
    series: str,
    tenors: Sequence[str] = ("3m",),
    estimators: Sequence[str] | None = None,
    dividends: PaymentList | None = None,
    days: Collection[dt.date] | None = None,
    settings: Settings | None = None,
) -> tuple[pd.DataFrame, list[Entry]]:
    """Realised vols of one symbol as history rows.

    Parameters
    ----------
    history : PriceHistory
        Its prices.
    series : str
        The series of the rows: that of the implied vols that they are to stand beside.
    tenors : sequence of str
        The window of each ends at the close of the row's date and has `window_sessions` sessions.
    estimators : sequence of str, optional
        Names in `volskew.measures.realised.ESTIMATORS`; by default close to close, and where the history has
        ranges the others of whole days.
    dividends : PaymentList, optional
        The symbol's dividends. Without it, and in windows that begin before it does, rows are flagged
        DIVIDENDS_UNKNOWN, except where prices are adjusted for dividends.
    days : collection of datetime.date, optional
        Sessions whose readings are wanted; by default all of the history.
    settings : Settings, optional
        Its three-month tenor and its `method_version`.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Entry)
        ``series`` and `volskew.measures.COLUMNS`, sorted by key, and an entry for each run of wanted days
        without a reading. `delta` is ``-``; `n_quotes` counts the sessions of the window; `known_at` and
        `snapshot_time` are the close of the day. A row depends on no later price.

    Raises
    ------
    SettingsError
        A tenor or estimator that does not exist.
    InputError
        A dividend leaves nothing of the close before its ex-date.
    """
    chosen = settings_or_default(settings)
    items = [find_estimator(name) for name in _estimators(history, estimators)]
    labels = list(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors))
    prices = adjusted_prices(history, dividends)
    wanted = _wanted(history, days)
    common: dict[str, Any] = {
        "series": series,
        "symbol": history.symbol,
        "delta": "-",
        "forward": np.nan,
        "expiry_before": "",
        "expiry_after": "",
        "method_version": chosen.method_version,
        "source": history.source,
    }
    closes = session_closes(history.days[wanted])
    instants = closes.dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_numpy()
    frames: list[pd.DataFrame] = []
    entries: list[Entry] = []
    for tenor in labels:
        window = window_sessions(tenor, settings=chosen)
        for item in items:
            if window < item.least_window:
                detail = f"{item.measure} {tenor}: {window} of {item.least_window} sessions"
                code = str(Code.WINDOW_SHORT)
                entries.append(Entry(None, history.symbol, str(Stage.TENOR), code, int(wanted.sum()), detail))
                continue
            found = realised_vol(
                history.close,
                window=window,
                estimator=item.name,
                open=history.open if item.needs_ranges else None,
                high=prices.high if item.needs_ranges else None,
                low=history.low if item.needs_ranges else None,
                dividends=prices.dividends,
                splits=prices.splits,
            )
            flags = np.where(_before_dividends(history, dividends, window, item), DIVIDENDS_UNKNOWN, "")
            rows = pd.DataFrame(
                {
                    **common,
                    "date": np.datetime_as_string(history.days[wanted]),
                    "measure": item.measure,
                    "tenor": tenor,
                    "value": found.vol[wanted],
                    "error": found.error[wanted],
                    "n_quotes": window,
                    "method": f"{item.method}:{window}",
                    "flags": flags[wanted],
                    "snapshot_time": instants,
                    "known_at": instants,
                }
            )
            frames.append(rows[rows["value"].notna()])
            entries += absent_entries(
                history, prices, ~np.isnan(found.vol), item=item, tenor=tenor, window=window, days=days
            )
    # what several estimators lack for one reason is said once
    return _framed(frames), list(dict.fromkeys(entries))


def implied_over_realised(
    rows: pd.DataFrame, *, estimator: str = "close_close"
) -> tuple[pd.DataFrame, list[Entry]]:
    """Implied over realised vol, of each implied vol that has a realised one beside it.

    Parameters
    ----------
    rows : pandas.DataFrame
        History rows with ``series``; of them the implied vols and the realised vols of `estimator` serve, put
        together by series, date, symbol and tenor.
    estimator : str
        Name in `volskew.measures.realised.ESTIMATORS`, of whole days.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Entry)
        ``series`` and `volskew.measures.COLUMNS`, sorted by key. `value` is implied vol over realised vol,
        `error` what the implied vol's makes of it (NaN where that has none): what was realised is a fact, and
        its own error is of something else, see `volskew.measures.realised.realised_vol`. Forward, expiries
        and quotes are those of the implied vol, flags of both, `known_at` the later. An entry for each symbol
        and tenor whose realised vol is zero.

    Raises
    ------
    SettingsError
        No such estimator, or one of sessions alone: an implied vol is of nights too.
    """
    item = find_estimator(estimator)
    if not item.needs_previous:
        msg = (
            f"an implied vol is of whole days, and {estimator} of sessions; accepted: {', '.join(WHOLE_DAY)}"
        )
        raise SettingsError(msg)
    table = rows.astype({"date": "str"})
    implied = table[table["measure"] == IMPLIED]
    realised = table.loc[
        table["measure"] == item.measure,
        [*_PARTNER, "value", "error", "method", "flags", "known_at", "source"],
    ]
    both = implied.merge(realised, on=_PARTNER, suffixes=("", "_realised"), validate="many_to_one")
    is_zero = both["value_realised"] <= 0.0
    entries = [
        Entry(
            dt.date.fromisoformat(max(group["date"])),
            str(symbol),
            str(Stage.TENOR),
            str(Code.REALISED_ZERO),
            group["date"].nunique(),
            f"{IMPLIED_OVER_REALISED} {tenor}: no price moved in the window, first {min(group['date'])}",
            group["source_realised"].iloc[0],
        )
        for (symbol, tenor), group in both[is_zero].groupby(["symbol", "tenor"])
    ]
    both = both[~is_zero]
    value = both["value"] / both["value_realised"]
    result = both.assign(
        measure=IMPLIED_OVER_REALISED,
        value=value,
        error=both["error"] / both["value_realised"],
        method=_joined(both, "method", " over "),
        flags=[" ".join(sorted({*a.split(), *b.split()})) for a, b in _texts(both, "flags")],
        known_at=[max(a, b) for a, b in _texts(both, "known_at")],
        source=_joined(both, "source", ", "),
        n_quotes=both["n_quotes"].fillna(0),
    )
    return _framed([result[["series", *COLUMNS]]]), entries


def _estimators(history: PriceHistory, estimators: Sequence[str] | None) -> list[str]:
    if estimators is not None:
        return list(dict.fromkeys(estimators))
    return list(WHOLE_DAY) if history.has_ranges else ["close_close"]


def _wanted(history: PriceHistory, days: Collection[dt.date] | None) -> Any:
    if days is None:
        return np.ones(len(history), dtype=bool)
    return np.isin(history.days, np.array(sorted(days), dtype="datetime64[D]"))


def _before_dividends(
    history: PriceHistory, dividends: PaymentList | None, window: int, item: Estimator
) -> Any:
    """Whether the dividends of the window that ends on each session are not all known, where they matter."""
    if not item.needs_previous:
        return np.zeros(len(history), dtype=bool)
    known = len(history)
    if dividends is not None:
        known = int(np.searchsorted(history.days, np.datetime64(dividends.first)))
    is_unknown = ~history.is_adjusted & (np.arange(len(history)) < known)
    ends = np.arange(len(history)) + 1
    counts = np.concatenate([[0], np.cumsum(is_unknown)])
    return counts[ends] > counts[np.maximum(ends - window, 0)]


def _texts(both: pd.DataFrame, column: str) -> list[tuple[str, str]]:
    """The texts of both legs, missing ones empty."""
    pairs = both[[column, f"{column}_realised"]].fillna("")
    return list(pairs.itertuples(index=False, name=None))


def _joined(both: pd.DataFrame, column: str, between: str) -> list[str]:
    return [between.join(filter(None, texts)) for texts in _texts(both, column)]


def _framed(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows as one table with the columns and types of history rows, sorted by key."""
    columns = ["series", *COLUMNS]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return table[columns].astype(_TYPES).sort_values(_KEY, kind="stable", ignore_index=True)
