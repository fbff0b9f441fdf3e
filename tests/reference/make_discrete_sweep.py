"""Regenerate ``discrete_sweep.csv``: American and European prices under cash dividends, by QuantLib's grid.

Its spot is lognormal with vol `vol` between ex-dates and drops there by the cash amounts, which is not the
library's model, whose forward is lognormal: the vol that an American price has in the library is to be
Black's vol of the European price of the same grid, not `vol` itself.

The error of the engine is all but ``a/steps + b/nodes^2``, so that three grids give the price without: the
columns are the European price and what the American price is above it, each so extrapolated, and how far the
extrapolation from grids half as fine is from it. Strikes are at forward call deltas (under `vol`), and the
first rows of each region at every place of the last ex-date. Integer days over 365, no residual yield.

Run it by hand (some ten minutes):
``python tests/reference/make_discrete_sweep.py > tests/reference/discrete_sweep.csv``.
"""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import QuantLib as ql  # noqa: N813

NODES = 1600
QUARTER = 91
DAYS = (30, 91, 182, 365, 730)
LEFT = (81, 45, 15, 5, 1)
"""Days from the last ex-date to expiry; those before are a quarter apart."""
QQQ, IWM, HEAVY = (600.0, 0.75), (240.0, 0.65), (100.0, 1.5)
"""Spot and quarterly dividend."""


class Contract(NamedTuple):
    """One row's contract; `dividends` are days and amounts."""

    region: str
    is_call: bool
    spot: float
    strike: float
    days: int
    vol: float
    rate: float
    dividends: tuple[tuple[int, float], ...]


# region: repeats of every case, underlyings, forward deltas (of the option's own right)
REGIONS = {
    "25_delta": (2, (QQQ, IWM), (0.25,)),
    "out_of_the_money": (1, (QQQ, IWM), (0.05, 0.1, 0.5)),
    "in_the_money": (1, (QQQ, IWM), (0.75, 0.95)),
    "heavy": (1, (HEAVY,), (0.05, 0.25, 0.5, 0.75, 0.95)),
}


def draw(
    region: str,
    underlying: tuple[float, float],
    days: int,
    left: int,
    *,
    is_call: bool,
    generator: np.random.Generator,
) -> Contract:
    """A contract with a random rate, vol and delta; the strike in cents."""
    spot, amount = underlying
    rate = float(generator.choice([0.005, 0.02, 0.043, 0.06]))
    vol = float(generator.choice([0.12, 0.2, 0.35, 0.8]))
    delta = float(generator.choice(REGIONS[region][2]))
    last = days - min(left, days - 7)
    dividends = tuple((day, amount) for day in sorted(range(last, 0, -QUARTER)))
    time = days / 365
    paid = sum(each * math.exp(-rate * day / 365) for day, each in dividends)
    v = vol * math.sqrt(time)
    d1 = NormalDist().inv_cdf(delta if is_call else 1.0 - delta)
    strike = (spot - paid) * math.exp(rate * time - d1 * v + 0.5 * v * v)
    return Contract(region, is_call, spot, round(strike, 2), days, vol, rate, dividends)


def quantlib(contract: Contract, steps: int, nodes: int) -> tuple[float, float]:
    """European price, and what the American price is above it."""
    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()

    def flat(rate: float) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, counter))

    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(contract.spot)),
        flat(0.0),
        flat(contract.rate),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), contract.vol, counter)),
    )
    schedule = ql.DividendVector(
        [today + day for day, _ in contract.dividends], [amount for _, amount in contract.dividends]
    )
    engine = ql.FdBlackScholesVanillaEngine(process, schedule, steps, nodes)
    expiry = today + contract.days
    prices = []
    for exercise in (ql.EuropeanExercise(expiry), ql.AmericanExercise(today, expiry)):
        side = ql.Option.Call if contract.is_call else ql.Option.Put
        option = ql.VanillaOption(ql.PlainVanillaPayoff(side, contract.strike), exercise)
        option.setPricingEngine(engine)
        prices.append(float(option.NPV()))
    return prices[0], prices[1] - prices[0]


def extrapolated(coarse: float, more_steps: float, fine: float) -> float:
    """The value without ``a/steps + b/nodes^2``, from twice the steps, and also twice the nodes."""
    return fine + (more_steps - coarse) + (fine - more_steps) / 3.0


def main() -> None:
    """Print the table."""
    generator = np.random.default_rng(20_030_625)
    print(  # noqa: T201
        "region,is_call,spot,strike,days,vol,rate,dividends,european,premium,european_change,premium_change"
    )
    for region, (repeats, underlyings, _) in REGIONS.items():
        cases = itertools.product(range(repeats), underlyings, DAYS, LEFT, (True, False))
        for _, underlying, days, left, is_call in cases:
            c = draw(region, underlying, days, left, is_call=is_call, generator=generator)
            n = NODES
            grids = [(n // 4, n // 4), (n // 2, n // 4), (n // 2, n // 2), (n, n // 2), (n, n)]
            found = [quantlib(c, steps, nodes) for steps, nodes in grids]
            coarse, fine = (
                [extrapolated(*values) for values in zip(*three, strict=True)]
                for three in (found[:3], found[2:])
            )
            schedule = " ".join(f"{day}:{amount!r}" for day, amount in c.dividends)
            print(  # noqa: T201
                f"{region},{int(is_call)},{c.spot!r},{c.strike!r},{days},{c.vol!r},{c.rate!r},{schedule},"
                f"{fine[0]:.9f},{fine[1]:.9f},{abs(fine[0] - coarse[0]):.1e},{abs(fine[1] - coarse[1]):.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
