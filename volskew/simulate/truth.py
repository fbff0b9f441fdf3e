"""The exact three-month vols of every session, and the vol history that another vendor would have of them."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import pandas as pd

from volskew.simulate.dividends import Dividend, expected_dividends, times_to_ex_dates
from volskew.simulate.draws import normals
from volskew.simulate.funds import FUNDS
from volskew.simulate.model import TENOR, clock, mixture, vol_at_delta
from volskew.simulate.quoting import forwards
from volskew.simulate.trading_time import trading_clock

__all__ = ["HISTORY_BASIS", "HISTORY_DELTAS", "HISTORY_NOISE", "tenor_truth", "vol_history"]

HISTORY_DELTAS: Final = {"25c": "vol_25c", "50": "vol_50", "25p": "vol_25p"}
"""The deltas of the vol history, and their columns of the truth."""

HISTORY_BASIS: Final = {
    "QQQ": {"25c": 0.0004, "50": 0.0003, "25p": 0.0005},
    "IWM": {"25c": 0.0006, "50": 0.0004, "25p": 0.0007},
}
"""What the vol history, like another vendor's, reads above the truth [decimal vol]."""

HISTORY_NOISE: Final = 0.0003
"""Standard deviation [decimal vol] of the vol history's independent noise of each day, symbol and delta."""


def tenor_truth(states: pd.DataFrame, *, dividends: dict[str, tuple[Dividend, ...]]) -> pd.DataFrame:
    """Exact forwards and vols at 91 days: the surface's own, nothing interpolated between expiries.

    Beside them the variance that the price's path was drawn with, of the night before and of the session.

    Parameters
    ----------
    states : pandas.DataFrame
        From `simulate_states`.
    dividends : dict
        All payments by symbol; of each session only those announced by then are looked at.
    """
    tables = []
    for fund in FUNDS:
        rows = states[states["symbol"] == fund.symbol]
        column = {
            name: rows[name].to_numpy()[:, np.newaxis] for name in ("scale", "skew", "curvature", "inversion")
        }
        passed = [float(trading_clock().years(day, TENOR)) for day in rows["date"].dt.date]
        time = clock(np.array(passed)[:, np.newaxis], inversion=column.pop("inversion"))
        law = mixture(fund.shape, **column, clock_time=time)
        vols = vol_at_delta(law, delta=np.array([0.25, 0.50, 0.75]), years=TENOR)
        tables.append(
            pd.DataFrame(
                {
                    "date": rows["date"].dt.strftime("%Y-%m-%d"),
                    "symbol": fund.symbol,
                    "spot": rows["spot"],
                    "forward": _tenor_forwards(rows, dividends[fund.symbol]),
                    "vol_25c": vols[:, 0],
                    "vol_50": vols[:, 1],
                    "vol_25p": vols[:, 2],
                    "variance_overnight": rows["variance_overnight"],
                    "variance_intraday": rows["variance_intraday"],
                },
                index=rows.index,
            )
        )
    return pd.concat(tables).sort_index().reset_index(drop=True)


def _tenor_forwards(rows: pd.DataFrame, payments: tuple[Dividend, ...]) -> list[float]:
    result = []
    for day, spot in zip(rows["date"].dt.date, rows["spot"].tolist(), strict=True):
        expected = expected_dividends(payments, day)
        cash = np.array([item.amount for item in expected])
        ex_times = times_to_ex_dates(expected, day)
        result.append(float(forwards(spot, np.array([TENOR]), ex_times=ex_times, cash=cash)[0]))
    return result


def vol_history(truth: pd.DataFrame, *, until: pd.Timestamp, seed: int) -> pd.DataFrame:
    """The truth of the years before the chains as another vendor would have it.

    Returns
    -------
    pandas.DataFrame
        ``date``, ``symbol``, ``delta`` (25c, 50, 25p) and ``vol``, sorted by date and symbol.
    """
    rows = truth[truth["date"] <= until.strftime("%Y-%m-%d")].reset_index(drop=True)
    day = np.array([dt.date.fromisoformat(date).toordinal() for date in rows["date"]])
    tables = []
    for place, (delta, column) in enumerate(HISTORY_DELTAS.items()):
        noise = HISTORY_NOISE * normals(seed, "history", day, rows["symbol"] == FUNDS[0].symbol, place)
        basis = rows["symbol"].map({symbol: by_delta[delta] for symbol, by_delta in HISTORY_BASIS.items()})
        tables.append(
            pd.DataFrame(
                {
                    "date": rows["date"],
                    "symbol": rows["symbol"],
                    "delta": delta,
                    "vol": (rows[column] + basis + noise).round(6),
                }
            )
        )
    # each day's rows of one symbol together, from the call to the put
    return pd.concat(tables).sort_index(kind="stable").reset_index(drop=True)
