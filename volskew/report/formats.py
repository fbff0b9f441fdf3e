"""The formats that are read, and what a file is: in words, on the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rich.text import Text

from volskew.report.console import page_console
from volskew.workflow import ChainFormat, Inspection

__all__ = ["print_format", "print_formats", "print_inspection"]

_WIDE: Final = 120
_LABEL: Final = 13
_MARGIN: Final = "  "


def print_formats(formats: Sequence[ChainFormat]) -> None:
    """Print every format in short: title, signature, how known, unit of vols, clock."""
    console = page_console(_WIDE)
    for place, one in enumerate(formats):
        if place:
            console.print()
        console.print(Text(f"{one.name}: {one.title}", style="bold"), soft_wrap=True)
        for line in _rows(_in_short(one), console.width):
            console.print(Text(line), soft_wrap=True)
    console.print()
    console.print(Text("`volskew formats NAME` shows one in full."), soft_wrap=True)


def print_format(one: ChainFormat) -> None:
    """Print all that is known of one format."""
    console = page_console(_WIDE)
    console.print(Text(f"{one.name}: {one.title}", style="bold"), soft_wrap=True)
    rows = [("from", one.origin), *_in_short(one), *(("odd", text) for text in one.odd)]
    rows += [("gives", f"{name}: {meaning}") for name, meaning in one.fields.items()]
    rows += [("lacks", f"{what}: {then}") for what, then in one.missing.items()]
    for line in _rows(rows, console.width):
        console.print(Text(line), soft_wrap=True)


def _in_short(one: ChainFormat) -> list[tuple[str, str]]:
    rows = [("recognised by", one.signature or "nothing that could be said in a line"), ("known", one.known)]
    if one.companion:
        rows.append(("is for", one.companion))
    else:
        rows += [("vols", one.vol or "none"), ("clock", one.clock)]
    if one.on_request:
        rows.append(("chosen by", f"--format {one.name} alone"))
    return rows


def print_inspection(inspections: Sequence[Inspection]) -> None:
    """Print what each file is, and then, once for files that have it in common, how that is known."""
    console = page_console(_WIDE)
    for inspection in inspections:
        console.print(Text(inspection.text()))
    alike: dict[tuple[object, ...], list[Inspection]] = {}
    timed = {inspection.format for inspection in inspections if inspection.facts.clock}
    for inspection in inspections:
        # of a format that has snapshots, files without any (repeats of a session) say nothing new
        if inspection.format is not None and (inspection.facts.clock or inspection.format not in timed):
            key = (inspection.format, inspection.recognised, inspection.clock, tuple(inspection.missing))
            alike.setdefault(key, []).append(inspection)
    for group in alike.values():
        first = group[0]
        files = f" ({len(group)} files)" if len(group) > 1 else ""
        console.print()
        console.print(Text(f"{first.format}{files}: {first.title}", style="bold"), soft_wrap=True)
        rows = [("recognised", first.recognised)]
        rows += [("clock", text) for text in first.clock]
        rows.append(("gives", _given(group)))
        rows += [("lacks", f"{what}: {then}") for what, then in first.missing.items()]
        rows += [("odd", text) for text in first.odd]
        for line in _rows(rows, console.width):
            console.print(Text(line), soft_wrap=True)


def _given(group: Sequence[Inspection]) -> str:
    """Fields with the file's own names, and the share of lines that have them where it is not all."""
    lines = sum(inspection.lines for inspection in group)
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for inspection in group:
        for field, given in inspection.facts.fields.items():
            names.setdefault(field, given.name)
            counts[field] = counts.get(field, 0) + given.lines
    told = []
    for field, count in counts.items():
        name = names[field]
        spelled = f" ({name})" if name and name != field else ""
        told.append(f"{field}{spelled}{'' if count >= lines else f' on {_share(count, lines)} of lines'}")
    return ", ".join(told)


def _share(count: int, lines: int) -> str:
    percent = 100 * count / lines
    return "less than 1 %" if percent < 1 else "more than 99 %" if percent > 99 else f"{percent:.0f} %"


def _rows(rows: Iterable[tuple[str, str]], width: int) -> Iterable[str]:
    """Lines with their labels in a column, each label once for what follows it."""
    before = ""
    for label, text in rows:
        if not text:
            continue
        shown = "" if label == before else label
        before = label
        yield from textwrap.wrap(
            text,
            width=max(width, 40),
            initial_indent=f"{_MARGIN}{shown:<{_LABEL}}{_MARGIN}",
            subsequent_indent=" " * (len(_MARGIN) * 2 + _LABEL),
            break_long_words=False,
            break_on_hyphens=False,
        )
