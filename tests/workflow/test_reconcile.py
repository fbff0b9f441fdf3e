"""Reconciliations: each step is a reading by its settings, and steps add up to totals."""

from __future__ import annotations

import math
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, SettingsError
from volskew.quotes import read_chain
from volskew.report.reconcile import print_reconciliation, write_reconciliation
from volskew.settings import Settings
from volskew.surface import fit_surface
from volskew.workflow.reconcile import Reconciliation, reconcile

SAMPLE = Path(__file__).parents[2] / "chains" / "quotes"
RATE = Settings(rate=0.04)
PAIR = ("QQQ", "IWM")


def sample(symbol: str, day: str = "2026-07-10") -> Path:
    return SAMPLE / f"{symbol}_{day}_simulated.csv.gz"


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return [sample(symbol) for symbol in PAIR]


@pytest.fixture(scope="module")
def usual(files: list[Path]) -> Reconciliation:
    return reconcile(files, symbols=PAIR, settings=RATE, targets={"QQQ": 0.207})


def row_of(found: Reconciliation, step: str) -> dict[str, Any]:
    return {str(name): value for name, value in found.table.set_index("step").loc[step].items()}


def test_each_step_is_a_fit_by_the_settings_up_to_it(files: list[Path], usual: Reconciliation) -> None:
    """The twin: a fit of its own for every row."""
    settings = RATE
    for step, changes, tenor in (
        ("start", {}, "3m"),
        ("clock", {"tenor_clock": "calendar"}, "3m"),
        ("interpolation", {"tenor_interpolation": "linear"}, "3m"),
        ("days", {}, "90d"),
        ("smile", {"smile_model": "local"}, "90d"),
        ("delta", {"delta_convention": "spot"}, "90d"),
        ("exercise", {"pricer": "european"}, "90d"),
    ):
        settings = settings.replace(**changes)
        row = row_of(usual, step)
        for symbol, file in zip(PAIR, files, strict=True):
            vol = fit_surface(read_chain(file), settings=settings).vol(tenor=tenor).value
            assert row[f"vol_{symbol}"] == round(vol, 6)
        assert row["ratio"] == pytest.approx(row["vol_QQQ"] / row["vol_IWM"], abs=6e-6)  # of rounded legs


def test_the_last_steps_are_single_options(usual: Reconciliation) -> None:
    expiry, strike = row_of(usual, "expiry"), row_of(usual, "strike")
    for symbol in PAIR:
        assert expiry[f"detail_{symbol}"].startswith("98 days") or expiry[f"detail_{symbol}"].startswith(
            "82 days"
        )
        assert " call " in strike[f"detail_{symbol}"]
    assert "vols" not in set(usual.table["step"])  # the files have none of a vendor


def test_steps_add_up_exactly(usual: Reconciliation) -> None:
    """In decimals, as they are written: every total is the sum of the changes up to it."""
    for name in (*PAIR, "ratio"):
        rows = usual.table[usual.table[f"change_{name}"].notna()]
        total = Decimal(0)
        for change, said in zip(rows[f"change_{name}"], rows[f"total_{name}"], strict=True):
            total += Decimal(f"{change:.6f}")
            assert Decimal(f"{said:.6f}") == total
    assert usual.table["change_QQQ"].abs().sum() > 0


def test_what_is_left_is_told(usual: Reconciliation) -> None:
    last, target = usual.table.iloc[-2], usual.table.iloc[-1]
    assert target["step"] == "target"
    assert target["vol_QQQ"] == 0.207
    assert usual.unexplained == {"QQQ": round(0.207 - last["vol_QQQ"], 6)}
    assert math.isnan(target["vol_IWM"])
    assert target["detail_IWM"] == "no number was given"
    assert math.isnan(target["ratio"])
    assert usual.is_complete  # a target that was not given is no step


def test_the_pair_is_in_the_order_of_the_files_or_as_asked_for(files: list[Path], tmp_path: Path) -> None:
    to = {"clock": "calendar"}
    assert reconcile(files, settings=RATE, to=to).symbols == ("QQQ", "IWM")
    assert reconcile(files[::-1], settings=RATE, to=to).symbols == ("IWM", "QQQ")
    assert reconcile(files, symbols=["IWM", "QQQ"], settings=RATE, to=to).symbols == ("IWM", "QQQ")
    for file in files:  # in a folder, by name
        (tmp_path / file.name).symlink_to(file)
    assert reconcile(tmp_path, settings=RATE, to=to).symbols == ("IWM", "QQQ")
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.write(files[1], f"inside/{files[1].name}")
    assert reconcile([files[0], bundle], settings=RATE, to=to).symbols == ("QQQ", "IWM")
    assert reconcile([bundle, files[0]], settings=RATE, to=to).symbols == ("IWM", "QQQ")


def test_the_error_stands_beside_the_vol(usual: Reconciliation) -> None:
    start = row_of(usual, "start")
    told = rf"{100 * start['vol_QQQ']:.3f} % \+- \d\.\d\d at strike \d{{3}}\.\d\d"
    assert re.fullmatch(told, start["detail_QQQ"])


def test_two_targets_have_a_ratio(files: list[Path]) -> None:
    found = reconcile(
        files, symbols=PAIR, settings=RATE, to={"clock": "calendar"}, targets={"QQQ": 0.2, "IWM": 0.25}
    )
    assert found.table.iloc[-1]["ratio"] == 0.8
    assert found.table["step"].tolist() == ["start", "clock", "target"]


def test_a_convention_by_its_name_and_steps_that_change_nothing(files: list[Path]) -> None:
    found = reconcile(files[:1], settings=RATE, to="calendar-line")
    assert found.table["step"].tolist() == ["start", "clock", "interpolation"]
    assert "ratio" not in found.table
    same = reconcile(files[:1], settings=RATE, to={"delta": "forward", "days": 91})
    assert same.table["step"].tolist() == ["start"]


def test_a_rate_and_dividends_of_another_are_gathered_anew(files: list[Path], tmp_path: Path) -> None:
    dividends = tmp_path / "QQQ_dividends.csv"
    dividends.write_text(
        "symbol,ex_date,amount\n"
        + "".join(f"QQQ,{year}-{month:02}-20,0.75\n" for year in (2025, 2026) for month in (3, 6, 9, 12)),
        encoding="utf-8",
    )
    found = reconcile(files[:1], settings=RATE, to={"rate": 0.02, "dividends_files": (str(dividends),)})
    assert found.table["step"].tolist() == ["start", "rate", "dividends_files"]
    assert found.table["words"].tolist()[1:] == ["a rate of 2 %", f"dividends of {dividends}"]
    other = RATE.replace(rate=0.02)
    quotes = read_chain(files[0])
    assert row_of(found, "rate")["vol_QQQ"] == round(fit_surface(quotes, settings=other).vol().value, 6)
    known = other.replace(dividends_files=(str(dividends),))
    surface = fit_surface(quotes, settings=known)
    assert row_of(found, "dividends_files")["vol_QQQ"] == round(surface.vol().value, 6)


def test_listed_options_between_expiries_are_on_the_line(files: list[Path]) -> None:
    """By hand from the two options that are named."""
    found = reconcile(files[:1], settings=RATE, to={"strike": "nearest"})
    row = row_of(found, "strike")
    surface = fit_surface(read_chain(files[0]), settings=RATE)
    vols, days = [], []
    for words in row["detail_QQQ"].split("; "):
        date, _, strike = words.split(", ")[0].split()
        quotes = surface.quotes
        line = quotes[
            (quotes["strike"] == float(strike))
            & (quotes["expiry"].dt.date.astype(str) == date)
            & quotes["is_call"]
        ].iloc[0]
        vols.append(line["vol_mid"])
        days.append(line["time_to_expiry"] * 365)
    assert [round(day) for day in days] == [82, 98]
    share = (91 - days[0]) / (days[1] - days[0])
    total = (1 - share) * vols[0] ** 2 * days[0] + share * vols[1] ** 2 * days[1]
    assert row["vol_QQQ"] == round(math.sqrt(total / 91), 6)


@pytest.fixture(scope="module")
def with_vendor(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with a vendor's vols half a point above our mids, and its deltas on calls of one expiry."""
    surface = fit_surface(read_chain(files[0]), settings=RATE)
    solved = surface.quotes.set_index(["expiry", "strike", "is_call"])
    table = pd.read_csv(files[0])
    keys = zip(
        pd.to_datetime(table["expiration"]).dt.strftime("%Y-%m-%d"), table["strike"],
        table["right"] == "call", strict=True,
    )  # fmt: skip
    by_date = {
        (expiry.strftime("%Y-%m-%d"), strike, is_call): (vol, delta)
        for (expiry, strike, is_call), vol, delta in zip(
            solved.index, solved["vol_mid"], solved["forward_call_delta"], strict=True
        )
    }
    found = [by_date[key] for key in keys]
    table["implied_volatility"] = [vol + 0.005 for vol, _ in found]
    table["delta"] = [
        (delta if is_call else delta - 1) + 0.03
        for (_, delta), is_call in zip(found, table["right"] == "call", strict=True)
    ]
    path = tmp_path_factory.mktemp("vendor") / files[0].name.removesuffix(".gz")
    table.to_csv(path, index=False)
    return path


def test_a_vendors_numbers_are_the_last_steps(with_vendor: Path) -> None:
    found = reconcile(with_vendor, settings=RATE)
    assert found.table["step"].tolist()[-3:] == ["strike", "vols", "deltas"]
    ours, vols, deltas = (row_of(found, step) for step in ("strike", "vols", "deltas"))
    # half a point on our American mid vol; the step before read the option as European
    american = reconcile(
        with_vendor, settings=RATE, to={"expiry": "nearest", "strike": "nearest", "vols": "vendor"}
    )
    assert row_of(american, "vols")["change_QQQ"] == pytest.approx(0.005, abs=2e-6)  # two roundings
    assert vols["detail_QQQ"] == ours["detail_QQQ"]
    assert "the vendor's delta" in deltas["detail_QQQ"]
    # its deltas are 0.03 above ours, so that its 25 delta is a higher strike
    assert float(deltas["detail_QQQ"].split()[2].rstrip(",")) > float(
        ours["detail_QQQ"].split()[2].rstrip(",")
    )


def test_a_step_that_gives_no_number_is_not_taken(files: list[Path]) -> None:
    """The files have no vendor's vols: that step is told, and the others are as without it."""
    to = {"expiry": "nearest", "strike": "nearest", "vols": "vendor"}
    found = reconcile(files[:1], settings=RATE, to=to)
    row = row_of(found, "vols")
    assert math.isnan(row["vol_QQQ"])
    assert math.isnan(row["change_QQQ"])
    assert row["detail_QQQ"].startswith("not taken: the file has no vendor's vol of")
    assert not found.is_complete
    assert found.has_numbers


def test_a_start_that_cannot_be_read_says_why_and_later_steps_may(files: list[Path]) -> None:
    found = reconcile(files[:1], settings=RATE, tenor="2y", to={"clock": "calendar", "expiry": "nearest"})
    assert row_of(found, "start")["detail_QQQ"].startswith("NO_EXPIRY_AFTER: ")
    assert row_of(found, "clock")["detail_QQQ"].startswith("not taken: NO_EXPIRY_AFTER: ")
    assert row_of(found, "expiry")["vol_QQQ"] > 0
    assert math.isnan(row_of(found, "expiry")["total_QQQ"])
    assert found.has_numbers


def test_the_session_is_the_last_that_all_have_or_the_one_asked_for() -> None:
    several = [sample("QQQ"), sample("QQQ", "2026-07-09"), sample("IWM", "2026-07-09")]
    to = {"clock": "calendar"}
    assert str(reconcile(several, symbols=PAIR, settings=RATE, to=to).date) == "2026-07-09"
    assert str(reconcile(several, symbols=["QQQ"], settings=RATE, to=to).date) == "2026-07-10"
    asked = reconcile(several, symbols=["qqq"], date="2026-07-09", settings=RATE, to=to)
    assert str(asked.date) == "2026-07-09"
    with pytest.raises(InputError, match=r"no chains of QQQ, IWM on 2026-07-10.*QQQ 2026-07-09"):
        reconcile(several, symbols=PAIR, date="2026-07-10", settings=RATE, to=to)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"delta": "atmf"}, "a reconciliation is of the vol at a delta"),
        ({"delta": 25}, "delta must be"),
        ({"tenor": "soon"}, "is no tenor"),
        ({"date": "yesterday"}, "date must be a date"),
        ({"targets": {"QQQ": 20.7}}, r"a target is a decimal vol from 0.01 to 3 .*got 20.7 for QQQ"),
        ({"targets": {"QQQ": "0.2"}}, "a target is a decimal vol"),
        ({"targets": {"SPY": 0.2}}, "there is a target of SPY; reconciled are QQQ"),
        ({"symbols": []}, "one underlying or more"),
        ({"to": {"clock": "x"}}, "clock must be one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(files: list[Path], given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        reconcile(files[:1], settings=RATE, **given)


def test_files_without_the_symbol_are_an_error(files: list[Path]) -> None:
    with pytest.raises(InputError):
        reconcile(files[:1], symbols=["SPY"], settings=RATE)


# --- what is shown ------------------------------------------------------------------------------------------


def test_it_is_printed_and_written(
    usual: Reconciliation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_reconciliation(usual)
    said = capsys.readouterr().out
    assert "QQQ/IWM 2026-07-10, 3m 25-delta call vol: one choice at a time" in said
    assert "variance accrues by the calendar day" in said
    assert f"QQQ: unexplained {1e4 * usual.unexplained['QQQ']:+.2f} bp" in said
    files = write_reconciliation(usual, tmp_path)
    back = pd.read_csv(files[0])
    assert files[0].name == "reconciliation.csv"
    assert back.columns.tolist()[:5] == ["date", "tenor", "delta", "step", "words"]
    np.testing.assert_array_equal(back["vol_QQQ"], usual.table["vol_QQQ"])
    before = files[0].read_bytes()
    assert write_reconciliation(usual, tmp_path)[0].read_bytes() == before


@pytest.mark.real
def test_a_vendors_own_vols_are_reached_within_a_few_basis_points(real: Path) -> None:
    """Real chains with an exchange's vols: the same listed option, its vol and ours at the mid."""
    apart = []
    for name in ("cboe_delayed/IWM_2026-06-24.json.gz", "cboe_flat/SPX_2026-07-24.csv.gz"):
        to = {"expiry": "nearest", "strike": "nearest", "vols": "vendor", "deltas": "vendor"}
        found = reconcile(real / name, to=to)
        assert found.is_complete
        apart.append(abs(row_of(found, "vols")[f"change_{found.symbols[0]}"]))
    assert max(apart) < 5e-4  # its own rounding of vols is 1 bp; measured 1.2 and 2.2 bp
