"""Cash dividends: what each treatment of them costs, and how quick and how right the engines are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from american import engines, sets
from american.measure import VOL, Errors, Exact, Floats, Run, errors
from american.options import Options, save
from common.process import ask, surviving
from scipy.special import ndtr

from volskew.pricing import american, black

# the two accuracies of ours that a chain would be solved with
JUDGED = engines.OURS_DISCRETE[:2]
TREATMENTS = (
    "European, true forward",
    "American, continuous yield",
    *(f"ours, {name.rsplit('-', 1)[1]}" for name in JUDGED),
    "European, naive parity forward",
)
DAYS = 91

_STEPS = 400
_SET_STEPS = 100
_PAIR_STEPS = 200
_PAIRS = 5


@dataclass(frozen=True)
class Case:
    """A 25-delta option of three months and what each treatment misses its true vol by [vol points]."""

    fund: str
    is_call: bool
    when: str
    strike: float
    true_vol: float
    refinement: float
    misses: tuple[float, ...]


def true_vol(options: Options, european: Floats) -> Floats:
    """Black's vol of the European price at the true forward: what is to be recovered."""
    return np.asarray(_black_vol(european, options, options.forward))


def _black_vol(price: Floats, options: Options, forward: Floats) -> Floats:
    found = black.implied_vol(
        price * np.exp(options.rate * options.years),
        forward=forward,
        strike=options.strike,
        time_to_expiry=options.years,
        is_call=options.is_call,
    )
    return np.asarray(found.vol)


def cases(exact: Exact, ours: list[Run], folder: Path) -> list[Case]:
    """Both funds, both rights, the ex-date early, in the middle and just before expiry."""
    places = [(fund, when, days) for fund in sets.FUNDS for when, days in sets.EX_DATES.items()]
    parts, naive = [], []
    for fund, _, ex_day in places:
        row = sets.market(fund, DAYS, (ex_day,))
        parts.append(_quarter_deltas(fund, row))
        naive += [_naive_forward(exact, fund, row)] * 2
    options = sets.joined(parts)
    american_price = exact.refined(options, _STEPS, european=False)
    options = options._replace(price=american_price)
    vols = true_vol(options, exact.refined(options, _STEPS, european=True))
    coarse = exact.refined(options, _STEPS // 2, european=False)
    moved = np.abs(
        _black_vol(coarse, options, options.forward) - _black_vol(american_price, options, options.forward)
    )
    answers = (
        _black_vol(american_price, options, options.forward),
        _continuous_yield(options),
        *(_ours(options, run, folder) for run in ours),
        _black_vol(american_price, options, np.array(naive)),
    )
    misses = 100 * (np.array(answers) - vols)
    return [
        Case(
            fund=places[number // 2][0].name,
            is_call=bool(options.is_call[number]),
            when=places[number // 2][1],
            strike=float(options.strike[number]),
            true_vol=float(vols[number]),
            refinement=100 * float(moved[number]),
            misses=tuple(misses[:, number].tolist()),
        )
        for number in range(vols.size)
    ]


def grid_check(exact: Exact) -> float:
    """The same grids without cash, against QuantLib's exact prices: the largest difference [$]."""
    parts = [_quarter_deltas(fund, sets.market(fund, DAYS, None)) for fund in sets.FUNDS]
    options = sets.joined(parts)
    return float(np.abs(exact.refined(options, _STEPS, european=False) - exact.prices(options)).max())


def _quarter_deltas(fund: sets.Fund, row: Options) -> Options:
    """The listed strikes nearest to forward call deltas of 0.75 (a put) and 0.25 (a call)."""
    years, forward = float(row.years[0]), float(row.forward[0])
    strike = np.arange(math.ceil(0.7 * forward), math.floor(1.3 * forward) + 1.0)
    vol = sets.smile(fund, np.log(strike / forward), years, fund.level)
    total = vol * math.sqrt(years)
    delta = ndtr(np.log(forward / strike) / total + total / 2)
    nearest = [int(np.abs(delta - wanted).argmin()) for wanted in (0.75, 0.25)]
    return sets.filled(row, strike[nearest], vol[nearest], is_call=np.array([False, True]))


def _naive_forward(exact: Exact, fund: sets.Fund, row: Options) -> float:
    """The median of what American pairs at the money imply as if they were European."""
    years, forward = float(row.years[0]), float(row.forward[0])
    strike = round(forward) + np.arange(_PAIRS) - _PAIRS // 2 + 0.0
    vol = sets.smile(fund, np.log(strike / forward), years, fund.level)
    pairs = sets.joined([sets.filled(row, strike, vol, is_call=right) for right in (True, False)])
    call, put = np.split(exact.grid(pairs, _PAIR_STEPS, european=False), 2)
    return float(np.median(strike + (call - put) * math.exp(float(row.rate[0]) * years)))


def _continuous_yield(options: Options) -> Floats:
    found = american.implied_vol(
        options.price,
        spot=options.spot,
        strike=options.strike,
        time_to_expiry=options.years,
        rate=options.rate,
        dividend_yield=options.rate - np.log(options.forward / options.spot) / options.years,
        is_call=options.is_call,
    )
    return np.asarray(found.vol)


def _ours(options: Options, run: Run, folder: Path) -> Floats:
    save(folder, "cases", options)
    found = np.full(options.price.size, math.nan)
    with surviving(run):
        found[:] = np.load(ask(run, "answer", name="cases", what=VOL)["answers"])
    return found


@dataclass(frozen=True)
class Set:
    """The options that the engines are timed on, and the true vols of those they are judged by."""

    options: Options
    vols: Floats
    judged: np.ndarray


def timing_set(exact: Exact, expiries: tuple[int, ...], *, least: int) -> Set:
    """Informative quotes of both rights; judged are those a smile is made of."""
    options = sets.discrete(expiries, least=least)
    options = options._replace(price=exact.refined(options, _SET_STEPS, european=False))
    european = exact.refined(options, _SET_STEPS, european=True)
    vols = true_vol(options, european)
    vega = black.vega(
        forward=options.forward, strike=options.strike, time_to_expiry=options.years, vol=options.vol
    )
    kept = np.flatnonzero(sets.informative(options, np.asarray(vega)) & np.isfinite(vols))
    options, vols = options.take(kept), vols[kept]
    total = options.vol * np.sqrt(options.years)
    delta = ndtr(np.log(options.forward / options.strike) / total + total / 2)
    otm = options.is_call == (options.strike >= options.forward)
    return Set(options, vols, otm & (delta >= 0.1) & (delta <= 0.9))


def answer(run: Run, given: Set, folder: Path, name: str) -> None:
    """Judge an engine's vols over the out-of-the-money options between the deltas."""
    rows = np.arange(0, given.options.price.size, run.engine.every)
    save(folder, f"{name}-{run.engine.every}", given.options.take(rows))
    with surviving(run):
        found = np.load(ask(run, "answer", name=f"{name}-{run.engine.every}", what=VOL)["answers"])
        run.errors = judged(found, given, rows)


def judged(found: Floats, given: Set, rows: np.ndarray) -> Errors:
    mask = given.judged[rows]
    return errors(found[mask], given.vols[rows][mask], np.ones(int(mask.sum())))


def limit(case: Case) -> float:
    """The target for our discrete vols [vol points]."""
    late_call = case.fund == "IWM-like" and case.is_call and case.when == "just before"
    return engines.DISCRETE_POINTS_LATE_CALL if late_call else engines.DISCRETE_POINTS
