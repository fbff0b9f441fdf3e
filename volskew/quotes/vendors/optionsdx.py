"""OptionsDX: end-of-day and intraday text files with a call and a put on each row."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]


def _side(mark: str) -> dict[str, str]:
    """Columns of one side; the blocks of calls and puts differ in their order, so names alone count."""
    return {
        "bid": f"{mark}bid",
        "ask": f"{mark}ask",
        "sizes": f"{mark}size",
        "last": f"{mark}last",
        "volume": f"{mark}volume",
        "vendor_vol": f"{mark}iv",
        "vendor_delta": f"{mark}delta",
    }


FORMAT: Final = Format(
    name="optionsdx",
    title="OptionsDX end-of-day or intraday file (a call and a put on each row)",
    about=About(
        origin="optionsdx.com, monthly .txt files of one symbol in a 7z or zip archive; mirrors on Kaggle",
        clock="QUOTE_UNIXTIME, the true epoch of the quotes; 16:00 in New York in the end-of-day files",
        vol="decimal; of which price is not said",
        odd=(
            "The rows name no underlying: the file's name does (`spy_eod_202301.txt`), or its folder's.",
            "Names are in brackets and follow a blank; in the vendor's own sample they are plain.",
            "SPX: whether a third Friday is SPX (morning) or SPXW (afternoon) is not said; SPX is taken.",
            "A missing value is a cell of one blank. There is no open interest.",
            "The underlying's price is its last at the stamp and can be old on days with a gap.",
        ),
        known="readers",
    ),
    signature=("quoteunixtime", "expiredate", "civ", "pbid", "strikedistancepct"),
    columns={
        "date": "quoteunixtime",
        "expiry": "expiredate",
        "strike": "strike",
        "underlying_price": "underlyinglast",
    },
    calls=_side("c"),
    puts=_side("p"),
    symbol_in_name=r"([a-z.^$]{1,6})_(?:(?:eod|[0-9]+[a-z]*)_)?(?:19|20)[0-9]{2}(?:[0-9_-].*)?[.].*",
)
READER: Final = declare(FORMAT)
