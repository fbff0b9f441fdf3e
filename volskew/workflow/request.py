"""What is asked of a run: numbers read from chains, those made of prices, and what is read beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import SettingsError
from volskew.market import canonical_tenor, is_span
from volskew.measures import MEASURES
from volskew.measures.derived import derived_rows, vols_behind
from volskew.measures.keys import NO_DELTA, combinations
from volskew.measures.realised import ESTIMATORS
from volskew.measures.realised_readings import IMPLIED_OVER_REALISED, PRICE_MEASURES
from volskew.settings import Settings
from volskew.surface.points import parse_point
from volskew.workflow.conventions import CONVENTIONS, Convention

__all__ = ["Plan", "Request"]

_VOL = "implied_vol"
_BOUNDS = (f"{_VOL}_bid", f"{_VOL}_ask")
_MIDDLE = "0.5"
_REALISED = tuple(
    ESTIMATORS[name].measure for name in ("close_close", "parkinson", "garman_klass", "yang_zhang")
)
"""What a desk compares implied vols with."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which numbers are read from each surface.

    Attributes
    ----------
    measures, tenors, deltas : tuple of str
        Each combination that exists; see `volskew.measures.keys.combinations`.
    conventions : tuple of Convention
        By which these are read again, into series of their own; see `volskew.workflow.conventions`.
    beside : tuple of Request
        What is read for the study of these: where it is missing, no reading is that was asked for.
    """

    measures: tuple[str, ...] = (_VOL,)
    tenors: tuple[str, ...] = ("3m",)
    deltas: tuple[str, ...] = ("25c",)
    conventions: tuple[Convention, ...] = ()
    beside: tuple[Request, ...] = ()

    def check(self, settings: Settings) -> None:
        """Refuse what no surface could be asked for, before anything is read.

        Raises
        ------
        SettingsError
            A measure, tenor or delta that does not exist, a measure that takes none of the tenors or deltas,
            or one of these that no measure takes; the message lists what is accepted.
        """
        combinations(measures=self.measures, tenors=self.tenors, deltas=self.deltas, settings=settings)

    def for_study(self) -> Request:
        """The same with what a pair's study needs of vols: conventions, bids and asks, level and skew."""
        tenors = tuple(tenor for tenor in self.tenors if not is_span(tenor))
        if _VOL not in self.measures or not tenors:
            return Request(self.measures, self.tenors, self.deltas, CONVENTIONS)
        points = [parse_point(delta=delta) for delta in self.deltas]
        wings = tuple(point.text for point in points if MEASURES["log_skew"].takes_delta(point.text))
        beside = [Request(_BOUNDS, tenors, self.deltas)]
        if wings:
            beside += [Request((_VOL,), tenors, (_MIDDLE,)), Request(("log_skew",), tenors, wings)]
        return Request(self.measures, self.tenors, self.deltas, CONVENTIONS, tuple(beside))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run reads from chains and makes of prices, and the keys of what was asked for.

    Attributes
    ----------
    request : Request
        Of the surfaces.
    price_measures : tuple of str
        Names in `volskew.measures.realised_readings.PRICE_MEASURES`.
    price_beside : tuple of str
        Realised vols that are made of the prices beside them, and not ranked.
    tenors : tuple of str
        Of these, canonical.
    keys : tuple of (str, str, str)
        Measure, tenor and delta of each number that was asked for, in that order.
    """

    request: Request
    price_measures: tuple[str, ...]
    price_beside: tuple[str, ...]
    tenors: tuple[str, ...]
    keys: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(
        cls,
        measures: Sequence[str],
        tenors: Sequence[str],
        deltas: Sequence[str],
        *,
        has_prices: bool,
        settings: Settings,
    ) -> Plan:
        """Part the measures into those of chains and those of prices.

        Parameters
        ----------
        measures, tenors, deltas : sequence of str
            As asked for. With prices, an implied vol is also divided by the realised one, and the usual
            realised vols are made beside.
        has_prices : bool
            Whether price files are given.
        settings : Settings

        Raises
        ------
        SettingsError
            A name, tenor or delta that is not accepted, or a measure of prices without prices.
        """
        names = list(dict.fromkeys(measures))
        of_prices = [name for name in names if name in PRICE_MEASURES]
        if of_prices and not has_prices:
            msg = f"{of_prices[0]} is made of daily prices: give a file of them (--prices FILE)"
            raise SettingsError(msg)
        if has_prices and _VOL in names and IMPLIED_OVER_REALISED not in of_prices:
            of_prices.append(IMPLIED_OVER_REALISED)
        of_chains = [name for name in names if name not in PRICE_MEASURES]
        read = [*of_chains] or [_VOL]
        if IMPLIED_OVER_REALISED in of_prices and _VOL not in read:
            read.append(_VOL)
        request = Request(tuple(read), tuple(tenors), tuple(deltas))
        found = combinations(measures=read, tenors=tenors, deltas=deltas, settings=settings)
        keys = [(item.name, tenor, delta) for item, tenor, delta in found if item.name in of_chains]
        plain = tuple(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors if not is_span(tenor)))
        if of_prices and not plain:
            msg = f"{of_prices[0]} is made over one tenor, such as 3m; got {', '.join(tenors)}"
            raise SettingsError(msg)
        places = list(dict.fromkeys(parse_point(delta=delta).text for delta in deltas))
        for name in of_prices:
            its_deltas = places if name == IMPLIED_OVER_REALISED else [NO_DELTA]
            keys += [(name, tenor, delta) for tenor in plain for delta in its_deltas]
        beside = [name for name in _REALISED if has_prices and plain and name not in of_prices]
        return cls(request, tuple(of_prices), tuple(beside), plain, tuple(keys))

    def imported_rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Of an imported history what is asked for, skews made of its vols, and what level and skew need.

        Parameters
        ----------
        rows : pandas.DataFrame
            History rows of an imported series.

        Returns
        -------
        pandas.DataFrame
            None where nothing that is asked for is among them, or can be made of them: what is read beside is
            of no use without.
        """
        kept = rows[self._is_key(rows, self._imported_keys())]
        made = derived_rows(kept, self.keys)
        found = pd.concat([kept, made], ignore_index=True) if len(made) else kept
        return found if self._is_key(found, self.keys).any() else rows.iloc[:0]

    def _imported_keys(self) -> list[tuple[str, str, str]]:
        """Keys of imported readings that are of use."""
        keys = list(self.keys)
        for measure, tenor, delta in self.keys:
            places = list(vols_behind(measure, delta))
            if measure == _VOL and MEASURES["log_skew"].takes_delta(delta):
                places.append(_MIDDLE)
            keys += [(_VOL, tenor, place) for place in places]
        return keys

    @staticmethod
    def _is_key(rows: pd.DataFrame, keys: Sequence[tuple[str, str, str]]) -> NDArray[np.bool_]:
        return pd.MultiIndex.from_frame(rows[["measure", "tenor", "delta"]]).isin(list(keys))

    @property
    def imported_key(self) -> dict[str, str]:
        """What a vol of a history is that does not say so: an implied vol at the first tenor and delta."""
        tenor = self.tenors[0] if self.tenors else "3m"
        return {"measure": _VOL, "tenor": tenor, "delta": self.request.deltas[0]}
