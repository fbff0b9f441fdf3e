"""Two columns of a dated CSV: their past as it was knowable, the episodes, and what is written of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.cli import run
from volskew.ranking import rank_series
from volskew.workflow import study_series_file

DAYS = pd.bdate_range("2023-01-02", periods=400)


def table() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x = 20.0 * np.exp(0.03 * rng.normal(size=len(DAYS)).cumsum())
    x[-5:] = [9.0, 8.0, 7.5, 7.0, 6.0]  # below all before: an episode that goes on
    return pd.DataFrame({"date": DAYS, "x": x.round(3), "y": 20.0})


def put(folder: Path, frame: pd.DataFrame) -> Path:
    path = folder / "two.csv"
    frame.to_csv(path, index=False)
    return path


def test_the_past_is_ranked_as_the_day_is(tmp_path: Path) -> None:
    frame = table()
    study = study_series_file(put(tmp_path, frame), a="x", b="y")
    full = study.percentiles[study.percentiles["window"] == "full"].set_index("date")
    assert len(full) == len(DAYS)
    for day in (DAYS[-1], DAYS[-5], DAYS[300], DAYS[251]):
        then = rank_series(frame, a="x", b="y", as_of=day.date())
        assert full["percentile"][day] == then.headline["percentile"]
    lows = study.episodes[study.episodes["side"] == "low"]
    assert (lows["state"].iloc[-1], lows["start"].iloc[-1]) == ("open", DAYS[-5])
    assert study.episode_words.startswith("Episodes at 5 or below: ")
    assert "x -33.3 % and y +0.0 %." in study.episode_words  # 9 to 6


def test_a_row_enters_on_its_publication_day(tmp_path: Path) -> None:
    frame = table()
    frame["published"] = [*DAYS[1:], DAYS[-1] + pd.Timedelta(days=3)]
    study = study_series_file(put(tmp_path, frame), a="x", b="y", known_at="published")
    full = study.percentiles[study.percentiles["window"] == "full"].set_index("date")
    assert full.index.tolist() == frame["published"].tolist()
    for day in (frame["published"].iloc[-1], DAYS[300], DAYS[252]):
        then = rank_series(frame, a="x", b="y", known_at="published", as_of=day.date())
        assert full["percentile"][day] == then.headline["percentile"]
    assert "x -33.3 % and y +0.0 %." in study.episode_words


def test_no_day_knows_what_was_published_later(tmp_path: Path) -> None:
    frame = table()
    frame["published"] = DAYS
    frame.loc[[300, 301, 302], "published"] = DAYS[303]  # three and the day's own at once
    frame.loc[310, "published"] = DAYS[330]  # after twenty later observations
    study = study_series_file(put(tmp_path, frame), a="x", b="y", known_at="published")
    full = study.percentiles[study.percentiles["window"] == "full"].set_index("date")
    assert full.loc[[DAYS[300], DAYS[302], DAYS[310]], "value"].isna().all()
    for place in (299, 303, 309, 311, 329, 330, 331, 399):
        then = rank_series(frame, a="x", b="y", known_at="published", as_of=DAYS[place].date())
        assert full["percentile"][DAYS[place]] == then.headline["percentile"]
        assert full["n_obs"][DAYS[place]] == then.headline["n_obs"]


def test_an_earlier_day_knows_no_more(tmp_path: Path) -> None:
    path = put(tmp_path, table())
    early = study_series_file(path, a="x", b="y", as_of=str(DAYS[350].date()))
    late = study_series_file(path, a="x", b="y")
    upto = late.percentiles[late.percentiles["date"] <= DAYS[350]]
    pd.testing.assert_frame_equal(early.percentiles, upto)
    assert early.ranking.as_of == DAYS[350].date()


def test_the_command_writes_and_draws_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, table())
    arguments = ["rank-series", "two.csv", "--a", "x", "--b", "y", "--out", "out"]
    assert run(arguments) == 0
    assert {path.name for path in Path("out").iterdir()} == {
        *("rankings.csv", "percentiles.csv", "episodes.csv", "x_y_-_-_-.png")
    }
    assert "Episodes at 5 or below" in capsys.readouterr().out.replace("\n", " ")
    assert run([*arguments[:-1], "bare", "--no-chart"]) == 0
    assert not list(Path("bare").glob("*.png"))
