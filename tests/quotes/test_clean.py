"""Labels: a hand-made case for every code and flag, and what holds for every chain."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from volskew.errors import InputError
from volskew.market.rates import DiscountCurve
from volskew.market.table import market_row
from volskew.quotes.clean import counts, label, slices
from volskew.quotes.read import read_chain
from volskew.quotes.schema import LABEL_COLUMNS, Exclusion, Flag, conform, empty_quotes, has_flag
from volskew.settings import Settings

NOW = pd.Timestamp("2026-07-10 20:00", tz="UTC")
NEAR = pd.Timestamp("2026-08-21 20:00", tz="UTC")
FAR = pd.Timestamp("2026-10-16 20:00", tz="UTC")
SPOT = 100.0
RATE = 0.04
STRIKES = range(80, 125, 5)
KNOWN_RATE = Settings(rate=RATE)


def black(forward: float, strike: float, deviation: float, *, is_call: bool) -> float:
    """Undiscounted; the textbook formula, written out here on its own."""
    d1 = math.log(forward / strike) / deviation + deviation / 2
    d2 = d1 - deviation

    def n(x: float) -> float:
        return math.erfc(-x / math.sqrt(2)) / 2

    call = forward * n(d1) - strike * n(d2)
    return call if is_call else call - forward + strike


def chain(
    *,
    expiries: tuple[pd.Timestamp, ...] = (NEAR, FAR),
    exercise: str = "american",
    vol: float = 0.4,
    **columns: Any,
) -> pd.DataFrame:
    """A chain that no rule objects to: fair prices, rounded outwards to whole cents, 2 cents wide or more."""
    rows = []
    for expiry, strike, is_call in itertools.product(expiries, STRIKES, (True, False)):
        years = (expiry - NOW) / pd.Timedelta(days=365)
        discount = math.exp(-RATE * years)
        value = discount * black(SPOT / discount, strike, vol * math.sqrt(years), is_call=is_call)
        if exercise == "american":
            value = max(value, SPOT - strike if is_call else strike - SPOT)
        rows.append(
            {
                "expiry": expiry,
                "strike": float(strike),
                "is_call": is_call,
                "bid": math.floor(value * 100 - 1) / 100,
                "ask": math.ceil(value * 100 + 1) / 100,
            }
        )
    frame = pd.DataFrame(rows).assign(
        snapshot_time=NOW, symbol="QQQ", root="QQQ", settlement="PM", exercise=exercise, underlying_price=SPOT
    )
    frame = frame.assign(source_file="chain.csv", source_row=np.arange(2, len(frame) + 2), **columns)
    return conform(frame)


def at(quotes: pd.DataFrame, strike: float, right: str, expiry: pd.Timestamp = FAR) -> Any:
    """Row label of a line."""
    hit = (quotes["strike"] == strike) & (quotes["is_call"] == (right == "C")) & (quotes["expiry"] == expiry)
    (place,) = quotes.index[hit]
    return place


def changed(quotes: pd.DataFrame, place: Any, **values: Any) -> pd.DataFrame:
    result = quotes.copy()
    for column, value in values.items():
        result.loc[place, column] = value
    return result


def with_row(quotes: pd.DataFrame, place: Any, **values: Any) -> pd.DataFrame:
    """The chain and one more row, a copy of an old one with other values."""
    longer = pd.concat([quotes, quotes.loc[[place]].assign(source_row=len(quotes) + 2)], ignore_index=True)
    return changed(longer, len(quotes), **values)


def codes(labelled: pd.DataFrame) -> dict[Any, str]:
    return labelled["exclusion"].dropna().to_dict()


def flagged(labelled: pd.DataFrame, flag: str) -> list[Any]:
    return labelled.index[has_flag(labelled["flags"], flag)].tolist()


# --- the clean chain, and what holds of every result --------------------------------------------------------


@pytest.mark.parametrize("exercise", ["american", "european"])
@pytest.mark.parametrize("rate", [None, RATE])
def test_fair_chain_has_no_label(exercise: str, rate: float | None) -> None:
    labelled = label(chain(exercise=exercise), settings=Settings(rate=rate))
    assert codes(labelled) == {}
    assert labelled["flags"].eq("").all()
    assert not labelled["used_in_forward"].any()
    assert not labelled["used_in_smile"].any()


def test_rows_order_index_columns_and_input_are_kept() -> None:
    quotes = chain().sample(frac=1, random_state=3)
    before = quotes.copy(deep=True)
    labelled = label(quotes)
    assert_frame_equal(quotes, before)
    assert_frame_equal(labelled[quotes.columns], quotes)
    assert_frame_equal(conform(labelled), labelled)  # canonical dtypes, label columns included
    assert labelled.columns[-4:].tolist() == [column.name for column in LABEL_COLUMNS]


def test_no_lines_no_labels() -> None:
    labelled = label(empty_quotes())
    assert len(labelled) == 0
    assert "exclusion" in labelled
    assert counts(labelled)["lines"].sum() == 0


# --- one test a code ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("strike", np.nan),
        ("strike", 0.0),
        ("strike", -5.0),
        ("strike", np.inf),
        ("is_call", pd.NA),
        ("expiry", pd.NaT),
        ("bid", np.nan),
        ("ask", np.nan),
        ("ask", np.inf),
        ("bid", -1.0),
    ],
)
def test_parse(column: str, value: object) -> None:
    quotes = chain()
    place = at(quotes, 105, "C")
    labelled = label(changed(quotes, place, **{column: value}))
    assert codes(labelled) == {place: "PARSE"}


@pytest.mark.parametrize("values", [{"root": "QQQ1"}, {"root": "2QQQ"}, {"multiplier": 10.0}])
def test_root(values: dict[str, Any]) -> None:
    quotes = chain(multiplier=100.0)
    place = at(quotes, 105, "C")
    assert codes(label(changed(quotes, place, **values))) == {place: "ROOT"}


def test_expired_at_the_snapshot_and_before() -> None:
    quotes = chain()
    quotes = with_row(quotes, at(quotes, 105, "C"), expiry=NOW)
    quotes = with_row(quotes, at(quotes, 105, "C"), expiry=NOW - pd.Timedelta(hours=1))
    assert codes(label(quotes)) == dict.fromkeys(quotes.index[-2:], "EXPIRED")


def test_duplicates_collapse_or_one_wins_or_none() -> None:
    quotes = chain()
    same, wide, apart = at(quotes, 105, "C"), at(quotes, 110, "C"), at(quotes, 95, "P")
    quotes = with_row(quotes, same)
    quotes = with_row(quotes, wide, ask=quotes["ask"][wide] + 0.2)
    quotes = with_row(quotes, apart, bid=30.0, ask=30.2)
    n = len(quotes)
    labelled = label(quotes)
    assert codes(labelled) == {n - 3: "DUP", n - 2: "DUP", n - 1: "DUP", apart: "DUP"}
    assert flagged(labelled, Flag.COLLAPSED) == [same]


def test_of_conflicting_duplicates_the_latest_stays() -> None:
    quotes = chain()
    place = at(quotes, 105, "C")
    quotes["quote_time"] = NOW - pd.Timedelta(seconds=20)
    quotes = with_row(quotes, place, bid=30.0, ask=30.2, quote_time=NOW - pd.Timedelta(seconds=30))
    assert codes(label(quotes)) == {quotes.index[-1]: "DUP"}


def test_settle_flags_dates_with_both_settlements_and_pools_nothing() -> None:
    quotes = chain(expiries=(NEAR, FAR), exercise="european", root="SPXW", symbol="SPX")
    morning = chain(expiries=(FAR,), exercise="european", root="SPX", symbol="SPX", settlement="AM")
    morning["expiry"] = FAR - pd.Timedelta(hours=6, minutes=30)  # 09:30 of the same day
    both = pd.concat([quotes, morning], ignore_index=True)
    labelled = label(both)
    assert codes(labelled) == {}
    assert flagged(labelled, Flag.SETTLE) == both.index[both["expiry"] > NEAR].tolist()
    keys = [key for key, _ in slices(labelled)]
    assert keys == [("SPX", "AM", morning["expiry"][0]), ("SPXW", "PM", NEAR), ("SPXW", "PM", FAR)]


@pytest.mark.parametrize(
    ("bid", "ask", "code"),
    [(0.0, 0.0, "NOASK"), (1.0, 0.0, "NOASK"), (0.0, 0.05, "NOBID"), (3.2, 3.0, "CROSSED")],
)
def test_one_sided_and_crossed(bid: float, ask: float, code: str) -> None:
    quotes = chain()
    place = at(quotes, 110, "C")
    assert codes(label(changed(quotes, place, bid=bid, ask=ask))) == {place: code}


def test_an_expiry_with_too_many_crossed_lines_goes_whole() -> None:
    quotes = chain()
    for strike in (105, 110):
        place = at(quotes, strike, "C")
        quotes = changed(quotes, place, bid=quotes["ask"][place], ask=quotes["bid"][place])
    quotes = changed(quotes, at(quotes, 80, "P"), bid=0.0)
    labelled = label(quotes)  # 2 of 17 two-sided lines
    expected = dict.fromkeys(quotes.index[quotes["expiry"] == FAR], "CROSSED")
    assert codes(labelled) == expected | {at(quotes, 80, "P"): "NOBID"}
    assert list(codes(label(quotes, settings=Settings(crossed_share=0.2))).values()).count("CROSSED") == 2


def test_locked_is_a_flag() -> None:
    quotes = chain()
    place = at(quotes, 110, "C")
    labelled = label(changed(quotes, place, bid=quotes["ask"][place]))
    assert codes(labelled) == {}
    assert flagged(labelled, Flag.LOCKED) == [place]


@pytest.mark.parametrize(
    ("exercise", "strike", "right", "ask"),
    [
        ("american", 80, "C", 19.6),
        ("american", 120, "P", 19.6),
        ("european", 80, "C", 20.5),
        ("european", 120, "P", 18.5),
    ],
)
def test_bound_lo(exercise: str, strike: float, right: str, ask: float) -> None:
    # American floors are 20 and 20; European ones 100 - 80 D = 20.85 and 120 D - 100 = 18.72
    quotes = chain(exercise=exercise)
    place = at(quotes, strike, right)
    labelled = label(changed(quotes, place, bid=ask - 0.1, ask=ask), settings=KNOWN_RATE)
    assert codes(labelled) == {place: "BOUND_LO"}


def test_in_the_money_european_puts_may_be_worth_less_than_intrinsic() -> None:
    quotes = chain(exercise="european", vol=0.15)
    place = at(quotes, 120, "P")
    assert quotes["ask"][place] < 20
    assert "BOUND_LO" not in codes(label(quotes)).values()
    american = Settings(exercise_overrides=(("QQQ", "american"),))
    assert codes(label(quotes, settings=american))[place] == "BOUND_LO"


@pytest.mark.parametrize(("strike", "right"), [(80, "C"), (85, "P")])
def test_bound_hi(strike: float, right: str) -> None:
    quotes = chain()
    place = at(quotes, strike, right)
    assert codes(label(changed(quotes, place, bid=101.0, ask=101.2))) == {place: "BOUND_HI"}


@pytest.mark.parametrize("spot", [93.0, 107.0, np.nan])
def test_a_spot_that_parity_denies_is_not_believed(spot: float) -> None:
    quotes = chain(underlying_price=spot)
    labelled = label(quotes)
    assert codes(labelled) == {}
    assert flagged(labelled, Flag.PARITY) == []


def test_tick() -> None:
    quotes = chain()
    place = at(quotes, 80, "P", NEAR)
    assert codes(label(changed(quotes, place, bid=0.04, ask=0.05))) == {place: "TICK"}
    assert codes(label(changed(quotes, place, bid=0.04, ask=0.06))) == {}  # a mid of exactly 5 cents stays


def test_stale_by_its_own_time() -> None:
    quotes = chain(quote_time=NOW + pd.Timedelta(minutes=14))
    place = at(quotes, 105, "C")
    old = changed(quotes, place, quote_time=NOW - pd.Timedelta(seconds=61))
    assert codes(label(old)) == {place: "STALE"}
    assert codes(label(changed(quotes, place, quote_time=NOW - pd.Timedelta(seconds=60)))) == {}
    assert codes(label(old, settings=Settings(stale_seconds=120))) == {}


def yesterday(quotes: pd.DataFrame, *, spot: float, same: list[Any]) -> pd.DataFrame:
    """The session before: every quote different but those of `same`."""
    moved = ~quotes.index.isin(same)
    return quotes.assign(
        snapshot_time=NOW - pd.Timedelta(days=1),
        underlying_price=spot,
        bid=quotes["bid"] + 0.5 * moved,
        ask=quotes["ask"] + 0.5 * moved,
    )


@pytest.mark.parametrize("vendor_delta", [True, False])
def test_stale_by_an_unchanged_quote(vendor_delta: bool) -> None:
    quotes = chain(bid_size=10.0, ask_size=20.0)
    near, wing = at(quotes, 105, "C"), at(quotes, 80, "P", NEAR)
    if vendor_delta:
        quotes["vendor_delta"] = np.where(quotes.index == wing, -0.02, 0.3)
    before = yesterday(quotes, spot=99.0, same=[near, wing])
    assert codes(label(quotes, previous=before)) == {near: "STALE"}
    assert codes(label(quotes, previous=label(before))) == {near: "STALE"}
    assert codes(label(quotes, previous=before.assign(underlying_price=99.6))) == {}  # moved 0.4 %
    assert codes(label(quotes, previous=before.assign(bid_size=11.0))) == {}
    assert codes(label(quotes.assign(quote_time=NOW), previous=before)) == {}  # it has a time, and it is good
    no_sizes = {"bid_size": np.nan, "ask_size": np.nan}
    assert codes(label(quotes.assign(**no_sizes), previous=before.assign(**no_sizes))) == {near: "STALE"}


def test_without_a_price_in_the_file_the_market_s_spot_tells_the_move() -> None:
    quotes = chain(underlying_price=np.nan)
    place = at(quotes, 105, "C")
    before = yesterday(quotes, spot=99.0, same=[place])
    assert codes(label(quotes, previous=before)) == {}
    market = market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(RATE), spots={"QQQ": SPOT})
    assert codes(label(quotes, previous=before, market=market)) == {place: "STALE"}


def test_previous_must_be_earlier_and_of_the_same_symbol() -> None:
    quotes = chain()
    with pytest.raises(InputError, match=r"snapshot_time.*not of an earlier time"):
        label(quotes, previous=quotes)
    before = yesterday(quotes, spot=99.0, same=[])
    with pytest.raises(InputError, match=r"another symbol: 'IWM'\. Accepted: QQQ"):
        label(quotes, previous=before.assign(symbol="IWM"))
    assert codes(label(quotes, previous=empty_quotes())) == {}


def test_vert() -> None:
    quotes = chain()
    place = at(quotes, 110, "C")
    assert codes(label(changed(quotes, place, bid=9.0, ask=9.1))) == {place: "VERT"}


def test_fly() -> None:
    quotes = chain()
    place = at(quotes, 110, "C")
    mid = (quotes["bid"][at(quotes, 105, "C")] + quotes["bid"][at(quotes, 115, "C")]) / 2
    assert codes(label(changed(quotes, place, bid=mid + 0.1, ask=mid + 0.15))) == {place: "FLY"}


def test_lines_already_excluded_accuse_nobody() -> None:
    quotes = chain()
    bad = at(quotes, 110, "C")
    quotes = changed(quotes, bad, bid=0.0, ask=0.01)  # its ask alone would make a sure gain with 115
    assert codes(label(quotes)) == {bad: "NOBID"}


@pytest.mark.parametrize("exercise", ["american", "european"])
def test_parity_flags_both_legs(exercise: str) -> None:
    quotes = chain(exercise=exercise, expiries=(NEAR,))
    legs = [at(quotes, 120, right, NEAR) for right in "CP"]
    # a call of 120 too dear by 0.6, yet within every bound of calls alone
    wrong = changed(quotes, legs[0], bid=quotes["bid"][legs[0]] + 0.6, ask=quotes["ask"][legs[0]] + 0.6)
    wrong = changed(wrong, legs[1], bid=quotes["bid"][legs[1]] - 0.02)
    wrong = wrong[~((wrong["strike"] == 115) & wrong["is_call"])]
    labelled = label(wrong, settings=KNOWN_RATE)
    assert codes(labelled) == {}
    assert flagged(labelled, Flag.PARITY) == sorted(legs)


def test_parity_survives_a_wrong_rate() -> None:
    quotes = chain()
    market = market_row(dt.date(2026, 7, 10), curve=DiscountCurve.flat(0.0))
    labelled = label(quotes, market=market)
    near_money = labelled["strike"].between(95, 105)
    assert not has_flag(labelled["flags"], Flag.PARITY)[near_money].any()
    assert labelled["exclusion"].isna().all()


def test_cutoff_of_the_exchange_s_own_example() -> None:
    """Near-term board of the VIX white paper (Cboe 2014): strip 1370..2125, F = 1962.9, K0 = 1960."""
    puts = [
        (1345, 0, 0.15), (1350, 0.05, 0.15), (1355, 0.05, 0.35), (1360, 0, 0.35), (1365, 0, 0.35),
        (1370, 0.05, 0.35), (1375, 0.1, 0.15), (1380, 0.1, 0.2),
        (1950, 18.0, 18.5), (1955, 19.5, 20.0), (1960, 21.0, 21.6), (1965, 22.8, 23.5), (1970, 24.7, 25.4),
    ]  # fmt: skip
    calls = [
        (1950, 30.7, 31.5), (1955, 27.2, 28.0), (1960, 23.9, 24.6), (1965, 20.8, 21.3), (1970, 17.9, 18.3),
        (2095, 0.05, 0.35), (2100, 0.05, 0.15), (2120, 0, 0.15), (2125, 0.05, 0.15), (2150, 0, 0.1),
        (2175, 0, 0.05), (2200, 0, 0.05), (2225, 0.05, 0.1), (2250, 0, 0.05),
    ]  # fmt: skip
    rows = [(strike, bid, ask, False) for strike, bid, ask in puts]
    rows += [(strike, bid, ask, True) for strike, bid, ask in calls]
    frame = pd.DataFrame(rows, columns=["strike", "bid", "ask", "is_call"]).assign(
        snapshot_time=NOW, symbol="SPX", root="SPXW", settlement="PM", exercise="european", expiry=NEAR,
        source_file="board", source_row=range(2, len(rows) + 2),
    )  # fmt: skip
    labelled = label(conform(frame))
    two_sided = labelled["bid"] > 0
    beyond = has_flag(labelled["flags"], Flag.CUTOFF)
    assert labelled.loc[beyond & two_sided, "strike"].tolist() == [1350, 1355, 2225]
    assert labelled.loc[beyond & ~two_sided, "strike"].tolist() == [1345, 2200, 2250]


# --- chains of a vendor's vols ------------------------------------------------------------------------------


def vendor_chain() -> pd.DataFrame:
    return chain(vendor_vol=0.2, volume=0.0).assign(bid=np.nan, ask=np.nan)


def test_vendor_vols_need_no_quotes_and_are_judged_on_no_price() -> None:
    quotes = vendor_chain()
    zero, none, wild = at(quotes, 105, "C"), at(quotes, 110, "C"), at(quotes, 115, "C")
    for place, vol in ((zero, 0.0), (none, np.nan), (wild, 3.0)):
        quotes = changed(quotes, place, vendor_vol=vol)
    quotes = with_row(quotes, at(quotes, 95, "P"))
    quotes = with_row(quotes, at(quotes, 90, "P"), vendor_vol=0.5)
    n = len(quotes)
    labelled = label(quotes)
    expected = {zero: "PARSE", none: "PARSE", n - 2: "DUP", n - 1: "DUP", at(chain(), 90, "P"): "DUP"}
    assert codes(labelled) == expected
    accepted = labelled["exclusion"].isna()
    assert has_flag(labelled["flags"], Flag.NO_QUOTES).equals(accepted)


def test_a_few_quotes_do_not_make_it_a_quoted_chain() -> None:
    quotes = vendor_chain()
    assert len(quotes) == 36  # so that one line is under 5 % and two are over
    one = label(changed(quotes, at(quotes, 105, "C"), bid=1.0, ask=1.1))
    assert one["exclusion"].isna().all()
    two = changed(
        changed(quotes, at(quotes, 105, "C"), bid=1.0, ask=1.1), at(quotes, 105, "P"), bid=1.0, ask=1.1
    )
    assert label(two)["exclusion"].value_counts().to_dict() == {"PARSE": len(quotes) - 2}
    assert flagged(label(two), Flag.NO_QUOTES) == []


def test_neither_quotes_nor_vols() -> None:
    assert set(codes(label(vendor_chain().assign(vendor_vol=np.nan))).values()) == {"PARSE"}


# --- hostile input ------------------------------------------------------------------------------------------


def test_more_than_one_snapshot_or_symbol_is_refused_by_name() -> None:
    quotes = chain()
    other = quotes.assign(symbol="IWM")
    with pytest.raises(InputError, match=r"column 'symbol'.*2 different values \(IWM, QQQ\)"):
        label(pd.concat([quotes, other], ignore_index=True))
    later = quotes.assign(snapshot_time=NOW + pd.Timedelta(days=1))
    with pytest.raises(InputError, match=r"column 'snapshot_time'.*2026-07-10.*2026-07-11"):
        label(pd.concat([quotes, later], ignore_index=True))


def test_missing_and_unreadable_columns_are_named() -> None:
    quotes = chain()
    with pytest.raises(InputError, match="lacks bid, ask"):
        label(quotes.drop(columns=["bid", "ask"]))
    with pytest.raises(InputError, match=r"column 'strike'.*no numbers"):
        label(quotes.assign(strike="high"))


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_tiny_chains_are_labelled_too(keep: int) -> None:
    assert codes(label(chain().head(keep))) == {}


def test_calls_alone_are_labelled() -> None:
    quotes = chain()
    assert codes(label(quotes[quotes["is_call"]])) == {}


# --- real chains --------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "lost"),
    [
        # the exchange's own closing snapshots are consistent; the other vendor's hold stale lines
        ("cboe_delayed/IWM_2026-06-24.json.gz", 0.0),
        ("cboe_flat/SPX_2026-07-24.csv.gz", 0.0),
        ("generic/QQQ_2026-07-10.csv.gz", 0.02),
        ("generic/IWM_2026-07-10.csv.gz", 0.04),
    ],
)
def test_real_closing_chains_lose_few_two_sided_lines_near_the_money(
    real: Path, name: str, lost: float
) -> None:
    labelled = label(read_chain(real / name))
    assert counts(labelled)["lines"].sum() == len(labelled)
    unusable = {"PARSE", "ROOT", "EXPIRED", "DUP", "NOASK", "NOBID"}
    tried = labelled["vendor_delta"].abs().between(0.1, 0.9) & ~labelled["exclusion"].isin(unusable)
    assert labelled["exclusion"].notna()[tried].sum() <= lost * tried.sum()
    quarter = labelled["expiry"].sub(labelled["snapshot_time"]).dt.days.between(60, 110)
    assert labelled["exclusion"].isna()[tried & quarter].all()


# --- what holds for every chain -----------------------------------------------------------------------------

DIRT: tuple[dict[str, Any], ...] = (
    {"bid": 0.0},
    {"ask": 0.0},
    {"bid": 9.0, "ask": 9.1},
    {"bid": 5.0, "ask": 4.9},
    {"bid": 0.01, "ask": 0.02},
    {"bid": 150.0, "ask": 151.0},
    {"strike": float("nan")},
    {"expiry": pd.NaT},
    {"root": "QQQ1"},
    {"is_call": pd.NA},
    {"expiry": NOW},
)


@st.composite
def dirty_chains(draw: st.DrawFn) -> pd.DataFrame:
    quotes = chain()
    places = draw(st.lists(st.integers(0, len(quotes) - 1), max_size=8))
    for place in places:
        values = draw(st.sampled_from(DIRT))
        quotes = (
            with_row(quotes, place, **values) if draw(st.booleans()) else changed(quotes, place, **values)
        )
    return quotes


@hypothesis_settings(max_examples=20, deadline=None)
@given(dirty_chains(), st.integers(0, 2**31))
def test_labels_are_idempotent_blind_to_order_and_complete(quotes: pd.DataFrame, seed: int) -> None:
    labelled = label(quotes)
    assert_frame_equal(label(labelled), labelled)
    shuffled = quotes.sample(frac=1, random_state=seed)
    assert_frame_equal(label(shuffled).loc[quotes.index], labelled)
    table = counts(labelled)
    assert table["lines"].sum() == len(quotes)
    assert (table.drop(columns="lines").sum(axis=1) == table["lines"]).all()
    assert set(labelled["exclusion"].dropna()) <= set(map(str, Exclusion))


def test_counts_by_expiry_and_code() -> None:
    quotes = chain()
    quotes = changed(quotes, at(quotes, 105, "C"), bid=0.0)
    quotes = changed(quotes, at(quotes, 110, "C"), expiry=pd.NaT)
    quotes = with_row(quotes, at(quotes, 100, "P", NEAR))
    table = counts(label(quotes))
    assert table.columns.tolist() == [*map(str, Exclusion), "accepted", "lines"]
    assert table["lines"].to_dict() == {
        (NEAR, "QQQ", "PM"): 19,
        (FAR, "QQQ", "PM"): 17,
        (pd.NaT, "QQQ", "PM"): 1,
    }
    assert table["NOBID"].tolist() == [0, 1, 0]
    assert table["DUP"].tolist() == [1, 0, 0]
    assert table["PARSE"].tolist() == [0, 0, 1]
    assert table["accepted"].tolist() == [18, 16, 0]
