"""Write discrete_prices.csv: American and European prices whose spot drops by cash amounts, by QuantLib.

    python tests/reference/make_discrete.py

The engine is `FdBlackScholesVanillaEngine` with a dividend schedule and the spot model: the spot is lognormal
between ex-dates, at the vol of the row, and drops by the amount (at the start of the ex-day, in whole days
from today). Both prices of a row come from the same grid, twice as fine as the one whose prices are printed
as the grid's own error. It takes some minutes.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import QuantLib as ql  # noqa: N813

TARGET = Path(__file__).with_name("discrete_prices.csv")
TODAY = ql.Date(2, 1, 2026)
FINE, COARSE = 1200, 600
DAY_COUNT = ql.Actual365Fixed()

FUNDS = {"QQQ": (600.0, 0.75, 0.20), "IWM": (240.0, 0.65, 0.23)}
CASES = [
    # days to expiry, first ex-date in days, rate
    (30, 3, 0.043),
    (30, 15, 0.043),
    (30, 29, 0.043),
    (91, 5, 0.043),
    (91, 45, 0.043),
    (91, 86, 0.043),
    (91, 90, 0.043),
    (91, 45, 0.005),
    (182, 40, 0.043),
    (182, 85, 0.06),
    (365, 20, 0.043),
    (365, 80, 0.043),
    (730, 50, 0.043),
]
SCORES = (-1.6449, -0.6745, 0.0, 0.6745)
"""N^-1 of the forward call deltas 5, 25, 50, 75; puts have the last one out of the money."""
Schedule = list[tuple[int, float]]


def price(
    spot: float,
    strike: float,
    days: int,
    vol: float,
    rate: float,
    schedule: Schedule,
    *,
    is_call: bool,
    is_american: bool,
    size: int,
) -> float:
    """One price on a grid of `size` spots."""
    flat = ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, DAY_COUNT))
    none = ql.YieldTermStructureHandle(ql.FlatForward(TODAY, 0.0, DAY_COUNT))
    vols = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), vol, DAY_COUNT))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), none, flat, vols)
    dividends = ql.DividendVector([TODAY + day for day, _ in schedule], [amount for _, amount in schedule])
    engine = ql.FdBlackScholesVanillaEngine(
        process,
        dividends,
        max(size, 2 * days),
        size,
        2,
        ql.FdmSchemeDesc.CrankNicolson(),
        False,
        -ql.nullDouble(),
        ql.FdBlackScholesVanillaEngine.Spot,
    )
    last = TODAY + days
    exercise = ql.AmericanExercise(TODAY, last) if is_american else ql.EuropeanExercise(last)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, strike)
    option = ql.VanillaOption(payoff, exercise)
    option.setPricingEngine(engine)
    return float(option.NPV())


def main() -> None:
    """Price every row on both grids and write the finer."""
    ql.Settings.instance().evaluationDate = TODAY
    rows, worst = [], 0.0
    for name, (spot, amount, vol) in FUNDS.items():
        for days, first, rate in CASES:
            schedule = [(day, amount) for day in range(first, days, 91)]
            years = days / 365
            forward = spot * np.exp(rate * years)
            forward -= sum(cash * np.exp(rate * (days - day) / 365) for day, cash in schedule)
            for is_call in (True, False):
                for score in SCORES:
                    sign = -1.0 if is_call else 1.0
                    strike = float(np.round(forward * np.exp(sign * score * vol * np.sqrt(years)), 0))
                    made = []
                    for size in (FINE, COARSE):
                        pair = [
                            price(
                                spot, strike, days, vol, rate, schedule,
                                is_call=is_call, is_american=is_american, size=size,
                            )
                            for is_american in (True, False)
                        ]  # fmt: skip
                        made.append(pair)
                    premium = [american - european for american, european in made]
                    worst = max(worst, abs(premium[0] - premium[1]) / spot)
                    dates = " ".join(f"{day}:{cash}" for day, cash in schedule)
                    rows.append(
                        [name, spot, strike, days, rate, vol, int(is_call), dates, *map(repr, made[0])]
                    )
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["fund", "spot", "strike", "days", "rate", "vol", "is_call", "dividends", "american", "european"]
        )
        writer.writerows(rows)
    print(  # noqa: T201 - a script
        f"{len(rows)} rows; half the grid moves a premium by {1e4 * worst:.4f} bp of the spot at the most"
    )


if __name__ == "__main__":
    main()
