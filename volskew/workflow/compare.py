"""A sample of lines, their vols beside those of other people's solvers, and how the two compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from volskew.pricing import Status, black
from volskew.pricing.references import Solver
from volskew.quotes.lines import BoolArray, FloatArray, IntArray, numeric
from volskew.simulate.draws import uniforms
from volskew.workflow.gather import Inputs, Progress

__all__ = ["LINE", "Outcome", "Verification", "answers", "compared", "drawn", "price_table"]

_SIDES = ("bid", "mid", "ask")
_NAMES = np.array([item.name for item in Status], dtype=object)
LINE = [
    "date",
    "series",
    "symbol",
    "root",
    "settlement",
    "expiry",
    "strike",
    "is_call",
    "in_the_money",
    "bid",
    "ask",
    "discount_factor",
    "forward",
    "time_to_expiry",
    "vol_bid",
    "vol_mid",
    "vol_ask",
    "source_file",
    "source_row",
]
"""Columns of a line that was solved, as `price_table` takes them."""
_PRICE = [
    *LINE[: LINE.index("bid")],
    "side",
    "quote",
    "discount_factor",
    "price",
    "forward",
    "time_to_expiry",
    "vol",
    "status",
    "half_spread",
    "uncertainty",
    "rounding",
    "at_bound",
    "source_file",
    "source_row",
]


class Outcome(StrEnum):
    """How our answer to one price and a reference's compare.

    Attributes
    ----------
    AGREES
        Both have a vol, within the tolerance of each other.
    DIFFERS
        Both have a vol, farther apart.
    NO_VOL
        Neither has one.
    STATUS
        One has a vol and the other has none.
    AT_BOUND
        The same, but the price is so near its lowest or highest possible value that rounding decides.
    """

    AGREES = "AGREES"
    DIFFERS = "DIFFERS"
    NO_VOL = "NO_VOL"
    STATUS = "STATUS"
    AT_BOUND = "AT_BOUND"

    @property
    def is_failure(self) -> bool:
        """Whether it speaks against the solve."""
        return self in {Outcome.DIFFERS, Outcome.STATUS}


@dataclass(frozen=True, slots=True)
class Verification:
    """A sample of prices with our vols and those of the references.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each line and side: the line (date, series, symbol, root, settlement, expiry [UTC], strike
        [$], is_call, in_the_money, source_file, source_row), ``side`` (bid, mid, ask), the inputs of the
        solve (``quote [$]``, ``discount_factor``, ``price [$, undiscounted]``, ``forward [$]``,
        ``time_to_expiry [years]``), ours (``vol``, ``status``), the quote's own uncertainty
        (``half_spread``), that of a vol solved from a double (``uncertainty``), the unit of the tolerance
        (``rounding``), and for each reference ``NAME_vol``, ``NAME_difference`` (ours less theirs) and
        ``NAME_outcome`` (an `Outcome`). Vols and what is measured in them are decimals, annual.
    references : mapping of str to str
        Name of each reference as in the table's columns, and what it is in words, with its version.
    absent : tuple of str
        References that are not installed.
    population : int
        Lines that were solved, of which the table holds `n_lines`.
    sample : int or None
        Lines that were asked for; None for all.
    seed : int
        Of the sample.
    tolerance : float
        [multiples of ``rounding``]
    pricer : str
        `Settings.pricer`, whose vols were compared.
    inputs : Inputs
        What the first pass found.
    problems : list of str
        Files that could not be read, symbols that are in none, chains that could not be solved.
    notes : list of str
        What is no failure: files and sessions that were left out, an assumed rate, chains in which nothing is
        solved from quotes.
    """

    table: pd.DataFrame
    references: Mapping[str, str]
    absent: tuple[str, ...]
    population: int
    sample: int | None
    seed: int
    tolerance: float
    pricer: str
    inputs: Inputs
    problems: list[str]
    notes: list[str]

    @property
    def n_lines(self) -> int:
        """Lines in the table, each with three prices."""
        return len(self.table) // len(_SIDES)

    @property
    def failures(self) -> pd.DataFrame:
        """Rows of the table on which some reference differs or disagrees on whether there is a vol."""
        return self.table[self._failed()]

    @property
    def exit_code(self) -> int:
        """0: every price agrees; 3: some does not, or an input failed."""
        return 3 if self.problems or self._failed().any() else 0

    def summary(self) -> pd.DataFrame:
        """The largest differences, for each reference out of and in the money.

        Returns
        -------
        pandas.DataFrame
            ``reference``, ``in_the_money``, ``compared`` (prices on which both have a vol), the largest
            difference ``vol_points``, ``half_spreads``, ``uncertainties`` and ``roundings`` (NaN where there
            is none; each is the largest of its kind, not of one line), and how many prices ``differ``, are
            refused by one of the two (``status``, ``at_bound``) or by both (``no_vol``).
        """
        rows = []
        for name in self.references:
            for in_the_money in (False, True):
                part = self.table[self.table["in_the_money"] == in_the_money]
                gap = part[f"{name}_difference"].abs()
                outcome = part[f"{name}_outcome"]
                rows.append(
                    {
                        "reference": name,
                        "in_the_money": in_the_money,
                        "compared": int(gap.notna().sum()),
                        "vol_points": 100 * gap.max(),
                        "half_spreads": (gap / part["half_spread"]).max(),
                        "uncertainties": (gap / part["uncertainty"]).max(),
                        "roundings": (gap / part["rounding"]).max(),
                        "differ": int((outcome == Outcome.DIFFERS).sum()),
                        "status": int((outcome == Outcome.STATUS).sum()),
                        "at_bound": int((outcome == Outcome.AT_BOUND).sum()),
                        "no_vol": int((outcome == Outcome.NO_VOL).sum()),
                    }
                )
        return pd.DataFrame(rows)

    def worst(self, reference: str, *, count: int = 1) -> pd.DataFrame:
        """The rows that speak most against the solve: failures first, then the largest in vol points.

        Parameters
        ----------
        reference : str
            A key of `references`.
        count : int
            At most so many rows.
        """
        outcome = self.table[f"{reference}_outcome"]
        ranked = self.table.assign(
            _status=outcome == Outcome.STATUS,
            _differs=outcome == Outcome.DIFFERS,
            _gap=self.table[f"{reference}_difference"].abs(),
        ).sort_values(["_status", "_differs", "_gap"], ascending=False, kind="stable", na_position="last")
        shown = ranked["_status"] | ranked["_gap"].notna()
        return ranked[shown].head(count).drop(columns=["_status", "_differs", "_gap"])

    def _failed(self) -> pd.Series[bool]:
        failed = pd.Series(data=False, index=self.table.index)
        for name in self.references:
            failed |= self.table[f"{name}_outcome"].isin([item.value for item in Outcome if item.is_failure])
        return failed


def drawn(lines: pd.DataFrame, sample: int | None, seed: int) -> IntArray:
    """One place from each of `sample` equal runs of the lines, drawn by the seed; every place for None."""
    n = len(lines)
    if sample is None or sample >= n:
        return np.arange(n, dtype=np.intp)
    edges = np.arange(sample + 1) * n // sample
    draws = uniforms(seed, "verify", np.arange(sample))
    return (edges[:-1] + np.floor(draws * np.diff(edges))).astype(np.intp)


def price_table(lines: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """One row a line and side, with our vol, its status and what its rounding is worth."""
    n = len(_SIDES)
    bid, ask = numeric(lines, "bid"), numeric(lines, "ask")
    vols = np.stack([numeric(lines, f"vol_{side}") for side in _SIDES], axis=1)
    spread = vols[:, 2] - vols[:, 0]
    quote = np.stack([bid, (bid + ask) / 2, ask], axis=1)
    # divided as the pipeline divides it, so that the references read the same double
    price = quote / numeric(lines, "discount_factor")[:, np.newaxis]
    table = lines.loc[lines.index.repeat(n)].reset_index(drop=True)
    table = table.assign(
        side=np.tile(_SIDES, len(lines)), quote=quote.ravel(), price=price.ravel(), vol=vols.ravel()
    )
    p, f, k, t, is_call = _inputs(table)
    solved = black.implied_vol(p, forward=f, strike=k, time_to_expiry=t, is_call=is_call, uncertainty=True)
    grain = _grain(p, f, k)
    intrinsic = np.maximum(np.where(is_call, f - k, k - f), 0.0)
    room = np.minimum(np.abs(p - intrinsic), np.abs(np.where(is_call, f, k) - p))
    return table.assign(
        status=_NAMES[solved.status],
        half_spread=np.repeat(np.where(spread > 0, spread / 2, np.nan), n),
        uncertainty=solved.uncertainty,
        rounding=_rounding(table, vols.ravel()),
        at_bound=room <= tolerance * grain,
    )[_PRICE]


def _grain(price: FloatArray, forward: FloatArray, strike: FloatArray) -> FloatArray:
    """[$] Half a unit in the last place of price, forward and strike together."""
    return np.asarray((np.spacing(price) + np.spacing(forward) + np.spacing(strike)) / 2)


def _rounding(table: pd.DataFrame, vol: FloatArray) -> FloatArray:
    """What the inputs' last places are worth at a vol, and half a unit of its own."""
    p, f, k, t, _ = _inputs(table)
    vega = black.vega(forward=f, strike=k, time_to_expiry=t, vol=vol)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_grain(p, f, k) / vega + np.spacing(vol) / 2)


def _inputs(table: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
    price, forward, strike, years = (
        numeric(table, name) for name in ("price", "forward", "strike", "time_to_expiry")
    )
    return price, forward, strike, years, table["is_call"].to_numpy(dtype=bool)


def answers(table: pd.DataFrame, solver: Solver, name: str, progress: Progress) -> FloatArray:
    """A reference's vols, NaN where it has none."""
    vols = np.full(len(table), np.nan)
    rows = zip(*(column.tolist() for column in _inputs(table)), strict=True)
    for place, (price, forward, strike, years, is_call) in enumerate(rows):
        if not place % 1000:
            progress(name, place, len(table))
        vols[place] = solver(price, forward, strike, years, is_call)
    progress(name, len(table), len(table))
    return vols


def compared(table: pd.DataFrame, name: str, theirs: FloatArray, tolerance: float) -> pd.DataFrame:
    """The table with a reference's vols, what ours are away from them, and an `Outcome` for each."""
    ours = numeric(table, "vol")
    # the smaller of those at both vols: a wrong vol whose vega is next to nothing must not excuse itself
    rounding = np.fmin(numeric(table, "rounding"), _rounding(table, theirs))
    difference = ours - theirs
    mine, other = np.isfinite(ours), np.isfinite(theirs)
    with np.errstate(invalid="ignore"):
        near = np.abs(difference) <= tolerance * rounding
    outcome = np.select(
        [mine & other & near, mine & other, ~mine & ~other, table["at_bound"].to_numpy(dtype=bool)],
        [Outcome.AGREES.value, Outcome.DIFFERS.value, Outcome.NO_VOL.value, Outcome.AT_BOUND.value],
        default=Outcome.STATUS.value,
    )
    columns = {f"{name}_vol": theirs, f"{name}_difference": difference, f"{name}_outcome": outcome}
    return table.assign(rounding=rounding, **columns)
