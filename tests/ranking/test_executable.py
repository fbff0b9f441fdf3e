"""Executable levels: sides, costs, a slow twin, what is missing, and the sentence."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from volskew.errors import InputError
from volskew.ranking import Executable, Ranking, TwoSided, executable_level, executable_levels, rank
from volskew.ranking.forms import FORMS

NAN = math.nan


def panel(n: int = 700, *, seed: int = 5, low: bool = True) -> pd.DataFrame:
    """Two vols of eight decimals; on the last day the first is low, or high, against the second."""
    random = np.random.default_rng(seed)
    vols = np.round(0.2 * np.exp(0.15 * np.tanh(np.cumsum(random.normal(0, 0.1, (n, 2)), axis=0))), 8)
    vols[-1] = (0.18, 0.2) if low else (0.22, 0.2)
    vols[5:9, 1] = NAN
    return pd.DataFrame(vols, columns=["QQQ", "IWM"], index=pd.bdate_range(end="2026-07-10", periods=n))


def twin(ranking: Ranking, form: str, window: str, *, a: float, b: float) -> dict[str, float]:
    """The percentile of two levels by scipy, today's mid replaced by them."""
    both = ranking.series.dropna(subset=["a", "b"])
    size = {"full": None, "5y": 1260, "2y": 504, "1y": 252}[window]
    sample = both[form].tolist()[-size if size else 0 :]
    value = {"spread": a - b, "ratio": a / b, "log_ratio": math.log(a / b)}[form]
    others = [*sample[:-1], value]
    return {
        "strict": float(percentileofscore(others, value, kind="strict")),
        "weak": float(percentileofscore(others, value, kind="weak")),
        "mid": float(percentileofscore(others, value, kind="mean")),
    }


@pytest.mark.parametrize("low", [True, False])
def test_every_row_as_a_slow_twin_places_it(low: bool) -> None:
    ranking = rank(panel(low=low))
    bids, asks = (0.1787, 0.1982) if low else (0.2187, 0.1982), (0.1814, 0.2019) if low else (0.2214, 0.2019)
    levels = executable_levels(ranking, bids=bids, asks=asks)
    assert len(levels) == len(ranking.table) == 12
    for row, level in zip(ranking.table.to_dict("records"), levels, strict=True):
        assert level.form == row["form"]
        if math.isnan(row["percentile"]):  # the 5-year window is short
            assert (row["window"], level.percentile) == ("5y", None)
            assert level.reason == "the mids have no percentile, so no side is to be taken"
            continue
        assert level.buys_a is (row["percentile"] < 50)
        a, b = (asks[0], bids[1]) if level.buys_a else (bids[0], asks[1])
        wanted = twin(ranking, row["form"], row["window"], a=a, b=b)
        assert level.percentile is not None
        assert (level.percentile.strict, level.percentile.weak, level.percentile.mid) == pytest.approx(
            (wanted["strict"], wanted["weak"], wanted["mid"]),
            abs=1e-9,  # counts over n, summed otherwise
        )
        a, b = (bids[0], asks[1]) if level.buys_a else (asks[0], bids[1])
        back = twin(ranking, row["form"], row["window"], a=a, b=b)["mid"]
        assert level.round_trip_percentile == pytest.approx(abs(level.percentile.mid - back), abs=1e-9)
        assert level.round_trip == pytest.approx(0.0027 + 0.0037, abs=1e-12)  # sums of four decimals
        assert level.mid_percentile == row["percentile"]


def test_who_is_low_is_bought_at_the_ask() -> None:
    a, b = TwoSided(0.18, 0.178, 0.181), TwoSided(0.2, 0.198, 0.202)
    sample = np.linspace(-0.05, 0.05, 101).round(3)
    sample[-1] = -0.02
    bought = executable_level("spread", sample=sample, a=a, b=b, mid_percentile=30.0)
    sold = executable_level("spread", sample=sample, a=a, b=b, mid_percentile=50.0)
    assert (bought.buys_a, bought.value) == (True, -0.017)  # 0.181 - 0.198
    assert (sold.buys_a, sold.value) == (False, -0.024)  # 0.178 - 0.202
    assert bought.round_trip == sold.round_trip == pytest.approx(0.007, abs=1e-15)
    assert bought.round_trip_percentile == sold.round_trip_percentile
    assert bought.cells == {"executable_value": -0.017, "executable_percentile": bought.percentile.mid}  # type: ignore[union-attr]


@pytest.mark.parametrize("form", FORMS)
def test_without_a_spread_it_is_the_mid(form: str) -> None:
    ranking = rank(panel())
    mids = tuple(float(ranking.table[name].iloc[0]) for name in ("value_a", "value_b"))
    for row, level in zip(
        ranking.table.to_dict("records"),
        executable_levels(ranking, bids=(mids[0], mids[1]), asks=(mids[0], mids[1])),
        strict=True,
    ):
        if row["form"] == form and level.percentile is not None:
            assert level.value == row["value"]
            assert (level.percentile.strict, level.percentile.mid, level.percentile.weak) == (
                row["percentile_strict"], row["percentile"], row["percentile_weak"],
            )  # fmt: skip
            assert (level.round_trip, level.round_trip_percentile) == (0.0, 0.0)


@given(
    sample=st.lists(st.integers(1, 40), min_size=2, max_size=60),
    half=st.lists(st.integers(0, 30), min_size=4, max_size=4),
    form=st.sampled_from(FORMS),
)
def test_the_wider_the_quotes_the_less_extreme_the_place(
    sample: list[int], half: list[int], form: str
) -> None:
    """On the side that is taken, a wider spread never makes the pair cheaper (dearer) than its mids."""
    b = 0.05
    history = {"spread": [0.01 * x - b for x in sample], "ratio": [0.01 * x / b for x in sample]}
    history["log_ratio"] = [math.log(x) for x in history["ratio"]]
    mid = 0.01 * sample[-1]
    values = history[form]
    middle = percentileofscore(values, values[-1], kind="mean")
    thin, wide = sorted(half[:2]), sorted(half[2:])
    narrow = executable_level(
        form, sample=values, mid_percentile=middle,
        a=TwoSided(mid, mid - 1e-4 * thin[0], mid + 1e-4 * thin[0]),
        b=TwoSided(b, b - 1e-4 * wide[0], b + 1e-4 * wide[0]),
    )  # fmt: skip
    broad = executable_level(
        form, sample=values, mid_percentile=middle,
        a=TwoSided(mid, mid - 1e-4 * thin[1], mid + 1e-4 * thin[1]),
        b=TwoSided(b, b - 1e-4 * wide[1], b + 1e-4 * wide[1]),
    )  # fmt: skip
    assert narrow.percentile is not None
    assert broad.percentile is not None
    assert 0 <= broad.percentile.strict <= broad.percentile.mid <= broad.percentile.weak <= 100
    assert broad.round_trip_percentile >= narrow.round_trip_percentile - 100 / len(sample)
    if narrow.buys_a:
        assert broad.percentile.mid >= narrow.percentile.mid - 50 / len(sample)
        assert broad.value >= narrow.value
        assert broad.percentile.strict >= narrow.percentile.strict
    else:
        assert broad.value <= narrow.value
        assert broad.percentile.weak <= narrow.percentile.weak


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        ((0.178, 0.198), (NAN, 0.202), "QQQ has no ask"),
        ((0.178, NAN), (0.181, 0.202), "IWM has no bid"),
        ((NAN, NAN), (NAN, NAN), "QQQ has no ask"),
        ((0.182, 0.198), (0.181, 0.202), "of QQQ, its bid is above its ask"),
        ((0.178, 0.201), (0.181, 0.202), "of IWM, its mid is not between its bid and its ask"),
        ((0.178, 0.198), (0.179, 0.202), "of QQQ, its mid is not between its bid and its ask"),
    ],
)
def test_what_is_missing_or_wrong_leaves_the_cells_empty(
    bids: tuple[float, float], asks: tuple[float, float], reason: str
) -> None:
    level = executable_levels(rank(panel()), bids=bids, asks=asks)[0]
    assert level.reason == reason
    assert level.percentile is None
    assert all(math.isnan(cell) for cell in level.cells.values())
    assert math.isnan(level.round_trip)
    assert level.sentence(("QQQ", "IWM")) == f"No executable level: {reason}."


def test_a_way_back_that_is_missing_leaves_only_the_cost_open() -> None:
    level = executable_levels(rank(panel()), bids=(NAN, 0.198), asks=(0.181, NAN))[0]
    assert level.percentile is not None
    assert math.isfinite(level.value)
    assert math.isnan(level.round_trip)
    assert math.isnan(level.round_trip_percentile)
    assert "round trip" not in level.sentence(("QQQ", "IWM"), measure="implied_vol")


def test_levels_at_which_a_form_does_not_exist() -> None:
    sample = [0.5, 0.6, 0.4]
    a, b = TwoSided(0.02, 0.01, 0.03), TwoSided(0.05, -0.01, 0.08)
    for form in ("ratio", "log_ratio"):
        level = executable_level(form, sample=sample, a=a, b=b, mid_percentile=10.0)
        assert level.reason == f"the {form.replace('_', ' ')} does not exist at these levels"
    assert executable_level("spread", sample=sample, a=a, b=b, mid_percentile=10.0).percentile is not None


def test_a_missing_leg_and_a_short_history_keep_it_back() -> None:
    gone = panel()
    gone.iloc[-1, 0] = NAN
    quotes = {"bids": (0.178, 0.198), "asks": (0.181, 0.202)}
    for short in (gone, panel(100)):
        levels = executable_levels(rank(short, as_of="2026-07-10"), **quotes)
        assert {level.reason for level in levels} == {
            "the mids have no percentile, so no side is to be taken"
        }


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
def test_infinite_quotes_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="IWM"):
        executable_levels(rank(panel()), bids=(0.178, bad), asks=(0.181, 0.202))
    with pytest.raises(InputError, match="percentile"):
        executable_level("spread", sample=[0.1], a=TwoSided(0.1), b=TwoSided(0.1), mid_percentile=101.0)


def test_later_rows_change_nothing() -> None:
    rows = panel()
    later = pd.concat(
        [rows, pd.DataFrame(0.5, columns=rows.columns, index=pd.bdate_range("2026-07-13", periods=9))]
    )
    quotes = {"bids": (0.178, 0.198), "asks": (0.181, 0.202)}
    one, other = (executable_levels(rank(table, as_of="2026-07-10"), **quotes) for table in (rows, later))
    assert [level.cells for level in one if not level.reason] == [
        level.cells for level in other if not level.reason
    ]
    assert [level.reason for level in one] == [level.reason for level in other]


def test_the_sentence() -> None:
    level = executable_levels(rank(panel()), bids=(0.178, 0.198), asks=(0.181, 0.202))[0]
    assert isinstance(level, Executable)
    assert level.percentile is not None
    text = level.sentence(("QQQ", "IWM"), measure="implied_vol")
    assert text.startswith(f"At executable levels percentile {level.percentile.mid:.1f} (mid ")
    assert "QQQ at its ask, IWM at its bid; a round trip costs 0.70 vol points, " in text
    dear = executable_levels(rank(panel(low=False)), bids=(0.219, 0.198), asks=(0.222, 0.202))[0]
    assert dear.sentence(("QQQ", "IWM")).endswith("IWM at its ask, QQQ at its bid.")
