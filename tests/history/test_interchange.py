from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, StoreError
from volskew.history import COLUMNS, AddResult, History
from volskew.history.columns import conform
from volskew.history.interchange import (
    csv_text,
    read_csv_table,
    read_parquet_table,
    write_csv_parts,
    write_parquet_parts,
)

Readings = Callable[..., pd.DataFrame]

FULL = pd.DataFrame(
    {
        "date": ["2026-07-10", "2026-07-10", "2026-07-09"],
        "symbol": ["QQQ", "IWM", "QQQ"],
        "measure": "implied_vol",
        "tenor": "3m",
        "delta": ["25c", "25c", "25p"],
        "value": [0.211234567891, 0.2, 1e-7],
        "error": [0.0005, np.nan, np.nan],
        "forward": [561.1234567, np.nan, 560],
        "expiry_before": ["2026-09-18", None, None],
        "expiry_after": ["2026-10-16", None, None],
        "n_quotes": [41, None, 0],
        "method": ["local european", "", ""],
        "flags": ["NO_ERROR WIDE_BRACKET", "NO_ERROR", ""],
        "snapshot_time": ["2026-07-10T20:00:00Z", None, None],
        "method_version": ["1-0123abcd", "", ""],
        "source": ['a "quoted", name.csv', "line\r\nend\rand Ünïcode €", " blanks "],
    }
)

EXPECTED_CSV = (
    "series,date,symbol,measure,tenor,delta,value,error,forward,expiry_before,expiry_after,n_quotes,method,flags,"
    "snapshot_time,method_version,known_at,source\n"
    "close,2026-07-09,QQQ,implied_vol,3m,0.75,0.0000001,,560,,,0,,,,,2026-07-09T20:00:00Z, blanks \n"
    "close,2026-07-10,IWM,implied_vol,3m,0.25,0.2,,,,,,,NO_ERROR,,,2026-07-10T20:00:00Z,"
    '"line\r\nend\rand Ünïcode €"\n'
    "close,2026-07-10,QQQ,implied_vol,3m,0.25,0.21123457,0.0005,561.123457,2026-09-18,2026-10-16,41,"
    "local european,NO_ERROR WIDE_BRACKET,2026-07-10T20:00:00Z,1-0123abcd,2026-07-10T20:00:00Z,"
    '"a ""quoted"", name.csv"\n'
)


def test_the_csv_is_what_the_contract_says_byte_for_byte(history: History, tmp_path: Path) -> None:
    history.add(FULL, series="close")
    history.write_csv(tmp_path / "new" / "history.csv")
    assert (tmp_path / "new" / "history.csv").read_bytes().decode() == EXPECTED_CSV


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_out_and_back_in_without_loss(kind: str, history: History, tmp_path: Path) -> None:
    history.add(FULL, series="close")
    history.add(FULL.assign(value=0.5), series="simulated:close")
    path = tmp_path / f"history.{kind}"
    getattr(history, f"write_{kind}")(path)
    first = path.read_bytes()
    with History(tmp_path / "other.db") as other:
        assert getattr(other, f"read_{kind}")(path) == AddResult(inserted=6)
        pd.testing.assert_frame_equal(other.table(), history.table(), check_exact=True)
        getattr(other, f"write_{kind}")(path)
        assert path.read_bytes() == first
        assert getattr(other, f"read_{kind}")(path) == AddResult(unchanged=6)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_vintages_out_and_back_in(kind: str, history: History, readings: Readings, tmp_path: Path) -> None:
    days = {"2026-07-08": 0.2, "2026-07-09": 0.21, "2026-07-10": 0.22}
    history.add(readings({"QQQ": days}), series="close")
    history.add(readings({"QQQ": {"2026-07-10": 0.23}}), series="close")
    path = tmp_path / f"all.{kind}"
    getattr(history, f"write_{kind}")(path, vintages="all")
    with History() as other:
        assert getattr(other, f"read_{kind}")(path) == AddResult(inserted=3, restated=1)
        pd.testing.assert_frame_equal(other.table(), history.table())
        assert getattr(other, f"read_{kind}")(path) == AddResult(unchanged=4)
        # a file that has gone on from here is a prefix of the store, or the store one of it
        history.add(readings({"QQQ": {"2026-07-10": 0.24}}), series="close")
        getattr(history, f"write_{kind}")(path, vintages="all")
        assert getattr(other, f"read_{kind}")(path) == AddResult(unchanged=4, restated=1)
        ours, theirs = (store.table(vintages="all").drop(columns="recorded_at") for store in (history, other))
        pd.testing.assert_frame_equal(ours, theirs)
        other.add(readings({"QQQ": {"2026-07-09": 0.3}}), series="close")
        history.add(readings({"QQQ": {"2026-07-09": 0.4}}), series="close")
        getattr(history, f"write_{kind}")(path, vintages="all")
        with pytest.raises(InputError, match=r"vintage 2 of close 2026-07-09 QQQ .* differs"):
            getattr(other, f"read_{kind}")(path)


def test_vintages_without_a_gap(history: History, readings: Readings, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    history.add(readings({"QQQ": {"2026-07-10": 0.22}}), series="close")
    history.write_csv(path, vintages="all")
    path.write_text(path.read_text().replace(",1\n", ",3\n"))
    with History() as other, pytest.raises(InputError, match="has no vintage 1 before this one"):
        other.read_csv(path)


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
_DAY = st.dates(pd.Timestamp("1995-01-01").date(), pd.Timestamp("2040-12-31").date()).map(str)
_ROW = st.fixed_dictionaries(
    {
        "series": st.text("abcXYZ:+_ é\"'", min_size=1, max_size=8).map(lambda text: f"s{text}e"),
        "date": _DAY,
        "symbol": st.sampled_from(["QQQ", "^VXN", "BRK.B"]),
        "measure": st.sampled_from(["implied_vol", "rr"]),
        "tenor": st.sampled_from(["3m", "91d", "-"]),
        "delta": st.sampled_from(["0.25", "0.75", "-"]),
        "value": st.floats(-1e12, 1e12),
        "error": st.none() | st.floats(0, 1e6),
        "forward": st.none() | st.floats(1e-9, 1e9),
        "expiry_before": st.none() | _DAY,
        "expiry_after": st.none() | _DAY,
        "n_quotes": st.none() | st.integers(0, 10**6),
        "method": _TEXT,
        "flags": st.lists(st.sampled_from(["SPLICED", "NO_ERROR", "É"])).map(" ".join),
        "snapshot_time": st.none() | st.just("2026-07-10T20:00:00Z"),
        "method_version": _TEXT,
        "source": _TEXT,
    }
)


@given(st.lists(_ROW, min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_any_readings_come_back_from_csv_and_parquet(rows: list[dict[str, object]]) -> None:
    frame = conform(pd.DataFrame(rows, dtype=object))
    back, _ = read_csv_table(csv_text(frame).encode(), file="x.csv")
    pd.testing.assert_frame_equal(conform(back), frame, check_exact=True)
    middle = len(frame) // 2
    parts = [frame.iloc[:middle], frame.iloc[middle:]]
    pieces = io.BytesIO()
    write_csv_parts(pieces, parts)
    assert pieces.getvalue().decode() == csv_text(frame)
    packed = io.BytesIO()
    write_parquet_parts(packed, parts)
    back, _ = read_parquet_table(packed.getvalue(), file="x.parquet")
    pd.testing.assert_frame_equal(conform(back), frame, check_exact=True)


def test_gzip_is_opened_as_it_is(history: History, tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_bytes(gzip.compress(EXPECTED_CSV.encode()))
    assert history.read_csv(tmp_path / "h.csv").inserted == 3


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "h.csv: the file is empty"),
        (b"\xff\xfe\x00", "not UTF-16 text"),
        (b"caf\xe9,date\n", "not UTF-8 text"),
        (b"\x1f\x8b\x08\x00broken", "gzip file is damaged"),
        (gzip.compress(EXPECTED_CSV.encode(), mtime=0)[:-20], "gzip file is damaged or cut short"),
        (b"a,a\n1,2\n", "repeats a"),
        (b"date,vol\n2026-07-10,0.2\n", "unknown column vol|lacks columns"),
        (f"{HEADER}\nclose,2026-07-10,QQQ\n".encode(), "h.csv, row 2: 3 cells under a header of 18"),
        (
            f'{HEADER}\nclose,2026-07-10,QQQ,implied_vol,3m,0.25,0.2,,,,,,"a\nb",,,,,\n'
            "close,2026-07-10,IWM,implied_vol,3m,0.25,x,,,,,,,,,,,\n".encode(),
            "h.csv, row 4, column 'value': not accepted: 'x'",
        ),
        (b"\x00\x01\x02PNG\x89", "not UTF-8 text"),
    ],
)
def test_a_bad_file_is_one_clear_line_and_adds_nothing(
    content: bytes, words: str, history: History, tmp_path: Path
) -> None:
    (tmp_path / "h.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        history.read_csv(tmp_path / "h.csv")
    assert history.table().empty


def test_a_missing_or_broken_file(history: History, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file") as caught:
        history.read_csv(tmp_path / "none.csv")
    assert caught.value.code == "NOT_FOUND"
    (tmp_path / "h.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(InputError, match="not a Parquet file"):
        history.read_parquet(tmp_path / "h.parquet")
    with pytest.raises(InputError, match="cannot be read"):
        history.read_csv(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.add(FULL, series="close")
    (tmp_path / "h.csv").write_text("old")

    def fail(*_details: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StoreError, match="No space left"):
        history.write_csv(tmp_path / "h.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["h.csv"]
    assert (tmp_path / "h.csv").read_text() == "old"
