"""Which words a sample has earned, over hand-made samples."""

from __future__ import annotations

import datetime as dt
import math
import re
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from volskew.ranking import Ranking, rank
from volskew.ranking.band_words import band_text, describe_bands
from volskew.ranking.measurement import MeasurementBand
from volskew.ranking.sampling import SamplingBand
from volskew.ranking.verdict import describe_reading

END = "2026-07-10"


def _rank(ratios: np.ndarray, *, b: float = 0.2, error: float | None = None, **options: str) -> Ranking:
    """The ranking of a pair whose first leg is a given multiple of the second."""
    index = pd.bdate_range(end=END, periods=len(ratios))
    panel = pd.DataFrame({"QQQ": b * ratios, "IWM": b}, index=index)
    errors = None if error is None else pd.DataFrame(error, index=index, columns=["QQQ", "IWM"])
    return rank(panel, errors=errors, **options)  # type: ignore[arg-type]


def _verdicts(ranking: Ranking) -> dict[tuple[str, str], str]:
    table = ranking.table
    return dict(zip(zip(table["form"], table["window"], strict=True), table["verdict"], strict=True))


def _sample(n: int, *, today: int) -> np.ndarray:
    """n different ratios in random order, today's (the last) having `today` smaller ones."""
    ratios = 1 + np.arange(n) / (2 * n)
    others = np.delete(ratios, today)
    return np.append(np.random.default_rng(n).permutation(others), ratios[today])


@pytest.mark.parametrize(
    ("n", "today", "phrase"),
    [
        (252, 0, "is low in 252 sessions against IWM"),  # a record, but no word for it yet
        (255, 25, "is low in 255 sessions against IWM"),  # mid-rank 10 exactly
        (255, 229, "is high in 255 sessions against IWM"),  # 90 exactly
        (503, 0, "is low in 503 sessions against IWM"),
        (503, 40, "is low in 503 sessions against IWM"),
        (503, 250, "is in the middle of its range in 503 sessions against IWM"),
        (503, 502, "is high in 503 sessions against IWM"),
        (504, 0, "is at a record low in 1.9 years of data against IWM"),
        (504, 503, "is at a record high in 1.9 years of data against IWM"),
        (1000, 20, "is low in 3.8 years of data against IWM"),
        (1000, 970, "is high in 3.8 years of data against IWM"),
        (1259, 0, "is at a record low in 4.8 years of data against IWM"),
        (1260, 0, "is at an all-time record low against IWM"),
        (1260, 1259, "is at an all-time record high against IWM"),
        (1260, 30, "is near historical lows against IWM"),
        (1260, 1240, "is near historical highs against IWM"),
        (1260, 100, "is low against IWM"),
        (1260, 1150, "is high against IWM"),
        (1260, 126, "is in the middle of its range against IWM"),  # mid-rank 10.04
        (1260, 125, "is low against IWM"),  # 9.96
    ],
)
def test_words_by_length_and_percentile(n: int, today: int, phrase: str) -> None:
    verdict = _rank(_sample(n, today=today)).verdict
    assert phrase in verdict
    assert f"{n:,} sessions since " in verdict
    if n < 1260:
        assert "historical" not in verdict
        assert "all-time" not in verdict
    if n < 504:
        assert "record" not in verdict


def test_near_historical_lows_need_the_five_years_as_well_as_the_whole() -> None:
    # low in 2,000 sessions because the older 740 are high; within the last 1,260 today stands at 8
    older, recent = np.linspace(1.6, 1.9, 740), _sample(1260, today=100)
    ranking = _rank(np.append(older, recent))
    assert ranking.table["percentile"].iloc[0] == pytest.approx(5.025)
    assert "is low against IWM" in ranking.verdict
    older = np.linspace(1.6, 1.9, 1260)
    ranking = _rank(np.append(older, recent))
    assert ranking.table["percentile"].iloc[0] < 5 < ranking.table["percentile"].iloc[1]
    assert "is low against IWM" in ranking.verdict
    assert "historical" not in ranking.verdict
    assert "historical" not in " ".join(_rank(np.append(older, recent)).table["verdict"])
    ranking = _rank(np.append(older, _sample(1260, today=60)))
    assert "is near historical lows against IWM" in ranking.verdict


def test_the_five_years_count_even_where_their_window_is_not_asked_for() -> None:
    ratios = np.append(np.linspace(1.6, 1.9, 1260), _sample(1260, today=100))
    verdict = _rank(ratios, windows=("full",)).verdict  # type: ignore[arg-type]
    assert "is low against IWM" in verdict
    assert "5y" not in verdict


def test_a_whole_headline_sentence() -> None:
    ratios = _sample(2770, today=116)
    index = pd.bdate_range(end=END, periods=2770)
    smaller = [day for day, ratio in zip(index, ratios, strict=True) if ratio < ratios[-1]]
    five, two, one = (
        f"{100 * (sum(day >= index[-n] for day in smaller) + 0.5) / n:.1f}" for n in (1260, 504, 252)
    )
    since = len(index) - 1 - int(np.flatnonzero(index == smaller[-1])[0])
    assert _rank(ratios, b=0.185).verdict == (
        "QQQ 3m 25-delta call vol is near historical lows against IWM: 18.9 % against 18.5 % on 2026-07-10, "
        "log ratio 0.021 (ratio 1.021, spread 0.39 vol points), "
        "percentile 4.2 (90 % sampling band 3 to 5) of 2,770 sessions since "
        f"{index[0].date()} (5y: {five}, 2y: {two}, 1y: {one}). QQQ vol is cheap relative to IWM vol. "
        f"A log ratio this low was last seen on {smaller[-1].date()}, {since} sessions before."
    )


def test_the_headline_names_both_bands_and_no_other_row_does() -> None:
    ratios = _sample(1500, today=40)
    ranking = _rank(ratios, error=0.0002)
    head = ranking.headline
    found = re.search(
        r"percentile 2\.7 \(90 % sampling band (\S+) to (\S+), measurement (\S+) to (\S+)\) of 1,500",
        ranking.verdict,
    )
    assert found is not None
    ends = [float(text) for text in found.groups()]
    exact = head[["sampling_low", "sampling_high", "measurement_low", "measurement_high"]].tolist()
    for shown, end, step, is_low in zip(
        ends, exact, (1, 1, 0.1, 0.1), (True, False, True, False), strict=True
    ):
        assert 0 <= (end - shown if is_low else shown - end) < step  # rounded outwards
    assert sum("band" in verdict for verdict in ranking.table["verdict"]) == 1
    assert "band" not in _rank(ratios[-100:], error=0.0002).verdict  # no percentile, no band


@pytest.mark.parametrize(
    ("sampling", "measurement", "text"),
    [
        ((1.4, 7.2), (2.84, 3.31), " (90 % sampling band 1 to 8, measurement 2.8 to 3.4)"),
        ((0.03, 0.72), None, " (90 % sampling band 0 to 0.8)"),
        ((98.1, 99.96), (100.0, 100.0), " (90 % sampling band 98 to 100, measurement 100 to 100)"),
        (None, (2.8, 3.4), " (90 % measurement band 2.8 to 3.4)"),
        (None, None, ""),
    ],
)
def test_bands_in_words(
    sampling: tuple[float, float] | None, measurement: tuple[float, float] | None, text: str
) -> None:
    statistics = Mock(
        sampling=sampling and SamplingBand(*sampling, n_effective=9.0),
        measurement=measurement and MeasurementBand(*measurement, p_record=0.0, p_low5=1.0, p_high5=0.0),
    )
    assert describe_bands(statistics) == text
    for kind, band in (("sampling", sampling), ("measurement", measurement)):
        if band is not None:  # a table shows what the sentence says
            assert band_text(*band, kind=kind) in text  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["sampling", "measurement"])
def test_a_band_is_rounded_outwards(kind: str) -> None:
    for low, high in np.sort(np.random.default_rng(1).uniform(0, 100, (500, 2)), axis=1):
        shown = [float(end) for end in band_text(low, high, kind=kind).split(" to ")]  # type: ignore[arg-type]
        assert shown[0] <= low <= high <= shown[1]
        assert max(low - shown[0], shown[1] - high) < 1


def test_a_record_that_is_not_sure_says_how_sure() -> None:
    ratios = np.append(np.linspace(1.0, 1.5, 1299), 0.998)  # 1.4 errors of the difference below the record
    ranking = _rank(ratios, error=0.00014)
    sure = float(ranking.headline["p_record"])
    assert 0.5 < sure < 0.95
    assert f"is at an all-time record low ({100 * sure:.0f} % sure) against IWM" in ranking.verdict
    assert "% sure" not in _rank(ratios, error=0.00001).verdict
    assert "% sure" not in _rank(ratios).verdict


def test_a_tie_is_told_by_the_error_of_the_difference_where_both_are_known() -> None:
    ratios = np.append(np.linspace(1.0, 1.5, 1299), 0.999)  # 0.0010 below the old record
    index = pd.bdate_range(end=END, periods=1300)
    panel = pd.DataFrame({"QQQ": 0.2 * ratios, "IWM": 0.2}, index=index)
    errors = pd.DataFrame({"QQQ": 0.00015, "IWM": 0.0}, index=index)  # of the log ratio 0.00075
    assert "tied with the record low" in rank(panel, errors=errors).verdict  # 0.00106 of the difference
    errors.iloc[0] = math.nan  # that of the old record is not known
    assert "at an all-time record low" in rank(panel, errors=errors).verdict
    errors.iloc[0, 0] = 0.0
    errors.iloc[0, 1] = 0.0
    assert "at an all-time record low" in rank(panel, errors=errors).verdict


def test_high_is_dear_and_the_record_before_is_named() -> None:
    ratios = np.append(np.linspace(1.0, 1.2, 1299), 1.3)
    ranking = _rank(ratios)
    assert "QQQ vol is dear relative to IWM vol." in ranking.verdict
    # ln 1.2, reached the day before
    assert ranking.verdict.endswith("The record high before was 0.182322 on 2026-07-09.")


def test_an_equal_value_ties_a_record_and_sets_none() -> None:
    ratios = np.append(np.linspace(1.0, 1.5, 1299), 1.0)
    verdict = _rank(ratios).verdict
    first = pd.bdate_range(end=END, periods=1300)[0].date()
    assert f"is tied with the record low of {first} against IWM" in verdict
    assert "all-time" not in verdict


def test_a_record_within_one_standard_error_is_a_tie() -> None:
    # ln 0.999 is 0.0010 below the old record ln 1; the error of the log ratio is about 7.07 times the legs'
    ratios = np.append(np.linspace(1.0, 1.5, 1299), 0.999)
    assert "at an all-time record low" in _rank(ratios, error=0.0001).verdict
    assert "tied with the record low of" in _rank(ratios, error=0.0002).verdict
    # and so is a value just above it
    ratios[-1] = 1.0003
    assert "tied with the record low of" in _rank(ratios, error=0.0002).verdict
    assert "near historical lows" in _rank(ratios, error=0.00001).verdict


def test_short_windows_speak_of_their_own_sessions() -> None:
    table = _verdicts(_rank(np.append(np.linspace(1.5, 1.0, 1399), 1.1)))
    assert "is in the middle of its range in the last 504 sessions against IWM" in table["log_ratio", "2y"]
    table = _verdicts(_rank(np.append(np.linspace(1.0, 1.5, 1399), 0.9)))
    assert "is at a record low of the last 504 sessions" in table["log_ratio", "2y"]
    assert "is at a record low of the last 1,260 sessions" in table["spread", "5y"]
    assert "is low in the last 252 sessions against" in table["ratio", "1y"]


def test_too_little_history() -> None:
    ranking = _rank(np.linspace(1.0, 1.2, 47))
    first = pd.bdate_range(end=END, periods=47)[0].date()
    assert ranking.verdict == (
        "QQQ 3m 25-delta call vol against IWM: 24.0 % against 20.0 % on 2026-07-10, log ratio 0.182 "
        f"(ratio 1.200, spread 4.00 vol points); 47 sessions since {first}: no percentile under 252. "
        "That is too short a history to say where QQQ stands against IWM."
    )
    one = _rank(np.array([1.1]))
    assert one.table["verdict"].iloc[1].endswith("1 session since 2026-07-10: no percentile under 252.")
    for verdict in [*ranking.table["verdict"], *one.table["verdict"]]:
        assert not re.search(r"percentile \d", verdict)
        assert not re.search("low|high|cheap|dear", verdict)


def test_differences_of_vols_are_in_vol_points() -> None:
    ratios = np.append(np.linspace(1.0, 1.2, 1299), 1.3)
    skew = {"measure": "call_skew", "unit": "vol", "b": -0.01}
    ranking = _rank(ratios, forms=("spread",), **skew)  # type: ignore[arg-type]
    assert ranking.verdict.startswith(
        "QQQ 3m 25-delta call skew is at an all-time record low against IWM: -1.30 vol points against "
        "-1.00 vol points on 2026-07-10, spread -0.30 vol points, percentile "
    )
    assert ranking.verdict.endswith("The record low before was -0.20 vol points on 2026-07-09.")
    assert "cheap" not in ranking.verdict
    vol = _rank(ratios, measure="realised_vol", unit="vol").verdict
    assert "26.0 % against 20.0 % on 2026-07-10" in vol
    plain = _rank(ratios, unit="number").verdict
    assert "0.26 against 0.2 on 2026-07-10" in plain


def test_a_disagreeing_form_is_named() -> None:
    # both vols are low today: the spread is small as ever then, while the ratio is at its usual level
    random = np.random.default_rng(3)
    level = np.append(random.uniform(0.15, 0.40, 1299), 0.10)
    ratio = np.append(random.uniform(1.05, 1.15, 1299), 1.10)
    panel = pd.DataFrame({"QQQ": level * ratio, "IWM": level}, index=pd.bdate_range(end=END, periods=1300))
    ranking = rank(panel)
    assert "is in the middle of its range against IWM" in ranking.verdict
    spread = ranking.table[(ranking.table["form"] == "spread") & (ranking.table["window"] == "full")]
    low = float(spread["percentile"].iloc[0])
    assert ranking.verdict.endswith(f"The spread disagrees: it is low, percentile {low:.1f}.")
    agreeing = _rank(_sample(1300, today=650))
    assert "disagrees" not in agreeing.verdict


def test_the_shown_percentile_never_contradicts_the_word() -> None:
    assert "percentile 10.04 (" in _rank(_sample(1260, today=126)).verdict  # one decimal would read 10.0
    assert "percentile 9.96 (" in _rank(_sample(1260, today=125)).verdict


@pytest.mark.parametrize("series", ["simulated:close", "Simulated", "simulated:close+history"])
def test_simulated_data_are_called_so_in_every_row(series: str) -> None:
    for n in (47, 300):
        ranking = _rank(_sample(n, today=5), series=series)
        assert all(verdict.startswith("Simulated data: QQQ") for verdict in ranking.table["verdict"])
    assert not _rank(_sample(300, today=5), series="close").verdict.startswith("Simulated")


def test_a_missing_leg_is_named_with_the_last_day_of_both() -> None:
    index = pd.bdate_range(end=END, periods=300)
    panel = pd.DataFrame({"QQQ": 0.21, "IWM": 0.18}, index=index)
    panel.iloc[-2:, 1] = math.nan
    assert rank(panel).verdict == (
        "IWM has no reading on 2026-07-10 (QQQ 21.0 %), so QQQ is not ranked against IWM; "
        "the last day with both is 2026-07-08."
    )
    assert rank(panel, as_of=dt.date(2026, 7, 12)).verdict.startswith(
        "Neither QQQ nor IWM has a reading on 2026-07-12, so"
    )
    panel["IWM"] = math.nan
    assert rank(panel).verdict.endswith("no day has both.")


def test_low_coverage_gives_its_share() -> None:
    ratios = _sample(400, today=3)
    ratios[1:101] = math.nan
    verdict = _rank(ratios).verdict
    assert "both legs on 300 of 400 sessions since 2024-12-30 (75.0 %): no percentile under 90 %." in verdict


def test_constant_pairs_are_called_constant() -> None:
    ranking = _rank(np.full(300, 1.1))
    assert "is constant in 300 sessions against IWM" in ranking.verdict
    assert ranking.headline["flags"] == "CONSTANT"


def test_only_vols_are_cheap_or_dear() -> None:
    verdict = _rank(_sample(600, today=3), measure="call_skew", delta="-").verdict
    assert verdict.startswith(
        "QQQ 3m call skew is low in 2.3 years of data against IWM: 0.2005 against 0.2 on"
    )
    assert "cheap" not in verdict


@pytest.mark.parametrize(
    ("measure", "tenor", "delta", "words"),
    [
        ("implied_vol", "3m", "0.25", "3m 25-delta call vol"),
        ("implied_vol", "3m", "0.75", "3m 25-delta put vol"),
        ("implied_vol", "1y", "0.5", "1y 50-delta vol"),
        ("implied_vol", "91d", "0.1", "91d 10-delta call vol"),
        ("implied_vol", "3m", "0.9", "3m 10-delta put vol"),
        ("put_skew", "1m", "-", "1m put skew"),
        ("call_skew", "3m", "0.25", "3m 25-delta call skew"),
        ("put_skew", "3m", "0.25", "3m 25-delta put skew"),
        ("put_skew", "3m", "0.75", "3m 25-delta put skew"),
        ("risk_reversal", "3m", "0.25", "3m 25-delta risk reversal"),
        ("butterfly", "1y", "0.1", "1y 10-delta butterfly"),
        ("realised_ratio", "3m", "0.25", "3m 25-delta call realised ratio"),
        ("-", "-", "-", ""),
        ("", "", "", ""),
    ],
)
def test_readings_in_words(measure: str, tenor: str, delta: str, words: str) -> None:
    assert describe_reading(measure, tenor, delta) == words


def test_a_spread_as_headline_names_its_record_in_vol_points() -> None:
    ratios = np.append(np.linspace(1.0, 1.2, 1299), 1.3)
    ranking = _rank(ratios, forms=("spread",))  # type: ignore[arg-type]
    assert "on 2026-07-10, spread 6.00 vol points, percentile 99.96 (" in ranking.verdict
    assert ranking.verdict.endswith("The record high before was 4.00 vol points on 2026-07-09.")


def test_forms_that_do_not_exist_today_are_left_out_of_the_facts() -> None:
    panel = pd.DataFrame({"QQQ": [0.2, 0.2], "IWM": [0.1, 0.0]}, index=pd.bdate_range(end=END, periods=2))
    ranking = rank(panel)
    assert "20.0 % against 0.0 % on 2026-07-10, spread 20.00 vol points (" not in ranking.verdict
    assert "20.0 % against 0.0 % on 2026-07-10, spread 20.00 vol points; 2 sessions" in ranking.verdict
    log_only = rank(panel, forms=["log_ratio"]).verdict
    assert "20.0 % against 0.0 % on 2026-07-10; a leg is at or below zero on 1 of 2 sessions" in log_only


def test_no_verdict_shows_a_negative_zero() -> None:
    ratios = _sample(300, today=100)
    ratios[-1] = 0.9999999
    assert "log ratio 0.000 (ratio 1.000, spread 0.00 vol points)" in _rank(ratios).verdict
