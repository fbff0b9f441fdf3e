"""The sample in chains/: small, named, and what the code makes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.simulate import simulate_market, write_market


def files_of(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def test_the_sample_is_small_and_says_what_it_is(committed: Path) -> None:
    files = files_of(committed)
    assert sum(path.stat().st_size for path in files.values()) < 8_000_000
    chains = [name for name in files if name.startswith("quotes")]
    assert len(chains) == 500
    assert all("simulated" in name for name in files if name != "README.md")
    readme = files["README.md"].read_text()
    assert "Everything in this folder is simulated" in readme
    defects = pd.read_csv(files["simulated_defects.csv"], keep_default_na=False)
    whole = defects[defects["contract"] == ""]
    assert sorted(whole["defect"]) == ["missing_file", "repeated_file", "thin_file"]
    assert all(date in readme for date in whole["date"])
    facts = json.loads(files["simulated_metadata.json"].read_text())
    assert facts["rate_continuous"] == 0.04
    assert facts["exercise"] == "american"
    dividends = pd.read_csv(files["simulated_dividends.csv"])
    assert set(dividends["symbol"]) == {"QQQ", "IWM"}
    # the years before the chains have a truth too, and the first session looks back one year
    assert (dividends.groupby("symbol")["ex_date"].min() < "2014-04").all()
    assert (dividends["declaration_date"] <= facts["last_session"]).all()


def test_the_pair_ends_low_but_not_at_its_record(committed: Path) -> None:
    truth = pd.read_csv(committed / "simulated_truth.csv")
    vols = truth.pivot_table(index="date", columns="symbol", values="vol_25c")
    ratio = np.log(vols["QQQ"].to_numpy() / vols["IWM"].to_numpy())
    for window in (len(ratio), 1260):
        part = ratio[-window:]
        assert 3.0 < 100.0 * np.mean(part < part[-1]) < 5.0
    assert ratio[-1] > ratio.min() + 0.05


def test_the_dictionary_names_every_file_and_column(committed: Path) -> None:
    readme = (committed / "README.md").read_text()
    assert "the planted ones are all there are" in readme
    for path in committed.glob("*.*"):
        assert path.name == "README.md" or f"`{path.name}`" in readme
        if path.suffix == ".csv":
            assert all(f"`{column}`" in readme for column in pd.read_csv(path, nrows=0).columns), path.name


@pytest.mark.slow
def test_the_code_makes_the_sample(committed: Path, tmp_path: Path) -> None:
    write_market(simulate_market(), tmp_path)
    made, kept = files_of(tmp_path), files_of(committed)
    assert sorted(made) == sorted(kept)
    for name, path in made.items():
        # contents, not compressed bytes: those also depend on the zlib that Python was built with
        new, old = (
            gzip.decompress(p.read_bytes()) if name.endswith(".gz") else p.read_bytes()
            for p in (path, kept[name])
        )
        assert new == old, name
