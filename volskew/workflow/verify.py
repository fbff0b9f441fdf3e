"""The solve held against other people's code: a sample of a chain's prices, solved again.

What is verified is the solve, not the model: that our vol is the Black vol of the price, not that European
exercise, the forward or the rate is right for the option.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from numbers import Integral, Real

import numpy as np
import pandas as pd

from volskew.errors import InputError, SettingsError, VolskewError
from volskew.ledger import Code
from volskew.pricing import Status, black
from volskew.pricing.references import Solver, quantlib_solver, vollib_solver
from volskew.quotes.lines import BoolArray, FloatArray, IntArray, by_vendor, numeric
from volskew.settings import Settings
from volskew.simulate.draws import uniforms
from volskew.surface import fit_surface
from volskew.surface.vols import VENDOR_STATUS
from volskew.workflow.gather import Inputs, PathLike, Progress, Unit, gather, no_progress

__all__ = ["Outcome", "Verification", "verify_file"]

_SIDES = ("bid", "mid", "ask")
_SAMPLE = 2000
_TOLERANCE = 32.0
"""[roundings] vollib was met up to 8 away and QuantLib up to 20, on random and real prices; a solver that
stops short is off by thousands."""
_NAMES = np.array([item.name for item in Status], dtype=object)
_LINE = [
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

_PRICE = [
    *_LINE[: _LINE.index("bid")],
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
        Chains in which nothing is solved from quotes.
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


def verify_file(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    sample: int | None = _SAMPLE,
    seed: int = 0,
    tolerance: float = _TOLERANCE,
    progress: Progress = no_progress,
) -> Verification:
    """Solve a sample of a chain's prices again with vollib, and with QuantLib where it is installed.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files, folders and glob patterns.
    settings, symbols, format, columns
        As in `volskew.workflow.gather`.
    sample : int or None
        Lines to take, each with its prices at bid, mid and ask; None for all. The lines are sorted by chain,
        expiry, strike and right and cut into so many runs of equal length, and one line is drawn from each.
    seed : int
        Of that draw, from 0; the same seed draws the same lines on every machine.
    tolerance : float
        [multiples of ``rounding``, see Notes] The largest difference that counts as agreement.
    progress : callable
        See `volskew.workflow.gather.Progress`.

    Returns
    -------
    Verification

    Raises
    ------
    InputError
        No file could be read, or nothing in them was solved from quotes.
    SettingsError
        `sample`, `seed` or `tolerance` is not accepted.

    Notes
    -----
    The references get the very doubles of the pipeline: undiscounted price, forward, strike, time, right.
    Lines in the money, which serve no smile, are solved and verified too: only they have prices without a vol
    (bids below intrinsic value), and only theirs lose digits. vollib is called by itself, not as
    ``engine="vollib"``, which asks it only of prices that our own checks let pass.

    Two solvers that read the same double may differ by the ``uncertainty``, half a unit in the last place of
    the price over vega. They may differ by more where the price is small beside forward and strike, for these
    are rounded too: ``ln(F/K)`` and both terms of Black's formula carry half a unit in their last place. So
    the unit of the tolerance, ``rounding``, is half a unit in the last place of price, forward and strike
    together over vega, plus half of one of the vol: any solver that is exact for inputs so near to those
    given stays within a few. Where one side has a vol and the other none, a price within the same tolerance
    of intrinsic value or maximum is no disagreement (`Outcome.AT_BOUND`).

    QuantLib's ``blackFormulaImpliedStdDev`` starts from its own guess and is run to 1e-15; what is left is
    the cancellation in its ``blackFormula``, of the order of the ``rounding``. Bisection on ``blackFormula``
    was no closer.
    """
    chosen = settings or Settings()
    _check(sample=sample, seed=seed, tolerance=tolerance)
    inputs = gather(
        paths, settings=chosen, symbols=symbols, format=format, columns=columns, progress=progress
    )
    problems = [*inputs.problems, *inputs.absence()]
    if not inputs.units:
        raise InputError("; ".join(problems).rstrip(".") or "no chain of any session was found")
    lines, failed, notes = _solved_lines(inputs.units, settings=chosen, progress=progress)
    problems += failed
    if lines.empty:
        why = "; ".join(sentence.rstrip(".") for sentence in [*problems, *notes])
        raise InputError(
            f"nothing to verify: {why}", code=Code.NO_QUOTES_LEFT, accepted="chains with bid and ask"
        )
    table = _prices(lines.iloc[_spread(lines, sample, seed)], tolerance)
    references: dict[str, str] = {}
    absent = []
    for name, words, make in (
        ("vollib", "vollib", vollib_solver),
        ("quantlib", "QuantLib", quantlib_solver),
    ):
        solver = make()
        if solver is None:
            absent.append(words)
            continue
        references[name] = f"{words} {version(words)}"
        table = _compared(table, name, _answers(table, solver, words, progress), tolerance)
    return Verification(
        table=table.drop(columns="at_bound"),
        references=references,
        absent=tuple(absent),
        population=len(lines),
        sample=sample,
        seed=seed,
        tolerance=tolerance,
        pricer=chosen.pricer,
        inputs=inputs,
        problems=problems,
        notes=notes,
    )


def _check(*, sample: object, seed: object, tolerance: object) -> None:
    if sample is not None and not _is_whole(sample, least=1):
        msg = f"sample must be a whole number of lines from 1, or None for all; got {sample!r}"
        raise SettingsError(msg)
    if not _is_whole(seed, least=0):
        msg = f"seed must be a whole number from 0, below 2**63; got {seed!r}"
        raise SettingsError(msg)
    is_number = not isinstance(tolerance, bool) and isinstance(tolerance, Real)
    if not is_number or not 0 < float(tolerance) < math.inf:  # type: ignore[arg-type]
        msg = f"tolerance must be a number above 0, in multiples of the rounding; got {tolerance!r}"
        raise SettingsError(msg)


def _is_whole(value: object, *, least: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and least <= int(value) < 2**63


def _solved_lines(
    units: Sequence[Unit], *, settings: Settings, progress: Progress
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Every line that the pipeline tried to solve from its quotes; what failed; what has no such line."""
    frames, problems = [], []
    without: dict[str, list[str]] = {}
    for done, unit in enumerate(units, start=1):
        name = f"{unit.symbol} {unit.date}"
        try:
            frame = _of_unit(unit, settings)
        except VolskewError as error:
            problems.append(f"{name}: {error}")
        else:
            if frame.empty:
                without.setdefault(_why_empty(unit), []).append(name)
            else:
                frames.append(frame)
        progress("solving", done, len(units))
    notes = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}."
        for why, names in without.items()
    ]
    lines = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_LINE)
    return lines, problems, notes


def _of_unit(unit: Unit, settings: Settings) -> pd.DataFrame:
    if _is_by_vendor(unit):
        return pd.DataFrame(columns=_LINE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # overflow in a bad line; its status says so
        surface = fit_surface(
            unit.quotes, market=unit.market, previous=unit.previous, settings=settings, solve_all=True
        )
    slices = ["root", "settlement", "expiry"]
    quotes = surface.quotes.merge(
        surface.forwards[[*slices, "discount_factor"]], on=slices, how="left", validate="many_to_one"
    )
    tried = quotes["vol_status"].notna() & (quotes["vol_status"] != VENDOR_STATUS)
    lines = quotes[tried].assign(date=unit.date, series=unit.series)
    in_the_money = lines["is_call"].astype(bool) != (lines["strike"] >= lines["forward"])
    lines = lines.assign(in_the_money=in_the_money)[_LINE]
    return lines.sort_values(["expiry", "root", "settlement", "strike", "is_call"], kind="stable")


def _is_by_vendor(unit: Unit) -> bool:
    bid, ask, vol = (numeric(unit.quotes, name) for name in ("bid", "ask", "vendor_vol"))
    return by_vendor(bid=bid, ask=ask, vendor_vol=vol)


def _why_empty(unit: Unit) -> str:
    if _is_by_vendor(unit):
        return "the vols are a vendor's own, there are no quotes to solve"
    return "no line has accepted quotes and a forward, so no vol was solved"


def _spread(lines: pd.DataFrame, sample: int | None, seed: int) -> IntArray:
    """One place from each of `sample` equal runs of the lines, drawn by the seed."""
    n = len(lines)
    if sample is None or sample >= n:
        return np.arange(n, dtype=np.intp)
    edges = np.arange(sample + 1) * n // sample
    draws = uniforms(seed, "verify", np.arange(sample))
    return (edges[:-1] + np.floor(draws * np.diff(edges))).astype(np.intp)


def _prices(lines: pd.DataFrame, tolerance: float) -> pd.DataFrame:
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
    vega = black.vega(forward=f, strike=k, time_to_expiry=t, vol=vols.ravel())
    grain = (np.spacing(p) + np.spacing(f) + np.spacing(k)) / 2
    intrinsic = np.maximum(np.where(is_call, f - k, k - f), 0.0)
    room = np.minimum(np.abs(p - intrinsic), np.abs(np.where(is_call, f, k) - p))
    with np.errstate(divide="ignore", invalid="ignore"):
        rounding = grain / vega + np.spacing(vols.ravel()) / 2
    return table.assign(
        status=_NAMES[solved.status],
        half_spread=np.repeat(np.where(spread > 0, spread / 2, np.nan), n),
        uncertainty=solved.uncertainty,
        rounding=rounding,
        at_bound=room <= tolerance * grain,
    )[_PRICE]


def _inputs(table: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
    price, forward, strike, years = (
        numeric(table, name) for name in ("price", "forward", "strike", "time_to_expiry")
    )
    return price, forward, strike, years, table["is_call"].to_numpy(dtype=bool)


def _answers(table: pd.DataFrame, solver: Solver, name: str, progress: Progress) -> FloatArray:
    """A reference's vols, NaN where it has none."""
    vols = np.full(len(table), np.nan)
    rows = zip(*(column.tolist() for column in _inputs(table)), strict=True)
    for place, (price, forward, strike, years, is_call) in enumerate(rows):
        if not place % 1000:
            progress(name, place, len(table))
        vols[place] = solver(price, forward, strike, years, is_call)
    progress(name, len(table), len(table))
    return vols


def _compared(table: pd.DataFrame, name: str, theirs: FloatArray, tolerance: float) -> pd.DataFrame:
    ours, rounding = numeric(table, "vol"), numeric(table, "rounding")
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
    return table.assign(**columns)
