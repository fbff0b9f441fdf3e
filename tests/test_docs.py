"""The documents say what the code says.

Run as a script, this file rewrites docs/codes.md from the enums, the table of measures in docs/method.md from
the registry, and the formats in docs/formats.md from their readers: ``python tests/test_docs.py``.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from volskew.ledger import Code, Ledger, Stage
from volskew.measures import COLUMNS as READING_COLUMNS
from volskew.measures import MEASURES
from volskew.pricing import Status
from volskew.quotes.containers import open_members
from volskew.quotes.detect import read_head
from volskew.quotes.raw import Job
from volskew.quotes.schema import Exclusion, Flag
from volskew.ranking import EPISODE_COLUMNS, HISTORY_COLUMNS
from volskew.ranking.robustness_table import COLUMNS as CONVENTION_COLUMNS
from volskew.ranking.table import COLUMNS as RANKING_COLUMNS
from volskew.report.flags import FLAGS
from volskew.report.reconcile import write_reconciliation
from volskew.settings import Settings
from volskew.workflow import ChainFormat, chain_formats
from volskew.workflow.accounts import COLUMNS as ATTRIBUTION_COLUMNS
from volskew.workflow.formats import consequences
from volskew.workflow.reconcile import reconcile

_ROOT = Path(__file__).parents[1]
_CODES = _ROOT / "docs" / "codes.md"
_METHOD = _ROOT / "docs" / "method.md"
_FORMATS = _ROOT / "docs" / "formats.md"
_LISTED = "## The formats\n"
_MEASURES = "| measure | is | unit | read at |\n"
_BY_RULE = ("settlement", "exercise style", "multiplier")
"""The root tells these, or custom: hardly any vendor writes them."""
_KEYS = {"one": "a tenor", "span": "a span of tenors"}
_PLACES = {
    "any": "any delta, atmf",
    "call": "a call delta",
    "put": "a put delta",
    "wing": "a call or put delta",
}


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
        "## Flags of readings, rankings and attributions",
        "",
        "| flag | meaning |",
        "|---|---|",
        *(f"| {flag} | {meaning} |" for flag, meaning in FLAGS.items()),
        "",
        "In an attribution ROLL says that the expiries around the tenor are not those of the session before.",
        "",
        "The statuses of single vols are in [method.md](method.md), the outcomes of `volskew verify` in",
        "[tutorial.md](tutorial.md).",
        "",
    ]
    return "\n".join(lines)


def test_every_code_is_documented() -> None:
    assert _CODES.read_text(encoding="utf-8") == _codes_text(), "run: python tests/test_docs.py"


_CODE = re.compile(r"[A-Z]{2,}(_[A-Z]+)*")
_CARRIER = re.compile("flag|code|exclusion", re.IGNORECASE)


def _codes_in(source: str) -> set[str]:
    """The codes that a module can put into its output.

    They are the constants whose value is their own name, and the words in capitals that are given to
    anything called flag, code or exclusion.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            first = next(_texts(node.value), "")
            found |= {first} & {node.targets[0].id.strip("_")}
        for name, value in _named(node):
            if _CARRIER.search(name):
                found.update(_texts(value))
    return {text for text in found if _CODE.fullmatch(text)}


def _named(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node gives to which names."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id, node.value
    elif isinstance(node, ast.keyword):
        yield node.arg or "", node.value
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from ((str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from ((ast.unparse(node.func.value), argument) for argument in node.args)  # flags.add("...")


def _texts(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def test_codes_are_found_where_they_are_given() -> None:
    source = """
NO_NEWS = "NO_NEWS"
OTHER = "THING"
row = {"flags": "IN_A_ROW", "code": "IN_A_CODE", "unit": "USD"}
estimate(flags=("IN_A_CALL",), unit="EUR")
flags.add("ADDED")
class Flag(StrEnum):
    MEMBER = "MEMBER"
    EXPLAINED = "EXPLAINED", "in words"
"""
    expected = {"NO_NEWS", "IN_A_ROW", "IN_A_CODE", "IN_A_CALL", "ADDED", "MEMBER", "EXPLAINED"}
    assert _codes_in(source) == expected


def test_every_code_that_the_program_gives_is_in_a_page() -> None:
    tables = "".join(
        (_ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("codes.md", "tutorial.md")
    )
    known = {*re.findall(r"^\| ([A-Z_]+) \|", tables, flags=re.MULTILINE), *Status.__members__}
    given = {
        code: str(module.relative_to(_ROOT))
        for module in sorted((_ROOT / "volskew").rglob("*.py"))
        for code in _codes_in(module.read_text(encoding="utf-8")) - _NO_CODES
    }
    assert {"BRIDGED", "NO_FIT", "WIDE", "STATUS"} <= given.keys()  # of flags, ledger, lines and outcomes
    assert {code: where for code, where in given.items() if code not in known} == {}


_NO_CODES = {"O_BINARY", "UTC"}
"""What looks like a code: a flag of the operating system, a time zone."""

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


def test_the_method_lists_every_status_of_a_vol_by_number() -> None:
    text = (_ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    rows = [
        line for line in text.splitlines() if line.startswith("| ") and line.split(" | ")[0][2:].isdigit()
    ]
    assert rows == [f"| {int(item)} | {item.name} | {item.meaning} |" for item in Status]


def _measures_text() -> str:
    """The table of measures, as Markdown."""
    lines = [_MEASURES.rstrip("\n"), "|---|---|---|---|"]
    for item in MEASURES.values():
        where = ", ".join([_KEYS[item.tenor], *([_PLACES[item.delta]] if item.has_delta else [])])
        lines.append(f"| `{item.name}` | {item.formula} | {item.unit} | {where} |")
    return "\n".join(lines) + "\n\n"


def _with_measures(text: str) -> str:
    """A page with its table of measures as the registry has it."""
    before, _, rest = text.partition(_MEASURES)
    return before + _measures_text() + rest.partition("\n\n")[2]


def test_the_method_lists_every_measure() -> None:
    text = _METHOD.read_text(encoding="utf-8")
    assert _MEASURES in text
    assert text == _with_measures(text), "run: python tests/test_docs.py"


def _formats_text() -> str:
    """A section for each format of chains, and a table of what is read beside them."""
    formats = chain_formats()
    follows = {**consequences(()), **consequences(("bid", "ask"))}
    lines = [
        _LISTED.rstrip("\n"),
        "",
        "Written from the readers by `python tests/test_docs.py`. What follows from what a format lacks:",
        "",
        "| without | |",
        "|---|---|",
        *(f"| {what} | {then} |" for what, then in follows.items()),
        "",
    ]
    for one in formats:
        if not one.companion:
            lines += _format_section(one)
    lines += [
        "### Files that are no chains",
        "",
        "Known so that they are not taken for chains; the last column says what they are for.",
        "",
        "| name | is | for |",
        "|---|---|---|",
        *(f"| `{one.name}` | {one.title} | {one.companion} |" for one in formats if one.companion),
    ]
    return "\n".join(lines) + "\n"


def _format_section(one: ChainFormat) -> list[str]:
    rows = {
        "from": one.origin,
        "recognised by": one.signature,
        "known": one.known,
        "clock": one.clock,
        "vols": one.vol or "none",
        "gives": ", ".join(f"`{name}`" for name in one.fields),
        "lacks": ", ".join(what for what in one.missing if what not in _BY_RULE),
        "chosen by": f"`--format {one.name}` alone" if one.on_request else "",
    }
    return [
        f"### {one.name}",
        "",
        f"{one.title}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {what} | {text.replace('|', '/')} |" for what, text in rows.items() if text),
        "",
        *(f"* {text}" for text in one.odd),
        *([""] if one.odd else []),
    ]


def _with_formats(text: str) -> str:
    return text.partition(_LISTED)[0] + _formats_text()


def test_every_format_is_documented() -> None:
    text = _FORMATS.read_text(encoding="utf-8")
    assert _LISTED in text
    assert text == _with_formats(text), "run: python tests/test_docs.py"


def test_the_format_of_the_page_is_one_that_reads(tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", _FORMATS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert block
    stated: dict[str, Any] = {}
    exec(block[1], stated)  # noqa: S102 - the page's own example
    path = tmp_path / "a.csv"
    path.write_text(
        "Contract,Trade_Date,BidPx,AskPx,MidIV\n"
        "QQQ240119C00400000,2024-01-03,6.9,7.1,0.17\nQQQ240119P00400000,2024-01-03,4.3,4.4,-1\n",
        encoding="utf-8",
    )
    (member,) = open_members(path)
    job = Job(member, read_head(member))
    assert stated["READER"].match(job.head, {}).full
    chain = stated["READER"].read(job)
    assert chain.cells["bid"].to_pylist() == [6.9, 4.3]
    assert chain.fillers == {"vendor_vol": (-1.0,)}


def _anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", _PAGES)
def test_links_into_pages_lead_to_headings(name: str) -> None:
    page = _ROOT / name
    for target, anchor in re.findall(r"\]\(([^):#]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        other = page.parent / target if target else page
        assert anchor in _anchors(other), f"{name} links to {target}#{anchor}"


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("rankings.csv", RANKING_COLUMNS),
        ("percentiles.csv", HISTORY_COLUMNS),
        ("episodes.csv", EPISODE_COLUMNS),
        ("conventions.csv", CONVENTION_COLUMNS),
        ("history.csv", ("series", *READING_COLUMNS)),
        ("attribution.csv", ("span", *ATTRIBUTION_COLUMNS)),
        ("ledger.csv", tuple(Ledger().to_frame().columns)),
    ],
)
def test_every_column_of_an_output_is_described_once(file: str, columns: tuple[str, ...]) -> None:
    assert _described(file) == sorted(columns)


def test_every_column_of_a_reconciliation_is_described_once(tmp_path: Path) -> None:
    files = sorted((_ROOT / "chains" / "quotes").glob("*_2026-07-10_simulated.csv.gz"))
    found = reconcile(files, settings=Settings(rate=0.04), to={"clock": "calendar"})
    (file,) = write_reconciliation(found, tmp_path)
    columns = file.read_text(encoding="utf-8").partition("\n")[0].split(",")
    assert _described(file.name) == sorted({re.sub("_(QQQ|IWM)$", "_S", name) for name in columns})


def _described(file: str) -> list[str]:
    """The columns that the page has of a file."""
    text = (_ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    section = text.split(f"## {file}\n")[1].partition("\n## ")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    return sorted(named)


if __name__ == "__main__":
    _CODES.write_text(_codes_text(), encoding="utf-8")
    _FORMATS.write_text(_with_formats(_FORMATS.read_text(encoding="utf-8")), encoding="utf-8")
    _METHOD.write_text(_with_measures(_METHOD.read_text(encoding="utf-8")), encoding="utf-8")
