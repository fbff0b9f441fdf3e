"""Small numbers in words."""

from __future__ import annotations

__all__ = ["cardinal", "ordinal"]

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def ordinal(number: int) -> str:
    """Which one it is: first, second, ... 11th."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in {11, 12, 13} else "th"
    return f"{number}{ending}"


def cardinal(number: int) -> str:
    """How many there are: one, two, ... 11."""
    return _CARDINALS[number - 1] if number <= len(_CARDINALS) else str(number)
