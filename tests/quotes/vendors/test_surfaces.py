"""Files of vols at tenors and deltas become vol histories; every number here is invented."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import volskew as vs
from volskew.cli import run
from volskew.errors import InputError, SettingsError
from volskew.quotes import read_file
from volskew.quotes.detect import sniff
from volskew.quotes.surface_rows import call_deltas, tenor_labels
from volskew.quotes.surfaces import read_surface
from volskew.quotes.vendors.surface_table import place_of

VSURFD = "secid,date,days,delta,impl_volatility,impl_strike,impl_premium,dispersion,cp_flag"
DELTAS = (*range(20, 85, 5),)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def vsurfd(
    *, header: str = VSURFD, secid: int = 107899, ticker: str = "", days: tuple[int, ...] = (30, 91, 730)
) -> str:
    """Two days of the whole grid; a call's vol is 0.30 less a thousandth a delta, a put's 0.01 above."""
    lines = [header]
    for date in ("2012-05-01", "2012-05-02"):
        for day in days:
            for side, sign in (("C", 1), ("P", -1)):
                for delta in DELTAS:
                    call = delta if side == "C" else 100 - delta
                    vol = 0.2 + 0.001 * call + (0.01 if side == "P" else 0.0) + day / 1e5
                    cells = f"{secid},{date},{day},{sign * delta},{vol:.6f},66.4102,1.5010,0.004100,{side}"
                    lines.append(cells + (f",{ticker}" if ticker else ""))
    return "\n".join(lines) + "\n"


# --- OptionMetrics vsurfd


def test_a_surface_becomes_a_history() -> None:
    path = put("vsurfd2012.csv", vsurfd(header=f"{VSURFD},ticker", ticker="QQQ"))
    assert sniff_name(path) == "optionmetrics_vsurfd"
    table = read_surface(path)
    assert table is not None
    assert table.unit == "decimal"
    rows = table.rows.set_index(["date", "symbol", "tenor", "delta"])["vol"]
    assert len(rows) == 2 * 3 * len(DELTAS)  # a place of the smile once, from the side out of the money
    assert rows.index.is_unique
    # a 25-delta put is the 75-delta call's place: 0.2 + 0.001 * 75 + 0.01, and 91 days are three months
    assert rows["2012-05-01", "QQQ", "3m", "0.75"] == pytest.approx(0.285 + 0.00091, abs=1e-9)
    assert rows["2012-05-01", "QQQ", "3m", "0.25"] == pytest.approx(0.225 + 0.00091, abs=1e-9)
    assert rows["2012-05-02", "QQQ", "1m", "0.5"] == pytest.approx(0.255 + 0.0003, abs=1e-9)  # mean of both
    assert set(rows.index.get_level_values("tenor")) == {"1m", "3m", "2y"}


def sniff_name(path: Path) -> str:
    """The reader that knows the file, which is no chain."""
    with pytest.raises(InputError) as caught:
        sniff(path)
    return str(getattr(caught.value, "looks_like", ""))


def test_it_goes_into_a_store_and_is_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    path = put("vsurfd.csv", vsurfd(header=f"{VSURFD},ticker", ticker="QQQ"))
    assert run(["import", str(path), "--series", "desk", "--store", "vols.db"]) == 0
    assert "78 readings added" in capsys.readouterr().out
    with vs.History("vols.db") as history:
        panel = history.panel(series="desk", measure="implied_vol", tenor="3m", delta=0.25)
    assert panel["QQQ"].round(5).tolist() == [0.22591, 0.22591]


def test_nobody_bids_for_what_was_not_made() -> None:
    text = vsurfd(header=f"{VSURFD},ticker", ticker="QQQ").replace("0.220300", "-99.990000")
    table = read_surface(put("v.csv", text))
    assert table is not None
    assert table.rows["vol"].isna().sum() == 2  # the 20-delta call of 30 days, on both days
    done = vs.import_history("v.csv", store="vols.db", series="desk")
    assert (done.inserted, done.skipped) == (76, 2)


def test_a_number_needs_a_ticker() -> None:
    path = put("vsurfd.csv", vsurfd())
    with pytest.raises(InputError, match="no ticker is known of this security") as caught:
        read_surface(path)
    assert caught.value.row == 2
    assert "--symbol 107899=TICKER" in str(caught.value)
    table = read_surface(path, symbols={"107899": "QQQ"})
    assert table is not None
    assert set(table.rows["symbol"]) == {"QQQ"}
    put(
        "secnmd.csv",
        "secid,effect_date,cusip,ticker\n107899,1999-03-10,63110010,QQQQ\n107899,2011-03-23,x,QQQ\n",
    )
    table = read_surface(path)
    assert table is not None
    assert set(table.rows["symbol"]) == {"QQQ"}
    assert run(["import", str(path), "--series", "a", "--store", "v.db", "--symbol", "107899=NDX"]) == 0
    with vs.History("v.db") as history:
        assert list(history.panel(series="a", measure="implied_vol", tenor="3m", delta=0.25)) == ["NDX"]


@pytest.mark.parametrize("turn", ["upper", "fractions", "subset", "dates", "parquet", "unsigned puts"])
def test_extracts_of_other_kinds(turn: str) -> None:
    plain = read_surface(put("a.csv", vsurfd(header=f"{VSURFD},ticker", ticker="QQQ")))
    frame = pd.read_csv("a.csv")
    path = Path("b.csv")
    if turn == "upper":
        frame.columns = frame.columns.str.upper()
    elif turn == "fractions":
        frame["delta"] /= 100
    elif turn == "subset":
        frame = frame[["ticker", "cp_flag", "impl_volatility", "delta", "days", "date", "secid"]]
    elif turn == "dates":
        frame["date"] = frame["date"].str.replace("-", "")
    elif turn == "unsigned puts":
        frame["delta"] = frame["delta"].abs()
    if turn == "parquet":
        path = Path("b.parquet")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    found = read_surface(path)
    assert plain is not None
    assert found is not None
    keys = ["date", "symbol", "tenor", "delta"]
    pd.testing.assert_frame_equal(
        found.rows.sort_values(keys, ignore_index=True), plain.rows.sort_values(keys, ignore_index=True)
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (",20,0.22", ",-20,0.22", "a delta below 0 on a call"),
        (",20,0.22", ",100,0.22", "no delta"),
        ("0.004100,C", "0.004100,X", "neither call nor put"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(old: str, new: str, problem: str) -> None:
    text = vsurfd(header=f"{VSURFD},ticker", ticker="QQQ")
    with pytest.raises(InputError, match=problem) as caught:
        read_surface(put("a.csv", text.replace(old, new, 1)))
    assert caught.value.row == 2
    assert caught.value.file == "a.csv"


@pytest.mark.parametrize("delta", [50, 25])
def test_lines_that_contradict_each_other_are_refused(delta: int) -> None:
    text = vsurfd(header=f"{VSURFD},ticker", ticker="QQQ")
    line = next(line for line in text.splitlines() if f",30,{delta}," in line)
    path = put("a.csv", f"{text}{line}\n")
    assert vs.import_history(path, store="vols.db", series="desk").inserted == 78  # the same line again
    cells = line.split(",")
    cells[4] = "0.3"
    path = put("b.csv", f"{text}{','.join(cells)}\n")
    with pytest.raises(InputError, match="a second vol of QQQ on 2012-05-01 differs"):
        vs.import_history(path, store="other.db", series="desk")


def test_a_unit_that_the_format_contradicts() -> None:
    put("a.csv", vsurfd(header=f"{VSURFD},ticker", ticker="QQQ"))
    with pytest.raises(SettingsError, match="are decimal by their format, not percent"):
        vs.import_history("a.csv", store="vols.db", series="desk", unit="percent")


def test_rank_names_the_command_that_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    path = put("vsurfd.csv", vsurfd())
    assert run(["rank", str(path)]) == 1
    assert "volskew import FILE --series NAME --store vols.db" in capsys.readouterr().err
    assert run(["inspect", str(path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "OptionMetrics volatility surface (vsurfd)" in said
    assert "volskew import FILE" in said
    with pytest.raises(InputError, match="volatility surface"):
        read_file(path)


# --- ORATS


CORES = (
    "ticker,tradeDate,assetType,pxAtmIv,iv30d,iv90d,dlt5Iv30d,dlt25Iv30d,dlt75Iv30d,dlt95Iv30d,dlt25Iv90d,"
    "dlt75Iv90d,dlt25Iv6m,dlt25Iv1y,exErnDlt25Iv30d,updatedAt"
)
LINES = (
    "QQQ,2024-01-03,3,401.1,0.171,0.182,0.151,0.155,0.196,0.242,0.163,0.207,0.171,0.181,0.2,2024-01-03T21:00:00Z",
    "QQQ,2024-01-04,3,402.1,0.172,0.183,0.152,0.156,0.197,,0.164,0.208,0.172,0.182,0.2,2024-01-04T21:00:00Z",
)


def test_call_deltas_on_one_row_a_day() -> None:
    path = put("cores.csv", "\n".join([CORES, *LINES]) + "\n")
    assert sniff_name(path) == "orats_surface"
    table = read_surface(path)
    assert table is not None
    assert table.unit is None
    rows = table.rows.set_index(["date", "symbol", "tenor", "delta"])["vol"]
    assert rows["2024-01-03", "QQQ", "1m", "0.25"] == 0.155
    assert rows["2024-01-03", "QQQ", "1m", "0.75"] == 0.196  # a 25-delta put
    assert rows["2024-01-03", "QQQ", "1m", "0.95"] == 0.242
    assert rows["2024-01-04", "QQQ", "90d", "0.25"] == 0.164
    assert rows["2024-01-03", "QQQ", "180d", "0.25"] == 0.171
    assert rows["2024-01-03", "QQQ", "1y", "0.25"] == 0.181
    assert len(rows) == 16  # neither iv30d, at the money, nor exErn, without earnings
    done = vs.import_history(path, store="vols.db", series="desk")
    assert (done.inserted, done.skipped) == (15, 1)


def test_percent_is_said_and_never_guessed() -> None:
    frame = pd.read_csv(put("cores.csv", "\n".join([CORES, *LINES]) + "\n"))
    for name in frame.columns[frame.columns.str.contains("Iv|iv[0-9]")]:
        frame[name] *= 100
    frame.to_csv("percent.csv", index=False)
    with pytest.raises(InputError, match="not plausible in unit 'decimal'") as caught:
        vs.import_history("percent.csv", store="vols.db", series="desk")
    assert caught.value.file == "percent.csv"
    assert "--unit" in str(caught.value)
    assert vs.import_history("percent.csv", store="vols.db", series="desk", unit="percent").inserted == 15
    with vs.History("vols.db") as history:
        panel = history.panel(series="desk", measure="implied_vol", tenor="1m", delta=0.25)
    assert panel["QQQ"].round(6).tolist() == [0.155, 0.156]


def test_the_answers_of_the_service() -> None:
    names = CORES.split(",")
    records = [
        {name: (float(cell) if name.startswith("dlt") and cell else cell or None)
         for name, cell in zip(names, line.split(","), strict=True)}
        for line in LINES
    ]  # fmt: skip
    path = put("cores.json", json.dumps({"data": records}))
    found, plain = read_surface(path), read_surface(put("cores.csv", "\n".join([CORES, *LINES]) + "\n"))
    assert found is not None
    assert plain is not None
    pd.testing.assert_frame_equal(found.rows, plain.rows)


# --- tables of one's own


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("iv_3m_25c", ("3m", "25c")),
        ("3M25P", ("3m", "25p")),
        ("25D_CALL_1M", ("1m", "25c")),
        ("25 delta put 91 days", ("91d", "25p")),
        ("IV 1y 10dp", ("1y", "10p")),
        ("91d_delta75", ("91d", "75c")),
        ("put25_6m", ("6m", "25p")),
        ("2w 50c", ("2w", "50c")),
        ("rr25_3m", None),
        ("3m_25d_rr", None),
        ("iv30d", None),
        ("25c", None),
        ("3m_25c_25p", None),
        ("volume_3m", None),
    ],
)
def test_names_of_columns(name: str, place: tuple[str, str] | None) -> None:
    assert place_of(name) == place


def test_a_wide_table() -> None:
    lines = ["Date;Ticker;3m 25c;3m 25p;1m 50c;RR25", "2024-01-03;QQQ;0.16;0.21;0.17;-0.05"]
    text = "\n".join([*lines, "2024-01-04;IWM;0.2;;0.22;1"]) + "\n"
    path = put("surface.csv", text)
    assert sniff_name(path) == "surface_table"
    done = vs.import_history(path, store="vols.db", series="desk")
    assert (done.inserted, done.skipped) == (5, 1)
    with vs.History("vols.db") as history:
        panel = history.panel(series="desk", measure="implied_vol", tenor="3m", delta=0.75)
    assert panel["QQQ"].dropna().tolist() == [0.21]


def test_a_wide_table_of_one_underlying() -> None:
    text = "date,iv_3m_25c,iv_3m_25p\n01/31/2024,16.0,21.0\n02/01/2024,16.1,21.1\n"
    put("QQQ_surface.csv", text)
    assert vs.import_history("QQQ_surface.csv", store="vols.db", series="desk", unit="percent").inserted == 4
    table = read_surface("QQQ_surface.csv", symbols={"": "NDX"})
    assert table is not None
    assert set(table.rows["symbol"]) == {"NDX"}


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        ("date,symbol,days,delta,vol", ["91,25,0.16", "91,-25,0.21", "30,50,0.17"]),
        ("date,symbol,days,delta,iv", ["91,0.25,0.16", "91,-0.25,0.21", "30,0.5,0.17"]),
        (
            "date,symbol,days,delta,iv,cp_flag",
            ["91,25,0.16,C", "91,25,0.21,P", "30,50,0.16,C", "30,50,0.18,P"],
        ),
    ],
)
def test_a_long_table_with_days(header: str, lines: list[str]) -> None:
    path = put("a.csv", "\n".join([header, *(f"2024-01-03,QQQ,{line}" for line in lines)]) + "\n")
    assert sniff_name(path) == "surface_table"
    table = read_surface(path)
    assert table is not None
    rows = table.rows.set_index(["tenor", "delta"])["vol"].round(9)
    assert rows.to_dict() == {("3m", "0.25"): 0.16, ("3m", "0.75"): 0.21, ("1m", "0.5"): 0.17}


def test_plain_histories_and_chains_stay_what_they_are() -> None:
    plain = put("plain.csv", "date,symbol,vol,tenor,delta\n2024-01-03,QQQ,0.2,3m,25p\n")
    assert read_surface(plain) is None
    assert vs.import_history(plain, store="vols.db", series="desk").inserted == 1
    chain = put(
        "chain.csv", "date,option_symbol,iv,delta,days,symbol\n2024-01-03,QQQ240119C00400000,0.2,0.5,16,QQQ\n"
    )
    assert read_surface(chain) is None
    assert sniff(chain).name == "generic"
    with pytest.raises(SettingsError, match="symbols name underlyings of surface files"):
        vs.import_history(plain, store="vols.db", series="desk", symbols={"1": "QQQ"})


def test_columns_named_by_the_caller_are_a_plain_history() -> None:
    path = put("cores.csv", "\n".join([CORES, *LINES]) + "\n")
    columns = {"date": "tradeDate", "symbol": "ticker", "vol": "iv90d"}
    done = vs.import_history(path, store="vols.db", series="atm", columns=columns, tenor="90d", delta="atmf")
    assert done.inserted == 2


def test_a_surface_can_stand_ahead_of_solved_days() -> None:
    quotes = Path(__file__).parents[3] / "chains" / "quotes"
    lines = ["date,symbol,days,delta,vol"]
    lines += [
        f"{day:%Y-%m-%d},{symbol},91,25,{0.2 + 0.001 * place}"
        for place, day in enumerate(pd.bdate_range("2026-06-01", "2026-06-12"))
        for symbol in ("QQQ", "IWM")
    ]
    path = put("surface.csv", "\n".join(lines) + "\n")
    files = [str(quotes / f"{symbol}_2026-07-10_simulated.csv.gz") for symbol in ("QQQ", "IWM")]
    result = vs.rank_files(files, pair=("QQQ", "IWM"), history=path, settings=vs.Settings(rate=0.04))
    assert result.studies[0].ranking.headline["n_obs"] == 11


# --- conventions


def test_deltas_and_tenors() -> None:
    nothing = np.array([np.nan])
    assert call_deltas(nothing, None)[1] is None
    assert call_deltas(np.array([20.0, 80.0]), np.array([0.0, 1.0]))[0].tolist() == [0.8, 0.8]
    assert tenor_labels(np.array([182.0, 10.0, 547.0])) == ["6m", "10d", "18m"]
