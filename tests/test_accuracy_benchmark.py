"""The accuracy benchmark: its chains, how it counts, its peers' script, and what it says of targets."""

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

SCENARIOS = ("calm", "sparse")


@pytest.fixture(scope="module")
def parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module
    for name in [name for name in sys.modules if name.split(".")[0] in {"common", "accuracy"}]:
        del sys.modules[name]


def _rows(**changes: Any) -> pd.DataFrame:
    """Two days of two funds in two scenarios: the call 2 bp too high of QQQ, 1 bp too high of IWM."""
    rows = []
    for scenario in SCENARIOS:
        for symbol, miss in (("QQQ", 2e-4), ("IWM", 1e-4)):
            for day in (1, 2):
                for measure, truth in (("25c", 0.2), ("atm", 0.22), ("25p", 0.25), ("rr", 0.05)):
                    rows.append(
                        {
                            "scenario": scenario,
                            "symbol": symbol,
                            "seed": 1,
                            "day": day,
                            "date": f"2025-01-0{day + 1}",
                            "family": "mixture",
                            "measure": measure,
                            "value": truth + miss,
                            "truth": truth,
                            "error": 1e-4,
                            "flags": "",
                            "code": "",
                            "method": "volskew",
                            "seconds": 0.1,
                        }
                    )
    return pd.DataFrame(rows).assign(**changes)


def test_days_come_in_weeks_and_each_seed_has_its_own(parts: Any) -> None:
    chains = parts("accuracy.chains")
    assert chains.sessions(0, 7) == [1, 2, 3, 4, 5, 26, 27]
    assert chains.sessions(1, 3) == [6, 7, 8]
    weeks = [set(chains.sessions(seed, 20)) for seed in range(5)]
    assert len(set().union(*weeks)) == 100  # no session twice
    keys = chains.keys(["calm"], [1, 2], 6)
    assert len(keys) == len(set(keys)) == 24
    assert all(key.day > 0 for key in keys)  # day 0 has no session before it


def test_a_few_days_of_each_market_from_its_first_to_its_last(parts: Any) -> None:
    chains, peers = parts("accuracy.chains"), parts("accuracy.peers")
    keys = chains.keys(["calm", "dirty"], [1, 2], 10)
    few = peers.thinned(keys, 3)
    assert len(few) == 2 * 2 * 2 * 3
    of_one = [key.day for key in few if (key.scenario, key.symbol, key.seed) == ("calm", "QQQ", 2)]
    days = chains.sessions(2, 10)
    assert of_one == [days[0], days[4], days[9]]
    assert peers.thinned(keys, 100) == keys


@pytest.mark.slow
def test_a_kept_chain_is_the_simulated_one(parts: Any, tmp_path: Path) -> None:
    chains, ours = parts("accuracy.chains"), parts("accuracy.ours")
    key = chains.Key("calm", "IWM", 3, 7)
    made, again = chains.kept(key, tmp_path), chains.kept(key, tmp_path)
    assert len(list(tmp_path.rglob("*.pickle"))) == 1
    pd.testing.assert_frame_equal(made.quotes, again.quotes, check_exact=True)
    assert (made.vols, made.market, made.rate) == (again.vols, again.market, again.rate)
    around = ours.around(again)
    last, first = (np.datetime64(around[name]) for name in ("forward_before", "forward_after"))
    assert last < np.datetime64(again.date) + 91 <= first
    between = [date for date in again.forwards.index if last < np.datetime64(date) < first]
    assert not between
    rows = pd.DataFrame(ours.scored(again)).set_index("measure")
    assert set(rows.index) == {"25c", "atm", "25p", "rr", "forward_before", "forward_after"}
    assert rows.loc["rr", "truth"] == again.vols["25p"] - again.vols["25c"]
    # a calm market: a vol is within ten times the goal of its median error, a forward within a basis point
    assert ((rows["value"] - rows["truth"]).abs()[["25c", "atm", "25p"]] < 1e-3).all()
    assert (abs(rows["value"] / rows["truth"] - 1)[["forward_before", "forward_after"]] < 1e-4).all()


def test_a_spread_is_qqq_less_iwm_with_both_errors(parts: Any) -> None:
    tables = parts("accuracy.tables")
    rows = _rows()
    gone = (rows["symbol"] == "IWM") & (rows["day"] == 2) & (rows["measure"] == "25c")
    rows.loc[gone, ["value", "error"]] = math.nan
    rows.loc[gone, "code"] = "NO_EXPIRY_BEFORE"
    rows.loc[rows["symbol"] == "QQQ", "flags"] = "ROLL WIDE_BRACKET"
    spread = tables.with_spreads(rows).query("measure == 'spread_25c' and scenario == 'calm'")
    assert spread["symbol"].tolist() == ["QQQ-IWM"] * 2
    read, unread = spread.to_dict("records")
    assert read["value"] - read["truth"] == pytest.approx(1e-4)
    assert read["error"] == pytest.approx(math.sqrt(2) * 1e-4)
    assert read["flags"] == "ROLL WIDE_BRACKET"
    assert math.isnan(unread["value"])
    assert unread["code"] == "NO_EXPIRY_BEFORE"


def test_errors_are_counted(parts: Any) -> None:
    tables = parts("accuracy.tables")
    rows = pd.DataFrame(
        {
            "measure": "25c",
            "value": 0.2 + np.array([1.0, -1.0, 2.0, 5.0, 6.0, math.nan]) / 1e4,
            "truth": 0.2,
            "error": np.array([1.0, 1.0, 1.0, 1.0, 1.0, math.nan]) / 1e4,
            "flags": ["", "", "", "ROLL", "", ""],
            "seconds": 0.1,
        }
    )
    found = tables.summary(tables.basis_points(rows), ["measure"]).loc["25c"].iloc[0]
    assert (found["asked"], found["unread"], found["known"]) == (6, 1, 5)
    assert found["bias"] == pytest.approx(2.6)
    assert (found["median"], found["worst"]) == pytest.approx((2.0, 6.0))
    assert found["coverage"] == pytest.approx(2 / 5)
    assert found["beyond"] == pytest.approx(1 / 5)  # of the two beyond three errors one has a flag
    assert found["flagged"] == pytest.approx(1 / 5)


def test_a_forward_is_judged_in_basis_points_of_itself(parts: Any) -> None:
    tables = parts("accuracy.tables")
    rows = pd.DataFrame({"measure": ["forward_after"], "value": [500.05], "truth": [500.0], "error": [0.1]})
    found = tables.basis_points(rows).iloc[0]
    assert (found["miss"], found["stated"]) == pytest.approx((1.0, 2.0))


def test_verdicts_follow_the_numbers(parts: Any) -> None:
    tables, verdicts = parts("accuracy.tables"), parts("accuracy.verdicts")
    rows = tables.basis_points(tables.with_spreads(_rows()))
    table = tables.summary(rows, ["measure", "scenario", "symbol"])
    cells = {row[0]: row[1:] for row in verdicts.call(table)}
    assert list(cells) == [
        "calm, QQQ: at most 1, 4, 15",
        "calm, IWM: at most 1, 4, 15",
        "sparse, QQQ: at most 2, 8, 30",
        "sparse, IWM: at most 2, 8, 30",
    ]
    assert cells["calm, QQQ: at most 1, 4, 15"][:2] == ["100.0 %", "2.00: **missed** by a factor of 2.00"]
    assert cells["sparse, QQQ: at most 2, 8, 30"][2:] == ["2.00: met", "2.00: met"]
    spread = {row[0]: row[1:] for row in verdicts.spread(rows)}
    assert spread["calm"] == ["1.00 to 2.00: met"] * 3
    calm, dirty = verdicts.read(table)
    assert calm.endswith("100.0 %: met.")
    assert dirty.endswith("not measured.")
    (of_calm, *_) = verdicts.coverage(rows)
    assert of_calm[:2] == ["calm", "50.0 %: **too narrow**"]
    (of_calm, *_) = verdicts.beyond(rows)
    assert of_calm[1] == "0.0 %: met"


def test_a_spread_is_held_against_legs_of_the_same_days(parts: Any) -> None:
    tables, verdicts = parts("accuracy.tables"), parts("accuracy.verdicts")
    rows = _rows()
    rows.loc[(rows["symbol"] == "QQQ") & (rows["day"] == 2), "value"] += 0.01  # a bad leg ...
    rows.loc[(rows["symbol"] == "IWM") & (rows["day"] == 2), "value"] = math.nan  # ... without the other
    cells = {row[0]: row[1:] for row in verdicts.spread(tables.basis_points(tables.with_spreads(rows)))}
    assert cells["calm"] == ["1.00 to 2.00: met"] * 3
    none = rows.assign(value=math.nan)
    for row in verdicts.spread(tables.basis_points(tables.with_spreads(none))):
        assert row[1:] == ["not measured"] * 3


def _chain_file(folder: Path, *, vol: float, spot: float, rate: float, days: tuple[int, ...]) -> Path:
    """European prices of one vol, from spot and rate, quoted a hundred-thousandth wide."""
    today = np.datetime64("2025-01-03")
    tables = []
    for each in days:
        years, strikes = each / 365, np.arange(0.7 * spot, 1.3 * spot, 2.0)
        total = vol * math.sqrt(years)
        forward, discount = spot * math.exp(rate * years), math.exp(-rate * years)
        d1 = np.log(forward / strikes) / total + total / 2
        call = discount * (forward * ndtr(d1) - strikes * ndtr(d1 - total))
        for right, price in (("C", call), ("P", call - discount * (forward - strikes))):
            tables.append(
                pd.DataFrame(
                    {
                        "expiry": str(today + each),
                        "strike": strikes,
                        "option_type": right,
                        "bid": (price - 5e-6).clip(min=0),
                        "ask": price + 5e-6,
                    }
                )
            )
    file = folder / "chain.csv"
    pd.concat(tables).to_csv(file, index=False)
    return file


@pytest.mark.parametrize("engine", ["script-nearest", "script-interpolated"])
def test_a_script_finds_the_vol_of_a_flat_smile(parts: Any, tmp_path: Path, engine: str) -> None:
    peer = parts("accuracy.peer")
    file = _chain_file(tmp_path, vol=0.2, spot=500.0, rate=0.04, days=(84, 105))
    found = peer._Peer(engine).read(str(file), "2025-01-03", 500.0, 0.04, 91)
    assert found["failure"] == ""
    values = found["values"]
    # mids are within 1e-8 of the prices (16 digits in the file) and vegas are above 50 $ per 1.00
    assert [values[name] for name in ("25c", "atm", "25p")] == pytest.approx([0.2] * 3, abs=1e-8)
    assert values["forward_before"] == pytest.approx(500.0 * math.exp(0.04 * 84 / 365))
    assert ("forward_after" in values) == (engine == "script-interpolated")
    json.dumps(found)  # it is an answer on a pipe


def test_a_script_without_an_expiry_on_one_side_says_so(parts: Any, tmp_path: Path) -> None:
    peer = parts("accuracy.peer")
    file = _chain_file(tmp_path, vol=0.2, spot=500.0, rate=0.04, days=(63, 84))
    found = peer._Peer("script-interpolated").read(str(file), "2025-01-03", 500.0, 0.04, 91)
    assert found["values"] == {}
    assert found["failure"].startswith("LookupError")


def test_a_strike_at_a_delta_is_found_for_a_peer_that_has_none(parts: Any) -> None:
    peer = parts("accuracy.peer")

    def smile(strike: float) -> float:
        return 0.2 - 0.1 * math.log(strike / 500.0)

    years = 91 / 365
    for delta in (0.25, 0.5, 0.75):
        vol = peer._at_delta(smile, 500.0, years, delta)
        strike = 500.0 * math.exp((0.2 - vol) / 0.1)
        d1 = math.log(500.0 / strike) / (vol * math.sqrt(years)) + vol * math.sqrt(years) / 2
        assert float(ndtr(d1)) == pytest.approx(delta, abs=1e-9)  # the strike is bisected to rounding


def test_a_grid_is_counted_by_tenor(parts: Any) -> None:
    grid = parts("accuracy.grid")
    rows = pd.DataFrame(
        {
            "tenor": ["1w"] * 3 + ["3m"] * 3,
            "delta": [0.05, 0.25, 0.5] * 2,
            "vol": [math.nan, 0.2003, 0.2001, 0.21, 0.2001, 0.2],
            "truth": 0.2,
            "error": [math.nan, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4],
        }
    )
    found = grid.by_tenor(rows)
    assert found.index.tolist() == ["1w", "3m"]
    assert found.loc["1w", "read_all"] == pytest.approx(2 / 3)
    assert found.loc["1w", "read_middle"] == 1.0
    assert found.loc["1w", "coverage_all"] == pytest.approx(1 / 2)
    assert found.loc["3m", "median_all"] == pytest.approx(1.0)
    assert found.loc["3m", "coverage_middle"] == 1.0


def _sample(parts: Any) -> dict[str, Any]:
    """Ten days of QQQ off by 0 or 2 bp and nine of IWM by 0 or 1, stated as 3, maturity's but for a fifth."""
    rows = [
        {
            "date": f"2026-01-{day:02d}",
            "symbol": symbol,
            "measure": "25c",
            "miss": size * (day % 2),
            "error": 3.0,
            "maturity": math.sqrt(0.8),
            "miss_on_its_clock": 1.0 if day % 2 else -1.0,
        }
        for symbol, size in (("QQQ", 2.0), ("IWM", 1.0))
        for day in range(1, 11)
        if (symbol, day) != ("IWM", 10)
    ]
    table = parts("accuracy.sample_market").summary(pd.DataFrame(rows))
    return {"weekend": 0.12, "table": table}


def test_what_errors_could_be_divided_by(parts: Any) -> None:
    leg, _, spread = _sample(parts)["table"]
    assert (leg["symbol"], leg["readings"], leg["bias"], leg["worst"]) == ("QQQ", 10, 1.0, 2.0)
    assert (leg["bias_on_its_clock"], leg["median_on_its_clock"]) == (0.0, 1.0)
    assert leg["coverage"] == 1.0
    assert leg["maturity"] == pytest.approx(0.8)
    # half of the readings are off by 2/3 of an error, so that more than 90 % are at most: 1.645 over that
    assert leg["factor"] == pytest.approx(1.645 * 3 / 2)
    # the legs err alike, which errors in quadrature know nothing of; the day without IWM has none
    assert (spread["symbol"], spread["readings"], spread["worst"]) == ("QQQ-IWM", 9, 1.0)
    assert spread["stated"] == pytest.approx(3 * math.sqrt(2))
    assert spread["maturity"] is None


@pytest.mark.slow
def test_the_sample_market_is_read_beside_its_truth(parts: Any) -> None:
    found = parts("accuracy.sample_market").measured(pattern="*_2026-07-10_simulated.csv.gz")
    assert found["weekend"] == 0.12
    names = [(row["symbol"], row["measure"]) for row in found["table"]]
    legs = [(symbol, name) for symbol in ("IWM", "QQQ") for name in ("25c", "atm", "25p", "rr")]
    assert names == [*legs, ("QQQ-IWM", "spread_25c")]
    for row in found["table"]:
        assert row["readings"] == 1
        assert row["worst"] < 10  # vol basis points; wrong rates or dividends would be off by more
        assert 0 < row["stated"] < 10


def _findings(parts: Any) -> Any:
    tables, findings = parts("accuracy.tables"), parts("accuracy.findings")
    peers = [
        _rows(method=name, error=math.nan, value=0.21 if name == "oipd" else math.nan, code=code)
        for name, code in (("script-nearest", ""), ("script-interpolated", "LookupError"), ("oipd", ""))
    ]
    rows = tables.with_spreads(pd.concat([_rows(flags="ROLL"), *peers], ignore_index=True))
    return findings.Findings(
        "python3 benchmarks/accuracy.py",
        "a machine",
        seeds=[1],
        days={"volskew": 2, "oipd": 2, "script-interpolated": 2},
        spent={"ours": 2.0},
        versions={"oipd": {"oipd": "2.0.4"}},
        sample=_sample(parts),
        real={"skipped": "no real market data"},
        readings=rows,
    )


def test_a_page_can_be_written_again_from_its_numbers(parts: Any, tmp_path: Path) -> None:
    report, findings = parts("accuracy.report"), parts("accuracy.findings")
    made = _findings(parts)
    made.save(tmp_path)
    again = findings.Findings.load(tmp_path)
    pd.testing.assert_frame_equal(made.readings, again.readings, check_dtype=False, check_exact=True)
    text = report.whole(made, "accuracy.png")
    assert text == report.whole(again, "accuracy.png")
    for said in (
        "![Errors by scenario](accuracy.png)",
        "| calm, QQQ: at most 1, 4, 15 | 100.0 % | 2.00: **missed** by a factor of 2.00 |",
        "| ROLL | calm | IWM | 25c 2, atm 2, 25p 2, rr 2 |",
        "script-interpolated: 24 of 24 vols: LookupError 24.",
        "oipd: all 24 vols read.",
        "| QQQ | 25c | 10 | +1.00 | 1.00 | 2.00 | 2.00 | 3.00 | 100.0 % | 2.5 | 80 % | +0.00 | 1.00 |",
        "Skipped: no real market data.",
    ):
        assert said in text, said
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 110


def test_a_figure_is_drawn_the_same_from_the_same_rows(parts: Any, tmp_path: Path) -> None:
    figure, rows = parts("accuracy.figure"), _findings(parts).readings
    for name in ("one.png", "other.png"):
        figure.drawn(rows, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


def test_absent_real_data_are_said_to_be(parts: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = parts("accuracy.real")
    monkeypatch.delenv(real.VARIABLE, raising=False)
    assert real.folder() is None
    monkeypatch.setenv(real.VARIABLE, str(tmp_path / "nowhere"))
    assert real.folder() is None
    monkeypatch.setenv(real.VARIABLE, str(tmp_path))
    assert real.folder() == tmp_path


@pytest.mark.slow
def test_a_risk_reversal_of_real_chains_has_the_joint_error_of_its_legs(parts: Any, tmp_path: Path) -> None:
    (tmp_path / "generic").mkdir()
    for symbol in ("QQQ", "IWM"):
        chain = BENCHMARKS.parent / "chains" / "quotes" / f"{symbol}_2026-07-10_simulated.csv.gz"
        (tmp_path / "generic" / f"{symbol}_2026-07-10.csv.gz").write_bytes(chain.read_bytes())
    rows = {(row["symbol"], row["measure"]): row for row in parts("accuracy.real")._readings(tmp_path)}
    for symbol in ("QQQ", "IWM"):
        call, put, reversal = (rows[symbol, name] for name in ("25c", "25p", "rr"))
        assert reversal["value"] == pytest.approx(put["value"] - call["value"], abs=1e-12)
        # what lies between the expiries is most of both errors, and moves both legs alike
        assert 0 < reversal["error"] < 0.8 * math.hypot(call["error"], put["error"])
    one, other, spread = rows["QQQ", "25c"], rows["IWM", "25c"], rows["QQQ-IWM", "spread_25c"]
    assert spread["value"] == pytest.approx(one["value"] - other["value"], abs=1e-12)
    assert spread["error"] == pytest.approx(math.hypot(one["error"], other["error"]))


def test_help_needs_nothing_installed() -> None:
    command = [sys.executable, "-S", str(BENCHMARKS / "accuracy.py"), "--help"]  # -S: no packages
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ours, peers, grid, sample, real" in done.stdout


@pytest.mark.slow
def test_a_small_run_reaches_its_end(tmp_path: Path) -> None:
    command = [
        sys.executable, str(BENCHMARKS / "accuracy.py"), "--only", "ours", "--scenarios", "calm",
        "--seeds", "1", "--days", "1", "--jobs", "1", "--raw", str(tmp_path / "raw"),
        "--chains", str(tmp_path / "chains"), "--out", str(tmp_path / "page.md"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "## Targets" in done.stdout
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == done.stdout
    assert (tmp_path / "page.png").exists()
    again = subprocess.run([*command, "--rebuild"], capture_output=True, text=True, check=False)
    assert again.stdout == done.stdout
