"""Long histories that say of each number which vol it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volskew.errors import InputError, SettingsError
from volskew.history import AddResult, History

KEYED = (
    "date,symbol,delta,vol\n"
    "2024-01-02,QQQ,25c,0.20\n2024-01-02,QQQ,50,0.22\n2024-01-02,QQQ,25p,0.25\n"
    "2024-01-02,IWM,.25,0.24\n2024-01-02,IWM,0.5,\n2024-01-02,IWM,25P,0.30\n"
)
NUMBERS = {
    ("QQQ", "0.25"): 0.20,
    ("QQQ", "0.5"): 0.22,
    ("QQQ", "0.75"): 0.25,
    ("IWM", "0.25"): 0.24,
    ("IWM", "0.75"): 0.30,
}


def by(history: History, *columns: str) -> dict[Any, float]:
    table = history.table("old")
    keys = zip(*(table[column] for column in columns), strict=True)
    return dict(zip(keys, table["value"], strict=True))


def write(folder: Path, text: str) -> Path:
    path = folder / "vols.csv"
    path.write_text(text)
    return path


def test_a_delta_column_says_what_each_row_is(history: History, tmp_path: Path) -> None:
    path = write(tmp_path, KEYED)
    assert history.import_history(path, series="old") == AddResult(inserted=5, skipped=1)
    assert by(history, "symbol", "delta") == NUMBERS
    # what has no column is as the arguments say, and a delta that has one is not
    history.import_history(path, series="six", tenor="6m", delta="10c")
    table = history.table("six")
    assert set(table["tenor"]) == {"6m"}
    assert set(table["measure"]) == {"implied_vol"}
    assert set(table["delta"]) == {"0.25", "0.5", "0.75"}


def test_tenor_and_measure_columns_too(history: History, tmp_path: Path) -> None:
    text = (
        "Trade_Date,Ticker,Measure,Term,Call_Delta,IV\n"
        "2024-01-02,QQQ,implied_vol,3M,25c,0.2\n2024-01-02,QQQ,implied_vol,90d,25c,0.21\n"
        "2024-01-02,QQQ,risk_reversal,3m,-,-0.05\n"
    )
    history.import_history(write(tmp_path, text), series="old")
    assert by(history, "measure", "tenor", "delta") == {
        ("implied_vol", "3m", "0.25"): 0.2,
        ("implied_vol", "90d", "0.25"): 0.21,
        ("risk_reversal", "3m", "-"): -0.05,
    }


def test_columns_name_them(history: History, tmp_path: Path) -> None:
    text = KEYED.replace("delta", "moneyness")
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=r"a second vol of QQQ on 2024-01-02 differs from 0\.2 in row 2"):
        history.import_history(path, series="old")
    history.import_history(path, series="old", columns={"delta": "Moneyness"})
    assert by(history, "symbol", "delta") == NUMBERS
    # a name given goes before a usual one
    both = "date,symbol,vol,delta,mine\n2024-01-02,QQQ,0.2,x,10c\n"
    history.import_history(write(tmp_path, both), series="both", columns={"delta": "mine"})
    assert set(history.table("both")["delta"]) == {"0.1"}


def test_a_wide_table_has_them_only_where_they_are_named(history: History, tmp_path: Path) -> None:
    wide = {"vol": {"QQQ": "q", "IWM": "i"}}
    path = write(tmp_path, "date,delta,q,i\n2024-01-02,what,0.2,0.24\n")
    history.import_history(path, series="old", columns=wide, delta="10c")
    assert by(history, "symbol", "delta") == {("QQQ", "0.1"): 0.2, ("IWM", "0.1"): 0.24}
    path = write(tmp_path, "date,delta,q,i\n2024-01-02,25c,0.2,0.24\n2024-01-02,25p,0.25,0.30\n")
    history.import_history(path, series="new", columns={**wide, "delta": "delta"})
    table = history.table("new")
    assert sorted(zip(table["symbol"], table["delta"], table["value"], strict=True)) == [
        ("IWM", "0.25", 0.24),
        ("IWM", "0.75", 0.30),
        ("QQQ", "0.25", 0.20),
        ("QQQ", "0.75", 0.25),
    ]


@pytest.mark.parametrize(
    ("deltas", "kept"),
    [(["25c", "50", "25p"], {"0.25", "0.5", "0.75"}), ([0.25, 0.5, 0.75], {"0.25", "0.5", "0.75"})],
)
def test_typed_tables_read_alike(deltas: list[Any], kept: set[str], history: History, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"date": pd.Timestamp("2024-01-02"), "symbol": "QQQ", "delta": deltas, "vol": [0.2, 0.22, 0.25]}
    )
    given = frame.copy()
    history.import_history(frame, series="frame")
    pd.testing.assert_frame_equal(frame, given)  # inputs are never modified
    frame.to_parquet(tmp_path / "vols.parquet")
    history.import_history(tmp_path / "vols.parquet", series="parquet")
    for series in ("frame", "parquet"):
        assert set(history.table(series)["delta"]) == kept
    whole = frame.assign(delta=50).head(1)  # a whole number is the text of a file
    history.import_history(whole, series="whole")
    assert history.table("whole")["delta"].tolist() == ["0.5"]


@pytest.mark.parametrize(
    ("text", "row", "column", "words"),
    [
        ("date,symbol,delta,vol\n2024-01-02,QQQ,25c,0.2\n2024-01-02,QQQ,25,0.2\n", 3, "delta", "not a delta"),
        ("date,symbol,delta,vol\n2024-01-02,QQQ,-0.25,0.2\n", 2, "delta", "not a delta: '-0.25'"),
        ("date,symbol,delta,vol\n2024-01-02,QQQ,,0.2\n", 2, "delta", "not a delta"),
        ("date,symbol,tenor,vol\n2024-01-02,QQQ,three,0.2\n", 2, "tenor", "not a tenor: 'three'"),
        ("date,symbol,measure,vol\n2024-01-02,QQQ,Vol!,0.2\n", 2, "measure", "not a measure: 'Vol!'"),
        (
            "date,symbol,delta,vol\n2024-01-02,QQQ,25c,0.2\n2024-01-02,QQQ,0.25,0.3\n",
            3,
            "vol",
            r"differs from 0\.2 in row 2.*one vol for each day, delta and symbol",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    text: str, row: int, column: str, words: str, history: History, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=words) as caught:
        history.import_history(path, series="old")
    assert (caught.value.file, caught.value.row, caught.value.column) == (str(path), row, column)
    assert caught.value.accepted
    assert history.series_names() == []


def test_two_usual_names_decide_nothing(history: History, tmp_path: Path) -> None:
    text = "date,symbol,vol,forward_delta,call_delta\n2024-01-02,QQQ,0.2,25c,25c\n"
    with pytest.raises(InputError, match=r"no column 'delta' \(for delta\)"):
        history.import_history(write(tmp_path, text), series="old")
    history.import_history(write(tmp_path, text), series="old", columns={"delta": "call_delta"})
    with pytest.raises(SettingsError, match="measure, tenor, delta, each with the name of a column"):
        history.import_history(write(tmp_path, text), series="old", columns={"deltas": "call_delta"})


def test_each_kind_has_its_own_median(history: History) -> None:
    # a wing far above the money is no row in another unit; a stretch of one delta in percent is
    days = pd.bdate_range("2024-01-02", periods=9).strftime("%Y-%m-%d")
    frame = pd.concat(
        pd.DataFrame({"date": days, "symbol": "GME", "delta": delta, "vol": vol})
        for delta, vol in (("50", 0.2), ("1p", 2.5))
    )
    assert history.import_history(frame, series="old").inserted == 18
    wrong = frame.reset_index(drop=True)
    wrong.loc[3, "vol"] = 20.0
    with pytest.raises(InputError, match=r"median is 0\.2") as caught:
        history.import_history(wrong, series="new")
    assert caught.value.row == 4


@given(st.permutations(list(NUMBERS)), st.data())
def test_the_order_of_rows_and_the_spelling_of_deltas_do_not_matter(
    keys: list[tuple[str, str]], data: st.DataObject
) -> None:
    spelled = {"0.25": ["25c", "0.25", ".250", " 25C "], "0.5": ["50", "50c", "50p"], "0.75": ["25p", "0.75"]}
    rows = [
        ("2024-01-02", symbol, data.draw(st.sampled_from(spelled[delta])), NUMBERS[symbol, delta])
        for symbol, delta in keys
    ]
    with History() as store:
        store.import_history(pd.DataFrame(rows, columns=["date", "symbol", "delta", "vol"]), series="old")
        assert by(store, "symbol", "delta") == NUMBERS
