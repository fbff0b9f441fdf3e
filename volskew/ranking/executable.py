"""Where the pair stands at the levels at which it could be traded, beside its mids.

A percentile is made of mids, and nobody trades at a mid. Who buys what is cheap pays its ask, and sells what
is dear at its bid: the pair is then less cheap than it seems. The history stays one of mids, for that is what
is known of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import InputError
from volskew.ranking.forms import compare, is_ordered
from volskew.ranking.percentile import PercentileRank, percentile_rank
from volskew.ranking.places import percentile_text
from volskew.ranking.ranking import Ranking
from volskew.ranking.windows import select_window

__all__ = ["Executable", "TwoSided", "executable_level", "executable_levels"]

_MIDDLE = 50.0
_SLACK = 1e-8
"""Readings are kept with eight decimals: a mid may lie beyond its bid or ask by a rounding of each."""
_VOL = "implied_vol"


@dataclass(frozen=True, slots=True)
class TwoSided:
    """One leg on the ranked day.

    Attributes
    ----------
    mid, bid, ask : float
        The reading from all mids, from all bids and from all asks, in one unit; NaN where there is none.
    """

    mid: float
    bid: float = math.nan
    ask: float = math.nan

    @property
    def width(self) -> float:
        """What it costs to buy and to sell."""
        return self.ask - self.bid

    def problem(self) -> str:
        """What is wrong with the bid or the ask where there are such; "" where nothing is."""
        low = self.ask if math.isnan(self.bid) else self.bid
        high = self.bid if math.isnan(self.ask) else self.ask
        if low > high:
            return "its bid is above its ask"
        if self.bid > self.mid + _SLACK or self.ask < self.mid - _SLACK:
            return "its mid is not between its bid and its ask"
        return ""


@dataclass(frozen=True, slots=True)
class Executable:
    """One form in one window at executable levels.

    Attributes
    ----------
    form : str
        log_ratio, ratio or spread.
    value : float
        The form with the cheap leg at its ask and the dear one at its bid; NaN where `reason` says why.
    percentile : PercentileRank or None
        Where that value stands, in the conventions of the ranking; None where there is no value.
    mid_percentile : float
        Mid-rank of the mids, 0 to 100; NaN where a gate is closed.
    buys_a : bool or None
        Whether a is bought and b sold; None where no side is taken.
    round_trip : float
        What it costs to put the trade on and to take it off again, both legs together, in the legs' unit; NaN
        where a bid or an ask is missing.
    round_trip_percentile : float
        The same in percentile points: how far apart the two sides of the pair stand in its history.
    reason : str
        Why there is no value; "" where there is one.
    """

    form: str
    value: float = math.nan
    percentile: PercentileRank | None = None
    mid_percentile: float = math.nan
    buys_a: bool | None = None
    round_trip: float = math.nan
    round_trip_percentile: float = math.nan
    reason: str = ""

    @property
    def cells(self) -> Mapping[str, float]:
        """The columns of ``rankings.csv``; NaN is an empty cell."""
        percentile = math.nan if self.percentile is None else self.percentile.mid
        return {"executable_value": self.value, "executable_percentile": percentile}

    def sentence(self, pair: tuple[str, str], *, measure: str = "-") -> str:
        """The level in words, or why there is none.

        Parameters
        ----------
        pair : (str, str)
            The legs.
        measure : str
            What they are; ``implied_vol`` is told in vol points.

        Examples
        --------
        >>> place = PercentileRank(strict=6.0, weak=6.4, mid=6.2, rank=16.0, n=250)
        >>> Executable("spread", 0.031, place, 3.1, True, 0.0045, 5.9).sentence(("QQQ", "IWM"))
        'At executable levels percentile 6.2 (mid 3.1): QQQ at its ask, IWM at its bid.'
        >>> Executable("spread", reason="IWM has no bid").sentence(("QQQ", "IWM"))
        'No executable level: IWM has no bid.'
        """
        if self.percentile is None:
            return f"No executable level: {self.reason}."
        bought, sold = pair if self.buys_a else pair[::-1]
        text = (
            f"At executable levels percentile {percentile_text(self.percentile.mid)} "
            f"(mid {percentile_text(self.mid_percentile)}): {bought} at its ask, {sold} at its bid"
        )
        if measure != _VOL or math.isnan(self.round_trip):
            return f"{text}."
        return (
            f"{text}; a round trip costs {100 * self.round_trip:.2f} vol points, "
            f"{self.round_trip_percentile:.1f} percentile points."
        )


def executable_level(
    form: str,
    *,
    sample: ArrayLike,
    a: TwoSided,
    b: TwoSided,
    mid_percentile: float,
    names: tuple[str, str] = ("a", "b"),
) -> Executable:
    """One form of the pair at the levels at which it could be traded today.

    Where a is low against b (`mid_percentile` under 50) a is bought at its ask and b sold at its bid,
    otherwise a is sold at its bid and b bought at its ask.

    Parameters
    ----------
    form : {"log_ratio", "ratio", "spread"}
        The form.
    sample : array_like, shape (n,)
        The window's mids of that form, today's the last.
    a, b : TwoSided
        The legs today.
    mid_percentile : float
        Mid-rank of today's mid in the sample, 0 to 100; NaN where a gate of the ranking is closed.
    names : (str, str)
        The legs, for the reason.

    Returns
    -------
    Executable

    Raises
    ------
    InputError
        An element of the sample, a bid or an ask is infinite, or the percentile is not from 0 to 100.

    Notes
    -----
    The value that is placed takes the place of today's mid in the sample, as the mid itself does in the
    ranking. At no spread the percentile is therefore that of the mid, and it moves by one rank for each day
    that the spread reaches past. With today's mid left in, the thinnest spread would cost half a rank.

    Examples
    --------
    >>> a, b = TwoSided(0.20, bid=0.199, ask=0.203), TwoSided(0.19, bid=0.188, ask=0.19)
    >>> level = executable_level("spread", sample=[0.02, 0.012, 0.03, 0.01], a=a, b=b, mid_percentile=12.5)
    >>> level.value, level.percentile.mid, level.buys_a, round(level.round_trip, 6)
    (0.015, 37.5, True, 0.006)
    """
    values = np.asarray(sample, dtype=np.float64)
    for name, leg in zip(names, (a, b), strict=True):
        if any(math.isinf(number) for number in (leg.mid, leg.bid, leg.ask)):
            raise InputError(f"an infinite mid, bid or ask of {name}", accepted="finite numbers, or NaN")
    if not math.isnan(mid_percentile) and not 0.0 <= mid_percentile <= 100.0:
        raise InputError("no percentile", value=mid_percentile, accepted="0 to 100, or NaN")
    if math.isnan(mid_percentile) or not len(values):
        return Executable(form, reason="the mids have no percentile, so no side is to be taken")
    buys_a = mid_percentile < _MIDDLE
    taken = ((a.ask, "ask"), (b.bid, "bid")) if buys_a else ((a.bid, "bid"), (b.ask, "ask"))

    def without_level(reason: str) -> Executable:
        return Executable(form, mid_percentile=mid_percentile, buys_a=buys_a, reason=reason)

    for name, leg, (level, side) in zip(names, (a, b), taken, strict=True):
        if math.isnan(level):
            return without_level(f"{name} has no {side}")
        if leg.problem():
            return without_level(f"of {name}, {leg.problem()}")
    value, percentile = _placed(form, values, a=taken[0][0], b=taken[1][0])
    if percentile is None:
        return without_level(f"the {form.replace('_', ' ')} does not exist at these levels")
    other = (a.bid, b.ask) if buys_a else (a.ask, b.bid)
    _, back = _placed(form, values, a=other[0], b=other[1])
    return Executable(
        form,
        value=value,
        percentile=percentile,
        mid_percentile=mid_percentile,
        buys_a=buys_a,
        round_trip=a.width + b.width,
        round_trip_percentile=math.nan if back is None else abs(percentile.mid - back.mid),
    )


def executable_levels(
    ranking: Ranking, *, bids: tuple[float, float], asks: tuple[float, float]
) -> list[Executable]:
    r"""The executable level of each row of a ranking: the same windows, gates and conventions.

    Parameters
    ----------
    ranking : Ranking
        A pair that is ranked by its mids.
    bids, asks : (float, float)
        Of the first and the second leg on the as-of day, in the unit of the legs; NaN where there is none.

    Returns
    -------
    list of Executable
        One for each row of ``ranking.table``, in its order.

    Raises
    ------
    InputError
        A bid or an ask is infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> from volskew.ranking import rank
    >>> days = pd.bdate_range("2024-01-01", periods=300)
    >>> panel = pd.DataFrame({"QQQ": np.linspace(0.25, 0.20, 300), "IWM": 0.2}, index=days)
    >>> levels = executable_levels(rank(panel), bids=(0.1995, 0.1995), asks=(0.2005, 0.2005))
    >>> print(levels[0].sentence(("QQQ", "IWM"), measure="implied_vol").replace("; ", ";\n"))
    At executable levels percentile 1.8 (mid 0.2): QQQ at its ask, IWM at its bid;
    a round trip costs 0.20 vol points, 1.7 percentile points.
    """
    legs = ranking.series[["a", "b"]].to_numpy(dtype=np.float64)
    has_both = ~np.isnan(legs).any(axis=1)
    today = [
        TwoSided(*numbers)
        for numbers in zip(ranking.table[["value_a", "value_b"]].iloc[0], bids, asks, strict=True)
    ]
    found = []
    for row in ranking.table[["form", "window", "percentile"]].to_dict("records"):
        form = str(row["form"])
        positions = select_window(has_both, name=str(row["window"])).positions
        found.append(
            executable_level(
                form,
                sample=ranking.series[form].to_numpy(dtype=np.float64)[positions],
                a=today[0],
                b=today[1],
                mid_percentile=float(row["percentile"]),
                names=ranking.pair,
            )
        )
    return found


def _placed(
    form: str, sample: NDArray[np.float64], *, a: float, b: float
) -> tuple[float, PercentileRank | None]:
    """A form of two levels, and where it stands in today's place of the sample; None where it does not."""
    legs = np.array([a]), np.array([b])
    values = compare(form, a=legs[0], b=legs[1])
    if not is_ordered(form, b=legs[1], values=values)[0]:
        return math.nan, None
    value = float(values[0])
    return value, percentile_rank(np.append(sample[:-1], value), value=value)
