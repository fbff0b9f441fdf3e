"""QuantLib's American pricers through its Python binding, and the usual ways to turn one into a vol.

Each option has a process and a vol quote of its own, made before the clock starts: a quote tells all that
depend on it that it has moved, and no other option should have to hear it. An evaluation is then what it
costs at the least, `SimpleQuote.setValue` and `VanillaOption.NPV`.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from american.options import Options
from common.serving import Solve, row_by_row

LOWEST, HIGHEST = 0.01, 2.0
_TOLERANCE = 1e-8
_FAR = (1e-3, 5.0)
_STEPS = 30
_NUDGE = 1e-13

Npv = Callable[[float], float]


class Contract:
    """One option with a pricer."""

    def __init__(self, options: Options, row: int, pricer: str, *, european: bool = False) -> None:
        ql = importlib.import_module("QuantLib")
        today = ql.Date(2, 1, 2026)
        ql.Settings.instance().evaluationDate = today
        clock = ql.Actual365Fixed()

        def flat(level: float) -> Any:
            return ql.YieldTermStructureHandle(ql.FlatForward(today, level, clock))

        self.rate, self.dividend_yield = float(options.rate[row]), float(options.dividend_yield[row])
        self.spot, self.strike = float(options.spot[row]), float(options.strike[row])
        self.years, self.forward = float(options.years[row]), float(options.forward[row])
        self.price, self.type = float(options.price[row]), ql.Option.Put
        if options.is_call[row]:
            self.type = ql.Option.Call
        self.quote = ql.SimpleQuote(0.2)
        vol = ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(self.quote), clock)
        self.process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(self.spot)),
            flat(self.dividend_yield),
            flat(self.rate),
            ql.BlackVolTermStructureHandle(vol),
        )
        expiry = today + int(options.days[row])
        exercise = ql.EuropeanExercise(expiry) if european else ql.AmericanExercise(today, expiry)
        self.option = ql.VanillaOption(ql.PlainVanillaPayoff(self.type, self.strike), exercise)
        paid = options.dividends(row)
        schedule = ql.DividendVector([today + int(day) for day, _ in paid], [amount for _, amount in paid])
        self.engine = _pricer(ql, pricer, self.process, schedule)
        self.option.setPricingEngine(self.engine)
        self._european_vol = ql.blackFormulaImpliedStdDev

    def npv(self, vol: float) -> float:
        self.quote.setValue(vol)
        return float(self.option.NPV())

    def european_vol(self, price: float) -> float:
        """Black's vol of a price at the true forward."""
        discount = math.exp(-self.rate * self.years)
        deviation = self._european_vol(self.type, self.strike, self.forward, price, discount)
        return float(deviation) / math.sqrt(self.years)

    def black_vega(self, vol: float) -> float:
        total = vol * math.sqrt(self.years)
        d1 = math.log(self.forward / self.strike) / total + total / 2
        density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
        return math.exp(-self.rate * self.years) * self.forward * density * math.sqrt(self.years)


def _pricer(ql: Any, name: str, process: Any, dividends: Any) -> Any:
    qdfp = ql.QdFpAmericanEngine
    if name.startswith("FD-"):
        steps, points = name.split("-")[1].split("x")
        return ql.FdBlackScholesVanillaEngine(process, dividends, int(steps), int(points))
    makers: dict[str, Callable[[], Any]] = {
        "QdFp-fast": lambda: qdfp(process, qdfp.fastScheme()),
        "QdFp-accurate": lambda: qdfp(process, qdfp.accurateScheme()),
        "QdFp-high": lambda: qdfp(process, qdfp.highPrecisionScheme()),
        "QdFp-high-FP_A": lambda: qdfp(process, qdfp.highPrecisionScheme(), qdfp.FP_A),
        "QdPlus": lambda: ql.QdPlusAmericanEngine(process),
        "BAW": lambda: ql.BaroneAdesiWhaleyApproximationEngine(process),
        "Bjerksund-Stensland": lambda: ql.BjerksundStenslandApproximationEngine(process),
        "CRR-501": lambda: ql.BinomialVanillaEngine(process, "crr", 501),
        "European": lambda: ql.AnalyticEuropeanEngine(process),
    }
    return makers[name]()


@functools.cache
def _brent() -> Callable[..., float]:
    found: Callable[..., float] = importlib.import_module("scipy.optimize").brentq
    return found


def bracketed(npv: Npv, price: float) -> float:
    return float(_brent()(lambda vol: npv(vol) - price, LOWEST, HIGHEST, xtol=_TOLERANCE))


def secant(npv: Npv, price: float, start: float, slope: float) -> float:
    """The vol of a price from a guess and the slope there; NaN where a step leaves the possible."""
    old, gap_old = start, npv(start) - price
    new = old - gap_old / slope
    for _ in range(_STEPS):
        if not _FAR[0] < new < _FAR[1]:
            return math.nan
        if abs(new - old) < _TOLERANCE:
            return new
        gap = npv(new) - price
        if gap == gap_old:
            return new if gap == 0 else math.nan
        old, new, gap_old = new, new - gap * (new - old) / (gap - gap_old), gap
    return math.nan


def _secant_vol(contract: Contract) -> float:
    try:
        start = contract.european_vol(contract.price)
        found = secant(contract.npv, contract.price, start, contract.black_vega(start))
    except (RuntimeError, ZeroDivisionError):
        found = math.nan
    return found if math.isfinite(found) else bracketed(contract.npv, contract.price)


def _prepare(pricer: str, solve: Callable[[Contract], float]) -> Callable[[Options, str], Solve]:
    def prepare(options: Options, what: str) -> Solve:
        contracts = [
            Contract(options, row, pricer, european=pricer == "European") for row in range(options.price.size)
        ]
        if what == "vol":
            return row_by_row(solve, [contracts])
        vols = options.vol.tolist()
        moved = 0.0

        def prices() -> np.ndarray:
            nonlocal moved
            moved = _NUDGE - moved  # a quote that has not moved asks for no work
            return np.array([each.npv(vol + moved) for each, vol in zip(contracts, vols, strict=True)])

        return prices

    return prepare


def _brentq(pricer: str) -> Callable[[Options, str], Solve]:
    return _prepare(pricer, lambda contract: bracketed(contract.npv, contract.price))


def _built_in(contract: Contract) -> float:
    return float(contract.option.impliedVolatility(contract.price, contract.process))


def _fd_cash(options: Options, what: str) -> Solve:
    name = "FD-200x200"
    if what == "price":
        return _prepare(name, _secant_vol)(options, what)
    pairs = [
        [Contract(options, row, name), Contract(options, row, name, european=True)]
        for row in range(options.price.size)
    ]

    def solve(pair: list[Contract]) -> float:
        american, european = pair
        return european.european_vol(european.npv(_secant_vol(american)))

    return row_by_row(solve, [pairs])


def fd_prices(options: Options, time_steps: int, points: int, *, european: bool) -> np.ndarray:
    """Prices at `options.vol` on a grid of QuantLib's, with true cash drops at the ex-dates."""
    name = f"FD-{time_steps}x{points}"
    return np.array(
        [
            Contract(options, row, name, european=european).npv(float(options.vol[row]))
            for row in range(options.price.size)
        ]
    )


ENGINES: dict[str, Callable[[Options, str], Solve]] = {
    **{
        f"{pricer}-brentq": _brentq(pricer)
        for pricer in ("QdFp-fast", "QdPlus", "BAW", "Bjerksund-Stensland", "CRR-501", "FD-200x200")
    },
    "QdFp-fast-secant": _prepare("QdFp-fast", _secant_vol),
    # what it prices with inside cannot be called alone
    "impliedVolatility": _prepare("QdFp-fast", _built_in),
    "FD-200x200-cash": _fd_cash,
    "binding": _brentq("European"),
    **{name: _brentq(name) for name in ("QdFp-high", "QdFp-high-FP_A", "QdFp-accurate")},
    "FD": _brentq("FD-200x200"),
}
