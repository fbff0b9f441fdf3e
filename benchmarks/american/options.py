"""Options as arrays, in files between the processes. Standard library and numpy."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Options(NamedTuple):
    """Arrays of one length: today's prices [$], days to expiry, decimal rates and yields (continuous).

    `vol` is the one that the price was made with. `ex_days` has a row an option, the days to its ex-dates
    before expiry, NaN where there are fewer; `amount` [$] is paid at each.
    """

    price: np.ndarray
    spot: np.ndarray
    strike: np.ndarray
    days: np.ndarray
    rate: np.ndarray
    dividend_yield: np.ndarray
    is_call: np.ndarray
    vol: np.ndarray
    ex_days: np.ndarray
    amount: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Options:
        return Options(*(np.ascontiguousarray(column[rows]) for column in self))

    @property
    def years(self) -> np.ndarray:
        return self.days / 365.0

    @property
    def forward(self) -> np.ndarray:
        """The forward [$] at which call-put parity of European options holds."""
        paid = np.nansum(self.amount[:, None] * np.exp(-self.rate[:, None] * self.ex_days / 365.0), axis=1)
        return (self.spot - paid) * np.exp((self.rate - self.dividend_yield) * self.years)

    @property
    def intrinsic(self) -> np.ndarray:
        return np.maximum(np.where(self.is_call, self.spot - self.strike, self.strike - self.spot), 0.0)

    def slices(self) -> list[np.ndarray]:
        """Rows of each (spot, days, ex-dates), in the order of their first."""
        keys = np.column_stack([self.spot, self.days, self.amount, np.nan_to_num(self.ex_days, nan=-1.0)])
        _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return [np.flatnonzero(inverse.ravel() == number) for number in np.argsort(first)]

    def dividends(self, row: int) -> list[tuple[float, float]]:
        """Days and amount of each cash dividend of a row."""
        return [(float(day), float(self.amount[row])) for day in self.ex_days[row] if np.isfinite(day)]


def save(folder: Path, name: str, options: Options) -> None:
    for field, column in zip(Options._fields, options, strict=True):
        np.save(folder / f"{name}.{field}.npy", column)


def load(folder: Path, name: str) -> Options:
    return Options(*(np.load(folder / f"{name}.{field}.npy") for field in Options._fields))
