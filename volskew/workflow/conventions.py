"""The conventions that a vol may as well be read by, and a pair's rank under each of them.

A history holds the readings of a convention as a series of its own, named after the headline's:
``close~spot-delta`` beside ``close``. They are read from the fit that the headline is read from
(`volskew.surface.Surface.under`). A new convention is one line of `CONVENTIONS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Code, Entry, Stage
from volskew.market import canonical_term
from volskew.measures import missing
from volskew.measures.measure import history_frame, history_rows
from volskew.ranking.robustness import Robustness, robustness
from volskew.settings import Settings
from volskew.surface import Surface
from volskew.surface.points import parse_point
from volskew.surface.under import needs_refit

__all__ = [
    "CONVENTIONS",
    "Convention",
    "conventions_beside",
    "find_conventions",
    "headline_rows",
    "measure_conventions",
    "months_later",
    "rank_under_conventions",
    "series_under",
    "split_series",
    "variant_panels",
]

_BETWEEN = "~"
"""Between the series of the headline and the name of the convention."""
_KEY = ["measure", "tenor", "delta"]


@dataclass(frozen=True, slots=True)
class Convention:
    """A way to read a fit, and what it is called.

    Attributes
    ----------
    name : str
        As in the name of a series: ``close~NAME``.
    words : str
        For a reader.
    changes : tuple of (str, value)
        The settings that it names, whatever those of the headline are.
    by_months : bool
        "3m" is the same day three months later: 89 to 92 days.
    """

    name: str
    words: str
    changes: tuple[tuple[str, Any], ...] = ()
    by_months: bool = False

    def settings_on(self, day: dt.date, settings: Settings) -> Settings:
        """The settings that it reads a session by, from those of the headline."""
        changed = settings.replace(**dict(self.changes))
        return changed.replace(three_month_days=months_later(day, 3)) if self.by_months else changed

    def is_beside(self, settings: Settings) -> bool:
        """Whether it is other than that of some settings, and a fit by these can be read so."""
        changed = settings.replace(**dict(self.changes))
        return (self.by_months or changed != settings) and not needs_refit(settings, changed)

    def concerns(self, settings: Settings, *, tenor: str, delta: str) -> bool:
        """Whether a reading can depend on it: days of 3m on "3m" alone, a delta's meaning on deltas."""
        other = {name for name, value in self.changes if getattr(settings, name) != value}
        other |= {"three_month_days"} if self.by_months else set()
        is_three_months = "3m" in canonical_term(tenor).split("-")  # of a span either end
        is_delta = parse_point(delta=delta).kind == "delta"
        idle = {"three_month_days": not is_three_months, "delta_convention": not is_delta}
        return any(not idle.get(name, False) for name in other)


def months_later(day: dt.date, months: int) -> int:
    """Calendar days to the same day some months later, or to the last of that month.

    Examples
    --------
    >>> months_later(dt.date(2026, 7, 10), 3), months_later(dt.date(2025, 11, 30), 3)
    (92, 90)
    """
    stamp = pd.Timestamp(day)
    return int((stamp + pd.DateOffset(months=months) - stamp).days)


def _rule(interpolation: str, clock: str) -> tuple[tuple[str, Any], ...]:
    return (("tenor_interpolation", interpolation), ("tenor_clock", clock))


_LINE_BY_CALENDAR = _rule("linear", "calendar")

CONVENTIONS: tuple[Convention, ...] = (
    Convention("forward-delta", "forward delta N(d1)", (("delta_convention", "forward"),)),
    Convention("spot-delta", "spot delta", (("delta_convention", "spot"),)),
    Convention("discounted-delta", "discounted forward delta", (("delta_convention", "discounted"),)),
    Convention("90d", "three months of 90 days", (("three_month_days", 90),)),
    Convention("91d", "three months of 91 days", (("three_month_days", 91),)),
    Convention("92d", "three months of 92 days", (("three_month_days", 92),)),
    Convention("calendar-months", "three calendar months", by_months=True),
    Convention("svi-smile", "the SVI smile", (("smile_model", "svi"),)),
    Convention("local-smile", "the local smile", (("smile_model", "local"),)),
    Convention("session-process", "process by sessions", _rule("gaussian_process", "variance")),
    Convention("session-line", "straight line by sessions", _rule("linear", "variance")),
    Convention("calendar-process", "process by the calendar", _rule("gaussian_process", "calendar")),
    Convention("calendar-line", "straight line by the calendar", _LINE_BY_CALENDAR),
    Convention(
        "spot-90d-line",
        "spot delta at 90 days on a straight line by the calendar",
        (("delta_convention", "spot"), ("three_month_days", 90), *_LINE_BY_CALENDAR),
    ),
)
"""Each with what it says of itself alone; the one that is the headline's is not measured again."""


def find_conventions(names: Iterable[str]) -> tuple[Convention, ...]:
    """The conventions of these names.

    Raises
    ------
    SettingsError
        There is none of a name; the message lists those there are.

    Examples
    --------
    >>> [convention.words for convention in find_conventions(["90d", "local-smile"])]
    ['three months of 90 days', 'the local smile']
    """
    there = {convention.name: convention for convention in CONVENTIONS}
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise SettingsError(f"no convention is called {unknown[0]!r}; there is {', '.join(there)}")
    return tuple(there[name] for name in wanted)


def conventions_beside(
    settings: Settings, conventions: Sequence[Convention] = CONVENTIONS
) -> tuple[Convention, ...]:
    """Those that are other than the headline of some settings, and that its fit can be read by.

    Examples
    --------
    >>> len(conventions_beside(Settings())), len(CONVENTIONS)
    (10, 14)
    """
    return tuple(convention for convention in conventions if convention.is_beside(settings))


def series_under(series: str, convention: str) -> str:
    """The series of a convention beside that of the headline.

    Examples
    --------
    >>> series_under("simulated:close", "spot-delta")
    'simulated:close~spot-delta'
    """
    return f"{series}{_BETWEEN}{convention}"


def split_series(series: str) -> tuple[str, str]:
    """The series of the headline and the name of the convention, "" for the headline itself.

    Examples
    --------
    >>> split_series("close~90d"), split_series("close"), split_series("mine~of 2020")
    (('close', '90d'), ('close', ''), ('mine~of 2020', ''))
    """
    head, _, name = series.rpartition(_BETWEEN)
    return (head, name) if name in {convention.name for convention in CONVENTIONS} and head else (series, "")


def headline_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without those of other conventions."""
    return rows if rows.empty else rows[[not split_series(name)[1] for name in rows["series"]]]


def measure_conventions(
    surface: Surface,
    headline: pd.DataFrame,
    *,
    series: str,
    conventions: Sequence[Convention],
    source: str,
) -> tuple[pd.DataFrame, list[Entry]]:
    """What the readings of a surface are under other conventions.

    Parameters
    ----------
    surface : Surface
    headline : pandas.DataFrame
        Its readings, of `volskew.measures.measure`: these are read again, where a convention concerns them.
    series : str
        Of the headline.
    conventions : sequence of Convention
        Those that are the headline's, or need another fit, are passed over.
    source : str
        For the ledger.

    Returns
    -------
    frame : pandas.DataFrame
        History rows with their series, each convention's in its own.
    entries : list of volskew.ledger.Entry
        A reading that the headline has and a convention has not, and why.
    """
    rows: list[dict[str, Any]] = []
    entries: list[Entry] = []
    keys = list(headline[_KEY].itertuples(index=False, name=None))
    for convention in conventions_beside(surface.settings, conventions):
        other = surface.under(convention.settings_on(surface.date, surface.settings))
        for name, tenor, delta in keys:
            place = "25c" if delta == "-" else delta
            if not convention.concerns(surface.settings, tenor=tenor, delta=place):
                continue
            one: dict[str, Any] = {"measures": [name], "tenors": [tenor], "deltas": [place]}
            found = history_rows(other, **one)
            if not found:
                why = [entry.detail for entry in missing(other, **one)][:1]
                detail = f"{name} {tenor} {delta} under {convention.name}: {' '.join(why)}"
                code = str(Code.CONVENTION_MISSING)
                entries.append(Entry(surface.date, surface.symbol, str(Stage.TENOR), code, 1, detail, source))
                continue
            rows += [{"series": series_under(series, convention.name), **row} for row in found]
    return history_frame(rows, ahead=["series"]), entries


def variant_panels(
    history: History, *, series: str, measure: str, tenor: str, delta: str, symbols: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """The panels of a series' readings under every convention that a history has them for, by name.

    Parameters
    ----------
    history : History
        Cut at the as-of day where one is ranked.
    series : str
        Of the headline's solved days.
    measure, tenor, delta, symbols
        As in `History.panel`.
    """
    panels = {}
    there = set(history.series_names())
    for convention in CONVENTIONS:
        name = series_under(series, convention.name)
        if name in there:
            panel = history.panel(series=name, measure=measure, tenor=tenor, delta=delta, symbols=symbols)
            if not panel.empty:
                panels[convention.name] = panel
    return panels


def rank_under_conventions(
    panel: pd.DataFrame, variants: Mapping[str, pd.DataFrame], **ranked: Any
) -> Robustness:
    """A pair's percentile and its range over other conventions, forms and windows.

    Parameters
    ----------
    panel : pandas.DataFrame
        The headline's readings, those of a history spliced ahead included.
    variants : mapping of str to pandas.DataFrame
        From `variant_panels`.
    **ranked
        What is ranked, as in `volskew.ranking.robustness.robustness`.
    """
    words = {convention.name: convention.words for convention in CONVENTIONS}
    return robustness(panel, variants, words=words, **ranked)
