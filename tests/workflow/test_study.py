"""The main job with what belongs to a study: prices, overrides, other times of day, differences of vols."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.cli import run
from volskew.errors import SettingsError, StoreError
from volskew.history import vintages
from volskew.market import sessions
from volskew.settings import Settings
from volskew.workflow import RankResult, rank_files
from volskew.workflow.request import Plan, Request

_CHAINS = Path(__file__).parents[2] / "chains"
_QUOTES = _CHAINS / "quotes"
_HISTORY = _CHAINS / "simulated_vol_history.csv"
_DAYS = ("2026-07-07", "2026-07-08", "2026-07-09")


def _files(days: Sequence[str] = _DAYS) -> list[Path]:
    return [_QUOTES / f"{leg}_{day}_simulated.csv.gz" for day in days for leg in ("QQQ", "IWM")]


def _at_noon(folder: Path, day: str = "2026-07-10") -> list[Path]:
    """The chains of a day as quoted at 11:32."""
    found = []
    for leg in ("QQQ", "IWM"):
        with gzip.open(_QUOTES / f"{leg}_{day}_simulated.csv.gz", "rt", newline="") as given:
            rows = list(csv.reader(given))
        place = rows[0].index("quote_date")
        for row in rows[1:]:
            row[place] += " 11:32:00"
        rows[0][place] = "quote_datetime"
        path = folder / f"{leg}_now_simulated.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        found.append(path)
    return found


def _codes(result: RankResult) -> set[str]:
    return {str(entry.code) for entry in result.ledger}


def test_an_overridden_day_is_no_day_of_the_ranking_and_an_overridden_quote_flags_its_reading(
    tmp_path: Path,
) -> None:
    file = tmp_path / "left_out.csv"
    file.write_text(
        "date,symbol,contract,reason\n"
        "2026-07-08,IWM,,halted\n"
        "2026-07-09,QQQ,2026-10-16 760 C,bust trade\n"
        "2026-07-07,SPY,,not ours\n"
    )
    plain, left_out = rank_files(_files()), rank_files(_files(), overrides=file)
    assert plain.rankings[0].headline["n_obs"] == 3
    assert left_out.rankings[0].headline["n_obs"] == 2
    assert "OVERRIDDEN" in left_out.rankings[0].headline["flags"]
    assert "OVERRIDDEN" not in plain.rankings[0].headline["flags"]
    assert left_out.exit_code == 0
    told = {(str(entry.code), entry.symbol): entry for entry in left_out.ledger if "OVERRID" in entry.code}
    # one series is named, not those of other conventions with it
    assert told["OVERRIDDEN", "IWM"].detail == "row 2: halted; left out of series 'simulated:close'"
    assert told["OVERRIDDEN", "QQQ"].detail == "row 3: 2026-10-16 760 C: bust trade"
    assert "OVERRIDE_UNUSED" in {code for code, _ in told}
    rows = left_out.history
    assert not ((rows["date"].astype(str) == "2026-07-08") & (rows["symbol"] == "IWM")).any()


def test_an_overridden_day_of_an_imported_history_is_left_out_too(tmp_path: Path) -> None:
    file = tmp_path / "left_out.csv"
    file.write_text("date,symbol,reason\n2020-03-16,QQQ,no market\n")
    plain, left_out = (rank_files(_files(), history=_HISTORY, overrides=given) for given in (None, file))
    before, after = (result.rankings[0].headline["n_obs"] for result in (plain, left_out))
    assert after == before - 1
    ranks = left_out.studies[0].percentiles
    last = ranks[(ranks["date"] == "2020-03-16") & (ranks["window"] == "full")].iloc[0]
    assert np.isnan(last["percentile"])
    assert last["flags"] == "LEG_MISSING"


def test_an_intraday_day_is_refused_among_closes_and_mixed_where_it_is_allowed(tmp_path: Path) -> None:
    files = [*_files(), *_at_noon(tmp_path)]
    closes = rank_files(files)
    assert closes.exit_code == 3  # the newest day is not ranked
    assert str(closes.rankings[0].as_of) == "2026-07-09"
    assert any("--allow-mixed-snapshots" in note for note in closes.notes)
    refused = rank_files(files, as_of="2026-07-10")
    assert refused.exit_code == 3
    assert {"SNAPSHOT_REFUSED", "LEG_MISSING"} <= _codes(refused)
    mixed = rank_files(files, allow_mixed_snapshots=True)
    said = "An intraday reading (11:32 in New York) against a history of closes."
    assert mixed.exit_code == 0
    assert mixed.rankings[0].verdict.startswith(said)
    assert all(text.startswith(said) for text in mixed.table["verdict"])
    assert "MIXED_SNAPSHOTS" in mixed.rankings[0].headline["flags"]
    assert not any("are not ranked" in note for note in mixed.notes)
    assert mixed.rankings[0].label_series == "simulated:11:30+close"
    assert mixed.rankings[0].headline["n_obs"] == 4


def test_prices_put_implied_over_realised_beside_the_vols(tmp_path: Path) -> None:
    result = rank_files(_files(), history=_HISTORY, prices=_CHAINS / "simulated_prices.csv")
    vol, over = result.rankings
    assert (vol.measure, over.measure, over.unit) == ("implied_vol", "implied_over_realised", "number")
    for symbol in vol.pair:
        implied, ratio = (result.reading(ranking, symbol) for ranking in (vol, over))
        assert implied is not None
        assert ratio is not None
        realised = implied["value"] / ratio["value"]
        truth = pd.read_csv(_CHAINS / "simulated_truth.csv").query(
            "symbol == @symbol and date <= '2026-07-09'"
        )
        variance = (truth["variance_overnight"] + truth["variance_intraday"]).tail(63)
        # 63 sessions of Yang and Zhang know a vol to some 4 % (one standard error)
        assert realised == pytest.approx(np.sqrt(252 * variance.mean()), rel=0.12)
    assert over.headline["n_obs"] > 2_400
    alone = rank_files(
        _files(), prices=_CHAINS / "simulated_prices.csv", measures=("realised_vol_parkinson",)
    )
    assert [(ranking.measure, ranking.delta) for ranking in alone.rankings] == [
        ("realised_vol_parkinson", "-")
    ]
    assert alone.rankings[0].headline["n_obs"] > 2_400  # every session of the file, not of the chains alone


def test_a_measure_of_prices_without_prices_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rank", *map(str, _files()), "--measure", "realised_vol"]) == 2
    assert (
        "realised_vol is made of daily prices: give a file of them (--prices FILE)" in capsys.readouterr().err
    )


def test_differences_of_vols_are_ranked_by_their_spread_in_vol_points(tmp_path: Path) -> None:
    result = rank_files(
        _files(), measures=("risk_reversal", "term_slope"), tenors=("3m", "2m-3m"), deltas=("25c",)
    )
    reversal = result.rankings[0]
    assert (reversal.measure, reversal.tenor, reversal.delta, reversal.unit) == (
        *("risk_reversal", "3m", "0.25"),
        "vol",
    )
    assert reversal.headline["form"] == "spread"
    assert "vol points" in reversal.verdict
    assert result.studies[0].decomposition is None
    assert result.studies[0].executable == ()


def test_a_restated_reading_leaves_the_rank_of_past_days_as_it_was_knowable(tmp_path: Path) -> None:
    """The store keeps both vintages, and each past day is ranked with that of its own evening."""
    store = str(tmp_path / "vols.db")
    first = rank_files(_files(), store=store)
    again = rank_files(_files(_DAYS[:1]), store=store, settings=Settings(rate=0.05))
    assert "RESTATED" in _codes(again)
    whole = rank_files(_files(_DAYS[1:]), store=store)
    then, now = (
        result.studies[0].percentiles.query("window == 'full'").set_index("date")["value_a"]
        for result in (first, whole)
    )
    # both vintages are of a chain of that evening: the newer one was as knowable then
    assert now.index.tolist() == then.index.tolist()
    assert now.iloc[1:].tolist() == then.iloc[1:].tolist()
    assert now.iloc[0] != then.iloc[0]


def test_a_plan_parts_what_is_read_from_what_is_made_of_prices() -> None:
    plan = Plan.of(["implied_vol"], ["3m"], ["25c", "atmf"], has_prices=True, settings=Settings())
    assert plan.request == Request(("implied_vol",), ("3m",), ("25c", "atmf"))
    assert plan.keys == (
        ("implied_vol", "3m", "0.25"),
        ("implied_vol", "3m", "atmf"),
        ("implied_over_realised", "3m", "0.25"),
        ("implied_over_realised", "3m", "atmf"),
    )
    beside = plan.request.for_study().beside
    assert [(request.measures, request.deltas) for request in beside] == [
        (("implied_vol_bid", "implied_vol_ask"), ("25c", "atmf")),
        (("implied_vol",), ("0.5",)),
        (("log_skew",), ("0.25",)),
    ]
    with pytest.raises(SettingsError, match="realised_vol is made over one tenor, such as 3m; got 1m-3m"):
        Plan.of(["term_slope", "realised_vol"], ["1m-3m"], ["25c"], has_prices=True, settings=Settings())


def test_skews_of_an_imported_history_are_made_of_its_vols() -> None:
    """Its column of vols is one of vols whatever is asked for."""
    result = rank_files(_files(), measures=("call_skew", "risk_reversal"), history=_HISTORY)
    vols = pd.read_csv(_HISTORY).pivot_table(index=["date", "symbol"], columns="delta", values="vol")
    for ranking, exact in zip(
        result.rankings, (vols["25c"] - vols["50"], vols["25c"] - vols["25p"]), strict=True
    ):
        assert list(ranking.table["form"].unique()) == ["spread"]
        spread = pd.Series(exact).unstack()  # noqa: PD010 - a series has no pivot_table
        wanted = (spread["QQQ"] - spread["IWM"]).rename(None)
        wanted.index = pd.to_datetime(wanted.index)
        imported = ranking.series.loc[: pd.Timestamp("2025-08-08"), "spread"]
        # twelve digits of a spread are kept, of readings eight decimals
        assert np.allclose(imported.to_numpy(), wanted.reindex(imported.index).to_numpy(), atol=3e-8, rtol=0)
        assert ranking.headline["n_obs"] == len(wanted) + 3
    rows = result.history
    made = rows[(rows["measure"] == "call_skew") & rows["flags"].str.contains("SPLICED")]
    assert made["error"].isna().all()
    none = rank_files(_files(), measures=("call_skew",), deltas=("10c",), history=_HISTORY)
    assert any("nothing that is asked for" in note for note in none.notes)
    assert none.rankings[0].headline["n_obs"] == 3


def test_readings_of_noon_stand_after_an_imported_history_only_where_it_is_allowed(tmp_path: Path) -> None:
    files = _at_noon(tmp_path)
    refused = rank_files(files, history=_HISTORY)
    assert refused.exit_code == 3
    assert "SNAPSHOT_REFUSED" in _codes(refused)
    assert refused.rankings[0].headline["n_obs"] == 1
    mixed = rank_files(files, history=_HISTORY, allow_mixed_snapshots=True)
    assert mixed.exit_code == 0
    assert mixed.rankings[0].verdict.startswith("Readings of 11:30 in New York against a history of closes.")
    assert "MIXED_SNAPSHOTS" in mixed.rankings[0].headline["flags"]
    assert mixed.rankings[0].headline["n_obs"] > 2_500


def test_a_store_with_realised_vols_takes_prices_again(tmp_path: Path) -> None:
    store, prices = str(tmp_path / "vols.db"), _CHAINS / "simulated_prices.csv"
    rank_files(_files(), store=store, prices=prices, measures=("realised_vol_yang_zhang",))
    both = rank_files(
        _files(), store=store, prices=prices, measures=("realised_vol_yang_zhang", "implied_vol")
    )
    assert [ranking.measure for ranking in both.rankings] == [
        *("implied_vol", "realised_vol_yang_zhang", "implied_over_realised"),
    ]
    again = rank_files(_files(), store=store, prices=prices)
    assert again.exit_code == 0


@pytest.mark.parametrize("adjust", [False, True])
def test_a_restated_history_counts_with_its_old_numbers_until_it_was_restated(
    adjust: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both in the ranking as of a day and in the percentiles of past days."""
    store, file = str(tmp_path / "vols.db"), tmp_path / "desk.csv"
    days = [f"{day:%Y-%m-%d}" for day in sessions(dt.date(2026, 5, 1), dt.date(2026, 7, 9)).date]
    draw = np.random.default_rng(11)
    desk = pd.DataFrame(
        [(day, leg, round(0.2 + 0.02 * draw.random(), 4)) for day in days for leg in ("QQQ", "IWM")],
        columns=["date", "symbol", "vol"],
    )
    options: dict[str, Any] = {"store": store, "splice": "desk", "adjust_basis": adjust}

    def take(table: pd.DataFrame, at: str) -> None:
        monkeypatch.setattr(vintages, "now", lambda: at)
        table.to_csv(file, index=False)
        with vs.History(store) as history:
            history.import_history(file, series="desk")

    take(desk, "2026-07-01T12:00:00.000000Z")
    before = rank_files(_files(), **options)
    # one number of a past day: in the evening after the last session of the chains, then before it
    restated = desk.assign(vol=desk["vol"].mask((desk["date"] == days[20]) & (desk["symbol"] == "QQQ"), 0.5))
    take(restated, "2026-07-13T12:00:00.000000Z")
    later = rank_files(_files(), **options)
    assert later.table.equals(before.table)
    assert later.studies[0].percentiles.equals(before.studies[0].percentiles)
    told = (
        "1 number was restated in series 'desk' after 2026-07-09, and the old ones count as of then, such as"
    )
    assert [note for note in later.notes if note.startswith(told)]
    assert not [note for note in before.notes if "restated" in note]
    second = "SELECT terms.origin FROM readings JOIN terms ON terms.id = term WHERE vintage = 2"
    with sqlite3.connect(store) as database:
        database.execute(f"UPDATE origins SET known_at = '2026-07-09T12:00:00Z' WHERE id IN ({second})")  # noqa: S608
    database.close()
    since = rank_files(_files(), **options)
    assert not [note for note in since.notes if "restated" in note]
    old, new = (result.rankings[0].series["a"].loc[days[20]] for result in (before, since))
    number = desk.loc[(desk["date"] == days[20]) & (desk["symbol"] == "QQQ"), "vol"].item()
    assert new / old == pytest.approx(0.5 / number, rel=1e-6)  # a store rounds to eight decimals
    past, was = (result.studies[0].percentiles.query("date < '2026-07-09'") for result in (since, before))
    if not adjust:  # else what is left is the rounding of the old number under the basis
        assert past.equals(was)
    assert past["n_obs"].tolist() == was["n_obs"].tolist()
    assert past[["value_a", "value_b"]].notna().equals(was[["value_a", "value_b"]].notna())


def test_a_day_without_a_session_is_ranked_as_the_session_before_and_told(tmp_path: Path) -> None:
    files = _files(["2026-07-10"])
    saturday = rank_files(files, as_of="2026-07-11")
    assert saturday.notes == ["No session on 2026-07-11: as of 2026-07-10."]
    assert saturday.exit_code == 0
    assert saturday.table.equals(rank_files(files, as_of="2026-07-10").table)
    # a session without a reading is another matter: nothing takes its place
    monday = rank_files(files, as_of="2026-07-13")
    assert monday.notes == []
    assert str(monday.rankings[0].as_of) == "2026-07-13"
    assert monday.exit_code == 3
    assert (
        rank_files([tmp_path], as_of="2026-07-04").notes[0] == "No session on 2026-07-04: as of 2026-07-02."
    )


def test_a_day_before_all_readings_is_told_with_a_ledger(tmp_path: Path) -> None:
    early = rank_files(_files(), history=_HISTORY, as_of="2025-06-02")
    assert early.studies == []
    assert early.exit_code == 1
    assert "Nothing of series 'simulated:close' that is not left out was known by 2025-06-02." in early.notes
    with pytest.raises(SettingsError, match="calendar of sessions, 1990-01-02 to 2045-12-31; got 9999-12-31"):
        rank_files(_files(), as_of="9999-12-31")
    with pytest.raises(SettingsError, match="are two histories: give one of them"):
        rank_files(_files(), history=_HISTORY, splice="desk", store=str(tmp_path / "vols.db"))


def test_a_store_is_made_with_its_first_readings_and_not_before(tmp_path: Path) -> None:
    place = tmp_path / "new" / "vols.db"
    with pytest.raises(StoreError, match=r"there is no store .*vols\.db: name one"):
        rank_files(_files(), splice="desk", store=str(place))
    nothing = rank_files([tmp_path / "none.csv"], store=str(place))
    assert nothing.exit_code == 1
    assert any(note.startswith(f"there is no store {place}: name one") for note in nothing.notes)
    assert not place.parent.exists()
    rank_files(_files(), store=str(place))
    assert place.is_file()
    # once it is there, it is ranked without a new reading
    assert rank_files([tmp_path / "none.csv"], store=str(place)).studies


def test_conventions_read_on_few_days_are_not_said_to_change_nothing() -> None:
    result = rank_files(_files(), history=_HISTORY)
    robustness = result.studies[0].robustness
    assert robustness is not None
    assert "other conventions were measured on 3 of 2,537 sessions, too few to say" in robustness.sentence


def test_prices_of_one_leg_are_told_once(tmp_path: Path) -> None:
    table = pd.read_csv(_CHAINS / "simulated_prices.csv")
    symbol = next(name for name in table if str(name).lower() == "symbol")
    file = tmp_path / "simulated_prices.csv"
    table[table[symbol] == "QQQ"].to_csv(file, index=False)
    result = rank_files(_files(), prices=file)
    told = [entry for entry in result.ledger if entry.code == "PRICES_MISSING"]
    assert [entry.symbol for entry in told] == ["IWM"]
    assert (
        "No prices of IWM: the price files hold QQQ. It has no reading that is made of prices."
        in result.notes
    )


def test_realised_vols_are_in_the_readings_and_are_not_ranked() -> None:
    result = rank_files(_files(), history=_HISTORY, prices=_CHAINS / "simulated_prices.csv")
    realised = result.history[result.history["measure"].str.startswith("realised_vol")]
    days = {str(day) for day in pd.to_datetime(_DAYS).date}
    assert set(realised["date"].astype(str)) == days
    assert realised.groupby(["symbol", "date"])["measure"].nunique().tolist() == [4] * 2 * len(days)
    assert [ranking.measure for ranking in result.rankings] == ["implied_vol", "implied_over_realised"]
