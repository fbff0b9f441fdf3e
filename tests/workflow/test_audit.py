"""The audit says that nothing looks ahead where nothing does, and finds what was planted."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import delete

import volskew as vs
from volskew.cli import run
from volskew.errors import SettingsError, StoreError
from volskew.history.database import Database
from volskew.history.rows import insert_readings
from volskew.history.schema import readings
from volskew.market import read_dividends, read_rates, sessions
from volskew.market.dividendfile import dividends_until
from volskew.market.rates import rates_until
from volskew.ranking import rank_history
from volskew.workflow import AuditResult, audit_store, measure_files
from volskew.workflow import audit_ranks as auditing

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"
_DIVIDENDS = str(_QUOTES.parent / "simulated_dividends.csv")
_RATES = (
    "Date,3 Mo,1 Yr\n2026-07-07,4.00,4.10\n2026-07-08,{},4.10\n2026-07-09,4.30,4.40\n2026-07-10,4.40,4.50\n"
)
_DAYS = [dt.date(2026, 7, 8), dt.date(2026, 7, 9)]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, vs.Settings]:
    """A folder with three sessions of both legs, and rates that the readings are made with."""
    folder = tmp_path_factory.mktemp("market")
    for symbol in ("QQQ", "IWM"):
        for day in ("08", "09", "10"):
            shutil.copy(_QUOTES / f"{symbol}_2026-07-{day}_simulated.csv.gz", folder)
    rates = folder.parent / "rates.csv"
    rates.write_text(_RATES.format("4.00"))
    return folder, vs.Settings(rates_file=str(rates), dividends_files=(_DIVIDENDS,))


@pytest.fixture(scope="module")
def solved(market: tuple[Path, vs.Settings]) -> pd.DataFrame:
    folder, settings = market
    return measure_files(folder, settings=settings).readings


@pytest.fixture
def store(tmp_path: Path, solved: pd.DataFrame) -> Path:
    """The readings of the three sessions in a store of its own."""
    place = tmp_path / "vols.db"
    with vs.History(place) as history:
        history.add(solved)
    return place


def _ranked(place: Path, *, restated: bool = True) -> Path:
    """A store with 60 sessions of both legs, some of them restated a week later."""
    days = sessions(dt.date(2026, 1, 5), dt.date(2026, 3, 31))
    draw = np.random.default_rng(4)
    frames = [
        pd.DataFrame({"date": days.date, "symbol": symbol, "value": 0.2 + 0.01 * draw.normal(size=len(days))})
        for symbol in ("QQQ", "IWM")
    ]
    table = pd.concat(frames).assign(measure="implied_vol", tenor="3m", delta="25c")
    with vs.History(place) as history:
        history.add(table, series="close")
        if restated:
            later = table.iloc[10:25].copy()
            known = pd.to_datetime(later["date"]) + pd.Timedelta(days=7, hours=15)
            later["known_at"] = known.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
            history.add(later.assign(value=later["value"] + 0.01), series="close")
    return place


def found(result: AuditResult, check: str) -> pd.DataFrame:
    return result.table[result.table["check"] == check]


def test_a_store_with_restated_readings_looks_nowhere_ahead(tmp_path: Path) -> None:
    result = audit_store(_ranked(tmp_path / "vols.db"), cuts=None)
    assert (result.exit_code, result.n_differing, result.notes) == (0, 0, [])
    ranks = found(result, "rank history")
    assert (
        len(ranks)
        == len(found(result, "ranking"))
        == len(sessions(dt.date(2026, 1, 5), dt.date(2026, 3, 31)))
    )
    assert ranks["rows"].tolist() == [12 * (1 + number) for number in range(len(ranks))]
    assert set(ranks["what"]) == {"close IWM/QQQ implied_vol 3m 0.25"}
    some = audit_store(
        tmp_path / "vols.db", pairs=[("qqq", "iwm")], cuts=[dt.date(2026, 2, 15)], deltas=["25c"]
    )
    assert set(found(some, "ranking")["what"]) == {"close QQQ/IWM implied_vol 3m 0.25"}
    assert set(found(some, "ranking")["cut"]) == {"2026-02-13"}  # the 15th is a Sunday


def test_a_rank_that_looks_ahead_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that ranks in all days, later ones included: what full-sample percentiles do."""
    honest: Callable[..., pd.DataFrame] = rank_history

    def looks_ahead(panel: pd.DataFrame, **arguments: Any) -> pd.DataFrame:
        table = honest(panel, **arguments)
        groups = table.groupby(["form", "window"])["value"]
        return table.assign(percentile=100 * groups.rank(pct=True))

    monkeypatch.setattr(auditing, "rank_history", looks_ahead)
    result = audit_store(_ranked(tmp_path / "vols.db"), cuts=3)
    assert result.exit_code == 3
    assert found(result, "rank history")["differing"].iloc[0] > 0
    first = found(result, "rank history")["first_difference"].iloc[0]
    assert first.startswith("2026-01-0")
    assert "percentile" in first


def test_knowledge_that_is_ignored_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that takes the newest vintages for what was always known."""
    honest: Callable[..., pd.DataFrame] = rank_history

    def knows_all(panel: pd.DataFrame, *, vintages: pd.DataFrame, **arguments: Any) -> pd.DataFrame:
        newest = vintages.drop_duplicates(["date", "symbol"], keep="last")
        early = newest.assign(known_at=pd.Timestamp("2000-01-01", tz="UTC"))
        return honest(panel, vintages=early, **arguments)

    monkeypatch.setattr(auditing, "rank_history", knows_all)
    result = audit_store(_ranked(tmp_path / "vols.db"), cuts=12)
    assert found(result, "rank history")["differing"].sum() > 0
    assert audit_store(_ranked(tmp_path / "plain.db", restated=False), cuts=12).n_differing == 0


def edit_readings(store: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change all vintages past everything that checks them, as one does who edits databases by hand."""
    with vs.History(store) as history:
        rows = change(history.table(vintages="all"))
    cells: Any = rows.astype(object).where(rows.notna(), None)
    database = Database(store)
    with database.writing() as connection:
        connection.execute(delete(readings))
        insert_readings(connection, cells.to_dict("records"))
    database.dispose()


def _of(rows: pd.DataFrame, date: str, symbol: str | None = None) -> pd.Series:
    return (rows["date"] == date) & ((rows["symbol"] == symbol) | (symbol is None))


@pytest.mark.parametrize(
    ("column", "value"), [("known_at", "2026-07-08T15:00:00Z"), ("known_at", "2026-07-07T20:00:00Z")]
)
def test_a_reading_known_before_its_snapshot_is_found(store: Path, column: str, value: str) -> None:
    edit_readings(
        store, lambda rows: rows.mask(_of(rows, "2026-07-08", "QQQ"), rows.assign(**{column: value}))
    )
    result = audit_store(store)
    assert result.exit_code == 3
    row = found(result, "known_at").iloc[0]
    assert (row["rows"], row["differing"]) == (6, 1)
    assert row["first_difference"].startswith(
        "QQQ 2026-07-08 implied_vol 3m 0.25 (vintage 1): known at 2026-07"
    )


def test_days_measured_anew_are_what_they_were(market: tuple[Path, vs.Settings], store: Path) -> None:
    folder, settings = market
    result = audit_store(store, paths=folder, settings=settings, days=None)
    assert (result.exit_code, result.notes) == (0, [])
    for check in ("reading", "stored reading"):
        assert found(result, check)["cut"].tolist() == ["2026-07-08", "2026-07-09", "2026-07-10"]
        assert found(result, check)["rows"].tolist() == [2, 2, 2]
    # evenly spread ones leave out the last day, after which nothing comes
    some = audit_store(store, paths=folder, settings=settings, days=2)
    assert found(some, "reading")["cut"].tolist() == ["2026-07-08", "2026-07-09"]


def test_a_rate_that_was_revised_since_is_found(
    market: tuple[Path, vs.Settings], store: Path, tmp_path: Path
) -> None:
    folder, settings = market
    revised = tmp_path / "rates.csv"
    revised.write_text(_RATES.format("4.05"))
    result = audit_store(store, paths=folder, settings=settings.replace(rates_file=str(revised)), days=_DAYS)
    assert result.exit_code == 3
    rows = found(result, "stored reading").set_index("cut")
    assert rows["differing"].to_dict() == {"2026-07-08": 2, "2026-07-09": 0}
    text = str(rows.loc["2026-07-08", "first_difference"])
    assert text.startswith("simulated:close 2026-07-08 IWM implied_vol 3m 0.25 (")
    assert "2026-07-08_simulated.csv.gz" in text
    assert "in the store" in text
    # the file itself says nothing of it: cut to the day it is the same
    assert found(result, "reading")["differing"].sum() == 0


def test_inputs_that_look_ahead_are_found(
    market: tuple[Path, vs.Settings], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A curve that takes the row after the day instead of the one up to it."""
    from volskew.market import rates

    honest = rates.RateTable.curve

    def ahead(self: Any, on: dt.date, **arguments: Any) -> Any:
        return honest(self, min(dt.date(2026, 7, 10), on + dt.timedelta(days=1)), **arguments)

    monkeypatch.setattr(rates.RateTable, "curve", ahead)
    folder, settings = market
    result = audit_store(store, paths=folder, settings=settings, days=_DAYS)
    assert found(result, "reading")["differing"].tolist() == [2, 2]
    assert "with what was there" in found(result, "reading")["first_difference"].iloc[0]


def test_a_store_whose_reading_no_file_gives_is_found(market: tuple[Path, vs.Settings], store: Path) -> None:
    folder, settings = market
    with vs.History(store) as history:
        row = history.table().head(1)
        history.add(
            row.assign(
                symbol="QQQ", value=0.5, snapshot_time="2026-07-08T20:15:00Z", known_at="2026-07-08T20:15:00Z"
            )
        )
    result = audit_store(store, paths=folder, settings=settings, days=[_DAYS[0]])
    assert found(result, "stored reading")["differing"].tolist() == [1]


def test_an_import_that_replaced_a_number_from_before_is_found(tmp_path: Path) -> None:
    """As older stores hold them: the second number under the instant of the first."""
    place, file = tmp_path / "vols.db", tmp_path / "old.csv"
    for value in (0.21, 0.31):
        file.write_text(f"date,symbol,vol\n2024-01-02,QQQ,0.2\n2024-01-03,QQQ,{value}\n")
        with vs.History(place) as history:
            history.import_history(file, series="desk")
    assert found(audit_store(place), "known_at")["differing"].tolist() == [0]
    early = "2024-01-03T21:00:00Z"
    edit_readings(place, lambda rows: rows.mask(rows["vintage"] == 2, rows.assign(known_at=early)))
    result = audit_store(place)
    assert result.exit_code == 3
    assert found(result, "known_at")["differing"].tolist() == [1]
    assert "QQQ 2024-01-03" in found(result, "known_at")["first_difference"].iloc[0]


Audited = Callable[..., AuditResult]


@pytest.fixture
def audited(market: tuple[Path, vs.Settings], store: Path) -> Audited:
    """Audits the store with all chains behind it, but for what is asked for otherwise."""
    folder, settings = market

    def audit(**more: Any) -> AuditResult:
        return audit_store(store, **{"paths": folder, "settings": settings, "days": _DAYS, "cuts": 1, **more})

    return audit


def _gaps(result: AuditResult) -> dict[tuple[str, str], tuple[int, str]]:
    """Of each cut and reason how many were not compared, and an example."""
    rows = result.table[result.table["not_compared"] > 0]
    return {
        (row["cut"], row["reason"]): (row["not_compared"], row["example"]) for row in rows.to_dict("records")
    }


def test_what_is_not_in_the_store_was_not_compared(audited: Audited, tmp_path: Path) -> None:
    whole = audited()
    assert (whole.exit_code, whole.gaps, whole.n_not_compared) == (0, [], 0)
    no_chain = "of which no chain is among the paths"
    named = audited(days=[dt.date(2026, 7, 1), _DAYS[0]])
    assert (named.exit_code, _gaps(named)) == (3, {("2026-07-01", no_chain): (1, "2026-07-01")})
    assert named.gaps == [f"stored reading: 1 not compared, {no_chain}, such as 2026-07-01."]
    empty = tmp_path / "nothing"
    empty.mkdir()
    unread = audited(paths=empty)
    assert unread.exit_code == 3  # the ranks of the store were compared all the same
    assert ("", "no chain could be read") in _gaps(unread)
    some = audited(pairs=[("QQQ", "SPY"), ("QQQ", "IWM")])
    spy = "the store has no reading of SPY"
    assert (some.exit_code, _gaps(some)) == (3, {("", spy): (1, "QQQ/SPY")})
    nothing = audited(pairs=[("QQQ", "SPY")], paths=())
    assert (nothing.exit_code, nothing.n_compared, _gaps(nothing)) == (1, 0, {("", spy): (1, "QQQ/SPY")})
    series = audited(series=["other"], paths=())
    assert (series.exit_code, set(_gaps(series))) == (
        1,
        {("", "the store has no reading of the series other")},
    )


def test_a_pair_whose_legs_are_nowhere_together_was_not_compared(audited: Audited, store: Path) -> None:
    edit_readings(store, lambda rows: rows.mask(rows["symbol"] == "QQQ", rows.assign(tenor="1m")))
    apart = audited(pairs=[("QQQ", "IWM")], paths=())
    reason = "no series, measure, tenor and delta has both legs of QQQ/IWM"
    assert (apart.exit_code, set(_gaps(apart))) == (3, {("", reason)})


def test_stored_readings_without_a_match_are_counted_by_reason(
    market: tuple[Path, vs.Settings], audited: Audited, store: Path
) -> None:
    """Nothing of it may pass for equal."""
    key = "simulated:close 2026-07-{} {} implied_vol 3m 0.25"
    edit_readings(store, lambda rows: rows[~_of(rows, "2026-07-08", "QQQ")])
    edit_readings(store, lambda rows: rows.mask(_of(rows, "2026-07-09"), rows.assign(method_version="older")))
    result = audited()
    older = f"made by method older, not {market[1].method_version}"
    assert result.exit_code == 3
    assert _gaps(result) == {
        ("2026-07-08", "which the store lacks"): (1, key.format("08", "QQQ")),
        ("2026-07-09", older): (2, key.format("09", "IWM")),
    }
    rows = found(result, "stored reading").query("rows > 0")
    assert rows[["cut", "rows", "differing"]].to_numpy().tolist() == [["2026-07-08", 1, 0]]
    # nothing else of the store: its one comparison is gone, and so is the proof
    edit_readings(store, lambda rows: rows[~_of(rows, "2026-07-08")])
    assert found(audited(days=_DAYS[:1]), "stored reading")["rows"].sum() == 0
    assert audited(days=_DAYS[:1]).exit_code == 3


def test_a_reading_that_was_taken_back_or_made_otherwise_since_is_told(
    audited: Audited, store: Path, market: tuple[Path, vs.Settings]
) -> None:
    def with_another(rows: pd.DataFrame) -> pd.DataFrame:
        newest = rows[_of(rows, "2026-07-08", "QQQ")]
        return pd.concat([rows, newest.assign(vintage=2, method_version="newer", value=0.3)])

    edit_readings(store, with_another)
    result = audited(days=_DAYS[:1])
    newer = f"made by method newer, not {market[1].method_version}"
    assert {reason for _, reason in _gaps(result)} == {newer}
    # the vintage of this method is compared beside it
    assert found(result, "stored reading")[["rows", "differing"]].iloc[0].tolist() == [2, 0]
    taken_back: Any = {"value": float("nan"), "method": "", "flags": "WITHDRAWN"}
    edit_readings(store, lambda rows: rows.mask(rows["vintage"] == 2, rows.assign(**taken_back)))
    taken = audited(days=_DAYS[:1])
    assert {reason for _, reason in _gaps(taken)} == {"taken back in the store"}
    assert taken.exit_code == 3


def test_a_leg_without_a_chain_and_days_without_any_are_told(
    market: tuple[Path, vs.Settings], audited: Audited
) -> None:
    folder, _ = market
    files = [
        file for file in folder.iterdir() if "QQQ_2026-07-08" not in file.name and "07-10" not in file.name
    ]
    result = audited(paths=files, days=None)
    reason = "of which no chain is among the paths"
    assert {(cut, why): count for (cut, why), (count, _) in _gaps(result).items()} == {
        ("2026-07-08", reason): 1,
        ("2026-07-10", reason): 2,
    }
    assert result.n_differing == 0
    # days that were not asked for are no gap, but are told
    assert audited(paths=files, days=[_DAYS[1]]).gaps == []
    told = "Of 3 days with 6 stored readings 1 with 2 were measured anew (--days all: every one with chains)."
    assert audited(days=[_DAYS[1]]).notes == [told]


def test_a_stored_reading_that_cannot_be_made_again_differs(audited: Audited, store: Path) -> None:
    def with_more(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([rows, rows[_of(rows, "2026-07-08")].assign(tenor="10y")])

    edit_readings(store, with_more)
    result = audited(days=_DAYS[:1])
    row = found(result, "stored reading").iloc[0]
    assert (row["rows"], row["differing"], result.exit_code) == (4, 2, 3)
    assert "10y 0.25: there is a reading in the store only" in row["first_difference"]


def test_chains_of_a_series_that_the_store_has_not_are_told(audited: Audited, store: Path) -> None:
    edit_readings(store, lambda rows: rows.assign(series="close"))
    result = audited(days=_DAYS[:1])
    assert result.exit_code == 3
    assert {reason for _, reason in _gaps(result)} == {"of which no chain is among the paths"}
    edit_readings(store, lambda rows: rows.assign(method="imported"))  # which no chain is behind
    assert {reason for _, reason in _gaps(audited(days=_DAYS[:1]))} == {
        "of which the store has none in simulated:close"
    }


def test_readings_by_other_conventions_are_measured_anew_too(
    market: tuple[Path, vs.Settings], tmp_path: Path
) -> None:
    folder, settings = market
    place = tmp_path / "vols.db"
    files = [folder / f"{symbol}_2026-07-08_simulated.csv.gz" for symbol in ("QQQ", "IWM")]
    vs.rank_files(files, store=str(place), settings=settings)
    result = audit_store(place, paths=files, settings=settings, cuts=1)
    with vs.History(place) as history:
        n_stored = len(history.table())
    assert n_stored > 20
    assert (result.exit_code, result.gaps, result.notes) == (0, [], [])
    assert found(result, "stored reading")["rows"].tolist() == [n_stored]


def test_the_overrides_of_a_ranking_are_those_of_its_audit(
    market: tuple[Path, vs.Settings], tmp_path: Path
) -> None:
    folder, settings = market
    place, file = tmp_path / "vols.db", tmp_path / "left_out.csv"
    file.write_text(
        "date,symbol,contract,reason\n2026-07-08,QQQ,2026-10-16 760 C,bust trade\n2026-07-09,IWM,,halted\n"
    )
    measured = measure_files(folder, settings=settings, overrides=vs.read_overrides(file)).readings
    with vs.History(place) as history:
        history.add(measured)
    audit: dict[str, Any] = {"paths": folder, "settings": settings, "days": _DAYS, "cuts": 1}
    result = audit_store(place, overrides=file, **audit)
    assert (result.exit_code, result.gaps, result.n_differing) == (0, [], 0)
    without = audit_store(place, **audit)
    assert found(without, "stored reading")["differing"].tolist() == [1, 0]
    assert "2026-07-08 QQQ" in found(without, "stored reading")["first_difference"].iloc[0]


def test_readings_that_overrides_leave_out_are_left_out_of_the_ranks_compared(tmp_path: Path) -> None:
    place, file = _ranked(tmp_path / "vols.db"), tmp_path / "left_out.csv"
    # of the days that are not restated, those that are, and the last one
    days = ("2026-01-06", "2026-01-27", "2026-03-31")
    file.write_text("date,symbol,reason\n" + "".join(f"{day},QQQ,halted\n" for day in days))
    result = audit_store(place, cuts=None, overrides=file)
    assert (result.exit_code, result.n_differing) == (0, 0)
    assert run(["audit", "--store", str(place), "--overrides", str(file), "--cuts", "2"]) == 0
    assert run(["audit", "--store", str(place), "--overrides", str(tmp_path / "none.csv")]) == 1


def test_nothing_to_audit(tmp_path: Path) -> None:
    place = tmp_path / "empty.db"
    with vs.History(place):
        pass
    assert audit_store(place).exit_code == 1
    with pytest.raises(StoreError, match="there is no store"):
        audit_store(tmp_path / "none.db")
    with pytest.raises(
        StoreError, match=r"there is no store .*empty\.bd; in that folder there is .*empty\.db"
    ):
        audit_store(f"sqlite:///{tmp_path}/empty.bd")
    with pytest.raises(StoreError, match="there is no store in sqlite://"):
        audit_store("sqlite://")
    assert not (tmp_path / "none.db").exists()
    _ranked(place)
    assert audit_store(place, series=["other"]).exit_code == 1
    for cuts in (0, -1, True):
        with pytest.raises(SettingsError, match="cuts must be a whole number from 1"):
            audit_store(place, cuts=cuts)
    with pytest.raises(SettingsError, match="a pair is two names"):
        audit_store(place, pairs=["QQQ"])  # type: ignore[list-item]


def test_rates_are_cut_to_their_rows() -> None:
    text = _RATES.format("4.00")
    cut = rates_until(text, source="rates.csv", on=dt.date(2026, 7, 8))
    assert cut == "Date,3 Mo,1 Yr\n2026-07-07,4.00,4.10\n2026-07-08,4.00,4.10\n"
    assert rates_until(text, source="rates.csv", on=dt.date(2026, 7, 6)) == ""


def test_dividends_are_cut_to_what_was_declared() -> None:
    text = (
        "ex_date,amount,declaration date\n2026-03-23,0.7,\n2026-06-22,0.8,2026-06-20\n"
        "2026-09-21,0.9,2026-06-15\n2026-09-22,1.0,\n"
    )
    cut = dividends_until(text, source="QQQ.csv", symbol=None, on=dt.date(2026, 6, 18))
    assert cut.splitlines()[1:] == ["2026-03-23,0.7,", "2026-09-21,0.9,2026-06-15"]
    assert dividends_until(text, source="QQQ.csv", symbol=None, on=dt.date(2026, 1, 1)) == ""


def test_cut_files_say_what_the_whole_ones_said(tmp_path: Path) -> None:
    on = dt.date(2026, 3, 2)
    whole = read_dividends(_DIVIDENDS)
    place = tmp_path / "cut.csv"
    place.write_text(dividends_until(Path(_DIVIDENDS).read_text(), source=_DIVIDENDS, symbol=None, on=on))
    assert place.stat().st_size < Path(_DIVIDENDS).stat().st_size
    for symbol in whole.symbols:
        until = dt.date(2027, 3, 1)
        assert read_dividends(place).outlook(symbol, on, until) == whole.outlook(symbol, on, until)
    rates = tmp_path / "rates.csv"
    rates.write_text(_RATES.format("4.00"))
    short = tmp_path / "short.csv"
    short.write_text(rates_until(rates.read_text(), source="rates.csv", on=dt.date(2026, 7, 8)))
    for day in (dt.date(2026, 7, 7), dt.date(2026, 7, 8)):
        assert read_rates(short).curve(day, max_age_days=7) == read_rates(rates).curve(day, max_age_days=7)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, file = str(_ranked(tmp_path / "vols.db")), tmp_path / "audit.csv"
    assert run(["audit", "--store", place, "--cuts", "3", "--out", str(file)]) == 0
    assert "rows are what could be known then, to the last bit." in capsys.readouterr().out
    assert file.read_text().startswith("check,what,cut,rows,differing,first_difference,not_compared,")
    early = "2020-01-02T21:00:00Z"
    edit_readings(Path(place), lambda rows: rows.mask(rows["vintage"] == 1, rows.assign(known_at=early)))
    assert run(["audit", "--store", place, "--cuts", "3"]) == 3
    printed = capsys.readouterr().out
    assert "rows are not what could be known then." in printed
    assert "known_at close: " in printed
    assert run(["audit", "--store", place, "--series", "none"]) == 1
    assert "Nothing could be compared, for the reasons below." in capsys.readouterr().out
    assert run(["audit", "--store", place, "--cuts", "none"]) == 2
    pairs = ["--pair", "QQQ/IWM", "--pair", "QQQ/SPY"]
    assert run(["audit", "--store", str(_ranked(tmp_path / "two.db")), *pairs, "--out", str(file)]) == 3
    printed = capsys.readouterr().out
    assert "to the last bit; 1 could not be compared." in printed
    assert "ranking: 1 not compared, the store has no reading of SPY, such as QQQ/SPY." in printed
    assert ",1,the store has no reading of SPY,QQQ/SPY\n" in file.read_text()
