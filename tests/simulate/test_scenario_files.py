"""The files of a scenario: what a scorer without Python needs, and what the tool's own commands take."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from volskew.cli import cli
from volskew.errors import SettingsError
from volskew.market.dividends import read_dividends
from volskew.market.rates import choose_curve
from volskew.settings import Settings
from volskew.simulate import scenario_chain, write_scenario


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenario")
    seen: list[tuple[int, int]] = []
    files = write_scenario("high_rates", root, seed=3, days=2, progress=lambda *done: seen.append(done))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {path.name for path in files} == {path.name for path in root.rglob("*") if path.is_file()}
    return root


def test_names_say_that_it_is_simulated(folder: Path) -> None:
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "README.md",
        "simulated_truth.csv",
        "simulated_expiry_truth.csv",
        "simulated_dividends.csv",
        "simulated_rates.csv",
        "simulated_defects.csv",
        "simulated_metadata.json",
        *(
            f"quotes/{symbol}_{date}_simulated.csv.gz"
            for symbol in ("QQQ", "IWM")
            for date in ("2025-01-02", "2025-01-03")
        ),
    }
    assert "Everything in this folder is simulated" in (folder / "README.md").read_text()
    facts = json.loads((folder / "simulated_metadata.json").read_text())
    assert facts["simulated"] is True
    assert facts["scenario"]["rate"] == 0.07


def test_truth_is_that_of_the_chains(folder: Path) -> None:
    table = pd.read_csv(folder / "simulated_truth.csv")
    assert len(table) == 2 * 2 * 4 * 5
    assert table["vol"].notna().all()
    chain = scenario_chain("high_rates", symbol="IWM", seed=3, day=1)
    line = table[
        (table["symbol"] == "IWM")
        & (table["date"] == "2025-01-03")
        & (table["tenor"] == "3m")
        & (table["delta"] == 0.25)
    ].iloc[0]
    assert line["vol"] == pytest.approx(float(chain.truth.vol("3m", 0.25)), abs=6e-11)
    assert line["forward"] == pytest.approx(float(chain.truth.forward("3m")), abs=6e-9)
    assert (line["rate"], line["spot"], line["family"]) == (chain.truth.rate, chain.truth.spot, chain.family)
    expiries = pd.read_csv(folder / "simulated_expiry_truth.csv")
    assert set(expiries["symbol"]) == {"QQQ", "IWM"}
    defects = pd.read_csv(folder / "simulated_defects.csv")
    assert set(defects["date"]) == {"2025-01-02", "2025-01-03"}


def test_rates_and_dividends_are_read_as_the_market_has_them(folder: Path) -> None:
    settings = Settings(rates_file=str(folder / "simulated_rates.csv"))
    dividends = read_dividends(folder / "simulated_dividends.csv")
    for day in (0, 1):
        for symbol in ("QQQ", "IWM"):
            chain = scenario_chain("high_rates", symbol=symbol, seed=3, day=day)
            curve = choose_curve(chain.date, settings=settings)
            # yields are written with ten decimals of a percent
            assert curve.rate(np.array([0.02, 0.25, 0.6])) == pytest.approx(chain.truth.rate, abs=1e-11)
            until = chain.truth.expiry_dates[-1]
            known = chain.market.dividends_of(symbol)
            assert known is not None
            assert dividends.schedule(symbol, chain.date, until) == tuple(
                item for item in known if item.ex_date <= until
            )


@pytest.mark.slow
def test_the_command_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    arguments = ["demo", "--scenario", "high_rates", "--seed", "3", "--days", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "11 files of a simulated market" in result.output
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


def test_what_makes_no_files_is_refused(tmp_path: Path) -> None:
    for days in (0, -1, 1.5, True):
        with pytest.raises(SettingsError, match="days must be a whole number"):
            write_scenario("calm", tmp_path, seed=0, days=days)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="scenario must be one of"):
        write_scenario("storm", tmp_path, seed=0, days=1)
    result = CliRunner().invoke(cli, ["demo", "--days", "3", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "--days needs --scenario" in result.output
    assert not list(tmp_path.iterdir())
