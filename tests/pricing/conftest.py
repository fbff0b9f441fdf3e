"""Fixtures of the pricing tests: stored truth, and multiprecision to make more of it."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(__file__).parents[1] / "reference"


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def price_rows() -> list[dict[str, str]]:
    """Prices and sensitivities to 25 digits, as text; tests/reference/make_black.py regenerates them."""
    return _rows("black_prices.csv")


@pytest.fixture(scope="session")
def vol_rows() -> list[dict[str, str]]:
    """Vols of given doubles to 25 digits, as text; tests/reference/make_black_vols.py regenerates them."""
    return _rows("black_vols.csv")


def _script(name: str) -> Any:
    specification = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def exact() -> Any:
    """tests/reference/black_exact.py: Black's formula and its inverse in multiprecision."""
    return _script("black_exact")


@pytest.fixture(scope="session")
def maker() -> Any:
    """tests/reference/make_black_coefficients.py."""
    return _script("make_black_coefficients")
