"""Companion measures of chain files, and requests that are refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from volskew.errors import SettingsError
from volskew.settings import Settings
from volskew.workflow import measure_files
from volskew.workflow.request import Request

_CHAIN = Path(__file__).parents[2] / "chains" / "quotes" / "QQQ_2026-07-10_simulated.csv.gz"


def test_files_give_skews_and_slopes() -> None:
    names = ("call_skew", "put_skew", "risk_reversal", "term_slope", "implied_vol_ask")
    request = Request(names, ("3m", "84d-98d"), ("25c", "25p"))
    result = measure_files(_CHAIN, settings=Settings(rate=0.04), request=request)
    assert result.exit_code == 0
    rows = result.readings
    assert rows[["measure", "tenor", "delta"]].apply(tuple, axis=1).tolist() == [
        ("call_skew", "3m", "0.25"),
        ("put_skew", "3m", "0.75"),
        ("risk_reversal", "3m", "0.25"),
        ("term_slope", "84d-98d", "0.25"),
        ("term_slope", "84d-98d", "0.75"),
        ("implied_vol_ask", "3m", "0.25"),
        ("implied_vol_ask", "3m", "0.75"),
    ]
    values = rows["value"].tolist()
    assert values[2] == pytest.approx(values[0] - values[1], abs=1e-16)  # roundings of numbers near 0.2


def test_a_part_that_is_missing_makes_the_run_say_so() -> None:
    request = Request(("call_skew", "risk_reversal"), ("2y",), ("25c",))
    result = measure_files(_CHAIN, settings=Settings(rate=0.04), request=request)
    assert result.exit_code == 1
    details = [entry.detail for entry in result.ledger if entry.code == "NO_EXPIRY_AFTER"]
    assert [detail.split(":")[0] for detail in details] == ["2y 25c", "2y 50", "2y 25p"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(("term_slope",)), "span of two tenors"),
        (Request(("implied_vol",), ("1m-3m",)), "one tenor"),
        (Request(("put_skew",)), "put delta"),
        (Request(("implied_vol",), ("3m", "1m-3m")), "cannot be read at 1m-3m"),
    ],
)
def test_requests_are_checked_before_anything_is_read(request_: Request, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        measure_files("no_such_folder", request=request_)
