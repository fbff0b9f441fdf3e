"""Barchart: what stands in its name, its footer, its percent signs and its times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError
from volskew.quotes import describe, read_chain, read_file

NAME = "spy-options-exp-2024-01-19-monthly-show-all-stacked-01-05-2024.csv"
TEXT = (
    'Strike,Moneyness,Bid,Mid,Ask,Latest,Change,%Change,Volume,"Open Int","OI Chg",IV,Delta,Type,Time\n'
    '400.00,+0.52%,6.90,7.00,7.10,7.00,+0.10,+1.45%,"1,812","5,021",+43,17.45%,0.5561,Call,01/05/24\n'
    "300.00,-25.4%,N/A,N/A,0.01,0.01,unch,unch,0,88,unch,68.01%,-0.0003,Put,12/29/23\n"
    '"1,300.00",-25.4%,0.00,0.01,0.02,N/A,unch,unch,0,0,unch,N/A,N/A,Call,N/A\n'
)
FOOTER = '"Downloaded from Barchart.com as of 01-05-2024 05:32pm CST"'


def write(tmp_path: Path, text: str, name: str = NAME) -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("footer", ["", FOOTER, FOOTER + "\n", FOOTER.strip('"') + "\r\n\r\n"])
def test_the_footer_is_no_line(tmp_path: Path, footer: str) -> None:
    (reading,) = read_file(write(tmp_path, TEXT + footer))
    assert reading.format == "barchart"
    assert reading.lines_read == 3
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("SYMBOL_NAMED", 3)
    assert f"SPY, from the file's name, '{NAME}'" in entry.detail
    quotes = reading.quotes
    assert set(quotes["symbol"]) == {"SPY"}
    assert set(quotes["expiry"]) == {pd.Timestamp("2024-01-19 16:00", tz="America/New_York")}
    assert set(quotes["snapshot_time"]) == {pd.Timestamp("2024-01-05 16:00", tz="America/New_York")}


def test_signs_separators_and_words_for_nothing(tmp_path: Path) -> None:
    quotes = read_chain(write(tmp_path, TEXT))
    np.testing.assert_allclose(quotes["vendor_vol"], [0.1745, 0.6801, np.nan])  # exact but for the division
    assert quotes["strike"].tolist() == [400.0, 300.0, 1300.0]
    np.testing.assert_array_equal(quotes["bid"], [6.9, np.nan, 0.0])
    assert quotes["volume"].tolist() == [1812, 0, 0]
    assert quotes["open_interest"].tolist() == [5021, 88, 0]


def test_a_download_in_the_session_is_of_its_time_less_the_delay(tmp_path: Path) -> None:
    footer = FOOTER.replace("05:32pm CST", "01:15pm CST")
    text = TEXT.replace("01/05/24", "13:02 CT")
    quotes = read_chain(write(tmp_path, text + footer))
    eastern = quotes["snapshot_time"].dt.tz_convert("America/New_York").dt.strftime("%d %H:%M")
    assert set(eastern) == {"05 14:02"}  # the newest trade, later than 14:15 less 15 minutes
    assert quotes["trade_time"][0] == pd.Timestamp("2024-01-05 14:02", tz="America/New_York")


def test_the_name_must_have_the_expiry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"file's name has none.*spy-options-exp-2024-01-19"):
        read_chain(write(tmp_path, TEXT, "spy.csv"))


def test_the_name_must_have_the_underlying(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no underlying"):
        read_chain(write(tmp_path, TEXT, "options-exp-2024-01-19-stacked-01-05-2024.csv"))


def test_indices_are_written_with_a_dollar(tmp_path: Path) -> None:
    quotes = read_chain(write(tmp_path, TEXT, NAME.replace("spy", "$spx")))
    assert set(quotes["symbol"]) == {"SPX"}
    assert set(quotes["settlement"]) == {"AM"}


def test_other_tables_of_the_site_are_not_claimed(tmp_path: Path) -> None:
    screener = TEXT.replace("Strike,", "Symbol,Strike,").replace("400.00,", "SPY,400.00,", 1)
    assert describe(write(tmp_path, screener, "screener.csv")).format != "barchart"
