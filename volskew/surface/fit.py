"""From quotes to a surface: the stages in their order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from volskew.errors import SettingsError, shown
from volskew.ledger import Ledger, Stage
from volskew.market.clock import session_of
from volskew.market.dividends import choose_dividends
from volskew.market.rates import choose_curve
from volskew.market.table import MarketRow, market_row
from volskew.quotes.admit import admitted
from volskew.quotes.clean import find_labels
from volskew.quotes.lines import Lines
from volskew.quotes.overrides import Overrides, find_overridden
from volskew.settings import Settings
from volskew.surface.chain import Chain
from volskew.surface.expiries import Expiries
from volskew.surface.forwards import Forwards, find_forwards, forwards_table
from volskew.surface.gates import FORWARD_CODES, Neighbourhood, chain_failures
from volskew.surface.labels import OVERRIDDEN, needs_rate
from volskew.surface.reading import Slices
from volskew.surface.smiles import Smiles, fit_smiles
from volskew.surface.surface import Surface
from volskew.surface.tables import SmilesTable, smiles_table
from volskew.surface.vols import Vols, find_vols

__all__ = ["fit_surface"]

_DEFAULTS = Settings()
_ROUNDS = 12
"""A line that its vol shows to be bad must not have served the forward. That forward is then found without
any such line of its expiry, which is judged afresh; other expiries keep theirs, and come out the same."""


def fit_surface(
    quotes: pd.DataFrame,
    *,
    market: MarketRow | None = None,
    previous: pd.DataFrame | None = None,
    overrides: Overrides | None = None,
    settings: Settings = _DEFAULTS,
    solve_all: bool = False,
) -> Surface:
    """Label a chain, find its forwards, solve its vols and fit its smiles.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Canonical quotes of one (symbol, snapshot_time), e.g. from `volskew.quotes.read_chain`.
    market : MarketRow, optional
        Discount curve, spot and dividends of the date. Without it the settings' rate, or the assumed one, the
        settings' dividend files, and the file's spot.
    previous : pandas.DataFrame, optional
        The symbol's quotes of the session before, for the rule on stale lines.
    overrides : Overrides, optional
        Quotes to leave out (`volskew.quotes.read_overrides`), beside those that `market` names. Every reading
        of a surface of which quotes were left out carries the flag OVERRIDDEN; ``ledger`` has the reasons.
    settings : Settings
        Every choice that changes a number.
    solve_all : bool
        Solve in-the-money lines too, for inspection; no reading changes.

    Returns
    -------
    Surface

    Raises
    ------
    InputError
        It is no table, is empty, lacks canonical columns, has values in them that the schema does not have,
        or holds more than one symbol or snapshot.
    SettingsError
        `settings`, `market` or `overrides` are none.
    """
    _check(settings, market)
    quotes, previous = admitted(quotes), _admitted(previous)
    ledger = Ledger()
    symbol, snapshot = str(quotes["symbol"].iloc[0]), quotes["snapshot_time"].iloc[0]
    source = ", ".join(sorted(quotes["source_file"].unique()))
    if market is None:
        day = session_of(snapshot)
        coming = choose_dividends(symbol, day, quotes["expiry"], settings=settings)
        market = market_row(
            day,
            curve=choose_curve(day, settings=settings),
            dividends=None if coming.dividends is None else {symbol: coming.dividends},
        )
        if coming.code and (quotes["exercise"] == "american").any():
            ledger.add(day, symbol, Stage.MARKET, coming.code, detail=coming.detail, source=source)
        for flag in market.curve.flags:
            ledger.add(day, symbol, Stage.MARKET, flag, detail=f"rate={market.curve.label}", source=source)
    lines = Lines.of(quotes, market=market, settings=settings)
    overridden, entries = find_overridden(quotes, market=market, overrides=overrides)
    ledger.extend(entries)
    labels = find_labels(quotes, lines, previous=previous, settings=settings, overridden=overridden)
    chain = Chain.of(quotes, market=market, settings=settings, lines=lines, labels=labels)
    serving = chain
    before: tuple[Forwards | None, Vols | None, Smiles | None] = (None, None, None)
    changed = np.ones(chain.lines.n_slices, dtype=bool)
    for _ in range(_ROUNDS):
        found = find_forwards(quotes, serving, settings=settings, before=before[0], changed=changed)
        vols = find_vols(quotes, chain, found, settings=settings, solve_all=solve_all, before=before[1])
        smiles = fit_smiles(
            quotes,
            chain,
            vols,
            used_in_forward=found.used,
            settings=settings,
            before=before[2],
            changed=changed,
        )
        before = found, vols, smiles
        excluded = smiles.quotes["exclusion"].notna().to_numpy(dtype=bool)
        changed = chain.counts(found.used & excluded) > 0
        if not changed.any():
            break
        # all of them at once: the next nearest of them would only serve in the place of the first
        serving = serving.without(excluded & changed[chain.lines.slice_id])
    forwards = forwards_table(quotes, chain, found)
    said = np.full(chain.lines.n_slices, "", dtype=object)
    said[chain.expiries.notna()] = forwards["flags"]
    forward = found.usable
    forward_error = np.where(np.isfinite(forward), found.error, np.nan)
    by_slice = chain_failures(
        forward=forward,
        forward_error=forward_error,
        n_accepted=smiles.n_accepted,
        by_vendor=chain.by_vendor,
        gates=settings.gates,
    )
    failures = tuple(tuple(item) for item in by_slice)
    names = tuple(
        f"{root} {date} {settlement} ({years * 365:.0f} d)"
        for root, date, settlement, years in zip(
            chain.roots, chain.dates, chain.settlements, chain.years, strict=True
        )
    )
    for name, years, failed in zip(names, chain.years, failures, strict=True):
        for failure in failed if years > 0 else ():  # expired slices are labelled line by line
            stage = Stage.FORWARD if failure.code in FORWARD_CODES else Stage.SMILE
            detail = f"{name}: {failure.detail}"
            ledger.add(market.date, symbol, stage, failure.code, detail=detail, source=source)
    years = np.where(pd.isna(chain.expiries), 0.0, chain.years)
    slices = Slices(
        names=names,
        keys=tuple(zip(chain.roots, chain.settlements, chain.expiries, strict=True)),
        dates=chain.dates,
        forward_methods=tuple(found.method),
        flags=tuple(said),
        years=years,
        forward=forward,
        forward_error=forward_error,
        discount_factor=chain.lines.slice_discount,
        spot=found.spot.price,
        failures=failures,
        nodes=smiles.nodes,
        curves=smiles.curves,
        local=smiles.local,
        methods=smiles.methods,
        quotes_around=Neighbourhood(smiles.nodes, smiles.deltas, chain.lines.n_slices),
    )
    flags = tuple(market.curve.flags) if needs_rate(set(forwards["method"])) else ()
    if overridden.any():
        flags = (*flags, OVERRIDDEN)
    dividends = np.array(chain.dividends or (), dtype=np.float64).reshape(-1, 2)
    expiries = Expiries(
        slices=slices,
        settings=settings,
        snapshot_time=snapshot,
        by_vendor=chain.by_vendor,
        rate=market.curve.label,
        flags=flags,
        has_quotes=bool(smiles.quotes["exclusion"].isna().any()),
        ex_times=dividends[:, 0],
        cash=dividends[:, 1],
    )
    return Surface(
        symbol=symbol,
        date=market.date,
        snapshot_time=snapshot,
        settings=settings,
        quotes=smiles.quotes,
        forwards=forwards,
        ledger=ledger,
        rate=market.curve.label,
        flags=flags,
        _expiries=expiries,
        _fits=smiles,
        _smiles=SmilesTable(smiles_table(smiles, chain, expiries)),
    )


def _check(settings: object, market: object) -> None:
    """Refuse what the quotes cannot be read by."""
    if not isinstance(settings, Settings):
        raise SettingsError(f"settings must be a Settings(...); got {shown(settings)}")
    if market is not None and not isinstance(market, MarketRow):
        raise SettingsError(f"market must be what market_row(...) returns, or None; got {shown(market)}")


def _admitted(previous: object) -> pd.DataFrame | None:
    """The quotes of the session before; None where there are none."""
    if previous is None or (isinstance(previous, pd.DataFrame) and previous.empty):
        return None
    return admitted(previous, name="previous")
