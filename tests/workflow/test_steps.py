"""The steps between two conventions: their order, their values, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from volskew.errors import SettingsError
from volskew.settings import Settings
from volskew.workflow.conventions import CONVENTIONS
from volskew.workflow.steps import STEPS, Choice, Step, steps_to

DAY = dt.date(2026, 7, 10)
START = Choice(Settings(), "3m")


def test_steps_come_in_their_own_order() -> None:
    names = [kind.name for kind in STEPS]
    given = {"vols": "vendor", "strike": "nearest", "delta": "spot", "clock": "calendar"}
    assert [step.name for step in steps_to(given)] == ["clock", "delta", "strike", "vols"]
    usual = [step.name for step in steps_to(None)]
    assert usual == [name for name in names if name not in {"rate", "rates_file", "dividends_files"}]


def test_every_value_of_every_step_is_taken_and_has_words() -> None:
    for kind in STEPS:
        values = kind.accepted if isinstance(kind.accepted, tuple) else (_EXAMPLES[kind.name],)
        for value in values:
            step = Step(kind.name, value)
            after = step.taken(START, DAY)
            assert step.words(START, after)
            assert (after == START) == (value in _OURS)


_EXAMPLES: dict[str, Any] = {
    "days": 90, "rate": 0.05, "rates_file": "curve.csv", "dividends_files": ("QQQ=a.csv",),
}  # fmt: skip
_OURS = {"variance", "gaussian_process", "svi", "forward", "auto", "between", "smile", "ours"}


@pytest.mark.parametrize(
    ("tenor", "value", "wanted"),
    [
        ("3m", 90, "90d"),
        ("3m", 91, "3m"),
        ("3m", "months", "92d"),
        ("1m", "months", "31d"),
        ("1y", "months", "1y"),
        ("91d", "months", "91d"),
        ("3m", None, "90d"),
        ("1m", None, "1m"),
    ],
)
def test_days_of_a_tenor(tenor: str, value: Any, wanted: str) -> None:
    assert Step("days", value).taken(Choice(Settings(), tenor), DAY).tenor == wanted


def test_a_smile_that_is_no_own_word_is_one_step() -> None:
    after = Step("smile", "local").taken(START, DAY)
    assert after.settings == Settings(smile_model="local")
    assert after.tenor == "3m"


def test_a_curve_file_takes_the_place_of_a_flat_rate() -> None:
    flat = Choice(Settings(rate=0.03), "3m")
    after = Step("rates_file", "curve.csv").taken(flat, DAY)
    assert (after.settings.rate, after.settings.rates_file) == (None, "curve.csv")


def test_every_convention_has_its_steps() -> None:
    """Taken one after another they come to the settings of the convention."""
    for convention in CONVENTIONS:
        choice = START
        for step in steps_to(convention.name):
            choice = step.taken(choice, DAY)
        wanted = convention.settings_on(DAY, Settings())
        days = wanted.three_month_days
        assert choice.settings.replace(three_month_days=days) == wanted
        assert choice.tenor == ("3m" if days == 91 else f"{days}d")


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ({"tenor": "90d"}, "there is no step 'tenor'; there is clock, interpolation, days"),
        ({"clock": "sidereal"}, "clock must be one of variance, calendar; got 'sidereal'"),
        ({"days": 0}, r"days must be a number of days from 1 to 3660, or \"months\"; got 0"),
        ({"days": True}, "days must be"),
        ({"days": "quarter"}, "days must be"),
        ({"rate": 4.0}, "rate must be a number from -0.05 to 0.3"),
        ({"rate": None}, "rate must be a decimal rate"),
        ({"dividends_files": ()}, "dividends_files must be dividend files"),
        ({"rates_file": " "}, "rates_file must be the path"),
        ({"vols": "vendor"}, "strike must be 'nearest' too"),
        ({"strike": "smile", "deltas": "vendor"}, "strike must be 'nearest' too"),
        ("spot", "no convention is called 'spot'"),
        (["clock"], "`to` must be values by step, or the name of a convention"),
    ],
)
def test_what_is_no_step_is_refused(to: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        steps_to(to)
