"""What an overrides file does to a run on the sample market."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import volskew as vs
from volskew.history import History
from volskew.ledger import Code, Ledger
from volskew.market.overrides import Contract, Override
from volskew.quotes import Overrides, read_overrides
from volskew.workflow import gather
from volskew.workflow.measure import measure_units
from volskew.workflow.overrides import exclude_readings, tell_effects
from volskew.workflow.request import Request

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"
_DAY = dt.date(2026, 7, 10)
_HEADER = "date,symbol,contract,reason\n"
SETTINGS = vs.Settings(rate=0.04)


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last session of both legs."""
    folder = tmp_path_factory.mktemp("chains")
    for symbol in ("QQQ", "IWM"):
        shutil.copy(_QUOTES / f"{symbol}_{_DAY}_simulated.csv.gz", folder)
    return folder


def overrides_of(folder: Path, rows: str) -> Overrides:
    path = folder / "overrides.csv"
    path.write_text(_HEADER + rows)
    return read_overrides(path)


def measured(chains: Path, overrides: Overrides | None) -> tuple[pd.DataFrame, Ledger]:
    inputs = gather(chains, settings=SETTINGS, overrides=overrides)
    readings, entries = measure_units(inputs.units, request=Request(), settings=SETTINGS)
    return readings, Ledger([*inputs.ledger, *entries])


def test_an_empty_file_changes_no_bit(chains: Path, tmp_path: Path) -> None:
    plain, told = measured(chains, None)
    found, entries = measured(chains, overrides_of(tmp_path, ""))
    pd.testing.assert_frame_equal(found, plain, check_exact=True)
    assert list(entries) == list(told)
    before, after = (
        [unit.market.fingerprint() for unit in gather(chains, settings=SETTINGS, overrides=given).units]
        for given in (None, overrides_of(tmp_path, ""))
    )
    assert before == after


def test_a_quote_is_left_out_of_its_own_chain_alone(chains: Path, tmp_path: Path) -> None:
    rows = "2026-07-10,QQQ,QQQ260918C00690000,bust\n2026-07-10,QQQ,QQQ260918C00690001,typo\n"
    overrides = overrides_of(tmp_path, rows)
    inputs = gather(chains, settings=SETTINGS, overrides=overrides)
    held = {unit.symbol: unit.market.overrides for unit in inputs.units}
    assert held == {"IWM": (), "QQQ": (overrides.items[0],)}
    plain, _ = measured(chains, None)
    found, ledger = measured(chains, overrides)
    flags = found.set_index("symbol")["flags"].str.split()
    assert ("OVERRIDDEN" in flags["QQQ"], "OVERRIDDEN" in flags["IWM"]) == (True, False)
    before, after = (frame.set_index("symbol")["value"] for frame in (plain, found))
    assert before["QQQ"] != after["QQQ"]
    assert before["IWM"] == after["IWM"]
    assert set(found["method_version"]) == set(plain["method_version"])  # data, not method
    counts = {entry.code: entry.count for entry in ledger if entry.code.startswith("OVERRID")}
    assert counts == {"OVERRIDE": 1, "OVERRIDDEN": 1}
    effects = tell_effects(overrides, units=inputs.units, left_out=found.iloc[:0])
    (entry,) = effects.entries
    assert (entry.code, entry.is_failure, entry.date, entry.symbol) == (
        Code.OVERRIDE_UNUSED,
        False,
        _DAY,
        "QQQ",
    )
    assert entry.detail == "row 3: QQQ260918C00690001: typo; not in the chain"
    assert effects.sentences == (
        f"1 quote is left out by {overrides.source}; the ledger has the reasons.",
        f"1 of 2 lines of {overrides.source} matched nothing: row 3 (not in the chain).",
    )


def test_a_file_of_overrides_among_the_chains_is_no_chain(chains: Path, tmp_path: Path) -> None:
    shutil.copytree(chains, tmp_path / "all")
    overrides = overrides_of(tmp_path / "all", "2026-07-10,QQQ,,halted\n")
    inputs = gather(tmp_path / "all", settings=SETTINGS, overrides=overrides)
    assert len(inputs.units) == 2
    assert inputs.problems == []


def test_an_overridden_reading_in_a_store_is_a_vintage(chains: Path, tmp_path: Path) -> None:
    plain, _ = measured(chains, None)
    found, _ = measured(chains, overrides_of(tmp_path, "2026-07-10,QQQ,QQQ260918C00690000,bust\n"))
    with History() as history:
        history.add(plain)
        assert history.add(found).restated == 1
        assert history.add(plain).restated == 1  # and back, without the file
        assert len(history.table(vintages="all")) == 4


def rows_of(*keys: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(keys, columns=["series", "date", "symbol"])
    return frame.assign(measure="implied_vol", value=[0.2 + number / 100 for number in range(len(frame))])


def test_readings_are_left_out_of_every_series() -> None:
    rows = rows_of(
        ("close", "2026-07-09", "QQQ"), ("close", "2026-07-10", "QQQ"), ("desk", "2026-07-10", "QQQ"),
        ("close", "2026-07-10", "IWM"), ("desk", "2015-07-10", "IWM"),
    )  # fmt: skip
    overrides = Overrides(
        [
            Override(_DAY, "QQQ", "halted", row=2),
            Override(dt.date(2015, 7, 10), "IWM", "vendor's glitch", row=3),
            Override(dt.date(2015, 7, 13), "IWM", "no such reading", row=4),
            Override(dt.date(2026, 7, 13), "IWM", "to come", row=5),
            Override(_DAY, "SPY", "not read", Contract(_DAY, 600.0, is_call=True), row=6),
        ],
        "a.csv",
    )
    before = rows.copy(deep=True)
    kept, left_out = exclude_readings(rows, overrides)
    pd.testing.assert_frame_equal(rows, before)
    assert kept.index.tolist() == [0, 3]
    assert left_out.index.tolist() == [1, 2, 4]
    effects = tell_effects(overrides, units=[], left_out=left_out, as_of=_DAY)
    said = {entry.detail: (entry.code, entry.count, entry.stage) for entry in effects.entries}
    assert said == {
        "row 2: halted; left out of series 'close' and 'desk'": ("OVERRIDDEN", 2, "history"),
        "row 3: vendor's glitch; left out of series 'desk'": ("OVERRIDDEN", 1, "history"),
        "row 4: no such reading; there is no reading of IWM on 2015-07-13": ("OVERRIDE_UNUSED", 1, "history"),
        "row 5: to come; after 2026-07-10, the last day that was looked at": (
            "OVERRIDE_UNUSED",
            1,
            "history",
        ),
        "row 6: not read; no file holds a chain of SPY on 2026-07-10": ("OVERRIDE_UNUSED", 1, "quotes"),
    }
    assert not Ledger(effects.entries).has_failures
    assert effects.sentences == (
        "2 readings are left out by a.csv; the ledger has the reasons.",
        (
            "2 of 5 lines of a.csv matched nothing: row 4 (there is no reading of IWM on 2015-07-13); "
            "row 6 (no file holds a chain of SPY on 2026-07-10)."
        ),
    )


def test_no_more_than_three_unused_lines_are_named_on_screen() -> None:
    items = [Override(dt.date(2026, 7, day), "QQQ", "x") for day in (6, 7, 8, 9, 10)]
    (sentence,) = tell_effects(Overrides(items), units=[], left_out=rows_of()).sentences
    assert sentence.startswith(
        "5 of 5 lines of the overrides matched nothing: QQQ (there is no reading of QQQ"
    )
    assert sentence.endswith("2026-07-08); and 2 more.")


def test_nothing_decided_leaves_the_very_table() -> None:
    rows = rows_of(("close", "2026-07-10", "QQQ"))
    kept, left_out = exclude_readings(rows, Overrides())
    assert kept is rows
    assert left_out.empty
    assert tell_effects(Overrides(), units=[], left_out=left_out) == tell_effects(
        Overrides(), units=[], left_out=rows
    )
    assert exclude_readings(rows.iloc[:0], Overrides([Override(_DAY, "QQQ", "x")]))[0].empty


_KEYS = st.tuples(
    st.sampled_from(["close", "desk"]),
    st.sampled_from(["2026-07-09", "2026-07-10"]),
    st.sampled_from(["QQQ", "IWM"]),
)


@given(st.lists(_KEYS, max_size=12), st.sets(_KEYS, max_size=4))
def test_the_parts_are_the_whole(
    keys: list[tuple[str, str, str]], decided: set[tuple[str, str, str]]
) -> None:
    rows = rows_of(*keys)
    overrides = Overrides([Override(dt.date.fromisoformat(date), symbol, "x") for _, date, symbol in decided])
    kept, left_out = exclude_readings(rows, overrides)
    wanted = {(date, symbol) for _, date, symbol in decided}
    assert sorted([*kept.index, *left_out.index]) == rows.index.tolist()
    assert all(
        (date, symbol) not in wanted for date, symbol in zip(kept["date"], kept["symbol"], strict=True)
    )
    assert all(
        (date, symbol) in wanted for date, symbol in zip(left_out["date"], left_out["symbol"], strict=True)
    )
    entries = tell_effects(overrides, units=[], left_out=left_out).entries
    assert sum(entry.count for entry in entries if entry.code == "OVERRIDDEN") == len(left_out)
    assert len(entries) == len(overrides)
