"""The solve held against other people's code: a sample of a chain's prices, solved again.

What is verified is the solve of Black's formula, not the model: that our vol is the Black vol of the price,
not that the forward or the rate is right for the option. Every line is read as European here, for the
references solve nothing else; the solve of American lines rests on the same one, and is held against
QuantLib's engines by the tests of `volskew.pricing`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from numbers import Integral, Real
from pathlib import Path

import pandas as pd

from volskew.errors import InputError, SettingsError, VolskewError
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.pricing.references import quantlib_solver, vollib_solver
from volskew.quotes.lines import by_vendor, numeric
from volskew.quotes.roots import canonical_symbol
from volskew.settings import Settings, settings_or_default
from volskew.surface import fit_surface
from volskew.surface.vols import VENDOR_STATUS
from volskew.workflow.compare import LINE, Outcome, Verification, answers, compared, drawn, price_table
from volskew.workflow.gather import PathLike, Progress, Unit, gather, no_progress

__all__ = ["Outcome", "Verification", "verify_file"]

_PRICER = "european"
"""The one whose vols are Black's for the quoted price, which is what the references solve for."""
_NAMED_REASONS = 6
_SAMPLE = 2000
_TOLERANCE = 32.0
"""[roundings] vollib was met up to 8 away and QuantLib up to 20, on random and real prices; a solver that
stops short is off by thousands."""


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
        As in `volskew.workflow.gather`; the pricer is "european" whatever the settings say.
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
    chosen = settings_or_default(settings).replace(pricer=_PRICER)
    _check(sample=sample, seed=seed, tolerance=tolerance)
    inputs = gather(
        paths, settings=chosen, symbols=symbols, format=format, columns=columns, progress=progress
    )
    taken, rates, stopped = _left_out(inputs.ledger, symbols)
    problems = [*inputs.problems, *inputs.absence(), *stopped]
    if not inputs.units:
        what = "" if problems else "no chain of any session was found"
        raise InputError(_because(what, [*problems, *taken]))
    lines, failed, empty = _solved_lines(inputs.units, settings=chosen, progress=progress)
    problems += failed
    if lines.empty:
        raise InputError(
            _because("nothing to verify", [*problems, *empty, *taken]),
            code=Code.NO_QUOTES_LEFT,
            accepted="chains with bid and ask",
        )
    table = price_table(lines.iloc[drawn(lines, sample, seed)], tolerance)
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
        table = compared(table, name, answers(table, solver, words, progress), tolerance)
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
        notes=[*taken, *inputs.unread(), *empty, *rates],
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


def _left_out(ledger: Ledger, symbols: Sequence[str] | None) -> tuple[list[str], list[str], list[str]]:
    """What took files and sessions, which rates were assumed, and which sessions failed for want of one.

    Files that failed are complained of by `gather`.
    """
    wanted = None if symbols is None else {canonical_symbol(symbol) for symbol in symbols}
    taken: list[str] = []
    rates: list[str] = []
    stopped: list[str] = []
    for entry in ledger:
        if wanted is not None and entry.symbol and entry.symbol not in wanted:
            continue
        if entry.stage == Stage.MARKET:
            (stopped if entry.is_failure else rates).append(_sentence(entry))
        elif not entry.is_failure and (entry.stage == Stage.SESSION or entry.code == Code.SKIPPED):
            taken.append(_sentence(entry))
    return taken, rates, stopped


def _sentence(entry: Entry) -> str:
    where = " ".join(str(part) for part in (entry.date, entry.symbol) if part)
    text = (entry.detail or Code[entry.code].meaning).rstrip(".")
    # an error's own words begin with the file
    file = "" if f"{Path(entry.source).name}: " in text else entry.source
    return ": ".join(part for part in (file, where, entry.code, text) if part) + "."


def _because(what: str, reasons: Sequence[str]) -> str:
    """A sentence without its full stop: what is wrong, and the first reasons for it."""
    named = [reason.rstrip(".") for reason in reasons[:_NAMED_REASONS]]
    if len(reasons) > _NAMED_REASONS:
        named.append(f"and {len(reasons) - _NAMED_REASONS} more")
    return ": ".join(part for part in (what, "; ".join(named)) if part)


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
    lines = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=LINE)
    return lines, problems, notes


def _of_unit(unit: Unit, settings: Settings) -> pd.DataFrame:
    if _is_by_vendor(unit):
        return pd.DataFrame(columns=LINE)
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
    lines = lines.assign(in_the_money=in_the_money)[LINE]
    return lines.sort_values(["expiry", "root", "settlement", "strike", "is_call"], kind="stable")


def _is_by_vendor(unit: Unit) -> bool:
    bid, ask, vol = (numeric(unit.quotes, name) for name in ("bid", "ask", "vendor_vol"))
    return by_vendor(bid=bid, ask=ask, vendor_vol=vol)


def _why_empty(unit: Unit) -> str:
    if _is_by_vendor(unit):
        return "the vols are a vendor's own, there are no quotes to solve"
    return "no line has accepted quotes and a forward, so no vol was solved"
