"""What a change is made of: markets that move in one way only, exact sums, places that cannot be read."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from volskew.errors import SettingsError
from volskew.market import session_close
from volskew.quotes.schema import conform
from volskew.settings import Settings
from volskew.simulate import scenario_chain
from volskew.surface import Surface, fit_surface
from volskew.surface.changes import PARTS, Change, attribute_change, in_vol, log_of, on_grid

Floats = NDArray[np.float64]
Smile = Callable[[Floats], Floats]

RATE = 0.04
FIRST, SECOND = dt.date(2026, 7, 9), dt.date(2026, 7, 10)
TENOR = 91
EXPIRIES = (63, 77, 84, 91, 92, 98, 105, 126)
"""Days from the first session: 91 and 92 are both sessions' tenor, so that no reading is interpolated."""


@dataclass(frozen=True)
class World:
    """One session: a forward, and a smile in strikes, for each expiry by its days from the first session."""

    day: dt.date
    forward: Callable[[int], float]
    smile: Callable[[int], Smile]

    def years(self, expiry: int) -> float:
        return (expiry - (self.day - FIRST).days) / 365

    def strike_and_vol(
        self, expiry: int, delta: float, *, forward: float | None = None
    ) -> tuple[float, float]:
        """Exactly: the root of N(d1) = delta on the smile, at its own forward or another."""
        own, years, smile = forward or self.forward(expiry), self.years(expiry), self.smile(expiry)

        def miss(log_strike: float) -> float:
            s = float(smile(np.array([math.exp(log_strike)]))[0]) * math.sqrt(years)
            return (math.log(own) - log_strike) / s + s / 2 - float(ndtri(delta))

        near = math.log(own)
        strike = math.exp(brentq(miss, near - 0.6, near + 0.6, xtol=1e-14))
        return strike, float(smile(np.array([strike]))[0])

    def vol(self, expiry: int, delta: float, *, forward: float | None = None) -> float:
        return self.strike_and_vol(expiry, delta, forward=forward)[1]

    def surface(
        self, expiries: Sequence[int] = EXPIRIES, *, keep: Callable[[Floats], Floats] | None = None
    ) -> Surface:
        """From European quotes half a cent around the exact prices."""
        close = session_close(self.day)
        parts = []
        for expiry in expiries:
            years, forward = self.years(expiry), self.forward(expiry)
            strikes = np.arange(0.7, 1.3, 0.0125) * self.forward(TENOR)
            strikes = strikes if keep is None else strikes[keep(strikes).astype(bool)]
            s = self.smile(expiry)(strikes) * math.sqrt(years)
            d1 = np.log(forward / strikes) / s + s / 2
            discount = math.exp(-RATE * years)
            call = discount * (forward * ndtr(d1) - strikes * ndtr(d1 - s))
            for is_call, price in ((True, call), (False, call - discount * (forward - strikes))):
                quotes = {"expiry": close + pd.Timedelta(days=round(365 * years)), "strike": strikes}
                both = {"bid": np.maximum(price - 0.005, 0.0), "ask": price + 0.005, "last": price}
                parts.append(pd.DataFrame({**quotes, **both, "is_call": is_call}))
        frame = pd.concat(parts, ignore_index=True).assign(
            snapshot_time=close, symbol="QQQ", root="QQQ", settlement="PM", exercise="european",
            underlying_price=520.0, multiplier=100.0, source_file="synthetic",
        )  # fmt: skip
        frame["source_row"] = np.arange(len(frame)) + 2
        return fit_surface(conform(frame), settings=Settings(rate=RATE))


def _forward(expiry: int) -> float:
    return 520.0 * math.exp(0.03 * expiry / 365)


def _smile(expiry: int) -> Smile:
    """A hyperbola in log-moneyness; longer expiries are dearer, by 0.2 vol points a month."""
    width, level = 0.1 * math.sqrt(expiry / 91), 0.19 + 0.002 * (expiry - 91) / 30

    def vol(strikes: Floats) -> Floats:
        y = (np.log(strikes / _forward(expiry)) - 0.1 * width) / width
        return level * np.sqrt(1 + 0.45 * (-0.55 * y + np.sqrt(y * y + 0.5)))

    return vol


BEFORE = World(FIRST, _forward, _smile)
TIME = replace(BEFORE, day=SECOND)
"""A day later: forwards of every date and vols of every contract as they were."""
SPOT = replace(TIME, forward=lambda expiry: _forward(expiry) * math.exp(-0.03))
"""And all forwards 3 % lower, strikes keeping their vols."""


def _level(expiry: int) -> Smile:
    """Vols 5 % higher at every standardised distance from the forward."""
    return lambda strikes: (
        1.05 * _smile(expiry)(_forward(expiry) * (strikes / _forward(expiry)) ** (1 / 1.05))
    )


def _skew(expiry: int) -> Smile:
    """A slope of 0.3 in log-moneyness added around the 50-delta strike."""
    middle = BEFORE.strike_and_vol(expiry, 0.5)[0]
    return lambda strikes: _smile(expiry)(strikes) * (1 + 0.3 * np.log(strikes / middle))


LEVEL, SKEW = replace(TIME, smile=_level), replace(TIME, smile=_skew)


def _exact(after: World, delta: float) -> dict[str, float]:
    """The parts by their definition, on the exact smiles."""
    moved = after.forward(TENOR + 1)
    at = {point: math.log(BEFORE.vol(TENOR + 1, point, forward=moved)) for point in (delta, 0.5)}
    rolled = math.log(BEFORE.vol(TENOR + 1, delta))
    level = math.log(after.vol(TENOR + 1, 0.5)) - at[0.5]
    return {
        "roll": rolled - math.log(BEFORE.vol(TENOR, delta)),
        "spot": at[delta] - rolled,
        "level": level,
        "skew": math.log(after.vol(TENOR + 1, delta)) - at[delta] - level,
    }


@pytest.fixture(scope="module")
def before() -> Surface:
    return BEFORE.surface()


@pytest.fixture(scope="module")
def surfaces() -> dict[str, Surface]:
    return {name: world.surface() for name, world in WORLDS.items()}


WORLDS = {"roll": TIME, "spot": SPOT, "level": LEVEL, "skew": SKEW}


# --- each kind of move lands in its own part --------------------------------------------------------


@pytest.mark.parametrize("delta", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("name", list(WORLDS))
def test_parts_are_those_of_the_exact_smiles(
    before: Surface, surfaces: dict[str, Surface], name: str, delta: float
) -> None:
    found = attribute_change(before, surfaces[name], delta=delta)
    assert found.reason == ""
    for part, exact in _exact(WORLDS[name], delta).items():
        # two to four readings, each met within 0.01 vol points (5e-4 of the vol) from quotes a cent wide
        assert found.parts[part] == pytest.approx(exact, abs=1e-3), part
    assert found.forward_move == pytest.approx(-0.03 if name == "spot" else 0.0, abs=2e-5)


@pytest.mark.parametrize(
    ("name", "delta", "size"),
    [("spot", 0.75, 0.0575), ("level", 0.25, 0.0488), ("skew", 0.25, 0.02), ("skew", 0.75, -0.025)],
)
def test_a_move_of_one_kind_is_in_one_part(
    before: Surface, surfaces: dict[str, Surface], name: str, delta: float, size: float
) -> None:
    parts = attribute_change(before, surfaces[name], delta=delta).parts
    assert parts[name] == pytest.approx(size, rel=0.35)
    # one day at 0.2 vol points a month moves the 3-month vol by 0.00035 of itself
    assert parts["roll"] == pytest.approx(0.00035, abs=5e-4)
    others = [parts[part] for part in ("spot", "level", "skew") if part != name]
    assert max(map(abs, others)) < 0.05 * abs(parts[name])


def test_time_alone_is_roll(before: Surface, surfaces: dict[str, Surface]) -> None:
    found = attribute_change(before, surfaces["roll"])
    # of the fixed strikes' deltas a day changes 0.0003: not in the roll, and less than the readings' errors
    assert max(abs(found.spot), abs(found.level), abs(found.skew)) < 5e-4
    assert found.total == pytest.approx(found.roll, abs=1e-3)


def test_at_the_middle_there_is_no_skew(before: Surface, surfaces: dict[str, Surface]) -> None:
    middle, wing = (attribute_change(before, surfaces["level"], delta=delta) for delta in (0.5, 0.25))
    assert middle.skew == 0.0
    assert middle.level == wing.level


@pytest.mark.parametrize("convention", ["spot", "discounted"])
def test_deltas_of_another_convention_move_the_same_way(convention: Any) -> None:
    quotes = [world.surface().quotes for world in (BEFORE, SPOT)]
    settings = Settings(rate=RATE, delta_convention=convention)
    raw = [conform(frame) for frame in quotes]
    found, plain = (
        attribute_change(*(fit_surface(frame, settings=chosen) for frame in raw), delta=0.75)
        for chosen in (settings, Settings(rate=RATE))
    )
    # a discount of 1 % makes 0.75 one of 0.7576: the sticky-strike part changes by about as much of itself
    assert found.spot == pytest.approx(plain.spot, rel=0.05)
    assert found.remainder == 0.0


@pytest.mark.parametrize("symbol", ["QQQ", "IWM"])
def test_parts_of_simulated_american_chains_are_those_of_the_truth(symbol: str) -> None:
    """Cash dividends, early exercise, defects, whole term structures, smiles of two families."""
    chains = [scenario_chain("calm", symbol=symbol, seed=1, day=day) for day in (3, 4)]
    old, new = (chain.truth for chain in chains)
    short, long = TENOR / 365, (TENOR + (chains[1].date - chains[0].date).days) / 365
    move = math.log(float(new.forward(short)) / float(old.forward(long)))

    def moved(delta: float) -> float:
        def miss(k: float) -> float:
            s = float(old.vol_at(long, np.array(k))) * math.sqrt(long)
            return (move - k) / s + s / 2 - float(ndtri(delta))

        return math.log(float(old.vol_at(long, np.array(brentq(miss, -0.3, 0.3, xtol=1e-12)))))

    for delta in (0.25, 0.75):
        rolled, level = (
            math.log(float(old.vol(long, delta))),
            math.log(float(new.vol(short, 0.5))) - moved(0.5),
        )
        exact = {
            "roll": rolled - math.log(float(old.vol(short, delta))),
            "spot": moved(delta) - rolled,
            "level": level,
            "skew": math.log(float(new.vol(short, delta))) - moved(delta) - level,
        }
        before, after = (
            fit_surface(chain.canonical(), market=chain.market, previous=chain.previous) for chain in chains
        )
        found = attribute_change(before, after, delta=delta)
        assert found.before.error is not None
        assert found.after.error is not None
        error = math.hypot(found.before.error / found.before.value, found.after.error / found.after.value)
        for part, value in exact.items():
            assert found.parts[part] == pytest.approx(value, abs=3 * error), (part, delta)


# --- sums -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(WORLDS))
def test_parts_add_up_to_the_last_bit(before: Surface, surfaces: dict[str, Surface], name: str) -> None:
    found = attribute_change(before, surfaces[name])
    for order in (PARTS, PARTS[::-1]):
        assert sum(found.parts[part] for part in order) == found.total
    assert found.total == pytest.approx(math.log(found.after.value / found.before.value), abs=1e-14)
    assert found.remainder == 0.0


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=40))
def test_sums_on_the_grid_are_exact(numbers: list[float]) -> None:
    parts = [on_grid(number / len(numbers)) for number in numbers]
    assert sum(parts) == sum(reversed(parts)) == math.fsum(parts)
    assert all(
        abs(part - number / len(numbers)) <= 2.0**-49 for part, number in zip(parts, numbers, strict=True)
    )
    assert math.isnan(on_grid(math.nan))


@given(st.floats(0.03, 3), st.floats(0.03, 3), st.lists(st.floats(-1, 1) | st.just(math.nan), max_size=4))
def test_parts_in_vol_add_up_to_the_change_in_vol(before: float, after: float, some: list[float]) -> None:
    total = log_of(after) - log_of(before)
    parts = {f"part {number}": on_grid(part) for number, part in enumerate(some)}
    parts["rest"] = total - sum(part for part in parts.values() if not math.isnan(part))
    found = in_vol(parts, before=before, after=after)
    assert sum(part for part in found.values() if not math.isnan(part)) == on_grid(after) - on_grid(before)
    assert [name for name, part in found.items() if math.isnan(part)] == [
        name for name, part in parts.items() if math.isnan(part)
    ]
    if abs(total) > 1e-3:
        # the rounding of logs and vols to the grid, over the smallest total
        rate = (after - before) / total
        for name, part in parts.items():
            if not math.isnan(part):
                assert found[name] == pytest.approx(part * rate, abs=1e-10)


# --- errors, flags ----------------------------------------------------------------------------------


def test_the_error_of_the_level_is_that_of_two_readings(
    before: Surface, surfaces: dict[str, Surface]
) -> None:
    found = attribute_change(before, surfaces["roll"])
    old, new = before.vol("92d", 0.5), surfaces["roll"].vol("3m", 0.5)
    assert old.error is not None
    assert new.error is not None
    # nothing but noise moved the forward
    exact = math.hypot(old.error / old.value, new.error / new.value)
    assert found.level_error == pytest.approx(exact, rel=1e-3)


def test_other_expiries_around_the_tenor_are_a_roll(before: Surface, surfaces: dict[str, Surface]) -> None:
    assert attribute_change(before, surfaces["roll"]).is_roll  # 91 and 92 days
    some = (63, 77, 84, 105, 126)
    assert not attribute_change(BEFORE.surface(some), TIME.surface(some)).is_roll


# --- what cannot be read ----------------------------------------------------------------------------


def test_a_reading_that_is_missing_leaves_nothing_but_a_reason(before: Surface) -> None:
    found = attribute_change(before, TIME.surface((63, 77)))
    assert math.isnan(found.total)
    assert all(math.isnan(part) for part in found.parts.values())
    assert found.reason.startswith("QQQ 2026-07-10 3m 25c: ")


def test_an_old_surface_that_ends_too_early_leaves_all_in_the_remainder() -> None:
    found = attribute_change(BEFORE.surface((63, 77, 84, 91)), LEVEL.surface())
    assert all(math.isnan(part) for part in found.parts.values())
    assert found.remainder == found.total
    assert found.reason.startswith("QQQ 2026-07-09 92d 25c: ")


def test_a_forward_that_leaves_the_smile_leaves_spot_in_the_remainder(before: Surface) -> None:
    rally = replace(SPOT, forward=lambda expiry: _forward(expiry) * math.exp(0.2))
    found = attribute_change(before, rally.surface())
    assert math.isfinite(found.roll)
    assert math.isnan(found.spot)
    assert found.remainder == found.total - found.roll
    assert re.match(r"QQQ 2026-07-09 92d .*the forward has moved by \+20\.0", found.reason)


def test_without_a_middle_level_and_skew_are_not_told_apart() -> None:
    # of the money below 25 delta's neighbourhood only three strikes, all far away: 50 delta fails its gates
    keep = lambda strikes: (strikes > 534) | (strikes < 380)  # noqa: E731
    found = attribute_change(BEFORE.surface(keep=keep), LEVEL.surface(keep=keep))
    assert math.isfinite(found.roll)
    assert math.isfinite(found.spot)
    assert math.isnan(found.level)
    assert math.isnan(found.skew)
    assert found.remainder == found.total - found.roll - found.spot
    assert " 50: " in found.reason


def test_what_is_refused(before: Surface, surfaces: dict[str, Surface]) -> None:
    later = surfaces["roll"]
    with pytest.raises(SettingsError, match="later session than 2026-07-10; got 2026-07-09"):
        attribute_change(later, before)
    with pytest.raises(SettingsError, match="one symbol"):
        attribute_change(before, replace(later, symbol="IWM"))
    for delta in ("atmf", "2x"):
        with pytest.raises(SettingsError, match="delta"):
            attribute_change(before, later, delta=delta)
    with pytest.raises(SettingsError, match="tenor"):
        attribute_change(before, later, tenor="soon")


def test_a_change_knows_its_ends(before: Surface, surfaces: dict[str, Surface]) -> None:
    found = attribute_change(before, surfaces["roll"], tenor="91D", delta="25p")
    assert isinstance(found, Change)
    assert (found.symbol, found.start, found.end) == ("QQQ", FIRST, SECOND)
    assert (found.tenor, found.point.text) == ("91d", "0.75")
