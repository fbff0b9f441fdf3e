"""The documents say what the code says.

Run as a script, this file rewrites docs/codes.md from the enums: ``python tests/test_docs.py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from volskew.ledger import Code, Stage
from volskew.pricing import Status
from volskew.quotes.schema import Exclusion, Flag

_ROOT = Path(__file__).parents[1]
_CODES = _ROOT / "docs" / "codes.md"


def _codes_text() -> str:
    lines = [
        "# Codes",
        "",
        "Every code explains itself in Python too: `Code.NO_FILE.meaning`. A code marked as failure turns",
        "the exit status of `measure` to 3; `rank` looks at failed inputs and at the as-of day only, for",
        "years of chains always hold some day that cannot be read.",
        "",
        f"Stages, in the order of the journey: {', '.join(stage.value for stage in Stage)}.",
        "",
        "## In ledger.csv",
        "",
        "| code | meaning | failure |",
        "|---|---|---|",
        *(f"| {code} | {code.meaning} | {'yes' if code.is_failure else ''} |" for code in Code),
        "",
        "Exclusion codes of lines stand there too, with the number of lines as `count`.",
        "",
        "## Exclusions of lines, in the order in which the rules are applied",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code} | {code.meaning} |" for code in Exclusion),
        "",
        "## Flags of lines",
        "",
        "| flag | meaning |",
        "|---|---|",
        *(f"| {flag} | {flag.meaning} |" for flag in Flag),
        "",
        "## Flags of readings and rankings",
        "",
        "| flag | meaning |",
        "|---|---|",
        *(f"| {flag} | {meaning} |" for flag, meaning in _FLAGS_OF_READINGS.items()),
        "",
    ]
    return "\n".join(lines)


_FLAGS_OF_READINGS = {
    "NO_ERROR": "no error bar is claimed",
    "NO_QUOTES": "a vendor's vols without quotes; no error bar can be claimed",
    "VENDOR_FORWARD": "the forward behind the vendor's vols is more than 10 bp off their parity; re-solved",
    "NO_PARITY": "too few pairs for a parity forward, so the vendor's own forward is kept",
    "RATE_ASSUMED": "no rate was given, so one was assumed",
    "SPOT_MISMATCH": "no carry explains the forward from the file's own spot; one of them is in another unit",
    "SPOT_IMPLIED": "the file's spot is missing or not of the moment of the quotes; the options' own is used",
    "RESIDUAL_YIELD": "the known dividends leave more than 1 % a year of the forward unexplained",
    "DIVIDENDS_DOUBTED": "the known dividends contradict the file's spot and the options; left aside",
    "EXERCISE_IGNORED": "early exercise could not be taken out of a forward; its lines are read as European",
    "WIDE_BRACKET": "the two expiries around the tenor lie far apart or far from it",
    "WIDE_WINDOW": "the fit had to reach for quotes far from the delta that is read",
    "SPLICED": "taken from an imported series ahead of the solved days",
    "NO_OVERLAP": "no day has both the imported and the solved reading, so their basis is unknown",
    "BASIS_ADJUSTED": "the imported reading was shifted by the measured basis",
    "WITHDRAWN": "a vintage without a value: the reading was taken back",
    "DIFFERENT_EXPIRIES": "the two legs of the pair are read between different expiries",
    "LEG_MISSING": "a leg has no reading on the as-of day",
    "SHORT_HISTORY": "fewer sessions with both legs than a percentile needs",
    "SHORT_WINDOW": "the history is shorter than the window",
    "LOW_COVERAGE": "too many of the window's sessions lack a leg",
    "NON_POSITIVE": "a ratio or log ratio of values at or below zero does not exist",
    "CONSTANT": "every value of the window is the same",
}


def test_every_code_is_documented() -> None:
    assert _CODES.read_text(encoding="utf-8") == _codes_text(), "run: python tests/test_docs.py"


_PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (_ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", _PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = _ROOT / name
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{name} links to {target}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_python_in_the_pages_runs_as_a_script(name: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (_ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    (tmp_path / "chains").symlink_to(_ROOT / "chains")
    program = tmp_path / "page.py"
    program.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    _CODES.write_text(_codes_text(), encoding="utf-8")


def test_the_method_lists_every_status_of_a_vol_by_number() -> None:
    text = (_ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    rows = [
        line for line in text.splitlines() if line.startswith("| ") and line.split(" | ")[0][2:].isdigit()
    ]
    assert rows == [f"| {int(item)} | {item.name} | {item.meaning} |" for item in Status]
