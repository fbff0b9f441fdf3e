"""Tell whether one volatility is cheap or dear against another, compared with their own history.

Public names are listed in `_PLACES` and imported when first used (PEP 562), so that importing the package
costs nothing and ``volskew --help`` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from volskew.loading import importing

__version__ = "0.1.0"

_PLACES = {
    "DataQualityWarning": "volskew.errors",
    "Estimate": "volskew.surface.estimate",
    "History": "volskew.history",
    "InputError": "volskew.errors",
    "Ledger": "volskew.ledger",
    "NotAChainError": "volskew.errors",
    "Settings": "volskew.settings",
    "SettingsError": "volskew.errors",
    "Surface": "volskew.surface",
    "VolskewError": "volskew.errors",
    "american": "volskew.pricing.american",
    "attribute_files": "volskew.workflow",
    "audit_store": "volskew.workflow",
    "beta_adjust": "volskew.ranking",
    "black": "volskew.pricing.black",
    "chain_formats": "volskew.workflow",
    "decompose": "volskew.ranking",
    "discrete": "volskew.pricing.discrete",
    "explain_readings": "volskew.workflow",
    "find_episodes": "volskew.ranking",
    "fit_surface": "volskew.surface",
    "import_history": "volskew.workflow",
    "inspect_files": "volskew.workflow",
    "measure": "volskew.measures",
    "measure_files": "volskew.workflow",
    "rank": "volskew.ranking",
    "rank_files": "volskew.workflow",
    "rank_history": "volskew.ranking",
    "rank_series": "volskew.ranking",
    "read_chain": "volskew.quotes",
    "read_overrides": "volskew.quotes",
    "read_prices": "volskew.market",
    "reconcile": "volskew.workflow",
    "scenario_chain": "volskew.simulate",
    "simulate_market": "volskew.simulate",
    "verify_file": "volskew.workflow",
}
"""Public name -> the module that defines it; a name equal to its module's last part is the module."""

__all__ = [
    "DataQualityWarning",
    "Estimate",
    "History",
    "InputError",
    "Ledger",
    "NotAChainError",
    "Settings",
    "SettingsError",
    "Surface",
    "VolskewError",
    "__version__",
    "american",
    "attribute_files",
    "audit_store",
    "beta_adjust",
    "black",
    "chain_formats",
    "decompose",
    "discrete",
    "explain_readings",
    "find_episodes",
    "fit_surface",
    "import_history",
    "inspect_files",
    "measure",
    "measure_files",
    "rank",
    "rank_files",
    "rank_history",
    "rank_series",
    "read_chain",
    "read_overrides",
    "read_prices",
    "reconcile",
    "scenario_chain",
    "simulate_market",
    "verify_file",
]

if TYPE_CHECKING:
    from volskew.errors import DataQualityWarning, InputError, NotAChainError, SettingsError, VolskewError
    from volskew.history import History
    from volskew.ledger import Ledger
    from volskew.market import read_prices
    from volskew.measures import measure
    from volskew.pricing import american, black, discrete
    from volskew.quotes import read_chain, read_overrides
    from volskew.ranking import beta_adjust, decompose, find_episodes, rank, rank_history, rank_series
    from volskew.settings import Settings
    from volskew.simulate import scenario_chain, simulate_market
    from volskew.surface import Surface, fit_surface
    from volskew.surface.estimate import Estimate
    from volskew.workflow import (
        attribute_files,
        audit_store,
        chain_formats,
        explain_readings,
        import_history,
        inspect_files,
        measure_files,
        rank_files,
        reconcile,
        verify_file,
    )


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        msg = f"module 'volskew' has no attribute {name!r}"
        raise AttributeError(msg)
    with importing:
        module = import_module(_PLACES[name])
    value = module if module.__name__.rpartition(".")[2] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
