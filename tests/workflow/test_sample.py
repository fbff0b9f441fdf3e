"""The main job on the sample market, whose truth is known."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.errors import SettingsError
from volskew.ledger import Code
from volskew.workflow import RankResult, gather, measure_files, rank_files, smiles_table

_CHAINS = Path(__file__).parents[2] / "chains"
_QUOTES = _CHAINS / "quotes"


@pytest.fixture(scope="module")
def ranked() -> RankResult:
    settings = vs.Settings(dividends_files=(str(_CHAINS / "simulated_dividends.csv"),))
    return rank_files(
        _QUOTES,
        pair=("QQQ", "IWM"),
        history=_CHAINS / "simulated_vol_history.csv",
        prices=_CHAINS / "simulated_prices.csv",
        settings=settings,
    )


def _asked(ranked: RankResult) -> pd.DataFrame:
    """The vols that are ranked, without what the study needs beside them."""
    rows = ranked.history
    return rows[(rows["measure"] == "implied_vol") & (rows["delta"] == "0.25")]


def _truth() -> pd.Series:
    truth = pd.read_csv(_CHAINS / "simulated_truth.csv").set_index(["date", "symbol"])
    return truth["vol_25c"]


@pytest.mark.slow
def test_the_readings_are_the_truth_within_a_stated_error(ranked: RankResult) -> None:
    rows = _asked(ranked)
    solved = rows[~rows["flags"].str.contains("SPLICED")]
    keys = pd.MultiIndex.from_arrays([solved["date"].astype(str), solved["symbol"]])
    difference = 100 * (solved["value"].to_numpy() - _truth().reindex(keys).to_numpy())
    assert len(solved) >= 2 * 250 - 4
    # points; penny quotes on an IWM-like grid leave 0.03, defects and a wide bracket rarely more than 0.3
    assert np.median(np.abs(difference)) < 0.05
    assert np.quantile(np.abs(difference), 0.95) < 0.20
    assert abs(np.median(difference)) < 0.02


@pytest.mark.slow
def test_the_rank_is_that_of_the_truth(ranked: RankResult) -> None:
    truth = _truth().unstack()  # noqa: PD010 - a series has no pivot_table
    ratio = pd.Series(np.log(truth["QQQ"] / truth["IWM"]))
    exact = 100 * ((ratio < ratio.iloc[-1]).mean() + (ratio <= ratio.iloc[-1]).mean()) / 2
    headline = ranked.rankings[0].headline
    assert headline["n_obs"] > 2700
    # the history differs from the truth by its stated basis and noise
    assert headline["percentile"] == pytest.approx(exact, abs=0.5)
    assert ranked.rankings[0].verdict.startswith("Simulated data")
    assert ranked.exit_code == 0


@pytest.mark.slow
def test_only_what_is_asked_for_is_ranked(ranked: RankResult) -> None:
    """The history holds three deltas of each day."""
    assert set(pd.read_csv(_CHAINS / "simulated_vol_history.csv", dtype=str)["delta"]) == {"25c", "50", "25p"}
    assert [ranking.delta for ranking in ranked.rankings] == ["0.25", "0.25"]
    assert [ranking.measure for ranking in ranked.rankings] == ["implied_vol", "implied_over_realised"]
    # of the imported vols those that level and skew are made of are taken too, and no others
    vols = ranked.history[ranked.history["measure"] == "implied_vol"]
    assert set(vols["delta"]) == {"0.25", "0.5"}
    assert [entry.symbol for entry in ranked.ledger if entry.code == Code.SPLICED] == [
        "IWM",
        "IWM",
        "QQQ",
        "QQQ",
    ]
    assert not ranked.history["flags"].str.contains("NO_OVERLAP").any()
    assert not any("asked for" in note for note in ranked.notes)


def test_each_delta_is_spliced_with_its_own_history() -> None:
    result = rank_files(
        [*_some(4), *_some(4, "IWM")], history=_CHAINS / "simulated_vol_history.csv", deltas=("25c", "50")
    )
    rows = result.history
    imported = rows[rows["flags"].str.contains("SPLICED")]
    given = pd.read_csv(_CHAINS / "simulated_vol_history.csv").assign(
        delta=lambda table: table["delta"].map({"25c": "0.25", "50": "0.5"})
    )
    both = imported.astype({"date": "str"}).merge(given, on=["date", "symbol", "delta"], validate="1:1")
    assert len(both) == len(imported) == given["delta"].notna().sum()
    assert (both["value"] == both["vol"]).all()
    vols = rows[rows["measure"] == "implied_vol"]
    assert len(vols) == len(imported) + 2 * 2 * 4


def test_a_history_without_the_vol_asked_for_is_named() -> None:
    result = rank_files(
        [*_some(1), *_some(1, "IWM")], history=_CHAINS / "simulated_vol_history.csv", deltas=("10c",)
    )
    note = "The history holds implied_vol 3m 0.25, implied_vol 3m 0.5, implied_vol 3m 0.75, and nothing that"
    assert [kept for kept in result.notes if "The history holds" in kept] == [f"{note} is asked for."]
    assert set(result.history["delta"]) == {"0.1", "0.5"}
    assert set(result.history["date"].astype(str)) == {"2026-07-10"}


@pytest.mark.slow
def test_the_readings_have_the_planted_episodes(ranked: RankResult) -> None:
    """By the rule of the data dictionary, on imported and solved days together."""
    panel = _asked(ranked).astype({"date": "str"}).pivot_table(index="date", columns="symbol", values="value")
    ratio = pd.Series(np.log(panel["QQQ"] / panel["IWM"])).dropna()
    found: list[tuple[str, str, str]] = []
    for side, sign in (("low", 1.0), ("high", -1.0)):
        first = last = ""
        for day in range(252, len(ratio)):
            so_far = sign * ratio.to_numpy()[: day + 1]
            rank = 50.0 * ((so_far < so_far[-1]).mean() + (so_far <= so_far[-1]).mean())
            if rank <= (15.0 if first else 5.0):
                first, last = first or ratio.index[day], ratio.index[day]
            elif first:
                found.append((side, first, last))
                first = ""
        if first:
            found.append((side, first, last))
    planted = pd.read_csv(_CHAINS / "simulated_episodes.csv")
    assert sorted(found, key=lambda episode: episode[1]) == list(
        zip(planted["side"], planted["first_date"], planted["last_date"], strict=True)
    )


@pytest.mark.slow
def test_the_study_finds_what_was_planted(ranked: RankResult) -> None:
    study = ranked.studies[0]
    planted = pd.read_csv(_CHAINS / "simulated_episodes.csv")
    found = study.episodes.sort_values("start")
    ends = ["" if end is pd.NaT else str(end.date()) for end in found["end"]]
    assert list(zip(found["side"], found["start"].dt.date.astype(str), ends, strict=True)) == [
        (side, first, "" if is_open else last)
        for side, first, last, is_open in planted[["side", "first_date", "last_date", "is_open"]].itertuples(
            index=False
        )
    ]
    assert study.episode_words.startswith(
        "Episodes at 5 or below: the third since 2016-07-12; the last one ended on 2022-12-02; in this one, "
        "since 2026-06-01, QQQ "
    )
    start, last = study.ranking.series.loc["2026-06-01"], study.ranking.series.iloc[-1]
    told = [float(word) for word in study.episode_words.replace("%", "").split() if word[0] in "+-"]
    assert told == pytest.approx([100 * (last[leg] / start[leg] - 1) for leg in ("a", "b")], abs=0.05)
    # the last one is of IWM's skew
    assert study.decomposition is not None
    assert study.decomposition.sentence.startswith("QQQ/IWM low is call skew")
    parts = ranked.decomposition.query("window == 'full'").set_index("component")["value"]
    assert parts["level"] + parts["skew"] == pytest.approx(
        parts["total"], abs=2e-11
    )  # twelve digits are kept
    headline = study.ranking.headline
    # both legs are bought and sold at worse levels than their mids: the pair is less cheap than it seems
    assert headline["executable_percentile"] >= headline["percentile"]
    for band in ("measurement", "sampling"):
        assert headline[f"{band}_low"] <= headline["percentile"] <= headline[f"{band}_high"]
    assert study.robustness is not None
    assert study.robustness.conventions.n == 10
    last = study.percentiles.query("window == 'full'").iloc[-1]
    assert last["percentile"] == headline["percentile"]


@pytest.mark.slow
def test_each_session_without_a_reading_has_its_reason(ranked: RankResult) -> None:
    defects = pd.read_csv(_CHAINS / "simulated_defects.csv")
    rows = ranked.history
    days = pd.DatetimeIndex(pd.to_datetime(rows["date"].astype(str)).unique())
    explained = {(str(entry.date), entry.symbol) for entry in ranked.ledger}
    for symbol in ("QQQ", "IWM"):
        read = set(rows.loc[rows["symbol"] == symbol, "date"].astype(str))
        missing = {str(day.date()) for day in days} - read
        assert {(day, symbol) for day in missing} <= explained
    codes = {entry.code for entry in ranked.ledger}
    assert {Code.NO_FILE, Code.NOT_A_SESSION} <= codes
    assert defects["defect"].nunique() >= 8


@pytest.mark.slow
def test_the_ledger_counts_every_line_of_every_chain(ranked: RankResult) -> None:
    inputs = ranked.inputs
    lines = sum(len(unit.quotes) for unit in inputs.units)
    kept_out = sum(entry.count for entry in ranked.ledger if entry.stage == "session")
    assert lines + kept_out == inputs.n_lines


@pytest.mark.slow
def test_appending_later_days_changes_no_earlier_row(tmp_path: Path) -> None:
    files = sorted(_QUOTES.glob("*.csv.gz"), key=lambda path: path.name.split("_")[1])[-24:]
    days = sorted({path.name.split("_")[1] for path in files})
    for path in files:
        shutil.copy(path, tmp_path)
    whole = measure_files(tmp_path).readings
    for path in tmp_path.iterdir():
        if path.name.split("_")[1] > days[5]:
            path.unlink()
    part = measure_files(tmp_path).readings
    pd.testing.assert_frame_equal(part, whole.head(len(part)), check_exact=True)


def _some(n: int, symbol: str = "QQQ") -> list[Path]:
    return sorted(_QUOTES.glob(f"{symbol}_*.csv.gz"))[-n:]


def test_parts_of_a_chain_in_several_files_make_one(tmp_path: Path) -> None:
    (path,) = _some(1)
    whole = pd.read_csv(path, dtype=str)
    for expiry, part in whole.groupby("expiration"):
        part.to_csv(tmp_path / f"QQQ_simulated_{expiry}.csv", index=False)
    one = gather(path, settings=vs.Settings()).units
    several = gather(tmp_path, settings=vs.Settings()).units
    assert [unit.series for unit in several] == ["simulated:close"]
    assert len(several[0].quotes) == len(one[0].quotes)
    values = [measure_files(place).readings["value"].tolist() for place in (path, tmp_path)]
    assert values[0] == values[1]


def test_the_same_chain_twice_is_one_day(tmp_path: Path) -> None:
    (path,) = _some(1)
    shutil.copy(path, tmp_path / "a_simulated.csv.gz")
    shutil.copy(path, tmp_path / "b_simulated.csv.gz")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert len(inputs.units) == 1
    assert [entry.code for entry in inputs.ledger if entry.stage == "session"] == [Code.SUPERSEDED]


def test_simulated_and_real_chains_never_share_a_series(tmp_path: Path) -> None:
    (path,) = _some(1)
    shutil.copy(path, tmp_path / "a_simulated.csv.gz")
    shutil.copy(path, tmp_path / "b.csv.gz")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert sorted(unit.series for unit in inputs.units) == ["close", "simulated:close"]


def test_symbols_that_are_not_asked_for_are_left_out() -> None:
    inputs = gather([*_some(1), *_some(1, "IWM")], settings=vs.Settings(), symbols=["iwm"])
    assert [unit.symbol for unit in inputs.units] == ["IWM"]


def test_a_flat_rate_is_used_and_named() -> None:
    readings = measure_files(_some(1), settings=vs.Settings(rate=0.04)).readings
    assert readings["method"].str.contains("rate=flat:0.0400").all()
    assert not readings["flags"].str.contains("RATE_ASSUMED").any()


@pytest.mark.parametrize("pair", [("QQQ",), ("QQQ", "QQQ"), ("QQQ", ""), [("QQQ", "IWM", "SPY")]])
def test_a_pair_that_is_none_is_refused(pair: object) -> None:
    with pytest.raises(SettingsError, match="pair"):
        rank_files(_some(1), pair=pair)  # type: ignore[arg-type]


def test_an_as_of_day_without_a_session_is_the_session_before_it() -> None:
    result = rank_files([*_some(7), *_some(7, "IWM")], as_of=dt.date(2026, 7, 4))
    assert result.exit_code == 0
    assert [ranking.as_of for ranking in result.rankings] == [dt.date(2026, 7, 2)]
    assert "No session on 2026-07-04: as of 2026-07-02." in result.notes


def test_as_of_a_day_before_all_readings_nothing_is_ranked() -> None:
    result = rank_files([*_some(1), *_some(1, "IWM")], as_of=dt.date(2026, 7, 4))
    assert result.exit_code == 1
    assert Code.PAIR_MISSING in {entry.code for entry in result.ledger}


def test_an_unknown_symbol_is_a_ledger_entry_not_a_crash() -> None:
    result = rank_files(_some(2), pair=[("QQQ", "XYZ"), ("ABC", "DEF")])
    assert result.exit_code == 3
    assert [ranking.pair for ranking in result.rankings] == [("QQQ", "XYZ")]
    assert [entry.code for entry in result.ledger].count(Code.PAIR_MISSING) == 2


def test_smiles_have_a_row_for_each_expiry() -> None:
    table, _ = smiles_table(_some(1))
    assert len(table) == 4
    assert table["forward"].is_monotonic_increasing
