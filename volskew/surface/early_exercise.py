"""Forwards of American pairs, the early-exercise premiums taken out.

A forward gives each slice a pricer (`volskew.surface.pricer`) whose forward it is; that gives both legs of
every pair near the money an American vol, and Black's price at that vol is the leg without its premium. These
prices give the next forward. The error shrinks three- to tenfold a round, faster at short maturities, so two
rounds show where it goes and Aitken's formula takes them there.

What the quotes' noise does to the forward of one round comes back in the next by the same ratio, so that the
noise of the last is ``1/(1 - ratio)`` times that of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Settings
from volskew.surface.carry import Spot, present_value, settle_spot
from volskew.surface.chain import Chain
from volskew.surface.pair_fit import PairFits, fit_near, nearest
from volskew.surface.pairs import Pairs
from volskew.surface.pricer import Pricer

__all__ = ["Cleared", "are_doubtful", "without_early_exercise"]

_ROUNDS = 8
_SETTLED = 2e-6
"""Change of the forward, as a share of it, at which the rounds end: a fiftieth of a basis point."""
_SHRINKS = (-0.5, 0.9)
"""Ratio of two changes between which Aitken's formula is believed."""
_DOUBTFUL, _CARRY = 0.01, 0.02
"""Of the spot, and of it a year: what may be left unexplained with dividends that are believed."""
_YEAR = 1.1
"""[years] Expiries up to here tell; beyond, early exercise leaves more in a parity forward than that."""
_SPOT_ROUNDS = 3
"""Rounds in which the spot is settled afresh; from then on it stands, so that the forwards can settle."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What came of it.

    Attributes
    ----------
    fits : PairFits
        NaN for slices that have none.
    kinds : ndarray of str, per slice
        What the pricer knew of early exercise.
    rounds : ndarray of int, per slice
    spot : Spot
        Of the moment of the quotes.
    """

    fits: PairFits
    kinds: NDArray[np.str_]
    rounds: IntArray
    spot: Spot


def without_early_exercise(
    pairs: Pairs,
    chain: Chain,
    *,
    forward: FloatArray,
    error: FloatArray,
    spot: Spot | None,
    settings: Settings,
) -> Cleared:
    """Forwards of American slices.

    Parameters
    ----------
    pairs : Pairs
        Of the slices that are asked for.
    chain : Chain
    forward, error : ndarray of float, per slice
        [$] What parity as it stands says; the start.
    spot : Spot, optional
        Where it has been settled already.
    settings : Settings
        Of the pricer.
    """
    forward, error = forward.copy(), error.copy()
    n = len(forward)
    past: list[FloatArray] = [forward.copy()]
    rounds, ratio = np.zeros(n, dtype=np.intp), np.zeros(n)
    settled = spot or _spot(chain, forward, error)
    found = PairFits.none(n)
    pricer = Pricer.of(chain, forward, spot=settled.price, settings=settings)
    everyone = (np.bincount(pairs.slice_id, minlength=n) > 0) & np.isfinite(forward)
    going = everyone
    for turn in range(_ROUNDS):
        if not going.any():
            break
        last = forward.copy()
        fits = _round(pairs, chain, pricer, going)
        there = np.isfinite(fits.forward) & (fits.forward > 0)
        found = fits.over(found, there)
        forward[there], error[there] = fits.forward[there], fits.error[there]
        rounds[going] += 1
        moved = np.abs(forward / last - 1)
        past.append(forward.copy())
        stood = settled.price
        if turn + 1 < _SPOT_ROUNDS and spot is None:
            settled = _spot(chain, forward, error)
        # at a spot that stands each slice goes its own way: found anew at that spot, it comes out the same
        going = going & ~(moved <= _SETTLED) if settled.price == stood else everyone
        if turn == 1:
            ratio = _ratio(*past)
        if turn % 2 == 1:
            forward[going] = _aitken(past[-3][going], past[-2][going], past[-1][going])
            past[-1] = forward.copy()
        pricer = Pricer.of(chain, forward, spot=settled.price, settings=settings)
    return Cleared(
        fits=replace(found, error=found.error / (1 - ratio)),
        kinds=pricer.kinds,
        rounds=rounds,
        spot=settled,
    )


def are_doubtful(chain: Chain, forward: FloatArray) -> bool:
    """Whether the known dividends contradict the file's spot and the forwards, which agree without them.

    Dividends of another fund, or in another unit, leave per cents of the spot unexplained.
    """
    if not chain.dividends or not chain.spot > 0:
        return False
    near = np.isfinite(forward) & (chain.years > 0) & (chain.years <= _YEAR)
    years, rate = chain.years[near], chain.rate[near]
    held = forward[near] * np.exp(-rate * years)
    worth = present_value(chain.dividends, rate=rate, years=years)
    miss = np.abs((held + worth) / chain.spot - 1)
    blind = np.abs(held / chain.spot - 1)
    return bool(((miss > _DOUBTFUL + _CARRY * years) & (miss > 2 * blind)).any())


def _spot(chain: Chain, forward: FloatArray, error: FloatArray) -> Spot:
    return settle_spot(
        chain.spot,
        forward=forward,
        forward_error=error,
        rate=chain.rate,
        years=chain.years,
        dividends=chain.dividends,
    )


def _aitken(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Where three values of a sequence that shrinks by a constant ratio are going."""
    before, after = second - first, third - second
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = after / before
        limit = third + after * ratio / (1 - ratio)
    low, high = _SHRINKS
    return np.where((ratio > low) & (ratio < high), limit, third)


def _ratio(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """What the changes shrink by, from 0 to where Aitken's formula ends; 0 where they are next to nothing."""
    before, after = second - first, third - second
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.abs(before) > _SETTLED * third, after / before, 0.0)
    return np.asarray(np.clip(np.nan_to_num(ratio), 0.0, _SHRINKS[1]))


def _round(pairs: Pairs, chain: Chain, pricer: Pricer, going: BoolArray) -> PairFits:
    """The forward that a slice's pairs imply once their premiums at the pricer's forward are out."""
    lines, discount = chain.lines, chain.lines.slice_discount
    near = nearest(pairs, np.where(going, pricer.forward, np.nan))
    there = near >= 0
    place = near[there]
    call, put, slice_id = pairs.call[place], pairs.put[place], pairs.slice_id[place]
    rows = np.concatenate([call, put])
    solved = pricer.implied_vols(
        chain.mid[rows], slice_id=lines.slice_id[rows], strike=lines.strike[rows], is_call=lines.is_call[rows]
    )
    of_call, of_put = np.split(solved.premium[0], 2)
    implied = np.full(near.shape, np.nan)
    implied[there] = pairs.strike[place] + (pairs.difference[place] - of_call + of_put) / discount[slice_id]
    return fit_near(pairs, near, implied, discount=discount, tick=chain.tick)
