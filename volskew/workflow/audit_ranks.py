"""A store's rank history held against what was known at dates."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from volskew.history import History
from volskew.market import sessions
from volskew.market.clock import end_of_day
from volskew.quotes.overrides import Overrides
from volskew.ranking import rank, rank_history
from volskew.workflow.audit_table import comparison, spread, uncompared
from volskew.workflow.overrides import exclude_readings

__all__ = ["audit_ranks"]

Pair = tuple[str, str]

_LIMITS: dict[str, Any] = {"min_observations": 2, "min_coverage": 0.0}
"""Gates wide open: what they would keep back is compared as well."""
_RANKED = ("value_a", "value_b", "value", "percentile", "percentile_strict", "percentile_weak")
_COUNTED = ("n_obs", "coverage", "first_date", "flags")


def audit_ranks(
    history: History,
    key: dict[str, str],
    pair: Pair,
    *,
    cuts: int | Sequence[dt.date] | None,
    overrides: Overrides | None,
) -> Iterator[dict[str, Any]]:
    """The rank history from everything against that from what was known by each cut.

    Parameters
    ----------
    history : History
        The store.
    key : dict
        Series, measure, tenor and delta.
    pair : (str, str)
        The legs.
    cuts : int, sequence of datetime.date or None
        As for `volskew.workflow.audit_store`.
    overrides : Overrides or None
        Readings to leave out.
    """
    what = " ".join([key["series"], "/".join(pair), key["measure"], key["tenor"], key["delta"]])
    vintages = history.vintages(**key, symbols=pair)
    if overrides is not None:
        vintages, _ = exclude_readings(vintages, overrides)
    if vintages.empty:
        reason = "of which no session has a reading"
        yield uncompared("ranking", what, None, 1, reason=reason, example=what)
        return
    index = sessions(vintages["date"].min().date(), vintages["date"].max().date())
    labels: dict[str, Any] = {
        "pair": pair,
        **{name: key[name] for name in ("series", "measure", "tenor", "delta")},
    }
    whole = rank_history(pd.DataFrame(index=index), vintages=vintages, **labels, **_LIMITS)
    if cuts is not None and not isinstance(cuts, int):
        for cut in sorted(set(cuts)):
            if cut < index[0].date():
                reason = "a cut before the first session of the pair"
                yield uncompared("ranking", what, cut, 1, reason=reason, example=f"{cut} of {what}")
    for cut in _cuts([stamp.date() for stamp in index], cuts):
        stamp = pd.Timestamp(cut)
        evening = end_of_day(cut)
        known = vintages[(vintages["date"] <= stamp) & (vintages["known_at"] <= evening)]
        until = index[index <= stamp]
        rows = whole[whole["date"] <= stamp]
        short = rank_history(pd.DataFrame(index=until), vintages=known, **labels, **_LIMITS)
        yield comparison("rank history", what, cut, len(rows), _differences(rows, short))
        panel = history.panel(**key, symbols=pair, as_of=cut, known_by=evening.to_pydatetime()).reindex(until)
        for item in () if overrides is None else overrides.readings:
            if pd.Timestamp(item.date) in panel.index and item.symbol in pair:
                panel.loc[pd.Timestamp(item.date), item.symbol] = np.nan
        ranked = rank(panel, as_of=cut, record_observations=2, **labels, **_LIMITS).table
        ranked = ranked.assign(date=stamp, first_date=pd.to_datetime(ranked["first_date"]))
        last = rows[rows["date"] == stamp]
        yield comparison("ranking", what, cut, len(last), _differences(last, ranked))


def _cuts(days: Sequence[dt.date], cuts: int | Sequence[dt.date] | None) -> list[dt.date]:
    """The sessions to cut after; of a date that is none the one before."""
    if cuts is None or isinstance(cuts, int):
        return spread(days, cuts, name="cuts")
    return sorted({days[place - 1] for cut in cuts if (place := bisect_right(days, cut))})


def _differences(whole: pd.DataFrame, short: pd.DataFrame) -> list[str]:
    """Rows of two rank histories that are not equal to the last bit, in words."""
    if len(whole) != len(short):
        return [f"{len(whole)} rows with everything, {len(short)} with what was known"]
    first, second = whole.reset_index(drop=True), short.reset_index(drop=True)
    differing: dict[int, str] = {}
    for name in ("date", "form", "window", *_RANKED, *_COUNTED):
        for row in np.flatnonzero(~_equal(first[name], second[name])).tolist():
            where = f"{first['date'][row].date()} {first['form'][row]} {first['window'][row]}"
            differing.setdefault(
                row, f"{where}: {name} {first[name][row]!r} with everything, {second[name][row]!r} as known"
            )
    return [differing[row] for row in sorted(differing)]


def _equal(one: pd.Series, other: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where two columns agree; missing cells agree with missing ones."""
    missing = one.isna().to_numpy() & other.isna().to_numpy()
    same = one.to_numpy(dtype=object) == other.to_numpy(dtype=object)
    result: np.ndarray[Any, np.dtype[np.bool_]] = missing | same.astype(np.bool_)
    return result
