"""The formats of option chains that are read, in words: what each is told by, gives and lacks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from volskew.errors import SettingsError
from volskew.quotes.raw import FIELDS, Reader
from volskew.quotes.vendors import readers

__all__ = ["ChainFormat", "chain_formats", "consequences"]

_KNOWN: Final = {
    "seen": "from real files",
    "documented": "from its vendor's documents",
    "readers": "from other public readers of it",
    "memory": "from memory alone, so that more of it is held against the data",
}
_CONSEQUENCES: Final[dict[str, tuple[str, str]]] = {
    "bid ask": ("bids and asks", "the chain is read by its own vols, without errors"),
    "underlying_price": ("underlying price", "the spot is implied from calls and puts"),
    "vendor_vol": ("vols of its own", "nothing to compare the solved ones with"),
    "vendor_delta": ("deltas of its own", "which unchanged quotes ought to have moved, moneyness tells"),
    "bid_size ask_size": ("sizes", "a quote counts as unchanged by its bid and ask alone"),
    "quote_time": (
        "quote times",
        "an old quote is told only by being that of the session before while the underlying moved (STALE)",
    ),
    "trade_time": (
        "trade times",
        "a chain of an earlier session under a newer date is told by its quotes alone (STALE_REPEAT)",
    ),
    "last": ("last trades", "nothing rests on them beside quotes"),
    "volume": ("volume", "vols without quotes are not weighed by it"),
    "open_interest": ("open interest", "nothing rests on it"),
    "root option": (
        "roots",
        "the underlying stands for them: adjusted series are not told, nor SPX from SPXW",
    ),
    "settlement": (
        "settlement",
        "the root tells: mornings for third Fridays of SPX, NDX and RUT, and for VIX",
    ),
    "exercise": ("exercise style", "the root tells: European for indices but OEX, else American"),
    "multiplier": ("multiplier", "100 is taken"),
}
"""Fields, any of which will do (of bid and ask, both) -> what is missing, what follows."""

_OF_QUOTES: Final = frozenset(("bid_size", "quote_time"))
"""What nobody misses where there are no quotes."""
_SPOT_OF_VOLS: Final = "forwards come from its own deltas, or else from last trades"


@dataclass(frozen=True, slots=True)
class ChainFormat:
    """One format.

    Attributes
    ----------
    name, title : str
        What ``--format`` takes, and in words.
    signature : str
        What a file is recognised by.
    known : str
        How the format is known.
    origin, clock, vol : str
        Where such files come from, which time their quotes are of, basis and unit of their own vols ("" for
        none).
    odd : tuple of str
        What is odd, a sentence each.
    fields : dict of str to str
        What a file may give: fields of `volskew.quotes.raw.FIELDS` and their meaning.
    missing : dict of str to str
        What none gives, and what follows from that.
    companion : str
        What such a file is for where it is no chain itself, else "".
    on_request : bool
        Whether only ``--format`` chooses it.
    """

    name: str
    title: str
    signature: str
    known: str
    origin: str
    clock: str
    vol: str
    odd: tuple[str, ...]
    fields: dict[str, str]
    missing: dict[str, str]
    companion: str = ""
    on_request: bool = False


def chain_formats(name: str | None = None) -> tuple[ChainFormat, ...]:
    """Every format that is read, by name.

    Parameters
    ----------
    name : str, optional
        That one alone.

    Raises
    ------
    SettingsError
        There is none of that name.

    Examples
    --------
    >>> chain_formats("generic")[0].missing
    {}
    """
    found = tuple(_told(reader) for reader in readers() if name is None or reader.name == name)
    if not found:
        msg = f"unknown format {name!r}; known are {', '.join(reader.name for reader in readers())}"
        raise SettingsError(msg)
    return found


def consequences(given: Collection[str]) -> dict[str, str]:
    """What is missing where only some fields are given, and what follows from that.

    Parameters
    ----------
    given : collection of str
        Of `volskew.quotes.raw.FIELDS`.

    Returns
    -------
    dict of str to str
        In words.

    Examples
    --------
    >>> consequences([name for name in FIELDS if name != "multiplier"])
    {'multiplier': '100 is taken'}
    """
    have = {"vendor_vol" if name == "vendor_vol_pct" else name for name in given}
    found = {}
    quoted = {"bid", "ask"} <= have
    for names, (what, then) in _CONSEQUENCES.items():
        parts = names.split()
        if not quoted and parts[0] in _OF_QUOTES:
            continue
        is_there = all(part in have for part in parts) if parts[0] == "bid" else have.intersection(parts)
        if not is_there:
            found[what] = then if quoted or parts[0] != "underlying_price" else _SPOT_OF_VOLS
    return found


def _told(reader: Reader) -> ChainFormat:
    about = reader.about
    return ChainFormat(
        reader.name,
        reader.title,
        reader.signature,
        _KNOWN[about.known] if about else "",
        about.origin if about else "",
        about.clock if about else "",
        about.vol if about else "",
        about.odd if about else (),
        {name: FIELDS[name] for name in reader.fields},
        {} if reader.companion else consequences(reader.fields),
        reader.companion,
        reader.on_request,
    )
