"""What moved a pair: sums over sessions and legs, gaps, stored readings, periods, real chains."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, SettingsError, StoreError
from volskew.history import History
from volskew.ledger import Code
from volskew.report.attribution import attribution_sentence
from volskew.settings import Settings
from volskew.surface import Surface
from volskew.surface.changes import PARTS, attribute_change, on_grid
from volskew.workflow import rank_files, walk
from volskew.workflow.accounts import COLUMNS
from volskew.workflow.attribution import Attribution, attribute_files
from volskew.workflow.drill import fit_unit
from volskew.workflow.gather import Unit

_ROOT = Path(__file__).parents[2]
_QUOTES = _ROOT / "chains" / "quotes"
_SETTINGS = Settings(rate=0.04, dividends_files=(str(_ROOT / "chains" / "simulated_dividends.csv"),))
_DAYS = ("2026-07-07", "2026-07-08", "2026-07-09", "2026-07-10")
_ALL = (*PARTS, "remainder")


def _files(days: Sequence[str] = _DAYS, *, without: Sequence[str] = ()) -> list[Path]:
    names = [f"{leg}_{day}" for leg in ("QQQ", "IWM") for day in days]
    return [_QUOTES / f"{name}_simulated.csv.gz" for name in names if name not in without]


def _row(table: pd.DataFrame, symbol: str, day: str | None = None) -> dict[str, Any]:
    """The row of a leg or pair, of the session that ends on a day."""
    rows = table[table["symbol"] == symbol]
    (row,) = (rows if day is None else rows[rows["session_to"] == day]).to_dict("records")
    return {str(name): cell for name, cell in row.items()}


def _attribute(files: Sequence[Path], **choices: Any) -> Attribution:
    return attribute_files(files, settings=_SETTINGS, **choices)


def _assert_adds_up(result: Attribution) -> None:
    """Every row's parts, the period's sessions and the pair's legs, to the last bit.

    A part that a leg lacks in some step is not the pair's there: it is then in the pair's remainder.
    """
    for table in (result.steps, result.totals):
        for suffix in ("", "_vol"):
            parts = table[[f"{name}{suffix}" for name in _ALL]].fillna(0.0).to_numpy()
            assert np.array_equal(sum(parts.T), table[f"change{suffix}"].to_numpy())
    pair = "/".join(result.pair)
    names = [f"{name}{suffix}" for name in ("change", *_ALL) for suffix in ("", "_vol")]
    rows = {symbol: _row(result.totals, symbol) for symbol in (*result.pair, pair)}
    for symbol, whole in rows.items():
        steps = result.steps[result.steps["symbol"] == symbol]
        for name in names:
            assert sum(steps[name].dropna()) == (0.0 if math.isnan(whole[name]) else whole[name]), name
    for name in names if rows[pair]["n_partial"] == 0 else ("change", "change_vol"):
        one, other, both = (0.0 if math.isnan(row[name]) else row[name] for row in rows.values())
        assert both == one - other


@pytest.fixture(scope="module")
def period() -> Attribution:
    return _attribute(_files(), days=3)


# --- a period ---------------------------------------------------------------------------------------


def test_a_period_adds_up_over_parts_sessions_and_legs(period: Attribution) -> None:
    assert period.exit_code == 0
    assert (period.start, period.end) == (dt.date(2026, 7, 7), dt.date(2026, 7, 10))
    assert tuple(period.steps.columns) == tuple(period.totals.columns) == COLUMNS
    assert period.steps["symbol"].tolist() == 3 * ["QQQ", "IWM", "QQQ/IWM"]
    assert period.steps["session_to"].tolist() == [day for day in _DAYS[1:] for _ in range(3)]
    assert (period.steps["remainder"] == 0).all()
    assert (period.steps["reason"] == "").all()
    _assert_adds_up(period)


def test_the_change_is_that_of_the_ranking(period: Attribution) -> None:
    ranked = rank_files(_files(), settings=_SETTINGS).rankings[0].series["log_ratio"]
    pair = _row(period.totals, "QQQ/IWM")
    # a history keeps eight decimals of a vol: 5e-9 of 0.2 in each of four logarithms
    assert pair["change"] == pytest.approx(ranked.iloc[-1] - ranked.iloc[0], abs=1e-7)
    assert pair["value_to"] == pytest.approx(ranked.iloc[-1], abs=5e-8)


def test_the_change_is_the_truth_within_its_error(period: Attribution) -> None:
    truth = pd.read_csv(_ROOT / "chains" / "simulated_truth.csv")
    for leg in period.pair:
        row = _row(period.totals, leg)
        vols = truth[truth["symbol"] == leg].set_index("date")["vol_25c"]
        exact = math.log(vols[row["session_to"]] / vols[row["session_from"]])
        assert row["change"] == pytest.approx(exact, abs=3 * row["error"])


def test_the_error_of_a_period_is_that_of_its_ends(period: Attribution) -> None:
    legs = [_row(period.totals, leg) for leg in period.pair]
    for leg, whole in zip(period.pair, legs, strict=True):
        first, last = _row(period.steps, leg, _DAYS[1]), _row(period.steps, leg, _DAYS[-1])
        # each is that of two readings, and the period has one of either's
        assert whole["error"] < math.hypot(first["error"], last["error"])
    pair = _row(period.totals, "QQQ/IWM")
    assert pair["error"] == pytest.approx(math.hypot(*(leg["error"] for leg in legs)), rel=1e-15)
    assert period.totals["level_error"].isna().all()
    assert period.steps["level_error"].notna().all()


def test_the_default_is_the_last_session() -> None:
    result = _attribute(_files())
    assert (result.start, result.end) == (dt.date(2026, 7, 9), dt.date(2026, 7, 10))
    assert len(result.steps) == 3
    pd.testing.assert_frame_equal(result.steps, result.totals)


def test_only_the_sessions_of_the_period_are_fitted() -> None:
    seen: list[tuple[str, int]] = []
    _attribute(
        _files(),
        start="2026-07-08",
        end="2026-07-09",
        progress=lambda stage, _, total: seen.append((stage, total)),
    )
    assert {total for stage, total in seen if stage == "fitting"} == {4}


def test_a_put_and_another_tenor() -> None:
    result = _attribute(_files(_DAYS[-2:]), tenor="95d", delta="25p")
    assert result.exit_code == 0
    assert set(result.steps["tenor"]) == {"95d"}
    assert set(result.steps["delta"]) == {"0.75"}
    _assert_adds_up(result)


def test_inputs_in_any_order_give_the_same_tables(period: Attribution) -> None:
    again = _attribute(_files()[::-1], days=3)
    pd.testing.assert_frame_equal(period.steps, again.steps, check_exact=True)
    pd.testing.assert_frame_equal(period.totals, again.totals, check_exact=True)


# --- what is missing --------------------------------------------------------------------------------


def test_a_session_without_a_chain_is_passed_over(period: Attribution) -> None:
    result = _attribute(_files(without=["QQQ_2026-07-08"]), days=3)
    assert result.exit_code == 3
    gap = _row(result.steps, "QQQ", "2026-07-09")
    assert gap["session_from"] == "2026-07-07"
    first, last = (
        fit_unit(unit, settings=_SETTINGS)
        for unit in result.inputs.units
        if unit.symbol == "QQQ" and str(unit.date) in {"2026-07-07", "2026-07-09"}
    )
    direct = attribute_change(first, last)
    assert {name: gap[name] for name in PARTS} == direct.parts
    assert gap["level_error"] == direct.level_error
    assert (gap["remainder"], gap["n_steps"], gap["n_partial"]) == (0.0, 1, 0)
    assert gap["reason"] == "QQQ has no chain of 2026-07-08"
    assert "BRIDGED" in gap["flags"].split()
    # nothing else moves: IWM's parts and QQQ's last session are as they were
    for symbol, day in (("IWM", "2026-07-09"), ("QQQ", "2026-07-10")):
        assert _row(result.steps, symbol, day) == _row(period.steps, symbol, day)
    # the pair over the same two days: QQQ's one step less IWM's two
    pair = _row(result.steps, "QQQ/IWM", "2026-07-09")
    for name in (*PARTS, "remainder"):
        iwm = sum(_row(period.steps, "IWM", day)[name] for day in ("2026-07-08", "2026-07-09"))
        assert pair[name] == gap[name] - iwm
    assert _row(result.totals, "QQQ/IWM")["change"] == _row(period.totals, "QQQ/IWM")["change"]
    assert result.totals["n_steps"].tolist() == [2, 3, 2]
    assert (result.totals["remainder"] == 0).all()
    assert Code.NO_FILE in [entry.code for entry in result.ledger]
    _assert_adds_up(result)


def test_an_end_without_a_chain_leaves_no_change_of_the_pair() -> None:
    result = _attribute(_files(_DAYS[-2:], without=["IWM_2026-07-10"]))
    assert result.exit_code == 3
    assert result.totals["symbol"].tolist() == ["QQQ"]
    assert result.notes == ["IWM has no reading on 2026-07-10."]


def test_a_change_that_is_all_remainder_is_an_answer(tmp_path: Path) -> None:
    store = str(tmp_path / "vols.db")
    rank_files(_files(_DAYS[-2:]), settings=_SETTINGS, store=store)
    # one chain a leg: the change is that of the store's readings, and no two surfaces can be compared
    result = _attribute(_files(_DAYS[-2:], without=["QQQ_2026-07-10", "IWM_2026-07-09"]), store=store)
    assert result.exit_code == 3
    assert result.steps[list(PARTS)].isna().all(axis=None)
    assert np.array_equal(result.totals["remainder"], result.totals["change"])


def test_a_store_that_is_read_has_to_be_there(tmp_path: Path) -> None:
    with History(tmp_path / "vols.db"):
        pass
    with pytest.raises(StoreError, match=r"there is no store .*vol\.db; in that folder there is .*vols\.db"):
        _attribute(_files(_DAYS[-2:]), store=str(tmp_path / "vol.db"))
    with pytest.raises(StoreError, match=r"there is no store .*none/vols\.db: name one that `volskew rank"):
        _attribute(_files(_DAYS[-2:]), store=f"sqlite:///{tmp_path}/none/vols.db")
    assert [path.name for path in tmp_path.iterdir() if "-" not in path.name] == ["vols.db"]


def test_nothing_to_attribute() -> None:
    alone = _attribute(_files(_DAYS[-1:]))
    assert alone.exit_code == 1
    assert alone.steps.empty
    none = _attribute([_QUOTES / "no_such_file.csv"])
    assert none.exit_code == 1
    assert none.start is None
    assert none.ledger.has_failures


def test_a_chain_that_cannot_be_fitted_is_a_session_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(unit: Unit, *, settings: Settings) -> Surface:
        if (unit.symbol, str(unit.date)) == ("IWM", "2026-07-08"):
            raise InputError("the chain is of no use", file="IWM.csv")
        return fit_unit(unit, settings=settings)

    monkeypatch.setattr(walk, "fit_unit", fit)
    result = _attribute(_files(), days=3)
    assert result.exit_code == 3
    gap = _row(result.steps, "IWM", "2026-07-09")
    assert (gap["session_from"], gap["remainder"]) == ("2026-07-07", 0.0)
    assert "of no use" not in gap["reason"]  # that is in the ledger
    (entry,) = (entry for entry in result.ledger if "of no use" in entry.detail)
    assert (str(entry.date), entry.symbol) == ("2026-07-08", "IWM")
    _assert_adds_up(result)


def test_a_bad_file_beside_the_period_is_told(tmp_path: Path) -> None:
    bad = tmp_path / "QQQ_2026-07-01.csv"
    bad.write_bytes(b"\x00\x01\x02" * 100)
    result = _attribute([*_files(_DAYS[-2:]), bad])
    assert result.exit_code == 3
    assert len(result.inputs.problems) == 1
    _assert_adds_up(result)


# --- readings of record -----------------------------------------------------------------------------


def test_a_stored_reading_that_is_not_the_one_read_again_is_in_the_remainder(
    period: Attribution, tmp_path: Path
) -> None:
    store = str(tmp_path / "vols.db")
    ranked = rank_files(_files(), settings=_SETTINGS, store=store)
    same = _attribute(_files(), days=3, store=store)
    pd.testing.assert_frame_equal(same.steps, period.steps)
    rows = ranked.history
    changed = rows[(rows["date"].astype(str) == "2026-07-09") & (rows["symbol"] == "IWM")].copy()
    old = float(changed["value"].iloc[0])
    changed["value"] = 1.01 * old
    with History(store) as kept:
        kept.add(changed)
    result = _attribute(_files(), days=3, store=store)
    for day, sign in (("2026-07-09", 1), ("2026-07-10", -1)):
        row, before = _row(result.steps, "IWM", day), _row(period.steps, "IWM", day)
        # a store keeps eight decimals of a vol
        assert row["remainder"] == pytest.approx(sign * math.log(1.01), abs=3e-8)
        assert [row[name] for name in PARTS] == [before[name] for name in PARTS]
        told = f"IWM on 2026-07-09 is stored as {1.01 * old:.6f} and read again as {old:.6f}"
        assert row["reason"] == told
    assert _row(result.totals, "IWM")["remainder"] == 0.0
    assert result.exit_code == 0
    _assert_adds_up(result)


def test_a_stored_session_without_a_chain_has_a_change_and_no_parts(
    period: Attribution, tmp_path: Path
) -> None:
    store = str(tmp_path / "vols.db")
    rank_files(_files(), settings=_SETTINGS, store=store)
    result = _attribute(_files(without=["QQQ_2026-07-08"]), days=3, store=store)
    for day in ("2026-07-08", "2026-07-09"):
        row = _row(result.steps, "QQQ", day)
        change = _row(period.steps, "QQQ", day)["change"]
        assert row["change"] == pytest.approx(change, abs=3e-8)  # eight decimals of a vol
        assert row["remainder"] == row["change"]
        assert row["reason"] == "QQQ has no chain of 2026-07-08"
        # IWM's parts are known, and are not shown as the pair's
        pair, iwm = (_row(result.steps, symbol, day) for symbol in ("QQQ/IWM", "IWM"))
        assert all(math.isfinite(iwm[name]) and math.isnan(pair[name]) for name in PARTS)
        assert pair["remainder"] == pair["change"] == row["change"] - iwm["change"]
        assert "PARTIAL" in pair["flags"].split()
    last, whole = (_row(table, "QQQ/IWM", "2026-07-10") for table in (result.steps, result.totals))
    assert [whole[name] for name in PARTS] == [last[name] for name in PARTS]
    assert (whole["n_steps"], whole["n_partial"]) == (3, 2)
    assert "PARTIAL" in whole["flags"].split()
    told = attribution_sentence(result)
    assert told.endswith("; all parts are known over 1 of 3 steps only.")
    assert "QQQ " not in told.partition(": ")[2]
    _assert_adds_up(result)


# --- refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"start": "2026-07-04"}, "start must be a session; the last one before 2026-07-04 is 2026-07-02"),
        ({"start": "2026-07-10"}, "the period must start before it ends; got 2026-07-10 to 2026-07-10"),
        ({"end": "tomorrow"}, "end must be a day, YYYY-MM-DD, got 'tomorrow'"),
        ({"days": 0}, "days must be a whole number from 1; got 0"),
        ({"delta": "atmf"}, "a change is attributed at a delta; got 'atmf'"),
        ({"tenor": "soon"}, "'soon' is no tenor"),
        ({"pair": ("QQQ", "QQQ")}, "two different legs"),
        ({"series": "15:45"}, "there is no series '15:45' among the chains; they have 'simulated:close'"),
    ],
)
def test_what_is_refused(choices: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        _attribute(_files(_DAYS[-1:]), **choices)


def test_a_rates_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        attribute_files(_files(_DAYS[-2:]), settings=Settings(rates_file=str(tmp_path / "none.csv")))


# --- real chains ------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.slow
def test_consecutive_sessions_of_a_real_chain(real: Path) -> None:
    result = attribute_files(real / "cboe_delayed", pair=("IWM", "QQQ"), start="2026-06-15", end="2026-06-24")
    assert result.exit_code == 3  # there is no QQQ
    steps = result.steps
    # 2026-06-19 is a holiday, 20 and 21 are a weekend
    assert steps["session_to"].tolist() == [f"2026-06-{day}" for day in (16, 17, 18, 22, 23, 24)]
    assert (steps["remainder"] == 0).all()
    total = _row(result.totals, "IWM")
    for name in ("change", *PARTS):
        assert sum(steps[name]) == total[name]
    assert steps["forward_move"].abs().max() < 0.04
    # a put smile slopes down: at fixed strikes a lower forward reads a higher vol
    assert np.corrcoef(steps["forward_move"], steps["spot"])[0, 1] < -0.5


@pytest.mark.real
@pytest.mark.slow
def test_a_vendors_vols_over_two_months(real: Path) -> None:
    result = attribute_files(real / "vendor_iv", start="2026-06-01", end="2026-07-31")
    pair = _row(result.totals, "QQQ/IWM")
    assert math.isnan(pair["error"])
    assert sum(pair[name] for name in _ALL) == pair["change"] == on_grid(pair["change"])
    assert "NO_QUOTES" in pair["flags"].split()
