from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import InputError, SettingsError
from volskew.ledger import Stage
from volskew.quotes.schema import empty_quotes
from volskew.settings import Gates, Settings
from volskew.smile.local import MIN_POINTS, LocalFits, Nodes
from volskew.surface import Surface, fit_surface
from volskew.surface.outliers import _stands_alone, near_outliers

MakeChain = Callable[..., pd.DataFrame]
SETTINGS = Settings(rate=0.04, tenor_clock="calendar")
"""Variance of these chains accrues by the day."""
DELTAS = (0.1, 0.25, 0.5, 0.75, 0.9)


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    return make_chain(qqq_like)


@pytest.fixture(scope="module")
def surface(chain: pd.DataFrame) -> Surface:
    return fit_surface(chain, settings=SETTINGS)


@pytest.mark.parametrize("delta", DELTAS)
def test_known_readings(surface: Surface, qqq_like: Any, delta: float) -> None:
    estimate = surface.vol(delta=delta)
    truth = qqq_like.reading(delta, (84, 98))
    # 0.03 vol points: what a parabola in d1 misses of a hyperbola in strike, and cents
    assert estimate.value == pytest.approx(truth, abs=3e-4)


@pytest.mark.parametrize("delta", DELTAS)
def test_known_readings_of_the_other_kind(iwm_like: Any, make_chain: MakeChain, delta: float) -> None:
    sparse = replace(iwm_like, step=5.0)
    estimate = fit_surface(make_chain(sparse), settings=SETTINGS).vol(delta=delta)
    assert estimate.value == pytest.approx(sparse.reading(delta, (84, 98)), abs=4e-4)  # as above, $5 strikes


def test_what_a_reading_says(surface: Surface, qqq_like: Any) -> None:
    estimate = surface.vol(tenor="3M", delta="25c")
    assert estimate.error is not None
    # clean cents: a vol point in a hundred and less; two expiries say nothing of what lies between them
    assert 0 < estimate.details["fit_error"] < 5e-5
    assert 0 < estimate.error < 5e-4
    assert estimate.flags == ()
    assert estimate.method == "svi european-exercise parity:median rate=flat:0.0400 clock=calendar"
    details = estimate.details
    assert (details["tenor"], details["delta"]) == ("3m", "0.25")
    assert (details["expiry_before"], details["expiry_after"]) == ("2026-10-02", "2026-10-16")
    assert details["forward"] == pytest.approx(qqq_like.forward(91 / 365), rel=3e-5)
    used = surface.quotes[surface.quotes["used_in_smile"]]
    assert 10 <= details["n_quotes"] <= len(used)
    assert estimate.resolve is not None
    behind = estimate.resolve("smiles")["expiry"].dt.strftime("%Y-%m-%d")
    assert behind.tolist() == ["2026-10-02", "2026-10-16"]
    with pytest.raises(SettingsError, match="expiries, quotes, forwards, smiles"):
        estimate.resolve("files")
    assert surface.vol(delta=0.25) == surface.vol(delta="25c")


def test_an_assumed_rate_is_flagged(chain: pd.DataFrame, surface: Surface) -> None:
    assumed = fit_surface(chain, settings=Settings(tenor_clock="calendar"))
    assert assumed.vol().flags == ("RATE_ASSUMED",)
    assert [entry.code for entry in assumed.ledger] == ["RATE_ASSUMED"]
    assert assumed.vol().value == pytest.approx(surface.vol().value, rel=1e-12)  # 4 % both


def test_a_wrong_rate_hardly_matters_to_the_call(chain: pd.DataFrame, qqq_like: Any) -> None:
    truth = qqq_like.reading(0.25, (84, 98))
    zero = fit_surface(chain, settings=Settings(rate=0.0)).vol().value
    # the forward comes from the options, so 4 % of rate is a tenth of a vol point
    assert 0.0003 < abs(zero - truth) < 0.003


def test_labels_and_counts_add_up(surface: Surface, chain: pd.DataFrame) -> None:
    quotes, smiles = surface.quotes, surface.smiles
    assert len(quotes) == len(chain)
    assert quotes.index.equals(chain.index)
    assert smiles["n_read"].sum() == len(chain)
    assert smiles["n_rejected"].sum() == quotes["exclusion"].notna().sum()
    assert smiles["n_used"].sum() == quotes["used_in_smile"].sum()
    assert not (quotes["used_in_smile"] & quotes["exclusion"].notna()).any()
    assert not (quotes["used_in_forward"] & quotes["exclusion"].notna()).any()
    assert set(smiles["method"]) == {"svi"}
    assert set(smiles["gates_25c"]) == {"passed"}
    assert (smiles["vol_25c"] < smiles["vol_50"]).all()
    assert (smiles["vol_50"] < smiles["vol_25p"]).all()
    assert (smiles["rmse_half_spreads"] < 0.5).all()
    assert (smiles["forward_error_bp"] < 0.5).all()


def test_the_vol_at_the_forward(surface: Surface, qqq_like: Any) -> None:
    for _, smile in surface.smiles.iterrows():
        truth = float(qqq_like.vol(np.array(0.0), smile["time_to_expiry"]))
        assert smile["atm_vol"] == pytest.approx(truth, abs=2e-4)


def test_each_line_has_its_delta_on_the_smile(surface: Surface, qqq_like: Any) -> None:
    from scipy.special import ndtr

    quotes = surface.quotes
    for years, part in quotes.groupby("time_to_expiry"):
        k = part["log_moneyness"].to_numpy()
        s = qqq_like.vol(k, float(years)) * np.sqrt(float(years))  # type: ignore[arg-type]
        truth = ndtr(s / 2 - k / s)
        inside = (truth > 0.05) & (truth < 0.95)
        # 0.05 vol points of the smile are 0.001 of delta
        np.testing.assert_allclose(part["forward_call_delta"].to_numpy()[inside], truth[inside], atol=2e-3)
    both = quotes.pivot_table(index=["expiry", "strike"], columns="is_call", values="forward_call_delta")
    np.testing.assert_allclose(both[True], both[False], rtol=1e-12)  # one strike, one delta


# --- invariances ------------------------------------------------------------------------------------------


def test_the_order_of_lines_does_not_matter(chain: pd.DataFrame, surface: Surface) -> None:
    shuffled = fit_surface(chain.sample(frac=1, random_state=1), settings=SETTINGS)
    for delta in DELTAS:
        assert shuffled.vol(delta=delta).value == pytest.approx(surface.vol(delta=delta).value, rel=1e-12)
    pd.testing.assert_frame_equal(shuffled.forwards, surface.forwards)
    back = shuffled.quotes.sort_index()
    pd.testing.assert_series_equal(back["exclusion"], surface.quotes["exclusion"])


def test_the_unit_of_prices_does_not_matter(qqq_like: Any, make_chain: MakeChain, surface: Surface) -> None:
    double = fit_surface(make_chain(qqq_like, scale=2.0), settings=SETTINGS)
    # the floor of half a cent on half-spreads is the one thing that knows dollars; spreads are wider here
    assert double.vol().value == pytest.approx(surface.vol().value, rel=1e-6)


def test_far_quotes_change_nothing(qqq_like: Any, make_chain: MakeChain) -> None:
    # beyond 2 and 98 delta, and beyond three deviations
    wide, wider = (fit_surface(make_chain(qqq_like, width=width), settings=SETTINGS) for width in (0.4, 0.6))
    assert len(wider.quotes) > len(wide.quotes)
    for delta in DELTAS:
        assert wider.vol(delta=delta).value == pytest.approx(wide.vol(delta=delta).value, rel=1e-12)


def test_expiries_beyond_four_on_either_side_change_nothing(qqq_like: Any, make_chain: MakeChain) -> None:
    eight = (42, 56, 63, 84, 98, 112, 126, 154)
    some, more = (
        fit_surface(make_chain(qqq_like, days=days), settings=SETTINGS)
        for days in (eight, (7, 28, *eight, 189))
    )
    # their weights are in the errors of the expiries, which know what neighbouring quotes of all share
    assert more.vol().value == pytest.approx(some.vol().value, rel=1e-6)
    assert more.smiles["n_read"].gt(0).sum() == 11


def test_along_the_line_two_expiries_are_all(qqq_like: Any, make_chain: MakeChain) -> None:
    line = SETTINGS.replace(tenor_interpolation="linear")
    two, more = (
        fit_surface(make_chain(qqq_like, days=days), settings=line)
        for days in ((84, 98), (7, 28, 84, 98, 189))
    )
    assert more.vol().value == pytest.approx(two.vol().value, rel=1e-12)


def test_variance_accrues_by_session_or_by_the_day(qqq_like: Any, make_chain: MakeChain) -> None:
    """From a Friday: 82 days end on a Wednesday, and hold more weekends than whole weeks do."""
    chain = make_chain(qqq_like, days=(28, 63, 82, 98, 126))
    by_day, by_session, as_day = (
        fit_surface(chain, settings=SETTINGS.replace(**named)).vol()
        for named in (
            {"tenor_clock": "calendar"},
            {"tenor_clock": "variance"},
            {"tenor_clock": "variance", "weekend_weight": 1.0},
        )
    )
    assert by_session.value - by_day.value > 2e-4
    # but for half sessions
    assert as_day.value == pytest.approx(by_day.value, abs=2e-5)


def test_inputs_are_left_alone_and_a_second_run_is_the_same(chain: pd.DataFrame, surface: Surface) -> None:
    before = chain.copy(deep=True)
    again = fit_surface(chain, settings=SETTINGS)
    pd.testing.assert_frame_equal(chain, before)
    assert again.vol().value == surface.vol().value
    pd.testing.assert_frame_equal(again.quotes, surface.quotes)
    relabelled = fit_surface(surface.quotes[list(chain.columns)], settings=SETTINGS)
    assert relabelled.vol().value == surface.vol().value


def test_solving_all_lines_changes_no_reading(chain: pd.DataFrame, surface: Surface) -> None:
    everything = fit_surface(chain, settings=SETTINGS, solve_all=True)
    assert everything.vol().value == surface.vol().value
    assert everything.quotes["vol_mid"].notna().sum() > surface.quotes["vol_mid"].notna().sum()


def test_surfaces_cross_process_borders(surface: Surface) -> None:
    twin = pickle.loads(pickle.dumps(surface))  # noqa: S301 - our own bytes
    assert twin.vol(delta=0.3).value == surface.vol(delta=0.3).value
    assert twin.symbol == "QQQ"
    assert pickle.loads(pickle.dumps(surface.vol())).value == surface.vol().value  # noqa: S301


# --- bad quotes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.03, 1.1, 2.0, 10.0])
def test_one_fat_finger_moves_nothing(chain: pd.DataFrame, surface: Surface, factor: float) -> None:
    lines = chain.index[(chain["strike"] > 520) & (chain["strike"] < 600) & chain["is_call"]]
    for line in lines[::6]:
        bad = chain.copy()
        bad.loc[line, "bid"] = round(bad.loc[line, "bid"] * factor, 2)
        bad.loc[line, "ask"] = round(bad.loc[line, "ask"] * factor, 2)
        hit = fit_surface(bad, settings=SETTINGS)
        # 0.01 vol points; measured: 0.002 at worst over all lines and factors
        assert hit.vol().value == pytest.approx(surface.vol().value, abs=1e-4)
        assert hit.quotes.loc[line, "exclusion"] is not None


@pytest.mark.slow
def test_three_per_cent_of_gross_outliers(qqq_like: Any, make_chain: MakeChain) -> None:
    truth = qqq_like.reading(0.25, (84, 98))
    clean = make_chain(qqq_like)
    errors = []
    for seed in range(25):
        generator = np.random.default_rng(seed)
        hit = generator.random(len(clean)) < 0.03
        sign = generator.choice([-1.0, 1.0], len(clean))
        factor = np.where(hit, 1 + sign * generator.uniform(0.1, 0.4, len(clean)), 1.0)
        bad = clean.assign(bid=(clean["bid"] * factor).round(2), ask=(clean["ask"] * factor).round(2))
        errors.append(fit_surface(bad, settings=SETTINGS).vol().value - truth)
    assert np.isfinite(errors).all()
    assert float(np.sqrt(np.mean(np.square(errors)))) < 2e-4  # measured 0.005 vol points


# --- no reading -------------------------------------------------------------------------------------------


def reason(surface: Surface, **wanted: Any) -> str:
    estimate = surface.vol(**wanted)
    assert math.isnan(estimate.value)
    assert not estimate.is_read
    (code,) = estimate.flags
    entries = surface.failures(**wanted)
    assert entries[0].stage == Stage.TENOR
    assert entries[0].code == code
    assert entries[0].is_failure
    assert str(estimate.details["reason"]) in entries[0].detail
    return code


def test_tenors_beyond_the_expiries_are_not_read(surface: Surface) -> None:
    assert reason(surface, tenor="1m") == "NO_EXPIRY_BEFORE"
    assert reason(surface, tenor="1y") == "NO_EXPIRY_AFTER"
    assert surface.failures() == []
    with pytest.raises(SettingsError):
        surface.vol(tenor="soon")


def test_a_failed_gate_is_named_with_its_expiry_and_numbers(chain: pd.DataFrame) -> None:
    second = chain["expiry"] == chain["expiry"].max()
    around = second & chain["strike"].between(560, 590) & chain["is_call"]
    holed = chain.copy()
    holed.loc[around, "bid"] = 0.0
    surface = fit_surface(holed, settings=SETTINGS)
    assert reason(surface) == "NO_EXPIRY_AFTER"
    entries = surface.failures()
    assert {"DELTA_GAP"} <= {entry.code for entry in entries}
    gap = next(entry for entry in entries if entry.code == "DELTA_GAP")
    assert gap.stage == Stage.SMILE
    assert "2026-10-16" in gap.detail
    assert "gate 0.1" in gap.detail
    assert surface.smiles["gates_25c"].tolist()[0] == "passed"
    assert "DELTA_GAP" in surface.smiles["gates_25c"].tolist()[1]
    assert surface.vol(delta=0.75).flags == ("NO_EXPIRY_AFTER",) or surface.vol(delta=0.75).is_read


def test_one_sided_and_thin_wings(chain: pd.DataFrame) -> None:
    cut = chain[(chain["strike"] < 555) | ~chain["is_call"].astype(bool)].reset_index(drop=True)
    surface = fit_surface(cut, settings=SETTINGS)
    assert reason(surface) == "NO_EXPIRY_BEFORE"
    assert {"ONE_SIDED"} <= {entry.code for entry in surface.failures()}
    assert surface.vol(delta="25p").is_read


def test_chain_gates_are_in_the_ledger(chain: pd.DataFrame) -> None:
    strict = Settings(rate=0.04, gates=Gates(min_quotes=500, max_forward_error_bp=1e-6))
    surface = fit_surface(chain, settings=strict)
    assert reason(surface) == "NO_EXPIRY_BEFORE"
    assert sorted(entry.code for entry in surface.ledger) == ["FEW_QUOTES"] * 2 + ["FORWARD_ERROR"] * 2
    stages = {entry.code: entry.stage for entry in surface.ledger}
    assert stages == {"FEW_QUOTES": "smile", "FORWARD_ERROR": "forward"}
    assert all("2026-10-" in entry.detail and "gate" in entry.detail for entry in surface.ledger)


def test_a_thinner_expiry_nearby_is_looked_over_and_said(qqq_like: Any, make_chain: MakeChain) -> None:
    quotes = make_chain(qqq_like, days=(70, 84, 98))
    thin = (quotes["expiry"] == quotes["expiry"].unique()[1]) & (quotes["strike"] % 25 != 0)
    surface = fit_surface(quotes[~thin].reset_index(drop=True), settings=SETTINGS)
    estimate = surface.vol()
    assert estimate.value == pytest.approx(qqq_like.reading(0.25, (70, 98)), abs=3e-4)
    assert estimate.details["expiry_before"] == "2026-09-18"
    noted = surface.failures()
    assert noted
    assert all("2026-10-02" in entry.detail and not entry.is_failure for entry in noted)


def test_wide_brackets_are_flagged(qqq_like: Any, make_chain: MakeChain) -> None:
    surface = fit_surface(make_chain(qqq_like, days=(42, 126)), settings=SETTINGS)
    estimate = surface.vol()
    assert "WIDE_BRACKET" in estimate.flags
    assert estimate.details["bracket_error"] >= 0


def test_falling_total_variance_is_no_reading(qqq_like: Any, make_chain: MakeChain) -> None:
    early = make_chain(replace(qqq_like, level=0.24), days=(84,))
    late = make_chain(replace(qqq_like, level=0.17), days=(98,))
    surface = fit_surface(pd.concat([early, late], ignore_index=True), settings=SETTINGS)
    assert reason(surface) == "CAL_ARB"
    assert "2026-10-02" in surface.vol().details["reason"]


def test_a_chain_without_usable_lines(chain: pd.DataFrame) -> None:
    surface = fit_surface(chain.assign(bid=0.0), settings=SETTINGS)
    assert reason(surface) == "NO_QUOTES_LEFT"
    assert [entry.code for entry in surface.ledger] == ["NO_FORWARD"] * 2
    assert set(surface.smiles["method"]) == {"none"}
    unread = fit_surface(
        chain.assign(expiry=pd.Series(pd.NaT, index=chain.index, dtype=chain["expiry"].dtype))
    )
    assert unread.smiles.empty
    assert reason(unread) == "NO_QUOTES_LEFT"


def test_expired_lines_have_no_smile(qqq_like: Any, make_chain: MakeChain, surface: Surface) -> None:
    old = make_chain(qqq_like, days=(84,)).assign(expiry=pd.Timestamp("2026-07-09T20:00:00Z"))
    both = fit_surface(pd.concat([surface.quotes[old.columns], old], ignore_index=True), settings=SETTINGS)
    assert both.vol().value == pytest.approx(surface.vol().value, rel=1e-12)
    assert (both.quotes["exclusion"] == "EXPIRED").sum() == len(old)


def test_tables_that_are_not_one_snapshot_are_refused(chain: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="empty"):
        fit_surface(empty_quotes())
    two = pd.concat([chain, chain.assign(symbol="IWM")], ignore_index=True)
    with pytest.raises(InputError, match=r"IWM.*QQQ"):
        fit_surface(two)
    times = pd.concat(
        [chain, chain.assign(snapshot_time=chain["snapshot_time"] - pd.Timedelta(minutes=15))],
        ignore_index=True,
    )
    with pytest.raises(InputError, match="snapshot_time"):
        fit_surface(times)
    with pytest.raises(InputError, match="strike"):
        fit_surface(chain.drop(columns="strike"))


def test_a_line_that_its_vol_rejects_does_not_serve_the_forward(
    chain: pd.DataFrame, surface: Surface
) -> None:
    bad = chain.copy()
    wide = bad["strike"].isin([530.0, 535.0]) & bad["is_call"]
    bad.loc[wide, "bid"] = (bad.loc[wide, "bid"] - 4.5).round(2)
    bad.loc[wide, "ask"] = (bad.loc[wide, "ask"] + 4.5).round(2)
    hit = fit_surface(bad, settings=SETTINGS)
    rejected = hit.quotes["exclusion"] == "WIDE"
    assert rejected.sum() == 4  # both strikes are above the forwards of both expiries
    assert not (hit.quotes["used_in_forward"] & hit.quotes["exclusion"].notna()).any()
    assert hit.forwards["n_pairs"].tolist() == [12, 12]
    assert hit.vol().value == pytest.approx(surface.vol().value, abs=1e-4)


def test_rejected_lines_keep_their_vols(qqq_like: Any, make_chain: MakeChain) -> None:
    bad = make_chain(qqq_like, days=(28, 84, 98), width=0.4)
    calls = bad["is_call"].astype(bool) & (bad["expiry"] == bad["expiry"].max())
    wide, off = calls & (bad["strike"] == 530.0), calls & (bad["strike"] == 570.0)
    bad.loc[wide, ["bid", "ask"]] += [-4.5, 4.5]
    bad.loc[off, ["bid", "ask"]] += 0.6
    hit = fit_surface(bad, settings=SETTINGS).quotes
    assert hit.loc[wide, "exclusion"].tolist() == ["WIDE"]
    assert hit.loc[off, "exclusion"].isin(["OUTLIER", "VERT", "FLY"]).all()
    shown = hit[hit["exclusion"].isin(["WIDE", "TICK", "OUTLIER"]) & (hit["bid"] > 0)]
    shown = shown[shown["is_call"].astype(bool) == (shown["log_moneyness"] >= 0)]
    assert {"WIDE", "TICK"} <= set(shown["exclusion"])
    assert (shown["vol_status"] == "OK").all()
    assert shown[["vol_mid", "vol_ask"]].notna().all(axis=None)


def test_a_bad_line_of_one_expiry_leaves_the_others_bit_for_bit(qqq_like: Any, make_chain: MakeChain) -> None:
    days = (28, 84, 98, 189)
    clean = make_chain(qqq_like, days=days)
    bad = clean.copy()
    # wide calls near the money serve the forward until their vols are known
    hit = (bad["expiry"] == bad["expiry"].min()) & bad["strike"].isin([530.0, 535.0]) & bad["is_call"]
    bad.loc[hit, ["bid", "ask"]] += [-4.5, 4.5]
    whole, before = fit_surface(bad, settings=SETTINGS), fit_surface(clean, settings=SETTINGS)
    assert (whole.quotes.loc[hit, "exclusion"] == "WIDE").all()
    for expiry, lines in bad.groupby("expiry"):
        alone = fit_surface(lines, settings=SETTINGS)
        inside = whole.smiles[whole.smiles["expiry"] == expiry].reset_index(drop=True)
        pd.testing.assert_frame_equal(of_itself(inside), of_itself(alone.smiles), check_exact=True)
        pd.testing.assert_frame_equal(whole.quotes.loc[lines.index], alone.quotes, check_exact=True)
        if not hit[lines.index].any():
            untouched = before.smiles[before.smiles["expiry"] == expiry].reset_index(drop=True)
            pd.testing.assert_frame_equal(of_itself(inside), of_itself(untouched), check_exact=True)


def of_itself(smiles: pd.DataFrame) -> pd.DataFrame:
    """Without errors: what neighbouring quotes share is known of the whole chain only."""
    return smiles[[name for name in smiles.columns if not name.startswith("error_")]]


def test_a_steep_put_wing_has_no_outliers_but_a_line_beside_its_neighbours_is_one(
    qqq_like: Any, make_chain: MakeChain
) -> None:
    steep = replace(qqq_like, rho=-0.85, step=2.5)
    quotes = make_chain(steep, width=0.4)
    clean = fit_surface(quotes, settings=SETTINGS)
    assert not (clean.quotes["exclusion"] == "OUTLIER").any()
    # 0.02 vol points: the put wing is steeper than any that was measured
    assert clean.vol(delta="25p").value == pytest.approx(steep.reading(0.75, (84, 98)), abs=2e-4)
    near = clean.quotes["forward_call_delta"].between(0.70, 0.80) & ~quotes["is_call"].astype(bool)
    for line in quotes.index[near]:
        bad = quotes.copy()
        # 0.13 vol points up: within what neighbours allow, so that no arbitrage rule sees it
        bad.loc[line, ["bid", "ask"]] += 0.12
        hit = fit_surface(bad, settings=SETTINGS)
        assert hit.vol(delta="25p").value == pytest.approx(clean.vol(delta="25p").value, abs=1e-4)


def test_only_a_line_that_stands_alone_is_an_outlier() -> None:
    off = np.array(
        [
            [0.0, 0.0, 9.0, 0.0, 0.0, np.nan],  # alone
            [0.0, 0.0, 9.0, 5.0, 0.0, np.nan],  # one of a run
            [0.0, -5.0, 9.0, -5.0, 0.0, np.nan],  # its neighbours are off to the other side
        ]
    )
    assert _stands_alone(off)[:, 2].tolist() == [True, False, True]


def test_two_targets_together_leave_each_window_enough() -> None:
    """A window of six quotes may lose one by its own judgement and one by its neighbour's, but not both."""
    n = 7
    vol = np.full(n, 0.2)
    nodes = Nodes(
        slice_id=np.zeros(n, dtype=np.intp), log_moneyness=np.linspace(0.1, -0.1, n), vol=vol,
        error=np.full(n, 0.01), root_years=np.full(n, 0.5), row=np.arange(n),
    )  # fmt: skip
    members = np.array([[[0, 1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5, 6]]])
    delta = np.array([0.10, 0.24, 0.30, 0.40, 0.49, 0.60, 0.70])
    residual = np.zeros(n)
    residual[[1, 4]] = 9.0, -20.0
    one = np.full((2, 1), np.nan)
    fits = LocalFits(
        targets=np.array([0.25, 0.5]), vol=one, slope=one, curvature=one, error=one,
        n_points=np.full((2, 1), 6), is_wide=np.zeros((2, 1), dtype=bool), scale=np.full((2, 1), 0.1),
        rmse=one, rmse_half_spreads=one, node=members, delta=delta[members], residual=residual[members],
    )  # fmt: skip
    bad = near_outliers(fits, nodes, half_spreads=1.5)
    assert np.flatnonzero(bad).tolist() == [4]  # the worse of the two
    assert ((members >= 0) & ~bad[members]).sum(axis=2).min() >= MIN_POINTS


def test_a_window_widened_for_want_of_quotes_is_flagged(qqq_like: Any, make_chain: MakeChain) -> None:
    sparse = replace(qqq_like, step=20.0)
    loose = Settings(
        rate=0.04, smile_model="local", gates=Gates(min_quotes=5, min_wing_quotes=1, max_delta_gap=0.3)
    )
    estimate = fit_surface(make_chain(sparse), settings=loose).vol()
    assert "WIDE_WINDOW" in estimate.flags
    assert estimate.value == pytest.approx(
        sparse.reading(0.25, (84, 98)), abs=2e-3
    )  # five quotes over 0.5 of delta
