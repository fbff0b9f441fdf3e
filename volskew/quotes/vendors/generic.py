"""The long table: one option line a row, columns under any of their usual names: CSV, Parquet, JSON records.

Chains that carry only a vendor's vols (no bid and ask) are read here too. The unit of a vol is taken from
its column's name (``implied_vol_pct`` is percent, ``iv`` is decimal) or declared by mapping ``vendor_vol`` or
``vendor_vol_pct``; it is never guessed from magnitude.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from volskew.errors import InputError, SettingsError
from volskew.ledger import Code
from volskew.quotes import cells as parse
from volskew.quotes import moments as times
from volskew.quotes.headers import normalise
from volskew.quotes.json_cells import json_cells, json_documents
from volskew.quotes.osi import looks_like_osi
from volskew.quotes.raw import FIELDS, About, Head, Job, Match, RawChain, Reader, Remark
from volskew.quotes.records import numbered
from volskew.quotes.tabular import REPEATED, read_parquet_columns, read_text_columns

__all__ = ["READER", "SYNONYMS", "canonical_field"]

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "date": (
        "date", "quotedate", "tradedate", "datadate", "sessiondate", "asofdate", "asof", "observationdate",
        "snapshottime", "snapshotdate", "snapshot", "quotedatetime", "datetime", "timestamp", "readtime",
        "quotereadtime", "quoteunixtime",
    ),
    "quote_time": ("quotetime", "quotetimestamp", "lastquotetime", "quotetimeinlong", "tsrecv"),
    "trade_time": ("tradetime", "lasttradetime", "lasttradedate", "lasttradetimestamp", "tradetimeinlong"),
    "symbol": (
        "symbol", "underlying", "underlyingsymbol", "ticker", "actsymbol", "underlier", "und", "undersymbol",
        "underlyingticker",
    ),
    "option": (
        "optionsymbol", "option", "contractsymbol", "contractid", "contract", "osi", "osisymbol", "occ",
        "occsymbol", "optionticker", "opra", "oprasymbol", "localsymbol", "rawsymbol",
    ),
    "root": ("root", "optionroot", "rootsymbol", "tradingclass"),
    "expiry": (
        "expiration", "expiry", "expirationdate", "expirydate", "expdate", "exdate", "expire", "expiredate",
        "exp", "maturity", "maturitydate",
    ),
    "settlement": ("settlement", "settlementtype"),
    "exercise": ("exercise", "exercisestyle", "exercisetype", "style"),
    "strike": ("strike", "strikeprice", "exerciseprice", "k"),
    "is_call": (
        "right", "iscall", "optiontype", "callput", "putcall", "cp", "cpflag", "pc", "optionright",
        "contracttype", "type",
    ),
    "bid": ("bid", "bidprice", "bestbid", "bidpx"),
    "ask": ("ask", "askprice", "bestask", "bestoffer", "offer", "offerprice", "askpx"),
    "last": ("last", "lastprice", "lasttradeprice", "lastsale", "close", "closeprice"),
    "bid_size": ("bidsize", "bestbidsize", "bidqty"),
    "ask_size": ("asksize", "bestasksize", "offersize", "askqty"),
    "volume": ("volume", "tradevolume", "totalvolume", "contractvolume", "vol"),
    "open_interest": ("openinterest", "oi", "openint"),
    "multiplier": ("multiplier", "contractmultiplier", "contractsize", "sharespercontract"),
    "underlying_price": (
        "underlyingprice", "underlyinglast", "spot", "spotprice", "stockprice", "underlyingclose", "undprice",
        "stkpx",
    ),
    "vendor_vol": (
        "vendorvol", "impliedvolatility", "impliedvol", "iv", "impvol", "implvolatility", "ivmid", "midiv",
        "vol",
    ),
    "vendor_vol_pct": (
        "vendorvolpct", "impliedvolpct", "impliedvolatilitypct", "ivpct", "ivpercent", "impliedvolpercent",
        "impliedvolatilitypercent", "volpct", "iv%", "impliedvol%", "impliedvolatility%",
    ),
    "vendor_delta": ("vendordelta", "delta"),
}  # fmt: skip
"""Field -> normalised column names that mean it, the surest first."""

_MEANINGS: Final[dict[str, set[str]]] = {}
for _field, _names in SYNONYMS.items():
    for _name in (normalise(_field), *_names):
        _MEANINGS.setdefault(_name, set()).add(_field)

_RIVAL: Final = " (rival)"
_NEEDED: Final = (
    "symbol", "option", "expiry", "strike", "is_call", "bid", "ask", "vendor_vol", "vendor_vol_pct",
)  # fmt: skip
"""Fields that make a table an option chain, each way of saying them."""
_SLACK: Final = 1e-9


def match(head: Head, columns: Mapping[str, str]) -> Match:
    """Whether the header has what an option line needs."""
    if head.kind == "json" and not head.is_records:
        return Match(0, 5, ("a list of lines, [{...}, ...], or one a line, which this JSON is not",))
    found = resolve(head, columns)
    have = set(found)
    symbol = "option" in have
    checks = (
        (symbol or "symbol" in have, "the underlying (symbol) or an option symbol (option)"),
        (symbol or "expiry" in have, "an expiration date (expiry)"),
        (symbol or "strike" in have, "a strike (strike)"),
        (symbol or "is_call" in have, "call or put (is_call)"),
        (
            {"bid", "ask"} <= have or bool({"vendor_vol", "vendor_vol_pct"} & have),
            "bid and ask (bid, ask) or an implied vol (vendor_vol; vendor_vol_pct in percent)",
        ),
    )
    missing = tuple(text for present, text in checks if not present)
    seen = () if missing else tuple(head.header[found[key]] for key in _NEEDED if key in found)
    return Match(len(checks) - len(missing), len(checks), missing, rank=1, seen=seen)


def resolve(head: Head, columns: Mapping[str, str]) -> dict[str, int]:
    """Field -> position of its column, named by the caller or known by its usual names.

    Raises
    ------
    SettingsError
        ``columns`` names an unknown field, or one twice.
    InputError
        ``columns`` names a column that the file has not.
    """
    places = {name: place for place, name in reversed(list(enumerate(head.normal))) if name}
    found: dict[str, int] = {}
    for given, column in columns.items():
        key = canonical_field(given)
        if key in found:
            raise SettingsError(f"columns names the field {key} twice")
        exact = [place for place, name in enumerate(head.header) if name == column]
        place = exact[0] if exact else places.get(normalise(column))
        if place is None:
            raise InputError(
                f"no such column (for {given})",
                column=column,
                accepted=f"one of {', '.join(head.header[:40])}",
            )
        found[key] = place
    for key, names in SYNONYMS.items():
        if key in found or (key.startswith("vendor_vol") and {"vendor_vol", "vendor_vol_pct"} & set(found)):
            continue
        taken = set(found.values())
        place = next((places[name] for name in names if name in places and places[name] not in taken), None)
        if place is not None:
            found[key] = place
    return _settle(found, head, columns)


def canonical_field(name: str) -> str:
    """The field of `volskew.quotes.raw.FIELDS` that a name given by a caller means.

    Raises
    ------
    SettingsError
        None, or more than one.

    Examples
    --------
    >>> [canonical_field(name) for name in ("expiry", "expiration_date", "right", "iv", "spot")]
    ['expiry', 'expiry', 'is_call', 'vendor_vol', 'underlying_price']
    """
    if name in FIELDS:
        return name
    meant = _MEANINGS.get(normalise(name), set())
    if len(meant) != 1:
        known = ", ".join(sorted(meant) or FIELDS)
        raise SettingsError(f"columns names the unknown field {name!r}; known are {known}")
    return next(iter(meant))


def _settle(found: dict[str, int], head: Head, columns: Mapping[str, str]) -> dict[str, int]:
    """Names that mean two things: ``vol``, and ``symbol`` over option symbols."""
    fixed = set(map(canonical_field, columns))
    volume, vol = found.get("volume"), {"vendor_vol", "vendor_vol_pct"} & set(found)
    if volume is not None and head.normal[volume] == "vol" and "volume" not in fixed and not vol:
        found["vendor_vol"] = found.pop("volume")
    symbol = found.get("symbol")
    free = symbol is not None and "option" not in found and "symbol" not in fixed
    if free and looks_like_osi(head.samples.get(head.normal[found["symbol"]], ())):
        found["option"] = found.pop("symbol")
        other = (n for n in SYNONYMS["symbol"] if n in head.normal and head.normal.index(n) != symbol)
        if (name := next(other, None)) is not None:
            found["symbol"] = head.normal.index(name)
    return found


def read(job: Job) -> RawChain:
    """Read CSV, Parquet, a JSON list of lines, or JSON with one line's object after another."""
    fields = resolve(job.head, job.columns)
    _refuse_twins(job, fields)
    rivals = _rivals(job.head, fields, job.columns)
    fields |= {f"{key}{_RIVAL}": place for key, place in rivals.items()}
    names = {key: job.head.header[place] for key, place in fields.items()}
    if job.head.kind == "parquet":
        cells, rows = read_parquet_columns(job, names)
        chain = RawChain(cells, names, rows)
    elif job.head.kind == "json":
        chain = _read_records(job, names)
    else:
        chain = read_text_columns(job, fields)
    for key in rivals:
        _refuse_rival(key, chain, job.member.label)
    return chain


def _refuse_twins(job: Job, fields: Mapping[str, int]) -> None:
    """Refuse a field whose column's name stands twice in the header: nothing tells which is meant."""
    for place in fields.values():
        name = job.head.header[place]
        if job.head.header.count(name) > 1:
            raise InputError(
                "the header has this column more than once",
                file=job.member.label,
                row=job.head.header_line,
                column=name,
                accepted="each column once",
            )


def _rivals(head: Head, fields: Mapping[str, int], columns: Mapping[str, str]) -> dict[str, int]:
    """Of the fields that must not be mistaken, another column whose name means the same."""
    taken = set(fields.values())
    rivals: dict[str, int] = {}
    for key in ("date", "bid", "ask"):
        if key in fields and key not in map(canonical_field, columns):
            others = (head.normal.index(name) for name in SYNONYMS[key] if name in head.normal)
            place = next((place for place in others if place not in taken), None)
            if place is not None:
                rivals[key] = place
    return rivals


def _refuse_rival(key: str, chain: RawChain, label: str) -> None:
    """Refuse two columns for one field that differ (dates by their day), and drop the second otherwise."""
    mine, other = chain.cells[key], chain.cells.pop(key + _RIVAL)
    name = chain.names.pop(key + _RIVAL)
    if key == "date":
        days = [times.dates(cells).data for cells in (mine, other)]
        differ = ~np.isnat(days[0]) & ~np.isnat(days[1]) & (days[0] != days[1])
    else:
        values = [parse.numbers(cells).data for cells in (mine, other)]
        differ = np.abs(values[0] - values[1]) > _SLACK
    if differ.any():
        place = int(np.argmax(differ))
        raise InputError(
            f"differs from column {chain.names[key]!r} ({mine[place].as_py()!r}), and both may be the {key}",
            file=label,
            row=int(chain.rows[place]),
            column=name,
            value=str(other[place].as_py()),
            accepted=f"--columns {key}=COLUMN to say which",
        )


def _read_records(job: Job, names: Mapping[str, str]) -> RawChain:
    label = job.member.label
    documents = json_documents(job.member.read(), label=label)
    listed = [found if isinstance(found, list) else [found] for found in documents]
    content = [line for lines in listed for line in lines]
    if not content:
        raise InputError("a list without lines", file=label, code="EMPTY")
    odd = sum(not isinstance(line, dict) for line in content)
    remark = Remark(Code.BAD_CELLS, odd, "lines of the JSON are no objects of cells: kept without values")
    lines = [line if isinstance(line, dict) else {} for line in content]
    cells = {key: json_cells([line.get(name) for line in lines]) for key, name in names.items()}
    for key in REPEATED & set(cells):
        cells[key] = cells[key].dictionary_encode() if pa.types.is_string(cells[key].type) else cells[key]
    return RawChain(
        cells,
        dict(names),
        np.arange(1, len(lines) + 1, dtype=np.int64),
        remarks=(remark,) if odd else (),
        documents=numbered([len(found) for found in listed]),
    )


def _tells_its_dates(head: Head) -> bool:
    """Whether no date is written with slashes: which comes first, month or day, the whole file tells."""
    fields = ("date", "expiry", "quote_time", "trade_time")
    names = {name for key in fields for name in (normalise(key), *SYNONYMS[key])}
    return head.kind != "json" and not any(
        "/" in cell for name in names for cell in head.samples.get(name, ())
    )


READER = Reader(
    "generic",
    "long table, one option line a row (CSV, Parquet or JSON records)",
    match,
    read,
    takes_columns=True,
    splits=_tells_its_dates,
    about=About(
        origin="exports, downloads and tables of your own, with columns under any of their usual names, or "
        "those that `--columns field=column` names",
        clock="a time in the date column, or quote times of the lines; a date alone means its close",
        vol="decimal, or percent where the column's name says so (`iv_pct`, `implied vol %`)",
        odd=(
            "A chain of vols without bids and asks is read by its vols.",
            "Two columns for one thing, such as `bid` beside `best_bid`, are refused where they differ.",
        ),
        known="seen",
    ),
    signature="a strike, an expiry, call or put and a symbol, or one column of option symbols for all four; "
    "and bid and ask, or an implied vol",
    fields=tuple(FIELDS),
)
