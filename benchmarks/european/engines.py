"""The engines: ours and the peers, and what ours is meant to reach beside them."""

from __future__ import annotations

from common.environments import PYTHON_NEEDS
from common.process import Engine

OURS = "volskew"

# ours starts a second thread from about 100,000 options on: smaller sets have no row with two threads
LEAST_FOR_THREADS = 200_000

NEEDS = f"gcc with libquadmath on x86-64, {PYTHON_NEEDS}"

ENGINES = (
    Engine(
        OURS,
        None,
        ("volskew", "numpy", "numba"),
        "`volskew.pricing.black.implied_vol`, arrays and booleans",
        threaded=True,
    ),
    Engine(
        "vollib",
        "vollib",
        ("vollib", "numpy", "scipy"),
        "a loop over `implied_volatility_of_undiscounted_option_price`, which is `implied_volatility` "
        "without its discount factor and quicker",
        every=20,
    ),
    Engine(
        "py_vollib_vectorized",
        "py_vollib_vectorized",
        ("py_vollib_vectorized", "py_vollib", "py_lets_be_rational", "numpy", "numba", "pandas"),
        "`vectorized_implied_volatility_black(..., return_as='numpy')` with r = 0, flags as a list (quicker "
        "than an array), its defaults otherwise; it has no threads",
    ),
    Engine(
        "fast-vollib-numba",
        "fast-vollib",
        ("fast-vollib", "numpy", "numba"),
        "`fast_implied_volatility_black(..., backend='numba', return_as='numpy', on_error='ignore')` with "
        "r = 0, flags as an array of 'c' and 'p'",
        threaded=True,
    ),
    Engine(
        "fast-vollib-jackel",
        "fast-vollib",
        ("fast-vollib", "numpy", "numba"),
        "`fast_vollib.jackel.jackel_iv_black`, arrays and booleans",
        threaded=True,
    ),
    Engine(
        "QuantLib",
        "QuantLib",
        ("QuantLib",),
        "a loop over `blackFormulaImpliedStdDev`, divided by sqrt(T), with its default accuracy (1e-6)",
        every=10,
    ),
    Engine(
        "QuantLib-1e-12",
        "QuantLib",
        ("QuantLib",),
        "the same with accuracy 1e-12",
        every=10,
    ),
    Engine(
        "scipy-find_root",
        "scipy",
        ("scipy", "numpy"),
        "`scipy.optimize.elementwise.find_root` for vol sqrt(T) between 1e-4 and 20 on `F N(d1) - K N(d2)` "
        "out of the money",
        every=10,
    ),
)

# at least so many times ours, at the same number of threads
TARGETS = {
    "vollib": 800,
    "py_vollib_vectorized": 25,
    "fast-vollib-numba": 30,
    "fast-vollib-jackel": 20,
}
