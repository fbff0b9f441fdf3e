"""When two statements of a payment are one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from volskew.errors import InputError
from volskew.market.dividends import DividendTable, read_dividend_files, read_dividends

DAY = dt.date(2026, 6, 22)


def table_of(folder: Path, text: str, name: str = "QQQ.csv") -> DividendTable:
    (folder / name).write_text(text)
    return read_dividends(folder / name)


def amounts(table: DividendTable) -> list[tuple[float, bool, dt.date | None]]:
    return [(item.amount, item.is_special, item.declared) for item in table.lists["QQQ"].payments]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["Cash,0.7,", "Cash,0.7,"], [(0.7, False)]),
        (["Cash,0.7,", "Special,0.2,"], [(0.7, False), (0.2, True)]),
        (["Cash,0.7,", "Special,0.7,"], [(0.7, False), (0.7, True)]),
        (["Cash,0.7,", "Cash,0.2,"], [(0.2, False), (0.7, False)]),
    ],
    ids=["a row twice", "special", "special of the same amount", "two of a file of payments"],
)
def test_a_column_of_types_tells_payments_apart(
    tmp_path: Path, rows: list[str], expected: list[tuple[float, bool]]
) -> None:
    text = "\n".join(["ex_date,type,amount,pay_date", *(f"2026-06-22,{row}" for row in rows)])
    assert [item[:2] for item in amounts(table_of(tmp_path, text))] == expected


def test_payment_dates_tell_payments_apart(tmp_path: Path) -> None:
    head = "ex_date,amount,payment date\n2026-06-22,0.7,2026-07-01\n"
    assert len(table_of(tmp_path, head + "2026-06-22,0.2,2026-08-01\n")) == 2
    for paid in ("2026-07-01", ""):
        with pytest.raises(InputError, match=r"row 3: another amount of 2026-06-22 than the 0.7 in row 2"):
            table_of(tmp_path, f"{head}2026-06-22,0.2,{paid}\n")


def test_of_two_declarations_of_one_payment_the_earlier_counts(tmp_path: Path) -> None:
    head = "ex_date,amount,declared\n"
    for dates in (("2026-06-10", "2026-06-12"), ("2026-06-12", "2026-06-10"), ("", "2026-06-10")):
        table = table_of(tmp_path, head + "".join(f"2026-06-22,0.7,{date}\n" for date in dates))
        assert amounts(table) == [(0.7, False, dt.date(2026, 6, 10))]


def test_files_complete_each_other_in_either_order(tmp_path: Path) -> None:
    history = table_of(
        tmp_path, "Date,Close,Dividends\n2026-03-20,1,0\n2026-03-23,1,0.694\n2026-06-22,1,0.95\n", "a.csv"
    )
    history = DividendTable({"QQQ": history.lists["A"]}, history.sources)
    listed = table_of(
        tmp_path,
        "symbol,ex_date,type,amount,declared\nQQQ,2026-06-22,Cash,0.7,2026-06-10\n"
        "QQQ,2026-06-22,Special,0.25,2026-06-10\nQQQ,2026-03-23,Cash,0.69412,2026-03-20\n"
        "IWM,2026-06-15,Cash,0.5,\n",
        "b.csv",
    )
    one, other = history.merged(listed), listed.merged(history)
    assert one.lists == other.lists
    assert amounts(one) == [
        (0.69412, False, dt.date(2026, 3, 20)),  # the file with the declaration has more digits
        (0.7, False, dt.date(2026, 6, 10)),
        (0.25, True, dt.date(2026, 6, 10)),
    ]
    assert one.lists["QQQ"].first == dt.date(2026, 3, 20)
    assert len(one.lists["QQQ"].days) == 3
    assert one.symbols == ("IWM", "QQQ")
    assert [source[-5:] for source, _ in one.sources] == ["a.csv", "b.csv"]
    assert one.merged(one).lists == one.lists


def test_files_that_contradict_each_other_name_both_rows(tmp_path: Path) -> None:
    one = table_of(tmp_path, "ex_date,amount\n2026-03-23,0.5\n2026-06-22,0.7\n", "QQQ_a.csv")
    other = table_of(tmp_path, "ex_date,amount\n2026-06-22,0.702\n", "QQQ_b.csv")
    with pytest.raises(InputError, match=r"QQQ_b.csv, row 2: another amount .* 0.7 in .*QQQ_a.csv, row 3"):
        one.merged(other)


def test_what_the_settings_hold_is_read_into_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "ex_date,amount\n2026-06-22,0.7\n"
    (tmp_path / "mine").mkdir()
    for name in ("QQQ.csv", "mine/IWM.csv", "date=1.csv", "dividends.csv"):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_dividend_files(()) is None
    table = read_dividend_files(("QQQ.csv", "mine", "spy=dividends.csv", "DIA=~/dividends.csv"))
    assert table is not None
    assert table.symbols == ("DIA", "IWM", "QQQ", "SPY")
    as_path = read_dividend_files(("date=1.csv",))  # a file of that name, not dividends of DATE
    assert as_path is not None
    assert as_path.sources[0][0] == "date=1.csv"
    renamed = read_dividend_files(("TLT=date=1.csv",))
    assert renamed is not None
    assert renamed.symbols == ("TLT",)
    for item in ("a/date=20260622/QQQ.csv", "=QQQ.csv", "???=QQQ.csv"):
        with pytest.raises(InputError, match="no such file") as caught:
            read_dividend_files((item,))
        assert caught.value.file == item
