"""Small simulated markets, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from volskew.simulate import Market, simulate_market


@pytest.fixture(scope="session")
def market() -> Market:
    return simulate_market(sessions=75, history_years=1)


@pytest.fixture(scope="session")
def demo() -> Market:
    """The market of the committed sample; its chains are made when asked for."""
    return simulate_market()


@pytest.fixture(scope="session")
def committed() -> Path:
    return Path(__file__).parents[2] / "chains"
