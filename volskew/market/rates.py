"""Curve files, and the choice of a discount curve for a date.

A file is a table of bond-equivalent par yields in percent, one row a date: the US Treasury's daily par yield
curve, FRED's constant-maturity series, or any CSV with a date column and columns named by tenor; or a table
of zero rates, one line a date and number of days. A curve of a date is made of the last one on or before it;
no later row is ever looked at.

Which curve serves a date: a given flat rate, else a curve file, else the rate implied by European index
options of that date, else an assumed rate with a flag.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.curve import DiscountCurve
from volskew.market.curvefile import LONGEST_FIRST_TENOR, parse_rates, read_text, yields_until
from volskew.market.moments import date_of
from volskew.market.zerofile import is_zero_text, parse_zeros, zeros_until
from volskew.settings import Settings

__all__ = ["DiscountCurve", "RateTable", "choose_curve", "rates_until", "read_rates"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RateTable:
    """Par yields or zero rates by date, as read from a file by `read_rates`.

    Attributes
    ----------
    source : str
        The file.
    tenors : tuple of float
        Increasing times [years].
    ordinals : ndarray of int64, shape (n_dates,)
        Increasing dates, as `datetime.date.toordinal` counts them. Rows without a yield at two years or
        less make no curve and are not among them (holidays in FRED files).
    yields : ndarray of float64, shape (n_dates, n_tenors)
        Bond-equivalent par yields, decimal a year; NaN where the file has none.
    zeros : tuple of (tuple of float, tuple of float)
        Of a file of zero rates: the times [years] and rates [decimal, continuously compounded] of each date.
        It has no `tenors`, since these change by the day.
    """

    source: str
    tenors: tuple[float, ...]
    ordinals: npt.NDArray[np.int64]
    yields: npt.NDArray[np.float64]
    zeros: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()

    def __len__(self) -> int:
        return len(self.ordinals)

    def __repr__(self) -> str:
        span = f"{self.first.isoformat()} to {self.last.isoformat()}"
        return f"RateTable({self.source!r}, {span}, {len(self)} dates)"

    @property
    def first(self) -> dt.date:
        """The first date that has a curve."""
        return dt.date.fromordinal(int(self.ordinals[0]))

    @property
    def last(self) -> dt.date:
        """The last date that has a curve."""
        return dt.date.fromordinal(int(self.ordinals[-1]))

    def curve(self, on: dt.date, *, max_age_days: int) -> DiscountCurve:
        """The curve of the last row on or before a date.

        Parameters
        ----------
        on : datetime.date
            The date that is to be discounted from.
        max_age_days : int
            Calendar days that the row may be older than `on`.

        Returns
        -------
        DiscountCurve
            Labelled ``curve:<date of the row>``.

        Raises
        ------
        InputError
            `on` is before the first row (code RATE_EARLY), or more than `max_age_days` past the last row on
            or before it (code RATE_STALE).
        """
        day = date_of(on)
        accepted = f"dates from {self.first.isoformat()} to {max_age_days} days past {self.last.isoformat()}"
        row = int(np.searchsorted(self.ordinals, day.toordinal(), side="right")) - 1
        if row < 0:
            raise InputError(
                "the curve file begins later than the date wanted",
                file=self.source,
                value=day.isoformat(),
                accepted=accepted,
                code=str(Code.RATE_EARLY),
            )
        found = dt.date.fromordinal(int(self.ordinals[row]))
        if (day - found).days > max_age_days:
            raise InputError(
                f"the last curve on or before the date wanted is of {found.isoformat()}, "
                f"more than {max_age_days} days older",
                file=self.source,
                value=day.isoformat(),
                accepted=accepted,
                code=str(Code.RATE_STALE),
            )
        label = f"curve:{found.isoformat()}"
        if self.zeros:
            times, rates = self.zeros[row]
            return DiscountCurve(tenors=times, rates=rates, label=label)
        return DiscountCurve.from_par_yields(self.tenors, self.yields[row].tolist(), label=label)


def read_rates(path: str | os.PathLike[str]) -> RateTable:
    """Read a file of par yields or of zero rates, plain or gzipped.

    Parameters
    ----------
    path : path-like
        CSV with a header. The date column is ``Date``, ``DATE`` or ``observation_date``, as MM/DD/YYYY,
        MM/DD/YY (years 62 to 99 are 1962 to 1999) or YYYY-MM-DD, in any order. Yield columns, in percent, are
        found by name: ``1 Mo``, ``1.5 Month``, ``10 Yr`` (Treasury), ``BC_3MONTH`` (its XML names),
        ``DGS3MO``, ``DGS10`` (FRED), or ``3m``, ``26w``, ``1y``. Other columns are left alone: a bill's
        discount rate or an overnight rate is no bond-equivalent yield. Empty, ``.``, ``N/A`` and ``ND`` are
        missing. Or the columns ``date``, ``days`` and ``rate`` alone: continuously compounded zero rates in
        percent, one line a date and number of days; dates may be YYYYMMDD or DDMONYYYY too.

    Returns
    -------
    RateTable

    Raises
    ------
    InputError
        No such file, no curve file, a cell that is no date or no yield between -5 and 30 percent, two
        different rows for one date.
    """
    source = os.fspath(path)
    text = read_text(source)
    if is_zero_text(text):
        return _zero_table(text, source)
    parsed = parse_rates(text, source=source)
    order = sorted(range(len(parsed.tenors)), key=parsed.tenors.__getitem__)
    tenors = tuple(parsed.tenors[column] for column in order)
    dates = sorted(parsed.rows)
    table = np.array([parsed.rows[date] for date in dates], dtype=np.float64).reshape(len(dates), len(tenors))
    yields = table[:, order]
    short = np.array([tenor <= LONGEST_FIRST_TENOR for tenor in tenors])
    usable = ~np.isnan(yields[:, short]).all(axis=1)
    if not usable.any():
        raise _no_rates(source)
    ordinals = np.array([date.toordinal() for date in dates], dtype=np.int64)[usable]
    yields = yields[usable]
    ordinals.setflags(write=False)
    yields.setflags(write=False)
    return RateTable(source=source, tenors=tenors, ordinals=ordinals, yields=yields)


def _zero_table(text: str, source: str) -> RateTable:
    zeros = parse_zeros(text, source=source)
    if not zeros:
        raise _no_rates(source)
    ordinals = np.array([date.toordinal() for date in zeros], dtype=np.int64)
    nothing = np.empty((len(zeros), 0))
    ordinals.setflags(write=False)
    nothing.setflags(write=False)
    return RateTable(source=source, tenors=(), ordinals=ordinals, yields=nothing, zeros=tuple(zeros.values()))


def _no_rates(source: str) -> InputError:
    return InputError(
        "a header and no yields at two years or less", file=source, code=str(Code.EMPTY), accepted="percent"
    )


def rates_until(text: str, *, source: str, on: dt.date) -> str:
    """The file as it was at the end of a day: its header, and the rows of dates up to it.

    Parameters
    ----------
    text : str
        The file's text, which `read_rates` accepts.
    source : str
        Its name, for messages.
    on : datetime.date
        The day.

    Returns
    -------
    str
        CSV text; "" where no row is left.

    Raises
    ------
    InputError
        See `read_rates`.
    """
    cut = zeros_until if is_zero_text(text) else yields_until
    return cut(text, source=source, on=on)


def choose_curve(
    on: dt.date,
    *,
    settings: Settings,
    table: RateTable | None = None,
    box: DiscountCurve | None = None,
) -> DiscountCurve:
    """The curve of a date: a given rate, else a curve file, else the box rate, else an assumed rate.

    Parameters
    ----------
    on : datetime.date
        The session. No later row of the table is looked at.
    settings : Settings
        `rate`, `rates_file`, `curve_max_age_days` and `assumed_rate` are used.
    table : RateTable, optional
        The curve file as read. Where absent and `Settings.rates_file` is set, the file is read here, anew at
        each call: callers with many dates pass the table.
    box : DiscountCurve, optional
        The rate implied by European index options of that date.

    Returns
    -------
    DiscountCurve
        Flagged RATE_ASSUMED where nothing was given and no box rate exists.

    Raises
    ------
    InputError
        The table has no row that is on or before the date and young enough; it never gives way to a box or an
        assumed rate in silence.

    Examples
    --------
    >>> curve = choose_curve(dt.date(2026, 7, 10), settings=Settings())
    >>> curve.label, curve.flags
    ('assumed:0.0400', ('RATE_ASSUMED',))
    """
    if settings.rate is not None:
        return DiscountCurve.flat(settings.rate)
    if table is None and settings.rates_file:
        table = read_rates(settings.rates_file)
    if table is not None:
        return table.curve(on, max_age_days=settings.curve_max_age_days)
    if box is not None:
        return box
    return DiscountCurve.flat(
        settings.assumed_rate,
        label=f"assumed:{settings.assumed_rate:.4f}",
        flags=(str(Code.RATE_ASSUMED),),
    )
