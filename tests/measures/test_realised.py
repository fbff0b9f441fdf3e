"""Realised vols: formulas, their errors, twins and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError, SettingsError
from volskew.measures.realised import (
    ESTIMATORS,
    garman_klass_variance,
    parkinson_variance,
    realised_vol,
    rogers_satchell_variance,
)

F64 = npt.NDArray[np.float64]
NAMES = list(ESTIMATORS)


def market(n: int, *, seed: int = 1, steps: int = 20, vol: float = 0.2, night: float = 0.3) -> dict[str, F64]:
    """Prices of a geometric Brownian motion without drift, `night` of its variance between the sessions."""
    rng = np.random.default_rng(seed)
    daily = vol / math.sqrt(252)
    gaps = rng.normal(0.0, daily * math.sqrt(night), n)
    path = rng.normal(0.0, daily * math.sqrt((1.0 - night) / steps), (n, steps)).cumsum(axis=1)
    path = np.column_stack([np.zeros(n), path])
    closes = np.cumsum(gaps + path[:, -1])
    opens = closes - path[:, -1]
    logs = {"open": opens, "high": opens + path.max(axis=1), "low": opens + path.min(axis=1), "close": closes}
    return {name: 100.0 * np.exp(value) for name, value in logs.items()}


def read(prices: dict[str, F64], window: int, name: str, **more: Any) -> F64:
    return realised_vol(window=window, estimator=name, **prices, **more).vol


# --- reference values -------------------------------------------------------------------------------------


def test_one_session_by_hand() -> None:
    """O, H, L, C = 100, 110, 95, 105; published formulas in 30 digits, rounded to ten decimals."""
    session = {"open": 100.0, "high": 110.0, "low": 95.0, "close": 105.0}
    assert round(float(parkinson_variance(high=110.0, low=95.0)), 10) == 0.0077518092
    assert round(float(garman_klass_variance(**session)), 10) == 0.0098267233
    assert round(float(rogers_satchell_variance(**session)), 10) == 0.0095674414
    prices = {name: np.array([value]) for name, value in session.items()}
    assert round(100 * read(prices, 1, "parkinson_session")[0], 3) == 139.766


def test_the_night_is_added_to_a_range() -> None:
    prices = {"open": [90.0, 102.0], "high": [105.0, 110.0], "low": [89.0, 95.0], "close": [100.0, 105.0]}
    found = realised_vol(window=1, estimator="parkinson", **prices).vol
    assert math.isnan(found[0])  # no close before it
    expected = math.sqrt(252 * (math.log(1.02) ** 2 + math.log(110 / 95) ** 2 / (4 * math.log(2))))
    assert found[1] == pytest.approx(expected, rel=1e-14)  # a dozen roundings
    alone = realised_vol(window=1, estimator="parkinson_session", **prices).vol
    assert alone[0] == pytest.approx(math.sqrt(252 * math.log(105 / 89) ** 2 / (4 * math.log(2))), rel=1e-14)


def slow(prices: dict[str, F64], n: int, name: str, dividends: F64, splits: F64) -> list[tuple[float, float]]:
    """The plain twin: one day, one window, one formula at a time, as the papers write them."""
    o, h, l, c = (prices[key].tolist() for key in ("open", "high", "low", "close"))  # noqa: E741
    result = []
    for t in range(len(c)):
        alone = name.endswith("_session")
        if t < n - alone:
            result.append((math.nan, math.nan))
            continue
        days = range(t - n + 1, t + 1)
        used = {"close_close": (c,), "parkinson_session": (h, l), "parkinson": (o, h, l)}.get(
            name, (o, h, l, c)
        )
        seen = [side[i] for side in used for i in days] + ([] if alone else [c[i - 1] for i in days])
        if any(math.isnan(x) for x in seen):
            result.append((math.nan, math.nan))
            continue
        before = {} if alone else {i: c[i - 1] / splits[i] - dividends[i] for i in days}
        nights = [] if alone else [math.log(o[i] / before[i]) for i in days]
        bodies = [math.log(c[i] / o[i]) for i in days]
        night = sum(x * x for x in nights) / n
        doubt = 2 * night**2 / n
        base = name.removesuffix("_session")
        satchell = [
            math.log(h[i] / c[i]) * math.log(h[i] / o[i]) + math.log(l[i] / c[i]) * math.log(l[i] / o[i])
            for i in days
            if base in {"rogers_satchell", "yang_zhang"}
        ]
        if base == "close_close":
            variance = sum(math.log(c[i] / before[i]) ** 2 for i in days) / n
            doubt = 2 * variance**2 / n
        elif base == "yang_zhang":
            k = 0.34 / (1.34 + (n + 1) / (n - 1))
            mean_o, mean_c = sum(nights) / n, sum(bodies) / n
            v_o = sum((x - mean_o) ** 2 for x in nights) / (n - 1)
            v_c = sum((x - mean_c) ** 2 for x in bodies) / (n - 1)
            rs = sum(satchell) / n
            variance = v_o + k * v_c + (1 - k) * rs
            doubt = 2 * v_o**2 / (n - 1) + k**2 * 2 * v_c**2 / (n - 1) + (1 - k) ** 2 * 0.331 * rs**2 / n
        else:
            if base == "parkinson":
                daily = [math.log(h[i] / l[i]) ** 2 / (4 * math.log(2)) for i in days]
            elif base == "garman_klass":
                daily = [
                    0.5 * math.log(h[i] / l[i]) ** 2 - (2 * math.log(2) - 1) * math.log(c[i] / o[i]) ** 2
                    for i in days
                ]
            else:
                daily = satchell
            session = sum(daily) / n
            relative = {"parkinson": 0.407332, "garman_klass": 2 / 7.4, "rogers_satchell": 0.331}[base]
            variance = session + (night if nights else 0.0)
            doubt = (doubt if nights else 0.0) + relative * session**2 / n
        vol = math.sqrt(252 * variance)
        result.append((vol, vol * math.sqrt(doubt) / (2 * variance)))
    return result


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("window", [2, 5, 21])
def test_equal_to_the_plain_twin(name: str, window: int) -> None:
    prices = market(60, seed=window)
    prices["close"][30] = np.nan
    prices["high"][45] = np.nan
    dividends, splits = np.zeros(60), np.ones(60)
    dividends[[10, 50]], splits[20] = 0.7, 0.5
    expected = np.array(slow(prices, window, name, dividends, splits))
    found = realised_vol(window=window, estimator=name, **prices, dividends=dividends, splits=splits)
    # sums of up to 21 terms in another order: some ulps; Parkinson's constant has six digits
    np.testing.assert_allclose(found.vol, expected[:, 0], rtol=1e-13)
    np.testing.assert_allclose(found.error, expected[:, 1], rtol=2e-6)
    assert np.isfinite(found.vol).any()


def test_equal_to_rolling_pandas() -> None:
    """Another implementation, of rolling sums and standard deviations by pandas."""
    prices = market(300)
    table = pd.DataFrame({name: np.log(value) for name, value in prices.items()})
    n = 63
    night, body = table["open"] - table["close"].shift(), table["close"] - table["open"]
    up, down = table["high"] - table["open"], table["low"] - table["open"]
    rs = (up * (up - body) + down * (down - body)).rolling(n).mean()
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    expected = {
        "close_close": (table["close"].diff() ** 2).rolling(n).mean(),
        "parkinson": (night**2).rolling(n).mean() + ((up - down) ** 2).rolling(n).mean() / (4 * np.log(2)),
        "garman_klass_session": (0.5 * (up - down) ** 2 - (2 * np.log(2) - 1) * body**2).rolling(n).mean(),
        "rogers_satchell_session": rs,
        "yang_zhang": night.rolling(n).var() + k * body.rolling(n).var() + (1 - k) * rs,
    }
    for name, variance in expected.items():
        # differences of logarithms near 4.6 have lost two digits, running sums two more
        np.testing.assert_allclose(read(prices, n, name), np.sqrt(252 * variance), rtol=1e-10)


def test_dividends_are_as_in_adjusted_closes() -> None:
    """Vendors multiply all closes before an ex-date by 1 - D/C, C the close before it."""
    prices = market(40)
    dividends = np.zeros(40)
    dividends[[12, 30]] = 0.8, 1.3
    adjusted = prices["close"].copy()
    for day in (12, 30):
        adjusted[:day] *= 1.0 - dividends[day] / prices["close"][day - 1]
    plain = realised_vol(adjusted, window=10).vol
    # a product of two factors in front of each ratio
    np.testing.assert_allclose(read(prices, 10, "close_close", dividends=dividends), plain, rtol=1e-12)
    assert (read(prices, 10, "close_close") != read(prices, 10, "close_close", dividends=dividends)).any()


def test_splits_are_taken_out() -> None:
    prices = market(40)
    splits = np.ones(40)
    splits[20] = 4.0
    halved = {name: np.where(np.arange(40) < 20, value, value / 4.0) for name, value in prices.items()}
    for name in NAMES:
        found = read(halved, 10, name, splits=splits)
        np.testing.assert_array_equal(found, read(prices, 10, name))  # powers of two change no digit


# --- laws -------------------------------------------------------------------------------------------------

_STEPS = st.lists(
    st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(0, 0.1), st.floats(0, 0.1)),
    min_size=6,
    max_size=25,
)


def walked(steps: list[tuple[float, float, float, float]], start: float = 64.0) -> dict[str, F64]:
    rows, last = [], start
    for night, body, up, down in steps:
        first = last * math.exp(night)
        close = first * math.exp(body)
        rows.append((first, max(first, close) * math.exp(up), min(first, close) * math.exp(-down), close))
        last = close
    return dict(zip(("open", "high", "low", "close"), np.array(rows).T, strict=True))


@given(steps=_STEPS, window=st.integers(2, 5), exponent=st.integers(-20, 20), factor=st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_no_unit_of_prices_matters(
    steps: list[tuple[float, float, float, float]], window: int, exponent: int, factor: float
) -> None:
    prices = walked(steps)
    for name in NAMES:
        vol = read(prices, window, name)
        doubled = {key: value * 2.0**exponent for key, value in prices.items()}
        np.testing.assert_array_equal(read(doubled, window, name), vol)
        scaled = {key: value * factor for key, value in prices.items()}
        # each price is rounded once more, which moves a log return by an ulp of 1, the vol by up to
        # sqrt(252) of it; where all moves are as small, the vol is as much as the rounding
        np.testing.assert_allclose(read(scaled, window, name), vol, rtol=1e-9, atol=1e-7)


@given(steps=_STEPS, window=st.integers(2, 5), cut=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_later_days_change_no_bit(
    steps: list[tuple[float, float, float, float]], window: int, cut: int
) -> None:
    prices = walked(steps)
    for name in NAMES:
        whole = realised_vol(window=window, estimator=name, **prices)
        short = realised_vol(window=window, estimator=name, **{k: v[:-cut] for k, v in prices.items()})
        np.testing.assert_array_equal(whole.vol[:-cut], short.vol)
        np.testing.assert_array_equal(whole.error[:-cut], short.error)


@given(steps=_STEPS, window=st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_vols_are_vols(steps: list[tuple[float, float, float, float]], window: int) -> None:
    prices = walked(steps)
    for name in NAMES:
        found = realised_vol(window=window, estimator=name, **prices)
        first = window if ESTIMATORS[name].needs_previous else window - 1
        assert np.isnan(found.vol[:first]).all()
        assert (found.vol[first:] >= 0.0).all()
        assert (found.error[first:] >= 0.0).all()
        if not name.endswith("_session"):
            continue
        # a night's variance never lowers a vol
        assert (found.vol[window:] <= read(prices, window, name.removesuffix("_session"))[window:]).all()


@pytest.mark.parametrize("name", NAMES)
def test_prices_that_stand_still_have_no_vol(name: str) -> None:
    prices = {key: np.full(10, 123.456) for key in ("open", "high", "low", "close")}
    found = realised_vol(window=4, estimator=name, **prices)
    assert set(found.vol[4:]) == {0.0}
    assert set(found.error[4:]) == {0.0}


def test_a_window_longer_than_the_history_is_no_error() -> None:
    for name in NAMES:
        assert np.isnan(read(market(5), 20, name)).all()
    assert realised_vol([], window=3).vol.shape == (0,)


def test_inputs_stay_as_they_are() -> None:
    prices = market(30)
    before = {name: value.copy() for name, value in prices.items()}
    for name in NAMES:
        read(prices, 5, name, dividends=np.zeros(30), splits=np.ones(30))
    for name, value in prices.items():
        np.testing.assert_array_equal(value, before[name])


# --- a simulated market whose vol is known ------------------------------------------------------------------


def test_efficiencies_of_sessions_watched_390_times() -> None:
    """Variance of the close-to-close estimate over that of each range estimator, and what steps hide.

    40,000 sessions: the ratio of two sample variances, of squares with kurtosis up to about 15, is known to
    some 2 % (one standard error); the mean of each estimate to 0.4 %. Four of them are allowed.
    """
    prices = market(40_000, seed=7, steps=390, vol=math.sqrt(252) * 0.01, night=0.0)
    true = 0.01**2
    body = np.log(prices["close"] / prices["open"]) ** 2
    found = {
        "parkinson": parkinson_variance(high=prices["high"], low=prices["low"]),
        "rogers_satchell": rogers_satchell_variance(**prices),
        "garman_klass": garman_klass_variance(**prices),
    }
    efficiency = {"parkinson": 5.2, "rogers_satchell": 6.6, "garman_klass": 8.3}
    for name, variance in found.items():
        assert body.var() / variance.var() == pytest.approx(efficiency[name], rel=0.08)
        assert 0.07 - 0.016 < 1.0 - variance.mean() / true < 0.09 + 0.016


@pytest.fixture(scope="module")
def watched() -> dict[str, F64]:
    return market(21_000, seed=11, steps=390)


@pytest.mark.parametrize("name", NAMES)
def test_the_error_is_how_far_vols_of_windows_lie_apart(name: str, watched: dict[str, F64]) -> None:
    """1,000 windows of 21 sessions that share no day: their spread is known to 2.2 %, one standard error.

    The error is that of prices watched all the time; 390 looks a session spread range estimates by another 4
    (Parkinson) to 7 % (Rogers-Satchell). Three standard errors around that are allowed.
    """
    n = 21
    found = realised_vol(window=n, estimator=name, **watched)
    apart = slice(2 * n - 1, None, n)
    assert 0.93 < found.vol[apart].std() / found.error[apart].mean() < 1.14


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [0, -3, 2.0, True, "5", None])
def test_windows_are_whole_numbers(window: Any) -> None:
    with pytest.raises(SettingsError, match="the window of close_close must be a whole number of at least 1"):
        realised_vol([1.0, 2.0], window=window)


def test_a_sample_variance_needs_two_days() -> None:
    with pytest.raises(SettingsError, match="the window of yang_zhang must be a whole number of at least 2"):
        read(market(5), 1, "yang_zhang")


def test_what_an_estimator_needs() -> None:
    with pytest.raises(
        SettingsError, match="no estimator of realised vol is called 'hodges'; there is close"
    ):
        realised_vol([1.0], window=1, estimator="hodges")
    with pytest.raises(SettingsError, match="parkinson needs open, high and low beside the close"):
        realised_vol([1.0], window=1, estimator="parkinson", high=[1.0], low=[1.0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"close": [1.0, 0.0]}, "'close': element 1 is not accepted: 0.0. Accepted: finite numbers above 0"),
        ({"close": [1.0, math.inf]}, "'close': element 1 is not accepted"),
        ({"close": [[1.0]]}, "'close': an array of another shape"),
        ({"close": [1.0, 1.0], "dividends": [0.0]}, "'dividends': an array of another shape"),
        ({"close": [1.0, 1.0], "dividends": [0.0, -1.0]}, "'dividends': element 1 is not accepted: -1.0"),
        ({"close": [5.0, 1.0], "dividends": [0.0, 5.0]}, "the dividend of day 1 leaves nothing of the close"),
        ({"close": [5.0, 1.0], "splits": [1.0, 0.0]}, "'splits': element 1 is not accepted"),
    ],
)
def test_arrays_that_are_no_prices(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        realised_vol(window=1, **arguments)
    assert words in str(caught.value)


def test_what_is_no_row_of_prices_is_named() -> None:
    for close in (None, "abc", 100.0, ["a", "b"], [1 + 2j], pd.DataFrame(market(30))):
        with pytest.raises(InputError, match="close"):
            realised_vol(close, window=5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="dividends must be an array of numbers, got 'none'"):
        realised_vol([100.0, 101.0], window=1, dividends="none")
    with pytest.raises(
        SettingsError, match=r"no estimator .* is called \['parkinson'\]; there is close_close"
    ):
        realised_vol([100.0, 101.0], window=1, estimator=["parkinson"])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_a_window_longer_than_any_sample_is_never_whole(name: str) -> None:
    assert np.isnan(realised_vol(window=10**30, estimator=name, **market(30)).vol).all()


def test_highs_and_lows_exchanged_are_refused() -> None:
    prices = market(30)
    with pytest.raises(InputError, match="column 'high': element 0 is below the low of its session"):
        realised_vol(
            window=5, estimator="parkinson", **prices | {"high": prices["low"], "low": prices["high"]}
        )
    with pytest.raises(InputError, match="column 'high': element 0 is below the low of its session"):
        realised_vol(prices["close"], window=5, high=prices["low"] * 0.5, low=prices["low"])


def test_days_of_a_table_must_follow_one_another() -> None:
    table = pd.DataFrame(market(30), index=pd.bdate_range("2026-01-05", periods=30))
    expected = realised_vol(window=5, estimator="yang_zhang", **market(30))
    found = realised_vol(window=5, estimator="yang_zhang", **{str(name): table[name] for name in table})
    assert np.array_equal(found.vol, expected.vol, equal_nan=True)
    for wrong in (table.iloc[::-1], pd.concat([table, table.iloc[[-1]]])):
        with pytest.raises(
            InputError, match=r"the day of element \d+ is not after the one before it: '2026-"
        ):
            realised_vol(wrong["close"], window=5)
    with pytest.raises(InputError, match="column 'open': not the days of the closes"):
        realised_vol(table["close"], window=5, open=table["open"].iloc[::-1])
