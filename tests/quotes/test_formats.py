"""What a format may state beyond its columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from volskew.quotes.cells import numbers, texts
from volskew.quotes.containers import open_members
from volskew.quotes.deliverables import marked_roots
from volskew.quotes.detect import read_head
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About, Job, RawChain

ABOUT = About(origin="nowhere", clock="none")


def job_of(path: Path) -> Job:
    member = open_members(path)[0]
    return Job(member, read_head(member))


def halved(chain: RawChain, _job: Job) -> RawChain:
    """Bids of the lines whose size is in question are halved."""
    doubt = texts(chain.cells["@doubt"]) == "y"
    weight = numbers(chain.cells["+weight"]).data
    chain.cells["bid"] = pa.array(np.where(doubt, weight, 1.0) * numbers(chain.cells["bid"]).data)
    return chain


WIDE = Format(
    name="wide",
    title="wide",
    about=ABOUT,
    signature=("cb", "pb"),
    columns={"strike": "k", "@doubt": "doubt"},
    calls={"bid": "cb", "+weight": "cw"},
    puts={"bid": "pb", "+weight": "pw"},
    records=Records(signature=("cb", "pb"), path="rows"),
    adjust=halved,
)


@pytest.mark.parametrize("written", ["table", "records"])
def test_cells_that_only_help_are_read_and_taken_out_again(tmp_path: Path, written: str) -> None:
    lines = [{"k": 100, "doubt": "y", "cb": 8, "cw": 0.5, "pb": 4, "pw": 0.25}]
    lines += [{"k": 110, "doubt": "", "cb": 8, "cw": 0.5, "pb": 4, "pw": 0.25}]
    path = tmp_path / "a"
    if written == "table":
        rows = [",".join(map(str, line.values())) for line in lines]
        path.write_text("\n".join([",".join(lines[0]), *rows]) + "\n", encoding="utf-8")
    else:
        path.write_text(json.dumps({"rows": lines}), encoding="utf-8")
    chain = declare(WIDE).read(job_of(path))
    assert set(chain.cells) == {"strike", "bid", "is_call"}
    assert chain.cells["bid"].to_pylist() == [4.0, 1.0, 8.0, 4.0]
    assert chain.cells["is_call"].to_pylist() == ["C", "P", "C", "P"]
    assert chain.rows.tolist() == ([2, 2, 3, 3] if written == "table" else [1, 1, 2, 2])
    assert declare(WIDE).fields == ("strike", "is_call", "bid")


def test_a_format_states_fields_that_exist() -> None:
    with pytest.raises(ValueError, match="states unknown fields: doubt"):
        Format(name="a", title="a", about=ABOUT, columns={"doubt": "doubt"})


def test_roots_of_adjusted_contracts_end_in_a_digit_once() -> None:
    roots = pa.array(["SPX", "SPX", "QQQ1", None, "QQQ"])
    adjusted = np.array([False, True, True, True, False])
    assert marked_roots(roots, adjusted).to_pylist() == ["SPX", "SPX1", "QQQ1", None, "QQQ"]
    assert marked_roots(roots.dictionary_encode(), adjusted).to_pylist() == [
        "SPX",
        "SPX1",
        "QQQ1",
        None,
        "QQQ",
    ]
