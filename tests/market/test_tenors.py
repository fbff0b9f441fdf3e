"""Tenor labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volskew.errors import SettingsError
from volskew.market.tenors import (
    canonical_span,
    canonical_tenor,
    canonical_term,
    is_span,
    span_tenors,
    tenor_days,
    tenor_years,
)
from volskew.settings import Settings


@pytest.mark.parametrize(
    ("label", "days"),
    [
        *(("1w", 7), ("2w", 14), ("1m", 30), ("2m", 60), ("3m", 91), ("4m", 122), ("5m", 152), ("6m", 182)),
        *(("9m", 273), ("12m", 365), ("1y", 365), ("18m", 547), ("24m", 730), ("2y", 730)),
        *(("91d", 91), ("1d", 1), ("45D", 45)),
    ],
)
def test_days_of_the_labels_on_the_published_grid(label: str, days: int) -> None:
    assert tenor_days(label) == days
    assert tenor_years(label) == days / 365
    assert isinstance(tenor_days(label), float)


def test_only_three_months_is_a_setting() -> None:
    shorter = Settings(three_month_days=90)
    assert tenor_days("3m", settings=shorter) == 90
    assert tenor_years("3M", settings=shorter) == 90 / 365
    assert tenor_days("91d", settings=shorter) == 91
    assert tenor_days("6m", settings=shorter) == 182


@pytest.mark.parametrize(
    ("label", "canonical"),
    [
        *(("3M", "3m"), (" 91D ", "91d"), ("091d", "91d"), ("3m", "3m"), ("91d", "91d"), ("12M", "1y")),
        *(("24m", "2y"), ("18m", "18m"), ("52w", "52w"), ("365d", "365d")),
    ],
)
def test_one_spelling_of_each_label(label: str, canonical: str) -> None:
    assert canonical_tenor(label) == canonical


@given(number=st.integers(1, 522), unit=st.sampled_from("dw"))
def test_any_number_of_days_and_weeks(number: int, unit: str) -> None:
    label = f"{number}{unit}"
    assert canonical_tenor(label.upper()) == canonical_tenor(canonical_tenor(label)) == label
    assert tenor_days(label) == number * {"d": 1, "w": 7}[unit]


@pytest.mark.parametrize(
    "label",
    [
        *("", "3", "m", "0d", "-3m", "3.5m", "3 m", "3months", "7m", "1h", "3m3m", "9999d", "11y", "99999d"),
        *("٣m", "nan", 91, None, 0.25),
    ],
)
def test_labels_that_are_refused_with_the_accepted_ones(label: Any) -> None:
    for function in (canonical_tenor, tenor_days, tenor_years):
        with pytest.raises(SettingsError, match=r"is no tenor\. Accepted: 3m, 1m, 2m") as caught:
            function(label)
        assert repr(label) in str(caught.value)


# --- spans ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "spelled"),
    [("1m-3m", "1m-3m"), (" 1M - 12m ", "1m-1y"), ("07d-2W", "7d-2w"), ("3m-1m", "3m-1m")],
)
def test_a_span_has_one_spelling(label: str, spelled: str) -> None:
    assert is_span(label)
    assert canonical_span(label) == spelled == canonical_term(label)
    assert canonical_span(spelled) == spelled


@pytest.mark.parametrize("label", ["1m-", "-3m", "-", "", "3m"])
def test_what_names_no_two_tenors_is_no_span(label: str) -> None:
    assert not is_span(label)
    with pytest.raises(SettingsError, match="is no span of tenors"):
        canonical_span(label)


@pytest.mark.parametrize("label", ["1m-3m-6m", "1m-soon", "1m--3m", "7m-1y"])
def test_a_span_of_what_is_no_tenor_is_refused(label: str) -> None:
    for function in (canonical_span, canonical_term, span_tenors):
        with pytest.raises(SettingsError, match="is no span of tenors"):
            function(label)


def test_the_shorter_tenor_comes_first() -> None:
    assert span_tenors("1M-3m") == ("1m", "3m")
    for label in ("3m-1m", "3m-91d", "3m-13w"):
        with pytest.raises(SettingsError, match="the shorter tenor first"):
            span_tenors(label)
    assert span_tenors("3m-91d", settings=Settings(three_month_days=90)) == ("3m", "91d")
