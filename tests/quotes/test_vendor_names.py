"""A chain vendor is known to one file only: another vendor is another file, and nothing else changes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import volskew

PACKAGE = Path(volskew.__file__).parent
NAMES = re.compile(
    r"cboe|orats|optionsdx|yahoo|yfinance|dolthub|alpha_?vantage|polygon|databento|thetadata|tradier|optionmetrics"
    r"|ivydb|wrds|datashop|eodhd|ivolatility|barchart|schwab|ameritrade|tastytrade|alpaca|deltaneutral|marketdata"
    r"|interactive_?brokers|ib_insync|philippdubach",
    re.IGNORECASE,
)


def words_of(source: str) -> list[str]:
    """Identifiers and strings, without docstrings: a citation of an exchange's method is welcome anywhere."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found.append(node.value)
        found.extend(
            str(value)
            for name in ("id", "attr", "name", "module", "arg")
            if (value := getattr(node, name, None))
        )
    return found


def test_vendors_are_named_in_their_own_files_only() -> None:
    guilty = {
        str(path.relative_to(PACKAGE)): sorted(
            {word for word in words_of(path.read_text("utf-8")) if NAMES.search(word)}
        )
        for path in PACKAGE.rglob("*.py")
        if "vendors" not in path.parts
    }
    assert {path: words for path, words in guilty.items() if words} == {}


def test_the_search_finds_what_it_is_for() -> None:
    vendors = [
        path for path in PACKAGE.rglob("*.py") if "vendors" in path.parts and path.name.startswith("cboe")
    ]
    assert vendors
    assert all(any(NAMES.search(word) for word in words_of(path.read_text("utf-8"))) for path in vendors)
    assert words_of('"""Cboe."""\nx = 1') == ["x"]
