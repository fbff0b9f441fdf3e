"""One leg against what the other says it should be: the residual of a robust line, fitted to the days before.

``ln a = intercept + slope ln b + residual``. The line of a day is Theil and Sen's through the sessions before
it (`volskew.ranking.theil_sen`), and the day is scored by it: a residual is never part of the fit that it is
judged by.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.ranking.arguments import check_labels, check_pair, parse_day
from volskew.ranking.checks import check_switch, check_table
from volskew.ranking.legs import legs_of_panel
from volskew.ranking.ranking import Ranking, rank
from volskew.ranking.theil_sen import check_sessions, lines_before
from volskew.ranking.windows import WINDOWS

__all__ = ["BetaAdjusted", "beta_adjust"]


@dataclass(frozen=True, slots=True, eq=False)
class BetaAdjusted:
    """A pair with the dependence of one leg on the other taken out, against its own history.

    Attributes
    ----------
    ranking : Ranking
        Of the residual: its legs are the first leg and what the line makes of the second, so that the log
        ratio of the two is the residual. Every day of it was scored by the line of that day: the percentile
        is among residuals as they were, with no later knowledge.
    fits : pandas.DataFrame
        By session: ``a, b, slope, intercept, fitted`` (what the line says a should be), ``residual`` [log],
        ``scale`` [log], ``residual_z`` (residual / scale); NaN where there is none.
    sentence : str
        The verdict, and the line behind it.
    pair : (str, str)
        The legs as given.
    as_of : datetime.date
    fit_sessions : int
    is_expanding : bool
    """

    ranking: Ranking = field(repr=False)
    fits: pd.DataFrame = field(repr=False)
    sentence: str
    pair: tuple[str, str]
    as_of: dt.date
    fit_sessions: int
    is_expanding: bool

    @property
    def table(self) -> pd.DataFrame:
        """The ranking's table with ``slope, intercept, residual_z`` of the as-of day."""
        today = self.fits.iloc[-1] if len(self.fits) and self.fits.index[-1].date() == self.as_of else None
        columns = {
            name: math.nan if today is None else float(today[name])
            for name in ("slope", "intercept", "residual_z")
        }
        return self.ranking.table.assign(**columns)


def beta_adjust(
    panel: pd.DataFrame,
    *,
    pair: tuple[str, str] = ("QQQ", "IWM"),
    as_of: str | dt.date | None = None,
    fit_sessions: int = 504,
    expanding: bool = False,
    windows: Sequence[str] = tuple(WINDOWS),
    errors: pd.DataFrame | None = None,
    flags: pd.DataFrame | None = None,
    series: str = "",
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "0.25",
    min_observations: int = 252,
    record_observations: int = 504,
    min_coverage: float = 0.90,
) -> BetaAdjusted:
    """Rank what a robust line on the second leg leaves of the first.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `volskew.ranking.rank` takes it; readings up to the as-of day must be positive.
    pair : (str, str)
        The first is explained by the second.
    as_of : str or datetime.date, optional
        By default the last session with a reading of either leg.
    fit_sessions : int
        Sessions with both legs that a line is fitted to, the last of them before the day that is scored.
    expanding : bool
        Fit to all sessions before the day, from `fit_sessions` of them on. It takes memory for every pair of
        sessions: 100 MB for 2,700.
    windows, series, measure, tenor, delta, min_observations, record_observations, min_coverage
        As for `rank`; windows and gates count scored sessions.
    errors, flags : pandas.DataFrame, optional
        As for `rank`. The error of the second leg counts by the slope; that of the line itself is not in it.

    Returns
    -------
    BetaAdjusted

    Raises
    ------
    InputError
        A panel that cannot be ranked, or a reading at or below zero on or before the as-of day.
    MissingReadingError
        The panel has no session.
    SettingsError
        A pair, window, limit or date that is not accepted.

    Notes
    -----
    Nothing after the as-of day is looked at: days appended later leave every fit bit for bit unchanged.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-01", periods=400)
    >>> iwm = 0.2 + 0.05 * np.sin(np.arange(400.0))
    >>> panel = pd.DataFrame({"QQQ": 1.1 * iwm**0.8, "IWM": iwm}, index=days)
    >>> panel.iloc[-1, 0] *= 0.9
    >>> found = beta_adjust(panel, fit_sessions=100)
    >>> found.fits[["slope", "intercept", "residual"]].iloc[-1].round(6).tolist()
    [0.8, 0.09531, -0.105361]
    >>> float(found.ranking.headline["percentile_strict"])
    0.0
    """
    pair = check_pair(pair)
    check_sessions(fit_sessions)
    expanding = check_switch("expanding", expanding)
    check_table("panel", panel)
    check_labels(series=series, measure=measure, tenor=tenor, delta=delta)
    errors = panel.attrs.get("errors") if errors is None else errors
    flags = panel.attrs.get("flags") if flags is None else flags
    legs = legs_of_panel(panel, pair=pair, as_of=parse_day(as_of), errors=errors, flags=flags)
    for leg, values in zip(pair, (legs.a, legs.b), strict=True):
        if (bad := np.flatnonzero(values <= 0)).size:
            problem = f"a reading at or below zero on {legs.days[bad[0]]}, which has no logarithm"
            raise InputError(
                problem, column=leg, value=float(values[bad[0]]), accepted="a positive number, or NaN"
            )
    lines = lines_before(np.log(legs.b), np.log(legs.a), sessions=fit_sessions, expanding=expanding)
    fitted = np.exp(lines.intercept + lines.slope * np.log(legs.b))
    index = pd.DatetimeIndex(legs.days.astype("datetime64[us]"), name="date")
    fits = pd.DataFrame(
        {
            "a": legs.a,
            "b": legs.b,
            "slope": lines.slope,
            "intercept": lines.intercept,
            "fitted": fitted,
            "residual": lines.residual,
            "scale": lines.scale,
            "residual_z": lines.z,
        },
        index=index,
    )
    other = f"beta-adjusted {pair[1]}"
    scored = np.isfinite(lines.slope) & ~np.isnan(legs.a)
    first = int(np.argmax(scored)) if scored.any() else max(len(index) - 1, 0)
    names = {pair[0]: pair[0], pair[1]: other}
    ranking = rank(
        pd.DataFrame({pair[0]: legs.a, other: fitted}, index=index).iloc[first:],
        pair=(pair[0], other),
        as_of=legs.as_of,
        forms=("log_ratio",),
        windows=windows,
        errors=_errors(errors, fits, pair, other),
        flags=_renamed(flags, names),
        series=series,
        measure=measure,
        tenor=tenor,
        delta=delta,
        min_observations=min_observations,
        record_observations=record_observations,
        min_coverage=min_coverage,
    )
    span = (
        f"all sessions before (at least {fit_sessions:,})"
        if expanding
        else f"the {fit_sessions:,} sessions before"
    )
    return BetaAdjusted(
        ranking=ranking,
        fits=fits,
        sentence=" ".join([ranking.verdict, *_line_in_words(fits, legs.as_of, span)]),
        pair=pair,
        as_of=legs.as_of,
        fit_sessions=fit_sessions,
        is_expanding=expanding,
    )


def _errors(
    errors: pd.DataFrame | None, fits: pd.DataFrame, pair: tuple[str, str], other: str
) -> pd.DataFrame | None:
    """Errors of the first leg, and of what the line makes of the second: |slope| of its relative error."""
    if errors is None:
        return None
    own = errors.reindex(index=fits.index, columns=list(pair)).astype("float64")
    passed_on = fits["fitted"] * fits["slope"].abs() * own[pair[1]] / fits["b"]
    return pd.DataFrame({pair[0]: own[pair[0]], other: passed_on})


def _renamed(flags: pd.DataFrame | None, names: dict[str, str]) -> pd.DataFrame | None:
    return None if flags is None else flags[[name for name in names if name in flags]].rename(columns=names)


def _line_in_words(fits: pd.DataFrame, day: dt.date, span: str) -> list[str]:
    if not len(fits) or fits.index[-1].date() != day:
        return []
    today = fits.iloc[-1]
    if math.isnan(today["slope"]):
        return [f"There is no line through {span}: too few have both legs, or the second never moved."]
    text = f"The line through {span} has slope {today['slope']:.3f}"
    z = today["residual_z"]
    return [f"{text}; the residual is {z:+.2f} robust deviations." if math.isfinite(z) else f"{text}."]
