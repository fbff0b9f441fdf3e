from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from volskew.quotes import read_chain, read_file
from volskew.quotes.swaps import Sides
from volskew.quotes.vol_clock import days_beyond

SIDE = ("Last Sale", "Net", "Bid", "Ask", "Volume", "IV", "Delta", "Gamma", "Open Interest")
HEADER = ",".join(("Expiration Date", "Calls", *SIDE, "Strike", "Puts", *SIDE))
QUOTED = pd.Timestamp("2026-03-06 16:00", tz="America/New_York")  # a Friday
FORWARD = 500.3


def value(strike: float, deviation: float, *, is_call: bool) -> float:
    d = np.log(FORWARD / strike) / deviation + deviation / 2
    call = FORWARD * ndtr(d) - strike * ndtr(d - deviation)
    return float(call if is_call else call - FORWARD + strike)


def listed(*, days: tuple[int, ...] = (4, 7, 12, 18), width: float = 0.02) -> pd.DataFrame:
    """Calls and puts by expiry and strike, quoted at the close of a Friday."""
    lines = []
    for number in days:
        expiry = QUOTED + pd.Timedelta(days=number)
        for strike in range(480, 521, 5):
            vol = 0.2 - 0.3 * np.log(strike / FORWARD)
            for is_call in (True, False):
                middle = value(strike, vol * np.sqrt(number / 365), is_call=is_call)
                lines.append((expiry, float(strike), is_call, middle - width, middle + width, vol))
    return pd.DataFrame(lines, columns=["expiry", "strike", "is_call", "bid", "ask", "iv"])


def sides(table: pd.DataFrame) -> Sides:
    numbers = {name: table[name].to_numpy(dtype=float) for name in ("strike", "bid", "ask", "is_call")}
    nothing = np.full(len(table), np.nan)
    return Sides(
        expiry=table["expiry"].dt.tz_convert("UTC").dt.as_unit("us").astype("int64").to_numpy(),
        vendor_vol=table["iv"].to_numpy(),
        vendor_delta=nothing,
        underlying_price=nothing,
        **numbers,
    )


def at(moment: pd.Timestamp) -> int:
    return moment.value // 1000


@pytest.mark.parametrize("days", [0.0, 1.0, 3.0])
def test_vols_tell_how_old_their_quotes_are(days: float) -> None:
    found = days_beyond(sides(listed()), at=at(QUOTED + pd.Timedelta(days=days)))
    assert found == pytest.approx(days, abs=1e-6)


def test_what_is_no_clock_says_nothing() -> None:
    assert days_beyond(sides(listed(days=(4, 7))), at=at(QUOTED)) is None  # two expiries
    assert days_beyond(sides(listed(width=2.0)), at=at(QUOTED)) is None
    higher = listed()
    higher["iv"] *= 0.8  # a vol of another kind: the longer the expiry, the more days
    assert days_beyond(sides(higher), at=at(QUOTED)) is None
    unsolved = listed().assign(iv=np.nan)
    assert days_beyond(sides(unsolved), at=at(QUOTED)) is None


def quotedata(folder: Path, stamp: str) -> Path:
    table = listed()
    rows = []
    for _, pair in table.groupby(["expiry", "strike"]):
        expiry, strike = pair["expiry"].iloc[0], float(pair["strike"].iloc[0])
        cells = [f"{expiry:%a %b %d %Y}"]
        for line in pair.itertuples():
            right = "C" if line.is_call else "P"
            symbol = f"ABC{expiry:%y%m%d}{right}{round(strike * 1000):08d}"
            cells += ([] if line.is_call else [f"{strike:.2f}"]) + [symbol, "0", "0"]
            cells += [f"{line.bid:.4f}", f"{line.ask:.4f}", "10", f"{line.iv:.6f}", "0.5", "0.01", "100"]
        rows.append(",".join(cells))
    path = folder / "quotedata.csv"
    titles = ["", "ABC TRUST,Last: 500.3,Change: 0.1", f'"Date: {stamp}",Bid: 500.2,Ask: 500.4,Size: 5*9']
    path.write_text("\n".join([*titles, HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_old_quotes_under_a_fresh_date_are_a_repeat(tmp_path: Path) -> None:
    for stamp in ("March 6, 2026 at 4:31 PM EST", "March 8, 2026 at 2:02 PM EDT"):
        quotes = read_chain(quotedata(tmp_path, stamp))
        assert set(quotes["snapshot_time"]) == {QUOTED}
    (reading,) = read_file(quotedata(tmp_path, "March 9, 2026 at 8:02 PM EDT"))
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("STALE_REPEAT", len(listed()))
    assert "stamped 2026-03-09 20:02 ET, but its own vols have 3.0 days more to expiry" in entry.detail
    assert reading.quotes.empty
