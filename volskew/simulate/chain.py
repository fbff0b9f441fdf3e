"""One chain of a scenario with its truth: `scenario_chain` is a pure function of its arguments."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import pandas as pd

from volskew.errors import SettingsError
from volskew.market.curve import DiscountCurve
from volskew.market.projection import Dividend as ExpectedDividend
from volskew.market.table import MarketRow, market_row
from volskew.quotes import read_chain
from volskew.simulate.board import listed_expiries, strikes_of
from volskew.simulate.days import DayState, day_state, rate_of, session_of_day
from volskew.simulate.defects import spoil
from volskew.simulate.dividends import Dividend
from volskew.simulate.draws import normals
from volskew.simulate.known import ChainTruth
from volskew.simulate.lines import clean_lines
from volskew.simulate.payouts import payments_of, schedule_of
from volskew.simulate.quoting import CHAIN_COLUMNS
from volskew.simulate.scenarios import Scenario, check_whole, find_scenario
from volskew.simulate.trading_time import NO_EVENTS, Events, trading_clock
from volskew.simulate.underlyings import UNDERLYINGS, Underlying
from volskew.simulate.write import chain_csv

__all__ = ["ScenarioChain", "payments_known", "scenario_chain"]

RECENT: Final = 8
"""Clean chains kept in memory: a session's stale lines come from the session before."""

PAST: Final = dt.timedelta(days=550)
"""How far back dividends are looked at: more than the 52 weeks that are projected."""

LEAST_WEEKEND: Final = 0.01
"""Total variance rises over a weekend too."""

LAST_DAY: Final = 4500
"""From 2025 on, expiries two years ahead are then still in the trading calendar."""


@dataclass(frozen=True, eq=False)
class ScenarioChain:
    """A chain and everything that is known of it; made by `scenario_chain`.

    Attributes
    ----------
    scenario : Scenario
        What the market is like.
    symbol : str
        QQQ or IWM.
    seed, day : int
        What the draws follow from.
    """

    scenario: Scenario
    symbol: str
    seed: int
    day: int

    @property
    def date(self) -> dt.date:
        """The session."""
        return session_of_day(self.scenario, self.day)

    @property
    def family(self) -> str:
        """Of the smiles of the day: ``mixture``, ``heston`` or ``bates``."""
        return self.truth.family

    @cached_property
    def truth(self) -> ChainTruth:
        """Exact vols, forwards, dividends, rate and borrow cost."""
        return _truth(self.scenario, _underlying(self.symbol), self.seed, self.day)

    @property
    def clean(self) -> pd.DataFrame:
        """The chain before defects, with each line's exact ``price``, ``premium``, ``vol`` and ``delta``."""
        return _clean(self.scenario, self.symbol, self.seed, self.day).copy()

    @property
    def quotes(self) -> pd.DataFrame:
        """The chain, defects included, in the columns of a long chain CSV.

        Returns
        -------
        pandas.DataFrame
            `volskew.simulate.quoting.CHAIN_COLUMNS`; where exercise is European also ``exercise``, which
            the symbols would not tell.
        """
        return self._spoiled[0].copy()

    @property
    def defects(self) -> pd.DataFrame:
        """Planted defects: ``date``, ``symbol``, ``defect``, ``contract`` (option symbol)."""
        return self._spoiled[1].copy()

    @cached_property
    def _spoiled(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        clean = _clean(self.scenario, self.symbol, self.seed, self.day)
        rates = dict(self.scenario.defects)
        before = None
        if self.day > 0 and rates.get("stale", 0.0) > 0.0:
            before = _clean(self.scenario, self.symbol, self.seed, self.day - 1)
        quotes, bad = spoil(clean, before=before, seed=self.seed, rates=rates)
        table = pd.DataFrame(
            {
                "date": self.date.isoformat(),
                "symbol": self.symbol,
                "defect": list(bad),
                "contract": list(bad.index),
            },
            dtype="str",
        )
        return self._listed(quotes), table

    @property
    def csv(self) -> str:
        """The text of the chain's file."""
        return chain_csv(self._spoiled[0])

    def canonical(self) -> pd.DataFrame:
        """The canonical quotes table: the chain's file, read by the ordinary reader."""
        return _read(self.csv, self.symbol, self.date)

    @property
    def previous(self) -> pd.DataFrame | None:
        """Canonical quotes of the session before, without its defects; None on day 0.

        What `volskew.fit_surface` takes as ``previous``: stale lines repeat them.
        """
        if self.day == 0:
            return None
        before = _clean(self.scenario, self.symbol, self.seed, self.day - 1)
        return _read(
            chain_csv(self._listed(before)), self.symbol, session_of_day(self.scenario, self.day - 1)
        )

    def _listed(self, quotes: pd.DataFrame) -> pd.DataFrame:
        table = quotes[list(CHAIN_COLUMNS)]
        return table if self.scenario.exercise == "american" else table.assign(exercise="european")

    @cached_property
    def market(self) -> MarketRow:
        """The market row of the session: the true rate, both spots, both funds' dividends as known that day.

        The cost of borrowing is not in it: a reader must find that in the options.
        """
        truths = {
            underlying.symbol: _truth(self.scenario, underlying, self.seed, self.day)
            for underlying in UNDERLYINGS
        }
        return market_row(
            self.date,
            curve=DiscountCurve.flat(self.truth.rate),
            spots={symbol: truth.spot for symbol, truth in truths.items()},
            dividends={
                symbol: [
                    ExpectedDividend(item.ex_date, item.amount, item.declared is None)
                    for item in truth.dividends
                ]
                for symbol, truth in truths.items()
            },
        )


def scenario_chain(
    scenario: str | Scenario, *, symbol: str = "QQQ", seed: int = 0, day: int = 0
) -> ScenarioChain:
    """A chain of a simulated market, with its truth.

    Parameters
    ----------
    scenario : str or Scenario
        A name of `volskew.simulate.scenarios.SCENARIOS`, or one of your own.
    symbol : str
        QQQ or IWM. The two of one scenario, seed and day share date, rate and family, and have correlated
        states.
    seed : int
        From 0 on.
    day : int
        Sessions since the scenario's first one.

    Returns
    -------
    ScenarioChain
        Its parts are made when asked for, and depend on nothing but the arguments.

    Raises
    ------
    SettingsError
        A value that is not accepted.

    Examples
    --------
    >>> chain = scenario_chain("calm", symbol="IWM", seed=7, day=3)
    >>> chain.date.isoformat(), chain.family
    ('2025-01-07', 'heston')
    >>> round(float(chain.truth.vol("3m", 0.25)), 3)
    0.182
    """
    found = find_scenario(scenario)
    check_whole("seed", seed, low=0, high=2**63 - 1)
    check_whole("day", day, low=0, high=LAST_DAY)
    return ScenarioChain(found, _underlying(symbol).symbol, seed, day)


def payments_known(scenario: Scenario, *, seed: int, days: int) -> dict[str, tuple[Dividend, ...]]:
    """Payments of both funds announced by the last of the first `days` sessions, by symbol."""
    first, end = session_of_day(scenario, 0), session_of_day(scenario, days - 1)
    return {
        underlying.symbol: payments_of(scenario, underlying, seed=seed, first=first - PAST, end=end)
        for underlying in UNDERLYINGS
    }


def _underlying(symbol: str) -> Underlying:
    for underlying in UNDERLYINGS:
        if underlying.symbol == symbol:
            return underlying
    msg = f"symbol must be one of {', '.join(item.symbol for item in UNDERLYINGS)}, got {symbol!r}"
    raise SettingsError(msg)


def _weekend(scenario: Scenario, symbol: str, seed: int) -> float:
    """What a day without a session weighs in one market."""
    drawn = scenario.weekend + scenario.weekend_deviation * float(normals(seed, f"weekend {symbol}"))
    return min(max(drawn, LEAST_WEEKEND), 1.0)


def _truth(scenario: Scenario, underlying: Underlying, seed: int, day: int) -> ChainTruth:
    state: DayState = day_state(scenario, underlying, seed=seed, day=day)
    listed = listed_expiries(state.date, underlying=underlying, scenario=scenario)
    payments = payments_of(scenario, underlying, seed=seed, first=state.date - PAST, end=state.date)
    until = state.date + dt.timedelta(days=scenario.longest_days)
    events = NO_EVENTS
    if scenario.events > 0.0:
        events = Events(scenario.events, scenario.roughness, seed, underlying.symbol)
    return ChainTruth(
        symbol=underlying.symbol,
        date=state.date,
        family=state.family,
        model=state.model,
        clock=trading_clock(_weekend(scenario, underlying.symbol, seed), events),
        spot=state.spot,
        rate=rate_of(scenario, seed=seed, day=day),
        borrow=scenario.borrow,
        dividends=schedule_of(payments, state.date, until=until),
        expiry_dates=tuple(item.date for item in listed),
    )


@lru_cache(maxsize=RECENT)
def _clean(scenario: Scenario, symbol: str, seed: int, day: int) -> pd.DataFrame:
    """Not to be modified."""
    underlying = _underlying(symbol)
    truth = _truth(scenario, underlying, seed, day)
    listed = listed_expiries(truth.date, underlying=underlying, scenario=scenario)
    boards = tuple(
        (item, strikes_of(item, underlying=underlying, scenario=scenario, spot=truth.spot, seed=seed))
        for item in listed
    )
    return clean_lines(boards, truth=truth, underlying=underlying, scenario=scenario, seed=seed)


def _read(text: str, symbol: str, date: dt.date) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "quotes"
        folder.mkdir()
        file = folder / f"{symbol}_{date.isoformat()}_simulated.csv"
        file.write_text(text, encoding="utf-8")
        return read_chain(file)
