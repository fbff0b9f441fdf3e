"""Skews of an imported history: made of its vols, where a surface would have been read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from volskew.measures.skew import SKEWS
from volskew.surface.delta import parse_delta
from volskew.surface.points import parse_point

__all__ = ["derived_rows", "vols_behind"]

_VOL = "implied_vol"
_DAY = ["series", "date", "symbol", "tenor"]


def vols_behind(measure: str, delta: str) -> tuple[str, ...]:
    """Deltas of the vols that a measure is made of; none where it is read and not made.

    Examples
    --------
    >>> vols_behind("risk_reversal", "0.25"), vols_behind("put_skew", "0.75")
    (('0.25', '0.75'), ('0.75', '0.5'))
    >>> vols_behind("implied_vol", "0.25")
    ()
    """
    if measure not in SKEWS:
        return ()
    return tuple(parse_point(delta=place).text for place, _ in SKEWS[measure].places(parse_delta(delta)))


def derived_rows(rows: pd.DataFrame, keys: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """Rows of skews made of rows of vols.

    Parameters
    ----------
    rows : pandas.DataFrame
        History rows with ``series``; their implied vols serve.
    keys : sequence of (str, str, str)
        Measure, tenor and delta of what is wanted; those that are not made of vols, or that `rows` have
        already, are passed over.

    Returns
    -------
    pandas.DataFrame
        Columns as `rows`. A row for each series, day and symbol that has every vol needed. No error: those of
        several vols of one day are not independent, and nobody has said how they hang together. The later
        `known_at` and the flags of all; whatever else of the vol at the key's own delta.
    """
    there = set(rows[["measure", "tenor", "delta"]].itertuples(index=False, name=None))
    vols = rows[rows["measure"] == _VOL]
    found = []
    for measure, tenor, delta in keys:
        places = vols_behind(measure, delta)
        if not places or (measure, tenor, delta) in there:
            continue
        skew = SKEWS[measure]
        weights = [weight for _, weight in skew.places(parse_delta(delta))]
        parts = [
            vols[(vols["tenor"] == tenor) & (vols["delta"] == place)].set_index(_DAY) for place in places
        ]
        index = parts[0].index
        for part in parts[1:]:
            index = index.intersection(part.index, sort=False)
        if index.empty:
            continue
        parts = [part.loc[index] for part in parts]
        numbers = np.stack([part["value"].to_numpy(dtype=np.float64) for part in parts])
        values = [skew.number(numbers[:, place], weights)[0] for place in range(numbers.shape[1])]
        own = parts[places.index(delta)] if delta in places else parts[0]
        texts = {
            name: [part[name].fillna("").astype(str).tolist() for part in parts]
            for name in ("flags", "known_at")
        }
        flags = [" ".join(sorted({*" ".join(cells).split()})) for cells in zip(*texts["flags"], strict=True)]
        made = own.assign(
            measure=measure,
            delta=delta,
            value=values,
            error=np.nan,
            flags=flags,
            known_at=[max(cells) for cells in zip(*texts["known_at"], strict=True)],
        ).reset_index()
        found.append(made[rows.columns])
    return pd.concat(found, ignore_index=True) if found else rows.iloc[:0]
