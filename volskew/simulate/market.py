"""The simulated market as one object: truth, vol history, and chains that are made when asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd

from volskew.errors import MissingReadingError, SettingsError
from volskew.market.clock import is_session, session_on_or_before
from volskew.market.clock import sessions as sessions_between
from volskew.simulate.bars import price_bars
from volskew.simulate.defects import DEFECT_RATES, DayPlan, plan_days, session_repeated_on, spoil, thin_out
from volskew.simulate.dividends import (
    Dividend,
    dividend_table,
    dividends_of,
    expected_dividends,
)
from volskew.simulate.funds import FUNDS, RATE, Fund
from volskew.simulate.listing import kept_expiries
from volskew.simulate.paths import OVERNIGHT, simulate_states
from volskew.simulate.planted import episode_table
from volskew.simulate.quoting import CHAIN_COLUMNS, State, clean_quotes, expiry_truth
from volskew.simulate.scenarios import check_whole
from volskew.simulate.trading_time import TYPICAL_WEEKEND
from volskew.simulate.truth import HISTORY_BASIS, HISTORY_NOISE, tenor_truth, vol_history

__all__ = ["DEFAULT_SEED", "OVERLAP", "SCENARIOS", "Market", "simulate_market"]

DEFAULT_SEED: Final = 918
"""Chosen so that the pair has no episodes but the planted ones, and ends low, but not at its record."""

SCENARIOS: Final = ("demo", "clean")

OVERLAP: Final = 20
"""Sessions with chain files that the vol history covers too, so that a splice can measure its basis."""

REFERENCE_DAYS: Final = 170
"""Calendar days before expiry at which the dense strikes of a quarter-end expiry were listed."""

DIVIDENDS_BEFORE: Final = dt.timedelta(days=550)
"""How long before the first session the list of dividends begins."""

RECENT: Final = 8
"""Clean chains kept in memory."""

DEFECT_COLUMNS: Final = ("date", "symbol", "defect", "contract")


@dataclass(frozen=True, eq=False)
class Market:
    """Two funds, their option chains and the exact answers.

    Attributes
    ----------
    seed : int
        Everything follows from it.
    scenario : str
        ``demo``, or ``clean`` without defects.
    sessions : tuple of datetime.date
        Sessions with chain files.
    states : pandas.DataFrame
        Latent factors, opening and closing prices of all sessions, the history's included.
    truth : pandas.DataFrame
        For every session and symbol: ``date``, ``symbol``, ``spot`` [$], ``forward`` [$], the exact
        ``vol_25c``, ``vol_50``, ``vol_25p`` [decimal] at exactly 91 days, and ``variance_overnight`` and
        ``variance_intraday``, with which the price was drawn.
    vol_history : pandas.DataFrame
        ``date``, ``symbol``, ``delta``, ``vol``: three-month vols of the years before the chains and of their
        first sessions, with a small basis and noise.
    payments : dict of str to tuple of Dividend
        Every dividend announced by the last session, by symbol.
    plan : DayPlan
        Days on which a whole file is bad.
    """

    seed: int
    scenario: str
    sessions: tuple[dt.date, ...]
    states: pd.DataFrame
    truth: pd.DataFrame
    vol_history: pd.DataFrame
    payments: dict[str, tuple[Dividend, ...]]
    plan: DayPlan

    @property
    def symbols(self) -> tuple[str, ...]:
        """The two underlyings."""
        return tuple(fund.symbol for fund in FUNDS)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the files do not say of themselves: seed, rates, basis and noise, defect rates."""
        return {
            "simulated": True,
            "seed": self.seed,
            "scenario": self.scenario,
            "first_session": self.truth["date"].iloc[0],
            "first_chain_session": self.sessions[0].isoformat(),
            "last_session": self.sessions[-1].isoformat(),
            "exercise": "american",
            "rate_continuous": RATE,
            "dividends": {
                "kind": "quarterly cash, off the price at the open of the ex-date",
                "mean_quarterly_amount": {fund.symbol: fund.quarterly_dividend for fund in FUNDS},
                "expected": "announced ones; else the year before, 52 weeks later, with its amounts",
            },
            "tenor_days": 91,
            "variance_of_a_day_without_session": TYPICAL_WEEKEND,
            "variance_overnight_share": round(OVERNIGHT, 6),
            "history_overlap_sessions": min(OVERLAP, len(self.sessions)),
            "history_basis": HISTORY_BASIS,
            "history_noise": HISTORY_NOISE,
            "defect_rates": DEFECT_RATES if self.scenario == "demo" else {},
        }

    @property
    def dividends(self) -> pd.DataFrame:
        """Dividends announced by the last session, see `dividend_table`."""
        return dividend_table(self.payments)

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Unadjusted daily prices of all sessions; see `volskew.simulate.bars.price_bars`."""
        return price_bars(self.states, seed=self.seed)

    @property
    def episodes(self) -> pd.DataFrame:
        """The pair's planted episodes; see `volskew.simulate.planted.episode_table`."""
        return episode_table(pd.DatetimeIndex(self.states["date"].unique()))

    def expected_dividends(self, symbol: str, date: dt.date) -> tuple[Dividend, ...]:
        """What the market expects of a fund at the close of `date`; see `dividends.expected_dividends`.

        Raises
        ------
        MissingReadingError
            The symbol is unknown.
        """
        return expected_dividends(self.payments[self._fund(symbol).symbol], date)

    @property
    def files(self) -> tuple[tuple[str, dt.date], ...]:
        """(symbol, date on the label) of every chain file, by date and symbol."""
        days = {(symbol, day) for symbol in self.symbols for day in self.sessions}
        return tuple(
            sorted((days - {*self.plan.missing}) | {*self.plan.repeated}, key=lambda file: (file[1], file[0]))
        )

    def quotes(self, symbol: str, date: dt.date) -> pd.DataFrame:
        """The chain file labelled `date`, defects included, in the columns of a long chain CSV.

        Parameters
        ----------
        symbol : str
            One of `symbols`.
        date : datetime.date
            A session with a chain file, or the holiday of a repeated file.

        Returns
        -------
        pandas.DataFrame
            `CHAIN_COLUMNS`; prices in dollars and cents, missing as NaN.

        Raises
        ------
        MissingReadingError
            There is no such file.
        """
        return self._chain(symbol, date)[0]

    def clean_quotes(self, symbol: str, date: dt.date) -> pd.DataFrame:
        """The chain before defects, with each line's exact ``price``, ``premium`` [$] and signed ``delta``.

        Raises
        ------
        MissingReadingError
            The symbol is unknown or the date is no session of the market.
        """
        return self._clean(symbol, date).copy()

    def _clean(self, symbol: str, date: dt.date) -> pd.DataFrame:
        fund = self._fund(symbol)
        if (symbol, date) not in self._recent:
            if len(self._recent) >= RECENT:
                self._recent.pop(next(iter(self._recent)))
            self._recent[symbol, date] = clean_quotes(
                fund,
                self._state(symbol, date),
                dividends=self.expected_dividends(symbol, date),
                reference=self._references[symbol],
                seed=self.seed,
            )
        return self._recent[symbol, date]

    @cached_property
    def _recent(self) -> dict[tuple[str, dt.date], pd.DataFrame]:
        """The chains made last: a session's stale lines come from the session before."""
        return {}

    @cached_property
    def expiry_truth(self) -> pd.DataFrame:
        """Exact forward, discount factor and vols of every expiry in the chains; see `expiry_truth`."""
        tables = [
            expiry_truth(
                fund, self._state(fund.symbol, day), dividends=self.expected_dividends(fund.symbol, day)
            )
            for day in self.sessions
            for fund in FUNDS
        ]
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def defects(self) -> pd.DataFrame:
        """Every planted defect: ``date``, ``symbol``, ``defect``, ``contract`` (empty for whole files).

        Making it makes every chain, which takes some seconds.
        """
        return pd.concat([table for _, _, _, table in self.chains()], ignore_index=True)

    def chains(self) -> Iterator[tuple[str, dt.date, pd.DataFrame | None, pd.DataFrame]]:
        """Every planned file in order: symbol, label date, quotes (None where missing), defects."""
        for symbol, date in sorted({*self.files, *self.plan.missing}, key=lambda file: (file[1], file[0])):
            if (symbol, date) in self.plan.missing:
                yield symbol, date, None, self._defects(symbol, date, whole="missing_file")
            else:
                yield symbol, date, *self._chain(symbol, date)

    def _chain(self, symbol: str, date: dt.date) -> tuple[pd.DataFrame, pd.DataFrame]:
        self._fund(symbol)
        if (symbol, date) in self.plan.missing:
            msg = f"the simulated market has no {symbol} chain on {date.isoformat()}: left out on purpose"
            raise MissingReadingError(msg)
        if (symbol, date) in self.plan.repeated:
            quotes, _ = self._chain(symbol, session_repeated_on(date))
            return quotes.assign(quote_date=date.isoformat()), self._defects(
                symbol, date, whole="repeated_file"
            )
        if date not in self.sessions:
            msg = (
                f"the simulated market has no {symbol} chain on {date.isoformat()}; it has the sessions from "
                f"{self.sessions[0].isoformat()} to {self.sessions[-1].isoformat()}"
            )
            raise MissingReadingError(msg)
        clean = self._clean(symbol, date)
        columns = list(CHAIN_COLUMNS)
        if (symbol, date) in self.plan.thin:
            return thin_out(clean)[columns], self._defects(symbol, date, whole="thin_file")
        if self.scenario == "clean":
            return clean[columns], self._defects(symbol, date)
        place = self.sessions.index(date)
        before = self._clean(symbol, self.sessions[place - 1]) if place else None
        quotes, bad = spoil(clean, before=before, seed=self.seed)
        return quotes[columns], self._defects(symbol, date, lines=bad)

    @staticmethod
    def _defects(
        symbol: str, date: dt.date, *, whole: str | None = None, lines: pd.Series[str] | None = None
    ) -> pd.DataFrame:
        kinds = [whole] if whole else [] if lines is None else list(lines)
        contracts = [""] if whole else [] if lines is None else list(lines.index)
        table = pd.DataFrame(
            {"date": date.isoformat(), "symbol": symbol, "defect": kinds, "contract": contracts}, dtype="str"
        )
        return table[list(DEFECT_COLUMNS)]

    def _fund(self, symbol: str) -> Fund:
        for fund in FUNDS:
            if fund.symbol == symbol:
                return fund
        msg = f"the simulated market has no {symbol!r}; it has {', '.join(self.symbols)}"
        raise MissingReadingError(msg)

    def _state(self, symbol: str, date: dt.date) -> State:
        values = self._state_rows.get((symbol, date))
        if values is None:
            msg = f"{date.isoformat()} is no session of the simulated market"
            raise MissingReadingError(msg)
        return values

    @cached_property
    def _state_rows(self) -> dict[tuple[str, dt.date], State]:
        dates = [day.date() for day in self.states["date"].dt.to_pydatetime()]
        factors = [self.states[name].tolist() for name in ("spot", "scale", "skew", "curvature", "inversion")]
        return {
            (symbol, date): State(date, *values)
            for symbol, date, *values in zip(self.states["symbol"], dates, *factors, strict=True)
        }

    @cached_property
    def _references(self) -> dict[str, dict[dt.date, float]]:
        """For each symbol and quarter-end expiry the price around which its dense strikes were listed."""
        expiries = {
            date for day in self.sessions for date, is_quarterly in kept_expiries(day) if is_quarterly
        }
        first = min(day for _, day in self._state_rows)
        result: dict[str, dict[dt.date, float]] = {}
        for fund in FUNDS:
            result[fund.symbol] = {}
            for expiry in expiries:
                listed = max(first, session_on_or_before(expiry - dt.timedelta(days=REFERENCE_DAYS)))
                result[fund.symbol][expiry] = self._state_rows[fund.symbol, listed].spot
        return result


def simulate_market(
    *,
    seed: int = DEFAULT_SEED,
    sessions: int = 250,
    history_years: int = 10,
    end: dt.date = dt.date(2026, 7, 10),
    scenario: str = "demo",
) -> Market:
    """A QQQ-like and an IWM-like fund with option chains and the exact answers to what is read from them.

    Parameters
    ----------
    seed : int
        Non-negative; the same seed gives the same market on every machine.
    sessions : int
        Sessions with chain files, the last of which is `end`.
    history_years : int
        Years of vol history before the first of them.
    end : datetime.date
        A session.
    scenario : {"demo", "clean"}
        ``clean`` plants no defects.

    Returns
    -------
    Market
        Chains are made when they are asked for.

    Raises
    ------
    SettingsError
        A value that is not accepted.

    Examples
    --------
    >>> import datetime as dt
    >>> market = simulate_market(sessions=5, history_years=0)
    >>> market.symbols, len(market.files)
    (('QQQ', 'IWM'), 10)
    >>> list(market.quotes("IWM", dt.date(2026, 7, 10)).columns[:4])
    ['quote_date', 'symbol', 'underlying_price', 'option_symbol']
    """
    if scenario not in SCENARIOS:
        msg = f"scenario must be one of {', '.join(SCENARIOS)}, got {scenario!r}"
        raise SettingsError(msg)
    for name, value, low, high in (
        ("seed", seed, 0, 2**63 - 1),
        ("sessions", sessions, 1, 2500),
        ("history_years", history_years, 0, 20),
    ):
        check_whole(name, value, low=low, high=high)
    if not is_session(end):
        before = session_on_or_before(end)
        msg = f"end must be a session, got {end.isoformat()}; the one before is {before.isoformat()}"
        raise SettingsError(msg)
    days = sessions_between(end - dt.timedelta(days=int(1.6 * sessions) + 10), end)[-sessions:]
    first = days[0] - pd.DateOffset(years=history_years)
    everything = sessions_between(first.date(), end)
    payments = {
        fund.symbol: dividends_of(fund, first=everything[0].date() - DIVIDENDS_BEFORE, end=end, seed=seed)
        for fund in FUNDS
    }
    states = simulate_states(everything, seed=seed, payments=payments)
    truth = tenor_truth(states, dividends=payments)
    chain_sessions = tuple(day.date() for day in days)
    return Market(
        seed=seed,
        scenario=scenario,
        sessions=chain_sessions,
        states=states,
        truth=truth,
        vol_history=vol_history(truth, until=days[min(OVERLAP, sessions) - 1], seed=seed),
        payments=payments,
        plan=plan_days(list(chain_sessions)) if scenario == "demo" else DayPlan(),
    )
