"""A surface of which quotes are left out on somebody's word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from volskew.errors import SettingsError
from volskew.market import EASTERN
from volskew.market.overrides import Contract, Override
from volskew.quotes import Overrides, read_overrides
from volskew.settings import Settings
from volskew.surface import Surface, fit_surface

MakeChain = Callable[..., pd.DataFrame]
DAY = dt.date(2026, 7, 10)
SETTINGS = Settings(rate=0.04, tenor_clock="calendar")
CURVES = ["expiry", "n_quotes", "method", "atm_vol", "vol_25c"]


@pytest.fixture(scope="module")
def chain(qqq_like: Any, make_chain: MakeChain) -> pd.DataFrame:
    return make_chain(qqq_like, days=(56, 84, 98))


@pytest.fixture(scope="module")
def plain(chain: pd.DataFrame) -> Surface:
    return fit_surface(chain, settings=SETTINGS)


def decided(chain: pd.DataFrame, rows: Any) -> Overrides:
    """An override of each of some lines."""
    return Overrides(
        [
            Override(
                DAY,
                "QQQ",
                "bust",
                Contract(line.expiry.tz_convert(EASTERN).date(), line.strike, bool(line.is_call)),
            )
            for line in chain.loc[rows].itertuples()
        ]
    )


def assert_same_surface(one: Surface, other: Surface) -> None:
    pd.testing.assert_frame_equal(one.quotes, other.quotes, check_exact=True)
    pd.testing.assert_frame_equal(one.forwards, other.forwards, check_exact=True)
    pd.testing.assert_frame_equal(one.smiles, other.smiles, check_exact=True)
    pd.testing.assert_frame_equal(one.grid(), other.grid(), check_exact=True)
    assert list(one.ledger) == list(other.ledger)
    assert one.flags == other.flags


def test_an_empty_file_changes_no_bit(chain: pd.DataFrame, plain: Surface, tmp_path: Any) -> None:
    (tmp_path / "overrides.csv").write_text("date,symbol,contract,reason\n")
    found = fit_surface(chain, settings=SETTINGS, overrides=read_overrides(tmp_path / "overrides.csv"))
    assert_same_surface(found, plain)


def test_decisions_about_other_days_symbols_and_whole_readings_change_no_bit(
    chain: pd.DataFrame, plain: Surface
) -> None:
    contract = Contract(dt.date(2026, 10, 2), float(chain["strike"].iloc[0]), is_call=True)
    others = [
        Override(dt.date(2026, 7, 9), "QQQ", "bust", contract),
        Override(DAY, "IWM", "bust", contract),
        Override(DAY, "QQQ", "halted"),
    ]
    assert_same_surface(fit_surface(chain, settings=SETTINGS, overrides=Overrides(others)), plain)


def test_leaving_out_an_expiry_is_not_having_it(chain: pd.DataFrame, plain: Surface) -> None:
    first = chain["expiry"].min()
    is_first = chain["expiry"] == first
    with_override = fit_surface(chain, settings=SETTINGS, overrides=decided(chain, is_first))
    without = fit_surface(chain[~is_first], settings=SETTINGS)
    left = with_override.quotes
    assert left.loc[is_first, "exclusion"].eq("OVERRIDE").all()
    assert not left.loc[is_first, ["used_in_forward", "used_in_smile"]].any(axis=None)
    assert len(left) == len(chain)
    for delta in (0.1, 0.25, 0.5, 0.75):
        one, other = (surface.vol(tenor="3m", delta=delta) for surface in (with_override, without))
        assert (one.value, one.error) == (other.value, other.error)  # to the bit: the expiry serves nothing
        assert {*one.flags} == {*other.flags, "OVERRIDDEN"}
        assert one.value != plain.vol(tenor="3m", delta=delta).value
    pd.testing.assert_frame_equal(
        left.loc[~is_first].drop(columns="flags"), without.quotes.drop(columns="flags"), check_exact=True
    )


def test_one_quote_left_out(chain: pd.DataFrame, plain: Surface) -> None:
    used = plain.quotes["used_in_smile"].to_numpy(dtype=bool)
    row = int(np.flatnonzero(used)[len(np.flatnonzero(used)) // 2])
    overrides = decided(chain, [row])
    found = fit_surface(chain, settings=SETTINGS, overrides=overrides)
    assert found.quotes["exclusion"].dropna().to_dict()[row] == "OVERRIDE"
    assert np.isnan(found.quotes["vol_mid"].to_numpy()[row])
    assert (found.quotes["exclusion"] == "OVERRIDE").sum() == 1
    reading = found.vol(tenor="3m", delta="25c")
    assert "OVERRIDDEN" in reading.flags
    assert "OVERRIDDEN" in found.grid(tenors=["3m"], deltas=["25c"])["flags"].iloc[0].split()
    (entry,) = [entry for entry in found.ledger if entry.code == "OVERRIDDEN"]
    assert (entry.count, entry.detail) == (1, "bust")
    assert reading.value == pytest.approx(plain.vol(tenor="3m", delta="25c").value, abs=3e-4)  # one of many


def test_a_contract_that_is_not_there_is_told_and_flags_nothing(chain: pd.DataFrame, plain: Surface) -> None:
    item = Override(DAY, "QQQ", "bust", Contract(dt.date(2026, 10, 2), 1.0, is_call=True, text="x"))
    found = fit_surface(chain, settings=SETTINGS, overrides=Overrides([item]))
    (entry,) = [entry for entry in found.ledger if entry.code == "OVERRIDE_UNUSED"]
    assert entry.detail == "x: bust; not in the chain"
    assert found.flags == plain.flags
    pd.testing.assert_frame_equal(found.quotes, plain.quotes, check_exact=True)


def test_every_line_left_out_leaves_no_reading(chain: pd.DataFrame) -> None:
    found = fit_surface(chain, settings=SETTINGS, overrides=decided(chain, chain.index))
    assert found.quotes["exclusion"].eq("OVERRIDE").all()
    reading = found.vol(tenor="3m", delta="25c")
    assert (reading.is_read, reading.flags) == (False, ("NO_QUOTES_LEFT",))


def test_the_market_row_may_bring_them(qqq_like: Any, chain: pd.DataFrame) -> None:
    from dataclasses import replace

    overrides = decided(chain, [3, 40])
    row = replace(qqq_like.row(), overrides=tuple(overrides))
    assert_same_surface(
        fit_surface(chain, market=row, settings=SETTINGS),
        fit_surface(chain, market=qqq_like.row(), settings=SETTINGS, overrides=overrides),
    )
    both = fit_surface(chain, market=row, settings=SETTINGS, overrides=overrides)
    assert [entry.code for entry in both.ledger].count("OVERRIDDEN") == 2


def test_a_path_is_no_overrides(chain: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="read_overrides"):
        fit_surface(chain, overrides="overrides.csv")  # type: ignore[arg-type]


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_lines_left_out_are_as_good_as_removed(chain: pd.DataFrame, data: st.DataObject) -> None:
    rows = sorted(data.draw(st.sets(st.integers(0, len(chain) - 1), min_size=1, max_size=40)))
    left = fit_surface(chain, settings=SETTINGS, overrides=decided(chain, rows))
    gone = fit_surface(chain.drop(index=rows), settings=SETTINGS)
    assert left.quotes["exclusion"].eq("OVERRIDE").to_numpy().nonzero()[0].tolist() == rows
    one, other = (surface.vol(tenor="3m", delta="25c") for surface in (left, gone))
    assert (one.value, one.error) == (other.value, other.error)  # the same numbers enter in the same order
