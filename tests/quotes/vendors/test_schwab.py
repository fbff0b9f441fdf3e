"""Chains of Schwab and TD Ameritrade: one skeleton, two ways to write symbols, dates and codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from vendor_files import schwab, tdameritrade
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import read_chain, read_file, sniff
from volskew.quotes.clean import label

BOTH = pytest.mark.parametrize("shape", [schwab, tdameritrade])


def made(shape: ModuleType, folder: Path) -> tuple[Path, dict[str, Any]]:
    path, _ = shape.write(board(), folder)
    return path, json.loads(path.read_text())


def contracts(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for side in ("callExpDateMap", "putExpDateMap"):
        for strikes in document[side].values():
            for lines in strikes.values():
                yield from lines


def rewritten(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@BOTH
@pytest.mark.parametrize("missing", [-999.0, "NaN", 0.0, None])
def test_what_says_that_there_is_no_vol(shape: ModuleType, missing: object, tmp_path: Path) -> None:
    path, document = made(shape, tmp_path)
    for contract in contracts(document):
        if contract["strikePrice"] == 400:
            contract |= {"volatility": missing, "delta": missing if missing != 0.0 else 0.053}
    (reading,) = read_file(rewritten(path, document))
    at = reading.quotes[reading.quotes["strike"] == 400]
    assert at["vendor_vol"].isna().all()
    assert at["vendor_delta"].isna().all()  # a delta beside no vol is junk
    assert reading.entries == []
    assert reading.quotes["vendor_vol"].max() < 1


@BOTH
def test_the_parameter_at_the_top_is_no_vol(shape: ModuleType, tmp_path: Path) -> None:
    path, _ = made(shape, tmp_path)
    assert read_chain(path)["vendor_vol"].max() < 0.25  # 29 percent is what the request assumed


@BOTH
def test_contracts_that_are_not_standard(shape: ModuleType, tmp_path: Path) -> None:
    path, document = made(shape, tmp_path)
    chosen = next(contracts(document))
    chosen["nonStandard"] = True
    labelled = label(read_chain(rewritten(path, document)))
    left_out = labelled[labelled["exclusion"] == "ROOT"]
    assert len(left_out) == 1
    # its symbol has the plain root; strike, right and expiry are its own all the same
    assert left_out["strike"].iloc[0] == float(chosen["strikePrice"])
    assert left_out["root"].iloc[0] == "QQQ1"
    chosen["multiplier"] = 10.0
    labelled = label(read_chain(rewritten(path, document)))
    assert (labelled["exclusion"] == "ROOT").sum() == 1


@BOTH
def test_one_map_alone_and_several_documents(shape: ModuleType, tmp_path: Path) -> None:
    path, document = made(shape, tmp_path)
    half = {**document, "putExpDateMap": {}}
    assert len(read_chain(rewritten(path, half))) == len(board()) / 2
    path.write_text("\n".join(json.dumps(one) for one in (half, {**document, "callExpDateMap": {}})))
    assert len(read_chain(path)) == len(board())


def test_they_are_told_apart_by_their_symbols(tmp_path: Path) -> None:
    assert sniff(made(schwab, tmp_path)[0]).name == "schwab"
    assert sniff(made(tdameritrade, tmp_path)[0]).name == "tdameritrade"


@BOTH
def test_contracts_without_the_maps(shape: ModuleType, tmp_path: Path) -> None:
    path, document = made(shape, tmp_path)
    wanted = read_chain(path)
    found = read_chain(rewritten(path, list(contracts(document))))
    assert set(found["symbol"]) == {"QQQ"}
    assert found["underlying_price"].isna().all()
    same = [
        "symbol",
        "root",
        "expiry",
        "strike",
        "is_call",
        "bid",
        "ask",
        "quote_time",
        "vendor_vol",
        "vendor_delta",
    ]
    pd.testing.assert_frame_equal(found[same], wanted[same])


@BOTH
def test_contracts_as_parquet(shape: ModuleType, tmp_path: Path) -> None:
    path, table = shape.write(board(), tmp_path)
    place = tmp_path / "contracts.parquet"
    pd.read_csv(table).to_parquet(place)
    assert sniff(place).name == sniff(path).name
    assert len(read_chain(place)) == len(board())


def test_settlement_and_style_are_what_the_file_says(tmp_path: Path) -> None:
    path, document = made(schwab, tmp_path)
    for contract in contracts(document):
        contract |= {"settlementType": "A", "exerciseType": "E"}
    quotes = read_chain(rewritten(path, document))
    assert set(quotes["settlement"]) == {"AM"}
    assert set(quotes["exercise"]) == {"european"}
    assert quotes["expiry"][0] == pd.Timestamp("2024-01-19 14:30", tz="UTC")


def test_a_root_with_a_digit_of_a_td_symbol(tmp_path: Path) -> None:
    path, document = made(tdameritrade, tmp_path)
    next(contracts(document))["symbol"] = "QQQ1_011924C390"
    labelled = label(read_chain(rewritten(path, document)))
    assert (labelled["exclusion"] == "ROOT").sum() == 1


@pytest.mark.parametrize("maps", [{}, {"callExpDateMap": {}, "putExpDateMap": {}}])
def test_an_empty_answer(tmp_path: Path, maps: dict[str, Any]) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"symbol": "QQQ", "status": "FAILED", **maps}))
    with pytest.raises(InputError):
        read_chain(path, format="schwab")
