"""Places on a smile: how they are named, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from volskew.errors import SettingsError
from volskew.surface.points import Point, parse_point


@pytest.mark.parametrize(
    ("given", "point", "text", "label"),
    [
        ({"delta": "25c"}, Point("delta", 0.25), "0.25", "25c"),
        ({"delta": 0.75}, Point("delta", 0.75), "0.75", "25p"),
        ({"delta": "atmf"}, Point("log_moneyness", 0.0), "atmf", "atmf"),
        ({"delta": " ATMF "}, Point("log_moneyness", 0.0), "atmf", "atmf"),
        ({"log_moneyness": 0}, Point("log_moneyness", 0.0), "atmf", "atmf"),
        ({"log_moneyness": -0.0}, Point("log_moneyness", 0.0), "atmf", "atmf"),
        ({"log_moneyness": -0.1}, Point("log_moneyness", -0.1), "k=-0.1", "log-moneyness -0.1"),
        ({"strike": 450}, Point("strike", 450.0), "K=450.0", "strike 450"),
        ({"strike": np.float64(7.5)}, Point("strike", 7.5), "K=7.5", "strike 7.5"),
    ],
)
def test_places_have_one_name(given: dict[str, object], point: Point, text: str, label: str) -> None:
    found = parse_point(**given)  # type: ignore[arg-type]
    assert found == point
    assert (found.text, found.label) == (text, label)
    # no -0.0, which equals 0.0 and is written otherwise
    assert math.copysign(1.0, found.value) == math.copysign(1.0, point.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "one of delta, strike and log_moneyness; got none"),
        ({"delta": 0.25, "strike": 100.0}, "got delta, strike"),
        ({"strike": 100.0, "log_moneyness": 0.0}, "got strike, log_moneyness"),
        ({"delta": "25"}, '"25c"'),
        ({"delta": 25}, '"25c"'),
        ({"strike": 0.0}, "strike must be above 0"),
        ({"strike": -5}, "strike must be above 0"),
        ({"strike": math.nan}, "strike must be a finite number; got nan"),
        ({"strike": True}, "strike must be a finite number; got True"),
        ({"strike": "a lot"}, "strike must be a finite number; got 'a lot'"),
        ({"log_moneyness": math.inf}, "log_moneyness must be a finite number; got inf"),
        ({"log_moneyness": 95.0}, r"ln\(K/F\), from -10 to 10; got 95.0"),
    ],
)
def test_what_names_no_place_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_point(**given)  # type: ignore[arg-type]
