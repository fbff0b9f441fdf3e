"""What the chart of smiles says in words."""

from __future__ import annotations

import gzip
from pathlib import Path

from volskew.report.smile_chart import _figure, draw_picture
from volskew.settings import Gates, Settings
from volskew.workflow import picture_smiles

_QUOTES = Path(__file__).parents[2] / "chains" / "quotes"


def _titles(file: Path, settings: Settings) -> tuple[str, list[str]]:
    _, (picture,), _ = picture_smiles(file, settings=settings)
    figure = _figure(picture)
    axes = [axes.get_title(loc="left") for part in figure.subfigs for axes in part.axes]
    return str(figure.get_suptitle()), [title for title in axes if title]


def test_an_expiry_that_failed_its_gates_says_so_in_its_title(tmp_path: Path) -> None:
    """Calls of half the later expiry have no bid, so that its 25-delta call cannot be read."""
    lines = gzip.decompress(max(_QUOTES.glob("QQQ_*.csv.gz")).read_bytes()).decode().splitlines()
    head = lines[0].split(",")
    expiry, right, strike, bid = (head.index(name) for name in ("expiration", "right", "strike", "bid"))
    for place, line in enumerate(lines[1:], start=1):
        cells = line.split(",")
        late = cells[expiry] > "2026-10-01" and cells[right] == "call"
        if late and 1.02 < float(cells[strike]) / float(cells[head.index("underlying_price")]) < 1.09:
            cells[bid] = "0.00"
            lines[place] = ",".join(cells)
    file = tmp_path / "QQQ_2026-07-10_simulated.csv"
    file.write_text("\n".join(lines) + "\n")
    title, panels = _titles(file, Settings(rate=0.04))
    assert "no expiry that passes the gates on or after the tenor" in " ".join(title.split())
    before, after = (" ".join(panel.split()) for panel in panels)
    assert "not read" not in before
    assert ": not read, DELTA_GAP at 25c" in after
    _, (picture,), _ = picture_smiles(file, settings=Settings(rate=0.04))
    assert draw_picture(picture, tmp_path / "charts").stat().st_size > 10_000


def test_a_gate_failed_at_every_delta_is_named_once() -> None:
    strict = Settings(rate=0.04, gates=Gates(max_forward_error_bp=1e-6))
    title, panels = _titles(max(_QUOTES.glob("QQQ_*.csv.gz")), strict)
    assert "FORWARD_ERROR" in title
    assert len(panels) == 2
    assert all(panel.endswith(": not read, FORWARD_ERROR") for panel in panels)
    title, panels = _titles(max(_QUOTES.glob("QQQ_*.csv.gz")), Settings(rate=0.04))
    assert "\n" not in title
    assert not any("not read" in panel for panel in panels)
