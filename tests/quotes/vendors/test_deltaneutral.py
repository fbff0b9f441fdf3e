"""DeltaNeutral: flags, vols without quotes, Saturdays, and its older naming."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from vendor_files import deltaneutral
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import read_chain, read_file
from volskew.quotes.clean import label

HEADER = (
    "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration, DataDate,Strike,Last,"
    "Bid,Ask,Volume,OpenInterest,IV,Delta,Gamma,Theta,Vega,Alias\n"
)
BARE = (
    "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration, DataDate,Strike,Last,"
    "Bid,Ask,Volume,OpenInterest\n"
)
OLD = (
    "underlying,underlying_last, exchange,optionroot,optionext,type,expiration,quotedate,strike,last,bid,ask,"
    "volume,openinterest,impliedvol,delta,gamma,theta,vega,optionalias\n"
)


def line(
    *, flag: str = "*", bid: str = "6.90", ask: str = "7.10", strike: int = 400, vol: str = "0.1745"
) -> str:
    return (
        f"QQQ,402.11,{flag},QQQ240119C{strike * 1000:08d},,call,01/19/2024,01/03/2024 16:00,{strike},7.00,"
        f"{bid},{ask},812,5021,{vol},0.5561,0.0221,-66.1402,33.0101,\n"
    )


def read(tmp_path: Path, text: str) -> pd.DataFrame:
    path = tmp_path / "options.csv"
    path.write_text(text, "utf-8")
    return read_chain(path)


def test_only_the_star_is_a_standard_contract(tmp_path: Path) -> None:
    text = (
        HEADER + line() + line(flag="N", strike=405) + line(flag="B", strike=410) + line(flag="", strike=415)
    )
    quotes = read(tmp_path, text)
    assert len(quotes) == 4
    assert label(quotes)["exclusion"].isin(["ROOT"]).tolist() == [False, True, True, False]


def test_flags_that_are_all_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2, column 'Exchange': no line has the flag .*: 'CBOE'"):
        read(tmp_path, HEADER + line(flag="CBOE") + line(flag="CBOE", strike=405))


def test_a_vol_without_a_quote_is_no_vol(tmp_path: Path) -> None:
    quotes = read(tmp_path, HEADER + line() + line(bid="0", ask="0", strike=405) + line(bid="0", strike=410))
    assert quotes["vendor_vol"].isna().tolist() == [False, True, False]
    assert quotes["vendor_delta"].isna().tolist() == [False, True, False]
    assert quotes["bid"].tolist() == [6.9, 0.0, 0.0]


def test_a_chain_of_vols_alone_has_none(tmp_path: Path) -> None:
    """Else the neighbour's vol would be read as each line's."""
    text = HEADER + "".join(line(bid="0", ask="0", strike=380 + 5 * k, vol="0.2352") for k in range(10))
    assert read(tmp_path, text)["vendor_vol"].isna().all()


def test_level_1_has_no_vols(tmp_path: Path) -> None:
    text = BARE + "QQQ,402.11,*,QQQ240119C00400000,,call,01/19/2024,01/03/2024,400,7.00,6.90,7.10,812,5021\n"
    quotes = read(tmp_path, text)
    assert quotes["vendor_vol"].isna().all()
    assert quotes["snapshot_time"][0] == pd.Timestamp("2024-01-03 16:00", tz="America/New_York")


def test_saturday_expiries_are_of_the_friday(tmp_path: Path) -> None:
    row = (
        "SPY,168.01,*,SPY131019C00168000,,call,10/19/2013,10/01/2013 16:00,168,2.7,2.70,2.74,812,5021,0.14,"
        "0.51,,,,\n"
    )
    quotes = read(tmp_path, HEADER + row)
    assert quotes["expiry"][0] == pd.Timestamp("2013-10-18 16:00", tz="America/New_York")


def test_the_older_naming_before_and_after_2010(tmp_path: Path) -> None:
    before = "QQQQ,46.30,*,QQQ,AT,call,01/16/2010,01/04/2010,46,0.9,0.85,0.88,812,0,0.17,0.61,0.1,-8,4,\n"
    after = "SPX,2272,*,SPX170317C02200000,,call,03/17/2017,01/03/2017,2200,,99,101,0,0,0.13,1,0,0,0,\n"
    path = tmp_path / "old.csv"
    path.write_text(OLD + before + after, "utf-8")
    (reading,) = read_file(path)
    assert reading.format == "deltaneutral_old"
    assert reading.entries == []
    quotes = reading.quotes
    assert quotes["symbol"].tolist() == ["QQQ", "SPX"]
    assert quotes["expiry"][0] == pd.Timestamp("2010-01-15 16:00", tz="America/New_York")
    assert quotes["settlement"].tolist() == ["PM", "AM"]
    assert quotes["exercise"].tolist() == ["american", "european"]


def test_third_fridays_of_both_index_roots_are_kept_apart(tmp_path: Path) -> None:
    table = pd.read_csv(deltaneutral.write(board(), tmp_path)[0], dtype=str, keep_default_na=False).head(2)
    table["UnderlyingSymbol"] = "SPX"
    table["OptionSymbol"] = ["SPX240119C00395000", "SPXW240119C00395000"]
    table["Type"] = "call"
    quotes = read(tmp_path, table.to_csv(index=False))
    assert quotes["settlement"].tolist() == ["AM", "PM"]
    assert quotes["expiry"].dt.tz_convert("America/New_York").dt.hour.tolist() == [9, 16]
