"""Errors, settings, ledger, files and the lazy table of public names."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import volskew
from volskew.errors import InputError, NotAChainError, SettingsError, StoreError, VolskewError
from volskew.files import write_whole
from volskew.ledger import COLUMNS, Code, Entry, Ledger, Stage
from volskew.settings import Gates, Settings


def _modules_after(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = _modules_after("import volskew")
    assert not loaded & {"numpy", "pandas", "numba", "scipy", "pyarrow", "sqlalchemy", "matplotlib"}


def test_help_imports_neither_pandas_nor_numba() -> None:
    for arguments in (["--help"], ["rank", "--help"], ["measure", "--help"], ["import", "--help"]):
        loaded = _modules_after(f"from volskew.cli import run\nassert run({arguments!r}) == 0")
        assert not loaded & {"numpy", "pandas", "numba", "scipy", "pyarrow", "sqlalchemy", "matplotlib"}


def test_every_public_name_exists() -> None:
    assert set(volskew.__all__) == {"__version__", *volskew._PLACES}
    for name in volskew.__all__:
        assert getattr(volskew, name) is not None
    assert dir(volskew) == sorted(volskew.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'implied_skewness'"):
        volskew.implied_skewness  # noqa: B018


def test_an_input_error_says_where_and_what_would_do() -> None:
    error = InputError(
        "not a date", file="a.csv", row=7, column="expiry", value="soon", accepted="YYYY-MM-DD"
    )
    assert str(error) == "a.csv, row 7, column 'expiry': not a date: 'soon'. Accepted: YYYY-MM-DD."


@pytest.mark.parametrize("kind", [InputError, NotAChainError])
def test_errors_cross_a_process_border_whole(kind: type[InputError]) -> None:
    error = kind("odd", file="a.csv", row=3, column="c", value=1.5, accepted="2")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(back) is kind
    assert str(back) == str(error)
    assert (back.file, back.row, back.column, back.value, back.code) == ("a.csv", 3, "c", 1.5, error.code)


def test_all_errors_are_of_one_family() -> None:
    for kind in (InputError, NotAChainError, SettingsError, StoreError):
        assert issubclass(kind, VolskewError)


def test_settings_are_hashable_and_cross_a_process_border() -> None:
    settings = Settings(exercise_overrides=(("XYZ", "european"),), gates=Gates(min_quotes=5))
    assert hash(settings) == hash(pickle.loads(pickle.dumps(settings)))  # noqa: S301 - our own bytes


def test_each_choice_that_changes_a_number_changes_the_method_version() -> None:
    base = Settings()
    versions = {
        base.method_version,
        base.replace(rate=0.03).method_version,
        base.replace(three_month_days=90).method_version,
        base.replace(gates=Gates(min_quotes=9)).method_version,
        base.replace(exercise_overrides=(("SPX", "american"),)).method_version,
    }
    assert len(versions) == 5
    assert base.replace(rates_file="somewhere.csv").method_version == base.method_version


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": 4.0}, "4 % is 0.04"),
        ({"pricer": "tree"}, "pricer must be one of european"),
        ({"exercise_overrides": (("SPX", "asian"),)}, "american or european"),
    ],
)
def test_settings_that_no_stage_could_honour_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings().replace(**changes)


def test_ledger_rows_are_sorted_by_date_symbol_and_stage() -> None:
    ledger = Ledger()
    ledger.add(None, "IWM", Stage.TENOR, Code.NO_EXPIRY_AFTER)
    ledger.add(None, "IWM", Stage.INPUT, Code.EMPTY, source="b.csv")
    ledger.add(None, "", Stage.INPUT, Code.SKIPPED, source="a.md")
    frame = ledger.to_frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame["code"].tolist() == ["SKIPPED", "EMPTY", "NO_EXPIRY_AFTER"]
    assert ledger.has_failures


def test_an_empty_ledger_has_its_columns() -> None:
    frame = Ledger().to_frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame.empty


def test_every_ledger_code_explains_itself() -> None:
    for code in Code:
        assert len(code.meaning) > 10
    assert not Entry(None, "QQQ", Stage.QUOTES, "CROSSED").is_failure


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.csv"
    assert write_whole(target, "x\n").read_bytes() == b"x\n"
    blocked = tmp_path / "file"
    blocked.write_text("kept")
    with pytest.raises(StoreError, match="cannot be written"):
        write_whole(blocked / "a.csv", "y")
    assert blocked.read_text() == "kept"
    assert [path.name for path in target.parent.iterdir()] == ["a.csv"]
