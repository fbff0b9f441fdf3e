"""Both bands of every form and window of a pair, each worked out once and only where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from volskew.ranking.measurement import MeasurementBand, measurement_bands
from volskew.ranking.sampling import SamplingBand, sampling_band

__all__ = ["Bands"]

FloatArray = NDArray[np.float64]


class Bands:
    """The bands of a pair's percentiles.

    The ratio takes its bands from the log ratio where that exists: the two rank identically, and an error is
    nearer to normal in the log.

    Parameters
    ----------
    values, errors : mapping of str to ndarray, shape (n,)
        Each form and its standard errors, NaN where unknown, on the sessions with both legs, the last of them
        the day that is ranked. Values may be NaN where a form does not exist.
    sizes : sequence of int
        How many of the latest sessions each window holds.
    """

    def __init__(
        self, *, values: Mapping[str, FloatArray], errors: Mapping[str, FloatArray], sizes: Sequence[int]
    ) -> None:
        self._values, self._errors = values, errors
        self._sizes = sorted(set(sizes))
        self._measurement: dict[tuple[str, int], dict[int, MeasurementBand]] = {}
        self._sampling: dict[tuple[str, int], SamplingBand | None] = {}

    def measurement(self, form: str, size: int) -> MeasurementBand | None:
        """The measurement band of a form in its latest `size` sessions, on all of which it must exist.

        None where today's error is not known.
        """
        form, length = self._source(form, size)
        if (form, length) not in self._measurement:
            self._measurement[form, length] = measurement_bands(
                self._values[form][-length:],
                self._errors[form][-length:],
                sizes=[each for each in self._sizes if each <= length],
            )
        return self._measurement[form, length].get(size)

    def sampling(self, form: str, size: int) -> SamplingBand | None:
        """The sampling band of a form in its latest `size` sessions, on all of which it must exist."""
        form, _ = self._source(form, size)
        if (form, size) not in self._sampling:
            self._sampling[form, size] = sampling_band(self._values[form][-size:])
        return self._sampling[form, size]

    def _source(self, form: str, size: int) -> tuple[str, int]:
        """The form to take bands from, and the latest sessions on which it exists without a gap."""
        if form == "ratio" and self._length("log_ratio") >= size:
            form = "log_ratio"
        return form, self._length(form)

    def _length(self, form: str) -> int:
        missing = np.flatnonzero(~np.isfinite(self._values[form]))
        return len(self._values[form]) - (int(missing[-1]) + 1 if missing.size else 0)
