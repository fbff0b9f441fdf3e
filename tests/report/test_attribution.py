"""What an attribution says: the sentence, one screen, CSV."""

from __future__ import annotations

import datetime as dt
import io
import math
from pathlib import Path

import pandas as pd
import pytest

from volskew.ledger import Ledger
from volskew.report.attribution import (
    attribution_sentence,
    attribution_text,
    print_attribution,
    write_attribution,
)
from volskew.surface.points import Point
from volskew.workflow.accounts import COLUMNS
from volskew.workflow.attribution import Attribution
from volskew.workflow.gather import Inputs

_PARTS = ("roll", "spot", "level", "skew", "remainder")
_START, _END = dt.date(2026, 7, 9), dt.date(2026, 7, 10)


def _row(
    symbol: str, parts: dict[str, float], *, error: float = math.nan, reason: str = ""
) -> dict[str, object]:
    known = {name: parts.get(name, 0.0) for name in _PARTS}
    total = sum(part for part in known.values() if not math.isnan(part))
    texts = {"series": "close", "session_from": str(_START), "session_to": str(_END), "symbol": symbol}
    return {
        **texts, "tenor": "3m", "delta": "0.25", "value_from": 0.2, "value_to": 0.2 * math.exp(total),
        "change": total, "error": error, "level_error": math.nan, **known, "change_vol": 0.2 * total,
        **{f"{name}_vol": 0.2 * part for name, part in known.items()}, "forward_move": -0.01,
        "n_steps": 3, "n_partial": 0, "flags": "ROLL", "reason": reason,
    }  # fmt: skip


def _result(
    one: dict[str, float], other: dict[str, float], *, error: float = math.nan, n: int = 1, reason: str = ""
) -> Attribution:
    net = {name: one.get(name, 0.0) - other.get(name, 0.0) for name in _PARTS}
    rows = [_row("QQQ", one), _row("IWM", other), _row("QQQ/IWM", net, error=error, reason=reason)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Attribution(
        pair=("QQQ", "IWM"), start=_START, end=_END, series="close", tenor="3m", point=Point("delta", 0.25),
        steps=pd.concat(n * [table], ignore_index=True), totals=table, ledger=Ledger(),
        inputs=Inputs([], Ledger(), 0, 0), notes=["A note."],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "error", "told"),
    [
        (
            {"level": -0.012, "roll": 0.001},
            {"skew": 0.005, "roll": 0.001},
            0.004,
            (
                "fell 1.7 % (+- 0.4) from 2026-07-09 to 2026-07-10: level -1.2 (QQQ -1.2, IWM 0.0), "
                "skew -0.5 (QQQ 0.0, IWM +0.5)."
            ),
        ),
        (
            {"level": 0.032, "spot": 0.01},
            {"level": 0.01, "spot": -0.01},
            math.nan,
            (
                "rose 4.2 % from 2026-07-09 to 2026-07-10: level +2.2 (QQQ +3.2, IWM +1.0), "
                "spot +2.0 (QQQ +1.0, IWM -1.0)."
            ),
        ),
        (
            {"level": 0.0012},
            {},
            0.0014,
            "rose 0.12 % (+- 0.14) from 2026-07-09 to 2026-07-10: level +0.12 (QQQ +0.12, IWM 0.00).",
        ),
        ({"roll": 0.001}, {"roll": 0.001}, math.nan, "did not move from 2026-07-09 to 2026-07-10."),
        (
            {"roll": math.nan, "spot": math.nan, "level": math.nan, "skew": math.nan, "remainder": 0.02},
            {},
            math.nan,
            "rose 2.0 % from 2026-07-09 to 2026-07-10: remainder +2.0 (QQQ +2.0, IWM 0.0).",
        ),
    ],
)
def test_the_sentence(one: dict[str, float], other: dict[str, float], error: float, told: str) -> None:
    assert attribution_sentence(_result(one, other, error=error)) == f"QQQ/IWM 3m 25-delta call vol {told}"


def test_a_legs_name_stands_beside_the_legs_number() -> None:
    """The pair's -0.61 is not QQQ's, though QQQ has most of it."""
    told = attribution_sentence(_result({"skew": -0.0053}, {"skew": 0.0008}))
    assert told.endswith(": skew -0.61 (QQQ -0.53, IWM +0.08).")


def test_the_sentence_of_parts_that_are_not_known_over_all_steps() -> None:
    result = _result({"level": 0.02, "remainder": 0.01}, {})
    result.totals["n_partial"] = [2, 0, 2]
    told = attribution_sentence(result)
    assert told.endswith(": level +2.0, remainder +1.0; all parts are known over 1 of 3 steps only.")


def test_the_sentence_without_a_change() -> None:
    result = _result({}, {})
    legs = result.totals[result.totals["symbol"] != "QQQ/IWM"]
    without = Attribution(
        result.pair, _START, _END, "close", "3m", result.point, result.steps, legs, Ledger(), result.inputs
    )
    told = "QQQ/IWM 3m 25-delta call vol: no change from 2026-07-09 to 2026-07-10 can be told."
    assert attribution_sentence(without) == told


def test_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = "; ".join(f"reason {number}" for number in range(8))
    result = _result({"level": -0.012}, {"skew": 0.005}, error=0.004, n=30, reason=reasons)
    print_attribution(result, files=[Path("out/attribution.csv")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    assert "QQQ/IWM, to (last 10 of 30)" in text
    assert "  and 3 more in attribution.csv" in text
    assert "ROLL: the expiries around the tenor are not those of the session before." in text
    assert text.endswith("A note.\nout/attribution.csv")


def test_numbers_on_screen_have_units_and_signs(capsys: pytest.CaptureFixture[str]) -> None:
    print_attribution(_result({"level": -0.012, "skew": math.nan}, {"skew": 0.005}))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    legs = [row for row in rows if row[:1] == ["QQQ"]]
    assert legs[0] == ["QQQ", "20.00", "19.76", "-1.20", "-", "0.00", "0.00", "-1.20", "-", "0.00"]
    assert legs[1] == ["QQQ", "-0.24", "0.00", "0.00", "-0.24", "-", "0.00"]


def test_csv(tmp_path: Path) -> None:
    result = _result({"level": -0.012, "spot": 0.00123456}, {"skew": math.nan})
    text = attribution_text(result)
    table = pd.read_csv(io.StringIO(text), keep_default_na=False)
    assert list(table.columns) == ["span", *COLUMNS]
    assert table["span"].tolist() == 3 * ["period"] + 3 * ["session"]
    assert table["spot"].iloc[0] == "0.00123456" or float(table["spot"].iloc[0]) == 0.00123456  # not a price
    assert table["skew"].iloc[1] == ""
    files = write_attribution(result, tmp_path)
    assert [file.name for file in files] == ["attribution.csv", "ledger.csv"]
    assert files[0].read_text() == text
