"""All that was ever known, as a rank history takes it: what `panel` with an instant says, at any instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from volskew.errors import MissingReadingError, SettingsError
from volskew.history import History
from volskew.market import sessions
from volskew.ranking import rank, rank_history

Readings = Callable[..., pd.DataFrame]

_DAYS = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12")


def test_every_vintage_is_there_with_when_it_was_known(history: History, readings: Readings) -> None:
    history.add(readings({"QQQ": {"2026-01-06": 0.21, "2026-01-05": 0.20}}), series="close")
    history.add(readings({"IWM": {"2026-01-05": 0.25}}), series="close")
    later = readings({"QQQ": {"2026-01-05": 0.22}}, known_at="2026-01-08T14:00:00Z")
    history.add(later, series="close")
    history.add(readings({"QQQ": {"2026-01-05": 0.30}}), series="other")
    found = history.vintages(series="close", tenor="3M", delta="25c")
    assert found.columns.tolist() == ["date", "symbol", "value", "known_at", "vintage"]
    assert found.astype(str).to_numpy().tolist() == [
        ["2026-01-05", "IWM", "0.25", "2026-01-05 21:00:00+00:00", "1"],
        ["2026-01-05", "QQQ", "0.2", "2026-01-05 21:00:00+00:00", "1"],
        ["2026-01-05", "QQQ", "0.22", "2026-01-08 14:00:00+00:00", "2"],
        ["2026-01-06", "QQQ", "0.21", "2026-01-06 21:00:00+00:00", "1"],
    ]
    assert found.attrs["series"] == "close"
    only = history.vintages(series="close", symbols=["iwm"])
    assert only["symbol"].tolist() == ["IWM"]
    assert history.vintages(series="close", tenor="1m").empty


def test_withdrawals_are_vintages_without_a_value(history: History, readings: Readings) -> None:
    history.import_history(
        pd.DataFrame({"date": ["2026-01-05", "2026-01-06"], "symbol": "QQQ", "vol": [0.20, 0.21]}),
        series="mine",
    )
    history.add(readings({"QQQ": {"2026-01-07": 0.22}}), series="close")
    history.splice(imported="mine", solved="close", into="close+mine")
    # now that the day before is solved too, the splice takes one imported day less: it is withdrawn
    history.add(readings({"QQQ": {"2026-01-05": 0.19}}), series="close")
    history.splice(imported="mine", solved="close", into="close+mine")
    found = history.vintages(series="close+mine")
    gone = found[found["value"].isna()]
    assert gone["date"].astype(str).tolist() == ["2026-01-06"]
    assert gone["vintage"].tolist() == [2]


def test_days_without_a_session_are_left_out_and_named(history: History, readings: Readings) -> None:
    history.add(readings({"QQQ": {"2026-01-05": 0.20, "2026-01-04": 0.19}}), series="close")
    found = history.vintages(series="close")
    assert len(found) == 1
    assert found.attrs["off_session"] == (("2026-01-04", "QQQ"),)


def test_what_is_not_there_is_said(history: History) -> None:
    with pytest.raises(MissingReadingError, match="no readings of series 'close'"):
        history.vintages(series="close")
    with pytest.raises(SettingsError, match="a symbol is named twice"):
        history.vintages(series="close", symbols=["QQQ", "qqq"])


_vintage = st.tuples(
    st.integers(0, 5), st.sampled_from(["QQQ", "IWM"]), st.integers(15, 19), st.integers(0, 7), st.booleans()
)


@given(written=st.lists(_vintage, min_size=1, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_rank_history_says_what_rank_said_of_the_panel_known_then(
    written: list[tuple[int, str, int, int, bool]], readings: Readings
) -> None:
    limits: dict[str, Any] = {"min_observations": 2, "min_coverage": 0.0}
    with History() as store:
        for day, symbol, cents, lag, is_late in written:
            known = pd.Timestamp(_DAYS[day], tz="UTC") + pd.Timedelta(days=lag, hours=30 if is_late else 20)
            row = readings({symbol: {_DAYS[day]: cents / 100}}, known_at=known.strftime("%Y-%m-%dT%H:%M:%SZ"))
            store.add(row, series="close")
        vintages = store.vintages(series="close", symbols=["QQQ", "IWM"])
        index = sessions(vintages["date"].min().date(), vintages["date"].max().date())
        history = rank_history(pd.DataFrame(index=index), vintages=vintages, **limits)
        for stamp in index:
            session = pd.Timestamp(stamp)
            end = pd.Timestamp(session.date(), tz="America/New_York") + pd.Timedelta("23h59m59s")
            panel = store.panel(
                series="close", symbols=["QQQ", "IWM"], as_of=session.date(), known_by=end.to_pydatetime()
            ).reindex(index[index <= session])
            table = rank(panel, as_of=session.date(), record_observations=2, **limits).table
            rows = history[history["date"] == session]
            for name in ("value_a", "value_b", "value", "percentile", "coverage"):
                np.testing.assert_array_equal(rows[name].to_numpy(), table[name].to_numpy(dtype=np.float64))
            assert rows["n_obs"].tolist() == table["n_obs"].tolist()
