"""Intraday readings against closes: refused, or mixed in the open."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.history import History
from volskew.ledger import Code, Ledger
from volskew.market import sessions
from volskew.workflow import measure_files
from volskew.workflow.snapshots import Mix, View, choose_view, find_mix, mixed_rows, snapshot_of

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"
_DAY = dt.date(2026, 7, 10)
_PAIRS = [("QQQ", "IWM")]
_OPTION = "--allow-mixed-snapshots"


def closes(
    n: int = 300, *, series: str = "close", last: str = "2026-07-09", clock: str = "20:00"
) -> pd.DataFrame:
    """Readings of both legs on n sessions."""
    days = sessions(dt.date(2020, 1, 2), dt.date.fromisoformat(last))[-n:]
    rows = [(day.date().isoformat(), symbol) for day in days for symbol in ("IWM", "QQQ")]
    frame = pd.DataFrame(rows, columns=["date", "symbol"])
    frame["value"] = np.round(0.2 + 0.01 * np.sin(np.arange(len(frame))), 8)
    frame["snapshot_time"] = frame["date"] + f"T{clock}:00Z"
    return frame.assign(series=series, measure="implied_vol", tenor="3m", delta="0.25", flags="")


def reading(
    symbol: str, clock: str, *, series: str = "11:30", flags: str = "", day: str = "2026-07-10"
) -> pd.DataFrame:
    """One reading; the clock is New York's, which is four hours behind UTC in July."""
    hour, minute = map(int, clock.split(":"))
    return closes(1).iloc[:1].assign(
        series=series, date=day, symbol=symbol, value=0.19, flags=flags,
        snapshot_time=f"{day}T{hour + 4:02d}:{minute:02d}:00Z",
    )  # fmt: skip


def history(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


def now(one: str = "11:32", other: str = "11:32", **columns: str) -> pd.DataFrame:
    return history(reading("QQQ", one, **columns), reading("IWM", other, **columns))


def view_of(rows: pd.DataFrame, *, main: str, as_of: dt.date | None = None, allowed: bool = False) -> View:
    newest = max(map(dt.date.fromisoformat, rows["date"]))
    return choose_view(rows, pairs=_PAIRS, main=main, as_of=as_of, newest=newest, allowed=allowed)


# --- what is mixed ------------------------------------------------------------------------------------------


def test_the_day_s_readings_stand_after_the_closes_and_say_so() -> None:
    rows = history(closes(), now(flags="ROLL"))
    before = rows.copy(deep=True)
    view = view_of(rows, main="11:30", allowed=True)
    assert (view.series, view.day) == ("11:30+close", _DAY)
    assert view.sentences == ()  # the verdict has the mix's own
    (entry,) = view.entries
    assert (entry.code, entry.is_failure, entry.date) == (Code.MIXED_SNAPSHOTS, False, _DAY)
    assert view.mix is not None
    mixed = mixed_rows(view.mix, rows)
    pd.testing.assert_frame_equal(rows, before)
    assert len(mixed) == 602
    assert set(mixed["series"]) == {"11:30+close"}
    today = mixed["date"] == "2026-07-10"
    assert mixed.loc[today, "flags"].tolist() == ["MIXED_SNAPSHOTS ROLL"] * 2
    assert mixed.loc[~today, "flags"].eq("").all()
    assert mixed.loc[~today, "value"].tolist() == rows["value"].iloc[:600].tolist()


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("simulated:close", "simulated:15:45"), "simulated:15:45+close"),
        (("vendor:close", "vendor:intraday"), "vendor:intraday+close"),
        (("close", "15:45"), "15:45+close"),  # a quarter of an hour before the close is not the close
        (("close", "simulated:15:45"), None),
        (("close", "vendor:15:45"), None),
        (("desk", "15:45"), None),
        (("close+desk", "15:45"), None),
    ],
)
def test_only_series_of_one_source_are_mixed(names: tuple[str, str], wanted: str | None) -> None:
    rows = history(closes(series=names[0]), now("15:45", "15:45", series=names[1]))
    mix = find_mix(rows, pairs=_PAIRS, day=_DAY)
    assert (mix and mix.series) == wanted


def test_closes_of_the_day_and_later_rows_never_enter() -> None:
    rows = history(closes(last="2026-07-14"), now())
    assert find_mix(rows, pairs=_PAIRS, day=_DAY) is None  # the day has closed
    one_leg = rows[
        ~((rows["series"] == "close") & (rows["date"] == "2026-07-10") & (rows["symbol"] == "IWM"))
    ]
    mix = find_mix(one_leg, pairs=_PAIRS, day=_DAY)
    assert mix is not None
    mixed = mixed_rows(mix, one_leg)
    today = mixed[mixed["date"] == "2026-07-10"]
    assert (
        today["flags"].tolist() == ["MIXED_SNAPSHOTS"] * 2
    )  # both legs of one snapshot, no close among them
    assert mixed["date"].max() == "2026-07-10"
    earlier = one_leg[one_leg["date"] <= "2026-07-10"]
    pd.testing.assert_frame_equal(mixed_rows(mix, earlier), mixed, check_exact=True)


def test_of_several_times_the_newest_that_both_legs_have() -> None:
    rows = history(
        closes(), now(), now("14:01", "14:03", series="14:00"), reading("QQQ", "15:10", series="15:00")
    )
    mix = find_mix(rows, pairs=_PAIRS, day=_DAY)
    assert mix is not None
    assert [(symbol, series) for symbol, series, _ in mix.legs] == [("IWM", "14:00"), ("QQQ", "14:00")]
    assert mix.sentence == "An intraday reading (14:01 and 14:03 in New York) against a history of closes."
    assert mixed_rows(mix, rows)["date"].eq("2026-07-10").sum() == 2


def test_legs_on_either_side_of_a_quarter_belong_together() -> None:
    rows = history(closes(), reading("QQQ", "11:29", series="11:15"), reading("IWM", "11:31"))
    mix = find_mix(rows, pairs=_PAIRS, day=_DAY)
    assert mix is not None
    assert (mix.series, mix.times) == ("11:30+close", "11:29 and 11:31")


@pytest.mark.parametrize(("other", "is_one"), [("11:37", True), ("11:38", False)])
def test_legs_more_than_five_minutes_apart_are_refused(other: str, is_one: bool) -> None:
    rows = history(closes(), now("11:32", other))
    view = view_of(rows, main="11:30", allowed=True)
    assert (view.mix is not None) == is_one
    if not is_one:
        assert view.series == "close"
        assert [entry.code for entry in view.entries] == [Code.LEGS_APART]
        assert Ledger(view.entries).has_failures
        assert "6 minutes apart" in view.sentences[0]


def test_a_leg_that_is_not_there_is_nothing_to_mix() -> None:
    assert find_mix(history(closes(), reading("QQQ", "11:32")), pairs=_PAIRS, day=_DAY) is None
    assert find_mix(history(closes(), now()), pairs=[("QQQ", "SPY")], day=_DAY) is None
    assert find_mix(now(), pairs=_PAIRS, day=_DAY) is None
    assert find_mix(closes(), pairs=_PAIRS, day=_DAY) is None
    assert find_mix(closes().iloc[:0], pairs=_PAIRS, day=_DAY) is None


def test_a_third_symbol_of_the_moment_comes_along_and_one_of_another_time_does_not() -> None:
    pairs = [*_PAIRS, ("SPY", "IWM"), ("DIA", "IWM")]
    rows = history(closes(), now(), reading("SPY", "11:30"), reading("DIA", "10:31", series="10:30"))
    mix = find_mix(rows, pairs=pairs, day=_DAY)
    assert mix is not None
    assert [symbol for symbol, _, _ in mix.legs] == ["IWM", "QQQ", "SPY"]


# --- without the permission ---------------------------------------------------------------------------------


def test_without_the_option_the_day_is_refused_and_the_option_named() -> None:
    view = view_of(history(closes(), now()), main="11:30")
    assert (view.series, view.day, view.mix) == ("close", _DAY, None)
    (entry,) = view.entries
    assert (entry.code, entry.stage, entry.date) == (Code.SNAPSHOT_REFUSED, "ranking", _DAY)
    assert entry.is_failure
    assert view.sentences == (
        (
            "The readings of 2026-07-10 are of 11:32 in New York, the history is of closes: they are ranked "
            "against each other only with --allow-mixed-snapshots."
        ),
    )
    assert entry.detail == view.sentences[0]


def test_where_the_run_has_closes_and_no_day_is_named_these_are_ranked_with_a_word() -> None:
    rows = history(closes(), now())
    view = view_of(rows, main="close")
    assert (view.series, view.day, view.mix) == ("close", None, None)
    assert [(entry.code, entry.is_failure) for entry in view.entries] == [(Code.SNAPSHOT_REFUSED, True)]
    assert _OPTION in view.sentences[0]
    named = view_of(rows, main="close", as_of=_DAY)
    assert [entry.code for entry in named.entries] == [Code.SNAPSHOT_REFUSED]


def test_a_series_with_a_history_of_its_own_is_ranked_by_itself() -> None:
    rows = history(
        closes(400), closes(252, series="15:45", clock="19:45"), now("15:45", "15:45", series="15:45")
    )
    assert view_of(rows, main="15:45") == View("15:45")
    assert view_of(rows, main="15:45", allowed=True).series == "15:45+close"
    short = history(closes(400), closes(251, series="15:45"), now("15:45", "15:45", series="15:45"))
    assert view_of(short, main="15:45").series == "close"


def test_nothing_in_question_leaves_the_main_series() -> None:
    assert view_of(closes(), main="close", allowed=True) == View("close")
    nothing = choose_view(closes(), pairs=_PAIRS, main="close", as_of=None, newest=None, allowed=True)
    assert nothing == View("close")


def test_names_of_series() -> None:
    assert snapshot_of("simulated:close") == ("simulated", "close")
    assert [snapshot_of(name) for name in ("", "closes", "my close", "15:4", "close@11:30", ":close")] == [
        None
    ] * 6


def test_no_reading_without_its_instant_is_mixed() -> None:
    rows = history(closes(), now().assign(snapshot_time=None))
    assert find_mix(rows, pairs=_PAIRS, day=_DAY) is None
    assert Mix("close", _DAY, (), 1).series == "close+close"


# --- on chains, with a store --------------------------------------------------------------------------------


@pytest.mark.slow
def test_chains_of_a_morning_after_a_store_of_closes(tmp_path: Path) -> None:
    for symbol, clock in (("QQQ", "11:32:00"), ("IWM", "11:33:30")):
        frame = pd.read_csv(_QUOTES / f"{symbol}_{_DAY}_simulated.csv.gz", dtype=str)
        frame.assign(quote_time=clock).to_csv(tmp_path / f"{symbol}_{_DAY}_simulated.csv", index=False)
    readings = measure_files(tmp_path, settings=vs.Settings(rate=0.04)).readings
    assert set(readings["series"]) == {"simulated:11:30"}
    with History() as kept:
        kept.add(closes(series="simulated:close"))
        kept.add(readings)
        rows = kept.table()
        view = choose_view(
            rows, pairs=_PAIRS, main="simulated:11:30", as_of=None, newest=_DAY, allowed=True
        )  # fmt: skip
        assert view.mix is not None
        with History() as scratch:
            scratch.add(mixed_rows(view.mix, rows))
            panel = scratch.panel(series=view.series, symbols=["QQQ", "IWM"])
            flags = scratch.panel(series=view.series, symbols=["QQQ", "IWM"], field="flags")
        pd.testing.assert_frame_equal(kept.table(), rows)  # nothing of the view is stored
    ranking = vs.rank(panel, as_of=_DAY, flags=flags, series=view.series)
    assert ranking.headline["n_obs"] == 301
    assert "MIXED_SNAPSHOTS" in ranking.headline["flags"].split()
    assert np.isfinite(ranking.headline["percentile"])
    said = "An intraday reading (11:32 and 11:33 in New York) against a history of closes."
    assert view.mix.sentence == said
