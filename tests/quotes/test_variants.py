"""The same chain in other dress: names, quoting, delimiters, order, files put one after another."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from vendor_files import shapes
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import find_inputs, iter_file, read_file
from volskew.settings import Settings
from volskew.workflow import gather

COLUMNS = ["symbol", "expiry", "strike", "is_call", "bid", "ask", "bid_size", "volume", "vendor_vol"]
READERS = (
    "generic",
    "alpha_vantage",
    "cboe_delayed",
    "cboe_eod_calcs",
    "optionmetrics",
    "optionsdx",
    "orats_file",
)
CUT = 10


def write(name: str, folder: Path, *, symbol: str = "QQQ", days: int = 2) -> Path:
    """The table of a shape; two days, so that a cut in the middle of a day and one between days differ."""
    frame = board(strikes=9, days=days, symbol=symbol)
    if name == "generic":
        path = folder / f"{symbol}.csv"
        names = {"vendor_vol": "iv", "vendor_delta": "delta"}
        frame.drop(columns="root").rename(columns=names).to_csv(path, index=False)
        return path
    written: list[Path] = shapes()[name].write(frame, folder)
    return next(path for path in written if path.suffix in {".csv", ".txt"})


def quotes(path: Path) -> pd.DataFrame:
    """What is read, all lines accounted for and nothing said, but for a ticker that only a name has."""
    readings = read_file(path)
    assert {entry.code for reading in readings for entry in reading.entries} <= {"SYMBOL_NAMED"}
    found = pd.concat([reading.quotes for reading in readings], ignore_index=True)
    assert sum(reading.lines_read for reading in readings) == len(found)
    return found[COLUMNS]


def text(table: pd.DataFrame, *, sep: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    return table.to_csv(index=False, sep=sep, quoting=quoting)  # type: ignore[call-overload,no-any-return]


def named(table: pd.DataFrame, name: Callable[[str], str]) -> pd.DataFrame:
    return table.set_axis([name(column) for column in table.columns], axis=1)


def joined(*parts: str) -> str:
    return "".join(parts)


Change = Callable[[pd.DataFrame], str]
DRESSES: dict[str, Change] = {
    "upper case": lambda t: text(named(t, str.upper)),
    "lower case": lambda t: text(named(t, str.lower)),
    "blanks": lambda t: text(named(t, lambda name: f"  {name.replace('_', ' ')} ")),
    "brackets": lambda t: text(named(t, lambda name: f"[{name.strip('[]')}]")),
    "quoted": lambda t: text(t, quoting=csv.QUOTE_ALL),
    "byte-order mark": lambda t: f"\ufeff{text(t)}",
    "byte-order mark and quotes": lambda t: f"\ufeff{text(t, quoting=csv.QUOTE_ALL)}",
    "semicolons": lambda t: text(t, sep=";"),
    "tabs": lambda t: text(t, sep="\t"),
    "line ends of Windows": lambda t: text(t).replace("\n", "\r\n"),
    "more columns": lambda t: text(t.assign(note="x", other="1.5")[["note", *t.columns, "other"]]),
    "an index": lambda t: t.to_csv(),
    "another order": lambda t: text(t[t.columns[::-1]]),
    "a delimiter at every end": lambda t: text(t).replace("\n", ",\n"),
    "a delimiter at the ends of lines alone": lambda t: text(t).replace("\n", ",\n").replace(",\n", "\n", 1),
    "a remark": lambda t: f"# downloaded\n{text(t)}",
    "two files": lambda t: joined(text(t[:CUT]), text(t[CUT:])),
    "two quoted files": lambda t: joined(
        text(t[:CUT], quoting=csv.QUOTE_ALL), text(t[CUT:], quoting=csv.QUOTE_ALL)
    ),
    "two files with marks": lambda t: joined(f"\ufeff{text(t[:CUT])}", f"\ufeff{text(t[CUT:])}"),
    "two files with blanks": lambda t: joined(text(t[:CUT]), text(t[CUT:])).replace(",", ", "),
    "two files, names in another case": lambda t: joined(text(t[:CUT]), text(named(t[CUT:], str.upper))),
    "two files and a blank line": lambda t: joined(text(t[:CUT]), "\n", text(t[CUT:])),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, pd.DataFrame, pd.DataFrame]]:
    """By reader the name of its file, its cells and what is read from it."""
    found = {}
    for name in READERS:
        path = write(name, tmp_path_factory.mktemp(name))
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
        found[name] = (path, cells, quotes(path))
    return found


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", READERS)
def test_the_dress_changes_nothing(
    plain: dict[str, tuple[Path, pd.DataFrame, pd.DataFrame]], name: str, dress: str, tmp_path: Path
) -> None:
    original, cells, expected = plain[name]
    path = tmp_path / original.name
    path.write_text(DRESSES[dress](cells), encoding="utf-8", newline="")
    pd.testing.assert_frame_equal(quotes(path), expected)
    assert {reading.format for reading in read_file(path)} == {name}


@pytest.mark.parametrize("name", READERS)
def test_pieces_of_joined_files_are_the_whole(
    plain: dict[str, tuple[Path, pd.DataFrame, pd.DataFrame]], name: str, tmp_path: Path
) -> None:
    original, cells, expected = plain[name]
    path = tmp_path / original.name
    half = len(cells) // 2
    path.write_text(text(cells[:half]) + text(cells[half:]), encoding="utf-8")
    parts = [reading.quotes for reading in iter_file(path, piece=2000)]
    assert len(parts) > 1 or name == "cboe_delayed"  # the one that is read at once
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True)[COLUMNS], expected)


@pytest.mark.parametrize("name", READERS)
def test_a_second_header_in_another_order_is_refused(
    plain: dict[str, tuple[Path, pd.DataFrame, pd.DataFrame]], name: str, tmp_path: Path
) -> None:
    original, cells, _ = plain[name]
    path = tmp_path / original.name
    turned = cells[cells.columns[::-1]]
    path.write_text(text(cells[:CUT]) + text(turned[CUT:]), encoding="utf-8")
    with pytest.raises(InputError, match="a second header, with other columns or another order") as caught:
        read_file(path)
    assert caught.value.row == CUT + 2


@pytest.mark.parametrize("name", READERS)
def test_decimal_commas_are_refused_in_one_line(
    plain: dict[str, tuple[Path, pd.DataFrame, pd.DataFrame]], name: str, tmp_path: Path
) -> None:
    original, cells, _ = plain[name]
    path = tmp_path / original.name
    commas = cells.map(lambda cell: cell.replace(".", ",") if cell.replace(".", "", 1).isdigit() else cell)
    path.write_text(text(commas, sep=";"), encoding="utf-8")
    with pytest.raises(InputError, match=r"decimal commas are not read: '[0-9]+,[0-9]+'") as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


def test_two_downloads_in_one_file_are_refused(tmp_path: Path) -> None:
    (path,) = shapes()["cboe_quotedata"].write(board(strikes=9), tmp_path)[:1]
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(InputError, match="holds several downloads"):
        read_file(path)


def test_members_of_a_gzip_one_after_another(tmp_path: Path) -> None:
    path = write("optionsdx", tmp_path)
    expected = quotes(path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(b"".join(gzip.compress("".join(part).encode()) for part in (lines[:7], lines[7:])))
    pd.testing.assert_frame_equal(quotes(packed), expected)
    whole = [gzip.compress("".join([lines[0], *part]).encode()) for part in (lines[1:7], lines[7:])]
    packed.write_bytes(b"".join(whole))  # each with a header of its own
    pd.testing.assert_frame_equal(quotes(packed), expected)


def test_an_archive_of_many_files_of_several_vendors(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    paths = [write(name, tmp_path / "in", days=1) for name in READERS]
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(3):
            for path in paths:
                file.write(path, f"{number}/{path.name}")
        file.writestr("readme.txt", "What these files are.\n")
        file.writestr("__MACOSX/0/._x.csv", b"\x00\x05\x16\x07")
    readings = read_file(archive)
    chains = [reading for reading in readings if reading.format]
    assert sorted({reading.format for reading in chains}) == sorted(READERS)
    assert len(chains) == 3 * len(READERS)
    assert all(len(reading.quotes) == 36 for reading in chains)
    assert [reading.entries[0].code for reading in readings if not reading.format] == ["SKIPPED"]


def test_a_folder_of_vendors_and_symbols(tmp_path: Path) -> None:
    for name in READERS:
        for symbol in ("QQQ", "IWM"):
            (tmp_path / name / symbol).mkdir(parents=True)
            write(name, tmp_path / name / symbol, symbol=symbol)
    gathered = gather(tmp_path, settings=Settings())
    assert not gathered.problems
    units = [(unit.symbol, unit.date) for unit in gathered.units]
    days = sorted(set(units))
    assert len(days) == 2 * 2
    # every vendor has each day; one of them stands for it
    codes = {"SKIPPED", "SUPERSEDED", "RATE_ASSUMED", "SYMBOL_NAMED"}
    assert {entry.code for entry in gathered.ledger} <= codes
    assert gathered.n_files >= 2 * len(READERS)  # some shapes write the same chain in several ways


# --- JSON


def records() -> list[dict[str, object]]:
    frame = board().drop(columns="root").rename(columns={"vendor_vol": "iv"})
    frame = frame.assign(
        date=frame["date"].dt.strftime("%Y-%m-%d"), expiry=frame["expiry"].dt.strftime("%Y-%m-%d")
    )
    frame["is_call"] = np.where(frame["is_call"], "call", "put")
    found: list[dict[str, object]] = json.loads(frame.to_json(orient="records"))
    return found


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_record_a_line(tmp_path: Path, mark: str, end: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(records()), encoding="utf-8")
    expected = quotes(path)
    path.write_text(mark + end.join(map(json.dumps, records())), encoding="utf-8", newline="")
    pd.testing.assert_frame_equal(quotes(path), expected)
    assert read_file(path)[0].quotes["source_row"].tolist() == list(range(1, len(expected) + 1))
    assert find_inputs([tmp_path])[0] == [path]


def test_lists_one_after_another(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records()), encoding="utf-8")
    expected = quotes(path)
    path.write_text("\n".join(json.dumps(part) for part in (records()[:7], records()[7:])), encoding="utf-8")
    pd.testing.assert_frame_equal(quotes(path), expected)


def test_a_record_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, records()))[:-9], encoding="utf-8")
    with pytest.raises(InputError, match="cut off: the last document, from line 20 on, is incomplete"):
        read_file(path)


ANSWERS = {
    '{"Information": "Thank you! Our standard rate limit is 25 requests a day."}': "Thank you! Our",
    '{"Note": "Please consider\\nspreading out your calls"}': "Please consider spreading out",
    '{"Error Message": "Invalid API call."}': "Invalid API call.",
    '{"s": "error", "errmsg": "Token not found"}': "Token not found",
    '{"s": "no_data", "nextTime": null}': "no_data",
    '{"error": "not entitled"}': "not entitled",
    '{"status": "ERROR", "request_id": "x", "error": "Unknown API Key"}': "Unknown API Key",
    '{"errors": [{"id": "1", "status": 401, "title": "Unauthorized", "detail": "Client not authorized"}]}': (
        "Client not authorized; Unauthorized"
    ),
    '{"fault": {"faultstring": "Invalid Access Token", "detail": {"code": "x"}}}': "Invalid Access Token",
    '{"finance": {"result": null, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}': (
        "Invalid Crumb; Unauthorized"
    ),
    '{"message": "forbidden."}': "forbidden.",
    '[{"error": "limit reached"}]': "limit reached",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", ["answer.json", "answer.csv"])
def test_an_answer_without_data_is_refused_in_its_own_words(tmp_path: Path, name: str, answer: str) -> None:
    path = tmp_path / name
    path.write_text(answer, encoding="utf-8")
    with pytest.raises(InputError, match="a service's answer without data, which says: ") as caught:
        read_file(path)
    assert ANSWERS[answer] in caught.value.problem
    assert caught.value.code == "NOT_A_CHAIN"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "document", ['{"colour": "red"}', '{"data": [{"error": 1}]}', '{"message": "success"}', "[1]"]
)
def test_other_json_is_no_answer(tmp_path: Path, document: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(InputError, match="no reader of option chains takes it"):
        read_file(path)


def test_bytes_of_a_table_are_not_taken_for_json(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    frame = pd.read_csv(io.StringIO(write("generic", tmp_path).read_text(encoding="utf-8")), dtype=str)
    path.write_text(text(named(frame, lambda name: f"[{name}]"), sep="|"), encoding="utf-8")
    assert read_file(path)[0].format == "generic"
