"""Regenerate ``american_prices.csv``: American prices over the whole domain, by QuantLib's QdFp engine.

It is that of Andersen, Lake and Offengenden with the fixed point "FP-B", tanh-sinh quadrature to 1e-12, 20
boundary nodes and 100 iterations, where the engine's own setting named high precision takes 10 and 30. Beside
each price stands how far three other opinions are from it: 10 nodes and 30 iterations, the fixed point "FP-A"
(empty where QuantLib refuses or misses by more than a dollar), and a plain binomial tree of 2,000 and
4,000 steps.

Strike 100, integer days over 365. Run it by hand (some minutes):
``python tests/reference/make_american.py > tests/reference/american_prices.csv``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import QuantLib as ql  # noqa: N813
from american_tree import richardson  # type: ignore[import-not-found]

STRIKE = 100.0
STEPS = 2000
KEPT_AT_INTRINSIC = 0.12
"""Share of the contracts due for exercise that is kept: they test little."""


class Contract(NamedTuple):
    """One row's contract."""

    region: str
    is_call: bool
    spot: float
    days: int
    vol: float
    rate: float
    dividend_yield: float


# region: rows, days, vol, rate and yield; both times and vols are spread evenly in logs
REGIONS = {
    "ordinary": (160, (7, 730), (0.08, 0.8), (0.0, 0.06)),
    "short": (80, (1, 7), (0.05, 2.0), (-0.03, 0.12)),
    "wide": (250, (1, 1825), (0.01, 5.0), (-0.03, 0.12)),
    "equal": (60, (1, 1825), (0.03, 2.0), (-0.03, 0.12)),
    "zero_rate": (50, (1, 1825), (0.03, 2.0), (-0.03, 0.12)),
    "zero_yield": (50, (1, 1825), (0.03, 2.0), (-0.03, 0.12)),
    "negative": (60, (7, 1825), (0.03, 2.0), (-0.03, 0.03)),
    "steep": (110, (180, 1825), (0.01, 0.08), (-0.03, 0.12)),
}


def draw(region: str, generator: np.random.Generator) -> Contract:
    """A random contract; printed decimals, so that the table holds the very doubles."""
    _, days_range, vol_range, carry_range = REGIONS[region]
    days = round(math.exp(generator.uniform(*np.log(days_range))))
    vol = float(f"{math.exp(generator.uniform(*np.log(vol_range))):.3g}")
    rate, dividend_yield = (round(float(x), 4) for x in generator.uniform(*carry_range, 2))
    if region == "equal":
        dividend_yield = rate
    elif region == "zero_rate":
        rate = 0.0
    elif region == "zero_yield":
        dividend_yield = 0.0
    time = days / 365
    away = generator.uniform(-4, 4) * vol * math.sqrt(time) - (
        rate - dividend_yield
    ) * time * generator.integers(2)
    spot = float(f"{STRIKE * math.exp(min(max(away, -3.0), 3.0)):.7g}")
    return Contract(region, bool(generator.integers(2)), spot, days, vol, rate, dividend_yield)


def covered(contract: Contract) -> bool:
    """Whether it has one exercise boundary, and in region ``negative`` a negative rate or yield."""
    r, q = contract.rate, contract.dividend_yield
    if contract.is_call:
        r, q = q, r
    return not q < r < 0 and (contract.region != "negative" or min(r, q) < 0)


def quantlib(contract: Contract, nodes: int, iterations: int, fixed_point: int) -> float:
    """QuantLib's price, NaN where it refuses."""
    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()

    def flat(rate: float) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, counter))

    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(contract.spot)),
        flat(contract.dividend_yield),
        flat(contract.rate),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), contract.vol, counter)),
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Call if contract.is_call else ql.Option.Put, STRIKE),
        ql.AmericanExercise(today, today + contract.days),
    )
    scheme = ql.QdFpTanhSinhIterationScheme(nodes, iterations, 1e-12)
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme, fixed_point))
    try:
        return float(option.NPV())
    except RuntimeError:
        return math.nan


def main() -> None:
    """Print the table."""
    generator = np.random.default_rng(20_160_714)
    engine = ql.QdFpAmericanEngine
    print("region,is_call,spot,days,vol,rate,dividend_yield,price,fewer_nodes,fp_a,tree")  # noqa: T201
    for region, (rows, *_) in REGIONS.items():
        left = rows
        while left:
            contract = draw(region, generator)
            if not covered(contract):
                continue
            rough = quantlib(contract, 10, 30, engine.FP_B)
            intrinsic = (contract.spot - STRIKE) * (1 if contract.is_call else -1)
            if rough - max(intrinsic, 0.0) < 1e-6 and generator.uniform() > KEPT_AT_INTRINSIC:
                continue
            left -= 1
            price = quantlib(contract, 20, 100, engine.FP_B)
            other = quantlib(contract, 10, 30, engine.FP_A)
            plain = richardson(
                spot=contract.spot,
                strike=STRIKE,
                time=contract.days / 365,
                vol=contract.vol,
                rate=contract.rate,
                dividend_yield=contract.dividend_yield,
                is_call=contract.is_call,
                steps=STEPS,
            )
            known = abs(other - price) < 1.0
            print(  # noqa: T201
                f"{region},{int(contract.is_call)},{contract.spot!r},{contract.days},{contract.vol!r},"
                f"{contract.rate!r},{contract.dividend_yield!r},{price:.13g},{abs(rough - price):.1e},"
                f"{f'{abs(other - price):.1e}' if known else ''},{abs(plain - price):.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
