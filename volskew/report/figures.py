"""Vols as a person reads them: percent, with one standard error where it is known; and what draws them."""

from __future__ import annotations

import math

from volskew.errors import SettingsError

__all__ = ["check_matplotlib", "decimals_for", "percent", "with_error"]

_FINE = 0.995e-4
"""[vol] An error below a hundredth of a vol point needs the third decimal."""


def percent(value: float, *, sign: bool = False, decimals: int = 2) -> str:
    """A vol [decimal] in percent, "-" where there is none."""
    return "-" if not math.isfinite(value) else f"{100 * value:{'+' if sign else ''}.{decimals}f}"


def decimals_for(error: float) -> int:
    """Decimals in percent with which an error [decimal vol] says something."""
    return 3 if error < _FINE else 2


def with_error(value: float, error: float | None) -> str:
    """A vol with one standard error, both decimal: ``21.08 % +- 0.02``.

    Examples
    --------
    >>> with_error(0.2108, 0.0002), with_error(0.2108, 0.00003), with_error(0.2108, None)
    ('21.08 % +- 0.02', '21.080 % +- 0.003', '21.08 %')
    """
    if not math.isfinite(value):
        return "none"
    if error is None or not math.isfinite(error):
        return f"{percent(value)} %"
    decimals = decimals_for(error)
    return f"{percent(value, decimals=decimals)} % +- {percent(error, decimals=decimals)}"


def check_matplotlib() -> None:
    """Import matplotlib, which reads its own settings then.

    Raises
    ------
    SettingsError
        It refuses one of them.
    """
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - takes half a second
    except ValueError as error:
        msg = f"matplotlib refuses a setting of its own (MPLBACKEND or matplotlibrc): {error}."
        raise SettingsError(msg) from error
