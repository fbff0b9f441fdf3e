"""Tables of vendors as Parquet, where numbers are numbers and no text says how they were written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from vendor_files import shapes
from vendor_files.board import board

from volskew.quotes import read_chain

SHAPES = shapes()
TABLES = (
    "cboe_eod_calcs",
    "cboe_eod",
    "cboe_eod_close",
    "cboe_intervals",
    "orats_file",
    "orats_api",
    "optionmetrics",
)


@pytest.mark.parametrize("name", TABLES)
def test_parquet_holds_the_same_chain(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    written: list[Path] = shape.write(board(), tmp_path)
    for path in written[: getattr(shape, "CHAINS", len(written))]:
        if path.suffix != ".csv":
            continue
        packed = path.with_suffix(".parquet")
        pd.read_csv(path).to_parquet(packed)
        chosen = getattr(shape, "FORMAT", None)
        text, binary = (read_chain(place, format=chosen) for place in (path, packed))
        places = ["source_file", "source_row"]
        pd.testing.assert_frame_equal(binary.drop(columns=places), text.drop(columns=places))
        packed.unlink()
