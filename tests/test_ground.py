"""Errors, settings, ledger, files and the lazy table of public names."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import volskew
from volskew.errors import InputError, NotAChainError, SettingsError, StoreError, VolskewError
from volskew.files import write_whole
from volskew.ledger import COLUMNS, Code, Entry, Ledger, Stage
from volskew.settings import Bracket, Gates, Settings


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
    assert base.replace(dividends_files=("somewhere.csv",)).method_version == base.method_version


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": 4.0}, "4 % is 0.04"),
        ({"pricer": "tree"}, "pricer must be one of auto, european"),
        ({"exercise_overrides": (("SPX", "asian"),)}, "american or european"),
        ({"rate": "0.04"}, r"rate must be a number from -0\.05 to 0\.3, .*; got '0\.04'"),
        ({"rate": True}, "got True"),
        ({"assumed_rate": 4.0}, r"assumed_rate must be .*4 % is 0\.04\); got 4\.0"),
        ({"assumed_rate": None}, "assumed_rate must be a number .* got None"),
        ({"curve_max_age_days": -1}, "curve_max_age_days must be a whole number from 0 .* got -1"),
        ({"three_month_days": 0}, "three_month_days must be a whole number from 80 to 100, .* got 0"),
        ({"three_month_days": -91}, "got -91"),
        ({"three_month_days": 91.5}, r"got 91\.5"),
        ({"stale_seconds": -1}, "stale_seconds must be a number from 0 .*, seconds; got -1"),
        ({"stale_seconds": float("inf")}, "got inf"),
        ({"stale_underlying_move": 50}, "stale_underlying_move .* got 50"),
        ({"min_mid": -1}, "min_mid .* dollars; got -1"),
        ({"min_mid": 10**400}, "min_mid must be a number"),
        ({"max_vol_spread": float("nan")}, "max_vol_spread .* got nan"),
        ({"max_vol_spread": 3}, r"3 vol points are 0\.03\); got 3"),
        ({"max_vol_spread_relative": -0.1}, r"max_vol_spread_relative .* got -0\.1"),
        ({"crossed_share": 5}, r"crossed_share .* share \(5 % is 0\.05\); got 5"),
        ({"gates": None}, r"gates must be a Gates\(\.\.\.\), got None"),
        ({"gates": {"min_quotes": 5}}, r"gates must be a Gates"),
        ({"bracket": None}, r"bracket must be a Bracket\(\.\.\.\), got None"),
        ({"exercise_overrides": None}, "exercise_overrides must be pairs .* got None"),
        ({"exercise_overrides": "SPX"}, "exercise_overrides must be pairs .* got 'SPX'"),
        ({"exercise_overrides": ("SPX",)}, "got 'SPX' among them"),
        ({"exercise_overrides": ((1, "american"),)}, "among them"),
        ({"exercise_overrides": (("SPX", []),)}, r"american or european, got \[\]"),
        ({"dividends_files": 3}, "dividends_files must be paths or SYMBOL=PATH texts, got 3"),
        ({"dividends_files": None}, "dividends_files must be .* got None"),
        ({"dividends_files": ("a.csv", 3)}, "SYMBOL=PATH texts, got 3 among them"),
        ({"dividends_files": ("",)}, "got '' among them"),
        ({"dividends_files": {"QQQ": "a.csv"}}, "SYMBOL=PATH texts, got {'QQQ'"),
        ({"rates_file": ""}, "rates_file must be the path of a curve file, or None, got ''"),
        ({"rates_file": 3}, "rates_file must be the path of a curve file, or None, got 3"),
    ],
)
def test_settings_that_no_stage_could_honour_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings().replace(**changes)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (Gates, "min_quotes", 0),
        (Gates, "min_quotes", 7.5),
        (Gates, "min_wing_quotes", "3"),
        (Gates, "wing_below", -0.1),
        (Gates, "wing_above", 15),
        (Gates, "max_delta_gap", 10),
        (Gates, "max_forward_error_bp", float("nan")),
        (Bracket, "lowest", 50),
        (Bracket, "highest", 0.5),
        (Bracket, "widest", None),
    ],
)
def test_gates_and_brackets_refuse_slips(kind: type[Gates | Bracket], field: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        kind(**{field: value})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"{kind.__name__}.{field} must be a ")
    assert str(caught.value).endswith(f"got {value!r}")


def test_equal_settings_have_one_method_version_however_they_are_spelled() -> None:
    spellings = (
        (Settings(rate=0.0), (Settings(rate=0), Settings(rate=-0.0), Settings(rate=np.int64(0)))),  # type: ignore[arg-type]
        (Settings(), (Settings(assumed_rate=np.float64(0.04)), Settings(three_month_days=91.0))),  # type: ignore[arg-type]
        (Settings(stale_seconds=30.0), (Settings(stale_seconds=30), Settings(stale_seconds=Fraction(30)))),  # type: ignore[arg-type]
        (
            Settings(gates=Gates(min_quotes=5, wing_below=0.0), bracket=Bracket(highest=2.0)),
            (
                Settings(
                    gates=Gates(min_quotes=np.int32(5), wing_below=0),  # type: ignore[arg-type]
                    bracket=Bracket(highest=2),
                ),
            ),
        ),
        (
            Settings(exercise_overrides=(("SPX", "american"),)),
            (
                Settings(exercise_overrides={"SPX": "american"}),  # type: ignore[arg-type]
                Settings(exercise_overrides=[["SPX", "american"]]),  # type: ignore[arg-type]
            ),
        ),
        (Settings(rates_file="a.csv"), (Settings(rates_file=Path("a.csv")),)),  # type: ignore[arg-type]
        (
            Settings(dividends_files=("a.csv",)),
            (
                Settings(dividends_files="a.csv"),  # type: ignore[arg-type]
                Settings(dividends_files=Path("a.csv")),  # type: ignore[arg-type]
                Settings(dividends_files=[Path("a.csv")]),  # type: ignore[arg-type]
            ),
        ),
    )
    for plain, others in spellings:
        for other in others:
            assert other == plain
            assert hash(other) == hash(plain)
            assert other.method_version == plain.method_version
            assert repr(other) == repr(plain)


def test_every_number_among_the_settings_has_a_range() -> None:
    """A field that is added without one would be accepted whatever it holds."""
    settings = Settings(rate=0.04)
    for chosen in (settings, settings.gates, settings.bracket):
        for field in fields(chosen):
            if type(getattr(chosen, field.name)) in {int, float}:
                with pytest.raises(SettingsError, match=rf"{field.name} must be .* got 'x'"):
                    replace(chosen, **{field.name: "x"})  # type: ignore[arg-type]


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
