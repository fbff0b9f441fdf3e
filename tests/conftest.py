"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

collect_ignore_glob = ["reference/*"]  # scripts that regenerate stored truth; no tests in them

_PLACES = (Path(__file__).parents[2] / "shared" / "real",)


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder of real market data, kept beside the project and never in it."""
    named = os.environ.get("VOLSKEW_REAL_DATA")
    for place in (Path(named),) if named else _PLACES:
        if place.is_dir():
            return place
    pytest.skip("no real market data: set VOLSKEW_REAL_DATA to its folder")
