"""OptionMetrics IvyDB US: option prices (opprcd), direct from the tables or through a web query.

Columns are whatever was asked for, in any order. What the table leaves to others is looked for beside it: the
underlying's ticker in secnmd, its close in secprd.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.quotes.cells import coded, numbers, positions, which
from volskew.quotes.deliverables import marked_roots
from volskew.quotes.formats import Format, declare
from volskew.quotes.layout import day_first_fields
from volskew.quotes.moments import dates
from volskew.quotes.named import dates_in_names
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.roots import canonical_symbol, root_terms
from volskew.quotes.sides import constant, replaced
from volskew.quotes.spellings import respell_dates
from volskew.quotes.vendors.optionmetrics_secnmd import mapped, tickers_of, told_apart
from volskew.quotes.vendors.optionmetrics_secprd import MISSING, closes_beside, identifiers

__all__ = ["READER"]

Array = np.ndarray[Any, Any]

_SYMBOL: Final = r"^\s*(?P<root>[A-Z0-9.]{1,6}?)\s*(?P<date>[0-9]{6})[CP](?P<strike>[0-9]{1,8})\s*$"
_STRIKE_UNIT: Final = 1000.0
_STANDARD: Final = frozenset(("", "0", "0.0", "e"))
_AMERICAN_INDICES: Final = frozenset(("OEX",))
_MOST_ABOVE: Final = 0.2
"""Share of puts that may be worth more than their strike, which none is: junk quotes of the early years."""
_MONEYNESS: Final = 1.0


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Ticker, root, price, settlement, style and deliverable out of what the extract has of them."""
    respell_dates(chain, "date", "expiry")
    chain.day_first = day_first_fields(chain, label=job.member.label, named=dates_in_names(job.member))
    days = dates(chain.cells["date"], day_first=chain.is_day_first("date")).data
    symbols = _symbols(chain)
    _check_strikes(chain, symbols, job.member.label)
    roots, strange = symbols["root"], _own_roots(chain)
    secid = identifiers(chain, "+secid") if "+secid" in chain.cells else np.full(len(chain.rows), -1)
    tickers = tickers_of(chain, job, secid, days, roots)
    chain.cells["symbol"] = told_apart(tickers, secid, days)
    chain.cells["root"] = _roots(chain.cells["symbol"], tickers, (roots, strange))
    _mark_adjusted(chain)
    _settle(chain)
    if "underlying_price" not in chain.cells and (secid >= 0).any():
        closes, file = closes_beside(job, secid, days)
        if file:
            chain.cells["underlying_price"] = pa.array(closes, from_pandas=True)
            chain.names["underlying_price"] = f"close of {file}"
    return chain


def _symbols(chain: RawChain) -> dict[str, pa.DictionaryArray]:
    """Root and strike out of the option symbols, whose strike is not padded."""
    n = len(chain.rows)
    if "@symbol" not in chain.cells:
        nothing = pa.DictionaryArray.from_arrays(pa.nulls(n, pa.int32()), pa.array([], pa.string()))
        return {"root": nothing, "strike": nothing}
    words = coded(chain.cells["@symbol"])
    parts = pc.extract_regex(words.dictionary, _SYMBOL)
    found = {}
    for name in ("root", "strike"):
        part = pc.struct_field(parts, name) if len(words.dictionary) else words.dictionary
        found[name] = pa.DictionaryArray.from_arrays(words.indices, part)
    return found


# --- units


def _check_strikes(chain: RawChain, symbols: dict[str, pa.DictionaryArray], label: str) -> None:
    """Refuse strikes that are not in thousandths of a dollar, as those of the tables are.

    Raises
    ------
    InputError
        Most contradict the option symbols, or a forward price; or many puts cost more than their strike.
    """
    strike = numbers(chain.cells["strike"]).data
    of_symbol = numbers(symbols["strike"]).data
    known = ~np.isnan(strike) & ~np.isnan(of_symbol)
    wrong = known & (np.abs(strike - of_symbol) > 0.5)
    if 2 * wrong.sum() > known.sum():
        place = int(np.argmax(wrong))
        raise _no_thousandths(chain, label, place, f"the option symbol says {of_symbol[place]:g}")
    if "+forward" in chain.cells:
        forward = numbers(chain.cells["+forward"]).data
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.abs(np.log(strike / _STRIKE_UNIT / np.where(forward > 0, forward, np.nan)))
        if np.isfinite(far).any() and np.nanmedian(far) >= _MONEYNESS:
            place = int(np.nanargmax(far))
            raise _no_thousandths(chain, label, place, f"the forward price is {forward[place]:g}")
    bid = numbers(chain.cells["bid"]).data
    puts = which(chain.cells["is_call"], lambda text: text.upper() == "P") & (bid > 0)
    above = puts & (bid > strike / _STRIKE_UNIT)
    if above.sum() > _MOST_ABOVE * puts.sum():
        place = int(np.argmax(above))
        raise _no_thousandths(chain, label, place, f"puts are bid at {bid[place]:g}")


def _no_thousandths(chain: RawChain, label: str, place: int, why: str) -> InputError:
    strike = float(numbers(chain.cells["strike"]).data[place])
    return InputError(
        f"strikes are not in thousandths of a dollar: {why}",
        file=label,
        row=int(chain.rows[place]),
        column=chain.names["strike"],
        value=f"{strike:g}",
        accepted="strike_price as the tables have it, 66000 for 66 dollars; or, for strikes in dollars, "
        "--columns strike=COLUMN and so on",
        code=Code.BAD_UNITS.value,
    )


# --- names


def _own_roots(chain: RawChain) -> pa.DictionaryArray:
    cells = chain.cells.get("root")
    if cells is None:
        return pa.DictionaryArray.from_arrays(
            pa.nulls(len(chain.rows), pa.int32()), pa.array([], type=pa.string())
        )
    return coded(cells)


def _roots(
    symbols: pa.DictionaryArray, tickers: pa.DictionaryArray, told: tuple[pa.DictionaryArray, ...]
) -> pa.DictionaryArray:
    """The first root told of each line that is one of its ticker's, else the ticker.

    Roots of before 2010 were letters that say nothing of the underlying: those are no roots of its ticker.
    """
    names: list[str] = [*symbols.dictionary.to_pylist()]
    chosen = positions(symbols)
    ticker = positions(tickers)
    underlyings = [canonical_symbol(text or "") for text in tickers.dictionary.to_pylist()]
    for roots in reversed(told):
        words = [(text or "").strip().upper() for text in roots.dictionary.to_pylist()]
        own = positions(roots)
        both = (own >= 0) & (ticker >= 0)
        pairs = np.unique(own[both] * len(underlyings) + ticker[both])
        good = [
            pair
            for pair in pairs.tolist()
            if words[pair // len(underlyings)]
            and root_terms(words[pair // len(underlyings)]).underlying == underlyings[pair % len(underlyings)]
        ]
        fits = both & np.isin(own * len(underlyings) + ticker, good)
        chosen = np.where(fits, own + len(names), chosen)
        names += words
    return pa.DictionaryArray.from_arrays(
        pa.array(chosen, mask=chosen < 0), pa.array(names, type=pa.string())
    )


# --- terms


def _mark_adjusted(chain: RawChain) -> None:
    """Other deliverables, which ss_flag tells, get a root that ends in a digit."""
    if "@special" not in chain.cells:
        return
    adjusted = which(chain.cells["@special"], lambda text: text.lower() not in _STANDARD)
    if adjusted.any():
        chain.cells["root"] = marked_roots(chain.cells["root"], adjusted)


def _settle(chain: RawChain) -> None:
    """Settlement out of 0 and 1; the options of an index are European where nothing says otherwise."""
    if "@morning" in chain.cells:
        meanings = {"0": "PM", "1": "AM", "0.0": "PM", "1.0": "AM"}
        chain.cells["settlement"] = mapped(
            coded(chain.cells["@morning"]), lambda text: meanings.get(text.strip(), "")
        )
        chain.names["settlement"] = chain.names["@morning"]
    if "@index" not in chain.cells:
        return
    silent = which(chain.cells["@index"], lambda text: text in {"1", "1.0"})
    silent &= ~which(chain.cells["symbol"], lambda text: canonical_symbol(text) in _AMERICAN_INDICES)
    stated = chain.cells.get("exercise", constant("", len(silent)))
    silent &= ~which(stated, lambda text: text.upper() in {"A", "E"})
    if silent.any():
        chain.cells["exercise"] = replaced(stated, silent, "european")
        chain.names.setdefault("exercise", chain.names["@index"])


FORMAT: Final = Format(
    name="optionmetrics",
    title="OptionMetrics IvyDB US option prices (opprcd)",
    about=About(
        origin="WRDS: tables opprcdYYYY or the web query, any columns in any order; native files",
        clock="the date alone, taken as the close: quotes of 15:59 since March 2008, of the day's end before",
        vol="decimal, of the mid, with dividends and early exercise; blank or -99.99 where none was solved",
        odd=(
            "Strikes are in thousandths of a dollar, which is held against symbols, forwards and puts.",
            "The underlying is a number: its ticker is a column, in secnmd beside it, or in the symbols.",
            "The underlying's price is the close of secprd beside the file, a minute after the quotes.",
            "Two securities of one ticker on one day (classes of a share) are called TICKER:SECID.",
            "ss_flag other than 0 and E is another deliverable: such roots get a digit, and are left out.",
            "am_settlement tells mornings from afternoons; without it the root does, or the ticker.",
            "exercise_style is in the web query alone; without it an index (index_flag) is European.",
            "Standard expiries of before 2015 are dated Saturdays.",
            "Dates may be 2012-05-01, 20120501, 01MAY2012 or 01-05-2012.",
            "Bids and asks of 998 and 999 are junk of the early years; cleaning tells them by their size.",
        ),
        known="readers",
    ),
    signature=("date", "exdate", "cpflag", "strikeprice", "bestbid", "bestoffer"),
    columns={
        "date": "date",
        "expiry": "exdate",
        "is_call": "cpflag",
        "strike": "strikeprice",
        "bid": "bestbid",
        "ask": "bestoffer",
        "volume": "volume",
        "open_interest": "openinterest",
        "multiplier": "contractsize",
        "vendor_vol": "implvolatility",
        "vendor_delta": "delta",
        "exercise": "exercisestyle",
        "root": "root",
        "+secid": "secid",
        "+forward": "forwardprice",
        "@symbol": "symbol",
        "@ticker": "ticker",
        "@special": "ssflag",
        "@morning": "amsettlement",
        "@index": "indexflag",
    },
    divisors={"strike": _STRIKE_UNIT},
    fillers={
        **dict.fromkeys(("bid", "ask", "volume", "open_interest", "vendor_vol", "vendor_delta"), (MISSING,)),
        "multiplier": (MISSING, 0.0),
    },
    adjust=adjust,
    made=("symbol", "settlement", "underlying_price"),
)
READER: Final = declare(FORMAT)
