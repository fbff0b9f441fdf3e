from __future__ import annotations

import math

import pytest

from volskew.errors import SettingsError
from volskew.surface import delta_label, delta_text, parse_delta


@pytest.mark.parametrize(
    ("given", "text", "name"),
    [
        ("25c", "0.25", "25c"),
        ("25p", "0.75", "25p"),
        (" 25C ", "0.25", "25c"),
        ("50", "0.5", "50"),
        ("50c", "0.5", "50"),
        ("50p", "0.5", "50"),
        (0.25, "0.25", "25c"),
        ("0.250", "0.25", "25c"),
        (0.1, "0.1", "10c"),
        ("10p", "0.9", "10p"),
        ("12.5c", "0.125", "12.5c"),
        (1 - 0.25, "0.75", "25p"),
        ("1p", "0.99", "1p"),
        ("1.5c", "0.015", "1.5c"),
    ],
)
def test_spellings_have_one_meaning(given: float | str, text: str, name: str) -> None:
    assert delta_text(given) == text
    assert delta_label(given) == name
    assert parse_delta(delta_text(given)) == parse_delta(given)
    assert parse_delta(delta_label(given)) == parse_delta(given)


@pytest.mark.parametrize(
    "given",
    [
        0,
        1,
        1.0,
        -0.25,
        25,
        "25",
        "0c",
        "100c",
        "c",
        "",
        "call",
        math.nan,
        True,
        None,
        "-",
        "25d",
        1e-12,
        0.0009,
        0.9995,
        "99.99p",
        "0.25p",
        "0.25C",
        "0.99c",
    ],
)
def test_anything_else_is_refused_with_what_is_accepted(given: object) -> None:
    with pytest.raises(SettingsError, match="25c"):
        parse_delta(given)  # type: ignore[arg-type]
