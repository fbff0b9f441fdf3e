"""Whether strikes and vols are in the unit that their format states: plausible, or not what they claim."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["unit_problem"]

Array = np.ndarray[Any, np.dtype[np.float64]]

_MONEYNESS: Final = 1.0
_VOLS: Final = (0.03, 3.0)
_NEAR: Final = 0.2
_STRETCH: Final = 10.0
_STRETCHED_SHARE: Final = 0.05
_FEWEST: Final = 10


def unit_problem(
    *, strike: Array, underlying_price: Array, vendor_vol: Array, by_vendor: bool = False
) -> str:
    """What is implausible about the strikes and vols of one chain, "" where nothing is.

    Parameters
    ----------
    strike, underlying_price, vendor_vol : array of float
        Of one symbol and day, in [$] and decimal; NaN where missing.
    by_vendor : bool
        The vols are what will be read, so stretches of them in another unit are looked for as well: more than
        5 % of those within 20 % of the underlying over ten times their median, or under a tenth of it.

    Returns
    -------
    str
        Said where the median distance of strikes from the underlying, ``|ln(K/S)|``, is 1 or more, or the
        median vol lies outside 0.03 to 3. Medians, because single lines may be anything; bounds wide enough
        for whole chains from zero days to years.

    Examples
    --------
    >>> import numpy as np
    >>> spot = np.full(3, 500.0)
    >>> none = np.full(3, np.nan)
    >>> unit_problem(strike=np.array([450.0, 500.0, 550.0]), underlying_price=spot, vendor_vol=none)
    ''
    >>> unit_problem(strike=np.array([450e3, 500e3, 550e3]), underlying_price=spot, vendor_vol=none)
    'the median strike is 500000 beside an underlying of 500'
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(np.log(strike / underlying_price))
    distance = distance[np.isfinite(distance)]
    if _half(distance >= _MONEYNESS) and np.median(distance) >= _MONEYNESS:
        spot = float(np.nanmedian(underlying_price))
        return f"the median strike is {float(np.nanmedian(strike)):g} beside an underlying of {spot:g}"
    vols = vendor_vol[np.isfinite(vendor_vol)]
    outside = _half(vols < _VOLS[0]) or _half(vols > _VOLS[1])
    if outside and not _VOLS[0] <= (middle := float(np.median(vols))) <= _VOLS[1]:
        return f"the median vol is {middle:g} as a decimal, that is {100 * middle:g} %"
    return _stretches(strike, underlying_price, vendor_vol) if by_vendor else ""


def _half(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> bool:
    """Whether half of some numbers or more lie beyond a bound: where not, their median does not either."""
    return 0 < mask.size <= 2 * int(np.count_nonzero(mask))


def _stretches(strike: Array, underlying_price: Array, vendor_vol: Array) -> str:
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.abs(np.log(strike / underlying_price)) > _NEAR  # False where the underlying is missing
    vols = vendor_vol[np.isfinite(vendor_vol) & (vendor_vol > 0) & ~far]
    if len(vols) < _FEWEST:
        return ""
    middle = float(np.median(vols))
    odd = (vols > _STRETCH * middle) | (vols < middle / _STRETCH)
    if odd.mean() <= _STRETCHED_SHARE:
        return ""
    return (
        f"{int(odd.sum())} of {len(vols)} vols near the money are ten times off their median of {middle:g}, "
        f"such as {float(vols[odd][0]):g}"
    )
