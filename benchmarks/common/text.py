"""Markdown: tables, wrapped paragraphs and items, and numbers as a reader wants them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

_WIDTH = 110


def markdown(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def count(number: int, of: int) -> str:
    if number == 0:
        return "0"
    share = 100 * number / of
    return f"{number:,} ({share:.2g} %)" if share < 99.5 else f"{number:,} ({share:.0f} %)"


def paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def items(texts: Iterable[str]) -> list[str]:
    lines = []
    for text in texts:
        lines += textwrap.wrap(
            f"* {text}", _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    return lines


def small(value: float) -> str:
    if value == 0 or 0.1 <= value < 100:
        return f"{value:.2g}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def error_or_none(value: float) -> str:
    return small(value) if value else "none"


def nanoseconds(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def multiple(value: float) -> str:
    if value < 100:
        return f"{value:.1f}"
    return f"{value:,.0f}" if value < 1e6 else small(value)


def power(value: float) -> str:
    return f"{value:g}".replace("e-0", "e-")


def ratio(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"
