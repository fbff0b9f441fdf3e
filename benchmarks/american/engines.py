"""The engines: ours and the peers, how each is called, and what ours is meant to reach beside them."""

from __future__ import annotations

from common.environments import PYTHON_NEEDS
from common.process import Engine

OURS = ("volskew-fast", "volskew-default", "volskew-high")
OURS_DISCRETE = ("volskew-discrete-fast", "volskew-discrete-default", "volskew-discrete-high")
CONTINUOUS_YIELD = "volskew-continuous-yield"
FD_DISCRETE = "FD-200x200-cash"

NEEDS = (
    f"{PYTHON_NEEDS}, and for fastvol, which brings torch, 6 GB more, gcc, cmake and some five minutes (left "
    "out where it cannot be built)"
)

_OURS = ("volskew", "numpy", "numba")
_QUANTLIB = ("QuantLib", "scipy", "numpy")
_BRENTQ = "`scipy.optimize.brentq` between vols of 0.01 and 2, xtol=1e-8"

# price and vol; the name of a peer's pricer in american/peer.py is what stands before the solver's
CONTINUOUS = (
    *(
        Engine(
            name,
            None,
            _OURS,
            f"`volskew.pricing.american`, accuracy={name.removeprefix('volskew-')!r}, one call for all rows",
        )
        for name in OURS
    ),
    Engine(
        "QdFp-fast-brentq", "QuantLib", _QUANTLIB, f"`QdFpAmericanEngine`, fastScheme; {_BRENTQ}", every=2
    ),
    Engine(
        "QdFp-fast-secant",
        "QuantLib",
        _QUANTLIB,
        "the same engine; secant from the European vol of the price (`blackFormulaImpliedStdDev`), first "
        "step "
        "by Black's vega, until a step is below 1e-8; brentq as above where that leaves 0.001 to 5",
        every=2,
    ),
    Engine("QdPlus-brentq", "QuantLib", _QUANTLIB, f"`QdPlusAmericanEngine`; {_BRENTQ}", every=2),
    Engine(
        "impliedVolatility",
        "QuantLib",
        _QUANTLIB,
        "`VanillaOption.impliedVolatility` with its defaults (accuracy 1e-4, its own finite-difference grid)",
        every=10,
    ),
    Engine(
        "BAW-brentq", "QuantLib", _QUANTLIB, f"`BaroneAdesiWhaleyApproximationEngine`; {_BRENTQ}", every=2
    ),
    Engine(
        "Bjerksund-Stensland-brentq",
        "QuantLib",
        _QUANTLIB,
        f"`BjerksundStenslandApproximationEngine`; {_BRENTQ}",
        every=2,
    ),
    Engine(
        "CRR-501-brentq",
        "QuantLib",
        _QUANTLIB,
        f"`BinomialVanillaEngine(.., 'crr', 501)`; {_BRENTQ}",
        every=20,
    ),
    Engine(
        "FD-200x200-brentq",
        "QuantLib",
        _QUANTLIB,
        f"`FdBlackScholesVanillaEngine`, 200 time steps, 200 points; {_BRENTQ}",
        every=20,
    ),
    Engine(
        "fastvol-128",
        "fastvol",
        ("fastvol", "numpy"),
        "`fastvol.american.bopm`, 64-bit, 128 steps, its defaults",
    ),
    Engine(
        "fastvol-512",
        "fastvol",
        ("fastvol", "numpy"),
        "`fastvol.american.bopm`, 64-bit, 512 steps, its defaults",
        every=2,
    ),
)

DISCRETE = (
    *(
        Engine(
            name,
            None,
            _OURS,
            f"`volskew.pricing.discrete`, accuracy={name.rsplit('-', 1)[1]!r}, one call an expiry",
        )
        for name in OURS_DISCRETE
    ),
    Engine(
        CONTINUOUS_YIELD,
        None,
        _OURS,
        "`volskew.pricing.american`, accuracy='default', at the yield that gives the true forward",
    ),
    Engine(
        FD_DISCRETE,
        "QuantLib",
        _QUANTLIB,
        "`FdBlackScholesVanillaEngine` with the dividends, CashDividendModel.Spot, 200 time steps, 200 "
        "points; "
        "secant from the European vol, then the Black vol of the European price on the same grid",
        every=20,
    ),
)

# the times of a bare call: what Python and the binding cost of every QuantLib figure
BINDING = Engine("binding", "QuantLib", _QUANTLIB, "`AnalyticEuropeanEngine` through the same calls")

# Prices that truth is made of; american/peer.py knows the names.
EXACT, EXACT_A = "QdFp-high", "QdFp-high-FP_A"
ACCURATE = "QdFp-accurate"
TRUTH = tuple(Engine(name, "QuantLib", _QUANTLIB, "") for name in (EXACT, EXACT_A, ACCURATE, "FD"))

# at least so many times ours (meant to be reached in the end)
SPEED = {
    "QdFp-fast-brentq": (100, 230),
    "QdFp-fast-secant": (25, 55),
    "impliedVolatility": (2000, 5000),
    "fastvol-128": (5, None),
}
# errors of the vol where vega >= $0.2 per 1.00 of vol
LARGEST_P99, LARGEST_ERROR, LARGEST_DOLLARS = 1e-6, 1e-4, 1e-3
# discrete dividends: microseconds a vol, vol points at 25 delta
DISCRETE_US, DISCRETE_POINTS, DISCRETE_POINTS_LATE_CALL = 4.0, 0.02, 0.04
# bias of the forward in basis points of it, by days to expiry
FORWARD_BIAS = {91: 0.2, 364: 1.0}
# a quote says something of the vol from these on [$], [$ per 1.00 of vol]
LEAST_EXTRINSIC, LEAST_VEGA = 0.01, 0.2
