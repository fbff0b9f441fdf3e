"""The ranking in words, and only in words that the length of the sample has earned.

Every sentence names both legs, the direction and the first date of its sample; `volskew.ranking.places` says
which words a sample has earned.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from volskew.ranking.band_words import describe_bands, describe_doubt
from volskew.ranking.percentile import PercentileRank
from volskew.ranking.places import LONG_HISTORY, Place, find_place, percentile_text, side_of
from volskew.ranking.standing import Flag, Limits, Standing, Statistics

__all__ = ["Subject", "describe_reading", "headline_verdict", "window_verdict"]

_VOL = "implied_vol"
_NONE = {"", "-"}
_OWN_WING = ("call", "put", "reversal", "butterfly")  # names its wing, or is of both: the delta needs no word


@dataclass(frozen=True, slots=True)
class Subject:
    """What the sentences are about.

    Attributes
    ----------
    a, b : str
        The legs; low means a low against b.
    measure, tenor, delta : str
        Canonical spellings, "-" where there is none.
    unit : str
        One of `volskew.ranking.arguments.UNITS`.
    series : str
        Label of the series; one that begins with "simulated" is named in every verdict.
    day : datetime.date
        The day that is ranked.
    known_on : datetime.date or None
        The day by which everything ranked had been published, where the data say so.
    value_a, value_b : float
        The legs on that day, NaN where missing.
    last_both : datetime.date or None
        The last day on which both legs were read.
    """

    a: str
    b: str
    measure: str
    tenor: str
    delta: str
    unit: str
    series: str
    day: dt.date
    known_on: dt.date | None
    value_a: float
    value_b: float
    last_both: dt.date | None

    def leg(self, value: float) -> str:
        """A leg's value with its unit: vols in percent, differences of vols in vol points."""
        if self.unit != "vol":
            return _general(value)
        is_vol = self.measure.endswith("vol")
        return f"{_fixed(100 * value, 1)} %" if is_vol else f"{_fixed(100 * value, 2)} vol points"

    def form(self, standing: Standing) -> str:
        """A form's name and value with its unit: spreads of vols in vol points."""
        if standing.form != "spread":
            return f"{standing.form.replace('_', ' ')} {_fixed(standing.value, 3)}"
        return f"spread {self.spread(standing.value)}"

    def spread(self, value: float) -> str:
        """A difference of the legs with its unit."""
        return f"{_fixed(100 * value, 2)} vol points" if self.unit == "vol" else _general(value)


def describe_reading(measure: str, tenor: str, delta: str) -> str:
    """A reading's measure, tenor and delta for people.

    Parameters
    ----------
    measure, tenor, delta : str
        Canonical spellings; delta is the forward call delta. "-" or "" where there is none.

    Examples
    --------
    >>> describe_reading("implied_vol", "3m", "0.25"), describe_reading("implied_vol", "3m", "0.75")
    ('3m 25-delta call vol', '3m 25-delta put vol')
    >>> describe_reading("call_skew", "1m", "-"), describe_reading("risk_reversal", "3m", "0.25")
    ('1m call skew', '3m 25-delta risk reversal')
    """
    words = [] if tenor in _NONE else [tenor]
    if delta not in _NONE:
        words.append(_describe_delta(delta, with_wing=not any(word in measure for word in _OWN_WING)))
    if measure not in _NONE:
        words.append("vol" if measure == _VOL else measure.replace("_", " "))
    return " ".join(words)


def window_verdict(
    subject: Subject, standing: Standing, *, five_years: Standing | None, limits: Limits
) -> str:
    """The verdict of one row: one form in one window.

    Parameters
    ----------
    subject : Subject
        What is ranked.
    standing : Standing
        Where it stands.
    five_years : Standing or None
        The same form in the 5-year window.
    limits : Limits
        The gates, which the sentence names where one is closed.
    """
    return _prefix(subject) + _sentence(subject, standing, five_years=five_years, limits=limits)


def headline_verdict(
    subject: Subject,
    standing: Standing,
    *,
    others: Sequence[Standing],
    five_years: Standing | None,
    limits: Limits,
) -> str:
    """The verdict of the headline: every form's value, every window's percentile, and what else to know.

    Parameters
    ----------
    subject, standing, five_years, limits
        As for `window_verdict`.
    others : sequence of Standing
        The other rows: further windows of the same form, and other forms.
    """
    windows = [row for row in others if row.form == standing.form]
    forms = [row for row in others if row.form != standing.form and row.window.name == standing.window.name]
    texts = [
        _sentence(
            subject,
            standing,
            five_years=five_years,
            limits=limits,
            windows=windows,
            forms=forms,
            with_bands=True,
        )
    ]
    if standing.flags[:1] == (Flag.SHORT_HISTORY,):
        texts.append(f"That is too short a history to say where {subject.a} stands against {subject.b}.")
    place = find_place(standing, five_years=five_years, limits=limits)
    if place is not None and standing.statistics is not None:
        texts += _recall(subject, standing, standing.statistics, place)
        texts += [
            _disagreement(row, row.statistics.percentile)
            for row in forms
            if row.statistics is not None and side_of(row.statistics.percentile.mid).side != place.side
        ]
    return _prefix(subject) + " ".join(texts)


def _sentence(
    subject: Subject,
    standing: Standing,
    *,
    five_years: Standing | None,
    limits: Limits,
    windows: Sequence[Standing] = (),
    forms: Sequence[Standing] = (),
    with_bands: bool = False,
) -> str:
    if Flag.LEG_MISSING in standing.flags:
        return _leg_missing(subject)
    what = " ".join(
        filter(None, (subject.a, describe_reading(subject.measure, subject.tenor, subject.delta)))
    )
    known = f" (published by {subject.known_on})" if subject.known_on else ""
    legs = f"{subject.leg(subject.value_a)} against {subject.leg(subject.value_b)} on {subject.day}{known}"
    values = [subject.form(standing)] if math.isfinite(standing.value) else []
    more = ", ".join(subject.form(row) for row in forms if math.isfinite(row.value))
    if more and values:
        values[0] += f" ({more})"
    elif more:
        values.append(more)
    facts = ", ".join([legs, *values])
    place = find_place(standing, five_years=five_years, limits=limits)
    if place is None or standing.statistics is None:
        return f"{what} against {subject.b}: {facts}; {_closed_gate(standing, limits)}."
    percentile = _percentile(standing.statistics.percentile)
    if with_bands:
        percentile += describe_bands(standing.statistics)
    elsewhere = ", ".join(
        f"{row.window.name}: {_percentile(row.statistics.percentile)}" for row in windows if row.statistics
    )
    phrase = _phrase(subject, standing, standing.statistics, place, limits)
    sample = f"{_count(standing.window.n_obs)} since {standing.first_date}"
    if elsewhere:
        sample += f" ({elsewhere})"
    return f"{what} is {phrase} against {subject.b}: {facts}, percentile {percentile} of {sample}."


def _phrase(
    subject: Subject, standing: Standing, statistics: Statistics, place: Place, limits: Limits
) -> str:
    """The place in words, as far as the sample reaches."""
    n, side = standing.window.n_obs, place.side
    is_full = standing.window.wanted is None
    is_long = is_full and n >= LONG_HISTORY
    if not is_full:
        reach = f" of the last {n:,} sessions" if "record" in place else f" in the last {n:,} sessions"
    elif is_long:
        reach = ""
    elif n >= limits.record_observations and standing.first_date is not None:
        reach = f" in {(subject.day - standing.first_date).days / 365.25:.1f} years of data"
    else:
        reach = f" in {n:,} sessions"
    if Flag.CONSTANT in standing.flags:
        return f"constant{reach}"
    if place in {Place.RECORD_LOW, Place.RECORD_HIGH}:
        return f"at {'an all-time' if is_long else 'a'} record {side}{reach}{describe_doubt(statistics)}"
    if place in {Place.TIED_LOW, Place.TIED_HIGH}:
        day = statistics.previous_low_date if side == "low" else statistics.previous_high_date
        return f"tied with the record {side} of {day}{reach}"
    if place in {Place.NEAR_LOW, Place.NEAR_HIGH}:
        return f"near historical {side}s"
    return f"{'in the middle of its range' if place is Place.MIDDLE else side}{reach}"


def _recall(subject: Subject, standing: Standing, statistics: Statistics, place: Place) -> list[str]:
    """Cheap or dear, and when the value was last seen."""
    if place is Place.MIDDLE:
        return []
    texts = []
    is_low = place.side == "low"
    if subject.measure == _VOL:
        texts.append(f"{subject.a} vol is {'cheap' if is_low else 'dear'} relative to {subject.b} vol.")
    records = statistics.records
    since = statistics.sessions_since_as_low if is_low else statistics.sessions_since_as_high
    day = statistics.as_low_date if is_low else statistics.as_high_date
    form = standing.form.replace("_", " ")
    if since is not None:
        texts.append(f"A {form} this {place.side} was last seen on {day}, {_count(since)} before.")
    elif place in {Place.RECORD_LOW, Place.RECORD_HIGH}:
        previous = records.previous_low if is_low else records.previous_high
        day = statistics.previous_low_date if is_low else statistics.previous_high_date
        if previous is not None:
            number = subject.spread(previous) if standing.form == "spread" else _general(previous)
            texts.append(f"The record {place.side} before was {number} on {day}.")
    return texts


def _disagreement(row: Standing, percentile: PercentileRank) -> str:
    side = side_of(percentile.mid)
    words = "in the middle of its range" if side is Place.MIDDLE else side.value
    name = row.form.replace("_", " ")
    return f"The {name} disagrees: it is {words}, percentile {_percentile(percentile)}."


def _leg_missing(subject: Subject) -> str:
    missing = [
        leg
        for leg, value in ((subject.a, subject.value_a), (subject.b, subject.value_b))
        if math.isnan(value)
    ]
    if len(missing) == 2:
        text = f"Neither {subject.a} nor {subject.b} has a reading on {subject.day}"
    else:
        there, value = (
            (subject.b, subject.value_b) if missing == [subject.a] else (subject.a, subject.value_a)
        )
        text = f"{missing[0]} has no reading on {subject.day} ({there} {subject.leg(value)})"
    last = f"the last day with both is {subject.last_both}" if subject.last_both else "no day has both"
    return f"{text}, so {subject.a} is not ranked against {subject.b}; {last}."


def _closed_gate(standing: Standing, limits: Limits) -> str:
    window = standing.window
    since = f"{_count(window.n_obs)} since {standing.first_date}"
    if Flag.NON_POSITIVE in standing.flags:
        return (
            f"a leg is at or below zero on {standing.n_unordered:,} of {since}, so the "
            f"{standing.form.replace('_', ' ')} has no percentile"
        )
    if Flag.SHORT_HISTORY in standing.flags:
        return f"{since}: no percentile under {limits.min_observations:,}"
    if Flag.SHORT_WINDOW in standing.flags:
        return f"{since}: no percentile for the {window.name} window under {window.wanted:,}"
    return (
        f"both legs on {window.n_obs:,} of {_count(window.n_sessions)} since {standing.first_date} "
        f"({100 * window.coverage:.1f} %): no percentile under {100 * limits.min_coverage:g} %"
    )


def _prefix(subject: Subject) -> str:
    return "Simulated data: " if subject.series.lower().startswith("simulated") else ""


def _describe_delta(delta: str, *, with_wing: bool) -> str:
    try:
        number = float(delta)
    except ValueError:
        return delta
    text = f"{100 * min(number, 1 - number):.12g}-delta"
    if number == 0.5 or not with_wing:
        return text
    return f"{text} {'call' if number < 0.5 else 'put'}"


def _percentile(percentile: PercentileRank) -> str:
    return percentile_text(percentile.mid)


def _count(sessions: int) -> str:
    return f"{sessions:,} session{'' if sessions == 1 else 's'}"


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _general(value: float) -> str:
    return "0" if value == 0 else f"{value:.6g}"
