"""The overrides file: every cell is accepted or refused by place, and every contract finds its lines."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import volskew as vs
from volskew.errors import InputError, SettingsError
from volskew.ledger import Code, Entry
from volskew.market import DiscountCurve, market_row, session_close
from volskew.market.overrides import Contract, Override
from volskew.quotes import Overrides, label, read_overrides
from volskew.quotes.overrides import find_overridden, lines_of
from volskew.quotes.schema import conform

DAY = dt.date(2026, 7, 10)
SEPTEMBER = dt.date(2026, 9, 18)


def written(folder: Path, text: str, name: str = "overrides.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def lines(
    *contracts: tuple[str, dt.date, float, bool], day: dt.date = DAY, symbol: str = "SPX"
) -> pd.DataFrame:
    """A chain with one line for each (root, expiry date, strike, right)."""
    frame = pd.DataFrame(contracts, columns=["root", "date", "strike", "is_call"])
    return conform(
        pd.DataFrame(
            {
                "expiry": [session_close(date) for date in frame["date"]],
                "strike": frame["strike"],
                "is_call": frame["is_call"],
                "root": frame["root"],
                "bid": 1.0,
                "ask": 1.1,
                "snapshot_time": session_close(day),
                "symbol": symbol,
                "settlement": "PM",
                "exercise": "european",
                "source_file": "made",
                "source_row": np.arange(len(frame)) + 2,
            }
        )
    )


# --- what is read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "date,symbol,contract,reason\n2026-07-10,QQQ,QQQ260918C00480000,bust\n2026-07-09,IWM,,halted\n",
        (
            "\ufeffReason , CONTRACT,Symbol,DATE\r\nbust,QQQ   260918C00480000, qqq ,2026-07-10\r\n\r\n"
            "halted,,iwm,2026-07-09\r\n"
        ),
        'reason,date,symbol,contract\n bust ,2026-07-10,QQQQ,qqq260918c00480000\n"halted",2026-07-09,IWM,""',
    ],
)
def test_columns_in_any_order_and_case(text: str, tmp_path: Path) -> None:
    found = read_overrides(written(tmp_path, text))
    contract = Contract(SEPTEMBER, 480.0, is_call=True, root="QQQ")
    assert found.items == (
        Override(dt.date(2026, 7, 9), "IWM", "halted"),
        Override(DAY, "QQQ", "bust", contract),
    )
    assert [item.symbol for item in found.readings] == ["IWM"]
    assert found.quotes_of("QQQ", DAY) == (found.items[1],)
    assert found.quotes_of("QQQ", dt.date(2026, 7, 9)) == ()
    assert found.quotes_of("IWM", dt.date(2026, 7, 9)) == ()


def test_the_file_names_its_place_and_is_read_plain_or_gzipped(tmp_path: Path) -> None:
    text = 'date,symbol,reason\n2026-07-10,IWM,"halted, then\n  bust"\n'
    path = tmp_path / "overrides.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    (item,) = vs.read_overrides(path)
    assert (item.reason, item.source, item.row) == ("halted, then bust", str(path), 3)  # the row's last line
    assert item.words == "row 3: halted, then bust"
    assert pickle.loads(pickle.dumps(read_overrides(path))) == read_overrides(path)  # noqa: S301 - our own


def test_a_header_without_rows_decides_nothing(tmp_path: Path) -> None:
    assert len(read_overrides(written(tmp_path, "date,symbol,contract,reason\n"))) == 0


@pytest.mark.parametrize(
    ("written_as", "contract"),
    [
        ("2026-09-18 480 C", Contract(SEPTEMBER, 480.0, is_call=True)),
        ("2026-09-18  62.857 p", Contract(SEPTEMBER, 62.857, is_call=False)),
        ("O:SPXW260918P04700500", Contract(SEPTEMBER, 4700.5, is_call=False, root="SPXW")),
        ("SPX260919C04700000", Contract(SEPTEMBER, 4700.0, is_call=True, root="SPX")),  # dated on Saturday
        ("2027-03-26 480 C", Contract(dt.date(2027, 3, 25), 480.0, is_call=True)),  # Good Friday
    ],
)
def test_spellings_of_a_contract(written_as: str, contract: Contract, tmp_path: Path) -> None:
    text = f"date,symbol,contract,reason\n2026-07-10,SPX,{written_as},bust\n"
    (item,) = read_overrides(written(tmp_path, text))
    assert item.contract == contract
    assert item.words == f"row 2: {written_as}: bust"


def test_a_root_without_the_dot_of_its_symbol(tmp_path: Path) -> None:
    text = "date,symbol,contract,reason\n2026-07-10,BRK.B,BRKB260918C00480000,bust\n"
    (item,) = read_overrides(written(tmp_path, text))
    assert (item.symbol, item.contract and item.contract.root) == ("BRK.B", "BRKB")


# --- what is refused ----------------------------------------------------------------------------------------

HEADER = "date,symbol,contract,reason\n"


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("date,symbol,contract,reason,note\n", "column 'note'", "unknown column"),
        ("date;symbol;reason\n2026-07-10;QQQ;bust\n", "column 'date;symbol;reason'", "comma-separated"),
        ("date,symbol,Date,reason\n", "column 'Date'", "twice"),
        ("date,contract\n", "overrides.csv", "lacks symbol and reason"),
        (f"{HEADER}2026-07-10,QQQ,,\n", "row 2, column 'reason'", "there is no reason"),
        (f"{HEADER}2026-07-10,QQQ,,  \n", "row 2, column 'reason'", "there is no reason"),
        (f"{HEADER}2026-07-10,QQQ,,b\x07ust\n", "row 2, column 'reason'", "cannot be printed"),
        (f"{HEADER}2026-07-10,QQQ,,halted, then bust\n", "row 2", "5 cells under a header of 4"),
        (f"{HEADER}2026-07-10,QQQ,bust\n", "row 2", "3 cells under a header of 4"),
        (f"{HEADER}\n2026-07-11,QQQ,,bust\n", "row 3, column 'date'", "a Saturday without a session"),
        (f"{HEADER}2026-07-03,QQQ,,bust\n", "row 2, column 'date'", "a Friday without a session"),
        (f"{HEADER}1926-07-09,QQQ,,bust\n", "row 2, column 'date'", "without a session"),
        (f"{HEADER}10/07/2026,QQQ,,bust\n", "row 2, column 'date'", "YYYY-MM-DD"),
        (f"{HEADER}2026-02-30,QQQ,,bust\n", "row 2, column 'date'", "not a date"),
        (f"{HEADER}2026-07-10T00:00,QQQ,,bust\n", "row 2, column 'date'", "not a date"),
        (f"{HEADER},QQQ,,bust\n", "row 2, column 'date'", "not a date"),
        (f"{HEADER}2026-07-10,,,bust\n", "row 2, column 'symbol'", "not a symbol"),
        (f"{HEADER}2026-07-10,Q QQ,,bust\n", "row 2, column 'symbol'", "not a symbol"),
        (f"{HEADER}2026-07-10,QQQ,C480,bust\n", "row 2, column 'contract'", "not an option contract"),
        (f"{HEADER}2026-07-10,QQQ,2026-09-18 0 C,bust\n", "row 2, column 'contract'", "not an option"),
        (f"{HEADER}2026-07-10,QQQ,2026-09-31 480 C,bust\n", "row 2, column 'contract'", "not an option"),
        (f"{HEADER}2026-07-10,QQQ,2026-09-18 1{'0' * 400} C,bust\n", "column 'contract'", "not an option"),
        (f"{HEADER}2026-07-10,QQQ,QQQ260918C00000000,bust\n", "row 2, column 'contract'", "not an option"),
        (f"{HEADER}2026-07-10,QQQ,2026-07-09 480 C,bust\n", "row 2, column 'contract'", "had expired"),
        (f"{HEADER}2026-07-10,QQQ,2026-09-20 480 C,bust\n", "row 2, column 'contract'", "Sunday"),
        (f"{HEADER}2026-07-10,QQQ,2046-09-20 480 C,bust\n", "row 2, column 'contract'", "trading calendar"),
        (f"{HEADER}2026-07-10,QQQ,IWM260918C00480000,bust\n", "row 2, column 'contract'", "contract on IWM"),
        (f"{HEADER}2026-07-10,QQQ,,bust\n2026-07-10,qqq,,halted\n", "row 3, column 'reason'", "in row 2"),
        (
            f"{HEADER}2026-07-10,QQQ,QQQ260918C00480000,bust\n2026-07-10,QQQ,2026-09-18 480 C,halted\n",
            "row 3, column 'reason'",
            "for another reason ('bust')",
        ),
        ("", "overrides.csv", "the file is empty"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_followed_is_refused_by_place(
    text: str, where: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_overrides(written(tmp_path, text))
    assert where in str(caught.value)
    assert says in str(caught.value)
    assert "overrides.csv" in str(caught.value)


def test_no_such_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_overrides(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"date,symbol\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_overrides(tmp_path / "bytes.csv")


@given(st.text(max_size=200))
def test_no_text_makes_it_fall_over(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for content in (text, f"{HEADER}{text}", f"{HEADER}2026-07-10,QQQ,{text}"):
        path.write_bytes(content.encode("utf-8", errors="surrogatepass"))
        try:
            found = read_overrides(path)
        except InputError:
            continue
        assert all(item.reason and item.reason.isprintable() for item in found)


def test_the_same_thing_twice_for_one_reason_counts_once(tmp_path: Path) -> None:
    rows = "2026-07-10,QQQ,QQQ260918C00480000,bust\n" * 2 + "2026-07-10,QQQ,,halted\n" * 3
    assert len(read_overrides(written(tmp_path, HEADER + rows))) == 2


def test_one_strike_of_two_roots_is_two_quotes(tmp_path: Path) -> None:
    rows = "2026-07-10,SPX,SPX260918C04700000,bust\n2026-07-10,SPX,SPXW260918C04700000,halted\n"
    assert len(read_overrides(written(tmp_path, HEADER + rows))) == 2


def test_what_is_no_override_is_refused() -> None:
    with pytest.raises(SettingsError, match="Override"):
        Overrides(["2026-07-10"])  # type: ignore[list-item]
    with pytest.raises(SettingsError, match="read_overrides"):
        find_overridden(lines(("SPX", SEPTEMBER, 1.0, True)), overrides="a.csv")  # type: ignore[arg-type]


# --- what it hits -------------------------------------------------------------------------------------------


def test_a_contract_finds_its_lines_and_no_others() -> None:
    quotes = lines(
        ("SPX", SEPTEMBER, 4700.0, True),
        ("SPXW", SEPTEMBER, 4700.0, True),
        ("SPXW", SEPTEMBER, 4700.0, False),
        ("SPXW", SEPTEMBER, 4700.001, True),
        ("SPXW", dt.date(2026, 9, 17), 4700.0, True),
        ("SPXW", SEPTEMBER, 4700.0, True),
    )
    decided = [
        Override(DAY, "SPX", "bust", Contract(SEPTEMBER, 4700.0, is_call=True, root=root))
        for root in ("SPXW", "", "SPXQ")
    ]
    assert [found.tolist() for found in lines_of(quotes, decided)] == [[1, 5], [0, 1, 5], []]


def test_lines_without_strike_right_or_expiry_are_never_hit() -> None:
    quotes = lines(*[("SPX", SEPTEMBER, 4700.0, True)] * 4)
    for row, column in enumerate(("strike", "is_call", "expiry")):
        quotes.loc[row, column] = None
    item = Override(DAY, "SPX", "bust", Contract(SEPTEMBER, 4700.0, is_call=True))
    assert lines_of(quotes, [item])[0].tolist() == [3]
    assert lines_of(quotes.iloc[:3], [item])[0].tolist() == []


def test_the_ledger_has_each_decision_with_its_reason(tmp_path: Path) -> None:
    rows = "2026-07-10,SPX,SPX260918C04700000,bust\n2026-07-10,SPX,2026-09-18 1 P,typo\n"
    path = written(tmp_path, f"{HEADER}{rows}2026-07-09,SPX,2026-09-18 1 P,x\n")
    quotes = lines(("SPX", SEPTEMBER, 4700.0, True), ("SPX", SEPTEMBER, 4700.0, True))
    mask, entries = find_overridden(quotes, overrides=read_overrides(path))
    assert mask.tolist() == [True, True]
    assert entries == [
        Entry(DAY, "SPX", "quotes", code, count, detail, str(path))
        for code, count, detail in (
            (Code.OVERRIDE_UNUSED, 1, "row 3: 2026-09-18 1 P: typo; not in the chain"),
            (Code.OVERRIDDEN, 2, "row 2: SPX260918C04700000: bust"),
        )
    ]
    assert not any(entry.is_failure for entry in entries)


def test_it_goes_before_every_other_rule_and_accuses_nobody() -> None:
    # the bid of the lower call is above the ask of the higher one: VERT takes one of them, CROSSED both
    quotes = lines(*[("SPX", SEPTEMBER, float(strike), True) for strike in (4700, 4710, 4720)])
    quotes["bid"], quotes["ask"] = [3.0, 9.0, 1.0], [3.2, 2.0, 1.2]
    quotes.loc[2, "strike"] = -1.0
    bad = [
        Override(DAY, "SPX", "bust", Contract(SEPTEMBER, strike, is_call=True)) for strike in (4710.0, -1.0)
    ]
    assert label(quotes)["exclusion"].fillna("").tolist() == ["", "CROSSED", "PARSE"]
    labelled = label(quotes, overrides=Overrides(bad))
    assert labelled["exclusion"].fillna("").tolist() == ["", "OVERRIDE", "OVERRIDE"]
    assert len(labelled) == len(quotes)
    row = market_row(DAY, curve=DiscountCurve.flat(0.04), overrides=bad)
    pd.testing.assert_frame_equal(
        label(quotes, market=row), label(quotes, market=row, overrides=Overrides(bad))
    )
    assert label(quotes, market=row)["exclusion"].tolist() == labelled["exclusion"].tolist()


def test_the_input_is_not_modified() -> None:
    quotes = lines(("SPX", SEPTEMBER, 4700.0, True))
    before = quotes.copy(deep=True)
    find_overridden(
        quotes, overrides=Overrides([Override(DAY, "SPX", "x", Contract(SEPTEMBER, 4700.0, True))])
    )
    pd.testing.assert_frame_equal(quotes, before)
    assert find_overridden(quotes.iloc[:0], overrides=Overrides())[0].tolist() == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["SPX", "SPXW"]),
            st.sampled_from([SEPTEMBER, dt.date(2026, 9, 30)]),
            st.sampled_from([4700.0, 4700.5]),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_lines_as_a_plain_search_finds_them(
    contracts: list[tuple[str, dt.date, float, bool]], data: st.DataObject
) -> None:
    root, expiry, strike, is_call = data.draw(st.sampled_from(contracts))
    root = data.draw(st.sampled_from([root, ""]))
    item = Override(DAY, "SPX", "x", Contract(expiry, strike, is_call, root))
    wanted = [
        place
        for place, line in enumerate(contracts)
        if line[1:] == (expiry, strike, is_call) and root in {"", line[0]}
    ]
    assert lines_of(lines(*contracts), [item])[0].tolist() == wanted


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    rows = "soon,Q Q,,\n2026-07-10,QQQ,,halted\n2026-07-11,QQQ,,bust\n2026-07-10,QQQ,,other\n2026-07-10,QQQ\n"
    path = written(tmp_path, f"{HEADER}{rows}")
    with pytest.raises(InputError) as caught:
        read_overrides(path)
    first, *told = str(caught.value).splitlines()
    assert first == f"{path}: 6 mistakes"
    assert [line.strip().split(":")[0] for line in told] == [
        "row 2, column 'date'",
        "row 2, column 'symbol'",
        "row 2, column 'reason'",
        "row 4, column 'date'",
        "row 5, column 'reason'",
        "row 6",
    ]
    assert told[3].strip() == (
        "row 4, column 'date': a Saturday without a session: '2026-07-11'. Accepted: a session as YYYY-MM-DD."
    )
    assert "left out already in row 3, for another reason ('halted'): 'other'" in told[4]
    assert str(caught.value).endswith(".")
    assert not str(caught.value).endswith("..")


def test_of_many_mistakes_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + 1025 * "soon,QQQ,,bust\n")
    with pytest.raises(InputError) as caught:
        read_overrides(path)
    first, *told, last = str(caught.value).splitlines()
    assert first.endswith(": 1,025 mistakes")
    assert len(told) == 20
    assert last == "  and 1,005 more."


def test_the_text_of_the_error_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}2026-07-11,QQQ,,bust\n")
    with pytest.raises(InputError) as caught:
        read_overrides(path)
    assert str(caught.value) == (
        f"{path}, row 2, column 'date': a Saturday without a session: '2026-07-11'. "
        "Accepted: a session as YYYY-MM-DD."
    )
    assert io.StringIO(str(caught.value)).readlines() == [str(caught.value)]
