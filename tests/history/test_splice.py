from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from volskew.errors import MissingReadingError, SettingsError, StoreError
from volskew.history import History

Readings = Callable[..., pd.DataFrame]

DAYS = pd.bdate_range("2024-01-02", "2024-01-12").strftime("%Y-%m-%d").tolist()  # nine, all sessions
OLD = {"QQQ": dict(zip(DAYS[:7], [0.20, 0.21, 0.22, 0.20, 0.25, 0.20, 0.40], strict=True))}
NEW = {"QQQ": dict(zip(DAYS[4:9], [0.26, 0.202, 0.42, 0.3, 0.31], strict=True))}
# The three common days differ by ln 1.04, ln 1.01 and ln 1.05: their median, and the standard error of a
# median from the median absolute deviation 0.00956945 of normal values (quantile from statistics.NormalDist).
BASIS = 0.03922071
ERROR = 0.01026623


def fill(history: History, readings: Readings) -> None:
    history.add(readings(OLD, flags="NO_ERROR", source="old.csv"), series="old")
    history.add(readings(NEW, error=0.001, method_version="1-aaaa"), series="close")


def splice(history: History, **options: Any) -> Any:
    return history.splice(imported="old", solved="close", into="close+old", **options)


def test_imported_days_stand_ahead_of_the_solved_ones(history: History, readings: Readings) -> None:
    fill(history, readings)
    result = splice(history)
    assert (result.added.inserted, result.withdrawn) == (9, 0)
    rows = history.table("close+old").set_index("date")
    assert rows["value"].tolist() == [0.20, 0.21, 0.22, 0.20, 0.26, 0.202, 0.42, 0.3, 0.31]
    assert rows["flags"].tolist() == ["NO_ERROR SPLICED"] * 4 + [""] * 5
    # what came with a row stays with it
    assert rows["source"].tolist() == ["old.csv"] * 4 + [""] * 5
    assert rows["method_version"].tolist() == [""] * 4 + ["1-aaaa"] * 5


def test_the_basis_is_measured_and_kept(history: History, readings: Readings) -> None:
    fill(history, readings)
    result = splice(history)
    (row,) = result.basis.to_dict("records")
    np.testing.assert_allclose(row["basis"], BASIS, atol=1e-8)  # rounded to 8 decimals
    np.testing.assert_allclose(row["basis_error"], ERROR, atol=1e-8)
    assert (row["n_overlap"], row["first_overlap"], row["last_overlap"]) == (3, DAYS[4], DAYS[6])
    assert (row["n_imported"], row["first_imported"], row["last_imported"]) == (4, DAYS[0], DAYS[3])
    assert (row["n_solved"], row["first_solved"], row["adjusted"]) == (5, DAYS[4], False)
    (entry,) = result.entries
    assert (entry.code, entry.symbol, entry.count, entry.is_failure) == ("SPLICED", "QQQ", 4, False)
    assert "basis ln(solved/imported) +0.0392 +- 0.0103 over 3 common days, not applied" in entry.detail
    assert list(history.ledger()) == [entry]
    assert result.sentences()[0].startswith("QQQ: 4 days of implied_vol 3m 0.25 from series 'old'")


def test_a_second_splice_changes_nothing(history: History, readings: Readings) -> None:
    fill(history, readings)
    splice(history)
    before = history.table(vintages="all")
    result = splice(history)
    assert (result.added.unchanged, result.added.restated, result.withdrawn) == (9, 0, 0)
    pd.testing.assert_frame_equal(history.table(vintages="all"), before)
    assert len(history.ledger()) == 1


def test_an_adjusted_splice_says_so_and_is_known_later(history: History, readings: Readings) -> None:
    fill(history, readings)
    result = splice(history, adjust=True)
    rows = history.table("close+old").set_index("date")
    factor = math.exp(BASIS)
    np.testing.assert_allclose(
        rows["value"],
        [0.2 * factor, 0.21 * factor, 0.22 * factor, 0.2 * factor, *NEW["QQQ"].values()],
        atol=2e-8,
    )
    assert rows["flags"].tolist() == ["BASIS_ADJUSTED NO_ERROR SPLICED"] * 4 + [""] * 5
    # the basis could not be known before the close of the last common day
    assert set(rows["known_at"].iloc[:4]) == {f"{DAYS[6]}T21:00:00Z"}
    assert rows["known_at"].iloc[4] == f"{DAYS[4]}T21:00:00Z"
    assert "applied to the imported days" in result.entries[0].detail
    assert "not applied" not in result.entries[0].detail


def test_no_overlap_is_flagged_and_nothing_adjusted(history: History, readings: Readings) -> None:
    history.add(readings({"QQQ": {DAYS[0]: 0.2}, "SPY": {DAYS[0]: 0.1}}), series="old")
    history.add(readings({"QQQ": {DAYS[2]: 0.3}, "IWM": {DAYS[2]: 0.4}}), series="close")
    result = splice(history, adjust=True)
    rows = history.table("close+old").set_index(["symbol", "date"])
    assert rows.loc[("QQQ", DAYS[0]), "value"] == 0.2
    assert rows.loc[("QQQ", DAYS[0]), "flags"] == "NO_OVERLAP SPLICED"
    assert rows.loc[("SPY", DAYS[0]), "flags"] == "NO_OVERLAP SPLICED"
    assert rows.loc[("IWM", DAYS[2]), "flags"] == ""
    assert result.basis["symbol"].tolist() == ["IWM", "QQQ", "SPY"]
    assert result.basis["basis"].isna().all()
    assert [entry.symbol for entry in result.entries] == ["QQQ", "SPY"]
    assert "no day has both" in result.entries[0].detail


def test_one_common_day_gives_a_basis_without_an_error(history: History, readings: Readings) -> None:
    history.add(readings({"QQQ": {DAYS[0]: 0.2, DAYS[1]: 0.2}}), series="old")
    history.add(readings({"QQQ": {DAYS[1]: 0.3}}), series="close")
    basis = splice(history).basis.iloc[0]
    assert basis["basis"] == round(math.log(1.5), 8)
    assert math.isnan(basis["basis_error"])


def test_gaps_between_solved_days_are_filled_when_asked(history: History, readings: Readings) -> None:
    history.add(readings(OLD), series="old")
    history.add(readings({"QQQ": {DAYS[2]: 0.3, DAYS[5]: 0.31}}), series="close")
    splice(history)
    assert history.table("close+old")["date"].tolist() == [DAYS[0], DAYS[1], DAYS[2], DAYS[5]]
    splice(history, fill_gaps=True)
    assert history.table("close+old")["date"].tolist() == DAYS[:7]


def test_a_solved_day_replaces_the_imported_one_and_strangers_leave(
    history: History, readings: Readings, tmp_path: Path
) -> None:
    fill(history, readings)
    splice(history)
    # an earlier day is solved: DAYS[1] is replaced, DAYS[2] and [3] now lie behind the first solved day
    history.add(readings({"QQQ": {DAYS[1]: 0.5}}), series="close")
    result = splice(history)
    assert (result.added.restated, result.withdrawn) == (1, 2)
    rows = history.table("close+old").set_index("date")
    assert rows["value"].to_dict() == {DAYS[0]: 0.2, DAYS[1]: 0.5, **NEW["QQQ"]}
    assert rows["flags"].tolist() == ["NO_ERROR SPLICED"] + [""] * 6
    panel = history.panel(series="close+old")
    assert panel["QQQ"].isna().tolist() == [False, False, True, True, *[False] * 5]
    # what was withdrawn is remembered, travels with the vintages, and can come back
    every = history.table("close+old", vintages="all")
    gone = every[every["date"] == DAYS[2]]
    assert gone["vintage"].tolist() == [1, 2]
    assert gone["flags"].tolist() == ["NO_ERROR SPLICED", "WITHDRAWN"]
    history.write_csv(tmp_path / "all.csv", vintages="all")
    with History() as other:
        other.read_csv(tmp_path / "all.csv")
        pd.testing.assert_frame_equal(other.table(), history.table())
    assert splice(history).withdrawn == 0
    back = splice(history, fill_gaps=True)
    assert (back.added.inserted, back.added.restated) == (2, 0)
    assert history.table("close+old")["date"].tolist() == DAYS


def test_the_ledger_holds_the_latest_splice_only(history: History, readings: Readings) -> None:
    fill(history, readings)
    splice(history)
    history.add(readings({"QQQ": {DAYS[3]: 0.5}}), series="close")
    (entry,) = splice(history).entries
    assert entry.count == 3
    assert list(history.ledger()) == [entry]


def test_what_cannot_be_spliced(history: History, readings: Readings) -> None:
    fill(history, readings)
    with pytest.raises(SettingsError, match="three different series"):
        history.splice(imported="old", solved="close", into="close")
    with pytest.raises(MissingReadingError, match="no readings of series 'odl'; it has 'close', 'old'"):
        history.splice(imported="odl", solved="close", into="x")
    history.add(readings({"QQQ": {DAYS[0]: 0.2}}), series="mine")
    with pytest.raises(StoreError, match="'mine' holds 1 readings that no splice made"):
        history.splice(imported="old", solved="close", into="mine")
    assert history.table("mine")["value"].tolist() == [0.2]


def test_a_splice_goes_on_in_a_store_filled_from_csv(
    history: History, readings: Readings, tmp_path: Path
) -> None:
    fill(history, readings)
    splice(history)
    history.write_csv(tmp_path / "h.csv")
    with History() as other:
        other.read_csv(tmp_path / "h.csv")
        assert splice(other).added.unchanged == 9


def test_the_basis_is_in_the_store(tmp_path: Path, readings: Readings) -> None:
    with History(tmp_path / "a.db") as history:
        fill(history, readings)
        splice(history)
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.connect() as connection:
        content = connection.execute(
            text("SELECT content FROM meta WHERE name = 'splice:close+old'")
        ).scalar_one()
    engine.dispose()
    record = json.loads(content)
    assert (record["imported"], record["solved"], record["adjust"]) == ("old", "close", False)
    assert record["basis"][0]["basis"] == pytest.approx(BASIS, abs=1e-8)


_VALUES = st.dictionaries(st.sampled_from(DAYS), st.integers(5, 90).map(lambda n: n / 100), min_size=1)


@given(imported=_VALUES, solved=_VALUES, fill_gaps=st.booleans(), adjust=st.booleans())
@settings(max_examples=15, deadline=None)
def test_a_splice_equals_its_plain_twin(
    imported: dict[str, float], solved: dict[str, float], fill_gaps: bool, adjust: bool
) -> None:
    def frame(values: dict[str, float]) -> pd.DataFrame:
        rows = [(day, "QQQ", "implied_vol", "3m", 0.25, value) for day, value in values.items()]
        return pd.DataFrame(rows, columns=["date", "symbol", "measure", "tenor", "delta", "value"])

    common = [math.log(solved[day] / imported[day]) for day in imported if day in solved]
    factor = math.exp(round(median(common), 8)) if common and adjust else 1.0
    expected = dict(solved)
    for day, value in imported.items():
        if day not in solved and (fill_gaps or day < min(solved)):
            expected[day] = value * factor
    with History() as history:
        history.add(frame(imported), series="old")
        history.add(frame(solved), series="close")
        splice(history, fill_gaps=fill_gaps, adjust=adjust)
        rows = history.table("close+old")
    assert rows["date"].tolist() == sorted(expected)
    # stored to 8 decimals
    np.testing.assert_allclose(rows["value"], [expected[day] for day in sorted(expected)], atol=6e-9)
    spliced = {day for day, flags in zip(rows["date"], rows["flags"], strict=True) if "SPLICED" in flags}
    assert spliced == expected.keys() - solved.keys()
