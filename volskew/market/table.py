"""The market row: what all quotes of one date share."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from volskew.market.curve import DiscountCurve
from volskew.market.overrides import Override
from volskew.market.projection import Dividend

__all__ = ["MarketRow", "market_row"]


@dataclass(frozen=True, slots=True)
class MarketRow:
    """What the quotes of one date are read against; made by `market_row`.

    Frozen, hashable and picklable. A reading depends on another symbol's chain through this row alone.

    Attributes
    ----------
    date : datetime.date
        The session.
    curve : DiscountCurve
        Discounting of that date.
    spots : tuple of (str, float)
        Underlying prices [$], sorted by symbol.
    previous : tuple of (str, str)
        Fingerprints of each symbol's quotes in its previous session, sorted by symbol.
    dividends : tuple of (str, tuple of Dividend)
        What is known or to be expected at the end of the session, sorted by symbol and ex-date.
    overrides : tuple of Override
        Quotes of the date that are left out on somebody's word, sorted by symbol and contract.
    """

    date: dt.date
    curve: DiscountCurve
    spots: tuple[tuple[str, float], ...] = ()
    previous: tuple[tuple[str, str], ...] = ()
    dividends: tuple[tuple[str, tuple[Dividend, ...]], ...] = ()
    overrides: tuple[Override, ...] = ()

    def spot(self, symbol: str) -> float | None:
        """The underlying price of a symbol [$], or None where it is not known."""
        return dict(self.spots).get(symbol)

    def previous_fingerprint(self, symbol: str) -> str | None:
        """The fingerprint of a symbol's quotes in its previous session, or None where it is not known."""
        return dict(self.previous).get(symbol)

    def dividends_of(self, symbol: str) -> tuple[Dividend, ...] | None:
        """The dividends of a symbol after the session: None where nothing is known, empty where none come."""
        return dict(self.dividends).get(symbol)

    def overrides_of(self, symbol: str) -> tuple[Override, ...]:
        """The quotes of a symbol that are left out on somebody's word."""
        return tuple(item for item in self.overrides if item.symbol == symbol)

    def fingerprint(self) -> str:
        """A hash of the content, the same on every machine and in every process.

        An override counts with its reason, which the ledger of a resumed run repeats, and not with its place
        in a file. A row without overrides has the hash that it had before there were any.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        content: dict[str, object] = {
            "date": self.date.isoformat(),
            "curve": self.curve.content(),
            "spots": [(symbol, repr(price)) for symbol, price in self.spots],
            "previous": self.previous,
            "dividends": [
                (symbol, [(item.ex_date.isoformat(), repr(item.amount), item.is_projected) for item in items])
                for symbol, items in self.dividends
            ],
        }
        if self.overrides:
            content["overrides"] = [list(map(str, _place(item))) for item in self.overrides]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def market_row(
    date: dt.date,
    *,
    curve: DiscountCurve,
    spots: Mapping[str, float] | None = None,
    previous: Mapping[str, str] | None = None,
    dividends: Mapping[str, Sequence[Dividend]] | None = None,
    overrides: Iterable[Override] = (),
) -> MarketRow:
    """The market row of a date.

    Parameters
    ----------
    date : datetime.date
        The session.
    curve : DiscountCurve
        Discounting of that date, e.g. from `choose_curve`.
    spots : mapping, optional
        ``symbol -> underlying price`` [$]; symbols without a price (NaN) are left out.
    previous : mapping, optional
        ``symbol -> fingerprint`` of its previous session's quotes.
    dividends : mapping, optional
        ``symbol -> dividends`` to come, e.g. from `choose_dividends`; symbols of which nothing is known are
        left out.
    overrides : iterable of Override
        Decisions about single quotes of the date; those about other dates, and about readings, are left out.

    Examples
    --------
    >>> row = market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(0.04), spots={"QQQ": 600.0})
    >>> row.spot("QQQ"), row.spot("IWM")
    (600.0, None)
    """
    prices = ((symbol, float(price)) for symbol, price in (spots or {}).items())
    return MarketRow(
        date=date,
        curve=curve,
        spots=tuple(sorted((symbol, price) for symbol, price in prices if price == price)),  # noqa: PLR0124
        previous=tuple(sorted((previous or {}).items())),
        dividends=tuple(
            (symbol, tuple(sorted(items, key=_order))) for symbol, items in sorted((dividends or {}).items())
        ),
        overrides=tuple(
            sorted(
                {item for item in overrides if item.date == date and item.contract is not None}, key=_place
            )
        ),
    )


def _order(item: Dividend) -> tuple[dt.date, bool, float]:
    return item.ex_date, item.is_projected, item.amount


def _place(item: Override) -> tuple[str, dt.date, float, bool, str, str]:
    if item.contract is None:  # `market_row` lets none pass
        raise AssertionError
    contract = item.contract
    return item.symbol, contract.expiry, contract.strike, contract.is_call, contract.root, item.reason
