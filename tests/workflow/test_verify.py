"""The check of the solve: what it compares, what it finds, and what it says where there is nothing."""

from __future__ import annotations

import csv
import datetime as dt
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.errors import InputError, SettingsError
from volskew.pricing import Status, black
from volskew.pricing.references import quantlib_solver, vollib_solver
from volskew.report import write_verification
from volskew.workflow import Verification, compare, gather, verify_file, vols_table
from volskew.workflow.gather import no_progress
from volskew.workflow.verify import Outcome

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"
_QQQ = _QUOTES / "QQQ_2026-07-10_simulated.csv.gz"
_IWM = _QUOTES / "IWM_2026-07-10_simulated.csv.gz"
_SIDES = ["bid", "mid", "ask"]

_solve = black.implied_vol


@pytest.fixture(scope="module")
def whole() -> Verification:
    return verify_file(_QQQ, sample=None)


def _vendor_chain(path: Path) -> Path:
    """A chain that has vols and no quotes."""
    table = pd.read_csv(_QQQ, dtype=str).drop(columns=["bid", "ask"])
    table["iv"] = "0.2"
    table.to_csv(path, index=False)
    return path


def _wrong(monkeypatch: pytest.MonkeyPatch, *, strike: float, factor: float) -> None:
    """Let our own engine be wrong at one strike."""

    def solve(price: Any, *, engine: str = "volskew", **inputs: Any) -> Any:
        solved = _solve(price, engine=engine, **inputs)  # type: ignore[call-overload]
        here = np.broadcast_to(np.asarray(inputs["strike"]) == strike, np.shape(solved.vol))
        return solved._replace(vol=np.where(here, factor * solved.vol, solved.vol))

    monkeypatch.setattr(black, "implied_vol", solve)


def test_every_line_agrees_and_the_table_holds_the_pipelines_own_vols(whole: Verification) -> None:
    assert whole.exit_code == 0
    assert whole.failures.empty
    assert whole.n_lines == whole.population
    assert whole.pricer == "european"
    assert set(whole.table["vollib_outcome"]) == {Outcome.AGREES, Outcome.NO_VOL}
    vols, _ = vols_table(_QQQ, solve_all=True, settings=vs.Settings(pricer="european"))
    vols = vols.set_index("source_row")
    mine = whole.table.pivot_table(index="source_row", columns="side", values="vol", dropna=False)
    for side in _SIDES:
        expected = vols.loc[mine.index, f"vol_{side}"].to_numpy()
        np.testing.assert_array_equal(mine[side].to_numpy(), expected)
    assert whole.population == vols["vol_status"].notna().sum()


def test_the_references_get_what_the_pipeline_solved(whole: Verification) -> None:
    table = whole.table
    again = _solve(
        table["price"],
        forward=table["forward"],
        strike=table["strike"],
        time_to_expiry=table["time_to_expiry"],
        is_call=table["is_call"].to_numpy(dtype=bool),
    )
    np.testing.assert_array_equal(again.vol, table["vol"])
    names = {int(item): item.name for item in Status}
    assert [names[code] for code in again.status.tolist()] == table["status"].tolist()


def test_prices_below_intrinsic_value_get_no_vol_from_any_solver(tmp_path: Path) -> None:
    table = pd.read_csv(_IWM)
    deep = (table["right"] == "call") & (table["strike"] < 0.9 * table["underlying_price"])
    table.loc[deep, "bid"] = (table.loc[deep, "bid"] - 2.0).round(2)
    table.to_csv(tmp_path / "IWM_simulated.csv", index=False)
    low = verify_file(tmp_path / "IWM_simulated.csv", sample=None)
    none = low.table["status"] == "BELOW_INTRINSIC"
    assert none.sum() > 10  # bids of lines in the money
    assert low.table.loc[none, "in_the_money"].all()
    for name in low.references:
        assert low.table.loc[none, f"{name}_vol"].isna().all()
        assert (low.table.loc[none, f"{name}_outcome"] == Outcome.NO_VOL).all()


def test_the_summary_is_of_the_table(whole: Verification) -> None:
    summary = whole.summary()
    assert len(summary) == 2 * len(whole.references)
    first = summary.iloc[0]
    part = whole.table[~whole.table["in_the_money"].astype(bool)]
    gap = part["vollib_difference"].abs()
    assert first["compared"] == gap.notna().sum() == len(part)
    assert first["vol_points"] == 100 * gap.max()
    assert first["half_spreads"] == (gap / part["half_spread"]).max()
    assert first["uncertainties"] == (gap / part["uncertainty"]).max()
    # a hundred-millionth of a point, and of the quote's own uncertainty
    assert first["vol_points"] < 1e-8
    assert first["half_spreads"] < 1e-8


def test_the_half_spread_is_that_of_the_vols(whole: Verification) -> None:
    wide = whole.table.pivot_table(index="source_row", columns="side", values="vol", dropna=False)
    half = whole.table.groupby("source_row")["half_spread"]
    assert half.max().equals(half.min())
    expected = (wide["ask"] - wide["bid"]) / 2
    np.testing.assert_array_equal(half.first().to_numpy(), expected.where(expected > 0).to_numpy())


def test_a_sample_is_spread_and_drawn_by_the_seed(whole: Verification) -> None:
    some = verify_file(_QQQ, sample=100, seed=7)
    assert (some.n_lines, some.population, some.exit_code) == (100, whole.population, 0)
    assert some.table.equals(verify_file(_QQQ, sample=100, seed=7).table)
    other = verify_file(_QQQ, sample=100, seed=8)
    assert set(other.table["source_row"]) != set(some.table["source_row"])
    # an expiry has its share of the sample, to the lines at its ends
    share = whole.table["expiry"].value_counts(normalize=True)
    drawn = some.table["expiry"].value_counts(normalize=True).reindex(share.index)
    assert (drawn - share).abs().max() <= 0.02
    in_table = whole.table.set_index(["source_row", "side"])["vol"]
    drawn_vols = some.table.set_index(["source_row", "side"])["vol"]
    assert in_table.loc[drawn_vols.index].equals(drawn_vols)


def test_a_sample_takes_one_line_of_each_run() -> None:
    lines = pd.DataFrame({"x": range(103)})
    places = compare.drawn(lines, 10, 3)
    edges = np.arange(11) * 103 // 10
    assert ((places >= edges[:-1]) & (places < edges[1:])).all()
    assert compare.drawn(lines, 103, 3).tolist() == list(range(103))
    assert compare.drawn(lines, None, 3).tolist() == list(range(103))


@pytest.mark.parametrize("factor", [1 + 1e-10, 1 - 1e-6, 1.01])
def test_a_wrong_vol_is_found_and_named(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    _wrong(monkeypatch, strike=650.0, factor=factor)
    found = verify_file(_QQQ, sample=None)
    assert found.exit_code == 3
    assert set(found.failures["strike"]) == {650.0}
    solved = found.table[(found.table["strike"] == 650.0) & (found.table["vollib_outcome"] != Outcome.NO_VOL)]
    assert len(found.failures) == len(solved)
    worst = found.worst("vollib").iloc[0]
    assert worst["vollib_outcome"] == Outcome.DIFFERS
    assert worst["strike"] == 650.0
    cells = pd.read_csv(_QQQ).iloc[worst["source_row"] - 2]
    assert cells["strike"] == 650.0
    assert cells[["bid", "ask"]].tolist() == pytest.approx(
        found.table.loc[(found.table["source_row"] == worst["source_row"]), "quote"].iloc[[0, 2]].tolist()
    )


@pytest.mark.parametrize("factor", [0.005, 0.1, 0.7, 30.0])
def test_vols_that_are_wrong_by_far_do_not_excuse_themselves_by_their_own_vega(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vol near nothing has next to no vega, so that in units of its own rounding no error is large."""

    def solve(price: Any, **inputs: Any) -> Any:
        solved = _solve(price, **inputs)
        away = np.abs(np.log(np.asarray(inputs["forward"]) / inputs["strike"])) > 0.05
        return solved._replace(
            vol=solved.vol * np.where(np.broadcast_to(away, solved.vol.shape), factor, 1.0)
        )

    monkeypatch.setattr(black, "implied_vol", solve)
    found = verify_file(_QQQ, sample=None)
    table = found.table[found.table["vol"].notna()]
    away = np.abs(np.log(table["forward"] / table["strike"])) > 0.05
    assert found.exit_code == 3
    assert away.sum() > 500
    assert (table.loc[away, "vollib_outcome"] == Outcome.DIFFERS).all()
    assert (table.loc[~away, "vollib_outcome"] == Outcome.AGREES).all()


def test_a_vol_where_there_is_none_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def invent(price: Any, **inputs: Any) -> Any:
        solved = _solve(price, **inputs)
        return solved._replace(vol=np.nan_to_num(solved.vol, nan=0.2), status=np.zeros_like(solved.status))

    monkeypatch.setattr(black, "implied_vol", invent)
    found = verify_file(_QQQ, sample=None)
    assert found.exit_code == 3
    assert (found.failures["vollib_outcome"] == Outcome.STATUS).all()
    assert found.summary()["status"].sum() == len(found.references) * len(found.failures)


def test_a_vol_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(price: Any, **inputs: Any) -> Any:
        solved = _solve(price, **inputs)
        here = np.broadcast_to(np.asarray(inputs["strike"]) == 650.0, np.shape(solved.vol))
        status = np.where(here, np.uint8(Status.NOT_CONVERGED), solved.status)
        return solved._replace(vol=np.where(here, np.nan, solved.vol), status=status)

    monkeypatch.setattr(black, "implied_vol", refuse)
    found = verify_file(_QQQ, sample=None)
    assert found.exit_code == 3
    assert set(found.failures["strike"]) == {650.0}
    assert set(found.failures["status"]) == {"NOT_CONVERGED"}


def _one_price(price: float, *, forward: float, strike: float, is_call: bool) -> pd.DataFrame:
    line = {name: [""] for name in compare.LINE} | {
        "strike": [strike], "is_call": [is_call], "in_the_money": [is_call == (strike < forward)],
        "bid": [price], "ask": [price], "discount_factor": [1.0], "forward": [forward],
        "time_to_expiry": [0.25],
    }  # fmt: skip
    solved = _solve(price, forward=forward, strike=strike, time_to_expiry=0.25, is_call=is_call)
    line |= {f"vol_{side}": [solved.vol] for side in _SIDES}
    return compare.price_table(pd.DataFrame(line), 32.0)


@pytest.mark.parametrize("ulps", range(-40, 41, 4))
@pytest.mark.parametrize(("forward", "strike", "bound"), [(110.0, 99.9, 10.1), (110.0, 120.0, 110.0)])
def test_within_rounding_of_a_bound_no_answer_is_wrong(
    ulps: int, forward: float, strike: float, bound: float
) -> None:
    price = bound + ulps * np.spacing(bound)
    table = _one_price(price, forward=forward, strike=strike, is_call=True)
    for vol in (np.nan, 0.3):
        compared = compare.compared(table, "other", np.full(3, vol), 32.0)
        assert Outcome.STATUS not in set(compared["other_outcome"])
    beyond = bound - 1e-6 if bound < 100 else bound + 1e-6
    far = _one_price(beyond, forward=forward, strike=strike, is_call=True)
    compared = compare.compared(far, "other", np.full(3, 0.3), 32.0)
    assert set(compared["other_outcome"]) == {Outcome.STATUS}


def _random_lines(n: int) -> pd.DataFrame:
    """Prices of every kind that a quote may have, and many that none has."""
    random = np.random.default_rng(5)
    forward = np.exp(random.uniform(0, 9, n))
    years = np.exp(random.uniform(np.log(0.002), np.log(3), n))
    vol = np.exp(random.uniform(np.log(0.03), np.log(2), n))
    strike = forward * np.exp(random.uniform(-6, 6, n) * vol * np.sqrt(years))
    is_call = random.random(n) < 0.5
    price = black.price(forward=forward, strike=strike, time_to_expiry=years, vol=vol, is_call=is_call)
    solved = _solve(price, forward=forward, strike=strike, time_to_expiry=years, is_call=is_call)
    lines = pd.DataFrame("", index=range(n), columns=compare.LINE)
    return lines.assign(
        strike=strike, is_call=is_call, in_the_money=is_call == (strike < forward), bid=price, ask=price,
        discount_factor=1.0, forward=forward, time_to_expiry=years, vol_bid=solved.vol, vol_mid=solved.vol,
        vol_ask=solved.vol,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["vollib", "quantlib"])
def test_the_tolerance_is_never_needed_by_half_on_random_prices(name: str) -> None:
    solver = {"vollib": vollib_solver, "quantlib": quantlib_solver}[name]()
    if solver is None:
        pytest.skip("QuantLib is not installed")
    table = compare.price_table(_random_lines(3000), 32.0)
    answers = compare.answers(table, solver, name, no_progress)
    compared = compare.compared(table, name, answers, 32.0)
    assert set(compared[f"{name}_outcome"]) <= {Outcome.AGREES, Outcome.AT_BOUND, Outcome.NO_VOL}
    assert (compared[f"{name}_difference"].abs() / compared["rounding"]).max() < 24


def test_solvers_answer_hopeless_prices_with_nothing() -> None:
    for solver in (vollib_solver(), quantlib_solver()):
        if solver is None:
            continue
        for price, forward, strike, years in (
            (-1.0, 100.0, 100.0, 0.5),
            (0.0, 100.0, 110.0, 0.5),
            (4.0, 100.0, 90.0, 0.5),
            (10.0, 100.0, 90.0, 0.5),
            (100.0, 100.0, 90.0, 0.5),
            (101.0, 100.0, 90.0, 0.5),
            (4.0, 100.0, 100.0, 0.0),
            (4.0, 100.0, 100.0, -1.0),
            (4.0, 0.0, 100.0, 0.5),
            (4.0, 100.0, -1.0, 0.5),
            (np.nan, 100.0, 100.0, 0.5),
            (np.inf, 100.0, 100.0, 0.5),
        ):
            assert np.isnan(solver(price, forward, strike, years, True)), (price, forward, strike, years)
        assert solver(3.98776116767449, 100.0, 100.0, 0.25, True) == pytest.approx(0.2, abs=1e-13)


def test_without_quantlib_vollib_alone_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "QuantLib", None)  # an import of it now fails
    found = verify_file(_QQQ, sample=20)
    assert found.absent == ("QuantLib",)
    assert list(found.references) == ["vollib"]
    assert found.exit_code == 0
    assert not [name for name in found.table.columns if "quantlib" in name]


def test_several_chains_are_sampled_in_proportion() -> None:
    found = verify_file([_QQQ, _IWM], sample=200)
    both = gather([_QQQ, _IWM], settings=vs.Settings()).units
    assert {unit.symbol for unit in both} == set(found.table["symbol"])
    assert found.table.groupby("symbol").size().min() > 100
    only = verify_file([_QQQ, _IWM], symbols=["IWM"], sample=20)
    assert set(only.table["symbol"]) == {"IWM"}


def test_a_symbol_that_is_in_no_file_is_a_problem() -> None:
    found = verify_file(_QQQ, symbols=["QQQ", "ZZZ"], sample=5)
    assert found.exit_code == 3
    assert "ZZZ" in found.problems[0]


def test_a_vendors_vols_are_nothing_to_verify(tmp_path: Path) -> None:
    vendor = _vendor_chain(tmp_path / "vendor.csv")
    with pytest.raises(InputError, match=r"nothing to verify: QQQ 2026-07-10: the vols are a vendor's own"):
        verify_file(vendor)
    mixed = verify_file([vendor, _IWM], sample=10)
    assert mixed.exit_code == 0
    assert set(mixed.table["symbol"]) == {"IWM"}
    assert mixed.notes[0].startswith("QQQ 2026-07-10: the vols are a vendor's own")


def test_what_was_left_out_is_told_with_its_file_and_reason(tmp_path: Path) -> None:
    table = pd.read_csv(_QQQ, dtype=str)
    table.to_csv(tmp_path / "QQQ_2026-07-10_simulated.csv", index=False)
    again = table.assign(quote_date=table["quote_date"].str.replace("2026-07-10", "2026-07-13"))
    again.to_csv(tmp_path / "QQQ_2026-07-13_simulated.csv", index=False)
    (tmp_path / "readme.md").write_text("no chain")
    found = verify_file(tmp_path, sample=10)
    assert found.exit_code == 0
    assert set(map(str, found.table["date"])) == {"2026-07-10"}
    stale, skipped, assumed = (
        next(note for note in found.notes if code in note)
        for code in ("STALE_REPEAT", "SKIPPED", "RATE_ASSUMED")
    )
    assert len(found.notes) == 3
    assert stale.endswith(
        "QQQ_2026-07-13_simulated.csv: 2026-07-13 QQQ: STALE_REPEAT: every line equals the session before "
        "(2026-07-10)."
    )
    assert skipped.endswith("readme.md: SKIPPED: not a data file by its extension.")
    assert assumed == "RATE_ASSUMED: 1 session read at 4.00%; --rate or --rates sets it."
    assert verify_file(_QQQ, sample=10, settings=vs.Settings(rate=0.04)).notes == []
    # what was left out of other symbols than those asked for is no news
    other = verify_file([tmp_path, _IWM], symbols=["IWM"], sample=10)
    assert not [note for note in other.notes if "QQQ" in note]


def test_a_superseded_file_is_told(tmp_path: Path) -> None:
    table = pd.read_csv(_QQQ, dtype=str)
    table.to_csv(tmp_path / "whole_simulated.csv", index=False)
    table.iloc[: len(table) // 2].to_csv(tmp_path / "half_simulated.csv", index=False)
    found = verify_file(tmp_path, sample=10, settings=vs.Settings(rate=0.04))
    (note,) = found.notes
    assert re.search(r"half_simulated.csv: 2026-07-10 QQQ: SUPERSEDED: .*whole_simulated.csv", note)


def test_where_no_chain_is_left_the_error_says_which_file_and_why(tmp_path: Path) -> None:
    table = pd.read_csv(_QQQ, dtype=str)
    holiday = table.assign(quote_date=table["quote_date"].str.replace("2026-07-10", "2026-07-03"))
    holiday.to_csv(tmp_path / "QQQ_2026-07-03_simulated.csv", index=False)
    message = "no chain of any session was found: .*QQQ_2026-07-03_simulated.csv: .*NOT_A_SESSION: dated"
    with pytest.raises(InputError, match=message):
        verify_file(tmp_path)


def test_many_reasons_are_counted_and_the_first_named(tmp_path: Path) -> None:
    files = [tmp_path / f"nowhere{number}.csv" for number in range(9)]
    with pytest.raises(InputError, match=r"nowhere0.*nowhere5.*and 3 more\.$"):
        verify_file(files)


def test_a_session_without_a_rate_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("Date,3 Mo,1 Yr,2 Yr\n07/01/2025,4.3,4.0,3.8\n")
    settings = vs.Settings(rates_file=str(tmp_path / "curve.csv"))
    with pytest.raises(InputError, match=r"2026-07-10 QQQ: RATE_STALE: .*curve.csv"):
        verify_file(_QQQ, settings=settings)
    early = min(_QUOTES.glob("QQQ_*"))
    day = dt.date.fromisoformat(early.name.split("_")[1])
    (tmp_path / "curve.csv").write_text(f"Date,3 Mo,1 Yr,2 Yr\n{day:%m/%d/%Y},4.3,4.0,3.8\n")
    found = verify_file([early, _QQQ], settings=settings, sample=10)
    assert found.exit_code == 3
    assert ["RATE_STALE" in problem for problem in found.problems] == [True]
    assert found.failures.empty


def test_american_lines_are_read_as_european_whatever_the_settings_say() -> None:
    found = verify_file(_QQQ, settings=vs.Settings(pricer="auto"), sample=50)
    assert found.pricer == "european"
    assert found.failures.empty


def test_a_chain_without_a_forward_is_nothing_to_verify(tmp_path: Path) -> None:
    table = pd.read_csv(_QQQ, dtype=str)
    table[table["right"].str.lower().str[0] == "c"].to_csv(tmp_path / "calls.csv", index=False)
    with pytest.raises(InputError, match="no vol was solved"):
        verify_file(tmp_path / "calls.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [("other.csv", "name,colour\nanna,red\n"), ("empty.csv", ""), ("nowhere.csv", None)],
)
def test_what_is_no_chain_is_refused_by_name(name: str, content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name.partition(".")[0]):
        verify_file(tmp_path / name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample": 0},
        {"sample": -1},
        {"sample": 2.5},
        {"sample": "all"},
        {"sample": True},
        {"seed": -1},
        {"seed": 2**63},
        {"seed": 1.0},
        {"tolerance": 0},
        {"tolerance": -1.0},
        {"tolerance": float("nan")},
        {"tolerance": float("inf")},
        {"tolerance": "32"},
    ],
)
def test_arguments_that_mean_nothing_are_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(SettingsError, match=name):
        verify_file(_QQQ, **wrong)


def test_a_tolerance_near_nothing_finds_the_last_bits() -> None:
    assert verify_file(_QQQ, sample=50, tolerance=1e-6).exit_code == 3


def test_every_column_and_outcome_is_described_in_the_tutorial(whole: Verification) -> None:
    section = (
        (_QUOTES.parents[1] / "docs" / "tutorial.md").read_text().partition("## 5.")[2].partition("## 6.")[0]
    )
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    described = {word.strip() for cell in cells for word in cell.split(",")}
    names = [name.replace("quantlib", "vollib") for name in whole.table.columns]
    assert set(names) | {item.value for item in Outcome} <= described


def test_the_written_table_gives_the_same_doubles_back(whole: Verification, tmp_path: Path) -> None:
    file = write_verification(whole, tmp_path / "comparison.csv")
    assert file.read_bytes() == write_verification(whole, tmp_path / "again.csv").read_bytes()
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(whole.table)
    for name in ("price", "forward", "strike", "time_to_expiry", "vol", "vollib_vol"):
        read = [float(row[name] or "nan") for row in rows]
        np.testing.assert_array_equal(read, whole.table[name])
    assert all(row["expiry"].endswith("Z") for row in rows)
    assert not any("e" in row["vollib_difference"] for row in rows)  # decimals, no exponents
