"""OptionMetrics secnmd: the names of the underlyings, read beside option prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from volskew.errors import InputError
from volskew.quotes.beside import Stamp, jobs_beside, stamp_of
from volskew.quotes.cells import coded, positions, texts
from volskew.quotes.containers import Member
from volskew.quotes.detect import read_head
from volskew.quotes.formats import Format, declare
from volskew.quotes.named import symbol_in_names
from volskew.quotes.raw import About, Head, Job, RawChain
from volskew.quotes.roots import root_terms
from volskew.quotes.sides import replaced
from volskew.quotes.tabular import read_tabular
from volskew.quotes.vendors.optionmetrics_secprd import Ints, days_of, identifiers, keyed

__all__ = ["READER", "mapped", "names_beside", "tickers_of", "told_apart"]

Array = np.ndarray[Any, Any]

FORMAT: Final = Format(
    name="optionmetrics_secnmd",
    title="OptionMetrics security names (secnmd), which hold no options",
    about=About(origin="IvyDB US through WRDS, table secnmd", clock="effect_date", known="readers"),
    signature=("secid", "effectdate", "ticker"),
    without=("exdate", "bestbid"),
    columns={"date": "effectdate", "+secid": "secid", "symbol": "ticker"},
)
READER: Final = replace(
    declare(FORMAT),
    companion="read beside option prices of the same folder or archive, for the underlying's ticker",
)


def tickers_of(
    chain: RawChain, job: Job, secid: Array, days: Array, roots: pa.DictionaryArray
) -> pa.DictionaryArray:
    """The ticker of each line: its column, else names beside the file, else the roots of its option symbols.

    Raises
    ------
    InputError
        An underlying has no name; or nothing in the rows or in names of files says which it is.
    """
    if "@ticker" in chain.cells:
        chain.names["symbol"] = chain.names["@ticker"]
        return coded(chain.cells["@ticker"])
    if not (secid >= 0).any():
        if roots.null_count < len(roots):
            chain.names["symbol"] = chain.names["@symbol"]
            return mapped(roots, lambda root: root_terms(root).underlying)
        chain.call(symbol_in_names(job.member))
        return coded(chain.cells["symbol"])
    chain.names["symbol"] = chain.names["+secid"]
    keys, first, of_line = np.unique(keyed(secid, days), return_index=True, return_inverse=True)
    names = names_beside(job, secid[first], days[first])
    unnamed = (names == "") & (secid[first] >= 0)
    if unnamed.any() and roots.null_count < len(roots):
        names = np.where(unnamed, _names_of_roots(secid, roots, secid[first]), names)
        unnamed &= names == ""
    unnamed &= keys >= 0
    if unnamed.any():
        lost = np.unique(secid[first][unnamed])
        place = int(np.argmax(secid == lost[0]))
        more = f" and {len(lost) - 1} others" if len(lost) > 1 else ""
        raise InputError(
            f"nothing says which underlying this is{more}",
            file=job.member.label,
            row=int(chain.rows[place]),
            column=chain.names["+secid"],
            value=str(lost[0]),
            accepted="the table secnmd (secid, effect_date, ticker) in a file beside this one, or the column "
            "ticker or symbol in the extract",
        )
    words, codes = np.unique(names.astype(str), return_inverse=True)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes[of_line]), pa.array(words.tolist(), type=pa.string())
    )


def _names_of_roots(secid: Array, roots: pa.DictionaryArray, wanted: Array) -> Array:
    """The underlying that most option symbols of an identifier have for a root, "" where none has any."""
    words = [root_terms(root).underlying if root else "" for root in roots.dictionary.to_pylist()]
    names, of_word = np.unique(np.array([*words, ""], dtype=str), return_inverse=True)
    place = of_word[positions(roots)]
    there = (names[place] != "") & (secid >= 0)
    pairs, counts = np.unique(secid[there] * len(names) + place[there], return_counts=True)
    order = np.argsort(counts, kind="stable")  # the commonest comes last, and stays
    common = {int(pair // len(names)): str(names[pair % len(names)]) for pair in pairs[order]}
    return np.array([common.get(int(one), "") for one in wanted], dtype=object)


def told_apart(tickers: pa.DictionaryArray, secid: Array, days: Array) -> pa.DictionaryArray:
    """Tickers, with the identifier behind those that two securities have on one day (classes of a share)."""
    keys, first = np.unique(keyed(secid, days), return_index=True)
    first = first[keys >= 0]
    of_day = keyed(positions(tickers)[first], days[first])
    found, counts = np.unique(of_day, return_counts=True)
    shared = np.isin(of_day, found[(counts > 1) & (found >= 0)])
    words = tickers.dictionary.to_pylist()
    for code, other in sorted(set(zip(positions(tickers)[first[shared]], secid[first[shared]], strict=True))):
        lines = (positions(tickers) == code) & (secid == other)
        tickers = replaced(tickers, lines, f"{words[code]}:{other}")
    return tickers


def mapped(words: pa.DictionaryArray, one: Callable[[str], str]) -> pa.DictionaryArray:
    """A column of text with each distinct one, but for blanks, turned into another."""
    found = [one(text) if text else text for text in words.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(words.indices, pa.array(found, type=pa.string()))


def names_beside(job: Job, secid: Ints, days: Array) -> Array:
    """Tickers of the underlyings at their dates out of the files beside a chain, "" where they have none.

    Parameters
    ----------
    job : Job
        The chain.
    secid : ndarray of int64, shape (n,)
        Underlyings, -1 where not known; distinct ones with their days suffice.
    days : ndarray of datetime64[D], shape (n,)
        Dates: the name is that of the last change on or before them, else the first there is.
    """
    found = np.full(len(secid), "", dtype=object)
    wanted = keyed(secid, days)
    for other in jobs_beside(job, _is_secnmd):
        keys, of_key, names = _names(other.member, stamp_of(other.member))
        if not len(keys):
            continue
        place = np.searchsorted(keys, wanted, side="right")
        for tried in (np.maximum(place - 1, 0), np.minimum(place, len(keys) - 1)):
            hit = (of_key[tried] == secid) & (found == "") & (secid >= 0)
            found = np.where(hit, names[tried], found)
    return found


def _is_secnmd(head: Head) -> bool:
    return READER.match(head, {}).full


@lru_cache(maxsize=8)
def _names(member: Member, _stamp: Stamp) -> tuple[Ints, Ints, Array]:
    """Sorted keys of a file, with the identifier and the ticker of each."""
    chain = read_tabular(FORMAT, Job(member, read_head(member)))
    secid = identifiers(chain, "+secid")
    keys = keyed(secid, days_of(chain, "date", member.label))
    names = texts(chain.cells["symbol"])
    good = (keys >= 0) & (names != "")
    order = np.argsort(keys[good], kind="stable")
    return keys[good][order], secid[good][order], names[good][order]
