"""The American benchmark's own parts: its options, how it counts, and what it says of its targets."""

import datetime as dt
import importlib
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from volskew.pricing import american

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module
    for name in [name for name in sys.modules if name.split(".")[0] in {"common", "american"}]:
        del sys.modules[name]


def _run(parts: Any, name: str, *, vol: float = math.nan, errors: Any = None) -> Any:
    engines, measure = parts("american.engines"), parts("american.measure")
    known = {engine.name: engine for engine in (*engines.CONTINUOUS, *engines.DISCRETE)}
    run = measure.Run(known[name], 1, name, errors=errors)
    if math.isfinite(vol):
        run.times["vol"] = [1e3 * vol, 2e3 * vol]
    return run


def test_the_options_are_those_that_were_asked_for(parts: Any) -> None:
    sets = parts("american.sets")
    options = sets.continuous(sets.EXPIRIES)
    total = options.vol * np.sqrt(options.years)
    delta = ndtr(np.log(options.forward / options.strike) / total + total / 2)
    assert sets.fewest_strikes(options) >= sets.LEAST_STRIKES
    assert set(options.days) == set(sets.EXPIRIES)
    assert (options.vol >= 0.12).all()
    assert (options.vol <= 0.45).all()
    # the bounds are on the smile; a quote's own vol is up to 1 % off it: less than 0.01 of delta
    assert (delta >= 0.03 - 0.01).all()
    assert (delta <= 0.97 + 0.01).all()
    again = sets.continuous(sets.EXPIRIES)
    assert all(np.array_equal(one, other, equal_nan=True) for one, other in zip(options, again, strict=True))


def test_a_slice_is_one_expiry_of_one_fund_with_both_rights(parts: Any) -> None:
    sets = parts("american.sets")
    options = sets.discrete(sets.DISCRETE_EXPIRIES)
    rows = options.slices()
    assert np.array_equal(np.sort(np.concatenate(rows)), np.arange(options.price.size))
    for here in rows:
        assert len(set(zip(options.spot[here], options.days[here], strict=True))) == 1
        assert set(options.is_call[here].tolist()) == {True, False}
    assert len(rows) == len(sets.FUNDS) * len(sets.DISCRETE_EXPIRIES)


def test_the_true_forward_loses_what_the_cash_is_worth_then(parts: Any) -> None:
    sets = parts("american.sets")
    row = sets.market(sets.FUNDS[0], 365, (24, 115, 206, 297))
    # 600 exp(0.043) less each 0.75 with interest from its ex-date, by hand
    paid = sum(0.75 * math.exp(0.043 * (365 - day) / 365) for day in (24, 115, 206, 297))
    assert row.forward[0] == pytest.approx(600 * math.exp(0.043) - paid, rel=1e-14)  # a few ulps
    assert row.dividends(0) == [(24.0, 0.75), (115.0, 0.75), (206.0, 0.75), (297.0, 0.75)]
    plain = sets.market(sets.FUNDS[0], 365, None)
    assert plain.forward[0] == pytest.approx(600 * math.exp(0.038), rel=1e-14)


def test_options_survive_their_files_and_their_joining(parts: Any, tmp_path: Path) -> None:
    sets, options = parts("american.sets"), parts("american.options")
    both = sets.joined([sets.market(sets.FUNDS[0], 91, None), sets.market(sets.FUNDS[1], 91, (5, 45))])
    options.save(tmp_path, "both", both)
    back = options.load(tmp_path, "both")
    assert all(np.array_equal(one, other, equal_nan=True) for one, other in zip(both, back, strict=True))
    assert back.dividends(0) == []
    assert back.dividends(1) == [(5.0, 0.65), (45.0, 0.65)]


def test_a_quote_informs_by_extrinsic_value_and_vega(parts: Any) -> None:
    sets = parts("american.sets")
    row = sets.filled(sets.market(sets.FUNDS[0], 91, None), np.full(4, 650.0), np.full(4, 0.2), is_call=False)
    row = row._replace(price=np.array([50.0, 50.009, 50.011, 50.011]))
    assert sets.informative(row, np.array([1.0, 1.0, 1.0, 0.19])).tolist() == [False, False, True, False]


def test_errors_leave_failures_out_and_count_them(parts: Any) -> None:
    measure, raised = parts("american.measure"), parts("common.serving").RAISED
    answers = np.array([0.2, 0.2001, math.nan, -1.0, raised, 0.0, 0.19])
    found = measure.errors(answers, np.full(7, 0.2), np.array([1.0, 100.0, 1, 1, 1, 1, 0.5]))
    assert (found.rows, found.failures) == (7, 4)
    assert found.largest == pytest.approx(0.01)
    assert found.dollars == pytest.approx(0.01)  # 1e-4 at vega 100 beats 0.01 at 0.5
    assert found.median == pytest.approx(1e-4)
    nothing = measure.errors(np.full(2, math.nan), np.full(2, 0.2), np.ones(2))
    assert nothing.failures == 2
    assert math.isnan(nothing.median)


def test_a_time_is_that_of_the_quickest_round_and_none_after_a_failure(parts: Any) -> None:
    run = _run(parts, "QdPlus-brentq", vol=200.0)
    assert run.microseconds("vol") == pytest.approx(200.0)
    assert math.isnan(run.microseconds("price"))
    run.failure = "its process ended"
    assert math.isnan(run.microseconds("vol"))


def test_the_solvers_of_the_peers_find_a_root(parts: Any) -> None:
    quantlib = parts("american.quantlib")

    def npv(vol: float) -> float:
        return 3 * vol + vol * vol

    assert quantlib.bracketed(npv, npv(0.3)) == pytest.approx(0.3, abs=1e-7)  # asked for 1e-8 in vol
    assert quantlib.secant(npv, npv(0.3), 0.35, 3.0) == pytest.approx(0.3, abs=1e-7)
    assert math.isnan(quantlib.secant(npv, npv(0.3), 0.35, 1e-3))  # a first step out of all bounds
    assert math.isnan(quantlib.secant(lambda _vol: 1.0, 0.9, 0.35, 3.0))  # flat: no slope to follow


def test_every_engine_can_be_called(parts: Any) -> None:
    engines, peer = parts("american.engines"), parts("american.peer")
    wanted = (*engines.CONTINUOUS, *engines.DISCRETE, engines.BINDING, *engines.TRUTH)
    assert {engine.name for engine in wanted} == set(peer.ENGINES)
    names = {engine.name for engine in engines.CONTINUOUS}
    assert set(engines.SPEED) <= names
    assert set(engines.OURS) <= names


def test_our_vols_go_through_the_peer_as_they_are(parts: Any) -> None:
    sets, peer = parts("american.sets"), parts("american.peer")
    options = sets.continuous((91,), least=8)
    made = peer.ENGINES["volskew-fast"](options, "price")()
    kept = np.flatnonzero(made - options.intrinsic >= 0.01)  # the others are due for exercise
    options = options.take(kept)._replace(price=made[kept])
    assert kept.size > 12
    found = peer.ENGINES["volskew-fast"](options, "vol")()
    # solver and pricer of one accuracy: what is left is the stopping rule, at the vegas of 3 to 97 delta
    np.testing.assert_allclose(found, options.vol, atol=1e-6)
    # with no dividends the matched yield is the one that was given
    same = peer.ENGINES["volskew-continuous-yield"](options, "vol")()
    exact = american.implied_vol(
        options.price,
        spot=options.spot,
        strike=options.strike,
        time_to_expiry=options.years,
        rate=options.rate,
        dividend_yield=options.dividend_yield,
        is_call=options.is_call,
    ).vol
    np.testing.assert_allclose(same, exact, atol=1e-9)  # the yield differs in its last digits


def test_discrete_vols_are_asked_for_expiry_by_expiry(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sets, peer = parts("american.sets"), parts("american.peer")
    options = sets.discrete((30, 91), least=8)
    options = options._replace(price=np.arange(options.price.size, dtype=float))
    asked = []

    def implied_vol(price: Any, **given: Any) -> SimpleNamespace:
        asked.append(given)
        return SimpleNamespace(vol=price + 1000 * given["time_to_expiry"] + given["spot"])

    fake = SimpleNamespace(implied_vol=implied_vol)
    real = importlib.import_module
    monkeypatch.setattr(
        peer.importlib, "import_module", lambda name: fake if name.endswith("discrete") else real(name)
    )
    found = peer.ENGINES["volskew-discrete-high"](options, "vol")()
    # every row has the answer to its own price, expiry and spot
    np.testing.assert_array_equal(found, options.price + 1000 * options.years + options.spot)
    assert [given["dividends"] for given in asked] == [
        ((24 / 365, 0.75),),
        ((24 / 365, 0.75),),
        ((20 / 365, 0.65),),
        ((20 / 365, 0.65),),
    ]
    assert {given["accuracy"] for given in asked} == {"high"}
    assert {given["dividend_yield"] for given in asked} == {0.0}


def test_quotes_bracket_a_mid_that_is_off_by_no_more_than_the_half_spread(parts: Any) -> None:
    forwards = parts("american.forwards")
    price = np.linspace(0.05, 60.0, 5000)
    bid, ask = forwards.quoted(price, np.random.default_rng(1).uniform(-1.0, 1.0, price.size))
    half = 0.02 + 0.004 * price
    assert (bid >= 0).all()
    assert (ask > bid).all()
    for side in (bid, ask):
        np.testing.assert_allclose(side, np.rint(100 * side) / 100, atol=1e-9)  # whole cents
    # rounding outwards adds up to a cent on either side
    assert (bid <= price + 1e-9).all()
    assert (ask >= price - 1e-9).all()
    assert (ask - bid <= 2 * half + 0.02 + 1e-9).all()
    assert abs(np.mean(bid + ask - 2 * price)) < 0.02  # on neither side: 5,000 draws of up to 0.26


def test_a_bias_is_that_of_pairs_and_the_deviation_that_of_draws(parts: Any) -> None:
    # opposite noise of 1 and of 3 around 0.5 and 0.7; a pair that lacks one is no pair
    misses = np.array([[1.5, -0.5], [3.7, -2.3], [9.0, math.nan]])
    found = parts("american.forwards")._bias(misses, "QQQ-like", "yield", 91, "fit_surface")
    assert found.bias == pytest.approx(0.6)
    assert found.bias_error == pytest.approx(0.1)  # 0.2/sqrt(2) between two means, over sqrt(2)
    assert (found.draws, found.missing) == (6, 1)
    assert found.deviation == pytest.approx(np.std([1.5, -0.5, 3.7, -2.3, 9.0], ddof=1))


def test_the_dividends_file_holds_those_that_the_chain_was_priced_with(parts: Any) -> None:
    sets, forwards = parts("american.sets"), parts("american.forwards")
    header, *lines = forwards.dividends_file(sets.FUNDS[0]).splitlines()
    assert header == "symbol,ex_date,amount,declaration_date"
    rows = [line.split(",") for line in lines]
    last = max(forwards.EXPIRIES)
    days = [(dt.date.fromisoformat(ex_date) - forwards.SESSION).days for _, ex_date, _, _ in rows]
    assert [day for day in days if 0 < day < last] == list(range(24, last, 91))
    assert min(days) < -365  # a year before, for projections
    assert all(dt.date.fromisoformat(declared) <= forwards.SESSION for *_, declared in rows)
    assert {(symbol, amount) for symbol, _, amount, _ in rows} == {("QQQ", "0.75")}


def test_naive_parity_of_european_prices_is_the_forward(parts: Any) -> None:
    sets, forwards = parts("american.sets"), parts("american.forwards")
    row = sets.market(sets.FUNDS[1], 91, None)
    strike = np.arange(200.0, 280.0)
    options = sets.joined(
        [sets.filled(row, strike, np.full(80, 0.2), is_call=right) for right in (False, True)]
    )
    discount = math.exp(-0.043 * 91 / 365)
    put = np.maximum(strike - row.forward[0], 0.0) * discount + 1.0
    call = np.maximum(row.forward[0] - strike, 0.0) * discount + 1.0
    found = forwards.naive_parity(options, np.concatenate([put, call]))
    assert found == pytest.approx(row.forward[0], rel=1e-12)  # sums of numbers near 240


@pytest.mark.parametrize(
    ("value", "goal", "least", "said"),
    [
        (150.0, 100.0, True, "met"),
        (99.9, 100.0, True, "**missed** by 0.1 %"),
        (1.05, 1.0, False, "**missed** by 5.0 %"),
        (1.0, 100.0, True, "**missed** by a factor of 100"),
        (1e-7, 1e-6, False, "met"),
        (3e-6, 1e-6, False, "**missed** by a factor of 3.00"),
        (math.nan, 1.0, True, "not measured"),
    ],
)
def test_a_verdict_follows_the_number(parts: Any, value: float, goal: float, least: bool, said: str) -> None:
    assert parts("american.verdicts").verdict(value, goal, least=least) == said


def test_speed_is_judged_at_each_accuracy(parts: Any) -> None:
    verdicts = parts("american.verdicts")
    runs = [
        _run(parts, "volskew-fast", vol=1.0),
        _run(parts, "volskew-default", vol=2.0),
        _run(parts, "volskew-high", vol=20.0),
        _run(parts, "QdFp-fast-brentq", vol=240.0),
    ]
    rows = {cells[0].split(",")[0]: cells[1:] for cells in verdicts.speed(runs)}
    assert rows["QdFp-fast-brentq"] == [
        "240x: met, and the reach",
        "120x: met",
        "12x: **missed** by a factor of 8.33",
    ]
    assert rows["fastvol-128"] == ["not measured"] * 3


def test_errors_are_judged_and_an_unsolved_quote_is_a_miss(parts: Any) -> None:
    measure, verdicts = parts("american.measure"), parts("american.verdicts")
    good = measure.Errors(100, 1e-9, 1e-8, 1e-7, 1e-5, 1e-4, 0)
    bad = measure.Errors(100, 1e-9, 1e-8, 2e-6, 1e-3, 1e-4, 3)
    runs = [_run(parts, "volskew-fast", errors=bad), _run(parts, "volskew-default", errors=good)]
    p99, largest, dollars, unsolved = (cells[1:] for cells in verdicts.accuracy(runs))
    assert p99 == ["2.0e-6: **missed** by a factor of 2.00", "1.0e-7: met", "not measured"]
    assert largest[0] == "1.0e-3: **missed** by a factor of 10"
    assert dollars[:2] == ["1.0e-4: met"] * 2
    assert unsolved == ["3: **missed**", "0: met", "not measured"]


def _case(parts: Any, fund: str, when: str, miss: float) -> Any:
    discrete = parts("american.discrete")
    return discrete.Case(fund, True, when, 262.0, 0.2, 0.0, (0.1, 0.05, miss, 0.001, 0.2))


def test_a_late_call_of_the_small_fund_is_allowed_more(parts: Any) -> None:
    def said(cases: list[Any]) -> str:
        fast, default = parts("american.verdicts").discrete_error(cases)
        assert default.endswith("met, 0.0010 at the worst.")
        return str(fast)

    late = _case(parts, "IWM-like", "just before", 0.03)
    assert "met, 0.0300 at the worst" in said([late])
    assert "**missed** by QQQ-like call, ex-date just before: +0.0300" in said(
        [late, _case(parts, "QQQ-like", "just before", 0.03)]
    )
    assert said([_case(parts, "QQQ-like", "mid", math.nan)]).endswith("not measured.")


def test_a_bias_is_judged_beside_its_error(parts: Any) -> None:
    forwards, verdicts = parts("american.forwards"), parts("american.verdicts")
    found = [
        forwards.Bias("QQQ-like", "yield", days, method, bias, 0.05, 0.5, 100, 0)
        for days, method, bias in (
            (91, "naive parity", -11.0),
            (91, "fit_surface", -0.1),
            (364, "fit_surface", 2.0),
        )
    ]
    near, far = verdicts.forward_bias(found)
    assert near.endswith("QQQ-like -0.10 +- 0.05: met.")
    assert far.endswith("QQQ-like +2.00 +- 0.05: **missed** by a factor of 2.00.")


def test_an_absent_chain_is_skipped_with_a_reason(
    parts: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chains = parts("american.chains")
    monkeypatch.setenv("VOLSKEW_REAL_DATA", str(tmp_path))
    monkeypatch.setattr(chains, "ROOT", tmp_path)
    timings = chains.measure(1)
    assert [bool(timing.skipped) for timing in timings] == [True, True]
    assert "VOLSKEW_REAL_DATA" in timings[0].skipped


def test_a_failed_build_is_remembered(parts: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environments = parts("common.environments")
    calls = []

    def pip(command: list[str], **_given: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: Could not build wheels for fastvol\n")

    monkeypatch.setattr(environments, "_python_with_pip", lambda: "python3")
    monkeypatch.setattr(environments.subprocess, "run", pip)
    for said in ("Could not build wheels for fastvol", "found before"):
        with pytest.raises(environments.InstallationError, match=said):
            environments.python_of("fastvol", tmp_path)
    assert len(calls) == 1
    assert not (tmp_path / "fastvol").exists()


def test_help_needs_nothing_installed() -> None:
    command = [sys.executable, "-S", str(BENCHMARKS / "american_vol.py"), "--help"]  # -S: no packages
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "continuous, discrete, forwards, chains" in done.stdout


@pytest.mark.slow
def test_a_quick_run_reaches_its_end(parts: Any) -> None:
    environments = parts("common.environments")
    place = environments.default_folder() / "QuantLib" / "stamp"
    if not place.exists():
        pytest.skip("the benchmark's own QuantLib is not there: run benchmarks/american_vol.py once")
    command = [sys.executable, str(BENCHMARKS / "american_vol.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for title in (
        "## Continuous yields",
        "## Discrete cash",
        "## Forwards from",
        "## A whole chain",
        "## The run",
    ):
        assert title in done.stdout
    assert "| volskew-default | " in done.stdout
