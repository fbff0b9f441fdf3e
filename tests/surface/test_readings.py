"""The surface as an interface: places, grids, forward vols, conventions, and the way back to the quotes."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

from volskew.errors import SettingsError
from volskew.market.tenors import tenor_years
from volskew.quotes import read_file
from volskew.settings import Gates, Settings
from volskew.simulate import SCENARIOS, scenario_chain
from volskew.surface import Surface, fit_surface
from volskew.surface.labels import FITS_DISAGREE, NO_CROSS_CHECK
from volskew.surface.surface import GRID_DELTAS, GRID_TENORS

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings(rate=0.04, tenor_clock="calendar")
"""Variance of these chains accrues by the day."""
DAYS = (4, 7, 11, 28, 63, 91, 126, 189)


@pytest.fixture(scope="module")
def surface(qqq_like: Any, make_chain: MakeChain) -> Surface:
    return fit_surface(make_chain(qqq_like, days=DAYS), settings=SETTINGS)


@pytest.fixture(scope="module")
def grid(surface: Surface) -> pd.DataFrame:
    return surface.grid()


def cells(grid: pd.DataFrame) -> list[Any]:
    return list(grid.itertuples())


# --- grids ------------------------------------------------------------------------------------------------


def assert_cells_are_readings(surface: Surface, grid: pd.DataFrame) -> None:
    """Every cell of a grid is the single reading, to the last bit and the last flag."""
    for cell in cells(grid):
        one = surface.vol(tenor=str(cell.tenor), delta=str(cell.delta))
        assert cell.days == tenor_years(str(cell.tenor)) * 365
        np.testing.assert_equal(cell.vol, one.value)
        np.testing.assert_equal(cell.error, math.nan if one.error is None else one.error)
        for name in ("bid", "ask", "strike"):
            np.testing.assert_equal(getattr(cell, name), one.details.get(name, math.nan))
        assert (cell.expiry_before, cell.expiry_after) == (
            one.details["expiry_before"],
            one.details["expiry_after"],
        )
        if cell.code:
            assert one.flags == (cell.code,)
            assert (cell.method, cell.flags) == ("", "")
        else:
            assert cell.flags == " ".join(flag for flag in one.flags if flag != "ROLL")
            assert cell.method == one.method


def assert_grids_are_readings(surface: Surface, seed: int) -> None:
    """The whole grid, and any other places and tenors, in any order."""
    assert_cells_are_readings(surface, surface.grid())
    generator = np.random.default_rng(seed)
    tenors = [f"{days}d" for days in generator.integers(1, 800, 7)]
    deltas = [*generator.uniform(0.02, 0.98, 6).round(4).tolist(), "atmf"]
    assert_cells_are_readings(surface, surface.grid(tenors=tenors, deltas=deltas))


def test_a_grid_is_its_readings_cell_by_cell(surface: Surface, grid: pd.DataFrame) -> None:
    assert len(grid) == len(GRID_TENORS) * len(GRID_DELTAS)
    assert list(dict.fromkeys(grid["tenor"])) == list(GRID_TENORS)
    assert list(dict.fromkeys(grid["delta"])) == [repr(delta) for delta in GRID_DELTAS]
    assert grid["days"].is_monotonic_increasing
    assert_cells_are_readings(surface, grid)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_grids_of_simulated_chains_are_their_readings(name: str, seed: int) -> None:
    wide = replace(SCENARIOS[name], nearest_days=1, longest_days=800)
    chain = scenario_chain(
        wide if seed % 2 else name, symbol="QQQ" if seed % 2 else "IWM", seed=seed, day=3 * seed
    )
    surface = fit_surface(chain.canonical(), market=chain.market, previous=chain.previous)
    assert surface.grid()["vol"].notna().sum() > 25
    assert_grids_are_readings(surface, seed)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "generic/QQQ_2026-07-10.csv.gz",
        "generic/IWM_2026-07-10.csv.gz",
        "cboe_flat/SPX_2026-07-22.csv.gz",
        "cboe_delayed/IWM_2026-06-15.json.gz",
        "vendor_iv/QQQ_2026-05-25_2026-07-31.csv.gz",
    ],
)
def test_grids_of_real_chains_are_their_readings(real: Path, name: str) -> None:
    quotes = next(iter(read_file(real / name))).quotes
    first = quotes["snapshot_time"] == quotes["snapshot_time"].min()
    surface = fit_surface(quotes[first].reset_index(drop=True))
    assert surface.grid()["vol"].notna().sum() > 25
    assert_grids_are_readings(surface, 4)


@pytest.mark.parametrize(
    "changed",
    [{"tenor_interpolation": "linear"}, {"delta_convention": "spot"}, {"smile_model": "local"}],
)
def test_grids_are_their_readings_whatever_is_chosen(
    qqq_like: Any, make_chain: MakeChain, changed: dict[str, Any]
) -> None:
    surface = fit_surface(make_chain(qqq_like, days=DAYS), settings=SETTINGS.replace(**changed))
    assert surface.grid()["vol"].notna().any()
    assert_grids_are_readings(surface, 3)


def test_the_surface_as_a_function_is_its_grid(surface: Surface, grid: pd.DataFrame) -> None:
    years = np.array([tenor_years(tenor) for tenor in grid["tenor"]])
    vols = surface.vols(years=years, delta=grid["delta"].astype(float))
    both = np.isfinite(vols) & grid["vol"].notna().to_numpy()
    assert both.sum() > 0.9 * grid["vol"].notna().sum()
    # polynomials through nodes for the weights of the expiries: largest where the bracket is widest
    np.testing.assert_allclose(vols[both], grid.loc[both, "vol"], atol=5e-6)
    shape = surface.vols(years=np.array([[0.1], [0.2]]), delta=np.array([0.25, 0.5, 0.6]))
    assert shape.shape == (2, 3)
    assert shape[1, 0] == surface.vols(years=0.2, delta=0.25)
    assert surface.vols(years=[], delta=[]).shape == (0,)


@pytest.mark.parametrize(
    ("years", "delta"),
    [(0.25, 0.0), (0.25, 1.0), (0.25, -0.2), (0.25, 1.2), (0.25, np.nan), (np.nan, 0.25), (-1.0, 0.25),
     (0.0, 0.25), (0.001, 0.25), (5.0, 0.25), (np.inf, 0.25), (0.25, 0.999999)],
)  # fmt: skip
def test_what_cannot_be_read_is_nan_to_the_function(surface: Surface, years: float, delta: float) -> None:
    assert np.isnan(surface.vols(years=years, delta=delta))


def test_the_truth_is_read_everywhere(surface: Surface, grid: pd.DataFrame, qqq_like: Any) -> None:
    near = grid[grid["code"].eq("") & grid["delta"].astype(float).between(0.1, 0.9)]
    for tenor, days in (("1w", 7.0), ("3m", 91.0)):
        for cell in cells(near[near["tenor"] == tenor]):
            truth = qqq_like.vol_at_delta(float(str(cell.delta)), days / 365)
            assert cell.vol == pytest.approx(truth, abs=2e-4)  # cents
            assert cell.bid < cell.vol < cell.ask


def test_grids_take_what_readings_take(surface: Surface) -> None:
    small = surface.grid(tenors=["3M", "91d", "12m", "1y"], deltas=["25c", 0.25, "atmf", "25p"])
    assert small["tenor"].tolist() == ["3m"] * 3 + ["91d"] * 3 + ["1y"] * 3
    assert small["delta"].tolist() == ["0.25", "atmf", "0.75"] * 3
    assert small.loc[1, "strike"] == pytest.approx(surface.vol().details["forward"], rel=1e-14)
    empty = surface.grid(tenors=[], deltas=[])
    assert empty.empty
    assert list(empty.columns) == list(small.columns)
    with pytest.raises(SettingsError, match="no tenor"):
        surface.grid(tenors=["soon"])
    with pytest.raises(SettingsError, match='"25c"'):
        surface.grid(deltas=["25"])


def test_a_surface_without_quotes_has_an_empty_grid(qqq_like: Any, make_chain: MakeChain) -> None:
    chain = make_chain(qqq_like)
    for bare in (
        fit_surface(chain.assign(bid=0.0), settings=SETTINGS),
        fit_surface(
            chain.assign(expiry=pd.Series(pd.NaT, index=chain.index, dtype=chain["expiry"].dtype)),
            settings=SETTINGS,
        ),
    ):
        grid = bare.grid(tenors=["1w", "3m"], deltas=[0.25, "atmf"])
        assert set(grid["code"]) == {"NO_QUOTES_LEFT"}
        assert grid["vol"].isna().all()
        assert np.isnan(bare.vols(years=0.25, delta=0.25))
        assert bare.vol(strike=500.0).flags == ("NO_QUOTES_LEFT",)
        assert bare.forward_vol(start="1m", end="3m").flags == ("NO_QUOTES_LEFT",)
        assert bare.arbitrage.empty


# --- places -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", ["10c", "25c", "35c", "50", "37p", "25p", "10p"])
def test_the_strike_of_a_delta_reads_the_same_vol(surface: Surface, delta: str) -> None:
    one = surface.vol(tenor="91d", delta=delta)
    k, strike, forward = (one.details[name] for name in ("log_moneyness", "strike", "forward"))
    assert strike == pytest.approx(forward * math.exp(k), rel=1e-14)
    s = one.value * math.sqrt(91 / 365)
    wanted = float(delta.rstrip("cp")) / 100
    wanted = 1 - wanted if delta.endswith("p") else wanted
    assert float(ndtr(s / 2 - k / s)) == pytest.approx(wanted, abs=1e-12)
    by_strike, by_moneyness = (
        surface.vol(tenor="91d", strike=strike),
        surface.vol(tenor="91d", log_moneyness=k),
    )
    assert by_strike.value == pytest.approx(one.value, rel=1e-12)
    assert by_moneyness.value == pytest.approx(one.value, rel=1e-12)
    assert by_strike.details["log_moneyness"] == pytest.approx(k, abs=1e-12)
    assert by_moneyness.details["strike"] == pytest.approx(strike, rel=1e-12)
    assert by_strike.flags == one.flags == by_moneyness.flags == ()
    # every strike has its second smile: that of the delta's own, or its neighbour's
    assert by_strike.details["cross_check"] < 4e-4


def test_the_forward_is_a_place(surface: Surface, qqq_like: Any) -> None:
    ways = [surface.vol(tenor="91d", **place) for place in ({"delta": "atmf"}, {"log_moneyness": 0.0})]
    assert ways[0] == ways[1]
    assert ways[0].details["delta"] == "atmf"
    assert ways[0].details["strike"] == ways[0].details["forward"]
    assert ways[0].value == pytest.approx(float(qqq_like.vol(np.array(0.0), 91 / 365)), abs=1e-4)  # cents
    smile = surface.smiles[surface.smiles["days"].round() == 91].iloc[0]
    assert smile["atm_vol"] == ways[0].value


def test_a_strike_keeps_its_place_over_maturities(surface: Surface, qqq_like: Any) -> None:
    between = surface.vol(tenor="77d", strike=550.0)
    assert between.details["strike"] == 550.0
    forward = qqq_like.forward(77 / 365)
    assert between.details["forward"] == pytest.approx(forward, rel=1e-5)
    assert between.details["log_moneyness"] == pytest.approx(math.log(550 / forward), abs=1e-5)
    assert between.details["delta"] == "K=550.0"
    truth = float(qqq_like.vol(np.log(550 / forward), 77 / 365))
    assert between.value == pytest.approx(truth, abs=2e-4)  # cents, and expiries a month apart
    assert between.error is not None
    assert abs(between.value - truth) < 2 * between.error


EX_DATES: list[tuple[Any, ...]] = [
    ("ex_date", "IWM", 502, 60, "100d"), ("ex_date", "QQQ", 501, 3, "3m"),
    ("high_rates", "QQQ", 502, 60, "3m"), ("ex_date", "QQQ", 88, 7, "80d"),
]  # fmt: skip
"""Chains with an ex-date between the tenor and one of the expiries around it."""


@pytest.mark.parametrize(("name", "symbol", "seed", "day", "tenor"), EX_DATES)
def test_an_ex_date_beside_the_tenor_moves_no_strike_off_its_vol(
    name: str, symbol: str, seed: int, day: int, tenor: str
) -> None:
    chain = scenario_chain(name, symbol=symbol, seed=seed, day=day)
    surface = fit_surface(chain.canonical(), market=chain.market, previous=chain.previous)
    true_forward = float(chain.truth.forward(tenor))
    for share in (0.9, 0.95, 1.0, 1.03, 1.06):
        strike = float(round(true_forward * share))
        one = surface.vol(tenor, strike=strike)
        truth = float(chain.truth.vol_at(tenor, math.log(strike / true_forward)))
        assert one.error is not None
        assert abs(one.value - truth) < 3 * one.error
        assert one.details["forward"] == pytest.approx(true_forward, rel=2e-4)
        assert one.details["strike"] == strike
        assert one.details["delta"] == f"K={strike!r}"
        k = one.details["log_moneyness"]
        assert k == math.log(strike / one.details["forward"])
        # their forward errors differ, and with these the weights of the expiries a little
        assert surface.vol(tenor, log_moneyness=k).value == pytest.approx(one.value, abs=1e-5)
        assert one.resolve is not None
        expiries = one.resolve("expiries")
        np.testing.assert_allclose(expiries["log_moneyness"], k, rtol=0, atol=1e-14)
        assert one.value == pytest.approx((expiries["share"] * expiries["vol"]).sum(), rel=1e-12)


def test_the_forward_steps_down_at_a_known_ex_date() -> None:
    """Within half a basis point of the truth; a straight line where dividends are not known."""
    chain = scenario_chain("ex_date", symbol="IWM", seed=502, day=60)
    surface = fit_surface(chain.canonical(), market=chain.market, previous=chain.previous)
    days = np.arange(10, 171, 10)
    forwards = np.array([surface.vol(f"{day}d", "atmf").details["forward"] for day in days])
    np.testing.assert_allclose(forwards, chain.truth.forward(days / 365), rtol=5e-5)

    blind = fit_surface(chain.canonical(), market=replace(chain.market, dividends=()))
    one = blind.vol("100d", "atmf")
    assert one.resolve is not None
    expiries = one.resolve("expiries")
    around = expiries[expiries["is_around"]]
    line = np.interp(100, around["days"], np.log(around["forward"]))
    assert one.details["forward"] == pytest.approx(math.exp(line), rel=1e-12)


def test_a_strike_where_an_expiry_fails_is_read_at_the_forward_of_those_that_serve(
    surface: Surface, qqq_like: Any, make_chain: MakeChain
) -> None:
    """An expiry that has a forward, and no quotes at the strike, stands nearer to the tenor."""
    chain = make_chain(qqq_like, days=DAYS)
    days = (chain["expiry"] - chain["snapshot_time"]).dt.total_seconds() / 86400
    near = (days.round(3) == 63) & (chain["strike"] > 570)
    holed = fit_surface(chain[~near].reset_index(drop=True), settings=SETTINGS)
    full, one = (each.vol("77d", strike=590.0) for each in (surface, holed))
    assert full.details["expiry_before"] != one.details["expiry_before"]
    assert one.details["log_moneyness"] == math.log(590.0 / one.details["forward"])
    assert one.resolve is not None
    expiries = one.resolve("expiries")
    around = expiries[expiries["is_around"]]
    line = np.interp(77, around["days"], np.log(around["forward"]))
    assert one.details["forward"] == pytest.approx(math.exp(line), rel=1e-12)


def test_what_names_no_place_or_no_tenor_is_refused(surface: Surface) -> None:
    with pytest.raises(SettingsError, match="one of delta, strike and log_moneyness"):
        surface.vol(delta=0.25, strike=500.0)
    with pytest.raises(SettingsError, match="strike must be above 0"):
        surface.vol(strike=0.0)
    with pytest.raises(SettingsError, match="no tenor"):
        surface.vol(tenor="3q")
    with pytest.raises(SettingsError, match="a surface has the tables quotes, forwards, smiles"):
        surface.table("vols")
    places: list[dict[str, Any]] = [
        {"strike": 5000.0}, {"strike": 1.0}, {"log_moneyness": 3.0}, {"delta": 0.001}
    ]  # fmt: skip
    for far in places:
        missing = surface.vol(**far)
        assert math.isnan(missing.value)
        assert missing.flags[0] in {"NO_EXPIRY_BEFORE", "NO_EXPIRY_AFTER"}
        assert "failed" in missing.details["reason"]


def test_the_forwards_part_of_an_error_is_what_a_moved_forward_does(
    qqq_like: Any, make_chain: MakeChain
) -> None:
    """The same quotes at a forward a basis point off: the reading moves by the part, per basis point."""
    from volskew.quotes.clean import label
    from volskew.surface.chain import Chain
    from volskew.surface.forwards import find_forwards
    from volskew.surface.gates import Neighbourhood
    from volskew.surface.points import Point
    from volskew.surface.reading import Slices, read_points
    from volskew.surface.smiles import fit_smiles
    from volskew.surface.vols import find_vols

    market = qqq_like.row(knows_dividends=False)
    labelled = label(make_chain(qqq_like, days=(91,)), market=market, settings=SETTINGS)
    chain = Chain.of(labelled, market=market, settings=SETTINGS)
    found = find_forwards(labelled, chain, settings=SETTINGS)
    points = [
        Point("delta", 0.25), Point("delta", 0.75), Point("strike", 570.0), Point("strike", 490.0),
        Point("log_moneyness", 0.05), Point("log_moneyness", -0.08),
    ]  # fmt: skip

    def read(by: float) -> tuple[list[float], list[float]]:
        forward = found.forward * math.exp(by)
        vols = find_vols(labelled, chain, replace(found, forward=forward), settings=SETTINGS)
        smiles = fit_smiles(labelled, chain, vols, used_in_forward=found.used, settings=SETTINGS)
        slices = Slices(
            names=("x",), keys=((chain.roots[0], "PM", chain.expiries[0]),), dates=chain.dates,
            forward_methods=("",), flags=("",), years=chain.years, forward=forward,
            forward_error=1e-4 * forward, discount_factor=np.ones(1), spot=1.0, failures=((),),
            nodes=smiles.nodes,
            curves=smiles.curves, local=smiles.local, methods=smiles.methods,
            quotes_around=Neighbourhood(smiles.nodes, smiles.deltas, 1),
        )  # fmt: skip
        places = read_points(slices, points, SETTINGS)
        return [float(p.vol[0]) for p in places], [float(p.forward_part[0]) for p in places]

    parts = read(0.0)[1]
    up, down = read(1e-4)[0], read(-1e-4)[0]
    actual = np.abs(np.array(up) - np.array(down)) / 2
    # a refit takes its weights anew; parts are a hundredth of a vol point and less
    np.testing.assert_allclose(parts, actual, rtol=0.15, atol=2e-6)


# --- conventions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["forward", "spot", "discounted"])
def test_deltas_are_those_of_their_convention(qqq_like: Any, make_chain: MakeChain, convention: Any) -> None:
    settings = Settings(rate=0.04, delta_convention=convention)
    model = replace(qqq_like, carry=0.028)  # a yield of 1.2 %
    surface = fit_surface(make_chain(model, days=(91,)), settings=settings)
    years = 91 / 365
    factor = {"forward": 1.0, "spot": math.exp(-0.012 * years), "discounted": math.exp(-0.04 * years)}
    for delta, is_put in (("25c", False), ("10c", False), ("25p", True), ("10p", True), ("50", False)):
        one = surface.vol(tenor="91d", delta=delta)
        s, k = one.value * math.sqrt(years), one.details["log_moneyness"]
        d1 = s / 2 - k / s
        share = factor[convention] * float(ndtr(-d1 if is_put else d1))
        assert share == pytest.approx(float(delta.rstrip("cp")) / 100, abs=3e-6)  # the forward's 0.1 bp
    text = surface.vol(tenor="91d").method
    assert ("delta=" + convention in text) == (convention != "forward")


def test_published_strikes_of_the_conventions() -> None:
    """S = 500, r = 4 %, q = 0.6 %, 18 %, 91 days; by hand, for the formulas above."""
    years = 91 / 365
    forward, s = 500 * math.exp(0.034 * years), 0.18 * math.sqrt(years)
    for factor, strike in (
        (1.0, 537.94),
        (math.exp(-0.006 * years), 537.88),
        (math.exp(-0.04 * years), 537.56),
    ):
        d1 = float(ndtri(0.25 / factor))
        assert forward * math.exp(-d1 * s + s * s / 2) == pytest.approx(strike, abs=0.006)


# --- forward vols -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [0.25, "50", "25p", "atmf"])
@pytest.mark.parametrize(("start", "end"), [("1m", "3m"), ("63d", "91d"), ("28d", "63d"), ("70d", "80d")])
def test_forward_vols_are_by_their_formula(surface: Surface, start: str, end: str, delta: Any) -> None:
    found = surface.forward_vol(start=start, end=end, delta=delta)
    both = [surface.vol(tenor=tenor, delta=delta) for tenor in (start, end)]
    first, last = (tenor_years(tenor) for tenor in (start, end))
    w = [one.value**2 * years for one, years in zip(both, (first, last), strict=True)]
    assert found.value == pytest.approx(math.sqrt((w[1] - w[0]) / (last - first)), rel=1e-13)
    assert found.error is not None
    assert found.error > 0
    assert set(found.flags) == set(both[0].flags) | set(both[1].flags)
    assert (found.details["vol_start"], found.details["vol_end"]) == (both[0].value, both[1].value)


def test_errors_of_forward_vols_count_an_expiry_once(surface: Surface) -> None:
    # two expiries and nothing between: by hand
    found = surface.forward_vol(start="63d", end="91d")
    both = [surface.vol(tenor=tenor) for tenor in ("63d", "91d")]
    years = np.array([63, 91]) / 365
    rates = [
        one.value * t / (found.value * (years[1] - years[0])) for one, t in zip(both, years, strict=True)
    ]
    errors = [one.error or math.nan for one in both]
    assert found.error == pytest.approx(math.hypot(rates[0] * errors[0], rates[1] * errors[1]), rel=1e-9)
    # within one bracket the two readings move together: less error than if they were independent
    inside = surface.forward_vol(start="70d", end="85d")
    both = [surface.vol(tenor=tenor) for tenor in ("70d", "85d")]
    years = np.array([70, 85]) / 365
    apart = [
        (one.error or math.nan) * one.value * t / (inside.value * (years[1] - years[0]))
        for one, t in zip(both, years, strict=True)
    ]
    assert inside.error is not None
    assert inside.error < math.hypot(*apart)


def test_forward_vols_that_are_none(surface: Surface, qqq_like: Any, make_chain: MakeChain) -> None:
    for start, end in (("3m", "1m"), ("3m", "91d")):
        with pytest.raises(SettingsError, match="start before its end"):
            surface.forward_vol(start=start, end=end)
    missing = surface.forward_vol(start="3m", end="1y")
    assert missing.flags == ("NO_EXPIRY_AFTER",)
    assert missing.details["reason"] == f"1y 0.25: {surface.vol(tenor='1y').details['reason']}"
    early, late = (
        make_chain(replace(qqq_like, level=level), days=(days,)) for level, days in ((0.24, 84), (0.17, 98))
    )
    falling = fit_surface(pd.concat([early, late], ignore_index=True), settings=SETTINGS)
    none = falling.forward_vol(start="84d", end="98d")
    assert none.flags == ("CAL_ARB",)
    assert "total variance falls" in none.details["reason"]


# --- what readings know of themselves ---------------------------------------------------------------------


def test_a_bracket_that_jumps_is_flagged(qqq_like: Any, make_chain: MakeChain) -> None:
    parts = [
        make_chain(replace(qqq_like, level=level), days=(days,))
        for level, days in ((0.19, 63), (0.19, 84), (0.21, 98), (0.21, 126))
    ]
    surface = fit_surface(pd.concat(parts, ignore_index=True), settings=SETTINGS)
    one = surface.vol()
    assert "ROLL" in one.flags
    assert abs(one.details["without_after"] - one.value) > 0.002
    alone = fit_surface(pd.concat([parts[0], parts[2], parts[3]], ignore_index=True), settings=SETTINGS)
    # what neighbouring quotes share, and so the errors, are of more expiries there
    assert one.details["without_before"] == pytest.approx(alone.vol().value, rel=1e-6)


def test_readings_lie_between_all_bids_and_all_asks(surface: Surface, grid: pd.DataFrame) -> None:
    read = grid[grid["code"] == ""]
    assert (read["bid"] < read["vol"]).all()
    assert (read["vol"] < read["ask"]).all()
    assert (read["error"] > 0).all()
    assert (read["error"] < (read["ask"] - read["bid"])).mean() > 0.9


def test_two_smiles_that_differ_are_flagged_and_widen_the_error(qqq_like: Any, make_chain: MakeChain) -> None:
    chain = make_chain(qqq_like, days=(91,))
    clean = fit_surface(chain, settings=SETTINGS).vol(tenor="91d")
    assert FITS_DISAGREE not in clean.flags
    # an eSSVI slice of wide quotes is still a smile of them, some tenths of a vol point off the local fit
    flagged = 0
    for half in (0.3, 0.4, 0.5):
        wide = chain.assign(bid=(chain["last"] - half).clip(lower=0), ask=chain["last"] + half)
        surface = fit_surface(wide, settings=SETTINGS.replace(smile_model="essvi"))
        for delta in ("10c", "15c", "25c", "50", "25p", "10p"):
            one = surface.vol(tenor="91d", delta=delta)
            if one.method.split()[0] != "essvi":
                continue
            gap, fit_error = one.details["cross_check"], one.details["fit_error"]
            assert (FITS_DISAGREE in one.flags) == (gap > max(0.0015, 2 * fit_error))
            flagged += FITS_DISAGREE in one.flags
            parts = math.hypot(fit_error, one.details["forward_error"], gap / 2, one.details["bracket_error"])
            assert one.error == pytest.approx(parts, rel=1e-12)
    assert flagged


def test_the_want_of_a_second_smile_is_flagged(qqq_like: Any, make_chain: MakeChain) -> None:
    chain = make_chain(qqq_like, days=(91,))
    few = chain[chain["strike"].isin([460, 470, 480, 490, 500, 535, 550, 575])].reset_index(drop=True)
    loose = Settings(rate=0.04, gates=Gates(min_wing_quotes=1, max_delta_gap=0.5))
    one = fit_surface(few, settings=loose).vol(tenor="91d")
    assert one.is_read
    assert NO_CROSS_CHECK in one.flags
    assert math.isnan(one.details["cross_check"])
    assert one.error is not None


def test_every_reading_leads_back_to_its_files_and_rows(surface: Surface) -> None:
    one = surface.vol(tenor="77d", delta="25c")
    assert one.resolve is not None
    expiries = one.resolve("expiries")
    # the two around the tenor, and up to three beyond them on either side
    days = expiries["days"].round(6).tolist()
    assert {28.0, 63.0, 91.0, 126.0} < set(days)
    assert len(days) <= 8
    assert days == sorted(days)
    assert expiries["share"].sum() == pytest.approx(1.0, abs=0.02)  # of vols by the calendar nearly so
    assert one.value == pytest.approx((expiries["share"] * expiries["vol"]).sum(), rel=1e-12)
    assert set(expiries["method"]) == {"svi"}
    assert set(expiries["gates"]) == {"passed"}
    assert (expiries["bid"] < expiries["vol"]).all()
    assert (expiries["vol"] < expiries["ask"]).all()
    np.testing.assert_allclose(expiries["delta"], 0.25, rtol=1e-14)
    assert (expiries["delta_below"] <= 0.25).all()
    assert (expiries["delta_above"] >= 0.25).all()
    np.testing.assert_allclose(
        expiries["strike"], expiries["forward"] * np.exp(expiries["log_moneyness"]), rtol=1e-14
    )
    parts = np.sqrt(
        expiries["fit_error"] ** 2 + expiries["forward_part"] ** 2 + (expiries["cross_check"] / 2) ** 2
    )
    np.testing.assert_allclose(expiries["error"], parts, rtol=1e-12)
    quotes = one.resolve("quotes")
    assert set(quotes["source_file"]) == {"synthetic"}
    every = (surface.quotes["time_to_expiry"] * 365).round(6)
    own = surface.quotes[every.isin(expiries["days"].round(6))]
    assert sorted(quotes["source_row"]) == sorted(own["source_row"])
    # those around the tenor first, and of these the nearest to the strike of the reading
    assert (quotes["time_to_expiry"] * 365).round(6).isin([63.0, 91.0]).equals(quotes["is_around"])
    assert quotes["is_around"].astype(int).is_monotonic_decreasing
    strikes = quotes["expiry"].map(expiries.set_index("expiry")["strike"])
    for _, part in (quotes["strike"] - strikes).abs().groupby(quotes["is_around"]):
        assert part.is_monotonic_increasing
    assert quotes.index.isin(surface.quotes.index).all()
    for name in ("forwards", "smiles"):
        rows = one.resolve(name)
        for column in ("expiry", "share", "is_around"):
            assert rows[column].tolist() == expiries[column].tolist()
    assert expiries.loc[expiries["is_around"], "days"].round(6).tolist() == [63.0, 91.0]
    assert (expiries["share"] != 0).all()
    alone = surface.vol(tenor="91d", delta="25c").resolve
    assert alone is not None
    assert alone("expiries")[["share", "is_around"]].to_numpy().tolist() == [[1.0, True]]
    assert set((alone("quotes")["time_to_expiry"] * 365).round(6)) == {91.0}
    with pytest.raises(SettingsError, match="expiries, quotes, forwards, smiles; got 'rates'"):
        one.resolve("rates")


def test_surfaces_and_readings_cross_process_borders(surface: Surface, grid: pd.DataFrame) -> None:
    twin = pickle.loads(pickle.dumps(surface))  # noqa: S301 - our own bytes
    pd.testing.assert_frame_equal(twin.grid(), grid, check_exact=True)
    assert twin.vol(strike=551.0) == surface.vol(strike=551.0)
    one = surface.vol(tenor="77d", delta="10p")
    other = pickle.loads(pickle.dumps(one))  # noqa: S301
    assert one.resolve is not None
    pd.testing.assert_frame_equal(other.resolve("expiries"), one.resolve("expiries"))
    pd.testing.assert_frame_equal(twin.arbitrage, surface.arbitrage)


def test_asking_changes_nothing(
    qqq_like: Any, make_chain: MakeChain, surface: Surface, grid: pd.DataFrame
) -> None:
    fresh = fit_surface(make_chain(qqq_like, days=DAYS), settings=SETTINGS)
    strike = fresh.vol(strike=540.0)
    assert fresh.vol(delta=0.33) == surface.vol(delta=0.33)
    pd.testing.assert_frame_equal(fresh.grid(), grid, check_exact=True)
    assert fresh.vol(strike=540.0) == strike == surface.vol(strike=540.0)


def test_an_expiry_beyond_the_calendar_costs_no_reading(
    qqq_like: Any, make_chain: MakeChain, surface: Surface
) -> None:
    chain = make_chain(qqq_like, days=DAYS)
    last = chain[chain["expiry"] == chain["expiry"].max()]
    late = pd.Series(pd.Timestamp("2055-01-15T21:00:00Z"), index=last.index, dtype=chain["expiry"].dtype)
    both = pd.concat([chain, last.assign(expiry=late)], ignore_index=True)
    far = fit_surface(both, settings=SETTINGS)
    assert far.vol(tenor="77d").value == pytest.approx(surface.vol(tenor="77d").value, rel=1e-12)
    assert far.vol(tenor="1w") == surface.vol(tenor="1w")
