"""Whether strikes and vols are in the unit that their format states: plausible, or not what they claim."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["unit_problem"]

Array = np.ndarray[Any, np.dtype[np.float64]]

_MONEYNESS: Final = 1.0
_VOLS: Final = (0.03, 3.0)


def unit_problem(*, strike: Array, underlying_price: Array, vendor_vol: Array) -> str:
    """What is implausible about the strikes and vols of one chain, "" where nothing is.

    Parameters
    ----------
    strike, underlying_price, vendor_vol : array of float
        Of one symbol and day, in [$] and decimal; NaN where missing.

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
    if distance.size and np.median(distance) >= _MONEYNESS:
        spot = float(np.nanmedian(underlying_price))
        return f"the median strike is {float(np.nanmedian(strike)):g} beside an underlying of {spot:g}"
    vols = vendor_vol[np.isfinite(vendor_vol)]
    if vols.size and not _VOLS[0] <= (middle := float(np.median(vols))) <= _VOLS[1]:
        return f"the median vol is {middle:g} as a decimal, that is {100 * middle:g} %"
    return ""
