"""CSV text, chart and terminal summary."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.ledger import Code, Ledger, Stage
from volskew.ranking import Ranking, rank
from volskew.report import draw_pair, ledger_notes, print_ranking, print_series_ranking, table_text
from volskew.report.explanation import print_explanation, write_explanations
from volskew.report.figures import with_error
from volskew.report.flags import CAVEATS_OF_THE_DAY, CAVEATS_OF_THE_HISTORY, FLAGS
from volskew.report.smile_chart import draw_pictures
from volskew.settings import Settings
from volskew.workflow import Explanation, explain_readings, picture_smiles, rank_files

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"


def _ranking(n: int = 600, *, series: str = "close") -> Ranking:
    days = pd.bdate_range("2022-01-03", periods=n).as_unit("us")
    random = np.random.default_rng(7)
    b = 0.2 * np.exp(0.01 * random.standard_normal(n).cumsum())
    panel = pd.DataFrame({"QQQ": b * np.exp(0.02 * random.standard_normal(n)), "IWM": b}, index=days)
    return rank(panel, series=series)


def test_table_text_has_iso_times_fixed_decimals_and_empty_cells() -> None:
    frame = pd.DataFrame(
        {
            "snapshot_time": pd.Series([pd.Timestamp("2026-07-10 20:00", tz="UTC"), pd.NaT]),
            "day": pd.to_datetime(["2026-07-10", "2026-07-13"]),
            "strike": [100.0, 99.123456789],
            "vol_mid": [0.2, np.nan],
            "is_call": pd.array([True, None], dtype="boolean"),
            "exclusion": pd.array(["TICK", None], dtype="str"),
        }
    )
    assert table_text(frame) == (
        "snapshot_time,day,strike,vol_mid,is_call,exclusion\n"
        "2026-07-10T20:00:00Z,2026-07-10,100,0.2,true,TICK\n"
        ",2026-07-13,99.1235,,,\n"
    )


def test_table_text_does_not_change_its_input() -> None:
    frame = pd.DataFrame({"x": [1.23456789123]})
    table_text(frame)
    assert frame["x"].tolist() == [1.23456789123]


def test_a_negative_number_that_rounds_to_nothing_is_0() -> None:
    assert table_text(pd.DataFrame({"x": [-1e-12]})) == "x\n0\n"


def test_ledger_notes_leave_out_single_lines() -> None:
    ledger = Ledger()
    day = dt.date(2026, 7, 10)
    ledger.add(day, "QQQ", Stage.QUOTES, "CROSSED", count=3)
    ledger.add(day, "QQQ", Stage.TENOR, Code.NO_EXPIRY_AFTER, detail="the last expiry is 60 d away")
    assert ledger_notes(ledger) == "2026-07-10 QQQ: NO_EXPIRY_AFTER: the last expiry is 60 d away\n"


def test_a_chart_is_a_png_of_reasonable_size(tmp_path: Path) -> None:
    path = draw_pair(_ranking(), tmp_path)
    assert path is not None
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 800
    assert height > 400


def test_a_single_day_can_be_drawn_and_none_cannot(tmp_path: Path) -> None:
    assert draw_pair(_ranking(1), tmp_path) is not None
    days = pd.bdate_range("2022-01-03", periods=3).as_unit("us")
    empty = rank(pd.DataFrame({"QQQ": [0.2, 0.2, 0.2], "IWM": np.nan}, index=days))
    assert draw_pair(empty, tmp_path) is None


def test_a_chart_name_holds_no_folder(tmp_path: Path) -> None:
    days = pd.bdate_range("2022-01-03", periods=3).as_unit("us")
    panel = pd.DataFrame({"A/../B": [0.2, 0.2, 0.2], "C": [0.2, 0.3, 0.1]}, index=days)
    path = draw_pair(rank(panel, pair=("A/../B", "C")), tmp_path)
    assert path is not None
    assert path.parent == tmp_path


def test_the_summary_fits_one_screen_with_the_answer_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for leg in ("QQQ", "IWM"):
        shutil.copy(max(_QUOTES.glob(f"{leg}_*.csv.gz")), tmp_path)
    result = rank_files(tmp_path)
    print_ranking(result)
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("SIMULATED DATA")
    assert result.rankings[0].verdict.split(":")[0] in shown.split("expiries")[0]
    assert "lines excluded" in shown
    assert "4 % is assumed" in " ".join(shown.split())
    assert len(re.findall(r"\b[12]\d\.\d{2,3} % \+- 0\.\d{2,3}", shown)) == 2  # both legs, with their errors
    assert "log ratio" in shown.split("(one standard error)")[0].splitlines()[-1]


def test_the_summary_survives_brackets_and_narrow_files(capsys: pytest.CaptureFixture[str]) -> None:
    days = pd.bdate_range("2022-01-03", periods=3).as_unit("us")
    panel = pd.DataFrame({"[red]": [1.0, 2.0, 3.0], "B": [1.0, 1.0, 1.0]}, index=days)
    print_series_ranking(rank(panel, pair=("[red]", "B"), measure="-", tenor="-", delta="-"))
    assert "[red]" in capsys.readouterr().out


def test_rankings_read_back_as_they_were(tmp_path: Path) -> None:
    ranking = _ranking()
    table = pd.read_csv(io.StringIO(Path(ranking.to_csv(tmp_path / "rankings.csv")).read_text()))
    assert table["percentile"].to_numpy() == pytest.approx(
        ranking.table["percentile"].to_numpy(dtype=float), abs=5e-5, nan_ok=True
    )  # four decimals are written


def test_every_caveat_is_a_flag() -> None:
    assert {*CAVEATS_OF_THE_DAY, *CAVEATS_OF_THE_HISTORY} <= set(FLAGS)


def test_every_flag_of_a_reading_has_words() -> None:
    from volskew.surface import labels, tenor

    named = {value for module in (labels, tenor) for name, value in vars(module).items() if name == value}
    assert {"ROLL", "FITS_DISAGREE", "NO_ERROR", "WIDE_BRACKET"} <= named
    assert named <= set(FLAGS)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.2108, 0.0002, "21.08 % +- 0.02"),
        (0.2108, 0.0000994, "21.080 % +- 0.010"),
        (0.2108, 0.0000995, "21.08 % +- 0.01"),
        (0.2108, None, "21.08 %"),
        (0.2108, float("nan"), "21.08 %"),
        (float("nan"), None, "none"),
    ],
)
def test_a_vol_with_its_error(value: float, error: float | None, text: str) -> None:
    assert with_error(value, error) == text


@pytest.fixture(scope="module")
def explained() -> list[Explanation]:
    found, _ = explain_readings(max(_QUOTES.glob("IWM_*.csv.gz")), tenors=["3m", "2y"], settings=Settings())
    return found


def test_an_explanation_is_printed_whole(
    explained: list[Explanation], capsys: pytest.CaptureFixture[str]
) -> None:
    for item in explained:
        print_explanation(item)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    first, second = shown.split("IWM 2026-07-10, ")[1:]
    for part in ("% +- 0.", "read from all bids", "in vol points", "together", "Without 2026-",
                 "Nearest quotes", "served", "Beside it", "  3m 25-delta risk reversal  ",
                 "RATE_ASSUMED: no rate was given", "rows of quotes/IWM_2026"):  # fmt: skip
        assert part in first, part
    assert "no reading" in second
    assert "NO_EXPIRY_AFTER: " in second


def test_companions_are_told_with_their_errors_and_flags(
    explained: list[Explanation], capsys: pytest.CaptureFixture[str]
) -> None:
    given = explained[0]
    rows = [
        ("call_skew", "3m", 0.0123, 0.0004, "DIFFERENT_EXPIRIES RATE_ASSUMED", ""),
        ("risk_reversal", "3m", -0.03, 0.00002, "", ""),
        ("butterfly", "3m", 0.004, np.nan, "", ""),
        ("forward_vol", "1m-3m", np.nan, np.nan, "NO_EXPIRY_BEFORE", "no expiry before"),
    ]
    names = ["measure", "tenor", "value", "error", "flags", "reason"]
    companions = pd.DataFrame(rows, columns=names).assign(delta="0.25")
    print_explanation(replace(given, companions=companions))
    shown = capsys.readouterr().out
    table = shown.split("Beside it")[1].splitlines()[1:]
    assert [line.split("  ")[-1].strip() for line in table[1:5]] == [
        "+1.23 +- 0.04", "-3.000 +- 0.002", "+0.40", "NO_EXPIRY_BEFORE",
    ]  # fmt: skip
    assert "  3m 25-delta call skew (DIFFERENT_EXPIRIES)  " in shown  # the reading has the other itself
    assert shown.count("\nRATE_ASSUMED: ") == shown.count("\nDIFFERENT_EXPIRIES: ") == 1
    print_explanation(replace(given, companions=companions.iloc[3:]))
    assert "Beside it" not in capsys.readouterr().out


def test_a_vendors_vol_is_not_said_to_be_read_from_bids(
    explained: list[Explanation], capsys: pytest.CaptureFixture[str]
) -> None:
    given = explained[0]
    # as a surface of a vendor's vols has it: the vol stands for both sides
    same = {"bid": given.reading.value, "ask": given.reading.value}
    reading = replace(given.reading, flags=("NO_QUOTES",), details={**given.reading.details, **same})
    print_explanation(replace(given, reading=reading))
    shown = capsys.readouterr().out
    assert "read from all" not in shown
    assert "NO_QUOTES: a vendor's vols" in shown


def test_an_explanation_is_written_as_three_tables(explained: list[Explanation], tmp_path: Path) -> None:
    files = write_explanations(explained, tmp_path)
    names = ["reading.csv", "companions.csv", "expiries.csv", "quotes.csv"]
    assert [file.name for file in files] == names
    reading, companions, expiries, quotes = (pd.read_csv(file) for file in files)
    key = ["series", "date", "symbol", "measure", "tenor", "delta"]
    assert companions.columns.tolist() == [*key, "value", "error", "flags", "reason"]
    assert not companions.duplicated(key).any()
    assert set(companions["tenor"]) == {"3m", "1m-3m", "2y", "3m-2y"}
    assert reading["tenor"].tolist() == ["3m", "2y"]
    assert reading["value"].isna().tolist() == [False, True]
    assert len(str(reading["bid"].iloc[0])) > 6  # a vol, not a price of four decimals
    assert set(expiries["tenor"]) == set(quotes["tenor"]) == {"3m"}
    for table in (expiries, quotes):
        assert not [name for name in table.columns if "." in name]  # pandas' mark of a second such column
    both = write_explanations(explained[1:], tmp_path / "none")
    assert both[2].read_text() == "series,date,symbol,tenor,delta\n"


def test_smiles_are_drawn_and_say_what_is_missing(tmp_path: Path) -> None:
    file = max(_QUOTES.glob("IWM_*.csv.gz"))
    _, pictures, _ = picture_smiles(file, expiries=["2026-10-16", "2026-10-17"])
    files, trouble = draw_pictures(pictures, tmp_path)
    assert [path.name for path in files] == [
        "IWM_2026-07-10_simulated-close_smiles_2026-10-16_2026-10-17.png"
    ]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert len(trouble) == 1
    assert trouble[0].startswith("IWM 2026-07-10: no expiry on 2026-10-17")
    again, _ = draw_pictures(pictures, tmp_path / "again")
    assert again[0].read_bytes() == files[0].read_bytes()
