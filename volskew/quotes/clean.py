"""Labels: which lines of a chain may be used, and for every other line the one reason why not.

No line is dropped. The rules that need no vol are applied in a fixed order, the first that hits gives the
line its code, and a line excluded by one rule is no witness in a later one. Rules that need a vol (WIDE,
BOUND_MID, TICK by vega, OUTLIER) belong to later stages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from volskew.market.table import MarketRow
from volskew.quotes.arbitrage import butterfly_offenders, vertical_offenders
from volskew.quotes.bounds import Parity, above_ceiling, below_floor, breaks_parity, read_parity
from volskew.quotes.duplicates import Duplicates, find_duplicates, shared_contracts
from volskew.quotes.lines import (
    NO_TIME,
    SLACK,
    BoolArray,
    FloatArray,
    IntArray,
    Lines,
    by_vendor,
    instants,
    numeric,
)
from volskew.quotes.overrides import Overrides, find_overridden
from volskew.quotes.roots import is_adjusted_root
from volskew.quotes.schema import Exclusion, Flag, with_columns
from volskew.quotes.staleness import quoted_too_early, unchanged_while_spot_moved
from volskew.settings import Settings

if TYPE_CHECKING:
    from pandas.api.typing import DataFrameGroupBy

__all__ = ["Labels", "counts", "find_labels", "label", "slices"]

SLICE_KEY: Final = ("root", "settlement", "expiry")
_DEFAULTS: Final = Settings()
_STANDARD_MULTIPLIER: Final = 100.0
_MIN_CROSSED: Final = 2
_EXCLUSIONS: Final = tuple(Exclusion)
_FLAGS: Final = tuple(sorted(Flag))
_ACCEPTED: Final = "accepted"


def label(
    quotes: pd.DataFrame,
    *,
    market: MarketRow | None = None,
    previous: pd.DataFrame | None = None,
    overrides: Overrides | None = None,
    settings: Settings = _DEFAULTS,
) -> pd.DataFrame:
    """Label every line of one snapshot with its exclusion code and flags.

    Rules, in order: OVERRIDE (left out on somebody's word), PARSE, ROOT, EXPIRED, DUP (flag COLLAPSED on the
    line that others were collapsed into), flag SETTLE, NOASK, NOBID, CROSSED, flag LOCKED, BOUND_LO,
    BOUND_HI, TICK (by price), STALE, VERT, FLY, and on what is left the flags PARITY and CUTOFF. Lines in the
    money are no errors. Prices are compared with a slack of 1e-9 dollars for float noise.

    A chain with vendor vols, under 5 % of whose lines have a bid and an ask, is labelled for the vols: PARSE
    asks for a positive vendor vol, every other line carries the flag NO_QUOTES, and the rules on prices do
    not apply. Lines without volume stay.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Canonical quotes of one (symbol, snapshot_time). Labels that it already has are made afresh.
    market : MarketRow, optional
        The date's discount curve, for the bounds. Without it `Settings.rate`, or the assumed rate.
    previous : pandas.DataFrame, optional
        The symbol's quotes of the session before, for lines without a quote time: unchanged quotes are
        stale if the underlying moved.
    overrides : Overrides, optional
        Quotes to leave out, beside those that `market` names.
    settings : Settings
        Thresholds and exercise overrides.

    Returns
    -------
    pandas.DataFrame
        A copy with `LABEL_COLUMNS`; rows, their order and the index are those of `quotes`. `exclusion` is
        null for accepted lines, `flags` is empty where there are none, `used_in_forward` and
        `used_in_smile` are False until a later stage uses the line.

    Raises
    ------
    InputError
        A canonical column is absent or holds no numbers, there is more than one symbol or snapshot, or
        `previous` is of another symbol or not earlier.

    Notes
    -----
    An expiry is rejected whole with CROSSED when more than `Settings.crossed_share` of its lines with bid
    and ask are crossed, and at least two are: one crossed line says nothing of the others.
    Missing bids and asks are PARSE (unreadable), a bid or ask of 0 is NOBID or NOASK.
    """
    lines = Lines.of(quotes, market=market, settings=settings)
    overridden, _ = find_overridden(quotes, market=market, overrides=overrides)
    labels = find_labels(quotes, lines, previous=previous, settings=settings, overridden=overridden)
    return with_columns(quotes, labels.columns())


def find_labels(
    quotes: pd.DataFrame,
    lines: Lines,
    *,
    previous: pd.DataFrame | None,
    settings: Settings,
    overridden: BoolArray | None = None,
) -> Labels:
    """The labels of a table whose arrays are `lines`, and of which some lines are overridden; see `label`."""
    labels = Labels.none(len(quotes))
    if overridden is not None:
        labels.exclude(Exclusion.OVERRIDE, overridden)
    vendor_vol = numeric(quotes, "vendor_vol")
    vols_only = by_vendor(bid=lines.bid, ask=lines.ask, vendor_vol=vendor_vol)

    price_is_bad = ~(np.isfinite(lines.bid) & np.isfinite(lines.ask) & (lines.bid >= 0) & (lines.ask >= 0))
    value_is_bad = ~(np.isfinite(vendor_vol) & (vendor_vol > 0)) if vols_only else price_is_bad
    no_contract = ~(np.isfinite(lines.strike) & (lines.strike > 0) & lines.has_right)
    labels.exclude(Exclusion.PARSE, no_contract | (lines.expiry == NO_TIME) | value_is_bad)
    labels.exclude(Exclusion.ROOT, _is_adjusted(quotes))
    labels.exclude(Exclusion.EXPIRED, lines.expiry <= instants(quotes["snapshot_time"]))
    duplicates = _duplicates(
        quotes, lines, vendor_vol if vols_only else None, np.flatnonzero(labels.accepted)
    )
    labels.flag(Flag.COLLAPSED, duplicates.collapsed_into)
    labels.exclude(Exclusion.DUP, duplicates.loses)
    labels.flag(Flag.SETTLE, labels.accepted & _mixes_settlements(quotes, labels.accepted))
    if vols_only:
        labels.flag(Flag.NO_QUOTES, labels.accepted)
    else:
        _apply_price_rules(quotes, lines, labels, previous=previous, settings=settings)
    return labels


def slices(quotes: pd.DataFrame) -> DataFrameGroupBy[Any, Any]:
    """The lines of each slice, that is of each (root, settlement, expiry), in sorted order.

    Lines without expiry are in no slice. AM- and PM-settled lines of one date are separate slices.

    Examples
    --------
    >>> from volskew.quotes.schema import empty_quotes
    >>> [key for key, lines in slices(empty_quotes())]
    []
    """
    return quotes.groupby(list(SLICE_KEY), sort=True, observed=True, dropna=True)


def counts(labelled: pd.DataFrame) -> pd.DataFrame:
    """How many lines of each expiry each code took.

    Parameters
    ----------
    labelled : pandas.DataFrame
        What `label` returned, of one or more snapshots.

    Returns
    -------
    pandas.DataFrame
        One row a slice, indexed by (expiry, root, settlement), lines without an expiry under NaT. Columns:
        every exclusion code in the order of the rules, ``accepted``, and ``lines``, which is the sum of
        all the others in every row.
    """
    codes = pd.Categorical(
        labelled["exclusion"].fillna(_ACCEPTED), categories=[*map(str, _EXCLUSIONS), _ACCEPTED]
    )
    index = ["expiry", "root", "settlement"]
    number = labelled.groupby(index, sort=True, dropna=False).ngroup().to_numpy()
    _, first = np.unique(number, return_index=True)
    n_codes = len(codes.categories)
    table = np.bincount(number * n_codes + codes.codes, minlength=len(first) * n_codes)
    result = pd.DataFrame(
        table.reshape(len(first), n_codes),
        index=pd.MultiIndex.from_frame(labelled[index].iloc[first]),
        columns=list(codes.categories),
    )
    return result.assign(lines=result.sum(axis=1))


class Labels:
    """Codes and flags of the lines of one snapshot, as numbers."""

    def __init__(self, code: IntArray, flags: IntArray) -> None:
        self._code = code
        self._flags = flags

    @classmethod
    def none(cls, n: int) -> Labels:
        """No line has a code or a flag."""
        return cls(np.full(n, -1, dtype=np.intp), np.zeros(n, dtype=np.intp))

    @classmethod
    def of(cls, labelled: pd.DataFrame) -> Labels:
        """What stands in a labelled table."""
        which, texts = pd.factorize(labelled["exclusion"])
        code = np.array([*map(_EXCLUSIONS.index, texts), -1], dtype=np.intp)[which]
        which, texts = pd.factorize(labelled["flags"])
        bits = [sum(1 << _FLAGS.index(flag) for flag in text.split()) for text in texts]
        return cls(code, np.array([*bits, 0], dtype=np.intp)[which])

    @property
    def accepted(self) -> BoolArray:
        """Lines without a code."""
        return np.asarray(self._code < 0, dtype=np.bool_)

    def have_code(self, code: Exclusion) -> BoolArray:
        """Lines that this code excludes."""
        return np.asarray(self._code == _EXCLUSIONS.index(code), dtype=np.bool_)

    def have_flag(self, flag: Flag) -> BoolArray:
        """Lines that carry this flag."""
        return np.asarray(self._flags >> _FLAGS.index(flag) & 1, dtype=np.bool_)

    def copy(self) -> Labels:
        """The same, to be added to."""
        return Labels(self._code.copy(), self._flags.copy())

    def exclude(self, code: Exclusion, hit: BoolArray) -> None:
        """Give the lines hit this code, where they have none yet."""
        self._code[hit & self.accepted] = _EXCLUSIONS.index(code)

    def flag(self, flag: Flag, hit: BoolArray) -> None:
        """Add a flag to the lines hit."""
        self._flags[hit] |= 1 << _FLAGS.index(flag)

    def columns(
        self, *, used_in_forward: BoolArray | None = None, used_in_smile: BoolArray | None = None
    ) -> dict[str, Any]:
        """`LABEL_COLUMNS`; no line has served a forward or a smile where none are given."""
        text = pd.StringDtype(na_value=float("nan"))
        names = pd.array([*map(str, _EXCLUSIONS), None], dtype=text)  # -1 takes the last, the null
        unused = np.zeros(len(self._code), dtype=bool)
        combinations = np.flatnonzero(np.bincount(self._flags))
        words = [
            " ".join(flag for bit, flag in enumerate(_FLAGS) if combination >> bit & 1)
            for combination in combinations.tolist()
        ]
        which = np.searchsorted(combinations, self._flags)
        return {
            "exclusion": names.take(self._code),
            "flags": pd.array(words, dtype=text).take(which),
            "used_in_forward": unused if used_in_forward is None else used_in_forward,
            "used_in_smile": unused if used_in_smile is None else used_in_smile,
        }


def _apply_price_rules(
    quotes: pd.DataFrame,
    lines: Lines,
    labels: Labels,
    *,
    previous: pd.DataFrame | None,
    settings: Settings,
) -> None:
    quoted = labels.accepted
    labels.exclude(Exclusion.NOASK, lines.ask <= 0)
    labels.exclude(Exclusion.NOBID, lines.bid <= 0)
    labels.exclude(Exclusion.CROSSED, _crossed(lines, labels.accepted, settings))
    labels.flag(Flag.LOCKED, labels.accepted & (np.abs(lines.bid - lines.ask) <= SLACK))

    parity = read_parity(lines, labels.accepted)
    labels.exclude(Exclusion.BOUND_LO, below_floor(lines, parity))
    labels.exclude(Exclusion.BOUND_HI, above_ceiling(lines, parity))
    labels.exclude(Exclusion.TICK, (lines.bid + lines.ask) / 2 < settings.min_mid - SLACK)
    labels.exclude(Exclusion.STALE, quoted_too_early(quotes, settings=settings))
    if previous is not None and len(previous):
        unchanged = unchanged_while_spot_moved(
            quotes, previous=previous, lines=lines, parity=parity, accepted=labels.accepted, settings=settings
        )
        labels.exclude(Exclusion.STALE, unchanged)
    _exclude_arbitrage(lines, labels)

    parity = read_parity(lines, labels.accepted)
    labels.flag(Flag.PARITY, breaks_parity(lines, parity))
    labels.flag(Flag.CUTOFF, _beyond_cutoff(lines, quoted, parity))


def _exclude_arbitrage(lines: Lines, labels: Labels) -> None:
    here = np.flatnonzero(labels.accepted)
    width = np.where(lines.slice_european, lines.slice_discount_high, 1.0)
    hit = np.zeros(len(lines.strike), dtype=bool)
    hit[here] = vertical_offenders(
        strike=lines.strike[here],
        is_call=lines.is_call[here],
        bid=lines.bid[here],
        ask=lines.ask[here],
        group=lines.slice_id[here],
        width=width[lines.slice_id[here]],
    )
    labels.exclude(Exclusion.VERT, hit)

    here = np.flatnonzero(labels.accepted)
    hit = np.zeros(len(lines.strike), dtype=bool)
    hit[here] = butterfly_offenders(
        strike=lines.strike[here],
        is_call=lines.is_call[here],
        bid=lines.bid[here],
        ask=lines.ask[here],
        group=lines.slice_id[here],
    )
    labels.exclude(Exclusion.FLY, hit)


def _is_adjusted(quotes: pd.DataFrame) -> BoolArray:
    """Lines whose contract does not deliver the standard 100 units.

    Their root is adjusted, mini or FLEX, or their multiplier, where the file states it, is another.
    """
    codes, roots = pd.factorize(quotes["root"], use_na_sentinel=False)
    odd = [isinstance(root, str) and is_adjusted_root(root) for root in roots]
    multiplier = numeric(quotes, "multiplier")
    wrong_size = ~np.isnan(multiplier) & (multiplier != _STANDARD_MULTIPLIER)
    return np.asarray(np.array(odd, dtype=bool)[codes] | wrong_size, dtype=np.bool_)


def _duplicates(
    quotes: pd.DataFrame, lines: Lines, vendor_vol: FloatArray | None, here: IntArray
) -> Duplicates:
    here = here[shared_contracts(lines.slice_id[here], lines.strike[here], lines.is_call[here])]
    if not len(here):
        nothing = np.zeros(len(quotes), dtype=bool)
        return Duplicates(loses=nothing, collapsed_into=nothing)
    files = pd.factorize(quotes["source_file"], sort=True)[0][here]
    place = np.lexsort((quotes["source_row"].to_numpy()[here], files))
    row = np.empty(len(here), dtype=np.intp)
    row[place] = np.arange(len(here))
    found = find_duplicates(
        group=lines.slice_id[here],
        strike=lines.strike[here],
        is_call=lines.is_call[here],
        low=(lines.bid if vendor_vol is None else vendor_vol)[here],
        high=(lines.ask if vendor_vol is None else vendor_vol)[here],
        time=instants(quotes["quote_time"])[here],
        row=row,
    )
    loses = np.zeros(len(quotes), dtype=bool)
    collapsed_into = np.zeros(len(quotes), dtype=bool)
    loses[here], collapsed_into[here] = found.loses, found.collapsed_into
    return Duplicates(loses=loses, collapsed_into=collapsed_into)


def _mixes_settlements(quotes: pd.DataFrame, accepted: BoolArray) -> BoolArray:
    """Lines of a date (in New York) on which accepted lines of both settlements expire."""
    morning = (quotes["settlement"] == "AM").to_numpy(dtype=bool)
    if not morning.any():
        return morning
    instant_code, unique = pd.factorize(quotes["expiry"])
    days = pd.DatetimeIndex(unique).tz_convert("America/New_York").normalize()
    day_code, day = pd.factorize(days)
    known = instant_code >= 0
    date = np.where(known, np.append(day_code, 0)[instant_code], 0)
    has_morning = np.bincount(date[accepted & morning], minlength=len(day) + 1) > 0
    has_evening = np.bincount(date[accepted & ~morning], minlength=len(day) + 1) > 0
    return np.asarray(known & (has_morning & has_evening)[date], dtype=np.bool_)


def _crossed(lines: Lines, accepted: BoolArray, settings: Settings) -> BoolArray:
    crossed = accepted & (lines.bid > lines.ask + SLACK)
    n_crossed = np.bincount(lines.slice_id[crossed], minlength=lines.n_slices)
    n_lines = np.bincount(lines.slice_id[accepted], minlength=lines.n_slices)
    is_bad = (n_crossed > settings.crossed_share * n_lines) & (n_crossed >= _MIN_CROSSED)
    return np.asarray(crossed | is_bad[lines.slice_id], dtype=np.bool_)


def _beyond_cutoff(lines: Lines, quoted: BoolArray, parity: Parity) -> BoolArray:
    """Lines farther out of the money than two zero bids in a row, walking out from K0.

    K0 is the highest strike at or below the forward (Cboe, VIX methodology); calls are walked upwards from
    above it, puts downwards from below it. `quoted` are the lines walked over, zero bids among them, but no
    unreadable, adjusted, expired or duplicate ones.
    """
    forward = parity.forward[lines.slice_id]
    below = quoted & (lines.strike <= forward)
    anchor = np.full(lines.n_slices, -np.inf)
    np.maximum.at(anchor, lines.slice_id[below], lines.strike[below])
    k0 = anchor[lines.slice_id]
    walked = quoted & np.isfinite(forward) & np.where(lines.is_call, lines.strike > k0, lines.strike < k0)
    here = np.flatnonzero(walked)
    outward = np.where(lines.is_call, lines.strike, -lines.strike)[here]
    side = 2 * lines.slice_id[here] + lines.is_call[here]
    order = np.lexsort((outward, side))
    side, no_bid = side[order], lines.bid[here][order] <= 0
    second = np.zeros(len(here), dtype=np.intp)
    second[1:] = no_bid[1:] & no_bid[:-1] & (side[1:] == side[:-1])
    stops_before = np.cumsum(second) - second
    stops_before -= stops_before[np.searchsorted(side, side, side="left")]
    result = np.zeros(len(lines.strike), dtype=bool)
    result[here[order]] = stops_before > 0
    return result
