"""Curve files and the choice of a curve."""

from __future__ import annotations

import datetime as dt
import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from volskew.errors import InputError
from volskew.ledger import Code, is_failure
from volskew.market.rates import DiscountCurve, RateTable, choose_curve, rates_until, read_rates
from volskew.settings import Settings

TREASURY = """\
Date,"1 Mo","1.5 Month","2 Mo","3 Mo","4 Mo","6 Mo","1 Yr","2 Yr","3 Yr","5 Yr","7 Yr","10 Yr","20 Yr","30 Yr"
03/09/2026,3.71,3.72,3.72,3.74,3.75,3.76,3.70,3.61,3.62,3.75,3.91,4.11,4.62,4.71
03/06/2026,3.70,3.71,,3.73,3.74,3.75,3.69,3.60,3.61,3.74,3.90,,4.61,4.70
"""
TREASURY_TENORS = (1 / 12, 1.5 / 12, 2 / 12, 0.25, 4 / 12, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0)
FRED = "observation_date,DGS3MO,DGS1\n2026-03-04,3.72,3.68\n2026-03-05,3.73,.\n2026-03-06,.,\n"
NO_LIMIT = 100_000


def continuous(percent: float) -> float:
    return 2.0 * math.log1p(percent / 200.0)


def written(folder: Path, text: str | bytes, name: str = "rates.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table_of(folder: Path, text: str | bytes) -> RateTable:
    return read_rates(written(folder, text))


def test_treasury_file_newest_first(tmp_path: Path) -> None:
    table = table_of(tmp_path, TREASURY)
    assert table.tenors == TREASURY_TENORS
    assert (table.first, table.last, len(table)) == (dt.date(2026, 3, 6), dt.date(2026, 3, 9), 2)
    curve = table.curve(dt.date(2026, 3, 9), max_age_days=7)
    assert curve.label == "curve:2026-03-09"
    assert curve.flags == ()
    # log1p(y / 2) and the division by 100 round differently in the last place
    assert curve.rate(0.25) == pytest.approx(continuous(3.74), rel=1e-14)
    assert curve.rate(1.5 / 12) == pytest.approx(continuous(3.72), rel=1e-14)
    assert len(table.curve(dt.date(2026, 3, 6), max_age_days=7).tenors) == len(TREASURY_TENORS) - 2
    assert "2026-03-06 to 2026-03-09, 2 dates" in repr(table)


def test_two_digit_years_turn_over_in_1962(tmp_path: Path) -> None:
    table = table_of(
        tmp_path, "Date,1 Mo,1 Yr\n12/31/24,4.4,4.16\n1/2/90,7.83,7.81\n1/2/62,3.1,3.2\n1/2/61,1,1\n"
    )
    assert [dt.date.fromordinal(day).year for day in table.ordinals] == [1962, 1990, 2024, 2061]


@pytest.mark.parametrize(
    ("header", "years"),
    [
        *(("3 Mo", 0.25), ("3 MO", 0.25), ("1.5 Month", 0.125), ("2 Yr", 2.0), ("BC_3MONTH", 0.25)),
        *(("BC_1YEAR", 1.0), ("DGS3MO", 0.25), ("dgs1", 1.0), ("DGS3MO_20240101", 0.25)),
        *(("3m", 0.25), ("1y", 1.0), ("13w", 91 / 365), ("91d", 91 / 365), ("6 months", 0.5)),
    ],
)
@pytest.mark.parametrize("date_name", ["Date", "DATE", "observation_date"])
def test_columns_are_found_by_name(tmp_path: Path, date_name: str, header: str, years: float) -> None:
    table = table_of(tmp_path, f"{date_name},{header}\n2026-03-05,3.73\n")
    assert list(table.tenors) == pytest.approx([years], rel=1e-15)  # one division


def test_columns_in_any_order_give_one_table(tmp_path: Path) -> None:
    table = table_of(tmp_path, "10 Yr,Date,3 Mo,1 Yr\n4.1,2026-03-05,3.7,3.6\n4.2,2026-03-06,3.8,.\n")
    assert table.tenors == (0.25, 1.0, 10.0)
    assert table.yields.tolist()[0] == pytest.approx([0.037, 0.036, 0.041], rel=1e-15)  # one division by 100
    assert table.curve(dt.date(2026, 3, 6), max_age_days=0).tenors == (0.25, 10.0)


def test_other_columns_are_left_alone(tmp_path: Path) -> None:
    text = "Id,Date,DTB3,SOFR,3 Mo,BC_30YEARDISPLAY,4 WEEKS BANK DISCOUNT\nx,2026-03-05,3.6,3.65,3.73,0,bad\n"
    assert table_of(tmp_path, text).tenors == (0.25,)


def test_fred_holidays_are_no_rows_and_missing_cells_are_skipped(tmp_path: Path) -> None:
    table = table_of(tmp_path, FRED)
    assert table.last == dt.date(2026, 3, 5)
    curve = table.curve(dt.date(2026, 3, 6), max_age_days=7)
    assert curve.label == "curve:2026-03-05"
    assert curve.tenors == (0.25,)


@pytest.mark.parametrize("cell", ["", " ", ".", "N/A", "na", "NaN", "ND"])
def test_every_spelling_of_missing(tmp_path: Path, cell: str) -> None:
    table = table_of(tmp_path, f"Date,3 Mo,1 Yr\n2026-03-05,{cell},3.73\n")
    assert np.isnan(table.yields[0]).tolist() == [True, False]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(TREASURY.encode(), mtime=0),
        TREASURY.encode("utf-8-sig"),
        TREASURY.encode("utf-16"),
        TREASURY.replace("\n", "\r\n").encode(),
        TREASURY.replace("\n", "\n\n").encode(),
        b"\n" + TREASURY.encode(),
        (TREASURY + "03/06/2026,3.70,3.71,,3.73,3.74,3.75,3.69,3.60,3.61,3.74,3.90,,4.61,4.70\n").encode(),
        "\n".join([TREASURY.split("\n", maxsplit=1)[0], *TREASURY.split("\n")[2:0:-1]]).encode(),
    ],
    ids=["gzip", "bom", "utf-16", "crlf", "blank lines", "blank first", "a row twice", "oldest first"],
)
def test_wrappings_of_one_file_give_one_table(tmp_path: Path, data: bytes) -> None:
    plain = read_rates(written(tmp_path, TREASURY, "plain.csv"))
    other = read_rates(written(tmp_path, data, "other.csv"))
    assert other.tenors == plain.tenors
    assert np.array_equal(other.ordinals, plain.ordinals)
    assert np.array_equal(other.yields, plain.yields, equal_nan=True)
    assert not other.yields.flags.writeable


ZEROS = """\
date,days,rate
2012-05-01,10,0.211200
2012-05-01,32,0.239900
2012-05-01,1826,1.1
2012-05-02,9,0.2100
2012-05-02,31,0.2400
"""


def test_zero_rates_are_taken_as_they_are(tmp_path: Path) -> None:
    table = table_of(tmp_path, ZEROS)
    assert (table.first, table.last, len(table)) == (dt.date(2012, 5, 1), dt.date(2012, 5, 2), 2)
    curve = table.curve(dt.date(2012, 5, 1), max_age_days=0)
    assert curve.label == "curve:2012-05-01"
    assert curve.tenors == (10 / 365, 32 / 365, 1826 / 365)
    # continuously compounded already; division by 100 rounds in the last place
    assert curve.rate(10 / 365) == pytest.approx(0.002112, rel=1e-15)
    assert curve.discount_factor(32 / 365) == pytest.approx(math.exp(-0.002399 * 32 / 365), rel=1e-14)
    later = table.curve(dt.date(2012, 5, 4), max_age_days=7)
    assert (later.label, later.tenors) == ("curve:2012-05-02", (9 / 365, 31 / 365))


@pytest.mark.parametrize(
    "text",
    [
        ZEROS.replace("2012-05-01", "20120501").replace("2012-05-02", "20120502"),
        ZEROS.replace("2012-05-01", "01MAY2012").replace("2012-05-02", "02MAY2012"),
        ZEROS.replace("date,days,rate", "DATE,DAYS,RATE"),
        ZEROS.replace(",10,", ",10.0,") + "2012-05-02,31,0.24\n2012-05-02,60,-99.99\n2012-05-03,20,.\n",
        "\n".join(",".join(line.split(",")[::-1]) for line in ZEROS.splitlines()),
    ],
    ids=["digits", "months by name", "upper case", "repeats and holes", "another order"],
)
def test_zero_rates_in_other_spellings(tmp_path: Path, text: str) -> None:
    plain = read_rates(written(tmp_path, ZEROS, "plain.csv"))
    other = read_rates(written(tmp_path, text, "other.csv"))
    assert other.zeros == plain.zeros
    assert np.array_equal(other.ordinals, plain.ordinals)


def test_zero_rates_until_a_day() -> None:
    cut = rates_until(ZEROS, source="zeros.csv", on=dt.date(2012, 5, 1))
    assert cut.splitlines() == ZEROS.splitlines()[:4]
    assert rates_until(ZEROS, source="zeros.csv", on=dt.date(2012, 4, 30)) == ""
    assert (
        rates_until(TREASURY, source="rates.csv", on=dt.date(2026, 3, 6)).splitlines()[1].startswith("03/06")
    )


@pytest.mark.parametrize(
    ("line", "problem", "code"),
    [
        (
            "2012-05-01,10,0.3",
            "row 7, column 'days': a second, different rate of 2012-05-01: '10'",
            "UNREADABLE",
        ),
        (
            "01-05-2012,10,0.3",
            "row 7, column 'date': not a date: '01-05-2012'. Accepted: .*DDMONYYYY",
            "UNREADABLE",
        ),
        ("20120231,10,0.3", "not a date", "UNREADABLE"),
        ("31FOO2012,10,0.3", "not a date", "UNREADABLE"),
        ("2012-05-03,0,0.3", "not a number of days: '0'. Accepted: whole days, 1 to", "UNREADABLE"),
        ("2012-05-03,1.5,0.3", "not a number of days", "UNREADABLE"),
        ("2012-05-03,10,x", "column 'rate': not a yield: 'x'", "UNREADABLE"),
        ("2012-05-03,10,211", "not a yield in percent: '211'", "BAD_UNITS"),
        ("2012-05-03,10", "row 7: 2 cells under a header of 3", "UNREADABLE"),
    ],
)
def test_zero_rates_that_are_refused(tmp_path: Path, line: str, problem: str, code: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        table_of(tmp_path, ZEROS + line + "\n")
    assert caught.value.code == code


def test_zero_rates_as_decimals_are_refused(tmp_path: Path) -> None:
    # five-year money at 1.1 % written as 0.011 would be taken for a hundredth of a percent
    with pytest.raises(InputError, match=r"reaches 0\.2 percent, the highest being: '0\.011'") as caught:
        table_of(tmp_path, ZEROS.replace(",1.1", ",0.011"))
    assert caught.value.code == "BAD_UNITS"
    with pytest.raises(InputError, match="no yields at two years or less"):
        table_of(tmp_path, "date,days,rate\n2012-05-01,1826,1.1\n")


def test_no_later_row_is_looked_at(tmp_path: Path) -> None:
    rows = [f"2026-03-{day:02d},{3 + day / 100},{4 - day / 100}" for day in range(1, 29)]
    whole = table_of(tmp_path, "\n".join(["Date,3 Mo,1 Yr", *rows]))
    for known in range(1, 29):
        past = table_of(tmp_path, "\n".join(["Date,3 Mo,1 Yr", *rows[:known]]))
        on = dt.date(2026, 3, known)
        assert past.curve(on, max_age_days=0) == whole.curve(on, max_age_days=0)
        assert whole.curve(on, max_age_days=0).rate(0.25) == pytest.approx(
            continuous(3 + known / 100), rel=1e-13
        )


def test_a_curve_is_refused_when_it_is_too_old_or_not_there_yet(tmp_path: Path) -> None:
    table = table_of(tmp_path, TREASURY)
    assert table.curve(dt.date(2026, 3, 16), max_age_days=7).label == "curve:2026-03-09"
    with pytest.raises(InputError, match="is of 2026-03-09, more than 7 days older: '2026-03-17'") as late:
        table.curve(dt.date(2026, 3, 17), max_age_days=7)
    assert late.value.code == "RATE_STALE"
    with pytest.raises(InputError, match="begins later than the date wanted: '2026-03-05'") as early:
        table.curve(dt.date(2026, 3, 5), max_age_days=7)
    assert early.value.code == "RATE_EARLY"
    assert is_failure(late.value.code)
    assert is_failure(early.value.code)


def test_a_hole_in_the_file_is_as_stale_as_its_end(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Date,3 Mo\n2026-01-05,3.7\n2026-03-05,3.8\n")
    with pytest.raises(InputError, match="is of 2026-01-05") as caught:
        table.curve(dt.date(2026, 2, 2), max_age_days=7)
    assert caught.value.code == "RATE_STALE"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "Date,3 Mo\n2026-03-05,high\n",
            r"rates.csv, row 2, column '3 Mo': not a yield: 'high'. Accepted: percent",
        ),
        ("Date,3 Mo\n2026-03-05,1_0\n", "not a yield: '1_0'"),
        ("Date,3 Mo\n2026-03-05,inf\n", "not a yield: 'inf'"),
        ("Date,3 Mo\n2026-03-05,3.7%\n", "not a yield: '3.7%'"),
        (
            "Date,3 Mo\n\n2026-03-05,373\n",
            "row 3, column '3 Mo': not a yield in percent: '373'. Accepted: -5 to 30",
        ),
        ("Date,3 Mo\nMarch 5,3.7\n", "row 2, column 'Date': not a date: 'March 5'. Accepted: MM/DD/YYYY"),
        ("Date,3 Mo\n13/01/2026,3.7\n", "not a date: '13/01/2026'"),
        ("Date,3 Mo\n2026-02-30,3.7\n", "not a date"),
        ("Date,3 Mo\n,3.7\n", "not a date: ''"),
        ("Date,3 Mo\n2026-03-05\n", "row 2: 1 cells under a header of 2"),
        (
            "Date,3 Mo\n2026-03-05,3.7\n03/05/2026,3.8\n",
            "row 3.*a second, different row of one date: '2026-03-05'",
        ),
        ("Date,3 Mo,DGS3MO\n2026-03-05,3.7,3.7\n", "column 'DGS3MO': the same tenor as column '3 Mo'"),
        (
            "Date,Date,3 Mo\n2026-03-05,2026-03-05,3.7\n",
            "not a curve file, its header reads: 'Date, Date, 3 Mo'",
        ),
        ("strike,bid,ask\n1,2,3\n", "header reads: 'strike, bid, ask'. Accepted: a column Date .* DGS3MO"),
        ("Date,SOFR\n2026-03-05,3.65\n", "header reads: 'Date, SOFR'"),
        ("Date,0 Mo\n2026-03-05,3.65\n", "header reads"),
        (
            "Date,5 YR,7 YR,10 YR,20 YR,30 YR\n01/02/2026,1.1,1.2,1.3,1.4,1.5\n",
            "shortest of at most two years",
        ),
        ("3 Mo,1 Yr\n3.7,3.8\n", "not a curve file"),
        ("Date,3 Mo\n", "no yields at two years or less"),
        ("Date,3 Mo,10 Yr\n2026-03-05,.,4.1\n", "no yields at two years or less"),
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (b"\x89PNG\x00\xff\xff", "not a text file"),
        (b"\xff\xfeD", "not a text file"),
        (gzip.compress(TREASURY.encode(), mtime=0)[:-30], "cannot be read"),
        (b"\x1f\x8bnot gzip at all", "cannot be read"),
        ('Date,3 Mo\n2026-03-05,"' + "x" * 200_000, "not a CSV file"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        table_of(tmp_path, text)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.code in Code.__members__


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file") as caught:
        read_rates(tmp_path / "none.csv")
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(InputError, match="cannot be read"):
        read_rates(tmp_path)


def test_the_choice_of_a_curve(tmp_path: Path) -> None:
    on = dt.date(2026, 3, 9)
    path = written(tmp_path, TREASURY)
    table, box = read_rates(path), DiscountCurve.flat(0.0412, label="box:0.0412", error=0.0002)

    given = choose_curve(on, settings=Settings(rate=0.03), table=table, box=box)
    assert (given.label, given.flags) == ("flat:0.0300", ())
    assert choose_curve(on, settings=Settings(rate=0.0), box=box).rate(1.0) == 0.0  # zero is a rate
    assert choose_curve(on, settings=Settings(), table=table, box=box) == table.curve(on, max_age_days=7)
    assert choose_curve(on, settings=Settings(rates_file=str(path)), box=box).label == "curve:2026-03-09"
    assert choose_curve(on, settings=Settings(), box=box) is box
    assumed = choose_curve(on, settings=Settings())
    assert (assumed.label, assumed.flags, assumed.rate(0.25)) == ("assumed:0.0400", ("RATE_ASSUMED",), 0.04)
    assert choose_curve(on, settings=Settings(assumed_rate=0.05)).label == "assumed:0.0500"


def test_a_stale_table_never_gives_way_in_silence(tmp_path: Path) -> None:
    table = table_of(tmp_path, TREASURY)
    on = dt.date(2026, 4, 1)
    with pytest.raises(InputError, match="more than 7 days older"):
        choose_curve(on, settings=Settings(), table=table, box=DiscountCurve.flat(0.04))
    older = choose_curve(on, settings=Settings(curve_max_age_days=30), table=table)
    assert older.label == "curve:2026-03-09"


@pytest.mark.real
def test_the_treasury_history(real: Path) -> None:
    table = read_rates(real / "reference" / "yield-curve-rates-1990-2024.csv.gz")
    assert (table.first, table.last) == (dt.date(1990, 1, 2), dt.date(2024, 12, 31))
    last = table.curve(dt.date(2025, 1, 3), max_age_days=7)
    assert last.label == "curve:2024-12-31"
    assert last.rate(0.25) == pytest.approx(continuous(4.37), rel=1e-14)
    assert last.rate(30.0) == pytest.approx(continuous(4.78), rel=1e-14)
    first = table.curve(dt.date(1990, 1, 2), max_age_days=7)
    assert first.rate(0.01) == pytest.approx(continuous(7.83), rel=1e-14)  # 3 Mo was the shortest
    # the longest break in publication is the week after 2001-09-11
    assert np.diff(table.ordinals).max() <= 7
    for ordinal in table.ordinals[::250]:
        day = dt.date.fromordinal(int(ordinal))
        factors = table.curve(day, max_age_days=0).discount_factor(np.linspace(0.0, 2.0, 25))
        assert (np.abs(np.diff(factors)) < 0.01).all()
        assert factors[0] == 1.0
