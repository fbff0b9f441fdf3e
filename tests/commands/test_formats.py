"""`volskew formats` as a user meets it."""

from __future__ import annotations

import pytest

from volskew.cli import run
from volskew.quotes.raw import FIELDS
from volskew.quotes.vendors import readers
from volskew.workflow import chain_formats
from volskew.workflow.formats import consequences


def test_every_reader_is_listed_with_what_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats"]) == 0
    said = capsys.readouterr().out
    for reader in readers():
        assert f"{reader.name}: {reader.title}" in said
    one = said.partition("optionsdx:")[2].partition("\n\n")[0]
    assert "recognised by  columns quoteunixtime + expiredate + civ" in one
    assert "known          from other public readers of it" in one
    assert "vols           decimal" in one
    assert "clock          QUOTE_UNIXTIME" in one
    assert "chosen by      --format cboe_eod_close alone" in said


def test_one_format_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats", "alpha_vantage"]) == 0
    said = capsys.readouterr().out
    assert "open_interest: open interest [contracts]" in said
    assert "underlying price: the spot is implied from calls and puts" in said
    assert "quote times: an old quote is told only" in said
    assert "Numbers are texts in the JSON." in said
    assert "sizes: " not in said  # it has them
    assert run(["formats", "optionmetrics_zerocd"]) == 0
    assert "is for" in capsys.readouterr().out


def test_an_unknown_format_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats", "nobody"]) == 2
    said = capsys.readouterr().err
    assert "unknown format 'nobody'; known are " in said
    assert said.count("\n") == 1


def test_every_reader_says_what_users_want_to_know() -> None:
    for one in chain_formats():
        assert one.signature, one.name
        assert one.known, one.name
        assert one.origin, one.name
        assert one.clock, one.name
        assert one.fields or one.companion, one.name
        assert bool(one.vol) == ("vols of its own" not in one.missing) or one.companion, one.name


def test_what_follows_from_what_is_missing() -> None:
    assert consequences(FIELDS) == {}
    vols_alone = consequences({"symbol", "expiry", "strike", "is_call", "vendor_vol_pct"})
    assert vols_alone["bids and asks"].startswith("the chain is read by its own vols")
    assert vols_alone["underlying price"].startswith("forwards come from its own deltas")
    assert not {"vols of its own", "sizes", "quote times"} & set(vols_alone)
    either = [name for name in FIELDS if name != "root"]
    assert consequences(either) == {}  # an option symbol has the root
    assert "bids and asks" in consequences([name for name in FIELDS if name != "ask"])
