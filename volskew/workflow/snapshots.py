"""Intraday readings against a history of closes: never in silence, and only where it is allowed.

Quotes of 11:32 and of the close differ by more than noise: spreads are wider, and vols have a shape over the
day. A reading of another time of day is therefore ranked in a series of its own. Where somebody wants to know
at 11:32 where the pair stands, the closes of the earlier days and the readings of the moment make a view:
flagged, said in words, and never stored.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from volskew.ledger import Code, Entry, Stage
from volskew.market import EASTERN

__all__ = [
    "MIXED_SNAPSHOTS",
    "Mix",
    "View",
    "against_closes",
    "choose_view",
    "find_mix",
    "mixed_rows",
    "snapshot_of",
]

MIXED_SNAPSHOTS: Final = "MIXED_SNAPSHOTS"
"""Flag of readings that stand in a history of another time of day."""
OPTION: Final = "--allow-mixed-snapshots"

_APART: Final = pd.Timedelta(minutes=5)
"""Legs taken farther apart are two markets. A fund that moves by 1.2 % a session moves by 1.2 sqrt(5/390) =
0.14 % in five minutes, and its vols by a tenth of a point, as much as the error of a good reading."""
_ENOUGH: Final = 252
"""Earlier sessions from which a series of another time of day is ranked by itself: those of a percentile."""
_CLOSE: Final = "close"
_BEFORE_THE_CLOSE: Final = "15:45"
_NAME: Final = re.compile(r"(?:(?P<source>.+):)?(?P<label>close|intraday|\d{2}:\d{2})", re.ASCII)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Mix:
    """A day whose readings are of another time of day than the closes before it.

    Attributes
    ----------
    closing : str
        The series of closes.
    day : datetime.date
        The session.
    legs : tuple of (str, str, pandas.Timestamp)
        Symbol, series and instant [UTC] of the readings that stand for the day, sorted by symbol: all within
        five minutes.
    n_closes : int
        Earlier sessions with the closes of both legs of a pair.
    n_own : int
        The same of the series that the day's readings are of.
    gap : pandas.Timedelta or None
        Where the legs of every pair were taken farther apart than five minutes: by how much, and `legs` are
        empty.
    """

    closing: str
    day: dt.date
    legs: tuple[tuple[str, str, pd.Timestamp], ...]
    n_closes: int
    n_own: int = 0
    gap: pd.Timedelta | None = None

    @property
    def series(self) -> str:
        """Name of the view: the series of the day's newest leg, with days of the closes ahead of it."""
        newest = max(self.legs, key=lambda leg: (leg[2], leg[1]))[1] if self.legs else self.closing
        return f"{newest}+{_CLOSE}"

    @property
    def times(self) -> str:
        """When the legs were taken, in New York: ``11:32``, or ``11:32 and 11:34``."""
        clocks = sorted({instant.tz_convert(EASTERN).strftime("%H:%M") for _, _, instant in self.legs})
        return clocks[0] if len(clocks) == 1 else f"{clocks[0]} and {clocks[-1]}"

    @property
    def sentence(self) -> str:
        """What the verdict has to say.

        Examples
        --------
        >>> noon = pd.Timestamp("2026-07-10 15:32", tz="UTC")
        >>> Mix("close", dt.date(2026, 7, 10), (("QQQ", "11:30", noon),), 500).sentence
        'An intraday reading (11:32 in New York) against a history of closes.'
        """
        return f"An intraday reading ({self.times} in New York) against a history of closes."

    @property
    def refusal(self) -> str:
        """Why the day is not ranked against the closes, and what would change it."""
        if self.gap is not None:
            apart = f"{self.gap / pd.Timedelta(minutes=1):.0f} minutes"
            return (
                f"The readings of {self.day} are no closes, and the legs were taken {apart} apart: they are "
                "two markets, and are not compared."
            )
        return (
            f"The readings of {self.day} are of {self.times} in New York, the history is of closes: they are "
            f"ranked against each other only with {OPTION}."
        )


@dataclass(frozen=True, slots=True)
class View:
    """What is to be ranked.

    Attributes
    ----------
    series : str
        The series; that of `mix` where there is one.
    day : datetime.date or None
        As of this day; None where the caller's own choice stands.
    mix : Mix or None
        What `mixed_rows` makes the rows from; None where `series` is ranked as it is.
    entries : tuple of Entry
        For the ledger.
    sentences : tuple of str
        For people.
    """

    series: str
    day: dt.date | None = None
    mix: Mix | None = None
    entries: tuple[Entry, ...] = ()
    sentences: tuple[str, ...] = ()


def snapshot_of(series: str) -> tuple[str, str] | None:
    """Source and snapshot label of a series of solved readings; None for imported and spliced ones.

    Examples
    --------
    >>> [snapshot_of(name) for name in ("close", "simulated:15:45", "vendor:close", "desk", "close+desk")]
    [('', 'close'), ('simulated', '15:45'), ('vendor', 'close'), None, None]
    """
    match = None if "+" in series else _NAME.fullmatch(series)
    return None if match is None else (match["source"] or "", match["label"])


def against_closes(series: str) -> str:
    """What is to be said of solved readings after an imported history, which is one of closes; "" of closes.

    Those of 15:45 need no word: vendors take their daily snapshot then or at the close, and rarely say which.

    Examples
    --------
    >>> against_closes("simulated:11:30"), against_closes("15:45"), against_closes("close")
    ('Readings of 11:30 in New York against a history of closes.', '', '')
    """
    label = (snapshot_of(series) or ("", _CLOSE))[1]
    if label in {_CLOSE, _BEFORE_THE_CLOSE}:
        return ""
    what = "Intraday readings" if label == "intraday" else f"Readings of {label} in New York"
    return f"{what} against a history of closes."


def choose_view(
    rows: pd.DataFrame,
    *,
    pairs: Sequence[Pair],
    main: str,
    as_of: dt.date | None,
    newest: dt.date | None,
    allowed: bool,
) -> View:
    """Which series is ranked as of which day, where the user has named no series.

    Parameters
    ----------
    rows : pandas.DataFrame
        History rows of every series that could be ranked, those of this run among them.
    pairs : sequence of (str, str)
        What is to be ranked.
    main : str
        The series in which most of the run's sessions have both legs.
    as_of : datetime.date or None
        The day that the user has named.
    newest : datetime.date or None
        The last session among the chains of the run, of whatever series.
    allowed : bool
        Whether readings of another time of day may be ranked against closes.

    Returns
    -------
    View
        Where no such readings are in question, `main`. Where they are, and it is allowed, the mix. Where it
        is not, or the legs were taken more than five minutes apart: the closes as of that day, on which both
        legs are then missing, under a failing entry (SNAPSHOT_REFUSED, LEGS_APART) that names the option. But
        `main`, where the readings are of a series with 252 earlier sessions of its own; and under the same
        entry where the user has named no day and `main` is of closes, whose own last day then stands.
    """
    day = as_of or newest
    mix = None if day is None else find_mix(rows, pairs=pairs, day=day)
    if mix is None:
        return View(main)
    if allowed and mix.gap is None:
        detail = f"{mix.sentence} {mix.n_closes:,} earlier sessions of series {mix.closing!r}"
        return View(mix.series, day, mix, _entries(mix, Code.MIXED_SNAPSHOTS, detail))
    if not allowed and mix.n_own >= _ENOUGH:
        return View(main)
    code = Code.SNAPSHOT_REFUSED if mix.gap is None else Code.LEGS_APART
    if as_of is None and main == mix.closing:
        # the closes are ranked as of their own last day; that the newest one is not is a failure all the same
        return View(main, entries=_entries(mix, code, mix.refusal), sentences=(mix.refusal,))
    return View(mix.closing, day, None, _entries(mix, code, mix.refusal), (mix.refusal,))


def find_mix(rows: pd.DataFrame, *, pairs: Sequence[Pair], day: dt.date) -> Mix | None:
    """The readings of a day that stand in no history of their own but could stand in one of closes.

    Parameters
    ----------
    rows : pandas.DataFrame
        History rows (``series``, ``date``, ``symbol``, ``snapshot_time``, as in ``history.csv``) of any
        series and days.
    pairs : sequence of (str, str)
        What is to be ranked.
    day : datetime.date
        The session.

    Returns
    -------
    Mix or None
        None where a pair has both closes on that day, where there are no closes of both legs before it, or
        where no pair has both legs at another time of the day. Of several times the newest counts; legs may
        come from two series (11:29 and 11:31), but from one source: simulated, a vendor's and own vols stay
        apart.
    """
    table = _snapshots(rows, symbols={symbol for pair in pairs for symbol in pair})
    found: list[Mix] = []
    for source, part in table.groupby("source", sort=True):
        closing = ":".join(filter(None, (str(source), _CLOSE)))
        closes = part[part["series"] == closing]
        before = max(_count_before(closes, pair, day) for pair in pairs)
        if not before or any(str(day) in _both(closes, pair) for pair in pairs):
            continue
        is_now = (part["date"] == str(day)) & (part["label"] != _CLOSE) & part["instant"].notna()
        legs, gap = _newest_legs(part[is_now], pairs)
        if legs or gap is not None:
            names = {series for _, series, _ in legs} or set(part.loc[is_now, "series"])
            own = max(
                _count_before(part[part["series"] == name], pair, day) for name in names for pair in pairs
            )
            found.append(Mix(closing, day, legs, before, own, gap))
    return max(found, key=lambda mix: (bool(mix.legs), mix.n_closes), default=None)


def mixed_rows(mix: Mix, rows: pd.DataFrame) -> pd.DataFrame:
    """The view: closes of all earlier days, and the day's own readings, flagged.

    Parameters
    ----------
    mix : Mix
        With legs.
    rows : pandas.DataFrame
        History rows of the series concerned, as known on the day.

    Returns
    -------
    pandas.DataFrame
        Rows of `rows` under the series of the mix, with a fresh index. Closes of the day itself, and
        whatever is later, are not among them.
    """
    closes = rows[(rows["series"] == mix.closing) & (rows["date"].astype(str) < str(mix.day))]
    instants = pd.to_datetime(rows["snapshot_time"], utc=True, format="ISO8601")
    of_day = pd.Series(data=False, index=rows.index)
    for symbol, series, instant in mix.legs:
        of_day |= (rows["symbol"] == symbol) & (rows["series"] == series) & (instants == instant)
    today = rows[of_day & (rows["date"].astype(str) == str(mix.day))]
    flags = [" ".join(sorted({*str(text).split(), MIXED_SNAPSHOTS})) for text in today["flags"].fillna("")]
    parts = [part for part in (closes, today.assign(flags=flags)) if len(part)]
    view = pd.concat(parts, ignore_index=True) if parts else rows.iloc[:0]
    return view.assign(series=mix.series)


def _entries(mix: Mix, code: Code, detail: str) -> tuple[Entry, ...]:
    return (Entry(mix.day, "", str(Stage.RANKING), str(code), 1, detail, ""),)


def _snapshots(rows: pd.DataFrame, *, symbols: set[str]) -> pd.DataFrame:
    """The readings of solved series, one row for each symbol, series, date and instant."""
    wanted = rows.loc[rows["symbol"].isin(symbols), ["series", "date", "symbol", "snapshot_time"]]
    names = {name: snapshot_of(str(name)) for name in wanted["series"].unique()}
    solved = wanted[wanted["series"].map(lambda name: names[name] is not None).astype(bool)].drop_duplicates()
    parsed = [names[name] or ("", "") for name in solved["series"]]
    return solved.assign(
        date=solved["date"].astype(str),
        source=[source for source, _ in parsed],
        label=[label for _, label in parsed],
        instant=pd.to_datetime(solved["snapshot_time"], utc=True, format="ISO8601"),
    )


def _both(rows: pd.DataFrame, pair: Pair) -> set[str]:
    """Dates on which both legs have a reading."""
    first, second = (set(rows.loc[rows["symbol"] == leg, "date"]) for leg in pair)
    return first & second


def _count_before(rows: pd.DataFrame, pair: Pair, day: dt.date) -> int:
    return sum(date < str(day) for date in _both(rows, pair))


def _newest_legs(
    today: pd.DataFrame, pairs: Sequence[Pair]
) -> tuple[tuple[tuple[str, str, pd.Timestamp], ...], pd.Timedelta | None]:
    """The newest readings of a day that belong together; or how far apart the nearest legs of a pair are."""
    times = {str(symbol): sorted(part["instant"]) for symbol, part in today.groupby("symbol")}
    together: list[pd.Timestamp] = []
    gaps: list[pd.Timedelta] = []
    for pair in pairs:
        if any(leg not in times for leg in pair):
            continue
        for one in times[pair[0]]:
            for other in times[pair[1]]:
                gap = abs(one - other)
                gaps.append(gap)
                if gap <= _APART:
                    together.append(max(one, other))
    if not together:
        return (), min(gaps, default=None)
    last = max(together)
    near = today[(today["instant"] <= last) & (today["instant"] >= last - _APART)]
    newest = near.sort_values(["symbol", "instant", "series"]).groupby("symbol", sort=True).tail(1)
    legs = zip(newest["symbol"], newest["series"], newest["instant"], strict=True)
    return tuple((str(symbol), str(series), instant) for symbol, series, instant in legs), None
