"""One pair ranked: its panel, the ranking, and what the ledger must know of missing legs."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from volskew.history import History
from volskew.ledger import Code, Ledger, Stage
from volskew.market import canonical_tenor
from volskew.ranking import Ranking, rank
from volskew.surface.points import parse_point
from volskew.workflow.view import Pair

__all__ = ["rank_pair"]

_DIFFERENT_EXPIRIES = "DIFFERENT_EXPIRIES"


def rank_pair(
    known: History,
    rows: pd.DataFrame,
    legs: Pair,
    measure: str,
    tenor: str,
    delta: str,
    series: str,
    day: dt.date,
    ledger: Ledger,
) -> Ranking | None:
    """Rank one pair; None, and a ledger entry, where neither leg has a reading on any day."""

    def panel_of(field: str) -> pd.DataFrame:
        return known.panel(
            series=series, measure=measure, tenor=tenor, delta=delta, symbols=legs, field=field
        )

    what = f"{'/'.join(legs)} {measure} {tenor} {delta}"
    panel = panel_of("value") if series in known.series_names() else pd.DataFrame()
    if panel.empty:
        ledger.add(None, "", Stage.RANKING, Code.PAIR_MISSING, detail=what)
        return None
    flags = panel_of("flags")
    if _expiries_differ(rows, legs, measure, tenor, delta, day):
        today = flags.index == pd.Timestamp(day)
        flags.loc[today, list(legs)] += f" {_DIFFERENT_EXPIRIES}"
    ranking = rank(
        panel,
        pair=legs,
        as_of=day,
        errors=panel_of("error"),
        flags=flags,
        series=series,
        measure=measure,
        tenor=canonical_tenor(tenor),
        delta=parse_point(delta=delta).text,
    )
    missing = [leg for leg in legs if ranking.is_leg_missing(leg)]
    for leg in missing:
        code = Code.PAIR_MISSING if panel[leg].isna().all() else Code.LEG_MISSING
        ledger.add(ranking.as_of, leg, Stage.RANKING, code, detail=what)
    return ranking


def _expiries_differ(
    rows: pd.DataFrame, legs: Pair, measure: str, tenor: str, delta: str, day: dt.date
) -> bool:
    """Whether the legs of a day were read between different expiries: clock and events do not cancel."""
    key = {
        "date": str(day),
        "measure": measure,
        "tenor": canonical_tenor(tenor),
        "delta": parse_point(delta=delta).text,
    }
    mask = rows["symbol"].isin(legs)
    for column, value in key.items():
        mask &= rows[column] == value
    dates = rows.loc[mask, ["expiry_before", "expiry_after"]].fillna("").drop_duplicates()
    return int(mask.sum()) == 2 and len(dates) == 2 and "" not in set(dates["expiry_before"])
