"""A simulated market with a known answer: two funds, their option chains, and the exact vols behind them.

A QQQ-like and an IWM-like fund share a vol level and drift apart by a factor of their own; each has a
stochastic skew, curvature and term structure, and a price that falls when vol rises. Every surface is free of
arbitrage by construction and its vol at any delta and maturity is known to rounding, so that what is read
from the quotes can be judged. Quotes come in cents, with half-spreads, strikes and expiries as on real chains
and with planted defects. Beside this market, which is the sample, `scenario_chain` makes single chains of
named kinds of markets (`scenarios`), each with its exact answers, as a pure function of scenario, symbol,
seed and day: what accuracy is scored on.

Variance accrues by session in all of them, on a clock of this room's own (`trading_time`).

Prices are made with a few lines of Black's formula of this room's own: the truth
must not depend on the code it judges. Every file written says in its name that it is simulated.
"""

from volskew.simulate.chain import ScenarioChain, scenario_chain
from volskew.simulate.market import Market, simulate_market
from volskew.simulate.scenario_files import write_scenario
from volskew.simulate.scenarios import SCENARIOS, Scenario
from volskew.simulate.write import write_market

__all__ = [
    "SCENARIOS",
    "Market",
    "Scenario",
    "ScenarioChain",
    "scenario_chain",
    "simulate_market",
    "write_market",
    "write_scenario",
]
